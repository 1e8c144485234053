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
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from idp.classify import split
from idp.document import (
    Decision,
    Document,
    DocumentType,
    Envelope,
    Finding,
    Page,
    Severity,
)
from idp.errors import InputError
from idp.extract import X12_VERSION, Extractor, extract_x12
from idp.forms import FormLibrary
from idp.in_force import Champion, ModelsInForce
from idp.ingest import Part, Refusal, Scanner, envelope_from_name, read_sidecar, unpack, unpacking
from idp.learning import Registry
from idp.read import PageCache, Reader, fax_envelope, without_fax_headers
from idp.schemas import load_lexicon, load_schemas, load_separators
from idp.settings import Settings
from idp.signals import Observation
from idp.validate import announced_on_cover, validate
from idp.x12 import TransactionSet

CHUNK_BYTES = 1 << 20


class Result(NamedTuple):
    """What one file became: its documents in page order, and the pages as read."""

    documents: tuple[Document, ...]
    pages: tuple[Page, ...]
    observations: tuple[Observation | None, ...] = ()
    """What the models did, one for each document; none for one that no model read."""


class _Came(NamedTuple):
    """How a file came, by those who tell it."""

    channel: Envelope | None = None
    sidecar: Envelope | None = None
    flaw: str | None = None
    """What is wrong with the sidecar."""

    def envelope(
        self,
        *,
        mail: Envelope | None = None,
        header: Envelope | None = None,
        cover: int | None = None,
    ) -> Envelope | None:
        """All of it as one, the most trusted first: sidecar, mail, fax header, channel.

        Args:
            mail: What the message around the part says.
            header: What the fax header lines of its pages say.
            cover: How many pages its cover sheet announces, where nobody else does.
        """
        joined: Envelope | None = None
        for each in (self.channel, header, mail, self.sidecar):
            joined = each.over(joined) if each is not None else joined
        if cover is not None and (joined is None or joined.pages_announced is None):
            joined = (joined or Envelope()).model_copy(update={"pages_announced": cover})
        return joined


def sha256_of(path: Path) -> str:
    """The hash of the bytes as received."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


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
            on_stage: Told the name of each stage as it begins.

        Returns:
            The documents, at least one. A file that can't be read gives a single document with
            decision ``quarantine`` and an error code, never an exception.

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
        came = self._came(blank, site, sidecar)
        blank = blank.model_copy(update={"envelope": came.envelope()})
        try:
            if self.scanner is not None:
                with clock.stage("scan"):
                    self.scanner.scan(path)
            with clock.stage("unpack"):
                unpacked = unpack(path, workspace, self.settings.ingest)
        except InputError as error:
            return Result((_with_flaw(_refused(blank, Refusal.of(error), clock), came.flaw),), ())
        documents: list[Document] = []
        pages: list[Page] = []
        observations: list[Observation | None] = []
        for number, part in enumerate(unpacked.parts):
            place = workspace / f"read-{number:04d}"
            place.mkdir()
            found = self._part(
                part, blank, came, place=place, received_at=received_at, clock=clock.copy()
            )
            documents.extend(found.documents)
            pages.extend(found.pages)
            observations.extend(found.observations or (None,) * len(found.documents))
        documents[0] = _with_left_out(documents[0], unpacked.left_out)
        documents[0] = _with_flaw(documents[0], came.flaw)
        return Result(tuple(documents), tuple(pages), tuple(observations))

    def _came(self, blank: Document, site: str | None, sidecar: tuple[str, Path] | None) -> _Came:
        """What is known of how a file came before it is opened."""
        limits = self.settings.ingest
        channel = Envelope(site=site, told_by=("channel",)) if site else None
        if sidecar is not None:
            name, path = sidecar
            told = read_sidecar(path, name, blank.source, limits)
            return _Came(channel, told.envelope, told.flaw)
        if blank.channel.startswith("fax") and (named := envelope_from_name(blank.source, limits)):
            channel = named.over(channel)
        return _Came(channel)

    def _part(
        self,
        part: Part,
        blank: Document,
        came: _Came,
        *,
        place: Path,
        received_at: dt.datetime,
        clock: Stopwatch,
    ) -> Result:
        """The documents of one part; a part that can't be read is one document in quarantine."""
        blank = blank.model_copy(
            update={
                "part": part.name,
                "part_sha256": part.sha256,
                "envelope": came.envelope(mail=part.envelope),
            }
        )
        if part.error is not None:
            return Result((_refused(blank, part.error, clock),), (), (None,))
        if part.transaction is not None:
            return self._transaction(part, part.transaction, blank, received_at, clock)
        try:
            with clock.stage("read"):
                pages = part.read or self.reader.read(part.pages, place)
        except InputError as error:
            return Result((_refused(blank, Refusal.of(error), clock),), (), (None,))
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
            segments = split(pages, self.schemas, self.separators, message_text=part.message_text)
        champion = self.models.champion()
        documents: list[Document] = []
        observations: list[Observation | None] = []
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
            document = self._understand(
                champion,
                draft,
                mine,
                arrived=arrived,
                received_at=received_at,
                clock=clock.copy(),
            )
            document = _with_flaws(document, part.flaws)
            documents.append(document)
            observed = self.models.observe(champion, document, mine) if self._resident else None
            observations.append(observed)
        return Result(tuple(documents), pages, tuple(observations))

    def _transaction(
        self,
        part: Part,
        transaction: TransactionSet,
        blank: Document,
        received_at: dt.datetime,
        clock: Stopwatch,
    ) -> Result:
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
        document = self._checked(draft, pages, arrived=(), received_at=received_at, clock=clock)
        return Result((document,), pages, (None,))

    def _extractor(self, models: Path) -> Extractor:
        """What finds fields with the weights of a models folder."""
        return Extractor(
            models, self.schemas, load_lexicon(), layoutlm=self.settings.extract.layoutlm
        )

    def _understand(
        self,
        champion: Champion,
        draft: Document,
        mine: tuple[Page, ...],
        *,
        arrived: tuple[Page, ...],
        received_at: dt.datetime,
        clock: Stopwatch,
    ) -> Document:
        with clock.stage("extract"):
            found = champion.extractor.extract(mine, draft.type)
        read = draft.model_copy(update={"fields": found.fields, "claims": found.claims})
        return self._checked(read, mine, arrived=arrived, received_at=received_at, clock=clock)

    def _checked(
        self,
        draft: Document,
        mine: tuple[Page, ...],
        *,
        arrived: tuple[Page, ...],
        received_at: dt.datetime,
        clock: Stopwatch,
    ) -> Document:
        with clock.stage("validate"):
            checked = validate(
                draft,
                self.schemas[draft.type],
                self.settings.decision,
                mine,
                received_at.date(),
                arrived=arrived,
            )
        return checked.model_copy(update={"timings_ms": clock.milliseconds})


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


