# SPDX-License-Identifier: Apache-2.0
"""The screens of an installation, one for each document type and one for cuts; its station."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from idp.review.provisioning import Screen, provisioned
from idp.review.screens import screen_of
from idp.review.splitting import splitting_screen
from idp.review.station import Station
from idp.reviewing import is_lead_queue, lead_queue
from idp.schemas import load_schemas
from idp.settings import Settings

_MOST_TITLE = 50
"""Letters of a project's title."""
_FOR_ALL, _FOR_LEADS = "review", "two people differ"


def screens_in_force(own: Path | None, twice: Collection[str] = ()) -> tuple[Screen, ...]:
    """One screen for each document type in force, one for the leads of those looked at twice.

    And the one on which packets are cut by hand.

    Args:
        own: Folder of this appliance's own schemas (``settings.schemas_folder``).
        twice: Types and subtypes of which two people look at documents, and keys of the leads'
            projects that are there.

    Raises:
        SchemaError: A schema is not well formed.
    """
    schemas = load_schemas(own)
    screens: list[Screen] = []
    for schema in schemas.values():
        name, config = str(schema.type), screen_of(schema, schemas=schemas)
        screens.append(Screen(name, _title(schema.title, _FOR_ALL), config))
        named = {name, lead_queue(name), *(kind.name for kind in schema.subtypes)}
        if not named.isdisjoint(twice):
            screens.append(Screen(lead_queue(name), _title(schema.title, _FOR_LEADS), config))
    return (*screens, splitting_screen())


def screens_of(settings: Settings) -> tuple[Screen, ...]:
    """The screens that these settings ask for.

    What leads have a project for stays when ``review.four_eyes`` no longer names it: documents may
    wait in it.

    Raises:
        SchemaError: A schema is not well formed.
    """
    known = provisioned(settings.review_folder)
    there = () if known is None else filter(is_lead_queue, known.projects)
    twice = {name for name, share in settings.review.four_eyes.items() if share}
    return screens_in_force(settings.schemas_folder, {*twice, *there})


def station_of(settings: Settings) -> Station:
    """What keeps the Label Studio of these settings ready; does nothing where there is none."""
    return Station(settings.review, settings.review_folder, lambda: screens_of(settings))


def _title(title: str, whose: str) -> str:
    return f"{title[: _MOST_TITLE - len(whose) - 2]}: {whose}"
