# SPDX-License-Identifier: Apache-2.0
"""The prose source: what letters say in sentences, and payers that stand only in a letterhead.

Determinations are letters: the outcome, its number, its period and its reason are told, not
labelled. The patterns are the phrases that payers' notices and physicians' letters use.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from idp.document import Box, DocumentType, Page
from idp.extract.labels import squash
from idp.extract.layout import Sheaf, sheaf_of
from idp.extract.ports import Candidate, Structure
from idp.extract.tables_lines import Token
from idp.schemas import DocumentSchema, Lexicon
from idp.values import Kind, find, parse

_DATE = (
    r"(?:\d{1,2}[/-]\d{1,2}[/-]\d{2,4}|\d{4}-\d{2}-\d{2}|"
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?\s+\d{1,2},?\s+\d{4})"
)
_NUMBER = r"(?=[A-Z0-9-]*\d)[A-Z0-9][A-Z0-9-]{4,24}"
_NAME = r"[A-Z][A-Za-z.'-]+(?:,?\s+[A-Z][A-Za-z.'-]*){1,3}"


class Pattern(NamedTuple):
    """A phrase with the value in group ``v``, for the types it is used in."""

    field: str
    regex: re.Pattern[str]
    confidence: float


def _p(field: str, regex: str, confidence: float, *, cased: bool = False) -> Pattern:
    return Pattern(field, re.compile(regex, 0 if cased else re.IGNORECASE), confidence)


_DETERMINATION = (
    _p("auth_number", rf"(?:authorization|auth|approval|certification|reference|case|tracking)\s*(?:number|no\.?|#|id)\s*(?:is|:|#)?\s*(?P<v>{_NUMBER})", 0.8),
    _p("effective_from", rf"(?:from|between|effective|valid|beginning|starting(?: on)?)\s*:?\s*(?P<v>{_DATE})\s*(?:,?\s*(?:through|to|thru|until|and|-|–)\s*{_DATE})", 0.8),
    _p("effective_to", rf"{_DATE}\s*,?\s*(?:through|to|thru|until|and|-|–)\s*(?P<v>{_DATE})", 0.8),
    _p("appeal_deadline_days", r"within\s+(?:\w+\s*\()?(?P<v>\d{2,3})\)?\s*(?:calendar\s+)?days[^.]{0,90}(?:appeal|reconsideration|grievance)", 0.75),
    _p("appeal_deadline_days", r"(?:appeal|reconsideration|grievance)[^.]{0,90}?within\s+(?:\w+\s*\()?(?P<v>\d{2,3})\)?\s*(?:calendar\s+)?days", 0.8),
    _p("appeal_deadline_days", r"(?P<v>\d{2,3})\s*(?:calendar\s+)?days\s+(?:from|of|after)\s+(?:the\s+date|receipt|receiving|this)[^.]{0,80}(?:appeal|reconsideration)", 0.7),
    _p("denial_reason", r"(?:denied|denial|not approved|unable to approve|not certified|decision)\s+(?:this request\s+|your request\s+|it\s+|the request\s+)?because\s*:?\s*(?P<v>[^.]{15,400}\.)", 0.7),
    _p("denial_reason", r"(?:reason(?:s)? for (?:this |our |the )?(?:denial|decision|determination)|clinical rationale|rationale)\s*(?:is|are|was)?\s*:?\s*(?P<v>[^.]{15,400}\.)", 0.65),
    _p("patient_name", rf"(?:for|on behalf of)\s+(?:your patient|our member|the member|member|patient),?\s+(?P<v>{_NAME})", 0.6, cased=True),
    _p("patient_dob", rf"(?:dob|date of birth|born)\s*(?:on|:|is)?\s*(?P<v>{_DATE})", 0.75),
)
_REFERRAL = (
    _p("patient_dob", rf"(?:dob|date of birth|born(?: on)?)\s*[:#]?\s*\(?(?P<v>{_DATE})", 0.75),
    _p("patient_name", rf"(?:refer(?:ring)?|seen|see|send(?:ing)?|evaluate)\s+(?:you\s+)?(?:my patient,?\s+|our patient,?\s+|this patient,?\s+)?(?:Mr\.?|Mrs\.?|Ms\.?|Miss)?\s*(?P<v>{_NAME})(?=,|\s+\(|\s+for|\s+who|\s+is|\s+to)", 0.6, cased=True),
    _p("patient_name", rf"\b(?:RE|Re|Regarding|Patient)\s*:\s*(?P<v>{_NAME})", 0.6, cased=True),
    _p("referred_to_name", rf"\bDear\s+(?:Dr\.?|Doctor)\s+(?P<v>[A-Z][A-Za-z'-]+(?:\s+[A-Z][A-Za-z'-]+)?)", 0.5, cased=True),
    _p("reason", r"(?:refer(?:ring|red)?\b[^.]{0,80}?\bfor|evaluation (?:and (?:treatment|management) )?of|consult(?:ation)? (?:for|regarding))\s+(?P<v>[^.]{8,160})\.", 0.5),
)
_OUTCOMES: tuple[tuple[str, str, float], ...] = (
    ("partially approved", r"partial(?:ly)?[\s-]+(?:approv|certif|favorabl|denied|denial)|approved in part|modified approval|approved (?:as|with) modif", 3.0),
    ("denied", r"notice of denial|denial of|adverse (?:benefit )?determination|\b(?:been|is|was|were|are|have|we)\s+(?:been\s+)?(?:denied|denying|disapproved)|not (?:been )?(?:approved|authorized|certified|approve)\b|unable to (?:approve|authorize|certify)|cannot (?:approve|authorize)|do(?:es)? not meet|not medically necessary|\bdenied\b", 2.0),
    ("pended", r"\bpended\b|additional (?:clinical )?information (?:is |was )?(?:needed|required|requested|necessary)|request for (?:additional|more|further) information|unable to (?:complete|make a (?:decision|determination))|need more information|pending (?:receipt|additional)", 2.0),
    ("approved", r"notice of (?:approval|authorization)|approval (?:notice|letter)|\b(?:been|is|was|were|are|have|we)\s+(?:been\s+)?(?:approved|authorized|certified)|authorization (?:approved|granted)|\bapproved\b|\bcertified\b", 1.5),
    ("cancelled", r"\b(?:been|is|was)\s+(?:cancell?ed|withdrawn|voided)", 2.0),
)
_NEGATED = re.compile(r"\b(?:not|un|if|or|may|whether|future|until|once)\W+(?:\w+\W+){0,2}$", re.IGNORECASE)
_CLOSING = re.compile(r"^(?:sincerely|respectfully|regards|best regards|kind regards|thank you|warm regards|yours truly),?$", re.IGNORECASE)
_HEAD = 0.2
_LETTER_DATE = 0.38


@dataclass(slots=True)
class _Text:
    """A page as one running text that knows which token each character came from."""

    sheaf: Sheaf
    text: str
    tokens: list[Token]
    starts: list[int]

    def at(self, first: int, last: int) -> list[Token]:
        return [
            t
            for t, start in zip(self.tokens, self.starts, strict=True)
            if start < last and start + len(t.text) > first
        ]


def _running(page: Page) -> _Text:
    sheaf = sheaf_of(page)
    tokens = [t for row in sheaf.rows for t in row]
    starts: list[int] = []
    parts: list[str] = []
    length = 0
    for token in tokens:
        starts.append(length)
        parts.append(token.text)
        length += len(token.text) + 1
    return _Text(sheaf, " ".join(parts), tokens, starts)


class ProseSource:
    """Values told in sentences and letterheads."""

    name = "prose"
    version = "prose-1"

    def __init__(self, lexicon: Lexicon) -> None:
        self._payers = {squash(name): name for name in lexicon.payers}
        self._payer_words = tuple(squash(word) for word in lexicon.payer_words)
        self._longest = max((len(name.split()) for name in lexicon.payers), default=1)

    def candidates(
        self, pages: Sequence[Page], schema: DocumentSchema, structure: Structure
    ) -> list[Candidate]:
        """See the port."""
        if schema.type is DocumentType.OTHER:
            return []
        texts = [_running(page) for page in pages]
        found = list(self._payer(texts, schema))
        if schema.type is DocumentType.PRIOR_AUTH_DETERMINATION:
            found += _matched(texts, _DETERMINATION, schema)
            found += _outcome(texts, schema)
            found += _letter_date(texts, schema, "determination_date", structure)
        elif schema.type is DocumentType.REFERRAL:
            found += _matched(texts, _REFERRAL, schema)
            found += _signer(texts, schema)
            found += _letter_date(texts, schema, "referral_date", structure)
        elif schema.type is DocumentType.REMITTANCE_EOB:
            found += _letter_date(texts, schema, "issue_date", structure)
        return found

    def _payer(self, texts: Sequence[_Text], schema: DocumentSchema) -> Iterator[Candidate]:
        """The payer named in the head of the first page, else the one named most."""
        if schema.field("payer_name") is None or not texts:
            return
        best: tuple[float, list[Token], str] | None = None
        counts: dict[str, int] = {}
        seen: list[tuple[float, list[Token], str]] = []
        for text in texts[:2]:
            height = text.sheaf.sheet.height
            for piece in text.sheaf.pieces:
                row = list(text.sheaf.rows[piece.row][piece.start : piece.end])
                for tokens, name, weight in self._named(row):
                    at = tokens[0].cy / height
                    counts[name] = counts.get(name, 0) + 1
                    size = min(2.0, tokens[0].height / max(1.0, text.sheaf.unit))
                    head = 0.35 if at < _HEAD and text is texts[0] else 0.0
                    seen.append((weight * (0.3 + head + 0.05 * size), tokens, name))
        for score, tokens, name in seen:
            total = score + 0.02 * min(5, counts[name])
            if best is None or total > best[0]:
                best = (total, tokens, name)
        if best is None:
            return
        score, tokens, _ = best
        number = tokens[0].page
        text = next(t for t in texts if t.sheaf.page.number == number)
        made = _made(text, "payer_name", tokens, " ".join(t.text for t in tokens), schema, min(0.8, score))
        if made:
            yield made

    def _named(self, row: list[Token]) -> Iterator[tuple[list[Token], str, float]]:
        """Payers in a run of words: known ones, and names with a payer's words in them."""
        taken = False
        for start in range(len(row)):
            for end in range(min(len(row), start + self._longest), start, -1):
                key = squash(" ".join(t.text for t in row[start:end]))
                if key in self._payers:
                    general = key in (squash("Medicare"), squash("Medicaid"), squash("Optum"))
                    yield row[start:end], self._payers[key], 0.5 if general else 1.0
                    taken = True
                    break
        if taken or len(row) > 7:
            return
        whole = squash(" ".join(t.text for t in row))
        if any(word in whole for word in self._payer_words) and row[0].text[:1].isupper():
            if not any(t.text.endswith((":", "?")) for t in row):
                yield row, whole, 0.85


