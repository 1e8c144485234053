# SPDX-License-Identifier: Apache-2.0
"""Labels without a colon: what stands behind them says whether they are any."""

from __future__ import annotations

from collections.abc import Sequence

from idp.extract.labels import COUNTED_LABEL, LabelTable, Meaning
from idp.extract.tables_lines import Token
from idp.values import Kind, parse

_NUMBER = 5
"""How long a number without a label's colon before it must be to be one for sure."""


def is_surely(text: str, rest: Sequence[Token]) -> bool:
    """Whether a few letters are a label all the same: they count something, or a day follows."""
    if len(text.split()) > 1 and COUNTED_LABEL.search(text):
        return True
    return text.lower() == "date" and len(rest) == 1 and parse(Kind.DATE, rest[0].text).valid


def takes(meaning: Meaning, rest: Sequence[Token], table: LabelTable) -> bool:
    """Whether what follows is a day, an amount or a number of the kind that the label asks for."""
    kinds = {f.kind for n in meaning.fields if (f := table.schema.field(n))}
    if meaning.quality < 1.0 or len(kinds) != 1:
        return False
    kind = kinds.pop()
    if kind in (Kind.DATE, Kind.MONEY):
        return parse(kind, " ".join(t.text for t in rest)).valid
    return kind is Kind.IDENTIFIER and len(rest) == 1 and len(rest[0].text) >= _NUMBER


def goes_on_as_label(word: str) -> bool:
    """``Medical necessity - state condition ...``: what follows tells how to fill it in."""
    return word in ("-", "\u2013", "\u2014", "/", "&") or (
        word.startswith("(") and not word[1:2].isdigit()
    )
