# SPDX-License-Identifier: Apache-2.0
"""What stands around the fields: letterheads, titles, fax lines, instructions, footers."""

from __future__ import annotations

import random

from training.synthesise import values
from training.synthesise.canvas import Canvas, Tag, width_of
from training.synthesise.content import Content
from training.synthesise.family import Family
from training.synthesise.layout import TITLE, Area, print_label

_TITLES = {
    "prior_auth_request": (
        "Prior Authorization Request Form",
        "PRIOR AUTHORIZATION REQUEST",
        "Authorization Request Form",
        "Outpatient Prior Authorization Fax Form",
        "Medication Prior Authorization Form",
        "Request for Precertification",
        "Standard Prior Authorization Request Form for Health Care Services",
        "Prior Auth / Precert Request",
        "Service Authorization Submission",
    ),
    "referral": (
        "Referral Form",
        "Patient Referral Form",
        "Specialist Referral Request",
        "REFERRAL ORDER",
        "Outpatient Referral",
        "Referral Request",
        "Physician Referral",
        "Consultation Request / Referral",
        "Specialty Care Referral",
    ),
}


_QUESTIONS = (
    "Does the patient have a terminal illness?",
    "Is this request for a continuation of therapy?",
    "Is the patient currently hospitalized?",
    "Has the patient tried a generic alternative?",
    "MD Signed Order Attached?",
    "Is the patient established on this medication?",
    "Will the drug be administered in a physician's office?",
    "Is this injury related to work or an accident?",
    "Are clinical notes attached?",
    "Does the member have other insurance?",
    "Interpreter needed?",
)
_OPTIONS = (
    ("Physical Therapy", "Occupational Therapy", "Speech Therapy", "Cardiac Rehab"),
    ("Inpatient", "Outpatient", "Provider Office", "Observation", "Home", "Day Surgery"),
    ("DME", "Home Health", "Hospice", "Skilled Nursing", "Transport"),
    ("Mental Health/Substance Abuse", "Surgery", "Imaging", "Laboratory"),
    ("Evaluate and treat", "Consult only", "Second opinion", "Transfer of care"),
    ("Oral", "Injectable", "Topical", "Infusion"),
    ("Medicare", "Medicaid", "Commercial", "Self pay", "Tricare"),
    ("Office notes", "Lab results", "Imaging reports", "Medication list"),
)


def heading_x(canvas: Canvas, text: str, where: str, scale: float) -> float:
    """Where a heading begins."""
    width = width_of(text, canvas.size * scale)
    return {"center": max(0.05, 0.5 - width / 2), "left": 0.06}.get(where, max(0.05, 0.93 - width))


def fax_line(canvas: Canvas, family: Family, rng: random.Random) -> None:
    """The line a fax machine prints above the page: numbers and a name that are not wanted."""
    day = f"{rng.randint(1, 12):02d}/{rng.randint(1, 28):02d}/{rng.randint(2023, 2026)}"
    text = (
        f"{day} {rng.randint(1, 12)}:{rng.randint(10, 59)} {rng.choice(('AM', 'PM', ''))} "
        f"{rng.choice(('FROM', 'From:', 'Fax'))} {values.practice(rng, family.split)} "
        f"{values.phone(rng, rng.randrange(3))} {rng.choice(('TO', '->', 'To:'))} "
        f"{values.phone(rng, rng.randrange(3))} {rng.choice(('PAGE', 'P.', 'Pg'))} "
        f"{rng.randint(1, 4):03d}{rng.choice((' OF ', '/'))}{rng.randint(4, 9):03d}"
    )
    canvas.text(0.05, 0.008, text, scale=0.8, xmax=0.99)


