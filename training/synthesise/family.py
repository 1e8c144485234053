# SPDX-License-Identifier: Apache-2.0
"""A family: everything that one layout fixes, drawn from its seed.

Families of the splits never meet: their seeds hold the split's name, and held-out families also
use the labels, mechanisms and values that training never sees.
"""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path

import yaml

from training.synthesise.layout import HELD_OUT_MECHANISMS, MECHANISMS, Mechanism, Style
from training.synthesise.values import DateStyle, Split

_KEPT = 2
_SUFFIXES = (
    "*",
    " (required)",
    " (if different)",
    " (if known)",
    " (print)",
    " (see instructions)",
)


@cache
def _tables() -> dict[str, dict[str, tuple[str, ...]]]:
    text = Path(__file__).with_name("labels.yaml").read_text(encoding="utf-8")
    data = yaml.safe_load(text)
    tables = {
        name: {key: tuple(entry.split("|")) for key, entry in data[name].items()}
        for name in ("labels", "columns")
    }
    for part in ("titles", "word"):
        tables[part] = {
            key: tuple(filter(None, entry[part].split("|")))
            for key, entry in data["titles"].items()
        }
    return tables


def label_keys() -> frozenset[str]:
    """Every key that has labels."""
    return frozenset(_tables()["labels"])


def synonyms(table: str, key: str, split: Split) -> tuple[str, ...]:
    """The wordings of a label for training, or those that only held-out families use."""
    entries = _tables()[table][key]
    if len(entries) <= _KEPT + 1:
        return entries
    return entries[:-_KEPT] if split == "train" else entries[-_KEPT:]


class Family:
    """The choices of one layout. ``rng`` is for further choices of the layout, not of a document.

    Args:
        kind: Document type (or the kind of an `other` document).
        split: ``train`` or ``heldout``.
        index: Which family of the split.
    """

    def __init__(self, kind: str, split: Split, index: int) -> None:
        self.kind = kind
        self.split: Split = split
        self.index = index
        self.rng = random.Random(f"{kind}/{split}/{index}")  # noqa: S311 - not for secrets
        self.style = self._style()
        self._labels: dict[tuple[str, str, str], str] = {}
        names = list(MECHANISMS)
        self._usual = self.rng.sample(names, 3)
        self.starred = self.rng.random() < 0.1
        self.numbering = self.rng.choice(("", "", "", "section", "roman", "letter", "number"))

    @property
    def name(self) -> str:
        return f"{self.kind}-{self.split}-{self.index}"

    def chance(self, share: float) -> bool:
        """A choice of the layout that is true with this probability."""
        return self.rng.random() < share

    def _style(self) -> Style:
        rng = self.rng
        size = rng.uniform(0.0095, 0.0145)
        left = rng.uniform(0.04, 0.09)
        return Style(
            size=size,
            leading=rng.uniform(1.15, 1.5),
            case=rng.choice(("title", "title", "title", "upper", "lower")),
            colon=rng.choice((":", ":", ":", ":", "", "", " :")),
            label_scale=rng.choice((1.0, 1.0, 0.9, 0.8)),
            gap=rng.uniform(1.0, 1.7),
            left=left,
            right=1 - rng.uniform(0.04, 0.09),
            underline=rng.random() < 0.4,
            filled=rng.random() < 0.5,
            numbered=rng.random() < 0.15,
            caps_values=rng.random() < 0.15,
            date=rng.choice(("slash", "slash", "slash", "short", "dash", "iso")),
            dob=rng.choice(("slash", "slash", "slash", "dash", "short", "iso", "digits")),
            name=rng.choice(
                ("natural", "natural", "natural", "last_first", "last_first_upper", "natural_upper")
            ),
            provider=rng.choice(("natural", "natural", "last_first", "natural_upper")),
            phone=rng.choice((0, 1, 1, 0, 2, 3, 4, 5)),
            money=rng.choice((0, 1, 1, 2, 3)),
            joiner=rng.choice(("comma", "comma", "space", "slash", "semicolon", "stack")),
            marks_before=rng.random() < 0.85,
        )

    def mechanism(self) -> Mechanism:
        """One of the family's usual mechanisms; half of the time one kept for held-out families."""
        if self.split == "heldout" and self.chance(0.5):
            return HELD_OUT_MECHANISMS[self.rng.choice(list(HELD_OUT_MECHANISMS))]
        if self.chance(0.25):
            return MECHANISMS[self.rng.choice(list(MECHANISMS))]
        return MECHANISMS[self.rng.choice(self._usual)]

    def date_style(self) -> DateStyle:
        """How letters of this family write dates."""
        return self.rng.choice(("long", "long", "medium", "slash", "day_month"))

    def choose(self, table: str, key: str) -> str:
        """One wording; held-out families take half of theirs from those kept for them."""
        kept = self.split == "heldout" and self.chance(0.5)
        return self.rng.choice(synonyms(table, key, "heldout" if kept else "train"))

    def word(self, party: str) -> str:
        """What a party is called on this form, the same everywhere on it."""
        key = ("word", party, "")
        if key not in self._labels:
            entries = _tables()["word"].get(party) or ("",)
            self._labels[key] = self.choose("word", party) if entries[0] else ""
        return self._labels[key]

    def title(self, party: str) -> str:
        """The title of a section."""
        key = ("title", party, "")
        if key not in self._labels:
            self._labels[key] = self.choose("titles", party)
        return self._labels[key]

    def numbered(self, title: str, place: int) -> str:
        """A section's title with the family's numbering."""
        roman = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")[
            place % 12
        ]
        dash = ("—", "–", "-", ":")[self.index % 4]  # noqa: RUF001 - as forms print it
        if self.numbering == "section":
            return f"Section {roman} {dash} {title}"
        if self.numbering == "roman":
            return f"{roman}. {title}"
        if self.numbering == "letter":
            return f"{'ABCDEFGHIJKL'[place % 12]}. {title}"
        return f"{place + 1}. {title}" if self.numbering == "number" else title

    def label(self, key: str, party: str = "", *, naming: bool | None = None) -> str:
        """The label of a field, chosen once for the family.

        Args:
            key: Key in ``labels.yaml``.
            party: Whose field it is.
            naming: ``True`` for a label that names the party, ``False`` for one that does not.
        """
        cached = (key, party, str(naming))
        if cached not in self._labels:
            text = ""
            for _ in range(30):
                text = self.choose("labels", key)
                if naming is None or naming == ("%" in text):
                    break
            else:
                if naming:
                    text = f"% {text}"
            word = self.word(party)
            text = text.replace("%", word).strip() if word else text.replace("%", "").strip()
            text = text or self.choose("labels", key).replace("%", "Name")
            if self.chance(0.1):
                text += self.rng.choice(_SUFFIXES)
            self._labels[cached] = f"* {text}" if self.starred and self.chance(0.5) else text
        return self._labels[cached]
