# SPDX-License-Identifier: Apache-2.0
"""Header fields of a message as text, and the envelope they make.

Fields are decoded here and not by the structured parser of :mod:`email.policy`: that one raises on
fields that break RFC 5322 in ways of their own, and what comes by mail does.
"""

from __future__ import annotations

import datetime as dt
import email.utils
import re
from collections.abc import Mapping
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message

from idp.document import MOST_ENVELOPE_CHARACTERS, Envelope
from idp.ingest.charsets import decoded
from idp.ingest.opened import printable

MOST_FIELD_CHARACTERS = 10_000
"""How much of a header field is looked at."""

_BROKEN = (
    ValueError, LookupError, TypeError, AttributeError, IndexError, HeaderParseError,
    RecursionError,
)  # fmt: skip
_ADDRESS = re.compile(r"[^\s<>\"(),;:]+@[^\s<>\"(),;:]+")


def field_text(message: Message, name: str) -> str:
    """A field's text, encoded words decoded; empty where there is none."""
    try:
        value = message.get(name)
    except _BROKEN:
        return ""
    return "" if value is None else words_of(str(value))


def words_of(raw: str) -> str:
    """A field's raw text with its encoded words (RFC 2047) decoded, on one line."""
    raw = unescaped(raw[:MOST_FIELD_CHARACTERS]).replace("\r", "").replace("\n", " ")
    try:
        pieces = decode_header(raw)
    except _BROKEN:
        return raw
    text = ""
    for piece, charset in pieces:
        text += piece if isinstance(piece, str) else decoded(piece, charset)
    return text


def envelope_of(message: Message) -> Envelope:
    """Who sent a message to whom, about what and when, as its header says."""
    name, sender = "", ""
    for each in ("From", "Sender", "Reply-To", "Return-Path"):
        name, sender = _first_address(message, each)
        if sender or name:
            break
    recipient = ""
    for each in ("To", "Delivered-To", "X-Original-To", "Cc"):
        recipient = _first_address(message, each)[1]
        if recipient:
            break
    return envelope(
        {
            "sender": sender,
            "sender_name": name,
            "recipient": recipient,
            "subject": field_text(message, "Subject"),
            "message_id": field_text(message, "Message-ID").strip().strip("<>"),
        },
        sent_at(field_text(message, "Date")),
    )


def envelope(texts: Mapping[str, str], when: dt.datetime | None) -> Envelope:
    """An envelope of a message's foreign texts: cleaned, cut, and none where nothing is left."""
    cleaned = {
        name: printable(text, MOST_ENVELOPE_CHARACTERS) or None for name, text in texts.items()
    }
    return Envelope.model_validate({**cleaned, "sent_at": when, "told_by": ("mail",)})


def unescaped(raw: str) -> str:
    """Bytes beyond ASCII in a header: UTF-8 (RFC 6532), else Windows-1252."""
    return raw if raw.isascii() else decoded(raw.encode("utf-8", "surrogateescape"))


def sent_at(date: str) -> dt.datetime | None:
    """A Date field (RFC 5322, 3.3) as an aware time; none where it makes no sense.

    The zone ``-0000`` means UTC from a sender that does not tell its own zone.
    """
    try:
        when = email.utils.parsedate_to_datetime(date[:200])
        if when.tzinfo is None:
            return when.replace(tzinfo=dt.UTC) if "-0000" in date else None
        when.astimezone(dt.UTC)  # near year 1 or 9999 there is no such time
    except (*_BROKEN, OverflowError):
        return None
    return when


def _first_address(message: Message, name: str) -> tuple[str, str]:
    """Name and address of a field's first mailbox; the address is empty where it has none."""
    try:
        raw = message.get(name)
    except _BROKEN:
        return "", ""
    if raw is None:
        return "", ""
    text = unescaped(str(raw)[:MOST_FIELD_CHARACTERS])
    try:
        # The structure is that of the raw text: a decoded name may hold commas and brackets.
        found = email.utils.getaddresses([text])
    except _BROKEN:
        found = []
    for shown, address in found:
        if _ADDRESS.fullmatch(address):
            return words_of(shown), words_of(address)
    plain = words_of(text)
    match = _ADDRESS.search(plain)
    if match is None:
        return plain.strip(" <>\"'"), ""
    return plain[: match.start()].strip(" <>\"'"), match.group()
