# SPDX-License-Identifier: Apache-2.0
"""The verbs of ``idp deliver``."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import TypeAdapter
from rich.table import Table
from rich.text import Text

from idp.cli import render
from idp.cli.border import messages, print_json, tables
from idp.cli.house import actor, open_store
from idp.outgoing import DeliveryState, Outgoing
from idp.settings import load_settings

_STYLES = {
    DeliveryState.DEAD: "bold red",
    DeliveryState.PUT_OFF: "yellow",
    DeliveryState.WAITING: "",
    DeliveryState.DONE: "green",
}


def list_deliveries(state: DeliveryState | None, *, limit: int, as_json: bool) -> None:
    """What waits or failed, or what is in one state."""
    store = open_store(load_settings())
    found = store.outgoing(None if state is None else [state], limit)
    if as_json:
        plain = TypeAdapter(tuple[Outgoing, ...]).dump_python(found, mode="json")
        counts = {str(each): number for each, number in store.outgoing_counts().items()}
        print_json({"schema": "idp.deliver/1", "counts": counts, "deliveries": plain})
        return
    if not found:
        tables().print(Text("nothing" if state else "nothing waits to be delivered", "dim"))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("document", "type", "state", "tried", "next", "since", "why or where"):
        table.add_column(heading, overflow="fold")
    for each in found:
        done = each.state is DeliveryState.DONE
        waits = each.state is DeliveryState.PUT_OFF and each.due_at is not None
        table.add_row(
            Text(render.short(each.document_id), "bold"),
            Text((each.type or "").replace("_", " ")),
            Text(str(each.state), _STYLES[each.state]),
            str(each.attempts),
            f"{each.due_at.astimezone():%H:%M:%S}" if waits and each.due_at else "",
            render.ago(each.done_at if done and each.done_at else each.created_at),
            Text((each.location if done else each.trouble) or ""),
        )
    tables().print(table)
    if any(each.state is DeliveryState.DEAD for each in found):
        messages().print(Text("dead ones begin again by `idp deliver retry`", "dim"))


def retry_deliveries(documents: Sequence[str] | None, *, as_json: bool) -> None:
    """Begin what failed now.

    Raises:
        NotFoundError: One of the named documents is not there; nothing was begun.
    """
    store = open_store(load_settings())
    ids = None if documents is None else [store.resolve(each) for each in documents]
    retried = store.retry_deliveries(ids, actor=actor())
    begun = {*retried.dead, *retried.put_off}
    left = [] if ids is None else [each for each in ids if each not in begun]
    if as_json:
        print_json(
            {
                "schema": "idp.deliver.retry/1",
                "dead": list(retried.dead),
                "put_off": list(retried.put_off),
                "left_alone": left,
            }
        )
        return
    for each in left:
        state = store.row(each).state
        messages().print(Text(f"{each} is {state}: there is nothing to retry", "dim"))
    messages().print(
        f"{retried.number} deliver{'y begins' if retried.number == 1 else 'ies begin'} now"
        f" ({len(retried.dead)} from quarantine); `idp run` does it"
    )
