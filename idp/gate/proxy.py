# SPDX-License-Identifier: Apache-2.0
"""From a person's browser to Label Studio and back: what the rules allow, and no more of it.

Requests go on with a few harmless headers and the person's own session there; the browser's
cookies, tokens and forwarding headers stay outside. Answers come back without Label Studio's
cookies and policies. Nothing of it is logged but ids, methods and numbers.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterator
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
from fastapi import Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.requests import ClientDisconnect

from idp.errors import ReviewError
from idp.gate.ahead import Ahead
from idp.gate.apart import Apart
from idp.gate.bundles import MOST_BYTES_EACH, Bundles, answer_with
from idp.gate.label_studio import Upstream, Users
from idp.gate.own_files import address_of
from idp.gate.routes import Rule, numbers, rule_for, shipped_rules
from idp.store import PersonRow, Role

_log = logging.getLogger(__name__)

MOST_REQUEST_BYTES = 8 * 1024 * 1024
"""A review of a long remittance is some hundred kilobytes."""
MOST_JSON_BYTES = 32 * 1024 * 1024
_MOST_PEOPLE = 1000
_MOST_TASKS = 500
_MOST_LOGGED = 120

PAGE = re.compile(r"pages/([A-Za-z0-9_-]{1,64})/p([1-9][0-9]{0,4})\.png")
"""Where a page image lies below the review folder: its document and its number."""

LABEL_STUDIO_POLICY = (
    # Its pages carry scripts and styles in themselves, and its editor compiles expressions. What
    # stays closed is the way out: no other origin is read, sent to, framed or submitted to.
    "default-src 'none'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self' blob: data:; worker-src 'self' blob:; media-src 'none'; object-src 'none'; "
    "form-action 'self'; frame-src 'none'; frame-ancestors 'none'; base-uri 'none'"
)

_TO_LABEL_STUDIO = (
    "accept",
    "accept-language",
    "content-type",
    "if-modified-since",
    "if-none-match",
    "range",
    "x-requested-with",
)
_AHEAD = {"accept": "application/json"}
_FROM_LABEL_STUDIO = frozenset(
    {
        "accept-ranges",
        "content-disposition",
        "content-language",
        "content-range",
        "content-type",
        "etag",
        "last-modified",
        "vary",
    }
)
_Key = TypeVar("_Key")

MOST_PAGE_BYTES = 2 * 1024 * 1024
"""Label Studio's HTML is some forty kilobytes."""
_FIRST_BUNDLE = b'<script src="/react-app/'
_OUR_SCRIPT = f'<script src="{address_of("screen.js")}"></script>\n'.encode("ascii")
"""Before Label Studio's own, and after the settings that they read."""


class Shown:
    """What Label Studio handed out to whom: tasks, and the documents whose pages are in them.

    Kept in memory and bounded; after a restart a browser that reloads is handed it again.
    """

    def __init__(self) -> None:
        self._of: OrderedDict[str, tuple[OrderedDict[int, None], OrderedDict[str, None]]] = (
            OrderedDict()
        )

    def note(self, person_id: str, told: Any) -> None:
        """Take note of the tasks in an answer: one task, or what one did before."""
        tasks, documents = self._of.setdefault(person_id, (OrderedDict(), OrderedDict()))
        self._of.move_to_end(person_id)
        while len(self._of) > _MOST_PEOPLE:
            self._of.popitem(last=False)
        for each in told if isinstance(told, list) else [told]:
            if not isinstance(each, dict):
                continue
            task = each.get("taskId", each.get("id"))
            if isinstance(task, int):
                _keep(tasks, task)
            for text in _texts(each.get("data")):
                for match in PAGE.finditer(text):
                    _keep(documents, match[1])

    def has_task(self, person_id: str, task: int) -> bool:
        """Whether the task was handed to the person."""
        return person_id in self._of and task in self._of[person_id][0]

    def has_document(self, person_id: str, document_id: str) -> bool:
        """Whether a page of the document is in a task that was handed to the person."""
        return person_id in self._of and document_id in self._of[person_id][1]


