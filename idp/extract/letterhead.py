# SPDX-License-Identifier: Apache-2.0
"""Payers in logos and form titles, letter dates, and address blocks that nobody labelled."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from idp.document import DocumentType
from idp.extract.labels import squash
from idp.extract.layout import Piece
from idp.extract.readings import Reading, Title
from idp.extract.sections import head_end
from idp.extract.sentences import DATE, PHONE, Running
from idp.extract.tables_lines import Token
from idp.schemas import DocumentSchema, Lexicon

_TOP = 0.33
_LETTER_TOP = 0.4
_BLOCK_TOP = 0.5
_FORM_WORDS = re.compile(
    r"(?i)\b(?:medication|drug|pharmacy|standard|universal|outpatient|inpatient|medical|general|specialty|provider|member|"
    r"prior|pre-?\s?authori[sz]ation|authori[sz]ation|pre-?cert\w*|referral|request|explanation|remittance|"
    r"notice|coverage|form|fax|determination|utilization|service|services|statement|payment|advice|claims?|department|appeals?)\b.*$"
)
_CITY_LINE = re.compile(r"\b[A-Z]{2}\.?,?\s+\d{5}(?:\s?-\s?\d{4})?$")
_ORGANISATION = re.compile(
    r"(?i)\b(?:clinic|center|centre|hospital|associates|health|healthcare|medical|group|practice|inc|llc|pllc|p\.?c|pa|"
    r"services|orthop\w+|cardiology|family|physicians|institute|partners|imaging|therapy|pharmacy|dental|surgery|"
    r"specialists|network|system|care|rehab\w*|laboratory|university|department|agency)\b\.?"
)
_CREDENTIALS = re.compile(
    r"(?i)\b(?:m\.?d|d\.?o|np|fnp(?:-\w+)?|pa-?c|aprn|arnp|crnp|cnp|dpm|dds|dmd|od|dc|phd|rn)\b\.?$"
)
_SALUTATION = re.compile(r"\bDear\s+[A-Z]")
_POST_BOX = re.compile(r"(?i)\bp\.?\s*o\.?\s*box\b")
_PAYERS_OWN = (DocumentType.PRIOR_AUTH_REQUEST, DocumentType.PRIOR_AUTH_DETERMINATION)
_LOGO = 0.14
_LARGE = 1.12
_PROGRAMS = frozenset({squash("Medicare"), squash("Medicaid"), squash("Medi-Cal")})
_INTRODUCES = re.compile(r"(?i)^(?:[•|\u2013\u2014-]+|by|to|from|:|.*:)$")
_NO_NAME = re.compile(
    r"(?i)\b(?:page|date|phone|fax|npi|form|please|complete|information|request|authorization|number|https?|www|"
    r"confidential|notice|this|explanation|statement|remittance|return|box|summary)\b|[:?@]|\d{3}"
)
_NOT_RECEIVER = re.compile(
    r"(?i)\b(?:patient|office|prescriber|physician|provider'?s|home|cell|from)\s*(?:phone|fax|tel)?\W*$"
)
_PIECES_BESIDE_A_DATE = 2
_DATED = {
    DocumentType.REFERRAL: "referral_date",
    DocumentType.PRIOR_AUTH_REQUEST: "submission_date",
    DocumentType.PRIOR_AUTH_DETERMINATION: "determination_date",
    DocumentType.REMITTANCE_EOB: "issue_date",
}


class Standing(NamedTuple):
    """Tokens that are a field's value by where they stand."""

    field: str
    tokens: list[Token]
    confidence: float


