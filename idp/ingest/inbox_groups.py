# SPDX-License-Identifier: Apache-2.0
"""Which files of a drop folder belong together: a document, its sidecar, its done files. Pure.

Fax servers write ``fax.xml`` or ``fax.tif.xml`` beside ``fax.tif``; some senders announce a whole
file by an empty ``fax.tif.done`` or ``fax.done``. Files belong together within one folder only. A
whole name binds before a stem, the same case before another case. Where two documents share a stem
(``a.tif`` and ``a.pdf``), a sidecar or done file of that stem is for both. A document has one
sidecar: of several, the closest name and then .xml before .json before .txt; the others are files
of their own.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal, NamedTuple

from idp.errors import UnsupportedFileError
from idp.ingest import opened
from idp.ingest.formats import media_type_of

SIDECAR_SUFFIXES = (".xml", ".json", ".txt")
"""In the order of trust: the more structure, the better."""

MOST_SIDECAR_BYTES = 1 << 20
"""What is larger does not describe a document, it is one."""

_LIKE_A_SIDECAR = frozenset({opened.TEXT, opened.HTML, opened.MAIL, opened.MBOX})
"""Kinds that loose words can be taken for; :data:`_MAIL_HEADER` tells a mail from those."""
_INTERCHANGE = re.compile(rb"\s*ISA[^A-Za-z0-9]")
_MAIL_HEADER = re.compile(
    rb"^(?:received|return-path|message-id|mime-version|content-type|delivered-to):",
    re.IGNORECASE | re.MULTILINE,
)
_MBOX_LINE = re.compile(rb"From \S+ +(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ")
"""RFC 4155: sender, then the time as asctime() writes it."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Group(NamedTuple):
    """A document and what lies beside it for its sake."""

    document: Path
    sidecar: Path | None = None
    done: tuple[Path, ...] = ()
    announced: bool = False
    """A done file says that the document is whole."""

    @property
    def companions(self) -> tuple[Path, ...]:
        """Everything but the document."""
        return (*((self.sidecar,) if self.sidecar else ()), *self.done)


class Bound(NamedTuple):
    """The files of a channel, put together."""

    groups: tuple[Group, ...]
    waiting: tuple[Group, ...]
    """Sidecars whose document is not there; each is a document of its own if none comes."""
    unclaimed: tuple[Path, ...]
    """Done files of which neither document nor sidecar is there."""


def is_document(head: bytes) -> bool:
    """Whether the first bytes of a .xml, .json or .txt file are those of a document of its own.

    An X12 interchange, a mail and every binary format are, whatever the name says: such a file
    never describes another one.
    """
    text = head.removeprefix(_BYTE_ORDER_MARK)
    if _INTERCHANGE.match(text):
        return True
    # RFC 5322: the header ends at the first empty line. "From:" and "Date:" alone are no mark of
    # a mail: fax servers write just that into their notes.
    header = re.split(rb"\r?\n\r?\n", text, maxsplit=1)[0]
    if _MBOX_LINE.match(text) or _MAIL_HEADER.search(header):
        return True
    try:
        return media_type_of(head) not in _LIKE_A_SIDECAR
    except UnsupportedFileError:
        return False


def may_be_sidecar(path: Path) -> bool:
    """Whether a name is one that fax servers give to sidecars."""
    return path.name.lower().endswith(SIDECAR_SUFFIXES)


def bind(
    files: Iterable[Path],
    *,
    sidecars: Literal["none", "optional", "required"],
    done_suffix: str,
    is_own: Callable[[Path], bool],
) -> Bound:
    """Put files together.

    Args:
        files: Relative paths; each is in exactly one place of the result, but for what documents
            of one stem share.
        sidecars: The channel's setting.
        done_suffix: The channel's setting.
        is_own: Asked of possible sidecars: whether it is a document in its own right (see
            :func:`is_document`).
    """
    found = list(files)
    done = [path for path in found if _is_done(path, done_suffix)]
    rest = [path for path in found if not _is_done(path, done_suffix)]
    notes = [
        path for path in rest if sidecars != "none" and may_be_sidecar(path) and not is_own(path)
    ]
    if not notes and not done:
        return Bound(tuple(Group(path) for path in rest), (), ())
    noted = set(notes)
    documents = _Names(path for path in rest if path not in noted)
    described: dict[Path, list[tuple[int, int, Path]]] = defaultdict(list)
    for note in notes:
        closeness, matches = documents.matching(_stem(str(note)))
        for document in matches:
            order = SIDECAR_SUFFIXES.index(note.suffix.lower())
            described[document].append((closeness, order, note))
    chosen = {document: min(choices)[2] for document, choices in described.items()}
    bound = set(chosen.values())
    alone = sorted(note for note in notes if note not in bound)
    announcements, unclaimed = _announcements(done, done_suffix, rest)

    def group(document: Path) -> Group:
        own = announcements.get(document, ())
        sidecar = chosen.get(document)
        beside = announcements.get(sidecar, ()) if sidecar else ()
        every = tuple(dict.fromkeys((*own, *beside)))
        return Group(document, sidecar, every, announced=bool(own))

    return Bound(
        groups=tuple(group(document) for document in documents.files),
        waiting=tuple(group(note) for note in alone),
        unclaimed=tuple(unclaimed),
    )


def users(groups: Iterable[Group]) -> dict[Path, int]:
    """How many documents each sidecar and done file is for."""
    counts: dict[Path, int] = defaultdict(int)
    for group in groups:
        for companion in group.companions:
            counts[companion] += 1
    return counts


class _Names:
    """Files by what another file's name may refer to them as. On text: thousands are looked at."""

    def __init__(self, files: Iterable[Path]) -> None:
        self.files = list(files)
        self._by: tuple[defaultdict[str, list[Path]], ...] = tuple(
            defaultdict(list) for _ in range(4)
        )
        for path in self.files:
            name = str(path)
            stem = _stem(name)
            for index, key in zip(
                self._by, (name, _folded(name), stem, _folded(stem)), strict=True
            ):
                index[key].append(path)

    def matching(self, name: str) -> tuple[int, list[Path]]:
        """The files meant by ``name``, and how loosely (0 is the very name)."""
        keys = (name, _folded(name), name, _folded(name))
        for closeness, (index, key) in enumerate(zip(self._by, keys, strict=True)):
            if key in index:
                return closeness, index[key]
        return len(keys), []


def _announcements(
    done: list[Path], suffix: str, files: Iterable[Path]
) -> tuple[dict[Path, tuple[Path, ...]], list[Path]]:
    """The done files of each file, and those of no file."""
    names = _Names(files)
    found: dict[Path, tuple[Path, ...]] = {}
    unclaimed = []
    for path in done:
        _, matches = names.matching(str(path)[: -len(suffix)])
        for match in matches:
            found[match] = (*found.get(match, ()), path)
        if not matches:
            unclaimed.append(path)
    return found, unclaimed


def _is_done(path: Path, suffix: str) -> bool:
    name = path.name
    return bool(suffix) and name.lower().endswith(suffix.lower()) and len(name) > len(suffix)


def _stem(name: str) -> str:
    """A relative path without the last suffix of its name."""
    folder, slash, last = name.rpartition("/")
    stem, dot, _ = last.rpartition(".")
    return f"{folder}{slash}{stem}" if stem and dot else name


def _folded(name: str) -> str:
    """The last part of a relative path in one case; the folder as it is."""
    folder, slash, last = name.rpartition("/")
    return f"{folder}{slash}{last.casefold()}"
