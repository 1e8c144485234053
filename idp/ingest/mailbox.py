# SPDX-License-Identifier: Apache-2.0
"""Mailboxes: every mail of an IMAP folder becomes one file in a drop folder, exactly once.

A mailbox is only a way into a drop folder; what is done with a mail is the drop folder's business.
A mail is known by mailbox, UIDVALIDITY and UID, which no other mail ever has (RFC 3501, 2.3.1.1),
and its file's name is made of them. For each mail:

1. *Known?* On the record already: go on with 4. In the drop folder, or claimed from it: wait.
2. *Fetch* without marking it read, if it is not too large; too large ones stay and are a problem.
3. *Write* under a hidden name, sync, rename: the drop folder never sees half a mail.
4. *Let go*: only what is on the record is marked read, moved or deleted.

Killed after 3, the file is there and step 1 finds it; killed before 4, step 1 finds the record.
Flags are stored for single mails only and nothing is expunged but our own: others work in the same
mailbox. Nothing of a mail, and no server's text, is ever logged.
"""

from __future__ import annotations

import contextlib
import imaplib
import logging
import os
import ssl
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from imap_tools.errors import ImapToolsError, MailboxFolderSelectError, MailboxLoginError
from imap_tools.mailbox import BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted
from imap_tools.utils import encode_folder

from idp.errors import MailboxError, where
from idp.ingest.inbox import CLAIMED
from idp.settings import IngestSettings, MailboxSettings

TIMEOUT_SECONDS = 30.0
"""Longest silence of a server."""

_BATCH = 20
"""Mails written before those before them are let go."""

_CONFIRM_SECONDS = 30.0
"""How long a round waits for its mails to be on the record; the next round goes on."""

_LOOK_SECONDS = 0.25
_FIRST_RETRY_SECONDS = 2.0
_LONGEST_RETRY_SECONDS = 300.0
_STOP_SECONDS = 5.0
_MOST_NAMED = 10
_NUMBERS = 100
"""UIDs named in one command."""

Recorded = Callable[[str, Collection[str]], Collection[str]]
"""Which of these file names of a channel are on the record."""

_log = logging.getLogger(__name__)


