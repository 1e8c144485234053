# SPDX-License-Identifier: Apache-2.0
"""Office files are read as LibreOffice prints them, without macros, network or waiting."""

from __future__ import annotations

import os
import shutil
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from idp.errors import EncryptedFileError, InputError, OfficeFileError, TooSlowError
from idp.ingest import open_office as office
from idp.ingest.opened import OFFICE, Opened, open_here
from idp.settings import IngestSettings

pytestmark = pytest.mark.component

needs_libreoffice = pytest.mark.skipif(
    shutil.which("soffice") is None and not os.environ.get("IDP_REQUIRE_ALL"),
    reason="LibreOffice (libreoffice-writer-nogui, libreoffice-calc-nogui) is not installed",
)
LIMITS = IngestSettings(render_dpi=100)
OOXML = "http://schemas.openxmlformats.org"


def zipped(path: Path, members: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def ooxml(path: Path, part: str, kind: str, members: dict[str, str]) -> Path:
    types = (
        f'<Types xmlns="{OOXML}/package/2006/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/{part}" ContentType="{kind}.main+xml"/></Types>'
    )
    relations = (
        f'<Relationships xmlns="{OOXML}/package/2006/relationships"><Relationship Id="r1" '
        f'Type="{OOXML}/officeDocument/2006/relationships/officeDocument" Target="{part}"/>'
        "</Relationships>"
    )
    return zipped(path, {"[Content_Types].xml": types, "_rels/.rels": relations} | members)


def docx(path: Path, text: str = "Referral for Marisol Quintana") -> Path:
    body = f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"
    document = (
        f'<w:document xmlns:w="{OOXML}/wordprocessingml/2006/main"><w:body>{body}</w:body>'
        "</w:document>"
    )
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    return ooxml(path, "word/document.xml", kind, {"word/document.xml": document})


def xlsx(path: Path) -> Path:
    cell = '<c r="A1" t="inlineStr"><is><t>Claim</t></is></c><c r="B1"><v>20417793</v></c>'
    main = f'xmlns="{OOXML}/spreadsheetml/2006/main"'
    related = f'xmlns:r="{OOXML}/officeDocument/2006/relationships"'
    sheets = '<sheets><sheet name="a" sheetId="1" r:id="s1"/></sheets>'
    book = f"<workbook {main} {related}>{sheets}</workbook>"
    relation = (
        f'<Relationships xmlns="{OOXML}/package/2006/relationships"><Relationship Id="s1" '
        f'Type="{OOXML}/officeDocument/2006/relationships/worksheet" Target="sheet1.xml"/>'
        "</Relationships>"
    )
    return ooxml(
        path,
        "xl/workbook.xml",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        {
            "xl/workbook.xml": book,
            "xl/_rels/workbook.xml.rels": relation,
            "xl/sheet1.xml": f'<worksheet {main}><sheetData><row r="1">{cell}</row></sheetData>'
            "</worksheet>",
        },
    )


def odt(path: Path, inside: str, manifest: str = "") -> Path:
    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{long}:1.0"'
        for name, long in (("office", "office"), ("text", "text"), ("draw", "drawing"))
    )
    content = (
        f'<office:document-content {spaces} xmlns:xlink="http://www.w3.org/1999/xlink" '
        'xmlns:svg="urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0" '
        f'office:version="1.3"><office:body><office:text>{inside}</office:text></office:body>'
        "</office:document-content>"
    )
    entry = (
        '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" '
        'manifest:version="1.3"><manifest:file-entry manifest:full-path="/" '
        'manifest:media-type="application/vnd.oasis.opendocument.text"/><manifest:file-entry '
        f'manifest:full-path="content.xml" manifest:media-type="text/xml">{manifest}'
        "</manifest:file-entry></manifest:manifest>"
    )
    return zipped(
        path,
        {
            "mimetype": "application/vnd.oasis.opendocument.text",
            "content.xml": content,
            "META-INF/manifest.xml": entry,
        },
    )


def opened(path: Path, limits: IngestSettings = LIMITS) -> Opened:
    workspace = path.parent / "work"
    workspace.mkdir(exist_ok=True)
    return open_here(path, workspace, OFFICE, limits)


def words(found: Opened) -> list[str]:
    return [word.text for word in found.pages[0].text_layer]


@needs_libreoffice
def test_text_and_tables_are_read_and_nothing_else_is_left_in_the_workspace(
    tmp_path: Path,
) -> None:
    assert words(opened(docx(tmp_path / "a"))) == ["Referral", "for", "Marisol", "Quintana"]
    assert sorted(each.name for each in (tmp_path / "work").iterdir()) == [
        "printed",
        "raw-0001.png",
    ]
    assert words(opened(xlsx(tmp_path / "b"))) == ["Claim", "20417793"]


@needs_libreoffice
@pytest.mark.parametrize("border", ["kernel and settings", "settings alone"])
def test_pictures_from_elsewhere_are_not_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, border: str
) -> None:
    asked: list[str] = []

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        do_HEAD = do_OPTIONS = do_PROPFIND = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None: ...

    if border == "settings alone":
        monkeypatch.setattr(office, "_without_network", lambda: ())
    with HTTPServer(("127.0.0.1", 0), Listener) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/pixel.png"
        picture = (
            '<text:p>Before <draw:frame svg:width="5cm" svg:height="5cm"><draw:image '
            f'xlink:href="{address}" xlink:type="simple"/></draw:frame> after</text:p>'
        )
        found = opened(odt(tmp_path / "c", picture))
        server.shutdown()
    assert {"Before", "after"} <= set(words(found))
    assert asked == []


@needs_libreoffice
def test_a_conversion_over_its_time_is_ended_with_all_its_processes(tmp_path: Path) -> None:
    start = time.monotonic()
    with pytest.raises(TooSlowError, match="office_seconds"):
        opened(docx(tmp_path / "slow"), LIMITS.model_copy(update={"office_seconds": 0.2}))
    assert time.monotonic() - start < 20
    here = str(tmp_path).encode()
    left = [
        process
        for process in Path("/proc").glob("[0-9]*")
        if (process / "cmdline").exists() and here in (process / "cmdline").read_bytes()
    ]
    assert left == []


@needs_libreoffice
def test_what_libreoffice_cannot_read_is_refused_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        opened(
            zipped(tmp_path / "odd", {"[Content_Types].xml": "<broken", "word/document.xml": ""})
        )
    assert refused.value.code in ("office_file", "damaged_file")


def test_without_libreoffice_the_file_is_refused_with_that_hint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_: None)
    with pytest.raises(OfficeFileError) as refused:
        opened(docx(tmp_path / "a"))
    assert "Install LibreOffice" in refused.value.operator_hint


def test_locked_office_files_are_named_so(tmp_path: Path) -> None:
    secret = '<manifest:encryption-data manifest:checksum="x"/>'
    with pytest.raises(EncryptedFileError):
        opened(odt(tmp_path / "locked.odt", "", secret))
    name = "EncryptedPackage".encode("utf-16-le")
    (tmp_path / "locked.docx").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + name)
    with pytest.raises(EncryptedFileError):
        opened(tmp_path / "locked.docx")
