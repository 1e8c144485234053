# SPDX-License-Identifier: Apache-2.0
"""What the installation of the benchmark has imported: directories and code lists, all invented.

Every patient and provider of the sound documents is in them; the codes are those that the documents
use, beside some that have ended. Texts of licensed lists are our own.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from random import Random

from idp.masters import import_directory
from idp.reference import Asked, import_file, load_layouts
from idp.settings import Settings
from idp.values import Kind, parse
from training.faults.cases import Case
from training.faults.pools import PROCEDURES
from training.synthesise import values

ENDED_CODE = "E0602"
ENDED_REASON = "17"
_SINCE, _ENDED = "01/01/2003", "12/31/2019"
_REASONS = ("1", "2", "3", "45", "253")
_ROLES = ("requesting_provider", "servicing_provider", "referring_provider", "referred_to")
_NOW = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)


def build(folder: Path, cases: Sequence[Case]) -> Settings:
    """Settings of an installation that has imported what is needed.

    Args:
        folder: An empty one, for all that is imported.
        cases: The sound documents whose people are to be known.
    """
    settings = Settings(data=folder / "data")
    members = folder / "members.csv"
    _write(members, ("member_id", "name", "dob"), dict.fromkeys(_members(cases)))
    import_directory(settings.masters_folder, "members", str(members), now=_NOW)
    _import(settings, folder, "nppes", "npidata_pfile_20050523-20261108.csv", _nppes(cases))
    _import(settings, folder, "hcpcs", "HCPC2026_OCT_ANWEB.csv", _hcpcs())
    _import(settings, folder, "carc", "carc.csv", _carc())
    return settings


def _members(cases: Iterable[Case]) -> Iterator[tuple[str, str, str]]:
    for case in cases:
        born = parse(Kind.DATE, case.text("patient_dob"), not_after=case.received).value
        if case.text("member_id") and born:
            yield case.text("member_id"), case.text("patient_name"), born
        for claim in case.claims:
            yield claim.member, claim.patient, ""
        for payment in case.remit.claims if case.remit else ():
            yield payment.member, f"{payment.patient[1]}, {payment.patient[0]}", ""


_NPPES = (
    "NPI",
    "Entity Type Code",
    "Provider Organization Name (Legal Business Name)",
    "Provider Last Name (Legal Name)",
    "Provider First Name",
    "NPI Deactivation Date",
    "NPI Reactivation Date",
    "Healthcare Provider Taxonomy Code_1",
)


def _nppes(cases: Iterable[Case]) -> Iterator[Sequence[str]]:
    yield _NPPES
    for number in NAMES_OF_NOBODY:
        yield (number, "1", "", "VANTERPOOL", "ZEBULON", "", "", "207Q00000X")
    for number in DEACTIVATED:
        yield (number, "1", "", "VANTERPOOL", "ZEBULON", "03/01/2021", "", "207Q00000X")
    seen: set[str] = set()
    for case in cases:
        for role in _ROLES:
            number, name = case.text(f"{role}_npi"), case.text(f"{role}_name")
            if number and number not in seen:
                seen.add(number)
                first, _, last = name.split(",")[0].rpartition(" ")
                yield (number, "1", "", last.upper(), first.upper(), "", "", "")
        payee = case.remit.npi if case.remit else case.text("payee_npi")
        if payee and payee not in seen:
            seen.add(payee)
            name = case.remit.payee if case.remit else case.text("payee_name")
            yield (payee, "2", name.upper(), "", "", "", "", "")


def _npis(seed: str, count: int) -> tuple[str, ...]:
    rng = Random(seed)  # noqa: S311 - not for secrets
    return tuple(values.npi(rng) for _ in range(count))


NAMES_OF_NOBODY = _npis("somebody else's", 40)
"""Numbers of a provider whom no document names."""
DEACTIVATED = _npis("deactivated", 40)
UNKNOWN = _npis("unknown", 40)
"""Numbers whose check digit holds and which nobody has."""


def _hcpcs() -> Iterator[Sequence[str]]:
    yield ("HCPC", "RecID", "Long Description", "Short Description", "Add Dt", "Term Dt")
    for code, text in PROCEDURES:
        if code[0].isalpha():
            yield (code, "3", text, text[:28], "20030101", "")
    yield (ENDED_CODE, "3", "A code that has ended", "Ended", "20030101", "20191231")
    yield ("RT", "7", "Right side", "Right", "20030101", "")


def _carc() -> Iterator[Sequence[str]]:
    yield ("Code", "Description", "Start", "Stop")
    for code in _REASONS:
        yield (code, f"Reason {code}, in words of the benchmark", _SINCE, "")
    yield (ENDED_REASON, "A reason that has ended", _SINCE, _ENDED)


def _import(
    settings: Settings, folder: Path, kind: str, name: str, rows: Iterable[Sequence[str]]
) -> None:
    path = folder / name
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    layout = load_layouts(settings.rules_folder)[kind]
    import_file(settings.reference_folder, path, layout, Asked(by="benchmark"))


def _write(path: Path, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        writer.writerows(rows)
