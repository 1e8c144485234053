# SPDX-License-Identifier: Apache-2.0
"""What tests of handing over need: a store with documents, parcels of them, and a counting port."""

from __future__ import annotations

import collections
import datetime as dt
import hashlib
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from idp.deliver.odoo.courier import Courier, Limits
from idp.deliver.odoo.parcel import Cell, Content, Find, Link, Parcel, Row
from idp.deliver.odoo.port import Odoo
from idp.store import Store, new_id
from tests.odoo.server import Admin

PROJECT = "Paperwork"
TODO = "mail.mail_activity_data_todo"


class Watched:
    """A port that counts what goes through it, and may do something before or after a call."""

    def __init__(self, odoo: Odoo) -> None:
        self.odoo = odoo
        self.calls: list[tuple[str, str]] = []

    @property
    def identity(self) -> str:
        return self.odoo.identity

    @property
    def version(self) -> tuple[int, int]:
        return self.odoo.version

    def call(self, model: str, method: str, ids: Sequence[int] | None = None, **named: Any) -> Any:
        self.calls.append((model, method))
        return self.odoo.call(model, method, ids, **named)

    def counted(self) -> collections.Counter[str]:
        """Calls since the last time, by method."""
        found = collections.Counter(method for _, method in self.calls)
        self.calls.clear()
        return found


class House:
    """Our side: a store with documents that are to be handed over."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.store = Store(f"sqlite:///{folder / 'idp.sqlite'}", folder / "store")
        self.store.migrate()
        self._names = itertools.count(1)

    def close(self) -> None:
        self.store.close()

    def document(self) -> str:
        """The id of a new document."""
        now = dt.datetime.now(dt.UTC)
        arrival = new_id(now)
        self.store.record_arrival(
            arrival,
            channel="fax",
            name="fax.tif",
            kept=self.store.content.put_bytes(arrival.encode()),
            received_at=now,
            priority=5,
        )
        return next(row.id for row in self.store.recent(limit=5) if row.arrival_id == arrival)

    def content(self, data: bytes) -> Content:
        """A file to be sent."""
        path = self.folder / f"file-{next(self._names)}"
        path.write_bytes(data)
        return Content(path, hashlib.sha1(data, usedforsecurity=False).hexdigest(), len(data))

    def file_row(
        self, role: str, data: bytes, holder: tuple[str, Link | Find | int], **cells: Cell
    ) -> Row:
        """An attachment on a record."""
        model, record = holder
        there: dict[str, Cell] = {"res_model": model, "res_id": record}
        return Row(
            role,
            "ir.attachment",
            {"name": f"{role}.pdf", "datas": self.content(data), **there, **cells},
            kept=frozenset(there),
        )

    def parcel(
        self,
        document_id: str,
        *,
        version: int = 1,
        word: bytes = b"found",
        size: int = 3_000,
        task: Mapping[str, Cell] | None = None,
        activities: int = 1,
    ) -> Parcel:
        """A task, two files on it, and activities: what most documents become."""
        link = ("project.task", Link("work"))
        text = (word + document_id.encode()) * (size // (len(word) + len(document_id)) + 1)
        name = f"Referral {document_id}"
        project = Find("project.project", (("name", "=", PROJECT),), required=True)
        return Parcel(
            document_id,
            f"{document_id}-v{version}",
            version,
            (
                Row(
                    "work",
                    "project.task",
                    {"name": name, "project_id": project, "priority": "1", **(task or {})},
                    once=task is None,
                ),
                self.file_row("document", text[:size], link),
                self.file_row("fields", b'{"word": "' + word + b'"}', link),
                *(
                    Row(
                        f"activity_{number}",
                        "mail.activity",
                        {
                            "res_model_id/id": "project.model_project_task",
                            "res_id": Link("work"),
                            "activity_type_id/id": TODO,
                            "summary": f"Missing: item {number}",
                            "date_deadline": "2026-11-30",
                        },
                        once=True,
                    )
                    for number in range(1, activities + 1)
                ),
            ),
        )

    def file_parcel(self, document_id: str, task: int, data: bytes, version: int = 1) -> Parcel:
        """One plain attachment on a task that is there."""
        row = self.file_row("document", data, ("project.task", task), name=document_id)
        return Parcel(document_id, f"{document_id}-v{version}", version, (row,))

    def courier(self, odoo: Odoo, **limits: Any) -> Courier:
        return Courier(odoo, self.store, Limits(**limits))


class There:
    """The other side, as the administrator sees it."""

    def __init__(self, admin: Admin) -> None:
        self.admin = admin
        found = admin.rows("project.project", [["name", "=", PROJECT]])
        self.project: int = (
            found[0]["id"]
            if found
            else admin.make("project.project", name=PROJECT, privacy_visibility="employees")
        )

    def task(self, name: str) -> int:
        """A new task, made by people."""
        return self.admin.make("project.task", name=name, project_id=self.project)

    def tasks(self, document_id: str) -> list[dict[str, Any]]:
        name = f"Referral {document_id}"
        return self.admin.rows(
            "project.task", [["name", "like", name]], "name", "priority", "active", "project_id"
        )

    def files(self, *names: str, task: int | None = None) -> list[dict[str, Any]]:
        domain: list[Any] = [["name", "in", list(names)]] if names else []
        if task is not None:
            domain += [["res_model", "=", "project.task"], ["res_id", "=", task]]
        return self.admin.rows(
            "ir.attachment", domain, "name", "checksum", "file_size", "res_model", "res_id"
        )

    def activities(self, task: int) -> list[dict[str, Any]]:
        return self.admin.rows(
            "mail.activity",
            [["res_model", "=", "project.task"], ["res_id", "=", task]],
            "summary",
            "date_deadline",
        )
