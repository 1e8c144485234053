# SPDX-License-Identifier: Apache-2.0
"""The reading benchmark: the product beside Tesseract, against what is asked of it.

    python -m tests.bench.reading [--quick] [--seeds N] [--only PART ...] [--soak N] [--json]

Parts: generated, orientation, texts, forms, workers, soak. Exit status 0 unless a part crashed:
a target that is not reached is a figure, not a fault.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from idp.settings import load_settings
from tests.bench.reading import arithmetic, generated, machine, real, report
from tests.bench.reading.engines import PRODUCT, Product, Tesseract
from tests.bench.reading.report import Target

PARTS = ("generated", "orientation", "texts", "forms", "workers", "soak")
_WORST = 12


class Bench:
    """Runs the parts one after the other; what crashes or can't run is named at the end."""

    def __init__(self, asked: argparse.Namespace) -> None:
        self.asked = asked
        self.settings = load_settings()
        self.targets: list[Target] = []
        self.figures: dict[str, Any] = {}
        self.not_run: list[str] = []
        self.crashed: list[str] = []
        self.failed: list[list[str]] = []
        self.started = time.monotonic()
        self.quiet = bool(asked.json)
        self.peer: Tesseract | None = None
        if asked.alone:
            self.not_run.append("tesseract: left out by --alone")
            return
        try:
            self.peer = Tesseract()
        except FileNotFoundError as error:
            self.not_run.append(f"tesseract: {error}")

    def say(self, text: str) -> None:
        """A line of the report."""
        if not self.quiet:
            sys.stdout.write(text + "\n")
            sys.stdout.flush()

    def progress(self, text: str) -> None:
        """A line that tells how far it is."""
        sys.stderr.write(f"[{time.monotonic() - self.started:6.0f} s] {text}\n")
        sys.stderr.flush()

    def product(self) -> Product:
        """The reader of one part; what it could not read is named at the end."""
        product = Product(self.settings)
        self.failed.append(product.failed)
        return product

    def part(self, name: str, run: Callable[[], None]) -> None:
        """Runs one part if it is asked for."""
        if self.asked.only and name not in self.asked.only:
            return
        try:
            run()
        except Exception:  # the other parts' figures are worth having
            traceback.print_exc()
            self.crashed.append(name)

    def part_generated(self) -> None:
        variants = generated.QUICK_VARIANTS if self.asked.quick else generated.FULL_VARIANTS
        kinds = generated.QUICK_KINDS if self.asked.quick else generated.FULL_KINDS
        if self.asked.variants:
            variants = tuple(self.asked.variants)
        if self.asked.kinds:
            kinds = tuple(self.asked.kinds)
        todo = list(generated.samples(variants, kinds, range(self.asked.seeds)))[: self.asked.pages]
        with self.product() as product:
            self.figures["versions"] = product.versions
            scores = generated.run(product, self.peer, todo, self.progress)
        report.generated(scores, variants, kinds, self.say)
        self.targets += report.generated_targets(scores)
        self._worst(scores)
        self.figures["generated"] = {
            " ".join(key): _figures_of(score) for key, score in scores.items()
        }

    def _worst(self, scores: generated.Scores) -> None:
        whole = generated.pooled(scores, PRODUCT, list({key[1] for key in scores}))
        misses = sorted(whole.misses, key=lambda miss: -miss.edits)
        self.say("\nRead worst")
        for miss in misses[: self.asked.worst]:
            self.say(
                f"  {miss.variant} {miss.kind} {miss.seed}, {miss.what}: {miss.true!r} "
                f"read as {miss.read!r} ({miss.edits})"
            )
        self.figures["misses"] = [miss._asdict() for miss in misses]

    def part_orientation(self) -> None:
        kinds = generated.QUICK_KINDS if self.asked.quick else generated.FULL_KINDS
        variants = generated.TURNED_VARIANTS[:2] if self.asked.quick else generated.TURNED_VARIANTS
        if self.asked.variants:
            variants = tuple(self.asked.variants)
        if self.asked.kinds:
            kinds = tuple(self.asked.kinds)
        seeds = range(1 if self.asked.quick else self.asked.seeds)
        with self.product() as product:
            turned = generated.orientations(product, variants, kinds, seeds, self.progress)
        self.targets.append(report.orientation(turned, self.say))
        self.figures["orientation"] = [t._asdict() for t in turned]

    def _corpus(self, part: str) -> Path | None:
        named = os.environ.get("IDP_CORPUS")
        if named and Path(named).is_dir():
            return Path(named)
        self.not_run.append(f"{part}: IDP_CORPUS does not name a folder of real forms")
        return None

    def part_texts(self) -> None:
        corpus = self._corpus("pages with exact text")
        if corpus is None:
            return
        if not real.exact_texts(corpus):
            self.not_run.append("pages with exact text: no ../samples/ocr_gt beside IDP_CORPUS")
            return
        with self.product() as product:
            results = real.read_texts(corpus, product, self.peer, self.progress)
        report.texts(results, self.say)
        self.figures["texts"] = [
            {
                "page": r.page,
                "engine": r.engine,
                "infix": r.infix.value,
                "whole": r.whole.value,
                "misses": r.misses,
            }
            for r in results
        ]

    def part_forms(self) -> None:
        corpus = self._corpus("open forms")
        if corpus is None:
            return
        with self.product() as product:
            scores = real.read_forms(
                corpus, product, self.peer, self.progress, only=6 if self.asked.quick else None
            )
        self.targets += report.forms(scores, self.say)
        for (engine, variant), score in scores.items():
            if engine != PRODUCT:
                continue
            for lost in score.lost:
                self.say(f"  lost {variant} {lost[0]} {lost[1]}: {lost[2][:70]!r} ({lost[3]})")
            for wrong in score.ticks_wrong:
                self.say(
                    f"  tick {variant} {wrong[0]} {wrong[1]}: {wrong[2]!r}; checked: {wrong[3]}"
                )
        self.figures["forms"] = {
            " ".join(key): {
                "line": score.line.value,
                "text": score.text.value,
                "parts": score.parts.value,
                "values": score.text.of,
                "handwritten": score.handwritten.value,
                "cpu_seconds": sum(score.cpu) / max(1, len(score.cpu)),
                "ticks": score.ticks.value,
                "lost": score.lost,
            }
            for key, score in scores.items()
        }

    def part_workers(self) -> None:
        two = machine.throughput(self.settings, self.progress, pages=2 if self.asked.quick else 6)
        self.targets += report.costs(two, None, self.say)
        self.figures["throughput"] = two._asdict()

    def part_soak(self) -> None:
        if not self.asked.soak:
            self.not_run.append("soak: ask for it with --soak N (500 pages take half an hour)")
            return
        soaked = machine.soak(self.settings, self.asked.soak, self.progress)
        self.targets += report.costs(None, soaked, self.say)
        self.figures["soak"] = soaked._asdict()

    def run(self) -> int:
        """All parts; 1 when one of them crashed."""
        facts = machine.facts()
        for name, fact in facts.items():
            self.say(f"{name:<12} {fact}")
        before = machine.reference_ms()
        self.say(f"{'tesseract':<12} {self.peer.version if self.peer else 'NOT RUN'}")
        for name in PARTS:
            self.part(name, getattr(self, f"part_{name}"))
        after = machine.reference_ms()
        facts["reference"] = f"{before:.0f} CPU ms before, {after:.0f} after"
        self.say(
            f"\nA fixed piece of work took {before:.0f} CPU ms at the start, {after:.0f} at the "
            f"end (load {os.getloadavg()[0]:.1f}): on busy cores all CPU seconds are longer"
        )
        self.say("What is asked of reading")
        for target in self.targets:
            self.say(target.line())
        for line in self.not_run:
            self.say(f"NOT RUN  {line}")
        for page in (page for pages in self.failed for page in pages):
            self.say(f"a page could not be read and counts as empty: {page}")
        for part in self.crashed:
            self.say(f"CRASHED  {part}")
        if self.asked.json:
            sys.stdout.write(
                json.dumps(
                    {
                        "machine": facts,
                        "targets": [t._asdict() for t in self.targets],
                        "not_run": self.not_run,
                        "crashed": self.crashed,
                        **self.figures,
                    }
                )
                + "\n"
            )
        return int(bool(self.crashed))


