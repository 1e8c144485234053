# SPDX-License-Identifier: Apache-2.0
"""Values: every printed form gives the same normal form, and parsing twice changes nothing."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from stdnum import luhn

from idp.values import Kind, find, parse
from idp.values.codes import mbi, npi_check_digit_holds
from idp.values.icd10 import edition, exists, is_billable

OPTIONS = {
    "standard": ["standard", "routine", "non-urgent"],
    "expedited": ["expedited", "urgent", "expedited review"],
    "extension": ["extension", "continuation"],
    "renewal": ["renewal"],
    "amendment": ["amendment"],
}


@pytest.mark.parametrize(
    ("raw", "iso"),
    [
        ("07/22/1968", "1968-07-22"),
        ("7/2/68", "1968-07-02"),
        ("03-11-2026", "2026-03-11"),
        ("03.11.26", "2026-03-11"),
        ("2026-03-11", "2026-03-11"),
        ("2026-03-11T08:30:00", "2026-03-11"),
        ("03 28 1983", "1983-03-28"),
        ("0 3 2 8 1 9 8 3", "1983-03-28"),
        ("010524", "2024-01-05"),
        ("01052024", "2024-01-05"),
        ("20240105", "2024-01-05"),
        ("Mar 3, 2026", "2026-03-03"),
        ("March 3rd 2026", "2026-03-03"),
        ("MAR. 3 '26", "2026-03-03"),
        ("3-Mar-26", "2026-03-03"),
        ("03MAR2026", "2026-03-03"),
        ("3 March 2026", "2026-03-03"),
        ("Tuesday, March 3, 2026", "2026-03-03"),
        ("03/11/2026 10:45 AM", "2026-03-11"),
        ("O7/22/l968", "1968-07-22"),
        ("07/22/I968", "1968-07-22"),
        ("0712211968", "1968-07-22"),
        ("27/05/1984", "1984-05-27"),
        ("DOB: 07/22/1968 (57 y)", "1968-07-22"),
        ("03/18/2026 - 06/18/2026", "2026-03-18"),
        ("031826 to 061826", "2026-03-18"),
        ("10 - 19 - 2014", "2014-10-19"),
    ],
)
def test_dates_in_every_printed_form(raw: str, iso: str) -> None:
    assert parse(Kind.DATE, raw) == (iso, True)


@pytest.mark.parametrize(
    "raw", ["", "N/A", "13/45/2020", "MRI", "512-555-0143", "03/2026", "00/00/00"]
)
def test_what_is_no_date_stays_as_printed_and_is_not_valid(raw: str) -> None:
    assert parse(Kind.DATE, raw) == (raw, False)


def test_a_birth_date_of_two_digits_is_never_after_the_day_of_receipt() -> None:
    assert parse(Kind.DATE, "05/30/34").value == "2034-05-30"
    assert parse(Kind.DATE, "05/30/34", not_after=dt.date(2026, 3, 1)).value == "1934-05-30"


FORMATS = ("%m/%d/%Y", "%m-%d-%Y", "%m %d %Y", "%B %d, %Y", "%d-%b-%Y", "%m%d%Y", "%Y-%m-%d")


@given(st.dates(dt.date(1900, 1, 1), dt.date(2099, 12, 31)), st.sampled_from(FORMATS))
def test_a_printed_date_comes_back_as_itself(date: dt.date, form: str) -> None:
    assert parse(Kind.DATE, date.strftime(form)) == (date.isoformat(), True)


@given(
    st.dates(dt.date(1936, 1, 1), dt.date(2035, 12, 31)), st.sampled_from(("%m/%d/%y", "%m%d%y"))
)
def test_two_digit_years_follow_the_pivot(date: dt.date, form: str) -> None:
    assert parse(Kind.DATE, date.strftime(form)).value == date.isoformat()


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("512-555-0143", "512-555-0143"),
        ("(512) 555-0143", "512-555-0143"),
        ("( 512 ) 555 - 0143", "512-555-0143"),
        ("5125550143", "512-555-0143"),
        ("1-800-218-7508", "800-218-7508"),
        ("+1 512.555.0143", "512-555-0143"),
        ("512/555-0143 ext. 12", "512-555-0143 x12"),
        ("5l2-555-O143", "512-555-0143"),
        ("Phone: 512 555 0143", "512-555-0143"),
        ("+44 20 7946 0958", "+442079460958"),
    ],
)
def test_phones(raw: str, value: str) -> None:
    assert parse(Kind.PHONE, raw) == (value, True)


@pytest.mark.parametrize("raw", ["555-0143", "N/A", "51255501433333", ""])
def test_what_is_no_phone_is_not_valid(raw: str) -> None:
    assert not parse(Kind.PHONE, raw).valid


def _npi(nine: str) -> str:
    return nine + str(luhn.calc_check_digit("80840" + nine))


npis = st.from_regex(r"[12][0-9]{8}", fullmatch=True).map(_npi)


@given(npis)
def test_a_right_npi_is_valid_and_any_single_wrong_digit_is_not(npi: str) -> None:
    assert parse(Kind.NPI, f"NPI: {npi}") == (npi, True)
    for place in range(10):
        wrong = npi[:place] + str((int(npi[place]) + 3) % 10) + npi[place + 1 :]
        assert not npi_check_digit_holds(wrong)
        assert parse(Kind.NPI, wrong) == (wrong, False)


@given(npis, st.sampled_from([("0", "O"), ("1", "l"), ("1", "I"), ("5", "S"), ("8", "B")]))
def test_letters_read_in_an_npi_are_repaired(npi: str, slip: tuple[str, str]) -> None:
    digit, letter = slip
    assert parse(Kind.NPI, npi.replace(digit, letter, 1)) == (npi, True)


@pytest.mark.parametrize(
    ("raw", "value", "valid"),
    [
        ("74-5550177", "74-5550177", True),
        ("745550177", "74-5550177", True),
        ("555-88-9999", "555-88-9999", True),
        ("TIN: 74 5550177", "74-5550177", True),
        ("74-555O177", "74-5550177", True),
        ("12345678", "12345678", False),
    ],
)
def test_tax_numbers(raw: str, value: str, valid: bool) -> None:
    assert parse(Kind.TAX_ID, raw) == (value, valid)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("1EG4-TE5-MK73", "1EG4TE5MK73"),
        ("1EG4TE5MK73", "1EG4TE5MK73"),
        ("lEG4-TES-MK73", "1EG4TE5MK73"),
        ("1EG4 TE5 MK7", None),
        ("00417726315", None),
        ("ZGP884201957", None),
    ],
)
def test_a_medicare_number_is_repaired_by_place_and_others_are_left_alone(
    raw: str, value: str | None
) -> None:
    assert mbi(raw) == value
    if value is None:
        assert parse(Kind.IDENTIFIER, raw).value == raw


@pytest.mark.parametrize(
    ("raw", "value", "valid"),
    [
        ("M25.561", "M25.561", True),
        ("m25561", "M25.561", True),
        ("M25,561", "M25.561", True),
        ("M25. 561", "M25.561", True),
        ("M2S.561", "M25.561", True),
        ("M25.S61", "M25.561", True),
        ("1lO", "I10", True),
        ("K5O.90 Crohn's disease", "K50.90", True),
        ("S72.001A", "S72.001A", True),
        ("E11.9", "E11.9", True),
        ("Z99.999", "Z99.999", False),
        ("Pain in right knee", "Pain in right knee", False),
    ],
)
def test_diagnosis_codes(raw: str, value: str, valid: bool) -> None:
    assert parse(Kind.ICD10, raw) == (value, valid)


def test_the_code_list_knows_categories_from_billable_codes() -> None:
    assert exists("M25") and not is_billable("M25")
    assert exists("M25.561") and is_billable("M25.561")
    assert not exists("A00-A09") and not exists("1")
    assert edition()


@pytest.mark.parametrize(
    ("raw", "value", "valid"),
    [
        ("73721", "73721", True),
        ("73721-26", "73721", True),
        ("7372l", "73721", True),
        ("G0299", "G0299", True),
        ("GO299", "G0299", True),
        ("S9500", "S9500", True),
        ("J0135 Adalimumab", "J0135", True),
        ("0001F", "0001F", True),
        ("99214 25", "99214", True),
        ("MRI knee", "MRI knee", False),
        ("1234", "1234", False),
    ],
)
def test_procedure_codes(raw: str, value: str, valid: bool) -> None:
    assert parse(Kind.PROCEDURE_CODE, raw) == (value, valid)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("$1,425.00", "1425.00"),
        ("1425", "1425.00"),
        ("(45.10)", "-45.10"),
        ("-$45.10", "-45.10"),
        ("$-45.10", "-45.10"),
        ("45.10-", "-45.10"),
        ("45.10 CR", "-45.10"),
        ("$ 154, 24", "154.24"),
        ("154 24", "154.24"),
        ("1.234,56", "1234.56"),
        ("S154.24", "154.24"),
        ("l54.2O", "154.20"),
        (".50", "0.50"),
        ("0.00", "0.00"),
        ("$226.74 USD", "226.74"),
    ],
)
def test_money(raw: str, value: str) -> None:
    assert parse(Kind.MONEY, raw) == (value, True)


@given(st.decimals(Decimal("-999999.99"), Decimal("999999.99"), places=2))
def test_a_printed_amount_comes_back_as_itself(amount: Decimal) -> None:
    shown = f"(${-amount:,.2f})" if amount < 0 else f"${amount:,.2f}"
    value, valid = parse(Kind.MONEY, shown)
    assert valid and Decimal(value) == amount


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("QUINTANILLA, MARISOL", "Marisol Quintanilla"),
        ("Okafor, Chidi B.", "Chidi B. Okafor"),
        ("LINDGREN, PAULETTE, M", "Paulette M Lindgren"),
        ("OSEI, HELEN, DO", "Helen Osei, DO"),
        ("Shiva Pedram, MD", "Shiva Pedram, MD"),
        ("R. Villanueva RN", "R. Villanueva RN"),
        ("O'BRIEN, MARY-KATE", "Mary-Kate O'Brien"),
        ("Gulf Shore Hospital Medicine", "Gulf Shore Hospital Medicine"),
        ("THE SUMMIT (PAIN MANAGEMENT)", "THE SUMMIT (PAIN MANAGEMENT)"),
        ("Devon R. Abernathy, MD", "Devon R. Abernathy, MD"),
        ("Philippa Quillfeather, I MD", "Philippa Quillfeather, I MD"),
    ],
)
def test_names_are_turned_and_cased_without_losing_a_word(raw: str, value: str) -> None:
    assert parse(Kind.PERSON, raw) == (value, True)


@pytest.mark.parametrize(
    "raw", ["PA-C", "MD, FACP", "747-358-7177 init", "", "N/A", "12/03/2020", "1847263500", "Same"]
)
def test_what_names_nobody_is_not_valid(raw: str) -> None:
    assert not parse(Kind.PERSON, raw).valid


def test_an_address_is_one_line() -> None:
    raw = "905  SEITZ DRIVE APT 4\nSALINA, KS  67401-3321"
    assert parse(Kind.ADDRESS, raw) == ("905 SEITZ DRIVE APT 4, SALINA, KS 67401-3321", True)


@pytest.mark.parametrize(
    ("raw", "value", "valid"),
    [("F", "female", True), ("Male", "male", True), ("U", "unknown", True), ("M F", "M F", False)],
)
def test_sex(raw: str, value: str, valid: bool) -> None:
    assert parse(Kind.SEX, raw) == (value, valid)


@pytest.mark.parametrize(
    ("raw", "value", "valid"),
    [
        ("Non-Urgent", "standard", True),
        ("Nonurgent", "standard", True),
        ("URGENT", "expedited", True),
        ("Expedlted revlew", "expedited", True),
        ("Extension/Renewal/Amendment", "extension/renewal/amendment", True),
        ("Standard or Urgent", "standard/expedited", True),
        ("purple", "purple", False),
        ("", "", False),
    ],
)
def test_options(raw: str, value: str, valid: bool) -> None:
    assert parse(Kind.OPTION, raw, options=OPTIONS) == (value, valid)


@pytest.mark.parametrize(
    ("printed", "spotted"),
    [
        ("E-mail: tess.q7@example.org IN THE COURT OF", ["tess.q7@example.org"]),
        ("tess.q7(@example.org", ["tess.q7(@example.org"]),  # a round read twice
        ("tess7Qexample.org", ["tess7Qexample.org"]),
        ("DOCUMENTS of www.example2.org", []),
        ("children. 23", []),
    ],
)
def test_a_word_without_the_shape_of_an_address_is_no_email(
    printed: str, spotted: list[str]
) -> None:
    assert [span.text for span in find(Kind.EMAIL, printed)] == spotted


def test_an_email_loses_blanks_and_a_parenthesis_that_was_part_of_its_sign() -> None:
    assert parse(Kind.EMAIL, "tess.q7 @ example .org") == ("tess.q7@example.org", True)
    assert parse(Kind.EMAIL, "tess.q7(@example.org") == ("tess.q7@example.org", True)
    assert parse(Kind.EMAIL, "tess7Qexample.org") == ("tess7Qexample.org", False)


@pytest.mark.parametrize(("raw", "value"), [("D. Abernathy MD", "yes"), ("", "no"), ("No", "no")])
def test_presence(raw: str, value: str) -> None:
    assert parse(Kind.PRESENCE, raw).value == value


@given(st.sampled_from(sorted(Kind)), st.text(max_size=40))
@example(Kind.PERSON, "a, b")
@example(Kind.ADDRESS, "1 a,\n,b")
def test_parsing_what_was_parsed_changes_nothing(kind: Kind, raw: str) -> None:
    once = parse(kind, raw, options=OPTIONS)
    twice = parse(kind, once.value, options=OPTIONS)
    assert twice.value == once.value


printable = st.text(st.sampled_from("ABCDEFabcdef 0123456789/-.,()$#:OlISB"), max_size=30)


@given(st.sampled_from(sorted(Kind)), printable)
def test_parsing_form_like_text_twice_changes_nothing(kind: Kind, raw: str) -> None:
    once = parse(kind, raw, options=OPTIONS)
    twice = parse(kind, once.value, options=OPTIONS)
    assert twice.value == once.value
    assert twice.valid or not once.valid


def test_typed_values_are_spotted_in_running_text() -> None:
    text = "DOB 07/22/1968 NPI 1234567893 fax (512) 555-0143 dx M25.561 cpt 73721 paid $45.10"
    expected = {
        Kind.DATE: ["1968-07-22"],
        Kind.NPI: ["1234567893"],
        Kind.PHONE: ["512-555-0143"],
        Kind.ICD10: ["M25.561"],
        Kind.PROCEDURE_CODE: ["73721"],
        Kind.MONEY: ["45.10"],
    }
    for kind, values in expected.items():
        assert [span.parsed.value for span in find(kind, text)] == values, kind


@given(st.sampled_from(sorted(Kind)), st.text(max_size=60))
def test_spans_lie_inside_the_text_in_order(kind: Kind, text: str) -> None:
    last = 0
    for span in find(kind, text):
        assert last <= span.start < span.end <= len(text)
        assert span.text == text[span.start : span.end]
        last = span.end
