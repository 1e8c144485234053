# SPDX-License-Identifier: Apache-2.0
"""The project's scorer: runs the product on a corpus with ground truth and prints the figures.

A corpus is a folder with one ``NAME.json`` beside each document: ``doc_type`` (or ``page_types``),
``fields {name: {value, page}}``, ``file``, ``variants``. Two ways to run:

    python -m training.evaluate --corpus DIR                 the product as installed, all of it
    python -m training.evaluate --corpus DIR --pages PAGES   classification and extraction only,
                                                             on pages read before (NAME.json)
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from idp.document import DocumentType, Page
from idp.schemas import load_lexicon, load_schemas
from idp.settings import load_settings
from training.score import Figures, Json, Scored, figures, score_file

VARIANTS = ("original", "fine_g3", "std_g3", "noisy_g4")
_THRESHOLDS = (0.0, 0.5, 0.8, 0.9, 0.95, 0.99)
_PAGES = TypeAdapter(list[Page])


class Case(NamedTuple):
    """One file to run, with its truth."""

    stem: str
    variant: str
    path: Path
    truth: Json


def cases(
    corpus: Path, variants: Sequence[str], only: frozenset[str] = frozenset()
) -> Iterator[Case]:
    """The files of a corpus in the wanted variants; ``only`` names stems or their beginnings."""
    for path in sorted(corpus.glob("*.json")):
        truth: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if "fields" not in truth or "doc_type" not in truth:
            continue
        stem = path.stem
        if only and stem not in only and stem.split("_")[0] not in only:
            continue
        if not truth.get("pages"):
            known = [entry.get("page") or 1 for entry in truth["fields"].values()]
            truth["pages"] = len(truth.get("page_types") or []) or max(known, default=1)
        files = {"original": truth.get("file", f"{stem}.pdf")}
        for name in truth.get("variants") or []:
            files[Path(name).stem.rsplit("__", 1)[-1]] = name
        for variant in variants:
            if variant in files:
                yield Case(stem, variant, corpus / files[variant], truth)


def run_product(
    todo: Sequence[Case], timeout_s: float, say: Callable[[str], None]
) -> list[list[Json]]:
    """Runs ``idp process --json`` once over all files, under names that give nothing away."""
    with tempfile.TemporaryDirectory(prefix="evaluate-") as folder:
        copies = [
            Path(shutil.copyfile(c.path, Path(folder) / f"d{i:04d}{c.path.suffix}"))
            for i, c in enumerate(todo)
        ]
        started = time.monotonic()
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [str(Path(sys.executable).with_name("idp")), "process", "--json"]
        done = subprocess.run(  # noqa: S603 - our own program, no shell
            [*command, *map(str, copies)],
            capture_output=True,
            text=True,
            timeout=timeout_s * max(1, len(todo)),
            check=False,
        )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    found: dict[str, list[Json]] = defaultdict(list)
    for line in done.stdout.splitlines():
        if line.lstrip().startswith("{"):
            document = json.loads(line)
            found[Path(document["source"]).name].append(document)
    results = [found[copy.name] for copy in copies]
    pages = sum(int(c.truth["pages"]) for c in todo) or 1
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    say(
        f"COST {pages} pages, {(time.monotonic() - started) / pages:.2f} s/page, "
        f"{cpu / pages:.2f} CPU s/page; exit {done.returncode}; "
        f"{sum(not r for r in results)} of {len(todo)} files gave no document"
    )
    if done.returncode:
        say(done.stderr[-600:])
    return results


def run_pages(
    todo: Sequence[Case],
    folder: Path,
    models: Path,
    say: Callable[[str], None],
    *,
    true_type: bool,
    forms: Path | None = None,
    layoutlm: bool = True,
    own_schemas: Path | None = None,
    spent: list[float] | None = None,
) -> list[list[Json]]:
    """Classifies and extracts pages that were read before; no OCR, no validation.

    ``true_type`` takes boundaries and types from the truth, to judge extraction alone; without
    ``layoutlm`` the CRF is the only tagger. ``forms`` is a library of registered forms that pages
    are compared with. ``spent`` gets the CPU seconds of each file's extraction.
    """
    from idp.classify import split  # noqa: PLC0415 - the scorer itself works without the rooms
    from idp.extract import Extractor  # noqa: PLC0415
    from idp.forms import FormLibrary  # noqa: PLC0415
    from idp.read import without_fax_headers  # noqa: PLC0415

    schemas = load_schemas(own_schemas)
    extractor = Extractor(models, schemas, load_lexicon(), layoutlm=layoutlm)
    library = FormLibrary(forms, schemas) if forms else None
    results: list[list[Json]] = []
    started = time.process_time()
    count = 0
    for case in todo:
        path = folder / f"{case.path.stem}.json"
        if not path.exists():
            say(f"no pages for {case.path.stem}: not judged")
            results.append([])
            continue
        pages = list(without_fax_headers(_PAGES.validate_json(path.read_bytes()), ()))
        if library is not None:
            pages = list(library.recognised(pages))
        count += len(pages)
        if true_type:
            segments = [
                (DocumentType(t), 1.0, [p]) for t, p in zip(_page_types(case), pages, strict=False)
            ]
            merged: list[tuple[DocumentType, float, list[Page]]] = []
            for kind, sure, own in segments:
                if merged and merged[-1][0] == kind:
                    merged[-1][2].extend(own)
                else:
                    merged.append((kind, sure, own))
        else:
            by_number = {p.number: p for p in pages}
            merged = [
                (s.type, s.type_confidence, [by_number[getattr(p, "number", p)] for p in s.pages])
                for s in split(pages, schemas)
            ]
        documents: list[Json] = []
        began = time.process_time()
        for kind, sure, own in merged:
            extraction = extractor.extract(own, kind)
            documents.append(
                {
                    "type": kind,
                    "type_confidence": sure,
                    "pages": [p.number for p in own],
                    "fields": [f.model_dump(mode="json") for f in extraction.fields],
                    "claims": [c.model_dump(mode="json") for c in extraction.claims],
                }
            )
        if spent is not None:
            spent.append(time.process_time() - began)
        results.append(documents)
    say(f"COST {(time.process_time() - started) / max(1, count):.3f} CPU s/page over {count} pages")
    return results


def layoutlm_wanted(told: bool | None) -> bool:  # noqa: FBT001 - of a command line
    """Whether the LayoutLM tagger speaks: as told, else as the settings in force say."""
    return load_settings().extract.layoutlm if told is None else told


def _page_types(case: Case) -> list[str]:
    types: list[str] = case.truth.get("page_types") or [case.truth["doc_type"]] * 99
    return types


def _row(name: str, result: Figures) -> str:
    return (
        f"{name:44s} {result.precision:6.3f} {result.recall:6.3f} {result.f1:6.3f}   "
        f"{result.right:5d} {result.wrong:5d} {result.missed:6d} {result.extra:5d} "
        f"{result.blank_filled:5d}"
    )


def _report_types(documents: list[Scored], say: Callable[[str], None]) -> None:
    for variant in _seen(documents):
        for name, group in (("printed", False), ("handwritten", True)):
            chosen = [d for d in documents if d.variant == variant and d.handwritten == group]
            if chosen:
                right = sum(d.type == d.found_type for d in chosen)
                say(f"TYPE {variant:9s} {name:12s} {right}/{len(chosen)}")
    wrong = Counter((d.type, d.found_type) for d in documents if d.type != d.found_type)
    confused = ", ".join(f"{a}->{b} x{n}" for (a, b), n in wrong.most_common(8))
    say(f"confusions: {confused or 'none'}")


def _seen(documents: Sequence[Scored]) -> list[str]:
    """The variants that were judged: those of the open forms in their order, then all others."""
    there = dict.fromkeys(d.variant for d in documents)
    return [v for v in VARIANTS if v in there] + [v for v in there if v not in VARIANTS]


def _report_fields(documents: list[Scored], say: Callable[[str], None]) -> dict[str, Figures]:
    result: dict[str, Figures] = {}
    say(
        f"\n{'CORE FIELDS':44s} {'P':>6s} {'R':>6s} {'F1':>6s}   "
        f"{'right':>5s} {'wrong':>5s} {'missed':>6s} {'extra':>5s} {'blank':>5s}"
    )
    for variant in _seen(documents):
        printed = [d for d in documents if d.variant == variant and not d.handwritten]
        groups = {"all printed": printed}
        for kind in dict.fromkeys(d.type for d in documents):
            groups[f"printed {kind}"] = [d for d in printed if d.type == kind]
        groups["handwritten"] = [d for d in documents if d.variant == variant and d.handwritten]
        for name, group in groups.items():
            if any(d.values for d in group):
                result[f"{variant}/{name}"] = figures(group)
                say(_row(f"{variant:9s} {name}", figures(group)))
    return result


def _report_worst(documents: list[Scored], say: Callable[[str], None]) -> None:
    by_name: dict[str, Counter[str]] = defaultdict(Counter)
    for document in documents:
        for value in document.values:
            by_name[value.name][value.outcome] += 1

    def badness(name: str) -> int:
        count = by_name[name]
        return 2 * count["wrong"] + count["missed"] + count["extra"] + count["blank_filled"]

    say("\nWORST FIELDS (right/truth, wrong, extra)")
    parts = []
    for name in sorted(by_name, key=badness, reverse=True)[:24]:
        count = by_name[name]
        truth = count["ok"] + count["wrong"] + count["missed"]
        extra = count["extra"] + count["blank_filled"]
        parts.append(f"{name} {count['ok']}/{truth},{count['wrong']},{extra}")
    say("  ".join(parts))


def _report_rest(documents: list[Scored], say: Callable[[str], None]) -> None:
    for variant in _seen(documents):
        group = [d for d in documents if d.variant == variant]
        printed = [d for d in group if not d.handwritten]
        cells = [d.cells for d in printed]
        rows = sum(c.rows for c in cells)
        if rows:
            right, wrong = sum(c.right for c in cells), sum(c.wrong for c in cells)
            missed = sum(c.missed for c in cells)
            say(
                f"CLAIMS {variant:9s} rows {sum(c.rows_found for c in cells)}/{rows} "
                f"extra {sum(c.rows_extra for c in cells)}; cells P "
                f"{right / max(1, right + wrong):.3f} R {right / max(1, right + missed):.3f}"
            )
        values = [v for d in printed for v in d.values]
        truth = sum(v.truth is not None for v in values)
        parts = []
        for threshold in _THRESHOLDS:
            sure = [
                v.outcome == "ok"
                for v in values
                if v.found is not None and (v.confidence or 0) >= threshold
            ]
            parts.append(
                f"{threshold}: {sum(sure) / max(1, len(sure)):.3f} ({len(sure)}), "
                f"{sum(sure) / max(1, truth):.2f}"
            )
        say(f"RISK {variant:9s} precision (n), recovered at confidence: " + "  ".join(parts))
        automatic = [d for d in group if d.decision == "auto"]
        bad = sum(
            d.type != d.found_type
            or any(v.outcome in ("wrong", "extra", "blank_filled") for v in d.values)
            for d in automatic
        )
        released = figures(automatic)
        false = released.wrong + released.extra + released.blank_filled
        say(
            f"AUTO {variant:9s} {len(automatic)}/{len(group)} documents; wrong values "
            f"{false}/{released.right + false}; documents with any error {bad}"
        )
        missing = [d.missing for d in group]
        wanted, hit = sum(m.wanted for m in missing), sum(m.reported for m in missing)
        good, false = sum(m.right for m in missing), sum(m.false for m in missing)
        say(
            f"MISSING {variant:9s} recall {hit}/{wanted}; precision {good}/{good + false} "
            "(false: reported missing but printed)"
        )


def report(documents: list[Scored], surplus: int, say: Callable[[str], None]) -> dict[str, Figures]:
    """Prints everything; returns the field figures by ``variant/group``."""
    _report_types(documents, say)
    say(f"surplus documents: {surplus}")
    result = _report_fields(documents, say)
    _report_worst([d for d in documents if not d.handwritten], say)
    _report_rest(documents, say)
    say(f"values without truth (not judged): {sum(d.unjudged for d in documents)}")
    return result


def _print_errors(documents: list[Scored], say: Callable[[str], None]) -> None:
    for document in documents:
        for value in document.values:
            if value.outcome != "ok":
                sure = f" ({value.confidence:.2f})" if value.confidence is not None else ""
                say(
                    f"{document.stem} {document.variant} {value.outcome:12s} {value.name}: "
                    f"truth {value.truth!r} found {value.found!r}{sure}"
                )


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; exit status 0 when everything was judged."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--variants", default=",".join(VARIANTS))
    parser.add_argument("--only", default="", help="stems, comma-separated")
    parser.add_argument("--pages", type=Path, help="folder of pages read before")
    parser.add_argument("--models", type=Path, default=Path(__file__).parents[1] / "models")
    parser.add_argument("--forms", type=Path, help="with --pages: library of registered forms")
    parser.add_argument("--schemas", type=Path, help="with --pages: folder of further types")
    parser.add_argument("--true-type", action="store_true", help="with --pages: types from truth")
    parser.add_argument(
        "--layoutlm",
        action=argparse.BooleanOptionalAction,
        help="with --pages: whether LayoutLM speaks too; else as extract.layoutlm says",
    )
    parser.add_argument("--errors", action="store_true", help="print each value that is not right")
    parser.add_argument("--timeout", type=float, default=300, help="seconds per file")
    parser.add_argument("--json", type=Path, help="write figures and judged values here")
    options = parser.parse_args(arguments)

    def say(line: str) -> None:
        sys.stdout.write(line + "\n")

    only = frozenset(filter(None, options.only.split(",")))
    todo = list(cases(options.corpus, options.variants.split(","), only))
    if options.pages:
        todo = [c for c in todo if (options.pages / f"{c.path.stem}.json").exists()]
        found = run_pages(
            todo,
            options.pages,
            options.models,
            say,
            true_type=options.true_type,
            forms=options.forms,
            layoutlm=layoutlm_wanted(options.layoutlm),
            own_schemas=options.schemas,
        )
    else:
        found = run_product(todo, options.timeout, say)
    documents: list[Scored] = []
    surplus = 0
    for case, output in zip(todo, found, strict=True):
        scored, extra = score_file(case.truth, output, stem=case.stem, variant=case.variant)
        documents += scored
        surplus += extra
    if options.errors:
        _print_errors(documents, say)
    result = report(documents, surplus, say)
    if options.json:
        text = json.dumps(
            {
                "figures": {name: f.model_dump() for name, f in result.items()},
                "documents": [d.model_dump() for d in documents],
            },
            indent=1,
        )
        options.json.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
