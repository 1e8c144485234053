# SPDX-License-Identifier: Apache-2.0
"""Rule N4: the patient is a member, by the rule of two of three, and the number has its shape.

A finding says which of name, birth date and member ID differs from our directory, never what the
directory has: it may be another person's.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from idp.document import Claim, Document, Field, Finding, Place, Severity
from idp.errors import AccessError, ImportedDataError
from idp.masters import (
    Compared,
    Directories,
    Found,
    PartyFound,
    Printed,
    find_parties,
    fits,
    fits_misread,
)
from idp.rulebook import rule
from idp.schemas import DocumentSchema

_PATIENT = "patient"
_MOST_NAMED = 20
"""Claims that one finding names."""

_WORDS = {"name": "the name", "dob": "the birth date", "member_id": "the member ID"}
_LOOK = "Compare {what} with the page and with the insurance card; correct it, or ask the sender"


class LookedUp(NamedTuple):
    """The parties of a document, and what is to be said of directories that can't be read."""

    found: Found = Found()
    findings: tuple[Finding, ...] = ()


def looked_up(
    document: Document, schema: DocumentSchema, directories: Directories | None, today: dt.date
) -> LookedUp:
    """Every party in its directory; a damaged directory holds documents back, it breaks nothing."""
    if directories is None:
        return LookedUp()
    try:
        return LookedUp(find_parties(document, schema, directories, today))
    except (ImportedDataError, AccessError):
        damaged = Finding(
            rule="N4",
            severity=Severity.BLOCK,
            message="Our directories can't be read, so nobody was looked up",
            remedy="`idp doctor` names the file; import the directory again",
        )
        return LookedUp(findings=(damaged,))


@rule(
    "N4",
    severity=Severity.BLOCK,
    source="master data: name, birth date, member ID (X12 270/271 TR3 search criteria; CAQH CORE "
    "258 normalising patient last name)",
)
def member_known(
    document: Document,
    schema: DocumentSchema,
    found: Found,
    role: Literal["provider", "payer"] = "provider",
) -> Iterator[Finding]:
    """N4: the member ID has the payer's shape, and two of name, birth date and ID are a member's.

    Two agree exactly and the third nearly: it is that member, and what is not sign for sign the
    same is a warning. Anything between two people is a person's decision. A patient whom the
    directory does not know blocks where the site is a payer, who knows all its members; a provider
    sees new patients every day, and is warned.

    Args:
        document: As extracted.
        schema: That of its type.
        found: Its parties as looked up.
        role: Of the site.
    """
    patient = next((p for p in found.parties if p.match.party == _PATIENT), None)
    if found.payer is not None:
        yield from _shape(document, schema, found)
    if patient is not None and not any(party.claim for party in found.parties):
        yield from _patient(document, schema, patient, role)
    yield from _claims(document.claims, found.parties)


def _shape(document: Document, schema: DocumentSchema, found: Found) -> Iterator[Finding]:
    field = _fields(document, schema).get("member_id")
    if found.payer is None:
        return
    if field is not None and field.value and not fits(found.payer, field.value):
        slip = fits_misread(found.payer, field.value)
        said = (
            ": with signs that are read for each other exchanged (O and 0, I and 1) it would"
            if slip
            else ""
        )
        yield _finding(
            [field],
            Severity.BLOCK,
            f"Member ID does not look like this payer's numbers{said}",
            _LOOK.format(what="the member ID"),
        )
    odd = [
        number
        for number, claim in enumerate(document.claims, 1)
        if claim.member_id and not fits(found.payer, claim.member_id)
    ]
    if odd:
        yield _of_claims(
            document.claims,
            odd,
            Severity.WARN,
            "The member ID does not look like this payer's numbers",
            _LOOK.format(what="the member ID"),
        )


def _patient(
    document: Document, schema: DocumentSchema, patient: PartyFound, role: str
) -> Iterator[Finding]:
    by_attribute = _fields(document, schema)
    told = [by_attribute[name] for name in ("member_id", "name", "dob") if name in by_attribute]
    match, compared = patient.match, patient.compared
    if match.outcome == "none" or compared is None:
        severity = Severity.BLOCK if role == "payer" else Severity.WARN
        yield _finding(
            told,
            severity,
            "The patient is not found in our member directory",
            "Compare name, birth date and member ID with the page; a new patient has to be "
            "entered first",
        )
        return
    if match.outcome == "ambiguous":
        yield _finding(
            told,
            Severity.BLOCK,
            "Several members of our directory may be this patient",
            "Tell them apart by birth date and member ID; the same person entered twice has to be "
            "joined in the directory",
        )
        return
    differing = _differing(compared, by_attribute)
    if match.outcome == "near":
        yield from _near(compared, differing or told, by_attribute, patient.printed)
    elif differing:
        what = _listed([name for name in by_attribute if by_attribute[name] in differing])
        yield _finding(
            differing,
            Severity.WARN,
            f"The patient is a member, but {what} is not quite what our directory has",
            _LOOK.format(what=what),
        )
    if match.outcome == "matched":
        yield from _beside(compared, told)


