# SPDX-License-Identifier: Apache-2.0
"""What becomes what in Odoo, as data: ``rules/odoo/*.yaml``, laid over by an appliance's own.

One file per document type, ``_default.yaml`` for types that have none, ``_general.yaml`` for what
holds for all. A file of the same name in an appliance's own folder is laid over the shipped one,
key by key at the top level. Whatever the files can get wrong without a server is refused here; what
only a server knows is compared by :mod:`idp.deliver.odoo.mapping_checks`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from pydantic import Field, ValidationError, model_validator

from idp.deliver.odoo.wording import Wording
from idp.document import DocumentType
from idp.errors import RulesError
from idp.schemas import DocumentSchema, Strict
from idp.settings import SHIPPED_RULES

FOLDER = "odoo"
GENERAL = "_general"
DEFAULT = "_default"
MOST_BYTES = 1_000_000
"""A longer file of rules is taken for something else."""
MOST_TITLE_SIGNS = 200

WorkModel = Literal["project.task", "crm.lead", "helpdesk.ticket", "account.payment"]
Level = Literal["routine", "urgent", "emergent"]

OPEN_NAMES = frozenset(
    {
        "document.id",
        "document.type",
        "document.title",
        "document.subtype",
        "document.channel",
        "document.site",
        "document.pages",
        "document.decision",
        "document.reasons",
        "document.urgency",
        "document.received",
        "document.deadline",
        "document.folder",
        "clocks",
        "missing",
        "missing.count",
        "denials",
        "remittance.claims",
        "remittance.denied",
        "remittance.balance",
    }
)
"""Known of a document without being a field of it, and nothing about a patient."""
CLOSED_NAMES = frozenset({"document.original_name", "document.sender", "denied_claims"})
"""Foreign text, or numbers of single people: said only where ``phi_in_titles`` allows it."""
ITEM_NAMES = frozenset({"item.label", "item.name"})
"""Of one missing item: only in the texts of activities."""
OPEN_COLUMNS = frozenset(
    {"name", "display_name", "description", "summary", "note", "memo", "ref", "email_from"}
)
"""Columns of which people get mails, lists and pushed messages."""
NEVER_SET = frozenset({"state", "active", "res_model", "res_id", "id", "payment_state", "is_sent"})
"""Nothing is posted, closed, hidden or moved by a mapping."""

_Model = TypeVar("_Model", bound=Strict)
Parts = tuple[Wording, ...]


class FileRule(Strict):
    """One file to be kept: the pages with the found fields outlined, the original, the fields."""

    what: Literal["pages", "original", "record"]
    name: Parts = Field(min_length=1)
    """Without its suffix."""


class PartnerRule(Strict):
    """Whom a document is about, by a number: of one of its fields, or of our own directories."""

    field: str = ""
    master: Literal["members", "providers", "payers"] | None = None
    """Its canonical id, where a party of the document is matched in this directory."""
    column: str = ""
    """Of ``res.partner``; by default the general ``partner_column``."""

    @model_validator(mode="after")
    def _one_number(self) -> PartnerRule:
        if bool(self.field) == (self.master is not None):
            raise ValueError("a partner is found by a `field` or in a `master` directory")
        return self


class BelongsTo(Strict):
    """An earlier document whose work item this one is attached to, by a number that both hold."""

    type: str
    by: str
    """Field of this document."""
    its: str
    """Field of the earlier one."""


class WorkRule(Strict):
    """One way to make a work item; used where the server has its model."""

    model: WorkModel
    title: Parts = Field(min_length=1)
    """The name of the record; of a payment its memo."""
    description: Parts = ()
    """One line each; a line that has nothing to say is left out, one that names a list repeats."""
    project: str | None = None
    team: str | None = None
    stage: str | None = None
    journal: str | None = None
    """Code of the journal of a draft payment."""
    assignee: str | None = None
    """Sign-in name."""
    tags: tuple[str, ...] = ()
    deadline: Literal["first_clock", "none"] = "first_clock"
    partner: bool = True
    """Whether the partner stands on it; Enterprise's tickets then mail the partner."""
    values: dict[str, Wording] = Field(default_factory=dict)
    """Further columns. What is about a patient may stand in none that is mailed or listed."""

    @model_validator(mode="after")
    def _fits_its_model(self) -> WorkRule:
        takes: dict[str, tuple[str, ...]] = {
            "project.task": ("project", "stage", "assignee", "tags", "description"),
            "crm.lead": ("team", "stage", "assignee", "tags", "description"),
            "helpdesk.ticket": ("team", "stage", "assignee", "tags", "description"),
            "account.payment": ("journal",),
        }
        for key in ("project", "team", "stage", "journal", "assignee", "tags", "description"):
            if getattr(self, key) and key not in takes[self.model]:
                raise ValueError(f"{self.model} has no `{key}`")
        if self.model == "project.task" and not self.project:
            raise ValueError("a task needs a `project`: without one only its assignee sees it")
        if self.model == "account.payment" and not self.journal:
            raise ValueError("a draft payment needs the code of its `journal`")
        if wrong := NEVER_SET & set(self.values):
            raise ValueError(f"values: {', '.join(sorted(wrong))} is not set by a mapping")
        return self


