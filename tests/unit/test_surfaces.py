# SPDX-License-Identifier: Apache-2.0
import hashlib
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from idp.deliver import draw_overlay
from idp.deliver.outbox import _folder_name
from idp.document import Box
from idp.serve.guard import _host_name
from idp.serve.view import TONES, document_view, state_groups, with_code
from idp.settings import DecisionSettings
from idp.store import State
from tests.fabricate import document, field, page

SIDES = st.floats(0, 1)


@given(st.text(max_size=400))
def test_any_key_is_one_plain_visible_folder_name(key: str) -> None:
    name = _folder_name(key)
    assert name == Path(name).name
    assert not name.startswith(".")
    assert len(name) <= 100
    assert name.isascii()


@given(st.text(max_size=60), st.text(max_size=60))
def test_two_keys_never_share_a_folder(one: str, other: str) -> None:
    assert (_folder_name(one) == _folder_name(other)) == (one == other)


@given(st.text(max_size=80))
def test_no_host_header_makes_the_guard_fail(header: str) -> None:
    assert isinstance(_host_name(header), str)


@given(st.text(max_size=80))
def test_no_hint_brings_markup_of_its_own(hint: str) -> None:
    shown = str(with_code(hint)).replace("<code>", "").replace("</code>", "")
    assert "<" not in shown
    assert ">" not in shown


def test_every_state_has_a_tone_and_a_place_on_the_overview() -> None:
    shown = [tile.state for group in state_groups({}) for tile in group.tiles]
    assert sorted(shown) == sorted(State)
    assert set(TONES) == set(State)


@given(st.tuples(SIDES, SIDES, SIDES, SIDES))
def test_a_frame_keeps_the_place_of_its_box(sides: tuple[float, float, float, float]) -> None:
    x0, x1 = sorted(sides[:2])
    y0, y1 = sorted(sides[2:])
    found = document(fields=(field("patient_name", "A", box=Box(x0, y0, x1, y1)),))
    view = document_view(found, [page()], None, DecisionSettings())
    (frame,) = view.pages[0].frames
    assert abs(frame.x + frame.width / 2 - 1000 * (x0 + x1) / 2) < 0.2
    assert abs(frame.y + frame.height / 2 - view.pages[0].height * (y0 + y1) / 2) < 1.5


def test_boxes_at_the_edges_and_many_fields_can_be_drawn(tmp_path: Path) -> None:
    Image.new("1", (300, 200), 1).save(tmp_path / "page.png")
    boxes = (Box(0, 0, 1, 1), Box(0, 0, 0, 0), Box(1, 1, 1, 1), Box(0, 0.99, 0.01, 1))
    fields = tuple(field("reason", "word " * 200, box=box) for box in boxes * 40)
    digests = set()
    for name in ("one.pdf", "two.pdf"):
        draw_overlay(document(fields=fields), {1: tmp_path / "page.png"}, tmp_path / name)
        digests.add(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
    assert len(digests) == 1, "the same document gives the same bytes"
