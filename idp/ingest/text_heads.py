# SPDX-License-Identifier: Apache-2.0
"""Mail, mailboxes, HTML and plain text told by the beginning of a file.

None of them has a signature. A mail is a block of header fields as RFC 5322 writes them of which
some are those that mail programs write; a memo with "From:" and "To:" lines is a text.
"""

from __future__ import annotations

import codecs
import re
from unicodedata import category

_BOM = b"\xef\xbb\xbf"
_FIELD = re.compile(rb"^([!-9;-~]{1,76})[ \t]{0,4}:(.*)$", re.S)
_MBOX = re.compile(rb"^From [^\r\n]*\r?\n(?:>?From [^\r\n]*\r?\n)*(?=[!-9;-~]{1,76}[ \t]{0,4}:)")
_HTML = re.compile(
    rb"^(?:\s|<\?xml[^>]{0,200}\?>|<!--.{0,2000}?-->)*"
    rb"<(?:!doctype\s+(?:html|netscape)|html|head|body|meta|table|div|title)\b",
    re.I | re.S,
)
# Raw data, not pages: to set them as text would show a person what nobody sends to be read.
_DATA = re.compile(rb"^\s*(?:<\?xml\b|<[A-Za-z:]+[\s>]|[{\[]\s*[\"{\[]|%!PS|ISA[^A-Za-z0-9\s])")

# What mail servers and programs write, and people do not.
_TRANSPORT = frozenset(
    b"received return-path delivered-to message-id mime-version content-type "
    b"content-transfer-encoding x-mailer x-originating-ip dkim-signature authentication-results "
    b"arc-seal in-reply-to references resent-from resent-date list-id user-agent "
    b"x-received x-gmail-received x-original-to".split()
)
_PEOPLE = frozenset(b"from to cc bcc date subject sender reply-to".split())
_MAILBOX = re.compile(rb"[^\s@]+@[^\s@]+")
_ENCODED_WORD = re.compile(rb"=\?[A-Za-z0-9_-]{2,30}\?[bqBQ]\?[^\s?]*\?=")
_LINES_OF_DATA = re.compile(rb"(?:[A-Za-z0-9+/=_-]{40,}\s+){8}")
_LEAST_SHARE = 0.8
_LEAST_PRINTABLE, _LEAST_SPELT, _LEAST_LETTERS = 0.97, 0.5, 4
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\x1b")) + b"\x7f"


def is_mbox(head: bytes) -> bool:
    """A ``From `` line and a header field below it."""
    return _MBOX.match(head.removeprefix(_BOM).lstrip()) is not None


def is_mail(head: bytes) -> bool:
    """Whether the file begins with the header of a message.

    At least eight of ten lines are fields or go on with one, and among them is one that only mail
    programs write, or a sender with a mail address beside another field of a mail.
    """
    text = head.removeprefix(_BOM).lstrip(b"\r\n")
    whole = len(head) < 4096
    block = re.split(rb"\r?\n\r?\n", text, maxsplit=1)
    lines = re.split(rb"\r?\n", block[0])
    if len(block) == 1 and not whole:
        lines = lines[:-1]  # the head ends in the middle of it
    lines = [line for line in lines if line]
    if not lines or _FIELD.match(lines[0]) is None or _HTML.match(text):
        return False
    names: list[bytes] = []
    sound = 0
    mailbox = False
    for line in lines:
        field = _FIELD.match(line)
        if line[:1] in b" \t":
            sound += 1
        elif field is not None:
            name = field.group(1).strip().lower()
            names.append(name)
            sound += 1
            mailbox = mailbox or (
                name in (b"from", b"sender", b"to") and _MAILBOX.search(field.group(2)) is not None
            )
    if sound < _LEAST_SHARE * len(lines):
        return False
    known = set(names)
    if known & _TRANSPORT or (known & _PEOPLE and _ENCODED_WORD.search(block[0])):
        return True
    of_people = known & _PEOPLE
    strangers = sum(not (n in _PEOPLE or n.startswith(b"x-")) for n in names)
    return mailbox and len(of_people) >= 2 and strangers <= len(of_people)


def is_html(head: bytes) -> bool:
    """An HTML document or a piece of one, XHTML included."""
    text = head.removeprefix(_BOM)
    return _HTML.match(text) is not None or (
        text.lstrip().startswith(b"<?xml") and b"<html" in text.lower()
    )


def is_text(head: bytes) -> bool:
    """Text for people: almost no control characters, and no markup or data of machines (base64)."""
    for mark, codec in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if head.startswith(mark):
            even = head[2 : 2 + (len(head) - 2) // 2 * 2]
            words = even.decode(codec, "ignore")
            return bool(words.strip()) and all(c.isprintable() or c in "\t\r\n\f" for c in words)
    text = head.removeprefix(_BOM)
    if not text.strip() or _DATA.match(text) or _LINES_OF_DATA.match(text):
        return False
    if len(text.translate(None, _CONTROLS)) < len(text):
        return False
    try:
        words = codecs.getincrementaldecoder("utf-8")().decode(text)
    except UnicodeDecodeError:
        words = text.decode("cp1252", "replace")
    seen = sum(c.isprintable() or c in "\t\r\n\f" or category(c) == "Cf" for c in words)
    spelt = sum(c.isalnum() or c.isspace() for c in words)
    return (
        seen >= _LEAST_PRINTABLE * len(words)
        and spelt >= _LEAST_SPELT * len(words)
        # The first bytes of a fax that was cut off at once are letters too ("II*").
        and sum(c.isalpha() for c in words) >= _LEAST_LETTERS
    )
