# SPDX-License-Identifier: Apache-2.0
"""``idp deliver preview``: what would be written into Odoo, and nothing is written anywhere."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from idp.cli import render
from idp.cli.border import messages, one_line, printer, results_only
from idp.cli.house import open_store
from idp.deliver import files
from idp.deliver.odoo.connection import connect
from idp.deliver.odoo.finding import NONE, SEVERAL, Finder, Found
from idp.deliver.odoo.loading import Loader
from idp.deliver.odoo.parcel import Cell, Files, Find, Parcel, Place
from idp.deliver.odoo.port import Odoo
from idp.deliver.odoo.preview import preview, preview_json
from idp.deliver.odoo.targets import place_of
from idp.document import Document
from idp.errors import NotFoundError, OdooError
from idp.packer import packer_for
from idp.settings import Settings, load_settings
from idp.store import Store

_SECONDS = 60.0
_ASSUMED: dict[str, Place] = {
    "documents": Place("documents", "documents.document", "datas"),
    "dms": Place("dms", "dms.directory", "datas"),
    "attachment": Place("attachment", "none", "datas"),
}
"""Where documents go as long as no server is asked: on Odoo 19, without our own module."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A document with what it would be delivered with."""

    document: Document
    original: Path | None
    images: Mapping[int, Path]
    version: int = 1

    @property
    def key(self) -> str:
        return f"{self.document.document_id}-v{self.version}"


def preview_delivery(text: str, *, server: bool, as_json: bool) -> None:
    """Print what would be written for a stored document, or for those found in a file.

    Args:
        text: A document's id, or a file that is processed and not kept.
        server: Ask the server where documents go, what models it has and what look-ups find.
        as_json: For scripts, one object a document.

    Raises:
        NotFoundError: There is neither such a document nor such a file, or it was never read.
        RulesError: The mapping is not well formed.
        OdooError: The server that is to be asked can't be.
    """
    settings = load_settings()
    with (
        results_only() as out,
        tempfile.TemporaryDirectory(prefix="idp-preview-") as folder,
        _server(settings, wanted=server) as odoo,
    ):
        work = Path(folder)
        store, candidates = _candidates(text, settings, work)
        packer = packer_for(settings, store)
        for number, each in enumerate(candidates):
            if each.document.error is not None:
                messages().print(f"{each.document.source}: {each.document.error}", markup=False)
                continue
            place = work / f"files-{number}"
            place.mkdir()
            parcel_files = _files(each, packer.record(each.document), place)
            if odoo is None:
                wanted = settings.deliver.odoo.place
                assumed = _ASSUMED["attachment" if wanted == "auto" else wanted]
                parcel = replace(
                    packer.assumed(each.document, parcel_files, assumed),
                    key=each.key,
                    version=each.version,
                )
            else:
                parcel = packer.parcel(
                    each.document,
                    parcel_files,
                    odoo,
                    place_of(odoo, settings.deliver.odoo.place),
                    key=each.key,
                    version=each.version,
                )
            found = {} if odoo is None else _looked_up(odoo, parcel)
            if as_json:
                one_line(_with_answers(parcel, found), out)
            else:
                _print(printer(out), parcel, found)


@contextmanager
def _server(settings: Settings, *, wanted: bool) -> Iterator[Odoo | None]:
    if not wanted:
        yield None
        return
    odoo = connect(settings.deliver.odoo)
    try:
        yield odoo
    finally:
        odoo.close()


def _candidates(text: str, settings: Settings, work: Path) -> tuple[Store, list[_Candidate]]:
    path = Path(text)
    if path.is_file():
        store = Store(f"sqlite:///{work / 'preview.sqlite'}", work / "store")
        store.migrate()
        return store, _of_file(path, settings, work)
    try:
        store = open_store(settings)
        document_id = store.resolve(text)
    except NotFoundError as error:
        raise NotFoundError(
            f"{text} is neither a stored document nor a file", hint=error.operator_hint
        ) from error
    return store, [_of_store(store, document_id)]


