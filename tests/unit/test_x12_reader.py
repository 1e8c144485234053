# SPDX-License-Identifier: Apache-2.0
"""X12 interchanges: what is read, what is refused, and at which segment."""

from __future__ import annotations

import random
import string
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idp.errors import BrokenInterchangeError, TooLargeError, UnsupportedFileError
from idp.ingest.formats import media_type_of
from idp.ingest.opened import TEXT, X12
from idp.ingest.x12_reader import MOST_ELEMENT_CHARACTERS, transaction_sets
from idp.x12 import TransactionSet
from tests import x12

TWO = x12.remittance(random.Random(1), 2)


def read(data: bytes) -> list[TransactionSet]:
    return list(transaction_sets(data))


def refused(data: bytes) -> str:
    with pytest.raises(BrokenInterchangeError) as caught:
        read(data)
    return caught.value.message


def segments(found: TransactionSet) -> list[tuple[str, ...]]:
    return [segment.elements for segment in found.segments]


@pytest.mark.parametrize("by", x12.OTHERS)
def test_any_separators_are_taken_from_the_header(by: x12.Separators) -> None:
    (found,) = read(x12.whole("835", TWO.body(), by=by))
    (plain,) = read(x12.whole("835", TWO.body()))
    assert found.component_separator == by.component
    assert found.repetition_separator == by.repetition
    assert [
        tuple(e.replace(by.component, ":") for e in each) for each in segments(found)
    ] == segments(plain)


def test_a_set_carries_what_its_envelope_says() -> None:
    (found,) = read(x12.whole("835", TWO.body(), control="77"))
    assert (found.kind, found.version, found.control_number) == ("835", "005010X221A1", "0001")
    assert (found.sender, found.receiver) == ("SENDER", "US")
    assert found.interchange_control_number == "000000077"
    assert [s.number for s in found.segments] == list(range(3, 3 + len(found.segments)))


def test_several_interchanges_and_groups_of_other_separators_are_read_in_order() -> None:
    sets = [x12.transaction("999", f"{n:04d}", x12.acknowledgment()) for n in (1, 2)]
    two_groups = [x12.group("999", [each], str(n)) for n, each in enumerate(sets, start=1)]
    data = (
        x12.interchange(two_groups, "1")
        + x12.whole("835", TWO.body(), control="2", by=x12.OTHERS[3])
        + x12.whole("271", x12.eligibility([("A", "1")]), control="3", by=x12.OTHERS[5])
    )
    found = read(data)
    assert [each.kind for each in found] == ["999", "999", "835", "271"]
    numbers = [s.number for each in found for s in each.segments]
    assert numbers == sorted(set(numbers))


def test_acknowledgments_of_interchanges_are_a_set_of_their_own() -> None:
    ta1 = x12.isa("5") + "TA1*000000001*261122*1430*A*000~IEA*0*000000005~"
    (found,) = read(ta1.encode())
    assert (found.kind, found.segments[0][4]) == ("TA1", "A")


@pytest.mark.parametrize("around", [b"\xef\xbb\xbf", b"\r\n \t", b"\n"])
def test_what_is_before_the_first_header_is_skipped_when_it_is_blank(around: bytes) -> None:
    data = around + x12.whole("835", TWO.body())
    assert len(read(data)) == 1
    assert media_type_of(data[:4096]) == X12


@pytest.mark.parametrize("after", [b"\r\n", b"\x1a", b"\x00\x00\x00", b"  \n"])
def test_padding_after_the_end_is_skipped(after: bytes) -> None:
    assert len(read(x12.whole("835", TWO.body()) + after)) == 1


def test_lines_of_a_fixed_length_are_joined() -> None:
    text = x12.whole("835", TWO.body(), by=x12.OTHERS[1]).decode()
    wrapped = "\r\n".join(text[at : at + 80] for at in range(0, len(text), 80))
    assert read(wrapped.encode()) == read(text.encode())


def test_the_last_terminator_may_be_missing() -> None:
    text = x12.whole("835", TWO.body()).decode().rstrip("\n").removesuffix("~")
    assert len(read(text.encode())) == 1


def test_text_is_utf_8_or_else_latin_1() -> None:
    text = x12.whole("835", [("N1", "PR", "MÜNCHNER KASSE")]).decode()
    for coding in ("utf-8", "latin-1"):
        (found,) = read(text.encode(coding))
        assert found.segments[1][2] == "MÜNCHNER KASSE"


