# SPDX-License-Identifier: Apache-2.0
import hashlib
import json
from pathlib import Path

import pypdfium2 as pdfium
import pytest

from idp.contract import from_contract
from idp.deliver import Outbox, files
from idp.document import Document
from idp.errors import AccessError, DeliveryError
from tests.fabricate import PATIENT, document, field, page_image

pytestmark = pytest.mark.component

ORIGINAL = b"the bytes of a fax"


class Bench:
    """An outbox, an original and a page image."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "outbox"
        self.outbox = Outbox(self.folder)
        self.original = folder / "stored"
        self.original.write_bytes(ORIGINAL)
        self.images = {1: page_image(folder / "page.png")}
        self.document = document(ORIGINAL)

    def deliver(self, found: Document | None = None, key: str = "doc-1") -> Path:
        return self.outbox.deliver(found or self.document, self.original, self.images, key)

    def published(self) -> list[str]:
        return sorted(p.name for p in self.folder.iterdir() if not p.name.startswith("."))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_delivery_holds_the_record_the_original_and_the_outlined_pages(bench: Bench) -> None:
    folder = bench.deliver()
    record = json.loads((folder / "document.json").read_text())
    assert from_contract(record) == bench.document
    assert (folder / "original.tif").read_bytes() == ORIGINAL
    manifest = json.loads((folder / "manifest.json").read_text())
    for name, stored in manifest["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == stored["sha256"]
    assert set(manifest["files"]) == {"document.json", "document.pdf", "original.tif"}


def test_the_outlined_pdf_shows_page_and_legend_and_is_small(bench: Bench) -> None:
    path = bench.deliver() / "document.pdf"
    pdf = pdfium.PdfDocument(path)
    try:
        assert len(pdf) == 2
        legend = pdf[1].get_textpage().get_text_bounded()
        tags = pdf[0].get_textpage().get_text_bounded()
    finally:
        pdf.close()
    assert PATIENT in legend
    assert "2 patient_dob" in legend
    assert set("1234") <= set(tags), "every frame carries its number"
    assert path.stat().st_size < 300_000


def test_the_same_key_again_changes_nothing(bench: Bench) -> None:
    first = bench.deliver()
    before = {p: p.stat().st_mtime_ns for p in first.iterdir()}
    slower = bench.document.model_copy(update={"timings_ms": {"read": 9.0}})
    assert bench.deliver(slower) == first
    assert {p: p.stat().st_mtime_ns for p in first.iterdir()} == before
    assert bench.published() == ["doc-1"]


def test_other_content_under_the_same_key_is_a_new_version(bench: Bench) -> None:
    first = bench.deliver()
    old = (first / "document.json").read_bytes()
    corrected = bench.document.model_copy(update={"fields": (field("patient_name", "Other"),)})
    second = bench.deliver(corrected)
    assert second.name == "doc-1.v2"
    assert (first / "document.json").read_bytes() == old
    assert json.loads((second / "manifest.json").read_text())["replaces"] == "doc-1"
    assert bench.deliver(corrected) == second
    assert bench.deliver() == first
    assert bench.published() == ["doc-1", "doc-1.v2"]


class KilledError(BaseException):
    """Stands for the process ending here."""


def _kill_at(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """End the delivery at its ``step``-th call that reaches the disk for good."""
    calls = 0
    real = files.sync

    def sync(path: Path) -> None:
        nonlocal calls
        calls += 1
        if calls == step:
            raise KilledError
        real(path)

    monkeypatch.setattr(files, "sync", sync)


@pytest.mark.parametrize("step", range(1, 7))
def test_killed_at_any_sync_and_run_again_there_is_exactly_one_whole_delivery(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    with monkeypatch.context() as patched:
        _kill_at(patched, step)
        with pytest.raises(KilledError):
            bench.deliver()
    for name in bench.published():
        assert (bench.folder / name / "manifest.json").exists(), "a half folder was published"
    folder = bench.deliver()
    assert bench.published() == ["doc-1"]
    assert from_contract(json.loads((folder / "document.json").read_text())) == bench.document
    assert not list((bench.folder / ".staging").iterdir())


def test_a_half_written_staging_folder_is_thrown_away(bench: Bench) -> None:
    left = bench.folder / ".staging" / "doc-1"
    left.mkdir(parents=True)
    (left / "document.json").write_text("{ half")
    (left / "stray").write_text("of an older version")
    folder = bench.deliver()
    assert sorted(p.name for p in folder.iterdir()) == [
        "document.json",
        "document.pdf",
        "manifest.json",
        "original.tif",
    ]


def test_a_folder_taken_by_the_receiver_is_not_delivered_again(bench: Bench) -> None:
    folder = bench.deliver()
    folder.rename(bench.folder.parent / "taken")
    assert bench.deliver() == folder
    assert bench.published() == []


def test_a_damaged_published_file_is_put_back(bench: Bench) -> None:
    folder = bench.deliver()
    (folder / "original.tif").write_bytes(b"damaged")
    (folder / "document.pdf").unlink()
    assert bench.deliver() == folder
    assert (folder / "original.tif").read_bytes() == ORIGINAL
    assert (folder / "document.pdf").exists()
    assert not list((bench.folder / ".staging").iterdir())


def test_a_document_of_a_stack_leaves_with_its_own_pages_only(bench: Bench) -> None:
    folder = bench.outbox.deliver(bench.document, None, bench.images, "one-of-three")
    files = {path.name for path in folder.iterdir()}
    assert files == {"document.json", "document.pdf", "pages.pdf", "manifest.json"}
    pages = pdfium.PdfDocument(folder / "pages.pdf")
    assert len(pages) == len(bench.document.pages)
    pages.close()


def test_an_original_that_is_not_what_was_received_is_never_published(bench: Bench) -> None:
    bench.original.write_bytes(b"something else")
    with pytest.raises(DeliveryError, match="not what was received"):
        bench.deliver()
    assert bench.published() == []


def test_a_key_can_not_leave_the_outbox(bench: Bench) -> None:
    for key in ("../escape", "/etc/passwd", ".staging", "a/b", "x" * 300, "..", ""):
        folder = bench.deliver(key=key)
        assert folder.parent == bench.folder
        assert folder.name.startswith("key-")
    assert not (bench.folder.parent / "escape").exists()


def test_a_key_that_looks_like_a_version_of_another_is_kept_apart(bench: Bench) -> None:
    bench.deliver(key="doc-1")
    other = bench.deliver(bench.document.model_copy(update={"missing": ()}), key="doc-1.v2")
    second = bench.deliver(bench.document.model_copy(update={"fields": ()}), key="doc-1")
    assert second.name == "doc-1.v2"
    assert other != second


def test_the_received_name_gives_only_its_ending(bench: Bench) -> None:
    odd = bench.document.model_copy(update={"source": "Quillfeather, M/../x.t?f"})
    assert (bench.deliver(odd) / "original.bin").exists()


def test_a_quarantined_document_without_pages_can_be_delivered(bench: Bench) -> None:
    empty = bench.document.model_copy(update={"pages": (), "fields": ()})
    assert (bench.deliver(empty) / "document.pdf").stat().st_size > 0


def test_an_outbox_that_can_not_be_written_is_an_access_error(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    (tmp_path / "file").write_text("in the way")
    bench.outbox = Outbox(tmp_path / "file")
    with pytest.raises(AccessError):
        bench.deliver()


def test_letters_that_the_pdf_font_lacks_do_not_stop_a_delivery(bench: Bench) -> None:
    foreign = bench.document.model_copy(update={"fields": (field("patient_name", "李 Łukasz"),)})
    assert (bench.deliver(foreign) / "document.pdf").exists()
