# SPDX-License-Identifier: Apache-2.0
"""Which clocks run for a document, when the first ends, and how soon it is therefore worked."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from idp.clocks.calendars import Calendar, WorkingTime, zone_of
from idp.clocks.lengths import Length, due, end_on
from idp.clocks.rules import ClockRule, ClocksInForce, Step, When, load_calendars, load_rules
from idp.clocks.wording import UrgencyWording, load_wording
from idp.document import Clock, Document, Urgency
from idp.errors import RulesError
from idp.phrases import fold
from idp.settings import SHIPPED_RULES, SiteSettings

_OLDEST_START = dt.timedelta(days=400)
_FURTHEST_DUE = dt.timedelta(days=800)
"""Dates further away are misread, or of something else."""
_MOST_DAYS = 730


class Running(NamedTuple):
    """The clocks of one document, the first to end first, and its priority (1 is first)."""

    clocks: tuple[Clock, ...]
    priority: int


class Clockwork:
    """The clocks, calendars and wordings in force."""

    def __init__(
        self,
        rules: ClocksInForce,
        calendars: Mapping[str, Calendar],
        wording: UrgencyWording,
    ) -> None:
        self.rules = rules
        self.calendars = calendars
        self.wording = wording

    @cached_property
    def version(self) -> str:
        """A hash of all of it, for the record of a decision."""
        said = [self.rules.model_dump_json(), self.wording.model_dump_json()]
        said += [self.calendars[name].model_dump_json() for name in sorted(self.calendars)]
        return hashlib.sha256("\n".join(said).encode()).hexdigest()[:16]

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps of escalation in their order; the last is overdue."""
        return self.rules.escalation

    def working_time(self, site: SiteSettings) -> WorkingTime:
        """A site's business days and hours; raises :class:`RulesError` for an unknown calendar."""
        calendar = self.calendars.get(site.calendar)
        if calendar is None:
            raise RulesError(
                f"no calendar is named {site.calendar}",
                hint="`sites` in the settings names a file of rules/calendars, without .yaml.",
            )
        return WorkingTime(calendar, zone_of(site.timezone))

    def check(self, site: SiteSettings) -> None:
        """Raise :class:`RulesError` where a site names what is not there."""
        self.working_time(site)
        line = site.line_of_business
        if line is not None and line not in self.rules.lines_of_business:
            raise RulesError(
                f"no line of business is named {line}",
                hint="`lines_of_business` of rules/clocks.yaml lists them.",
            )

    def running(
        self,
        document: Document,
        urgency: Urgency | None,
        *,
        received_at: dt.datetime,
        site: SiteSettings,
        priority: int,
    ) -> Running:
        """The clocks that run for a document that was read.

        Args:
            document: With its fields, claims and masters.
            urgency: How urgent it is; none is routine.
            received_at: Aware.
            site: Whose document it is.
            priority: Of its channel.
        """
        level = urgency.level if urgency is not None else "routine"
        line = self._line_of_business(document, site)
        time = self.working_time(site)
        found: list[tuple[ClockRule, Clock]] = []
        for rule in self._of_day(received_at, time):
            when = rule.when
            if when.unread or not _is_meant(when, document, site):
                continue
            if when.urgency and level not in when.urgency:
                continue
            if not _line_fits(when, line):
                continue
            if clock := _clock(rule, document, received_at, time):
                found.append((rule, clock))
        clocks = _first_of_each(found)
        return Running(clocks, self._priority(clocks, level, received_at, priority))

    def unread(self, *, received_at: dt.datetime, site: SiteSettings, priority: int) -> Running:
        """The clocks of what nobody has read: it may be anything, so the strictest of its site."""
        time = self.working_time(site)
        found = [
            (rule, clock)
            for rule in self._of_day(received_at, time)
            if rule.when.unread
            and _role_fits(rule.when, site)
            and _line_fits(rule.when, site.line_of_business)
            and (clock := _clock(rule, None, received_at, time))
        ]
        clocks = _first_of_each(found)
        return Running(clocks, self._priority(clocks, "routine", received_at, priority))

    def _of_day(self, received_at: dt.datetime, time: WorkingTime) -> tuple[ClockRule, ...]:
        day = time.local_day(received_at)
        return tuple(
            rule
            for rule in self.rules.clocks
            if (rule.effective_from is None or rule.effective_from <= day)
            and (rule.effective_to is None or day <= rule.effective_to)
        )

    def _line_of_business(self, document: Document, site: SiteSettings) -> str | None:
        """Of the site, or what the payer's or the plan's printed name says; none when unclear."""
        if site.line_of_business is not None:
            return site.line_of_business
        printed = "|".join(
            fold(field.value)
            for field in document.fields
            if field.name in ("payer_name", "plan_name") and field.value
        )
        lines = {
            line
            for line, wordings in self.rules.lines_of_business.items()
            if any(fold(wording) in printed for wording in wordings)
        }
        return lines.pop() if len(lines) == 1 else None

    def _priority(
        self, clocks: tuple[Clock, ...], level: str, received_at: dt.datetime, channel: int
    ) -> int:
        ceilings = [channel]
        policy = self.rules.priorities
        ceilings += [p for name, p in policy.urgency.items() if name == level]
        for clock in clocks[:1]:
            left = clock.due_at - received_at
            ceilings += [
                each.priority for each in policy.time if left <= dt.timedelta(hours=each.hours)
            ]
        return min(ceilings)


