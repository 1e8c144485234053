# SPDX-License-Identifier: Apache-2.0
"""Whom a page is about: the patient's names, birth dates and member numbers as printed on it.

Splitting and the rule that patients are never mixed ask the same question of single pages, before
and after a document is made of them, so the answer cannot wait for the extractors. Only print with
a label counts, and a provider's, subscriber's or contact's label is none: what stands there is
another person's. Comparing forgives misread letters, turned names and lost blanks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Literal, NamedTuple

from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

from idp.document import Box, Page, Word
from idp.phrases import fold
from idp.schemas import load_lexicon, load_schemas
from idp.values import Kind, birth_dates, parse
from idp.values.names import is_organisation

MOST = 6
"""Values of one kind that a page may have; a list of many people is about none of them."""

_WIDE_GAP = 2.2
"""In line heights: what stands further apart is another column."""

_SET_OFF = 0.7
"""In line heights: a gap wider than that between words."""

_BELOW = 2.6
"""In line heights: how far under its label a value begins."""

_ABOVE = 1.2
"""In line heights: how far over its label a value ends, where there is a line to fill in."""

_LONGEST_LABEL = 6
_LONG_ENOUGH_FOR_SLIPS, _TOO_LONG = 9, 48
_LONGEST_NAME = 5
_ALIKE, _UNLIKE = 80.0, 62.0
_GIVEN_NAMES_DIFFER = 50.0

What = Literal["name", "last", "first", "born", "member"]

_ATTRIBUTES: dict[str, What] = {
    "name": "name",
    "last_name": "last",
    "first_name": "first",
    "dob": "born",
    "member_id": "member",
}
_TITLES = frozenset({"mr", "mrs", "ms", "miss", "dr", "jr", "sr", "ii", "iii", "iv"})
_CREDENTIALS = frozenset(
    {"md", "do", "np", "pac", "dpm", "fnpc", "fnp", "rn", "phd", "dds", "dc", "pa"}
)
_SIGNS_ONLY = re.compile(r"[^\W_]")
_LETTERS = re.compile(r"[^\W\d_]+")
_DATE = re.compile(
    r"\d{1,4}\s?[-/. ]\s?(?:\d{1,2}|[A-Za-z]{3,9})\s?[-/., ]\s?\d{2,4}|\d{8}\b|"
    r"[A-Z][a-z]{2,8}\.? \d{1,2},? \d{4}"
)
_ENUMERATES = re.compile(
    r"(?:\(?[A-Z\dl]{1,2}[a-z]?|[IVX]{1,4})[.)]*|\*+|[-\u2014:]|[Ss]ection|\(?\d{1,2}[a-z]?"
)
_REGARDING = frozenset({"re", "regarding", "subject"})


class Patient(NamedTuple):
    """What a page, or several, say about their patient."""

    names: frozenset[str] = frozenset()
    births: frozenset[str] = frozenset()
    members: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.names or self.births or self.members)

    def joined(self, other: Patient) -> Patient:
        """Both together."""
        return Patient(
            self.names | other.names, self.births | other.births, self.members | other.members
        )


class _Label(NamedTuple):
    what: What
    ours: bool
    """Whether it says by itself that it is the patient's."""
    start: int
    end: int


class _Labels(NamedTuple):
    own: dict[str, tuple[What, bool]]
    near: dict[str, str]
    """Long labels of a patient with one sign left out: what one misread sign makes of them."""
    foreign: frozenset[str]
    vocabulary: frozenset[str]
    bare: frozenset[str]
    """Who it is and nothing else ("Member"): a label only where print sets it off."""
    sections: dict[str, bool]
    """Section titles, and whether the section is about the patient."""


