# SPDX-License-Identifier: Apache-2.0
"""From the cells of one row to one service line: parsed amounts, dates, codes, and their balance.

A remittance checks itself: billed - adjustment = allowed, and allowed - what the patient bears =
paid. That is used to choose between readings (a lost decimal point, an amount under the neighbour's
head), never to make up an amount that is not printed.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from idp.extract.claims_balance import checks
from idp.extract.claims_lines import Event
from idp.extract.tables_lines import Token, joined
from idp.extract.tables_rows import MONEY_ROLES
from idp.extract.tables_values import (
    money_without_point,
    parse_adjustment_codes,
    parse_dates,
    parse_money,
    parse_procedure,
    parse_remark_codes,
)

PATIENT_SHARE = {"PR-1": "deductible", "PR-2": "coinsurance", "PR-3": "copay"}
"""X12 CARC 1, 2 and 3 under group PR are these amounts by definition."""
_CENT = Decimal("0.01")
_MAX_READINGS = 64


@dataclass(slots=True)
class ServiceDraft:
    """A service line on the way: values, the tokens they came from, what was doubtful."""

    page: int
    tokens: tuple[Token, ...]
    amounts: dict[str, Decimal] = field(default_factory=dict)
    doubtful: set[str] = field(default_factory=set)
    service_date: dt.date | None = None
    procedure_code: str | None = None
    units: Decimal | None = None
    adjustment_codes: tuple[str, ...] = ()
    adjustments: tuple[tuple[str, Decimal | None], ...] = ()
    """The codes that stand in the row, each with its amount."""
    cells: dict[str, tuple[Token, ...]] = field(default_factory=dict)
    """What stands under the heads of amounts, also where it can't be read."""
    remark_codes: tuple[str, ...] = ()
    note: str | None = None
    balanced: bool | None = None
    """Whether the printed amounts add up; ``None`` when too few are printed to tell."""

    def confidence(self) -> float:
        """How far the line can be trusted: what OCR says, and whether it adds up."""
        read = min((t.confidence for t in self.tokens), default=0.0)
        trust = {True: 0.97, None: 0.85, False: 0.6}[self.balanced]
        return round(trust * (0.5 + 0.5 * read) * (0.8 if self.doubtful else 1.0), 4)


def read_amounts(tokens: Sequence[Token]) -> tuple[list[Decimal], bool]:
    """The amounts in a money cell and whether a reading had to be repaired."""
    text = joined(tokens)
    text = re.sub(r"\b(?:USD|CO|PR|OA|PI)\W?\d{0,3}\b", " ", text).strip()
    whole = parse_money(text)
    if whole is not None:
        return [whole.amount], whole.repaired
    parts = [m for t in tokens if (m := parse_money(t.text)) is not None]
    if parts:
        return [m.amount for m in parts], any(m.repaired for m in parts)
    if re.fullmatch(r"\$?\s*[0Oo]", text):
        return [Decimal("0.00")], False
    lost = money_without_point(text)
    if lost is not None:
        return [lost.quantize(_CENT)], True
    plain = parse_money(text, decimals=False)
    return ([plain.amount.quantize(_CENT)], True) if plain is not None else ([], False)


def _other_readings(tokens: Sequence[Token], chosen: Decimal) -> list[Decimal]:
    text = joined(tokens)
    others: list[Decimal] = []
    lost = money_without_point(re.sub(r"[.,:]", "", text)) if "." not in text else None
    plain = parse_money(text, decimals=False)
    for value in (lost, plain.amount if plain else None):
        if value is not None and value != chosen:
            others.append(value)
    return others


def _score(amounts: Mapping[str, Decimal]) -> int:
    held, failed = checks(amounts)
    return held - 2 * failed


