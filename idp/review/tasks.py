# SPDX-License-Identifier: Apache-2.0
"""A document as a task for the labelling screen: pages, frames, values, and why a person is asked.

Everything foreign in it passes through :mod:`idp.review.wording`. The same document gives the same
task.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from idp.document import Box, Document, DocumentType, Finding, Page, Severity
from idp.reasons import reasons_of
from idp.review.claims_table import Table, table_of
from idp.review.form import Form, Shown, form_of, options_of
from idp.review.provisioning import DUE, MODEL_VERSION, NO_DUE
from idp.review.screens import (
    CLAIMS_LABEL,
    CLAIMS_OPEN,
    CLAIMS_REST,
    CUT_PAGES,
    DOUBT,
    NOTE,
    PAGE,
    SURE,
    value_control,
)
from idp.review.wording import escaped
from idp.schemas import DocumentSchema

_KEYS = (
    "<b>Enter</b> is right, next to check · <b>Shift+Enter</b> back · <b>empty</b> not on the form "
    "· <b>?</b> illegible · <b>Alt+Enter</b> another entry · <b>1</b>, <b>2</b> ... choose · "
    "<b>Ctrl+Enter</b> submit"
)

_SAY = '<span class="say illegible">illegible</span><span class="say absent">not on the form</span>'
"""Two things that the gate's script puts into the input when they are clicked."""

_KIND_CODES = frozenset({"kind_unknown", "type_doubtful"})
"""Reasons for which a person is asked at once what the document is."""


class Region(NamedTuple):
    """A frame on a page as shown: which page of the task, from 0, and where."""

    id: str
    item: int
    box: Box


def task_of(
    document: Document,
    pages: Sequence[Page],
    schema: DocumentSchema,
    *,
    page_urls: Sequence[str],
    queue_title: str,
    zone: dt.tzinfo | None = None,
) -> dict[str, Any]:
    """The document as Label Studio's import wants it: ``data`` and ``predictions``.

    Besides what the screen shows (``pages``, ``ui``), ``data`` holds what the queue is ordered and
    searched by and nothing of a patient's: ``document_id``, ``type``, ``due_at``, ``priority``,
    ``urgency``, ``doubtful`` (how many fields are open), ``blind``. A blind task says nothing that
    was read; but its deadline is there, or it would be worked too late.

    Args:
        document: As decided.
        pages: Those of the document.
        schema: That of its type.
        page_urls: Of its page images, in the order of ``document.pages``.
        queue_title: What the queue is called for people.
        zone: For the times shown; by default the appliance's own.

    Raises:
        ValueError: There is not one address and one page as read for each of its pages.
    """
    sizes = {page.number: page for page in pages}
    if len(page_urls) != len(document.pages) or not set(document.pages) <= set(sizes):
        raise ValueError(
            f"{document.document_id}: {len(document.pages)} pages, {len(page_urls)} addresses, "
            f"{len(sizes)} pages as read"
        )
    form = form_of(document, pages, schema)
    table = table_of(document)
    ui = {"summary": _summary(document, form, schema, queue_title, zone)}
    with_claims = bool(table.opened) and not form.blind
    # Only an input that is there from the start takes the focus: no choices, no empty list.
    first = next(
        (
            each.schema.name
            for each in form.to_check
            if not options_of(each.schema) and (each.values or not each.schema.list)
        ),
        None,
    )
    if with_claims:
        first = None
    for shown in form.fields:
        name = shown.schema.name
        ui[name] = _heading(shown, blind=form.blind, first=name == first)
    if schema.type == DocumentType.REMITTANCE_EOB:
        ui["claims"], ui["claims_more"] = ("", "") if form.blind else table.headings()
    due = min((clock.due_at for clock in document.clocks), default=None)
    return {
        "data": {
            "document_id": document.document_id,
            "type": str(document.type),
            "queue": queue_title,
            "pages": list(page_urls),
            DUE: due.astimezone(dt.UTC).isoformat() if due is not None else NO_DUE,
            "priority": document.priority or 9,
            # How urgent the form says it is, is a reading like any other.
            "urgency": "" if form.blind else _level(document),
            "doubtful": len(form.opened),
            "blind": form.blind,
            "ui": ui,
        },
        "predictions": [
            {
                "model_version": MODEL_VERSION,
                "score": _score(document, form),
                "result": list(_results(document, form, table, sizes)),
            }
        ],
    }


