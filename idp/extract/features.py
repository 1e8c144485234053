# SPDX-License-Identifier: Apache-2.0
"""What the tagger sees of each word: its shape, the labels that govern it, its cell and section.

Training and the appliance call the same function, so that they can't drift apart. Everything here
is geometry and text of one page; nothing is learned and nothing is read from disk.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from rapidfuzz import fuzz, process

from idp.document import Box, Page
from idp.values.codes import npi_check_digit_holds
from idp.values.slips import repair_number

_ASPECT = 11 / 8.5
_GAP = 1.25
"""A gap wider than this many heights of the text starts a new piece of the line."""
_LABEL_WORDS = 6
_HOPS = 7
"""How far up a column a header is looked for, in pieces of text."""


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_GLUED = re.compile(r"^([A-Za-z][A-Za-z.#'()/ ]*[:#]:?)([^\s:].*)$")
_SHAPES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("email", re.compile(r"[\w.+-]+@[\w-]+\.\w+")),
    ("phone", re.compile(r"(?:\+?1[-. ]?)?\(?\d{3}\)?[-. ]?\d{3}[-. ]\d{4}")),
    ("area", re.compile(r"\(\d{3}\)")),
    ("local", re.compile(r"\d{3}[-.]\d{4}")),
    ("date", re.compile(r"\d{1,2}[/-]\d{1,2}[/-]\d{2,4}|\d{4}-\d{2}-\d{2}")),
    ("date_word", re.compile(r"\d{1,2}-[A-Za-z]{3}-\d{2,4}")),
    ("month_year", re.compile(r"\d{1,2}/\d{4}")),
    ("money", re.compile(r"-?\(?\$?\s?\d[\d,]*\.\d{2}\)?-?")),
    ("tax", re.compile(r"\d{2}-\d{7}")),
    ("icd", re.compile(r"[A-TV-Za-tv-z]\d[0-9A-Za-z](?:\.[0-9A-Za-z]{1,4})")),
    ("zip4", re.compile(r"\d{5}-\d{4}")),
    ("carc", re.compile(r"(?:CO|PR|OA|PI|C0)-?\d{1,3}")),
    ("hcpcs", re.compile(r"[A-V]\d{4}")),
    ("icd_plain", re.compile(r"[A-TV-Z]\d[0-9A-Z]{1,5}")),
    ("ten", re.compile(r"\d{10}")),
    ("nine", re.compile(r"\d{9}")),
    ("eight", re.compile(r"\d{8}")),
    ("five", re.compile(r"\d{5}")),
    ("number", re.compile(r"\d{1,4}")),
    ("long_number", re.compile(r"\d{6,}")),
    ("dose", re.compile(r"\d+(?:\.\d+)?(?:mg|mcg|ml|g|units|%)(?:/.*)?", re.IGNORECASE)),
    ("mixed", re.compile(r"(?=.*\d)(?=.*[A-Za-z])[\w./-]+")),
    ("numeric", re.compile(r"(?=.*\d)[\d./,()-]+")),
    ("blank_line", re.compile(r"_{2,}|\.{4,}")),
)
_WORD_SHAPES = (
    "credential",
    "month",
    "state",
    "colon",
    "sign",
    "letter",
    "upper",
    "title",
    "lower",
)
SHAPES: tuple[str, ...] = (*(name for name, _ in _SHAPES), "npi", *_WORD_SHAPES)
"""Everything that :func:`shape_of` may answer."""
_CREDENTIALS = _set("md do np pa pac dpm rn fnp fnpc dds phd dr arnp dc")
_MONTHS = _set("jan feb mar apr may jun jul aug sep oct nov dec")
_LONG_MONTHS = _set(
    "january february march april june july august september october november december"
)
_STATES = _set(
    "AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH "
    "NJ NM NY NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY DC PR"
)
_COMPANY = _set(
    "llc inc pa pc clinic hospital center medical health group associates imaging surgery "
    "pharmacy institute practice care healthcare plan blue cross shield insurance network "
    "specialists orthopedics pediatrics cardiology therapy rehabilitation"
)
_WORDY = frozenset(["upper", "title", "lower", "colon", "letter", "state", "credential"])
_BIG = 0.018
"""Text higher than this share of the page is a heading."""
_PARTY_WORDS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (party, re.compile(pattern))
    for party, pattern in (
        ("referred_to", r"\brefer(?:red|ral)? to\b|specialist|consult|receiving|destination"),
        ("referring_provider", r"referring|referred by|referral (?:from|source)|sending"),
        ("pcp", r"\bpcp\b|primary care"),
        ("contact", r"contact|completing|completed by|submitted by|callback"),
        ("subscriber", r"subscriber|policy ?holder|insured|cardholder|employee"),
        ("requesting_provider", r"request(?:ing|or)|ordering|prescri|submitting"),
        ("servicing_provider", r"servicing|service provider|rendering|facility|performing|treat"),
        ("payee", r"payee|pay.?to|paid to|remit to|billing provider"),
        ("payer", r"payer|issuer|carrier|insurance|health plan|coverage"),
        ("patient", r"patient|member|enrollee|beneficiary|recipient|\bpt\b"),
        ("provider", r"provider|physician|practitioner|clinician"),
        ("clinical", r"clinical|diagnos|medical necessity|comments|remarks"),
        ("medication", r"medication|drug|therapy|prescription"),
        ("services", r"service|procedure|treatment|order"),
        ("claim", r"claim|payment|remit"),
    )
)
PARTY_NAMES: tuple[str, ...] = tuple(party for party, _ in _PARTY_WORDS)
"""Everything that :func:`party_in` may answer."""


class Token(NamedTuple):
    """A word, or one half of a label and a value that were read as one word."""

    text: str
    box: Box
    word: int
    plain: str


@dataclass
class Piece:
    """Neighbouring tokens of a line: a phrase, a value, or a label with its value behind it."""

    tokens: list[int]
    box: Box
    line: int
    text: str
    digits: bool
    cell: int = -1
    first_in_cell: bool = False
    section: str = ""
    above: list[str] = field(default_factory=list)
    header: str = ""
    left: str = ""
    cell_label: str = ""
    left_cell: str = ""
    below: str = ""


def plain(text: str) -> str:
    """Lower case letters and digits only: what labels are compared by."""
    return re.sub(r"[^a-z0-9#%&]+", " ", text.lower()).strip()


def tokens_of(page: Page) -> list[Token]:
    """The words of a page, top to bottom in lines, with glued labels cut off their values."""
    tokens: list[Token] = []
    for word in page.words:
        glued = _GLUED.match(word.text)
        if glued is None or word.text.lower().startswith("http"):
            tokens.append(Token(word.text, word.box, word.id, plain(word.text)))
            continue
        share = len(glued[1]) / len(word.text)
        middle = word.box.x0 + word.box.width * share
        left = Box(word.box.x0, word.box.y0, middle, word.box.y1)
        right = Box(middle, word.box.y0, word.box.x1, word.box.y1)
        tokens.append(Token(glued[1], left, word.id, plain(glued[1])))
        tokens.append(Token(glued[2], right, word.id, plain(glued[2])))
    return tokens


def lines_of(tokens: Sequence[Token]) -> list[list[int]]:
    """Indices of the tokens, line by line, left to right."""
    order = sorted(range(len(tokens)), key=lambda i: tokens[i].box.cy)
    lines: list[list[int]] = []
    anchor = Box(0, -1, 0, -1)
    for index in order:
        box = tokens[index].box
        if lines and abs(box.cy - anchor.cy) < 0.45 * min(box.height, anchor.height):
            lines[-1].append(index)
        else:
            lines.append([index])
            anchor = box
    return [sorted(line, key=lambda i: tokens[i].box.x0) for line in lines]


def pieces_of(tokens: Sequence[Token], lines: Sequence[Sequence[int]]) -> list[Piece]:
    """The pieces of all lines: cut where the gap is wide."""
    pieces: list[Piece] = []
    for number, line in enumerate(lines):
        run: list[int] = []
        for index in line:
            if run:
                last = tokens[run[-1]].box
                gap = tokens[index].box.x0 - last.x1
                if gap > _GAP * last.height * _ASPECT:
                    pieces.append(_piece(tokens, run, number))
                    run = []
            run.append(index)
        if run:
            pieces.append(_piece(tokens, run, number))
    return pieces


def _piece(tokens: Sequence[Token], run: list[int], line: int) -> Piece:
    box = tokens[run[0]].box
    for index in run[1:]:
        box = box.union(tokens[index].box)
    text = " ".join(tokens[i].text for i in run)
    return Piece(run, box, line, text, sum(c.isdigit() for c in text) >= 3)


@lru_cache(maxsize=65536)
def shape_of(text: str) -> str:
    """The class of a word by its pattern."""
    bare = text.strip(",;:()[]").rstrip(".")
    if text.startswith("(") and re.fullmatch(r"\(\d{3}\)", text):
        return "area"
    if sum(c.isdigit() for c in bare) >= max(2, 0.5 * len(bare)):
        bare = repair_number(bare)
    for name, pattern in _SHAPES:
        if pattern.fullmatch(bare):
            if name == "ten":
                return "npi" if npi_check_digit_holds(bare) else "ten"
            return name
    return _word_shape(text, bare)


def _word_shape(text: str, bare: str) -> str:
    low = re.sub(r"[^a-z]", "", bare.lower())
    tests = (
        ("credential", low in _CREDENTIALS),
        ("month", low in _MONTHS or low in _LONG_MONTHS),
        ("state", bare in _STATES),
        ("colon", text.endswith((":", "#"))),
        ("sign", not low),
        ("letter", len(low) == 1),
        ("upper", bare.isupper()),
        ("title", bare[:1].isupper()),
    )
    return next((name for name, holds in tests if holds), "lower")


class LabelTable:
    """Which roles a printed label may introduce; forgives what OCR does to labels.

    Args:
        roles: Label to roles, as :func:`idp.extract.crf_roles.label_roles` gives them.
    """

    def __init__(self, roles: Mapping[str, frozenset[str]]) -> None:
        self._roles: dict[str, str] = {}
        for label, several in roles.items():
            if key := plain(label):
                self._roles[key] = "+".join(sorted(several)[:3])
        self._keys = list(self._roles)
        self._cache: dict[str, str] = {}

    @property
    def phrases(self) -> tuple[str, ...]:
        """All labels it knows, in plain letters."""
        return tuple(self._keys)

    def role(self, phrase: str) -> str:
        """The roles of a phrase joined by ``+``, or nothing."""
        if not phrase:
            return ""
        if phrase not in self._cache:
            if len(self._cache) > 20000:
                self._cache.clear()
            self._cache[phrase] = self._find(phrase)
        return self._cache[phrase]

    def _find(self, phrase: str) -> str:
        if phrase in self._roles:
            return self._roles[phrase]
        if len(phrase) < 5 or len(phrase) > 60:
            return ""
        hit = process.extractOne(phrase, self._keys, scorer=fuzz.ratio, score_cutoff=86)
        return self._roles[hit[0]] if hit else ""


@lru_cache(maxsize=16384)
def party_in(phrase: str) -> str:
    """The party (or subject) that a label or title names, or nothing."""
    for party, pattern in _PARTY_WORDS:
        if pattern.search(phrase):
            return party
    return ""


class PageView:
    """A page as the tagger sees it: tokens, pieces and what governs each of them."""

    def __init__(self, page: Page) -> None:
        self.tokens = tokens_of(page)
        self.lines = lines_of(self.tokens)
        self.pieces = pieces_of(self.tokens, self.lines)
        self.piece_of: dict[int, int] = {
            index: number for number, piece in enumerate(self.pieces) for index in piece.tokens
        }
        self.order: list[int] = [i for line in self.lines for i in line]
        self.marked = self._marked(page)
        self._cells(page)
        self._neighbours()
        self._sections()

    def _marked(self, page: Page) -> dict[int, str]:
        """The tokens right behind (or before) a check box, with its state."""
        found: dict[int, str] = {}
        for mark in page.marks:
            box = mark.box
            for line in self.lines:
                first = self.tokens[line[0]].box
                if first.y0 - 0.02 > box.cy or first.y1 + 0.02 < box.cy:
                    continue
                for index in line:
                    own = self.tokens[index].box
                    inside = own.y0 - 0.003 < box.cy < own.y1 + 0.003
                    if inside and -0.004 < own.x0 - box.x1 < 0.025:
                        found[index] = mark.state
                        break
        return found

    def _cells(self, page: Page) -> None:
        cells = sorted((c.box for c in page.cells), key=lambda b: b.width * b.height)
        inside: dict[int, list[Piece]] = {}
        for piece in self.pieces:
            for number, box in enumerate(cells):
                if box.contains(piece.box.x0 + 0.004, piece.box.cy):
                    piece.cell = number
                    inside.setdefault(number, []).append(piece)
                    break
        for number, own in inside.items():
            own.sort(key=lambda p: (p.line, p.box.x0))
            own[0].first_in_cell = True
            for piece in own[1:]:
                piece.cell_label = plain(own[0].text)
            box = cells[number]
            beside = [
                c
                for c, b in enumerate(cells)
                if c in inside
                and abs(b.x1 - box.x0) < 0.006
                and b.overlap_y(box) > 0.5 * min(b.height, box.height)
            ]
            if beside:
                left = plain(" ".join(p.text for p in inside[beside[0]][:2]))
                for piece in own:
                    piece.left_cell = left

    def _neighbours(self) -> None:
        for number, piece in enumerate(self.pieces):
            if number and self.pieces[number - 1].line == piece.line:
                piece.left = plain(self.pieces[number - 1].text)
        ordered = self.pieces
        for number, piece in enumerate(ordered):
            box, hops = piece.box, 0
            last_top = box.y0
            for other in reversed(ordered[:number]):
                if other.line == piece.line or hops >= _HOPS:
                    continue
                distance = last_top - other.box.y1
                if distance > 3.2 * box.height:
                    break
                start = abs(other.box.x0 - box.x0) < 0.035
                if not start and other.box.overlap_x(box) < 0.4 * min(other.box.width, box.width):
                    continue
                hops += 1
                last_top = other.box.y0
                text = plain(other.text)
                piece.above.append(text)
                if len(piece.above) == 1 and not other.below:
                    other.below = plain(piece.text)
                if not other.digits:
                    piece.header = text

    def _sections(self) -> None:
        """The nearest line above that reads like a title and covers the piece."""
        titles: list[tuple[Box, str]] = []
        alone = dict.fromkeys(range(len(self.lines)), 0)
        for piece in self.pieces:
            alone[piece.line] += 1
        for piece in self.pieces:
            for box, party in reversed(titles):
                if box.x0 - 0.03 <= piece.box.x0 <= box.x1:
                    piece.section = party
                    break
            text = plain(piece.text)
            party = party_in(text)
            is_title = (
                party
                and not piece.digits
                and ":" not in piece.text
                and len(piece.tokens) <= 8
                and not piece.cell_label
                and alone[piece.line] <= 2
                and (piece.text.isupper() or "information" in text or alone[piece.line] == 1)
            )
            if is_title:
                right = 1.0 if alone[piece.line] == 1 else piece.box.x0 + 0.45
                titles.append((Box(piece.box.x0, piece.box.y0, right, piece.box.y1), party))

    def colon_label(self, index: int) -> tuple[str, int]:
        """The label that ends in a colon before this token on its line, and how far back it is."""
        piece = self.pieces[self.piece_of[index]]
        line = self.lines[piece.line]
        place = line.index(index)
        for back in range(1, min(place, 9) + 1):
            token = self.tokens[line[place - back]]
            if token.text.endswith((":", "#", "?", ":.")) and token.plain:
                words: list[str] = []
                right = token.box
                for other in reversed(line[max(0, place - back - _LABEL_WORDS) : place - back + 1]):
                    box = self.tokens[other].box
                    wide = right.x0 - box.x1 > _GAP * box.height * _ASPECT
                    ended = words and self.tokens[other].text.endswith(":")
                    if wide or ended or len(words) >= _LABEL_WORDS:
                        break
                    words.append(self.tokens[other].plain)
                    right = box
                return " ".join(reversed(words)), back
        return "", 0


def governing_phrases(piece: Piece, colon: str, table: LabelTable) -> tuple[tuple[str, str], ...]:
    """The phrases that may be a token's label, by where they stand; ``""`` where nothing stands.

    Args:
        piece: The token's piece.
        colon: The label that ends in a colon before the token on its line.
        table: A header further up a column counts first if this knows it.

    Returns:
        ``c`` the label before a colon, ``g`` the one in the same cell, ``lc`` the cell to the left,
        ``a`` the text above, ``h`` the column's header, ``l`` the text to the left, ``d`` below.
    """
    above = piece.above[0] if piece.above else ""
    known = next((t for t in piece.above if table.role(t)), "")
    header = known or piece.header
    return (
        ("c", colon),
        ("g", piece.cell_label),
        ("lc", piece.left_cell),
        ("a", above),
        ("h", header if header != above else ""),
        ("l", piece.left),
        ("d", piece.below),
    )


def page_features(view: PageView, table: LabelTable) -> list[list[str]]:
    """The features of each token, in the order of ``view.order``."""
    shapes = {i: shape_of(view.tokens[i].text) for i in view.order}
    return [_token_features(view, table, shapes, place) for place in range(len(view.order))]


def _phrase(prefix: str, phrase: str, table: LabelTable, out: list[str]) -> str:
    """Features of a governing phrase; returns its role in the table."""
    if not phrase:
        return ""
    words = phrase.split(" ")
    if len(words) > _LABEL_WORDS:
        words = words[:_LABEL_WORDS]
        phrase = " ".join(words)
    role = table.role(phrase)
    out.append(f"{prefix}={phrase}")
    out.append(f"{prefix}l={words[-1]}")
    if role:
        out.append(f"{prefix}r={role}")
    out.extend(f"{prefix}b={word}" for word in words[:4] if len(word) > 2)
    return role


def _token_features(
    view: PageView, table: LabelTable, shapes: Mapping[int, str], place: int
) -> list[str]:
    index = view.order[place]
    token, piece = view.tokens[index], view.pieces[view.piece_of[index]]
    shape = shapes[index]
    out = _own_features(token, piece, index, shape)
    _mark_features(view, piece, index, out)
    colon, back = view.colon_label(index)
    if colon:
        out.append(f"cd={min(back, 4)}")
    governing = governing_phrases(piece, colon, table)
    roles = [_phrase(prefix, phrase, table, out) for prefix, phrase in governing]
    best = next((r for r in roles if r), "")
    out.append(f"{shape}|{best}")
    own = plain(piece.text) if len(piece.tokens) <= _LABEL_WORDS else ""
    if own and (role := table.role(own)):
        out.append(f"own={role}")
    if piece.section:
        out.append(f"sec={piece.section}")
        out.append(f"sec={piece.section}|{shape}")
    for step in (-2, -1, 1, 2):
        near = place + step
        if 0 <= near < len(view.order):
            other = view.order[near]
            _near_features(view.tokens[other], token, step, (shapes[other], shape), out)
    return out


def _own_features(token: Token, piece: Piece, index: int, shape: str) -> list[str]:
    number, count = piece.tokens.index(index), len(piece.tokens)
    out = [
        f"s={shape}",
        f"n={min(12, len(token.text))}",
        f"x={int(token.box.x0 * 8)}",
        f"y={int(token.box.cy * 8)}",
        f"i={min(number, 4)}",
        f"k={count if count < 4 else min(count // 3 + 3, 9)}",
    ]
    if shape in _WORDY:
        out.append(f"w={token.plain}")
        if token.plain in _COMPANY:
            out.append("company")
    if token.text.endswith((",", ";")):
        out.append("comma")
    if token.box.height > _BIG:
        out.append("big")
    if number == 0:
        out.append("first")
    if piece.cell >= 0:
        out.append("cell1" if piece.first_in_cell else "cell")
    return out


def _mark_features(view: PageView, piece: Piece, index: int, out: list[str]) -> None:
    line = view.lines[piece.line]
    place = line.index(index)
    before = [n for n, i in enumerate(line[: place + 1]) if i in view.marked]
    if before:
        out.append(f"mark={view.marked[line[before[-1]]]}|{min(3, place - before[-1])}")
        out.append(f"marks={min(len(before), 2)}")


def _near_features(
    other: Token, token: Token, step: int, shapes: tuple[str, str], out: list[str]
) -> None:
    if abs(other.box.cy - token.box.cy) >= token.box.height:
        return
    out.append(f"{step}s={shapes[0]}")
    if abs(step) == 1:
        out.append(f"{step}s={shapes[0]}|{shapes[1]}")
        if shapes[0] in _WORDY:
            out.append(f"{step}w={other.plain}")
