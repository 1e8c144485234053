# SPDX-License-Identifier: Apache-2.0
"""From tagged words to values: runs, wrapped lines, parts put together, and whose value it is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from idp.document import Box, DocumentType
from idp.extract.crf_roles import ADDRESS_PARTS, NAME_PARTS, NOT_VALUES, OWNED
from idp.extract.features import LabelTable, PageView, Piece, party_in, plain, shape_of
from idp.extract.ports import Label, Structure

_LISTED = {
    "ICD": frozenset({"icd", "icd_plain", "hcpcs", "mixed"}),
    "CPT": frozenset({"five", "hcpcs", "icd_plain", "mixed"}),
}
"""Roles whose every word is a value of its own, with the shapes that such a word has."""
_WRAPS = frozenset(
    {
        "NOTES",
        "REASON",
        "ADDRESS",
        "STREET",
        "DX",
        "SERVICE",
        "DENIAL",
        "DIRECTIONS",
        "PAYER",
        "NAME",
        "PRACTICE",
        "URGENCY_REASON",
        "SPECIALTY",
        "MEDICATION",
        "PLAN",
    }
)
"""Roles whose value may go on in the next line."""
_WORDY = frozenset(
    {"NAME", "PRACTICE", "SPECIALTY", "DX", "SERVICE", "PAYER", "MEDICATION", "PLAN"}
)
"""Roles whose values are words, where the tagger may know only some of them."""
_HARD = frozenset({"date", "phone", "money", "five", "hcpcs", "icd", "npi", "ten", "tax", "carc"})
"""Shapes that are never part of a name, a diagnosis or a service in words."""
_ABSORBED = frozenset({"O", "X_TEXT", "X_NAME", *_WORDY})
_MOST_ABSORBED = 3
_PARTIES = frozenset(
    {
        "patient",
        "subscriber",
        "requesting_provider",
        "servicing_provider",
        "referring_provider",
        "referred_to",
        "contact",
        "payer",
        "payee",
        "pcp",
    }
)
_DEFAULT_PARTY = {
    DocumentType.PRIOR_AUTH_REQUEST: "requesting_provider",
    DocumentType.PRIOR_AUTH_DETERMINATION: "requesting_provider",
    DocumentType.REFERRAL: "referring_provider",
    DocumentType.REMITTANCE_EOB: "payee",
}
"""Who "provider" is, where a form says no more."""
_SAME_PARTY = {
    (DocumentType.REFERRAL, "requesting_provider"): "referring_provider",
    (DocumentType.REFERRAL, "servicing_provider"): "referred_to",
    (DocumentType.PRIOR_AUTH_REQUEST, "referring_provider"): "requesting_provider",
    (DocumentType.PRIOR_AUTH_REQUEST, "referred_to"): "servicing_provider",
    (DocumentType.PRIOR_AUTH_DETERMINATION, "referring_provider"): "requesting_provider",
    (DocumentType.PRIOR_AUTH_DETERMINATION, "referred_to"): "servicing_provider",
}
_LONE_PART = 0.4
"""What is left of the confidence of a name or address of which only one box was found."""
_REACH_RIGHT, _REACH_DOWN, _DOWN = 0.35, 0.08, 2.0
"""How far a label's value may stand, in widths of the page; a step down counts double."""
_BY_OWN_LABEL, _BY_SECTION, _BY_COLUMN, _BY_DEFAULT = 1.0, 0.95, 0.85, 0.6
"""How much is left of a confidence, by the way the party was found."""


@dataclass(frozen=True)
class Span:
    """One value: tokens of one role, with how sure the tagger is of the least sure of them."""

    role: str
    tokens: tuple[int, ...]
    text: str
    box: Box
    piece: int
    confidence: float
    labelled: bool
    party: str = ""


def _text(view: PageView, tokens: Sequence[int]) -> str:
    words = [view.tokens[i].text for i in tokens]
    return " ".join(words).strip(" ,;:")


def _box(view: PageView, tokens: Sequence[int]) -> Box:
    box = view.tokens[tokens[0]].box
    for index in tokens[1:]:
        box = box.union(view.tokens[index].box)
    return box


