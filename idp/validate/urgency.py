# SPDX-License-Identifier: Apache-2.0
"""How urgent the sender says a document is, with everything that says so.

What the form itself says (its fields, its ticks, a certification, X12 UM06) is **own** evidence;
words on the cover sheet or in a subject are **words** and weaker. Printed options that nobody
ticked, instructions ("for urgent requests call ...") and the choices of a cover sheet are none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rapidfuzz import fuzz

from idp.clocks.rules import Level
from idp.clocks.wording import UrgencyWording
from idp.document import (
    Box,
    Document,
    Field,
    Finding,
    Mark,
    Page,
    Place,
    Severity,
    Urgency,
    UrgencyEvidence,
    Word,
    union_of,
)
from idp.phrases import fold
from idp.rulebook import rule
from idp.signals import REVIEW

RULE = "U1"
_FIELDS = ("review_type", "urgency")
_REASON = "urgency_reason"
_NOTHING = frozenset({"na", "none", "nia", "no", "notapplicable", "null", "nonapplicable"})
_RANK: dict[str, int] = {"routine": 0, "urgent": 1, "emergent": 2}
_LEAST_CONFIDENCE = 0.5
_MOST_TICK_WORDS = 14
_ALIKE = 85.0
_HEAD = 0.25
"""The share of a first page in which a word of urgency may stand that is no cover sheet."""
_COVER_LABELS = ("to", "from", "fax", "pages", "date", "phone", "re", "subject")
_FEWEST_COVER_LABELS = 4
_MOST_COVER_WORDS = 220
_MOST_LINE_WORDS = 6
_MOST_LABELLED_WORDS = 14
_MOST_LABEL_WORDS = 3
_WIDE = 1.2
_WIDE_AFTER_LABEL = 12.0
"""Gaps, in line heights: between a value's words, and between its label and it."""
_CHOICE = 0.2
_SURE = 0.9
"""A reason for urgency beside a form's own "standard" must be read this surely to count."""
_SIGNS = re.compile(r"^[^\w]+|[^\w]+$")
_BOX_SIGNS = frozenset("☐□▢◯○❏❑[]()")
_EMPTY_BOX = re.compile(r"[\[(]\s*[\])]|[☐□▢◯○❏❑]")
_REACH_UP = 3.5
"""How many line heights above a certification the box may stand that it belongs to."""


class _Said(NamedTuple):
    evidence: UrgencyEvidence
    own: bool


def urgency_of(
    document: Document,
    pages: Sequence[Page],
    wording: UrgencyWording,
    *,
    arrived: Sequence[Page] = (),
) -> tuple[Urgency | None, tuple[Finding, ...]]:
    """How urgent a document is, ``None`` where nothing says; and what contradicts itself (U1).

    A reviewer's word on it stands alone: whoever looked at the page has weighed what it says.

    Args:
        document: With its fields and its envelope.
        pages: Its own.
        wording: The words of urgency in force.
        arrived: All pages of its transmission: a cover sheet before it speaks for it.
    """
    said = [
        *_from_fields(document, wording),
        *(s for page in pages for s in _from_marks(page, wording)),
        *(s for page in pages for s in _from_values(page, wording)),
        *(s for page in pages for s in _from_certification(page, wording)),
        *_from_cover(pages, arrived, wording),
        *_from_subject(document, wording),
    ]
    if not said:
        return None, ()
    if answered := [each for each in said if _is_a_persons(each, document)]:
        said = answered
    level = max((each.evidence.level for each in said), key=_RANK.__getitem__)
    ordered = sorted(said, key=lambda each: (-_RANK[each.evidence.level], not each.own))
    urgency = Urgency(level=level, evidence=tuple(dict.fromkeys(e.evidence for e in ordered)))
    return urgency, tuple(contradictions(ordered))


