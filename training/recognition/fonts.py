# SPDX-License-Identifier: Apache-2.0
"""Which installed fonts lines are drawn in, and which are kept for judging."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from PIL import ImageFont

FOLDER = Path("/usr/share/fonts")
"""Where Debian packages put fonts; :data:`PACKAGES` names those that training expects."""

PACKAGES = (
    "fonts-liberation",
    "fonts-dejavu",
    "fonts-urw-base35",
    "fonts-crosextra-carlito",
    "fonts-crosextra-caladea",
    "fonts-freefont-ttf",
    "fonts-roboto-unhinted",
    "fonts-open-sans",
    "fonts-lato",
    "fonts-inconsolata",
    "fonts-texgyre",
    "fonts-linuxlibertine",
    "fonts-hack",
    "fonts-cantarell",
    "fonts-sil-gentium-basic",
    "fonts-sil-charis",
    "fonts-ebgaramond",
    "fonts-vollkorn",
    "fonts-courier-prime",
    "fonts-ocr-b",
    "fonts-noto-core",
    "fonts-quicksand",
    "fonts-junction",
)


# What forms are set in comes often, what they are rarely set in comes seldom.
_OFTEN = ("Liberation", "Nimbus", "Carlito", "Caladea", "FreeSans", "FreeMono", "FreeSerif",
          "texgyreheros", "texgyretermes", "texgyrecursor", "Roboto-", "OpenSans", "NotoSans-",
          "NotoSerif-", "CourierPrime", "Courier Prime")  # fmt: skip
_SELDOM = ("DejaVu", "URWGothic", "URWBookman", "P052", "C059", "texgyre", "Lato", "Inconsolata",
           "LinLibertine", "LinBiolinum", "Hack", "Cantarell", "Gen", "Charis", "EBGaramond",
           "Vollkorn", "OCRB", "OCR-B", "Quicksand", "Junction", "RobotoCondensed",
           "NotoSansMono-", "NotoMono")  # fmt: skip
_JUDGES = ("texgyreheroscn", "Caladea", "NimbusMonoPS", "OpenSans", "texgyreschola", "Lato-",
           "LiberationSans-Bold.", "NotoSerif-", "Hack-")  # fmt: skip
"""Fonts that training never sees."""
# Symbols, ornaments, and weights and cuts that no form is set in.
_UNFIT = ("Math", "Symbol", "Dingbats", "Ornament", "Initials", "Keyboard", "Hairline",
          "Thin", "Black", "Inverted", "Outline", "Shadow", "SC", "smcp", "Swash", "Z003",
          "D0500")  # fmt: skip


def training_fonts() -> list[tuple[str, float]]:
    """Font files and how often each is drawn from.

    Raises:
        FileNotFoundError: fewer than twenty are installed.
    """
    return [entry for entry in _installed() if not _is_judge(entry[0])]


def judging_fonts() -> list[tuple[str, float]]:
    """The same, for judging: fonts that no training line is drawn in."""
    return [(path, 1.0) for path, _ in _installed() if _is_judge(path)]


def _is_judge(path: str) -> bool:
    return Path(path).name.startswith(_JUDGES)


@cache
def _installed() -> tuple[tuple[str, float], ...]:
    found: list[tuple[str, float]] = []
    for path in sorted(FOLDER.rglob("*")):
        name = path.name
        if path.suffix.lower() not in (".ttf", ".otf", ".t1") or any(u in name for u in _UNFIT):
            continue
        often = name.startswith(_OFTEN)
        if often or name.startswith(_SELDOM):
            slanted = any(mark in name for mark in ("Ital", "Obl", "BI.", "-It"))
            found.append((str(path), (4.0 if often else 1.0) * (0.25 if slanted else 1.0)))
    if len(found) < 20:
        raise FileNotFoundError(
            f"only {len(found)} fonts below {FOLDER}; install the Debian packages: "
            + " ".join(PACKAGES)
        )
    return tuple(found)


@cache
def load(path: str, size: int) -> ImageFont.FreeTypeFont:
    """The font at ``size`` pixels per em."""
    return ImageFont.truetype(path, size)
