# SPDX-License-Identifier: Apache-2.0
"""The candidate source ``tables``: values that stand in rows and columns.

Service, diagnosis and medication tables of requests, referrals and determinations; totals and
payment boxes of remittances. What a label introduces is the business of other sources.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from idp import values
from idp.document import Claim, DocumentType, Page
from idp.extract.claims import Evidence, Remittance, claims_vocabulary, read_remittance
from idp.extract.ports import Candidate, Structure
from idp.extract.tables import (
    Cell,
    Table,
    find_tables,
    is_value,
    medication_vocabulary,
    service_vocabulary,
)
from idp.extract.tables_lines import Sheet, Token, joined, sheet_of
from idp.extract.tables_values import parse_icd10, parse_procedure
from idp.schemas import DocumentSchema, FieldSchema, Lexicon

NAME = "tables"
VERSION = "tables-1"

_SERVICE_FIELDS: Mapping[str, tuple[str, ...]] = {
    "service_description": ("service_descriptions",),
    "procedure_code": ("procedure_codes",),
    "diagnosis_code": ("diagnosis_codes",),
    "diagnosis_description": ("diagnosis_descriptions",),
    "start_date": ("service_start_date", "effective_from"),
    "end_date": ("service_end_date", "effective_to"),
    "quantity": ("units", "approved_units", "quantity"),
    "medication": ("medications_tried",),
    "place_of_service": ("place_of_service",),
}
"""Field names by role; of several, the first that the document's schema has."""

_SERVICE_NEEDS = (
    *("procedure_code", "diagnosis_code", "service_description", "diagnosis_description"),
)


class TablesSource:
    """Values from tables, for every document type.

    Args:
        lexicon: Its ``columns`` are the wordings of column heads.
    """

    name = NAME
    version = VERSION

    def __init__(self, lexicon: Lexicon) -> None:
        self._claims = claims_vocabulary(lexicon.columns)
        self._services = service_vocabulary(lexicon.columns)
        self._medications = medication_vocabulary(lexicon.columns)

    def remittance(self, pages: Sequence[Page]) -> Remittance:
        """Claims and statement totals of a remittance."""
        return read_remittance(pages, self._claims)

    def claims(self, pages: Sequence[Page]) -> tuple[Claim, ...]:
        """The claims of a remittance, in order of print."""
        return self.remittance(pages).claims

    def candidates(
        self, pages: Sequence[Page], schema: DocumentSchema, structure: Structure
    ) -> list[Candidate]:
        """All proposed values, in order of print within a field."""
        if schema.type == DocumentType.REMITTANCE_EOB:
            return _of_statement(self.remittance(pages), schema)
        if schema.type == DocumentType.OTHER:
            return []
        tables = find_tables(pages, self._services, minimum=2, needs=_SERVICE_NEEDS)
        if schema.field("medications_tried") is not None:
            tables += [
                table
                for table in find_tables(pages, self._medications, minimum=2, needs=("medication",))
                # "Medication:" beside "Strength:" asks for the drug wanted: no column's head.
                if not any(c.role == "medication" and c.title.endswith(":") for c in table.columns)
            ]
        sheets = {page.number: sheet_of(page) for page in pages}
        return [
            c
            for t in tables
            for c in _of_table(t, schema, sheets[t.page], structure.label_words(t.page))
        ]


def _of_statement(remittance: Remittance, schema: DocumentSchema) -> list[Candidate]:
    found = [_of_evidence(e, f) for e in remittance.statement if (f := schema.field(e.name))]
    return [c for c in found if c is not None]


def _of_evidence(evidence: Evidence, field: FieldSchema) -> Candidate | None:
    parsed = values.parse(field.kind, evidence.value)
    return Candidate(
        field.name,
        parsed.value,
        evidence.raw,
        parsed.valid,
        evidence.confidence,
        evidence.page,
        evidence.box,
        evidence.word_ids,
        NAME,
    )


