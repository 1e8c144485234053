# SPDX-License-Identifier: Apache-2.0
"""One request to an Odoo server and its answer: time-outs, TLS, limits, and who is to blame.

Both protocols go through here, so that a refused connection, a cut one and an answer of something
else than Odoo mean the same in both. What is sent and answered is never logged, and no exception
holds a request: it would carry the API key.
"""

from __future__ import annotations

import http.cookiejar
import json
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx

from idp.errors import OdooError, OdooRefusedError, OdooUncertainError, OdooUnreachableError
from idp.slices import OdooSettings

MOST_ANSWER_BYTES = 64 * 1024 * 1024
"""A longer answer is not read to its end; the contract's longest are a few hundred kilobytes."""

_MOST_CONNECTIONS = 16
_IDLE_SECONDS = 4.0
"""Servers and proxies close idle connections, some after five seconds: ours go before."""

_NOT_ODOO = "something else than Odoo answers at"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whole. ``repr`` shows no content."""

    status: int
    date: str
    body: bytes

    def __repr__(self) -> str:
        return f"Answer({self.status}, {len(self.body)} bytes)"

    def json(self) -> Any:
        """The content, or ``None`` where it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


class Wire:
    """Connections to one server, kept open between requests. Safe for threads."""

    def __init__(self, settings: OdooSettings) -> None:
        """Open; nothing is asked yet.

        Raises:
            OdooError: ``deliver.odoo.url`` or ``deliver.odoo.ca`` is of no use.
        """
        self.address = address_of(settings)
        self._seconds = settings.request_seconds
        self._client = httpx.Client(
            timeout=httpx.Timeout(settings.request_seconds, connect=settings.connect_seconds),
            verify=_trusted(settings.ca),
            limits=httpx.Limits(
                max_connections=_MOST_CONNECTIONS,
                max_keepalive_connections=_MOST_CONNECTIONS,
                keepalive_expiry=_IDLE_SECONDS,
            ),
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
            cookies=http.cookiejar.CookieJar(
                # A session of Odoo's would count more than the key.
                http.cookiejar.DefaultCookiePolicy(allowed_domains=[])
            ),
            # Neither a proxy nor a .netrc that somebody left in the environment.
            trust_env=False,
            # The key goes to this address and to none that it names.
            follow_redirects=False,
        )

    def __repr__(self) -> str:
        return f"Wire({self.address!r})"

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def get(self, path: str) -> Answer:
        """As :meth:`post`, of what changes nothing."""
        return self._exchange("GET", path, None, {})

    def post(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> Answer:
        """Send JSON and wait for the whole answer, whatever its status.

        Raises:
            OdooUnreachableError: Nothing of it was sent.
            OdooUncertainError: Some or all of it was sent and no whole answer came.
        """
        return self._exchange(
            "POST", path, body, {"Content-Type": "application/json", **(headers or {})}
        )

    def _exchange(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Answer:
        try:
            return self._ask(method, path, body, headers)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise OdooUnreachableError(f"{self.address}: {_why(error)}") from None
        except httpx.TimeoutException:
            told = f"no answer within {self._seconds:g} s"
            raise OdooUncertainError(f"{self.address}: {told}") from None
        except (httpx.HTTPError, httpx.StreamError) as error:
            told = f"the connection was lost ({type(error).__name__})"
            raise OdooUncertainError(f"{self.address}: {told}") from None

    def _ask(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Answer:
        content = bytearray()
        url = f"{self.address}/{path.lstrip('/')}"
        with self._client.stream(method, url, content=body, headers=headers) as response:
            deadline = time.monotonic() + self._seconds
            for piece in response.iter_bytes():
                content += piece
                if len(content) > MOST_ANSWER_BYTES:
                    told = f"an answer of more than {MOST_ANSWER_BYTES} bytes"
                    raise OdooUncertainError(f"{self.address}: {told}")
                if time.monotonic() > deadline:
                    told = f"no whole answer within {self._seconds:g} s"
                    raise OdooUncertainError(f"{self.address}: {told}")
            return Answer(response.status_code, response.headers.get("Date", ""), bytes(content))

    def not_odoo(self, answer: Answer) -> OdooError:
        """What an answer means that is none of Odoo's own: a proxy's, mostly."""
        status = answer.status
        where = f"{self.address} (status {status})"
        if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return OdooRefusedError(
                f"{where}: the request is larger than the server or a proxy before it takes",
                hint="Lower deliver.odoo.batch_megabytes, or raise the proxy's largest request.",
            )
        if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            return OdooUnreachableError(
                f"{where}: the address leads elsewhere, and the key is not sent there",
                hint="Write the address itself as deliver.odoo.url (https, the final host).",
            )
        if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
            # Odoo itself would have answered in its own words: it has not seen it.
            return OdooUnreachableError(f"{_NOT_ODOO} {where}")
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return OdooUncertainError(f"{where}: the server, or a proxy before it, failed")
        return OdooUncertainError(f"{_NOT_ODOO} {where}")


def address_of(settings: OdooSettings) -> str:
    """Scheme, host, port and path, in one spelling; raises :class:`OdooError` where it is none."""
    told = "deliver.odoo.url is no address: it must be as https://odoo.example.org"
    try:
        url = httpx.URL((settings.url or "").strip())
    except httpx.InvalidURL:
        raise OdooError(told) from None
    if url.scheme not in ("http", "https") or not url.host or url.userinfo or url.query:
        raise OdooError(told)
    # httpx leaves a scheme's own port out.
    return f"{url.scheme}://{url.netloc.decode()}{url.path.rstrip('/')}"


def _trusted(ca: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca)
    except (OSError, ssl.SSLError):
        raise OdooError("deliver.odoo.ca holds no certificates, or can't be read") from None


def _why(error: BaseException) -> str:
    """The innermost reason, in words of the system's, never in the server's."""
    if isinstance(error, httpx.ConnectTimeout):
        return "no connection in time"
    if isinstance(error, httpx.PoolTimeout):
        return "all connections are in use"
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, ssl.SSLCertVerificationError):
            return f"the certificate is not trusted ({inner.verify_message})"
        if isinstance(inner, ssl.SSLError):
            return f"TLS fails ({inner.reason or type(inner).__name__})"
        if isinstance(inner, OSError) and inner.strerror:
            return inner.strerror
        inner = inner.__cause__ or inner.__context__
    return "it can't be reached"