@lru_cache(maxsize=1)
def _labels() -> _Labels:
    """Every label of the lexicon, folded: those of a patient, and all others."""
    lexicon = load_lexicon()
    own: dict[str, tuple[What, bool]] = {}
    foreign: set[str] = set()
    words: set[str] = set()
    prefixes = next(party.prefixes for party in lexicon.parties if party.name == "patient")
    others = [
        prefix for party in lexicon.parties if party.name != "patient" for prefix in party.prefixes
    ]
    for attribute in lexicon.attributes:
        what = _ATTRIBUTES.get(attribute.name)
        for label in attribute.labels:
            words.update(fold(word) for word in label.split())
            if what is None:
                foreign.add(fold(label))
                continue
            own.setdefault(fold(label), (what, False))
            for prefix in prefixes:
                own[fold(f"{prefix} {label}")] = (what, True)
                own[fold(f"{label} of {prefix}")] = (what, True)
            foreign.update(fold(f"{prefix} {label}") for prefix in others)
            foreign.update(fold(f"{prefix}'s {label}") for prefix in others)
    for prefix in prefixes:
        own[fold(prefix)] = ("name", True)
    for prefix in ("patient", "patient's", "pt"):
        own.pop(fold(f"{prefix} id"), None)  # a chart's number more often than a plan's
    foreign.update(fold(prefix) for prefix in others)
    foreign.update(fold(label) for label in (*lexicon.other_labels, *lexicon.section_titles))
    for text in (*lexicon.other_labels, *lexicon.section_titles, *others, *prefixes):
        words.update(fold(word) for word in re.split(r"[\s/]+", text))
    for title in (title for party in lexicon.parties for title in party.titles):
        foreign.add(fold(title))
        words.update(fold(word) for word in title.split())
    sections: dict[str, bool] = {}
    for party in lexicon.parties:
        for title in party.titles:
            sections.setdefault(fold(title), party.name == "patient")
    for schema in load_schemas().values():
        for field in schema.fields:
            words.update(
                fold(word)
                for texts in field.options.values()
                for text in texts
                for word in text.split()
            )
    near = {
        label[:at] + label[at + 1 :]: label
        for label in own
        if len(label) >= _LONG_ENOUGH_FOR_SLIPS
        for at in range(len(label))
    }
    return _Labels(
        own,
        near,
        frozenset(foreign - set(own)),
        frozenset(word for word in words if len(word) > 1),
        frozenset(fold(prefix) for prefix in prefixes),
        sections,
    )


@lru_cache(maxsize=65536)
def _label_of(folded: str) -> tuple[What, bool] | None:
    """The patient's label that a folded text is, one misread sign forgiven in long ones."""
    labels = _labels()
    if folded in labels.own:
        return labels.own[folded]
    if not _LONG_ENOUGH_FOR_SLIPS <= len(folded) <= _TOO_LONG or folded in labels.foreign:
        return None
    for at in range(len(folded)):
        if (label := labels.near.get(folded[:at] + folded[at + 1 :])) is not None:
            return labels.own[label]
    return None


class _Token(NamedTuple):
    text: str
    folded: str
    box: Box


def _lines(page: Page) -> list[list[_Token]]:
    lines: dict[int, list[Word]] = {}
    for word in page.words:
        if _SIGNS_ONLY.search(word.text):
            lines.setdefault(word.line, []).append(word)
    return [
        [token for w in sorted(words, key=lambda w: w.box.x0) for token in _apart(w)]
        for words in lines.values()
    ]


def _apart(word: Word) -> Iterator[_Token]:
    """The word, in two where a lost blank glued a label to its value."""
    glued = re.fullmatch(r"([^\W\d].*?:)([^\W_].+)|([:*_])(.+)", word.text)
    if glued is None or re.search(r"\d:\d", word.text):
        yield _Token(word.text, fold(word.text), word.box)
        return
    first, second = (part for part in glued.groups() if part)
    box = word.box
    middle = box.x0 + box.width * len(first) / len(word.text)
    if fold(first):
        yield _Token(first, fold(first), Box(box.x0, box.y0, middle, box.y1))
    yield _Token(second, fold(second), Box(middle, box.y0, box.x1, box.y1))


def _find_labels(line: Sequence[_Token], aspect: float) -> Iterator[_Label | tuple[int, int]]:
    """Labels from left to right, the longest first; those of others as their place only."""
    labels = _labels()
    at = 0
    while at < len(line):
        joined = ""
        found: _Label | tuple[int, int] | None = None
        for end in range(at, min(len(line), at + _LONGEST_LABEL)):
            if end > at and _gap(line[end - 1], line[end], aspect) > _WIDE_GAP:
                break
            joined += line[end].folded
            if len(joined) > _TOO_LONG:
                break
            if (own := _label_of(joined)) is not None and _set_off(line, at, end, joined, aspect):
                what, ours = own
                found = _Label(what, ours, at, end + 1)
            elif joined in labels.foreign:
                found = (at, end + 1)
        if found is None:
            at += 1
            continue
        yield found
        at = found.end if isinstance(found, _Label) else found[1]


