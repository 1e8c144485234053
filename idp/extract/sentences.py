# SPDX-License-Identifier: Apache-2.0
"""Sentence patterns of letters, and running text that knows its words' places."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from idp.extract.readings import Reading
from idp.extract.tables_lines import Token

_MONTHS = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|"
    r"Sep(?:t(?:ember)?)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\.?"
)
DATE = (
    rf"(?:\d{{1,2}}\s?[/.-]\s?\d{{1,2}}\s?[/.-]\s?\d{{2,4}}|\d{{4}}-\d\d-\d\d|"
    rf"{_MONTHS}\s*\d{{1,2}},?\s*\d{{4}})"
)
_TITLE = r"(?:(?:Mr|Mrs|Ms|Miss|Dr|Doctor)\b\.?\s*)"
_WORD = r"[A-Z][A-Za-z'\u2019\-]+"
_NO_NAME = r"(?!DOB|Date|Born|Member|Patient|The|For|With|Who)"
NAME = rf"{_WORD}(?:\s+[A-Z]\.?)?(?:\s+{_NO_NAME}{_WORD}){{1,2}}"
_DEGREE = r"(?:,?\s*(?:MD|M\.D\.|DO|D\.O\.|NP|FNP|PA-C|PA|DPM|APRN|ARNP|CNP)\b)?"
PHONE = r"(?:(?<!\d)1[-. ])?\(?\b\d{3}\)?\s*[-.]?\s*\d{3}\s*[-.]\s*\d{4}\b"
_NUMBER = r"(?=[A-Z0-9\-]*\d)[A-Z0-9][A-Z0-9\-]{4,24}"
_COUNT_WORDS = r"\d{1,3}|thirty|sixty|ninety|fifteen|ten|one hundred (?:and )?(?:eighty|twenty)"


@dataclass(frozen=True, slots=True)
class Sentence:
    """A pattern whose groups ``value`` (and ``value2``) answer its fields, in that order."""

    fields: tuple[str, ...]
    pattern: re.Pattern[str]
    sure: float
    but_not: re.Pattern[str] | None = None
    once: bool = True


@dataclass(frozen=True, slots=True)
class Running:
    """The page as one line of text, with the token behind every character."""

    reading: Reading
    text: str
    starts: tuple[int, ...]
    tokens: tuple[Token, ...]

    @classmethod
    def of(cls, reading: Reading) -> Running:
        """All rows from top to bottom, joined by blanks."""
        tokens = tuple(t for row in reading.sheaf.rows for t in row)
        starts: list[int] = []
        parts: list[str] = []
        at = 0
        for token in tokens:
            starts.append(at)
            parts.append(token.text)
            at += len(token.text) + 1
        return cls(reading, " ".join(parts), tuple(starts), tokens)

    def tokens_at(self, start: int, end: int) -> list[Token]:
        """The tokens that hold the characters."""
        return [
            t
            for t, at in zip(self.tokens, self.starts, strict=True)
            if at < end and at + len(t.text) > start
        ]

    def before(self, at: int, length: int) -> str:
        """The text just before a place."""
        return self.text[max(0, at - length) : at]

    def height_at(self, at: int) -> float:
        """How far down the page a character stands, 0..1."""
        tokens = self.tokens_at(at, at + 1)
        return tokens[0].cy / self.reading.sheaf.sheet.height if tokens else 1.0


def _sentence(
    fields: str, pattern: str, sure: float, *, but_not: str = "", flags: Sequence[str] = ("i",)
) -> Sentence:
    return Sentence(
        tuple(fields.split()),
        re.compile(pattern, re.IGNORECASE if "i" in flags else 0),
        sure,
        re.compile(but_not, re.IGNORECASE) if but_not else None,
        "many" not in flags,
    )


SENTENCES: tuple[Sentence, ...] = (
    _sentence(
        "patient_name",
        r"(?:[Rr]eferr(?:ing|al of)|[Ss]eeing|[Ee]valuat(?:e|ing)|[Rr]egarding|[Mm]ember|"
        r"[Bb]ehalf of|RE:|Re:|[Pp]atient,?)"
        rf"\s+(?:my |our |your |this |the )?(?:patient,?\s+)?{_TITLE}?(?P<value>{NAME})"
        rf"(?=\s*[,(.]|\s+(?:DOB|dob|for|who|is|to|a|has|was|date|Date|\())",
        0.62,
        flags=(),
    ),
    _sentence(
        "patient_name",
        rf"{_TITLE}?(?P<value>{NAME})\s*,?\s*\(?\s*(?:DOB|D\.O\.B\.|[Dd]ate of [Bb]irth|[Bb]orn)\b",
        0.66,
        flags=(),
    ),
    _sentence(
        "patient_name",
        rf"{_TITLE}?(?P<value>{NAME}),?\s+(?:is\s+)?an?\s+\d{{1,3}}[- ]?(?:year|y/?o\b|yo\b|month)",
        0.66,
        flags=(),
    ),
    _sentence(
        "patient_dob",
        rf"\b(?:DOB|D\.O\.B\.?|date of birth|born(?:\s+on)?)\s*[:#]?\s*(?P<value>{DATE})",
        0.7,
    ),
    _sentence(
        "patient_sex",
        r"\d{1,3}[- ]?(?:year|month|yr)s?[- ]old\s+(?:\w+\s+)?(?P<value>female|male)\b",
        0.6,
    ),
    _sentence("patient_sex", r"\b\d{1,3}\s*y/?o\.?\s+(?P<value>female|male|[MF])\b", 0.6),
    _sentence(
        "member_id",
        rf"\b(?:member|subscriber|medicaid|insurance|enrollee|beneficiary|policy)\s+(?:id|identification|number|no\b)\.?\s*"
        rf"(?:number|no\.?|#)?\s*(?:is|:|#)?\s*(?P<value>{_NUMBER})",
        0.6,
    ),
    _sentence(
        "auth_number authorization_number",
        rf"\b(?:authorization|auth|approval|certification|pre-?certification)\s*(?:number|no\.?|#|id|code)?\s*"
        rf"(?:assigned\s+)?(?:for\s+this\s+\w+\s+)?(?:is|:|#)\s*(?P<value>{_NUMBER})",
        0.7,
        but_not=r"(?:previous|prior|prev\.?|old)\s*$",
    ),
    _sentence(
        "auth_number",
        rf"\b(?:reference|case|tracking|request|confirmation)\s*(?:number|no\.?|#|id)\s*(?:is|:|#)?\s*(?P<value>{_NUMBER})",
        0.5,
    ),
    _sentence(
        "effective_from effective_to",
        rf"(?:from|between|effective|valid|approved|dates?(?:\s+of\s+service)?|period|beginning|starting)\b[^.]{{0,40}}?"
        rf"(?P<value>{DATE})\s*(?:,?\s*and\s+(?:ending|ends|expires?|continuing)(?:\s+(?:on|through))?|through|thru|to|until|and|[-\u2013\u2014])\s*(?P<value2>{DATE})",
        0.72,
        but_not=r"(?:born|DOB|birth)\W*$",
    ),
    _sentence(
        "effective_to",
        rf"(?:expires?(?:\s+on)?|expiring(?:\s+on)?|valid\s+(?:through|until|to)|through|ends?\s+on|until)\s+(?P<value>{DATE})",
        0.55,
    ),
    _sentence(
        "effective_from",
        rf"(?:effective(?:\s+(?:on|as\s+of))?|beginning(?:\s+on)?|starting(?:\s+on)?)\s+(?P<value>{DATE})",
        0.55,
    ),
    _sentence(
        "approved_units",
        r"(?:approv|authoriz|certif)\w*\b[^.]{0,60}?\b(?P<value>\d{1,4})\s+(?:units?|visits?|sessions?|days|hours|treatments?)\b",
        0.55,
    ),
    _sentence(
        "approved_units",
        r"\b(?P<value>\d{1,4})\s+(?:units?|visits?|sessions?)\b[^.]{0,30}?\b(?:approved|authorized|certified)",
        0.55,
    ),
    _sentence(
        "determination_date",
        rf"\b(?:on|dated|as\s+of)\s+(?P<value>{DATE}),?\s+(?:we|the\s+plan|your|the)\b[^.]{{0,60}}(?:approved|denied|decided|determined|reviewed|decision)",
        0.6,
        but_not=r"received\s*$",
    ),
    _sentence(
        "appeal_deadline_days",
        rf"\b(?:appeal|request|file|ask|submit)\w*\b[^.]{{0,120}}?\bwithin\s+(?P<value>{_COUNT_WORDS})\s*(?:\(\d+\)\s*)?(?:calendar\s+|business\s+)?"
        r"days?\s+(?:of|from|after)\s+(?:the\s+|your\s+)?(?:date|receipt|receiving|receive|notice|this|decision|letter)",
        0.8,
        but_not=r"peer[- ]to[- ]peer[^.]*$",
    ),
    _sentence(
        "appeal_deadline_days",
        rf"(?:appeal|reconsideration|grievance)[^.]{{0,160}}?\b(?:within|in|have|you\s+have)\s+(?P<value>{_COUNT_WORDS})\s*(?:\(\d+\)\s*)?"
        r"(?:calendar|business|working)?\s*days?",
        0.72,
    ),
    _sentence(
        "appeal_deadline_days",
        rf"\b(?:within|have)\s+(?P<value>{_COUNT_WORDS})\s*(?:\(\d+\)\s*)?(?:calendar\s+|business\s+|working\s+)?days?[^.]{{0,120}}?(?:appeal|reconsideration)",
        0.7,
    ),
    _sentence(
        "denial_reason",
        r"(?:(?:denied|not\s+approved|not\s+certified|decision|denial|determination)\s+(?:this\s+request\s+)?because|for\s+the\s+following\s+reasons?\s*:?|"
        r"reasons?\s+for\s+(?:the|our|this)\s+(?:denial|decision|determination)\s*(?:is|are|:)|\bbecause\s*:)\s*(?P<value>[A-Z(]?[^\n]{20,500}?[.])(?=\s+(?:You|If|This|To|We|The\s+criteria|Your|For|A\s)|$)",
        0.55,
        flags=(),
    ),
    _sentence(
        "payer_fax",
        rf"\bfax(?:ed)?\b(?:[^.;]|\.(?=\d)){{0,60}}?\b(?:to|at)\b[^0-9.;]{{0,50}}(?P<value>{PHONE})",
        0.72,
        but_not=r"(?:if|error|mistake)[^.]*$",
    ),
    _sentence(
        "payer_fax",
        rf"(?:submit|return|send|forward)\b[^.;]{{0,80}}?\bfax\b[^0-9.;]{{0,40}}(?P<value>{PHONE})",
        0.68,
    ),
    _sentence(
        "payer_phone",
        rf"(?:\bcall\b|\bby\s+(?:tele)?phone\b|contact\s+us|questions)(?:[^.;0-9]){{0,70}}"
        rf"(?P<value>(?:1[- ])?{PHONE})",
        0.5,
        but_not=r"(?:error|mistake|patient|home|provider|physician|office|cell)[^.:]*$",
    ),
    _sentence(
        "diagnosis_descriptions diagnosis_codes",
        r"(?P<value>[A-Za-z][A-Za-z0-9'/-]*(?:\s+(?!(?:of|for|with|and|from|the|has|is|was|a|an|by|to)\b)[A-Za-z0-9'/-]+){0,7})\s*"
        r"\((?:ICD-?\s?10(?:-CM)?\s*:?\s*)?(?P<value2>[A-TV-Z]\d[0-9A-Z](?:\.[0-9A-Z]{1,4}))\)",
        0.55,
        flags=("i", "many"),
    ),
    _sentence(
        "procedure_codes",
        r"\b(?:CPT|HCPCS|procedure\s+code|code)s?\s*(?:code|codes|no\.?|#)?\s*[:(]?\s*(?P<value>\d{4}[0-9TF]|[A-V]\d{4})\b",
        0.55,
        flags=("i", "many"),
    ),
    _sentence(
        "signature_present",
        r"(?P<value>(?:electronically|digitally|e-?)\s*-?signed\s*(?:by)?\s*:?\s*"
        r"[A-Z][A-Za-z.,'\- ]{3,40})",
        0.9,
    ),
    _sentence(
        "referring_provider_name",
        rf"[Ss]igned\s+[Bb]y\s*:?\s*{_TITLE}?(?P<value>{NAME}{_DEGREE})",
        0.5,
        flags=(),
    ),
    _sentence(
        "referring_provider_name",
        rf"(?:[Ss]incerely|[Rr]egards|[Tt]hank [Yy]ou|[Rr]espectfully)(?:\s+(?:yours|again))?\s*,"
        rf"\s*{_TITLE}?(?P<value>{NAME}{_DEGREE})",
        0.62,
        flags=(),
    ),
    _sentence(
        "referred_to_name",
        rf"Dear\s+(?P<value>(?:Dr\.?|Doctor)\s+{_WORD}(?:\s+[A-Z]\.?)?(?:\s+{_WORD})?)\s*[,:]",
        0.5,
        flags=(),
    ),
    _sentence(
        "requesting_provider_name",
        rf"Dear\s+(?P<value>(?:Dr\.?|Doctor)\s+{_WORD}(?:\s+[A-Z]\.?)?(?:\s+{_WORD})?)\s*[,:]",
        0.4,
        flags=(),
    ),
    _sentence(
        "reason",
        r"(?:referr(?:ing|ed)|see(?:ing)?|sending|evaluate)\b[^.]{0,80}?\bfor\s+(?P<value>(?:further\s+|an?\s+|your\s+)*(?:evaluation|consultation|management|assessment|opinion|treatment|surgical|possible|consideration)[^.]{8,200})\.",
        0.5,
    ),
)
"""Patterns in order of strength within a field."""
