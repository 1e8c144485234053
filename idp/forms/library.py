# SPDX-License-Identifier: Apache-2.0
"""The registered forms of an installation, one folder each below ``<data>/forms``.

    NAME/blank.pdf     the form as it was given
    NAME/form.json     its print and its places
    NAME/fields.yaml   what each place asks for: guessed by `idp forms add`, corrected by people

A folder is written beside its place and renamed into it, so that there is a whole form or none;
what a killed call leaves begins with a dot and is swept away by the next.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import shutil
import threading
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from idp.document import DocumentType, Page
from idp.errors import AccessError, FormError, NotFoundError
from idp.forms.nouns import BlankForm, Part, Place
from idp.forms.recognise import Recogniser
from idp.schemas import DocumentSchema

_log = logging.getLogger(__name__)

BLANK, FORM, FIELDS = "blank.pdf", "form.json", "fields.yaml"
_HEAD = """\
# What each place of this form asks for. Correct `field` (a field of the document type; null
# where nobody asks for it; "?" where that is not known: whatever stands there is understood as on a
# form that nobody registered), `part` where a value stands in pieces (first, middle, last; street,
# unit, city, state, zip, zip4; month, day, year; area, prefix, line), `option` for what a tick
# means, and `group`: places with the same field and group hold one value. Saved is in force.
"""


UNDECIDED = "?"
"""In `fields.yaml`, for a place whose field nobody has decided."""
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml where PyYAML was built with it: a form has hundreds of places."""
_Stamps = tuple[tuple[int, int], ...]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    page: int
    asks: str = ""
    kind: str = ""
    field: str | None = None
    part: Part = ""
    option: str = ""
    group: int = 0


