# SPDX-License-Identifier: Apache-2.0
"""Letters from the shell and the status page: written whole, on the record without their words."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner, Result

import idp.pipeline
from idp.cli import app
from idp.document import Document
from idp.errors import ExitCode
from idp.serve import create_app
from idp.settings import Settings
from tests.component.test_cli import FakePipeline
from tests.fabricate import PATIENT, Shelf, document

pytestmark = pytest.mark.component

HOME = "http://127.0.0.1:8600"
FORM = {"Origin": HOME, "Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IDP_DATA", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()
    shelf = Shelf(tmp_path / "data")
    yield shelf
    shelf.store.close()


@pytest.fixture
def browser(shelf: Shelf) -> TestClient:
    created = create_app(Settings(data=shelf.folder), shelf.store)
    return TestClient(created, base_url=HOME, follow_redirects=False)


def idp_(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def put(shelf: Shelf, of: Document | None = None) -> str:
    found = of or document()
    return shelf.put(found, found.source.encode())


def complete() -> Document:
    return document(source="whole.tif", missing=(), findings=())


def test_a_letter_is_printed_and_put_on_the_record_without_its_words(shelf: Shelf) -> None:
    id_ = put(shelf)
    said = idp_("letter", id_)
    assert said.exit_code == ExitCode.OK
    assert "Referring provider NPI" in said.stdout
    assert f"Our reference: {id_}" in said.stdout
    assert PATIENT not in said.stdout
    (event,) = [e for e in shelf.store.events(id_) if e.action == "letter_drafted"]
    assert event.detail == {"form": "txt", "items": 1}
    assert shelf.store.verify_events() is None


def test_a_letter_is_written_for_its_owner_only(shelf: Shelf, tmp_path: Path) -> None:
    id_ = put(shelf)
    for name, begins in (("a.pdf", b"%PDF"), ("a.txt", b"DRAFT")):
        made = idp_("letter", id_, "--out", tmp_path / name, "--reply-to", "555-0100")
        assert made.exit_code == ExitCode.OK, made.output
        written = tmp_path / name
        assert written.read_bytes().startswith(begins)
        assert stat.S_IMODE(written.stat().st_mode) == 0o600
    assert "to 555-0100" in (tmp_path / "a.txt").read_text()
    assert sorted(p.name for p in tmp_path.glob("*.half")) == []


def test_a_final_letter_is_no_draft_and_the_record_says_so(shelf: Shelf, tmp_path: Path) -> None:
    id_ = put(shelf)
    assert idp_("letter", id_, "--final", "--out", tmp_path / "a.txt").exit_code == ExitCode.OK
    assert "DRAFT" not in (tmp_path / "a.txt").read_text()
    assert [e.detail for e in shelf.store.events(id_) if e.action == "letter_drafted"] == [
        {"form": "txt final", "items": 1}
    ]


def test_where_nothing_lacks_there_is_no_letter(shelf: Shelf) -> None:
    said = idp_("letter", put(shelf, complete()))
    assert said.exit_code == ExitCode.USAGE
    assert "wrong_state" in said.stderr


def test_a_file_of_another_kind_or_out_of_reach_is_refused(shelf: Shelf, tmp_path: Path) -> None:
    id_ = put(shelf)
    assert idp_("letter", id_, "--out", "a.docx").exit_code == ExitCode.USAGE
    gone = tmp_path / "no" / "such" / "a.pdf"
    assert idp_("letter", id_, "--out", gone).exit_code == ExitCode.NO_ACCESS


def test_the_status_page_offers_a_letter_only_where_something_lacks(
    shelf: Shelf, browser: TestClient
) -> None:
    lacking, whole = put(shelf), put(shelf, complete())
    assert "Draft letter" in browser.get(f"/documents/{lacking}").text
    assert "Draft letter" not in browser.get(f"/documents/{whole}").text
    made = browser.post(f"/documents/{lacking}/letter", headers=FORM)
    assert made.status_code == 200
    assert made.content.startswith(b"%PDF")
    assert made.headers["content-disposition"].startswith("attachment")
    assert [e.actor for e in shelf.store.events(lacking) if e.action == "letter_drafted"] == [
        "status page"
    ]
    assert browser.post(f"/documents/{whole}/letter", headers=FORM).status_code == 409
    assert browser.post(f"/documents/{lacking}/letter").status_code == 403


def test_rules_are_listed_shown_and_checked(shelf: Shelf) -> None:
    listed = json.loads(idp_("rules", "list", "--payer", "Cigna Healthcare", "--json").stdout)
    assert {each["programme"] for each in listed["requirements"]} == {"cigna"}
    assert all(each["cited"] for each in listed["requirements"])
    shown = idp_("rules", "show", "cigna-drug-alternatives")
    assert "v091619" in shown.stdout
    assert idp_("rules", "show", "no-such-thing").exit_code == ExitCode.NOT_FOUND
    assert json.loads(idp_("rules", "check", "--json").stdout)["requirements"] >= 25
    (shelf.folder / "rules" / "payers").mkdir(parents=True)
    (shelf.folder / "rules" / "payers" / "mine.yaml").write_text("programme: Mine")
    refused = idp_("rules", "check")
    assert refused.exit_code == ExitCode.BROKEN_INSTALLATION
    assert "mine.yaml" in refused.stderr


def test_process_drafts_a_letter_for_each_document_that_lacks_something(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IDP_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(idp.pipeline, "Pipeline", FakePipeline)
    (tmp_path / "a.tif").write_bytes(b"a")
    made = idp_("process", "--json", "--letter", "drafts", "a.tif")
    assert made.exit_code == ExitCode.OK, made.output
    assert [json.loads(line)["schema"] for line in made.stdout.splitlines()] == [
        "idp.document/1",
        "idp.document/1",
    ]
    (written,) = (tmp_path / "drafts").iterdir()  # both have one id: the same letter
    assert written.name.startswith("a.tif-")
    assert written.read_bytes().startswith(b"%PDF")
    (tmp_path / "drafts2").write_text("in the way")
    refused = idp_("process", "--letter", "drafts2", "a.tif")
    assert refused.exit_code == ExitCode.NO_ACCESS
