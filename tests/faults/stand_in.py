# SPDX-License-Identifier: Apache-2.0
"""An appliance in a process of its own, with a slow stand-in for the pipeline, to be killed.

Usage: ``python -m tests.faults.stand_in DATA MODE SECONDS ENGINE`` (engine settings as JSON). It
runs until SIGTERM. MODE is one of

- ``good``: one document per ``page`` in the file,
- ``raises``: always an error,
- ``full``: the disk is full until ``<data>/mended`` exists,
- ``crashes``: a child process dies every time,
- ``hangs``: never ends, whatever is closed,
- ``dies``: kills its own process group on a file whose bytes begin with ``poison``,
- ``real``: the product's own pipeline,
- ``run``: as ``idp run``, with the stand-in.

IDP_TEST_DELIVER holds other settings of delivery than the outbox, as JSON.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from idp import appliance as appliance_module
from idp.appliance import Appliance
from idp.document import Decision, Document, DocumentType, Page
from idp.errors import ParserCrashedError
from idp.settings import ChannelSettings, EngineSettings, IngestSettings, ServeSettings, Settings
from idp.slices import DeliverSettings


class Result(NamedTuple):
    documents: tuple[Document, ...]
    pages: tuple[Page, ...]


class SlowPipeline:
    """Sleeps, then finds one document per ``page`` line of the file."""

    def __init__(self, data: Path, mode: str, seconds: float) -> None:
        self.data = data
        self.mode = mode
        self.seconds = seconds
        self.closed = threading.Event()

    def process(self, path, *, workspace, channel, received_at, source=None, **rest):
        content = path.read_bytes()
        if self.mode == "hangs":
            threading.Event().wait()
        self.closed.wait(self.seconds)
        if self.mode == "raises":
            raise ValueError("this pipeline always fails")
        if self.mode == "full" and not (self.data / "mended").exists():
            raise OSError(errno.ENOSPC, "no space left")
        if self.mode == "crashes" or self.closed.is_set():
            return Result((self.refused(path, channel),), ())
        if self.mode == "dies" and content.startswith(b"poison"):
            os.killpg(0, signal.SIGKILL)
        count = max(1, content.count(b"page"))
        pages, documents = [], []
        for number in range(1, count + 1):
            image = workspace / f"{number}.png"
            Image.new("L", (60, 80), 255).save(image)
            pages.append(Page(number=number, width_px=60, height_px=80, dpi=10, image=str(image)))
            documents.append(
                Document(
                    document_id=f"{path.name}-{number}",
                    source=source or path.name,
                    sha256=path.parent.name + path.name,
                    channel=channel,
                    type=DocumentType.REFERRAL if b"referral" in content else DocumentType.OTHER,
                    type_confidence=1.0,
                    pages=(number,),
                    decision=Decision.REVIEW if b"review" in content else Decision.AUTO,
                )
            )
        return Result(tuple(documents), tuple(pages))

    def refused(self, path, channel):
        """What the real pipeline returns when its child died."""
        return Document(
            document_id=path.name,
            source=path.name,
            sha256=path.parent.name + path.name,
            channel=channel,
            type=DocumentType.OTHER,
            type_confidence=0.0,
            pages=(),
            decision=Decision.QUARANTINE,
            error=ParserCrashedError.code,
        )


def settings_for(data: Path, **engine: object) -> Settings:
    """Quick settings with nothing from the environment that matters."""
    return Settings(
        data=data,
        database_url=os.environ.get("IDP_TEST_DATABASE_URL"),
        serve=ServeSettings(port=0),
        deliver=DeliverSettings.model_validate_json(os.environ.get("IDP_TEST_DELIVER", "{}")),
        ingest=IngestSettings(
            channels={
                "fax": ChannelSettings(priority=5, settle_seconds=0.2),
                "urgent": ChannelSettings(priority=1, settle_seconds=0.2),
            },
            rescan_seconds=0.5,
        ),
        engine=EngineSettings(**({"concurrency": 4, "reconcile_seconds": 1.0} | engine)),
    )


def pipeline_of(mode: str, seconds: float):
    @contextmanager
    def make(settings: Settings) -> Iterator[SlowPipeline]:
        pipeline = SlowPipeline(settings.data, mode, seconds)
        yield pipeline
        pipeline.closed.set()

    return make


def main() -> None:
    data, mode, seconds = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
    settings = settings_for(data, **json.loads(sys.argv[4]))
    if mode == "run":
        appliance_module._real_pipeline = pipeline_of("good", seconds)
        appliance_module.run(settings)
        return
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    pipeline = None if mode == "real" else pipeline_of(mode, seconds)
    with Appliance(settings, pipeline=pipeline, grace_seconds=1) as appliance:
        (data / "ready").touch()
        stop.wait()
    if appliance.busy:
        os._exit(0)


if __name__ == "__main__":
    main()