def settle(
    amounts: dict[str, Decimal], others: Mapping[str, Sequence[Decimal]], columns: Sequence[str]
) -> tuple[dict[str, Decimal], bool | None, set[str]]:
    """Choose the readings, and the columns, under which the amounts add up.

    Args:
        amounts: First readings by role.
        others: Further readings of the same print.
        columns: Roles of the money columns from left to right; an amount may have been taken for
            its empty neighbour's.

    Returns:
        The amounts, whether they balance, and the roles whose reading was changed.
    """
    best, score = amounts, _score(amounts)
    if checks(amounts)[1] or others:
        roles = [r for r in others if others[r]]
        options = itertools.product(*([amounts[r], *others[r]] for r in roles))
        for choice in itertools.islice(options, _MAX_READINGS):
            trial = {**amounts, **dict(zip(roles, choice, strict=True))}
            if _score(trial) > score:
                best, score = trial, _score(trial)
    if checks(best)[1]:
        for left, right in itertools.pairwise(columns):
            for source, target in ((left, right), (right, left)):
                if source in best and target not in best and source != target:
                    trial = {r: v for r, v in best.items() if r != source}
                    trial[target] = best[source]
                    held, failed = checks(trial)
                    if held and not failed:
                        best, score = trial, _score(trial)
    changed = {r for r in best if best[r] != amounts.get(r)}
    held, failed = checks(best)
    return best, (None if not held + failed else failed == 0), changed


def _adjustments(cells: Mapping[str, tuple[Token, ...]]) -> list[tuple[str, Decimal | None]]:
    """Adjustment codes in the row, each with its amount where as many amounts as codes stand there.

    The amounts are those beside the codes in their own column, or those of the adjustment column.
    """
    column = [
        m.amount for t in cells.get("adjustment", ()) if (m := parse_money(t.text)) is not None
    ]
    found: list[tuple[str, Decimal | None]] = []
    for role in ("carc", "note", "rarc", "adjustment"):
        tokens = cells.get(role, ())
        text = " ".join(t.text.upper() for t in tokens)
        codes = parse_adjustment_codes(text, any_group=role == "carc")
        beside = [m.amount for t in tokens if (m := parse_money(t.text)) is not None]
        amounts = next((a for a in (beside, column) if len(a) == len(codes)), None)
        for index, code in enumerate(codes):
            if code not in [c for c, _ in found]:
                found.append((code, amounts[index] if amounts else None))
    return found


def _bare_reasons(cells: Mapping[str, tuple[Token, ...]]) -> tuple[str, ...]:
    """Reason codes whose group stands in a column of its own, or nowhere."""
    groups = re.findall(r"CO|PR|OA|PI", joined(cells.get("carc_group", ())).upper())
    reasons = [
        t.text.strip("().,")
        for t in cells.get("carc", ())
        if re.fullmatch(r"\(?(?:[AB]\d{1,2}|\d{1,3})[).,]?", t.text)
    ]
    if groups and len(groups) == len(reasons):
        return tuple(f"{g}-{r}" for g, r in zip(groups, reasons, strict=True))
    if len(groups) == 1:
        return tuple(f"{groups[0]}-{r}" for r in reasons)
    return tuple(reasons)


def _note(cells: Mapping[str, tuple[Token, ...]]) -> str | None:
    for role in ("note", "rarc", "carc"):
        kept = [
            t.text.strip(",;")
            for t in cells.get(role, ())
            if parse_money(t.text) is None and not re.fullmatch(r"\W+", t.text)
        ]
        text = " ".join(kept)
        if (
            text
            and not parse_adjustment_codes(text, any_group=role == "carc")
            and not (role == "carc" and _bare_reasons(cells))
        ):
            return text
    return None


def _service_date(tokens: Sequence[Token]) -> dt.date | None:
    """The first date; also one whose separators were read as digits (``11/20024``)."""
    days = parse_dates(joined(tokens))
    for token in tokens:
        if days:
            break
        blurred = re.fullmatch(r"(\d\d)(.)(\d\d)(.)(\d\d|\d{4})", token.text)
        if blurred and "/" in (blurred[2], blurred[4]):
            days = parse_dates(f"{blurred[1]}/{blurred[3]}/{blurred[5]}")
    return days[0] if days else None


