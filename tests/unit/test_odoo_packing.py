# SPDX-License-Identifier: Apache-2.0
"""Parcels for a server: which models are used, and how a determination finds its request."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from idp.deliver.odoo.mapping import load_mapping
from idp.deliver.odoo.mapping_checks import check_mapping
from idp.deliver.odoo.packing import MappedPacker, reference_id
from idp.deliver.odoo.parcel import Parcel, Place
from idp.deliver.odoo.work_items import WORK
from idp.document import Document
from idp.errors import OdooRefusedError, OdooRightsError
from idp.handover import Handover
from tests.paperwork import CIRCUMSTANCES, OPEN, SCHEMAS, files, paper
from tests.unit.test_odoo_parcels import MODELS, row, with_own

MAPPING = load_mapping(None, SCHEMAS)
ATTACHMENT = Place("attachment", "none", "datas")
DMS = Place("dms", "dms.directory", "datas")


class Server:
    """Answers as a real Odoo 19 was seen to, from what it is told that it holds."""

    identity = "https://odoo.example.org/clinic"
    version = (19, 0)

    def __init__(self, models: Collection[str] = tuple(MODELS), **records: Sequence[str]) -> None:
        self.models = {name: MODELS[name] for name in MODELS if name in models}
        self.names = {name.replace("__", "."): list(each) for name, each in records.items()}
        self.forbidden: set[tuple[str, str]] = set()
        self.calls: list[tuple[str, str]] = []

    def call(self, model: str, method: str, ids: Sequence[int] | None = None, **named: Any) -> Any:
        self.calls.append((model, method))
        if method == "check_object_reference":
            return ["mail.activity.type", 4]
        if method == "fields_get" and model == "res.partner":
            return {"ref": {"type": "char"}}
        if method == "fields_get":
            if model not in self.models:
                raise OdooRefusedError(f"the model {model} does not exist")
            return self.models[model]
        if method == "has_access":
            return (model, named["operation"]) not in self.forbidden
        if method == "check_access_rights":
            raise OdooRightsError(f"the bot user lacks the right to {named['operation']} {model}")
        assert method == "search_count", method
        if named["domain"][0][0] == "id":
            return int(named["domain"][0][2] in (41, 42))
        if (model, "read") in self.forbidden:
            raise OdooRightsError(f"{model}: read")
        wanted = next(value for column, _, value in named["domain"] if column != "type")
        return self.names.get(model, []).count(wanted)


class Ledger:
    """As the store keeps it: what is noted first stays the document's."""

    def __init__(self) -> None:
        self.held: dict[str, Handover] = {}

    def handovers(self, server: str, external_ids: Collection[str]) -> Mapping[str, Handover]:
        return {each: self.held[each] for each in external_ids if each in self.held}

    def intend(self, handovers: Sequence[Handover]) -> None:
        for each in handovers:
            self.held.setdefault(each.external_id, each)

    def handed_over(self, handovers: Sequence[Handover]) -> None:
        for each in handovers:
            first = self.held.get(each.external_id, each)
            self.held[each.external_id] = dataclasses.replace(each, document_id=first.document_id)


def packer(ledger: Ledger, **of_request: str) -> MappedPacker:
    """A packer to which every earlier document is a request, with these values."""

    def earlier(document_id: str) -> Document:
        document = paper("prior_auth_request", document_id=document_id)
        fields = [f for f in document.fields if f.name not in ("member_id", "patient_dob")]
        fields += [
            fields[0].model_copy(update={"name": k, "value": v}) for k, v in of_request.items()
        ]
        return document.model_copy(update={"fields": tuple(fields)})

    return MappedPacker(MAPPING, SCHEMAS, ledger, lambda _: CIRCUMSTANCES, earlier)


def request(number: int, **more: Any) -> Document:
    return paper("prior_auth_request", document_id=f"request-{number}", **more)


def delivered(pack: MappedPacker, ledger: Ledger, document: Document, record_id: int) -> None:
    """As if the document's work item had been handed over."""
    ledger.handed_over(
        [
            Handover(
                server=Server.identity,
                external_id=Parcel(document.document_id, "", 1, ()).external_id(WORK),
                document_id=document.document_id,
                role=WORK,
                model="project.task",
                record_id=record_id,
                content_sha256="0" * 64,
            )
        ]
    )
    pack.handed(document, Server.identity, {WORK: ("project.task", record_id)})


