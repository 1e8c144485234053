# SPDX-License-Identifier: Apache-2.0
"""Foreign text made harmless, and figures in plain words, for the labelling screen.

Label Studio renders the text of its Markdown tag as HTML without cleaning it, so what was read from
a page must never reach it as anything but letters.
"""

from __future__ import annotations

import unicodedata

from idp.contract import percent

MOST_SHOWN = 300
"""Longest foreign text in a heading or a reason; the field itself holds all of it."""
MOST_VALUE = 20_000
"""Longest value in an input; what is longer is cut and can't be corrected there."""

_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_CUT = "…"
_WORDS = (
    (0.97, "read clearly"),
    (0.9, "read well"),
    (0.75, "read with some doubt"),
    (0.5, "hard to read"),
    (0.0, "mostly guessed"),
)


def plain_text(text: str, *, most: int = MOST_VALUE) -> str:
    """``text`` as it may stand in an input: one line, no control or direction characters.

    Args:
        text: Foreign text.
        most: Longest result, in characters.
    """
    kept = "".join(" " if sign.isspace() else sign for sign in text if _is_shown(sign))
    kept = kept.strip()
    return kept if len(kept) <= most else kept[: most - 1] + _CUT


def escaped(text: str, *, most: int = MOST_SHOWN) -> str:
    """``text`` as HTML in which neither HTML, Markdown nor a template finds anything to do.

    Every character but letters, digits and blanks is written as a number, which no parser takes for
    structure; the whole stands isolated, so that right-to-left text turns nothing around it.

    Args:
        text: Any text.
        most: Longest shown, in characters.
    """
    coded = (
        sign if sign.isalnum() or sign == " " else f"&#{ord(sign)};"
        for sign in plain_text(text, most=most)
    )
    return f"<bdi>{''.join(coded)}</bdi>"


def in_words(confidence: float) -> str:
    """A confidence for people: ``hard to read (62 %)``."""
    said = next(words for least, words in _WORDS if confidence >= least)
    return f"{said} ({percent(confidence)} %)"


def _is_shown(sign: str) -> bool:
    if sign.isspace():
        return True
    # Controls, lone surrogates, unassigned and private characters print nothing that helps.
    return sign not in _BIDI and unicodedata.category(sign) not in {"Cc", "Cs", "Co", "Cn"}
