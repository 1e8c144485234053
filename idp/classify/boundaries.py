# SPDX-License-Identifier: Apache-2.0
"""Whether a page begins another document: what two neighbours say, and how likely that makes it.

Each piece of evidence is a number from 0 to 1 that people can check on the page; a logistic
regression weighs them (``boundaries.yaml``, fitted by ``python -m training.stacks --fit`` on
generated stacks). So the answer is a probability, and a doubtful cut can be told from a sure one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path
from statistics import median

import yaml
from rapidfuzz import fuzz

from idp.classify.scoring import Votes, heading_points, total, votes
from idp.classify.sheet import Run, Sheet
from idp.document import DocumentType, Page
from idp.patients import Patient, compare, patient_of
from idp.phrases import Text, fold
from idp.schemas import DocumentSchema

_WEIGHTS = Path(__file__).with_name("boundaries.yaml")
_COVER = "fax_cover"

_TOP, _FOOT = 0.14, 0.92
_SHIFT = 0.012
"""How far the same print may stand apart on two copies, as a share of the page."""

_FEW_WORDS = 60
_CLEAR, _AHEAD = 9.0, 5.0
"""Points of a page's best type, and how far it is ahead, where there is no doubt about it."""

_ENDS_EARLY = 0.62
_LONG_NUMBER = re.compile(r"(?=(?:\D*\d){6})[A-Z0-9][A-Z0-9./-]{5,}", re.I)
_NUMBERED = (
    re.compile(
        r"\b(?:pa[gq]e|pg|sheet|p)[.:]?\s*(?:no\b\.?|#)?\s*(\d{1,3})\s*(?:of|/)\s*(\d{1,3})\b", re.I
    ),
    re.compile(r"^\W*(\d{1,3})\s*(?:of|/)\s*(\d{1,3})\W*$", re.I),
    re.compile(r"\b(?:pa[gq]e|pg|sheet)[.:]?\s*(?:no\b\.?|#)?\s*(\d{1,3})\W*$", re.I),
    re.compile(r"^\s*[-\u2013\u2014]\s*(\d{1,3})\s*[-\u2013\u2014]\s*$"),
)
_CONTINUED = re.compile(r"\bcont(?:inued|inuation|['\u2019.]?d)\b|\(cont\)", re.I)
_CLOSING = re.compile(
    r"^\W*(?:sincerely|(?:best |kind |warm )?regards|respectfully|yours (?:truly|sincerely)|"
    r"(?:electronically )?signed(?: by)?|(?:\w+ )?signature|attestation|certification|"
    r"thank you|totals?|total paid|enclosures?|cc)\b",
    re.I,
)
_OPENING = re.compile(r"^\W*(?:dear|to whom|attn|attention|re:|regarding:|date:)", re.I)
_SENTENCE_ENDS = (".", ":", ";", "!", "?", ")")


class Seen:
    """A page with all that cutting looks at."""

    def __init__(self, page: Page, schemas: Mapping[DocumentType, DocumentSchema]) -> None:
        self.page = page
        self.sheet = Sheet(page)
        self.votes = votes(self.sheet, schemas)
        heading = Text([run.text for run in self.top_titles])
        self.heading_points = heading_points(heading, kind_of(self.votes), schemas)

    @cached_property
    def patient(self) -> Patient:
        return patient_of(self.page)

    @cached_property
    def number(self) -> tuple[int, int | None] | None:
        """Its own number and of how many, as the document prints it; a fax header's is not."""
        if self.sheet.numbering:
            return self.sheet.numbering
        edges = [run for run in self.sheet.own_runs if run.box.cy > 0.9 or run.box.cy < 0.09]
        for shape in _NUMBERED:
            for run in edges:
                if found := shape.search(run.text):
                    number = int(found[1])
                    of = int(found[2]) if shape.groups > 1 else None
                    if 1 <= number <= (of or 60):
                        return number, of
        return None

    @cached_property
    def places(self) -> dict[str, list[tuple[float, float]]]:
        """Where each printed word begins, numbers left out: they are what is filled in."""
        found: dict[str, list[tuple[float, float]]] = {}
        for word in self.page.words:
            folded = fold(word.text)
            if len(folded) > 2 and not any(sign.isdigit() for sign in word.text):
                found.setdefault(folded, []).append((word.box.x0, word.box.cy))
        return found

    @cached_property
    def long_numbers(self) -> frozenset[str]:
        """Identifiers: what ties two pages together beyond names."""
        found = (_LONG_NUMBER.fullmatch(w.text.strip(".,;:()")) for w in self.page.words)
        return frozenset(fold(match[0]) for match in found if match)

    @cached_property
    def body(self) -> list[Run]:
        """The runs between head and foot, top to bottom."""
        inside = [run for run in self.sheet.runs if run.box.cy < _FOOT]
        return sorted(inside, key=lambda run: (round(run.box.cy, 3), run.box.x0))

    @cached_property
    def height(self) -> float:
        return median(w.box.height for w in self.page.words) if self.page.words else 0.0

    @cached_property
    def left(self) -> float:
        return min((run.box.x0 for run in self.body if run.words > 1), default=0.5)

    @cached_property
    def top_titles(self) -> list[Run]:
        return [run for run in self.sheet.titles if run.box.cy < 0.25]


