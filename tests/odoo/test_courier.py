# SPDX-License-Identifier: Apache-2.0
"""Records are handed over exactly once to a real server, whatever is cut, deleted or refused."""

from __future__ import annotations

import base64
import io
import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from PIL import Image

from idp.deliver.odoo.connection import connect
from idp.deliver.odoo.courier import Courier
from idp.deliver.odoo.parcel import Find, Link, Parcel, Row
from idp.deliver.odoo.targets import place_of
from idp.errors import (
    OdooError,
    OdooRefusedError,
    OdooRightsError,
    OdooUncertainError,
    OdooUnreachableError,
)
from idp.handover import Handover
from tests.odoo.conftest import BotSettings
from tests.odoo.cutting import CuttingProxy
from tests.odoo.handing import House, There, Watched
from tests.odoo.server import Admin


@pytest.fixture(scope="module")
def there(admin: Admin) -> There:
    return There(admin)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path / "house")
    yield house
    house.close()


@pytest.fixture
def odoo(bot_settings: BotSettings) -> Watched:
    return Watched(connect(bot_settings()))


def delivered(courier: Courier, *parcels: Parcel) -> None:
    for handed in courier.hand_over(parcels):
        assert handed.error is None, handed.error


def test_a_place_whose_module_is_not_there_is_named(bot_settings: BotSettings) -> None:
    with pytest.raises(OdooError, match="no module documents"):
        place_of(connect(bot_settings()), "documents")


def test_a_document_becomes_its_records_each_on_the_one_it_belongs_to(
    house: House, there: There, odoo: Watched
) -> None:
    parcel = house.parcel(house.document(), activities=2)
    (handed,) = house.courier(odoo).hand_over([parcel])
    assert handed.error is None
    (task,) = there.tasks(parcel.document_id)
    assert (task["priority"], task["project_id"][0]) == ("1", there.project)
    files = there.files(task=task["id"])
    sent = [row.cells["datas"] for row in parcel.rows if "datas" in row.cells]
    assert [(f["checksum"], f["file_size"]) for f in files] == [
        (each.sha1, each.size_bytes) for each in sent
    ]
    found = there.activities(task["id"])
    assert {each["summary"] for each in found} == {"Missing: item 1", "Missing: item 2"}
    assert handed.location == f"odoo:ir.attachment/{files[0]['id']}"
    known = house.store.handovers_of(parcel.document_id)
    assert {each.role: each.record_id for each in known} == {
        role: number for role, (_, number) in handed.records.items()
    }


def test_a_document_with_task_files_and_activities_takes_four_calls(
    house: House, odoo: Watched
) -> None:
    courier = house.courier(odoo)
    delivered(courier, house.parcel(house.document()))
    odoo.counted()
    delivered(courier, house.parcel(house.document(), activities=3))
    assert odoo.counted() == {"load": 3, "read": 1}


def test_twenty_documents_take_as_many_calls_as_one(
    house: House, there: There, odoo: Watched
) -> None:
    courier = house.courier(odoo)
    delivered(courier, house.parcel(house.document()))
    parcels = [house.parcel(house.document()) for _ in range(20)]
    odoo.counted()
    delivered(courier, *parcels)
    assert odoo.counted().total() == 4
    for parcel in parcels:
        (task,) = there.tasks(parcel.document_id)
        assert len(there.files(task=task["id"])) == 2


def test_the_same_again_asks_the_server_nothing(house: House, odoo: Watched) -> None:
    courier, parcel = house.courier(odoo), house.parcel(house.document())
    delivered(courier, parcel)
    odoo.counted()
    delivered(courier, parcel)
    assert odoo.counted() == {}


def test_a_correction_changes_the_same_records_and_leaves_people_theirs(
    house: House, there: There, odoo: Watched
) -> None:
    courier, document_id = house.courier(odoo), house.document()
    delivered(courier, house.parcel(document_id))
    (task,) = there.tasks(document_id)
    other = there.task("elsewhere")
    there.admin.call("project.task", "write", [task["id"]], vals={"priority": "0"})
    first, _ = there.files(task=task["id"])
    there.admin.call("ir.attachment", "write", [first["id"]], vals={"res_id": other})
    delivered(courier, house.parcel(document_id, version=2, word=b"corrected"))
    (again,) = there.tasks(document_id)
    assert (again["id"], again["priority"]) == (task["id"], "0")
    (moved,) = there.files(task=other)
    assert moved["id"] == first["id"]
    assert moved["checksum"] != first["checksum"]
    assert {each.version for each in house.store.handovers_of(document_id)} == {1, 2}


