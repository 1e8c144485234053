# SPDX-License-Identifier: Apache-2.0
"""Every way to code a page in a TIFF shows the same page; one in pieces is never a shorter one."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from idp.errors import DamagedFileError, TooLargeError, UnsupportedFileError
from idp.ingest.opened import Opened
from idp.ingest.unpack_image import believable_dpi, open_tiff
from idp.settings import IngestSettings

LIMITS = IngestSettings()
WIDTH, HEIGHT = 1728, 330


def chart() -> NDArray[np.uint8]:
    """A page with a shape that tells top from bottom, left from right and ink from paper."""
    pixels = np.full((HEIGHT, WIDTH), 255, np.uint8)
    for row in range(0, HEIGHT - 30, 30):
        pixels[row + 8 : row + 20, 100 : 1500 - 2 * row] = 0
    pixels[:, 60:64] = 0
    return pixels


CHART = chart()


def saved(mode: str = "1", **options: Any) -> bytes:
    out = io.BytesIO()
    Image.fromarray(CHART).convert(mode).save(out, "TIFF", **options)
    return out.getvalue()


def entries(data: bytes) -> dict[int, int]:
    """Where the value of each entry of the first directory stands."""
    (start,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, start)
    places = range(start + 2, start + 2 + 12 * count, 12)
    return {struct.unpack_from("<H", data, place)[0]: place for place in places}


def with_entry(data: bytes, tag: int, value: int) -> bytes:
    patched = bytearray(data)
    struct.pack_into("<HHII", patched, entries(data)[tag], tag, 4, 1, value)
    return bytes(patched)


def written(tags: dict[int, tuple[int, ...]], strips: list[bytes]) -> bytes:
    """A TIFF of one image, entry by entry; the strips' (or tiles') places are filled in."""
    kept, counts = (324, 325) if 322 in tags else (273, 279)
    places, data = [], b""
    for strip in strips:
        places.append(8 + len(data))
        data += strip
    full = tags | {kept: tuple(places), counts: tuple(len(strip) for strip in strips)}
    body, more = b"", b""
    start = 8 + len(data)
    after = start + 2 + 12 * len(full) + 4
    for tag in sorted(full):
        values = struct.pack(f"<{len(full[tag])}I", *full[tag])
        body += struct.pack("<HHI", tag, 4, len(full[tag]))
        body += values if len(values) == 4 else struct.pack("<I", after + len(more))
        more += b"" if len(values) == 4 else values
    directory = struct.pack("<H", len(full)) + body + struct.pack("<I", 0)
    return b"II*\x00" + struct.pack("<I", start) + data + directory + more


def opened(folder: Path, data: bytes) -> Opened:
    path = folder / "page.tif"
    path.write_bytes(data)
    return open_tiff(path, folder, LIMITS)


def pixels(found: Opened) -> NDArray[np.uint8]:
    with Image.open(found.pages[0].path) as image:
        return np.asarray(image.convert("L"))


BILEVEL = {
    "T.4 one-dimensional": {"compression": "group3"},
    "T.4 two-dimensional": {"compression": "group3", "tiffinfo": {292: 1}},
    "T.4 with fill bits": {"compression": "group3", "tiffinfo": {292: 4}},
    "T.4 two-dimensional with fill bits": {"compression": "group3", "tiffinfo": {292: 5}},
    "T.4 the other bit first": {"compression": "group3", "tiffinfo": {266: 2}},
    "T.6": {"compression": "group4"},
    "T.6 the other bit first": {"compression": "group4", "tiffinfo": {266: 2}},
    "T.6 with 0 for white": {"compression": "group4", "tiffinfo": {262: 0}},
    "modified Huffman": {"compression": "tiff_ccitt"},
    "PackBits": {"compression": "packbits"},
    "LZW": {"compression": "tiff_lzw"},
    "Deflate": {"compression": "tiff_adobe_deflate"},
    "uncompressed": {"compression": None},
}
SHADED = {
    "PackBits": ("L", {"compression": "packbits"}),
    "LZW": ("RGB", {"compression": "tiff_lzw"}),
    "Deflate": ("L", {"compression": "tiff_adobe_deflate"}),
    "JPEG": ("L", {"compression": "jpeg"}),
    "JPEG in colour": ("RGB", {"compression": "jpeg", "quality": 90}),
    "palette": ("P", {"compression": "tiff_lzw"}),
    "transparent": ("RGBA", {"compression": "tiff_lzw"}),
    "ink": ("CMYK", {"compression": "tiff_lzw"}),
}


@pytest.mark.parametrize("how", BILEVEL)
def test_every_coding_of_a_fax_shows_the_same_pixels(tmp_path: Path, how: str) -> None:
    found = opened(tmp_path, saved(**BILEVEL[how]))
    assert found.pages[0].bilevel
    assert found.flaws == ()
    assert np.array_equal(pixels(found), CHART)


@pytest.mark.parametrize("how", SHADED)
def test_every_coding_of_a_grey_or_coloured_page_shows_the_same_page(
    tmp_path: Path, how: str
) -> None:
    mode, options = SHADED[how]
    found = opened(tmp_path, saved(mode, **options))
    assert not found.pages[0].bilevel
    assert np.mean(np.abs(pixels(found).astype(int) - CHART)) < 3


def test_colour_planes_one_after_the_other_show_the_same_page(tmp_path: Path) -> None:
    tags = {
        256: (WIDTH,), 257: (HEIGHT,), 258: (8,) * 3, 259: (1,), 262: (2,), 277: (3,),
        278: (HEIGHT,), 284: (2,),
    }  # fmt: skip
    assert np.array_equal(pixels(opened(tmp_path, written(tags, [CHART.tobytes()] * 3))), CHART)


def test_tiles_are_put_together(tmp_path: Path) -> None:
    padded = np.full((384, 1792), 255, np.uint8)
    padded[:HEIGHT, :WIDTH] = CHART
    tiles = [
        padded[y : y + 128, x : x + 128].tobytes()
        for y in range(0, 384, 128)
        for x in range(0, 1792, 128)
    ]
    tags = {
        256: (WIDTH,),
        257: (HEIGHT,),
        258: (8,),
        259: (1,),
        262: (1,),
        322: (128,),
        323: (128,),
    }
    assert np.array_equal(pixels(opened(tmp_path, written(tags, tiles))), CHART)


def strip_of(rows: NDArray[np.uint8]) -> bytes:
    out = io.BytesIO()
    Image.fromarray(rows).convert("1").save(out, "TIFF", compression="group4")
    data = out.getvalue()
    places = entries(data)
    start, length = (struct.unpack_from("<HHII", data, places[tag])[3] for tag in (273, 279))
    return data[start : start + length]


FAX = {256: (WIDTH,), 257: (HEIGHT,), 258: (1,), 259: (4,), 262: (1,), 278: (64,)}


def test_strips_are_put_together_and_too_few_of_them_are_no_shorter_page(tmp_path: Path) -> None:
    strips = [strip_of(CHART[y : y + 64]) for y in range(0, HEIGHT, 64)]
    assert np.array_equal(pixels(opened(tmp_path, written(FAX, strips))), CHART)
    with pytest.raises(DamagedFileError, match="330 lines and strips for 320"):
        opened(tmp_path, written(FAX, strips[:-1]))


@pytest.mark.parametrize(("compression", "options"), [(3, 292), (4, 293)])
def test_uncompressed_mode_is_refused_by_name(
    tmp_path: Path, compression: int, options: int
) -> None:
    tags = FAX | {259: (compression,), 278: (HEIGHT,), options: (2,)}
    with pytest.raises(UnsupportedFileError, match="uncompressed mode"):
        opened(tmp_path, written(tags, [strip_of(CHART)]))


@pytest.mark.parametrize("compression", ["group3", "group4"])
def test_fewer_lines_than_claimed_are_no_shorter_page(tmp_path: Path, compression: str) -> None:
    data = saved(compression=compression, tiffinfo={278: HEIGHT})
    claimed = with_entry(with_entry(data, 257, 3 * HEIGHT), 278, 3 * HEIGHT)
    with pytest.raises(DamagedFileError, match="660 of 990 fax lines"):
        opened(tmp_path, claimed)
    little = with_entry(with_entry(data, 257, HEIGHT + 10), 278, HEIGHT + 10)
    found = opened(tmp_path, little)
    assert found.flaws == ("page 1: 10 of 340 fax lines are damaged",)
    assert np.array_equal(pixels(found)[:HEIGHT], CHART)
    assert (pixels(found)[HEIGHT:] == 255).all()


def test_broken_lines_are_counted_and_the_rest_is_there(tmp_path: Path) -> None:
    data = bytearray(saved(compression="group3", tiffinfo={278: HEIGHT}))
    (start, length) = (
        struct.unpack_from("<HHII", data, entries(bytes(data))[tag])[3] for tag in (273, 279)
    )
    middle = start + length // 2
    data[middle : middle + 12] = bytes(12)
    found = opened(tmp_path, bytes(data))
    assert "fax lines are damaged" in found.flaws[0]
    same = (pixels(found) == CHART).all(axis=1)
    assert same.mean() > 0.9 and same[-1] and not same.all()


LOST = [
    ("1", "group4"), ("1", "tiff_lzw"), ("1", "tiff_adobe_deflate"), ("1", "packbits"),
    ("L", "jpeg"),
]  # fmt: skip


@pytest.mark.parametrize(("mode", "compression"), LOST)
def test_a_page_whose_second_half_is_lost_is_damaged(
    tmp_path: Path, mode: str, compression: str
) -> None:
    data = bytearray(saved(mode, compression=compression, tiffinfo={278: 336}))
    (start, length) = (
        struct.unpack_from("<HHII", data, entries(bytes(data))[tag])[3] for tag in (273, 279)
    )
    data[start + length // 2 : start + length] = bytes(length - length // 2)
    with pytest.raises(DamagedFileError):
        opened(tmp_path, bytes(data))


# Resolutions of T.4 and T.30 as they come: per inch, per centimetre, per millimetre, not at all.
@pytest.mark.parametrize(
    ("unit", "across", "down", "expected"),
    [
        (2, 204, 98, (204, 98)),
        (2, 204, 196, (204, 196)),
        (2, 204, 391, (204, 391)),
        (2, 200, 100, (200, 100)),
        (2, 100, 100, (100, 100)),
        (2, 408, 391, (408, 391)),
        (3, 80.4, 38.5, (204, 98)),
        (3, 80.4, 77, (204, 196)),
        (3, 80.4, 154, (204, 391)),
        (1, 204, 196, (204, 196)),
    ],
)
def test_a_resolution_is_understood_in_its_unit(
    tmp_path: Path, unit: int, across: float, down: float, expected: tuple[float, float]
) -> None:
    image = Image.new("1", (1728, round(10 * expected[1])), 1)
    out = io.BytesIO()
    tags = {282: across, 283: down, 296: unit}
    image.save(out, "TIFF", compression="group4", tiffinfo=tags)
    page = opened(tmp_path, out.getvalue()).pages[0]
    assert (page.dpi_x, page.dpi_y) == pytest.approx(expected, rel=0.01)


def test_a_resolution_per_millimetre_without_a_sensible_unit_is_guessed_by_the_line_length() -> (
    None
):
    assert believable_dpi(1728, 1143, 8, 3.85) == pytest.approx((204, 98))
    assert believable_dpi(1728, 2287, 8, 7.7) == pytest.approx((204, 196))
    assert believable_dpi(1728, 4574, 8, 15.4) == pytest.approx((204, 391))


def test_lines_without_end_are_refused_before_they_are_decoded(tmp_path: Path) -> None:
    tags = FAX | {256: (8,), 257: (5_000_000,), 278: (5_000_000,)}
    with pytest.raises(TooLargeError, match="lines"):
        opened(tmp_path, written(tags, [b"\x00" * 8]))
