# SPDX-License-Identifier: Apache-2.0
r"""Plain text, HTML and RTF: set on pages and read like any born-digital PDF.

HTML is read for its words only: nothing is fetched, no script runs, no style is obeyed beyond
tables and blocks. Pictures that stand in the file itself (``data:`` addresses, ``\pict`` groups)
become members where they are of a page's size, and are named where they are not.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
from pathlib import Path
from typing import Any, NamedTuple

from inscriptis import get_text
from inscriptis.model.config import ParserConfig
from lxml.etree import LxmlError, ParserError
from striprtf.striprtf import rtf_to_text

from idp.errors import DamagedFileError, EmptyMessageError, TooLargeError
from idp.ingest.charsets import charset_of_html, decoded
from idp.ingest.members import Members, picture_size
from idp.ingest.opened import Opened
from idp.ingest.pictures import why_decoration
from idp.ingest.typeset import typeset
from idp.ingest.unpack_pdf import open_pdf
from idp.settings import IngestSettings

MOST_TEXT_BYTES = 10_000_000
"""The longest text that is set on pages, pictures in it not counted."""

_DATA_ADDRESS = re.compile(
    r"""data:image/[a-z0-9.+-]{1,20}(?:;[a-z0-9=-]{1,40}){0,3};base64,([A-Za-z0-9+/=%\s]*)""", re.I
)
_XML_HEAD = re.compile(r"^\s*<\?xml[^>]{0,200}\?>", re.I)
_PICT = re.compile(rb"\\pict\b([^{}]*(?:\{[^{}]{0,200}\}[^{}]*){0,40})")
_PICT_WORD = re.compile(rb"\\[a-z]{1,32}-?\d{0,10} ?")
_MOST_PICTURES = 200

_rtf_to_text: Any = rtf_to_text  # the library has no types


class Picture(NamedTuple):
    """A picture that stood in a text's own bytes; ``data`` is empty where it can't be shown."""

    name: str
    data: bytes


def open_text(path: Path, workspace: Path, limits: IngestSettings) -> Opened:
    """A text file on pages; raises as :func:`open_html` does."""
    return _on_pages(decoded(_content(path)), [], workspace, limits)


def open_html(path: Path, workspace: Path, limits: IngestSettings) -> Opened:
    """An HTML file on pages, with its tables kept.

    Raises:
        EmptyMessageError: no word and no picture in it.
        DamagedFileError: no text can be had from it.
        TooLargeError: longer than :data:`MOST_TEXT_BYTES`, or more pages than the limits allow.
    """
    data = _content(path, limits.max_bytes)
    text, pictures = pictures_of_html(decoded(data, charset_of_html(data)))
    return _on_pages(text_of_html(text), pictures, workspace, limits)


def open_rtf(path: Path, workspace: Path, limits: IngestSettings) -> Opened:
    """An RTF file on pages; raises as :func:`open_html` does."""
    data = _content(path, limits.max_bytes)
    rest, pictures = pictures_of_rtf(data)
    return _on_pages(text_of_rtf(rest), pictures, workspace, limits)


def text_of_html(text: str) -> str:
    """The words of an HTML text as a person sees them, tables as aligned columns.

    Raises:
        DamagedFileError: no parser makes anything of it.
        TooLargeError: longer than :data:`MOST_TEXT_BYTES`.
    """
    _check_length(len(text))
    text = _XML_HEAD.sub("", text).replace("\x00", "")
    if not text.strip():
        return ""
    try:
        shown = get_text(text, ParserConfig(display_images=False, display_links=False))
    except (
        ParserError,
        LxmlError,
        RecursionError,
        ValueError,
        IndexError,
        TypeError,
        KeyError,
        AttributeError,
    ) as error:
        if isinstance(error, ParserError) and "empty" in str(error).lower():
            return ""
        raise DamagedFileError(f"the HTML can't be read: {type(error).__name__}") from error
    # The parser gives up below some hundred levels: then the words without any form.
    return str(shown) if shown.strip() else _without_tags(text)


def _without_tags(text: str) -> str:
    text = re.sub(r"<!--.*?(?:-->|\Z)", " ", text, flags=re.S)
    for kind in ("script", "style", "head"):
        text = re.sub(rf"<{kind}\b.*?</{kind}\s*>", " ", text, flags=re.I | re.S)
    return html.unescape(re.sub(r"<[^<>]*>", " ", text)).strip()


def text_of_rtf(data: bytes) -> str:
    """The words of an RTF text; raises as :func:`text_of_html` does."""
    _check_length(len(data))
    # Line ends mean nothing here, and keep the library's regular expressions inside a group.
    data = data.replace(b"}", b"}\n")
    try:
        return str(_rtf_to_text(data.decode("latin-1"), errors="ignore"))
    except (ValueError, LookupError, TypeError, RecursionError, OverflowError) as error:
        raise DamagedFileError(f"the RTF can't be read: {type(error).__name__}") from error


def pictures_of_html(text: str) -> tuple[str, list[Picture]]:
    """The text without the pictures in its addresses, and the pictures."""
    pictures: list[Picture] = []

    def taken(found: re.Match[str]) -> str:
        if len(pictures) < _MOST_PICTURES:
            packed = re.sub(r"\s|%0[AD]", "", found.group(1), flags=re.I)
            packed = packed.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=")
            try:
                data = base64.b64decode(packed + "=" * (-len(packed) % 4))
            except (binascii.Error, ValueError):
                data = b""
            pictures.append(Picture(f"picture {len(pictures) + 1}", data))
        return ""

    return _DATA_ADDRESS.sub(taken, text), pictures


def pictures_of_rtf(data: bytes) -> tuple[bytes, list[Picture]]:
    r"""The text without its ``\pict`` groups, and the pictures in them."""
    pictures: list[Picture] = []

    def taken(found: re.Match[bytes]) -> bytes:
        group = found.group(1)
        if len(pictures) < _MOST_PICTURES:
            known = b"\\pngblip" in group or b"\\jpegblip" in group
            digits = re.sub(rb"\s", b"", _PICT_WORD.sub(b"", re.sub(rb"\{[^{}]*\}", b"", group)))
            try:
                content = binascii.unhexlify(digits) if known else b""
            except (binascii.Error, ValueError):
                content = b""
            pictures.append(Picture(f"picture {len(pictures) + 1}", content))
        return b""

    return _PICT.sub(taken, data), pictures


def add_pictures(pictures: list[Picture], members: Members) -> None:
    """Pictures of a page's size as members, the others named as left out."""
    for picture in pictures:
        size = picture_size(picture.data)
        if size is None:
            members.leave_out(picture.name, "a picture in the text that can't be shown")
        elif why := why_decoration(size):
            members.leave_out(picture.name, f"{why} in the text")
        else:
            members.add(picture.name, picture.data)


def _on_pages(
    text: str, pictures: list[Picture], workspace: Path, limits: IngestSettings
) -> Opened:
    members = Members(workspace, limits)
    add_pictures(pictures, members)
    if not text.strip():
        if not members.members:
            raise EmptyMessageError("no words in it")
        return members.opened()
    target = workspace / "typeset.pdf"
    typeset(text, target, limits)
    pages = open_pdf(target, workspace, limits)
    return pages.model_copy(update={"members": members.members, "left_out": members.left_out})


def _content(path: Path, most: int = MOST_TEXT_BYTES) -> bytes:
    if path.stat().st_size > most:
        raise TooLargeError(f"more than {most} bytes of text")
    return path.read_bytes()


def _check_length(length: int) -> None:
    if length > MOST_TEXT_BYTES:
        raise TooLargeError(f"more than {MOST_TEXT_BYTES} bytes of text")
