# SPDX-License-Identifier: Apache-2.0
"""Determinations: letters in prose with a reference block, and notices in boxes."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence

from training.synthesise import values
from training.synthesise.canvas import Canvas, End, Tag
from training.synthesise.content import Content
from training.synthesise.family import Family
from training.synthesise.furniture import fax_line, heading_x, instructions
from training.synthesise.layout import MECHANISMS, TITLE, Area, Column, Item, print_label, table

Piece = str | tuple[str, Tag]

_LABEL = Tag("LABEL")
_REQUESTER, _SERVICER, _SERVICES = (
    "requesting_provider",
    "servicing_provider",
    "service_descriptions",
)
_KEYS = {
    ("group", "GROUP"): "group_number",
    ("subscriber", "NAME"): "subscriber_name",
    ("requesting", "NAME"): "name",
    ("servicing", "NAME"): "name",
    ("requesting_npi", "NPI"): "npi",
    ("servicing_npi", "NPI"): "npi",
    ("plan", "PLAN"): "plan_name",
    ("status", "DETERMINATION"): "determination",
    ("received", "DOC_DATE"): "request_date",
    ("period", "START"): "effective_from",
    ("period", "END"): "effective_to",
    ("units", "UNITS"): "approved_units",
    ("date", "DECISION_DATE"): "determination_date",
}
"""Which label a choice of the family uses, where it is not the choice's own name."""
_WORDS = {
    "approved": ("approved", "approved", "authorized", "certified"),
    "denied": ("denied", "not approved", "denied", "not certified"),
    "partially approved": ("partially approved", "approved in part", "modified"),
    "pended": ("pended", "pending additional information", "pending"),
}
_ASKED = (
    "Recent office notes",
    "Imaging or laboratory reports",
    "Documentation of conservative therapy",
)
_TITLES = (
    "Notice of Approval",
    "Authorization Notification",
    "Notice of Determination",
    "Notice of Authorization Decision",
    "Prior Authorization Determination",
    "Utilization Management Decision",
    "Coverage Determination Notice",
    "NOTICE OF ACTION",
    "Organization Determination",
    "Precertification Outcome",
)


def prose(canvas: Canvas, pieces: Sequence[Piece], area: Area) -> float:
    """A paragraph in which some words are values; returns the y below it."""
    x0, x1, y = area
    end = End(x0, y)
    for piece in pieces:
        text, tag = (piece, None) if isinstance(piece, str) else piece
        if text:
            end = canvas.text(end.x, end.y, text, tag, xmax=x1, wrap_to=x0)
    return end.y + canvas.line * 1.7


