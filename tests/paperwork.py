# SPDX-License-Identifier: Apache-2.0
"""Made-up documents of every type, each field filled with a value that stands nowhere else."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

from idp.deliver.odoo.facts import Circumstances
from idp.deliver.odoo.parcel import Files
from idp.document import (
    Adjustment,
    Box,
    Claim,
    Clock,
    Document,
    DocumentType,
    Envelope,
    Field,
    Finding,
    MasterMatch,
    ReasonGroup,
    RemittanceSummary,
    Severity,
    Urgency,
)
from idp.schemas import DocumentSchema, FieldSchema, load_schemas

SCHEMAS = load_schemas()
RECEIVED = dt.datetime(2026, 3, 12, 15, 5, tzinfo=dt.UTC)
CIRCUMSTANCES = Circumstances(
    received_at=RECEIVED,
    zone=dt.timezone(dt.timedelta(hours=-6), "CST"),
    today=dt.date(2026, 3, 12),
    decided_at=RECEIVED + dt.timedelta(minutes=3),
)
OPEN = {
    "payer_name": "Evergreen Mutual",
    "plan_name": "Evergreen Gold",
    "review_type": "expedited",
    "request_type": "initial",
    "determination": "approved",
    "payment_method": "eft",
    "eft_number": "EFT-88041",
    "payment_amount": "1250.40",
    "payment_date": "2026-03-09",
    "patient_name": "Quillfeather, Petronella",
    "requesting_provider_npi": "1234567893",
    "referring_provider_npi": "1234567893",
    "auth_number": "AUTH-555-01",
    "authorization_number": "AUTH-555-01",
}
"""Values that are given; all others are made so that they can be found again."""
NOT_PHI = frozenset({"payer_name", "plan_name", "review_type", "request_type", "determination"}) | {
    "payment_method",
    "eft_number",
    "urgency",
}
CLOCK = Clock(
    rule="T1",
    title="Decide the expedited request",
    starts_at=RECEIVED,
    due_at=RECEIVED + dt.timedelta(hours=72),
    length="72 hours",
)
_BOX = Box(0.1, 0.1, 0.3, 0.12)
_SURNAMES = ("Quillfeather", "Zandershield", "Moonwhistle", "Yarrowgate", "Ostrander-Vex")


def value_of(field: FieldSchema, number: int) -> str:
    """A value of the field's kind that no other field has."""
    if field.name in OPEN:
        return OPEN[field.name]
    by_kind = {
        "person": f"{_SURNAMES[number % 5]}{number}, Petronella",
        "date": f"19{30 + number % 60}-0{1 + number % 9}-{10 + number % 18}",
        "phone": f"512-555-{1000 + number}",
        "npi": f"19{number:08d}",
        "money": f"{7000 + number}.13",
        "icd10": f"Q{10 + number % 89}.{number % 9}",
        "sex": "F",
    }
    if field.kind == "option":
        return next(iter(field.options), f"option{number}")
    return by_kind.get(field.kind, f"zq{number:03d}wx {field.name.replace('_', '')}{number}")


