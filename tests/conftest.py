# SPDX-License-Identifier: Apache-2.0
"""What all tests share."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from hypothesis import settings

# One example's wall time tells of the machine's other work. Where time matters a test says so.
settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")


@pytest.fixture(autouse=True)
def no_log_handler_outlives_its_test() -> Iterator[None]:
    """A verb that is called in the test's process logs to a stream that ends with the test."""
    root = logging.getLogger()
    before = list(root.handlers)
    yield
    for handler in root.handlers[:]:
        if type(handler) is logging.StreamHandler and handler not in before:
            root.removeHandler(handler)
    # DBOS keeps a handler of its own for good, and flushes it whenever an engine starts.
    engine = logging.getLogger("dbos")
    for handler in engine.handlers[:]:
        if isinstance(handler, logging.StreamHandler) and handler.stream.closed:
            engine.removeHandler(handler)
