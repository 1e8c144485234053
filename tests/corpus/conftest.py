# SPDX-License-Identifier: Apache-2.0
"""The real forms come from outside: ``IDP_CORPUS`` names their folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real forms with their ground truth."""
    named = os.environ.get("IDP_CORPUS")
    if not named:
        pytest.skip("IDP_CORPUS does not name a folder of real forms")
    folder = Path(named)
    if not any(folder.glob("*.json")):
        pytest.fail(f"no ground truth (*.json) in {folder}")
    return folder
