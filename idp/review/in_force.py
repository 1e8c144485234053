# SPDX-License-Identifier: Apache-2.0
"""The screens of an installation, one for each document type and one for cuts; its station."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from idp.review.provisioning import Screen
from idp.review.screens import screen_of
from idp.review.splitting import splitting_screen
from idp.review.station import Station
from idp.schemas import load_schemas
from idp.settings import Settings

_MOST_TITLE = 40
"""Letters of a type's title; those of a project may have fifty."""


def screens_in_force(own: Path | None) -> tuple[Screen, ...]:
    """One screen for each document type in force, and the one on which packets are cut.

    Args:
        own: Folder of this appliance's own schemas (``settings.schemas_folder``).

    Raises:
        SchemaError: A schema is not well formed.
    """
    schemas = load_schemas(own)
    return (
        *(
            Screen(
                str(schema.type),
                f"{schema.title[:_MOST_TITLE]}: review",
                screen_of(schema, schemas=schemas),
            )
            for schema in schemas.values()
        ),
        splitting_screen(),
    )


def station_of(settings: Settings) -> Station:
    """What keeps the Label Studio of these settings ready; does nothing where there is none."""
    screens = partial(screens_in_force, settings.schemas_folder)
    return Station(settings.review, settings.review_folder, screens)
