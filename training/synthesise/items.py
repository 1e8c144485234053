# SPDX-License-Identifier: Apache-2.0
"""The items and table columns of a form's sections, for one document."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

from training.synthesise import values
from training.synthesise.content import Content
from training.synthesise.family import Family
from training.synthesise.layout import Column, Item

Builder = Callable[[Content], list[Item]]

_TABLE_HEADS = {
    "code": ("Code", "CPT Code", "CPT/HCPCS", "Procedure Code", "CPT"),
    "text": ("Description", "Service", "Planned Service or Procedure", "Procedure Description"),
    "start": ("Start Date", "From", "Begin Date", "Start"),
    "end": ("End Date", "To", "Through", "End"),
    "units": ("Units", "Visits", "Qty", "# Units"),
    "icd": ("ICD-10", "Dx Code", "Diagnosis Code", "Code"),
    "dx": ("Diagnosis", "Diagnosis Description", "Diagnosis Description (ICD version 10)"),
}


def member(content: Content) -> Item:
    """The member number."""
    return content.item(
        "member_id",
        "MEMBER_ID",
        content.once("member_id", values.member_id(content.rng)),
        party="patient",
        name="member_id",
        blank=0.05,
    )


def group(content: Content) -> Item:
    """The group number; often blank."""
    return content.item(
        "group_number",
        "GROUP",
        content.once("group_number", values.group_number(content.rng)),
        party="patient",
        name="group_number",
        blank=0.3,
    )


def payer(content: Content) -> Item:
    """The payer's name."""
    return content.item(
        "payer_name", "PAYER", content.payer, party="payer", name="payer_name", weight=1.3
    )


def subscriber(content: Content) -> Item:
    """The subscriber's name; mostly blank."""
    name = values.print_name(values.person(content.rng, content.split), content.style.name)
    return content.item(
        "subscriber_name",
        "NAME",
        content.once("subscriber", name),
        party="subscriber",
        name="subscriber_name",
        blank=0.45,
        weight=1.3,
    )


def contact(content: Content) -> list[Item]:
    """Whom to call back."""
    parts = values.person(content.rng, content.split)
    items = [
        content.item(
            "contact_name",
            "NAME",
            content.once(
                "contact", values.print_name((parts[0], "", parts[2]), content.style.name)
            ),
            party="contact",
            name="contact_name",
            blank=0.2,
        )
    ]
    if content.family.index % 3:
        number = content.once("contact_phone", values.phone(content.rng, content.style.phone))
        items.append(
            content.item("contact_phone", "PHONE", number, party="contact", name="contact_phone")
        )
    return items


def request_date(content: Content, key: str, name: str) -> Item:
    """The day of the request."""
    return content.item(key, "DOC_DATE", content.date(content.day), name=name)


def diagnosis_items(family: Family) -> Builder:
    """Codes, descriptions, or both, in the family's order."""
    together = family.rng.choice(("code", "code", "both", "text", "joined", "primary"))

    def build(content: Content) -> list[Item]:
        codes = [c for c, _ in content.codes]
        texts = [t for _, t in content.codes]
        wide = 1.0 + 0.5 * len(codes)
        if together == "joined":  # "code - text" in one place: two values each
            item = content.item("icd", "ICD", codes[:1], name="diagnosis_codes", weight=1.0)
            text = content.item(
                "diagnosis", "DX", texts[:1], name="diagnosis_descriptions", weight=2.0
            )
            return [text, item]
        items = []
        if together != "text":
            items.append(content.item("icd", "ICD", codes, name="diagnosis_codes", weight=wide))
        if together in ("both", "text", "primary"):
            items.append(
                content.item(
                    "diagnosis", "DX", texts[:1], name="diagnosis_descriptions", weight=2.0
                )
            )
        if together == "primary":
            items.reverse()
        if family.index % 5 == 0:
            day = content.day - dt.timedelta(days=content.rng.randint(3, 200))
            items.append(content.item("last_seen", "X_DATE", content.date(day)))
        return items

    return build


def service_items(family: Family, *, dates: bool) -> Builder:
    """Procedure codes with what belongs to them, outside a table."""
    with_text, with_units = family.chance(0.7), family.chance(0.5)

    def build(content: Content) -> list[Item]:
        codes = [c for c, _ in content.services]
        items = [
            content.item("cpt", "CPT", codes, name="procedure_codes", weight=1 + 0.4 * len(codes))
        ]
        if with_text:
            text = content.services[0][1]
            items.append(
                content.item("service", "SERVICE", text, name="service_descriptions", weight=2.0)
            )
        if dates:
            items.append(
                content.item(
                    "start", "START", content.date(content.start), name="service_start_date"
                )
            )
            items.append(
                content.item("end", "END", content.date(content.end), name="service_end_date")
            )
        if with_units:
            count = str(content.rng.randint(1, 36))
            items.append(content.item("units", "UNITS", count, name="units"))
        return items

    return build


