# SPDX-License-Identifier: Apache-2.0
"""The real clamd sees every file before anything parses it; while it is away, files wait."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from idp.appliance import Appliance
from idp.errors import InfectedFileError, ScannerDownError, TooLargeError
from idp.ingest import Scanner
from idp.pipeline import Pipeline
from idp.settings import Settings
from idp.store import State
from tests.clamd import EICAR, SIGNATURE, Clamd, clamd
from tests.faults.running import drop, open_store, wait_until
from tests.faults.stand_in import settings_for

pytestmark = pytest.mark.component


@pytest.fixture(scope="module")
def daemon() -> Iterator[Clamd]:
    with clamd() as one:
        one.start()
        yield one


@pytest.fixture
def scanner(daemon: Clamd) -> Scanner:
    return Scanner(str(daemon.socket))


def zipped(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("invoice.pdf", data)
    return out.getvalue()


def test_the_test_virus_is_caught_also_inside_a_zip(scanner: Scanner, tmp_path: Path) -> None:
    for name, data in (("plain", EICAR), ("zip", zipped(EICAR))):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(InfectedFileError, match=SIGNATURE):
            scanner.scan(tmp_path / name)


def test_clean_and_empty_files_pass(scanner: Scanner, tmp_path: Path) -> None:
    for name, data in (("clean", zipped(b"a page")), ("empty", b"")):
        (tmp_path / name).write_bytes(data)
        scanner.scan(tmp_path / name)
    assert scanner.problem() is None
    assert scanner.version().startswith("ClamAV")


@pytest.mark.parametrize("size", [900_000, 3_000_000])
def test_a_file_that_the_daemon_does_not_look_through_never_passes(
    scanner: Scanner, tmp_path: Path, size: int
) -> None:
    (tmp_path / "large").write_bytes(bytes(range(256)) * (size // 256) + EICAR)
    with pytest.raises((TooLargeError, InfectedFileError)) as refused:
        scanner.scan(tmp_path / "large")
    if size > 1 << 20:
        assert refused.value.code == "too_large"


def test_a_daemon_that_does_not_answer_is_down(daemon: Clamd, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"page")
    daemon.pause()
    try:
        with pytest.raises(ScannerDownError):
            Scanner(str(daemon.socket), seconds=0.5).scan(tmp_path / "file")
    finally:
        daemon.go_on()


def quick(data: Path, socket: Path) -> Settings:
    settings = settings_for(data, attempts=1, concurrency=1)
    ingest = settings.ingest.model_copy(update={"clamd": str(socket)})
    return settings.model_copy(update={"ingest": ingest})


def test_an_infected_drop_is_quarantined_and_a_daemon_that_is_away_holds_the_rest(
    tmp_path: Path,
) -> None:
    nothing = b"\x00\x01\x02\x03 no format that anybody reads \xff\xfe"
    with clamd() as own:
        own.start()
        settings = quick(tmp_path, own.socket)
        with Appliance(settings, pipeline=Pipeline) as appliance:
            store = open_store(tmp_path)
            drop(tmp_path, "eicar.pdf", EICAR)
            wait_until(lambda: len(store.quarantine()) == 1)
            (row,) = store.quarantine()
            assert row.error == "infected_file"
            document = store.document(row.id)
            assert document is not None and SIGNATURE in document.reasons[0]
            assert store.original(row.id).read_bytes() == EICAR

            own.stop()
            drop(tmp_path, "odd.bin", nothing)
            wait_until(lambda: any(r.trouble == "scanner_down" for r in store.recent()))
            time.sleep(3)
            held = next(r for r in store.recent() if r.name == "odd.bin")
            assert held.state is State.RECEIVED
            assert any("virus scanner" in problem for problem in appliance.problems())

            own.start()
            wait_until(lambda: len(store.quarantine()) == 2)
            assert {r.error for r in store.quarantine()} == {"infected_file", "unsupported_file"}
            assert not any("virus scanner" in problem for problem in appliance.problems())
            store.close()
