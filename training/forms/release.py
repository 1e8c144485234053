# SPDX-License-Identifier: Apache-2.0
"""What of registered forms could leave without a person, and how much of that is wrong.

    python -m training.forms.release --forms DIR --corpus OUT ... [--target 0.99] [--write models]

OUT was made by ``python -m training.forms``; the forms are registered as ``idp forms add`` does it,
with nothing corrected by hand unless ``--corrected`` says so. Nothing is trained on forms for this,
so every one judges. A value that was read at a registered place has the confidence of that place's
reading, not the fitted one: its table is taken apart. A document would leave when every value found
on it may pass; what was missed on it counts as wrong. Errors come by form, so the bound of the
table is the worse of a bootstrap over forms and the exact one over values. Missing fields, rules
and the type are not judged here: they keep more back, never less.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from idp.calibration import Calibration
from idp.document import DocumentType, Grade, Page
from idp.extract import Extractor, load_trust
from idp.extract.vote import FORM
from idp.forms import FormLibrary
from idp.sampling import upper_bound
from idp.schemas import load_lexicon, load_schemas
from idp.settings import DecisionSettings
from training.calibration import Seen, calibration
from training.confidence import ship_registered
from training.evaluate import VARIANTS, cases, layoutlm_wanted
from training.forms.blanks import SCHEMAS
from training.forms.judge import register_all
from training.manifest import MODELS
from training.progress import to_stdout
from training.score import score_file

_PAGES = TypeAdapter(list[Page])
_STEP = 1e-6
_RISK = 0.05


class Value(NamedTuple):
    """One value that was found."""

    sure: float
    right: bool
    source: str
    grade: Grade


class Copy(NamedTuple):
    """One filled copy: its form, its values, and how many that stand on it were not found."""

    form: str
    variant: str
    recognised: bool
    values: tuple[Value, ...]
    missed: int


def copies_of(corpus: Path, library: FormLibrary, extractor: Extractor) -> list[Copy]:
    """What the product finds on the copies of a corpus; the type is given."""
    found: list[Copy] = []
    for case in cases(corpus, VARIANTS):
        path = corpus / "pages" / f"{case.path.stem}.json"
        if not path.is_file():
            continue
        pages = list(library.recognised(_PAGES.validate_json(path.read_bytes())))
        grades = {page.number: page.grade for page in pages}
        kind = DocumentType(case.truth["doc_type"])
        fields = extractor.extract(pages, kind).fields
        # The scorer hands confidences through: a number of its own tells the values apart.
        output: dict[str, Any] = {
            "type": kind,
            "type_confidence": 1.0,
            "pages": [page.number for page in pages],
            "decision": "review",
            "fields": [
                {"name": f.name, "value": f.value, "confidence": n * _STEP}
                for n, f in enumerate(fields, 1)
            ],
            "claims": [],
            "missing": [],
        }
        scored, _ = score_file(case.truth, [output], stem=case.stem, variant=case.variant)
        values = []
        for value in (v for one in scored for v in one.values):
            if value.found is None or value.confidence is None:
                continue
            field = fields[round(value.confidence / _STEP) - 1]
            grade = grades.get(field.page or 0, Grade.POOR)
            right = value.outcome == "ok"
            values.append(Value(field.confidence, right, field.source, grade))
        missed = sum(v.outcome == "missed" for one in scored for v in one.values)
        form = str(case.truth.get("form") or case.stem)
        known = any(page.form is not None for page in pages)
        found.append(Copy(form, case.variant, known, tuple(values), missed))
    return found


def table_of(copies: Sequence[Copy]) -> Calibration:
    """How often values are wrong that were read at registered places, by threshold and grade."""
    return calibration(
        (
            Seen(copy.form, value.sure, value.right, value.grade)
            for copy in copies
            for value in copy.values
            if value.source == FORM
        ),
        documents=len(copies),
        source="synthetic",
    )


class Limits(NamedTuple):
    """How sure a value must be, by what read it and the quality of its page; None: never."""

    registered: Callable[[Grade], float | None]
    others: Callable[[Grade], float | None]

    def passes(self, value: Value) -> bool:
        """Whether a value may leave."""
        limit = (self.registered if value.source == FORM else self.others)(value.grade)
        return limit is not None and value.sure >= limit


class Leaving(NamedTuple):
    """Documents that would leave, and the values on them; those that were missed are wrong."""

    documents: int
    of: int
    values: int
    wrong: int
    missed: int
    forms: int

    @property
    def upper(self) -> float | None:
        """Upper 95 % bound of the share of wrong or missed values; None where nothing leaves.

        Exact over values, as if each erred by itself: the table's bound knows of forms, too.
        """
        return upper_bound(self.wrong + self.missed, self.values, _RISK) if self.values else None


def leaving(copies: Iterable[Copy], limits: Limits) -> Leaving:
    """What would leave of these copies."""
    documents = of = values = wrong = missed = 0
    forms: set[str] = set()
    for copy in copies:
        of += 1
        if not copy.values or not all(limits.passes(value) for value in copy.values):
            continue
        documents += 1
        forms.add(copy.form)
        values += len(copy.values) + copy.missed
        wrong += sum(not value.right for value in copy.values)
        missed += copy.missed
    return Leaving(documents, of, values, wrong, missed, len(forms))


def _by_settings(policy: DecisionSettings) -> Callable[[Grade], float | None]:
    def limit(grade: Grade) -> float | None:
        fair = max(policy.field_threshold, policy.unseen_threshold)
        return policy.field_threshold if grade is Grade.GOOD else fair

    return limit


def report(
    copies: Sequence[Copy],
    measured: Calibration,
    fitted: Calibration | None,
    target: float,
    say: Callable[[str], None],
) -> None:
    """Prints the table and what would leave, under the settings and under the target."""
    known = sum(copy.recognised for copy in copies)
    by_source: dict[str, list[Value]] = defaultdict(list)
    for value in (v for copy in copies for v in copy.values):
        by_source["registered place" if value.source == FORM else "other sources"].append(value)
    say(f"{len(copies)} copies of {len({c.form for c in copies})} forms, {known} recognised")
    for name, values in by_source.items():
        say(f"{name}: {len(values)} values, {sum(not v.right for v in values)} wrong")
    say(f"missed: {sum(copy.missed for copy in copies)}")
    for grade, steps in measured.steps.items():
        for step in steps:
            say(
                f"REGISTERED {grade:5s} at {step.threshold:.3f} or more: {step.values} values, "
                f"{step.wrong} wrong, upper bound {100 * step.upper:.2f} %"
            )

    def proved(table: Calibration | None) -> Callable[[Grade], float | None]:
        return lambda grade: None if table is None else table.threshold(grade, target)

    ways = {
        "registered places by decision.field_threshold": _by_settings(DecisionSettings()),
        f"registered places by the target of {100 * target:g} %": proved(measured),
    }
    for name, way in ways.items():
        limits = Limits(way, proved(fitted))
        for variant in dict.fromkeys(copy.variant for copy in copies):
            out = leaving((c for c in copies if c.variant == variant and c.recognised), limits)
            upper = "" if out.upper is None else f", upper bound {100 * out.upper:.1f} %"
            say(
                f"LEAVES {name}, {variant}: {out.documents} of {out.of} recognised copies "
                f"({out.forms} forms); of {out.values} values {out.wrong} wrong, "
                f"{out.missed} missed{upper}"
            )


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--forms", type=Path, required=True, help="the blank forms")
    parser.add_argument("--corpus", type=Path, action="append", required=True)
    parser.add_argument("--models", type=Path, default=MODELS)
    parser.add_argument("--target", type=float, default=DecisionSettings().accuracy_target)
    parser.add_argument(
        "--corrected", action="store_true", help="registered with what people have checked"
    )
    parser.add_argument(
        "--write", type=Path, metavar="MODELS", help="put the table into this folder's trust"
    )
    options = parser.parse_args(arguments)
    schemas = load_schemas(SCHEMAS)
    extractor = Extractor(options.models, schemas, load_lexicon(), layoutlm=layoutlm_wanted(None))
    copies: list[Copy] = []
    for corpus in options.corpus:
        with tempfile.TemporaryDirectory(prefix="release-") as folder:
            library = FormLibrary(Path(folder) / "library", schemas)
            register_all(options.forms, corpus, library, corrected=options.corrected)
            copies += copies_of(corpus, library, extractor)
    measured = table_of(copies)
    trust = load_trust(options.models)
    report(
        copies,
        measured,
        trust.calibration if trust else None,
        options.target,
        to_stdout,
    )
    if options.write:
        ship_registered(options.write, measured)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
