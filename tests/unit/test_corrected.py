# SPDX-License-Identifier: Apache-2.0
"""What a reviewer said of a document becomes its fields."""

from __future__ import annotations

from idp.document import Box, Document, DocumentType, Field
from idp.signals import REVIEW, Answer, Correction, corrected

BOX, ELSEWHERE = Box(0.1, 0.1, 0.3, 0.12), Box(0.5, 0.5, 0.7, 0.52)


def field(name: str, value: str | None, **more: object) -> Field:
    told = {"raw": value or "", "confidence": 0.6, "page": 1, "box": BOX, "source": "crf", **more}
    return Field.model_validate({"name": name, "value": value, **told})


def document(*fields: Field) -> Document:
    return Document(
        document_id="d1",
        source="a.tif",
        sha256="0" * 64,
        channel="fax",
        type=DocumentType.REFERRAL,
        type_confidence=0.9,
        pages=(1,),
        fields=fields,
    )


def said(name: str, before: str | None, after: str | None, **more: object) -> Correction:
    return Correction.model_validate({"name": name, "before": before, "after": after, **more})


def values(found: Document, name: str) -> list[str | None]:
    return [each.value for each in found.fields if each.name == name]


def test_a_changed_value_is_sure_and_counts_as_printed_so() -> None:
    given = document(field("member_id", "XZ1", word_ids=(3, 4), mended="repaired"))
    found = corrected(given, [said("member_id", "XZ1", "XZ7")]).fields[0]
    assert (found.value, found.raw, found.confidence, found.source) == ("XZ7", "XZ7", 1.0, REVIEW)
    assert (found.page, found.box, found.word_ids, found.mended) == (1, BOX, (3, 4), "")
    assert given.fields[0].value == "XZ1"


def test_a_confirmed_value_keeps_what_is_printed_and_its_place() -> None:
    given = document(field("patient_dob", "1968-07-22", raw="7/22/68"))
    found = corrected(given, [said("patient_dob", "1968-07-22", "1968-07-22")]).fields[0]
    assert (found.raw, found.confidence, found.box) == ("7/22/68", 1.0, BOX)


def test_a_value_seen_elsewhere_takes_its_new_place() -> None:
    given = document(field("member_id", "XZ1", word_ids=(3,)))
    moved = said("member_id", "XZ1", "XZ7", page=2, box=ELSEWHERE)
    found = corrected(given, [moved]).fields[0]
    assert (found.page, found.box, found.word_ids) == (2, ELSEWHERE, ())


def test_values_of_a_list_are_told_apart_by_what_they_were() -> None:
    given = document(field("diagnosis_codes", "M25.561"), field("diagnosis_codes", "M17.11"))
    changes = [
        said("diagnosis_codes", "M17.11", "M17.12"),
        said("diagnosis_codes", "M25.561", None, answer=Answer.NOT_ON_FORM),
        said("diagnosis_codes", None, "M54.5", page=1, box=ELSEWHERE),
    ]
    assert values(corrected(given, changes), "diagnosis_codes") == ["M17.12", "M54.5"]


def test_an_illegible_value_is_none_and_stays_in_its_place() -> None:
    given = document(field("member_id", "XZ1"))
    found = corrected(given, [said("member_id", "XZ1", None, answer=Answer.ILLEGIBLE)]).fields[0]
    assert (found.value, found.box, found.confidence) == (None, BOX, 1.0)


def test_an_added_value_without_a_place_is_the_reviewers_word() -> None:
    found = corrected(document(), [said("patient_name", None, "Ada Example")]).fields[0]
    assert (found.value, found.derived_from, found.box) == ("Ada Example", (REVIEW,), None)


def test_what_is_not_there_and_not_on_the_form_changes_nothing() -> None:
    given = document(field("member_id", "XZ1"))
    absent = said("patient_phone", None, None, answer=Answer.NOT_ON_FORM)
    assert corrected(given, [absent]) == given


def test_a_value_that_was_read_otherwise_since_is_still_the_one_meant() -> None:
    given = document(field("member_id", "XZ2"))
    assert values(corrected(given, [said("member_id", "XZ1", "XZ7")]), "member_id") == ["XZ7"]


def test_the_same_corrections_twice_change_nothing_more() -> None:
    given = document(field("member_id", "XZ1"), field("patient_name", "Ada"))
    changes = [said("member_id", "XZ1", "XZ7"), said("patient_name", "Ada", "Ada Example")]
    once = corrected(given, changes)
    assert corrected(once, changes).fields == once.fields
