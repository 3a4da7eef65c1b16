"""What a PDF must hold before its signatures are believed: guards around the reader.

Each closes a known attack: signatures that the reader skips (universal signature forgery), bytes appended
without a cross-reference (incremental saving), a ByteRange that leaves room for other objects (signature
wrapping).
"""

from __future__ import annotations

import binascii
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.crypt import AuthStatus
from pyhanko.pdf_utils.misc import PdfError, PdfReadError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import enumerate_sig_fields
from pyhanko.sign.validation.pdf_embedded import extract_contents

from signatures import pdf_hex_strings

SIGNATURE_SUBFILTERS = frozenset({"/adbe.pkcs7.detached", "/ETSI.CAdES.detached"})
TIMESTAMP_SUBFILTER = "/ETSI.RFC3161"

MINIMUM_ROOM = 512
"""Zeros in Contents are reserved room from so many bytes on; fewer are a forgery that holds no signature."""

WHITE_SPACE = b"\x00\t\n\x0c\r "
"""White-space characters of ISO 32000-1 table 1."""

_BYTE_RANGE = re.compile(
    rb"/ByteRange[\x00\t\n\x0c\r ]*\[[\x00\t\n\x0c\r ]*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*\]"
)
_CHUNK = 1 << 20
_OVERLAP = 200


@dataclass(frozen=True, slots=True)
class Filled:
    """A signature field with a value.

    Attributes:
        name: fully qualified field name.
        dictionary: the field's dictionary. type: ``/Type`` of its value. subfilter: ``/SubFilter`` of its
            value.
        byte_range: of its value, or ``()``. contents: ``/Contents`` of its value, or ``b""``.
    """

    name: str
    dictionary: generic.DictionaryObject
    type: str
    subfilter: str
    byte_range: tuple[int, ...]
    contents: bytes


def open_reader(stream: BinaryIO) -> tuple[PdfFileReader | None, bool]:
    """A reader, and whether the file follows ISO 32000 strictly; ``None`` for a file that needs a password.

    Raises:
        PdfReadError: not even the lenient reader can read it.
    """
    pdf_hex_strings.install()
    try:
        reader, strict = PdfFileReader(stream, strict=True), True
        _ = reader.root
        # The cross-references were read strictly. A reference to nothing is null and no error (ISO 32000-1
        # §7.3.10), and hybrid files, which Office writes, are let through where ``later_hybrid`` says so.
        reader.strict = False
    except (PdfError, ValueError, KeyError, TypeError, AssertionError):
        stream.seek(0)
        reader, strict = PdfFileReader(stream, strict=False), False
        _ = reader.root
    if reader.encrypted and reader.decrypt("").status is AuthStatus.FAILED:
        return None, strict
    return reader, strict


def filled_fields(reader: PdfFileReader) -> Iterator[Filled]:
    """Every signature field with a value, whatever its kind: pyHanko's own list leaves unknown kinds out."""
    for name, value, field in enumerate_sig_fields(reader, filled_status=True):
        signature = _direct(value)
        if isinstance(signature, generic.NullObject):
            continue
        dictionary = _direct(field)
        if not isinstance(dictionary, generic.DictionaryObject):
            raise PdfReadError(f"signature field {name} is no dictionary")
        if not isinstance(signature, generic.DictionaryObject):
            yield Filled(str(name), dictionary, "", "", (), b"")
            continue
        yield Filled(
            str(name),
            dictionary,
            str(signature.get("/Type", "/Sig")),
            str(signature.get("/SubFilter", "")),
            _integers(signature.get("/ByteRange", ())),
            _contents(signature),
        )


def later_hybrid(reader: PdfFileReader, revision: int) -> bool:
    """True when a revision after ``revision`` has hybrid cross-references: two readers would then see two
    different updates.

    In the signed revision itself the signature covers both views.
    """
    cache = reader.xrefs
    later = range(revision + 1, reader.total_revisions)
    return any(cache._xref_sections[item].xref_data.hybrid is not None for item in later)


