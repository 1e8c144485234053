# SPDX-License-Identifier: Apache-2.0
"""The verbs of ``idp models``: they put store, registry and the training programs together."""

from __future__ import annotations

import dataclasses
import datetime as dt
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from idp.cli import render_models
from idp.cli.border import messages, print_json, tables
from idp.cli.house import actor, has_run, open_store
from idp.errors import (
    NotFoundError,
    RefusedError,
)
from idp.learning import (
    SHIPPED,
    Change,
    Evaluation,
    ModelRecord,
    Registry,
    Seen,
    ShadowReport,
    Tally,
    Verdict,
    judge,
    make_dataset,
    model_card,
    set_sha256,
)
from idp.learning import weeks as drift_weeks
from idp.retraining import Retraining, is_running, last, retrain
from idp.settings import Settings, load_settings
from idp.training_runs import Progress, Wanted, check_installed, compared, trained, training_share

if TYPE_CHECKING:
    from idp.store import CorrectionRow, Store

_SAID_SECONDS = 15.0
_COUNTED = ("changed", "added", "removed")
_TOLD = (*_COUNTED, "confirmed")


def open_registry(settings: Settings) -> Registry:
    """The registry of the data folder in force."""
    return Registry(settings.registry_folder, settings.models_folder)


def list_models(*, as_json: bool) -> None:
    """Every version, the shipped one first."""
    registry = open_registry(load_settings())
    current, shadow = registry.current(), registry.shadow()
    records = [registry.record(SHIPPED), *registry.records()]
    rows = [
        {
            "version": record.version,
            "in_force": record.version == current.version,
            "in_shadow": shadow is not None and record.version == shadow.version,
            "models": record.models,
            "sha256": record.sha256,
            "parent": record.parent,
            "registered_at": None if record.version == SHIPPED else record.registered_at,
            "note": record.note,
            "evaluations": [_short(e) for e in registry.evaluations(record.version)],
        }
        for record in records
    ]
    if as_json:
        print_json(
            {
                "schema": "idp.model_list/1",
                "in_force": current.version,
                "history": [change.model_dump() for change in current.history],
                "models": rows,
            }
        )
    else:
        render_models.versions(tables(), rows)


def _short(evaluation: Evaluation) -> dict[str, Any]:
    return {
        "set": evaluation.set_name,
        "kind": evaluation.kind,
        **evaluation.overall.model_dump(),
        "beside": evaluation.champion,
    }


def show_model(text: str, *, as_json: bool) -> None:
    """The card of one version."""
    settings = load_settings()
    registry = open_registry(settings)
    version = registry.resolve(text)
    card = _card(settings, registry, version)
    if as_json:
        print_json(
            {
                "schema": "idp.model/1",
                **registry.record(version).model_dump(),
                "evaluations": [e.model_dump() for e in registry.evaluations(version)],
                "changes": [c.model_dump() for c in _changes_of(registry, version)],
                "card": card,
            }
        )
    else:
        sys.stdout.write(card)


def _changes_of(registry: Registry, version: str) -> list[Change]:
    return [change for change in registry.current().history if change.version == version]


def _card(settings: Settings, registry: Registry, version: str) -> str:
    report = None
    if has_run(settings):
        store = open_store(settings)
        report = _shadow_counts(store, version)
        store.close()
    return model_card(
        registry.record(version),
        registry.evaluations(version),
        _changes_of(registry, version),
        report,
    )


def _keep_card(settings: Settings, registry: Registry, version: str) -> None:
    if version != SHIPPED:
        registry.keep_card(version, _card(settings, registry, version))


def write_dataset(out: Path, *, as_json: bool) -> None:
    """Pull what people corrected into a data set."""
    settings = load_settings()
    store = open_store(settings)
    manifest = make_dataset(
        store.corrected_documents(),
        out,
        settings.registry_folder,
        settings.learning.locked_share,
        cuts=store.cut_packets(),
    )
    if as_json:
        print_json(manifest)
        return
    for share, counts in manifest["counts"].items():
        packets = f", {counts['packets']} packets cut by hand" if counts["packets"] else ""
        tables().print(
            f"{share:7s} {counts['documents']} documents of {counts['layouts']} layouts{packets}"
        )
    messages().print(f"{out}: sha256 {manifest['sha256']}")


def train_challenger(
    datasets: Sequence[Path],
    labelled: Sequence[Path],
    wanted: Wanted,
    *,
    note: str,
    as_json: bool,
) -> None:
    """Train beside a copy of the models in force and register the outcome."""
    settings = load_settings()
    registry = open_registry(settings)
    shares = [training_share(folder) for folder in datasets]
    check_installed(wanted.tagger)
    messages().print("training; the models in force are untouched ...")
    made = trained(
        settings,
        registry,
        shares,
        wanted,
        by=actor(),
        note=note,
        labelled=labelled,
        tell=Teller().progress,
    )
    _keep_card(settings, registry, made.version)
    _tell_registered(made, as_json=as_json)


