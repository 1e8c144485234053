# SPDX-License-Identifier: Apache-2.0
"""The door: nobody gets past it who is not signed in and of a role that may, on any address.

It stands before the routes, so that an address which is added later is closed until somebody
opens it by name.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection
from typing import Annotated
from urllib.parse import parse_qs, quote

from fastapi import FastAPI, Query, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool

from idp import __version__
from idp.errors import SettingsError
from idp.gate import passwords
from idp.gate.own_files import PATH as OWN_FILES
from idp.gate.own_files import OwnFiles, address_of
from idp.gate.sign_on import SignOn, Visitor
from idp.settings import Settings
from idp.slices import AccessSettings
from idp.store import Role, Store

SIGN_IN = "/gate/sign-in"
_PASSWORD, _SIGN_OUT = "/gate/password", "/gate/sign-out"
_BEFORE_A_CHANGE = frozenset({_PASSWORD, _SIGN_OUT})
_FORM_BYTES = 16 * 1024
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_OURS = re.compile(r"/(?![/\\])[A-Za-z0-9/._?=&%-]{0,400}")
_SAYS = {
    "wrong": "Name or password is wrong, or the account is locked for a while.",
    "wait": "Too many failed attempts from this address. Wait five minutes.",
    "out": "You are signed out.",
    "changed": "The password is changed. Sign in with the new one.",
}

_FIRST = (
    "Somebody else chose your password. Choose one of your own, that nobody else knows, before "
    "you go on."
)

_Next = Callable[[Request], Awaitable[Response]]


class Door:
    """Lets signed-in people of some roles through; everybody else gets nothing but the sign-in."""

    def __init__(
        self,
        sign_on: SignOn,
        roles: Collection[Role],
        *,
        machines: Collection[str] = (),
    ) -> None:
        """Prepare.

        Args:
            sign_on: Tells who somebody is.
            roles: Who may come in.
            machines: Paths that are open, or guarded otherwise.
        """
        self._sign_on = sign_on
        self._roles = frozenset(roles)
        self._open = frozenset({SIGN_IN, *machines})

    async def __call__(self, request: Request, call_next: _Next) -> Response:
        """303 to the sign-in for a page, 401 for anything else, 403 for another role.

        Who signed in with a password that somebody else chose gets nowhere but to its change.
        """
        path = request.url.path
        if path in self._open or path.startswith(OWN_FILES):
            return await call_next(request)
        visitor = await run_in_threadpool(self._sign_on.visitor, request)
        if visitor is None:
            return _turned_away(request)
        if visitor.must_change and path not in _BEFORE_A_CHANGE:
            return _sent_to_change(request)
        if visitor.person.role not in self._roles and not path.startswith("/gate/"):
            return PlainTextResponse("not for your role", status_code=403)
        request.state.visitor = visitor
        response = await call_next(request)
        if visitor.token is not None:
            self._sign_on.keep(response, visitor.token)
        return response


def require_sign_on(app: FastAPI, settings: Settings, store: Store, host: str) -> SignOn:
    """Put the door before the status page: leads and administrators only."""
    sign_on = SignOn(store, settings.access, secure=is_secure(settings.access, host))
    add_sign_on(app, sign_on, settings.access, store)
    door = Door(sign_on, {Role.LEAD, Role.ADMINISTRATOR}, machines={"/healthz", "/metrics"})
    app.middleware("http")(door)
    return sign_on


def is_secure(settings: AccessSettings, host: str) -> bool:
    """Whether browsers come by TLS.

    Raises:
        SettingsError: They would send passwords in clear over a network.
    """
    if settings.certificate is not None or settings.behind_tls:
        return True
    if host.strip("[]").lower() not in _LOOPBACK:
        raise SettingsError(
            f"sign-on: passwords would cross the network in clear on {host}",
            hint="Set access.certificate and access.key, or access.behind_tls behind a proxy "
            "that speaks TLS; or listen on 127.0.0.1.",
        )
    return False


def visitor_of(request: Request) -> Visitor:
    """Who asks, behind the door."""
    visitor = request.state.visitor
    assert isinstance(visitor, Visitor)
    return visitor


def actor_of(request: Request, otherwise: str) -> str:
    """Who asks, for the record; ``otherwise`` where no door stands before the page."""
    visitor = getattr(request.state, "visitor", None)
    return visitor.person.actor if isinstance(visitor, Visitor) else otherwise


def role_of(request: Request) -> Role | None:
    """What who asks is here; none where no door stands before the page."""
    visitor = getattr(request.state, "visitor", None)
    return visitor.person.role if isinstance(visitor, Visitor) else None


def add_sign_on(app: FastAPI, sign_on: SignOn, settings: AccessSettings, store: Store) -> None:
    """The pages to sign in, sign out and change one's password."""
    app.mount(OWN_FILES.rstrip("/"), OwnFiles(), name="gate-assets")

    @app.get(SIGN_IN)
    def _form(goes_to: Annotated[str, Query(alias="next")] = "/", said: str = "") -> HTMLResponse:
        return page("sign_in.html", goes_to=_ours(goes_to), says=_SAYS.get(said, ""))

    @app.post(SIGN_IN)
    async def _sign_in(request: Request) -> Response:
        fields = await form(request)
        goes_to = _ours(fields.get("next", "/"))
        address = sign_on.address(request)
        result = await run_in_threadpool(
            sign_on.sign_in, fields.get("name", ""), fields.get("password", ""), address
        )
        if isinstance(result, str):
            status = 401 if result == "wrong" else 429
            return page("sign_in.html", status, goes_to=goes_to, says=_SAYS[result])
        # What the browser held before, a planted session perhaps, ends here.
        await run_in_threadpool(sign_on.sign_out, request)
        response = RedirectResponse(goes_to, status_code=303)
        sign_on.keep(response, result.text)
        return response

    @app.post(_SIGN_OUT)
    def _sign_out(request: Request) -> Response:
        sign_on.sign_out(request)
        response = RedirectResponse(f"{SIGN_IN}?said=out", status_code=303)
        sign_on.forget(response)
        response.headers["Clear-Site-Data"] = '"cache", "storage"'
        return response

    @app.get(_PASSWORD)
    def _password_form(request: Request) -> HTMLResponse:
        visitor = visitor_of(request)
        says = _FIRST if visitor.must_change else ""
        return page("password.html", person=visitor.person, says=says)

    @app.post(_PASSWORD)
    async def _password(request: Request) -> Response:
        person = visitor_of(request).person
        fields = await form(request)
        result = await run_in_threadpool(
            sign_on.check, person.name, fields.get("old", ""), sign_on.address(request)
        )
        if isinstance(result, str):
            return page("password.html", 401, person=person, says=_SAYS[result])
        new = fields.get("new", "")
        try:
            if new != fields.get("again", ""):
                raise SettingsError("the two new passwords differ")
            if new == fields.get("old", ""):
                raise SettingsError("that is the password until now")
            kept = await run_in_threadpool(
                passwords.hashed, new, name=person.name, fewest=settings.password_characters
            )
        except SettingsError as error:
            return page("password.html", 400, person=person, says=f"{error.message}.")
        await run_in_threadpool(store.set_password, person.name, kept, actor=person.actor)
        response = RedirectResponse(f"{SIGN_IN}?said=changed", status_code=303)
        sign_on.forget(response)
        return response


