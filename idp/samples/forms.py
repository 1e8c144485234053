# SPDX-License-Identifier: Apache-2.0
"""Sample forms of requests: referrals and prior-authorization requests, in several layouts.

Each function draws the pages of one document and returns what is written on them under the field
names of the contract, so that a test can hold the appliance against it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from idp.samples.people import Cover, Person, Provider, Registry
from idp.samples.sheet import BOLD, REGULAR, TYPED, Sheet

Truth = dict[str, tuple[str, ...]]
"""What is written on a document: every field's normalised values in order of appearance."""

_LEFT = 36.0
_WIDTH = 540.0


def us_date(day: dt.date) -> str:
    """A date as American forms write it."""
    return f"{day:%m/%d/%Y}"


def truth(values: Mapping[str, str | Sequence[str] | None]) -> Truth:
    """The values that are there, each as a tuple."""
    found: Truth = {}
    for name, value in values.items():
        if value:
            found[name] = (value,) if isinstance(value, str) else tuple(value)
    return found


def plain_phone(phone: str) -> str:
    """A telephone number in the normal form of the contract."""
    digits = "".join(c for c in phone if c.isdigit())
    return f"{digits[:3]}-{digits[3:6]}-{digits[6:]}"


def referral_cells(sheet: Sheet, people: Registry, today: dt.date, *, complete: bool) -> Truth:
    """A referral form of ruled cells; incomplete: no diagnosis, NPI, reason or signature."""
    patient, cover = people.person(), people.cover()
    sender, target = people.provider("Family Medicine"), people.provider("Cardiology")
    ordered = today - dt.timedelta(days=1)
    reason = (
        "Exertional chest tightness for six weeks, abnormal resting ECG. Please evaluate and "
        "advise on stress testing."
    )
    sheet.text(_LEFT, 48, sender.practice.upper(), 15, BOLD)
    sheet.text(_LEFT, 62, sender.address, 8.5)
    sheet.text(_LEFT + _WIDTH, 48, "PATIENT REFERRAL FORM", 13, BOLD, align="right")
    sheet.text(_LEFT + _WIDTH, 62, f"Phone {sender.phone}   Fax {sender.fax}", 8.5, align="right")
    y = sheet.cells(
        _LEFT,
        76,
        26,
        (("Date of Referral", us_date(ordered), 140), ("Referral No.", "", 140)),
    )
    at = sheet.check(_LEFT + 300, 93, "Routine", checked=not complete)
    at = sheet.check(at, 93, "Urgent", checked=complete)
    sheet.check(at, 93, "Emergent", checked=False)
    y = sheet.band(_LEFT, y + 8, _WIDTH, "PATIENT INFORMATION")
    y = sheet.cells(
        _LEFT,
        y,
        28,
        (
            ("Patient Name (Last, First)", patient.last_first, 250),
            ("Date of Birth", us_date(patient.born), 110),
            ("Sex", patient.sex, 70),
            ("Phone", patient.phone, 110),
        ),
    )
    y = sheet.cells(_LEFT, y, 28, (("Address", patient.address, _WIDTH),))
    y = sheet.band(_LEFT, y + 8, _WIDTH, "INSURANCE")
    y = sheet.cells(
        _LEFT,
        y,
        28,
        (
            ("Insurance Plan", cover.payer, 220),
            ("Member ID", cover.member_id if complete else "", 170),
            ("Group Number", cover.group, 150),
        ),
    )
    y = sheet.band(_LEFT, y + 8, _WIDTH, "REFERRING PROVIDER")
    y = sheet.cells(
        _LEFT,
        y,
        28,
        (
            ("Provider Name", sender.name, 230),
            ("NPI", sender.npi if complete else "", 110),
            ("Phone", sender.phone, 100),
            ("Fax", sender.fax, 100),
        ),
    )
    y = sheet.band(_LEFT, y + 8, _WIDTH, "REFERRED TO")
    y = sheet.cells(
        _LEFT,
        y,
        28,
        (
            ("Specialist Name", target.name, 230),
            ("Specialty", target.specialty, 110),
            ("Phone", target.phone, 100),
            ("Fax", target.fax, 100),
        ),
    )
    y = sheet.band(_LEFT, y + 8, _WIDTH, "CLINICAL")
    y = sheet.cells(
        _LEFT,
        y,
        28,
        (
            ("Diagnosis (ICD-10)", "R07.89   R94.31" if complete else "", 200),
            ("Procedure (CPT)", "93015" if complete else "", 110),
            ("Service Requested", "Consultation and stress test", 230),
        ),
    )
    sheet.box(_LEFT, y, _WIDTH, 70)
    sheet.text(_LEFT + 3, y + 8.5, "Reason for Referral", 6.8)
    if complete:
        sheet.paragraph(_LEFT + 4, y + 24, _WIDTH - 12, reason, 10)
    y += 110
    sheet.line(_LEFT, y, _LEFT + 280, y)
    sheet.text(_LEFT, y + 10, "Provider Signature", 7.5)
    if complete:
        sheet.signature(_LEFT + 20, y - 6, 150)
    sheet.line(_LEFT + 320, y, _LEFT + _WIDTH, y)
    sheet.text(_LEFT + 320, y + 10, "Date", 7.5)
    if complete:
        sheet.text(_LEFT + 330, y - 4, us_date(ordered), 10, TYPED)
    sheet.text(
        _LEFT,
        752,
        "CONFIDENTIAL: this fax contains protected health information for the addressee only.",
        7,
    )
    return truth(
        {
            "referral_date": ordered.isoformat(),
            "patient_name": patient.name,
            "patient_dob": patient.born.isoformat(),
            "patient_phone": plain_phone(patient.phone),
            "payer_name": cover.payer,
            "member_id": cover.member_id if complete else None,
            "group_number": cover.group,
            "referring_provider_name": sender.name,
            "referring_provider_npi": sender.npi if complete else None,
            "referred_to_name": target.name,
            "referred_to_specialty": target.specialty,
            "diagnosis_codes": ("R07.89", "R94.31") if complete else None,
            "procedure_codes": "93015" if complete else None,
        }
    )