def test_what_people_deleted_is_not_made_again(house: House, there: There, odoo: Watched) -> None:
    courier, document_id = house.courier(odoo), house.document()
    delivered(courier, house.parcel(document_id))
    (task,) = there.tasks(document_id)
    first, second = there.files(task=task["id"])
    there.admin.call("ir.attachment", "unlink", [second["id"]])
    (handed,) = courier.hand_over([house.parcel(document_id, version=2, word=b"corrected")])
    assert (handed.error, handed.gone) == (None, ("fields",))
    assert [each["id"] for each in there.files(task=task["id"])] == [first["id"]]
    assert {each.role for each in house.store.handovers_of(document_id) if each.gone} == {"fields"}
    (handed,) = courier.hand_over([house.parcel(document_id, version=3, word=b"once more")])
    assert (handed.error, handed.gone) == (None, ("fields",))
    assert len(there.files(task=task["id"])) == 1


def test_nothing_new_is_hung_on_what_people_deleted(
    house: House, there: There, odoo: Watched
) -> None:
    courier, document_id = house.courier(odoo), house.document()
    delivered(courier, house.parcel(document_id))
    (task,) = there.tasks(document_id)
    there.admin.call("project.task", "unlink", [task["id"]])
    (handed,) = courier.hand_over(
        [house.parcel(document_id, version=2, word=b"corrected", activities=2)]
    )
    assert handed.error is None
    assert {"work", "document", "fields"} <= set(handed.gone)
    assert "activity_2:nothing_to_belong_to" in handed.notes
    assert there.tasks(document_id) == []


def test_what_people_archived_stays_archived_and_is_kept_up_to_date(
    house: House, there: There, odoo: Watched
) -> None:
    courier, document_id = house.courier(odoo), house.document()
    delivered(courier, house.parcel(document_id, task={"priority": "0"}))
    (task,) = there.tasks(document_id)
    there.admin.call("project.task", "write", [task["id"]], vals={"active": False})
    delivered(courier, house.parcel(document_id, version=2, task={"priority": "1"}))
    (again,) = there.tasks(document_id)
    assert (again["id"], again["active"], again["priority"]) == (task["id"], False, "1")


class Killed(BaseException):
    """Stands for the process ending here."""


class DyingLedger:
    """Our ledger, in a process that is killed after the server has it and before we noted it."""

    def __init__(self, house: House) -> None:
        self.handovers, self.intend = house.store.handovers, house.store.intend

    def handed_over(self, handovers: Sequence[Handover]) -> None:
        raise Killed


def test_killed_before_it_was_noted_the_records_are_found_and_not_written_again(
    house: House, there: There, odoo: Watched
) -> None:
    parcel = house.parcel(house.document())
    with pytest.raises(Killed):
        Courier(odoo, DyingLedger(house)).hand_over([parcel])
    (task,) = there.tasks(parcel.document_id)
    there.admin.call(
        "ir.attachment",
        "write",
        [there.files(task=task["id"])[0]["id"]],
        vals={"name": "renamed by people.pdf"},
    )
    odoo.counted()
    delivered(house.courier(odoo), parcel)
    assert odoo.counted()["load"] == 0
    assert len(there.tasks(parcel.document_id)) == 1
    names = [each["name"] for each in there.files(task=task["id"])]
    assert names == ["renamed by people.pdf", "fields.pdf"]
    assert len(there.activities(task["id"])) == 1


