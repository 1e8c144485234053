# SPDX-License-Identifier: Apache-2.0
"""What a document becomes in Odoo: rows by type and by place, and nothing about patients in titles.

``python -m tests.unit.test_odoo_parcels`` writes the expected rows anew; look at the difference.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from idp.deliver.odoo.facts import facts_of, missing_items
from idp.deliver.odoo.mapping import OdooMapping, load_mapping
from idp.deliver.odoo.parcel import Content, Find, Link, Parcel, Place, Row
from idp.deliver.odoo.parcels import parcel_of, record_of, sought, unique
from idp.deliver.odoo.preview import preview, preview_json
from idp.deliver.odoo.server import Models
from idp.deliver.odoo.work_items import Existing
from idp.document import Document, DocumentType, Finding, MasterMatch, Severity, Urgency
from idp.schemas import load_schemas
from tests.paperwork import CIRCUMSTANCES, CLOCK, OPEN, SCHEMAS, files, paper, secrets_of

DATA = Path(__file__).parent / "data" / "odoo"
MODELS: Models = json.loads((DATA / "models_19.json").read_text(encoding="utf-8"))
"""Columns of a real Odoo 19 with project, crm, dms and helpdesk_mgmt, as its bot sees them."""
MAPPING = load_mapping(None, SCHEMAS)
DOCUMENTS_18: Models = {"documents.tag": {}, "documents.document": {"company_id": {}}}
DOCUMENTS_17: Models = {
    "documents.tag": {"facet_id": {"type": "many2one", "relation": "documents.facet"}},
    "documents.document": {"folder_id": {"relation": "documents.folder"}},
}
PLACES = {
    "attachment": (Place("attachment", "none", "datas"), MODELS),
    "dms": (Place("dms", "dms.directory", "datas"), MODELS),
    "documents_18": (Place("documents", "documents.document", "datas"), {**MODELS, **DOCUMENTS_18}),
    "documents_17": (Place("documents", "documents.folder", "datas"), {**MODELS, **DOCUMENTS_17}),
    "addon": (Place("attachment", "none", "raw", addon=True), MODELS),
}
PAYMENT = {"model": "account.payment", "journal": "BNK1", "title": ["{payer_name}", "{eft_number}"]}


def made(
    type_: str,
    place: str = "attachment",
    *,
    folder: Path,
    mapping: OdooMapping = MAPPING,
    document: Document | None = None,
    models: Models | None = None,
    alone: bool = True,
    belongs: Existing | None = None,
    version: int = 1,
) -> Parcel:
    where, known = PLACES[place]
    document = document or paper(type_)
    return parcel_of(
        document,
        files(folder, alone=alone),
        mapping,
        where,
        key=f"{document.document_id}.{version}",
        version=version,
        schema=SCHEMAS[document.type],
        models=known if models is None else models,
        circumstances=CIRCUMSTANCES,
        belongs=belongs,
    )


def with_own(tmp_path: Path, **own: dict[str, object]) -> OdooMapping:
    (tmp_path / "odoo").mkdir(exist_ok=True)
    for name, content in own.items():
        (tmp_path / "odoo" / f"{name}.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    return load_mapping(tmp_path, SCHEMAS)


def row(parcel: Parcel, role: str) -> Row:
    return next(each for each in parcel.rows if each.role == role)


def roles(parcel: Parcel) -> list[str]:
    return [each.role for each in parcel.rows]


def golden(type_: str, place: str, folder: Path) -> dict[str, Any]:
    """The parcel as it is compared: the long payload by its keys only."""
    said: dict[str, Any] = json.loads(json.dumps(preview_json(made(type_, place, folder=folder))))
    for each in said["rows"]:
        for column in ("payload", "labels"):
            if column in each["cells"]:
                each["cells"][column] = sorted(json.loads(each["cells"][column]))
    return said


CASES = [(type_, place) for type_ in sorted(SCHEMAS) for place in PLACES]


@pytest.mark.parametrize(("type_", "place"), CASES)
def test_a_document_becomes_the_expected_rows(type_: str, place: str, tmp_path: Path) -> None:
    expected = json.loads((DATA / f"{type_}.{place}.json").read_text(encoding="utf-8"))
    assert golden(type_, place, tmp_path) == expected


@pytest.mark.parametrize(("type_", "place"), CASES)
def test_each_row_comes_after_those_it_links_to(type_: str, place: str, tmp_path: Path) -> None:
    for belongs in (None, Existing("project.task", 7)):
        parcel = made(type_, place, folder=tmp_path, belongs=belongs)
        before: set[str] = set()
        for each in parcel.rows:
            for cell in each.cells.values():
                if isinstance(cell, Link):
                    assert cell.role in before
            assert each.role not in before
            before.add(each.role)
        assert parcel.main in before


@pytest.mark.parametrize(("type_", "place"), CASES)
def test_records_of_one_model_share_their_columns_so_that_one_call_takes_them(
    type_: str, place: str, tmp_path: Path
) -> None:
    parcel = made(type_, place, folder=tmp_path)
    calls = {(each.model, tuple(sorted(each.cells))) for each in parcel.rows}
    assert len(calls) <= (4 if PLACES[place][0].addon else 3)


def leaks(parcel: Parcel, secrets: set[str]) -> Iterator[tuple[str, str]]:
    """Where a secret stands: in any cell but files, look-ups and the addon's guarded payload."""
    for each in parcel.rows:
        for column, cell in each.cells.items():
            if isinstance(cell, str) and column != "payload":
                for secret in secrets:
                    if secret.casefold() in cell.casefold():
                        yield f"{each.model}.{column}", secret


