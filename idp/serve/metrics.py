# SPDX-License-Identifier: Apache-2.0
"""Counts in the text format that Prometheus reads: how many, never of whom."""

from __future__ import annotations

from collections.abc import Mapping

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
) -> str:
    """The counts as text: documents by state, clocks, what became of the child processes."""
    lines = ["# HELP idp_documents Documents by state.", "# TYPE idp_documents gauge"]
    lines += [f'idp_documents{{state="{state}"}} {n}' for state, n in documents.items()]
    if clocks is not None:
        lines += [
            "# HELP idp_clocks Documents not yet delivered by how far their clock has run down.",
            "# TYPE idp_clocks gauge",
            *(f'idp_clocks{{state="{state}"}} {n}' for state, n in clocks.items()),
        ]
    for name, number in reading.items():
        gauge = name in _GAUGES
        room = "idp" if name.startswith("unpack_") else "idp_read"
        full = f"{room}_{name}" if gauge else f"{room}_{name}_total"
        if name in _HELP:
            lines.append(f"# HELP {full} {_HELP[name]}")
        lines += [f"# TYPE {full} {'gauge' if gauge else 'counter'}", f"{full} {number}"]
    return "\n".join(lines) + "\n"
