# SPDX-License-Identifier: Apache-2.0
"""X12 interchanges of invented people, written by the rules of the standard."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

Segment = tuple[str, ...]
CENT = Decimal("0.01")


@dataclass(frozen=True)
class Separators:
    element: str = "*"
    component: str = ":"
    repetition: str = "^"
    terminator: str = "~"
    line_end: str = "\n"


PLAIN = Separators()
OTHERS = (
    PLAIN,
    Separators(line_end=""),
    Separators(line_end="\r\n"),
    Separators("|", ">", "^", "'"),
    Separators("~", "^", "!", "\n", ""),
    Separators("\x1d", "\x1f", "\x1e", "\x1c", ""),
)

GROUPS = {"835": "HP", "278": "HI", "277": "HN", "271": "HB", "837": "HC", "999": "FA"}
VERSIONS = {
    "835": "005010X221A1",
    "278": "005010X217",
    "277": "005010X212",
    "271": "005010X279A1",
    "837": "005010X222A1",
    "999": "005010X231A1",
}


def isa(control: str, by: Separators = PLAIN, sender: str = "SENDER", receiver: str = "US") -> str:
    elements = (
        *("ISA", "00", " " * 10, "00", " " * 10, "ZZ", sender.ljust(15), "ZZ", receiver.ljust(15)),
        *("261122", "1430", by.repetition, "00501", control.zfill(9), "0", "T", by.component),
    )
    text = by.element.join(elements) + by.terminator
    assert len(text) == 106
    return text


def transaction(kind: str, control: str, body: Iterable[Segment]) -> list[Segment]:
    """ST to SE with the right count."""
    inside = list(body)
    return [("ST", kind, control), *inside, ("SE", str(len(inside) + 2), control)]


def written(segments: Iterable[Segment], by: Separators = PLAIN) -> str:
    """Segments as text; ``:`` inside an element stands for the component separator."""
    return "".join(
        by.element.join(e.replace(":", by.component) for e in segment) + by.terminator + by.line_end
        for segment in segments
    )


def group(kind: str, sets: Sequence[Sequence[Segment]], control: str = "1") -> list[Segment]:
    head = ("GS", GROUPS[kind], "SENDER", "US", "20261122", "1430", control, "X", VERSIONS[kind])
    return [head, *(s for each in sets for s in each), ("GE", str(len(sets)), control)]


def interchange(
    groups: Sequence[Sequence[Segment]],
    control: str = "1",
    by: Separators = PLAIN,
    sender: str = "SENDER",
) -> bytes:
    segments = [s for each in groups for s in each]
    end = [("IEA", str(len(groups)), control.zfill(9))]
    return (isa(control, by, sender) + by.line_end + written([*segments, *end], by)).encode()


def whole(
    kind: str, *bodies: Sequence[Segment], control: str = "1", by: Separators = PLAIN
) -> bytes:
    """One interchange with one group of transaction sets."""
    sets = [transaction(kind, f"{n:04d}", body) for n, body in enumerate(bodies, start=1)]
    return interchange([group(kind, sets)], control, by)


PEOPLE = (
    ("QUILLFEATHER", "MARISOL", "T"),
    ("OAKENSHAW", "BENTLEY", ""),
    ("VANTERPOOL", "IMOGEN", "R"),
    ("ÁLVAREZ", "NÉSTOR", ""),
    ("THISTLEWOOD", "ADA", "M"),
)


@dataclass
class Adjusted:
    group: str
    reason: str
    amount: Decimal


@dataclass
class Line:
    code: str
    billed: Decimal
    adjustments: list[Adjusted]
    units: int = 1

    @property
    def paid(self) -> Decimal:
        return self.billed - sum((a.amount for a in self.adjustments), Decimal(0))


@dataclass
class ClaimPayment:
    account: str
    number: str
    person: tuple[str, str, str]
    member: str
    lines: list[Line]
    status: str = "1"
    adjustments: list[Adjusted] = field(default_factory=list)

    @property
    def billed(self) -> Decimal:
        return sum((line.billed for line in self.lines), Decimal(0))

    @property
    def all_adjustments(self) -> list[Adjusted]:
        return [*self.adjustments, *(a for line in self.lines for a in line.adjustments)]

    @property
    def paid(self) -> Decimal:
        return self.billed - sum((a.amount for a in self.all_adjustments), Decimal(0))

    @property
    def share(self) -> Decimal:
        return sum((a.amount for a in self.all_adjustments if a.group == "PR"), Decimal(0))


@dataclass
class Remittance:
    claims: list[ClaimPayment]
    provider_adjustments: list[tuple[str, Decimal]] = field(default_factory=list)
    trace: str = "0063158"

    @property
    def payment(self) -> Decimal:
        paid = sum((claim.paid for claim in self.claims), Decimal(0))
        return paid - sum((amount for _, amount in self.provider_adjustments), Decimal(0))

    def body(self) -> list[Segment]:
        """The segments between ST and SE."""
        nothing = ("",) * 11
        segments: list[Segment] = [
            ("BPR", "I", money(self.payment), "C", "CHK", *nothing, "20261120"),
            ("TRN", "1", self.trace, "1566339911"),
            ("DTM", "405", "20261119"),
            ("N1", "PR", "INVENTED HEALTH PLAN"),
            ("N3", "1 FIRST STREET"),
            ("N4", "SPRINGFIELD", "IL", "62701"),
            ("N1", "PE", "INVENTED CLINIC", "XX", "1234567893"),
            ("REF", "TJ", "123456789"),
            ("LX", "1"),
        ]
        for claim in self.claims:
            segments += claim_segments(claim)
        for reason, amount in self.provider_adjustments:
            segments.append(("PLB", "1234567893", "20261231", f"{reason}:REF1", money(amount)))
        return segments


def money(amount: Decimal) -> str:
    """As X12 writes it: no needless zeros."""
    text = f"{amount:.2f}"
    return text.rstrip("0").rstrip(".") or "0"


def cas(adjustments: Sequence[Adjusted]) -> list[Segment]:
    """One CAS per group with up to six reasons."""
    found: list[Segment] = []
    for name in dict.fromkeys(a.group for a in adjustments):
        own = [a for a in adjustments if a.group == name]
        for at in range(0, len(own), 6):
            parts = [(a.reason, money(a.amount), "") for a in own[at : at + 6]]
            flat = [e for part in parts for e in part]
            found.append(("CAS", name, *flat[:-1]))
    return found


def claim_segments(claim: ClaimPayment) -> list[Segment]:
    last, first, middle = claim.person
    segments: list[Segment] = [
        (
            *("CLP", claim.account, claim.status, money(claim.billed), money(claim.paid)),
            *(money(claim.share) if claim.status != "22" else "", "12", claim.number),
        ),
        *cas(claim.adjustments),
        ("NM1", "QC", "1", last, first, middle, "", "", "MI", claim.member),
        ("DTM", "232", "20261101"),
    ]
    for line in claim.lines:
        segments += [
            (
                *("SVC", f"HC:{line.code}", money(line.billed), money(line.paid)),
                *(("", str(line.units)) if line.units != 1 else ()),
            ),
            ("DTM", "472", "20261101"),
            *cas(line.adjustments),
        ]
    return segments


def remittance(chance: random.Random, claims: int | None = None) -> Remittance:
    """A remittance that balances: any number of claims, lines, reasons and provider adjustments."""
    made = [claim_payment(chance, n) for n in range(claims or chance.randint(1, 4))]
    reasons = [
        (chance.choice(("WO", "FB", "L6", "72")), amount(chance, -9_000, 9_000))
        for _ in range(chance.choice((0, 0, 1, 2)))
    ]
    return Remittance(made, reasons, trace=f"{chance.randrange(10**9):09d}")


def claim_payment(chance: random.Random, number: int) -> ClaimPayment:
    lines = [line(chance) for _ in range(chance.randint(1, 3))]
    claim = ClaimPayment(
        account=f"ACC{number:04d}",
        number=f"ICN{chance.randrange(10**10):010d}",
        person=chance.choice(PEOPLE),
        member=f"M{chance.randrange(10**8):08d}",
        lines=lines,
        status=chance.choice("1123"),
    )
    if chance.random() < 0.2:
        claim.adjustments.append(Adjusted("CO", "A2", amount(chance, 1, 900)))
    return claim


def line(chance: random.Random) -> Line:
    billed = amount(chance, 5_000, 90_000)
    left = billed
    adjustments: list[Adjusted] = []
    reasons = (("CO", "45"), ("PR", "1"), ("PR", "2"), ("PR", "3"), ("OA", "23"), ("PR", "96"))
    for name, reason in chance.sample(reasons, chance.randint(0, 4)):
        taken = (left * chance.randint(1, 40) / 100).quantize(CENT)
        if taken:
            adjustments.append(Adjusted(name, reason, taken))
            left -= taken
    code = chance.choice(("99213", "99214", "J1885", "80053"))
    return Line(code, billed, adjustments, chance.choice((1, 1, 2, 10)))


def amount(chance: random.Random, least: int, most: int) -> Decimal:
    """Between two numbers of cents."""
    return Decimal(chance.randint(least, most)) * CENT


def determination(
    code: str = "A1", number: str = "AUTH77812", message: str = "", services: Sequence[str] = ()
) -> list[Segment]:
    """The body of a 278 response about one patient; ``services`` may have codes of their own."""
    body: list[Segment] = [
        ("BHT", "0007", "11", "REF1", "20261120", "1200", "18"),
        ("HL", "1", "", "20", "1"),
        ("NM1", "X3", "2", "INVENTED HEALTH PLAN", "", "", "", "", "PI", "12345"),
        ("HL", "2", "1", "21", "1"),
        ("NM1", "1P", "1", "OAKENSHAW", "BENTLEY", "", "", "", "XX", "1234567893"),
        ("PER", "IC", "", "TE", "2175550142"),
        ("HL", "3", "2", "22", "1"),
        ("NM1", "IL", "1", "QUILLFEATHER", "MARISOL", "", "", "", "MI", "M00112233"),
        ("DMG", "D8", "19610409", "F"),
        ("HL", "4", "3", "EV", "1"),
        ("UM", "HS", "I", "3"),
        ("HCR", code, *((number,) if number else ("",)), *(("0V",) if code == "A3" else ())),
        ("DTP", "007", "D8", "20261201"),
        ("DTP", "036", "D8", "20270301"),
        ("HI", "ABK:M25561", "ABF:I10"),
    ]
    if message:
        body.append(("MSG", message))
    for place, own in enumerate(services or ("",), start=5):
        body += [
            ("HL", str(place), "4", "SS", "0"),
            *([("HCR", own)] if own else []),
            ("SV1", "HC:97110", "", "UN", "12"),
            ("HSD", "VS", "12"),
        ]
    return body


def eligibility(members: Sequence[tuple[str, str]]) -> list[Segment]:
    """The body of a 271 for subscribers (last name, member number)."""
    body: list[Segment] = [
        ("BHT", "0022", "11", "REF2", "20261120", "1200"),
        ("HL", "1", "", "20", "1"),
        ("NM1", "PR", "2", "INVENTED HEALTH PLAN", "", "", "", "", "PI", "12345"),
    ]
    for place, (last, member) in enumerate(members, start=2):
        body += [
            ("HL", str(place), "1", "22", "0"),
            ("NM1", "IL", "1", last, "MARISOL", "", "", "", "MI", member),
            ("DMG", "D8", "19610409", "F"),
            ("EB", "1", "", "30"),
        ]
    return body


def acknowledgment(result: str = "A") -> list[Segment]:
    """The body of a 999."""
    return [("AK1", "HC", "1"), ("IK5", result), ("AK9", result, "1", "1", "1")]
