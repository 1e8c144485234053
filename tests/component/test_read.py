# SPDX-License-Identifier: Apache-2.0
"""The real reader on pages drawn here: every fax resolution, every turn, blank and broken pages."""

from __future__ import annotations

import importlib.metadata
import shutil
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import pytest
from PIL import Image, ImageDraw, ImageFont
from reportlab.pdfgen.canvas import Canvas

from idp.document import Grade, Page, RawPage
from idp.errors import DamagedFileError, ModelError, ParserCrashedError, TooSlowError
from idp.ingest import unpack
from idp.read import Reader, weights
from idp.read.weights import Weights, prepare
from idp.settings import IngestSettings, ReadSettings

pytestmark = pytest.mark.component

LINES = (
    "REFERRAL REQUEST",
    "Patient Name: Marisol Quillfeather",
    "Date of Birth: 07/22/1968   Member ID: W80019914",
    "Referring Provider: Devon R. Abernathy, MD",
    "NPI: 1847263500   Phone: (512) 555-0166",
    "Diagnosis: M54.50 Low back pain, unspecified",
    "Please evaluate and treat. The patient has had",
    "six weeks of physical therapy without relief.",
)
VALUES = ("Quillfeather", "07/22/1968", "W80019914", "Abernathy", "1847263500", "M54.50")


def sheet() -> Image.Image:
    """A letter page of 200 dpi with printed lines and two check boxes."""
    page = Image.new("L", (1700, 2200), 255)
    pen = ImageDraw.Draw(page)
    font = ImageFont.load_default(size=34)
    for i, line in enumerate(LINES):
        pen.text((180, 220 + 90 * i), line, fill=0, font=font)
    for x, label in ((180, "Routine"), (500, "Urgent")):
        pen.rectangle((x, 1000, x + 28, 1028), outline=0, width=3)
        pen.text((x + 44, 992), label, fill=0, font=font)
    pen.line((504, 1004, 524, 1024), fill=0, width=4)
    pen.line((524, 1004, 504, 1024), fill=0, width=4)
    return page


def fax_of(page: Image.Image, path: Path, dpi_y: int) -> Path:
    """The page as a 1-bit G4 fax of 204 dots per inch across and ``dpi_y`` down."""
    size = (1734, round(page.height * dpi_y / 200))
    fax = page.resize(size, Image.Resampling.LANCZOS).convert("1")
    fax.save(path, compression="group4", dpi=(204, dpi_y))
    return path


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def reader(models: Path) -> Iterator[Reader]:
    with Reader(ReadSettings(workers=1), models) as reader:
        yield reader


def read(reader: Reader, path: Path, workspace: Path) -> Page:
    return reader.read(unpack(path, workspace, IngestSettings()).pages, workspace)[0]


def found(page: Page) -> int:
    text = "".join(word.text for word in page.words)
    return sum(value in text for value in VALUES)


@pytest.mark.parametrize("dpi_y", [98, 196, 391])
def test_a_fax_of_any_density_is_read_with_square_pixels(
    reader: Reader, tmp_path: Path, dpi_y: int
) -> None:
    page = read(reader, fax_of(sheet(), tmp_path / "fax.tif", dpi_y), tmp_path)
    assert page.width_px == 1734
    assert page.height_px == pytest.approx(2244, abs=12)
    assert found(page) >= (5 if dpi_y == 98 else 6)
    assert [mark.state for mark in page.marks] == ["unchecked", "checked"]
    assert page.image is not None
    with Image.open(page.image) as image:
        assert image.size == (page.width_px, page.height_px)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_turned_page_is_set_upright(reader: Reader, tmp_path: Path, degrees: int) -> None:
    sheet().rotate(-degrees, expand=True).save(tmp_path / "turned.png", dpi=(200, 200))
    page = read(reader, tmp_path / "turned.png", tmp_path)
    assert page.rotation == degrees
    assert found(page) == 6
    assert (page.width_px, page.height_px) == (1700, 2200)
    name = next(word for word in page.words if word.text == "Quillfeather")
    assert name.box.cy == pytest.approx((220 + 90 + 20) / 2200, abs=0.01)


