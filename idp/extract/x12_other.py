# SPDX-License-Identifier: Apache-2.0
"""Transaction sets that are no remittance and no authorization: who they are about, and payer."""

from __future__ import annotations

from idp.document import Field, Severity
from idp.extract.x12_levels import levels, patient_fields, patients
from idp.extract.x12_listed import SEVERAL_PATIENTS, Listed, clean
from idp.rulebook import rule
from idp.x12 import X12Segment

_SUBTYPES = {
    "270": "eligibility",
    "271": "eligibility",
    "276": "claim_status",
    "277": "claim_status",
    "278": "authorization_reply",
    "820": "premium_payment",
    "834": "enrollment",
    "837": "claim_form",
    "997": "acknowledgment",
    "999": "acknowledgment",
    "TA1": "acknowledgment",
}
"""ST01; a kind that is not here is of no known subtype and goes to a person."""
_CLAIM_ACKNOWLEDGMENT = "005010X214"
"""The 277CA: that a claim arrived, not what became of it."""
_RESULTS = {"AK5": 1, "IK5": 1, "AK9": 1, "TA1": 4}
"""Where an acknowledgment says whether something was taken."""
_TAKEN = frozenset({"A", "E"})
_REFUSED_CLAIMS = frozenset({"A3", "A6", "A7", "A8"})
"""STC01-1: returned or rejected (claim status category codes)."""


def anything_else(listed: Listed) -> tuple[str | None, list[Field]]:
    """The subtype of `other`, none where the kind is unknown, and the few fields it has."""
    transaction = listed.transaction
    subtype = _SUBTYPES.get(transaction.kind)
    if transaction.kind == "277" and transaction.version.startswith(_CLAIM_ACKNOWLEDGMENT):
        subtype = "acknowledgment"
    _say_refusals(listed)
    fields: list[Field] = []
    people = patients(levels(transaction))
    if len(people) == 1:
        fields += patient_fields(listed, people[0])
    elif people:
        listed.find_fault(
            SEVERAL_PATIENTS,
            people[0].name,
            f"speaks of the first of {len(people)} patients, so none is named as the document's",
            field="patient_name",
            severity=Severity.INFO,
        )
    payer = _payer(transaction.segments)
    if payer is not None:
        segment, element = payer
        fields.append(listed.field("payer_name", segment, element))
    return subtype, fields


def _payer(segments: tuple[X12Segment, ...]) -> tuple[X12Segment, int] | None:
    """The payer's name where all that is said of payers is one name."""
    found: dict[str, tuple[X12Segment, int]] = {}
    for segment in segments:
        element = {"NM1": 3, "N1": 2}.get(segment.id)
        payers = ("PR", "IN", "X3") if segment.id == "N1" else ("PR", "X3")
        if element is not None and segment[1] in payers and clean(segment[element]):
            found.setdefault(clean(segment[element]).upper(), (segment, element))
    return next(iter(found.values())) if len(found) == 1 else None


@rule("X3", severity=Severity.BLOCK, source="X12 005010: 999, TA1, 277CA, 271 and 278 AAA")
def _say_refusals(listed: Listed) -> None:
    """X3: what was sent and not taken is for a person, or it is never paid."""
    for segment in listed.transaction.segments:
        element = _RESULTS.get(segment.id)
        if element is not None and segment[element] not in _TAKEN:
            listed.find_fault("X3", segment, "the receiver did not take all that was sent")
        elif segment.id == "STC":
            status = listed.transaction.components(segment[1])[0]
            if status in _REFUSED_CLAIMS:
                listed.find_fault("X3", segment, "a claim was rejected before adjudication")
        elif segment.id == "AAA":
            listed.find_fault("X3", segment, "the request was not taken as it was sent")