def kind_of(votes: Votes) -> tuple[DocumentType, str | None]:
    """The type, and the kind of `other`."""
    best = votes.best
    return best, votes.subtype if best == DocumentType.OTHER else None


def _share_again(page: Seen, other: Seen, below: float = 1.0) -> float:
    """The share of the page's words that stand at the same place on the other one."""
    there = again = 0
    for folded, spots in page.places.items():
        theirs = other.places.get(folded, ())
        for x, y in spots:
            if y > below:
                continue
            there += 1
            again += any(abs(x - u) < _SHIFT and abs(y - v) < _SHIFT for u, v in theirs)
    return again / there if there >= 3 else 0.0


def _numbering(last: Seen, page: Seen, so_far: int) -> dict[str, float]:
    """What page numbers say; a document's first page need not have one."""
    found: dict[str, float] = {}
    now, before = page.number, last.number
    if now is not None:
        number, of = now
        follows = before is not None and number == before[0] + 1 and before[1] in (of, None)
        found["number_follows"] = float(follows)
        found["number_starts_over"] = float(number == 1)
        found["number_fits_place"] = float(not follows and number > 1 and number == so_far + 1)
        found["number_inside"] = float(not follows and number > 1 and number != so_far + 1)
    elif before is not None:
        found["number_stops"] = 1.0
    if before is not None and before[1] is not None:
        found["number_was_last"] = float(before[0] == before[1])
        found["number_was_not_last"] = float(before[0] < before[1])
    return found


def _identity(document: Sequence[Seen], page: Seen) -> dict[str, float]:
    """Whose the pages are, and which identifiers they share."""
    so_far = document[0].patient
    for seen in document[1:]:
        so_far = so_far.joined(seen.patient)
    compared = compare(so_far, page.patient)
    numbers = frozenset[str]().union(*(seen.long_numbers for seen in document))
    shared = len(page.long_numbers & numbers)
    return {
        "patient_other": float(compared.other),
        "patient_other_twice": float(compared.other and sum(c == "other" for c in compared) > 1),
        "patient_same": float(compared.same),
        "patient_anew": float(bool(page.patient) and not so_far),
        "patient_unnamed": float(not page.patient and bool(so_far)),
        "name_printed": float(bool(page.patient.names)),
        "birth_printed": float(bool(page.patient.births)),
        "numbers_shared": min(1.0, shared / 2),
        "numbers_all_new": float(len(page.long_numbers) >= 2 and not shared and bool(numbers)),
    }


def _print_again(document: Sequence[Seen], page: Seen) -> dict[str, float]:
    """Whether the page's print stood there before: a form's first page again, or only its head."""
    first, last = document[0], document[-1]
    whole = _share_again(page, first)
    title = _titles_alike(first.top_titles, page.top_titles)
    return {
        "print_of_first": whole,
        "print_of_first_mostly": float(whole > 0.4),
        "head_of_first": _share_again(page, first, _TOP),
        "title_of_first": title,
        "title_of_first_at_its_place": title
        * float(_same_height(first.top_titles, page.top_titles)),
        "other_size_of_print": min(1.0, 4 * abs(math.log((page.height or 1) / (last.height or 1)))),
        "other_margin": min(1.0, 12 * abs(page.left - last.left)),
    }


def _titles_alike(first: Sequence[Run], second: Sequence[Run]) -> float:
    if not first or not second:
        return 0.0
    best = max(fuzz.ratio(fold(a.text), fold(b.text)) for a in first[:4] for b in second[:4])
    return float(best >= 82)


def _same_height(first: Sequence[Run], second: Sequence[Run]) -> bool:
    return any(
        abs(a.box.cy - b.box.cy) < 2 * _SHIFT and fuzz.ratio(fold(a.text), fold(b.text)) >= 82
        for a in first[:4]
        for b in second[:4]
    )