def _figures_of(score: generated.Score) -> dict[str, Any]:
    shares = {
        name: getattr(score, name).value
        for name in (
            "letters", "strict", "segments", "words", "fields", "fields_in_row",
            "marks", "marks_read", "states", "labels", "signed",
        )
    }  # fmt: skip
    return {
        **shares,
        "ece_equal_mass": arithmetic.calibration_error(score.judged, equal_mass=True),
        "ece_equal_width": arithmetic.calibration_error(score.judged, equal_mass=False),
        "cpu_seconds": score.cpu_per_page,
        "pages": len(score.cpu),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.reading", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of tables")
    parser.add_argument("--quick", action="store_true", help="a few minutes instead of an hour")
    parser.add_argument("--seeds", type=int, help="pages per kind and variant")
    parser.add_argument("--only", nargs="+", choices=PARTS, metavar="PART", help=" ".join(PARTS))
    parser.add_argument("--soak", type=int, default=0, metavar="N", help="pages in one worker")
    parser.add_argument("--alone", action="store_true", help="without Tesseract beside it")
    parser.add_argument("--variants", nargs="+", metavar="NAME", help="only these ways to arrive")
    parser.add_argument("--kinds", nargs="+", metavar="NAME", help="only these kinds of pages")
    parser.add_argument("--pages", type=int, metavar="N", help="at most N generated pages")
    parser.add_argument("--worst", type=int, default=_WORST, metavar="N", help="misreadings shown")
    asked = parser.parse_args(arguments)
    if asked.seeds is None:
        asked.seeds = 1 if asked.quick else 3
    if asked.only and "soak" in asked.only and not asked.soak:
        asked.soak = 500
    os.environ["OMP_NUM_THREADS"] = "1"
    return Bench(asked).run()


if __name__ == "__main__":
    sys.exit(main())
