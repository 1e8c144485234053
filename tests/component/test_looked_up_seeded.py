# SPDX-License-Identifier: Apache-2.0
"""Seeded faults for the rules that look codes up, and as many documents without one."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from idp.document import Document
from idp.reference import Reference, import_file, load_layouts
from tests.reference_files import (
    BY,
    deactivated,
    hcpcs_line,
    imported,
    opened,
    person,
    write_nppes,
)
from tests.unit.test_looked_up import remittance, request, said, with_raw

pytestmark = pytest.mark.component

EACH = 200
LEAST_FOUND = 0.98
MOST_ALARMS = 0.01

_ONE = ["AN", "BE", "CO", "DU", "EL", "FI", "GAR", "HEL", "IR", "JU", "KA", "LU", "MAR", "NI", "OL"]
_TWO = ["BERT", "CIA", "DRA", "FRED", "GIN", "HILD", "KARD", "LIA", "MUND", "RICK", "STIN", "THEA"]
_SPECIALTIES = {
    "207RC0000X": "Cardiology",
    "207N00000X": "Dermatology",
    "207RG0100X": "Gastroenterology",
    "207X00000X": "Orthopedic Surgery",
    "2084N0400X": "Neurology",
    "208800000X": "Urology",
}


def _name(chance: random.Random) -> str:
    return chance.choice(_ONE) + chance.choice(_TWO)


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> tuple[Reference, list[tuple[str, str, str]]]:
    """Lists, and who is in the register: first name, last name, taxonomy; by number from 1."""
    folder: Path = tmp_path_factory.mktemp("lists")
    chance = random.Random(20261122)
    people = [
        (_name(chance), _name(chance) + chance.choice(_TWO), chance.choice(list(_SPECIALTIES)))
        for _ in range(400)
    ]
    register = write_nppes(
        folder / "npidata_pfile_20050523-20260308.csv",
        [
            *(person(n, last, first, (code,)) for n, (first, last, code) in enumerate(people, 1)),
            *(deactivated(n, "01/31/2024") for n in range(1_001, 1_201)),
        ],
    )
    hcpcs = folder / "HCPC2026_JAN_ANWEB.txt"
    hcpcs.write_text(
        "".join(hcpcs_line(f"J{n:04d}", "x") for n in range(0, 4_000, 2))
        + "".join(hcpcs_line(f"E{n:04d}", "x", ended="20241231") for n in range(400))
        + "".join(hcpcs_line(f"{a}{b}", "x", record="7") for a in "EGQ" for b in "ABCDEFG"),
        encoding="ascii",
    )
    layouts = load_layouts()
    import_file(folder / "reference", register, layouts["nppes"], BY)
    import_file(folder / "reference", hcpcs, layouts["hcpcs"], BY)
    head = "Code,Description,Start Date,Last Modified,Stop Date\n"
    carc = "".join(f"{n},x,01/01/1995,,\n" for n in range(1, 100))
    carc += "".join(f"{n},x,01/01/1995,,12/31/2012\n" for n in range(100, 150))
    carc += "".join(
        f"{n},x. At least one Remark Code must be provided.,01/01/1995,,\n" for n in range(150, 170)
    )
    imported(
        folder,
        {
            "carc": head + carc,
            "rarc": head + "".join(f"N{n},x,01/01/2000,,\n" for n in range(1, 300)),
            "core_combinations": "Scenario,CARC,RARC,CAGC\n"
            + "".join(f"1,{n},N{n},CO\n" for n in range(150, 170)),
            "ndc": "NDCPACKAGECODE\tPACKAGEDESCRIPTION\n"
            + "".join(f"{n:05d}-{n % 1000:03d}-01\tx\n" for n in range(10_000, 10_400)),
        },
    )
    return opened(folder), people


Make = Callable[[random.Random, list[tuple[str, str, str]]], Document]


def _right(chance: random.Random, people: list[tuple[str, str, str]]) -> tuple[int, str, str]:
    number = chance.randrange(len(people))
    first, last, code = people[number]
    form = chance.choice(["{f} {l}, MD", "{l}, {f}", "Dr. {f} {l}", "{i}. {l} MD"])
    name = form.format(f=first.title(), l=last.title(), i=first[0])
    return number + 1, name, _SPECIALTIES[code]


def _sound_request(chance: random.Random, people: list[tuple[str, str, str]]) -> Document:
    return request(*_right(chance, people), procedure_codes=f"J{2 * chance.randrange(2_000):04d}")


def _unknown(chance: random.Random, people: list[tuple[str, str, str]]) -> Document:
    return request(chance.randrange(5_000, 9_000), *_right(chance, people)[1:])


def _taken_back(chance: random.Random, people: list[tuple[str, str, str]]) -> Document:
    return request(chance.randrange(1_001, 1_201), *_right(chance, people)[1:])


def _of_another(chance: random.Random, people: list[tuple[str, str, str]]) -> Document:
    number, name, specialty = _right(chance, people)
    return request((number + chance.randrange(1, 399)) % 400 + 1, name, specialty)


def _other_specialty(chance: random.Random, people: list[tuple[str, str, str]]) -> Document:
    number, name, right = _right(chance, people)
    other = chance.choice([each for each in _SPECIALTIES.values() if each != right])
    return request(number, name, other)


def _not_listed(chance: random.Random, people: list[tuple[str, str, str]]) -> Document:
    odd = f"J{2 * chance.randrange(2_000) + 1:04d}"
    return request(*_right(chance, people), procedure_codes=odd)


def _ended(chance: random.Random, people: list[tuple[str, str, str]]) -> Document:
    return request(*_right(chance, people), procedure_codes=f"E{chance.randrange(400):04d}")


def _sound_codes(chance: random.Random, people: list[tuple[str, str, str]]) -> Document:
    number = chance.randrange(10_000, 10_400)
    dashes = chance.choice(
        [f"{number:05d}-{number % 1000:03d}-01", f"{number}0{number % 1000:03d}01"]
    )
    return chance.choice(
        [
            with_raw("medication_name", f"Madeupin NDC {dashes}", "Madeupin"),
            with_raw(
                "procedure_codes", f"73721-{chance.choice('EGQ')}{chance.choice('ABC')}", "73721"
            ),
            with_raw("place_of_service", chance.choice(["11", "21", "POS 22", "Office (11)"]), "x"),
        ]
    )


def _wrong_codes(chance: random.Random, people: list[tuple[str, str, str]]) -> Document:
    number = chance.randrange(20_000, 90_000)
    return chance.choice(
        [
            with_raw("medication_name", f"Madeupin NDC {number:05d}-123-01", "Madeupin"),
            with_raw("medication_name", f"Madeupin NDC {number:05d}-123-0199", "Madeupin"),
            with_raw(
                "procedure_codes", f"73721-{chance.choice('EGQ')}{chance.choice('XYZ')}", "73721"
            ),
            with_raw("place_of_service", chance.choice(["28", "POS 30", "Office (73)"]), "x"),
        ]
    )


def _sound_reasons(chance: random.Random, people: list[tuple[str, str, str]]) -> Document:
    demanding = chance.randrange(150, 170)
    group = chance.choice(["CO", "PR", "OA", "PI"])
    return remittance(
        (
            f"{group}-{chance.randrange(1, 100)}",
            chance.choice([None, f"N{chance.randrange(1, 300)}"]),
        ),
        (f"CO-{demanding}", f"N{demanding}"),
    )


def _wrong_reasons(chance: random.Random, people: list[tuple[str, str, str]]) -> Document:
    demanding = chance.randrange(150, 170)
    slip = chance.choice(
        [
            (f"CO-{chance.randrange(100, 150)}", None),
            (f"CO-{chance.randrange(200, 999)}", None),
            (f"XX-{chance.randrange(1, 100)}", None),
            (f"CO-{chance.randrange(1, 100)}", f"N{chance.randrange(300, 999)}"),
            (f"CO-{demanding}", None),
            (f"PR-{demanding}", f"N{demanding}"),
            (f"CO-{demanding}", f"N{demanding - 1}"),
        ]
    )
    return remittance(("CO-45", None), slip)


@pytest.mark.parametrize(
    ("rule", "sound", "faults"),
    [
        ("N2", _sound_request, (_unknown, _taken_back, _of_another, _other_specialty)),
        ("N6", _sound_request, (_not_listed, _ended)),
        ("N7", _sound_codes, (_wrong_codes,)),
        ("R7", _sound_reasons, (_wrong_reasons,)),
    ],
)
def test_seeded_faults_are_found_and_sound_documents_left_alone(
    known: tuple[Reference, list[tuple[str, str, str]]],
    rule: str,
    sound: Make,
    faults: tuple[Make, ...],
    capsys: pytest.CaptureFixture[str],
) -> None:
    reference, people = known
    chance = random.Random(7)
    alarms = sum(bool(said(sound(chance, people), reference, rule)) for _ in range(EACH))
    for fault in faults:
        found = sum(bool(said(fault(chance, people), reference, rule)) for _ in range(EACH))
        with capsys.disabled():
            name = fault.__name__.strip("_").replace("_", " ")
            line = f"{rule} {name}: {found} of {EACH} found, {alarms} of {EACH} sound ones alarmed"
            sys.stdout.write(f"\n{line}\n")
        assert found >= LEAST_FOUND * EACH
    assert alarms <= MOST_ALARMS * EACH
