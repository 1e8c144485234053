# SPDX-License-Identifier: Apache-2.0
"""Plain text set on letter pages as a PDF, so that it is read by its text layer like any other.

Two ways: text that runs is wrapped at words; text whose columns are aligned with blanks keeps
them, each word at its column. One font serves both: DejaVu Sans (Latin, Greek, Cyrillic, symbols)
from the OpenCV wheel that idp installs or from the system, else reportlab's own Vera (Latin-1). A
character that the font lacks is shown as a box.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import reportlab
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont
from reportlab.pdfgen.canvas import Canvas

from idp.errors import TooLargeError
from idp.settings import IngestSettings

_FONT = "idp-text"
_WIDTH, _HEIGHT, _MARGIN = 612.0, 792.0, 45.0  # points, US letter
_SIZE, _LEAST_SIZE, _LEADING = 10.0, 5.5, 1.25
_CELL = 0.62  # width of a column, of the font's size
_TAB = 8
_LEAST_ALIGNED = 2
_GAP = re.compile(r"\S {2,}(?=\S)")
_BOX = "\u25a1"
_SYSTEM_FONT = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")


def typeset(text: str, target: Path, limits: IngestSettings) -> None:
    """Writes the text as a PDF; the same text gives the same bytes.

    Raises:
        TooLargeError: it takes more pages than ``limits.max_pages``.
    """
    advances = _font()
    sheet = _Sheet(target, limits)
    for block in _blocks([_printable(line, advances) for line in _lines(text)]):
        if block == ["\f"]:
            sheet.next_page()
        elif has_columns(block):
            size = _size_for(block)
            for line in block:
                for piece in _cut(line, size):
                    y = sheet.next_line(size)
                    _draw_columns(sheet.canvas, piece, y, size, advances)
        else:
            for line in block:
                for piece in _wrapped(line, _SIZE, advances):
                    y = sheet.next_line(_SIZE)
                    sheet.canvas.setFont(_FONT, _SIZE)
                    sheet.canvas.drawString(_MARGIN, y, piece)
    sheet.save()


def has_columns(lines: list[str]) -> bool:
    """Whether blanks align words of several lines below one another.

    Blanks at the beginning of a line, or a few after a full stop, align nothing.
    """
    starts: dict[int, int] = {}
    for line in lines:
        for gap in _GAP.finditer(line):
            if gap.group()[0] not in ".!?:" or len(gap.group()) > 3:
                starts[gap.end()] = starts.get(gap.end(), 0) + 1
    return max(starts.values(), default=0) >= _LEAST_ALIGNED


class _Sheet:
    """The pages under way, and where the next line stands."""

    def __init__(self, target: Path, limits: IngestSettings) -> None:
        self.canvas = Canvas(
            str(target), pagesize=(_WIDTH, _HEIGHT), invariant=1, pageCompression=1
        )
        self._most = limits.max_pages
        self._page = 1
        self._y = _HEIGHT - _MARGIN

    def next_line(self, size: float) -> float:
        """The base line of the next line of text, on a new page where this one is full."""
        if self._y - size * _LEADING < _MARGIN:
            self.next_page()
        self._y -= size * _LEADING
        return self._y

    def next_page(self) -> None:
        """Begins a page, unless this one is still empty."""
        if self._y >= _HEIGHT - _MARGIN:
            return
        if self._page >= self._most:
            raise TooLargeError(f"takes more pages than ingest.max_pages {self._most}")
        self.canvas.showPage()
        self._page += 1
        self._y = _HEIGHT - _MARGIN

    def save(self) -> None:
        self.canvas.showPage()
        self.canvas.save()


def _blocks(lines: list[str]) -> Iterator[list[str]]:
    """Runs of lines between empty ones; an empty line and a form feed stand by themselves."""
    block: list[str] = []
    for line in lines:
        if line in ("", "\f"):
            if block:
                yield block
            yield [line]
            block = []
        else:
            block.append(line)
    if block:
        yield block


@cache
def _font() -> dict[int, float]:
    """Registers the font and returns the advance of each character it has, in 1/1000 of its size.

    The place is asked of the import system without importing OpenCV.
    """
    spec = find_spec("cv2")
    folders = (
        [Path(each) / "qt" / "fonts" for each in (spec.submodule_search_locations or ())]
        if (spec is not None)
        else []
    )
    candidates = [folder / "DejaVuSans.ttf" for folder in folders]
    candidates.append(_SYSTEM_FONT)
    candidates.append(Path(reportlab.__file__).parent / "fonts" / "Vera.ttf")
    for candidate in candidates:
        try:
            font = TTFont(_FONT, str(candidate))
        except TTFError:
            continue
        pdfmetrics.registerFont(font)
        advances: dict[int, float] = dict(font.face.charWidths)
        return advances
    raise AssertionError("reportlab lacks its own font")


def _lines(text: str) -> Iterator[str]:
    """Lines with tabs as blanks; a form feed stands by itself."""
    text = unicodedata.normalize("NFC", text)
    for line in re.split(r"\r\n|[\r\n\v\x85\u2028\u2029]", text):
        pieces = line.split("\f")
        for number, piece in enumerate(pieces):
            if number:
                yield "\f"
            if piece or number == 0:
                yield piece.expandtabs(_TAB).rstrip()


def _printable(line: str, advances: dict[int, float]) -> str:
    """What the font can show; invisible marks go, and what it lacks becomes a box."""
    if line == "\f" or (line.isascii() and line.isprintable()):
        return line
    shown = []
    for character in line:
        kind = unicodedata.category(character)
        if kind == "Zs":
            shown.append(" ")
        elif kind in ("Cf", "Cc", "Mn", "Me"):
            continue
        elif ord(character) in advances and kind not in ("Cs", "Cn"):
            shown.append(character)
        else:
            shown.append(_BOX if ord(_BOX) in advances else "?")
    return "".join(shown)


def _wrapped(line: str, size: float, advances: dict[int, float]) -> Iterator[str]:
    """The line in pieces that fit between the margins, cut at blanks where there are any."""
    room = (_WIDTH - 2 * _MARGIN) * 1000 / size
    blank = advances.get(32, 318)
    now, width = "", 0.0
    for word in re.findall(r" *[^ ]+", line):
        wide = sum(advances.get(ord(c), blank) for c in word)
        if width + wide <= room:
            now, width = now + word, width + wide
            continue
        if now:
            yield now
        now, width = "", 0.0
        for character in word.lstrip(" "):  # alone on its line, and cut where it is too long
            advance = advances.get(ord(character), blank)
            if now and width + advance > room:
                yield now
                now, width = "", 0.0
            now, width = now + character, width + advance
    yield now


def _size_for(lines: list[str]) -> float:
    """The size at which the longest line fits, within reason."""
    longest = max((len(line) for line in lines), default=1)
    fits = (_WIDTH - 2 * _MARGIN) / (_CELL * max(1, longest))
    return max(_LEAST_SIZE, min(_SIZE, fits))


def _cut(line: str, size: float) -> Iterator[str]:
    """An aligned line in pieces of as many columns as the page has."""
    columns = int((_WIDTH - 2 * _MARGIN) / (_CELL * size))
    yield line[:columns]
    for start in range(columns, len(line), columns):
        yield line[start : start + columns]


def _draw_columns(
    canvas: Canvas, line: str, y: float, size: float, advances: dict[int, float]
) -> None:
    """Each run of words at its column, squeezed where its letters are wider than its columns."""
    for run in re.finditer(r"\S+(?: \S+)*", line):
        text = run.group()
        wide = sum(advances.get(ord(c), 600) for c in text) * size / 1000
        room = (len(text) + (0.5 if len(text) < 4 else 0)) * _CELL * size
        drawn = canvas.beginText(_MARGIN + run.start() * _CELL * size, y)
        drawn.setFont(_FONT, size)
        drawn.setHorizScale(100.0 * min(1.0, room / wide) if wide else 100.0)
        drawn.textOut(text)
        canvas.drawText(drawn)
