# SPDX-License-Identifier: Apache-2.0
"""PDF files written object by object, so that a text layer can say other things than the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

FONT = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"


class Pdf:
    """A file of one page: numbered objects, the page's content and its resources."""

    def __init__(self, size: tuple[int, int] = (612, 792)) -> None:
        self.size = size
        self.page = ""
        self.fonts: dict[str, int] = {}
        self._objects: list[bytes] = [b"", b"", b""]
        self.font("F1", FONT)

    def add(self, body: str | bytes) -> int:
        """Adds an object and returns its number."""
        self._objects.append(body.encode("latin-1") if isinstance(body, str) else body)
        return len(self._objects)

    def stream(self, content: str | bytes, more: str = "") -> int:
        """Adds a stream."""
        data = content.encode("latin-1") if isinstance(content, str) else content
        return self.add(
            f"<< /Length {len(data)} {more} >>\nstream\n".encode("latin-1") + data + b"\nendstream"
        )

    def font(self, name: str, body: str) -> None:
        """Gives the page a font."""
        self.fonts[name] = self.add(body)

    def lying_font(self, name: str, says: Mapping[str, str]) -> None:
        """Helvetica whose ToUnicode map says other characters than are drawn."""
        cmap = self.stream(to_unicode({ord(c): text for c, text in says.items()}))
        self.font(name, FONT.replace(" >>", f" /ToUnicode {cmap} 0 R >>"))

    def field(self, shown: str, value: str) -> tuple[str, str]:
        """A form field whose appearance and value differ: the appearance is what a person sees.

        Returns:
            The entries for the page and for the catalog.
        """
        look = self.stream(
            text(2, 5, shown),
            "/Type /XObject /Subtype /Form /BBox [0 0 200 20] "
            f"/Resources << /Font << /F1 {self.fonts['F1']} 0 R >> >>",
        )
        widget = self.add(
            f"<< /Type /Annot /Subtype /Widget /FT /Tx /T (paid) /V ({value}) /F 4 "
            f"/DA (/F1 11 Tf 0 g) /Rect [72 495 272 515] /AP << /N {look} 0 R >> >>"
        )
        return f"/Annots [{widget} 0 R]", f"/AcroForm << /Fields [{widget} 0 R] >>"

    def save(self, path: Path, content: str, page: str = "", catalog: str = "") -> Path:
        """Writes the file; ``page`` and ``catalog`` are further entries of these dictionaries."""
        drawn = self.stream(content)
        fonts = " ".join(f"/{name} {number} 0 R" for name, number in self.fonts.items())
        self._objects[0] = f"<< /Type /Catalog /Pages 2 0 R {catalog} >>".encode("latin-1")
        self._objects[1] = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
        self._objects[2] = (
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {self.size[0]} {self.size[1]}] "
            f"/Contents {drawn} 0 R /Resources << /Font << {fonts} >> >> {page} >>"
        ).encode("latin-1")
        out, places = bytearray(b"%PDF-1.7\n"), []
        for number, body in enumerate(self._objects, 1):
            places.append(len(out))
            out += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
        start = len(out)
        out += f"xref\n0 {len(places) + 1}\n0000000000 65535 f \n".encode()
        out += b"".join(f"{place:010d} 00000 n \n".encode() for place in places)
        out += (
            f"trailer << /Size {len(places) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n"
        ).encode()
        path.write_bytes(bytes(out))
        return path


def to_unicode(says: Mapping[int, str]) -> str:
    """A ToUnicode map from one-byte codes."""
    lines = "\n".join(
        f"<{code:02X}> <{text.encode('utf-16-be').hex().upper()}>" for code, text in says.items()
    )
    return (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n"
        "/CMapName /Own def /CMapType 2 def\n"
        "1 begincodespacerange <00> <FF> endcodespacerange\n"
        f"{len(says)} beginbfchar\n{lines}\nendbfchar\n"
        "endcmap CMapName currentdict /CMap defineresource pop end end"
    )


def text(x: float, y: float, words: str, size: float = 11, font: str = "F1", more: str = "") -> str:
    """One line of text; ``more`` are operators before it is shown ("3 Tr", "1 g")."""
    escaped = words.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
    return f"BT {more} /{font} {size} Tf 1 0 0 1 {x} {y} Tm ({escaped}) Tj ET\n"


def letter(lines: Sequence[str], top: float = 720, font: str = "F1") -> str:
    """Lines of text, one below the other."""
    return "".join(text(72, top - 22 * i, line, font=font) for i, line in enumerate(lines))


LINES = (
    "Remittance advice for Quillfeather Family Clinic",
    "Claim 20417793 received 07/22/2025, paid 08/06/2025",
    "Member ID W80019914 group 5538-016 account 4471",
    "Billed 1,250.00 allowed 983.64 adjustment 266.36",
    "Deductible 45.00 coinsurance 78.09 patient pays 123.09",
    "Paid to provider 860.55 by check 0099318472",
    "Questions: call 555-0166 between eight and five",
)
"""A page of print with every digit, to which the tests add what deceives."""