def paper(type_: DocumentType | str, **more: object) -> Document:
    """A document of a type with every field of its schema filled in, save what is ``missing``."""
    schema = SCHEMAS[DocumentType(type_)] if isinstance(type_, str) else SCHEMAS[type_]
    kept = {"patient_name", *OPEN}
    always = [f.name for f in schema.fields if f.required == "always" and f.name not in kept]
    missing = tuple(always[:2])
    facts: dict[str, object] = {
        "document_id": "0199f2a4-11d0-7c33-9d5e-3f6a0c4be921",
        "source": "Quillfeather_Petronella_MRN-771200.tif",
        "sha256": "5" * 64,
        "channel": "fax",
        "envelope": Envelope(sender="512-555-9999", sender_name="Barton Clinic", site="north"),
        "type": schema.type,
        "type_confidence": 0.99,
        "subtype": schema.subtypes[0].name if schema.subtypes else None,
        "pages": (1, 2),
        "fields": tuple(
            _field(field, number)
            for number, field in enumerate(schema.fields)
            if field.name not in missing
        ),
        "missing": missing,
        "findings": (
            Finding(
                rule="C3",
                severity=Severity.BLOCK,
                message="Evergreen asks for the notes of the last visit - policy 12, page 4",
            ),
            Finding(
                rule="C4",
                severity=Severity.WARN,
                message="The form says that it comes with Petronella's own letter; nothing came",
            ),
        ),
        "masters": (
            MasterMatch(directory="payers", party="payer", outcome="matched", canonical_id="P-77"),
        ),
        "urgency": Urgency(level="urgent"),
        "clocks": (CLOCK,),
        "priority": 2,
        "reasons": ("Member ID W99 of Petronella is not sure enough",),
        "reason_codes": ("doubtful_value",),
        "rules_version": "test",
    }
    if schema.type == DocumentType.REMITTANCE_EOB:
        facts |= {"claims": _CLAIMS, "remittance": _SUMMARY}
    return Document.model_validate(facts | more)


def files(folder: Path, *, alone: bool = True) -> Files:
    """Files as they are made for a document; ``alone``: it was the only one in its file."""
    written = {"document.json": b'{"schema": "idp.document/1"}\n', "document.pdf": b"%PDF-1.4\n"}
    written |= {"original.tif": b"II*\0as received"} if alone else {"pages.pdf": b"%PDF-1.4 own\n"}
    for name, content in written.items():
        (folder / name).write_bytes(content)
    return Files(
        record=folder / "document.json",
        pages=folder / "document.pdf",
        original=folder / "original.tif" if alone else None,
        original_name="original.tif",
        clean=None if alone else folder / "pages.pdf",
    )


def secrets_of(document: Document, schema: DocumentSchema) -> set[str]:
    """Everything in a document that is about a person: values as read and each word of names."""
    found = {document.source, *document.reasons}
    envelope = document.envelope
    if envelope is not None:
        found |= {each for each in (envelope.sender, envelope.sender_name) if each}
    for field in document.fields:
        if field.name in NOT_PHI or schema.field(field.name) is None or field.value is None:
            continue
        if (
            field.value not in OPEN.values() and len(field.value) > 3
        ) or field.name == "patient_name":
            found |= {field.value, field.raw}
    for claim in document.claims:
        numbers = (claim.member_id, claim.patient_account, claim.claim_number)
        found |= {each for each in (claim.patient_name, *numbers) if each}
    found |= {"Petronella", "Quillfeather", "MRN-771200", OPEN["auth_number"]}
    return found


def _field(field: FieldSchema, number: int) -> Field:
    value = value_of(field, number)
    return Field(
        name=field.name, value=value, raw=value, confidence=0.93, page=1, box=_BOX, source="form"
    )


_CLAIMS = (
    Claim(
        patient_name="Quillfeather, Petronella",
        member_id="W99123",
        patient_account="ACCT-31337",
        claim_number="CLM-9000001",
        procedure_code="97110",
        billed=Decimal("400.00"),
        paid=Decimal("0.00"),
        carc="197",
        adjustments=(Adjustment(group="CO", reason="197", amount=Decimal("400.00")),),
    ),
)
_SUMMARY = RemittanceSummary(
    claims=7,
    denied=("CLM-9000001",),
    billed=Decimal("1650.40"),
    paid=Decimal("1250.40"),
    payment=Decimal("1250.40"),
    balanced=True,
    checked=3,
    reasons=(
        ReasonGroup(
            group="CO",
            reason="197",
            category="authorization",
            title="No authorization",
            denial=True,
            queue="authorizations",
            claims=1,
            amount=Decimal("400.00"),
        ),
        ReasonGroup(
            group="CO",
            reason="45",
            category="contractual",
            title="Contractual",
            denial=False,
            claims=6,
        ),
    ),
)
