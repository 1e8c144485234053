# SPDX-License-Identifier: Apache-2.0
"""A fax with a header line and a sidecar, through the real pipeline."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from idp.contract import from_contract, to_contract
from idp.document import Decision, Severity
from idp.pipeline import Pipeline
from idp.samples import samples
from idp.settings import IngestSettings, ReadSettings, Settings

pytestmark = pytest.mark.component

RECEIVED = dt.datetime(2026, 3, 14, 21, 0, tzinfo=dt.UTC)
HEADER = "03/14/2026 15:36  FROM: MARLOW FAMILY MED 606-555-0174  TO: 5558675309  P.0{}/03"


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory):
    data = tmp_path_factory.mktemp("data")
    settings = Settings(
        data=data,
        ingest=IngestSettings(timezone="America/Chicago"),
        read=ReadSettings(workers=1),
    )
    with Pipeline(settings) as made:
        yield made


@pytest.fixture(scope="module")
def cut_off(tmp_path_factory) -> Path:
    """Two pages of a fax of three, each with the sending machine's line."""
    folder = tmp_path_factory.mktemp("fax")
    drawn = samples(folder, names={"01-referral.tif"})[0].path
    font = ImageFont.load_default(26)
    with Image.open(drawn) as image:
        page = image.convert("L")
        dpi = image.info["dpi"]
    sheets = []
    for number in (1, 2):
        sheet = page.copy()
        pen = ImageDraw.Draw(sheet)
        pen.rectangle((0, 0, sheet.width, 40), fill=255)
        pen.text((40, 6), HEADER.format(number), font=font, fill=0)
        sheets.append(sheet.convert("1"))
    target = folder / "20260314_153640_6065550174.tif"
    sheets[0].save(target, compression="group4", dpi=dpi, save_all=True, append_images=sheets[1:])
    return target


def test_the_header_is_kept_out_of_the_fields_and_tells_how_the_fax_came(
    pipeline, cut_off, tmp_path
):
    result = pipeline.process(
        cut_off, workspace=tmp_path, channel="fax", received_at=RECEIVED, site="north"
    )
    assert [page.fax_header is not None for page in result.pages] == [True, True]
    assert not any("MARLOW" in page.text for page in result.pages)
    for document in result.documents:
        envelope = document.envelope
        assert envelope is not None
        assert envelope.sender == "606-555-0174"
        assert envelope.recipient == "555-867-5309"
        assert envelope.sender_name == "MARLOW FAMILY MED"
        assert envelope.sent_at is not None
        assert envelope.sent_at.isoformat() == "2026-03-14T15:36:00-05:00"
        assert envelope.pages_announced == 3
        assert envelope.site == "north"
        assert envelope.told_by == ("fax_header", "channel")
        assert not any("0174" in field.raw or "8675309" in field.raw for field in document.fields)
        assert document.decision is Decision.REVIEW
        (finding,) = [each for each in document.findings if each.rule == "P3"]
        assert finding.severity is Severity.BLOCK
        assert finding.message == ("Incomplete transmission: 2 of 3 pages arrived; page 3 missing")
        record = to_contract(document)
        assert record["envelope"]["sender"] == "606-555-0174"
        assert from_contract(json.loads(json.dumps(record))).envelope == envelope


def test_the_sidecar_stands_above_the_header_and_a_broken_one_is_told(pipeline, cut_off, tmp_path):
    sidecar = tmp_path / "sidecar"
    sidecar.write_text(json.dumps({"ani": "+16065550199", "jobId": "F1", "pages": 3}))
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    result = pipeline.process(
        cut_off,
        workspace=first,
        channel="fax",
        received_at=RECEIVED,
        sidecar=("a.json", sidecar),
    )
    envelope = result.documents[0].envelope
    assert envelope is not None
    assert envelope.sender == "606-555-0199"
    assert envelope.transmission_id == "F1"
    assert envelope.recipient == "555-867-5309"
    assert envelope.told_by == ("sidecar", "channel", "fax_header")
    sidecar.write_text('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]><x>&e;</x>')
    result = pipeline.process(
        cut_off,
        workspace=second,
        channel="fax",
        received_at=RECEIVED,
        sidecar=("a.xml", sidecar),
    )
    (flaw,) = [each for each in result.documents[0].findings if each.rule == "P9"]
    assert flaw.severity is Severity.WARN
    assert "document type declaration" in flaw.message
    assert result.documents[0].error is None
