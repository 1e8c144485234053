# SPDX-License-Identifier: Apache-2.0
"""``idp reference``: what an administrator sees, and what goes on the record."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from idp.cli import app
from idp.errors import ExitCode
from idp.reference import Reference
from idp.settings import load_settings
from idp.store import Store
from tests.fabricate import Shelf
from tests.reference_files import CARC, CORE, crowd, npi, write_nppes

pytestmark = pytest.mark.component


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IDP_DATA", str(tmp_path / "data"))
    return tmp_path


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    (folder / "data").mkdir()
    shelf = Shelf(folder / "data")
    yield shelf.store
    shelf.store.close()


def reference_(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["reference", *(str(word) for word in words)])


def answer(*words: str | Path) -> dict[str, object]:
    result = reference_(*words, "--json")
    assert result.exit_code == ExitCode.OK, result.stderr
    found: dict[str, object] = json.loads(result.stdout)
    return found


def carc(folder: Path, text: str = CARC) -> Path:
    path = folder / "carc.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_import_list_look_check_and_remove_tell_what_they_did(folder: Path) -> None:
    done = answer("import", "carc", carc(folder), "--edition", "2026-03")
    assert (done["rows"], done["edition"], done["changed"]) == (5, "2026-03", True)
    assert answer("import", "carc", carc(folder), "--edition", "2026-03")["changed"] is False
    found = answer("look", "carc", "45", "--on", "2026-03-12")["found"]
    assert isinstance(found, list) and found[0]["in_force"] is True
    listed = answer("list")
    kinds = {each["kind"]: each for each in listed["kinds"]}  # type: ignore[attr-defined]
    assert kinds["carc"]["edition"] == "2026-03" and kinds["carc"]["by"].startswith("cli")
    assert kinds["rarc"]["rows"] is None
    assert listed["silent_rules"]["R7"] == ["core_combinations", "rarc"]  # type: ignore[index]
    assert answer("check")["whole"] is True
    assert answer("remove", "carc")["files"] == ["carc.sqlite"]
    for words in (["list"], ["check"]):
        assert reference_(*words).exit_code == ExitCode.OK


def test_providers_and_combinations_can_be_looked_up_too(folder: Path) -> None:
    register = write_nppes(folder / "npidata_pfile_20050523-20260308.csv", crowd(100))
    result = reference_("import", "nppes", register)
    assert result.exit_code == ExitCode.OK and "rows/s" in result.stderr
    (provider,) = answer("look", "nppes", npi(1))["found"]  # type: ignore[misc]
    assert provider["npi"] == npi(1)
    (folder / "core.csv").write_text(CORE, encoding="utf-8")
    answer("import", "core_combinations", folder / "core.csv")
    rows = answer("look", "core_combinations", "16")["found"]
    assert [row["groups"] for row in rows] == [["CO", "PI"], ["CO"]]  # type: ignore[attr-defined]
    assert "M76" in reference_("look", "core_combinations", "16").stdout


def test_each_wrong_call_has_its_exit_code_and_a_hint(folder: Path) -> None:
    wrong = folder / "wrong.csv"
    wrong.write_text("Name,Birth\nAda Example,1968-07-22\n", encoding="utf-8")
    for words, code in (
        (["import", "nonsense", carc(folder)], ExitCode.NOT_FOUND),
        (["import", "carc", folder / "nowhere.csv"], ExitCode.NOT_FOUND),
        (["import", "carc", wrong], ExitCode.USAGE),
        (["import", "icd10cm", wrong], ExitCode.USAGE),
        (["look", "carc", "45"], ExitCode.NOT_FOUND),
        (["remove", "carc"], ExitCode.NOT_FOUND),
    ):
        result = reference_(*words)
        assert result.exit_code == code, words
        assert "hint:" in result.stderr and "Ada" not in result.output


def test_a_damaged_import_is_told_and_refused_by_check(folder: Path) -> None:
    answer("import", "carc", carc(folder))
    path = folder / "data" / "reference" / "carc.sqlite"
    path.write_bytes(path.read_bytes()[:5000])
    assert reference_("check").exit_code == ExitCode.USAGE
    assert "damaged" in reference_("list").output
    answer("import", "carc", carc(folder))
    assert answer("check")["damaged"] == []


def test_imports_and_removals_go_on_the_record_each_once(folder: Path, store: Store) -> None:
    answer("import", "carc", carc(folder), "--edition", "2026-03")
    answer("import", "carc", carc(folder), "--edition", "2026-03")
    answer("import", "carc", carc(folder, CARC + "999,Made up,,,\n"), "--edition", "2026-07")
    answer("remove", "carc")
    events = [e for e in store.events(limit=50) if e.action.startswith("reference_")]
    assert [(e.action, e.detail["edition"]) for e in events] == [
        ("reference_imported", "2026-03"),
        ("reference_imported", "2026-07"),
        ("reference_removed", None),
    ]
    assert all(e.actor.startswith("cli") for e in events)
    assert store.verify_events() is None


def test_an_import_whose_command_was_killed_before_the_record_gets_its_line_later(
    folder: Path,
) -> None:
    answer("import", "carc", carc(folder))  # no service has ever run: nobody keeps a record yet
    (folder / "data").mkdir(exist_ok=True)
    shelf = Shelf(folder / "data")
    editions = Reference.of(load_settings()).editions
    entries = [event for each in editions for event in each.events()]
    assert shelf.store.note_models(entries) == 1
    assert shelf.store.note_models(entries) == 0
    shelf.store.close()
