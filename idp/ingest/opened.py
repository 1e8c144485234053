# SPDX-License-Identifier: Apache-2.0
"""What one file gives when it is opened, and which opener its first bytes call for.

Every format has one opener: a function ``(path, workspace, limits) -> Opened`` that runs in a child
process, writes only below ``workspace``, and raises nothing but coded
:class:`~idp.errors.InputError`. A new format is one line in :data:`OPENERS` and one in
:mod:`idp.ingest.formats`.
"""

from __future__ import annotations

import unicodedata
from importlib import import_module
from pathlib import Path

from idp.document import Envelope, Noun, Page, RawPage
from idp.settings import IngestSettings
from idp.x12 import TransactionSet

MOST_NAME_CHARACTERS = 200

PDF = "application/pdf"
TIFF = "image/tiff"
PNG = "image/png"
JPEG = "image/jpeg"
MAIL = "message/rfc822"
MBOX = "application/mbox"
OUTLOOK = "application/vnd.ms-outlook"
OLE = "application/x-ole-storage"
"""A compound file: Outlook's or an office program's, which only a look inside tells."""
PKCS7 = "application/pkcs7-mime"
TNEF = "application/ms-tnef"
ZIP = "application/zip"
TAR = "application/x-tar"
GZIP = "application/gzip"
OFFICE = "application/x-office"
RTF = "application/rtf"
HTML = "text/html"
TEXT = "text/plain"
X12 = "application/edi-x12"
TRANSACTION = "application/edi-x12; transaction"
"""One transaction set cut out of an interchange, as :mod:`idp.ingest.open_x12` writes it."""


def printable(text: str, most: int) -> str:
    """Foreign text on one line: no control or format characters, at most ``most`` characters."""
    shown = "".join(c if c.isprintable() else " " for c in text[: 8 * most])
    return " ".join(unicodedata.normalize("NFC", shown).split())[:most].strip()


class Member(Noun):
    """Something inside a file: an attachment, a message, a member of an archive.

    ``name`` is foreign, printable text of at most :data:`MOST_NAME_CHARACTERS`; it never becomes a
    path. ``path`` is where the opener wrote the bytes. ``media_type`` is set where the opener knows
    better than the bytes can tell (a body of text, a transaction set).
    """

    name: str
    path: str
    media_type: str | None = None
    envelope: Envelope | None = None
    message_text: bool = False
    """The text of a message itself, not something sent with it."""


class Opened(Noun):
    """What an opener found: pages to be read, pages that need no reading, and what is inside.

    ``left_out`` says in words what was recognised as no document (a logo in a signature): name and
    reason. ``flaws`` says what had to be mended for the file to open.
    """

    pages: tuple[RawPage, ...] = ()
    read: tuple[Page, ...] = ()
    transaction: TransactionSet | None = None
    members: tuple[Member, ...] = ()
    left_out: tuple[str, ...] = ()
    flaws: tuple[str, ...] = ()


OPENERS: dict[str, str] = {
    PDF: "idp.ingest.unpack_pdf:open_pdf",
    TIFF: "idp.ingest.unpack_image:open_tiff",
    PNG: "idp.ingest.unpack_image:open_picture",
    JPEG: "idp.ingest.unpack_image:open_picture",
    OFFICE: "idp.ingest.open_office:open_office",
    MAIL: "idp.ingest.open_mail:open_mail",
    MBOX: "idp.ingest.open_mbox:open_mbox",
    OUTLOOK: "idp.ingest.open_outlook:open_msg",
    OLE: "idp.ingest.open_outlook:open_ole",
    TNEF: "idp.ingest.open_tnef:open_tnef",
    PKCS7: "idp.ingest.pkcs7:open_pkcs7",
    ZIP: "idp.ingest.open_archive:open_zip",
    TAR: "idp.ingest.open_archive:open_tar",
    GZIP: "idp.ingest.open_archive:open_gzip",
    RTF: "idp.ingest.open_text:open_rtf",
    HTML: "idp.ingest.open_text:open_html",
    TEXT: "idp.ingest.open_text:open_text",
    X12: "idp.ingest.open_x12:open_x12",
    TRANSACTION: "idp.ingest.open_x12:open_transaction",
}
"""Where each format's opener is; imported in the child only, since some load much."""


def open_here(path: Path, workspace: Path, media_type: str, limits: IngestSettings) -> Opened:
    """Opens the file in this very process: what the child runs."""
    module, _, function = OPENERS[media_type].partition(":")
    opened = getattr(import_module(module), function)(path, workspace, limits)
    assert isinstance(opened, Opened)
    return opened
