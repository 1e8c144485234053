# SPDX-License-Identifier: Apache-2.0
"""What the classifier sees of a page: its text, headings, numbering, form codes and signals."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise
from statistics import median

from idp.classify.titles import about
from idp.document import Box, Page, Word, union_of
from idp.phrases import Text, fold, without_accents
from idp.values import birth_dates

HEAD = 0.33
"""The upper part of a page, as a share of its height."""

_LARGE = 1.3
_WIDE_GAP = 2.5
_TITLE_WORDS = 14
_PAGE_OF = re.compile(r"\bpa[gq][eo]?:?\s*[#.]?\s*(\d{1,3})\s*(?:of|/)\s*(\d{1,3})\b", re.I)
_N_OF_M = re.compile(r"(?:^|\s)[(\[]?(\d{1,2})\s+of\s+(\d{1,2})[)\]]?$", re.I)
_FAX_LINE = re.compile(
    r"\d{1,2}[:;. ]\s?\d{2}.{0,30}\bfrom\b|\bP[.,]?\s?\d{1,3}\s?/\s?\d{1,3}", re.I
)
_TRANSMISSION_ENDS = 0.06
_TRANSMITTED = re.compile(
    r"\b\d{1,2}:\d{2}\b|\d{3}\)?[\s.-]{0,2}\d{3}[\s.-]\d{4}|\b0\d{1,2}\s?(?:/|of)\s?\d{2,3}\b", re.I
)
_FORM_CODE = re.compile(
    r"\b(?=[A-Z0-9_.-]*\d)(?=[A-Z0-9_.-]*[A-Z])[A-Z0-9]{2,}(?:[_.-][A-Z0-9]{2,}){0,4}\b"
)
_MONEY = re.compile(r"(?<![\d.,/-])\$?\d{1,3}(?:,?\d{3})*[.,]\s?\d{2}(?![\d/])")
_CARC = re.compile(r"\b(?:CO|PR|OA|PI|C0|0A|P1)\s?[-:]?\s?\d{1,3}\b")
_NPI_LABEL = re.compile(r"\bNP[I1l]\b", re.I)
_BOX_SIGNS = re.compile(r"[\u25a1\u2610\u2611\u2612\u25a0\u2751]|\[\s?[xX]?\s?\]|\(\s?\)")
_OUTCOME = re.compile(
    r"\b(?:has|have|had|was|were|is|are|been|be|status|decision|determination|outcome|result)\b"
    r"[\s:,-]{1,3}(?:\w+\s+){0,2}?(?:approved|authorized|certified|denied|disapproved|pended|"
    r"partially\s+(?:approved|denied)|not\s+(?:approved|authorized|certified)|non-?certified)\b",
    re.I,
)
_NOT_YET = re.compile(r"\b(?:if|whether|once|until|when|unless|must|should|will|may|can)\b", re.I)
_STATED = re.compile(
    r"\b(?:status|decision|determination|disposition|outcome|action taken|result)\b[\s:.=-]{1,12}"
    r"(?:fully\s+|partially\s+)?(?:approved|authorized|certified|denied|pended|pending|modified|"
    r"not\s+(?:approved|authorized|certified)|non-?certified|withdrawn|cancell?ed|void)\b",
    re.I,
)
_OUTCOME_ALONE = re.compile(
    r"(?:fully |partially |partly )?(?:approved|authorized|certified|denied|pended|modified|"
    r"not approved|not certified|non-?certified|certified in total|approved as requested|"
    r"pending additional information|pending review)\W?",
    re.I,
)
_PAYER_SPEAKS = re.compile(
    r"\bwe\s*(?:have\s*)?(?:\w{3,9}ly\s*)?(?:received|reviewed|approved|denied|determined|completed|made|decided|"
    r"need|are\s*unable|are\s*not\s*able|are\s*pleased|cannot|could\s*not|did\s*not)\b|"
    r"\byour\s*(?:\w{1,20}\s*){0,2}request\s*(?:for|was|has|is|received|dated)\b|"
    r"\bthis\s*(?:letter|notice|approval|authorization|decision|determination)\s*"
    r"(?:is|was|has|does|will|may|only|expires|applies|explains)\b|"
    r"\bour\s*(?:decision|review|medical director|clinical staff|records)\b|"
    r"\byou(?:\s*or\s*your\s*\w+)?\s*(?:may|can|have\s*the\s*right\s*to)\s*(?:file|request|ask|"
    r"appeal|submit)\b|\bthe\s*plan\s*(?:covers|will\s*cover|does\s*not)\b|"
    r"\b(?:an\s*)?appeals?\s*must\b|\bwe\s*will\s*(?:cover|pay|not|tell|notify|let)\b|"
    r"\byou\s*(?:asked|sent|requested)\b|\b(?:days|visits|units|services?)\s*(?:authorized|approved|certified|denied)\b",
    re.I,
)
_PROVIDER_SPEAKS = re.compile(
    r"\bI\s*am\s*(?:writing|requesting|referring|asking)\b|\bwe\s*are\s*(?:requesting|writing|"
    r"asking|referring|submitting)\b|\b(?:my|our)\s*patient\b|\b(?:I|we)\s*(?:request|ask\s*that|"
    r"respectfully|disagree|refer)\b|\bI\s*would\s*(?:appreciate|be\s*grateful|value|welcome)\b|"
    r"\bI\s*have\s*enclosed\b|\byour\s*(?:opinion|expertise|evaluation|consultation\s*note)\b|\bthank\s*you\s*for\s*(?:seeing|"
    r"your\s*(?:consideration|attention|prompt))\b|\bplease\s*(?:approve|reconsider|evaluate|see|"
    r"process|schedule|expedite|overturn)\b",
    re.I,
)
_FAX_HEADING = re.compile(
    r"\W*(?:fax|facsimile)(?:\s*(?:message|transmi\w+|cover|coversheet|cover\s*sheet|sheet|memo))*\W*",
    re.I,
)
_TO_A_DOCTOR = re.compile(r"(?:^|\n)\s*dear\s+d(?:r\b|octor|ear)", re.I)
_COVER_LABEL = re.compile(
    r"^\W*(to|from|date|pages?|total (?:no\. of )?pages|number of pages|no\. of pages|re|subject|"
    r"regarding|fax|fax number|phone|telephone|attn|attention|message|notes|comments?|company|"
    r"sender|cc|urgency)\b(?:[^\n:]{0,24}:|\s*$)",
    re.I,
)
_ABOUT_A_PATIENT = re.compile(
    r"\b(?:patient|member|enrollee|claimant|insured|subscriber|recipient|client|beneficiary|"
    r"participant|customer|name|mrn|d\.?o\.?b|date of birth|birth\s?date)\b[^\n:]{0,24}[:#]|"
    r"\bd\.?o\.?b\b|\bdate of birth\b",
    re.I,
)
_HEALTH = tuple(
    re.compile(rf"\b(?:{words})", re.I)
    for words in (
        "patient|member|enrollee|subscriber|beneficiary|recipient|claimant|insured|d\\.?o\\.?b\\b|"
        "date of birth|year[- ]old",
        "physician|provider|prescriber|doctor|npi\\b|clinic|hospital|facility|practitioner|m\\.?d\\b",
        "diagnos|icd|cpt|hcpcs|procedure|medication|drug|therapy|treatment|symptom|exam|surgery|"
        "chronic|disease|biops|imaging|"
        "services? (?:date|request)|date of service|dos\\b|proc\\b",
        "health|medical|insurance|payer|medicare|medicaid|plan\\b|coverage|benefit|dental",
        "claim|authoriz|referral|refer\\b|referr|precert|remit|deductible|co-?pay|appointment|orders?\\b|"
        "consult|thank you for seeing",
    )
)
"""What papers between providers and payers speak of: of whom, by whom, what, under what, why."""

_AMOUNT_COLUMN = re.compile(
    r"\b(billed|charges?|charged|submitted|allowed|approved|covered|discount|deduct\w*|co-?pay\w*|"
    r"co-?ins\w*|paid|pays|pd|adj\w*|reduction|respons\w*|resp|owe|balance|recommended|withhold|"
    r"non-?cov\w*|benefit|share)\b",
    re.I,
)
_LETTER = re.compile(r"(?:^|\n)\s*(?:dear|to whom it may concern)\b", re.I)
_LETTER_END = re.compile(
    r"(?:^|\n)\s*(?:sincerely|regards|respectfully|best regards|yours truly)\b", re.I
)
_AMOUNTS_OF_A_TABLE = 10
_CHECKBOXES_OF_A_FORM = 6
_FEW_WORDS = 80
_SURELY_READ = 0.9
_READABLE = re.compile(r"[^\W\d_]{3,}|\d{3,}")
_WORDS_OF_A_COVER, _FADES_OVER = 240, 80
_HEALTH_TOPICS = 4


def _columns(line: str) -> list[str]:
    return [found.lower()[:6] for found in _AMOUNT_COLUMN.findall(line)]


_ITEM = re.compile(r"(?:(?:section|part|step)\s+)?([A-Z]|[IVX]{1,5}|\d{1,2})[.):]\s+\S", re.I)
_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")


def _cover_strength(labels: set[str]) -> float:
    """How much the labels at line starts look like a cover sheet: to and from, or pages."""
    addressed = {"to", "from"} <= labels or any("page" in label for label in labels)
    return max(0.0, min(1.5, (len(labels) - 2) / 2)) if addressed else 0.0


def _sparse(words: int) -> float:
    """1 where there is as little print as on a cover sheet, 0 on a full page."""
    return max(0.0, min(1.0, (_WORDS_OF_A_COVER - words) / _FADES_OVER))


def _ordinal(label: str) -> int:
    if label.isdigit():
        return int(label)
    upper = label.upper()
    if upper in _ROMAN:
        return _ROMAN.index(upper) + 1
    return ord(upper[0]) - ord("A") + 1 if len(upper) == 1 else 0


class Run:
    """Words that stand together on one line, with no wide gap between."""

    def __init__(self, words: Sequence[Word]) -> None:
        self.text = without_accents(" ".join(word.text for word in words))
        self.box: Box = union_of([word.box for word in words])
        self.height = median(word.box.height for word in words)
        self.words = len(words)
        self.parts = tuple(words)
        self.line = words[0].line


def _runs(page: Page) -> list[Run]:
    lines: dict[int, list[Word]] = {}
    for word in page.words:
        if word.text.strip():
            lines.setdefault(word.line, []).append(word)
    runs: list[Run] = []
    aspect = page.height_px / max(1, page.width_px)
    for words in lines.values():
        ordered = sorted(words, key=lambda word: word.box.x0)
        part, reached = [ordered[0]], ordered[0].box.x1
        for left, right in pairwise(ordered):
            gap = right.box.x0 - reached
            if gap > _WIDE_GAP * max(left.box.height, right.box.height) * aspect:
                runs.append(Run(part))
                part, reached = [], 0.0
            part.append(right)
            reached = max(reached, right.box.x1)
        runs.append(Run(part))
    return runs


class Sheet:
    """One page, observed; nothing here knows of document types."""

    def __init__(self, page: Page) -> None:
        self.number = page.number
        self.page = page
        runs = _runs(page)
        self.runs = [run for run in runs if not (run.box.y1 < 0.06 and _FAX_LINE.search(run.text))]
        fax_lines = {id(run) for run in runs} - {id(run) for run in self.runs}
        top = min((run.box.y1 for run in runs if id(run) in fax_lines), default=None)
        if top is not None:
            self.runs = [run for run in self.runs if run.box.cy > top]
        self.lines = [run.text for run in self.runs]
        self.joined = "\n".join(self.lines)

    @cached_property
    def text(self) -> Text:
        return Text(self.lines)

    @cached_property
    def head(self) -> Text:
        return Text([run.text for run in self.runs if run.box.cy < HEAD])

    @cached_property
    def titles(self) -> list[Run]:
        """Headings: large print anywhere, or a short line in capitals or Title Case at the top."""
        if not self.runs:
            return []
        usual = median(run.height for run in self.runs)
        return [run for run in self.runs if self._is_title(run, usual)]

    @staticmethod
    def _is_title(run: Run, usual: float) -> bool:
        letters = [sign for sign in run.text if sign.isalpha()]
        if _COVER_LABEL.match(run.text):
            return False
        if len(letters) < 4 or run.words > _TITLE_WORDS or run.text.rstrip().endswith((".", ";")):
            return False
        if run.height > _LARGE * usual and run.box.cy < 0.6:
            return True
        if run.box.cy > HEAD or ": " in run.text:
            return False
        words = [word for word in run.text.split() if len(word) > 3 and word[0].isalpha()]
        capitals = sum(sign.isupper() for sign in letters) / len(letters)
        titled = bool(words) and all(word[0].isupper() for word in words)
        return capitals > 0.75 or (titled and run.words <= 8)

    @cached_property
    def title(self) -> Text:
        return Text([run.text for run in self.titles])

    @cached_property
    def own_runs(self) -> list[Run]:
        """The runs without those that a fax machine printed above the page.

        Such a line has a time or a telephone number, or counts pages with leading zeros.
        """
        lines: dict[int, list[str]] = {}
        for word in self.page.words:
            if word.box.y1 < _TRANSMISSION_ENDS:
                lines.setdefault(word.line, []).append(word.text)
        sent = {line for line, words in lines.items() if _TRANSMITTED.search(" ".join(words))}
        return [run for run in self.runs if run.line not in sent]

    @cached_property
    def numbering(self) -> tuple[int, int] | None:
        """``(2, 3)`` where the document itself prints "Page 2 of 3"; fax headers don't count."""
        for run in self.own_runs:
            if found := _PAGE_OF.search(run.text):
                number, total = int(found[1]), int(found[2])
                if 1 <= number <= total:
                    return number, total
        for run in self.own_runs:
            if (run.box.cy > 0.9 or run.box.cy < 0.1) and (found := _N_OF_M.search(run.text)):
                number, total = int(found[1]), int(found[2])
                if 1 <= number <= total:
                    return number, total
        return None

    @cached_property
    def form_codes(self) -> frozenset[str]:
        """Printed codes at the foot and head of a form (``NOFR001``), folded."""
        edge = [run.text for run in self.runs if run.box.cy > 0.9 or run.box.cy < 0.08]
        found = {fold(code) for line in edge for code in _FORM_CODE.findall(line) if len(code) >= 5}
        return frozenset(found)

    @cached_property
    def items(self) -> tuple[int, ...]:
        """Numbers of the page's items or sections, in order (``F.`` is 6, ``SECTION V`` 5)."""
        found = (_ITEM.match(run.text) for run in self.runs)
        return tuple(_ordinal(match[1]) for match in found if match)

    @cached_property
    def birth_dates(self) -> frozenset[str]:
        """Birth dates printed with their label, ISO 8601."""
        return birth_dates(self.joined)

    @property
    def word_count(self) -> int:
        """How many words stand on the page, fax header lines left out."""
        return sum(run.words for run in self.runs)

    @cached_property
    def signals(self) -> dict[str, float]:
        """Structural observations, each with its strength, 0..1."""
        text = self.joined
        amounts = len(_MONEY.findall(text))
        boxes = len(self.page.marks) or len(_BOX_SIGNS.findall(text))
        outcomes = sum(
            not _NOT_YET.search(text[max(0, found.start() - 40) : found.start()])
            for found in _OUTCOME.finditer(text)
        )
        words = self.word_count
        topics = sum(topic.search(text) is not None for topic in _HEALTH)
        alone = {r.text.lower() for r in self.runs if _OUTCOME_ALONE.fullmatch(r.text.strip())}
        labels = {m[1].lower() for line in self.lines if (m := _COVER_LABEL.match(line))}
        columns = max((len(set(_columns(line))) for line in self._rows), default=0)
        return {
            "amount_table": min(1.0, amounts / _AMOUNTS_OF_A_TABLE) if amounts >= 5 else 0.0,
            "carc": 1.0 if len(_CARC.findall(text)) >= 2 else 0.0,
            "checkboxes": min(1.0, boxes / _CHECKBOXES_OF_A_FORM) if boxes >= 3 else 0.0,
            "many_npi_labels": 1.0 if len(_NPI_LABEL.findall(text)) >= 2 else 0.0,
            "outcome_wording": min(1.0, outcomes / 2),
            "outcome_stated": 1.0 if _STATED.search(text) else 0.0,
            "outcome_alone": 1.0 if len(alone) == 1 else 0.0,
            "payer_speaks": min(1.0, len(_PAYER_SPEAKS.findall(text)) / 2),
            "provider_speaks": min(1.0, len(_PROVIDER_SPEAKS.findall(text)) / 2),
            "letter_to_a_doctor": 1.0 if _TO_A_DOCTOR.search(text) else 0.0,
            "cover_labels": _cover_strength(labels) * _sparse(words),
            "fax_heading": float(any(_FAX_HEADING.fullmatch(run.text) for run in self.runs)),
            "amount_columns": 1.0 if columns >= 3 and amounts >= 3 else 0.0,
            "denial_wording": 1.0 if re.search(r"\bden(?:ied|ial)\b", text, re.I) else 0.0,
            "letter": 0.5 * bool(_LETTER.search(text)) + 0.5 * bool(_LETTER_END.search(text)),
            "few_words": 1.0 if words < _FEW_WORDS else 0.0,
            "blank": 1.0 if words < 4 and not self._legible else 0.0,
            "not_health": max(0.0, (_HEALTH_TOPICS - topics) / 2) if words >= 4 else 0.0,
            **about(self._headings),
        }

    @property
    def _legible(self) -> bool:
        """Whether something surely stands there: what the file itself says, or a word read well."""
        return any(
            self.page.words_source != "ocr"
            or (word.confidence >= _SURELY_READ and _READABLE.search(word.text))
            for word in self.page.words
        )

    @cached_property
    def about_a_patient(self) -> bool:
        """Whether the page names whom it is about (by a label): legends and rights do not."""
        return _ABOUT_A_PATIENT.search(self.joined) is not None

    @cached_property
    def _rows(self) -> list[str]:
        """Whole printed rows, columns included."""
        rows: dict[int, list[str]] = {}
        for word in self.page.words:
            rows.setdefault(word.line, []).append(word.text)
        return [" ".join(words) for words in rows.values()]

    @cached_property
    def _headings(self) -> list[str]:
        """Headings, and each joined with the one below it (a heading may be wrapped)."""
        single = [run.text for run in self.titles]
        return single + [f"{first} {second}" for first, second in pairwise(single)]
