# SPDX-License-Identifier: Apache-2.0
"""The fax header line: every maker's way, OCR slips, and what is none."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.document import Block, Box, Page, RawPage, Word
from idp.read import fax_envelope, without_fax_headers
from idp.read.fax_header import without_fax_header
from idp.read.fax_header_text import parse_header
from tests.unit import pages

AT = dt.datetime(2026, 3, 14, 15, 36)  # noqa: DTZ001 - as machines print it

STYLES = {
    "plain": "03/14/2026 15:36 FROM: 606-555-0174 TO: 5558675309 P.03/07",
    "brother": "03/14/2026 15:36 6065550174 MARLOW FAMILY MED PAGE 03/07",
    "canon": "03/14/2026 15:36 FAX 606 555 0174 MARLOW FAMILY MED @003/007",
    "panasonic": "Mar-14-26 15:36 From-MARLOW FAMILY MED 606 555 0174 T-123 P.003/007 F-456",
    "muratec": "MAR-14-2026 SAT 03:36 PM MARLOW FAMILY MED FAX NO. 606 555 0174 P. 03/07",
    "rightfax": "PAGE 3/7 * RCVD AT 3/14/2026 3:36:00 PM * SVR:RFX01/3 * DNIS:5558675309 * "
    "CSID:6065550174 * DURATION (mm-ss):02-14",
    "efax": "To: 15558675309 From: (606) 555-0174 Page: 3/7 Date: 3/14/2026 3:36:00 PM",
    "hylafax": "From MARLOW FAMILY MED 606.555.0174 Sat Mar 14 15:36:00 2026 Page 3 of 7",
    "sharp": "2026-03-14 15:36 MARLOW FAMILY MED 6065550174 >> 5558675309 P 3/7",
    "xerox": "14-MAR-2026 15:36 From:MARLOW FAMILY MED ID: 606-555-0174 Page:003/007",
    "run together": "03/14/202615:36FROM:606-555-0174T0:5558675309 P.03/07",
    "misread": "O3/14/2O26 l5: 36 FR0M: 6O6-555-O174 T0: 555867S309 P.O3/O7",
    "stroke misread": "03/14/2026 15:36 FROM: 606-555-0174 TO: 5558675309 P.03107",
}


@pytest.mark.parametrize("style", STYLES)
def test_every_makers_line_is_understood(style):
    found = parse_header(STYLES[style])
    assert found is not None
    assert found.sender == "606-555-0174"
    assert found.sent_at == AT
    assert (found.page, found.pages) == (3, 7)
    if "TO:" in STYLES[style] or style in ("rightfax", "efax", "sharp", "run together"):
        assert found.recipient == "555-867-5309"
    if "MARLOW" in STYLES[style]:
        assert found.sender_name == "MARLOW FAMILY MED"


@pytest.mark.parametrize(
    ("line", "page", "pages"),
    [
        ("Mar 14 2026 3:36PM HP LASERJET FAX p.3", 3, None),
        ("MAR. 14. 2026 3:36PM MARLOW FAMILY MED NO. 4711 P. 3/7", 3, 7),
        ("MARLOW FAMILY MED 3/14/2026 3:36:12 PM PAGE 3/007 Fax Server", 3, 7),
        ("3/14/26 3:36PM SUNRISE CLINIC FAX: (606) 555-0174 Page 3", 3, None),
        ("03/14/2026 15:36 FROM: 606-555-0174 P.09/07", None, None),
        ("* Sat Mar 14 2026.15:36 * OAK HOLLOW * ID=606-555-0174 * p.6 of 7 *", 6, 7),
        ("14 0ct 2026 04:40 PM 0AK HOLLOW Fax 606 555 0174 page 5 of 10", 5, 10),
        ("OAK HOLLOW Fax Fax:606-555-0174 Mar 14 2026 3:36 PM P06/06", 6, 6),
        ("Date: 03/14/2026 Time: 03:36 PM To: 606-555-0174 From: OAK HOLLOW", None, None),
        ("MAR/14/2026 03:36 PM OAK HOLLOW 606-555-0174", None, None),
    ],
)
def test_a_line_tells_what_it_can(line, page, pages):
    found = parse_header(line)
    assert found is not None
    assert found.sent_at is not None
    assert (found.page, found.pages) == (page, pages)


def test_a_weekday_is_no_part_of_a_name_and_a_name_is_no_weekday():
    found = parse_header("Sun Mar 15 2026 09:05 SUNRISE CLINIC FAX 606 555 0174 P.1/2")
    assert found is not None
    assert found.sender_name == "SUNRISE CLINIC"


@pytest.mark.parametrize(
    ("zone", "hours"), [("-0600", -6), ("[Central Standard Time]", -6), ("EDT", -4), ("GMT", 0)]
)
def test_a_time_is_aware_where_the_line_names_its_zone(zone, hours):
    found = parse_header(f"3/14/2026 3:36:00 PM {zone} FROM: 606-555-0174 PAGE 3/7")
    assert found is not None
    assert found.sent_at == AT.replace(tzinfo=dt.timezone(dt.timedelta(hours=hours)))


@pytest.mark.parametrize(
    "line",
    [
        "",
        "PRIOR AUTHORIZATION REQUEST FORM",
        "Fax completed form to: 1-855-555-0164 Page 1 of 2",
        "Printed on 3/14/2026 3:36 PM Page 1 of 3",
        "3/14/2026 3:36 PM Prior Authorization Form",
        "Patient: Orsolya Quade DOB: 03/14/1961 Phone 606-555-0174 Page 2 of 3",
        "DHB 372-118 FAX TO: 1-855-555-0164",
        "Main: (231) 555-0140 Referral Fax: (231) 555-0144",
        "4200 Ridgecrest Blvd, Suite 110 | Meadowbrook, CO 80555",
        "Rev. 07/2023 Provider line: 1-800-555-0196",
        "Appointment: 3/14/2026 at 15:36, call 606-555-0174",
        "https://payer.example/form 3/14/26, 3:36 PM 606-555-0174",
        "Date of Service: 03/14/2026 15:36 Fax 606-555-0174 P.1/2",
        "MRN 00720418 03/14/2026 15:36 FAX 606-555-0174",
        "03/14/2026 Page 1 of 3",
        "606-555-0174 606-555-0175",
        "Prior Authorization Fax 606-555-0182 Page 1/2",
        "11/03/2026 3:36 PM Prior Authorization Page 1/2",
        "Rx 11/03/2026 15:36 Pharmacy fax: 606-555-0182",
        "Tobias Lindqvist MD, 606-555-0182, 11/03/2026 3:36 PM",
        "Birchwood Ortho Tel (606) 555-0182 Fax (606) 555-0183 November 3, 2026",
        "Report run 11/03/2026 15:36 by TLINDQV Page 2 of 9 Account: 5550182467",
        "Form 3871-B Rev 03/14/2024 OMB 0938-0008 Page 1 of 4",
        "11/3/26, 3:36 PM Referral Form | Birchwood 1/2",
    ],
)
def test_a_forms_own_line_is_no_header(line):
    assert parse_header(line) is None


@given(st.text(max_size=300))
def test_any_text_is_a_header_or_none(line):
    found = parse_header(line)
    if found is not None and found.pages is not None:
        assert found.page is not None
        assert 1 <= found.page <= found.pages


FORM = "REFERRAL FORM\nPatient name: Orsolya Quade   Phone: 606-555-0182\nDate: 03/10/2026"


def page_with(*headers: str, number: int = 1, form: str = FORM) -> Page:
    """A form below header lines, which are printed along the paper's edge."""
    words: list[Word] = []
    for row, line in enumerate(headers):
        x, width = 0.03, 0.94 / max(len(line), 1)
        for text in line.split():
            box = Box(x, 0.004 + row * 0.014, x + len(text) * width, 0.015 + row * 0.014)
            words.append(Word(id=len(words), text=text, confidence=0.9, box=box, line=row))
            x = box.x1 + width
    for word in pages.page(form).words:
        down = word.box._replace(y0=word.box.y0 + 0.05, y1=word.box.y1 + 0.05)
        words.append(
            word.model_copy(update={"id": len(words), "line": word.line + 10, "box": down})
        )
    lines: dict[int, list[Word]] = {}
    for word in words:
        lines.setdefault(word.line, []).append(word)
    blocks = tuple(
        Block(
            kind="text",
            box=line[0].box,
            text=" ".join(w.text for w in line),
            word_ids=tuple(w.id for w in line),
        )
        for line in lines.values()
    )
    return Page(
        number=number, width_px=1728, height_px=2200, dpi=204, words=tuple(words), blocks=blocks
    )