@pytest.mark.parametrize(("type_", "place"), CASES)
def test_nothing_about_a_patient_is_in_any_title_subject_summary_or_note(
    type_: str, place: str, tmp_path: Path
) -> None:
    document = paper(type_)
    secrets = secrets_of(document, SCHEMAS[document.type])
    assert len(secrets) > 10
    everything = dict(MODELS) | dict(PLACES[place][1])
    for model in ("crm.lead", "project.task", "helpdesk.ticket"):
        models = {k: v for k, v in everything.items() if k == model or k not in MAPPING.models}
        parcel = made(type_, place, folder=tmp_path, models=models)
        assert not list(leaks(parcel, secrets))


def test_the_look_out_for_patients_sees_one_where_the_mapping_may_name_them(
    tmp_path: Path,
) -> None:
    document = paper("referral")
    mapping = with_own(
        tmp_path, _general={"phi_in_titles": True}, referral={"work": [_task("{patient_name}")]}
    )
    parcel = made("referral", folder=tmp_path, mapping=mapping)
    found = set(leaks(parcel, secrets_of(document, SCHEMAS[document.type])))
    assert ("project.task.name", "Quillfeather") in found


def test_what_was_read_as_the_payer_is_withheld_where_it_repeats_the_patient(
    tmp_path: Path,
) -> None:
    document = paper("prior_auth_request")
    wrong = tuple(
        f.model_copy(update={"value": "PETRONELLA Quill"}) if f.name == "payer_name" else f
        for f in document.fields
    )
    document = document.model_copy(update={"fields": wrong})
    parcel = made("prior_auth_request", folder=tmp_path, document=document)
    assert "withheld:payer_name" in parcel.notes
    assert "PETRONELLA" not in str(row(parcel, "work").cells)


def test_an_option_that_is_none_is_not_told(tmp_path: Path) -> None:
    document = paper("prior_auth_determination")
    changed = tuple(
        f.model_copy(update={"value": "Zed Doe"}) if f.name == "determination" else f
        for f in document.fields
    )
    parcel = made(
        "prior_auth_determination",
        folder=tmp_path,
        document=document.model_copy(update={"fields": changed}),
    )
    assert "withheld:determination" in parcel.notes
    assert "Zed" not in json.dumps([str(each.cells.get("name")) for each in parcel.rows])


