# SPDX-License-Identifier: Apache-2.0
"""The labelling screen of a document type, generated from its schema: page left, form right.

The screen is the same for all documents of a type; what a document has to say (reasons, what is
open, what is doubtful) comes with its task and is shown by the style sheet. No hotkey is left to
Label Studio: it would give single letters and digits to the first choices it meets, and a slip of
the keyboard would tick them.

What a screen holds is paid for at each document: Label Studio takes some milliseconds for each
control, label and choice, whether it is seen or not. So frames have one label (which field one
belongs to is in its id), and what is not there or can't be read is said in a field's own input.
The script that the gate adds (``idp/gate/assets/screen.js``) does the rest.
"""

from __future__ import annotations

import xml.etree.ElementTree as Xml
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from idp.document import DocumentType
from idp.review.form import options_of
from idp.schemas import DocumentSchema, FieldSchema, load_schemas
from idp.values import Kind

PAGE = "page"
"""The image that all controls belong to."""
DOUBT, SURE = "doubt", "sure"
"""Frames around values to check, and around the others."""
CLAIMS_LABEL = "claims"
"""What the ids of a remittance's frames begin with, as those of a field do with its name."""
TYPE, CUT, CUT_PAGES, NOTE = "other_type", "cut", "cut_pages", "note"
CLAIMS_OPEN, CLAIMS_REST = "claims_open", "claims_rest"
CAN_T_READ = "?"
"""Typed into an input, or chosen: what stands there can't be read."""
ILLEGIBLE = "illegible"
SEVERAL, EARLIER, LATER, LACKING = (
    "several documents in one",
    "begins on an earlier page",
    "goes on in the next document",
    "pages lack or stand in the wrong order",
)

_NO_KEY = "f19"
"""A key that keyboards do not have: who has it has no other."""
_AMBER, _GREY = "#d97706", "#64748b"
_LONG = frozenset({Kind.TEXT, Kind.ADDRESS})


def value_control(name: str) -> str:
    """The control that holds a field's value."""
    return f"v_{name}"


def screen_of(
    schema: DocumentSchema, *, schemas: Mapping[DocumentType, DocumentSchema] | None = None
) -> str:
    """The labelling config for documents of one type, in Label Studio's XML.

    Args:
        schema: That of the type.
        schemas: All types that a document can turn out to be; by default those of the package.
    """
    root = Xml.Element("View")
    Xml.SubElement(root, "Style").text = _style()
    both = _view(root, "rv")
    paper = _view(both, "rv-doc")
    _frames(_view(paper, "rv-labels"))
    Xml.SubElement(
        paper,
        "Image",
        name=PAGE,
        valueList="$pages",
        zoom="true",
        zoomControl="true",
        rotateControl="true",
        defaultZoom="fit",
        maxHeight="3000px",
    )
    form = _view(both, "rv-form")
    _markdown(form, "$ui.summary")
    if schema.type == DocumentType.REMITTANCE_EOB:
        _claims(form)
    for field in schema.fields:
        _field(form, field)
    _about_the_document(form, schema, load_schemas() if schemas is None else schemas)
    Xml.indent(root)
    return Xml.tostring(root, encoding="unicode") + "\n"


@cache
def _style() -> str:
    return Path(__file__).with_name("style.css").read_text(encoding="utf-8")


def _view(parent: Xml.Element, name: str, **more: str) -> Xml.Element:
    return Xml.SubElement(parent, "View", {"className": name, **more})


def _markdown(parent: Xml.Element, value: str) -> None:
    Xml.SubElement(parent, "Markdown", value=value)


def _frames(parent: Xml.Element) -> None:
    """Two sets of frames, because a label has one colour for all documents.

    Each has one label, which nobody can choose: so nobody draws a frame by accident.
    """
    for control, colour, width in ((DOUBT, _AMBER, "3"), (SURE, _GREY, "1")):
        frames = Xml.SubElement(
            parent,
            "RectangleLabels",
            name=control,
            toName=PAGE,
            strokeWidth=width,
            fillOpacity="0.06",
            canRotate="false",
        )
        Xml.SubElement(frames, "Label", value=control, background=colour, hotkey=_NO_KEY)


