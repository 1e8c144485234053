# SPDX-License-Identifier: Apache-2.0
"""The screen on which a packet is cut by hand: all its pages, one letter each.

One screen for all packets, with as many pages as the task has. Whoever cuts types: Tab goes from
page to page, a letter says what starts there, and a page left as it is costs one key. What is
submitted is read against the packet as it is stored, never against what the task said.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as Xml
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from idp.cutting import GivenCuts, Packet, PacketDocument, PageCut, Says
from idp.document import Document, DocumentType
from idp.review.provisioning import DUE, MODEL_VERSION, NO_DUE, Screen
from idp.review.screens import NOTE
from idp.review.wording import escaped, plain_text
from idp.reviewing import SPLITTING
from idp.schemas import DocumentSchema

GOES_ON, LEFT_OUT = "g", "x"
PACKET = "packet"
"""The text that all controls belong to; nobody sees it."""
MOST_PAGES = 400
"""Of one packet; a longer one is cut by the sender, or as what it came in."""
MOST_NOTE = 4_000

_LETTERS = {
    DocumentType.REFERRAL: "r",
    DocumentType.PRIOR_AUTH_REQUEST: "p",
    DocumentType.PRIOR_AUTH_DETERMINATION: "d",
    DocumentType.REMITTANCE_EOB: "e",
    DocumentType.OTHER: "o",
}
_PAGE_CONTROL = re.compile(r"page_(\d{1,4})\Z")
_INDEX = "{{idx}}"
_INSTRUCTION = (
    "<p>Say for each page what starts there. A page that belongs to the document before it goes "
    "on; cover sheets, blank pages and what is not ours are left out. Pages of documents that have "
    "left already stay as they are.</p>"
)


class Cut(NamedTuple):
    """What a person submitted on a packet."""

    cuts: GivenCuts
    problems: tuple[str, ...]
    """Codes, ``not_understood:3`` for the third page; empty when all was understood."""
    note: str
    """Foreign text: a patient's data."""


def letters_of(schemas: Mapping[DocumentType, DocumentSchema]) -> dict[str, DocumentType]:
    """The letter that starts a document of each type: the same for the same schemas.

    Own types take the first letter of their name that is free, then any that is free.
    """
    found = {letter: type_ for type_, letter in _LETTERS.items() if type_ in schemas}
    for type_ in sorted(set(schemas) - set(_LETTERS)):
        wanted = [*type_.replace("_", ""), *"abcdefghijklmnopqrstuvwyz0123456789"]
        free = (each for each in wanted if each not in {*found, GOES_ON, LEFT_OUT})
        letter = next(free, None)
        if letter is not None:
            found[letter] = type_
    return found


def splitting_screen() -> Screen:
    """The project in which packets are cut; what may start there comes with each task."""
    return Screen(SPLITTING, "Where do documents begin?", _config(), _INSTRUCTION)


def _config() -> str:
    root = Xml.Element("View")
    Xml.SubElement(root, "Style").text = _style()
    hidden = Xml.SubElement(root, "View", className="sp-hidden")
    Xml.SubElement(hidden, "Text", name=PACKET, value="$queue")
    whole = Xml.SubElement(root, "View", className="sp")
    Xml.SubElement(whole, "Markdown", value="$ui.summary")
    sheets = Xml.SubElement(whole, "View", className="sp-sheets")
    each = Xml.SubElement(sheets, "Repeater", on="$sheets", indexFlag=_INDEX)
    sheet = Xml.SubElement(each, "View", className="sp-sheet")
    Xml.SubElement(sheet, "Markdown", value=f"$sheets[{_INDEX}].head")
    _text(Xml.SubElement(sheet, "View", className="sp-says"), f"page_{_INDEX}", "1")
    Xml.SubElement(sheet, "Markdown", value=f"$sheets[{_INDEX}].picture")
    note = Xml.SubElement(whole, "View", className="sp-note")
    Xml.SubElement(note, "Markdown", value="Note")
    _text(note, NOTE, "2")
    Xml.indent(root)
    return Xml.tostring(root, encoding="unicode") + "\n"


def _text(parent: Xml.Element, name: str, rows: str) -> None:
    Xml.SubElement(
        parent,
        "TextArea",
        name=name,
        toName=PACKET,
        editable="true",
        transcription="true",
        maxSubmissions="1",
        rows=rows,
    )


@cache
def _style() -> str:
    return Path(__file__).with_name("splitting.css").read_text(encoding="utf-8")