class Proxy:
    """Forwards requests of people who are signed in; lives in one event loop."""

    def __init__(
        self,
        upstream: Callable[[], Upstream],
        key: bytes,
        remember: Callable[[str, int], None],
        seconds: float,
        apart: Apart,
    ) -> None:
        """Prepare; nothing is connected yet.

        Args:
            upstream: Where Label Studio is now; raises :class:`ReviewError`.
            key: What people's passwords in Label Studio are derived from.
            remember: Told a person's id and their number in Label Studio; it may block.
            seconds: Longest wait for one answer.
            apart: Knows what is not for somebody.
        """
        self._apart = apart
        self._upstream = upstream
        # The jar takes nothing: a cookie of one person must never go out with another's request.
        nothing = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
        self._client = httpx.AsyncClient(
            cookies=nothing,
            timeout=seconds,
            follow_redirects=False,
            trust_env=False,
            limits=httpx.Limits(max_connections=64, max_keepalive_connections=16),
        )
        self._users = Users(self._client, upstream, key, remember)
        self._rules = shipped_rules()
        self.shown = Shown()
        self._bundles = Bundles()
        self._ahead = Ahead(lambda who, at, headers: self._request("GET", who, at, headers, b""))

    async def __call__(self, request: Request, person: PersonRow) -> Response:
        """Label Studio's answer; 403 for what the role may not, 502 when it can't be reached."""
        raw_path: bytes = request.scope.get("raw_path") or request.url.path.encode()
        raw_query: bytes = request.scope.get("query_string", b"")
        rule = rule_for(self._rules, person.role, request.method, raw_path, raw_query)
        if rule is None or await asyncio.to_thread(
            self._apart.is_closed, person, request.url.path, raw_query
        ):
            return _refused(request, person)
        if rule.instead is not None:
            return JSONResponse(rule.instead)
        body = await _body(request)
        if body is None:
            return PlainTextResponse("too large", status_code=413)
        if rule.body is not None and not _only(body, rule.body):
            return _refused(request, person)
        try:
            return await self._forward(request, person, rule, body)
        except (httpx.HTTPError, ReviewError) as error:
            _log.warning("gate: Label Studio does not answer: %s", type(error).__name__)
            return PlainTextResponse("the review screen is not ready; try again", status_code=502)

    async def _forward(
        self, request: Request, person: PersonRow, rule: Rule, body: bytes
    ) -> Response:
        """Label Studio's answer to what a rule lets through, if it is about the person's own."""
        path = request.scope["path"]
        raw_query: bytes = request.scope.get("query_string", b"")
        if not await self._checked(rule, person, path):
            return _refused(request, person)
        if rule.check == "next":
            raw_query = await asyncio.to_thread(self._apart.narrowed, person, raw_query)
        target = f"{path}?{raw_query.decode('ascii')}" if raw_query else path
        if rule.answer == "bundle" and request.method == "GET" and "range" not in request.headers:
            return await self._bundle(request, person, target)
        answer = await self._send(request, person, target, body)
        if rule.answer == "json":
            read = await self._read(answer, person, next_one=rule.check == "next")
            return _refused(request, person) if read is None else read
        if rule.answer == "page":
            if answer.is_success:
                (project,) = numbers(path)
                ahead = [each.replace("{n}", str(project)) for each in rule.ahead]
                language = request.headers.get("accept-language", "en")
                self._ahead.begin(person, ahead, {**_AHEAD, "accept-language": language})
            return await _with_our_script(answer)
        return _streamed(answer)

    async def ask(self, person: PersonRow, target: str) -> Any:
        """What Label Studio answers to a question of our own pages, in this person's name.

        Raises:
            ReviewError: It can't be reached, or answers with something else than JSON.
        """
        try:
            answer = await self._request("GET", person, target, {"accept": "application/json"}, b"")
            try:
                return _parsed(await _whole(answer))
            finally:
                await answer.aclose()
        except (httpx.HTTPError, ValueError) as error:
            raise ReviewError(f"Label Studio: {type(error).__name__}") from error

    async def _checked(self, rule: Rule, person: PersonRow, path: str) -> bool:
        """Whether the thing that a request is about is the person's to touch."""
        if rule.check in {"served", "answer"}:
            task = numbers(path)[0]
            if person.role is Role.REVIEWER and not self.shown.has_task(person.id, task):
                return False
            if rule.check == "answer":
                return await asyncio.to_thread(self._apart.may_answer, person, task)
        if rule.check == "own":
            thing = f"{path.rstrip('/')}/"
            try:
                told = await self.ask(person, thing)
            except ReviewError:
                return False
            owner = told.get("completed_by", told.get("user")) if isinstance(told, dict) else None
            if isinstance(owner, dict):
                owner = owner.get("id")
            return owner is not None and owner == self._users.number(person)
        return True

    async def _send(
        self, request: Request, person: PersonRow, target: str, body: bytes
    ) -> httpx.Response:
        if request.method == "GET":
            known = await self._ahead.take(person, target)
            if known is not None:
                return known
        elif request.method != "HEAD":
            self._ahead.forget(person)
        return await self._request(request.method, person, target, _passed_on(request), body)

    async def _request(
        self, method: str, person: PersonRow, target: str, headers: dict[str, str], body: bytes
    ) -> httpx.Response:
        """Send it with the person's session; once more when that has ended."""
        cookie = await self._users.cookie(person)
        answer = await self._try(method, target, {**headers, "cookie": cookie}, body)
        if _is_signed_out(answer):
            # Label Studio turned it away before it did anything: sending it again is no repeat.
            await answer.aclose()
            cookie = await self._users.cookie(person, instead_of=cookie)
            answer = await self._try(method, target, {**headers, "cookie": cookie}, body)
        return answer

    async def _try(
        self, method: str, target: str, headers: dict[str, str], body: bytes
    ) -> httpx.Response:
        request = self._client.build_request(
            method, f"{self._upstream().url}{target}", headers=headers, content=body
        )
        return await self._client.send(request, stream=True)

    async def _bundle(self, request: Request, person: PersonRow, target: str) -> Response:
        """A file of Label Studio's program; it is asked for once, and kept."""
        held = self._bundles.get(target)
        if held is None:
            answer = await self._request("GET", person, target, {"accept": "*/*"}, b"")
            if not answer.is_success:
                return _streamed(answer)
            # Label Studio does not say how long its files are: what is too long shows on the way.
            chunks = answer.aiter_bytes()
            content = await _beginning(answer, chunks, MOST_BYTES_EACH)
            if len(content) > MOST_BYTES_EACH:
                return _streamed(answer, content, chunks)
            await answer.aclose()
            kind = answer.headers.get("content-type", "application/octet-stream")
            held = await self._bundles.put(target, kind, content)
        response = answer_with(held, request, target)
        response.headers["Content-Security-Policy"] = LABEL_STUDIO_POLICY
        return response

    async def _read(
        self, answer: httpx.Response, person: PersonRow, *, next_one: bool
    ) -> Response | None:
        """An answer that was read, and note taken of the tasks in it; none if it is not for them.

        Args:
            answer: Of Label Studio.
            person: Who asked.
            next_one: Whether it is the next task.
        """
        try:
            content = await _whole(answer)
        finally:
            await answer.aclose()
        if answer.is_success:
            try:
                told = _parsed(content)
            except ValueError:
                _log.warning("gate: Label Studio's answer is no JSON")
                return None
            if not self._apart.may_see(person, told, next_one=next_one):
                return None
            self.shown.note(person.id, told)
        return Response(content, answer.status_code, _kept(answer))


