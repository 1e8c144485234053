# SPDX-License-Identifier: Apache-2.0
"""``idp process`` and ``idp read``: one call, a temporary work folder, nothing kept."""

from __future__ import annotations

import datetime as dt
import os
import tempfile
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from idp.cli import render
from idp.cli.border import messages, one_line, printer, results_only, tables
from idp.cli.pictures import PageFiles, write_overlay, write_page_layout
from idp.contract import to_contract
from idp.document import Document, DocumentType, Page
from idp.errors import AccessError, ExitCode, InputError, NotFoundError, where
from idp.reasons import refused
from idp.settings import Settings, load_settings

if TYPE_CHECKING:
    from idp.ingest import Refusal
    from idp.overlay import Layer
    from idp.pipeline import Pipeline
    from idp.read import Reader

PAGE_SCHEMA = "idp.page/1"
INTERNAL = "internal"


def process_files(
    files: Sequence[Path], *, channel: str, as_json: bool, letters: Path | None = None
) -> None:
    """Print every document found in ``files``, as soon as its file is done.

    With a folder for ``letters``, draft one for each document that lacks something.

    Raises:
        NotFoundError: A path is not there (before any work is done).
        AccessError: A path is not a readable file.
    """
    _check(files)
    settings = load_settings()
    if letters is not None:
        try:
            letters.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise AccessError(f"{letters}: {error.strerror}") from error
    faults = 0
    with results_only() as out:
        from idp.pipeline import Pipeline  # noqa: PLC0415 - heavy

        people = printer(out)
        # As many files at a time as there are reading processes; printed in the order given.
        with (
            Pipeline(settings) as pipeline,
            ThreadPoolExecutor(settings.read.workers) as threads,
            _progress(len(files)) as teller,
        ):

            def work(path: Path) -> Sequence[Document]:
                return _process_one(pipeline, path, channel, teller)

            for path, documents in zip(files, threads.map(work, files), strict=True):
                teller.file(path.name)
                faults += sum(d.error == INTERNAL for d in documents)
                with teller.aside():
                    for document in documents:
                        if as_json:
                            one_line(to_contract(document), out)
                        else:
                            render.document(people, document)
                        if letters is not None:
                            _draft(document, settings, path, letters)
    if faults:
        messages().print(f"[bold red]error[/] internal: {faults} of {len(files)} files, see above")
        raise typer.Exit(ExitCode.INTERNAL)


def _draft(document: Document, settings: Settings, path: Path, folder: Path) -> None:
    """Write the letter about one document, where there is something to ask its sender for."""
    from idp.cli.letters import save_letter  # noqa: PLC0415 - heavy
    from idp.letters import draft_for  # noqa: PLC0415 - heavy

    if document.error is not None:
        return
    letter = draft_for(document, settings, received_at=dt.datetime.now(dt.UTC))
    if letter is not None:
        target = folder / f"{path.name}-{document.document_id[-8:]}.pdf"
        save_letter(letter, target)
        messages().print(f"{target}: {letter.items} things to ask for", markup=False)


def _process_one(
    pipeline: Pipeline, path: Path, channel: str, teller: _Teller
) -> Sequence[Document]:
    with tempfile.TemporaryDirectory(prefix="idp-") as work:
        try:
            return pipeline.process(
                path,
                workspace=Path(work),
                channel=channel,
                received_at=dt.datetime.now(dt.UTC),
                source=str(path),
                on_stage=teller.stage,
            ).documents
        except Exception as error:
            # Our own fault, not the file's: say so, keep its line, and go on.
            messages().print(f"{path}: {where(error)}", markup=False)
            return (_internal_fault(path, channel, error),)


def read_files(
    files: Sequence[Path],
    *,
    as_json: bool,
    overlay: Path | None,
    layout: Path | None,
    layers: Collection[Layer],
) -> None:
    """Print what is seen on every page of ``files``; draw it to ``overlay``, store its ``layout``.

    Raises:
        NotFoundError: A path is not there (before any work is done).
        AccessError: A path is not a readable file, or a folder can't be written.
    """
    _check(files)
    settings = load_settings()
    overlays = None if overlay is None else PageFiles(overlay)
    layouts = None if layout is None else PageFiles(layout)
    with results_only() as out:
        from idp.read import Reader  # noqa: PLC0415 - heavy

        with (
            Reader(settings.read, settings.models_folder) as reader,
            _progress(len(files)) as teller,
        ):
            for path in files:
                teller.file(path.name)
                with tempfile.TemporaryDirectory(prefix="idp-") as work:
                    records = _read_one(path, Path(work), settings, reader)
                    with teller.aside():
                        pages = [record for record in records if isinstance(record, Page)]
                        # Counted over all parts: a mail's attachments each have a first page.
                        for number, page in enumerate(pages, 1):
                            if overlays is not None and page.image is not None:
                                target = overlays.path(path, number, ".png")
                                image = Path(page.image)
                                write_overlay(page, image, target, layers=layers, title=path.name)
                            if layouts is not None:
                                target = layouts.path(path, number, ".json")
                                write_page_layout(_without_image(page), target)
                with teller.aside():
                    _print_pages(path, records, out, as_json=as_json)


