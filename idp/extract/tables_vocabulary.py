# SPDX-License-Identifier: Apache-2.0
"""The wordings of column heads and labels, looked up word by word in what OCR makes of them.

Abbreviations are spelled out, plurals and fillers dropped, letters that look alike taken for each
other, glued words taken apart; what is compared then are words, not characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from rapidfuzz import fuzz, process

_SPELLED_OUT: dict[str, tuple[str, ...]] = {
    short: tuple(full.split())
    for short, full in {
        "amt": "amount",
        "amts": "amount",
        "acct": "account",
        "acnt": "account",
        "actt": "account",
        "pt": "patient",
        "pat": "patient",
        "prov": "provider",
        "prv": "provider",
        "svc": "service",
        "svcs": "service",
        "serv": "service",
        "srvc": "service",
        "proc": "procedure",
        "adj": "adjustment",
        "adjmt": "adjustment",
        "adjust": "adjustment",
        "ded": "deductible",
        "deduct": "deductible",
        "deduc": "deductible",
        "coins": "coinsurance",
        "coin": "coinsurance",
        "resp": "responsibility",
        "respons": "responsibility",
        "desc": "description",
        "descr": "description",
        "qty": "quantity",
        "dx": "diagnosis",
        "diag": "diagnosis",
        "dos": "date service",
        "mbr": "member",
        "mem": "member",
        "subs": "subscriber",
        "no": "number",
        "num": "number",
        "nbr": "number",
        "nr": "number",
        "#": "number",
        "%": "percent",
        "cd": "code",
        "rsn": "reason",
        "chg": "charge",
        "chgs": "charge",
        "chrg": "charge",
        "chrgs": "charge",
        "pd": "paid",
        "pmt": "payment",
        "pymt": "payment",
        "pay't": "payment",
        "med": "medication",
        "meds": "medication",
        "dt": "date",
        "perf": "performing",
        "rend": "rendering",
        "cnt": "count",
        "copmt": "copay",
        "copymt": "copay",
        "cpy": "copay",
        "coinsur": "coinsurance",
        "ck": "check",
        "chk": "check",
        "ident": "identification",
        "ineligible": "ineligible",
        "allow": "allowed",
        "alwd": "allowed",
        "hcpc": "hcpcs",
        "bene": "beneficiary",
        "auth": "authorized",
        "req": "requested",
    }.items()
}
FILLERS = frozenset(
    ("of", "the", "your", "and", "or", "a", "an", "in", "for", "&", "if", "any", "printed")
)
_LOOKALIKES = str.maketrans("01i|58!ce", "olllsbloo")


def _stem(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _plain_words(text: str) -> Iterator[str]:
    lowered = re.sub(r"\(s\)|\(es\)", "", text.lower())
    lowered = lowered.replace("#", " # ").replace("%", " % ")
    for part in re.split(r"[^a-z0-9#%&|']+", lowered):
        if part.strip("'|"):
            yield part.strip("'|")


def _spell_out(word: str) -> tuple[str, ...]:
    return _SPELLED_OUT.get(word) or _SPELLED_OUT.get(_stem(word)) or (_stem(word),)


def normalise(text: str) -> tuple[str, ...]:
    """A wording as the vocabulary compares it: spelled out, singular, without fillers."""
    return tuple(w for p in _plain_words(text) if p not in FILLERS for w in _spell_out(p))


_NO_MISREADING = frozenset(
    ("production", "country", "county", "planned", "provided", "printed", "submission", "reported")
)
"""Words of their own that a letter or two would make a vocabulary word."""


class Node:
    """One step of the vocabulary's prefix tree."""

    __slots__ = ("next", "role")

    def __init__(self) -> None:
        self.next: dict[str, Node] = {}
        self.role: str | None = None


