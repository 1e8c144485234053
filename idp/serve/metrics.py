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
    "cache_hits": "Pages that had been read before.",
    "cache_misses": "Pages that had not been read before.",
    "cache_damaged": "Remembered pages that did not match their own hash.",
    "cache_entries": "Remembered pages.",
    "cache_size_bytes": "Bytes of remembered pages.",
}
_GAUGES = frozenset({"workers", "largest_mb", "cache_entries", "cache_size_bytes"})


def exposition(documents: Mapping[str, int], reading: Mapping[str, int]) -> str:
    """The counts as text: documents by state, and what became of the reading processes."""
    lines = ["# HELP idp_documents Documents by state.", "# TYPE idp_documents gauge"]
    lines += [f'idp_documents{{state="{state}"}} {n}' for state, n in documents.items()]
    for name, number in reading.items():
        gauge = name in _GAUGES
        full = f"idp_read_{name}" if gauge else f"idp_read_{name}_total"
        if name in _HELP:
            lines.append(f"# HELP {full} {_HELP[name]}")
        lines += [f"# TYPE {full} {'gauge' if gauge else 'counter'}", f"{full} {number}"]
    return "\n".join(lines) + "\n"
