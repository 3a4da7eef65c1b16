"""Judge: the verdict on every signature of a received record, and the manifest that keeps both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from archive.manifest import FileVerdict, Processed, manifest_bytes
from archive.objects import ObjectStore
from connectors.operations.scan import envelope_of
from pipeline.batch_lines import QuarantinedLine, ReceivedLine, VerifiedLine, WithheldLine
from schemas.document import AttachmentRef
from schemas.record import Content
from signatures import verify
from signatures.signed_file import DETACHED_SUFFIXES, SignedFile
from signatures.trust import TrustStore
from signatures.verdict import Coverage, Indication, Verdict


def judge(
    lines: Iterable[ReceivedLine | VerifiedLine | QuarantinedLine | WithheldLine],
    objects: ObjectStore,
    trust: TrustStore,
    at: datetime,
) -> Iterator[VerifiedLine | QuarantinedLine | WithheldLine]:
    """Each received line becomes a verified one; the others pass through.

    ``at`` is the run's clock, not the wall's: a repeated stage writes the same manifest.
    """
    for line in lines:
        if isinstance(line, ReceivedLine):
            yield VerifiedLine(manifest_sha256=_manifest(line, objects, trust, at))
        else:
            yield line


def _manifest(line: ReceivedLine, objects: ObjectStore, trust: TrustStore, at: datetime) -> str:
    processed = Processed(
        document=line.document,
        original_sha256=line.original_sha256,
        original_type=line.original_type,
        original_size=line.original_size,
        context=line.context,
        changed_at=line.changed_at,
        verdicts=tuple(_verdicts(line, objects, trust, at)),
        received_at=at,
    )
    return objects.put_bytes(manifest_bytes(processed)).sha256


def _verdicts(
    line: ReceivedLine, objects: ObjectStore, trust: TrustStore, at: datetime
) -> Iterator[FileVerdict]:
    if line.signed_container:
        for verdict in _container_verdicts(objects.content(line.original_sha256), trust, at):
            yield FileVerdict(sha256=line.original_sha256, attachment=None, name="", verdict=verdict)
    for attachment in line.document.attachments:
        signed = SignedFile(
            name=attachment.name,
            content=objects.content(attachment.sha256),
            detached=_detached_content(attachment, line.document.attachments, objects),
        )
        for verdict in verify(signed, trust, at):
            yield FileVerdict(
                sha256=attachment.sha256,
                attachment=attachment.ordinal,
                name=attachment.name,
                verdict=verdict,
            )


def _container_verdicts(original: Content, trust: TrustStore, at: datetime) -> Iterator[Verdict]:
    """Verdicts on the signatures of the record's own bytes; of a SOAP message's, on those of its envelope."""
    envelope = envelope_of(original)
    for verdict in verify(SignedFile(name="original", content=envelope), trust, at):
        yield verdict if envelope is original else _of_a_part(verdict)


def _of_a_part(verdict: Verdict) -> Verdict:
    """``verdict`` on the envelope, for the message: its attachments lie outside what is signed."""
    if verdict.coverage is Coverage.WHOLE_FILE:
        verdict = replace(verdict, coverage=Coverage.PARTIAL)
    if verdict.indication is Indication.TOTAL_PASSED:
        return replace(
            verdict,
            indication=Indication.INDETERMINATE,
            sub_indication="SIG_CONSTRAINTS_FAILURE",
            messages=("only the envelope is signed, not the attachments beside it", *verdict.messages),
        )
    return verdict


def _detached_content(
    attachment: AttachmentRef, siblings: tuple[AttachmentRef, ...], objects: ObjectStore
) -> Content | None:
    """The file that a detached signature belongs to: its sibling of the same name without ``.p7s`` or the like."""
    lowered = attachment.name.lower()
    for suffix in DETACHED_SUFFIXES:
        if lowered.endswith(suffix):
            signed_name = lowered.removesuffix(suffix)
            for sibling in siblings:
                if sibling.name.lower() == signed_name:
                    return objects.content(sibling.sha256)
    return None
