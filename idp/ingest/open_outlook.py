# SPDX-License-Identifier: Apache-2.0
"""Outlook's ``.msg`` ([MS-OXMSG]) to a letter, its storages and properties read by python-oxmsg.

Compound files (OLE) hold Word, Excel and Outlook alike, told apart by what is in their root and
not by their first bytes: :func:`open_ole` looks and hands on.
"""

from __future__ import annotations

import base64
import datetime as dt
import re
import struct
from email.message import Message
from email.parser import HeaderParser
from email.policy import compat32
from email.utils import format_datetime
from hashlib import sha256
from importlib import import_module
from pathlib import Path

from olefile import OleFileIO
from oxmsg.domain import constants as pid
from oxmsg.properties import Properties
from oxmsg.storage import Storage

from idp.document import MOST_ENVELOPE_CHARACTERS, Envelope
from idp.errors import (
    DamagedFileError,
    EncryptedFileError,
    InputError,
    NestedTooDeepError,
    OfficeFileError,
    TooLargeError,
)
from idp.ingest.charsets import codec_of, decoded
from idp.ingest.letter import Attachment, Letter, Text, opened_letter, plain_text
from idp.ingest.mail_headers import envelope, envelope_of
from idp.ingest.mapi import rtf_of, text_of_codepage
from idp.ingest.open_mail import letter_of_mail
from idp.ingest.opened import HTML, MAIL, RTF, TEXT, Opened, printable
from idp.settings import IngestSettings

_PROPERTIES = "__properties_version1.0"
_ROOT_HEADER, _EMBEDDED_HEADER, _OTHER_HEADER = 32, 24, 8  # [MS-OXMSG] 2.4.1
_MOST_NESTING = 5
_STRING8, _UNICODE, _BINARY, _OBJECT = 0x001E, 0x001F, 0x0102, 0x000D
_SENDER_SMTP, _SMTP, _CONTENT_ID, _HIDDEN, _FLAGS = 0x5D01, 0x39FE, 0x3712, 0x7FFE, 0x3714
_SHORT_NAME, _DISPLAY_NAME, _DELIVERED, _TO, _RTF = 0x3704, 0x3001, 0x0E06, 0x0E04, 0x1009
_MESSAGE_ID, _CLASS = 0x1035, 0x001A
_SHOWN_IN_TEXT = 4  # [MS-OXCMSG] 2.2.2.18, attMhtmlRef
_LIBRARY_ERRORS = (
    OSError, ValueError, LookupError, TypeError, AttributeError, struct.error,
    AssertionError, OverflowError,
)  # fmt: skip
_ENCRYPTED_STREAM = "EncryptedPackage"


def open_ole(path: Path, workspace: Path, limits: IngestSettings) -> Opened:
    """A compound file: an Outlook message is opened, anything else handed to office conversion.

    Raises:
        OfficeFileError: a file of an office program, and no converter is there.
        InputError: what :func:`open_msg` or the converter says.
    """
    if _is_message(path):
        return open_msg(path, workspace, limits)
    try:
        open_office = import_module("idp.ingest.open_office").open_office
    except ModuleNotFoundError as error:
        raise OfficeFileError("a file of an office program") from error
    opened = open_office(path, workspace, limits)
    assert isinstance(opened, Opened)
    return opened


def open_msg(path: Path, workspace: Path, limits: IngestSettings) -> Opened:
    """The attachments of an Outlook message and, where it holds the content, its text.

    Raises:
        DamagedFileError: broken or cut off.
        EncryptedFileError: S/MIME, and nothing of it can be read.
        NestedTooDeepError: messages in messages without end.
        TooLargeError: more than the limits allow.
    """
    try:
        with OleFileIO(str(path)) as ole:
            # Streams may share their sectors: what all of them together claim is what is read.
            claimed = sum(entry.size for entry in ole.direntries if entry is not None)
            if claimed > limits.max_expanded_bytes:
                raise TooLargeError(
                    f"unpacks to more than ingest.max_expanded_bytes {limits.max_expanded_bytes}"
                )
            root = Storage.from_ole(ole)
        letter = _Message(root, _ROOT_HEADER, limits, 0).letter()
    except RecursionError as error:
        raise NestedTooDeepError("storages in storages without end") from error
    except _LIBRARY_ERRORS as error:
        raise DamagedFileError(
            f"the Outlook message can't be read: {type(error).__name__}"
        ) from error
    return opened_letter(letter, workspace, limits)


def _is_message(path: Path) -> bool:
    try:
        with OleFileIO(str(path)) as ole:
            if ole.exists(_ENCRYPTED_STREAM):
                raise EncryptedFileError("an office file that needs a password")
            return bool(ole.exists(_PROPERTIES))
    except RecursionError as error:
        raise NestedTooDeepError("storages in storages without end") from error
    except _LIBRARY_ERRORS as error:
        raise DamagedFileError(
            f"the compound file can't be read: {type(error).__name__}"
        ) from error


