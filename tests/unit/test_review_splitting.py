# SPDX-License-Identifier: Apache-2.0
"""The screen on which packets are cut, and what is understood of what people type there."""

from __future__ import annotations

import xml.etree.ElementTree as Xml
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.cutting import GivenCuts, Packet, PacketDocument, PacketPage, PageCut, group
from idp.document import Document, DocumentType
from idp.review.splitting import (
    GOES_ON,
    LEFT_OUT,
    cut_of,
    letters_of,
    splitting_screen,
    splitting_task,
)
from idp.schemas import load_schemas
from tests import fabricate
from tests.unit.test_review_screen import OWN

SCHEMAS = load_schemas()
SAYS = ("starts", "goes_on", "left_out")
REFERRAL, REQUEST = DocumentType.REFERRAL, DocumentType.PRIOR_AUTH_REQUEST


def drawn(*pages: int, part: str | None = None, **more: object) -> Document:
    return fabricate.document().model_copy(update={"pages": pages, "part": part, **more})


def packet(*documents: Document, fixed: tuple[int, ...] = (), pages: int = 4) -> Packet:
    return Packet(
        arrival_id="a1",
        sha256="0" * 64,
        pages=tuple(
            PacketPage(number=n, image_sha256="1" * 64, page_sha256=str(n) * 64)
            for n in range(1, pages + 1)
        ),
        documents=tuple(
            PacketDocument(document=each, fixed=place in fixed)
            for place, each in enumerate(documents)
        ),
    )


def task(of: Packet, **more: Any) -> dict[str, Any]:
    urls = [f"/data/local-files/?d=pages/a/p{n}.png" for n in range(1, len(of.pages) + 1)]
    return splitting_task(of.documents[0].document, of, SCHEMAS, page_urls=urls, **more)


def prefilled(of: Packet) -> dict[str, str]:
    results = task(of)["predictions"][0]["result"]
    return {each["from_name"]: each["value"]["text"][0] for each in results}


def typed(**letters: str) -> dict[str, Any]:
    return {
        "result": [
            {"from_name": name, "type": "textarea", "value": {"text": [letter]}}
            for name, letter in letters.items()
        ]
    }


def said(of: Packet, **letters: str) -> list[tuple[str, str | None]]:
    return [(each.says, each.type) for each in cut_of(typed(**letters), of, SCHEMAS).cuts.pages]


def test_each_page_is_prefilled_with_what_the_appliance_cut() -> None:
    cut = packet(drawn(1, 2), drawn(3, type=REQUEST))
    assert prefilled(cut) == {
        "page_0": "r", "page_1": "g", "page_2": "p", "page_3": "x", "note": "",
    }  # fmt: skip


def test_a_page_that_is_left_as_it_is_stays_as_it_was_cut() -> None:
    cut = packet(drawn(1, 2), drawn(3, type=DocumentType.OTHER, subtype="lab_result"))
    assert said(cut, **prefilled(cut)) == [
        ("starts", REFERRAL),
        ("goes_on", None),
        ("starts", DocumentType.OTHER),
        ("left_out", None),
    ]
    kept = cut_of(typed(**prefilled(cut)), cut, SCHEMAS)
    assert kept.cuts.pages[2].subtype == "lab_result"
    assert kept.problems == ()
    assert [each.page_sha256 for each in kept.cuts.pages] == [str(n) * 64 for n in range(1, 5)]


def test_letters_words_and_signs_are_understood() -> None:
    cut = packet(drawn(1, 2, 3, 4))
    assert said(cut, page_0="P", page_1=" x ", page_2="remittance eob", page_3="+") == [
        ("starts", REQUEST),
        ("left_out", None),
        ("starts", DocumentType.REMITTANCE_EOB),
        ("goes_on", None),
    ]


def test_what_is_not_understood_is_named_by_its_page_alone() -> None:
    cut = packet(drawn(1, 2, 3, 4))
    found = cut_of(typed(page_0="r", page_2="Marisol Quillfeather"), cut, SCHEMAS)
    assert found.problems == ("not_understood:3",)


