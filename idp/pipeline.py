# SPDX-License-Identifier: Apache-2.0
"""The way of a document, readable on one screen. Only this module knows the order of the rooms.

    file -> unpack -> read -> recognise forms -> split -> extract -> validate -> documents

Everything here can be killed at any line and run again: the only things written are the job's own
work folder and remembered pages, whole or not at all, and the documents' ids are derived from what
arrived, not drawn.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from idp.came import (
    Came,
    how_it_came,
    with_flaws,
    with_left_out,
    with_pages_kept,
    with_sidecar_flaw,
)
from idp.classify import split, split_as
from idp.cutting import Recut
from idp.document import Document, DocumentType, Page
from idp.errors import InputError
from idp.extract import X12_VERSION, Extractor, extract_x12
from idp.forms import FormLibrary
from idp.in_force import Champion, ModelsInForce
from idp.ingest import Part, Refusal, Scanner, unpack, unpacking
from idp.judge import Judge, companions_of, sample_key
from idp.learning import Registry
from idp.read import PageCache, Reader, fax_envelope, without_fax_headers
from idp.reasons import refused
from idp.schemas import load_lexicon, load_schemas, load_separators
from idp.settings import Settings
from idp.signals import Observation
from idp.stopwatch import Stopwatch
from idp.validate import announced_on_cover
from idp.x12 import TransactionSet


class Result(NamedTuple):
    """What one file became: its documents in page order, and the pages as read."""

    documents: tuple[Document, ...]
    pages: tuple[Page, ...]
    observations: tuple[Observation | None, ...] = ()
    """What the models did, one for each document; none for one that no model read."""
    judged_by: tuple[bytes, ...] = ()
    """What the documents' rules versions stand for."""


class _Draft(NamedTuple):
    """A document as read and not yet judged; one that can't be read has no clock any more."""

    document: Document
    pages: tuple[Page, ...] = ()
    arrived: tuple[Page, ...] = ()
    clock: Stopwatch | None = None
    flaws: tuple[str, ...] = ()
    champion: Champion | None = None


