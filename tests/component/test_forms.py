# SPDX-License-Identifier: Apache-2.0
"""A blank form registered from its PDF, filled in, faxed, and read at its places."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from reportlab.lib.pagesizes import letter
from reportlab.pdfgen.canvas import Canvas
from typer.testing import CliRunner

from idp.cli import app
from idp.document import DocumentType, Page
from idp.errors import NotAFormError
from idp.extract import Extractor
from idp.forms import BlankForm, FormLibrary
from idp.ingest import unpack
from idp.learning import SHIPPED
from idp.read import Reader
from idp.registration import register
from idp.schemas import load_lexicon, load_schemas
from idp.settings import IngestSettings, ReadSettings, Settings
from training.faxes import Drawn, degrade, page
from training.forms.blanks import Blank, load_library
from training.forms.fill import fill
from training.forms.pages import label

pytestmark = pytest.mark.component
MODELS = Path(__file__).parents[2] / "models"
SCHEMAS = load_schemas()

LINES = (
    ("patient_last_name", "Patient's last name", 50, 640, 240),
    ("patient_first_name", "First name", 310, 640, 240),
    ("patient_birth_date", "Date of birth (mm/dd/yyyy)", 50, 590, 160),
    ("member_id", "Member ID number", 310, 590, 240),
    ("patient_street", "Street address", 50, 540, 240),
    ("patient_city", "City", 310, 540, 120),
    ("patient_state", "State", 440, 540, 40),
    ("patient_zip", "ZIP code", 490, 540, 60),
    ("diagnosis_remarks", "Remarks on earlier treatment", 50, 440, 500),
)


def blank_pdf(path: Path) -> Path:
    """A fillable form of one page."""
    canvas = Canvas(str(path), pagesize=letter)
    canvas.setFont("Helvetica-Bold", 15)
    canvas.drawString(50, 730, "Riverbend Health Plan - Prior Authorization Request Form")
    canvas.setFont("Helvetica", 9)
    canvas.drawString(
        50, 712, "Complete all sections in dark ink. Incomplete forms will be returned."
    )
    canvas.setFont("Helvetica-Bold", 11)
    canvas.drawString(50, 680, "SECTION 1 - PATIENT INFORMATION")
    canvas.setFont("Helvetica", 9)
    for name, text, x, y, wide in LINES:
        canvas.drawString(x, y + 22, text)
        canvas.rect(x, y, wide, 18, stroke=1, fill=0)
        canvas.acroForm.textfield(
            name=name, tooltip=text, x=x, y=y, width=wide, height=18, borderWidth=0, value=""
        )
    for name, text, x in (("patient_sex_f", "Female", 50), ("patient_sex_m", "Male", 130)):
        canvas.acroForm.checkbox(name=name, tooltip=f"Sex {text}", x=x, y=490, size=12,
                                 buttonStyle="check", checked=False)  # fmt: skip
        canvas.drawString(x + 18, 492, text)
    canvas.drawString(50, 510, "Sex of the patient")
    for row in range(6):
        canvas.drawString(50, 380 - 14 * row, f"{row + 1}. I certify that statement number "
                          f"{row + 1} above is true and complete to my knowledge.")  # fmt: skip
    canvas.save()
    return path


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(data=tmp_path_factory.mktemp("data"), read=ReadSettings(workers=1))


@pytest.fixture(scope="module")
def library(settings: Settings) -> FormLibrary:
    return FormLibrary(settings.forms_folder, SCHEMAS)


@pytest.fixture(scope="module")
def form(
    settings: Settings, library: FormLibrary, tmp_path_factory: pytest.TempPathFactory
) -> BlankForm:
    path = blank_pdf(tmp_path_factory.mktemp("pdf") / "Riverbend PA.pdf")
    return register(path, settings, SCHEMAS, library)


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    with Reader(ReadSettings(workers=1), MODELS) as reader:
        yield reader


def read(image: Path, reader: Reader, work: Path) -> Page:
    """The first page of a file."""
    return reader.read(unpack(image, work, IngestSettings()).pages, work)[0]


@pytest.fixture(scope="module")
def blank(form: BlankForm, library: FormLibrary) -> Blank:
    del form
    return next(load_library(library, SCHEMAS))


def test_a_blank_form_is_understood_from_its_pdf(form: BlankForm) -> None:
    assert form.name == "riverbend-pa"
    assert form.type == DocumentType.PRIOR_AUTH_REQUEST
    fields = {place.name: (place.field, place.part or place.option) for place in form.places}
    assert fields["patient_last_name"] == ("patient_name", "last")
    assert fields["patient_birth_date"] == ("patient_dob", "")
    assert fields["member_id"] == ("member_id", "")
    assert fields["patient_zip"] == ("patient_address", "zip")
    assert fields["patient_sex_f"] == ("patient_sex", "female")
    assert fields["diagnosis_remarks"][0] == ""


def test_a_filled_copy_that_came_by_fax_is_read_at_its_places(
    blank: Blank, library: FormLibrary, reader: Reader, tmp_path: Path
) -> None:
    filled = fill(blank, "heldout", 5)
    (drawn,) = filled.pages
    fax = degrade(
        Drawn("form", 5, drawn.pdf, drawn.truth, drawn.size_pt), "fine_threshold", 1
    ).save(tmp_path, "fax")
    (seen,) = library.recognised([read(fax, reader, tmp_path)])
    assert seen.form is not None
    assert seen.form.name == "riverbend-pa"
    assert seen.form.score > 0.8
    found = Extractor(MODELS, SCHEMAS, load_lexicon()).extract([seen], blank.type).fields
    values = {field.name: field for field in found if field.source == "form"}
    wanted = {name: value for name, (value, _) in filled.fields.items() if value}
    assert {"patient_name", "patient_dob", "member_id", "patient_sex"} <= set(wanted)
    plain = str.maketrans("", "", " ,.-")
    for name in ("patient_dob", "member_id", "patient_sex"):
        assert values[name].value
    last, first = wanted["patient_name"].split()[-1], wanted["patient_name"].split()[0]
    assert last.lower() in str(values["patient_name"].value).lower()
    assert first.lower() in str(values["patient_name"].value).lower()
    assert values["member_id"].raw.translate(plain) == wanted["member_id"].translate(plain)
    assert values["patient_sex"].value == wanted["patient_sex"]


def test_the_words_of_a_filled_page_are_labelled_for_training(
    blank: Blank, reader: Reader, tmp_path: Path
) -> None:
    filled = fill(blank, "train", 2)
    (drawn,) = filled.pages
    came = degrade(Drawn("form", 2, drawn.pdf, drawn.truth, drawn.size_pt), "clean", 1)
    seen = read(came.save(tmp_path, "scan"), reader, tmp_path)
    taught = label(seen, filled, drawn, came.drawn_to_upright)
    roles = {role for role in taught.roles if role not in ("O", "LABEL", "TITLE")}
    assert {"LAST", "FIRST", "DOB"} & roles
    places = [w.text for w, r in zip(seen.words, taught.roles, strict=True) if r == "LABEL"]
    assert "name" in places
    titles = [w.text for w, r in zip(seen.words, taught.roles, strict=True) if r == "TITLE"]
    assert "SECTION" in titles


def test_a_page_of_something_else_is_not_recognised(
    form: BlankForm, library: FormLibrary, reader: Reader, tmp_path: Path
) -> None:
    del form
    drawn = page(3, "form")
    other = degrade(drawn, "clean", 1).save(tmp_path, "other")
    assert library.recognised([read(other, reader, tmp_path)])[0].form is None


def test_a_pdf_without_places_is_refused_with_a_hint(
    settings: Settings, library: FormLibrary, tmp_path: Path
) -> None:
    canvas = Canvas(str(tmp_path / "plain.pdf"), pagesize=letter)
    canvas.drawString(50, 700, "No places to fill in on this page of print")
    canvas.save()
    with pytest.raises(NotAFormError, match="no places"):
        register(tmp_path / "plain.pdf", settings, SCHEMAS, library)


def test_adding_twice_is_one_form_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IDP_DATA", str(tmp_path / "data"))
    path = blank_pdf(tmp_path / "riverbend.pdf")
    runner = CliRunner()
    first = json.loads(runner.invoke(app, ["forms", "add", "--json", str(path)]).stdout)
    again = json.loads(runner.invoke(app, ["forms", "add", "--json", str(path)]).stdout)
    assert (first["added"], again["added"]) == (True, False)
    listed = json.loads(runner.invoke(app, ["forms", "list", "--json"]).stdout)
    assert [entry["name"] for entry in listed["forms"]] == ["riverbend"]
    shown = runner.invoke(app, ["forms", "show", "riverbend", "--overlay", str(tmp_path / "o")])
    assert "patient_name" in shown.stdout
    assert (tmp_path / "o" / "riverbend-p1.png").stat().st_size > 10_000
    assert runner.invoke(app, ["forms", "remove", "riverbend"]).exit_code == 0
    gone = runner.invoke(app, ["forms", "show", "riverbend"])
    assert gone.exit_code == 6
    unknown = runner.invoke(app, ["forms", "add", str(path), "--type", "no_such_type"])
    assert unknown.exit_code == 2


def test_teaching_without_a_form_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IDP_DATA", str(tmp_path / "data"))
    done = CliRunner().invoke(app, ["forms", "teach"])
    assert done.exit_code == 6
    assert "idp forms add" in done.stderr


def test_teaching_makes_a_challenger_that_the_gate_judges_like_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IDP_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("IDP_LEARNING__GATE__MIN_DOCUMENTS", "2")
    runner = CliRunner()
    path = blank_pdf(tmp_path / "riverbend.pdf")
    assert runner.invoke(app, ["forms", "add", str(path)]).exit_code == 0
    small = ["--copies", "1", "--documents", "8", "--families", "2", "--iterations", "4"]
    done = runner.invoke(app, ["forms", "teach", "--json", *small])
    assert done.exit_code == 0, done.stderr
    answer = json.loads(done.stdout)
    (evaluation,) = answer["evaluations"]
    assert evaluation["kind"] == "synthetic"
    assert evaluation["overall"]["documents"] == 2, "a scan and a fax of other people"
    assert min(evaluation["documents_per_cpu_second"]) > 0
    version = evaluation["challenger"]
    shown = json.loads(runner.invoke(app, ["models", "show", version, "--json"]).stdout)
    assert "registered form" in shown["note"]
    assert shown["manifest"]["field_crf"]["data"]["labelled_pages"] == 2
    assert (
        json.loads(runner.invoke(app, ["models", "list", "--json"]).stdout)["in_force"] == SHIPPED
    )
    promoted = runner.invoke(app, ["models", "promote", version])
    assert (promoted.exit_code == 0) is answer["verdict"]["passed"]
    forced = runner.invoke(app, ["models", "promote", version, "--force", "a test"])
    assert forced.exit_code == 0, forced.stderr
    listed = json.loads(runner.invoke(app, ["models", "list", "--json"]).stdout)
    assert listed["in_force"] == version


def test_the_same_seed_fills_a_form_the_same_way(blank: Blank) -> None:
    one, two = fill(blank, "train", 7), fill(blank, "train", 7)
    assert one.fields == two.fields
    assert [p.truth for p in one.pages] == [p.truth for p in two.pages]
    assert fill(blank, "train", 8).fields != one.fields
