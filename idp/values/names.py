# SPDX-License-Identifier: Apache-2.0
"""People, organisations, addresses and choices."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from nameparser import HumanName
from rapidfuzz import fuzz, process

from idp.values.base import Parsed
from idp.values.slips import compact, repair_words, squeeze

_ORGANISATION = re.compile(
    r"\b(?:hospital|clinic|cent(?:er|re)|medical|medicine|health|healthcare|llc|inc|llp|pllc|corp|"
    r"group|imaging|therapy|rehab\w*|associates|pharmacy|services?|institute|laborator\w+|labs?|"
    r"university|department|home|care|surgery|surgical|orthopedics?|cardiology|dermatology|"
    r"oncology|pediatrics|radiology|practice|partners|physicians|specialists?|systems?|supply|"
    r"equipment|hospice|dialysis|diagnostics?|wellness|network|office|community|county|"
    r"regional|memorial|plan|insurance|company|foundation|agency|school|management|gps?|"
    r"saint|st\.|pain|eye|dental|urgent|family|ltd|p\.?\s?c\.?|and|of|the)\b|[&()@/]|\d",
    re.I,
)
_CREDENTIAL = re.compile(
    r"(?:M\.?D|D\.?O|N\.?P|P\.?A(?:-?C)?|R\.?N|Ph\.?D|D\.?D\.?S|D\.?M\.?D|D\.?P\.?M|O\.?D|D\.?C|"
    r"FNP(?:-?[BC]+)?|APRN|ARNP|CNM|CNP|CNS|CRNA|LCSW|LPC|LMFT|PT|DPT|OT|SLP|CCC-?SLP|MSN|BSN|LVN|"
    r"LPN|PharmD|PsyD|AuD|MPH|MBA|FACS|FACP|FAAP|FACC|FACOG|MBBS|RD|CMA|MA|Jr|Sr|II|III|IV|Esq)\.?",
    re.I,
)
STATES = frozenset(
    re.findall(
        r"[A-Z]{2}",
        "AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH "
        "NJ NM NY NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY PR VI GU AS MP AA AE AP",
    )
)
ZIP = re.compile(r"(?<![\d-])\d{5}(?:-\d{4})?(?![\d-])")
_NOBODY = frozenset({"", "NA", "NONE", "SAME", "SELF", "UNKNOWN", "SEEABOVE", "NOTAPPLICABLE"})
_CLOSE_ENOUGH = 84.0
_NO_MARK = frozenset({"", "NO", "N", "NONE", "FALSE", "0", "ABSENT", "BLANK", "UNSIGNED"})


def _sensible_case(name: str) -> str:
    """Names in one case throughout get capitals; credentials and mixed case stay as printed."""
    letters = [s for s in name if s.isalpha()]
    if not letters or not (all(s.isupper() for s in letters) or all(s.islower() for s in letters)):
        return name
    human = HumanName(re.sub(r"[^\S ]", " ", name))
    human.capitalize(force=True)
    words: list[str] = []
    spelled = {compact(word): word for word in str(human).split()}
    for word in name.split():
        bare = word.strip(",")
        keep = _CREDENTIAL.fullmatch(bare) and len(bare) > 1 and bare.isupper()
        better = spelled.get(compact(word), word).strip(",")
        words.append(word if keep else word.replace(bare, better) if bare else word)
    return " ".join(words)


def _turned(name: str) -> str:
    """``LAST, FIRST M, CRED`` as ``FIRST M LAST, CRED``; anything else as it is."""
    parts = [part.strip() for part in name.split(",") if part.strip()]
    if len(parts) < 2:
        return name
    last, rest = parts[0], parts[1:]
    titles = [p for p in rest if all(_CREDENTIAL.fullmatch(w) for w in p.split())]
    given = [p for p in rest if p not in titles]
    if not given:
        return f"{last}, {', '.join(titles)}"
    if len(last.split()) > 3 or len(given) > 2 or any(len(p.split()) > 4 for p in given):
        return name
    initials = [w for p in given for w in p.split() if not _CREDENTIAL.fullmatch(w)]
    if len(last.split()) > 1 and all(len(word.strip(".")) == 1 for word in initials):
        # A whole name and then a letter: a speck beside the degree, not a given name.
        return name
    turned = f"{' '.join(given)} {last}"
    return f"{turned}, {', '.join(titles)}" if titles else turned


def is_organisation(name: str) -> bool:
    """Whether a name is that of an organisation: never turned around, never re-cased."""
    return _ORGANISATION.search(name) is not None


def _is_number(text: str) -> bool:
    """Whether digits outweigh letters: a telephone number with a word behind is nobody."""
    return sum(sign.isdigit() for sign in text) > sum(sign.isalpha() for sign in text)


def _is_credentials(text: str) -> bool:
    """Whether nothing but degrees stands there ("PA-C"): the name itself was not read."""
    words = [word for word in re.split(r"[\s,]+", text) if word]
    return all(len(word) > 1 and _CREDENTIAL.fullmatch(word) for word in words)


def parse_person(raw: str) -> Parsed:
    """A person's name, given name first, credentials kept; an organisation's as printed.

    No word is ever dropped or added: a name that does not fit the pattern stays as printed.
    """
    text = repair_words(squeeze(raw).strip(" :;,_*|"))
    words = re.findall(r"[^\W\d_]+", text)
    valid = (
        sum(len(word) for word in words) >= 2
        and compact(text) not in _NOBODY
        and len(text) <= 80
        and not _is_number(text)
        and not _is_credentials(text)
        and (is_organisation(text) or not any(s.isdigit() for s in text))
    )
    if not valid or is_organisation(text):
        return Parsed(text, valid=valid)
    turned = _turned(text)
    named = _sensible_case(turned)
    if Counter(compact(named)) != Counter(compact(text)):
        return Parsed(text, valid=valid)
    return Parsed(named, valid=valid)


def parse_organization(raw: str) -> Parsed:
    """An organisation's name on one line, as printed."""
    text = repair_words(squeeze(raw).strip(" :;,_*|"))
    letters = sum(sign.isalpha() for sign in text)
    nobody = compact(text) in _NOBODY or _is_number(text)
    return Parsed(text, valid=letters >= 2 and not nobody and len(text) <= 120)


