# SPDX-License-Identifier: Apache-2.0
"""What documents of one file say of each other: a decision beside the request that it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from idp.document import Document, DocumentType, Finding
from idp.schemas import DocumentSchema
from idp.validate.authorizations import approval_fits_request, valid_when_planned
from idp.values.slips import compact

_OF_THE_PATIENT = ("member_id", "patient_name", "patient_dob")
_LEAST_SHARED = 2


def with_requests(
    documents: Sequence[Document], schemas: Mapping[DocumentType, DocumentSchema]
) -> tuple[Document, ...]:
    """The documents of a file, each decision compared with the request that came with it.

    Payers send the request's pages back behind their answer. What is found are warnings, so no
    decision of whether a document leaves changes.

    Args:
        documents: All of a file, judged one by one.
        schemas: By type.
    """
    return tuple(_with_request(document, documents, schemas) for document in documents)


def _with_request(
    document: Document,
    documents: Sequence[Document],
    schemas: Mapping[DocumentType, DocumentSchema],
) -> Document:
    request = _answered(document, documents)
    if request is None:
        return document
    found: list[Finding] = [
        *approval_fits_request(document, request),
        *valid_when_planned(document, schemas[document.type], request),
    ]
    new = tuple(finding for finding in found if finding not in document.findings)
    return document.model_copy(update={"findings": (*document.findings, *new)}) if new else document


def _answered(document: Document, documents: Sequence[Document]) -> Document | None:
    """The one request in the file that is about the same patient as a decision."""
    if document.type != DocumentType.PRIOR_AUTH_DETERMINATION:
        return None
    requests = [
        other
        for other in documents
        if other.type == DocumentType.PRIOR_AUTH_REQUEST and _same_patient(document, other)
    ]
    return requests[0] if len(requests) == 1 else None


def _same_patient(one: Document, other: Document) -> bool:
    """Two of member number, name and birth date are the same, and none of them differs."""
    same = differ = 0
    for name in _OF_THE_PATIENT:
        mine, theirs = one.field(name), other.field(name)
        if mine is None or theirs is None or not mine.value or not theirs.value:
            continue
        alike = sorted(mine.value.upper().split()) == sorted(theirs.value.upper().split())
        alike = alike or compact(mine.value) == compact(theirs.value)
        same, differ = same + alike, differ + (not alike)
    return same >= _LEAST_SHARED and differ == 0