def _set_off(line: Sequence[_Token], at: int, end: int, folded: str, aspect: float) -> bool:
    """Whether print shows that a word like "Member" is a label: a colon, gaps around it.

    In running text ("the patient reports ...") it stands between other words, or begins a line
    that goes on.
    """
    if folded not in _labels().bare or ":" in line[end].text:
        return True
    begins = at == 0 or _ENUMERATES.fullmatch(line[at - 1].text) is not None
    if not begins and _gap(line[at - 1], line[at], aspect) <= _SET_OFF:
        return False
    if end + 1 == len(line) or _gap(line[end], line[end + 1], aspect) > _SET_OFF:
        return True
    name = _is_name(line[end + 1 :])
    rest = line[end + 1 + len(name.split()) :] if name else ()
    return name is not None and (not rest or rest[0].folded in _labels().vocabulary)


def _gap(left: _Token, right: _Token, aspect: float) -> float:
    """The distance of two neighbours in line heights."""
    height = max(left.box.height, right.box.height, 0.004) * aspect
    return (right.box.x0 - left.box.x1) / height


def _is_name(tokens: Sequence[_Token]) -> str | None:
    """The tokens as a person's name, or nothing where they are none."""
    kept: list[str] = []
    for token in tokens[:_LONGEST_NAME]:
        text = token.text.strip(".,;:()*_|'\"")
        if not text:
            continue
        if any(sign.isdigit() for sign in text) or not text[0].isupper():
            break
        if token.folded in _labels().vocabulary or ":" in token.text[:-1]:
            break
        kept.append(token.text.strip(';:()*_|"'))
        if token.text.endswith((";", ":")) or (len(text) > 3 and token.text.endswith(".")):
            break
    letters = [word for word in kept if len(_LETTERS.findall(word)) and len(word.strip(".,")) > 1]
    if len(letters) < 2 or sum(len(word) for word in letters) < 5:
        glued = "".join(kept)
        two = re.fullmatch(r"([A-Z][a-z]+)([A-Z][a-z]+)|([A-Za-z'-]{2,}),([A-Za-z'-]{2,})", glued)
        return glued if two else None
    text = " ".join(kept)
    return None if is_organisation(text) else text


class _Found:
    """Values of a page being collected."""

    def __init__(self) -> None:
        self.sure: dict[What, list[str]] = {}
        self.loose: list[tuple[str, int]] = []
        self.births: set[str] = set()
        self.birth_lines: set[int] = set()

    def add(self, what: What, value: str) -> None:
        self.sure.setdefault(what, []).append(value)


def patient_of(page: Page) -> Patient:
    """Whom the page is about, as far as labels say."""
    lines = _lines(page)
    aspect = page.height_px / max(1, page.width_px)
    found = _Found()
    of_patient = False
    labelled = [list(_find_labels(line, aspect)) for line in lines]
    for place, line in enumerate(lines):
        about = _labels().sections.get(
            "".join(token.folded for token in line if not _ENUMERATES.fullmatch(token.text))
        )
        of_patient = of_patient if about is None else about
        for order, label in enumerate(labelled[place]):
            if not isinstance(label, _Label):
                continue
            following = labelled[place][order + 1] if order + 1 < len(labelled[place]) else None
            stop = (
                len(line)
                if following is None
                else following.start
                if isinstance(following, _Label)
                else following[0]
            )
            while stop > label.end and _ENUMERATES.fullmatch(line[stop - 1].text):
                stop -= 1
            value = _behind_or_below(label, lines, place, stop, aspect)
            if value is None and place and not labelled[place - 1]:
                value = _above(label, lines, place, stop, aspect)
            _enter(found, label, value, place, ours=label.ours or of_patient)
        _regarding(found, line)
    names = found.sure.get("name", [])
    names += [
        name for name, at in found.loose if any(abs(at - line) <= 3 for line in found.birth_lines)
    ]
    for last, first in zip(found.sure.get("last", []), found.sure.get("first", []), strict=False):
        names.append(f"{first} {last}")
    births = found.births | birth_dates(page.text)
    return Patient(_few(names), _few(births), _few(found.sure.get("member", [])))