def _refused(blank: Document, refusal: Refusal, clock: Stopwatch) -> Document:
    """A file or part that can't be read, as a document: quarantined, with its code and hint."""
    return blank.model_copy(
        update={
            "document_id": document_id(blank.sha256, blank.part, 0),
            "decision": Decision.QUARANTINE,
            "reasons": (refusal.message,),
            "error": refusal.code,
            "hint": refusal.hint,
            "timings_ms": clock.milliseconds,
        }
    )


def _with_left_out(document: Document, left_out: Sequence[str]) -> Document:
    """The first document of a file names what of the file is no document."""
    findings = tuple(
        Finding(rule="P4", severity=Severity.INFO, message=f"Left out: {each}") for each in left_out
    )
    return document.model_copy(update={"findings": (*document.findings, *findings)})


def _with_flaw(document: Document, flaw: str | None) -> Document:
    """The first document of a file tells what is wrong with the sidecar beside it."""
    if flaw is None:
        return document
    finding = Finding(rule="P9", severity=Severity.WARN, message=f"Not understood: {flaw}")
    return document.model_copy(update={"findings": (*document.findings, finding)})


def _with_flaws(document: Document, flaws: Sequence[str]) -> Document:
    """What had to be mended for the file to open is said on each of its documents."""
    findings = tuple(
        Finding(rule="P5", severity=Severity.WARN, message=f"The file was broken: {each}")
        for each in flaws
    )
    return document.model_copy(update={"findings": (*document.findings, *findings)})


class Stopwatch:
    """Wall time per stage, in milliseconds."""

    def __init__(
        self, on_stage: Callable[[str], None], milliseconds: dict[str, float] | None = None
    ) -> None:
        self._on_stage = on_stage
        self.milliseconds = dict(milliseconds or {})

    def copy(self) -> Stopwatch:
        """A stopwatch that starts from these figures, for one of several documents."""
        return Stopwatch(self._on_stage, self.milliseconds)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time one stage."""
        self._on_stage(name)
        start = time.perf_counter()
        try:
            yield
        finally:
            elapsed = (time.perf_counter() - start) * 1000
            self.milliseconds[name] = round(self.milliseconds.get(name, 0.0) + elapsed, 1)