def retrain_models(wanted: Wanted, *, by: str | None, status: bool, as_json: bool) -> None:
    """Corrections to a challenger that was evaluated, or how far that has come."""
    settings = load_settings()
    if status:
        found = last(settings)
        if found is None:
            raise NotFoundError("nothing was ever retrained", hint="`idp models retrain` does it.")
        _tell_retraining(found, running=is_running(settings), as_json=as_json)
        return
    store = open_store(settings)
    try:
        done = retrain(settings, store, by=by or actor(), wanted=wanted, tell=Teller().step)
    finally:
        store.close()
    _keep_card(settings, open_registry(settings), str(done.version))
    _tell_retraining(done, running=False, as_json=as_json)


class Teller:
    """Says each step once, and every so often how far the program at work is."""

    def __init__(self) -> None:
        self._step: str | None = None
        self._part = ""
        self._said = 0.0

    def step(self, state: Retraining) -> None:
        """A retraining's next step, or how far it is."""
        if state.step != self._step:
            self._step = state.step
            messages().print(f"{state.step} ...", markup=False)
        if state.progress is not None:
            self.progress(state.progress)

    def progress(self, progress: Progress) -> None:
        """How far a training program is."""
        now = time.monotonic()
        if progress.part == self._part and now - self._said < _SAID_SECONDS:
            return
        self._part, self._said = progress.part, now
        messages().print(f"  {progress.words}", markup=False)


def _tell_retraining(state: Retraining, *, running: bool, as_json: bool) -> None:
    if as_json:
        told = state.model_dump(mode="json")
        print_json({"schema": "idp.retraining/1", **told, "running": running})
    else:
        render_models.retraining(tables(), state, running=running)


def register_folder(folder: Path, *, note: str, as_json: bool) -> None:
    """Take a models folder into the registry."""
    settings = load_settings()
    registry = open_registry(settings)
    record = registry.register(folder, by=actor(), note=note)
    _keep_card(settings, registry, record.version)
    _tell_registered(record, as_json=as_json)


def _tell_registered(record: ModelRecord, *, as_json: bool) -> None:
    if as_json:
        print_json({"schema": "idp.model/1", **record.model_dump()})
    else:
        tables().print(record.version)
        messages().print(f"next: idp models evaluate {record.version} --on DIR")


def evaluate_version(text: str, sets: Sequence[Path], *, as_json: bool) -> None:
    """Compare a version with the one in force and keep the outcome."""
    settings = load_settings()
    registry = open_registry(settings)
    version, champion = registry.resolve(text), registry.current().version
    if not sets and settings.learning.locked_set is not None:
        sets = [settings.learning.locked_set]
    if not sets:
        raise NotFoundError(
            "no set to evaluate on",
            hint="--on DIR names a folder of truths with pages/, or set learning.locked_set.",
        )
    found = [compared(settings, registry, version, champion, folder) for folder in sets]
    for evaluation in found:
        registry.keep_evaluation(version, evaluation)
    _keep_card(settings, registry, version)
    verdict = judge(found, settings.learning.gate)
    if as_json:
        print_json(
            {
                "schema": "idp.evaluation/1",
                "evaluations": [e.model_dump() for e in found],
                "verdict": verdict.model_dump(),
            }
        )
        return
    for evaluation in found:
        render_models.evaluation(tables(), evaluation)
    render_models.verdict(tables(), verdict)


def promote_version(text: str, *, force: str | None, as_json: bool) -> None:
    """Ask the gate and put a version in force."""
    settings = load_settings()
    registry = open_registry(settings)
    version = registry.resolve(text)
    verdict = _gate(settings, registry, version)
    if not verdict.passed and not force:
        raise RefusedError(f"{version} is not promoted: {'; '.join(verdict.reasons)}")
    change = registry.promote(
        version,
        by=actor(),
        verdict="passed" if verdict.passed else "refused: " + "; ".join(verdict.reasons),
        forced=None if verdict.passed else force,
    )
    _note(settings, registry)
    _keep_card(settings, registry, version)
    if as_json:
        print_json(
            {
                "schema": "idp.promotion/1",
                "in_force": version,
                "change": change.model_dump() if change else None,
                "verdict": verdict.model_dump(),
            }
        )
    else:
        render_models.verdict(tables(), verdict)
        already = "already " if change is None else ""
        messages().print(f"{version} is {already}in force, from the next document on")


