# SPDX-License-Identifier: Apache-2.0
"""Reads ASC X12 interchanges, strictly, and says at which segment one is broken.

What is held against the standard (X12.5 interchange control structures, X12.6 application control
structures): the ISA segment's fixed length and its separators, the nesting of ISA/GS/ST and
SE/GE/IEA, their control numbers and counts, the shape of segments. What a transaction set says is
not judged here.

A file is read whole or not at all: what is broken comes again, whole, and would be paid twice if
half of it had been taken. ``docs/arrival/x12.md`` says what is tolerated and why.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from idp.errors import BrokenInterchangeError, TooLargeError
from idp.x12 import TransactionSet, X12Segment

VERSION = "x12-1"
"""Of the reader and its mapping; changes whenever the same file may give other values."""

MOST_SEGMENTS = 2_000_000
MOST_ELEMENTS = 400
"""Of one segment. No X12 segment is defined with more than a tenth of it."""
MOST_ELEMENT_CHARACTERS = 32_000
ACKNOWLEDGMENT = "TA1"

_ISA_CHARACTERS = 106
_ISA_SEPARATORS = (3, 6, 17, 20, 31, 34, 50, 53, 69, 76, 81, 83, 89, 99, 101, 103)
_SEGMENT_ID = re.compile(r"[A-Z][A-Z0-9]{1,2}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LAYOUT = " \t\r\n"
_PADDING = _LAYOUT + "\x00\x1a"
_FIRST_REPETITION = "00402"
"""The first version whose ISA11 is the repetition separator; before, it names a standard."""


class _Separators(NamedTuple):
    element: str
    component: str
    repetition: str
    terminator: str


class _Interchange:
    """What is open while the segments go by."""

    def __init__(self, isa: X12Segment, separators: _Separators) -> None:
        self.isa = isa
        self.separators = separators
        self.sender, self.receiver = isa[6].strip(), isa[8].strip()
        self.control_number = isa[13]
        self.acknowledgments: list[X12Segment] = []
        self.groups: set[str] = set()
        self.gs: X12Segment | None = None
        self.sets: set[str] = set()
        self.segments: list[X12Segment] = []

    def finished(
        self, kind: str, version: str, control_number: str, segments: tuple[X12Segment, ...]
    ) -> TransactionSet:
        return TransactionSet(
            kind=kind,
            version=version,
            control_number=control_number,
            sender=self.sender,
            receiver=self.receiver,
            interchange_control_number=self.control_number,
            component_separator=self.separators.component,
            repetition_separator=self.separators.repetition,
            segments=segments,
        )


def transaction_sets(data: bytes, most_in_set: int = MOST_SEGMENTS) -> Iterator[TransactionSet]:
    """The transaction sets of all interchanges in a file, in order.

    What comes before the fault is handed out before a broken interchange is told: take none of it
    unless the iteration ends.

    Raises:
        BrokenInterchangeError: the bytes contradict the standard; names the segment.
        TooLargeError: more than :data:`MOST_SEGMENTS` segments, or ``most_in_set`` of one set.
    """
    scanner = _Scanner(_text(data))
    seen: set[tuple[str, str, str]] = set()
    while scanner.more():
        isa, separators = scanner.isa()
        interchange = _Interchange(isa, separators)
        key = (interchange.sender, interchange.receiver, interchange.control_number)
        if key in seen:
            raise _broken(isa, "repeats the control number of an interchange before it (ISA13)")
        seen.add(key)
        yield from _sets_of(interchange, scanner, most_in_set)
    if not seen:
        raise BrokenInterchangeError("the file holds no interchange")


def _text(data: bytes) -> str:
    """UTF-8 where it is, else Latin-1, in which any byte is a character."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _broken(segment: X12Segment, what: str) -> BrokenInterchangeError:
    return BrokenInterchangeError(f"segment {segment.number} {segment.id}: {what}")


