# SPDX-License-Identifier: Apache-2.0
"""Measures the rules on seeded faults and on sound documents; see :mod:`training.faults`.

python -m training.faults --documents 200 --sound 1000
python -m training.faults --rules N1,N3 --misses

Exit status 1 where a rule finds less than its share of the faults or cries wolf too often.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from idp.settings import Settings
from training.faults.arrival_seeds import enclosing
from training.faults.book import manners
from training.faults.cases import KINDS, PAPERS, Case, make
from training.faults.doubles import Doubles
from training.faults.fax import FineFax
from training.faults.measure import (
    LEAST_RECALL,
    MOST_FALSE_ALARMS,
    Tally,
    alarms,
    measure,
)
from training.faults.packs import Why, measure_packs, packs
from training.faults.ways import MODELS, Fields, way_of
from training.faults.whole_seeds import authorized, signed
from training.faults.world import build

_SEED_OF_SOUND = 7
_WIDTH = 78
_LOOKED_UP = frozenset({"N2", "N4"})
"""Rules for which the people of the documents with faults have to be known, too."""
_CASES_A_FAULT = 4
"""Sound documents that are tried for one fault of these, with room."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rules", default="", help="rule numbers, comma-separated; all by default")
    parser.add_argument("--documents", type=int, default=200, help="faults of each rule; faxes")
    parser.add_argument("--sound", type=int, default=1000, help="documents without a fault")
    parser.add_argument("--way", choices=("fields", "words", "fine_fax"), default="fields")
    parser.add_argument("--models", type=Path, default=MODELS, help="folder of weights")
    parser.add_argument(
        "--kept", type=Path, default=Path("build/faults"), help="fine_fax: pages read before"
    )
    parser.add_argument("--misses", action="store_true", help="print every fault not found")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args(arguments)
    book = manners()
    wanted = list(filter(None, options.rules.split(","))) or list(book)
    if unknown := set(wanted) - set(book):
        parser.error(f"no faults are known for: {', '.join(sorted(unknown))}")
    started = time.monotonic()
    whose: dict[tuple[str, Why], int] = {}
    if options.way == "fine_fax":
        fax = FineFax(options.models, options.kept)
        tallies, whose = run_packs(wanted, options.documents, options.sound, fax, _progress)
    else:
        tallies = run(
            wanted,
            options.documents,
            options.sound,
            lambda settings: way_of(options.way, settings, options.models),
            _progress,
        )
    sys.stderr.write(f"\r{' ' * _WIDTH}\r")
    if options.json:
        sys.stdout.write(json.dumps([_plain(tally) for tally in tallies], indent=1) + "\n")
    else:
        show(tallies, sys.stdout.write, misses=options.misses)
        for (rule, why), count in sorted(whose.items()):
            sys.stdout.write(f"missed by {why}: {rule} {count}\n")
        sys.stdout.write(f"{time.monotonic() - started:.0f} s, way {options.way}\n")
    return 0 if all(tally.holds for tally in tallies) else 1


def run(
    rules: Sequence[str],
    documents: int,
    sound: int,
    way: Callable[[Settings], Fields],
    progress: Callable[[str, int], None] = lambda what, number: None,
) -> list[Tally]:
    """The figures of each rule.

    Args:
        rules: Their numbers.
        documents: How many faults to seed for each.
        sound: How many documents without a fault to judge.
        way: What reads and judges a case, for an installation.
        progress: Told what is measured and the number of the document.
    """
    counter = _Counter(progress)
    book = manners()
    cases = [sound_case(number) for number in range(sound)]
    known = cases
    if looked_up := [one for rule in rules if rule in _LOOKED_UP for one in book[rule]]:
        kinds = sorted({kind for one in looked_up for kind in one.kinds})
        last = _CASES_A_FAULT * documents
        known = [*cases, *(make(kind, n) for n in range(1, last) for kind in kinds)]
    with tempfile.TemporaryDirectory() as folder:
        judged = way(build(Path(folder), known))
        with Doubles() as store:
            quiet = alarms(cases, judged.arriving(store), counter.of("sound"))
        return [
            measure(rule, book[rule], judged, documents, quiet, step=counter.of(rule))
            for rule in rules
        ]


