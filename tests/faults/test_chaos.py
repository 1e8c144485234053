# SPDX-License-Identifier: Apache-2.0
"""What ``make chaos`` runs; ``python -m tests.faults.chaos --help`` for longer ones."""

from __future__ import annotations

import pytest

from tests.faults.chaos import chaos

KILLS, FILES = 10, 60


@pytest.mark.component
@pytest.mark.slow
def test_random_kills_while_files_arrive_lose_and_double_nothing(tmp_path):
    found, expected = chaos(tmp_path, kills=KILLS, files=FILES, seconds=0.8, seed=7)
    print(  # noqa: T201 - the figures are what `make chaos` is for
        f"\nkills {KILLS}  files {FILES}  documents {sum(expected.values())}  "
        f"lost {found.lost}  doubled {found.doubled}  cut off and repeated {found.repeated}"
    )
    assert (found.lost, found.doubled, found.broken_record) == (0, 0, None)
    assert found.states == {"delivered": sum(expected.values())}
    assert found.repeated > 0, "no kill struck in the middle of any work"
