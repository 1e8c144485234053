# SPDX-License-Identifier: Apache-2.0
"""Column heads: finding the line, or the stack of lines, that names the columns of a table.

Heads are recognised by vocabulary, not by gaps or rules, because faxes lose rules and payers set
columns tight: every run of words (along a line, then on below, where the lines overlap) is looked
up in the lexicon's ``columns``. What remains unknown still ends the columns beside it.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from idp.extract.tables_lines import Line, Sheet, Token, chunks, joined
from idp.extract.tables_values import Shape, shape_of
from idp.extract.tables_vocabulary import FILLERS, Node, Vocabulary

MAX_HEAD_LINES = 5
_MAX_WORD_GAP = 0.85
"""Widest blank inside a head, in text heights; a printed blank is about a third."""

_TITLE = re.compile(
    r"explanationof(?:benefit|payment|review)|remittanceadvice|^(?:payment|claim)?(?:summary|totals?)$"
)
"""Titles made of words that head columns elsewhere."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: what its head says and where it stands (pixels)."""

    roles: tuple[str | None, ...]
    """From top to bottom; several where a cell stacks several values."""
    title: str
    x0: float
    x1: float
    data_x0: float = 0.0
    data_x1: float = 0.0
    """Where its values stand, once learned; 0, 0 before."""

    @property
    def cx(self) -> float:
        return (self.x0 + self.x1) / 2

    @property
    def role(self) -> str | None:
        return self.roles[0]


@dataclass(frozen=True, slots=True)
class Header:
    """The head of a table and the lines it takes."""

    page: int
    first_line: int
    last_line: int
    columns: tuple[Column, ...]
    score: float
    tokens: tuple[Token, ...]

    @property
    def roles(self) -> frozenset[str]:
        return frozenset(r for c in self.columns for r in c.roles if r is not None)

    @property
    def y1(self) -> float:
        return max(t.y1 for t in self.tokens)


@dataclass(frozen=True, slots=True)
class _Phrase:
    role: str
    tokens: frozenset[tuple[int, int]]
    """``(line, position)`` within the band."""
    words: int
    gap: float
    broken: int = 0
    """Close-set neighbours on a line that it takes apart (``PATIENT`` of ``PATIENT NAME``)."""


def _split_at_slash(line: Line) -> list[Token]:
    """The tokens of a head line with ``Billed/Allowed`` taken apart, so that both can match."""
    found: list[Token] = []
    for token in line.tokens:
        parts = [p for p in re.split(r"(?<=[A-Za-z])/(?=[A-Za-z])", token.text) if p]
        if len(parts) == 1:
            found.append(token)
            continue
        step = (token.x1 - token.x0) / max(1, len(token.text))
        at = 0
        for part in parts:
            start = token.text.index(part, at)
            at = start + len(part)
            found.append(
                token._replace(text=part, x0=token.x0 + step * start, x1=token.x0 + step * at)
            )
    return found


def _is_data(token: Token) -> bool:
    shape = shape_of(token.text)
    if shape in (Shape.MONEY, Shape.DATE, Shape.IDENTIFIER, Shape.ADJUSTMENT_CODE):
        return not re.fullmatch(r"[A-Za-z]+[-.]?\d{1,2}(-?[A-Za-z]+)?[:.)]?", token.text)
    return shape is Shape.PROCEDURE or (shape is Shape.INTEGER and len(token.text) >= 3)


