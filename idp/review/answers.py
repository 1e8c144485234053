# SPDX-License-Identifier: Apache-2.0
"""What a reviewer did on the labelling screen, as corrections.

An annotation is read against the form that the document gave (:func:`idp.review.form.form_of`), so
the document must be the one that was sent. Nothing in an annotation is trusted: what has another
shape than the screen makes is left out.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from idp.document import Box, Claim, Document, Field, Page
from idp.review.claims_table import mended, table_of
from idp.review.form import Form, Shown, form_of, options_of
from idp.review.screens import (
    CAN_T_READ,
    CLAIMS_OPEN,
    CLAIMS_REST,
    CUT,
    CUT_PAGES,
    EARLIER,
    LACKING,
    LATER,
    NOTE,
    SEVERAL,
    TYPE,
    value_control,
)
from idp.review.tasks import regions_of
from idp.review.wording import plain_text
from idp.schemas import DocumentSchema, FieldSchema
from idp.signals import Answer, Correction
from idp.values import Kind, parse

MOST_NOTE = 4_000
MOST_VALUES = 200
"""Of one field; more are left out."""

_CUTS = {SEVERAL: "several", EARLIER: "earlier", LATER: "later", LACKING: "lacking"}
_MOVED = 0.004
"""Of the page; Label Studio rounds what nobody touched by less."""

Origin = Literal["prediction", "prediction-changed", "manual"]


class Answers(NamedTuple):
    """What a reviewer said of a document."""

    corrections: tuple[Correction, ...]
    """One per value: of every field that was open, and of the others what was changed."""
    complete: bool
    """Whether the corrections are all that there is to say: it was not skipped, the document is
    what it was taken for, and everything that was written is understood."""
    type: str | None
    """What it is instead, where its type is wrong: a type, or a kind of one."""
    cut: str | None
    """``several``, ``earlier``, ``later`` or ``lacking``; ``several:3,5`` where a new document
    starts on those pages."""
    note: str
    """Foreign text: a patient's data."""
    outcome: Literal["done", "skipped"]
    seconds: float | None
    """How long it took, as Label Studio measured it."""
    claims: tuple[Claim, ...] | None = None
    """A remittance's claims as they should be; none: nobody was asked or nothing was said."""
    problems: tuple[str, ...] = ()
    """What of the claims table could not be understood, without a value."""


class _Said(NamedTuple):
    """The results of an annotation by control."""

    texts: dict[str, tuple[str, ...]]
    choices: dict[str, tuple[str, ...]]
    origins: dict[str, Origin]
    boxes: dict[str, tuple[int, Box]]
    """By region: page of the task from 0."""


def answers_of(
    annotation: Mapping[str, Any],
    document: Document,
    pages: Sequence[Page],
    schema: DocumentSchema,
) -> Answers:
    """What the annotation says of the document.

    An open value left as it was is confirmed, one written anew changed, one cleared not on the
    form, one typed where there was none added. A closed value that nobody touched was not looked
    at: nothing is said of it.

    Args:
        annotation: As Label Studio's API gives it: ``result``, ``was_cancelled``, ``lead_time``.
        document: As it was shown.
        pages: Those of the document.
        schema: That of its type.
    """
    said = _said(annotation.get("result"))
    note = plain_text(" ".join(said.texts.get(NOTE, ())), most=MOST_NOTE)
    seconds = _seconds(annotation.get("lead_time"))
    other = next(iter(said.choices.get(TYPE, ())), None)
    other = None if other in {document.type, document.subtype} else other
    cut = _cut(said)
    form = form_of(document, pages, schema)
    if annotation.get("was_cancelled"):
        return _nothing(note, "skipped", seconds)
    if other is not None or cut is not None or not _came_back(form, said):
        # A form of the wrong type or of half a document confirms nothing.
        return _nothing(note, "done", seconds)._replace(type=other, cut=cut)
    received = _day_of(annotation)
    boxes = {region.id: region for _, region, _ in regions_of(document, form)}
    corrections: list[Correction] = []
    for shown in form.fields:
        answer = _Answer(shown, said, document, boxes=boxes, blind=form.blind, day=received)
        corrections += answer.corrections()
    claims, problems = _claims(document, said, blind=form.blind)
    return Answers(
        corrections=tuple(corrections),
        complete=not problems,
        type=None,
        cut=None,
        note=note,
        outcome="done",
        seconds=seconds,
        claims=claims,
        problems=problems,
    )


def _nothing(note: str, outcome: Literal["done", "skipped"], seconds: float | None) -> Answers:
    return Answers(
        corrections=(),
        complete=False,
        type=None,
        cut=None,
        note=note,
        outcome=outcome,
        seconds=seconds,
    )


