# SPDX-License-Identifier: Apache-2.0
"""Letters, forms, scans, locked and compressed files, with and without files inside."""

from __future__ import annotations

import io
import random

import pikepdf
from pikepdf import Array, Dictionary, Name, String
from PIL import Image
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from idp.ingest.opened import PDF

MEDIA_TYPES = (PDF,)
PROGRAMS = True  # poppler's second opinion
_WORDS = (
    b"/Type", b"/Page", b"/Pages", b"/Kids", b"/Count", b"/Parent", b"/Contents", b"/Length",
    b"/Filter", b"/FlateDecode", b"/Resources", b"/MediaBox", b"/Root", b"/Size", b"/Prev",
    b"/XRef", b"/ObjStm", b"/First", b"/Index", b"/W", b"/Annots", b"/AP", b"/N", b"/AcroForm",
    b"/Fields", b"/EmbeddedFiles", b"/Names", b"/EF", b"/Collection", b"/XFA", b"/Encrypt", b"/OC",
    b"obj", b"endobj", b"stream", b"endstream", b"xref", b"trailer", b"startxref", b"%%EOF", b"<<",
    b">>", b"[", b"]", b"R", b"null", b"true", b"1 0 R", b"99999 0 R", b"-1", b"1e300", b"<41>",
    b"(x)",
)  # fmt: skip


def seeds() -> list[bytes]:
    """Small files of every kind that arrives; the same bytes each time but for ids."""
    plain = _letter(2)
    with pikepdf.open(io.BytesIO(plain)) as pdf:
        packed = _saved(pdf, object_stream_mode=pikepdf.ObjectStreamMode.generate)
        linear = _saved(pdf, linearize=True)
        generalized = pikepdf.StreamDecodeLevel.generalized
        loose = _saved(pdf, qdf=True, compress_streams=False, stream_decode_level=generalized)
    locked = _letter(1, StandardEncryption("", ownerPassword="x", strength=128))
    return [plain, packed, linear, loose, locked, _form(), _scan(), _carrier(plain)]


def mutate(data: bytes, dice: random.Random) -> bytes:
    """Puts words of the format in the place of others."""
    broken = data
    for _ in range(dice.choice((1, 1, 2, 4))):
        word = dice.choice(_WORDS)
        places = broken.count(word)
        if not places:
            continue
        at = -1
        for _ in range(dice.randrange(places) + 1):
            at = broken.find(word, at + 1)
        broken = broken[:at] + dice.choice(_WORDS) + broken[at + len(word) :]
    return broken


def _letter(pages: int, encrypt: StandardEncryption | None = None) -> bytes:
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(200, 260), invariant=1, encrypt=encrypt)
    for number in range(pages):
        canvas.drawString(20, 200, f"Sheet {number + 1} of the referral")
        canvas.line(20, 190, 180, 190)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def _form() -> bytes:
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(200, 260), invariant=1)
    canvas.acroForm.textfield(name="name", value="Marisol", x=20, y=200, width=120, height=20)
    canvas.acroForm.checkbox(name="urgent", checked=True, x=20, y=150)
    for place, value in enumerate("FM"):
        chosen = value == "F"
        canvas.acroForm.radio(name="sex", value=value, selected=chosen, x=60 + 40 * place, y=150)
    canvas.showPage()
    canvas.save()
    with pikepdf.open(io.BytesIO(out.getvalue())) as pdf:
        layer = pdf.make_indirect(Dictionary(Type=Name.OCG, Name=String("draft")))
        pdf.Root.OCProperties = Dictionary(OCGs=[layer], D=Dictionary(OFF=[layer]))
        stamp = Dictionary(Type=Name.Annot, Subtype=Name.Square, Rect=[9, 9, 60, 60], OC=layer)
        pdf.pages[0].obj.Annots.append(pdf.make_indirect(stamp))
        return _saved(pdf)


def _scan() -> bytes:
    sheet = Image.new("1", (800, 1000), 1)
    sheet.paste(0, (100, 100, 600, 160))
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(200, 250), invariant=1)
    canvas.drawImage(ImageReader(sheet), 0, 0, 200, 250)
    canvas.showPage()
    canvas.drawInlineImage(sheet.convert("L").resize((80, 100)), 0, 0, 200, 250)
    canvas.showPage()
    canvas.save()
    return out.getvalue()


def _carrier(inner: bytes) -> bytes:
    with pikepdf.open(io.BytesIO(_letter(1))) as pdf:
        pdf.attachments["a.pdf"] = pikepdf.AttachedFileSpec(pdf, inner, filename="a.pdf")
        pdf.attachments["b.xml"] = pikepdf.AttachedFileSpec(pdf, b"<a/>", filename="b.xml")
        pdf.Root.Collection = Dictionary(Type=Name.Collection)
        pdf.Root.AcroForm = Dictionary(Fields=Array(), XFA=pdf.make_stream(b"<xdp/>"))
        return _saved(pdf)


def _saved(pdf: pikepdf.Pdf, **options: object) -> bytes:
    out = io.BytesIO()
    pdf.save(out, static_id=True, **options)
    return out.getvalue()