class _Band:
    """A few neighbouring lines taken as one head, and the phrases found in them."""

    def __init__(
        self, rows: Sequence[Sequence[Token]], vocabulary: Vocabulary, sheet: Sheet
    ) -> None:
        self.rows = rows
        self.vocabulary = vocabulary
        self.sheet = sheet
        self.height = sheet.text_height
        self.words = [[vocabulary.read(t.text) for t in row] for row in rows]
        self._tight = [[self._can_join(a, b) for a, b in itertools.pairwise(row)] for row in rows]

    def tight(self, row: int, left: int) -> bool:
        """Whether token ``left`` and its right neighbour can be words of one head."""
        return self._tight[row][left]

    def _can_join(self, a: Token, b: Token) -> bool:
        height = max(min(a.height, b.height), 0.6 * self.height)
        if b.x0 - a.x1 > _MAX_WORD_GAP * height:
            return False
        return not self.sheet.rules_between(a.cx, b.cx, (a.cy + b.cy) / 2)

    def phrases(self) -> list[_Phrase]:
        """Every wording of the vocabulary that can be read in the band."""
        found: list[_Phrase] = []
        for row in range(len(self.rows)):
            for start in range(len(self.rows[row])):
                self._extend(self.vocabulary.root, [(row, start)], 0, 0.0, found)
        return found

    def _extend(
        self, node: Node, path: list[tuple[int, int]], words: int, gap: float, found: list[_Phrase]
    ) -> None:
        row, at = path[-1]
        read = self.words[row][at]
        if read is None:
            return
        for word in read:
            following = node.next.get(word)
            if following is None:
                return
            node = following
        words += len(read)
        if node.role is not None and words:
            found.append(_Phrase(node.role, frozenset(path), words, gap, self._broken(path)))
        if not node.next or len(path) >= 9:
            return
        if at + 1 < len(self.rows[row]) and self.tight(row, at):
            blank = max(0.0, self.rows[row][at + 1].x0 - self.rows[row][at].x1)
            self._extend(node, [*path, (row, at + 1)], words, gap + blank, found)
        # A line between may hold nothing here: a filler ("of") that the fax lost.
        for below in (row + 1, row + 2):
            if below >= len(self.rows):
                break
            starts = self._below(path, row, below)
            for start in starts:
                blank = 0.2 * self.height * (below - row)
                self._extend(node, [*path, (below, start)], words, gap + blank, found)
            if starts:
                break

    def _broken(self, path: Sequence[tuple[int, int]]) -> int:
        taken = set(path)
        count = 0
        for row, at in path:
            for other, left in (((row, at - 1), at - 1), ((row, at + 1), at)):
                if other in taken or not 0 <= other[1] < len(self.rows[row]):
                    continue
                a, b = self.rows[row][left], self.rows[row][left + 1]
                close = b.x0 - a.x1 < 0.5 * max(min(a.height, b.height), 0.6 * self.height)
                count += close and self.words[row][other[1]] != ()
        return count

    def _below(self, path: Sequence[tuple[int, int]], row: int, below: int) -> list[int]:
        """Where on a lower line the phrase may go on: starts of runs that it overlaps."""
        run = [self.rows[r][i] for r, i in path if r == row]
        x0, x1 = run[0].x0, run[-1].x1
        line = self.rows[below]
        starts = []
        for i, token in enumerate(line):
            end = i
            while end + 1 < len(line) and self.tight(below, end):
                end += 1
            overlap = min(line[end].x1, x1) - max(token.x0, x0)
            near = min(token.x1, x1) - max(token.x0, x0)
            if overlap > 0 and near > -3 * self.height:
                starts.append(i)
        return starts


def _choose(phrases: list[_Phrase]) -> list[_Phrase]:
    """The phrases that explain most words, none of them twice."""
    chosen: list[_Phrase] = []
    taken: set[tuple[int, int]] = set()
    for phrase in sorted(phrases, key=lambda p: (1.2 * p.broken - p.words, p.gap, min(p.tokens))):
        if not taken & phrase.tokens:
            chosen.append(phrase)
            taken |= phrase.tokens
    return chosen


def _overlap(a: Column, b: Column) -> float:
    """Shared width as a share of the narrower column."""
    narrow = min(a.x1 - a.x0, b.x1 - b.x0)
    return (min(a.x1, b.x1) - max(a.x0, b.x0)) / max(narrow, 1.0)


def _columns(band: _Band, chosen: Sequence[_Phrase]) -> tuple[Column, ...]:
    """The columns of a head, from left to right, from its phrases and what is left over."""
    parts: list[tuple[float, Column]] = []
    taken: set[tuple[int, int]] = set()
    for phrase in chosen:
        tokens = [band.rows[r][i] for r, i in sorted(phrase.tokens)]
        taken |= phrase.tokens
        column = Column(
            (phrase.role,),
            joined(tokens),
            min(t.x0 for t in tokens),
            max(t.x1 for t in tokens),
        )
        parts.append((min(t.cy for t in tokens), column))
    parts = _without_spanning(parts)
    stacks: list[list[tuple[float, Column]]] = []
    for y, column in sorted(parts, key=lambda p: (p[1].x0, p[0])):
        stack = next(
            (
                s
                for s in stacks
                if all(
                    _overlap(column, c) > 0.5 and abs(y - top) > 0.5 * band.height for top, c in s
                )
            ),
            None,
        )
        if stack is None:
            stacks.append([(y, column)])
        else:
            stack.append((y, column))
    columns = []
    for stack in stacks:
        stack.sort(key=lambda p: p[0])
        columns.append(
            Column(
                tuple(c.role for _, c in stack),
                " / ".join(c.title for _, c in stack),
                min(c.x0 for _, c in stack),
                max(c.x1 for _, c in stack),
            )
        )
    for row, line in enumerate(band.rows):
        left = [t for i, t in enumerate(line) if (row, i) not in taken]
        for token in left:
            # No letters: an ornament. Otherwise it belongs to the head it stands over, under, or
            # beside, and else it is a head we do not know, which ends its neighbours.
            if not re.search(r"[A-Za-z%]", token.text):
                continue
            unknown = Column((None,), token.text, token.x0, token.x1)
            at = next(
                (
                    i
                    for i, c in enumerate(columns)
                    if min(c.x1, unknown.x1) - max(c.x0, unknown.x0) > -0.6 * band.height
                    and not band.sheet.rules_between(c.cx, unknown.cx, token.cy)
                ),
                None,
            )
            if at is None:
                columns.append(unknown)
            elif sum(_overlap(unknown, c) > 0 for c in columns) <= 1:
                known = columns[at]
                columns[at] = replace(
                    known, x0=min(known.x0, unknown.x0), x1=max(known.x1, unknown.x1)
                )
    return tuple(_merged(sorted(columns, key=lambda c: c.cx), band.height))


