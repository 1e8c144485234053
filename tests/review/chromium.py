# SPDX-License-Identifier: Apache-2.0
"""A reviewer before a real browser: comes in through the gate, types, and counts the keys."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SHOTS = os.environ.get("IDP_REVIEW_SHOTS")
"""Folder for pictures of the screens, to be looked at."""
_FAR = 6
"""So many letters are gone over one by one."""
WAIT_MS = 90_000
SEND = "[data-testid=bottombar-submit-button], [data-testid=bottombar-update-button]"

READY = f"""() => {{
  const focus = document.activeElement;
  const image = document.querySelector('.rv-doc img');
  const canvas = document.querySelector('.rv-doc canvas');
  const filled = window.Htx?.annotationStore?.selected?.results?.length > 0;
  return filled && document.querySelector('.rv-form .sum') !== null && image?.complete
    && image.naturalWidth > 1 && canvas !== null && canvas.width > 1
    && (focus.closest('.rv-form') !== null || focus.matches('{SEND}'));
}}"""
"""The page is drawn, the form is there and filled, and the focus is where one begins to type."""

_FOCUS = f"""() => {{
  const at = document.activeElement;
  if (at.matches('{SEND}')) return {{name: 'submit', place: 0, value: ''}};
  const field = at.closest('.f, .d');
  if (!field) return {{name: '', place: 0, value: ''}};
  const all = [...field.querySelectorAll('[data-testid="textarea-region"] input, ' +
    '[data-testid="textarea-region"] textarea, [data-testid="htx-textbox-input"]')];
  const own = [...new Set(all)];
  const options = [...field.querySelectorAll('.f-t input[type=checkbox]')];
  return {{
    name: field.id.replace(/^f-/, ''),
    place: Math.max(0, own.indexOf(at)),
    value: at.type === 'checkbox'
      ? options.filter(each => each.checked).map(each => each.name).join('; ') : at.value,
    options: options.map(each => each.name),
  }};
}}"""


def program() -> str | None:
    """Where a Chromium is; none: it or playwright is missing."""
    try:
        import playwright.sync_api  # noqa: F401, PLC0415 - may be missing
    except ImportError:
        return None
    return next((found for name in NAMES if (found := shutil.which(name))), None)


@contextmanager
def browser() -> Iterator[Any]:
    """A browser; the test is skipped, or fails where all is required, when there is none."""
    found = program()
    if found is None:
        if os.environ.get("IDP_REQUIRE_ALL"):
            pytest.fail("Chromium and playwright are needed")
        pytest.skip("needs Chromium and playwright")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - may be missing

    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=found, args=["--no-sandbox"])
        try:
            yield opened
        finally:
            opened.close()


class Reviewer:
    """One person with one window. Every key is counted, each of a chord by itself."""

    def __init__(self, window: Any, url: str) -> None:
        self.page = window.new_page()
        self.page.set_viewport_size({"width": 1440, "height": 900})
        self.page.set_default_timeout(WAIT_MS)
        self.keys = 0
        self.shown = ""
        """Id of the document on the screen."""
        self.elsewhere: list[str] = []
        self.dialogs: list[str] = []
        self._url = url
        self._measure = self.page.context.new_cdp_session(self.page)
        self._measure.send("Performance.enable")
        self.page.on("response", self._note)
        self.page.on("request", self._request)
        self.page.on("dialog", self._dialog)

    def come_in(self, name: str, password: str) -> None:
        """Sign in at the gate."""
        self.page.goto(f"{self._url}/gate/")
        self.page.fill("#name", name)
        self.page.fill("#password", password)
        self.page.press("#password", "Enter")
        self.page.wait_for_url(f"{self._url}/gate/")

    def look_at_queues(self) -> None:
        """The gate's own page, where the queues are listed."""
        self.page.goto(f"{self._url}/gate/")

    def open_queue(self, project: int) -> float:
        """Open the next document of a queue; seconds until one can begin to type."""
        start = time.monotonic()
        self.page.goto(f"{self._url}/projects/{project}/data?labeling=1", wait_until="commit")
        return self._ready_since(start)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            self.keys += len(key.split("+"))

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)
        self.keys += len(text)

    def replace(self, before: str, after: str) -> None:
        """Turn what stands in the input into something else, in few keys."""
        steps = [
            step
            for step in SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
            if step[0] != "equal"
        ][::-1]
        if not after:
            self.press("Delete")
        elif _keys_for(before, steps) >= len(after):
            # The focus came with everything marked.
            self.type(after)
        else:
            self.press("Control+End")
            at = len(before)
            for _, start, end, first, last in steps:
                self._left(at - end)
                self._erase(end - start)
                self.type(after[first:last])
                at = start + last - first

    def _left(self, distance: int) -> None:
        """Move the caret to the left, over whole words while that is far."""
        while distance > _FAR:
            before = self._input()[1]
            self.press("Control+ArrowLeft")
            moved = before - self._input()[1]
            assert moved, f"the caret stands still: {self.focus()['name']}"
            distance -= moved
        self.press(*["ArrowLeft" if distance > 0 else "ArrowRight"] * abs(distance))

    def _erase(self, letters: int) -> None:
        """Erase to the left, whole words while there is much; what was too much is typed again."""
        while letters > _FAR:
            text, caret = self._input()
            self.press("Control+Backspace")
            erased = caret - self._input()[1]
            assert erased, "nothing is erased"
            if erased > letters:
                self.type(text[caret - erased : caret - letters])
            letters -= min(erased, letters)
        self.press(*["Backspace"] * letters)

    def _input(self) -> tuple[str, int]:
        """What stands in the input, and where the caret is."""
        text, caret = self.page.evaluate(
            "() => [document.activeElement.value, document.activeElement.selectionStart]"
        )
        return str(text), int(caret)

    def submit(self) -> None:
        """With the keyboard, from wherever the focus is; returns when Label Studio has it."""
        with self.page.expect_response(_is_submission) as answer:
            self.press("Control+Enter")
        assert answer.value.status == 201, answer.value.status

    def submit_and_go_on(self) -> float:
        """The same, and seconds until the next document can be typed into."""
        before = self.page.query_selector(".rv-form .sum")
        start = time.monotonic()
        self.submit()
        self.page.wait_for_function("old => !old.isConnected", arg=before)
        return self._ready_since(start)

    def focus(self) -> dict[str, Any]:
        """The field that has it: ``name``, ``place`` among its entries, ``value``, ``options``."""
        found: dict[str, Any] = self.page.evaluate(_FOCUS)
        return found

    def wait_for_entry(self) -> None:
        """Until the focus is in the input for a further entry of a list."""
        self.page.wait_for_function(
            "() => document.activeElement.matches('[data-testid=textarea-input]')"
        )

    def cpu_seconds(self) -> float:
        """What the window's main thread has worked since the page was loaded."""
        told = self._measure.send("Performance.getMetrics")["metrics"]
        return float(next(each["value"] for each in told if each["name"] == "TaskDuration"))

    def visible(self) -> list[str]:
        """The fields that are shown."""
        script = "es => es.filter(e => e.checkVisibility()).map(e => e.id.slice(2))"
        return list(self.page.eval_on_selector_all(".f", script))

    def shot(self, name: str) -> None:
        if SHOTS:
            Path(SHOTS).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=str(Path(SHOTS) / f"{name}.png"))

    def _ready_since(self, start: float) -> float:
        self.page.wait_for_function(READY)
        return time.monotonic() - start

    def _note(self, answer: Any) -> None:
        if "next_task" in answer.url and answer.ok:
            try:
                self.shown = str(answer.json()["data"]["document_id"])
            except Exception:
                self.shown = ""

    def _request(self, request: Any) -> None:
        if not request.url.startswith((self._url, "data:", "blob:")):
            self.elsewhere.append(request.url)

    def _dialog(self, dialog: Any) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()


def _keys_for(before: str, steps: Sequence[tuple[str, int, int, int, int]]) -> int:
    """About so many keys for changing a text from its end."""
    keys, at = 2, len(before)
    for _, start, end, first, last in steps:
        keys += _far(at - end) + _far(end - start) + last - first
        at = start
    return keys


def _far(letters: int) -> int:
    return letters if letters <= _FAR else 2 * (letters // 6) + 3


def _is_submission(answer: Any) -> bool:
    return "/annotations" in answer.url and answer.request.method in {"POST", "PATCH"}
