# SPDX-License-Identifier: Apache-2.0
"""Text, HTML and RTF come out as pages whose text layer says what a person sees."""

from __future__ import annotations

import base64
import socket
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from idp.errors import EmptyMessageError, InputError, TooLargeError
from idp.ingest.opened import HTML, RTF, TEXT
from idp.ingest.typeset import has_columns, typeset
from idp.settings import IngestSettings
from tests.messages import picture_bytes
from tests.opening import LIMITS, names, opened, words

TABLE = """\
Code     Units   Billed    Paid
99213    1       120.00   64.40
99214    2       220.00  128.40
J1885    10       20.00    8.40
"""


def places(data: bytes, folder: Path) -> dict[str, tuple[float, float]]:
    """Left edge and base of each word on the first page."""
    page = opened(data, folder).pages[0]
    return {word.text: (word.box.x0, word.box.y1) for word in page.text_layer}


def test_words_of_a_text_file_are_on_the_page(tmp_path: Path) -> None:
    found = opened("Überweisung für Łucja Müller, “dringend” 80 €\n".encode(), tmp_path)
    assert words(found) == "Überweisung für Łucja Müller, “dringend” 80 €"
    pixels = np.asarray(Image.open(found.pages[0].path))
    assert 500 < int((pixels < 128).sum()) < 20_000


def test_text_in_other_encodings_is_read(tmp_path: Path) -> None:
    spelt = "Müller, naïve\n"
    for data in (
        spelt.encode("cp1252"),
        spelt.encode("utf-8-sig"),
        b"\xff\xfe" + spelt.encode("utf-16-le"),
    ):
        assert words(opened(data, tmp_path)) == "Müller, naïve"


def test_what_the_font_lacks_is_a_box_and_what_can_not_be_seen_is_gone(tmp_path: Path) -> None:
    text = "words a\u200bb\u202ec \u65e5 d\u00ade\n"
    assert words(opened(text.encode(), tmp_path)) == "words abc \u25a1 de"


def test_aligned_columns_stay_aligned(tmp_path: Path) -> None:
    at = places(("A note before the table, of one line.\n\n" + TABLE).encode(), tmp_path)
    for column in (("Code", "99213", "99214", "J1885"), ("Units", "1", "2", "10")):
        assert max(at[w][0] for w in column) - min(at[w][0] for w in column) < 0.006
    assert at["120.00"][0] < at["64.40"][0]
    assert at["99213"][1] == pytest.approx(at["64.40"][1], abs=0.003)


def test_only_aligned_text_has_columns() -> None:
    assert has_columns(TABLE.splitlines())
    assert not has_columns(["One sentence.  Another one.", "Words here too.  And more."])
    assert not has_columns(["    indented", "    also indented"])


def test_long_lines_are_wrapped_at_words_inside_the_margins(tmp_path: Path) -> None:
    text = " ".join(f"word{number}" for number in range(400)) + " " + "x" * 400
    found = opened(text.encode(), tmp_path)
    layer = found.pages[0].text_layer
    assert [w.text for w in layer[:400]] == [f"word{number}" for number in range(400)]
    assert sum(len(w.text) for w in layer[400:]) == 400
    assert max(w.box.x1 for w in layer) < 0.94


def test_many_lines_take_many_pages_and_none_is_lost(tmp_path: Path) -> None:
    text = "\n".join(f"line{number}" for number in range(300))
    found = opened(text.encode(), tmp_path)
    assert words(found).split() == [f"line{number}" for number in range(300)]
    assert len(found.pages) > 3
    with pytest.raises(TooLargeError):
        opened(text.encode(), tmp_path, IngestSettings(max_pages=3))


def test_a_form_feed_begins_a_page(tmp_path: Path) -> None:
    found = opened(b"first\n\fsecond\n\f\f\nthird", tmp_path)
    assert [[w.text for w in page.text_layer] for page in found.pages] == [
        ["first"],
        ["second"],
        ["third"],
    ]


def test_the_same_text_gives_the_same_bytes(tmp_path: Path) -> None:
    typeset(TABLE, tmp_path / "a.pdf", LIMITS)
    typeset(TABLE, tmp_path / "b.pdf", LIMITS)
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()