class _Fields(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    type: DocumentType
    places: dict[int, _Entry]


def slug(text: str) -> str:
    """A name for a form: lower case, letters, digits, ``-``, ``_`` and ``.``."""
    return re.sub(r"[^a-z0-9_.-]+", "-", text.lower()).strip("-._")[:80] or "form"


class FormLibrary:
    """The forms in a folder, looked at anew whenever the folder changes. Thread-safe."""

    def __init__(self, folder: Path, schemas: Mapping[DocumentType, DocumentSchema]) -> None:
        """Prepares; a folder that is not there is an empty library."""
        self.folder = folder
        self._schemas = schemas
        self._lock = threading.Lock()
        self._seen: dict[str, _Stamps] | None = None
        self._loaded: dict[str, tuple[_Stamps, BlankForm]] = {}
        self._forms: tuple[BlankForm, ...] = ()
        self._damaged: dict[str, FormError] = {}
        self._recogniser = Recogniser(())

    @property
    def forms(self) -> tuple[BlankForm, ...]:
        """All forms by name.

        Raises:
            FormError: the files of one are damaged.
        """
        self._refresh()
        for error in self._damaged.values():
            raise error
        return self._forms

    def problems(self) -> tuple[str, ...]:
        """Forms that can't be used, a line each; empty when all is well."""
        self._refresh()
        return tuple(f"form {name}: {error.message}" for name, error in self._damaged.items())

    def recognised(self, pages: Sequence[Page]) -> tuple[Page, ...]:
        """The pages, each with the form that it is a copy of, if it is one.

        A form whose files are damaged is left out: one slip in a table must not stop the rest.
        """
        self._refresh()
        if not self._forms:
            return tuple(pages)
        recogniser = self._recogniser
        return tuple(page.model_copy(update={"form": recogniser.recognise(page)}) for page in pages)

    def get(self, name: str) -> BlankForm:
        """One form; raises :class:`NotFoundError`."""
        found = next((form for form in self.forms if form.name == name), None)
        if found is None:
            raise NotFoundError(
                f"no form is registered as {name}", hint="`idp forms list` lists them."
            )
        return found

    def path(self, name: str) -> Path:
        """The folder of a form."""
        return self.folder / name

    def keep(self, form: BlankForm) -> bool:
        """Keeps a form that was learnt, in the place of an older one of its name.

        Killed between the two, the layout is not known until it is learnt again.

        Returns:
            Whether anything changed.

        Raises:
            AccessError: the library can't be written.
        """
        known = next((f for f in self.forms if f.name == form.name), None)
        if known is not None and known.sha256 == form.sha256:
            return False
        if known is not None:
            self.remove(form.name)
        self._write(form, None)
        return True

    def add(self, form: BlankForm, pdf: bytes) -> BlankForm:
        """Registers a form; the same PDF again changes nothing and gives the form that is there.

        Raises:
            FormError: the name belongs to another PDF.
            AccessError: the library can't be written.
        """
        self._sweep()
        for known in self.forms:
            if known.sha256 == form.sha256:
                return known
            if known.name == form.name:
                raise FormError(
                    f"another PDF is registered as {form.name}",
                    hint="Choose another --name, or `idp forms remove` the old one first.",
                )
        self._write(form, pdf)
        return form

    def _write(self, form: BlankForm, pdf: bytes | None) -> None:
        """Whole or not at all."""
        half = self.folder / f".{form.name}-{uuid.uuid4().hex[:8]}"
        try:
            half.mkdir(parents=True)
            if pdf is not None:
                _write(half / BLANK, pdf)
            _write(half / FORM, form.model_dump_json().encode())
            _write(half / FIELDS, fields_yaml(form).encode())
            half.rename(self.path(form.name))
            _sync_folder(self.folder)
        except OSError as error:
            shutil.rmtree(half, ignore_errors=True)
            raise AccessError(f"{self.folder}: {error.strerror}") from error

    def remove(self, name: str) -> None:
        """Forgets a form; raises :class:`NotFoundError`. What was read with it stays as it is."""
        path = self.path(name)
        if slug(name) != name or not path.is_dir():
            raise NotFoundError(
                f"no form is registered as {name}", hint="`idp forms list` lists them."
            )
        gone = self.folder / f".{name}-{uuid.uuid4().hex[:8]}"
        try:
            path.rename(gone)
            shutil.rmtree(gone)
        except OSError as error:
            raise AccessError(f"{path}: {error.strerror}") from error

    def _sweep(self) -> None:
        if self.folder.is_dir():
            for left in self.folder.glob(".*"):
                shutil.rmtree(left, ignore_errors=True)

    def _refresh(self) -> None:
        now = self._stamps()
        with self._lock:
            if now == self._seen:
                return
            loaded: dict[str, tuple[_Stamps, BlankForm]] = {}
            damaged: dict[str, FormError] = {}
            for name, stamps in now.items():
                known = self._loaded.get(name)
                if known is not None and known[0] == stamps:
                    loaded[name] = known
                    continue
                try:
                    loaded[name] = stamps, self._load(self.folder / name)
                except FormError as error:
                    damaged[name] = error
                    _log.error("form %s is left out: %s", name, error.message)
            self._damaged = damaged
            self._loaded = loaded
            self._forms = tuple(form for _, form in loaded.values())
            self._recogniser = Recogniser(self._forms)
            self._seen = now

    def _stamps(self) -> dict[str, _Stamps]:
        """What tells that a form came, went or was corrected."""
        if not self.folder.is_dir():
            return {}
        found: dict[str, _Stamps] = {}
        for entry in sorted(self.folder.iterdir()):
            if entry.name.startswith(".") or not entry.is_dir():
                continue
            try:
                found[entry.name] = tuple(
                    ((state := (entry / name).stat()).st_mtime_ns, state.st_ino)
                    for name in (FORM, FIELDS)
                )
            except OSError:
                found[entry.name] = ()
        return found

    def _load(self, folder: Path) -> BlankForm:
        try:
            form = BlankForm.model_validate_json((folder / FORM).read_bytes())
        except (OSError, ValueError) as error:
            raise FormError(f"{folder / FORM} is missing or damaged") from error
        return corrected(form, folder / FIELDS, self._schemas)


def fields_yaml(form: BlankForm) -> str:
    """What people correct."""
    lines = [_HEAD, f"title: {_quoted(form.title)}", f"type: {form.type}", "places:"]
    for number, place in enumerate(form.places, 1):
        entry: dict[str, Any] = {"page": place.page, "kind": place.kind}
        asks = place.label or place.name.rsplit(".", 1)[-1]
        entry["asks"] = asks[:80]
        entry["field"] = UNDECIDED if place.undecided else place.field or None
        entry |= {k: v for k in ("part", "option") if (v := getattr(place, k))}
        entry |= {"group": place.group} if place.group else {}
        text = yaml.safe_dump(entry, default_flow_style=True, width=10_000, sort_keys=False)
        lines.append(f"  {number}: {text.strip()}")
    return "\n".join(lines) + "\n"


def corrected(
    form: BlankForm, path: Path, schemas: Mapping[DocumentType, DocumentSchema]
) -> BlankForm:
    """The form as people corrected it.

    Raises:
        FormError: the file is no YAML of that shape, or names a place or field that is not there.
    """
    try:
        text = path.read_text(encoding="utf-8")
        fields = _Fields.model_validate(yaml.load(text, _LOADER))  # noqa: S506 - a safe one
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise FormError(f"{path}: {str(error).splitlines()[0]}") from error
    if strange := set(fields.places) - set(range(1, len(form.places) + 1)):
        raise FormError(f"{path}: the form has no place {min(strange)}")
    schema = schemas[fields.type]
    places: list[Place] = []
    for number, place in enumerate(form.places, 1):
        entry = fields.places.get(number)
        if entry is None:
            nothing = {"field": "", "group": 0, "undecided": False}
            places.append(place.model_copy(update=nothing))
            continue
        undecided = entry.field == UNDECIDED
        if entry.field and not undecided and schema.field(entry.field) is None:
            raise FormError(f"{path}: place {number}: {fields.type} has no field {entry.field}")
        places.append(
            place.model_copy(
                update={
                    "field": "" if undecided else entry.field or "",
                    "undecided": undecided,
                    "part": entry.part,
                    "option": entry.option,
                    "group": entry.group,
                }
            )
        )
    return form.model_copy(
        update={"title": fields.title, "type": fields.type, "places": tuple(places)}
    )


def sha256_of(pdf: bytes) -> str:
    """What makes two files the same form."""
    return hashlib.sha256(pdf).hexdigest()


def _quoted(text: str) -> str:
    return yaml.safe_dump(text, width=10_000).splitlines()[0]


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
