# SPDX-License-Identifier: Apache-2.0
"""The balance of a remittance as a picture: from what was billed, step by step, to the payment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from idp.document import RemittanceSummary

Kind = Literal["whole", "taken", "given", "wrong"]
WIDTH = 600.0
"""Of the part that the bars have, in the picture's own units."""
_NAMED = "Named in remarks"
_NOT_EXPLAINED = "Not explained"


@dataclass(frozen=True, slots=True)
class Bar:
    """One step; ``x`` and ``width`` in units of the picture, ``join`` where the next begins."""

    title: str
    amount: Decimal
    kind: Kind
    x: float
    width: float
    join: float


def waterfall(summary: RemittanceSummary) -> tuple[Bar, ...]:
    """The bars from top to bottom; none where what was billed or paid is not known."""
    steps = tuple(_steps(summary))
    levels = [Decimal(0), *(end for _, _, _, end in steps), *(start for _, _, start, _ in steps)]
    low, high = min(levels), max(levels)
    if not steps or high == low:
        return ()
    scale = WIDTH / float(high - low)

    def at(level: Decimal) -> float:
        return round(float(level - low) * scale, 1)

    return tuple(
        Bar(
            title=title,
            amount=end - start if kind != "whole" else end,
            kind=kind,
            x=min(at(start), at(end)),
            width=max(abs(at(end) - at(start)), 1.5),
            join=at(end),
        )
        for title, kind, start, end in steps
    )


def _steps(summary: RemittanceSummary) -> Iterator[tuple[str, Kind, Decimal, Decimal]]:
    """Title, kind, and the levels between which each step goes."""
    billed, paid, payment = summary.billed, summary.paid, summary.payment
    if billed is None or paid is None:
        return
    zero = Decimal(0)
    level = billed
    yield "Billed", "whole", zero, level
    for title, amount in (
        ("Adjustments", summary.adjusted),
        ("Patient's share", summary.patient),
        (_NAMED if summary.balanced else _NOT_EXPLAINED, summary.left_over),
    ):
        if amount:
            wrong = title == _NOT_EXPLAINED and summary.balanced is False
            kind: Kind = "wrong" if wrong else "taken" if amount > 0 else "given"
            yield title, kind, level, level - amount
            level -= amount
    yield "Claims pay", "whole", zero, level
    if summary.provider_adjusted:
        amount = summary.provider_adjusted
        yield "Provider adjustments", "taken" if amount > 0 else "given", level, level - amount
        level -= amount
    if payment is None:
        return
    if payment != level:
        kind = "wrong" if summary.balanced is False else "taken"
        yield _NAMED if summary.balanced else _NOT_EXPLAINED, kind, level, payment
    yield "Payment", "whole", zero, payment
