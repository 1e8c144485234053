# SPDX-License-Identifier: Apache-2.0
"""From the PDF of a blank form to a registered one.

    PDF -> unpack -> widgets -> print (text layer, or read where it has none) -> fields -> library

Only what is written last is kept, whole or not at all; everything before can be killed and run
again.
"""

from __future__ import annotations

import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from idp.children import Children, Limits
from idp.classify import split
from idp.document import DocumentType, Page, RawPage, Word
from idp.errors import FormError, NotAFormError
from idp.forms import (
    BlankForm,
    BlankPage,
    Copy,
    FormLibrary,
    KnownValue,
    PrintedWord,
    blank_form,
    learn,
    read_widgets,
    sha256_of,
    slug,
)
from idp.ingest import unpack
from idp.learning import Layouts, signature
from idp.read import Reader
from idp.schemas import DocumentSchema
from idp.settings import Settings
from idp.store import CorrectedDocument
from idp.values import Kind

LEARNT = "learnt-"
"""How the names of forms begin that were learnt from corrections."""
TICKED = frozenset({Kind.OPTION, Kind.SEX, Kind.PRESENCE})
"""Kinds that are read from marks, not from a place."""
_FEW_WORDS = 12
"""A page with fewer words in its text layer has its print as outlines or as a picture: it is read
as a fax would be."""


class Learnt(NamedTuple):
    """One layout that was corrected: ``form`` is ``None`` where its copies do not tell."""

    layout: str
    type: DocumentType
    copies: int
    form: BlankForm | None
    changed: bool


def register(
    path: Path,
    settings: Settings,
    schemas: Mapping[DocumentType, DocumentSchema],
    library: FormLibrary,
    *,
    type: str | None = None,
    name: str | None = None,
) -> BlankForm:
    """Adds a blank form to the library; the same PDF again gives the form that is there.

    Args:
        path: A fillable PDF.
        settings: Limits, and how pages without a text layer are read.
        schemas: All document types.
        library: Where it is kept.
        type: The document type that a filled copy is; by default what the print says.
        name: What to call it; by default after the file.

    Raises:
        NotAFormError: no PDF, no places to fill in, or no print.
        FormError: the type is unknown, or the name belongs to another PDF.
        InputError: the file is broken, encrypted or over a limit.
        AccessError: the file can't be read, or the library can't be written.
    """
    if type is not None and DocumentType(type) not in schemas:
        raise FormError(
            f"there is no document type {type}",
            hint=f"Types: {', '.join(sorted(schemas))}; add your own as docs/schemas.md says.",
        )
    with tempfile.TemporaryDirectory(prefix="idp-form-") as work:
        unpacked = unpack(path, Path(work), settings.ingest)
        pdf = path.read_bytes()
        known = next((f for f in library.forms if f.sha256 == sha256_of(pdf)), None)
        if known is not None:
            return known
        if unpacked.media_type != "application/pdf":
            raise NotAFormError(f"{path.name} is {unpacked.media_type}, not a fillable PDF")
        limits = Limits(
            seconds=settings.ingest.unpack_seconds,
            memory_mb=settings.ingest.unpack_memory_mb,
            quiet=True,
        )
        with Children(1, limits) as children:
            widgets = children.call(read_widgets, path.absolute(), settings.ingest.max_pages)
        if not widgets:
            raise NotAFormError(f"{path.name} has no places to fill in")
        needed = {widget.page for widget in widgets}
        pages = _print(unpacked.pages, needed, settings, Path(work))
    if not any(len(page.words) >= _FEW_WORDS for page in pages):
        raise NotAFormError(f"{path.name} has no print to know it again by")
    chosen = DocumentType(type) if type else type_of(pages, schemas)
    form = blank_form(
        slug(name or path.stem),
        name or path.stem,
        chosen,
        sha256_of(pdf),
        pages=pages,
        widgets=widgets,
        schema=schemas[chosen],
    )
    return library.add(form, pdf)


def type_of(
    pages: Sequence[BlankPage], schemas: Mapping[DocumentType, DocumentSchema]
) -> DocumentType:
    """What the print of a blank says it is: the type of most of its pages."""
    seen = [
        Page(
            number=page.number,
            width_px=1700,
            height_px=2200,
            dpi=200,
            words=tuple(
                Word(id=i, text=w.text, confidence=1.0, box=w.box, line=i)
                for i, w in enumerate(page.words)
            ),
        )
        for page in pages
    ]
    counts: Counter[DocumentType] = Counter()
    for segment in split(seen, schemas):
        counts[segment.type] += len(segment.pages)
    return counts.most_common(1)[0][0]


def _print(
    raws: Sequence[RawPage], needed: set[int], settings: Settings, work: Path
) -> tuple[BlankPage, ...]:
    """The words of every page; what has none in its text layer and places to fill in is read."""
    words = {raw.number: raw.text_layer for raw in raws}
    unsaid = [raw for raw in raws if raw.number in needed and len(raw.text_layer) < _FEW_WORDS]
    if unsaid:
        with Reader(settings.read, settings.models_folder) as reader:
            words |= {page.number: page.words for page in reader.read(unsaid, work)}
    return tuple(
        BlankPage(
            number=number, words=tuple(PrintedWord(text=w.text, box=w.box) for w in words[number])
        )
        for number in sorted(words)
    )


def learn_from(
    corrected: Iterable[CorrectedDocument],
    schemas: Mapping[DocumentType, DocumentSchema],
    library: FormLibrary,
    root: Path,
) -> list[Learnt]:
    """Forms out of what people corrected, one for each layout with enough copies.

    Documents of a published form that is registered are left out: its places are known better.

    Args:
        corrected: Corrected documents of the store.
        schemas: All document types.
        library: Where the forms are kept.
        root: Folder of the layouts' names (:class:`idp.learning.Layouts`).

    Raises:
        AccessError: the library can't be written.
    """
    layouts = Layouts(root / "layouts.json")
    groups: dict[tuple[str, DocumentType], list[Copy]] = defaultdict(list)
    for one in corrected:
        known = one.document.form
        if not one.pages or (known is not None and not known.name.startswith(LEARNT)):
            continue
        if all(page.words_source == "x12" for page in one.pages):
            continue  # a listing of an interchange is no form
        layout = layouts.family(signature(one.pages), one.document.document_id)
        groups[layout, one.document.type].append(_copy(one))
    found: list[Learnt] = []
    for (layout, type_), copies in sorted(groups.items()):
        if type_ not in schemas:
            continue
        fields = {f.name for f in schemas[type_].fields if not f.list and f.kind not in TICKED}
        form = learn(slug(f"{LEARNT}{layout}-{type_}"), type_, copies, fields)
        changed = form is not None and library.keep(form)
        found.append(Learnt(layout, type_, len(copies), form, changed))
    return found


def _copy(one: CorrectedDocument) -> Copy:
    number = {page.number: place for place, page in enumerate(one.pages, 1)}
    return Copy(
        tuple(page.model_copy(update={"number": number[page.number]}) for page in one.pages),
        tuple(
            KnownValue(said.name, number[said.page], said.box)
            for said in one.corrections
            if said.box is not None and said.page in number and said.after is not None
        ),
        complete=one.complete,
    )


__all__ = ["TICKED", "Learnt", "learn_from", "register", "type_of"]