def test_an_annotation_of_another_screen_says_nothing() -> None:
    cut = packet(drawn(1, 2, 3, 4))
    for result in (None, [], "text", [{"from_name": "page_x"}], [{"value": {"text": 3}}]):
        assert cut_of({"result": result}, cut, SCHEMAS).problems == ("nothing_came_back",)


def test_pages_that_have_left_are_closed() -> None:
    cut = packet(drawn(1, 2), drawn(3, 4, type=REQUEST), fixed=(0,))
    assert set(prefilled(cut)) == {"page_2", "page_3", "note"}
    assert said(cut, page_0="x", page_1="r", page_2="r", page_3="r")[:2] == [
        ("starts", REFERRAL),
        ("goes_on", None),
    ]
    heads = [each["head"] for each in task(cut)["data"]["sheets"]]
    assert ["has left" in head for head in heads] == [True, True, False, False]


def test_what_a_person_said_before_is_shown_again() -> None:
    cut = packet(drawn(1, 2, 3, 4))
    before = cut_of(typed(page_1="p", page_3="x"), cut, SCHEMAS).cuts
    again = cut.model_copy(update={"said": before})
    assert [prefilled(again)[f"page_{n}"] for n in range(4)] == ["r", "p", "g", "x"]
    assert "not understood" in task(again, came_back=True)["data"]["ui"]["summary"]


def test_hostile_names_of_attachments_are_nothing_but_letters() -> None:
    name = "<img src=x onerror=alert(1)>{{idx}}"
    cut = packet(drawn(1, part=name))
    pages = (PacketPage(part=name, number=1, image_sha256="1" * 64, page_sha256="2" * 64),)
    cut = cut.model_copy(update={"pages": (*cut.pages, *pages)})
    text = str(task(cut)["data"]["sheets"])
    assert "onerror=" not in text
    assert "{{" not in text


def test_every_type_has_a_letter_of_its_own() -> None:
    for schemas in (SCHEMAS, load_schemas(OWN)):
        letters = letters_of(schemas)
        assert sorted(letters.values()) == sorted(schemas)
        assert not {GOES_ON, LEFT_OUT} & set(letters)
        assert letters["r"] == REFERRAL, "an own type takes no letter that people know"


def test_the_screen_is_the_same_for_all_packets() -> None:
    root = Xml.fromstring(splitting_screen().config)
    (repeated,) = root.iter("Repeater")
    assert repeated.attrib == {"on": "$sheets", "indexFlag": "{{idx}}"}
    assert [each.attrib["name"] for each in root.iter("TextArea")] == ["page_{{idx}}", "note"]


def test_more_pages_than_addresses_are_refused() -> None:
    cut = packet(drawn(1, 2, 3, 4))
    with pytest.raises(ValueError, match="4 pages, 1 addresses"):
        splitting_task(cut.documents[0].document, cut, SCHEMAS, page_urls=["/p1.png"])


@given(
    st.lists(
        st.tuples(
            st.sampled_from([None, "a.pdf"]), st.sampled_from(["starts", "goes_on", "left_out"])
        ),
        max_size=12,
    ),
    st.sets(st.integers(1, 12)),
)
def test_every_open_page_is_in_one_document_or_left_out(
    given_: list[tuple[str | None, str]], closed: set[int]
) -> None:
    ordered = sorted(given_, key=lambda each: each[0] or "")
    cuts = GivenCuts.model_validate(
        {
            "schema": "idp.cuts/1",
            "arrival_id": "a",
            "sha256": "0",
            "pages": [
                PageCut(part=part, number=n, says=says)  # type: ignore[arg-type]
                for n, (part, says) in enumerate(ordered, 1)
            ],
        }
    )
    taken = {(each.part, each.number) for each in cuts.pages if each.number in closed}
    groups = group(cuts, taken)
    inside = [each for own in groups for each in own]
    wanted = [
        each
        for each in cuts.pages
        if each.says != "left_out" and (each.part, each.number) not in taken
    ]
    assert inside == wanted
    assert all(len({each.part for each in own}) == 1 for own in groups)
    assert all(each.says == "goes_on" for own in groups for each in own[1:])
