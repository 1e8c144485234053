# SPDX-License-Identifier: Apache-2.0
"""The drop folders as an administrator sees them: from the settings, and what the ledger knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from idp.settings import Settings


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """One drop folder and how its files are taken. Nothing of it asks the disk: shares hang."""

    name: str
    folder: Path
    queue: str
    priority: int
    site: str | None
    watch: str
    keep_files: bool
    remembered: int | None
    """Files that a read-only share's ledger knows; ``None`` where files are moved."""
    sidecar: str
    done_suffix: str
    exact_duplicates: str
    near_duplicates: str

    @property
    def manner(self) -> str:
        """How its files are taken, in words."""
        if self.remembered is None:
            return "files are moved"
        return f"read-only: {self.remembered} files remembered"


def channel_rows(settings: Settings, remembered: Mapping[str, int]) -> tuple[ChannelRow, ...]:
    """All drop folders, the urgent ones first."""
    rows = [
        ChannelRow(
            name=name,
            folder=settings.channel_folder(name).absolute(),
            queue=channel.queue,
            priority=channel.priority,
            site=channel.site,
            watch=channel.watch,
            keep_files=channel.keep_files,
            remembered=remembered.get(name, 0) if channel.keep_files else None,
            sidecar=channel.sidecar,
            done_suffix=channel.done_suffix,
            exact_duplicates=channel.exact_duplicates,
            near_duplicates=channel.near_duplicates,
        )
        for name, channel in settings.ingest.channels.items()
    ]
    return tuple(sorted(rows, key=lambda row: (row.priority, row.name)))
