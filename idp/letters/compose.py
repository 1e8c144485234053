# SPDX-License-Identifier: Apache-2.0
"""From a document's findings to the text of a letter."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from idp.document import Document, Finding, Severity
from idp.letters.templates import Templates
from idp.schemas import DocumentSchema, load_schemas
from idp.settings import Settings

_MISSING, _ASKED, _ENCLOSED = "C1", "C3", "C4"
_SERVICE_DATES = ("service_start_date", "service_from", "effective_from")
DRAFT = "DRAFT - not sent. To be read and sent by a person."


class Letter(NamedTuple):
    """A letter in words; ``items`` is how many things it asks for."""

    text: str
    reference: str
    items: int
    draft: bool = True


def compose(
    document: Document,
    schema: DocumentSchema,
    templates: Templates,
    *,
    reference: str,
    received_at: dt.datetime,
    today: dt.date,
    patient: Literal["initials", "name", "none"] = "initials",
    organisation: str = "",
    reply_to: str = "",
    draft: bool = True,
) -> Letter | None:
    """The letter to a document's sender, or ``None`` where there is nothing to ask for.

    Args:
        document: With its findings.
        schema: That of its type, for the names of fields.
        templates: What the letter says.
        reference: What the document is called here.
        received_at: When the document arrived, in the zone it is to be told in.
        today: The day of the letter.
        patient: How the patient is named.
        organisation: Who writes.
        reply_to: Where the answer goes: a fax number, an address.
        draft: Whether the letter says of itself that it is one.

    Raises:
        RulesError: The template is not well formed.
    """
    asked = _Asked(document, schema, templates)
    if not asked.items:
        return None
    envelope = document.envelope
    sender = envelope.sender if envelope and envelope.sender else ""
    values = {
        "organisation": organisation,
        "kind": schema.title[:1].lower() + schema.title[1:],
        "today": _day(today),
        "received": f"{_day(received_at.date())} at {received_at:%H:%M}",
        "to": envelope.sender_name if envelope and envelope.sender_name else "",
        "fax": sender if "@" not in sender else "",
        "reference": reference,
        "pages": len(document.pages),
        "patient": _patient(document, patient),
        "service_date": _service_date(document),
        "reply_to": reply_to,
        "left_blank": asked.left_blank,
        "not_found": asked.not_found,
        "asked": asked.by_payer,
        "not_in_order": asked.not_in_order,
        "page_faults": asked.pages,
    }
    text = templates.fill(document.type, values)
    if draft:
        text = f"{DRAFT}\n\n{text}"
    return Letter(text, reference, asked.items, draft)


def draft_for(
    document: Document,
    settings: Settings,
    *,
    received_at: dt.datetime,
    reference: str = "",
    reply_to: str | None = None,
    draft: bool = True,
) -> Letter | None:
    """The letter to a document's sender by the settings in force; ``None``: nothing to ask for.

    Times are told in the zone of the document's site, or in that of this machine.

    Args:
        document: With its findings.
        settings: All options.
        received_at: When it arrived (aware).
        reference: What it is called here; by default its id.
        reply_to: Where the answer goes, where that is not what the settings say.
        draft: Whether the letter says of itself that it is one.

    Raises:
        RulesError: A template is not well formed.
    """
    name = document.envelope.site if document.envelope else None
    site = settings.sites.get(name) if name else None
    zone = ZoneInfo(site.timezone) if site is not None and site.timezone else None
    return compose(
        document,
        load_schemas(settings.schemas_folder)[document.type],
        Templates(settings.rules_folder),
        reference=reference or document.document_id,
        received_at=received_at.astimezone(zone),
        today=dt.datetime.now(dt.UTC).astimezone(zone).date(),
        patient=settings.letters.patient,
        organisation=settings.letters.organisation,
        reply_to=settings.letters.reply_to if reply_to is None else reply_to,
        draft=draft,
    )


def has_items(document: Document) -> bool:
    """Whether a letter would ask for anything, without composing it."""
    return bool(document.missing) or any(
        finding.rule in (_ASKED, _ENCLOSED) and finding.severity is not Severity.INFO
        for finding in document.findings
    )


class _Asked:
    """What the findings of a document ask of its sender, without any value of its fields."""

    def __init__(self, document: Document, schema: DocumentSchema, templates: Templates) -> None:
        titles = {field.name: field.title for field in schema.fields}
        wording = templates.wording
        of_fields = {f.field: f for f in document.findings if f.rule == _MISSING and f.field}
        # Where the empty place was seen the sender is asked for it; where nothing was found, the
        # reader may have missed it, and the letter says so.
        said = {
            name: _sentence(
                of_fields[name].message if name in of_fields else titles.get(name, name)
            )
            for name in document.missing
        }
        seen = {name for name, each in of_fields.items() if each.box is not None}
        self.left_blank = tuple(text for name, text in said.items() if name in seen)
        self.not_found = tuple(text for name, text in said.items() if name not in seen)
        grave = [f for f in document.findings if f.severity is not Severity.INFO]
        told = set(document.missing)
        self.by_payer = _once(
            f.message
            for f in grave
            if f.rule == _ENCLOSED or (f.rule == _ASKED and not (f.field and f.field in told))
        )
        self.not_in_order = _once(
            _worded(f, wording.not_in_order[f.rule], titles)
            for f in grave
            if f.rule in wording.not_in_order and f.field
        )
        self.pages = _once(
            _worded(f, wording.pages[f.rule], titles)
            for f in grave
            if f.rule in wording.pages and f.severity is Severity.BLOCK
        )

    @property
    def items(self) -> int:
        parts = (self.left_blank, self.not_found, self.by_payer, self.not_in_order, self.pages)
        return sum(map(len, parts))


def _once(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_sentence(text) for text in texts))


def _worded(finding: Finding, said: str, titles: Mapping[str, str]) -> str:
    field = titles.get(finding.field or "", finding.field or "")
    page = f" (page {finding.page})" if finding.page and finding.field else ""
    return said.format(field=field) + page


def _sentence(text: str) -> str:
    """On one line, without signs that a letter's text would take for its own."""
    return " ".join(text.split()).lstrip("#- ")


def _day(day: dt.date) -> str:
    return f"{day:%B} {day.day}, {day.year}"


def _patient(document: Document, how: Literal["initials", "name", "none"]) -> str:
    field = document.field("patient_name")
    if how == "none" or field is None or not field.value:
        return ""
    if how == "name":
        return field.value
    words = [word for word in field.value.replace(",", " ").split() if word[:1].isalpha()]
    return " ".join(f"{word[0].upper()}." for word in words[:3])


def _service_date(document: Document) -> str:
    for name in _SERVICE_DATES:
        field = document.field(name)
        if field is not None and field.value:
            try:
                return _day(dt.date.fromisoformat(field.value))
            except ValueError:
                continue
    return ""
