# SPDX-License-Identifier: Apache-2.0
"""C1, completeness: what the schema requires, what the form asks for, and what is not there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from idp.document import Box, Document, Page
from idp.phrases import fold
from idp.schemas import Condition, DocumentSchema, FieldSchema
from idp.validate.blanks import Places
from idp.values import Kind


class Missing(NamedTuple):
    """A required field that is absent or blank, and why it is required."""

    schema: FieldSchema
    because: str
    asked: bool
    page: int | None
    box: Box | None


def _filled(document: Document, name: str) -> bool:
    return any(f.name == name and f.value not in (None, "") for f in document.fields) or any(
        getattr(claim, name, None) is not None for claim in document.claims
    )


class _Form:
    """What the document holds and what its form asks for."""

    def __init__(self, document: Document, schema: DocumentSchema, pages: Sequence[Page]) -> None:
        self.document = document
        counted = Counter(
            label for field in schema.fields for label in {fold(text) for text in field.labels}
        )
        self._shared = {label for label, fields in counted.items() if fields > 1}
        self.places = Places(pages)
        self.blank = {field.name: field for field in document.fields if field.value in (None, "")}

    def asks(self, schema: FieldSchema) -> bool:
        """Whether the form has a place for the field that is empty."""
        return schema.name in self.blank or self.place(schema) is not None

    def place(self, schema: FieldSchema) -> tuple[int, Box] | None:
        """Where the form asks for it.

        Only labels that no other field shares prove anything (``NPI`` is asked of several
        parties), and choices are asked with boxes, not with blanks.
        """
        if schema.kind in (Kind.OPTION, Kind.SEX):
            return None
        own = [label for label in schema.labels if fold(label) not in self._shared]
        return self.places.blank(own)

    def holds(self, condition: Condition, schema: DocumentSchema) -> bool:
        if condition.present is not None:
            return _filled(self.document, condition.field) is condition.present
        if condition.asked is not None:
            wanted = schema.field(condition.field)
            return wanted is not None and self.asks(wanted) is condition.asked
        values = {f.value for f in self.document.fields if f.name == condition.field and f.value}
        return any(set(value.split("/")) & set(condition.equals) for value in values)


def find_missing(
    document: Document, schema: DocumentSchema, pages: Sequence[Page]
) -> tuple[Missing, ...]:
    """Every required field that is absent or blank, in the order of the schema.

    Of a group of which one is enough (``one_of``) the first is named, or the first that the form
    has an empty place for.
    """
    form = _Form(document, schema, pages)
    missing: list[Missing] = []
    done: set[str] = set()
    for field in schema.fields:
        if field.one_of:
            if field.one_of in done:
                continue
            done.add(field.one_of)
            group = [f for f in schema.fields if f.one_of == field.one_of]
            if any(_filled(document, member.name) for member in group):
                continue
            asked = [member for member in group if form.asks(member)]
            named = (asked or group)[0]
            missing.append(_missing(form, named, _one_of_words(group), asked=bool(asked)))
            continue
        if _filled(document, field.name):
            continue
        if field.required == "always":
            missing.append(_missing(form, field, "", asked=form.asks(field)))
        elif field.required == "conditional":
            for condition in field.when:
                if form.holds(condition, schema):
                    asked_for = condition.asked is True or form.asks(field)
                    missing.append(_missing(form, field, condition.because, asked=asked_for))
                    break
    return tuple(missing)


def _one_of_words(group: Sequence[FieldSchema]) -> str:
    return "one of " + ", ".join(member.title for member in group) + " is needed"


def _missing(form: _Form, schema: FieldSchema, because: str, *, asked: bool) -> Missing:
    field = form.blank.get(schema.name)
    if field is not None:
        return Missing(schema, because, asked, field.page, field.box)
    place = form.place(schema)
    return Missing(schema, because, asked, *(place or (None, None)))
