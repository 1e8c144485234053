# SPDX-License-Identifier: Apache-2.0
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

import idp.pipeline
from idp.cli import app
from idp.document import Document
from idp.errors import ExitCode
from idp.settings import load_settings
from tests.fabricate import PATIENT, Shelf, document, page

pytestmark = pytest.mark.component


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with the data folder in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IDP_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def shelf(data: Path) -> Iterator[Shelf]:
    data.mkdir()
    shelf = Shelf(data)
    yield shelf
    shelf.store.close()


def idp_(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


class FakePipeline:
    """Finds one referral in every file; what happens on the way is up to the test."""

    def __init__(self, settings: object) -> None:
        del settings

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def process(self, path: Path, *, source: str, **_: Any) -> idp.pipeline.Result:
        print("a library talks to stdout")  # noqa: T201
        os.write(1, b"a child talks to stdout\n")
        if "broken" in path.name:
            raise ZeroDivisionError
        if "interrupted" in path.name:
            raise KeyboardInterrupt
        return idp.pipeline.Result((document(source=source), document(source=source)), (page(),))


@pytest.fixture
def fake(data: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to put files into, which the fake pipeline processes."""
    monkeypatch.setattr(idp.pipeline, "Pipeline", FakePipeline)
    return data.parent


def test_process_prints_one_object_per_document_and_nothing_else(fake: Path) -> None:
    (fake / "a.tif").write_bytes(b"a")
    (fake / "b.tif").write_bytes(b"b")
    result = idp_("process", "--json", "a.tif", "b.tif")
    assert result.exit_code == ExitCode.OK
    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert [record["source"] for record in records] == ["a.tif", "a.tif", "b.tif", "b.tif"]
    assert {record["schema"] for record in records} == {"idp.document/1"}


def test_process_prints_tables_for_people(fake: Path) -> None:
    (fake / "a.tif").write_bytes(b"a")
    result = idp_("process", "a.tif")
    assert result.exit_code == ExitCode.OK
    assert PATIENT in result.stdout
    assert "61%" in result.stdout
    assert "referring_provider_npi" in result.stdout
    assert "review" in result.stdout


def test_a_fault_of_ours_gives_a_quarantined_document_the_rest_and_exit_1(fake: Path) -> None:
    for name in ("a.tif", "broken.tif", "c.tif"):
        (fake / name).write_bytes(b"x")
    result = idp_("process", "--json", "a.tif", "broken.tif", "c.tif")
    assert result.exit_code == ExitCode.INTERNAL
    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert [r["source"] for r in records] == ["a.tif", "a.tif", "broken.tif", "c.tif", "c.tif"]
    assert records[2]["decision"] == "quarantine"
    assert records[2]["error"] == "internal"


def test_ctrl_c_is_exit_130(fake: Path) -> None:
    (fake / "interrupted.tif").write_bytes(b"x")
    assert idp_("process", "interrupted.tif").exit_code == ExitCode.INTERRUPTED


def test_a_missing_file_stops_the_call_before_any_work(fake: Path) -> None:
    (fake / "a.tif").write_bytes(b"a")
    result = idp_("process", "--json", "a.tif", "missing.tif")
    assert result.exit_code == ExitCode.NOT_FOUND
    assert result.stdout == ""
    assert "missing.tif" in result.stderr
    assert "hint" in result.stderr


def test_a_folder_is_not_a_file(fake: Path) -> None:
    assert idp_("process", fake).exit_code == ExitCode.NO_ACCESS


def test_a_call_without_files_or_with_an_unknown_option_is_wrong() -> None:
    assert idp_("process").exit_code == ExitCode.USAGE
    assert idp_("process", "--nonsense", "x").exit_code == ExitCode.USAGE


def test_wrong_settings_are_exit_4(fake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (fake / "a.tif").write_bytes(b"a")
    monkeypatch.setenv("IDP_READ__WORKERS", "none")
    result = idp_("process", "a.tif")
    assert result.exit_code == ExitCode.BAD_SETTINGS
    assert "bad_settings" in result.stderr


@pytest.mark.parametrize(
    "words",
    [("status",), ("show", "abcdef12"), ("requeue", "abcdef12"), ("quarantine", "list")],
)
def test_a_folder_in_which_nothing_ran_is_not_found_and_not_made(
    data: Path, words: tuple[str, ...]
) -> None:
    result = idp_(*words)
    assert result.exit_code == ExitCode.NOT_FOUND
    assert "idp run" in result.stderr
    assert not data.exists()


def test_status_counts_and_lists(shelf: Shelf) -> None:
    document_id = shelf.put(document(), name="first.tif")
    table = idp_("status").stdout
    assert "review" in table
    assert "first.tif" in table
    record = json.loads(idp_("status", "--json").stdout)
    assert record["schema"] == "idp.status/1"
    assert record["counts"]["review"] == 1
    assert record["recent"][0]["id"] == document_id


def test_status_lists_the_drop_folders_and_how_their_files_are_taken(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    channels = {
        "fax": {"site": "north", "priority": 2},
        "scan": {"folder": str(tmp_path / "share"), "keep_files": True, "watch": "poll"},
    }
    monkeypatch.setenv("IDP_INGEST__CHANNELS", json.dumps(channels))
    fax, scan = json.loads(idp_("status", "--json").stdout)["channels"]
    assert (fax["name"], fax["site"], fax["remembered"]) == ("fax", "north", None)
    assert (scan["folder"], scan["watch"], scan["remembered"]) == (
        str(tmp_path / "share"),
        "poll",
        0,
    )
    told = idp_("status").stdout
    assert "north" in told
    assert "0 files" in told


def test_status_tells_what_became_of_the_reading_processes(shelf: Shelf) -> None:
    assert json.loads(idp_("status", "--json").stdout)["reading"] is None
    counts = {"workers": 2, "calls": 41, "replaced_for_memory": 1, "died": 0, "cache_hits": 7}
    file = load_settings().counts_file
    file.write_text(json.dumps(counts))
    assert json.loads(idp_("status", "--json").stdout)["reading"] == counts
    told = idp_("status").stdout
    assert "2 processes, 41 pages read, 7 remembered" in told
    assert "1 replaced for memory" in told
    assert "died" not in told
    os.utime(file, (time.time() - 3600, time.time() - 3600))  # no service runs any more
    assert json.loads(idp_("status", "--json").stdout)["reading"] is None


def test_show_takes_a_short_id_and_prints_fields_and_events(shelf: Shelf) -> None:
    document_id = shelf.put(document())
    result = idp_("show", document_id[-8:])
    assert result.exit_code == ExitCode.OK
    assert PATIENT in result.stdout
    assert "arrived" in result.stdout
    record = json.loads(idp_("show", document_id, "--json").stdout)
    assert record["schema"] == "idp.show/1"
    assert record["document"]["schema"] == "idp.document/1"
    assert [event["action"] for event in record["events"]].count("arrived") == 1


@pytest.mark.parametrize("name", ["out.pdf", "out.png"])
def test_show_draws_the_outlined_pages(shelf: Shelf, tmp_path: Path, name: str) -> None:
    document_id = shelf.put(document())
    target = tmp_path / name
    assert idp_("show", document_id, "--overlay", target).exit_code == ExitCode.OK
    if name.endswith("png"):
        with Image.open(target) as image:
            assert len(image.convert("RGB").getcolors(1 << 24) or ()) > 2, "nothing is outlined"
    else:
        assert target.read_bytes().startswith(b"%PDF")


def test_an_overlay_that_can_not_be_written_is_no_access(shelf: Shelf) -> None:
    document_id = shelf.put(document())
    result = idp_("show", document_id, "--overlay", "/nonexistent/folder/out.pdf")
    assert result.exit_code == ExitCode.NO_ACCESS


def test_an_unknown_document_is_exit_6(shelf: Shelf) -> None:
    shelf.put(document())
    assert idp_("show", "ffffffffffff").exit_code == ExitCode.NOT_FOUND


def test_requeue_and_release_move_documents_and_refuse_the_wrong_state(shelf: Shelf) -> None:
    held: Document = document(decision="quarantine", error="repeated_failure", hint="See the log.")
    document_id = shelf.put(held)
    listed = json.loads(idp_("quarantine", "list", "--json").stdout)
    assert [row["id"] for row in listed["documents"]] == [document_id]
    assert "See the log." in idp_("quarantine", "list").stdout
    assert idp_("quarantine", "release", document_id).exit_code == ExitCode.OK
    assert shelf.store.row(document_id).state == "review"
    assert idp_("quarantine", "release", document_id).exit_code == ExitCode.USAGE
    assert idp_("requeue", document_id).exit_code == ExitCode.OK
    assert shelf.store.row(document_id).state == "received"
    assert idp_("quarantine", "list").stdout.strip() == "quarantine is empty"


def test_markup_in_values_is_printed_as_it_is(shelf: Shelf) -> None:
    document_id = shelf.put(document(reasons=("[bold]not markup[/bold]",)), name="[red]x.tif")
    assert "[bold]not markup[/bold]" in idp_("show", document_id).stdout
    assert "[red]x.tif" in idp_("status").stdout


def test_schema_and_settings_are_json(data: Path) -> None:
    assert json.loads(idp_("schema").stdout)["$id"] == "idp.document/1"
    settings = json.loads(idp_("settings", "--json").stdout)
    assert settings["data"] == str(data)


def test_a_password_in_the_database_url_is_not_shown(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDP_DATABASE_URL", "postgresql://idp:open-sesame@db/idp")
    for words in (("settings",), ("settings", "--json")):
        assert "open-sesame" not in idp_(*words).stdout


def _python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )


def test_help_and_status_load_nothing_heavy() -> None:
    done = _python(
        "import sys; from idp.cli import app; import idp.cli.house\n"
        "heavy = {'cv2', 'numpy', 'paddleocr', 'fastapi', 'sqlalchemy', 'reportlab', 'PIL'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    assert done.stdout.strip() == "[]", done.stderr


def test_nothing_but_results_reaches_the_real_stdout(fake: Path) -> None:
    (fake / "a.tif").write_bytes(b"a")
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import idp.pipeline, idp.cli; from tests.component.test_cli import FakePipeline\n"
            "idp.pipeline.Pipeline = FakePipeline; idp.cli.main()",
            "process",
            "--json",
            "a.tif",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert [json.loads(line)["source"] for line in done.stdout.splitlines()] == ["a.tif", "a.tif"]
    assert "a child talks to stdout" in done.stderr


def test_a_reader_that_has_enough_is_no_error(fake: Path) -> None:
    for number in range(300):
        (fake / f"{number}.tif").write_bytes(b"a")
    code = (
        "import idp.pipeline, idp.cli; from tests.component.test_cli import FakePipeline\n"
        "idp.pipeline.Pipeline = FakePipeline; idp.cli.main()"
    )
    done = subprocess.run(
        '"$PYTHON" -c "$CODE" process --json *.tif 2>err | head -1; echo "${PIPESTATUS[0]}"',
        shell=True,
        executable="/bin/bash",
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={
            **os.environ,
            "PYTHON": sys.executable,
            "CODE": code,
            "PYTHONPATH": str(Path(__file__).parents[2]),
        },
    )
    assert done.stdout.splitlines()[-1] == "0", (fake / "err").read_text()
    assert "Traceback" not in (fake / "err").read_text()
