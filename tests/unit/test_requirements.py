# SPDX-License-Identifier: Apache-2.0
"""What payers ask for: who is meant, for which service, since when, and whether it came."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from idp.document import (
    Box,
    Document,
    DocumentType,
    Field,
    Finding,
    Mark,
    MasterMatch,
    Page,
    Severity,
)
from idp.errors import RulesError
from idp.requirements import (
    Case,
    Companion,
    Requirements,
    load_requirements,
    not_enclosed,
    same_payer,
    unmet,
)
from idp.requirements.nouns import Codes
from idp.schemas import load_schemas
from tests.unit.pages import page

DAY = dt.date(2026, 5, 4)
BOX = Box(0.1, 0.1, 0.3, 0.12)
SCHEMAS = load_schemas()
REQUEST = {
    "payer_name": "Example Health Plan",
    "patient_name": "Ada Example",
    "procedure_codes": "E0601",
    "service_descriptions": "CPAP device",
}
KINDS = {
    "services": {"pap": {"title": "PAP devices", "codes": ["E0601", "E0470-E0472"]}},
    "attachments": {
        "notes": {
            "title": "chart notes",
            "documents": ["other/clinical_note"],
            "headings": ["progress note"],
        },
        "order": {"title": "a signed order", "headings": ["physician order"]},
    },
}


def programme(**more: object) -> dict[str, object]:
    asked = {
        "id": "example-notes",
        "asks": "chart notes",
        "applies": {"types": ["prior_auth_request"], "services": ["pap"]},
        "attachments": ["notes"],
        "source": "guide",
        **more,
    }
    return {
        "programme": "example",
        "title": "Example Health Plan",
        "version": 1,
        "payers": {"names": ["Example Health Plan"]},
        "sources": {"guide": {"title": "Provider guide", "edition": "2026"}},
        "requirements": [asked],
    }


def folder(path: Path, content: object, name: str = "example.yaml") -> Path:
    (path / "payers").mkdir(parents=True, exist_ok=True)
    (path / "payers" / "_kinds.yaml").write_text(yaml.safe_dump(KINDS))
    (path / "payers" / name).write_text(yaml.safe_dump(content))
    return path


@pytest.fixture
def loaded(tmp_path: Path) -> Requirements:
    return of(tmp_path, programme())


def of(path: Path, content: object, own: Path | None = None) -> Requirements:
    return load_requirements(own, SCHEMAS, shipped=folder(path, content))


def request(values: dict[str, str] | None = None, **more: object) -> Document:
    fields = tuple(
        Field(name=n, value=v, raw=v, confidence=0.9, page=1, box=BOX, source="test")
        for n, v in (REQUEST | (values or {})).items()
        if v
    )
    facts: dict[str, object] = {
        "document_id": "d1",
        "source": "a.tif",
        "sha256": "0" * 64,
        "channel": "fax",
        "type": DocumentType.PRIOR_AUTH_REQUEST,
        "type_confidence": 1.0,
        "pages": (1,),
        "fields": fields,
    }
    return Document.model_validate(facts | more)


def found(
    requirements: Requirements,
    document: Document | None = None,
    pages: tuple[Page, ...] = (page("Prior authorization request"),),
    companions: tuple[Companion, ...] = (),
    on: dt.date = DAY,
) -> list[Finding]:
    return list(unmet(Case(document or request(), pages, on, companions), requirements))


def test_what_is_asked_for_and_did_not_come_is_found_with_its_source(loaded: Requirements) -> None:
    (finding,) = found(loaded)
    assert finding.rule == "C3"
    assert finding.severity is Severity.WARN
    assert finding.message == (
        "Example Health Plan asks for chart notes - not found [Provider guide (2026)]"
    )
    assert finding.remedy


def test_another_document_of_the_same_arrival_is_an_attachment(loaded: Requirements) -> None:
    notes = Companion(DocumentType.OTHER, "clinical_note", 2)
    labs = Companion(DocumentType.OTHER, "lab_result", 1)
    assert found(loaded, companions=(labs, notes)) == []
    assert len(found(loaded, companions=(labs,))) == 1


def test_a_page_with_its_title_is_an_attachment_and_one_that_asks_for_it_is_not(
    loaded: Requirements,
) -> None:
    assert found(loaded, pages=(page("Request"), page("PROGRESS NOTE\n\nseen today", 2))) == []
    assert len(found(loaded, pages=(page("Progress note attached?  Yes  No"),))) == 1


@pytest.mark.parametrize(
    ("values", "asked"),
    [
        ({"payer_name": "EXAMPLE HEALTH PLAN OF OHIO"}, True),
        ({"payer_name": "Exarnple Health PIan"}, True),
        ({"payer_name": "Another Plan"}, False),
        ({"payer_name": ""}, False),
        ({"procedure_codes": "E0471-NU"}, True),
        ({"procedure_codes": "E0473"}, False),
        ({"procedure_codes": "", "service_descriptions": "CPAP device"}, False),
    ],
)
def test_only_the_payer_and_the_service_that_are_meant_are_asked(
    loaded: Requirements, values: dict[str, str], asked: bool
) -> None:
    assert bool(found(loaded, request(values))) is asked


def test_a_payer_known_by_the_own_directory_needs_no_name(tmp_path: Path) -> None:
    content = programme()
    content["payers"] = {"ids": ["P-17"]}
    requirements = of(tmp_path, content)
    match = MasterMatch(
        directory="payers", party="payer", outcome="matched", canonical_id="P-17", score=1
    )
    assert found(requirements, request()) == []
    assert len(found(requirements, request(masters=(match,)))) == 1


def test_the_number_of_a_form_must_be_right_and_its_title_may_be_misread(tmp_path: Path) -> None:
    content = programme()
    content["payers"] = {"printed": ["NOFR001", "Standard Prior Authorization Request"]}
    requirements = of(tmp_path, content)
    other = request({"payer_name": "Another Plan"})
    for said, asked in (
        ("NOFR001 | 0415", True),
        ("NOFR002 | 0415", False),
        ("Standard Prior Authorizatlon Reqvest", True),
    ):
        assert bool(found(requirements, other, (page(said),))) is asked, said


def test_a_member_number_of_the_payers_own_shape_tells_the_payer(tmp_path: Path) -> None:
    content = programme()
    content["payers"] = {"member_ids": [r"EX\d{9}"]}
    requirements = of(tmp_path, content)
    assert len(found(requirements, request({"member_id": "EX123456789"}))) == 1
    assert found(requirements, request({"member_id": "QX123456789"})) == []


@given(st.dates(dt.date(2025, 1, 1), dt.date(2028, 1, 1)))
def test_a_requirement_holds_from_its_first_to_its_last_day(day: dt.date) -> None:
    from idp.requirements.nouns import Programme  # noqa: PLC0415

    first, last = dt.date(2026, 1, 1), dt.date(2026, 12, 31)
    content = programme(effective_from=first, effective_to=last)
    (asked,) = Programme.model_validate(content).requirements
    assert asked.in_force(day) is (first <= day <= last)


@given(st.integers(0, 99999), st.integers(0, 99999), st.integers(0, 99999))
def test_a_range_of_codes_holds_what_lies_between_its_ends(a: int, b: int, code: int) -> None:
    first, last = sorted((a, b))
    codes = Codes(codes=(f"{first:05d}-{last:05d}",))
    assert codes.has(f"{code:05d}") is (first <= code <= last)
    assert not codes.has(f"E{code % 10000:04d}")


@pytest.mark.parametrize(
    ("need", "values", "lacks"),
    [
        ({"fields": ["patient_name", "member_id"]}, {}, ["member_id"]),
        ({"one_of": ["member_id", "patient_name"]}, {}, None),
        ({"one_of": ["member_id", "group_number"]}, {}, ["member_id", "group_number"]),
        ({"shapes": {"member_id": "[A-Z]{3}"}}, {"member_id": "ABC"}, None),
        ({"shapes": {"member_id": "[A-Z]{3}"}}, {"member_id": "ABCD"}, ["member_id"]),
        ({"shapes": {"member_id": "[A-Z]{3}"}}, {}, None),
        ({"signature": True}, {"signature_present": "yes"}, None),
        ({"signature": True}, {}, ["signature_present"]),
        ({"own_form": ["Form 17-B"]}, {}, []),
        ({"own_form": ["Prior authorization request"]}, {}, None),
        ({"mentions": ["tried and failed"]}, {}, []),
    ],
)
def test_each_need_is_met_or_says_which_fields_lack(
    tmp_path: Path, need: dict[str, object], values: dict[str, str], lacks: list[str] | None
) -> None:
    content = programme(**need)
    asked = content["requirements"][0]  # type: ignore[index]
    del asked["attachments"]
    findings = found(of(tmp_path, content), request(values))
    if lacks is None:
        assert findings == []
    else:
        (finding,) = findings
        named = finding.fields or ((finding.field,) if finding.field else ())
        assert list(named) == lacks


def test_conditions_and_drugs_and_places_narrow_a_requirement(tmp_path: Path) -> None:
    applies = {
        "types": ["prior_auth_request"],
        "drug": False,
        "places": ["home"],
        "when": [{"field": "request_type", "equals": ["initial"]}],
    }
    requirements = of(tmp_path, programme(applies=applies))
    fits = {"place_of_service": "home", "request_type": "initial"}
    assert len(found(requirements, request(fits))) == 1
    for change in (
        {"place_of_service": "office"},
        {"request_type": "renewal"},
        {"medication_name": "Adalimumab"},
    ):
        assert found(requirements, request(fits | change)) == []


def test_an_own_file_takes_the_place_of_a_requirement_or_withdraws_it(tmp_path: Path) -> None:
    own = tmp_path / "own"
    folder(own, programme(asks="notes of the last three months"), "mine.yaml")
    requirements = of(tmp_path / "shipped", programme(), own)
    (finding,) = found(requirements)
    assert "notes of the last three months" in finding.message
    assert requirements.version != of(tmp_path / "shipped", programme()).version
    folder(own, {**programme(), "requirements": [], "withdrawn": ["example-notes"]}, "mine.yaml")
    assert found(of(tmp_path / "shipped", programme(), own)) == []


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"asks_for": "notes"}, "asks_for"),
        ({"attachments": ["photos"]}, "photos"),
        ({"attachments": []}, "exactly one"),
        ({"signature": True}, "exactly one"),
        ({"source": "hearsay"}, "hearsay"),
        ({"confidence": "to_be_checked"}, "severity info"),
        ({"applies": {"types": ["prior_auth_request"], "services": ["teeth"]}}, "teeth"),
        ({"applies": {"types": ["no_such_type"]}}, "no_such_type"),
        ({"applies": {"types": ["prior_auth_request"], "codes": ["E06"]}}, "E06"),
        ({"applies": {"types": ["prior_auth_request"], "codes": ["E0602-E0601"]}}, "range"),
        (
            {
                "applies": {
                    "types": ["prior_auth_request"],
                    "when": [{"field": "shoe_size", "present": True}],
                }
            },
            "shoe_size",
        ),
        ({"effective_from": "2026-02-01", "effective_to": "2026-01-01"}, "ends before"),
    ],
)
def test_a_file_with_a_fault_is_refused_with_its_name_and_the_key(
    tmp_path: Path, change: dict[str, object], named: str
) -> None:
    with pytest.raises(RulesError) as refused:
        of(tmp_path, programme(**change))
    assert "example.yaml" in str(refused.value)
    assert named in str(refused.value)


@pytest.mark.parametrize("text", ["a: [", "- just\n- a list", "", "\x00"])
def test_a_file_that_is_no_programme_is_refused(tmp_path: Path, text: str) -> None:
    shipped = folder(tmp_path, programme())
    (shipped / "payers" / "broken.yaml").write_text(text)
    with pytest.raises(RulesError, match=r"broken\.yaml"):
        load_requirements(None, SCHEMAS, shipped=shipped)


def test_a_list_of_enclosures_is_held_against_what_came(loaded: Requirements) -> None:
    listing = page("Referral\n\nEnclosures: progress note, physician order")
    case = Case(request(), (listing,), DAY)
    assert [f.rule for f in not_enclosed(case, loaded)] == ["C4", "C4"]
    notes = Companion(DocumentType.OTHER, "clinical_note", 2)
    (left,) = not_enclosed(Case(request(), (listing,), DAY, (notes,)), loaded)
    assert "a signed order" in left.message
    assert not list(not_enclosed(Case(request(), (page("Progress note follows"),), DAY), loaded))


def test_a_ticked_box_says_that_something_is_enclosed(loaded: Requirements) -> None:
    def ticked(state: str) -> Page:
        mark = Mark.model_validate({"state": state, "box": BOX, "label": "Chart notes"})
        return page("Please attach:").model_copy(update={"marks": (mark,)})

    assert len(list(not_enclosed(Case(request(), (ticked("checked"),), DAY), loaded))) == 1
    assert not list(not_enclosed(Case(request(), (ticked("unchecked"),), DAY), loaded))


@pytest.mark.parametrize(
    ("name", "alias", "same"),
    [
        ("Cigna Healthcare of Texas", "Cigna", True),
        ("Significa Benefits", "Cigna", False),
        ("AETNA", "Aetna", True),
        ("Aetra", "Aetna", False),
        ("Blue Shieid of Califomia", "Blue Shield of California", True),
        ("Blue Cross of California", "Blue Shield of California", False),
    ],
)
def test_a_payers_name_is_known_in_longer_ones_and_through_misread_letters(
    name: str, alias: str, same: bool
) -> None:
    assert same_payer(name, alias) is same


def test_the_shipped_requirements_are_many_cited_and_cautious() -> None:
    shipped = load_requirements(None, SCHEMAS)
    assert len({entry.programme.programme for entry in shipped.entries}) >= 10
    assert len(shipped.entries) >= 25
    for entry in shipped.entries:
        assert entry.source.title
        cited = entry.requirement.confidence == "cited"
        assert cited or entry.requirement.severity is Severity.INFO
    assert not {
        entry.requirement.id
        for entry in shipped.entries
        if entry.programme.payers.everyone and entry.requirement.severity is Severity.BLOCK
    }


def test_medicare_advantage_is_not_medicare() -> None:
    shipped = load_requirements(None, SCHEMAS)
    asked = {"procedure_codes": "E0601", "service_descriptions": "CPAP"}
    of_medicare = found(shipped, request(asked | {"payer_name": "Medicare Part B"}))
    assert any("410.38" in f.message for f in of_medicare)
    of_a_plan = found(shipped, request(asked | {"payer_name": "Humana Medicare Advantage"}))
    assert not any("410.38" in f.message for f in of_a_plan)
