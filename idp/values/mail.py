# SPDX-License-Identifier: Apache-2.0
"""E-mail addresses, the sign in their middle often misread."""

from __future__ import annotations

import re

from idp.values.base import Parsed
from idp.values.slips import squeeze

_HOST = r"[A-Za-z0-9-]+(?:\s?\.\s?[A-Za-z0-9-]{2,})*\s?\.\s?[A-Za-z]{2,6}"
_PLAIN = rf"[\w.+'-]+\s?\(?@\s?{_HOST}"
_ENDINGS = r"(?:com|org|net|edu|gov|mil|info|biz|us|co|io|health)"
# Read as a letter or a digit the sign leaves one long word behind, which ends as hosts do and has
# what a host alone has not: a digit, or a capital after a small letter.
_MISREAD = (
    r"(?=\S*(?:[a-z][AEOQ]|\d|[&\u00a9\u00ae\u20ac(])\S*\.)(?!https?:|www\.)"
    rf"[\w.+'&\u00a9\u00ae\u20ac()-]{{5,}}\.{_ENDINGS}"
)
EMAIL = re.compile(rf"(?<![\w@./])(?:{_PLAIN}|{_MISREAD})(?![\w@])", re.ASCII)
_SPREAD = re.compile(_PLAIN, re.ASCII)
_WHOLE = re.compile(r"[\w.+'-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}", re.ASCII)


def parse_email(raw: str) -> Parsed:
    """The address without blanks; as printed and not valid when it has not the shape of one."""
    text = squeeze(raw).strip(" <>,;:_")
    # The sign's round is read as a parenthesis before it now and then.
    joined = re.sub(r"\s|\((?=@)", "", text) if _SPREAD.fullmatch(text) else text
    return Parsed(joined, valid=_WHOLE.fullmatch(joined) is not None)
