# SPDX-License-Identifier: Apache-2.0
"""The clocks as ``rules/clocks.yaml`` writes them: which document starts which, and how long.

Which clock runs is data. An appliance's own ``clocks.yaml`` is laid over the shipped one: a clock
of the same name takes the place of the shipped one, ``without`` lists those that do not run here.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from idp.clocks.calendars import Calendar
from idp.clocks.files import Strict, read_yaml
from idp.clocks.lengths import Ends, Length, disorder
from idp.errors import RulesError

Level = Literal["routine", "urgent", "emergent"]
Role = Literal["provider", "payer"]

FILE = "clocks.yaml"
CALENDARS = "calendars"


class When(Strict):
    """What a document must be for a clock to run; what is left out does not matter."""

    unread: bool = False
    """Nobody knows what it is: it waits to be read, or can't be."""
    roles: tuple[Role, ...] = ()
    """Of the site."""
    types: tuple[str, ...] = ()
    subtypes: tuple[str, ...] = ()
    urgency: tuple[Level, ...] = ()
    """A document that says nothing of it is routine."""
    drug: bool | None = None
    """Whether a medication is asked for."""
    lines_of_business: tuple[str, ...] = ()
    """Holds too where the line of business is not known: the stricter clock counts then."""
    except_lines_of_business: tuple[str, ...] = ()
    payers: tuple[str, ...] = ()
    """Canonical ids of our directory, or names as printed."""
    fields: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Field -> values of which it has one."""
    carcs: tuple[str, ...] = ()
    """Claim adjustment reasons of which a claim that paid nothing has one."""

    @model_validator(mode="after")
    def _clear(self) -> When:
        if self.unread and (self.types or self.subtypes or self.urgency or self.fields):
            raise ValueError("what is `unread` has no type, urgency or fields")
        if not self.unread and not self.types:
            raise ValueError("a clock names the `types` of document that it runs for, or `unread`")
        return self


class ClockRule(Strict):
    """One clock."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")
    rule: str = Field(pattern=r"^T[1-9]$")
    title: str = Field(min_length=1, max_length=120)
    when: When
    starts: Literal["received"] | tuple[str, ...] = "received"
    """``received``, or date fields: the first that has a plausible date counts, else receipt."""
    due: tuple[str, ...] = ()
    """Date fields that name the last day themselves; a plausible one counts before ``length``."""
    days: tuple[str, ...] = ()
    """Fields with a number of calendar days that counts before ``length``."""
    length: Length | None = None
    ends: Ends = "same_time"
    after_hours: Literal["counts", "next_opening"] = "counts"
    closed_day: Literal["keep", "earlier", "later"] = "keep"
    extension_days: int = Field(0, ge=0, le=60)
    """Calendar days by which a site has decided to extend it: shown in its length."""
    one_of: str = ""
    """Of several clocks of one group only the first to end runs."""
    effective_from: dt.date | None = None
    effective_to: dt.date | None = None
    source: str = Field(min_length=1)

    @model_validator(mode="after")
    def _ends_some_day(self) -> ClockRule:
        if self.length is None and not self.due and not self.days:
            raise ValueError(f"{self.name}: names neither a `length` nor a field with the last day")
        if self.length is not None and (
            why := disorder(
                self.length,
                ends=self.ends,
                after_hours=self.after_hours,
                closed_day=self.closed_day,
            )
        ):
            raise ValueError(f"{self.name}: {why}")
        if self.when.unread and self.starts != "received":
            raise ValueError(f"{self.name}: what is unread starts when it is received")
        if (
            self.effective_from is not None
            and self.effective_to is not None
            and self.effective_to < self.effective_from
        ):
            raise ValueError(f"{self.name}: effective_to lies before effective_from")
        return self


class Step(Strict):
    """How far a clock has run down, and what that is called."""

    used: float = Field(gt=0, le=1)
    state: str = Field(pattern=r"^[a-z][a-z_]{0,31}$")
    priority: int | None = Field(None, ge=1, le=9)
    """A document whose clock has come this far is worked at least this soon."""


class Left(Strict):
    """How soon a document is worked whose first clock ends within so many hours of its receipt."""

    hours: float = Field(gt=0)
    priority: int = Field(ge=1, le=9)


class Priorities(Strict):
    """Ceilings on a document's priority (1 is worked first); the channel's is where it begins."""

    urgency: dict[Level, int] = Field(default_factory=dict)
    time: tuple[Left, ...] = ()

    @model_validator(mode="after")
    def _in_range(self) -> Priorities:
        if any(not 1 <= each <= 9 for each in self.urgency.values()):
            raise ValueError("a priority lies between 1 and 9")
        return self


class ClocksFile(Strict):
    """``clocks.yaml`` as written."""

    version: int = Field(1, ge=1)
    clocks: tuple[ClockRule, ...] = ()
    without: tuple[str, ...] = ()
    lines_of_business: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Line of business -> how payers and plans print it."""
    escalation: tuple[Step, ...] = ()
    priorities: Priorities | None = None

    @model_validator(mode="after")
    def _named_once(self) -> ClocksFile:
        names = [clock.name for clock in self.clocks]
        if double := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"clocks named twice: {', '.join(sorted(double))}")
        used = [step.used for step in self.escalation]
        if used != sorted(set(used)):
            raise ValueError("escalation: the steps are in order, each later than the one before")
        if self.escalation and used[-1] != 1:
            raise ValueError("escalation: the last step is `used: 1`")
        return self


class ClocksInForce(Strict):
    """The shipped clocks with an appliance's own over them."""

    clocks: tuple[ClockRule, ...]
    lines_of_business: dict[str, tuple[str, ...]]
    escalation: tuple[Step, ...]
    priorities: Priorities


def load_rules(own: Path | None, shipped: Path) -> ClocksInForce:
    """The clocks in force; raises :class:`RulesError` naming the file at fault."""
    first = read_yaml(shipped / FILE, ClocksFile)
    second = ClocksFile()
    if own is not None and (own / FILE).exists():
        second = read_yaml(own / FILE, ClocksFile)
        known = {clock.name for clock in (*first.clocks, *second.clocks)}
        if unknown := set(second.without) - known:
            raise RulesError(
                f"{own / FILE}: without: no clock is named {', '.join(sorted(unknown))}"
            )
    clocks = {clock.name: clock for clock in (*first.clocks, *second.clocks)}
    lines = {**first.lines_of_business, **second.lines_of_business}
    for clock in clocks.values():
        named = {*clock.when.lines_of_business, *clock.when.except_lines_of_business}
        if unknown := named - set(lines):
            raise RulesError(
                f"{FILE}: {clock.name}: no line of business is named {', '.join(sorted(unknown))}"
            )
    escalation = second.escalation or first.escalation
    priorities = second.priorities or first.priorities
    if not escalation or priorities is None:
        raise RulesError(f"{shipped / FILE}: names no escalation or no priorities")
    return ClocksInForce(
        clocks=tuple(clock for clock in clocks.values() if clock.name not in second.without),
        lines_of_business=lines,
        escalation=escalation,
        priorities=priorities,
    )


def load_calendars(own: Path | None, shipped: Path) -> dict[str, Calendar]:
    """All calendars by name, an appliance's own before shipped ones; raises :class:`RulesError`."""
    found: dict[str, Calendar] = {}
    for folder in (shipped, own):
        if folder is None:
            continue
        for path in sorted((folder / CALENDARS).glob("*.yaml")):
            calendar = read_yaml(path, Calendar)
            if calendar.calendar != path.stem:
                raise RulesError(f"{path}: the calendar in it is named {calendar.calendar}")
            found[calendar.calendar] = calendar
    return found
