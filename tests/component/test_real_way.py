# SPDX-License-Identifier: Apache-2.0
"""The command as installed, on sample files, with the real models: nothing is stood in for."""

import datetime as dt
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from idp.errors import ExitCode
from idp.samples import Sample, samples
from idp.schemas import load_schemas

pytestmark = [pytest.mark.component, pytest.mark.slow]

IDP = shutil.which("idp", path=Path(sys.executable).parent) or shutil.which("idp")
LEAST_SHARE_FOUND = 0.6


def idp_(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    assert IDP is not None, "idp is not installed beside this Python"
    return subprocess.run(
        [IDP, *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1", "IDP_READ__WORKERS": "1"},
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Sample]:
    folder = tmp_path_factory.mktemp("faxes")
    names = {
        "02-referral-printed.pdf",
        "04-medication-request-upside-down.tif",
        "09-cover-and-referral.tif",
        "11-locked.pdf",
        "12-cut-off.tif",
    }
    today = dt.datetime.now(dt.UTC).date()
    return {sample.path.name: sample for sample in samples(folder, 7, today, names)}


@pytest.fixture(scope="module")
def records(made: Mapping[str, Sample]) -> dict[str, list[dict[str, Any]]]:
    folder = next(iter(made.values())).path.parent
    (folder / "empty.tif").write_bytes(b"")
    (folder / "text.pdf").write_text("only a text file")
    done = idp_(folder, "process", "--json", *sorted(made), "empty.tif", "text.pdf")
    assert done.returncode == ExitCode.OK, done.stderr
    found: dict[str, list[dict[str, Any]]] = {}
    for line in done.stdout.splitlines():
        record = json.loads(line)
        found.setdefault(record["source"], []).append(record)
    return found


def test_every_file_gives_a_document_under_its_path_as_given(
    records: Mapping[str, Any], made: Mapping[str, Sample]
) -> None:
    assert set(records) == {*made, "empty.tif", "text.pdf"}


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("11-locked.pdf", "encrypted_file"),
        ("12-cut-off.tif", "damaged_file"),
        ("empty.tif", "empty_file"),
    ],
)
def test_what_can_not_be_read_is_quarantined_with_code_and_hint(
    records: Mapping[str, Any], name: str, code: str
) -> None:
    (record,) = records[name]
    assert record["decision"] == "quarantine"
    assert record["error"] == code
    assert record["hint"]


def test_a_text_file_named_pdf_is_read_as_the_text_it_is(records: Mapping[str, Any]) -> None:
    (record,) = records["text.pdf"]
    assert record["type"] == "other"
    assert record["error"] is None
    assert record["pages"] == [1]


@pytest.mark.parametrize(
    "name",
    [
        "02-referral-printed.pdf",
        "04-medication-request-upside-down.tif",
        "09-cover-and-referral.tif",
    ],
)
def test_a_sample_is_typed_and_most_of_what_is_written_on_it_is_found(
    records: Mapping[str, Any], made: Mapping[str, Sample], name: str
) -> None:
    sample = made[name]
    record = next(r for r in records[name] if r["type"] == sample.type)
    assert record["pages"][0] == sample.first_page
    found: dict[str, list[str]] = {}
    for field in record["fields"]:
        found.setdefault(field["name"], []).append(field["value"])
    written = [(field, value) for field, values in sample.truth.items() for value in values]
    hits = [pair for pair in written if pair[1] in found.get(pair[0], ())]
    missed = sorted(set(written) - set(hits))
    assert len(hits) >= LEAST_SHARE_FOUND * len(written), missed


def test_every_value_has_evidence_and_a_known_name(records: Mapping[str, Any]) -> None:
    schemas = {str(kind): schema for kind, schema in load_schemas().items()}
    for record in (r for several in records.values() for r in several):
        known = {field.name for field in schemas[record["type"]].fields}
        for field in record["fields"]:
            assert field["name"] in known
            assert 0 <= field["confidence"] <= 1
            assert field["derived_from"] or field["box"] is not None
            if field["box"] is not None:
                x0, y0, x1, y1 = field["box"]
                assert 0 <= x0 < x1 <= 1
                assert 0 <= y0 < y1 <= 1
                assert field["page"] in record["pages"]


