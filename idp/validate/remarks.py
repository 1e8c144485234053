# SPDX-License-Identifier: Apache-2.0
"""Remarks on a remittance that name what was taken away or added without a column for it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from idp.document import Page, Place, union_of
from idp.reductions import Level, Remark

_AMOUNT = re.compile(r"(?<![\d.,])(\d{1,3}(?:,\d{3})+|\d+)\.(\d{2})(?!\d)")
_CENT = Decimal("0.01")
MOST_REMARKS = 500
"""Of one document."""


class Printed(NamedTuple):
    """A remark as it stands on a page, with the amounts on its line and the next."""

    remark: Remark
    amounts: frozenset[Decimal]
    place: Place


def remarks_on(pages: Sequence[Page], remarks: Sequence[Remark]) -> tuple[Printed, ...]:
    """The remarks of these kinds on these pages."""
    found: list[Printed] = []
    for page in pages:
        lines: dict[int, list[int]] = {}
        for at, word in enumerate(page.words):
            lines.setdefault(word.line, []).append(at)
        rows = [[page.words[at] for at in lines[number]] for number in sorted(lines)]
        texts = [" ".join(word.text for word in row) for row in rows]
        for at, text in enumerate(texts):
            low = text.casefold()
            for remark in remarks:
                if not any(re.search(rf"\b{re.escape(word)}", low) for word in remark.words):
                    continue
                box = union_of([word.box for word in rows[at]])
                amounts = _amounts(" ".join(texts[at : at + 2]))
                found.append(Printed(remark, amounts, Place(page=page.number, box=box)))
                if len(found) >= MOST_REMARKS:
                    return tuple(found)
    return tuple(found)


def _amounts(text: str) -> frozenset[Decimal]:
    found = (Decimal(f"{m[1].replace(',', '')}.{m[2]}") for m in _AMOUNT.finditer(text))
    return frozenset(amount for amount in found if amount)


def explaining(
    printed: Sequence[Printed], level: Level, expected: Decimal, said: Decimal
) -> Printed | None:
    """The remark that says why ``said`` stands where the amounts give ``expected``."""
    short = expected - said
    for each in printed:
        remark = each.remark
        amount = -short if remark.raises else short
        if level not in remark.where or amount <= 0:
            continue
        by_rate = (
            (expected * remark.rate).quantize(_CENT, ROUND_HALF_UP)
            if remark.rate is not None
            else None
        )
        # Payers round what is left, or what is taken: half a cent either way.
        if amount in each.amounts or (by_rate is not None and abs(amount - by_rate) <= _CENT):
            return each
    return None
