# SPDX-License-Identifier: Apache-2.0
"""Why a document does not leave by itself; the only place that sets a decision and its reasons.

Words are for people and may quote the page; a code is for events, figures and comparisons and is
never a patient's data. A code may have a detail behind a colon: ``rule:N1``,
``doubtful_value:member_id``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from idp.document import Decision, Document, Finding, Severity

SAMPLED = "quality_sample"
"""Held back for a person only to measure how often what leaves by itself is wrong."""

BELOW_TARGET = "below_target"
"""Sure enough for a glance, not sure enough to leave without one."""
UNPROVEN = "unproven_value"

CODES: dict[str, str] = {
    "automatic_off": "decision.automatic is off.",
    BELOW_TARGET: "Values stay closed on the screen and are not proved to keep the accuracy "
    "target; behind the colon: the quality of the pages.",
    "doubtful_claim": "A claim of a remittance is less sure than its threshold.",
    "doubtful_value": "A value is less sure than its threshold; behind the colon: the field.",
    "error": "The file can't be read; behind the colon: the error's code.",
    "hard_to_read": "A page of poor quality.",
    "kind_unknown": "An `other` document of no kind that is known.",
    "missing_field": "Rule C1; behind the colon: the field.",
    "policy_never": "Policy: its type, subtype or folder never leaves by itself.",
    "rule": "A finding that blocks; behind the colon: its rule.",
    "type_doubtful": "The document type is less sure than decision.type_threshold.",
    "unproven_claim": "Claims read from paper, of which no figure proves the accuracy target.",
    UNPROVEN: "No threshold is proved to keep the targets; behind the colon: the quality of the "
    "pages.",
    "unread_field": "Rule C2; behind the colon: the field.",
    SAMPLED: "Would have left by itself and is checked to measure how often that is wrong.",
}
"""Every code with its meaning, for `docs/decisions/decisions.md`; a test compares."""


class Reason(NamedTuple):
    """One reason: its code, and what a person is told."""

    code: str
    words: str


def of_finding(finding: Finding) -> Reason | None:
    """Why a finding keeps a document; none where it does not block."""
    if finding.severity is not Severity.BLOCK:
        return None
    if finding.rule in _GAPS and finding.field:
        return Reason(f"{_GAPS[finding.rule]}:{finding.field}", finding.message.split(":", 1)[0])
    return Reason(f"rule:{finding.rule}", finding.message)


_GAPS = {"C1": "missing_field", "C2": "unread_field"}


def reasons_of(document: Document) -> tuple[Reason, ...]:
    """The reasons on a document; those decided before there were codes have none."""
    codes = (*document.reason_codes, *("",) * len(document.reasons))
    return tuple(Reason(*pair) for pair in zip(codes, document.reasons, strict=False))


def concluded(document: Document, reasons: Iterable[Reason]) -> Document:
    """The document with the decision that follows from all its reasons: it leaves without any.

    A document drawn for the quality sample is in it only if nothing else keeps it: the sample
    stands for what leaves by itself. What can't be read stays in quarantine.
    """
    # Two codes may have the same words (several claims), two words the same code (several pages).
    kept = tuple(dict.fromkeys(reasons))
    others = tuple(reason for reason in kept if reason.code != SAMPLED)
    kept = others or kept
    decision = Decision.REVIEW if kept else Decision.AUTO
    out = document.error is not None or document.decision is Decision.QUARANTINE
    return document.model_copy(
        update={
            "decision": Decision.QUARANTINE if out else decision,
            "reasons": tuple(reason.words for reason in kept),
            "reason_codes": tuple(reason.code for reason in kept),
            "sampled": bool(kept) and not others,
        }
    )


def with_finding(document: Document, finding: Finding) -> Document:
    """The document with one more finding, said by a room after it was judged.

    One that blocks is a reason to keep it; another changes nothing of the decision.
    """
    found = document.model_copy(update={"findings": (*document.findings, finding)})
    reason = of_finding(finding)
    return found if reason is None else concluded(found, (*reasons_of(document), reason))


def refused(document: Document, code: str, hint: str, words: str) -> Document:
    """The document of a file or part that can't be read: in quarantine."""
    broken = document.model_copy(update={"error": code, "hint": hint})
    return concluded(broken, [Reason(f"error:{code}", words)])
