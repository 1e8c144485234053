# SPDX-License-Identifier: Apache-2.0
"""The parties of a document, each looked up in its directory."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import NamedTuple

from idp.document import Claim, Document, DocumentType, MasterMatch
from idp.masters.directories import Directories
from idp.masters.nouns import Kind, Payer, Printed
from idp.masters.people import Compared, Verdict, match_member
from idp.masters.practices import match_provider
from idp.masters.spelling import plain
from idp.schemas import DocumentSchema
from idp.values.names import ZIP

DIRECTORY_OF: dict[str, Kind] = {
    "patient": "members",
    "subscriber": "members",
    "referring_provider": "providers",
    "referred_to": "providers",
    "requesting_provider": "providers",
    "servicing_provider": "providers",
    "payee": "providers",
    "payer": "payers",
}
"""In which directory each party of the schemas stands."""

PATIENT = "patient"
MOST_CLAIMS = 2_000
"""Of a remittance, whose patients are looked up."""


class PartyFound(NamedTuple):
    """One party with what was found; the member it was compared with never leaves this noun."""

    match: MasterMatch
    printed: Printed
    compared: Compared | None = None
    claim: int | None = None
    """Which claim's patient it is, from 1."""


class Found(NamedTuple):
    """Everything found for a document."""

    parties: tuple[PartyFound, ...] = ()
    payer: Payer | None = None
    """The payer that the document names, where one was matched."""

    @property
    def matches(self) -> tuple[MasterMatch, ...]:
        """What the document keeps."""
        return tuple(party.match for party in self.parties)


def find_parties(
    document: Document, schema: DocumentSchema, directories: Directories, today: dt.date
) -> Found:
    """Looks every party of the document up that a directory was imported for.

    Args:
        document: As extracted.
        schema: Says which field is whose what.
        directories: As imported.
        today: The day of receipt: cover is asked about then where no service date is told.
    """
    printed = printed_parties(document, schema, today)
    payer: Payer | None = None
    parties: list[PartyFound] = []
    if directories.has("payers") and (named := printed.get("payer")) is not None and named.name:
        number = printed[PATIENT].number if PATIENT in printed else ""
        verdict = directories.payers.match(named._replace(number=number))
        payer = verdict.best if verdict.outcome == "matched" else None
        parties.append(
            PartyFound(
                MasterMatch(
                    directory="payers",
                    party="payer",
                    outcome=verdict.outcome,
                    canonical_id=payer.canonical_id if payer else None,
                    score=verdict.score,
                    evidence=verdict.evidence,
                    edition=directories.edition("payers"),
                ),
                named,
            )
        )
    payer_id = payer.canonical_id if payer else ""
    for party, told in printed.items():
        kind = DIRECTORY_OF[party]
        if kind == "payers" or told.empty or not directories.has(kind):
            continue
        if kind == "providers":
            parties.append(_provider(party, told, directories))
        else:
            parties.append(_member(party, told._replace(payer=payer_id), directories))
    if directories.has("members"):
        parties.extend(_claims(document, payer_id, directories))
    return Found(tuple(parties), payer)


def printed_parties(
    document: Document, schema: DocumentSchema, today: dt.date
) -> dict[str, Printed]:
    """What the document says of each party, by the parties and attributes of its schema."""
    told: dict[str, dict[str, list[str]]] = {}
    for field in schema.fields:
        if field.party not in DIRECTORY_OF or not field.attribute:
            continue
        values = [f.value for f in document.fields if f.name == field.name and f.value]
        if values:
            told.setdefault(field.party, {}).setdefault(field.attribute, []).extend(values)
    on = _day_of_service(document) or today
    births_told = document.type != DocumentType.REMITTANCE_EOB
    found = {
        party: _printed(values, on)._replace(births_told=births_told)
        for party, values in told.items()
    }
    if "subscriber" in found:
        # The number on the card is the family's: it is the subscriber's as much as the patient's.
        patient = found.get(PATIENT, Printed())
        subscriber = found["subscriber"]
        if patient.name and plain(patient.name) == plain(subscriber.name):
            found["subscriber"] = patient
        elif not subscriber.number:
            found["subscriber"] = subscriber._replace(number=patient.number)
    return found


def _printed(values: dict[str, list[str]], on: dt.date) -> Printed:
    def first(name: str) -> str:
        return next(iter(values.get(name, [])), "")

    postcode = ZIP.findall(first("address"))
    return Printed(
        name=first("name"),
        born=first("dob"),
        number=first("member_id"),
        sex=first("sex"),
        phones=tuple(v for name in ("phone", "mobile") for v in values.get(name, [])),
        faxes=tuple(values.get("fax", [])),
        zip=postcode[-1] if postcode else "",
        group=first("group_number"),
        npi=first("npi"),
        tax_id=first("tax_id"),
        organisation=first("practice"),
        on=on,
    )


