# SPDX-License-Identifier: Apache-2.0
"""Labels and their values within a remittance: ``Patient: LARK, TOVE  Claim #: 2463``.

The same wordings that head a column introduce a value beside them. Medicare remittances print them
without a colon (``NAME LARK, TOVE HIC 9044 ACNT 2011 ICN 2463``), so on a line that holds several
sure labels the others count as labels too.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import NamedTuple

from idp.extract.tables_lines import Line, Sheet, Token, chunks, joined
from idp.extract.tables_rows import MONEY_ROLES
from idp.extract.tables_values import parse_dates, parse_money
from idp.extract.tables_vocabulary import Vocabulary

IDENTITY_ROLES = frozenset(
    ("patient_name", "member_id", "group_number", "patient_account", "claim_number")
)
KEY_ROLES = frozenset(("patient_name", "patient_account", "claim_number"))
_SURE_WITHOUT_COLON = frozenset(
    ("hic", "hicn", "mic", "mbi", "acnt", "acct", "icn", "dcn", "tcn", "ccn", "pcn", "id")
)
_LABEL_GAP = 1.0
_VALUE_GAP = 3.0


class Labelled(NamedTuple):
    """A label of a known role with the tokens of its value (none: it stands below, or is blank)."""

    role: str
    label: tuple[Token, ...]
    value: tuple[Token, ...]


def split_colons(tokens: Sequence[Token]) -> list[Token]:
    """Tokens with ``Name:LARK`` taken apart after the colon; times and ratios stay whole."""
    found: list[Token] = []
    for token in tokens:
        match = re.match(r"^([A-Za-z#.()*/ -]*[A-Za-z#)*]\s*:)(.+)$", token.text)
        if match is None:
            found.append(token)
            continue
        cut = token.x0 + (token.x1 - token.x0) * len(match[1]) / len(token.text)
        found.append(token._replace(text=match[1], x1=cut))
        found.append(token._replace(text=match[2], x0=cut))
    return found


_OTHERS = frozenset(
    (
        *(
            "tax",
            "taxpayer",
            "payee",
            "provider",
            "provlder",
            "federal",
            "fed",
            "billing",
            "rendering",
        ),
        *(
            "vendor",
            "payer",
            "plan",
            "npi",
            "facility",
            "physician",
            "check",
            "eft",
            "trace",
        ),
        *(
            "irs",
            "statement",
            "eob",
            "employer",
            "site",
            "document",
            "remit",
            "remittance",
            "pay-to",
        ),
        *(
            "doctor",
            "bill",
            "issue",
            "issued",
            "payment",
            "received",
            "process",
            "birth",
            "print",
        ),
        *(
            "user",
            "form",
        ),
    )
)
"""Words that make a label somebody else's or something else's when they stand right before it."""


def _is_anothers(tokens: Sequence[Token], start: int, unit: float) -> bool:
    """Whether the wording at ``start`` is the end of a longer label: ``Federal Tax | ID``."""
    if start == 0:
        return False
    before, first = tokens[start - 1], tokens[start]
    word = before.text.lower().strip(".:()'")
    return word in _OTHERS and first.x0 - before.x1 < unit and not before.text.endswith(":")


def _after_brackets(tokens: Sequence[Token], end: int, *, needs_colon: bool = True) -> int:
    """Where a label ends that goes on in brackets up to its colon: ``Claim (if known):``."""
    last = end
    while last < len(tokens) and tokens[last].text.startswith("("):
        at = next(
            (i for i in range(last, min(last + 6, len(tokens))) if ")" in tokens[i].text), None
        )
        if at is None:
            break
        last = at + 1
    if last == end or not needs_colon or _has_colon(tokens, last - 1, last):
        return last
    return end


def _longest(
    tokens: Sequence[Token], start: int, vocabulary: Vocabulary, unit: float
) -> tuple[str, int] | None:
    """Role and end (exclusive) of the longest wording that starts at a token."""
    node = vocabulary.root
    best: tuple[str, int] | None = None
    for at in range(start, len(tokens)):
        token = tokens[at]
        if at > start:
            before = tokens[at - 1]
            if before.text.rstrip().endswith(":") or token.x0 - before.x1 > _LABEL_GAP * unit:
                break
        words = vocabulary.read(token.text)
        if words is None or (at == start and not words):
            break
        for word in words:
            following = node.next.get(word)
            if following is None:
                return best
            node = following
        if node.role is not None and (words or _is_leader(token.text)):
            best = (node.role, at + 1)
    return best


def _has_colon(tokens: Sequence[Token], start: int, end: int) -> bool:
    after = tokens[end].text if end < len(tokens) else ""
    colon = tokens[end - 1].text.rstrip().endswith(":") or after in (":", "#:", "#", "=")
    return colon or _is_leader(after) or _is_leader(tokens[end - 1].text)


def _is_leader(text: str) -> bool:
    """Whether the token is a dotted line that leads from a label to its value."""
    return bool(re.fullmatch(r"[.\u2026_\u00b7-]{2,}:?", text))


def _is_sure(tokens: Sequence[Token]) -> bool:
    first = tokens[0].text.lower().strip(".:")
    return first in _SURE_WITHOUT_COLON or any("#" in t.text for t in tokens)


def read_labels(line: Line, vocabulary: Vocabulary, sheet: Sheet) -> list[Labelled]:
    """All labels of a line with the values to their right, from left to right.

    A value ends at the next label, known or not (``Xxx:``), and at a wide blank.
    """
    tokens = split_colons(line.tokens)
    unit = sheet.text_height
    spots: list[_Spot] = []
    at = 0
    while at < len(tokens):
        match = _longest(tokens, at, vocabulary, unit)
        if match is None:
            at += 1
            continue
        role, end = match
        words = end - at
        end = _after_brackets(tokens, end)
        if not _is_anothers(tokens, at, unit) and (role != "service_date" or words > 1):
            sure = _has_colon(tokens, at, end) or _is_sure(tokens[at:end])
            spots.append(_Spot(at, end, role, sure, words))
        at = end
    labels = _labels_among(spots, tokens, unit)
    found: list[Labelled] = []
    for spot, following in itertools.zip_longest(labels, labels[1:]):
        stop = following.start if following else len(tokens)
        value = _value(tokens[spot.end : stop], unit)
        found.append(Labelled(spot.role, tuple(tokens[spot.start : spot.end]), value))
    return found


class _Spot(NamedTuple):
    """A wording that may be a label: ``tokens[start:end]``, its last words perhaps in brackets."""

    start: int
    end: int
    role: str
    sure: bool
    words: int


def _labels_among(spots: Sequence[_Spot], tokens: Sequence[Token], unit: float) -> list[_Spot]:
    """The wordings that are labels: those with a colon, and those whose value fits beside them.

    Without a colon a wording must open the line or stand apart, and a value that fits its role must
    follow; one of a single word also needs another label on the line.
    """
    fitting: list[_Spot] = []
    for spot, following in itertools.zip_longest(spots, spots[1:]):
        if spot.sure or spot.role not in IDENTITY_ROLES | {"subscriber_name"}:
            continue
        end = _after_brackets(tokens, spot.end, needs_colon=False)
        value = trim(
            spot.role, _value(tokens[end : following.start if following else None], unit), unit
        )
        before = tokens[spot.start - 1] if spot.start else None
        first = tokens[spot.start]
        # A value's last word may stand close before the next label; it is a number or a name then.
        apart = before is None or first.x0 - before.x1 > 0.8 * unit or spot.words > 1
        if apart and fits(spot.role, value):
            fitting.append(spot._replace(end=end))
    others = sum(s.sure for s in spots) + len(fitting)
    kept = [
        next((f for f in fitting if f.start == s.start), s)
        for s in spots
        if s.sure or any(f.start == s.start and (f.words > 1 or others > 1) for f in fitting)
    ]
    several = sum(s.sure for s in kept) >= 2
    return [
        s
        for s in (*kept, *(s for s in spots if several and s.role == "rarc" and s not in kept))
        if s.role != "rarc" or s.sure or tokens[s.start].text.isupper()
    ]


def below(found: Labelled, under: Line, vocabulary: Vocabulary, sheet: Sheet) -> tuple[Token, ...]:
    """The tokens of the next line that stand where the label's value would go on, or begin.

    That is right under the value's first word, or under the label where it has no value beside it.
    Empty where the next line stands apart or has labels of its own.
    """
    unit = sheet.text_height
    if under.y0 - found.label[0].y1 > 0.9 * unit or any(":" in t.text for t in under.tokens):
        return ()
    starts = [t.x0 for t in (*found.value[:1], found.label[0])]
    for run in chunks(under.tokens, 0.8 * unit):
        heading = re.fullmatch(r"(?:payment\s+)?summary|totals?", joined(run), re.IGNORECASE)
        if heading or _longest(run, 0, vocabulary, unit) is not None:
            continue
        if any(abs(run[0].x0 - start) < unit for start in starts):
            return tuple(run)
    return ()


_OVER_VALUES = IDENTITY_ROLES | MONEY_ROLES | {"subscriber_name", "eft_number", "payment_date"}


def labels_over_values(
    line: Line, under: Line, vocabulary: Vocabulary, sheet: Sheet
) -> dict[str, tuple[Token, ...]]:
    """Values that stand under a line of nothing but labels; empty if the line says more.

    With the line above as ``under`` it reads forms that print the label below its value.

    The small sister of a table with one row: too few labels to be a head, often only one.
    """
    unit = sheet.text_height
    tokens = split_colons(line.tokens)
    spots: list[tuple[str, float, float]] = []
    at = 0
    while at < len(tokens):
        match = _longest(tokens, at, vocabulary, unit)
        if match is None and vocabulary.read(tokens[at].text) in ((), ("number",)):
            at += 1  # the number of a box, a bullet, "No." after a label
            continue
        if match is None or _is_anothers(tokens, at, unit):
            return {}
        role, end = match
        end = _after_brackets(tokens, end, needs_colon=False)
        spots.append((role, tokens[at].x0, tokens[end - 1].x1))
        at = end
    apart = max(under.y0 - line.y1, line.y0 - under.y1)
    if apart > 1.2 * unit or not any(role in _OVER_VALUES for role, *_ in spots):
        return {}
    cells: dict[str, tuple[Token, ...]] = {}
    for run in chunks(under.tokens, 0.9 * unit):
        near = [
            (abs(run[0].x0 - x0), role)
            for role, x0, x1 in spots
            if min(x1, run[-1].x1) > max(x0, run[0].x0) or abs(run[0].x0 - x0) < unit
        ]
        if not near:
            return {}
        _, role = min(near)
        value = trim(role, run, unit)
        if role in cells or not fits(role, value):
            return {}
        cells[role] = value
    return {r: v for r, v in cells.items() if r in _OVER_VALUES}


def _value(tokens: Sequence[Token], unit: float) -> tuple[Token, ...]:
    value: list[Token] = []
    for token in tokens:
        if token.text in (":", "#", "#:", "=") or _is_leader(token.text):
            continue
        if value and token.x0 - value[-1].x1 > _VALUE_GAP * unit:
            break
        if token.text.rstrip().endswith(":"):
            # An unknown label ends the value; its first words stand close before the colon.
            left = token.x0
            while len(value) > 1 and left - value[-1].x1 < 0.6 * unit:
                left = value.pop().x0
            break
        value.append(token)
    return tuple(value)


def fits(role: str, tokens: Sequence[Token]) -> bool:
    """Whether a value can be one of this role; keeps stray words out of names and numbers."""
    text = joined(tokens)
    if not text:
        return False
    if role in MONEY_ROLES:
        return parse_money(text) is not None
    if role in ("patient_name", "subscriber_name"):
        letters = sum(c.isalpha() for c in text)
        return letters >= 3 and not re.search(r"\d{2}", text) and len(tokens) <= 6
    if role in IDENTITY_ROLES or role == "eft_number":
        digits = sum(c.isdigit() for c in text)
        fewest = 1 if role == "patient_account" else 3
        return digits >= fewest and not re.fullmatch(r"\d{1,2}/\d{1,2}/\d{2,4}", text)
    if role in ("service_date", "service_end", "payment_date"):
        return bool(parse_dates(text))
    return True


def trim(role: str, tokens: Sequence[Token], unit: float) -> tuple[Token, ...]:
    """The part of the tokens that is the value: of an identifier, its first close-set run."""
    kept: list[Token] = []
    for token in tokens:
        text = token.text.strip()
        if role in ("patient_name", "subscriber_name") and re.match(r"[(\[]|\d", text):
            break
        if role in IDENTITY_ROLES and role != "patient_name":
            has_digit = any(c.isdigit() for c in text)
            if kept and (token.x0 - kept[-1].x1 > 0.8 * unit or not has_digit):
                break
            if not kept and not has_digit and not re.fullmatch(r"[A-Z]{1,4}", text):
                continue
        elif role in MONEY_ROLES and kept and parse_money(joined(kept)) is not None:
            break
        kept.append(token)
    return tuple(kept)
