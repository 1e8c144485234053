# SPDX-License-Identifier: Apache-2.0
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idp.document import Box, Cell, Page, Rule, Word
from idp.read.blocks import group_blocks
from idp.read.order import reading_order
from tests.printed import LAYOUTS, Sheet, in_order


def rectangles(most: int = 40) -> st.SearchStrategy[list[Box]]:
    side = st.floats(0, 0.9)
    size = st.floats(0.002, 0.3)
    box = st.builds(
        lambda x, y, w, h: Box(x, y, min(1.0, x + w), min(1.0, y + h)), side, side, size, size
    )
    return st.lists(box, max_size=most)


@st.composite
def pages(draw: st.DrawFn) -> Page:
    """Any words, cells and rules at all, also such as no page has."""
    words = tuple(
        Word(
            id=i,
            text=draw(st.sampled_from(["Name:", "12.50", "and", "Provider", "TOTAL"])),
            confidence=0.9,
            box=box,
            line=draw(st.integers(0, 12)),
        )
        for i, box in enumerate(draw(rectangles()))
    )
    return Page(
        number=1,
        width_px=1700,
        height_px=2200,
        dpi=200,
        words=words,
        cells=tuple(Cell(box=box) for box in draw(rectangles(8))),
        rules=tuple(
            Rule(orientation=draw(st.sampled_from(["horizontal", "vertical"])), box=box)
            for box in draw(rectangles(8))
        ),
    )


@settings(deadline=None, max_examples=50, derandomize=True)
@given(pages())
def test_every_word_is_read_once_whatever_lies_on_the_page(page: Page) -> None:
    assert sorted(reading_order(page)) == [word.id for word in page.words]


@settings(deadline=None, max_examples=50, derandomize=True)
@given(pages())
def test_blocks_hold_every_word_once_in_reading_order_of_their_own(page: Page) -> None:
    blocks = group_blocks(page)
    assert sorted(i for block in blocks for i in block.word_ids) == [w.id for w in page.words]
    assert all(block.word_ids for block in blocks)


@settings(deadline=None, max_examples=50, derandomize=True)
@given(
    seed=st.integers(0, 10**6),
    columns=st.integers(2, 3),
    gutter=st.floats(32, 120),
    shift=st.floats(0, 1.3),
    lines=st.lists(st.integers(6, 34), min_size=3, max_size=3),
    titled=st.booleans(),
)
def test_columns_of_prose_are_never_interleaved(
    seed: int, columns: int, gutter: float, shift: float, lines: list[int], titled: bool
) -> None:
    sheet = Sheet(random.Random(seed))
    top = 200.0
    if titled:
        sheet.line(250, 100, "Notice of Privacy Practices For Members And Their Families", 40)
    width = (1500 - (columns - 1) * gutter) / columns
    for column in range(columns):
        left = 100 + column * (width + gutter)
        sheet.prose(left, top + column * shift * sheet.size, width, lines[column])
    page, true = sheet.page()
    assert list(reading_order(page)) == true


def test_a_form_is_read_row_by_row() -> None:
    sheet = Sheet()
    for i, (left, right) in enumerate(
        [
            ("Patient Name: Marisol Quill", "DOB: 04/09/1961"),
            ("Address: 12 Elm Street", "Phone: (555) 010-4477"),
            ("Member ID: XK9930021", "Group: 77120"),
            ("Plan: Gold Choice", "Effective: 01/01/2026"),
        ]
    ):
        sheet.line(100, 300 + i * 50, left)
        sheet.line(900, 300 + i * 50, right)
    page, true = sheet.page()
    assert list(reading_order(page)) == true


@pytest.mark.parametrize("columns", [2, 3, 5])
def test_a_table_without_rules_is_read_row_by_row(columns: int) -> None:
    sheet = Sheet()
    heads = ["Service", "Date", "Billed", "Allowed", "Paid"][:columns]
    rows = [heads] + [
        [f"Office visit {n}", f"0{n}/12/2026", f"{n}20.00", f"{n}00.00", f"{n}80.00"][:columns]
        for n in range(1, 7)
    ]
    sheet.prose(100, 100, 1400, 3)
    for i, row in enumerate(rows):
        for j, cell in enumerate(row):
            sheet.line(100 + j * 300, 260 + i * 36, cell)
    sheet.prose(100, 600, 1400, 3)
    page, true = sheet.page()
    assert list(reading_order(page)) == true
    [table] = [block for block in group_blocks(page) if block.kind == "table"]
    assert table.text.startswith("Service Date")
    assert "Office visit 6" in table.text