def _day_of_service(document: Document) -> dt.date | None:
    for name in ("service_start_date", "effective_from", "referral_date", "submission_date"):
        field = document.field(name)
        try:
            return dt.date.fromisoformat(field.value or "") if field else None
        except ValueError:
            continue
    return None


class Proposal(NamedTuple):
    """A value of the directory that a reviewer may take over; never kept on the document."""

    field: str
    value: str
    canonical_id: str


def proposals(
    document: Document, schema: DocumentSchema, directories: Directories, today: dt.date
) -> tuple[Proposal, ...]:
    """What the directory has where the document has it otherwise, for a reviewer's eyes alone.

    Only where one member is meant, or all but one thing agree exactly: then what differs may be
    proposed. It is asked for while a document is reviewed and stands in no field, finding or log,
    for it may be another person's.
    """
    printed = printed_parties(document, schema, today).get(PATIENT, Printed())
    if printed.empty or not directories.has("members"):
        return ()
    verdict = ask_member(printed, directories)
    best = verdict.best
    if best is None or verdict.outcome not in ("matched", "near") or best.exact < 2:
        return ()
    member = best.member
    numbers = dict.fromkeys(number.number for number in member.numbers)
    known = {
        "name": " ".join(filter(None, (member.first, member.middle, member.last))),
        "dob": member.born,
        "member_id": next(iter(numbers)) if len(numbers) == 1 else "",
    }
    doubtful = {
        name: known[name]
        for name, one in zip(known, best.three, strict=True)
        if known[name] and (one.how in ("near", "differs") or one.slip)
    }
    return tuple(
        Proposal(field.name, doubtful[field.attribute], member.canonical_id)
        for field in schema.fields
        if field.party == PATIENT and field.attribute in doubtful
    )


def ask_member(printed: Printed, directories: Directories) -> Verdict:
    """Which member is meant by what is printed."""
    return match_member(
        printed,
        directories.members(printed),
        is_given_name=directories.is_given_name,
        payer_of=directories.payers.id_of,
    )


def _member(
    party: str, printed: Printed, directories: Directories, claim: int | None = None
) -> PartyFound:
    verdict = ask_member(printed, directories)
    best = verdict.best
    matched = verdict.outcome == "matched" and best is not None
    evidence = best.evidence if best is not None else ()
    if verdict.outcome == "ambiguous":
        evidence = (*evidence, f"members alike: {1 + len(verdict.others)}")
    match = MasterMatch(
        directory="members",
        party=party,
        outcome=verdict.outcome,
        canonical_id=best.member.canonical_id if matched and best is not None else None,
        score=best.score if best is not None else 0.0,
        evidence=evidence,
        edition=directories.edition("members"),
    )
    return PartyFound(match, printed, best, claim)


def _provider(party: str, printed: Printed, directories: Directories) -> PartyFound:
    verdict = match_provider(printed, directories.providers(printed))
    best = verdict.best
    evidence = best.evidence if best is not None else ()
    if verdict.outcome == "ambiguous":
        evidence = (*evidence, f"providers alike: {1 + len(verdict.others)}")
    match = MasterMatch(
        directory="providers",
        party=party,
        outcome=verdict.outcome,
        canonical_id=(
            best.provider.canonical_id if best and verdict.outcome == "matched" else None
        ),
        score=best.score if best is not None else 0.0,
        evidence=evidence,
        edition=directories.edition("providers"),
    )
    return PartyFound(match, printed)


def _claims(document: Document, payer_id: str, directories: Directories) -> Iterator[PartyFound]:
    """The patients of a remittance's claims, each person once per spelling."""
    if document.type != DocumentType.REMITTANCE_EOB:
        return
    seen: dict[Printed, PartyFound] = {}
    for number, claim in enumerate(document.claims[:MOST_CLAIMS], 1):
        printed = _of_claim(claim, payer_id)
        if printed.empty:
            continue
        if printed not in seen:
            seen[printed] = _member("", printed, directories, number)
        party = f"claim {number}"
        match = seen[printed].match.model_copy(update={"party": party})
        yield seen[printed]._replace(match=match, claim=number)


def _of_claim(claim: Claim, payer_id: str) -> Printed:
    lines = (claim, *claim.service_lines)
    days = [line.service_date for line in lines if line.service_date is not None]
    return Printed(
        name=claim.patient_name or "",
        number=claim.member_id or "",
        payer=payer_id,
        group=claim.group_number or "",
        on=min(days) if days else None,
        births_told=False,
    )
