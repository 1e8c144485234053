# SPDX-License-Identifier: Apache-2.0
"""A challenger on live traffic: what it would have said, beside what was said. Never delivered."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from pydantic import BaseModel, ConfigDict

from idp.document import Field
from idp.signals import Agreement, Correction

_BUCKETS = 10_000


def is_drawn(sha256: str, share: float) -> bool:
    """Whether a document is among the share that a challenger sees; the same one always or never.

    Args:
        sha256: Of the bytes as received.
        share: 0 to 1.
    """
    bucket = int(hashlib.sha256(f"shadow {sha256}".encode()).hexdigest()[:8], 16) % _BUCKETS
    return bucket < round(share * _BUCKETS)


def compare(champion: Sequence[Field], challenger: Sequence[Field]) -> dict[str, Agreement]:
    """What both made of each field that either found; list fields agree when all values do."""
    one, two = _values(champion), _values(challenger)
    found: dict[str, Agreement] = {}
    for name in sorted(one.keys() | two.keys()):
        if name not in two:
            found[name] = Agreement.CHAMPION_ONLY
        elif name not in one:
            found[name] = Agreement.CHALLENGER_ONLY
        else:
            same = one[name] == two[name]
            found[name] = Agreement.SAME if same else Agreement.DIFFERENT
    return found


def _values(fields: Iterable[Field]) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for field in fields:
        if field.value is not None:
            found[field.name][field.value] += 1
    return found


class FieldTally(BaseModel):
    """One field over all shadowed documents: how often the two agreed, and who was right.

    ``judged`` counts documents that a person corrected since; of those ``champion_right`` and
    ``challenger_right`` had exactly the person's values.
    """

    model_config = ConfigDict(frozen=True)

    same: int = 0
    different: int = 0
    champion_only: int = 0
    challenger_only: int = 0
    judged: int = 0
    champion_right: int = 0
    challenger_right: int = 0

    @property
    def seen(self) -> int:
        return self.same + self.different + self.champion_only + self.challenger_only


class ShadowReport(BaseModel):
    """A challenger's time in the shadow, in counts."""

    model_config = ConfigDict(frozen=True)

    challenger: str
    documents: int
    failed: int
    agreement: float | None
    fields: dict[str, FieldTally]


class Tally:
    """Counts the shadow runs of one challenger, document by document."""

    def __init__(self, challenger: str) -> None:
        self._challenger = challenger
        self._documents = self._failed = 0
        self._counts: dict[str, Counter[str]] = defaultdict(Counter)

    def add(self, agreement: Mapping[str, str], error: str | None) -> None:
        """One document on which the challenger ran."""
        self._documents += 1
        self._failed += error is not None
        for name, outcome in agreement.items():
            self._counts[name][outcome] += 1

    def judge(
        self,
        corrections: Sequence[Correction],
        champion: Sequence[Field],
        challenger: Sequence[Field],
    ) -> None:
        """The same document once a person has said what is right."""
        truth: dict[str, Counter[str]] = defaultdict(Counter)
        unsure = {c.name for c in corrections if c.answer == "illegible"}
        for correction in corrections:
            truth[correction.name].update([correction.after] if correction.after else [])
        one, two = _values(champion), _values(challenger)
        for name, right in truth.items():
            if name in unsure:
                continue
            counts = self._counts[name]
            counts["judged"] += 1
            counts["champion_right"] += one.get(name, Counter()) == right
            counts["challenger_right"] += two.get(name, Counter()) == right

    def report(self) -> ShadowReport:
        """What was counted so far."""
        fields = {n: FieldTally(**self._counts[n]) for n in sorted(self._counts)}
        seen = sum(f.seen for f in fields.values())
        same = sum(f.same for f in fields.values())
        return ShadowReport(
            challenger=self._challenger,
            documents=self._documents,
            failed=self._failed,
            agreement=round(same / seen, 4) if seen else None,
            fields=fields,
        )
