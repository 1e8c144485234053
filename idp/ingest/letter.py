# SPDX-License-Identifier: Apache-2.0
"""A message of whatever format, and the one policy of what in it is a document.

RFC 5322 mail, Outlook files and TNEF are read into a :class:`Letter`; :func:`opened_letter` says
what becomes of it:

- An attachment is a member, numbered from 1 in the order in which it stands, with the letter's
  envelope.
- Business cards, calendar entries, signatures and machine-readable reports are left out, and so
  are pictures that the text shows and that are too small for a page
  (:mod:`idp.ingest.pictures`).
- The text is a document of its own, named ``message text``, when nothing else in the letter is one,
  or when it holds at least :data:`LEAST_WORDS` words or :data:`LEAST_LABELLED` labelled values
  ("Member ID: 123") of its own, after quoted replies, signature and disclaimer are taken away
  (:mod:`idp.ingest.letter_words`). A covering note ("please find attached") is left out, and so is
  what a fax server or scanner says of the transmission, however long.

A text that is read in vain costs a person a glance; one that is not read may lose a referral. So
whoever writes more than a covering note is read. In 60 mails with attachments of two public test
collections covering notes had up to 36 words of their own and texts with content at least 40.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from idp.document import Envelope
from idp.errors import (
    DamagedFileError,
    EncryptedFileError,
    TooLargeError,
    UnsupportedFileError,
)
from idp.ingest.formats import HEAD_BYTES, media_type_of
from idp.ingest.letter_words import is_machine_note, own_words
from idp.ingest.members import Members, member_name, picture_size
from idp.ingest.open_text import (
    MOST_TEXT_BYTES,
    Picture,
    add_pictures,
    pictures_of_html,
    pictures_of_rtf,
    text_of_html,
    text_of_rtf,
)
from idp.ingest.opened import HTML, RTF, TEXT, Opened
from idp.ingest.pictures import why_decoration
from idp.settings import IngestSettings

MESSAGE_TEXT = "message text"
LEAST_WORDS = 40
LEAST_LABELLED = 3

_NO_DOCUMENTS: dict[str, str] = {
    "text/vcard": "a business card",
    "text/x-vcard": "a business card",
    "text/directory": "a business card",
    "text/calendar": "a calendar entry",
    "application/ics": "a calendar entry",
    "application/pkcs7-signature": "a signature",
    "application/x-pkcs7-signature": "a signature",
    "application/pgp-signature": "a signature",
    "application/pgp-keys": "a public key",
    "message/delivery-status": "a delivery report for machines",
    "message/global-delivery-status": "a delivery report for machines",
    "message/disposition-notification": "a receipt for machines",
    "message/global-disposition-notification": "a receipt for machines",
    "message/feedback-report": "a complaint report for machines",
    "text/rfc822-headers": "the headers of a returned message",
    "message/global-headers": "the headers of a returned message",
}
_NO_DOCUMENT_NAMES: dict[str, str] = {
    ".vcf": "a business card",
    ".ics": "a calendar entry",
    ".p7s": "a signature",
    ".sig": "a signature",
}
_NO_DOCUMENT_HEADS: dict[bytes, str] = {
    b"BEGIN:VCARD": "a business card",
    b"BEGIN:VCALENDAR": "a calendar entry",
    b"-----BEGIN PGP SIGNATURE": "a signature",
    b"-----BEGIN PGP PUBLIC KEY": "a public key",
}
_UU_BEGIN = re.compile(r"^begin [0-7]{3,4} (\S[^\r\n]{0,200}?)[ \t]*\r?\n")
_MOST_UUENCODED = 50
_PGP_MESSAGE = "-----BEGIN PGP MESSAGE-----"


@dataclass(frozen=True)
class Text:
    """A piece of a message's text as it is shown: plain, HTML, or RTF in Latin-1."""

    kind: str
    content: str


