# SPDX-License-Identifier: Apache-2.0
"""What protects our pages from other sites, whoever is signed in; the status page has it too.

Held here:

- The Host header must name this machine, so that a foreign site which points its own name at
  127.0.0.1 (DNS rebinding) is refused.
- A request that changes something must come from a page of ours (Sec-Fetch-Site, else Origin), so
  that a foreign site can't press our buttons. This holds for what goes on to Label Studio as well,
  which checks nothing of the kind at its API.
- Nothing but our own scripts and styles runs, no other site may frame us, nothing is cached. Label
  Studio's pages need more: :data:`idp.gate.proxy.LABEL_STUDIO_POLICY`.
- Addresses carry ids, never what stands on a page.

Who may see what is decided after it, by :mod:`idp.gate.door`. Without ``serve.sign_on`` whoever
may log in on this machine may open the status page.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable
from urllib.parse import urlsplit

from fastapi import Request, Response
from fastapi.responses import PlainTextResponse

from idp.errors import where

_log = logging.getLogger(__name__)

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_UNSPECIFIED = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - names them, does not bind
_SAFE_METHODS = frozenset({"GET", "HEAD"})

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not `no-referrer`: browsers would send `Origin: null` with our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}

_Next = Callable[[Request], Awaitable[Response]]


class Guard:
    """Refuses requests that are not meant for us, and sets the headers of all others."""

    def __init__(self, host: str, names: Iterable[str] = (), machines: Iterable[str] = ()) -> None:
        """Prepare.

        Args:
            host: The address listened on.
            names: Further host names to answer to.
            machines: Paths that programs call, with a secret of their own instead of a page.
        """
        self._machines = frozenset(machines)
        self._names = _LOOPBACK | {name.lower() for name in names}
        if host.lower() not in _UNSPECIFIED:
            self._names |= {host.lower().strip("[]")}

    async def __call__(self, request: Request, call_next: _Next) -> Response:
        """Answer 421 to a foreign host, 403 to a foreign page's request, 500 to a fault of ours."""
        if _host_name(request.headers.get("host", "")) not in self._names:
            response: Response = PlainTextResponse("unknown host name", status_code=421)
        elif (
            request.method not in _SAFE_METHODS
            and request.url.path not in self._machines
            and not _comes_from_us(request)
        ):
            response = PlainTextResponse("not from this page", status_code=403)
        else:
            try:
                response = await call_next(request)
            except Exception as error:
                # Logged here: a server's own traceback would quote values.
                _log.error("a page failed: %s", where(error))
                response = PlainTextResponse("the page failed; see the log", status_code=500)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response


def _host_name(header: str) -> str:
    """The name in a Host header, without port and brackets; empty when it makes no sense."""
    try:
        return urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return ""


def _comes_from_us(request: Request) -> bool:
    site = request.headers.get("sec-fetch-site")
    if site is not None and site != "same-origin":
        return False
    origin = request.headers.get("origin")
    if origin is not None:
        return urlsplit(origin).netloc.lower() == request.headers.get("host", "").lower()
    return site == "same-origin"
