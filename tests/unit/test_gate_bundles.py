# SPDX-License-Identifier: Apache-2.0
"""The gate's copies of Label Studio's program: bounded, compressed, told from what is not."""

from __future__ import annotations

import asyncio
import gzip

import pytest
from fastapi import Request

from idp.gate import bundles
from idp.gate.bundles import Bundles, answer_with

SCRIPT = b"const answer = 42;\n" * 500


def asked(**headers: str) -> Request:
    named = [(name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()]
    return Request({"type": "http", "method": "GET", "path": "/", "headers": named})


def test_a_script_is_compressed_for_who_takes_it() -> None:
    held = asyncio.run(Bundles().put("/a.js", "text/javascript", SCRIPT))
    packed = answer_with(held, asked(accept_encoding="gzip, br"), "/a.js")
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == SCRIPT
    plain = answer_with(held, asked(), "/a.js")
    assert plain.body == SCRIPT
    assert "content-encoding" not in plain.headers
    assert plain.headers["vary"] == "Accept-Encoding"


def test_who_has_it_is_told_so() -> None:
    held = asyncio.run(Bundles().put("/a.js", "text/javascript", SCRIPT))
    again = answer_with(held, asked(if_none_match=held.etag), "/a.js")
    assert (again.status_code, again.body) == (304, b"")


@pytest.mark.parametrize(
    ("target", "age"),
    [
        ("/react-app/main.js?v=df96d7", "31536000"),
        ("/static/js/jquery.min.e6c2415c0ace.js", "31536000"),
        ("/react-app/358.js", "43200"),
    ],
)
def test_only_what_is_named_by_its_content_is_kept_for_ever(target: str, age: str) -> None:
    held = asyncio.run(Bundles().put(target, "text/javascript", SCRIPT))
    assert f"max-age={age}" in answer_with(held, asked(), target).headers["cache-control"]


def test_the_oldest_goes_when_it_is_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundles, "MOST_BYTES", 250)
    held = Bundles()
    for name in "abc":
        asyncio.run(held.put(name, "image/png", bytes(100)))
    assert [name for name in "abc" if held.get(name)] == ["b", "c"]
    asyncio.run(held.put("b", "image/png", bytes(10)))
    assert held.get("c")


def test_an_old_one_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundles, "_KEPT_SECONDS", -1.0)
    held = Bundles()
    asyncio.run(held.put("a", "image/png", b"x"))
    assert held.get("a") is None