def test_the_header_leaves_the_words_and_nothing_else_does():
    before = page_with(STYLES["plain"])
    after = without_fax_header(before)
    assert after.fax_header is not None
    assert after.fax_header.text == STYLES["plain"]
    assert after.text == page_with().text
    assert [word.id for word in after.words] == list(range(len(after.words)))
    assert [block.text for block in after.blocks] == [b.text for b in page_with().blocks]
    by_id = {word.id: word.text for word in after.words}
    for block in after.blocks:
        assert " ".join(by_id[i] for i in block.word_ids) == block.text
    assert without_fax_header(after).words == after.words


def test_a_block_that_holds_more_than_the_header_keeps_the_rest():
    page = page_with(STYLES["plain"])
    whole = Block(
        kind="text",
        box=Box(0, 0, 1, 1),
        text=page.text,
        word_ids=tuple(word.id for word in page.words),
    )
    after = without_fax_header(page.model_copy(update={"blocks": (whole,)}))
    (block,) = after.blocks
    assert block.text == after.text
    assert block.word_ids == tuple(range(len(after.words)))
    assert block.box.y0 > 0.05


def test_a_page_without_a_header_is_the_very_page():
    page = page_with()
    assert without_fax_header(page) is page


def test_of_two_lines_the_lower_names_the_sender_and_the_upper_counts_the_pages():
    header = without_fax_header(
        page_with(
            "03/15/2026 09:00 FROM: 502-555-0111 TO: 5558675309 P.01/02",
            "03/14/2026 15:36 FROM: MARLOW FAMILY MED 606-555-0174 TO: 502-555-0111 P.03/07",
        )
    ).fax_header
    assert header is not None
    assert header.sender == "606-555-0174"
    assert header.sender_name == "MARLOW FAMILY MED"
    assert header.sent_at == AT
    assert (header.page, header.pages) == (1, 2)


