# SPDX-License-Identifier: Apache-2.0
import io
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from idp.document import (
    Block,
    Box,
    Cell,
    Decision,
    Document,
    DocumentType,
    Mark,
    MasterMatch,
    Rule,
)
from idp.errors import SettingsError
from idp.serve import StatusPage, create_app
from idp.settings import Settings
from tests.fabricate import PATIENT, Shelf, document, field, remittance
from tests.fabricate import page as fabricated_page

pytestmark = pytest.mark.component

HOME = "http://127.0.0.1:8600"
FORM = {"Origin": HOME, "Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    shelf = Shelf(tmp_path)
    yield shelf
    shelf.store.close()


@pytest.fixture
def page(shelf: Shelf) -> TestClient:
    app = create_app(Settings(data=shelf.folder), shelf.store)
    return TestClient(app, base_url=HOME, follow_redirects=False)


def refused() -> Document:
    """A file that was never read."""
    return document(
        type=DocumentType.OTHER,
        type_confidence=0,
        pages=(),
        fields=(),
        missing=(),
        findings=(),
        decision=Decision.QUARANTINE,
        reasons=("the PDF needs a password",),
        error="encrypted_file",
        hint="Ask the sender for a copy without a password.",
    )


def held() -> Document:
    """A document that was read, and held back all the same."""
    return document(decision=Decision.QUARANTINE, error="repeated_failure", hint="See the log.")


def test_the_empty_appliance_says_where_to_drop_files(page: TestClient, shelf: Shelf) -> None:
    text = page.get("/").text
    assert "Nothing has arrived yet" in text
    assert str((shelf.folder / "inbox").absolute()) in text


def test_the_overview_counts_states_and_lists_documents(page: TestClient, shelf: Shelf) -> None:
    shelf.put(document(), name="first.tif")
    shelf.arrive(b"waiting", name="second.tif")
    text = page.get("/").text
    assert re.search(r"<b>1</b><span>review</span>", text)
    assert re.search(r"<b>1</b><span>received</span>", text)
    assert "first.tif" in text
    assert "second.tif" in text


def test_the_overview_lists_one_state_only_when_asked(page: TestClient, shelf: Shelf) -> None:
    shelf.put(document(), name="first.tif")
    shelf.arrive(b"waiting", name="second.tif")
    text = page.get("/", params={"state": "review"}).text
    assert "first.tif" in text
    assert "second.tif" not in text
    assert page.get("/", params={"state": "nonsense"}).status_code == 422


def test_a_document_shows_its_fields_their_frames_and_what_is_missing(
    page: TestClient, shelf: Shelf
) -> None:
    document_id = shelf.put(document())
    text = page.get(f"/documents/{document_id}").text
    assert PATIENT in text
    assert "04/09/1961" in text
    assert text.count("<rect") == 4
    assert 'id="frame-3"' in text
    assert 'href="#frame-3"' in text
    assert "less certainty than asked for" in text
    assert "Referring provider NPI" in text


def test_frames_lie_where_the_boxes_are(page: TestClient, shelf: Shelf) -> None:
    document_id = shelf.put(document())
    text = page.get(f"/documents/{document_id}").text
    frame = re.search(r'id="frame-1"[^>]* x="([\d.]+)" y="([\d.]+)" width="([\d.]+)"', text)
    assert frame is not None
    # Box 0.1..0.4 by 0.2..0.23 on a page of 850 x 1100, in thousandths of the width.
    assert float(frame[1]) == pytest.approx(100, abs=3)
    assert float(frame[2]) == pytest.approx(200 * 1100 / 850, abs=3)
    assert float(frame[3]) == pytest.approx(300, abs=5)


def test_claims_are_shown_with_their_lines(page: TestClient, shelf: Shelf) -> None:
    text = page.get(f"/documents/{shelf.put(remittance())}").text
    assert "4417" in text
    assert "120.00" in text


def test_a_page_picture_is_a_png(page: TestClient, shelf: Shelf, tmp_path: Path) -> None:
    document_id = shelf.put(document())
    answer = page.get(f"/documents/{document_id}/pages/1")
    assert answer.headers["content-type"] == "image/png"
    (tmp_path / "got.png").write_bytes(answer.content)
    with Image.open(tmp_path / "got.png") as image:
        assert image.size == (850, 1100)
    assert page.get(f"/documents/{document_id}/pages/7").status_code == 404


def test_a_picture_is_larger_for_who_looks_closely(page: TestClient, shelf: Shelf) -> None:
    document_id = shelf.put(document(), size=(2400, 3000))
    for large, width in (("false", 1400), ("true", 2400)):
        answer = page.get(f"/documents/{document_id}/pages/1", params={"large": large})
        with Image.open(io.BytesIO(answer.content)) as image:
            assert image.width == width


def test_the_viewer_gets_every_layer_of_a_page_where_it_stands(
    page: TestClient, shelf: Shelf
) -> None:
    seen = fabricated_page().model_copy(
        update={
            "marks": (Mark(state="checked", box=Box(0.5, 0.5, 0.52, 0.52), label="Urgent"),),
            "rules": (Rule(orientation="horizontal", box=Box(0.1, 0.6, 0.9, 0.602)),),
            "cells": (Cell(box=Box(0.1, 0.6, 0.5, 0.7)),),
            "blocks": (
                Block(kind="header", box=Box(0.1, 0.01, 0.5, 0.03), word_ids=(0,)),
                Block(kind="text", box=Box(0.1, 0.1, 0.5, 0.12), word_ids=(1,)),
                Block(kind="ink", box=Box(0.1, 0.8, 0.5, 0.85)),
            ),
        }
    )
    document_id = shelf.put(document(), seen=seen)
    text = page.get(f"/documents/{document_id}").text
    [address] = re.findall(r'data-layers="([^"]+)"', text)
    layers = page.get(address).json()["layers"]
    assert layers["words"][0] == ["sure", 100, 129.4, 100, 25.9, "Patient", 99, ""]
    assert [shape[0] for shape in layers["marks"]] == ["thing", "checked"]
    assert layers["marks"][1][5] == "Urgent: checked"
    assert sorted(shape[0] for shape in layers["rules"]) == ["cell", "rule"]
    assert [(shape[5], shape[7]) for shape in layers["blocks"]] == [
        ("1. header", "1"),
        ("2. text", "2"),
    ]
    assert page.get(f"/documents/{document_id}/pages/2/layers").status_code == 404


def test_every_key_of_the_viewer_has_its_button(page: TestClient, shelf: Shelf) -> None:
    text = page.get(f"/documents/{shelf.put(document())}").text
    keys = re.search(r"const KEYS = \{([^}]+)\}", page.get("/assets/viewer.js").text)
    assert keys is not None
    for key, layer in re.findall(r'(\w): "(\w+)"', keys[1]):
        assert f'data-layer="{layer}" aria-keyshortcuts="{key}"' in text


def test_the_original_is_a_download_and_the_record_is_the_contract(
    page: TestClient, shelf: Shelf
) -> None:
    document_id = shelf.put(document(), b"the bytes")
    original = page.get(f"/documents/{document_id}/original")
    assert original.content == b"the bytes"
    assert original.headers["content-disposition"].startswith("attachment")
    assert original.headers["content-type"] == "application/octet-stream"
    record = page.get(f"/documents/{document_id}/document.json").json()
    assert record["schema"] == "idp.document/1"


def test_markup_in_a_document_is_shown_and_never_run(page: TestClient, shelf: Shelf) -> None:
    evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
    found = document(fields=(field("patient_name", evil),), reasons=(evil,))
    document_id = shelf.put(found, name=f"{evil.replace('/', '_')}.tif")
    for address in ("/", f"/documents/{document_id}", "/?state=review"):
        text = page.get(address).text
        assert "<script>alert" not in text
        assert "<img" not in text
        assert "onerror=alert(2)&gt;" in text


def test_a_quarantined_file_shows_code_and_hint(page: TestClient, shelf: Shelf) -> None:
    document_id = shelf.put(refused(), name="locked.pdf")
    text = page.get("/quarantine").text
    assert "encrypted file" in text
    assert "copy without a password" in text
    assert f"/documents/{document_id}/requeue" in text
    assert "/release" not in text, "what was never read has nothing to review"


def test_commands_in_a_hint_are_set_as_code_and_still_escaped(
    page: TestClient, shelf: Shelf
) -> None:
    shelf.put(refused().model_copy(update={"hint": "Run `idp <b>doctor</b>`, <i>now</i>."}))
    text = page.get("/quarantine").text
    assert "<code>idp &lt;b&gt;doctor&lt;/b&gt;</code>, &lt;i&gt;now&lt;/i&gt;." in text


def test_a_quarantined_document_can_be_released_to_review(page: TestClient, shelf: Shelf) -> None:
    document_id = shelf.put(held())
    assert f"/documents/{document_id}/release" in page.get("/quarantine").text
    answer = page.post(f"/documents/{document_id}/release?back=quarantine", headers=FORM)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/quarantine"
    assert shelf.store.row(document_id).state == "review"
    assert "Nothing lies in quarantine" in page.get("/quarantine").text


def test_a_document_can_be_processed_again_but_not_released_from_review(
    page: TestClient, shelf: Shelf
) -> None:
    document_id = shelf.put(document())
    assert page.post(f"/documents/{document_id}/release", headers=FORM).status_code == 409
    assert page.post(f"/documents/{document_id}/requeue", headers=FORM).status_code == 303
    assert shelf.store.row(document_id).state == "received"


def test_a_button_returns_to_our_own_pages_only(page: TestClient, shelf: Shelf) -> None:
    document_id = shelf.put(refused())
    answer = page.post(
        f"/documents/{document_id}/release", params={"back": "//evil.example/"}, headers=FORM
    )
    assert answer.headers["location"] == f"/documents/{document_id}"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": HOME, "Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://127.0.0.1:9999", "Sec-Fetch-Site": "same-site"},
        {},
    ],
)
def test_a_foreign_page_can_not_press_our_buttons(
    page: TestClient, shelf: Shelf, headers: dict[str, str]
) -> None:
    document_id = shelf.put(refused())
    answer = page.post(f"/documents/{document_id}/release", headers=headers)
    assert answer.status_code == 403
    assert shelf.store.row(document_id).state == "quarantined"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8600", "", "127.0.0.1.evil.io", "["]
)
def test_a_foreign_host_name_is_refused(page: TestClient, host: str) -> None:
    answer = page.get("/", headers={"Host": host})
    assert answer.status_code == 421
    assert "idp" not in answer.text


