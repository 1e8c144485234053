# SPDX-License-Identifier: Apache-2.0
"""What a review costs the reviewer: keys against typing from blank, seconds to a ready screen.

    python -m tests.bench.reviewing --keys 12
    python -m tests.bench.reviewing --tasks 1000 --openings 30

A real Label Studio (``scripts/review``, or IDP_REVIEW__ENVIRONMENT), the real gate, Chromium.
``--keys``: a scripted reviewer, who knows what is printed, corrects so many synthetic documents
that the product read, over all four types; every key is counted, each of a chord by itself.
``--tasks``: so many documents wait in one queue; measured are the first opening in a new browser,
openings from the list of queues, from a screen that is left for it, and going on to the next
document. CPU
seconds of the browser's page stand beside them, as a measure that other work on the machine
disturbs less.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from idp.document import DocumentType
from idp.review import LabelStudio, place_of
from idp.slices import ReviewSettings
from tests.review.chromium import Reviewer, browser
from tests.review.conftest import START_SECONDS, review_settings
from tests.review.front import PASSWORD, Front, opened
from tests.review.paperwork import TYPES, Press
from tests.review.test_screen import full
from tests.review.typist import Typist

Json = dict[str, Any]


@contextmanager
def running() -> Iterator[tuple[ReviewSettings, Path]]:
    """A Label Studio of its own, in a folder that is gone afterwards."""
    settings = review_settings()
    with tempfile.TemporaryDirectory(prefix="idp-reviewing-") as made:
        folder = Path(made) / "review"
        server = LabelStudio(settings, folder)
        server.start()
        try:
            if not server.wait(START_SECONDS):
                raise SystemExit(f"Label Studio does not start: {server.problem()}")
            yield settings, folder
        finally:
            server.stop()


def keys_of(front: Front, reviewer: Reviewer, data: Path, number: int, seed: int) -> Json:
    """Keys of correcting so many documents, and of typing them from blank."""
    press = Press(data)
    names = ("documents", "keys", "from_blank", "wrong", "still_wrong", "unseen")
    total: Json = dict.fromkeys(names, 0)
    by_type: dict[str, list[int]] = {}
    for paper in press.papers(number, seed=seed):
        document = paper.document
        (task,) = front.put(document, pages=paper.pages)
        reviewer.open_queue(front.projects[document.type])
        if reviewer.shown != document.document_id:
            raise SystemExit(f"{reviewer.shown} is on the screen, not {document.document_id}")
        before = reviewer.keys
        typist = Typist(reviewer, paper, press.schemas[document.type])
        typist.put_right()
        reviewer.submit()
        # A value that is still wrong was not paid for: the figure is worth nothing with many.
        left = typist.still_wrong(front.answers(document, task, paper.pages))
        total["still_wrong"] += len(left)
        used, blank = reviewer.keys - before, paper.typed_from_blank
        total["documents"] += 1
        total["keys"] += used
        total["from_blank"] += blank
        total["wrong"] += len(typist.wrong) + len(typist.rows)
        total["unseen"] += typist.unseen
        row = by_type.setdefault(str(document.type), [0, 0])
        row[0] += used
        row[1] += blank
    total["ratio"] = round(total["keys"] / total["from_blank"], 4)
    total["by_type"] = {kind: round(used / blank, 4) for kind, (used, blank) in by_type.items()}
    return total


def seconds_of(front: Front, window: Any, tasks: int, openings: int) -> Json:
    """Seconds and page CPU seconds of openings with so many documents in the queue."""
    rng = random.Random(3)
    kind = DocumentType.REFERRAL
    front.put(*(full(front.schemas[kind], rng) for _ in range(tasks)))
    project = front.projects[kind]
    found: dict[str, list[tuple[float, float]]] = {
        "first": [],
        "listed": [],
        "again": [],
        "next": [],
    }
    for _ in range(3):
        context = window.new_context()
        new = Reviewer(context, front.url)
        new.come_in("rita", PASSWORD)
        found["first"].append(_measured(new, lambda at=new: at.open_queue(project)))
        context.close()
    reviewer = Reviewer(window, front.url)
    reviewer.come_in("rita", PASSWORD)
    reviewer.open_queue(project)
    for _ in range(openings):
        reviewer.look_at_queues()
        found["listed"].append(_measured(reviewer, lambda: reviewer.open_queue(project)))
    for _ in range(openings):
        found["again"].append(_measured(reviewer, lambda: reviewer.open_queue(project)))
    for _ in range(openings):
        found["next"].append(_measured(reviewer, reviewer.submit_and_go_on))
    return {"tasks": tasks} | {name: _told(values) for name, values in found.items()}


def _measured(reviewer: Reviewer, opening: Any) -> tuple[float, float]:
    before = reviewer.cpu_seconds()
    seconds = opening()
    after = reviewer.cpu_seconds()
    # A page that was loaded anew counts from nothing.
    return seconds, after - before if after > before else after


def _told(values: list[tuple[float, float]]) -> Json:
    ordered = sorted(seconds for seconds, _ in values)
    return {
        "openings": len(ordered),
        "p50_s": round(statistics.median(ordered), 2),
        "p95_s": round(ordered[max(0, round(0.95 * len(ordered)) - 1)], 2),
        "page_cpu_s": round(statistics.median(cpu for _, cpu in values), 2),
    }


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--keys", type=int, default=0, help="documents to correct")
    parser.add_argument("--seed", type=int, default=1, help="of the documents")
    parser.add_argument("--tasks", type=int, default=0, help="documents that wait")
    parser.add_argument("--openings", type=int, default=30, help="of each kind")
    options = parser.parse_args()
    with running() as (settings, folder), browser() as window:
        place = place_of(settings, folder)
        with opened(settings, place, folder, kinds=TYPES) as front:
            if options.keys:
                reviewer = Reviewer(window, front.url)
                reviewer.come_in("rita", PASSWORD)
                told = keys_of(front, reviewer, folder.parent, options.keys, options.seed)
                sys.stdout.write(f"{json.dumps({'keys': told})}\n")
            if options.tasks:
                told = seconds_of(front, window, options.tasks, options.openings)
                sys.stdout.write(f"{json.dumps({'seconds': told})}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
