# SPDX-License-Identifier: Apache-2.0
"""A PDF's objects by qpdf (through pikepdf): passwords, repair, and what the file claims to hold.

Drawing programs mend broken files in silence, and what they can't find is not drawn. So a file is
looked through before: one that had to be repaired is taken only where the repaired file holds all
the pages that the broken one speaks of, and everything that those pages refer to. Else it is
damaged, and said to be.
"""

from __future__ import annotations

import itertools
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pikepdf

from idp.errors import DamagedFileError, EncryptedFileError
from idp.ingest.passwords import passwords
from idp.settings import IngestSettings

_TAIL_BYTES = 2048
_END = b"%%EOF"
_OBJECT = re.compile(rb"\b\d{1,10}\s+\d{1,5}\s+obj\b")
_PAGE = re.compile(rb"/Type\s*/Page(?![A-Za-z])")
_PAGES = re.compile(
    rb"/Type\s*/Pages\b[^>]{0,20000}?/Count\s+(\d{1,9})|"
    rb"/Count\s+(\d{1,9})[^>]{0,20000}?/Type\s*/Pages\b"
)
_REFERENCE = re.compile(rb"(?<![\d.])(\d{1,10}) (\d{1,5}) R\b")
_TEXT = re.compile(rb"\((?:\\.|[^\\()])*\)", re.DOTALL)
# Where a link leads, who replied to whom, the way up: what these name shows nothing on the page.
_SHOWS_NOTHING = re.compile(
    rb"/(?:Parent|P|Dest|A|AA|StructParent|Popup|IRT|Metadata|PieceInfo|Thumb|OC) \d+ \d+ R"
)
_REBUILT = re.compile(r"file is damaged|reconstruct|xref not found|can't find startxref", re.I)
_LENGTHS = re.compile(r"recovered stream length|attempting to recover stream", re.I)

_CHUNK_BYTES = 1 << 20
_MOST_OBJECTS = 200_000
_DEEPEST_TREE = 100
_MOST_OBJECT_STREAM_BYTES = 16 << 20
_MOST_ODD_BYTES = 256 << 10
"""Largest stream that is decoded whole, for filters that can't be watched while they decode."""


@dataclass
class Structure:
    """A file as qpdf sees it; ``pdf`` is none where qpdf can make nothing of it."""

    path: Path
    pdf: Any = None
    password: str = ""
    pages: int = 0
    """Leaves of the page tree; 0 where there is none to be found."""
    changed: bool = False
    """Whether the file in memory differs from the one on disk and must be drawn from a copy."""
    flaws: list[str] = field(default_factory=list)

    def saved(self, workspace: Path) -> Path:
        """The file in memory, written without encryption below ``workspace``.

        Drawing programs believe the counts in the page tree and stop there: they are made anew.
        """
        target = workspace / "mended.pdf"
        with reading_objects("the repaired file"):
            _recount(self.pdf.Root.Pages, 0)
            self.pdf.save(target, static_id=True, encryption=False)
        return target


@contextmanager
def reading_objects(what: str) -> Iterator[None]:
    """What pikepdf raises on objects that are of other kinds than they should be, as one error."""
    try:
        yield
    except (
        pikepdf.PdfError,
        ArithmeticError,
        AttributeError,
        LookupError,
        NotImplementedError,
        RuntimeError,
        TypeError,
        ValueError,
    ) as error:
        raise DamagedFileError(f"{what} makes no sense: {type(error).__name__}") from error


@contextmanager
def structure_of(path: Path, limits: IngestSettings) -> Iterator[Structure]:
    """The file's structure, checked.

    Raises:
        EncryptedFileError: none of the passwords opens it.
        DamagedFileError: broken, and it can't be shown that a repaired file would hold all of it.
    """
    # The end first: its absence is what a broken transfer leaves, and it costs nothing to look.
    cut_off = not _has_end(path)
    found = Structure(path)
    try:
        try:
            _open(found, limits)
            # Before the pages are asked for: then qpdf leaves out what it can't find, and corrects
            # the counts.
            claimed = _claimed_by_tree(found.pdf.Root.get("/Pages"))
            found.pages = len(found.pdf.pages)
        except (pikepdf.PdfError, ValueError, RuntimeError, LookupError, TypeError):
            _close(found)
        if found.pdf is None:
            if cut_off:
                raise DamagedFileError(
                    f"{path.name} ends without an end-of-file mark: it is cut off"
                )
        else:
            with reading_objects("its structure"):
                _check(found, claimed, cut_off=cut_off)
        yield found
    finally:
        _close(found)


