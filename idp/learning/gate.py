# SPDX-License-Identifier: Apache-2.0
"""Champion against challenger: the arithmetic, and the gate that refuses a regression. Pure.

An evaluation holds counts and names, never values. A wrong value is one value too many and one
too few, so F1 is 2 right / (2 right + too many + too few).

Documents of one layout err together, so the interval of the difference is a paired bootstrap over
layouts where there are enough of them, else over documents (and then says so): the same drawn
documents are counted for both.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from idp.slices import GateSettings

LAYOUTS_TO_DRAW = 8
"""With fewer layouts than this drawing layouts says nothing; documents are drawn then."""
_COVERED = 0.95


class Counts(BaseModel):
    """Values right, found too many (wrong or extra), and too few (wrong or missed)."""

    model_config = ConfigDict(frozen=True)

    right: int = 0
    many: int = 0
    few: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            right=self.right + other.right,
            many=self.many + other.many,
            few=self.few + other.few,
        )

    @property
    def f1(self) -> float:
        """1 where there was nothing to find and nothing was found."""
        whole = 2 * self.right + self.many + self.few
        return 2 * self.right / whole if whole else 1.0

    @property
    def precision(self) -> float:
        found = self.right + self.many
        return self.right / found if found else 1.0


class FieldPair(BaseModel):
    """One field of one document, as both found it."""

    model_config = ConfigDict(frozen=True)

    champion: Counts
    challenger: Counts


class Compared(BaseModel):
    """One document as champion and challenger read it."""

    model_config = ConfigDict(frozen=True)

    name: str
    layout: str
    type: str
    fields: dict[str, FieldPair]


class Difference(BaseModel):
    """F1 of both, their difference, and the interval that holds it in 95 of 100 cases."""

    model_config = ConfigDict(frozen=True)

    documents: int
    champion: float
    challenger: float
    difference: float
    low: float | None = None
    high: float | None = None
    drawn: Literal["layouts", "documents", ""] = ""


class Evaluation(BaseModel):
    """How a challenger did beside a champion on a set that nobody trains on."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    challenger: str
    champion: str
    set_name: str
    set_sha256: str
    kind: Literal["synthetic", "real", "mixed"]
    at: str
    overall: Difference
    precision: tuple[float, float]
    fields: dict[str, Difference]
    layouts: dict[str, Difference]
    types: dict[str, Difference]
    documents_per_cpu_second: tuple[float, float] | None = None
    """Extraction alone, champion and challenger on the same machine and pages."""


class Verdict(BaseModel):
    """What the gate says; ``reasons`` in words for the record."""

    model_config = ConfigDict(frozen=True)

    passed: bool
    reasons: tuple[str, ...]


def _sum(
    documents: Iterable[Compared], names: Callable[[str], bool] = lambda name: True
) -> tuple[Counts, Counts]:
    one, two = Counts(), Counts()
    for document in documents:
        for name, pair in document.fields.items():
            if names(name):
                one, two = one + pair.champion, two + pair.challenger
    return one, two


def _plain(
    documents: Sequence[Compared], names: Callable[[str], bool] = lambda name: True
) -> Difference:
    one, two = _sum(documents, names)
    return Difference(
        documents=len(documents),
        champion=round(one.f1, 4),
        challenger=round(two.f1, 4),
        difference=round(two.f1 - one.f1, 4),
    )


def bootstrap(
    documents: Sequence[Compared], draws: int, seed: int = 1
) -> tuple[float, float, Literal["layouts", "documents"]]:
    """The 95 % interval of the difference of F1, and what was drawn to get it.

    Raises:
        ValueError: There is no document.
    """
    if not documents:
        raise ValueError("nothing to draw from")
    by_layout: dict[str, list[Compared]] = defaultdict(list)
    for document in documents:
        by_layout[document.layout].append(document)
    of_layouts = len(by_layout) >= LAYOUTS_TO_DRAW
    groups = list(by_layout.values()) if of_layouts else [[d] for d in documents]
    sums = [_sum(group) for group in groups]
    rng = random.Random(seed)  # noqa: S311 - not for secrets
    found = []
    for _ in range(draws):
        drawn = rng.choices(sums, k=len(sums))
        found.append(_f1_of([two for _, two in drawn]) - _f1_of([one for one, _ in drawn]))
    found.sort()
    edge = (1 - _COVERED) / 2
    low, high = found[int(edge * draws)], found[min(draws - 1, int((1 - edge) * draws))]
    return round(low, 4), round(high, 4), "layouts" if of_layouts else "documents"


