# SPDX-License-Identifier: Apache-2.0
"""Synthetic documents on paper, and the roles of the words that are read from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from idp.document import Box, Grade, Page, Word
from training.faxes import Degraded, degrade
from training.labelled import read_labelled, write_labelled
from training.synthesise import draw_one
from training.synthesise.noise import Labelled
from training.synthesise.render import Sheet, labelled, on_paper


@pytest.fixture(scope="module")
def sent() -> tuple[Sheet, Degraded]:
    layout = draw_one("prior_auth_request", "heldout", 3, 0)
    sheet = on_paper(layout.canvas, layout.name, layout.split)[0]
    return sheet, degrade(sheet.drawn, "fine_dither", 0)


def page_of(words: list[tuple[str, Box]]) -> Page:
    return Page(
        number=1,
        width_px=1728,
        height_px=2200,
        dpi=200,
        skew_degrees=0.0,
        grade=Grade.GOOD,
        words=tuple(
            Word(id=i, text=text, confidence=0.9, box=box, line=i)
            for i, (text, box) in enumerate(words)
        ),
    )


def test_every_drawn_word_stands_on_the_paper(sent: tuple[Sheet, Degraded]) -> None:
    sheet, _ = sent
    assert [w.text for w in sheet.drawn.truth.words] == [w.text for w in sheet.words]


def test_the_same_name_gives_the_same_paper(sent: tuple[Sheet, Degraded]) -> None:
    layout = draw_one("prior_auth_request", "heldout", 3, 0)
    again = on_paper(layout.canvas, layout.name, layout.split)[0]
    assert again.drawn.truth == sent[0].drawn.truth


def test_words_never_run_into_each_other(sent: tuple[Sheet, Degraded]) -> None:
    sheet, _ = sent
    for a, b, one, two in zip(
        sheet.drawn.truth.words, sheet.drawn.truth.words[1:], sheet.words, sheet.words[1:],
        strict=False,
    ):  # fmt: skip
        if one.run == two.run and one.box.y0 == two.box.y0:
            assert a.box.x1 < b.box.x0


def test_a_word_that_is_read_has_the_role_of_what_was_drawn_there(
    sent: tuple[Sheet, Degraded],
) -> None:
    sheet, came = sent
    body = [w for w in came.upright.words if w.part == "body"]
    read = labelled(page_of([(w.text, w.box) for w in body]), sheet, came)
    assert read.roles == tuple(w.role for w in sheet.words)
    assert read.spans == tuple(w.span for w in sheet.words)


def test_the_fax_header_is_nobodys(sent: tuple[Sheet, Degraded]) -> None:
    sheet, came = sent
    header = [w for w in came.upright.words if w.part == "header"]
    assert header
    assert set(labelled(page_of([(w.text, w.box) for w in header]), sheet, came).roles) == {"O"}


def test_a_label_and_its_value_read_as_one_word_are_the_value(
    sent: tuple[Sheet, Degraded],
) -> None:
    sheet, came = sent
    body = [w for w in came.upright.words if w.part == "body"]
    place = next(
        i
        for i, (a, b) in enumerate(zip(sheet.words, sheet.words[1:], strict=False))
        if a.role == "LABEL" and b.role not in ("LABEL", "O", "TITLE") and a.box.y0 == b.box.y0
    )
    both = (body[place].text + body[place + 1].text, body[place].box.union(body[place + 1].box))
    assert labelled(page_of([both]), sheet, came).roles == (sheet.words[place + 1].role,)


def test_labelled_pages_come_back_as_they_were_written(tmp_path: Path) -> None:
    page = page_of([("Name:", Box(0.1, 0.1, 0.2, 0.12)), ("Ilse", Box(0.22, 0.1, 0.3, 0.12))])
    one = Labelled(page, ("LABEL", "NAME"), ("", "patient"), (0, 1))
    write_labelled(tmp_path / "a.json", [one])
    assert list(read_labelled(tmp_path)) == [("a", [one])]


def test_a_file_without_a_role_for_each_word_is_refused(tmp_path: Path) -> None:
    page = page_of([("Name:", Box(0.1, 0.1, 0.2, 0.12)), ("Ilse", Box(0.22, 0.1, 0.3, 0.12))])
    write_labelled(tmp_path / "a.json", [Labelled(page, ("LABEL",), ("",), (0,))])
    with pytest.raises(ValueError, match="role for each word"):
        list(read_labelled(tmp_path))