@rule(
    RULE,
    severity=Severity.BLOCK,
    source="42 CFR 422.570(c), 438.210(d)(2): a provider's request to expedite counts",
)
def contradictions(said: Sequence[_Said]) -> Iterator[Finding]:
    """A document does not say both that it is routine and that it is urgent."""
    routine = [each for each in said if each.evidence.level == "routine"]
    pressing = [each for each in said if each.evidence.level != "routine"]
    if not routine or not pressing:
        return
    own = any(each.own for each in pressing) and any(each.own for each in routine)
    told = [*pressing[:1], *routine[:1]]
    if own:
        told = [next(e for e in pressing if e.own), next(e for e in routine if e.own)]
    first, second = (each.evidence for each in told)
    places = tuple(Place(page=e.page, box=e.box) for e in (first, second) if e.page is not None)
    yield Finding(
        rule=RULE,
        severity=Severity.BLOCK if own else Severity.WARN,
        field=first.field or second.field,
        fields=tuple(dict.fromkeys(e.field for e in (first, second) if e.field)),
        message=f"It says both that it is {first.level} ({first.what}) and that it is "
        f"{second.level} ({second.what}); the more urgent counts for the time limit",
        remedy="Ask the sender which of the two is meant, and correct the review type",
        page=places[0].page if places else None,
        box=places[0].box if places else None,
        places=places,
    )


def _is_a_persons(said: _Said, document: Document) -> bool:
    """Whether a reviewer said it of the fields that tell the urgency."""
    name = said.evidence.field
    if name not in _FIELDS:
        return False
    return any(field.name == name and field.source == REVIEW for field in document.fields)


def _from_fields(document: Document, wording: UrgencyWording) -> Iterator[_Said]:
    routine = False
    for field in document.fields:
        if field.name not in _FIELDS or field.confidence < _LEAST_CONFIDENCE:
            continue
        level = _level_of(field, wording)
        if level is not None:
            routine = routine or level == "routine"
            yield _Said(_of_field(field, level, "the field says so"), own=True)
    for field in document.fields:
        if field.name != _REASON or not field.value or fold(field.value) in _NOTHING:
            continue
        # Beside a form's own "standard" it is a doubt, and more often a neighbour's text.
        if field.confidence >= (_SURE if routine else _LEAST_CONFIDENCE):
            yield _Said(
                _of_field(field, "urgent", "a reason for urgency is given"), own=not routine
            )


def _level_of(field: Field, wording: UrgencyWording) -> Level | None:
    """The level of a value; the code of an interchange says more than the value made of it."""
    if field.source == "x12" and field.raw in wording.values:
        return wording.values[field.raw]
    return wording.values.get((field.value or "").lower())


def _of_field(field: Field, level: Level, what: str) -> UrgencyEvidence:
    return UrgencyEvidence(level=level, what=what, field=field.name, page=field.page, box=field.box)


def _from_marks(page: Page, wording: UrgencyWording) -> Iterator[_Said]:
    """Ticked boxes whose words are words of urgency."""
    for mark in page.marks:
        if mark.state != "checked":
            continue
        level = _tick_level(mark.label, wording)
        if level is None and (shown := _label_right_of(page, mark)) != mark.label:
            level = _tick_level(shown, wording)
        if level is not None:
            evidence = UrgencyEvidence(
                level=level, what="a ticked box says so", page=page.number, box=mark.box
            )
            yield _Said(evidence, own=True)


def _tick_level(label: str, wording: UrgencyWording) -> Level | None:
    words = label.split()
    plain = fold(label)
    if not words or any(plain.startswith(fold(other)) for other in wording.not_ticks):
        return None
    for tick, level in wording.folded_ticks:
        if plain == tick:
            return level
        if level == "routine" or not plain.startswith(tick) or not _is_whole(words, tick):
            continue
        if len(words) <= _MOST_TICK_WORDS or _attests(label, wording):
            return level
    return None


def _from_values(page: Page, wording: UrgencyWording) -> Iterator[_Said]:
    """``Urgency: Expedited review``: a label of urgency with one word of it typed behind."""
    labels = {fold(label) for label in wording.value_labels}
    for words in _lines(page):
        for begin in range(len(words)):
            for end in range(begin + 1, min(begin + _MOST_LABEL_WORDS, len(words)) + 1):
                if fold("".join(word.text for word in words[begin:end])) not in labels:
                    continue
                value = _up_to_gap(words[end:], words[end - 1])
                others = words[end + len(value) :]
                if any(_is_choice(word, wording) for word in others):
                    continue  # the choices stand side by side and nobody chose
                level = _value_level(value, page, wording)
                if level is not None:
                    box = union_of([word.box for word in value])
                    evidence = UrgencyEvidence(
                        level=level, what="it is typed behind its label", page=page.number, box=box
                    )
                    yield _Said(evidence, own=True)


