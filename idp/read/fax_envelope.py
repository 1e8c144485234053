# SPDX-License-Identifier: Apache-2.0
"""What the fax header lines of a file's pages say together about how it was sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from idp.document import MOST_ENVELOPE_CHARACTERS, Envelope, Page
from idp.values.moments import in_zone


def fax_envelope(pages: Sequence[Page], zone: str | None) -> Envelope | None:
    """The envelope that the pages' fax headers tell, or ``None`` where no page has one.

    Each page repeats the same line with another count, so what most of them say is taken, and a
    digit misread on one page does no harm.

    Args:
        pages: The pages of one transmission in order.
        zone: IANA zone of the sending machine's clock; by default this machine's.
    """
    headers = [page.fax_header for page in pages if page.fax_header is not None]
    if not headers:
        return None

    def most(name: str) -> Any:
        said = Counter(v for header in headers if (v := getattr(header, name)) is not None)
        return said.most_common(1)[0][0] if said else None

    sent_at = most("sent_at")
    texts: dict[str, str | None] = {
        name: value[:MOST_ENVELOPE_CHARACTERS] if (value := most(name)) is not None else None
        for name in ("sender", "sender_name", "recipient")
    }
    return Envelope(
        **texts,
        sent_at=in_zone(sent_at, zone) if sent_at is not None else None,
        pages_announced=most("pages"),
        told_by=("fax_header",),
    )
