# SPDX-License-Identifier: Apache-2.0
"""Further pages of a document: letters that run over, notes, long remittances, appeal rights.

The generator of single documents draws one or two pages; real ones run over. What such a page has
at its top (nothing, the patient, the title or the letterhead again) and how pages are numbered is
drawn per layout family, with wordings that only held-out families use.
"""

from __future__ import annotations

import datetime as dt
import random
import re
from collections.abc import Sequence
from typing import NamedTuple

from idp.document import Page
from training.synthesise import values
from training.synthesise.canvas import Canvas, Drawn
from training.synthesise.noise import Labelled, Noise, draw_noise, read
from training.synthesise.values import Split

_NUMBERINGS = (
    "Page {n} of {m}",
    "page {n}/{m}",
    "Pg {n} of {m}",
    "{n} of {m}",
    "- {n} -",
    "Page {n}",
    "Page {n} of {m} pages",
    "PAGE: {n} OF {m}",
    # kept for held-out families
    "Pg. {n}/{m}",
    "{n}/{m}",
    "Page No. {n}",
    "Sheet {n} of {m}",
    "p. {n} of {m}",
)
_PATIENT_LINES = (
    "Patient: {name}   DOB: {dob}",
    "RE: {name}",
    "Patient Name: {name}",
    "{name}, DOB {dob}",
    "Member: {name}   Date of Birth: {dob}",
    # kept for held-out families
    "Pt: {name} ({dob})",
    "Patient: {name} (continued)",
    "Enrollee: {name}   ID: {member}",
)
_CONTINUED = (
    "(continued)",
    "continued",
    "Continued from previous page",
    "cont'd",
    "Additional notes",
)
_HEADINGS = (
    "Clinical Information",
    "SECTION C - CLINICAL QUESTIONS",
    "Attachment A",
    "Additional Information",
    "LETTER OF MEDICAL NECESSITY",
    "Terms and Conditions",
    "Important Information About Your Rights",
    # kept for held-out families
    "Supplemental Questions",
    "PART II: SUPPORTING DOCUMENTATION",
    "Remarks and Explanations",
)
_KEPT = {"numbering": 5, "patient": 3, "heading": 3}
_RIGHTS = (
    "Your appeal rights",
    "You or your representative may file an appeal.",
    "You may ask for an expedited review if waiting could harm your health.",
    "Write to the Appeals Department at the address in the letterhead.",
    "You have the right to request copies of the documents used to make this decision.",
    "If you need help understanding this notice call member services.",
    "An independent reviewer may look at the decision after the internal appeal.",
    "This notice does not change the amounts that you owe for other services.",
)
_SECTIONS = (
    "Clinical Information",
    "Additional Comments",
    "Conservative Therapy",
    "Reason for Request",
    "Prior Treatment",
    "Supporting Information",
)
_SECTIONS_OF_NOTES = (
    "History of Present Illness",
    "Assessment and Plan",
    "Medications",
    "Allergies",
    "Physical Examination",
)
_NOTES = frozenset({"clinical_note", "lab_result"})
_CLOSINGS = ("Sincerely,", "Respectfully,", "Electronically signed by", "Signature:", "Regards,")


class Person(NamedTuple):
    """Whom a document is about, as printed in it; empty where it is not."""

    name: str = ""
    born: str = ""
    member: str = ""


class Manner(NamedTuple):
    """How a family's documents run over."""

    top: str
    numbering: str
    patient_line: str
    continued: str
    heading: str
    at_foot: bool
    size: float
    """Of the print against the first page's: instructions and notes are often set otherwise."""
    shift: float
    """Of the left margin."""