def test_titled_blocks_side_by_side_are_read_one_after_the_other() -> None:
    sheet = Sheet()
    for left, head in ((100, "Referring Provider"), (900, "Servicing Provider")):
        sheet.line(left, 300, head)
        for i, name in enumerate(("Name: Jo Reyes", "NPI: 1234567893", "Phone: 555-0100")):
            sheet.line(left, 340 + 36 * i, name)
    page, true = sheet.page()
    assert list(reading_order(page)) == true


def test_addresses_side_by_side_are_read_one_after_the_other() -> None:
    sheet = Sheet()
    for left, head, name in ((100, "From:", "Jo Reyes, MD"), (900, "To:", "Acme Health Plan")):
        sheet.line(left, 300, head)
        for i, text in enumerate((name, "12 Elm Street", "Springfield, IL 62701")):
            sheet.line(left, 336 + 32 * i, text)
    page, true = sheet.page()
    assert list(reading_order(page)) == true


def test_the_cells_of_a_ruled_form_are_read_row_by_row_and_each_of_them_whole() -> None:
    sheet = Sheet()
    for row in range(3):
        for column in range(3):
            left, top = 100 + 480 * column, 300 + 90 * row
            sheet.frame(left, top, 478, 88)
            sheet.line(left + 10, top + 10, f"{row + 1}{'abc'[column]}. Label of the cell")
            sheet.line(left + 10, top + 50, f"Value {row}{column}")
    page, true = sheet.page()
    assert list(reading_order(page)) == true


def test_cells_that_can_not_be_cut_across_are_read_part_by_part() -> None:
    sheet = Sheet()
    for left, heights in ((100, (150, 150)), (700, (100, 100, 100))):
        top = 300
        for i, height in enumerate(heights):
            sheet.frame(left, top, 598, height - 2)
            sheet.line(left + 10, top + 10, f"Part {left} cell {i}")
            top += height
    page, true = sheet.page()
    assert list(reading_order(page)) == true


def test_the_fax_header_is_first_the_page_number_last_but_for_print_on_end() -> None:
    sheet = Sheet()
    sheet.line(100, 20, "09/27/2026 12:44 FROM: 555-0152 P.01/02")
    sheet.prose(100, 300, 1400, 20)
    sheet.line(750, 2120, "Page 1 of 2")
    page, true = sheet.page()
    stamp = Word(
        id=len(page.words),
        text="CONFIDENTIAL",
        confidence=0.9,
        box=Box(0.01, 0.3, 0.025, 0.5),
        line=page.words[-1].line + 1,
    )
    page = page.model_copy(update={"words": (*page.words, stamp)})
    assert list(reading_order(page)) == [*true, stamp.id]
    assert [block.kind for block in group_blocks(page)] == ["header", "text", "footer", "margin"]


def test_titles_lists_and_paragraphs_are_told_apart() -> None:
    sheet = Sheet()
    sheet.line(500, 200, "Prior Authorization", 44)
    end = sheet.prose(100, 330, 1400, 6)
    for i, text in enumerate(("letter of need", "chart notes", "imaging report")):
        sheet.line(100, end + 60 + 34 * i, f"{i + 1}. {text}")
    page, true = sheet.page()
    assert [block.kind for block in group_blocks(page)] == ["title", "text", "list"]
    assert list(reading_order(page)) == true


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
def test_every_kind_of_page_is_read_as_it_was_set(layout: Callable[[Sheet], None]) -> None:
    shares = []
    for seed in range(12):
        font = ("Helvetica", "Times-Roman", "Courier")[seed % 3]
        sheet = Sheet(random.Random(seed), font=font)
        layout(sheet)
        page, true = sheet.page()
        shares.append(in_order(list(reading_order(page)), true))
    assert min(shares) > 0.96
    assert sum(shares) / len(shares) > 0.99
