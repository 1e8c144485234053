# SPDX-License-Identifier: Apache-2.0
"""Blank forms that ask what payers ask: most printed labels replaced, and filled in to match.

    python -m training.forms.relabel --forms DIR --out OUT --pages 3000

Public forms show how real print looks (dense, boxed, full of instructions), but few of them ask for
an NPI, a procedure or a member number. Here about two thirds of their labels give way to questions
of payers' forms (:mod:`training.forms.questions`), titles change to match, places are filled, and
the rest of the print stays as it is, to be told apart. What a reader would make of the page comes
from :mod:`training.synthesise.noise`. OUT gets files of labelled pages that ``training.train_crf
--labelled`` and ``training.layoutlm train --forms`` read. Only forms of the training side are used.
"""

from __future__ import annotations

import argparse
import random
import re
import statistics
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from idp.children import Children
from idp.document import Box
from idp.extract.crf_roles import LABEL, OUTSIDE, TITLE
from training.forms.blanks import LIMITS, forms_of, load
from training.forms.fill import texts_of, ticks_of
from training.forms.ground import Asked, Ground, grounds
from training.forms.pages import role_taught
from training.forms.people import draw_cast
from training.forms.questions import asked, kind_of
from training.labelled import write_labelled
from training.synthesise.canvas import ASPECT, Canvas, Drawn, DrawnMark, Sheet, width_of
from training.synthesise.content import Content
from training.synthesise.family import Family
from training.synthesise.furniture import fax_line, header
from training.synthesise.layout import Item, print_label
from training.synthesise.noise import Labelled, draw_noise, read_sheet

SHARE = 0.65
"""How many of the labels are replaced."""
_TITLED, _HEADED, _FAXED = 0.75, 0.55, 0.4
"""Shares of titles replaced, of pages with a payer's head, and with a fax machine's line."""
_FAMILIES = 3000
_LOOKED_AT = 5
"""So many open questions are tried at a place before it keeps its own."""
_SMALLEST, _LARGEST, _TALL = 6.0, 11.5, 30.0
"""Points: the sizes of writing, and from which height a place takes several lines."""
_HEAD = 0.13
"""Down to here a page's head may be replaced, in page heights."""
_LONGEST = 1000
"""Characters, where a form sets no limit."""
_ONE_RUN = 0.8
"""Share of rows of character cells that are read as one word."""


@dataclass
class _Work:
    """A page being relabelled: what is printed where the old label stood, and what is filled in."""

    ground: Ground
    rng: random.Random
    size: float
    """Points: of the writing."""
    gone: set[int] = field(default_factory=set)
    """Printed words that are replaced."""
    drawn: list[Drawn] = field(default_factory=list)
    marks: list[DrawnMark] = field(default_factory=list)
    done: set[int] = field(default_factory=set)
    """Items whose places are relabelled."""
    spans: int = 0

    def span(self) -> int:
        """The number of a new value."""
        self.spans += 1
        return self.spans


def relabelled(ground: Ground, seed: int, share: float = SHARE) -> Labelled:
    """One relabelled and filled copy of a page; the same arguments give the same one."""
    name = f"relabel/{ground.blank.stem}/{ground.number}/{seed}"
    rng = random.Random(name)  # noqa: S311 - not for secrets
    family = Family(kind_of(rng), "train", rng.randrange(_FAMILIES))
    content = Content(family, rng)
    work = _Work(ground, rng, rng.uniform(8.0, _LARGEST))
    titles = {index for block in ground.blocks for index in block.title}
    _ask(work, family, content, share, titles)
    _keep(work)
    print_ = _print(work, titles)
    sheet = Sheet([*print_, *work.drawn], work.marks, list(ground.rules), list(ground.cells))
    _head(work, family, content, sheet)
    return read_sheet(sheet, 1, draw_noise(rng), rng)


def _ask(work: _Work, family: Family, content: Content, share: float, titles: set[int]) -> None:
    """Replaces titles and labels and fills their places in."""
    waiting: deque[bool] = deque()
    sections = asked(family, content, titled=lambda: waiting.popleft() if waiting else False)
    for place, block in enumerate(work.ground.blocks):
        waiting.clear()
        titled = bool(block.title) and work.rng.random() < _TITLED
        waiting.append(titled)
        section, items = next(sections)
        if titled:
            text = family.numbered(section.title, place)
            text = print_label(family.style, text, colon=False)
            titled = _printed(work, block.title, text, 0.97, TITLE)
            titles.difference_update(block.title if titled else ())
        for wanted in block.places:
            if work.rng.random() >= share:
                continue
            while not items:
                section, items = next(sections)
            for item in items[:_LOOKED_AT]:
                if _replace(work, wanted, item, family):
                    items.remove(item)
                    break


