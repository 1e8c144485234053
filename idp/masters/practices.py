# SPDX-License-Identifier: Apache-2.0
"""Which provider of the directory is meant: by NPI first, never by a name alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from rapidfuzz import fuzz

from idp.masters.nouns import Printed, Provider
from idp.masters.people import Agreed, Agreement
from idp.masters.spelling import name_of, plain, slips, word_closeness
from idp.values.codes import npi_check_digit_holds
from idp.values.names import is_organisation

_ALIKE = 85.0
"""Of 100: names of organisations less alike are two organisations'."""

_SCORE: dict[Agreement, float] = {"same": 1.0, "near": 0.6, "absent": 0.3, "differs": 0.0}


class ProviderCompared(NamedTuple):
    """What is printed held against one provider."""

    provider: Provider
    npi: Agreed
    name: Agreed
    reached: tuple[str, ...]
    """Which of telephone, fax and tax ID agree."""

    @property
    def outcome(self) -> Literal["matched", "near", "none"]:
        named = self.name.how in ("same", "near")
        if self.npi.how == "same":
            return "near" if self.name.how == "differs" else "matched"
        if self.npi.how == "differs":
            return "near" if named and self.reached else "none"
        if named and self.reached:
            return "matched"
        return "near" if self.name.how == "same" or len(self.reached) > 1 else "none"

    @property
    def score(self) -> float:
        """0..1; an NPI counts as much as the name and one of the numbers together."""
        reached = 1.0 if self.reached else 0.3
        return round((2 * _SCORE[self.npi.how] + _SCORE[self.name.how] + reached) / 4, 3)

    @property
    def evidence(self) -> tuple[str, ...]:
        numbers = tuple(f"{what}: same" for what in self.reached)
        return tuple(one for one in (self.npi.said, self.name.said, *numbers) if one)


class ProviderVerdict(NamedTuple):
    """What becomes of all candidates together."""

    outcome: Literal["matched", "near", "ambiguous", "none"]
    best: ProviderCompared | None = None
    others: tuple[ProviderCompared, ...] = ()


def match_provider(printed: Printed, candidates: Iterable[Provider]) -> ProviderVerdict:
    """Which of the candidates is meant; several of one NPI are told apart by their numbers."""
    compared = [one for one in (_compare(printed, p) for p in candidates) if one.outcome != "none"]
    compared.sort(key=lambda one: (-one.score, one.provider.canonical_id))
    matched = [one for one in compared if one.outcome == "matched"]
    by_npi = [one for one in matched if one.npi.how == "same"]
    winners = by_npi or matched
    if winners:
        best = winners[0]
        rivals = tuple(one for one in winners[1:] if one.score == best.score)
        return ProviderVerdict("ambiguous" if rivals else "matched", best, rivals)
    if not compared:
        return ProviderVerdict("none")
    close = tuple(one for one in compared[1:] if one.score == compared[0].score)
    return ProviderVerdict("ambiguous" if close else "near", compared[0], close)


def _compare(printed: Printed, provider: Provider) -> ProviderCompared:
    return ProviderCompared(
        provider, _npi(printed.npi, provider.npi), _name(printed, provider),
        tuple(_reached(printed, provider)),
    )  # fmt: skip


def _npi(printed: str, known: str) -> Agreed:
    if not printed or not known:
        return Agreed("absent", "" if not printed else "NPI: not in the directory")
    if printed == known:
        return Agreed("same", "NPI: same")
    # A number whose check digit holds is somebody's: it is not the other one misread.
    if not npi_check_digit_holds(printed) and slips(printed, known) <= 1.0:
        return Agreed("near", "NPI: nearly the same, and its check digit fails", slip=True)
    return Agreed("differs", "NPI: differs")


def _name(printed: Printed, provider: Provider) -> Agreed:
    """The best agreement of the names printed with those known."""
    found = [_person(printed.name, provider)] if printed.name else []
    for name in (printed.organisation, printed.name):
        if name and provider.organisation:
            found.append(_organisation(name, provider.organisation))
    known = [one for one in found if one.how != "absent"]
    order = {"same": 0, "near": 1, "differs": 2, "absent": 3}
    if not known:
        return Agreed("absent", "")
    return min(known, key=lambda one: order[one.how])


def _person(printed: str, provider: Provider) -> Agreed:
    if not provider.last or is_organisation(printed):
        return Agreed("absent", "")
    words = name_of(printed).words
    last, first = plain(provider.last), plain(provider.first)
    lasts = [word_closeness(word, last) for word in words]
    lasts += [word_closeness("".join(words[cut:]), last) for cut in range(1, len(words))]
    lasts += [word_closeness("".join(words[:cut]), last) for cut in range(1, len(words))]
    firsts = [word_closeness(word, first) for word in words]
    initial = any(word[0] == first[:1] for word in words if len(word) == 1)
    if "same" in lasts and "same" in firsts:
        return Agreed("same", "name: same")
    if {"same", "near"} & set(lasts) and ({"same", "near"} & set(firsts) or initial):
        return Agreed("near", "name: nearly the same", slip=True)
    return Agreed("differs", "name: differs")


def _organisation(printed: str, known: str) -> Agreed:
    one, other = plain(printed), plain(known)
    if one == other:
        return Agreed("same", "organisation: same")
    if fuzz.token_sort_ratio(printed.lower(), known.lower()) >= _ALIKE:
        return Agreed("near", "organisation: nearly the same", slip=True)
    return Agreed("differs", "name: differs")


def _reached(printed: Printed, provider: Provider) -> Iterable[str]:
    ours = {*provider.phones, *provider.faxes}
    if any(number.split(" x")[0] in ours for number in printed.phones):
        yield "telephone"
    if any(number.split(" x")[0] in ours for number in printed.faxes):
        yield "fax"
    digits = "".join(sign for sign in printed.tax_id if sign.isdigit())
    if digits and digits == provider.tax_id:
        yield "tax ID"
