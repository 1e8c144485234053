# SPDX-License-Identifier: Apache-2.0
"""Reading: page images to words, marks, ruling lines and blocks."""

from __future__ import annotations

from idp.read.cache import PageCache
from idp.read.fax_envelope import fax_envelope
from idp.read.fax_header import without_fax_headers
from idp.read.reader import Reader

__all__ = ["PageCache", "Reader", "fax_envelope", "without_fax_headers"]
