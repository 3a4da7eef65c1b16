"""Writes small PDF, Word, OpenDocument, RTF and mail files with the text where a test wants it."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import cos, radians, sin

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen


@dataclass(frozen=True)
class Text:
    """A text object: where its line begins in points from below left, turned by ``angle`` degrees."""

    x: float
    y: float
    text: str
    size: float = 12
    angle: float = 0
    spacing: float = 0
    mode: int = 0


@dataclass(frozen=True)
class Page:
    """Text objects in their order in the file, and annotations as PDF dictionaries without ``<<`` and ``>>``."""

    texts: Sequence[Text]
    annotations: Sequence[bytes] = ()


def page_of_lines(lines: Sequence[str]) -> Page:
    """Lines below each other."""
    return Page([Text(50, 800 - 20 * row, line) for row, line in enumerate(lines)])


def pdf(*pages: Sequence[str], note: str = "", title: str = "") -> bytes:
    """A PDF of pages of lines; ``note`` is the words of a stamp on page 1."""
    annotation = b"/Type/Annot/Subtype/Stamp/Rect[10 10 90 40]/Contents" + hexed("\ufeff" + note)
    made = [page_of_lines(lines) for lines in pages]
    if note:
        made[0] = Page(made[0].texts, [annotation])
    return pdf_of(made, title=title)


def hexed(text: str) -> bytes:
    """A PDF string of UTF-16 code units; it is a text string when it begins with U+FEFF."""
    return b"<" + text.encode("utf-16-be").hex().encode() + b">"


def drawing(words: str) -> bytes:
    """A form XObject that draws ``words``: the appearance of an annotation. Its object number is filled in."""
    return b"BT /F 12 Tf 2 4 Td " + hexed(words) + b" Tj ET"


def pdf_of(
    pages: Sequence[Page],
    title: str = "",
    appearance: bytes | None = None,
    carried: tuple[str, bytes] | None = None,
) -> bytes:
    """A PDF with a font that has every letter of the basic plane.

    ``appearance`` is the content of object 10, which annotations may name as ``/AP<</N 10 0 R>>``; ``carried`` is a
    file inside.
    """
    objects = [b"", b"", *_font(), b"<</Title" + hexed("\ufeff" + title) + b">>"]
    objects.append(
        _stream(
            appearance or b"",
            b"/Type/XObject/Subtype/Form/BBox[0 0 200 40]/Resources<</Font<</F 3 0 R>>>>",
        )
    )
    names = b""
    if carried:
        name = hexed("\ufeff" + carried[0])
        objects.append(_stream(carried[1], b"/Type/EmbeddedFile"))
        objects.append(b"<</Type/Filespec/F%s/UF%s/EF<</F %d 0 R>>>>" % (name, name, len(objects)))
        names = b"/Names<</EmbeddedFiles<</Names[%s %d 0 R]>>>>" % (name, len(objects))
    kids = []
    for page in pages:
        kids.append(len(objects) + 1)
        annotations = b"".join(b"<<%s>>" % annotation for annotation in page.annotations)
        objects.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F 3 0 R>>>>/Annots[%s]"
            b"/Contents %d 0 R>>" % (annotations, len(objects) + 2)
        )
        objects.append(_stream(b"BT " + b"".join(map(_drawn, page.texts)) + b"ET"))
    objects[0] = b"<</Type/Catalog/Pages 2 0 R%s>>" % names
    objects[1] = b"<</Type/Pages/Count %d/Kids[%s]>>" % (
        len(kids),
        b" ".join(b"%d 0 R" % kid for kid in kids),
    )
    return _file(objects)


def _drawn(text: Text) -> bytes:
    turn = radians(text.angle)
    return b"/F %.1f Tf %.1f Tc %d Tr %.4f %.4f %.4f %.4f %.1f %.1f Tm %s Tj " % (
        text.size,
        text.spacing,
        text.mode,
        cos(turn),
        sin(turn),
        -sin(turn),
        cos(turn),
        text.x,
        text.y,
        hexed(text.text),
    )


def _stream(data: bytes, more: bytes = b"") -> bytes:
    packed = zlib.compress(data)
    return b"<</Filter/FlateDecode/Length %d%s>>stream\n%s\nendstream" % (len(packed), more, packed)


def _font() -> list[bytes]:
    """Objects 3 to 8: a font whose codes are Unicode."""
    cmap = (
        b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /A def /CMapType 2 def "
        b"1 begincodespacerange <0000> <FFFF> endcodespacerange "
        + b"".join(
            b"1 beginbfrange <%02X00> <%02XFF> <%02X00> endbfrange " % (high, high, high)
            for high in range(0x20)
        )
        + b"endcmap end end"
    )
    return [
        b"<</Type/Font/Subtype/Type0/BaseFont/A/Encoding/Identity-H/DescendantFonts[4 0 R]/ToUnicode 5 0 R>>",
        b"<</Type/Font/Subtype/CIDFontType2/BaseFont/A/DW 600/CIDSystemInfo<</Registry(Adobe)"
        b"/Ordering(Identity)/Supplement 0>>/FontDescriptor 6 0 R/CIDToGIDMap 8 0 R>>",
        _stream(cmap),
        b"<</Type/FontDescriptor/FontName/A/Flags 4/FontBBox[0 0 600 800]/ItalicAngle 0/Ascent 800/Descent 0"
        b"/CapHeight 700/StemV 80/FontFile2 7 0 R>>",
        _stream(_box_font()),
        _stream(b"\x00\x01" * 0x10000),
    ]


@cache
def _box_font() -> bytes:
    """A TrueType font whose glyph 1 is a box: a letter that no font draws has no place, and PDFium leaves it out."""
    pen = TTGlyphPen(None)
    pen.moveTo((50, 0))
    for corner in ((50, 700), (550, 700), (550, 0)):
        pen.lineTo(corner)
    pen.closePath()
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "box"])
    builder.setupCharacterMap({0x41: "box"})
    builder.setupGlyf({".notdef": TTGlyphPen(None).glyph(), "box": pen.glyph()})
    builder.setupHorizontalMetrics({".notdef": (600, 0), "box": (600, 50)})
    builder.setupHorizontalHeader(ascent=800, descent=0)
    builder.setupPost()
    out = io.BytesIO()
    builder.save(out)
    return out.getvalue()


def _file(objects: Sequence[bytes]) -> bytes:
    out = io.BytesIO(b"%PDF-1.7\n")
    out.seek(0, io.SEEK_END)
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    out.write(b"".join(b"%010d 00000 n \n" % offset for offset in offsets))
    out.write(
        b"trailer<</Size %d/Root 1 0 R/Info 9 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, start)
    )
    return out.getvalue()


def zipped(**members: str | bytes) -> bytes:
    """A ZIP; ``__`` in a name is a slash, ``--`` a dot."""
    return zip_of({name.replace("__", "/").replace("--", "."): data for name, data in members.items()})


def zip_of(members: dict[str, str | bytes]) -> bytes:
    """A ZIP of these members."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