def test_killed_and_corrected_in_between_the_correction_is_what_is_there(
    house: House, there: There, odoo: Watched
) -> None:
    document_id = house.document()
    with pytest.raises(Killed):
        Courier(odoo, DyingLedger(house)).hand_over([house.parcel(document_id)])
    corrected = house.parcel(document_id, word=b"corrected")
    delivered(house.courier(odoo), corrected)
    (task,) = there.tasks(document_id)
    sent = {row.cells["datas"].sha1 for row in corrected.rows if "datas" in row.cells}
    assert {each["checksum"] for each in there.files(task=task["id"])} == sent


@pytest.mark.parametrize("cut", ["before", "half", "after"])
@pytest.mark.parametrize("at", [1, 2, 3, 4])
def test_cut_at_any_call_and_done_again_there_is_one_of_each(
    house: House,
    there: There,
    bot_settings: BotSettings,
    cutting: CuttingProxy,
    cut: Any,
    at: int,
) -> None:
    odoo = Watched(connect(bot_settings(url=cutting.url)))
    courier = house.courier(odoo)
    delivered(courier, house.parcel(house.document()))
    parcel = house.parcel(house.document())
    cutting.plan.extend(["pass"] * (at - 1) + [cut])
    (handed,) = courier.hand_over([parcel])
    assert isinstance(handed.error, OdooUncertainError | OdooUnreachableError)
    assert cutting.seen[cut] == 1
    delivered(courier, parcel)
    (task,) = there.tasks(parcel.document_id)
    assert len(there.files(task=task["id"])) == 2
    assert len(there.activities(task["id"])) == 1


def test_an_answer_that_comes_too_late_makes_no_second_record(
    house: House, there: There, bot_settings: BotSettings, cutting: CuttingProxy
) -> None:
    odoo = connect(bot_settings(url=cutting.url, request_seconds=1))
    courier = house.courier(odoo)
    delivered(courier, house.parcel(house.document()))
    cutting.delay = 3
    cutting.plan.append("slow")
    parcel = house.parcel(house.document())
    (handed,) = courier.hand_over([parcel])
    assert isinstance(handed.error, OdooUncertainError)
    delivered(courier, parcel)
    assert len(there.tasks(parcel.document_id)) == 1


def test_one_that_is_refused_does_not_hold_the_others_and_no_value_is_told(
    house: House, there: There, odoo: Watched
) -> None:
    parcels = [house.parcel(house.document()) for _ in range(6)]
    wrong = {"date_deadline": "the ides of Martha Quillfeather"}
    parcels[2] = house.parcel(parcels[2].document_id, task=wrong)
    parcels[4] = house.parcel(
        parcels[4].document_id,
        task={"project_id": Find("project.project", (("name", "=", "none"),), required=True)},
    )
    results = house.courier(odoo).hand_over(parcels)
    errors = [handed.error for handed in results]
    assert [error is None for error in errors] == [True, True, False, True, False, True]
    assert isinstance(errors[2], OdooRefusedError)
    assert "date_deadline" in str(errors[2])
    assert "Quillfeather" not in str(errors[2])
    assert isinstance(errors[4], OdooRefusedError)
    assert "project.project" in str(errors[4])
    for parcel, error in zip(parcels, errors, strict=True):
        assert len(there.tasks(parcel.document_id)) == (error is None)


def test_what_was_refused_goes_through_once_it_is_put_right(
    house: House, there: There, odoo: Watched
) -> None:
    courier, document_id = house.courier(odoo, look_up_seconds=0), house.document()
    team = Find("project.project", (("name", "=", f"of {document_id}"),), required=True)
    parcel = house.parcel(document_id, task={"project_id": team})
    (handed,) = courier.hand_over([parcel])
    assert isinstance(handed.error, OdooRefusedError)
    there.admin.make("project.project", name=f"of {document_id}", privacy_visibility="employees")
    delivered(courier, parcel)
    assert len(there.tasks(document_id)) == 1


def test_eight_that_push_the_same_document_at_once_make_one_record_of_each(
    tmp_path: Path, there: There, bot_settings: BotSettings
) -> None:
    houses = [House(tmp_path / str(number)) for number in range(8)]
    document_id = houses[0].document()
    barrier = Barrier(8)

    def push(house: House) -> Any:
        # Each with a ledger of its own that knows nothing: only the server keeps it one.
        courier = Courier(connect(bot_settings()), Forgetful())
        parcel = house.parcel(document_id)
        barrier.wait()
        return courier.hand_over([parcel])[0]

    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(push, houses))
    for house in houses:
        house.close()
    assert [handed.error for handed in results] == [None] * 8
    assert len({tuple(sorted(handed.records.items())) for handed in results}) == 1
    (task,) = there.tasks(document_id)
    assert len(there.files(task=task["id"])) == 2
    assert len(there.activities(task["id"])) == 1