def referral_lines(sheet: Sheet, people: Registry, today: dt.date) -> Truth:
    """A referral of labels and ruled lines in two columns."""
    patient, cover = people.person(), people.cover()
    sender, target = people.provider("Internal Medicine"), people.provider("Orthopedic Surgery")
    ordered = today - dt.timedelta(days=3)
    middle, right = 306.0, _LEFT + _WIDTH
    sheet.text(306, 52, "Specialist Referral Request", 18, BOLD, align="centre")
    sheet.text(306, 68, f"{sender.practice}  |  {sender.address}", 9, align="centre")
    sheet.line(_LEFT, 78, right, 78, 1.6)
    sheet.filled(_LEFT, 104, "Referral Date:", us_date(ordered), 240)
    sheet.text(300, 104, "Priority:", 9.5, BOLD)
    at = sheet.check(348, 104, "Routine", checked=True)
    at = sheet.check(at, 104, "Urgent", checked=False)
    sheet.check(at, 104, "STAT", checked=False)
    _title(sheet, 136, "Patient")
    sheet.filled(_LEFT, 160, "Name:", patient.name, middle - 12)
    sheet.filled(middle, 160, "DOB:", us_date(patient.born), right)
    sheet.filled(_LEFT, 184, "Address:", patient.address, right)
    sheet.filled(_LEFT, 208, "Telephone:", patient.phone, middle - 12)
    sheet.text(middle, 208, "Gender:", 9.5, BOLD)
    at = sheet.check(middle + 46, 208, "Male", checked=patient.sex == "Male")
    sheet.check(at, 208, "Female", checked=patient.sex == "Female")
    sheet.filled(_LEFT, 232, "Insurance:", cover.payer, middle - 12)
    sheet.filled(middle, 232, "Policy / Member #:", cover.member_id, right)
    _title(sheet, 264, "Referring Physician")
    sheet.filled(_LEFT, 288, "Name:", sender.name, middle - 12)
    sheet.filled(middle, 288, "NPI #:", sender.npi, right)
    sheet.filled(_LEFT, 312, "Phone:", sender.phone, middle - 12)
    sheet.filled(middle, 312, "Fax:", sender.fax, right)
    _title(sheet, 344, "Refer To")
    sheet.filled(_LEFT, 368, "Physician:", target.name, middle - 12)
    sheet.filled(middle, 368, "Specialty:", target.specialty, right)
    sheet.filled(_LEFT, 392, "Phone:", target.phone, middle - 12)
    sheet.filled(middle, 392, "Fax:", target.fax, right)
    _title(sheet, 424, "Reason for Referral")
    sheet.filled(_LEFT, 448, "Diagnosis:", "Pain in right knee", middle - 12)
    sheet.filled(middle, 448, "ICD-10 Code:", "M25.561", right)
    sheet.text(_LEFT, 472, "Services requested:", 9.5, BOLD)
    at = sheet.check(_LEFT + 102, 472, "Consultation only", checked=False)
    at = sheet.check(at, 472, "Evaluate and treat", checked=True)
    sheet.check(at, 472, "Second opinion", checked=False)
    sheet.text(_LEFT, 496, "Notes:", 9.5, BOLD)
    y = sheet.paragraph(
        _LEFT + 40,
        496,
        _WIDTH - 44,
        "Eight weeks of physical therapy without relief. Radiographs show medial joint space "
        "narrowing. Please evaluate for injection or arthroscopy.",
        10,
        TYPED,
    )
    sheet.filled(_LEFT, y + 50, "Signature:", "", middle - 12)
    sheet.signature(_LEFT + 64, y + 44, 130)
    sheet.filled(middle, y + 50, "Date Signed:", us_date(ordered), right)
    return truth(
        {
            "referral_date": ordered.isoformat(),
            "patient_name": patient.name,
            "patient_dob": patient.born.isoformat(),
            "patient_phone": plain_phone(patient.phone),
            "payer_name": cover.payer,
            "member_id": cover.member_id,
            "referring_provider_name": sender.name,
            "referring_provider_npi": sender.npi,
            "referred_to_name": target.name,
            "referred_to_specialty": target.specialty,
            "diagnosis_codes": "M25.561",
        }
    )


