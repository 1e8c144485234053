# SPDX-License-Identifier: Apache-2.0
"""Cuts held against the truth: boundaries, and whether two patients would leave together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from idp.classify import Segment, split
from idp.document import DocumentType, Page
from idp.schemas import DocumentSchema
from idp.settings import DecisionSettings
from idp.validate.across import one_patient
from training.stacks.make import MANY, Piece, Stack


class Counts(NamedTuple):
    """Boundaries found, found wrongly, and missed."""

    right: int
    wrong: int
    missed: int

    @property
    def precision(self) -> float:
        return self.right / max(1, self.right + self.wrong)

    @property
    def recall(self) -> float:
        return self.right / max(1, self.right + self.missed)

    @property
    def f1(self) -> float:
        return 2 * self.right / max(1, 2 * self.right + self.wrong + self.missed)


def boundaries(true: frozenset[int], found: frozenset[int]) -> Counts:
    """Of one stack; pages that begin a document, the stack's first page left out."""
    return Counts(len(true & found), len(found - true), len(true - found))


def firsts(segments: Sequence[Segment], stack: Stack) -> frozenset[int]:
    """The pages that were found to begin a document, blank sheets not counted."""
    printed = {number for document in stack.documents for number in document}
    begin = [
        next((number for number in segment.pages if number in printed), None)
        for segment in segments
    ]
    return frozenset(number for number in begin if number is not None) - {min(printed)}


@dataclass
class Tally:
    """What was counted over many stacks."""

    stacks: int = 0
    pages: int = 0
    documents: int = 0
    found: int = 0
    """Documents that were cut out, rightly or not."""
    right: int = 0
    wrong: int = 0
    missed: int = 0
    lost_pages: int = 0
    """Printed pages that were set aside: none ever should be."""
    doubtful: int = 0
    """Documents that were cut out and go to review for a doubtful cut."""
    mixed: int = 0
    """Documents with pages of two patients, or of a patient and a remittance."""
    mixed_unheld: int = 0
    """Of those, documents that neither a doubtful cut nor the rule of one patient holds."""
    mixed_released: int = 0
    """Of those, documents that nothing else holds either: they leave by themselves."""
    merged: int = 0
    """Neighbours of two patients, put together as if their cut had been missed."""
    merged_held: int = 0
    """Of those, documents that the rule of one patient alone holds."""
    merged_released: int = 0
    """Of those, documents that leave by themselves."""
    whole: int = 0
    """True documents about a patient."""
    false_alarms: int = 0
    """Of those, documents that the rule of one patient holds for no reason."""
    sureness: dict[str, list[bool]] = field(default_factory=dict)
    """Whether all was right about a document's cuts, by how sure it was."""
    errors: Counter[str] = field(default_factory=Counter)

    @property
    def counts(self) -> Counts:
        return Counts(self.right, self.wrong, self.missed)


def _two_patients(pieces: Iterable[Piece]) -> bool:
    return len({piece.patient for piece in pieces if piece.patient}) > 1


def _held(pages: Sequence[Page], *, many: bool) -> bool:
    return any(True for _ in one_patient(pages, many=many))


def _band(sure: float) -> str:
    for limit in (0.99, 0.95, 0.9, 0.8, 0.65):
        if sure >= limit:
            return f"{limit:.2f}"
    return "0.50"


Leaves = Callable[[Segment, Sequence[Page]], bool]
"""Whether pages, taken for one document, leave by themselves (:mod:`training.stacks.release`)."""


def count(
    stacks: Iterable[Stack], schemas: Mapping[DocumentType, DocumentSchema], leaves: Leaves
) -> Tally:
    """Splits every stack and holds the documents against the truth."""
    tally = Tally()
    for stack in stacks:
        _count_one(tally, stack, split(stack.pages, schemas), leaves)
        _count_rule(tally, stack, schemas, leaves)
    return tally