def _few(values: Sequence[str] | set[str]) -> frozenset[str]:
    different = frozenset(values)
    return different if len(different) <= MOST else frozenset()


def _enter(found: _Found, label: _Label, value: str | None, place: int, *, ours: bool) -> None:
    if label.what == "born":
        found.birth_lines.add(place)
        if value:
            found.births.add(value)
    elif value and label.what == "name" and not ours:
        found.loose.append((value, place))
    elif value:
        found.add(label.what, value)


def _behind_or_below(
    label: _Label, lines: Sequence[Sequence[_Token]], place: int, stop: int, aspect: float
) -> str | None:
    """The value behind a label, or the one below it."""
    line = lines[place]
    behind = list(line[label.end : stop])
    while behind and behind[0].text.startswith("("):  # "(last, first)", "(if different)"
        closed = next((at for at, token in enumerate(behind) if ")" in token.text), None)
        if closed is None:
            break
        behind = behind[closed + 1 :]
    if value := _value(label.what, _run(behind, aspect)):
        return value
    left, right, height = _column(label, line, stop)
    bottom = max(token.box.y1 for token in line[label.start : label.end])
    for below in lines[place + 1 : place + 4]:
        inside = [
            token
            for token in below
            if left <= token.box.x0 < right
            and -0.3 * height < token.box.y0 - bottom < _BELOW * height
        ]
        if inside:
            return _value(label.what, _run(inside, aspect))
    return None


def _above(
    label: _Label, lines: Sequence[Sequence[_Token]], place: int, stop: int, aspect: float
) -> str | None:
    """The value above a label, as on lines to fill in."""
    left, right, height = _column(label, lines[place], stop)
    top = min(token.box.y0 for token in lines[place][label.start : label.end])
    inside = [
        token
        for token in lines[place - 1]
        if left <= token.box.x0 < right and top - token.box.y1 < _ABOVE * height
    ]
    return _value(label.what, _run(inside, aspect))


def _column(label: _Label, line: Sequence[_Token], stop: int) -> tuple[float, float, float]:
    """Where values of a label begin, from left to right, and the height of its print."""
    start = label.start
    while start > 0 and _ENUMERATES.fullmatch(line[start - 1].text):
        start -= 1
    right = line[stop].box.x0 - 0.005 if stop < len(line) else 1.0
    return line[start].box.x0 - 0.012, right, max(0.006, line[label.start].box.height)


def _run(tokens: Sequence[_Token], aspect: float) -> list[_Token]:
    """The tokens up to the first wide gap."""
    kept = list(tokens[:1])
    for left, right in pairwise(tokens):
        if _gap(left, right, aspect) > _WIDE_GAP * 1.4:
            break
        kept.append(right)
    return kept


def _value(what: What, tokens: Sequence[_Token]) -> str | None:
    if not tokens:
        return None
    if what == "name":
        return _is_name(tokens)
    text = " ".join(token.text for token in tokens)
    if what == "born":
        dated = _DATE.search(text)
        parsed = parse(Kind.DATE, dated[0] if dated else text[:24])
        return parsed.value if parsed.valid else None
    if what == "member":
        kept = re.match(r"[\W_]*((?:[A-Z]{1,4}[ -]?)?[A-Z0-9][A-Z0-9-]{4,})", text, re.I)
        digits = sum(sign.isdigit() for sign in kept[1]) if kept else 0
        return kept[1] if kept and digits >= 4 else None
    word = tokens[0].text.strip(".,;:()*_|")
    letters = len(word) > 1 and word.replace("'", "").replace("-", "").isalpha()
    return (
        word
        if letters and word[0].isupper() and tokens[0].folded not in _labels().vocabulary
        else None
    )