def manner(family: str, split: Split) -> Manner:
    """The same for all documents of a layout family."""
    rng = random.Random(f"{family}-runs-over")  # noqa: S311 - not for secrets

    def choose(entries: Sequence[str], kept: int) -> str:
        if split == "heldout" and rng.random() < 0.6:
            return rng.choice(entries[-kept:])
        return rng.choice(entries[:-kept])

    tops = (
        "nothing", "nothing", "patient", "patient", "title", "continued", "letterhead", "heading",
    )  # fmt: skip
    return Manner(
        rng.choice(tops),
        choose(_NUMBERINGS, _KEPT["numbering"]) if rng.random() < 0.55 else "",
        choose(_PATIENT_LINES, _KEPT["patient"]),
        rng.choice(_CONTINUED),
        choose(_HEADINGS, _KEPT["heading"]),
        rng.random() < 0.7,
        rng.uniform(0.72, 1.35) if rng.random() < 0.4 else 1.0,
        rng.uniform(-0.03, 0.04) if rng.random() < 0.4 else 0.0,
    )


class _Drawing:
    """One further page being drawn."""

    def __init__(self, first: Page, how: Manner, rng: random.Random, split: Split) -> None:
        heights = sorted(word.box.height for word in first.words) or [0.012]
        size = min(0.017, max(0.008, heights[len(heights) // 2] * how.size))
        lefts = sorted(word.box.x0 for word in first.words) or [0.06]
        self.left = min(0.14, max(0.03, lefts[len(lefts) // 20] + how.shift))
        self.canvas = Canvas(size=size, leading=1.35)
        self.first, self.how, self.rng, self.split = first, how, rng, split
        self.y = 0.05

    def say(self, text: str, scale: float = 1.0) -> None:
        end = self.canvas.text(self.left, self.y, text, scale=scale, xmax=0.95, wrap_to=self.left)
        self.y = end.y + self.canvas.line * 1.5

    def again(self, until: float) -> None:
        """What stands at the top of the first page, once more."""
        self.canvas.sheet.words.extend(
            Drawn(word.text, word.box) for word in self.first.words if word.box.y1 < until
        )
        self.y = until + self.canvas.line

    def head(self, person: Person) -> None:
        top = self.how.top
        if top == "letterhead":
            self.again(0.13)
        elif top == "title":
            self.again(0.09)
        elif top == "heading":
            self.say(self.how.heading, self.rng.choice((1.0, 1.3, 1.5)))
        if top == "continued" or (top == "title" and self.rng.random() < 0.5):
            self.say(self.how.continued)
        if top == "patient" and person.name:
            line = self.how.patient_line.format(
                name=person.name, dob=person.born or "unknown", member=person.member or "unknown"
            )
            self.say(line)

    def prose(self, until: float, sections: Sequence[str]) -> None:
        while self.y < until:
            if self.rng.random() < 0.35:
                self.say(self.rng.choice(sections), 1.0 if self.rng.random() < 0.6 else 1.2)
            self.say(values.narrative(self.rng, self.split, self.rng.randint(2, 6)))

    def rights(self, until: float) -> None:
        while self.y < until:
            self.say(self.rng.choice(_RIGHTS))

    def lines_of_claims(self, until: float) -> None:
        """More claims, under the table's head or without one."""
        columns = (0.05, 0.28, 0.42, 0.52, 0.63, 0.74, 0.86)
        if self.rng.random() < 0.6:
            heads = ("Patient", "Claim Number", "DOS", "CPT", "Billed", "Allowed", "Paid")
            for x, text in zip(columns, heads, strict=True):
                self.canvas.text(x, self.y, text, xmax=0.99)
            self.y += self.canvas.line * 1.3
        while self.y < until:
            billed = self.rng.uniform(40, 2000)
            day = values.date_between(self.rng, dt.date(2024, 1, 1), dt.date(2026, 6, 1))
            cells = (
                values.print_name(values.person(self.rng, self.split), "natural"),
                values.identifier(self.rng),
                f"{day:%m/%d/%y}",
                values.procedure(self.rng, self.split)[0],
                f"{billed:.2f}",
                f"{billed * 0.7:.2f}",
                f"{billed * 0.6:.2f}",
            )
            for x, text in zip(columns, cells, strict=True):
                self.canvas.text(x, self.y, text, xmax=0.995)
            self.y += self.canvas.line * 1.3


_ADVICE = (
    "Complete all fields. Incomplete forms are returned.",
    "Fax this form with clinical notes to the number shown.",
    "Attach laboratory results and imaging reports where they apply.",
    "Expedited review is for conditions that threaten life or function.",
    "A decision is made within the time that the law allows.",
    "Do not use this form to request an appeal.",
    "Keep a copy for your records.",
)


def front_page(
    first: Page, how: Manner, rng: random.Random, split: Split, noise: Noise | None = None
) -> Labelled:
    """Instructions in front of a form: its title, how to fill it in, and nobody's name."""
    drawing = _Drawing(first, how, rng, split)
    drawing.again(0.13)
    drawing.say(
        rng.choice(("Instructions", "How to complete this form", "GENERAL INFORMATION")), 1.2
    )
    for _ in range(rng.randint(5, 14)):
        drawing.say(rng.choice(_ADVICE))
    (page,) = read(drawing.canvas, noise or draw_noise(rng), rng)
    return page


def further_page(
    kind: str,
    first: Page,
    how: Manner,
    person: Person,
    rng: random.Random,
    *,
    last: bool,
    split: Split,
    noise: Noise | None = None,
) -> Labelled:
    """One further page of a document, before it is numbered."""
    drawing = _Drawing(first, how, rng, split)
    drawing.head(person if kind != "remittance_eob" else Person())
    until = rng.uniform(0.25, 0.85) if last else rng.uniform(0.75, 0.9)
    if kind == "remittance_eob":
        drawing.lines_of_claims(until)
        if last:
            drawing.say(f"Total paid {rng.uniform(100, 9000):.2f}")
    elif kind == "prior_auth_determination" and rng.random() < 0.6:
        drawing.rights(until)
    else:
        drawing.prose(until, _SECTIONS_OF_NOTES if kind in _NOTES else _SECTIONS)
    if last and kind != "remittance_eob" and rng.random() < 0.6:
        drawing.say(rng.choice(_CLOSINGS))
        drawing.say(values.provider_name(rng, split, "natural"))
    (page,) = read(drawing.canvas, noise or draw_noise(rng), rng)
    return page


_OWN_NUMBER = re.compile(r"pa[gq]e?\d*|\d{1,2}/?\d?|of|/", re.I)


def without_numbers(page: Page) -> Page:
    """The page without its own "Page 2 of 2" at the foot: it has another number now."""
    foot = [word for word in page.words if word.box.y0 > 0.95]
    taken = {word.id for word in foot if _OWN_NUMBER.fullmatch(word.text.strip(".,"))}
    return with_words(page, [word for word in page.words if word.id not in taken])


def with_words(page: Page, words: Sequence[object]) -> Page:
    """The page with these words, their ids made those of their places again."""
    kept = [word.model_copy(update={"id": i}) for i, word in enumerate(words)]  # type: ignore[attr-defined]
    return page.model_copy(update={"words": tuple(kept)})


def numbered(page: Page, how: Manner, number: int, total: int, rng: random.Random) -> Page:
    """The page with its number, where the family numbers its pages."""
    if not how.numbering:
        return page
    canvas = Canvas(size=0.0105, leading=1.3)
    y = 0.965 if how.at_foot else 0.022
    canvas.text(
        rng.uniform(0.42, 0.45) if how.at_foot else 0.8,
        y,
        how.numbering.format(n=number, m=total),
        xmax=0.99,
    )
    (printed,) = read(canvas, Noise(confuse=0.004), rng)
    line = max((word.line for word in page.words), default=0) + 1
    extra = [word.model_copy(update={"line": line}) for word in printed.page.words]
    if how.at_foot:
        return with_words(page, [*page.words, *extra])
    return with_words(page, [*extra, *page.words])
