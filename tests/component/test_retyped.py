# SPDX-License-Identifier: Apache-2.0
"""A document of the wrong type is read again as the right one: real models, real pages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping

import pytest

from idp.document import (
    Box,
    Document,
    DocumentType,
    FormMatch,
    FormPlace,
    Page,
    RecognisedForm,
)
from idp.judge import Judge
from idp.pipeline import Pipeline, Result
from idp.samples import Sample, samples
from idp.schemas import load_schemas
from idp.settings import ReadSettings, Settings
from training.synthesise import make_one

pytestmark = pytest.mark.component

TODAY = dt.datetime(2026, 11, 16, 12, 0, tzinfo=dt.UTC)
REFERRAL = DocumentType.REFERRAL
REQUEST = DocumentType.PRIOR_AUTH_REQUEST
DECISION = DocumentType.PRIOR_AUTH_DETERMINATION
REMITTANCE = DocumentType.REMITTANCE_EOB
OTHER = DocumentType.OTHER
NAMES = {"02-referral-printed.pdf", "05-approval-letter.pdf", "07-remittance.pdf"}
SCHEMAS = load_schemas()


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    settings = Settings(data=tmp_path_factory.mktemp("data"), read=ReadSettings(workers=1))
    with Pipeline(settings) as made:
        yield made


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Sample]:
    folder = tmp_path_factory.mktemp("samples")
    return {each.path.name: each for each in samples(folder, names=NAMES)}


@pytest.fixture(scope="module")
def read(
    pipeline: Pipeline, made: Mapping[str, Sample], tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, Result]:
    return {
        name: pipeline.process(
            sample.path,
            workspace=tmp_path_factory.mktemp("work"),
            channel="fax",
            received_at=TODAY,
        )
        for name, sample in made.items()
    }


def as_another(document: Document, type_: DocumentType) -> Document:
    """As the desk hands it over: the type that a person named, all else as it was."""
    return document.model_copy(update={"type": type_, "subtype": None, "type_confidence": 1.0})


def own_pages(document: Document, result: Result) -> list[Page]:
    return [page for page in result.pages if page.number in document.pages]


@pytest.mark.parametrize(
    ("name", "taken_for"),
    [
        ("02-referral-printed.pdf", REQUEST),
        ("02-referral-printed.pdf", OTHER),
        ("05-approval-letter.pdf", REQUEST),
        ("05-approval-letter.pdf", REMITTANCE),
        ("07-remittance.pdf", DECISION),
        ("07-remittance.pdf", REFERRAL),
    ],
)
def test_what_was_taken_for_something_else_has_the_fields_of_what_it_is(
    pipeline: Pipeline, read: Mapping[str, Result], name: str, taken_for: DocumentType
) -> None:
    result = read[name]
    right = result.documents[0]
    pages = own_pages(right, result)
    wrong = pipeline.read_as(as_another(right, taken_for), pages)
    known = {field.name for field in SCHEMAS[taken_for].fields}
    assert {field.name for field in wrong.fields} <= known
    judge = Judge(pipeline.settings, SCHEMAS)
    wrong = judge.judged(wrong, pages, received_at=TODAY, arrived=pages)
    back = pipeline.read_as(as_another(wrong, right.type), pages)
    again = judge.judged(back, pages, received_at=TODAY, arrived=pages)
    assert [(f.name, f.value, f.box) for f in again.fields] == [
        (f.name, f.value, f.box) for f in right.fields
    ]
    assert again.claims == right.claims
    assert again.missing == right.missing
    assert {f.rule for f in again.findings} == {f.rule for f in right.findings}
    assert again.model_versions == right.model_versions
    assert again.error is None


@pytest.mark.parametrize("type_", [REFERRAL, REQUEST, DECISION, REMITTANCE])
def test_no_value_of_the_wrong_type_is_left_on_any_page(
    pipeline: Pipeline, type_: DocumentType
) -> None:
    pages = [each.page for each in make_one(type_, "heldout", 1, 7).pages]
    document = Document(
        document_id="d",
        source="fax.tif",
        sha256="0" * 64,
        channel="fax",
        type=type_,
        type_confidence=0.9,
        pages=tuple(page.number for page in pages),
    )
    judge = Judge(pipeline.settings, SCHEMAS)
    for other in (REFERRAL, REQUEST, DECISION, REMITTANCE, OTHER):
        found = pipeline.read_as(as_another(document, other), pages)
        names = {field.name for field in SCHEMAS[other].fields}
        assert {field.name for field in found.fields} <= names
        assert not found.claims or other == REMITTANCE
        decided = judge.judged(found, pages, received_at=TODAY, arrived=pages)
        assert decided.type == other
        assert set(decided.missing) <= names
        assert {f.field for f in decided.findings if f.field} <= names | {"claims"}
        document = decided  # the next one is read from what this one left


def test_a_registered_form_of_another_type_is_read_as_any_other_page(
    pipeline: Pipeline, read: Mapping[str, Result]
) -> None:
    result = read["02-referral-printed.pdf"]
    right = result.documents[0]
    plain = own_pages(right, result)
    place = FormPlace(box=Box(0.1, 0.1, 0.9, 0.3), field="referring_provider_npi")
    form = FormMatch(name="theirs", type=REFERRAL, page=1, score=0.9, places=(place,))
    matched = [page.model_copy(update={"form": form}) for page in plain]
    known = right.model_copy(update={"form": RecognisedForm(name="theirs", score=0.9)})
    found = pipeline.read_as(as_another(known, REQUEST), matched)
    assert found.form is None
    expected = pipeline.read_as(as_another(right, REQUEST), plain)
    assert found.fields == expected.fields
