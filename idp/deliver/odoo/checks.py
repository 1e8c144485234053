# SPDX-License-Identifier: Apache-2.0
"""What ``idp doctor`` finds out about an Odoo server: does it answer, as whom, with which rights.

Nothing is written.
"""

from __future__ import annotations

import datetime as dt
import email.utils
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from idp.deliver.odoo.connection import connect, greet
from idp.deliver.odoo.parcel import Place
from idp.deliver.odoo.port import Odoo
from idp.deliver.odoo.targets import Operation, fields_of, lacking, may, place_of
from idp.deliver.odoo.wire import Wire
from idp.errors import OdooError, OdooRefusedError, OdooRightsError
from idp.slices import OdooSettings

MOST_CLOCK_SECONDS = 60.0
"""Deadlines are days; but what was read back at which time is remembered by the server's clock."""

_READS: tuple[Operation, ...] = ("read",)
_WRITES: tuple[Operation, ...] = ("read", "write", "create")
_LOOPBACK = frozenset(("localhost", "127.0.0.1", "::1"))

ALWAYS: Mapping[str, tuple[Operation, ...]] = {
    "ir.attachment": _WRITES,
    "res.partner": _READS,
    "res.users": _READS,
    "res.company": _READS,
}
"""Whatever is delivered, and wherever to."""

BY_PLACE: Mapping[str, Mapping[str, tuple[Operation, ...]]] = {
    "documents": {"documents.document": _WRITES, "documents.tag": _READS},
    "dms": {"dms.file": _WRITES, "dms.directory": _READS, "dms.storage": _READS},
    "attachment": {},
}
"""Where the files go."""

BY_WORK: Mapping[str, Mapping[str, tuple[Operation, ...]]] = {
    "project.task": {
        "project.task": _WRITES,
        "project.project": _READS,
        "project.tags": _READS,
        "mail.activity": _WRITES,
    },
    "crm.lead": {
        "crm.lead": _WRITES,
        "crm.team": _READS,
        "crm.tag": _READS,
        "mail.activity": _WRITES,
    },
    "helpdesk.ticket": {
        "helpdesk.ticket": _WRITES,
        "helpdesk.ticket.team": _READS,
        "mail.activity": _WRITES,
    },
    "idp.document": {"idp.document": _WRITES, "mail.activity": _WRITES},
}
"""What is made of a document for people to work on."""

_TOO_MUCH: tuple[tuple[str, Operation], ...] = (
    ("res.users", "write"),
    ("ir.model.access", "write"),
    ("ir.module.module", "write"),
)
"""A bot that may do one of these could take the whole server over."""


@dataclass(frozen=True, slots=True)
class Look:
    """What there is to say of a server."""

    version: str
    detail: str
    advice: tuple[str, ...]
    """What an administrator should know; documents are delivered all the same."""


def look(settings: OdooSettings, work: Collection[str] = ()) -> Look:
    """Connect as the bot and look around.

    Args:
        settings: Of the server.
        work: Models of work items that the mapping may use.

    Raises:
        OdooRightsError: The bot lacks a right that delivery can't do without; it is named.
        OdooError: The server can't be used as it is; see :func:`connect`.
    """
    clock = clock_difference(settings)
    odoo = connect(settings)
    try:
        place = place_of(odoo, settings.place)
        if lacks := tuple(rights_lacking(odoo, needed(place))):
            raise lacks[0]
        advice = [*_advice(settings, clock), *_of_rights(odoo, work)]
        told = (
            f"{odoo.identity} by {odoo.protocol} as {settings.user}; files go to {place.kind}; "
            f"clock {clock.total_seconds():+.0f} s"
        )
        return Look(f"{odoo.version[0]}.{odoo.version[1]}", told, tuple(advice))
    except OdooRefusedError as error:
        raise OdooError(error.message, hint=error.operator_hint) from error
    finally:
        odoo.close()


def clock_difference(settings: OdooSettings) -> dt.timedelta:
    """How far the server's clock is before ours; to a second, as HTTP tells it.

    Raises:
        OdooError: See :func:`greet`.
    """
    wire = Wire(settings)
    try:
        said = greet(wire).date
    finally:
        wire.close()
    try:
        theirs = email.utils.parsedate_to_datetime(said)
    except ValueError:
        return dt.timedelta(0)  # it tells no time
    if theirs.tzinfo is None:
        theirs = theirs.replace(tzinfo=dt.UTC)
    return theirs - dt.datetime.now(dt.UTC).replace(microsecond=0)


def needed(place: Place, work: Collection[str] = ()) -> Mapping[str, tuple[Operation, ...]]:
    """The rights for a place and for models of work items, by model."""
    wanted = {**ALWAYS, **BY_PLACE[place.kind]}
    if place.folder_shape == "documents.folder":
        wanted["documents.folder"] = _READS
    if place.addon:
        wanted |= BY_WORK["idp.document"]
    for model in work:
        wanted |= BY_WORK.get(model, {model: _WRITES})
    return wanted


def rights_lacking(
    odoo: Odoo, wanted: Mapping[str, tuple[Operation, ...]]
) -> Iterator[OdooRightsError]:
    """An error for each right that the bot lacks, naming it; models that are not there are skipped.

    Raises:
        OdooError: The server does not answer.
    """
    for model, operations in wanted.items():
        try:
            for operation in operations:
                if not may(odoo, model, operation):
                    yield lacking(odoo, model, operation)
        except OdooRefusedError:
            # Another edition or version calls it otherwise, or does without.
            continue


def _of_rights(odoo: Odoo, work: Collection[str]) -> Iterator[str]:
    """Rights that a kind of work item lacks, and rights that no bot should have."""
    for model in work:
        if fields_of(odoo, model, ("id",)) is None:
            continue
        for error in rights_lacking(odoo, BY_WORK.get(model, {model: _WRITES})):
            yield f"{model}: {error.message}"
    for model, operation in _TOO_MUCH:
        if may(odoo, model, operation):
            yield (
                f"the bot user may {operation} {model}: it has more rights than it needs "
                "(docs/odoo.md, Rights)"
            )
            return


def _advice(settings: OdooSettings, clock: dt.timedelta) -> Iterator[str]:
    parts = urlsplit(settings.url or "")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        yield "deliver.odoo.url is http: the API key and documents travel in clear"
    if abs(clock.total_seconds()) > MOST_CLOCK_SECONDS:
        yield f"its clock and ours are {abs(clock.total_seconds()):.0f} s apart"
