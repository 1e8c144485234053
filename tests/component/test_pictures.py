# SPDX-License-Identifier: Apache-2.0
import json
from collections.abc import Iterator
from pathlib import Path

import layoutparser as lp
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from idp.cli import app
from idp.document import Box
from idp.errors import ExitCode
from idp.read.layout import from_layout
from tests.component.test_read import sheet
from tests.fabricate import Shelf, document

pytestmark = pytest.mark.component

BAD, WARN_FREE, VIOLET = (192, 39, 29), (11, 114, 133), (124, 58, 237)


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IDP_DATA", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()
    shelf = Shelf(tmp_path / "data")
    yield shelf
    shelf.store.close()


def idp_(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def like(image: Image.Image, x: float, y: float, colour: tuple[int, int, int]) -> bool:
    """Whether there is a pixel near that colour within three pixels of a place."""
    near = image.crop((round(x) - 3, round(y) - 3, round(x) + 4, round(y) + 4))
    return any(
        max(abs(a - b) for a, b in zip(pixel, colour, strict=True)) < 50
        for _, pixel in near.getcolors(1000) or ()
    )


def test_show_draws_a_picture_per_page_with_the_fields_where_they_stand(shelf: Shelf) -> None:
    document_id = shelf.put(document())
    assert idp_("show", document_id, "--overlay", "drawn").exit_code == ExitCode.OK
    [path] = Path("drawn").iterdir()
    assert path.name == f"{document_id[-8:]}-p1.png"
    with Image.open(path) as opened:
        image = opened.convert("RGB")
    assert image.width == 850
    assert 1100 < image.height < 1300, "the page, and a legend below it"
    # Frames of the patient's name (fine) and of the member id (held back by a rule).
    for box, colour in ((Box(0.1, 0.2, 0.4, 0.23), WARN_FREE), (Box(0.1, 0.3, 0.4, 0.33), BAD)):
        for x in (box.x0, box.x1):
            assert like(image, x * 850, box.cy * 1100, colour)
    assert not like(image, 0.45 * 850, 0.215 * 1100, WARN_FREE)


def test_layers_choose_what_is_drawn(shelf: Shelf) -> None:
    document_id = shelf.put(document())
    assert idp_("show", document_id, "--overlay", "w", "--layers", "words").exit_code == ExitCode.OK
    with Image.open(next(Path("w").iterdir())) as opened:
        image = opened.convert("RGB")
    assert not like(image, 0.1 * 850, 0.215 * 1100, WARN_FREE)
    assert like(image, 0.15 * 850, 0.12 * 1100, (26, 122, 76)), "a sure word is underlined"
    wrong = idp_("show", document_id, "--overlay", "w", "--layers", "words,wishes")
    assert wrong.exit_code == ExitCode.USAGE
    assert "wishes" in wrong.stderr


def test_a_folder_that_can_not_be_made_is_no_access_before_anything_is_read(
    shelf: Shelf, tmp_path: Path
) -> None:
    (tmp_path / "fax.tif").write_bytes(b"never opened")
    result = idp_("read", "--overlay", "/dev/null/pictures", tmp_path / "fax.tif")
    assert result.exit_code == ExitCode.NO_ACCESS


def test_read_draws_and_hands_on_what_it_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IDP_READ__WORKERS", "1")
    for folder in ("a", "b"):
        Path(folder).mkdir()
        sheet().save(f"{folder}/scan.png", dpi=(200, 200))
    result = idp_(
        "read", "--json", "--overlay", "pics", "--layout", "pages", "a/scan.png", "b/scan.png"
    )
    assert result.exit_code == ExitCode.OK, result.stderr
    printed = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(printed) == 2
    assert sorted(p.name for p in Path("pics").iterdir()) == [
        "scan.png-p1.png",
        "scan.png~2-p1.png",
    ]
    record = printed[0]
    with Image.open("pics/scan.png-p1.png") as opened:
        image = opened.convert("RGB")
    width, height = record["width_px"], record["height_px"]
    assert image.width == width
    assert image.height > height
    [ticked] = [mark for mark in record["marks"] if mark["state"] == "checked"]
    x0, y0, x1, y1 = ticked["box"]
    for x, y in ((x0, (y0 + y1) / 2), (x1, (y0 + y1) / 2)):
        assert like(image, x * width, y * height, VIOLET)
    page = from_layout(lp.load_json("pages/scan.png-p1.json"))
    assert page.model_dump(mode="json")["words"] == record["words"]
    assert [list(b.word_ids) for b in page.blocks] == [b["word_ids"] for b in record["blocks"]]
    title = record["blocks"][0]
    assert title["text"].startswith("REFERRAL REQUEST")