class _Object:
    """A message, recipient or attachment: its properties, each none where it is broken."""

    def __init__(self, storage: Storage, header: int) -> None:
        self.storage = storage
        self._properties = Properties(storage, properties_header_offset=header)
        self._streams = {stream.name: stream.bytes_ for stream in storage.streams}
        self.codepage = self._integer(pid.PID_MESSAGE_CODEPAGE) or 1252

    def text(self, name: int) -> str:
        """A string property, read from its stream: a wrong character spoils no name."""
        unicode = self._streams.get(f"__substg1.0_{name:04X}{_UNICODE:04X}")
        if unicode is not None:
            return unicode.decode("utf-16-le", "replace").rstrip("\x00")
        narrow = self._streams.get(f"__substg1.0_{name:04X}{_STRING8:04X}")
        return text_of_codepage(narrow, self.codepage) if narrow is not None else ""

    def binary(self, name: int) -> bytes | None:
        return self._streams.get(f"__substg1.0_{name:04X}{_BINARY:04X}")

    def integer(self, name: int) -> int:
        return self._integer(name) or 0

    def time(self, name: int) -> dt.datetime | None:
        try:
            value = self._properties.date_prop_value(name)
        except _LIBRARY_ERRORS:
            return None
        return value if isinstance(value, dt.datetime) else None

    def _integer(self, name: int) -> int | None:
        try:
            value = self._properties.int_prop_value(name)
        except _LIBRARY_ERRORS:
            return None
        return value if isinstance(value, int) else None


class _Message(_Object):
    """A message in a storage of its own, at the root or attached to another."""

    def __init__(self, storage: Storage, header: int, limits: IngestSettings, depth: int) -> None:
        if depth > _MOST_NESTING:
            raise NestedTooDeepError("messages in messages without end")
        super().__init__(storage, header)
        self._limits = limits
        self._depth = depth

    def letter(self) -> Letter:
        letter = Letter(self._envelope())
        letter.texts.extend(self._texts())
        for storage in self.storage.iter_attachment_storages():
            self._attach(letter, _Object(storage, _OTHER_HEADER))
        return letter

    def _envelope(self) -> Envelope:
        """From the mail's own header where Outlook kept it, else from the properties."""
        headers = self.text(pid.PID_TRANSPORT_MESSAGE_HEADERS)
        message: Message = HeaderParser(policy=compat32).parsestr(headers[:1_000_000])
        told = envelope_of(message)
        sender = self.text(_SENDER_SMTP) or self.text(pid.PID_SENDER_EMAIL_ADDRESS)
        when = self.time(pid.PID_CLIENT_SUBMIT_TIME) or self.time(_DELIVERED)
        recipient = self.text(_TO)
        for storage in self.storage.iter_recipient_storages():
            each = _Object(storage, _OTHER_HEADER)
            address = each.text(_SMTP) or each.text(pid.PID_EMAIL_ADDRESS)
            if "@" in address:
                recipient = address
                break
        return told.over(
            envelope(
                {
                    "sender": sender if "@" in sender else "",
                    "sender_name": self.text(pid.PID_SENDER_NAME),
                    "recipient": recipient,
                    "subject": self.text(pid.PID_SUBJECT),
                    "message_id": self.text(_MESSAGE_ID).strip("<> "),
                },
                when,
            )
        )

    def _texts(self) -> list[Text]:
        """The body in the form that keeps the most: HTML, then plain text, then RTF.

        Plain text before RTF: that of Outlook wraps HTML in RTF and loses more on the way back.
        """
        data = self.binary(pid.PID_HTML)
        if data is not None and data.strip(b"\x00 \r\n"):
            codepage = self.integer(pid.PID_INTERNET_CODEPAGE) or self.codepage
            codec = "utf-8" if codepage == 65001 else codec_of(f"cp{codepage}")
            return [Text(HTML, decoded(data.rstrip(b"\x00"), codec))]
        if html := self.text(pid.PID_BODY_HTML):
            return [Text(HTML, html)]
        plain = self.text(pid.PID_BODY)
        if plain.strip():
            return [Text(TEXT, plain)]
        data = self.binary(_RTF)
        if data:
            rtf = rtf_of(data)
            if rtf is None:
                raise DamagedFileError("the compressed RTF text is broken")
            return [Text(RTF, rtf)]
        return []

    def _attach(self, letter: Letter, attached: _Object) -> None:
        name = next(
            filter(
                None, map(attached.text, (pid.PID_ATTACH_LONG_FILENAME, _SHORT_NAME, _DISPLAY_NAME))
            ),
            "attachment",
        )
        inner = next(
            (s for s in attached.storage.storages if s.name == f"__substg1.0_3701{_OBJECT:04X}"),
            None,
        )
        if inner is not None:
            self._attach_object(letter, name, inner)
            return
        data = attached.binary(pid.PID_ATTACH_DATA_BINARY)
        if data is None:
            letter.left_out.append((name, "it is not in the message but kept elsewhere"))
            return
        if name.lower() == "smime.p7m" or self.text(_CLASS).startswith("IPM.Note.SMIME"):
            self._take_signed(letter, name, data)
            return
        cid = attached.text(_CONTENT_ID).strip("<> ")
        letter.attachments.append(
            Attachment(
                name=name,
                read=lambda: data,
                media_type=attached.text(pid.PID_ATTACH_MIME_TAG).lower(),
                shown_as=(f"cid:{cid}",) if cid else (),
                inline=bool(attached.integer(_FLAGS) & _SHOWN_IN_TEXT)
                or bool(attached.integer(_HIDDEN) & 0xFF),
            )
        )

    def _attach_object(self, letter: Letter, name: str, inner: Storage) -> None:
        """An attached message becomes a mail of its own; other objects are pictures of files."""
        if any(stream.name == _PROPERTIES for stream in inner.streams):
            message = _Message(inner, _EMBEDDED_HEADER, self._limits, self._depth + 1)
            content = _as_mail(message.letter())
            letter.attachments.append(Attachment(name=name, read=lambda: content, known=MAIL))
        else:
            letter.left_out.append((name, "an object drawn into the text by another program"))

    def _take_signed(self, letter: Letter, name: str, data: bytes) -> None:
        """A signed message: Outlook keeps the whole MIME part in one attachment."""
        head = (
            b""
            if data[:1] != b"\x30"
            else (
                b"Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: binary\r\n\r\n"
            )
        )
        try:
            inner = letter_of_mail(head + data, self._limits)
        except EncryptedFileError:
            raise
        except InputError:
            letter.attachments.append(Attachment(name=name, read=lambda: data))
            return
        if not plain_text(letter.texts).strip():
            letter.texts.extend(inner.texts)
        letter.attachments.extend(inner.attachments)
        letter.left_out.extend(inner.left_out)