def _replace(work: _Work, place: Asked, item: Item, family: Family) -> bool:
    """One question in the place of another; whether label and value fit."""
    ground = work.ground
    widget = ground.blank.items[place.item].widget
    comb = (widget.max_length or 0) if widget.comb else 0
    longest = comb or widget.max_length or _LONGEST
    rows = (place.item, *place.rows)
    if len(item.texts) > 1 and not place.rows:
        texts: tuple[str, ...] = (", ".join(item.texts),)
    else:
        texts = item.texts[: len(rows)]
    if comb:
        texts = tuple(re.sub(r"[^\w]", "", text) for text in texts)
    if any(len(text) > longest for text in texts) or (comb and (item.options or item.long)):
        return False
    top = _free_top(ground, place.item)
    filled: list[Drawn] = []
    marks: list[DrawnMark] = []
    if item.options:
        drawn = _options(work, item, widget.box, top)
        if drawn is None:
            return False
        filled, marks = drawn
    for row, text in zip(rows, texts, strict=False):
        box = ground.blank.items[row].widget.box
        upper = top if row == place.item else box.y0
        own = Drawn("", box, item.role, item.party, work.span())
        words = _comb(work, box, text, comb, own) if comb else _written(work, box, upper, text, own)
        if words is None:
            return False
        filled += words
    text = print_label(family.style, item.label)
    if not _printed(work, place.label, text, widget.box.x0, LABEL):
        return False
    work.drawn += filled
    work.marks += marks
    work.done.update(rows)
    return True


def _printed(work: _Work, old: Sequence[int], text: str, left_of: float, role: str) -> bool:
    """New words where old ones stood, in their size; whether there is room.

    Args:
        work: The page.
        old: Printed words that go.
        text: What comes.
        left_of: Where the place begins that a label on its line must not reach.
        role: Of the new words.
    """
    ground = work.ground
    going = set(old)
    lines = [[i for i in line if i in going] for line in ground.lines if going.intersection(line)]
    words = [ground.words[i] for i in old]
    high = statistics.median(w.box.height for w in words)
    usual = sum(width_of(w.text, high) for w in words)
    wide = min(1.4, max(0.5, sum(w.box.width for w in words) / usual)) if usual else 1.0
    right_end = max(w.box.x1 for w in words)
    for scale in (1.0, 0.85):
        print_ = _Print(wide * scale, high * scale, right_end, left_of, role)
        found = _set(work, lines, text.split(), print_)
        if found is not None:
            work.gone |= going
            work.drawn += found
            return True
    return False


class _Print(NamedTuple):
    """How words are set: widths beside the usual, height, how far right, left of what, as what."""

    wide: float
    high: float
    right: float
    left_of: float
    role: str


def _set(
    work: _Work, lines: Sequence[Sequence[int]], words: Sequence[str], print_: _Print
) -> list[Drawn] | None:
    """Words set into the lines of an old text, or ``None`` where they do not fit."""
    todo, found = deque(words), []
    high = print_.high
    for line in lines:
        first = work.ground.words[line[0]].box
        right = _right_end(work, line, max(print_.right, first.x1), print_.left_of)
        x, middle = first.x0, first.cy
        while todo:
            width = width_of(todo[0], high) * print_.wide
            if x + width > right:
                break
            box = Box(x, middle - high / 2, x + width, middle + high / 2)
            found.append(Drawn(todo.popleft(), box, print_.role))
            x += width + high * 0.35
    return None if todo else found


def _right_end(work: _Work, line: Sequence[int], usual: float, left_of: float) -> float:
    """How far right a line of a new label may go: to other print, to a place, or a little on."""
    last = work.ground.words[line[-1]].box
    others = [
        w.box.x0
        for i, w in enumerate(work.ground.words)
        if i not in line and w.box.x0 >= last.x1 and w.box.overlap_y(last) > 0.3 * last.height
    ]
    others += [
        item.widget.box.x0
        for item in work.ground.blank.items
        if item.widget.page == work.ground.number
        and item.widget.box.x0 > last.cx
        and item.widget.box.overlap_y(last) > 0.5 * last.height
    ]
    others += [
        box.x0
        for kind, box in work.ground.rules
        if kind == "vertical" and box.x0 >= last.x1 and box.y0 < last.cy < box.y1
    ]
    if left_of > last.cx:
        others.append(left_of)
    return min([0.97, usual + 0.12, *(other - 0.006 for other in others)])


