# SPDX-License-Identifier: Apache-2.0
"""Registered forms: what places ask for, recognising a copy, reading it at its places."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from idp.classify import split
from idp.document import Box, DocumentType, FormMatch, FormPlace, Mark, Page, Word
from idp.errors import FormError, NotFoundError
from idp.extract.ports import Candidate
from idp.extract.registered import (
    SURE,
    RegisteredSource,
    composed,
    empty_places,
    held_to_forms,
    pieces_of,
)
from idp.extract.structure import Structure
from idp.extract.vote import vote
from idp.forms import BlankForm, BlankPage, FormLibrary, PrintedWord, Widget, blank_form, slug
from idp.forms.blank import label_widgets
from idp.forms.meaning import meanings, plain, sentences
from idp.forms.recognise import Recogniser
from idp.schemas import load_schemas
from idp.values import Kind
from tests.unit.pages import page

SCHEMAS = load_schemas()
SCHEMA = SCHEMAS[DocumentType.PRIOR_AUTH_REQUEST]

PRINT = """
Riverbend Health Plan                    Request for Additional Coverage
Complete every section in dark ink and return both pages to the address below
SECTION 1 - PATIENT INFORMATION

Last Name                 First Name              Date of Birth


Street                    City                    State       Zip Code


Sex    [ ] Male    [ ] Female                 Home Telephone Number
SECTION 2 - EMERGENCY CONTACT

Name                      Relationship            Telephone Number