@dataclass(frozen=True)
class Attachment:
    """Something attached; ``read`` decodes it when it is asked for.

    ``shown_as`` holds what the text may show it by (a Content-ID); ``inline`` is set where the
    format says that it belongs to the text. ``known`` is its media type where the letter's format
    knows better than the bytes can tell.
    """

    name: str
    read: Callable[[], bytes]
    media_type: str = ""
    shown_as: tuple[str, ...] = ()
    inline: bool = False
    known: str | None = None


@dataclass
class Letter:
    """A message: how it came, its text in pieces, and what is attached."""

    envelope: Envelope
    texts: list[Text] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    flaws: list[str] = field(default_factory=list)


@dataclass
class _Shown:
    """A letter's text in one piece, ready to be written, and what stood inside it."""

    words: str
    content: bytes
    media_type: str
    markup: str
    pictures: list[Picture]
    uuencoded: list[Attachment]


def opened_letter(letter: Letter, workspace: Path, limits: IngestSettings) -> Opened:
    """What of a letter is to be read.

    Raises:
        EncryptedFileError: the text is an encrypted message and nothing else is there.
        TooLargeError: more attachments or bytes than the limits allow.
    """
    members = Members(workspace, limits)
    shown = _shown(letter.texts)
    for name, reason in letter.left_out:
        members.leave_out(name, reason)
    attachments = (*letter.attachments, *shown.uuencoded)
    # A letter of nothing but a picture: however small, it is what was sent.
    alone = len(attachments) == 1 and not shown.words.strip() and not shown.pictures
    documents = number = 0
    for attachment in attachments:
        data = attachment.read()
        why = _why_left_out(attachment, data, None if alone else shown.markup)
        if why is not None:
            members.leave_out(attachment.name or attachment.media_type, why)
            continue
        number += 1
        envelope = letter.envelope.model_copy(update={"attachment": number})
        members.add(attachment.name, data, media_type=attachment.known, envelope=envelope)
        documents += attachment.known is not None or _is_readable(data)
    before = len(members)
    add_pictures(shown.pictures, members)
    documents += len(members) - before
    _add_text(letter, shown, members, documents)
    return members.opened(letter.flaws)


def plain_text(texts: Iterable[Text]) -> str:
    """The words of a message's text, pieces one below the other."""
    return _shown(texts).words


def _add_text(letter: Letter, shown: _Shown, members: Members, documents: int) -> None:
    if not shown.words.strip():
        if not members.members:
            members.leave_out(MESSAGE_TEXT, "empty")
        return
    if shown.words.lstrip().startswith(_PGP_MESSAGE) and not documents:
        raise EncryptedFileError("the message is encrypted (OpenPGP)")
    if documents:
        own = own_words(shown.words, letter.envelope.subject or "")
        if own.labelled < LEAST_LABELLED and is_machine_note(shown.words):
            members.leave_out(MESSAGE_TEXT, "a fax server's or scanner's notice")
            return
        if own.words < LEAST_WORDS and own.labelled < LEAST_LABELLED:
            members.leave_out(
                MESSAGE_TEXT, f"a covering note of {own.words} words beside the attachments"
            )
            return
    members.add(
        MESSAGE_TEXT,
        shown.content,
        media_type=shown.media_type,
        envelope=letter.envelope,
        message_text=True,
    )


def _why_left_out(attachment: Attachment, data: bytes, markup: str | None) -> str | None:
    """Why an attachment is no document; none where it is to be opened.

    Without ``markup`` there is no text that could show it.
    """
    if attachment.known is not None:
        return None
    if reason := _NO_DOCUMENTS.get(attachment.media_type):
        return reason
    if reason := _NO_DOCUMENT_NAMES.get(Path(member_name(attachment.name)).suffix.lower()):
        return reason
    head = data[:64].lstrip(b"\xef\xbb\xbf\r\n\t ")
    for mark, reason in _NO_DOCUMENT_HEADS.items():
        if head.startswith(mark):
            return reason
    size = picture_size(data)
    if size is None:
        return None
    shown = markup is not None and (
        attachment.inline or any(each and each in markup for each in attachment.shown_as)
    )
    why = why_decoration(size, attached=not shown)
    return f"{why} in the message's text" if why and shown else why


