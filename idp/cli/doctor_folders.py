# SPDX-License-Identifier: Apache-2.0
"""What ``idp doctor`` finds out about one drop folder, by doing there what the inbox does."""

from __future__ import annotations

import os
import tempfile
import threading
from pathlib import Path

from idp.errors import AccessError
from idp.settings import ChannelSettings, Settings

_ANSWER_SECONDS = 10.0
_MOUNTS = Path("/proc/self/mountinfo")
_NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "glusterfs", "fuse.sshfs", "afs"}
)
_LEAST_SETTLE_SECONDS = 5.0
_NOT_THERE_HINT = "Mount it, or correct ingest.channels.{}.folder in idp.toml."
_READ_ONLY_HINT = "Let the service move files in it, or set ingest.channels.{}.keep_files = true."


def examine_folder(settings: Settings, name: str) -> tuple[str, tuple[str, ...]]:
    """What there is to say of a drop folder, and what an operator should know.

    Raises:
        AccessError: Files in it can't be taken, or the share does not answer.
    """
    channel, folder = settings.ingest.channels[name], settings.channel_folder(name).absolute()
    found: list[tuple[str, tuple[str, ...]]] = []
    failed: list[AccessError] = []

    def probe() -> None:
        try:
            found.append(_examine(channel, folder, name))
        except AccessError as error:
            failed.append(error)
        except OSError as error:
            failed.append(AccessError(f"{folder}: {error.strerror}"))

    # A share whose server is gone answers no call at all, not even with an error.
    thread = threading.Thread(target=probe, daemon=True)
    thread.start()
    thread.join(_ANSWER_SECONDS)
    if failed:
        raise failed[0]
    if not found:
        raise AccessError(f"{folder} does not answer within {_ANSWER_SECONDS:.0f} s")
    return found[0]


def _examine(channel: ChannelSettings, folder: Path, name: str) -> tuple[str, tuple[str, ...]]:
    manner = [f"queue {channel.queue}", f"priority {channel.priority}", f"watch {channel.watch}"]
    if channel.site:
        manner.append(f"site {channel.site}")
    if channel.keep_files:
        manner.append("read-only")
    told = f"{folder}: {', '.join(manner)}"
    if not folder.is_dir():
        if channel.folder is None:
            return f"{told}; made at the first `idp run`", ()
        raise AccessError(f"{folder} is not there", hint=_NOT_THERE_HINT.format(name))
    if not os.access(folder, os.R_OK | os.X_OK):
        raise AccessError(f"{folder} may not be read")
    if not channel.keep_files:
        try:
            _claim_something(folder)
        except OSError as error:
            raise AccessError(
                f"{folder}: files can't be moved into .claimed: {error.strerror}",
                hint=_READ_ONLY_HINT.format(name),
            ) from error
    return told, _advice(channel, folder)


def _claim_something(folder: Path) -> None:
    """Move a file of our own as a claim is moved; dot names are left alone by the inbox."""
    claimed = folder / ".claimed"
    with tempfile.TemporaryDirectory(
        prefix=".idp-doctor-", dir=claimed if claimed.is_dir() else folder
    ) as place:
        descriptor, name = tempfile.mkstemp(prefix=".idp-doctor-", dir=folder)
        os.close(descriptor)
        try:
            Path(name).rename(Path(place) / "probe")
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise


def _advice(channel: ChannelSettings, folder: Path) -> tuple[str, ...]:
    kind = file_system(folder, _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape"))
    if kind not in _NETWORK:
        return ()
    advice = []
    if channel.watch == "events":
        advice.append(f"{folder} is a network share ({kind}), which tells of no events: watch=poll")
    if channel.settle_seconds < _LEAST_SETTLE_SECONDS:
        advice.append(
            f"{folder} is a network share ({kind}), which tells of no writers: settle_seconds=10"
        )
    return tuple(advice)


def file_system(folder: Path, mounts: str) -> str:
    """The type of file system that a folder is on, by a table as in ``/proc/self/mountinfo``.

    See proc_pid_mountinfo(5): the mount point is the fifth field, with blanks and the like as
    octal escapes; the type follows the lone hyphen.
    """
    best, kind = Path(), ""
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        point = Path(
            os.fsdecode(os.fsencode(before.split()[4]).decode("unicode_escape").encode("latin-1"))
        )
        if folder.resolve().is_relative_to(point) and len(point.parts) >= len(best.parts):
            best, kind = point, after.split()[0]
    return kind
