# SPDX-License-Identifier: Apache-2.0
"""Documents, pages and a filled store, made without any model: what the surfaces are tested on."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from idp.document import (
    Box,
    Claim,
    Decision,
    Document,
    DocumentType,
    Field,
    Finding,
    Page,
    Severity,
    Word,
)
from idp.store import Results, Store

PATIENT = "Marisol Quillfeather"
NOW = dt.datetime(2026, 11, 16, 9, 30, tzinfo=dt.UTC)


def page_image(path: Path, size: tuple[int, int] = (850, 1100)) -> Path:
    """A page with a few printed lines."""
    image = Image.new("L", size, 255)
    pen = ImageDraw.Draw(image)
    for line in range(12):
        pen.text((80, 80 + 60 * line), f"line {line}: a printed page", fill=0)
    image.save(path)
    return path


def page(number: int = 1, image: Path | None = None) -> Page:
    """A page as read, with two words."""
    return Page(
        number=number,
        width_px=850,
        height_px=1100,
        dpi=100,
        words=(
            Word(id=0, text="Patient", confidence=0.99, box=Box(0.1, 0.1, 0.2, 0.12), line=0),
            Word(id=1, text="Name", confidence=0.98, box=Box(0.21, 0.1, 0.3, 0.12), line=0),
        ),
        image=str(image) if image else None,
    )


def field(name: str, value: str, confidence: float = 0.97, **more: Any) -> Field:
    """A found value with evidence on page 1."""
    values: dict[str, Any] = {
        "name": name,
        "value": value,
        "raw": value,
        "confidence": confidence,
        "page": 1,
        "box": Box(0.1, 0.2, 0.4, 0.23),
        "source": "labels",
    }
    return Field(**(values | more))


def document(original: bytes = b"a fax", **more: Any) -> Document:
    """A referral with four fields, one of them doubtful, one finding, one missing field."""
    values: dict[str, Any] = {
        "document_id": "doc-1",
        "source": "fax.tif",
        "sha256": hashlib.sha256(original).hexdigest(),
        "channel": "fax",
        "type": DocumentType.REFERRAL,
        "type_confidence": 0.97,
        "pages": (1,),
        "fields": (
            field("patient_name", PATIENT),
            field("patient_dob", "1961-04-09", raw="04/09/1961", box=Box(0.5, 0.2, 0.7, 0.23)),
            field("member_id", "QXK204417793", 0.61, box=Box(0.1, 0.3, 0.4, 0.33)),
            field("diagnosis_codes", "M25.561", box=Box(0.1, 0.4, 0.3, 0.43)),
        ),
        "missing": ("referring_provider_npi",),
        "findings": (
            Finding(
                rule="threshold",
                severity=Severity.BLOCK,
                field="member_id",
                message="read with less certainty than asked for",
            ),
        ),
        "decision": Decision.REVIEW,
        "reasons": ("member_id is doubtful",),
        "timings_ms": {"read": 1234.5},
        "model_versions": {"ocr": "1"},
    }
    return Document(**(values | more))


def remittance(**more: Any) -> Document:
    """A remittance of one claim with a service line."""
    claim = {
        "patient_name": PATIENT,
        "claim_number": "4417",
        "billed": "120.00",
        "paid": "80.50",
        "procedure_code": "99213",
    }
    values = {"type": DocumentType.REMITTANCE_EOB, "claims": (Claim.model_validate(claim),)}
    return document(**(values | more))


class Shelf:
    """A store with documents put in as the engine would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database_url = f"sqlite:///{folder / 'idp.sqlite'}"
        self.store = Store(self.database_url, folder / "store")
        self.store.migrate()
        self.deliveries: list[tuple[str, str]] = []
        """Delivery and job of what is to be handed out."""
        self._arrivals = 0

    def arrive(self, content: bytes, name: str = "fax.tif", channel: str = "fax") -> str:
        """A file comes in; returns the id of its document."""
        self._arrivals += 1
        number = self._arrivals
        kept = self.store.content.put_bytes(content)
        self.store.record_arrival(
            f"arrival-{number:04d}",
            channel=channel,
            name=name,
            kept=kept,
            received_at=dt.datetime.now(dt.UTC),
            priority=5,
        )
        return self.store.recent(1)[0].id

    def process(self, *batches: tuple[Sequence[Document], Sequence[Page]]) -> None:
        """Work through everything that waits; one batch of results per waiting file, in order."""
        waiting: list[tuple[str, str]] = []

        def enqueue(_: object, segment: str, target: str, job: str, __: int) -> None:
            (waiting if segment == "process" else self.deliveries).append((target, job))

        self.store.start_due(enqueue)
        for (target, job), (documents, pages) in zip(sorted(waiting), batches, strict=True):
            work = self.store.begin_processing(target, job, attempts=3)
            assert work is not None
            own = [d.model_copy(update={"sha256": work.arrival.sha256}) for d in documents]
            assert self.store.finish_processing(work, Results(tuple(own), tuple(pages)))

    def put(
        self,
        found: Document,
        content: bytes = b"a fax",
        name: str = "fax.tif",
        *,
        seen: Page | None = None,
        size: tuple[int, int] = (850, 1100),
    ) -> str:
        """A file comes in and becomes ``found``; returns the document's id.

        ``seen`` is what its pages show, ``size`` that of their pictures.
        """
        document_id = self.arrive(content, name)
        image = page_image(self.folder / f"page-{document_id}.png", size)
        pages = [
            (seen or page()).model_copy(update={"number": number, "image": str(image)})
            for number in found.pages
        ]
        self.process(([found], pages))
        return document_id
