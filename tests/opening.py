# SPDX-License-Identifier: Apache-2.0
"""Opens bytes in this process: quick, and the same code as in the child."""

from __future__ import annotations

from pathlib import Path

from idp.ingest.formats import HEAD_BYTES, media_type_of
from idp.ingest.opened import Opened, open_here
from idp.settings import IngestSettings

LIMITS = IngestSettings()


def opened(
    data: bytes, folder: Path, limits: IngestSettings = LIMITS, media_type: str | None = None
) -> Opened:
    """What the opener of these bytes' format finds in them."""
    path = folder / "arrived"
    path.write_bytes(data)
    workspace = folder / "workspace"
    workspace.mkdir(exist_ok=True)
    return open_here(path, workspace, media_type or media_type_of(data[:HEAD_BYTES]), limits)


def names(found: Opened) -> list[str]:
    """The members' names in order."""
    return [member.name for member in found.members]


def content(found: Opened, name: str) -> bytes:
    """The bytes of the member of this name."""
    (path,) = [member.path for member in found.members if member.name == name]
    return Path(path).read_bytes()


def words(found: Opened) -> str:
    """What stands on the pages, by their text layer."""
    return " ".join(word.text for page in found.pages for word in page.text_layer)
