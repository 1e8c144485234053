# SPDX-License-Identifier: Apache-2.0
"""The screens that an installation asks for: one for each document type in force."""

from __future__ import annotations

from pathlib import Path

from idp.review.provisioning import Screen
from idp.review.screens import screen_of
from idp.schemas import load_schemas

_MOST_TITLE = 40
"""Letters of a type's title; those of a project may have fifty."""


def screens_in_force(own: Path | None) -> tuple[Screen, ...]:
    """One screen for each document type in force.

    Args:
        own: Folder of this appliance's own schemas (``settings.schemas_folder``).

    Raises:
        SchemaError: A schema is not well formed.
    """
    schemas = load_schemas(own)
    return tuple(
        Screen(
            str(schema.type),
            f"{schema.title[:_MOST_TITLE]}: review",
            screen_of(schema, schemas=schemas),
        )
        for schema in schemas.values()
    )