def _count_one(tally: Tally, stack: Stack, segments: Sequence[Segment], leaves: Leaves) -> None:
    threshold = DecisionSettings().cut_threshold
    of = {number: place for place, pages in enumerate(stack.documents) for number in pages}
    found, true = firsts(segments, stack), stack.firsts
    for number in true - found:
        first, second = stack.pieces[of[number] - 1], stack.pieces[of[number]]
        tally.errors[f"missed: {first.kind}, {second.kind}"] += 1
    for number in found - true:
        tally.errors[f"cut inside: {stack.pieces[of[number]].kind}"] += 1
    one = boundaries(true, found)
    tally.stacks += 1
    tally.pages += len(stack.pages)
    tally.documents += len(stack.documents)
    tally.found += len(segments)
    tally.right += one.right
    tally.wrong += one.wrong
    tally.missed += one.missed
    for segment in segments:
        tally.lost_pages += sum(number in of for number in segment.set_aside)
        doubtful = segment.cut_confidence < threshold
        tally.doubtful += doubtful
        mine = [number for number in segment.pages if number in of]
        pieces = [stack.pieces[place] for place in sorted({of[number] for number in mine})]
        whole = tuple(mine) in stack.documents
        tally.sureness.setdefault(_band(segment.cut_confidence), []).append(whole)
        if _two_patients(pieces):
            tally.mixed += 1
            many = segment.type == DocumentType.REMITTANCE_EOB
            pages = [stack.pages[number - 1] for number in segment.pages]
            unheld = not doubtful and not _held(pages, many=many)
            tally.mixed_unheld += unheld
            if unheld:
                tally.mixed_released += leaves(segment, pages)
                tally.errors["two patients, unseen: " + ", ".join(p.kind for p in pieces)] += 1


def _count_rule(
    tally: Tally,
    stack: Stack,
    schemas: Mapping[DocumentType, DocumentSchema],
    leaves: Leaves,
) -> None:
    """The rule of one patient by itself: on true documents, and on neighbours put together."""
    pages = [[stack.pages[number - 1] for number in numbers] for numbers in stack.documents]
    for piece, own in zip(stack.pieces, pages, strict=True):
        if piece.patient not in ("", MANY):
            tally.whole += 1
            tally.false_alarms += _held(own, many=False)
    for place in range(1, len(pages)):
        both = stack.pieces[place - 1 : place + 1]
        if _two_patients(both) and all(piece.patient not in ("", MANY) for piece in both):
            merged = [*pages[place - 1], *pages[place]]
            held = _held(merged, many=False)
            tally.merged += 1
            tally.merged_held += held
            if not held:
                # As sure as a cut can be missed: the type of the first, nothing doubted.
                first = split(pages[place - 1], schemas)[0]
                sure = first.model_copy(update={"cut_confidence": 1.0, "cut_page": None})
                released = leaves(sure, merged)
                tally.merged_released += released
                if released:
                    tally.errors["put together, leave: " + ", ".join(p.kind for p in both)] += 1


def report(tally: Tally) -> str:
    """The figures in words."""
    counts = tally.counts
    lines = [
        f"{tally.stacks} stacks, {tally.pages} pages, {tally.documents} documents, "
        f"{counts.right + counts.missed} boundaries",
        f"boundaries: precision {counts.precision:.4f}, recall {counts.recall:.4f}, "
        f"F1 {counts.f1:.4f} ({counts.wrong} wrong, {counts.missed} missed)",
        f"printed pages set aside: {tally.lost_pages}",
        f"to review for a doubtful cut: {tally.doubtful} of {tally.found} documents",
        f"documents of two patients: {tally.mixed}; neither P6 nor D3 holds {tally.mixed_unheld}; "
        f"leave by themselves: {tally.mixed_released}",
        f"rule D3 alone: holds {tally.merged_held} of {tally.merged} neighbours put together, "
        f"{tally.merged_released} of them leave by themselves; "
        f"false alarms {tally.false_alarms} of {tally.whole} true documents",
        "documents cut rightly by cut_confidence: "
        + ", ".join(
            f"from {band} {sum(rights)}/{len(rights)}"
            for band, rights in sorted(tally.sureness.items(), reverse=True)
        ),
    ]
    lines += [f"  {number:4} {what}" for what, number in tally.errors.most_common()]
    return "\n".join(lines)
