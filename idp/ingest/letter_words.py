# SPDX-License-Identifier: Apache-2.0
"""How many words of a mail's text are its own: not quoted, not a signature, not a disclaimer."""

from __future__ import annotations

import re
from typing import NamedTuple

_REPLY = re.compile(
    r"^\s*(?:-{2,}\s*(?:original message|urspr\u00fcngliche nachricht|mensaje original|"
    r"message d'origine)\s*-{2,}"
    r"|(?:on|le|am|el)\b.{4,200}\b(?:wrote|writes|a \u00e9crit|schrieb|escribi\u00f3)\s*:)\s*$",
    re.I,
)
_HEAD_FROM = re.compile(r"^\s*\*?(?:from|von|de)\s*:\*?\s*\S", re.I)
_HEAD_NEXT = re.compile(r"^\s*\*?(?:sent|date|to|gesendet|datum|an|enviado)\s*:\*?\s*\S", re.I)
_FORWARDED = re.compile(r"^\s*(?:fwd?|wg|tr|rv)\s*:", re.I)
_SIGNATURE = re.compile(r"^-- ?$")
_CLOSING = re.compile(
    r"^\s*(?:(?:best|kind|kindest|warm|many)\s+)?(?:regards|thanks|wishes|thank you|sincerely"
    r"|cheers|respectfully|yours truly|yours sincerely|saludos|mit freundlichen gr\u00fc\u00dfen)"
    r"(?:\s+(?:so much|very much|again|in advance))?\s*[,.!]*\s*$",
    re.I,
)
_MOST_SIGNATURE_LINES, _MOST_LINES_BELOW = 12, 200
_DISCLAIMER = re.compile(
    r"confidential|privileged|intended (?:only |solely )?(?:for|recipient)|unauthori[sz]ed"
    r"|disclos|dissemination|hipaa|disclaimer|in error|notify the sender|delete (?:it|this|the)"
    r"|consider the environment|virus|unsubscribe|protected health information",
    re.I,
)
_LEAST_DISCLAIMER_WORDS = 2
_CONTACT = re.compile(
    r"^\s*(?:(?:tel|phone|ph|fax|mobile|cell|office|direct|main|e-?mail|web|website|www|address"
    r"|https?)\b|[ptfmcoe]\s*:|sent from my |get outlook for |\S+@\S+\s*$)",
    re.I,
)
_LABELLED = re.compile(r"^\s*[-*\u2022]?\s*([A-Z][\w /#.'()-]{1,40}?)\s*[:#]\s*\S")
_WORD = re.compile(r"[^\W_]{2,}")
# What mail programs, fax servers and scanners say of a transmission, not of a patient.
_TRANSPORT_LABELS = frozenset(
    {
        "from", "to", "cc", "bcc", "sent", "date", "time", "subject", "attachments", "attachment",
        "received", "pages", "page count", "number of pages", "total pages", "caller id", "csid",
        "ani", "dnis", "did", "remote id", "remote csid", "job id", "fax id", "transmission id",
        "message id", "reference", "reference number", "duration", "speed", "resolution", "status",
        "size", "file", "file name", "filename", "file format", "scan date", "date received",
        "sender", "recipient", "from number", "to number", "priority", "importance", "device",
        "device name", "model", "location", "mac address", "host name",
    }
)  # fmt: skip
_MACHINE = re.compile(
    r"you(?:'ve| have) (?:just )?(?:received|got)(?: an?)?(?: new)?(?: \d+[ -]pages?)? fax"
    r"|(?:new|incoming|inbound) fax (?:message )?(?:from|received|for|has)"
    r"|\d+[ -]pages? fax (?:from|has been received|was received)"
    r"|fax (?:has been|was) received (?:from|on|at)"
    r"|(?:document|file|image) (?:was |has been )?(?:scanned|sent) (?:from|by|using|with) "
    r"(?:a |an |the )?(?:multifunction|mfp|scanner|copier|xerox|ricoh|canon|konica|kyocera|sharp"
    r"|hp|brother|epson)"
    r"|(?:this )?e-?mail was sent from \"[^\"\n]{2,40}\" \([^)\n]{2,60}\)"
    r"|scan(?:ned)? to e-?mail|scanned document attached",
    re.I,
)


def is_machine_note(text: str) -> bool:
    """Whether a fax server or scanner wrote the text: it tells how a document came, no more."""
    return _MACHINE.search(" ".join(text[:4000].split())) is not None


class OwnWords(NamedTuple):
    """What a text holds of its own: words, and lines of the form ``Member ID: 123``."""

    words: int
    labelled: int


def own_words(text: str, subject: str = "") -> OwnWords:
    """Counts what the sender wrote in this very message.

    What a mail forwards is its content; what a reply quotes is not. The subject tells the two
    apart where the text does not.
    """
    forwarded = _FORWARDED.match(subject) is not None
    kept: list[str] = []
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if _SIGNATURE.match(line.rstrip("\r\n")):
            break
        if not forwarded and _begins_quote(lines, number):
            break
        if not line.lstrip().startswith(">") or forwarded:
            kept.append(line)
    kept = _without_closing(kept)
    words = labelled = 0
    for paragraph in _paragraphs(kept):
        whole = " ".join(paragraph)
        if len({each.lower() for each in _DISCLAIMER.findall(whole)}) >= _LEAST_DISCLAIMER_WORDS:
            continue
        for line in paragraph:
            if _CONTACT.match(line):
                continue
            words += len(_WORD.findall(line))
            label = _LABELLED.match(line)
            labelled += bool(label and label.group(1).strip().lower() not in _TRANSPORT_LABELS)
    return OwnWords(words, labelled)


def _begins_quote(lines: list[str], number: int) -> bool:
    line = lines[number][:400]
    if _REPLY.match(line):
        return True
    if number + 1 < len(lines) and re.match(r"^\s*(?:on|le|am|el)\b", line, re.I):
        return _REPLY.match(f"{line} {lines[number + 1][:400]}") is not None
    if _HEAD_FROM.match(line):
        return any(_HEAD_NEXT.match(each[:400]) for each in lines[number + 1 : number + 4])
    return False


def _without_closing(lines: list[str]) -> list[str]:
    """The lines before a complimentary close that only a signature follows."""
    for number in range(max(0, len(lines) - _MOST_LINES_BELOW), len(lines)):
        line = lines[number]
        if len(line) < 100 and _CLOSING.match(line):
            after = [each for each in lines[number + 1 :] if each.strip()]
            before_disclaimer = _paragraphs(lines[number + 1 :])
            short = [p for p in before_disclaimer if not _DISCLAIMER.search(" ".join(p))]
            if len(after) <= _MOST_SIGNATURE_LINES or sum(map(len, short)) <= _MOST_SIGNATURE_LINES:
                return lines[:number]
    return lines


def _paragraphs(lines: list[str]) -> list[list[str]]:
    found: list[list[str]] = [[]]
    for line in lines:
        if line.strip():
            found[-1].append(line)
        elif found[-1]:
            found.append([])
    return [each for each in found if each]
