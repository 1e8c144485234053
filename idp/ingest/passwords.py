# SPDX-License-Identifier: Apache-2.0
"""The passwords that senders agreed on, from the file that the settings name."""

from __future__ import annotations

from idp.errors import AccessError
from idp.settings import IngestSettings

MOST_PASSWORDS = 500
"""More are not tried: revision 6 of PDF encryption makes each of them cost milliseconds."""


def passwords(limits: IngestSettings) -> tuple[str, ...]:
    """The lines of ``ingest.passwords_file`` in order; none when there is no such setting.

    Raises:
        AccessError: the file that the settings name can't be read; nothing is refused for that.
    """
    if limits.passwords_file is None:
        return ()
    try:
        text = limits.passwords_file.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise AccessError(f"ingest.passwords_file: {error.strerror}") from error
    lines = dict.fromkeys(line.rstrip("\r\n") for line in text.split("\n"))
    return tuple(line for line in lines if line)[:MOST_PASSWORDS]
