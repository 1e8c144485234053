# SPDX-License-Identifier: Apache-2.0
"""A message of RFC 5322 and MIME (``.eml``, a Maildir file) to a letter.

Parsed by the standard library under its ``compat32`` policy, the one that keeps going: it records
what is broken as a defect where the newer policies raise while a header is looked at. Only bytes
beyond ASCII in headers are taken for the text that they are, where it would show question marks.
"""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from email.errors import (
    CloseBoundaryNotFoundDefect,
    MessageError,
    StartBoundaryNotFoundDefect,
)
from email.message import Message
from email.parser import BytesParser
from email.policy import Compat32
from pathlib import Path

from idp.errors import (
    DamagedFileError,
    EmptyMessageError,
    EncryptedFileError,
    InputError,
    NestedTooDeepError,
    PartialMessageError,
    TooLargeError,
)
from idp.ingest.charsets import charset_of_html, decoded
from idp.ingest.letter import Attachment, Letter, Text, opened_letter, plain_text
from idp.ingest.mail_headers import (
    MOST_FIELD_CHARACTERS,
    envelope_of,
    field_text,
    unescaped,
    words_of,
)
from idp.ingest.members import member_name
from idp.ingest.open_tnef import letter_of_tnef
from idp.ingest.opened import HTML, MAIL, PKCS7, RTF, TEXT, TNEF, Opened
from idp.ingest.pkcs7 import content_of
from idp.settings import IngestSettings


class _Policy(Compat32):
    """``compat32``, with headers of UTF-8 (RFC 6532) or Windows-1252 as text.

    A field is looked at up to a length, since the library's time grows with its square. A message
    is written with its headers as they came: folding them anew fails on broken ones.
    """

    def header_fetch_parse(self, name: str, value: str) -> str:
        """The field's text."""
        del name
        return unescaped(value[:MOST_FIELD_CHARACTERS])

    def fold(self, name: str, value: str) -> str:
        """The field as it came."""
        return f"{name}: {value}{self.linesep}"

    def fold_binary(self, name: str, value: str) -> bytes:
        """The field as it came."""
        return self.fold(name, value).encode("utf-8", "surrogateescape")


POLICY = _Policy()
_MOST_NESTING = 40
_MOST_PIECES = 20_000
_BROKEN = (
    ValueError, LookupError, TypeError, AttributeError, IndexError, AssertionError, MessageError,
)  # fmt: skip
_TEXT_KINDS = {
    "text/plain": TEXT,
    "text/html": HTML,
    "text/enriched": HTML,
    "text/richtext": HTML,
    "application/xhtml+xml": HTML,
    "application/rtf": RTF,
    "text/rtf": RTF,
}
_PKCS7_TYPES = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_TNEF_TYPES = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})
_DER_SEQUENCE = b"\x30"
_TNEF_SIGNATURE = b"\x78\x9f\x3e\x22"
# What Exchange calls the text that stands below an attachment.
_SPLIT_TEXT = re.compile(r"ATT\d{5}\.(?:txt|html?)", re.I)
_NESTED = frozenset({"message/rfc822", "message/global", "message/news"})
_HTML_SHARE = 0.5
_EXTENSIONS = {
    "application/pdf": ".pdf",
    "image/tiff": ".tif",
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/gif": ".gif",
}


def open_mail(path: Path, workspace: Path, limits: IngestSettings) -> Opened:
    """The attachments of a message and, where it holds the content, its text.

    Raises:
        EncryptedFileError: S/MIME or OpenPGP, and nothing of it can be read.
        PartialMessageError: one piece of a message sent in pieces.
        NestedTooDeepError: MIME parts in MIME parts without end.
        DamagedFileError: nothing can be made of it.
        TooLargeError: more attachments or bytes than the limits allow.
    """
    return opened_letter(letter_of_mail(path.read_bytes(), limits), workspace, limits)


