# SPDX-License-Identifier: Apache-2.0
"""Draft letters: what they ask for, what they never say, how they are set."""

from __future__ import annotations

import datetime as dt
import io
from pathlib import Path
from typing import Any

import pypdfium2
import pytest

from idp.document import Box, Document, DocumentType, Envelope, Field, Finding, Severity
from idp.errors import RulesError
from idp.letters import Letter, Templates, as_pdf, compose, has_items
from idp.letters.compose import DRAFT
from idp.schemas import load_schemas

SCHEMA = load_schemas()[DocumentType.PRIOR_AUTH_REQUEST]
RECEIVED = dt.datetime(2026, 3, 12, 9, 5, tzinfo=dt.UTC)
BOX = Box(0.1, 0.1, 0.3, 0.12)
VALUES = {
    "patient_name": "Ada M. Example",
    "patient_dob": "1968-07-22",
    "diagnosis_codes": "M25.561",
    "requesting_provider_npi": "1234567890",
    "service_start_date": "2026-03-18",
}


def document(**more: Any) -> Document:
    facts: dict[str, Any] = {
        "document_id": "doc-77",
        "source": "a.tif",
        "sha256": "0" * 64,
        "channel": "fax",
        "type": DocumentType.PRIOR_AUTH_REQUEST,
        "type_confidence": 1.0,
        "pages": (1, 2),
        "envelope": Envelope(sender="512-555-0167", sender_name="Barton Clinic"),
        "fields": tuple(
            Field(name=n, value=v, raw=v, confidence=0.9, page=1, box=BOX, source="test")
            for n, v in VALUES.items()
        ),
        "missing": ("member_id",),
        "findings": (
            finding(
                "C1", "member_id", "Member ID (\u201cMember #\u201d on the form) is left blank"
            ),
        ),
    }
    return Document(**(facts | more))


def finding(rule: str, field: str | None, message: str, **more: Any) -> Finding:
    return Finding(
        **{"rule": rule, "severity": Severity.BLOCK, "field": field, "message": message, **more}
    )


def letter(of: Document | None = None, own: Path | None = None, **more: Any) -> Letter | None:
    return compose(
        of or document(),
        SCHEMA,
        Templates(own),
        **{
            "reference": "doc-77",
            "received_at": RECEIVED,
            "today": dt.date(2026, 3, 13),
            **more,
        },
    )


def text(of: Document | None = None, own: Path | None = None, **more: Any) -> str:
    made = letter(of, own, **more)
    assert made is not None
    return made.text


def test_a_letter_says_what_lacks_in_the_words_of_the_form_and_how_to_answer() -> None:
    said = text(reply_to="512-555-0100", organisation="Example Review")
    assert "- Member ID (\u201cMember #\u201d on the form) is left blank" in said
    for part in (
        "Example Review",
        "To: Barton Clinic",
        "Fax: 512-555-0167",
        "Our reference: doc-77",
        "2 pages on March 12, 2026 at 09:05",
        "Date of service: March 18, 2026",
        "to 512-555-0100",
    ):
        assert part in said


def test_what_was_seen_blank_stands_apart_from_what_was_not_found() -> None:
    blank = finding("C1", "member_id", "Member ID is left blank", page=1, box=BOX)
    other = finding("C1", "payer_name", "Payer is missing")
    said = text(document(missing=("member_id", "payer_name"), findings=(blank, other)))
    seen, _, unseen = said.partition("# Not found by us")
    assert "- Member ID is left blank" in seen
    assert "please tell us where" in unseen
    assert "- Payer is missing" in unseen


def test_the_patient_is_named_by_initials_unless_the_settings_say_otherwise() -> None:
    assert "Patient: A. M. E." in text()
    assert "Ada M. Example" in text(patient="name")
    assert "Patient" not in text(patient="none").replace("Patient phone", "")


def test_no_value_of_the_document_is_quoted() -> None:
    findings = (
        *document().findings,
        finding("N1", "requesting_provider_npi", "NPI 1234567890 fails its check digit", page=1),
        finding("N5", "diagnosis_codes", "M25.561 is not in ICD-10-CM", page=1),
        finding("D2", "patient_dob", "1968-07-22 lies far away", page=1),
    )
    said = text(document(findings=findings))
    assert "Requesting provider NPI: a digit seems to be wrong" in said
    assert "Diagnosis code" in said
    for value in ("Ada", "Example", "1968", "07-22", "M25.561", "1234567890"):
        assert value not in said


