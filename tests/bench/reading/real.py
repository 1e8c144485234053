# SPDX-License-Identifier: Apache-2.0
"""Reading on real pages that lie outside the repository: exact texts, and forms with their values.

Both are found from `IDP_CORPUS` (the folder of forms); what is not there is named, never skipped
silently.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.reading import arithmetic as a
from tests.bench.reading.engines import PRODUCT, TESSERACT, Product, ReadPage, Tesseract

Say = Callable[[str], None]

VARIANTS = ("original", "fine_g3", "std_g3", "noisy_g4")
MARKED = frozenset(
    {
        "able_to_use_other_alternatives",
        "alternative_treatment_tried",
        "contact_methods",
        "determination",
        "generic_tried",
        "patient_sex",
        "place_of_service",
        "referral_type",
        "request_type",
        "review_type",
        "terminal_illness",
        "urgency",
    }
)
"""Fields that forms answer by a mark: no text to be found."""
NO_TEXT = MARKED | {"signature", "signature_present"}

_RIVALS = (
    ("urgent", "nonurgent", "standard", "expedited"),
    ("male", "female", "m", "f", "other", "unknown"),
    ("initialrequest", "initial", "renewal", "extensionrenewalamendment"),
)
"""Options of which one at most is chosen. Questions of yes and no share their words with others on
the same page and can't be told apart by them."""


@dataclass
class Text:
    """A page with exact text, as read by one engine."""

    page: str
    engine: str
    infix: a.Share
    """Edits of each true line against the best stretch of the whole text, blanks apart."""
    whole: a.Share
    """Edits of the whole text in order against the whole true text, blanks made one."""
    misses: list[tuple[str, int]]


def exact_texts(corpus: Path) -> list[tuple[Path, Path]]:
    """(image, text) of the pages with exact text beside the forms, turned copies included."""
    folder = corpus.parent / "samples" / "ocr_gt"
    return [
        (image, text)
        for text in sorted(folder.rglob("*.txt"))
        for image in sorted(text.parent.glob(f"{text.stem}*"))
        if image.suffix in (".tif", ".png")
    ]


def read_texts(corpus: Path, product: Product, peer: Tesseract | None, say: Say) -> list[Text]:
    """Scores the pages with exact text."""
    out = []
    for image, text in exact_texts(corpus):
        say(f"exact text: {image.name}")
        true = text.read_text(encoding="utf-8", errors="replace")
        raw = product.unpacked(image)
        readings: list[tuple[str, ReadPage]] = [(PRODUCT, product.read_raw(raw)[0][0])]
        if peer is not None:
            readings.append((TESSERACT, peer.read_raw(raw[0])))
        out += [_scored(image.name, engine, true, read) for engine, read in readings]
    return out


def _scored(page: str, engine: str, true: str, read: ReadPage) -> Text:
    infix, misses = a.Share(), []
    text = a.plain("".join(read.lines()))
    for line in true.splitlines():
        edits = a.infix_distance(a.plain(line), text)
        infix.add(edits, len(a.plain(line)))
        if edits:
            misses.append((line.strip(), edits))
    ours, theirs = (re.sub(r"\s+", " ", t).strip() for t in ("\n".join(read.lines()), true))
    return Text(page, engine, infix, a.Share(a.distance(theirs, ours), len(theirs)), misses)


@dataclass
class FormScore:
    """Values of one variant found by one engine; ``printed`` leaves handwriting out."""

    line: a.Share = field(default_factory=a.Share)
    text: a.Share = field(default_factory=a.Share)
    parts: a.Share = field(default_factory=a.Share)
    handwritten: a.Share = field(default_factory=a.Share)
    cpu: list[float] = field(default_factory=list)
    lost: list[tuple[str, str, str, str]] = field(default_factory=list)
    """(file, field, value, nearest that was read)"""
    ticks: a.Share = field(default_factory=a.Share)
    ticks_wrong: list[tuple[str, str, str, str]] = field(default_factory=list)
    """(file, field, value, checked labels)"""
    places: a.Share = field(default_factory=a.Share)
    """Boxes that are ticked on the paper and were found so."""
    false_ticks: list[tuple[str, str]] = field(default_factory=list)
    """(file, label) of ticks that nobody made, on the pages whose ticks are known."""
    upside_down: a.Share = field(default_factory=a.Share)


def forms(corpus: Path) -> list[tuple[str, str, Path, Path]]:
    """(stem, variant, file, truth) of the forms."""
    found = []
    for truth in sorted(corpus.glob("*.json")):
        for variant in VARIANTS:
            if variant == "original":
                files = [truth.with_suffix(s) for s in (".pdf", ".png", ".tif")]
            else:
                files = [corpus / "fax" / f"{truth.stem}__{variant}.tif"]
            found += [(truth.stem, variant, file, truth) for file in files if file.is_file()]
    return found