def _came_back(form: Form, said: _Said) -> bool:
    """Whether the annotation holds any of the values that were shown.

    None of them: it was not made on this screen, or everything was deleted at once. That is no
    answer on each field.
    """
    asked = [each for each in form.fields if each.values or form.blind]
    given = {value_control(each.schema.name) for each in asked}
    written = {name for name, texts in said.texts.items() if not form.blind or any(texts)}
    return not given or not given.isdisjoint({*written, *said.choices})


def _claims(
    document: Document, said: _Said, *, blind: bool
) -> tuple[tuple[Claim, ...] | None, tuple[str, ...]]:
    table = table_of(document)
    if blind or not (table.opened or table.rest):
        return None, ()
    texts = (*said.texts.get(CLAIMS_OPEN, ()), *said.texts.get(CLAIMS_REST, ()))
    if not texts:
        return None, ("claims: no row came back",)
    found = mended(document, texts)
    return found.claims, found.problems


class _Answer:
    """What was said of one field."""

    def __init__(
        self,
        shown: Shown,
        said: _Said,
        document: Document,
        *,
        boxes: Mapping[str, Any],
        blind: bool,
        day: dt.date | None,
    ) -> None:
        self._shown = shown
        self._schema = shown.schema
        self._said = said
        self._document = document
        self._boxes = boxes
        self._blind = blind
        self._day = day
        self._control = value_control(shown.schema.name)
        self._options = options_of(shown.schema)

    def corrections(self) -> Iterator[Correction]:
        """One per value."""
        # Where one value is asked for, the input stands for the first.
        fields = self._shown.fields if self._schema.list else self._shown.fields[:1]
        yield from self._of_texts(fields, self._texts())

    def _texts(self) -> list[str]:
        given = (
            self._said.choices.get(self._control, ())
            if self._options
            else self._said.texts.get(self._control, ())
        )
        parts = [part for text in given for part in self._parted(plain_text(text))]
        return [part for part in parts if part][:MOST_VALUES]

    def _parted(self, text: str) -> list[str]:
        """A list's codes may be typed into one input, parted by semicolons."""
        schema = self._schema
        if schema.list and schema.kind is not Kind.TEXT and text not in self._shown.values:
            return [part.strip() for part in text.split(";")]
        return [text]

    def _of_texts(self, fields: Sequence[Field], texts: list[str]) -> Iterator[Correction]:
        """Equal ones first, then in their order; what is left over was taken away or added."""
        if texts == [CAN_T_READ] and CAN_T_READ not in self._shown.values:
            yield from self._none_of(fields, Answer.ILLEGIBLE, self._origin())
            return
        if not texts and self._unchosen(fields):
            return
        if not texts and not fields:
            if self._shown.opened and self._shown.why:
                yield self._said_none(None, Answer.NOT_ON_FORM, "manual")
            return
        open_texts, left = list(texts), []
        for place, field in enumerate(fields):
            same = next((text for text in open_texts if self._same(field, place, text)), None)
            if same is None:
                left.append((place, field))
                continue
            open_texts.remove(same)
            if self._shown.opened:
                yield from self._kept(field, place, "manual" if self._blind else "prediction")
        for place, field in left:
            if not open_texts:
                yield self._said_none(field, Answer.NOT_ON_FORM, self._origin())
                continue
            text = open_texts.pop(0)
            if text == CAN_T_READ:
                yield self._said_none(field, Answer.ILLEGIBLE, self._origin())
                continue
            page, box = self._where(field, place)
            yield Correction(
                name=self._schema.name,
                before=field.value or None,
                after=self._normal(text),
                page=page,
                box=box,
                origin=self._origin(),
            )
        for text in open_texts:
            if text != CAN_T_READ:
                after = self._normal(text)
                page, box = self._blank()
                yield Correction(
                    name=self._schema.name, after=after, page=page, box=box, origin="manual"
                )

    def _unchosen(self, fields: Sequence[Field]) -> bool:
        """Whether what was read is none of the choices and so could not be shown as chosen."""
        shown = self._shown.values
        return bool(self._options and fields and shown) and not any(
            value in self._options for value in shown
        )

    def _same(self, field: Field, place: int, text: str) -> bool:
        if not self._blind and text == self._shown.values[place]:
            return True
        return bool(field.value) and self._normal(text) == field.value

    def _kept(self, field: Field, place: int, origin: Origin) -> Iterator[Correction]:
        """The value stands; one that was read but has no form is taken as it is printed."""
        after = field.value or self._normal(plain_text(field.raw))
        if not after:
            return
        page, box = self._where(field, place)
        yield Correction(
            name=self._schema.name,
            before=field.value or None,
            after=after,
            page=page,
            box=box,
            origin=origin,
        )

    def _none_of(
        self, fields: Sequence[Field], answer: Answer, origin: Origin
    ) -> Iterator[Correction]:
        for field in fields or (None,):
            yield self._said_none(field, answer, origin)

    def _said_none(self, field: Field | None, answer: Answer, origin: Origin) -> Correction:
        before = (field.value or None) if field is not None else None
        return Correction(name=self._schema.name, answer=answer, before=before, origin=origin)

    def _normal(self, text: str) -> str:
        """As the rules want it; what does not have the shape of its kind stays as typed."""
        return normal(self._schema, text, self._day)

    def _origin(self) -> Origin:
        origin = self._said.origins.get(self._control, "prediction-changed")
        return "prediction-changed" if origin == "prediction" else origin

    def _where(self, field: Field, place: int) -> tuple[int | None, Box | None]:
        """Where the value stands: its frame, moved where the reviewer moved it."""
        known = (field.page, field.box) if field.box is not None else (None, None)
        name = f"r_{self._schema.name}_{place}"
        return self._moved(name) or (known if known[0] is not None else (None, None))

    def _blank(self) -> tuple[int | None, Box | None]:
        """An added value stands where the form asks for it, if a frame was moved onto it."""
        return self._moved(f"r_{self._schema.name}_blank") or (None, None)

    def _moved(self, name: str) -> tuple[int, Box] | None:
        sent, back = self._boxes.get(name), self._said.boxes.get(name)
        if sent is None or back is None or not 0 <= back[0] < len(self._document.pages):
            return None
        far = max(abs(a - b) for a, b in zip(sent.box, back[1], strict=True))
        if far < _MOVED and sent.item == back[0]:
            return None
        return self._document.pages[back[0]], back[1]


