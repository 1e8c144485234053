# SPDX-License-Identifier: Apache-2.0
"""X12 files the whole way: child process, pipeline, store, status page, outbox."""

from __future__ import annotations

import datetime as dt
import io
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from idp.deliver import Outbox
from idp.document import Decision, Document, DocumentType
from idp.learning import make_dataset
from idp.pipeline import Pipeline, Result
from idp.requirements import Companion
from idp.serve import create_app
from idp.settings import Settings
from idp.signals import Correction
from idp.store import CorrectedDocument
from tests import x12
from tests.fabricate import Shelf

pytestmark = pytest.mark.component

HOME = "http://127.0.0.1:8600"


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """As the service has it, but never entered: nothing here needs a reading process."""
    # Without the quality sample, which would now and then hold one of them.
    settings = Settings(data=tmp_path_factory.mktemp("data"), decision={"quality_sample": 0})
    return Pipeline(settings, resident=True)


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    shelf = Shelf(tmp_path)
    yield shelf
    shelf.store.close()


def processed(pipeline: Pipeline, data: bytes, place: Path) -> Result:
    path = place / "remittance.835"
    path.write_bytes(data)
    work = place / "work"
    work.mkdir()
    now = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)
    return pipeline.process(path, workspace=work, channel="scan", received_at=now)


def test_each_set_is_a_document_that_no_model_has_seen(pipeline: Pipeline, tmp_path: Path) -> None:
    data = x12.whole("835", x12.remittance(random.Random(3), 3).body())
    data += x12.whole("278", x12.determination(), control="2", by=x12.OTHERS[3])
    found = processed(pipeline, data, tmp_path)
    assert [d.type for d in found.documents] == [
        DocumentType.REMITTANCE_EOB,
        DocumentType.PRIOR_AUTH_DETERMINATION,
    ]
    assert [d.decision for d in found.documents] == [Decision.AUTO, Decision.AUTO]
    assert [d.part for d in found.documents] == ["set 1 (835 0001)", "set 2 (278 0001)"]
    assert found.observations == (None, None)
    assert all(d.model_versions.keys() == {"x12"} for d in found.documents)
    assert len({d.document_id for d in found.documents}) == 2


def test_each_document_is_judged_beside_the_others_of_its_arrival(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside: list[list[str]] = []
    judged = pipeline.judge.judged

    def noted(draft: Document, *given: Any, companions: Sequence[Companion], **more: Any) -> Any:
        beside.append([companion.type for companion in companions])
        return judged(draft, *given, companions=companions, **more)

    monkeypatch.setattr(pipeline.judge, "judged", noted)
    data = x12.whole("835", x12.remittance(random.Random(3), 3).body())
    data += x12.whole("278", x12.determination(), control="2", by=x12.OTHERS[3])
    processed(pipeline, data, tmp_path)
    assert beside == [[DocumentType.PRIOR_AUTH_DETERMINATION], [DocumentType.REMITTANCE_EOB]]


def test_a_broken_interchange_is_quarantined_at_its_segment(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    body = x12.remittance(random.Random(3), 3).body()
    data = x12.whole("835", body).replace(b"SE*", b"SE*9")
    (document,) = processed(pipeline, data, tmp_path).documents
    assert (document.decision, document.error) == (Decision.QUARANTINE, "broken_x12")
    assert document.reasons[0].startswith(f"segment {len(body) + 4} SE: says 9")


def test_the_status_page_shows_the_listing_with_its_frames(
    pipeline: Pipeline, shelf: Shelf, tmp_path: Path
) -> None:
    data = x12.whole("835", x12.remittance(random.Random(3), 2).body())
    found = processed(pipeline, data, tmp_path)
    document_id = shelf.arrive(data, "remittance.835")
    shelf.process((found.documents, found.pages))
    app = create_app(Settings(data=shelf.folder), shelf.store)
    page = TestClient(app, base_url=HOME)
    text = page.get(f"/documents/{document_id}").text
    assert "listing of an X12 interchange" in text
    assert text.count("<rect") >= sum(f.box is not None for f in found.documents[0].fields)
    picture = page.get(f"/documents/{document_id}/pages/1")
    with Image.open(io.BytesIO(picture.content)) as image:
        assert image.size == (1020, 1320)


def test_a_remittance_is_delivered_with_its_listing(pipeline: Pipeline, tmp_path: Path) -> None:
    data = x12.whole("835", x12.remittance(random.Random(3), 2).body())
    found = processed(pipeline, data, tmp_path)
    images = {page.number: Path(page.image or "") for page in found.pages}
    published = Outbox(tmp_path / "outbox").deliver(
        found.documents[0], tmp_path / "remittance.835", images, "key1"
    )
    assert (published / "original.835").read_bytes() == data
    assert (published / "document.pdf").read_bytes().startswith(b"%PDF-")


def test_a_corrected_listing_is_no_material_to_train_readers_of_pages_on(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    data = x12.whole("835", x12.remittance(random.Random(3), 1).body())
    found = processed(pipeline, data, tmp_path)
    at = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)
    said = Correction(name="payer_name", before="A", after="B")
    scanned = tuple(page.model_copy(update={"words_source": "ocr"}) for page in found.pages)
    for pages, documents in ((found.pages, 0), (scanned, 1)):
        one = CorrectedDocument(found.documents[0], pages, (said,), True, "somebody", at)
        made = make_dataset([one], tmp_path / "set", tmp_path / "root", 0.0)
        assert len(made["documents"]) == documents
