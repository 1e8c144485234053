# SPDX-License-Identifier: Apache-2.0
"""Reading the files of requirements: the program's first, an appliance's own over them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

import yaml
from pydantic import ValidationError

from idp.document import DocumentType
from idp.errors import RulesError
from idp.requirements.nouns import Kinds, Programme, Requirement, Source
from idp.schemas import DocumentSchema, Strict, condition_fields
from idp.settings import SHIPPED_RULES

FOLDER = "payers"
KINDS = "_kinds.yaml"
MOST_BYTES = 2_000_000
"""A longer file of rules is taken for something else."""

_Model = TypeVar("_Model", bound=Strict)


class _Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...


class Entry(NamedTuple):
    """A requirement with the programme it is of and the file it stands in."""

    programme: Programme
    requirement: Requirement
    file: str

    @property
    def source(self) -> Source:
        return self.programme.sources[self.requirement.source]

    @property
    def cited(self) -> str:
        """Title, edition and place of the source, as a finding names it."""
        page = self.requirement.page
        cited = f"{self.source.cited}, {page}" if page else self.source.cited
        return f"{cited}; to be checked" if self.requirement.confidence != "cited" else cited


class Requirements(NamedTuple):
    """Everything that payers and programmes ask for; empty where nothing was written."""

    entries: tuple[Entry, ...] = ()
    kinds: Kinds = Kinds()
    version: str = ""
    """A hash over the files."""


def load_requirements(
    own: Path | None,
    schemas: Mapping[DocumentType, DocumentSchema],
    *,
    shipped: Path = SHIPPED_RULES,
) -> Requirements:
    """The requirements in force.

    Files are read in the order of their names, the program's first. A requirement with the id of
    an earlier one takes its place, and ``withdrawn`` takes one out; kinds of the same name
    likewise.

    Args:
        own: An appliance's folder of rules; its files lie in ``payers`` below it.
        schemas: Document types, to check that the fields asked for exist.
        shipped: The program's folder of rules.

    Raises:
        RulesError: A file can't be read, is not YAML, or breaks the shape of
            :mod:`idp.requirements.nouns`; the message names file and key.
    """
    folders = [shipped / FOLDER, *([own / FOLDER] if own is not None else [])]
    digest = hashlib.sha256()
    kinds = Kinds()
    found: dict[str, Entry] = {}
    for folder in folders:
        if (folder / KINDS).is_file():
            more = _read(folder / KINDS, Kinds, digest)
            kinds = Kinds(
                services={**kinds.services, **more.services},
                attachments={**kinds.attachments, **more.attachments},
            )
        for path in _files(folder):
            programme = _read(path, Programme, digest)
            for gone in programme.withdrawn:
                if found.pop(gone, None) is None:
                    raise RulesError(f"{path}: withdrawn: there is no requirement {gone!r}")
            for requirement in programme.requirements:
                # Put last again, so that `list` shows it with its own file.
                found.pop(requirement.id, None)
                found[requirement.id] = Entry(programme, requirement, path.name)
    for entry in found.values():
        for fault in _faults(entry, kinds, schemas):
            raise RulesError(f"{entry.file}: {entry.requirement.id}: {fault}")
    return Requirements(tuple(found.values()), kinds, digest.hexdigest()[:16] if found else "")


def _files(folder: Path) -> list[Path]:
    """The programmes of a folder; one that is not there holds none."""
    return sorted(path for path in folder.glob("*.yaml") if path.name != KINDS)


def _read(path: Path, model: type[_Model], digest: _Digest) -> _Model:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise RulesError(f"{path}: more than {MOST_BYTES} bytes")
        data = path.read_bytes()
        content = yaml.safe_load(data.decode("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RulesError(f"{path}: {error}") from error
    digest.update(path.name.encode() + b"\0" + data + b"\0")
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise RulesError(f"{path}: {error}") from error


def _faults(
    entry: Entry, kinds: Kinds, schemas: Mapping[DocumentType, DocumentSchema]
) -> Iterator[str]:
    """What a requirement names that is not there."""
    asked = entry.requirement
    for name in asked.applies.services:
        if name not in kinds.services:
            yield f"no kind of service {name!r} in {KINDS}"
    for name in asked.attachments:
        if name not in kinds.attachments:
            yield f"no kind of attachment {name!r} in {KINDS}"
    wanted = {*asked.fields, *asked.one_of, *asked.shapes}
    for condition in asked.applies.when:
        wanted |= condition_fields(condition)
    if asked.signature:
        wanted.add("signature_present")
    if asked.applies.places:
        wanted.add("place_of_service")
    for type_ in asked.applies.types:
        schema = schemas.get(type_)
        if schema is None:
            yield f"no document type {type_!r}"
            continue
        known = {field.name for field in schema.fields}
        if lacking := sorted(wanted - known):
            yield f"{type_} has no field {', '.join(lacking)}"
        subtypes = {kind.name for kind in schema.subtypes}
        if lacking := sorted(set(asked.applies.subtypes) - subtypes):
            yield f"{type_} has no subtype {', '.join(lacking)}"
