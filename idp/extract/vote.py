# SPDX-License-Identifier: Apache-2.0
"""The vote: candidates of all sources become fields.

Two sources that find the same value by different means are right far more often than either alone,
so agreement raises confidence; a value that another source contradicts loses some. Where only one
source speaks its value fills the gap with its own confidence. A value read at its place on a
recognised form is believed before all others: nothing has to be found there, only read.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from idp.document import Box, Field
from idp.extract.ports import Candidate
from idp.extract.tagged import TAGGERS
from idp.schemas import DocumentSchema, FieldSchema
from idp.values import Kind

AGREED = 0.45
"""How much of the remaining doubt agreement of two sources takes away."""
DISPUTED = 0.85
"""What is left of a confidence when another source holds a different value."""
FORM = "form"
"""The source that reads recognised forms."""
SOLE_TRUST: Mapping[str, float] = {
    FORM: 1.0,
    "structure": 1.0,
    "tables": 1.0,
    "crf": 0.8,
    "layoutlm": 0.8,
    "crf+layoutlm": 0.8,
    "prose": 0.95,
}
"""How far a source is believed when no other agrees."""
UNSURE = 0.9
TAGGER_SURE = 0.8
# Measured with both taggers together, on drawn forms: a floor of .2 costs half a point of F1, one
# of .5 two points on standard faxes; more trust than .8 brings nothing, and fewer of the values
# above .9 are right.
FLOOR: Mapping[str, float] = dict.fromkeys(TAGGERS, 0.3)
LIST_TEXT_FLOOR = 0.45
"""Below this a lone source is not heard at all."""
_SAME_PLACE = 0.5
_LOOSE = frozenset({Kind.PERSON, Kind.ORGANIZATION, Kind.TEXT, Kind.ADDRESS})


def key_of(value: str, kind: Kind) -> str:
    """What makes two values the same: letters and digits, names in any order."""
    words = re.findall(r"[a-z0-9]+", value.lower())
    if kind is Kind.PERSON:
        words = sorted(w for w in words if len(w) > 1) or words
        return " ".join(words)
    return "".join(words)


def vote(
    candidates: Iterable[Candidate], schema: DocumentSchema, versions: Mapping[str, str]
) -> tuple[Field, ...]:
    """One field per value, in the schema's order; lists in reading order."""
    by_name: dict[str, list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        by_name[candidate.field].append(candidate)
    fields: list[Field] = []
    for field in schema.fields:
        found = by_name.get(field.name, [])
        if not found:
            continue
        fields += _many(found, field, versions) if field.list else _one(found, field, versions)
    return tuple(fields)


def agree(a: Candidate, b: Candidate, kind: Kind) -> bool:
    """Whether two candidates mean the same value."""
    one, two = key_of(a.value, kind), key_of(b.value, kind)
    if one == two:
        return True
    if kind not in _LOOSE or not one or not two:
        return False
    left, right = set(one.split()), set(two.split())
    if kind is Kind.PERSON:
        return bool(left) and (left <= right or right <= left) and len(left & right) > 1
    return a.page == b.page and _overlap(a.box, b.box) > _SAME_PLACE


def _overlap(a: Box, b: Box) -> float:
    """Shared area over the smaller of the two."""
    return a.shared(b) / max(1e-9, min(a.width * a.height, b.width * b.height))


def _score(candidate: Candidate, others: Sequence[Candidate], kind: Kind) -> float:
    """A candidate's confidence in the light of what the other sources say."""
    foreign = [o for o in others if o.source != candidate.source]
    agreeing = {o.source for o in foreign if agree(candidate, o, kind)}
    sure = candidate.confidence
    if candidate.source == FORM:
        return sure  # others read the same words: nobody says that the signs are right
    if agreeing:
        for _ in agreeing:
            sure += (1 - sure) * AGREED
        return sure
    sure *= SOLE_TRUST.get(candidate.source, 0.8)
    if any(o.confidence > 0.5 for o in foreign):
        sure *= DISPUTED
    # Measured: where the two differ, a sure tagger is right more often than an unsure label.
    # Not for choices: it sees words ("Denied" in one line's column), not what was chosen.
    unsure = candidate.source not in TAGGERS and candidate.confidence < UNSURE
    if kind is Kind.OPTION:
        return sure * DISPUTED if candidate.source in TAGGERS and foreign else sure
    if unsure and any(o.source in TAGGERS and o.confidence >= TAGGER_SURE for o in foreign):
        sure *= DISPUTED
    return sure


def _heard(
    candidate: Candidate, others: Sequence[Candidate], kind: Kind, *, list_text: bool = False
) -> bool:
    floor = FLOOR.get(candidate.source, 0.0)
    if floor and list_text:
        floor = LIST_TEXT_FLOOR
    if candidate.confidence >= floor:
        return True
    return any(o.source != candidate.source and agree(candidate, o, kind) for o in others)


def _one(
    found: Sequence[Candidate], field: FieldSchema, versions: Mapping[str, str]
) -> list[Field]:
    heard = [c for c in found if _heard(c, found, field.kind)]
    if not heard:
        return []
    if registered := [c for c in heard if c.source == FORM]:
        surest = max(registered, key=lambda c: (c.valid, c.confidence, -c.page))
        # Asked again on another page it may stand there in full.
        same = [c for c in registered if c.valid and agree(c, surest, field.kind)]
        best = max(same or [surest], key=lambda c: (len(c.value), c.confidence))
        return [_field(best, _score(best, found, field.kind), versions)]
    scored = [(_score(c, found, field.kind), c) for c in heard]
    # Of equals the structure's reading is kept: its span ends where the label's cell ends.
    scored.sort(key=lambda item: (-round(item[0], 3), item[1].source != "structure", item[1].page))
    best_score, best = scored[0]
    if best.source in TAGGERS or best.source == "prose":
        # Where both mean the same words, a label's value ends where its cell or line ends.
        twins = [
            (s, c)
            for s, c in scored
            if c.source == "structure" and c.confidence > 0.5 and agree(c, best, field.kind)
        ]
        if twins:
            best = twins[0][1]
    return [_field(best, best_score, versions)]


def _many(
    found: Sequence[Candidate], field: FieldSchema, versions: Mapping[str, str]
) -> list[Field]:
    """List values by place: the same words are one value, a value on two lines is two."""
    chosen: list[tuple[float, Candidate]] = []
    is_text = field.kind is Kind.TEXT
    heard = [c for c in found if _heard(c, found, field.kind, list_text=is_text)]
    order = {FORM: -1, "tables": 0, "structure": 1, "prose": 2, **dict.fromkeys(TAGGERS, 3)}
    for candidate in sorted(heard, key=lambda c: (order.get(c.source, 9), -c.confidence)):
        score = _score(candidate, found, field.kind)
        twin = next(
            (
                i
                for i, (_, other) in enumerate(chosen)
                if other.page == candidate.page
                and (
                    _overlap(other.box, candidate.box) > _SAME_PLACE
                    or set(other.word_ids) & set(candidate.word_ids)
                )
            ),
            None,
        )
        if twin is None:
            chosen.append((score, candidate))
        elif chosen[twin][1].source == FORM:
            continue
        elif score > chosen[twin][0] + 0.15 and candidate.source not in TAGGERS:
            chosen[twin] = (score, candidate)
    if field.kind is Kind.OPTION:
        chosen = list({c.value: (s, c) for s, c in reversed(chosen)}.values())[::-1]
    chosen.sort(key=lambda item: (item[1].page, round(item[1].box.cy, 2), item[1].box.x0))
    return [_field(c, s, versions) for s, c in chosen]


def _field(candidate: Candidate, score: float, versions: Mapping[str, str]) -> Field:
    return Field(
        name=candidate.field,
        value=candidate.value,
        raw=candidate.raw,
        confidence=round(min(0.999, max(0.0, score)), 4),
        page=candidate.page,
        box=candidate.box,
        word_ids=candidate.word_ids,
        source=candidate.source,
        model_version=versions.get(candidate.source, ""),
    )
