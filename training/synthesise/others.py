# SPDX-License-Identifier: Apache-2.0
"""Hard negatives: documents that share words and layouts with the wanted types but are none."""

from __future__ import annotations

import datetime as dt
import random

from training.synthesise import values
from training.synthesise.canvas import Canvas, Tag
from training.synthesise.content import Content
from training.synthesise.family import Family
from training.synthesise.furniture import fax_line, footer, heading_x, instructions
from training.synthesise.layout import MECHANISMS, TITLE, Area, Column, Item, table
from training.synthesise.layout import boxed as boxed_mechanism

KINDS = (
    "claim_form",
    "lab_result",
    "fax_cover",
    "clinical_note",
    "insurance_card",
    "records_request",
)
_TITLES = {
    "claim_form": ("HEALTH INSURANCE CLAIM FORM", "Medical Claim Form", "Dental Claim Form"),
    "lab_result": ("LABORATORY REPORT", "Final Report", "Lab Results"),
    "fax_cover": ("FAX", "FAX COVER SHEET", "Facsimile Transmittal"),
    "clinical_note": ("Progress Note", "Office Visit", "Discharge Summary", "Consultation Note"),
    "insurance_card": ("Member Card", "Insurance Card", "Health Plan ID Card"),
    "records_request": ("Request for Medical Records", "Authorization to Release Information"),
}
_TESTS = (
    "Glucose",
    "Sodium",
    "Potassium",
    "Creatinine",
    "WBC",
    "Hemoglobin",
    "Platelets",
    "TSH",
    "A1C",
)