def splitting_task(
    document: Document,
    packet: Packet,
    schemas: Mapping[DocumentType, DocumentSchema],
    *,
    page_urls: Sequence[str],
    came_back: bool = False,
) -> dict[str, Any]:
    """The packet as Label Studio's import wants it; for the queue it stands for ``document``.

    Args:
        document: The one that asks: its clock and its urgency order the queue.
        packet: With all pages, and how it is cut now.
        schemas: By type.
        page_urls: Of its page images, in the packet's order.
        came_back: Shown once more, since something was not understood.

    Raises:
        ValueError: There is not one address for each page, or there are too many pages.
    """
    if len(page_urls) != len(packet.pages) or len(packet.pages) > MOST_PAGES:
        raise ValueError(f"{len(packet.pages)} pages, {len(page_urls)} addresses")
    due = min((clock.due_at for clock in document.clocks), default=None)
    sheets = list(_sheets(packet, schemas, page_urls))
    doubts = [each.document.cut_confidence for each in packet.documents if not each.fixed]
    told = [
        _text_result(f"page_{place}", sheet.letter)
        for place, sheet in enumerate(sheets)
        if sheet.letter
    ]
    return {
        "data": {
            "document_id": document.document_id,
            "type": SPLITTING,
            "queue": "Where do documents begin?",
            "pages": list(page_urls),
            DUE: due.isoformat() if due is not None else NO_DUE,
            "priority": document.priority or 9,
            "urgency": document.urgency.level if document.urgency is not None else "routine",
            "doubtful": len(sheets),
            "blind": False,
            "ui": {"summary": _summary(packet, schemas, came_back=came_back)},
            "sheets": [{"head": sheet.head, "picture": sheet.picture} for sheet in sheets],
        },
        "predictions": [
            {
                "model_version": MODEL_VERSION,
                "score": round(min(doubts, default=0.0), 4),
                "result": [*told, _text_result(NOTE, "")],
            }
        ],
    }


def cut_of(
    annotation: Mapping[str, Any],
    packet: Packet,
    schemas: Mapping[DocumentType, DocumentSchema],
) -> Cut:
    """What an annotation says of each page of the packet.

    Nothing in it is trusted. An input left empty, or never there, is as it was prefilled; a type
    may be written out. What can't be understood is named by its page and counts as going on.
    """
    letters = letters_of(schemas)
    said = _said(annotation.get("result"))
    closed = _closed(packet)
    pages: list[PageCut] = []
    problems: list[str] = []
    before = {(each.part, each.number): each for each in _as_cut(packet)}
    for place, page in enumerate(packet.pages):
        known = before[page.place]
        text = said.get(place, "")
        if page.place in closed or not text or text == _letter_of(known, letters):
            pages.append(known)
            continue
        understood = _understood(text, letters)
        if understood is None:
            problems.append(f"not_understood:{place + 1}")
        says, type_ = understood or ("goes_on", None)
        subtype = known.subtype if (known.says, known.type) == (says, type_) else None
        pages.append(known.model_copy(update={"says": says, "type": type_, "subtype": subtype}))
    if not said and packet.pages:
        problems.append("nothing_came_back")
    note = plain_text(said.get(-1, ""), most=MOST_NOTE)
    cuts = GivenCuts(
        schema="idp.cuts/1",
        arrival_id=packet.arrival_id,
        sha256=packet.sha256,
        pages=tuple(pages),
    )
    return Cut(cuts, tuple(problems), note)


def _understood(
    text: str, letters: Mapping[str, DocumentType]
) -> tuple[Says, DocumentType | None] | None:
    word = text.strip().lower()
    if word in {GOES_ON, "+", "goes on"}:
        return "goes_on", None
    if word in {LEFT_OUT, "-", "leave out", "left out"}:
        return "left_out", None
    if word in letters:
        return "starts", letters[word]
    named = word.replace(" ", "_").replace("-", "_")
    type_ = next((each for each in letters.values() if each == named), None)
    return None if type_ is None else ("starts", type_)


def _said(results: object) -> dict[int, str]:
    """The first text of each page's input by its place, the note's under -1."""
    found: dict[int, str] = {}
    for result in results if isinstance(results, list) else []:
        if not isinstance(result, dict) or not isinstance(result.get("value"), dict):
            continue
        control, texts = result.get("from_name"), result["value"].get("text")
        first = texts[0] if isinstance(texts, list) and texts else texts
        if not isinstance(control, str) or not isinstance(first, str):
            continue
        match = _PAGE_CONTROL.match(control)
        if match is not None:
            found.setdefault(int(match[1]), plain_text(first, most=80))
        elif control == NOTE:
            found[-1] = first
    return found


class _Sheet(NamedTuple):
    head: str
    picture: str
    letter: str
    """What its input holds at first; none: the page is not open."""