class ActivityRule(Strict):
    """What is put on people's lists: one activity for each missing item."""

    summary: Parts = Field(min_length=1)
    note: Parts = ()
    type: str = "mail.mail_activity_data_todo"
    """External id of a type that Odoo brings, or the name of one of your own."""
    days: int = Field(2, ge=0, le=365)
    """After today, where no clock says when."""
    user: str | None = None
    """Sign-in name; by default the work item's ``assignee``."""
    most: int = Field(20, ge=1, le=100)


class TypeMapping(Strict):
    """What one document type becomes."""

    version: int = Field(1, ge=1)
    folder: str = Field(pattern=r"^[^/]+(/[^/]+)*$", max_length=200)
    """Path of a folder of Documents or of a directory of dms, from its root."""
    tags: tuple[str, ...] = ()
    """Of the document; ``Facet/Tag`` for Documents up to 17."""
    category: str | None = None
    """Of a dms file."""
    owner: str | None = None
    """Sign-in name; by default the bot."""
    title: Parts = Field(min_length=1)
    """Of the record of our own addon."""
    files: tuple[FileRule, ...] = Field(min_length=1)
    """The first that there is stands for the document."""
    partner: tuple[PartnerRule, ...] = ()
    """The first whose number the document holds."""
    belongs_to: tuple[BelongsTo, ...] = ()
    """The first that finds one work item of ours there; it takes the place of ``work``."""
    arrived: ActivityRule | None = None
    """What is put on that work item, so that people see that there is news."""
    work: tuple[WorkRule, ...] = ()
    """The first whose model the server has."""
    activities: ActivityRule | None = None

    @model_validator(mode="after")
    def _files_once(self) -> TypeMapping:
        kinds = [file.what for file in self.files]
        if len(kinds) != len(set(kinds)):
            raise ValueError("files: each of pages, original and record at most once")
        if not {"pages", "original"} & set(kinds):
            raise ValueError("files: neither `pages` nor `original`: nothing to look at")
        if "pages" not in kinds:
            raise ValueError(
                "files: without `pages` a document out of a file with several would be lost"
            )
        return self


class Home(Strict):
    """The record that files without a work item hang on: one that the bot may write."""

    model: str = Field("project.task", pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$")
    name: str = Field(min_length=1, max_length=120)


class Access(Strict):
    """Documents from 18 on: what those may do who are no members of the folder."""

    internal: Literal["none", "view", "edit"] = "none"
    link: Literal["none", "view", "edit"] = "none"


class Companies(Strict):
    """Names of companies by where a document came in; the site counts before the channel."""

    default: str | None = None
    sites: dict[str, str] = Field(default_factory=dict)
    channels: dict[str, str] = Field(default_factory=dict)

    def of(self, site: str | None, channel: str) -> str | None:
        """The company's name; none: that of the bot."""
        return self.sites.get(site or "") or self.channels.get(channel) or self.default


class General(Strict):
    """``_general.yaml``."""

    version: int = Field(1, ge=1)
    phi_in_titles: bool = False
    open_fields: tuple[str, ...] = ()
    between: str = Field(" ", max_length=10)
    home: Home
    access: Access = Access()
    companies: Companies = Companies()
    make_tags: tuple[str, ...] = ()
    priority: dict[Level, str]
    partner_column: str = Field("ref", pattern=r"^[a-z][a-z0-9_]*$")
    leave_out: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> General:
        if lacking := {"routine", "urgent", "emergent"} - set(self.priority):
            raise ValueError(f"priority: nothing for {', '.join(sorted(lacking))}")
        if any(not each.isdigit() for each in self.priority.values()):
            raise ValueError("priority: steps are numbers in quotes, from 0")
        if needed := {"schema", "document_id", "type", "fields"} & set(self.leave_out):
            raise ValueError(f"leave_out: {', '.join(sorted(needed))} is needed by those who read")
        return self


class OdooMapping(Strict):
    """The mapping in force."""

    general: General
    types: dict[str, TypeMapping]
    default: TypeMapping
    sources: dict[str, str] = Field(default_factory=dict)
    """File by name of type, for complaints."""
    digest: str = ""
    """A hash over the files."""

    def of(self, type_: str) -> TypeMapping:
        """What a type becomes."""
        return self.types.get(type_, self.default)

    def source(self, type_: str) -> str:
        """The file in which that stands."""
        return self.sources.get(type_ if type_ in self.types else DEFAULT, "")

    @property
    def models(self) -> tuple[str, ...]:
        """All models that rows of work items may be of."""
        rules = [each for mapping in (*self.types.values(), self.default) for each in mapping.work]
        return tuple(dict.fromkeys(rule.model for rule in rules))


def load_mapping(
    own: Path | None,
    schemas: Mapping[DocumentType, DocumentSchema],
    *,
    shipped: Path = SHIPPED_RULES,
) -> OdooMapping:
    """The mapping in force.

    Args:
        own: An appliance's folder of rules; its files lie in ``odoo`` below it.
        schemas: Document types, to check that the fields named exist.
        shipped: The program's folder of rules.

    Raises:
        RulesError: A file can't be read, is not well formed, names a field that its type does not
            have, or would say something about a patient where ``phi_in_titles`` is off; the message
            names file and key.
    """
    written = _written([shipped / FOLDER, *([own / FOLDER] if own is not None else [])])
    digest = hashlib.sha256(repr(sorted(written.items())).encode()).hexdigest()[:16]
    for needed in (GENERAL, DEFAULT):
        if needed not in written:
            raise RulesError(f"{shipped / FOLDER}: there is no {needed}.yaml")
    sources = {name: str(path) for name, (path, _) in written.items()}
    general = _model(*written.pop(GENERAL), General)
    types = {name: _model(*each, TypeMapping) for name, each in written.items()}

    for name, mapping in types.items():
        if name == DEFAULT:
            faults = list(_faults(mapping, general, None, schemas))
        elif name in schemas:
            faults = list(_faults(mapping, general, schemas[DocumentType(name)], schemas))
        else:
            faults = [f"there is no document type {name!r}"]
        if faults:
            raise RulesError(f"{sources[name]}: {'; '.join(faults[:8])}")
    default = types.pop(DEFAULT)
    return OdooMapping(
        general=general, types=types, default=default, sources=sources, digest=digest
    )


def _written(folders: list[Path]) -> dict[str, tuple[Path, dict[str, Any]]]:
    """All files by name; the later folder's keys over the earlier one's, named by the last file."""
    found: dict[str, tuple[Path, dict[str, Any]]] = {}
    for folder in folders:
        for path in sorted(folder.glob("*.yaml")):
            before = found[path.stem][1] if path.stem in found else {}
            found[path.stem] = (path, {**before, **_read(path)})
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise RulesError(f"{path}: more than {MOST_BYTES} bytes")
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError, ValueError) as error:
        raise RulesError(f"{path}: {error}") from error
    if not isinstance(content, dict):
        raise RulesError(f"{path}: holds no keys")
    return content