def _near(
    compared: Compared,
    fields: Sequence[Field],
    by_attribute: dict[str, Field],
    printed: Printed,
) -> Iterator[Finding]:
    agree = [
        name
        for name, one in zip(("name", "dob", "member_id"), compared.three, strict=True)
        if one.how == "same"
    ]
    # A name alone, with nothing to hold beside it, is somebody's namesake: C1 asks for the rest.
    alone = agree == ["name"] and not printed.born and not printed.number
    untold = not compared.against and not any(one.slip for one in compared.three)
    what = _listed([name for name in by_attribute if by_attribute[name] in fields])
    agreed = _listed(agree)
    if alone:
        message = "Somebody of this name is a member; a name alone does not tell who"
    elif not untold:
        verb = "differ" if " and " in what else "differs"
        message = f"{what[:1].upper()}{what[1:]} {verb} from our member directory"
        message += f"; {agreed} {'agree' if ' and ' in agreed else 'agrees'}" if agreed else ""
    else:
        message = f"Only {agreed} can be held against our member directory: that is too little"
    yield _finding(
        fields, Severity.WARN if untold else Severity.BLOCK, message, _LOOK.format(what=what)
    )


def _beside(compared: Compared, told: Sequence[Field]) -> Iterator[Finding]:
    """What warns about a member who was found: sex, payer, cover."""
    warnings = {
        "sex": "Sex differs from our member directory",
        "payer": "The payer is not one that our directory has for this member",
        "cover: has ended": "The member's cover had ended on the day of service",
        "cover: has not begun": "The member's cover had not begun on the day of service",
    }
    for one in compared.beside:
        if one.how != "differs":
            continue
        said = warnings.get(one.said) or warnings.get(one.said.split(":", 1)[0])
        if said:
            yield _finding(
                told, Severity.WARN, said, "Check the member's eligibility with the payer"
            )


def _claims(claims: Sequence[Claim], parties: Sequence[PartyFound]) -> Iterator[Finding]:
    """One finding for all patients of a remittance who are unknown, one for the doubtful."""
    told: dict[str, list[int]] = {}
    for party in parties:
        if party.claim is not None and party.match.outcome != "matched":
            what = "none" if party.match.outcome == "none" else "doubtful"
            told.setdefault(what, []).append(party.claim)
    looked = sum(party.claim is not None for party in parties)
    for what, message in (
        ("none", "not found in our member directory"),
        ("doubtful", "not sure to be members of our directory"),
    ):
        numbers = told.get(what, [])
        if numbers:
            yield _of_claims(
                claims,
                numbers,
                Severity.WARN,
                f"{len(numbers)} of {looked} patients are {message}",
                "Look for the account by its number before the payment is posted",
            )


def _of_claims(
    claims: Sequence[Claim], numbers: Sequence[int], severity: Severity, message: str, remedy: str
) -> Finding:
    shown = ", ".join(str(number) for number in numbers[:_MOST_NAMED])
    more = " ..." if len(numbers) > _MOST_NAMED else ""
    places = tuple(
        Place(page=claim.page, box=claim.box)
        for claim in (claims[number - 1] for number in numbers)
        if claim.page is not None
    )
    return Finding(
        rule="N4",
        severity=severity,
        field="claims",
        message=f"{message}: claim{'s' if len(numbers) > 1 else ''} {shown}{more}",
        page=places[0].page if places else None,
        box=places[0].box if places else None,
        remedy=remedy,
        fields=("claims",),
        places=places,
    )


def _fields(document: Document, schema: DocumentSchema) -> dict[str, Field]:
    """The patient's name, birth date and member ID as fields, by attribute."""
    found: dict[str, Field] = {}
    for known in schema.fields:
        if known.party == _PATIENT and known.attribute in _WORDS:
            field = document.field(known.name)
            if field is not None and field.value:
                found.setdefault(known.attribute, field)
    return found


def _differing(compared: Compared, by_attribute: dict[str, Field]) -> list[Field]:
    """The fields that are not sign for sign what the directory has."""
    pairs = zip(("name", "dob", "member_id"), compared.three, strict=True)
    return [
        by_attribute[name]
        for name, one in pairs
        if name in by_attribute and (one.how == "differs" or one.slip)
    ]


def _listed(names: Sequence[str]) -> str:
    words = [_WORDS[name] for name in names]
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def _finding(fields: Sequence[Field], severity: Severity, message: str, remedy: str) -> Finding:
    first = fields[0] if fields else None
    return Finding(
        rule="N4",
        severity=severity,
        field=first.name if first else None,
        message=message,
        page=first.page if first else None,
        box=first.box if first else None,
        remedy=remedy,
        fields=tuple(field.name for field in fields),
        places=tuple(Place(page=f.page, box=f.box) for f in fields if f.page is not None),
    )
