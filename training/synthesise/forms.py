# SPDX-License-Identifier: Apache-2.0
"""Requests and referrals: forms of titled sections, in any order and any mechanism."""

from __future__ import annotations

import random
from collections.abc import Sequence

from training.synthesise import values
from training.synthesise.canvas import Canvas, Tag
from training.synthesise.content import PLACES, REQUEST, REVIEW, Content
from training.synthesise.family import Family
from training.synthesise.furniture import footer, header, instructions, questions
from training.synthesise.items import (
    Builder,
    columns,
    contact,
    diagnosis_items,
    group,
    medication_items,
    member,
    notes_items,
    payer,
    request_date,
    service_items,
    signature_items,
    subscriber,
    tried_items,
)
from training.synthesise.layout import (
    LABEL,
    TITLE,
    Area,
    Item,
    Mechanism,
    print_label,
    table,
)

_ASKING = frozenset({"clinical", "diagnosis", "medication", "services", "request", "history"})


class Section:
    """One section of a family: its title, its mechanism, and how its items are made."""

    def __init__(self, family: Family, party: str, build: Builder, *, table: str = "") -> None:
        self.party = party
        self.titled = family.chance(0.72)
        self.title = family.title(party)
        self.mechanism: Mechanism = family.mechanism()
        self.build = build
        self.table = table
        self.naming = None if self.titled and family.chance(0.3) else not self.titled
        self.bar = family.chance(0.35)
        self.rows = family.rng.randint(0, 3)
        self.ruled = family.chance(0.65)
        self.has_member = False
        self.bare = self.titled and party == "clinical" and family.chance(0.6)
        self.questions = party in _ASKING and family.chance(0.3)


