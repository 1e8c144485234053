# SPDX-License-Identifier: Apache-2.0
"""Document schemas: one YAML per document type, loaded and checked at start.

Policy lives here as data: which fields a type has, what they are called on real forms, which are
required when, how severe a failure is. A new document type is one new file. ``_lexicon.yaml`` holds
what all types share: parties, section titles, attribute labels, labels that end a value.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from idp.document import DocumentType, Release, Severity
from idp.errors import SchemaError
from idp.values import Kind

FOLDER = Path(__file__).parent

SHIPPED = frozenset(
    {
        DocumentType.REFERRAL,
        DocumentType.PRIOR_AUTH_REQUEST,
        DocumentType.PRIOR_AUTH_DETERMINATION,
        DocumentType.REMITTANCE_EOB,
        DocumentType.OTHER,
    }
)
"""Types that code speaks of: without their schemas the installation is broken."""


class Strict(BaseModel):
    """Refuses keys it does not know, so that a typo in a YAML file is an error at start."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Condition(Strict):
    """When something is required: one test of a field, of the form, or ``all`` of several.

    ``present`` and ``equals`` look at the values of ``field``, ``matches`` is a regular expression
    found in one of them (case ignored). ``asked`` holds when the form itself has a place for the
    field (its label is printed) that is empty, ``ticked`` when a box with one of these labels is
    checked, ``subtypes`` when the document is of one of these kinds. Any one condition of a
    ``when`` that holds makes the field required.
    """

    field: str = ""
    present: bool | None = None
    equals: tuple[str, ...] = ()
    matches: str = Field(default="", max_length=200)
    asked: bool | None = None
    ticked: tuple[str, ...] = ()
    subtypes: tuple[str, ...] = ()
    all: tuple[Condition, ...] = ()
    because: str = ""

    @model_validator(mode="after")
    def _one_test(self) -> Condition:
        of_a_field = (
            self.present is not None,
            bool(self.equals),
            bool(self.matches),
            self.asked is not None,
        )
        others = (bool(self.ticked), bool(self.subtypes), bool(self.all))
        if sum((*of_a_field, *others)) != 1:
            raise ValueError(
                "a condition tests one of `present`, `equals`, `matches`, `asked`, `ticked`, "
                "`subtypes`, `all`"
            )
        if any(of_a_field) != bool(self.field):
            raise ValueError("`field` goes with a test of a field, and only with one")
        try:
            re.compile(self.matches)
        except re.error as error:
            raise ValueError(f"`matches` is no regular expression: {error}") from error
        return self

    def holds_of(self, values: Sequence[str]) -> bool:
        """Whether a test of a field's values holds; one of the form or of several does not."""
        if self.present is not None:
            return bool(values) is self.present
        if self.matches:
            return any(re.search(self.matches, value, re.IGNORECASE) for value in values)
        return any(set(value.split("/")) & set(self.equals) for value in values)


def condition_fields(condition: Condition) -> set[str]:
    """The names of all fields that a condition speaks of."""
    if condition.all:
        return {name for each in condition.all for name in condition_fields(each)}
    return {condition.field} if condition.field else set()


