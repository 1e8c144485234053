# SPDX-License-Identifier: Apache-2.0
"""A reviewer needs at most a quarter of the keys of typing a document from blank.

``python -m tests.bench.reviewing --keys 12`` does it with more documents.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.bench.reviewing import keys_of
from tests.review.chromium import Reviewer, browser
from tests.review.conftest import Running
from tests.review.front import PASSWORD, opened
from tests.review.paperwork import TYPES

MOST_KEYS = 0.25
DOCUMENTS = 4
"""One of each type."""


def test_keys_beside_typing_from_blank(
    label_studio: Running, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings, place, folder = label_studio.settings, label_studio.place, label_studio.folder
    with (
        opened(settings, place, folder, kinds=TYPES, mark="-keys") as front,
        browser() as window,
    ):
        reviewer = Reviewer(window, front.url)
        reviewer.come_in("rita", PASSWORD)
        told = keys_of(front, reviewer, tmp_path, DOCUMENTS, seed=1)
    with capsys.disabled():
        sys.stdout.write(f"\nkeys: {told}\n")
    assert told["documents"] == DOCUMENTS
    assert told["wrong"] > 0
    assert told["still_wrong"] == 0
    assert told["ratio"] <= MOST_KEYS
