# SPDX-License-Identifier: Apache-2.0
"""Does a remittance balance, where does it not, and what is likely wrong there (R1 to R6, R8, R9).

One policy for paper and 835: to the cent, and what does not balance is not posted by itself. On
paper a balance that is off by exactly what a remark names (sequestration, a recovery) is explained;
an amount that nobody could read is proposed where the others leave no choice, and always shown to
a person; an amount that alone explains what fails is named, never changed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from idp.document import Claim, Document, Finding, Imbalance, Page, Place, ServiceLine, Severity
from idp.reductions import Level, Reductions
from idp.rulebook import rule
from idp.validate import balances_paper, balances_x12
from idp.validate.balances import Ledger, label
from idp.validate.equations import (
    Culprit,
    Equation,
    Key,
    confirmations,
    culprits,
    expected,
    followed,
    left_over,
)
from idp.validate.remarks import Printed, explaining, remarks_on
from idp.validate.remittance_words import (
    by_hand,
    culprit_remedy,
    proposal_message,
    said_of,
    what_is_off,
)

MOST_PLACES = 40
"""So many places are named in a finding; sums over many claims have more."""
_LEVELS: dict[str, Level] = {"R1": "line", "R2": "claim", "R3": "claim", "R4": "payment"}


class Balanced(NamedTuple):
    """A remittance with what its balances say; ``document`` has the proposed amounts filled in."""

    document: Document
    findings: tuple[Finding, ...] = ()
    checked: int = 0
    imbalances: tuple[Imbalance, ...] = ()


def balanced(
    document: Document, pages: Sequence[Page], reductions: Reductions, *, electronic: bool
) -> Balanced:
    """Judges the balances of a remittance; one without claims has none.

    Args:
        document: As read, or as judged before: what was proposed then is taken back first.
        pages: Those of the document, for its remarks.
        reductions: The kinds of remarks that explain a difference.
        electronic: It is an 835: nothing is unread, no remark counts.
    """
    document = _without_proposals(document)
    if not document.claims:
        return Balanced(document)
    if electronic:
        ledger = balances_x12.ledger_of(document)
        notes: list[Finding] = []
    else:
        ledger = balances_paper.ledger_of(document)
        printed = remarks_on(pages, reductions.remarks)
        notes = list(_explained(document, ledger, printed))
        proposals, unread = _proposed(ledger, printed)
        document = _with_proposals(document, proposals)
        notes += _read_by_balance(document, ledger, proposals, unread)
    values = _all_values(ledger)
    checked = sum(left_over(each, values) is not None for each in ledger.equations)
    findings, imbalances = _imbalances(document, ledger, values, electronic=electronic)
    if electronic:
        notes += balances_x12.patient_shares(document)
    mirrored = _reversals_mirror(document)
    return Balanced(document, (*findings, *notes, *mirrored), checked, imbalances)


def _all_values(ledger: Ledger) -> dict[Key, Decimal]:
    """What is known, blanks as nothing."""
    return {**dict.fromkeys(ledger.blank, Decimal(0)), **ledger.values}


def _imbalances(
    document: Document, ledger: Ledger, values: Mapping[Key, Decimal], *, electronic: bool
) -> tuple[list[Finding], tuple[Imbalance, ...]]:
    """A finding for each balance that fails, with the amount to look at first."""
    blamed, suspects = culprits(ledger.equations, values)
    findings: list[Finding] = []
    told: list[Imbalance] = []
    for at, equation in enumerate(ledger.equations):
        if not left_over(equation, values):
            continue
        culprit = blamed.get(at)
        should = expected(equation, values)
        told.append(
            Imbalance(
                rule=equation.rule,
                claim=equation.claim or None,
                line=equation.line or None,
                name=equation.said.name,
                expected=should,
                said=values[equation.said],
                culprit=culprit.key.path if culprit else None,
                proposed=culprit.value if culprit else None,
            )
        )
        message = what_is_off(document, equation, values, should, electronic=electronic)
        remedy = (
            culprit_remedy(document, culprit, values[culprit.key])
            if culprit
            else _by_hand(document, ledger, values, equation, suspects.get(at, ()))
        )
        severity = Severity.WARN if equation.rule == "R5" else Severity.BLOCK
        findings.append(
            _finding(
                ledger,
                equation.rule,
                severity,
                _keys(equation, culprit, values),
                message=message,
                remedy=remedy,
            )
        )
    return findings, tuple(told)


def _keys(equation: Equation, culprit: Culprit | None, values: Mapping[Key, Decimal]) -> list[Key]:
    """The amounts that a finding is about: what is said, the culprit, then the others."""
    others = sorted(
        (term.key for term in equation.terms), key=lambda key: not values.get(key, Decimal(0))
    )
    first = [equation.said, *([culprit.key] if culprit else [])]
    return list(dict.fromkeys([*first, *others]))


def _by_hand(
    document: Document,
    ledger: Ledger,
    values: Mapping[Key, Decimal],
    equation: Equation,
    suspects: Sequence[Culprit],
) -> str:
    # Only of a row's few amounts: a sum over all claims has as many as the document.
    all_sure = equation.rule in ("R1", "R2") and all(
        confirmations(term.key, ledger.equations, values) for term in equation.terms
    )
    return by_hand(document, equation, values, suspects, all_sure=all_sure)


def _finding(
    ledger: Ledger,
    rule: str,
    severity: Severity,
    keys: Sequence[Key],
    *,
    message: str,
    remedy: str,
) -> Finding:
    places = [ledger.places[key] for key in keys if key in ledger.places]
    places = list(dict.fromkeys(places))[:MOST_PLACES]
    first = places[0] if places else None
    return Finding(
        rule=rule,
        severity=severity,
        field=keys[0].name,
        message=message,
        remedy=remedy,
        page=first.page if first else None,
        box=first.box if first else None,
        fields=tuple(dict.fromkeys(key.name for key in keys)),
        places=tuple(places),
    )


def _explained(document: Document, ledger: Ledger, printed: Sequence[Printed]) -> Iterator[Finding]:
    """Balances that are off by what a remark names hold with it, and say so."""
    if not printed:
        return
    values = _all_values(ledger)
    absorbed: dict[int, Decimal] = defaultdict(Decimal)
    for at, equation in enumerate(ledger.equations):
        level = _LEVELS.get(equation.rule)
        if level is None or equation.said.name not in ("paid", "total_paid", "payment_amount"):
            continue
        if not left_over(equation, values):
            continue
        should, said = expected(equation, values), values[equation.said]
        # A total may be that of before the lines were lowered.
        before = absorbed[equation.claim] if equation.claim else sum(absorbed.values(), Decimal(0))
        by = explaining(printed, level, should, said)
        if by is None and not (
            before and equation.rule in ("R3", "R4") and said - should == before
        ):
            continue
        rest = left_over(equation, values) or Decimal(0)
        ledger.equations[at] = equation._replace(constant=equation.constant - rest)
        if equation.rule == "R1" or (equation.rule == "R2" and equation.said.line == 0):
            absorbed[equation.claim] += should - said
        if by is not None:
            message = said_of(document, equation, should, said, by.remark.title)
            keys = [equation.said]
            told = _finding(ledger, equation.rule, Severity.INFO, keys, message=message, remedy="")
            yield told.model_copy(update={"places": (*told.places, by.place)})


def _proposed(
    ledger: Ledger, printed: Sequence[Printed]
) -> tuple[dict[Key, tuple[Decimal, Equation]], set[Key]]:
    """Amounts that follow from the others, and those that were not read and stay open.

    A column left blank means nothing: it is filled only where two balances agree on the amount.
    """
    unknown = ledger.unread | ledger.blank
    equations = list(ledger.equations)
    if any({"line", "claim"} & set(each.remark.where) for each in printed):
        # What a remark takes away is in no column: what is paid does not follow from the row.
        equations = [e for e in equations if e.rule == "R4" or e.said.name != "paid"]
    found = followed(equations, ledger.values, unknown)
    known = {**ledger.values, **{key: value for key, (value, _) in found.items()}}
    unlikely = {
        key
        for key, (value, _) in found.items()
        if key in ledger.blank and (not value or confirmations(key, equations, known) < 2)
    }
    if unlikely:
        # What followed from an amount that is not believed does not follow.
        calm = {**ledger.values, **dict.fromkeys(unlikely, Decimal(0))}
        found = followed(equations, calm, unknown - unlikely)
    accepted = {
        key: each
        for key, each in found.items()
        if key in ledger.unread or (each[0] and confirmations(key, equations, known) >= 2)
    }
    ledger.values.update({key: value for key, (value, _) in accepted.items()})
    return accepted, ledger.unread - accepted.keys()


@rule("R9", severity=Severity.BLOCK, source="policy of this product: proposed, never silent")
def _read_by_balance(
    document: Document,
    ledger: Ledger,
    proposals: Mapping[Key, tuple[Decimal, Equation]],
    unread: Iterable[Key],
) -> Iterator[Finding]:
    """R9: an amount nobody could read is proposed where the balances leave no choice, and shown."""
    for key in sorted(proposals):
        value, equation = proposals[key]
        others = [term.key for term in equation.terms if term.key != key]
        yield _finding(
            ledger,
            "R9",
            Severity.BLOCK if value else Severity.INFO,
            [key, *others],
            message=proposal_message(document, key, value),
            remedy="Compare the proposed amount with the page; it is computed, not read",
        )
    for key in sorted(unread):
        seen = key in ledger.places and key.name in _row(document, key).cells
        yield _finding(
            ledger,
            "R9",
            Severity.BLOCK if seen else Severity.WARN,
            [key],
            message=proposal_message(document, key, None),
            remedy="Read the amount from the page; the other amounts do not tell it",
        )


def _row(document: Document, key: Key) -> ServiceLine:
    claim = document.claims[key.claim - 1]
    return claim.service_lines[key.line - 1] if key.line > 0 else claim


def _without_proposals(document: Document) -> Document:
    """The document with nothing but what was read."""
    if not any(row.derived for claim in document.claims for row in (claim, *claim.service_lines)):
        return document
    claims = tuple(
        claim.model_copy(
            update={
                **_bare(claim),
                "service_lines": tuple(
                    line.model_copy(update=_bare(line)) for line in claim.service_lines
                ),
            }
        )
        for claim in document.claims
    )
    return document.model_copy(update={"claims": claims})


def _bare(row: ServiceLine) -> dict[str, object]:
    return {**dict.fromkeys(row.derived), "derived": ()}


def _with_proposals(
    document: Document, proposals: Mapping[Key, tuple[Decimal, Equation]]
) -> Document:
    """The proposed amounts in their rows; a claim of one line repeats its line's."""
    if not proposals:
        return document
    by_row: dict[tuple[int, int], dict[str, Decimal]] = defaultdict(dict)
    for key, (value, _) in proposals.items():
        by_row[key.claim, key.line][key.name] = value
    claims: list[Claim] = []
    for number, claim in enumerate(document.claims, start=1):
        lines = tuple(
            _filled(line, by_row.get((number, at), {}))
            for at, line in enumerate(claim.service_lines, start=1)
        )
        own = dict(by_row.get((number, 0), {}))
        for name in {name for line in lines for name in line.derived}:
            amounts = [getattr(line, name) for line in lines]
            if getattr(claim, name) is None and None not in amounts:
                own[name] = sum(amounts, Decimal(0))
        claims.append(
            claim.model_copy(
                update={
                    **own,
                    "derived": tuple(sorted({*claim.derived, *own})),
                    "service_lines": lines,
                }
            )
        )
    return document.model_copy(update={"claims": tuple(claims)})