def test_urgency_becomes_priority_and_the_first_clock_the_deadline(tmp_path: Path) -> None:
    later = CLOCK.model_copy(update={"due_at": CLOCK.due_at + dt.timedelta(days=4)})
    document = paper("prior_auth_request", urgency=Urgency(level="emergent"), clocks=(later, CLOCK))
    work = row(made("prior_auth_request", folder=tmp_path, document=document), "work")
    assert work.cells["priority"] == "3"
    assert work.cells["date_deadline"] == "2026-03-15 15:05:00"
    lead = row(made("referral", folder=tmp_path, document=paper("referral")), "work")
    assert lead.model == "crm.lead"
    assert lead.cells["date_deadline"] == "2026-03-15"
    assert lead.cells["priority"] == "2"


def test_a_server_with_fewer_steps_gets_its_highest(tmp_path: Path) -> None:
    task = {**MODELS["project.task"]}
    task["priority"] = {"type": "selection", "selection": [["0", "Low"], ["1", "High"]]}
    task["date_deadline"] = {"type": "date"}
    del task["user_ids"]
    work = row(made("prior_auth_request", folder=tmp_path, models={"project.task": task}), "work")
    assert work.cells["priority"] == "1"
    assert work.cells["date_deadline"] == "2026-03-15"


def test_a_deadline_of_a_day_is_told_in_the_zone_of_the_site(tmp_path: Path) -> None:
    at_night = CLOCK.model_copy(update={"due_at": dt.datetime(2026, 3, 16, 4, 0, tzinfo=dt.UTC)})
    document = paper("referral", clocks=(at_night,))
    work = row(made("referral", folder=tmp_path, document=document), "work")
    assert work.cells["date_deadline"] == "2026-03-15"


def test_a_ticket_without_a_deadline_gets_an_activity_for_it(tmp_path: Path) -> None:
    models = {"helpdesk.ticket": MODELS["helpdesk.ticket"]}
    parcel = made("prior_auth_request", folder=tmp_path, models=models)
    work = row(parcel, "work")
    assert work.cells["team_id"] == Find(
        "helpdesk.ticket.team", (("name", "=", "Paperwork"),), required=True
    )
    deadline = row(parcel, "activity_deadline")
    assert deadline.cells["date_deadline"] == "2026-03-15"
    assert deadline.cells["res_model_id/id"] == "helpdesk_mgmt.model_helpdesk_ticket"
    enterprise = {**MODELS["helpdesk.ticket"]}
    enterprise["team_id"] = {"type": "many2one", "relation": "helpdesk.team"}
    work = row(
        made("prior_auth_request", folder=tmp_path, models={"helpdesk.ticket": enterprise}), "work"
    )
    assert isinstance(work.cells["team_id"], Find)
    assert work.cells["team_id"].model == "helpdesk.team"


def test_each_missing_item_is_one_activity_by_its_label(tmp_path: Path) -> None:
    document = paper("prior_auth_request")
    parcel = made("prior_auth_request", folder=tmp_path, document=document)
    found = [each for each in parcel.rows if each.model == "mail.activity"]
    items = missing_items(document, SCHEMAS[document.type])
    assert [each.cells["summary"] for each in found] == [f"Missing: {i.label}" for i in items]
    assert len({each.role for each in found}) == len(items) >= 2
    assert all(each.once for each in found)
    assert all(each.cells["date_deadline"] == "2026-03-14" for each in found)
    assert [item.label for item in items][-2:] == [
        "Evergreen asks for the notes of the last visit",
        "an attachment said to be enclosed",
    ]


def test_a_missing_item_keeps_its_activity_when_others_come_and_go() -> None:
    schema = SCHEMAS[DocumentType.PRIOR_AUTH_REQUEST]
    one = missing_items(paper("prior_auth_request", missing=("member_id", "payer_name")), schema)
    two = missing_items(paper("prior_auth_request", missing=("payer_name",)), schema)
    assert [each.key for each in two if each.key == "payer_name"] == [one[1].key]