def letter_of_mail(data: bytes, limits: IngestSettings) -> Letter:
    """A message as a letter; raises as :func:`open_mail` does."""
    message = parsed(data)
    letter = Letter(envelope_of(message))
    walk = _Walk(letter, limits)
    try:
        walk.part(message, 0)
    except RecursionError as error:
        raise NestedTooDeepError("MIME parts in MIME parts without end") from error
    if walk.encrypted and not (letter.texts or letter.attachments):
        raise EncryptedFileError(
            f"the message is encrypted ({walk.encrypted})",
            hint="Open it where the key is and forward its content, or ask for it unencrypted.",
        )
    if walk.encrypted:
        letter.left_out.append(("encrypted part", f"it needs a key ({walk.encrypted})"))
    if walk.cut_off:
        letter.flaws.append("the message ends before its last part does: it may be cut off")
    return letter


def parsed(data: bytes) -> Message:
    """The message's tree of parts, as far as it can be made out.

    Raises:
        NestedTooDeepError: parts in parts without end.
    """
    data = data.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
    # What a mailbox puts before each message, once more quoted by some programs.
    while re.match(rb">?From ", data):
        data = data.partition(b"\n")[2]
    try:
        message: Message = BytesParser(policy=POLICY).parsebytes(data)
    except RecursionError as error:
        raise NestedTooDeepError("MIME parts in MIME parts without end") from error
    except _BROKEN as error:
        raise DamagedFileError(f"no message: {type(error).__name__}") from error
    return message


