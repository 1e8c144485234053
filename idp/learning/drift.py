# SPDX-License-Identifier: Apache-2.0
"""Drift: whether the documents of a week are still like those before it. Pure.

Four things are watched per document type: the confidence of fields, the share of required fields
that are missing, the share of values that people corrected, and the share of documents in layouts
never met before. Each is a distribution, and each is compared with that of the reference weeks by
the population stability index (PSI): below .1 is steady, above .25 is a shift to look into, by the
rule of thumb of credit scoring where it comes from (Siddiqi 2006). It says that something changed,
not that it got worse: that is for the evaluation to tell.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from idp.learning.layouts import Layouts

EDGES = (0.3, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98)
"""Where confidences are cut into classes: finer where decisions are made."""
_HALF = 0.5
"""Added to each class, so that an empty one does not make the index infinite."""
ALL_TYPES = "all"


class Seen(NamedTuple):
    """One processed document, without a value."""

    document_id: str
    at: dt.datetime
    type: str
    layout: str
    confidences: Mapping[str, float]
    missing: Sequence[str]


class Measure(BaseModel):
    """One watched thing in one week: its rate or mean, that of the reference, and the shift."""

    model_config = ConfigDict(frozen=True)

    now: float | None
    reference: float | None
    psi: float | None
    warns: bool


class Week(BaseModel):
    """One week of one document type. ``enough`` is false where counts are too small to judge."""

    model_config = ConfigDict(frozen=True)

    begins: dt.datetime
    type: str
    documents: int
    reference_documents: int
    enough: bool
    measures: dict[str, Measure]

    @property
    def warns(self) -> bool:
        return any(m.warns for m in self.measures.values())


def psi(now: Sequence[int], reference: Sequence[int]) -> float:
    """The population stability index of two counts over the same classes.

    Raises:
        ValueError: The classes are not the same number.
    """
    if len(now) != len(reference) or not now:
        raise ValueError("both need the same classes")
    one = [n + _HALF for n in now]
    two = [n + _HALF for n in reference]
    total_one, total_two = sum(one), sum(two)
    shares = [(a / total_one, b / total_two) for a, b in zip(one, two, strict=True)]
    return sum((a - b) * math.log(a / b) for a, b in shares)


def classes(confidences: Iterable[float]) -> list[int]:
    """How many confidences fall between each two of :data:`EDGES`."""
    counts = [0] * (len(EDGES) + 1)
    for value in confidences:
        counts[sum(value >= edge for edge in EDGES)] += 1
    return counts


class _Sums:
    """What is counted over some documents."""

    def __init__(self) -> None:
        self.documents = 0
        self.confidences: list[float] = []
        self.missing = [0, 0]
        self.corrected = [0, 0]
        self.unseen = [0, 0]


_RATES: Mapping[str, Callable[[_Sums], list[int]]] = {
    "missing": lambda sums: sums.missing,
    "corrected": lambda sums: sums.corrected,
    "unseen_layout": lambda sums: sums.unseen,
}


def weeks(
    seen: Sequence[Seen],
    corrected: Mapping[str, tuple[int, int]],
    *,
    until: dt.datetime,
    count: int,
    reference_weeks: int,
    threshold: float,
    least_documents: int,
) -> list[Week]:
    """Each of the last weeks, for all documents and per type, beside the weeks before it.

    Args:
        seen: Processed documents; those older than the first reference week only tell which
            layouts were known.
        corrected: By document id: values that a person changed, added or removed, and all values
            the person spoke of.
        until: The end of the last week (aware).
        count: How many weeks.
        reference_weeks: Each week is compared with so many before it.
        threshold: A shift above it is a warning.
        least_documents: Fewer in the week or in its reference are not judged.
    """
    ordered = sorted(seen, key=lambda s: (s.at, s.document_id))
    sums: dict[tuple[int, str], _Sums] = {}
    layouts, first_met = Layouts(), dict[str, int]()
    oldest = math.floor((until - ordered[0].at) / dt.timedelta(weeks=1)) if ordered else 0
    for one in ordered:
        ago = math.floor((until - one.at) / dt.timedelta(weeks=1))
        family = layouts.family(one.layout, one.document_id)
        first_met.setdefault(family, ago)
        if not 0 <= ago < count + reference_weeks:
            continue
        for kind in (ALL_TYPES, one.type):
            _count(
                sums.setdefault((ago, kind), _Sums()),
                one,
                corrected.get(one.document_id, (0, 0)),
                # In the first week of all every layout is new: that says nothing.
                unseen=None if ago == oldest else first_met[family] == ago,
            )
    found = []
    for ago in reversed(range(count)):
        for kind in sorted({k for _, k in sums}):
            now = _merged([sums.get((ago, kind))])
            reference = _merged(
                [sums.get((a, kind)) for a in range(ago + 1, ago + 1 + reference_weeks)]
            )
            if not now.documents and not reference.documents:
                continue
            enough = min(now.documents, reference.documents) >= least_documents
            found.append(
                Week(
                    begins=until - dt.timedelta(weeks=ago + 1),
                    type=kind,
                    documents=now.documents,
                    reference_documents=reference.documents,
                    enough=enough,
                    measures=_measures(now, reference, threshold if enough else math.inf),
                )
            )
    return found


def _count(sums: _Sums, one: Seen, corrected: tuple[int, int], *, unseen: bool | None) -> None:
    sums.documents += 1
    sums.confidences += one.confidences.values()
    sums.missing = _plus(sums.missing, len(one.missing), len(one.confidences))
    sums.corrected = _plus(sums.corrected, corrected[0], corrected[1] - corrected[0])
    if unseen is not None:
        sums.unseen = _plus(sums.unseen, int(unseen), int(not unseen))


def _plus(counts: Sequence[int], yes: int, no: int) -> list[int]:
    return [counts[0] + yes, counts[1] + no]


def _merged(several: Iterable[_Sums | None]) -> _Sums:
    whole = _Sums()
    for one in several:
        if one is None:
            continue
        whole.documents += one.documents
        whole.confidences += one.confidences
        whole.missing = _plus(whole.missing, *one.missing)
        whole.corrected = _plus(whole.corrected, *one.corrected)
        whole.unseen = _plus(whole.unseen, *one.unseen)
    return whole


def _measures(now: _Sums, reference: _Sums, threshold: float) -> dict[str, Measure]:
    found = {
        "confidence": _measure(
            _mean(now.confidences),
            _mean(reference.confidences),
            classes(now.confidences),
            classes(reference.confidences),
            threshold,
        )
    }
    for name, counts in _RATES.items():
        one, two = counts(now), counts(reference)
        found[name] = _measure(_rate(one), _rate(two), one, two, threshold)
    return found


def _measure(
    now: float | None,
    reference: float | None,
    one: Sequence[int],
    two: Sequence[int],
    threshold: float,
) -> Measure:
    if now is None or reference is None:
        return Measure(now=now, reference=reference, psi=None, warns=False)
    shift = psi(one, two)
    return Measure(now=now, reference=reference, psi=round(shift, 4), warns=shift > threshold)


def _mean(values: Sequence[float]) -> float | None:
    return round(sum(values) / len(values), 4) if values else None


def _rate(counts: Sequence[int]) -> float | None:
    whole = sum(counts)
    return round(counts[0] / whole, 4) if whole else None
