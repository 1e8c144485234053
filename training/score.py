# SPDX-License-Identifier: Apache-2.0
"""The arithmetic of the evaluation: truth and output in, counted values out. Pure.

Judged are the fields that the truth of a document names (blank there: any value is wrong).
Other fields can't be judged, as a truth is not exhaustive; they are only counted. A wrong value
is one false positive and one false negative.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field

from training.normalise import JudgedKind, comparable, match_values

Json = Mapping[str, Any]
Outcome = Literal["ok", "wrong", "missed", "extra", "blank_filled"]

_TYPE_LETTERS = {
    "q": "prior_auth_request",
    "r": "referral",
    "d": "prior_auth_determination",
    "e": "remittance_eob",
    "i": "patient_intake",
}
_CLAIM_KEY_WEIGHTS = {
    "claim_number": 8,
    "procedure_code": 2,
    "billed": 2,
    "paid": 2,
    "service_date": 2,
    "patient_account": 2,
    "patient_name": 1,
}


class Judged(NamedTuple):
    """Which fields are judged, and how."""

    kinds: dict[str, JudgedKind]
    types: dict[str, frozenset[str]]
    cells: dict[str, JudgedKind]
    aliases: dict[str, str]

    def canonical(self, name: str) -> str:
        """The one name of a field that has several."""
        return self.aliases.get(name, name)

    def counts(self, name: str, document_type: str | None) -> bool:
        """Whether the field is a core field of the type."""
        return document_type in self.types.get(name, frozenset())


@cache
def judged_fields() -> Judged:
    """The table in ``judged_fields.yaml``; raises ``ValueError`` on an unknown kind."""
    text = Path(__file__).with_name("judged_fields.yaml").read_text(encoding="utf-8")
    table = yaml.safe_load(text)
    kinds = {name: spec["kind"] for name, spec in table["fields"].items()}
    for kind in (*kinds.values(), *table["claims"].values()):
        if kind not in get_args(JudgedKind):
            raise ValueError(f"judged_fields.yaml: unknown kind {kind}")
    types = {
        name: frozenset(_TYPE_LETTERS[letter] for letter in spec["types"])
        for name, spec in table["fields"].items()
    }
    return Judged(kinds, types, table["claims"], table["aliases"])


class Value(BaseModel):
    """One judged value: right, wrong, missed, or filled where nothing stands."""

    model_config = ConfigDict(frozen=True)

    name: str
    outcome: Outcome
    truth: str | None = None
    found: str | None = None
    confidence: float | None = None


class ExpectedDocument(BaseModel):
    """What the truth says about one document of a file."""

    type: str
    pages: list[int]
    fields: dict[str, list[object]] = {}
    claims: list[dict[str, Any]] = []
    missing: list[str] = []


class CellCounts(BaseModel):
    """Counts over the claims of a remittance."""

    rows: int = 0
    rows_found: int = 0
    rows_extra: int = 0
    right: int = 0
    missed: int = 0
    wrong: int = 0


class MissingCounts(BaseModel):
    """Counts over the names reported missing."""

    wanted: int = 0
    reported: int = 0
    false: int = 0
    """Reported missing although the value is printed."""
    right: int = 0
    """Reported missing and indeed blank, wanted or not."""


class Scored(BaseModel):
    """One document, judged."""

    stem: str
    variant: str
    handwritten: bool
    type: str
    found_type: str | None
    type_confidence: float | None = None
    decision: str | None = None
    values: list[Value] = []
    cells: CellCounts = Field(default_factory=CellCounts)
    missing: MissingCounts = Field(default_factory=MissingCounts)
    unjudged: int = 0


def expected_documents(truth: Json) -> list[ExpectedDocument]:
    """The documents of a file: neighbouring pages of one type are one document."""
    table = judged_fields()
    page_types = truth.get("page_types") or [truth["doc_type"]] * int(truth.get("pages") or 1)
    documents: list[ExpectedDocument] = []
    for number, page_type in enumerate(page_types, 1):
        if documents and documents[-1].type == page_type:
            documents[-1].pages.append(number)
        else:
            documents.append(ExpectedDocument(type=page_type, pages=[number]))
    documents[0].missing = list(truth.get("expected_missing") or [])
    for printed_name, entry in truth["fields"].items():
        page = entry.get("page")
        document = next((d for d in documents if page in d.pages), documents[0])
        value = entry["value"]
        if printed_name == "claims":
            document.claims = list(value)
            continue
        name = table.canonical(re.sub("^attached_", "", printed_name))
        document.fields.setdefault(name, []).extend(value if isinstance(value, list) else [value])
    return documents


def assign(
    expected: Sequence[ExpectedDocument], found: Sequence[Json]
) -> tuple[list[Json | None], list[Json]]:
    """Pairs documents by common pages, then type, then number of fields; and what is left over."""
    free, pairs = list(found), list[Json | None]()
    for wanted in expected:

        def likeness(candidate: Json, wanted: ExpectedDocument = wanted) -> tuple[int, bool, int]:
            pages = set(candidate.get("pages") or wanted.pages)
            return (
                len(set(wanted.pages) & pages),
                candidate.get("type") == wanted.type,
                len(candidate.get("fields") or []),
            )

        best = max(free, key=likeness, default=None)
        pairs.append(best)
        if best is not None:
            free.remove(best)
    return pairs, [d for d in free if d.get("type") != "other"]


def _score_values(
    wanted: ExpectedDocument, found: Json, *, day_first: bool
) -> tuple[list[Value], int]:
    table = judged_fields()
    values: dict[str, list[object]] = defaultdict(list)
    confidences: dict[tuple[str, str | None], float | None] = {}
    for field in found.get("fields") or []:
        name = table.canonical(field["name"])
        values[name].append(field.get("value"))
        if kind := table.kinds.get(name):
            form = comparable(field.get("value"), kind, day_first=day_first)
            confidences[name, form] = field.get("confidence")
    for name, kind in table.cells.items():  # what all claims agree on is the document's, too
        cells = {
            comparable(claim[name], kind, day_first=day_first): claim[name]
            for claim in found.get("claims") or []
            if claim.get(name)
        }
        if name not in values and len(cells) == 1:
            values[name] = list(cells.values())
    judged: list[Value] = []
    unjudged = 0
    for name in sorted(set(wanted.fields) | set(values)):
        if not table.counts(name, wanted.type):
            continue
        kind = table.kinds[name]

        def forms(several: Iterable[object] | None, kind: JudgedKind = kind) -> list[str]:
            return [f for v in several or () if (f := comparable(v, kind, day_first=day_first))]

        truth_forms, found_forms = forms(wanted.fields.get(name)), forms(values.get(name))
        if name not in wanted.fields:
            unjudged += len(found_forms)
            continue
        right, missed, wrong = match_values(truth_forms, found_forms, kind)
        judged += [
            Value(name=name, outcome="ok", truth=f, found=f, confidence=confidences.get((name, f)))
            for f in right
        ]
        for place in range(max(len(missed), len(wrong))):
            one = missed[place] if place < len(missed) else None
            two = wrong[place] if place < len(wrong) else None
            outcome: Outcome
            if one and two:
                outcome = "wrong"
            elif one:
                outcome = "missed"
            else:
                outcome = "extra" if truth_forms else "blank_filled"
            judged.append(
                Value(
                    name=name,
                    outcome=outcome,
                    truth=one,
                    found=two,
                    confidence=confidences.get((name, two)),
                )
            )
    return judged, unjudged


def _score_claims(wanted: Sequence[Json], found: Sequence[Json]) -> CellCounts:
    cells = judged_fields().cells

    def likeness(one: Json, two: Json) -> int:
        total = 0
        for name, weight in _CLAIM_KEY_WEIGHTS.items():
            form = comparable(one.get(name), cells[name])
            if form and form == comparable(two.get(name), cells[name]):
                total += weight
        return total

    pairs = sorted(
        (
            (likeness(one, two), -i, -j)
            for i, one in enumerate(wanted)
            for j, two in enumerate(found)
        ),
        reverse=True,
    )
    partner: dict[int, int] = {}
    for weight, i, j in pairs:
        if weight > 0 and -i not in partner and -j not in partner.values():
            partner[-i] = -j
    counts = CellCounts(rows=len(wanted), rows_found=len(partner))
    if wanted:
        counts.rows_extra = len(found) - len(partner)
    for i, one in enumerate(wanted):
        other: Json = found[partner[i]] if i in partner else {}
        for name, kind in cells.items():
            if name not in one:
                continue
            truth, seen = comparable(one.get(name), kind), comparable(other.get(name), kind)
            counts.right += bool(truth) and truth == seen
            counts.missed += bool(truth) and truth != seen
            counts.wrong += bool(seen) and truth != seen
    return counts


def _score_missing(wanted: ExpectedDocument, found: Json) -> MissingCounts:
    table = judged_fields()
    lacking = {table.canonical(name) for name in wanted.missing}
    lacking = {name for name in lacking if table.counts(name, wanted.type)}
    reported = {table.canonical(name) for name in found.get("missing") or []}
    filled = {n for n, vs in wanted.fields.items() if any(v not in (None, "") for v in vs)}
    return MissingCounts(
        wanted=len(lacking),
        reported=len(lacking & reported),
        false=len((reported & filled) - lacking),
        right=len(reported & (lacking | (set(wanted.fields) - filled))),
    )


def score_document(
    wanted: ExpectedDocument,
    found: Json | None,
    *,
    stem: str = "",
    variant: str = "original",
    handwritten: bool = False,
) -> Scored:
    """Judges one document; ``found`` is an object of ``idp process --json``, or nothing."""
    output: Json = found or {}
    scored = Scored(
        stem=stem,
        variant=variant,
        handwritten=handwritten,
        type=wanted.type,
        found_type=output.get("type"),
        type_confidence=output.get("type_confidence"),
        decision=output.get("decision"),
    )
    if wanted.type == "other":
        return scored
    scored.values, scored.unjudged = _score_values(wanted, output, day_first=handwritten)
    scored.cells = _score_claims(wanted.claims, output.get("claims") or [])
    scored.missing = _score_missing(wanted, output)
    return scored


def score_file(
    truth: Json, found: Sequence[Json], *, stem: str, variant: str
) -> tuple[list[Scored], int]:
    """Judges all documents of a file; also how many documents were found too many.

    The values of a surplus document are false positives of the file's first document.
    """
    table = judged_fields()
    expected = expected_documents(truth)
    pairs, surplus = assign(expected, found)
    handwritten = truth.get("difficulty") == "handwritten"
    scored = [
        score_document(wanted, output, stem=stem, variant=variant, handwritten=handwritten)
        for wanted, output in zip(expected, pairs, strict=True)
    ]
    for document in surplus:
        for field in document.get("fields") or []:
            name = table.canonical(field["name"])
            if table.counts(name, document.get("type")):
                scored[0].values.append(
                    Value(
                        name=name,
                        outcome="extra",
                        found=str(field.get("value")),
                        confidence=field.get("confidence"),
                    )
                )
    return scored, len(surplus)


class Figures(BaseModel):
    """Precision, recall and F1 over judged values, with the counts they come from."""

    precision: float
    recall: float
    f1: float
    right: int
    wrong: int
    missed: int
    extra: int
    blank_filled: int


def figures(documents: Iterable[Scored]) -> Figures:
    """Micro-averaged figures over all values of the documents."""
    count: Counter[str] = Counter(v.outcome for d in documents for v in d.values)
    right = count["ok"]
    false_positive = count["wrong"] + count["extra"] + count["blank_filled"]
    false_negative = count["wrong"] + count["missed"]

    def share(part: int, whole: int) -> float:
        if whole:
            return part / whole
        return 0.0 if false_positive or false_negative else 1.0

    return Figures(
        precision=share(right, right + false_positive),
        recall=share(right, right + false_negative),
        f1=share(2 * right, 2 * right + false_positive + false_negative),
        right=right,
        wrong=count["wrong"],
        missed=count["missed"],
        extra=count["extra"],
        blank_filled=count["blank_filled"],
    )