class _Scanner:
    """Cuts the text into segments; each interchange by its own separators."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._number = 0
        self._separators: _Separators | None = None

    def more(self) -> bool:
        """Whether anything but padding is left between interchanges."""
        while self._at < len(self._text) and self._text[self._at] in _PADDING:
            self._at += 1
        return self._at < len(self._text)

    def isa(self) -> tuple[X12Segment, _Separators]:
        """The interchange header that must stand here."""
        self._count()
        at = self._at
        if not self._text.startswith("ISA", at):
            raise BrokenInterchangeError(
                f"segment {self._number}: text outside of any interchange (no ISA)"
            )
        head = self._text[at : at + _ISA_CHARACTERS]
        if set("\r\n") & set(head[:-1]):
            # Lines of a fixed length, as mainframes send: line ends are no part of the data.
            self._text = self._text[at:].replace("\r", "").replace("\n", "")
            self._at = at = 0
            head = self._text[:_ISA_CHARACTERS]
        if len(head) < _ISA_CHARACTERS:
            raise BrokenInterchangeError(
                f"segment {self._number} ISA: cut off after {len(head)} of {_ISA_CHARACTERS} "
                "characters"
            )
        separators = self._separators_of(head)
        self._separators = separators
        self._at = at + _ISA_CHARACTERS
        elements = tuple(head[:-1].split(separators.element))
        return X12Segment(number=self._number, elements=elements), separators

    def _separators_of(self, head: str) -> _Separators:
        element = head[3]
        if [at for at, c in enumerate(head[:-1]) if c == element] != list(_ISA_SEPARATORS):
            raise BrokenInterchangeError(
                f"segment {self._number} ISA: its 16 elements have not the fixed lengths of the "
                "standard (106 characters in all)"
            )
        component, terminator, eleven = head[104], head[105], head[82]
        none = head[84:89] < _FIRST_REPETITION or eleven.isalnum() or eleven == " "
        repetition = "" if none else eleven
        chosen = [c for c in (element, component, terminator, repetition) if c]
        if len(set(chosen)) < len(chosen) or any(c.isalnum() or c == " " for c in chosen):
            raise BrokenInterchangeError(
                f"segment {self._number} ISA: its separators are no separators, or not distinct"
            )
        return _Separators(element, component, repetition, terminator)

    def segment(self) -> X12Segment | None:
        """The next segment of the interchange; none at the end of the text."""
        assert self._separators is not None
        by = self._separators
        while True:
            end = self._text.find(by.terminator, self._at)
            last = end < 0
            raw = self._text[self._at :] if last else self._text[self._at : end]
            self._at = len(self._text) if last else end + 1
            if by.terminator not in _LAYOUT:
                raw = raw.replace("\r", "").replace("\n", "")
            # Blanks and line ends between segments are layout; a last segment may lack its end.
            raw = raw.lstrip(" \t" if by.element != "\t" else " ").strip("\r\n")
            if last:
                raw = raw.rstrip(_PADDING)
                if not raw:
                    return None
            elif not raw and by.terminator in _LAYOUT:
                continue  # an empty line
            return self._shaped(raw, by)

    def _shaped(self, raw: str, by: _Separators) -> X12Segment:
        self._count()
        elements = tuple(raw.split(by.element))
        if not _SEGMENT_ID.fullmatch(elements[0]):
            raise BrokenInterchangeError(
                f"segment {self._number}: does not begin with a segment id"
            )
        segment = X12Segment(number=self._number, elements=elements)
        if len(elements) > MOST_ELEMENTS:
            raise _broken(segment, f"has more than {MOST_ELEMENTS} elements")
        if len(raw) > MOST_ELEMENT_CHARACTERS and (
            max(len(e) for e in elements) > MOST_ELEMENT_CHARACTERS
        ):
            raise _broken(segment, f"has an element of over {MOST_ELEMENT_CHARACTERS} characters")
        allowed = {by.component, by.repetition}
        if any(c not in allowed for c in _CONTROL.findall(raw.replace(by.element, ""))):
            raise _broken(segment, "holds a control character")
        return segment

    def _count(self) -> None:
        self._number += 1
        if self._number > MOST_SEGMENTS:
            raise TooLargeError(
                f"more than {MOST_SEGMENTS} segments",
                hint="Ask the sender for several smaller files.",
            )


def _sets_of(
    interchange: _Interchange, scanner: _Scanner, most_in_set: int
) -> Iterator[TransactionSet]:
    """What follows the interchange's ISA, up to its IEA."""
    while True:
        segment = scanner.segment()
        if segment is None:
            raise _broken(interchange.isa, "the file ends before its interchange does (no IEA)")
        if interchange.segments:
            if len(interchange.segments) >= most_in_set:
                raise TooLargeError(
                    f"the transaction set at segment {interchange.segments[0].number} has more "
                    f"than {most_in_set} segments, which ingest.max_pages allows"
                )
            if (done := _in_set(interchange, segment)) is not None:
                yield done
        elif interchange.gs is not None:
            _in_group(interchange, segment)
        elif segment.id == "IEA":
            _end_of_interchange(interchange, segment)
            if interchange.acknowledgments:
                yield interchange.finished(
                    ACKNOWLEDGMENT,
                    interchange.isa[12],
                    interchange.control_number,
                    tuple(interchange.acknowledgments),
                )
            return
        elif segment.id == ACKNOWLEDGMENT and not interchange.groups:
            interchange.acknowledgments.append(segment)
        elif segment.id == "GS":
            _begin_group(interchange, segment)
        else:
            raise _broken(segment, "stands where GS or IEA is expected")


