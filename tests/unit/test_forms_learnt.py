# SPDX-License-Identifier: Apache-2.0
"""Forms learnt from corrected copies: print, places, and layouts that have none."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from idp.document import Box, DocumentType, Page, Word, union_of
from idp.errors import FormError
from idp.extract import Extractor
from idp.forms import Copy, FormLibrary, KnownValue, learn
from idp.schemas import load_lexicon, load_schemas
from tests.unit.pages import page

REFERRAL = DocumentType.REFERRAL
SCHEMAS = load_schemas()
BLANK = """
Heron Valley Specialty Network        Outpatient Appointment Sheet
Send both sheets to the scheduling desk before noon on the working day

Whom we shall see
{name:24}{born:14}{reach:16}
given and last            day of birth  daytime line

Who asks for it
{doctor:24}{npi:14}
clinician                 registry key
{extra}
Sheets without a registry key are returned to the sender without notice
"""
FIELDS = {
    "patient_name": "name",
    "patient_dob": "born",
    "patient_phone": "reach",
    "referring_provider_name": "doctor",
    "referring_provider_npi": "npi",
}
PEOPLE = ("Odalys Brennerman", "Ruben Ostrander", "Ilse Vantongeren", "Piet Hollander",
          "Noor Whitlock", "Tove Sandoval", "Amos Dellinger", "Greta Fairweather")  # fmt: skip


def filled(seed: int, *, extra: str = "", shift: float = 0.0) -> tuple[Page, dict[str, str]]:
    """A copy filled in, the page laid down a little differently each time."""
    dice = random.Random(seed)
    values = {
        "name": dice.choice(PEOPLE),
        "born": f"{dice.randrange(1, 13):02}/{dice.randrange(1, 29):02}/19{dice.randrange(30, 99)}",
        "reach": f"570-555-{dice.randrange(1000, 9999)}",
        "doctor": f"{dice.choice(PEOPLE)} MD",
        "npi": str(dice.randrange(1_000_000_000, 1_999_999_999)),
    }
    sheet = page(BLANK.format(**values, extra=extra))
    dx, dy = dice.uniform(-0.01, 0.01), dice.uniform(-0.008, 0.008) + shift
    words = tuple(
        w.model_copy(
            update={"box": Box(w.box.x0 + dx, w.box.y0 + dy, w.box.x1 + dx, w.box.y1 + dy)}
        )
        for w in sheet.words
    )
    return sheet.model_copy(update={"words": words}), values


def found(sheet: Page, text: str) -> Box:
    """Where a value stands."""
    wanted = text.split()
    for start in range(len(sheet.words)):
        run = sheet.words[start : start + len(wanted)]
        if [w.text for w in run] == wanted:
            return union_of([w.box for w in run])
    raise AssertionError(f"{text} is not on the page")


def copy(seed: int, **more: object) -> Copy:
    sheet, values = filled(seed, **more)  # type: ignore[arg-type]
    known = tuple(KnownValue(field, 1, found(sheet, values[key])) for field, key in FIELDS.items())
    return Copy((sheet,), known)


def test_the_next_copy_is_read_at_the_places_of_the_corrected_ones(tmp_path: Path) -> None:
    form = learn("learnt-heron", REFERRAL, [copy(seed) for seed in range(12)], FIELDS)
    assert form is not None
    library = FormLibrary(tmp_path, SCHEMAS)
    assert library.keep(form)
    sheet, values = filled(99)
    (seen,) = library.recognised([sheet])
    assert seen.form is not None
    extractor = Extractor(Path(__file__).parents[2] / "models", SCHEMAS, load_lexicon())
    before = {f.name: f.raw for f in extractor.extract([sheet], REFERRAL).fields}
    after = {f.name: f.raw for f in extractor.extract([seen], REFERRAL).fields}
    right = {field: values[key] for field, key in FIELDS.items()}
    assert {n: after.get(n) for n in FIELDS} == right
    assert {n: before.get(n) for n in FIELDS} != right, "its labels say nothing to anybody"


def test_what_people_wrote_is_no_print() -> None:
    form = learn("learnt-heron", REFERRAL, [copy(seed) for seed in range(12)], FIELDS)
    assert form is not None
    printed = {word.text for word in form.pages[0].words}
    assert {"Heron", "Whom", "clinician", "notice"} <= printed
    assert not printed & {part for name in PEOPLE for part in name.split()}


def test_a_place_ends_before_what_no_field_asks_for() -> None:
    """A key of somebody's own beside a name changes from copy to copy: it is neither print nor
    anybody's value, and no part of the name."""
    asked = {name: key for name, key in FIELDS.items() if key != "npi"}
    copies, neighbours = [], []
    for seed in range(12):
        sheet, values = filled(seed)
        known = tuple(KnownValue(f, 1, found(sheet, values[key])) for f, key in asked.items())
        copies.append(Copy((sheet,), known))
        neighbours.append(found(sheet, values["npi"]))
    form = learn("learnt-heron", REFERRAL, copies, asked)
    assert form is not None
    doctor = next(p for p in form.places if p.field == "referring_provider_name")
    assert doctor.box.x1 < min(box.x0 for box in neighbours) + 0.01, "the page shifts that much"
    assert doctor.box.x1 > max(box.x1 for copy in copies for name, _, box in copy.values
                               if name == "referring_provider_name") - 0.02  # fmt: skip