class Forgetful:
    """A ledger that knows nothing."""

    def handovers(self, server: str, external_ids: Any) -> dict[str, Handover]:
        return {}

    def intend(self, handovers: Any) -> None: ...
    def handed_over(self, handovers: Any) -> None: ...


def test_eight_threads_with_one_ledger_make_one_record_of_each(
    house: House, there: There, odoo: Watched
) -> None:
    courier, document_id = house.courier(odoo), house.document()
    parcel = house.parcel(document_id)
    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(courier.hand_over, [[parcel]] * 8))
    assert [handed.error for (handed,) in results] == [None] * 8
    (task,) = there.tasks(document_id)
    assert len(there.files(task=task["id"])) == 2


class Garbling(Watched):
    """A port that garbles files on their way: the first so many."""

    def __init__(self, odoo: Any, times: int) -> None:
        super().__init__(odoo)
        self.times = times

    def call(self, model: str, method: str, ids: Sequence[int] | None = None, **named: Any) -> Any:
        if method == "load" and "datas" in named["fields"] and self.times:
            self.times -= 1
            at = named["fields"].index("datas")
            for row in named["data"]:
                row[at] = base64.b64encode(b"garbled").decode()
        return super().call(model, method, ids, **named)


def test_bytes_that_arrived_as_others_are_written_again(
    house: House, there: There, bot_settings: BotSettings
) -> None:
    parcel = house.parcel(house.document())
    delivered(house.courier(Garbling(connect(bot_settings()), 1)), parcel)
    (task,) = there.tasks(parcel.document_id)
    sent = {row.cells["datas"].sha1 for row in parcel.rows if "datas" in row.cells}
    assert {each["checksum"] for each in there.files(task=task["id"])} == sent


def test_bytes_that_stay_others_are_refused_and_not_taken_for_delivered(
    house: House, bot_settings: BotSettings
) -> None:
    parcel = house.parcel(house.document())
    courier = house.courier(Garbling(connect(bot_settings()), 9))
    (handed,) = courier.hand_over([parcel])
    assert isinstance(handed.error, OdooRefusedError)
    known = {each.role: each for each in house.store.handovers_of(parcel.document_id)}
    assert known["document"].content_sha256 is None
    assert known["document"].record_id is not None


def test_a_large_picture_keeps_every_pixel(house: House, there: There, odoo: Watched) -> None:
    picture = io.BytesIO()
    Image.linear_gradient("L").resize((2600, 2600)).save(picture, "PNG")
    parcel = house.file_parcel(house.document(), there.task("pictures"), picture.getvalue())
    parcel = replace(
        parcel, rows=(replace(parcel.rows[0], cells={**parcel.rows[0].cells, "name": "a.png"}),)
    )
    odoo.counted()
    delivered(house.courier(odoo), parcel)
    assert odoo.counted()["load"] == 1


def test_a_file_that_is_too_large_is_refused_before_anything_is_sent(
    house: House, odoo: Watched
) -> None:
    parcel = house.parcel(house.document(), size=1_200_000)
    odoo.counted()
    (handed,) = house.courier(odoo, max_megabytes=1).hand_over([parcel])
    assert isinstance(handed.error, OdooRefusedError)
    assert "max_megabytes" in str(handed.error)
    assert odoo.counted() == {}


def test_no_call_carries_more_than_it_may(house: House, odoo: Watched) -> None:
    courier = house.courier(odoo, batch_megabytes=1)
    delivered(courier, house.parcel(house.document()))
    parcels = [house.parcel(house.document(), size=400_000) for _ in range(5)]
    odoo.counted()
    delivered(courier, *parcels)
    # Tasks and activities in one call each, ten files of two megabytes in three.
    assert odoo.counted()["load"] == 5


