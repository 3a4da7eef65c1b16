"""Mutations of signed files: of any bytes, and of the structure that each format gives an attacker to work on.

Every function takes a ``random.Random`` and gives the same result for the same seed.
"""

from __future__ import annotations

import io
import random
import re
import zipfile
import zlib
from collections.abc import Callable, Sequence

from lxml import etree

Mutation = Callable[[random.Random, bytes, Sequence[bytes]], bytes]
"""Chance, the file, and other signed files to take pieces from."""

_NUMBER = re.compile(rb"\d+")
_WORDS = (
    b"/Contents", b"/ByteRange", b"/SubFilter", b"/Type", b"/Sig", b"/V", b"/AcroForm", b"/Root", b"/Prev", b"xref",
    b"trailer", b"%%EOF", b"obj", b"endobj", b"stream", b"<", b">", b"[", b"]", b"Id=", b"URI=", b"#", b"Algorithm=",
    b"Transform", b"<!DOCTYPE a>", b"&amp;", b"\x00", b"\xff", b"\r\n", b"--", b"From: ", b"Content-Type: ", b"base64",
    b"0", b"-1", b"99999999999999999999", b"\x30\x80", b"\x00\x00", b"\x31\x82", b"\xa0\x84\xff\xff\xff\xff",
)  # fmt: skip
_DS = "http://www.w3.org/2000/09/xmldsig#"