def _flow(last: Seen, page: Seen) -> dict[str, float]:
    """Endings and beginnings: closings, page ends, sentences that run over."""
    lines, next_lines = last.body, page.body
    tail = lines[-6:]
    lowest = max((run.box.y1 for run in lines), default=0.0)
    open_sentence = (
        bool(lines)
        and lines[-1].words >= 6
        and not lines[-1].text.rstrip().endswith(_SENTENCE_ENDS)
    )
    begins_small = (
        bool(next_lines) and next_lines[0].words >= 3 and next_lines[0].text[:1].islower()
    )
    head = next_lines[:8]
    return {
        "closed": float(any(_CLOSING.search(run.text) for run in tail)),
        "ended_early": float(lowest < _ENDS_EARLY),
        "sentence_runs_over": float(open_sentence and begins_small),
        "begins_small": float(begins_small),
        "continued": float(any(_CONTINUED.search(run.text) for run in next_lines[:5])),
        "opening": float(any(_OPENING.search(run.text) for run in head)),
        "letter": float(page.sheet.signals.get("letter", 0.0) >= 0.5),
        "few_words": float(page.sheet.word_count < _FEW_WORDS),
        "first_line_large": float(
            bool(next_lines) and next_lines[0].height > 1.2 * (page.height or 1)
        ),
        "items_go_on": float(_goes_on(last.sheet.items, page.sheet.items)),
        "form_code_again": float(bool(last.sheet.form_codes & page.sheet.form_codes)),
    }


def _goes_on(before: Sequence[int], after: Sequence[int]) -> bool:
    """Whether numbered items or lettered sections go on where the sheet before stopped."""
    return bool(before and after) and after[0] > 1 and 1 <= after[0] - before[-1] <= 2


ENCLOSED = {
    DocumentType.PRIOR_AUTH_DETERMINATION: frozenset(
        {"appeal_letter", "consent_form", "records_request"}
    ),
    DocumentType.REMITTANCE_EOB: frozenset({"appeal_letter", "consent_form"}),
}
"""Appeal and consent forms behind a payer's letter are its enclosures, not documents sent to us."""


def _types(document: Sequence[Seen], page: Seen) -> dict[str, float]:
    """What the pages are: another type, how clearly, and whether it is one that is enclosed."""
    so_far = total([seen.votes for seen in document])
    kind, last_kind = kind_of(page.votes), kind_of(so_far)
    points = page.votes
    strength = min(1.0, points.strongest / 15)
    margin = min(1.0, max(0.0, points.margin) / 10)
    other_type, same = kind != last_kind, kind == last_kind
    is_other = kind[0] == DocumentType.OTHER
    enclosed = is_other and kind[1] in ENCLOSED.get(last_kind[0], ())
    return {
        "type_other": strength * margin * float(other_type and not is_other),
        "type_other_kind": strength * margin * float(other_type and is_other),
        "type_other_clearly": float(
            other_type and points.strongest >= _CLEAR and points.margin >= _AHEAD
        ),
        "type_same": strength * float(same),
        "type_unclear": float(points.strongest < 5),
        "title_of_its_kind": min(1.0, max(0.0, page.heading_points) / 5),
        "title_of_another_kind": min(1.0, max(0.0, page.heading_points) / 5) * float(other_type),
        "title_at_top": float(bool(page.top_titles)),
        "title_of_a_type": min(1.0, max(page.sheet.signals.get(name, 0.0) for name in _ABOUT)),
        "behind_a_cover": float(last_kind[1] == _COVER and kind[1] != _COVER),
        "is_a_cover": float(kind[1] == _COVER) * strength,
        "enclosed": float(enclosed),
        "about_a_patient": float(page.sheet.about_a_patient),
        "remittance_goes_on": float(
            last_kind[0] == DocumentType.REMITTANCE_EOB
            and (kind == last_kind or points.strongest < 5)
        ),
        "document_length": min(1.0, math.log(len(document)) / 2),
    }


_ABOUT = (
    "title_asks",
    "title_answers",
    "title_refers",
    "title_pays",
    "title_disputes",
    "title_requests",
)


def evidence(document: Sequence[Seen], page: Seen) -> dict[str, float]:
    """What speaks for and against ``page`` being the first of another document."""
    return {
        **_numbering(document[-1], page, len(document)),
        **_identity(document, page),
        **_print_again(document, page),
        **_flow(document[-1], page),
        **_types(document, page),
    }


@cache
def weights() -> Mapping[str, float]:
    """The weight of each piece of evidence, and of ``always``."""
    read: dict[str, float] = yaml.safe_load(_WEIGHTS.read_text(encoding="utf-8"))
    return read


def probability(found: Mapping[str, float]) -> float:
    """How likely evidence makes it that another document begins."""
    known = weights()
    points = known["always"] + sum(known.get(name, 0.0) * value for name, value in found.items())
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, points))))
