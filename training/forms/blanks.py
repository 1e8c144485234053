# SPDX-License-Identifier: Apache-2.0
"""The blank forms of a folder: their print, their places, what each place asks for, and the split.

Folder layout: ``FAMILY/NAME.pdf``. Which families and forms are held out stands in ``split.yaml``
(names only, no form is shipped).
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pypdfium2 as pdfium
import yaml

from idp.children import Children, Limits
from idp.document import DocumentType
from idp.errors import InputError
from idp.extract.crf_roles import role_of
from idp.forms import FormLibrary
from idp.forms.blank import label_widgets
from idp.forms.library import BLANK
from idp.forms.meaning import Meaning, groups, meanings
from idp.forms.nouns import BlankPage, Labelled, Place, PrintedWord
from idp.forms.widgets import read_widgets
from idp.ingest.pdf_text import text_layer
from idp.schemas import DocumentSchema, load_schemas
from training.forms.checked import PART_ROLES, Applied, applied, checked_forms
from training.synthesise.values import Split

SPLIT = Path(__file__).with_name("split.yaml")
SCHEMAS = Path(__file__).parents[2] / "examples" / "schemas"
"""Types that forms are filled with beside those that ship: patient intake."""
LIMITS = Limits(seconds=60, memory_mb=2048, quiet=True)
_MOST_PAGES = 60


@dataclass(frozen=True)
class Blank:
    """One blank form, read and mapped."""

    path: Path
    family: str
    type: DocumentType
    pages: tuple[BlankPage, ...]
    sizes: tuple[tuple[float, float], ...]
    """Of the pages, points, as they are shown."""
    items: tuple[Labelled, ...]
    meanings: tuple[Meaning, ...]
    groups: tuple[int, ...]
    empty: frozenset[int] = frozenset()
    """Places that a person who fills the form in for themselves leaves empty."""
    checked: bool = False
    """Whether a person has looked what the places ask for."""

    @property
    def stem(self) -> str:
        """The form's name: of the file, or in the library."""
        return self.path.parent.name if self.path.name == BLANK else self.path.stem


@dataclass(frozen=True)
class SplitTable:
    """``split.yaml``: patterns over ``FAMILY/NAME`` of forms held out, and of forms left out."""

    heldout: tuple[str, ...]
    judged: tuple[str, ...]
    unfit: tuple[str, ...]
    types: dict[str, str]

    def side(self, name: str) -> Split | None:
        """Which half a form is in; ``None`` for one that teaches nothing."""
        if _matches(name, self.unfit):
            return None
        if _matches(name, self.heldout):
            return "heldout"
        return "train"

    def type_of(self, name: str) -> DocumentType:
        """The document type whose fields a form is filled and judged with."""
        found = next((t for pattern, t in self.types.items() if _matches(name, (pattern,))), None)
        return DocumentType(found or DocumentType.PRIOR_AUTH_REQUEST)


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatch(name, pattern) for pattern in patterns)


@cache
def split_table(path: Path = SPLIT) -> SplitTable:
    """The split as it stands in the file."""
    table = yaml.safe_load(path.read_text(encoding="utf-8"))
    lists = {key: tuple(table.get(key) or ()) for key in ("heldout", "judged", "unfit")}
    return SplitTable(**lists, types=dict(table.get("types") or {}))


def name_of(path: Path) -> str:
    """``FAMILY/NAME`` of a file."""
    return f"{path.parent.name}/{path.stem}"


def forms_of(folder: Path, split: Split, *, judged_only: bool = False) -> list[Path]:
    """The files of one half, in order.

    Raises:
        FileNotFoundError: the folder holds none.
    """
    table = split_table()
    chosen = [p for p in sorted(folder.rglob("*.pdf")) if table.side(name_of(p)) == split]
    if judged_only:
        chosen = [p for p in chosen if _matches(name_of(p), table.judged)]
    if not chosen:
        raise FileNotFoundError(f"{folder} holds no PDF file of the {split} half")
    return chosen


def load(paths: Sequence[Path], *, guessed: bool = False) -> Iterator[Blank]:
    """The forms, read one by one in a child process; what can't be read is left out.

    ``guessed`` takes what `idp forms add` would say of them, whatever a person has checked.

    Raises:
        ValueError: what ``checked.yaml`` says of a form is not true of it.
    """
    table = split_table()
    schemas = load_schemas(SCHEMAS)
    with Children(1, LIMITS) as children:
        for path in paths:
            try:
                pages, sizes = children.call(read_print, path)
                widgets = children.call(read_widgets, path, _MOST_PAGES)
            except InputError:
                continue
            type_ = table.type_of(name_of(path))
            items = label_widgets(pages, widgets)
            found = meanings(items, schemas[type_])
            form = None if guessed else checked_forms().get(name_of(path))
            asked = Applied(tuple(found), tuple(groups(items, found)), frozenset())
            if form is not None:
                try:
                    asked = applied(form, items, found, schemas[type_])
                except ValueError as error:
                    raise ValueError(f"checked.yaml: {name_of(path)}: {error}") from error
            yield Blank(
                path,
                path.parent.name,
                type_,
                pages,
                sizes,
                tuple(items),
                asked.meanings,
                asked.groups,
                asked.blank,
                checked=form is not None,
            )


def load_library(library: FormLibrary, schemas: Mapping[DocumentType, DocumentSchema]) \
        -> Iterator[Blank]:  # fmt: skip
    """The forms that an installation registered, with what its people corrected."""
    with Children(1, LIMITS) as children:
        for form in library.forms:
            path = library.path(form.name) / BLANK
            if not path.is_file():
                continue  # learnt from corrected copies: there is no blank to fill
            try:
                _, sizes = children.call(read_print, path)
                widgets = children.call(read_widgets, path, _MOST_PAGES)
            except InputError:
                continue
            items = label_widgets(form.pages, widgets)
            if len(items) != len(form.places):
                continue  # registered by a version that saw other places
            guessed = meanings(items, schemas[form.type])
            found = [
                _as_corrected(*pair, schemas[form.type])
                for pair in zip(guessed, form.places, strict=True)
            ]
            yield Blank(
                path,
                form.name,
                form.type,
                form.pages,
                sizes,
                tuple(items),
                tuple(found),
                tuple(place.group for place in form.places),
            )


def _as_corrected(guessed: Meaning, place: Place, schema: DocumentSchema) -> Meaning:
    """A meaning with what people said of the place; the role follows from field and part."""
    if (guessed.field, guessed.part, guessed.option) == (place.field, place.part, place.option):
        return guessed
    field = schema.field(place.field) if place.field else None
    if field is None:
        return guessed._replace(field="", part="", option="", role=guessed.role or "X_TEXT")
    role = PART_ROLES.get(place.part) or role_of(field) or "X_TEXT"
    return Meaning(role, place.part, field.party or "", field.name, place.option)


def read_print(path: Path) -> tuple[tuple[BlankPage, ...], tuple[tuple[float, float], ...]]:
    """The print of all pages from their text layers, and the pages' sizes in points."""
    document = pdfium.PdfDocument(path)
    try:
        pages, sizes = [], []
        for index in range(min(len(document), _MOST_PAGES)):
            page = document[index]
            page.render(scale=0.1)  # the layer wants a page that was drawn before
            words, _ = text_layer(document, index, page)
            printed = tuple(PrintedWord(text=w.text, box=w.box) for w in words)
            pages.append(BlankPage(number=index + 1, words=printed))
            sizes.append((float(page.get_width()), float(page.get_height())))
        return tuple(pages), tuple(sizes)
    finally:
        document.close()
