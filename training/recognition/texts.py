# SPDX-License-Identifier: Apache-2.0
"""What generated lines say: labels, names, numbers, amounts, codes and prose, all fictitious."""

from __future__ import annotations

import datetime as dt
import random
import re
import string
from collections.abc import Callable
from functools import cache
from pydoc_data.topics import topics
from typing import Any

from faker import Faker
from simple_icd_10_cm import get_all_codes, get_description

from idp.schemas import load_lexicon, load_schemas

LONGEST = 40
"""Characters of the longest line."""

_PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
_RARE = "°±§©®™\u2013\u2014\u2018\u2019“”•½¼¾\u00d7÷éñáíóúüç≤≥→¢£€µ"
_MONTHS = "January February March April May June July August September October November December"


class Texts:
    """An endless, seeded supply of lines of text."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)  # noqa: S311 - no secret
        self._faker = Faker("en_US")
        self._faker.seed_instance(seed)
        kinds: list[tuple[float, Callable[[], str]]] = [
            (3.0, self._label),
            (2.0, self._labelled_value),
            (2.0, self._value),
            (3.0, self._prose),
            (1.5, self._description),
            (1.5, self._table_row),
            (1.0, self._invented),
            (0.6, self._strewn),
            (0.5, self._digits),
        ]
        self._weights = [weight for weight, _ in kinds]
        self._kinds = [make for _, make in kinds]

    def line(self) -> str:
        """One line of 1 to :data:`LONGEST` characters with single blanks."""
        while True:
            (make,) = self._rng.choices(self._kinds, self._weights)
            text = " ".join(make().split())
            if len(text) > LONGEST:
                start = self._rng.randrange(len(text) - LONGEST)
                text = text[start : start + self._rng.randint(4, LONGEST)].strip()
            text = self._cased(text)
            if text:
                return text

    def _cased(self, text: str) -> str:
        way = self._rng.random()
        if way < 0.16:
            return text.upper()
        if way < 0.22:
            return text.title()
        return text

    def _label(self) -> str:
        label = self._rng.choice(_labels())
        label = self._rng.choice((label, label.title(), label.capitalize(), label.upper()))
        return label + self._rng.choice(("", "", ":", ":", " #", " #:", " *", "?", " (required)"))

    def _labelled_value(self) -> str:
        return f"{self._label()} {self._value()}"

    def _value(self) -> str:
        make = self._rng.choice(
            (
                self._name,
                self._address,
                self._date,
                self._phone,
                self._identifier,
                self._identifier,
                self._amount,
                self._code,
                self._organisation,
                self._mail,
                self._answer,
                self._quantity,
            )
        )
        return make()

    def _name(self) -> str:
        f, r = self._faker, self._rng
        first, last = f.first_name(), f.last_name()
        middle = r.choice(string.ascii_uppercase)
        return r.choice(
            (
                f"{first} {last}",
                f"{last}, {first}",
                f"{first} {middle}. {last}",
                f"{last}, {first} {middle}",
                f"Dr. {first} {last}",
                f"{first} {last}, {r.choice(('MD', 'DO', 'NP', 'PA-C', 'RN', 'PhD', 'DPM'))}",
                f"{first[0]}. {last}",
            )
        )

    def _address(self) -> str:
        f = self._faker
        return self._rng.choice(
            (
                f.street_address(),
                f"{f.city()}, {f.state_abbr()} {f.zipcode()}",
                f"{f.street_address()}, {f.city()} {f.state_abbr()} {f.zipcode_plus4()}",
                f"P.O. Box {self._number(4)}",
                f"{f.city()}, {f.state()}",
            )
        )

    def _date(self) -> str:
        day = dt.date(1925, 1, 1) + dt.timedelta(days=self._rng.randrange(38000))
        form = self._rng.choice(
            ("%m/%d/%Y", "%m/%d/%y", "%Y-%m-%d", "%m-%d-%Y", "%B %d, %Y", "%b %d, %Y", "%d %b %Y",
             "%m %d %Y", "%m.%d.%Y", "%m/%d/%Y %I:%M %p", "%H:%M", "%a, %b %d, %Y")
        )  # fmt: skip
        text = day.strftime(form)
        return f"{text} - {day.strftime(form)}" if self._rng.random() < 0.1 else text

    def _phone(self) -> str:
        a, b, c = self._number(3), self._number(3), self._number(4)
        form = self._rng.choice(("({}) {}-{}", "{}-{}-{}", "{}.{}.{}", "1-{}-{}-{}", "({}){}-{}"))
        end = f" ext. {self._number(3)}" if self._rng.random() < 0.1 else ""
        return form.format(a, b, c) + end

    def _identifier(self) -> str:
        r = self._rng
        mixed = string.digits * 2 + string.ascii_uppercase
        return r.choice(
            (
                self._number(r.randint(5, 12)),
                "".join(r.choices(mixed, k=r.randint(5, 14))),
                "".join(r.choices(string.ascii_uppercase, k=r.randint(1, 3)))
                + self._number(r.randint(5, 10)),
                f"{self._number(3)}-{self._number(2)}-{self._number(4)}",
                f"{self._number(2)}-{self._number(7)}",
                f"{self._number(r.randint(3, 6))}-{self._number(r.randint(1, 5))}",
            )
        )

    def _amount(self) -> str:
        value = self._rng.choice((99, 999, 9999, 99999, 9999999)) * self._rng.random()
        sign = self._rng.choice(("", "", "$", "$", "$ ", "-", "-$"))
        text = f"{sign}{value:,.2f}"
        return f"({text})" if self._rng.random() < 0.06 else text

    def _code(self) -> str:
        r = self._rng
        codes = _diagnoses()
        return r.choice(
            (
                r.choice(codes)[0],
                ", ".join(r.choice(codes)[0] for _ in range(r.randint(2, 4))),
                self._number(5),
                f"{r.choice('ABCEGHJLQ')}{self._number(4)}",
                f"{self._number(5)}-{r.choice(('25', '59', 'LT', 'RT', 'TC', '26', 'GP'))}",
                f"{r.choice(('CO', 'PR', 'OA', 'PI'))}-{r.randint(1, 260)}",
                f"{self._number(5)}-{self._number(4)}-{self._number(2)}",
                f"{self._number(9)}X",
                f"{r.choice(('N', 'M', 'MA', 'N'))}{r.randint(1, 899)}",
            )
        )

    def _organisation(self) -> str:
        kind = self._rng.choice(
            ("Medical Group", "Family Practice", "Health Plan", "Hospital", "Clinic", "Pharmacy",
             "Imaging Center", "Orthopedics", "Insurance Company", "Physical Therapy",
             "Cardiology, P.A.")
        )  # fmt: skip
        return f"{self._rng.choice((self._faker.last_name(), self._faker.city()))} {kind}"

    def _mail(self) -> str:
        kinds = (
            f"{self._faker.ascii_safe_email()}",
            f"www.{self._faker.domain_name()}",
            f"https://{self._faker.domain_name()}/{self._faker.word()}",
        )
        return self._rng.choice(kinds)

    def _answer(self) -> str:
        return self._rng.choice(
            ("Yes", "No", "N/A", "Yes No", "YES / NO", "M", "F", "Male", "Female", "None", "X",
             "x", "Routine", "Urgent", "See attached", "Page 1 of 2", "Initial", "Left", "Right",
             "2", "1", "A", "B.", "1.", "3)", "a.", "(1)", "i.", "II", "IV -", "0", "7", "$", "-",
             "PPO", "HMO")
        )  # fmt: skip

    def _quantity(self) -> str:
        r = self._rng
        unit = r.choice(("mg", "mL", "mcg", "units", "tablets", "visits", "days", "%", "kg", "lbs",
                         "mg/dL", "mm Hg", "hours", "weeks", "x 3", "BID", "PO daily"))  # fmt: skip
        amount = r.choice((str(r.randint(1, 999)), f"{r.random() * 99:.1f}"))
        return amount + r.choice((" ", "")) + unit

    def _prose(self) -> str:
        words = _prose()
        start = self._rng.randrange(len(words) - 20)
        return " ".join(words[start : start + self._rng.randint(1, 12)])

    def _description(self) -> str:
        code, text = self._rng.choice(_diagnoses())
        return self._rng.choice((text, f"{code} {text}", f"{code} - {text}", text))

    def _table_row(self) -> str:
        makes = (
            self._amount,
            self._amount,
            self._date,
            self._code,
            lambda: self._number(2),
            self._name,
        )
        return " ".join(self._rng.choice(makes)() for _ in range(self._rng.randint(2, 6)))

    def _invented(self) -> str:
        """Words that no language model has seen: what names of drugs and towns look like."""
        r = self._rng
        words = []
        for _ in range(r.randint(1, 3)):
            word = "".join(
                r.choice("bcdfghjklmnpqrstvwxz")
                + r.choice(("a", "e", "i", "o", "u", "y", "ea", "io"))
                for _ in range(r.randint(1, 4))
            )
            words.append(r.choice((word, word.title(), word.upper(), word + r.choice("nrstlx"))))
        return " ".join(words)

    def _strewn(self) -> str:
        alphabet = string.ascii_letters + string.digits + _PUNCTUATION * 2 + _RARE + "    "
        return "".join(self._rng.choices(alphabet, k=self._rng.randint(3, 24)))

    def _digits(self) -> str:
        gap = self._rng.choice((" ", " ", "-", "/", "  "))
        return gap.join(
            self._number(self._rng.randint(1, 4)) for _ in range(self._rng.randint(1, 8))
        )

    def _number(self, digits: int) -> str:
        return "".join(self._rng.choices(string.digits, k=digits))


@cache
def _labels() -> list[str]:
    labels: set[str] = set()
    for schema in load_schemas().values():
        for field in schema.fields:
            labels.update((field.title, *field.labels))
            for options in field.options.values():
                labels.update(options)
    lexicon: Any = load_lexicon()
    for party in lexicon.parties:
        labels.update((*party.titles, *party.prefixes))
    for attribute in lexicon.attributes:
        labels.update(attribute.labels)
    return sorted(label for label in labels if label)


@cache
def _diagnoses() -> list[tuple[str, str]]:
    codes: list[str] = get_all_codes(with_dots=True)[::7]
    return [(code, get_description(code)) for code in codes if "." in code]


@cache
def _prose() -> list[str]:
    text = " ".join(topics[name] for name in sorted(topics))
    return re.findall(r"[A-Za-z0-9][A-Za-z0-9'()/,.;:-]*", text)