async def _with_our_script(answer: httpx.Response) -> Response:
    """A page of Label Studio's, with our script for the keyboard in it."""
    try:
        content = await _whole(answer, MOST_PAGE_BYTES)
    finally:
        await answer.aclose()
    if answer.is_success and "html" in answer.headers.get("content-type", ""):
        before, bundle, after = content.partition(_FIRST_BUNDLE)
        if not bundle:
            _log.warning("gate: no place for the screen's script: is it Label Studio 1.23.2?")
        else:
            content = before + _OUR_SCRIPT + bundle + after
    return Response(content, answer.status_code, _kept(answer))


def _passed_on(request: Request) -> dict[str, str]:
    """The headers of a request that reach Label Studio."""
    return {name: request.headers[name] for name in _TO_LABEL_STUDIO if name in request.headers}


def _refused(request: Request, person: PersonRow) -> Response:
    path = request.url.path[:_MOST_LOGGED]
    shown = re.sub(r"[^A-Za-z0-9/._-]", "?", path)
    _log.info("gate: refused %s %s to %s (%s)", request.method, shown, person.id, person.role)
    return PlainTextResponse("not for your role", status_code=403)


def _is_signed_out(answer: httpx.Response) -> bool:
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        return True
    return answer.is_redirect and urlsplit(answer.headers.get("location", "")).path.startswith(
        "/user/login"
    )


