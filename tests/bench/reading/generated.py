# SPDX-License-Identifier: Apache-2.0
"""Reading on generated pages, whose truth is exact: letters, fields, marks, trust, orientation."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from idp.document import Box
from tests.bench.reading import arithmetic as a
from tests.bench.reading.engines import PRODUCT, TESSERACT, Product, ReadPage, Tesseract
from training.faxes import Degraded, Drawn, Truth, Turn, degrade, page
from training.faxes.truth import moved

BORN_DIGITAL = "born_digital"
FULL_VARIANTS = (
    BORN_DIGITAL, "clean", "scan_150", "scan_200", "scan_300",
    "fine_dither", "fine_threshold", "fine_dither_poor", "fine_threshold_poor",
    "fine_light", "fine_dark",
    "standard_dither", "standard_threshold", "superfine_dither", "superfine_threshold", "noisy",
)  # fmt: skip
QUICK_VARIANTS = (BORN_DIGITAL, "clean", "fine_dither", "fine_threshold", "standard_dither")
FULL_KINDS = ("form", "choices", "remittance", "letter", "small_print", "combs")
QUICK_KINDS = ("form", "letter")
FAXES = frozenset(
    v for v in FULL_VARIANTS if v.startswith(("fine", "standard", "superfine", "noisy"))
)
TURNS: tuple[Turn, ...] = (0, 90, 180, 270)
TURNED_VARIANTS = ("scan_200", "fine_dither", "standard_threshold", "noisy")

Say = Callable[[str], None]


class Miss(NamedTuple):
    """One thing that was read wrongly, for people to look at."""

    variant: str
    kind: str
    seed: int
    what: str
    true: str
    read: str
    edits: int


@dataclass
class Score:
    """Everything counted on some pages by one engine."""

    letters: a.Share = field(default_factory=a.Share)
    strict: a.Share = field(default_factory=a.Share)
    segments: a.Share = field(default_factory=a.Share)
    words: a.Share = field(default_factory=a.Share)
    fields: a.Share = field(default_factory=a.Share)
    fields_in_row: a.Share = field(default_factory=a.Share)
    marks: a.Share = field(default_factory=a.Share)
    marks_read: a.Share = field(default_factory=a.Share)
    states: a.Share = field(default_factory=a.Share)
    labels: a.Share = field(default_factory=a.Share)
    signed: a.Share = field(default_factory=a.Share)
    """Places to sign of which it is known whether somebody did."""
    styles: dict[str, a.Share] = field(default_factory=lambda: defaultdict(a.Share))
    judged: list[tuple[float, bool]] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    misses: list[Miss] = field(default_factory=list)

    @property
    def cpu_per_page(self) -> float | None:
        return sum(self.cpu) / len(self.cpu) if self.cpu else None


Scores = dict[tuple[str, str, str], Score]
"""By engine, variant and kind."""


def pooled(
    scores: Scores, engine: str, variants: Sequence[str], kinds: Sequence[str] | None = None
) -> Score:
    """All pages of an engine in some variants as one."""
    whole = Score()
    for (name, variant, kind), score in scores.items():
        if name != engine or variant not in variants or (kinds and kind not in kinds):
            continue
        for part in (
            "letters", "strict", "segments", "words", "fields", "fields_in_row",
            "marks", "marks_read", "states", "labels", "signed",
        ):  # fmt: skip
            own: a.Share = getattr(score, part)
            getattr(whole, part).add(own.hits, own.of)
        for style, own in score.styles.items():
            whole.styles[style].add(own.hits, own.of)
        whole.judged += score.judged
        whole.cpu += score.cpu
        whole.misses += score.misses
    return whole


def count(
    score: Score, truth: Truth, read: ReadPage, aspect: float, where: tuple[str, str, int]
) -> None:
    """Adds one page to a score."""
    score.cpu.append(read.cpu_seconds)
    for segment in truth.segments:
        edits, length = a.segment_edits(segment, read.words), len(a.plain(segment.text))
        score.letters.add(edits, length)
        score.segments.add(edits == 0, 1)
        score.strict.add(a.strict_edits(segment, read.words), len(segment.text))
        if edits:
            there = " ".join(w.text for w in a.words_inside(segment.box, read.words))
            score.misses.append(Miss(*where, "text", segment.text, there, edits))
    score.words.add(*a.same_words(truth.words, read.words))
    for value in truth.fields:
        score.fields.add(a.field_exact(value, read.words), 1)
        score.fields_in_row.add(a.field_in_row(value, read.words), 1)
    ignored = [m.box for m in truth.marks] + [s.box for s in truth.signatures]
    score.judged += a.judged_words(truth.words, read.words, [_widened(b) for b in ignored])
    _count_marks(score, truth, read, aspect, where)
    if read.marks is not None:
        _count_signatures(score, truth, read, where)


def _count_signatures(
    score: Score, truth: Truth, read: ReadPage, where: tuple[str, str, int]
) -> None:
    for place in truth.signatures:
        there = {state for state, box in read.signatures if box.shared(place.box) > 0}
        right = there == {"present" if place.signed else "absent"}
        score.signed.add(right, 1)
        if not right:
            true = f"{'signed' if place.signed else 'not signed'} ({_place(place.box)})"
            score.misses.append(Miss(*where, "signature", true, ", ".join(sorted(there)), 1))


def _widened(box: Box) -> Box:
    return Box(box.x0 - 0.003, box.y0 - 0.003, box.x1 + 0.003, box.y1 + 0.003)


def _count_marks(
    score: Score, truth: Truth, read: ReadPage, aspect: float, where: tuple[str, str, int]
) -> None:
    if read.marks is None:
        return
    pairs, surplus = a.match_marks(truth.marks, read.marks, aspect)
    score.marks_read.add(len(read.marks) - len(surplus), len(read.marks))
    for mark in surplus:
        score.misses.append(Miss(*where, f"no mark there ({_place(mark.box)})", "", mark.state, 1))
    for pair in pairs:
        look = f"{pair.true.shape}/{pair.true.style or 'empty'}"
        found = pair.read is not None
        right = pair.read is not None and pair.read.state == pair.true.state
        score.marks.add(found, 1)
        score.styles[look].add(right, 1)
        if pair.read is not None:
            score.states.add(right, 1)
            score.labels.add(a.label_right(pair), 1)
        if not right:
            true = f"{pair.true.state} {pair.true.label} ({_place(pair.true.box)})"
            said = pair.read.state if pair.read is not None else "not found"
            score.misses.append(Miss(*where, f"mark {look}", true, said, 1))


def _place(box: Box) -> str:
    return f"{box.cx:.3f}, {box.cy:.3f}"


def _raw_file(drawn: Drawn, came: Degraded | None, folder: Path) -> Path:
    if came is not None:
        return came.save(folder, "page")
    path = folder / "page.pdf"
    path.write_bytes(drawn.pdf)
    return path


def _straightened(read: ReadPage, came: Degraded) -> ReadPage:
    """What Tesseract read askew, with its words where they stand on the straightened page."""

    def straight(box: Box) -> Box:
        middle = moved(Box(box.cx, box.cy, box.cx, box.cy), came.to_upright)
        dx, dy = middle.x0 - box.cx, middle.y0 - box.cy
        return Box(box.x0 + dx, box.y0 + dy, box.x1 + dx, box.y1 + dy)

    words = [w._replace(box=straight(w.box)) for w in read.words]
    return ReadPage(words, read.marks, read.rotation, read.cpu_seconds, read.pixels)


def samples(
    variants: Sequence[str], kinds: Sequence[str], seeds: range
) -> Iterator[tuple[str, str, int]]:
    """Variant, kind and seed of each page, variants together."""
    for variant in variants:
        for seed in seeds:
            for kind in kinds:
                yield variant, kind, seed


def run(
    product: Product,
    peer: Tesseract | None,
    todo: Sequence[tuple[str, str, int]],
    say: Say,
) -> Scores:
    """Reads every sample with the product, and with Tesseract where it is there."""
    scores: Scores = defaultdict(Score)
    _warm_up(product)
    for number, (variant, kind, seed) in enumerate(todo, 1):
        drawn = page(seed, kind)
        came = None if variant == BORN_DIGITAL else degrade(drawn, variant, seed)
        truth = drawn.truth if came is None else came.upright
        aspect = drawn.size_pt[1] / drawn.size_pt[0]
        where = (variant, kind, seed)
        with tempfile.TemporaryDirectory(prefix="idp-bench-") as place:
            path = _raw_file(drawn, came, Path(place))
            raw = product.unpacked(path)
            ours = product.read_raw(raw)[0][0]
            count(scores[PRODUCT, variant, kind], truth, ours, aspect, where)
            if peer is not None:
                theirs = peer.read_raw(raw[0])
                if came is not None:
                    theirs = _straightened(theirs, came)
                count(scores[TESSERACT, variant, kind], truth, theirs, aspect, where)
        for one in raw:
            Path(one.path).unlink(missing_ok=True)
        say(f"generated {number}/{len(todo)} {variant} {kind} {seed}: {ours.cpu_seconds:.2f} CPU s")
    return dict(scores)


def _warm_up(product: Product) -> None:
    """Models are loaded by the first page, which is not counted."""
    with tempfile.TemporaryDirectory(prefix="idp-bench-") as place:
        came = degrade(page(10_000, "form"), "fine_threshold", 10_000)
        product.read(came.save(Path(place), "page"))


class Turned(NamedTuple):
    """One page that was laid wrongly into the machine."""

    variant: str
    kind: str
    seed: int
    turn: int
    said: int


def orientations(
    product: Product, variants: Sequence[str], kinds: Sequence[str], seeds: range, say: Say
) -> list[Turned]:
    """Reads pages in all four turns."""
    out = []
    todo = list(samples(variants, kinds, seeds))
    for number, (variant, kind, seed) in enumerate(todo, 1):
        drawn = page(seed, kind)
        for turn in TURNS:
            with tempfile.TemporaryDirectory(prefix="idp-bench-") as place:
                came = degrade(drawn, variant, seed, turn=turn)
                read = product.read(came.save(Path(place), "page"))[0]
            out.append(Turned(variant, kind, seed, turn, read.rotation))
        wrong = sum(t.turn != t.said for t in out)
        say(f"orientation {number}/{len(todo)} {variant} {kind} {seed}: {wrong} wrong so far")
    return out
