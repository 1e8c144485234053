# SPDX-License-Identifier: Apache-2.0
"""Files in files in files: an end is set to depth, number and size, and it is said where."""

from __future__ import annotations

import io
from pathlib import Path

import pikepdf
import pytest
from reportlab.pdfgen.canvas import Canvas

from idp.errors import TooLargeError
from idp.ingest import unpack
from idp.settings import IngestSettings


def sheet(text: str) -> bytes:
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(200, 200), invariant=1)
    canvas.drawString(20, 100, text)
    canvas.save()
    return out.getvalue()


def holding(text: str, files: dict[str, bytes]) -> bytes:
    """A PDF of one page with files inside."""
    with pikepdf.open(io.BytesIO(sheet(text))) as pdf:
        for name, data in files.items():
            pdf.attachments[name] = pikepdf.AttachedFileSpec(pdf, data, filename=name)
        out = io.BytesIO()
        pdf.save(out)
        return out.getvalue()


def nested(depth: int) -> bytes:
    data = sheet(f"level {depth}")
    for level in range(depth - 1, -1, -1):
        data = holding(f"level {level}", {f"{level + 1}.pdf": data})
    return data


def test_pdfs_in_pdfs_are_read_down_to_the_limit_and_the_rest_is_refused_by_name(
    tmp_path: Path,
) -> None:
    (tmp_path / "nested.pdf").write_bytes(nested(6))
    found = unpack(tmp_path / "nested.pdf", tmp_path / "work", IngestSettings(max_depth=4))
    names = [part.name for part in found.parts]
    assert names[:3] == [None, "1.pdf", "1.pdf/2.pdf"]
    assert [len(part.pages) for part in found.parts] == [1, 1, 1, 1, 1, 0]
    last = found.parts[-1].error
    assert last is not None
    assert (last.code, "max_depth 4" in last.message) == ("nested_too_deep", True)


def test_more_parts_than_allowed_refuse_the_whole_file_and_end_at_once(tmp_path: Path) -> None:
    """Ten files with ten files each: no limit of one opener is passed, that of the whole is."""
    inner = holding("inner", {f"{n}.pdf": sheet(f"{n}") for n in range(10)})
    outer = holding("outer", {f"box{n}.pdf": inner for n in range(10)})
    (tmp_path / "many.pdf").write_bytes(outer)
    with pytest.raises(TooLargeError, match="max_parts 15"):
        unpack(tmp_path / "many.pdf", tmp_path / "work", IngestSettings(max_parts=15))
    assert len(list((tmp_path / "work").iterdir())) <= 16


def test_more_bytes_than_allowed_in_all_parts_refuse_the_whole_file(tmp_path: Path) -> None:
    """Each box unpacks to less than the limit, all of them to more."""
    box = holding("box", {"zeros": bytes(2_000_000)})
    (tmp_path / "bomb.pdf").write_bytes(holding("bomb", {f"box{n}.pdf": box for n in range(6)}))
    limits = IngestSettings(max_expanded_bytes=7_000_000)
    with pytest.raises(TooLargeError, match="max_expanded_bytes 7000000"):
        unpack(tmp_path / "bomb.pdf", tmp_path / "work", limits)
    written = sum(p.stat().st_size for p in (tmp_path / "work").rglob("member-*"))
    assert written <= 2 * limits.max_expanded_bytes


def test_files_of_the_same_name_keep_apart(tmp_path: Path) -> None:
    inner = {"fax.pdf": sheet("one")}
    box = holding("box", inner)
    (tmp_path / "twins.pdf").write_bytes(holding("twins", {"a": box, "b": box} | inner))
    found = unpack(tmp_path / "twins.pdf", tmp_path / "work", IngestSettings())
    names = [part.name for part in found.parts]
    assert len(set(names)) == len(names) == 6
