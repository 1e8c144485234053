# SPDX-License-Identifier: Apache-2.0
"""The labelling screen of every schema: what it holds, and that nobody changed it by accident.

``python -m tests.unit.test_review_screen`` writes the golden files anew; look at the difference,
and at the screen.
"""

from __future__ import annotations

import xml.etree.ElementTree as Xml
from pathlib import Path

import pytest

from idp.document import DocumentType
from idp.review.form import options_of
from idp.review.screens import screen_of, value_control
from idp.schemas import DocumentSchema, load_schemas

GOLDEN = Path(__file__).parent / "data" / "screens"
OWN = GOLDEN / "types"
SCHEMAS = load_schemas(OWN)


@pytest.mark.parametrize("kind", sorted(SCHEMAS))
def test_is_as_it_was(kind: DocumentType) -> None:
    assert without_style(screen_of(SCHEMAS[kind], schemas=SCHEMAS)) == golden(kind).read_text(
        encoding="utf-8"
    )


@pytest.mark.parametrize("kind", sorted(SCHEMAS))
def test_every_field_can_be_answered(kind: DocumentType) -> None:
    root = Xml.fromstring(screen_of(SCHEMAS[kind]))
    named = [each.attrib["name"] for each in root.iter() if "toName" in each.attrib]
    assert len(named) == len(set(named))
    for field in SCHEMAS[kind].fields:
        control = root.find(f".//*[@name='{value_control(field.name)}']")
        assert control is not None
        assert control.tag == ("Choices" if options_of(field) else "TextArea")
        assert root.find(f".//Markdown[@value='$ui.{field.name}']") is not None


@pytest.mark.parametrize("kind", sorted(SCHEMAS))
def test_leaves_no_key_to_label_studio(kind: DocumentType) -> None:
    """Whatever has no hotkey gets the next free letter or digit."""
    root = Xml.fromstring(screen_of(SCHEMAS[kind]))
    keys = {each.get("hotkey") for tag in ("Choice", "Label") for each in root.iter(tag)}
    assert keys == {"f19"}


def test_a_type_can_turn_out_to_be_any_other() -> None:
    root = Xml.fromstring(screen_of(SCHEMAS[DocumentType.REFERRAL], schemas=SCHEMAS))
    others = {
        each.attrib["alias"] for each in root.findall(".//Choices[@name='other_type']/Choice")
    }
    kinds = {kind.name for schema in SCHEMAS.values() for kind in schema.subtypes}
    assert others == (set(SCHEMAS) - {DocumentType.REFERRAL}) | kinds


def test_a_title_is_only_text() -> None:
    title = '"/><Header value="x"/>&'
    other = SCHEMAS[DocumentType.OTHER].model_copy(update={"title": title})
    root = Xml.fromstring(
        screen_of(SCHEMAS[DocumentType.REFERRAL], schemas={**SCHEMAS, DocumentType.OTHER: other})
    )
    assert root.find(".//Header") is None
    choice = root.find(".//Choice[@alias='other']")
    assert choice is not None
    assert choice.attrib["value"] == title


def without_style(screen: str) -> str:
    """The style sheet is a file of its own."""
    root = Xml.fromstring(screen)
    style = root.find("Style")
    assert style is not None
    assert style.text
    assert not set("<>&") & set(style.text), "would be escaped, and Label Studio takes it as it is"
    style.text = "style.css"
    return Xml.tostring(root, encoding="unicode") + "\n"


def golden(kind: DocumentType) -> Path:
    return GOLDEN / f"{kind}.xml"


def write(schema: DocumentSchema) -> None:
    golden(schema.type).write_text(
        without_style(screen_of(schema, schemas=SCHEMAS)), encoding="utf-8"
    )


if __name__ == "__main__":
    for each in SCHEMAS.values():
        write(each)
