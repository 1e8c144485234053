# SPDX-License-Identifier: Apache-2.0
"""The letters' templates: the program's, and an appliance's own before them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from jinja2 import ChoiceLoader, FileSystemLoader, StrictUndefined, TemplateError
from jinja2.exceptions import TemplateNotFound
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import Field, ValidationError

from idp.errors import RulesError
from idp.schemas import Strict
from idp.settings import SHIPPED_RULES

FOLDER = "letters"
DEFAULT = "default"
WORDING = "wording.yaml"
MOST_SIGNS = 20_000
"""A letter that is longer was not meant by its template."""


class Wording(Strict):
    """``wording.yaml``: what a letter says of a finding, by rule; ``{field}`` is the field."""

    version: int = Field(ge=1)
    not_in_order: dict[str, str] = Field(default_factory=dict)
    pages: dict[str, str] = Field(default_factory=dict)


class Templates:
    """One template for each document type, ``default`` for the others; all of them sandboxed."""

    def __init__(self, own: Path | None = None, *, shipped: Path = SHIPPED_RULES) -> None:
        """Reads the wording; templates are read when a letter is made.

        Args:
            own: An appliance's folder of rules: a template in ``letters`` below it takes the place
                of the program's of the same name.
            shipped: The program's folder of rules.

        Raises:
            RulesError: ``wording.yaml`` is not well formed.
        """
        folders = [*([own / FOLDER] if own is not None else []), shipped / FOLDER]
        self._pages = ImmutableSandboxedEnvironment(
            loader=ChoiceLoader([FileSystemLoader(folder) for folder in folders]),
            autoescape=False,  # plain text; the page escapes what it sets
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        paths = [folder / WORDING for folder in folders if (folder / WORDING).is_file()]
        self.wording = _wording(paths[0]) if paths else Wording(version=1)

    def check(self, names: tuple[str, ...]) -> None:
        """Raises :class:`RulesError` where a template of one of these types is not well formed."""
        for name in (DEFAULT, *names):
            self._template(name)

    def fill(self, name: str, values: dict[str, Any]) -> str:
        """The text of a letter.

        Args:
            name: Of the document type.
            values: What the template may print.

        Raises:
            RulesError: The template is not well formed, or prints what there is not.
        """
        try:
            text = str(self._template(name).render(values))
        except TemplateError as error:
            raise RulesError(f"{FOLDER}/{name}.txt.j2: {error}") from error
        except (ArithmeticError, LookupError, TypeError, ValueError, RecursionError) as error:
            # A template computes what its author likes; the error's text may quote what it had.
            raise RulesError(f"{FOLDER}/{name}.txt.j2: {type(error).__name__}") from error
        if len(text) > MOST_SIGNS:
            raise RulesError(f"{FOLDER}/{name}.txt.j2: the letter has more than {MOST_SIGNS} signs")
        return text.strip() + "\n"

    def _template(self, name: str) -> Any:
        try:
            return self._pages.select_template([f"{name}.txt.j2", f"{DEFAULT}.txt.j2"])
        except TemplateNotFound as error:
            raise RulesError(f"{FOLDER}: no template {DEFAULT}.txt.j2") from error
        except (TemplateError, OSError, UnicodeDecodeError) as error:
            raise RulesError(f"{FOLDER}/{name}.txt.j2: {error}") from error


def _wording(path: Path) -> Wording:
    try:
        wording = Wording.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        for said in (*wording.not_in_order.values(), *wording.pages.values()):
            said.format(field="")
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError) as error:
        raise RulesError(f"{path}: {error}") from error
    except (KeyError, IndexError, ValueError) as error:
        raise RulesError(f"{path}: only {{field}} may stand in braces") from error
    return wording
