# SPDX-License-Identifier: Apache-2.0
"""C1, completeness: what the schema requires, what the form asks for, and what is not there.

Three things look alike in the extracted fields and are told apart here: a place left blank, a
value that is nowhere on the page, and a value that is printed but was not read. Only the first two
are missing; the third is our own gap and goes to a person as such.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import cache, cached_property
from typing import NamedTuple

from idp.document import Blank, Box, Document, Page
from idp.phrases import Text, fold
from idp.schemas import Condition, DocumentSchema, FieldSchema, load_lexicon
from idp.validate.blanks import LEAST_SIGNS, Place, Places
from idp.values import Kind, find

_WORDS_OF_PROSE = 9
_LINES_OF_PROSE = 3
_SPOTTED = frozenset({Kind.NPI, Kind.ICD10, Kind.PHONE})
"""Kinds that show themselves anywhere on a page by their shape."""
_INSURER = re.compile(
    r"\b(?:health\s?(?:care\s)?plan|health\s?plans|insurance|medicare|medicaid|hmo|ppo|blue\s?(?:cross|"
    r"shield)|aetna|cigna|humana|united\s?health\w*|anthem|molina|centene|tricare|kaiser|wellcare|"
    r"community\splan|health\spartners)\b",
    re.I,
)


class Gap(NamedTuple):
    """A required field without a value, and why it is required.

    ``unread`` means that the page holds something for it; else it is missing, ``asked`` for by an
    empty place or not. ``label`` is what the form calls it, where its place was found.
    """

    schema: FieldSchema
    because: str
    asked: bool
    unread: bool
    page: int | None
    box: Box | None
    label: str = ""


def _filled(document: Document, name: str) -> bool:
    return any(f.name == name and f.value not in (None, "") for f in document.fields) or any(
        getattr(claim, name, None) is not None for claim in document.claims
    )


@cache
def _titles() -> frozenset[str]:
    """The titles of sections, folded."""
    lexicon = load_lexicon()
    parties = (title for party in lexicon.parties for title in party.titles)
    return frozenset(fold(title) for title in (*parties, *lexicon.section_titles))


class _Form:
    """What the document holds and what its form asks for."""

    def __init__(self, document: Document, schema: DocumentSchema, pages: Sequence[Page]) -> None:
        self.document = document
        self.pages = pages
        counted = Counter(
            label for field in schema.fields for label in {fold(text) for text in field.labels}
        )
        self._shared = {label for label, fields in counted.items() if fields > 1}
        self._places = Places(pages, frozenset(counted) | _titles())
        self._blank = {
            **{
                f.name: Blank(field=f.name, page=f.page or document.pages[0], box=f.box)
                for f in document.fields
                if f.value in (None, "")
            },
            **{blank.field: blank for blank in reversed(document.blanks)},
        }
        self._seen: dict[str, Place | None] = {}
        self._empty: set[str] = set()

    @cached_property
    def _values(self) -> set[str]:
        """Everything that became a value, as normalised and as printed."""
        return {text for field in self.document.fields for text in (field.value, field.raw) if text}

    def place(self, schema: FieldSchema) -> Place | None:
        """Where the form asks for the field, and whether something stands there.

        Only labels that no other field shares prove anything (``NPI`` is asked of several
        parties); choices are asked by their options.
        """
        if schema.name not in self._seen:
            self._seen[schema.name] = self._look(schema)
        return self._seen[schema.name]

    def _look(self, schema: FieldSchema) -> Place | None:
        blank = self._blank.get(schema.name)
        if schema.kind in (Kind.OPTION, Kind.SEX):
            found = self._places.boxes([w for texts in schema.options.values() for w in texts])
        else:
            own = [label for label in schema.labels if fold(label) not in self._shared]
            found = self._places.look(own)
        if found is not None and not found.answered:
            self._empty.add(schema.name)
        if blank is None or (found is not None and found.answered and not blank.label):
            return found
        return Place(blank.page, blank.box, answered=False, label=blank.label)

    def surely_asks(self, schema: FieldSchema) -> bool:
        """Whether the page has an empty place for the field; not only its extractor says so."""
        return self.asks(schema) and schema.name in self._empty

    def asks(self, schema: FieldSchema) -> bool:
        """Whether the form has a place for the field that is empty."""
        place = self.place(schema)
        return place is not None and not place.answered

    def unread(self, schema: FieldSchema) -> Place | None:
        """Where something stands for the field that no extractor understood."""
        place = self.place(schema)
        if place is not None:
            return place if place.answered else None
        if schema.kind in _SPOTTED or schema.attribute == "dob":
            return self._unclaimed(schema.kind)
        if schema.kind is Kind.OPTION:
            return self._named_option(schema)
        if schema.kind is Kind.TEXT:
            return self._prose()
        if schema.party == "payer" and schema.kind is Kind.ORGANIZATION:
            return self._matching(_INSURER)
        return None

    def _prose(self) -> Place | None:
        """A page with a paragraph: reasons and rationales need no label in a letter."""
        for page in self.pages:
            lines = page.text.split("\n")
            if sum(len(line.split()) >= _WORDS_OF_PROSE for line in lines) >= _LINES_OF_PROSE:
                return Place(page.number, None, answered=True)
        return None

    def _matching(self, pattern: re.Pattern[str]) -> Place | None:
        for page in self.pages:
            if pattern.search(page.text):
                return Place(page.number, None, answered=True)
        return None

    def _unclaimed(self, kind: Kind) -> Place | None:
        """A page with a code or date of a kind that became no field, also with a wrong digit."""
        for page in self.pages:
            for span in find(kind, page.text):
                shaped = span.parsed.valid or kind is Kind.NPI
                if shaped and not {span.parsed.value, span.text} & self._values:
                    return Place(page.number, None, answered=True)
        return None

    def _named_option(self, schema: FieldSchema) -> Place | None:
        """A page that names one of the choices, where no boxes for them were found."""
        wanted = [w for texts in schema.options.values() for w in texts if len(w) >= LEAST_SIGNS]
        for page in self.pages:
            text = Text(page.text.split("\n"))
            if any(wording in text for wording in wanted):
                return Place(page.number, None, answered=True)
        return None

    def holds(self, condition: Condition, schema: DocumentSchema) -> bool:
        """Whether a condition holds of the document and its form."""
        if condition.all:
            return all(self.holds(each, schema) for each in condition.all)
        if condition.subtypes:
            return self.document.subtype in condition.subtypes
        if condition.ticked:
            wanted = {fold(label) for label in condition.ticked}
            return any(
                mark.state == "checked" and fold(mark.label) in wanted
                for page in self.pages
                for mark in page.marks
            )
        if condition.present is not None:
            return _filled(self.document, condition.field) is condition.present
        if condition.asked is not None:
            asked = schema.field(condition.field)
            return asked is not None and self.asks(asked) is condition.asked
        return condition.holds_of(
            [f.value for f in self.document.fields if f.name == condition.field and f.value]
        )

    def required(self, field: FieldSchema, schema: DocumentSchema) -> str | None:
        """Why a field is required, in words (perhaps none); ``None`` when it is not."""
        if any(self.holds(condition, schema) for condition in field.unless):
            return None
        if field.required == "always":
            return ""
        for condition in field.when:
            if self.holds(condition, schema):
                return condition.because
        return None


def find_gaps(document: Document, schema: DocumentSchema, pages: Sequence[Page]) -> tuple[Gap, ...]:
    """Every required field without a value, in the order of the schema.

    Of a group of which one is enough (``one_of``) the first is named, or the first that the form
    has an empty place for; something unread for any of them makes the gap one of reading.
    """
    form = _Form(document, schema, pages)
    gaps: list[Gap] = []
    done: set[str] = set()
    for field in schema.fields:
        if field.one_of in done:
            continue
        group = [field]
        if field.one_of:
            done.add(field.one_of)
            group = [f for f in schema.fields if f.one_of == field.one_of]
        if any(_filled(document, member.name) for member in group):
            continue
        reasons = [why for member in group if (why := form.required(member, schema)) is not None]
        if reasons:
            gaps.append(_gap(form, group, reasons[0]))
    return tuple(gaps)


def _gap(form: _Form, group: Sequence[FieldSchema], because: str) -> Gap:
    if len(group) > 1:
        because = "one of " + ", ".join(member.title for member in group) + " is needed"
    asked = [member for member in group if form.asks(member)]
    empty = any(form.surely_asks(member) for member in group)
    for member in group:
        place = form.unread(member)
        # What shows itself anywhere on the page answers no place that is seen to be empty.
        if place is not None and (place.box is not None or not empty):
            gap = Gap(member, because, asked=False, unread=True, page=place.page, box=place.box)
            return gap._replace(label=place.label)
    named = (asked or group)[0]
    at = form.place(named)
    gap = Gap(named, because, asked=bool(asked), unread=False, page=None, box=None)
    return gap if at is None else gap._replace(page=at.page, box=at.box, label=at.label)
