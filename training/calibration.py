# SPDX-License-Identifier: Apache-2.0
"""How often values are wrong that a threshold lets through, by the quality of their pages.

The table that :mod:`idp.calibration` reads. Every value in it was judged by weights that had not
seen its layout. Values of one layout err together, so the bound is the worse of two: a bootstrap
over layouts, which says nothing where no error was seen, and the exact bound over values (Clopper
and Pearson), which knows nothing of layouts.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from idp.calibration import Calibration, Step
from idp.document import Grade
from idp.extract.trust import FEATURES
from idp.sampling import upper_bound

THRESHOLDS = (0.8, 0.85, 0.9, 0.92, 0.94, 0.95, 0.96, 0.97, 0.975, 0.98, 0.985, 0.99, 0.995)
_RESAMPLES = 2000
_RISK = 0.05
_FAIR, _POOR = FEATURES.index("fair_page"), FEATURES.index("poor_page")


class Seen(NamedTuple):
    """One value as judged: its layout, what it was rated, whether it is right, its page."""

    layout: str
    sure: float
    right: bool
    grade: Grade


def grade_of(features: Sequence[float]) -> Grade:
    """The grade of the page that a value stands on, from its features."""
    if features[_POOR]:
        return Grade.POOR
    return Grade.FAIR if features[_FAIR] else Grade.GOOD


def calibration(
    values: Iterable[Seen], *, documents: int, source: Literal["synthetic", "real"]
) -> Calibration:
    """The table over these values."""
    by_grade: dict[Grade, list[Seen]] = defaultdict(list)
    for value in values:
        by_grade[value.grade].append(value)
    every = [value for group in by_grade.values() for value in group]
    return Calibration(
        source=source,
        layouts=len({value.layout for value in every}),
        documents=documents,
        values=len(every),
        steps={
            grade: tuple(step for at in THRESHOLDS if (step := _step(group, at)) is not None)
            for grade, group in sorted(by_grade.items())
        },
    )


def _step(values: Sequence[Seen], threshold: float) -> Step | None:
    """What passes; none where nothing does."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for value in values:
        # A layout none of whose values pass is drawn too: that it is silent is part of the chance.
        of_layout = counts[value.layout]
        if value.sure >= threshold:
            of_layout[0] += 1
            of_layout[1] += not value.right
    per = [(passed, wrong) for passed, wrong in counts.values()]
    passed, wrong = (sum(column) for column in zip(*per, strict=True))
    if not passed:
        return None
    rng = random.Random(0)  # noqa: S311 - resampling
    shares = sorted(
        sum(w for _, w in drawn) / max(1, sum(p for p, _ in drawn))
        for drawn in (rng.choices(per, k=len(per)) for _ in range(_RESAMPLES))
    )
    upper = max(shares[int((1 - _RISK) * _RESAMPLES)], upper_bound(wrong, passed, _RISK))
    return Step(threshold=threshold, values=passed, wrong=wrong, upper=round(upper, 5))
