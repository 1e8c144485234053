# SPDX-License-Identifier: Apache-2.0
"""Files of code lists and registers in the formats of their publishers, about nobody and nothing.

Codes that a publisher owns are not copied: the few that stand here are made up in their shape, or
are single codes as any claim shows them, with descriptions of our own.
"""

from __future__ import annotations

import csv
import datetime as dt
import itertools
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from stdnum import luhn

from idp.reference import Asked, Reference, import_file, load_layouts
from idp.reference.specialties import load_specialties

BY = Asked(by="test")

NPPES_HEADER = (
    "NPI",
    "Entity Type Code",
    "Replacement NPI",
    "Employer Identification Number (EIN)",
    "Provider Organization Name (Legal Business Name)",
    "Provider Last Name (Legal Name)",
    "Provider First Name",
    "Provider Middle Name",
    "Provider Name Prefix Text",
    "Provider Name Suffix Text",
    "Provider Credential Text",
    "Provider Other Organization Name",
    "Provider Other Organization Name Type Code",
    "Provider Other Last Name",
    "Provider Other First Name",
    "Provider Other Middle Name",
    "Provider Other Name Prefix Text",
    "Provider Other Name Suffix Text",
    "Provider Other Credential Text",
    "Provider Other Last Name Type Code",
    *(f"Provider {line} Business Mailing Address" for line in ("First Line", "Second Line")),
    "Provider Business Mailing Address City Name",
    "Provider Business Mailing Address State Name",
    "Provider Business Mailing Address Postal Code",
    "Provider Business Mailing Address Country Code (If outside U.S.)",
    "Provider Business Mailing Address Telephone Number",
    "Provider Business Mailing Address Fax Number",
    "Provider First Line Business Practice Location Address",
    "Provider Second Line Business Practice Location Address",
    "Provider Business Practice Location Address City Name",
    "Provider Business Practice Location Address State Name",
    "Provider Business Practice Location Address Postal Code",
    "Provider Business Practice Location Address Country Code (If outside U.S.)",
    "Provider Business Practice Location Address Telephone Number",
    "Provider Business Practice Location Address Fax Number",
    "Provider Enumeration Date",
    "Last Update Date",
    "NPI Deactivation Reason Code",
    "NPI Deactivation Date",
    "NPI Reactivation Date",
    "Provider Gender Code",
    "Authorized Official Last Name",
    "Authorized Official First Name",
    "Authorized Official Middle Name",
    "Authorized Official Title or Position",
    "Authorized Official Telephone Number",
    *(
        f"{what}_{n}"
        for n in range(1, 16)
        for what in (
            "Healthcare Provider Taxonomy Code",
            "Provider License Number",
            "Provider License Number State Code",
            "Healthcare Provider Primary Taxonomy Switch",
        )
    ),
    *(
        f"Other Provider Identifier{what}_{n}"
        for n in range(1, 51)
        for what in ("", " Type Code", " State", " Issuer")
    ),
    "Is Sole Proprietor",
    "Is Organization Subpart",
    "Parent Organization LBN",
    "Parent Organization TIN",
    "Authorized Official Name Prefix Text",
    "Authorized Official Name Suffix Text",
    "Authorized Official Credential Text",
    *(f"Healthcare Provider Taxonomy Group_{n}" for n in range(1, 16)),
    "Certification Date",
)
"""The columns of the monthly file, in its order."""

_FIRST = ("ADA", "BO", "CLEO", "DORA", "ELI", "FAY", "GUS", "HAL", "IDA", "JON")
_LAST = ("EXAMPLE", "SAMPLE", "SPECIMEN", "PATTERN", "MUSTER", "MODEL", "DRAFT", "PROOF")


def npi(number: int) -> str:
    """The ``number``-th NPI that passes its check digit."""
    body = f"1{number:08d}"
    return body + str(luhn.calc_check_digit(f"80840{body}"))


def nppes_row(values: Mapping[str, str]) -> list[str]:
    """A row of the register; columns not named are empty."""
    if unknown := set(values) - set(NPPES_HEADER):
        raise KeyError(unknown)
    return [values.get(name, "") for name in NPPES_HEADER]


