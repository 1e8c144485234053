# SPDX-License-Identifier: Apache-2.0
"""Whose fault an error is, and how long to wait."""

from __future__ import annotations

import errno

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from idp.appliance import LONGEST_RETRY_SECONDS, backoff
from idp.errors import AccessError, DeliveryError, ModelError, ParserCrashedError, where
from idp.installation import is_house_fault


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "full"),
        OSError(errno.EIO, "disk"),
        AccessError("outbox"),
        ModelError("weights"),
        sa.exc.OperationalError("SELECT", {}, Exception("locked")),
    ],
)
def test_the_house_is_blamed_for_its_own_faults(error):
    assert is_house_fault(error)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("x"),
        FileNotFoundError(errno.ENOENT, "x"),
        MemoryError(),
        ParserCrashedError("x"),
        DeliveryError("x"),
    ],
)
def test_all_other_errors_count_against_the_document(error):
    assert not is_house_fault(error)


@given(st.integers(1, 10_000))
def test_pauses_grow_to_a_limit(troubles):
    assert backoff(troubles) <= backoff(troubles + 1)
    assert 0 < backoff(troubles).total_seconds() <= LONGEST_RETRY_SECONDS


def test_logs_get_an_errors_place_but_not_its_text():
    try:
        raise ValueError("Jane Quimby")
    except ValueError as error:
        told = where(error)
    assert told.startswith("ValueError at test_appliance.py:")
    assert "Quimby" not in told