def test_what_lacks_is_told_once_and_hints_are_no_gaps() -> None:
    schema = SCHEMAS[DocumentType.PRIOR_AUTH_REQUEST]
    asked = Finding(rule="C3", severity=Severity.BLOCK, field="member_id", message="x")
    hint = Finding(rule="C4", severity=Severity.INFO, message="x")
    items = missing_items(
        paper("prior_auth_request", missing=("member_id",), findings=(asked, hint)), schema
    )
    assert [each.key for each in items] == ["member_id"]


def test_an_activity_is_due_before_the_clock_ends_and_never_in_the_past(tmp_path: Path) -> None:
    tomorrow = CLOCK.model_copy(update={"due_at": CLOCK.starts_at + dt.timedelta(days=1)})
    gone = CLOCK.model_copy(update={"due_at": CLOCK.starts_at - dt.timedelta(days=9)})
    for clock, day in ((tomorrow, "2026-03-13"), (gone, "2026-03-12")):
        document = paper("prior_auth_request", clocks=(clock,))
        parcel = made("prior_auth_request", folder=tmp_path, document=document)
        found = [each for each in parcel.rows if each.model == "mail.activity"]
        assert {each.cells["date_deadline"] for each in found} == {day}


def test_a_determination_belongs_to_its_request_by_number_only(tmp_path: Path) -> None:
    document = paper("prior_auth_determination")
    asked = sought(document, MAPPING)
    assert [(each.type, each.field, each.value) for each in asked] == [
        ("prior_auth_request", "authorization_number", OPEN["auth_number"]),
        ("referral", "authorization_number", OPEN["auth_number"]),
    ]
    parcel = made("prior_auth_determination", folder=tmp_path, belongs=Existing("project.task", 41))
    assert "work" not in roles(parcel)
    assert row(parcel, "document").cells["res_model"] == "project.task"
    assert row(parcel, "document").cells["res_id"] == 41
    arrived = row(parcel, "activity_arrived")
    assert arrived.cells["res_id"] == 41
    assert "Approved" in str(arrived.cells["summary"])
    without = document.model_copy(
        update={"fields": tuple(f for f in document.fields if f.name != "auth_number")}
    )
    assert sought(without, MAPPING) == ()


def test_a_determination_of_no_known_request_gets_a_task_of_its_own(tmp_path: Path) -> None:
    parcel = made("prior_auth_determination", folder=tmp_path)
    assert row(parcel, "work").model == "project.task"
    assert "activity_arrived" not in roles(parcel)


def test_a_remittance_lists_its_denials_by_reason_and_no_claim(tmp_path: Path) -> None:
    said = str(row(made("remittance_eob", folder=tmp_path), "work").cells["description"])
    assert "Denied: CO-197 No authorization: 1 claim, 400.00, to authorizations" in said
    assert "Contractual" not in said
    assert "CLM-9000001" not in said


def test_a_payment_is_a_draft_with_a_memo(tmp_path: Path) -> None:
    mapping = with_own(tmp_path, remittance_eob={"work": [PAYMENT, _task()]})
    payment: Models = {**MODELS, "account.payment": {"memo": {"type": "char"}}}
    work = row(made("remittance_eob", folder=tmp_path, mapping=mapping, models=payment), "work")
    assert work.model == "account.payment"
    assert work.cells == {
        "payment_type": "inbound",
        "partner_type": "customer",
        "amount": "1250.40",
        "date": "2026-03-09",
        "memo": "Evergreen Mutual · EFT-88041",
        "journal_id": Find("account.journal", (("code", "=", "BNK1"),), required=True),
        "partner_id": Find("res.partner", (("ref", "=", "P-77"),)),
    }
    assert work.once
    assert "state" not in work.cells
    older: Models = {**MODELS, "account.payment": {"ref": {"type": "char"}}}
    work = row(made("remittance_eob", folder=tmp_path, mapping=mapping, models=older), "work")
    assert "ref" in work.cells


