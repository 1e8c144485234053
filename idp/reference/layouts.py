# SPDX-License-Identifier: Apache-2.0
"""How the files of code lists and registers look: one YAML per kind, checked when it is loaded.

Those of the program lie in ``rules/reference``; one of the same name in the appliance's own
``rules/reference`` takes its place, so that a publisher's new header needs no new program.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from idp.errors import RulesError
from idp.settings import SHIPPED_RULES

FOLDER = "reference"

Table = Literal["codes", "combinations", "providers"]


class _Columns(NamedTuple):
    needed: frozenset[str]
    possible: frozenset[str]


TABLES: Mapping[str, _Columns] = {
    "codes": _Columns(
        frozenset({"code"}),
        frozenset(
            {"code", "start", "stop", "modified", "billable", "title", "description", "detail"}
        ),
    ),
    "combinations": _Columns(
        frozenset({"carc", "groups"}), frozenset({"scenario", "carc", "rarc", "groups"})
    ),
    "providers": _Columns(
        frozenset({"npi", "entity", "organization", "last", "first", "taxonomy"}),
        frozenset(
            {
                *("npi", "entity", "organization", "last", "first", "middle", "credential"),
                *("other_organization", "other_last", "other_first", "city", "state", "zip"),
                *("phone", "deactivated", "reactivated", "taxonomy", "primary"),
            }
        ),
    ),
}
"""What each table keeps, and without which of it a layout is of no use."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Column(_Strict):
    """One column: what its header may say, or where it stands in a line of fixed width."""

    headers: tuple[str, ...] = ()
    """Compared by letters and digits alone; ``{n}`` counts a column that repeats."""
    fixed: tuple[int, int] | None = None
    """First and last place, from 1, as record layouts say it; the last may lie past the end."""
    required: bool = False
    """Whether a file without it is not of this kind."""
    filled: bool = False
    """Whether a row without a value in it is refused."""
    pattern: str = ""
    """A regular expression that the whole value matches; else the row is refused."""
    dates: tuple[str, ...] = ()
    """How dates are written in it (``strptime``); one that is not is refused with its row."""
    truth: tuple[str, ...] = ()
    """For yes and no: what stands for yes."""
    width: int = Field(default=0, ge=0, le=20)
    """Padded with zeros from the left to this width: spreadsheets eat them."""
    normal: Literal["", "ndc", "no_point"] = ""
    carried: bool = False
    """An empty cell stands for the one above, as where cells were merged."""

    @model_validator(mode="after")
    def _is_found_somehow(self) -> Column:
        if not self.headers and self.fixed is None:
            raise ValueError("a column has `headers`, or a `fixed` place, or both")
        if self.fixed is not None and not 1 <= self.fixed[0] <= self.fixed[1]:
            raise ValueError("`fixed` is the first and the last place, from 1")
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise ValueError(f"`pattern` is no regular expression: {error}") from error
        return self


class Continued(_Strict):
    """Rows that only go on with the description of the row before."""

    column: Column
    values: tuple[str, ...]


class EditionName(_Strict):
    """How a file's name tells its edition: groups of ``pattern`` set into ``name``."""

    pattern: str
    name: str
    valid_from: str = ""
    valid_to: str = ""
    update: bool = False
    """Such a file renews single entries of what is in force."""

    @model_validator(mode="after")
    def _is_an_expression(self) -> EditionName:
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise ValueError(f"`pattern` is no regular expression: {error}") from error
        return self


class Layout(_Strict):
    """Everything about one kind of list: what it is, where it comes from, how it is read."""

    kind: str = Field(pattern=r"^[a-z][a-z0-9_]{1,31}$")
    title: str
    version: int = Field(ge=1)
    table: Table
    source: str
    licence: str
    renewed: str
    """How often its publisher renews it, in words."""
    old_after_days: int = Field(ge=1)
    """After so many days without an import ``idp reference check`` asks for a new one."""
    rules: tuple[str, ...] = ()
    """The rules that look things up in it."""
    columns: dict[str, Column] = {}
    repeats: int = Field(default=1, ge=1, le=50)
    """How often columns with ``{n}`` in their headers occur at most."""
    continued: Continued | None = None
    member: str = r".*\.(csv|txt)"
    """In a ZIP archive, the name of the file that is meant."""
    delimiters: tuple[str, ...] = (",", ";", "\t", "|")
    quoted: bool = True
    """Whether values may stand in quotation marks; else a quotation mark is a character."""
    dated: bool = False
    """Whether editions stand side by side, each valid for its own dates of service."""
    editions: tuple[EditionName, ...] = ()
    most_rows: int = Field(default=2_000_000, ge=1)
    most_refused: float = Field(default=0.02, ge=0, le=1)
    """A file of which more is refused is not imported at all."""
    thresholds: dict[str, float] = {}
    """For rules that compare with what is found: least likeness, 0 to 1."""
    otherwise: str = ""
    """What the rules look things up in where nothing is imported; by default in nothing."""
    entries: dict[str, str] = {}
    """What counts without any import, where it is public and small."""

    @model_validator(mode="after")
    def _fits_its_table(self) -> Layout:
        table = TABLES[self.table]
        if unknown := set(self.columns) - table.possible:
            raise ValueError(f"{self.table} keep no column {', '.join(sorted(unknown))}")
        if lacking := table.needed - set(self.columns):
            raise ValueError(f"{self.table} need a column {', '.join(sorted(lacking))}")
        if self.entries and self.table != "codes":
            raise ValueError("only a table of codes may have `entries`")
        return self

    @property
    def has_fixed(self) -> bool:
        """Whether a file of fixed width is understood."""
        return any(column.fixed for column in self.columns.values())


Layouts = Mapping[str, Layout]


@cache
def load_layouts(own: Path | None = None, *, shipped: Path = SHIPPED_RULES) -> Layouts:
    """The layouts by kind.

    Args:
        own: The appliance's folder of rules; its ``reference`` folder may hold layouts.
        shipped: That of the program.

    Raises:
        RulesError: A file is not YAML, or not a layout; the message names it.
    """
    found: dict[str, Layout] = {}
    for folder in (shipped, own):
        for path in sorted((folder / FOLDER).glob("[!_]*.yaml")) if folder else ():
            layout = _read(path)
            found[layout.kind] = layout
    return found


def _read(path: Path) -> Layout:
    try:
        layout = Layout.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError) as error:
        raise RulesError(f"{path}: {error}") from error
    if layout.kind != path.stem:
        raise RulesError(f"{path}: is about {layout.kind}; the file is to be named after it")
    return layout
