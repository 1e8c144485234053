# SPDX-License-Identifier: Apache-2.0
"""Ids that sort by time of birth."""

from __future__ import annotations

import datetime as dt
import secrets
import threading
import uuid

_lock = threading.Lock()
_last = 0


def new_id(now: dt.datetime) -> str:
    """A UUID version 7 (RFC 9562, 5.7): milliseconds, then a counter, then 62 random bits.

    Ids made by one process always ascend, also within a millisecond and when the clock is set
    back.
    """
    global _last  # noqa: PLW0603 - ascending within the process is the point
    with _lock:
        # 60 bits: milliseconds and the 12-bit counter (method 1 of RFC 9562, 6.2) as one number.
        _last = max(_last + 1, int(now.timestamp() * 1000) << 12)
        stamp = _last
    value = (stamp >> 12) << 80 | 0x7 << 76 | (stamp & 0xFFF) << 64
    value |= 0b10 << 62 | secrets.randbits(62)
    return str(uuid.UUID(int=value))


def first_at(time: dt.datetime) -> str:
    """The smallest id that can be made at ``time`` or later: all older ones sort before it."""
    return str(uuid.UUID(int=int(time.timestamp() * 1000) << 80))


def born_at(identity: str) -> dt.datetime:
    """When an id was made, to the millisecond; raises ``ValueError`` when it is not one of ours."""
    parsed = uuid.UUID(identity)
    if parsed.version != 7:
        raise ValueError(f"not a version 7 UUID: {identity}")
    return dt.datetime.fromtimestamp((parsed.int >> 80) / 1000, dt.UTC)
