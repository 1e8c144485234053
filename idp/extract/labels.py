# SPDX-License-Identifier: Apache-2.0
"""What a printed label means: a party and an attribute, and through them fields of a type.

The table is built from the lexicon (parties times attributes) and from the type's own labels; a
new type needs no code. Words are compared squashed: no case, blanks, punctuation or "number", and
i/l/1 and o/0 as one, because OCR glues words and mixes those up.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from rapidfuzz import fuzz

from idp.schemas import DocumentSchema, Lexicon, Party
from idp.values import Kind

_FOLD = str.maketrans({"1": "l", "i": "l", "|": "l", "!": "l", "0": "o"})
_COUNTERS = frozenset({"#", "no", "num", "number", "nbr", "numbers", "#s"})
_NUMBERING = re.compile(r"^[(\[]?(?:\d{1,2}(?:\.?[a-z])?|[a-z]|[ivx]{1,4})[.)\]:]$", re.IGNORECASE)
_BULLET = re.compile(r"^[^\w#]+$")
_HEADING = re.compile(
    r"(?i)[(\[]?(?:section|part|step|box|\d{1,2}|[a-z]|[ivx1l]{1,4})[.:)\]\u2013\u2014-]*"
)
_COUNTED_HEADING = re.compile(r"(?i)[(\[]?(?:section|part|step)")
COUNTED_LABEL = re.compile(r"(?i)(?:#|\b(?:no|num|number|nbr)\.?)\s*:?$")
_CONTINUES = re.compile(r"(?:and|or|&)\s")
_SHORTEST_FUZZY = 7
_FUZZY = 88.0
_MIDDLE_WORDS = 2
_INSURED = frozenset({"patient", "subscriber", "payer"})
_OF_THE_POLICY = frozenset({"member_id", "group_number", "plan"})
"""What is one for patient, subscriber and payer: the policy's own numbers."""
_USUAL_LABELS = 6
OTHER_PERSON = "other_person"
"""The party of whom no type asks: a spouse, whoever interprets, prepares or witnesses a form."""
_LONGEST_HEADING = 14
_SHORTEST_TITLE = 3
"""In letters: "MD" alone is a state."""
_LONGEST_TITLE = 8
"""In words: headings that are counted ("Part 9.") may say more."""


@lru_cache(maxsize=50_000)
def squash(text: str) -> str:
    """The letters that make a label, whatever its case, blanks and punctuation."""
    words = [re.sub(r"[^a-z0-9#]", "", w) for w in text.lower().replace("/", " ").split()]
    kept = [w.rstrip("#") for w in words if w and w not in _COUNTERS]
    plain = "".join(kept) or "".join(words)
    plain = re.sub(r"n(?:u|ui|ur|v)?(?:m|rn|n|r)?ber$", "", plain) or plain
    return plain.translate(_FOLD)


def phrases_of(party: Party, lexicon: Lexicon) -> Iterator[str]:
    """Everything that names a party: its prefixes, and qualifiers before a provider's noun."""
    yield from party.prefixes
    for qualifier in party.qualifiers:
        for noun in lexicon.provider_nouns:
            yield f"{qualifier} {noun}"
            yield f"{qualifier} {noun}'s"


def strip_numbering(words: Sequence[str]) -> int:
    """How many leading words are bullets or numbering ("*", "12.", "a)")."""
    count = 0
    while count < len(words) - 1 and (
        _NUMBERING.match(words[count]) or _BULLET.match(words[count])
    ):
        count += 1
    return count


