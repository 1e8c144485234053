# SPDX-License-Identifier: Apache-2.0
"""Reasons in running text, made whole: a tagger that knows some of the words means the sentences.

A letter gives its reason in the middle of a paragraph, and no label's column or cell says where it
begins and ends; sentences do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from idp.document import Box
from idp.extract.crf_spans import Span
from idp.extract.features import PageView

WHOLE = frozenset({"DENIAL"})
"""The roles whose value is sentences of a letter."""
_FLUSH = 0.02
"""Of the page's width: how far the lines of a paragraph may begin apart."""
_LINES = 1.9
"""How many heights of a line the next one may be below it."""
_LEADS = "because"
_MOST = 90
"""Words: a longer run has lost its full stops, and is left as the tagger has it."""


def in_whole_sentences(view: PageView, spans: Sequence[Span]) -> list[Span]:
    """The spans, those of running text from the sentence they begin in to the one they end in."""
    kept = [s for s in spans if s.role not in WHOLE]
    paragraphs = list(_paragraphs(view))
    for role in sorted(WHOLE):
        parts = [s for s in spans if s.role == role]
        for words in paragraphs:
            own = [s for s in parts if set(s.tokens) <= set(words)]
            if own:
                kept.append(_whole(view, words, own))
                parts = [s for s in parts if s not in own]
        kept += parts
    return kept


def _whole(view: PageView, words: Sequence[int], own: Sequence[Span]) -> Span:
    """One span of all whole sentences between the first and the last tagged word."""
    text = {n: view.tokens[i].text for n, i in enumerate(words)}
    tagged = {i for span in own for i in span.tokens}
    places = [n for n, i in enumerate(words) if i in tagged]
    first, last = places[0], places[-1]
    while first and not _ends(text[first - 1]):
        first -= 1
    while last + 1 < len(words) and not text[last].endswith("."):
        last += 1
    surest = max(own, key=lambda s: s.confidence)
    if last - first >= _MOST:
        return surest
    tokens = tuple(words[first : last + 1])
    box: Box = view.tokens[tokens[0]].box
    for index in tokens[1:]:
        box = box.union(view.tokens[index].box)
    whole = " ".join(view.tokens[i].text for i in tokens)
    return replace(surest, tokens=tokens, text=whole, box=box)


def _ends(word: str) -> bool:
    """Whether a sentence may begin behind a word."""
    return word.endswith((".", ":", "?")) or word.lower().endswith(_LEADS)


def _paragraphs(view: PageView) -> Iterator[list[int]]:
    """The tokens of each run of lines that begin below each other without a wider blank."""
    lines: dict[int, list[int]] = {}
    for piece in view.pieces:
        lines.setdefault(piece.line, []).extend(piece.tokens)
    run: list[int] = []
    before: Box | None = None
    for number in sorted(lines):
        tokens = lines[number]
        box = view.tokens[tokens[0]].box
        near = before is not None and (
            abs(box.x0 - before.x0) < _FLUSH
            and 0 < box.cy - before.cy < _LINES * max(box.height, before.height)
        )
        if run and not near:
            yield run
            run = []
        run = [*run, *tokens]
        before = box
    if run:
        yield run