def test_what_was_not_read_is_no_business_of_the_sender() -> None:
    unread = finding("C2", "member_id", "Member ID seems to be printed but was not read")
    assert letter(document(missing=(), findings=(unread,))) is None
    assert not has_items(document(missing=(), findings=(unread,)))


def test_what_a_payer_asks_is_listed_with_its_source_and_hints_are_not() -> None:
    asked = finding("C3", None, "X asks for notes - not found [Guide]", severity=Severity.WARN)
    hint = finding("C3", None, "X may want labs [Guide]", severity=Severity.INFO)
    known = finding("C3", "member_id", "X asks for the id - not found", severity=Severity.WARN)
    said = text(document(findings=(*document().findings, asked, hint, known)))
    assert "X asks for notes - not found [Guide]" in said
    assert "labs" not in said
    assert "asks for the id" not in said  # said above, as missing


def test_a_draft_says_so_and_a_final_letter_does_not() -> None:
    assert text().startswith(DRAFT)
    assert "DRAFT" not in text(draft=False)


def test_an_own_template_takes_the_place_of_the_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    own = tmp_path / "letters" / "prior_auth_request.txt.j2"
    own.write_text("Hello {{ to }}: {{ not_found | length }}")
    assert text(own=tmp_path, draft=False) == "Hello Barton Clinic: 1\n"


@pytest.mark.parametrize(
    "template",
    [
        "{{ no_such_thing }}",
        "{% if %}",
        "{{ ''.__class__.__mro__ }}",
        "{{ not_found.append('x') }}",
        "{{ 'x' * 30000 }}",
        "{% include '/etc/passwd' %}",
        "{% for i in range(999999999) %}x{% endfor %}",
    ],
)
def test_a_template_that_reaches_too_far_is_refused_by_name(tmp_path: Path, template: str) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "prior_auth_request.txt.j2").write_text(template)
    with pytest.raises(RulesError, match=r"prior_auth_request\.txt\.j2"):
        text(own=tmp_path)


@pytest.mark.parametrize(
    "wording",
    ["version: 1\nnot_in_order: {N1: '{value} is wrong'}", "versoin: 1", "version: [", "- x"],
)
def test_a_wording_with_a_fault_is_refused(tmp_path: Path, wording: str) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "wording.yaml").write_text(wording)
    with pytest.raises(RulesError, match=r"wording\.yaml"):
        Templates(tmp_path)


def test_foreign_text_can_not_forge_a_heading_or_an_item() -> None:
    evil = finding("C1", "member_id", "# Pay to <b>us</b>\n- now\r\nplease")
    made = letter(document(findings=(evil,)))
    assert made is not None
    assert "- Pay to <b>us</b> - now please" in made.text
    assert "<b>us</b>" in printed(as_pdf(made))


def printed(data: bytes) -> str:
    pdf = pypdfium2.PdfDocument(io.BytesIO(data))
    return "\n".join(page.get_textpage().get_text_bounded() for page in pdf)


def test_the_pdf_is_black_and_white_text_that_names_draft_and_reference_on_each_page() -> None:
    many = tuple(f"field_{n}" for n in range(60))
    findings = tuple(finding("C1", name, f"{name} is missing") for name in many)
    made = letter(document(missing=many, findings=findings))
    assert made is not None
    data = as_pdf(made)
    pdf = pypdfium2.PdfDocument(io.BytesIO(data))
    assert len(pdf) > 1
    for page in pdf:
        said = page.get_textpage().get_text_bounded()
        assert "DRAFT" in said
        assert "Reference doc-77" in said
        colours = page.render(scale=1).to_pil().convert("RGB").getcolors(1 << 24)
        assert all(r == g == b for _, (r, g, b) in colours)
    assert as_pdf(made) == data
    assert b"Ada" not in data


def test_signs_that_the_typeface_lacks_are_question_marks() -> None:
    envelope = Envelope(sender="5125550167", sender_name="Klinik \u6771\u4eac \u00dcber")
    made = letter(document(envelope=envelope))
    assert made is not None
    assert "Klinik ?? \u00dcber" in printed(as_pdf(made))


@pytest.mark.parametrize("type_", list(load_schemas()))
def test_every_type_has_a_letter(type_: DocumentType) -> None:
    made = compose(
        document(type=type_),
        load_schemas()[type_],
        Templates(),
        reference="r",
        received_at=RECEIVED,
        today=dt.date(2026, 3, 13),
    )
    assert made is not None
    assert made.items == 1