def _recount(node: Any, depth: int) -> int:
    kids = node.get("/Kids") if isinstance(node, pikepdf.Dictionary) else None
    if not isinstance(kids, pikepdf.Array):
        return 1
    if depth > _DEEPEST_TREE:
        raise DamagedFileError(f"its page tree is deeper than {_DEEPEST_TREE}")
    node["/Count"] = sum(_recount(kid, depth + 1) for kid in kids)
    return int(node["/Count"])


def check_raw_claims(path: Path, pages: int) -> None:
    """For files that only their drawing program can open: it must draw what their bytes speak of.

    Raises:
        DamagedFileError: there are more page objects, or a greater count, than ``pages``; or some
            may lie in compressed objects, where nobody can look.
    """
    data = path.read_bytes()
    if b"/ObjStm" in data:
        raise DamagedFileError("its structure is broken, and what it holds can't be told")
    claimed = max(_spoken_of(data))
    if pages < claimed:
        raise DamagedFileError(f"{claimed} pages are spoken of, {pages} can be found")


def _has_end(path: Path) -> bool:
    """Whether the file ends as it should: an end-of-file mark, and no object after it."""
    with path.open("rb") as stream:
        stream.seek(0, 2)
        size = stream.tell()
        stream.seek(max(0, size - 64 * 1024))
        tail = stream.read().rstrip(b"\x00\r\n\t ")[-_TAIL_BYTES:]
    end = tail.rfind(_END)
    return end >= 0 and not _OBJECT.search(tail, end)


def _open(found: Structure, limits: IngestSettings) -> None:
    """Tries without a password, which also opens what only its owner may alter, then the list."""
    try:
        found.pdf = pikepdf.open(found.path, suppress_warnings=True)
        return
    except pikepdf.PasswordError:
        pass
    known = passwords(limits)
    for password in known:
        try:
            found.pdf = pikepdf.open(found.path, password=password, suppress_warnings=True)
            found.password = password
            return
        except pikepdf.PasswordError:
            continue
    tried = f"none of {len(known)} fits" if known else "ingest.passwords_file names none"
    raise EncryptedFileError(f"{found.path.name} needs a password; {tried}")


def _close(found: Structure) -> None:
    if found.pdf is not None:
        found.pdf.close()
        found.pdf = None


def _check(found: Structure, claimed: int, *, cut_off: bool) -> None:
    pdf = found.pdf
    warnings = [str(warning) for warning in pdf.get_warnings()]
    rebuilt = any(_REBUILT.search(each) for each in warnings)
    lengths = any(_LENGTHS.search(each) for each in warnings)
    if cut_off:
        _check_end(found.path)
        found.flaws.append("the end of the file was missing")
    if rebuilt:
        found.flaws.append("cross-reference table rebuilt")
    if lengths:
        found.flaws.append("the length of a stream was wrong")
    if rebuilt or cut_off:
        claimed = max(claimed, _claimed_by_objects(pdf, found.path))
    if claimed > found.pages:
        raise DamagedFileError(
            f"{found.path.name} speaks of {claimed} pages, {found.pages} can be found"
        )
    if rebuilt or cut_off or lengths:
        found.changed = True
        missing = _missing(pdf)
        if missing:
            raise DamagedFileError(f"{missing} objects that its pages need are missing")
    _check_contents(pdf)


def _check_end(path: Path) -> None:
    """A file without its end may lack no more than its cross-reference table.

    Raises:
        DamagedFileError: an object is cut off, or an update (or a linearized file's main part)
            stands behind an earlier end, so that what is missing can't be told.
    """
    data = path.read_bytes()
    cut = DamagedFileError(f"{path.name} ends without an end-of-file mark: it is cut off")
    end = data.find(_END)
    if end >= 0 and _OBJECT.search(data, end):
        raise cut
    whole = data.rfind(b"endobj")
    unfinished = _OBJECT.search(data, max(whole, 0))
    if unfinished and b"/XRef" not in data[unfinished.start() : unfinished.start() + 400]:
        raise cut


def _claimed_by_tree(root: Any) -> int:
    """How many pages the page tree speaks of: by its count, and by the leaves that it names."""
    count: Any = root.get("/Count") if isinstance(root, pikepdf.Dictionary) else 0
    leaves, nodes = 0, 0
    todo = [root]
    seen: set[tuple[int, int]] = set()
    while todo and nodes < _MOST_OBJECTS:
        node, nodes = todo.pop(), nodes + 1
        kids = node.get("/Kids") if isinstance(node, pikepdf.Dictionary) else None
        if not isinstance(kids, pikepdf.Array):
            leaves += 1
        elif node.objgen not in seen:
            seen |= {node.objgen} if node.objgen != (0, 0) else set()
            todo.extend(kids)
    return max(leaves, count if isinstance(count, int) else 0)