def test_a_page_lying_askew_is_straightened_and_boxes_are_those_of_the_straight_page(
    reader: Reader, tmp_path: Path
) -> None:
    sheet().rotate(2.5, fillcolor=255).save(tmp_path / "askew.png", dpi=(200, 200))
    page = read(reader, tmp_path / "askew.png", tmp_path)
    assert page.skew_degrees == pytest.approx(-2.5, abs=0.2)
    row = [w.box.cy for w in page.words if w.text in ("Patient", "Quillfeather")]
    assert max(row) - min(row) < 0.006
    assert found(page) == 6


def test_words_come_in_reading_order_with_confidences_and_the_right_labels(
    reader: Reader, tmp_path: Path
) -> None:
    sheet().save(tmp_path / "scan.png", dpi=(200, 200))
    page = read(reader, tmp_path / "scan.png", tmp_path)
    assert page.text.splitlines()[:2] == ["REFERRAL REQUEST", "Patient Name: Marisol Quillfeather"]
    assert [word.id for word in page.words] == list(range(len(page.words)))
    assert all(0.5 < word.confidence <= 1 for word in page.words)
    assert [(m.label, m.state) for m in page.marks] == [
        ("Routine", "unchecked"),
        ("Urgent", "checked"),
    ]
    assert page.grade is Grade.GOOD
    assert page.words_source == "ocr"
    assert any("REFERRAL REQUEST" in block.text for block in page.blocks)
    assert page.model_versions == reader.versions
    assert page.image is not None
    with Image.open(page.image) as image:
        assert image.size == (page.width_px, page.height_px)


def test_blank_tiny_and_black_pages_have_no_words_and_break_nothing(
    reader: Reader, tmp_path: Path
) -> None:
    for size, shade in (((1700, 2200), 255), ((1, 1), 255), ((1, 1), 0), ((300, 40), 0)):
        Image.new("L", size, shade).save(tmp_path / "odd.png")
        page = read(reader, tmp_path / "odd.png", tmp_path)
        assert page.words == ()
        assert page.marks == ()
        assert page.grade is Grade.GOOD


def pdf(path: Path, drawn: str, hidden: str | None = None) -> Path:
    canvas = Canvas(str(path), pagesize=(612, 792))
    canvas.setFont("Helvetica", 14)
    canvas.drawString(72, 700, drawn)
    if hidden is not None:
        text = canvas.beginText(72, 600)
        text.setFont("Helvetica", 14)
        text.setTextRenderMode(3)
        text.textLine(hidden)
        canvas.drawText(text)
    canvas.save()
    return path


def test_a_born_digital_page_takes_its_spelling_from_the_text_layer(
    reader: Reader, tmp_path: Path
) -> None:
    page = read(reader, pdf(tmp_path / "letter.pdf", "Member ID O0417 for Quillfeather"), tmp_path)
    assert page.words_source == "text_layer"
    assert page.text == "Member ID O0417 for Quillfeather"


def test_words_hidden_in_a_text_layer_are_not_read(reader: Reader, tmp_path: Path) -> None:
    path = pdf(tmp_path / "trap.pdf", "Request denied", hidden="Request approved by the plan")
    assert read(reader, path, tmp_path).text == "Request denied"


def test_a_scan_with_a_wrong_text_layer_says_what_is_seen(reader: Reader, tmp_path: Path) -> None:
    sheet().save(tmp_path / "scan.png")
    canvas = Canvas(str(tmp_path / "lie.pdf"), pagesize=(612, 792))
    canvas.drawImage(str(tmp_path / "scan.png"), 0, 0, 612, 792)
    text = canvas.beginText(72, 792 - 72 * 335 / 200)
    text.setFont("Helvetica", 12)
    text.setTextRenderMode(3)
    text.textLine("Patient Name: Somebody Else")
    canvas.drawText(text)
    canvas.save()
    page = read(reader, tmp_path / "lie.pdf", tmp_path)
    assert "Quillfeather" in page.text
    assert "Else" not in page.text


def test_a_missing_raster_is_damaged_and_the_reader_goes_on(reader: Reader, tmp_path: Path) -> None:
    gone = RawPage(number=1, path=str(tmp_path / "gone.png"), dpi_x=200, dpi_y=200)
    with pytest.raises(DamagedFileError):
        reader.read([gone], tmp_path)
    sheet().save(tmp_path / "scan.png", dpi=(200, 200))
    assert found(read(reader, tmp_path / "scan.png", tmp_path)) == 6


