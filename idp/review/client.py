# SPDX-License-Identifier: Apache-2.0
"""The few calls of Label Studio's REST interface that feeding and emptying the queue needs.

Its Python SDK does the same at half a gigabyte (pandas, OpenCV and more) and repeats requests by
itself, which for an import makes doubles; so the appliance speaks HTTP, and the SDK stays in Label
Studio's own environment, where projects are set up. Every call has a time limit, answers a limit
of bytes; redirects are refused, proxies of the environment are not asked: pages and values must not
go anywhere else.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Self

import httpx

from idp.errors import ReviewError, ReviewRefusedError

DOCUMENT_ID = "document_id"
ROUND = "review_round"
PAGES = "pages"
"""Names in a task's data: which document it shows, in which round of its review, on which pages."""

_MOST_BYTES = 256 << 20
_PAGE = 50
"""Tasks asked for in one page with all that people did: some 50 kB each."""
_LONG_PAGE = 500
"""The same without."""
_LOOKED_UP = 50
"""Documents named in one question: Label Studio's filters grow with them."""

_OK = range(200, 300)
_UNAUTHORIZED, _NOT_FOUND = 401, 404
_OF_THE_REQUEST = frozenset({400, 413, 422})


@dataclass(frozen=True, slots=True)
class Annotation:
    """What one person submitted or skipped; ``content`` is as Label Studio has it."""

    id: int
    task: Task
    by: int | None
    """Label Studio's number of the person."""
    updated_at: dt.datetime
    seconds: float | None
    skipped: bool
    content: Mapping[str, Any]

    @property
    def key(self) -> str:
        """Names this revision of it for good, also when numbers are given anew."""
        stamp = self.updated_at.astimezone(dt.UTC).isoformat(timespec="microseconds")
        return f"{self.task.document_id}/{self.id}@{stamp}"


@dataclass(frozen=True, slots=True)
class Task:
    """One task: its number, and the document that it shows (none: it is not ours)."""

    id: int
    document_id: str | None
    round: int
    whole: bool = True
    """Whether the values to be checked are there too: a killed import may have left them out."""