def read_forms(
    corpus: Path, product: Product, peer: Tesseract | None, say: Say, *, only: int | None = None
) -> dict[tuple[str, str], FormScore]:
    """Value recall by engine and variant."""
    scores: dict[tuple[str, str], FormScore] = defaultdict(FormScore)
    todo = forms(corpus)[:only]
    for number, (stem, variant, file, truth_file) in enumerate(todo, 1):
        truth = json.loads(truth_file.read_text(encoding="utf-8"))
        raw = product.unpacked(file)
        ours = product.read_raw(raw)[0]
        score = scores[PRODUCT, variant]
        found, of = score.text.hits, score.text.of
        _count_values(score, stem, truth, ours)
        found, of = score.text.hits - found, score.text.of - of
        say(f"forms {number}/{len(todo)} {file.name}: {found:.0f} of {of:.0f} values")
        _count_ticks(score, stem, truth, ours)
        _count_places(score, stem, variant, ours)
        if peer is not None:
            _count_values(
                scores[TESSERACT, variant], stem, truth, [peer.read_raw(page) for page in raw]
            )
    return dict(scores)


def _count_values(
    score: FormScore, stem: str, truth: dict[str, object], pages: Sequence[ReadPage]
) -> None:
    score.cpu += [page.cpu_seconds for page in pages]
    lines = [line for page in pages for line in page.lines()]
    whole = "".join(a.letters_only(line) for line in lines)
    by_hand = "handwriting" in str(truth.get("notes", ""))
    fields = truth["fields"]
    assert isinstance(fields, dict)
    for name, value in a.values_of(fields, NO_TEXT):
        found = a.find_value(value, lines)
        if by_hand:
            score.handwritten.add(found.text, 1)
            continue
        score.line.add(found.line, 1)
        score.text.add(found.text, 1)
        score.parts.add(found.parts, 1)
        if not found.text:
            score.lost.append((stem, name, value, _nearest(value, lines, whole)))


def _nearest(value: str, lines: Sequence[str], whole: str) -> str:
    """The line that comes closest to a lost value, and how far off it is."""
    wanted = a.letters_only(value)
    edits = a.infix_distance(wanted, whole)
    best = min(lines, key=lambda line: a.infix_distance(wanted, a.letters_only(line)), default="")
    return f"{edits} edits, {best[:90]!r}"


def _count_ticks(
    score: FormScore, stem: str, truth: dict[str, object], pages: Sequence[ReadPage]
) -> None:
    """A field that a mark answers is right if its option is checked and no rival of it is."""
    checked = [
        a.letters_only(m.label) for p in pages for m in p.marks or () if m.state == "checked"
    ]
    fields = truth["fields"]
    assert isinstance(fields, dict)
    for name, value in a.values_of({k: v for k, v in fields.items() if k in MARKED}, frozenset()):
        wanted = a.letters_only(value)
        others = {
            rival
            for rivals in _RIVALS
            if any(_same(wanted, r) for r in rivals)
            for r in rivals
            for rival in (r,)
            if not _same(wanted, r)
        }
        right = any(_same(wanted, c) for c in checked) and not others & set(checked)
        score.ticks.add(right, 1)
        if not right:
            labels = "; ".join(
                m.label for p in pages for m in p.marks or () if m.state == "checked"
            )
            score.ticks_wrong.append((stem, name, value, labels))


_PLACES = json.loads(Path(__file__).with_name("ticks.json").read_text(encoding="utf-8"))["forms"]
_BESIDE = 0.012  # of the page: less than from one box to the next


def _count_places(score: FormScore, stem: str, variant: str, pages: Sequence[ReadPage]) -> None:
    """Every ticked box of the paper against the ticks found, wherever the fields ask for it."""
    known = _PLACES.get(stem, {}).get(variant)
    if known is None:
        return
    found = [
        (number, mark)
        for number, page in enumerate(pages, 1)
        for mark in page.marks or ()
        if mark.state == "checked"
    ]
    hit: set[int] = set()
    for page, x, y in known:
        near = [
            i
            for i, (number, mark) in enumerate(found)
            if number == page and max(abs(mark.box.cx - x), abs(mark.box.cy - y)) < _BESIDE
        ]
        hit.update(near)
        score.places.add(bool(near), 1)
        if not near:
            score.ticks_wrong.append((stem, "a ticked box", f"page {page}, {x}, {y}", "not found"))
    score.false_ticks += [(stem, mark.label) for i, (_, mark) in enumerate(found) if i not in hit]


def _same(value: str, label: str) -> bool:
    """Whether an option's words say the value: the same, or one begins with the other."""
    if not value or not label:
        return False
    if len(value) < 3 or len(label) < 3:
        return value[0] == label[0] and (len(value) == 1 or len(label) == 1 or value == label)
    return value.startswith(label) or label.startswith(value)