def _f1_of(several: Sequence[Counts]) -> float:
    right = sum(c.right for c in several)
    whole = 2 * right + sum(c.many + c.few for c in several)
    return 2 * right / whole if whole else 1.0


def evaluate(
    documents: Sequence[Compared],
    *,
    challenger: str,
    champion: str,
    set_name: str,
    set_sha256: str,
    kind: Literal["synthetic", "real", "mixed"],
    at: str,
    draws: int,
    documents_per_cpu_second: tuple[float, float] | None = None,
) -> Evaluation:
    """The comparison as it is kept: overall with its interval, per field, layout and type."""
    low, high, drawn = bootstrap(documents, draws)
    one, two = _sum(documents)
    overall = _plain(documents).model_copy(update={"low": low, "high": high, "drawn": drawn})

    def by(key: Callable[[Compared], str]) -> dict[str, Difference]:
        groups: dict[str, list[Compared]] = defaultdict(list)
        for document in documents:
            groups[key(document)].append(document)
        return {name: _plain(groups[name]) for name in sorted(groups)}

    names = sorted({name for document in documents for name in document.fields})
    fields = {
        name: _plain([d for d in documents if name in d.fields], lambda n, name=name: n == name)  # type: ignore[misc]
        for name in names
    }
    return Evaluation(
        challenger=challenger,
        champion=champion,
        set_name=set_name,
        set_sha256=set_sha256,
        kind=kind,
        at=at,
        overall=overall,
        precision=(round(one.precision, 4), round(two.precision, 4)),
        fields=fields,
        layouts=by(lambda d: d.layout),
        types=by(lambda d: d.type),
        documents_per_cpu_second=documents_per_cpu_second,
    )


def judge(evaluations: Sequence[Evaluation], policy: GateSettings) -> Verdict:
    """Whether a challenger may take the champion's place, by every set it was measured on."""
    if not evaluations:
        return Verdict(
            passed=False, reasons=("it was never measured beside the models now in force",)
        )
    reasons: list[str] = []
    for evaluation in evaluations:
        reasons += [f"{evaluation.set_name}: {reason}" for reason in _against(evaluation, policy)]
    if reasons:
        return Verdict(passed=False, reasons=tuple(reasons))
    return Verdict(
        passed=True,
        reasons=tuple(
            f"{e.set_name}: F1 {e.overall.champion:.3f} -> {e.overall.challenger:.3f} on "
            f"{e.overall.documents} {e.kind} documents"
            for e in evaluations
        ),
    )


def _against(evaluation: Evaluation, policy: GateSettings) -> list[str]:
    overall = evaluation.overall
    if overall.documents < policy.min_documents:
        return [f"only {overall.documents} documents, {policy.min_documents} are asked for"]
    found = []
    if _falls(overall.difference, policy.max_drop):
        found.append(_words("F1", overall))
    before, after = evaluation.precision
    if _falls(after - before, policy.max_drop):
        found.append(f"precision falls from {before:.3f} to {after:.3f}")
    for what, several, least, most in (
        ("layout", evaluation.layouts, policy.layout_documents, policy.max_layout_drop),
        ("field", evaluation.fields, policy.field_documents, policy.max_field_drop),
    ):
        for name, difference in several.items():
            if difference.documents >= least and _falls(difference.difference, most):
                found.append(_words(f"F1 of {what} {name}", difference))
    return found


def _falls(difference: float, most: float) -> bool:
    # Figures are rounded to four places: a drop of exactly the limit is within it.
    return round(difference, 4) < -most


def _words(what: str, difference: Difference) -> str:
    return (
        f"{what} falls from {difference.champion:.3f} to {difference.challenger:.3f} "
        f"on {difference.documents} documents"
    )
