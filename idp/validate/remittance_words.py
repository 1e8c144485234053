# SPDX-License-Identifier: Apache-2.0
"""What the balances of a remittance say to people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from idp.document import Document
from idp.validate.balances import label
from idp.validate.equations import Culprit, Equation, Key

_WORDS = {
    "noncovered": "not covered",
    "other_amount": "other",
    "patient_responsibility": "patient responsibility",
    "payment_amount": "total paid",
    "provider_adjustments": "provider adjustments",
    "total_billed": "total billed",
    "total_allowed": "total allowed",
    "total_adjustment": "total adjusted",
    "total_deductible": "total deductible",
    "total_copay": "total copay",
    "total_coinsurance": "total coinsurance",
    "total_paid": "total paid",
}
_MOST_NAMED = 4


def word(name: str) -> str:
    """An amount's name in a sentence."""
    return _WORDS.get(name, name)


def where(document: Document, claim: int, line: int = 0) -> str:
    """``Claim C1, line 2``, as people call it."""
    if not claim:
        return "The payment"
    name = label(document.claims[claim - 1], claim)
    return f"{name}, line {line}" if line > 0 else name


def what_is_off(
    document: Document,
    equation: Equation,
    values: Mapping[Key, Decimal],
    should: Decimal,
    *,
    electronic: bool,
) -> str:
    """Which balance fails: the amounts, what they give, what is said, and by how much."""
    said = values[equation.said]
    by = abs(should - said)
    off = f"{by:.2f} too {'much' if said > should else 'little'}"
    says = "the file says" if electronic else "the page says"
    name = word(equation.said.name)
    if not equation.claim:
        paid = equation.said.name in ("payment_amount", "total_paid")
        start = f"The claims {'pay' if paid else 'add up to'} {_lines_sum(equation, values):.2f}"
        adjusted = _adjusted(equation, values)
        middle = (
            f", less {adjusted:.2f} provider adjustments that is {should:.2f}" if adjusted else ""
        )
        return f"{start}{middle}; {says} {said:.2f} {name}, {off}"
    place = where(document, equation.claim, equation.line)
    if equation.rule == "R3":
        return f"{place}: its lines add up to {should:.2f} {name}, the claim says {said:.2f}, {off}"
    return (
        f"{place}: {_sentence(equation, values)} is {should:.2f}; {says} {said:.2f} {name}, {off}"
    )


def _lines_sum(equation: Equation, values: Mapping[Key, Decimal]) -> Decimal:
    terms = [t for t in equation.terms if t.key.claim]
    return sum((t.times * values[t.key] for t in terms), Decimal(0))


def _adjusted(equation: Equation, values: Mapping[Key, Decimal]) -> Decimal:
    terms = [t for t in equation.terms if t.key.name == "provider_adjustments"]
    return sum((values[t.key] for t in terms), Decimal(0))


def _sentence(equation: Equation, values: Mapping[Key, Decimal]) -> str:
    """``212.00 billed less 83.60 adjustment``: amounts of nothing are left out."""
    sums: dict[tuple[str, bool], Decimal] = {}
    for term in equation.terms:
        if term.key != equation.said:
            plus = term.times > 0
            sums[term.key.name, plus] = (
                sums.get((term.key.name, plus), Decimal(0)) + values[term.key]
            )
    added = [f"{value:.2f} {word(name)}" for (name, plus), value in sums.items() if plus]
    taken = [
        f"{value:.2f} {word(name)}" for (name, plus), value in sums.items() if not plus and value
    ]
    base = " and ".join(added)
    if len(taken) > 1:
        return f"{base} less {', '.join(taken[:-1])} and {taken[-1]}"
    return f"{base} less {taken[0]}" if taken else base


def said_of(
    document: Document, equation: Equation, should: Decimal, said: Decimal, title: str
) -> str:
    """An explained difference."""
    by = abs(should - said)
    more = "more" if said > should else "less"
    place = where(document, equation.claim, equation.line)
    return f"{place}: {by:.2f} {more} is paid than the columns give; a remark names it ({title})"


def place_name(document: Document, key: Key) -> str:
    """``paid of claim C1, line 2``."""
    if not key.claim:
        return word(key.name)
    within = " in its totals" if key.line < 0 else ""
    place = where(document, key.claim, key.line)
    return f"{word(key.name)} of {place[:1].lower()}{place[1:]}{within}"


def culprit_remedy(document: Document, culprit: Culprit, read: Decimal) -> str:
    """The one amount that explains what fails."""
    return (
        f"Look at {place_name(document, culprit.key)} first: {culprit.value:.2f} instead of "
        f"{read:.2f}, then all sums come out"
    )


def by_hand(
    document: Document,
    equation: Equation,
    values: Mapping[Key, Decimal],
    suspects: Sequence[Culprit],
    *,
    all_sure: bool,
) -> str:
    """What to compare where no single amount explains it."""
    elsewhere = any(each.key.claim for each in suspects) or bool(equation.claim)
    if suspects and len(suspects) <= _MOST_NAMED and elsewhere:
        named = [f"{place_name(document, each.key)} ({each.value:.2f}?)" for each in suspects]
        return f"Compare with the page: {', '.join(named)}"
    if all_sure:
        return (
            "Every one of these amounts is part of another balance that holds: look for a "
            "reduction that is printed as a remark"
        )
    if not equation.claim:
        return (
            "A claim or a page may be missing, or money of other claims was recovered: compare "
            "the claims with the page, and look for an offset"
        )
    names = [word(t.key.name) for t in equation.terms if values.get(t.key)]
    return f"Compare with the page: {', '.join(dict.fromkeys(names))}"


def proposal_message(document: Document, key: Key, value: Decimal | None) -> str:
    """An amount that was not read, with what the balances make of it."""
    name = place_name(document, key)
    if value is None:
        return f"{name[:1].upper()}{name[1:]} was not read, and the other amounts do not tell it"
    return f"{name[:1].upper()}{name[1:]} was not read; the balances give {value:.2f}"
