# SPDX-License-Identifier: Apache-2.0
"""Options from marks: which of the printed choices somebody ticked.

A ticked box speaks for a field when its words are one of the field's wordings; where several fields
know the words, the field whose own label is nearest wins, and words that every form uses
("other", "new") count only beside that label.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from idp.document import Box, Mark
from idp.extract.ports import Candidate
from idp.extract.readings import Found, Reading
from idp.schemas import DocumentSchema, FieldSchema
from idp.values import Kind, parse

_SHORT = 4
_QUESTIONED = 6
_WEAK = frozenset(
    {"other", "new", "start", "change", "update", "office", "home", "unknown", "original"}
)
_REACH_DOWN = 7.0
_BEFORE = 1.0
"""Text heights of blank between an option's words, and between them and a box behind them."""
_SEX = {"female": ("female", "f"), "male": ("male", "m"), "unknown": ("unknown",)}


def options_from_marks(reading: Reading, schema: DocumentSchema) -> list[Candidate]:
    """One candidate per ticked option of the type's choice fields."""
    choices = [f for f in schema.fields if f.kind in (Kind.OPTION, Kind.SEX)]
    made: list[Candidate] = []
    for printed in reading.sheaf.page.marks:
        if printed.state != "checked":
            continue
        label = printed.label.strip() or _words_before(reading, printed)
        if not label:
            continue
        mark = printed.model_copy(update={"label": label})
        ranked = sorted(
            (
                (score, field, value)
                for field in choices
                if (scored := _score(reading, mark, field))
                for score, value in [scored]
            ),
            key=lambda item: -item[0],
        )
        if not ranked:
            ranked = [found for field in choices if (found := _asked(reading, mark, field))]
        if ranked:
            score, field, value = ranked[0]
            made.append(_candidate(reading, mark, field, value, score))
    return made


def _words_before(reading: Reading, mark: Mark) -> str:
    """The words before a box that has none behind it: some forms print it after its option."""
    sheet, unit = reading.sheaf.sheet, reading.sheaf.unit
    x, y = mark.box.x0 * sheet.width, mark.box.cy * sheet.height
    words: list[str] = []
    for row in reading.sheaf.rows:
        for token in reversed([t for t in row if t.y0 < y < t.y1 and t.x1 < x + 0.8 * unit]):
            if x - token.x1 > _BEFORE * unit:
                break
            words.append(token.text)
            x = token.x0
    return " ".join(reversed(words))


def _asked(
    reading: Reading, mark: Mark, field: FieldSchema
) -> tuple[float, FieldSchema, str] | None:
    """``Is this request urgent? [ ] Yes [x] No``: a choice of two, asked as a question."""
    answer = mark.label.split()[0].lower().strip(".,:;")
    if answer not in ("yes", "no") or len(field.options) != 2:
        return None
    sheet = reading.sheaf.sheet
    x, y = mark.box.x0 * sheet.width, mark.box.cy * sheet.height
    row = next((r for r in reading.sheaf.rows if r and r[0].y0 < y < max(t.y1 for t in r)), ())
    question = " ".join(t.text for t in row if t.x1 < x).lower()
    _, mark_, rest = question.rpartition("?")
    if not mark_ or len(rest.split()) > 2:  # between question and box stands the other answer
        return None
    for option, printed in field.options.items():
        words = [w for w in (option, *printed) if len(w) >= _QUESTIONED]
        if any(re.search(rf"\b{re.escape(w.lower())}\b", question) for w in words):
            other = next(name for name in field.options if name != option)
            return 0.8, field, option if answer == "yes" else other
    return None


