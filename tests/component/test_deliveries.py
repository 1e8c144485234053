# SPDX-License-Identifier: Apache-2.0
"""Deliveries and what lies in Odoo, as people see them: the page, the figures, the verbs."""

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner, Result

from idp.cli import app
from idp.document import Decision
from idp.errors import ExitCode
from idp.handover import Handover, WorkState
from idp.serve import create_app
from idp.settings import load_settings
from idp.store import DeliverJob, State
from tests.fabricate import PATIENT, Shelf, document

pytestmark = pytest.mark.component

ODOO = "https://odoo.example.org"
SERVER = f"{ODOO} clinic"
HOME = "http://127.0.0.1:8600"
FORM = {"Origin": HOME, "Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    """A store whose deliveries go to an Odoo."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IDP_DATA", str(tmp_path))
    monkeypatch.setenv("IDP_DELIVER__ODOO__URL", ODOO)
    shelf = Shelf(tmp_path)
    yield shelf
    shelf.store.close()


@pytest.fixture
def page(shelf: Shelf) -> TestClient:
    return TestClient(
        create_app(load_settings(), shelf.store), base_url=HOME, follow_redirects=False
    )


def begun(shelf: Shelf, content: bytes) -> DeliverJob:
    """A document whose delivery was begun."""
    shelf.put(document(decision=Decision.AUTO, missing=(), findings=(), reasons=()), content)
    jobs: list[tuple[str, str]] = []
    shelf.store.start_due(lambda _, __, target, job, ___: jobs.append((target, job)))
    job = shelf.store.begin_delivery(*jobs[-1], 3)
    assert job is not None
    return job


def given_up(shelf: Shelf, content: bytes = b"given up") -> str:
    job = begun(shelf, content)
    fail(shelf, job, counted=True)
    return job.document_id


def put_off(shelf: Shelf, content: bytes = b"put off") -> str:
    job = begun(shelf, content)
    fail(shelf, job, counted=False)
    return job.document_id


def fail(shelf: Shelf, job: DeliverJob, *, counted: bool) -> None:
    shelf.store.fail_delivery(
        job,
        trouble="odoo_refused" if counted else "odoo_unreachable",
        retry_in=dt.timedelta(hours=1),
        attempts=1,
        counted=counted,
    )


def at_odoo(shelf: Shelf, number: int, state: str | None = "open", who: str | None = None) -> str:
    """A document that was delivered, with its work item as it was read back."""
    job = begun(shelf, f"delivered {number}".encode())
    shelf.store.finish_delivery(job, f"project.task {number}")
    now = dt.datetime.now(dt.UTC)
    for role, model in (("work", "project.task"), ("document", "ir.attachment")):
        external_id = f"__idp__.{role}_{number}"
        handover = Handover(SERVER, external_id, job.document_id, role, model, number)
        shelf.store.intend([handover])
        shelf.store.handed_over([handover])
    if state is not None:
        done = now + dt.timedelta(hours=2) if state == "done" else None
        shelf.store.note_work_states(
            [
                WorkState(
                    server=SERVER,
                    external_id=f"__idp__.work_{number}",
                    state=state,
                    stage="In review",
                    assignee=who,
                    assigned_at=now + dt.timedelta(minutes=7) if who else None,
                    completed_at=done,
                    changed_at=now,
                )
            ]
        )
    return job.document_id


