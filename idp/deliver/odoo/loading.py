# SPDX-License-Identifier: Apache-2.0
"""Rows into a server by ``load()``: the one method that is atomic and knows external ids.

What is special about it, each paid for:

- A refusal is no exception: ``ids`` is false and ``messages`` say why, with the values in their
  text. Only what is no value (the field's name, the sort of trouble) goes into our errors.
- Two loads of the same external id at once: one of them is told that it could not be serialized,
  and does it again.
- With the column ``.id`` only a record that is there is written, so what people have deleted is
  never made again; archived ones are found only with ``active_test`` off.
- Pictures larger than 1920 pixels would be made smaller, and a document of Documents be made of
  each attachment, unless the context says no.
"""

from __future__ import annotations

import base64
import random
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from idp.deliver.odoo.parcel import Content
from idp.deliver.odoo.port import Odoo
from idp.deliver.odoo.refusals import missing_right
from idp.deliver.odoo.targets import ATTACHMENT, Fields, Operation, fields_of, lacking, may
from idp.errors import OdooBusyError, OdooError, OdooRefusedError, OdooRightsError

CONTEXT: Mapping[str, Any] = {
    "lang": "en_US",
    "tz": "UTC",
    "no_document": True,
    "image_no_postprocess": True,
    "mail_create_nosubscribe": True,
}
"""Times are UTC, messages English, files stay as they are, the bot follows nothing."""
WITH_ARCHIVED: Mapping[str, Any] = {**CONTEXT, "active_test": False}

CONFLICT_ATTEMPTS = 8
OTHER_ATTEMPTS = 2
"""A refusal is tried once more: a conflict may be told in a language that we do not know."""
_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 2.0

_CONFLICT = re.compile(
    r"serializ|deadlock|lock not available|could not obtain lock|concurrent", re.I
)
_SORTS = (
    ("required", re.compile(r"required|mandatory", re.I)),
    ("no such record", re.compile(r"no matching record|unknown database id", re.I)),
    ("not allowed", re.compile(r"not allowed|access", re.I)),
    ("there already", re.compile(r"unique|already|must be|duplicate", re.I)),
)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_./]{0,99}")

Value = str | Content


@dataclass(frozen=True, slots=True)
class Line:
    """One record to load: its columns as ``load()`` wants them, ``id`` or ``.id`` among them."""

    model: str
    columns: Mapping[str, Value]
    archived: bool = False

    @property
    def kind(self) -> tuple[str, tuple[str, ...], bool]:
        """What lines have in common that can be loaded together."""
        return self.model, tuple(sorted(self.columns)), self.archived

    @property
    def size_bytes(self) -> int:
        """Of its files."""
        return sum(v.size_bytes for v in self.columns.values() if isinstance(v, Content))