def _runs(view: PageView, tags: Mapping[int, str]) -> Iterator[tuple[str, int, list[int]]]:
    for number, piece in enumerate(view.pieces):
        run: list[int] = []
        for index in piece.tokens:
            if run and tags[index] != tags[run[0]]:
                yield tags[run[0]], number, run
                run = []
            run.append(index)
        if run:
            yield tags[run[0]], number, run


def completed(view: PageView, tags: Mapping[int, str], sure: Mapping[int, float]) -> dict[int, str]:
    """The tags with values of words made whole: a few words beside one, in its piece, are its own.

    A tagger that knows "Orthopedic" and not "Surgery" leaves half a value; labels, check boxes and
    other kinds of values end it.
    """
    out = dict(tags)
    for piece in view.pieces:
        strength: dict[str, float] = {}
        for index in piece.tokens:
            if tags[index] in _WORDY:
                strength[tags[index]] = strength.get(tags[index], 0.0) + sure[index]
        if not strength:
            continue
        role = max(strength, key=lambda r: strength[r])
        own = [n for n, i in enumerate(piece.tokens) if tags[i] == role]
        behind, before = piece.tokens[own[-1] + 1 :], piece.tokens[: own[0]][::-1]
        for beside, ends in ((behind, True), (before, False)):
            taken = _absorbed(view, tags, beside)
            whole = len(taken) == len(beside)
            stopped = not whole and tags[beside[len(taken)]] == "LABEL"
            if (whole if ends else stopped) or all(tags[i] != "O" for i in taken):
                out.update(dict.fromkeys(taken, role))
    return out


def _absorbed(view: PageView, tags: Mapping[int, str], beside: Sequence[int]) -> list[int]:
    taken: list[int] = []
    for index in beside[:_MOST_ABSORBED]:
        ends = view.tokens[index].text.endswith((":", "?")) or index in view.marked
        if ends or tags[index] not in _ABSORBED:
            break
        taken.append(index)
    return taken


def governing_labels(view: PageView, token: int) -> list[str]:
    """The phrases that may be the label of a value, nearest kind of evidence first."""
    piece = view.pieces[view.piece_of[token]]
    colon, _ = view.colon_label(token)
    before = plain(
        " ".join(view.tokens[i].text for i in piece.tokens[: piece.tokens.index(token)][-4:])
    )
    found = [colon, before, piece.cell_label, piece.left_cell, *piece.above[:1], piece.left]
    found += piece.above[1:]
    return [phrase for phrase in found if phrase]


def _whole_role(role: str) -> str:
    """The role under which labels know a part of a name or a street."""
    return "NAME" if role in NAME_PARTS else "ADDRESS" if role == "STREET" else role


def _is_labelled(view: PageView, table: LabelTable, role: str, token: int) -> bool:
    wanted = {"STREET": "ADDRESS", "FIRST": "NAME", "LAST": "NAME", "MIDDLE": "NAME"}.get(
        role, role
    )
    for phrase in governing_labels(view, token):
        if wanted in table.role(phrase).split("+"):
            return True
        if wanted in ("CITY", "STATE", "ZIP") and wanted.lower() in phrase:
            return True
        if wanted == "NAME" and ("name" in phrase or party_in(phrase) in _PARTIES):
            return True
    return False


def spans_of(
    view: PageView, tags: Mapping[int, str], sure: Mapping[int, float], table: LabelTable
) -> list[Span]:
    """The values of a page, wrapped lines joined; lists are cut into their values."""
    spans: list[Span] = []
    for role, piece, run in _runs(view, tags):
        if role in NOT_VALUES:
            continue
        for tokens in _cut(view, role, run):
            if not re.search(r"\w", _text(view, tokens)):
                continue
            spans.append(
                Span(
                    role,
                    tuple(tokens),
                    _text(view, tokens),
                    _box(view, tokens),
                    piece,
                    min(sure[i] for i in tokens),
                    _is_labelled(view, table, role, tokens[0]),
                )
            )
    return _join_wrapped(view, tags, spans)


