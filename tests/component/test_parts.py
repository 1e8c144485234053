# SPDX-License-Identifier: Apache-2.0
"""A file of several parts in the running appliance: what can be read is, the rest is refused."""

from __future__ import annotations

import io
from pathlib import Path

import pikepdf
import pytest
from reportlab.pdfgen.canvas import Canvas

from idp.appliance import Appliance
from idp.document import Severity
from tests.faults.running import ENDS, drop, open_store, wait_until
from tests.faults.stand_in import settings_for

pytestmark = pytest.mark.component


def letter(text: str) -> bytes:
    out = io.BytesIO()
    canvas = Canvas(out, invariant=1)
    canvas.drawString(72, 700, text)
    canvas.save()
    return out.getvalue()


def test_a_part_that_cannot_be_opened_does_not_hold_up_the_others(tmp_path: Path) -> None:
    """The file was mended, too: each of its documents says so."""
    with pikepdf.open(io.BytesIO(letter("Referral for Marisol Quintana"))) as pdf:
        for name, data in (("odd.bin", b"\x00\x01\x02\xff" * 9), ("more.pdf", letter("Page two"))):
            pdf.attachments[name] = pikepdf.AttachedFileSpec(pdf, data, filename=name)
        out = io.BytesIO()
        pdf.save(out)
    data = out.getvalue()
    drop(tmp_path, "mixed.pdf", data[: data.rindex(b"startxref")] + b"startxref\n7\n%%EOF\n")
    with Appliance(settings_for(tmp_path, attempts=1, concurrency=1)):
        store = open_store(tmp_path)
        wait_until(
            lambda: len(rows := store.recent()) == 3 and {row.state for row in rows} <= ENDS, 180
        )
    rows = {row.part: row for row in store.recent()}
    assert {part: row.error for part, row in rows.items()} == {
        None: None,
        "more.pdf": None,
        "odd.bin": "unsupported_file",
    }
    first = store.document(rows[None].id)
    assert first is not None
    mended = [finding for finding in first.findings if finding.rule == "P5"]
    assert [finding.severity for finding in mended] == [Severity.WARN]
    assert "cross-reference table rebuilt" in mended[0].message
    store.close()
