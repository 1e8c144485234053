# SPDX-License-Identifier: Apache-2.0
"""What a heading is about: not its exact words but their kinds (asks, answers, refers, pays).

Payers word headings in a hundred ways; nearly all are one word for the matter (authorization,
precertification) and one for the act (request, decision, notice).
"""

from __future__ import annotations

import re

from rapidfuzz import fuzz

from idp.phrases import fold

_ALIKE = 85.0
_SHORT = 5
_LONG = 8
"""Words this long are found inside others too: blanks get lost in reading."""


def _words(text: str) -> frozenset[str]:
    return frozenset(fold(word) for word in text.split())


MATTER = _words(
    "authorization authorisation preauthorization precertification certification precert preauth "
    "auth authorizations utilization coverage approval precertify"
)
ASK = _words("request form worksheet questionnaire application requests fax inquiry")
ANSWER = _words(
    "determination decision notice denial response approved denied letter confirmation status "
    "outcome notification result decisions"
)
REFER = _words(
    "referral referring refer consult consultation order requisition prescription orders referrals"
)
PAY = _words("remittance payment eob eop benefits voucher remit paid payments claims")
STATEMENT = _words("explanation advice summary statement voucher remittance register detail report")


def _has(words: list[str], wanted: frozenset[str]) -> bool:
    for word in words:
        for target in wanted:
            if word == target or (len(target) >= _LONG and target in word):
                return True
            if (
                len(target) > _SHORT
                and word[:2] == target[:2]
                and abs(len(word) - len(target)) <= 2
                and fuzz.ratio(word, target) >= _ALIKE
            ):
                return True
    return False


DISPUTE = _words("appeal appeals dispute reconsideration redetermination grievance complaint")
RECORDS = _words("records release disclosure information eligibility claim registration consent")


def about(headings: list[str]) -> dict[str, float]:
    """What the headings are about, each 0 or 1: the signals whose names begin with ``title_``.

    They are ``title_asks``, ``title_answers``, ``title_refers``, ``title_pays``,
    ``title_disputes`` and ``title_requests`` (a request of no other kind).

    A heading that both asks and answers ("coverage determination request") asks: an answer never
    calls itself a request, a request often names the decision it wants.
    """
    found = {"title_asks": 0.0, "title_answers": 0.0, "title_refers": 0.0, "title_pays": 0.0}
    found |= {"title_disputes": 0.0, "title_requests": 0.0}
    for heading in headings:
        words = [fold(word) for word in re.findall(r"[^\W_]+", heading)]
        matter, asks = _has(words, MATTER), _has(words, ASK)
        refers, disputes = _has(words, REFER), _has(words, DISPUTE)
        if disputes:
            found["title_disputes"] = 1.0
        elif asks and not matter and not refers and not _has(words, RECORDS):
            found["title_requests"] = 1.0
        if matter and asks and not disputes:
            found["title_asks"] = 1.0
        elif matter and _has(words, ANSWER):
            found["title_answers"] = 1.0
        if refers and not matter:
            found["title_refers"] = 1.0
        if _has(words, PAY) and _has(words, STATEMENT):
            found["title_pays"] = 1.0
    return found
