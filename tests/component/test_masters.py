# SPDX-License-Identifier: Apache-2.0
"""Directories imported from files and databases, and documents judged by them."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from idp.cli import app
from idp.document import (
    Box,
    Claim,
    Decision,
    Document,
    DocumentType,
    Envelope,
    Field,
    Finding,
    Severity,
)
from idp.errors import ImportedDataError, NotFoundError
from idp.judge import Judge
from idp.masters import (
    Directories,
    Imported,
    Kind,
    Member,
    MemberNumber,
    Payer,
    Printed,
    ask_member,
    import_directory,
    proposals,
)
from idp.schemas import load_schemas
from idp.settings import Settings
from idp.signals import Correction
from tests.unit.pages import page

pytestmark = pytest.mark.component
NOW = dt.datetime(2026, 3, 12, 15, tzinfo=dt.UTC)
BOX = Box(0.1, 0.1, 0.3, 0.12)
HEAD = "MRN,Last Name,First Name,DOB,Member ID,Payer,Sex,Term Date"
ADA = "m1,Okonjo-Reyes,Marisol,07/22/1968,XZ527418096,Blue Harbor,F,"
BO = "m2,Montrose,Rupert,1975-01-31,XZ900000017,Blue Harbor,M,"
PAYERS = (
    "Payer Name,Aliases,Payer ID,Member ID Pattern\n"
    "Blue Harbor Health Plan,Blue Harbor,BHHP,XZ\\d{9}\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "masters"


def imported(
    folder: Path,
    text: str | bytes,
    kind: Kind = "members",
    *,
    columns: str = "",
    update: bool = False,
) -> Imported:
    source = folder.parent.parent / f"{kind}.csv"
    source.write_bytes(text if isinstance(text, bytes) else text.encode())
    return import_directory(folder, kind, str(source), now=NOW, columns=columns, update=update)


def member(folder: Path, canonical_id: str) -> Member:
    found = Directories(folder).entry("members", canonical_id)
    assert isinstance(found, Member)
    return found


def test_a_csv_becomes_a_directory_that_only_its_owner_reads(folder: Path) -> None:
    done = imported(folder, "\n".join((HEAD, ADA, BO)))
    assert (done.rows, done.new, done.entries, done.refused) == (2, 2, 2, ())
    assert member(folder, "m1") == Member(
        "m1", "Okonjo-Reyes", "Marisol", born="1968-07-22", sex="female",
        numbers=(MemberNumber("XZ527418096", "Blue Harbor"),),
    )  # fmt: skip
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "members.sqlite").stat().st_mode) == 0o600
    assert sorted(path.name for path in folder.iterdir()) == [".lock", "members.sqlite"]


@pytest.mark.parametrize(
    ("sign", "encoding"),
    [(",", "utf-8-sig"), (";", "cp1252"), ("\t", "utf-16"), ("|", "utf-8")],
)
def test_delimiter_and_encoding_are_recognised(folder: Path, sign: str, encoding: str) -> None:
    text = "\r\n".join((HEAD, ADA.replace("Marisol", "Mariësol"), BO)).replace(",", sign)
    imported(folder, text.encode(encoding))
    assert member(folder, "m1").first == "Mariësol"


def test_headers_are_named_by_the_caller_where_nobody_knows_them(folder: Path) -> None:
    text = "KEY,NACHNAME,VORNAME,GEBOREN,KARTE\n7,Montrose,Odette,1980-02-29,QX1234567\n"
    with pytest.raises(ImportedDataError) as refused:
        imported(folder, text)
    assert "Montrose" not in f"{refused.value.message} {refused.value.operator_hint}"
    imported(
        folder,
        text,
        columns="canonical_id=KEY,last_name=nachname,first_name=VORNAME,dob=GEBOREN,member_id=KARTE",
    )
    assert member(folder, "7").numbers == (MemberNumber("QX1234567"),)


def test_rows_that_cannot_be_taken_are_counted_by_line_and_never_quoted(folder: Path) -> None:
    rows = (
        HEAD,
        ADA,
        'm3,"Two\nLines",Odette,1980-02-30,A1234567,,,',
        "m4,,Odette,1980-02-20,A1234567,,,",
        "",
        "m5,Whitlock,Odette,,,,,",
        "m1,Somebody,Else,1980-02-20,A1234567,,,",
        "m6,Whitlock,Odette,2031-01-01,A1234567,,,",
        BO,
    )
    done = imported(folder, "\n".join(rows))
    assert {refused.reason: refused.lines for refused in done.refused} == {
        "the birth date is no date": (3,),
        "no family name": (5,),
        "neither a birth date nor a member ID": (7,),
        "the id of an earlier row, and somebody else's data": (8,),
        "the birth date lies in the future or too far back": (9,),
    }
    assert (done.entries, done.refused_rows) == (2, 5)
    assert "Whitlock" not in done.model_dump_json()


def test_several_rows_of_one_person_are_joined(folder: Path) -> None:
    second = ADA.replace("XZ527418096,Blue Harbor", "QQ111222333,Northwind")
    done = imported(folder, "\n".join((HEAD, ADA, second)))
    assert (done.entries, done.joined) == (1, 1)
    assert [number.number for number in member(folder, "m1").numbers] == [
        "XZ527418096",
        "QQ111222333",
    ]


def test_an_import_replaces_all_and_an_update_keeps_the_rest(folder: Path) -> None:
    imported(folder, "\n".join((HEAD, ADA, BO)))
    moved = ADA.replace("XZ527418096", "XZ000000001").replace("Okonjo-Reyes", "Whitlock")
    done = imported(folder, "\n".join((HEAD, moved)), update=True)
    assert (done.entries, done.replaced, done.new) == (2, 1, 0)
    directories = Directories(folder)
    assert not directories.members(Printed("", "", "XZ527418096"))
    assert [m.last for m in directories.members(Printed("", "", "XZ000000001"))] == ["Whitlock"]
    assert [m.canonical_id for m in directories.members(Printed("", "", "XZ900000017"))] == ["m2"]
    assert imported(folder, "\n".join((HEAD, BO))).entries == 1


def test_a_query_is_read_and_nothing_but_a_query(folder: Path, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "source.db") as database:
        database.execute("CREATE TABLE person (id, last_name, first_name, dob, card)")
        database.execute(
            "INSERT INTO person VALUES (1, 'Montrose', 'Odette', '1980-02-29 00:00:00', 'Q1234567')"
        )
    url = f"sqlite:///{tmp_path / 'source.db'}"
    query = "SELECT id AS mrn, last_name, first_name, dob, card AS member_id FROM person"
    import_directory(folder, "members", url, now=NOW, query=query)
    assert member(folder, "1").born == "1980-02-29"
    for bad in ("DELETE FROM person", "SELECT 1; DROP TABLE person", "", "SELECT * FROM nowhere"):
        with pytest.raises(ImportedDataError):
            import_directory(folder, "members", url, now=NOW, query=bad)
    with pytest.raises(ImportedDataError) as refused:
        import_directory(
            folder, "members", "postgresql+nosuch://u:secret@h/db", now=NOW, query="SELECT 1"
        )
    assert "secret" not in refused.value.message


def test_a_file_that_is_no_table_leaves_the_directory_in_force(folder: Path) -> None:
    imported(folder, "\n".join((HEAD, ADA)))
    before = (folder / "members.sqlite").read_bytes()
    for text in ("", "\n\n", HEAD, f'{HEAD}\n"{"x" * 100_000}', "a,b\n1,2\n", f"{HEAD}\n,,,,,,,"):
        with pytest.raises(ImportedDataError):
            imported(folder, text)
    with pytest.raises(NotFoundError):
        import_directory(folder, "members", str(folder / "gone.csv"), now=NOW)
    assert (folder / "members.sqlite").read_bytes() == before


@pytest.mark.parametrize("pattern", ["XZ(\\d+", "(a+)+", "x*", "a" * 201])
def test_a_pattern_that_cannot_be_used_is_refused_on_import(folder: Path, pattern: str) -> None:
    text = f"name,pattern\nNorthwind Mutual,{pattern}\nBlue Harbor,XZ\\d{{9}}\n"
    done = imported(folder, text, "payers")
    assert [refused.lines for refused in done.refused] == [(2,)]
    found = Directories(folder).payers.match(Printed("Blue Harbor")).best
    assert isinstance(found, Payer)


def test_an_import_is_taken_up_by_those_who_have_the_directory_open(folder: Path) -> None:
    directories = Directories(folder)
    assert not directories.has("members")
    printed = Printed("Marisol Okonjo-Reyes", "1968-07-22", "XZ527418096")
    imported(folder, "\n".join((HEAD, BO)))
    assert ask_member(printed, directories).outcome == "none"
    imported(folder, "\n".join((HEAD, BO, ADA)))
    assert ask_member(printed, directories).outcome == "matched"
    directories.remove("members")
    assert ask_member(printed, directories).outcome == "none"


# --- documents ---------------------------------------------------------------------------------

REQUEST = {
    "payer_name": "Blue Harbor Health Plan",
    "review_type": "standard",
    "request_type": "initial",
    "submission_date": "2026-03-11",
    "patient_name": "Marisol Okonjo-Reyes",
    "patient_dob": "1968-07-22",
    "member_id": "XZ527418096",
    "requesting_provider_name": "Bo Sample, MD",
    "requesting_provider_npi": "1234567893",
    "requesting_provider_phone": "512-555-0166",
    "requesting_provider_fax": "512-555-0167",
    "diagnosis_codes": "M25.561",
    "procedure_codes": "73721",
}


def document(
    values: dict[str, str],
    type_: DocumentType = DocumentType.PRIOR_AUTH_REQUEST,
    claims: tuple[Claim, ...] = (),
) -> Document:
    return Document(
        document_id="d1",
        source="a.tif",
        sha256="0" * 64,
        channel="fax",
        type=type_,
        type_confidence=0.99,
        pages=(1,),
        claims=claims,
        fields=tuple(
            Field(name=n, value=v, raw=v, confidence=0.99, page=1, box=BOX, source="test")
            for n, v in values.items()
        ),
    )


@pytest.fixture
def judge(tmp_path: Path, folder: Path) -> Judge:
    imported(folder, "\n".join((HEAD, ADA, BO)))
    imported(folder, PAYERS, "payers")
    imported(folder, 'NPI,Provider Name,Phone\n1234567893,"Sample, Bo",5125550166\n', "providers")
    settings = Settings(data=tmp_path / "data")
    return Judge(settings, load_schemas())


def judged(judge: Judge, given: Document) -> Document:
    return judge.judged(given, [page("a page")], received_at=NOW)


def n4(found: Document) -> list[Finding]:
    return [finding for finding in found.findings if finding.rule == "N4"]


def test_every_party_gets_its_canonical_id(judge: Judge) -> None:
    found = judged(judge, document(REQUEST))
    assert {m.party: (m.outcome, m.canonical_id) for m in found.masters} == {
        "payer": ("matched", "BHHP"),
        "patient": ("matched", "m1"),
        "requesting_provider": ("matched", "1234567893"),
    }
    assert not n4(found)


def test_without_directories_nothing_is_said(tmp_path: Path) -> None:
    judge = Judge(Settings(data=tmp_path / "elsewhere"), load_schemas())
    found = judged(judge, document(REQUEST))
    assert (found.masters, n4(found)) == ((), [])


def test_another_number_blocks_names_its_field_and_nobodys_values(judge: Judge) -> None:
    found = judged(judge, document({**REQUEST, "member_id": "XZ900000000"}))
    (told,) = n4(found)
    assert (told.severity, told.field, told.fields) == (Severity.BLOCK, "member_id", ("member_id",))
    assert (told.page, told.box, told.places[0].box) == (1, BOX, BOX)
    assert told.message == (
        "The member ID differs from our member directory; the name and the birth date agree"
    )
    assert told.remedy.startswith("Compare the member ID with the page")
    assert found.decision is Decision.REVIEW
    assert found.field("member_id") == document({**REQUEST, "member_id": "XZ900000000"}).field(
        "member_id"
    )
    text = found.model_dump_json(include={"findings", "masters", "reasons"})
    assert "XZ5274" not in text


def test_a_number_that_is_another_members_blocks(judge: Judge) -> None:
    found = judged(judge, document({**REQUEST, "member_id": "XZ900000017"}))
    assert [told.severity for told in n4(found)] == [Severity.BLOCK]


def test_a_slip_in_the_number_is_a_warning_and_the_field_stays(judge: Judge) -> None:
    found = judged(judge, document({**REQUEST, "member_id": "XZ527418O96"}))
    patient = next(m for m in found.masters if m.party == "patient")
    assert (patient.outcome, patient.canonical_id) == ("matched", "m1")
    assert {told.severity for told in n4(found)} == {Severity.BLOCK, Severity.WARN}
    field = found.field("member_id")
    assert field is not None
    assert field.value == "XZ527418O96"


def test_the_payers_pattern_is_asked(judge: Judge) -> None:
    found = judged(judge, document({**REQUEST, "member_id": "527418096"}))
    assert any("does not look like" in told.message for told in n4(found))


def test_an_unknown_patient_warns_a_provider_and_blocks_at_a_payer(
    judge: Judge, tmp_path: Path
) -> None:
    stranger = {
        **REQUEST,
        "patient_name": "Casimir Bexworth",
        "patient_dob": "1999-09-09",
        "member_id": "XZ333444555",
    }
    assert [told.severity for told in n4(judged(judge, document(stranger)))] == [Severity.WARN]
    settings = Settings.model_validate(
        {"data": tmp_path / "data", "sites": {"plan": {"role": "payer"}}}
    )
    at_payer = document(stranger).model_copy(update={"envelope": Envelope(site="plan")})
    found = judged(Judge(settings, load_schemas()), at_payer)
    assert [told.severity for told in n4(found)] == [Severity.BLOCK]


def test_a_corrected_birth_date_turns_near_into_matched(judge: Judge) -> None:
    shown = judged(judge, document({**REQUEST, "patient_dob": "1986-12-02"}))
    assert next(m for m in shown.masters if m.party == "patient").outcome == "near"
    assert n4(shown)
    change = Correction(name="patient_dob", before="1986-12-02", after="1968-07-22")
    found = judge.reviewed(shown, [change], [page("a page")], received_at=NOW)
    patient = next(m for m in found.masters if m.party == "patient")
    assert (patient.outcome, patient.canonical_id) == ("matched", "m1")
    assert not n4(found)


def test_a_reviewer_is_proposed_what_differs_and_the_document_keeps_none_of_it(
    judge: Judge,
) -> None:
    given = document({**REQUEST, "member_id": "XZ527418997"})
    schema = load_schemas()[given.type]
    (told,) = proposals(given, schema, judge.masters, NOW.date())
    assert (told.field, told.value, told.canonical_id) == ("member_id", "XZ527418096", "m1")
    assert "XZ527418096" not in judged(judge, given).model_dump_json()
    assert not proposals(document(REQUEST), schema, judge.masters, NOW.date())
    stranger = document(
        {**REQUEST, "patient_name": "Casimir Bexworth", "patient_dob": "1999-09-09"}
    )
    assert not proposals(stranger, schema, judge.masters, NOW.date())


def test_unknown_patients_of_a_remittance_are_one_finding(judge: Judge) -> None:
    claims = (
        Claim(patient_name="Okonjo-Reyes, Marisol", member_id="XZ527418096", page=1, box=BOX),
        Claim(patient_name="Bexworth, Casimir", member_id="XZ333444555", page=1, box=BOX),
        Claim(patient_name="Montrose, Rupert", member_id="XZ9O0000017", page=1, box=BOX),
    )
    found = judged(
        judge, document({"payer_name": "Blue Harbor"}, DocumentType.REMITTANCE_EOB, claims)
    )
    outcomes = {m.party: (m.outcome, m.canonical_id) for m in found.masters}
    assert outcomes["claim 1"] == ("matched", "m1")
    assert outcomes["claim 2"] == ("none", None)
    assert outcomes["claim 3"] == ("matched", "m2")
    unknown = [told for told in n4(found) if "not found" in told.message]
    assert [told.message for told in unknown] == [
        "1 of 3 patients are not found in our member directory: claim 2"
    ]
    assert unknown[0].severity is Severity.WARN


def test_ended_cover_is_told(judge: Judge, folder: Path) -> None:
    imported(folder, "\n".join((HEAD, f"{ADA}2025-12-31")))
    told = n4(judged(judge, document(REQUEST)))
    assert [finding.message for finding in told] == [
        "The member's cover had ended on the day of service"
    ]


def test_a_damaged_directory_holds_documents_back_and_breaks_nothing(
    judge: Judge, folder: Path
) -> None:
    (folder / "members.sqlite").write_bytes(b"torn")
    found = judged(judge, document(REQUEST))
    assert [(told.rule, told.severity) for told in n4(found)] == [("N4", Severity.BLOCK)]
    assert found.decision is Decision.REVIEW
    assert Directories(folder).problems()


def test_the_verbs_import_list_find_and_remove(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDP_DATA", str(tmp_path / "data"))
    source = tmp_path / "members.csv"
    source.write_text("\n".join((HEAD, ADA, "x,,,,,,,")))
    run = CliRunner()
    done = run.invoke(app, ["masters", "import", "members", str(source), "--json"])
    assert json.loads(done.stdout)["refused"][0]["lines"] == [3]
    listed = json.loads(run.invoke(app, ["masters", "list", "--json"]).stdout)
    assert [each["entries"] for each in listed["directories"]] == [1]
    asked = ["--name", "Okonjo Reyes, Mar1sol", "--dob", "7/22/68", "--id", "X2527418O96"]
    found = json.loads(run.invoke(app, ["masters", "find", "members", *asked, "--json"]).stdout)
    assert found["outcome"] == "matched"
    assert found["candidates"][0]["evidence"][1:3] == [
        "birth date: same",
        "member ID: same but for signs read for each other",
    ]
    assert run.invoke(app, ["masters", "remove", "members"]).exit_code == 0
    assert run.invoke(app, ["masters", "find", "members", "--name", "x"]).exit_code == 2