def _as_mail(letter: Letter) -> bytes:
    """A letter as a MIME message, so that it can be opened like any attached mail.

    Written field by field, 8-bit and binary: the same letter always gives the same bytes.
    """
    told = letter.envelope
    pieces = [_mime_text(text) for text in letter.texts]
    pieces.extend(_mime_attachment(each) for each in letter.attachments)
    boundary = f"=_{sha256(b''.join(pieces)).hexdigest()[:40]}"
    fields = (
        ("From", _mailbox(told)),
        ("To", told.recipient),
        ("Subject", _encoded(told.subject)),
        ("Message-ID", f"<{told.message_id}>" if told.message_id else None),
        ("Date", format_datetime(told.sent_at) if told.sent_at else None),
        ("MIME-Version", "1.0"),
        ("Content-Type", f'multipart/mixed; boundary="{boundary}"'),
    )
    head = "".join(f"{name}: {value}\r\n" for name, value in fields if value).encode()
    mark = f"\r\n--{boundary}".encode()
    body = b"".join(mark + b"\r\n" + piece for piece in pieces)
    return head + body + mark + b"--\r\n"


def _mailbox(told: Envelope) -> str:
    name = _encoded(told.sender_name)
    return f"{name} <{told.sender}>".lstrip() if told.sender else name


def _mime_text(text: Text) -> bytes:
    charset = "iso-8859-1" if text.kind == RTF else "utf-8"
    packed = base64.encodebytes(text.content.encode(charset, "replace"))
    head = f"Content-Type: {text.kind}; charset={charset}\r\n"
    return head.encode() + b"Content-Transfer-Encoding: base64\r\n\r\n" + packed


def _mime_attachment(attached: Attachment) -> bytes:
    name = _encoded(attached.name).replace('"', "'")
    kind = attached.known or attached.media_type
    if kind == MAIL:
        return (
            f'Content-Type: {MAIL}\r\nContent-Disposition: attachment; filename="{name}"\r\n\r\n'
        ).encode() + attached.read()
    if not re.fullmatch(r"[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,60}", kind):
        kind = "application/octet-stream"
    if kind.startswith(("multipart/", "message/")):
        kind = "application/octet-stream"  # nothing that would be walked into
    shown_as = next((each.removeprefix("cid:") for each in attached.shown_as), "")
    fields = (
        ("Content-Type", kind),
        (
            "Content-Disposition",
            f'{"inline" if attached.inline else "attachment"}; filename="{name}"',
        ),
        ("Content-ID", f"<{_encoded(shown_as)}>" if shown_as else None),
        ("Content-Transfer-Encoding", "base64"),
    )
    head = "".join(f"{name}: {value}\r\n" for name, value in fields if value).encode()
    return head + b"\r\n" + base64.encodebytes(attached.read())


def _encoded(text: str | None) -> str:
    """A foreign text for a header: as it is where it is plain ASCII, else an encoded word."""
    shown = printable(text or "", MOST_ENVELOPE_CHARACTERS)
    if re.fullmatch(r"[\w .@+-]*", shown, re.ASCII):
        return shown
    return f"=?utf-8?b?{base64.b64encode(shown.encode('utf-8', 'replace')).decode()}?="
