# SPDX-License-Identifier: Apache-2.0
"""Transaction sets as documents: fields, claims, balances, and where each value stands."""

from __future__ import annotations

import datetime as dt
import random
import shutil
import tempfile
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from idp.document import Decision, Document, DocumentType, Page, Severity
from idp.errors import InputError, TooLargeError
from idp.extract import X12_VERSION, extract_x12
from idp.ingest import x12_listing
from idp.ingest.open_x12 import open_transaction, open_x12
from idp.ingest.opened import TRANSACTION
from idp.ingest.x12_listing import LINES
from idp.ingest.x12_meanings import meaning
from idp.schemas import load_schemas
from idp.settings import DecisionSettings, IngestSettings
from idp.validate import validate
from idp.x12 import SEGMENT_BLOCK, TransactionSet, X12Segment, shown_words
from tests import x12
from tests.faults.fuzz import x12 as border

TODAY = dt.date(2026, 11, 22)
LIMITS = IngestSettings()
BALANCES = ("R1", "R2", "R3", "R4")


def opened(data: bytes, place: Path) -> list[tuple[TransactionSet, tuple[Page, ...]]]:
    """Each transaction set of an interchange with its listing."""
    path = place / "original"
    path.write_bytes(data)
    whole = open_x12(path, place, LIMITS)
    parts = [open_transaction(Path(m.path), place, LIMITS) for m in whole.members] or [whole]
    return [(part.transaction, part.read) for part in parts if part.transaction is not None]


def understood(data: bytes, place: Path) -> list[Document]:
    """Each transaction set as the pipeline makes a document of it, without the pipeline."""
    documents = []
    for transaction, pages in opened(data, place):
        found = extract_x12(transaction, pages)
        draft = Document(
            document_id="d",
            source="s",
            sha256="0" * 64,
            channel="x12",
            type=found.type,
            type_confidence=1.0,
            subtype=found.subtype,
            pages=tuple(page.number for page in pages),
            fields=found.fields,
            claims=found.claims,
            findings=found.findings,
        )
        schema = load_schemas()[draft.type]
        documents.append(validate(draft, schema, DecisionSettings(), pages, TODAY))
    return documents


def only(data: bytes, place: Path) -> Document:
    (document,) = understood(data, place)
    return document


def value(document: Document, name: str) -> str | None:
    field = document.field(name)
    return field.value if field else None


def values(document: Document, name: str) -> list[str | None]:
    return [field.value for field in document.fields if field.name == name]


def a_claim(**more: object) -> x12.ClaimPayment:
    """Of two lines with everything that a claim may have taken away."""
    lines = [
        x12.Line(
            "99213",
            Decimal("200"),
            [
                x12.Adjusted("CO", "45", Decimal("50")),
                x12.Adjusted("PR", "1", Decimal("30")),
                x12.Adjusted("PR", "96", Decimal("7")),
            ],
        ),
        x12.Line(
            "J1885",
            Decimal("80.50"),
            [
                x12.Adjusted("PR", "2", Decimal("8.05")),
                x12.Adjusted("PR", "3", Decimal("20")),
            ],
            units=2,
        ),
    ]
    made = x12.ClaimPayment(
        "ACC1",
        "ICN1",
        ("QUILLFEATHER", "MARISOL", "T"),
        "M00112233",
        lines,
        adjustments=[x12.Adjusted("CO", "A2", Decimal("5"))],
    )
    return replace(made, **more)  # type: ignore[arg-type]


