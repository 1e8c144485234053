# SPDX-License-Identifier: Apache-2.0
"""From the PDF of a blank form to a registered one.

    PDF -> unpack -> widgets -> print (text layer, or read where it has none) -> fields -> library

Only what is written last is kept, whole or not at all; everything before can be killed and run
again.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from idp.children import Children, Limits
from idp.classify import split
from idp.document import DocumentType, Page, RawPage, Word
from idp.errors import FormError, NotAFormError
from idp.forms import (
    BlankForm,
    BlankPage,
    FormLibrary,
    PrintedWord,
    blank_form,
    read_widgets,
    sha256_of,
    slug,
)
from idp.ingest import unpack
from idp.read import Reader
from idp.schemas import DocumentSchema
from idp.settings import Settings

_FEW_WORDS = 12
"""A page with fewer words in its text layer has its print as outlines or as a picture: it is read
as a fax would be."""


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


__all__ = ["register", "type_of"]