I certify that everything said above is complete and true to my knowledge
"""


def widget(name: str, box: Box, tooltip: str = "", **more: object) -> Widget:
    return Widget.model_validate(
        {"page": 1, "box": box, "name": name, "tooltip": tooltip, "kind": "text", **more}
    )


def row(y: int) -> float:
    """The top of a printed row, as :func:`tests.unit.pages.page` lays it out."""
    return (y + 2) / 66


def box(x: int, y: int, wide: int = 22) -> Box:
    return Box((x + 4) / 96, row(y), (x + wide + 4) / 96, row(y) + 0.013)


WIDGETS = (
    widget("form1.LastName[0]", box(0, 5)),
    widget("form1.FirstName[0]", box(26, 5)),
    widget("form1.DOB[0]", box(50, 5), "Date of birth. Enter 2 digit month, day and 4 digit year."),
    widget("form1.Street[0]", box(0, 8)),
    widget("form1.City[0]", box(26, 8)),
    widget("form1.State[0]", box(50, 8, 8)),
    widget("form1.Zip[0]", box(62, 8, 10)),
    widget("form1.Sex[0]", Box(0.115, row(10), 0.13, row(10) + 0.012), kind="radio", on_state="1"),
    widget("form1.Sex[0]", Box(0.24, row(10), 0.255, row(10) + 0.012), kind="radio", on_state="2"),
    widget("form1.Phone[0]", box(70, 10, 20)),
    widget("form1.ContactName[0]", box(0, 14)),
    widget("form1.ContactPhone[0]", box(50, 14)),
)


def blank_page(text: str = PRINT, number: int = 1) -> BlankPage:
    words = tuple(PrintedWord(text=w.text, box=w.box) for w in page(text).words)
    return BlankPage(number=number, words=words)


def form(
    name: str = "riverbend", text: str = PRINT, widgets: Sequence[Widget] = WIDGETS
) -> BlankForm:
    return blank_form(
        name,
        name,
        DocumentType.PRIOR_AUTH_REQUEST,
        f"sha of {name}",
        pages=[blank_page(text)],
        widgets=widgets,
        schema=SCHEMA,
    )


def moved(seen: Page, shift: tuple[float, float] = (0.02, -0.01), scale: float = 0.97) -> Page:
    """The page as a fax machine feeds it: smaller and beside its place."""
    words = tuple(
        w.model_copy(
            update={
                "box": Box(
                    w.box.x0 * scale + shift[0],
                    w.box.y0 * scale + shift[1],
                    w.box.x1 * scale + shift[0],
                    w.box.y1 * scale + shift[1],
                )
            }
        )
        for w in seen.words
    )
    return seen.model_copy(update={"words": words})


def with_words(seen: Page, *texts: tuple[str, int, int]) -> Page:
    """The page with words written in: text, column, row."""
    words = list(seen.words)
    for text, x, y in texts:
        words.append(
            Word(id=len(words), text=text, confidence=0.95, box=box(x, y, len(text)), line=100 + y)
        )
    return seen.model_copy(update={"words": tuple(words)})


def filled() -> Page:
    return with_words(
        page(PRINT),
        ("OKONKWO", 1, 5),
        ("ADA", 27, 5),
        ("03/05/1961", 51, 5),
        ("12", 1, 8),
        ("ELM", 4, 8),
        ("ST", 8, 8),
        ("DAYTON", 27, 8),
        ("OH", 51, 8),
        ("45402", 63, 8),
        ("BEN", 1, 14),
        ("ADEYEMI", 6, 14),
        ("937-555-0199", 51, 14),
    )


def asked(number: int) -> str:
    return form().places[number].field


def test_places_are_mapped_by_their_names_and_the_print_above_them() -> None:
    assert [asked(n) for n in range(3)] == ["patient_name", "patient_name", "patient_dob"]
    assert [asked(n) for n in range(3, 7)] == ["patient_address"] * 4
    assert [form().places[n].part for n in range(3, 7)] == ["street", "city", "state", "zip"]


def test_a_label_is_the_print_over_a_place_up_to_the_next_one() -> None:
    items = label_widgets([blank_page()], WIDGETS)
    assert items[1].label == "First Name"
    assert items[0].section.startswith("SECTION 1")
    assert items[10].section.startswith("SECTION 2")


def test_the_words_beside_a_tick_say_what_it_means() -> None:
    options = [(p.field, p.option) for p in form().places if p.kind == "radio"]
    assert options == [("patient_sex", "male"), ("patient_sex", "female")]


def test_a_section_of_somebody_else_gives_its_places_to_nobody() -> None:
    assert asked(10) == "" and asked(11) == ""


def test_a_tooltip_that_contradicts_the_print_leaves_a_place_without_meaning() -> None:
    lying = [widget("f.x[0]", box(26, 5), "Telephone number")]
    (found,) = meanings(label_widgets([blank_page()], lying), SCHEMA)
    assert found.field == ""
    assert not found.sure


def test_three_boxes_of_two_two_and_four_characters_are_month_day_and_year() -> None:
    boxes = [
        widget(f"f.dob{n}[0]", box(50 + 8 * n, 5, 6), "4. Date of birth.", max_length=most)
        for n, most in enumerate((2, 2, 4))
    ]
    found = meanings(label_widgets([blank_page()], boxes), SCHEMA)
    assert [m.part for m in found] == ["month", "day", "year"]


def test_a_state_or_province_is_part_of_the_address_it_stands_in() -> None:
    boxes = [
        widget("f.Street[0]", box(0, 8)),
        widget("f.City[0]", box(26, 8)),
        widget("f.Region[0]", box(50, 8, 8), "7. Current mailing address. State/Province."),
        widget("f.Zip[0]", box(62, 8, 10)),
    ]
    found = meanings(label_widgets([blank_page()], boxes), SCHEMA)
    assert [(m.field, m.part) for m in found] == [
        ("patient_address", part) for part in ("street", "city", "state", "zip")
    ]


def test_a_name_used_before_is_not_the_name() -> None:
    boxes = [
        widget("f.a[0]", box(0, 5), "1. Your full name. Enter last name."),
        widget("f.b[0]", box(26, 5), "1. Your full name. Enter first name."),
        widget("f.c[0]", box(0, 8), "2. Other names used, if any. Enter last name."),
        widget("f.d[0]", box(26, 8), "2. Other names used, if any. Enter first name."),
    ]
    plainly = blank_page("Part 1")
    found = meanings(label_widgets([plainly], boxes), SCHEMA)
    assert [m.field for m in found] == ["patient_name", "patient_name", "", ""]


def test_names_and_tooltips_become_plain_words() -> None:
    assert plain("VeteranLastName_2") == "veteran last name 2"
    assert sentences("7. TELEPHONE NUMBER (Include Area Code). Enter last 4 digits.")[0] == (
        "enter last 4 digits"
    )


def test_a_copy_is_recognised_although_it_lies_elsewhere_on_the_page() -> None:
    found = Recogniser([form()]).recognise(moved(filled()))
    assert found is not None
    assert (found.name, found.page) == ("riverbend", 1)
    assert found.score > 0.95
    assert found.places[0].box.x0 == pytest.approx(box(0, 5).x0 * 0.97 + 0.02, abs=0.002)


def test_a_foreign_page_is_not_recognised() -> None:
    foreign = page(
        """
        Hillside Imaging Center                  Radiology Report
        Patient Name    OKONKWO ADA              Date of Birth 03/05/1961
        Findings  No acute fracture of the left ankle, soft tissue swelling
        Telephone Number 937-555-0100            Street 4 Oak Zip Code 45402
        I certify that this report is complete and final, reviewed by two readers
        Impression  Sprain of the lateral ligament, follow up in two weeks
        """
    )
    assert Recogniser([form()]).recognise(foreign) is None


def test_of_two_forms_alike_the_one_whose_print_is_there_is_taken() -> None:
    other = PRINT.replace("SECTION 2 - EMERGENCY CONTACT", "SECTION 2 - EMPLOYER OF APPLICANT")
    other = other.replace("everything said above", "none of the statements")
    found = Recogniser([form("other", other), form()]).recognise(filled())
    assert found is not None
    assert found.name == "riverbend"


def test_what_is_left_of_a_word_run_into_the_print_is_kept() -> None:
    seen = page(PRINT.replace("Last Name  ", "Last NameOKONKWO"))
    found = Recogniser([form()]).recognise(seen)
    assert found is not None
    word = next(w for w in seen.words if w.text == "NameOKONKWO")
    assert found.printed[word.id] == "OKONKWO"


def read(seen: Page) -> dict[str, Candidate]:
    seen = seen.model_copy(update={"form": Recogniser([form()]).recognise(seen)})
    found = RegisteredSource().candidates([seen], SCHEMA, Structure((), ()))
    return {c.field: c for c in found}


def test_values_are_what_stands_in_the_places_and_parts_make_one() -> None:
    values = {name: c.value for name, c in read(moved(filled())).items()}
    assert values["patient_name"] == "Ada Okonkwo"
    assert values["patient_dob"] == "1961-03-05"
    assert values["patient_address"] == "12 ELM ST, DAYTON, OH 45402"
    assert "patient_phone" not in values


def test_a_place_that_nobody_wrote_into_is_known_to_be_empty() -> None:
    seen = moved(filled())
    seen = seen.model_copy(update={"form": Recogniser([form()]).recognise(seen)})
    empty = {blank.field: blank for blank in empty_places([seen], SCHEMA)}
    assert "patient_phone" in empty
    assert empty["patient_phone"].box is not None
    assert "patient_dob" not in empty
    assert "patient_sex" not in empty  # its answer is a tick
    assert empty_places([seen.model_copy(update={"form": None})], SCHEMA) == []


def test_a_tick_at_its_place_is_the_option() -> None:
    place = form().places[8].box
    seen = filled().model_copy(update={"marks": (Mark(state="checked", box=place, label=""),)})
    assert read(seen)["patient_sex"].value == "female"


def test_a_word_across_two_places_is_cut_between_them() -> None:
    seen = with_words(page(PRINT), ("OH4540245402454024", 52, 8))
    assert read(seen)["patient_address"].raw.startswith("OH45402")


def test_a_word_belongs_to_the_place_in_which_it_begins_and_most_of_it_stands() -> None:
    seen = with_words(page(PRINT), ("DAYTONSPRINGFIELDVALLEYVIEW", 27, 8))
    assert read(seen)["patient_address"].raw == "DAYTONSPRINGFIELDVALLEYVIEW"


def test_an_initial_run_into_the_name_beside_it_stands_in_its_own_place() -> None:
    middle, last = Box(0.30, 0.2, 0.33, 0.22), Box(0.33, 0.2, 0.6, 0.22)
    places = tuple(
        FormPlace(box=b, field="patient_name", part=part, group=1)
        for part, b in (("middle", middle), ("last", last))
    )
    match = FormMatch(
        name="f", type=DocumentType.PRIOR_AUTH_REQUEST, page=1, score=1, places=places
    )
    word = Word(id=0, text="PMORGAN", confidence=0.9, box=Box(0.31, 0.2, 0.45, 0.22), line=0)
    seen = page("").model_copy(update={"words": (word,), "form": match})
    assert {i: [p.text for p in found] for i, found in pieces_of(seen).items()} == {
        0: ["P"],
        1: ["MORGAN"],
    }


def test_a_date_misread_between_its_numbers_is_mended() -> None:
    seen = with_words(page(PRINT), ("03.", 51, 5), ("05/1961", 55, 5))
    assert read(seen)["patient_dob"].value == "1961-03-05"


def written(kind: str, parts: Mapping[str, str]) -> str | None:
    """The value of a field whose parts stand in places of their own, side by side."""
    boxes = [Box(0.1 + 0.1 * at, 0.2, 0.18 + 0.1 * at, 0.22) for at in range(len(parts))]
    match = FormMatch(
        name="f",
        type=DocumentType.PRIOR_AUTH_REQUEST,
        page=1,
        score=1,
        places=tuple(
            FormPlace(box=box, field=kind, part=part, group=1)
            for part, box in zip(parts, boxes, strict=True)
        ),
    )
    words = tuple(
        Word(id=at, text=text, confidence=0.9, box=box, line=0)
        for at, (text, box) in enumerate(zip(parts.values(), boxes, strict=True))
    )
    seen = page("").model_copy(update={"words": words, "form": match})
    [found] = RegisteredSource().candidates([seen], SCHEMA, Structure((), ()))
    return found.value if found.valid else None


def test_strokes_printed_between_the_boxes_of_a_number_are_no_part_of_it() -> None:
    date = {"month": "09", "day": "-27", "year": "-l994"}
    assert written("patient_dob", date) == "1994-09-27"
    assert written("patient_dob", {"month": "Sep", "day": "27,", "year": "1994"}) is None


def test_digits_within_the_words_of_a_place_are_the_letters_they_are_like() -> None:
    assert written("patient_name", {"first": "Rache]", "last": "WATS0N"}) == "Rachel WATSON"
    address = {"street": "8 Mill Rd", "city": "LAKEW00D, GA 16637", "state": "0H", "zip": "S0637"}
    assert written("patient_address", address) == "8 Mill Rd, LAKEWOOD, GA 16637, OH 50637"
    overflown = {"street": "8 Mill Rd", "state": "OH45402"}
    assert written("patient_address", overflown) == "8 Mill Rd, OH45402"


def test_pieces_are_put_together_as_people_write_them() -> None:
    parts = {"last": "Okonkwo", "first": "Ada", "middle": "N"}
    assert composed(parts, Kind.PERSON) == "Ada N Okonkwo"
    assert composed({"area": "937", "prefix": "555", "line": "0199"}, Kind.PHONE) == "937-555-0199"
    assert composed({"year": "1961", "month": "03", "day": "05"}, Kind.DATE) == "03/05/1961"


def test_other_sources_may_not_take_the_print_or_what_stands_elsewhere() -> None:
    seen = filled()
    seen = seen.model_copy(update={"form": Recogniser([form()]).recognise(seen)})
    ids = {w.text: w.id for w in seen.words}

    def candidate(text: str) -> Candidate:
        place = seen.words[ids[text]].box
        return Candidate(
            "requesting_provider_name", text, text, valid=True, confidence=0.9, page=1, box=place,
            word_ids=(ids[text],), source="structure",
        )  # fmt: skip

    label, contact = candidate("Relationship"), candidate("ADEYEMI")
    assert held_to_forms([label, contact], [seen], SCHEMA) == []
    stamp = with_words(seen, ("MERCER", 60, 20))
    own = stamp.words[-1]
    free = Candidate(
        "requesting_provider_name", "MERCER", "MERCER", valid=True, confidence=0.9, page=1,
        box=own.box, word_ids=(own.id,), source="structure",
    )  # fmt: skip
    assert held_to_forms([free], [stamp], SCHEMA) == [free]


def test_other_sources_may_take_what_stands_in_a_place_that_nobody_has_decided() -> None:
    """Until somebody decides, it is read as on a form that nobody registered."""
    seen = filled()
    match = Recogniser([form()]).recognise(seen)
    assert match is not None
    word = next(each for each in seen.words if each.text == "ADEYEMI")
    taken = Candidate(
        "requesting_provider_name", "ADEYEMI", "ADEYEMI", valid=True, confidence=0.9, page=1,
        box=word.box, word_ids=(word.id,), source="structure",
    )  # fmt: skip
    nobody_s = {"field": "", "group": 0}
    for undecided, kept in ((True, [taken]), (False, [])):
        places = tuple(
            place.model_copy(update={**nobody_s, "undecided": undecided}) for place in match.places
        )
        page_ = seen.model_copy(update={"form": match.model_copy(update={"places": places})})
        assert held_to_forms([taken], [page_], SCHEMA) == kept


def test_a_value_is_as_sure_as_its_worst_word_and_no_surer_because_others_read_it_too() -> None:
    seen = filled()
    words = tuple(
        each.model_copy(update={"confidence": 0.6 if each.text == "OKONKWO" else 1.0})
        for each in seen.words
    )
    known = read(seen.model_copy(update={"words": words}))["patient_name"]
    assert known.confidence == pytest.approx(0.6 * SURE)
    same = replace(known, source="structure", confidence=0.99)
    (field,) = vote([known, same], SCHEMA, {"form": "1"})
    assert field.confidence == known.confidence


def test_the_vote_believes_the_form_first() -> None:
    place = box(0, 5)
    sure = Candidate("patient_name", "Ann Lee", "Ann Lee", valid=True, confidence=0.99, page=1,
                     box=place, word_ids=(1,), source="structure")  # fmt: skip
    known = Candidate("patient_name", "Ada Okonkwo", "", valid=True, confidence=0.8, page=1,
                      box=place, word_ids=(2,), source="form")  # fmt: skip
    (field,) = vote([sure, known], SCHEMA, {"form": "1"})
    assert (field.value, field.source, field.confidence) == ("Ada Okonkwo", "form", 0.8)


def test_a_recognised_form_gives_type_and_boundaries() -> None:
    recogniser = Recogniser([form()])
    first, second = filled(), filled().model_copy(update={"number": 2})
    pages = [p.model_copy(update={"form": recogniser.recognise(p)}) for p in (first, second)]
    found = split(pages, SCHEMAS)
    assert [(s.type, s.pages) for s in found] == [
        (DocumentType.PRIOR_AUTH_REQUEST, (1,)),
        (DocumentType.PRIOR_AUTH_REQUEST, (2,)),
    ]
    assert found[0].form is not None
    assert found[0].form.name == "riverbend"


def library(folder: Path) -> FormLibrary:
    return FormLibrary(folder / "forms", SCHEMAS)


def test_the_same_pdf_twice_is_one_form_and_keeps_what_was_corrected(tmp_path: Path) -> None:
    shelf = library(tmp_path)
    shelf.add(form(), b"%PDF")
    path = shelf.path("riverbend") / "fields.yaml"
    path.write_text(path.read_text().replace("patient_phone", "patient_mobile"), "utf-8")
    again = shelf.add(form(), b"%PDF")
    assert again.places[9].field == "patient_mobile"
    assert [f.name for f in shelf.forms] == ["riverbend"]


def test_a_name_that_another_pdf_has_is_refused(tmp_path: Path) -> None:
    shelf = library(tmp_path)
    shelf.add(form(), b"%PDF")
    with pytest.raises(FormError, match="another PDF"):
        shelf.add(form().model_copy(update={"sha256": "other"}), b"%PDF2")


def test_a_correction_that_names_no_field_is_an_error_that_says_where(tmp_path: Path) -> None:
    shelf = library(tmp_path)
    shelf.add(form(), b"%PDF")
    path = shelf.path("riverbend") / "fields.yaml"
    path.write_text(path.read_text().replace("patient_dob", "patient_bod"), "utf-8")
    with pytest.raises(FormError, match=r"place 3.*patient_bod"):
        assert shelf.forms


def test_a_guess_leaves_open_what_it_does_not_know_until_a_person_decides(tmp_path: Path) -> None:
    shelf = library(tmp_path)
    added = shelf.add(
        form(widgets=(*WIDGETS, widget("form1.X[0]", box(74, 5), "Number of pages"))), b"%PDF"
    )
    [number] = [n for n, place in enumerate(added.places, 1) if place.undecided]
    path = shelf.path("riverbend") / "fields.yaml"
    said = yaml.safe_load(path.read_text("utf-8"))
    assert said["places"][number]["field"] == "?"
    assert shelf.get("riverbend").places[number - 1].undecided
    said["places"][number]["field"] = None
    path.write_text(yaml.safe_dump(said), "utf-8")
    assert not shelf.get("riverbend").places[number - 1].undecided


def test_what_a_killed_add_left_is_no_form_and_is_swept_away(tmp_path: Path) -> None:
    shelf = library(tmp_path)
    half = tmp_path / "forms" / ".riverbend-12345678"
    half.mkdir(parents=True)
    (half / "blank.pdf").write_bytes(b"%PD")
    assert shelf.forms == ()
    shelf.add(form(), b"%PDF")
    assert not half.exists()


def test_a_removed_form_is_not_recognised_any_more(tmp_path: Path) -> None:
    shelf = library(tmp_path)
    shelf.add(form(), b"%PDF")
    assert shelf.recognised([filled()])[0].form is not None
    shelf.remove("riverbend")
    assert shelf.recognised([filled()])[0].form is None
    with pytest.raises(NotFoundError):
        shelf.remove("riverbend")
    with pytest.raises(NotFoundError):
        shelf.remove("../forms")


def test_fields_yaml_is_yaml_with_a_line_for_every_place(tmp_path: Path) -> None:
    shelf = library(tmp_path)
    shelf.add(form(), b"%PDF")
    table = yaml.safe_load((shelf.path("riverbend") / "fields.yaml").read_text("utf-8"))
    assert len(table["places"]) == len(WIDGETS)
    assert table["places"][1]["field"] == "patient_name"


def test_names_of_forms_are_made_from_file_names() -> None:
    assert slug("Prior Auth (2026).v2") == "prior-auth-2026-.v2"
    assert slug("../..") == "form"