def normal(schema: FieldSchema, text: str, day: dt.date | None) -> str:
    """A typed value in the form of its kind.

    Args:
        schema: Of the field.
        text: As typed.
        day: The day that a birth date with two digits of the year may not go beyond.
    """
    parsed = parse(schema.kind, text, options=schema.options or None, not_after=day)
    return parsed.value if parsed.valid and parsed.value else text


def _said(results: object) -> _Said:
    said = _Said({}, {}, {}, {})
    if not isinstance(results, list):
        return said
    for result in results:
        if not isinstance(result, dict) or not isinstance(result.get("value"), dict):
            continue
        control, value = result.get("from_name"), result["value"]
        if not isinstance(control, str):
            continue
        if (texts := _strings(value.get("text"))) is not None:
            said.texts[control] = (*said.texts.get(control, ()), *texts)
        elif (chosen := _strings(value.get("choices"))) is not None:
            said.choices[control] = (*said.choices.get(control, ()), *chosen)
        elif (box := _box(value)) is not None and isinstance(result.get("id"), str):
            item = result.get("item_index", 0)
            said.boxes[result["id"]] = (item if isinstance(item, int) else -1, box)
        if result.get("origin") in {"prediction", "prediction-changed", "manual"}:
            said.origins[control] = result["origin"]
    return said


def _strings(value: object) -> tuple[str, ...] | None:
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list):
        return tuple(each for each in value if isinstance(each, str))
    return None


def _box(value: Mapping[str, Any]) -> Box | None:
    numbers = [value.get(name) for name in ("x", "y", "width", "height")]
    if not all(isinstance(each, int | float) and math.isfinite(each) for each in numbers):
        return None
    x, y, width, height = (float(each) / 100 for each in numbers if each is not None)
    edges = [min(max(each, 0.0), 1.0) for each in (x, y, x + width, y + height)]
    return Box(*edges)


def _cut(said: _Said) -> str | None:
    kind = next((_CUTS[each] for each in said.choices.get(CUT, ()) if each in _CUTS), None)
    starts = sorted({int(n) for t in said.texts.get(CUT_PAGES, ()) for n in _NUMBER.findall(t)})
    if starts:
        return f"several:{','.join(map(str, starts))}"
    return kind


_NUMBER = re.compile(r"[1-9]\d{0,3}")


def _seconds(value: object) -> float | None:
    if isinstance(value, int | float) and math.isfinite(value) and value >= 0:
        return float(value)
    return None


def _day_of(annotation: Mapping[str, Any]) -> dt.date | None:
    try:
        return dt.datetime.fromisoformat(str(annotation.get("created_at"))).date()
    except ValueError:
        return None
