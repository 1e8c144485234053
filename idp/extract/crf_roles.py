# SPDX-License-Identifier: Apache-2.0
"""Roles: what a value is, whoever it belongs to.

The tagger learns roles (a name, an NPI, a telephone number), never field names: a form knows many
NPIs, and whose one is follows from labels and sections, not from the words of the value. A role
and a party together name a field of the type's schema.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from idp.document import DocumentType
from idp.schemas import DocumentSchema, FieldSchema

OUTSIDE, LABEL, TITLE = "O", "LABEL", "TITLE"
NOT_VALUES = frozenset({OUTSIDE, LABEL, TITLE})
UNWANTED = frozenset({"X_ID", "X_DATE", "X_TEXT", "X_NAME"})
"""Values that forms hold and nobody asks for; learned so that nothing else takes them."""

_BY_ATTRIBUTE = {
    "name": "NAME",
    "npi": "NPI",
    "tax_id": "TAX_ID",
    "specialty": "SPECIALTY",
    "phone": "PHONE",
    "fax": "FAX",
    "mobile": "MOBILE",
    "email": "EMAIL",
    "address": "ADDRESS",
    "dob": "DOB",
    "sex": "SEX",
    "member_id": "MEMBER_ID",
    "group_number": "GROUP",
    "practice": "PRACTICE",
    "plan": "PLAN",
}
_BY_NAME = {
    "auth_number": "AUTH",
    "authorization_number": "AUTH",
    "previous_auth_number": "PREVIOUS_AUTH",
    "determination": "DETERMINATION",
    "determination_date": "DECISION_DATE",
    "submission_date": "DOC_DATE",
    "referral_date": "DOC_DATE",
    "form_date": "SIGN_DATE",
    "review_type": "REVIEW",
    "urgency": "REVIEW",
    "urgency_reason": "URGENCY_REASON",
    "request_type": "REQUEST_TYPE",
    "place_of_service": "POS",
    "diagnosis_codes": "ICD",
    "diagnosis_descriptions": "DX",
    "procedure_codes": "CPT",
    "service_descriptions": "SERVICE",
    "service_start_date": "START",
    "service_end_date": "END",
    "effective_from": "START",
    "effective_to": "END",
    "service_from": "START",
    "service_to": "END",
    "units": "UNITS",
    "approved_units": "UNITS",
    "quantity": "QUANTITY",
    "medication_name": "MEDICATION",
    "medication_strength": "STRENGTH",
    "dosage_form": "DOSE_FORM",
    "directions": "DIRECTIONS",
    "duration_of_therapy": "DURATION",
    "medications_tried": "TRIED",
    "clinical_notes": "NOTES",
    "signature_present": "SIGNATURE",
    "reason": "REASON",
    "referral_id": "REFERRAL_ID",
    "denial_reason": "DENIAL",
    "appeal_deadline_days": "APPEAL_DAYS",
    "payment_amount": "PAYMENT",
    "issue_date": "PAY_DATE",
    "payment_date": "PAY_DATE",
    "eft_number": "EFT",
    "eob_number": "EOB_NO",
    "claim_number": "CLAIM_NO",
    "patient_account": "ACCOUNT",
    "total_billed": "TOTAL_BILLED",
    "total_allowed": "TOTAL_ALLOWED",
    "total_adjustment": "TOTAL_ADJUSTMENT",
    "total_deductible": "TOTAL_DEDUCTIBLE",
    "total_copay": "TOTAL_COPAY",
    "total_coinsurance": "TOTAL_COINSURANCE",
    "total_paid": "TOTAL_PAID",
    "patient_responsibility": "PATIENT_RESPONSIBILITY",
}
NAME_PARTS = ("FIRST", "MIDDLE", "LAST")
ADDRESS_PARTS = ("STREET", "CITY", "STATE", "ZIP")
CLAIM_CELLS = frozenset({"C_MONEY", "C_DATE", "C_CODE", "C_UNITS", "C_CARC"})
"""Cells of a remittance's lines; read as a table elsewhere, learned so that nothing takes them."""
ALL_ROLES = frozenset(
    {
        *NOT_VALUES,
        *UNWANTED,
        *CLAIM_CELLS,
        *_BY_ATTRIBUTE.values(),
        *_BY_NAME.values(),
        *NAME_PARTS,
        *ADDRESS_PARTS,
        "PAYER",
    }
)
"""Everything that a word of a page may be tagged as."""
OWNED = frozenset(
    {
        "NAME",
        "NPI",
        "TAX_ID",
        "SPECIALTY",
        "PHONE",
        "FAX",
        "MOBILE",
        "EMAIL",
        "ADDRESS",
        "PRACTICE",
        *NAME_PARTS,
        *ADDRESS_PARTS,
    }
)
"""Roles that several parties of one form have: the party decides which field it is."""


def role_of(field: FieldSchema) -> str | None:
    """The role of a field, or ``None`` for one the tagger does not know."""
    if field.attribute == "name" and field.party == "payer":
        return "PAYER"
    if field.attribute in _BY_ATTRIBUTE:
        return _BY_ATTRIBUTE[field.attribute]
    return _BY_NAME.get(field.name)


def fields_by_role(schema: DocumentSchema) -> dict[tuple[str, str], FieldSchema]:
    """The field that a role and a party name; roles of one party only also under ``""``."""
    found: dict[tuple[str, str], FieldSchema] = {}
    for field in schema.fields:
        role = role_of(field)
        if role is None:
            continue
        found.setdefault((role, field.party or ""), field)
        if role not in OWNED:
            found.setdefault((role, ""), field)
    return found


def label_roles(
    schemas: Mapping[DocumentType, DocumentSchema], more: Iterable[tuple[str, str]] = ()
) -> dict[str, frozenset[str]]:
    """Which roles each printed label may introduce, from the schemas' labels."""
    table: dict[str, set[str]] = {}
    for schema in schemas.values():
        for field in schema.fields:
            if role := role_of(field):
                for label in field.labels:
                    table.setdefault(label, set()).add(role)
    for label, role in more:
        table.setdefault(label, set()).add(role)
    return {label: frozenset(roles) for label, roles in table.items()}
