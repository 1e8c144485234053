# SPDX-License-Identifier: Apache-2.0
"""How a file came: who tells what of it, and what its documents say about that."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from idp.document import Document, Envelope, Finding, Severity
from idp.ingest import envelope_from_name, read_sidecar
from idp.reasons import with_finding
from idp.rulebook import enter
from idp.settings import IngestSettings


class Came(NamedTuple):
    """How a file came, by those who tell it."""

    channel: Envelope | None = None
    sidecar: Envelope | None = None
    flaw: str | None = None
    """What is wrong with the sidecar."""

    def envelope(
        self,
        *,
        mail: Envelope | None = None,
        header: Envelope | None = None,
        cover: int | None = None,
    ) -> Envelope | None:
        """All of it as one, the most trusted first: sidecar, mail, fax header, channel.

        Args:
            mail: What the message around the part says.
            header: What the fax header lines of its pages say.
            cover: How many pages its cover sheet announces, where nobody else does.
        """
        joined: Envelope | None = None
        for each in (self.channel, header, mail, self.sidecar):
            joined = each.over(joined) if each is not None else joined
        if cover is not None and (joined is None or joined.pages_announced is None):
            joined = (joined or Envelope()).model_copy(update={"pages_announced": cover})
        return joined


def how_it_came(
    source: str,
    channel: str,
    site: str | None,
    sidecar: tuple[str, Path] | None,
    limits: IngestSettings,
) -> Came:
    """What is known of how a file came before it is opened.

    Args:
        source: The file's name as it was dropped; on fax channels it may say who sent it.
        channel: The drop folder's name.
        site: Whose channel it is.
        sidecar: The name and the bytes of the file that describes it, where there is one.
        limits: Of the child that parses the sidecar.
    """
    of_channel = Envelope(site=site, told_by=("channel",)) if site else None
    if sidecar is not None:
        name, path = sidecar
        told = read_sidecar(path, name, source, limits)
        return Came(of_channel, told.envelope, told.flaw)
    if channel.startswith("fax") and (named := envelope_from_name(source, limits)):
        of_channel = named.over(of_channel)
    return Came(of_channel)


LEFT_OUT = enter(
    "P4",
    "What of a file is no document (pictures in a mail's signature, empty members) is named.",
    severity=Severity.INFO,
    source="house rule: nothing that arrived is lost in silence",
    where="idp.came.with_left_out",
)
BROKEN = enter(
    "P5",
    "What had to be mended for a file to open is said on each of its documents.",
    severity=Severity.WARN,
    source="house rule: nothing that arrived is lost in silence",
    where="idp.came.with_flaws",
)
SIDECAR = enter(
    "P9",
    "A sidecar that can't be understood is told, and not believed.",
    severity=Severity.WARN,
    source="house rule: how a file came is not guessed",
    where="idp.came.with_sidecar_flaw",
)


def with_left_out(document: Document, left_out: Sequence[str]) -> Document:
    """The first document of a file names what of the file is no document."""
    for each in left_out:
        finding = Finding(rule=LEFT_OUT, severity=Severity.INFO, message=f"Left out: {each}")
        document = with_finding(document, finding)
    return document


def with_sidecar_flaw(document: Document, flaw: str | None) -> Document:
    """The first document of a file tells what is wrong with the sidecar beside it."""
    if flaw is None:
        return document
    finding = Finding(rule=SIDECAR, severity=Severity.WARN, message=f"Not understood: {flaw}")
    return with_finding(document, finding)


def with_flaws(document: Document, flaws: Sequence[str]) -> Document:
    """What had to be mended for the file to open is said on each of its documents."""
    for each in flaws:
        finding = Finding(
            rule=BROKEN, severity=Severity.WARN, message=f"The file was broken: {each}"
        )
        document = with_finding(document, finding)
    return document
