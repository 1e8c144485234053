# SPDX-License-Identifier: Apache-2.0
"""Packets that people cut by hand judge and teach the splitter."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from idp.document import Page
from idp.schemas import load_schemas
from training.stacks.fit import examples, seen_documents
from training.stacks.given import given_stacks
from training.stacks.measure import count
from training.synthesise import make_one

SAYS = ("starts", "left_out", "starts", "goes_on", "starts")


@pytest.fixture(scope="module")
def share(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A packet of two parts; the third document is of the second one."""
    folder = tmp_path_factory.mktemp("corrected") / "train"
    (folder / "cuts" / "pages").mkdir(parents=True)
    pages = [make_one("referral", "train", n, 3).pages[0].page for n in range(len(SAYS))]
    said = [
        {"page": n, "part": int(n == 5), "says": says, "type": "referral", "subtype": None}
        for n, says in enumerate(SAYS, 1)
    ]
    (folder / "cuts" / "p-1.json").write_text(json.dumps({"pages": said}))
    content = TypeAdapter(list[Page]).dump_json(pages)
    (folder / "cuts" / "pages" / "p-1.json").write_bytes(content)
    return folder


def test_each_part_of_a_packet_is_a_stack_cut_as_the_person_said(share: Path) -> None:
    first, second = given_stacks(share)
    assert first.documents == ((1,), (3, 4))
    assert first.firsts == {3}
    assert [page.number for page in first.pages] == [1, 2, 3, 4]
    assert second.documents == ((1,),)


def test_they_are_measured_and_taught_like_generated_stacks(share: Path) -> None:
    schemas = load_schemas()
    tally = count(given_stacks(share), schemas, lambda segment, pages: False)
    assert (tally.stacks, tally.documents) == (2, 3)
    truths = [begins for _, begins in examples(seen_documents(given_stacks(share), schemas))]
    assert truths == [True, False], "the first page of each stack is no question"


def test_a_share_without_packets_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no packets"):
        list(given_stacks(tmp_path))
