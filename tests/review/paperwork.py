# SPDX-License-Identifier: Apache-2.0
"""Made-up documents as the product itself reads and judges them, with what really stands on them.

Pages come from ``training.synthesise`` with invented reading errors, which costs no OCR; fields,
confidences, findings and the decision are the product's own.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from idp.document import Decision, Document, DocumentType, Page
from idp.extract import Extractor
from idp.judge import Judge
from idp.review.claims_table import Row, table_of
from idp.review.form import form_of, options_of
from idp.schemas import DocumentSchema, FieldSchema, load_lexicon, load_schemas
from idp.settings import Settings
from idp.values import Kind, parse
from training.score import judged_fields
from training.synthesise import make_one

TYPES = (
    DocumentType.REFERRAL,
    DocumentType.PRIOR_AUTH_REQUEST,
    DocumentType.PRIOR_AUTH_DETERMINATION,
    DocumentType.REMITTANCE_EOB,
)
"""Those that people review field by field."""
DAY = dt.datetime(2026, 11, 16, 9, 30, tzinfo=dt.UTC)
_MOST_TRIES = 400
_LETTERS = frozenset(
    {"patient_name", "member_id", "claim_number", "patient_account", "status", "procedure_code"}
    | {"carc", "rarc"}
)
"""Columns of the claims table that hold no amount."""


class Paper(NamedTuple):
    """A document in review, and the truth of it."""

    document: Document
    pages: tuple[Page, ...]
    truth: Mapping[str, tuple[str, ...]]
    """Per field what is printed, nothing where it is left blank. Fields that are not named are not
    known (a truth is not exhaustive), and count nowhere."""
    rows: Mapping[str, Mapping[str, str]]
    """Per row of the claims table (by its key) what is printed, by column; where it is known."""

    @property
    def typed_from_blank(self) -> int:
        """Keys for typing all of it into an empty form: the letters, and one Tab a value."""
        schema = load_schemas(None)[self.document.type]
        keys = 0
        for name, texts in self.truth.items():
            field = schema.field(name)
            chosen = field is not None and bool(options_of(field))
            keys += sum(2 if chosen else len(text) + 1 for text in texts)
        for cells in self.rows.values():
            keys += sum(len(text) + 1 for text in cells.values() if text)
        return keys


class Press:
    """Makes documents until there are as many that go to review as are asked for."""

    def __init__(self, data: Path) -> None:
        settings = Settings(data=data)
        self.schemas = load_schemas(None)
        self._extractor = Extractor(settings.models_folder, self.schemas, load_lexicon())
        self._judge = Judge(settings, self.schemas)

    def papers(self, number: int, *, seed: int = 0) -> Iterator[Paper]:
        """So many documents in review, all types in turn; the same seed gives the same ones.

        Those that the product delivers by itself are passed over: nobody sees them.
        """
        wanted = [TYPES[place % len(TYPES)] for place in range(number)]
        rng = random.Random(seed)
        tries = 0
        for place, kind in enumerate(wanted):
            while True:
                tries += 1
                assert tries < _MOST_TRIES, "too few documents go to review"
                paper = self._paper(kind, rng.randrange(200), rng.randrange(10**6), place)
                if paper is not None:
                    yield paper
                    break

    def _paper(self, kind: DocumentType, family: int, seed: int, place: int) -> Paper | None:
        made = make_one(str(kind), "test", family, seed)
        pages = tuple(each.page for each in made.pages)
        found = self._extractor.extract(pages, kind)
        draft = Document(
            document_id=f"paper-{seed}-{place}",
            source=f"{made.name}.tif",
            sha256=f"{seed:064x}",
            channel="fax",
            type=kind,
            type_confidence=0.99,
            pages=tuple(page.number for page in pages),
            fields=tuple(found.fields),
            claims=tuple(found.claims),
        )
        document = self._judge.judged(draft, pages, received_at=DAY)
        if document.decision is not Decision.REVIEW:
            return None
        schema = self.schemas[kind]
        truth = dict(_truth(schema, made.truth["fields"]))
        rows = _rows(document, made.truth["fields"])
        if not truth or not form_of(document, pages, schema).opened:
            return None
        return Paper(document, pages, truth, rows)


def same(field: FieldSchema, one: str, other: str) -> bool:
    """Whether both texts are the same value of the field."""
    values = [parse(field.kind, text, options=field.options or None) for text in (one, other)]
    if all(each.valid and each.value for each in values):
        return values[0].value == values[1].value
    return one.casefold().split() == other.casefold().split()


def _truth(
    schema: DocumentSchema, told: Mapping[str, Mapping[str, object]]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    aliases = {judged_fields().canonical(field.name): field for field in schema.fields}
    for name, entry in told.items():
        field, value = aliases.get(name), entry["value"]
        if field is None:
            continue
        several = value if isinstance(value, list) else [value] if value else []
        texts = list(dict.fromkeys(str(each) for each in several))
        if not field.list:
            texts = texts[:1]
        if options_of(field):
            texts = [_chosen(field, text) for text in texts]
        yield field.name, tuple(text for text in texts if text)


def _chosen(field: FieldSchema, text: str) -> str:
    """The option that a printed text means; nothing where it is none."""
    parsed = parse(field.kind, text, options=field.options or None)
    value = parsed.value if parsed.valid else text
    return value if value in options_of(field) else ""


def _rows(
    document: Document, told: Mapping[str, Mapping[str, object]]
) -> dict[str, Mapping[str, str]]:
    """The printed cells of the rows to check, where they are known.

    The truth has one entry a claim, of its sums: a line is known where it is the only one.
    """
    claims = told.get("claims", {}).get("value")
    if not isinstance(claims, list):
        return {}
    table = table_of(document)
    rows: dict[str, Mapping[str, str]] = {}
    for row in table.opened:
        if len(document.claims[row.claim - 1].service_lines) > 1 and row.line:
            continue
        names = table.columns(row.line)
        best = max(claims, key=lambda each: _alike(row, names, each), default=None)
        if best is not None and _alike(row, names, best):
            rows[row.key] = {
                name: _cell(name, best, was) for name, was in zip(names, row.cells, strict=True)
            }
    return rows


def _alike(row: Row, names: Sequence[str], printed: Mapping[str, str]) -> int:
    return sum(
        bool(cell) and cell == _cell(name, printed, cell) and bool(_text(name, printed))
        for name, cell in zip(names, row.cells, strict=True)
    )


def _cell(name: str, printed: Mapping[str, str], was: str) -> str:
    """What is printed in a column, written as the table writes it; what is not known stays."""
    text = _text(name, printed)
    for kind in (Kind.DATE, Kind.MONEY):
        parsed, before = parse(kind, text), parse(kind, was)
        fits = (kind is Kind.DATE) == (name == "service_date") and name not in _LETTERS
        if fits and parsed.valid and parsed.value:
            return was if before.valid and before.value == parsed.value else parsed.value
    return was if not text or _letters(was) == _letters(text) else text


def _text(name: str, printed: Mapping[str, str]) -> str:
    return str(printed.get("patient_resp" if name == "patient_responsibility" else name) or "")


def _letters(text: str) -> str:
    return "".join(sign for sign in text.casefold() if sign.isalnum())
