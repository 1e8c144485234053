# SPDX-License-Identifier: Apache-2.0
"""What people find in a real Odoo: every type with its work item, by the shipped mapping."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from idp.cli.doctor_mapping import examine_mapping
from idp.deliver.odoo.connection import connect
from idp.deliver.odoo.mapping import load_mapping
from idp.deliver.odoo.mapping_checks import check_mapping
from idp.deliver.odoo.parcel import Place
from idp.deliver.odoo.targets import place_of
from idp.errors import OdooError, OdooRightsError
from idp.settings import Settings
from idp.slices import DeliverSettings
from tests.odoo.conftest import BotSettings
from tests.odoo.desk import FOLDERS, Desk, activities, prepare, record
from tests.odoo.handing import Watched
from tests.odoo.server import BOT, Admin, OdooServer
from tests.paperwork import SCHEMAS, paper, secrets_of

MODULES = ("idp_documents",)
GROUPS = ("idp_documents.group_idp_bot",)
ATTACHMENT = Place("attachment", "none", "datas")


@pytest.fixture(scope="module")
def made(server: OdooServer, database: str, admin: Admin) -> Admin:
    """What docs/odoo-mapping.md tells administrators to make, and two partners."""
    server.grant(database, ("idp_documents.group_idp_manager",), user="admin")
    prepare(admin)
    (bot,) = admin.rows("res.users", [["login", "=", BOT]])
    storage = admin.make("dms.storage", name="Paperwork", save_type="file")
    rights = {"perm_create": True, "perm_write": True, "perm_unlink": True}
    members = [(6, 0, [bot["id"], admin.uid])]
    group = admin.make("dms.access.group", name="Paperwork", explicit_user_ids=members, **rights)
    root = admin.make(
        "dms.directory",
        name="Paperwork",
        is_root_directory=True,
        storage_id=storage,
        group_ids=[(6, 0, [group])],
    )
    for name in FOLDERS:
        admin.make("dms.directory", name=name, parent_id=root, inherit_group_ids=True)
    return admin


MakeDesk = Callable[..., Desk]


@pytest.fixture
def desk(made: Admin, bot_settings: BotSettings, tmp_path: Path) -> Iterator[MakeDesk]:
    desks: list[Desk] = []
    odoo = connect(bot_settings())

    def make(place: Place = ATTACHMENT, **own: dict[str, object]) -> Desk:
        folder = tmp_path / f"rules{len(desks)}" / "odoo"
        folder.mkdir(parents=True)
        for name, content in own.items():
            (folder / f"{name}.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
        mapping = load_mapping(folder.parent, SCHEMAS)
        desks.append(Desk(folder.parent, Watched(odoo), place, mapping))
        return desks[-1]

    yield make
    for each in desks:
        each.house.close()
    odoo.close()


def test_a_request_is_a_task_with_deadline_priority_partner_and_what_lacks(
    desk: MakeDesk, made: Admin
) -> None:
    handed, _ = desk().hand_over(paper("prior_auth_request"))
    task = record(
        made,
        handed,
        "work",
        *("name", "date_deadline", "priority", "partner_id", "project_id", "tag_ids", "state"),
    )
    assert handed.records["work"][0] == "project.task"
    assert task["date_deadline"] == "2026-03-15 15:05:00"
    assert task["priority"] == "2"
    assert task["partner_id"][1] == "Barton Clinic"
    assert task["project_id"][1] == "Paperwork"
    (tag,) = made.rows("project.tags", [["id", "in", task["tag_ids"]]], "name")
    assert tag["name"] == "Prior authorization"
    found = activities(made, *handed.records["work"])
    assert [each["summary"] for each in found] == [
        "Missing: Date of birth",
        "Missing: Member ID",
        "Missing: Evergreen asks for the notes of the last visit",
        "Missing: an attachment said to be enclosed",
    ]
    assert {each["date_deadline"] for each in found} == {"2026-03-14"}
    attached = made.rows(
        "ir.attachment",
        [["res_model", "=", "project.task"], ["res_id", "=", task["id"]]],
        "name",
        "mimetype",
    )
    assert len(attached) == 3
    assert handed.notes == ()


def test_a_document_with_task_files_and_activities_needs_four_calls(desk: MakeDesk) -> None:
    mine = desk()
    mine.hand_over(paper("prior_auth_request"))  # models and look-ups are known from here on
    mine.odoo.counted()
    handed, _ = mine.hand_over(paper("prior_auth_request"))
    assert len(handed.records) == 8
    calls = mine.odoo.counted()
    assert sum(calls.values()) <= 4, calls


def test_nothing_of_a_patient_is_where_odoo_mails_and_lists(desk: MakeDesk, made: Admin) -> None:
    for type_ in SCHEMAS:
        document = paper(type_)
        handed, document = desk().hand_over(document)
        secrets = {each.casefold() for each in secrets_of(document, SCHEMAS[document.type])}
        said: list[object] = []
        if "work" in handed.records:
            model, number = handed.records["work"]
            fields = ("name", "display_name", "description", "message_ids")
            work = record(made, handed, "work", *fields)
            said.append(work)
            said += activities(made, model, number)
            said += made.rows(
                "mail.message",
                [["id", "in", work["message_ids"]]],
                *("subject", "body", "record_name", "preview"),
            )
        for role in ("document", "original", "fields"):
            said.append(record(made, handed, role, "name", "description"))
        text = json.dumps(said, ensure_ascii=False).casefold()
        assert not [each for each in secrets if each in text]
    mails = made.rows("mail.mail", [], "subject", "body_html")
    assert not [each for each in secrets if each in json.dumps(mails).casefold()]


def test_a_determination_is_attached_to_its_request(desk: MakeDesk, made: Admin) -> None:
    mine = desk()
    request, _ = mine.hand_over(paper("prior_auth_request"))
    handed, _ = mine.hand_over(paper("prior_auth_determination"))
    assert "work" not in handed.records
    attached = record(made, handed, "document", "res_model", "res_id")
    assert (attached["res_model"], attached["res_id"]) == request.records["work"]
    summaries = [each["summary"] for each in activities(made, *request.records["work"])]
    assert "Prior-authorization decision arrived · Approved" in summaries


def test_a_determination_whose_request_was_deleted_there_gets_its_own_task(
    desk: MakeDesk, made: Admin
) -> None:
    mine = desk()
    request, _ = mine.hand_over(paper("prior_auth_request"))
    made.call("project.task", "unlink", [request.records["work"][1]])
    handed, _ = mine.hand_over(paper("prior_auth_determination"))
    assert handed.records["work"][0] == "project.task"


def test_a_referral_is_an_opportunity_of_the_referring_provider(
    desk: MakeDesk, made: Admin
) -> None:
    handed, _ = desk().hand_over(paper("referral"))
    assert handed.records["work"][0] == "crm.lead"
    lead = record(made, handed, "work", "type", "partner_id", "priority", "date_deadline")
    assert lead["type"] == "opportunity"
    assert lead["partner_id"][1] == "Barton Clinic"
    assert (lead["priority"], lead["date_deadline"]) == ("2", "2026-03-15")
    assert len(activities(made, *handed.records["work"])) >= 2


def test_a_ticket_has_its_deadline_as_an_activity(desk: MakeDesk, made: Admin) -> None:
    made.make("helpdesk.ticket.team", name="Prior authorizations", alias_name=False)
    ticket = {
        "model": "helpdesk.ticket",
        "team": "Prior authorizations",
        "title": ["{document.title}", "{document.id|short}"],
        "description": ["{clocks}"],
    }
    handed, _ = desk(prior_auth_request={"work": [ticket]}).hand_over(paper("prior_auth_request"))
    found = record(made, handed, "work", "team_id", "priority", "partner_id")
    assert found["team_id"][1] == "Prior authorizations"
    assert (found["priority"], found["partner_id"][1]) == ("2", "Barton Clinic")
    days = {
        each["summary"]: each["date_deadline"] for each in activities(made, *handed.records["work"])
    }
    clock = "Decide the expedited request by 2026-03-15 09:05 CST (72 hours)"
    assert days.pop(clock) == "2026-03-15"
    assert set(days.values()) == {"2026-03-14"}


def test_a_partner_that_two_share_a_number_with_is_none(desk: MakeDesk, made: Admin) -> None:
    twin = made.make("res.partner", name="Barton Clinic", ref="1234567893")
    try:
        handed, _ = desk().hand_over(paper("referral"))
    finally:
        made.call("res.partner", "unlink", [twin])
    assert record(made, handed, "work", "partner_id")["partner_id"] is False
    assert any(note.startswith("work.partner_id:") for note in handed.notes)


def test_a_remittance_lists_its_denials(desk: MakeDesk, made: Admin) -> None:
    handed, _ = desk().hand_over(paper("remittance_eob"))
    task = record(made, handed, "work", "description", "partner_id")
    assert "CO-197 No authorization: 1 claim, 400.00" in task["description"]
    assert task["partner_id"][1] == "Evergreen Mutual"


def test_other_paperwork_hangs_on_the_record_for_it(desk: MakeDesk, made: Admin) -> None:
    handed, _ = desk().hand_over(paper("other"), alone=False)
    assert "work" not in handed.records
    attached = record(made, handed, "document", "res_model", "res_id")
    (home,) = made.rows("project.task", [["name", "=", "Other paperwork"]])
    assert (attached["res_model"], attached["res_id"]) == ("project.task", home["id"])


def test_in_dms_each_type_has_its_directory(desk: MakeDesk, made: Admin) -> None:
    mine = desk(Place("dms", "dms.directory", "datas"))
    for type_, folder in (
        ("referral", "Referrals"),
        ("prior_auth_request", "Prior authorizations"),
        ("prior_auth_determination", "Determinations"),
        ("remittance_eob", "Remittances"),
        ("other", "Other"),
    ):
        handed, _ = mine.hand_over(paper(type_))
        found = record(made, handed, "document", "directory_id", "name", "tag_ids")
        assert handed.records["document"][0] == "dms.file"
        assert found["directory_id"][1].endswith(folder)


def test_with_the_addon_there_is_a_searchable_record_beside(desk: MakeDesk, made: Admin) -> None:
    mine = desk(Place("attachment", "none", "datas", addon=True))
    handed, document = mine.hand_over(paper("prior_auth_request"))
    found = record(
        made,
        handed,
        "record",
        *("name", "kind", "urgency", "due_at", "work_model", "work_res_id", "filed_model"),
        *("missing_count", "partner_id", "field_ids", "payer_name"),
    )
    assert (found["work_model"], found["work_res_id"]) == handed.records["work"]
    assert found["filed_model"] == "ir.attachment"
    assert found["missing_count"] == len(document.missing)
    assert len(found["field_ids"]) == len(document.fields)
    assert found["due_at"] == "2026-03-15 15:05:00"
    alone, _ = mine.hand_over(paper("other"))
    attached = record(made, alone, "document", "res_model", "res_id")
    assert (attached["res_model"], attached["res_id"]) == alone.records["record"]


def test_a_corrected_document_changes_files_and_nothing_that_people_did(
    desk: MakeDesk, made: Admin
) -> None:
    mine = desk()
    first, document = mine.hand_over(paper("prior_auth_request"))
    number = first.records["work"][1]
    made.call("project.task", "write", [number], vals={"priority": "0", "name": "Ann's"})
    more = (*document.missing, "payer_name")
    again, _ = mine.hand_over(
        document.model_copy(update={"missing": more, "sampled": True}), version=2
    )
    assert {**again.records, **first.records} == again.records
    task = record(made, again, "work", "priority", "name")
    assert (task["priority"], task["name"]) == ("0", "Ann's")
    kept = record(made, again, "fields", "datas")
    assert json.loads(base64.b64decode(kept["datas"]))["sampled"] is True
    summaries = [each["summary"] for each in activities(made, "project.task", number)]
    assert summaries.count("Missing: Payer") == 1
    assert len(summaries) == len(set(summaries))


def test_the_shipped_mapping_fits_this_server(
    desk: MakeDesk, made: Admin, bot_settings: BotSettings
) -> None:
    mine = desk()
    mapping = load_mapping(None, SCHEMAS)
    for wanted in ("attachment", "dms"):
        place = place_of(mine.odoo, wanted)
        assert [str(each) for each in check_mapping(mine.odoo, mapping, place)] == []


def test_what_the_mapping_names_wrongly_is_told_by_file_and_key(
    desk: MakeDesk, tmp_path: Path, made: Admin
) -> None:
    work = {
        "model": "crm.lead",
        "title": ["x"],
        "team": "Nobody's team",
        "values": {"type": "chance", "x_member": "{member_id}"},
    }
    mine = desk(referral={"work": [work], "folder": "Nowhere/At all"})
    mapping = load_mapping(mine.folder, SCHEMAS)
    faults = check_mapping(mine.odoo, mapping, Place("dms", "dms.directory", "datas"))
    assert {(Path(each.file).name, each.key) for each in faults} == {
        ("referral.yaml", "folder"),
        ("referral.yaml", "work.0.team"),
        ("referral.yaml", "work.0.values.type"),
        ("referral.yaml", "work.0.values.x_member"),
    }


def test_doctor_says_that_all_of_it_is_there_or_what_is_not(
    made: Admin, bot_settings: BotSettings, tmp_path: Path
) -> None:
    settings = Settings(
        data=tmp_path, deliver=DeliverSettings(to="odoo", odoo=bot_settings(place="dms"))
    )
    version, told, advice = examine_mapping(settings)
    assert version
    assert "all of it is on the server (dms)" in told
    assert advice == ""
    (settings.rules_folder / "odoo").mkdir(parents=True)
    own = settings.rules_folder / "odoo" / "referral.yaml"
    own.write_text("folder: Nowhere\ntags: [Referral]\n", encoding="utf-8")
    with pytest.raises(OdooError, match=r"referral\.yaml: folder: no dms\.directory 'Nowhere'"):
        examine_mapping(settings)


def test_a_bot_without_the_right_to_make_work_is_told_which(
    desk: MakeDesk, server: OdooServer, database: str, made: Admin
) -> None:
    group = ("sales_team.group_sale_salesman_all_leads", "sales_team.group_sale_salesman")
    mine = desk(referral={"work": [{"model": "crm.lead", "title": ["x"]}]})
    server.revoke(database, group)
    try:
        with pytest.raises(OdooRightsError, match=r"create crm\.lead"):
            mine.hand_over(paper("referral"))
    finally:
        server.grant(database, group[:1])