@pytest.mark.parametrize("amount", ["0.00", "-12.00", "NaN", "twelve", None])
def test_nothing_paid_is_no_payment(amount: str | None, tmp_path: Path) -> None:
    mapping = with_own(tmp_path, remittance_eob={"work": [PAYMENT, _task()]})
    document = paper("remittance_eob")
    fields = tuple(
        f if f.name != "payment_amount" else f.model_copy(update={"value": amount})
        for f in document.fields
    )
    parcel = made(
        "remittance_eob",
        folder=tmp_path,
        mapping=mapping,
        document=document.model_copy(update={"fields": fields}),
        models={**MODELS, "account.payment": {"memo": {"type": "char"}}},
    )
    assert row(parcel, "work").model == "project.task"


def test_a_partner_is_found_by_number_in_the_column_that_the_mapping_names(tmp_path: Path) -> None:
    npi = Find("res.partner", (("ref", "=", "1234567893"),))
    assert row(made("referral", folder=tmp_path), "work").cells["partner_id"] == npi
    mapping = with_own(
        tmp_path,
        _general={"partner_column": "x_npi"},
        referral={"partner": [{"field": "referring_provider_npi"}]},
    )
    cell = row(made("referral", folder=tmp_path, mapping=mapping), "work").cells["partner_id"]
    assert cell == Find("res.partner", (("x_npi", "=", "1234567893"),))
    unnamed = paper("referral").model_copy(update={"fields": ()})
    parcel = made("referral", folder=tmp_path, document=unnamed)
    assert "partner_id" not in row(parcel, "work").cells


def test_a_payer_that_the_directory_does_not_know_for_sure_is_no_partner(tmp_path: Path) -> None:
    near = MasterMatch(directory="payers", party="payer", outcome="near", canonical_id="P-77")
    document = paper("remittance_eob", masters=(near,))
    work = row(made("remittance_eob", folder=tmp_path, document=document), "work")
    assert "partner_id" not in work.cells


def test_the_company_comes_from_the_site_before_the_channel(tmp_path: Path) -> None:
    mapping = with_own(
        tmp_path,
        _general={"companies": {"sites": {"north": "North Clinic"}, "channels": {"fax": "Main"}}},
    )
    parcel = made("referral", "documents_18", folder=tmp_path, mapping=mapping)
    company = Find("res.company", (("name", "=", "North Clinic"),), required=True)
    assert row(parcel, "document").cells["company_id"] == company
    assert row(parcel, "work").cells["company_id"] == company
    task = made("prior_auth_request", folder=tmp_path, mapping=mapping)
    assert "company_id" not in row(task, "work").cells


def test_documents_say_outright_who_may_see_them(tmp_path: Path) -> None:
    cells = row(made("other", "documents_18", folder=tmp_path), "document").cells
    assert cells["access_internal"] == "none"
    assert cells["access_via_link"] == "none"
    assert cells["folder_id"] == Find(
        "documents.document",
        (
            ("type", "=", "folder"),
            ("name", "=", "Other"),
            ("folder_id.name", "=", "Paperwork"),
            ("folder_id.folder_id", "=", False),
        ),
        required=True,
    )
    older = row(made("other", "documents_17", folder=tmp_path), "document").cells
    assert "access_internal" not in older
    assert isinstance(older["folder_id"], Find)
    assert older["folder_id"].model == "documents.folder"


def test_a_tag_of_a_facet_is_found_in_it_where_there_are_facets(tmp_path: Path) -> None:
    mapping = with_own(tmp_path, referral={"tags": ["Kind/Referral"]})
    old = row(made("referral", "documents_17", folder=tmp_path, mapping=mapping), "document")
    new = row(made("referral", "documents_18", folder=tmp_path, mapping=mapping), "document")
    assert old.cells["tag_ids"] == (
        Find("documents.tag", (("name", "=", "Referral"), ("facet_id.name", "=", "Kind"))),
    )
    assert new.cells["tag_ids"] == (Find("documents.tag", (("name", "=", "Referral"),)),)


