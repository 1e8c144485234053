# SPDX-License-Identifier: Apache-2.0
"""``python -m tests.faults.fuzz --border tiff|pdf|...|all --inputs 20000 --seed 1``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.faults.fuzz import borders, fuzz


def main() -> int:
    """Prints a table by border; exit status 1 when anything was not handled."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.fuzz", description=__doc__)
    parser.add_argument("--border", choices=(*borders(), "all"), default="all")
    parser.add_argument("--inputs", type=int, default=20_000, help="of each border")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder for inputs that went wrong")
    asked = parser.parse_args()
    wrong = 0
    for border in borders() if asked.border == "all" else (asked.border,):
        tally = fuzz(border, asked.inputs, asked.seed, asked.keep)
        sys.stdout.write(
            f"{border}: {tally.inputs} inputs in {tally.seconds:.0f} s, "
            f"{len(tally.unhandled)} unhandled, {len(tally.crashes)} children lost\n"
        )
        for outcome, count in tally.outcomes.most_common():
            sys.stdout.write(f"  {count:6d} {outcome}\n")
        for number, what in (*tally.unhandled, *tally.crashes):
            sys.stdout.write(f"  --seed {asked.seed} input {number}: {what}\n")
        sys.stdout.flush()
        wrong += len(tally.unhandled)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
