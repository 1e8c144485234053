# SPDX-License-Identifier: Apache-2.0
"""The gate as the settings want it: before our own Label Studio or an existing one, or none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import FastAPI

from idp.errors import SettingsError
from idp.gate.app import add_receiver, create_gate
from idp.gate.guard import Guard
from idp.gate.label_studio import Upstream
from idp.gate.listener import Listener
from idp.review import WEBHOOK_PATH, place_of, webhook_secret
from idp.review.access import hook_file
from idp.settings import Settings
from idp.store import Store

_LOOPBACK = "127.0.0.1"


@contextmanager
def receiver_of(settings: Settings, hint: Callable[[], None]) -> Iterator[None]:
    """Where our own Label Studio says that something changed, while the ``with`` block lasts.

    On loopback and by plain HTTP, so that it works whatever address, port and certificate the gate
    has; to be opened before Label Studio is set up, which is told its address.

    Args:
        settings: All options.
        hint: Called when Label Studio says that something changed; returns at once.

    Raises:
        SettingsError: No port is free.
        ReviewError: The secret can't be read or made.
    """
    folder = settings.review_folder
    if settings.review.label_studio != "own":
        yield
        return
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    add_receiver(app, webhook_secret(folder), hint)
    app.middleware("http")(Guard(_LOOPBACK, machines={WEBHOOK_PATH}))
    with _listening(app, _port_before(folder)) as listener:
        path = hook_file(folder)
        half = path.with_suffix(".tmp")
        half.write_text(f"{listener.address.rstrip('/')}\n", encoding="ascii")
        half.replace(path)
        yield


@contextmanager
def _listening(app: FastAPI, before: int) -> Iterator[Listener]:
    """On the port of the last time, so that Label Studio need not be told another; else on one."""
    for port in (before, 0):
        listener = Listener(app, host=_LOOPBACK, port=port, name="receiver", option="")
        try:
            listener.__enter__()
            break
        except SettingsError:
            if not port:
                raise
    try:
        yield listener
    finally:
        listener.__exit__(None, None, None)


def _port_before(folder: Path) -> int:
    try:
        address = hook_file(folder).read_text(encoding="ascii").strip()
        return urlsplit(address).port or 0
    except (OSError, ValueError):
        return 0


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
