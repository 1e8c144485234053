# SPDX-License-Identifier: Apache-2.0
"""From a document to its task and back: what a reviewer does on the screen, as corrections."""

from __future__ import annotations

import copy
import datetime as dt
import json
import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.document import (
    Blank,
    Box,
    Claim,
    Clock,
    Document,
    DocumentType,
    Finding,
    ServiceLine,
    Severity,
)
from idp.review.answers import Answers, answers_of
from idp.review.form import form_of
from idp.review.tasks import task_of
from idp.review.wording import plain_text
from idp.schemas import load_schemas
from idp.signals import Answer, corrected
from tests.fabricate import NOW, document, field, page

SCHEMAS = load_schemas()
PAGES = [page(1), page(2)]
HOSTILE = (
    "<script>alert(1)</script>{{ x }} ${y} $ui.z \"'` \u202eliame\u202c\x00\x07\x1b "
    "שלום [a](http://x.test) ![i](http://x.test/i.png) *b* _c_ <img src=x onerror=y>"
)


def doubtful(**more: Any) -> Document:
    """A referral with a doubtful number, a list, a choice and a number that is missing."""
    found = document(
        pages=(1, 2),
        fields=(
            field("patient_name", "Marisol Quillfeather", box=Box(0.1, 0.1, 0.4, 0.13)),
            field("patient_dob", "1961-04-09", 0.7, raw="04/09/1961"),
            field("member_id", "QXK204417793", 0.61, box=Box(0.1, 0.3, 0.4, 0.33)),
            field("procedure_codes", "99213", 0.99, page=2, box=Box(0.1, 0.5, 0.2, 0.53)),
            field("procedure_codes", "73721", 0.7, page=2, box=Box(0.3, 0.5, 0.4, 0.53)),
            field("urgency", "urgent", 0.8, page=2),
        ),
        missing=("referring_provider_npi",),
        findings=(),
        blanks=(
            Blank(
                field="referring_provider_npi", label="NPI #", page=1, box=Box(0.5, 0.4, 0.8, 0.43)
            ),
        ),
        reasons=(),
    )
    return found.model_copy(update=more)


def task(found: Document) -> dict[str, Any]:
    return task_of(
        found,
        PAGES,
        SCHEMAS[found.type],
        page_urls=[f"/p/{number}.png" for number in found.pages],
        queue_title="Queue",
        zone=dt.UTC,
    )


class Screen:
    """What the browser gives back when a reviewer does something; untouched, all as sent."""

    def __init__(self, found: Document) -> None:
        self.found = found
        sent = task(found)["predictions"][0]["result"]
        self.result = [{**copy.deepcopy(each), "origin": "prediction"} for each in sent]

    def texts(self, control: str, *texts: str) -> Screen:
        return self._put(control, "textarea", {"text": list(texts)})

    def choose(self, control: str, *chosen: str) -> Screen:
        return self._put(control, "choices", {"choices": list(chosen)})

    def clear(self, control: str) -> Screen:
        self.result = [each for each in self.result if each["from_name"] != control]
        return self

    def submitted(self, **more: Any) -> Answers:
        annotation = {
            "result": self.result,
            "was_cancelled": False,
            "lead_time": 12.5,
            "created_at": "2026-11-16T10:00:00.000000Z",
            **more,
        }
        annotation = json.loads(json.dumps(annotation))
        return answers_of(annotation, self.found, PAGES, SCHEMAS[self.found.type])

    def _put(self, control: str, kind: str, value: dict[str, Any]) -> Screen:
        for each in self.result:
            if each["from_name"] == control:
                each["value"], each["origin"] = value, "prediction-changed"
                return self
        self.result.append(
            {"id": "n", "from_name": control, "to_name": "page", "type": kind, "value": value}
            | {"origin": "manual"}
        )
        return self


def outcomes(answers: Answers) -> dict[str, list[str]]:
    told: dict[str, list[str]] = {}
    for each in answers.corrections:
        told.setdefault(each.name, []).append(each.outcome)
    return told


