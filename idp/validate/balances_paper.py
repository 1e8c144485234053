# SPDX-License-Identifier: Apache-2.0
"""The balances of a remittance on paper, by the columns that it prints.

Payers print different columns, and mean different things by the same head: an amount not covered
may be part of the adjustment or beside it, what another insurance paid may lower the payment or
only be told. Which of the usual equations a document follows, its own rows say: of each family
(:data:`_ALLOWED`, :func:`_paid_forms`, :data:`_SHARES`) the one that most of them keep, the usual
one first. What the columns do not state is not demanded: where no column holds what the patient
bears, allowed and paid may differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from typing import NamedTuple

from idp.document import Claim, Document, Field, Place, ServiceLine, Severity
from idp.rulebook import rule
from idp.validate.balances import (
    AMOUNTS,
    MAY_BE_BLANK,
    SHARES,
    Ledger,
    amount_of,
    place_of,
    printed,
    rows,
    total,
)
from idp.validate.equations import Equation, Key, Term, left_over

Form = tuple[tuple[str, int], ...]
"""An equation between the columns of a row: name and sign of each; the last is what is said."""

_ALLOWED: tuple[Form, ...] = (
    (("billed", 1), ("adjustment", -1), ("noncovered", -1), ("allowed", -1)),
    (("billed", 1), ("adjustment", -1), ("allowed", -1)),
    (("billed", 1), ("noncovered", -1), ("allowed", -1)),
    (("billed", 1), ("adjustment", -1), ("other_amount", -1), ("allowed", -1)),
)
"""What is left of the charge when the adjustment is taken away."""
_PARTS: Form = tuple((name, 1) for name in SHARES)
_SHARES: tuple[Form, ...] = (
    (*_PARTS, ("patient_responsibility", -1)),
    (*_PARTS, ("noncovered", 1), ("patient_responsibility", -1)),
    (*_PARTS, ("other_amount", 1), ("patient_responsibility", -1)),
    (*_PARTS, ("adjustment", 1), ("patient_responsibility", -1)),
)
"""What the patient bears, by its parts (R5)."""

_TOTALS = {
    "total_billed": "billed",
    "total_allowed": "allowed",
    "total_adjustment": "adjustment",
    "total_deductible": "deductible",
    "total_copay": "copay",
    "total_coinsurance": "coinsurance",
    "total_paid": "paid",
    "payment_amount": "paid",
}
"""The totals of a statement and the columns that they add up."""


class Forms(NamedTuple):
    """The equations that a document's rows follow; none where its columns state none."""

    allowed: Form | None
    paid: Form | None
    shares: Form | None


@dataclass(frozen=True)
class _Rows:
    """All rows of the document and the columns that any of them has."""

    rows: tuple[ServiceLine, ...]
    columns: frozenset[str]

    def held(self, form: Form) -> tuple[int, int]:
        """How many rows keep an equation, and of how many that are known whole."""
        sums = [_row_sum(row, form) for row in self.rows]
        known = [each for each in sums if each is not None]
        return sum(each == 0 for each in known), len(known)

    def has(self, *names: str) -> bool:
        return self.columns.issuperset(names)


def _row_sum(row: ServiceLine, form: Form) -> Decimal | None:
    result = Decimal(0)
    for name, times in form:
        value: Decimal | None = getattr(row, name)
        if value is None and (name not in MAY_BE_BLANK or name in row.cells):
            return None
        result += times * (value or Decimal(0))
    return result


def columns_of(claims: Sequence[Claim]) -> tuple[str, ...]:
    """The columns of amounts that the rows have; what only totals print has none."""
    every = [row for claim in claims for _, row in rows(claim)]
    return tuple(
        name
        for name in AMOUNTS
        if any(getattr(row, name) is not None or name in row.cells for row in every)
    )


def forms_of(claims: Sequence[Claim]) -> Forms:
    """The equations that the rows of these claims follow, by their columns and by what holds."""
    columns = frozenset(columns_of(claims))
    table = _Rows(tuple(row for claim in claims for _, row in rows(claim)), columns)
    reduced = table.has("billed", "allowed") and bool(columns & {"adjustment", "noncovered"})
    allowed = _best(table, _ALLOWED, needs=("billed", "allowed")) if reduced else None
    paid = _best(table, _paid_forms(table), needs=("paid",)) if table.has("paid") else None
    return Forms(allowed, paid, _share_form(table, paid))


def _paid_forms(table: _Rows) -> Iterator[Form]:
    """What is paid, by what is allowed (or billed less the adjustment) and the patient's share."""
    bases: list[Form] = []
    if table.has("allowed"):
        bases.append((("allowed", 1),))
    elif table.has("billed") and table.columns & {"adjustment", "noncovered"}:
        bases.append((("billed", 1), ("adjustment", -1)))
    parts: Form = tuple((name, -1) for name in SHARES if name in table.columns)
    shares = [parts] if parts else []
    if table.has("patient_responsibility"):
        shares.append((("patient_responsibility", -1),))
    others: list[Form] = [
        (),
        (("other_amount", -1),),
        (("other_amount", 1),),
        (("noncovered", -1),),
        (("noncovered", -1), ("other_amount", -1)),
    ]
    for base, share, other in product(bases, shares, others):
        if all(name in table.columns for name, _ in other):
            yield (*base, *share, *other, ("paid", -1))
    # No column has the patient's share: only where the rows show that there is none to have.
    for base in bases if not shares else []:
        form: Form = (*base, ("paid", -1))
        held, known = table.held(form)
        if held >= 2 and held * 2 > known:
            yield form


