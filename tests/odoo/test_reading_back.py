# SPDX-License-Identifier: Apache-2.0
"""People in Odoo take, finish, archive, open again and delete work; our ledger knows it after."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from idp.deliver.odoo import reading_back
from idp.deliver.odoo.connection import connect
from idp.deliver.odoo.port import Odoo
from idp.deliver.odoo.reading_back import Look, ReadingBack
from idp.document import Decision
from idp.handover import Handover, WorkState
from idp.settings import Settings
from idp.slices import DeliverSettings
from idp.store import Store
from idp.work_read_back import reading_work_back
from tests.fabricate import Shelf, document
from tests.odoo.conftest import BotSettings
from tests.odoo.cutting import CuttingProxy
from tests.odoo.server import BOT, Admin, OdooServer

MODULES = ("idp_documents",)
GROUPS = ("idp_documents.group_idp_bot",)
_SECONDS = 60.0


@pytest.fixture(scope="module")
def odoo(bot_settings: BotSettings) -> Odoo:
    """The server as our bot sees it."""
    return connect(bot_settings())


@pytest.fixture(scope="module", autouse=True)
def _admin_works_on_it(server: OdooServer, database: str) -> None:
    """Nobody sees documents by being an administrator."""
    server.grant(database, ("idp_documents.group_idp_manager",), user="admin")


@pytest.fixture(scope="module")
def people(admin: Admin) -> dict[str, int]:
    """Two who work there."""
    return {name: admin.make("res.users", name=name.title(), login=name) for name in ("ann", "ben")}


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    shelf = Shelf(tmp_path)
    yield shelf
    shelf.store.close()


@dataclass
class Office:
    """Our store, the work items that we made over there, and how they are read back."""

    odoo: Odoo
    store: Store
    document_id: str
    reader: ReadingBack
    project: int
    made: list[Handover] = field(default_factory=list)

    def hand_over(self, model: str, role: str = "work", **values: object) -> Handover:
        """A work item, made by our bot as deliveries are."""
        external_id = f"__idp__.{role}_{self.document_id}_{len(self.made)}"
        row = {"id": external_id, **values}
        made = self.odoo.call(model, "load", fields=list(row), data=[list(row.values())])
        assert made["ids"], made["messages"]
        handover = Handover(
            self.odoo.identity, external_id, self.document_id, role, model, made["ids"][0]
        )
        self.store.intend([handover])
        self.store.handed_over([handover])
        self.made.append(handover)
        return handover

    def look(self) -> Look:
        return self.reader.step()

    def look_at_all(self) -> Look:
        """As after a start."""
        self.reader = reader_of(self.odoo, self.store)
        return self.look()

    def state(self, handover: Handover) -> WorkState:
        """What our ledger knows of one."""
        found = [
            state
            for state in self.store.work_states(self.document_id)
            if state.external_id == handover.external_id
        ]
        assert len(found) == 1
        return found[0]


def reader_of(odoo: Odoo, store: Store) -> ReadingBack:
    return ReadingBack(odoo, store, bot=BOT)


@pytest.fixture(scope="module")
def project(admin: Admin) -> int:
    """Whose tasks everybody sees; one of no project is its maker's own."""
    return admin.make("project.project", name="Paperwork", privacy_visibility="employees")


@pytest.fixture
def office(odoo: Odoo, shelf: Shelf, project: int) -> Office:
    document_id = shelf.put(document(decision=Decision.REVIEW))
    return Office(odoo, shelf.store, document_id, reader_of(odoo, shelf.store), project)


def task(office: Office) -> Handover:
    return office.hand_over(
        "project.task", name="Referral 7f3a91c2", **{"project_id/.id": str(office.project)}
    )


def write(admin: Admin, handover: Handover, **values: object) -> None:
    """Somebody changes it there."""
    assert handover.record_id is not None
    admin.call(handover.model, "write", [handover.record_id], vals=values)


