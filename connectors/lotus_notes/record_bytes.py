"""The bytes of one piece of an export, and the SHA-256 of the state that they say."""

from __future__ import annotations

import hashlib

from connectors.lotus_notes.byte_reader import ByteReader
from connectors.lotus_notes.spool import Spool
from schemas.record import BytesContent, Content

_PIECE = 8 << 20
_NOTHING = BytesContent(b"")


def read_bytes(
    reader: ByteReader, start: int, end: int, without: tuple[int, int] = (0, 0), keep: bool = True
) -> tuple[Content, str]:
    """The bytes ``[start, end)`` and the SHA-256 of them without the bytes ``without``.

    Args:
        reader: the export.
        start: of the piece in the export.
        end: of the piece.
        without: counted from ``start``, in the first 8 MiB: when a record was last accessed is no part of its
            state.
        keep: false for the digest alone; the content is empty then.

    Returns:
        The content, shorter than ``end - start`` where the file has become shorter, and the digest in hexadecimal.
    """
    spool, digest = Spool(), hashlib.sha256()
    first, last = without
    for position in range(start, end, _PIECE):
        piece = reader.read(position, min(position + _PIECE, end))
        if last and position == start:
            digest.update(memoryview(piece)[:first])
            digest.update(memoryview(piece)[last:])
        else:
            digest.update(piece)
        if keep:
            spool.write(piece)
    return spool.content() if keep else _NOTHING, digest.hexdigest()