def _cut(view: PageView, role: str, run: list[int]) -> list[list[int]]:
    if role in _WORDY:
        return _without_codes(view, run)
    shapes = _LISTED.get(role)
    if shapes is None:
        return [run]
    single = [[i] for i in run if shape_of(view.tokens[i].text) in shapes]
    if single:
        return single
    return [[i] for i in run if any(c.isdigit() for c in view.tokens[i].text)]


def _without_codes(view: PageView, run: list[int]) -> list[list[int]]:
    """The stretches of words between codes, dates and numbers of a table's row."""
    parts: list[list[int]] = [[]]
    for index in run:
        if shape_of(view.tokens[index].text) in _HARD:
            parts.append([])
        else:
            parts[-1].append(index)
    return [part for part in parts if part]


def _join_wrapped(view: PageView, tags: Mapping[int, str], spans: list[Span]) -> list[Span]:
    out: list[Span] = []
    for span in spans:
        before = next(
            (n for n in range(len(out) - 1, -1, -1) if _continues(view, tags, out[n], span)), None
        )
        if before is None:
            out.append(span)
            continue
        first = out[before]
        tokens = (*first.tokens, *span.tokens)
        out[before] = replace(
            first,
            tokens=tokens,
            text=f"{first.text} {span.text}",
            box=first.box.union(span.box),
            confidence=min(first.confidence, span.confidence),
        )
    return out


def _continues(view: PageView, tags: Mapping[int, str], one: Span, two: Span) -> bool:
    """Whether ``two`` is the next line of ``one``: beneath it, alone, with no label of its own."""
    if one.role != two.role or one.role not in _WRAPS:
        return False
    last, first = view.tokens[one.tokens[-1]].box, view.tokens[two.tokens[0]].box
    height = max(last.height, first.height)
    distance = first.cy - last.cy
    if not 0.4 * height < distance < 1.9 * height:
        return False
    piece_one, piece_two = view.pieces[one.piece], view.pieces[two.piece]
    starts_piece = piece_two.tokens[0] == two.tokens[0]
    own_label = any(tags[i] == "LABEL" for i in piece_two.tokens)
    if not starts_piece or own_label:
        return False
    if piece_one.cell != piece_two.cell:
        return False
    return one.box.overlap_x(two.box) > 0 or abs(one.box.x0 - two.box.x0) < 0.02


