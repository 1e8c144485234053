# SPDX-License-Identifier: Apache-2.0
"""Which taxonomy codes stand for a specialty as forms print it."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from rapidfuzz import fuzz, process

from idp.errors import RulesError
from idp.reference.layouts import FOLDER
from idp.settings import SHIPPED_RULES

FILE = "_specialties.yaml"


class Specialty(BaseModel):
    """What one specialty is called, and how the taxonomy codes begin that stand for it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    names: tuple[str, ...]
    codes: tuple[str, ...]


class Specialties(BaseModel):
    """All specialties that are known by name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int
    any: tuple[str, ...] = ()
    """Beginnings of codes that go with every specialty."""
    ignored: tuple[str, ...] = ()
    """Words that name no specialty."""
    specialties: tuple[Specialty, ...] = ()

    def fits(self, printed: str, taxonomies: tuple[str, ...], least: float) -> bool | None:
        """Whether one of the codes stands for the printed specialty; none: nobody can tell.

        Args:
            printed: As the form says it, one or several ("Cardiology / Internal medicine").
            taxonomies: The provider's codes.
            least: How alike the printed words must be to a known name, 0 to 1.
        """
        wanted = [codes for part in _parts(printed) if (codes := self._codes(part, least))]
        if not wanted or not taxonomies:
            return None
        heads = (*self.any, *(code for codes in wanted for code in codes))
        return any(taxonomy.startswith(heads) for taxonomy in taxonomies)

    def _codes(self, printed: str, least: float) -> tuple[str, ...]:
        if not printed or printed in {_plain(word) for word in self.ignored}:
            return ()
        by_name = _by_name(self.specialties)
        if printed in by_name:
            return by_name[printed]
        if len(printed) < 5:
            # "ENT" and "PT" are known as they are, or not at all.
            return ()
        found = process.extractOne(
            printed, by_name.keys(), scorer=fuzz.ratio, score_cutoff=100 * least
        )
        return by_name[found[0]] if found else ()


@cache
def _by_name(specialties: tuple[Specialty, ...]) -> dict[str, tuple[str, ...]]:
    return {_plain(name): each.codes for each in specialties for name in each.names}


def _parts(printed: str) -> list[str]:
    """The whole, or else its pieces between strokes and commas."""
    return [_plain(part) for part in [printed, *re.split(r"[/,;|]", printed)]]


def _plain(text: str) -> str:
    return " ".join(re.findall(r"[a-z0-9&]+", text.lower()))


@cache
def load_specialties(own: Path | None = None, *, shipped: Path = SHIPPED_RULES) -> Specialties:
    """The specialties; an appliance's own file takes the place of the program's.

    Raises:
        RulesError: The file is not YAML, or breaks the shape above.
    """
    for folder in (own, shipped):
        path = folder / FOLDER / FILE if folder else None
        if path is not None and path.is_file():
            try:
                return Specialties.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
            except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError) as error:
                raise RulesError(f"{path}: {error}") from error
    return Specialties(version=0)
