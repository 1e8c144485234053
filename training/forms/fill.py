# SPDX-License-Identifier: Apache-2.0
"""A blank form filled in: values drawn onto its pages, and what stands where."""

# Places and sizes read better in their order than by name.
# ruff: noqa: PLR0917

from __future__ import annotations

import io
import random
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from reportlab.lib.colors import black
from reportlab.lib.utils import simpleSplit

from idp.document import Box
from training.faxes.fonts import Face, faces, handwriting
from training.faxes.marks import Pen, fill_mark
from training.faxes.paper import Paper
from training.faxes.truth import Truth
from training.forms.blanks import Blank
from training.forms.people import Cast, draw_cast, text_for
from training.forms.whole import lacking_in, says_all
from training.synthesise.values import Split, print_name

_SMALLEST, _LARGEST = 6.0, 11.5
"""Points: smaller would not be written, larger would look like a title."""
_MOST_PAGES = 2
_FEW_WORDS = 25
"""A page with fewer has its print as outlines: what is label there is not known."""
_FILLED_TEXT, _TICKED, _TICKED_GROUP = 0.6, 0.15, 0.6
"""Shares of places nobody asks for that are filled in all the same."""
_HANDWRITTEN = 0.12
_MOST_CASTS = 200
"""Tries to find people whose names fit into the cells that a form has for them."""
_LIMITED = frozenset({"NAME", "FIRST", "LAST", "CITY", "STREET", "ADDRESS", "EMAIL"})
_LISTS = frozenset({"diagnosis_codes", "diagnosis_descriptions", "procedure_codes"})
_ONCE = frozenset({"member_id", "payer_name", "form_date"})
"""Asked for several times, these mean several things where nobody has looked."""


class Entry(NamedTuple):
    """One filled place: which item of the blank, and which segment of the page's truth."""

    item: int
    text: str
    segments: tuple[int, ...]


@dataclass
class FilledPage:
    """A page of a filled form; ``pdf`` is it alone, flattened."""

    number: int
    pdf: bytes
    size_pt: tuple[float, float]
    truth: Truth
    entries: list[Entry] = field(default_factory=list)


@dataclass
class FilledForm:
    """A filled form, and the values that it holds by canonical field."""

    blank: Blank
    seed: int
    pages: list[FilledPage]
    fields: dict[str, tuple[str | list[str] | None, int]]
    """Field: its value (``None`` where it was left blank) and the page in ``pages``, from 1."""
    left_out: dict[str, str]
    """Fields that nobody can be judged by, and why: what stands there is no whole value."""


def mapped_pages(blank: Blank) -> list[int]:
    """Numbers of the pages that hold places of fields, the fullest two, in order."""
    counts: dict[int, set[str]] = defaultdict(set)
    for item, meaning in zip(blank.items, blank.meanings, strict=True):
        if meaning.field and meaning.role not in ("SIGNATURE", "SIGN_DATE"):
            counts[item.widget.page].add(meaning.field)
    counts = {n: names for n, names in counts.items() if len(blank.pages[n - 1].words) > _FEW_WORDS}
    best = sorted(counts, key=lambda page: (-len(counts[page]), page))[:_MOST_PAGES]
    return sorted(best)


def fill(blank: Blank, split: Split, seed: int) -> FilledForm:
    """The form filled in; the same arguments and installed fonts give the same bytes."""
    rng = random.Random(f"forms/{blank.stem}/{split}/{seed}")  # noqa: S311 - not for secrets
    cast = _cast_for(blank, rng, split)
    hand = handwriting()
    # What judges is filled by machine: whether handwriting is read is another question.
    written = hand is not None and rng.random() < _HANDWRITTEN and split == "train"
    face = hand if hand and written else rng.choice(faces(split, rng.choice(("print", "typed"))))
    chosen = mapped_pages(blank)
    texts = texts_of(blank, cast, chosen)
    ticks = ticks_of(blank, cast, rng, chosen)
    pages = [_draw(blank, number, texts, ticks, face, random.Random(f"{seed}/{number}"))  # noqa: S311
             for number in chosen]  # fmt: skip
    drawn = {entry.item for page in pages for entry in page.entries}
    fields, left_out = _fields(blank, cast, chosen, texts, ticks, drawn)
    return FilledForm(blank, seed, pages, fields, left_out)


