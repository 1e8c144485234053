# SPDX-License-Identifier: Apache-2.0
"""Hands parcels over to a server: each record there exactly once, whatever is cut in between.

What holds that promise, at each line that may be the last before a kill:

- Before the first call every row's external id is in the ledger as an *intent*. A row without one
  was never tried, so it is loaded at once; a row with an open one may be there, so it is looked up.
- ``load()`` under an external id makes no second record, not even from a request that was given up
  as lost and arrives late: the server itself keeps one record per external id.
- A record that is known is written by its number only. Where people have deleted it, the write
  finds nothing: it is noted as gone and never made again.
- Bytes count as handed over only when the server's own checksum of them is ours.

Parcels go together, rows of the same model and columns in one call. One that is refused does not
hold the others: its call is done again row by row. Parcels with open intents go after the others
and alone, so one that the server chokes on each time does not take the others along.
"""

from __future__ import annotations

import logging
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from idp.deliver.odoo.finding import Finder, Found
from idp.deliver.odoo.loading import Line, Loader
from idp.deliver.odoo.parcel import Content, Find, Parcel
from idp.deliver.odoo.port import Odoo
from idp.deliver.odoo.proving import Proof, Prover
from idp.deliver.odoo.pushing import (
    Item,
    Push,
    content_sha256,
    line_of,
)
from idp.errors import (
    OdooBusyError,
    OdooError,
    OdooRefusedError,
    OdooRightsError,
    OdooUncertainError,
    OdooUnreachableError,
)
from idp.handover import Handover, HandoverLedger

_MEGABYTE = 1_000_000
_MOST_ROWS = 500
"""In one call."""

_log = logging.getLogger(__name__)

