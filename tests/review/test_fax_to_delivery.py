# SPDX-License-Identifier: Apache-2.0
"""A fax is dropped, a person puts one number right in a browser, and the document is delivered.

All of it is real: pipeline, Label Studio, gate, Chromium. IDP_REVIEW_SHOTS names a folder for
pictures of what the person sees.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from idp.appliance import Appliance
from idp.document import DocumentType
from idp.gate import gate_of, hashed
from idp.review.screens import screen_of
from idp.samples import forms
from idp.samples.fax import FINE, fax
from idp.samples.people import Provider, Registry
from idp.samples.sheet import Sheet
from idp.schemas import load_schemas
from idp.settings import ReadSettings, Settings
from idp.store import Role, State, Store
from tests.fabricate import field
from tests.faults.running import wait_until
from tests.review.chromium import Reviewer, browser
from tests.review.conftest import START_SECONDS, Running, review_settings
from tests.review.front import PASSWORD, Front, opened
from tests.review.screen_check import correct, has_every_field
from tests.unit.test_review_answers import doubtful

READ_SECONDS = 300.0
"""One page, on a machine with other work."""
NPI = "referring_provider_npi"
REFERRAL = DocumentType.REFERRAL
SCHEMAS = load_schemas(None)
NAMES = [each.name for each in SCHEMAS[REFERRAL].fields]


class SlipOfThePen(Registry):
    """People whose referring provider wrote one digit of the number wrong."""

    right = ""
    written = ""

    def provider(self, specialty: str) -> Provider:
        """The first one drawn refers; its check digit is wrong on the form."""
        drawn = super().provider(specialty)
        if not self.right:
            self.right = drawn.npi
            self.written = f"{drawn.npi[:-1]}{(int(drawn.npi[-1]) + 1) % 10}"
            return drawn._replace(npi=self.written)
        return drawn


def a_fax(folder: Path) -> tuple[Path, SlipOfThePen]:
    """One page of a referral, sent through a fax line."""
    people = SlipOfThePen(11)
    drawn = folder / "drawn.pdf"
    sheet = Sheet(drawn, people.random)
    forms.referral_cells(sheet, people, dt.date(2026, 11, 16), complete=True)
    sheet.save()
    target = folder / "fax.tif"
    fax(drawn, target, FINE, people.random)
    return target, people


@pytest.fixture
def settings(label_studio: Running, tmp_path: Path) -> Settings:
    """An appliance with a Label Studio of its own; on a copy of the database, which takes long."""
    data = tmp_path / "data"
    shutil.copytree(label_studio.folder / "label-studio", data / "review" / "label-studio")
    return Settings(
        data=data,
        read=ReadSettings(workers=1),
        review=review_settings(gate_port=0, poll_seconds=1),
    )


def test_a_dropped_fax_is_corrected_in_a_browser_and_delivered(
    settings: Settings, tmp_path: Path
) -> None:
    sent, people = a_fax(tmp_path)
    with Appliance(settings) as appliance:
        store = appliance.store
        secret = hashed(PASSWORD, name="rita", fewest=12)
        store.add_person("rita", Role.REVIEWER, secret, actor="test")
        shutil.copy(sent, settings.inbox_folder / "fax" / "fax.tif")
        with gate_of(settings, store, appliance.hint_reviews) as gate, browser() as window:
            assert gate is not None
            wait_until(lambda: bool(_in_review(store)), READ_SECONDS)
            (document_id,) = _in_review(store)
            wait_until(lambda: bool(store.live_reviews()), START_SECONDS)
            reviewer = Reviewer(window, gate.address.rstrip("/"))
            reviewer.come_in("rita", PASSWORD)
            reviewer.shot("1-queues")
            assert _open(reviewer, document_id)
            reviewer.shot("2-opened")
            has_every_field(reviewer, NAMES)
            correct(reviewer, NPI, people.written, people.right)
            reviewer.shot("3-corrected")
            reviewer.submit()
            assert reviewer.elsewhere == []
            wait_until(lambda: store.row(document_id).state is State.DELIVERED, 60)
        delivered = _delivered(settings.outbox_folder)
        (number,) = [each for each in delivered["fields"] if each["name"] == NPI]
        assert delivered["document_id"] == document_id
        assert (number["value"], number["source"]) == (people.right, "review")
        (reviewed,) = [e for e in store.events(document_id) if e.action == "reviewed"]
        assert reviewed.actor == "reviewer:rita"
        (answer,) = store.review_answers(document_id)
        assert (answer.reviewer, answer.outcome) == ("rita", "applied")
        assert answer.seconds
        (taught,) = store.corrected_documents()
        (said,) = [each for each in taught.corrections if each.name == NPI]
        assert taught.reviewer == "rita"
        assert (said.before, said.after) == (people.written, people.right)
        assert said.origin == "prediction-changed"


@pytest.fixture(scope="module")
def poorer(label_studio: Running) -> Iterator[Front]:
    """A queue whose screen lost a field."""
    whole = SCHEMAS[REFERRAL]
    fields = tuple(each for each in whole.fields if each.name != NPI)
    without = screen_of(whole.model_copy(update={"fields": fields}), schemas=SCHEMAS)
    place, folder = label_studio.place, label_studio.folder
    with opened(
        label_studio.settings,
        place,
        folder,
        kinds=[REFERRAL],
        screens={REFERRAL: without},
        mark="-poorer",
    ) as front:
        yield front


def test_the_same_check_fails_on_a_screen_that_lost_the_field(poorer: Front) -> None:
    found = doubtful(
        document_id="poorer",
        fields=(field(NPI, "1234567890", 0.5), field("patient_name", "Marisol Quillfeather")),
        missing=(),
        blanks=(),
    )
    poorer.put(found)
    with browser() as window:
        reviewer = Reviewer(window, poorer.url)
        reviewer.come_in("rita", PASSWORD)
        reviewer.open_queue(poorer.projects[REFERRAL])
        with pytest.raises(AssertionError, match=NPI):
            has_every_field(reviewer, NAMES)
        with pytest.raises(AssertionError, match=NPI):
            correct(reviewer, NPI, "1234567890", "1234567893")


def _in_review(store: Store) -> list[str]:
    return [row.id for row in store.recent(20) if row.state is State.REVIEW]


def _open(reviewer: Reviewer, document_id: str) -> bool:
    """Opens the queues that have something in them, as their names are clicked, up to its own."""
    reviewer.page.reload()
    queues = reviewer.page.locator(".queue:has-text('1 waiting') a.button").all()
    for href in [str(queue.get_attribute("href")) for queue in queues]:
        reviewer.open_queue(int(href.split("/")[2]))
        if reviewer.shown == document_id:  # other tests' documents may wait in this Label Studio
            return True
    return False


def _delivered(outbox: Path) -> dict[str, Any]:
    (path,) = outbox.glob("*/document.json")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
