# SPDX-License-Identifier: Apache-2.0
"""Urgency: found with its evidence, and not where a form only prints the choice."""

from __future__ import annotations

import random

import pytest

from idp.clocks import load_clockwork
from idp.document import (
    Box,
    Document,
    DocumentType,
    Envelope,
    Field,
    Finding,
    Mark,
    Page,
    Severity,
    Urgency,
)
from idp.validate.urgency import urgency_of
from tests.unit.pages import COLUMNS, ROWS, page

WORDING = load_clockwork(None).wording
BOX = Box(0.1, 0.1, 0.3, 0.12)
COVER = """
FAX COVER SHEET
To: Northgate Utilization Review     Fax: 555-010-2000
From: Lakeside Family Medicine       Phone: 555-010-3000
Date: 03/11/2026                     Pages: 3
{line}
Confidential: if you received this fax in error, call the sender.
"""


def field(name: str, value: str, raw: str = "", source: str = "structure") -> Field:
    return Field(
        name=name,
        value=value,
        raw=raw or value,
        confidence=0.97,
        page=1,
        box=BOX,
        source=source,
    )


def ticks(text: str, number: int = 1) -> Page:
    """A page on which ``[x]`` and ``[ ]`` are boxes with the words behind them as their label."""
    lines = text.strip("\n").split("\n")
    marks = []
    for row, line in enumerate(lines):
        for piece in ("[x]", "[ ]"):
            start = line.find(piece)
            while start >= 0:
                label = line[start + 3 :].split("[")[0].split("    ")[0].strip()
                top = (row + 2) / ROWS
                marks.append(
                    Mark(
                        state="checked" if piece == "[x]" else "unchecked",
                        box=Box(
                            (start + 4) / COLUMNS,
                            top,
                            (start + 7) / COLUMNS,
                            top + 0.8 / ROWS,
                        ),
                        label=label,
                    )
                )
                start = line.find(piece, start + 1)
    plain = page(text.replace("[x]", "   ").replace("[ ]", "   "), number)
    return plain.model_copy(update={"marks": tuple(marks)})


def judged(
    *pages: Page,
    fields: tuple[Field, ...] = (),
    subject: str | None = None,
    arrived: tuple[Page, ...] = (),
) -> tuple[Urgency | None, tuple[Finding, ...]]:
    document = Document(
        document_id="d",
        source="a.tif",
        sha256="0" * 64,
        channel="fax",
        type=DocumentType.PRIOR_AUTH_REQUEST,
        type_confidence=0.99,
        pages=tuple(each.number for each in pages),
        fields=fields,
        envelope=Envelope(subject=subject) if subject else None,
    )
    return urgency_of(document, pages, WORDING, arrived=arrived)


def level(*pages: Page, **more: object) -> str | None:
    found, _ = judged(*pages, **more)  # type: ignore[arg-type]
    return found.level if found is not None else None


@pytest.mark.parametrize(
    ("name", "value", "raw", "source", "expected"),
    [
        ("review_type", "expedited", "Urgent", "structure", "urgent"),
        ("review_type", "standard", "Standard", "structure", "routine"),
        ("urgency", "emergent", "STAT", "structure", "emergent"),
        ("review_type", "expedited", "U", "x12", "urgent"),
        ("review_type", "expedited", "03", "x12", "emergent"),
        ("review_type", "standard", "E", "x12", "routine"),
        ("urgency_reason", "Discharge pending", "", "structure", "urgent"),
        ("urgency_reason", "N/A", "", "structure", None),
    ],
)
def test_the_forms_own_fields_and_um06_say_how_urgent_it_is(name, value, raw, source, expected):
    found, _ = judged(page("A form"), fields=(field(name, value, raw, source),))
    assert (found.level if found else None) == expected
    if found:
        assert found.evidence[0].field == name
        assert found.evidence[0].box == BOX


