# SPDX-License-Identifier: Apache-2.0
"""An appliance with one mailbox, in a process of its own that ends itself at a given line.

Usage: ``python -m tests.component.mailbox_stand_in DATA PORT PASSWORD_FILE AFTER WHERE COUNT``.
WHERE is the function of :mod:`idp.ingest.mailbox` before or after whose COUNT-th call the process
dies as by ``kill -9`` (``_write:after``), or ``never``.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from idp.appliance import Appliance
from idp.ingest import mailbox
from idp.settings import ChannelSettings, IngestSettings, MailboxSettings, Settings
from tests.faults.stand_in import pipeline_of
from tests.imap_server import USER


def settings_for(data: Path, port: int, password_file: Path, after: str) -> Settings:
    return Settings(
        data=data,
        ingest=IngestSettings(
            channels={"email": ChannelSettings(settle_seconds=0.1)},
            rescan_seconds=0.3,
            mailboxes={
                "intake": MailboxSettings(
                    host="127.0.0.1",
                    port=port,
                    security="none",
                    user=USER,
                    password_file=password_file,
                    after=after,
                    poll_seconds=1,
                )
            },
        ),
    )


def _die_at(place: str, count: int) -> None:
    if place == "never":
        return
    name, _, when = place.partition(":")
    real = getattr(mailbox, name)
    calls = [0]

    def dying(*arguments: Any) -> Any:
        calls[0] += 1
        if calls[0] == count and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        answer = real(*arguments)
        if calls[0] == count:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    setattr(mailbox, name, dying)


def main() -> None:
    data, port, password_file, after, place, count = sys.argv[1:]
    _die_at(place, int(count))
    settings = settings_for(Path(data), int(port), Path(password_file), after)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    with Appliance(settings, pipeline=pipeline_of("good", 0.01), grace_seconds=1):
        stop.wait()


if __name__ == "__main__":
    main()
