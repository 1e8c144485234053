# SPDX-License-Identifier: Apache-2.0
"""Cases on paper, through a fax line, read by the product's own reader; each page is read once."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from pathlib import Path

from pydantic import TypeAdapter

from idp.document import Document, Page
from idp.read import without_fax_headers
from idp.read.engine import Place
from idp.read.page import Eyes, read_page, warm
from idp.read.weights import prepare
from idp.settings import ReadSettings
from training.faults.cases import Case
from training.faults.draw import Paper, as_arrived, document_of, drawn, received_at
from training.faults.pools import SPLIT
from training.faults.ways import Words
from training.synthesise.render import arrivals, on_paper

VARIANTS = ("fine_dither", "fine_threshold")
"""Fine faxes of :mod:`training.faxes`, in turn."""
_PAGES = TypeAdapter(tuple[Page, ...])


class FineFax(Words):
    """Drawn in real fonts, degraded as a fine fax, read, extracted, judged.

    Args:
        models: Folder of weights.
        kept: Where pages are kept once they were read; the same case is never read twice.
    """

    def __init__(self, models: Path, kept: Path) -> None:
        super().__init__(models)
        self._kept = kept
        self._settings = ReadSettings()
        self._warm: Callable[[], Eyes] = lambda: warm(
            prepare(models / "cache", self._settings.detection),
            Place(),
            self._settings.detection_side,
        )
        self._eyes: Eyes | None = None

    def __call__(self, case: Case) -> Document:
        if case.remit is not None:
            return super().__call__(case)
        pages = self.pages(case)
        blank = document_of(case, pages, (), ())
        found = self.extractor.extract(pages, blank.type)
        draft = document_of(case, pages, found.fields, found.claims)
        return self.judge.judged(draft, pages, received_at=received_at(case), arrived=pages)

    def draft(self, case: Case, paper: Paper) -> Document:
        """Not asked: what is drawn is read first."""
        raise NotImplementedError

    def pages(self, case: Case) -> tuple[Page, ...]:
        """The case as read."""
        usual = Case._field_defaults
        facts = [
            (name, sorted(value) if isinstance(value, frozenset) else value)
            for name, value in case._asdict().items()
            if name != "name" and value != usual.get(name)
        ]
        key = hashlib.sha256(repr(facts).encode()).hexdigest()[:24]
        target = self._kept / f"{key}.json"
        if target.exists():
            return as_arrived(case, _PAGES.validate_json(target.read_bytes()))
        pages = self._read(case, key)
        self._kept.mkdir(parents=True, exist_ok=True)
        part = target.with_suffix(".part")
        part.write_bytes(_PAGES.dump_json(pages))
        part.replace(target)  # last: what is there is whole
        return as_arrived(case, pages)

    def _read(self, case: Case, key: str) -> tuple[Page, ...]:
        if self._eyes is None:
            self._eyes = self._warm()
        variant = VARIANTS[int(key[:4], 16) % len(VARIANTS)]
        pages, raws = [], []
        with tempfile.TemporaryDirectory() as folder:
            sheets = on_paper(drawn(case), key, SPLIT)
            for _, _, raw in arrivals(sheets, variant, 0, Path(folder), "page"):
                page = read_page(raw, Path(folder), self._eyes, self._settings)
                pages.append(page.model_copy(update={"image": None}))
                raws.append(raw)
        # The line that the degrading machine prints counts pages of a fax that never was.
        read = without_fax_headers(pages, raws)
        return tuple(page.model_copy(update={"fax_header": None}) for page in read)
