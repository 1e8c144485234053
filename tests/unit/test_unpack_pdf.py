# SPDX-License-Identifier: Apache-2.0
"""A PDF comes out as a person sees it, with all it holds, or says why not."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pikepdf
import pytest
from numpy.typing import NDArray
from pikepdf import Array, Dictionary, Name, String
from PIL import Image
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen.canvas import Canvas

from idp.errors import (
    AccessError,
    DamagedFileError,
    EncryptedFileError,
    PortfolioError,
    TooLargeError,
)
from idp.ingest.opened import Opened
from idp.ingest.unpack_pdf import open_pdf
from idp.settings import IngestSettings

LIMITS = IngestSettings(render_dpi=100)
DOTS = 100 / 72
HIDDEN, NO_VIEW, PRINT = 2, 32, 4


def letter(path: Path, pages: int = 2, encrypt: StandardEncryption | None = None) -> Path:
    canvas = Canvas(str(path), pagesize=(612, 792), encrypt=encrypt)
    for number in range(pages):
        canvas.drawString(72, 700, f"Sheet {number + 1} of the referral")
        canvas.showPage()
    canvas.save()
    return path


def opened(path: Path, limits: IngestSettings = LIMITS) -> Opened:
    workspace = path.parent / f"{path.name}-work"
    workspace.mkdir(exist_ok=True)
    return open_pdf(path, workspace, limits)


def pixels(found: Opened, number: int = 1) -> NDArray[np.uint8]:
    with Image.open(found.pages[number - 1].path) as image:
        return np.asarray(image.convert("L"))


def ink(found: Opened, bottom: float, top: float) -> int:
    """Dark pixels in a band of the page, in points from its lower edge."""
    rows = pixels(found)[round((792 - top) * DOTS) : round((792 - bottom) * DOTS)]
    return int((rows < 200).sum())


# Passwords


def locked(path: Path, user: str, owner: str) -> Path:
    letter(path)
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.save(path, encryption=pikepdf.Encryption(user=user, owner=owner))
    return path


@pytest.mark.parametrize(("user", "owner"), [("müller-7", "x"), ("other", "müller-7")])
def test_a_password_from_the_list_opens_the_file_as_user_or_owner(
    tmp_path: Path, user: str, owner: str
) -> None:
    words = tmp_path / "passwords"
    words.write_text("winter\r\nmüller-7\n", encoding="utf-8")
    limits = LIMITS.model_copy(update={"passwords_file": words})
    found = opened(locked(tmp_path / "locked.pdf", user, owner), limits)
    assert [word.text for word in found.pages[1].text_layer][:2] == ["Sheet", "2"]


def test_without_the_right_password_it_is_named_so(tmp_path: Path) -> None:
    path = locked(tmp_path / "locked.pdf", "secret", "secret")
    with pytest.raises(EncryptedFileError, match="names none"):
        opened(path)
    (tmp_path / "passwords").write_text("winter\nsummer\n")
    with pytest.raises(EncryptedFileError, match="none of 2 fits"):
        opened(path, LIMITS.model_copy(update={"passwords_file": tmp_path / "passwords"}))


def test_a_file_that_only_its_owner_may_alter_opens_without(tmp_path: Path) -> None:
    assert len(opened(locked(tmp_path / "owned.pdf", "", "owner")).pages) == 2


def test_a_missing_list_is_our_fault_and_not_the_files(tmp_path: Path) -> None:
    path = locked(tmp_path / "locked.pdf", "secret", "secret")
    with pytest.raises(AccessError, match="passwords_file"):
        opened(path, LIMITS.model_copy(update={"passwords_file": tmp_path / "gone"}))


# Broken files


def test_a_wrong_cross_reference_table_is_rebuilt_and_said_so(tmp_path: Path) -> None:
    path = letter(tmp_path / "letter.pdf")
    whole = opened(path)
    assert whole.flaws == ()
    path.write_bytes(re.sub(rb"startxref\n\d+", b"startxref\n77", path.read_bytes()))
    mended = opened(path)
    assert mended.flaws == ("cross-reference table rebuilt",)
    for number in (1, 2):
        assert np.array_equal(pixels(whole, number), pixels(mended, number))


def test_an_end_without_the_table_is_mended_where_nothing_else_is_missing(tmp_path: Path) -> None:
    path = letter(tmp_path / "letter.pdf")
    data = path.read_bytes()
    path.write_bytes(data[: data.rindex(b"startxref")])
    found = opened(path)
    assert len(found.pages) == 2
    assert "the end of the file was missing" in found.flaws


@pytest.mark.parametrize("padding", [0, 3000])
def test_an_update_that_was_cut_off_is_damaged_and_not_the_older_file(
    tmp_path: Path, padding: int
) -> None:
    path = letter(tmp_path / "letter.pdf")
    update = b"\n40 0 obj\n<< /Length 4 >>\nendobj\n41 0 obj\n<< /Kids" + b" /Null" * padding
    path.write_bytes(path.read_bytes() + update)
    with pytest.raises(DamagedFileError, match="cut off"):
        opened(path)


def test_a_linearized_file_that_is_cut_off_is_damaged(tmp_path: Path) -> None:
    path = letter(tmp_path / "letter.pdf", pages=5)
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.save(path, linearize=True)
    data = path.read_bytes()
    for kept in (len(data) - 30, len(data) - 300, len(data) // 2):
        path.write_bytes(data[:kept])
        with pytest.raises(DamagedFileError):
            opened(path)


def test_a_page_lost_from_the_tree_of_a_broken_file_is_no_page_fewer(tmp_path: Path) -> None:
    path = letter(tmp_path / "letter.pdf", pages=3)
    data = path.read_bytes()
    kids = re.search(rb"/Kids \[ ([^]]*) \]", data)
    assert kids
    shorter = b" ".join(kids[1].split()[:6]).ljust(len(kids[1]))
    data = data.replace(kids[1], shorter).replace(b"/Count 3", b"/Count 2")
    path.write_bytes(re.sub(rb"startxref\n\d+", b"startxref\n77", data))
    with pytest.raises(DamagedFileError, match="speaks of 3 pages"):
        opened(path)


def test_a_count_that_is_too_small_hides_no_page(tmp_path: Path) -> None:
    path = letter(tmp_path / "letter.pdf", pages=3)
    path.write_bytes(path.read_bytes().replace(b"/Count 3", b"/Count 1"))
    found = opened(path)
    assert (len(found.pages), found.flaws) == (3, ("structure rebuilt",))


def test_a_count_that_is_too_great_is_damaged(tmp_path: Path) -> None:
    path = letter(tmp_path / "letter.pdf", pages=3)
    path.write_bytes(path.read_bytes().replace(b"/Count 3", b"/Count 4"))
    with pytest.raises(DamagedFileError, match="4 pages"):
        opened(path)


def test_content_that_breaks_off_in_the_middle_is_no_half_page(tmp_path: Path) -> None:
    path = letter(tmp_path / "letter.pdf", pages=1)
    content = b"".join(b"BT /F1 9 Tf 72 %d Td (line) Tj ET\n" % (700 - i) for i in range(300))
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.pages[0].obj.Contents = pdf.make_stream(content)
        pdf.save(path, compress_streams=True)
    with pikepdf.open(path) as pdf:
        raw = bytes(pdf.pages[0].obj.Contents.read_raw_bytes())
    path.write_bytes(path.read_bytes().replace(raw, raw[: len(raw) // 2].ljust(len(raw), b"\xff")))
    with pytest.raises(DamagedFileError, match="content of page 1"):
        opened(path)


# What a person sees


def form(path: Path, *, regenerate: bool) -> Path:
    """Fields without appearances, as programs leave them that fill in values only."""
    pdf = pikepdf.new()
    pdf.add_blank_page(page_size=(612, 792))
    page = pdf.pages[0]
    fields = []

    def field(bottom: int, width: int = 300, **entries: object) -> None:
        fields.append(
            pdf.make_indirect(
                Dictionary(
                    Type=Name.Annot,
                    Subtype=Name.Widget,
                    F=PRINT,
                    Rect=Array([72, bottom, 72 + width, bottom + 24]),
                    P=page.obj,
                    DA=String("/Helv 12 Tf 0 g"),
                    T=String(f"field{bottom}"),
                    **entries,
                )
            )
        )

    def look(content: bytes) -> pikepdf.Object:
        return pdf.make_stream(
            content, Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 24, 24])
        )

    states = Dictionary(Yes=look(b"0 g 4 4 16 16 re f"), Off=look(b""))
    field(700, FT=Name.Tx, V=String("Marisol Quintana"))
    field(650, FT=Name.Tx, V=String("W80019914"), MaxLen=12, Ff=1 << 24)
    field(600, FT=Name.Ch, V=String("Expedited"), Opt=Array([String("Expedited")]), Ff=1 << 17)
    field(550, 24, FT=Name.Btn, V=Name.Yes, AS=Name.Yes, AP=Dictionary(N=states))
    field(500, 24, FT=Name.Btn, V=Name.Yes, AP=Dictionary(N=states))
    field(450, 24, FT=Name.Btn, V=Name.Off, AS=Name.Off, AP=Dictionary(N=states))
    field(400, FT=Name.Tx, V=String("nobody sees this"))
    fields[-1].F = PRINT | HIDDEN
    page.obj.Annots = Array(fields)
    helvetica = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
    pdf.Root.AcroForm = Dictionary(
        Fields=Array(fields),
        DR=Dictionary(Font=Dictionary(Helv=pdf.make_indirect(helvetica))),
        DA=String("/Helv 0 Tf 0 g"),
        NeedAppearances=regenerate,
    )
    pdf.save(path)
    return path


@pytest.mark.parametrize("regenerate", [False, True])
def test_fields_without_appearances_are_drawn_as_filled_in(
    tmp_path: Path, regenerate: bool
) -> None:
    found = opened(form(tmp_path / "form.pdf", regenerate=regenerate))
    for bottom in (700, 650, 600):
        assert ink(found, bottom, bottom + 24) > 100, bottom
    columns = np.nonzero((pixels(found)[round(118 * DOTS) : round(142 * DOTS)] < 200).any(axis=0))
    assert np.ptp(columns[0]) > 190 * DOTS  # nine characters in cells of 25 points
    assert ink(found, 550, 574) > 50
    assert ink(found, 500, 524) > 50
    assert ink(found, 450, 474) < ink(found, 550, 574) / 2
    assert ink(found, 400, 424) == 0
    texts = {word.text for word in found.pages[0].text_layer}
    assert {"Marisol", "Expedited"} <= texts and "nobody" not in texts


def marked(path: Path) -> Path:
    """Annotations as drawing and commenting programs leave them, with and without appearances."""
    pdf = pikepdf.new()
    pdf.add_blank_page(page_size=(612, 792))
    page = pdf.pages[0]
    off = pdf.make_indirect(Dictionary(Type=Name.OCG, Name=String("draft")))
    on = pdf.make_indirect(Dictionary(Type=Name.OCG, Name=String("final")))
    members = pdf.make_indirect(Dictionary(Type=Name.OCMD, OCGs=Array([off])))
    pdf.Root.OCProperties = Dictionary(OCGs=Array([off, on]), D=Dictionary(OFF=Array([off])))
    look = pdf.make_stream(
        b"0 g 0 0 100 20 re f", Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 300, 24])
    )
    marks = []

    def mark(bottom: int, flags: int = PRINT, **entries: object) -> None:
        box = Array([72, bottom, 372, bottom + 24])
        marks.append(Dictionary(Type=Name.Annot, Rect=box, F=flags, **entries))

    black = Array([0, 0, 0])
    quad = Array([72, 624, 372, 624, 72, 600, 372, 600])
    text = String("Approved by phone")
    mark(700, Subtype=Name.FreeText, Contents=text, DA=String("/Helv 12 Tf 0 g"))
    stroke = Array([Array([80, 655, 120, 670, 200, 656])])
    mark(650, Subtype=Name.Ink, C=black, InkList=stroke, BS=Dictionary(W=3))
    mark(600, Subtype=Name.Highlight, C=Array([0, 0, 1]), QuadPoints=quad)
    mark(550, Subtype=Name.Stamp, AP=Dictionary(N=look))
    mark(500, PRINT | HIDDEN, Subtype=Name.Stamp, AP=Dictionary(N=look))
    mark(450, PRINT | NO_VIEW, Subtype=Name.Stamp, AP=Dictionary(N=look))
    mark(400, Subtype=Name.Stamp, OC=off, AP=Dictionary(N=look))
    mark(350, Subtype=Name.Stamp, OC=members, AP=Dictionary(N=look))
    mark(300, Subtype=Name.Stamp, OC=on, AP=Dictionary(N=look))
    page.obj.Annots = Array(marks)
    page.obj.Resources = Dictionary(Properties=Dictionary(Off=off, On=on))
    page.obj.Contents = pdf.make_stream(
        b"/OC /Off BDC 0 g 72 250 100 20 re f EMC /OC /On BDC 0 g 72 200 100 20 re f EMC"
    )
    pdf.save(path)
    return path


def test_marks_are_drawn_and_what_is_hidden_or_switched_off_is_not(tmp_path: Path) -> None:
    found = opened(marked(tmp_path / "marked.pdf"))
    seen = [bottom for bottom in range(200, 750, 50) if ink(found, bottom, bottom + 24) > 50]
    assert seen == [200, 300, 550, 600, 650, 700]


# What is inside


def attach(path: Path, files: dict[str, bytes], *, note: bytes | None = None) -> Path:
    letter(path, pages=1)
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        for name, data in files.items():
            pdf.attachments[name] = pikepdf.AttachedFileSpec(pdf, data, filename=name)
        if note is not None:
            file = pikepdf.AttachedFileSpec(pdf, note, filename="../../etc/note.txt")
            pin = Dictionary(
                Type=Name.Annot, Subtype=Name.FileAttachment, Rect=[10, 10, 20, 20], FS=file.obj
            )
            pdf.pages[0].obj.Annots = Array([pdf.make_indirect(pin)])
        pdf.save(path)
    return path


def test_attached_and_pinned_files_are_members_under_names_of_our_own(tmp_path: Path) -> None:
    invoice = b"<?xml version='1.0'?><rsm:CrossIndustryInvoice/>"
    inner = letter(tmp_path / "inner.pdf", pages=1).read_bytes()
    files = {"factur-x.xml": invoice, "Überweisung\n.pdf": inner}
    found = opened(attach(tmp_path / "outer.pdf", files, note=b"pinned"))
    assert len(found.pages) == 1
    names = {member.name: Path(member.path) for member in found.members}
    assert set(names) == {"factur-x.xml", "Überweisung .pdf", "note.txt"}
    assert names["factur-x.xml"].read_bytes() == invoice
    assert names["Überweisung .pdf"].read_bytes() == inner
    assert names["note.txt"].read_bytes() == b"pinned"
    assert {path.parent for path in names.values()} == {tmp_path / "outer.pdf-work"}
    assert sorted(path.name for path in names.values())[0] == "member-0001"


def test_attachments_stop_at_the_limits_of_number_and_size(tmp_path: Path) -> None:
    many = attach(tmp_path / "many.pdf", {f"{n}.txt": b"x" for n in range(5)})
    with pytest.raises(TooLargeError, match="max_parts"):
        opened(many, LIMITS.model_copy(update={"max_parts": 4}))
    bomb = attach(tmp_path / "bomb.pdf", {"zeros": bytes(30_000_000)})
    assert bomb.stat().st_size < 100_000
    with pytest.raises(TooLargeError, match="max_expanded_bytes"):
        opened(bomb, LIMITS.model_copy(update={"max_expanded_bytes": 5_000_000}))
    written = sum(path.stat().st_size for path in (tmp_path / "bomb.pdf-work").iterdir())
    assert written <= 5_000_000


def portfolio(path: Path, cover: str, files: dict[str, bytes]) -> Path:
    attach(path, files)
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.pages[0].obj.Contents = pdf.make_stream(
            f"BT /F1 9 Tf 72 700 Td ({cover}) Tj ET".encode()
        )
        pdf.Root.Collection = Dictionary(Type=Name.Collection)
        pdf.save(path)
    return path


def test_a_portfolio_is_the_files_in_it(tmp_path: Path) -> None:
    inner = letter(tmp_path / "inner.pdf", pages=1).read_bytes()
    notice = "For the best experience, open this PDF portfolio in Acrobat X or Adobe Reader X"
    found = opened(portfolio(tmp_path / "notice.pdf", notice, {"inner.pdf": inner}))
    assert (len(found.pages), [member.name for member in found.members]) == (0, ["inner.pdf"])
    assert "notice" in found.left_out[0]
    own = opened(portfolio(tmp_path / "own.pdf", "Records of M. Quintana", {"inner.pdf": inner}))
    assert (len(own.pages), len(own.members)) == (1, 1)


def test_a_portfolio_without_files_is_refused_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(PortfolioError) as refused:
        opened(portfolio(tmp_path / "empty.pdf", "open this PDF portfolio", {}))
    assert "print it to a PDF" in refused.value.operator_hint


def dynamic(pdf: pikepdf.Pdf) -> None:
    pdf.Root.NeedsRendering = True


def waiting(pdf: pikepdf.Pdf) -> None:
    text = b"BT /F1 9 Tf 72 700 Td (Please wait... upgrade your version of Adobe Reader) Tj ET"
    pdf.pages[0].obj.Contents = pdf.make_stream(text)


@pytest.mark.parametrize("how", [dynamic, waiting])
def test_a_form_that_no_page_shows_is_refused_with_a_hint(
    tmp_path: Path, how: Callable[[pikepdf.Pdf], None]
) -> None:
    path = letter(tmp_path / "xfa.pdf", pages=1)
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.Root.AcroForm = Dictionary(Fields=Array(), XFA=pdf.make_stream(b"<xdp/>"))
        pdf.save(path)
    assert len(opened(path).pages) == 1
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        how(pdf)
        pdf.save(path)
    with pytest.raises(PortfolioError, match="XFA"):
        opened(path)


def test_scripts_and_launch_actions_do_nothing(tmp_path: Path) -> None:
    path = letter(tmp_path / "active.pdf", pages=1)
    plain = pixels(opened(path))
    launched = tmp_path / "launched"
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        script = f"app.launchURL('file://{launched}'); this.addAnnot({{type:'Square',page:0}});"
        action = Dictionary(S=Name.JavaScript, JS=String(script))
        pdf.Root.OpenAction = action
        command = Dictionary(F=String("/usr/bin/touch"), P=String(str(launched)))
        launch = Dictionary(S=Name.Launch, F=String(f"/usr/bin/touch {launched}"), Unix=command)
        pdf.pages[0].obj.AA = Dictionary(O=launch)
        pdf.save(path)
    assert np.array_equal(pixels(opened(path)), plain)
    assert not launched.exists()
