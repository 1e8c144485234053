# SPDX-License-Identifier: Apache-2.0
"""Rule P2: every page of a file belongs to exactly one document, or was set aside."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from idp.came import with_pages_kept
from idp.document import Decision, Document, DocumentType, Page
from tests.unit.pages import page


def document(*pages: int, part: str | None = None, aside: tuple[int, ...] = ()) -> Document:
    return Document(
        document_id=f"d{pages}{part}",
        source="a.tif",
        sha256="0" * 64,
        channel="fax",
        part=part,
        type=DocumentType.OTHER,
        type_confidence=0.99,
        pages=pages,
        set_aside=aside,
        decision=Decision.AUTO,
    )


def pages(count: int, part: str | None = None) -> list[Page]:
    return [page("x", n).model_copy(update={"part": part}) for n in range(1, count + 1)]


@given(st.lists(st.integers(1, 4), min_size=1, max_size=6))
def test_however_a_file_is_cut_nothing_is_said_while_each_page_has_one_place(
    lengths: list[int],
) -> None:
    documents, first = [], 1
    for length in lengths:
        documents.append(document(*range(first, first + length)))
        first += length
    assert with_pages_kept(documents, pages(first - 1)) == tuple(documents)


def test_pages_set_aside_and_pages_of_parts_are_kept_too() -> None:
    documents = [document(1, aside=(2,)), document(3), document(1, 2, part="b.pdf")]
    assert with_pages_kept(documents, [*pages(3), *pages(2, "b.pdf")]) == tuple(documents)


def test_a_page_that_no_document_has_is_told_on_the_one_before() -> None:
    first, second = with_pages_kept([document(1), document(3)], pages(3))
    assert [(f.rule, f.page) for f in first.findings] == [("P2", 2)]
    assert (first.decision, second.findings) == (Decision.REVIEW, ())
    assert "belongs to no document" in first.reasons[0]


def test_a_page_of_two_documents_is_told_on_both() -> None:
    found = with_pages_kept([document(1, 2), document(2, 3)], pages(3))
    assert [[(f.rule, f.page) for f in d.findings] for d in found] == [[("P2", 2)]] * 2
    aside = with_pages_kept([document(1, 2), document(3, aside=(2,))], pages(3))
    assert [len(d.findings) for d in aside] == [1, 1]


def test_a_page_that_was_never_read_is_told() -> None:
    (found,) = with_pages_kept([document(1, 2)], pages(1))
    assert [(f.rule, f.page) for f in found.findings] == [("P2", 2)]


def test_a_part_in_quarantine_has_no_pages_and_lacks_none() -> None:
    broken = document(part="b.pdf").model_copy(update={"error": "E-PDF", "pages": ()})
    assert with_pages_kept([document(1), broken], pages(1)) == (document(1), broken)
