# SPDX-License-Identifier: Apache-2.0
"""What a person does at the real screen, in one browser: text is text, and every answer arrives."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from idp.document import Document, DocumentType, Finding, Severity
from idp.review.answers import Answers
from idp.review.screens import CLAIMS_OPEN, TYPE
from idp.review.wording import plain_text
from idp.store import State
from tests.fabricate import field
from tests.review.chromium import Reviewer, browser
from tests.review.conftest import Running
from tests.review.front import PASSWORD, Front, opened
from tests.review.office import Office
from tests.review.screen_check import go_to
from tests.unit.test_review_answers import HOSTILE, doubtful, remittance

REFERRAL, REMITTANCE = DocumentType.REFERRAL, DocumentType.REMITTANCE_EOB
REQUEST = DocumentType.PRIOR_AUTH_REQUEST
NASTY = f"{HOSTILE} &lt;b&gt; &#65; &amp;amp; </textarea></div><b>bold</b> {{% raw %}} ]]>"
_FOREIGN = """() => [...document.querySelectorAll('.rv-form *')].filter(each =>
    each.matches('script, iframe, img, a[href*="x.test"], em, i') || each.hasAttribute('onerror')
    || (each.matches('b') && each.textContent === 'bold')
  ).map(each => each.outerHTML.slice(0, 80))"""


_ON_PAGE = """page => window.Htx.annotationStore.selected.regions[0].object.currentImage === page"""


class Desk(NamedTuple):
    """A reviewer before the screen."""

    front: Front
    reviewer: Reviewer

    def open(self, document: Document) -> int:
        """The document is put into its queue and opened; its task."""
        (task,) = self.front.put(document)
        self.reviewer.open_queue(self.front.projects[document.type])
        assert self.reviewer.shown == document.document_id
        return task

    def submitted(self, document: Document, task: int) -> Answers:
        """What the appliance understands of it."""
        self.reviewer.submit()
        return self.front.answers(document, task)


@pytest.fixture(scope="module")
def desk(label_studio: Running) -> Iterator[Desk]:
    place, folder = label_studio.place, label_studio.folder
    with (
        opened(
            label_studio.settings, place, folder, kinds=[REFERRAL, REMITTANCE], mark="-hands"
        ) as front,
        browser() as window,
    ):
        reviewer = Reviewer(window, front.url)
        reviewer.come_in("rita", PASSWORD)
        yield Desk(front, reviewer)


def test_hostile_text_is_shown_as_text_and_comes_back_as_it_was(desk: Desk) -> None:
    reviewer = desk.reviewer
    finding = Finding(
        rule="X", severity=Severity.WARN, field="reason", message=NASTY[:200], remedy=NASTY[:80]
    )
    found = doubtful(
        document_id="hostile",
        fields=(
            field("reason", NASTY, 0.5, raw=f"raw {NASTY}"),
            field("patient_name", NASTY, 0.5),
            field("procedure_codes", NASTY, 0.5),
            field("procedure_codes", "99213", 0.5),
        ),
        missing=(),
        blanks=(),
        findings=(finding, finding.model_copy(update={"field": None, "fields": ()})),
    )
    task = desk.open(found)
    shown = plain_text(NASTY)
    for name in ("reason", "patient_name", "procedure_codes"):
        inputs = reviewer.page.eval_on_selector_all(
            f"#f-{name} .f-t :is(input, textarea)", "all => all.map(each => each.value)"
        )
        assert shown in inputs, name
    assert reviewer.page.evaluate(_FOREIGN) == []
    said = reviewer.page.inner_text("#f-reason .f-h")
    for part in ("<script>alert(1)</script>", "{{ x }} ${y}", "<img src=x onerror=y>", "&lt;b&gt;"):
        assert part in said, part
    reviewer.shot("hostile")
    answers = desk.submitted(found, task)
    assert {each.outcome for each in answers.corrections} == {"confirmed"}
    assert {NASTY, "99213"} == {each.after for each in answers.corrections}
    assert reviewer.dialogs == []
    assert reviewer.elsewhere == []


def test_a_click_on_a_frame_brings_its_field_up_and_another_entry_is_a_key(desk: Desk) -> None:
    reviewer = desk.reviewer
    found = doubtful(document_id="clicked")
    task = desk.open(found)
    assert "patient_name" not in reviewer.visible()
    # The first value to check stands on the second page; this one, and what is clicked, before.
    go_to(reviewer, "member_id")
    reviewer.page.wait_for_function(_ON_PAGE, arg=0)
    for name, y in (("patient_name", 0.115), ("member_id", 0.315)):
        _click(reviewer, 0.25, y)
        reviewer.page.wait_for_selector(f"#f-{name}.picked", state="visible")
        reviewer.page.wait_for_function(
            "name => document.activeElement.closest('.f')?.id === `f-${name}`", arg=name
        )
        # On top of the form, right below its head.
        top = reviewer.page.evaluate(
            "() => [...document.querySelectorAll('.rv-form .f')].filter(e => e.checkVisibility())"
            ".sort((a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top)[0].id"
        )
        assert top == f"f-{name}"
    reviewer.shot("clicked")
    go_to(reviewer, "procedure_codes")
    reviewer.press("Alt+Enter")
    reviewer.wait_for_entry()
    reviewer.type("97110")
    answers = desk.submitted(found, task)
    codes = {
        each.after: each.outcome for each in answers.corrections if each.name.startswith("pro")
    }
    assert codes == {"99213": "confirmed", "73721": "confirmed", "97110": "added"}


def test_rows_of_claims_are_changed_added_and_taken_away_with_the_keyboard(desk: Desk) -> None:
    reviewer = desk.reviewer
    paper = remittance()
    first, other = paper.claims
    unsure = other.service_lines[0].model_copy(update={"confidence": 0.5})
    found = paper.model_copy(
        update={
            "document_id": "claims",
            "claims": (first, other.model_copy(update={"service_lines": (unsure,)})),
        }
    )
    task = desk.open(found)
    go_to(reviewer, CLAIMS_OPEN)
    row = str(reviewer.focus()["value"])
    assert row.startswith("1.2 ")
    reviewer.replace(row, row.replace("70.00", "75.50"))
    reviewer.press("Enter")
    assert str(reviewer.focus()["value"]).startswith("2.1 ")
    reviewer.press("Delete", "Alt+Enter")
    reviewer.wait_for_entry()
    added_row = "1.3 | 2026-03-02 | 99214 | 100.00 | 80.00 | 60.00"
    reviewer.type(added_row)
    assert reviewer.focus()["value"] == added_row
    reviewer.shot("claims")
    answers = desk.submitted(found, task)
    assert answers.problems == ()
    assert answers.claims is not None
    one, two = answers.claims
    assert [line.paid for line in one.service_lines] == [
        Decimal("70.00"),
        Decimal("75.50"),
        Decimal("60.00"),
    ]
    added = one.service_lines[2]
    assert (added.service_date, added.procedure_code) == (dt.date(2026, 3, 2), "99214")
    assert one.service_lines[0] == first.service_lines[0]
    assert two.service_lines == ()
    assert (two.claim_number, two.patient_name) == (other.claim_number, other.patient_name)


def test_a_wrong_type_said_at_the_screen_has_the_document_read_as_that_type(
    desk: Desk, label_studio: Running, tmp_path: Path
) -> None:
    page, found = desk.reviewer.page, doubtful(document_id="another")
    task = desk.open(found)
    page.click(".rv-form label:has(.showwrong)")
    title = desk.front.schemas[REQUEST].title
    page.click(f".d.kind label:has-text('{title}')")
    answers = desk.submitted(found, task)
    assert (answers.type, answers.corrections) == (REQUEST, ())
    with desk.front.client() as client:
        (annotation,) = client.get(f"/api/tasks/{task}/annotations/").json()
    said: list[dict[str, Any]] = [
        each for each in annotation["result"] if each["from_name"] == TYPE
    ]
    place = label_studio.place
    office = Office(tmp_path / "data", lambda: place.url, place.token, real_screen=True)
    try:
        (document_id,) = office.waiting()
        office.settle()
        office.projects[REQUEST] = office.new_project("Requests", "<View/>")
        office.submit(document_id, *said)
        office.settle()
        document = office.store.document(document_id)
        assert document is not None
        assert (document.type, document.type_confidence) == (REQUEST, 1.0)
        assert office.state(document_id) is State.REVIEW
        with office.client() as client_of_ours:
            assert list(client_of_ours.tasks(office.project)) == []
            (again,) = client_of_ours.tasks(office.projects[REQUEST])
        assert (again.document_id, again.round) == (document_id, 2)
    finally:
        office.store.close()


def _click(reviewer: Reviewer, x: float, y: float) -> None:
    """On the page that is shown, at a place from 0 to 1."""
    box = reviewer.page.locator(".rv-doc img").first.bounding_box()
    assert box is not None
    reviewer.page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