def _share_form(table: _Rows, paid: Form | None) -> Form | None:
    whole = "patient_responsibility"
    if not table.has(whole) or not table.columns.intersection(SHARES):
        return None
    # A part may have no column: then only where what is paid is stated by the parts as well.
    if not table.has(*SHARES) and (paid is None or (whole, -1) in paid):
        return None
    return _best(table, _SHARES, needs=(whole,))


def _best(table: _Rows, forms: Iterable[Form], needs: tuple[str, ...]) -> Form | None:
    """The form that most rows keep, the first where several do; without columns not there."""
    usable: dict[Form, None] = {}
    for form in forms:
        kept = tuple(each for each in form if each[0] in table.columns)
        if {name for name, _ in kept}.issuperset(needs) and len(kept) > 1:
            usable[kept] = None
    return max(usable, key=lambda form: table.held(form)[0], default=None)


def ledger_of(document: Document) -> Ledger:
    """The amounts of a remittance on paper and the equations that its columns state, to the cent.

    What a balance proposed before (R9) is not among the amounts: only what was read is.
    """
    ledger = Ledger()
    forms = forms_of(document.claims)
    columns = columns_of(document.claims)
    for number, claim in enumerate(document.claims, start=1):
        for place, row in rows(claim):
            for name in columns:
                _enter_cell(ledger, Key(number, place, name), row)
        if claim.service_lines:
            _enter_totals(ledger, number, claim)
        ledger.equations += (
            *_lines_balance(forms, number, claim),
            *_claim_balances(ledger, forms, number, claim),
            *_shares_balance(ledger, forms, number, claim),
            *_lines_make_claim(ledger, columns, number, claim),
        )
    ledger.equations += _claims_make_payment(document, ledger, columns)
    if document.claims:
        ledger.equations += _shares_make_total(document, ledger, columns)
    return ledger


def _enter_cell(ledger: Ledger, key: Key, row: ServiceLine) -> None:
    value: Decimal | None = getattr(row, key.name)
    ledger.note(key, value, place_of(row, key.name))
    if value is None:
        is_blank = key.name in MAY_BE_BLANK and key.name not in row.cells
        (ledger.blank if is_blank else ledger.unread).add(key)


def _own_row(claim: Claim) -> int:
    """The number of the row that holds what the claim itself says, besides its lines."""
    return 0 if claim.totals is None else -1


def _enter_totals(ledger: Ledger, number: int, claim: Claim) -> None:
    said = claim.totals
    if said is None:
        said = {n: v for n in AMOUNTS if (v := getattr(claim, n)) is not None}
    for name, value in said.items():
        if name in AMOUNTS:
            ledger.note(Key(number, _own_row(claim), name), value, place_of(claim, name))


def _equation(rule: str, form: Form, claim: int, row: int, line: int = 0) -> Equation:
    terms = tuple(Term(Key(claim, row, name), times) for name, times in form)
    return Equation(rule, terms, terms[-1].key, claim, line)


@rule("R1", severity=Severity.BLOCK, source="X12 RFI 2348, 2601, as columns state it", version=2)
def _lines_balance(forms: Forms, number: int, claim: Claim) -> Iterator[Equation]:
    """R1: each printed service line balances: what is left of the charge is paid."""
    for place, _ in rows(claim) if claim.service_lines else ():
        for form in (forms.allowed, forms.paid):
            if form is not None:
                yield _equation("R1", form, number, place, place)


@rule("R2", severity=Severity.BLOCK, source="X12 RFI 2601, as columns state it", version=2)
def _claim_balances(ledger: Ledger, forms: Forms, number: int, claim: Claim) -> Iterator[Equation]:
    """R2: each printed claim balances like a line: its own row, or the row of its totals."""
    row = _own_row(claim) if claim.service_lines else 0
    for form in (forms.allowed, forms.paid):
        if form is None:
            continue
        keys = [Key(number, row, name) for name, _ in form]
        if claim.service_lines and not all(key in ledger.values for key in keys):
            continue
        only = [Key(number, at, "") for at, _ in rows(claim)]
        if claim.service_lines and len(only) == 1:
            line = [ledger.values.get(only[0]._replace(name=name)) for name, _ in form]
            if line == [ledger.values[key] for key in keys]:
                continue  # It says the same as its only line, of which R1 speaks.
        yield _equation("R2", form, number, row)


