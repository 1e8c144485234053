# SPDX-License-Identifier: Apache-2.0
"""Faults of single values: numbers, codes, dates, as they are mistyped and misread."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Sequence

from idp.schemas import load_schemas
from idp.values import Kind, icd10, parse
from idp.values.codes import npi_check_digit_holds
from training.faults.book import Seeded, manner
from training.faults.cases import Case
from training.faults.draw import type_of
from training.faults.pools import PLACES, mbi
from training.synthesise import values

FORMS = ("prior_auth_request", "referral", "prior_auth_determination")
_OLD_FORMATS = ("%m/%d/%Y", "%m-%d-%Y", "%B %d, %Y")


def of_kind(case: Case, kind: Kind, validator: str = "") -> list[str]:
    """Names of the case's filled fields of a kind, and with a validator where one is named."""
    schema = load_schemas()[type_of(case)]
    found = []
    for entry in case.entries:
        field = schema.field(entry.name)
        if field is None or field.kind is not kind or not entry.texts or entry.options:
            continue
        if not validator or validator in field.validators:
            found.append(entry.name)
    return found


def changed(
    case: Case, names: Sequence[str], rng: random.Random, change: Callable[[str], str]
) -> Seeded | None:
    """The case with the text of one of the fields changed; nothing where none is there."""
    if not names:
        return None
    name = rng.choice(names)
    entry = case.entry(name)
    if entry is None or not entry.texts:
        return None
    place = rng.randrange(len(entry.texts))
    text = change(entry.texts[place])
    if text == entry.texts[place]:
        return None
    texts = (*entry.texts[:place], text, *entry.texts[place + 1 :])
    return Seeded(case.put(name, *texts), (name,))


def other_digit(text: str, place: int, rng: random.Random) -> str:
    """The text with another digit at a place."""
    digit = rng.choice([d for d in "0123456789" if d != text[place]])
    return text[:place] + digit + text[place + 1 :]


def any_digit(text: str, rng: random.Random) -> str:
    """The text with one digit, wherever it stands, replaced by another."""
    places = [place for place, sign in enumerate(text) if sign.isdigit()]
    return other_digit(text, rng.choice(places), rng) if places else text


def swapped(text: str, rng: random.Random) -> str:
    """Two neighbouring digits that differ exchanged, so that the check digit no longer holds.

    Luhn does not see 0 and 9 exchanged; that pair is left alone.
    """
    places = [p for p in range(len(text) - 1) if text[p] != text[p + 1]]
    rng.shuffle(places)
    for place in places:
        found = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
        if not npi_check_digit_holds(found):
            return found
    return text


# -- N1 --------------------------------------------------------------------------------------


@manner("N1", "one digit changed")
def _npi_digit(case: Case, rng: random.Random) -> Seeded | None:
    return changed(case, of_kind(case, Kind.NPI), rng, lambda t: any_digit(t, rng))


@manner("N1", "two digits exchanged")
def _npi_swapped(case: Case, rng: random.Random) -> Seeded | None:
    return changed(case, of_kind(case, Kind.NPI), rng, lambda t: swapped(t, rng))


@manner("N1", "a digit lost")
def _npi_short(case: Case, rng: random.Random) -> Seeded | None:
    place = rng.randrange(10)
    return changed(case, of_kind(case, Kind.NPI), rng, lambda t: t[:place] + t[place + 1 :])


@manner("N1", "a digit doubled")
def _npi_long(case: Case, rng: random.Random) -> Seeded | None:
    place = rng.randrange(10)
    return changed(case, of_kind(case, Kind.NPI), rng, lambda t: t[:place] + t[place] + t[place:])


@manner("N1", "begins with 3")
def _npi_first(case: Case, rng: random.Random) -> Seeded | None:
    return changed(case, of_kind(case, Kind.NPI), rng, lambda t: "3" + t[1:])


@manner("N1", "a telephone number in its place")
def _npi_phone(case: Case, rng: random.Random) -> Seeded | None:
    return changed(
        case, of_kind(case, Kind.NPI), rng, lambda _: f"61455501{rng.randrange(100):02d}"
    )


# -- N3 --------------------------------------------------------------------------------------

_NEVER = "SLOIBZ"


def _medicare(case: Case, rng: random.Random, change: Callable[[str], str]) -> Seeded | None:
    if case.entry("member_id") is None or case.kind == "remittance_eob":
        return None
    payer = case.put("payer_name", "Medicare Part B") if case.entry("payer_name") else case
    return Seeded(payer.put("member_id", change(mbi(rng))), ("member_id",))


@manner("N3", "a letter where a digit belongs", kinds=FORMS)
def _mbi_letter(case: Case, rng: random.Random) -> Seeded | None:
    place = rng.choice((3, 6, 9, 10))
    return _medicare(case, rng, lambda t: t[:place] + rng.choice("ACDEFGHJ") + t[place + 1 :])


@manner("N3", "a digit where a letter belongs", kinds=FORMS)
def _mbi_digit(case: Case, rng: random.Random) -> Seeded | None:
    place = rng.choice((4, 7, 8))
    return _medicare(case, rng, lambda t: t[:place] + rng.choice("34679") + t[place + 1 :])


