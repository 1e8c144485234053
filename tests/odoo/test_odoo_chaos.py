# SPDX-License-Identifier: Apache-2.0
"""Documents pushed while the server is killed and connections are cut: each there exactly once.

IDP_ODOO_CHAOS says how many documents; 30 where it does not. 500 take about a quarter of an hour.
"""

from __future__ import annotations

import collections
import json
import os
import queue
import random
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from idp.deliver.odoo.connection import connect
from idp.deliver.odoo.parcel import Content, Parcel
from idp.errors import OdooError, OdooRefusedError
from tests.faults.running import Running, count, drop, settled
from tests.odoo.chaos import Trouble
from tests.odoo.conftest import BotSettings
from tests.odoo.cutting import CuttingProxy
from tests.odoo.handing import House, There
from tests.odoo.server import Admin, OdooServer

pytestmark = pytest.mark.slow

DOCUMENTS = int(os.environ.get("IDP_ODOO_CHAOS", "30"))
KILLS = max(2, DOCUMENTS // 40)
CUTS = max(5, DOCUMENTS * 3 // 50)
"""At least so many, kills among them: 30 of 500."""
FILES = max(6, DOCUMENTS // 12)
"""Through the whole appliance."""
PUSHERS = 3


@pytest.fixture
def there(admin: Admin) -> There:
    return There(admin)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path / "house")
    yield house
    house.close()


def test_each_document_is_there_once_and_whole_whatever_was_cut(
    server: OdooServer,
    house: House,
    there: There,
    bot_settings: BotSettings,
    cutting: CuttingProxy,
) -> None:
    dice = random.Random(20261122)
    parcels = [
        house.parcel(house.document(), size=dice.randrange(5_000, 60_000), activities=2)
        for _ in range(DOCUMENTS)
    ]
    begun = time.monotonic()
    settings = bot_settings(url=cutting.url, request_seconds=20)
    with Trouble(
        server,
        cutting,
        seed=7,
        cut_every=(0.2, 1.2),
        kill_every=(2.0, 8.0),
        kills=KILLS,
    ) as trouble:
        attempts = push_all(
            house, parcels, settings, enough=lambda: trouble.spent and trouble.cuts >= CUTS
        )
    found = tally(there, parcels)
    say(
        f"documents {DOCUMENTS}  cuts {trouble.cuts} (kills {trouble.killed}, "
        f"{dict(cutting.seen)})  attempts {attempts}  {found}  {time.monotonic() - begun:.0f} s"
    )
    assert trouble.cuts >= CUTS
    assert trouble.killed == KILLS
    assert found == {"records": DOCUMENTS * 5, "doubles": 0, "missing": 0, "other bytes": 0}


def push_all(house, parcels: list[Parcel], settings, enough) -> int:
    """Hand everything over from several threads, again and again until it is; how many tries.

    What was delivered early is corrected and delivered again until there was trouble ``enough``.
    """
    waiting: queue.SimpleQueue[Parcel] = queue.SimpleQueue()
    for parcel in parcels:
        waiting.put(parcel)
    left = threading.Semaphore(0)
    tries = collections.Counter[str]()
    refused: list[BaseException] = []
    done: set[str] = set()
    over = threading.Event()

    def work(seed: int) -> None:
        dice = random.Random(seed)
        courier = None
        while not over.is_set():
            if courier is None:
                try:
                    courier = house.courier(connect(settings), look_up_seconds=30)
                except OdooError:
                    time.sleep(0.3)
                    continue
            batch = []
            while len(batch) < dice.randrange(1, 9):
                try:
                    parcel = waiting.get_nowait()
                except queue.Empty:
                    break
                batch.append(parcel)
            if not batch:
                time.sleep(0.1)
                continue
            for parcel, handed in zip(batch, courier.hand_over(batch), strict=True):
                tries["all"] += 1
                if handed.error is None:
                    done.add(parcel.document_id)
                    left.release()
                    continue
                if isinstance(handed.error, OdooRefusedError) or not isinstance(
                    handed.error, OdooError
                ):
                    refused.append(handed.error)
                waiting.put(parcel)
                time.sleep(0.05)

    threads = [threading.Thread(target=work, args=(n,), daemon=True) for n in range(PUSHERS)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 120 + 3 * len(parcels)
    try:
        for _ in parcels:
            assert left.acquire(timeout=max(0.1, deadline - time.monotonic())), "not in time"
        version = 2
        while not enough():
            assert time.monotonic() < deadline, "not enough trouble in time"
            for number in range(0, len(parcels), 5):
                document_id = parcels[number].document_id
                parcels[number] = house.parcel(
                    document_id, version=version, word=b"corrected", size=4_000, activities=2
                )
                waiting.put(parcels[number])
            for _ in range(0, len(parcels), 5):
                assert left.acquire(timeout=max(0.1, deadline - time.monotonic())), "not in time"
            version += 1
    finally:
        over.set()
        for thread in threads:
            thread.join(60)
    assert not refused, refused[:3]
    assert done == {parcel.document_id for parcel in parcels}
    return tries["all"]


def tally(there: There, parcels: list[Parcel]) -> dict[str, int]:
    """What is there, compared with what was sent."""
    found = collections.Counter[str]({"records": 0, "doubles": 0, "missing": 0, "other bytes": 0})

    def compare(wanted: int, rows: int) -> None:
        found["records"] += rows
        found["doubles"] += max(0, rows - wanted)
        found["missing"] += max(0, wanted - rows)

    for parcel in parcels:
        tasks = there.tasks(parcel.document_id)
        compare(1, len(tasks))
        for task in tasks[:1]:
            files = there.files(task=task["id"])
            compare(2, len(files))
            compare(2, len(there.activities(task["id"])))
            sent = collections.Counter(
                (cell.sha1, cell.size_bytes)
                for row in parcel.rows
                for cell in row.cells.values()
                if isinstance(cell, Content)
            )
            kept = collections.Counter((each["checksum"], each["file_size"]) for each in files)
            found["other bytes"] += (sent - kept).total()
    # What hangs on no task of ours would be a double that the count by task misses.
    everything = there.admin.rows("project.task", [["name", "like", "Referral "]], "name")
    found["doubles"] += len(everything) - len({each["name"] for each in everything})
    orphans = there.files("document.pdf", "fields.pdf")
    found["doubles"] += max(0, len(orphans) - 2 * len(parcels))
    return dict(found)


def test_through_the_appliance_that_is_killed_too_each_is_there_once(
    server: OdooServer,
    admin: Admin,
    bot_settings: BotSettings,
    cutting: CuttingProxy,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = tmp_path / "data"
    odoo = bot_settings(url=cutting.url, place="attachment", request_seconds=20)
    deliver = {"to": "odoo", "odoo": json.loads(odoo.model_dump_json())}
    monkeypatch.setenv("IDP_TEST_DELIVER", json.dumps(deliver))
    expected: dict[str, int | None] = {f"f{n}.tif": 1 for n in range(FILES)}
    before = len(admin.rows("crm.lead", []))
    begun = time.monotonic()
    dice = random.Random(11)
    kills = 0
    with Trouble(
        server,
        cutting,
        seed=3,
        cut_every=(0.3, 1.0),
        kill_every=(4.0, 9.0),
        kills=KILLS,
        most_cuts=CUTS + KILLS,
    ) as trouble:
        for number, name in enumerate(expected):
            drop(data, name, f"{name} referral page".encode())
            if number % 3 == 0 and kills < KILLS + 1:
                with Running(data):
                    time.sleep(dice.uniform(1.0, 5.0))
                kills += 1
        with Running(data) as running:
            deadline = time.monotonic() + 120 + 10 * FILES
            while not settled(data, FILES):
                assert time.monotonic() < deadline, running.log[-3000:]
                time.sleep(0.3)
            assert running.stop() == 0
    assert trouble.cuts > 0
    found = count(data, expected, folders=False)
    say(
        f"files {FILES}  appliance killed {kills}  server killed {trouble.killed}  cuts "
        f"{trouble.cuts}  lost {found.lost}  doubled {found.doubled}  states {found.states}  "
        f"{time.monotonic() - begun:.0f} s"
    )
    assert (found.lost, found.doubled, found.broken_record) == (0, 0, None)
    assert set(found.states) <= {"delivered", "incomplete"}
    leads = admin.rows("crm.lead", [], "name")
    assert len(leads) - before == FILES
    assert len({lead["name"] for lead in leads}) == len(leads)
    for lead in leads[before:]:
        files = admin.rows(
            "ir.attachment",
            [["res_model", "=", "crm.lead"], ["res_id", "=", lead["id"]]],
            "name",
        )
        assert len(files) == 3, files


def say(line: str) -> None:
    sys.stdout.write(f"\n{line}\n")
