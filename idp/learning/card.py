# SPDX-License-Identifier: Apache-2.0
"""The model card: what a version is, every figure with what it was measured on, and what not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from idp.document import DocumentType
from idp.learning.gate import Difference, Evaluation
from idp.learning.registry import Change, ModelRecord
from idp.learning.shadow import ShadowReport
from idp.schemas import SHIPPED

_ALWAYS = (
    "Handwriting, other languages than English, and photographs.",
    "What OCR misreads before the model sees a word: figures on pages read before take reading as "
    "it is.",
    "Layouts that are in no set above. Figures on new layouts are lower than on known ones.",
    "What your senders' papers do to the thresholds of release (decision.accuracy_target): they "
    "are proved on the sets above only, and nothing is guaranteed on new layouts. `idp quality` "
    "measures it on the documents that leave by themselves.",
)
_WORST = 12


def model_card(
    record: ModelRecord,
    evaluations: Sequence[Evaluation],
    changes: Sequence[Change] = (),
    shadow: ShadowReport | None = None,
) -> str:
    """The card as Markdown; the same facts give the same text."""
    lines = [f"# {record.version}", ""]
    lines += [
        f"Registered {record.registered_at} by {record.registered_by}, sha256 `{record.sha256}`.",
        f"Parent: {record.parent or 'none'}.",
    ]
    if record.note:
        lines.append(f"Note: {record.note}")
    lines += ["", "## What is in it", ""]
    for name, entry in sorted(record.manifest.items()):
        lines += _model(name, entry)
    lines += ["## Trained on", ""]
    for name, entry in sorted(record.manifest.items()):
        lines += _data(name, entry)
    lines += ["", "## Figures from training", ""]
    figures = [row for name, entry in sorted(record.manifest.items()) for row in _own(name, entry)]
    if figures:
        lines += ["| model | figure | value | measured on |", "|---|---|---|---|", *figures]
    else:
        lines.append("None.")
    lines += ["", "## Beside the models in force", ""]
    for evaluation in evaluations:
        lines += _evaluation(evaluation)
    if not evaluations:
        lines += ["Never measured.", ""]
    if shadow is not None and shadow.documents:
        lines += [
            "## In the shadow",
            "",
            f"**real**: {shadow.documents} documents of live traffic, {shadow.failed} failed; the "
            f"same answer in {_share(shadow.agreement)} of the fields.",
            "",
        ]
    lines += ["## Not measured on", ""]
    lines += [f"- {text}" for text in (*_gaps(evaluations), *_ALWAYS)]
    lines += ["", "## In force", ""]
    lines += [_change(change) for change in changes if record.version in (change.version,)]
    if not any(change.version == record.version for change in changes):
        lines.append("Never.")
    return "\n".join(lines) + "\n"


def _model(name: str, entry: Mapping[str, Any]) -> list[str]:
    return [
        f"- `{name}` {entry.get('version', '')}: `{entry.get('file', '')}`, "
        f"{entry.get('bytes', '?')} bytes, licence {entry.get('licence', 'unknown')}, made by "
        f"`{entry.get('trained_by', 'unknown')}`",
        "",
    ]


def _data(name: str, entry: Mapping[str, Any]) -> list[str]:
    data = entry.get("data")
    if not isinstance(data, Mapping):
        return [f"- `{name}`: not told by its manifest"]
    parts = [
        f"- `{name}`: **synthetic** {data.get('documents', '?')} documents, "
        f"{data.get('families_per_type', '?')} layout families per type, data hash "
        f"`{data.get('sha256', '')}`"
    ]
    corrected = data.get("corrected")
    if isinstance(corrected, Mapping):
        parts.append(
            f"- `{name}`: **real** {corrected.get('pages', 0)} corrected pages of "
            f"{corrected.get('documents', 0)} documents in {corrected.get('layouts', 0)} layouts, "
            f"each shown {corrected.get('repeat', 1)} times, data hash "
            f"`{corrected.get('sha256', '')}`"
        )
    return parts


def _own(name: str, entry: Mapping[str, Any]) -> list[str]:
    metrics = entry.get("metrics")
    if not isinstance(metrics, Mapping):
        return []
    # What a manifest does not call real is taken for synthetic: never the other way round.
    told = str(metrics.get("measured_on", ""))
    label = "real" if told.startswith("real") else "synthetic"
    rows = []
    for what, value in metrics.items():
        if isinstance(value, Mapping):
            shown = ", ".join(f"{k} {v}" for k, v in value.items())
            rows.append(f"| {name} | {what} | {shown} | **{label}** |")
        elif isinstance(value, int | float):
            rows.append(f"| {name} | {what} | {value} | **{label}** |")
    return rows


def _evaluation(evaluation: Evaluation) -> list[str]:
    overall = evaluation.overall
    worst = sorted(evaluation.fields.items(), key=lambda item: item[1].challenger)[:_WORST]
    interval = (
        f", 95 % interval {overall.low:+.3f} to {overall.high:+.3f} over {overall.drawn}"
        if overall.low is not None and overall.high is not None
        else ""
    )
    lines = [
        f"### {evaluation.set_name}: **{evaluation.kind}**, {overall.documents} documents, "
        f"{len(evaluation.layouts)} layouts",
        "",
        f"Champion {evaluation.champion}; {evaluation.at}; set sha256 `{evaluation.set_sha256}`.",
        f"F1 {overall.champion:.3f} -> {overall.challenger:.3f} ({overall.difference:+.3f}"
        f"{interval}).",
        "",
        f"| {evaluation.kind} | documents | champion F1 | this F1 | difference |",
        "|---|---|---|---|---|",
    ]
    lines += [_row(f"type {name}", d) for name, d in evaluation.types.items()]
    lines += [_row(f"field {name}", d) for name, d in worst]
    if len(evaluation.fields) > len(worst):
        lines.append(f"\nThe {len(worst)} weakest of {len(evaluation.fields)} fields are shown.")
    return [*lines, ""]


def _row(name: str, difference: Difference) -> str:
    return (
        f"| {name} | {difference.documents} | {difference.champion:.3f} | "
        f"{difference.challenger:.3f} | {difference.difference:+.3f} |"
    )


def _gaps(evaluations: Sequence[Evaluation]) -> list[str]:
    real = [e for e in evaluations if e.kind == "real"]
    gaps = []
    if not real:
        gaps.append("**Real documents of any kind.** Every figure above is synthetic.")
    else:
        seen = {name for e in real for name in e.types}
        unseen = SHIPPED - seen - {DocumentType.OTHER}
        gaps += [f"Real documents of type {kind}." for kind in sorted(unseen)]
    return gaps


def _change(change: Change) -> str:
    verb = "promoted" if change.action == "model_promoted" else "rolled back to"
    forced = f"; forced: {change.forced}" if change.forced else ""
    return f"- {change.at}: {verb} by {change.by}, before it {change.before}{forced}"


def _share(value: float | None) -> str:
    return "none" if value is None else f"{100 * value:.1f} %"
