# SPDX-License-Identifier: Apache-2.0
"""Transaction sets of X12 interchanges as documents: their type, fields and claims.

Door: :func:`extract_x12`. Nothing is recognised here: an element is what it is, so its confidence
is 1, and the place of each value is that of its element on the listing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from idp.document import Claim, DocumentType, Field, Finding, Page
from idp.extract.x12_authorization import authorization
from idp.extract.x12_listed import VERSION, Listed
from idp.extract.x12_other import anything_else
from idp.extract.x12_remittance import remittance
from idp.x12 import TransactionSet

__all__ = ["X12_VERSION", "X12Extraction", "extract_x12"]

X12_VERSION = VERSION


class X12Extraction(NamedTuple):
    """What a transaction set says; ``findings`` what contradicts its own standard."""

    type: DocumentType
    subtype: str | None
    fields: tuple[Field, ...]
    claims: tuple[Claim, ...] = ()
    findings: tuple[Finding, ...] = ()


def extract_x12(transaction: TransactionSet, pages: Sequence[Page]) -> X12Extraction:
    """A remittance (835), an authorization request or determination (278), or another document.

    Args:
        transaction: As read.
        pages: Its listing.
    """
    listed = Listed(transaction, pages)
    type_, subtype = DocumentType.OTHER, None
    fields: list[Field] = []
    claims: tuple[Claim, ...] = ()
    if transaction.kind == "835":
        type_ = DocumentType.REMITTANCE_EOB
        fields, claims = remittance(listed)
    elif (found := authorization(listed)) is not None:
        type_, fields = found
    else:
        subtype, fields = anything_else(listed)
    return X12Extraction(type_, subtype, tuple(fields), claims, tuple(listed.findings))
