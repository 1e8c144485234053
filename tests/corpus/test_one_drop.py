# SPDX-License-Identifier: Apache-2.0
"""All real forms and their faxes in one drop, the appliance killed twice in the middle."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.faults.chaos import chaos_with

pytestmark = pytest.mark.slow


def test_every_file_of_one_drop_ends_once_though_everything_is_killed(
    corpus: Path, tmp_path: Path
) -> None:
    found, files = chaos_with(tmp_path / "data", corpus, kills=2, seed=20261122)
    sys.stdout.write(
        f"\n{files} files, {found.documents} documents, killed twice: lost {found.lost}, "
        f"doubled {found.doubled}, attempts repeated {found.repeated}, {found.states}\n"
    )
    assert files > 0
    assert (found.lost, found.doubled, found.broken_record) == (0, 0, None)