class Client:
    """Speaks to one Label Studio. Not safe for threads."""

    def __init__(self, url: str, token: str, *, seconds: float = 30.0) -> None:
        """Open; nothing is asked yet.

        Args:
            url: Its address.
            token: A personal access token (JWT) or one of the older kind.
            seconds: Longest wait for one answer.
        """
        self._token = token
        self._renewable = token.count(".") == 2
        self._access = "" if self._renewable else f"Token {token}"
        self._http = httpx.Client(
            base_url=url.rstrip("/"),
            timeout=httpx.Timeout(seconds, connect=min(seconds, 5.0)),
            follow_redirects=False,
            trust_env=False,
            headers={"Accept": "application/json"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def add(self, project: int, tasks: Sequence[Mapping[str, Any]]) -> tuple[int, ...]:
        """Import tasks, all or none; their numbers in the same order.

        Not to be repeated without :meth:`find` before it: Label Studio takes the same twice.

        Raises:
            ReviewRefusedError: It takes none of them as they are.
            ReviewError: It can't be reached, or does not answer: they may be there or not.
        """
        answer = self._call(
            "POST",
            f"/api/projects/{project}/import",
            params={"return_task_ids": "true"},
            content=tasks,
        )
        ids = answer.get("task_ids") if isinstance(answer, dict) else None
        if not isinstance(ids, list) or len(ids) != len(tasks):
            raise ReviewError(f"project {project}: an import gave no task numbers")
        return tuple(int(each) for each in ids)

    def find(self, project: int, document_ids: Sequence[str]) -> tuple[Task, ...]:
        """All tasks of a project that show one of these documents, oldest first."""
        found: list[Task] = []
        for start in range(0, len(document_ids), _LOOKED_UP):
            items = [
                _filter(f"data.{DOCUMENT_ID}", "equal", "String", each)
                for each in document_ids[start : start + _LOOKED_UP]
            ]
            query = {"filters": {"conjunction": "or", "items": items}}
            found.extend(
                replace(_as_task(raw), whole=bool(raw.get("predictions")))
                for raw in self._listed(
                    project, query, size=_LONG_PAGE, fields="all", include="id,data,predictions"
                )
            )
        wanted = set(document_ids)  # whatever its filters take for equal
        return tuple(sorted((t for t in found if t.document_id in wanted), key=lambda t: t.id))

    def tasks(self, project: int) -> Iterator[Task]:
        """All tasks of a project."""
        for raw in self._listed(
            project, {}, size=_LONG_PAGE, fields="task_only", include="id,data"
        ):
            yield _as_task(raw)

    def count(self, project: int) -> int:
        """How many tasks a project has."""
        answer = self._call("GET", f"/api/projects/{project}/", params={"include": "task_number"})
        return int(answer["task_number"])

    def answer_counts(self, projects: Sequence[int]) -> dict[int, tuple[int, int]]:
        """How many answers and skips each project has: one cheap question for all of them."""
        wanted = ("total_annotations_number", "skipped_annotations_number")
        answer = self._call(
            "GET",
            "/api/projects/",
            params={
                "ids": ",".join(str(each) for each in projects),
                "include": ",".join(("id", *wanted)),
                "page_size": str(len(projects)),
            },
        )
        return {
            int(each["id"]): (int(each[wanted[0]] or 0), int(each[wanted[1]] or 0))
            for each in answer["results"]
        }

    def answered(self, project: int, since: dt.datetime | None = None) -> Iterator[Annotation]:
        """Everything on tasks that people submitted; only those touched after ``since``."""
        items = [_filter("total_annotations", "greater", "Number", 0), *_touched_after(since)]
        return self._annotations(project, items)

    def skipped(self, project: int, since: dt.datetime | None = None) -> Iterator[Annotation]:
        """Everything on tasks that people skipped; only those touched after ``since``."""
        items = [_filter("cancelled_annotations", "greater", "Number", 0), *_touched_after(since)]
        return self._annotations(project, items)

    def annotated(self, project: int) -> Iterator[tuple[Task, int]]:
        """Every annotation that is there, skips too, by its task and number.

        Label Studio writes an annotation and counts it in two steps. Killed between them, it never
        counts it, and :meth:`answered` misses it; this asks for the annotations themselves.
        """
        items = [_filter("annotators", "empty", "List", "false")]
        query = {"filters": {"conjunction": "and", "items": items}}
        for raw in self._listed(
            project, query, size=_LONG_PAGE, fields="all", include="id,data,annotations"
        ):
            for annotation in raw.get("annotations") or ():
                yield _as_task(raw), int(annotation["id"])

    def annotation(self, task: Task, number: int) -> Annotation | None:
        """One annotation of a task, ``None`` when it is gone."""
        found = self._call("GET", f"/api/annotations/{number}/", missing=None)
        if found is None or found.get("task") != task.id:
            return None
        return _as_annotation(task, found)

    def relink(self, task: Task, pages: Sequence[str]) -> bool:
        """Put other page addresses into a task, if it still shows that document in that round."""
        found = self._call("GET", f"/api/tasks/{task.id}/", missing=None)
        if found is None or replace(_as_task(found), whole=task.whole) != task:
            return False
        data = {**found["data"], PAGES: list(pages)}
        self._call("PATCH", f"/api/tasks/{task.id}/", content={"data": data})
        return True

    def remove(self, task_id: int, document_id: str) -> None:
        """Delete a task if it is still that document's; one that is gone already is no error."""
        found = self._call("GET", f"/api/tasks/{task_id}/", missing=None)
        if found is not None and _as_task(found).document_id == document_id:
            self._call("DELETE", f"/api/tasks/{task_id}/", missing=None)

    def person(self, number: int) -> str:
        """The mail address of a person, by which the gate knows them."""
        found = self._call("GET", f"/api/users/{number}/", missing=None)
        return str((found or {}).get("email") or f"user {number}")

    def _annotations(
        self, project: int, items: Sequence[Mapping[str, Any]]
    ) -> Iterator[Annotation]:
        query = {
            "filters": {"conjunction": "and", "items": items},
            "ordering": ["tasks:updated_at"],
        }
        # Asked for by name, annotations would come as bare numbers.
        for raw in self._listed(project, query, size=_PAGE, fields="all"):
            task = _as_task(raw)
            for content in raw.get("annotations") or ():
                yield _as_annotation(task, content)

    def _listed(
        self, project: int, query: Mapping[str, Any], *, size: int, **params: str
    ) -> Iterator[dict[str, Any]]:
        """The tasks of all pages. Nothing may be deleted while it runs, or some are passed over."""
        page, seen = 1, 0
        while True:
            answer = self._call(
                "GET",
                "/api/tasks",
                params={
                    "project": str(project),
                    "query": json.dumps(query),
                    "page_size": str(size),
                    "page": str(page),
                    **params,
                },
                missing={"tasks": [], "total": 0},  # what it says of a page behind the last
            )
            tasks = answer["tasks"]
            yield from tasks
            seen += len(tasks)
            page += 1
            if not tasks or seen >= int(answer["total"]):
                return

    def _call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        content: object = None,
        missing: object = ...,
    ) -> Any:
        """One request; its answer, or ``missing`` where there is no such thing."""
        status, body = self._send(method, path, params, content)
        if status == _UNAUTHORIZED and self._renewable:
            self._access = ""
            status, body = self._send(method, path, params, content)
        if status == _NOT_FOUND and missing is not ...:
            return missing
        if status not in _OK:
            # Not what it answers: that may hold what was sent.
            refused = ReviewRefusedError if status in _OF_THE_REQUEST else ReviewError
            raise refused(f"Label Studio answers {status} to {method} {_bare(path)}")
        if not body:
            return None
        try:
            return json.loads(body)
        except ValueError as error:
            raise ReviewError(f"{method} {_bare(path)}: the answer is no JSON") from error

    def _send(
        self, method: str, path: str, params: Mapping[str, str] | None, content: object
    ) -> tuple[int, bytes]:
        try:
            if not self._access:
                self._renew()
            with self._http.stream(
                method,
                path,
                params=dict(params or {}),
                json=content if content is not None else None,
                headers={"Authorization": self._access},
            ) as response:
                return response.status_code, _limited(response)
        except httpx.HTTPError as error:
            raise ReviewError(
                f"Label Studio does not answer: {type(error).__name__} at {method} {_bare(path)}"
            ) from error

    def _renew(self) -> None:
        """Get a new access token for our personal one."""
        with self._http.stream(
            "POST", "/api/token/refresh/", json={"refresh": self._token}
        ) as response:
            body = _limited(response)
            status = response.status_code
        access = None
        if status in _OK:
            with suppress(ValueError, AttributeError):
                access = json.loads(body).get("access")
        if not isinstance(access, str):
            raise ReviewError(f"Label Studio does not take our token ({status})")
        self._access = f"Bearer {access}"


def _limited(response: httpx.Response) -> bytes:
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > _MOST_BYTES:
            raise ReviewError(f"an answer of Label Studio has more than {_MOST_BYTES >> 20} MB")
    return bytes(body)


def _bare(path: str) -> str:
    """A path without numbers: the same trouble reads the same."""
    return "/".join("N" if part.isdigit() else part for part in path.split("/"))


def _filter(what: str, operator: str, kind: str, value: object) -> dict[str, object]:
    return {"filter": f"filter:tasks:{what}", "operator": operator, "type": kind, "value": value}


def _touched_after(since: dt.datetime | None) -> list[dict[str, object]]:
    """As filters; Label Studio touches a task with every change of an annotation on it."""
    if since is None:
        return []
    stamp = since.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return [_filter("updated_at", "greater", "Datetime", stamp)]


def _as_task(raw: Mapping[str, Any]) -> Task:
    data = raw.get("data") or {}
    document_id, number = data.get(DOCUMENT_ID), data.get(ROUND)
    return Task(
        id=int(raw["id"]),
        document_id=document_id if isinstance(document_id, str) else None,
        round=number if isinstance(number, int) else 0,
    )


def _as_annotation(task: Task, raw: Mapping[str, Any]) -> Annotation:
    # Of a revision that somebody else made: theirs is what it says now.
    by = raw.get("updated_by") or raw.get("completed_by")
    if isinstance(by, dict):
        by = by.get("id")
    seconds = raw.get("lead_time")
    return Annotation(
        id=int(raw["id"]),
        task=task,
        by=by if isinstance(by, int) else None,
        updated_at=dt.datetime.fromisoformat(str(raw["updated_at"])),
        seconds=float(seconds) if isinstance(seconds, (int, float)) else None,
        skipped=bool(raw.get("was_cancelled")),
        content=raw,
    )