class OtherPage:
    """A family of a kind that is routed, not extracted."""

    def __init__(self, family: Family) -> None:
        self.family = family
        self.kind = KINDS[family.index % len(KINDS)]
        self.fax_header = family.chance(0.4)
        self.mechanism = family.mechanism()
        self.head = MECHANISMS[family.rng.choice(("inline2", "inline3", "boxed3", "grid2"))]

    def draw(self, rng: random.Random) -> Canvas:
        """One filled page."""
        family, style = self.family, self.family.style
        content = Content(family, rng)
        canvas = Canvas(size=style.size, leading=style.leading)
        if self.fax_header:
            fax_line(canvas, family, rng)
        titles = _TITLES[self.kind]
        title = titles[(family.index // len(KINDS)) % len(titles)]
        y = 0.045
        if family.index % 2:
            name = values.practice(rng, family.split)
            canvas.text(0.08, y, name, Tag("PRACTICE", "letterhead"), scale=1.3)
            y += canvas.line * 2
        canvas.text(heading_x(canvas, title, "center", 1.5), y, title, TITLE, scale=1.5, xmax=0.98)
        y += canvas.line * 2.4
        patient = [
            *content.person_items("patient", split=False, naming=None),
            content.item("dob", "DOB", content.birth, party="patient"),
        ]
        if self.kind == "claim_form":
            y = self._claim_form(canvas, content, rng, y)
        elif self.kind == "lab_result":
            y = self._lab(canvas, content, rng, patient, y)
        elif self.kind == "fax_cover":
            y = self._cover(canvas, content, rng, y)
        elif self.kind == "insurance_card":
            items = [
                content.item("payer_name", "PAYER", content.payer, party="payer", blank=0),
                *patient[:1],
                content.item(
                    "member_id", "MEMBER_ID", values.member_id(rng), party="patient", blank=0
                ),
                content.item(
                    "group_number", "GROUP", values.group_number(rng), party="patient", blank=0
                ),
                content.item("bin", "X_ID", values.digits(rng, 6), blank=0),
            ]
            y = self.mechanism(canvas, style, rng, items, Area(style.left, 0.7, y))
        else:
            drawn = content.item("last_seen", "X_DATE", content.date(content.day))
            y = self.head(canvas, style, rng, [*patient, drawn], Area(style.left, style.right, y))
            for title in (
                "Chief Complaint",
                "History of Present Illness",
                "Assessment and Plan",
                "Medications",
            ):
                canvas.text(style.left, y, title, TITLE)
                text = values.narrative(rng, family.split, rng.randint(2, 5))
                end = canvas.text(
                    style.left, y + canvas.line, text, Tag("X_TEXT"), xmax=style.right
                )
                y = end.y + canvas.line * 1.8
        if y < 0.9:
            instructions(canvas, family, rng, y)
        footer(canvas, family, rng)
        return canvas

    def _lab(
        self, canvas: Canvas, content: Content, rng: random.Random, patient: list[Item], y: float
    ) -> float:
        style = self.family.style
        area = Area(style.left, style.right, y)
        doctor = content.provider("", company=False)
        items = [
            *patient,
            content.item("last_seen", "X_DATE", content.date(content.day)),
            content.item("chart", "X_ID", values.digits(rng, 7)),
            content.item("name", "NAME", doctor, party="referring_provider", naming=True),
        ]
        y = self.head(canvas, style, rng, items, area)
        tests = rng.sample(_TESTS, rng.randint(4, 8))
        results = tuple(f"{rng.uniform(0.4, 180):.1f}" for _ in tests)
        columns = (
            Column("Test", "X_TEXT", texts=tuple(tests), width=1.6),
            Column("Result", "X_TEXT", texts=results),
            Column("Units", "X_TEXT", texts=("mg/dL",) * len(tests)),
            Column("Reference Range", "X_TEXT", texts=("70 - 110",) * len(tests), width=1.3),
        )
        area = Area(style.left, style.right, y)
        return table(canvas, style, columns, area, ruled=bool(self.family.index % 2))

    def _cover(self, canvas: Canvas, content: Content, rng: random.Random, y: float) -> float:
        style, split = self.family.style, self.family.split
        pairs = (
            ("To:", values.practice(rng, split), "X_NAME"),
            ("From:", values.practice(rng, split), "X_NAME"),
            ("Fax:", values.phone(rng, style.phone), "X_ID"),
            ("Phone:", values.phone(rng, style.phone), "X_ID"),
            ("Date:", content.date(content.day), "X_DATE"),
            ("Pages:", str(rng.randint(1, 30)), "X_ID"),
            (
                "Re:",
                rng.choice(
                    (
                        "Referral",
                        "Medical records",
                        "Prior authorization",
                        "Lab results",
                        "URGENT request",
                    )
                ),
                "X_TEXT",
            ),
        )
        for label, text, role in pairs[: rng.randint(5, 7)]:
            end = canvas.text(style.left, y, label, Tag("LABEL"), scale=1.2)
            canvas.text(max(end.x, style.left + 0.12), y, text, Tag(role), scale=1.2)
            y += canvas.line * 1.9
        return y + canvas.line

    def _claim_form(self, canvas: Canvas, content: Content, rng: random.Random, y: float) -> float:
        style, split = self.family.style, self.family.split
        other = values.provider_name(rng, split, style.provider)
        items = [
            content.item("member_id", "MEMBER_ID", values.member_id(rng), party="patient"),
            *content.person_items("patient", split=False, naming=True),
            content.item("dob", "DOB", content.birth, party="patient"),
            content.sex_item(),
            content.item(
                "subscriber_name",
                "NAME",
                values.print_name(content.patient, style.name),
                party="subscriber",
            ),
            *content.address_items("patient", split=True, naming=False),
            content.item("group_number", "GROUP", values.group_number(rng), party="patient"),
            content.item("plan_name", "PLAN", values.pick(rng, "plans", split), party="payer"),
            content.item("name", "NAME", other, party="referring_provider", naming=True),
            content.item("npi", "NPI", values.npi(rng), party="referring_provider"),
            content.item("icd", "ICD", [c for c, _ in content.codes]),
            content.item("auth", "AUTH", values.identifier(rng), blank=0.5),
            content.item("tax_id", "TAX_ID", values.tax_id(rng), party="payee"),
            content.item("patient_account", "ACCOUNT", values.identifier(rng)),
        ]
        y = boxed_mechanism(3, numbered=True)(
            canvas, style, rng, items, Area(style.left, style.right, y)
        )
        count = rng.randint(1, 4)
        days = tuple(content.date(content.day - dt.timedelta(days=i)) for i in range(count))
        columns = (
            Column("Dates of Service", "C_DATE", texts=days, width=1.3),
            Column("Place", "X_TEXT", texts=("11",) * count, width=0.5),
            Column(
                "CPT/HCPCS", "C_CODE", texts=tuple(values.procedure(rng, split)[0] for _ in days)
            ),
            Column("Pointer", "X_TEXT", texts=("A",) * count, width=0.6),
            Column(
                "$ Charges", "C_MONEY", texts=tuple(f"{rng.uniform(30, 900):.2f}" for _ in days)
            ),
            Column("Units", "C_UNITS", texts=("1",) * count, width=0.5),
            Column(
                "Rendering NPI",
                "NPI",
                "payee",
                texts=tuple(values.npi(rng) for _ in days),
                width=1.2,
            ),
        )
        return table(canvas, style, columns, Area(style.left, style.right, y), ruled=True)