def _claimed_by_objects(pdf: Any, path: Path) -> int:
    """How many pages a broken file speaks of: all page objects there are, and the greatest count.

    Told by the bytes, in compressed objects too: what qpdf repaired, it has made agree with itself.
    A page that was deleted in an update is counted: such a file is refused rather than guessed.
    """
    pages, counts = _spoken_of(path.read_bytes())
    for each in itertools.islice(pdf.objects, _MOST_OBJECTS):
        if isinstance(each, pikepdf.Stream) and each.get("/Type") == "/ObjStm":
            more, greatest = _spoken_of(_inflated(bytes(each.read_raw_bytes())))
            pages, counts = pages + more, max(counts, greatest)
    leaves = sum(
        isinstance(each, pikepdf.Dictionary) and each.get("/Type") == "/Page"
        for each in itertools.islice(pdf.objects, _MOST_OBJECTS)
    )
    return max(pages, counts, leaves)


def _spoken_of(data: bytes) -> tuple[int, int]:
    """Page objects, and the greatest count of a page tree's node, in bytes of a PDF."""
    counts = [int(first or second) for first, second in _PAGES.findall(data)]
    return sum(1 for _ in _PAGE.finditer(data)), max(counts, default=0)


def _inflated(raw: bytes) -> bytes:
    """The first part of deflated data, as far as it goes."""
    try:
        return zlib.decompressobj().decompress(raw, _MOST_OBJECT_STREAM_BYTES)
    except zlib.error:
        return b""


def _missing(pdf: Any) -> int:
    """How many objects the pages refer to that the file does not hold."""
    todo = [page.obj for page in pdf.pages]
    seen: set[tuple[int, int]] = set()
    missing = 0
    while todo and len(seen) < _MOST_OBJECTS:
        for reference in _references(todo.pop()):
            if reference in seen:
                continue
            seen.add(reference)
            target = pdf.get_object(reference)
            if target is None:
                missing += 1
            elif isinstance(target, (pikepdf.Dictionary, pikepdf.Array, pikepdf.Stream)):
                todo.append(target)
    return missing


def _references(item: Any) -> Iterator[tuple[int, int]]:
    """The objects that an object refers to and that have a part in what is shown."""
    if isinstance(item, pikepdf.Stream):
        item = item.stream_dict
    written = _SHOWS_NOTHING.sub(b"", _TEXT.sub(b"()", item.unparse(resolved=True)))
    for number, generation in _REFERENCE.findall(written):
        yield int(number), int(generation)


def _check_contents(pdf: Any) -> None:
    """Raises :class:`DamagedFileError` where a page's drawing breaks off in the middle."""
    for number, page in enumerate(pdf.pages, 1):
        contents = page.obj.get("/Contents")
        for stream in contents if isinstance(contents, pikepdf.Array) else [contents]:
            if isinstance(stream, pikepdf.Stream) and not _whole(pdf, stream):
                raise DamagedFileError(f"the content of page {number} is broken")


def _whole(pdf: Any, stream: Any) -> bool:
    """Whether a stream can be decoded to its end."""
    try:
        filters = stream.get("/Filter")
        raw = bytes(stream.read_raw_bytes())
        plain = filters == "/FlateDecode" or (
            isinstance(filters, pikepdf.Array)
            and len(filters) == 1
            and filters[0] == "/FlateDecode"
        )
        if plain:
            return _inflates(raw)
        if filters is None or len(raw) > _MOST_ODD_BYTES:
            return True
        pdf.get_warnings()  # asking empties the list
        stream.read_bytes()
        return not pdf.get_warnings()
    except (pikepdf.PdfError, ValueError, RuntimeError, TypeError, KeyError):
        return False


def _inflates(raw: bytes) -> bool:
    """Whether the deflated data reaches its last block; the checksum behind it may be missing."""
    if len(raw) < 2 or raw[0] & 0x0F != 8:
        return not raw.strip()  # nothing is deflated to nothing by some writers
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    data = raw[2:]
    try:
        while data and not inflate.eof:
            inflate.decompress(data, _CHUNK_BYTES)
            data = inflate.unconsumed_tail
    except zlib.error:
        return False
    return inflate.eof