def test_a_line_that_was_wrapped_is_one_header():
    header = without_fax_header(
        page_with("From: MARLOW FAMILY MED", "606-555-0174 3/14/2026 3:36 PM Page 3 of 7")
    ).fax_header
    assert header is not None
    assert header.sender == "606-555-0174"
    assert (header.page, header.pages) == (3, 7)


@pytest.mark.parametrize("degrees", [1.4, -1.4])
def test_a_header_that_straightening_left_askew_is_one_line(degrees):
    level = page_with(STYLES["plain"])
    slope = 0.0244 * (1 if degrees > 0 else -1) * 1728 / 2200
    top = 0.0 if degrees > 0 else 0.02
    words = tuple(
        word
        if word.line >= 10
        else word.model_copy(
            update={
                "line": int(word.box.x0 * 3),
                "box": word.box._replace(
                    y0=max(0.0, word.box.y0 + top + slope * word.box.cx),
                    y1=word.box.y1 + top + slope * word.box.cx,
                ),
            }
        )
        for word in level.words
    )
    header = without_fax_header(
        level.model_copy(update={"words": words, "skew_degrees": degrees})
    ).fax_header
    assert header is not None
    assert header.text == STYLES["plain"]


def test_what_stands_lower_or_larger_is_no_header():
    page = page_with(STYLES["plain"])
    lower = tuple(
        word.model_copy(
            update={"box": word.box._replace(y0=word.box.y0 + 0.1, y1=word.box.y1 + 0.1)}
        )
        for word in page.words
    )
    larger = tuple(
        word.model_copy(update={"box": word.box._replace(y1=word.box.y1 + 0.02)})
        for word in page.words
    )
    for words in (lower, larger):
        assert without_fax_header(page.model_copy(update={"words": words})).fax_header is None


def test_a_page_with_print_above_the_line_has_no_header():
    below = page_with("APPROVED OMB-0938-0008 HEALTH INSURANCE CLAIM", STYLES["plain"])
    assert without_fax_header(below).fax_header is None


def test_a_born_digital_page_has_none_unless_its_picture_has_one_bit():
    page = page_with(STYLES["plain"]).model_copy(update={"words_source": "text_layer"})
    raw = RawPage(number=1, path="p.png", dpi_x=200, dpi_y=200, bilevel=False)
    assert without_fax_headers([page], [raw])[0].fax_header is None
    bilevel = raw.model_copy(update={"bilevel": True})
    assert without_fax_headers([page], [bilevel])[0].fax_header is not None


def test_what_most_pages_say_is_the_envelope():
    lines = [
        f"03/14/2026 15:36 FROM: MARLOW MED 606-555-0174 TO: 5558675309 P.0{n}/0{total}"
        for n, total in ((1, 4), (2, 4), (3, 9), (4, 4))
    ]
    read = [without_fax_header(page_with(line, number=n)) for n, line in enumerate(lines, 1)]
    envelope = fax_envelope(read, "America/Chicago")
    assert envelope is not None
    assert envelope.pages_announced == 4
    assert envelope.sender == "606-555-0174"
    assert envelope.sender_name == "MARLOW MED"
    assert envelope.recipient == "555-867-5309"
    assert envelope.sent_at is not None
    assert envelope.sent_at.isoformat() == "2026-03-14T15:36:00-05:00"
    assert fax_envelope([page_with()], None) is None