def _score(reading: Reading, mark: Mark, field: FieldSchema) -> tuple[float, str] | None:
    """How well a ticked option answers a field, and the option."""
    options = field.options or (_SEX if field.kind is Kind.SEX else {})
    words = mark.label.split()
    plain = " ".join(words).lower().strip(" .:;,()")
    if "?" in plain and words[0].lower() in _WEAK:
        return None  # "Home Health (MD Signed Order Attached?": a row with questions of its own
    best: tuple[float, str, str] | None = None
    for length in range(min(len(words), 6), 0, -1):
        text = " ".join(words[:length]).strip(" .:;,()")
        parsed = parse(Kind.OPTION, text, options=options)
        if parsed.valid and (length == len(words) or _is_wording(text, options)):
            best = (1.0 if length == len(words) else 0.85, parsed.value, text.lower())
            break
    if best is None:
        return None
    quality, value, text = best
    distance = _label_distance(reading, mark, field)
    if distance is None:
        if len(text) < _SHORT or text in _WEAK or plain in _WEAK or field.kind is Kind.SEX:
            sure = text in ("male", "female") or _has_siblings(reading, mark, options, value)
            return (0.8 * quality, value) if sure else None
        return 0.65 * quality, value
    return quality * (0.97 - 0.02 * min(distance, 10)), value


def _has_siblings(
    reading: Reading, mark: Mark, options: dict[str, tuple[str, ...]], value: str
) -> bool:
    """Whether another option of the same choice stands in the row: "New  Extension  Change"."""
    height = reading.sheaf.unit / reading.sheaf.sheet.height
    for other in reading.sheaf.page.marks:
        if other is mark or abs(other.box.cy - mark.box.cy) > height:
            continue
        text = " ".join(other.label.split()[:2]).strip(" .:;,()")
        parsed = parse(Kind.OPTION, text, options=options) if text else None
        if parsed and parsed.valid and parsed.value != value and _is_wording(text, options):
            return True
    return False


def _is_wording(text: str, options: dict[str, tuple[str, ...]]) -> bool:
    plain = text.lower()
    return any(plain == w.lower() for printed in options.values() for w in printed)


def _label_distance(reading: Reading, mark: Mark, field: FieldSchema) -> float | None:
    """Text heights from the field's own label to the mark; ``None`` when no label is near."""
    sheet, unit = reading.sheaf.sheet, reading.sheaf.unit
    x, y = mark.box.x0 * sheet.width, mark.box.cy * sheet.height
    best: float | None = None
    for label in reading.labels:
        if field.name not in label.meaning.fields:
            continue
        down = (y - (label.box[1] + label.box[3]) / 2) / unit
        if not -1.5 <= down <= _REACH_DOWN:
            continue
        if down < 0.8 and label.box[0] > x:
            continue
        if _between(reading, label, x, y):
            continue
        distance = abs(down) + max(0.0, (x - label.box[2]) / sheet.width) * 6
        if best is None or distance < best:
            best = distance
    return best


def _between(reading: Reading, label: Found, x: float, y: float) -> bool:
    """Whether another label with a colon stands between a label and a mark on its row."""
    unit = reading.sheaf.unit
    return any(
        other is not label
        and other.colon
        and other.meaning.fields
        and abs(other.box[1] - label.box[1]) < unit
        and label.box[2] < other.box[0] < x
        and abs(y - (label.box[1] + label.box[3]) / 2) < unit
        for other in reading.labels
    )


def _candidate(
    reading: Reading, mark: Mark, field: FieldSchema, value: str, score: float
) -> Candidate:
    words = words_of_mark(reading, mark)
    box = mark.box
    for _, other in words:
        box = box.union(other)
    return Candidate(
        field.name,
        value,
        mark.label,
        valid=True,
        confidence=round(score * mark.confidence, 4),
        page=reading.sheaf.page.number,
        box=box,
        word_ids=tuple(i for i, _ in words),
        source="structure",
    )


def words_of_mark(reading: Reading, mark: Mark) -> Sequence[tuple[int, Box]]:
    """The words that are the mark's label: right of it on the same line."""
    wanted = mark.label.split()
    right = sorted(
        (
            w
            for w in reading.sheaf.page.words
            if w.box.y0 - 0.004 < mark.box.cy < w.box.y1 + 0.004 and w.box.x0 > mark.box.x0
        ),
        key=lambda w: w.box.x0,
    )
    return [(w.id, w.box) for w in right[: len(wanted)] if w.text in wanted]
