# SPDX-License-Identifier: Apache-2.0
"""A parcel for people, before anything is written: what would be written where, and what sought.

Values are shown: it is the operator's own screen. The bytes of files are not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from idp.deliver.odoo.parcel import Cell, Content, Find, Link, Parcel

_LONGEST_VALUE = 200


class PreviewRow(NamedTuple):
    """One cell of one record to be written."""

    role: str
    model: str
    column: str
    value: str
    how: str
    """``value``, ``link``, ``find``, ``file``."""


def preview(parcel: Parcel) -> tuple[PreviewRow, ...]:
    """All that would be written, in the order of writing; long texts are cut."""
    return tuple(
        PreviewRow(row.role, row.model, column, _said(cell), _how(cell))
        for row in parcel.rows
        for column, cell in row.cells.items()
    )


def preview_json(parcel: Parcel) -> Mapping[str, object]:
    """The same for scripts, whole."""
    return {
        "schema": "idp.odoo_preview/1",
        "document_id": parcel.document_id,
        "key": parcel.key,
        "version": parcel.version,
        "notes": list(parcel.notes),
        "rows": [
            {
                "role": row.role,
                "model": row.model,
                "external_id": parcel.external_id(row.role),
                "once": row.once,
                "cells": {column: _plain(cell) for column, cell in row.cells.items()},
            }
            for row in parcel.rows
        ],
    }


def _how(cell: Cell) -> str:
    first = cell[0] if isinstance(cell, tuple) and cell else cell
    if isinstance(first, Find):
        return "find"
    if isinstance(first, Link):
        return "link"
    return "file" if isinstance(first, Content) else "value"


def _said(cell: Cell) -> str:
    if isinstance(cell, tuple):
        return "; ".join(_said(each) for each in cell)
    if isinstance(cell, Find):
        needed = "the only" if cell.required else "if there is exactly one,"
        tests = " and ".join(
            f"{column} {how} {'nothing' if value is False else value}"
            for column, how, value in cell.domain
        )
        made = "; made where there is none" if cell.make else ""
        return f"{needed} {cell.model} where {tests}{made}"
    if isinstance(cell, Link):
        return f"the record of {cell.role}"
    if isinstance(cell, Content):
        return f"{cell.size_bytes} bytes, sha1 {cell.sha1}"
    text = "" if cell is None else str(cell)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}… ({len(text)} signs)"


def _plain(cell: Cell) -> object:
    if isinstance(cell, tuple):
        return [_plain(each) for each in cell]
    if isinstance(cell, Find):
        return {
            "find": cell.model,
            "domain": [list(each) for each in cell.domain],
            "required": cell.required,
            "make": dict(cell.make),
        }
    if isinstance(cell, Link):
        return {"link": cell.role}
    if isinstance(cell, Content):
        return {"sha1": cell.sha1, "size_bytes": cell.size_bytes}
    return cell