def test_an_835_has_the_fields_and_claims_of_a_paper_remittance(tmp_path: Path) -> None:
    document = only(x12.whole("835", x12.Remittance([a_claim()]).body()), tmp_path)
    assert document.type == DocumentType.REMITTANCE_EOB
    assert {f.name: f.value for f in document.fields} == {
        "payment_amount": "160.45",
        "payment_method": "check",
        "payment_date": "2026-11-20",
        "issue_date": "2026-11-19",
        "eft_number": "0063158",
        "payer_name": "INVENTED HEALTH PLAN",
        "payee_name": "INVENTED CLINIC",
        "payee_npi": "1234567893",
        "payee_tax_id": "12-3456789",
        "total_billed": "280.50",
        "total_adjustment": "62.00",
        "total_deductible": "30.00",
        "total_coinsurance": "8.05",
        "total_copay": "20.00",
        "total_paid": "160.45",
        "patient_responsibility": "65.05",
        "patient_name": "Marisol T Quillfeather",
        "member_id": "M00112233",
        "patient_account": "ACC1",
        "claim_number": "ICN1",
        "service_from": "2026-11-01",
    }
    (claim,) = document.claims
    assert claim.carc == "CO-A2, CO-45, PR-1, PR-96, PR-2, PR-3"
    assert (claim.billed, claim.paid) == (Decimal("280.50"), Decimal("160.45"))
    first, second = claim.service_lines
    assert (first.procedure_code, first.units) == ("99213", Decimal(1))
    assert (first.adjustment, first.deductible) == (Decimal(57), Decimal(30))
    assert (first.paid, first.copay) == (Decimal(113), None)
    assert (second.procedure_code, second.units) == ("J1885", Decimal(2))
    assert (second.coinsurance, second.copay) == (Decimal("8.05"), Decimal(20))
    assert (document.decision, document.findings) == (Decision.AUTO, ())


def test_every_field_stands_where_the_listing_says_so(tmp_path: Path) -> None:
    remittance = x12.Remittance([a_claim()], [("WO", Decimal("12.5"))])
    ((transaction, pages),) = opened(x12.whole("835", remittance.body()), tmp_path)
    found = extract_x12(transaction, pages)
    for field in found.fields:
        assert (field.source, field.model_version) == ("x12", X12_VERSION)
        if field.derived_from:
            continue
        words = [pages[(field.page or 0) - 1].words[id] for id in field.word_ids]
        # A name stands last name first; a composite's parts are no words of their own.
        told = {part for word in words for part in word.text.split(":")}
        assert told == {part for word in field.raw.split() for part in word.split(":")}, field.name
        assert field.box is not None
        for word in words:
            assert field.box.union(word.box) == field.box


def test_boxes_hold_ink_and_what_lies_between_segments_does_not(tmp_path: Path) -> None:
    ((_, pages),) = opened(x12.whole("835", x12.Remittance([a_claim()]).body()), tmp_path)
    page = pages[0]
    assert page.image is not None
    pixels = np.asarray(Image.open(page.image).convert("L"))
    assert pixels.shape == (page.height_px, page.width_px)
    for word in page.words:
        x0, y0 = int(word.box.x0 * page.width_px), int(word.box.y0 * page.height_px)
        x1, y1 = round(word.box.x1 * page.width_px), round(word.box.y1 * page.height_px)
        assert pixels[y0:y1, x0:x1].min() < 120, word.text
    right = int(max(word.box.x1 for word in page.words) * page.width_px)
    below = int(max(word.box.y1 for word in page.words) * page.height_px) + 1
    assert pixels[below:].min() == 255
    assert pixels[:below, right + 2 :].min() < 160, "the meanings stand beside"


def test_a_listing_has_the_words_of_the_file_and_no_others(tmp_path: Path) -> None:
    ((transaction, pages),) = opened(x12.whole("835", x12.Remittance([a_claim()]).body()), tmp_path)
    listed = [w.text for page in pages for w in page.words]
    assert listed == [w for s in transaction.segments for ws in shown_words(s) for w in ws]
    assert {b.kind for page in pages for b in page.blocks} == {SEGMENT_BLOCK}
    assert all(page.words_source == "x12" for page in pages)


def test_a_long_segment_stays_on_one_page_and_is_cut_only_in_what_is_shown(tmp_path: Path) -> None:
    text = "WORD " * 3_000
    body = [("MSG", text), *[("REF", "ZZ", str(n)) for n in range(LINES)]]
    ((transaction, pages),) = opened(x12.whole("835", body), tmp_path)
    assert transaction.segments[1][1] == text
    assert len(pages) == 2
    assert sum(len(page.blocks) for page in pages) == len(transaction.segments)
    assert all(0 <= edge <= 1 for page in pages for word in page.words for edge in word.box)


def test_more_pages_than_the_limit_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "original"
    path.write_bytes(x12.whole("835", [("REF", "ZZ", str(n)) for n in range(LINES * 2)]))
    for most, fits in ((3, True), (2, False)):
        limits = IngestSettings(max_pages=most)
        if fits:
            assert len(open_x12(path, tmp_path, limits).read) == 3
        else:
            with pytest.raises(TooLargeError, match=r"ingest\.max_pages"):
                open_x12(path, tmp_path, limits)