def header(
    canvas: Canvas,
    family: Family,
    content: Content,
    rng: random.Random,
    *,
    where: str,
    fax: bool,
    payer: bool,
    routing: bool,
) -> float:
    """The head of a form; returns the y below it."""
    style = family.style
    if fax:
        fax_line(canvas, family, rng)
    y = 0.04
    if payer:
        tag = Tag("PAYER", "payer", content.known("payer_name"))
        spot = "left" if family.index % 2 else where
        x = heading_x(canvas, content.payer, spot, 1.5)
        end = canvas.text(x, y, content.payer, tag, scale=1.5, xmax=0.97)
        y = end.y + canvas.line * 1.9
    elif family.kind == "referral" and family.index % 3 == 0:
        y = _letterhead(canvas, family, content, rng, y)
    titles = _TITLES[family.kind]
    kept = 2
    pool = titles[-kept:] if family.split == "heldout" and family.index % 2 else titles[:-kept]
    title = print_label(style, pool[family.index % len(pool)], colon=False)
    x = heading_x(canvas, title, where, 1.4)
    end = canvas.text(x, y, title, TITLE, scale=1.4, xmax=0.97)
    y = end.y + canvas.line * 2.0
    if routing:
        fax_text, phone_text = values.phone(rng, style.phone), values.phone(rng, style.phone)
        lead = (
            "Fax completed form to:",
            "Fax to:",
            "Fax this form to",
            "Submit by fax:",
            "Please return this form via fax to",
        )[family.index % 5]
        end = canvas.text(style.left, y, lead, Tag("LABEL"), xmax=0.9)
        tag = Tag("FAX", "payer", content.known("payer_fax"))
        end = canvas.text(end.x, end.y, fax_text, tag, xmax=0.97)
        if family.index % 2:
            words = ("Phone:", "Questions? Call", "Telephone", "or call")[family.index % 4]
            end = canvas.text(end.x + 0.015, end.y, words, Tag("LABEL"), xmax=0.97)
            tag = Tag("PHONE", "payer", content.known("payer_phone"))
            end = canvas.text(end.x, end.y, phone_text, tag, xmax=0.97)
        y = end.y + canvas.line * 1.6
    return y


def _letterhead(
    canvas: Canvas, family: Family, content: Content, rng: random.Random, y: float
) -> float:
    """A practice's letterhead: whose it is, is known from no label."""
    name = values.practice(rng, family.split)
    end = canvas.text(0.08, y, name, Tag("PRACTICE", "letterhead"), scale=1.3)
    street, city, state, zip_code = values.address(rng, family.split)
    y = end.y + canvas.line * 1.5
    line = f"{street}, {city}, {state} {zip_code}"
    canvas.text(0.08, y, line, Tag("ADDRESS", "letterhead"), scale=0.9)
    y += canvas.line
    end = canvas.text(0.08, y, "Phone:", Tag("LABEL"), scale=0.9)
    number = values.phone(rng, content.style.phone)
    end = canvas.text(end.x, y, number, Tag("PHONE", "letterhead"), scale=0.9)
    end = canvas.text(end.x + 0.02, y, "Fax:", Tag("LABEL"), scale=0.9)
    number = values.phone(rng, content.style.phone)
    canvas.text(end.x, y, number, Tag("FAX", "letterhead"), scale=0.9)
    return y + canvas.line * 1.8


def instructions(canvas: Canvas, family: Family, rng: random.Random, y: float) -> float:
    """A paragraph that is not wanted, with words that look like labels."""
    text = values.instruction(rng, family.split, rng.choice((1, 2, 3, 5, 8)))
    style = family.style
    end = canvas.text(style.left, y, text, scale=0.85, xmax=style.right)
    return end.y + canvas.line * 1.5


def questions(canvas: Canvas, family: Family, rng: random.Random, area: Area) -> float:
    """Questions and options with check boxes that no field asks for."""
    x0, x1, y = area
    own = random.Random(f"{family.name}-questions-{round(x0, 2)}")  # noqa: S311 - not for secrets
    for _ in range(own.randint(1, 4)):
        if y > 0.95:
            break
        if own.random() < 0.5:
            text = _QUESTIONS[own.randrange(len(_QUESTIONS))]
            end = canvas.text(x0, y, text, Tag("LABEL"), xmax=x1 - 0.15)
            options: tuple[str, ...] = ("Yes", "No")
        else:
            options = _OPTIONS[own.randrange(len(_OPTIONS))]
            end = canvas.text(x0, y, "", xmax=x1)
        x, y = end
        chosen = rng.randrange(len(options) * 2)
        for place, option in enumerate(options):
            if x + width_of(option, canvas.size) + canvas.size * 3 > x1:
                x, y = x0 + 0.02, y + canvas.line * 1.1
            x = canvas.mark(x, y, option, checked=place == chosen)
            x = canvas.text(x, y, option, xmax=0.99).x + canvas.size
        if own.random() < 0.3:
            x = canvas.text(x, y, own.choice(("Other:", "Duration:", "Frequency:")), Tag("LABEL")).x
        y += canvas.line * 1.4
    return y + canvas.line * 0.3


def footer(canvas: Canvas, family: Family, rng: random.Random) -> None:
    """Form number, revision and page count: numbers that are not wanted."""
    if family.index % 4 == 3:
        return
    own = random.Random(f"{family.name}-footer")  # noqa: S311 - not for secrets
    text = (
        f"{own.choice(('Form', 'NOFR', 'PA-', 'Rev.'))} {own.randint(100, 99999)} "
        f"Rev {own.randint(1, 12):02d}/{own.randint(15, 25)} Page {len(canvas.sheets)} "
        f"{rng.choice(('of', '/'))} {len(canvas.sheets)}"
    )
    canvas.text(family.style.left, 0.965, text, scale=0.8)
