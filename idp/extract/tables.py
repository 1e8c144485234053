# SPDX-License-Identifier: Apache-2.0
"""Tables of a document: services, diagnoses, medications, with or without ruling lines.

The door of the table finder for everything but remittances, whose rows :mod:`idp.extract.claims`
reads. A table is a head of known columns and the rows under it; it ends where the form goes on with
labels, check boxes, a title or running text.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from idp.document import Page
from idp.extract.tables_header import Column, Header, find_headers
from idp.extract.tables_lines import Line, Sheet, Token, chunks, joined, sheet_of
from idp.extract.tables_rows import Row, assign, learn, make_row, misfit
from idp.extract.tables_values import Shape, parse_dates, parse_icd10, parse_procedure, shape_of
from idp.extract.tables_vocabulary import Vocabulary

MAX_ROWS = 200
"""Forms have a dozen lines; more is a page of text read as a table."""

SERVICE_COLUMNS = (
    *("service_description", "procedure_code", "diagnosis_code", "diagnosis_description"),
    *("start_date", "end_date", "quantity", "modifier", "place_of_service", "frequency"),
    *("line_number", "claim_status", "provider", "billed"),
)
MEDICATION_COLUMNS = ("medication", "medication_dose", "medication_dates", "medication_outcome")

_TELLING = (Shape.PROCEDURE, Shape.DATE)
_MOST_BLANK = 5.0
"""Text heights between two rows of a table without rules; an empty ruled row is higher."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its column's role and the tokens in it, top to bottom."""

    role: str
    column: int
    tokens: tuple[Token, ...]

    @property
    def text(self) -> str:
        return joined(self.tokens)


@dataclass(frozen=True, slots=True)
class Table:
    """A table on one page: its columns, and of each row the cells that are filled."""

    page: int
    columns: tuple[Column, ...]
    header: Header
    rows: tuple[tuple[Cell, ...], ...]


def service_vocabulary(columns: Mapping[str, Sequence[str]]) -> Vocabulary:
    """The column wordings of service and diagnosis tables out of the lexicon's ``columns``."""
    return Vocabulary(columns, SERVICE_COLUMNS)


def medication_vocabulary(columns: Mapping[str, Sequence[str]]) -> Vocabulary:
    """The column wordings of medication histories out of the lexicon's ``columns``."""
    return Vocabulary(columns, MEDICATION_COLUMNS)


def find_tables(
    pages: Sequence[Page], vocabulary: Vocabulary, *, minimum: int = 2, needs: Collection[str] = ()
) -> list[Table]:
    """All tables of a family, page by page, with at least one filled row.

    Args:
        pages: The pages of one document.
        vocabulary: The family of columns.
        minimum: How many known columns make a head.
        needs: At least one of these roles must be among them.
    """
    found: list[Table] = []
    for page in pages:
        sheet = sheet_of(page)
        marks = [mark.box.cy * page.height_px for mark in page.marks]
        headers = find_headers(sheet, vocabulary, minimum=minimum, needs=needs)
        for index, header in enumerate(headers):
            end = headers[index + 1].first_line if index + 1 < len(headers) else len(sheet.lines)
            body = _body(sheet, header, end, marks)
            if not body:
                continue
            known = learn(header, body, sheet)
            rows = _rows(sheet, known, body)
            if rows:
                known = _resolve(known, rows)
                found.append(
                    Table(page.number, known.columns, known, tuple(_cells(r, known) for r in rows))
                )
    return found


def _body(sheet: Sheet, header: Header, end: int, marks: Sequence[float]) -> list[Line]:
    """The lines under a head that are rows of its table."""
    body: list[Line] = []
    bottom = header.y1
    for line in sheet.lines[header.last_line + 1 : end]:
        if len(body) >= MAX_ROWS:
            break
        blank = (line.y0 - bottom) / sheet.text_height
        ruled = sheet.rule_below(bottom, line.cy, line.tokens[0].x0, line.tokens[-1].x1)
        if blank > (2 * _MOST_BLANK if ruled else _MOST_BLANK) and body:
            break
        if blank > 2 * _MOST_BLANK or _ends_table(line, header, sheet, marks):
            break
        body.append(line)
        bottom = line.y1
    return body


def _ends_table(line: Line, header: Header, sheet: Sheet, marks: Sequence[float]) -> bool:
    """Whether the form goes on with something else: labels, check boxes, a title, prose."""
    tokens = line.tokens
    if sum(shape_of(t.text) in _TELLING or parse_icd10(t.text) is not None for t in tokens) >= 2:
        return False
    labelled = any(re.search(r"[A-Za-z)]:[_.]*$", t.text) for t in tokens)
    if (
        any(line.y0 <= mark <= line.y1 for mark in marks)
        or any(re.search(r"[\u25a1\u2610-\u2612]|^\[[ xX]?\]?$", t.text) for t in tokens)
        or re.search(r"\?.*\b(?:yes|no)\b", line.text, re.IGNORECASE)
        or (labelled and not any(shape_of(t.text) is Shape.PROCEDURE for t in tokens))
    ):
        return True
    left, right = header.columns[0], header.columns[-1]
    reach = 6 * sheet.text_height
    outside = [
        t
        for t in tokens
        if t.cx < min(left.x0, left.data_x0 or left.x0) - reach or t.cx > right.x1 + 2 * reach
    ]
    if len(outside) * 2 > len(tokens):
        return True
    return _runs_across(line, header, sheet)


