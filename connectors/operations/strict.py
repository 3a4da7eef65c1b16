"""What the standard would refuse in a package that Lienthong reads all the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from connectors.operations.defects import CLASSES, defect
from connectors.operations.edxml import VERSION
from connectors.operations.element_path import find_all
from connectors.operations.identity import DOCUMENT
from connectors.operations.rules import OLD_NAMES, PRESENT
from schemas.record import Defect, SourceRecord, Unreadable


class Breach(NamedTuple):
    """A reason to refuse a package: class of defect, sentence, place, and who says so."""

    code: str
    message: str
    where: str
    source: str


def breaches(answer: SourceRecord | Unreadable) -> Iterator[Breach]:
    """Every reason for which the standard would refuse ``answer``, in the order of the package's defects.

    Beside the recorded defects these are elements that the exchange's validator wants to see, and a signature:
    most real packages lack some, which is no defect of theirs worth a remark each time.
    """
    if isinstance(answer, Unreadable):
        yield Breach(answer.reason, answer.message, answer.where, "XML 1.0; QCVN 102:2016/BTTTT")
        return
    for found in (*answer.defects, *_absent(answer)):
        kind = CLASSES[found.code]
        if kind.refused:
            yield Breach(found.code, found.message, found.where, kind.source)


def _absent(record: SourceRecord) -> Iterator[Defect]:
    if record.kind != DOCUMENT:
        return
    names = OLD_NAMES if record.context.get(VERSION) == "1" else {}
    for header in find_all(record.fields, "MessageHeader"):
        held = {field.name for field in header.children}
        for name in PRESENT:
            printed = names.get(name, name)
            if printed not in held:
                yield defect("required_missing", f"MessageHeader/{printed}", name=printed)
    if not any(field.name == "Signature" for field in record.fields):
        yield defect("signature_absent", "edXMLHeader")