def regions_of(document: Document, form: Form) -> Iterator[tuple[str, Region, bool]]:
    """The frames of the values and of the places left blank: field, frame, whether to check."""
    if form.blind:
        return
    for shown in form.fields:
        name = shown.schema.name
        for place, field in enumerate(shown.fields):
            if field.page in document.pages and field.box is not None:
                item = document.pages.index(field.page)
                yield name, Region(f"r_{name}_{place}", item, field.box), shown.opened
        blank = shown.blank
        if shown.fields or blank is None or blank.box is None:
            continue
        if blank.page in document.pages:
            item = document.pages.index(blank.page)
            yield name, Region(f"r_{name}_blank", item, blank.box), shown.opened


def _score(document: Document, form: Form) -> float:
    """How sure the least sure thing is that a person is asked about; lowest is served first."""
    if form.blind:
        return 1.0
    asked = [field.confidence for shown in form.opened for field in shown.fields]
    lacking = any(shown.opened and not shown.fields for shown in form.fields)
    claims = [claim.confidence for claim in document.claims]
    return round(min([*asked, *claims, document.type_confidence, 0.0 if lacking else 1.0]), 4)


def _results(
    document: Document, form: Form, table: Table, sizes: Mapping[int, Page]
) -> Iterator[dict[str, Any]]:
    for _, region, check in regions_of(document, form):
        yield _frame(region, sizes[document.pages[region.item]], doubt=check)
    if not form.blind:
        for number, (page, box) in enumerate(table.places()):
            if page in document.pages:
                region = Region(f"r_{CLAIMS_LABEL}_{number}", document.pages.index(page), box)
                yield _frame(region, sizes[page], doubt=True)
    for shown in form.fields:
        yield from _value(shown)
    for control in (NOTE, CUT_PAGES):
        yield _text(control, [""])
    if not form.blind:
        for control, rows in ((CLAIMS_OPEN, table.opened), (CLAIMS_REST, table.rest)):
            if rows:
                yield _text(control, [table.written(row) for row in rows])


def _value(shown: Shown) -> Iterator[dict[str, Any]]:
    control = value_control(shown.schema.name)
    options = options_of(shown.schema)
    if options:
        chosen = [value for value in shown.values if value in options]
        if not shown.schema.list:
            chosen = chosen[:1]
        if chosen:
            yield {
                "id": control,
                "from_name": control,
                "to_name": PAGE,
                "type": "choices",
                "value": {"choices": list(dict.fromkeys(chosen))},
            }
        return
    if shown.schema.list:
        if shown.values:
            yield _text(control, list(shown.values))
        return
    # Also where nothing was read: an input that is there from the start keeps the focus where it
    # is, one that Label Studio makes of what was typed takes it back.
    yield _text(control, list(shown.values[:1]) or [""])


def _text(control: str, values: list[str]) -> dict[str, Any]:
    return {
        "id": control,
        "from_name": control,
        "to_name": PAGE,
        "type": "textarea",
        "value": {"text": values},
    }


def _frame(region: Region, page: Page, *, doubt: bool) -> dict[str, Any]:
    box, control = region.box, DOUBT if doubt else SURE
    return {
        "id": region.id,
        "from_name": control,
        "to_name": PAGE,
        "type": "rectanglelabels",
        "original_width": page.width_px,
        "original_height": page.height_px,
        "image_rotation": 0,
        "item_index": region.item,
        "value": {
            "x": round(box.x0 * 100, 4),
            "y": round(box.y0 * 100, 4),
            "width": round(box.width * 100, 4),
            "height": round(box.height * 100, 4),
            "rotation": 0,
            "rectanglelabels": [control],
        },
    }


def _summary(
    document: Document,
    form: Form,
    schema: DocumentSchema,
    queue_title: str,
    zone: dt.tzinfo | None,
) -> str:
    """What it is, until when, what keeps it: the head of the form."""
    parts = [f'<div class="what">{escaped(queue_title or schema.title)}{_pages(document)}</div>']
    when = [] if form.blind else [_clock(document, zone), _urgency(document)]
    if any(when):
        parts.append(f'<div class="when">{" · ".join(each for each in when if each)}</div>')
    if form.blind:
        parts.append(
            '<div class="warn">Quality sample: please type what the form says. Nothing that was '
            "read is shown, so that the check is blind.</div>"
        )
    else:
        parts += _reasons(document, form)
    closed = len(form.fields) - len(form.opened)
    if closed:
        parts.append(
            f'<label class="all"><input type="checkbox" class="showall"/> show {closed} more '
            f"field{'s' if closed > 1 else ''}</label>"
        )
    parts.append(
        '<label class="all"><input type="checkbox" class="showwrong"/> wrong type or wrong cut'
        "</label>"
    )
    parts.append(f'<div class="keys">{_KEYS}</div>')
    passed = len(form.opened) - len(form.to_check)
    if passed:
        white = f"the {passed} white fields" if passed > 1 else "the white field"
        parts.append(
            f'<div class="white"><b>Submit</b> confirms all that is open, also {white} that Enter '
            "passes by: have a look first.</div>"
        )
    asks = " askkind" if not _KIND_CODES.isdisjoint(document.reason_codes) else ""
    return f'<div class="sum{asks}">{"".join(parts)}</div>'