def _filled(line: ServiceLine, amounts: Mapping[str, Decimal]) -> ServiceLine:
    if not amounts:
        return line
    return line.model_copy(update={**amounts, "derived": tuple(sorted(amounts))})


_REVERSAL = "22"
_MIRRORED = ("billed", "paid", "adjustment", "deductible", "copay", "coinsurance")


@rule("R8", severity=Severity.WARN, source="835 TR3 1.10.2.8, CLP02 22", version=2)
def _reversals_mirror(document: Document) -> Iterator[Finding]:
    """R8: a reversal takes back one earlier claim: the same amounts, each with the other sign.

    A claim is taken back once: another reversal needs another payment of the same amounts before
    it. The first payment may be in an earlier file, so a single reversal needs none in this one.
    """
    before: dict[str, list[int]] = defaultdict(list)
    taken: set[int] = set()
    for number, claim in enumerate(document.claims, start=1):
        names = {each for each in (claim.claim_number, claim.patient_account) if each}
        known = sorted({other for each in names for other in before[each]})
        for each in names:
            before[each].append(number)
        if not _takes_back(claim):
            continue
        name = label(claim, number)
        if (claim.billed or 0) > 0 or (claim.paid or 0) > 0:
            yield _about_reversal(
                claim, Severity.WARN, f"{name} takes back a payment, but its amounts raise it"
            )
            continue
        others = {at: document.claims[at - 1] for at in known}
        others = {at: other for at, other in others.items() if _same_claim(other, claim)}
        paid = {at: other for at, other in others.items() if not _takes_back(other)}
        mirrored = [at for at, other in paid.items() if not _unlike(claim, other)]
        if free := [at for at in mirrored if at not in taken]:
            taken.add(free[-1])
            continue
        if any(_takes_back(other) and _repeats(claim, other) for other in others.values()):
            yield _about_reversal(
                claim,
                Severity.WARN,
                f"{name} is taken back a second time: a claim before it takes back the same "
                "amounts, and none in between pays them again",
                ("paid", "billed"),
            )
            continue
        if not paid or mirrored:
            continue
        earlier = paid[max(paid)]
        unlike = _unlike(claim, earlier)
        first = unlike[0]
        yield _about_reversal(
            claim,
            Severity.WARN,
            f"{name} takes back {_shown(getattr(claim, first))} {first}; the claim before it "
            f"has {_shown(getattr(earlier, first))}",
            unlike,
        )