_EITHER_WORDS = 6
_OR = re.compile(r"\s*/\s*|\s+or\s+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a label asks for. Without ``fields`` it is known and not wanted."""

    fields: tuple[str, ...] = ()
    attribute: str | None = None
    party: str | None = None
    quality: float = 1.0


class LabelTable:
    """All labels of one document type."""

    def __init__(self, schema: DocumentSchema, lexicon: Lexicon) -> None:
        self.schema = schema
        self.by_role: dict[tuple[str | None, str], tuple[str, ...]] = {}
        grouped: dict[tuple[str | None, str], list[str]] = defaultdict(list)
        for field in schema.fields:
            if field.attribute:
                grouped[field.party, field.attribute].append(field.name)
        self.by_role = {role: tuple(names) for role, names in grouped.items()}
        self.parties = self._parties(lexicon)
        self._readers = {squash(word) for word in lexicon.reader_words if schema.subject}
        for word in self._readers:
            self.parties.setdefault(word, schema.subject or "")
        self._heads_of_labels = tuple(f"{word} " for word in lexicon.label_heads)
        self._tails_of_labels = tuple(f" {words}" for words in lexicon.label_tails)
        self._wordings = {
            squash(wording)
            for field in schema.fields
            for name, printed in field.options.items()
            for wording in (name, *printed)
        } | {squash(name) for name in (*lexicon.payers, "male", "female", "m", "f")}
        self.attributes: dict[str, str] = {}
        for attribute in lexicon.attributes:
            for label in attribute.labels:
                if squash(label) not in self.parties:  # "Member #" must not make "Member" a number
                    self.attributes.setdefault(squash(label), attribute.name)
        self.generic = frozenset(squash(word) for word in lexicon.generic_providers)
        self._table = self._build(lexicon)
        self._heads = {squash(w) for words in lexicon.columns.values() for w in words}
        self._heads -= {squash(p) for p in lexicon.payers}
        self._by_edges: dict[str, list[str]] = defaultdict(list)
        for key in self._table:
            if len(key) >= _SHORTEST_FUZZY:
                self._by_edges["^" + key[:2]].append(key)
                self._by_edges["$" + key[-2:]].append(key)
        self._longest = max(map(len, self._table)) + 2

    def _parties(self, lexicon: Lexicon) -> dict[str, str]:
        """Party by squashed prefix; of two parties with one prefix the schema's own wins."""
        own = {field.party for field in self.schema.fields if field.party}
        found: dict[str, str] = {}
        for wanted in (True, False):
            for party in lexicon.parties:
                if (party.name in own) == wanted:
                    for prefix in phrases_of(party, lexicon):
                        found.setdefault(squash(prefix), party.name)
        return found

    def fields_of(self, party: str | None, attribute: str) -> tuple[str, ...]:
        """The type's fields for this attribute of this party (of anybody, for ``None``)."""
        if party is not None:
            own = self.by_role.get((party, attribute), ())
            if own or party not in _INSURED or attribute not in _OF_THE_POLICY:
                return own
        return tuple(
            name
            for (_, known), names in self.by_role.items()
            if known == attribute
            for name in names
        )

    def knows(self, party: str | None) -> bool:
        """Whether the type has a field for this party."""
        return party is not None and any(known == party for known, _ in self.by_role)

    def _build(self, lexicon: Lexicon) -> dict[str, Meaning]:
        """The labels that are looked up with misreadings forgiven."""
        own = {field.party for field in self.schema.fields if field.party}
        table: dict[str, Meaning] = {}
        usual = {squash(prefix) for party in lexicon.parties for prefix in party.prefixes}
        for prefix, party in self.parties.items():
            if prefix in self._readers:
                continue  # "Your" alone asks for nothing
            if party in own and prefix in usual:
                for attribute in lexicon.attributes:
                    meaning = Meaning(self.fields_of(party, attribute.name), attribute.name, party)
                    for label in attribute.labels[:_USUAL_LABELS]:
                        table.setdefault(prefix + squash(label), meaning)
            table[prefix] = Meaning(self.fields_of(party, "name"), "name", party)
        for label, name in self.attributes.items():
            composed = self._composed(label)
            if not (composed and composed.party in own):
                table[label] = Meaning(self.fields_of(None, name), name)
        for label in lexicon.other_labels:
            table[squash(label)] = Meaning()
        self._add_own(table)
        return table

    def _add_own(self, table: dict[str, Meaning]) -> None:
        """The type's own labels; one that several fields share belongs to all of them."""
        claimed: dict[str, list[str]] = defaultdict(list)
        for field in self.schema.fields:
            for label in field.labels:
                claimed[squash(label)].append(field.name)
        for key, names in claimed.items():
            named = any(self.by_name(n)[1] == "name" for n in names)
            if self.knows(self.parties.get(key)) and not named:
                continue  # "Member #" must not make "Member" a number; see `look_up`
            if key in self.attributes and any(
                self.by_name(n)[1] == self.attributes[key] for n in names
            ):
                continue
            known = table.get(key)
            if known and known.party and known.fields and set(known.fields) & set(names):
                continue
            roles = {self.by_name(name) for name in names}
            party = next(iter(roles))[0] if len(roles) == 1 else None
            attributes = {attribute for _, attribute in roles}
            attribute = attributes.pop() if len(attributes) == 1 else None
            table[key] = Meaning(tuple(dict.fromkeys(names)), attribute, party)

    def is_text(self, meaning: Meaning) -> bool:
        """Whether a label's first field holds free text."""
        field = self.schema.field(meaning.fields[0]) if meaning.fields else None
        return field is not None and field.kind is Kind.TEXT and not field.list

    def is_head(self, text: str) -> bool:
        """Whether the words are a label or a column's head themselves, and so no value."""
        key = squash(text)
        return key in self._heads or (key in self._table and self._table[key].party is None)

    def by_name(self, name: str) -> tuple[str | None, str | None]:
        """Party and attribute of a field."""
        field = self.schema.field(name)
        return (field.party, field.attribute) if field else (None, None)

    def exact(self, text: str) -> Meaning | None:
        """The meaning of a whole label, letter by letter."""
        return self._table.get(squash(text))

    def is_wording(self, text: str) -> bool:
        """Whether the text is the wording of an option."""
        return squash(text) in self._wordings

    def is_label(self, text: str) -> bool:
        """Whether the text is a label and can't be a value: an option's word may be both."""
        meaning = self.exact(text)
        return bool(
            meaning and (meaning.attribute or meaning.fields) and squash(text) not in self._wordings
        )

    def look_up(self, text: str) -> Meaning | None:
        """The meaning of a whole label, misreadings forgiven; ``None`` when it is unknown."""
        key = squash(text)
        if not key or len(key) > self._longest:
            return None
        if _CONTINUES.match(text):
            return Meaning()  # "Street Number" / "and Name": the first line says what is asked for
        if key in self.parties and COUNTED_LABEL.search(text):
            party = self.parties[key]
            owner = party if (party, "member_id") in self.by_role else "patient"
            if party in ("patient", "subscriber"):
                return Meaning(self.fields_of(owner, "member_id"), "member_id", owner)
        if found := self._table.get(key) or self._composed(key):
            return found
        if (bare := self._bared(text)) and (found := self._known(bare)):
            return replace(found, quality=0.95)
        return self._either(text) or self._fuzzy(key)

    def _bared(self, text: str) -> str:
        """A label without the words around it that say nothing of what is asked; else nothing."""
        words = re.sub(r"[(),;:.\s]+", " ", text.lower()).strip()
        bare = words
        for tail in self._tails_of_labels:
            bare = bare.removesuffix(tail)
        for head in self._heads_of_labels:
            bare = bare.removeprefix(head)
        return bare if bare != words else ""

    def _either(self, text: str) -> Meaning | None:
        """``Veteran/Beneficiary's Name``: two words for one thing, when both mean the same.

        ``State/Province``: one that is known will do where nobody in particular is asked for.
        """
        parts = _OR.split(text)
        if "(" in parts[0] and ")" not in parts[0]:
            return None  # "Sex (M/F)": the remark tells how to answer
        if len(parts) != 2 or not all(part.strip() for part in parts):
            return None
        left, right = (part.split() for part in parts)
        if len(left) + len(right) > _EITHER_WORDS:
            return None  # a sentence
        without_left = [" ".join((*left[:cut], *right)) for cut in range(len(left))]
        without_right = [" ".join((*left, *right[cut:])) for cut in range(1, len(right) + 1)]
        ones, others = (
            next((m for v in variants if (m := self._known(v)) is not None), None)
            for variants in (reversed(without_left), without_right)
        )
        if ones and others and (ones.party, ones.attribute) == (others.party, others.attribute):
            return replace(ones, quality=0.95)
        known = ones or others
        if known and not (ones and others) and known.party is None and known.attribute:
            return replace(known, quality=0.85)
        return None

    def _known(self, text: str) -> Meaning | None:
        """What a whole label means, letter by letter."""
        key = squash(text)
        return self._table.get(key) or self._composed(key) if key else None

    @lru_cache(maxsize=20_000)  # noqa: B019 - one table per type lives as long as the process
    def _composed(self, key: str) -> Meaning | None:
        """A party followed by an attribute ("Prescriber" "Fax"), or the other way round."""
        for length in range(len(key) - 1, 0, -1):
            party, attribute = self.parties.get(key[:length]), self.attributes.get(key[length:])
            if party is None or attribute is None:
                attribute, rest = self.attributes.get(key[:length]), key[length:]
                party = self.parties.get(rest.removeprefix("of"))
            if party and attribute and min(length, len(key) - length) > 1:
                return Meaning(self.fields_of(party, attribute), attribute, party)
        return None

    @lru_cache(maxsize=20_000)  # noqa: B019 - one table per type lives as long as the process
    def _fuzzy(self, key: str) -> Meaning | None:
        if len(key) < _SHORTEST_FUZZY:
            return None
        near = {
            other
            for edge in ("^" + key[:2], "$" + key[-2:])
            for other in self._by_edges.get(edge, ())
            if abs(len(other) - len(key)) <= 2
        }
        best, score = "", 0.0
        for other in near:
            ratio = fuzz.ratio(key, other, score_cutoff=_FUZZY)
            if ratio > score:
                best, score = other, ratio
        return replace(self._table[best], quality=score / 100) if best else None

    def parse(self, words: Sequence[str]) -> Meaning | None:
        """A label that stands in no table: a party at its head, an attribute at its end."""
        for start in range(len(words)):
            attribute = self.attributes.get(squash(" ".join(words[start:])))
            if attribute is None:
                continue
            for end in range(start, 0, -1):
                party = self.parties.get(squash(" ".join(words[:end])))
                if party and start - end <= _MIDDLE_WORDS:
                    return Meaning(self.fields_of(party, attribute), attribute, party, 0.85)
            if start <= _MIDDLE_WORDS and len(words) - start >= start:
                return Meaning(self.fields_of(None, attribute), attribute, None, 0.7)
            return None
        return None


class TitleTable:
    """Section titles: about a party, or about a matter."""

    _NOISE = frozenset(
        [
            "section",
            "part",
            "step",
            "information",
            "info",
            "details",
            "detail",
            "required",
            "please",
            "complete",
            "the",
            "all",
            "fields",
            "must",
            "be",
            "completed",
            "in",
            "full",
            "below",
            "to",
            "by",
            "only",
            "for",
            "if",
            "applicable",
            "data",
        ]
    )

    _DIRECTIONS = frozenset(("to", "by"))
    _BARE = frozenset(
        map(squash, ["form", "requested", "ordered", "submitted", "prepared", "paid"])
    )
    """What is left of "Form completed by" says nothing of anybody: such titles stand whole."""

    def __init__(self, schema: DocumentSchema, lexicon: Lexicon) -> None:
        own = {field.party for field in schema.fields if field.party}
        self._parties: dict[str, str] = {}
        for wanted in (True, False):
            for party in lexicon.parties:
                if (party.name in own) == wanted:
                    for title in (*party.titles, *phrases_of(party, lexicon)):
                        core = self._core(title.split())
                        key = squash(title) if core in self._BARE else core
                        if len(key) >= _SHORTEST_TITLE:
                            self._parties.setdefault(key, party.name)
        self._subject = schema.subject
        self._reader = tuple(
            key
            for title in lexicon.reader_titles
            if schema.subject and len(key := squash(title)) > _SHORTEST_FUZZY
        )
        if schema.subject:
            for title in lexicon.reader_titles:
                self._parties[self._core(title.split())] = schema.subject
        self._others = {
            squash(prefix)
            for party in lexicon.parties
            if party.name == OTHER_PERSON
            for prefix in party.prefixes
        }
        self._matters = {self._core(title.split()) for title in lexicon.section_titles}
        self._parties.pop("", None)
        self._matters.discard("")

    def _core(self, words: Iterable[str]) -> str:
        plain = [(w, re.sub(r"[^a-z]", "", w.lower())) for w in words]
        kept = [w for w, bare in plain if bare not in self._NOISE]
        if len(kept) == 1:  # "Referred To" and "Referred By" are two
            kept = [w for w, bare in plain if w in kept or bare in self._DIRECTIONS]
        return squash(" ".join(kept))

    @staticmethod
    def bare(words: Sequence[str]) -> list[str]:
        """A title's words without numbering, dashes and what stands in parentheses behind."""
        words = [
            w
            for word in words
            for w in re.split(r"(?<=[A-Za-z])[\u2013\u2014-](?=[A-Z])|[\u2013\u2014]", word)
            if w
        ]
        while words and (_BULLET.match(words[0]) or _HEADING.fullmatch(words[0])):
            words.pop(0)
        for index, word in enumerate(words):
            if index and (word.startswith(("(", "[")) or word in "\u2013\u2014-:"):
                return words[:index]
        return words

    def _of_a_person(self, words: Sequence[str]) -> str | None:
        """Whom a numbered part is about: whoever fills the form in, or somebody not asked for."""
        if len(words) <= _LONGEST_HEADING and self._others & set(map(squash, words)):
            return OTHER_PERSON
        about_reader = self._reader and squash(" ".join(words)).startswith(self._reader)
        return self._subject if about_reader else None

    def look_up(self, words: Sequence[str]) -> tuple[str | None, float] | None:
        """``(party or None for a matter, quality)`` of a title; ``None`` when it is no title."""
        counted = len(words) > 1 and _COUNTED_HEADING.fullmatch(words[0])
        words = self.bare(words)
        if counted and (party := self._of_a_person(words)):
            return party, 0.85
        core = self._core(words) if len(words) <= _LONGEST_TITLE else ""
        if len(core) < 2:
            return None
        for key in (core, squash(" ".join(words))):
            if key in self._parties:
                return self._parties[key], 1.0
        return (None, 1.0) if core in self._matters else self._nearly(core)

    def _nearly(self, core: str) -> tuple[str | None, float] | None:
        """The same of a title that was misread a little."""
        if len(core) < _SHORTEST_FUZZY:
            return None
        for titles in (self._parties, dict.fromkeys(self._matters)):
            for title, party in titles.items():
                if core[:2] == title[:2] and fuzz.ratio(core, title) >= _FUZZY:
                    return party, 0.85
        return None