def _gate(settings: Settings, registry: Registry, version: str) -> Verdict:
    """What the gate says by the comparisons with the models now in force."""
    champion = registry.identity(registry.current().version)
    if registry.identity(version) == champion:
        return Verdict(passed=True, reasons=("it is in force",))
    found = [e for e in registry.evaluations(version) if e.champion == champion]
    wanted = settings.learning.locked_set
    if wanted is not None:
        # A set that has grown since was not passed: the new documents are why it grew.
        sha256 = set_sha256(wanted)
        if not any(e.set_sha256 == sha256 for e in found):
            return Verdict(
                passed=False,
                reasons=(f"it was not evaluated on {wanted} as it is now (learning.locked_set)",),
            )
    return judge(found, settings.learning.gate)


def roll_back(*, reason: str | None, as_json: bool) -> None:
    """Put in force what was before."""
    settings = load_settings()
    registry = open_registry(settings)
    change = registry.roll_back(by=actor(), reason=reason)
    _note(settings, registry)
    if as_json:
        print_json({"schema": "idp.rollback/1", "change": change.model_dump()})
    else:
        messages().print(f"{change.version} is in force, from the next document on")


def _note(settings: Settings, registry: Registry) -> None:
    """Put the changes on the record; where no service ever ran, its first start does it."""
    if has_run(settings):
        store = open_store(settings)
        store.note_models([change.model_dump() for change in registry.current().history])
        store.close()


def shadow_report(*, run: str | None, share: float, end: bool, as_json: bool) -> None:
    """Start, end, or report."""
    settings = load_settings()
    registry = open_registry(settings)
    if end:
        registry.end_shadow()
        messages().print("no version runs in the shadow")
        return
    if run is not None:
        registry.run_in_shadow(registry.resolve(run), share)
    shadow = registry.shadow()
    if shadow is None:
        raise NotFoundError(
            "no version runs in the shadow",
            hint="`idp models shadow --run VERSION --share 0.1` lets one run.",
        )
    report = None
    if has_run(settings):
        store = open_store(settings)
        report = _shadow_counts(store, shadow.version)
    if as_json:
        print_json(
            {
                "schema": "idp.shadow/1",
                **shadow.model_dump(),
                "report": report.model_dump() if report else None,
            }
        )
    else:
        render_models.shadow(tables(), shadow, report)


def _shadow_counts(store: Store, version: str) -> ShadowReport:
    """What the version did in the shadow, and who was right where a person has looked since."""
    tally = Tally(version)
    rows = {row.document_id: row for row in store.observations() if row.challenger == version}
    if not rows:
        return tally.report()
    for row in rows.values():
        tally.add(row.agreement, row.shadow_error)
    for corrected in store.corrected_documents():
        seen = rows.get(corrected.document.document_id)
        if seen is not None and seen.shadow_error is None:
            tally.judge(corrected.corrections, corrected.document.fields, store.shadow_fields(seen))
    return tally.report()


def drift_report(*, weeks: int, as_json: bool) -> None:
    """Each week beside the ones before it."""
    settings = load_settings()
    store = open_store(settings)
    learning = settings.learning
    now = dt.datetime.now(dt.UTC)
    sorting = store.sorting(since=now - dt.timedelta(weeks=weeks))
    found = drift_weeks(
        [
            Seen(row.document_id, row.at, row.type, row.layout, row.confidences, row.missing)
            for row in store.observations()
        ],
        _corrected(store.corrections()),
        until=now,
        count=weeks,
        reference_weeks=learning.drift_reference_weeks,
        threshold=learning.drift_threshold,
        least_documents=learning.drift_documents,
    )
    if as_json:
        print_json(
            {
                "schema": "idp.drift/1",
                "threshold": learning.drift_threshold,
                "warns": any(week.warns for week in found),
                "weeks": [{**week.model_dump(mode="json"), "warns": week.warns} for week in found],
                "sorting": [dataclasses.asdict(row) for row in sorting],
            }
        )
    else:
        render_models.drift(tables(), found, learning.drift_threshold)
        render_models.sorting(tables(), sorting, weeks)


def _corrected(rows: Iterable[CorrectionRow]) -> dict[str, tuple[int, int]]:
    """By document: values that were changed, and all that a person spoke of, in all rounds.

    What was changed in one round and confirmed in the next was changed.
    """
    changed: dict[str, Counter[str]] = defaultdict(Counter)
    told: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        for field, outcomes in row.outcomes.items():
            counts = {name: outcomes.get(name, 0) for name in _TOLD}
            changed[row.document_id] |= Counter({field: sum(counts[each] for each in _COUNTED)})
            told[row.document_id] |= Counter({field: sum(counts.values())})
    return {each: (changed[each].total(), told[each].total()) for each in told}