def test_a_value_that_was_hardly_read_says_nothing():
    doubtful = field("review_type", "expedited").model_copy(update={"confidence": 0.3})
    assert level(page("A form"), fields=(doubtful,)) is None


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Review type:   [ ] Standard    [x] Urgent", "urgent"),
        ("Review type:   [x] Standard    [ ] Urgent", "routine"),
        ("[ ] Non-Urgent   [x] Expedited", "urgent"),
        ("[x] Non-Urgent   [ ] Urgent", "routine"),
        ("[x] Not urgent", "routine"),
        ("[x] STAT - requires immediate attention", "emergent"),
        ("[x] Emergent", "emergent"),
        ("[x] Urgent - please review today", "urgent"),
        ("[x] Expedited review (72 hours)", "urgent"),
        ("[ ] Urgent   [ ] Standard", None),
        ("[x] Urgent care center   [ ] Office", None),
        ("[x] Emergency room   [ ] Inpatient", None),
        ("[x] Status change", None),
        ("[x] State plan", None),
        ("[x] Standard wheelchair", None),
        ("[x] Office    [ ] Urgent", None),
        ("[x] Urgently needed supplies are listed below", None),
    ],
)
def test_a_ticked_box_counts_and_a_printed_one_does_not(line, expected):
    assert level(ticks(f"Prior authorization request\n\n{line}")) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "I certify that waiting for a standard review could seriously\n"
            "jeopardize the life or health of the patient.",
            "urgent",
        ),
        (
            "[x] By checking this box I certify that applying the standard review time\n"
            "may seriously jeopardize the life, health or ability to regain function.",
            "urgent",
        ),
        (
            "[ ] By checking this box I certify that applying the standard review time\n"
            "may seriously jeopardize the life, health or ability to regain function.",
            None,
        ),
        (
            "By checking this box and signing below, I certify that the standard time\n"
            "may seriously jeopardize the life of the enrollee.",  # its box was not found
            None,
        ),
        (
            "An expedited review is granted if a longer wait could seriously jeopardize\n"
            "the life or health of the member. Call us in such a case.",
            None,
        ),
        (
            "I attest that a delay could serlously jeopardlze the life of my patient.",
            "urgent",
        ),
    ],
)
def test_a_certification_counts_where_a_person_makes_it(text, expected):
    filler = "\n".join(["Patient: Ada Example", "Plan: Example Health", ""] * 8)
    assert level(ticks(filler + "\n" + text)) == expected


@pytest.mark.parametrize(
    "line",
    ["URGENT", "*** URGENT ***", "STAT", "RUSH - PLEASE", "Re: URGENT prior auth", "ASAP!!",
     "Subject: STAT referral for Ada Example", "Priority: Urgent", "URGENT REQUEST"],
)  # fmt: skip
def test_a_word_on_the_cover_counts(line):
    found, _ = judged(page(COVER.format(line=line)))
    assert found is not None
    assert found.level == "urgent"
    assert found.evidence[0].page == 1


@pytest.mark.parametrize(
    "line",
    [
        "For urgent requests call 555-010-2222.",
        "[ ] Urgent   [ ] For review   [ ] Please comment   [ ] Please reply",
        "□ Urgent □ For Review □ Please Comment",
        "Urgent   For Review   Please Comment   Please Reply   Please Recycle",
        "From: Meadowbrook Urgent Care",
        "Re: Urgent care visit notes",
        "Re: not urgent, for your files",
        "If urgent, page the doctor on call.",
        "Urgent requests must be marked as such.",
        "Re: records of Rush University Medical Center",
        "Priority: Standard / Urgent / STAT",
        "Statement of medical necessity",
    ],
)
def test_choices_instructions_and_names_on_a_cover_do_not(line):
    assert level(ticks(COVER.format(line=line))) is None
    assert level(page(COVER.format(line=line))) is None


def test_a_cover_sheet_speaks_for_the_document_behind_it():
    cover = page(COVER.format(line="URGENT"), 1)
    form = page("Prior authorization request\nPatient: Ada Example", 2)
    found, _ = judged(form, arrived=(cover, form))
    assert found is not None
    assert (found.level, found.evidence[0].page) == ("urgent", 1)


def test_the_subject_of_a_mail_counts_and_an_urgent_care_in_it_does_not():
    assert level(page("A form"), subject="URGENT: prior auth for A. Example") == "urgent"
    assert level(page("A form"), subject="Visit at Meadowbrook Urgent Care") is None


def test_words_in_the_middle_of_a_letter_are_no_cover():
    letter = "\n".join(["Dear colleague,"] + ["thank you for seeing her."] * 30 + ["URGENT"])
    assert level(page(letter)) is None