def determination(pack: MappedPacker, folder: Path, server: Server | None = None) -> Parcel:
    return pack.parcel(
        paper("prior_auth_determination"),
        files(folder),
        server or Server(),
        ATTACHMENT,
        key="k",
        version=1,
    )


def test_a_determination_finds_the_work_item_of_its_request(tmp_path: Path) -> None:
    ledger = Ledger()
    pack = packer(ledger)
    assert row(determination(pack, tmp_path), "work").model == "project.task"
    delivered(pack, ledger, request(1), 41)
    assert row(determination(pack, tmp_path), "document").cells["res_id"] == 41


def test_a_request_of_another_patient_is_not_attached_to(tmp_path: Path) -> None:
    born = paper("prior_auth_determination").field("patient_dob")
    assert born is not None
    assert born.value
    for day, attached in ((born.value, True), ("2001-01-01", False)):
        ledger = Ledger()
        pack = packer(ledger, patient_dob=day)
        delivered(pack, ledger, request(1), 41)
        found = [each.role for each in determination(pack, tmp_path).rows]
        assert ("work" not in found) is attached


def test_the_ledger_keeps_no_number_in_clear() -> None:
    ledger = Ledger()
    pack = packer(ledger)
    delivered(pack, ledger, request(1), 41)
    assert OPEN["authorization_number"] not in repr(ledger.held)
    assert reference_id("a", "b", " Auth 1") == reference_id("a", "b", "AUTH1")
    assert reference_id("a", "b", "1") != reference_id("a", "c", "1")


def test_noting_a_number_again_changes_nothing(tmp_path: Path) -> None:
    ledger = Ledger()
    pack = packer(ledger)
    delivered(pack, ledger, request(1), 41)
    before = dict(ledger.held)
    delivered(pack, ledger, request(1), 41)
    assert ledger.held == before


def test_a_number_that_two_requests_hold_finds_neither(tmp_path: Path) -> None:
    ledger = Ledger()
    pack = packer(ledger)
    delivered(pack, ledger, request(1), 41)
    delivered(pack, ledger, request(2), 42)
    delivered(pack, ledger, request(1), 41)
    assert "work" in [each.role for each in determination(pack, tmp_path).rows]


def test_a_request_whose_work_item_was_deleted_is_not_attached_to(tmp_path: Path) -> None:
    ledger = Ledger()
    pack = packer(ledger)
    delivered(pack, ledger, request(1), 99)  # the server no longer has it
    assert "work" in [each.role for each in determination(pack, tmp_path).rows]
    delivered(pack, ledger, request(3), 41)
    known = {k: dataclasses.replace(v, gone=v.role == WORK) for k, v in ledger.held.items()}
    ledger.held = known
    assert "work" in [each.role for each in determination(pack, tmp_path).rows]


def test_a_document_without_a_work_item_is_no_place_for_later_ones() -> None:
    ledger = Ledger()
    packer(ledger).handed(request(1), Server.identity, {"document": ("ir.attachment", 5)})
    assert not ledger.held


def test_models_are_asked_for_once_in_a_while(tmp_path: Path) -> None:
    server, pack = Server(), packer(Ledger())
    determination(pack, tmp_path, server)
    asked = len(server.calls)
    determination(pack, tmp_path, server)
    assert len(server.calls) == asked


def test_a_model_that_the_bot_may_not_make_is_passed_over_for_the_next(tmp_path: Path) -> None:
    server = Server()
    server.forbidden.add(("project.task", "create"))
    work = row(determination(packer(Ledger()), tmp_path, server), "work")
    assert work.model == "helpdesk.ticket"


def test_where_no_work_item_may_be_made_the_missing_right_is_named(tmp_path: Path) -> None:
    server = Server()
    server.forbidden |= {("project.task", "create"), ("helpdesk.ticket", "create")}
    with pytest.raises(OdooRightsError, match=r"right to create project\.task"):
        determination(packer(Ledger()), tmp_path, server)


def test_a_preview_without_a_server_shows_what_a_server_with_everything_would_get(
    tmp_path: Path,
) -> None:
    for type_ in SCHEMAS:
        document = paper(type_)
        parcel = packer(Ledger()).assumed(document, files(tmp_path), ATTACHMENT)
        real = packer(Ledger()).parcel(
            document, files(tmp_path), Server(), ATTACHMENT, key=parcel.key, version=1
        )
        assert parcel == real