def medication_items(family: Family) -> Builder:
    """A drug and how it is taken."""
    keep = {
        k: family.chance(p)
        for k, p in {
            "strength": 0.8,
            "dosage_form": 0.4,
            "quantity": 0.7,
            "directions": 0.7,
            "duration": 0.6,
            "cpt": 0.2,
        }.items()
    }

    def build(content: Content) -> list[Item]:
        rng = content.rng
        name, strength, form, directions = values.medication(rng, content.split)
        amount = rng.choice((str(rng.randint(1, 90)), f"{rng.randint(1, 6)} pens", "30 tablets"))
        months = rng.choice((f"{rng.randint(1, 12)} months", "12 weeks", "1 year", "ongoing"))
        specs = (
            ("strength", "STRENGTH", strength, "medication_strength", 1.0),
            ("dosage_form", "DOSE_FORM", form, "dosage_form", 1.0),
            ("quantity", "QUANTITY", amount, "quantity", 0.8),
            ("directions", "DIRECTIONS", directions, "directions", 2.0),
            ("duration", "DURATION", months, "duration_of_therapy", 1.0),
        )
        items = [
            content.item(
                "medication", "MEDICATION", name, name="medication_name", blank=0.03, weight=1.4
            )
        ]
        items += [
            content.item(key, role, text, name=field, weight=weight)
            for key, role, text, field, weight in specs
            if keep[key]
        ]
        if keep["cpt"]:
            code = rng.choice("JQ") + values.digits(rng, 4)
            items.append(content.item("cpt", "CPT", code, name="procedure_codes"))
        return items

    return build


def tried_items(content: Content) -> list[Item]:
    """Drugs tried before, outside a table."""
    drugs = values.several(content.rng, "tried", content.split, content.rng.randint(1, 3))
    return [content.item("tried", "TRIED", drugs, name="medications_tried", blank=0.2, weight=3)]


def notes_items(content: Content) -> list[Item]:
    """The clinical narrative."""
    name = "clinical_notes"
    text = values.narrative(content.rng, content.split, content.rng.randint(2, 5))
    return [content.item("notes", "NOTES", text, name=name, blank=0.25, long=True, weight=9)]


def signature_items(content: Content) -> list[Item]:
    """A signature, printed as a name, and its date."""
    name = values.provider_name(content.rng, content.split, "natural")
    signed = content.item("signature", "SIGNATURE", name, name="", blank=0.2, weight=1.6)
    if content.known("signature_present"):
        signed = Item(
            signed.key,
            signed.label,
            signed.role,
            texts=signed.texts,
            weight=signed.weight,
            truth=("signature_present", "yes" if signed.texts else ""),
        )
    own = "form_date" if content.family.kind == "prior_auth_request" else ""
    day = content.date(content.day)
    dated = content.item("signature_date", "SIGN_DATE", day, name=own, blank=0.25)
    return [signed, dated]


def columns(content: Content, kind: str) -> Sequence[Column]:
    """The columns of a drug history, a diagnosis list or a list of services."""
    family, rng = content.family, content.rng

    def head(key: str) -> str:
        entries = _TABLE_HEADS[key]
        return entries[(family.index + len(key)) % len(entries)]

    known = content.known
    if kind == "history":
        drugs = values.several(rng, "tried", content.split, rng.randint(1, 4))
        starts = [content.day - dt.timedelta(days=rng.randint(100, 900)) for _ in drugs]
        spans = [f"{d:%m/%Y} - {d + dt.timedelta(days=60):%m/%Y}" for d in starts]
        results = [values.pick(rng, "outcomes", content.split) for _ in drugs]
        return (
            Column("Drug Name", "TRIED", "", known("medications_tried"), 1.3, tuple(drugs)),
            Column("Dates of Therapy", "X_DATE", "", None, 1.2, tuple(spans)),
            Column("Outcome / Reason for Failure", "X_TEXT", "", None, 1.6, tuple(results)),
        )
    codes = tuple(c for c, _ in content.codes)
    texts = tuple(t for _, t in content.codes)
    if kind == "diagnosis":
        shown = [
            Column(head("icd"), "ICD", "", known("diagnosis_codes"), 0.8, codes),
            Column(head("dx"), "DX", "", known("diagnosis_descriptions"), 2.4, texts),
        ]
        return shown if family.index % 2 else shown[::-1]
    count = len(content.services)
    starts = [content.start + dt.timedelta(days=14 * i) for i in range(count)]
    shown = [
        Column(
            head("text"),
            "SERVICE",
            "",
            known("service_descriptions"),
            2.2,
            tuple(t for _, t in content.services),
        ),
        Column(
            head("code"),
            "CPT",
            "",
            known("procedure_codes"),
            0.9,
            tuple(c for c, _ in content.services),
        ),
    ]
    if family.index % 2:
        shown.reverse()
    if family.index % 3:
        shown += [
            Column(
                head("start"),
                "START",
                "",
                known("service_start_date"),
                1.0,
                tuple(map(content.date, starts)),
            ),
            Column(
                head("end"),
                "END",
                "",
                known("service_end_date"),
                1.0,
                tuple(content.date(max(content.end, d)) for d in starts),
            ),
        ]
    if family.index % 4 < 2:
        amounts = tuple(str(rng.randint(1, 36)) for _ in range(count))
        shown.append(Column(head("units"), "UNITS", "", known("units"), 0.6, amounts))
    return shown