def _pages(document: Document) -> str:
    count = len(document.pages)
    return f", {count} page{'s' if count > 1 else ''}"


def _clock(document: Document, zone: dt.tzinfo | None) -> str:
    first = min(document.clocks, key=lambda clock: clock.due_at, default=None)
    if first is None:
        return ""
    due = first.due_at.astimezone(zone)
    return f"due <b>{due:%a %d %b %Y, %H:%M}</b> ({escaped(first.title)}, {escaped(first.length)})"


def _level(document: Document) -> str:
    return document.urgency.level if document.urgency is not None else "routine"


def _urgency(document: Document) -> str:
    if document.urgency is None or document.urgency.level == "routine":
        return ""
    return f'<span class="late">{escaped(document.urgency.level)}</span>'


def _reasons(document: Document, form: Form) -> Iterator[str]:
    """What blocks and is beside no field, then what else keeps the document."""
    titles = {shown.schema.name: shown.schema.title for shown in form.fields}
    fields = set(titles)
    told = []
    for finding in document.findings:
        if finding.severity is Severity.BLOCK:
            told.append(finding.message)
            yield f'<div class="stop">{_titled(finding, titles)}</div>'
    for finding in document.findings:
        if finding.severity is Severity.WARN and fields.isdisjoint(finding.fields):
            told.append(finding.message)
            yield f'<div class="warn">{_said(finding)}</div>'
    for reason in reasons_of(document):
        detail = reason.code.partition(":")[2]
        if detail in fields or any(message.startswith(reason.words) for message in told):
            continue
        yield f'<div class="warn">{escaped(reason.words)}</div>'


def _titled(finding: Finding, titles: Mapping[str, str]) -> str:
    """With the field's title before it; what to do stands beside the field then."""
    title = titles.get(finding.field or "")
    if title is None:
        return _said(finding)
    named = finding.message.lower().startswith(title.lower())
    return escaped(finding.message if named else f"{title}: {finding.message}")


def _said(finding: Finding) -> str:
    fix = f' <span class="fix">{escaped(finding.remedy)}</span>' if finding.remedy else ""
    return escaped(finding.message) + fix


def _heading(shown: Shown, *, blind: bool, first: bool) -> str:
    """The title with its page, and every reason why it is open."""
    tone = "bad" if shown.blocks else "look" if shown.doubtful else "calm"
    names = ["open" if shown.opened else "shut", tone, *(["first"] if first else [])]
    parts = [_SAY, f"<b>{escaped(shown.schema.title)}</b>"]
    if not blind:
        parts += _places(shown)
        for why in shown.why:
            fix = f' <span class="fix">{escaped(why.remedy)}</span>' if why.remedy else ""
            parts.append(f'<div class="why {why.severity}">{escaped(why.said)}{fix}</div>')
        parts += _printed(shown)
    return f'<div class="{" ".join(names)}">{"".join(parts)}</div>'


def _places(shown: Shown) -> Iterator[str]:
    pages = sorted({field.page for field in shown.fields if field.page is not None})
    if not pages and shown.blank is not None:
        pages = [shown.blank.page]
    if pages:
        yield f'<span class="pg">p. {", ".join(map(str, pages))}</span>'
    if any(field.mended for field in shown.fields):
        yield '<span class="pg">mended</span>'


def _printed(shown: Shown) -> Iterator[str]:
    """What the page says, where the value is written differently or can't be chosen."""
    options = options_of(shown.schema)
    for field, value in zip(shown.fields, shown.values, strict=False):
        if field.raw and _letters(field.raw) != _letters(value):
            yield f'<div class="raw">printed: {escaped(field.raw)}</div>'
        elif options and value not in options:
            yield f'<div class="raw">read: {escaped(value)}</div>'


def _letters(text: str) -> str:
    return "".join(sign for sign in text.casefold() if sign.isalnum())