def _units(tokens: Sequence[Token]) -> Decimal | None:
    for token in tokens:
        match = re.fullmatch(r"(\d{1,4})(?:[.,](\d{1,3}))?", token.text.strip("() "))
        if match:
            whole = Decimal(match[1])
            part = Decimal(f"0.{match[2]}") if match[2] else Decimal(0)
            return whole + part if part else whole
        if re.fullmatch(r"[lI|]", token.text):
            return Decimal(1)
    return None


def _is_written_off(amounts: Mapping[str, Decimal], amount: Decimal) -> bool:
    """Whether an amount beside a patient's code is what lies between billed and allowed."""
    return (
        amounts.get("adjustment") == amount
        and {"billed", "allowed"} <= amounts.keys()
        and amounts["billed"] - amount == amounts["allowed"]
    )


def _where(
    cells: Mapping[str, tuple[Token, ...]],
    before: Mapping[str, Decimal],
    after: Mapping[str, Decimal],
) -> dict[str, tuple[Token, ...]]:
    """The tokens of each amount, also of one that was given to the column beside."""
    found = {role: tokens for role, tokens in cells.items() if role in MONEY_ROLES and tokens}
    left = [role for role in before if role not in after]
    for role in after.keys() - before.keys():
        source = next((each for each in left if before[each] == after[role]), None)
        if source is not None and source in found:
            found[role] = found.pop(source)
    if "noncovered" not in after and "adjustment" not in found and "noncovered" in found:
        found["adjustment"] = found.pop("noncovered")
    return found


def read_service(event: Event) -> ServiceDraft:
    """The service line that a row of cells says; cells that can't be read stay empty."""
    cells = event.cells
    draft = ServiceDraft(event.page, event.tokens)
    others: dict[str, list[Decimal]] = {}
    for role in MONEY_ROLES & cells.keys():
        values, repaired = read_amounts(cells[role])
        if not values:
            continue
        # Several amounts in one cell: of adjustments the sum is meant, else the first counts.
        draft.amounts[role] = sum(values, Decimal(0)) if role == "adjustment" else values[0]
        if repaired:
            draft.doubtful.add(role)
            others[role] = _other_readings(cells[role], draft.amounts[role])
    adjustments = _adjustments(cells)
    paired = all(amount is not None for _, amount in adjustments)
    for code, amount in adjustments:
        share = PATIENT_SHARE.get(code)
        if amount is not None and share is not None and not _is_written_off(draft.amounts, amount):
            draft.amounts.setdefault(share, amount)
    written_off = [a for c, a in adjustments if a is not None and not c.startswith("PR-")]
    if written_off and paired and "noncovered" not in cells:
        draft.amounts["adjustment"] = sum(written_off, Decimal(0))
    beside = [m.amount for t in cells.get("carc", ()) if (m := parse_money(t.text)) is not None]
    if "adjustment" not in draft.amounts and beside:
        draft.amounts["adjustment"] = sum(beside, Decimal(0))
    if "adjustment" not in draft.amounts and "noncovered" in draft.amounts:
        draft.amounts["adjustment"] = draft.amounts.pop("noncovered")
    before = dict(draft.amounts)
    draft.amounts, draft.balanced, changed = settle(draft.amounts, others, event.columns)
    draft.cells = _where(cells, before, draft.amounts)
    draft.doubtful = (draft.doubtful if not draft.balanced else set()) | changed
    draft.service_date = _service_date(cells.get("service_date", ()))
    draft.procedure_code = parse_procedure(joined(cells.get("procedure_code", ())))
    draft.units = _units(cells.get("units", ()))
    draft.adjustments = tuple(adjustments)
    draft.adjustment_codes = tuple(c for c, _ in adjustments) or _bare_reasons(cells)
    draft.remark_codes = parse_remark_codes(
        " ".join(joined(cells.get(r, ())) for r in ("rarc", "note", "carc"))
    )
    draft.note = _note(cells)
    return draft