def _made(
    text: _Text,
    name: str,
    tokens: list[Token],
    raw: str,
    schema: DocumentSchema,
    confidence: float,
) -> Candidate | None:
    field = schema.field(name)
    if field is None or not tokens:
        return None
    parsed = parse(field.kind, raw, options=field.options or None)
    if not parsed.value.strip():
        return None
    box: Box = text.sheaf.box(tokens)
    read = sum(t.confidence for t in tokens) / len(tokens)
    return Candidate(
        name,
        parsed.value,
        raw,
        parsed.valid,
        round(confidence * read * (1.0 if parsed.valid else 0.6), 4),
        tokens[0].page,
        box,
        tuple(dict.fromkeys(i for t in tokens for i in t.word_ids)),
        "prose",
    )


def _matched(
    texts: Sequence[_Text], patterns: Sequence[Pattern], schema: DocumentSchema
) -> list[Candidate]:
    """The first match of each pattern, page by page."""
    made: list[Candidate] = []
    for pattern in patterns:
        for text in texts:
            match = pattern.regex.search(text.text)
            if match is None:
                continue
            tokens = text.at(match.start("v"), match.end("v"))
            one = _made(text, pattern.field, tokens, match["v"].strip(" ,."), schema, pattern.confidence)
            if one:
                made.append(one)
                break
    return made