@pytest.mark.parametrize("host", ["localhost:8600", "127.0.0.1", "[::1]:8600", "LOCALHOST"])
def test_this_machine_is_answered_under_all_its_names(page: TestClient, host: str) -> None:
    assert page.get("/healthz", headers={"Host": host}).status_code == 200


def test_a_named_host_is_answered(shelf: Shelf) -> None:
    settings = Settings(data=shelf.folder, serve={"host": "0.0.0.0", "names": ["intake.local"]})
    client = TestClient(create_app(settings, shelf.store), base_url="http://intake.local")
    assert client.get("/healthz").status_code == 200
    assert client.get("/healthz", headers={"Host": "0.0.0.0"}).status_code == 421


@pytest.mark.parametrize("address", ["/", "/quarantine", "/healthz", "/assets/style.css", "/none"])
def test_every_answer_forbids_foreign_scripts_and_frames(page: TestClient, address: str) -> None:
    headers = page.get(address).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"


def test_the_pages_use_nothing_from_elsewhere(page: TestClient, shelf: Shelf) -> None:
    document_id = shelf.put(document())
    for address in ("/", "/quarantine", f"/documents/{document_id}"):
        text = page.get(address).text
        assert not re.findall(r'(?:src|href|action)="(?:https?:)?//', text)
        assert "style=" not in text, "the content policy forbids inline styles"
        assert not re.search(r"\son\w+=", text)
    for asset in ("style.css", "page.js", "viewer.js", "icon.svg"):
        assert page.get(f"/assets/{asset}").status_code == 200