def test_left_alone_what_was_open_is_confirmed_and_nothing_else() -> None:
    answers = Screen(doubtful()).submitted()
    assert outcomes(answers) == {
        "patient_dob": ["confirmed"],
        "member_id": ["confirmed"],
        "procedure_codes": ["confirmed", "confirmed"],
        "urgency": ["confirmed"],
        "referring_provider_npi": ["confirmed_absent"],
    }
    assert answers.complete
    assert answers.seconds == 12.5
    assert {each.origin for each in answers.corrections} == {"prediction", "manual"}


def test_written_anew_is_changed_and_normalised() -> None:
    screen = Screen(doubtful()).texts("v_patient_dob", "4/10/61").texts("v_patient_name", "Ann Lee")
    changed = {each.name: each for each in screen.submitted().corrections if each.before}
    assert changed["patient_dob"].after == "1961-04-10"
    assert changed["patient_dob"].outcome == "changed"
    assert changed["patient_dob"].origin == "prediction-changed"
    assert changed["patient_name"].outcome == "changed"  # closed, and touched all the same


def test_cleared_is_not_on_the_form() -> None:
    for screen in (
        Screen(doubtful()).texts("v_member_id", ""),
        Screen(doubtful()).clear("v_member_id"),
    ):
        answers = screen.submitted()
        assert outcomes(answers)["member_id"] == ["removed"]
        assert corrected(doubtful(), answers.corrections).field("member_id") is None


def test_typed_where_nothing_was_is_added() -> None:
    answers = Screen(doubtful()).texts("v_referring_provider_npi", "1234567893").submitted()
    (added,) = [each for each in answers.corrections if each.outcome == "added"]
    assert (added.name, added.after) == ("referring_provider_npi", "1234567893")


def test_illegible() -> None:
    answers = Screen(doubtful()).texts("v_member_id", "?").choose("v_urgency", "?").submitted()
    (chosen,) = [each for each in answers.corrections if each.name == "urgency"]
    assert chosen.answer is Answer.ILLEGIBLE
    (said,) = [each for each in answers.corrections if each.name == "member_id"]
    assert said.answer is Answer.ILLEGIBLE
    mended = corrected(doubtful(), answers.corrections).field("member_id")
    assert mended is not None
    assert mended.value is None


def test_lists_by_value_not_by_place() -> None:
    screen = Screen(doubtful()).texts("v_procedure_codes", "73721", "99214; 99215")
    answers = screen.submitted()
    said = [(c.before, c.after) for c in answers.corrections if c.name == "procedure_codes"]
    assert said == [("73721", "73721"), ("99213", "99214"), (None, "99215")]
    shorter = Screen(doubtful()).texts("v_procedure_codes", "73721").submitted()
    assert outcomes(shorter)["procedure_codes"] == ["confirmed", "removed"]


def test_choices() -> None:
    answers = Screen(doubtful()).choose("v_urgency", "routine").submitted()
    (said,) = [each for each in answers.corrections if each.name == "urgency"]
    assert (said.before, said.after) == ("urgent", "routine")
    assert outcomes(Screen(doubtful()).clear("v_urgency").submitted())["urgency"] == ["removed"]


def test_a_value_that_is_no_choice_is_not_taken_away_by_silence() -> None:
    both = doubtful(fields=(field("urgency", "routine/urgent", 0.5),))
    assert "urgency" not in outcomes(Screen(both).submitted())
    chosen = Screen(both).choose("v_urgency", "urgent").submitted()
    assert outcomes(chosen)["urgency"] == ["changed"]


def test_a_moved_frame_is_where_the_value_stands() -> None:
    screen = Screen(doubtful())
    for each in screen.result:
        if each["id"] == "r_member_id_0":
            each["value"] |= {"x": 50.0, "y": 60.0}
            each["item_index"] = 1
    (said,) = [each for each in screen.submitted().corrections if each.name == "member_id"]
    assert said.page == 2
    assert said.box == pytest.approx((0.5, 0.6, 0.8, 0.63))
    untouched = Screen(doubtful()).submitted()
    (said,) = [each for each in untouched.corrections if each.name == "member_id"]
    assert said.box == Box(0.1, 0.3, 0.4, 0.33)