class Letterhead:
    """Finds what the top of a page and its address blocks say."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._payers = {squash(p): p for p in lexicon.payers}
        self._longest = max((len(p.split()) for p in lexicon.payers), default=1)
        words = "|".join(re.escape(w).replace(r"\ ", r"\s*") for w in lexicon.payer_words)
        self._words = re.compile(rf"(?i)\b(?:{words})\b") if words else None

    def of(
        self, reading: Reading, running: Running, schema: DocumentSchema, *, first: bool
    ) -> Iterator[Standing]:
        """All values of one page that stand without a label."""
        if schema.type == DocumentType.OTHER:
            return
        # A referral's letterhead is a practice's: there only names known for payers count.
        yield from self._payer(reading, first=first, logos=schema.type != DocumentType.REFERRAL)
        if first:
            yield from _head_numbers(reading, schema, letter=bool(_SALUTATION.search(running.text)))
            if schema.type == DocumentType.REFERRAL and _SALUTATION.search(running.text):
                yield from _addressee(reading)
            if schema.type in _PAYERS_OWN:
                yield from self._sender(reading)
        if first:
            yield from _letter_date(reading, schema)
        yield from _party_blocks(reading, schema)
        if schema.type == DocumentType.REMITTANCE_EOB and first:
            yield from self._mail_blocks(reading)

    def _payer(self, reading: Reading, *, first: bool, logos: bool) -> Iterator[Standing]:
        """The payer's name in a logo, a title or a letterhead: known names, then telling words."""
        sheaf = reading.sheaf
        best: tuple[float, list[Token]] | None = None
        for piece in sheaf.pieces:
            tokens = list(sheaf.rows[piece.row][piece.start : piece.end])
            place = tokens[0].cy / sheaf.sheet.height
            bottom = place > 0.9
            if place > _TOP and not bottom:
                continue
            large = min(1.6, max(t.height for t in tokens) / sheaf.unit)
            known = self._known(tokens)
            found: list[Token] | None
            if known:
                score = 0.56 + 0.1 * (large - 1) - 0.2 * place - (0.0 if len(tokens) <= 8 else 0.12)
                if (
                    len(tokens) > len(known)
                    and squash(" ".join(t.text for t in known)) in _PROGRAMS
                ):
                    score -= 0.25  # a programme named in passing, not the payer
                found = known
            elif len(tokens) <= 12 and self._words and (found := self._worded(tokens)):
                score = 0.52 + 0.1 * (large - 1) - 0.2 * place
            elif logos and place < _LOGO and (found := self._logo(reading, tokens, large)):
                score = 0.5 + 0.12 * (large - 1) - 1.2 * place
            else:
                continue
            score -= 0.1 if bottom else 0.0
            if any((piece.row, i) in reading.taken for i in range(piece.start, piece.end)):
                score -= 0.15
            score -= 0.0 if first else 0.08
            if best is None or score > best[0]:
                best = (score, found)
        if best:
            yield Standing("payer_name", best[1], round(max(0.2, best[0]), 3))

    def _known(self, tokens: Sequence[Token]) -> list[Token] | None:
        for length in range(min(self._longest, len(tokens)), 0, -1):
            for start in range(len(tokens) - length + 1):
                words = tokens[start : start + length]
                key = squash(" ".join(t.text for t in words))
                if key in self._payers and (len(key) > 4 or words[0].text[:1].isupper()):
                    if start and not _INTRODUCES.search(tokens[start - 1].text):
                        continue
                    return self._grown(tokens, start, start + length)
        return None

    def _grown(self, tokens: Sequence[Token], start: int, end: int) -> list[Token]:
        """A payer's name with what belongs to it: "Molina Healthcare" + "of Texas"."""
        if end + 1 < len(tokens) and tokens[end].text.lower() == "of":
            stop = end + 1
            while stop < len(tokens) and stop <= end + 3 and tokens[stop].text[:1].isupper():
                if _FORM_WORDS.match(tokens[stop].text):
                    break
                stop += 1
            if stop > end + 1:
                end = stop
        while end < len(tokens) and re.fullmatch(
            r"(?i)(?:health|healthcare|plan|plans|inc\.?)", tokens[end].text
        ):
            end += 1
        return list(tokens[start:end])

    @staticmethod
    def _logo(reading: Reading, tokens: Sequence[Token], large: float) -> list[Token] | None:
        """A few large words at the very top that are no form's title."""
        text = " ".join(t.text for t in tokens).strip(" ®™©*•|-")
        if any(
            m[1] < tokens[0].cy < m[3] and 0 <= tokens[0].x0 - m[2] + 4 < 2 * reading.sheaf.unit
            for m in reading.sheaf.marks
        ):
            return None
        if large < _LARGE or not 1 <= len(tokens) <= 6 or not text[:1].isupper():
            return None
        if _FORM_WORDS.search(text) or _NO_NAME.search(text) or sum(c.isalpha() for c in text) < 4:
            return None
        return [t for t in tokens if any(c.isalpha() for c in t.text)]

    def _worded(self, tokens: Sequence[Token]) -> list[Token] | None:
        text = " ".join(t.text for t in tokens)
        if self._words is None or not self._words.search(text):
            return None
        kept = list(tokens)
        for index, token in enumerate(tokens):
            if (
                index
                and _FORM_WORDS.match(token.text)
                and not re.match(r"(?i)medical|service", token.text)
            ):
                kept = list(tokens[:index])
                break
        words = " ".join(t.text for t in kept)
        if not self._words.search(words) or not kept[0].text[:1].isupper() or len(kept) > 7:
            return None
        return None if re.search(r"[?:]|\d{3}", words) else kept

    def _sender(self, reading: Reading) -> Iterator[Standing]:
        """The payer's own address in the head of its form: a block with a post-office box."""
        for name, lines in _address_blocks(reading):
            text = " ".join(t.text for line in lines for t in line)
            if name[0].cy < 0.2 * reading.sheaf.sheet.height and _POST_BOX.search(text):
                yield Standing("payer_name", name, 0.55)

    def _mail_blocks(self, reading: Reading) -> Iterator[Standing]:
        """The sender's and the addressee's block of a remittance, upper half of the page."""
        payee: list[tuple[float, list[Token]]] = []
        height = reading.sheaf.sheet.height
        for name, lines in _address_blocks(reading):
            text = " ".join(t.text for t in name)
            street = " ".join(t.text for line in lines for t in line)
            boxed = _POST_BOX.search(street) and name[0].cy < 0.2 * height
            if self._known(name) or (self._words and self._words.search(text)) or boxed:
                yield Standing("payer_name", name, 0.6)
            elif re.search(r"(?i)\bclaims?\b|correspondence", street + text):
                continue
            else:
                payee.append((name[0].y0, name))
        if payee:
            yield Standing("payee_name", max(payee, key=lambda p: p[0])[1], 0.75)