def test_an_attachment_always_hangs_on_a_record(tmp_path: Path) -> None:
    alone = row(made("other", folder=tmp_path), "document").cells
    assert alone["res_model"] == "project.task"
    home = Find("project.task", (("name", "=", "Other paperwork"),), required=True)
    assert alone["res_id"] == home
    addon = made("other", "addon", folder=tmp_path)
    assert row(addon, "document").cells["res_model"] == "idp.document"
    assert row(addon, "document").cells["res_id"] == Link("record")
    assert row(made("referral", folder=tmp_path), "document").cells["res_id"] == Link("work")


def test_the_document_of_a_file_with_others_takes_its_own_pages_only(tmp_path: Path) -> None:
    cell = row(made("referral", folder=tmp_path, alone=False), "original").cells["datas"]
    assert isinstance(cell, Content)
    assert cell.path.name == "pages.pdf"
    alone = row(made("referral", folder=tmp_path), "original").cells
    assert isinstance(alone["datas"], Content)
    assert alone["datas"].path.name == "original.tif"
    assert str(alone["name"]).endswith(" as received.tif")


def test_names_of_files_are_ours_unique_and_fit_for_a_disk(tmp_path: Path) -> None:
    mapping = with_own(
        tmp_path,
        referral={
            "files": [
                {"what": "record", "name": ["a/b: c"]},
                {"what": "original", "name": ["x"]},
                {"what": "pages", "name": ["x"]},
            ]
        },
    )
    parcel = made("referral", "dms", folder=tmp_path, mapping=mapping, alone=False)
    found = {each.role: each.cells["name"] for each in parcel.rows if each.model == "dms.file"}
    assert found == {"document": "x 2.pdf", "original": "x.pdf", "fields": "a-b- c.json"}
    assert parcel.rows[1].role == "document"
    assert unique("x", {"x"}) != "x"


def test_later_versions_leave_alone_what_people_change(tmp_path: Path) -> None:
    parcel = made("referral", "documents_18", folder=tmp_path, version=2)
    document = row(parcel, "document")
    assert {"folder_id", "tag_ids", "access_internal", "res_id"} <= document.kept
    assert not {"name", "datas"} & document.kept
    assert row(parcel, "work").once


def test_the_same_document_gives_the_same_parcel_and_ids_last_through_versions(
    tmp_path: Path,
) -> None:
    one = made("prior_auth_request", "addon", folder=tmp_path)
    assert one == made("prior_auth_request", "addon", folder=tmp_path)
    two = made("prior_auth_request", "addon", folder=tmp_path, version=2)
    assert [one.external_id(r) for r in roles(one)] == [two.external_id(r) for r in roles(two)]


def test_files_are_named_by_hash_and_size(tmp_path: Path) -> None:
    cell = row(made("other", folder=tmp_path), "original").cells["datas"]
    content = (tmp_path / "original.tif").read_bytes()
    assert isinstance(cell, Content)
    assert cell.sha1 == hashlib.sha1(content).hexdigest()
    assert cell.size_bytes == len(content)


def test_the_record_leaves_out_what_changes_when_nothing_else_does(tmp_path: Path) -> None:
    document = paper("referral", timings_ms={"read": 12.0})
    record = record_of(document, MAPPING)
    assert "timings_ms" not in record
    assert record["fields"][0]["value"]
    slow = document.model_copy(update={"timings_ms": {"read": 99.0}})
    assert record_of(slow, MAPPING) == record
    cells = row(made("referral", "addon", folder=tmp_path, document=document), "record").cells
    assert json.loads(str(cells["payload"])) == record


def test_without_a_model_for_work_the_document_is_filed_and_the_parcel_says_so(
    tmp_path: Path,
) -> None:
    parcel = made("prior_auth_request", folder=tmp_path, models={})
    assert roles(parcel) == ["document", "original", "fields"]
    assert set(parcel.notes) == {"no_work_model", "no_place_for_activities"}


