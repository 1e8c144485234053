# SPDX-License-Identifier: Apache-2.0
"""Documents a second into a real Odoo: one by one and together, in turns, in the same run.

``python -m tests.bench.odoo`` installs nothing: ``scripts/odoo`` must have run. Each round hands
over plain attachments of 200 kB one by one and then in batches, ledger and checksums included, as
the appliance does; the ratio is of the medians of the rounds.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

from idp.deliver.odoo.connection import connect
from idp.slices import OdooSettings
from tests.odoo.handing import House, There, Watched
from tests.odoo.server import BOT, OdooServer

DATABASE = "bench"


def rate(house: House, odoo: Watched, task: int, *, documents: int, batch: int) -> float:
    """Documents a second that are handed over ``batch`` at a time."""
    courier = house.courier(odoo)
    dice = random.Random(batch)
    parcels = [
        house.file_parcel(house.document(), task, dice.randbytes(200_000))
        for _ in range(documents + 1)
    ]
    # What a courier asks once in its life is not what is measured.
    courier.hand_over(parcels[:1])
    rest = parcels[1:]
    begun = time.perf_counter()
    for start in range(0, documents, batch):
        for handed in courier.hand_over(rest[start : start + batch]):
            assert handed.error is None, handed.error
    return documents / (time.perf_counter() - begun)


def calls_of_one(house: House, odoo: Watched) -> dict[str, int]:
    """What one document with task, files and activities asks of the server."""
    courier = house.courier(odoo)
    courier.hand_over([house.parcel(house.document())])
    odoo.counted()
    (handed,) = courier.hand_over([house.parcel(house.document(), activities=3)])
    assert handed.error is None, handed.error
    return dict(odoo.counted())


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=60, help="in each turn")
    parser.add_argument("--batch", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--protocol", choices=("auto", "jsonrpc", "json2"), default="auto")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    server = OdooServer()
    with tempfile.TemporaryDirectory() as scratch:
        try:
            server.start_postgres()
            server.create(DATABASE)
            server.start()
            there = There(server.admin(DATABASE))
            settings = OdooSettings(
                url=server.url,
                database=DATABASE,
                user=BOT,
                key_file=server.key_file,
                protocol=options.protocol,
            )
            odoo = Watched(connect(settings))
            house = House(Path(scratch))
            task = there.task("bench")
            turns: dict[int, list[float]] = {1: [], options.batch: []}
            for _ in range(options.rounds):
                for batch, rates in turns.items():
                    rates.append(rate(house, odoo, task, documents=options.documents, batch=batch))
            calls = calls_of_one(house, odoo)
            house.close()
        finally:
            server.close()
    one, together = (statistics.median(rates) for rates in turns.values())
    figures = {
        "documents": options.documents,
        "batch": options.batch,
        "one_by_one_per_second": round(one, 1),
        "together_per_second": round(together, 1),
        "times": round(together / one, 2),
        "calls_of_one_document": calls,
    }
    told = (
        json.dumps(figures) if options.json else "  ".join(f"{k} {v}" for k, v in figures.items())
    )
    sys.stdout.write(f"{told}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
