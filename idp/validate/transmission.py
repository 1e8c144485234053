# SPDX-License-Identifier: Apache-2.0
"""Whether a fax arrived whole: the pages that were announced against those that are there.

The count is over everything that came in one transmission, also where several documents were found
in it: a page that is missing may belong to any of them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from idp.document import Finding, Page, Severity
from idp.rulebook import rule

RULE = "P3"
_MOST_NAMED = 8
_ON_COVER = re.compile(
    r"\b(?:(?:total|number|no\.?|#)\s*(?:no\.?\s*|number\s*)?(?:of\s*)?pages?|pages?)\b"
    r"[\s(:,]{0,4}(?:incl(?:uding|\.)?|with|w/)\s*(?:this\s*|the\s*|fax\s*)*cover\b"
    r"(?:\s*(?:sheet|page|letter))?[\s):#_.-]{0,6}(\d{1,3})\b"
    r"|\b(?:total\s*)?(?:no\.?\s*of\s*)?pages?\s*[:#]\s*(\d{1,3})[\s(,]{0,3}"
    r"(?:incl(?:uding|\.)?|with|w/)\s*(?:this\s*|the\s*|fax\s*)*cover\b",
    re.I,
)


class _Run(NamedTuple):
    """Pages of one transmission: how many there are, and what their headers count."""

    seen: int
    numbers: tuple[int, ...]
    total: int | None


def announced_on_cover(pages: Sequence[Page]) -> int | None:
    """How many pages the first page says there are, cover included; ``None`` where it does not."""
    if not pages:
        return None
    said = {int(a or b) for a, b in _ON_COVER.findall(" ".join(pages[0].text.split()))}
    return said.pop() if len(said) == 1 and said != {0} else None


@rule(RULE, severity=Severity.BLOCK, source="policy of this product: cut-off and bundled faxes")
def transmission_complete(arrived: Sequence[Page], announced: int | None) -> tuple[Finding, ...]:
    """P3: as many pages arrived as were announced, and none is missing in between.

    Args:
        arrived: All pages of the transmission, whatever documents they are of.
        announced: How many there are to be, by the fax server or the cover sheet.
    """
    runs = _runs(arrived)
    findings = [found for run in runs if (found := _judged(run)) is not None]
    counted = sum(run.total or 0 for run in runs) if all(run.total for run in runs) else None
    if announced is not None and announced != counted and not _has_block(findings):
        found = _compared(len(arrived), announced, ())
        if found is not None and (found.severity is Severity.BLOCK or not findings):
            findings.append(found)
    return tuple(dict.fromkeys(findings))


def _has_block(findings: Sequence[Finding]) -> bool:
    return any(finding.severity is Severity.BLOCK for finding in findings)


def _runs(arrived: Sequence[Page]) -> list[_Run]:
    """The transmissions that follow each other in one file: a new one begins with page 1."""
    runs: list[list[Page]] = []
    for page in arrived:
        header = page.fax_header
        if not runs or (header is not None and header.page == 1 and _counted(runs[-1])):
            runs.append([])
        runs[-1].append(page)
    return [_run(pages) for pages in runs]


def _counted(pages: Sequence[Page]) -> bool:
    return any(p.fax_header is not None and p.fax_header.page is not None for p in pages)


def _run(pages: Sequence[Page]) -> _Run:
    headers = [page.fax_header for page in pages if page.fax_header is not None]
    # One misread total among several right ones is outvoted.
    totals = Counter(header.pages for header in headers if header.pages is not None)
    total = totals.most_common(1)[0][0] if totals else None
    numbers = tuple(
        header.page
        for header in headers
        if header.page is not None
        and (header.pages in (None, total))
        and (total is None or header.page <= total)
    )
    return _Run(len(pages), numbers, total)


def _judged(run: _Run) -> Finding | None:
    """What the headers of one transmission say of its pages."""
    if run.total is not None:
        return _compared(run.seen, run.total, run.numbers)
    if not run.numbers:
        return None
    # "P.1", "P.2", "P.4" without a total: only what lacks in between can be known.
    lacking = sorted(set(range(1, max(run.numbers) + 1)) - set(run.numbers))
    if not lacking or run.seen >= max(run.numbers):
        return None
    return _incomplete(
        f"{run.seen} pages arrived, the last counts as page {max(run.numbers)}", lacking
    )


def _compared(seen: int, announced: int, numbers: Sequence[int]) -> Finding | None:
    if seen < announced:
        lacking = sorted(set(range(1, announced + 1)) - set(numbers))
        # Pages without a readable count might be any of those that lack.
        sure = lacking if len(lacking) == announced - seen else []
        return _incomplete(f"{seen} of {announced} pages arrived", sure)
    if seen > announced:
        return Finding(
            rule=RULE,
            severity=Severity.WARN,
            message=f"{seen} pages arrived, {announced} {'was' if announced == 1 else 'were'} "
            "announced: "
            "another fax may have been joined to this one",
            remedy="Look whether the last pages are of the same sender and patient",
        )
    return None


def _incomplete(what: str, lacking: Sequence[int]) -> Finding:
    named = ", ".join(str(number) for number in lacking[:_MOST_NAMED])
    more = " and more" if len(lacking) > _MOST_NAMED else ""
    pages = "pages" if len(lacking) > 1 else "page"
    tail = f"; {pages} {named}{more} missing" if lacking else ""
    return Finding(
        rule=RULE,
        severity=Severity.BLOCK,
        message=f"Incomplete transmission: {what}{tail}",
        remedy="Ask the sender to send the whole fax again",
    )