class Loader:
    """Loads lines, and remembers for a while what fields a model has. Safe for threads."""

    def __init__(self, odoo: Odoo, *, keep_seconds: float) -> None:
        self.odoo = odoo
        self._keep_seconds = keep_seconds
        self._fields: dict[str, tuple[float, Fields]] = {}

    def fields(self, model: str) -> Fields:
        """The model's fields by name; raises :class:`OdooRefusedError` where there is no model."""
        until, known = self._fields.get(model, (0.0, {}))
        if time.monotonic() < until:
            return known
        found = fields_of(self.odoo, model)
        if found is None:
            raise OdooRefusedError(f"the server has no model {model}")
        self._fields[model] = (time.monotonic() + self._keep_seconds, found)
        return found

    def column(self, model: str, name: str, *, record: bool) -> str:
        """A column as ``load()`` calls it; ``record``: it will hold ids of records.

        Raises:
            OdooRefusedError: The model has no such field.
        """
        if "/" in name:
            return name
        field = self.fields(model).get(name)
        if field is None:
            raise OdooRefusedError(f"{model} has no field {name}")
        return f"{name}/.id" if record and field["type"] in {"many2one", "many2many"} else name

    def load(self, lines: Sequence[Line]) -> list[int]:
        """Load lines of one kind, all or none; returns their ids in this order.

        Raises:
            OdooBusyError: Somebody wrote the same at the same time: again, please.
            OdooRefusedError: The server says no, in words of ours without values.
            OdooRightsError: A right is missing, and named.
            OdooError: See :class:`~idp.deliver.odoo.port.Odoo`.
        """
        first = lines[0]
        columns = sorted(first.columns)
        answer = self.odoo.call(
            first.model,
            "load",
            fields=columns,
            data=[[_sent(line.columns[column]) for column in columns] for line in lines],
            context=dict(WITH_ARCHIVED if first.archived else CONTEXT),
        )
        ids = answer.get("ids") if isinstance(answer, Mapping) else None
        if not ids:
            raise _refusal(first.model, answer)
        if len(ids) != len(lines) or not all(isinstance(each, int) for each in ids):
            raise OdooError(f"{first.model}: {len(ids)} answers to {len(lines)} rows")
        return list(ids)

    def load_one(
        self, make_line: Callable[[], Line], before_again: Callable[[], bool] = lambda: True
    ) -> int | None:
        """Load one line, again where another writer was in the way; its number.

        Args:
            make_line: The line; asked anew at each attempt, for what it refers to may have gone.
            before_again: Asked before each further attempt whether there is anything left to do;
                where not, the answer is ``None``.

        Raises:
            OdooRightsError: The bot lacks a right; it is named.
            OdooRefusedError: The server says no.
        """
        pause = _FIRST_PAUSE_SECONDS
        attempt = 0
        while True:
            attempt += 1
            line = make_line()
            try:
                (record_id,) = self.load([line])
            except (OdooBusyError, OdooRefusedError) as error:
                most = CONFLICT_ATTEMPTS if isinstance(error, OdooBusyError) else OTHER_ATTEMPTS
                if attempt >= most:
                    self._name_the_right(line)
                    raise
                time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - spreads, hides nothing
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
                if not before_again():
                    return None
            else:
                return record_id

    def _name_the_right(self, line: Line) -> None:
        """Raise :class:`OdooRightsError` where a right is what is missing.

        ``load()`` tells a missing right among its messages, in the words of whoever wrote the rule.
        """
        operation: Operation = "create" if "id" in line.columns else "write"
        wanted: list[tuple[str, Operation]] = [(line.model, operation)]
        holder = line.columns.get("res_model")
        if line.model == ATTACHMENT and isinstance(holder, str) and holder:
            # Who may not write a record may not attach to it.
            wanted.append((holder, "write"))
        for model, each in wanted:
            try:
                allowed = may(self.odoo, model, each)
            except OdooRefusedError:
                continue
            if not allowed:
                raise lacking(self.odoo, model, each)

    def there(self, model: str, ids: Sequence[int]) -> dict[int, bool]:
        """Which of these records the bot finds, and whether each is archived."""
        archivable = "active" in self.fields(model)
        found = self.odoo.call(
            model,
            "search_read",
            domain=[["id", "in", list(ids)]],
            fields=["active"] if archivable else ["id"],
            context=dict(WITH_ARCHIVED),
        )
        return {each["id"]: archivable and not each["active"] for each in found}

    def is_gone(self, model: str, record_id: int) -> bool:
        """Whether a record that was not found is no more.

        Raises:
            OdooRightsError: It is there, and hidden from the bot.
        """
        try:
            return not self.odoo.call(model, "read", [record_id], fields=["create_date"])
        except OdooRightsError as error:
            raise OdooRightsError(
                f"{model}/{record_id} is hidden from the bot user: it lacks the right to read it"
            ) from error
        except OdooRefusedError:
            # "Record does not exist or has been deleted", up to 18.
            return True

    def look_up(self, external_id: str) -> tuple[str, int | None] | None:
        """Model and number under an external id, ``None`` where there is none.

        The number is ``None`` where the bot does not see the record.
        """
        module, _, name = external_id.partition(".")
        try:
            model, record_id = self.odoo.call(
                "ir.model.data",
                "check_object_reference",
                module=module,
                xml_id=name,
                context={"active_test": False},
            )
        except OdooRefusedError:
            return None
        return str(model), int(record_id) if record_id else None


def _sent(value: Value) -> str:
    if isinstance(value, Content):
        return base64.b64encode(value.path.read_bytes()).decode("ascii")
    return value


def _refusal(model: str, answer: object) -> OdooError:
    """What ``messages`` say, without the values in them."""
    messages = answer.get("messages") if isinstance(answer, Mapping) else None
    told: list[str] = []
    for message in messages or ():
        if not isinstance(message, Mapping) or message.get("type") == "warning":
            continue
        text = str(message.get("message", ""))
        if _CONFLICT.search(text):
            return OdooBusyError(f"{model}: another writer was at the same record")
        if (right := missing_right(text)) is not None:
            return right
        sort = next((name for name, pattern in _SORTS if pattern.search(text)), "not accepted")
        field = message.get("field")
        named = isinstance(field, str) and _NAME.fullmatch(field)
        told.append(f"{field}: {sort}" if named else sort)
    return OdooRefusedError(f"{model}: {', '.join(sorted(set(told))) or 'not accepted'}")
