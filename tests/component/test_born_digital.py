# SPDX-License-Identifier: Apache-2.0
"""A right text layer is taken letter by letter; whatever another one says, what is seen counts.

The files are made so that the layer and the page differ: what is read must be what is drawn.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from reportlab.pdfgen.canvas import Canvas

from idp.document import Page
from idp.ingest import unpack
from idp.read import Reader
from idp.settings import IngestSettings, ReadSettings
from tests.pdfs import LINES, Pdf, letter, text

pytestmark = pytest.mark.component


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    models = Path(__file__).parents[2] / "models"
    settings = ReadSettings(workers=1, page_seconds=600)
    with Reader(settings, models if models.is_dir() else tmp_path_factory.mktemp("m")) as opened:
        yield opened


def read(reader: Reader, path: Path) -> Page:
    raw = unpack(path, path.parent, IngestSettings(unpack_seconds=120)).pages
    return reader.read(raw, path.parent)[0]


def digits(words: str) -> str:
    return re.sub(r"\D", "", words)


def test_a_plain_page_is_taken_word_by_word_and_sure(reader: Reader, tmp_path: Path) -> None:
    page = read(reader, Pdf().save(tmp_path / "plain.pdf", letter(LINES)))
    assert page.words_source == "text_layer"
    assert page.text.splitlines() == list(LINES)
    assert all(word.confidence >= 0.99 for word in page.words)
    assert (page.rotation, page.skew_degrees) == (0, 0.0)


def add(words: str, more: str = "", after: str = "") -> str:
    return letter(LINES) + text(72, 500, words, more=more) + after


HIDDEN = {
    "invisible": add("Total due 99,999.99 approved", more="3 Tr"),
    "white": add("Total due 99,999.99 approved", more="1 g"),
    "under a white rectangle": add("Total due 99,999.99", after="1 g 60 490 300 30 re f 0 g\n"),
    "too small to be seen": letter(LINES) + text(72, 500, "Total due 99,999.99", size=0.4),
    "clipped away": letter(LINES)
    + "q 0 0 10 10 re W n "
    + text(72, 500, "Total due 99,999.99")
    + "Q\n",
}


@pytest.mark.parametrize("way", HIDDEN)
def test_words_that_nobody_sees_are_not_read(reader: Reader, tmp_path: Path, way: str) -> None:
    page = read(reader, Pdf().save(tmp_path / "hidden.pdf", HIDDEN[way]))
    assert page.text.splitlines() == list(LINES)
    assert page.words_source == "text_layer"


OTHER = LINES[5].replace("860.55", "999.99").replace("0099318472", "0011223344")
LAYER_OFF = "/OCProperties << /OCGs [{0} 0 R] /D << /OFF [{0} 0 R] >> >>"


@pytest.mark.parametrize("way", ["invisible over it", "white over it", "on a layer that is off"])
def test_other_values_that_nobody_sees_are_not_taken_for_those_seen(
    reader: Reader, tmp_path: Path, way: str
) -> None:
    """The lie stands in the very place of the truth, letter over letter."""
    pdf = Pdf()
    page = catalog = ""
    place = 720 - 22 * 5
    lie = text(72, place, OTHER, more={"invisible over it": "3 Tr"}.get(way, ""))
    if way == "white over it":
        lie = text(72, place, OTHER, more="1 g") + "0 g\n" + letter(LINES)
    if way == "on a layer that is off":
        layer = pdf.add("<< /Type /OCG /Name (draft) >>")
        catalog = LAYER_OFF.format(layer)
        font = f"/Font << /F1 {pdf.fonts['F1']} 0 R >>"
        # The last entry of a name in a dictionary is the one that counts.
        page = f"/Resources << /Properties << /Off {layer} 0 R >> {font} >>"
        lie = f"/OC /Off BDC {lie} EMC\n"
    path = pdf.save(tmp_path / "lie.pdf", letter(LINES) + lie, page=page, catalog=catalog)
    found = read(reader, path).text
    assert "860.55" in found and "0099318472" in found
    assert "999.99" not in found and "0011223344" not in found


def test_words_outside_of_the_crop_box_are_not_read(reader: Reader, tmp_path: Path) -> None:
    content = letter(LINES) + text(72, 100, "Outside 12345")
    page = read(reader, Pdf().save(tmp_path / "crop.pdf", content, page="/CropBox [0 300 612 792]"))
    assert page.text.splitlines() == list(LINES)


def test_a_value_pasted_over_a_stale_one_is_read(reader: Reader, tmp_path: Path) -> None:
    patch = "1 g 60 490 300 30 re f 0 g\n" + text(72, 500, "Paid 999.68 to nobody")
    page = read(reader, Pdf().save(tmp_path / "stale.pdf", add("Paid 111.11 to nobody", "", patch)))
    assert page.text.splitlines() == [*LINES, "Paid 999.68 to nobody"]


def test_digits_that_a_font_map_swaps_are_read_as_seen(reader: Reader, tmp_path: Path) -> None:
    pdf = Pdf()
    pdf.lying_font("F2", dict(zip("0123456789", "0123856749", strict=True)))
    page = read(reader, pdf.save(tmp_path / "swapped.pdf", letter(LINES, font="F2")))
    assert digits(page.text) == digits(" ".join(LINES))
    # Where page and layer differ somebody is wrong: that is not for sure.
    assert any(word.confidence <= 0.5 for word in page.words)


@pytest.mark.parametrize("seed", range(3))
def test_whatever_a_font_says_its_digits_are_those_seen(
    reader: Reader, tmp_path: Path, seed: int
) -> None:
    said = "".join(np.random.default_rng(seed).permutation(list("0123456789")))
    pdf = Pdf()
    pdf.lying_font("F2", dict(zip("0123456789", said, strict=True)))
    content = letter(LINES[:4]) + letter(LINES[4:], top=600, font="F2")
    page = read(reader, pdf.save(tmp_path / "random.pdf", content))
    assert digits(page.text) == digits(" ".join(LINES))


def test_a_font_without_sense_is_read_from_its_pixels(reader: Reader, tmp_path: Path) -> None:
    pdf = Pdf()
    pdf.lying_font("F2", {chr(code): chr(code + 1) for code in range(48, 122)})
    page = read(reader, pdf.save(tmp_path / "garbage.pdf", letter(LINES, font="F2")))
    assert page.words_source == "ocr"
    assert digits(page.text) == digits(" ".join(LINES))


def type3(pdf: Pdf, draws: str, says: str) -> None:
    """A font whose one glyph draws a whole word and claims to be something else."""
    glyph = pdf.stream(f"6000 0 0 -200 6000 900 d1 BT /F1 1000 Tf ({draws}) Tj ET")
    cmap = pdf.stream(
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def\n"
        "1 begincodespacerange <00> <FF> endcodespacerange\n"
        f"1 beginbfchar <61> <{says.encode('utf-16-be').hex()}> endbfchar endcmap end end"
    )
    pdf.font(
        "F3",
        "<< /Type /Font /Subtype /Type3 /FontBBox [0 -200 6000 900] /FontMatrix [.001 0 0 .001 0 0]"
        f" /CharProcs << /a {glyph} 0 R >> /Encoding << /Differences [97 /a] >> /FirstChar 97"
        f" /LastChar 97 /Widths [6000] /ToUnicode {cmap} 0 R"
        f" /Resources << /Font << /F1 {pdf.fonts['F1']} 0 R >> >> >>",
    )


def test_a_glyph_that_draws_another_amount_is_read_as_drawn(reader: Reader, tmp_path: Path) -> None:
    pdf = Pdf()
    type3(pdf, draws="942.17", says="500.00")
    content = letter(LINES) + text(72, 500, "Paid") + text(110, 500, "a", font="F3")
    page = read(reader, pdf.save(tmp_path / "glyph.pdf", content))
    assert page.text.splitlines() == [*LINES, "Paid 942.17"]


def test_ligatures_come_out_as_letters(reader: Reader, tmp_path: Path) -> None:
    pdf = Pdf()
    pdf.font(
        "F2",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Times-Roman "
        "/Encoding << /Type /Encoding /Differences [1 /fi /fl] >> >>",
    )
    content = letter(LINES) + text(72, 500, "Con\x01dential \x02ight of\x01ce", font="F2")
    page = read(reader, pdf.save(tmp_path / "ligature.pdf", content))
    assert page.text.splitlines()[-1] == "Confidential flight office"


def test_a_turned_page_is_read_upright(reader: Reader, tmp_path: Path) -> None:
    content = "0 1 -1 0 792 0 cm\n" + letter(LINES, top=700)
    page = read(reader, Pdf((792, 612)).save(tmp_path / "turned.pdf", content, page="/Rotate 90"))
    assert page.text.splitlines() == list(LINES)
    assert page.words_source == "text_layer"


def test_text_printed_twice_to_look_bold_is_read_once(reader: Reader, tmp_path: Path) -> None:
    content = add("Printed twice 45.00") + text(72.3, 500, "Printed twice 45.00")
    page = read(reader, Pdf().save(tmp_path / "bold.pdf", content))
    assert page.text.splitlines() == [*LINES, "Printed twice 45.00"]


def picture(words: str, size: tuple[int, int] = (900, 120)) -> Image.Image:
    image = Image.new("L", size, 255)
    ImageDraw.Draw(image).text((20, 20), words, fill=0, font=ImageFont.load_default(64))
    return image


def test_a_stamp_that_the_layer_does_not_know_is_read(reader: Reader, tmp_path: Path) -> None:
    picture("DENIED 03/14/2026").save(tmp_path / "stamp.png")
    canvas = Canvas(str(tmp_path / "stamp.pdf"), pagesize=(612, 792))
    for i, line in enumerate(LINES):
        canvas.drawString(72, 720 - 22 * i, line)
    canvas.drawImage(str(tmp_path / "stamp.png"), 72, 400, 270, 36)
    canvas.save()
    page = read(reader, tmp_path / "stamp.pdf")
    assert page.words_source == "text_layer"
    assert page.text.splitlines()[:7] == list(LINES)
    assert "DENIED 03/14/2026" in page.text


def scan(tmp_path: Path) -> Path:
    image = Image.new("L", (1700, 2200), 255)
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(32)
    for i, line in enumerate(LINES):
        pen.text((200, 200 + 61 * i), line, fill=0, font=font)
    image.save(tmp_path / "scan.png")
    return tmp_path / "scan.png"


@pytest.mark.parametrize("shift", [0, 5])
def test_somebodys_ocr_under_a_scan_is_no_proof(reader: Reader, tmp_path: Path, shift: int) -> None:
    canvas = Canvas(str(tmp_path / "layer.pdf"), pagesize=(612, 792))
    canvas.drawImage(str(scan(tmp_path)), 0, 0, 612, 792)
    hidden = canvas.beginText(72, 711 + shift)
    hidden.setFont("Helvetica", 11)
    hidden.setTextRenderMode(3)
    hidden.setLeading(22)
    for line in LINES:
        hidden.textLine(line.translate(str.maketrans("0123456789", "0129456783")))
    canvas.drawText(hidden)
    canvas.save()
    page = read(reader, tmp_path / "layer.pdf")
    assert digits(page.text) == digits(" ".join(LINES))


def test_a_form_value_is_read_as_it_is_shown(reader: Reader, tmp_path: Path) -> None:
    pdf = Pdf()
    entries = pdf.field(shown="Paid 942.17", value="Paid 500.00")
    page = read(reader, pdf.save(tmp_path / "field.pdf", letter(LINES), *entries))
    assert page.words_source == "text_layer"
    assert page.text.splitlines() == [*LINES, "Paid 942.17"]


def table() -> str:
    rows = [("Line", "Code", "Billed", "Allowed", "Paid")]
    rows += [
        (f"{i}", f"{99200 + 7 * i}", f"{120.5 * i:,.2f}", f"{98.25 * i:,.2f}", f"{81.4 * i:,.2f}")
        for i in range(1, 31)
    ]
    return "".join(
        text(60 + 100 * column, 740 - 12 * row, words, size=8)
        for row, line in enumerate(rows)
        for column, words in enumerate(line)
    )


def test_a_dense_table_is_exact(reader: Reader, tmp_path: Path) -> None:
    page = read(reader, Pdf().save(tmp_path / "table.pdf", table()))
    assert page.words_source == "text_layer"
    assert page.text.splitlines()[1:3] == [
        "1 99207 120.50 98.25 81.40",
        "2 99214 241.00 196.50 162.80",
    ]
    assert len(page.text.splitlines()) == 31


def test_white_print_on_black_is_read(reader: Reader, tmp_path: Path) -> None:
    bar = "0 g 60 490 400 24 re f\n" + text(72, 498, "SECTION II 4417", more="1 g") + "0 g\n"
    page = read(reader, Pdf().save(tmp_path / "bar.pdf", letter(LINES) + bar))
    assert page.text.splitlines() == [*LINES, "SECTION II 4417"]
    assert page.words_source == "text_layer"
