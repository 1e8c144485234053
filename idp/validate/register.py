# SPDX-License-Identifier: Apache-2.0
"""Providers against NPPES, the public register of National Provider Identifiers."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence

from rapidfuzz import fuzz

from idp.document import Document, Field, Finding, Severity
from idp.reference import Provider, Reference
from idp.rulebook import rule
from idp.schemas import DocumentSchema
from idp.validate.looked_up import Said, once, place_of
from idp.values.codes import npi_check_digit_holds
from idp.values.names import is_organisation

_LEAST_LIKENESS = 0.70
_PERSON = 1
_NAMES = frozenset({"name", "practice"})
_OF_NO_WEIGHT = frozenset(
    re.findall(
        r"[A-Z]+",
        "MD DO NP PA PAC RN PHD DDS DMD DPM OD DC FNP APRN ARNP CNM CRNA LCSW LPC LMFT PT DPT OT "
        "SLP MSN BSN PHARMD PSYD AUD MPH FACS FACP FACC JR SR II III IV DR MR MRS MS THE OF AND A "
        "AN FOR AT INC LLC LLP PLLC PC CORP CO LTD COMPANY",
    )
)
"""Degrees, forms of address and of companies: they are written or left out at will."""


@rule("N2", severity=Severity.WARN, source="CMS NPPES downloadable file; 45 CFR 162.408")
def provider_registered(
    document: Document, schema: DocumentSchema, reference: Reference, today: dt.date
) -> list[Finding]:
    """N2: an NPI is in NPPES and active, and its name and taxonomy fit what is printed beside it.

    Silent until NPPES is imported, and where the check digit fails (rule N1 speaks then).
    """
    if not reference.has("nppes"):
        return []
    return once("N2", _each_party(document, schema, reference, today))


def _each_party(
    document: Document, schema: DocumentSchema, reference: Reference, today: dt.date
) -> Iterator[Said]:
    for known in schema.fields:
        if known.attribute != "npi":
            continue
        party = {f.name: f.attribute for f in schema.fields if f.party == known.party}
        beside = [f for f in document.fields if f.value and f.name in party]
        for field in beside:
            if field.name == known.name and npi_check_digit_holds(field.value or ""):
                names = [f for f in beside if party[f.name] in _NAMES]
                specialties = [f for f in beside if party[f.name] == "specialty"]
                yield from _judged(field, known.title, names, specialties, reference, today)


def _judged(  # noqa: PLR0917 - one party's fields
    npi: Field,
    title: str,
    names: Sequence[Field],
    specialties: Sequence[Field],
    reference: Reference,
    today: dt.date,
) -> Iterator[Said]:
    found = reference.provider(npi.value or "")
    place = place_of(npi)
    if found is None:
        yield Said(
            Severity.WARN,
            f"{title} {npi.value} is not in NPPES as imported",
            "Compare it with the page; a new NPI is in the register of the next month",
            npi.name,
            place,
        )
        return
    if not found.active_on(today):
        since = f" on {found.deactivated.isoformat()}" if found.deactivated else ""
        yield Said(
            Severity.WARN,
            f"{title} {npi.value} was deactivated{since} (NPPES {found.edition})",
            "Ask the provider for the NPI in use",
            npi.name,
            place,
        )
        return
    if names and found.names:
        yield from _name_fits(npi, title, names, found, reference)
    if found.entity == _PERSON:
        for field in specialties:
            if reference.fits(field.value or "", found) is False:
                yield Said(
                    Severity.WARN,
                    f"{field.value} is not what NPPES says of {title} {npi.value}: "
                    f"{_taxonomies(found, reference)}",
                    "Check that the NPI is that of the provider meant",
                    npi.name,
                    place,
                )


def _name_fits(
    npi: Field, title: str, names: Sequence[Field], found: Provider, reference: Reference
) -> Iterator[Said]:
    of = "name" if found.entity == _PERSON else "organization"
    least = reference.threshold("nppes", of, _LEAST_LIKENESS)
    best = max(likeness(f.value or "", known) for f in names for known in found.names)
    if best >= least:
        return
    # A practice's name beside its physician's NPI is usual, and tells nothing of a wrong digit.
    other_kind = found.entity == _PERSON and all(is_organisation(f.value or "") for f in names)
    yield Said(
        Severity.INFO if other_kind else Severity.WARN,
        f"NPPES gives {title} {npi.value} to {found.names[0]}, not to {names[0].value}",
        "Compare number and name with the page; one of them belongs to somebody else",
        npi.name,
        place_of(npi),
    )


def likeness(printed: str, known: str) -> float:
    """How alike two names are, 0 to 1: word by word, each to its best counterpart.

    The name with fewer words counts, so that a middle name, a second family name or a suite of
    departments takes nothing away, and long words count for more than short ones. An initial is
    alike to any word that begins with it.
    """
    shorter, longer = sorted((_words(printed), _words(known)), key=_size)
    if not shorter:
        return 0.0
    left = list(longer)
    total = 0.0
    for word in sorted(shorter, key=len, reverse=True):
        best = max(left, key=lambda other: _alike(word, other))
        total += _alike(word, best) * len(word)
        left.remove(best)
    return total / sum(map(len, shorter))


def _size(words: Sequence[str]) -> tuple[int, int, Sequence[str]]:
    return (len(words), sum(map(len, words)), words)


def _words(name: str) -> list[str]:
    words = re.findall(r"[^\W\d_]+", name.upper().replace("'", "").replace(".", ""))
    kept = [word for word in words if word not in _OF_NO_WEIGHT]
    return kept or words


def _alike(word: str, other: str) -> float:
    if word == other:
        return 1.0
    short, long = sorted((word, other), key=len)
    if long.startswith(short):
        # An initial, or a name cut short (Rob, Ortho).
        return 0.9
    return fuzz.ratio(word, other) / 100


def _taxonomies(found: Provider, reference: Reference) -> str:
    said: list[str] = []
    for code in found.taxonomies[:3]:
        entry = reference.look("taxonomy", code)
        said.append(f"{code} {entry.title}" if entry else code)
    return ", ".join(said)
