# SPDX-License-Identifier: Apache-2.0
"""Counts in the text format that Prometheus reads: how many, never of whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from idp.outgoing import DeliveryState, HandoverFigures

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_HELP = {
    "workers": "Reading processes.",
    "calls": "Pages (on a GPU groups of pages) read.",
    "replaced_after_calls": "Reading processes replaced after so many pages.",
    "replaced_for_memory": "Reading processes replaced because they had grown, no page lost.",
    "killed_too_slow": "Reading processes killed because a page took too long.",
    "killed_for_memory": "Reading processes killed because a page needed too much memory.",
    "died": "Reading processes that died.",
    "largest_mb": "Largest resident size of a reading process after a page.",
    "unpack_calls": "Files and parts unpacked.",
    "unpack_replaced_after_calls": "Unpacking processes replaced after so many files.",
    "unpack_killed_too_slow": "Unpacking processes killed because a file took too long.",
    "unpack_killed_for_memory": "Unpacking processes killed because a file needed too much memory.",
    "unpack_died": "Unpacking processes that died.",
    "unpack_largest_mb": "Largest resident size of an unpacking process after a file.",
    "cache_hits": "Pages that had been read before.",
    "cache_misses": "Pages that had not been read before.",
    "cache_damaged": "Remembered pages that did not match their own hash.",
    "cache_entries": "Remembered pages.",
    "cache_size_bytes": "Bytes of remembered pages.",
}
_GAUGES = frozenset(
    {"workers", "largest_mb", "unpack_largest_mb", "cache_entries", "cache_size_bytes"}
)


def exposition(
    documents: Mapping[str, int],
    reading: Mapping[str, int],
    clocks: Mapping[str, int] | None = None,
    handovers: Sequence[str] = (),
) -> str:
    """The counts as text: documents by state, clocks, what became of the child processes.

    ``handovers`` holds further lines, those of :func:`of_handovers`.
    """
    lines = ["# HELP idp_documents Documents by state.", "# TYPE idp_documents gauge"]
    lines += [f'idp_documents{{state="{state}"}} {n}' for state, n in documents.items()]
    if clocks is not None:
        lines += [
            "# HELP idp_clocks Documents not yet delivered by how far their clock has run down.",
            "# TYPE idp_clocks gauge",
            *(f'idp_clocks{{state="{state}"}} {n}' for state, n in clocks.items()),
        ]
    lines += handovers
    for name, number in reading.items():
        gauge = name in _GAUGES
        room = "idp" if name.startswith("unpack_") else "idp_read"
        full = f"{room}_{name}" if gauge else f"{room}_{name}_total"
        if name in _HELP:
            lines.append(f"# HELP {full} {_HELP[name]}")
        lines += [f"# TYPE {full} {'gauge' if gauge else 'counter'}", f"{full} {number}"]
    return "\n".join(lines) + "\n"


def of_handovers(
    deliveries: Mapping[DeliveryState, int], figures: HandoverFigures
) -> tuple[str, ...]:
    """What leaves, what lies in Odoo and how long its people take, as lines."""
    by_type = [(each.type, each) for each in figures.work]
    steps = {
        "arrival_to_delivered": figures.to_delivered,
        "delivered_to_assigned": figures.to_assigned,
        "assigned_to_done": figures.to_done,
        "arrival_to_done": figures.whole,
    }
    seconds = [
        (f'step="{step}",quantile="{quantile}"', f"{value:.0f}")
        for step, spread in steps.items()
        if spread is not None
        for quantile, value in (("0.5", spread.median), ("0.9", spread.p90))
    ]
    read_at = figures.read_at
    return (
        *_gauge(
            "idp_deliveries",
            "Deliveries that are not done, by state.",
            ((f'state="{state}"', number) for state, number in deliveries.items()),
        ),
        *_gauge(
            "idp_handover_open",
            "Open work items in Odoo by document type.",
            ((f'type="{name}"', each.open) for name, each in by_type),
        ),
        *_gauge(
            "idp_handover_unassigned",
            "Open work items in Odoo that nobody has.",
            ((f'type="{name}"', each.unassigned) for name, each in by_type),
        ),
        *_gauge(
            "idp_handover_overdue",
            "Open work items in Odoo whose time limit has passed.",
            ((f'type="{name}"', each.overdue) for name, each in by_type),
        ),
        *_gauge(
            "idp_handover_open_by_age",
            "Open work items in Odoo by how long they lie there.",
            ((f'age="{age}"', number) for age, number in figures.by_age),
        ),
        *_gauge("idp_handover_deleted", "Records deleted in Odoo.", (("", figures.deleted),)),
        *_gauge(
            "idp_handover_uncertain",
            "Records of which nobody knows yet whether they were written.",
            (("", figures.uncertain),),
        ),
        *_gauge(
            "idp_handover_seconds",
            f"How long a step took, over the documents of {figures.days} days.",
            seconds,
        ),
        *_gauge(
            "idp_handover_read_timestamp_seconds",
            "When work items were read back from Odoo last.",
            () if read_at is None else (("", f"{read_at.timestamp():.0f}"),),
        ),
    )


def _gauge(name: str, told: str, samples: Iterable[tuple[str, int | str]]) -> tuple[str, ...]:
    """A gauge with its samples; nothing where it has none."""
    lines = tuple(
        f"{name}{{{labels}}} {value}" if labels else f"{name} {value}" for labels, value in samples
    )
    return (f"# HELP {name} {told}", f"# TYPE {name} gauge", *lines) if lines else ()
