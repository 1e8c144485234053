# SPDX-License-Identifier: Apache-2.0
"""Packets that people cut by hand as stacks: what the splitter is judged and fitted on beside ours.

A data set of corrections holds them in ``cuts`` (``idp models dataset``). Each part of a packet is
a stack of its own, for parts are cut apart anyway. A packet says that somebody looked at its cut:
those that were cut rightly by themselves are not among them, so what is measured on them is what
is hard, and no average.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from idp.document import Page
from training.stacks.make import Piece, Stack

_PAGES = TypeAdapter(tuple[Page, ...])


def given_stacks(share: Path) -> Iterator[Stack]:
    """The packets of a share of a data set (``DIR/train`` or ``DIR/locked``), by name.

    Raises:
        FileNotFoundError: It holds none.
    """
    paths = sorted((share / "cuts").glob("*.json"))
    if not paths:
        raise FileNotFoundError(f"no packets cut by hand in {share}")
    for path in paths:
        said = json.loads(path.read_text(encoding="utf-8"))["pages"]
        pages = _PAGES.validate_json((path.parent / "pages" / path.name).read_bytes())
        both = list(zip(said, pages, strict=True))
        for part, own in groupby(both, key=lambda each: each[0]["part"]):
            stack = _stack(f"{path.stem}-{part}", list(own))
            if stack.documents:
                yield stack


def _stack(name: str, own: list[tuple[dict[str, Any], Page]]) -> Stack:
    documents: list[list[int]] = []
    pieces: list[Piece] = []
    pages: list[Page] = []
    for number, (said, page) in enumerate(own, 1):
        pages.append(page.model_copy(update={"number": number}))
        if said["says"] == "left_out":
            continue
        if said["says"] == "starts" or not documents:
            documents.append([])
            kind = said["type"] or "unnamed"
            pieces.append(Piece(f"{name}-{len(documents)}", kind, name, (), ""))
        documents[-1].append(number)
    return Stack(name, tuple(pages), tuple(map(tuple, documents)), tuple(pieces))
