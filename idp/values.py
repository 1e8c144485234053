# SPDX-License-Identifier: Apache-2.0
"""Typed values: from what is printed to a normalised form, and whether it is well formed.

The printed text is never lost (``Field.raw``); a value that does not parse is kept as printed with
``valid=False``, so that a rule can say so and a person can mend it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """The value types a schema may name."""

    PERSON = "person"
    ORGANIZATION = "organization"
    DATE = "date"
    PHONE = "phone"
    NPI = "npi"
    TAX_ID = "tax_id"
    IDENTIFIER = "identifier"
    ICD10 = "icd10"
    PROCEDURE_CODE = "procedure_code"
    MONEY = "money"
    QUANTITY = "quantity"
    ADDRESS = "address"
    SEX = "sex"
    OPTION = "option"
    PRESENCE = "presence"
    TEXT = "text"


class Parsed(NamedTuple):
    """A normalised value; ``valid`` is whether the raw text has the shape of its kind."""

    value: str
    valid: bool
