# SPDX-License-Identifier: Apache-2.0
"""What X12 segments and their qualifiers mean, in words for people who look at a listing.

For reading only: no value is taken from here. The wordings are our own; the standard's texts and
its code lists are licensed, so a code that is not plain knowledge is shown as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from idp.x12 import TransactionSet, X12Segment

KINDS: Mapping[str, str] = {
    "270": "Eligibility inquiry",
    "271": "Eligibility response",
    "276": "Claim status inquiry",
    "277": "Claim status response",
    "278": "Authorization request or response",
    "820": "Premium payment",
    "834": "Benefit enrollment",
    "835": "Claim payment (remittance advice)",
    "837": "Claim",
    "997": "Acknowledgment",
    "999": "Acknowledgment",
    "TA1": "Interchange acknowledgment",
}

_SEGMENTS: Mapping[str, str] = {
    "AAA": "Request refused",
    "AK1": "Group acknowledged",
    "AK2": "Set acknowledged",
    "AK3": "Error in segment",
    "AK4": "Error in element",
    "AK5": "Set result",
    "AK9": "Group result",
    "AMT": "Amount",
    "BGN": "Beginning",
    "BHT": "Beginning",
    "BPR": "Payment",
    "CL1": "Institutional claim",
    "CLM": "Claim",
    "CN1": "Contract",
    "CR1": "Ambulance",
    "CR2": "Chiropractic",
    "CAS": "Adjustment",
    "CLP": "Claim payment",
    "CRC": "Condition",
    "CTX": "Context of the error",
    "CUR": "Currency",
    "DMG": "Birth date and sex",
    "DSB": "Disability",
    "DTM": "Date",
    "DTP": "Date",
    "EB": "Eligibility or benefit",
    "EC": "Employment class",
    "EQ": "Eligibility asked for",
    "FRM": "Supporting form",
    "HCP": "Repricing",
    "HCR": "Review decision",
    "HD": "Health coverage",
    "HI": "Diagnosis or other codes",
    "HL": "Level",
    "HSD": "Services delivered",
    "ICM": "Income",
    "IK3": "Error in segment",
    "IK4": "Error in element",
    "IK5": "Set result",
    "INS": "Member",
    "LE": "End of loop",
    "LIN": "Drug",
    "LQ": "Remark code",
    "LS": "Begin of loop",
    "LUI": "Language",
    "LX": "Number",
    "MIA": "Inpatient adjudication",
    "MOA": "Outpatient adjudication",
    "MPI": "Military service",
    "MSG": "Message",
    "N1": "Party",
    "N3": "Address",
    "N4": "City, state, ZIP",
    "NM1": "Name",
    "NTE": "Note",
    "OI": "Other insurance",
    "PAT": "Patient",
    "PER": "Contact",
    "PLA": "Place",
    "PLB": "Provider adjustment",
    "PRV": "Provider",
    "PWK": "Attachment",
    "QTY": "Quantity",
    "RDM": "Delivery",
    "REF": "Reference",
    "SBR": "Subscriber",
    "SE": "End of set",
    "ST": "Beginning of set",
    "STC": "Status",
    "SV1": "Professional service",
    "SV2": "Institutional service",
    "SV3": "Dental service",
    "SVC": "Service payment",
    "SVD": "Line adjudication",
    "TA1": "Interchange acknowledged",
    "TOO": "Tooth",
    "TRN": "Trace number",
    "TS2": "Provider summary",
    "TS3": "Provider summary",
    "UM": "Review wanted",
}
_GROUPS: Mapping[str, str] = {
    "CO": "Contractual obligation",
    "OA": "Other adjustment",
    "PI": "Payer initiated reduction",
    "PR": "Patient responsibility",
}
_PATIENT_SHARE: Mapping[str, str] = {"1": "deductible", "2": "coinsurance", "3": "copay"}
_CLAIM_STATUS: Mapping[str, str] = {
    "1": "processed as primary",
    "2": "processed as secondary",
    "3": "processed as tertiary",
    "4": "denied",
    "19": "processed as primary, forwarded",
    "20": "processed as secondary, forwarded",
    "21": "processed as tertiary, forwarded",
    "22": "reversal of a previous payment",
    "23": "not our claim, forwarded",
    "25": "predetermination, no payment",
}
_ENTITIES: Mapping[str, str] = {
    "03": "dependent",
    "1P": "provider",
    "40": "receiver",
    "41": "submitter",
    "71": "attending provider",
    "72": "operating provider",
    "74": "corrected insured",
    "77": "service location",
    "82": "rendering provider",
    "85": "billing provider",
    "87": "pay-to provider",
    "DN": "referring provider",
    "FA": "facility",
    "IL": "insured",
    "IN": "insurer",
    "P5": "plan sponsor",
    "PE": "payee",
    "PR": "payer",
    "QC": "patient",
    "SJ": "service provider",
    "TT": "transfer to",
    "TV": "broker",
    "X3": "review organization",
}
_DATES: Mapping[str, str] = {
    "007": "effective",
    "036": "expiration",
    "050": "received",
    "102": "issued",
    "150": "service from",
    "151": "service to",
    "232": "claim from",
    "233": "claim to",
    "291": "plan",
    "303": "maintenance effective",
    "348": "benefit begin",
    "349": "benefit end",
    "356": "eligibility begin",
    "357": "eligibility end",
    "405": "production",
    "434": "statement",
    "435": "admission",
    "472": "service",
}
_REFERENCES: Mapping[str, str] = {
    "0F": "subscriber number",
    "1K": "payer claim number",
    "1L": "group or policy number",
    "6R": "line item control number",
    "BB": "authorization number",
    "D9": "claim number",
    "EI": "employer tax number",
    "EJ": "patient account",
    "EV": "receiver",
    "F8": "original reference",
    "G1": "authorization number",
    "LU": "location number",
    "NT": "administrator's reference",
    "PQ": "payee identification",
    "SY": "social security number",
    "TJ": "tax number",
}
_AMOUNTS: Mapping[str, str] = {
    "AU": "coverage",
    "B6": "allowed",
    "D": "paid by the payer",
    "F5": "paid by the patient",
    "I": "interest",
    "T": "tax",
    "YU": "in process",
}
_LEVELS: Mapping[str, str] = {
    "19": "service provider",
    "20": "payer",
    "21": "receiver or requester",
    "22": "subscriber",
    "23": "dependent",
    "EV": "patient event",
    "PT": "patient",
    "SS": "service",
}
_DECISIONS: Mapping[str, str] = {
    "A1": "certified in total",
    "A3": "not certified",
    "A4": "pended",
}
_METHODS: Mapping[str, str] = {
    "ACH": "by ACH transfer",
    "BOP": "by the payer's bank",
    "CHK": "by check",
    "FWT": "by wire",
    "NON": "no payment",
}
_RESULTS: Mapping[str, str] = {
    "A": "accepted",
    "E": "accepted with errors",
    "M": "rejected",
    "P": "partly accepted",
    "R": "rejected",
    "W": "rejected",
    "X": "rejected",
}


def heading(transaction: TransactionSet) -> str:
    """What stands above each page of a listing."""
    title = KINDS.get(transaction.kind, "Transaction set")
    parts = (
        f"X12 {transaction.kind} {title}",
        transaction.version,
        f"control number {transaction.control_number}",
        f"from {transaction.sender} to {transaction.receiver}",
    )
    text = "  ".join(part for part in parts if part)
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in text)[:115]


def meaning(transaction: TransactionSet, segment: X12Segment) -> str:
    """What a segment says, in a few words."""
    name = _SEGMENTS.get(segment.id, "")
    told = _MORE.get(segment.id)
    more = told(transaction, segment) if told else ""
    text = ": ".join(part for part in (name, more) if part)
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in text)


_Teller = Callable[[TransactionSet, X12Segment], str]


def _by(words: Mapping[str, str], element: int = 1, shown: int = 0) -> _Teller:
    """Tells a qualifier by its words, and the element that it qualifies."""

    def tell(transaction: TransactionSet, segment: X12Segment) -> str:
        word = words.get(segment[element], segment[element])
        return f"{word} {segment[shown]}".strip() if shown else word

    return tell


def _adjustments(transaction: TransactionSet, segment: X12Segment) -> str:
    """CAS: the group, and each reason with its amount."""
    told = []
    for at in range(2, len(segment.elements), 3):
        reason, amount = segment[at], segment[at + 1]
        if reason or amount:
            share = _PATIENT_SHARE.get(reason, "") if segment[1] == "PR" else ""
            told.append(f"{reason} {share} {amount}".replace("  ", " "))
    return f"{_GROUPS.get(segment[1], segment[1])} {', '.join(told)}"


def _provider_adjustments(transaction: TransactionSet, segment: X12Segment) -> str:
    told = [
        f"{transaction.components(segment[at])[0]} {segment[at + 1]}"
        for at in range(3, len(segment.elements), 2)
    ]
    return ", ".join(told)


def _claim_payment(transaction: TransactionSet, segment: X12Segment) -> str:
    status = _CLAIM_STATUS.get(segment[2], f"status {segment[2]}")
    return f"{status}, billed {segment[3]}, paid {segment[4]}"


def _service_payment(transaction: TransactionSet, segment: X12Segment) -> str:
    code = " ".join(transaction.components(segment[1])[1:]) or segment[1]
    return f"{code}, billed {segment[2]}, paid {segment[3]}"


def _payment(transaction: TransactionSet, segment: X12Segment) -> str:
    return f"{segment[2]} {_METHODS.get(segment[4], segment[4])} on {_day(segment[16])}"


def _name(transaction: TransactionSet, segment: X12Segment) -> str:
    who = " ".join(part for part in (segment[4], segment[5], segment[3], segment[7]) if part)
    return f"{_ENTITIES.get(segment[1], segment[1])} {who}"


def _date(element: int) -> _Teller:
    def tell(transaction: TransactionSet, segment: X12Segment) -> str:
        days = " to ".join(_day(day) for day in segment[element].split("-"))
        return f"{_DATES.get(segment[1], segment[1])} {days}"

    return tell


def _day(text: str) -> str:
    if len(text) == 8 and text.isascii() and text.isdigit():
        return f"{text[:4]}-{text[4:6]}-{text[6:]}"
    return text


def _birth(transaction: TransactionSet, segment: X12Segment) -> str:
    return f"{_day(segment[2])} {segment[3]}"


_MORE: Mapping[str, _Teller] = {
    "AK5": _by(_RESULTS),
    "AK9": _by(_RESULTS),
    "AMT": _by(_AMOUNTS, shown=2),
    "BPR": _payment,
    "CAS": _adjustments,
    "CLP": _claim_payment,
    "DMG": _birth,
    "DTM": _date(2),
    "DTP": _date(3),
    "HCR": _by(_DECISIONS, shown=2),
    "HL": _by(_LEVELS, element=3),
    "IK5": _by(_RESULTS),
    "N1": _by(_ENTITIES, shown=2),
    "NM1": _name,
    "PLB": _provider_adjustments,
    "REF": _by(_REFERENCES, shown=2),
    "SVC": _service_payment,
    "TRN": lambda transaction, segment: segment[2],
}
