# SPDX-License-Identifier: Apache-2.0
"""A real Label Studio for the tests of this folder: one server, each test with its own projects.

``scripts/review`` makes its environment; IDP_REVIEW__ENVIRONMENT names another. Without one the
tests of this folder say so and are skipped, or fail where IDP_REQUIRE_ALL is set (``make
test-review``).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from idp.errors import ReviewError
from idp.review import LabelStudio, Place, place_of
from idp.review.server import installed
from idp.slices import ReviewSettings

START_SECONDS = 240.0
"""The first start makes the database, on a machine with other work."""


class Running(NamedTuple):
    """A Label Studio that answers."""

    settings: ReviewSettings
    folder: Path
    place: Place
    server: LabelStudio

    def client(self) -> httpx.Client:
        """Its interface, as ourselves."""
        return httpx.Client(
            base_url=self.place.url,
            headers={"Authorization": f"Token {self.place.token}"},
            timeout=30,
            trust_env=False,
        )


def review_settings(**options: object) -> ReviewSettings:
    """Settings with the environment of these tests, and a port that is picked."""
    named = os.environ.get("IDP_REVIEW__ENVIRONMENT")
    return ReviewSettings.model_validate(
        {
            "label_studio": "own",
            "port": 0,
            "environment": Path(named) if named else None,
            **options,
        }
    )


@pytest.fixture(scope="session")
def needed() -> None:
    """Label Studio is installed."""
    try:
        installed(review_settings())
    except ReviewError as error:
        if os.environ.get("IDP_REQUIRE_ALL"):
            raise
        pytest.skip(error.message)


@pytest.fixture(scope="session")
def label_studio(needed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One server for the whole session; stopped at its end."""
    settings = review_settings()
    folder = tmp_path_factory.mktemp("review")
    server = LabelStudio(settings, folder)
    server.start()
    try:
        assert server.wait(START_SECONDS), server.problem()
        yield Running(settings, folder, place_of(settings, folder), server)
    finally:
        server.stop()
