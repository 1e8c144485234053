# SPDX-License-Identifier: Apache-2.0
"""Documents that are transaction sets (X12): nothing of them was misread."""

from __future__ import annotations

from collections.abc import Sequence

from idp.document import Finding, Page, Severity

SAID_BY_EXTRACTION = frozenset({"R7", "X1", "X2", "X3"})
"""Rules that look at segments, which only extraction sees: what they said is kept."""


def said_by_extraction(finding: Finding) -> bool:
    """Whether extraction found it: of R7 only what breaks a segment, and so blocks.

    What rule R7 says of codes against their lists is said anew with the lists in force.
    """
    looked_up = finding.rule == "R7" and finding.severity is not Severity.BLOCK
    return finding.rule in SAID_BY_EXTRACTION and not looked_up


def is_electronic(pages: Sequence[Page]) -> bool:
    """Whether the pages are the listing of a transaction set."""
    return bool(pages) and all(page.words_source == "x12" for page in pages)
