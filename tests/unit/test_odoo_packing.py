# SPDX-License-Identifier: Apache-2.0
"""Parcels for a server: which models are used, and how a determination finds its request."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import pytest

from idp.deliver.odoo.mapping import load_mapping
from idp.deliver.odoo.mapping_checks import check_mapping
from idp.deliver.odoo.packing import MappedPacker
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
        assert method == "search_count", method
        if named["domain"][0][0] == "id":
            return int(named["domain"][0][2] in (41, 42))
        if (model, "read") in self.forbidden:
            raise OdooRightsError(f"{model}: read")
        wanted = next(value for column, _, value in named["domain"] if column != "type")
        return self.names.get(model, []).count(wanted)


class Record:
    """What is on record, as the store tells it: numbers by document, and their work items."""

    def __init__(self) -> None:
        self.numbers: dict[str, set[tuple[str, str, str]]] = {}
        self.documents: dict[str, Document] = {}
        self.work: dict[str, Handover] = {}

    def note_numbers(
        self, document_id: str, type_: str, numbers: Collection[tuple[str, str]]
    ) -> None:
        self.numbers[document_id] = {(type_, *each) for each in numbers}

    def documents_by_number(self, type_: str, field: str, number: str) -> tuple[str, ...]:
        return tuple(k for k, held in self.numbers.items() if (type_, field, number) in held)

    def document(self, document_id: str) -> Document | None:
        return self.documents.get(document_id)

    def handovers_of(self, document_id: str) -> tuple[Handover, ...]:
        return (self.work[document_id],) if document_id in self.work else ()


def packer(record: Record) -> MappedPacker:
    return MappedPacker(MAPPING, SCHEMAS, record, lambda _: CIRCUMSTANCES)


def delivered(record: Record, folder: Path, name: str, record_id: int, **values: str) -> None:
    """As if a request had been handed over with its work item; ``values`` in place of its own."""
    document = paper("prior_auth_request", document_id=name)
    fields = tuple(
        f.model_copy(update={"value": values[f.name]}) if f.name in values else f
        for f in document.fields
    )
    document = document.model_copy(update={"fields": fields})
    record.documents[name] = document
    packer(record).parcel(document, files(folder), Server(), ATTACHMENT, key=name, version=1)
    record.work[name] = Handover(
        server=Server.identity,
        external_id=f"__idp__.work_{name}",
        document_id=name,
        role=WORK,
        model="project.task",
        record_id=record_id,
        content_sha256="0" * 64,
    )


def determination(pack: MappedPacker, folder: Path, server: Server | None = None) -> Parcel:
    return pack.parcel(
        paper("prior_auth_determination"),
        files(folder),
        server or Server(),
        ATTACHMENT,
        key="k",
        version=1,
    )


def attached_to(record: Record, folder: Path) -> object:
    """The record that a determination's document hangs on; none: one of its own."""
    parcel = determination(packer(record), folder)
    cell = row(parcel, "document").cells["res_id"]
    return cell if isinstance(cell, int) else None


def test_a_determination_finds_the_work_item_of_its_request(tmp_path: Path) -> None:
    record = Record()
    assert attached_to(record, tmp_path) is None
    assert row(determination(packer(record), tmp_path), "work").model == "project.task"
    delivered(record, tmp_path, "one", 41)
    assert attached_to(record, tmp_path) == 41
    delivered(record, tmp_path, "one", 41)
    assert attached_to(record, tmp_path) == 41


def test_a_request_of_another_patient_is_not_attached_to(tmp_path: Path) -> None:
    record = Record()
    delivered(record, tmp_path, "one", 41, patient_name="x")
    document = record.documents["one"]
    born = next(f for f in paper("prior_auth_determination").fields if f.name == "patient_dob")
    for day, found in ((born.value, 41), ("2001-01-01", None)):
        field = born.model_copy(update={"value": day})
        record.documents["one"] = document.model_copy(update={"fields": (*document.fields, field)})
        assert attached_to(record, tmp_path) == found


def test_a_request_that_is_no_longer_on_record_is_not_attached_to(tmp_path: Path) -> None:
    record = Record()
    delivered(record, tmp_path, "one", 41)
    record.documents.clear()
    assert attached_to(record, tmp_path) is None


def test_a_number_that_two_requests_hold_finds_neither(tmp_path: Path) -> None:
    record = Record()
    delivered(record, tmp_path, "one", 41)
    delivered(record, tmp_path, "two", 42)
    assert attached_to(record, tmp_path) is None


def test_a_request_whose_number_was_corrected_is_found_by_the_new_one(tmp_path: Path) -> None:
    record = Record()
    delivered(record, tmp_path, "one", 41, authorization_number="AUTH-1")
    assert attached_to(record, tmp_path) is None
    delivered(record, tmp_path, "one", 41)
    assert attached_to(record, tmp_path) == 41


def test_a_request_whose_work_item_is_gone_is_not_attached_to(tmp_path: Path) -> None:
    record = Record()
    delivered(record, tmp_path, "one", 99)  # the server no longer has it
    assert attached_to(record, tmp_path) is None
    delivered(record, tmp_path, "one", 41)
    record.work["one"] = dataclasses.replace(record.work["one"], gone=True)
    assert attached_to(record, tmp_path) is None
    record.work["one"] = dataclasses.replace(record.work["one"], gone=False, server="another")
    assert attached_to(record, tmp_path) is None


def test_models_are_asked_for_once_in_a_while(tmp_path: Path) -> None:
    server, pack = Server(), packer(Record())
    determination(pack, tmp_path, server)
    asked = len(server.calls)
    determination(pack, tmp_path, server)
    assert len(server.calls) == asked


def test_a_model_that_the_bot_may_not_make_is_passed_over_for_the_next(tmp_path: Path) -> None:
    server = Server()
    server.forbidden.add(("project.task", "create"))
    work = row(determination(packer(Record()), tmp_path, server), "work")
    assert work.model == "helpdesk.ticket"


def test_where_no_work_item_may_be_made_the_missing_right_is_named(tmp_path: Path) -> None:
    server = Server()
    server.forbidden |= {("project.task", "create"), ("helpdesk.ticket", "create")}
    with pytest.raises(OdooRightsError, match=r"right to create project\.task"):
        determination(packer(Record()), tmp_path, server)


def test_a_preview_without_a_server_shows_what_a_server_with_everything_would_get(
    tmp_path: Path,
) -> None:
    for type_ in SCHEMAS:
        document = paper(type_)
        parcel = packer(Record()).assumed(document, files(tmp_path), ATTACHMENT)
        real = packer(Record()).parcel(
            document, files(tmp_path), Server(), ATTACHMENT, key=parcel.key, version=1
        )
        assert parcel == real


def test_nothing_of_a_document_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    record = Record()
    with caplog.at_level(logging.DEBUG):
        delivered(record, tmp_path, "one", 41)
        delivered(record, tmp_path, "two", 42)
        attached_to(record, tmp_path)
    assert "its number is that of several" in caplog.text
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