def _piece_tokens(reading: Reading, piece: Piece) -> list[Token]:
    return list(reading.sheaf.rows[piece.row][piece.start : piece.end])


def _is_taken(reading: Reading, piece: Piece) -> bool:
    return any((piece.row, i) in reading.taken for i in range(piece.start, piece.end))


def _address_blocks(reading: Reading) -> Iterator[tuple[list[Token], list[list[Token]]]]:
    """Name and address lines of blocks that end in "City, ST 12345"."""
    sheaf = reading.sheaf
    pieces = [
        p for p in sheaf.pieces if sheaf.rows[p.row][p.start].cy < _BLOCK_TOP * sheaf.sheet.height
    ]
    for end in pieces:
        last = _piece_tokens(reading, end)
        if not _CITY_LINE.search(" ".join(t.text for t in last)) or _is_taken(reading, end):
            continue
        block = [last]
        while len(block) < 6:
            top = block[0]
            above = [
                p
                for p in pieces
                if p.row < end.row
                and abs(sheaf.rows[p.row][p.start].x0 - last[0].x0) < 1.5 * sheaf.unit
                and 0 < top[0].y0 - sheaf.rows[p.row][p.start].y0 < 2.3 * sheaf.unit
            ]
            if not above or _is_taken(reading, above[-1]):
                break
            block.insert(0, _piece_tokens(reading, above[-1]))
        if len(block) >= 3 and not any(c.isdigit() for t in block[0] for c in t.text):
            yield block[0], block[1:]


def _letter_date(reading: Reading, schema: DocumentSchema) -> Iterator[Standing]:
    """A date alone on its line near the top is the letter's."""
    name = _DATED.get(schema.type)
    if name is None:
        return
    sheaf = reading.sheaf
    for piece in sheaf.pieces:
        tokens = _piece_tokens(reading, piece)
        if tokens[0].cy > _LETTER_TOP * sheaf.sheet.height:
            break
        text = " ".join(t.text for t in tokens).strip(" .")
        beside = sum(other.row == piece.row for other in sheaf.pieces)
        if beside > _PIECES_BESIDE_A_DATE:
            continue  # a line of a table
        if re.fullmatch(DATE, text, re.IGNORECASE) and not _has_label_near(reading, tokens):
            yield Standing(name, tokens, 0.6)
            return


def _addressee(reading: Reading) -> Iterator[Standing]:
    """Whom a letter goes to: the block above the salutation, and the fax number beside it."""
    sheaf = reading.sheaf
    for name, _ in _address_blocks(reading):
        text = " ".join(t.text for t in name)
        if name[0].cy > 0.11 * sheaf.sheet.height and _CREDENTIALS.search(text):
            yield Standing("referred_to_name", name, 0.75)
            return