_Ready = tuple[Push, Item, Line]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much goes in one call, and how long what was looked up is believed."""

    batch_megabytes: int = 32
    max_megabytes: int = 90
    look_up_seconds: float = 300.0


@dataclass(frozen=True, slots=True)
class Handed:
    """What became of one parcel; ids, roles and codes, never a value."""

    key: str
    location: str | None
    """``odoo:<model>/<number>`` of the main record; ``None`` after an error."""
    records: Mapping[str, tuple[str, int]]
    """Model and number by role, of all that is there now."""
    gone: tuple[str, ...] = ()
    """Roles whose record people have deleted: not made again."""
    notes: tuple[str, ...] = ()
    """As ``work.partner_id:none``: nothing was found for a cell, which stayed as it was."""
    error: Exception | None = None
    """Why it is not, or not wholly, there. The same parcel may be handed over again."""


class Courier:
    """Hands parcels over to one server. Safe for threads."""

    def __init__(self, odoo: Odoo, ledger: HandoverLedger, limits: Limits | None = None) -> None:
        """Prepare; nothing is called before the first parcel.

        Args:
            odoo: The server.
            ledger: Where it is kept what was handed over.
            limits: How much at a time.
        """
        self._limits = limits or Limits()
        self._server = odoo.identity
        self._ledger = ledger
        self._loader = Loader(odoo, keep_seconds=self._limits.look_up_seconds)
        self._finder = Finder(self._loader, keep_seconds=self._limits.look_up_seconds)
        self._prover = Prover(self._loader)

    def hand_over(self, parcels: Sequence[Parcel]) -> list[Handed]:
        """Hand parcels over; one result each, in their order.

        Nothing is raised for what concerns a parcel or the server: it stands in the results.
        """
        results: dict[int, Handed] = {}
        left = dict(enumerate(parcels))
        while left:
            # The same document twice: the second sees what became of the first.
            first_of = {parcel.document_id: n for n, parcel in reversed(left.items())}
            numbers = sorted(first_of.values())
            pushes = [Push(left.pop(number)) for number in numbers]
            self._hand_over(pushes)
            results.update(zip(numbers, map(_result, pushes), strict=True))
        return [results[number] for number in sorted(results)]

    def _hand_over(self, pushes: Sequence[Push]) -> None:
        """Hand over parcels of different documents."""
        self._look_into_the_ledger(pushes)
        live = [push for push in pushes if push.error is None]
        again = [push for push in live if push.open]
        # Were the order the same each time, the first that the server chokes on would hold the
        # others for ever.
        random.shuffle(again)
        batches = [[push for push in live if not push.open], *([push] for push in again)]
        for number, batch in enumerate(batches):
            stop = self._hand_over_together(batch)
            if isinstance(stop, OdooRefusedError | OdooRightsError) and len(batch) > 1:
                # It is about one of them, and nobody knows which.
                batches += [[push] for push in self._begun_again(batch) if push.error is None]
            elif stop is not None and not _is_of_one(stop):
                for push in (push for later in batches[number + 1 :] for push in later):
                    push.error = stop
                return

    def _begun_again(self, batch: Sequence[Push]) -> list[Push]:
        """Those of a batch that are not done, as if nothing had been done with them."""
        undone = [push for push in batch if push.error is not None]
        for push in undone:
            push.items.clear()
            push.notes.clear()
            push.error = None
        self._look_into_the_ledger(undone)
        return undone

    def _look_into_the_ledger(self, pushes: Sequence[Push]) -> None:
        """See what is known of every row, and note the intents."""
        try:
            self._ask_the_ledger(pushes)
        except Exception as error:
            for push in pushes:
                push.error = error

    def _ask_the_ledger(self, pushes: Sequence[Push]) -> None:
        known = self._ledger.handovers(
            self._server,
            [push.parcel.external_id(row.role) for push in pushes for row in push.parcel.rows],
        )
        intents: list[Handover] = []
        for push in pushes:
            for row in push.parcel.rows:
                external_id = push.parcel.external_id(row.role)
                push.items[row.role] = Item(
                    row, external_id, content_sha256(row), known.get(external_id)
                )
            push.error = self._too_large(push.parcel)
            if push.error is None:
                intents += [
                    self._handover(push.parcel, item)
                    for item in push.items.values()
                    if item.known is None or item.open
                ]
        self._ledger.intend(intents)

    def _too_large(self, parcel: Parcel) -> OdooRefusedError | None:
        most = self._limits.max_megabytes
        for row in parcel.rows:
            for cell in row.cells.values():
                if isinstance(cell, Content) and cell.size_bytes > most * _MEGABYTE:
                    return OdooRefusedError(
                        f"{row.role}: larger than deliver.odoo.max_megabytes = {most}"
                    )
        return None

    def _hand_over_together(self, batch: Sequence[Push]) -> Exception | None:
        """Hand some over; returns what stopped all of them."""
        stop: Exception | None = None
        try:
            for push in batch:
                self._guarded(push, partial(self._settle, push))
            self._look_for_the_known(batch)
            self._load_in_waves(batch)
            self._prove(batch)
        except Exception as error:
            stop = error
        try:
            self._ledger.handed_over(
                [
                    outcome
                    for push in batch
                    for item in push.items.values()
                    if (outcome := item.outcome(self._handover(push.parcel, item))) is not None
                ]
            )
        except Exception as error:
            # The intents stay open: the next attempt finds the records by their external ids.
            stop = error
            for push in batch:
                push.error = push.error or error
        for push in batch:
            if stop is not None and not push.done:
                push.error = push.error or stop
        return stop

    def _guarded(self, push: Push, step: Callable[[], None]) -> None:
        """Do a step for one parcel; what the server says of it stays with it."""
        if push.error is not None:
            return
        try:
            step()
        except (OdooUnreachableError, OdooUncertainError):
            raise
        except OdooError as error:
            push.error = error

    def _settle(self, push: Push) -> None:
        """Decide for each row of a parcel what is to be done, by what is known of it."""
        for item in push.items.values():
            known, row = item.known, item.row
            if known is None:
                continue
            if known.gone:
                item.record_id = known.record_id
                item.lose()
                continue
            record_id, model = known.record_id, known.model
            if record_id is None:
                found = self._loader.look_up(item.external_id)
                if found is None or found[1] is None:
                    # Never written, or nothing the bot sees: the external id keeps it one.
                    continue
                model, record_id = found
                item.proven = item.content is None
            item.record_id, item.there = record_id, True
            if model != row.model:
                push.note(f"{row.role}:kept_as_{model}")
                item.skip()
            elif row.once and (item.open or known.content_sha256 is not None):
                item.write = False
            else:
                older = known.version > push.parcel.version
                item.write = known.content_sha256 != item.sha256 and not older

    def _look_for_the_known(self, batch: Sequence[Push]) -> None:
        """Find out which of the known records that matter now people have deleted or archived."""
        wanted: dict[str, dict[int, tuple[Push, Item]]] = defaultdict(dict)
        for push in batch:
            for item in push.to_write():
                for role in (item.row.role, *item.links):
                    other = push.items.get(role)
                    if other is None or other.record_id is None or other.skipped or other.gone:
                        continue
                    wanted[other.row.model][other.record_id] = (push, other)
        for model, items in wanted.items():
            found = self._loader.there(model, sorted(items))
            for record_id, (push, item) in items.items():
                if record_id in found:
                    item.archived = found[record_id]
                else:
                    self._guarded(push, partial(self._lost, item))

    def _lost(self, item: Item) -> None:
        """See what became of a record that was not found."""
        assert item.record_id is not None
        if self._loader.is_gone(item.row.model, item.record_id):
            item.lose()

    def _load_in_waves(self, batch: Sequence[Push]) -> None:
        """Load what is to be written, each row after those that it links to."""
        waiting = [(push, item) for push in batch for item in push.to_write()]
        answers = self._finder.find([find for _, item in waiting for find in item.finds])
        while waiting:
            ready: list[tuple[Push, Item]] = []
            later: list[tuple[Push, Item]] = []
            for push, item in waiting:
                others = [push.items.get(role) for role in item.links]
                if push.error is not None:
                    continue
                if any(other is None or other.gone or other.skipped for other in others):
                    # What it belongs to is not there any more.
                    item.skip()
                    push.note(f"{item.row.role}:nothing_to_belong_to")
                elif any(other is not None and other.record_id is None for other in others):
                    later.append((push, item))
                else:
                    ready.append((push, item))
            if len(later) == len(waiting):
                for push, item in later:
                    push.error = OdooRefusedError(f"{item.row.role} links in a circle")
            self._load_wave(ready, answers)
            waiting = later

    def _load_wave(self, ready: Sequence[tuple[Push, Item]], answers: Mapping[Find, Found]) -> None:
        groups: dict[object, list[_Ready]] = defaultdict(list)

        def make(push: Push, item: Item) -> None:
            line = line_of(push, item, self._loader, answers)
            groups[line.kind].append((push, item, line))

        for push, item in ready:
            self._guarded(push, partial(make, push, item))
        for group in groups.values():
            for portion in self._portions(group):
                self._load_portion(portion)

    def _portions(self, group: Sequence[_Ready]) -> Iterator[list[_Ready]]:
        """Cut a group where its files would be too many for one call."""
        most = self._limits.batch_megabytes * _MEGABYTE
        portion: list[_Ready] = []
        size = 0
        for each in group:
            more = each[2].size_bytes
            if portion and (size + more > most or len(portion) >= _MOST_ROWS):
                yield portion
                portion, size = [], 0
            portion.append(each)
            size += more
        yield portion

    def _load_portion(self, portion: Sequence[_Ready]) -> None:
        live = [each for each in portion if each[0].error is None]
        if len(live) > 1:
            try:
                ids = self._loader.load([line for _, _, line in live])
            except (OdooBusyError, OdooRefusedError, OdooRightsError):
                # All or none: one by one it shows which.
                _log.info("a batch of %d rows was refused; one by one", len(live))
            else:
                for (_, item, line), record_id in zip(live, ids, strict=True):
                    item.loaded(line, record_id)
                return
        for push, item, line in live:
            self._guarded(push, partial(self._load_alone, push, item, line))

    def _load_alone(self, push: Push, item: Item, line: Line) -> None:
        current = line

        def make_line() -> Line:
            return current

        def before_again() -> bool:
            """See what has changed since; whether there is still something to load."""
            nonlocal current
            if item.there:
                assert item.record_id is not None
                found = self._loader.there(item.row.model, [item.record_id])
                if item.record_id not in found:
                    self._lost(item)
                    return not item.gone
                item.archived = found[item.record_id]
            finds = item.finds
            self._finder.forget(finds)
            current = line_of(push, item, self._loader, self._finder.find(finds))
            return True

        record_id = self._loader.load_one(make_line, before_again)
        if record_id is not None:
            item.loaded(current, record_id)

    def _prove(self, batch: Sequence[Push]) -> None:
        """Compare what the server says of the files with what they are; mend once."""
        proofs: dict[Proof, tuple[Push, Item]] = {}
        for push in batch:
            for item in push.items.values():
                named = item.content
                if push.error is None and not item.proven and item.record_id and named:
                    proof = Proof(item.row.model, item.record_id, *named)
                    proofs[proof] = (push, item)
        wrong = self._prover.differing(list(proofs))
        for proof, (push, item) in proofs.items():
            if proof in wrong:
                _log.warning("%s/%d: other bytes; written again", proof.model, proof.record_id)
                self._guarded(push, partial(self._prover.mend, proof))
            item.proven = push.error is None

    def _handover(self, parcel: Parcel, item: Item) -> Handover:
        return Handover(
            server=self._server,
            external_id=item.external_id,
            document_id=parcel.document_id,
            role=item.row.role,
            model=item.row.model,
            version=parcel.version,
            content_sha256=item.sha256,
        )


def _is_of_one(error: Exception) -> bool:
    """Whether an error says something about a parcel, not about the server or ourselves."""
    return isinstance(error, OdooError) and not isinstance(
        error, OdooUnreachableError | OdooUncertainError
    )


def _result(push: Push) -> Handed:
    parcel = push.parcel
    main = push.items.get(parcel.main) or next(iter(push.items.values()), None)
    location = None
    if push.error is None and main is not None:
        location = f"odoo:{main.row.model}/{main.record_id}"
    return Handed(
        key=parcel.key,
        location=location,
        records={
            role: (item.row.model, item.record_id)
            for role, item in push.items.items()
            if item.record_id is not None and not item.gone
        },
        gone=tuple(role for role, item in push.items.items() if item.gone),
        notes=(*parcel.notes, *push.notes),
        error=push.error,
    )
