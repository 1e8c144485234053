# SPDX-License-Identifier: Apache-2.0
"""P3: as many pages arrived as were announced, by the fax header, the server or the cover sheet."""

from __future__ import annotations

import datetime as dt

import pytest

from idp.document import Box, Decision, Document, DocumentType, Envelope, FaxHeader, Page, Severity
from idp.schemas import load_schemas
from idp.settings import DecisionSettings
from idp.validate import announced_on_cover, validate
from idp.validate.transmission import transmission_complete
from tests.unit import pages

TODAY = dt.date(2026, 3, 14)


def faxed(*counts: tuple[int | None, int | None] | None) -> list[Page]:
    """Pages whose header says "page x of y"; none where the header could not be read."""
    made = []
    for number, count in enumerate(counts, 1):
        header = None
        if count is not None:
            header = FaxHeader(text="x", box=Box(0, 0, 1, 0.01), page=count[0], pages=count[1])
        made.append(pages.page("text", number).model_copy(update={"fax_header": header}))
    return made


def said(arrived: list[Page], announced: int | None = None) -> list[tuple[Severity, str]]:
    found = transmission_complete(arrived, announced)
    assert all(finding.rule == "P3" for finding in found)
    return [(finding.severity, finding.message) for finding in found]


def test_a_whole_transmission_is_fine():
    assert said(faxed((1, 3), (2, 3), (3, 3)), 3) == []


def test_no_header_and_no_announcement_say_nothing():
    assert said(faxed(None, None)) == []


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        (((1, 4), (2, 4), (4, 4)), "3 of 4 pages arrived; page 3 missing"),
        (((1, 7), (2, 7), (3, 7)), "3 of 7 pages arrived; pages 4, 5, 6, 7 missing"),
        (((1, 3),), "1 of 3 pages arrived; pages 2, 3 missing"),
        (((1, 4), None, (4, 4)), "3 of 4 pages arrived"),
        (((1, 20),), "1 of 20 pages arrived; pages 2, 3, 4, 5, 6, 7, 8, 9 and more missing"),
        (
            ((1, None), (2, None), (4, None)),
            "3 pages arrived, the last counts as page 4; page 3 missing",
        ),
    ],
)
def test_missing_pages_are_named_where_that_is_sure(counts, message):
    assert said(faxed(*counts)) == [(Severity.BLOCK, f"Incomplete transmission: {message}")]


def test_a_page_whose_header_was_not_read_is_counted():
    assert said(faxed((1, 4), None, (3, 4), (4, 4))) == []


def test_a_total_misread_on_one_page_is_outvoted():
    assert said(faxed((1, 4), (2, 4), (3, 9), (4, 4))) == []


def test_transmissions_that_follow_each_other_are_counted_each_by_itself():
    assert said(faxed((1, 2), (2, 2), (1, 3), (2, 3), (3, 3)), 5) == []
    ((severity, message),) = said(faxed((1, 2), (2, 2), (1, 3), (2, 3)))
    assert severity is Severity.BLOCK
    assert message == "Incomplete transmission: 2 of 3 pages arrived; page 3 missing"


def test_a_page_sent_twice_is_a_warning():
    ((severity, message),) = said(faxed((1, 2), (2, 2), (2, 2)))
    assert severity is Severity.WARN
    assert "3 pages arrived, 2 were announced" in message


def test_the_servers_count_is_held_against_the_pages_that_came():
    assert said(faxed(None, None, None), 5) == [
        (Severity.BLOCK, "Incomplete transmission: 3 of 5 pages arrived")
    ]
    ((severity, _),) = said(faxed(None, None, None), 2)
    assert severity is Severity.WARN


def test_what_header_and_server_say_is_one_finding():
    assert len(said(faxed((1, 5), (2, 5)), 5)) == 1
    # The server counts what it received; the sender's own count is not overruled by it.
    assert said(faxed((1, 5), (2, 5)), 2) == [
        (Severity.BLOCK, "Incomplete transmission: 2 of 5 pages arrived; pages 3, 4, 5 missing")
    ]


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("Number of pages including cover: 5", 5),
        ("TOTAL NO. OF PAGES INCLUDING COVER: 5", 5),
        ("Pages: 4 including cover", 4),
        ("Pages (incl. cover sheet): 12", 12),
        ("# of pages with cover page 3", 3),
        ("Pages: 4", None),
        ("Number of pages including cover: ____", None),
        ("Including cover letter and 3 forms", None),
    ],
)
def test_the_cover_sheet_announces_pages(line, number):
    assert announced_on_cover([pages.page(f"FAX\nTo: Intake\n{line}")]) == number


def document(envelope: Envelope | None = None) -> Document:
    return Document(
        document_id="doc-1",
        source="a.tif",
        sha256="0" * 64,
        channel="fax",
        type=DocumentType.OTHER,
        subtype="lab_result",
        type_confidence=0.99,
        pages=(1,),
        envelope=envelope,
    )


def checked(arrived: list[Page], envelope: Envelope | None = None) -> Document:
    schema = load_schemas()[DocumentType.OTHER]
    return validate(document(envelope), schema, DecisionSettings(), arrived, TODAY, arrived=arrived)


def test_an_incomplete_transmission_goes_to_a_person_whatever_document_it_is():
    arrived = faxed((1, 3), (2, 3))
    answer = checked(arrived)
    assert answer.decision is Decision.REVIEW
    assert "Incomplete transmission: 2 of 3 pages arrived; page 3 missing" in answer.reasons
    assert checked(faxed((1, 2), (2, 2))).decision is Decision.AUTO


def test_more_pages_than_announced_are_told_and_hold_nothing_up():
    answer = checked(faxed(None, None), Envelope(pages_announced=1, told_by=("sidecar",)))
    assert answer.decision is Decision.AUTO
    assert [finding.rule for finding in answer.findings] == ["P3"]


def test_printed_page_numbers_and_the_header_are_one_finding():
    page = pages.page("text\nPage 1 of 3").model_copy(
        update={"fax_header": FaxHeader(text="x", box=Box(0, 0, 1, 0.01), page=1, pages=3)}
    )
    assert [finding.rule for finding in checked([page]).findings] == ["P3"]
    alone = page.model_copy(update={"fax_header": None})
    assert [finding.rule for finding in checked([alone]).findings] == ["P3"]