class FieldSchema(Strict):
    """One field of a document type."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    kind: Kind
    list: bool = False
    party: str | None = None
    attribute: str | None = None
    labels: tuple[str, ...] = ()
    options: dict[str, tuple[str, ...]] = {}
    required: Literal["always", "conditional", "optional"] = "optional"
    when: tuple[Condition, ...] = ()
    unless: tuple[Condition, ...] = ()
    """Any one of these that holds lifts the requirement ("self-pay" and the member number)."""
    one_of: str | None = None
    validators: tuple[str, ...] = ()
    severity: Severity = Severity.WARN
    threshold: float | None = Field(default=None, ge=0, le=1)
    source: str = ""

    @model_validator(mode="after")
    def _conditions_match(self) -> FieldSchema:
        if (self.required == "conditional") != bool(self.when):
            raise ValueError(f"{self.name}: `when` goes with `required: conditional`")
        if self.unless and self.required == "optional":
            raise ValueError(f"{self.name}: `unless` goes with a field that is required")
        if any(not condition.because for condition in self.when):
            raise ValueError(f"{self.name}: a condition of `when` says why in `because`")
        return self


class Evidence(Strict):
    """A phrase or a signal that speaks for (or, with a negative weight, against) a document type.

    A phrase is looked for letter by letter, blanks and misreadings forgiven. ``where`` narrows the
    place: ``title`` counts only in headings, ``head`` in the upper third of a page. A signal is a
    structural observation that ``idp.classify`` makes (``amount_table``, ``checkboxes``).
    """

    phrase: str = ""
    signal: str = ""
    weight: float
    where: Literal["any", "title", "head"] = "any"

    @model_validator(mode="after")
    def _one_kind(self) -> Evidence:
        if bool(self.phrase) == bool(self.signal):
            raise ValueError("evidence is either a `phrase` or a `signal`")
        return self


class Subtype(Strict):
    """A kind of `other` document, with the phrases that speak for it."""

    name: str
    title: str
    evidence: tuple[Evidence, ...]
    most_pages: int | None = Field(default=None, ge=1)
    """A longer document is something else that speaks of it."""
    release: Release | None = None
    """When documents of this kind leave by themselves, unless decision.types names the kind."""


class DocumentSchema(Strict):
    """Everything the appliance knows about one document type."""

    type: DocumentType
    title: str
    version: int = Field(ge=1)
    release: Release = "confident"
    """When documents of this type leave by themselves, unless decision.types names the type."""
    subject: str | None = None
    """The party that labels speak of when neither they nor a title say whom they mean."""
    evidence: tuple[Evidence, ...] = ()
    subtypes: tuple[Subtype, ...] = ()
    fields: tuple[FieldSchema, ...]

    @model_validator(mode="after")
    def _names_are_unique(self) -> DocumentSchema:
        names = [f.name for f in self.fields]
        if double := {n for n in names if names.count(n) > 1}:
            raise ValueError(f"fields named twice: {', '.join(sorted(double))}")
        parties = {f.party for f in self.fields}
        if self.subject and self.subject not in parties:
            raise ValueError(f"no field is about the subject {self.subject}")
        for field in self.fields:
            for condition in (*field.when, *field.unless):
                for name in condition_fields(condition):
                    if name not in names:
                        raise ValueError(f"{field.name}: condition on unknown field {name}")
        return self

    def field(self, name: str) -> FieldSchema | None:
        """The schema of one field, or ``None``."""
        return next((f for f in self.fields if f.name == name), None)


class Party(Strict):
    """Somebody a form speaks of; labels and section titles tell which fields are theirs."""

    name: str
    titles: tuple[str, ...]
    prefixes: tuple[str, ...] = ()
    qualifiers: tuple[str, ...] = ()


class Attribute(Strict):
    """What is said of a party (name, npi, phone ...), with the labels that introduce it."""

    name: str
    kind: Kind
    labels: tuple[str, ...]


class Lexicon(Strict):
    """The words all types share."""

    parties: tuple[Party, ...]
    attributes: tuple[Attribute, ...]
    section_titles: tuple[str, ...] = ()
    other_labels: tuple[str, ...] = ()
    columns: dict[str, tuple[str, ...]] = {}
    payers: tuple[str, ...] = ()
    payer_words: tuple[str, ...] = ()
    provider_nouns: tuple[str, ...] = ()
    generic_providers: tuple[str, ...] = ()
    reader_words: tuple[str, ...] = ()
    """How a form addresses whoever fills it in ("Your Name"): the subject of its type."""
    reader_titles: tuple[str, ...] = ()
    label_heads: tuple[str, ...] = ()
    """Words before a label that leave its meaning as it is ("Preferred E-mail Address")."""
    label_tails: tuple[str, ...] = ()
    """The same behind a label ("Date of Birth, if known")."""
    instruction_words: tuple[str, ...] = ()
    """Words of sentences that tell how to fill a form in: in no name and no address."""


class Separator(Strict):
    """A barcode that parts documents, on a sheet between them or on a label on a first page."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 _.-]{0,63}$")
    payload: str = Field(min_length=1, max_length=500)
    """A regular expression that the whole payload matches, case ignored."""
    symbologies: tuple[str, ...] = ()
    """As the reader names them (Code39, Code128, QRCode, PDF417, DataMatrix); none: any."""
    sheet: bool = True
    """Whether a page with little else on it is a sheet to set aside; else it is always kept."""

    @model_validator(mode="after")
    def _is_an_expression(self) -> Separator:
        try:
            re.compile(self.payload)
        except re.error as error:
            raise ValueError(f"{self.name}: `payload` is no regular expression: {error}") from error
        return self

    def matches(self, payload: str, symbology: str) -> bool:
        """Whether a barcode is this separator's."""
        if self.symbologies and symbology not in self.symbologies:
            return False
        return re.fullmatch(self.payload, payload.strip(), re.IGNORECASE) is not None


class _Separators(Strict):
    separators: tuple[Separator, ...]


def _read(path: Path) -> object:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise SchemaError(f"{path.name}: {error}") from error


def _folder(folder: Path) -> dict[DocumentType, DocumentSchema]:
    schemas: dict[DocumentType, DocumentSchema] = {}
    for path in sorted(folder.glob("[!_]*.yaml")):
        try:
            schema = DocumentSchema.model_validate(_read(path))
        except ValidationError as error:
            raise SchemaError(f"{path.name}: {error}") from error
        if schema.type in schemas:
            raise SchemaError(f"{path.name}: a second schema for {schema.type}")
        schemas[schema.type] = schema
    return schemas


@cache
def load_schemas(
    own: Path | None = None, *, shipped: Path = FOLDER
) -> dict[DocumentType, DocumentSchema]:
    """All document schemas by type.

    Args:
        own: Folder with the types that this appliance's people added; one for a shipped type
            takes its place. A folder that does not exist holds none.
        shipped: Folder with the types that come with the package.

    Raises:
        SchemaError: A file is missing, is not YAML, or breaks the shape above.
    """
    schemas = _folder(shipped)
    if lacking := SHIPPED - set(schemas):
        raise SchemaError(f"no schema for: {', '.join(sorted(lacking))}")
    return schemas | _folder(own) if own else schemas


@cache
def load_lexicon(folder: Path = FOLDER) -> Lexicon:
    """The shared lexicon; raises :class:`SchemaError` when it is not well formed."""
    try:
        return Lexicon.model_validate(_read(folder / "_lexicon.yaml"))
    except ValidationError as error:
        raise SchemaError(f"_lexicon.yaml: {error}") from error


@cache
def load_separators(own: Path | None = None, *, shipped: Path = FOLDER) -> tuple[Separator, ...]:
    """The barcodes that part documents: an appliance's own first, then those of the package.

    Args:
        own: Folder that may hold a ``_separators.yaml``; a separator there takes the place of the
            shipped one of its name.
        shipped: Folder with those that come with the package.

    Raises:
        SchemaError: A file is not YAML or breaks the shape above.
    """
    found: dict[str, Separator] = {}
    for folder in (own, shipped):
        path = folder / "_separators.yaml" if folder else None
        if path is None or (folder is own and not path.exists()):
            continue
        try:
            for separator in _Separators.model_validate(_read(path)).separators:
                found.setdefault(separator.name, separator)
        except ValidationError as error:
            raise SchemaError(f"{path.name}: {error}") from error
    return tuple(found.values())