def _head_numbers(reading: Reading, schema: DocumentSchema, *, letter: bool) -> Iterator[Standing]:
    """Where to call and fax: the numbers in the head of a form are those of who receives it."""
    owner = {DocumentType.PRIOR_AUTH_REQUEST: "payer", DocumentType.REFERRAL: "referred_to"}.get(
        schema.type
    )
    if owner is None:
        return
    if letter and owner == "referred_to":
        owner = "referring_provider"
    sheaf = reading.sheaf
    end = min(head_end(reading), (0.13 if letter else 0.3) * sheaf.sheet.height)
    for row in sheaf.rows:
        if not row or row[0].cy > end:
            break
        text, starts = "", []
        for token in row:
            starts.append(len(text))
            text += token.text + " "
        last = 0
        for match in re.finditer(PHONE, text):
            before = text[last : match.start()][-70:]
            last = match.end()
            if _NOT_RECEIVER.search(before):
                continue
            fax = list(re.finditer(r"(?i)\bfax", before))
            call = list(
                re.finditer(
                    r"(?i)\b(?:call|phone|tel|telephone|line|questions|main|contact|scheduling)\b",
                    before,
                )
            )
            is_fax = bool(fax) and (not call or fax[-1].start() > call[-1].start())
            if not is_fax and not call:
                continue
            tokens = [
                t
                for t, at in zip(row, starts, strict=True)
                if at < match.end() and at + len(t.text) > match.start()
            ]
            sure = 0.72 if owner == "payer" else 0.45
            yield Standing(f"{owner}_{'fax' if is_fax else 'phone'}", tokens, sure)


def _has_label_near(reading: Reading, tokens: Sequence[Token]) -> bool:
    """Whether a label on the same row, or right above, already asks for these words."""
    unit = reading.sheaf.unit
    x0, y0 = tokens[0].x0, tokens[0].y0
    return any(
        (abs(f.box[1] - y0) < unit and f.box[2] <= x0 + unit)
        or (0 < y0 - f.box[3] < 1.5 * unit and abs(f.box[0] - x0) < 8 * unit)
        for f in reading.labels
    )


def _party_blocks(reading: Reading, schema: DocumentSchema) -> Iterator[Standing]:
    """Lines under a party's title that carry no labels: name, practice, street, city."""
    for title in reading.titles:
        if title.party is None:
            continue
        roles = {
            f.attribute: f.name for f in schema.fields if f.party == title.party and f.attribute
        }
        if "name" not in roles:
            continue
        yield from _block_under(reading, title, roles)


def _block_under(reading: Reading, title: Title, roles: dict[str, str]) -> Iterator[Standing]:
    sheaf = reading.sheaf
    unit = sheaf.unit
    bottom = max(t.y1 for t in title.tokens)
    lines: list[list[Token]] = []
    for piece in sheaf.pieces:
        tokens = _piece_tokens(reading, piece)
        if piece.row <= title.row or not title.x0 - unit <= tokens[0].x0 < title.x1:
            continue
        if tokens[0].y0 >= title.y1 or tokens[0].y0 - bottom > 2.6 * unit:
            break
        if _is_taken(reading, piece) or len(lines) >= 6:
            break
        if lines and abs(tokens[0].x0 - lines[0][0].x0) > 3 * unit:
            continue
        lines.append(tokens)
        bottom = max(t.y1 for t in tokens)
    if not lines:
        return
    name = " ".join(t.text for t in lines[0])
    if _NO_NAME.search(name) or not 2 <= len(lines[0]) <= 7 or not name[:1].isupper():
        return
    if not (_CREDENTIALS.search(name) or _ORGANISATION.search(name) or len(lines) >= 2):
        return
    is_practice = (
        "practice" in roles and not _CREDENTIALS.search(name) and _ORGANISATION.search(name)
    )
    yield Standing(roles["practice"] if is_practice else roles["name"], lines[0], 0.7)
    rest = lines[1:]
    if (
        rest
        and "practice" in roles
        and not is_practice
        and not any(c.isdigit() for t in rest[0] for c in t.text)
    ):
        yield Standing(roles["practice"], rest[0], 0.68)
        rest = rest[1:]
    city = next(
        (i for i, line in enumerate(rest) if _CITY_LINE.search(" ".join(t.text for t in line))),
        None,
    )
    if city is not None and "address" in roles:
        street = [t for line in rest[: city + 1] for t in line]
        yield Standing(roles["address"], street, 0.7)
    for line in rest:
        text = " ".join(t.text for t in line)
        if "phone" in roles and re.fullmatch(rf"\W*{PHONE}\W*", text):
            yield Standing(roles["phone"], line, 0.5)
            return
