"""The exact bytes of one document in the DXL that the export agent printed for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from connectors.lotus_notes.byte_reader import ByteReader
from connectors.lotus_notes.container import KEPT_ATTRIBUTES
from connectors.lotus_notes.encoding import UTF8, Encoding
from connectors.lotus_notes.head import HeadError, read_head
from connectors.lotus_notes.slices import Loss, Slice, Slices
from connectors.lotus_notes.spool import Spool
from schemas.record import Content

_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class ExportedDxl:
    """What an export holds of one document.

    Attributes:
        original: from the ``<`` of its start tag to the ``>`` of its end tag; all that was printed where no such
            document could be cut out.
        context: facts of the database that stand around it.
        reason, message: why it could not, or ``""``.
    """

    original: Content
    context: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    reason: str = ""
    message: str = ""


def cut_out(answer: Content, between: tuple[int, int], unid: str) -> ExportedDxl:
    """The document ``unid`` in the bytes ``[start, end)`` of ``answer``."""
    printed = _copy(answer, *between)
    with printed.open() as stream:
        reader = ByteReader(stream, printed.size)
        loss: Loss | None = None
        for piece in Slices(reader, Encoding(UTF8)):
            if isinstance(piece, Loss):
                loss = loss or piece
            elif _unid(reader, piece) == unid:
                attributes = piece.root.attributes
                context = {name: attributes[name] for name in KEPT_ATTRIBUTES if name in attributes}
                return ExportedDxl(_copy(printed, piece.start, piece.end), context)
    if loss is not None:
        return ExportedDxl(printed, reason=loss.reason, message=loss.message)
    said = f"the export agent was asked for {unid} and printed no document of that UNID"
    return ExportedDxl(printed, reason="other_document", message=said)


def _unid(reader: ByteReader, piece: Slice) -> str:
    try:
        return read_head(reader, piece, Encoding(UTF8)).unid
    except HeadError:
        return ""


def _copy(content: Content, start: int, end: int) -> Content:
    spool = Spool()
    with content.open() as stream:
        stream.seek(start)
        while start < end and (piece := stream.read(min(_PIECE, end - start))):
            spool.write(piece)
            start += len(piece)
    return spool.content()