def _is_choice(word: Word, wording: UrgencyWording) -> bool:
    plain = fold(word.text)
    return any(fuzz.ratio(plain, tick) >= _ALIKE for tick, _ in wording.folded_ticks)


def _up_to_gap(words: Sequence[Word], before: Word) -> list[Word]:
    """The words that follow without a gap between columns."""
    near: list[Word] = []
    for word in words:
        last = near[-1] if near else before
        if word.box.x0 - last.box.x1 > (_WIDE if near else _WIDE_AFTER_LABEL) * last.box.height:
            break
        near.append(word)
    return near


def _value_level(words: Sequence[Word], page: Page, wording: UrgencyWording) -> Level | None:
    plain = fold("".join(word.text for word in words))
    level = next((level for tick, level in wording.folded_ticks if plain == tick), None)
    if level is None:
        return None
    box = union_of([word.box for word in words])
    choice = any(
        mark.box.y0 < box.cy < mark.box.y1 and mark.box.x0 > box.x0 - _CHOICE for mark in page.marks
    )
    return None if choice else level  # beside a box the tick decides, not the print


def _is_whole(words: Sequence[str], tick: str) -> bool:
    """Whether the tick's words end where a word of the label does."""
    begun = ""
    for word in words:
        begun += fold(word)
        if len(begun) >= len(tick):
            return begun == tick
    return False


def _label_right_of(page: Page, mark: Mark) -> str:
    """The words on the mark's line behind it, up to the next box."""
    row = [w for w in page.words if w.box.y0 <= mark.box.cy <= w.box.y1 and w.box.x0 >= mark.box.cx]
    stop = min(
        (m.box.x0 for m in page.marks if m is not mark and _beside(m.box, mark.box)), default=1.0
    )
    return " ".join(w.text for w in sorted(row, key=lambda w: w.box.x0) if w.box.x0 < stop)


def _beside(other: Box, box: Box) -> bool:
    return other.x0 > box.x1 and other.y0 < box.cy < other.y1


def _attests(text: str, wording: UrgencyWording) -> bool:
    plain = fold(text)
    return any(_found(phrase, plain) is not None for phrase in wording.attestations)


def _found(phrase: str, plain: str) -> tuple[int, int] | None:
    """Where a phrase stands in a folded text, misreadings forgiven."""
    wanted = fold(phrase)
    if len(plain) < len(wanted):
        return None
    at = fuzz.partial_ratio_alignment(wanted, plain, score_cutoff=_ALIKE)
    return None if at is None else (at.dest_start, at.dest_end)


def _from_certification(page: Page, wording: UrgencyWording) -> Iterator[_Said]:
    """A statement that waiting would do harm, made by a person or beside a ticked box."""
    words = sorted(page.words, key=lambda w: w.id)
    folded = [fold(word.text) for word in words]
    plain = "".join(folded)
    places = [at for phrase in wording.attestations if (at := _found(phrase, plain)) is not None]
    if not places:
        return
    begins, ends = min(places)[0], max(end for _, end in places)
    ends = min(end for begin, end in places if begin == begins)
    starts = [sum(map(len, folded[:n])) for n in range(len(words))]
    stated = [w for w, start in zip(words, starts, strict=True) if begins <= start < ends]
    if not stated:
        return
    box = union_of([word.box for word in stated])
    mark = _box_of(page, stated)
    if mark is not None and mark.state == "unchecked":
        return
    before = plain[max(0, begins - 160) : begins]
    personal = any(fold(phrase) in before for phrase in wording.first_person)
    by_box = "checkingthisbox" in before.replace("bax", "box")
    if mark is None and (not personal or by_box):
        return
    what = "a ticked certification says so" if mark else "a certification says so"
    evidence = UrgencyEvidence(level="urgent", what=what, page=page.number, box=box)
    yield _Said(evidence, own=True)


