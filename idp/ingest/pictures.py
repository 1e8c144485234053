# SPDX-License-Identifier: Apache-2.0
"""Which pictures inside a message are documents, and which are decoration."""

from __future__ import annotations

_LEAST_SIDE, _LEAST_AREA, _MOST_ASPECT = 400, 400_000, 2.3
_LEAST_ATTACHED_SIDE = 100


def why_decoration(size: tuple[int, int], *, attached: bool = False) -> str | None:
    """Why a picture is no document, as words to follow its name; none where it may be one.

    A page, a card or a photograph of one has a short side of at least 400 pixels, an area of
    400,000 (an insurance card of 800 x 500) and is not longer than a telephone's screen (2.3 to
    1). Logos, signatures' icons and banners miss one of the three. What was attached as a file of
    its own is believed to be a document unless no page could be read from it at all.

    Args:
        size: Width and height in pixels.
        attached: It is an attachment that the text does not show.
    """
    short, long = sorted(size)
    if attached:
        small = short < _LEAST_ATTACHED_SIDE
    else:
        small = (
            short < _LEAST_SIDE or short * long < _LEAST_AREA or long > _MOST_ASPECT * max(1, short)
        )
    return f"a picture of {size[0]} x {size[1]} pixels" if small else None
