# SPDX-License-Identifier: Apache-2.0
"""The 278 (005010X217): a request for authorization, or the decision on one.

A decision is what an HCR segment says, in whichever kind of set it stands. Only three of its codes
are read, those that all published guides agree on; any other is kept as it stands and left to a
person, as is a set whose codes, or whose printed words, contradict each other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from idp.document import DocumentType, Field
from idp.extract.x12_levels import (
    Level,
    date_field,
    levels,
    patient_fields,
    patients,
    period,
)
from idp.extract.x12_listed import SEVERAL_PATIENTS, Listed, clean, normal, person_field
from idp.values import Kind
from idp.x12 import X12Segment

_DECISIONS = {"A1": "approved", "A3": "denied", "A4": "pended"}
"""HCR01. Guides disagree on A2 and A6 (partial, modified, denied), so neither is read."""
_DOUBTFUL = 0.3
_SPOKEN = {
    "denied": re.compile(
        r"\b(?:denied|not (?:certified|approved|authorized)|non-?certified)\b", re.I
    ),
    "approved": re.compile(r"(?<!not )(?<!non-)\b(?:approved|certified|authorized)\b", re.I),
    "pended": re.compile(r"\bpended\b", re.I),
    "cancelled": re.compile(r"\b(?:cancell?ed|withdrawn|voided)\b", re.I),
    "partially approved": re.compile(r"\b(?:partial(?:ly)?|modified|in part)\b", re.I),
}
"""Words of a message that name a decision."""
_REQUEST = "13"
"""BHT02 of a request; a response has 11."""
_UMO, _REQUESTER, _EVENT, _SERVICE = "20", "21", "EV", "SS"
_SERVICING = ("SJ", "FA", "71", "72", "73", "77", "AAJ", "DD", "G3", "P3", "QB")
_REQUEST_TYPES = {"I": "initial", "R": "renewal", "S": "amendment", "3": "cancel", "4": "extension"}
"""UM02."""
_REVIEW_TYPES = {"U": "expedited", "03": "expedited", "E": "standard"}
"""UM06: urgent, emergency, elective."""
_DIAGNOSES = frozenset({"ABK", "ABF", "ABJ", "APR"})
"""HI qualifiers of ICD-10-CM."""
_FROM, _TO, _ISSUED, _SERVICE_DATE = "007", "036", "102", "472"


def authorization(listed: Listed) -> tuple[DocumentType, list[Field]] | None:
    """The type and fields of a decision or a request; none where the set is neither."""
    transaction = listed.transaction
    decisions = [s for s in transaction.segments if s.id == "HCR"]
    found = levels(transaction)
    if decisions:
        fields = _common(listed, found) + _determination(listed, found, decisions)
        return DocumentType.PRIOR_AUTH_DETERMINATION, fields
    bht = next((s for s in transaction.segments if s.id == "BHT"), None)
    if transaction.kind == "278" and bht is not None and bht[2] == _REQUEST:
        fields = _common(listed, found) + _request(listed, found, bht)
        return DocumentType.PRIOR_AUTH_REQUEST, fields
    return None


def _at(found: Sequence[Level], *codes: str) -> list[Level]:
    return [level for level in found if level.code in codes]


def _segments(found: Sequence[Level], id: str, *codes: str) -> list[X12Segment]:
    return [s for level in _at(found, *codes) for s in level.segments if s.id == id]


def _common(listed: Listed, found: Sequence[Level]) -> list[Field]:
    """What request and response have in common: the people, and what it is for."""
    fields: list[Field] = []
    people = patients(found)
    if len(people) == 1:
        fields += patient_fields(listed, people[0])
        if people[0].member is not people[0].name:
            fields += person_field(listed, "subscriber_name", people[0].member)
    elif people:
        listed.find_fault(
            SEVERAL_PATIENTS,
            people[0].name,
            f"the set is about {len(people)} patients",
            field="patient_name",
        )
    payer = next((n for level in _at(found, _UMO) if (n := level.named("X3", "PR"))), None)
    if payer is not None and clean(payer[3]):
        fields.append(listed.field("payer_name", payer, 3))
    fields += _provider(listed, _at(found, _REQUESTER), ("1P", "FA"), "requesting_provider")
    fields += _provider(listed, _at(found, _EVENT, _SERVICE), _SERVICING, "servicing_provider")
    for hi in _segments(found, "HI", "22", "23", _EVENT, _SERVICE):
        fields += _diagnoses(listed, hi)
    for level in _at(found, _SERVICE, _EVENT):
        fields += _services(listed, level)
    return fields


def _provider(
    listed: Listed, among: Sequence[Level], entities: tuple[str, ...], role: str
) -> list[Field]:
    for level in among:
        name = level.named(*entities)
        if name is None:
            continue
        fields = person_field(listed, f"{role}_name", name)
        if name[8] == "XX" and clean(name[9]):
            fields.append(listed.field(f"{role}_npi", name, 9))
        for per in level.after(name, "PER"):
            for at in (3, 5, 7):
                kind = {"TE": "phone", "FX": "fax"}.get(per[at])
                if kind and clean(per[at + 1]) and role == "requesting_provider":
                    value = normal(Kind.PHONE, per[at + 1])
                    fields.append(listed.field(f"{role}_{kind}", per, at + 1, value))
        return list({field.name: field for field in reversed(fields)}.values())[::-1]
    return []


def _diagnoses(listed: Listed, hi: X12Segment) -> list[Field]:
    fields: list[Field] = []
    for at in range(1, len(hi.elements)):
        qualifier, *rest = listed.transaction.components(hi[at])
        if qualifier in _DIAGNOSES and rest and clean(rest[0]):
            value = normal(Kind.ICD10, rest[0])
            fields.append(listed.field("diagnosis_codes", hi, at, value, raw=rest[0]))
    return fields


def _services(listed: Listed, level: Level) -> list[Field]:
    """SV1, SV2 and SV3: the procedure's code and what it is called."""
    fields: list[Field] = []
    for segment in level.segments:
        element = {"SV1": 1, "SV2": 2, "SV3": 1}.get(segment.id)
        if element is None:
            continue
        qualifier, *rest = listed.transaction.components(segment[element])
        if qualifier in ("HC", "AD") and rest and clean(rest[0]):
            value = normal(Kind.PROCEDURE_CODE, rest[0])
            fields.append(listed.field("procedure_codes", segment, element, value, raw=rest[0]))
        # SV101-7; where a service has no words, its code is all that is said of it.
        words = rest[5] if len(rest) > 5 and clean(rest[5]) else next(iter(rest), "")
        if clean(words):
            fields.append(listed.field("service_descriptions", segment, element, raw=words))
    return fields