def _takes_back(claim: Claim) -> bool:
    return claim.status == _REVERSAL or (claim.billed is not None and claim.billed < 0)


def _repeats(reversal: Claim, other: Claim) -> bool:
    """Whether both take back the same amounts of one claim; one account may have many claims."""
    if reversal.claim_number != other.claim_number:
        return False
    return all(
        (getattr(reversal, name) or Decimal(0)) == (getattr(other, name) or Decimal(0))
        for name in _MIRRORED
    )


def _same_claim(first: Claim, second: Claim) -> bool:
    numbers = (first.claim_number, first.patient_account)
    others = (second.claim_number, second.patient_account)
    return any(a is not None and a == b for a, b in zip(numbers, others, strict=True))


def _unlike(reversal: Claim, claim: Claim) -> list[str]:
    """The amounts that do not mirror each other."""
    zero = Decimal(0)
    pairs = {name: (getattr(reversal, name), getattr(claim, name)) for name in _MIRRORED}
    return [name for name, (a, b) in pairs.items() if (a or zero) != -(b or zero)]


def _about_reversal(
    claim: Claim, severity: Severity, message: str, names: Sequence[str] = ("paid",)
) -> Finding:
    cells = [claim.cells[name] for name in names if name in claim.cells]
    row = [Place(page=claim.page, box=claim.box)] if claim.page is not None else []
    places = cells or row
    return Finding(
        rule="R8",
        severity=severity,
        field=names[0],
        fields=tuple(names),
        message=message,
        remedy="Find the claim that is taken back, and post both or neither",
        page=places[0].page if places else None,
        box=places[0].box if places else None,
        places=tuple(places),
    )


def _shown(amount: Decimal | None) -> str:
    return "nothing" if amount is None else f"{amount:.2f}"
