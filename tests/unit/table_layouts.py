# SPDX-License-Identifier: Apache-2.0
"""The invented layouts of ``data/*_layouts.yaml``, and how well a reading matches them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, NamedTuple

import yaml

DATA = Path(__file__).parent / "data"


class Layout(NamedTuple):
    """Pages as text, the rows they show, and single values beside them."""

    name: str
    pages: tuple[str, ...]
    rows: tuple[Mapping[str, str], ...]
    values: Mapping[str, str]


def layouts(file: str, rows: str = "claims", values: str = "statement") -> list[Layout]:
    """All layouts of a file."""
    read = yaml.safe_load((DATA / file).read_text(encoding="utf-8"))
    return [
        Layout(name, tuple(one["pages"]), tuple(one.get(rows, ())), one.get(values) or {})
        for name, one in read.items()
    ]


def comparable(value: object) -> str:
    """A value as the comparison sees it: amounts by worth, everything else by its characters."""
    text = str(value)
    try:
        return str(Decimal(text).normalize())
    except InvalidOperation:
        return re.sub(r"[^A-Z0-9]", "", text.upper())


class Match(NamedTuple):
    """Counts of cells, and the differences in words."""

    counts: Counter[str]
    differences: list[str]


def match_rows(wanted: Iterable[Mapping[str, str]], found: Iterable[Any]) -> Match:
    """Pairs rows by most cells in common; a wrong cell is both a false and a missed one."""
    counts: Counter[str] = Counter()
    differences: list[str] = []
    free = list(found)

    def common(want: Mapping[str, str], row: Any) -> int:
        return sum(comparable(getattr(row, n)) == comparable(v) for n, v in want.items())

    for want in wanted:
        counts["rows"] += 1
        best = max(free, key=lambda row: common(want, row), default=None)
        if best is None or not common(want, best):
            counts["missed"] += len(want)
            differences.append(f"no row for {dict(want)}")
            continue
        free.remove(best)
        counts["found"] += 1
        for name, value in want.items():
            got = getattr(best, name)
            if got is not None and comparable(got) == comparable(value):
                counts["right"] += 1
                continue
            counts["missed"] += 1
            counts["false"] += got is not None
            differences.append(f"{name}: wanted {value}, got {got}")
    counts["extra"] += len(free)
    differences += [f"extra row {row}" for row in free]
    return Match(counts, differences)
