# SPDX-License-Identifier: Apache-2.0
"""Reading: page images to words, marks, ruling lines and blocks."""

from idp.read.reader import Reader

__all__ = ["Reader"]