def _model(path: Path, content: dict[str, Any], model: type[_Model]) -> _Model:
    try:
        return model.model_validate(content)
    except ValidationError as error:
        told = []
        for each in error.errors(include_url=False, include_input=False)[:8]:
            place = ".".join(str(part) for part in each["loc"])
            told.append(f"{place}: {each['msg']}" if place else each["msg"])
        raise RulesError(f"{path}: {'; '.join(told)}") from None


def _faults(
    mapping: TypeMapping,
    general: General,
    schema: DocumentSchema | None,
    schemas: Mapping[DocumentType, DocumentSchema],
) -> Iterator[str]:
    """What a type's mapping names that is not there, or may not be said there."""
    fields = {field.name for field in schema.fields} if schema else set()
    sayable = fields if general.phi_in_titles else fields & set(general.open_fields)
    free = OPEN_NAMES | (CLOSED_NAMES if general.phi_in_titles else frozenset())
    for place, wording, is_open, of_item in _wordings(mapping):
        for name in wording.names:
            if name not in OPEN_NAMES | CLOSED_NAMES | fields | (ITEM_NAMES if of_item else set()):
                yield f"{place}: {{{name}}}: the type has no such field"
            elif is_open and name not in free | sayable | ITEM_NAMES:
                yield (
                    f"{place}: {{{name}}} may be about a patient, and this text is mailed and "
                    "listed (phi_in_titles, open_fields in _general.yaml)"
                )
    for number, rule in enumerate(mapping.partner):
        if rule.field and rule.field not in fields:
            yield f"partner.{number}: the type has no field {rule.field!r}"
    for number, each in enumerate(mapping.belongs_to):
        other = schemas.get(DocumentType(each.type))
        if each.by not in fields:
            yield f"belongs_to.{number}: the type has no field {each.by!r}"
        if other is None:
            yield f"belongs_to.{number}: there is no document type {each.type!r}"
        elif other.field(each.its) is None:
            yield f"belongs_to.{number}: {each.type} has no field {each.its!r}"


def _wordings(mapping: TypeMapping) -> Iterator[tuple[str, Wording, bool, bool]]:
    """Each expression with its place, whether everybody may see it, whether it is of an item."""
    yield from (("title", each, True, False) for each in mapping.title)
    for number, file in enumerate(mapping.files):
        yield from ((f"files.{number}.name", each, True, False) for each in file.name)
    for number, work in enumerate(mapping.work):
        place = f"work.{number}"
        yield from ((f"{place}.title", each, True, False) for each in work.title)
        yield from ((f"{place}.description", each, True, False) for each in work.description)
        for column, each in work.values.items():
            yield f"{place}.values.{column}", each, column in OPEN_COLUMNS, False
    for place, rule in (("activities", mapping.activities), ("arrived", mapping.arrived)):
        if rule is not None:
            for each in (*rule.summary, *rule.note):
                yield place, each, True, place == "activities"
