# SPDX-License-Identifier: Apache-2.0
"""Each person's own user in Label Studio, made and signed in by the gate; nobody else can be it.

The community edition has no roles and no single sign-on: its session cookie and its passwords stay
in here, browsers never see them. A password is derived from a key of this machine and the person's
id, so that nothing more is stored and a restart, or a Label Studio that was set up anew, is met by
signing in, or up, again.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import logging
from collections.abc import Callable
from typing import Any, NamedTuple

import httpx

from idp.errors import ReviewError
from idp.store import PersonRow

_log = logging.getLogger(__name__)

_MAIL_DOMAIN = "people.invalid"
"""Nobody's address (RFC 2606), and no name in it: an id of ours."""
_JWT_DOTS = 2


class Upstream(NamedTuple):
    """Where Label Studio is, and the token of the appliance's own account there."""

    url: str
    token: str

    def __repr__(self) -> str:
        return f"Upstream({self.url!r})"


class Users:
    """Sessions in Label Studio, one a person; lives in one event loop."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        upstream: Callable[[], Upstream],
        key: bytes,
        remember: Callable[[str, int], None],
    ) -> None:
        """Prepare.

        Args:
            client: Without cookies of its own.
            upstream: Where Label Studio is now; raises :class:`ReviewError`.
            key: What passwords there are derived from; of this machine alone.
            remember: Told a person's id and their number in Label Studio; it may block.
        """
        self._client = client
        self._upstream = upstream
        self._key = key
        self._remember = remember
        self._cookies: dict[str, str] = {}
        self._numbers: dict[str, int] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def cookie(self, person: PersonRow, *, instead_of: str | None = None) -> str:
        """The ``Cookie`` header of this person's session there.

        Args:
            person: Who.
            instead_of: The one that Label Studio did not accept any more.

        Raises:
            ReviewError: Label Studio can't be reached, or refuses to make or admit the user.
        """
        async with self._locks.setdefault(person.id, asyncio.Lock()):
            held = self._cookies.get(person.id)
            if held is not None and held != instead_of:
                return held
            try:
                cookie = await self._sign_in(person) or await self._sign_up(person)
                number = await self._who(cookie, person)
            except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
                raise ReviewError(f"Label Studio: {type(error).__name__} at sign-on") from error
            # Remembered before anything is done in its name: `completed_by` must mean somebody.
            await asyncio.to_thread(self._remember, person.id, number)
            self._numbers[person.id] = number
            self._cookies[person.id] = cookie
            return cookie

    def number(self, person: PersonRow) -> int | None:
        """Who the person is there; known once they have a cookie."""
        return self._numbers.get(person.id)

    async def _sign_in(self, person: PersonRow) -> str | None:
        """A session's cookie, or ``None`` when the user is not there (or has another password)."""
        return await self._post_form("/user/login/", person)

    async def _sign_up(self, person: PersonRow) -> str:
        """Make the user through the organisation's invitation."""
        upstream = self._upstream()
        answer = await self._client.get(
            f"{upstream.url}/api/invite", headers={"Authorization": await self._ours(upstream)}
        )
        if answer.status_code != httpx.codes.OK:
            raise ReviewError(f"Label Studio: {answer.status_code} at the invitation")
        address = "/" + str(answer.json()["invite_url"]).partition("/user/")[2]
        cookie = await self._post_form(f"/user{address}", person)
        if cookie is None:
            raise ReviewError(
                f"Label Studio does not admit {person.id}",
                hint="Its user has another password: was review/gate-key replaced? Delete that "
                "user in Label Studio, or restore the key from the backup.",
            )
        _log.info("made a Label Studio user for %s", person.id)
        return cookie

    async def _post_form(self, path: str, person: PersonRow) -> str | None:
        upstream = self._upstream()
        page = await self._client.get(f"{upstream.url}{path}")
        csrf = _set_cookies(page).get("csrftoken", "")
        answer = await self._client.post(
            f"{upstream.url}{path}",
            data={
                "email": f"{person.id}@{_MAIL_DOMAIN}",
                "password": self._password(person),
                "persist_session": "on",
                "csrfmiddlewaretoken": csrf,
            },
            headers={"Cookie": f"csrftoken={csrf}", "Referer": f"{upstream.url}{path}"},
        )
        session = _set_cookies(answer).get("sessionid")
        if answer.status_code not in (301, 302, 303) or session is None:
            return None
        return f"sessionid={session}"

    async def _who(self, cookie: str, person: PersonRow) -> int:
        """The user's number; the sign-in name is shown beside their work in Label Studio."""
        upstream = self._upstream()
        answer = await self._client.get(
            f"{upstream.url}/api/current-user/whoami", headers={"Cookie": cookie}
        )
        answer.raise_for_status()
        told: dict[str, Any] = answer.json()
        number = int(told["id"])
        if told.get("first_name") != person.name:
            await self._client.patch(
                f"{upstream.url}/api/users/{number}/",
                json={"first_name": person.name},
                headers={"Cookie": cookie},
            )
        return number

    async def _ours(self, upstream: Upstream) -> str:
        """The header of the appliance's own token, be it a legacy or a personal access token."""
        if upstream.token.count(".") != _JWT_DOTS:
            return f"Token {upstream.token}"
        answer = await self._client.post(
            f"{upstream.url}/api/token/refresh/", json={"refresh": upstream.token}
        )
        answer.raise_for_status()
        return f"Bearer {answer.json()['access']}"

    def _password(self, person: PersonRow) -> str:
        mac = hmac.digest(self._key, f"label-studio {person.id}".encode(), "sha256")
        return base64.urlsafe_b64encode(mac).decode("ascii").rstrip("=")


def _set_cookies(answer: httpx.Response) -> dict[str, str]:
    """The cookies that an answer sets, whatever path and flags they are for."""
    found: dict[str, str] = {}
    for line in answer.headers.get_list("set-cookie"):
        name, _, value = line.partition(";")[0].partition("=")
        found[name.strip()] = value.strip()
    return found