def _begin_group(interchange: _Interchange, gs: X12Segment) -> None:
    if len(gs.elements) != 9 or not gs[6].isdigit():
        raise _broken(gs, "has not the eight elements of a group header, or no number (GS06)")
    if gs[6].lstrip("0") in interchange.groups:
        raise _broken(gs, "repeats the control number of a group before it (GS06)")
    interchange.groups.add(gs[6].lstrip("0"))
    interchange.gs, interchange.sets = gs, set()


def _in_group(interchange: _Interchange, segment: X12Segment) -> None:
    """ST or GE."""
    gs = interchange.gs
    assert gs is not None
    if segment.id == "ST":
        if not segment[1] or not segment[2]:
            raise _broken(segment, "names no kind (ST01) or no control number (ST02)")
        if segment[2] in interchange.sets:
            raise _broken(segment, "repeats the control number of a set of its group (ST02)")
        interchange.sets.add(segment[2])
        interchange.segments = [segment]
    elif segment.id == "GE":
        if not interchange.sets:
            raise _broken(segment, "ends a group without any transaction set")
        _check(segment, 1, len(interchange.sets), "transaction sets in the group")
        _check_number(segment, gs, 6)
        interchange.gs = None
    else:
        raise _broken(segment, "stands where ST or GE is expected")


def _in_set(interchange: _Interchange, segment: X12Segment) -> TransactionSet | None:
    """A segment of a transaction set; the set when it is its last."""
    if segment.id in ("ISA", "IEA", "GS", "GE", "ST", ACKNOWLEDGMENT):
        raise _broken(segment, "stands inside a transaction set; its SE is lost")
    interchange.segments.append(segment)
    if segment.id != "SE":
        return None
    st = interchange.segments[0]
    _check(segment, 1, len(interchange.segments), "segments from ST to SE")
    if segment[2] != st[2]:
        raise _broken(segment, f"names another set (SE02) than segment {st.number} ST (ST02)")
    assert interchange.gs is not None
    done = interchange.finished(
        st[1], st[3] or interchange.gs[8], st[2], tuple(interchange.segments)
    )
    interchange.segments = []
    return done


def _end_of_interchange(interchange: _Interchange, iea: X12Segment) -> None:
    _check(iea, 1, len(interchange.groups), "groups in the interchange")
    _check_number(iea, interchange.isa, 13)
    if not interchange.groups and not interchange.acknowledgments:
        raise _broken(iea, "ends an interchange with nothing in it")


def _check(segment: X12Segment, element: int, count: int, what: str) -> None:
    said = segment[element]
    if not (said.isascii() and said.isdigit() and len(said) <= 10 and int(said) == count):
        told = said if said.isascii() and said.isdigit() and len(said) <= 10 else "no number"
        raise _broken(segment, f"says {told} ({segment.id}0{element}), there are {count} {what}")


def _check_number(segment: X12Segment, head: X12Segment, element: int) -> None:
    """Numeric control numbers: leading zeros don't tell them apart."""
    if not segment[2].isdigit() or segment[2].lstrip("0") != head[element].lstrip("0"):
        raise _broken(
            segment,
            f"has another control number ({segment.id}02) than segment {head.number} {head.id}",
        )
