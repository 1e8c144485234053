# SPDX-License-Identifier: Apache-2.0
"""Filled forms: only whole values are judged, and what a person checked stands before the guess."""

from pathlib import Path

import pytest
import yaml

from idp.document import Box, DocumentType
from idp.forms import BlankPage, PrintedWord, Widget
from idp.forms.meaning import Meaning
from idp.forms.nouns import Labelled
from idp.schemas import load_schemas
from idp.values import Kind
from training.forms.blanks import SCHEMAS, Blank
from training.forms.checked import CHECKED, CheckedForm, Place, applied, checked_forms
from training.forms.fill import fill
from training.forms.whole import lacking

SCHEMA = load_schemas(SCHEMAS)[DocumentType.PRIOR_AUTH_REQUEST]
NAMES = ("last name", "first name", "street", "city", "state", "zip code", "telephone", "e-mail")


def item(number: int, label: str, max_length: int | None = None) -> Labelled:
    top = 0.1 + 0.08 * number
    return Labelled(
        widget=Widget(
            page=1,
            box=Box(0.1, top, 0.6, top + 0.03),
            name=f"form.field{number}[0]",
            tooltip=label,
            kind="text",
            max_length=max_length,
        ),
        label=label,
    )


ITEMS = tuple(item(n, label) for n, label in enumerate(NAMES))
GUESSED = (
    Meaning("LAST", "last", "patient", "patient_name"),
    Meaning("FIRST", "first", "patient", "patient_name"),
    *[Meaning()] * 3,
    Meaning("ZIP", "zip", "patient", "patient_address"),
    Meaning("PHONE", "", "patient", "patient_phone"),
    Meaning("EMAIL", "", "patient", "patient_email"),
)


def form(**fields: dict[str, str] | str) -> CheckedForm:
    places = {
        name: ({
            part: Place(int(text.split()[0]), text.split(maxsplit=1)[1])
            for part, text in (parts if isinstance(parts, dict) else {"": parts}).items()
        },)
        for name, parts in fields.items()
    }  # fmt: skip
    return CheckedForm(places, frozenset())


@pytest.fixture
def pdf(tmp_path: Path) -> Path:
    from reportlab.pdfgen.canvas import Canvas  # noqa: PLC0415 - only where a file is drawn

    path = tmp_path / "family" / "form.pdf"
    path.parent.mkdir()
    canvas = Canvas(str(path), pagesize=(612, 792))
    canvas.drawString(50, 750, "A form")
    canvas.save()
    return path


def blank(path: Path, found: tuple[Meaning, ...], groups: tuple[int, ...]) -> Blank:
    words = tuple(
        PrintedWord(text=f"word{n}", box=Box(0.1, 0.02, 0.2, 0.03)) for n in range(30)
    )  # fmt: skip
    return Blank(
        path,
        "family",
        DocumentType.PRIOR_AUTH_REQUEST,
        (BlankPage(number=1, words=words),),
        ((612, 792),),
        ITEMS,
        found,
        groups,
    )


@pytest.mark.parametrize(
    ("kind", "parts", "short"),
    [
        (Kind.ADDRESS, {"zip"}, {"street", "rest"}),
        (Kind.ADDRESS, {"street", "city", "zip"}, {"state"}),
        (Kind.ADDRESS, {"street", "rest"}, set()),
        (Kind.ADDRESS, {"street", "unit", "city", "state", "zip"}, set()),
        (Kind.PERSON, {"middle"}, {"first", "last"}),
        (Kind.PERSON, {"first", "last"}, set()),
        (Kind.PHONE, {"area", "prefix"}, {"line"}),
        (Kind.DATE, {"month", "year"}, {"day"}),
        (Kind.PERSON, {""}, set()),
        (Kind.IDENTIFIER, {"zip"}, set()),
    ],
)
def test_a_group_of_places_lacks_the_parts_without_which_it_is_no_value(
    kind: Kind, parts: set[str], short: set[str]
) -> None:
    assert lacking(kind, parts) == short


def test_an_address_of_which_only_the_zip_code_is_known_is_filled_in_but_not_judged(
    pdf: Path,
) -> None:
    made = fill(blank(pdf, GUESSED, (1, 1, 0, 0, 0, 2, 3, 4)), "train", 1)
    assert "patient_address" not in made.fields
    assert made.left_out["patient_address"].startswith("without ")
    assert "patient_name" in made.fields


def test_a_value_cut_off_by_its_place_is_not_judged(pdf: Path) -> None:
    one = blank(pdf, GUESSED, (1, 1, 0, 0, 0, 2, 3, 4))
    short = Blank(
        one.path, one.family, one.type, one.pages, one.sizes,
        (*ITEMS[:7], item(7, "e-mail", max_length=6)), one.meanings, one.groups,
    )  # fmt: skip
    made = fill(short, "train", 1)
    assert "patient_email" not in made.fields
    assert made.left_out["patient_email"] == "not all of it stands there"


def test_what_a_person_checked_stands_before_the_guess() -> None:
    said = form(
        patient_address={
            "street": "2 street", "city": "3 city", "state": "4 state", "zip": "5 zip"
        },
        patient_phone="6 telephone",
    )  # fmt: skip
    found = applied(said, ITEMS, GUESSED, SCHEMA)
    assert [m.field for m in found.meanings[2:7]] == [*["patient_address"] * 4, "patient_phone"]
    assert len({*found.groups[2:6]}) == 1
    assert found.meanings[7].field == ""
    assert found.meanings[7].party == "other"


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        (form(patient_address={"zip": "5 zip"}), "without"),
        (form(patient_name={"first": "1 first"}), "without last"),
        (form(patient_phone="7 telephone"), "does not stand at place 7"),
        (form(patient_phone="99 telephone"), "no place 99"),
        (form(patient_shoe="6 telephone"), "no field patient_shoe"),
    ],
)
def test_a_slip_in_the_table_is_an_error(said: CheckedForm, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        applied(said, ITEMS, GUESSED, SCHEMA)


def test_a_place_named_twice_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "checked.yaml"
    path.write_text("a/b: {patient_name: 1 name, blank: 1-3}\n", encoding="utf-8")
    with pytest.raises(ValueError, match="place 1 stands there twice"):
        checked_forms(path)


def test_the_table_names_forms_by_folder_and_file() -> None:
    names = list(yaml.safe_load(CHECKED.read_text(encoding="utf-8")))
    assert len(names) >= 90
    assert all(name.count("/") == 1 for name in names)
    assert set(checked_forms()) == set(names)
