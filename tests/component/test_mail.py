# SPDX-License-Identifier: Apache-2.0
"""A mail with two attachments goes the whole way, with the real models: two documents come out."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from idp.cli import app
from idp.document import Decision, Document, DocumentType
from idp.errors import ExitCode
from idp.ingest.unpacked import unpack
from idp.pipeline import Pipeline, Result
from idp.samples import Sample, samples
from idp.settings import IngestSettings, ReadSettings, Settings
from tests.messages import HEADER, mail, part, zip_bytes
from tests.opening import LIMITS

pytestmark = [pytest.mark.component, pytest.mark.slow]

PDF, FAX = "02-referral-printed.pdf", "04-medication-request-upside-down.tif"
NOW = dt.datetime(2026, 1, 5, 16, tzinfo=dt.UTC)
NOTE = part("text/plain", b"Please find two documents attached.\r\n\r\nRegards,\r\nAnn\r\n")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Sample]:
    folder = tmp_path_factory.mktemp("attached")
    return {s.path.name: s for s in samples(folder, 7, NOW.date(), {PDF, FAX})}


@pytest.fixture(scope="module")
def eml(made: dict[str, Sample], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A covering note, a born-digital PDF and a fax."""
    path = tmp_path_factory.mktemp("mail") / "arrived.eml"
    path.write_bytes(
        mail(
            part(
                "multipart/mixed",
                NOTE,
                part("application/pdf", made[PDF].path.read_bytes(), name="referral.pdf"),
                part("image/tiff", made[FAX].path.read_bytes(), name="fax.tif"),
            )
        )
    )
    return path


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    settings = Settings(data=tmp_path_factory.mktemp("data"), read=ReadSettings(workers=1))
    with Pipeline(settings) as pipeline:
        yield pipeline


@pytest.fixture(scope="module")
def result(pipeline: Pipeline, eml: Path, tmp_path_factory: pytest.TempPathFactory) -> Result:
    workspace = tmp_path_factory.mktemp("work")
    return pipeline.process(eml, workspace=workspace, channel="email", received_at=NOW)


def by_part(result: Result) -> dict[str | None, Document]:
    return {document.part: document for document in result.documents}


def test_each_attachment_becomes_a_document_of_its_own(
    result: Result, made: dict[str, Sample], eml: Path
) -> None:
    documents = by_part(result)
    assert list(documents) == ["referral.pdf", "fax.tif"]
    for name, sample in (("referral.pdf", made[PDF]), ("fax.tif", made[FAX])):
        document = documents[name]
        assert document.type == sample.type
        assert document.part_sha256 == hashlib.sha256(sample.path.read_bytes()).hexdigest()
        assert document.sha256 == hashlib.sha256(eml.read_bytes()).hexdigest()
        assert document.decision != Decision.QUARANTINE
        assert document.pages[0] == sample.first_page
        (patient,) = sample.truth["patient_name"]
        assert patient in [field.value for field in document.fields if field.name == "patient_name"]
    assert len({document.document_id for document in result.documents}) == 2


def test_each_document_carries_the_mails_envelope(result: Result) -> None:
    for number, document in enumerate(result.documents, 1):
        envelope = document.envelope
        assert envelope is not None
        assert envelope.sender == "ann@example.org"
        assert envelope.subject == "Referral"
        assert envelope.message_id == "m1@example.org"
        assert envelope.sent_at == dt.datetime(2026, 1, 5, 15, tzinfo=dt.UTC)
        assert envelope.attachment == number
        assert envelope.told_by == ("mail",)


def test_what_was_left_out_is_said_once(result: Result) -> None:
    said = [f.message for d in result.documents for f in d.findings if "Left out" in f.message]
    assert said == ["Left out: message text: a covering note of 5 words beside the attachments"]


def test_a_second_run_gives_the_same_documents(
    pipeline: Pipeline, eml: Path, result: Result, tmp_path: Path
) -> None:
    again = pipeline.process(eml, workspace=tmp_path, channel="email", received_at=NOW)
    assert [d.document_id for d in again.documents] == [d.document_id for d in result.documents]
    assert [d.fields for d in again.documents] == [d.fields for d in result.documents]


def test_a_text_that_holds_the_referral_is_read_by_its_own_words(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    text = b"""REFERRAL ORDER

Referral date: 01/05/2026
Patient name: Marisol Quillfeather
Date of birth: 04/09/1961
Member ID: QXK204417793
Referring provider: Dr. Ann Example, NPI 1234567893
Refer to: Springfield Orthopaedics
Reason for referral: pain in the right knee for six weeks, please evaluate and treat
Diagnosis: M25.561
"""
    path = tmp_path / "text.eml"
    path.write_bytes(mail(part("text/plain", text)))
    (tmp_path / "w").mkdir()
    result = pipeline.process(path, workspace=tmp_path / "w", channel="email", received_at=NOW)
    (document,) = result.documents
    assert document.part == "message text"
    assert result.pages[0].words_source == "text_layer"
    assert document.type == DocumentType.REFERRAL
    values = {field.value for field in document.fields}
    assert {"QXK204417793", "1961-04-09"} <= values


def test_idp_process_tells_of_both_documents(
    eml: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IDP_READ__WORKERS", "1")
    done = CliRunner().invoke(app, ["process", "--json", str(eml)])
    assert done.exit_code == ExitCode.OK, done.output
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [record["part"] for record in records] == ["referral.pdf", "fax.tif"]
    assert {record["source"] for record in records} == {str(eml)}
    assert all(record["schema"] == "idp.document/1" for record in records)
    assert [record["envelope"]["attachment"] for record in records] == [1, 2]
    assert all(record["part_sha256"] for record in records)


def test_a_mail_in_an_archive_in_a_mail_is_walked_through_real_children(
    eml: Path, tmp_path: Path
) -> None:
    archive = zip_bytes({"inner.eml": eml.read_bytes(), "broken.pdf": b"%PDF-1.7 cut"})
    outer = tmp_path / "outer.eml"
    header = HEADER.replace(b"Referral", b"Outer")
    packed = part("application/zip", archive, name="all.zip")
    outer.write_bytes(mail(part("multipart/mixed", NOTE, packed), header))
    unpacked = unpack(outer, tmp_path / "work", LIMITS)
    assert [part.name for part in unpacked.parts] == [
        "all.zip/inner.eml/referral.pdf",
        "all.zip/inner.eml/fax.tif",
        "all.zip/broken.pdf",
    ]
    assert [part.error and part.error.code for part in unpacked.parts] == [
        None,
        None,
        "damaged_file",
    ]
    subjects = [part.envelope and part.envelope.subject for part in unpacked.parts]
    assert subjects == ["Referral", "Referral", "Outer"]
    shallow = IngestSettings(max_depth=2)
    refused = unpack(outer, tmp_path / "shallow", shallow).parts
    assert [part.error.code for part in refused if part.error] == [
        "nested_too_deep",
        "nested_too_deep",
        "damaged_file",
    ]