def _title(sheet: Sheet, y: float, title: str) -> None:
    sheet.text(_LEFT, y, title.upper(), 10.5, BOLD)
    sheet.line(_LEFT, y + 4, _LEFT + _WIDTH, y + 4, 1.0)


def prior_auth_request(sheet: Sheet, people: Registry, today: dt.date) -> Truth:
    """A prior-authorization request for a service: numbered sections of cells, two pages."""
    patient, cover = people.person(), people.cover()
    requester, servicing = people.provider("Orthopedic Surgery"), people.provider("Radiology")
    sent, start = today - dt.timedelta(days=1), today + dt.timedelta(days=12)
    sheet.box(_LEFT, 36, _WIDTH, 44, weight=1.2)
    sheet.text(_LEFT + 10, 56, cover.payer, 14, BOLD)
    sheet.text(_LEFT + 10, 71, "PRIOR AUTHORIZATION REQUEST FORM", 10.5, BOLD)
    sheet.text(_LEFT + _WIDTH - 8, 56, f"Phone: {cover.phone}", 9, align="right")
    sheet.text(_LEFT + _WIDTH - 8, 71, f"Fax: {cover.fax}", 9, align="right")
    y = sheet.band(_LEFT, 88, _WIDTH, "SECTION I - GENERAL INFORMATION", dark=True)
    sheet.box(_LEFT, y, _WIDTH, 40)
    sheet.text(_LEFT + 5, y + 14, "Review Type:", 9, BOLD)
    at = sheet.check(_LEFT + 70, y + 14, "Non-Urgent", checked=True)
    sheet.check(at, y + 14, "Urgent", checked=False)
    sheet.text(_LEFT + 5, y + 32, "Request Type:", 9, BOLD)
    at = sheet.check(_LEFT + 76, y + 32, "Initial Request", checked=True)
    sheet.check(at, y + 32, "Extension / Renewal / Amendment", checked=False)
    sheet.text(_LEFT + 360, y + 14, "Submission Date:", 9, BOLD)
    sheet.text(_LEFT + 445, y + 14, us_date(sent), 10, TYPED)
    sheet.text(_LEFT + 360, y + 32, "Prev. Auth. #:", 9, BOLD)
    y = sheet.band(_LEFT, y + 46, _WIDTH, "SECTION II - PATIENT INFORMATION", dark=True)
    y = sheet.cells(
        _LEFT,
        y,
        28,
        (
            ("Patient Name", patient.name, 220),
            ("Phone", patient.phone, 110),
            ("DOB", us_date(patient.born), 110),
            ("Gender", patient.sex, 100),
        ),
        TYPED,
    )
    y = sheet.cells(
        _LEFT,
        y,
        28,
        (
            ("Subscriber Name (if different)", "", 220),
            ("Member or Medicaid ID #", cover.member_id, 190),
            ("Group #", cover.group, 130),
        ),
        TYPED,
    )
    y = sheet.band(_LEFT, y + 6, _WIDTH, "SECTION III - PROVIDER INFORMATION", dark=True)
    half = _WIDTH / 2
    sheet.box(_LEFT, y, half, 15)
    sheet.box(_LEFT + half, y, half, 15)
    sheet.text(_LEFT + 5, y + 11, "Requesting Provider or Facility", 8.5, BOLD)
    sheet.text(_LEFT + half + 5, y + 11, "Service Provider or Facility", 8.5, BOLD)
    y += 15
    y = sheet.cells(
        _LEFT, y, 28, (("Name", requester.name, half), ("Name", servicing.practice, half)), TYPED
    )
    y = sheet.cells(
        _LEFT,
        y,
        28,
        (
            ("NPI #", requester.npi, 135),
            ("Specialty", requester.specialty, 135),
            ("NPI #", servicing.npi, 135),
            ("Specialty", servicing.specialty, 135),
        ),
        TYPED,
    )
    y = sheet.cells(
        _LEFT,
        y,
        28,
        (
            ("Phone", requester.phone, 135),
            ("Fax", requester.fax, 135),
            ("Phone", servicing.phone, 135),
            ("Fax", servicing.fax, 135),
        ),
        TYPED,
    )
    y = sheet.cells(
        _LEFT,
        y,
        28,
        (("Contact Name", "Imaging Desk", 135), ("Contact Phone", requester.phone, 135)),
        TYPED,
    )
    y = sheet.band(_LEFT, y + 6, _WIDTH, "SECTION IV - SERVICES REQUESTED", dark=True)
    y = sheet.table(
        _LEFT,
        y,
        (200, 60, 80, 80, 120),
        (
            (
                "Planned Service or Procedure",
                "Code",
                "Start Date",
                "End Date",
                "Diagnosis (ICD-10)",
            ),
            (
                "MRI lumbar spine without contrast",
                "72148",
                us_date(start),
                us_date(start + dt.timedelta(days=60)),
                "M54.16",
            ),
            ("", "", "", "", "M51.26"),
        ),
        size=8.5,
        height=18,
    )
    sheet.box(_LEFT, y, _WIDTH, 24)
    sheet.text(_LEFT + 5, y + 16, "Place of service:", 9, BOLD)
    at = sheet.check(_LEFT + 92, y + 16, "Inpatient", checked=False)
    at = sheet.check(at, y + 16, "Outpatient", checked=True)
    at = sheet.check(at, y + 16, "Provider Office", checked=False)
    sheet.check(at, y + 16, "Home", checked=False)
    y += 24
    sheet.box(_LEFT, y, _WIDTH, 24)
    sheet.text(_LEFT + 5, y + 16, "Number of sessions / units:", 9, BOLD)
    sheet.text(_LEFT + 140, y + 16, "1", 10, TYPED)
    _closing(sheet, y + 30, sent)
    sheet.page()
    _visit_note(sheet, patient, requester, sent)
    return truth(
        {
            "payer_name": cover.payer,
            "submission_date": sent.isoformat(),
            "patient_name": patient.name,
            "patient_dob": patient.born.isoformat(),
            "member_id": cover.member_id,
            "group_number": cover.group,
            "requesting_provider_name": requester.name,
            "requesting_provider_npi": requester.npi,
            "servicing_provider_name": servicing.practice,
            "servicing_provider_npi": servicing.npi,
            "diagnosis_codes": ("M54.16", "M51.26"),
            "procedure_codes": "72148",
            "service_start_date": start.isoformat(),
        }
    )


