# SPDX-License-Identifier: Apache-2.0
"""One script of ours is put into Label Studio's pages, where its own begin, and nowhere else."""

from __future__ import annotations

import asyncio
import logging

import httpx
import pytest

from idp.gate import proxy
from idp.gate.own_files import address_of
from idp.gate.proxy import _with_our_script

PAGE = b'<head></head><script id="app-settings"></script><script src="/react-app/runtime.js">'
OURS = f'<script src="{address_of("screen.js")}"></script>'.encode()


def through(content: bytes, kind: str = "text/html; charset=utf-8", status: int = 200) -> bytes:
    answer = httpx.Response(status, content=content, headers={"content-type": kind})
    return bytes(asyncio.run(_with_our_script(answer)).body)


def test_it_stands_after_the_settings_and_before_the_program() -> None:
    page = through(PAGE)
    assert page.count(OURS) == 1
    assert page.index(b"app-settings") < page.index(OURS) < page.index(b"/react-app/")


def test_nothing_else_is_touched() -> None:
    assert through(b'{"a": "<script src=\\"/react-app/"}', "application/json").count(OURS) == 0
    assert through(PAGE, status=404) == PAGE


def test_a_page_of_another_release_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger=proxy.__name__):
        assert through(b"<html></html>") == b"<html></html>"
    assert "1.23.2" in caplog.text


def test_the_policy_lets_only_scripts_of_this_host_in() -> None:
    rules = dict(
        each.strip().split(" ", 1) for each in proxy.LABEL_STUDIO_POLICY.split(";") if each.strip()
    )
    assert set(rules["script-src"].split()) == {"'self'", "'unsafe-inline'", "'unsafe-eval'"}
    assert rules["default-src"] == "'none'"
