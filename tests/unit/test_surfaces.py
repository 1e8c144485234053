# SPDX-License-Identifier: Apache-2.0
import hashlib
import io
from decimal import Decimal
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from rich.console import Console

from idp.cli.render_remittance import remittance
from idp.deliver import draw_overlay
from idp.deliver.outbox import _folder_name
from idp.document import Box, Claim, Imbalance, ReasonGroup, RemittanceSummary
from idp.gate.guard import _host_name
from idp.serve.view import TONES, document_view, state_groups, with_code
from idp.serve.waterfall import WIDTH, waterfall
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


def test_the_bars_of_a_remittance_lead_from_billed_to_the_payment() -> None:
    summary = RemittanceSummary(
        claims=2,
        billed=Decimal(300),
        adjusted=Decimal(100),
        patient=Decimal(20),
        paid=Decimal(180),
        provider_adjusted=Decimal(-10),
        payment=Decimal(190),
        left_over=Decimal(0),
        balanced=True,
    )
    bars = waterfall(summary)
    assert [(bar.title, bar.amount, bar.kind) for bar in bars] == [
        ("Billed", Decimal(300), "whole"),
        ("Adjustments", Decimal(-100), "taken"),
        ("Patient's share", Decimal(-20), "taken"),
        ("Claims pay", Decimal(180), "whole"),
        ("Provider adjustments", Decimal(10), "given"),
        ("Payment", Decimal(190), "whole"),
    ]
    off = summary.model_copy(update={"payment": Decimal(150), "balanced": False})
    assert ("Not explained", Decimal(-40), "wrong") in [
        (bar.title, bar.amount, bar.kind) for bar in waterfall(off)
    ]


AMOUNTS = st.one_of(st.none(), st.decimals(-(10**6), 10**6, places=2))


@given(st.tuples(*[AMOUNTS] * 7), st.sampled_from([True, False, None]))
def test_every_summary_can_be_drawn_inside_its_picture(
    amounts: tuple[Decimal | None, ...], balanced: bool | None
) -> None:
    names = ("billed", "adjusted", "patient", "paid", "provider_adjusted", "payment", "left_over")
    summary = RemittanceSummary(
        claims=1, balanced=balanced, **dict(zip(names, amounts, strict=True))
    )
    for bar in waterfall(summary):
        assert 0 <= bar.x <= WIDTH
        assert bar.x + bar.width <= WIDTH + 2
        assert 0 <= bar.join <= WIDTH


def test_a_remittance_is_told_at_the_terminal_with_what_is_off_and_its_denials() -> None:
    off = Imbalance(
        rule="R1",
        claim=1,
        line=2,
        name="paid",
        expected=Decimal("78.40"),
        said=Decimal("79.40"),
        culprit="claims.1.lines.2.paid",
        proposed=Decimal("78.40"),
    )
    reason = ReasonGroup(
        group="CO",
        reason="197",
        category="authorization",
        title="Authorization absent",
        denial=True,
        queue="denials_authorization",
        claims=1,
        amount=Decimal("460.00"),
    )
    summary = RemittanceSummary(
        claims=1,
        denied=("C[2]",),
        billed=Decimal(700),
        paid=Decimal(200),
        balanced=False,
        checked=9,
        imbalances=(off,),
        reasons=(reason,),
    )
    found = document().model_copy(
        update={"claims": (Claim(claim_number="C1"),), "remittance": summary}
    )
    console = Console(file=io.StringIO(), width=160)
    remittance(console, found)
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert "does not balance" in text
    assert "look at  claims 1 lines 2 paid first: 78.40 would make it balance" in text
    assert "CO-197" in text
    assert "denials_authorization" in text
    assert "C[2]" in text
