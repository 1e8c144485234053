# SPDX-License-Identifier: Apache-2.0
"""What fax servers write beside a fax: a small .xml, .json or .txt file of the same name.

There is no standard, so names are looked up in a table of synonyms (``sidecar.yaml``). A sidecar is
foreign: it is parsed in a child process, and a broken one is a flaw to be told, never an error that
stops the document. What the fax's own name says is taken where the name has no other reading.
"""

from __future__ import annotations

import datetime as dt
import email.utils
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from idp.document import MOST_ENVELOPE_CHARACTERS, Envelope, Noun
from idp.errors import InputError, SchemaError
from idp.ingest.opened import printable
from idp.ingest.sidecar_formats import MOST_BYTES, Pair, pairs_of
from idp.ingest.unpacked import parsing_children
from idp.settings import IngestSettings
from idp.values import Kind, parse
from idp.values.moments import find_moment, in_zone

_TABLE = Path(__file__).parent / "sidecar.yaml"
_MOST_PAGES = 9_999
_EARLIEST, _LATEST = dt.datetime(1990, 1, 1), dt.datetime(2100, 1, 1)  # noqa: DTZ001 - bounds
_EPOCH = re.compile(r"\d{10}(?:\d{3})?(?:\.\d{1,6})?")
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)[T_ -]?(\d\d)(\d\d)(\d\d)?(Z)?")
_COLONS = re.compile(r"(\d{4}):(\d\d):(\d\d)(?=\s)")


class Told(Noun):
    """What a sidecar and the names say; ``flaw`` is what was wrong with the sidecar, if anything.

    A flaw names no value of the sidecar.
    """

    envelope: Envelope
    flaw: str | None = None


def read_sidecar(path: Path, name: str, document_name: str, limits: IngestSettings) -> Told:
    """What a sidecar, and the names of both files, say about how a document came.

    Args:
        path: The sidecar's bytes.
        name: The sidecar's name as it was dropped.
        document_name: The document's name as it was dropped.
        limits: Of the child that parses it, and the zone of times without one.
    """
    named = envelope_from_name(document_name, limits) or envelope_from_name(name, limits)
    try:
        with path.open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
        pairs = parsing_children(limits).call(pairs_of, data)
        envelope, flaw = _envelope(pairs, limits), None
    except InputError as error:
        envelope, flaw = Envelope(told_by=("sidecar",)), error.message
    except OSError as error:
        envelope, flaw = Envelope(told_by=("sidecar",)), f"the sidecar: {error.strerror}"
    return Told(envelope=envelope.over(named), flaw=flaw)


def _envelope(pairs: Sequence[Pair], limits: IngestSettings) -> Envelope:
    """The envelope that the synonyms find among names and values."""
    values = _by_name(pairs)

    def first(field: str) -> str | None:
        return next((values[name] for name in _synonyms()[field] if name in values), None)

    pages = _pages(first("pages"))
    sender = first("sender")
    name = first("sender_name")
    if sender is not None and name is None and not any(sign.isdigit() for sign in sender):
        # "Sender: Birchwood Orthopedics": a name stands where others put the number.
        sender, name = None, sender
    return Envelope(
        sender=_number(sender),
        sender_name=name,
        recipient=_number(first("recipient")),
        sent_at=_sent_at(values, limits.timezone),
        pages_announced=pages,
        subject=first("subject"),
        transmission_id=first("transmission_id"),
        told_by=("sidecar",),
    )


def _by_name(pairs: Sequence[Pair]) -> dict[str, str]:
    """Values by folded name, alone and with the name above; the first of a name counts."""
    values: dict[str, str] = {}
    for names, raw in pairs:
        value = printable(raw, MOST_ENVELOPE_CHARACTERS)
        if not value:
            continue
        folded = [each for each in map(_folded, names) if each]
        for depth in (1, 2):
            if len(folded) >= depth:
                values.setdefault(".".join(folded[-depth:]), value)
    return values