def test_a_value_that_is_the_same_on_all_copies_stays_a_value() -> None:
    copies = []
    for seed in range(6):
        sheet, _ = filled(seed)
        network = found(sheet, "Heron Valley Specialty Network")
        copies.append(Copy((sheet,), (*copy(seed).values, KnownValue("payer_name", 1, network))))
    form = learn("learnt-heron", REFERRAL, copies, {*FIELDS, "payer_name"})
    assert form is not None
    assert "Heron" not in {word.text for word in form.pages[0].words}
    assert "payer_name" in {place.field for place in form.places}


def test_a_word_that_one_copy_lost_is_print_all_the_same() -> None:
    copies = [copy(seed) for seed in range(8)]
    worn = []
    for number, one in enumerate(copies):
        words = [
            w for w in one.pages[0].words if w.text != "clinician" or number != len(copies) // 2
        ]
        again = [w.model_copy(update={"id": i}) for i, w in enumerate(words)]
        worn.append(one._replace(pages=(one.pages[0].model_copy(update={"words": tuple(again)}),)))
    form = learn("learnt-heron", REFERRAL, worn, FIELDS)
    assert form is not None
    assert "clinician" in {word.text for word in form.pages[0].words}


@pytest.mark.parametrize("count", [0, 1, 2])
def test_two_copies_are_too_few(count: int) -> None:
    assert learn("x", REFERRAL, [copy(seed) for seed in range(count)], FIELDS) is None


def test_copies_of_different_forms_make_none() -> None:
    others = [
        Copy((page("\n".join(f"line {n} of {i} other {n * i} words here" for n in range(9))),), ())
        for i in range(5)
    ]
    assert learn("x", REFERRAL, others, FIELDS) is None


def test_a_field_that_wanders_over_the_page_gets_no_place() -> None:
    copies = []
    for seed in range(10):
        one = copy(seed)
        sheet = one.pages[0]
        words = tuple(
            Word(id=w.id, text=w.text, confidence=w.confidence, line=w.line, box=(
                Box(w.box.x0, w.box.y0 + 0.05 * seed, w.box.x1, w.box.y1 + 0.05 * seed)
                if one.values[4].box.contains(w.box.cx, w.box.cy) else w.box))
            for w in sheet.words
        )  # fmt: skip
        npi = one.values[4]
        down = Box(npi.box.x0, npi.box.y0 + 0.05 * seed, npi.box.x1, npi.box.y1 + 0.05 * seed)
        values = (*one.values[:4], npi._replace(box=down))
        copies.append(Copy((sheet.model_copy(update={"words": words}),), values))
    form = learn("learnt-heron", REFERRAL, copies, FIELDS)
    assert form is not None
    assert {p.field for p in form.places} == set(FIELDS) - {"referring_provider_npi"}


def test_learning_again_replaces_what_was_learnt(tmp_path: Path) -> None:
    library = FormLibrary(tmp_path, SCHEMAS)
    few = learn("learnt-heron", REFERRAL, [copy(seed) for seed in range(4)], FIELDS)
    many = learn("learnt-heron", REFERRAL, [copy(seed) for seed in range(9)], FIELDS)
    assert few is not None
    assert many is not None
    assert [library.keep(few), library.keep(few), library.keep(many)] == [True, False, True]
    assert [form.sha256 for form in library.forms] == [many.sha256]


def test_a_damaged_form_is_left_out_and_named(tmp_path: Path) -> None:
    form = learn("learnt-heron", REFERRAL, [copy(seed) for seed in range(4)], FIELDS)
    assert form is not None
    library = FormLibrary(tmp_path, SCHEMAS)
    library.keep(form)
    library.keep(form.model_copy(update={"name": "other", "sha256": "0"}))
    (tmp_path / "other" / "fields.yaml").write_text("{", encoding="utf-8")
    (seen,) = library.recognised([filled(99)[0]])
    assert seen.form is not None
    assert seen.form.name == "learnt-heron"
    (problem,) = library.problems()
    assert problem.startswith("form other:")
    with pytest.raises(FormError):
        _ = library.forms