def _cast_for(blank: Blank, rng: random.Random, split: Split) -> Cast:
    """People whose names, streets and addresses fit where the form limits their characters."""
    cast = draw_cast(rng, split)
    for _ in range(_MOST_CASTS):
        if _fits(blank, replace(cast, rng=random.Random(0), others={})):  # noqa: S311
            break
        cast = draw_cast(rng, split)
    return cast


def _fits(blank: Blank, cast: Cast) -> bool:
    by_group = _parts_of_groups(blank)
    for item, meaning, group in zip(blank.items, blank.meanings, blank.groups, strict=True):
        most = item.widget.max_length
        if not most or meaning.party != "patient" or meaning.role not in _LIMITED or not group:
            continue
        parts = frozenset(by_group[group])
        if len(text_for(meaning, cast, group, digits=most, parts=parts)) > most:
            return False
    return True


def _parts_of_groups(blank: Blank) -> dict[int, set[str]]:
    found: dict[int, set[str]] = defaultdict(set)
    for meaning, group in zip(blank.meanings, blank.groups, strict=True):
        found[group].add(meaning.part)
    return found


def texts_of(blank: Blank, cast: Cast, pages: Sequence[int]) -> dict[int, str]:
    """What is written into which place."""
    rng, habit = cast.rng, cast.habit
    by_group = _parts_of_groups(blank)
    empty: set[int] = set()
    for group in by_group:
        if rng.random() < habit.blank * 0.5:
            empty.add(group)
    found: dict[int, str] = {}
    for index, (item, meaning) in enumerate(zip(blank.items, blank.meanings, strict=True)):
        widget, group = item.widget, blank.groups[index]
        if widget.kind not in ("text", "choice") or widget.page not in pages:
            continue
        if index in blank.empty:
            continue
        known = bool(meaning.field)
        if "pdf417" in widget.name.lower() or (known and group in empty):
            continue
        if not known and (rng.random() > _FILLED_TEXT * (1 - habit.blank) or not meaning.sure):
            continue
        text = text_for(
            meaning,
            cast,
            group or 100_000 + widget.page * 100 + int(widget.box.cy * 20),
            digits=widget.max_length,
            parts=frozenset(by_group[group]) if group else frozenset(),
            label=f"{item.label} {widget.tooltip[-80:]}",
        )
        if widget.max_length and len(text) > widget.max_length:
            text = "" if not known or meaning.part not in ("", "street") else text
            text = text[: widget.max_length].rstrip()
        if habit.upper and meaning.role != "EMAIL":
            text = text.upper()
        if text:
            found[index] = text
    return found


def ticks_of(blank: Blank, cast: Cast, rng: random.Random, pages: Sequence[int]) -> set[int]:
    """Which boxes are ticked: at most one of a choice."""
    choices: dict[str, list[int]] = defaultdict(list)
    chosen: set[int] = set()
    answered = {
        f"{item.widget.page}/{item.widget.name}"
        for item, meaning in zip(blank.items, blank.meanings, strict=True)
        if meaning.option
    }
    for index, (item, meaning) in enumerate(zip(blank.items, blank.meanings, strict=True)):
        widget = item.widget
        if widget.kind not in ("check", "radio") or widget.page not in pages:
            continue
        choice = f"{widget.page}/{widget.name}"
        if index in blank.empty:
            continue
        if meaning.field == "patient_sex":
            if meaning.option == cast.patient.sex:
                chosen.add(index)
        elif choice in answered:
            continue  # another answer to a question that has its own
        elif widget.kind == "radio":
            choices[choice].append(index)
        elif rng.random() < _TICKED:
            chosen.add(index)
    for members in choices.values():
        if rng.random() < _TICKED_GROUP:
            chosen.add(rng.choice(members))
    return chosen