def _is_readable(data: bytes) -> bool:
    try:
        media_type_of(data[:HEAD_BYTES])
    except UnsupportedFileError:
        return False
    return bool(data)


def _shown(texts: Iterable[Text]) -> _Shown:
    """Joins the pieces; one alone keeps its form, several become plain text.

    A piece that can't be read as what it says it is, is shown as it stands.
    """
    pieces: list[Text] = []
    pictures: list[Picture] = []
    uuencoded: list[Attachment] = []
    words: list[str] = []
    for text in texts:
        content = text.content
        if text.kind == HTML:
            content, found = pictures_of_html(content)
            pictures.extend(found)
        elif text.kind == RTF:
            rest, found = pictures_of_rtf(content.encode("latin-1", "replace"))
            content = rest.decode("latin-1")
            pictures.extend(found)
        else:
            content = _without_uuencoded(content, uuencoded)
        kind = text.kind
        try:
            plain = {HTML: text_of_html, RTF: _rtf_words}.get(kind, _as_it_is)(content)
        except DamagedFileError:
            kind, plain = TEXT, _as_it_is(content)
        if plain.strip():
            words.append(plain)
            pieces.append(Text(kind, content))
    markup = "\n".join(piece.content for piece in pieces if piece.kind == HTML)
    joined = "\n\n".join(words)
    if len(pieces) == 1:
        kind, content = pieces[0].kind, pieces[0].content
    else:
        kind, content = TEXT, joined
    if kind == RTF:
        written = content.encode("latin-1", "replace")
    else:
        written = ("\ufeff" + content).encode("utf-8", "replace")
    return _Shown(joined, written, kind, markup, pictures, uuencoded)


def _rtf_words(content: str) -> str:
    return text_of_rtf(content.encode("latin-1", "replace"))


def _as_it_is(content: str) -> str:
    if len(content) > MOST_TEXT_BYTES:
        raise TooLargeError(f"more than {MOST_TEXT_BYTES} bytes of text")
    return content


def _without_uuencoded(content: str, uuencoded: list[Attachment]) -> str:
    """The text without the uuencoded files in it, which become attachments as in mail programs."""
    if not re.search(r"^begin [0-7]", content, re.M):
        return content
    lines = content.splitlines(keepends=True)
    kept: list[str] = []
    number = 0
    while number < len(lines):
        begin = _UU_BEGIN.match(lines[number])
        block = _uu_block(lines, number + 1) if begin else None
        if begin is None or block is None or len(uuencoded) >= _MOST_UUENCODED:
            kept.append(lines[number])
            number += 1
            continue
        data, number = block
        uuencoded.append(_attached(begin.group(1), data))
    return "".join(kept)


def _attached(name: str, data: bytes) -> Attachment:
    return Attachment(name=name, read=lambda: data)


def _uu_block(lines: list[str], number: int) -> tuple[bytes, int] | None:
    """The file that begins at a line, and the line after its ``end``; none where it is no file."""
    content = bytearray()
    for place in range(number, len(lines)):
        line = lines[place].rstrip("\r\n")
        if line.rstrip() == "end":
            return bytes(content), place + 1
        if line.strip():
            try:
                content += _uu_line(line)
            except (binascii.Error, ValueError):
                return None
    return None


def _uu_line(line: str) -> bytes:
    raw = line.encode("ascii")
    try:
        return binascii.a2b_uu(raw)
    except binascii.Error:
        # Some encoders pad lines wrongly: only as many bytes as the line's own count says.
        wanted = (((raw[0] - 32) & 63) * 4 + 5) // 3
        return binascii.a2b_uu(raw[:wanted])
