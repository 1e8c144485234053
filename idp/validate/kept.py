# SPDX-License-Identifier: Apache-2.0
"""What a document says of itself that no judgement may take away: the findings of other rooms."""

from __future__ import annotations

from collections.abc import Sequence

from idp.document import Finding
from idp.validate import electronic

OF_OTHER_ROOMS = frozenset({"D1", "P2", "P4", "P5", "P7", "P9", "P10"})
"""Rules about how a file came and what came before; a test holds them against the rulebook."""


def of_other_rooms(findings: Sequence[Finding], *, told: bool) -> tuple[Finding, ...]:
    """The findings that a judgement does not make itself.

    How a file came, what extraction saw in an interchange's segments and which document is
    repeated can't be seen again from the values and pages; all other findings are an earlier
    judgement's.

    Args:
        findings: As they are on the document.
        told: Whether it is an interchange, where extraction speaks for some rules on its own.
    """
    kept = (
        f
        for f in findings
        if f.rule in OF_OTHER_ROOMS or (told and electronic.said_by_extraction(f))
    )
    return tuple(dict.fromkeys(kept))
