# SPDX-License-Identifier: Apache-2.0
"""What was seen on a page, layer by layer, as the page viewer draws it."""

from __future__ import annotations

from typing import Any

from idp.contract import percent
from idp.document import Page
from idp.overlay import LAYERS, shapes


def page_layers(page: Page) -> dict[str, Any]:
    """The shapes of each layer but the fields, which the document page has already.

    A shape is ``[kind, x, y, width, height, text, percent, tag]``, its place in thousandths of the
    page's width; ``percent`` is ``null`` where there is no confidence.
    """
    down = 1000 * page.height_px / page.width_px
    layers: dict[str, list[list[Any]]] = {layer: [] for layer in LAYERS if layer != "fields"}
    for shape in shapes(page):
        box = shape.box
        layers[shape.layer].append(
            [
                shape.kind,
                round(box.x0 * 1000, 1),
                round(box.y0 * down, 1),
                round(box.width * 1000, 1),
                round(box.height * down, 1),
                shape.text,
                None if shape.confidence is None else percent(shape.confidence),
                shape.tag,
            ]
        )
    return {"page": page.number, "layers": layers}
