# SPDX-License-Identifier: Apache-2.0
"""The gate as the settings want it: before our own Label Studio or an existing one, or none."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from idp.gate.app import create_gate
from idp.gate.label_studio import Upstream
from idp.gate.listener import Listener
from idp.review import place_of, webhook_secret
from idp.settings import Settings
from idp.store import Store


def gate_of(
    settings: Settings, store: Store, hint: Callable[[], None]
) -> AbstractContextManager[Listener | None]:
    """The gate, to be entered; ``None`` inside when nothing is reviewed in Label Studio.

    Args:
        settings: All options.
        store: Where people and the record are.
        hint: Called when Label Studio says that something changed; returns at once.

    Raises:
        SettingsError: It would send passwords in clear, or can't use its certificate.
        ReviewError: A secret of the review folder can't be read or made.
    """
    if settings.review.label_studio == "none":
        return nullcontext()
    folder = settings.review_folder

    def upstream() -> Upstream:
        place = place_of(settings.review, folder)
        return Upstream(place.url, place.token)

    certificate, key = settings.access.certificate, settings.access.key
    return Listener(
        create_gate(settings, store, upstream, webhook_secret(folder), hint),
        host=settings.review.gate_host,
        port=settings.review.gate_port,
        name="gate",
        option="IDP_REVIEW__GATE_PORT",
        certificate=(certificate, key) if certificate is not None and key is not None else None,
    )