def test_several_sets_are_members_with_their_numbers_in_the_file(tmp_path: Path) -> None:
    data = x12.whole("835", *(x12.remittance(random.Random(n), 1).body() for n in range(3)))
    path = tmp_path / "original"
    path.write_bytes(data)
    found = open_x12(path, tmp_path, LIMITS)
    assert [m.name for m in found.members] == [f"set {n} (835 000{n})" for n in (1, 2, 3)]
    assert {m.media_type for m in found.members} == {TRANSACTION}
    sets = [transaction for transaction, _ in opened(data, tmp_path)]
    numbers = [s.number for each in sets for s in each.segments]
    assert numbers == list(range(3, 3 + len(numbers)))


@pytest.mark.parametrize("limit", [{"max_parts": 2}, {"max_expanded_bytes": 3_000}])
def test_more_sets_than_the_limits_are_refused(tmp_path: Path, limit: dict[str, int]) -> None:
    path = tmp_path / "original"
    path.write_bytes(
        x12.whole("835", *(x12.remittance(random.Random(n), 1).body() for n in range(3)))
    )
    with pytest.raises(TooLargeError, match=next(iter(limit))):
        open_x12(path, tmp_path, IngestSettings(**limit))


def test_a_reversal_balances_with_its_negative_amounts(tmp_path: Path) -> None:
    line = x12.Line("99213", Decimal("-200"), [x12.Adjusted("CO", "45", Decimal("-50"))])
    reversal = a_claim(lines=[line], status="22", adjustments=[])
    again = a_claim()
    document = only(x12.whole("835", x12.Remittance([reversal, again]).body()), tmp_path)
    assert document.decision is Decision.AUTO
    assert document.claims[0].paid == Decimal("-150")
    assert document.claims[0].note == "Reversal of a previous payment"


def test_provider_adjustments_lower_and_raise_the_payment(tmp_path: Path) -> None:
    taken = [("WO", Decimal("40")), ("L6", Decimal("-1.27"))]
    remittance = x12.Remittance([a_claim()], taken)
    document = only(x12.whole("835", remittance.body()), tmp_path)
    assert document.decision is Decision.AUTO
    assert values(document, "provider_adjustments") == ["40.00", "-1.27"]
    assert values(document, "provider_adjustment_reasons") == ["WO REF1", "L6 REF1"]
    assert value(document, "payment_amount") == "121.72"
    without = [s for s in remittance.body() if s[0] != "PLB"]
    (told,) = only(x12.whole("835", without), tmp_path).findings
    assert (told.rule, told.severity, told.field) == ("R4", Severity.BLOCK, "payment_amount")


def test_each_payment_of_a_file_balances_by_itself_also_one_of_nothing(tmp_path: Path) -> None:
    denied = x12.Line("99213", Decimal(80), [x12.Adjusted("CO", "197", Decimal(80))])
    nothing = x12.Remittance([a_claim(lines=[denied], status="4", adjustments=[])])
    body = [(*s[:4], "NON", *s[5:]) if s[0] == "BPR" else s for s in nothing.body()]
    data = x12.whole("835", x12.Remittance([a_claim()]).body(), body)
    paid, unpaid = (d.remittance for d in understood(data, tmp_path))
    assert paid is not None
    assert unpaid is not None
    assert (paid.balanced, paid.payment) == (True, Decimal("160.45"))
    assert paid.left_over == 0
    assert (paid.billed, paid.adjusted, paid.patient) == (
        *(Decimal("280.50"), Decimal("55.00"), Decimal("65.05")),
    )
    assert (unpaid.balanced, unpaid.payment, unpaid.denied) == (True, Decimal(0), ("ICN1",))


def test_what_the_lines_pay_less_the_claims_own_adjustments_is_its_payment(tmp_path: Path) -> None:
    body = [
        (*s[:4], "161.45", *s[5:]) if s[0] == "CLP" else s
        for s in x12.Remittance([a_claim()]).body()
    ]
    document = only(x12.whole("835", body), tmp_path)
    assert [f.rule for f in document.findings] == ["R2", "R3", "R4"]
    assert {f.remedy[:40] for f in document.findings} == {
        "Look at paid of claim ICN1 first: 160.45"
    }


