# SPDX-License-Identifier: Apache-2.0
"""What rules that look codes up have in common: the day that counts, and saying a thing once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import NamedTuple

from idp.document import Claim, Document, Field, Finding, Place, ServiceLine, Severity

_SERVICE = ("service_start_date", "service_from", "effective_from")
_REMITTED = ("payment_date", "issue_date")


class Said(NamedTuple):
    """What is wrong about one code, and one of the places where it stands."""

    severity: Severity
    message: str
    remedy: str
    field: str
    place: Place | None


def service_day(document: Document, today: dt.date) -> dt.date:
    """The first day of service that the document names, else the day of receipt."""
    return _first(document, _SERVICE) or today


def remittance_day(document: Document, today: dt.date) -> dt.date:
    """The day of the payment or notice, else that of receipt."""
    return _first(document, _REMITTED) or today


def place_of(thing: Field | ServiceLine) -> Place | None:
    """Where a value or a line stands."""
    return Place(page=thing.page, box=thing.box) if thing.page is not None else None


def lines(document: Document) -> list[tuple[Claim, ServiceLine]]:
    """Each service line with its claim; a claim without lines is one itself."""
    return [
        (claim, line) for claim in document.claims for line in (claim.service_lines or (claim,))
    ]


def once(rule: str, said: Iterable[Said]) -> list[Finding]:
    """One finding for what is said of several places in the same words."""
    places: dict[tuple[Severity, str, str, str], list[Place]] = {}
    for each in said:
        key = (each.severity, each.message, each.remedy, each.field)
        places.setdefault(key, []).extend([each.place] if each.place is not None else [])
    return [
        Finding(
            rule=rule,
            severity=severity,
            field=field,
            message=message,
            remedy=remedy,
            page=found[0].page if found else None,
            box=found[0].box if found else None,
            fields=(field,),
            places=tuple(dict.fromkeys(found)),
        )
        for (severity, message, remedy, field), found in places.items()
    ]


def _first(document: Document, names: Iterable[str]) -> dt.date | None:
    for name in names:
        days: list[dt.date] = []
        for field in document.fields:
            if field.name == name and field.value:
                try:
                    days.append(dt.date.fromisoformat(field.value))
                except ValueError:
                    continue
        if days:
            return min(days)
    return None