def _merged(columns: Sequence[Column], height: float) -> list[Column]:
    """Neighbours of one role in one run of words are one column ("results, ... intolerances")."""
    found: list[Column] = []
    for column in columns:
        last = found[-1] if found else None
        if last and last.roles == column.roles and column.x0 - last.x1 < 0.6 * height:
            title = f"{last.title} {column.title}"
            found[-1] = replace(last, title=title, x1=max(last.x1, column.x1))
        else:
            found.append(column)
    return found


def _without_spanning(parts: list[tuple[float, Column]]) -> list[tuple[float, Column]]:
    """Leaves out heads of heads: one that stands over two columns of its own names neither."""
    kept = []
    for y, column in parts:
        under = [c for top, c in parts if top > y and _overlap(column, c) > 0.3]
        apart = any(a.x1 < b.x0 or b.x1 < a.x0 for a in under for b in under)
        if not apart:
            kept.append((y, column))
    return kept


def find_headers(
    sheet: Sheet, vocabulary: Vocabulary, *, minimum: int = 3, needs: Collection[str] = ()
) -> list[Header]:
    """All heads on a page, from top to bottom, none sharing a line with another.

    Args:
        sheet: The page.
        vocabulary: The family of columns to look for.
        minimum: How many known columns make a head.
        needs: If given, at least one of these roles must be among them.
    """
    usable = [_head_tokens(line, vocabulary, sheet) for line in sheet.lines]
    hits = [
        sum(bool(vocabulary.read(t.text)) for t in row) if row is not None else 0 for row in usable
    ]
    candidates: list[Header] = []
    for first in range(len(usable)):
        if not hits[first]:
            continue
        rows: list[Sequence[Token]] = []
        known = 0
        for last in range(first, min(first + MAX_HEAD_LINES, len(usable))):
            row = usable[last]
            if row is None or (last > first and _apart(sheet, last)):
                break
            rows.append(row)
            known += hits[last]
            if known < minimum or not hits[last]:
                continue
            header = _header(sheet, vocabulary, rows, first, minimum)
            if header is not None and (not needs or header.roles & set(needs)):
                candidates.append(header)
    chosen: list[Header] = []
    for header in sorted(candidates, key=lambda h: (-h.score, h.first_line)):
        if all(h.last_line < header.first_line or h.first_line > header.last_line for h in chosen):
            chosen.append(header)
    return sorted(chosen, key=lambda h: h.first_line)


def _head_tokens(line: Line, vocabulary: Vocabulary, sheet: Sheet) -> list[Token] | None:
    """The tokens of a line that may be (part of) a head; ``None`` if it holds data or is prose."""
    tokens = line.tokens
    if _TITLE.search(re.sub(r"\W", "", line.text.lower())):
        return None
    if any(_is_data(t) for t in tokens) or not any(vocabulary.knows(t.text) for t in tokens):
        return None
    if len(tokens) >= 7:
        height = max(line.height, 0.6 * sheet.text_height)
        gaps = [b.x0 - a.x1 for a, b in itertools.pairwise(tokens)]
        if max(gaps) < 0.8 * height and not sheet.rules_between(
            tokens[0].cx, tokens[-1].cx, line.cy
        ):
            return None
    return _mended(_split_at_slash(line), vocabulary, sheet)


def _mended(tokens: list[Token], vocabulary: Vocabulary, sheet: Sheet) -> list[Token]:
    """Pieces of one word that OCR took apart (``AL LOWED``, ``I .D``) put together again."""
    found: list[Token] = []
    at = 0
    while at < len(tokens):
        for count in (3, 2):
            parts = tokens[at : at + count]
            close = len(parts) == count and all(
                b.x0 - a.x1 < 0.6 * sheet.text_height for a, b in itertools.pairwise(parts)
            )
            if not close or all(vocabulary.read(t.text) for t in parts):
                continue
            text = "".join(t.text for t in parts)
            if vocabulary.reads_whole(text):
                whole = parts[0]._replace(
                    text=text,
                    x1=parts[-1].x1,
                    word_ids=tuple(i for t in parts for i in t.word_ids),
                )
                found.append(whole)
                at += count
                break
        else:
            found.append(tokens[at])
            at += 1
    return found


