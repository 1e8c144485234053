# SPDX-License-Identifier: Apache-2.0
"""What is known of a blank form: its print, its places to fill in, and what each is for.

Boxes are page-relative (0..1, origin top left), as in :mod:`idp.document`.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from idp.document import Box, DocumentType, Noun

WidgetKind = Literal["text", "check", "radio", "choice", "signature"]
Part = Literal[
    "", "first", "middle", "last", "street", "unit", "city", "state", "zip", "zip4",
    "month", "day", "year", "area", "prefix", "line",
]  # fmt: skip
"""Which piece of a value stands in a place of its own; empty where the whole value does."""


SLACK = (0.003, 0.006)
"""How far writing leaves its place, page widths and heights: reading allows it, learning a place
takes it into account."""


class Widget(Noun):
    """One place of a fillable PDF as the file describes it.

    ``name`` is the field's full name, ``tooltip`` what the file tells screen readers (``/TU``),
    ``on_state`` the value that a tick means. ``max_length`` is the most characters, and with
    ``comb`` each of them has a cell of its own.
    """

    page: int
    box: Box
    name: str
    tooltip: str = ""
    kind: WidgetKind
    on_state: str = ""
    max_length: int | None = None
    comb: bool = False
    multiline: bool = False


class PrintedWord(Noun):
    """A word of the blank's own print."""

    text: str
    box: Box


class BlankPage(Noun):
    """The print of one page; ``number`` counts from 1."""

    number: int
    words: tuple[PrintedWord, ...]


class Labelled(Noun):
    """A widget, the print that asks for it, and the title it stands under.

    ``label_words`` are the places of the label among the words of the page.
    """

    widget: Widget
    label: str = ""
    section: str = ""
    label_words: tuple[int, ...] = ()


class Place(Noun):
    """A place to fill in and the field whose value, or part of it, stands there.

    ``field`` is a name of the type's schema, or empty: nobody asks for what stands there, unless
    the place is ``undecided``: then whoever understands the page may say what it is. Places of one
    ``group`` together hold one value. ``option`` is what a tick there means.
    """

    page: int
    box: Box
    kind: WidgetKind
    name: str
    label: str = ""
    comb: int = 0
    """How many cells of one character each; 0 where the place has none."""
    field: str = ""
    part: Part = ""
    option: str = ""
    group: int = 0
    undecided: bool = False


class BlankForm(Noun):
    """A registered form."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,79}$")
    title: str
    type: DocumentType
    sha256: str
    """Of the PDF as it was given."""
    pages: tuple[BlankPage, ...]
    places: tuple[Place, ...]
