# SPDX-License-Identifier: Apache-2.0
"""Pages that were read before come back whole or not at all, within their size and time."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from idp.document import Box, Page, RawPage, Word
from idp.read.cache import PageCache, reader_name

WEEK = dt.timedelta(days=7)
PICTURE = b"\x89PNG the upright page"


@pytest.fixture
def cache(tmp_path: Path) -> PageCache:
    return PageCache(tmp_path / "cache", 1_000_000, WEEK)


def raw(tmp_path: Path, content: bytes = b"pixels", **others: object) -> RawPage:
    path = tmp_path / "raw.png"
    path.write_bytes(content)
    values = {"number": 1, "path": str(path), "dpi_x": 204, "dpi_y": 98, **others}
    return RawPage.model_validate(values)


def page(tmp_path: Path, text: str = "Quillfeather", picture: bytes = PICTURE) -> Page:
    image = tmp_path / "upright.png"
    image.write_bytes(picture)
    word = Word(id=0, text=text, confidence=0.97, box=Box(0.1, 0.2, 0.3, 0.25), line=0)
    return Page(number=1, width_px=17, height_px=22, dpi=204, words=(word,), image=str(image))


def entries(cache: PageCache) -> list[Path]:
    return sorted(path for path in cache._folder.rglob("*") if path.is_file())


def test_a_page_comes_back_with_its_image_under_the_number_it_has_now(
    cache: PageCache, tmp_path: Path
) -> None:
    key = cache.key(raw(tmp_path), "reader")
    assert cache.get(key, 1, tmp_path / "no.png") is None
    kept = page(tmp_path)
    cache.put(key, kept)
    again = cache.get(cache.key(raw(tmp_path, number=7), "reader"), 7, tmp_path / "again.png")
    assert again is not None
    assert (again.number, again.image) == (7, str(tmp_path / "again.png"))
    assert (tmp_path / "again.png").read_bytes() == PICTURE
    assert again.model_copy(update={"number": 1, "image": kept.image}) == kept
    health = cache.health
    assert (health.hits, health.misses, health.entries) == (1, 1, 1)


def test_other_pixels_resolution_text_layer_or_reader_are_another_page(
    cache: PageCache, tmp_path: Path
) -> None:
    word = Word(id=0, text="x", confidence=1, box=Box(0, 0, 1, 1), line=0)
    keys = {
        cache.key(raw(tmp_path), "reader"),
        cache.key(raw(tmp_path, b"other pixels"), "reader"),
        cache.key(raw(tmp_path, dpi_y=196), "reader"),
        cache.key(raw(tmp_path, bilevel=True), "reader"),
        cache.key(raw(tmp_path, text_layer=(word,)), "reader"),
        cache.key(raw(tmp_path), "newer reader"),
    }
    assert len(keys) == 6


def test_who_reads_is_named_by_versions_and_settings() -> None:
    names = {
        reader_name({"read": "1"}, {"side": 1600}),
        reader_name({"read": "2"}, {"side": 1600}),
        reader_name({"read": "1"}, {"side": 1280}),
    }
    assert len(names) == 3
    assert reader_name({"a": "1", "b": "2"}, {}) == reader_name({"b": "2", "a": "1"}, {})


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "tail", "foreign"])
def test_a_damaged_entry_is_a_miss_and_is_removed(
    cache: PageCache, tmp_path: Path, damage: str
) -> None:
    key = cache.key(raw(tmp_path), "reader")
    cache.put(key, page(tmp_path))
    (entry,) = entries(cache)
    content = bytearray(entry.read_bytes())
    if damage == "flip":
        content[-3] ^= 1
    harm = {
        "cut": content[:-5],
        "flip": content,
        "empty": b"",
        "tail": content + b"x",
        "foreign": b"something else",
    }
    entry.chmod(0o640)
    entry.write_bytes(harm[damage])
    assert cache.get(key, 1, tmp_path / "again.png") is None
    assert not entry.exists()
    assert cache.health.damaged == 1
    cache.put(key, page(tmp_path))
    assert cache.get(key, 1, tmp_path / "again.png") is not None


def test_entries_unused_for_longest_go_when_it_is_full(tmp_path: Path) -> None:
    cache = PageCache(tmp_path / "cache", 50_000, WEEK)
    keys = [f"{i:064x}" for i in range(8)]
    big = page(tmp_path, picture=b"x" * 9_000)
    for number, key in enumerate(keys[:5]):
        cache.put(key, big)
        entry = cache._place(key)
        os.utime(entry, (time.time() - 1000 + number, time.time() - 1000 + number))
    assert cache.get(keys[0], 1, tmp_path / "again.png") is not None  # used again: stays
    for key in keys[5:]:
        cache.put(key, big)
    assert cache.health.size_bytes <= 50_000
    there = [i for i, key in enumerate(keys) if cache._place(key).exists()]
    assert there[0] == 0
    assert there[-1] == 7
    assert 1 not in there


def test_a_page_larger_than_everything_is_not_kept(tmp_path: Path) -> None:
    cache = PageCache(tmp_path / "cache", 1000, WEEK)
    cache.put("a" * 64, page(tmp_path, picture=b"x" * 5000))
    assert cache.health.entries == 0


def test_an_entry_not_used_for_too_long_is_no_entry_and_expires(
    cache: PageCache, tmp_path: Path
) -> None:
    for key in ("a" * 64, "b" * 64):
        cache.put(key, page(tmp_path))
    past = time.time() - 8 * 86_400
    os.utime(cache._place("a" * 64), (past, past))
    assert cache.get("a" * 64, 1, tmp_path / "again.png") is None
    assert cache.get("b" * 64, 1, tmp_path / "again.png") is not None
    assert cache.expire() == 1
    assert cache.health.entries == 1


def test_clearing_leaves_nothing_of_any_page(cache: PageCache, tmp_path: Path) -> None:
    for key in ("a" * 64, "b" * 64):
        cache.put(key, page(tmp_path))
    (cache._folder / "half.tmp").write_bytes(b"left by a kill")
    assert cache.clear() == 2
    assert entries(cache) == []


def test_entries_are_for_the_owner_and_the_group_alone(cache: PageCache, tmp_path: Path) -> None:
    cache.put("a" * 64, page(tmp_path))
    (entry,) = entries(cache)
    assert entry.stat().st_mode & 0o777 == 0o440
    assert entry.parent.stat().st_mode & 0o007 == 0


def test_a_disk_that_refuses_costs_nothing_but_the_memory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("where a folder should be")
    cache = PageCache(tmp_path / "file", 1_000_000, WEEK)
    cache.put("a" * 64, page(tmp_path))
    assert cache.get("a" * 64, 1, tmp_path / "again.png") is None
    assert cache.health.entries == 0
    assert cache.expire() == 0


WRITER = """
import datetime as dt, sys
from pathlib import Path
from idp.document import Page
from idp.read.cache import PageCache
folder = Path(sys.argv[1])
image = folder / "image.png"
image.write_bytes(b"x" * 400_000)
page = Page(number=1, width_px=1, height_px=1, dpi=200, image=str(image))
cache = PageCache(folder / "cache", 10**9, dt.timedelta(days=1))
print("ready", flush=True)
for i in range(10**6):
    cache.put(f"{i % 50:064x}", page)
"""


def test_a_writer_killed_anywhere_leaves_only_whole_entries(tmp_path: Path) -> None:
    for _ in range(2):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        time.sleep(0.15)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
    cache = PageCache(tmp_path / "cache", 10**9, dt.timedelta(days=1))
    found = [cache.get(f"{i:064x}", 1, tmp_path / "again.png") for i in range(50)]
    assert any(found)
    assert cache.health.damaged == 0
