# SPDX-License-Identifier: Apache-2.0
"""What a screen must let a reviewer do, checked in the browser; both tests of it say the same."""

from __future__ import annotations

from collections.abc import Sequence

from tests.review.chromium import Reviewer

_INPUT = """name => {
  const field = document.getElementById(`f-${name}`);
  return field !== null && field.querySelector('.f-t input, .f-t textarea') !== null;
}"""
_MOST_STEPS = 60


def has_every_field(reviewer: Reviewer, names: Sequence[str]) -> None:
    """Each field of the document's type has an input on the screen, open or one click away."""
    lost = [name for name in names if not reviewer.page.evaluate(_INPUT, name)]
    assert lost == [], f"the screen lost {lost}"


def go_to(reviewer: Reviewer, name: str) -> None:
    """Bring the focus to a field that is to be checked, by Enter alone."""
    for _ in range(_MOST_STEPS):
        at = reviewer.focus()["name"]
        if at == name:
            return
        assert at != "submit", f"{name} is not among the fields to check"
        reviewer.press("Enter")
    raise AssertionError(f"{name} is not reached")


def correct(reviewer: Reviewer, name: str, before: str, after: str) -> None:
    """Put a value right, with the keyboard alone."""
    go_to(reviewer, name)
    at = reviewer.focus()
    assert at["value"] == before
    reviewer.replace(before, after)
    assert reviewer.focus()["value"] == after