@manner("N3", "a letter that CMS never uses", kinds=FORMS)
def _mbi_never(case: Case, rng: random.Random) -> Seeded | None:
    place = rng.choice((1, 4, 7, 8))
    return _medicare(case, rng, lambda t: t[:place] + rng.choice(_NEVER) + t[place + 1 :])


@manner("N3", "a sign lost", kinds=FORMS)
def _mbi_short(case: Case, rng: random.Random) -> Seeded | None:
    place = rng.randrange(5, 11)
    return _medicare(case, rng, lambda t: t[:place] + t[place + 1 :])


@manner("N3", "a sign doubled", kinds=FORMS)
def _mbi_long(case: Case, rng: random.Random) -> Seeded | None:
    place = rng.randrange(5, 11)
    return _medicare(case, rng, lambda t: t[:place] + t[place] + t[place:])


# -- N5 --------------------------------------------------------------------------------------


@manner("N5", "no such code", kinds=FORMS)
def _icd_unknown(case: Case, rng: random.Random) -> Seeded | None:
    def change(text: str) -> str:
        for _ in range(50):
            found = any_digit(text, rng)
            if not icd10.exists(found) and not parse(Kind.ICD10, found).valid:
                return found
        return text

    return changed(case, of_kind(case, Kind.ICD10), rng, change)


@manner("N5", "a category, not the full code", kinds=FORMS)
def _icd_category(case: Case, rng: random.Random) -> Seeded | None:
    def change(text: str) -> str:
        cut = text[:-1].rstrip(".")
        return cut if icd10.exists(cut) and not icd10.is_billable(cut) else text

    return changed(case, of_kind(case, Kind.ICD10), rng, change)


@manner("N5", "a sign too many", kinds=FORMS)
def _icd_longer(case: Case, rng: random.Random) -> Seeded | None:
    def change(text: str) -> str:
        for _ in range(20):
            found = text + ("" if "." in text else ".") + rng.choice("0123456789")
            if not icd10.exists(found) and not parse(Kind.ICD10, found).valid:
                return found
        return text

    return changed(case, of_kind(case, Kind.ICD10), rng, change)


@manner("N5", "a code of ICD-9", kinds=FORMS)
def _icd_nine(case: Case, rng: random.Random) -> Seeded | None:
    old = rng.choice(("724.2", "401.9", "250.00", "719.46", "786.50"))
    return changed(case, of_kind(case, Kind.ICD10), rng, lambda _: old)


# -- N6 --------------------------------------------------------------------------------------


@manner("N6", "a digit lost", kinds=("prior_auth_request", "referral", "prior_auth_determination"))
def _cpt_short(case: Case, rng: random.Random) -> Seeded | None:
    return changed(case, of_kind(case, Kind.PROCEDURE_CODE), rng, lambda t: t[:-1])


@manner("N6", "a digit too many", kinds=FORMS)
def _cpt_long(case: Case, rng: random.Random) -> Seeded | None:
    return changed(
        case, of_kind(case, Kind.PROCEDURE_CODE), rng, lambda t: t + rng.choice("123456789")
    )


@manner("N6", "a letter in the middle", kinds=FORMS)
def _cpt_letter(case: Case, rng: random.Random) -> Seeded | None:
    return changed(
        case,
        of_kind(case, Kind.PROCEDURE_CODE),
        rng,
        lambda t: t[:2] + rng.choice("ACEFHKMNPRX") + t[3:],
    )


# -- N8 --------------------------------------------------------------------------------------


@manner("N8", "a telephone number of nine digits")
def _phone_short(case: Case, rng: random.Random) -> Seeded | None:
    return changed(case, of_kind(case, Kind.PHONE, "N8"), rng, lambda t: t[:-1])


@manner("N8", "a telephone number of eleven digits")
def _phone_long(case: Case, rng: random.Random) -> Seeded | None:
    return changed(case, of_kind(case, Kind.PHONE, "N8"), rng, lambda t: t + rng.choice("23456789"))


@manner("N8", "a telephone number without area code")
def _phone_local(case: Case, rng: random.Random) -> Seeded | None:
    return changed(case, of_kind(case, Kind.PHONE, "N8"), rng, lambda t: f"555-{t[-4:]}")


@manner("N8", "a tax number of eight digits")
def _tax_short(case: Case, rng: random.Random) -> Seeded | None:
    return changed(case, of_kind(case, Kind.TAX_ID, "N8"), rng, lambda t: t[:-1])


@manner("N8", "a tax number of ten digits")
def _tax_long(case: Case, rng: random.Random) -> Seeded | None:
    return changed(case, of_kind(case, Kind.TAX_ID, "N8"), rng, lambda t: t + rng.choice("0123456"))


@manner("N8", "a ZIP code of another state")
def _zip_elsewhere(case: Case, rng: random.Random) -> Seeded | None:
    def change(text: str) -> str:
        head, state, postcode = text.rsplit(" ", 2)
        others = [z for _, s, z in PLACES if s != state and z[:1] != postcode[:1]]
        return f"{head} {state} {rng.choice(others)}"

    return changed(case, of_kind(case, Kind.ADDRESS, "N8"), rng, change)


