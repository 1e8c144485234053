# SPDX-License-Identifier: Apache-2.0
"""Remittances: a head, claims with service lines in one of several shapes, totals."""

from __future__ import annotations

import datetime as dt
import random
import re
from typing import Any

from training.synthesise import values
from training.synthesise.canvas import Canvas, Tag
from training.synthesise.content import Content
from training.synthesise.family import Family
from training.synthesise.furniture import fax_line, heading_x, instructions
from training.synthesise.layout import LABEL, TITLE, Area, Column, Item, print_label, table

_TITLES = (
    "Explanation of Benefits",
    "Remittance Advice",
    "PROVIDER EXPLANATION OF PAYMENT",
    "Explanation of Payment",
    "Provider Remittance Advice",
    "EXPLANATION OF BENEFITS - THIS IS NOT A BILL",
    "Provider Voucher",
    "Payment Summary",
    "Claim Settlement Advice",
)
_CARC = ("CO-45", "PR-1", "PR-2", "PR-3", "CO-97", "CO-16", "OA-23", "CO45", "45", "253", "CO-253")
_AMOUNTS = ("billed", "allowed", "adjustment", "deductible", "copay", "coinsurance", "paid")
_PAID_ON = re.compile(r"(?i)check|eft|paid|payment")
"""Labels that ask for the day of the payment, not for that of the paper."""


