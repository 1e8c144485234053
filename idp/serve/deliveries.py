# SPDX-License-Identifier: Apache-2.0
"""The page of what leaves: deliveries that wait or failed, what lies in Odoo and how it ages."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from idp.outgoing import DeliveryState, HandoverFigures, Spread, in_words
from idp.serve.view import Tone, plain

_SECONDS = 20.0

DELIVERY_TONES: dict[DeliveryState, Tone] = {
    DeliveryState.WAITING: "good",
    DeliveryState.PUT_OFF: "look",
    DeliveryState.DEAD: "bad",
    DeliveryState.DONE: "good",
}


@dataclass(frozen=True, slots=True)
class Figure:
    """One number with its name."""

    number: int
    name: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class Step:
    """How long one step of the way takes."""

    name: str
    number: int
    median: str
    p90: str


@dataclass(frozen=True, slots=True)
class AgeBar:
    """Open work items of one age; ``width`` in percent of the most."""

    name: str
    number: int
    width: int


class FiguresAtMost:
    """The figures of the other system, asked of the store a few times a minute at most."""

    def __init__(self, ask: Callable[[], HandoverFigures]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._figures = HandoverFigures()
        self._until = 0.0

    def __call__(self) -> HandoverFigures:
        """As they are now, or were a moment ago."""
        with self._lock:
            if time.monotonic() >= self._until:
                self._figures = self._ask()
                self._until = time.monotonic() + _SECONDS
            return self._figures


def tiles(figures: HandoverFigures) -> tuple[Figure, ...]:
    """What an operator looks at first."""
    return (
        Figure(figures.open, "open", "good"),
        Figure(figures.unassigned, "with nobody", "look"),
        Figure(figures.overdue, "overdue", "bad"),
        Figure(figures.done, "done", "good"),
        Figure(figures.cancelled, "cancelled", "calm"),
        Figure(figures.deleted, "deleted there", "look"),
        Figure(figures.uncertain, "in doubt", "look"),
    )


def steps(figures: HandoverFigures) -> tuple[Step, ...]:
    """The way of a document in time."""
    return tuple(
        Step(name, spread.number, in_words(spread.median), in_words(spread.p90))
        for name, spread in _named(figures)
        if spread is not None
    )


def _named(figures: HandoverFigures) -> Sequence[tuple[str, Spread | None]]:
    return (
        ("Arrival to delivery", figures.to_delivered),
        ("Delivery until somebody takes it", figures.to_assigned),
        ("Taken until done", figures.to_done),
        ("Arrival until done", figures.whole),
    )


def ages(figures: HandoverFigures) -> tuple[AgeBar, ...]:
    """How long the open ones lie there."""
    most = max((number for _name, number in figures.by_age), default=0)
    return tuple(
        AgeBar(name, number, round(100 * number / most) if most else 0)
        for name, number in figures.by_age
    )


def types(figures: HandoverFigures) -> tuple[tuple[str, int, int, int, object], ...]:
    """By document type: open, with nobody, overdue, since when the oldest lies there."""
    return tuple(
        (plain(each.type), each.open, each.unassigned, each.overdue, each.oldest_at)
        for each in figures.work
    )