def test_what_our_bot_made_is_open_and_nobodys(office: Office) -> None:
    made = [
        task(office),
        office.hand_over("crm.lead", name="Referral", type="opportunity"),
        office.hand_over("helpdesk.ticket", name="Request", description="one page"),
        office.hand_over(
            "idp.document", "record", name="Referral", idp_key=office.document_id, kind="referral"
        ),
    ]
    look = office.look()
    assert (look.asked, look.changed, look.gone, look.out_of_sight) == (4, 4, 0, 0)
    for each in made:
        state = office.state(each)
        assert (state.state, state.assignee, state.assigned_at) == ("open", None, None), each.model
    assert office.look().changed == 0


def test_to_take_it_is_seen_with_its_time(
    office: Office, admin: Admin, people: dict[str, int]
) -> None:
    taken = {
        "project.task": task(office),
        "crm.lead": office.hand_over("crm.lead", name="Referral", type="opportunity"),
        "helpdesk.ticket": office.hand_over("helpdesk.ticket", name="R", description="-"),
    }
    office.look()
    before = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=2)
    time.sleep(1.1)  # Odoo tells whole seconds
    write(admin, taken["project.task"], user_ids=[[6, 0, [people["ann"]]]])
    for model in ("crm.lead", "helpdesk.ticket"):
        write(admin, taken[model], user_id=people["ann"])
    assert office.look().changed == 3
    for each in taken.values():
        state = office.state(each)
        assert (state.state, state.assignee) == ("open", "ann"), each.model
        assert state.assigned_at is not None
        assert before <= state.assigned_at <= dt.datetime.now(dt.UTC), each.model


def test_to_pass_it_on_does_not_begin_anew(
    office: Office, admin: Admin, people: dict[str, int]
) -> None:
    passed = office.hand_over("crm.lead", name="Referral", type="opportunity")
    office.look()
    write(admin, passed, user_id=people["ann"])
    office.look()
    first = office.state(passed).assigned_at
    time.sleep(1.1)
    write(admin, passed, user_id=people["ben"])
    office.look()
    state = office.state(passed)
    assert (state.assignee, state.assigned_at) == ("ben", first)


def test_to_finish_it_is_seen_and_so_is_to_open_it_again(office: Office, admin: Admin) -> None:
    done, folded = task(office), task(office)
    office.look()
    write(admin, done, state="1_done")
    stage = admin.make("project.task.type", name="Filed", fold=True)
    write(admin, folded, stage_id=stage)
    office.look()
    assert office.state(done).state == "done"
    assert office.state(done).completed_at is not None
    assert (office.state(folded).state, office.state(folded).stage) == ("done", "Filed")
    write(admin, done, state="01_in_progress")
    office.look()
    assert (office.state(done).state, office.state(done).completed_at) == ("open", None)


def test_won_lost_closed_and_cancelled_are_told_apart(office: Office, admin: Admin) -> None:
    won = office.hand_over("crm.lead", name="Won", type="opportunity")
    lost = office.hand_over("crm.lead", name="Lost", type="opportunity")
    closed = office.hand_over("helpdesk.ticket", name="Closed", description="-")
    cancelled, archived = task(office), task(office)
    own = office.hand_over(
        "idp.document", "record", name="Referral", idp_key=f"{office.document_id}x", kind="other"
    )
    office.look()
    admin.call("crm.lead", "action_set_won", [won.record_id or 0])
    admin.call("crm.lead", "action_set_lost", [lost.record_id or 0])
    (stage, *_) = admin.rows("helpdesk.ticket.stage", [["closed", "=", True]])
    write(admin, closed, stage_id=stage["id"])
    write(admin, cancelled, state="1_canceled")
    write(admin, archived, active=False)
    write(admin, own, state="done")
    office.look()
    assert [office.state(each).state for each in (won, lost, closed, cancelled, archived, own)] == [
        "done",
        "cancelled",
        "done",
        "cancelled",
        "cancelled",
        "done",
    ]


