# SPDX-License-Identifier: Apache-2.0
"""Why less was paid: group, adjustment reason (CARC) and remark (RARC) of a remittance."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from idp.document import Document, Finding, ServiceLine, Severity
from idp.reference import Combination, Entry, Reference
from idp.rulebook import rule
from idp.validate.looked_up import Said, lines, once, place_of, remittance_day

GROUPS = frozenset({"CO", "PR", "OA", "PI"})
_REASON = re.compile(r"(?:([A-Z]{2})[\s-]*)?([A-Z]?\d{1,3})")
_REMARK = re.compile(r"(?:MA|M|N)\d{1,4}")
_DEMANDS_REMARK = "at least one remark code must be provided"
"""So the publisher's own description of a reason says it (CARC 16, 96, 129, ...)."""
_ALERT = "alert:"
"""A remark that only informs: it does not explain an adjustment (X12 code list 411)."""


class _Reason(NamedTuple):
    group: str
    code: str

    def __str__(self) -> str:
        return f"{self.group}-{self.code}" if self.group else self.code


@rule(
    "R7",
    severity=Severity.WARN,
    source="X12 code lists 139 and 411; CAQH CORE 360 (uniform use of CARCs and RARCs)",
)
def reasons_hold(
    document: Document, reference: Reference, today: dt.date, *, told: bool
) -> list[Finding]:
    """R7: group CO, PR, OA or PI; reason and remark in force; a remark where one is demanded.

    And the combination is in the CORE table. What is not imported is not looked up.

    Args:
        document: A remittance.
        reference: The lists.
        today: The day of receipt; that of the payment counts where it is known.
        told: Whether it came as an 835: then extraction has judged the groups segment by segment.
    """
    day = remittance_day(document, today)
    said: list[Said] = []
    for claim, line in lines(document):
        remarks = tuple(dict.fromkeys((*_remarks(line.rarc), *_remarks(claim.rarc))))
        said += _line(line, _reasons(line.carc), remarks, reference, day, told=told)
        if line is not claim:
            on_lines = {str(r) for each in claim.service_lines for r in _reasons(each.carc)}
            of_claim = [r for r in _reasons(claim.carc) if str(r) not in on_lines]
            said += _line(claim, of_claim, _remarks(claim.rarc), reference, day, told=told)
    return once("R7", said)


def _reasons(carc: str | None) -> list[_Reason]:
    found: list[_Reason] = []
    for part in re.split(r"[,;/|]", (carc or "").upper()):
        text = part.strip()
        match = _REASON.fullmatch(text)
        if match and not _REMARK.fullmatch(text):
            found.append(_Reason(match[1] or "", match[2]))
    return found


def _remarks(rarc: str | None) -> tuple[str, ...]:
    return tuple(_REMARK.findall((rarc or "").upper()))


def _line(
    line: ServiceLine,
    reasons: Sequence[_Reason],
    remarks: Sequence[str],
    reference: Reference,
    day: dt.date,
    *,
    told: bool,
) -> Iterator[Said]:
    place = place_of(line)

    def warn(field: str, message: str, remedy: str) -> Said:
        return Said(Severity.WARN, message, remedy, field, place)

    for reason in reasons:
        if reason.group and reason.group not in GROUPS and not told:
            yield warn(
                "carc",
                f"{reason}: the group is none of CO, PR, OA and PI",
                "Compare it with the page; post it by hand if the payer printed it so",
            )
        entry = reference.look("carc", reason.code, day)
        if (wrong := _not_in_force(entry, "carc", reason.code, reference, day)) is not None:
            yield warn("carc", f"Adjustment reason {wrong}", "Ask the payer what is meant")
        if entry is not None and _demands(entry) and not _explained(remarks, reference, day):
            yield warn(
                "rarc",
                f"Adjustment reason {reason.code} demands a remark code, and none explains it",
                "Ask the payer for the remark; without it the denial can't be worked",
            )
        if (wrong := _not_combined(reason, remarks, reference, day)) is not None:
            yield warn("carc", wrong, "Hold the payer to the CORE table, or ask what is meant")
    for remark in remarks:
        entry = reference.look("rarc", remark, day)
        if (wrong := _not_in_force(entry, "rarc", remark, reference, day)) is not None:
            yield warn("rarc", f"Remark {wrong}", "Ask the payer what is meant")


def _not_in_force(
    entry: Entry | None, kind: str, code: str, reference: Reference, day: dt.date
) -> str | None:
    if not reference.has(kind):
        return None
    if entry is None:
        return f"{code} is not in the list"
    if entry.active_on(day):
        return None
    if entry.stop is not None and entry.stop < day:
        return f"{code} was taken out of use on {entry.stop.isoformat()}"
    return f"{code} is not in use before {entry.start.isoformat() if entry.start else day}"


def _demands(entry: Entry) -> bool:
    said = f"{entry.title} {entry.description}".lower()
    return _DEMANDS_REMARK in " ".join(said.split())


def _explained(remarks: Sequence[str], reference: Reference, day: dt.date) -> bool:
    """Whether a remark other than an alert is there; without the list, whether any is."""
    for remark in remarks:
        entry = reference.look("rarc", remark, day)
        if entry is None or not f"{entry.title}{entry.description}".lower().startswith(_ALERT):
            return True
    return False


def _not_combined(
    reason: _Reason, remarks: Sequence[str], reference: Reference, day: dt.date
) -> str | None:
    """What contradicts the CORE table; reasons outside its scenarios are free."""
    table = reference.combinations(reason.code)
    if not table or not reason.group or any(_fits(row, reason, remarks) for row in table):
        return None
    scenarios = ", ".join(dict.fromkeys(row.scenario for row in table if row.scenario))
    where = f" (scenario {scenarios})" if scenarios else ""
    groups = frozenset(group for row in table for group in row.groups)
    if reason.group not in groups:
        return (
            f"CORE knows reason {reason.code} with {', '.join(sorted(groups))} only{where}, not "
            f"with {reason.group}"
        )
    beside = f"remark {', '.join(remarks)}" if remarks else "no remark"
    return f"CORE does not combine {reason} with {beside}{where}"


def _fits(row: Combination, reason: _Reason, remarks: Sequence[str]) -> bool:
    return reason.group in row.groups and (not row.rarc or row.rarc in remarks)
