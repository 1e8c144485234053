# SPDX-License-Identifier: Apache-2.0
"""The decision: policy, proved thresholds, quality of pages, the sample, and codes for reasons."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from idp.calibration import Calibration, Step
from idp.document import (
    Claim,
    Decision,
    Document,
    DocumentType,
    Finding,
    Grade,
    RecognisedForm,
    Release,
    Severity,
)
from idp.knowledge import Circumstances, Knowledge
from idp.reasons import CODES, SAMPLED, with_finding
from idp.rulebook import entries
from idp.schemas import load_schemas
from idp.second_look import DISAGREEMENT
from idp.settings import DecisionSettings
from idp.validate import JUDGING, validate
from idp.validate.electronic import SAID_BY_EXTRACTION
from idp.validate.kept import OF_OTHER_ROOMS
from tests.docs_tables import import_rules
from tests.unit.pages import page
from tests.unit.test_validate import REQUEST, document

DOCS = Path(__file__).parents[2] / "docs"
TODAY = dt.date(2026, 3, 12)
RECEIVED = dt.datetime(2026, 3, 12, 9, tzinfo=dt.UTC)
TARGET = 0.99


def steps(*steps: tuple[float, int, int, float]) -> tuple[Step, ...]:
    return tuple(Step(threshold=t, values=n, wrong=w, upper=u) for t, n, w, u in steps)


MEASURED = Calibration(
    source="synthetic",
    layouts=100,
    documents=200,
    values=3000,
    steps={
        Grade.GOOD: steps((0.9, 2000, 60, 0.04), (0.97, 900, 4, 0.0099), (0.99, 50, 0, 0.06)),
        Grade.FAIR: steps((0.9, 200, 10, 0.08), (0.97, 90, 3, 0.07)),
    },
)


def decide(
    given: Document,
    policy: DecisionSettings | None = None,
    *,
    grade: Grade = Grade.GOOD,
    release: Release | None = None,
    known: bool = True,
    drawn: bool = False,
    knowledge: Knowledge | None = None,
) -> Document:
    circumstances = Circumstances(RECEIVED, release=release, layout_known=known, drawn=drawn)
    return validate(
        given,
        load_schemas()[given.type],
        policy or DecisionSettings(accuracy_target=0),
        [page("Contact Name:", grade=grade)],
        TODAY,
        knowledge=knowledge,
        circumstances=circumstances,
    )


def codes(decided: Document) -> set[str]:
    return {code.split(":")[0] for code in decided.reason_codes}


def test_every_reason_has_its_code_beside_it() -> None:
    decided = decide(document({**REQUEST, "requesting_provider_npi": "1234567890"}))
    assert decided.decision is Decision.REVIEW
    assert len(decided.reasons) == len(decided.reason_codes) > 0
    assert "rule:N1" in decided.reason_codes


def test_all_codes_are_documented_with_their_meaning() -> None:
    text = (DOCS / "decisions" / "decisions.md").read_text(encoding="utf-8")
    for code, meaning in CODES.items():
        assert f"| `{code}` | {meaning} |" in text


@pytest.mark.parametrize(
    ("types", "folder", "expected"),
    [
        ({}, None, "confident"),
        ({"prior_auth_request": "never"}, None, "never"),
        ({"prior_auth_request": "never"}, "always", "never"),
        ({"prior_auth_request": "always"}, "confident", "confident"),
        ({"prior_auth_request": "always"}, "always", "always"),
        ({"prior_auth_request": "always"}, "never", "never"),
        ({"referral": "never"}, None, "confident"),
        ({}, "always", "confident"),
    ],
)
def test_the_stricter_of_type_and_folder_holds(
    types: dict[str, Release], folder: Release | None, expected: Release
) -> None:
    policy = DecisionSettings(types=types, accuracy_target=0)
    decided = decide(document(REQUEST), policy, release=folder)
    assert decided.release == expected
    assert (decided.decision is Decision.REVIEW) is (expected == "never")


def other(subtype: str) -> Document:
    return document({}, DocumentType.OTHER, subtype=subtype)


def test_a_kind_that_a_person_always_sees_stays_so_unless_it_is_named() -> None:
    assert decide(other("junk")).release == "never"
    whole_type = DecisionSettings(types={"other": "always"}, accuracy_target=0)
    assert decide(other("junk"), whole_type).reason_codes == ("policy_never:junk",)
    named = DecisionSettings(types={"junk": "always"}, accuracy_target=0)
    assert decide(other("junk"), named).decision is Decision.AUTO


def test_always_lets_doubtful_values_pass_and_nothing_else() -> None:
    policy = DecisionSettings(types={"prior_auth_request": "always"}, accuracy_target=0)
    doubtful = document(REQUEST, confidence=0.2)
    assert decide(doubtful, policy).decision is Decision.AUTO
    blocked = document({**REQUEST, "requesting_provider_npi": "1234567890"}, confidence=0.2)
    assert decide(blocked, policy).reason_codes == ("rule:N1",)
    gone = document({k: v for k, v in REQUEST.items() if k != "patient_dob"}, confidence=0.2)
    assert codes(decide(gone, policy)) <= {"missing_field", "unread_field"}
    assert decide(gone, policy).decision is Decision.REVIEW
    unsure = document(REQUEST, type_confidence=0.3)
    assert decide(unsure, policy).reason_codes == ("type_doubtful",)


def test_a_fair_page_and_a_new_layout_demand_more() -> None:
    given = document(REQUEST, confidence=0.92)
    assert decide(given).decision is Decision.AUTO
    assert codes(decide(given, known=False)) == {"doubtful_value"}
    assert codes(decide(given, grade=Grade.FAIR)) == {"doubtful_value"}
    form = given.model_copy(update={"form": RecognisedForm(name="x", score=0.9)})
    assert decide(form, known=False).decision is Decision.AUTO
    assert "hard_to_read" in codes(decide(given, grade=Grade.POOR))


def test_the_lowest_threshold_whose_bound_keeps_the_target_holds() -> None:
    assert MEASURED.threshold(Grade.GOOD, 0.95) == 0.9
    assert MEASURED.threshold(Grade.GOOD, 0.99) == 0.97
    assert MEASURED.threshold(Grade.GOOD, 0.995) is None
    assert MEASURED.threshold(Grade.FAIR, 0.99) is None
    assert MEASURED.threshold(Grade.POOR, 0.6) is None


def test_values_keep_to_the_proved_threshold() -> None:
    policy, known = DecisionSettings(accuracy_target=TARGET), Knowledge(calibration=MEASURED)
    assert decide(document(REQUEST, confidence=0.971), policy, knowledge=known).reasons == ()
    below = decide(document(REQUEST, confidence=0.969), policy, knowledge=known)
    assert codes(below) == {"doubtful_value"}


def test_where_nothing_is_proved_nothing_of_that_kind_leaves_and_the_reason_says_so() -> None:
    policy, known = DecisionSettings(accuracy_target=TARGET), Knowledge(calibration=MEASURED)
    sure = document(REQUEST, confidence=0.999)
    fair = decide(sure, policy, grade=Grade.FAIR, knowledge=known)
    assert fair.reason_codes == ("unproven_value:fair",)
    assert "99 %" in fair.reasons[0]
    unmeasured = decide(sure, policy, knowledge=Knowledge())
    assert unmeasured.reason_codes == ("unproven_value:good",)


def test_what_is_too_unsure_to_leave_may_be_sure_enough_to_stay_closed_on_the_screen() -> None:
    """Doubtful values are named one by one; the others of a page are one reason together."""
    policy = DecisionSettings(accuracy_target=TARGET, shown_target=0.95)
    known = Knowledge(calibration=MEASURED)
    assert decide(document(REQUEST, confidence=0.971), policy, knowledge=known).reasons == ()
    between = decide(document(REQUEST, confidence=0.95), policy, knowledge=known)
    assert between.reason_codes == ("below_target:good",)
    assert "not sure enough" in between.reasons[0]
    assert "99 %" in between.reasons[0]
    assert codes(decide(document(REQUEST, confidence=0.89), policy, knowledge=known)) == {
        "doubtful_value"
    }
    strict = policy.model_copy(update={"accuracy_target": 0.995})
    sure = decide(document(REQUEST, confidence=0.999), strict, knowledge=known)
    assert sure.reason_codes == ("below_target:good",)


def test_nothing_is_opened_that_might_leave() -> None:
    """A target for the screen above the one for leaving counts as that one."""
    policy = DecisionSettings(accuracy_target=0.95, shown_target=0.995)
    known = Knowledge(calibration=MEASURED)
    assert decide(document(REQUEST, confidence=0.91), policy, knowledge=known).reasons == ()


def test_values_of_a_registered_form_keep_to_the_thresholds_of_the_settings() -> None:
    given = document(REQUEST, confidence=0.92)
    form = given.model_copy(
        update={
            "form": RecognisedForm(name="x", score=0.9),
            "fields": tuple(f.model_copy(update={"source": "form"}) for f in given.fields),
        }
    )
    policy = DecisionSettings(accuracy_target=TARGET)
    assert decide(form, policy, known=False, knowledge=Knowledge()).decision is Decision.AUTO


def test_values_of_a_registered_form_keep_to_their_own_table_where_there_is_one() -> None:
    """A table of the models says nothing of them, and theirs says nothing of the models."""
    table = MEASURED.model_copy(update={"steps": {Grade.GOOD: steps((0.98, 800, 1, 0.008))}})
    both = Knowledge(calibration=MEASURED.model_copy(update={"registered": table}))
    policy = DecisionSettings(accuracy_target=TARGET)

    def read(confidence: float, source: str) -> Document:
        given = document(REQUEST, confidence=confidence)
        fields = tuple(f.model_copy(update={"source": source}) for f in given.fields)
        return given.model_copy(update={"fields": fields})

    assert decide(read(0.975, "form"), policy, knowledge=both).reasons != ()
    assert decide(read(0.985, "form"), policy, knowledge=both).reasons == ()
    assert decide(read(0.975, "crf"), policy, knowledge=both).reasons == ()
    fair = decide(read(0.999, "form"), policy, grade=Grade.FAIR, knowledge=both)
    assert fair.reason_codes == ("unproven_value:fair",)


def test_claims_read_from_paper_were_never_measured() -> None:
    policy = DecisionSettings(accuracy_target=TARGET)
    eob = document({}, DocumentType.REMITTANCE_EOB, claims=(Claim(confidence=1.0),))
    assert "unproven_claim" in codes(decide(eob, policy, knowledge=Knowledge()))


def test_the_sample_is_drawn_only_from_what_would_leave() -> None:
    drawn = decide(document(REQUEST), drawn=True)
    assert (drawn.decision, drawn.sampled) == (Decision.REVIEW, True)
    assert drawn.reason_codes == (SAMPLED,)
    doubtful = decide(document(REQUEST, confidence=0.5), drawn=True)
    assert not doubtful.sampled
    assert SAMPLED not in doubtful.reason_codes


def test_what_another_room_finds_later_takes_a_document_out_of_the_sample() -> None:
    drawn = decide(document(REQUEST), drawn=True)
    mark = Finding(rule="D1", severity=Severity.WARN, message="x")
    assert with_finding(drawn, mark).sampled
    held = with_finding(drawn, mark.model_copy(update={"severity": Severity.BLOCK}))
    assert (held.sampled, held.reason_codes) == (False, ("rule:D1",))


def test_what_other_rooms_said_survives_another_judgement() -> None:
    once = decide(document(REQUEST))
    for number in sorted(OF_OTHER_ROOMS):
        once = with_finding(once, Finding(rule=number, severity=Severity.BLOCK, message=number))
    again = decide(once)
    assert [f.rule for f in again.findings if f.rule in OF_OTHER_ROOMS] == sorted(OF_OTHER_ROOMS)
    assert (again.decision, set(again.reason_codes)) == (once.decision, set(once.reason_codes))


def test_the_rules_of_other_rooms_are_those_that_no_judgement_applies() -> None:
    import_rules()
    book = entries()
    applied = {entry.rule for entry in book if entry.where.startswith(JUDGING)}
    theirs = {entry.rule for entry in book} - applied
    # What two people differ in ends with the lead's answer, which is judged anew.
    assert theirs - SAID_BY_EXTRACTION - {DISAGREEMENT} <= OF_OTHER_ROOMS
    assert not OF_OTHER_ROOMS & applied
