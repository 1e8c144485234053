# SPDX-License-Identifier: Apache-2.0
"""Which states a ZIP code may be in: by its first three digits (USPS, labeling list L002)."""

from __future__ import annotations

import re
from functools import cache

_PREFIXES = """
AA 340
AE 090-098
AK 995-999
AL 350-369
AP 962-966
AR 716-729
AS 967
AZ 850-865
CA 900-961
CO 800-816
CT 060-069
DC 200 202-205 569
DE 197-199
FL 320-339 341-349
GA 300-319 398-399
GU 969
HI 967-968
IA 500-528
ID 832-838
IL 600-629
IN 460-479
KS 660-679
KY 400-427
LA 700-714
MA 010-027 055
MD 206-219
ME 039-049
MI 480-499
MN 550-567
MO 630-658
MP 969
MS 386-397
MT 590-599
NC 270-289
ND 580-588
NE 680-693
NH 030-038
NJ 070-089
NM 870-884
NV 889-898
NY 005 100-149
OH 430-459
OK 730-732 734-749
OR 970-979
PA 150-196
PR 006-007 009
RI 028-029
SC 290-299
SD 570-577
TN 370-385
TX 733 750-799 885
UT 840-847
VA 201 220-246
VI 008
VT 050-054 056-059
WA 980-994
WI 530-549
WV 247-268
WY 820-831
"""
_ACROSS_A_BORDER = {
    **{"06390": "NY", "42223": "TN", "59221": "ND", "63673": "IL", "71749": "LA", "73949": "TX"},
    **{"81137": "NM", "84536": "AZ", "86044": "UT", "86515": "NM", "88063": "TX", "89439": "CA"},
    "97635": "CA",
}
"""Codes whose delivery area lies in another state than that of their prefix, wholly or in part."""


@cache
def _by_prefix() -> dict[str, frozenset[str]]:
    states: dict[str, set[str]] = {}
    for line in _PREFIXES.strip().splitlines():
        state, *ranges = line.split()
        for each in ranges:
            first, _, last = each.partition("-")
            for number in range(int(first), int(last or first) + 1):
                states.setdefault(f"{number:03d}", set()).add(state)
    return {prefix: frozenset(found) for prefix, found in states.items()}


def states_of(zip_code: str) -> frozenset[str]:
    """The states (USPS, two letters) in which such a ZIP code may be; none: there is no such code.

    Args:
        zip_code: Five digits, or nine with a dash.
    """
    if not re.fullmatch(r"\d{5}(?:-\d{4})?", zip_code):
        return frozenset()
    more = _ACROSS_A_BORDER.get(zip_code[:5])
    found = _by_prefix().get(zip_code[:3], frozenset())
    return found | {more} if more else found
