# SPDX-License-Identifier: Apache-2.0
"""What came beside a decision: the request that it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from idp.document import Document, DocumentType, Field
from idp.requirements import Companion
from idp.values.slips import compact

_OF_THE_PATIENT = ("member_id", "patient_name", "patient_dob")
_LEAST_SHARED = 2


def answered(document: Document, companions: Sequence[Companion]) -> tuple[Field, ...]:
    """The fields of the one request in the same arrival that a decision is the answer to.

    Payers send the request's pages back behind their answer. Two of member number, name and birth
    date are the same and none of them differs; of several such requests none is taken.
    """
    if document.type != DocumentType.PRIOR_AUTH_DETERMINATION:
        return ()
    own = _patient(document.fields)
    requests = [
        other.fields
        for other in companions
        if other.type == DocumentType.PRIOR_AUTH_REQUEST and _same(own, _patient(other.fields))
    ]
    return requests[0] if len(requests) == 1 else ()


def _patient(fields: Sequence[Field]) -> dict[str, str]:
    return {
        field.name: field.value
        for field in reversed(fields)
        if field.name in _OF_THE_PATIENT and field.value
    }


def _same(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    compared = [_alike(one[name], other[name]) for name in one if name in other]
    return len(compared) >= _LEAST_SHARED and all(compared)


def _alike(one: str, other: str) -> bool:
    """The same signs, or a name's same words in another order."""
    words = [sorted(compact(word) for word in text.split()) for text in (one, other)]
    return compact(one) == compact(other) or words[0] == words[1]