def _runs_across(line: Line, header: Header, sheet: Sheet) -> bool:
    """Whether close-set words run over two heads or more, as titles and prose do."""
    for run in chunks(line.tokens, 0.75 * sheet.text_height):
        values = sum(shape_of(t.text) is not Shape.WORD for t in run)
        if values * 2 >= len(run):
            continue
        x0, x1 = run[0].x0, run[-1].x1
        crossed = [c for c in header.columns if min(x1, c.x1) - max(x0, c.x0) > 0.5 * (c.x1 - c.x0)]
        if len(crossed) >= 3 or (
            len(crossed) >= 2 and len(line.tokens) == len(run) and len(run) > 3
        ):
            return True
    return False


def _rows(sheet: Sheet, header: Header, body: Sequence[Line]) -> list[Row]:
    groups: list[list[Line]] = []
    filled: set[int] = set()
    for line in body:
        placed = assign(line.tokens, header.columns, sheet)
        typed = {
            at for at, t in zip(placed, line.tokens, strict=True) if _suits(header.columns[at], t)
        }
        if groups and not _new_row(
            groups[-1], line, sheet, placed=set(placed), typed=typed, filled=filled
        ):
            groups[-1].append(line)
            filled |= set(placed)
        else:
            groups.append([line])
            filled = set(placed)
    return [make_row(group, header, sheet) for group in groups]


def _suits(column: Column, token: Token) -> bool:
    """Whether the token is a value of its own in that column rather than a word of a text."""
    shape = shape_of(token.text)
    single = ("procedure_code", "diagnosis_code", "start_date", "end_date", "quantity")
    if column.role not in single or shape is Shape.WORD:
        return False
    return misfit(column.role, shape) <= 0.6


def _new_row(
    group: Sequence[Line],
    line: Line,
    sheet: Sheet,
    *,
    placed: set[int],
    typed: set[int],
    filled: set[int],
) -> bool:
    """Whether a line begins a row of its own below the lines of the open one."""
    last = group[-1]
    blank = (line.y0 - last.y1) / sheet.text_height
    if sheet.rule_below(last.cy, line.cy, line.tokens[0].x0, line.tokens[-1].x1):
        return True
    if any(y0 <= (last.cy + line.cy) / 2 <= y1 for _, y0, y1 in sheet.vertical) and any(
        last.y0 - 8 * sheet.text_height < y < last.cy for y, _, _ in sheet.horizontal
    ):
        # Within a ruled table a rule above the row and none below: the row goes on.
        return bool(typed & filled) and blank > 0.3
    if typed & filled:
        return True
    # A line that fills the first column and most others is a row like the one above it.
    if blank > 0.75 or (min(placed) == min(filled) and len(placed) >= max(2, 0.6 * len(filled))):
        return True
    return bool(typed) and not placed <= filled


def _resolve(header: Header, rows: Sequence[Row]) -> Header:
    """The header with bare ``Code`` and ``Description`` columns told apart.

    What stands in a column decides; where that is not clear, the neighbour to the left.
    """
    columns = list(header.columns)
    for at, column in enumerate(columns):
        if column.role != "procedure_code":
            continue
        texts = [joined(t for line in row.cells[at] for t in line) for row in rows]
        diagnoses = sum(
            parse_icd10(_first(t)) is not None and parse_procedure(t) is None for t in texts if t
        )
        procedures = sum(parse_procedure(t) is not None for t in texts if t)
        bare = re.sub(r"[^a-z]", "", column.title.lower()) in ("code", "codes", "codeno")
        before = next((c.role for c in reversed(columns[:at]) if c.role in _DESCRIBED), None)
        if diagnoses > procedures or (
            bare and diagnoses == procedures and before == "diagnosis_description"
        ):
            columns[at] = replace(column, roles=("diagnosis_code",))
    for at, column in enumerate(columns):
        texts = [joined(t for line in row.cells[at] for t in line) for row in rows]
        codes = sum(parse_icd10(t) is not None for t in texts)
        if column.role == "diagnosis_description" and codes * 2 > sum(bool(t) for t in texts):
            columns[at] = replace(column, roles=("diagnosis_code",))
    for at, column in enumerate(columns):
        plain = re.sub(r"[^a-z]", "", column.title.lower()) in ("description", "desc", "text")
        if column.role != "service_description" or not plain:
            continue
        beside = [columns[i].role for i in (at - 1, at + 1) if 0 <= i < len(columns)]
        coded = next((r for r in beside if r in ("procedure_code", "diagnosis_code")), None)
        if coded == "diagnosis_code":
            columns[at] = replace(column, roles=("diagnosis_description",))
    return replace(header, columns=tuple(columns))


_DESCRIBED = ("service_description", "diagnosis_description")


def _first(text: str) -> str:
    return text.split(maxsplit=1)[0] if text.split() else ""


def _cells(row: Row, header: Header) -> tuple[Cell, ...]:
    cells = []
    for at, (column, lines) in enumerate(zip(header.columns, row.cells, strict=True)):
        tokens = tuple(t for line in lines for t in line if re.search(r"\w", t.text))
        if tokens and column.role is not None:
            cells.append(Cell(column.role, at, tokens))
    return tuple(cells)


def is_value(cell: Cell) -> bool:
    """Whether a cell's text can be what its column holds; keeps stray words out of codes."""
    text = cell.text
    match cell.role:
        case "procedure_code":
            return parse_procedure(text) is not None
        case "diagnosis_code":
            return any(parse_icd10(t.text) is not None for t in cell.tokens)
        case "start_date" | "end_date":
            return bool(parse_dates(text))
        case "quantity":
            return any(c.isdigit() for c in text) and len(cell.tokens) <= 4
        case "medication_dates":
            return any(c.isdigit() for c in text)
        case _:
            return sum(c.isalpha() for c in text) >= 3
