# SPDX-License-Identifier: Apache-2.0
"""Sample documents that answer: determination letters, a remittance, a laboratory report."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import NamedTuple

from idp.samples.forms import Truth, truth, us_date
from idp.samples.people import Registry
from idp.samples.sheet import BOLD, REGULAR, Sheet

_SERIF, _SERIF_BOLD = "Times-Roman", "Times-Bold"
_LEFT = 64.0
_WIDTH = 484.0


def determination_letter(
    sheet: Sheet, people: Registry, today: dt.date, *, approved: bool
) -> Truth:
    """A letter that approves or denies a prior-authorization request."""
    patient, cover = people.person(), people.cover()
    provider = people.provider("Physical Medicine")
    decided = today - dt.timedelta(days=4)
    start, end = decided + dt.timedelta(days=3), decided + dt.timedelta(days=93)
    appeal_by = decided + dt.timedelta(days=60)
    number = f"PA{people.digits(8)}"
    sheet.text(_LEFT, 64, cover.payer, 17, _SERIF_BOLD)
    sheet.text(_LEFT, 80, "Utilization Management Department", 10, _SERIF)
    sheet.line(_LEFT, 88, _LEFT + _WIDTH, 88, 1.2)
    sheet.text(_LEFT, 116, f"{decided:%B} {decided.day}, {decided.year}", 11, _SERIF)
    y = 146.0
    for line in (provider.name, provider.practice, provider.address):
        sheet.text(_LEFT, y, line, 11, _SERIF)
        y += 14
    title = "NOTICE OF APPROVAL" if approved else "NOTICE OF ADVERSE DETERMINATION"
    sheet.text(306, y + 22, title, 13, _SERIF_BOLD, align="centre")
    y += 46
    rows = [
        ("Member Name:", patient.name),
        ("Member ID:", cover.member_id),
        ("Date of Birth:", us_date(patient.born)),
        ("Requesting Provider:", provider.name),
        ("Provider NPI:", provider.npi),
        ("Authorization Number:" if approved else "Reference Number:", number),
        ("Service:", "Physical therapy, therapeutic exercise (CPT 97110)"),
        ("Decision:", "APPROVED" if approved else "DENIED"),
    ]
    if approved:
        rows += [
            ("Approved Units:", "12 visits"),
            ("Effective Dates:", f"{us_date(start)} through {us_date(end)}"),
        ]
    for label, value in rows:
        sheet.text(_LEFT + 20, y, label, 11, _SERIF_BOLD)
        sheet.text(_LEFT + 160, y, value, 11, _SERIF)
        y += 16
    y += 14
    reason = (
        "The submitted records do not show a documented trial of a home exercise program, which "
        "the plan's physical therapy guideline requires before further visits are covered."
    )
    if approved:
        paragraphs = [
            "Dear Provider:",
            "We have completed our review of your request for prior authorization. The service "
            "listed above has been approved as medically necessary.",
            "This approval is not a guarantee of payment. Benefits are subject to eligibility at "
            "the time of service and to the terms of the member's plan.",
        ]
    else:
        paragraphs = [
            "Dear Provider:",
            "We have completed our review of your request for prior authorization. The service "
            "listed above has been denied.",
            f"Reason for denial: {reason}",
            f"You may appeal this decision. Your appeal must be received by {us_date(appeal_by)}.",
        ]
    for text in paragraphs:
        y = sheet.paragraph(_LEFT, y, _WIDTH, text, 11, _SERIF) + 8
    sheet.text(_LEFT, y + 16, "Sincerely,", 11, _SERIF)
    sheet.signature(_LEFT, y + 44, 120)
    sheet.text(_LEFT, y + 66, "Medical Director, Utilization Management", 11, _SERIF)
    return truth(
        {
            "payer_name": cover.payer,
            "auth_number": number,
            "determination": "approved" if approved else "denied",
            "determination_date": decided.isoformat(),
            "patient_name": patient.name,
            "patient_dob": patient.born.isoformat(),
            "member_id": cover.member_id,
            "requesting_provider_name": provider.name,
            "requesting_provider_npi": provider.npi,
            "procedure_codes": "97110",
            "effective_from": start.isoformat() if approved else None,
            "effective_to": end.isoformat() if approved else None,
            "denial_reason": None if approved else reason,
            "appeal_deadline": None if approved else appeal_by.isoformat(),
        }
    )


class _Line(NamedTuple):
    """One service line; the amounts hold billed - adjustment - share = paid."""

    code: str
    billed: Decimal
    allowed: Decimal
    deductible: Decimal
    copay: Decimal

    @property
    def adjustment(self) -> Decimal:
        return self.billed - self.allowed

    @property
    def paid(self) -> Decimal:
        return self.allowed - self.deductible - self.copay


_LINES = (
    _Line("99213", Decimal("145.00"), Decimal("98.50"), Decimal("0.00"), Decimal("25.00")),
    _Line("93000", Decimal("62.00"), Decimal("31.20"), Decimal("0.00"), Decimal("0.00")),
    _Line("80053", Decimal("48.00"), Decimal("17.75"), Decimal("17.75"), Decimal("0.00")),
    _Line("99214", Decimal("210.00"), Decimal("142.30"), Decimal("50.00"), Decimal("25.00")),
    _Line("71046", Decimal("88.00"), Decimal("44.60"), Decimal("0.00"), Decimal("0.00")),
)


def _amount(value: Decimal) -> str:
    return f"{value:,.2f}"


def remittance(sheet: Sheet, people: Registry, today: dt.date) -> Truth:
    """A remittance advice: three claims in a ruled table that balances (landscape page)."""
    cover, payee = people.cover(), people.provider("Internal Medicine")
    issued = today - dt.timedelta(days=5)
    trace = f"EFT{people.digits(9)}"
    left, width = 36.0, sheet.width - 72
    sheet.text(left, 50, cover.payer, 15, BOLD)
    sheet.text(left, 65, "REMITTANCE ADVICE / EXPLANATION OF BENEFITS", 10.5, BOLD)
    sheet.text(left + width, 50, "Page 1 of 1", 9, align="right")
    claims = (_LINES[:2], _LINES[2:4], _LINES[4:])
    total = {
        name: sum((getattr(line, name) for claim in claims for line in claim), Decimal(0))
        for name in ("billed", "allowed", "adjustment", "deductible", "copay", "paid")
    }
    y = sheet.cells(
        left,
        78,
        28,
        (
            ("Payee", payee.practice, 220),
            ("Payee NPI", payee.npi, 100),
            ("Payee Tax ID", payee.tax_id, 100),
            ("Payment Date", us_date(issued), 100),
            ("Payment Amount", f"${_amount(total['paid'])}", 100),
            ("EFT Number", trace, width - 620),
        ),
    )
    heading = (
        "Patient",
        "Member ID",
        "Claim Number",
        "Service Date",
        "Code",
        "Billed",
        "Allowed",
        "Adjust.",
        "Deduct.",
        "Copay",
        "CARC",
        "Paid",
    )
    rows: list[tuple[str, ...]] = [heading]
    for claim in claims:
        patient, member, number = people.person(), people.cover().member_id, people.digits(10)
        day = issued - dt.timedelta(days=people.random.randrange(14, 40))
        for line in claim:
            rows.append(
                (
                    patient.last_first,
                    member,
                    number,
                    us_date(day),
                    line.code,
                    _amount(line.billed),
                    _amount(line.allowed),
                    _amount(line.adjustment),
                    _amount(line.deductible),
                    _amount(line.copay),
                    "CO-45",
                    _amount(line.paid),
                )
            )
    rows.append(
        (
            "TOTAL",
            "",
            "",
            "",
            "",
            _amount(total["billed"]),
            _amount(total["allowed"]),
            _amount(total["adjustment"]),
            _amount(total["deductible"]),
            _amount(total["copay"]),
            "",
            _amount(total["paid"]),
        )
    )
    widths = (124.0, 78.0, 68.0, 62.0, 42.0, 52.0, 52.0, 52.0, 50.0, 44.0, 44.0, 52.0)
    y = sheet.table(left, y + 14, widths, rows, right_from=5, size=8, height=17)
    y += 22
    sheet.text(left, y, "CO-45: Charge exceeds fee schedule or maximum allowable amount.", 8)
    share = total["deductible"] + total["copay"]
    sheet.text(left, y + 14, f"Patient Responsibility: ${_amount(share)}", 9, BOLD)
    return truth(
        {
            "payer_name": cover.payer,
            "payee_name": payee.practice,
            "payee_npi": payee.npi,
            "payee_tax_id": payee.tax_id,
            "payment_amount": str(total["paid"]),
            "payment_date": issued.isoformat(),
            "eft_number": trace,
            "total_billed": str(total["billed"]),
            "total_allowed": str(total["allowed"]),
            "total_paid": str(total["paid"]),
            "patient_responsibility": str(share),
        }
    )


def lab_result(sheet: Sheet, people: Registry, today: dt.date) -> Truth:
    """A laboratory report: something to route, not one of the four types."""
    patient, provider = people.person(), people.provider("Family Medicine")
    drawn = today - dt.timedelta(days=2)
    left = 50.0
    sheet.text(left, 56, "Clearwater Diagnostic Laboratory", 16, BOLD)
    sheet.text(left, 72, "LABORATORY REPORT - FINAL", 11, BOLD)
    sheet.line(left, 80, 562, 80, 1.4)
    y = 102.0
    for a, b in (
        (f"Patient: {patient.last_first}", f"Ordering Provider: {provider.name}"),
        (f"Date of Birth: {us_date(patient.born)}", f"Accession: L{people.digits(8)}"),
        (f"Sex: {patient.sex}", f"Collected: {us_date(drawn)}  08:15"),
        (f"MRN: {people.digits(7)}", f"Reported: {us_date(drawn + dt.timedelta(days=1))}  06:40"),
    ):
        sheet.text(left, y, a, 10, REGULAR)
        sheet.text(310, y, b, 10, REGULAR)
        y += 16
    sheet.text(left, y + 16, "COMPREHENSIVE METABOLIC PANEL", 10.5, BOLD)
    sheet.table(
        left,
        y + 26,
        (170, 70, 50, 110, 112),
        (
            ("Test", "Result", "Flag", "Units", "Reference Range"),
            ("Glucose", "112", "H", "mg/dL", "70 - 99"),
            ("Urea nitrogen (BUN)", "18", "", "mg/dL", "7 - 20"),
            ("Creatinine", "0.94", "", "mg/dL", "0.60 - 1.30"),
            ("Sodium", "139", "", "mmol/L", "135 - 145"),
            ("Potassium", "4.2", "", "mmol/L", "3.5 - 5.1"),
            ("Chloride", "103", "", "mmol/L", "98 - 107"),
            ("Calcium", "9.4", "", "mg/dL", "8.6 - 10.3"),
            ("Albumin", "4.1", "", "g/dL", "3.5 - 5.0"),
            ("ALT", "48", "H", "U/L", "7 - 45"),
        ),
        size=9.5,
        height=18,
    )
    sheet.text(left, 740, "H = above reference range. Interpreted by the ordering provider.", 8)
    return truth({"patient_name": patient.name, "patient_dob": patient.born.isoformat()})
