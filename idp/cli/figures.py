# SPDX-License-Identifier: Apache-2.0
"""The work of ``idp review figures``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from contextlib import closing

from rich.table import Table
from rich.text import Text

from idp.cli.border import print_json, tables
from idp.cli.decisions import since_when
from idp.cli.house import actor, open_store
from idp.errors import NotFoundError
from idp.figures import Figures, Limits, as_plain, line_of, of_everybody, of_fields, of_person
from idp.reviewing import Look
from idp.settings import load_settings

_COLUMNS = {
    "documents": "documents",
    "people": "people",
    "median": "median a document",
    "p90": "9 of 10 below",
    "of_usual": "of the usual",
    "corrected": "values corrected",
    "came_back": "came back",
    "agreed": "two people agree",
}
_OF_FIELDS = ("documents", "people", "corrected", "agreed")
_TOLD = {Look.SECOND: "for a second person", Look.LEAD: "for a lead, where two differ"}


def show_figures(
    *, since: str, type_: str | None, person: str | None, fields: bool, as_json: bool
) -> None:
    """Of everybody by type, of one type's fields, or of one person.

    Raises:
        NotFoundError: ``since`` is no time, or nobody has that name.
    """
    settings = load_settings()
    limits = Limits(settings.review.figures_people, settings.review.figures_documents)
    begins = since_when(since, dt.datetime.now(dt.UTC))
    with closing(open_store(settings)) as store:
        work, looks = store.review_work(since=begins), store.second_looks(since=begins)
        waiting = store.looks_waiting()
        name = None
        if person is not None:
            found = store.people_named([person.strip().lower()])
            if not found:
                raise NotFoundError("there is no such person", hint="`idp users list` has all.")
            name = found[0].name
            store.note_figures(name, actor=actor())
    if type_ is not None:
        work = tuple(each for each in work if each.type == type_)
        looks = tuple(each for each in looks if each.type == type_)
    rows: Sequence[Figures]
    if name is not None:
        rows = (of_person(name, work, looks, limits),)
    elif fields:
        rows = of_fields(work, looks, limits)
    else:
        rows = of_everybody(work, looks, limits)
    if as_json:
        print_json(
            {
                "schema": "idp.review_figures/1",
                "since": begins.isoformat() if begins is not None else None,
                "type": type_,
                "person": name,
                "figures": [as_plain(row) for row in rows],
                "waiting": {look.name.lower(): number for look, number in waiting.items()},
            }
        )
        return
    of_groups = tuple(column for column in _COLUMNS if column != "of_usual")
    columns = tuple(_COLUMNS) if name is not None else _OF_FIELDS if fields else of_groups
    _print(rows, columns)
    for look, words in _TOLD.items():
        if waiting[look]:
            tables().print(Text(f"{waiting[look]} wait {words}"))


def _print(rows: Sequence[Figures], columns: Sequence[str]) -> None:
    if not any(row.documents for row in rows):
        tables().print(Text("nothing was reviewed in that time", "dim"))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    for column in columns:
        table.add_column(_COLUMNS[column], justify="right")
    table.add_column("", overflow="fold")
    for row in rows:
        line = line_of(row)
        cells = (Text(getattr(line, column)) for column in columns)
        table.add_row(Text(line.name), *cells, Text(line.withheld, "dim"))
    tables().print(table)
    tables().print(
        Text("Intervals are of 95 %. What these figures are not good for: docs/review-figures.md")
    )
