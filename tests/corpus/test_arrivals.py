# SPDX-License-Identifier: Apache-2.0
"""Everything hostile that lies beside the real forms: each file ends in a documented state.

The folders ``torture``, ``mail``, ``x12`` and ``samples`` are looked for beside ``IDP_CORPUS``.
All files are unpacked, in real child processes; all different ones are dropped into a real running
appliance and followed to their end, which takes a quarter of an hour of reading on two cores.
``IDP_CORPUS_CHOICE=60`` drops so many small ones from all folders in turn.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from idp.appliance import Appliance
from idp.children import Health
from idp.errors import InputError, ParserCrashedError, TooSlowError, all_errors
from idp.ingest import Unpacked, unpack, unpacked
from idp.settings import IngestSettings, Settings
from tests.faults.running import ENDS, drop, open_store
from tests.faults.stand_in import settings_for

pytestmark = pytest.mark.slow

FOLDERS = ("torture", "mail", "x12", "samples")
LIMITS = IngestSettings()
CODES = {error.code for error in all_errors() if issubclass(error, InputError)}
UNEXPLAINED = {"bad_input", "internal", "repeated_failure"}
MOST_PAGES_OF_A_FILE = 2
MOST_PAGES = 60
SECONDS_A_FILE = 12.0
"""After so long for each file something is stuck; it takes about one."""


@dataclass(frozen=True)
class Seen:
    """What became of one file when it was unpacked."""

    path: Path
    folder: str
    sha256: str
    outcome: str
    pages: int
    parts: int
    refused_parts: tuple[str, ...]
    seconds: float


@dataclass(frozen=True)
class Tour:
    """All files, and what the child processes say of themselves."""

    seen: tuple[Seen, ...]
    before: Health
    after: Health
    seconds: float


@pytest.fixture(scope="module")
def files(corpus: Path) -> list[tuple[str, Path]]:
    found = []
    for name in FOLDERS:
        folder = corpus.absolute().parent / name
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                below = path.relative_to(folder).parts
                found.append(("/".join((name, *below[:1])) if len(below) > 1 else name, path))
    if not found:
        pytest.skip(f"none of {', '.join(FOLDERS)} lies beside the corpus")
    return found


@pytest.fixture(scope="module")
def tour(files: list[tuple[str, Path]], tmp_path_factory: pytest.TempPathFactory) -> Tour:
    children = unpacked.parsing_children(LIMITS)
    before, start = children.health, time.monotonic()
    seen = []
    for folder, path in files:
        workspace = tmp_path_factory.mktemp("unpacked")
        seen.append(_unpacked(folder, path, workspace))
        shutil.rmtree(workspace)
    return Tour(tuple(seen), before, children.health, time.monotonic() - start)


def _unpacked(folder: str, path: Path, workspace: Path) -> Seen:
    start = time.monotonic()
    pages, parts, refused = 0, 0, ()
    try:
        found = unpack(path, workspace, LIMITS)
        outcome = "parts" if any(part.name for part in found.parts) else "pages"
        pages, parts = _pages(found), len(found.parts)
        refused = tuple(part.error.code for part in found.parts if part.error)
        assert parts <= LIMITS.max_parts + 1, path
    except InputError as error:
        outcome = error.code
    return Seen(
        path,
        folder,
        hashlib.sha256(path.read_bytes()).hexdigest(),
        outcome,
        pages,
        parts,
        refused,
        time.monotonic() - start,
    )


def _pages(found: Unpacked) -> int:
    return sum(len(part.pages or part.read) for part in found.parts)


def test_every_file_is_unpacked_or_refused_with_a_code(tour: Tour) -> None:
    _print_tour(tour)
    outcomes = {seen.outcome for seen in tour.seen} | {
        c for s in tour.seen for c in s.refused_parts
    }
    assert outcomes - {"pages", "parts"} <= CODES - UNEXPLAINED


def test_every_child_that_was_lost_is_on_some_files_record(tour: Tour) -> None:
    codes = Counter(s.outcome for s in tour.seen)
    codes.update(code for s in tour.seen for code in s.refused_parts)
    lost = (tour.after.died + tour.after.killed_for_memory) - (
        tour.before.died + tour.before.killed_for_memory
    )
    assert lost <= codes[ParserCrashedError.code]
    too_slow = tour.after.killed_too_slow - tour.before.killed_too_slow
    assert too_slow <= codes[TooSlowError.code]
    assert tour.after.largest_mb < LIMITS.unpack_memory_mb
    assert max(seen.seconds for seen in tour.seen) < LIMITS.unpack_seconds * LIMITS.max_parts


def test_what_is_dropped_into_the_running_appliance_ends_in_a_documented_state(
    tour: Tour, tmp_path: Path
) -> None:
    chosen = _chosen(tour.seen)
    names = {f"f{number:04d}.dat": seen for number, seen in enumerate(chosen)}
    start = time.monotonic()
    settings = _settings(tmp_path)
    store = open_store(tmp_path)
    with Appliance(settings) as appliance:
        for name, seen in names.items():
            drop(tmp_path, name, seen.path.read_bytes())
        deadline = start + SECONDS_A_FILE * len(chosen)
        while time.monotonic() < deadline:
            rows = store.recent(limit=1_000_000)
            if len({row.name for row in rows}) == len(names) and {r.state for r in rows} <= ENDS:
                break
            time.sleep(1)
        reading = appliance.reading()
    rows = store.recent(limit=1_000_000)
    table: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        table[names[row.name].folder][f"{row.state.value} {row.error or ''}".strip()] += 1
    _print(
        f"{len(names)} files dropped, {time.monotonic() - start:.0f} s, reading {reading}", table
    )
    assert {row.name for row in rows} == set(names), "lost"
    assert {row.state for row in rows} <= ENDS
    errors = {row.error for row in rows if row.error}
    assert errors <= CODES - UNEXPLAINED, "unexplained"
    assert all(row.hint for row in rows if row.error)
    arrivals = Counter({row.arrival_id: row.name for row in rows}.values())
    assert set(arrivals.values()) == {1}, "doubled"
    assert store.verify_events() is None
    store.close()


def _settings(data: Path) -> Settings:
    settings = settings_for(data, concurrency=2)
    return settings.model_copy(update={"ingest": settings.ingest.model_copy(update=_as_shipped())})


def _as_shipped() -> dict[str, object]:
    """The limits that a user has, not those of the quick tests."""
    return LIMITS.model_dump(include={"max_pages", "max_pixels", "unpack_seconds", "max_depth"})


def _chosen(seen: tuple[Seen, ...]) -> list[Seen]:
    """Different files: all, or so many small ones from all folders in turn."""
    distinct = list({each.sha256: each for each in seen}.values())
    wanted = int(os.environ.get("IDP_CORPUS_CHOICE", "0"))
    if not wanted:
        return distinct
    by_kind: dict[tuple[str, str], list[Seen]] = defaultdict(list)
    for each in distinct:
        if each.pages <= MOST_PAGES_OF_A_FILE and each.parts <= MOST_PAGES_OF_A_FILE + 1:
            by_kind[each.folder, each.outcome].append(each)
    for each in by_kind.values():
        random.Random(20261122).shuffle(each)
    chosen: list[Seen] = []
    pages = 0
    for each in _in_turn(list(by_kind.values())):
        if pages + each.pages <= MOST_PAGES:
            chosen.append(each)
            pages += each.pages
        if len(chosen) == wanted:
            break
    return chosen


def _in_turn(piles: list[list[Seen]]) -> Iterator[Seen]:
    while any(piles):
        for pile in piles:
            if pile:
                yield pile.pop()


def _print_tour(tour: Tour) -> None:
    table: dict[str, Counter[str]] = defaultdict(Counter)
    for seen in tour.seen:
        table[seen.folder][seen.outcome] += 1
        table[seen.folder].update(f"part {code}" for code in seen.refused_parts)
    slowest = max(tour.seen, key=lambda seen: seen.seconds)
    health = tour.after
    children = ", ".join(
        f"{number} {what}"
        for number, what in (
            (health.calls, "calls"),
            (health.replaced_after_calls, "replaced by plan"),
            (health.killed_too_slow, "too slow"),
            (health.killed_for_memory, "over memory"),
            (health.died, "died"),
        )
    )
    _print(
        f"{len(tour.seen)} files unpacked in {tour.seconds:.0f} s, the slowest "
        f"{slowest.seconds:.1f} s; largest child {health.largest_mb} MB; children: {children}",
        table,
    )


def _print(title: str, table: dict[str, Counter[str]]) -> None:
    lines = [title]
    for folder, outcomes in sorted(table.items()):
        told = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.most_common())
        lines.append(f"  {folder}: {told}")
    sys.stdout.write("\n" + "\n".join(lines) + "\n")