def sha256_of(path: Path) -> str:
    """The hash of the bytes as received."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def document_id(sha256: str, part: str | None, ordinal: int) -> str:
    """The same bytes give the same ids on every run, so a repeated run overwrites itself."""
    name = f"{sha256}/{part or ''}/{ordinal}"
    return f"doc-{hashlib.sha256(name.encode()).hexdigest()[:20]}"


class Pipeline:
    """All rooms in a row, with the reading processes kept warm between files."""

    def __init__(self, settings: Settings, *, resident: bool = False) -> None:
        """Loads what is shared by all files.

        Args:
            settings: All options.
            resident: For the service: the reading processes load their models before the first
                file comes, and pages that were read are remembered in the data folder.
        """
        self.settings = settings
        self._resident = resident
        self._cache = _page_cache(settings) if resident else None
        self.schemas = load_schemas(settings.schemas_folder)
        self.judge = Judge(
            settings,
            self.schemas,
            sample_key=sample_key(settings.data, make=True) if resident else None,
        )
        self.separators = load_separators(settings.schemas_folder)
        self.forms = FormLibrary(settings.forms_folder, self.schemas)
        self.models = ModelsInForce(
            Registry(settings.registry_folder, settings.models_folder), self._extractor
        )
        self.reader = Reader(settings.read, settings.models_folder, self._cache)
        clamd = settings.ingest.clamd
        self.scanner = Scanner(clamd) if clamd is not None else None
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self._open.enter_context(self.reader)
        if self._resident:
            self.reader.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    @property
    def model_versions(self) -> dict[str, str]:
        """What read and understood the pages, for the record."""
        return {**self.reader.versions, **self.models.champion().versions}

    def problems(self) -> tuple[str, ...]:
        """What an operator should look at; empty when all is well."""
        scanner = self.scanner.problem() if self.scanner is not None else None
        return (
            *((scanner,) if scanner else ()),
            *self.models.problems(),
            *self.forms.problems(),
            *self.judge.masters.problems(),
        )

    def counts(self) -> dict[str, int]:
        """What became of the child processes and remembered pages; nothing of any page."""
        counts = dataclasses.asdict(self.reader.health)
        counts |= {f"unpack_{name}": n for name, n in unpacking().items()}
        cache = self.reader.cache_health
        if cache is not None:
            counts |= {f"cache_{name}": n for name, n in dataclasses.asdict(cache).items()}
        return counts

    def tidy(self) -> None:
        """Removes what is kept for a limited time only; to be called now and then."""
        if self._cache is not None:
            self._cache.expire()

    def process(
        self,
        path: Path,
        *,
        workspace: Path,
        channel: str,
        received_at: dt.datetime,
        source: str | None = None,
        site: str | None = None,
        sidecar: tuple[str, Path] | None = None,
        recut: Recut | None = None,
        on_stage: Callable[[str], None] = lambda stage: None,
    ) -> Result:
        """Turn one file into checked documents.

        Args:
            path: The original; it is only read.
            workspace: An existing folder for this job alone; page images are left in it.
            channel: The drop folder's name.
            received_at: When the file arrived (aware); dates are judged against its day.
            source: What to call the file in the result; by default its path.
            site: Whose channel it came by.
            sidecar: The name and the bytes of the file that describes it, where there is one.
            recut: How a person has cut it, and which of its documents stay as they are.
            on_stage: Told the name of each stage as it begins.

        Returns:
            The documents, at least one; with ``recut`` those of the pages that are open, maybe
            none. A file that can't be read gives a single document with decision ``quarantine``
            and an error code, never an exception.

        Raises:
            ScannerDownError: the virus scanner that the settings ask for does not answer.
        """
        clock = Stopwatch(on_stage)
        blank = Document(
            document_id="",
            source=source or str(path),
            sha256=sha256_of(path),
            channel=channel,
            type=DocumentType.OTHER,
            type_confidence=0.0,
            pages=(),
        )
        came = how_it_came(blank.source, channel, site, sidecar, self.settings.ingest)
        blank = blank.model_copy(update={"envelope": came.envelope()})
        try:
            if self.scanner is not None:
                with clock.stage("scan"):
                    self.scanner.scan(path)
            with clock.stage("unpack"):
                unpacked = unpack(path, workspace, self.settings.ingest)
        except InputError as error:
            broken = _refused(blank, Refusal.of(error), clock)
            broken = self.judge.unread(broken, received_at=received_at)
            return Result((with_sidecar_flaw(broken, came.flaw),), ())
        drafts: list[_Draft] = []
        pages: list[Page] = []
        for number, part in enumerate(unpacked.parts):
            place = workspace / f"read-{number:04d}"
            place.mkdir()
            found, read = self._part(
                part, blank, came, place=place, clock=clock.copy(), recut=recut
            )
            drafts.extend(found)
            pages.extend(read)
        # Only now: what a form asks for may have come as another attachment.
        kept = recut.kept if recut is not None else ()
        beside = (*kept, *(draft.document for draft in drafts))
        documents = [self._checked(draft, beside, received_at) for draft in drafts]
        observations = [
            self.models.observe(draft.champion, document, draft.pages)
            if draft.champion is not None and self._resident
            else None
            for draft, document in zip(drafts, documents, strict=True)
        ]
        theirs = pages if recut is None else _accounted(recut, [*documents, *kept], pages)
        documents = list(with_pages_kept((*documents, *kept), theirs))[: len(documents)]
        if not kept:  # else it was said on the first of those that stay
            documents[0] = with_left_out(documents[0], unpacked.left_out)
            documents[0] = with_sidecar_flaw(documents[0], came.flaw)
        judged_by = {self.judge.judged_by(each) for each in documents if each.rules_version}
        return Result(tuple(documents), tuple(pages), tuple(observations), tuple(sorted(judged_by)))

    def read_as(self, document: Document, pages: Sequence[Page]) -> Document:
        """The document with its fields found anew, as of the type that it has; not judged.

        Args:
            document: With the type that a person named.
            pages: Its own, as read.
        """
        champion = self.models.champion()
        own = _without_other_forms(pages, document.type)
        found = champion.extractor.extract(own, document.type)
        changed: dict[str, object] = {
            **found._asdict(),
            "model_versions": {**document.model_versions, **champion.versions},
        }
        if all(page.form is None for page in own):
            changed["form"] = None
        return document.model_copy(update=changed)

    def _part(
        self,
        part: Part,
        blank: Document,
        came: Came,
        *,
        place: Path,
        clock: Stopwatch,
        recut: Recut | None,
    ) -> tuple[Sequence[_Draft], Sequence[Page]]:
        """What one part holds, and its pages; one that can't be read is in quarantine."""
        if recut is not None and recut.refused_before(part.name):
            return (), ()
        blank = blank.model_copy(
            update={
                "part": part.name,
                "part_sha256": part.sha256,
                "envelope": came.envelope(mail=part.envelope),
            }
        )
        if part.error is not None:
            return [_Draft(_refused(blank, part.error, clock))], ()
        if part.transaction is not None:
            told = self._transaction(part, part.transaction, blank, clock)
            stays = recut is not None and not _open_pages(recut, part.name, told[1])
            return ((), told[1]) if stays else told
        try:
            with clock.stage("read"):
                pages = part.read or self.reader.read(part.pages, place)
        except InputError as error:
            return [_Draft(_refused(blank, Refusal.of(error), clock))], ()
        pages = tuple(
            page.model_copy(update={"part": part.name})
            for page in without_fax_headers(pages, part.pages)
        )
        envelope = came.envelope(
            mail=part.envelope,
            header=fax_envelope(pages, self.settings.ingest.timezone),
            cover=announced_on_cover(pages),
        )
        blank = blank.model_copy(update={"envelope": envelope})
        with clock.stage("forms"):
            pages = self.forms.recognised(pages)
        with clock.stage("classify"):
            if recut is None:
                segments = split(
                    pages, self.schemas, self.separators, message_text=part.message_text
                )
            else:
                said = recut.cuts.of_part(part.name)
                left = _open_pages(recut, part.name, pages)
                segments = split_as(left, self.schemas, said, apart=recut.has_documents)
        champion = self.models.champion()
        drafts: list[_Draft] = []
        for ordinal, segment in enumerate(segments):
            draft = blank.model_copy(
                update={
                    "document_id": document_id(blank.sha256, part.name, ordinal),
                    "type": segment.type,
                    "type_confidence": segment.type_confidence,
                    "subtype": segment.subtype,
                    "form": segment.form,
                    "pages": segment.pages,
                    "set_aside": segment.set_aside,
                    "cut_confidence": segment.cut_confidence,
                    "cut_page": segment.cut_page,
                    "model_versions": {**self.reader.versions, **champion.versions},
                }
            )
            mine = tuple(page for page in pages if page.number in draft.pages)
            # What a sidecar announces are the pages of the file, not of one attachment in it.
            arrived = pages if part.name is None or came.sidecar is None else ()
            timed = clock.copy()
            with timed.stage("extract"):
                found = champion.extractor.extract(
                    mine if recut is None else _without_other_forms(mine, draft.type), draft.type
                )
            read = draft.model_copy(update=found._asdict())
            drafts.append(_Draft(read, mine, arrived, timed, tuple(part.flaws), champion))
        return drafts, pages

    def _transaction(
        self, part: Part, transaction: TransactionSet, blank: Document, clock: Stopwatch
    ) -> tuple[Sequence[_Draft], Sequence[Page]]:
        """The document of a transaction set: it says what it is, so no model has a word in it."""
        pages = tuple(page.model_copy(update={"part": part.name}) for page in part.read)
        with clock.stage("extract"):
            found = extract_x12(transaction, pages)
        draft = blank.model_copy(
            update={
                "document_id": document_id(blank.sha256, part.name, 0),
                "type": found.type,
                "type_confidence": 1.0,
                "subtype": found.subtype,
                "pages": tuple(page.number for page in pages),
                "fields": found.fields,
                "claims": found.claims,
                "findings": found.findings,
                "model_versions": {"x12": X12_VERSION},
            }
        )
        return [_Draft(draft, pages, clock=clock)], pages

    def _extractor(self, models: Path) -> Extractor:
        """What finds fields with the weights of a models folder."""
        return Extractor(
            models, self.schemas, load_lexicon(), layoutlm=self.settings.extract.layoutlm
        )

    def _checked(
        self, draft: _Draft, arrival: Sequence[Document], received_at: dt.datetime
    ) -> Document:
        """The document judged, beside the others of its arrival."""
        if draft.clock is None:
            return self.judge.unread(draft.document, received_at=received_at)
        with draft.clock.stage("validate"):
            checked = self.judge.judged(
                draft.document,
                draft.pages,
                received_at=received_at,
                arrived=draft.arrived,
                companions=companions_of(draft.document, arrival),
            )
        timed = checked.model_copy(update={"timings_ms": draft.clock.milliseconds})
        return with_flaws(timed, draft.flaws)