@manner("N8", "a state that does not exist")
def _no_state(case: Case, rng: random.Random) -> Seeded | None:
    def change(text: str) -> str:
        head, _, postcode = text.rsplit(" ", 2)
        return f"{head} {rng.choice(('XX', 'ZT', 'QA', 'IW'))} {postcode}"

    return changed(case, of_kind(case, Kind.ADDRESS, "N8"), rng, change)


# -- D2 --------------------------------------------------------------------------------------


def _printed(day: dt.date, rng: random.Random) -> str:
    return day.strftime(rng.choice(_OLD_FORMATS))


def _dated(case: Case, names: Sequence[str], day: dt.date, rng: random.Random) -> Seeded | None:
    there = [name for name in names if case.text(name)]
    return changed(case, there, rng, lambda _: _printed(day, rng))


@manner("D2", "born after the day of receipt")
def _born_tomorrow(case: Case, rng: random.Random) -> Seeded | None:
    day = case.received + dt.timedelta(days=rng.randint(3, 900))
    return _dated(case, ("patient_dob",), day, rng)


@manner("D2", "older than 120 years")
def _born_long_ago(case: Case, rng: random.Random) -> Seeded | None:
    day = case.received - dt.timedelta(days=rng.randint(122 * 366, 135 * 366))
    return _dated(case, ("patient_dob",), day, rng)


@manner("D2", "born after the service", kinds=FORMS)
def _born_after_service(case: Case, rng: random.Random) -> Seeded | None:
    names = ("service_start_date", "effective_from", "submission_date", "referral_date")
    there = [name for name in names if case.text(name)]
    if not there or not case.text("patient_dob"):
        return None
    born = case.received - dt.timedelta(days=rng.randint(10, 300))
    moved = case.put("patient_dob", _printed(born, rng))
    name = rng.choice(there)
    day = _printed(born - dt.timedelta(days=rng.randint(2, 200)), rng)
    return Seeded(moved.put(name, day), (name, "patient_dob"))


@manner("D2", "the service lies two years ahead", kinds=("prior_auth_request",))
def _service_far_ahead(case: Case, rng: random.Random) -> Seeded | None:
    day = case.received + dt.timedelta(days=rng.randint(730, 1500))
    if case.text("service_end_date"):
        case = case.without("service_end_date")
    return _dated(case, ("service_start_date",), day, rng)


@manner("D2", "signed after the day of receipt", kinds=("prior_auth_request",))
def _signed_later(case: Case, rng: random.Random) -> Seeded | None:
    day = case.received + dt.timedelta(days=rng.randint(3, 400))
    return _dated(case, ("form_date",), day, rng)


@manner("D2", "dated after the day of receipt", kinds=(*FORMS, "remittance_eob"))
def _dated_later(case: Case, rng: random.Random) -> Seeded | None:
    day = case.received + dt.timedelta(days=rng.randint(3, 400))
    names = ("submission_date", "referral_date", "determination_date", "issue_date")
    return _dated(case, names, day, rng)


@manner("D2", "ends before it begins", kinds=FORMS)
def _ends_before(case: Case, rng: random.Random) -> Seeded | None:
    for first, last in (
        ("service_start_date", "service_end_date"),
        ("effective_from", "effective_to"),
    ):
        if case.text(first) and case.text(last):
            begin = parse(Kind.DATE, case.text(first)).value
            day = dt.date.fromisoformat(begin) - dt.timedelta(days=rng.randint(1, 200))
            return Seeded(case.put(last, _printed(day, rng)), (first, last))
    return None


@manner("D2", "no day of the calendar")
def _no_such_day(case: Case, rng: random.Random) -> Seeded | None:
    text = rng.choice(("02/30/2026", "13/14/2025", "06/31/2024", "00/12/2026"))
    return changed(case, of_kind(case, Kind.DATE, "D2"), rng, lambda _: text)


@manner("D2", "a year of long ago", kinds=(*FORMS, "remittance_eob"))
def _wrong_century(case: Case, rng: random.Random) -> Seeded | None:
    names = ("service_start_date", "effective_from", "referral_date", "issue_date")
    day = case.received.replace(day=min(case.received.day, 28), year=rng.randint(1962, 1993))
    born = case.text("patient_dob")
    if born and parse(Kind.DATE, born, not_after=case.received).value >= day.isoformat():
        return None
    return _dated(case, names, day, rng)


# -- F1 and F2 -------------------------------------------------------------------------------


@manner("F1", "no amount", kinds=("remittance_eob",))
def _no_amount(case: Case, rng: random.Random) -> Seeded | None:
    text = rng.choice(("see remark", "N/A", "12.34.56", "void"))
    return changed(case, of_kind(case, Kind.MONEY), rng, lambda _: text)


@manner("F2", "none of the choices", kinds=("prior_auth_determination",))
def _no_choice(case: Case, rng: random.Random) -> Seeded | None:
    text = rng.choice(("See below", "Tuesday", "4417", values.digits(rng, 6)))
    return changed(case, ["determination"], rng, lambda _: text)