def test_a_claim_that_does_not_balance_is_named_with_its_place(tmp_path: Path) -> None:
    body = x12.Remittance([a_claim(), a_claim(number="ICN2", account="ACC2")]).body()
    at = max(n for n, s in enumerate(body) if s[0] == "SVC")
    body[at] = (*body[at][:3], "53.45", *body[at][4:])
    document = only(x12.whole("835", body), tmp_path)
    (told,) = (f for f in document.findings if f.rule == "R1")
    assert told.message == (
        "Claim ICN2, line 2: 80.50 billed less 20.00 copay and 8.05 coinsurance is 52.45; the file "
        "says 53.45 paid, 1.00 too much"
    )
    assert told.remedy.startswith(
        "Look at paid of claim ICN2, line 2 first: 52.45 instead of 53.45"
    )
    cell = document.claims[1].service_lines[1].cells["paid"]
    assert (told.page, told.box, told.places[0]) == (cell.page, cell.box, cell)
    assert document.decision is Decision.REVIEW


def test_remark_codes_come_from_lines_and_adjudication(tmp_path: Path) -> None:
    body: list[x12.Segment] = []
    for segment in x12.Remittance([a_claim()]).body():
        body.append(segment)
        if segment[0] == "SVC":
            body.append(("LQ", "HE", "N14"))
        if segment[0] == "NM1":
            body.append(("MOA", "", "", "MA01", "N130"))
    document = only(x12.whole("835", body), tmp_path)
    assert document.claims[0].rarc == "MA01, N130, N14"
    assert document.claims[0].service_lines[0].rarc == "N14"


@pytest.mark.parametrize(
    ("segment", "rule", "words"),
    [
        (("CAS", "ZZ", "45", "0"), "R7", "none of CO"),
        (("CAS", "CO", "45", "12,50"), "X1", "CAS03 is not a number"),
        (("CAS", "CO", "45", "0.001"), "X1", "CAS03 has too many decimals"),
        (("CAS", "CO", "", "0"), "R7", "no reason"),
        (("CAS", "CO", "45"), "R7", "no amount"),
        (("DTM", "472", "20261350"), "X1", "DTM02 is not a date"),
        (("SVC", "HC;99213", "0", "0"), "X1", "component separator"),
    ],
)
def test_what_an_835_says_wrongly_is_told_at_its_segment(
    tmp_path: Path, segment: x12.Segment, rule: str, words: str
) -> None:
    body = x12.Remittance([a_claim()]).body()
    if segment[0] == "DTM":
        body = [segment if s[:2] == ("DTM", "472") else s for s in body]
    else:
        body.append(segment)
    document = only(x12.whole("835", body), tmp_path)
    told = [f for f in document.findings if f.rule == rule and words in f.message]
    assert told
    assert told[0].page == 1
    assert told[0].box is not None


def test_validating_twice_says_the_same(tmp_path: Path) -> None:
    body = x12.Remittance([a_claim()]).body()
    body += [("CAS", "ZZ", "45", "1"), ("LX", "2"), ("CAS", "CO", "45", "1")]
    ((_, pages),) = opened(x12.whole("835", body), tmp_path)
    once = only(x12.whole("835", body), tmp_path)
    schema = load_schemas()[once.type]
    assert validate(once, schema, DecisionSettings(), pages, TODAY) == once
    assert {"R2", "R7", "X1"} <= {f.rule for f in once.findings}


def test_adjustments_outside_of_any_claim_are_not_lost_in_silence(tmp_path: Path) -> None:
    body = [*x12.Remittance([a_claim()]).body(), ("LX", "2"), ("CAS", "CO", "45", "1")]
    document = only(x12.whole("835", body), tmp_path)
    assert [f.rule for f in document.findings] == ["X1"]
    assert document.decision is Decision.REVIEW


def test_a_patient_share_that_is_not_the_sum_of_its_reasons_is_a_warning(tmp_path: Path) -> None:
    body = [
        (*s[:5], "1", *s[6:]) if s[0] == "CLP" else s for s in x12.Remittance([a_claim()]).body()
    ]
    document = only(x12.whole("835", body), tmp_path)
    assert [(f.rule, f.severity) for f in document.findings] == [("R5", Severity.WARN)]