def _draw(
    blank: Blank,
    number: int,
    texts: Mapping[int, str],
    ticks: set[int],
    face: Face,
    rng: random.Random,
) -> FilledPage:
    size = blank.sizes[number - 1]
    entries: list[Entry] = []
    with tempfile.NamedTemporaryFile(suffix=".pdf") as file:
        paper = Paper(Path(file.name), rng, size, face, face)
        paper.canvas.setFillColor(black)
        pen = Pen("box", rng.choice(("cross", "tick", "tick_over", "cross_over", "typed", "slash")),
                  9, 0, rng.uniform(0.9, 1.7), left_of=True)  # fmt: skip
        wanted = rng.uniform(8.0, _LARGEST)
        for index, item in enumerate(blank.items):
            widget = item.widget
            if widget.page != number:
                continue
            if index in texts:
                before = len(paper.truth.segments)
                comb = (widget.max_length or 0) if widget.comb else 0
                if comb:
                    done = _comb(paper, widget.box, texts[index], comb)
                else:
                    done = _write(paper, widget.box, texts[index], wanted)
                if done:
                    places = tuple(range(before, len(paper.truth.segments)))
                    entries.append(Entry(index, texts[index], places))
            elif index in ticks:
                box = widget.box
                fill_mark(
                    paper,
                    (box.x0 * size[0], box.y0 * size[1], box.x1 * size[0], box.y1 * size[1]),
                    pen,
                )
                entries.append(Entry(index, "x", ()))
        paper.save()
        overlay = Path(file.name).read_bytes()
    pdf = flattened(blank.path, number, overlay)
    return FilledPage(number, pdf, size, paper.truth, entries)


def _write(paper: Paper, box: Box, text: str, wanted: float) -> bool:
    """A value into its place, smaller where it must be; whether it fits at all."""
    font = paper.face.regular
    wide, high = box.width * paper.width - 3, box.height * paper.height
    left = box.x0 * paper.width + 2
    if high > 30:  # several lines
        lines = simpleSplit(text, font, 9, wide)
        if not lines or len(lines) * 11 > high:
            return False
        for place, line in enumerate(lines):
            paper.text(left, box.y0 * paper.height + 10 + 11 * place, line, 9)
        return True
    size = min(wanted, high * 0.8)
    length = paper.wide(text, size, font)
    if length > wide:
        size *= wide / length
    if size < _SMALLEST:
        return False
    y = box.y0 * paper.height + high / 2 + size * 0.34 + paper.rng.uniform(-0.6, 0.6)
    paper.text(left + paper.rng.uniform(0, 2), y, text, size)
    return True


def _comb(paper: Paper, box: Box, text: str, cells: int) -> bool:
    """One character in each cell; entered as one segment whose words are the whole run.

    The cells are drawn: on paper they are part of the widget, which is not there any more.
    """
    step = box.width / cells
    left, top = box.x0 * paper.width, box.y0 * paper.height
    high = box.height * paper.height
    paper.box(left, top, box.width * paper.width, high, weight=0.5)
    for place in range(1, cells):
        x = left + place * step * paper.width
        paper.line(x, top, x, top + high, 0.5)
    size = min(_LARGEST, box.height * paper.height * 0.75, step * paper.width * 1.4)
    y = box.y0 * paper.height + box.height * paper.height / 2 + size * 0.34
    canvas = paper.canvas
    canvas.setFont(paper.face.regular, size)
    canvas.setFillColor(black)
    for place, character in enumerate(text[:cells]):
        x = (box.x0 + step * (place + 0.5)) * paper.width
        canvas.drawCentredString(x, paper.height - y, character)
    used = Box(box.x0, box.y0, box.x0 + step * min(len(text), cells), box.y1)
    paper.note_run(text[:cells], used, size)
    return True


def flattened(path: Path, number: int, overlay: bytes) -> bytes:
    """One page of a form with an overlay drawn on it, as a PDF of its own without fields."""
    source = pdfium.PdfDocument(path)
    over = pdfium.PdfDocument(overlay)
    alone = pdfium.PdfDocument.new()
    try:
        alone.import_pages(source, [number - 1])
        # What the widgets themselves show (the outlines of boxes) becomes part of the page.
        first = alone[0]
        first.render(scale=0.1)  # flattening wants a page that was drawn before
        pdfium_c.FPDFPage_Flatten(first.raw, pdfium_c.FLAT_NORMALDISPLAY)
        first.close()
        page = alone[0]
        handle = pdfium_c.FPDF_NewXObjectFromPage(alone.raw, over.raw, 0)
        drawn = pdfium_c.FPDF_NewFormObjectFromXObject(handle)
        pdfium_c.FPDFPage_InsertObject(page.raw, drawn)
        pdfium_c.FPDFPage_GenerateContent(page.raw)
        pdfium_c.FPDF_CloseXObject(handle)
        buffer = io.BytesIO()
        alone.save(buffer)
        return buffer.getvalue()
    finally:
        alone.close()
        over.close()
        source.close()