def test_an_unknown_document_is_a_page_with_a_hint(page: TestClient) -> None:
    answer = page.get("/documents/00000000-0000-7000-8000-000000000000")
    assert answer.status_code == 404
    assert "not found" in answer.text.lower()


def test_health_tells_counts_and_fails_with_the_store(page: TestClient, shelf: Shelf) -> None:
    shelf.put(document())
    answer = page.get("/healthz")
    assert answer.json()["documents"]["review"] == 1
    assert PATIENT not in answer.text
    shelf.store.close()
    (shelf.folder / "idp.sqlite").write_bytes(b"not a database" * 1000)
    for extra in ("-wal", "-shm"):
        (shelf.folder / f"idp.sqlite{extra}").unlink(missing_ok=True)
    assert page.get("/healthz").status_code == 503


def test_metrics_count_documents_and_reading_and_name_nobody(shelf: Shelf) -> None:
    shelf.put(document())
    settings = Settings(data=shelf.folder)
    counts = {"workers": 2, "calls": 41, "replaced_for_memory": 1, "cache_hits": 7}
    client = TestClient(
        create_app(settings, shelf.store, reading=lambda: counts), base_url="http://localhost"
    )
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = answer.text.splitlines()
    assert 'idp_documents{state="review"} 1' in lines
    assert "idp_read_workers 2" in lines
    assert "# TYPE idp_read_calls_total counter" in lines
    assert "idp_read_calls_total 41" in lines
    assert "idp_read_cache_hits_total 7" in lines
    assert PATIENT not in answer.text
    assert client.get("/healthz").json()["reading"] == counts


