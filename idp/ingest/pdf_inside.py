# SPDX-License-Identifier: Apache-2.0
"""What a PDF holds besides its pages: files, forms that no page shows, switched-off annotations.

Files are found in the EmbeddedFiles name tree (PDF 32000-1, 7.11.4) and in FileAttachment
annotations (12.5.6.15); invoices by ZUGFeRD and Factur-X carry their XML in the first. Scripts and
actions are not looked at: nothing here or in PDFium runs them.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pikepdf

from idp.errors import PortfolioError, TooLargeError
from idp.ingest.members import member_name
from idp.ingest.opened import Member
from idp.settings import IngestSettings

_CHUNK_BYTES = 1 << 20
_MOST_NODES = 10_000
_HIDDEN = 2  # annotation flag, bit 2 (PDF 32000-1, table 165)
_BUTTONS_WITHOUT_STATE = 1 << 16  # push buttons (table 226)
_READER_NOTICES = ("pdf portfolio", "adobe portfolio", "pdf package")


def is_portfolio(pdf: Any) -> bool:
    """Whether the file is a portfolio: its pages are a cover, its content the files inside."""
    return isinstance(pdf.Root.get("/Collection"), pikepdf.Dictionary)


def is_notice(text: str) -> bool:
    """Whether a portfolio's cover is the program's own notice to open it in another program."""
    lowered = " ".join(text.lower().split())
    return len(lowered) < 1000 and any(each in lowered for each in _READER_NOTICES)


def refuse_dynamic_form(pdf: Any, first_page: str) -> None:
    """Raises :class:`PortfolioError` for a dynamic XFA form, whose pages say "Please wait".

    Its content is drawn by Adobe's program from an XML template (PDF 32000-1, 12.7.8); a static
    XFA form has its pages and fields in the file as any other.
    """
    form = pdf.Root.get("/AcroForm")
    if not isinstance(form, pikepdf.Dictionary) or form.get("/XFA") is None:
        return
    waits = "please wait" in first_page.lower() and "adobe" in first_page.lower()
    if pdf.Root.get("/NeedsRendering") is True or waits:
        raise PortfolioError("a dynamic XFA form: its content is not in its pages")


def attached_files(pdf: Any, workspace: Path, limits: IngestSettings) -> tuple[Member, ...]:
    """The files inside, written below ``workspace`` under names of our own.

    Raises:
        TooLargeError: more than ``limits.max_parts``, or more than ``limits.max_expanded_bytes``.
    """
    members: list[Member] = []
    seen: set[tuple[int, int]] = set()
    budget = limits.max_expanded_bytes
    for specification, key in _specifications(pdf):
        stream = _embedded(specification)
        if stream is None or (stream.objgen != (0, 0) and stream.objgen in seen):
            continue
        seen.add(stream.objgen)
        if len(members) >= limits.max_parts:
            raise TooLargeError(f"more than ingest.max_parts {limits.max_parts} files inside")
        target = workspace / f"member-{len(members) + 1:04d}"
        budget -= _write(stream, target, budget, limits)
        members.append(Member(name=_name(specification, key), path=str(target)))
    return tuple(members)


def _specifications(pdf: Any) -> Iterator[tuple[Any, str]]:
    names = pdf.Root.get("/Names")
    if isinstance(names, pikepdf.Dictionary):
        yield from _leaves(names.get("/EmbeddedFiles"))
    for page in pdf.pages:
        for annotation in _annotations(page.obj):
            specification = annotation.get("/FS")
            if annotation.get("/Subtype") == "/FileAttachment" and isinstance(
                specification, pikepdf.Dictionary
            ):
                yield specification, ""


def _leaves(tree: Any) -> Iterator[tuple[Any, str]]:
    """Values and keys of a name tree; one that goes round in a circle ends."""
    todo, seen = [tree], 0
    while todo and seen < _MOST_NODES:
        node, seen = todo.pop(0), seen + 1
        if not isinstance(node, pikepdf.Dictionary):
            continue
        names = node.get("/Names")
        if isinstance(names, pikepdf.Array):
            for key, value in zip(list(names)[::2], list(names)[1::2], strict=False):
                if isinstance(value, pikepdf.Dictionary):
                    yield value, str(key)
        kids = node.get("/Kids")
        if isinstance(kids, pikepdf.Array):
            todo.extend(list(kids)[:_MOST_NODES])


def _annotations(page: Any) -> Iterator[Any]:
    annotations = page.get("/Annots")
    if isinstance(annotations, pikepdf.Array):
        yield from (each for each in annotations if isinstance(each, pikepdf.Dictionary))


def _embedded(specification: Any) -> Any:
    """The stream of an embedded file; none where the specification only names one elsewhere."""
    files = specification.get("/EF")
    if not isinstance(files, pikepdf.Dictionary):
        return None
    for key in ("/UF", "/F", "/DOS", "/Unix", "/Mac"):
        if isinstance(stream := files.get(key), pikepdf.Stream):
            return stream
    return None


def _name(specification: Any, key: str) -> str:
    """The name of an attached file as text that can be shown, without folders."""
    for entry in ("/UF", "/F", "/Desc"):
        value = specification.get(entry)
        if isinstance(value, pikepdf.String) and str(value).strip():
            text = str(value)
            break
    else:
        text = key
    return member_name(text.replace("\\", "/").rsplit("/", 1)[-1]) or "attachment"


def _write(stream: Any, target: Path, budget: int, limits: IngestSettings) -> int:
    """Decodes a stream into a file, no further than the budget; returns the bytes written."""
    too_large = TooLargeError(
        f"unpacks to more than ingest.max_expanded_bytes {limits.max_expanded_bytes}"
    )
    filters = stream.get("/Filter")
    if isinstance(filters, pikepdf.Array) and len(filters) == 1:
        filters = filters[0]
    written = 0
    with target.open("wb") as out:
        if filters == "/FlateDecode" and stream.get("/DecodeParms") is None:
            inflate = zlib.decompressobj()
            data = bytes(stream.read_raw_bytes())
            while data and not inflate.eof:
                try:
                    block = inflate.decompress(data, _CHUNK_BYTES)
                except zlib.error:
                    break  # what came out so far is judged by whoever opens it
                written += len(block)
                if written > budget:
                    raise too_large
                out.write(block)
                data = inflate.unconsumed_tail
        else:
            try:
                decoded = bytes(stream.read_bytes())
            except pikepdf.PdfError:
                decoded = bytes(stream.read_raw_bytes())
            written = len(decoded)
            if written > budget:
                raise too_large
            out.write(decoded)
    return written


def draw_as_seen(pdf: Any) -> bool:
    """Sets right what PDFium draws otherwise than viewers do; tells whether anything was.

    PDFium heeds hidden annotations, makes appearances for fields that have none, and leaves out
    page content on layers that are off. It draws annotations on such a layer (PDF 32000-1,
    8.11.3.3), and check boxes that have a value but name no state as if they were off.
    """
    off = _layers_off(pdf)
    changed = False
    for page in pdf.pages:
        for annotation in _annotations(page.obj):
            layer = annotation.get("/OC")
            if isinstance(layer, pikepdf.Dictionary) and _is_off(layer, off):
                annotation["/F"] = _integer(annotation.get("/F")) | _HIDDEN
                changed = True
            changed |= _give_state(annotation)
    return changed


def _layers_off(pdf: Any) -> set[tuple[int, int]]:
    """The layers that are off when the file is opened."""
    properties = pdf.Root.get("/OCProperties")
    default = properties.get("/D") if isinstance(properties, pikepdf.Dictionary) else None
    if not isinstance(default, pikepdf.Dictionary):
        return set()

    def listed(holder: Any, key: str) -> set[tuple[int, int]]:
        layers = holder.get(key)
        if not isinstance(layers, pikepdf.Array):
            return set()
        return {each.objgen for each in layers if isinstance(each, pikepdf.Dictionary)}

    base = listed(properties, "/OCGs") if default.get("/BaseState") == "/OFF" else set()
    return (base | listed(default, "/OFF")) - (listed(default, "/ON") if base else set())


def _is_off(layer: Any, off: set[tuple[int, int]]) -> bool:
    """A layer, or the usual membership ("any of these is on", PDF 32000-1, table 99)."""
    if layer.get("/Type") != "/OCMD":
        return layer.objgen in off
    groups = layer.get("/OCGs")
    listed = list(groups) if isinstance(groups, pikepdf.Array) else [groups]
    named = [each for each in listed if isinstance(each, pikepdf.Dictionary)]
    if layer.get("/VE") is not None or layer.get("/P", "/AnyOn") != "/AnyOn":
        return False  # rare, and showing too much is the lesser evil
    return bool(named) and all(each.objgen in off for each in named)


def _give_state(widget: Any) -> bool:
    """A check box or radio button without ``/AS`` is shown in the state that its value names."""
    if widget.get("/Subtype") != "/Widget" or widget.get("/AS") is not None:
        return False
    if _inherited(widget, "/FT") != "/Btn":
        return False
    if _integer(_inherited(widget, "/Ff")) & _BUTTONS_WITHOUT_STATE:
        return False
    looks = widget.get("/AP")
    normal = looks.get("/N") if isinstance(looks, pikepdf.Dictionary) else None
    value = _inherited(widget, "/V")
    if isinstance(normal, pikepdf.Stream) or not isinstance(normal, pikepdf.Dictionary):
        return False
    if not isinstance(value, pikepdf.Name) or str(value) not in normal:
        return False
    widget["/AS"] = value
    return True


def _inherited(field: Any, key: str) -> Any:
    for _ in range(32):
        value = field.get(key)
        if value is not None:
            return value
        field = field.get("/Parent")
        if not isinstance(field, pikepdf.Dictionary):
            return None
    return None


def _integer(value: Any) -> int:
    try:
        return int(value or 0)
    except (TypeError, ValueError):
        return 0
