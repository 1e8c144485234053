# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from idp.document import Box, Cell, DocumentType, Mark, Page, Word
from idp.errors import ModelError
from idp.extract.crf import FEATURES_VERSION, MODEL_NAME, CrfSource, load_entry
from idp.extract.crf_roles import OWNED, fields_by_role, label_roles, role_of
from idp.extract.crf_spans import Parties, Span, completed, compose, spans_of, with_parties
from idp.extract.features import LabelTable, PageView, page_features, plain, shape_of
from idp.extract.ports import Structure
from idp.schemas import load_schemas
from training.synthesise import make_one

MODELS = Path(__file__).parents[2] / "models"
HEIGHT, CHARACTER = 0.012, 0.0065
NOTHING = Structure((), ())


def page_of(*texts: tuple[float, float, str], cells: tuple[Box, ...] = ()) -> Page:
    """A page on which each text begins at (x, y)."""
    words: list[Word] = []
    for left, y, text in texts:
        x = left
        for part in text.split():
            box = Box(x, y, x + CHARACTER * len(part), y + HEIGHT)
            words.append(Word(id=len(words), text=part, confidence=1, box=box, line=int(y * 100)))
            x = box.x1 + CHARACTER
    return Page(
        number=1,
        width_px=1700,
        height_px=2200,
        dpi=200,
        words=tuple(words),
        cells=tuple(Cell(box=b) for b in cells),
    )


def tagged(page: Page, roles: dict[str, str]) -> tuple[PageView, dict[int, str], dict[int, float]]:
    view = PageView(page)
    tags = {i: roles.get(view.tokens[i].text, "O") for i in view.order}
    return view, tags, dict.fromkeys(view.order, 0.9)


def parties_of(view: PageView, tags: dict[int, str], table: LabelTable) -> Parties:
    kind = DocumentType.PRIOR_AUTH_REQUEST
    return Parties(view, tags, table, kind=kind, structure=NOTHING, page=1)


@pytest.fixture(scope="module")
def table() -> LabelTable:
    return LabelTable(label_roles(load_schemas()))


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("03/11/2026", "date"),
        ("(512)555-0143", "phone"),
        ("M25.561", "icd"),
        ("73721", "five"),
        ("$1,200.50", "money"),
        ("1234567893", "npi"),
        ("1234567890", "ten"),
        ("MD,", "credential"),
        ("TX", "state"),
        ("Name:", "colon"),
        ("Quintanilla", "title"),
    ],
)
def test_words_have_shapes(text: str, shape: str) -> None:
    assert shape_of(text) == shape


def test_a_label_glued_to_its_value_is_cut_off() -> None:
    view = PageView(page_of((0.1, 0.1, "DOB:01/02/1970 at 10:30")))
    assert [t.text for t in view.tokens] == ["DOB:", "01/02/1970", "at", "10:30"]
    assert [t.word for t in view.tokens] == [0, 0, 1, 2]
    assert view.tokens[0].box.x1 == pytest.approx(view.tokens[1].box.x0)


def test_the_colon_label_is_the_phrase_before_the_value() -> None:
    view = PageView(page_of((0.1, 0.1, "Member ID: W123"), (0.5, 0.1, "Group Number: 77")))
    by_text = {t.text: i for i, t in enumerate(view.tokens)}
    assert view.colon_label(by_text["W123"]) == ("member id", 1)
    assert view.colon_label(by_text["77"]) == ("group number", 1)


def test_a_value_in_a_cell_sees_the_label_of_its_cell() -> None:
    page = page_of(
        (0.11, 0.101, "Last Name"), (0.11, 0.12, "Okafor"), cells=(Box(0.1, 0.1, 0.4, 0.14),)
    )
    view = PageView(page)
    piece = view.pieces[view.piece_of[2]]
    assert piece.text == "Okafor"
    assert piece.cell_label == "last name"


def test_a_header_is_seen_through_the_rows_between() -> None:
    rows = [(0.1, 0.1, "Procedure Code")]
    rows += [(0.1, 0.12 + i * 0.016, f"9921{i}") for i in range(3)]
    view = PageView(page_of(*rows))
    assert view.pieces[-1].header == "procedure code"


def test_labels_are_known_even_when_misread(table: LabelTable) -> None:
    assert table.role(plain("Date of Birth")) == "DOB"
    assert table.role(plain("Date of Blrth")) == "DOB"
    assert table.role("please print clearly") == ""


