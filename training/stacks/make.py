# SPDX-License-Identifier: Apache-2.0
"""Draws stacks: runs of one kind, packets with cover and attachments, mixtures, blank sheets."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from idp.document import Box, Page, Word
from training.labelled import read_labelled
from training.stacks.continued import (
    Person,
    front_page,
    further_page,
    manner,
    numbered,
    with_words,
    without_numbers,
)
from training.synthesise import FAMILIES, make_one
from training.synthesise.noise import Labelled
from training.synthesise.others import KINDS as OTHERS
from training.synthesise.values import Split

WANTED = ("referral", "prior_auth_request", "prior_auth_determination", "remittance_eob")
ATTACHED = ("lab_result", "clinical_note")
MANY = "many"
"""The patient of a remittance: it speaks of many by its nature."""

_OF_A_PATIENT = {
    "NAME": "name",
    "LAST": "last",
    "FIRST": "first",
    "DOB": "born",
    "MEMBER_ID": "member",
}


class Piece(NamedTuple):
    """One document of a stack."""

    name: str
    kind: str
    family: str
    pages: tuple[Page, ...]
    patient: str
    """Who it is about: equal where it is the same person, empty where it names nobody."""


class Stack(NamedTuple):
    """Pages as they come, and which of them are which document."""

    name: str
    pages: tuple[Page, ...]
    documents: tuple[tuple[int, ...], ...]
    """Numbers of the pages of each document, blank sheets left out."""
    pieces: tuple[Piece, ...]

    @property
    def firsts(self) -> frozenset[int]:
        """The boundaries: pages that begin a document, that of the stack left out."""
        return frozenset(pages[0] for pages in self.documents[1:])


class Source(Protocol):
    """Where single documents come from."""

    split: Split

    def draw(
        self, kind: str, rng: random.Random, like: str = ""
    ) -> tuple[str, str, list[Labelled]]:
        """Name, layout family and pages of a document, of the family ``like`` where it can be."""


class Invented:
    """Documents with invented reading errors: any number of each family, no reader needed."""

    def __init__(self, split: Split) -> None:
        self.split = split

    def draw(
        self, kind: str, rng: random.Random, like: str = ""
    ) -> tuple[str, str, list[Labelled]]:
        type_ = "other" if kind in OTHERS else kind
        index = int(like.rsplit("-", 1)[1]) if like else rng.randrange(FAMILIES)
        if kind in OTHERS and not like:
            index = index // len(OTHERS) * len(OTHERS) + OTHERS.index(kind)
        made = make_one(type_, self.split, index, rng.randrange(10**6))
        return made.name, made.family, list(made.pages)


class Read:
    """Documents that were drawn, faxed and read (``training.synthesise --paper``), one a family."""

    def __init__(self, folder: Path, split: Split) -> None:
        self.split = split
        self._of: dict[str, list[tuple[str, str, list[Labelled]]]] = {}
        for name, pages in read_labelled(folder):
            kind, _, rest = name.partition(f"_{split}_")
            index = int(rest.split("_")[0])
            known = OTHERS[index % len(OTHERS)] if kind == "other" else kind
            self._of.setdefault(known, []).append((name, f"{kind}-{split}-{index}", pages))

    def draw(
        self, kind: str, rng: random.Random, like: str = ""
    ) -> tuple[str, str, list[Labelled]]:
        return rng.choice(self._of[kind])


def _person(pages: Sequence[Labelled]) -> Person:
    """The patient as printed: the first value of each kind that is theirs."""
    found: dict[str, str] = {}
    for part in pages:
        spans: dict[int, list[str]] = {}
        what: dict[int, str] = {}
        for word, role, party, span in zip(
            part.page.words, part.roles, part.parties, part.spans, strict=True
        ):
            if party == "patient" and role in _OF_A_PATIENT:
                spans.setdefault(span, []).append(word.text)
                what[span] = _OF_A_PATIENT[role]
        for span, words in spans.items():
            found.setdefault(what[span], " ".join(words))
    last, first = found.pop("last", ""), found.pop("first", "")
    if last and first:
        found.setdefault("name", f"{first} {last}")
    return Person(**found)


def _about(part: Labelled, person: Person) -> Page:
    """The page with another patient in the places of its own."""
    parts = [part.strip() for part in person.name.split(",") if part.strip()]
    words_of = person.name.split()
    turned = len(parts) == 2
    texts = {
        "NAME": words_of,
        "LAST": parts[0].split() if turned else words_of[-1:],
        "FIRST": parts[1].split()[:1] if turned else words_of[:1],
        "DOB": person.born.split(),
        "MEMBER_ID": person.member.split(),
    }
    spans: dict[int, list[int]] = {}
    for place, (role, party, span) in enumerate(
        zip(part.roles, part.parties, part.spans, strict=True)
    ):
        if party == "patient" and texts.get(role):
            spans.setdefault(span, []).append(place)
    words: list[Word | None] = list(part.page.words)
    for places in spans.values():
        new = texts[part.roles[places[0]]]
        if len(places) < len(new):
            new = [*new[: len(places) - 1], " ".join(new[len(places) - 1 :])]
        for order, place in enumerate(places):
            old = words[place]
            text = new[order] if order < len(new) else ""
            words[place] = old.model_copy(update={"text": text}) if old and text else None
    return with_words(part.page, [word for word in words if word is not None])


class Maker:
    """Draws the documents of stacks from one source."""

    def __init__(self, source: Source, rng: random.Random) -> None:
        self.source, self.rng = source, rng

    def piece(self, kind: str, like: str = "", about: tuple[str, Person] | None = None) -> Piece:
        """A document, at times longer than its source drew it.

        Args:
            kind: Its type, or its kind of `other`.
            like: Layout family, where the source has several of one.
            about: Whose it is, as another document has it.
        """
        rng = self.rng
        name, family, parts = self.source.draw(kind, rng, like)
        own = _person(parts)
        patient = "" if kind == "fax_cover" or not any(own) else f"{name}-{rng.randrange(10**9)}"
        if kind == "remittance_eob":
            patient = MANY
        elif about is not None and patient:
            patient, own = about
            parts = [part._replace(page=_about(part, own)) for part in parts]
        pages = [part.page for part in parts]
        longer = kind not in {"fax_cover", "insurance_card", "claim_form"} and rng.random() < 0.4
        if longer:
            pages = self._longer(kind, family, pages, own)
        return Piece(name, kind, family, tuple(pages), patient)

    def _longer(self, kind: str, family: str, pages: list[Page], person: Person) -> list[Page]:
        rng, split = self.rng, self.source.split
        how = manner(family, split)
        most = 6 if kind == "remittance_eob" else 2
        more = rng.randint(1, most)
        pages = [without_numbers(page) for page in pages]
        first = pages[0]
        for place in range(more):
            further = further_page(
                kind, first, how, person, rng, last=place == more - 1, split=split
            )
            pages.append(further.page)
        if kind in WANTED[:2] and rng.random() < 0.15:
            pages.insert(0, front_page(first, how, rng, split).page)
        return [numbered(page, how, n, len(pages), rng) for n, page in enumerate(pages, 1)]

    def run(self) -> list[Piece]:
        """Several of one kind: other patients, one layout or many."""
        kind = self.rng.choice(WANTED)
        first = self.piece(kind)
        like = first.family if self.rng.random() < 0.5 else ""
        return [first, *(self.piece(kind, like) for _ in range(self.rng.randint(2, 5)))]

    def twice(self) -> list[Piece]:
        """Several documents of one kind about one patient, then one about another."""
        kind = self.rng.choice(WANTED[:3])
        about = self._somebody(kind)
        first = self.piece(kind, about=about)
        like = first.family if self.rng.random() < 0.5 else ""
        pieces = [first, *(self.piece(kind, like, about) for _ in range(self.rng.randint(1, 2)))]
        return [*pieces, self.piece(kind, like)]

    def _somebody(self, kind: str) -> tuple[str, Person]:
        for _ in range(20):
            _, _, parts = self.source.draw(kind, self.rng)
            person = _person(parts)
            if person.name and person.born:
                return f"somebody-{self.rng.randrange(10**9)}", person
        raise RuntimeError(f"no {kind} of the source names its patient")

    def packet(self) -> list[Piece]:
        """A cover, what is asked, and what is enclosed about the same patient."""
        kind = self.rng.choice(WANTED[:2])
        about = self._somebody(kind)
        pieces = [self.piece("fax_cover")] if self.rng.random() < 0.6 else []
        pieces.append(self.piece(kind, about=about))
        pieces += [
            self.piece(self.rng.choice(ATTACHED), about=about)
            for _ in range(self.rng.randint(0, 2))
        ]
        return pieces

    def packets(self) -> list[Piece]:
        """Packets one after another."""
        return [piece for _ in range(self.rng.randint(2, 3)) for piece in self.packet()]

    def mixture(self) -> list[Piece]:
        """Anything after anything."""
        kinds = (*WANTED, *WANTED, *WANTED, *OTHERS)
        return [self.piece(self.rng.choice(kinds)) for _ in range(self.rng.randint(3, 8))]

    def alone(self) -> list[Piece]:
        """One document and nothing else, as most faxes are."""
        return [self.piece(self.rng.choice((*WANTED, *WANTED, *OTHERS)))]

    def stack(self, name: str, alone: float = 0.0) -> Stack:
        """One stack of three to eight documents (packets may have a few more).

        Args:
            name: What to call it.
            alone: How often there is one document only.
        """
        draw = self.rng.choices(
            (self.run, self.twice, self.packets, self.mixture), (0.35, 0.15, 0.2, 0.3)
        )[0]
        if self.rng.random() < alone:
            draw = self.alone
        pieces = draw()
        pages: list[Page] = []
        documents: list[tuple[int, ...]] = []
        backs = self.rng.random() < 0.1
        for place, piece in enumerate(pieces):
            numbers: list[int] = []
            for page in piece.pages:
                pages.append(page.model_copy(update={"number": len(pages) + 1}))
                numbers.append(len(pages))
                last = place == len(pieces) - 1 and page is piece.pages[-1]
                if (backs and not last) or (self.rng.random() < 0.04):
                    pages.append(self._blank(len(pages) + 1))
            documents.append(tuple(numbers))
        return Stack(name, tuple(pages), tuple(documents), tuple(pieces))

    def _blank(self, number: int) -> Page:
        """A white page: nothing on it, or specks that were read as signs."""
        words = []
        for place in range(self.rng.choice((0, 0, 0, 1, 2, 3))):
            x, y = self.rng.random() * 0.95, self.rng.random() * 0.95
            words.append(
                Word(
                    id=place,
                    text=self.rng.choice((".", "-", "'", "i", "l", "1", "..", "~")),
                    confidence=self.rng.uniform(0.3, 0.7),
                    box=Box(x, y, x + 0.008, y + 0.008),
                    line=place,
                )
            )
        return Page(number=number, width_px=1700, height_px=2200, dpi=200, words=tuple(words))


def make_stacks(source: Source, count: int, seed: int, alone: float = 0.0) -> Iterator[Stack]:
    """``count`` stacks; the same arguments give the same ones."""
    for number in range(count):
        rng = random.Random(f"stack/{source.split}/{seed}/{number}")  # noqa: S311 - not for secrets
        yield Maker(source, rng).stack(f"{source.split}-{seed}-{number}", alone)