def _page_cache(settings: Settings) -> PageCache | None:
    """Where the service remembers pages; none when the setting says so, and then none is left."""
    cache = PageCache(
        settings.cache_folder / "pages",
        settings.read.cache_bytes,
        dt.timedelta(days=settings.read.cache_days),
    )
    if settings.read.cache_bytes == 0:
        cache.clear()
        return None
    return cache


def _without_other_forms(pages: Sequence[Page], type_: DocumentType) -> tuple[Page, ...]:
    """The pages, those that look like a registered form of another type read as any other.

    A person named the type: the places of that form hold fields which the type does not have.
    """
    return tuple(
        page
        if page.form is None or page.form.type == type_
        else page.model_copy(update={"form": None})
        for page in pages
    )


def _open_pages(recut: Recut, part: str | None, pages: Sequence[Page]) -> tuple[Page, ...]:
    """The pages of a part that no document has which stays as it is."""
    return tuple(page for page in pages if recut.is_open(part, page.number))


def _accounted(
    recut: Recut, documents: Sequence[Document], pages: Sequence[Page]
) -> Sequence[Page]:
    """The pages without those that a person left out and that lie next to no document."""
    aside = {(each.part, number) for each in documents for number in each.set_aside}
    left_out = {(c.part, c.number) for c in recut.cuts.pages if c.says == "left_out"} - aside
    return [page for page in pages if (page.part, page.number) not in left_out]


def _refused(blank: Document, refusal: Refusal, clock: Stopwatch) -> Document:
    """A file or part that can't be read, as a document: quarantined, with its code and hint."""
    named = blank.model_copy(
        update={
            "document_id": document_id(blank.sha256, blank.part, 0),
            "timings_ms": clock.milliseconds,
        }
    )
    return refused(named, refusal.code, refusal.hint, refusal.message)