def _closing(sheet: Sheet, y: float, sent: dt.date) -> None:
    y = sheet.band(_LEFT, y, _WIDTH, "SECTION V - CLINICAL DOCUMENTATION", dark=True)
    sheet.paragraph(
        _LEFT + 4,
        y + 14,
        _WIDTH - 10,
        "Radicular low back pain for ten weeks with left leg weakness. Failed NSAIDs and six weeks "
        "of supervised physical therapy. See attached visit note.",
        9.5,
        TYPED,
    )
    sheet.filled(_LEFT, 736, "Provider signature:", "", 330)
    sheet.signature(_LEFT + 110, 730, 140)
    sheet.filled(360, 736, "Date:", us_date(sent), _LEFT + _WIDTH)
    sheet.text(_LEFT + _WIDTH, 770, "Page 1 of 2", 8, align="right")


def _visit_note(sheet: Sheet, patient: Person, provider: Provider, day: dt.date) -> None:
    sheet.text(_LEFT, 56, "OFFICE VISIT NOTE", 14, BOLD)
    sheet.text(_LEFT, 76, f"Patient: {patient.name}     DOB: {us_date(patient.born)}", 10, REGULAR)
    sheet.text(_LEFT, 90, f"Visit date: {us_date(day)}     Provider: {provider.name}", 10, REGULAR)
    sheet.line(_LEFT, 98, _LEFT + _WIDTH, 98)
    y = 122.0
    for title, body in (
        (
            "SUBJECTIVE",
            "Low back pain radiating to the left calf since early autumn, worse on sitting. No "
            "bowel or bladder symptoms. Ibuprofen and naproxen gave little relief.",
        ),
        (
            "OBJECTIVE",
            "Straight leg raise positive on the left at 40 degrees. Left ankle dorsiflexion 4/5. "
            "Reduced sensation over the lateral calf. Gait antalgic.",
        ),
        (
            "ASSESSMENT",
            "Lumbar radiculopathy, suspected disc displacement at L4-L5 after failed conservative "
            "treatment.",
        ),
        ("PLAN", "MRI of the lumbar spine. Continue home exercise. Return in three weeks."),
    ):
        sheet.text(_LEFT, y, title, 10, BOLD)
        y = sheet.paragraph(_LEFT, y + 16, _WIDTH, body, 10) + 12
    sheet.text(_LEFT + _WIDTH, 770, "Page 2 of 2", 8, align="right")


