# SPDX-License-Identifier: Apache-2.0
"""What a letter decides: approved, denied, pended ... from its title and sentences.

Every determination letter also speaks of decisions it does not take ("if your request is denied",
"services that are not approved"), so a phrase counts only outside conditions and general remarks,
and the title and the first definite sentence weigh most.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from idp.extract.sentences import Running


class Decided(NamedTuple):
    """A decision with the place of the phrase that announces it."""

    value: str
    start: int
    end: int
    sure: float


_BE = r"(?:has|have)\s+been|is|are|was|were"
_WE = r"(?:we|plan|health\s*plan|department)\s+(?:have\s+|has\s+)?"
_PHRASES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (value, re.compile(pattern, re.IGNORECASE))
    for value, pattern in (
        (
            "partially approved",
            rf"partial(?:ly)?\s+(?:approv|den|certif|favorabl)\w*|approved\s+in\s+part|"
            rf"(?:{_BE})\s+modified|approved\s+with\s+(?:changes|modifications?)|modified\s+approval",
        ),
        (
            "denied",
            rf"(?:{_BE})\s+(?:being\s+)?(?:denied|disapproved|not\s+(?:been\s+)?(?:approved|certified|authorized)|"
            rf"non-?\s?certified)|{_WE}(?:denied|decided\s+(?:to\s+deny|not\s+to\s+approve))|"
            r"(?:not|unable\s+to|cannot|can't|did\s+not|could\s+not)\s+(?:be\s+)?(?:approved?|authorized?|certify|certified)"
            r"(?=\W)|notice\s+of\s+(?:\w+\s+){0,2}(?:denial|adverse\s+\w+(?:\s+\w+)?)|denial\s+(?:notice|letter|of)\b|"
            r"adverse\s+(?:benefit\s+)?determination|integrated\s+denial\s+notice|notice\s+of\s+action\s*[-\u2013\u2014:]?\s*denial|"
            r"(?:not|is\s+not)\s+medically\s+necessary|non-?\s?certification|does\s+not\s+meet\s+(?:the\s+)?\w+\s+criteria",
        ),
        (
            "pended",
            rf"(?:{_BE})\s+(?:currently\s+)?(?:pended|pending|on\s+hold|under\s+review|incomplete|suspended)|"
            r"(?:additional|more|further)\s+(?:clinical\s+|medical\s+)?(?:information|documentation)\s+(?:is\s+)?"
            r"(?:needed|required|requested|necessary)|(?:request|notice)\s+(?:for|of)\s+(?:additional|more|further|missing)"
            r"\s+(?:clinical\s+)?information|pend\s+(?:notice|letter)|need\s+(?:more|additional)\s+information",
        ),
        (
            "cancelled",
            rf"(?:{_BE})\s+(?:cancelled|canceled|withdrawn|voided|dismissed|closed)|"
            r"notice\s+of\s+(?:cancellation|withdrawal|dismissal)",
        ),
        (
            "approved",
            rf"(?:{_BE})\s+(?:fully\s+)?(?:approved|authorized|certified)|{_WE}(?:approved?|authorized|certified)\b|"
            r"notice\s+of\s+(?:\w+\s+){0,2}(?:approval|certification|favorable)|(?:approval|authorization\s+approval|certification)"
            r"\s+(?:notice|letter)|approved\s+as\s+requested|meets\s+(?:the\s+)?(?:\w+\s+)?(?:criteria|medical\s+necessity)|"
            r"(?:is|are|were|was)\s+medically\s+necessary|authorization\s+(?:has\s+been\s+)?granted|pleased\s+to\s+inform|"
            r"authorization\s+approved|approval\s+of\b",
        ),
    )
)
_CONDITION = re.compile(
    r"(?i)\b(?:if|when|whether|unless|until|once|should|may|might|would|could|before|not\s+a\s+guarantee|any|"
    r"in\s+the\s+event|that\s+(?:is|are)|which|why|how|prior)\b[^.!?:]{0,70}$"
)
_NEGATION = re.compile(r"(?i)\b(?:not|never|no|cannot|unable\s+to)\s+(?:\w+\s+)?$")
_HEAD = 0.3
_ORDER = ("partially approved", "denied", "pended", "cancelled", "approved")


def decision_of(running: Running) -> Decided | None:
    """The one decision of a page; ``None`` when it announces none.

    An approval and a denial side by side, both outside conditions and above the page's middle,
    make a partial approval only when the letter says so; else the more frequent of the two wins.
    """
    weights: dict[str, float] = {}
    first: dict[str, tuple[int, int]] = {}
    covered: list[tuple[int, int]] = []
    for value, pattern in _PHRASES:
        for match in pattern.finditer(running.text):
            start, end = match.span()
            if any(a < end and start < b for a, b in covered):
                continue
            if _CONDITION.search(running.before(start, 90)):
                continue
            if value != "denied" and _NEGATION.search(running.before(start, 25)):
                continue
            covered.append((start, end))
            place = running.height_at(start)
            weight = 2.5 if place < _HEAD else 1.2 if place < 0.6 else 0.6
            weights[value] = weights.get(value, 0.0) + weight
            first.setdefault(value, (start, end))
    if not weights:
        return None
    total = sum(weights.values())
    best = max(weights, key=lambda v: (weights[v], -_ORDER.index(v)))
    start, end = first[best]
    share = weights[best] / total
    return Decided(best, start, end, round(min(0.9, 0.45 + 0.4 * share + 0.03 * weights[best]), 3))
