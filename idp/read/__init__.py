# SPDX-License-Identifier: Apache-2.0
"""Reading: page images to words, marks, ruling lines and blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.read.reader import Reader

if TYPE_CHECKING:
    from PIL.Image import Image

    from idp.document import Page

__all__ = ["Reader", "overlay"]


def overlay(page: Page, image: Image) -> Image:
    """The page's image with words, marks, cells and blocks outlined, for people to look at."""
    from idp.read import blocks  # noqa: PLC0415 - layoutparser is not for everybody who reads

    return blocks.overlay(page, image)