class Vocabulary:
    """The wordings of a family of column roles, ready to be looked up word by word.

    Args:
        columns: Wordings by role, as in the lexicon.
        roles: The roles of this family; where two of them claim one wording, the first wins.
    """

    def __init__(self, columns: Mapping[str, Sequence[str]], roles: Sequence[str]) -> None:
        self.roles = tuple(roles)
        self.root = Node()
        words: set[str] = set()
        self.clashes: list[tuple[str, str, str]] = []
        for role in roles:
            for wording in columns.get(role, ()):
                phrase = normalise(wording)
                if not phrase:
                    continue
                node = self.root
                for word in phrase:
                    node = node.next.setdefault(word, Node())
                words.update(phrase)
                if node.role is None:
                    node.role = role
                elif node.role != role:
                    self.clashes.append((wording, node.role, role))
        self.words = frozenset(words)
        self._folded = {
            short.translate(_LOOKALIKES): full
            for short, full in _SPELLED_OUT.items()
            if len(short) > 3 and words.issuperset(full)
        } | {w.translate(_LOOKALIKES): (w,) for w in sorted(words) if len(w) > 2}
        self._long = sorted(w for w in words if len(w) >= 5)
        self._known: dict[str, tuple[str, ...] | None] = {}

    def read(self, text: str) -> tuple[str, ...] | None:
        """The vocabulary words that a token stands for: ``()`` for a filler, ``None`` if unknown.

        Repairs one or two misread letters in long words and takes glued words apart.
        """
        if text not in self._known:
            self._known[text] = self._read(text)
        return self._known[text]

    def knows(self, text: str) -> bool:
        """Whether a part of the token is a vocabulary word as it stands; cheap."""
        return any(self._word(p) for p in _plain_words(text)) or len(text) >= 9

    def reads_whole(self, text: str) -> bool:
        """Whether the text is one vocabulary word, at most a letter off."""
        bare = re.sub(r"[^a-z0-9]", "", text.lower())
        return bool(self._word(bare)) or (len(bare) >= 6 and bool(self._repair(bare)))

    def _read(self, text: str) -> tuple[str, ...] | None:
        # A bracket or stray rule character read as text, or the number of the head itself ("24.").
        if not re.search(r"[A-Za-z#%]", text):
            return (
                ()
                if len(re.sub(r"\W", "", text)) <= 1 or re.fullmatch(r"\(?\d{1,2}[.)]", text)
                else None
            )
        whole = re.sub(r"[^a-z0-9]", "", re.sub(r"\(s\)", "", text.lower()))
        if "id" in self.words and re.fullmatch(r"[il1][do0]", whole):
            return ("id",)
        if (found := self._word(whole)) and not re.search(r"[#%]", text):
            return found
        words: list[str] = []
        for part in _plain_words(text):
            if part in FILLERS:
                continue
            found = self._word(part) or self._repair(part)
            if found is None:
                return self._repair(whole)
            words.extend(found)
        return tuple(words)

    def _word(self, part: str) -> tuple[str, ...] | None:
        if not part:
            return None
        if part in FILLERS:
            return ()
        spelled = _spell_out(part)
        if all(w in self.words for w in spelled):
            return spelled
        return None

    def _repair(self, part: str) -> tuple[str, ...] | None:
        folded = self._folded.get(_stem(part).translate(_LOOKALIKES))
        if folded is not None and len(part) > 2:
            return folded
        if pieces := self._pieces(part):
            return pieces
        if len(part) < 5 or _stem(part) in _NO_MISREADING:
            return None
        match = process.extractOne(_stem(part), self._long, scorer=fuzz.ratio, score_cutoff=80)
        return (match[0],) if match else None

    def _pieces(self, part: str) -> tuple[str, ...] | None:
        """Two or three vocabulary words printed or read without a blank (``AMOUNTBILLED``)."""
        if not 5 <= len(part) <= 40:
            return None
        for cut in range(2, len(part) - 1):
            head = self._word(part[:cut])
            if not head or len(part[:cut]) < 2:
                continue
            rest = self._word(part[cut:])
            if rest is not None:
                return head + rest
            if len(part) - cut >= 5 and (tail := self._pieces(part[cut:])):
                return head + tail
        return None