def _field(parent: Xml.Element, field: FieldSchema) -> None:
    whole = _view(parent, "f", idAttr=f"f-{field.name}")
    _markdown(_view(whole, "f-h"), f"$ui.{field.name}")
    value = _view(whole, "f-t")
    options = options_of(field)
    if options:
        shown = dict.fromkeys(options, "") | {ILLEGIBLE: CAN_T_READ}
        _choices(value, value_control(field.name), shown, several=field.list)
    else:
        rows = "2" if field.kind in _LONG and not field.list else "1"
        _text(value, value_control(field.name), several=field.list, rows=rows)


def _claims(parent: Xml.Element) -> None:
    """Rows of text, one per claim and line: the community edition has no table to edit."""
    for control, part in ((CLAIMS_OPEN, "claims"), (CLAIMS_REST, "claims_more")):
        whole = _view(parent, "f t", idAttr=f"f-{control}")
        _markdown(_view(whole, "f-h"), f"$ui.{part}")
        _text(_view(whole, "f-t"), control, several=True, rows="1")


def _about_the_document(
    parent: Xml.Element, schema: DocumentSchema, schemas: Mapping[DocumentType, DocumentSchema]
) -> None:
    whole = _view(parent, "d")
    _markdown(_view(whole, "f-h"), "Note")
    _text(_view(whole, "f-t"), NOTE, several=False, rows="2")
    wrong = _view(parent, "d wrong kind")
    _markdown(_view(wrong, "f-h"), "Wrong type? It is")
    _choices(_view(wrong, "f-t"), TYPE, _kinds(schema, schemas), several=False)
    cut = _view(parent, "d wrong")
    _markdown(_view(cut, "f-h"), "Wrong cut?")
    _choices(_view(cut, "f-t"), CUT, (SEVERAL, EARLIER, LATER, LACKING), several=False)
    starts = _view(parent, "d wrong")
    _markdown(_view(starts, "f-h"), "New document starts on page")
    _text(_view(starts, "f-t"), CUT_PAGES, several=False, rows="1")


def _kinds(
    schema: DocumentSchema, schemas: Mapping[DocumentType, DocumentSchema]
) -> dict[str, str]:
    """What a document of the type can turn out to be: other types, and all kinds of `other`."""
    kinds: dict[str, str] = {}
    for each in schemas.values():
        if each.type != schema.type:
            kinds[each.title] = str(each.type)
        for kind in each.subtypes:
            # Two of one title would be one choice.
            title = kind.title if kind.title not in kinds else f"{kind.title} ({kind.name})"
            kinds[title] = kind.name
    return kinds


def _text(parent: Xml.Element, name: str, *, several: bool, rows: str) -> None:
    described = {
        "name": name,
        "toName": PAGE,
        "editable": "true",
        "transcription": "true",
        "rows": rows,
        "placeholder": "add another" if several else "",
    }
    if not several:
        described["maxSubmissions"] = "1"
    Xml.SubElement(parent, "TextArea", described)


def _choices(
    parent: Xml.Element,
    name: str,
    options: Mapping[str, str] | tuple[str, ...],
    *,
    several: bool,
) -> None:
    control = Xml.SubElement(
        parent,
        "Choices",
        name=name,
        toName=PAGE,
        choice="multiple" if several else "single",
        showInline="true",
    )
    named = options.items() if isinstance(options, Mapping) else ((each, "") for each in options)
    for shown, alias in named:
        described = {"value": shown, "hotkey": _NO_KEY}
        if alias:
            described["alias"] = alias
        Xml.SubElement(control, "Choice", described)
