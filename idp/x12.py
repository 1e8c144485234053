# SPDX-License-Identifier: Apache-2.0
"""The nouns of ASC X12 interchanges: what the reader hands on and extraction maps to fields.

A *segment* is the smallest thing that is addressed: its number in the file is what a finding, a
broken interchange and a field's place name.
"""

from __future__ import annotations

from idp.document import Noun


class X12Segment(Noun):
    """One segment: ``elements[0]`` is its id (``CLP``), ``elements[n]`` its element n (``CLP03``).

    ``number`` is the segment's place in the file, from 1 (its ``ISA``).
    """

    number: int
    elements: tuple[str, ...]


class TransactionSet(Noun):
    """One transaction set, ``ST`` to ``SE``, with what its envelope says.

    ``kind`` is ``ST01`` ("835"), ``version`` the implementation (``ST03`` or ``GS08``,
    "005010X221A1").
    """

    kind: str
    version: str
    control_number: str
    sender: str
    receiver: str
    interchange_control_number: str
    component_separator: str
    repetition_separator: str
    segments: tuple[X12Segment, ...]