def load_clockwork(own: Path | None, shipped: Path = SHIPPED_RULES) -> Clockwork:
    """The clocks in force: the shipped ones with those of the folder ``own`` laid over them.

    Raises:
        RulesError: A file is missing, is not YAML, or breaks its shape; the message names it.
    """
    return Clockwork(
        load_rules(own, shipped), load_calendars(own, shipped), load_wording(own, shipped)
    )


def _first_of_each(found: list[tuple[ClockRule, Clock]]) -> tuple[Clock, ...]:
    """The clocks by their end; of a group only the first to end."""
    ordered = sorted(found, key=lambda each: (each[1].due_at, each[0].rule, each[0].name))
    kept: list[Clock] = []
    groups: set[str] = set()
    for rule, clock in ordered:
        if rule.one_of and rule.one_of in groups:
            continue
        groups.add(rule.one_of)
        kept.append(clock)
    return tuple(kept)


def _is_meant(when: When, document: Document, site: SiteSettings) -> bool:
    """Whether a clock runs for a document, urgency and line of business aside."""
    if not _role_fits(when, site) or document.type not in when.types:
        return False
    if when.subtypes and document.subtype not in when.subtypes:
        return False
    if when.drug is not None and when.drug is not _asks_for_drug(document):
        return False
    if when.payers and not _payer_fits(when, document):
        return False
    if when.carcs and not _denied(when, document):
        return False
    return all(
        any(f.name == name and f.value in values for f in document.fields)
        for name, values in when.fields.items()
    )


def _role_fits(when: When, site: SiteSettings) -> bool:
    return not when.roles or site.role in when.roles


def _line_fits(when: When, line: str | None) -> bool:
    if line is None:
        return True
    if line in when.except_lines_of_business:
        return False
    return not when.lines_of_business or line in when.lines_of_business


def _payer_fits(when: When, document: Document) -> bool:
    known = {m.canonical_id for m in document.masters if m.directory == "payers"}
    printed = {fold(f.value) for f in document.fields if f.name == "payer_name" and f.value}
    return any(payer in known or fold(payer) in printed for payer in when.payers)


def _asks_for_drug(document: Document) -> bool:
    return any(
        field.value and field.name in ("medication_name", "ndc", "ndc_code")
        for field in document.fields
    )


def _denied(when: When, document: Document) -> bool:
    """Whether a claim or line that paid nothing was refused for one of the reasons."""
    wanted = set(when.carcs)
    for claim in document.claims:
        for line in claim.service_lines or (claim,):
            said = {part.strip().split("-")[-1] for part in (line.carc or "").split(",")}
            if not line.paid and said & wanted:
                return True
    return False


def _clock(
    rule: ClockRule, document: Document | None, received_at: dt.datetime, time: WorkingTime
) -> Clock | None:
    """One clock, started and with its end; none where nothing says how long it runs."""
    received = received_at.astimezone(dt.UTC)
    starts_at = _start(rule, document, received, time)
    named = _named_end(rule, document, starts_at, received, time)
    length = _length(rule, document)
    if named is not None:
        due_at, told = named
    elif length is not None:
        told = str(length)
        due_at = due(
            length,
            starts_at,
            time,
            ends=rule.ends,
            after_hours=rule.after_hours,
            closed_day=rule.closed_day,
        )
    else:
        return None
    if rule.extension_days:
        due_at = due(Length(days=rule.extension_days), due_at, time, ends="same_time")
        told = f"{told}, extended by {rule.extension_days} calendar days"
    return Clock(
        rule=rule.rule,
        title=rule.title,
        starts_at=starts_at,
        due_at=due_at,
        length=told,
        source=rule.source,
    )


def _start(
    rule: ClockRule, document: Document | None, received: dt.datetime, time: WorkingTime
) -> dt.datetime:
    """Receipt, or the first named date that can be the start: not in the future, not long ago."""
    if rule.starts == "received" or document is None:
        return received
    for name in rule.starts:
        days = _dates(document, name)
        plausible = [
            time.at(day, 0)
            for day in days
            if received - _OLDEST_START <= time.at(day, 0) <= received
        ]
        if plausible:
            return min(plausible)
    return received


def _named_end(
    rule: ClockRule,
    document: Document | None,
    starts_at: dt.datetime,
    received: dt.datetime,
    time: WorkingTime,
) -> tuple[dt.datetime, str] | None:
    """The end that the document names itself, where it can be one."""
    if document is None:
        return None
    for name in rule.due:
        ends = [end_on(day, time, rule.ends, rule.closed_day) for day in _dates(document, name)]
        plausible = [end for end in ends if starts_at <= end <= received + _FURTHEST_DUE]
        if plausible:
            return min(plausible), "by the date that the document names"
    return None


def _length(rule: ClockRule, document: Document | None) -> Length | None:
    """The number of days that the document names, else the rule's own length."""
    for name in rule.days if document is not None else ():
        assert document is not None
        field = document.field(name)
        value = field.value if field is not None else None
        if value and value.isdigit() and 1 <= int(value) <= _MOST_DAYS:
            return Length(days=int(value))
    return rule.length


def _dates(document: Document, name: str) -> list[dt.date]:
    """The dates of a field, or of the claims where it is one of theirs."""
    found: list[dt.date] = []
    if name == "service_date":
        lines = [each for claim in document.claims for each in (claim, *claim.service_lines)]
        found += [line.service_date for line in lines if line.service_date is not None]
    for field in document.fields:
        if field.name != name or not field.value:
            continue
        try:
            found.append(dt.date.fromisoformat(field.value))
        except ValueError:
            continue
    return found