def is_placeholder(stream: BinaryIO, field: Filled) -> bool:
    """True for room that signing software reserved and never filled: Contents of zeros only, exactly where
    ByteRange says.
    """
    empty = len(field.contents) >= MINIMUM_ROOM and not any(field.contents)
    return empty and contents_fill_the_gap(stream, field)


def loose_signatures(stream: BinaryIO, reader: PdfFileReader, fields: tuple[Filled, ...]) -> list[int]:
    """Offsets of signature dictionaries that no field refers to (guard G1).

    A signature's ByteRange stands uncompressed in the file, since it is written into place. One whose values
    belong to no filled field was cut off from the form. Usage rights (``/Perms /UR3``) are no signature on
    the document.
    """
    known = {field.byte_range for field in fields} | _usage_rights(reader)
    loose: dict[tuple[int, ...], int] = {}
    for offset, values in _byte_ranges(stream):
        if values not in known:
            loose.setdefault(values, offset)
    return sorted(loose.values())


def contents_fill_the_gap(stream: BinaryIO, field: Filled) -> bool:
    """True when ByteRange starts at 0 and leaves out exactly the hexadecimal ``/Contents``, delimiters
    included.
    """
    values = field.byte_range
    if len(values) != 4 or values[0] != 0:
        return False
    _, first, start, second = values
    size = stream.seek(0, os.SEEK_END)
    if min(values) < 0 or start <= first or start + second > size:
        return False
    stream.seek(first)
    gap = stream.read(start - first)
    if gap[:1] != b"<" or gap[-1:] != b">":
        return False
    try:
        return binascii.unhexlify(gap[1:-1]) == field.contents
    except binascii.Error:
        return False


def tail_is_blank(stream: BinaryIO, field: Filled, last_revision: bool) -> bool:
    """True when nothing follows that no revision explains (guard G2).

    Behind the last revision only white space may follow: behind the signed bytes when the signature is of
    that revision, else behind the last end-of-file marker.
    """
    _, _, start, second = field.byte_range
    if last_revision:
        return not _rest(stream, start + second).strip(WHITE_SPACE)
    size = stream.seek(0, os.SEEK_END)
    rest = _rest(stream, max(start + second, size - _CHUNK))
    marker = rest.rfind(b"%%EOF")
    return marker >= 0 and not rest[marker + 5 :].strip(WHITE_SPACE)


def _direct(value: generic.PdfObject) -> generic.PdfObject:
    if not isinstance(value, generic.IndirectObject):
        return value
    found: generic.PdfObject = value.get_object()
    return found


def _contents(signature: generic.DictionaryObject) -> bytes:
    try:
        return extract_contents(signature)
    except (PdfError, ValueError, TypeError):
        return b""


def _rest(stream: BinaryIO, offset: int) -> bytes:
    stream.seek(offset)
    return stream.read()


def _byte_ranges(stream: BinaryIO) -> Iterator[tuple[int, tuple[int, ...]]]:
    stream.seek(0)
    base, buffer = 0, b""
    while piece := stream.read(_CHUNK):
        buffer += piece
        for match in _BYTE_RANGE.finditer(buffer):
            yield base + match.start(), tuple(int(value) for value in match.groups())
        kept = min(_OVERLAP, len(buffer))
        base += len(buffer) - kept
        buffer = buffer[len(buffer) - kept :]


def _usage_rights(reader: PdfFileReader) -> set[tuple[int, ...]]:
    found: set[tuple[int, ...]] = set()
    try:
        rights = reader.root["/Perms"]
        for key in ("/UR", "/UR3"):
            if key in rights:
                found.add(_integers(rights[key]["/ByteRange"]))
    except (KeyError, TypeError, PdfError):
        return found
    return found


def _integers(values: object) -> tuple[int, ...]:
    if not isinstance(values, (list, tuple)):
        return ()
    return tuple(int(value) for value in values if isinstance(value, int))