def _apart(sheet: Sheet, line: int) -> bool:
    """Whether a line stands too far below the one above it to belong to the same head."""
    upper, lower = sheet.lines[line - 1], sheet.lines[line]
    return lower.y0 - upper.y1 > 1.1 * max(upper.height, lower.height, sheet.text_height)


def _header(
    sheet: Sheet, vocabulary: Vocabulary, rows: Sequence[Sequence[Token]], first: int, minimum: int
) -> Header | None:
    band = _Band(rows, vocabulary, sheet)
    chosen = _choose(band.phrases())
    if len({p.role for p in chosen}) < minimum:
        return None
    if _is_one_run(rows[0], sheet) and (
        len(rows) == 1 or _stands_alone(chosen) or _adds_nothing(rows, chosen, vocabulary, sheet)
    ):
        return None
    covered = {at for p in chosen for at in p.tokens}
    lettered = {
        (r, i)
        for r, row in enumerate(rows)
        for i, t in enumerate(row)
        if re.search(r"[A-Za-z]{2}", t.text) and t.text.lower() not in FILLERS
    }
    loose = lettered - covered
    share = len(lettered & covered) / max(1, len(lettered))
    columns = _columns(band, chosen)
    tokens = tuple(t for row in rows for t in row)
    if share < 0.5 or _is_label_line(rows, chosen, loose) or _is_prose(rows, columns, sheet):
        return None
    if any(re.search(r"(?<!totals)(?<!total):$", rows[r][i].text.lower()) for r, i in loose):
        return None
    score = sum(p.words + 0.5 for p in chosen) - 0.7 * len(loose) - 0.3 * (len(rows) - 1)
    if len(rows) > 1:
        score -= sum(_title_words(row, sheet) for row in rows)
    columns_known = [c for c in columns if c.role is not None]
    if len(columns_known) < min(minimum, 2) or score <= 0:
        return None
    return Header(
        sheet.page, first, first + len(rows) - 1, columns, score + _bonus(columns_known), tokens
    )


def _is_one_run(row: Sequence[Token], sheet: Sheet) -> bool:
    """Whether the words stand as close as those of a title do, with nothing between them."""
    return all(
        b.x0 - a.x1 < 0.9 * sheet.text_height
        and not sheet.rules_between(a.cx, b.cx, (a.cy + b.cy) / 2)
        for a, b in itertools.pairwise(row)
    )


def _stands_alone(chosen: Sequence[_Phrase]) -> bool:
    """Whether no head begins in the first line of the stack and goes on below it."""
    return not any(
        any(r == 0 for r, _ in p.tokens) and any(r > 0 for r, _ in p.tokens) for p in chosen
    )


def _adds_nothing(
    rows: Sequence[Sequence[Token]],
    chosen: Sequence[_Phrase],
    vocabulary: Vocabulary,
    sheet: Sheet,
) -> bool:
    """Whether the lines below a run of words are as many heads without it: then it is a title."""
    if len(rows[0]) < 2:
        return False
    below = _choose(_Band(rows[1:], vocabulary, sheet).phrases())
    return len({p.role for p in below}) >= len({p.role for p in chosen})


def _title_words(row: Sequence[Token], sheet: Sheet) -> float:
    """What speaks against a line of a stack: it runs on like the title above the heads."""
    runs = chunks(row, 1.1 * sheet.text_height)
    longest = max(runs, key=len)
    wide = longest[-1].x1 - longest[0].x0 > 0.4 * sheet.width
    return 0.8 * len(longest) if len(longest) >= 5 and wide else 0.0


def _bonus(columns: Sequence[Column]) -> float:
    return 0.5 * len({c.role for c in columns})


def _is_label_line(
    rows: Sequence[Sequence[Token]], chosen: Sequence[_Phrase], loose: Collection[tuple[int, int]]
) -> bool:
    """Whether these are labels with values beside them (``Name: J Lark``), not column heads."""
    colons = sum(any(rows[r][i].text.rstrip().endswith(":") for r, i in p.tokens) for p in chosen)
    return colons * 2 >= len(chosen) and (len(loose) * 2 > len(chosen) or len(rows) > 2)


def _is_prose(rows: Sequence[Sequence[Token]], columns: Sequence[Column], sheet: Sheet) -> bool:
    """Whether the words run on without the blanks that part columns."""
    most = max(rows, key=len)
    wide = sum(
        b.x0 - a.x1 > 1.2 * sheet.text_height
        or bool(sheet.rules_between(a.cx, b.cx, (a.cy + b.cy) / 2))
        for a, b in itertools.pairwise(most)
    )
    return len(most) >= 6 and wide == 0 and len(most) > 2 * len(columns)