def test_html_is_read_for_its_words_with_its_tables(tmp_path: Path) -> None:
    html = b"""<!doctype html><html><head><meta charset="iso-8859-1"><style>p{}</style></head>
        <body><script>alert('no')</script><p>Dear M\xfcller,<br>please see
        <table><tr><th>Patient<th>Born<tr><td>Ann Example<td>02/01/1960</table></body></html>"""
    at = places(html, tmp_path)
    assert {"Müller,", "Patient", "02/01/1960"} <= set(at)
    assert "alert('no')" not in at
    assert at["Born"][0] == pytest.approx(at["02/01/1960"][0], abs=0.006)
    assert at["Patient"][1] < at["Ann"][1]


def test_nothing_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **more: object) -> None:
        raise AssertionError("something asked the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    html = b"""<!DOCTYPE html SYSTEM "http://example.org/x.dtd"><html><head>
        <link rel=stylesheet href="http://example.org/x.css"></head><body background="//e.org/b">
        <img src="http://example.org/pixel.png"><iframe src="http://example.org/"></iframe>
        <p>Words</p></body></html>"""
    assert "Words" in words(opened(html, tmp_path))


def test_a_page_inside_html_is_a_member_and_a_logo_is_named(tmp_path: Path) -> None:
    page = base64.b64encode(picture_bytes((900, 1200)))
    logo = base64.b64encode(picture_bytes((40, 20)))
    html = (
        b"<html><p>Words<img src='data:image/png;base64," + page + b"'>"
        b'<img src="data:image/png;base64,' + logo + b'"></html>'
    )
    found = opened(html, tmp_path)
    assert names(found) == ["picture 1"]
    assert found.left_out == ("picture 2: a picture of 40 x 20 pixels in the text",)
    assert words(found) == "Words"


def test_rtf_is_read_with_its_characters_and_pictures(tmp_path: Path) -> None:
    picture = picture_bytes((900, 1200)).hex().encode()
    rtf = (
        rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}}\f0 M\'fcller \u8364? paid\par Next"
        rb"{\*\shppict{\pict{\*\picprop\shplid1}\pngblip\picw900 " + picture + b"}}"
        rb"{\pict\wmetafile8 0100}}"
    )
    found = opened(rtf, tmp_path)
    assert words(found) == "Müller € paid Next"
    assert names(found) == ["picture 1"]
    assert found.left_out == ("picture 2: a picture in the text that can't be shown",)


@pytest.mark.parametrize(("data", "kind"), [(b"<html><p></html>", HTML), (rb"{\rtf1 }", RTF)])
def test_no_word_is_an_empty_message(tmp_path: Path, data: bytes, kind: str) -> None:
    with pytest.raises(EmptyMessageError):
        opened(data, tmp_path, media_type=kind)


def test_text_without_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TooLargeError):
        opened(b"words of a text\n" * 700_000, tmp_path)
    with pytest.raises(TooLargeError):
        opened(b"<html>" + b"<p>words of a text\n" * 700_000, tmp_path)


def test_deeply_nested_html_does_not_break_the_parser(tmp_path: Path) -> None:
    data = b"<html>" + b"<div><table><tr><td>" * 3000 + b"words"
    assert "words" in words(opened(data, tmp_path))


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.one_of(
        st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.lists(
            st.sampled_from(
                [b"<table>", b"<td colspan=9999>", b"</p>", b"<ul><li>", b"{\\rtf1", b"\\pict",
                 b"\\bin99 ", b"\\u-1?", b"\\'e9", b"}", b"{", b"&#x110000;", b"words ", b"\x00",
                 b"<!--", b"<pre>\t"]
            )
        ).map(b"".join),
    ),
    st.sampled_from([TEXT, HTML, RTF]),
)  # fmt: skip
def test_no_bytes_make_an_opener_of_text_raise_anything_but_a_coded_error(
    tmp_path: Path, data: bytes, kind: str
) -> None:
    try:
        opened(data or b"x", tmp_path, LIMITS, kind)
    except InputError:
        return