@pytest.mark.parametrize(
    ("code", "decision"), [("A1", "approved"), ("A3", "denied"), ("A4", "pended")]
)
def test_a_278_that_carries_a_plain_code_is_a_determination(
    tmp_path: Path, code: str, decision: str
) -> None:
    document = only(x12.whole("278", x12.determination(code)), tmp_path)
    found = document.field("determination")
    assert document.type == DocumentType.PRIOR_AUTH_DETERMINATION
    assert found is not None
    assert (found.value, found.raw, found.confidence) == (decision, code, 1.0)
    assert value(document, "patient_name") == "Marisol Quillfeather"
    assert value(document, "patient_dob") == "1961-04-09"
    assert value(document, "member_id") == "M00112233"
    assert value(document, "payer_name") == "INVENTED HEALTH PLAN"
    assert value(document, "requesting_provider_npi") == "1234567893"
    assert value(document, "auth_number") == "AUTH77812"
    assert values(document, "diagnosis_codes") == ["M25.561", "I10"]
    assert values(document, "procedure_codes") == ["97110"]
    assert values(document, "effective_from") == ["2026-12-01"]
    assert values(document, "effective_to") == ["2027-03-01"]
    assert values(document, "approved_units") == ["12"]
    if code == "A1":
        assert document.decision is Decision.AUTO


@pytest.mark.parametrize(
    ("body", "raw"),
    [
        (x12.determination("A2"), "A2"),
        (x12.determination("A6"), "A6"),
        (x12.determination("CT"), "CT"),
        (x12.determination("A1", services=("A1", "A3")), "A1 A3"),
        (x12.determination("A1", message="THE REQUEST WAS NOT CERTIFIED"), "A1"),
        (x12.determination("A3", message="PARTIALLY APPROVED"), "A3"),
    ],
)
def test_a_code_that_guides_read_differently_or_that_is_contradicted_goes_to_a_person(
    tmp_path: Path, body: list[x12.Segment], raw: str
) -> None:
    document = only(x12.whole("278", body), tmp_path)
    found = document.field("determination")
    assert found is not None
    assert (found.raw, document.decision) == (raw, Decision.REVIEW)
    assert found.confidence < DecisionSettings().field_threshold


def test_a_278_without_a_decision_is_no_determination(tmp_path: Path) -> None:
    body = [s if s[0] != "HCR" else ("AAA", "N", "", "15") for s in x12.determination()]
    document = only(x12.whole("278", body), tmp_path)
    assert (document.type, document.subtype) == (DocumentType.OTHER, "authorization_reply")
    assert document.decision is Decision.REVIEW


def test_a_278_request_is_a_prior_auth_request(tmp_path: Path) -> None:
    body: list[x12.Segment] = [
        ("BHT", "0007", "13", *s[3:]) if s[0] == "BHT" else s
        for s in x12.determination()
        if s[0] != "HCR"
    ]
    body = [("UM", "HS", "R", "3", "", "", "U") if s[0] == "UM" else s for s in body]
    body.append(("DTP", "472", "RD8", "20261201-20270115"))
    document = only(x12.whole("278", body), tmp_path)
    assert document.type == DocumentType.PRIOR_AUTH_REQUEST
    assert value(document, "request_type") == "renewal"
    assert value(document, "review_type") == "expedited"
    assert value(document, "service_start_date") == "2026-12-01"
    assert value(document, "service_end_date") == "2027-01-15"


def test_other_sets_are_routed_with_the_one_patient_they_are_about(tmp_path: Path) -> None:
    one = only(x12.whole("271", x12.eligibility([("OAKENSHAW", "M1")])), tmp_path)
    assert (one.type, one.subtype) == (DocumentType.OTHER, "eligibility")
    assert value(one, "patient_name") == "Marisol Oakenshaw"
    assert (value(one, "member_id"), value(one, "patient_dob")) == ("M1", "1961-04-09")
    two = only(
        x12.whole("271", x12.eligibility([("OAKENSHAW", "M1"), ("VANTERPOOL", "M2")])), tmp_path
    )
    assert value(two, "patient_name") is None
    assert [f.rule for f in two.findings] == ["X2"]