def _read_one(
    path: Path, work: Path, settings: Settings, reader: Reader
) -> tuple[Page | Refusal, ...]:
    from idp.ingest import Refusal, unpack  # noqa: PLC0415 - heavy
    from idp.read import without_fax_headers  # noqa: PLC0415 - heavy

    try:
        unpacked = unpack(path, work, settings.ingest)
    except InputError as error:
        return (Refusal.of(error),)
    found: list[Page | Refusal] = []
    for number, part in enumerate(unpacked.parts):
        if part.error is not None:
            found.append(part.error)
            continue
        place = work / f"read-{number:04d}"
        place.mkdir()
        try:
            pages = part.read or reader.read(part.pages, place)
        except InputError as error:
            found.append(Refusal.of(error))
        else:
            found.extend(
                page.model_copy(update={"part": part.name})
                for page in without_fax_headers(pages, part.pages)
            )
    return tuple(found)


def _without_image(page: Page) -> Page:
    """The page without the path of its picture, which is gone when the call ends."""
    return page.model_copy(update={"image": None})


def _print_pages(path: Path, seen: Sequence[Page | Refusal], out: TextIO, *, as_json: bool) -> None:
    for page in seen:
        if isinstance(page, Page):
            if as_json:
                one_line(page_record(path, page), out)
            else:
                render.page(Console(file=out, highlight=False, soft_wrap=True), path, page)
        elif as_json:
            refused = {"error": page.code, "hint": page.hint}
            one_line({"schema": PAGE_SCHEMA, "source": str(path), "page": None, **refused}, out)
        else:
            render.refused(printer(out), path, page)


def page_record(path: Path, page: Page) -> dict[str, Any]:
    """One page as seen, as plain JSON values; boxes are page-relative."""
    seen = page.model_dump(mode="json", exclude={"number", "image", "cells"})
    return {
        "schema": PAGE_SCHEMA,
        "source": str(path),
        "page": page.number,
        "error": None,
        "hint": None,
        **seen,
    }


def write_samples(folder: Path, *, seed: int) -> None:
    """Write the sample documents and name them, dated near today.

    Raises:
        AccessError: The folder can't be written.
    """
    from idp.samples import arrivals, samples  # noqa: PLC0415 - heavy

    today = dt.datetime.now().astimezone().date()
    try:
        made = [sample.path for sample in samples(folder, seed, today)]
        made += arrivals(folder, seed, today)
    except OSError as error:
        raise AccessError(f"{folder}: {error.strerror}") from error
    console = tables()
    for path in made:
        console.print(str(path), markup=False, soft_wrap=True)


def write_separators(file: Path, *, a4: bool) -> None:
    """Write the separator sheets and name the file.

    Raises:
        AccessError: The file can't be written.
    """
    from idp.samples import separator_sheets  # noqa: PLC0415 - heavy

    try:
        separator_sheets(file, a4=a4)
    except OSError as error:
        raise AccessError(f"{file}: {error.strerror}") from error
    tables().print(str(file), markup=False, soft_wrap=True)


def _check(files: Sequence[Path]) -> None:
    for path in files:
        if not path.exists():
            raise NotFoundError(f"{path}: no such file", hint="Check the path.")
        if not path.is_file():
            raise AccessError(
                f"{path}: not a file", hint="Name files, not folders: idp process F/*"
            )
        if not os.access(path, os.R_OK):
            raise AccessError(f"{path}: may not be read")


def _internal_fault(path: Path, channel: str, error: Exception) -> Document:
    from idp.pipeline import document_id, sha256_of  # noqa: PLC0415 - heavy

    sha256 = sha256_of(path)
    document = Document(
        document_id=document_id(sha256, None, 0),
        source=str(path),
        sha256=sha256,
        channel=channel,
        type=DocumentType.OTHER,
        type_confidence=0.0,
        pages=(),
    )
    return refused(
        document,
        INTERNAL,
        "This is a fault in idp. Please report it with the log around it.",
        f"idp failed on this file: {type(error).__name__}",
    )


class _Teller:
    """Tells a person at a terminal which file and stage is worked on; a pipe is told nothing."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress = progress
        self._started = False
        if progress is not None:
            self._task = progress.add_task("starting", total=total, stage="")

    def file(self, name: str) -> None:
        """The next file begins."""
        if self._progress is not None:
            done = int(self._started)
            self._progress.update(self._task, description=name[:40], advance=done, stage="")
        self._started = True

    def stage(self, name: str) -> None:
        """The next stage of the file begins."""
        if self._progress is not None:
            self._progress.update(self._task, stage=name)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Off the screen while results are printed to the same terminal."""
        if self._progress is None:
            yield
            return
        self._progress.stop()
        try:
            yield
        finally:
            self._progress.start()


@contextmanager
def _progress(total: int) -> Iterator[_Teller]:
    console = messages()
    if not console.is_terminal:
        yield _Teller(None, total)
        return
    with Progress(
        TextColumn("[bold]{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[stage]}"),
        console=console,
        transient=True,
        refresh_per_second=4,
    ) as progress:
        yield _Teller(progress, total)
