# SPDX-License-Identifier: Apache-2.0
"""Every file ends in all its pages or in a coded error, told by its bytes and not by its name."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, TiffImagePlugin
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen.canvas import Canvas

from idp.errors import (
    DamagedFileError,
    EmptyFileError,
    EncryptedFileError,
    InputError,
    TooLargeError,
    UnsupportedFileError,
)
from idp.ingest.formats import media_type_of
from idp.ingest.opened import OFFICE, OPENERS, open_here
from idp.ingest.unpack_image import believable_dpi
from idp.ingest.unpacked import Part, Unpacked, unpack
from idp.settings import IngestSettings

LIMITS = IngestSettings()


def here(path: Path, workspace: Path, limits: IngestSettings = LIMITS) -> Unpacked:
    """Unpacks in this process: quick, and the same code as in the child."""
    media_type = media_type_of(path.read_bytes()[:1024])
    opened = open_here(path, workspace, media_type, limits)
    part = Part(name=None, sha256=None, media_type=media_type, pages=opened.pages)
    return Unpacked(media_type=media_type, parts=(part,))


def page(text_rows: int = 10, size: tuple[int, int] = (400, 520)) -> Image.Image:
    pixels = np.full((size[1], size[0]), 255, np.uint8)
    for row in range(text_rows):
        pixels[20 + 40 * row : 32 + 40 * row, 30 : 350 - 10 * row] = 0
    return Image.fromarray(pixels)


def fax(path: Path, pages: int = 3, dpi: tuple[float, float] = (204, 98)) -> Path:
    images = [page(2 + i, (432, 280)).convert("1") for i in range(pages)]
    images[0].save(path, save_all=True, append_images=images[1:], compression="group4", dpi=dpi)
    return path


def pdf(path: Path, pages: int = 2, password: str | None = None) -> Path:
    encrypt = StandardEncryption(password) if password else None
    canvas = Canvas(str(path), pagesize=(612, 792), encrypt=encrypt)
    for number in range(pages):
        canvas.drawString(72, 700, f"Sheet {number + 1} of the referral")
        canvas.showPage()
    canvas.save()
    return path


def test_every_page_of_a_fax_comes_out_in_order_with_its_own_resolution(tmp_path: Path) -> None:
    unpacked = here(fax(tmp_path / "fax.tif"), tmp_path)
    assert unpacked.media_type == "image/tiff"
    assert [p.number for p in unpacked.pages] == [1, 2, 3]
    assert all(p.bilevel and (p.dpi_x, p.dpi_y) == (204, 98) for p in unpacked.pages)
    ink = [int((np.asarray(Image.open(p.path).convert("L")) < 128).sum()) for p in unpacked.pages]
    assert ink[0] < ink[1] < ink[2]


def test_a_pdf_gives_pages_at_the_set_resolution_and_the_words_of_its_text_layer(
    tmp_path: Path,
) -> None:
    unpacked = here(pdf(tmp_path / "letter.pdf"), tmp_path)
    assert unpacked.media_type == "application/pdf"
    assert len(unpacked.pages) == 2
    with Image.open(unpacked.pages[0].path) as image:
        assert image.size == (1700, 2200)
    words = unpacked.pages[1].text_layer
    assert [w.text for w in words] == ["Sheet", "2", "of", "the", "referral"]
    first = words[0].box
    assert first.x0 == pytest.approx(72 / 612, abs=0.005)
    assert first.y1 == pytest.approx(92 / 792, abs=0.006)


def test_text_of_a_turned_page_stands_where_it_is_seen(tmp_path: Path) -> None:
    canvas = Canvas(str(tmp_path / "turned.pdf"), pagesize=(612, 792))
    canvas.setPageRotation(90)
    canvas.drawString(72, 500, "Turned")
    canvas.showPage()
    canvas.save()
    unpacked = here(tmp_path / "turned.pdf", tmp_path)
    only = unpacked.pages[0]
    pixels = np.asarray(Image.open(only.path))
    ys, xs = np.nonzero(pixels < 128)
    box = only.text_layer[0].box
    height, width = pixels.shape
    assert xs.max() - xs.min() < ys.max() - ys.min()  # it reads from top to bottom
    assert box.x0 * width - 12 <= xs.min() and xs.max() <= box.x1 * width + 12
    assert box.y0 * height - 12 <= ys.min() and ys.max() <= box.y1 * height + 12


def test_form_values_are_drawn_as_a_person_sees_them(tmp_path: Path) -> None:
    blank, filled = tmp_path / "blank.pdf", tmp_path / "filled.pdf"
    for path, value in ((blank, ""), (filled, "Marisol Quintana")):
        canvas = Canvas(str(path), pagesize=(612, 792))
        canvas.drawString(72, 700, "Patient")
        canvas.acroForm.textfield(name="patient", value=value, x=72, y=600, width=300, height=30)
        canvas.showPage()
        canvas.save()

    def ink(path: Path) -> int:
        pages = here(path, tmp_path).pages
        return int((np.asarray(Image.open(pages[0].path)) < 128).sum())

    assert ink(filled) > ink(blank) + 500


def test_the_bytes_tell_the_format_and_not_the_name(tmp_path: Path) -> None:
    page().save(tmp_path / "scan.pdf", format="PNG")
    assert here(tmp_path / "scan.pdf", tmp_path).media_type == "image/png"


def test_a_photo_lying_on_its_side_is_turned_as_its_camera_says(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6
    page(size=(400, 200)).save(tmp_path / "photo.jpg", exif=exif)
    with Image.open(here(tmp_path / "photo.jpg", tmp_path).pages[0].path) as image:
        assert image.size == (200, 400)


def test_transparent_paper_is_white(tmp_path: Path) -> None:
    Image.new("RGBA", (80, 80), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    with Image.open(here(tmp_path / "clear.png", tmp_path).pages[0].path) as image:
        assert image.getextrema() == (255, 255)


def test_zero_bytes_are_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "empty.tif").touch()
    with pytest.raises(EmptyFileError):
        unpack(tmp_path / "empty.tif", tmp_path / "work", LIMITS)


def test_a_text_file_named_pdf_is_read_as_text_and_a_program_is_unsupported(
    tmp_path: Path,
) -> None:
    (tmp_path / "note.pdf").write_text("Dear colleague, please find attached")
    assert unpack(tmp_path / "note.pdf", tmp_path / "work", LIMITS).media_type == "text/plain"
    (tmp_path / "program.pdf").write_bytes(b"MZ\x90\x00\x03\x00\x00\x00 a program")
    with pytest.raises(UnsupportedFileError):
        unpack(tmp_path / "program.pdf", tmp_path / "work", LIMITS)


def test_more_bytes_than_allowed_are_refused_before_anything_is_read(tmp_path: Path) -> None:
    fax(tmp_path / "fax.tif")
    with pytest.raises(TooLargeError, match="max_bytes"):
        unpack(tmp_path / "fax.tif", tmp_path / "work", IngestSettings(max_bytes=100))


def test_an_encrypted_pdf_is_named_so(tmp_path: Path) -> None:
    with pytest.raises(EncryptedFileError):
        here(pdf(tmp_path / "secret.pdf", password="s3cret"), tmp_path)


@pytest.mark.parametrize(
    ("kind", "refused"), [("fax.tif", 38), ("letter.pdf", 20), ("scan.png", 38), ("photo.jpg", 38)]
)
def test_a_cut_off_file_never_gives_less_than_the_whole(
    tmp_path: Path, kind: str, refused: int
) -> None:
    """A PDF that lacks no more than its cross-reference table is mended; nothing else is."""
    whole = tmp_path / kind
    if kind == "fax.tif":
        fax(whole)
    elif kind == "letter.pdf":
        pdf(whole)
    else:
        page().save(whole)
    data = whole.read_bytes()

    def drawn(path: Path) -> list[bytes]:
        return [Path(each.path).read_bytes() for each in here(path, tmp_path).pages]

    complete = drawn(whole)
    cut = tmp_path / "cut"
    errors = 0
    for kept in sorted({*range(1, len(data), max(1, len(data) // 40)), len(data) - 40}):
        cut.write_bytes(data[:kept])
        try:
            assert drawn(cut) == complete
        except InputError:
            errors += 1
    assert errors >= refused


def test_too_many_pages_are_refused(tmp_path: Path) -> None:
    few = IngestSettings(max_pages=2)
    with pytest.raises(TooLargeError, match="max_pages"):
        here(fax(tmp_path / "fax.tif"), tmp_path, few)
    with pytest.raises(TooLargeError, match="max_pages"):
        here(pdf(tmp_path / "letter.pdf", pages=3), tmp_path, few)


def tiff_header(width: int, height: int) -> bytes:
    """A TIFF that claims a size and holds next to nothing."""
    entries = [
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, 1, 1),
        (259, 3, 1, 4),
        (262, 3, 1, 0),
        (273, 4, 1, 8),
        (278, 4, 1, height),
        (279, 4, 1, 2),
    ]
    body = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *e) for e in entries)
    return b"II*\x00" + struct.pack("<I", 12) + b"\x00\x00\x00\x00" + body + struct.pack("<I", 0)


def test_a_picture_of_forty_thousand_pixels_square_is_refused_from_its_header(
    tmp_path: Path,
) -> None:
    (tmp_path / "bomb.tif").write_bytes(tiff_header(40_000, 40_000))
    with pytest.raises(TooLargeError, match="40000 x 40000"):
        here(tmp_path / "bomb.tif", tmp_path)
    chunk = b"IHDR" + struct.pack(">IIBBBBB", 40_000, 40_000, 8, 0, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk
    png += struct.pack(">I", zlib.crc32(chunk)) + struct.pack(">I", 0) + b"IDAT" + b"\x00" * 4
    (tmp_path / "bomb.png").write_bytes(png)
    with pytest.raises(TooLargeError, match="40000 x 40000"):
        here(tmp_path / "bomb.png", tmp_path)


def test_a_tiff_whose_pages_go_round_in_a_circle_is_damaged(tmp_path: Path) -> None:
    data = bytearray(tiff_header(16, 16))
    data[-4:] = struct.pack("<I", 12)
    (tmp_path / "circle.tif").write_bytes(bytes(data))
    with pytest.raises(DamagedFileError, match="circle"):
        here(tmp_path / "circle.tif", tmp_path)


def test_a_page_of_a_whole_wall_is_drawn_smaller_and_an_absurd_one_refused(
    tmp_path: Path,
) -> None:
    canvas = Canvas(str(tmp_path / "plan.pdf"), pagesize=(3600, 3600))
    canvas.drawString(100, 100, "Plan")
    canvas.save()
    only = here(tmp_path / "plan.pdf", tmp_path).pages[0]
    with Image.open(only.path) as image:
        assert image.width * image.height <= LIMITS.max_pixels
    assert only.dpi_x < 200
    canvas = Canvas(str(tmp_path / "field.pdf"), pagesize=(14_000, 14_000))
    canvas.drawString(100, 100, "Field")
    canvas.save()
    with pytest.raises(TooLargeError, match="inches"):
        here(tmp_path / "field.pdf", tmp_path)


@pytest.mark.parametrize(
    ("width", "height", "given_dpi", "expected"),
    [
        (1728, 1100, (0, 0), (204, 98)),
        (1728, 2200, (0, 0), (204, 196)),
        (1728, 4300, (1, 1), (204, 391)),
        (1728, 2200, (204, 196), (204, 196)),
        (2550, 3300, (0, 0), (300, 300)),
        (2550, 3300, (72, 72), (300, 300)),
        (1700, 2200, (200, 0), (200, 200)),
        (1, 1, (0, 0), (1, 1)),
    ],
)
def test_a_missing_or_absurd_resolution_is_guessed(
    width: int, height: int, given_dpi: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert believable_dpi(width, height, *given_dpi) == pytest.approx(expected, rel=0.01)


def test_a_resolution_per_centimetre_is_understood(tmp_path: Path) -> None:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[282], tags[283], tags[296] = 80.31, 38.58, 3
    page(size=(1728, 1000)).convert("1").save(
        tmp_path / "cm.tif", tiffinfo=tags, compression="group3"
    )
    only = here(tmp_path / "cm.tif", tmp_path).pages[0]
    assert (only.dpi_x, only.dpi_y) == pytest.approx((204, 98), rel=0.01)


def test_a_page_of_one_pixel_is_a_page(tmp_path: Path) -> None:
    Image.new("L", (1, 1), 255).save(tmp_path / "dot.png")
    assert len(here(tmp_path / "dot.png", tmp_path).pages) == 1


@given(data=st.binary(max_size=300))
def test_any_bytes_are_a_format_or_unsupported(data: bytes) -> None:
    try:
        assert media_type_of(data) in {*OPENERS, OFFICE}
    except UnsupportedFileError:
        assert not data.startswith((b"II*\x00", b"\xff\xd8\xff"))


@given(
    where=st.integers(0, 400), what=st.binary(min_size=1, max_size=8), kind=st.sampled_from("tp")
)
def test_a_few_broken_bytes_end_in_pages_or_in_a_coded_error(
    tmp_path_factory: pytest.TempPathFactory, where: int, what: bytes, kind: str
) -> None:
    folder = tmp_path_factory.mktemp("broken")
    if kind == "t":
        path = fax(folder / "fax.tif", pages=2)
    else:
        path = folder / "scan.png"
        page(3, (60, 160)).save(path)
    data = bytearray(path.read_bytes())
    at = where % len(data)
    data[at : at + len(what)] = what
    path.write_bytes(bytes(data))
    try:
        assert here(path, folder).pages
    except InputError as error:
        assert error.code