def test_a_deleted_record_is_gone_and_a_hidden_one_is_not(office: Office, admin: Admin) -> None:
    deleted, hidden, kept = task(office), task(office), task(office)
    office.look()
    private = admin.make("project.project", name="Private", privacy_visibility="followers")
    write(admin, hidden, project_id=private, user_ids=[[5]])
    (bot,) = admin.rows("res.users", [["login", "=", BOT]], "partner_id")
    admin.call(
        "project.task",
        "message_unsubscribe",
        [hidden.record_id or 0],
        partner_ids=[bot["partner_id"][0]],
    )
    admin.call("project.task", "unlink", [deleted.record_id or 0])
    look = office.look_at_all()
    assert (look.gone, look.out_of_sight) == (1, 1)
    assert office.state(deleted).state == "gone"
    assert office.store.handovers(office.odoo.identity, [deleted.external_id])[
        deleted.external_id
    ].gone
    assert [office.state(each).state for each in (hidden, kept)] == ["open", "open"]
    assert office.look_at_all().gone == 0


def test_more_than_one_call_holds_are_read_all(
    office: Office, admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading_back, "AT_ONCE", 3)
    monkeypatch.setattr(reading_back, "CONFIRMED_AT_ONCE", 1)
    made = [task(office) for _ in range(7)]
    assert office.look().changed == 7
    admin.call("project.task", "unlink", [each.record_id or 0 for each in made[:4]])
    assert office.look_at_all().gone == 2  # one in each call
    assert office.look().gone == 1  # and the rest at once, not a quarter of an hour later
    assert office.look().gone == 1
    assert {office.state(each).state for each in made[:4]} == {"gone"}


def test_it_is_the_same_by_either_protocol(
    office: Office, admin: Admin, people: dict[str, int], bot_settings: BotSettings
) -> None:
    taken = task(office)
    write(admin, taken, user_ids=[[6, 0, [people["ann"]]]])
    seen = []
    for protocol in ("json2", "jsonrpc"):
        office.reader = reader_of(connect(bot_settings(protocol=protocol)), office.store)
        office.look()
        seen.append(office.state(taken))
    assert seen[0] == seen[1]
    assert seen[0].assignee == "ann"
    admin.call("project.task", "unlink", [taken.record_id or 0])
    assert office.reader.step().gone == 0  # that it is missing shows where all is asked for
    office.reader = reader_of(connect(bot_settings(protocol="jsonrpc")), office.store)
    assert office.look().gone == 1


def test_nothing_is_missed_where_the_connection_is_cut(
    office: Office, admin: Admin, bot_settings: BotSettings, cutting: CuttingProxy
) -> None:
    made = [task(office) for _ in range(4)]
    reader = reader_of(connect(bot_settings(url=cutting.url)), office.store)
    # The ledger is kept by server and database: through the proxy it is another one.
    moved = [
        Handover(
            reader._odoo.identity,
            each.external_id,
            each.document_id,
            "work",
            each.model,
            each.record_id,
        )
        for each in made
    ]
    office.store.intend(moved)
    office.store.handed_over(moved)
    reader.step()
    for number, each in enumerate(made):
        write(admin, each, state="1_done")
        cutting.plan.extend([("before", "half", "after")[number % 3]])
        for _ in range(3):
            try:
                reader.step()
            except Exception as error:
                assert "odoo_un" in getattr(error, "code", ""), error
        reader.step()
    states = {
        state.external_id: state.state
        for state in office.store.work_states(office.document_id)
        if state.server == reader._odoo.identity
    }
    assert set(states.values()) == {"done"}


def test_the_appliances_loop_goes_on_by_itself_after_an_outage(
    office: Office, admin: Admin, server: OdooServer, bot_settings: BotSettings, tmp_path: Path
) -> None:
    made = task(office)
    deliver = DeliverSettings(to="odoo", odoo=bot_settings(read_back_seconds=0.2))
    settings = Settings(data=tmp_path, deliver=deliver)
    with reading_work_back(settings, office.store) as loop:
        assert loop is not None
        until(lambda: bool(office.store.work_states(office.document_id)))
        server.kill()
        until(lambda: bool(loop.problems()))
        server.start()
        write(admin, made, state="1_done")
        until(lambda: office.state(made).state == "done")
        until(lambda: not loop.problems())


def test_nothing_is_read_back_where_nothing_goes_to_odoo(shelf: Shelf) -> None:
    with reading_work_back(Settings(data=shelf.folder), shelf.store) as loop:
        assert loop is None


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)