def test_wrong_type_and_wrong_cut_confirm_nothing() -> None:
    answers = Screen(doubtful()).choose("other_type", "remittance_eob").submitted()
    assert (answers.type, answers.corrections, answers.complete) == ("remittance_eob", (), False)
    answers = Screen(doubtful()).choose("other_type", "fax_cover").submitted()
    assert (answers.type, answers.corrections) == ("fax_cover", ())
    answers = Screen(doubtful()).choose("cut", "begins on an earlier page").submitted()
    assert (answers.cut, answers.corrections, answers.complete) == ("earlier", (), False)
    assert Screen(doubtful()).texts("cut_pages", "3 and 5").submitted().cut == "several:3,5"


def test_skipped_and_note() -> None:
    answers = Screen(doubtful()).texts("note", "call them\x00").submitted(was_cancelled=True)
    assert (answers.outcome, answers.corrections, answers.note) == ("skipped", (), "call them")


@pytest.mark.parametrize(
    "annotation",
    [
        {},
        {"result": None},
        {"result": []},
        {"result": [1, "x", {"from_name": 3, "value": {}}, {"from_name": "v_member_id"}]},
        {"result": [{"from_name": "v_member_id", "value": {"text": {"a": 1}}}]},
        {"result": [{"from_name": "doubt", "id": "r_member_id_0", "value": {"x": float("nan")}}]},
    ],
)
def test_an_annotation_of_another_make_takes_nothing_away(annotation: dict[str, Any]) -> None:
    answers = answers_of(annotation, doubtful(), PAGES, SCHEMAS[DocumentType.REFERRAL])
    assert (answers.corrections, answers.complete) == ((), False)


def test_the_quality_sample_is_blind() -> None:
    found = doubtful(sampled=True)
    sent = task(found)
    text = json.dumps(sent)
    for shown in found.fields:
        assert shown.value not in text
    assert not [each for each in sent["predictions"][0]["result"] if "x" in each["value"]]
    screen = Screen(found).texts("v_member_id", "QXK204417798").texts("v_patient_dob", "04/09/1961")
    screen.texts("v_patient_name", "Marisol Quillfeather").choose("v_urgency", "urgent")
    screen.texts("v_procedure_codes", "73721", "99213")
    assert outcomes(screen.submitted()) == {
        "patient_name": ["confirmed"],
        "patient_dob": ["confirmed"],
        "member_id": ["changed"],
        "procedure_codes": ["confirmed", "confirmed"],
        "urgency": ["confirmed"],
    }
    empty = Screen(found).submitted()
    assert (empty.corrections, empty.complete) == ((), False)


def test_why_a_field_is_open_stands_beside_it() -> None:
    found = doubtful(
        findings=(
            Finding(
                rule="N3",
                severity=Severity.BLOCK,
                field="member_id",
                message="Member ID: too short for this payer",
                remedy="Compare with the card",
            ),
        ),
        clocks=(
            Clock(
                rule="c", title="Urgent", starts_at=NOW, due_at=NOW + dt.timedelta(days=3),
                length="72 hours",
            ),
        ),
    )  # fmt: skip
    sent = task(found)
    ui = {name: text_of(html) for name, html in sent["data"]["ui"].items()}
    assert "too short for this payer" in ui["member_id"]
    assert "Compare with the card" in ui["member_id"]
    assert "hard to read (61 %)" in ui["member_id"]
    assert "nothing is filled in" in ui["referring_provider_npi"]
    assert "NPI #" in ui["referring_provider_npi"]
    assert "printed: 04/09/1961" in ui["patient_dob"]
    assert "Member ID: too short" in ui["summary"]
    assert "Thu 19 Nov 2026, 09:30" in ui["summary"]
    heads = sent["data"]["ui"]
    assert 'class="open bad' in heads["member_id"]
    assert 'class="shut calm"' in heads["patient_name"]
    assert sum("first" in html.partition(">")[0] for html in heads.values()) == 1
    assert sent["data"]["due_at"] == "2026-11-19T09:30:00+00:00"
    assert sent["predictions"][0]["score"] == 0.0  # something is missing


