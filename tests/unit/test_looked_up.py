# SPDX-License-Identifier: Apache-2.0
"""Rules that look codes up (N2, N6, N7, R7): what they find, and when they stay silent."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from idp.document import Box, Claim, Document, DocumentType, Finding, Page, ServiceLine, Severity
from idp.judge import Judge
from idp.knowledge import Knowledge
from idp.reference import Reference, import_file, load_layouts
from idp.schemas import load_schemas
from idp.settings import DecisionSettings, Settings
from idp.validate import validate
from idp.validate.register import likeness
from tests.reference_files import (
    BY,
    CARC,
    CORE,
    RARC,
    deactivated,
    hcpcs_line,
    icd10_line,
    imported,
    npi,
    opened,
    organisation,
    person,
    write_nppes,
)
from tests.unit.pages import page
from tests.unit.test_validate import REQUEST, document

TODAY = dt.date(2026, 3, 12)


def judged(given: Document, reference: Reference, *, x12: bool = False) -> Document:
    of = page("a page")
    pages: list[Page] = [of.model_copy(update={"words_source": "x12"}) if x12 else of]
    return validate(
        given,
        load_schemas()[given.type],
        DecisionSettings(),
        pages,
        TODAY,
        knowledge=Knowledge(reference=reference),
    )


def said(given: Document, reference: Reference, rule: str, *, x12: bool = False) -> list[Finding]:
    return [f for f in judged(given, reference, x12=x12).findings if f.rule == rule]


# --- N2


@pytest.fixture(scope="module")
def register(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    folder = tmp_path_factory.mktemp("nppes")
    path = write_nppes(
        folder / "npidata_pfile_20050523-20260308.csv",
        [
            person(1, "SAMPLE", "BO", ("207RC0000X",), **{"Provider Middle Name": "QUENTIN"}),
            organisation(2, "EXAMPLE ORTHOPEDIC ASSOCIATES, LLC", "EXAMPLE SPINE CENTER"),
            deactivated(3, "03/01/2019"),
            person(4, "MUSTER", "EVA", ("363LF0000X",)),
            deactivated(5, "03/01/2019", "06/15/2020"),
            person(6, "OFFICE", "NO TAXONOMY"),
        ],
    )
    import_file(folder / "reference", path, load_layouts()["nppes"], BY)
    return opened(folder)


def request(number: int | str, name: str, specialty: str | None = None, **more: str) -> Document:
    value = number if isinstance(number, str) else npi(number)
    extra = {"requesting_provider_specialty": specialty} if specialty else {}
    return document(
        REQUEST
        | {"requesting_provider_npi": value, "requesting_provider_name": name}
        | extra
        | more
    )


@pytest.mark.parametrize(
    ("number", "name", "specialty"),
    [
        (1, "Bo Sample, MD", "Cardiology"),
        (1, "Sample, Bo Q.", "Cardiovascular Disease"),
        (1, "B. Sample MD FACC", "Internal Medicine / Cardiology"),
        (1, "Dr. Bo Samp1e", None),
        (2, "Example Orthopedics", "Dermatology"),
        (2, "Example Spine Ctr", None),
        (4, "Eva Muster, FNP-C", "Oncology"),
        (1, "Bo Sample, MD", "Something nobody has heard of"),
        (1, "Bo Sample, MD", "MD"),
        (5, "Anybody", None),
        (6, "No Taxonomy Office", "Urology"),
    ],
)
def test_a_provider_as_the_register_has_it_is_no_finding(
    register: Reference, number: int, name: str, specialty: str | None
) -> None:
    assert said(request(number, name, specialty), register, "N2") == []


@pytest.mark.parametrize(
    ("number", "name", "specialty", "message"),
    [
        (99, "Bo Sample, MD", None, "is not in NPPES"),
        (3, "Bo Sample, MD", None, "was deactivated on 2019-03-01"),
        (1, "Maria Lopez, MD", None, "to BO QUENTIN SAMPLE, not to Maria Lopez, MD"),
        (2, "Riverside Imaging", None, "to EXAMPLE ORTHOPEDIC ASSOCIATES, LLC"),
        (1, "Bo Sample, MD", "Dermatology", "Dermatology is not what NPPES says"),
        (1, "Bo Sample, MD", "Orthopaedic Surgry", "207RC0000X"),
    ],
)
def test_a_provider_that_the_register_does_not_have_so_is_a_warning(
    register: Reference, number: int, name: str, specialty: str | None, message: str
) -> None:
    (found,) = said(request(number, name, specialty), register, "N2")
    assert message in found.message and found.remedy
    assert (found.severity, found.field) == (Severity.WARN, "requesting_provider_npi")
    assert found.places and found.places[0].page == 1


def test_a_practice_beside_its_physicians_npi_is_only_told(register: Reference) -> None:
    (found,) = said(request(1, "Riverside Family Clinic"), register, "N2")
    assert found.severity is Severity.INFO


def test_a_number_with_a_wrong_check_digit_is_left_to_its_own_rule(register: Reference) -> None:
    wrong = npi(1)[:9] + str((int(npi(1)[9]) + 1) % 10)
    result = judged(request(wrong, "Bo Sample, MD"), register)
    assert {f.rule for f in result.findings} & {"N1", "N2"} == {"N1"}


def test_without_an_import_every_rule_that_looks_up_is_silent() -> None:
    given = request(99, "Nobody", "Nothing", procedure_codes="J9999", place_of_service="29")
    rules = {f.rule for f in judged(given, Reference()).findings}
    assert not rules & {"N2", "N6", "N7", "R7"}


@pytest.mark.parametrize(
    ("printed", "known", "alike"),
    [
        ("Bo Sample", "BO SAMPLE", True),
        ("SAMPLE BO", "BO QUENTIN SAMPLE", True),
        ("Robert Sample", "ROB SAMPLE", True),
        ("J Sample", "JANE SAMPLE", True),
        ("O'Brien, Kim", "KIM OBRIEN", True),
        ("Smith-Jones, Ann", "ANN JONES", True),
        ("Ann Sample", "BO MUSTER", False),
        ("Example Health", "RIVERSIDE IMAGING", False),
        ("", "BO MUSTER", False),
    ],
)
def test_names_are_alike_word_by_word(printed: str, known: str, alike: bool) -> None:
    assert (likeness(printed, known) >= 0.70) is alike
    assert likeness(printed, known) == pytest.approx(likeness(known, printed))


# --- N6 and N7


@pytest.fixture(scope="module")
def codes(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    folder = tmp_path_factory.mktemp("codes")
    path = folder / "HCPC2026_JAN_ANWEB.txt"
    path.write_text(
        hcpcs_line("J9999", "Made up drug")
        + hcpcs_line("E0999", "Made up device", ended="20251231")
        + hcpcs_line("G0999", "Made up visit", added="20260401")
        + hcpcs_line("RT", "Made up: right", record="7")
        + hcpcs_line("ZZ", "Made up: ended", record="7", ended="20201231"),
        encoding="ascii",
    )
    import_file(folder / "reference", path, load_layouts()["hcpcs"], BY)
    return imported(
        folder,
        {
            "cpt": "CPT\n73721\n0001F\n",
            "revenue": "Revenue Code,Name\n0450,Made up\n",
            "ndc": "NDCPACKAGECODE\tPACKAGEDESCRIPTION\n0999-9146-56\tx\n",
        },
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"procedure_codes": "J9999"}, None),
        ({"procedure_codes": "73721"}, None),
        ({"procedure_codes": "D9999"}, None),
        ({"procedure_codes": "73722"}, "73722 is not among the CPT codes"),
        ({"procedure_codes": "J9998"}, "J9998 is not among the HCPCS"),
        ({"procedure_codes": "E0999"}, "not in force on 2026-03-12; it ended on 2025-12-31"),
        ({"procedure_codes": "E0999", "service_start_date": "2025-12-31"}, None),
        ({"procedure_codes": "G0999"}, "it begins on 2026-04-01"),
        ({"procedure_codes": "G0999", "service_start_date": "2026-04-02"}, None),
    ],
)
def test_a_procedure_is_in_its_list_on_the_day_of_service(
    codes: Reference, values: dict[str, str], message: str | None
) -> None:
    found = said(document(REQUEST | values), codes, "N6")
    assert [message in f.message for f in found if message] == ([True] if message else [])
    assert bool(found) is bool(message)


def with_raw(name: str, raw: str, value: str) -> Document:
    given = document(REQUEST | {name: value})
    fields = tuple(f.model_copy(update={"raw": raw}) if f.name == name else f for f in given.fields)
    return given.model_copy(update={"fields": fields})


@pytest.mark.parametrize(
    ("name", "raw", "value", "message"),
    [
        ("procedure_codes", "73721-RT", "73721", None),
        ("procedure_codes", "73721 RT 59", "73721", None),
        ("procedure_codes", "73721-QX", "73721", "Modifier QX is in no list"),
        ("procedure_codes", "73721 RT, ZZ", "73721", "Modifier ZZ"),
        ("procedure_codes", "73721 MRI knee", "73721", None),
        ("place_of_service", "11", "office", None),
        ("place_of_service", "Office (11)", "office", None),
        ("place_of_service", "29", "29", "Place of service 29"),
        ("place_of_service", "Office", "office", None),
        ("medication_name", "Madeupin 5 mg NDC 0999-9146-56", "Madeupin", None),
        ("medication_name", "Madeupin NDC# 00999914656", "Madeupin", None),
        ("medication_name", "Madeupin NDC: 0999914656", "Madeupin", None),
        ("medication_name", "Madeupin NDC 0999-9146-57", "Madeupin", "not in the FDA's"),
        ("medication_name", "Madeupin NDC 123-45-678901", "Madeupin", "is no NDC"),
        ("medication_name", "Madeupin 5 mg", "Madeupin", None),
    ],
)
def test_modifiers_places_and_drugs_are_in_their_lists(
    codes: Reference, name: str, raw: str, value: str, message: str | None
) -> None:
    found = said(with_raw(name, raw, value), codes, "N7")
    assert [f.message for f in found if message is None] == []
    if message:
        (one,) = found
        assert message in one.message and one.field == name and one.severity is Severity.WARN


# --- R7


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    folder = tmp_path_factory.mktemp("reasons")
    return imported(folder, {"carc": CARC, "rarc": RARC, "core_combinations": CORE})


def remittance(*lines: tuple[str | None, str | None], day: str = "2026-03-01") -> Document:
    claims = tuple(
        Claim(
            claim_number=f"C{number}",
            billed=Decimal(100),
            adjustment=Decimal(20),
            paid=Decimal(80),
            carc=carc,
            rarc=rarc,
            confidence=1.0,
            page=1,
            box=Box(0.1, 0.1 * number, 0.9, 0.1 * number + 0.02),
        )
        for number, (carc, rarc) in enumerate(lines, start=1)
    )
    return document(
        {"payer_name": "Example Plan", "payment_date": day},
        DocumentType.REMITTANCE_EOB,
        claims=claims,
    )


@pytest.mark.parametrize(
    ("carc", "rarc"),
    [
        ("CO-45", None),
        ("PR-1, CO-45", None),
        ("45", None),
        ("CO-16", "M76"),
        ("CO-16", "N999, N130"),
        ("PR-197", None),
        ("CO-197", "N130"),
        (None, None),
    ],
)
def test_reasons_that_hold_are_no_finding(
    tmp_path: Path, carc: str | None, rarc: str | None
) -> None:
    known = imported(
        tmp_path,
        {"carc": CARC + "1,Made up: deductible.,,,\n", "rarc": RARC, "core_combinations": CORE},
    )
    assert said(remittance((carc, rarc)), known, "R7") == []


@pytest.mark.parametrize(
    ("carc", "rarc", "messages"),
    [
        ("XX-45", None, ["XX-45: the group is none of"]),
        ("CO-15", None, ["15 was taken out of use on 2007-06-30"]),
        ("CO-P99", None, ["P99 is not in use before 2030-01-01"]),
        ("CO-998", None, ["998 is not in the list"]),
        ("CO-45", "MA02", ["MA02 was taken out of use"]),
        ("CO-45", "N555", ["N555 is not in the list"]),
        ("OA-197", None, ["CORE knows reason 197 with CO, PR only (scenario 3 - Not covered)"]),
        ("CO-16", None, ["16 demands a remark code", "does not combine CO-16 with no remark"]),
        ("CO-16", "N999", ["16 demands a remark code", "does not combine CO-16 with remark N999"]),
        ("PI-16", "N130", ["does not combine PI-16 with remark N130"]),
    ],
)
def test_a_reason_that_does_not_hold_is_told(
    lists: Reference, carc: str, rarc: str | None, messages: list[str]
) -> None:
    found = said(remittance((carc, rarc)), lists, "R7")
    assert len(found) == len(messages)
    for finding, message in zip(found, messages, strict=True):
        assert message in finding.message
        assert finding.severity is Severity.WARN and finding.remedy and finding.places


def test_a_reason_of_its_time_held_then(lists: Reference) -> None:
    assert said(remittance(("CO-15", None), day="2007-06-01"), lists, "R7") == []


def test_the_same_slip_on_many_lines_is_one_finding_with_all_places(lists: Reference) -> None:
    (found,) = said(remittance(*[("CO-15", None)] * 5), lists, "R7")
    assert len(found.places) == 5 and found.box == found.places[0].box


def test_a_remark_of_the_claim_explains_its_lines(lists: Reference) -> None:
    line = ServiceLine(carc="CO-16", confidence=1.0, page=1, box=Box(0.1, 0.5, 0.9, 0.52))
    given = remittance(("CO-16", "M76"))
    claim = given.claims[0].model_copy(update={"service_lines": (line, line)})
    assert said(given.model_copy(update={"claims": (claim,)}), lists, "R7") == []


def test_the_group_needs_no_import_and_in_an_835_extraction_has_said_it() -> None:
    nothing = Reference()
    (found,) = said(remittance(("XX-45", None)), nothing, "R7")
    assert "none of CO, PR, OA and PI" in found.message
    assert said(remittance(("XX-45", None)), nothing, "R7", x12=True) == []


def test_judged_again_an_835_keeps_what_extraction_said_and_says_the_rest_anew(
    lists: Reference,
) -> None:
    broken = Finding(rule="R7", severity=Severity.BLOCK, message="Segment 9 CAS: no reason")
    given = remittance(("CO-15", None)).model_copy(update={"findings": (broken,)})
    once = judged(given, lists, x12=True)
    twice = judged(once, lists, x12=True)
    assert next(f for f in once.findings if f.rule == "R7") == broken
    assert twice.findings == once.findings
    silent = judged(once, Reference(), x12=True)
    assert [f for f in silent.findings if f.rule == "R7"] == [broken]


# --- in the service


def test_an_import_counts_from_the_next_document_on(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    judge = Judge(settings, load_schemas())
    when = dt.datetime(2026, 3, 12, 9, tzinfo=dt.UTC)

    def rules() -> set[str]:
        of = judge.judged(remittance(("CO-15", None)), [page("x")], received_at=when)
        return {finding.rule for finding in of.findings}

    assert "R7" not in rules()
    imported(tmp_path, {"carc": CARC})
    assert "R7" in rules()
    assert "reference.carc" in dict(judge._known().versions)


# --- N5 by the edition of the day


def test_a_diagnosis_is_judged_by_the_imported_edition_of_the_day_of_service(
    tmp_path: Path,
) -> None:
    for year, lines in {
        2025: icd10_line(1, "M25561", "Made up", billable=True),
        2026: icd10_line(1, "M25561", "Made up", billable=False)
        + icd10_line(2, "M255619", "Made up, finer", billable=True),
    }.items():
        path = tmp_path / f"icd10cm_order_{year}.txt"
        path.write_text(lines, encoding="ascii")
        import_file(tmp_path / "reference", path, load_layouts()["icd10cm"], BY)
    reference = opened(tmp_path)

    def told(code: str, day: str) -> list[tuple[Severity, str]]:
        given = document(REQUEST | {"diagnosis_codes": code, "service_start_date": day})
        return [(f.severity, f.message) for f in said(given, reference, "N5")]

    assert told("M25.561", "2025-09-30") == []
    ((severity, message),) = told("M25.561", "2025-10-01")
    assert severity is Severity.BLOCK and "is a category in ICD-10-CM 2026" in message
    assert told("M25.5619", "2026-03-12") == []
    ((severity, message),) = told("M25.5619", "2025-09-30")
    assert severity is Severity.BLOCK and "is not in ICD-10-CM 2025" in message
    # No imported edition holds the day: that of the program counts, and it says so.
    shipped = told("M25.561", "2024-09-30")
    assert all(severity is not Severity.BLOCK for severity, _ in shipped)
    given = document(REQUEST | {"service_start_date": "2024-09-30"})
    assert shipped == [(f.severity, f.message) for f in said(given, Reference(), "N5")]
