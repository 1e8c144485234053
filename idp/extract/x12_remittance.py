# SPDX-License-Identifier: Apache-2.0
"""The 835 (005010X221A1) as a remittance, in the fields and claims that paper gives.

``adjustment`` is what the CAS segments take away, less deductible, coinsurance and copay (group PR,
reasons 1, 2, 3), which have places of their own: so billed less these four is paid, on each line
and claim. Whether it is, is for the rules to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from idp.document import Adjustment, Claim, Field, Place, ServiceLine, Severity
from idp.extract.x12_listed import (
    MALFORMED,
    SOURCE,
    VERSION,
    Listed,
    clean,
    day,
    money,
    normal,
    person,
    person_field,
)
from idp.rulebook import rule
from idp.values import Kind
from idp.x12 import X12Segment

_SHARES = {("PR", "1"): "deductible", ("PR", "2"): "coinsurance", ("PR", "3"): "copay"}
_GROUPS = frozenset({"CO", "OA", "PI", "PR"})
_METHODS = {
    "ACH": "eft",
    "BOP": "eft",
    "FWT": "eft",
    "CHK": "check",
    "NON": "none",
}
"""BPR04."""
_REVERSAL = "22"
_NOTES = {
    "1": "Processed as primary",
    "2": "Processed as secondary",
    "3": "Processed as tertiary",
    "4": "Denied",
    "19": "Processed as primary, forwarded",
    "20": "Processed as secondary, forwarded",
    "21": "Processed as tertiary, forwarded",
    _REVERSAL: "Reversal of a previous payment",
    "23": "Not this payer's claim, forwarded",
    "25": "Predetermination, no payment",
}
"""CLP02, in our own words."""
_AMOUNTS = ("billed", "allowed", "adjustment", "deductible", "coinsurance", "copay", "paid")
_MOA_REMARKS = (3, 4, 5, 6, 7)
_MIA_REMARKS = (5, 20, 21, 22, 23)
_QUALIFIED_CODES = frozenset({"HC", "AD", "HP", "WK"})
"""SVC01-1 of CPT, HCPCS, dental and HIPPS codes."""


class _Reason(NamedTuple):
    """One reason of a CAS segment, and its element."""

    group: str
    reason: str
    amount: Decimal
    cas: X12Segment
    element: int

    @property
    def code(self) -> str:
        return f"{self.group}-{self.reason}"

    def told(self) -> Adjustment:
        """As documents carry it."""
        return Adjustment(group=self.group, reason=self.reason, amount=self.amount)


@dataclass
class _Service:
    """Loop 2110: an SVC and what follows it."""

    svc: X12Segment
    adjustments: list[_Reason] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    dates: dict[str, X12Segment] = field(default_factory=dict)
    allowed: X12Segment | None = None


@dataclass
class _ClaimPayment:
    """Loop 2100: a CLP and what follows it."""

    clp: X12Segment
    services: list[_Service] = field(default_factory=list)
    adjustments: list[_Reason] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    dates: dict[str, X12Segment] = field(default_factory=dict)
    names: dict[str, X12Segment] = field(default_factory=dict)
    references: dict[str, X12Segment] = field(default_factory=dict)

    @property
    def all_adjustments(self) -> list[_Reason]:
        return [*self.adjustments, *(a for s in self.services for a in s.adjustments)]


@dataclass
class _Payment:
    """The whole transaction set, by its loops."""

    head: list[tuple[str, X12Segment]] = field(default_factory=list)
    """Segments before the first claim, each with the party (N101) whose loop it is in."""
    claims: list[_ClaimPayment] = field(default_factory=list)
    provider_adjustments: list[X12Segment] = field(default_factory=list)


def remittance(listed: Listed) -> tuple[list[Field], tuple[Claim, ...]]:
    """The fields and claims of an 835."""
    payment = _by_loops(listed)
    claims = tuple(_claim(listed, claim) for claim in payment.claims)
    fields = _head_fields(listed, payment)
    fields += _provider_adjustments(listed, payment)
    fields += _totals(claims)
    shares = [_patient_share(claim) for claim in claims]
    fields += _total("patient_responsibility", shares)
    if len(payment.claims) == 1:
        fields += _only_claim(listed, payment.claims[0])
    return fields, claims


def _by_loops(listed: Listed) -> _Payment:
    """Each segment put where it belongs by its place after CLP and SVC (X221A1, 2.3.1)."""
    payment = _Payment()
    party = ""
    claim: _ClaimPayment | None = None
    service: _Service | None = None
    for segment in listed.transaction.segments:
        if segment.id == "CLP":
            claim, service = _ClaimPayment(segment), None
            payment.claims.append(claim)
        elif segment.id == "LX":
            claim = service = None
        elif segment.id == "PLB":
            claim = service = None
            payment.provider_adjustments.append(segment)
        elif segment.id == "SVC" and claim is not None:
            service = _Service(segment)
            claim.services.append(service)
        elif claim is not None:
            _into(listed, claim, service, segment)
        elif segment.id in ("SVC", "CAS"):
            listed.find_fault(MALFORMED, segment, "stands outside of any claim; it was not counted")
        else:
            party = segment[1] if segment.id == "N1" else party
            payment.head.append((party, segment))
    return payment


def _into(
    listed: Listed, claim: _ClaimPayment, service: _Service | None, segment: X12Segment
) -> None:
    """A segment of a claim, or of its service line."""
    loop = service or claim
    match segment.id:
        case "CAS":
            loop.adjustments.extend(_adjustments(listed, segment))
        case "DTM":
            loop.dates.setdefault(segment[1], segment)
        case "LQ" if segment[1] in ("HE", "RX") and segment[2]:
            loop.remarks.append(clean(segment[2]))
        case "MOA":
            claim.remarks.extend(clean(segment[at]) for at in _MOA_REMARKS if segment[at])
        case "MIA":
            claim.remarks.extend(clean(segment[at]) for at in _MIA_REMARKS if segment[at])
        case "NM1":
            claim.names.setdefault(segment[1], segment)
        case "REF" if service is None:
            claim.references.setdefault(segment[1], segment)
        case "AMT" if service is not None and segment[1] == "B6":
            service.allowed = service.allowed or segment


@rule("R7", severity=Severity.BLOCK, source="835 X221A1 CAS; CAQH CORE 360")
def _adjustments(listed: Listed, cas: X12Segment) -> Iterator[_Reason]:
    """R7: each adjustment has a group, a reason and an amount.

    CAS02 to CAS19 hold up to six reasons, each with an amount and a quantity.
    """
    if cas[1] not in _GROUPS:
        listed.find_fault("R7", cas, "its group is none of CO, OA, PI, PR", field="carc")
    for at in range(2, len(cas.elements), 3):
        reason, amount = clean(cas[at]), listed.amount(cas, at + 1)
        if amount is not None:
            if not reason:
                listed.find_fault("R7", cas, f"CAS{at + 1:02d} has no reason", field="carc")
            yield _Reason(clean(cas[1]), reason, amount, cas, at + 1)
        elif reason and not cas[at + 1]:
            listed.find_fault("R7", cas, f"CAS{at:02d} has no amount", field="adjustment")


def _reductions(adjustments: Sequence[_Reason]) -> dict[str, Decimal | None]:
    """The sums by the place that each reason has; a share that nobody speaks of is none."""
    sums: dict[str, Decimal | None] = dict.fromkeys(_SHARES.values())
    rest = Decimal(0)
    for each in adjustments:
        name = _SHARES.get((each.group, each.reason))
        if name is None:
            rest += each.amount
        else:
            sums[name] = (sums[name] or Decimal(0)) + each.amount
    return {**sums, "adjustment": rest}


def _cells(
    listed: Listed,
    segment: X12Segment,
    elements: Sequence[tuple[str, int]],
    reasons: Sequence[_Reason],
) -> dict[str, Place]:
    """Where the amounts stand: elements of the segment, and the first CAS that each sum has."""
    stands = {name: (segment, element) for name, element in elements if segment[element]}
    for each in reasons:
        name = _SHARES.get((each.group, each.reason), "adjustment")
        stands.setdefault(name, (each.cas, each.element))
    places = {name: listed.element(*where) for name, where in stands.items()}
    return {name: Place(page=where.page, box=where.box) for name, where in places.items()}


def _joined(codes: Sequence[str]) -> str | None:
    return ", ".join(dict.fromkeys(code for code in codes if code)) or None


def _service_line(listed: Listed, service: _Service) -> ServiceLine:
    svc = service.svc
    place = listed.segment(svc)
    dated = service.dates.get("472") or service.dates.get("150")
    units = listed.amount(svc, 5, decimals=4)
    return ServiceLine(
        service_date=listed.date(dated, 2) if dated else None,
        procedure_code=_procedure(listed, svc),
        # X221A1: SVC05 is only sent when it is not one.
        units=Decimal(1) if units is None and not svc[5] else units,
        billed=listed.amount(svc, 2),
        paid=_paid(listed, svc, 3),
        allowed=listed.amount(service.allowed, 2) if service.allowed else None,
        **_reductions(service.adjustments),
        carc=_joined([a.code for a in service.adjustments]),
        rarc=_joined(service.remarks),
        adjustments=tuple(each.told() for each in service.adjustments),
        confidence=1.0,
        page=place.page,
        box=place.box,
        cells=_cells(listed, svc, (("billed", 2), ("paid", 3)), service.adjustments),
    )


def _paid(listed: Listed, segment: X12Segment, element: int) -> Decimal | None:
    """SVC03: nothing there means that nothing is paid (X221A1)."""
    return Decimal(0) if not segment[element] else listed.amount(segment, element)


def _procedure(listed: Listed, svc: X12Segment) -> str | None:
    """The code of SVC01 without its modifiers; a revenue code where there is no other."""
    qualifier, *rest = listed.transaction.components(svc[1])
    code = clean(rest[0]) if rest else ""
    if not code:
        listed.find_fault(
            MALFORMED,
            svc,
            "SVC01 is no qualifier and code parted by the interchange's component separator",
            field="procedure_code",
            severity=Severity.WARN,
        )
        return None
    if qualifier not in _QUALIFIED_CODES and svc[4]:
        return clean(svc[4])
    return code


def _claim(listed: Listed, claim: _ClaimPayment) -> Claim:
    clp = claim.clp
    place = listed.segment(clp)
    lines = tuple(_service_line(listed, service) for service in claim.services)
    only = lines[0] if len(lines) == 1 else None
    dates = [line.service_date for line in lines if line.service_date]
    stated = claim.dates.get("232")
    allowed = [line.allowed for line in lines]
    patient = claim.names.get("QC")
    member = _member(claim)
    group = claim.references.get("1L")
    return Claim(
        patient_name=(person(patient) or None) if patient else None,
        member_id=clean(member[9]) if member else None,
        group_number=clean(group[2]) or None if group else None,
        patient_account=clean(clp[1]) or None,
        claim_number=clean(clp[7]) or None,
        service_date=min(dates) if dates else listed.date(stated, 2) if stated else None,
        procedure_code=only.procedure_code if only else None,
        units=only.units if only else None,
        billed=listed.amount(clp, 3),
        paid=listed.amount(clp, 4),
        allowed=sum((a for a in allowed if a is not None), Decimal(0))
        if allowed and None not in allowed
        else None,
        **_reductions(claim.all_adjustments),
        carc=_joined([a.code for a in claim.all_adjustments]),
        rarc=_joined([*claim.remarks, *(r for s in claim.services for r in s.remarks)]),
        patient_responsibility=listed.amount(clp, 5),
        status=clean(clp[2]) or None,
        adjustments=tuple(each.told() for each in claim.adjustments),
        note=_NOTES.get(clp[2], f"Status {clean(clp[2])}"),
        confidence=1.0,
        page=place.page,
        box=place.box,
        cells=_cells(
            listed,
            clp,
            (("billed", 3), ("paid", 4), ("patient_responsibility", 5)),
            claim.adjustments,
        ),
        service_lines=lines,
    )


def _member(claim: _ClaimPayment) -> X12Segment | None:
    """Who has the member number: the patient, or else the subscriber, as corrected last of all."""
    for entity in ("QC", "IL", "74"):
        name = claim.names.get(entity)
        if name is not None and clean(name[9]):
            return name
    return None


def _patient_share(claim: Claim) -> Decimal:
    """CLP05; where it is not sent, what the reasons of group PR add up to."""
    if claim.patient_responsibility is not None:
        return claim.patient_responsibility
    return claim.responsibility()


def _head_fields(listed: Listed, payment: _Payment) -> list[Field]:
    fields: dict[str, Field] = {}

    def take(name: str, segment: X12Segment, element: int, value: str | None = None) -> None:
        if clean(segment[element]):
            fields.setdefault(name, listed.field(name, segment, element, value))

    for party, segment in payment.head:
        match segment.id:
            case "BPR":
                _take_payment(listed, segment, fields)
            case "TRN":
                take("eft_number", segment, 2)
            case "DTM" if segment[1] == "405":
                found = day(segment[2])
                take("issue_date", segment, 2, found.isoformat() if found else None)
            case "N1" if party == "PR":
                take("payer_name", segment, 2)
            case "N1" if party == "PE":
                take("payee_name", segment, 2)
                if segment[3] == "XX":
                    take("payee_npi", segment, 4)
                elif segment[3] == "FI":
                    take("payee_tax_id", segment, 4, normal(Kind.TAX_ID, segment[4]))
            case "REF" if party == "PE" and segment[1] == "TJ":
                take("payee_tax_id", segment, 2, normal(Kind.TAX_ID, segment[2]))
    return list(fields.values())


def _take_payment(listed: Listed, bpr: X12Segment, fields: dict[str, Field]) -> None:
    """BPR: how much, how and when."""
    amount = listed.amount(bpr, 2)
    if amount is not None:
        fields.setdefault("payment_amount", listed.field("payment_amount", bpr, 2, money(amount)))
    if bpr[3] == "D":
        listed.find_fault(
            MALFORMED, bpr, "the amount is a debit (BPR03), not a payment", field="payment_amount"
        )
    if bpr[4]:
        fields.setdefault(
            "payment_method",
            listed.field("payment_method", bpr, 4, _METHODS.get(bpr[4], clean(bpr[4]))),
        )
    if bpr[16]:
        found = day(bpr[16])
        value = found.isoformat() if found else None
        fields.setdefault("payment_date", listed.field("payment_date", bpr, 16, value))


def _provider_adjustments(listed: Listed, payment: _Payment) -> list[Field]:
    """PLB03/04 to PLB13/14: what is taken from, or added to, the payment as a whole."""
    fields: list[Field] = []
    for plb in payment.provider_adjustments:
        for at in range(3, len(plb.elements), 2):
            amount = listed.amount(plb, at + 1)
            if amount is None:
                if plb[at]:
                    listed.find_fault(MALFORMED, plb, f"PLB{at + 1:02d} has no amount")
                continue
            reason = clean(" ".join(listed.transaction.components(plb[at])))
            fields.append(listed.field("provider_adjustments", plb, at + 1, money(amount)))
            fields.append(listed.field("provider_adjustment_reasons", plb, at, reason))
    return fields


def _totals(claims: Sequence[Claim]) -> list[Field]:
    fields: list[Field] = []
    for name in _AMOUNTS:
        amounts = [getattr(claim, name) for claim in claims]
        if name in ("deductible", "coinsurance", "copay"):
            # No reason for it on a claim means that there was none.
            amounts = [Decimal(0) if amount is None else amount for amount in amounts]
        fields += _total(f"total_{name}", amounts)
    return fields


def _total(name: str, amounts: Sequence[Decimal | None]) -> list[Field]:
    """A sum over all claims, where all of them say it."""
    known = [amount for amount in amounts if amount is not None]
    if not known or len(known) < len(amounts):
        return []
    total = money(sum(known, Decimal(0)))
    return [
        Field(
            name=name,
            value=total,
            raw=total,
            confidence=1.0,
            source=SOURCE,
            derived_from=("claims",),
            model_version=VERSION,
        )
    ]


def _only_claim(listed: Listed, claim: _ClaimPayment) -> list[Field]:
    """What a remittance of one claim says of its patient, as a paper EOB does."""
    fields: list[Field] = []
    patient, insured, member = claim.names.get("QC"), claim.names.get("IL"), _member(claim)
    for name, segment in (("patient_name", patient), ("subscriber_name", insured)):
        if segment is not None:
            fields += person_field(listed, name, segment)
    if member is not None:
        fields.append(listed.field("member_id", member, 9))
    group = claim.references.get("1L")
    if group is not None and clean(group[2]):
        fields.append(listed.field("group_number", group, 2))
    for name, element in (("patient_account", 1), ("claim_number", 7)):
        if clean(claim.clp[element]):
            fields.append(listed.field(name, claim.clp, element))
    for name, qualifier in (("service_from", "232"), ("service_to", "233")):
        stated = claim.dates.get(qualifier)
        found = day(stated[2]) if stated is not None else None
        if stated is not None and found is not None:
            fields.append(listed.field(name, stated, 2, found.isoformat()))
    return fields
