# SPDX-License-Identifier: Apache-2.0
"""The door of the reading room: pages in, words and marks out, in child processes kept warm."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, Self

from idp.children import Children, Health, Limits
from idp.document import Page, RawPage
from idp.errors import AccessError
from idp.read.cache import CacheHealth, PageCache, reader_name
from idp.read.engine import Place, check, version
from idp.read.weights import Detection, Weights, prepare
from idp.settings import ReadSettings

if TYPE_CHECKING:
    from idp.read.page import Eyes

READING = "idp.read 3"
"""Raised when the same page and weights would be read differently."""

_HOW_IT_RUNS = frozenset(
    {
        "workers",
        "gpu_pages",
        "recycle_pages",
        "recycle_memory_mb",
        "page_seconds",
        "page_memory_mb",
        "cache_bytes",
        "cache_days",
    }
)
"""Settings that decide how reading runs and not what is read: no part of a page's name."""


class Job(NamedTuple):
    """Everything a child needs to read one page."""

    raw: RawPage
    workspace: str
    weights: Weights
    settings: ReadSettings
    place: Place


class Reader:
    """Reads pages; a context manager that owns its child processes. Thread-safe.

    A page that hangs or kills its child raises the coded error of
    :class:`idp.children.Children`; the reader goes on with a fresh child.
    """

    def __init__(
        self, settings: ReadSettings, models: Path, cache: PageCache | None = None
    ) -> None:
        """Prepares the weights (once) in ``models/cache``; children start with the first page.

        Where ``models`` is read-only (a system-wide installation), the user's cache folder is used.

        Args:
            settings: How to read.
            models: Shipped weights, and what is made from them.
            cache: Pages that were read before; without it every page is read.

        Raises:
            MissingDependencyError: a package with weights, or the engine, is not installed.
            ModelError: the weights are not what they should be.
            AccessError: they can't be written anywhere.
            SettingsError: ``layout_model`` names no model.
        """
        if settings.layout_model is not None:
            from idp.read.layout import check_detector  # noqa: PLC0415 - for those who name one

            check_detector(settings.layout_model)
        self._place = place_of(settings)
        check(self._place)
        self._settings = settings
        self._cache = cache
        self._weights = _prepared(models, settings.detection)
        pages = self._place.pages
        self._children = Children(
            workers=settings.workers,
            limits=Limits(
                seconds=settings.page_seconds * pages,
                memory_mb=settings.page_memory_mb,
                memory="resident",
                calls_per_process=-(-settings.recycle_pages // pages),
                soft_memory_mb=settings.recycle_memory_mb,
                input_is_hostile=False,
            ),
            warm_up=(_warm_up, (self._weights, settings, self._place)),
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
        """What reads: code, packages, engine and weights."""
        return {"read": READING, "engine": version(self._place), **self._weights.versions}

    @property
    def health(self) -> Health:
        """What has become of the reading processes."""
        return self._children.health

    @property
    def cache_health(self) -> CacheHealth | None:
        """What remembered pages were good for; ``None`` without a cache."""
        return self._cache.health if self._cache is not None else None

    def start(self) -> None:
        """Starts the reading processes; they load their models while others do other things."""
        self._children.start()

    def warm_up(self) -> None:
        """Starts the reading processes and waits until each has loaded its models.

        Raises:
            MissingDependencyError: the engine or its device is not there.
            ModelError: a model can't be loaded.
            ParserCrashedError: a process died while loading.
        """
        self._children.warm_up()

    def read(self, raw: Sequence[RawPage], workspace: Path) -> tuple[Page, ...]:
        """The pages as read, in the order given; upright images are written to ``workspace``.

        Raises:
            TooSlowError: a page took longer than ``page_seconds``.
            ParserCrashedError: a page killed its child, or needed too much memory.
            DamagedFileError: a page's image can't be opened.
        """
        if self._cache is not None:
            pages = self._read_new(self._cache, raw, workspace)
        else:
            pages = self._read(raw, workspace)
        versions = self.versions
        return tuple(page.model_copy(update={"model_versions": versions}) for page in pages)

    def _read_new(self, cache: PageCache, raw: Sequence[RawPage], workspace: Path) -> list[Page]:
        """Reads only what was not read before; the same page twice in a file is read once."""
        keys: dict[int, str] = {}
        for i, page in enumerate(raw):
            with contextlib.suppress(OSError):  # an image that is not there: reading will say so
                keys[i] = cache.key(page, self._name)
        found: dict[int, Page] = {}
        new: dict[str, int] = {}
        for i, key in keys.items():
            if key not in new:
                known = cache.get(key, raw[i].number, _image(workspace, raw[i]))
                if known is None:
                    new[key] = i
                else:
                    found[i] = known
        fresh = list(new.values())
        for i, read in zip(fresh, self._read([raw[i] for i in fresh], workspace), strict=True):
            cache.put(keys[i], read)
            found[i] = read
        for i, key in keys.items():
            if i not in found:
                known = cache.get(key, raw[i].number, _image(workspace, raw[i]))
                if known is not None:
                    found[i] = known
        left = [i for i in range(len(raw)) if i not in found]
        found |= zip(left, self._read([raw[i] for i in left], workspace), strict=True)
        return [found[i] for i in range(len(raw))]

    def _read(self, raw: Sequence[RawPage], workspace: Path) -> list[Page]:
        if not raw:
            return []
        jobs = [
            Job(page, str(workspace), self._weights, self._settings, self._place) for page in raw
        ]
        if self._place.pages == 1:
            return self._children.map(_read, jobs)
        groups = [jobs[i : i + self._place.pages] for i in range(0, len(jobs), self._place.pages)]
        return [page for group in self._children.map(_read_together, groups) for page in group]

    @functools.cached_property
    def _name(self) -> str:
        """Everything about who reads."""
        settings = self._settings.model_dump(mode="json", exclude=set(_HOW_IT_RUNS))
        return reader_name({**self.versions, "code": _code()}, settings)


def place_of(settings: ReadSettings) -> Place:
    """Where the settings let networks run; on a CPU one page at a time."""
    place = Place(settings.engine, settings.device)
    return dataclasses.replace(place, pages=settings.gpu_pages) if place.on_gpu else place


def _prepared(models: Path, detection: Detection) -> Weights:
    try:
        return prepare(models / "cache", detection)
    except AccessError:
        home = os.environ.get("XDG_CACHE_HOME")
        return prepare((Path(home) if home else Path.home() / ".cache") / "idp", detection)


def _image(workspace: Path, raw: RawPage) -> Path:
    """Where the upright image of a remembered page goes."""
    return workspace / f"known-{raw.number:04d}.png"


@functools.cache
def _code() -> str:
    """The hash of the code that reads: a change of it is never answered with old pages."""
    folder = Path(__file__).parent
    digest = hashlib.sha256()
    data = (path for path in folder.iterdir() if path.is_file())  # code, tables, small models
    for path in sorted([*data, folder.parent / "document.py"]):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _load(weights: Weights, settings: ReadSettings, place: Place) -> Eyes:
    """Runs in a child: the models, loaded with the first call."""
    # Before any model runtime is loaded: one thread each, and no look for a model server.
    os.environ["OMP_NUM_THREADS"] = "1"
    os.environ["PADDLE_PDX_DISABLE_MODEL_SOURCE_CHECK"] = "True"
    from idp.read.page import warm  # noqa: PLC0415 - only children load the models

    return warm(weights, place, settings.detection_side)


def _warm_up(weights: Weights, settings: ReadSettings, place: Place) -> None:
    """Runs first in every child."""
    _load(weights, settings, place)


def _read(job: Job) -> Page:
    """Runs in a child."""
    from idp.read.page import read_page  # noqa: PLC0415 - only children load the models

    settings = job.settings
    eyes = _load(job.weights, settings, job.place)
    return read_page(job.raw, Path(job.workspace), eyes, settings)


def _read_together(jobs: Sequence[Job]) -> list[Page]:
    """Runs in a child on a GPU: a thread for each page, whose requests are run together."""
    _load(jobs[0].weights, jobs[0].settings, jobs[0].place)
    with ThreadPoolExecutor(len(jobs)) as threads:
        return list(threads.map(_read, jobs))