def _free_top(ground: Ground, index: int) -> float:
    """The top of what can be written on: under a label that stands inside its place."""
    item = ground.blank.items[index]
    box = item.widget.box
    label = [ground.words[i].box for i in item.label_words]
    top = max((b.y1 for b in label if box.contains(b.cx, b.cy)), default=box.y0)
    return top if box.y1 - top > 0.4 * box.height else box.y0


def _written(work: _Work, box: Box, top: float, text: str, own: Drawn) -> list[Drawn] | None:
    """A value in its place as words, smaller where it must be, or ``None``."""
    tall = work.ground.size[1]
    points = (box.y1 - top) * tall
    several = points > _TALL
    size = min(9.0 if several else work.size, points * 0.8)
    room = box.width - 0.008
    if not several:
        length = width_of(text, size / tall)
        size = size * room / length if length > room else size
    if size < _SMALLEST:
        return None
    high, pitch = size / tall, 1.2 * size / tall
    x, y = box.x0 + 0.004, top + 0.004 if several else (top + box.y1 - high) / 2
    y += work.rng.uniform(-0.0006, 0.0006)
    left = x
    found: list[Drawn] = []
    for word in text.split():
        width = width_of(word, high)
        if several and x + width > box.x1 - 0.003 and x > left:
            x, y = left, y + pitch
        if x + width > box.x1 + 0.01 or y + high > box.y1 + 0.006:
            return None
        found.append(_as(own, word, Box(x, y, x + width, y + high)))
        x += width + high * 0.3
    return found


def _comb(work: _Work, box: Box, text: str, cells: int, own: Drawn) -> list[Drawn]:
    """One character in each cell: mostly read as one run, at times as letters."""
    step = box.width / cells
    high = min(work.size / work.ground.size[1], box.height * 0.9)
    y = box.cy - high / 2
    if not text:
        return []
    if work.rng.random() < _ONE_RUN:
        end = box.x0 + step * len(text)
        return [_as(own, text, Box(box.x0 + step * 0.2, y, end - step * 0.2, y + high))]
    found = []
    for number, character in enumerate(text):
        x = box.x0 + step * (number + 0.2)
        found.append(_as(own, character, Box(x, y, x + step * 0.6, y + high)))
    return found


def _options(
    work: _Work, item: Item, box: Box, top: float
) -> tuple[list[Drawn], list[DrawnMark]] | None:
    """Boxes to tick with their words in a place for text, or ``None`` where they do not fit."""
    high = min(work.size, (box.y1 - top) * work.ground.size[1] * 0.8) / work.ground.size[1]
    if high * work.ground.size[1] < _SMALLEST:
        return None
    x, y = box.x0 + 0.004, (top + box.y1 - high) / 2
    words: list[Drawn] = []
    marks: list[DrawnMark] = []
    for number, option in enumerate(item.options):
        side = high * 0.8
        mark = Box(x, y + high * 0.1, x + side * ASPECT, y + high * 0.9)
        marks.append(DrawnMark(mark, number == item.chosen, option))
        x = mark.x1 + high * 0.3
        for word in option.split():
            width = width_of(word, high)
            words.append(Drawn(word, Box(x, y, x + width, y + high), OUTSIDE))
            x += width + high * 0.3
        x += high
        if x > box.x1 + 0.01:
            return None
    return words, marks


def _as(own: Drawn, text: str, box: Box) -> Drawn:
    return Drawn(text, box, own.role, own.party, own.span)


def _keep(work: _Work) -> None:
    """What keeps its label is filled as the form asks, ticks and all."""
    ground = work.ground
    blank = ground.blank
    cast = draw_cast(work.rng, "train")
    texts = texts_of(blank, cast, [ground.number])
    ticks = ticks_of(blank, cast, work.rng, [ground.number])
    groups: dict[int, int] = {}
    for index, item in enumerate(blank.items):
        widget = item.widget
        if widget.page != ground.number or index in work.done:
            continue
        if widget.kind in ("check", "radio"):
            mark = DrawnMark(widget.box, index in ticks, item.label[:60])
            work.marks.append(mark)
        elif index in texts:
            meaning, group = blank.meanings[index], blank.groups[index]
            number = groups.setdefault(group, work.span()) if group else work.span()
            party = meaning.party if meaning.party != "other" else ""
            own = Drawn("", widget.box, role_taught(meaning), party, number)
            comb = (widget.max_length or 0) if widget.comb else 0
            text = texts[index]
            found = (
                _comb(work, widget.box, text[:comb], comb, own)
                if comb
                else _written(work, widget.box, _free_top(ground, index), text, own)
            )
            work.drawn += found or []