WHOLE = x12.whole("835", TWO.body()).decode()
COUNT = len(TWO.body()) + 2
LAST = COUNT + 4


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (WHOLE.replace(f"SE*{COUNT}*", "SE*7*"), f"segment {COUNT + 2} SE: says 7"),
        (WHOLE.replace(f"SE*{COUNT}*0001", f"SE*{COUNT}*0002"), f"segment {COUNT + 2} SE: names"),
        (WHOLE.replace("GE*1*1", "GE*2*1"), f"segment {LAST - 1} GE: says 2"),
        (WHOLE.replace("GE*1*1", "GE*1*9"), f"segment {LAST - 1} GE: has another control"),
        (WHOLE.replace("IEA*1*", "IEA*2*"), f"segment {LAST} IEA: says 2"),
        (WHOLE.replace("IEA*1*000000001", "IEA*1*000000009"), f"segment {LAST} IEA: has another"),
        (WHOLE.replace("SE*", "XSE*"), f"segment {LAST - 1} GE: stands inside"),
        (WHOLE.replace("ST*835*0001~\n", ""), "segment 3 BPR: stands where ST or GE"),
        (WHOLE.replace("ST*835*0001~", "ST*835~"), "segment 3 ST: names no kind"),
        (WHOLE.replace("TRN*", "*"), "segment 5: does not begin with a segment id"),
        (WHOLE.replace("TRN*", "~TRN*"), "segment 5: does not begin with a segment id"),
        (WHOLE.replace("TRN*", "TRN*\x07"), "segment 5 TRN: holds a control character"),
        (WHOLE.replace("TRN*", "TRN*" + "9" * (MOST_ELEMENT_CHARACTERS + 1)), "segment 5 TRN: has"),
        (WHOLE.replace("TRN*", "TRN" + "*" * 500), "segment 5 TRN: has more than"),
        (WHOLE.replace("*00*          *00", "*00*         *00", 1), "segment 1 ISA: its 16"),
        (WHOLE[:90], "segment 1 ISA: cut off after 90"),
        (WHOLE[: len(WHOLE) // 2], "segment 1 ISA: the file ends before"),
        (WHOLE + WHOLE, f"segment {LAST + 1} ISA: repeats the control number"),
        (WHOLE + "hello", f"segment {LAST + 1}: text outside of any interchange"),
        (WHOLE.replace("*:~", "*A~", 1), "segment 1 ISA: its separators"),
        (WHOLE.replace("*:~", "***", 1), "segment 1 ISA: its"),
        (x12.isa("1") + "IEA*0*000000001~", "segment 2 IEA: ends an interchange with nothing"),
        (x12.isa("1") + "SE*1*1~", "segment 2 SE: stands where GS or IEA"),
        (x12.isa("1") + "GE*1*1~", "segment 2 GE: stands where GS or IEA"),
    ],
)
def test_a_broken_interchange_is_refused_at_its_segment(data: str, message: str) -> None:
    assert refused(data.encode("latin-1")).startswith(message)


def test_a_set_that_comes_twice_in_its_group_is_refused() -> None:
    once = x12.transaction("835", "0001", TWO.body())
    message = refused(x12.interchange([x12.group("835", [once, once])]))
    assert (
        message
        == f"segment {COUNT + 3} ST: repeats the control number of a set of its group (ST02)"
    )


def test_a_set_of_more_segments_than_allowed_is_refused_while_it_is_read() -> None:
    assert len(list(transaction_sets(WHOLE.encode(), COUNT))) == 1
    with pytest.raises(TooLargeError, match=r"segment 3 has more .*ingest\.max_pages"):
        list(transaction_sets(WHOLE.encode(), COUNT - 1))


def test_messages_name_no_values() -> None:
    secret = "QUILLFEATHER"
    data = WHOLE.replace("TRN*", f"{secret}*").encode("latin-1")
    assert secret not in refused(data)


@pytest.mark.parametrize("head", [b"ISABELLA was here", b"ISA is a word"])
def test_words_that_begin_alike_are_text(head: bytes) -> None:
    assert media_type_of(head) == TEXT


@pytest.mark.parametrize("head", [b"ISA", b"ISA, b, c\n", b""])
def test_what_is_neither_interchange_nor_text_is_refused(head: bytes) -> None:
    with pytest.raises(UnsupportedFileError):
        media_type_of(head)


ELEMENT = st.text(string.ascii_uppercase + string.digits + " .,-'/áÑ", max_size=12)
BODIES = st.lists(
    st.lists(ELEMENT, min_size=1, max_size=8).map(lambda e: ("REF", *e)), min_size=1, max_size=8
)


@settings(max_examples=150, deadline=None)
@given(
    sets=st.lists(BODIES, min_size=1, max_size=3),
    by=st.sampled_from(
        [replace(by, terminator="~") if by.terminator == "'" else by for by in x12.OTHERS]
    ),
)
def test_what_was_written_is_read_again(
    sets: list[list[tuple[str, ...]]], by: x12.Separators
) -> None:
    whole = [x12.transaction("835", f"{n:04d}", body) for n, body in enumerate(sets, start=1)]
    found = read(x12.interchange([x12.group("835", whole)], by=by))
    assert [segments(each) for each in found] == whole


@settings(max_examples=300, deadline=None)
@given(data=st.binary(max_size=300), cut=st.integers(0, 400))
def test_any_bytes_are_read_or_refused(data: bytes, cut: int) -> None:
    for whole in (data, WHOLE.encode()[:cut] + data + WHOLE.encode()[cut:]):
        try:
            read(whole)
        except BrokenInterchangeError as error:
            assert error.message
