# SPDX-License-Identifier: Apache-2.0
"""Pages of real blank forms as training pages: print as people set it, and their own text layer.

What generated pages lack is how real forms look: condensed and tiny print, tight boxes, labels
that touch rules, option boxes against words. A form with a text layer says what it says; the layer
is proven by nothing here, so that only forms of known origin should be in the folder. Every other
form, by its name, is kept for judging.
"""

from __future__ import annotations

import io
import random
import zlib
from pathlib import Path

import pypdfium2 as pdfium

from idp.ingest.pdf_text import text_layer
from training.faxes import Drawn
from training.faxes.truth import Segment, TrueWord, Truth

_FEWEST_WORDS = 30  # on a page that is worth reading


class Forms:
    """The pages of the PDF files under a folder, for training or (``judge``) for judging."""

    def __init__(self, folder: Path, *, judge: bool = False) -> None:
        """Looks the files up.

        Raises:
            FileNotFoundError: there is none.
        """
        files = sorted(folder.rglob("*.pdf"))
        self.files = [file for file in files if _kept_for_judging(file) == judge]
        if not self.files:
            raise FileNotFoundError(f"{folder} holds no PDF files for this half")

    def any_page(self, rng: random.Random) -> Drawn:
        """A page of any form; forms with a text layer are rare to lack one, so this ends."""
        while True:
            drawn = _page(rng.choice(self.files), rng)
            if drawn is not None:
                return drawn


def _kept_for_judging(file: Path) -> bool:
    return zlib.crc32(file.name.encode()) % 2 == 1


def _page(file: Path, rng: random.Random) -> Drawn | None:
    document = pdfium.PdfDocument(file)
    try:
        index = rng.randrange(len(document))
        alone = pdfium.PdfDocument.new()
        alone.import_pages(document, [index])
    finally:
        document.close()
    try:
        page = alone[0]
        size = (float(page.get_width()), float(page.get_height()))
        page.render(scale=0.2)  # the layer wants a page that was drawn before
        words, _ = text_layer(alone, 0, page)  # flattens: what is saved is what is seen
        if len(words) < _FEWEST_WORDS:
            return None
        buffer = io.BytesIO()
        alone.save(buffer)
    finally:
        alone.close()
    truth = Truth(
        words=tuple(
            TrueWord(word.text, word.box, number, word.box.height * size[1])
            for number, word in enumerate(words)
        ),
        segments=tuple(Segment(word.text, word.box) for word in words),
    )
    return Drawn(f"form {file.stem}", index, buffer.getvalue(), truth, size)