def parse_address(raw: str) -> Parsed:
    """An address on one line, its printed lines joined by commas.

    Valid with a ZIP code or a state, or a number and a word (a street without a town).
    """
    lines = [squeeze(line).strip(" ,;") for line in raw.splitlines()]
    text = ", ".join(line for line in lines if line)
    text = repair_words(re.sub(r"\s*,(?:\s*,)*\s*", ", ", text).strip(" ,;:"))
    words = re.findall(r"[A-Za-z]+", text)
    placed = ZIP.search(text) is not None or any(word in STATES for word in words)
    street = any(sign.isdigit() for sign in text) and any(len(word) > 2 for word in words)
    return Parsed(text, valid=bool(words) and (placed or street) and len(text) <= 200)


def parse_sex(raw: str) -> Parsed:
    """``female``, ``male`` or ``unknown``; both named at once is no answer."""
    text = squeeze(raw)
    words = set(re.findall(r"[a-z]+", text.lower()))
    female = bool(words & {"f", "female", "fem", "woman", "girl", "femaie"})
    male = bool(words & {"m", "male", "man", "boy", "maie"})
    if female != male:
        return Parsed("female" if female else "male", valid=True)
    if not female and words & {"u", "unknown", "x", "other", "nonbinary", "unspecified"}:
        return Parsed("unknown", valid=True)
    return Parsed(text, valid=False)


def _plain(text: str) -> str:
    return " ".join(re.findall(r"[a-z0-9]+", text.lower()))


def parse_option(raw: str, options: Mapping[str, Sequence[str]]) -> Parsed:
    """The option whose wording ``raw`` is, misread letters allowed.

    One printed choice that names several options (``Extension/Renewal/Amendment``) keeps all of
    them, in printed order, joined by ``/``: choosing one would invent an answer.
    """
    text = squeeze(raw).strip(" :;,")
    wordings = {
        _plain(wording): name
        for name, printed in options.items()
        for wording in (*printed, name)
        if _plain(wording)
    }
    plain = _plain(text)
    if plain in wordings:
        return Parsed(wordings[plain], valid=True)
    parts = [_plain(part) for part in re.split(r"[/|]|\bor\b", text) if _plain(part)]
    if len(parts) > 1 and all(part in wordings for part in parts):
        names = list(dict.fromkeys(wordings[part] for part in parts))
        return Parsed("/".join(names), valid=True)
    found = process.extractOne(plain, wordings.keys(), scorer=fuzz.ratio)
    if found and found[1] >= _CLOSE_ENOUGH and len(plain) >= 4:
        return Parsed(wordings[found[0]], valid=True)
    inside = [w for w in wordings if len(w) >= 4 and re.search(rf"\b{re.escape(w)}\b", plain)]
    longest = [w for w in inside if not any(w != other and w in other for other in inside)]
    names = list(dict.fromkeys(wordings[w] for w in longest))
    if len(names) == 1 and not re.search(r"\bnot?\b", plain):
        return Parsed(names[0], valid=True)
    return Parsed(text, valid=False)


def parse_presence(raw: str) -> Parsed:
    """``yes`` when there is something, ``no`` when there is nothing or it says so."""
    return Parsed("no" if compact(raw) in _NO_MARK else "yes", valid=True)


def parse_text(raw: str) -> Parsed:
    """Free text with single blanks."""
    text = repair_words(squeeze(raw))
    return Parsed(text, valid=any(sign.isalnum() for sign in text))
