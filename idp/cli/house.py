# SPDX-License-Identifier: Apache-2.0
"""Verbs about the appliance and its store: run, status, show, requeue, quarantine, settings."""

from __future__ import annotations

import getpass
import json
import logging
import sys
import time
from collections.abc import Collection, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter
from rich.text import Text

from idp.channels import channel_rows
from idp.cli import render, render_handovers
from idp.cli.border import messages, print_json, tables
from idp.contract import to_contract
from idp.errors import NotFoundError
from idp.outgoing import Placed, linked
from idp.settings import Settings, load_settings

if TYPE_CHECKING:
    from idp.overlay import Layer
    from idp.store import DocumentDetail, DocumentRow, Store


_ROUNDS_MISSED = 3
"""A service that has not spoken for so many sweeps does not run."""


def has_run(settings: Settings) -> bool:
    """Whether an appliance has ever worked on the data folder in force."""
    return settings.database_url is not None or (settings.data / "idp.sqlite").is_file()


def open_store(settings: Settings) -> Store:
    """The store of the data folder in force.

    Raises:
        NotFoundError: Nothing was ever run with this data folder.
    """
    from idp.clocks import load_clockwork  # noqa: PLC0415 - heavy
    from idp.store import Store  # noqa: PLC0415 - heavy

    if not has_run(settings):
        raise NotFoundError(
            f"no appliance has run in {settings.data.absolute()}",
            hint="`idp run` makes it. Elsewhere? Set IDP_DATA or run in the folder of idp.toml.",
        )
    return Store(
        settings.resolved_database_url,
        settings.data / "store",
        steps=load_clockwork(settings.rules_folder).steps,
    )


def as_plain(row: DocumentRow) -> dict[str, Any]:
    """A row as plain JSON values."""
    plain: dict[str, Any] = TypeAdapter(type(row)).dump_python(row, mode="json")
    return plain


def run_appliance() -> None:
    """Run until told to stop; what happens is logged to stderr, by ids and codes."""
    from idp.appliance import run  # noqa: PLC0415 - heavy

    settings = load_settings()
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.WARNING,
        format="%(asctime)s %(levelname)-7s %(name)s: %(message)s",
    )
    logging.getLogger("idp").setLevel(logging.INFO)
    run(settings)


def show_status(*, limit: int, as_json: bool) -> None:
    """Counts per state, what is at work, what changed last."""
    from idp.cli.review import review_line  # noqa: PLC0415 - heavy

    settings = load_settings()
    store = open_store(settings)
    numbers, queued, recent = store.counts(), store.queue(limit), store.recent(limit)
    waiting, clocks = store.waiting(limit), store.clock_counts()
    reading = reading_counts(settings)
    channels = channel_rows(settings, store.ledger_counts())
    review = review_line(settings)
    outgoing, handovers = store.outgoing_counts(), store.handover_figures()
    if as_json:
        print_json(
            {
                "schema": "idp.status/1",
                "data": str(settings.data.absolute()),
                "counts": {str(state): number for state, number in numbers.items()},
                "queue": [as_plain(row) for row in queued],
                "waiting": [as_plain(row) for row in waiting],
                "clocks": clocks.by_state,
                "recent": [as_plain(row) for row in recent],
                "reading": reading,
                "channels": TypeAdapter(type(channels)).dump_python(channels, mode="json"),
                "review": asdict(review) if review is not None else None,
                "deliveries": {str(state): number for state, number in outgoing.items()},
                "handovers": TypeAdapter(type(handovers)).dump_python(handovers, mode="json"),
            }
        )
        return
    console = tables()
    render.counts(console, numbers)
    if reading is not None:
        console.print(Text(render.reading(reading), "dim"))
    if review is not None and review.problem is not None:
        console.print(Text(f"review: {review.problem}", "yellow"))
    for line in (
        render_handovers.outgoing_line(outgoing),
        render_handovers.handover_line(handovers),
    ):
        if line is not None:
            console.print(line)
    if clocks.overdue:
        plural = "s are" if clocks.overdue > 1 else " is"
        console.print(Text(f"{clocks.overdue} document{plural} overdue", "bold red"))
    if waiting:
        console.print(Text("\nfor a person, most pressing first", "bold"))
        render.waiting(console, waiting)
    if queued:
        console.print(Text("\nat work and waiting", "bold"))
        render.rows(console, queued)
    if recent:
        console.print(Text("\nlast changed", "bold"))
        render.rows(console, recent)
    else:
        console.print(Text(f"nothing yet: drop files into {settings.inbox_folder}/fax", "dim"))
    console.print(Text("\ndrop folders", "bold"))
    render.channels(console, channels)


