# SPDX-License-Identifier: Apache-2.0
"""What lies on a page, layer by layer, from the nouns alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple, get_args

from idp.contract import percent
from idp.document import INK, Block, Box, Document, Page, Severity

Layer = Literal["blocks", "rules", "marks", "words", "fields"]
LAYERS: tuple[Layer, ...] = get_args(Layer)
"""From the bottom to the top."""

SURE, UNSURE = 0.9, 0.7
"""Confidences from which on a word is shown as sure, and as unsure; below it is doubtful."""

_WITHOUT_PRINT = frozenset({INK, "signature", "handwriting", "barcode", "figure"})
"""Kinds of blocks that are things on the page rather than steps of reading."""


class Shape(NamedTuple):
    """One thing on the page.

    ``kind`` names its colour: ``sure``, ``unsure`` and ``doubtful`` for words, ``checked`` and
    ``unchecked``, ``rule`` and ``cell``, ``block`` and ``thing``, ``good``, ``warn`` and ``bad``
    for fields. ``tag`` is short and printed beside the shape, ``text`` is for who asks.
    """

    layer: Layer
    kind: str
    box: Box
    text: str = ""
    tag: str = ""
    confidence: float | None = None


def tone(confidence: float) -> str:
    """The name of the colour of a word's confidence."""
    if confidence >= SURE:
        return "sure"
    return "unsure" if confidence >= UNSURE else "doubtful"


def shapes(page: Page, document: Document | None = None) -> tuple[Shape, ...]:
    """Everything that lies on a page, from the bottom to the top; fields if there is a document."""
    return (
        *_blocks(page),
        *(Shape("rules", "cell", cell.box) for cell in page.cells),
        *(Shape("rules", "rule", rule.box, f"{rule.orientation} rule") for rule in page.rules),
        *_marks(page),
        *(
            Shape("words", tone(w.confidence), w.box, w.text, confidence=w.confidence)
            for w in page.words
        ),
        *(_fields(page, document) if document is not None else ()),
    )


def _blocks(page: Page) -> Iterator[Shape]:
    """Blocks with their place in the order of reading."""
    number = 0
    for block in page.blocks:
        if block.kind in _WITHOUT_PRINT:
            continue
        number += 1
        yield Shape("blocks", "block", block.box, f"{number}. {block.kind}", str(number))


def _marks(page: Page) -> Iterator[Shape]:
    for block in page.blocks:
        if block.kind in _WITHOUT_PRINT:
            yield _thing(block)
    for code in page.barcodes:
        yield Shape("marks", "thing", code.box, f"{code.symbology}: {code.text}", "barcode")
    for mark in page.marks:
        text = f"{mark.label or 'no label'}: {mark.state}"
        yield Shape("marks", mark.state, mark.box, text, confidence=mark.confidence)


def _thing(block: Block) -> Shape:
    name = "pen strokes" if block.kind == INK else block.kind
    text = f"{name}: {block.text}" if block.text else name
    return Shape("marks", "thing", block.box, text, name, block.confidence)


def _fields(page: Page, document: Document) -> Iterator[Shape]:
    worst: dict[str | None, str] = {}
    for finding in document.findings:
        if finding.severity is Severity.BLOCK:
            worst[finding.field] = "bad"
        elif finding.severity is Severity.WARN:
            worst.setdefault(finding.field, "warn")
    for field in document.fields:
        if field.page == page.number and field.box is not None:
            value = field.value if field.value is not None else field.raw
            yield Shape(
                "fields",
                worst.get(field.name, "good"),
                field.box,
                f"{field.name}: {value}",
                f"{field.name} {percent(field.confidence)}%",
                field.confidence,
            )
    for number, claim in enumerate(document.claims, 1):
        for line in claim.service_lines or (claim,):
            if line.page == page.number and line.box is not None:
                name = claim.claim_number or claim.patient_account or ""
                yield Shape(
                    "fields",
                    "good",
                    line.box,
                    f"claim {number} {name}".strip(),
                    f"claim {number}",
                    line.confidence,
                )