def test_what_it_is_is_asked_at_once_where_that_is_the_doubt() -> None:
    kindless = doubtful(reason_codes=("type_doubtful",), reasons=("Document type is uncertain",))
    assert "askkind" in task(kindless)["data"]["ui"]["summary"]
    assert "askkind" not in task(doubtful())["data"]["ui"]["summary"]


def test_patients_data_only_where_it_is_shown() -> None:
    """Columns of the data manager, and what is searched by, hold none."""
    data = {name: value for name, value in task(doubtful())["data"].items() if name != "ui"}
    for shown in doubtful().fields:
        assert str(shown.value) not in json.dumps(data) or shown.name == "urgency"


def test_hostile_text_is_only_letters() -> None:
    fields = tuple(field(each.name, HOSTILE, 0.5) for each in SCHEMAS[DocumentType.REFERRAL].fields)
    finding = Finding(
        rule="X", severity=Severity.BLOCK, field="member_id", message=HOSTILE * 60, remedy=HOSTILE
    )
    found = doubtful(
        fields=fields,
        findings=(finding, finding.model_copy(update={"field": None, "fields": ()})),
        blanks=(Blank(field="referral_id", label=HOSTILE, page=1),),
        reasons=(HOSTILE,),
    )
    for html in task(found)["data"]["ui"].values():
        tags = set(re.findall(r"<[^>]*>", html))
        assert all(TAG.fullmatch(tag) for tag in tags), tags
        bare = re.sub(r"<[^>]*>|&#\d+;", "", html)
        assert not set("<>\"'`$[]*_\\!\x00\x07\x1b\u202e\u202c") & set(bare)
        assert "{" not in bare
        assert len(html) < 20_000
    answers = Screen(found).submitted()
    assert {each.outcome for each in answers.corrections} <= {"confirmed", "confirmed_absent"}


TAG = re.compile(
    r'</?(?:div|span|b|bdi|label)(?: class="[a-z ]+")?>|<input type="checkbox" class="show[a-z]+"/>'
)


def test_the_head_says_what_is_confirmed_without_a_key() -> None:
    sure = [field(name, "text", 0.95) for name in ("patient_name", "patient_address", "reason")]
    found = doubtful(
        fields=(field("member_id", "QXK204417793", 0.61), *sure),
        missing=(),
        blanks=(),
        reason_codes=tuple(f"unproven_value:{each.grade}" for each in PAGES),
    )
    assert "also the 3 white fields that Enter passes by" in task(found)["data"]["ui"]["summary"]
    # Where nothing is doubtful Enter goes from one to the next of them.
    steps = found.model_copy(update={"fields": tuple(sure)})
    assert "white" not in task(steps)["data"]["ui"]["summary"]


def test_what_is_only_below_the_target_is_opened_where_nothing_else_is() -> None:
    """One look at each value is why a person has the document at all."""
    sure = tuple(field(name, "text", 0.98) for name in ("patient_name", "reason"))
    grades = tuple(f"below_target:{each.grade}" for each in PAGES)
    found = doubtful(fields=sure, missing=(), blanks=(), findings=(), reason_codes=grades)
    assert [each.schema.name for each in form_of(found, PAGES, SCHEMAS[found.type]).opened] == [
        "patient_name",
        "reason",
    ]
    other = found.model_copy(update={"fields": (*sure, field("member_id", "QXK204417793", 0.61))})
    assert [each.schema.name for each in form_of(other, PAGES, SCHEMAS[other.type]).opened] == [
        "member_id"
    ]


def test_a_long_value_is_whole() -> None:
    found = doubtful(fields=(field("reason", "x" * 10_000, 0.5),))
    sent = next(
        each for each in task(found)["predictions"][0]["result"] if each["from_name"] == "v_reason"
    )
    assert sent["value"]["text"] == ["x" * 10_000]
    assert len(task(found)["data"]["ui"]["reason"]) < 2_000


