"""Judge: the verdict on every signature of a received record, and the manifest that keeps both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
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
    bench = Bench(objects, trust, at)
    for line in lines:
        if isinstance(line, ReceivedLine):
            yield VerifiedLine(manifest_sha256=_manifest(line, bench))
        else:
            yield line


@dataclass(frozen=True, slots=True)
class Bench:
    """Where files are judged: what is trusted, when, and the store that holds the files and takes the evidence.

    Attributes:
        objects: the store. trust: the operator's trust material. at: validation time, aware.
        received_at: when the archive received the files, aware, for a later check; ``None`` at ingest.
        kept: SHA-256 of the evidence that this process has put into the store already.
    """

    objects: ObjectStore
    trust: TrustStore
    at: datetime
    received_at: datetime | None = None
    kept: set[str] = field(default_factory=set)

    def original(self, sha256: str) -> Iterator[FileVerdict]:
        """The verdicts on the signatures of a record's own bytes."""
        content = self.objects.content(sha256)
        # Of a SOAP message the envelope is what may be signed.
        envelope = envelope_of(content)
        for verdict in self._verdicts(SignedFile(name="original", content=envelope)):
            yield FileVerdict(sha256, None, "", verdict if envelope is content else _of_a_part(verdict))

    def attachment(
        self, attachment: AttachmentRef, siblings: tuple[AttachmentRef, ...]
    ) -> Iterator[FileVerdict]:
        """The verdicts on an attachment; a detached signature's file is among ``siblings``."""
        signed = SignedFile(
            name=attachment.name,
            content=self.objects.content(attachment.sha256),
            detached=_detached_content(attachment, siblings, self.objects),
        )
        for verdict in self._verdicts(signed):
            yield FileVerdict(attachment.sha256, attachment.ordinal, attachment.name, verdict)

    def _verdicts(self, signed: SignedFile) -> list[Verdict]:
        verdicts = verify(signed, self.trust, self.at, received_at=self.received_at)
        for verdict in verdicts:
            self._keep({*verdict.chain, *verdict.evidence})
        return verdicts

    def _keep(self, named: set[str]) -> None:
        """Put the certificates, lists and answers that a verdict names into the store, where it finds them for ever.

        What the file itself brings, such as its time-stamps, is kept with the file.
        """
        for sha256 in named - self.kept:
            if sha256 in self.trust.seen:
                self.objects.put_bytes(self.trust.seen[sha256])
                self.kept.add(sha256)


def _manifest(line: ReceivedLine, bench: Bench) -> str:
    processed = Processed(
        document=line.document,
        original_sha256=line.original_sha256,
        original_type=line.original_type,
        original_size=line.original_size,
        context=line.context,
        changed_at=line.changed_at,
        verdicts=tuple(_verdicts(line, bench)),
        received_at=bench.at,
    )
    return bench.objects.put_bytes(manifest_bytes(processed)).sha256


def _verdicts(line: ReceivedLine, bench: Bench) -> Iterator[FileVerdict]:
    if line.signed_container:
        yield from bench.original(line.original_sha256)
    for attachment in line.document.attachments:
        yield from bench.attachment(attachment, line.document.attachments)


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
