# SPDX-License-Identifier: Apache-2.0
"""The samples that arrive in other ways: a mail, a stack of two patients, a remittance as X12."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pypdfium2 as pdfium
import pytest

from idp.document import Decision, Document
from idp.extract import extract_x12
from idp.ingest import unpack
from idp.samples import arrivals
from idp.schemas import load_schemas
from idp.settings import DecisionSettings, IngestSettings
from idp.validate import validate

pytestmark = pytest.mark.component

DAY = dt.date(2026, 11, 16)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("arrivals")
    return {path.suffix: path for path in arrivals(folder, 7, DAY)}


def test_the_same_seed_and_day_give_the_same_bytes(made: dict[str, Path], tmp_path: Path) -> None:
    for path in arrivals(tmp_path, 7, DAY):
        assert path.read_bytes() == made[path.suffix].read_bytes(), path.name


def test_the_mail_brings_two_documents_and_a_covering_note(
    made: dict[str, Path], tmp_path: Path
) -> None:
    found = unpack(made[".eml"], tmp_path, IngestSettings())
    assert [part.name for part in found.parts] == [
        "02-referral-printed.pdf",
        "03-prior-auth-request.tif",
    ]
    (note,) = found.left_out
    assert note.startswith("message text")


def test_the_stack_has_a_page_for_each_patient(made: dict[str, Path]) -> None:
    stack = pdfium.PdfDocument(made[".pdf"])
    assert len(stack) == 2
    texts = [stack[number].get_textpage().get_text_range() for number in range(2)]
    assert texts[0] != texts[1]
    stack.close()


def test_the_remittance_balances_and_leaves_by_itself(
    made: dict[str, Path], tmp_path: Path
) -> None:
    (part,) = unpack(made[".835"], tmp_path, IngestSettings()).parts
    assert part.transaction is not None
    found = extract_x12(part.transaction, part.read)
    document = Document(
        document_id="d",
        source="15-remittance.835",
        sha256="",
        channel="scan",
        type=found.type,
        type_confidence=1.0,
        pages=tuple(page.number for page in part.read),
        fields=found.fields,
        claims=found.claims,
        findings=found.findings,
    )
    schema = load_schemas()[found.type]
    checked = validate(document, schema, DecisionSettings(), part.read, DAY)
    assert len(checked.claims) == 2
    assert checked.reasons == ()
    assert checked.decision is Decision.AUTO