def test_nothing_of_a_document_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    ledger = Ledger()
    pack = packer(ledger)
    with caplog.at_level(logging.DEBUG):
        delivered(pack, ledger, request(1), 41)
        delivered(pack, ledger, request(2), 42)
        determination(pack, tmp_path)
    assert "several hold its number" in caplog.text
    assert OPEN["auth_number"] not in caplog.text


WHOLE = {
    "project__project": ["Paperwork"],
    "project__task": ["Other paperwork"],
    "dms__directory": [
        "Referrals",
        "Prior authorizations",
        "Determinations",
        "Remittances",
        "Other",
    ],
}


def test_the_shipped_mapping_fits_a_server_that_has_what_it_names() -> None:
    assert check_mapping(Server(**WHOLE), MAPPING, ATTACHMENT) == ()
    assert check_mapping(Server(**WHOLE), MAPPING, DMS) == ()


def test_what_the_server_lacks_is_named_by_file_and_key() -> None:
    told = {
        (Path(each.file).name, each.key, each.verdict)
        for each in check_mapping(Server(), MAPPING, DMS)
    }
    assert ("referral.yaml", "folder", "fail") in told
    assert ("prior_auth_request.yaml", "work.0.project", "fail") in told
    # What is never used here is not complained about: tasks come before tickets.
    assert not any(key.startswith("work.1") for _, key, _ in told)


def test_a_name_that_several_hold_is_no_place() -> None:
    twice = {**WHOLE, "project__project": ["Paperwork", "Paperwork"]}
    faults = check_mapping(Server(**twice), MAPPING, ATTACHMENT)
    assert {each.said for each in faults} == {"2 of project.project are called 'Paperwork'"}
    assert "docs" not in str(faults[0])
    assert "work.0.project" in str(faults[0])


def test_a_server_without_modules_for_work_is_a_warning() -> None:
    faults = check_mapping(Server(("ir.attachment",), **WHOLE), MAPPING, ATTACHMENT)
    assert {each.verdict for each in faults} == {"warn"}
    assert {each.key for each in faults} == {"work"}


def test_a_missing_right_is_named() -> None:
    server = Server(**WHOLE)
    server.forbidden |= {(m, "create") for m in ("project.task", "crm.lead", "helpdesk.ticket")}
    server.forbidden.add(("project.task", "write"))
    said = [each.said for each in check_mapping(server, MAPPING, ATTACHMENT)]
    assert "the bot user lacks the right to create crm.lead" in said
    assert "the bot user lacks the right to write project.task" in said


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"type": "chance"}, "crm.lead.type knows no 'chance'"),
        ({"x_member": "{member_id}"}, "crm.lead has no column x_member"),
        ({"stage_id": "New"}, "crm.lead.stage_id does not take a text"),
    ],
)
def test_columns_and_choices_are_held_against_the_server(
    values: dict[str, str], said: str, tmp_path: Path
) -> None:
    own: dict[str, object] = {
        "work": [{"model": "crm.lead", "title": ["x"], "values": values}],
        "partner": [{"field": "referring_provider_npi", "column": "x_npi"}],
    }
    mapping = with_own(tmp_path, referral=own)
    faults = check_mapping(Server(**WHOLE), mapping, ATTACHMENT)
    assert {each.said for each in faults} == {said, "res.partner has no column x_npi"}
    assert all(each.file.endswith("odoo/referral.yaml") for each in faults)


def test_people_stages_and_companies_are_looked_for(tmp_path: Path) -> None:
    mapping = with_own(
        tmp_path,
        _general={"companies": {"sites": {"north": "North"}, "default": "Main"}},
        referral={
            "work": [
                {
                    "model": "crm.lead",
                    "title": ["x"],
                    "team": "Front desk",
                    "stage": "New",
                    "assignee": "ann",
                }
            ],
            "activities": {"summary": ["x"], "type": "Call back", "user": "bob"},
        },
    )
    faults = check_mapping(Server(**WHOLE), mapping, ATTACHMENT)
    told = {(each.key, each.verdict) for each in faults}
    assert told == {
        ("companies.sites.north", "fail"),
        ("companies.default", "fail"),
        ("work.0.team", "fail"),
        ("work.0.stage", "warn"),
        ("work.0.assignee", "warn"),
        ("activities.type", "warn"),
        ("activities.user", "warn"),
    }
