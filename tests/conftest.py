# SPDX-License-Identifier: Apache-2.0
"""What all tests share."""

from __future__ import annotations

from hypothesis import settings

# One example's wall time tells of the machine's other work. Where time matters a test says so.
settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")
