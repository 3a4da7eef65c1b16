"""Turns the verified lines of a batch into what the loader takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from archive.loader import Archived, Outcome, Quarantined, Withheld
from archive.manifest import read_manifest
from archive.objects import ObjectStore
from pipeline.batch_lines import QuarantinedLine, ReceivedLine, VerifiedLine, WithheldLine
from schemas.errors import FatalError


def outcomes(
    lines: Iterable[ReceivedLine | VerifiedLine | QuarantinedLine | WithheldLine], objects: ObjectStore
) -> Iterator[Outcome]:
    """One outcome a line, in order.

    Raises:
        FatalError: a line was never judged.
    """
    for line in lines:
        match line:
            case VerifiedLine():
                with objects.open(line.manifest_sha256) as stream:
                    yield Archived(line.manifest_sha256, read_manifest(stream.read()))
            case QuarantinedLine():
                yield Quarantined(
                    key=line.key,
                    revision=line.revision,
                    stage=line.stage,
                    reason=line.reason,
                    message=line.message,
                    where=line.where,
                    original_sha256=line.original_sha256,
                    context=line.context,
                    files=line.files,
                )
            case WithheldLine():
                yield Withheld(line.key, line.revision, line.level, line.rule)
            case ReceivedLine():
                raise FatalError(
                    "a record was to be loaded that no signature check has seen",
                    where=line.document.source_key,
                    expected="the judging stage to have run before the loading stage",
                )