@given(st.lists(st.text(min_size=1, max_size=40), min_size=1, max_size=4), st.booleans())
def test_whatever_was_read_is_confirmed_when_untouched(texts: list[str], several: bool) -> None:
    name = "diagnosis_descriptions" if several else "reason"
    kind = DocumentType.PRIOR_AUTH_REQUEST if several else DocumentType.REFERRAL
    kept = texts if several else texts[:1]
    fields = tuple(field(name, each, 0.5) for each in kept)
    found = doubtful(type=kind, fields=fields, blanks=(), missing=())
    answers = Screen(found).submitted()
    said = [each for each in answers.corrections if each.name == name and each.after is not None]
    assert {each.outcome for each in said} <= {"confirmed"}
    # All but those of which nothing can be shown: blanks, controls.
    shown = [each for each in kept if plain_text(each)]
    assert sorted(each.after or "" for each in said) == sorted(shown)


def text_of(html: str) -> str:
    coded = re.sub(r"<[^>]*>", " ", html)
    plain = re.sub(r"&#(\d+);", lambda found: chr(int(found[1])), coded)
    return re.sub(r"\s+", " ", plain)


def remittance() -> Document:
    line = ServiceLine(
        service_date=dt.date(2026, 3, 1),
        procedure_code="99213",
        billed=Decimal("120.00"),
        allowed=Decimal("90.00"),
        paid=Decimal("70.00"),
        confidence=0.97,
        page=1,
        box=Box(0.1, 0.3, 0.9, 0.32),
    )
    claim = Claim(
        patient_name="DOE | JANE",
        claim_number="C1",
        billed=Decimal("240.00"),
        paid=Decimal("140.00"),
        confidence=0.97,
        service_lines=(line, line.model_copy(update={"confidence": 0.5})),
    )
    other = claim.model_copy(update={"claim_number": "C2", "service_lines": (line,)})
    return document(
        type=DocumentType.REMITTANCE_EOB,
        fields=(field("payer_name", "Blue Example"),),
        missing=(),
        findings=(),
        reasons=(),
        claims=(claim, other),
    )


def rows(screen: Screen, control: str) -> list[str]:
    (found,) = [each for each in screen.result if each["from_name"] == control]
    return list(found["value"]["text"])


def test_claims_come_back_as_they_were() -> None:
    answers = Screen(remittance()).submitted()
    assert answers.claims is not None
    sure = remittance().claims[0].service_lines[1].model_copy(update={"confidence": 1.0})
    first, second = answers.claims
    assert first.service_lines == (remittance().claims[0].service_lines[0], sure)
    assert first.patient_name == "DOE | JANE"
    assert second == remittance().claims[1]
    assert answers.problems == ()


def test_only_doubtful_rows_are_open() -> None:
    screen = Screen(remittance())
    assert [row.split()[0] for row in rows(screen, "claims_open")] == ["1.2"]
    assert [row.split()[0] for row in rows(screen, "claims_rest")] == ["1", "1.1", "2", "2.1"]


def test_a_row_is_changed_taken_away_and_added() -> None:
    screen = Screen(remittance())
    (row,) = rows(screen, "claims_open")
    rest = rows(screen, "claims_rest")
    screen.texts("claims_open", row.replace("70.00", "$75.00"))
    added = rest[3].replace("2.1", "2.2") + " | deductible = 5.00"
    screen.texts("claims_rest", rest[0], rest[2], rest[3], added)
    answers = screen.submitted()
    assert answers.claims is not None
    first, second = answers.claims
    assert [line.paid for line in first.service_lines] == [Decimal("75.00")]
    assert [line.deductible for line in second.service_lines] == [None, Decimal("5.00")]
    assert second.service_lines[1].confidence == 1.0
    assert answers.complete


@pytest.mark.parametrize("broken", ["70.00x70", "no number", "70.00 | 5"])
def test_a_row_that_is_not_understood_is_a_problem_and_changes_nothing(broken: str) -> None:
    screen = Screen(remittance())
    (row,) = rows(screen, "claims_open")
    screen.texts("claims_open", row.replace("70.00", broken))
    answers = screen.submitted()
    assert answers.claims is not None
    assert answers.claims[0].service_lines == remittance().claims[0].service_lines
    assert not answers.complete
    assert "70" not in " ".join(answers.problems)
