# SPDX-License-Identifier: Apache-2.0
"""Fictitious people, codes and amounts, in the formats in which real forms print them."""

from __future__ import annotations

import calendar
import datetime as dt
import random
from functools import cache
from pathlib import Path
from typing import Literal

import yaml

from idp.values.codes import MBI_PLACES

Split = Literal["train", "heldout"]
DateStyle = Literal["slash", "short", "iso", "dash", "long", "medium", "digits", "day_month"]

_NPI_PREFIX = (8, 0, 8, 4, 0)
_SHARE_HELD_OUT = 5


@cache
def _pools() -> dict[str, tuple[str, ...]]:
    text = Path(__file__).with_name("pools.yaml").read_text(encoding="utf-8")
    pools: dict[str, tuple[str, ...]] = {}
    for name, value in yaml.safe_load(text).items():
        parts = value.split("|") if "|" in value else value.split()
        pools[name] = tuple(" ".join(p.split()) for p in parts if p.strip())
    return pools


def pick(rng: random.Random, pool: str, split: Split) -> str:
    """One entry of a pool; held-out families also draw from the fifth that training never sees."""
    entries = _pools()[pool]
    kept = max(1, len(entries) // _SHARE_HELD_OUT)
    if split == "heldout" and rng.random() < 0.6:
        return rng.choice(entries[-kept:])
    return rng.choice(entries[:-kept])


def several(rng: random.Random, pool: str, split: Split, count: int) -> list[str]:
    """Different entries of a pool, at most ``count``."""
    return list(dict.fromkeys(pick(rng, pool, split) for _ in range(count)))


def digits(rng: random.Random, count: int) -> str:
    """A run of random digits."""
    return "".join(rng.choice("0123456789") for _ in range(count))


def letters(rng: random.Random, count: int) -> str:
    """A run of random capital letters, without those read as digits."""
    return "".join(rng.choice("ABCDEFGHJKLMNPRTUVWXY") for _ in range(count))


def npi(rng: random.Random) -> str:
    """A ten-digit NPI with a right check digit (Luhn over 80840 and the number)."""
    own = [rng.choice((1, 1, 1, 2)), *(rng.randrange(10) for _ in range(8))]
    total = 0
    for place, digit in enumerate(reversed((*_NPI_PREFIX, *own))):
        doubled = digit * 2 if place % 2 == 0 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return "".join(map(str, own)) + str(-total % 10)


def person(rng: random.Random, split: Split) -> tuple[str, str, str]:
    """First name, middle initial (often empty) and last name."""
    last = pick(rng, "last_names", split)
    if rng.random() < 0.06:
        last += "-" + pick(rng, "last_names", split)
    middle = rng.choice(("", "", "", rng.choice("ABCDEFGHJKLMNPRST")))
    return pick(rng, "first_names", split), middle, last


def print_name(parts: tuple[str, str, str], style: str) -> str:
    """A name as forms print it: natural, last first, or in capitals."""
    first, middle, last = parts
    given = f"{first} {middle}" if middle else first
    text = f"{last}, {given}" if style.startswith("last_first") else f"{given} {last}"
    return text.upper() if style.endswith("upper") else text


def provider_name(rng: random.Random, split: Split, style: str) -> str:
    """A clinician with credentials."""
    parts = person(rng, split)
    credential = rng.choice(("MD", "MD", "M.D.", "DO", "NP", "PA-C", "DPM", "FNP-C"))
    text = print_name(parts, style)
    choice = rng.random()
    if choice < 0.45:
        return f"{text}, {credential}"
    if choice < 0.65:
        return f"{text} {credential}"
    return f"Dr. {text}" if choice < 0.8 else text


def practice(rng: random.Random, split: Split) -> str:
    """A practice, hospital or supplier."""
    return f"{pick(rng, 'practice_heads', split)} {pick(rng, 'practice_tails', split)}"


def phone(rng: random.Random, style: int) -> str:
    """A telephone number in one of six printed formats."""
    area, office, line = rng.randint(201, 989), rng.randint(200, 999), rng.randint(0, 9999)
    return (
        f"({area}) {office}-{line:04d}",
        f"{area}-{office}-{line:04d}",
        f"{area}.{office}.{line:04d}",
        f"1-{area}-{office}-{line:04d}",
        f"({area}){office}-{line:04d}",
        f"{area} {office} {line:04d}",
    )[style]


def date_between(rng: random.Random, first: dt.date, last: dt.date) -> dt.date:
    """A day of the interval."""
    return first + dt.timedelta(days=rng.randrange((last - first).days + 1))


def print_date(day: dt.date, style: DateStyle) -> str:
    """A date in one of the printed formats."""
    month = calendar.month_name[day.month]
    return {
        "slash": f"{day:%m/%d/%Y}",
        "short": f"{day.month}/{day.day}/{day:%y}",
        "iso": day.isoformat(),
        "dash": f"{day:%m-%d-%Y}",
        "long": f"{month} {day.day}, {day.year}",
        "medium": f"{month[:3]} {day.day}, {day.year}",
        "digits": f"{day:%m%d%Y}",
        "day_month": f"{day:%d}-{month[:3]}-{day.year}",
    }[style]


def address(rng: random.Random, split: Split) -> tuple[str, str, str, str]:
    """Street (with unit at times), city, state, ZIP."""
    street = f"{rng.randint(1, 9999)} {pick(rng, 'streets', split)}"
    if rng.random() < 0.3:
        street += " " + rng.choice(("Apt", "Suite", "Ste", "Unit", "#")) + f" {rng.randint(1, 900)}"
    if rng.random() < 0.06:
        street = f"PO Box {rng.randint(10, 99999)}"
    state = rng.choice(("TX", "FL", "OH", "CA", "NY", "KS", "PA", "WA", "GA", "NC", "IL", "MI"))
    zip_code = digits(rng, 5) + (f"-{digits(rng, 4)}" if rng.random() < 0.15 else "")
    return street, pick(rng, "cities", split), state, zip_code


def member_id(rng: random.Random) -> str:
    """A member number in one of the shapes payers use."""
    shape = rng.randrange(9)
    return (
        letters(rng, 3) + digits(rng, 9),
        "W" + digits(rng, 9),
        digits(rng, 9),
        digits(rng, 11),
        letters(rng, 1) + digits(rng, 8) + letters(rng, 2),
        f"{digits(rng, 3)}-{digits(rng, 2)}-{digits(rng, 4)}",
        _mbi(rng),
        f"{letters(rng, 3)} {digits(rng, 9)}",
        digits(rng, 7),
    )[shape]


def _mbi(rng: random.Random) -> str:
    """A Medicare beneficiary identifier as cards print it (CMS): none of S, L, O, I, B and Z."""
    signs = "".join(rng.choice(place) for place in MBI_PLACES)
    return f"{signs[:4]}-{signs[4:7]}-{signs[7:]}"


def identifier(rng: random.Random) -> str:
    """An authorization, claim, account or trace number."""
    shape = rng.randrange(7)
    return (
        digits(rng, rng.randint(6, 12)),
        letters(rng, 1) + digits(rng, rng.randint(6, 9)),
        f"{letters(rng, 2)}-{digits(rng, 7)}",
        letters(rng, 2) + digits(rng, 8),
        f"20{rng.randint(23, 26)}{digits(rng, 8)}",
        digits(rng, 5) + letters(rng, 1) + digits(rng, 4),
        f"{letters(rng, 3)}{digits(rng, 4)}-{digits(rng, 2)}",
    )[shape]


def group_number(rng: random.Random) -> str:
    """An employer's group number."""
    return rng.choice(
        (
            digits(rng, rng.randint(5, 9)),
            f"{letters(rng, 1)}{digits(rng, 5)}",
            f"{letters(rng, 4)}-{digits(rng, 4)}",
            f"0{digits(rng, 6)}-{digits(rng, 3)}",
        )
    )


def tax_id(rng: random.Random) -> str:
    """An employer identification number."""
    return f"{digits(rng, 2)}-{digits(rng, 7)}" if rng.random() < 0.7 else digits(rng, 9)


def diagnosis(rng: random.Random, split: Split) -> tuple[str, str]:
    """An ICD-10-CM shaped code and a description."""
    code, _, text = pick(rng, "diagnoses", split).partition("=")
    if rng.random() < 0.4:
        code = rng.choice("ABCDEFGHIJKLMNRSTZ") + digits(rng, 2)
        if rng.random() < 0.9:
            code += "." + digits(rng, rng.randint(1, 3))
    return code, text


def procedure(rng: random.Random, split: Split) -> tuple[str, str]:
    """A CPT or HCPCS shaped code and a description."""
    code, _, text = pick(rng, "procedures", split).partition("=")
    if rng.random() < 0.4:
        code = digits(rng, 5) if rng.random() < 0.85 else rng.choice("AEGJLQ") + digits(rng, 4)
    return code, text


def medication(rng: random.Random, split: Split) -> tuple[str, str, str, str]:
    """Name, strength, dosage form, directions."""
    name, strength, form, directions = pick(rng, "medications", split).split("=")
    return name, strength, form, directions


def paragraph(rng: random.Random, pool: str, split: Split, sentences: int) -> str:
    """Several sentences of a pool."""
    return " ".join(f"{s}." for s in several(rng, pool, split, sentences))


def sentence(rng: random.Random, split: Split) -> str:
    """A sentence of instructions, of which there are hundreds of thousands."""
    parts = [pick(rng, f"prose_{part}", split) for part in ("who", "does", "what", "tail")]
    if rng.random() < 0.3:
        parts.pop()
    if rng.random() < 0.15:
        parts.insert(0, rng.choice(("Note:", "Important:", "*", "Please note:", "If so,")))
    text = " ".join(parts) + "."
    return text.upper() if rng.random() < 0.06 else text


def instruction(rng: random.Random, split: Split, sentences: int) -> str:
    """A paragraph that is not wanted, mostly composed."""
    return " ".join(
        f"{pick(rng, 'instructions', split)}." if rng.random() < 0.25 else sentence(rng, split)
        for _ in range(sentences)
    )


def narrative(rng: random.Random, split: Split, sentences: int) -> str:
    """A clinical narrative with numbers, dates and abbreviations in it."""

    def one() -> str:
        shape = rng.randrange(6)
        drug = pick(rng, "tried", split)
        if shape == 0:
            return f"{pick(rng, 'notes', split)}."
        if shape == 1:
            length = f"{rng.randint(2, 18)} {rng.choice(('weeks', 'months', 'mos', 'years'))}"
            return f"Patient reports {pick(rng, 'symptoms', split)} for {length}."
        if shape == 2:
            return f"Exam shows {pick(rng, 'findings', split)}."
        if shape == 3:
            day = f"{rng.randint(1, 12):02d}/{rng.randint(1, 28):02d}/{rng.randint(2023, 2026)}"
            test = rng.choice(("MRI", "X-ray", "CT", "Labs", "EMG", "Echo"))
            return f"{test} {day} {pick(rng, 'findings', split)}."
        if shape == 4:
            visits = rng.randint(4, 24)
            return f"Failed {drug} {rng.choice(('BID', 'daily', 'TID'))} and PT x {visits} visits."
        service = procedure(rng, split)[1]
        return f"{service} requested to {pick(rng, 'goals', split)}."

    return " ".join(one() for _ in range(sentences))


def print_money(amount: float, style: int) -> str:
    """An amount, with or without sign and thousands separator."""
    return (f"{amount:,.2f}", f"${amount:,.2f}", f"{amount:.2f}", f"$ {amount:,.2f}")[style]