async def form(request: Request) -> dict[str, str]:
    """The fields of a small form; empty for anything else."""
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > _FORM_BYTES:
            return {}
    try:
        fields = parse_qs(
            content.decode("ascii"), keep_blank_values=True, max_num_fields=10, errors="strict"
        )
    except ValueError:
        return {}
    return {name: values[0] for name, values in fields.items() if len(values) == 1}


def page(template: str, status: int = 200, **values: object) -> HTMLResponse:
    """A page of the gate's own."""
    return HTMLResponse(_PAGES.get_template(template).render(**values), status_code=status)


def _wants_page(request: Request) -> bool:
    return request.method == "GET" and "text/html" in request.headers.get("accept", "")


def _sent_to_change(request: Request) -> Response:
    """The page that changes the password for somebody who opens one, for anything else nothing."""
    if not _wants_page(request):
        return PlainTextResponse("change your password first", status_code=403)
    return RedirectResponse(_PASSWORD, status_code=303)


def _turned_away(request: Request) -> Response:
    """The sign-in for somebody who opens a page, nothing at all for anything else."""
    if not _wants_page(request):
        return Response(status_code=401)
    target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"{SIGN_IN}?next={quote(_ours(target), safe='')}", status_code=303)


def _ours(target: str) -> str:
    """The address when it is one of this site, else the first page."""
    return target if _OURS.fullmatch(target) else "/"


_PAGES = Environment(
    loader=PackageLoader("idp.gate", "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_PAGES.globals["version"] = __version__
_PAGES.globals["own_file"] = address_of