def test_a_form_that_says_both_blocks_and_the_more_urgent_counts():
    found, findings = judged(ticks("[x] Standard    [x] Urgent"))
    assert found is not None
    assert found.level == "urgent"
    assert {each.level for each in found.evidence} == {"routine", "urgent"}
    (finding,) = findings
    assert (finding.rule, finding.severity) == ("U1", Severity.BLOCK)
    assert len(finding.places) == 2
    assert finding.remedy


def test_a_cover_that_contradicts_the_form_warns_and_the_more_urgent_counts():
    cover = page(COVER.format(line="URGENT"), 1)
    form = ticks("Prior authorization request\n\n[x] Standard    [ ] Urgent", 2)
    found, findings = judged(form, arrived=(cover, form))
    assert found is not None
    assert found.level == "urgent"
    assert [each.severity for each in findings] == [Severity.WARN]


def test_own_evidence_stands_before_words():
    form = ticks(COVER.format(line="URGENT") + "\n[x] Expedited")
    found, findings = judged(form)
    assert found is not None
    assert [each.what for each in found.evidence] == [
        "a ticked box says so",
        "a word on the cover says so",
    ]
    assert findings == ()


@pytest.mark.parametrize("seed", range(3))
def test_many_forms_of_many_wordings(seed):
    """At least 0.98 of the urgent ones are found, at most 0.01 of the others are called so."""
    dice = random.Random(seed)
    routine = ("Standard", "Routine", "Non-Urgent", "Standard Review", "Non-expedited", "Elective")
    urgent = ("Urgent", "Expedited", "Expedited Review", "STAT", "Emergent", "Urgent Request")
    others = ("Urgent care center", "Emergency Room", "Inpatient", "Office", "Home", "Other")
    missed = alarms = urgent_forms = 0
    for _ in range(300):
        truth = dice.random() < 0.5
        quiet = dice.random() < 0.3 and not truth
        a, b = dice.choice(routine), dice.choice(urgent)
        states = (" ", " ") if quiet else (" ", "x") if truth else ("x", " ")
        options = [f"[{states[0]}] {a}", f"[{states[1]}] {b}"]
        dice.shuffle(options)
        lines = [
            "PRIOR AUTHORIZATION REQUEST",
            dice.choice(("", "For urgent requests call 1-555-010-1234.", "Urgent? See page 2.")),
            "",
            dice.choice(("Review type:", "Priority:", "Request is", ""))
            + "   "
            + "    ".join(options),
            "Place of service: "
            + "    ".join(f"[{dice.choice(' x')}] {o}" for o in dice.sample(others, 3)),
            "Patient: Ada Example      Date of birth: 07/22/1968",
        ]
        got = level(ticks("\n".join(lines))) in ("urgent", "emergent")
        urgent_forms += truth
        missed += truth and not got
        alarms += got and not truth
    assert missed <= 0.02 * urgent_forms
    assert alarms <= 0.01 * (300 - urgent_forms)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Urgency: Expedited Review", "urgent"),
        ("Priority: STAT      Date: 03/11/2026", "emergent"),
        ("Review Type   Standard", "routine"),
        ("Urgency: Standard   Expedited   Retrospective", None),
        ("Priority: Urgent care follow-up", None),
        ("Urgency of the request is described below", None),
    ],
)
def test_a_word_typed_behind_its_label_counts(line, expected):
    letter = "\n".join(["Patient: Ada Example"] * 25 + [line])
    assert level(page(letter)) == expected


@pytest.mark.parametrize(
    ("value", "level"), [("standard", "routine"), ("expedited", "urgent")], ids=str
)
def test_a_reviewers_word_stands_alone(value, level):
    pages = [ticks("Request priority\n[x] Expedited    [ ] Standard\n")]
    doc = Document(
        document_id="d",
        source="a.tif",
        sha256="0" * 64,
        channel="fax",
        type=DocumentType.PRIOR_AUTH_REQUEST,
        type_confidence=0.9,
        pages=(1,),
        fields=(field("review_type", value, source="structure"),),
    )
    read, found = urgency_of(doc, pages, WORDING)
    assert read is not None
    assert read.level == "urgent"
    assert bool(found) == (value == "standard")
    said = doc.model_copy(update={"fields": (field("review_type", value, source="review"),)})
    urgency, contradictions = urgency_of(said, pages, WORDING)
    assert urgency is not None
    assert urgency.level == level
    assert contradictions == ()
    assert {each.field for each in urgency.evidence} == {"review_type"}