def sound_case(number: int) -> Case:
    """A document without a fault; the same number gives the same."""
    case = make(KINDS[number % len(KINDS)], number, _SEED_OF_SOUND)
    return enclosing(signed(authorized(case)))


def run_packs(
    rules: Sequence[str],
    documents: int,
    sound: int,
    fax: FineFax,
    progress: Callable[[str, int], None] = lambda what, number: None,
) -> tuple[list[Tally], dict[tuple[str, Why], int]]:
    """The figures of each rule on faxes that carry several faults each.

    Args:
        rules: Their numbers.
        documents: How many faxes with faults.
        sound: How many faxes without.
        fax: What draws, sends, reads and judges them.
        progress: Told what is measured and the number of the fax.
    """
    counter = _Counter(progress)
    cases = (make(PAPERS[n % len(PAPERS)], n, _SEED_OF_SOUND) for n in range(sound))
    made = list(packs(documents, rules))
    quiet = alarms(cases, fax, counter.of("sound"))
    return measure_packs(made, fax, quiet, fax.pages, step=counter.of("faxes"))


class _Counter:
    """Counts the documents of each rule for the one who waits."""

    def __init__(self, progress: Callable[[str, int], None]) -> None:
        self._progress, self._number = progress, 0

    def of(self, what: str) -> Callable[[], None]:
        self._number = 0

        def step() -> None:
            self._number += 1
            self._progress(what, self._number)

        return step


def _progress(what: str, number: int) -> None:
    if number % 10 == 0:
        sys.stderr.write(f"\r{what}: {number} documents ")
        sys.stderr.flush()


def show(tallies: Sequence[Tally], write: Callable[[str], object], *, misses: bool) -> None:
    """Prints the table, what was missed, what was said wrongly, and how good the findings are."""
    write("rule         faults  found  recall   sound  alarms    rate  info  commonest miss\n")
    for tally in tallies:
        miss = f"{tally.missed[0].manner}: {tally.missed[0].said}" if tally.missed else ""
        flag = " " if tally.holds else "*"
        write(
            f"{tally.rule:11s}{flag} {tally.documents:6d} {tally.found:6d}  {tally.recall:.4f}"
            f"  {tally.sound:6d}  {tally.alarms:6d}  {tally.rate:.4f} {tally.infos:5d}"
            f"  {miss[:60]}\n"
        )
    write(f"* recall below {LEAST_RECALL} or false alarms above {MOST_FALSE_ALARMS}\n")
    for tally in tallies:
        for name, documents, found in tally.by_manner:
            if misses or found < documents:
                write(f"  {tally.rule} {name}: {found} of {documents}\n")
        for cry in tally.cries:
            write(f"  {tally.rule} false alarm: {cry}\n")
        for missed in tally.missed if misses else ():
            write(f"    {missed.case} {missed.manner}: {missed.said}\n")
    whole = [tally.quality for tally in tallies]
    findings = sum(q.findings for q in whole)
    to_place = sum(q.to_place for q in whole)
    to_grade = sum(q.to_grade for q in whole)
    if findings:
        write(
            f"findings {findings}: right field {sum(q.named for q in whole) / findings:.4f}, "
            f"remedy {sum(q.remedied for q in whole) / findings:.4f}, "
            f"place {sum(q.placed for q in whole) / max(1, to_place):.4f} of {to_place}, "
            f"severity {sum(q.graded for q in whole) / max(1, to_grade):.4f} of {to_grade}\n"
        )
    offenders = sorted({text for tally in tallies for text in tally.unnamed})
    for text in offenders[:40]:
        write(f"  {text}\n")


def _plain(tally: Tally) -> dict[str, object]:
    return {
        "rule": tally.rule,
        "documents": tally.documents,
        "found": tally.found,
        "recall": round(tally.recall, 4),
        "sound": tally.sound,
        "alarms": tally.alarms,
        "rate": round(tally.rate, 4),
        "missed": [missed._asdict() for missed in tally.missed],
        "said_of_sound": list(tally.cries),
        "quality": tally.quality._asdict(),
    }


if __name__ == "__main__":
    raise SystemExit(main())