async def _body(request: Request) -> bytes | None:
    """What a request brings, ``None`` when it is over the limit or its sender went away."""
    content = bytearray()
    try:
        async for chunk in request.stream():
            content += chunk
            if len(content) > MOST_REQUEST_BYTES:
                return None
    except ClientDisconnect:
        # A browser that goes on to another page does it; nobody is there to be answered.
        return None
    return bytes(content)


def _only(body: bytes, keys: tuple[str, ...]) -> bool:
    """Whether a body is a JSON object without other keys; none at all is fine."""
    if not body:
        return True
    try:
        told = _parsed(body)
    except ValueError:
        return False
    return isinstance(told, dict) and set(told) <= set(keys)


def _parsed(content: bytes) -> Any:
    """JSON, refused when an object names a key twice: two readers might take different ones."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("a key twice")
        return found

    try:
        return json.loads(content, object_pairs_hook=once)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


async def _whole(answer: httpx.Response, most: int = MOST_JSON_BYTES) -> bytes:
    content = bytearray()
    async for chunk in answer.aiter_bytes():
        content += chunk
        if len(content) > most:
            raise ReviewError("Label Studio's answer is too large")
    return bytes(content)


async def _beginning(answer: httpx.Response, chunks: AsyncIterator[bytes], most: int) -> bytes:
    """An answer to its end, or until it is more than so many bytes; closed when it breaks off."""
    content = bytearray()
    try:
        async for chunk in chunks:
            content += chunk
            if len(content) > most:
                break
    except BaseException:
        await answer.aclose()
        raise
    return bytes(content)


def _kept(answer: httpx.Response) -> dict[str, str]:
    """The headers of an answer that reach the browser; a redirection stays on this host."""
    headers = {name: value for name, value in answer.headers.items() if name in _FROM_LABEL_STUDIO}
    if answer.is_redirect:
        to = urlsplit(answer.headers.get("location", "/"))
        headers["location"] = f"{to.path or '/'}?{to.query}" if to.query else to.path or "/"
    headers["Content-Security-Policy"] = LABEL_STUDIO_POLICY
    return headers


def _streamed(
    answer: httpx.Response, begun: bytes = b"", rest: AsyncIterator[bytes] | None = None
) -> Response:
    """An answer as it comes in; the connection is given back when the browser leaves.

    Args:
        answer: Of Label Studio.
        begun: What was read of it already.
        rest: What is left of it then.
    """

    async def content() -> AsyncIterator[bytes]:
        try:
            if begun:
                yield begun
            async for chunk in rest if rest is not None else answer.aiter_bytes():
                yield chunk
        finally:
            await answer.aclose()

    return StreamingResponse(content(), answer.status_code, _kept(answer))


def _texts(value: Any, depth: int = 6) -> Iterator[str]:
    """Every text in a JSON value, not deeper than it makes sense."""
    if isinstance(value, str):
        yield value
    elif depth and isinstance(value, (list, dict)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each, depth - 1)


def _keep(held: OrderedDict[_Key, None], key: _Key) -> None:
    held[key] = None
    held.move_to_end(key)
    while len(held) > _MOST_TASKS:
        held.popitem(last=False)
