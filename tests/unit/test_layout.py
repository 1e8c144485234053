# SPDX-License-Identifier: Apache-2.0
import json
from pathlib import Path
from typing import Any

import layoutparser as lp
import numpy as np
import pytest
from layoutparser.models.base_layoutmodel import BaseLayoutModel

from idp.document import Barcode, Block, Box, Mark, Page
from idp.errors import MissingDependencyError, SettingsError
from idp.read.blocks import find_blocks, group_blocks
from idp.read.layout import (
    GroupingLayoutModel,
    check_detector,
    from_layout,
    load_detector,
    to_layout,
    write_layout,
)
from tests.printed import HEIGHT, WIDTH, Sheet


def page() -> Page:
    """A page with a title, two columns, a ruled form, marks, a barcode and pen strokes."""
    sheet = Sheet()
    sheet.line(500, 100, "Prior Authorization", 44)
    sheet.prose(100, 250, 680, 8)
    sheet.prose(900, 250, 680, 8)
    for column in range(2):
        sheet.frame(100 + 600 * column, 800, 598, 80)
        sheet.line(110 + 600 * column, 810, "Name: Jo Reyes")
    made, _ = sheet.page()
    made = made.model_copy(
        update={
            "marks": (
                Mark(state="checked", box=Box(0.1, 0.5, 0.12, 0.52), label="Urgent"),
                Mark(state="unchecked", box=Box(0.2, 0.5, 0.22, 0.52), confidence=0.7),
            ),
            "barcodes": (
                Barcode(text="A-1", symbology="Code128", box=Box(0.5, 0.8, 0.7, 0.84)),
                Barcode(text="", symbology="QR", box=Box(0.1, 0.8, 0.2, 0.9), complete=False),
            ),
            "rotation": 90,
            "skew_degrees": -1.25,
            "model_versions": {"read": "1"},
        }
    )
    ink = Block(kind="ink", box=Box(0.3, 0.9, 0.6, 0.95), confidence=0.8)
    return made.model_copy(update={"blocks": (*group_blocks(made), ink)})


def test_a_page_comes_back_from_its_layout_as_it_was() -> None:
    assert from_layout(to_layout(page())) == page()


def test_a_page_comes_back_from_the_file_that_layoutparser_loads(tmp_path: Path) -> None:
    write_layout(page(), tmp_path / "page.json")
    assert from_layout(lp.load_json(str(tmp_path / "page.json"))) == page()


def test_a_page_comes_back_from_a_data_frame_and_its_page_data() -> None:
    layout = to_layout(page())
    data = layout.page_data
    again = lp.Layout(list(lp.load_dataframe(layout.to_dataframe())), page_data=data)
    assert from_layout(again) == page()


def test_a_page_of_an_older_version_comes_back_too() -> None:
    old = page().model_copy(
        update={"blocks": tuple(b.model_copy(update={"word_ids": ()}) for b in page().blocks)}
    )
    layout = to_layout(old)
    assert from_layout(layout) == old
    assert len([e for e in layout if e.type == "word"]) == len(old.words)


def test_a_layout_without_a_page_is_refused() -> None:
    with pytest.raises(ValueError, match=r"idp\.layout/1"):
        from_layout(lp.Layout([]))


def test_words_lead_to_their_lines_and_lines_to_their_blocks() -> None:
    layout = to_layout(page())
    elements = {element.id: element for element in layout}
    assert len(elements) == len(layout)
    words = [element for element in layout if element.type == "word"]
    assert len(words) == len(page().words)
    for word in words:
        line = elements[word.parent]
        assert line.type == "line"
        assert word.text in line.text
        assert line.text in elements[line.parent].text


def test_next_leads_through_all_words_in_reading_order() -> None:
    layout = to_layout(page())
    elements = {element.id: element for element in layout}
    at = next(element for element in layout if element.type == "word")
    seen = [at.id]
    while at.next is not None:
        at = elements[at.next]
        seen.append(at.id)
    assert seen == [i for block in page().blocks for i in block.word_ids]


def test_coordinates_are_pixels_so_that_layoutparser_can_crop_and_filter() -> None:
    layout = to_layout(page())
    title = next(element for element in layout if element.type == "title")
    assert title.text == "Prior Authorization"
    assert title.coordinates[0] == pytest.approx(500, abs=1)
    within = layout.filter_by(title, center=True)
    assert [e.text for e in within if e.type == "word"] == ["Prior", "Authorization"]
    image = np.zeros((HEIGHT, WIDTH), np.uint8)
    assert title.crop_image(image).shape[0] == pytest.approx(44, abs=2)


def test_every_layout_is_plain_json() -> None:
    assert json.loads(json.dumps(to_layout(page()).to_dict()))["page_data"]["width"] == WIDTH


def test_the_grouping_stands_behind_layoutparsers_port() -> None:
    model = GroupingLayoutModel()
    assert isinstance(model, BaseLayoutModel)
    bare = page().model_copy(update={"blocks": ()})
    kinds = [e.type for e in model.detect(bare) if e.type in ("title", "text", "form", "table")]
    assert kinds == [block.kind for block in page().blocks if block.kind != "ink"]


class Halves(BaseLayoutModel):  # type: ignore[misc]
    """Calls the upper half of a page a list, and a place without words a figure."""

    DEPENDENCIES: tuple[str, ...] = ()
    DETECTOR_NAME = "halves"
    MODEL_CATALOG: dict[str, dict[str, str]] = {}  # noqa: RUF012

    def image_loader(self, image: Any) -> Any:
        return image

    def detect(self, image: Any) -> Any:
        height, width, _ = self.image_loader(image).shape
        return lp.Layout(
            [
                lp.TextBlock(lp.Rectangle(0, 0, width, height / 4), type="List", score=0.9),
                lp.TextBlock(
                    lp.Rectangle(0, 0.9 * height, width, height), type="Figure", score=0.8
                ),
            ]
        )


def test_a_layout_model_names_the_blocks_that_its_regions_hold_and_leaves_the_order() -> None:
    bare = page().model_copy(update={"blocks": ()})
    image = np.full((HEIGHT, WIDTH), 255, np.uint8)
    plain = find_blocks(bare, image)
    found = find_blocks(bare, image, "tests.unit.test_layout:Halves")
    assert [b.word_ids for b in found[:-1]] == [b.word_ids for b in plain]
    assert {b.kind for b in found if b.word_ids and b.box.y1 < 0.25} == {"list"}
    assert [b.kind for b in found if b.box.y0 > 0.3 and b.word_ids] == [
        b.kind for b in plain if b.box.y0 > 0.3
    ]
    assert found[-1].kind == "figure"


def test_a_layout_model_is_loaded_once() -> None:
    name = "tests.unit.test_layout:Halves"
    assert load_detector(name) is load_detector(name)


def test_a_layout_model_whose_backend_is_missing_says_what_to_install() -> None:
    with pytest.raises(MissingDependencyError, match="detectron2"):
        check_detector("lp://detectron2/PubLayNet/faster_rcnn_R_50_FPN_3x")
    with pytest.raises(MissingDependencyError, match="nowhere"):
        check_detector("nowhere.to.be.found:Model")


@pytest.mark.parametrize("name", ["lp://nonsense/x", "PubLayNet", "pathlib:Path", "pathlib:Lost"])
def test_a_name_that_is_no_layout_model_is_a_fault_of_the_settings(name: str) -> None:
    with pytest.raises(SettingsError, match=r"read\.layout_model"):
        check_detector(name)
