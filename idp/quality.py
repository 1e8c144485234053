# SPDX-License-Identifier: Apache-2.0
"""What the quality sample shows, in words and figures for people: one way for all surfaces."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from idp.sampling import Interval
from idp.store import QualityRow

_SECONDS = 60.0


class QualityLine(NamedTuple):
    """One document type of the sample, ready to be printed."""

    type: str
    left: str
    sampled: str
    checked: str
    documents_wrong: str
    values_wrong: str
    missed: str
    left_wrong: str


def line_of(row: QualityRow) -> QualityLine:
    """The figures of one type; what is not known is left empty."""
    return QualityLine(
        type=row.type.replace("_", " "),
        left=f"{row.left:,}",
        sampled=f"{row.sampled:,}",
        checked=f"{row.checked:,}",
        documents_wrong=_share(row.documents_wrong, row.checked, row.documents_interval),
        values_wrong=_share(row.values_wrong, row.values, row.values_interval),
        missed=f"{row.values_missed:,}" if row.checked else "",
        left_wrong="too few checked" if row.few else _about(row.left_wrong),
    )


def verdict(row: QualityRow, target: float) -> str:
    """What the sample says of the accuracy target, in words."""
    if row.values_interval is None:
        return "Nothing of the sample was checked yet: how often values are wrong is not known."
    few = f" {row.checked} checked documents are few: go on checking." if row.few else ""
    if not target:
        return f"There is no accuracy target.{few}"
    allowed, said = 1 - target, f"the target of {100 * target:g} %"
    if row.values_interval.high <= allowed:
        return f"What leaves keeps {said}.{few}"
    if row.values_interval.low > allowed:
        return f"What leaves misses {said}: raise it, or register the forms that err.{few}"
    return f"Whether what leaves keeps {said} can't be told yet.{few}"


def _share(hits: int, of: int, interval: Interval | None) -> str:
    if interval is None:
        return ""
    low, high = 100 * interval.low, 100 * interval.high
    return f"{hits} of {of}: {100 * interval.share:.1f} % ({low:.1f} to {high:.1f})"


def _about(interval: Interval | None) -> str:
    if interval is None:
        return ""
    return f"about {interval.share:.0f} ({interval.low:.0f} to {interval.high:.0f})"


class Remembered:
    """The figures, asked of the store at most once a minute: a page asks every few seconds.

    Args:
        ask: The store's figures.
        target: The accuracy target, 0 where there is none.
    """

    def __init__(self, ask: Callable[[], tuple[QualityRow, ...]], target: float) -> None:
        self._ask = ask
        self._target = target
        self._lock = threading.Lock()
        self._rows: tuple[QualityRow, ...] = ()
        self._until = 0.0

    def lines(self) -> tuple[QualityLine, ...]:
        """By type, then over all; nothing before anything left or was sampled."""
        rows = self._current()
        return tuple(map(line_of, rows)) if any(row.left or row.sampled for row in rows) else ()

    def verdict(self) -> str:
        """What the sample says of the target."""
        return verdict(self._current()[-1], self._target)

    def _current(self) -> tuple[QualityRow, ...]:
        with self._lock:
            if time.monotonic() >= self._until:
                self._rows = self._ask()
                self._until = time.monotonic() + _SECONDS
            return self._rows