def _regarding(found: _Found, line: Sequence[_Token]) -> None:
    """``Re: John Smith`` and ``John Smith, DOB 1/2/1990``: a name in front of a birth date."""
    if line and line[0].folded in _REGARDING and (name := _is_name(line[1:])):
        rest = line[1 + len(name.split()) :]
        words = _labels().vocabulary
        if (
            not rest
            or rest[0].folded in words
            or any(map(str.isdigit, "".join(t.text for t in rest[:3])))
        ):
            found.add("name", name)
    for place, token in enumerate(line[:6]):
        if token.folded in {"dob", "bom"} and place >= 2 and (name := _is_name(line[:place])):
            found.add("name", name)


def _compact(text: str) -> str:
    return fold(text)


@lru_cache(maxsize=8192)
def _words(name: str) -> tuple[str, ...]:
    """The words of a name, folded; initials, titles and degrees do not tell people apart."""
    words = [fold(word) for word in re.split(r"[\s,]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name))]
    folded_out = {fold(word) for word in _TITLES | _CREDENTIALS}
    return tuple(word for word in words if len(word) > 1 and word not in folded_out)


Likeness = Literal["same", "near", "other", "unsure"]


def names_alike(first: str, second: str) -> Likeness:
    """Whether two printed names are one person's.

    ``near`` is one family name with clearly different given names: relatives, or twins.
    """
    left, right = _words(first), _words(second)
    if not left or not right:
        return "unsure"
    if len(left) > len(right):
        left, right = right, left
    scores = [max(fuzz.ratio(word, other) for other in right) for word in left]
    whole = max(
        fuzz.ratio("".join(left), "".join(right)),
        fuzz.ratio("".join(reversed(left)), "".join(right)),
        fuzz.token_sort_ratio(" ".join(left), " ".join(right)),
    )
    if all(score >= 75 for score in scores) or (whole >= _ALIKE + 4 and min(scores) > 60):
        return "same"
    if len(left) > 1 and max(scores) >= 85:
        return "near" if min(scores) < _GIVEN_NAMES_DIFFER else "unsure"
    return "other" if whole < _UNLIKE and max(scores) < 70 else "unsure"


def _births_alike(first: str, second: str) -> Likeness:
    if first == second:
        return "same"
    slips = sum(left != right for left, right in zip(first, second, strict=False))
    return "unsure" if slips <= 1 else "other"


def _members_alike(first: str, second: str) -> Likeness:
    left, right = _compact(first), _compact(second)
    if left == right or (min(len(left), len(right)) >= 6 and (left in right or right in left)):
        return "same"
    distance = Levenshtein.distance(left, right)
    if distance <= 1 + max(len(left), len(right)) // 8:
        return "same"
    if _shape(first) != _shape(second):
        return "unsure"  # numbers of two kinds: a plan's and a card's, say
    return "other" if distance > max(len(left), len(right)) * 0.45 else "unsure"


def _shape(number: str) -> str:
    """Which signs are letters and which are digits."""
    kept = (sign for sign in number if sign.isalnum())
    return "".join("9" if sign.isdigit() else "A" for sign in kept)


def _best(kind: str, first: frozenset[str], second: frozenset[str]) -> Likeness | None:
    """The most alike of all pairs, ``None`` where one side says nothing."""
    alike = {"name": names_alike, "born": _births_alike, "member": _members_alike}[kind]
    found = {alike(one, other) for one in first for other in second}
    order: tuple[Likeness, ...] = ("same", "unsure", "near", "other")
    return next((likeness for likeness in order if likeness in found), None)


class Comparison(NamedTuple):
    """How two pages' patients compare; ``None`` where one of them does not say."""

    name: Likeness | None
    born: Likeness | None
    member: Likeness | None

    @property
    def same(self) -> bool:
        """Whether something agrees and nothing speaks clearly against it."""
        return "same" in self and not self.other

    @property
    def other(self) -> bool:
        """Whether these are two people, as far as print can say."""
        if self.name == "other":
            return self.born != "same" and self.member != "same"
        if self.name == "near":
            return self.born != "same" or self.member == "other"
        if self.born == "other":
            return True
        return self.member == "other" and self.name is None and self.born is None


def compare(first: Patient, second: Patient) -> Comparison:
    """Holds what two pages say about their patient against each other."""
    return Comparison(
        _best("name", first.names, second.names),
        _best("born", first.births, second.births),
        _best("member", first.members, second.members),
    )