def _determination(
    listed: Listed, found: Sequence[Level], decisions: Sequence[X12Segment]
) -> list[Field]:
    fields = [_decision(listed, decisions)]
    number = next((s for s in decisions if clean(s[2])), None)
    if number is not None:
        fields.append(listed.field("auth_number", number, 2))
    decided = [s for s in _segments(found, "DTP", _EVENT, _SERVICE) if s[1] == _ISSUED]
    bht = next((s for s in listed.transaction.segments if s.id == "BHT" and clean(s[4])), None)
    if decided:
        fields.append(date_field(listed, "determination_date", decided[0], 3, decided[0][3]))
    elif bht is not None:
        fields.append(date_field(listed, "determination_date", bht, 4, bht[4]))
    fields += _validity(listed, _segments(found, "DTP", _EVENT, _SERVICE))
    for hsd in _segments(found, "HSD", _EVENT, _SERVICE):
        if clean(hsd[2]):
            value = normal(Kind.QUANTITY, hsd[2])
            fields.append(listed.field("approved_units", hsd, 2, value))
    fields += _reasons(listed, found, decisions, str(fields[0].value))
    return fields


def _decision(listed: Listed, decisions: Sequence[X12Segment]) -> Field:
    """What all decisions say, if it is one thing; else their codes, for a person to read."""
    codes = list(dict.fromkeys(clean(s[1]) for s in decisions))
    said = {_DECISIONS.get(code) for code in codes}
    text = " ".join(clean(s[1]) for s in listed.transaction.segments if s.id == "MSG")
    spoken = {name for name, words in _SPOKEN.items() if words.search(text)}
    if len(said) == 1 and None not in said:
        value = next(iter(said)) or ""
        conflict = bool(spoken - {value})
    else:
        value, conflict = " ".join(codes), True
    return listed.field(
        "determination",
        decisions[0],
        1,
        value,
        raw=" ".join(codes),
        confidence=_DOUBTFUL if conflict else 1.0,
    )


