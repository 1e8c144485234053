# SPDX-License-Identifier: Apache-2.0
"""The contract with the outside: one document as JSON, ``idp.document/1``.

What ``idp process --json`` prints, what lies in the outbox as ``document.json`` and what the status
page hands out is the same object, made here. Keys are only ever added within one version; a key
that has no value is ``null`` or empty, never absent.
"""

from __future__ import annotations

import math
from typing import Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter

from idp.document import Document, Envelope, Imbalance

SCHEMA = "idp.document/1"

_CONFIDENCE_DIGITS = 4
_BOX_DIGITS = 5
_MS_DIGITS = 1


class DocumentRecord(Document):
    """One document as the outside sees it."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    schema_name: Literal["idp.document/1"] = Field(
        default="idp.document/1",
        alias="schema",
        description="Name and version of this contract.",
    )


_RECORD: TypeAdapter[DocumentRecord] = TypeAdapter(DocumentRecord)


def to_contract(document: Document) -> dict[str, Any]:
    """The document as plain JSON values: money and dates as strings, boxes as four numbers.

    Numbers are rounded (confidences to 4 digits, boxes to 5, milliseconds to 1), so that the same
    document gives the same bytes.
    """
    record = document.model_dump(mode="json", exclude={"schema_name"})
    rounded = _rounded(record)
    return {"schema": SCHEMA, **rounded}


def from_contract(record: dict[str, Any]) -> Document:
    """The document that a contract object describes.

    Raises:
        ValueError: The object is of another schema or breaks its shape.
    """
    if record.get("schema") != SCHEMA:
        raise ValueError(f"not {SCHEMA}: {record.get('schema')!r}")
    return Document.model_validate({k: v for k, v in record.items() if k != "schema"})


def percent(confidence: float) -> int:
    """A confidence in whole percent, never rounded up: 100 means certain, 90 means at least .9."""
    return math.floor(confidence * 100 + 1e-9)


def envelope_facts(envelope: Envelope) -> tuple[tuple[str, str], ...]:
    """How a document came, as names and values for people; what is not known is left out."""
    sender = " ".join(each for each in (envelope.sender_name, envelope.sender) if each)
    sent_at = envelope.sent_at.astimezone() if envelope.sent_at is not None else None
    pages, attachment = envelope.pages_announced, envelope.attachment
    facts = (
        ("from", sender),
        ("to", envelope.recipient),
        ("sent", f"{sent_at:%Y-%m-%d %H:%M %Z}" if sent_at is not None else None),
        ("pages", f"{pages} announced" if pages is not None else None),
        ("subject", envelope.subject),
        ("message", envelope.message_id),
        ("part", f"attachment {attachment}" if attachment is not None else None),
        ("fax id", envelope.transmission_id),
        ("site", envelope.site),
        ("told by", ", ".join(each.replace("_", " ") for each in envelope.told_by)),
    )
    known = tuple((name, value) for name, value in facts if value)
    return known if any(name != "told by" for name, _ in known) else ()


def imbalances_in_words(document: Document) -> tuple[tuple[str, Imbalance], ...]:
    """What does not balance in a remittance, each with its place for people."""
    if document.remittance is None:
        return ()
    return tuple((_where(document, each), each) for each in document.remittance.imbalances)


def _where(document: Document, imbalance: Imbalance) -> str:
    name = imbalance.name.replace("_", " ")
    if imbalance.claim is None or imbalance.claim > len(document.claims):
        return name
    claim = document.claims[imbalance.claim - 1]
    label = claim.claim_number or claim.patient_account or str(imbalance.claim)
    line = f", line {imbalance.line}" if imbalance.line else ""
    return f"claim {label}{line}: {name}"


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of one contract object."""
    schema = _open_to_new_keys(_RECORD.json_schema(mode="serialization", by_alias=True))
    properties = dict(schema["properties"])
    name = properties.pop("schema")
    # Every key is always written, so a reader may count on each of them.
    required = ["schema", *properties]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA,
        **schema,
        "title": SCHEMA,
        "description": "One document found in a file: fields with evidence, findings, decision.",
        "properties": {"schema": name, **properties},
        "required": required,
    }


def _open_to_new_keys(value: Any) -> Any:
    """The schema without ``additionalProperties: false``: a later idp may add keys."""
    if isinstance(value, dict):
        return {
            k: _open_to_new_keys(v)
            for k, v in value.items()
            if not (k == "additionalProperties" and v is False)
        }
    if isinstance(value, list):
        return [_open_to_new_keys(v) for v in value]
    return value


def _rounded(value: Any, digits: int | None = None) -> Any:
    """``value`` with each float cut to the digits that its key calls for."""
    if isinstance(value, dict):
        return {k: _rounded(v, _digits_for(k, digits)) for k, v in value.items()}
    if isinstance(value, list):
        return [_rounded(v, digits) for v in value]
    if isinstance(value, float) and digits is not None:
        return round(value, digits)
    return value


def _digits_for(key: str, inherited: int | None) -> int | None:
    if key in {"confidence", "type_confidence", "cut_confidence", "likeness", "score"}:
        return _CONFIDENCE_DIGITS
    if key == "box":
        return _BOX_DIGITS
    if key == "timings_ms":
        return _MS_DIGITS
    return inherited
