# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import random
import re

import pytest

from idp.document import DocumentType
from idp.schemas import load_schemas
from idp.values.codes import mbi
from training.score import judged_fields
from training.synthesise import TYPES, draw_one, layout_of, make, make_one, truth_of
from training.synthesise.canvas import Canvas
from training.synthesise.content import MEANT, PLACES, REQUEST, REVIEW
from training.synthesise.eob import Remittance
from training.synthesise.family import Family, label_keys, synonyms
from training.synthesise.layout import HELD_OUT_MECHANISMS, MECHANISMS
from training.synthesise.noise import Noise, read
from training.synthesise.values import member_id, npi

DERIVED = {"determination", "signature_present", "urgency", *MEANT}
"""Fields whose truth is a reading of the page, not its words."""


def letters(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("index", [0, 3, 7, 12, 25])
def test_every_true_value_is_spelled_by_words_on_its_page(kind: str, index: int) -> None:
    rng = random.Random(index)
    canvas = layout_of(kind, "heldout", index).draw(rng)
    pages = read(canvas, Noise(jitter=0.0), rng)
    for value in canvas.values:
        if not value.text or value.field in DERIVED:
            continue
        words = [letters(w.text) for w in pages[value.page - 1].page.words]
        everything = "".join(words)
        for part in value.text.split():
            assert letters(part) in everything, (value.field, value.text)


def test_the_words_of_a_span_spell_its_value() -> None:
    rng = random.Random(1)
    canvas = layout_of("prior_auth_request", "train", 4).draw(rng)
    (page, *_) = read(canvas, Noise(jitter=0.0), rng)
    member = next(v.text for v in canvas.values if v.field == "member_id" and v.text)
    printed = "".join(
        w.text for w, role in zip(page.page.words, page.roles, strict=True) if role == "MEMBER_ID"
    )
    assert letters(member) == letters(printed)


def test_words_and_labels_have_one_length_and_boxes_lie_on_the_page() -> None:
    for made in make("train", 25):
        for labelled in made.pages:
            assert len(labelled.page.words) == len(labelled.roles) == len(labelled.parties)
            for word in labelled.page.words:
                assert 0 <= word.box.x0 < word.box.x1 <= 1
                assert 0 <= word.box.y0 < word.box.y1 <= 1


def test_the_same_seed_gives_the_same_document() -> None:
    one, two = (make_one("referral", "train", 5, 9) for _ in range(2))
    assert one.truth == two.truth
    assert [p.page for p in one.pages] == [p.page for p in two.pages]
    assert one.truth != make_one("referral", "train", 5, 10).truth


def test_held_out_families_share_nothing_they_should_not_with_training() -> None:
    assert not set(MECHANISMS) & set(HELD_OUT_MECHANISMS)
    for key in label_keys():
        kept = synonyms("labels", key, "heldout")
        if kept != synonyms("labels", key, "train"):
            assert not set(kept) & set(synonyms("labels", key, "train"))
            assert len(kept) == 2
    used = set()
    for index in range(100):
        family = Family("referral", "train", index)
        used |= {family.label(key) for key in ("member_id", "dob", "npi")}
    for key in ("member_id", "dob"):
        assert not used & set(synonyms("labels", key, "heldout"))


def test_a_held_out_family_uses_what_was_held_out() -> None:
    used = {Family("referral", "heldout", i).label("member_id") for i in range(60)}
    assert used & set(synonyms("labels", "member_id", "heldout"))


def test_every_judged_field_is_made_for_its_types() -> None:
    table = judged_fields()
    for kind in TYPES[:-1]:
        seen: set[str] = set()
        for index in range(100):
            layout = layout_of(kind, "train", index)
            canvas = layout.draw(random.Random(index))
            seen |= {table.canonical(v.field) for v in canvas.values if v.text}
        lacking = {n for n in table.kinds if table.counts(n, kind)} - seen
        assert lacking <= NOT_MADE[kind], (kind, lacking)


def test_the_claims_of_a_remittance_hold_what_its_table_shows() -> None:
    layout = layout_of("remittance_eob", "train", 2)
    layout.draw(random.Random(2))
    assert isinstance(layout, Remittance)
    assert layout.claims
    for claim in layout.claims:
        assert {"patient_name", "claim_number"} <= set(claim)
        assert set(claim) <= set(judged_fields().cells)


NOT_MADE: dict[str, set[str]] = {
    "prior_auth_request": set(),
    "referral": {"service_descriptions"},
    "prior_auth_determination": {
        "diagnosis_descriptions",
        "requesting_provider_phone",
        "requesting_provider_fax",
    },
    "remittance_eob": {"subscriber_name", "service_from", "service_to"},
}
"""Not yet drawn by the generator."""


def test_hard_negatives_want_no_fields() -> None:
    for made in make("train", 12, types=("other",)):
        assert made.truth["fields"] == {}


def test_made_npis_pass_their_check_digit() -> None:
    number = npi(random.Random(3))
    total = 0
    for place, digit in enumerate(reversed([int(d) for d in "80840" + number])):
        doubled = digit * 2 if place % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    assert total % 10 == 0


def test_a_member_number_that_looks_like_medicare_s_is_one() -> None:
    """CMS uses no O, I, Z, S, L and B in it, and reading relies on that."""
    rng = random.Random(4)
    made = [member_id(rng) for _ in range(300)]
    like = [each for each in made if re.fullmatch(r"\w{4}-\w{3}-\w{4}", each)]
    assert like
    assert all(mbi(each) == each.replace("-", "") for each in like)


def test_noise_keeps_the_labels_on_their_words() -> None:
    made = make_one("prior_auth_request", "train", 8, 3)
    for labelled in made.pages:
        assert any(role not in ("O", "LABEL", "TITLE") for role in labelled.roles)
        assert all(
            span == 0 or role not in ("O",)
            for span, role in zip(labelled.spans, labelled.roles, strict=True)
        )


def test_what_a_printed_choice_means_is_an_option_of_its_field() -> None:
    schema = load_schemas()[DocumentType.PRIOR_AUTH_REQUEST]
    for name, meanings in MEANT.items():
        field = schema.field(name)
        assert field is not None
        assert set(meanings.values()) <= set(field.options)
    unclear = {o for sets in (REVIEW, REQUEST, PLACES) for s in sets for o in s}
    unclear -= {printed for meanings in MEANT.values() for printed in meanings}
    assert unclear == set(), "no choice is drawn whose meaning nobody knows"


def test_the_day_of_a_request_and_that_of_its_signature_are_two_values() -> None:
    canvas = Canvas(size=0.012, leading=1.3)
    for name in ("submission_date", "form_date", "patient_dob", "patient_dob"):
        canvas.note(name, "02/11/2025")
    fields = truth_of(canvas, "prior_auth_request", [])["fields"]
    assert fields["request_date"]["value"] == ["02/11/2025", "02/11/2025"]
    assert fields["patient_dob"]["value"] == "02/11/2025"


def test_who_is_asked_twice_on_a_form_answers_the_same_twice() -> None:
    asked = ("member_id", "group_number", "subscriber_name", "contact_name", "contact_phone")
    for kind in ("prior_auth_request", "referral"):
        for index in range(30):
            fields = draw_one(kind, "train", index, 977).truth["fields"]
            answers = [fields[name]["value"] for name in asked if name in fields]
            assert not any(isinstance(answer, list) for answer in answers)
