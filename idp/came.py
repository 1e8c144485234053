# SPDX-License-Identifier: Apache-2.0
"""How a file came: who tells what of it, and what its documents say about that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from idp.document import Document, Envelope, Finding, Page, Severity
from idp.ingest import envelope_from_name, read_sidecar
from idp.reasons import with_finding
from idp.rulebook import rule
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


@rule("P4", severity=Severity.INFO, source="policy of this product: nothing is dropped silently")
def with_left_out(document: Document, left_out: Sequence[str]) -> Document:
    """P4: what of a file is no document is named on its first document."""
    for each in left_out:
        finding = Finding(
            rule="P4",
            severity=Severity.INFO,
            message=f"Left out: {each}",
            remedy="Nothing, if it is no document; else send it by itself",
        )
        document = with_finding(document, finding)
    return document


@rule("P9", severity=Severity.WARN, source="policy of this product: docs/arrival.md")
def with_sidecar_flaw(document: Document, flaw: str | None) -> Document:
    """P9: a sidecar that was not understood is told on the first document of its file."""
    if flaw is None:
        return document
    finding = Finding(
        rule="P9",
        severity=Severity.WARN,
        message=f"Not understood: {flaw}",
        remedy="Mend what the fax server or scanner writes beside its files",
    )
    return with_finding(document, finding)


@rule("P5", severity=Severity.WARN, source="policy of this product: docs/arrival.md")
def with_flaws(document: Document, flaws: Sequence[str]) -> Document:
    """P5: what had to be mended for a file to open is said on each of its documents."""
    for each in flaws:
        finding = Finding(
            rule="P5",
            severity=Severity.WARN,
            message=f"The file was broken: {each}",
            remedy="Compare it with the sender's, or ask for it again",
        )
        document = with_finding(document, finding)
    return document


@rule("P2", severity=Severity.BLOCK, source="policy of this product: nothing is dropped silently")
def with_pages_kept(documents: Sequence[Document], pages: Sequence[Page]) -> tuple[Document, ...]:
    """P2: every page of a file belongs to exactly one of its documents, or was set aside.

    A page that none has is told on the document before it, one that several have on each of them.

    Args:
        documents: All of the file, in its order, at least one.
        pages: All that were read.
    """
    owned = Counter((d.part, number) for d in documents for number in d.pages)
    aside = {(d.part, number) for d in documents for number in d.set_aside}
    read = {(page.part, page.number) for page in pages}
    wrong: dict[int, list[Finding]] = {}
    for part, number in sorted(
        read - set(owned) - aside, key=lambda lost: (lost[0] or "", lost[1])
    ):
        before = [
            index
            for index, d in enumerate(documents)
            if d.part == part and d.pages and min(d.pages) < number
        ]
        found = _page_finding(number, f"Page {number} was read and belongs to no document")
        wrong.setdefault(before[-1] if before else 0, []).append(found)
    for index, document in enumerate(documents):
        for number in dict.fromkeys((*document.pages, *document.set_aside)):
            place = (document.part, number)
            if owned[place] > 1 or (owned[place] and place in aside):
                found = _page_finding(number, f"Page {number} belongs to more than one document")
                wrong.setdefault(index, []).append(found)
            elif place not in read:
                found = _page_finding(number, f"Page {number} is the document's and was never read")
                wrong.setdefault(index, []).append(found)
    held = list(documents)
    for index, findings in wrong.items():
        for each in findings:
            held[index] = with_finding(held[index], each)
    return tuple(held)


def _page_finding(number: int, message: str) -> Finding:
    return Finding(
        rule="P2",
        severity=Severity.BLOCK,
        message=message,
        page=number,
        remedy="Look at the original, and part it into documents anew",
    )