@rule("R5", severity=Severity.WARN, source="835 X221A1 CLP05, CAS, as columns state it")
def _shares_balance(ledger: Ledger, forms: Forms, number: int, claim: Claim) -> Iterator[Equation]:
    """R5: what the patient owes is deductible, copay and coinsurance, where all are printed."""
    if forms.shares is None:
        return
    for place, _ in rows(claim):
        yield _equation("R5", forms.shares, number, place, place)
    row = _own_row(claim)
    if claim.service_lines and all(Key(number, row, n) in ledger.values for n, _ in forms.shares):
        yield _equation("R5", forms.shares, number, row)


@rule("R5", severity=Severity.WARN, source="835 X221A1 CLP05, CAS, as columns state it")
def _shares_make_total(
    document: Document, ledger: Ledger, columns: Sequence[str]
) -> Iterator[Equation]:
    """R5: what patients owe in all is the sum over the claims, as a column or its parts say."""
    said = printed(document, "patient_responsibility")
    value = amount_of(said)
    whole = "patient_responsibility"
    names: tuple[str, ...] = (whole,) if whole in columns else SHARES
    if said is None or value is None or not set(names) <= set(columns):
        return
    if any(_is_of_one(document, ledger, name, value) for name in names):
        return
    key = Key(0, 0, said.name)
    ledger.note(key, value, _field_place(said))
    options = [
        Equation("R5", (*(term for part in parts for term in part), Term(key, -1)), key)
        for parts in zip(*(_whole(document, ledger, name) for name in names), strict=False)
    ]
    yield _that_holds(options, ledger)


@rule("R3", severity=Severity.BLOCK, source="X12 RFI 1053, as columns state it", version=2)
def _lines_make_claim(
    ledger: Ledger, columns: Sequence[str], number: int, claim: Claim
) -> Iterator[Equation]:
    """R3: in each column the printed lines of a claim add up to its printed total."""
    for name in columns:
        whole = Key(number, _own_row(claim), name)
        if not claim.service_lines or whole not in ledger.values:
            continue
        if not any(getattr(line, name) is not None for line in claim.service_lines):
            continue
        lines = (Term(Key(number, at, name), 1) for at, _ in rows(claim))
        yield Equation("R3", (*lines, Term(whole, -1)), whole, number)


@rule("R4", severity=Severity.BLOCK, source="835 TR3 1.10.2.1.3", version=2)
def _claims_make_payment(
    document: Document, ledger: Ledger, columns: Sequence[str]
) -> Iterator[Equation]:
    """R4: the claims add up to the printed totals, and less what is recovered to the payment."""
    if not document.claims:
        return
    for at, field in enumerate(f for f in document.fields if f.name == "provider_adjustments"):
        ledger.note(Key(0, at + 1, field.name), amount_of(field), _field_place(field))
    adjusted = [Term(key, -1) for key in ledger.values if key.name == "provider_adjustments"]
    for field_name, name in _TOTALS.items():
        said = printed(document, field_name)
        value = amount_of(said)
        if said is None or value is None or name not in columns:
            continue
        if field_name != "payment_amount" and _is_of_one(document, ledger, name, value):
            continue
        key = Key(0, 0, field_name)
        ledger.note(key, value, _field_place(said))
        more = adjusted if field_name == "payment_amount" else []
        options = [
            Equation("R4", (*terms, *more, Term(key, -1)), key)
            for terms in _whole(document, ledger, name)
        ]
        yield _that_holds(options, ledger)


def _that_holds(options: Sequence[Equation], ledger: Ledger) -> Equation:
    """Of ways to add something up the one that holds, or is known whole, or the first."""
    values = {**dict.fromkeys(ledger.blank, Decimal(0)), **ledger.values}
    known = [each for each in options if left_over(each, values) is not None]
    holding = [each for each in known if not left_over(each, values)]
    return next(iter((*holding, *known, *options)))


def _is_of_one(document: Document, ledger: Ledger, name: str, value: Decimal) -> bool:
    """Whether a total is really that of one of several claims or lines, whose sum it is not."""
    numbered = tuple(enumerate(document.claims, start=1))
    own = [ledger.values.get(Key(n, _own_row(c), name)) for n, c in numbered]
    lines = [ledger.values.get(Key(n, at, name)) for n, c in numbered for at, _ in rows(c)]
    several = [each for each in (own, lines) if len(each) > 1]
    return any(value in each and total(each) != value for each in several)


def _whole(document: Document, ledger: Ledger, name: str) -> Iterator[tuple[Term, ...]]:
    """The terms of a column over all claims: by their lines, or by their totals where printed."""
    lines: list[Term] = []
    totals: list[Term] = []
    for number, claim in enumerate(document.claims, start=1):
        own = [Term(Key(number, place, name), 1) for place, _ in rows(claim)]
        whole = Key(number, _own_row(claim), name)
        lines += own
        totals += [Term(whole, 1)] if whole in ledger.values else own
    yield tuple(lines)
    if totals != lines:
        yield tuple(totals)


def _field_place(field: Field) -> Place | None:
    return Place(page=field.page, box=field.box) if field.page is not None else None
