# SPDX-License-Identifier: Apache-2.0
"""A short run of the chaos that ``make chaos`` runs longer."""

from __future__ import annotations

import pytest

from tests.faults.chaos import chaos


@pytest.mark.component
@pytest.mark.slow
def test_random_kills_while_files_arrive_lose_and_double_nothing(tmp_path):
    found, expected = chaos(tmp_path, kills=4, files=24, seconds=0.3, seed=7)
    assert (found.lost, found.doubled, found.broken_record) == (0, 0, None)
    assert found.states == {"delivered": sum(expected.values())}