def _fields(
    blank: Blank,
    cast: Cast,
    pages: Sequence[int],
    texts: Mapping[int, str],
    ticks: set[int],
    drawn: set[int],
) -> tuple[dict[str, tuple[str | list[str] | None, int]], dict[str, str]]:
    """The truth by canonical field, and the fields without one.

    A field has none where a form asks for it of several people (unless somebody has looked), and
    where what stands on the page is not the whole value.
    """
    places: dict[str, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for index, (meaning, group) in enumerate(zip(blank.meanings, blank.groups, strict=True)):
        if meaning.field and blank.items[index].widget.page in pages:
            places[meaning.field][group].append(index)
    found: dict[str, tuple[str | list[str] | None, int]] = {}
    left_out: dict[str, str] = {}
    for name, by_group in places.items():
        if name == "signature_present":
            continue
        parties = {blank.meanings[i].party for members in by_group.values() for i in members}
        several = parties != {"patient"} or name in _ONCE | _LISTS
        if several and len(by_group) > 1 and not blank.checked:
            left_out[name] = "asked for several times"
            continue
        values: list[tuple[str, int]] = []
        reason = ""
        for group, members in by_group.items():
            page = pages.index(blank.items[members[0]].widget.page) + 1
            if any(i in ticks for i in members):
                values.append((cast.patient.sex, page))
            elif given := [i for i in members if i in texts]:
                value = _value(blank, name, given, texts)
                reason = reason or _no_value(blank, cast, group, given, drawn, value)
                values.append((value, page))
        if reason:
            left_out[name] = reason
        elif not values:
            first = blank.items[next(iter(by_group.values()))[0]].widget.page
            found[name] = (None, pages.index(first) + 1)
        elif name in _LISTS:
            found[name] = (list(dict.fromkeys(value for value, _ in values)), values[0][1])
        else:
            # The fullest form: a name without its initial on page 2 does not make it shorter.
            found[name] = max(values, key=lambda entry: len(entry[0]))
    return found, left_out


def _no_value(
    blank: Blank, cast: Cast, group: int, given: Sequence[int], drawn: set[int], value: str
) -> str:
    """Why what stands in a group of places is no truth; empty where it is one."""
    asked = [blank.meanings[i] for i in given]
    if any(i not in drawn for i in given):
        return "does not fit"
    if short := lacking_in(asked):
        return f"without {', '.join(sorted(short))}"
    person = cast.person(asked[0].party or "other", group)
    return "" if says_all(asked[0].role, value, person) else "not all of it stands there"


def _value(blank: Blank, name: str, given: Sequence[int], texts: Mapping[int, str]) -> str:
    """One value out of the places that hold it, as a person would write it down."""
    by_part = {blank.meanings[i].part: texts[i] for i in given}
    meaning = blank.meanings[given[0]]
    if "" in by_part and len(given) == 1:
        return by_part[""]
    if name.endswith(("_name",)):
        parts = (by_part.get("first", ""), by_part.get("middle", ""), by_part.get("last", ""))
        return " ".join(print_name(parts, "natural").split())
    if name.endswith("address"):
        street = " ".join(filter(None, (by_part.get("street"), by_part.get("unit"))))
        zip_code = "-".join(filter(None, (by_part.get("zip"), by_part.get("zip4"))))
        tail = " ".join(filter(None, (by_part.get("state"), zip_code)))
        return ", ".join(filter(None, (street, by_part.get("city"), tail)))
    if meaning.role in ("DOB", "SIGN_DATE", "X_DATE"):
        return "/".join(by_part.get(p, "") for p in ("month", "day", "year"))
    return "".join(texts[i] for i in given)


__all__ = ["Entry", "FilledForm", "FilledPage", "fill", "mapped_pages", "texts_of", "ticks_of"]
