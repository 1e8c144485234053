# SPDX-License-Identifier: Apache-2.0
"""Pictures of what was seen: which shapes lie on a page, in which layer, in which colour.

Doors: :func:`shapes` (for whoever draws by themselves, as the page viewer does) and
:func:`draw_page` (the same as a picture). Everything that shows a page to a person uses these, so
that a colour means the same everywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.overlay.shapes import LAYERS, Layer, Shape, shapes

if TYPE_CHECKING:
    from collections.abc import Collection

    from PIL.Image import Image

    from idp.document import Document, Page

__all__ = ["LAYERS", "Layer", "Shape", "draw_page", "shapes"]


def draw_page(
    page: Page,
    image: Image,
    document: Document | None = None,
    *,
    layers: Collection[Layer] = LAYERS,
    title: str = "",
) -> Image:
    """The page's image with its shapes drawn in, and a legend below; see :mod:`.draw`."""
    from idp.overlay import draw  # noqa: PLC0415 - Pillow only for those who draw

    return draw.draw_page(page, image, document, layers=layers, title=title)
