# SPDX-License-Identifier: Apache-2.0
"""The shape of ``rules/payers/*.yaml``: who asks, for which service, for what, since when, where.

A file is one programme: a payer, a group of payers that use one form, or a law. Keys that are not
known here are errors, so that a typo is found when the file is read and not when a fax is judged.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import cache
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from idp.document import DocumentType, Severity
from idp.schemas import Condition, Strict

MOST_PATTERN = 200
"""Characters of a regular expression in a rules file."""
_CODE = re.compile(r"[A-Z0-9]{1,5}")


def _as_text(value: object) -> object:
    """YAML reads ``2020-01-01`` and ``97010`` as a date and a number; here they are texts."""
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return [_as_text(each) for each in value] if isinstance(value, list) else value


Written = Annotated[str, BeforeValidator(_as_text)]
_NAME = r"^[a-z][a-z0-9_]{1,63}$"


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """The expression; raises ``ValueError`` where it is none, or is longer than allowed."""
    if len(pattern) > MOST_PATTERN:
        raise ValueError(f"a pattern has at most {MOST_PATTERN} characters")
    try:
        return re.compile(pattern, re.IGNORECASE)
    except re.error as error:
        raise ValueError(f"{pattern!r} is no regular expression: {error}") from error


class Source(Strict):
    """The document a requirement was taken from."""

    title: str = Field(min_length=3)
    edition: Written = ""
    """Number, revision or date as printed; empty where the copy shows none."""
    publisher: str = ""
    url: str = ""

    @property
    def cited(self) -> str:
        """As it is named in a finding."""
        return f"{self.title} ({self.edition})" if self.edition else self.title


class Payers(Strict):
    """Whom a programme is: any of these is enough.

    ``names`` are compared without case, blanks and punctuation; a longer printed name may hold one
    ("Cigna Healthcare of Texas"), and a letter or two may be misread. ``printed`` holds where the
    form itself says so, whoever the payer is.
    """

    everyone: bool = False
    names: tuple[str, ...] = ()
    unless_names: tuple[str, ...] = ()
    """Words in the name that make it somebody else ("Medicare" but not "Medicare Advantage")."""
    ids: tuple[str, ...] = ()
    """Canonical ids in the own directory of payers (``idp masters``)."""
    member_ids: tuple[str, ...] = ()
    """Patterns that a whole member number of this payer has, where it has one of its own."""
    printed: tuple[str, ...] = ()

    @field_validator("member_ids")
    @classmethod
    def _are_patterns(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in patterns:
            compiled(pattern)
        return patterns

    @model_validator(mode="after")
    def _somebody(self) -> Payers:
        named = (*self.names, *self.ids, *self.member_ids, *self.printed)
        if self.everyone == bool(named):
            raise ValueError(
                "payers: either `everyone` or some of `names`, `ids`, `member_ids`, `printed`"
            )
        return self


class Codes(Strict):
    """Procedure codes: single ones and ranges (``97010-97799``), CPT or HCPCS, by their shape."""

    codes: tuple[Written, ...] = ()
    words: tuple[str, ...] = ()
    """Phrases in the description of the service, for requests that name no code."""

    @field_validator("codes")
    @classmethod
    def _are_codes(cls, codes: tuple[str, ...]) -> tuple[str, ...]:
        for code in codes:
            first, _, last = code.partition("-")
            ends = (first, last) if last else (first,)
            if any(len(end) != 5 or not _CODE.fullmatch(end) for end in ends):
                raise ValueError(f"{code!r} is no code or range of codes")
            if last and (first[0].isalpha() != last[0].isalpha() or first > last):
                raise ValueError(f"{code!r} is no range: it goes from the lower to the higher code")
        return codes

    def has(self, code: str) -> bool:
        """Whether the code is one of these; modifiers behind it do not matter."""
        wanted = code.strip().upper()[:5]
        for each in self.codes:
            first, _, last = each.partition("-")
            if wanted == first or (
                last and first <= wanted <= last and wanted[0].isalpha() == first[0].isalpha()
            ):
                return True
        return False


class ServiceKind(Codes):
    """A kind of service that requirements speak of by name."""

    title: str

    @model_validator(mode="after")
    def _something(self) -> ServiceKind:
        if not self.codes and not self.words:
            raise ValueError(f"{self.title}: neither codes nor words")
        return self


class AttachmentKind(Strict):
    """A kind of paper that is asked for beside the form, and how it is known when it came."""

    title: str
    """In a sentence: "chart notes", "a signed physician order"."""
    documents: tuple[str, ...] = ()
    """Types that it may be found as: ``other/clinical_note``, ``referral``."""
    headings: tuple[str, ...] = ()
    """Titles of its pages, for one that was not told apart from the form."""
    wordings: tuple[str, ...] = ()
    """What a list of enclosures calls it, besides its title and headings."""

    @model_validator(mode="after")
    def _can_be_found(self) -> AttachmentKind:
        if not self.documents and not self.headings:
            raise ValueError(f"{self.title}: neither documents nor headings tell when it came")
        return self


class Kinds(Strict):
    """``_kinds.yaml``: the kinds of services and attachments that all programmes share."""

    services: dict[str, ServiceKind] = Field(default_factory=dict)
    attachments: dict[str, AttachmentKind] = Field(default_factory=dict)


class Applies(Strict):
    """For which documents: all that is given must fit; within one list any entry will do."""

    types: tuple[DocumentType, ...] = Field(min_length=1)
    subtypes: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    """Names out of ``_kinds.yaml``."""
    codes: tuple[Written, ...] = ()
    words: tuple[str, ...] = ()
    drug: bool | None = None
    """Whether it is a request for a medication."""
    places: tuple[str, ...] = ()
    """Places of service, as the field has them."""
    when: tuple[Condition, ...] = ()
    """Conditions that must all hold."""

    @field_validator("codes")
    @classmethod
    def _are_codes(cls, codes: tuple[str, ...]) -> tuple[str, ...]:
        return Codes(codes=codes).codes

    @property
    def own_codes(self) -> Codes:
        return Codes(codes=self.codes, words=self.words)


class Requirement(Strict):
    """One thing that is asked for. Exactly one of the keys ``fields`` to ``shapes``."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{2,79}$")
    asks: str = Field(min_length=3)
    """What is asked for, in our words, as the end of "… asks for"."""
    applies: Applies
    fields: tuple[str, ...] = ()
    """All of these must be filled in."""
    one_of: tuple[str, ...] = ()
    """One of these must be filled in."""
    attachments: tuple[str, ...] = ()
    """One of these kinds must have come with it."""
    signature: bool = False
    own_form: tuple[str, ...] = ()
    """One of these phrases must be printed: the payer takes its own form only."""
    mentions: tuple[str, ...] = ()
    """One of these phrases must be written somewhere (therapies tried and failed)."""
    shapes: dict[str, str] = Field(default_factory=dict)
    """Each value of these fields, where there is one, is wholly as the pattern says."""
    severity: Severity = Severity.WARN
    remedy: str = ""
    effective_from: dt.date | None = None
    effective_to: dt.date | None = None
    source: str
    """Key of the file's ``sources``."""
    page: Written = ""
    confidence: Literal["cited", "to_be_checked"] = "cited"
    """``cited``: read in the source named. ``to_be_checked``: never more than information."""

    @model_validator(mode="after")
    def _one_need(self) -> Requirement:
        needs = (
            self.fields,
            self.one_of,
            self.attachments,
            self.signature,
            self.own_form,
            self.mentions,
            self.shapes,
        )
        if sum(map(bool, needs)) != 1:
            raise ValueError(
                f"{self.id}: asks for exactly one of `fields`, `one_of`, `attachments`, "
                "`signature`, `own_form`, `mentions`, `shapes`"
            )
        for pattern in self.shapes.values():
            compiled(pattern)
        if self.confidence == "to_be_checked" and self.severity is not Severity.INFO:
            raise ValueError(f"{self.id}: what is to be checked has severity info")
        if self.effective_from and self.effective_to and self.effective_to < self.effective_from:
            raise ValueError(f"{self.id}: it ends before it begins")
        return self

    def in_force(self, on: dt.date) -> bool:
        """Whether it is asked for on a day."""
        return (self.effective_from is None or self.effective_from <= on) and (
            self.effective_to is None or on <= self.effective_to
        )


class Programme(Strict):
    """One file: who asks, where it is written, what is asked for."""

    programme: str = Field(pattern=_NAME)
    title: str = Field(min_length=2)
    """As it begins a sentence: "Cigna asks for …"."""
    version: int = Field(ge=1)
    payers: Payers
    sources: dict[str, Source] = Field(min_length=1)
    requirements: tuple[Requirement, ...] = ()
    withdrawn: tuple[str, ...] = ()
    """Ids of requirements of earlier files that are not asked for here."""

    @model_validator(mode="after")
    def _sources_are_there(self) -> Programme:
        ids = [each.id for each in self.requirements]
        if double := sorted({i for i in ids if ids.count(i) > 1}):
            raise ValueError(f"named twice: {', '.join(double)}")
        for each in self.requirements:
            if each.source not in self.sources:
                raise ValueError(f"{each.id}: no source {each.source!r} in this file")
        return self
