# SPDX-License-Identifier: Apache-2.0
"""Delivers documents to Odoo: the files are written, a parcel made of them and handed over.

Threads that deliver at the same moment are handed over together. The server is asked who it is and
where documents go at the first document and again after a while, or after it said that something
is not as it was: neither a start of ours nor one of the server waits for the other.
"""

from __future__ import annotations

import logging
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from idp.deliver import files
from idp.deliver.odoo.courier import Courier, Handed, Limits
from idp.deliver.odoo.parcel import Files, Parcel, Place
from idp.deliver.odoo.port import Odoo
from idp.deliver.odoo.targets import Wanted, place_of
from idp.deliver.odoo.together import Together
from idp.document import Document
from idp.errors import IdpError, OdooError, OdooRefusedError, OdooUncertainError
from idp.handover import HandoverLedger

_DRAWING_AT_ONCE = 2
"""Outlined PDFs drawn at a time: each holds pictures in memory and takes a core."""

_AFTER_FAILURE_SECONDS = 1.0
"""So long after a failed sign-in the others that waited for it learn the same at once."""

_log = logging.getLogger(__name__)


class Packer(Protocol):
    """Makes parcels: it knows the mapping, the document types and what else is on record."""

    def record(self, document: Document) -> Mapping[str, Any]:
        """The contract object as it is to be kept."""

    def parcel(
        self, document: Document, files: Files, odoo: Odoo, place: Place, *, key: str, version: int
    ) -> Parcel:
        """All rows of one version of a document."""

    def handed(
        self, document: Document, server: str, records: Mapping[str, tuple[str, int]]
    ) -> None:
        """Told after each hand-over, however often: model and number of what is there by role."""


@dataclass(frozen=True, slots=True)
class _There:
    """A server that answered, and where documents go on it."""

    odoo: Odoo
    place: Place
    together: Together[Parcel, Handed]
    until: float
    """When it is asked anew what it has, by the clock that only goes forward."""


class OdooSink:
    """Delivers documents to one server; keyed, exactly once, repeatable. Safe for threads."""

    def __init__(
        self,
        connect: Callable[[], Odoo],
        packer: Packer,
        ledger: HandoverLedger,
        work: Path,
        *,
        wanted: Wanted = "auto",
        batch: int = 20,
        limits: Limits | None = None,
    ) -> None:
        """Prepare; nothing is asked before the first document.

        Args:
            connect: Signs in.
            packer: Makes the parcels.
            ledger: Where it is kept what was handed over.
            work: Folder for files on their way; what a kill leaves there may be thrown away.
            wanted: Where documents are to go.
            batch: Most documents handed over together.
            limits: How much in one call.
        """
        self._connect = connect
        self._packer = packer
        self._ledger = ledger
        self._work = work
        self._wanted = wanted
        self._batch = batch
        self._limits = limits or Limits()
        self._drawing = threading.Semaphore(_DRAWING_AT_ONCE)
        self._lock = threading.Lock()
        self._known: _There | None = None
        self._failed: tuple[float, OdooError] | None = None

    def deliver(
        self,
        document: Document,
        original: Path | None,
        page_images: Mapping[int, Path],
        key: str,
        version: int = 1,
    ) -> str:
        """Hand one document over; the same again changes nothing and checks nothing anew.

        Args:
            document: What was found.
            original: The bytes as received; their sha256 must be ``document.sha256``. None where
                they hold more than this document.
            page_images: Upright page image by page number.
            key: Names this delivery for ever.
            version: Of the document's deliveries; a later one changes the same records.

        Returns:
            ``odoo:<model>/<number>``.

        Raises:
            DeliveryError: The original's bytes are not those that were received.
            OdooRefusedError: The server says no to this document.
            OdooError: The server, its modules or the bot's rights are not as they must be; the
                document can wait.
        """
        there = self._server()
        self._work.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="odoo-", dir=self._work) as folder:
            with self._drawing:
                written = files.write_files(
                    Path(folder), self._packer.record(document), document, original, page_images
                )
            parcel = self._packer.parcel(
                document,
                Files(
                    record=written.record,
                    pages=written.overlay,
                    original=written.original,
                    original_name=f"original{files.suffix(document)}",
                    clean=written.pages,
                ),
                there.odoo,
                there.place,
                key=key,
                version=version,
            )
            handed = there.together(parcel)
        if handed.error is not None:
            if not isinstance(handed.error, OdooUncertainError):
                # A module or a right may have come or gone: ask anew.
                self._forget(there)
            raise _own(handed.error) from handed.error
        if handed.gone:
            _log.warning(
                "document %s: deleted in Odoo and not made again: %s",
                document.document_id,
                ", ".join(handed.gone),
            )
        for note in handed.notes:
            _log.info("document %s: %s", document.document_id, note)
        self._packer.handed(document, there.odoo.identity, handed.records)
        assert handed.location is not None
        return handed.location

    def _server(self) -> _There:
        with self._lock:
            known = self._known
            if known is not None and time.monotonic() < known.until:
                return known
            if self._failed is not None and time.monotonic() < self._failed[0]:
                raise _own(self._failed[1])
            try:
                odoo = known.odoo if known is not None else self._connect()
                place = place_of(odoo, self._wanted)
            except OdooError as error:
                ours = error
                if isinstance(error, OdooRefusedError):
                    # A wrong key or database is no document's fault.
                    ours = OdooError(error.message, hint=error.operator_hint)
                # The key may have been renewed: signed in anew the next time.
                self._known = None
                self._failed = (time.monotonic() + _AFTER_FAILURE_SECONDS, ours)
                raise _own(ours) from error
            until = time.monotonic() + self._limits.look_up_seconds
            if known is None:
                courier = Courier(odoo, self._ledger, self._limits)
                known = _There(odoo, place, Together(courier.hand_over, self._batch), until)
            self._known = replace(known, place=place, until=until)
            return self._known

    def _forget(self, there: _There) -> None:
        """Sign in anew at the next document; whoever is at work ends what he began."""
        with self._lock:
            if self._known is not None and self._known.odoo is there.odoo:
                self._known = None


def _own(error: Exception) -> Exception:
    """An error of this thread's own: several may be given the same one."""
    if not isinstance(error, IdpError):
        return error
    return type(error)(error.message, hint=error.operator_hint)