def test_read_gives_one_object_per_page_the_right_way_up(made: Mapping[str, Sample]) -> None:
    path = made["04-medication-request-upside-down.tif"].path
    done = idp_(path.parent, "read", "--json", path.name)
    assert done.returncode == ExitCode.OK, done.stderr
    (page,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert page["schema"] == "idp.page/1"
    assert page["rotation"] == 180
    words = {word["text"].lower() for word in page["words"]}
    assert {"adalimumab", "patient", "methotrexate"} <= words
    assert any(mark["state"] == "checked" for mark in page["marks"])


def test_the_installed_appliance_works_through_a_drop_and_names_nobody(
    made: Mapping[str, Sample], tmp_path: Path
) -> None:
    assert IDP is not None
    dropped = [made["02-referral-printed.pdf"], made["11-locked.pdf"], made["12-cut-off.tif"]]
    inbox = tmp_path / "data" / "inbox" / "scan"
    inbox.mkdir(parents=True)
    for sample in dropped:
        shutil.copy(sample.path, inbox / sample.path.name)
    log = tmp_path / "log"
    with log.open("w") as stream:
        appliance = subprocess.Popen(
            [IDP, "run"],
            cwd=tmp_path,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env={
                **os.environ,
                "OMP_NUM_THREADS": "1",
                "IDP_READ__WORKERS": "1",
                "IDP_SERVE__PORT": "0",
                "IDP_ENGINE__RECONCILE_SECONDS": "2",
            },
        )
    try:
        counts: dict[str, int] = {}
        deadline = time.monotonic() + 240
        while counts.get("quarantined") != 2 or not counts.get("review", 0) + counts.get(
            "delivered", 0
        ):
            assert time.monotonic() < deadline, log.read_text()
            assert appliance.poll() is None, log.read_text()
            time.sleep(2)
            told = idp_(tmp_path, "status", "--json")
            if told.returncode == ExitCode.OK:
                counts = json.loads(told.stdout)["counts"]
        assert sum(counts.values()) == len(dropped)
        reading = json.loads(idp_(tmp_path, "status", "--json").stdout)["reading"]
        assert (reading["workers"], reading["died"]) == (1, 0)
        kept = [path for path in (tmp_path / "data" / "cache").rglob("*") if path.is_file()]
        assert len(kept) >= 1, "a page that was read is remembered"
        assert all(path.stat().st_mode & 0o777 == 0o440 for path in kept)
        assert idp_(tmp_path, "run").returncode == ExitCode.ALREADY_RUNNING
        appliance.send_signal(signal.SIGINT)
        assert appliance.wait(60) == ExitCode.OK
    finally:
        appliance.kill()
        appliance.wait()
    said = log.read_text()
    assert "status page" in said
    for sample in dropped:
        for value in ("patient_name", "member_id", "referring_provider_npi"):
            for secret in sample.truth.get(value, ()):
                assert secret not in said
    assert not list(inbox.glob("*.*f")), "the drop folder is empty"


def test_doctor_finds_everything_working(made: Mapping[str, Sample]) -> None:
    folder = next(iter(made.values())).path.parent
    done = idp_(folder, "doctor", "--json")
    record = json.loads(done.stdout)
    failing = [check for check in record["checks"] if check["verdict"] == "fail"]
    assert not failing
    assert record["healthy"]
    assert done.returncode == ExitCode.OK


def test_doctor_says_what_is_broken(made: Mapping[str, Sample], tmp_path: Path) -> None:
    (tmp_path / "idp.toml").write_text(
        'inbox = "data"\noutbox = "data/inside"\nmodels = "nowhere"\n', encoding="utf-8"
    )
    done = idp_(tmp_path, "doctor", "--json")
    assert done.returncode == ExitCode.MISSING_DEPENDENCY
    verdicts = {c["name"]: c["verdict"] for c in json.loads(done.stdout)["checks"]}
    assert verdicts["folders"] == "fail"
    assert verdicts["model files"] == "fail"
    assert verdicts["OpenCV"] == "ok"