def medication_request(sheet: Sheet, people: Registry, today: dt.date) -> Truth:
    """A prior-authorization request for a drug: two columns, letters in the margin."""
    patient, cover = people.person(), people.cover()
    prescriber = people.provider("Rheumatology")
    sent = today - dt.timedelta(days=2)
    right = _LEFT + _WIDTH
    sheet.text(_LEFT, 54, "Medication Prior Authorization", 17, BOLD)
    sheet.text(_LEFT, 70, f"{cover.payer} Pharmacy Services", 10)
    sheet.text(right, 54, f"Fax this form to: {cover.fax}", 9.5, BOLD, align="right")
    sheet.text(right, 70, f"Questions: {cover.phone}", 9.5, align="right")
    sheet.line(_LEFT, 78, right, 78, 2)
    sheet.text(_LEFT, 96, "Review:", 9.5, BOLD)
    at = sheet.check(_LEFT + 44, 96, "Standard", checked=False)
    sheet.check(at, 96, "Expedited (a delay could seriously harm the patient)", checked=True)
    half = _WIDTH / 2
    y = 108.0
    sheet.band(_LEFT, y, half, "PRESCRIBER")
    y = sheet.band(_LEFT + half, y, half, "PATIENT")
    for left_cell, right_cell in (
        (("Provider Name", prescriber.name), ("Customer Name", patient.name)),
        (("Specialty", prescriber.specialty), ("Date of Birth", us_date(patient.born))),
        (("NPI", prescriber.npi), ("Customer ID", cover.member_id)),
        (("TIN", prescriber.tax_id), ("Patient Phone", patient.phone)),
        (("Office Phone", prescriber.phone), ("Patient Street Address", patient.street)),
        (
            ("Office Fax", prescriber.fax),
            ("City, State, Zip", f"{patient.town}, {patient.state} {patient.postcode}"),
        ),
    ):
        y = sheet.cells(_LEFT, y, 26, ((*left_cell, half), (*right_cell, half)))
    y = sheet.band(_LEFT, y + 8, _WIDTH, "MEDICATION REQUESTED")
    y = sheet.cells(
        _LEFT,
        y,
        28,
        (
            ("Medication Name", "Adalimumab", 180),
            ("Strength", "40 mg/0.4 mL", 120),
            ("Dosage Form", "Pen injector", 120),
            ("Quantity", "2 per 28 days", 120),
        ),
    )
    y = sheet.cells(
        _LEFT,
        y,
        28,
        (
            ("Directions for Use", "Inject 40 mg under the skin every 14 days", 300),
            ("Expected Length of Therapy", "12 months", 240),
        ),
    )
    y = sheet.cells(
        _LEFT,
        y,
        28,
        (("Diagnosis", "Rheumatoid arthritis, seropositive", 300), ("ICD-10", "M05.79", 240)),
    )
    y = sheet.band(_LEFT, y + 8, _WIDTH, "MEDICATIONS TRIED AND FAILED")
    y = sheet.table(
        _LEFT,
        y,
        (180, 180, 180),
        (
            ("Drug", "Dates of Therapy", "Outcome"),
            ("Methotrexate", "01/2025 - 08/2025", "Inadequate response"),
            ("Hydroxychloroquine", "08/2025 - 02/2026", "Rash"),
        ),
        size=9,
        height=18,
    )
    sheet.text(_LEFT, y + 22, "Is this a renewal of a previous approval?", 9.5)
    at = sheet.check(_LEFT + 200, y + 22, "Yes", checked=False)
    sheet.check(at, y + 22, "No", checked=True)
    sheet.filled(_LEFT, y + 80, "Prescriber Signature:", "", 350)
    sheet.signature(_LEFT + 120, y + 73, 140)
    sheet.filled(380, y + 80, "Date:", us_date(sent), right)
    return truth(
        {
            "payer_name": cover.payer,
            "review_type": "expedited",
            "patient_name": patient.name,
            "patient_dob": patient.born.isoformat(),
            "member_id": cover.member_id,
            "requesting_provider_name": prescriber.name,
            "requesting_provider_npi": prescriber.npi,
            "requesting_provider_tax_id": prescriber.tax_id,
            "medication_name": "Adalimumab",
            "medication_strength": "40 mg/0.4 mL",
            "diagnosis_codes": "M05.79",
            "medications_tried": ("Methotrexate", "Hydroxychloroquine"),
            "form_date": sent.isoformat(),
        }
    )


def fax_cover(sheet: Sheet, people: Registry, today: dt.date, pages: int) -> Truth:
    """A fax cover sheet."""
    sender = people.provider("Family Medicine")
    sheet.text(306, 90, "FAX", 40, BOLD, align="centre")
    sheet.text(306, 116, sender.practice, 13, align="centre")
    y = 170.0
    for label, value in (
        ("To:", "Central Intake"),
        ("Fax:", people.phone()),
        ("From:", "Front Desk"),
        ("Phone:", sender.phone),
        ("Date:", us_date(today)),
        ("Pages:", f"{pages} including cover"),
        ("Re:", "New referral"),
    ):
        sheet.filled(90, y, label, value, 522)
        y += 30
    sheet.paragraph(
        90,
        y + 40,
        432,
        "The documents accompanying this transmission contain confidential health information. If "
        "you are not the intended recipient, please notify the sender and destroy all copies.",
        9,
    )
    return {}


__all__ = [
    "Cover",
    "Truth",
    "fax_cover",
    "medication_request",
    "prior_auth_request",
    "referral_cells",
    "referral_lines",
    "truth",
    "us_date",
]
