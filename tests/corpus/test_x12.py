# SPDX-License-Identifier: Apache-2.0
"""Every X12 file beside the real forms; every 835 counted and summed by another parser too."""

from __future__ import annotations

import datetime as dt
import os
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pytest

from idp.document import Document
from idp.errors import InputError
from idp.extract import extract_x12
from idp.ingest import Part, unpack
from idp.ingest.opened import TEXT
from idp.schemas import load_schemas
from idp.settings import DecisionSettings, IngestSettings
from idp.validate import validate

TODAY = dt.date(2026, 11, 22)
BALANCES = ("R1", "R2", "R3", "R4")


@pytest.fixture(scope="session")
def x12_folder() -> Path:
    """`x12` beside the folder that IDP_CORPUS names."""
    named = os.environ.get("IDP_CORPUS")
    folder = Path(named).parent / "x12" if named else None
    if folder is None or not folder.is_dir():
        pytest.skip("IDP_CORPUS names no folder with x12 beside it")
    return folder


class Sums(NamedTuple):
    """What a remittance holds, by whichever parser."""

    claims: int
    adjustments: int
    billed: Decimal
    paid: Decimal
    adjusted: Decimal
    provider_adjusted: Decimal
    payment: Decimal


def understood(part: Part) -> Document:
    assert part.transaction is not None
    found = extract_x12(part.transaction, part.read)
    draft = Document(
        document_id="d",
        source="s",
        sha256="0" * 64,
        channel="x12",
        type=found.type,
        type_confidence=1.0,
        subtype=found.subtype,
        pages=tuple(page.number for page in part.read),
        fields=found.fields,
        claims=found.claims,
        findings=found.findings,
    )
    return validate(draft, load_schemas()[draft.type], DecisionSettings(), part.read, TODAY)


def our_sums(part: Part, document: Document) -> Sums:
    """From what extraction gave; only the number of adjustments is told by the segments."""
    assert part.transaction is not None
    zero = Decimal(0)

    def total(*names: str) -> Decimal:
        return sum((getattr(c, n) or zero for c in document.claims for n in names), zero)

    provider = [f.value or "" for f in document.fields if f.name == "provider_adjustments"]
    payment = document.field("payment_amount")
    return Sums(
        len(document.claims),
        sum(
            bool(s[at])
            for s in part.transaction.segments
            if s.id == "CAS"
            for at in range(3, len(s.elements), 3)
        ),
        total("billed"),
        total("paid"),
        total("adjustment", "deductible", "coinsurance", "copay"),
        sum((Decimal(value) for value in provider), zero),
        Decimal(payment.value or "") if payment else zero,
    )


def reference_sums(path: Path) -> Sums:
    """The same by pyx12, which knows nothing of ours."""
    pyx12 = pytest.importorskip("pyx12.x12file", reason="the reference parser is not installed")
    counts: Counter[str] = Counter()
    sums: dict[str, Decimal] = {}

    def add(name: str, text: str | None) -> None:
        if text:
            counts[name] += 1
            sums[name] = sums.get(name, Decimal(0)) + Decimal(text)

    with path.open(encoding="latin-1") as stream:
        for segment in pyx12.X12Reader(stream):
            name = segment.get_seg_id()
            counts[name] += 1
            if name == "CLP":
                add("billed", segment.get_value("CLP03"))
                add("paid", segment.get_value("CLP04"))
            elif name == "BPR":
                add("payment", segment.get_value("BPR02"))
            elif name == "CAS":
                for at in range(3, 20, 3):
                    add("adjusted", segment.get_value(f"CAS{at:02d}"))
            elif name == "PLB":
                for at in range(4, 15, 2):
                    add("provider", segment.get_value(f"PLB{at:02d}"))
    zero = Decimal(0)
    names = ("billed", "paid", "adjusted", "provider", "payment")
    return Sums(counts["CLP"], counts["adjusted"], *(sums.get(name, zero) for name in names))


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_every_file_ends_in_documents_or_in_a_coded_refusal(
    x12_folder: Path, tmp_path: Path
) -> None:
    table: Counter[tuple[str, str]] = Counter()
    refused: list[str] = []
    for number, path in enumerate(files(x12_folder)):
        place = tmp_path / str(number)
        place.mkdir()
        try:
            parts = unpack(path, place, IngestSettings()).parts
        except InputError as error:
            table["refused", error.code] += 1
            refused.append(f"{path.name}: {error.code}: {error.message}")
            continue
        for part in parts:
            assert part.error is None, part.error
            if part.transaction is None:
                # Licences lie beside the interchanges: text, and read as such.
                assert part.media_type == TEXT, path.name
                table["text", "no interchange"] += 1
                continue
            document = understood(part)
            kind = f"{document.type}{f'/{document.subtype}' if document.subtype else ''}"
            table[part.transaction.kind, f"{kind}: {document.decision.value}"] += 1
    sys.stdout.write("\n" + "\n".join(f"{n:4d} {k}: {o}" for (k, o), n in sorted(table.items())))
    sys.stdout.write("\n" + "\n".join(refused) + "\n")
    codes = {code for kind, code in table if kind == "refused"}
    assert codes <= {"broken_x12", "unsupported_file", "too_large"}


def test_every_remittance_has_the_claims_and_sums_that_a_reference_parser_finds(
    x12_folder: Path, tmp_path: Path
) -> None:
    compared = 0
    for number, path in enumerate(files(x12_folder)):
        place = tmp_path / str(number)
        place.mkdir()
        try:
            parts = unpack(path, place, IngestSettings()).parts
        except InputError:
            continue
        for part in parts:
            if part.transaction is None or part.transaction.kind != "835":
                continue
            document = understood(part)
            ours, theirs = our_sums(part, document), reference_sums(path)
            off = [f.message for f in document.findings if f.rule in BALANCES]
            sys.stdout.write(
                f"\n{path.name}: {'equal' if ours == theirs else 'NOT EQUAL'} "
                f"{[str(value) for value in ours]}, "
                f"{'; '.join(off) or 'balances'} -> {document.decision.value} "
                f"{list(document.reasons)}\n"
            )
            assert ours == theirs, path.name
            compared += 1
    assert compared > 0