def _folded(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


@cache
def _synonyms() -> Mapping[str, tuple[str, ...]]:
    loaded: Any = yaml.safe_load(_TABLE.read_text(encoding="utf-8"))
    if not isinstance(loaded, dict) or not all(isinstance(v, list) for v in loaded.values()):
        raise SchemaError(f"{_TABLE.name} is no table of lists")
    return {str(field): tuple(map(str, names)) for field, names in loaded.items()}


def _number(text: str | None) -> str | None:
    """A telephone number as fields have it, anything else as it stands."""
    if text is None:
        return None
    parsed = parse(Kind.PHONE, text)
    return parsed.value if parsed.valid else text


def _pages(text: str | None) -> int | None:
    found = re.match(r"\d{1,5}(?![\w.])", text or "")
    return int(found[0]) if found and 1 <= int(found[0]) <= _MOST_PAGES else None


def _sent_at(values: Mapping[str, str], zone: str | None) -> dt.datetime | None:
    """The first time among the synonyms; a date and a time of their own are put together."""
    for name in _synonyms()["sent_at"]:
        if name not in values:
            continue
        moment = parse_time(values[name], zone)
        if moment is None and name.endswith("date"):
            clock = values.get(f"{name.removesuffix('date')}time")
            moment = parse_time(f"{values[name]} {clock}", zone) if clock else None
        if moment is None and name == "date" and "time" in values:
            moment = parse_time(f"{values[name]} {values['time']}", zone)
        if moment is not None:
            return moment
    return None


def parse_time(text: str, zone: str | None) -> dt.datetime | None:
    """A time as servers write it, aware: ISO 8601, RFC 5322, Unix seconds, or as people print it.

    Args:
        text: As written.
        zone: IANA zone of a time that names none; by default this machine's.
    """
    text = _COLONS.sub(r"\1-\2-\3", text.strip())
    for attempt in (_from_epoch, _from_iso, _from_compact, _from_mail, _from_print):
        moment = attempt(text)
        if moment is not None and _EARLIEST <= moment.replace(tzinfo=None) < _LATEST:
            return in_zone(moment, zone)
    return None


def _from_epoch(text: str) -> dt.datetime | None:
    if not _EPOCH.fullmatch(text):
        return None
    whole = text.split(".", maxsplit=1)[0]
    seconds = int(whole) / 1000 if len(whole) == 13 else int(whole)
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def _from_iso(text: str) -> dt.datetime | None:
    if not re.match(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", text):
        return None
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return None


def _from_compact(text: str) -> dt.datetime | None:
    found = _COMPACT.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(each or 0) for each in found.groups()[:6])
    try:
        moment = dt.datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - local so far
    except ValueError:
        return None
    return moment.replace(tzinfo=dt.UTC) if found[7] else moment


def _from_mail(text: str) -> dt.datetime | None:
    if not re.match(r"(?:[A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4} ", text):
        return None
    try:
        return email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _from_print(text: str) -> dt.datetime | None:
    return find_moment(text[:100])[0].sent_at


# --- names ---------------------------------------------------------------------------------------

_HYLAFAX = re.compile(r"fax(\d{5,12})\.(?:tiff?|pdf)", re.I)
_DATE_TIME = r"(?P<date>20\d\d[-_.]?\d\d[-_.]?\d\d)[-_T. ](?P<time>\d\d[-_.:]?\d\d(?:[-_.:]?\d\d)?)"
_TOGETHER = r"(?P<together>20\d{12})"
_NUMBER = r"(?P<number>\+\d{8,15}|1?[2-9]\d{9})"
_PAGES = r"(?:[-_ ](?:(?P<pages>\d{1,3})(?:p|pg|pgs|pages?)|p(?P<pages_too>\d{1,3})))?"
_LEAD = r"(?:(?:fax|rx|recv|in|incoming)[-_ ])?"
_ID = r"(?:[-_ ](?P<id>\d{1,9}))?"
_NAMES = tuple(
    re.compile(rf"{_LEAD}{shape}{_PAGES}{_ID}\.[a-z]{{3,4}}", re.I)
    for shape in (
        rf"{_DATE_TIME}[-_ ](?:from[-_ ])?{_NUMBER}",
        rf"{_TOGETHER}[-_ ](?:from[-_ ])?{_NUMBER}",
        rf"(?:from[-_ ])?{_NUMBER}[-_ ]{_DATE_TIME}",
        rf"(?:from[-_ ])?{_NUMBER}[-_ ]{_TOGETHER}",
    )
)


def envelope_from_name(name: str, limits: IngestSettings) -> Envelope | None:
    """What a fax's file name says, where it is unmistakably a fax server's; else ``None``.

    That is HylaFAX's ``fax000001234.tif``, and a full date and time beside a telephone number with
    nothing else but a page count or a serial number: ``20260105_101112_5551234567_3p.tif``.
    """
    base = name.replace("\\", "/").rpartition("/")[2]
    if len(base) > 100:
        return None
    if found := _HYLAFAX.fullmatch(base):
        return Envelope(transmission_id=found[1], told_by=("channel",))
    for shape in _NAMES:
        if found := shape.fullmatch(base):
            parts = found.groupdict()
            digits = re.sub(
                r"\D", "", parts.get("together") or f"{parts.get('date')}{parts.get('time')}"
            )
            sent_at = parse_time(digits, limits.timezone)
            if sent_at is None:
                return None
            return Envelope(
                sender=_number(parts["number"]),
                sent_at=sent_at,
                pages_announced=_pages(parts["pages"] or parts["pages_too"]),
                transmission_id=parts["id"],
                told_by=("channel",),
            )
    return None