class Remittance:
    """An EOB family."""

    def __init__(self, family: Family) -> None:
        self.family = family
        rng = family.rng
        self.fax_header = family.chance(0.2)
        self.claims: list[dict[str, str]] = []
        shown = ["service_date", "procedure_code", "units", "billed", "allowed", "adjustment"]
        shown += ["carc", "deductible", "copay", "coinsurance", "paid", "patient_resp"]
        likely = {"units": 0.5, "allowed": 0.85, "carc": 0.5, "deductible": 0.6, "copay": 0.5}
        likely |= {"coinsurance": 0.4, "patient_resp": 0.4, "adjustment": 0.7}
        self.columns = [c for c in shown if family.chance(likely.get(c, 1.0))]
        if family.chance(0.25):
            place = rng.randint(3, len(self.columns) - 1)
            self.columns.insert(place, self.columns.pop())
        self.shape = rng.choice(("flat", "header", "header", "boxed"))
        self.repeat = family.chance(0.4)
        self.totals = family.chance(0.75)
        self.summary = family.chance(0.55)
        self.summary_table = family.chance(0.4)
        self.ruled = family.chance(0.4)
        self.head = [family.mechanism(), family.mechanism(), family.mechanism()]
        chances = {"npi": 0.7, "tax": 0.5, "eob": 0.3, "amount": 0.7, "eft": 0.85}
        self.keep = {k: family.chance(p) for k, p in chances.items()}
        self.keep["account"], self.keep["group"] = family.chance(0.6), family.chance(0.3)
        self.keep["member"] = family.chance(0.8)
        self.heads = {c: family.choose("columns", c) for c in [*shown, "modifier"]}

    def draw(self, rng: random.Random) -> Canvas:
        """One filled remittance; :attr:`claims` holds the truth of its claims."""
        family, style = self.family, self.family.style
        content = Content(family, rng)
        canvas = Canvas(size=min(style.size, 0.0125), leading=style.leading)
        claims = [self._claim(content, rng) for _ in range(rng.choice((1, 1, 2, 3)))]
        sums = {c: sum(claim["sums"][c] for claim in claims) for c in (*_AMOUNTS, "patient_resp")}
        if self.fax_header:
            fax_line(canvas, family, rng)
        y = self._head(canvas, content, rng, sums["paid"])
        self.claims = []
        y = self._claims(canvas, claims, y)
        if self.summary and y < 0.85:
            y = self._summary(canvas, content, rng, sums, y)
        if y < 0.9:
            instructions(canvas, family, rng, y)
        return canvas

    def _head(self, canvas: Canvas, content: Content, rng: random.Random, paid: float) -> float:
        family, style, known = self.family, self.family.style, content.known
        where = ("left", "center", "right")[family.index % 3]
        x = heading_x(canvas, content.payer, where, 1.4)
        tag = Tag("PAYER", "payer", known("payer_name"))
        canvas.text(x, 0.04, content.payer, tag, scale=1.4, xmax=0.98)
        y = 0.04 + canvas.line * 1.8
        if family.index % 3 == 0:
            street, city, state, zip_code = values.address(rng, family.split)
            canvas.text(
                x, y, f"{street} {city}, {state} {zip_code}", Tag("X_TEXT"), scale=0.85, xmax=0.98
            )
            y += canvas.line * 1.3
        pool = _TITLES[-2:] if family.split == "heldout" and family.index % 2 else _TITLES[:-2]
        title = print_label(style, pool[family.index % len(pool)], colon=False)
        x = heading_x(canvas, title, ("center", "left", "right")[family.index % 3], 1.3)
        canvas.text(x, y, title, TITLE, scale=1.3, xmax=0.98)
        y += canvas.line * 2.2
        payee = [
            content.item(
                "payee_name",
                "NAME",
                values.practice(rng, family.split),
                party="payee",
                name="payee_name",
                blank=0,
                weight=1.5,
            )
        ]
        if self.keep["npi"]:
            payee.append(
                content.item(
                    "payee_npi", "NPI", values.npi(rng), party="payee", name="payee_npi", blank=0.03
                )
            )
        if self.keep["tax"]:
            payee.append(
                content.item(
                    "payee_tax_id",
                    "TAX_ID",
                    values.tax_id(rng),
                    party="payee",
                    name="payee_tax_id",
                    blank=0.03,
                )
            )
        dated = "payment_date" if _PAID_ON.search(family.label("issue_date")) else "issue_date"
        payment = [
            content.item(
                "issue_date", "PAY_DATE", content.date(content.day), name=dated, blank=0.02
            )
        ]
        if self.keep["eft"]:
            payment.append(
                content.item(
                    "eft_number", "EFT", values.identifier(rng), name="eft_number", blank=0.03
                )
            )
        if self.keep["eob"]:
            payment.append(
                content.item(
                    "eob_number", "EOB_NO", values.identifier(rng), name="eob_number", blank=0.03
                )
            )
        if self.keep["amount"]:
            text = values.print_money(paid, style.money)
            payment.append(
                content.item("payment_amount", "PAYMENT", text, name="payment_amount", blank=0.02)
            )
        blocks = [payee, payment] if family.index % 2 else [payment, payee]
        if family.index % 3 == 1:
            low = max(
                self.head[0](canvas, style, rng, blocks[0], Area(style.left, 0.49, y)),
                self.head[1](canvas, style, rng, blocks[1], Area(0.52, style.right, y)),
            )
            return low + canvas.line * 0.5
        for block, mechanism in zip(blocks, self.head, strict=False):
            y = mechanism(canvas, style, rng, block, Area(style.left, style.right, y))
        return y + canvas.line * 0.5

    def _claim(self, content: Content, rng: random.Random) -> dict[str, Any]:
        style = self.family.style
        lines: list[dict[str, Any]] = []
        day = content.day - dt.timedelta(days=rng.randint(10, 90))
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            billed = round(rng.uniform(40, 1500), 2)
            allowed = round(billed * rng.uniform(0.3, 1.0), 2)
            deductible = rng.choice((0.0, 0.0, min(allowed, 25.5)))
            copay = rng.choice((0.0, 0.0, min(allowed - deductible, 20.0)))
            coinsurance = round((allowed - deductible - copay) * rng.choice((0.0, 0.0, 0.2)), 2)
            owed = round(deductible + copay + coinsurance, 2)
            lines.append(
                {
                    "service_date": content.date(day),
                    "procedure_code": values.procedure(rng, content.split)[0],
                    "units": str(rng.choice((1, 1, 1, 2, 4))),
                    "carc": rng.choice(_CARC),
                    "billed": billed,
                    "allowed": allowed,
                    "adjustment": round(billed - allowed, 2),
                    "deductible": deductible,
                    "copay": copay,
                    "coinsurance": coinsurance,
                    "patient_resp": owed,
                    "paid": round(allowed - owed, 2),
                }
            )
        sums = {c: round(sum(line[c] for line in lines), 2) for c in (*_AMOUNTS, "patient_resp")}
        patient = values.print_name(values.person(rng, content.split), style.name)
        head = {"patient_name": patient, "claim_number": values.identifier(rng)}
        if self.keep["member"]:
            head["member_id"] = values.member_id(rng)
        if self.keep["account"]:
            head["patient_account"] = values.identifier(rng)
        if self.keep["group"]:
            head["group_number"] = values.group_number(rng)
        return {"head": head, "lines": lines, "sums": sums}

    def _note_claim(self, claim: dict[str, Any]) -> None:
        """Enters a claim into the truth: a claim of one line repeats that line's cells."""
        lines, money = claim["lines"], self.family.style.money
        entry: dict[str, str] = dict(claim["head"])
        if len(lines) == 1:
            for column in self.columns:
                cell = lines[0][column]
                entry[column] = cell if isinstance(cell, str) else values.print_money(cell, money)
        elif self.totals:
            for column in self.columns:
                if column in claim["sums"]:
                    entry[column] = values.print_money(claim["sums"][column], money)
        self.claims.append(entry)

    def _columns(self, claims: list[dict[str, Any]], *, flat: bool) -> list[Column]:
        money = self.family.style.money
        columns = []
        lines = [(claim, line) for claim in claims for line in claim["lines"]]
        if flat:
            for key, role in (("patient_name", "NAME"), ("claim_number", "CLAIM_NO")):
                texts = tuple(c["head"][key] if line is c["lines"][0] else "" for c, line in lines)
                label = {"patient_name": "Patient", "claim_number": "Claim #"}[key]
                party = "patient" if role == "NAME" else ""
                columns.append(Column(label, role, party, None, 1.6, texts))
        for column in self.columns:
            cells = [line[column] for _, line in lines]
            texts = tuple(c if isinstance(c, str) else values.print_money(c, money) for c in cells)
            role = {
                "service_date": "C_DATE",
                "procedure_code": "C_CODE",
                "units": "C_UNITS",
                "carc": "C_CARC",
            }.get(column, "C_MONEY")
            if self.totals and not flat and role == "C_MONEY":
                total = sum(line[column] for _, line in lines)
                texts = (*texts, values.print_money(total, money))
            elif self.totals and not flat and column == "service_date":
                texts = (*texts, "TOTAL")
            columns.append(
                Column(self.heads[column], role, "", None, 1.0, texts, role == "C_MONEY")
            )
        return columns

    def _claims(self, canvas: Canvas, claims: list[dict[str, Any]], y: float) -> float:
        family, style = self.family, self.family.style
        rng = random.Random(f"{family.name}-claims")  # noqa: S311 - not for secrets
        scale = 0.85 if len(self.columns) < 10 else 0.72
        if self.shape == "flat":
            for claim in claims:
                claim["head"] = {k: claim["head"][k] for k in ("patient_name", "claim_number")}
                self._note_claim(claim)
            columns = self._columns(claims, flat=True)
            return table(
                canvas,
                style,
                columns,
                Area(style.left, style.right, y),
                ruled=self.ruled,
                scale=min(scale, 0.75),
            )
        roles = {
            "patient_name": ("name", "NAME", "patient"),
            "member_id": ("member_id", "MEMBER_ID", "patient"),
            "claim_number": ("claim_number", "CLAIM_NO", ""),
            "patient_account": ("patient_account", "ACCOUNT", ""),
            "group_number": ("group_number", "GROUP", "patient"),
        }
        for claim in claims:
            top, since = y, canvas.checkpoint()
            items = [
                Item(
                    roles[k][0],
                    family.label(roles[k][0], roles[k][2]),
                    roles[k][1],
                    roles[k][2],
                    None,
                    (text,),
                )
                for k, text in claim["head"].items()
            ]
            if len(claims) == 1:
                for key in ("patient_name", "member_id", "claim_number", "patient_account"):
                    if key in claim["head"]:
                        canvas.note(key, claim["head"][key])
            mechanism = self.head[2]
            y = mechanism(canvas, style, rng, items, Area(style.left, style.right, y))
            columns = self._columns([claim], flat=False)
            y = table(
                canvas,
                style,
                columns,
                Area(style.left, style.right, y),
                ruled=self.ruled or self.shape == "boxed",
                scale=scale,
            )
            self._note_claim(claim)
            if y > 0.955 and top > 0.1:
                y = canvas.carry_over(since, top, y)
        return y

    def _summary(
        self, canvas: Canvas, content: Content, rng: random.Random, sums: dict[str, float], y: float
    ) -> float:
        family, style = self.family, self.family.style
        names = {
            "billed": "total_billed",
            "allowed": "total_allowed",
            "adjustment": "total_adjustment",
            "deductible": "total_deductible",
            "copay": "total_copay",
            "coinsurance": "total_coinsurance",
            "paid": "total_paid",
            "patient_resp": "patient_responsibility",
        }
        items = []
        for column, name in names.items():
            if column not in self.columns and column != "paid":
                continue
            text = values.print_money(sums[column], style.money)
            items.append(content.item(name, name.upper(), text, name=name, blank=0.02))
        canvas.text(
            style.left, y, ("Payment Summary", "TOTALS", "Summary")[family.index % 3], LABEL
        )
        y += canvas.line * 1.4
        return self.head[1](canvas, style, rng, items, Area(style.left, style.right, y))
