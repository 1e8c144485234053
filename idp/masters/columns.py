# SPDX-License-Identifier: Apache-2.0
"""Which column of a source means what: synonyms from ``rules/masters``, or as the caller says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import yaml
from pydantic import TypeAdapter, ValidationError

from idp.errors import ImportedDataError, RulesError
from idp.masters.nouns import Kind
from idp.settings import SHIPPED_RULES
from idp.values.slips import compact

COLUMNS: dict[Kind, tuple[str, ...]] = {
    "members": (
        "canonical_id", "member_id", "payer", "group", "name", "last_name", "first_name",
        "middle_name", "suffix", "former_names", "dob", "sex", "phone", "zip", "active_from",
        "active_to",
    ),
    "providers": (
        "canonical_id", "npi", "name", "last_name", "first_name", "middle_name", "suffix",
        "organisation", "tax_id", "phone", "fax", "specialty",
    ),
    "payers": (
        "canonical_id", "name", "aliases", "payer_id", "member_id_pattern", "phone", "fax",
    ),
}  # fmt: skip
"""What may be imported of each kind."""

_NEEDED: dict[Kind, tuple[tuple[str, ...], ...]] = {
    "members": (("name", "last_name"), ("name", "first_name"), ("dob", "member_id")),
    "providers": (("npi", "name", "last_name", "organisation"),),
    "payers": (("name",),),
}
"""Of each group one column has to be there."""

_SYNONYMS = TypeAdapter(dict[str, list[str]])


def load_synonyms(kind: Kind, own_rules: Path | None = None) -> dict[str, str]:
    """Folded header -> our column, the program's synonyms and then the installation's.

    Raises:
        RulesError: A file is no such YAML, or names a column that there is not.
    """
    found: dict[str, str] = {}
    for folder in (SHIPPED_RULES, own_rules):
        path = folder / "masters" / f"{kind}.yaml" if folder is not None else None
        if path is None or not path.is_file():
            continue
        try:
            told = _SYNONYMS.validate_python(yaml.safe_load(path.read_text(encoding="utf-8")))
        except (OSError, UnicodeError, yaml.YAMLError, ValidationError) as error:
            raise RulesError(f"{path}: {str(error).splitlines()[0]}") from error
        if strange := sorted(set(told) - set(COLUMNS[kind])):
            raise RulesError(f"{path}: {kind} have no column {strange[0]!r}")
        for column, names in told.items():
            for name in names:
                found[compact(name)] = column
    for column in COLUMNS[kind]:
        found[compact(column)] = column
    return found


def parse_overrides(text: str, kind: Kind) -> dict[str, str]:
    """``member_id=MRN,last_name=NAME1`` as column -> header.

    Raises:
        ImportedDataError: It is not of that shape, or names a column that there is not.
    """
    found: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        column, sign, header = (piece.strip() for piece in part.partition("="))
        if not sign or not header or column not in COLUMNS[kind]:
            raise ImportedDataError(
                f"--columns: {column!r} is not one of the columns of {kind}",
                hint=f"Say COLUMN=HEADER,...; the columns are {', '.join(COLUMNS[kind])}.",
            )
        found[column] = header
    return found


def places(
    headers: Sequence[str],
    kind: Kind,
    synonyms: Mapping[str, str],
    overrides: Mapping[str, str],
) -> dict[str, tuple[int, ...]]:
    """Which columns of the source, by place, hold each of ours.

    A column that the caller names stands alone; otherwise all whose header is a synonym, the first
    to be asked first. Nothing here quotes a header: a file without a head has people in that line.

    Raises:
        ImportedDataError: A named header is not there, or what is needed is not.
    """
    folded = [compact(header) for header in headers]
    found: dict[str, list[int]] = {}
    taken: set[int] = set()
    for column, header in overrides.items():
        wanted = compact(header)
        at = [place for place, name in enumerate(folded) if name == wanted]
        if not at:
            raise ImportedDataError(f"--columns: the source has no column {header!r}")
        found[column] = at
        taken.update(at)
    for place, name in enumerate(folded):
        known = synonyms.get(name)
        if known is not None and place not in taken and known not in overrides:
            found.setdefault(known, []).append(place)
    for group in _NEEDED[kind]:
        if not any(column in found for column in group):
            raise ImportedDataError(
                f"none of the {len(headers)} columns is known as {_either(group)}",
                hint="The first line has to hold the columns' names; "
                f"--columns {group[0]}=HEADER names one.",
            )
    return {column: tuple(at) for column, at in found.items()}


def _either(names: Iterable[str]) -> str:
    return " or ".join(name.replace("_", " ") for name in dict.fromkeys(names))
