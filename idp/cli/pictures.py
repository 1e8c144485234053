# SPDX-License-Identifier: Apache-2.0
"""Pictures and layouts of pages as files, for ``idp read`` and ``idp show``."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from PIL import Image

from idp.cli.border import messages
from idp.document import Document, Page
from idp.errors import AccessError, NotFoundError
from idp.overlay import LAYERS, Layer, draw_page

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

_SHEETS = 50


def layers_of(names: str | None) -> tuple[Layer, ...]:
    """The layers that an option names, separated by commas; all without it.

    Raises:
        typer.BadParameter: A name is none of a layer.
    """
    if names is None:
        return LAYERS
    wanted = {name.strip() for name in names.split(",")}
    unknown = wanted.difference(LAYERS)
    if unknown:
        raise typer.BadParameter(
            f"{', '.join(sorted(unknown))}: the layers are {', '.join(LAYERS)}"
        )
    return tuple(layer for layer in LAYERS if layer in wanted)


class PageFiles:
    """Files about pages in a folder: ``<file>-p<page>.<suffix>``, one name per source."""

    def __init__(self, folder: Path) -> None:
        """Makes the folder.

        Raises:
            AccessError: It can't be made.
        """
        with _writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._names: dict[Path, str] = {}

    def path(self, source: Path, page: int, suffix: str) -> Path:
        """Where a page's file goes; sources of the same name get names of their own."""
        if source not in self._names:
            taken = set(self._names.values())
            count, name = 1, source.name
            while name in taken:
                count += 1
                name = f"{source.name}~{count}"
            self._names[source] = name
        return self._folder / f"{self._names[source]}-p{page}{suffix}"


def write_overlay(
    page: Page, image: Path, target: Path, *, layers: Collection[Layer], title: str
) -> None:
    """Draw what was seen on a page to a PNG file.

    Raises:
        AccessError: The file can't be written.
    """
    with Image.open(image) as opened:
        _save(draw_page(page, opened, layers=layers, title=title), target)
    messages().print(f"[dim]overlay:[/] {target}", soft_wrap=True)


def write_page_layout(page: Page, target: Path) -> None:
    """Write a page's layout as layoutparser loads it.

    Raises:
        AccessError: The file can't be written.
    """
    from idp.read.layout import write_layout  # noqa: PLC0415 - heavy

    with _writing(target):
        write_layout(page, target)
    messages().print(f"[dim]layout:[/] {target}", soft_wrap=True)


def draw_document(
    document: Document,
    pages: Sequence[Page],
    images: Mapping[int, Path],
    target: Path,
    layers: Collection[Layer],
) -> None:
    """Draw a document's pages: outlined fields (.pdf), one tall picture (.png), or a folder.

    Raises:
        AccessError: The target can't be written.
        NotFoundError: There are no pages to draw.
    """
    kind = "" if target.is_dir() else target.suffix.lower()
    if kind == ".pdf":
        _draw_pdf(document, images, target)
        messages().print(f"[dim]outlined pages:[/] {target}", soft_wrap=True)
        return
    seen = [page for page in pages if page.number in images]
    if not seen:
        raise NotFoundError(f"{document.document_id} has no pages to draw")
    name = Path(f"{document.document_id[-8:]}")
    if kind == ".png":
        _save(_below_each_other(_drawn(document, seen, images, layers)), target)
        messages().print(f"[dim]overlay:[/] {target}", soft_wrap=True)
        return
    files = PageFiles(target)
    for page, picture in zip(seen, _drawn(document, seen, images, layers), strict=True):
        path = files.path(name, page.number, ".png")
        _save(picture, path)
        messages().print(f"[dim]overlay:[/] {path}", soft_wrap=True)


def _drawn(
    document: Document,
    pages: Sequence[Page],
    images: Mapping[int, Path],
    layers: Collection[Layer],
) -> Iterator[Picture]:
    for page in pages:
        with Image.open(images[page.number]) as opened:
            yield draw_page(page, opened, document, layers=layers, title=document.document_id[-8:])


def _below_each_other(pictures: Iterator[Picture]) -> Picture:
    drawn: list[Picture] = []
    for picture in pictures:
        if len(drawn) == _SHEETS:
            raise typer.BadParameter(
                f"more than {_SHEETS} pages: name a folder instead of a .png file"
            )
        drawn.append(picture)
    size = max(picture.width for picture in drawn), sum(picture.height for picture in drawn)
    sheet = Image.new("RGB", size, "white")
    top = 0
    for picture in drawn:
        sheet.paste(picture, (0, top))
        top += picture.height
    return sheet


def _draw_pdf(document: Document, images: Mapping[int, Path], target: Path) -> None:
    from idp.deliver import draw_overlay  # noqa: PLC0415 - heavy

    # Beside the target first, so that a full disk leaves no half file under its name.
    with _writing(target), tempfile.TemporaryDirectory(dir=target.absolute().parent) as work:
        half = Path(work) / "overlay.pdf"
        draw_overlay(document, images, half)
        half.replace(target)


def _save(picture: Picture, target: Path) -> None:
    with _writing(target):
        # More effort takes twice the time and saves nothing on pages.
        picture.save(target, "PNG", compress_level=1)


@contextmanager
def _writing(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise AccessError(f"{target}: {error.strerror or type(error).__name__}") from error
