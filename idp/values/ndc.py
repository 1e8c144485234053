# SPDX-License-Identifier: Apache-2.0
"""National Drug Codes: ten digits in three shapes on packages, eleven (5-4-2) on claims.

The FDA assigns labeler, product and package as 4-4-2, 5-3-2 or 5-4-1 (21 CFR 207.33); claims carry
5-4-2, each part padded with zeros from the left (HIPAA's NDC format, X12 837 LIN03).
"""

from __future__ import annotations

import re

_PARTS = (5, 4, 2)
_SHAPES = frozenset({(4, 4, 2), (5, 3, 2), (5, 4, 1), (5, 4, 2)})
_PRODUCT_SHAPES = frozenset({(4, 4), (5, 3), (5, 4)})
_SHORT = ((4, 4, 2), (5, 3, 2), (5, 4, 1))
_DASHES = re.compile(r"[\s\u2010-\u2015-]+")


def ndc_readings(text: str) -> tuple[str, ...]:
    """All eleven-digit codes that ``text`` may stand for; none where it is no NDC.

    With its dashes, or with eleven digits, there is one; ten bare digits may be any of three, in
    the order 4-4-2, 5-3-2, 5-4-1.
    """
    parts = [part for part in _DASHES.split(text.strip()) if part]
    if not parts or not all(part.isascii() and part.isdigit() for part in parts):
        return ()
    lengths = tuple(len(part) for part in parts)
    if lengths in _SHAPES:
        return (_padded(parts),)
    if len(parts) > 1:
        return ()
    digits = parts[0]
    if len(digits) == sum(_PARTS):
        return (digits,)
    if len(digits) != sum(_PARTS) - 1:
        return ()
    return tuple(dict.fromkeys(_padded(_cut(digits, shape)) for shape in _SHORT))


def ndc_in_full(text: str) -> str | None:
    """The eleven digits of a package's code, or the nine of a product's (5-4) without its package.

    Only where ``text`` can be read one way.
    """
    readings = ndc_readings(text)
    if len(readings) == 1:
        return readings[0]
    parts = [part for part in _DASHES.split(text.strip()) if part]
    digits = all(part.isascii() and part.isdigit() for part in parts)
    if digits and tuple(len(part) for part in parts) in _PRODUCT_SHAPES:
        return _padded(parts)
    return None


def _cut(digits: str, shape: tuple[int, ...]) -> list[str]:
    parts: list[str] = []
    for length in shape:
        parts.append(digits[:length])
        digits = digits[length:]
    return parts


def _padded(parts: list[str]) -> str:
    return "".join(part.zfill(width) for part, width in zip(parts, _PARTS, strict=False))
