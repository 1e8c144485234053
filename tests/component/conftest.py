# SPDX-License-Identifier: Apache-2.0
"""What several component tests need."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests import postgres

# pytest-xdist tells its workers the width of its own terminal: tables would be cut off by it.
os.environ.pop("COLUMNS", None)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of a PostgreSQL server for the session."""
    with postgres.server() as url:
        yield url
