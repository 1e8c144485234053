# SPDX-License-Identifier: Apache-2.0
"""``idp process`` and ``idp read``: one call, a temporary work folder, nothing kept."""

from __future__ import annotations

import datetime as dt
import json as jsonlib
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from idp.cli import render
from idp.cli.border import messages, one_line, printer, results_only, tables, where
from idp.contract import to_contract
from idp.document import Decision, Document, DocumentType, Page
from idp.errors import AccessError, ExitCode, InputError, NotFoundError
from idp.settings import Settings, load_settings

PAGE_SCHEMA = "idp.page/1"

_Told = Callable[[str], None]


def process_files(files: Sequence[Path], *, channel: str, as_json: bool) -> None:
    """Print every document found in ``files``, as soon as its file is done.

    Raises:
        NotFoundError: A path is not there (before any work is done).
        AccessError: A path is not a readable file.
    """
    _check(files)
    settings = load_settings()
    faults = 0
    with results_only() as out:
        from idp.pipeline import Pipeline  # noqa: PLC0415 - heavy

        people = printer(out)
        with Pipeline(settings) as pipeline, _progress(len(files)) as (advance, told):
            for path in files:
                advance(path.name)
                with tempfile.TemporaryDirectory(prefix="idp-") as work:
                    try:
                        documents: Sequence[Document] = pipeline.process(
                            path,
                            workspace=Path(work),
                            channel=channel,
                            received_at=dt.datetime.now(dt.UTC),
                            source=str(path),
                            on_stage=told,
                        ).documents
                    except Exception as error:
                        # Our own fault, not the file's: say so, keep its line, and go on.
                        messages().print(f"{path}: {where(error)}", markup=False)
                        documents = (_internal_fault(path, channel, error),)
                        faults += 1
                for document in documents:
                    if as_json:
                        one_line(to_contract(document), out)
                    else:
                        render.document(people, document)
    if faults:
        messages().print(f"[bold red]error[/] internal: {faults} of {len(files)} files, see above")
        raise typer.Exit(ExitCode.INTERNAL)


def read_files(files: Sequence[Path], *, as_json: bool) -> None:
    """Print what is seen on every page of ``files``.

    Raises:
        NotFoundError: A path is not there (before any work is done).
        AccessError: A path is not a readable file.
    """
    _check(files)
    settings = load_settings()
    with results_only() as out:
        from idp.read import Reader  # noqa: PLC0415 - heavy

        with (
            Reader(settings.read, settings.models_folder) as reader,
            _progress(len(files)) as (advance, _),
        ):
            for path in files:
                advance(path.name)
                with tempfile.TemporaryDirectory(prefix="idp-") as work:
                    _read_one(path, Path(work), settings, reader, out, as_json=as_json)


def _read_one(
    path: Path, work: Path, settings: Settings, reader: Any, out: TextIO, *, as_json: bool
) -> None:
    from idp.ingest import unpack  # noqa: PLC0415 - heavy

    try:
        unpacked = unpack(path, work, settings.ingest)
        pages: tuple[Page, ...] = reader.read(unpacked.pages, work)
    except InputError as error:
        if as_json:
            one_line(
                {
                    "schema": PAGE_SCHEMA,
                    "source": str(path),
                    "page": None,
                    "error": error.code,
                    "hint": error.operator_hint,
                },
                out,
            )
        else:
            render.refused(printer(out), path, error)
        return
    for page in pages:
        if as_json:
            one_line(page_record(path, page), out)
        else:
            render.page(Console(file=out, highlight=False, soft_wrap=True), path, page)


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
    from idp.samples import samples  # noqa: PLC0415 - heavy

    try:
        made = samples(folder, seed, dt.datetime.now().astimezone().date())
    except OSError as error:
        raise AccessError(f"{folder}: {error.strerror}") from error
    console = tables()
    for sample in made:
        console.print(str(sample.path), markup=False, soft_wrap=True)


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
    return Document(
        document_id=document_id(sha256, None, 0),
        source=str(path),
        sha256=sha256,
        channel=channel,
        type=DocumentType.OTHER,
        type_confidence=0.0,
        pages=(),
        decision=Decision.QUARANTINE,
        reasons=(f"idp failed on this file: {type(error).__name__}",),
        error="internal",
        hint="This is a fault in idp. Please report it with the log around it.",
    )


@contextmanager
def _progress(total: int) -> Iterator[tuple[_Told, _Told]]:
    """Tell a person at a terminal which file and stage is worked on; a pipe is told nothing."""
    console = messages()
    if not console.is_terminal:
        yield (lambda name: None), (lambda stage: None)
        return
    with Progress(
        TextColumn("[bold]{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[stage]}"),
        console=console,
        transient=True,
    ) as progress:
        task = progress.add_task("starting", total=total, stage="")
        started = False

        def advance(name: str) -> None:
            nonlocal started
            progress.update(task, description=name[:40], advance=int(started), stage="")
            started = True

        yield advance, lambda stage: progress.update(task, stage=stage)


def as_json_text(value: object) -> str:
    """``value`` as indented JSON, for people."""
    return jsonlib.dumps(value, indent=2, ensure_ascii=False)