def test_a_page_that_takes_too_long_is_given_up(models: Path, tmp_path: Path) -> None:
    sheet().save(tmp_path / "scan.png", dpi=(200, 200))
    raw = RawPage(number=1, path=str(tmp_path / "scan.png"), dpi_x=200, dpi_y=200)
    hurried = ReadSettings(workers=1, page_seconds=0.2)
    with Reader(hurried, models) as reader, pytest.raises(TooSlowError):
        reader.read([raw], tmp_path)


def test_a_page_that_needs_too_much_memory_is_given_up(models: Path, tmp_path: Path) -> None:
    sheet().save(tmp_path / "scan.png", dpi=(200, 200))
    raw = RawPage(number=1, path=str(tmp_path / "scan.png"), dpi_x=200, dpi_y=200)
    # Less than the model runtime itself needs; the setting's own bound is higher.
    starved = ReadSettings(workers=1).model_copy(update={"page_memory_mb": 120})
    with Reader(starved, models) as reader, pytest.raises(ParserCrashedError, match="120 MB"):
        reader.read([raw], tmp_path)


def test_the_models_are_built_once_and_mended_when_their_bits_rot(tmp_path: Path) -> None:
    first = prepare(tmp_path)
    model = first.thorough / "inference.onnx"
    built = model.stat().st_mtime_ns
    assert prepare(tmp_path) == first
    assert model.stat().st_mtime_ns == built
    data = bytearray(model.read_bytes())
    data[1000] ^= 0xFF
    model.write_bytes(bytes(data))
    assert prepare(tmp_path) == first
    assert bytes(data) != model.read_bytes()
    assert not list(tmp_path.glob(".*"))


def test_models_go_to_the_users_cache_where_the_installation_is_read_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    blocked = tmp_path / "models"
    blocked.write_text("a file where a folder should be")
    with Reader(ReadSettings(workers=1), blocked) as reader:
        assert "text_recognition" in reader.versions
    assert list((tmp_path / "home" / "idp").glob("read-tiny-*/manifest.json"))


def test_weights_of_unknown_origin_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = weights.RECOGNITION["small"]
    other = weights.Source("rapidocr", "rapidocr", small.path, "0" * 64)
    monkeypatch.setitem(weights.RECOGNITION, "small", other)
    with pytest.raises(ModelError, match="sha256"):
        prepare(tmp_path)


def test_a_shipped_model_that_is_not_the_manifests_is_refused(tmp_path: Path) -> None:
    shipped = tmp_path / "reading"
    shutil.copytree(weights.SHIPPED, shipped)
    with (shipped / weights.QUICK).open("ab") as stream:
        stream.write(b"x")
    with pytest.raises(ModelError, match="sha256"):
        prepare(tmp_path / "cache", shipped=shipped)
    (shipped / weights.QUICK).unlink()
    with pytest.raises(ModelError, match="missing"):
        prepare(tmp_path / "cache", shipped=shipped)


def test_cutting_the_recogniser_down_to_latin_changes_no_latin_score(tmp_path: Path) -> None:
    def run(path: Path, line: np.ndarray) -> np.ndarray:
        session = onnxruntime.InferenceSession(str(path))
        (scores,) = session.run(None, {session.get_inputs()[0].name: line})
        return np.asarray(scores)[0]

    prepared: Weights = prepare(tmp_path)
    source = weights.RECOGNITION["small"]
    package = Path(str(importlib.metadata.distribution("rapidocr").locate_file(source.package)))
    page = np.asarray(sheet())
    for i in range(len(LINES)):
        crop = page[220 + 90 * i - 8 : 220 + 90 * i + 50, 160:1200]
        line = cv2.resize(crop, (860, 48)).astype(np.float32) / 127.5 - 1
        line = np.repeat(line[None, None], 3, axis=1)
        whole = run(package / source.path, line)
        cut = run(prepared.thorough / "inference.onnx", line)
        assert cut.shape[1] < 200 < whole.shape[1]
        # Every place where the whole model saw a kept class, the cut one sees the same.
        assert np.array_equal(whole.max(axis=1) > 0.5, cut.max(axis=1) > 0.5)
        assert np.allclose(whole.max(axis=1), cut.max(axis=1), atol=0.02)
