# SPDX-License-Identifier: Apache-2.0
"""What a fax header line says: the text that machines print along the top edge (ITU-T T.30 TTI).

No standard lays down its form; every maker has its own. What all have in common is a clock, the
sender's number or name and a page count, and that no letter or form begins like that. A line is
taken for a header only where it has two of the three and the shape of a machine's; what an office
program prints at the top of a page ("Printed 1/14/2026 3:36 PM, page 1 of 3") is none.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import NamedTuple

from idp.values import Kind, parse
from idp.values.moments import find_moment
from idp.values.slips import AS_DIGIT

MOST_NAME_CHARACTERS = 100
_LONGEST_LINE = 260
_MOST_PAGES = 1999

_PAGE_OF_PAGES = re.compile(
    r"(?<![A-Z])p(?:a?g(?:e|es)?)?\s?[.,:;]?\s?[#@\[(]?\s?(\d{1,4})\s?(?:/|\||\bof\b|of(?=\d))\s?(\d{1,4})(?!\d)",
    re.I,
)
_RUN_TOGETHER = re.compile(r"(?<![A-Z])P\s?[.,:]\s?(?:(\d\d)1(\d\d)|(\d{3})1(\d{3}))(?!\d)")
_PAGE_ALONE = re.compile(
    r"(?<![A-Z])(?:p[.,:]\s?(\d{1,3})|p\s(\d{1,3})|pa?ge?\s?[.,:;#]?\s?(\d{1,3}))(?![\d/.:-])", re.I
)
_PADDED = re.compile(
    r"[@\[(F]?[.,]?(?<![\d/])(0\d{1,2}|\d{3})\s?/\s?(0\d{1,2}|\d{2,3})(?![\d/])[\])]?"
)
_TERSE = re.compile(r"(?<![A-Z])P\s?[.,:]?\s?\d|(?<!\d)0\d", re.I)
"""As machines count, "P.3" and "003/007"; forms print "Page 1 of 2" and "Page 1/2" as well."""


_NUMBER = re.compile(
    r"(?<![\w/.:#])(?:\+\s?\d[\d\s().-]{6,17}\d|"
    r"(?:1[\s.-]{0,2})?\(?\d{3}\)?[\s./-]{0,3}\d{3}[\s.-]{0,3}\d{4}|\d{7,15}|\d{3}[\s.-]\d{4})(?![\d/:])"
)

_LABEL = re.compile(
    r"(?<![A-Za-z])(?:"
    r"(?P<recipient>(?:sent\s)?t[o0]\s?[:;]|T[O0]\s(?=[\d(+])|DNIS\s?[:;]?|DID\s?[:;]?|[>\u2192]{1,2}|->|=>)|"
    r"(?P<sender>fr[o0]m(?:\s(?:fax|number|tel))?\s?[:;.-]?(?![A-Za-z])|(?:remote\s)?CS\s?[I1l]D\s?[:;]?|"
    r"ANI\s?[:;]|caller\s?id\s?[:;]?|sender\s?[:;]|station\s?(?:id)?\s?[:;])|"
    r"(?P<number>fax\s?(?:(?:no|number|num)\b\s?[.:;#]*|[.:;#]+|(?=\s?[\d(+]))|(?:tel|phone|ph)\s?[.:;#]*(?=\s?[\d(+])|"
    r"id\s?[:;=]|[\u260e\u2706])|"
    r"(?P<other>SVR\s?[:;]\s?\S+|duration\s?(?:\([^)]{0,12}\))?\s?[:;]?\s?[\d:-]*|T-\d{2,4}\b|"
    r"F-\d{2,4}\b|N[O0][.:]\s?\d{1,6}\b|job\s?(?:id|no)?\s?[.:#]*\s?\d*|"
    r"r(?:cvd|eceived|ec'd)(?:\sat|\son)?\s?[:;]?|sent(?:\sat|\son)?\s?[:;]|date(?:/time)?\s?[:;]|"
    r"time\s?[:;]|pages?\s?[:;]|fax\sserver))",
    re.I,
)
_LABELLED = re.compile(
    r"(?i:\bfr[o0]m\s?[:;]|\bt[o0]\s?[:;])|(?<![A-Z])FR[O0]M(?![A-Za-z])|\bCS[I1l]D\b|\bANI\s?:|\bDNIS\b|"
    r"\bSVR\b|\bRCVD\b|\bfax\s?(?:server|from)|\bT-\d{2,4}\b|\bstation\sid\b|>>|->|^From\b|"
    r"^RECEIVED\b|^Received:"
)
"""What only machines write; a form asks to send something to a number in other words."""

_FAX = re.compile(r"\bFAX\b|\bfax\s?(?:no|:)", re.I)
_STARTS = re.compile(r"\W*(?:\d|(?:mon|tue|wed|thu|fri|sat|sun)\b|[a-z]{3,4}[\s./-]{1,2}\d)", re.I)
_BEGINS = re.compile(r"(?:fr[o0]m|t[o0]|received)\s?[:;]", re.I)
_NO_HEADER = re.compile(
    r"\bprint(?:ed|\sdate|\son)\b|\bgenerated\b|\bdownloaded\b|\bd\.?o\.?b\b|\bdate\sof\sbirth\b|"
    r"\bbirth\s?date\b|\bmrn\b|\bnpi\b|https?:|\bwww\b|\.com/|\bas\sof\b|\bsigned\b|"
    r"\b(?:patient|member|subscriber|name|account|acct|claim|policy|visit|encounter|report|run|order|"
    r"invoice|service|appointment|appt|collected|admit|discharge|effective|due|check|provider|"
    r"authorization|reference|case|group|plan|form|rev)\s?(?:name|id|no|num|number|date|time|on)?"
    r"\s?[.]?\s?[:#]|\b(?:please|complete|return|submit|attach|request|submission)\b|"
    r"\bfax\s(?:this|to|completed|form|request|the|your|back|referrals?|orders?)\b",
    re.I,
)


class HeaderText(NamedTuple):
    """A line that is a fax header, and what it says."""

    sender: str | None
    sender_name: str | None
    recipient: str | None
    sent_at: dt.datetime | None
    page: int | None
    pages: int | None


def parse_header(line: str, *, strict: bool = False) -> HeaderText | None:
    """What ``line`` says if it is a fax header, else ``None``.

    Args:
        line: One printed line, or two joined by a blank.
        strict: Clock, number and page count must all be there.
    """
    if len(line) > _LONGEST_LINE or _NO_HEADER.search(line):
        return None
    text = _mended(" ".join(line.split()))
    labelled = _LABELLED.search(text) is not None
    machine = labelled or _FAX.search(text) is not None
    moment, rest = find_moment(text)
    page, pages, terse, rest = _page_count(rest, dated=moment.date is not None)
    sender, name, recipient = _parties(rest)
    clock = moment.time is not None
    dated = moment.date is not None
    numbered = _NUMBER.search(rest) is not None
    counted = page is not None
    if (clock or dated) + numbered + counted < 2 and not (clock and dated and machine and name):
        return None
    if strict and not (clock and counted and (numbered or machine)):
        return None
    begins = _STARTS.match(text) is not None
    shaped = (
        (clock and labelled)
        or (clock and counted and (numbered or terse or machine))
        or (clock and dated and numbered and begins)
        or (terse and numbered)
        or (terse and machine and dated)
        or (labelled and numbered and dated and pages is not None)
    )
    if not shaped:
        return None
    return HeaderText(sender, name, recipient, moment.sent_at, page, pages)


def parse_wrapped(first: str, second: str) -> HeaderText | None:
    """What two lines say that a machine made of one, or ``None``.

    The first must begin like a header's ("From: ..."), or hold a piece of one where the second is
    none by itself: a line of the form above a header is not drawn into it.
    """
    if len(first) > _LONGEST_LINE or _NO_HEADER.search(first):
        return None
    text = _mended(" ".join(first.split()))
    moment, rest = find_moment(text)
    piece = (
        moment.time is not None
        or _NUMBER.search(rest)
        or (_LABELLED.search(text) or _FAX.search(text))
    )
    if not _BEGINS.match(text) and (not piece or parse_header(second) is not None):
        return None
    return parse_header(f"{first} {second}", strict=True)


def _mended(text: str) -> str:
    """Misread digits repaired where only a digit can stand: ``P.O1/O3``, ``C8:41``, ``2O26``."""
    mended = re.sub(r"[0-9A-Za-z|!]+", lambda found: _digits(text, found), text)
    return re.sub(r"(?<=\d)\s?[:;]\s?(?=\d\d(?!\d))", ":", mended)


def _digits(text: str, found: re.Match[str]) -> str:
    token = found[0]
    if (token.isalpha() and len(token) > 2) or token.isdigit():
        return token
    before, after = text[: found.start()][-1:], text[found.end() :][:1]
    real = sum(sign.isdigit() for sign in token)
    slips = {**AS_DIGIT, "C": "0", "c": "0", "G": "G", "T": "T", "b": "b", "g": "g", "q": "q"}
    changed = "".join(slips.get(sign, sign) for sign in token)
    if not changed.isdigit():
        return token
    beside = (before in "/:.-(" and before != "") + (after in "/:-)" and after != "")
    # A lone letter between separators ("O/3") is doubtful: two signs at least, or a digit in it.
    return changed if real * 2 >= len(token) or (beside and real) or (beside == 2) else token


def _page_count(text: str, *, dated: bool) -> tuple[int | None, int | None, bool, str]:
    """Page and pages, whether printed as only machines do, and the text without them."""
    for shape in (_PAGE_OF_PAGES, _RUN_TOGETHER, _PADDED):
        for found in shape.finditer(text):
            if shape is _PADDED and not (dated or len(found[1]) == 3):
                continue
            numbers = [int(each) for each in found.groups() if each is not None]
            page, pages = numbers
            if not 1 <= page <= _MOST_PAGES or pages > _MOST_PAGES:
                continue
            terse = _TERSE.search(found[0]) is not None
            if page > pages:
                # "P.3/0": some machines count on without knowing the end; else it was misread.
                return (
                    (page, None, terse, _cut(text, found))
                    if pages == 0
                    else (None, None, terse, _cut(text, found))
                )
            return page, pages, terse, _cut(text, found)
    for found in _PAGE_ALONE.finditer(text):
        page = int(found[1] or found[2] or found[3])
        if page:
            # "PAGE 3  OF 7" with something printed between.
            rest = _cut(text, found)
            total = re.search(r"(?<![A-Za-z])of\s?(\d{1,4})(?!\d)", rest, re.I)
            if total and page <= int(total[1]) <= _MOST_PAGES:
                return page, int(total[1]), True, _cut(rest, total)
            return page, None, _TERSE.search(found[0]) is not None, rest
    return None, None, False, text


def _parties(text: str) -> tuple[str | None, str | None, str | None]:
    """Sender's number, sender's name and recipient, by the labels before them or their order."""
    said: dict[str, list[str]] = {"sender": [], "recipient": []}
    whose, start = "sender", 0
    for found in _LABEL.finditer(text):
        said[whose].append(text[start : found.start()])
        start = found.end()
        kind = found.lastgroup or "other"
        if kind in said:
            whose = kind
        elif kind == "other" and whose == "recipient":
            whose = "sender"
    said[whose].append(text[start:])
    senders, sender_rest = _numbers(said["sender"])
    recipients, recipient_rest = _numbers(said["recipient"])
    if not recipients and len(senders) > 1:
        recipients = senders[1:2]
    recipient = recipients[0] if recipients else _name(recipient_rest)
    return (senders[0] if senders else None), _name(sender_rest), recipient


def _numbers(pieces: list[str]) -> tuple[list[str], str]:
    """The telephone numbers in the pieces, and what is left of them."""
    text = " \u00a6 ".join(pieces)
    numbers = [telephone(found[0]) for found in _NUMBER.finditer(text)]
    return numbers, _NUMBER.sub(" \u00a6 ", text)


def telephone(raw: str) -> str:
    """``NNN-NNN-NNNN`` (foreign numbers as E.164) where it is one, else as it stands."""
    parsed = parse(Kind.PHONE, raw)
    return parsed.value if parsed.valid else " ".join(raw.split())


def _name(text: str) -> str | None:
    """The longest stretch that can be a name: it has a word of letters."""
    pieces = (piece.strip(" .,:;*-_/|\\#@()[]<>=~'\"") for piece in text.split("\u00a6"))
    named = [" ".join(each.split()) for each in pieces if re.search(r"[A-Za-z]{2}", each)]
    if not named:
        return None
    best = max(named, key=lambda name: sum(s.isalpha() - 2 * s.isdigit() for s in name))
    return re.sub(r"(?<![0-9])0(?=[A-Za-z]{2})|(?<=[A-Za-z])0(?=[A-Za-z])", "O", best)[
        :MOST_NAME_CHARACTERS
    ]


def _cut(text: str, found: re.Match[str]) -> str:
    return f"{text[: found.start()]} \u00a6 {text[found.end() :]}"
