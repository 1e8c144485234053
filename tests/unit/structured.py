# SPDX-License-Identifier: Apache-2.0
"""What labels, sections and tables say of a page that is given as text: no tagger votes."""

from __future__ import annotations

from idp.document import DocumentType, Mark
from idp.extract.structure import StructureSource
from idp.extract.vote import vote
from idp.schemas import load_lexicon, load_schemas
from tests.unit.pages import page

SCHEMAS = load_schemas()
STRUCTURE = StructureSource(tuple(SCHEMAS.values()), load_lexicon())


def read(
    text: str,
    kind: DocumentType = DocumentType.PRIOR_AUTH_REQUEST,
    marks: tuple[Mark, ...] = (),
) -> dict[str, str]:
    """The fields by name; the letters of ``text`` stand where a typewriter would set them."""
    schema = SCHEMAS[kind]
    _, readings = STRUCTURE.read([page(text).model_copy(update={"marks": marks})], schema)
    fields = vote(STRUCTURE.from_readings(readings, schema), schema, {})
    return {field.name: field.value or "" for field in fields}