def _validity(listed: Listed, dates: Sequence[X12Segment]) -> list[Field]:
    """Valid from and to: the certification's own period, or else that of the services."""
    fields: list[Field] = []
    by = {q: [s for s in dates if s[1] == q] for q in (_FROM, _TO, _SERVICE_DATE)}
    for dtp in by[_FROM] or (by[_SERVICE_DATE] if not by[_TO] else ()):
        first, last = period(dtp)
        fields.append(date_field(listed, "effective_from", dtp, 3, first))
        if last and (dtp[2] == "RD8" or dtp[1] == _SERVICE_DATE) and not by[_TO]:
            fields.append(date_field(listed, "effective_to", dtp, 3, last))
    for dtp in by[_TO]:
        fields.append(date_field(listed, "effective_to", dtp, 3, period(dtp)[1]))
    return fields


def _reasons(
    listed: Listed, found: Sequence[Level], decisions: Sequence[X12Segment], decision: str
) -> list[Field]:
    """Why, in words where there are words: MSG; else the reason code (HCR03) as it stands."""
    words = [s for s in _segments(found, "MSG", _EVENT, _SERVICE) if clean(s[1])]
    if decision == "pended":
        return [listed.field("information_requested", s, 1) for s in words]
    if decision == "approved":
        return []
    sure = 1.0 if decision == "denied" else _DOUBTFUL
    if words:
        return [listed.field("denial_reason", words[0], 1, confidence=sure)]
    coded = next((s for s in decisions if clean(s[3])), None)
    return [listed.field("denial_reason", coded, 3, confidence=sure)] if coded is not None else []


def _request(listed: Listed, found: Sequence[Level], bht: X12Segment) -> list[Field]:
    fields: list[Field] = []
    if clean(bht[4]):
        fields.append(date_field(listed, "submission_date", bht, 4, bht[4]))
    for um in _segments(found, "UM", _EVENT, _SERVICE)[:1]:
        if um[2] in _REQUEST_TYPES:
            fields.append(listed.field("request_type", um, 2, _REQUEST_TYPES[um[2]]))
        if um[6] in _REVIEW_TYPES:
            fields.append(listed.field("review_type", um, 6, _REVIEW_TYPES[um[6]]))
    for ref in _segments(found, "REF", _EVENT, _SERVICE):
        if ref[1] == "BB" and clean(ref[2]):
            fields.append(listed.field("previous_auth_number", ref, 2))
            break
    for dtp in _segments(found, "DTP", _EVENT, _SERVICE):
        if dtp[1] == _SERVICE_DATE:
            first, last = period(dtp)
            fields.append(date_field(listed, "service_start_date", dtp, 3, first))
            if dtp[2] == "RD8" and last:
                fields.append(date_field(listed, "service_end_date", dtp, 3, last))
    words = [s for s in _segments(found, "MSG", _EVENT, _SERVICE) if clean(s[1])]
    if words:
        fields.append(listed.field("clinical_notes", words[0], 1))
    return fields
