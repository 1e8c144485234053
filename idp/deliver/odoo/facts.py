# SPDX-License-Identifier: Apache-2.0
"""What may be said of a document in the mapping's expressions, and what lacks in it.

Two views of the same document: :attr:`Facts.open` for titles, descriptions, file names and
activities, which are mailed and listed, and :attr:`Facts.all` for columns under access rights.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from idp.deliver.odoo.mapping import CLOSED_NAMES, General
from idp.document import Document, Severity
from idp.schemas import DocumentSchema, FieldSchema

_ASKED, _ENCLOSED = "C3", "C4"
_ABOUT_THE_PATIENT = frozenset({"patient", "subscriber"})
_CODES_OF_CARE = frozenset({"icd10"})
_LEAST_SIGNS = 3
"""A shorter word is in every name."""
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_MONEY = re.compile(r"-?\d{1,12}(\.\d{1,4})?")
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that lacks. ``key`` is the same in each version; ``label`` holds no value."""

    key: str
    label: str


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known of a document besides itself. Times are aware."""

    received_at: dt.datetime
    zone: dt.tzinfo
    """Of the site: in it a day is told."""
    today: dt.date
    decided_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """Values by name, as :mod:`idp.deliver.odoo.wording` takes them."""

    all: Mapping[str, tuple[str, ...]]
    open: Mapping[str, tuple[str, ...]]
    withheld: tuple[str, ...]
    """Fields that may be told and were not, because what was read repeats the patient."""
    items: tuple[Item, ...]
    due_at: dt.datetime | None
    """When the first clock ends."""


def facts_of(
    document: Document,
    schema: DocumentSchema,
    general: General,
    circumstances: Circumstances,
    *,
    original_name: str = "",
    folder: str = "",
) -> Facts:
    """Everything that the mapping may say of a document.

    Args:
        document: As decided.
        schema: That of its type.
        general: What may be told.
        circumstances: Of its coming.
        original_name: As received: foreign text.
        folder: Where it is filed; empty where it hangs on a record.
    """
    items = missing_items(document, schema)
    clocks = sorted(document.clocks, key=lambda clock: clock.due_at)
    zone = circumstances.zone
    known = {
        "document.id": (document.document_id,),
        "document.type": (str(document.type),),
        "document.title": (schema.title,),
        "document.subtype": (document.subtype or "",),
        "document.channel": (document.channel,),
        "document.site": ((document.envelope.site if document.envelope else None) or "",),
        "document.pages": (str(len(document.pages)),),
        "document.decision": (str(document.decision),),
        "document.reasons": tuple(dict.fromkeys(document.reason_codes)),
        "document.urgency": (document.urgency.level if document.urgency else "routine",),
        "document.received": (_moment(circumstances.received_at, zone),),
        "document.deadline": (_moment(clocks[0].due_at, zone) if clocks else "",),
        "clocks": tuple(
            f"{clock.title} by {_moment(clock.due_at, zone)} ({clock.length})" for clock in clocks
        ),
        "missing": tuple(item.label for item in items),
        "missing.count": (str(len(items)) if items else "",),
        "document.folder": (folder,),
        "document.original_name": (original_name,),
        "document.sender": ((document.envelope.sender if document.envelope else None) or "",),
        **_of_remittance(document),
    }
    fields: dict[str, tuple[str, ...]] = {}
    for field in document.fields:
        if field.value is not None and field.value.strip():
            fields[field.name] = (*fields.get(field.name, ()), field.value)
    told, withheld = _told(document, schema, general, fields)
    closed = frozenset() if general.phi_in_titles else CLOSED_NAMES
    return Facts(
        all={**known, **fields},
        open={**{name: each for name, each in known.items() if name not in closed}, **told},
        withheld=withheld,
        items=items,
        due_at=clocks[0].due_at if clocks else None,
    )


def missing_items(document: Document, schema: DocumentSchema) -> tuple[Item, ...]:
    """What lacks: fields by their labels, then what the payer asks for; never a value.

    The words of a payer's demand come from ``rules/payers``. Should one repeat the patient all the
    same, it is told without them.
    """
    titles = {field.name: field.title for field in schema.fields}
    items = {
        name: Item(name, titles.get(name, name.replace("_", " "))) for name in document.missing
    }
    words, whole = _about_patients(document, schema)
    for finding in document.findings:
        if finding.severity is Severity.INFO or finding.rule not in (_ASKED, _ENCLOSED):
            continue
        if finding.rule == _ASKED and finding.field and finding.field in items:
            continue
        label = " ".join(re.split(r" - |;", finding.message, maxsplit=1)[0].split())
        if _repeats(label, words, whole):
            what = "asked for by the payer" if finding.rule == _ASKED else "said to be enclosed"
            label = f"an attachment {what}"
        digest = hashlib.sha256(finding.message.encode()).hexdigest()[:12]
        key = f"{finding.rule.lower()}_{digest}"
        items[key] = Item(key, label)
    return tuple(items.values())


def _of_remittance(document: Document) -> dict[str, tuple[str, ...]]:
    """Numbers of a remittance as a whole; ``denied_claims`` alone is about single people."""
    summary = document.remittance
    if summary is None:
        return {}
    balance = {True: "balanced", False: "does not balance", None: ""}[summary.balanced]
    return {
        "remittance.claims": (str(summary.claims),),
        "remittance.denied": (str(len(summary.denied)),),
        "remittance.balance": (balance,),
        "denied_claims": summary.denied,
        "denials": tuple(
            f"{f'{each.group}-' if each.group else ''}{each.reason} {each.title}: "
            f"{each.claims} claim{'' if each.claims == 1 else 's'}"
            f"{f', {each.amount}' if each.amount is not None else ''}"
            f"{f', to {each.queue}' if each.queue else ''}"
            for each in summary.reasons
            if each.denial
        ),
    }


def _told(
    document: Document,
    schema: DocumentSchema,
    general: General,
    fields: Mapping[str, tuple[str, ...]],
) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
    """The fields that anybody may see, and those that were kept back."""
    if general.phi_in_titles:
        return dict(fields), ()
    words, whole = _about_patients(document, schema)
    told: dict[str, tuple[str, ...]] = {}
    withheld: list[str] = []
    for name in general.open_fields:
        known = schema.field(name)
        if name not in fields or known is None:
            continue
        if all(_harmless(value, known, words, whole) for value in fields[name]):
            told[name] = fields[name]
        else:
            withheld.append(name)
    return told, tuple(withheld)


def _harmless(value: str, field: FieldSchema, words: frozenset[str], whole: frozenset[str]) -> bool:
    """Whether a value is what its field should hold, and repeats nothing of a patient."""
    if field.kind == "option":
        return set(value.split("/")) <= set(field.options)
    if field.kind == "date":
        return _DATE.fullmatch(value) is not None and value not in whole
    if field.kind == "money":
        return _MONEY.fullmatch(value) is not None
    return not _repeats(value, words, whole)


def _repeats(text: str, words: frozenset[str], whole: frozenset[str]) -> bool:
    """Whether a text holds something that is known about a patient."""
    said = _plain(text)
    return bool(set(said.split()) & words) or any(each in said for each in whole)


def _about_patients(
    document: Document, schema: DocumentSchema
) -> tuple[frozenset[str], frozenset[str]]:
    """Words of patients' names and numbers, and whole values about them, in small letters."""
    words: set[str] = set()
    whole: set[str] = set()
    for kind, value in _closed(document, schema):
        said = _plain(value)
        if len(said) > _LEAST_SIGNS:
            whole.add(said)
        if kind in ("person", "identifier", "phone"):
            words |= {word for word in said.split() if len(word) >= _LEAST_SIGNS}
    return frozenset(words), frozenset(whole)


def _closed(document: Document, schema: DocumentSchema) -> Iterator[tuple[str, str]]:
    """What is known about patients, each with its kind."""
    for field in document.fields:
        known = schema.field(field.name)
        if known is not None and (
            known.party in _ABOUT_THE_PATIENT or known.kind in _CODES_OF_CARE
        ):
            yield from ((known.kind, each) for each in (field.value, field.raw) if each)
    for claim in document.claims:
        if claim.patient_name:
            yield "person", claim.patient_name
        for number in (claim.member_id, claim.patient_account, claim.claim_number):
            if number:
                yield "identifier", number


def _plain(text: str) -> str:
    return " ".join(_WORD.findall(text.casefold()))


def _moment(when: dt.datetime, zone: dt.tzinfo) -> str:
    """A time as people of the site say it."""
    return f"{when.astimezone(zone):%Y-%m-%d %H:%M %Z}".strip()
