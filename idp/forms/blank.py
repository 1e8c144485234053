# SPDX-License-Identifier: Apache-2.0
"""From widgets and print to a blank form whose places are known."""

from __future__ import annotations

from collections.abc import Sequence

from idp.document import DocumentType
from idp.forms.meaning import Meaning, Table, groups, load_table, meanings
from idp.forms.nouns import BlankForm, BlankPage, Labelled, Place, Widget
from idp.forms.printed import labelled, last_title
from idp.schemas import DocumentSchema


def label_widgets(pages: Sequence[BlankPage], widgets: Sequence[Widget]) -> list[Labelled]:
    """Every widget with its printed label and section, in the order of the widgets."""
    found: list[Labelled] = []
    section = ""
    for page in pages:
        own = [w for w in widgets if w.page == page.number]
        found += labelled(page, own, section)
        section = last_title(page, section)
    return found


_OTHERS = frozenset(load_table().schema_parties) - {"patient", "subscriber"}


def place_of(item: Labelled, meaning: Meaning, group: int, *, guessed: bool = False) -> Place:
    """What the library keeps of a widget; ``guessed`` if nobody has looked at its meaning."""
    widget = item.widget
    return Place(
        page=widget.page,
        box=widget.box,
        kind=widget.kind,
        name=widget.name,
        label=item.label,
        comb=(widget.max_length or 0) if widget.comb else 0,
        field=meaning.field,
        part=meaning.part if meaning.field else "",
        option=meaning.option,
        group=group,
        undecided=guessed and widget.kind == "text" and _is_open(meaning),
    )


def _is_open(meaning: Meaning) -> bool:
    """Whether a guess leaves open what stands there: it does not where it surely is another's."""
    return not meaning.field and not (meaning.sure and meaning.role and meaning.party in _OTHERS)


def blank_form(
    name: str,
    title: str,
    type: DocumentType,
    sha256: str,
    *,
    pages: Sequence[BlankPage],
    widgets: Sequence[Widget],
    schema: DocumentSchema,
    table: Table | None = None,
) -> BlankForm:
    """A form as the library keeps it, every place mapped as far as the table knows.

    Raises:
        pydantic.ValidationError: ``name`` is no name.
    """
    items = label_widgets(pages, widgets)
    found = meanings(items, schema, table)
    numbers = groups(items, found)
    places = (
        place_of(item, meaning, number, guessed=True)
        for item, meaning, number in zip(items, found, numbers, strict=True)
    )
    return BlankForm(
        name=name,
        title=title,
        type=type,
        sha256=sha256,
        pages=tuple(pages),
        places=tuple(places),
    )
