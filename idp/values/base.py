# SPDX-License-Identifier: Apache-2.0
"""The kinds of value, and what parsing one gives."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """The value types a schema may name."""

    PERSON = "person"
    ORGANIZATION = "organization"
    DATE = "date"
    PHONE = "phone"
    EMAIL = "email"
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


class Span(NamedTuple):
    """A typed value spotted in running text: ``text[start:end]`` as printed, and parsed."""

    start: int
    end: int
    text: str
    parsed: Parsed