def _box_of(page: Page, stated: Sequence[Word]) -> Mark | None:
    """The box that a statement is printed behind or below, where there is one."""
    box = stated[0].box
    height = max(box.height, 0.008)
    left = min(w.box.x0 for w in page.words if abs(w.box.cy - box.cy) < 0.7 * height)
    near = [
        mark
        for mark in page.marks
        if -_REACH_UP * height <= mark.box.cy - box.cy <= 0.8 * height
        and mark.box.x0 <= left + 0.06
    ]
    return max(near, key=lambda mark: mark.box.cy, default=None)


def _from_cover(
    pages: Sequence[Page], arrived: Sequence[Page], wording: UrgencyWording
) -> Iterator[_Said]:
    """Words of urgency on the cover sheet, or at the head of the first page."""
    if not pages:
        return
    first = min(pages, key=lambda page: page.number)
    before = [page for page in arrived if page.number < first.number and is_cover(page)]
    for page in (*before[-1:], first):
        lines = _lines(page)
        whole = is_cover(page)
        for words in lines:
            if not whole and words[0].box.y1 > _HEAD:
                continue
            if level := _line_level(words, page, wording):
                evidence = UrgencyEvidence(
                    level=level,
                    what="a word on the cover says so" if whole else "a word at its head says so",
                    page=page.number,
                    box=union_of([word.box for word in words]),
                )
                yield _Said(evidence, own=False)


def is_cover(page: Page) -> bool:
    """Whether a page looks like a fax cover sheet: few words, and the labels of one."""
    if not page.words or len(page.words) > _MOST_COVER_WORDS:
        return False
    labels = {
        fold(word.text)
        for word in page.words
        if word.text.rstrip().endswith((":", "#")) or word.text.istitle() or word.text.isupper()
    }
    known = {fold(label) for label in _COVER_LABELS}
    return len(labels & known) >= _FEWEST_COVER_LABELS


def _lines(page: Page) -> list[list[Word]]:
    lines: dict[int, list[Word]] = {}
    for word in page.words:
        lines.setdefault(word.line, []).append(word)
    return [sorted(words, key=lambda w: w.box.x0) for words in lines.values()]


def _line_level(words: Sequence[Word], page: Page, wording: UrgencyWording) -> Level | None:
    """What a printed line says where it says nothing else, or behind a label that may say more."""
    text = " ".join(word.text for word in words)
    if _EMPTY_BOX.search(text) or any(word.text in _BOX_SIGNS for word in words):
        return None
    box = union_of([word.box for word in words])
    if any(mark.box.y0 < box.cy < mark.box.y1 for mark in page.marks):
        return None  # a choice: the tick decides, not the print
    return _words_level([word.text for word in words], wording)


def _words_level(texts: Sequence[str], wording: UrgencyWording) -> Level | None:
    plain = [bare for text in texts for bare in _bare(text)]
    folded = [fold(word) for word in plain]
    if not folded:
        return None
    levels = [wording.cover_words[word] for word in folded if word in wording.cover_words]
    joined = " ".join(plain).lower()
    if not levels or any(_has_words(joined, other) for other in wording.not_cover):
        return None
    fillers = {fold(word) for word in wording.cover_fillers}
    labelled = folded[0] in {fold(label) for label in wording.cover_labels}
    bare_line = len(folded) <= _MOST_LINE_WORDS and all(
        word in wording.cover_words or word in fillers or (n == 0 and labelled)
        for n, word in enumerate(folded)
    )
    if bare_line or (labelled and len(folded) <= _MOST_LABELLED_WORDS):
        return max(levels, key=_RANK.__getitem__)
    return None


def _bare(text: str) -> list[str]:
    """The words of a printed word: ``**URGENT!!**``, ``STAT/ASAP``."""
    return [bare for part in re.split(r"[/|:*!_-]+", text) if (bare := _SIGNS.sub("", part))]


def _has_words(joined: str, phrase: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(phrase)}(?!\w)", joined) is not None


def _from_subject(document: Document, wording: UrgencyWording) -> Iterator[_Said]:
    """A word of urgency in the subject that a mail or a fax server tells."""
    subject = document.envelope.subject if document.envelope is not None else None
    if not subject:
        return
    level = _words_level(["Subject", *subject.split()[: _MOST_LABELLED_WORDS - 1]], wording)
    if level is not None:
        evidence = UrgencyEvidence(level=level, what="the subject says so")
        yield _Said(evidence, own=False)
