# SPDX-License-Identifier: Apache-2.0
"""What the form on the labelling screen asks of a reviewer, and why.

Sending and taking back both ask it, so that an answer is read against exactly what was shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from idp.document import Blank, Document, Field, Finding, Page, Severity
from idp.reasons import BELOW_TARGET, UNPROVEN
from idp.review.wording import in_words, plain_text
from idp.schemas import DocumentSchema, FieldSchema
from idp.values import Kind

LEAST_SURE = 0.9
"""A value below it is doubtful where no reason of the decision says which are."""
CHOSEN = {
    Kind.SEX: ("female", "male", "unknown"),
    Kind.PRESENCE: ("yes", "no"),
}
"""Kinds that have the same few values in every schema."""


class Why(NamedTuple):
    """One thing a reviewer is told of a field: what is wrong, and what to do."""

    severity: Severity
    said: str
    remedy: str = ""


class Shown(NamedTuple):
    """One field of the form."""

    schema: FieldSchema
    fields: tuple[Field, ...]
    """What was read, in the document's order."""
    values: tuple[str, ...]
    """What its inputs hold at first: one per entry of ``fields``, none in a blind check."""
    opened: bool
    """Whether it is shown at once; the others are one click away."""
    why: tuple[Why, ...]
    blank: Blank | None

    @property
    def blocks(self) -> bool:
        """Whether something about it keeps the document from leaving."""
        return any(each.severity is Severity.BLOCK for each in self.why)

    @property
    def doubtful(self) -> bool:
        """Whether more speaks against it than that its kind is not proved to be right."""
        return any(each.severity is not Severity.INFO for each in self.why)


class Form(NamedTuple):
    """All fields in the schema's order."""

    fields: tuple[Shown, ...]
    blind: bool
    """Nothing that was read is shown: the check measures how often the reading is wrong."""

    @property
    def opened(self) -> tuple[Shown, ...]:
        return tuple(each for each in self.fields if each.opened)

    @property
    def to_check(self) -> tuple[Shown, ...]:
        """What a reviewer is led to, one by one: the doubtful, or else all that is open."""
        doubtful = tuple(each for each in self.opened if each.doubtful)
        return doubtful or self.opened


def form_of(document: Document, pages: Sequence[Page], schema: DocumentSchema) -> Form:
    """The form for a document.

    A document of the quality sample is checked blind: somebody who sees a value reads it into the
    page, and the measured error would be too small. Its form is wholly open and empty.

    Args:
        document: As decided.
        pages: Those of the document.
        schema: That of its type.
    """
    form = _form(document, schema, _Doubts(document, pages, UNPROVEN))
    if form.opened:
        return form
    # Nothing but the target keeps it: there is a person because each value wants a look.
    return _form(document, schema, _Doubts(document, pages, BELOW_TARGET))


def options_of(schema: FieldSchema) -> tuple[str, ...]:
    """The values that a field is chosen from; none where it is typed."""
    return tuple(schema.options) if schema.kind is Kind.OPTION else CHOSEN.get(schema.kind, ())


def _form(document: Document, schema: DocumentSchema, doubts: _Doubts) -> Form:
    return Form(tuple(_shown(field, document, doubts) for field in schema.fields), document.sampled)


def _shown(schema: FieldSchema, document: Document, doubts: _Doubts) -> Shown:
    fields = tuple(field for field in document.fields if field.name == schema.name)
    blank = next((blank for blank in document.blanks if blank.field == schema.name), None)
    if document.sampled:
        return Shown(schema, fields, (), opened=True, why=(), blank=None)
    why = tuple(doubts.of_field(schema, fields, blank))
    return Shown(
        schema=schema,
        fields=fields,
        values=tuple(plain_text(field.value or field.raw) for field in fields),
        opened=bool(why),
        why=why,
        blank=blank,
    )


class _Doubts:
    """What the decision and the rules say of each field."""

    def __init__(self, document: Document, pages: Sequence[Page], unproven: str) -> None:
        """``unproven`` is the code of the reason whose pages have all their values opened."""
        self._document = document
        self._grades = {page.number: page.grade for page in pages}
        self._codes = frozenset(document.reason_codes)
        self._unproven = frozenset(
            code.partition(":")[2] for code in self._codes if code.startswith(f"{unproven}:")
        )

    def of_field(
        self, schema: FieldSchema, fields: Sequence[Field], blank: Blank | None
    ) -> Iterator[Why]:
        """Every doubt, the worst first; none: the field may stay closed."""
        about = [
            finding
            for finding in self._document.findings
            if schema.name in finding.fields and finding.severity is not Severity.INFO
        ]
        about.sort(key=lambda finding: finding.severity is not Severity.BLOCK)
        for finding in about:
            yield Why(finding.severity, _without_title(finding, schema.title), finding.remedy)
        if not about and not fields and self._lacks(schema.name):
            yield Why(Severity.BLOCK, _lacking(blank), "Type it if it is on the form.")
        for place, field in enumerate(fields, start=1):
            which = f"Value {place}: " if len(fields) > 1 else ""
            yield from self._of_value(schema, field, which)

    def _lacks(self, name: str) -> bool:
        codes = {f"missing_field:{name}", f"unread_field:{name}"}
        return name in self._document.missing or not codes.isdisjoint(self._codes)

    def _of_value(self, schema: FieldSchema, field: Field, which: str) -> Iterator[Why]:
        least = LEAST_SURE if schema.threshold is None else schema.threshold
        doubtful = f"doubtful_value:{schema.name}" in self._codes
        if field.confidence < least or (doubtful and field.confidence < 1):
            yield Why(Severity.WARN, which + in_words(field.confidence))
        elif self._unproven and self._grade(field) in self._unproven and field.confidence < 1:
            yield Why(
                Severity.INFO, f"{which}{in_words(field.confidence)}; not proved to be enough"
            )

    def _grade(self, field: Field) -> str | None:
        grade = self._grades.get(field.page) if field.page is not None else None
        # A computed value stands on no page: any unproven grade counts for it.
        return grade if grade is not None else next(iter(sorted(self._unproven)), None)


def _without_title(finding: Finding, title: str) -> str:
    """The message; the field's own title before it says nothing beside the field."""
    start = f"{title}: ".lower()
    message = finding.message
    return message[len(start) :] if message.lower().startswith(start) else message


def _lacking(blank: Blank | None) -> str:
    if blank is None:
        return "Needed, and not found"
    label = f" as “{blank.label}”" if blank.label else ""
    return f"The form asks for it{label} on page {blank.page}: nothing is filled in"