_WORD = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:v="urn:schemas-microsoft-com:vml"'


def docx(*paragraphs: str, header: str = "", box: str = "") -> bytes:
    """A Word file of plain paragraphs, with a header or a text box."""
    boxed = f"<w:r><w:pict><w:txbxContent>{paragraph(box)}</w:txbxContent></w:pict></w:r>"
    body = f"<w:p>{boxed}<w:r><w:t>TỈNH ỦY</w:t></w:r></w:p>" if box else ""
    body += "".join(map(paragraph, paragraphs))
    return docx_of(body, header=paragraph(header) if header else "")


def paragraph(*runs: str) -> str:
    """A Word paragraph of runs; a tab in a run is a ``w:tab``, a line end a ``w:br``."""
    marked = (run.replace("\t", "</w:t><w:tab/><w:t>").replace("\n", "</w:t><w:br/><w:t>") for run in runs)
    return "<w:p>" + "".join(f"<w:r><w:t>{run}</w:t></w:r>" for run in marked) + "</w:p>"


def docx_of(body: str, header: str = "", footer: str = "", **parts: str) -> bytes:
    """A Word file of this body; header, footer and other parts as XML."""
    members: dict[str, str | bytes] = {
        "word/document.xml": f"<w:document {_WORD}><w:body>{body}</w:body></w:document>"
    }
    if header:
        members["word/header1.xml"] = f"<w:hdr {_WORD}>{header}</w:hdr>"
    if footer:
        members["word/footer2.xml"] = f"<w:ftr {_WORD}>{footer}</w:ftr>"
    members |= {f"docProps/{name}.xml": part for name, part in parts.items()}
    return zip_of(members)


def odt(body: str, styles: str = "") -> bytes:
    """An OpenDocument text with this body; ``styles`` holds headers and footers."""
    space = (
        'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
        ' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
        ' xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0"'
    )
    content = f"<office:document-content {space}><office:body>{body}</office:body></office:document-content>"
    return zip_of(
        {
            "mimetype": "application/vnd.oasis.opendocument.text",
            "content.xml": content,
            "styles.xml": f"<office:document-styles {space}>{styles}</office:document-styles>",
        }
    )
