# SPDX-License-Identifier: Apache-2.0
"""The door of the reading room: pages in, words and marks out, in child processes kept warm."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from idp.children import Children, Limits
from idp.document import Page, RawPage
from idp.errors import AccessError
from idp.read.weights import Detection, Weights, prepare
from idp.settings import ReadSettings

READING = "idp.read 1"
"""Raised when the same page and weights would be read differently."""


class Job(NamedTuple):
    """Everything a child needs to read one page."""

    raw: RawPage
    workspace: str
    weights: Weights
    settings: ReadSettings


class Reader:
    """Reads pages; a context manager that owns its child processes. Thread-safe.

    A page that hangs or kills its child raises the coded error of
    :class:`idp.children.Children`; the reader goes on with a fresh child.
    """

    def __init__(self, settings: ReadSettings, models: Path) -> None:
        """Prepares the weights (once) in ``models/cache``; children start with the first page.

        Where ``models`` is read-only (a system-wide installation), the user's cache folder is used.

        Raises:
            MissingDependencyError: a package with weights is not installed.
            ModelError: the weights are not what they should be.
            AccessError: they can't be written anywhere.
            SettingsError: ``layout_model`` names no model.
        """
        if settings.layout_model is not None:
            from idp.read.layout import check_detector  # noqa: PLC0415 - for those who name one

            check_detector(settings.layout_model)
        self._settings = settings
        self._weights = _prepared(models, settings.detection)
        self._children = Children(
            workers=settings.workers,
            limits=Limits(
                seconds=settings.page_seconds,
                memory_mb=settings.page_memory_mb,
                memory="resident",
                calls_per_process=settings.recycle_pages,
                input_is_hostile=False,
            ),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the children."""
        self._children.close()

    @property
    def versions(self) -> dict[str, str]:
        """What reads: code, packages and weights."""
        return {"read": READING, **self._weights.versions}

    def read(self, raw: Sequence[RawPage], workspace: Path) -> tuple[Page, ...]:
        """The pages as read, in the order given; upright images are written to ``workspace``.

        Raises:
            TooSlowError: a page took longer than ``page_seconds``.
            ParserCrashedError: a page killed its child, or needed too much memory.
            DamagedFileError: a page's image can't be opened.
        """
        jobs = [Job(page, str(workspace), self._weights, self._settings) for page in raw]
        pages = self._children.map(_read, jobs) if jobs else []
        return tuple(page.model_copy(update={"model_versions": self.versions}) for page in pages)


def _prepared(models: Path, detection: Detection) -> Weights:
    try:
        return prepare(models / "cache", detection)
    except AccessError:
        home = os.environ.get("XDG_CACHE_HOME")
        return prepare((Path(home) if home else Path.home() / ".cache") / "idp", detection)


def _read(job: Job) -> Page:
    """Runs in a child."""
    # Before any model runtime is loaded: one thread each, and no look for a model server.
    os.environ["OMP_NUM_THREADS"] = "1"
    os.environ["PADDLE_PDX_DISABLE_MODEL_SOURCE_CHECK"] = "True"
    from idp.read.page import read_page, warm  # noqa: PLC0415 - only children load the models

    ocr = warm(job.weights, job.settings.device, job.settings.detection_side)
    settings = job.settings
    return read_page(job.raw, Path(job.workspace), ocr, settings.blur_sigma, settings.layout_model)
