# SPDX-License-Identifier: Apache-2.0
"""Where Label Studio is and what opens it: its address, our token, the webhook's secret.

Secrets are drawn once, kept in the review folder for this user only, and never logged or printed.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from idp.errors import ReviewError
from idp.slices import ReviewSettings

USER = "appliance@idp.invalid"
"""Our own account in our own Label Studio; the name can't be anybody's address (RFC 2606)."""
WEBHOOK_PATH = "/hooks/label-studio"
"""Where the gate takes Label Studio's hints."""

_TOKEN_BYTES = 20
"""Label Studio's own tokens are 40 hexadecimal letters."""
_MOST_SECRET_BYTES = 4096


@dataclass(frozen=True)
class Place:
    """A Label Studio: its address without a slash at the end, and the token that opens it."""

    url: str
    token: str = field(repr=False)


def place_of(settings: ReviewSettings, folder: Path) -> Place:
    """The Label Studio of the settings; whether it answers is not asked.

    Args:
        settings: The review's options.
        folder: The review folder (``settings.review_folder``).

    Raises:
        ReviewError: None is wanted, its token can't be read, or it was never started.
    """
    if settings.label_studio == "none":
        raise ReviewError(
            "there is no Label Studio: review.label_studio is none",
            hint="Set review.label_studio to own or existing in idp.toml (docs/review.md).",
        )
    if settings.label_studio == "existing":
        assert settings.url is not None
        assert settings.token_file is not None
        return Place(settings.url.rstrip("/"), _first_line(settings.token_file))
    return Place(own_url(settings, folder), own_token(settings, folder))


def own_url(settings: ReviewSettings, folder: Path) -> str:
    """The address of our own Label Studio; with port 0 the one it was started on last.

    Raises:
        ReviewError: The port is to be picked at the start, and it was never started.
    """
    if settings.port:
        return f"http://127.0.0.1:{settings.port}"
    try:
        return address_file(folder).read_text(encoding="ascii").strip()
    except OSError as error:
        raise ReviewError("Label Studio was not started yet: `idp run` does it") from error


def address_file(folder: Path) -> Path:
    """Holds the address on which our own Label Studio was started last."""
    return folder / "address"


def own_token(settings: ReviewSettings, folder: Path) -> str:
    """The token of our account; drawn at the first call."""
    if settings.token_file is not None:
        return _first_line(settings.token_file)
    return _drawn(folder / "token", _TOKEN_BYTES)


def own_password(folder: Path) -> str:
    """The password of our account, which nobody ever types; drawn at the first call."""
    return _drawn(folder / "password", 32)


def webhook_secret(folder: Path) -> str:
    """What Label Studio proves itself with to our receiver; drawn at the first call.

    Everybody who may read webhooks in Label Studio can see it (the gate lets no reviewer): it
    says that a hint comes from there, and guards nothing else.
    """
    return _drawn(folder / "webhook-secret", 32)


def hook_file(folder: Path) -> Path:
    """Holds the address of the receiver on loopback that our own Label Studio hints to."""
    return folder / "hook-address"


def page_key(folder: Path) -> bytes:
    """What links to page images are signed with; drawn at the first call.

    Without it (a backup that lost it) the links in Label Studio are good for nothing, and are made
    anew at half of their time.
    """
    return _drawn(folder / "page-key", 32).encode("ascii")


def appliance_mark(folder: Path) -> str:
    """What our projects' descriptions begin with: several appliances may share a Label Studio."""
    return f"idp-{_drawn(folder / 'mark', 4)}"


def make_private(folder: Path) -> None:
    """Makes the folder, for this user only.

    Raises:
        ReviewError: It can't be made.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        raise ReviewError(f"review folder {folder}: {error.strerror}") from error


def _drawn(path: Path, size: int) -> str:
    """What the file holds; made with random bytes by whoever comes first."""
    if not path.exists():
        make_private(path.parent)
        half = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        try:
            descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as stream:
                stream.write(f"{secrets.token_hex(size)}\n")
                stream.flush()
                os.fsync(stream.fileno())
            # A link, unlike a rename, leaves what another process drew a moment before.
            os.link(half, path)
        except FileExistsError:
            pass
        except OSError as error:
            raise ReviewError(f"{path} can't be written: {error.strerror}") from error
        finally:
            half.unlink(missing_ok=True)
    return _first_line(path)


def _first_line(path: Path) -> str:
    """The secret that a file holds.

    Raises:
        ReviewError: It can't be read, or holds none.
    """
    try:
        with path.open("rb") as stream:
            text = stream.read(_MOST_SECRET_BYTES)
    except OSError as error:
        raise ReviewError(f"{path} can't be read: {error.strerror}") from error
    line = text.decode("ascii", "replace").partition("\n")[0].strip()
    if not line.isprintable() or not line or "\N{REPLACEMENT CHARACTER}" in line:
        raise ReviewError(f"the first line of {path} is no token")
    return line