def _outcome(texts: Sequence[_Text], schema: DocumentSchema) -> list[Candidate]:
    """What was decided: phrases weighed by strength and by how early they stand."""
    scores: dict[str, float] = {}
    first: dict[str, tuple[float, _Text, list[Token], str]] = {}
    for page, text in enumerate(texts[:2]):
        for outcome, regex, weight in _OUTCOMES:
            for match in re.finditer(regex, text.text, re.IGNORECASE):
                before = text.text[max(0, match.start() - 30) : match.start()]
                if outcome != "denied" and _NEGATED.search(before):
                    continue
                tokens = text.at(match.start(), match.end())
                at = page + tokens[0].cy / text.sheaf.sheet.height
                value = weight * (1.5 if at < 0.3 else 1.0 if at < 0.6 else 0.4)
                if match[0].isupper() and len(match[0]) > 5:
                    value *= 1.3
                scores[outcome] = scores.get(outcome, 0.0) * 0.5 + value
                if outcome not in first or value > first[outcome][0]:
                    first[outcome] = (value, text, tokens, match[0])
    if not scores:
        return []
    best = max(scores, key=lambda k: scores[k])
    _, text, tokens, raw = first[best]
    total = sum(scores.values())
    field = schema.field("determination")
    if field is None or best not in field.options:
        return []
    made = _made(text, "determination", tokens, best, schema, 0.5 + 0.4 * scores[best] / total)
    return [made] if made and raw else []


