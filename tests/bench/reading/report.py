# SPDX-License-Identifier: Apache-2.0
"""The benchmark's tables and its verdicts: every target beside the figure that was reached."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from tests.bench.reading import arithmetic as a
from tests.bench.reading.engines import PRODUCT, TESSERACT
from tests.bench.reading.generated import BORN_DIGITAL, FAXES, Score, Scores, Turned, pooled
from tests.bench.reading.machine import Soak, Throughput
from tests.bench.reading.real import FormScore, Text

Say = Callable[[str], None]

FORM_TARGETS = {"original": 0.97, "fine_g3": 0.96, "std_g3": 0.90, "noisy_g4": 0.80}
# Asked of faxes that Tesseract reads with about 20 % (fine) and 35 % (standard) character errors;
# the poor fine faxes and the plain standard ones are about as hard.
CER_TARGETS = {
    "clean": 0.001,
    "fine_dither": 0.015,
    "standard_dither": 0.06,
    "fine_threshold": 0.04,
    "fine_dither_poor": 0.015,
    "fine_threshold_poor": 0.04,
}


class Target(NamedTuple):
    """A figure that is asked for; ``reached`` is None where it could not be measured."""

    name: str
    asked: str
    measured: float | None
    reached: bool | None

    def line(self) -> str:
        said = {True: "reached", False: "NOT reached", None: "not measured"}[self.reached]
        figure = "-" if self.measured is None else f"{self.measured:.4f}"
        return f"  {self.name:<58} {figure:>9}   asked {self.asked:<10} {said}"


def at_most(name: str, limit: float, measured: float | None) -> Target:
    """A figure that must not be larger."""
    return Target(name, f"<= {limit:g}", measured, None if measured is None else measured <= limit)


def at_least(name: str, limit: float, measured: float | None) -> Target:
    """A figure that must not be smaller."""
    return Target(name, f">= {limit:g}", measured, None if measured is None else measured >= limit)


def share(value: float | None) -> str:
    """A share for a table."""
    return "    -" if value is None else f"{value:.3f}"


def _percent(value: float | None) -> str:
    return "     -" if value is None else f"{100 * value:6.2f}"


def _row(name: str, score: Score) -> str:
    even = a.calibration_error(score.judged, equal_mass=True)
    cpu = score.cpu_per_page
    return (
        f"  {name:<32}{_percent(score.letters.value)} {_percent(score.strict.value)} "
        f"{share(score.segments.value)} {share(score.words.value)} {share(score.fields.value)} "
        f"{share(score.fields_in_row.value)} | {share(score.marks.value)} "
        f"{share(score.marks_read.value)} {share(score.states.value)} {share(score.labels.value)}"
        f" | {share(even)} {'-' if cpu is None else format(cpu, '6.2f')}"
    )


_HEAD = (
    f"  {'':<32}{'CER %':>6} {'strict':>6} {'segm':>5} {'words':>5} {'value':>5} {'in row':>5} |"
    f" {'mark R':>5} {'P':>4} {'state':>5} {'label':>5} | {'ECE':>5} {'CPU s':>6}"
)


def generated(scores: Scores, variants: Sequence[str], kinds: Sequence[str], say: Say) -> None:
    """Tables by variant and by kind, both engines."""
    engines = [e for e in (PRODUCT, TESSERACT) if any(key[0] == e for key in scores)]
    say("\nGenerated pages, by how they arrived (CER: infix per segment, blanks apart; strict: all")
    say("that was read at the segment's place, blanks included; value: key fields exact)")
    say(_HEAD)
    for variant in variants:
        for engine in engines:
            say(_row(f"{variant} {engine}", pooled(scores, engine, [variant])))
    say("\nBy kind of page, all faxes together")
    say(_HEAD)
    for kind in kinds:
        for engine in engines:
            say(_row(f"{kind} {engine}", pooled(scores, engine, sorted(FAXES), [kind])))
    say("\nBy kind of page, scans and born-digital together")
    say(_HEAD)
    others = sorted(set(variants) - FAXES)
    for kind in kinds:
        say(_row(f"{kind} {PRODUCT}", pooled(scores, PRODUCT, others, [kind])))
    every = pooled(scores, PRODUCT, list(variants))
    say(f"\nPlaces to sign judged right: {share(every.signed.value)} of {every.signed.of:.0f}")
    styles = every.styles
    say("\nMarks found with the right state, by shape and style")
    for style, own in sorted(styles.items(), key=lambda item: item[1].value or 0):
        say(f"  {style:<24}{share(own.value)}  of {own.of:.0f}")


def generated_targets(scores: Scores) -> list[Target]:
    """What the issue asks of the generated pages."""
    there = {variant for engine, variant, _ in scores if engine == PRODUCT}

    def figure(variants: Sequence[str], pick: Callable[[Score], float | None]) -> float | None:
        wanted = [v for v in variants if v in there]
        return pick(pooled(scores, PRODUCT, wanted)) if wanted else None

    out = [
        at_most(f"CER {variant}", limit, figure([variant], lambda s: s.letters.value))
        for variant, limit in CER_TARGETS.items()
    ]
    for name, pages, limit in (
        ("CPU seconds, clean scan page", ("clean", "scan_200"), 1.2),
        ("CPU seconds, fine fax page", ("fine_dither", "fine_threshold", "fine_dither_poor"), 2.4),
        ("CPU seconds, born-digital page", (BORN_DIGITAL,), 0.1),
    ):
        out.append(at_most(name, limit, figure(pages, lambda s: s.cpu_per_page)))
    every = sorted(there)
    out += [
        at_least("check marks, recall", 0.97, figure(every, lambda s: s.marks.value)),
        at_least("check marks, precision", 0.97, figure(every, lambda s: s.marks_read.value)),
        at_least("check marks, state", 0.99, figure(every, lambda s: s.states.value)),
    ]
    faxes = sorted(FAXES)
    for equal_mass, bins in ((True, "equal mass"), (False, "equal width")):
        measured = figure(faxes, partial(_calibration, equal_mass=equal_mass))
        out.append(at_most(f"word confidence, ECE on faxes, {bins}", 0.03, measured))
    return out


def _calibration(score: Score, *, equal_mass: bool) -> float | None:
    return a.calibration_error(score.judged, equal_mass=equal_mass)


def texts(results: Sequence[Text], say: Say) -> None:
    """Pages with exact text."""
    say("\nReal pages with exact text (infix: each true line; whole: the running text in order)")
    for text in results:
        say(
            f"  {text.page:<28}{text.engine:<10} infix CER {_percent(text.infix.value)} %   "
            f"whole {_percent(text.whole.value)} %"
        )


def forms(scores: dict[tuple[str, str], FormScore], say: Say) -> list[Target]:
    """Open forms: value recall per variant."""
    say("\nOpen forms, printed values found (one line / running text / all parts somewhere)")
    targets = []
    for variant, limit in FORM_TARGETS.items():
        for engine in (PRODUCT, TESSERACT):
            score = scores.get((engine, variant))
            if score is None:
                continue
            cpu = sum(score.cpu) / max(1, len(score.cpu))
            say(
                f"  {variant:<10}{engine:<10} {share(score.line.value)}  "
                f"{share(score.text.value)}  {share(score.parts.value)}  "
                f"of {score.text.of:.0f}; "
                f"by hand {share(score.handwritten.value)} of {score.handwritten.of:.0f}; "
                f"{cpu:.2f} CPU s a page"
            )
        own = scores.get((PRODUCT, variant))
        targets.append(
            at_least(f"open forms, values found, {variant}", limit, own.text.value if own else None)
        )
    for variant in ("original", "fine_g3"):
        own = scores.get((PRODUCT, variant))
        name = f"open forms, ticked boxes found, {variant}"
        targets.append(at_least(name, 1.0, own.places.value if own else None))
        if own is not None:
            say(
                f"  {variant:<10}ticked boxes found {own.places.hits:.0f} of {own.places.of:.0f}, "
                f"answers read from them {own.ticks.hits:.0f} of {own.ticks.of:.0f}; "
                f"ticks that nobody made: {[label[:40] for _, label in own.false_ticks]}"
            )
    return targets


def orientation(turned: Sequence[Turned], say: Say) -> Target:
    """Right turns by variant and by turn."""
    say("\nOrientation, right of all")
    for name, key in (("variant", 0), ("turn", 3)):
        for value in dict.fromkeys(t[key] for t in turned):
            those = [t for t in turned if t[key] == value]
            right = sum(t.turn == t.said for t in those)
            say(f"  {name} {value!s:<20} {right} of {len(those)}")
    for t in turned:
        if t.turn != t.said:
            say(f"  wrong: {t.variant} {t.kind} {t.seed} turned {t.turn}, read as {t.said}")
    whole = a.Share(sum(t.turn == t.said for t in turned), len(turned))
    return at_least("orientation right", 0.99, whole.value)


def costs(two: Throughput | None, soak: Soak | None, say: Say) -> list[Target]:
    """Two workers, and memory."""
    targets = []
    if two is not None:
        say(
            f"\nThroughput: {two.one:.1f} pages a minute with one worker, {two.two:.1f} with two "
            f"({two.cores} cores; load before: {two.load_before:.1f} - worth something only on an "
            "idle machine)"
        )
        targets.append(at_least("two workers over one", 1.8, two.ratio))
    if soak is not None:
        slope = "-" if soak.slope is None else f"{soak.slope:.2f}"
        say(
            f"\nMemory of one worker over {soak.pages} pages: {slope} MB per 100 pages, "
            f"peak {soak.peak:.0f} MB"
        )
        targets += [
            at_most(f"memory slope, MB per 100 of {soak.pages} pages", 1.0, soak.slope),
            at_most("memory peak of a worker, MB", 1229, soak.peak),
        ]
    return targets