class Letter:
    """A determination family."""

    def __init__(self, family: Family) -> None:
        self.family = family
        self.boxed = family.chance(0.35)
        self.titled = family.chance(0.6)
        self.reference_first = family.chance(0.7)
        self.addressee = family.chance(0.7)
        self.table = family.chance(0.4)
        self.ruled = family.chance(0.6)
        self.fax_header = family.chance(0.3)
        self.dated = family.rng.choice(("bare", "label", "block"))
        self.dates = family.date_style()
        self.lead = family.rng.choice(("RE:", "Re:", "", "", "Regarding:", "Subject:"))
        layouts = ("inline1", "inline1", "aligned1", "aligned2", "inline2")
        boxes = ("boxed2", "boxed3", "grid1", "grid2", "stacked3")
        self.mechanism = (
            family.mechanism()
            if family.split == "heldout" and family.chance(0.5)
            else MECHANISMS[family.rng.choice(boxes if self.boxed else layouts)]
        )
        chances = {
            "member_id": 0.95,
            "dob": 0.6,
            "group": 0.35,
            "auth": 0.85,
            "requesting": 0.6,
            "requesting_npi": 0.25,
            "servicing": 0.45,
            "servicing_npi": 0.2,
            "plan": 0.25,
            "service": 0.45,
            "cpt": 0.4,
            "icd": 0.3,
            "status": 0.35,
            "received": 0.3,
            "subscriber": 0.12,
            "units": 0.25,
            "period": 0.35,
            "date": 1.0,
        }
        self.keep = {k: family.chance(p) for k, p in chances.items()}
        self.order = family.rng.random()
        self.voice = family.rng.randrange(4)

    def draw(self, rng: random.Random) -> Canvas:
        """One filled letter."""
        family, style = self.family, self.family.style
        content = Content(family, rng)
        canvas = Canvas(size=style.size, leading=style.leading)
        outcome = rng.choice(
            ("approved", "approved", "denied", "denied", "partially approved", "pended")
        )
        if self.fax_header:
            fax_line(canvas, family, rng)
        y = self._head(canvas, content, rng)
        day = values.print_date(content.day, self.dates)
        if self.dated != "block":
            y = self._date(canvas, day, y)
        if self.addressee:
            y = self._addressee(canvas, content, rng, y)
        if self.titled:
            title = _TITLES[-2:] if family.split == "heldout" and family.index % 2 else _TITLES[:-2]
            text = print_label(style, title[family.index % len(title)], colon=False)
            canvas.text(
                heading_x(canvas, text, "center", 1.3), y, text, TITLE, scale=1.3, xmax=0.97
            )
            y += canvas.line * 2
        items = self._items(content, rng, outcome, day)
        if self.reference_first:
            y = self._reference(canvas, content, items, y)
        y = self._body(canvas, content, rng, outcome, y)
        if not self.reference_first:
            y = self._reference(canvas, content, items, y)
        if self.table and y < 0.8:
            y = self._table(canvas, content, rng, outcome, y)
        if y < 0.88:
            y = instructions(canvas, family, rng, y)
        if y < 0.93 and family.index % 2:
            canvas.text(style.left, y, "Sincerely,")
            canvas.text(
                style.left,
                y + canvas.line * 2,
                values.provider_name(rng, family.split, "natural"),
                Tag("X_NAME"),
            )
            canvas.text(style.left, y + canvas.line * 3, "Utilization Management Department")
        return canvas

    def _head(self, canvas: Canvas, content: Content, rng: random.Random) -> float:
        family, style = self.family, self.family.style
        where = ("left", "center", "right")[family.index % 3]
        tag = Tag("PAYER", "payer", content.known("payer_name"))
        x = heading_x(canvas, content.payer, where, 1.5)
        end = canvas.text(x, 0.045, content.payer, tag, scale=1.5, xmax=0.97)
        y = end.y + canvas.line * 1.6
        if family.index % 4 < 2:
            street, city, state, zip_code = values.address(rng, family.split)
            canvas.text(x, y, street, Tag("X_TEXT"), scale=0.9)
            y += canvas.line
            canvas.text(x, y, f"{city}, {state} {zip_code}", Tag("X_TEXT"), scale=0.9)
            y += canvas.line
            if family.index % 4 == 0:
                number = values.phone(rng, style.phone)
                end = canvas.text(x, y, "Phone", _LABEL, scale=0.9)
                canvas.text(end.x, y, number, Tag("PHONE", "payer"), scale=0.9)
                y += canvas.line
        return y + canvas.line

    def _date(self, canvas: Canvas, day: str, y: float) -> float:
        family, style = self.family, self.family.style
        end = End(style.left, y)
        if self.dated == "label":
            label = print_label(style, family.label("determination_date"))
            end = canvas.text(style.left, y, label, _LABEL)
        canvas.text(end.x, y, day, Tag("DECISION_DATE", "", "determination_date"))
        return y + canvas.line * 2

    def _addressee(self, canvas: Canvas, content: Content, rng: random.Random, y: float) -> float:
        style = self.family.style
        name = (
            values.provider_name(rng, self.family.split, "natural")
            if rng.random() < 0.6
            else values.practice(rng, self.family.split)
        )
        if self.family.index % 5 == 0:
            name = values.print_name(content.patient, "natural")
        street, city, state, zip_code = values.address(rng, self.family.split)
        canvas.text(style.left, y, name, Tag("X_NAME"))
        canvas.text(style.left, y + canvas.line, street, Tag("X_TEXT"))
        canvas.text(style.left, y + 2 * canvas.line, f"{city}, {state} {zip_code}", Tag("X_TEXT"))
        return y + canvas.line * 4

    def _items(self, content: Content, rng: random.Random, outcome: str, day: str) -> list[Item]:
        family, split = self.family, self.family.split
        approved = outcome in ("approved", "partially approved") and not self.table
        asked = content.date(content.day - dt.timedelta(days=rng.randint(1, 14)))
        subscriber = values.print_name(values.person(rng, split), content.style.name)
        word = rng.choice(_WORDS[outcome][:2]).title()
        codes = [c for c, _ in content.services]
        requester = content.provider("requesting_provider", company=False)
        servicer = content.provider("servicing_provider", company=bool(family.index % 3))
        start, end = content.date(content.start), content.date(content.end)
        specs: tuple[tuple[bool, str, str, str | list[str], str, str], ...] = (
            (True, "member_id", "MEMBER_ID", values.member_id(rng), "member_id", "patient"),
            (True, "dob", "DOB", content.birth, "patient_dob", "patient"),
            (True, "group", "GROUP", values.group_number(rng), "group_number", "patient"),
            (True, "auth", "AUTH", values.identifier(rng), "auth_number", ""),
            (True, "subscriber", "NAME", subscriber, "subscriber_name", "subscriber"),
            (True, "requesting", "NAME", requester, "requesting_provider_name", _REQUESTER),
            (True, "requesting_npi", "NPI", values.npi(rng), "requesting_provider_npi", _REQUESTER),
            (True, "servicing", "NAME", servicer, "servicing_provider_name", _SERVICER),
            (True, "servicing_npi", "NPI", values.npi(rng), "servicing_provider_npi", _SERVICER),
            (True, "plan", "PLAN", values.pick(rng, "plans", split), "plan_name", "payer"),
            (not self.table, "service", "SERVICE", content.services[0][1], _SERVICES, ""),
            (not self.table, "cpt", "CPT", codes, "procedure_codes", ""),
            (True, "icd", "ICD", [c for c, _ in content.codes], "diagnosis_codes", ""),
            (True, "status", "DETERMINATION", word, "", ""),
            (True, "received", "DOC_DATE", asked, "request_date", ""),
            (approved, "period", "START", start, "effective_from", ""),
            (approved, "period", "END", end, "effective_to", ""),
            (approved, "units", "UNITS", str(rng.randint(1, 40)), "approved_units", ""),
            (self.dated == "block", "date", "DECISION_DATE", day, "determination_date", ""),
        )
        rest = [
            content.item(
                _KEYS.get((choice, role), choice),
                role,
                text,
                party=party,
                name=name,
                blank=0.02,
                naming=True if role in ("NAME", "NPI") and party.endswith("provider") else None,
            )
            for fits, choice, role, text, name, party in specs
            if fits and self.keep[choice]
        ]
        random.Random(f"{family.name}-{self.order}").shuffle(rest)  # noqa: S311 - not for secrets
        return [*content.person_items("patient", split=False, naming=True), *rest]

    def _reference(
        self, canvas: Canvas, content: Content, items: Sequence[Item], y: float
    ) -> float:
        style = self.family.style
        left = style.left
        if self.lead and not self.boxed:
            end = canvas.text(left, y, self.lead, _LABEL)
            left = max(end.x + 0.01, left + 0.05)
        y = self.mechanism(canvas, style, content.rng, items, Area(left, style.right, y))
        return y + canvas.line * 0.6

    def _body(
        self, canvas: Canvas, content: Content, rng: random.Random, outcome: str, y: float
    ) -> float:
        canvas.note("determination", outcome)
        word = rng.choice(_WORDS[outcome])
        decided = Tag("DETERMINATION")
        service = content.services[0][1]
        greeting = rng.choice(("Dear Provider:", "To whom it may concern:", "Dear Doctor:"))
        openings: tuple[list[Piece], ...] = (
            ["We have", (word, decided), "the request for", service, "for the member named above."],
            ["The request listed was", (f"{word}.", decided), "Please keep this letter."],
            ["After review of what you sent your request has been", (f"{word}.", decided)],
            ["Determination:", (word.upper(), decided)],
        )
        paragraphs: list[list[Piece]] = [[greeting], openings[self.voice]]
        if outcome in ("approved", "partially approved"):
            paragraphs.append(self._validity(content, rng))
        if outcome in ("denied", "partially approved"):
            paragraphs += self._refusal(content, rng)
        if outcome == "pended":
            paragraphs.append(["We need more information to decide. Please send:"])
            paragraphs += [[("- " + t, Tag("X_TEXT"))] for t in _ASKED[: rng.randint(1, 3)]]
            when = content.date(content.day + dt.timedelta(days=14))
            paragraphs.append(["Respond by", (when, Tag("X_DATE"))])
        for paragraph in filter(None, paragraphs):
            y = prose(canvas, paragraph, Area(self.family.style.left, self.family.style.right, y))
        return y

    def _validity(self, content: Content, rng: random.Random) -> list[Piece]:
        known = content.known
        pieces: list[Piece] = []
        if not self.keep["auth"]:
            tag = Tag("AUTH", "", known("auth_number"))
            pieces += ["The authorization number is", (values.identifier(rng), tag), "."]
        if not self.keep["period"] and not self.table:
            lead = (
                "This approval is valid from",
                "Approved dates:",
                "Service is authorized from",
                "Valid",
            )[self.voice]
            pieces += [
                lead,
                (content.date(content.start), Tag("START", "", known("effective_from"))),
                ("to", "through", "until")[self.voice % 3],
                (content.date(content.end), Tag("END", "", known("effective_to"))),
            ]
        return pieces

    def _refusal(self, content: Content, rng: random.Random) -> list[list[Piece]]:
        reason = values.paragraph(rng, "denial_reasons", content.split, rng.randint(1, 2))
        lead = (
            "Reason:",
            "The reason for this decision is:",
            "This decision was made because",
            "Rationale:",
        )[self.voice]
        days = rng.choice(("30", "60", "65", "180", "180", "120"))
        limit = (days, Tag("APPEAL_DAYS", "", content.known("appeal_deadline_days")))
        number = (values.phone(rng, self.family.style.phone), Tag("PHONE", "appeals"))
        appeals: tuple[list[Piece], ...] = (
            ["You have the right to appeal within", limit, "calendar days of this notice."],
            ["You may request an appeal within", limit, "days from receipt of this letter."],
            ["If you disagree you have", limit, "days to file an appeal. Call", number],
            ["Appeals: submit in writing within", limit, "days."],
        )
        told = (reason, Tag("DENIAL", "", content.known("denial_reason")))
        return [[lead, told], appeals[self.voice]]

    def _table(
        self, canvas: Canvas, content: Content, rng: random.Random, outcome: str, y: float
    ) -> float:
        known, family, style = content.known, self.family, self.family.style
        count = len(content.services)
        columns = [
            Column(
                ("Code", "CPT", "Procedure")[family.index % 3],
                "CPT",
                "",
                known("procedure_codes"),
                0.8,
                tuple(c for c, _ in content.services),
            ),
            Column(
                ("Description", "Service", "Service Description")[family.index % 3],
                "SERVICE",
                "",
                known("service_descriptions"),
                2.2,
                tuple(t for _, t in content.services),
            ),
        ]
        if outcome in ("approved", "partially approved"):
            columns.append(
                Column(
                    ("From", "Start", "Begin Date")[family.index % 3],
                    "START",
                    "",
                    known("effective_from"),
                    1,
                    (content.date(content.start),) * count,
                )
            )
            columns.append(
                Column(
                    ("To", "End", "Through")[family.index % 3],
                    "END",
                    "",
                    known("effective_to"),
                    1,
                    (content.date(content.end),) * count,
                )
            )
            amounts = tuple(str(rng.randint(1, 40)) for _ in range(count))
            columns.append(
                Column(
                    ("Units", "Approved Units", "Qty")[family.index % 3],
                    "UNITS",
                    "",
                    known("approved_units"),
                    0.6,
                    amounts,
                )
            )
        status = rng.choice(_WORDS[outcome][:2]).title()
        columns.append(
            Column(
                ("Status", "Decision")[family.index % 2],
                "DETERMINATION",
                "",
                None,
                1,
                (status,) * count,
            )
        )
        return table(canvas, style, columns, Area(style.left, style.right, y), ruled=self.ruled)