class _Walk:
    """All parts of a message, in the order in which they stand."""

    def __init__(self, letter: Letter, limits: IngestSettings) -> None:
        self._letter = letter
        self._limits = limits
        self._pieces = 0
        self.encrypted = ""
        self.cut_off = False

    def part(self, part: Message, depth: int, *, related: bool = False) -> None:
        """Sorts a part and what is in it; ``related`` parts belong to the text before them."""
        self._pieces += 1
        if depth > _MOST_NESTING:
            raise NestedTooDeepError(f"MIME parts nested deeper than {_MOST_NESTING}")
        if self._pieces > _MOST_PIECES:
            raise TooLargeError(f"more than {_MOST_PIECES} MIME parts")
        kind = _kind(part)
        if kind == "message/partial":
            raise PartialMessageError("one piece of a message sent in pieces")
        if kind.startswith("multipart/"):
            self._multipart(part, kind, depth, related=related)
        elif kind in _NESTED:
            self._nested(part)
        elif kind in _PKCS7_TYPES:
            self._wrapped(part, depth)
        elif _is_text(part, kind):
            self._text(part, _TEXT_KINDS[kind])
        else:
            self._attachment(part, kind, related=related)

    def _multipart(self, part: Message, kind: str, depth: int, *, related: bool) -> None:
        parts = _parts(part)
        self.cut_off = self.cut_off or any(
            isinstance(each, CloseBoundaryNotFoundDefect) for each in part.defects
        )
        if parts is None:
            # No boundary is found in it: what stands there is all there is, as readers show it.
            lost = any(isinstance(each, StartBoundaryNotFoundDefect) for each in part.defects)
            self.cut_off = self.cut_off or lost
            self._text(part, TEXT)
            return
        if kind == "multipart/encrypted":
            self.encrypted = "OpenPGP"
        elif kind == "multipart/alternative":
            self._alternatives(parts, depth)
        elif kind == "multipart/report":
            self._report(part, parts, depth)
        elif kind == "multipart/related":
            for number, each in enumerate(parts):
                self.part(each, depth + 1, related=related or number > 0)
        else:
            for each in parts:
                self.part(each, depth + 1, related=related)

    def _alternatives(self, parts: list[Message], depth: int) -> None:
        """The text of the best alternative, and what is attached to any of them.

        HTML is the best where it says about as much as the plain text: it keeps the tables.
        """
        mine = self._letter
        best: list[Text] = []
        best_length = 0
        for each in parts:
            self._letter = Letter(mine.envelope)
            try:
                self.part(each, depth + 1)
            finally:
                found, self._letter = self._letter, mine
            mine.attachments.extend(found.attachments)
            mine.left_out.extend(found.left_out)
            length = len("".join(plain_text(found.texts).split()))
            markup = any(text.kind != TEXT for text in found.texts)
            if length > best_length or (markup and length > _HTML_SHARE * best_length):
                best, best_length = found.texts, length
        mine.texts.extend(best)

    def _report(self, report: Message, parts: list[Message], depth: int) -> None:
        """A delivery report (RFC 6522): its words, not the returned message.

        What is returned was sent from here; it did not come in with this mail.
        """
        preamble = (report.preamble or "").strip()
        if preamble and not any(_is_text(each, _kind(each)) for each in parts):
            self._letter.texts.append(Text(TEXT, unescaped(preamble)))
        for number, each in enumerate(parts):
            if number and _kind(each) in _NESTED:
                self._letter.left_out.append(
                    (_name(each) or "returned message", "a copy of the mail that the report is on")
                )
            elif not self._letter.texts and _kind(each) == "message/delivery-status":
                # No words for people: then those for machines are all that can be shown.
                self._letter.texts.append(Text(TEXT, unescaped(_source_of(each))))
            else:
                self.part(each, depth + 1)

    def _nested(self, part: Message) -> None:
        """An attached message is opened in its turn, with an envelope of its own."""
        name = _name(part)
        inner = _parts(part)
        if not name and inner:
            name = field_text(inner[0], "Subject")
        self._letter.attachments.append(
            Attachment(
                name=name or "attached message", read=lambda: _bytes_of_nested(part), known=MAIL
            )
        )

    def _wrapped(self, part: Message, depth: int) -> None:
        """S/MIME around the content (RFC 8551, 3.5): taken off where no key is needed."""
        data = _content(part)
        if not data.startswith(_DER_SEQUENCE):
            self._attachment(part, "application/octet-stream", related=False)
            return
        try:
            inner = parsed(content_of(data, self._limits))
        except EncryptedFileError:
            self.encrypted = "S/MIME"
        except EmptyMessageError as error:
            self._letter.left_out.append((_name(part) or "smime.p7m", error.message))
        except InputError:
            name = _name(part) or "smime.p7m"
            self._letter.attachments.append(Attachment(name=name, read=lambda: data, known=PKCS7))
        else:
            self.part(inner, depth + 1)

    def _text(self, part: Message, kind: str) -> None:
        data = _content(part)
        charset = _parameter(part, "charset")
        if charset is None and kind == HTML:
            charset = charset_of_html(data)
        text = data.decode("latin-1") if kind == RTF else decoded(data, charset)
        if kind == TEXT and (_parameter(part, "format") or "").lower() == "flowed":
            text = _unflowed(text, delete=(_parameter(part, "delsp") or "").lower() == "yes")
        self._letter.texts.append(Text(kind, text))

    def _attachment(self, part: Message, kind: str, *, related: bool) -> None:
        name = _name(part)
        if kind == "message/external-body":
            self._letter.left_out.append(
                (name or "attachment", "it is not in the mail but kept elsewhere")
            )
            return
        if kind == "application/applefile":
            self._letter.left_out.append((name or "attachment", "Macintosh file attributes"))
            return
        if (kind in _TNEF_TYPES or name.lower() == "winmail.dat") and self._tnef(part):
            return
        self._letter.attachments.append(
            Attachment(
                name=name or f"attachment{_EXTENSIONS.get(kind, '')}",
                read=lambda: _content(part),
                media_type=kind,
                shown_as=_shown_as(part),
                inline=related or _disposition(part) == "inline",
            )
        )

    def _tnef(self, part: Message) -> bool:
        """Takes Outlook's wrapper off; its text counts where the mail has none of its own.

        A wrapper that can't be read stays an attachment, which is then refused by itself.
        """
        data = _content(part)
        if not data.startswith(_TNEF_SIGNATURE):
            return False
        try:
            inner = letter_of_tnef(data, self._limits)
        except InputError:
            self._letter.attachments.append(
                Attachment(name=_name(part) or "winmail.dat", read=lambda: data, known=TNEF)
            )
            return True
        if not plain_text(self._letter.texts).strip():
            self._letter.texts.extend(inner.texts)
        self._letter.attachments.extend(inner.attachments)
        self._letter.left_out.extend(inner.left_out)
        if not (inner.attachments or inner.texts):
            self._letter.left_out.append((_name(part) or "winmail.dat", "Outlook's own data only"))
        return True


