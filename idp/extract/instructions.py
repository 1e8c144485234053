# SPDX-License-Identifier: Apache-2.0
"""Sentences that tell how to fill a form in are no values, whoever proposes them."""

from __future__ import annotations

import re
from collections.abc import Callable

from idp.extract.ports import Candidate
from idp.schemas import DocumentSchema, Lexicon
from idp.values import Kind

_NEVER_SENTENCES = frozenset({Kind.PERSON, Kind.ADDRESS})


def sentence_test(lexicon: Lexicon) -> Callable[[Candidate, DocumentSchema], bool]:
    """A test for candidates of names and addresses that are running print.

    One telling word is enough: nobody is called "if", and no street "applicable".
    """
    telling = frozenset(lexicon.instruction_words)

    def is_sentence(candidate: Candidate, schema: DocumentSchema) -> bool:
        field = schema.field(candidate.field)
        if field is None or field.kind not in _NEVER_SENTENCES:
            return False
        return not telling.isdisjoint(re.findall(r"[a-z]+", candidate.raw.lower()))

    return is_sentence
