# SPDX-License-Identifier: Apache-2.0
"""Who somebody is: by name and password, by a proxy that vouches for them, by their session.

A session is a random token of 256 bits in a cookie that scripts can't read; the store knows its
SHA-256 alone. It ends by signing out, after a time without use, after a time in any case, and at
once when the password changes or the person is removed.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress
import logging
import secrets
import threading
import time
from collections import OrderedDict, deque
from dataclasses import dataclass, field, replace
from typing import Literal

from fastapi import Request, Response

from idp.errors import IdpError
from idp.gate import passwords
from idp.slices import AccessSettings
from idp.store import PersonRow, Store

_log = logging.getLogger(__name__)

ADDRESS_FAILURES = 30
ADDRESS_SECONDS = 300.0
"""Most failures from one address within so many seconds; then it waits."""
_MOST_ADDRESSES = 10_000
_TOKEN_BYTES = 32
_MOST_TOKEN = 128

Refusal = Literal["wrong", "wait"]


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks; ``token`` is that of a session that began with this very request."""

    person: PersonRow
    session: str
    token: str | None = field(default=None, repr=False)
    vouched: bool = False
    """A trusted proxy says who it is: no password of ours was given."""

    @property
    def must_change(self) -> bool:
        """Whether they came in by a password that somebody else chose."""
        return self.person.must_change and not self.vouched


@dataclass(frozen=True, slots=True)
class Token:
    """What the browser is to keep; never logged."""

    text: str = field(repr=False)


class SignOn:
    """Opens and closes sessions, and tells whose a request is. Safe for threads; it blocks."""

    def __init__(self, store: Store, settings: AccessSettings, *, secure: bool) -> None:
        """Prepare.

        Args:
            store: Where people and sessions are.
            settings: Time limits, locks, the trusted proxy.
            secure: Browsers reach us by TLS only, and send the cookie no other way.
        """
        self._store = store
        self._settings = settings
        self._secure = secure
        # With the prefix browsers refuse the cookie from any other host or without TLS.
        self.cookie = "__Host-idp" if secure else "idp"
        self._failures = _Failures()

    def sign_in(self, name: str, password: str, address: str) -> Token | Refusal:
        """The token of a new session, or why there is none; see :meth:`check`."""
        person = self.check(name, password, address)
        return person if isinstance(person, str) else Token(self._open(person, "password"))

    def check(self, name: str, password: str, address: str) -> PersonRow | Refusal:
        """Whose name and password it is, ``wrong``, or ``wait`` for an address that guesses.

        A wrong name, a wrong password, a locked account and one without a password are told
        apart neither by the answer nor by its time.
        """
        if self._failures.too_many(address):
            _log.warning("sign-in: %s failed too often and must wait", address)
            return "wait"
        found = self._store.secret_of(name)
        right = passwords.fits(password, None if found is None else found.password_hash)
        if found is None:
            self._failures.add(address)
            _log.info("sign-in failed: no such person, from %s", address)
            return "wrong"
        person = found.person
        if found.locked:
            # Also the right password: else guessing goes on while the account is locked.
            self._failures.add(address)
            _log.info("sign-in failed: %s is locked, from %s", person.id, address)
            return "wrong"
        if not right:
            self._failures.add(address)
            locked = self._store.sign_in_failed(
                person.id,
                lock_after=self._settings.lock_after,
                lock=dt.timedelta(minutes=self._settings.lock_minutes),
            )
            _log.info("sign-in failed: %s, from %s", person.id, address)
            if locked is not None:
                _log.warning("sign-in: %s is locked until %s", person.id, locked.isoformat())
            return "wrong"
        assert found.password_hash is not None
        if passwords.is_dated(found.password_hash):
            self._store.improve_password(person.id, passwords.hashed(password, name="\0", fewest=1))
        return person

    def visitor(self, request: Request) -> Visitor | None:
        """Who asks, or ``None`` for anybody else."""
        named = self._named_by_proxy(request)
        if named is not None:
            found = self._by_cookie(request)
            if found is not None and found.person.name == named.name:
                return replace(found, vouched=True)
            token = self._open(named, "header")
            return Visitor(named, _sha256(token), token, vouched=True)
        return self._by_cookie(request)

    def sign_out(self, request: Request) -> None:
        """End the request's session."""
        token = request.cookies.get(self.cookie, "")
        if token:
            self._store.close_session(_sha256(token))

    def keep(self, response: Response, token: str) -> None:
        """Hand the token to the browser: unreadable for scripts, not sent along from elsewhere."""
        response.set_cookie(
            self.cookie, token, path="/", httponly=True, secure=self._secure, samesite="lax"
        )

    def forget(self, response: Response) -> None:
        """Take the token from the browser."""
        response.delete_cookie(
            self.cookie, path="/", httponly=True, secure=self._secure, samesite="lax"
        )

    def address(self, request: Request) -> str:
        """Where a request comes from; what a proxy says of it counts only if it is trusted."""
        peer = request.client.host if request.client is not None else ""
        if self._is_trusted(peer):
            said = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
            try:
                return str(ipaddress.ip_address(said))
            except ValueError:
                return peer
        return peer

    def _by_cookie(self, request: Request) -> Visitor | None:
        token = request.cookies.get(self.cookie, "")
        if not token or len(token) > _MOST_TOKEN:
            return None
        session = _sha256(token)
        person = self._store.session_of(
            session, idle=dt.timedelta(minutes=self._settings.idle_minutes)
        )
        return None if person is None else Visitor(person, session)

    def _named_by_proxy(self, request: Request) -> PersonRow | None:
        """Whom a trusted proxy vouches for; the account must exist, nobody is made here."""
        header = self._settings.header
        peer = request.client.host if request.client is not None else ""
        if header is None or not self._is_trusted(peer):
            return None
        values = request.headers.getlist(header)
        if len(values) != 1 or not values[0].strip():
            return None
        try:
            return self._store.person(values[0])
        except IdpError:
            return None

    def _is_trusted(self, peer: str) -> bool:
        try:
            address = ipaddress.ip_address(peer)
        except ValueError:
            return False
        return any(address in net for net in self._settings.trusted_networks)

    def _open(self, person: PersonRow, how: str) -> str:
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        self._store.open_session(
            person.id,
            _sha256(token),
            lasts=dt.timedelta(hours=self._settings.session_hours),
            how=how,
        )
        return token


class _Failures:
    """Failed attempts by address, the last ones only; forgotten at a restart."""

    def __init__(self) -> None:
        self._times: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def too_many(self, address: str) -> bool:
        with self._lock:
            times = self._times.get(address)
            limit = time.monotonic() - ADDRESS_SECONDS
            return times is not None and len(times) == ADDRESS_FAILURES and times[0] > limit

    def add(self, address: str) -> None:
        with self._lock:
            times = self._times.setdefault(address, deque(maxlen=ADDRESS_FAILURES))
            self._times.move_to_end(address)
            times.append(time.monotonic())
            while len(self._times) > _MOST_ADDRESSES:
                self._times.popitem(last=False)


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