def _print(work: _Work, titles: set[int]) -> list[Drawn]:
    """The form's own print that is left, with what it is."""
    ground = work.ground
    kinds: dict[int, str] = {}
    for index, item in enumerate(ground.blank.items):
        if item.widget.page == ground.number and item.widget.kind in ("text", "choice"):
            kinds.update(dict.fromkeys(item.label_words, LABEL if index not in work.done else ""))
    kinds.update(dict.fromkeys(titles, TITLE))
    return [
        Drawn(word.text, word.box, kinds.get(index) or OUTSIDE)
        for index, word in enumerate(ground.words)
        if index not in work.gone
    ]


def _head(work: _Work, family: Family, content: Content, sheet: Sheet) -> None:
    """A payer's head instead of the form's own, where there is room, and a fax machine's line."""
    style = family.style
    rng = work.rng
    faxed = rng.random() < _FAXED
    canvas = Canvas(size=min(style.size, 0.012), leading=style.leading)
    if family.kind in ("prior_auth_request", "referral") and rng.random() < _HEADED:
        below = header(canvas, family, content, rng, where=rng.choice(("center", "left", "right")),
                       fax=faxed, payer=rng.random() < 0.7, routing=rng.random() < 0.3)  # fmt: skip
        loose = [w for w in sheet.words if w.role == OUTSIDE and w.box.y1 < _HEAD]
        rest = [w for w in sheet.words if w not in loose]
        places = [
            item.widget.box.y0
            for item in work.ground.blank.items
            if item.widget.page == work.ground.number
        ]
        if below < min([w.box.y0 for w in rest] + places, default=1.0):
            sheet.words[:] = [w for w in rest if w.box.y0 >= below or w.role != OUTSIDE]
            for word in canvas.sheet.words:
                word.span += work.spans if word.span else 0
            sheet.words += canvas.sheet.words
            return
        canvas = Canvas(size=min(style.size, 0.012), leading=style.leading)
    if faxed:
        fax_line(canvas, family, rng)
        lowest = max(w.box.y1 for w in canvas.sheet.words)
        if all(w.box.y0 > lowest for w in sheet.words):
            sheet.words += canvas.sheet.words


def make(folder: Path, out: Path, pages: int, seed: int, share: float) -> Iterator[str]:
    """Writes ``pages`` relabelled pages of the training side's forms; yields the files' names.

    Every page of every form takes its turn; one file for each page.

    Raises:
        FileNotFoundError: No form in the folder can be relabelled.
    """
    with Children(1, LIMITS) as children:
        found = [g for blank in load(forms_of(folder, "train")) for g in grounds(blank, children)]
    if not found:
        raise FileNotFoundError(f"{folder} holds no form whose labels can be replaced")
    # All forms have the same share of the pages, however many pages they have themselves.
    by_form: dict[str, list[Ground]] = {}
    for ground in found:
        by_form.setdefault(f"{ground.blank.family}-{ground.blank.stem}", []).append(ground)
    names = sorted(by_form)
    for number in range(pages):
        name, turn = names[number % len(names)], number // len(names)
        own = by_form[name]
        ground = own[turn % len(own)]
        copy = seed * 100_000 + turn // len(own)
        stem = f"{name}-{ground.number}-{copy}"
        write_labelled(out / f"{stem}.json", [relabelled(ground, copy, share)])
        yield stem


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--forms", type=Path, required=True, help="folder of blank fillable PDFs")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pages", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--share", type=float, default=SHARE, help="of the labels: 0 to 1")
    options = parser.parse_args(arguments)
    started = time.process_time()
    try:
        made = sum(1 for _ in make(options.forms, options.out, options.pages, options.seed,
                                   options.share))  # fmt: skip
    except FileNotFoundError as error:
        parser.error(str(error))
    sys.stdout.write(f"{made} pages in {time.process_time() - started:.0f} CPU seconds\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