def _of_table(
    table: Table, schema: DocumentSchema, sheet: Sheet, labels: frozenset[int]
) -> list[Candidate]:
    """The values of a table; what others know for a label or a title is none."""
    found: list[Candidate] = []
    for row in table.rows:
        kept = [cell for cell in row if is_value(cell) and not _is_label(cell, labels)]
        if not _is_row(kept, table):
            continue
        for cell in kept:
            names = (schema.field(n) for n in _SERVICE_FIELDS.get(cell.role, ()))
            field = next((f for f in names if f is not None), None)
            if field is None:
                continue
            # A list field has one value per row, also where two rows say the same.
            if field.list or not any(c.field == field.name for c in found):
                found.extend(_of_cell(cell, row, field, sheet, table))
    return found


def _is_label(cell: Cell, labels: frozenset[int]) -> bool:
    ids = [i for t in cell.tokens for i in t.word_ids]
    return sum(i in labels for i in ids) * 2 > len(ids)


_TYPED = frozenset(("procedure_code", "diagnosis_code", "start_date", "end_date", "quantity"))


def _is_row(cells: Sequence[Cell], table: Table) -> bool:
    """Whether the cells make a row: a code, or a text with a value of the kind its table has."""
    roles = {c.role for c in cells}
    if roles & {"procedure_code", "diagnosis_code"}:
        return True
    if "medication" in roles:
        # A name alone is a row of a list; a short word alone is a word that strayed.
        names = [c.text for c in cells if c.role == "medication"]
        return len(roles) > 1 or max(len(n) for n in names) > 5
    heads = {c.role for c in table.columns}
    texts = roles & {"service_description", "diagnosis_description"}
    if heads & _TYPED:
        return bool(texts and roles & _TYPED)
    return len(texts) > 1 or (bool(texts) and len(heads) > 2)


def _of_cell(
    cell: Cell, row: Sequence[Cell], field: FieldSchema, sheet: Sheet, table: Table
) -> list[Candidate]:
    """One candidate per value in the cell; a text with its code in one cell gives the text."""
    pieces: list[tuple[Token, ...]] = [cell.tokens]
    if cell.role == "diagnosis_code":
        pieces = [(t,) for t in cell.tokens if parse_icd10(t.text) is not None]
    elif cell.role == "procedure_code":
        coded = [(t,) for t in cell.tokens if parse_procedure(t.text) is not None]
        pieces = [*coded] or [cell.tokens]
    elif cell.role in ("service_description", "diagnosis_description", "medication"):
        pieces = [_text_of(cell, row)]
    found = []
    for tokens in pieces:
        box = sheet.box(tokens)
        raw = joined(tokens)
        if box is None:
            continue
        text = raw
        if cell.role == "procedure_code":
            text = parse_procedure(raw) or raw
        elif cell.role == "diagnosis_code":
            text = parse_icd10(raw) or raw
        parsed = values.parse(field.kind, text, options=field.options or None)
        confidence = 0.9 if parsed.valid else 0.6
        confidence *= 0.5 + 0.5 * min(t.confidence for t in tokens)
        found.append(
            Candidate(
                field.name,
                parsed.value,
                raw,
                parsed.valid,
                round(confidence, 4),
                table.page,
                box,
                tuple(i for t in tokens for i in t.word_ids),
                NAME,
                table.columns[cell.column].title,
            )
        )
    return found


def _text_of(cell: Cell, row: Sequence[Cell]) -> tuple[Token, ...]:
    """The words of a text cell without a leading row number or a code of its own."""
    tokens = list(cell.tokens)
    while len(tokens) > 1 and tokens[0].text.strip("().#").isdigit() and len(tokens[0].text) <= 3:
        tokens = tokens[1:]
    coded = any(c.role in ("procedure_code", "diagnosis_code") for c in row if c is not cell)
    if not coded and len(tokens) > 1:
        first = tokens[0].text
        is_code = parse_procedure(first) or (parse_icd10(first) and any(c.isdigit() for c in first))
        if is_code:
            tokens = tokens[1:]
    while len(tokens) > 1 and tokens[0].text in ("-", "\u2013", ":", "\u2014"):
        tokens = tokens[1:]
    return tuple(tokens)
