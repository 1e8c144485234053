# SPDX-License-Identifier: Apache-2.0
"""Every task fits the screen of its type, by the word of Label Studio's own SDK."""

from __future__ import annotations

import json
import random
import subprocess
from typing import Any

from idp.document import Blank, Box, Document, DocumentType
from idp.review.form import options_of
from idp.review.screens import screen_of
from idp.review.server import interpreter_of
from idp.review.tasks import task_of
from idp.schemas import DocumentSchema, load_schemas
from idp.values import Kind
from tests.fabricate import document, field, page
from tests.review.conftest import Running
from tests.unit.test_review_answers import HOSTILE, doubtful, remittance
from tests.unit.test_review_screen import OWN

SCHEMAS = load_schemas(OWN)
PAGES = [page(1), page(2)]
REFERRAL, REMITTANCE = DocumentType.REFERRAL, DocumentType.REMITTANCE_EOB
CHECK = """
import json, sys
from label_studio_sdk.label_interface import LabelInterface
for config, prediction in json.load(sys.stdin):
    screen = LabelInterface(config)
    screen.validate()
    print(json.dumps(screen.validate_prediction(prediction, return_errors=True) or []))
"""
VALUES = {
    Kind.PERSON: "Quillfeather, Marisol",
    Kind.ORGANIZATION: "Example Health Plan of Ohio",
    Kind.DATE: "2026-03-14",
    Kind.PHONE: "555-010-4477",
    Kind.EMAIL: "marisol@example.org",
    Kind.NPI: "1234567893",
    Kind.TAX_ID: "12-3456789",
    Kind.IDENTIFIER: "QXK204417793",
    Kind.ICD10: "M25.561",
    Kind.PROCEDURE_CODE: "73721",
    Kind.MONEY: "1260.00",
    Kind.QUANTITY: "12",
    Kind.ADDRESS: "12 Example Street, Columbus, OH 43004",
    Kind.TEXT: "knee pain since a fall, please evaluate and treat",
}


def errors_of(running: Running, pairs: list[tuple[str, dict[str, Any]]]) -> list[list[str]]:
    """What Label Studio's own SDK finds wrong with tasks, in its own environment."""
    done = subprocess.run(
        [interpreter_of(running.settings), "-c", CHECK],
        input=json.dumps(pairs),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def full(schema: DocumentSchema, rng: random.Random, **more: Any) -> Document:
    """A document with most fields of its type, a few of them doubtful, and what is missing."""
    fields, missing, blanks = [], [], []
    asked = [each for each in schema.fields if rng.random() < 0.8]
    for place, each in enumerate(asked):
        box = Box(0.1, 0.05 + 0.015 * place, 0.5, 0.06 + 0.015 * place)
        options = options_of(each)
        value = rng.choice(options) if options else VALUES[each.kind]
        if rng.random() < 0.03:
            missing.append(each.name)
            blanks.append(Blank(field=each.name, label=each.title, page=1, box=box))
            continue
        sure = 0.97 if rng.random() < 0.88 else 0.6
        fields.append(field(each.name, value, sure, box=box, page=rng.choice((1, 2))))
    given: dict[str, Any] = {
        "document_id": f"full-{schema.type}-{rng.randrange(10**9)}",
        "type": schema.type,
        "pages": (1, 2),
        "fields": tuple(fields),
        "missing": tuple(missing),
        "blanks": tuple(blanks),
        "findings": (),
        "reasons": (),
    }
    return document(**(given | more))


def test_every_task_fits_its_screen(label_studio: Running) -> None:
    pairs = []
    for schema in SCHEMAS.values():
        config = screen_of(schema, schemas=SCHEMAS)
        rng = random.Random(7)
        documents = [full(schema, rng), full(schema, rng), full(schema, rng, sampled=True)]
        documents.append(
            full(schema, rng, fields=tuple(field(f.name, HOSTILE, 0.5) for f in schema.fields))
        )
        if schema.type == REMITTANCE:
            documents.append(remittance())
        for found in documents:
            urls = [f"/p{number}.png" for number in found.pages]
            sent = task_of(found, PAGES, schema, page_urls=urls, queue_title=HOSTILE)
            pairs.append((config, sent["predictions"][0]))
    assert errors_of(label_studio, pairs) == [[]] * len(pairs)


def test_a_screen_that_lost_a_field_is_noticed(label_studio: Running) -> None:
    schema = SCHEMAS[REFERRAL]
    poorer = schema.model_copy(
        update={"fields": tuple(each for each in schema.fields if each.name != "member_id")}
    )
    sent = task_of(doubtful(), PAGES, schema, page_urls=["/1", "/2"], queue_title="Queue")
    (errors,) = errors_of(label_studio, [(screen_of(poorer), sent["predictions"][0])])
    assert any("v_member_id" in error for error in errors)
