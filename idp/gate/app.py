# SPDX-License-Identifier: Apache-2.0
"""The gate's addresses: its own pages, page images, the webhook's receiver; else Label Studio."""

from __future__ import annotations

import hmac
import logging
import os
import secrets
from collections import OrderedDict
from collections.abc import Callable, Collection
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse, PlainTextResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from idp import __version__
from idp.errors import ReviewError
from idp.gate.apart import Apart
from idp.gate.door import Door, add_sign_on, is_secure, page, visitor_of
from idp.gate.figures import add_figures
from idp.gate.guard import Guard
from idp.gate.label_studio import Upstream
from idp.gate.proxy import PAGE, Proxy
from idp.gate.sign_on import SignOn
from idp.review import WEBHOOK_PATH
from idp.review.pages import LINKED_PATH, Links, links_of
from idp.settings import Settings
from idp.store import PersonRow, Role, Store

_log = logging.getLogger(__name__)

_MOST_HOOK_BYTES = 32 * 1024 * 1024
_KEY_BYTES = 32
_MOST_VIEWS = 20_000
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_SEE_PAGES = frozenset({Role.LEAD, Role.ADMINISTRATOR})


def create_gate(
    settings: Settings,
    store: Store,
    upstream: Callable[[], Upstream],
    webhook_secret: str,
    hint: Callable[[], None],
) -> FastAPI:
    """The gate before a Label Studio.

    Args:
        settings: Addresses, time limits, the review folder.
        store: Where people, sessions and the record are.
        upstream: Where Label Studio is now; raises :class:`ReviewError`.
        webhook_secret: What it proves itself with to the receiver.
        hint: Called when it says that something changed; returns at once.

    Raises:
        SettingsError: Passwords would cross a network in clear.
        ReviewError: The gate's key can't be read or made.
    """
    host = settings.review.gate_host
    app = FastAPI(
        title="idp",
        version=__version__,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    sign_on = SignOn(store, settings.access, secure=is_secure(settings.access, host))
    apart = Apart(store, settings.review_folder)
    proxy = Proxy(
        upstream,
        own_key(settings.review_folder),
        store.set_label_studio_user,
        settings.review.request_seconds,
        apart,
    )
    add_sign_on(app, sign_on, settings.access, store)
    add_receiver(app, webhook_secret, hint)
    _add_linked_images(app, settings)
    _add_pages(app, store, proxy, apart)
    add_figures(app, store, settings.review)
    _add_images(app, settings.review_folder, store, proxy)

    @app.api_route("/{path:path}", methods=_METHODS)
    async def _label_studio(request: Request) -> Response:
        return await proxy(request, visitor_of(request).person)

    app.middleware("http")(Door(sign_on, set(Role), machines={WEBHOOK_PATH, LINKED_PATH}))
    named = urlsplit(settings.review.address or "").hostname
    names = (*settings.access.names, *([named] if named else []))
    app.middleware("http")(Guard(host, names, machines={WEBHOOK_PATH}))
    return app


def own_key(folder: Path) -> bytes:
    """What passwords in Label Studio are derived from; drawn at the first call.

    Raises:
        ReviewError: It can't be read or made.
    """
    path = folder / "gate-key"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        half = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        if not path.exists():
            descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                with os.fdopen(descriptor, "wb") as stream:
                    stream.write(secrets.token_bytes(_KEY_BYTES))
                    stream.flush()
                    os.fsync(stream.fileno())
                # A link, unlike a rename, leaves what another process drew a moment before.
                os.link(half, path)
            except FileExistsError:
                pass
            finally:
                half.unlink(missing_ok=True)
        key = path.read_bytes()
    except OSError as error:
        raise ReviewError(f"{path}: {error.strerror}") from error
    if len(key) != _KEY_BYTES:
        raise ReviewError(f"{path} is no key", hint="Restore it from the backup.")
    return key


def add_receiver(app: FastAPI, secret: str, hint: Callable[[], None]) -> None:
    """Label Studio's hints: what they say is not believed, that something changed is."""
    expected = f"Bearer {secret}".encode()

    @app.post(WEBHOOK_PATH)
    async def _hook(request: Request) -> Response:
        given = request.headers.get("authorization", "").encode("utf-8", "replace")
        if not hmac.compare_digest(given, expected):
            return Response(status_code=401)
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > _MOST_HOOK_BYTES:
                return Response(status_code=413)
        hint()
        return Response(status_code=204)


def _add_pages(app: FastAPI, store: Store, proxy: Proxy, apart: Apart) -> None:
    # Label Studio's own ways back to its first page, its list of projects, and out.
    @app.get("/")
    @app.get("/projects")
    @app.get("/projects/")
    @app.get("/logout")
    @app.get("/logout/")
    def _first() -> Response:
        return RedirectResponse("/gate/", status_code=303)

    @app.get("/gate/")
    async def _home(request: Request) -> Response:
        person = visitor_of(request).person
        queues: list[dict[str, object]] = []
        trouble = ""
        if person.role is not Role.MANAGER:
            try:
                told = await proxy.ask(person, "/api/projects/?page_size=200")
                closed = await run_in_threadpool(apart.leads_only)
                queues = _queues(told, frozenset() if person.role in _SEE_PAGES else closed)
            except ReviewError:
                trouble = "The review screen is not ready yet. Try again in a minute."
        waiting = (await run_in_threadpool(store.counts)).items()
        return page(
            "home.html",
            person=person,
            queues=queues,
            trouble=trouble,
            counts=[(str(state), number) for state, number in waiting if number],
        )


def _queues(told: object, closed: Collection[int]) -> list[dict[str, object]]:
    """What there is to review, by queue; those with the most first, the closed ones left out."""
    rows = told.get("results") if isinstance(told, dict) else None
    found: list[tuple[int, str, int]] = []
    for row in rows if isinstance(rows, list) else []:
        if int(row["id"]) in closed:
            continue
        number, done = row.get("task_number") or 0, row.get("finished_task_number") or 0
        found.append((max(int(number) - int(done), 0), str(row.get("title")), int(row["id"])))
    return [
        {"id": identity, "title": title, "left": left}
        for left, title, identity in sorted(found, key=lambda each: (-each[0], each[1]))
    ]


def _add_images(app: FastAPI, folder: Path, store: Store, proxy: Proxy) -> None:
    """Page images, where Label Studio would serve them, but from here: and it is on the record."""
    noted: OrderedDict[tuple[str, str], None] = OrderedDict()

    def may_see(person: PersonRow, document_id: str) -> bool:
        if person.role is Role.REVIEWER:
            return proxy.shown.has_document(person.id, document_id)
        return person.role in _SEE_PAGES

    @app.get("/data/local-files/")
    @app.get("/data/local-files")
    async def _image(request: Request) -> Response:
        visitor = visitor_of(request)
        match = _asked(request.scope.get("query_string", b""))
        if match is None or not may_see(visitor.person, match[0]):
            _log.info("gate: refused a page image to %s", visitor.person.id)
            return PlainTextResponse("not for your role", status_code=403)
        document_id, number = match
        path = folder / "pages" / document_id / f"p{number}.png"
        if not await run_in_threadpool(path.is_file):
            return PlainTextResponse("no such page", status_code=404)
        if (visitor.session, document_id) not in noted:
            # Before it is shown: what can't be put on the record is not shown.
            await run_in_threadpool(store.note_viewed, visitor.person, document_id)
            noted[visitor.session, document_id] = None
            while len(noted) > _MOST_VIEWS:
                noted.popitem(last=False)
        return FileResponse(path, media_type="image/png")


def _add_linked_images(app: FastAPI, settings: Settings) -> None:
    """Page images for a Label Studio elsewhere: whoever has a link that is ours and still good.

    Label Studio's page asks for them without cookies and from its own origin, so that nobody is
    known here; that links were put into a task is all that the record can say.
    """
    folder = settings.review_folder
    links = links_of(settings.review, folder)
    at = urlsplit(settings.review.url or "")
    headers = {
        "Access-Control-Allow-Origin": f"{at.scheme}://{at.netloc}",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Cache-Control": "no-store",
    }

    @app.get(LINKED_PATH)
    async def _linked(request: Request) -> Response:
        found = _proven(links, request.scope.get("query_string", b""))
        if found is None:
            return Response(status_code=403)
        path = folder / "pages" / found[0] / f"p{found[1]}.png"
        if not await run_in_threadpool(path.is_file):
            return Response(status_code=404, headers=headers)
        return FileResponse(path, media_type="image/png", headers=headers)


def _proven(links: Links | None, raw_query: bytes) -> tuple[str, int] | None:
    """The document and page that a link is for, if it is one of ours."""
    try:
        given = parse_qsl(raw_query.decode("ascii"), strict_parsing=True, max_num_fields=3)
    except ValueError:
        return None
    said = dict(given)
    if links is None or len(given) != len(said) or set(said) != {"d", "until", "proof"}:
        return None
    match = PAGE.fullmatch(said["d"])
    if match is None or not links.proves(match[1], int(match[2]), said["until"], said["proof"]):
        return None
    return match[1], int(match[2])


def _asked(raw_query: bytes) -> tuple[str, int] | None:
    """The document and the number of the page that is asked for, if it is one."""
    try:
        given = parse_qsl(raw_query.decode("ascii"), strict_parsing=True, max_num_fields=1)
    except ValueError:
        return None
    if len(given) != 1:
        return None
    name, value = given[0]
    match = PAGE.fullmatch(value) if name == "d" else None
    return None if match is None else (match[1], int(match[2]))
