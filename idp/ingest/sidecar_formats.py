# SPDX-License-Identifier: Apache-2.0
"""The shapes of a sidecar: XML, JSON, lines of text, HylaFAX's log; all to names and values.

Runs in a child process on foreign bytes. XML is read by expat as it comes, without a tree, and a
document type declaration is refused: without one there are no entities to expand (XML 1.0, 4.1).
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from xml.parsers import expat

from idp.errors import DamagedFileError, TooLargeError

MOST_BYTES = 65_536
_MOST_PAIRS = 2_000
_MOST_LEVELS = 32
_MOST_VALUE_CHARACTERS = 2_000

_NAMES = frozenset({"name", "key", "id", "field", "property", "label"})
_VALUES = frozenset({"value", "text", "content", "val"})
_LINE = re.compile(r"\s*([A-Za-z][\w .#/()-]{0,60}?)\s*(?:[:=]|\t)\s*(.*)")


class Pair(NamedTuple):
    """A value and the names above it, outermost first."""

    names: tuple[str, ...]
    value: str


def pairs_of(data: bytes) -> tuple[Pair, ...]:
    """Everything in a sidecar that has a name, in its order.

    Raises:
        TooLargeError: more bytes, levels or values than a description needs.
        DamagedFileError: broken, or in no shape that is known.
    """
    if len(data) > MOST_BYTES:
        raise TooLargeError(f"the sidecar has more than {MOST_BYTES} bytes")
    text = _decoded(data).strip()
    if text.startswith("<"):
        found = _from_xml(data)
    elif text.startswith(("{", "[")):
        found = _from_json(text)
    else:
        found = list(_from_log(text) or _from_lines(text))
    if not found:
        raise DamagedFileError("the sidecar is no XML, JSON or lines of name and value")
    return tuple(found)


def _decoded(data: bytes) -> str:
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


# --- XML -----------------------------------------------------------------------------------------


class _Element:
    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        self.name = name
        self.attributes = attributes
        self.text: list[str] = []
        self.size = 0


class _Xml:
    """Collects names and values while expat reads."""

    def __init__(self) -> None:
        self.found: list[Pair] = []
        self._open: list[_Element] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._open) >= _MOST_LEVELS:
            raise TooLargeError(f"the sidecar is nested deeper than {_MOST_LEVELS}")
        self._open.append(_Element(_local(name), {_local(k): v for k, v in attributes.items()}))

    def text(self, text: str) -> None:
        if self._open and self._open[-1].size < _MOST_VALUE_CHARACTERS:
            self._open[-1].text.append(text)
            self._open[-1].size += len(text)

    def end(self, name: str) -> None:
        del name
        above = tuple(element.name for element in self._open[:-1])
        element = self._open.pop()
        inside = "".join(element.text).strip()
        attributes = dict(element.attributes)
        label = next((attributes[k] for k in attributes if k.lower() in _NAMES), None)
        value = next((attributes[k] for k in attributes if k.lower() in _VALUES), inside)
        if label is not None and value and not label.isdigit():
            # <property name="CSID" value="555..."/>, <field name="CSID">555...</field>
            self._add((*above, label), value)
        if inside:
            self._add((*above, element.name), inside)
        for key, each in attributes.items():
            self._add((*above, element.name, key), each)

    def doctype(self, *_: object) -> None:
        raise DamagedFileError("the sidecar has a document type declaration, which is refused")

    def _add(self, names: tuple[str, ...], value: str) -> None:
        if len(self.found) >= _MOST_PAIRS:
            raise TooLargeError(f"the sidecar has more than {_MOST_PAIRS} values")
        self.found.append(Pair(names, value))


def _local(name: str) -> str:
    """The name without its namespace."""
    return name.rpartition(":")[2]


def _from_xml(data: bytes) -> list[Pair]:
    reader = _Xml()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = reader.doctype
    try:
        parser.Parse(data.strip(), True)  # noqa: FBT003 - expat's own signature
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise DamagedFileError(f"the sidecar is broken XML: {type(error).__name__}") from error
    return reader.found


# --- JSON ----------------------------------------------------------------------------------------


def _from_json(text: str) -> list[Pair]:
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DamagedFileError(f"the sidecar is broken JSON: {type(error).__name__}") from error
    found: list[Pair] = []
    for pair in _walk(whole, ()):
        found.append(pair)
        if len(found) > _MOST_PAIRS:
            raise TooLargeError(f"the sidecar has more than {_MOST_PAIRS} values")
    return found


def _walk(value: Any, names: tuple[str, ...]) -> Iterator[Pair]:
    if len(names) > _MOST_LEVELS:
        raise TooLargeError(f"the sidecar is nested deeper than {_MOST_LEVELS}")
    if isinstance(value, dict):
        label = next((v for k, v in value.items() if k.lower() in _NAMES), None)
        inside = next((v for k, v in value.items() if k.lower() in _VALUES), None)
        if isinstance(label, str) and isinstance(inside, str | int | float):
            yield Pair((*names, label), str(inside))
        for key, each in value.items():
            yield from _walk(each, (*names, key))
    elif isinstance(value, list):
        # A level of its own, so that lists in lists end as well.
        for each in value:
            yield from _walk(each, (*names, "")) if isinstance(each, list) else _walk(each, names)
    elif isinstance(value, str | int | float) and not isinstance(value, bool) and names:
        yield Pair(names, str(value)[:_MOST_VALUE_CHARACTERS])


# --- text ----------------------------------------------------------------------------------------

_LOG_FIELDS = {2: "commid", 7: "localnumber", 8: "tsi", 10: "npages", 14: "callid1", 15: "callid2"}
"""Columns of a RECV record of HylaFAX's xferfaxlog(5F), by the names of the synonym table."""


def _from_log(text: str) -> list[Pair]:
    """The last RECV record of HylaFAX's log, if that is what it is."""
    for line in reversed(text.splitlines()):
        columns = [each.strip().strip('"') for each in line.split("\t")]
        if len(columns) >= 11 and columns[1] == "RECV":
            named = [
                Pair((name,), columns[at])
                for at, name in _LOG_FIELDS.items()
                if at < len(columns) and columns[at]
            ]
            return [Pair(("received",), columns[0]), *named]
    return []


def _from_lines(text: str) -> Iterator[Pair]:
    """``name: value`` and ``name = value``, one a line; what ``faxinfo`` prints is such."""
    for number, line in enumerate(text.splitlines()):
        if number >= _MOST_PAIRS:
            raise TooLargeError(f"the sidecar has more than {_MOST_PAIRS} lines")
        if (found := _LINE.fullmatch(line[:_MOST_VALUE_CHARACTERS])) and found[2].strip():
            yield Pair((found[1],), found[2].strip().strip("\"'"))