def test_a_word_behind_a_check_box_knows_its_state(table: LabelTable) -> None:
    page = page_of((0.12, 0.1, "Urgent"))
    mark = Mark(state="checked", box=Box(0.105, 0.1, 0.117, 0.111))
    view = PageView(page.model_copy(update={"marks": (mark,)}))
    assert view.marked == {0: "checked"}
    assert "mark=checked|0" in page_features(view, table)[0]


def test_every_token_has_features(table: LabelTable) -> None:
    for labelled in make_one("remittance_eob", "train", 3, 0).pages:
        view = PageView(labelled.page)
        features = page_features(view, table)
        assert len(features) == len(view.tokens) >= len(labelled.page.words)
        assert all(features)


def test_wrapped_lines_are_one_value_and_a_label_ends_it(table: LabelTable) -> None:
    page = page_of(
        (0.1, 0.1, "Reason: chronic pain in"),
        (0.15, 0.116, "both knees"),
        (0.1, 0.132, "Urgency: Routine"),
    )
    roles = dict.fromkeys(["chronic", "pain", "in", "both", "knees"], "REASON")
    roles |= {"Reason:": "LABEL", "Urgency:": "LABEL", "Routine": "REVIEW"}
    found = spans_of(*tagged(page, roles), table)
    assert [(s.role, s.text) for s in found] == [
        ("REASON", "chronic pain in both knees"),
        ("REVIEW", "Routine"),
    ]


def test_codes_in_one_line_are_values_of_their_own(table: LabelTable) -> None:
    page = page_of((0.1, 0.1, "ICD-10: M25.561, E11.9"))
    found = spans_of(*tagged(page, {"M25.561,": "ICD", "E11.9": "ICD"}), table)
    assert [s.text for s in found] == ["M25.561", "E11.9"]
    assert all(s.labelled for s in found)


def test_the_party_of_a_value_is_that_of_its_label_or_of_the_title_above(table: LabelTable) -> None:
    page = page_of(
        (0.1, 0.1, "Servicing Facility"),
        (0.1, 0.13, "NPI: 1234567893"),
        (0.1, 0.16, "Requesting Provider NPI: 1902837465"),
    )
    roles = {"Servicing": "TITLE", "Facility": "TITLE", "1234567893": "NPI", "1902837465": "NPI"}
    roles |= dict.fromkeys(["Requesting", "Provider", "NPI:"], "LABEL")
    view, tags, sure = tagged(page, roles)
    parties = parties_of(view, tags, table)
    found = with_parties(spans_of(view, tags, sure, table), parties)
    assert [(s.text, s.party) for s in found] == [
        ("1234567893", "servicing_provider"),
        ("1902837465", "requesting_provider"),
    ]


def test_a_label_that_asks_for_something_else_names_no_party(table: LabelTable) -> None:
    page = page_of((0.1, 0.1, "Requesting Provider Signature: 512-555-0122"))
    roles = {"512-555-0122": "PHONE", "Requesting": "LABEL", "Provider": "LABEL"}
    view, tags, sure = tagged(page, {**roles, "Signature:": "LABEL"})
    parties = parties_of(view, tags, table)
    (span,) = with_parties(spans_of(view, tags, sure, table), parties)
    assert span.confidence < 0.9


def test_codes_and_dates_of_a_row_are_no_part_of_a_description(table: LabelTable) -> None:
    page = page_of((0.1, 0.1, "S9500 02/28/2026 MRSA infection"))
    roles = dict.fromkeys(["S9500", "02/28/2026", "MRSA", "infection"], "DX")
    assert [s.text for s in spans_of(*tagged(page, roles), table)] == ["MRSA infection"]


def test_a_value_of_which_half_is_known_is_made_whole() -> None:
    page = page_of((0.1, 0.1, "Specialty: Orthopedic Hand Surgery"))
    view, tags, sure = tagged(page, {"Specialty:": "LABEL", "Orthopedic": "SPECIALTY"})
    whole = completed(view, tags, sure)
    assert [whole[i] for i in view.order] == ["LABEL", "SPECIALTY", "SPECIALTY", "SPECIALTY"]


def test_a_name_in_boxes_is_put_together() -> None:
    def part(role: str, text: str) -> Span:
        return Span(role, (0,), text, Box(0, 0, 1, 1), 0, 0.8, labelled=True, party="patient")

    whole = compose([part("LAST", "Okafor"), part("FIRST", "Chidi"), part("MIDDLE", "B")])
    assert [(s.role, s.text) for s in whole] == [("NAME", "Chidi B Okafor")]


