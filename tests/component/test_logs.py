# SPDX-License-Identifier: Apache-2.0
"""What the appliance writes to its logs: ids and codes, never what stands on a page."""

import contextlib
import hashlib
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import idp.contract
from idp.appliance import Appliance
from idp.document import Decision, Document, Page
from idp.serve import StatusPage, create_app
from idp.settings import ChannelSettings, EngineSettings, IngestSettings, Settings
from idp.store import Results, State
from tests.fabricate import PATIENT, document, field, page, page_image

pytestmark = pytest.mark.component

FIRST, LAST = PATIENT.split()
MEMBER = "QXK204417793"
SECRETS = (PATIENT, FIRST, LAST, MEMBER, "1961-04-09", "04/09/1961")


class Pipeline:
    """Finds the patient on good files and names her in the error on bad ones."""

    def process(self, path: Path, *, workspace: Path, source: str, **_: Any) -> Results:
        content = path.read_bytes()
        if content.startswith(b"bad"):
            raise ValueError(f"can't make sense of {PATIENT}, {MEMBER}")
        image = page_image(workspace / "page.png")
        return Results((self._found(content, source),), (self._page(image),))

    def _found(self, content: bytes, source: str) -> Document:
        return document(
            content,
            source=source,
            fields=(field("patient_name", PATIENT), field("member_id", MEMBER)),
            decision=Decision.AUTO if content.startswith(b"auto") else Decision.REVIEW,
            missing=(),
            findings=(),
            reasons=(f"{PATIENT} is doubtful",),
        )

    def _page(self, image: Path) -> Page:
        return page(1, image)


@contextlib.contextmanager
def _pipeline(settings: Settings) -> Iterator[Pipeline]:
    del settings
    yield Pipeline()


def _wait(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not come to rest in time"
        time.sleep(0.05)


def test_names_and_numbers_of_patients_never_reach_the_logs(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(
        data=tmp_path / "data",
        ingest=IngestSettings(
            channels={"fax": ChannelSettings(settle_seconds=0)}, rescan_seconds=0.2
        ),
        engine=EngineSettings(attempts=1),
        serve={"port": 0},
    )
    # `idp run` logs the rest of the world from WARNING on; watchdog's DEBUG names files.
    caplog.set_level(logging.INFO)
    caplog.set_level(logging.DEBUG, "idp")
    with Appliance(settings, pipeline=_pipeline) as appliance:
        store = appliance.store
        fax = settings.inbox_folder / "fax"
        for content in (b"auto", b"review", b"bad", b""):
            half = settings.data / "half"
            half.write_bytes(content)
            half.rename(fax / f"{LAST}, {FIRST} {content.decode() or 'empty'}.tif")
        _wait(lambda: sum(store.counts().values()) == 4)
        _wait(lambda: store.counts()[State.DELIVERED] == 1)
        _wait(lambda: store.counts()[State.REVIEW] == 2)
        _wait(lambda: store.counts()[State.QUARANTINED] == 1)
        with StatusPage(create_app(settings, store), settings.serve) as served:
            for row in store.recent():
                for address in ("", "/document.json", "/pages/1", "/original"):
                    httpx.get(f"{served.address}documents/{row.id}{address}")
            assert (
                PATIENT in httpx.get(served.address).text or LAST in httpx.get(served.address).text
            )
    printed = capfd.readouterr()
    for text in (caplog.text, printed.out, printed.err):
        for secret in SECRETS:
            assert secret not in text, secret
    assert "delivered" in caplog.text, "the log is not empty for another reason"
    delivered = [p for p in settings.outbox_folder.iterdir() if not p.name.startswith(".")]
    assert len(delivered) == 1
    for secret in (FIRST, LAST):
        assert secret not in str(delivered[0])
    original = (delivered[0] / "original.tif").read_bytes()
    assert hashlib.sha256(original).hexdigest() == hashlib.sha256(b"auto").hexdigest()
    assert idp.contract.SCHEMA in (delivered[0] / "document.json").read_text()