def idp_(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def test_the_page_says_what_lies_in_odoo_and_how_long_it_takes(
    shelf: Shelf, page: TestClient
) -> None:
    at_odoo(shelf, 1)
    at_odoo(shelf, 2, "done", "ann")
    at_odoo(shelf, 3, "gone")
    text = page.get("/deliveries").text
    assert "<b>1</b><span>with nobody</span>" in text
    assert "<b>1</b><span>deleted there</span>" in text
    assert "Delivery until somebody takes it" in text
    assert "7 min" in text
    assert PATIENT not in text


def test_the_document_leads_to_its_records(shelf: Shelf, page: TestClient) -> None:
    document_id = at_odoo(shelf, 41, "open", "ann")
    text = page.get(f"/documents/{document_id}").text
    link = f"{ODOO}/mail/view?model=project.task&amp;res_id=41"
    assert f'href="{link}"' in text
    assert "open, In review" in text
    assert ">ann<" in text


def test_a_deleted_record_has_no_link(shelf: Shelf, page: TestClient) -> None:
    text = page.get(f"/documents/{at_odoo(shelf, 41, 'gone')}").text
    assert "deleted there" in text
    assert "model=project.task" not in text


def test_dead_letters_are_retried_by_a_button(shelf: Shelf, page: TestClient) -> None:
    document_id = given_up(shelf)
    assert "Retry 1 given up" in page.get("/deliveries").text
    assert "Retry delivery" in page.get(f"/documents/{document_id}").text
    answer = page.post(f"/documents/{document_id}/retry", headers=FORM)
    assert answer.status_code == 303
    assert shelf.store.row(document_id).state is State.DELIVERING
    other = given_up(shelf, b"another")
    assert page.post("/deliveries/retry", headers=FORM).headers["location"] == "/deliveries"
    assert shelf.store.row(other).state is State.DELIVERING


def test_another_site_can_not_press_the_button(shelf: Shelf, page: TestClient) -> None:
    given_up(shelf)
    foreign = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
    assert page.post("/deliveries/retry", headers=foreign).status_code == 403
    assert shelf.store.outgoing_counts()["dead"] == 1


def test_the_figures_are_there_for_monitoring(shelf: Shelf, page: TestClient) -> None:
    at_odoo(shelf, 1)
    at_odoo(shelf, 2, "done", "ann")
    given_up(shelf)
    text = page.get("/metrics").text
    assert 'idp_deliveries{state="dead"} 1' in text
    assert 'idp_handover_open{type="referral"} 1' in text
    assert 'idp_handover_seconds{step="delivered_to_assigned",quantile="0.9"} 420' in text
    assert "idp_handover_deleted 0" in text
    assert PATIENT not in text


def test_status_tells_what_was_given_up_and_what_lies_in_odoo(shelf: Shelf) -> None:
    at_odoo(shelf, 1)
    given_up(shelf)
    told = idp_("status").output
    assert "1 delivery was given up" in told
    assert "in Odoo: 1 open, 1 with nobody" in told
    plain = json.loads(idp_("status", "--json").output)
    assert plain["deliveries"]["dead"] == 1
    assert plain["handovers"]["work"][0]["unassigned"] == 1


def test_show_names_the_records_with_their_addresses(shelf: Shelf) -> None:
    document_id = at_odoo(shelf, 41, "open", "ann")
    plain = json.loads(idp_("show", document_id, "--json").output)
    work = next(each for each in plain["handovers"] if each["role"] == "work")
    assert work["link"] == f"{ODOO}/mail/view?model=project.task&res_id=41"
    assert (work["state"], work["assignee"]) == ("open", "ann")
    assert "project.task 41" in idp_("show", document_id).output


def test_the_list_names_what_waits_and_why(shelf: Shelf) -> None:
    dead, later = given_up(shelf), put_off(shelf)
    listed = json.loads(idp_("deliver", "list", "--json").output)
    assert {each["document_id"]: each["trouble"] for each in listed["deliveries"]} == {
        dead: "odoo_refused",
        later: "odoo_unreachable",
    }
    told = idp_("deliver", "list", "--state", "dead").output
    assert dead[-8:] in told
    assert later[-8:] not in told
    assert idp_("deliver", "list", "--state", "nowhere").exit_code == ExitCode.USAGE


def test_retry_begins_what_is_named_or_all_and_is_safe_to_repeat(shelf: Shelf) -> None:
    dead, later = given_up(shelf), put_off(shelf)
    first = json.loads(idp_("deliver", "retry", dead[-8:], "--json").output)
    assert (first["dead"], first["put_off"], first["left_alone"]) == ([dead], [], [])
    assert json.loads(idp_("deliver", "retry", "--all", "--json").output)["put_off"] == [later]
    again = json.loads(idp_("deliver", "retry", dead, "--json").output)
    assert again["left_alone"] == [dead]
    actions = [event.action for event in shelf.store.events(dead)]
    assert actions.count("delivery_retried") == 1
    assert shelf.store.verify_events() is None


def test_retry_wants_to_be_told_what(shelf: Shelf) -> None:
    dead = given_up(shelf)
    assert idp_("deliver", "retry").exit_code == ExitCode.USAGE
    assert idp_("deliver", "retry", dead, "--all").exit_code == ExitCode.USAGE
    assert idp_("deliver", "retry", "00000000").exit_code == ExitCode.NOT_FOUND
    assert shelf.store.row(dead).state is State.QUARANTINED


def test_preview_shows_the_records_and_writes_nothing(shelf: Shelf) -> None:
    document_id = shelf.put(document(decision=Decision.REVIEW))
    told = idp_("deliver", "preview", document_id)
    assert told.exit_code == 0, told.output
    assert "crm.lead" in told.output
    plain = json.loads(idp_("deliver", "preview", document_id, "--json").output)
    assert plain["version"] == 1
    roles = {row["role"]: row["model"] for row in plain["rows"]}
    assert roles["work"] == "crm.lead"
    assert "found" not in plain
    titles = [row["cells"].get("name") for row in plain["rows"]]
    assert titles
    assert not any(PATIENT in str(title) for title in titles)
    assert shelf.store.placed(document_id) == ()


def test_preview_names_the_version_that_comes_next(shelf: Shelf) -> None:
    job = begun(shelf, b"delivered")
    shelf.store.finish_delivery(job, "there")
    plain = json.loads(idp_("deliver", "preview", job.document_id, "--json").output)
    assert (plain["version"], plain["document_id"]) == (2, job.document_id)


def test_preview_of_nothing_says_so(shelf: Shelf) -> None:
    assert idp_("deliver", "preview", "no-such-file.tif").exit_code == ExitCode.NOT_FOUND


def test_check_tells_of_odoo_alone(shelf: Shelf) -> None:
    told = json.loads(idp_("deliver", "check", "--json").output)
    names = [each["name"] for each in told["checks"]]
    assert names
    assert all("odoo" in name.lower() for name in names)
