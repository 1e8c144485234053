# SPDX-License-Identifier: Apache-2.0
"""Two models folders on one set of pages with truth: counts per document and field, no values.

    python -m training.compare --champion DIR --challenger DIR --set DIR --json OUT

The set is a folder of ``NAME.json`` (truth) with ``pages/NAME.json`` (pages as read): the locked
share of a data set, or any corpus with its pages. Types and boundaries come from the truth, so that
only the field models differ. What is judged is what :mod:`training.score` judges; fields and types
that it does not know are compared value by value.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from idp.learning import Compared, Counts, FieldPair, set_sha256
from training.evaluate import VARIANTS, Case, cases, layoutlm_wanted, run_pages
from training.score import Json, Scored, judged_fields, score_file

_ONE_TOO_MANY = {"wrong": (1, 1), "missed": (0, 1), "extra": (1, 0), "blank_filled": (1, 0)}


def counts_of(case: Case, output: list[Json]) -> dict[str, Counts]:
    """What one models folder did with one document, by field."""
    scored, _ = score_file(case.truth, output, stem=case.stem, variant=case.variant)
    counts: dict[str, Counts] = defaultdict(Counts)
    for document in scored:
        for value in document.values:
            many, few = _ONE_TOO_MANY.get(value.outcome, (0, 0))
            right = int(value.outcome == "ok")
            counts[value.name] += Counts(right=right, many=many, few=few)
    for name, entry in case.truth["fields"].items():
        if not _is_judged(name, scored):
            counts[name] += _plain_counts(entry.get("value"), name, output)
    return counts


def _is_judged(name: str, scored: list[Scored]) -> bool:
    table = judged_fields()
    canonical = table.canonical(name)
    return name == "claims" or any(table.counts(canonical, d.type) for d in scored)


def _plain_counts(value: object, name: str, output: list[Json]) -> Counts:
    several = value if isinstance(value, list) else [value]
    wanted = Counter(str(v) for v in several if v not in (None, ""))
    found = Counter(
        str(field["value"])
        for document in output
        for field in document["fields"]
        if field["name"] == name and field["value"] is not None
    )
    right = (wanted & found).total()
    return Counts(right=right, many=found.total() - right, few=wanted.total() - right)


def kind_of(todo: list[Case]) -> str:
    """Whether the documents of a set are made up or real; said by each truth."""
    made_up = [bool(case.truth.get("synthetic")) for case in todo]
    return "synthetic" if all(made_up) else "mixed" if any(made_up) else "real"


def compare(
    folder: Path,
    champion: Path,
    challenger: Path,
    own_schemas: Path | None,
    *,
    layoutlm: bool = True,
) -> dict[str, Any]:
    """The comparison as JSON values; without ``layoutlm`` the CRF speaks alone.

    Raises:
        ValueError: The set holds no document whose pages are there.
    """
    pages = folder / "pages"
    todo = [
        case for case in cases(folder, VARIANTS) if (pages / f"{case.path.stem}.json").is_file()
    ]
    if not todo:
        raise ValueError(f"no NAME.json with pages/NAME.json in {folder}")
    spent: tuple[list[float], list[float]] = ([], [])
    results = [
        run_pages(
            todo,
            pages,
            models,
            lambda line: None,
            true_type=True,
            layoutlm=layoutlm,
            own_schemas=own_schemas,
            spent=seconds,
        )
        for models, seconds in zip((champion, challenger), spent, strict=True)
    ]
    documents = []
    for case, one, two in zip(todo, *results, strict=True):
        first, second = counts_of(case, one), counts_of(case, two)
        documents.append(
            Compared(
                name=case.path.stem,
                layout=str(case.truth.get("layout") or case.stem),
                type=str(case.truth["doc_type"]),
                fields={
                    name: FieldPair(
                        champion=first.get(name, Counts()), challenger=second.get(name, Counts())
                    )
                    for name in sorted(first.keys() | second.keys())
                },
            )
        )
    return {
        "kind": kind_of(todo),
        "set_sha256": set_sha256(folder),
        "documents_per_cpu_second": [
            round(len(seconds) / max(1e-9, sum(seconds)), 2) for seconds in spent
        ],
        "documents": [document.model_dump(mode="json") for document in documents],
    }


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--champion", type=Path, required=True)
    parser.add_argument("--challenger", type=Path, required=True)
    parser.add_argument("--set", type=Path, required=True)
    parser.add_argument("--schemas", type=Path, help="folder of own document types")
    parser.add_argument(
        "--layoutlm",
        action=argparse.BooleanOptionalAction,
        help="whether LayoutLM speaks beside the CRF; else as extract.layoutlm says",
    )
    parser.add_argument("--json", type=Path, required=True)
    options = parser.parse_args()
    try:
        found = compare(
            options.set,
            options.champion,
            options.challenger,
            options.schemas,
            layoutlm=layoutlm_wanted(options.layoutlm),
        )
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    options.json.write_text(json.dumps(found), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
