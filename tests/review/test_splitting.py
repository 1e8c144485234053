# SPDX-License-Identifier: Apache-2.0
"""A packet that is cut wrongly: said in its screen, cut by hand, read again, delivered as it is."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageSequence

import idp.pipeline
from idp.appliance import Appliance
from idp.classify import Segment
from idp.document import Document, DocumentType, Page
from idp.review.screens import screen_of
from idp.reviewing import Outcome
from idp.samples import Sample, samples
from idp.settings import (
    ChannelSettings,
    IngestSettings,
    ReadSettings,
    ServeSettings,
    Settings,
)
from idp.store import State
from tests.review.conftest import Running
from tests.review.office import Office, choice

REQUEST, REFERRAL = DocumentType.PRIOR_AUTH_REQUEST, DocumentType.REFERRAL
NAMES = ("01-referral.tif", "10-lab-result.tif", "03-prior-auth-request.tif")
COVER = "09-cover-and-referral.tif"
SECONDS = 300.0


def until(done: Callable[[], bool], seconds: float = SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.3)


def in_one(pages: Sequence[Page], *_: object, **__: object) -> tuple[Segment, ...]:
    """The splitter on a bad day: everything is one referral, and it is sure of that."""
    numbers = tuple(page.number for page in pages)
    return (Segment(type=REFERRAL, type_confidence=0.99, subtype=None, pages=numbers),)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Sample]:
    folder = tmp_path_factory.mktemp("samples")
    return {each.path.name: each for each in samples(folder, names={*NAMES, COVER})}


@pytest.fixture(scope="module")
def fax(made: Mapping[str, Sample]) -> Path:
    """A referral, its lab result, a request, and the cover sheet of somebody else."""
    sheets = []
    for name in (*NAMES, COVER):
        with Image.open(made[name].path) as opened:
            dpi = opened.info["dpi"]
            sheets.append(next(iter(ImageSequence.Iterator(opened))).convert("1"))
    target = made[COVER].path.with_name("stack.tif")
    sheets[0].save(target, compression="group4", dpi=dpi, save_all=True, append_images=sheets[1:])
    return target


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        data=tmp_path / "data",
        serve=ServeSettings(port=0),
        read=ReadSettings(workers=1),
        ingest=IngestSettings(channels={"fax": ChannelSettings(settle_seconds=0.2)}),
    )


@pytest.fixture
def office(label_studio: Running, settings: Settings) -> Iterator[Office]:
    place = label_studio.place
    opened = Office(settings.data, lambda: place.url, place.token, real_screen=True)
    screen = screen_of(opened.schemas[REQUEST])
    opened.projects[REQUEST] = opened.new_project("Requests", screen)
    yield opened
    opened.store.close()


def said_of_pages(*letters: str) -> list[dict[str, Any]]:
    return [
        {
            "id": f"page_{place}",
            "from_name": f"page_{place}",
            "to_name": "packet",
            "type": "textarea",
            "value": {"text": [letter]},
        }
        for place, letter in enumerate(letters)
    ]


def confirm(office: Office, document_id: str) -> None:
    """A reviewer finds everything right."""
    shown = office.shown(document_id)
    office.submit(document_id, *shown["predictions"][0]["result"])


def found_of(document: Document, sample: Sample) -> float:
    """The share of what is written on a sample that the document has."""
    found = {(field.name, field.value) for field in document.fields}
    written = [(name, value) for name, values in sample.truth.items() for value in values]
    return sum(pair in found for pair in written) / len(written)


def test_a_stack_cut_wrongly_is_cut_by_hand_and_delivered_as_two_documents(
    office: Office,
    settings: Settings,
    fax: Path,
    made: Mapping[str, Sample],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = office.store
    with Appliance(settings) as appliance:
        with monkeypatch.context() as patch:
            patch.setattr(idp.pipeline, "split", in_one)
            (settings.inbox_folder / "fax" / "stack.tif").write_bytes(fax.read_bytes())
            until(lambda: store.counts()[State.REVIEW] == 1)
        (whole,) = store.recent()
        assert whole.pages == (1, 2, 3, 4)

        office.settle()
        office.submit(whole.id, choice("cut", "several documents in one"))
        office.settle()
        shown = office.shown(whole.id)
        assert shown["project"] == office.projects["splitting"]
        assert len(shown["data"]["sheets"]) == 4
        prefilled = [each["value"]["text"] for each in shown["predictions"][0]["result"]]
        assert prefilled[:4] == [["r"], ["g"], ["g"], ["g"]]
        seen = settings.review_folder / "pages" / whole.id
        assert sorted(each.name for each in seen.iterdir()) == [f"p{n}.png" for n in (1, 2, 3, 4)]
        assert seen.joinpath("p4.png").samefile(store.page_image(whole.id, 4))

        office.submit(whole.id, *said_of_pages("r", "g", "zz", "x"))
        office.settle()
        again = office.shown(whole.id)
        assert "not understood" in again["data"]["ui"]["summary"]
        prefilled = [each["value"]["text"] for each in again["predictions"][0]["result"]]
        assert prefilled[:4] == [["r"], ["g"], ["g"], ["x"]], "what was understood is kept"

        office.submit(whole.id, *said_of_pages("r", "g", "p", "x"))
        office.settle()
        until(lambda: store.counts()[State.REVIEW] == 2)
        outcomes = [each.outcome for each in store.review_answers(whole.id)]
        assert outcomes == [Outcome.WRONG_CUT, Outcome.CUT_UNCLEAR, Outcome.RECUT]
        first, second = sorted(store.recent(), key=lambda row: row.ordinal)
        assert first.id == whole.id
        assert (first.type, first.pages) == (REFERRAL, (1, 2))
        assert (second.type, second.pages) == (REQUEST, (3,))
        for row, name in ((first, NAMES[0]), (second, NAMES[2])):
            document = store.document(row.id)
            assert document is not None
            assert (document.type_confidence, document.cut_confidence) == (1.0, 1.0)
            assert found_of(document, made[name]) >= 0.6
        taken = store.document(second.id)
        assert taken is not None
        assert taken.set_aside == (4,)

        for _ in range(3):  # twice where a rule contradicts what the page says
            office.settle()
            for row in (first, second):
                if office.state(row.id) is State.REVIEW:
                    confirm(office, row.id)
        office.settle()
        ended = {State.DELIVERED, State.INCOMPLETE}
        until(lambda: {office.state(first.id), office.state(second.id)} <= ended)
        assert appliance.problems() == ()
    delivered = [
        json.loads(path.read_text()) for path in settings.outbox_folder.glob("**/document.json")
    ]
    assert sorted((each["type"], each["pages"]) for each in delivered) == [
        (REQUEST, [3]),
        (REFERRAL, [1, 2]),
    ]
    assert office.tasks() == {}
    assert office.pages.shown() == ()
    assert store.verify_events() is None
    ((row, cuts),) = store.given_cuts()
    assert (row.reviewer, row.pages, row.documents) == ("appliance@idp.invalid", 4, 2)
    assert [each.says for each in cuts.pages] == ["starts", "goes_on", "starts", "left_out"]
    assert all(store.content.has(each.page_sha256 or "") for each in cuts.pages)