def test_a_refusal_by_the_partner_goes_to_a_person(tmp_path: Path) -> None:
    assert only(x12.whole("999", x12.acknowledgment("A")), tmp_path).decision is Decision.AUTO
    refused = only(x12.whole("999", x12.acknowledgment("R")), tmp_path)
    assert (refused.subtype, refused.decision) == ("acknowledgment", Decision.REVIEW)


def test_a_kind_that_nobody_knows_goes_to_a_person(tmp_path: Path) -> None:
    data = x12.whole("835", [("REF", "ZZ", "1")]).replace(b"ST*835", b"ST*850")
    document = only(data, tmp_path)
    assert (document.type, document.subtype) == (DocumentType.OTHER, None)
    assert document.decision is Decision.REVIEW


def test_meanings_are_plain_words() -> None:
    (found,) = (
        TransactionSet(
            kind="835",
            version="005010X221A1",
            control_number="1",
            sender="A",
            receiver="B",
            interchange_control_number="1",
            component_separator=":",
            repetition_separator="^",
            segments=(),
        ),
    )
    told = {
        ("CLP", "A", "1", "100", "80"): "Claim payment: processed as primary, billed 100, paid 80",
        ("CAS", "CO", "45", "12"): "Adjustment: Contractual obligation 45 12",
        ("CAS", "PR", "1", "5", "", "3", "7"): "Adjustment: Patient responsibility "
        "1 deductible 5, 3 copay 7",
        ("DTM", "472", "20261101"): "Date: service 2026-11-01",
        ("ZZZ", "1"): "",
    }
    for elements, words in told.items():
        assert meaning(found, X12Segment(number=1, elements=elements)) == words


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_remittances_that_balance_are_found_to_balance(seed: int) -> None:
    remittance = x12.remittance(random.Random(seed))
    with tempfile.TemporaryDirectory() as folder:
        document = only(x12.whole("835", remittance.body()), Path(folder))
    assert document.findings == ()
    assert len(document.claims) == len(remittance.claims)
    for claim, made in zip(document.claims, remittance.claims, strict=True):
        assert (claim.billed, claim.paid) == (made.billed, made.paid)
        assert claim.claim_number == made.number
        assert len(claim.service_lines) == len(made.lines)
    assert value(document, "payment_amount") == f"{remittance.payment:.2f}"


_IN_BALANCE = {
    "BPR": (2,),
    "CLP": (3, 4),
    "SVC": (2, 3),
    "CAS": (3, 6, 9, 12, 15, 18),
    "PLB": (4,),
}
"""The amounts that the balances are made of; CLP05 is R5's, AMT*B6 nobody's (RFI 2601)."""


def one_digit_wrong(body: list[x12.Segment], chance: random.Random) -> list[x12.Segment]:
    """The segments with one digit of one amount another."""
    places = [
        (row, at)
        for row, segment in enumerate(body)
        for at in _IN_BALANCE.get(segment[0], ())
        if at < len(segment) and segment[at]
    ]
    row, at = chance.choice(places)
    text = body[row][at]
    place = chance.choice([n for n, c in enumerate(text) if c.isdigit()])
    digit = chance.choice([d for d in "0123456789" if d != text[place]])
    wrong = text[:place] + digit + text[place + 1 :]
    changed = list(body)
    changed[row] = (*body[row][:at], wrong, *body[row][at + 1 :])
    return changed


def test_a_digit_wrong_in_any_amount_is_found_by_the_balances(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(x12_listing, "write_png", lambda path, image: None)  # nobody looks
    chance = random.Random(20261122)
    found = 0
    trials = 200
    for number in range(trials):
        place = tmp_path / str(number)
        place.mkdir()
        body = one_digit_wrong(x12.remittance(chance).body(), chance)
        document = only(x12.whole("835", body), place)
        found += any(f.rule in BALANCES for f in document.findings)
        shutil.rmtree(place)
    assert found >= 0.99 * trials


def test_what_gets_past_the_reader_never_fails_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(x12_listing, "write_png", lambda path, image: None)  # nobody looks
    chance = random.Random(5)
    seeds = border.seeds()
    read = 0
    for number in range(200):
        place = tmp_path / str(number)
        place.mkdir()
        try:
            read += len(understood(border.mutate(chance.choice(seeds), chance), place))
        except InputError as error:
            assert error.code in ("broken_x12", "too_large")
        shutil.rmtree(place)
    assert read > 20