class Form:
    """A request or referral family: its sections and their order."""

    def __init__(self, family: Family) -> None:
        self.family = family
        referral = family.kind == "referral"
        self.sections = self._referral() if referral else self._request()
        self.side_by_side = family.chance(0.3)
        self.title_at = family.rng.choice(("center", "left", "right"))
        self.fax_header = family.chance(0.4)
        self.payer_in_head = family.chance(0.15 if referral else 0.55)
        self.routing = not referral and family.chance(0.45)
        self.running = family.chance(0.3 if referral else 0.08)
        self.instructions = [family.chance(0.5), family.chance(0.4)]

    # -- plans -----------------------------------------------------------------------------

    def _patient(self) -> Section:
        family = self.family
        split_name, split_address = family.chance(0.25), family.chance(0.35)
        keep = {
            k: family.chance(p)
            for k, p in {
                "sex": 0.6,
                "phone": 0.7,
                "mobile": 0.15,
                "address": 0.5,
                "email": 0.12,
                "member": 0.7,
                "group": 0.45,
                "payer": 0.3,
                "subscriber": 0.25,
                "height": 0.12,
                "allergies": 0.12,
                "chart": 0.15,
                "ssn": 0.06,
                "language": 0.08,
                "relation": 0.12,
            }.items()
        }
        order = family.rng.random()

        def build(content: Content) -> list[Item]:
            own = content.family
            naming = section.naming
            items = content.person_items("patient", split=split_name, naming=naming)
            rest: list[Item] = [
                content.item(
                    "dob", "DOB", content.birth, party="patient", name="patient_dob", blank=0.04
                )
            ]
            if keep["sex"]:
                rest.append(content.sex_item())
            if keep["phone"]:
                rest.append(content.number("phone", "PHONE", "patient", "patient_phone", naming))
            if keep["mobile"]:
                rest.append(content.number("mobile", "MOBILE", "patient", "patient_mobile", None))
            if keep["email"]:
                first, _, last = content.patient
                mail = f"{first[0]}{last}{content.rng.randint(1, 99)}@example.com".lower()
                rest.append(
                    content.item(
                        "email", "EMAIL", mail, party="patient", name="patient_email", weight=1.3
                    )
                )
            if keep["member"]:
                rest.append(member(content))
            if keep["group"]:
                rest.append(group(content))
            if keep["payer"] and not self.payer_in_head:
                rest.append(payer(content))
            if keep["subscriber"]:
                rest.append(subscriber(content))
            unwanted = {
                "height": f"{content.rng.randint(4, 6)}'{content.rng.randint(0, 11)}\"",
                "allergies": content.rng.choice(("NKDA", "Penicillin", "Sulfa", "None known")),
                "chart": values.digits(content.rng, 7),
                "ssn": f"XXX-XX-{values.digits(content.rng, 4)}",
                "language": content.rng.choice(("English", "Spanish", "Vietnamese")),
                "relation": content.rng.choice(("Self", "Spouse", "Child")),
            }
            rest += [
                content.item(key, "X_TEXT", text, party="patient", blank=0.4)
                for key, text in unwanted.items()
                if keep[key]
            ]
            random.Random(f"{own.name}-{order}").shuffle(rest)  # noqa: S311 - not for secrets
            if keep["address"]:
                place = len(rest) // 2
                rest[place:place] = content.address_items(
                    "patient", split=split_address, naming=naming if not split_address else False
                )
            return items + rest

        section = Section(family, "patient", build)
        section.has_member = keep["member"]
        return section

    def _insurance(self, *, member_elsewhere: bool) -> Section:
        family = self.family
        with_group, with_subscriber = family.chance(0.6), family.chance(0.5)
        with_bin, with_plan = family.chance(0.15), family.chance(0.2)

        def build(content: Content) -> list[Item]:
            items = [] if self.payer_in_head else [payer(content)]
            if not member_elsewhere:
                items.append(member(content))
            if with_group:
                items.append(group(content))
            if with_subscriber:
                items.append(subscriber(content))
            if with_plan:
                plan = values.pick(content.rng, "plans", content.split)
                items.append(content.item("plan_name", "PLAN", plan, party="payer"))
            if with_bin:
                items.append(content.item("bin", "X_ID", values.digits(content.rng, 6)))
            return items

        return Section(family, "insurance", build)

    def _provider(self, party: str, *, extras: float = 1.0) -> Section:
        family = self.family
        company = {
            "servicing_provider": 0.7,
            "referred_to": 0.45,
            "requesting_provider": 0.1,
        }.get(party, 0.05)
        chances = {
            "npi": 0.85,
            "tax_id": 0.35,
            "specialty": 0.5,
            "phone": 0.85,
            "fax": 0.8,
            "address": 0.45,
            "practice": 0.3,
            "contact": 0.25,
            "dea": 0.1,
            "license": 0.1,
        }
        keep = {k: family.chance(p * extras) for k, p in chances.items()}
        is_company, split_address = family.chance(company), family.chance(0.3)
        order = family.rng.random()
        wording = {
            "referring_provider": "referring_practice",
            "requesting_provider": "",
            "servicing_provider": "",
        }.get(party, "")

        def build(content: Content) -> list[Item]:
            rng, naming = content.rng, section.naming
            name = content.provider(party, company=is_company)
            first = content.item(
                "name",
                "NAME",
                name,
                party=party,
                name=f"{party}_name",
                naming=naming if not section.titled else None,
                blank=0.06,
                weight=1.4,
            )
            rest: list[Item] = []
            bare = None if section.titled else (True if family.index % 2 else None)
            if keep["npi"]:
                number = values.npi(rng) if rng.random() < 0.85 else values.digits(rng, 10)
                rest.append(
                    content.item(
                        "npi", "NPI", number, party=party, name=f"{party}_npi", naming=bare
                    )
                )
            if keep["tax_id"]:
                rest.append(
                    content.item(
                        "tax_id",
                        "TAX_ID",
                        values.tax_id(rng),
                        party=party,
                        name=f"{party}_tax_id",
                        blank=0.2,
                    )
                )
            if keep["specialty"]:
                rest.append(
                    content.item(
                        "specialty",
                        "SPECIALTY",
                        values.pick(rng, "specialties", content.split),
                        party=party,
                        name=f"{party}_specialty",
                    )
                )
            if keep["phone"]:
                rest.append(content.number("office_phone", "PHONE", party, f"{party}_phone", bare))
            if keep["fax"]:
                rest.append(content.number("fax", "FAX", party, f"{party}_fax", bare))
            if keep["practice"] and not is_company:
                rest.append(
                    content.item(
                        "practice",
                        "PRACTICE",
                        values.practice(rng, content.split),
                        party=party,
                        name=wording,
                        weight=1.3,
                    )
                )
            if keep["dea"]:
                dea = values.letters(rng, 2) + values.digits(rng, 7)
                rest.append(content.item("dea", "X_ID", dea, party=party))
            if keep["license"]:
                rest.append(content.item("license", "X_ID", values.identifier(rng), party=party))
            random.Random(f"{family.name}-{order}").shuffle(rest)  # noqa: S311 - not for secrets
            if keep["address"]:
                place = len(rest) // 2
                rest[place:place] = content.address_items(party, split=split_address, naming=bare)
            if keep["contact"]:
                rest += contact(content)
            return [first, *rest]

        section = Section(family, party, build)
        return section

    def _request(self) -> list[Section]:
        family = self.family
        patient = self._patient()
        sections = [patient]
        member_there: bool = patient.has_member
        if not member_there or family.chance(0.4):
            sections.append(self._insurance(member_elsewhere=member_there))
        sections.append(self._provider("requesting_provider"))
        drug = family.chance(0.35)
        if not drug or family.chance(0.2):
            sections.append(self._provider("servicing_provider"))
        if family.chance(0.25):
            sections.append(self._provider("pcp", extras=0.4))
        if family.chance(0.2):
            sections.append(Section(family, "contact", contact))
        sections.append(Section(family, "request", self._review_items()))
        if drug:
            sections.append(Section(family, "medication", medication_items(family)))
            if family.chance(0.6):
                kind = "history" if family.chance(0.7) else ""
                sections.append(Section(family, "history", tried_items, table=kind))
        else:
            kind = "services" if family.chance(0.55) else ""
            sections.append(
                Section(family, "services", service_items(family, dates=True), table=kind)
            )
        kind = "diagnosis" if family.chance(0.3) else ""
        sections.append(Section(family, "diagnosis", diagnosis_items(family), table=kind))
        family.rng.shuffle(sections)
        if family.chance(0.75):
            sections.sort(key=lambda s: s.party != "patient")
        sections.append(Section(family, "clinical", notes_items))
        if family.chance(0.6):
            sections.append(Section(family, "signature", signature_items))
        return sections

    def _review_items(self) -> Builder:
        family = self.family
        words, reason = family.chance(0.25), family.chance(0.3)
        kind, previous, place = family.chance(0.5), family.chance(0.3), family.chance(0.35)
        dated, auth = family.chance(0.5), family.chance(0.15)

        def build(content: Content) -> list[Item]:
            items = []
            if dated:
                items.append(request_date(content, "request_date", "submission_date"))
            items.append(
                content.options("review_type", "REVIEW", "review_type", REVIEW, text=words)
            )
            if reason:
                text = values.pick(content.rng, "urgency_reasons", content.split)
                items.append(
                    content.item(
                        "urgency_reason",
                        "URGENCY_REASON",
                        text,
                        name="urgency_reason",
                        blank=0.5,
                        weight=2,
                    )
                )
            if kind:
                items.append(
                    content.options(
                        "request_type", "REQUEST_TYPE", "request_type", REQUEST, text=words
                    )
                )
            if previous:
                items.append(
                    content.item(
                        "previous_auth",
                        "PREVIOUS_AUTH",
                        values.identifier(content.rng),
                        name="previous_auth_number",
                        blank=0.5,
                    )
                )
            if auth:
                items.append(
                    content.item(
                        "auth",
                        "AUTH",
                        values.identifier(content.rng),
                        name="authorization_number",
                        blank=0.4,
                    )
                )
            if place:
                items.append(
                    content.options(
                        "place_of_service", "POS", "place_of_service", PLACES, text=words
                    )
                )
            return items

        return build

    def _referral(self) -> list[Section]:
        family = self.family
        patient = self._patient()
        member_there: bool = patient.has_member
        sections = [patient]
        if not member_there or family.chance(0.5):
            sections.append(self._insurance(member_elsewhere=member_there))
        sections += [self._provider("referring_provider"), self._provider("referred_to")]
        if family.chance(0.15):
            sections.append(self._provider("pcp", extras=0.4))
        dated, auth = family.chance(0.75), family.chance(0.3)
        order_id, words = family.chance(0.25), family.chance(0.4)

        def build(content: Content) -> list[Item]:
            items = []
            if dated:
                items.append(request_date(content, "referral_date", "referral_date"))
            items.append(content.options("review_type", "REVIEW", "urgency", REVIEW, text=words))
            if auth:
                items.append(
                    content.item(
                        "auth", "AUTH", values.identifier(content.rng), name="authorization_number"
                    )
                )
            if order_id:
                items.append(
                    content.item("referral_id", "REFERRAL_ID", values.identifier(content.rng))
                )
            text = values.paragraph(
                content.rng, "reasons", content.split, content.rng.randint(1, 2)
            )
            items.append(
                content.item(
                    "reason", "REASON", text, name="reason", blank=0.08, long=len(text) > 45
                )
            )
            return items

        sections.append(Section(family, "referral", build))
        kind = "diagnosis" if family.chance(0.3) else ""
        sections.append(Section(family, "diagnosis", diagnosis_items(family), table=kind))
        if family.chance(0.5):
            sections.append(Section(family, "services", service_items(family, dates=False)))
        family.rng.shuffle(sections)
        if family.chance(0.4):
            sections.append(Section(family, "clinical", notes_items))
        if family.chance(0.5):
            sections.append(Section(family, "signature", signature_items))
        return sections

    # -- drawing ---------------------------------------------------------------------------

    def draw(self, rng: random.Random) -> Canvas:
        """One filled form."""
        family, style = self.family, self.family.style
        content = Content(family, rng)
        canvas = Canvas(size=style.size, leading=style.leading)
        y = header(
            canvas,
            family,
            content,
            rng,
            where=self.title_at,
            fax=self.fax_header,
            payer=self.payer_in_head,
            routing=self.routing,
        )
        if self.running:
            self._running_head(canvas, content, y)
            y += canvas.line * 1.6
        if self.instructions[0]:
            y = instructions(canvas, family, rng, y)
        todo = list(self.sections)
        while todo:
            top, since = y, canvas.checkpoint()
            pair = todo[:2]
            if self._beside(pair):
                low = max(
                    self._section(canvas, content, pair[0], Area(style.left, 0.49, y)),
                    self._section(canvas, content, pair[1], Area(0.51, style.right, y)),
                )
                if family.index % 2:
                    canvas.vertical(0.5, y, low)
                y, todo = low, todo[2:]
            else:
                y = self._section(canvas, content, todo.pop(0), Area(style.left, style.right, y))
            if y > 0.955 and top > 0.1:
                y = canvas.carry_over(since, top, y)
        if self.instructions[1] and y < 0.9:
            y = instructions(canvas, family, rng, y)
        footer(canvas, family, rng)
        return canvas

    def _running_head(self, canvas: Canvas, content: Content, y: float) -> None:
        """The patient in one line, as records systems print it above each page."""
        name = values.print_name(content.patient, content.style.name)
        tag = Tag("NAME", "patient", content.known("patient_name"))
        end = canvas.text(0.07, y, ("Patient:", "Re:", "Name:")[self.family.index % 3], LABEL)
        end = canvas.text(end.x, y, name, tag, xmax=0.6, truth=False)
        end = canvas.text(end.x, end.y, ("DOB:", "Date of Birth:")[self.family.index % 2], LABEL)
        tag = Tag("DOB", "patient", content.known("patient_dob"))
        end = canvas.text(end.x, end.y, content.birth, tag, truth=False)
        if self.family.index % 2:
            canvas.text(end.x, end.y, f"(id #{values.digits(content.rng, 5)})", Tag("X_ID"))

    def _beside(self, pair: Sequence[Section]) -> bool:
        """Whether two sections stand side by side on this form."""
        return (
            self.side_by_side
            and len(pair) == 2
            and not any(s.table for s in pair)
            and all("provider" in s.party or s.party == "referred_to" for s in pair)
        )

    def _section(self, canvas: Canvas, content: Content, section: Section, area: Area) -> float:
        x0, x1, y = area
        style, rng = self.family.style, content.rng
        items = section.build(content)
        if section.titled:
            place = self.sections.index(section)
            text = print_label(style, self.family.numbered(section.title, place), colon=False)
            if section.bar:
                canvas.horizontal(x0, x1, y - canvas.size * 0.1)
            end = canvas.text(x0, y, text, TITLE, scale=1.1, xmax=x1)
            if section.bar:
                canvas.horizontal(x0, x1, end.y + canvas.size * 1.3)
            y = end.y + canvas.line * 1.35
        if section.table:
            shown = columns(content, section.table)
            return table(
                canvas,
                style,
                shown,
                Area(x0, x1, y),
                ruled=section.ruled,
                blank_rows=section.rows if section.ruled else 0,
            )
        if section.bare and len(items) == 1 and items[0].texts:
            end = canvas.text(x0 + 0.004, y, items[0].texts[0], items[0].tag, xmax=x1)
            y = end.y + canvas.line * 1.5
        else:
            y = section.mechanism(canvas, style, rng, items, Area(x0, x1, y))
        if section.questions:
            y = questions(canvas, self.family, rng, Area(x0, x1, y))
        return y + canvas.line * rng.choice((0.2, 0.4))
