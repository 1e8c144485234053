# SPDX-License-Identifier: Apache-2.0
"""Faxes and scans in every coding, and directories whose entries lie."""

from __future__ import annotations

import io
import random
import struct

import numpy as np
from PIL import Image

from idp.ingest.opened import TIFF

MEDIA_TYPES = (TIFF,)
_TAGS = (254, 256, 257, 258, 259, 262, 266, 273, 274, 277, 278, 279, 282, 284, 292, 293, 317, 322,
         323, 324, 325, 338, 339, 512, 513, 514, 530, 700, 34675)  # fmt: skip
_VALUES = (
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    16,
    32,
    255,
    32773,
    32946,
    65535,
    100_000,
    2**31,
    2**32 - 1,
)


def seeds() -> list[bytes]:
    """One small file for each coding that faxes and scanners use."""
    pixels = np.full((160, 200), 255, np.uint8)
    for row in range(0, 150, 15):
        pixels[row + 4 : row + 10, 20 : 180 - row // 2] = 0
    sheet = Image.fromarray(pixels)
    found = []
    for compression in ("group3", "group4", "tiff_ccitt", "packbits", "tiff_lzw", None):
        for extra in ({}, {266: 2}, {278: 32}, {292: 5}):
            if extra in ({266: 2}, {292: 5}) and compression not in ("group3", "group4"):
                continue
            found.append(_saved(sheet.convert("1"), compression=compression, tiffinfo=extra))
    for mode in ("L", "RGB", "P", "RGBA", "CMYK"):
        for compression in ("jpeg", "tiff_adobe_deflate", "tiff_lzw"):
            if compression == "jpeg" and mode in ("P", "RGBA"):
                continue
            found.append(_saved(sheet.convert(mode), compression=compression))
    more = [sheet.convert("1").rotate(90, expand=True) for _ in range(3)]
    found.append(
        _saved(sheet.convert("1"), compression="group4", save_all=True, append_images=more)
    )
    found.append(_saved(sheet.convert("L"), compression="tiff_lzw", big_tiff=True))
    found.append(_saved(sheet.convert("I;16"), compression=None))
    return found


def _saved(image: Image.Image, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, "TIFF", dpi=(204, 98), **options)
    return out.getvalue()


def mutate(data: bytes, dice: random.Random) -> bytes:
    """Changes entries of a directory: what it says of the image is no longer so."""
    if len(data) < 16 or data[2] != 42:
        return data
    broken = bytearray(data)
    order = "<" if data[:2] == b"II" else ">"
    (start,) = struct.unpack_from(order + "I", data, 4)
    if start + 2 > len(data):
        return data
    (count,) = struct.unpack_from(order + "H", data, start)
    places = [p for p in range(start + 2, start + 2 + 12 * count, 12) if p + 12 <= len(data)]
    for _ in range(dice.choice((1, 1, 2, 4))):
        if not places:
            break
        at = dice.choice(places)
        tag, kind, number, value = struct.unpack_from(order + "HHII", broken, at)
        way = dice.randrange(5)
        if way == 0:
            tag = dice.choice(_TAGS)
        elif way == 1:
            kind = dice.randrange(20)
        elif way == 2:
            number = dice.choice(_VALUES)
        elif way == 3:
            value = dice.choice(_VALUES)
        else:
            value = (value + dice.choice((-8, -1, 1, 2, 64, 1000))) & 0xFFFFFFFF
        struct.pack_into(order + "HHII", broken, at, tag, kind, number, value)
    return bytes(broken)
