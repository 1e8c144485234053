# SPDX-License-Identifier: Apache-2.0
"""What a row says, as a hash, and what of it is written once its record is there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from idp.deliver.odoo.parcel import Content, Find, Link, Parcel, Row
from idp.deliver.odoo.pushing import Item, content_sha256
from idp.handover import Handover

ROW = Row(
    "document",
    "ir.attachment",
    {
        "name": "a.pdf",
        "datas": Content(Path("a"), "aa", 3),
        "res_id": Link("work"),
        "tag_ids": (Find("project.tags", (("name", "=", "x"),)),),
    },
    kept=frozenset({"res_id"}),
)
KNOWN = Handover("s", "__idp__.document_1", "d", "document", "ir.attachment")


def test_the_hash_is_of_what_is_said_wherever_the_file_lies() -> None:
    elsewhere = {**ROW.cells, "datas": Content(Path("b"), "aa", 3)}
    assert content_sha256(replace(ROW, cells=elsewhere)) == content_sha256(ROW)


def test_any_cell_changes_it() -> None:
    others = (
        {"name": "b.pdf"},
        {"datas": Content(Path("a"), "ab", 3)},
        {"res_id": Link("other")},
        {"tag_ids": ()},
    )
    hashes = {content_sha256(replace(ROW, cells={**ROW.cells, **other})) for other in others}
    assert len(hashes | {content_sha256(ROW)}) == 5


def test_columns_that_are_peoples_by_then_are_left_out_once_it_is_there() -> None:
    item = Item(ROW, "__idp__.document_1", "h")
    assert item.links == ["work"]
    item.there = True
    assert set(item.cells) == {"name", "datas", "tag_ids"}
    assert item.links == []


def test_the_ledger_hears_of_bytes_only_once_they_were_compared() -> None:
    item = Item(ROW, "__idp__.document_1", "h", record_id=7, write=False, written=True)
    item.proven = False
    told = item.outcome(KNOWN)
    assert told is not None
    assert (told.record_id, told.content_sha256) == (7, None)
    item.proven = True
    told = item.outcome(KNOWN)
    assert told is not None
    assert told.content_sha256 == "h"


def test_nothing_new_is_nothing_to_tell() -> None:
    known = replace(KNOWN, record_id=7, content_sha256="h")
    item = Item(ROW, "__idp__.document_1", "h", known=known, record_id=7, write=False)
    assert item.outcome(KNOWN) is None


def test_an_external_id_is_the_same_for_each_version_and_no_modules() -> None:
    ids = {Parcel("d", f"k{version}", version, ()).external_id("work") for version in (1, 2)}
    assert len(ids) == 1
    assert ids.pop().startswith("__idp__.work_")
