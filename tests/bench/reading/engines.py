# SPDX-License-Identifier: Apache-2.0
"""Who reads: the product through its own door, and Tesseract beside it on the same rasters."""

from __future__ import annotations

import csv
import io
import os
import resource
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
from PIL import Image

from idp.document import Box, Page, RawPage
from idp.errors import IdpError
from idp.ingest import unpack
from idp.read import Reader
from idp.read.order import reading_order
from idp.settings import Settings
from tests.bench.overhead import tree_seconds
from tests.bench.reading.arithmetic import ReadMark, ReadWord

PRODUCT = "idp"
TESSERACT = "tesseract"

_PATIENCE_SECONDS = 900.0


@dataclass(frozen=True)
class ReadPage:
    """One page as an engine gives it, in its own idea of upright."""

    words: list[ReadWord]
    marks: list[ReadMark] | None
    """None from an engine that knows no marks."""
    rotation: int
    cpu_seconds: float
    pixels: tuple[int, int]
    extra: dict[str, str] = field(default_factory=dict)
    signatures: list[tuple[str, Box]] = field(default_factory=list)
    """State and place of each place to sign."""

    def lines(self) -> list[str]:
        """The text, line by line in reading order."""
        out: list[str] = []
        last = None
        for word in self.words:
            if word.line == last:
                out[-1] += f" {word.text}"
            else:
                out.append(word.text)
            last = word.line
        return out


class Product:
    """`idp.read.Reader` with the settings in force, one worker unless asked otherwise."""

    name = PRODUCT

    def __init__(self, settings: Settings, *, workers: int = 1, recycle_pages: int = 1_000_000):
        self.settings = settings
        # One warm process to the end, however busy the machine: a new one would count as reading.
        read = settings.read.model_copy(
            update={
                "workers": workers,
                "recycle_pages": recycle_pages,
                "recycle_memory_mb": 0,
                "page_seconds": max(_PATIENCE_SECONDS, settings.read.page_seconds),
            }
        )
        self._reader = Reader(read, settings.models_folder)
        self.failed: list[str] = []
        self._work = tempfile.TemporaryDirectory(prefix="idp-bench-")
        self._files = 0

    def __enter__(self) -> Self:
        self._reader.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._reader.__exit__(kind, error, trace)
        self._work.cleanup()

    @property
    def versions(self) -> dict[str, str]:
        return self._reader.versions

    def unpacked(self, path: Path) -> tuple[RawPage, ...]:
        """The rasters of a file, as the appliance's first step makes them."""
        self._files += 1
        place = Path(self._work.name) / f"{self._files}-{path.stem}"
        place.mkdir()
        return unpack(path, place, self.settings.ingest).pages

    def read_raw(self, raw: tuple[RawPage, ...]) -> tuple[list[ReadPage], float]:
        """Reads rasters; also the wall seconds. CPU seconds are those of all processes.

        Pages that could not be read are empty ones, and noted in ``failed``.
        """
        place = Path(self._work.name) / "out"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        cpu, wall = tree_seconds(), time.perf_counter()
        try:
            pages = self._reader.read(raw, place)
        except IdpError as error:
            self.failed.append(f"{Path(raw[0].path).parent.name}: {error.code}")
            return [ReadPage([], [], 0, 0.0, (1, 1)) for _ in raw], 0.0
        wall = time.perf_counter() - wall
        cpu = (tree_seconds() - cpu) / max(1, len(pages))
        return [_as_read(page, cpu) for page in pages], wall

    def read(self, path: Path) -> list[ReadPage]:
        """The pages of a file."""
        raw = self.unpacked(path)
        try:
            return self.read_raw(raw)[0]
        finally:
            for page in raw:
                Path(page.path).unlink(missing_ok=True)

    def workers_memory_mb(self) -> float:
        """Resident megabytes of the largest reading child."""
        sizes = []
        for child in psutil.Process().children(recursive=True):
            try:
                sizes.append(child.memory_info().rss / 2**20)
            except psutil.NoSuchProcess:
                continue
        return max(sizes, default=0.0)


def _as_read(page: Page, cpu: float) -> ReadPage:
    words = {word.id: word for word in page.words}  # row by row, across the columns of a page
    ordered = [words[number] for number in reading_order(page)]
    return ReadPage(
        [ReadWord(w.text, w.confidence, w.box, w.line) for w in ordered],
        [ReadMark(m.state, m.box, m.label) for m in page.marks],
        page.rotation,
        cpu,
        (page.width_px, page.height_px),
        {"grade": page.grade.value, "source": page.words_source},
        [(sign.state, sign.box) for sign in page.signatures],
    )


class Tesseract:
    """The `tesseract` program, one thread, automatic layout, on square pixels.

    A standard fax is stretched for it as the product stretches it: on raw 204 x 98 dots it would
    lose for a reason that has nothing to do with reading.
    """

    name = TESSERACT

    def __init__(self) -> None:
        program = shutil.which("tesseract")
        if program is None:
            raise FileNotFoundError("tesseract is not installed (Debian package tesseract-ocr)")
        self._program = program
        asked = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
        self.version = (asked.stdout or asked.stderr).splitlines()[0]

    def read_raw(self, raw: RawPage) -> ReadPage:
        """One raster read."""
        with (
            tempfile.TemporaryDirectory(prefix="idp-bench-") as place,
            Image.open(raw.path) as file,
        ):
            image = file.convert("L")
            if raw.dpi_y and raw.dpi_x / raw.dpi_y > 1.2:
                high = round(image.height * raw.dpi_x / raw.dpi_y)
                image = image.resize((image.width, high), Image.Resampling.BILINEAR)
            elif raw.dpi_y and raw.dpi_y / raw.dpi_x > 1.2:
                high = round(image.height * raw.dpi_x / raw.dpi_y)
                image = image.resize((image.width, high), Image.Resampling.BOX)
            path = Path(place) / "page.png"
            image.save(path, compress_level=1)
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            done = subprocess.run(
                [
                    *(self._program, str(path), "stdout"),
                    *("--psm", "3", "--dpi", str(round(raw.dpi_x)), "-l", "eng", "tsv"),
                ],
                capture_output=True,
                text=True,
                check=True,
                env={**os.environ, "OMP_THREAD_LIMIT": "1"},
            )
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return ReadPage(_from_table(done.stdout, image.size), None, 0, cpu, image.size)


def _from_table(table: str, size: tuple[int, int]) -> list[ReadWord]:
    """Words of Tesseract's TSV; its lines are numbered within blocks and paragraphs."""
    width, height = size
    lines: dict[tuple[str, ...], int] = {}
    words = []
    for row in csv.DictReader(io.StringIO(table), delimiter="\t", quoting=csv.QUOTE_NONE):
        if row["level"] != "5" or not row["text"].strip():
            continue
        place = tuple(row[name] for name in ("block_num", "par_num", "line_num"))
        line = lines.setdefault(place, len(lines))
        x, y = int(row["left"]), int(row["top"])
        box = Box(
            x / width,
            y / height,
            (x + int(row["width"])) / width,
            (y + int(row["height"])) / height,
        )
        words.append(ReadWord(row["text"], max(0.0, float(row["conf"])) / 100, box, line))
    return words