def test_a_new_document_type_is_filed_with_its_fields(tmp_path: Path) -> None:
    schemas = load_schemas(Path(__file__).parents[2] / "examples" / "schemas")
    new = next(schema for name, schema in schemas.items() if name not in SCHEMAS)
    document = paper("other", type=new.type, subtype=None)
    place, models = PLACES["dms"]
    parcel = parcel_of(
        document,
        files(tmp_path),
        load_mapping(None, schemas),
        place,
        key="k",
        version=1,
        schema=new,
        models=models,
        circumstances=CIRCUMSTANCES,
    )
    assert roles(parcel) == ["document", "original", "fields"]
    assert str(row(parcel, "document").cells["name"]).startswith(new.title)


def test_foreign_text_is_escaped_where_the_column_holds_html(tmp_path: Path) -> None:
    document = paper("referral")
    fields = tuple(
        f.model_copy(update={"value": "<b>Ever</b> & Co"}) if f.name == "payer_name" else f
        for f in document.fields
    )
    document = document.model_copy(update={"fields": fields})
    html = row(made("referral", folder=tmp_path, document=document), "work").cells["description"]
    assert "&lt;b&gt;Ever&lt;/b&gt; &amp; Co" in str(html)
    plain = {"crm.lead": {**MODELS["crm.lead"], "description": {"type": "text"}}}
    parcel = made("referral", folder=tmp_path, document=document, models=plain)
    assert "Payer: <b>Ever</b> & Co" in str(row(parcel, "work").cells["description"])


def test_a_preview_names_look_ups_in_words_and_files_by_their_hash(tmp_path: Path) -> None:
    rows = preview(made("prior_auth_request", folder=tmp_path))
    said = {(each.role, each.column): each for each in rows}
    assert said["work", "project_id"].value == "the only project.project where name = Paperwork"
    assert said["work", "tag_ids"].value.endswith("made where there is none")
    assert said["document", "datas"].how == "file"
    assert "sha1" in said["document", "datas"].value
    assert said["document", "res_id"].value == "the record of work"
    long = paper("referral").model_copy(update={"document_id": "x"})
    parcel = made("referral", "addon", folder=tmp_path, document=long)
    payload = next(each for each in preview(parcel) if each.column == "payload")
    assert payload.value.endswith("signs)")
    assert len(payload.value) < 250


def test_open_facts_hold_no_value_of_a_closed_field() -> None:
    document = paper("remittance_eob")
    schema = SCHEMAS[document.type]
    facts = facts_of(document, schema, MAPPING.general, CIRCUMSTANCES, original_name="a.tif")
    assert "denied_claims" not in facts.open
    assert "document.original_name" not in facts.open
    assert facts.all["denied_claims"] == ("CLM-9000001",)
    assert facts.open["eft_number"] == (OPEN["eft_number"],)
    assert set(facts.open) & {f.name for f in schema.fields} <= set(MAPPING.general.open_fields)


def _task(title: str = "{document.title}") -> dict[str, object]:
    return {"model": "project.task", "project": "Paperwork", "title": [title]}


def test_the_numbers_of_an_amount_reach_the_payment_unrounded(tmp_path: Path) -> None:
    mapping = with_own(tmp_path, remittance_eob={"work": [PAYMENT]})
    models: Models = {"account.payment": {"memo": {"type": "char"}}}
    work = row(made("remittance_eob", folder=tmp_path, mapping=mapping, models=models), "work")
    assert Decimal(str(work.cells["amount"])) == Decimal("1250.40")


def _write_expected() -> None:
    for type_, place in CASES:
        with tempfile.TemporaryDirectory() as folder:
            said = json.dumps(golden(type_, place, Path(folder)), indent=1, ensure_ascii=False)
        (DATA / f"{type_}.{place}.json").write_text(f"{said}\n", encoding="utf-8")


if __name__ == "__main__":
    _write_expected()
