# SPDX-License-Identifier: Apache-2.0
"""The fonts pages are drawn in: PDF's own always, and those of Debian's packages where installed.

Split by name into a training and a held-out half, so that nothing is measured in a face that was
trained on. Look-alikes (Liberation Serif and Times, Liberation Sans and Helvetica) stand in one
half together.
"""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

from training.synthesise.values import Split

Use = Literal["print", "narrow", "typed"]


class Face(NamedTuple):
    """A family as reportlab knows it."""

    name: str
    regular: str
    bold: str


class _Family(NamedTuple):
    name: str
    split: Split
    use: Use
    regular: str
    bold: str


_TRUETYPE = Path("/usr/share/fonts/truetype")
_TYPE1 = Path("/usr/share/fonts/type1/urw-base35")

_ALWAYS = (
    _Family("Helvetica", "train", "print", "Helvetica", "Helvetica-Bold"),
    _Family("Courier", "train", "typed", "Courier", "Courier-Bold"),
    _Family("Times", "heldout", "print", "Times-Roman", "Times-Bold"),
)

# Debian packages fonts-liberation, fonts-dejavu, fonts-crosextra-carlito and -caladea.
_TRUETYPE_FAMILIES = (
    _Family("Liberation Sans", "train", "print", "LiberationSans-Regular", "LiberationSans-Bold"),
    _Family("DejaVu Sans", "train", "print", "DejaVuSans", "DejaVuSans-Bold"),
    _Family("Caladea", "train", "print", "Caladea-Regular", "Caladea-Bold"),
    _Family("DejaVu Sans Mono", "train", "typed", "DejaVuSansMono", "DejaVuSansMono-Bold"),
    _Family(
        "DejaVu Serif Condensed",
        "train",
        "narrow",
        "DejaVuSerifCondensed",
        "DejaVuSerifCondensed-Bold",
    ),
    _Family("Carlito", "heldout", "print", "Carlito-Regular", "Carlito-Bold"),
    _Family(
        "Liberation Serif", "heldout", "print", "LiberationSerif-Regular", "LiberationSerif-Bold"
    ),
    _Family("Liberation Mono", "heldout", "typed", "LiberationMono-Regular", "LiberationMono-Bold"),
    _Family(
        "DejaVu Sans Condensed",
        "heldout",
        "narrow",
        "DejaVuSansCondensed",
        "DejaVuSansCondensed-Bold",
    ),
)

# Debian package fonts-urw-base35.
_TYPE1_FAMILIES = (
    _Family("P052", "train", "print", "P052-Roman", "P052-Bold"),
    _Family("URW Bookman", "train", "print", "URWBookman-Light", "URWBookman-Demi"),
    _Family(
        "Nimbus Sans Narrow", "train", "narrow", "NimbusSansNarrow-Regular", "NimbusSansNarrow-Bold"
    ),
    _Family("C059", "heldout", "print", "C059-Roman", "C059-Bold"),
    _Family("URW Gothic", "heldout", "print", "URWGothic-Book", "URWGothic-Demi"),
)


def _truetype(name: str) -> bool:
    found = sorted(_TRUETYPE.glob(f"*/{name}.ttf"))
    if found:
        pdfmetrics.registerFont(TTFont(name, str(found[0])))
    return bool(found)


def _type1(name: str) -> bool:
    metrics, outline = _TYPE1 / f"{name}.afm", _TYPE1 / f"{name}.t1"
    if not (metrics.is_file() and outline.is_file()):
        return False
    with tempfile.NamedTemporaryFile(suffix=".pfb") as wrapped:
        wrapped.write(_segmented(outline.read_bytes()))
        wrapped.flush()
        face = pdfmetrics.EmbeddedType1Face(str(metrics), wrapped.name)
    pdfmetrics.registerTypeFace(face)
    pdfmetrics.registerFont(pdfmetrics.Font(name, face.name, "WinAnsiEncoding"))
    return True


def _segmented(outline: bytes) -> bytes:
    """A plain Type 1 file in the PFB segments that reportlab reads (Adobe note 5040)."""
    cipher = outline.index(b"eexec") + len(b"eexec\r")
    trailer = outline.rindex(b"cleartomark")
    while outline[trailer - 1 : trailer] in b"0\r\n":
        trailer -= 1
    parts = ((1, outline[:cipher]), (2, outline[cipher:trailer]), (1, outline[trailer:]))
    head = b"".join(
        bytes((0x80, kind)) + len(part).to_bytes(4, "little") + part for kind, part in parts
    )
    return head + bytes((0x80, 3))


@cache
def faces(split: Split, use: Use) -> tuple[Face, ...]:
    """The installed faces of one half for one use, or of any use where that half has none."""
    there = [family for family in _ALWAYS if family.split == split]
    for families, register in ((_TRUETYPE_FAMILIES, _truetype), (_TYPE1_FAMILIES, _type1)):
        there += [
            family
            for family in families
            if family.split == split and register(family.regular) and register(family.bold)
        ]
    chosen = [family for family in there if family.use == use] or there
    return tuple(Face(f.name, f.regular, f.bold) for f in chosen)


@cache
def handwriting() -> Face | None:
    """A face that looks written, for either half, where Debian's fonts-urw-base35 is installed."""
    name = "Z003-MediumItalic"
    return Face("Z003", name, name) if _type1(name) else None


def names(split: Split) -> tuple[str, ...]:
    """The names of all faces of one half that are installed here, for reports."""
    uses: tuple[Use, ...] = ("print", "narrow", "typed")
    return tuple(sorted({face.name for use in uses for face in faces(split, use)}))
