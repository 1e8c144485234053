# SPDX-License-Identifier: Apache-2.0
"""What payers' forms ask for, section by section: the questions that a relabelled form asks.

Requests and referrals ask what a synthetic family asks (:mod:`training.synthesise.forms`); notices
and remittances, which are letters and tables there, ask here for what their reference blocks hold.
Only the wordings of the training half are used.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence

from training.synthesise import values
from training.synthesise.content import Content
from training.synthesise.family import Family
from training.synthesise.forms import Form, Section
from training.synthesise.items import diagnosis_items, group, member, payer, service_items
from training.synthesise.layout import Item

KINDS = ("prior_auth_request", "referral", "prior_auth_determination", "remittance_eob")
_SHARES = (5, 3, 2, 2)
_OUTCOMES = ("Approved", "Denied", "Partially Approved", "Pended", "Authorized", "Not Approved")
_TOTALS = (
    ("total_billed", "TOTAL_BILLED"),
    ("total_allowed", "TOTAL_ALLOWED"),
    ("total_adjustment", "TOTAL_ADJUSTMENT"),
    ("total_deductible", "TOTAL_DEDUCTIBLE"),
    ("total_copay", "TOTAL_COPAY"),
    ("total_coinsurance", "TOTAL_COINSURANCE"),
    ("total_paid", "TOTAL_PAID"),
    ("patient_responsibility", "PATIENT_RESPONSIBILITY"),
)
_Specs = Sequence[tuple[str, str, str | list[str], str]]
"""Key of the label, role, what is filled in, and whose it is."""


def kind_of(rng: random.Random) -> str:
    """The document type of one relabelled form; requests and referrals are most of them."""
    return rng.choices(KINDS, _SHARES)[0]


def sections_of(family: Family) -> list[Section]:
    """The sections of a form of the family's type, in the family's order."""
    if family.kind in ("prior_auth_request", "referral"):
        return Form(family).sections
    made = _notice(family) if family.kind == "prior_auth_determination" else _remittance(family)
    family.rng.shuffle(made)
    return made


def asked(
    family: Family, content: Content, *, titled: Callable[[], bool]
) -> Iterator[tuple[Section, list[Item]]]:
    """The sections with their questions, again and again; the asker says which have a title.

    A section without a title says in its labels whose its fields are.
    """
    while True:
        for section in sections_of(family):
            section.titled = titled()
            section.naming = None if section.titled else True
            yield section, section.build(content)


def _items(content: Content, specs: _Specs) -> list[Item]:
    """The items of a section; each is left out or left blank at times."""
    kept = [spec for spec in specs if content.rng.random() < 0.8]
    content.rng.shuffle(kept)
    return [content.item(key, role, text, party=party) for key, role, text, party in kept]


def _person(content: Content) -> list[Item]:
    own = content.person_items("patient", split=content.rng.random() < 0.3, naming=None)
    dob = content.item("dob", "DOB", content.birth, party="patient")
    return [*own, *content.rng.sample([dob, member(content), group(content)], 3)]


def _notice(family: Family) -> list[Section]:
    """A determination: the decision, for whom, for what and who asked for it."""

    def decision(content: Content) -> list[Item]:
        rng = content.rng
        days = [content.date(day) for day in (content.day, content.start, content.end)]
        denial = values.paragraph(rng, "denial_reasons", content.split, 1)
        return _items(
            content,
            (
                ("auth", "AUTH", values.identifier(rng), ""),
                ("determination", "DETERMINATION", rng.choice(_OUTCOMES), ""),
                ("determination_date", "DECISION_DATE", days[0], ""),
                ("effective_from", "START", days[1], ""),
                ("effective_to", "END", days[2], ""),
                ("approved_units", "UNITS", str(rng.randint(1, 40)), ""),
                ("denial_reason", "DENIAL", denial, ""),
                ("request_date", "DOC_DATE", days[0], ""),
                ("reviewer", "X_NAME", values.provider_name(rng, content.split, "natural"), ""),
            ),
        )

    def provider(party: str) -> Callable[[Content], list[Item]]:
        def build(content: Content) -> list[Item]:
            name = content.provider(party, company=party.startswith("serv"))
            own = content.item("name", "NAME", name, party=party, naming=True)
            phone = content.number("office_phone", "PHONE", party, "", None)
            fax = content.number("fax", "FAX", party, "", None)
            npi = content.item("npi", "NPI", values.npi(content.rng), party=party)
            return [own, *content.rng.sample([npi, phone, fax], content.rng.randint(0, 3))]

        return build

    return [
        Section(family, "patient", _person),
        Section(family, "request", decision),
        Section(family, "insurance", lambda content: [payer(content), member(content)]),
        Section(family, "requesting_provider", provider("requesting_provider")),
        Section(family, "servicing_provider", provider("servicing_provider")),
        Section(family, "services", service_items(family, dates=False)),
        Section(family, "diagnosis", diagnosis_items(family)),
    ]


def _remittance(family: Family) -> list[Section]:
    """A remittance's head, the person and number of a claim, and what it comes to."""

    def payee(content: Content) -> list[Item]:
        rng = content.rng
        return [
            content.item(
                "payee_name", "NAME", values.practice(rng, content.split), party="payee", blank=0
            ),
            *_items(
                content,
                (
                    ("payee_npi", "NPI", values.npi(rng), "payee"),
                    ("payee_tax_id", "TAX_ID", values.tax_id(rng), "payee"),
                    ("office_phone", "PHONE", values.phone(rng, rng.randrange(6)), "payee"),
                ),
            ),
            *content.address_items("payee", split=rng.random() < 0.4, naming=None),
        ]

    def payment(content: Content) -> list[Item]:
        rng, style = content.rng, content.style
        amount = values.print_money(rng.randint(900, 900_000) / 100, style.money)
        return [
            payer(content),
            *_items(
                content,
                (
                    ("issue_date", "PAY_DATE", content.date(content.day), ""),
                    ("eft_number", "EFT", values.identifier(rng), ""),
                    ("eob_number", "EOB_NO", values.identifier(rng), ""),
                    ("payment_amount", "PAYMENT", amount, ""),
                ),
            ),
        ]

    def claim(content: Content) -> list[Item]:
        rng = content.rng
        return [
            *_items(
                content,
                (
                    ("claim_number", "CLAIM_NO", values.identifier(rng), ""),
                    ("patient_account", "ACCOUNT", values.identifier(rng), ""),
                    ("service_from", "START", content.date(content.start), ""),
                    ("service_to", "END", content.date(content.end), ""),
                ),
            ),
            *_person(content),
        ]

    def totals(content: Content) -> list[Item]:
        specs = [
            (key, role, values.print_money(content.rng.randint(0, 500_000) / 100,
                                           content.style.money), "")
            for key, role in _TOTALS
        ]  # fmt: skip
        return _items(content, specs)

    return [
        Section(family, "payee", payee),
        Section(family, "insurance", payment),
        Section(family, "patient", claim),
        Section(family, "services", totals),
    ]