def _flip(chance: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 8))):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _overwrite(chance: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    start = chance.randrange(len(data))
    piece = chance.randbytes(chance.choice((1, 2, 4, 16)))
    return data[:start] + piece + data[start + len(piece) :]


def _insert(chance: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    start = chance.randrange(len(data) + 1)
    piece = chance.choice(_WORDS) if chance.random() < 0.7 else chance.randbytes(chance.randrange(1, 40))
    return data[:start] + piece + data[start:]


def _delete(chance: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    start = chance.randrange(len(data))
    return data[:start] + data[start + chance.choice((1, 1, 4, 60, 2_000)) :]


def _truncate(chance: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    return data[: chance.randrange(1, len(data))]


def _repeat(chance: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    start = chance.randrange(len(data))
    piece = data[start : start + chance.choice((8, 200, 4_000))]
    place = chance.randrange(len(data) + 1)
    return data[:place] + piece * chance.choice((1, 1, 2, 300)) + data[place:]


def _splice(chance: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    other = chance.choice(others)
    start, place = chance.randrange(len(other)), chance.randrange(len(data) + 1)
    piece = other[start : start + chance.choice((16, 400, 8_000, len(other)))]
    return data[:place] + piece + data[place + (len(piece) if chance.random() < 0.5 else 0) :]


def _append(chance: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    other = chance.choice(others)
    return data + other[chance.randrange(len(other)) :]


def _renumber(chance: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    found = list(_NUMBER.finditer(data))
    if not found:
        return _flip(chance, data, others)
    match = chance.choice(found)
    number = int(match[0][:18])
    new = chance.choice(
        (0, 1, number + 1, max(number - 1, 0), number * 10, 2**31, 2**63, chance.randrange(len(data)))
    )
    return data[: match.start()] + str(new).encode() + data[match.end() :]


ANY: tuple[Mutation, ...] = (
    _flip, _flip, _overwrite, _insert, _delete, _truncate, _repeat, _splice, _append, _renumber,
)  # fmt: skip


def _pdf_object(chance: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """An update of the hand-made kind: one object anew, with a cross-reference table that may be wrong."""
    numbers = [int(item[1]) for item in re.finditer(rb"(\d+) 0 obj", data)] or [1]
    number = chance.choice(numbers)
    body = chance.choice(
        (
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< >>",
            b"null",
            b"[ %d 0 R ]" % number,
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R >>",
            b"<< /Length 20 >>\nstream\nBT (999-KL/TU) Tj ET\nendstream",
            b"<< /FT /Sig /T (NguoiKy) /V %d 0 R >>" % chance.choice(numbers),
        )
    )
    start = len(data) + 1
    item = b"\n%d 0 obj\n%s\nendobj\n" % (number, body)
    previous = re.findall(rb"startxref\s+(\d+)", data)
    root = re.findall(rb"/Root (\d+) 0 R", data) or [b"1"]
    table = start + len(item) - 1
    update = (
        b"xref\n%d 1\n%010d 00000 n \ntrailer\n<< /Size %d /Root %s 0 R /Prev %s >>\nstartxref\n%d\n%%%%EOF\n"
        % (
            number,
            start,
            max(numbers) + 1,
            root[-1],
            previous[-1] if previous else b"0",
            table,
        )
    )
    return data + item + (update if chance.random() < 0.85 else b"")


def _pdf_contents(chance: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Within the hexadecimal of a signature: the structure that is signed nowhere else."""
    found = list(re.finditer(rb"/Contents\s*<([0-9a-fA-F]+)", data))
    if not found:
        return _flip(chance, data, others)
    start, end = chance.choice(found).span(1)
    place = start + chance.randrange(end - start)
    return data[:place] + chance.choice(b"0123456789abcdefA<>/ ").to_bytes() + data[place + 1 :]


def _xml_tree(chance: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Elements moved, doubled, emptied, renamed: the ways of signature wrapping."""
    try:
        root = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError:
        return _flip(chance, data, others)
    elements = list(root.iter(etree.Element))
    for _ in range(chance.choice((1, 1, 2, 3))):
        one, two = chance.choice(elements), chance.choice(elements)
        _change(chance, root, one, two)
    return bytes(etree.tostring(root, xml_declaration=chance.random() < 0.5, encoding="UTF-8"))


def _change(chance: random.Random, root: etree._Element, one: etree._Element, two: etree._Element) -> None:
    action = chance.randrange(7)
    inside = one is root or one in two.iterancestors() or one is two
    if action == 0 and not inside:
        two.append(one)
    elif action == 1:
        two.append(etree.fromstring(etree.tostring(one, with_tail=False)))
    elif action == 2 and one.getparent() is not None:
        one.getparent().remove(one)
    elif action == 3:
        one.text = chance.choice(("999-KL/TU", "", " ", two.text or ""))
    elif action == 4:
        one.set(
            chance.choice(("Id", "ID", "id", "URI", "Algorithm", "Type", "Target", "new")),
            _value(chance, two),
        )
    elif action == 5:
        one.tag = chance.choice((f"{{{_DS}}}Object", f"{{{_DS}}}Signature", "new", two.tag))
    else:
        for name in one.attrib:
            del one.attrib[name]


def _value(chance: random.Random, element: etree._Element) -> str:
    return str(
        chance.choice(("", "#", "#chu-ky", "chu-ky", "file:///etc/hostname", *element.attrib.values()))
    )


def _zip_entries(chance: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Packed again, with a part changed, added, doubled, left out or renamed."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = [(info.filename, archive.read(info)) for info in archive.infolist()]
    position = chance.randrange(len(files))
    name, content = files[position]
    change = chance.choice((_flip, _overwrite, _insert, _delete, _renumber, _xml_tree, _xml_tree))
    action = chance.randrange(5)
    if action <= 1:
        files[position] = (name, change(chance, content, [data]) if content else b"x")
    elif action == 2:
        files.pop(position)
    elif action == 3:
        files[position] = (
            chance.choice((name.upper(), f"{name}x", f"../{name}", f"word/{position}.xml")),
            content,
        )
    else:
        files.append(
            (chance.choice((name, name.upper(), "word/comments.xml", "customXml/item9.xml")), content + b" ")
        )
    chance.shuffle(files)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", chance.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        for name, content in files:
            info = zipfile.ZipInfo(name)
            archive.writestr(info, content)
    return stream.getvalue()


def _mail_lines(chance: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Lines moved, doubled, left out, or a line of our own."""
    lines = data.split(b"\r\n")
    place = chance.randrange(len(lines))
    own = (
        b"From: <bithu@tinhuy.test>", b"Sender: a@b.test", b"Content-Type: text/html", b"", b"--ranh-gioi",
        b"Content-Type: multipart/mixed; boundary=ranh-gioi", b"999-KL/TU", b"--ranh-gioi--",
    )  # fmt: skip
    action = chance.randrange(4)
    if action == 0:
        lines.insert(place, chance.choice(own))
    elif action == 1:
        lines.insert(place, chance.choice(lines))
    elif action == 2:
        lines.pop(place)
    else:
        lines[place] = chance.choice(own)
    return b"\r\n".join(lines)


OF_FORMAT: dict[str, tuple[Mutation, ...]] = {
    "PDF": (_pdf_object, _pdf_object, _pdf_contents),
    "XML": (_xml_tree,),
    "CMS": (),
    "OOXML": (_zip_entries,),
    "ODF": (_zip_entries,),
    "MIME": (_mail_lines,),
}


def mutate(chance: random.Random, kind: str, data: bytes, others: Sequence[bytes]) -> bytes:
    """One mutation, now and then two, of a file of ``kind`` (a key of ``OF_FORMAT``)."""
    for _ in range(1 if chance.random() < 0.8 else 2):
        own = OF_FORMAT[kind]
        choices = own if own and chance.random() < 0.6 else ANY
        try:
            data = chance.choice(choices)(chance, data or b"\x00", others)
        except (ValueError, zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, OSError):
            data = _flip(chance, data or b"\x00", others)  # the first mutation left nothing to take apart
    return data
