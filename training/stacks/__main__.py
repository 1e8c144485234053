# SPDX-License-Identifier: Apache-2.0
"""How well stacks of several documents are cut, and the fitting of the evidence's weights.

python -m training.stacks --stacks 300
python -m training.stacks --stacks 300 --labelled DIR/labelled
python -m training.stacks --cuts CORRECTED/locked
python -m training.stacks --fit idp/classify/boundaries.yaml --stacks 300 --labelled DIR/labelled

Without ``--labelled`` the pages have invented reading errors (seconds a stack); with it they are
pages that were drawn, faxed and read (``python -m training.synthesise --paper``). What is measured
are families that the weights have not seen; ``--fit`` uses those for training. ``--cuts`` takes
packets that people cut by hand: alone to measure, beside the generated ones to fit.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from idp.schemas import load_schemas
from training.stacks.fit import examples, fit, seen_documents, write_weights
from training.stacks.given import given_stacks
from training.stacks.make import Invented, Read, Source, make_stacks
from training.stacks.measure import count, report
from training.stacks.release import Release
from training.synthesise.values import Split

_ALONE = 0.25
"""Share of stacks that are one document only, for fitting: most faxes are."""


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stacks", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--split", choices=("train", "heldout"), default="heldout")
    parser.add_argument("--labelled", type=Path, help="pages as read, of the same split")
    parser.add_argument(
        "--cuts", type=Path, metavar="SHARE", help="share of a data set, with packets cut by hand"
    )
    parser.add_argument("--fit", type=Path, metavar="OUT.yaml", help="find weights and write them")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    split: Split = "train" if options.fit else options.split
    source: Source = Read(options.labelled, split) if options.labelled else Invented(split)
    schemas = load_schemas()
    if options.fit:
        stacks = list(make_stacks(Invented(split), options.stacks, options.seed, _ALONE))
        if options.labelled:
            stacks += make_stacks(source, options.stacks // 2, options.seed + 1, _ALONE)
        if options.cuts:
            if options.cuts.resolve().name == "locked":
                parser.error("a locked share: nothing trains on it")
            stacks += given_stacks(options.cuts)
        write_weights(options.fit, fit(examples(seen_documents(stacks, schemas))))
        sys.stdout.write(f"weights of {len(stacks)} stacks in {options.fit}\n")
        return 0
    drawn = make_stacks(source, options.stacks, options.seed)
    judged = given_stacks(options.cuts) if options.cuts else drawn
    tally = count(judged, schemas, Release())
    if options.json:
        counts = tally.counts
        figures = {
            "stacks": tally.stacks,
            "pages": tally.pages,
            "documents": tally.documents,
            "precision": round(counts.precision, 4),
            "recall": round(counts.recall, 4),
            "f1": round(counts.f1, 4),
            "doubtful": tally.doubtful,
            "two_patients": tally.mixed,
            "two_patients_unheld": tally.mixed_unheld,
            "two_patients_released": tally.mixed_released,
            "neighbours_held": [tally.merged_held, tally.merged],
            "neighbours_released": tally.merged_released,
            "false_alarms": [tally.false_alarms, tally.whole],
        }
        sys.stdout.write(json.dumps(figures) + "\n")
    else:
        sys.stdout.write(report(tally) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
