"""A small PDF 1.7 writer: text in two embedded faces and lines, the same bytes for the same input."""

from __future__ import annotations

import hashlib
import zlib
from datetime import datetime

from demo.typefaces import Typeface, Typefaces

PAGE_WIDTH = 595.28
PAGE_HEIGHT = 841.89

RED = (0.78, 0.05, 0.05)
BLACK = (0.0, 0.0, 0.0)

_SLANT = 0.21  # the face has no Vietnamese italic: upright letters are slanted by 12 degrees


class Sheet:
    """One page being drawn; lengths in points, ``y`` from the top edge to the base line."""

    def __init__(self, faces: Typefaces) -> None:
        self._faces = faces
        self._operations: list[str] = []

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float = 13,
        *,
        bold: bool = False,
        slanted: bool = False,
        word_gap: float = 0.0,
        colour: tuple[float, float, float] = BLACK,
    ) -> None:
        """Draw ``text`` from ``x``; ``word_gap`` points are added at every space."""
        face = self._faces.bold if bold else self._faces.regular
        red, green, blue = colour
        self._operations.append(
            f"BT {red:g} {green:g} {blue:g} rg /{'F2' if bold else 'F1'} {size:g} Tf "
            f"1 0 {_SLANT if slanted else 0:g} 1 {x:.2f} {PAGE_HEIGHT - y:.2f} Tm "
            f"{_shown(face, text, word_gap * 1000 / size)} ET"
        )

    def centred(self, x: float, y: float, text: str, size: float = 13, *, bold: bool = False) -> None:
        """Draw ``text`` around ``x``."""
        face = self._faces.bold if bold else self._faces.regular
        self.text(x - face.width(text, size) / 2, y, text, size, bold=bold)

    def line(self, x: float, y: float, length: float) -> None:
        """A thin horizontal line."""
        height = PAGE_HEIGHT - y
        self._operations.append(f"0.7 w {x:.2f} {height:.2f} m {x + length:.2f} {height:.2f} l S")

    def frame(self, x: float, y: float, width: float, height: float) -> None:
        """A red frame whose upper left corner is ``x``, ``y``: a rubber stamp's."""
        red, green, blue = RED
        lower = PAGE_HEIGHT - y - height
        self._operations.append(
            f"{red:g} {green:g} {blue:g} RG 1.4 w {x:.2f} {lower:.2f} {width:.2f} {height:.2f} re S 0 G"
        )

    def content(self) -> bytes:
        """The page's content stream."""
        return "\n".join(self._operations).encode("ascii") + b"\n"


def write_pdf(
    sheets: list[Sheet], faces: Typefaces, *, title: str, made: datetime, compress: bool = True
) -> bytes:
    """A PDF of ``sheets``. ``made`` is its creation date; ``compress`` deflates the page contents."""
    first_page = 3 + 2 * 5
    page_numbers = [first_page + 2 * position for position in range(len(sheets))]
    kids = " ".join(f"{number} 0 R" for number in page_numbers)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R /Lang (vi-VN) >>",
        f"<< /Type /Pages /Count {len(sheets)} /Kids [{kids}] >>".encode(),
        *_face_objects(faces.regular, 3),
        *_face_objects(faces.bold, 8),
    ]
    for number, sheet in zip(page_numbers, sheets, strict=True):
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {PAGE_WIDTH} {PAGE_HEIGHT}] "
            f"/Contents {number + 1} 0 R "
            "/Resources << /Font << /F1 3 0 R /F2 8 0 R >> >> >>".encode()
        )
        objects.append(_stream(sheet.content(), compress=compress))
    objects.append(_information(title, made))
    return _assemble(objects)


def _shown(face: Typeface, text: str, gap: float) -> str:
    if not gap:
        return f"<{face.encode(text)}> Tj"
    # Tw does not act on two-byte codes (ISO 32000-1 9.3.3), so the gaps go into the array.
    words = [face.encode(word + " ") for word in text.split(" ")]
    words[-1] = words[-1][:-4]
    return "[" + f" {-gap:.1f} ".join(f"<{word}>" for word in words) + "] TJ"


def _face_objects(face: Typeface, number: int) -> list[bytes]:
    """The five objects of a composite font: font, descendant, descriptor, program, Unicode map."""
    widths = " ".join(f"{glyph} [{face.widths[glyph]}]" for glyph in sorted(face.glyphs.values()))
    box = " ".join(map(str, face.box))
    return [
        f"<< /Type /Font /Subtype /Type0 /BaseFont /{face.name} /Encoding /Identity-H "
        f"/DescendantFonts [{number + 1} 0 R] /ToUnicode {number + 4} 0 R >>".encode(),
        f"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /{face.name} /CIDToGIDMap /Identity "
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> "
        f"/FontDescriptor {number + 2} 0 R /DW 500 /W [{widths}] >>".encode(),
        f"<< /Type /FontDescriptor /FontName /{face.name} /Flags 6 /FontBBox [{box}] /ItalicAngle 0 "
        f"/Ascent {face.ascent} /Descent {face.descent} /CapHeight 670 /StemV 80 "
        f"/FontFile2 {number + 3} 0 R >>".encode(),
        b"<< /Filter /FlateDecode /Length %d /Length1 %d >>\nstream\n"
        % (len(face.program), face.program_size)
        + face.program
        + b"\nendstream",
        _stream(_to_unicode(face), compress=True),
    ]


def _to_unicode(face: Typeface) -> bytes:
    pairs = [
        f"<{glyph:04X}> <{letter.encode('utf-16-be').hex().upper()}>" for letter, glyph in face.glyphs.items()
    ]
    blocks = [pairs[start : start + 100] for start in range(0, len(pairs), 100)]
    lines = [
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap",
        "/CMapName /Adobe-Identity-UCS def /CMapType 2 def",
        "1 begincodespacerange <0000> <FFFF> endcodespacerange",
        *(f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar" for block in blocks),
        "endcmap CMapName currentdict /CMap defineresource pop end end",
    ]
    return "\n".join(lines).encode("ascii")


def _stream(data: bytes, *, compress: bool) -> bytes:
    packed = zlib.compress(data, 9) if compress else data
    filter_name = b"/Filter /FlateDecode " if compress else b""
    return b"<< %s/Length %d >>\nstream\n" % (filter_name, len(packed)) + packed + b"\nendstream"


def _information(title: str, made: datetime) -> bytes:
    moment = made.strftime("D:%Y%m%d%H%M%S") + "+07'00'"
    text = b"\xfe\xff" + title.encode("utf-16-be")
    return f"<< /Title <{text.hex()}> /Producer (Lienthong demo) /CreationDate ({moment}) >>".encode()


def _assemble(objects: list[bytes]) -> bytes:
    out = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    identity = hashlib.sha256(bytes(out)).hexdigest()[:32]
    out += (
        f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R /Info {len(objects)} 0 R "
        f"/ID [<{identity}> <{identity}>] >>\n"
        f"startxref\n{start}\n%%EOF\n"
    ).encode()
    return bytes(out)
