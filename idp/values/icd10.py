# SPDX-License-Identifier: Apache-2.0
"""The ICD-10-CM code list, small in memory and without loading its parser.

``simple-icd-10-cm`` ships the CMS code list beside a 10 MB tabular file that its import parses for
seconds. Only the list is needed here: its codes are kept as one sorted array of 7-byte strings
(0.7 MB), read on first use in about 50 ms and searched by bisection.
"""

from __future__ import annotations

import datetime as dt
import importlib.util
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from idp.errors import MissingDependencyError

_PACKAGE = "simple_icd_10_cm"
_WIDTH = 7


def _list_file() -> Path:
    spec = importlib.util.find_spec(_PACKAGE)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        if files := sorted((Path(folder) / "data").glob("code-list-*.txt")):
            return files[-1]
    raise MissingDependencyError(f"no ICD-10-CM code list in the package {_PACKAGE}")


def edition() -> str:
    """Which list is in force, as its file says (``April-2026``)."""
    return _list_file().stem.removeprefix("code-list-")


def in_force() -> tuple[dt.date, dt.date]:
    """First and last day of the fiscal year that the list belongs to, October 1 to September 30.

    Some of its codes hold only from April 1 on; the list does not say which.

    Raises:
        MissingDependencyError: The list's file does not name its month.
    """
    try:
        named = dt.datetime.strptime(edition(), "%B-%Y").replace(tzinfo=dt.UTC)
    except ValueError as error:
        raise MissingDependencyError(f"the code list {edition()!r} names no month") from error
    year = named.year + (named.month >= 10)
    return dt.date(year - 1, 10, 1), dt.date(year, 9, 30)


@cache
def _codes() -> npt.NDArray[np.bytes_]:
    lines = _list_file().read_text(encoding="ascii").split()
    kept = {
        line for line in lines if 3 <= len(line) <= _WIDTH and line[0].isalpha() and line.isalnum()
    }
    return np.array(sorted(kept), dtype=f"S{_WIDTH}")


def _place(code: str) -> int:
    return int(np.searchsorted(_codes(), np.bytes_(code.encode("ascii"))))


def _bare(code: str) -> str | None:
    bare = code.replace(".", "").upper()
    return bare if 3 <= len(bare) <= _WIDTH and bare.isascii() and bare.isalnum() else None


def exists(code: str) -> bool:
    """Whether the code, with or without its point, is in the list (as category or in full)."""
    bare = _bare(code)
    if bare is None:
        return False
    codes, place = _codes(), _place(bare)
    return place < len(codes) and codes[place] == bare.encode("ascii")


def is_billable(code: str) -> bool:
    """Whether the code exists and has no finer code below it."""
    bare = _bare(code)
    if bare is None or not exists(bare):
        return False
    codes, place = _codes(), _place(bare) + 1
    return place >= len(codes) or not bytes(codes[place]).startswith(bare.encode("ascii"))