def _closed(packet: Packet) -> dict[tuple[str | None, int], PacketDocument]:
    """The pages of documents that have left, or that a person has taken."""
    return {
        (each.document.part, number): each
        for each in packet.documents
        if each.fixed
        for number in each.document.pages
    }


def _as_cut(packet: Packet) -> Iterator[PageCut]:
    """What each page is now: by the last word of a person, else as the appliance cut."""
    said = {(each.part, each.number): each for each in packet.said.pages} if packet.said else {}
    first = {
        (each.document.part, each.document.pages[0]): each.document
        for each in packet.documents
        if each.document.pages
    }
    owned = {(e.document.part, number) for e in packet.documents for number in e.document.pages}
    closed = _closed(packet)
    for page in packet.pages:
        told, document = said.get(page.place), first.get(page.place)
        if told is not None and page.place not in closed:
            yield told.model_copy(update={"page_sha256": page.page_sha256})
        elif document is not None:
            yield PageCut(
                part=page.part,
                number=page.number,
                says="starts",
                type=document.type,
                subtype=document.subtype,
                page_sha256=page.page_sha256,
            )
        else:
            yield PageCut(
                part=page.part,
                number=page.number,
                says="goes_on" if page.place in owned else "left_out",
                page_sha256=page.page_sha256,
            )


def _letter_of(cut: PageCut, letters: Mapping[str, DocumentType]) -> str:
    if cut.says != "starts":
        return GOES_ON if cut.says == "goes_on" else LEFT_OUT
    return next((letter for letter, type_ in letters.items() if type_ == cut.type), GOES_ON)


def _sheets(
    packet: Packet, schemas: Mapping[DocumentType, DocumentSchema], urls: Sequence[str]
) -> Iterator[_Sheet]:
    letters = letters_of(schemas)
    closed = _closed(packet)
    doubts = {
        (each.document.part, each.document.cut_page): each.document.cut_confidence
        for each in packet.documents
        if each.document.cut_page is not None
    }
    firsts = {page.part: page for page in reversed(packet.pages)}
    for place, (page, cut, url) in enumerate(zip(packet.pages, _as_cut(packet), urls, strict=True)):
        names = [cut.says.replace("_", "-"), *(["first"] if place == 0 else [])]
        told = [f"<b>{place + 1}</b> now: ", _what(cut, schemas)]
        if (sure := doubts.get(page.place)) is not None and sure < 1:
            names.append("doubt")
            told.append(f' <span class="sure">{int(sure * 100)} % sure of the cut here</span>')
        if page.place in closed:
            names.append("fixed")
            told.append(' <span class="gone">has left: stays as it is</span>')
        if len(firsts) > 1 and firsts[page.part] is page:
            told.append(f'<div class="part">{escaped(page.part or "the file itself")}</div>')
        picture = f'<a href="{url}" target="_blank" tabindex="-1"><img src="{url}" alt=""/></a>'
        yield _Sheet(
            f'<div class="{" ".join(names)}"><div class="says">{"".join(told)}</div></div>',
            picture,
            "" if page.place in closed else _letter_of(cut, letters),
        )


def _what(cut: PageCut, schemas: Mapping[DocumentType, DocumentSchema]) -> str:
    if cut.says == "goes_on":
        return "goes on"
    if cut.says == "left_out":
        return "left out"
    schema = schemas.get(cut.type) if cut.type is not None else None
    if schema is None:
        return "starts"
    kind = next((kind.title for kind in schema.subtypes if kind.name == cut.subtype), None)
    return f"starts: {escaped(kind or schema.title)}"


def _summary(
    packet: Packet, schemas: Mapping[DocumentType, DocumentSchema], *, came_back: bool
) -> str:
    legend = [
        f"<b>{letter}</b> {escaped(schemas[type_].title)}"
        for letter, type_ in letters_of(schemas).items()
    ]
    again = (
        '<div class="stop">Something was not understood: look at the pages once more.</div>'
        if came_back
        else ""
    )
    return (
        f'<div class="sp-sum"><div class="what">{len(packet.pages)} pages that came together: '
        f"where do documents begin?</div>{again}"
        f'<div class="legend">starts {" · ".join(legend)} · <b>{GOES_ON}</b> goes on · '
        f"<b>{LEFT_OUT}</b> leave out (cover sheet, blank, not ours)</div>"
        '<div class="keys"><b>Tab</b> next page · type a letter · <b>Tab</b> out of the last one, '
        "then <b>Ctrl+Enter</b> submits · click a page to see it whole</div></div>"
    )


def _text_result(control: str, text: str) -> dict[str, Any]:
    return {
        "id": control,
        "from_name": control,
        "to_name": PACKET,
        "type": "textarea",
        "value": {"text": [text]},
    }