def reading_counts(settings: Settings) -> dict[str, int] | None:
    """What the running service last said of its reading processes; ``None`` when none runs."""
    try:
        age = time.time() - settings.counts_file.stat().st_mtime
        counts = json.loads(settings.counts_file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    stale = age > _ROUNDS_MISSED * settings.engine.reconcile_seconds
    return None if stale or not isinstance(counts, dict) or not counts else counts


def detail_record(found: DocumentDetail, placed: Sequence[Placed] = ()) -> dict[str, Any]:
    """What ``idp show --json`` prints."""
    row = as_plain(found.row)
    return {
        "schema": "idp.show/1",
        **row,
        "document": to_contract(found.document) if found.document is not None else None,
        "events": TypeAdapter(type(found.events)).dump_python(found.events, mode="json"),
        "deliveries": TypeAdapter(type(found.deliveries)).dump_python(
            found.deliveries, mode="json"
        ),
        "siblings": [sibling.id for sibling in found.siblings],
        "handovers": TypeAdapter(tuple[Placed, ...]).dump_python(tuple(placed), mode="json"),
    }


def show_document(
    text: str, *, as_json: bool, overlay: Path | None, layers: Collection[Layer]
) -> None:
    """Print one document; with ``overlay`` also draw its pages: a ``.pdf``, ``.png`` or folder."""
    settings = load_settings()
    store = open_store(settings)
    found = store.show(store.resolve(text))
    placed = linked(store.placed(found.row.id), settings.deliver.odoo.url)
    if overlay is not None:
        from idp.cli.pictures import draw_document  # noqa: PLC0415 - heavy

        if found.document is None:
            raise NotFoundError(
                f"{found.row.id} has not been read yet", hint="`idp status` tells when it has."
            )
        images = {number: store.page_image(found.row.id, number) for number in found.document.pages}
        draw_document(found.document, store.pages(found.row.id), images, overlay, layers)
    if as_json:
        print_json(detail_record(found, placed))
        return
    render.detail(tables(), found)
    if placed:
        render_handovers.placed(tables(), placed)


def requeue_document(text: str) -> None:
    """Process the document's file again."""
    store = open_store(load_settings())
    row = store.requeue(store.resolve(text), actor=actor())
    messages().print(f"{row.id} is {row.state}: its file is processed again")


def list_quarantine(*, limit: int, as_json: bool) -> None:
    """What lies in quarantine."""
    store = open_store(load_settings())
    lying = store.quarantine(limit)
    if as_json:
        print_json({"schema": "idp.quarantine/1", "documents": [as_plain(row) for row in lying]})
    elif lying:
        render.lying(tables(), lying)
    else:
        tables().print(Text("quarantine is empty", "dim"))


def release_document(text: str) -> None:
    """Send a quarantined document to review as it is."""
    store = open_store(load_settings())
    row = store.release(store.resolve(text), actor=actor())
    messages().print(f"{row.id} is now in {row.state}")


def show_settings(*, as_json: bool) -> None:
    """The settings in force, secrets left out."""
    settings = load_settings()
    plain = settings.model_dump(mode="json")
    plain |= {
        "inbox": str(settings.inbox_folder),
        "outbox": str(settings.outbox_folder),
        "models": str(settings.models_folder),
        "database_url": _without_password(settings.resolved_database_url),
    }
    if as_json:
        print_json(plain)
        return
    console = tables()
    for name, value in _flat(plain):
        console.print(Text.assemble((f"{name}", "bold"), f" = {value}"), soft_wrap=True)


def _flat(values: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in values.items():
        if isinstance(value, dict):
            found += _flat(value, f"{prefix}{name}.")
        else:
            found.append((prefix + name, value))
    return found


def _without_password(url: str) -> str:
    from sqlalchemy import make_url  # noqa: PLC0415 - heavy

    return make_url(url).render_as_string(hide_password=True)


def actor() -> str:
    """Who gives this command, for the record."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):
        return "cli"