def _kind(part: Message) -> str:
    try:
        return part.get_content_type()
    except _BROKEN:
        return "application/octet-stream"


def _parts(part: Message) -> list[Message] | None:
    """The parts of a multipart or nested message; none where what is there is no such thing."""
    payload = part.get_payload()
    if not isinstance(payload, list):
        return None
    return [each for each in payload if isinstance(each, Message)]


def _source_of(part: Message) -> str:
    """A part as it stands, without its own header."""
    inner = _parts(part)
    if inner is None:
        payload = part.get_payload()
        return payload if isinstance(payload, str) else ""
    try:
        return "\n".join(each.as_string(policy=POLICY) for each in inner)
    except (*_BROKEN, RecursionError):
        return ""


def _disposition(part: Message) -> str:
    try:
        return (part.get_content_disposition() or "").strip()
    except _BROKEN:
        return ""


def _parameter(part: Message, name: str) -> str | None:
    try:
        value = part.get_param(name)
    except _BROKEN:
        return None
    if isinstance(value, tuple):  # RFC 2231: charset, language, value
        value = value[2]
    return str(value) if value is not None else None


def _name(part: Message) -> str:
    """The file name that a part gives itself, without any folder; empty where it gives none."""
    try:
        name = part.get_filename()
    except _BROKEN:
        name = None
    name = name or _parameter(part, "name") or ""
    return member_name(words_of(name)).rpartition("/")[2]


def _shown_as(part: Message) -> tuple[str, ...]:
    """By what an HTML text may refer to a part: its Content-ID, its Content-Location."""
    cid = field_text(part, "Content-ID").strip().strip("<>")
    location = field_text(part, "Content-Location").strip()
    return tuple(each for each in (f"cid:{cid}" if cid else "", location) if each)


def _is_text(part: Message, kind: str) -> bool:
    """Whether a part is shown as text, and is no file of its own."""
    if kind not in _TEXT_KINDS or part.is_multipart():
        return False
    if _SPLIT_TEXT.fullmatch(_name(part)):
        return True
    return _disposition(part) != "attachment" and not _name(part)


def _content(part: Message) -> bytes:
    """A part's bytes, its transfer encoding undone as far as it can be."""
    try:
        content = part.get_payload(decode=True)
    except _BROKEN:
        content = None
    if isinstance(content, bytes):
        return content
    try:
        payload = part.get_payload()
    except _BROKEN:
        return b""
    return payload.encode("utf-8", "surrogateescape") if isinstance(payload, str) else b""


def _bytes_of_nested(part: Message) -> bytes:
    """The bytes of an attached message.

    RFC 2046, 5.2.1 forbids a transfer encoding here; mailers use one all the same, and then what
    was parsed as a message is the encoded text.
    """
    inner = _parts(part)
    if not inner:
        return _content(part)
    first = inner[0]
    try:
        data = first.as_bytes(unixfrom=False, policy=POLICY.clone(mangle_from_=False))
    except (*_BROKEN, RecursionError):
        return _content(first)
    encoding = field_text(part, "Content-Transfer-Encoding").strip().lower()
    try:
        if encoding == "base64":
            return base64.b64decode(b"".join(data.split()), validate=True)
        if encoding == "quoted-printable" and not first.keys():
            return quopri.decodestring(data)
    except (binascii.Error, ValueError):
        pass  # not encoded after all
    return data


def _unflowed(text: str, *, delete: bool) -> str:
    """Paragraphs of ``format=flowed`` (RFC 3676) in one line each, to be wrapped on the page."""
    lines: list[str] = []
    joined = False
    for raw in text.splitlines():
        line = raw.removeprefix(" ")  # stuffed
        if joined and not line.startswith(">") and line != "-- ":
            lines[-1] += line
        else:
            lines.append(line)
        joined = line.endswith(" ") and line != "-- " and not line.startswith(">")
        if joined and delete:
            lines[-1] = lines[-1][:-1]
    return "\n".join(lines)