def _letter_date(
    texts: Sequence[_Text], schema: DocumentSchema, name: str, structure: Structure
) -> list[Candidate]:
    """A date alone on its piece of line near the head of the first page."""
    if not texts:
        return []
    text = texts[0]
    labelled = structure.label_words(text.sheaf.page.number)
    for piece in text.sheaf.pieces:
        row = list(text.sheaf.rows[piece.row][piece.start : piece.end])
        if row[0].cy / text.sheaf.sheet.height > _LETTER_DATE:
            break
        raw = " ".join(t.text for t in row)
        spans = find(Kind.DATE, raw)
        if len(spans) == 1 and len(spans[0].text) >= len(raw.strip(" ,.")) - 1:
            before = text.sheaf.rows[piece.row][: piece.start]
            if before and set(before[-1].word_ids) & labelled:
                continue
            made = _made(text, name, row, spans[0].text, schema, 0.55)
            return [made] if made else []
    return []


def _signer(texts: Sequence[_Text], schema: DocumentSchema) -> list[Candidate]:
    """The name under "Sincerely," of a physician's letter."""
    for text in texts:
        rows = text.sheaf.rows
        for index, row in enumerate(rows):
            if not _CLOSING.match(" ".join(t.text for t in row[:2])):
                continue
            for under in rows[index + 1 : index + 4]:
                raw = " ".join(t.text for t in under[:5])
                if re.fullmatch(rf"(?:Dr\.?\s+)?{_NAME}(?:,?\s*[A-Z.]+)*", raw):
                    made = _made(text, "referring_provider_name", list(under[:5]), raw, schema, 0.6)
                    return [made] if made else []
    return []