def test_what_is_found_is_found_in_one_question_and_remembered(
    house: House, there: There, odoo: Watched
) -> None:
    partners = [
        there.admin.make("res.partner", name=f"Practice {n}", ref=f"10031419{n:02}")
        for n in range(10)
    ]
    there.admin.make("res.partner", name="Practice 3 again", ref="1003141903")
    courier = house.courier(odoo)
    delivered(courier, house.parcel(house.document(), task={"partner_id": None}))
    parcels = [
        house.parcel(
            house.document(),
            task={"partner_id": Find("res.partner", (("ref", "=", f"10031419{n:02}"),))},
        )
        for n in range(11)
    ]
    odoo.counted()
    results = courier.hand_over(parcels)
    assert odoo.counted()["search_read"] == 1
    assert [handed.notes for handed in results] == [
        {3: ("work.partner_id:several",), 10: ("work.partner_id:none",)}.get(n, ())
        for n in range(11)
    ]
    found = [
        there.admin.rows("project.task", [["id", "=", handed.records["work"][1]]], "partner_id")
        for handed in results
    ]
    numbers = [rows[0]["partner_id"] and rows[0]["partner_id"][0] for rows in found]
    assert numbers == [False if n in {3, 10} else partners[n] for n in range(10)] + [False]


def test_what_is_to_be_made_is_made_once(
    house: House, there: There, bot_settings: BotSettings
) -> None:
    name = f"Tag {random.random()}"
    tag = Find("project.tags", (("name", "=", name),), make=(("name", name),))
    parcels = [house.parcel(house.document(), task={"tag_ids": (tag,)}) for _ in range(4)]
    couriers = [house.courier(connect(bot_settings())) for _ in parcels]
    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(lambda one, other: one.hand_over([other])[0], couriers, parcels))
    assert [handed.error for handed in results] == [None] * 4
    (made,) = there.admin.rows("project.tags", [["name", "=", name]])
    tasks = [handed.records["work"][1] for handed in results]
    rows = there.admin.rows("project.task", [["id", "in", tasks]], "tag_ids")
    assert [row["tag_ids"] for row in rows] == [[made["id"]]] * 4


def test_a_record_that_was_hidden_from_the_bot_is_a_missing_right(
    house: House, there: There, odoo: Watched
) -> None:
    courier, document_id = house.courier(odoo), house.document()
    secret = there.admin.make(
        "project.project", name=f"Closed {document_id}", privacy_visibility="followers"
    )
    # Hidden for a bot that follows nothing: moved there by people after it was made.
    delivered(courier, house.parcel(document_id, task={"priority": "0"}))
    (task,) = there.tasks(document_id)
    there.admin.call(
        "project.task", "write", [task["id"]], vals={"project_id": secret, "user_ids": [(5,)]}
    )
    there.admin.call(
        "project.task",
        "message_unsubscribe",
        [task["id"]],
        partner_ids=[
            each["partner_id"][0]
            for each in there.admin.rows(
                "mail.followers",
                [["res_model", "=", "project.task"], ["res_id", "=", task["id"]]],
                "partner_id",
            )
        ],
    )
    (handed,) = courier.hand_over([house.parcel(document_id, version=2, task={"priority": "1"})])
    assert isinstance(handed.error, OdooRightsError), handed
    assert "project.task" in str(handed.error)


def test_a_row_may_refer_to_several_of_its_own_parcel(
    house: House, there: There, odoo: Watched
) -> None:
    document_id = house.document()
    parcel = house.parcel(document_id)
    name = f"own tag {document_id}"
    tag = Row("tag", "project.tags", {"name": name})
    work = parcel.rows[0]
    tagged = replace(work, cells={**work.cells, "tag_ids": (Link("tag"),)})
    rows = (tag, tagged, *parcel.rows[1:])
    delivered(house.courier(odoo), replace(parcel, rows=rows))
    (task,) = there.tasks(document_id)
    (found,) = there.admin.rows("project.task", [["id", "=", task["id"]]], "tag_ids")
    (made,) = there.admin.rows("project.tags", [["name", "=", name]])
    assert found["tag_ids"] == [made["id"]]