def test_a_fault_of_ours_is_a_plain_answer_and_its_text_stays_out_of_the_log(
    page: TestClient,
    shelf: Shelf,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError(f"can't show {PATIENT}")

    monkeypatch.setattr(shelf.store, "show", fail)
    answer = page.get("/documents/any")
    assert answer.status_code == 500
    assert PATIENT not in answer.text
    assert PATIENT not in caplog.text
    assert "RuntimeError at test_serve.py" in caplog.text


def test_the_page_in_a_thread_answers_logs_no_values_and_stops(
    shelf: Shelf, caplog: pytest.LogCaptureFixture
) -> None:
    document_id = shelf.put(document(), name=f"{PATIENT}.tif")
    settings = Settings(data=shelf.folder, serve={"port": 0})
    with (
        caplog.at_level(logging.DEBUG),
        StatusPage(create_app(settings, shelf.store), settings.serve) as served,
    ):
        for address in ("", f"documents/{document_id}", "healthz"):
            assert httpx.get(served.address + address).status_code == 200
        address = served.address
    assert PATIENT not in caplog.text
    with pytest.raises(httpx.ConnectError):
        httpx.get(address)


def test_a_port_in_use_is_an_error_with_a_hint(shelf: Shelf) -> None:
    settings = Settings(data=shelf.folder, serve={"port": 0})
    app = create_app(settings, shelf.store)
    with StatusPage(app, settings.serve) as served:
        port = int(served.address.rsplit(":", 1)[1].strip("/"))
        second = Settings(data=shelf.folder, serve={"port": port}).serve
        with pytest.raises(SettingsError, match="can't listen"), StatusPage(app, second):
            pass


def test_the_document_page_shows_who_the_parties_are_and_why(
    page: TestClient, shelf: Shelf
) -> None:
    masters = (
        MasterMatch(
            directory="members",
            party="patient",
            outcome="near",
            score=0.67,
            evidence=("name: same", "birth date: differs", "member ID: same"),
        ),
        MasterMatch(
            directory="payers", party="payer", outcome="matched", canonical_id="BHHP", score=1.0
        ),
        MasterMatch(directory="members", party="claim 1", outcome="matched", canonical_id="m1"),
        MasterMatch(directory="members", party="claim 2", outcome="none"),
    )
    text = page.get(f"/documents/{shelf.put(document(masters=masters), name='a.tif')}").text
    assert "In our directories" in text
    assert re.search(r'badge look">near</span> <span><b>Patient</b>', text)
    assert re.search(r'dot bad"></i>birth date: differs', text)
    assert "BHHP" in text
    assert "Claim 2" in text
    assert "Claim 1" not in text