class Parties:
    """Whose a value is: its own label, else the nearest label or title above that names a party.

    Args:
        view: The page.
        tags: What the tagger takes each token for.
        table: What labels ask for; one that asks for something else names no party.
        kind: The document's type; it says who "provider" is.
        structure: The document's sections.
        page: The page's number.
    """

    def __init__(
        self,
        view: PageView,
        tags: Mapping[int, str],
        table: LabelTable,
        *,
        kind: DocumentType,
        structure: Structure,
        page: int,
    ) -> None:
        self.view, self.kind, self.structure, self.page = view, kind, structure, page
        self.table = table
        self._named: list[tuple[Piece, str, bool]] = []
        for piece in view.pieces:
            titles = [i for i in piece.tokens if tags[i] == "TITLE"]
            labels = [i for i in piece.tokens if tags[i] == "LABEL"]
            for chosen, is_title in ((titles, True), (labels, False)):
                if chosen:
                    party = self._known(plain(" ".join(view.tokens[i].text for i in chosen)))
                    if party:
                        self._named.append((piece, party, is_title))

    def _known(self, phrase: str) -> str:
        party = party_in(phrase)
        if party == "provider":
            party = _DEFAULT_PARTY.get(self.kind, "")
        party = _SAME_PARTY.get((self.kind, party), party)
        return party if party in _PARTIES else ""

    def of(self, span: Span) -> tuple[str, float]:
        """The party of a value and how much of its confidence that leaves."""
        for phrase in governing_labels(self.view, span.tokens[0])[:3]:
            roles = self.table.role(phrase)
            speaks_of_this = not roles or _whole_role(span.role) in roles.split("+")
            if speaks_of_this and (party := self._known(phrase)):
                return party, _BY_OWN_LABEL
        label = self._label_of(span)
        if label is not None and label.party:
            return label.party, _BY_OWN_LABEL if label.own_party else _BY_SECTION
        titled = self.structure.party_at(self.page, span.box.x0 + 0.004, span.box.cy)
        if titled:
            return titled, _BY_SECTION
        return self._by_column(span)

    def _label_of(self, span: Span) -> Label | None:
        """The structure's label that this value answers: left in its row, else above it."""
        box = span.box
        words = {self.view.tokens[i].word for i in span.tokens}
        best: tuple[float, Label] | None = None
        for label in self.structure.labels:
            if label.page != self.page or words & set(label.word_ids):
                continue
            own = label.box
            if own.overlap_y(box) > 0.5 * min(own.height, box.height):
                distance = box.x0 - own.x1
                fits = -0.01 <= distance < _REACH_RIGHT
            else:
                distance = (box.y0 - own.y1) * _DOWN
                fits = -0.01 <= distance < _REACH_DOWN and own.x0 - 0.02 <= box.x0 <= own.x1 + 0.04
            if fits and (best is None or distance < best[0]):
                best = (distance, label)
        return best[1] if best else None

    def _by_column(self, span: Span) -> tuple[str, float]:
        piece = self.view.pieces[span.piece]
        best: tuple[float, str, float] | None = None
        for other, party, is_title in self._named:
            if other.line >= piece.line:
                continue
            across = other.box.x0 - 0.02 <= piece.box.x0
            beside = is_title and other.box.x1 < 0.5 and piece.box.x0 > 0.52
            if not across or (not is_title and other.box.overlap_x(piece.box) <= -0.12):
                continue
            distance = piece.box.cy - other.box.cy + (0.02 if beside else 0.0)
            share = _BY_SECTION if is_title else _BY_COLUMN
            if best is None or distance <= best[0]:
                best = (distance, party, share)
        if best is not None:
            return best[1], best[2]
        return self._default(span.role), _BY_DEFAULT

    def _default(self, role: str) -> str:
        if role in ("NAME", *NAME_PARTS, "EMAIL", "MOBILE"):
            return "patient"
        return _DEFAULT_PARTY.get(self.kind, "")


def with_parties(spans: Sequence[Span], parties: Parties) -> list[Span]:
    """The spans with the party of each, for the roles that several parties have."""
    out = []
    for span in spans:
        if span.role in OWNED:
            party, share = parties.of(span)
            out.append(replace(span, party=party, confidence=span.confidence * share))
        else:
            out.append(span)
    return out


def compose(spans: Sequence[Span]) -> list[Span]:
    """Names and addresses that a form takes in several boxes, put together."""
    out = [s for s in spans if s.role not in (*NAME_PARTS, *ADDRESS_PARTS)]
    for parts, role, order in (
        (NAME_PARTS, "NAME", NAME_PARTS),
        (ADDRESS_PARTS, "ADDRESS", ADDRESS_PARTS),
    ):
        for party in {s.party for s in spans if s.role in parts}:
            own = [s for s in spans if s.role in parts and s.party == party]
            chosen = [next((s for s in own if s.role == part), None) for part in order]
            found = [s for s in chosen if s is not None]
            if role == "NAME" and not any(s.role == "LAST" for s in found):
                continue
            if role == "ADDRESS" and not any(s.role == "STREET" for s in found):
                continue
            out.append(_whole(found, role, party))
    return out


def _whole(parts: Sequence[Span], role: str, party: str) -> Span:
    box = parts[0].box
    for part in parts[1:]:
        box = box.union(part.box)
    texts = [p.text for p in parts]
    if role == "ADDRESS":
        street, *rest = texts
        states = [p.text for p in parts if p.role in ("STATE", "ZIP")]
        towns = [p.text for p in parts if p.role == "CITY"]
        del rest
        text = ", ".join(filter(None, (street, *towns, " ".join(states))))
    else:
        text = " ".join(texts)
    return Span(
        role,
        tuple(i for p in parts for i in p.tokens),
        text,
        box,
        parts[0].piece,
        min(p.confidence for p in parts) * (1.0 if len(parts) > 1 else _LONE_PART),
        any(p.labelled for p in parts),
        party,
    )
