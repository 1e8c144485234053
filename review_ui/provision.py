# SPDX-License-Identifier: Apache-2.0
"""Sets the projects of a Label Studio up as asked; run by ``idp.review.provisioning``.

It runs in the environment that ``scripts/review`` makes, with Label Studio's own SDK. Standard
input is one JSON object (:class:`idp.review.provisioning.Plan` with address and token), standard
output is one: ``projects`` (key to ``id``, ``url`` and what was changed), ``problems``, or
``error``. What is as asked is left alone, so that a second call changes nothing; what was cut off
is found again and finished: a project by the mark in its description, everything in it by title or
address.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

import httpx
from label_studio_sdk.client import LabelStudio
from label_studio_sdk.core.api_error import ApiError

_Project = dict[str, Any]

_WITHOUT_RETRY = {"max_retries": 0}
"""A repeated creation would make a second one; the next call of this program looks first."""


def _plain(thing: Any) -> dict[str, Any]:
    """A row of the SDK's as a plain mapping, by the names of the interface."""
    return json.loads(thing.json())


def _told(error: ApiError) -> str:
    """What Label Studio said, cut short. It speaks of projects and never of tasks here."""
    return f"{error.status_code}: {str(error.body)[:300]}"


class Provisioner:
    """Brings one Label Studio to what a plan says."""

    def __init__(self, client: LabelStudio, plan: dict[str, Any]) -> None:
        self._client = client
        self._plan = plan
        self.problems: list[str] = []

    def run(self) -> dict[str, Any]:
        """Every project as asked; what could not be done is in ``problems``."""
        there = self._marked()
        done = {}
        for project in self._plan["projects"]:
            key = project["key"]
            try:
                done[key] = self._project(project, there.get(key, []))
            except ApiError as error:
                self.problems.append(f"project {key}: {_told(error)}")
        return {"projects": done, "problems": self.problems}

    def _marked(self) -> dict[str, list[_Project]]:
        """Our projects by key, oldest first: those whose description begins with our mark."""
        found: dict[str, list[_Project]] = {}
        for row in self._client.projects.list(page_size=100):
            words = (row.description or "").split(" ")
            if words[0] == self._plan["mark"] and len(words) > 1:
                found.setdefault(words[1], []).append({"id": row.id})
        for rows in found.values():
            rows.sort(key=lambda each: each["id"])
        return found

    def _project(self, wanted: _Project, there: list[_Project]) -> dict[str, Any]:
        key = wanted["key"]
        options = {**wanted["options"], "description": f"{self._plan['mark']} {key}"}
        changes = []
        if len(there) > 1:
            others = ", ".join(str(row["id"]) for row in there[1:])
            self.problems.append(f"project {key}: there are doubles of it: {others}")
        if there:
            identity = there[0]["id"]
            is_now = _plain(self._client.projects.get(id=identity))
            changes += self._mend_project(key, identity, is_now, options)
        else:
            made = self._client.projects.create(
                **options, model_version=wanted["model_version"], request_options=_WITHOUT_RETRY
            )
            identity = made.id
            changes.append("made")
        for step in (self._views, self._storage, self._webhook):
            try:
                changes += step(identity, wanted)
            except ApiError as error:
                self.problems.append(f"project {key}: {step.__name__[1:]}: {_told(error)}")
        return {"id": identity, "changes": changes}

    def _mend_project(
        self, key: str, identity: int, is_now: _Project, options: dict[str, Any]
    ) -> Iterator[str]:
        """One change at a time, so that one which is refused keeps no other from being made.

        A screen is refused that would lose answers which are already there.
        """
        for name, value in options.items():
            if is_now.get(name) == value:
                continue
            try:
                self._client.projects.update(id=identity, **{name: value})
                yield name
            except ApiError as error:
                self.problems.append(f"project {key}: {name}: {_told(error)}")

    def _views(self, identity: int, wanted: _Project) -> Iterator[str]:
        there: dict[str, dict[str, Any]] = {}
        for view in self._client.views.list(project=identity):
            row = _plain(view)
            there.setdefault(row["data"].get("title", ""), row)
        for view in wanted["views"]:
            yield from self._mend(
                f"view {view['title']}",
                there.get(view["title"]),
                lambda row, view=view: {n: row["data"].get(n) for n in view} == view,
                lambda view=view: self._client.views.create(
                    project=identity, data=view, request_options=_WITHOUT_RETRY
                ),
                lambda row, view=view: self._client.views.update(
                    id=str(row["id"]), project=identity, data=view
                ),
            )

    def _storage(self, identity: int, wanted: _Project) -> Iterator[str]:
        """The folder of the page images, read where they lie; nothing is imported from it."""
        del wanted
        asked = self._plan["storage"]
        rows = [_plain(row) for row in self._client.import_storage.local.list(project=identity)]
        ours = [row for row in rows if row.get("title") == self._plan["storage_title"]]
        if asked is None:
            for row in ours:
                self._client.import_storage.local.delete(id=row["id"])
                yield "storage removed"
            return
        options = {"title": self._plan["storage_title"], "path": asked, "use_blob_urls": True}
        local = self._client.import_storage.local
        yield from self._mend(
            "storage",
            ours[0] if ours else None,
            lambda row: {name: row.get(name) for name in options} == options,
            lambda: local.create(project=identity, **options, request_options=_WITHOUT_RETRY),
            lambda row: local.update(id=row["id"], project=identity, **options),
        )

    def _webhook(self, identity: int, wanted: _Project) -> Iterator[str]:
        """The hint that something was answered, without what was answered."""
        del wanted
        asked = self._plan["webhook"]
        rows = [_plain(row) for row in self._client.webhooks.list(project=str(identity))]
        ours = [row for row in rows if _path(row["url"]) == self._plan["webhook_path"]]
        for row in ours[0 if asked is None else 1 :]:
            self._client.webhooks.delete(id=row["id"])
            yield "webhook removed"
        if asked is None:
            return
        options = {
            "url": asked["url"],
            "headers": asked["headers"],
            "actions": asked["actions"],
            "send_for_all_actions": False,
            "send_payload": False,
            "is_active": True,
        }
        yield from self._mend(
            "webhook",
            ours[0] if ours else None,
            lambda row: all(
                sorted(row[name]) == sorted(value) if name == "actions" else row[name] == value
                for name, value in options.items()
            ),
            lambda: self._client.webhooks.create(
                project=identity, **options, request_options=_WITHOUT_RETRY
            ),
            lambda row: self._client.webhooks.update(id=row["id"], **options),
        )

    @staticmethod
    def _mend(
        name: str,
        row: dict[str, Any] | None,
        is_right: Callable[[dict[str, Any]], bool],
        make: Callable[[], object],
        change: Callable[[dict[str, Any]], object],
    ) -> Iterator[str]:
        if row is None:
            make()
            yield f"{name} made"
        elif not is_right(row):
            change(row)
            yield f"{name} mended"


def _path(url: str) -> str:
    return httpx.URL(url).path


def main() -> None:
    """One plan in, what was done out."""
    asked = json.load(sys.stdin)
    plan = asked["plan"]
    try:
        client = LabelStudio(
            base_url=asked["url"], api_key=asked["token"], timeout=asked["request_seconds"]
        )
        result: dict[str, Any] = Provisioner(client, plan).run()
    except ApiError as error:
        result = {"error": f"Label Studio refused: {_told(error)}"}
    except httpx.HTTPError as error:
        result = {"error": f"Label Studio can't be reached: {type(error).__name__}"}
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main()