def _of_store(store: Store, document_id: str) -> _Candidate:
    found = store.show(document_id)
    if found.document is None:
        raise NotFoundError(
            f"{document_id} has not been read yet", hint="`idp status` tells when it has."
        )
    last = found.deliveries[-1] if found.deliveries else None
    version = 1 if last is None else last.version + last.done
    alone = not found.siblings and found.document.part is None
    images = {
        page.number: store.page_image(document_id, page.number)
        for page in store.pages(document_id)
        if page.image is not None
    }
    original = store.original(document_id) if alone else None
    return _Candidate(found.document, original, images, version)


def _of_file(path: Path, settings: Settings, work: Path) -> list[_Candidate]:
    from idp.pipeline import Pipeline  # noqa: PLC0415 - heavy

    place = work / "read"
    place.mkdir()
    with Pipeline(settings) as pipeline:
        result = pipeline.process(
            path,
            workspace=place,
            channel="cli",
            received_at=dt.datetime.now(dt.UTC),
            source=path.name,
        )
    alone = len(result.documents) == 1 and result.documents[0].part is None
    return [
        _Candidate(
            each,
            path if alone else None,
            {
                page.number: Path(page.image)
                for page in result.pages
                if page.image is not None and page.part == each.part and page.number in each.pages
            },
        )
        for each in result.documents
    ]


def _files(each: _Candidate, record: Mapping[str, object], place: Path) -> Files:
    written = files.write_files(place, record, each.document, each.original, each.images)
    return Files(
        record=written.record,
        pages=written.overlay,
        original=written.original,
        original_name=f"original{files.suffix(each.document)}",
        clean=written.pages,
    )


def _finds(cell: Cell) -> Iterator[Find]:
    if isinstance(cell, Find):
        yield cell
    elif isinstance(cell, tuple):
        for each in cell:
            if isinstance(each, Find):
                yield each


def _looked_up(odoo: Odoo, parcel: Parcel) -> dict[Find, Found]:
    """What the server has for each look-up; what would be made is not made."""
    wanted = {find for row in parcel.rows for cell in row.cells.values() for find in _finds(cell)}
    only_looking = {find: replace(find, make=()) for find in wanted}
    answers = Finder(Loader(odoo, keep_seconds=_SECONDS), keep_seconds=_SECONDS).find(
        only_looking.values()
    )
    return {find: answers[looking] for find, looking in only_looking.items()}


def _answer(find: Find, found: Found) -> str:
    if isinstance(found, int):
        return f"{find.model} {found}"
    if isinstance(found, OdooError):
        return found.message
    if found == NONE and find.make:
        return "there is none: it would be made"
    if found in {NONE, SEVERAL}:
        said = "there is none" if found == NONE else "there are several"
        return f"{said}: {'the document would wait' if find.required else 'left empty'}"
    return str(found)


def _answers(cell: Cell, found: Mapping[Find, Found]) -> str:
    return "; ".join(_answer(find, found[find]) for find in _finds(cell) if find in found)


def _with_answers(parcel: Parcel, found: Mapping[Find, Found]) -> dict[str, object]:
    told = dict(preview_json(parcel))
    if found:
        told["found"] = [
            {
                "role": row.role,
                "column": column,
                "answer": _answers(cell, found),
            }
            for row in parcel.rows
            for column, cell in row.cells.items()
            if any(True for _ in _finds(cell))
        ]
    return told


def _print(console: Console, parcel: Parcel, found: Mapping[Find, Found]) -> None:
    head = Text(render.short(parcel.document_id), "bold")
    head.append(f"  version {parcel.version}, {len(parcel.rows)} records", "dim")
    console.print(head)
    cells = {(row.role, column): cell for row in parcel.rows for column, cell in row.cells.items()}
    for (role, model), rows in groupby(preview(parcel), key=lambda row: (row.role, row.model)):
        console.print(Text(f"\n{role.replace('_', ' ')}: {model}", "bold"))
        console.print(_table(rows, cells, found))
    for note in parcel.notes:
        console.print(Text(f"note: {note}", "yellow"))


def _table(
    rows: Iterable[tuple[str, str, str, str, str]],
    cells: Mapping[tuple[str, str], Cell],
    found: Mapping[Find, Found],
) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for role, _model, column, value, how in rows:
        said = Text(value, "" if how == "value" else "cyan")
        if answer := _answers(cells[role, column], found):
            said.append(f"\n→ {answer}", "green")
        table.add_row(column, said)
    return table
