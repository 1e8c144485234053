# SPDX-License-Identifier: Apache-2.0
"""Events of the operating system as hints: something happened, look again.

Nothing relies on them. Without a working observer (network share, no watches left) the scans
still find every file, only later.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Mapping
from pathlib import Path

from watchdog.events import (
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

_MOST_MOVED = 10_000

_log = logging.getLogger(__name__)


class Hints(FileSystemEventHandler):
    """Wakes the inbox; remembers which files appeared by a rename and so were whole at once."""

    def __init__(self, folders: Mapping[str, Path]) -> None:
        self._folders = dict(folders)
        self._inodes: dict[str, int] = {}
        self._observer: BaseObserver | None = None
        self._wake = threading.Event()
        self._lock = threading.Lock()
        self._moved: set[Path] = set()

    def start(self) -> None:
        """Begin to watch; on failure only say so.

        A folder that is not there is left out: :meth:`revive` notices when it comes.
        """
        observer = Observer()
        try:
            for name, folder in self._folders.items():
                try:
                    inode = folder.stat().st_ino
                except OSError:
                    continue
                # Not what lies below: each claim and each done file would have a watch of its
                # own, and those are limited. The scans find what comes into folders below.
                observer.schedule(
                    self,
                    str(folder),
                    recursive=False,
                    event_filter=[FileClosedEvent, FileCreatedEvent, FileMovedEvent, DirMovedEvent],
                )
                self._inodes[name] = inode
            observer.start()
        except OSError as error:
            _log.warning("the drop folders can't be watched, only scanned: %s", error.strerror)
            with contextlib.suppress(Exception):
                observer.unschedule_all()
            return
        self._observer = observer

    def stop(self) -> None:
        """Stop watching."""
        if self._observer is not None:
            self._observer.stop()
            self._observer.join(timeout=5)
            self._observer = None

    def revive(self) -> None:
        """Watch anew when a drop folder went away and came back (unmounted, replaced)."""
        for name, folder in self._folders.items():
            try:
                inode = folder.stat().st_ino
            except OSError:
                # The watch died with the folder: forget it, so that its return is noticed.
                self._inodes.pop(name, None)
                continue
            if self._observer is not None and self._inodes.get(name) != inode:
                self.stop()
                self.start()
                return

    def wait(self, seconds: float) -> None:
        """Sleep until something happened or the time is up."""
        self._wake.wait(seconds)
        self._wake.clear()

    def wake(self) -> None:
        """End the current :meth:`wait`."""
        self._wake.set()

    def take(self) -> set[Path]:
        """The files that appeared by a rename since the last call."""
        with self._lock:
            moved, self._moved = self._moved, set()
        return moved

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Called in the observer's thread: note it and be gone."""
        place = event.dest_path or event.src_path
        path = Path(os.fsdecode(place))
        if isinstance(event, FileMovedEvent):
            with self._lock:
                if len(self._moved) < _MOST_MOVED:
                    self._moved.add(path)
        self._wake.set()