def person(
    number: int, last: str, first: str, taxonomies: Iterable[str] = (), **more: str
) -> dict[str, str]:
    """A person in the register; the last taxonomy is the primary one."""
    coded = list(taxonomies)
    row = {
        "NPI": npi(number),
        "Entity Type Code": "1",
        "Provider Last Name (Legal Name)": last,
        "Provider First Name": first,
        "Provider Credential Text": "M.D.",
        "Provider Business Practice Location Address City Name": "AUSTIN",
        "Provider Business Practice Location Address State Name": "TX",
        "Provider Business Practice Location Address Postal Code": "787010001",
        "Provider Business Practice Location Address Telephone Number": "5125550166",
        "Provider Enumeration Date": "05/23/2007",
    }
    for place, code in enumerate(coded, start=1):
        row[f"Healthcare Provider Taxonomy Code_{place}"] = code
        row[f"Healthcare Provider Primary Taxonomy Switch_{place}"] = (
            "Y" if place == len(coded) else "N"
        )
    return row | {name.replace("__", " "): value for name, value in more.items()}


def organisation(number: int, name: str, other: str = "") -> dict[str, str]:
    return {
        "NPI": npi(number),
        "Entity Type Code": "2",
        "Provider Organization Name (Legal Business Name)": name,
        "Provider Other Organization Name": other,
        "Healthcare Provider Taxonomy Code_1": "282N00000X",
        "Healthcare Provider Primary Taxonomy Switch_1": "Y",
    }


def deactivated(number: int, day: str, again: str = "") -> dict[str, str]:
    """What NPPES leaves of an entry that is taken back: the number and the day."""
    return {"NPI": npi(number), "NPI Deactivation Date": day, "NPI Reactivation Date": again}


def write_nppes(path: Path, people: Iterable[Mapping[str, str]]) -> Path:
    """A register with every value in quotation marks, as CMS writes it."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerow(NPPES_HEADER)
        writer.writerows(nppes_row(row) for row in people)
    return path


def crowd(count: int) -> Iterator[dict[str, str]]:
    """Many people; every tenth an organisation, every twentieth taken back."""
    names = itertools.cycle(itertools.product(_LAST, _FIRST))
    for number, (last, first) in zip(range(count), names, strict=False):
        # The register is not sorted by number.
        shuffled = (number * 7_919) % count + 1
        if number % 20 == 3:
            yield deactivated(shuffled, "03/01/2019")
        elif number % 10 == 0:
            yield organisation(shuffled, f"{last} CLINIC OF {first}")
        else:
            yield person(shuffled, last, first, ("207Q00000X", "207RC0000X"))


def hcpcs_line(
    code: str,
    long: str,
    short: str = "",
    *,
    record: str = "3",
    sequence: int = 100,
    added: str = "20100101",
    ended: str = "",
) -> str:
    """A line of CMS's alpha-numeric file of fixed width (320 places); modifiers stand at 4-5."""
    line = f"{code:>5}{sequence:05d}{record}{long:<80}{short:<28}"
    return f"{line:<268}{added:8}{added:8}{ended:8}N".ljust(320) + "\r\n"


def icd10_line(number: int, code: str, title: str, *, billable: bool) -> str:
    """A line of CMS's order file."""
    return f"{number:05d} {code:<7} {int(billable)} {title[:60]:<60} {title}\r\n"


def zipped(path: Path, *members: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member in members:
            archive.write(member, member.name)
    return path


CARC = """\
Code,Description,Start Date,Last Modified,Stop Date
45,Made up: more than the fee schedule allows.,01/01/1995,07/01/2017,
16,"Made up: something lacks. At least one Remark Code must be provided (and so on).",01/01/1995,,
15,Made up: taken out of use.,01/01/1995,,06/30/2007
197,Made up: nobody asked before.,10/31/2006,,
P99,Made up: begins late.,01/01/2030,,
"""
RARC = """\
Code,Description,Start Date,Last Modified,Stop Date
N130,Made up: look into the plan.,07/01/2002,,
M76,Made up: the diagnosis lacks.,01/01/1997,,
N999,Alert: made up: you may appeal.,01/01/2000,,
MA02,Made up: taken out of use.,01/01/1997,,12/31/2011
"""
CORE = """\
Business Scenario,CARC,RARC,CAGC
1 - Additional information required,16,M76,"CO, PI"
,,N130,CO
3 - Not covered,197,N/A,CO or PR
"""


def imported(folder: Path, files: Mapping[str, str], *, day: str = "2026-03-01") -> Reference:
    """A reference with these lists imported: text of a file by kind."""
    layouts = load_layouts()
    for kind, text in files.items():
        path = folder / f"{kind}.csv"
        path.write_text(text, encoding="utf-8")
        import_file(
            folder / "reference",
            path,
            layouts[kind].model_copy(update={"most_refused": 0.0}),
            BY._replace(edition=day),
            now=lambda: dt.datetime(2026, 3, 1, tzinfo=dt.UTC),
        )
    return opened(folder)


def opened(folder: Path) -> Reference:
    return Reference(folder / "reference", load_layouts(), load_specialties())
