# SPDX-License-Identifier: Apache-2.0
"""Which files of a drop folder belong together, told by names and first bytes alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.ingest.inbox_groups import bind, is_document, users


def bound(*names, sidecars="optional", done="", own=()):
    return bind(
        [Path(name) for name in names],
        sidecars=sidecars,
        done_suffix=done,
        is_own=lambda path: str(path) in own,
    )


def pairs(found):
    return {
        str(group.document): str(group.sidecar) if group.sidecar else None for group in found.groups
    }


@pytest.mark.parametrize(
    ("document", "sidecar"),
    [
        ("fax.tif", "fax.xml"),
        ("fax.tif", "fax.json"),
        ("fax.tif", "fax.txt"),
        ("fax.tif", "fax.tif.xml"),
        ("FAX.TIF", "fax.xml"),
        ("fax.tif", "FAX.TIF.JSON"),
        ("fax000000012.tif", "fax000000012.txt"),
        ("clinic/fax.tif", "clinic/fax.xml"),
        ("fax", "fax.xml"),
        ("a.b.tif", "a.b.xml"),
        ("📠\n.tif", "📠\n.xml"),
    ],
)
def test_a_sidecar_is_bound_to_the_document_of_its_name(document, sidecar):
    assert pairs(bound(document, sidecar)) == {document: sidecar}


@pytest.mark.parametrize(
    "other", ["fax2.xml", "fa.xml", "clinic/fax.xml", "fax.html", "fax.tif.bak", "xfax.txt"]
)
def test_other_names_are_not(other):
    assert pairs(bound("fax.tif", other))["fax.tif"] is None


def test_without_sidecars_every_file_is_a_document():
    assert pairs(bound("fax.tif", "fax.xml", sidecars="none")) == {"fax.tif": None, "fax.xml": None}


def test_a_document_of_its_own_is_no_sidecar_although_the_names_match():
    found = bound("fax.tif", "fax.txt", own={"fax.txt"})
    assert pairs(found) == {"fax.tif": None, "fax.txt": None}


def test_a_remittance_named_txt_may_have_a_sidecar_itself():
    assert pairs(bound("835.txt", "835.xml", own={"835.txt"})) == {"835.txt": "835.xml"}


def test_of_several_sidecars_the_closest_name_and_the_most_structure_is_bound():
    found = bound("fax.tif", "fax.txt", "fax.json", "fax.xml")
    assert pairs(found) == {"fax.tif": "fax.xml"}
    assert [str(group.document) for group in found.waiting] == ["fax.json", "fax.txt"]
    assert pairs(bound("fax.tif", "fax.xml", "fax.tif.txt")) == {"fax.tif": "fax.tif.txt"}
    assert pairs(bound("fax.tif", "FAX.xml", "fax.json")) == {"fax.tif": "fax.json"}


def test_two_documents_of_one_stem_share_what_is_named_after_the_stem():
    found = bound("a.tif", "a.pdf", "a.xml", "a.done", done=".done")
    assert pairs(found) == {"a.pdf": "a.xml", "a.tif": "a.xml"}
    assert users(found.groups) == {Path("a.xml"): 2, Path("a.done"): 2}


def test_two_documents_of_one_stem_keep_what_has_their_whole_name():
    found = bound("a.tif", "a.pdf", "a.xml", "a.tif.json")
    assert pairs(found) == {"a.pdf": "a.xml", "a.tif": "a.tif.json"}


def test_documents_that_differ_in_case_get_the_sidecar_of_their_own_case():
    assert pairs(bound("a.tif", "A.tif", "a.xml", "A.xml")) == {"a.tif": "a.xml", "A.tif": "A.xml"}


def test_a_sidecar_without_its_document_waits():
    found = bound("fax.xml")
    assert found.groups == ()
    assert [str(group.document) for group in found.waiting] == ["fax.xml"]


@pytest.mark.parametrize("done", ["fax.tif.done", "fax.done", "FAX.DONE"])
def test_a_done_file_announces_its_document(done):
    (group,) = bound("fax.tif", done, done=".done").groups
    assert group.announced
    assert group.done == (Path(done),)


def test_without_its_done_file_a_document_is_not_announced():
    (group,) = bound("fax.tif", "other.done", done=".done").groups
    assert not group.announced
    assert group.done == ()


def test_the_done_file_of_a_sidecar_goes_with_it_and_announces_nothing_else():
    (group,) = bound("fax.tif", "fax.xml", "fax.xml.done", done=".done").groups
    assert group.companions == (Path("fax.xml"), Path("fax.xml.done"))
    assert not group.announced


def test_a_done_file_of_nothing_is_told_apart():
    assert bound("fax.done", done=".done").unclaimed == (Path("fax.done"),)


def test_a_file_whose_whole_name_is_the_suffix_is_a_document():
    assert pairs(bound("done", done=".done")) == {"done": None}


@pytest.mark.parametrize(
    "head",
    [
        b"ISA*00*          *00*",
        b"\xef\xbb\xbfISA*00*",
        b"\r\nISA|00|",
        b"%PDF-1.7\n",
        b"II*\x00\x08\x00\x00\x00",
        b"Return-Path: <a@example.org>\r\nFrom: a@example.org\r\n\r\nhello",
        b"From: a@example.org\nMIME-Version: 1.0\n\nhello",
        b"From a@example.org Mon Jan  1 00:00:00 2024\nSubject: x\n\n",
    ],
)
def test_interchanges_mails_and_binary_formats_are_documents_whatever_their_name(head):
    assert is_document(head)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"<?xml version='1.0'?><fax><from>+15550100</from></fax>",
        b'{"from": "+15550100", "pages": 3}',
        b"From: +15550100\nTo: +15550101\nDate: 2026-01-02\nPages: 3\n",
        b"ISABEL QUIMBY 3 pages",
        b"From +15550100 to +15550101, 3 pages",
        b"pages=3\n\nMessage-ID: in the text, not in a header\n",
    ],
)
def test_notes_of_fax_servers_are_not(head):
    assert not is_document(head)


_names = st.lists(
    st.builds(
        "{}{}{}".format,
        st.sampled_from(["a", "A", "b", "sub/a", "a.tif", "B.x"]),
        st.sampled_from(["", ".tif", ".pdf", ".xml", ".json", ".txt", ".TXT"]),
        st.sampled_from(["", ".done", ".xml", ".DONE"]),
    ),
    unique=True,
    max_size=14,
)


@given(_names, st.sampled_from(["none", "optional", "required"]), st.sampled_from(["", ".done"]))
def test_every_file_has_its_place_and_none_has_two(names, sidecars, done):
    found = bound(*names, sidecars=sidecars, done=done)
    every = (*found.groups, *found.waiting)
    documents = [group.document for group in every]
    assert len(documents) == len(set(documents))
    companions = {path for group in every for path in group.companions}
    assert not companions & set(documents)
    assert not companions & set(found.unclaimed)
    assert {*documents, *companions, *found.unclaimed} == {Path(name) for name in names}