def test_half_a_name_is_no_name() -> None:
    lone = Span("FIRST", (0,), "Chidi", Box(0, 0, 1, 1), 0, 0.8, labelled=True, party="patient")
    assert compose([lone]) == []


def test_roles_and_parties_name_every_field_they_can() -> None:
    without_role = {"payment_method", "appeal_deadline", "information_requested"}
    # By their labels alone: the taggers learnt before there were such fields.
    without_role |= {"requested_units", "authorization_valid_to", "appointment_date"}
    without_role |= {"provider_adjustments", "provider_adjustment_reasons"}  # X12 alone has them
    for schema in load_schemas().values():
        by_role = fields_by_role(schema)
        for field in schema.fields:
            role = role_of(field)
            assert (role is None) == (field.name in without_role), field.name
            if role in OWNED:
                assert by_role[role, field.party or ""].party == field.party


def test_the_shipped_model_is_the_one_in_the_manifest() -> None:
    entry = load_entry(MODELS)
    content = (MODELS / entry.file).read_bytes()
    assert hashlib.sha256(content).hexdigest() == entry.sha256
    assert entry.features == FEATURES_VERSION
    assert len(content) < 6_000_000


def _copy(folder: Path) -> Path:
    for name in ("manifest.json", load_entry(MODELS).file):
        shutil.copy(MODELS / name, folder / name)
    return folder


def test_a_damaged_model_is_refused(tmp_path: Path) -> None:
    file = _copy(tmp_path) / load_entry(MODELS).file
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(ModelError, match="not the file"):
        CrfSource(tmp_path, load_schemas())


def test_a_missing_manifest_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"manifest\.json"):
        CrfSource(tmp_path, load_schemas())


def test_a_model_of_other_features_is_refused(tmp_path: Path) -> None:
    path = _copy(tmp_path) / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["models"][MODEL_NAME]["features"] = FEATURES_VERSION + 1
    path.write_text(json.dumps(manifest))
    with pytest.raises(ModelError, match="features"):
        CrfSource(tmp_path, load_schemas())


def test_the_tagger_finds_values_on_a_page_it_never_saw() -> None:
    source = CrfSource(MODELS, load_schemas())
    page = page_of(
        (0.1, 0.05, "Prior Authorization Request"),
        (0.1, 0.10, "Patient Information"),
        (0.1, 0.12, "Patient Name: Marisol Quintanilla"),
        (0.6, 0.12, "Date of Birth: 07/22/1968"),
        (0.1, 0.14, "Member ID: W527418096"),
        (0.1, 0.18, "Requesting Provider"),
        (0.1, 0.20, "NPI: 1234567893"),
        (0.5, 0.20, "Fax: 512-555-0167"),
    )
    schema = load_schemas()[DocumentType.PRIOR_AUTH_REQUEST]
    found = source.candidates([page], schema, NOTHING)
    best = {c.field: c for c in reversed(found)}
    assert best["patient_dob"].value == "1968-07-22"
    assert best["member_id"].value == "W527418096"
    assert best["requesting_provider_npi"].value == "1234567893"
    assert best["patient_name"].raw == "Marisol Quintanilla"
    assert all(0 < c.confidence <= 1 and c.word_ids and c.source == "crf" for c in found)


def test_an_empty_page_gives_nothing() -> None:
    source = CrfSource(MODELS, load_schemas())
    schema = load_schemas()[DocumentType.REFERRAL]
    assert source.candidates([page_of()], schema, NOTHING) == []


def test_the_marginals_of_a_token_sum_to_one_and_the_tags_are_likely() -> None:
    source = CrfSource(MODELS, load_schemas())
    view = PageView(page_of((0.1, 0.12, "Patient Name: Marisol Quintanilla")))
    chances = source.probabilities(view)
    assert chances.shape == (len(view.order), len(source.labels))
    assert chances.sum(1) == pytest.approx(1, abs=1e-3)
    tags, sure = source.tag(view)
    for row, index in enumerate(view.order):
        assert chances[row, source.labels.index(tags[index])] == pytest.approx(
            sure[index], abs=1e-5
        )
    assert source.probabilities(PageView(page_of())).shape == (0, len(source.labels))