@contextmanager
def connected(name: str, settings: MailboxSettings) -> Iterator[BaseMailBox]:
    """A mailbox, logged in; whatever goes wrong in the block is a :class:`MailboxError`.

    Its message tells what failed and nothing that the server said.
    """
    try:
        password = settings.password_file.read_text(encoding="utf-8").split("\n", 1)[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        raise MailboxError(f"mailbox {name}: the password file can't be read") from error
    box: BaseMailBox | None = None
    try:
        box = _open(settings)
        box.login(settings.user, password, initial_folder=None)
        yield box
    except (ImapToolsError, imaplib.IMAP4.error, OSError) as error:
        raise MailboxError(f"mailbox {name}: {_what(error)}") from error
    finally:
        if box is not None:
            with contextlib.suppress(Exception):
                box.client.logout()


def _open(settings: MailboxSettings) -> BaseMailBox:
    if settings.security == "none":
        return MailBoxUnencrypted(settings.host, settings.port, timeout=TIMEOUT_SECONDS)
    context = ssl.create_default_context(cafile=settings.ca_file)
    kind = MailBox if settings.security == "tls" else MailBoxStartTls
    return kind(settings.host, settings.port, timeout=TIMEOUT_SECONDS, ssl_context=context)


def _what(error: Exception) -> str:
    if isinstance(error, MailboxLoginError):
        return "the server refuses the login"
    if isinstance(error, MailboxFolderSelectError):
        return "the folder can't be opened"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the server's certificate is not trusted ({error.verify_message})"
    if isinstance(error, imaplib.IMAP4.abort):
        return "the connection was cut off"
    if isinstance(error, imaplib.IMAP4.error | ImapToolsError):
        return f"the server refuses a command ({type(error).__name__})"
    return getattr(error, "strerror", None) or type(error).__name__


def waiting(name: str, settings: MailboxSettings) -> int:
    """How many mails wait in a mailbox; changes nothing. Raises :class:`MailboxError`."""
    with connected(name, settings) as box:
        box.folder.set(settings.folder, readonly=True)
        return len(_uids(box, settings))


def _uids(box: BaseMailBox, settings: MailboxSettings) -> list[str]:
    """The mails to take, oldest first. What a server calls a UID is checked: it names a file."""
    # What was deleted and not expunged is gone to everybody else as well.
    wanted = "UNSEEN UNDELETED" if settings.after == "seen" else "UNDELETED"
    found = box.uids(wanted, charset=None)
    return [uid for uid in found if uid.isascii() and uid.isdigit() and len(uid) <= 10]


class Mailbox:
    """One mailbox, emptied again and again by a thread of its own."""

    def __init__(
        self,
        name: str,
        settings: MailboxSettings,
        folder: Path,
        *,
        max_bytes: int,
        recorded: Recorded,
    ) -> None:
        """Prepares; nothing is touched before :meth:`start` or :meth:`empty`.

        Args:
            name: Of the mailbox in the settings.
            settings: Its options.
            folder: The drop folder of its channel.
            max_bytes: Larger mails are left where they are.
            recorded: Asked which files are on the record.
        """
        self._name = name
        self._settings = settings
        self._folder = folder
        self._max_bytes = max_bytes
        self._recorded = recorded
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._box: BaseMailBox | None = None
        self._trouble: str | None = None
        self._left: dict[str, str] = {}

    def start(self) -> None:
        """Begin to empty the mailbox."""
        self._thread = threading.Thread(target=self._loop, name="mailbox", daemon=True)
        self._thread.start()

    def stop_soon(self) -> None:
        """Take no more mails; cuts the connection, so that no server can delay the end."""
        self._stopping.set()
        box = self._box
        if box is not None:
            with contextlib.suppress(Exception):
                box.client.shutdown()

    def join(self, seconds: float) -> None:
        """Wait for the end of the round at hand; a thread that hangs ends with the process."""
        if self._thread is not None:
            self._thread.join(seconds)
            self._thread = None

    def problems(self) -> tuple[str, ...]:
        """What an operator should look at."""
        left = sorted(self._left.values())
        more = [f"mailbox {self._name}: {len(left) - _MOST_NAMED} more such mails"]
        shown = left[:_MOST_NAMED] + (more if len(left) > _MOST_NAMED else [])
        return (*((self._trouble,) if self._trouble else ()), *shown)

    def _loop(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                self.empty()
                self._trouble, failures = None, 0
                pause = self._settings.poll_seconds
            except Exception as error:
                # The thread outlives every trouble; the mails are there next time.
                if self._stopping.is_set():
                    return
                told = error.message if isinstance(error, MailboxError) else None
                told = told or f"mailbox {self._name}: {type(error).__name__}; see the log"
                if self._trouble is None:
                    _log.warning("mailbox %s can't be emptied now: %s", self._name, where(error))
                self._trouble = told
                pause = min(_FIRST_RETRY_SECONDS * 2.0 ** min(failures, 10), _LONGEST_RETRY_SECONDS)
                failures += 1
            self._stopping.wait(pause)

    def empty(self) -> int:
        """One round: takes what is there and lets go of what is on the record; how many it let go.

        Raises:
            MailboxError: the server can't be reached, refuses, or went away; or the drop folder
                can't be written.
        """
        with connected(self._name, self._settings) as box:
            self._box = box
            try:
                return self._emptied(box)
            finally:
                self._box = None

    def _emptied(self, box: BaseMailBox) -> int:
        box.folder.set(self._settings.folder)
        validity = _validity(box)
        uids = _uids(box, self._settings)
        there = set(uids)
        self._left = {uid: text for uid, text in self._left.items() if uid in there}
        done = 0
        for start in range(0, len(uids), _BATCH):
            batch = {self._file(validity, uid): uid for uid in uids[start : start + _BATCH]}
            sizes = _sizes(box, list(batch.values()))
            for name, uid in batch.items():
                if self._stopping.is_set():
                    return done
                self._take(box, name, uid, sizes.get(uid))
            done += self._let_go(box, batch)
        return done

    def _file(self, validity: str, uid: str) -> str:
        return f"{self._name}-{validity}-{uid}.eml"

    def _take(self, box: BaseMailBox, name: str, uid: str, size: int | None) -> None:
        """Steps 1 to 3 for one mail."""
        # In this order: a file goes from the folder to the claimed ones and onto the record.
        if (self._folder / name).exists() or any((self._folder / CLAIMED).glob(f"*/{name}")):
            return
        if self._recorded(self._settings.channel, [name]):
            return
        if size is not None and size > self._max_bytes:
            self._leave(uid, size)
            return
        mail = _fetched(box, uid)
        if mail is None:
            return
        if len(mail) > self._max_bytes:
            self._leave(uid, len(mail))
            return
        _write(self._folder, name, mail)
        _log.info("mailbox %s: mail %s is in the drop folder", self._name, uid)

    def _leave(self, uid: str, size: int) -> None:
        self._left[uid] = (
            f"mailbox {self._name}: mail {uid} has {size} bytes, more than ingest.max_bytes "
            f"{self._max_bytes}; it stays in the mailbox"
        )

    def _let_go(self, box: BaseMailBox, batch: Mapping[str, str]) -> int:
        """Step 4: waits a while until the batch is on the record, and lets go of what is."""
        open_names = {name: uid for name, uid in batch.items() if uid not in self._left}
        looks = int(_CONFIRM_SECONDS / _LOOK_SECONDS)
        for look in range(looks):
            known = sorted(self._recorded(self._settings.channel, list(open_names)))
            if known:
                _settle(box, [open_names.pop(name) for name in known], self._settings)
            if not open_names or self._stopping.wait(_LOOK_SECONDS):
                break
            if look % 40 == 39:
                box.client.noop()  # keeps the connection, and notices when it is gone
        return len(batch) - len(open_names) - sum(uid in self._left for uid in batch.values())


class Mailboxes:
    """All mailboxes of the settings; one that is down holds up no other."""

    def __init__(
        self, settings: IngestSettings, folders: Mapping[str, Path], recorded: Recorded
    ) -> None:
        """Prepares.

        Args:
            settings: The mailboxes, and the largest file.
            folders: Drop folder by channel.
            recorded: Asked which files are on the record.
        """
        self._all = [
            Mailbox(
                name, each, folders[each.channel], max_bytes=settings.max_bytes, recorded=recorded
            )
            for name, each in settings.mailboxes.items()
        ]

    def start(self) -> None:
        """Begin with all of them."""
        for each in self._all:
            each.start()

    def stop(self) -> None:
        """End all of them, at the same time."""
        for each in self._all:
            each.stop_soon()
        deadline = time.monotonic() + _STOP_SECONDS
        for each in self._all:
            each.join(max(0.0, deadline - time.monotonic()))

    def problems(self) -> tuple[str, ...]:
        """What an operator should look at."""
        return tuple(text for each in self._all for text in each.problems())


def _validity(box: BaseMailBox) -> str:
    """UIDVALIDITY of the folder just opened."""
    _, said = box.client.response("UIDVALIDITY")
    text = said[-1].decode("ascii", "replace") if said and isinstance(said[-1], bytes) else ""
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise imaplib.IMAP4.error("no UIDVALIDITY")
    return text


def _sizes(box: BaseMailBox, uids: Sequence[str]) -> dict[str, int]:
    """RFC822.SIZE by UID."""
    sizes: dict[str, int] = {}
    for item in _answer(box, "FETCH", ",".join(uids), "(UID RFC822.SIZE)") if uids else ():
        words = item.decode("ascii", "replace").replace("(", " ").replace(")", " ").split()
        named = dict(zip(words[1::2], words[2::2], strict=False)) if len(words) > 1 else {}
        if named.get("UID", "").isdigit() and named.get("RFC822.SIZE", "").isdigit():
            sizes[named["UID"]] = int(named["RFC822.SIZE"])
    return sizes


def _fetched(box: BaseMailBox, uid: str) -> bytes | None:
    """The mail's bytes, without marking it read; ``None`` when it is gone."""
    for item in _answer(box, "FETCH", uid, "(BODY.PEEK[])", literal=True):
        return item
    return None


def _settle(box: BaseMailBox, uids: Sequence[str], settings: MailboxSettings) -> None:
    """Mark, move or delete mails that are on the record."""
    which = ",".join(uids)
    if settings.after == "seen":
        _answer(box, "STORE", which, "+FLAGS.SILENT", r"(\Seen)")
        return
    capabilities = _capabilities(box)
    if settings.after == "move":
        if not box.folder.exists(settings.move_to):
            box.folder.create(settings.move_to)
        target: Any = encode_folder(settings.move_to)
        if "MOVE" in capabilities:
            _answer(box, "MOVE", which, target)
            return
        _answer(box, "COPY", which, target)
    _answer(box, "STORE", which, "+FLAGS.SILENT", r"(\Deleted)")
    if "UIDPLUS" in capabilities:
        # Without it an expunge would take what others marked as well; it stays marked then.
        _answer(box, "EXPUNGE", which)


def _capabilities(box: BaseMailBox) -> frozenset[str]:
    """What the server can do, asked after the login: many tell strangers less."""
    _, said = box.client.capability()
    text = b" ".join(each for each in said if isinstance(each, bytes))
    return frozenset(text.decode("ascii", "replace").upper().split())


def _answer(box: BaseMailBox, *command: str, literal: bool = False) -> list[bytes]:
    """The lines, or the literals, of the answer to a UID command; a refusal is an error."""
    status, data = box.client.uid(*command)
    if status != "OK":
        raise imaplib.IMAP4.error(f"UID {command[0]} refused")
    if literal:
        return [item[1] for item in data if isinstance(item, tuple)]
    return [item for item in data if isinstance(item, bytes)]


def _write(folder: Path, name: str, data: bytes) -> None:
    """Whole or not at all, and on the disk when this returns."""
    half = folder / f".{name}.part"
    with half.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    half.rename(folder / name)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
