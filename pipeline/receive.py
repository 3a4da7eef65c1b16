"""Receive: fetch, secrecy gate, store, normalise. Nothing of a record is stored before the gate has let it pass."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator, Sequence

from archive.objects import ObjectStore
from connectors.source import Source
from mappings.config import SourceConfig
from mappings.engine import normalise
from mappings.secrecy import Finding, screen, screen_unreadable
from pipeline.batch_lines import QuarantinedLine, ReceivedLine, WithheldLine
from schemas.document import AttachmentRef
from schemas.errors import FatalError, LienthongError, RetriableError
from schemas.media_type import sniff
from schemas.record import Content, Listing, SourceRecord, Unreadable

_SNIFFED = 8_192
ReceiveOutcome = ReceivedLine | QuarantinedLine | WithheldLine


def receive(
    source: Source, config: SourceConfig, objects: ObjectStore, listings: Sequence[Listing]
) -> Iterator[ReceiveOutcome]:
    """One outcome for each of ``listings``, in order.

    Raises:
        FatalError: the source does not answer each listing exactly once, or the object store is full or gone.
        RetriableError: the source is busy or away.
    """
    answers = source.fetch(listings)
    for listing in listings:
        answer = next(answers, None)
        if answer is None or answer.listing != listing:
            raise FatalError(
                f"source {source.name} did not answer the listing that it was asked for",
                where=listing.locator,
                expected="exactly one answer a listing, in order",
                action="report this: it is a fault of the connector",
            )
        yield receive_one(answer, config, objects)


def receive_one(
    answer: SourceRecord | Unreadable, config: SourceConfig, objects: ObjectStore
) -> ReceiveOutcome:
    """The outcome of one fetched record. Whatever is wrong with it, the next one goes on."""
    if isinstance(answer, Unreadable):
        return _unreadable(answer, objects)
    try:
        finding = screen(answer, config)
    except Exception as error:
        _stop_on_system_failure(error)
        # A gate that cannot judge has not let anything pass: no byte is stored.
        return _quarantined(answer.listing, "gate", "gate_failed", error, None, dict(answer.context))
    if finding is not None:
        return _withheld(answer.listing, finding)
    original = objects.put(answer.original)
    stored: list[str] = []
    try:
        attachments = _store_attachments(answer, objects, stored)
        document = normalise(answer, config, attachments)
    except Exception as error:
        _stop_on_system_failure(error)
        failed = _quarantined(
            answer.listing, "map", _reason(error), error, original.sha256, dict(answer.context)
        )
        return failed.model_copy(update={"files": tuple(dict.fromkeys(stored))})
    return ReceivedLine(
        document=document,
        original_sha256=original.sha256,
        original_type=answer.original_type,
        original_size=original.size,
        signed_container=any(field.name == "Signature" for field in answer.fields),
        context=dict(answer.context),
        changed_at=answer.listing.changed_at,
    )


def _stop_on_system_failure(error: Exception) -> None:
    """Raise ``error`` again when the machine is at fault; a record's own fault may also come as an ``OSError``."""
    if isinstance(error, FatalError | RetriableError | MemoryError):
        raise error
    if isinstance(error, OSError) and error.errno in _MACHINE:
        raise error


_MACHINE = frozenset(
    {
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EROFS,
        errno.EIO,
        errno.ESTALE,
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOMEM,
    }
)


def _unreadable(item: Unreadable, objects: ObjectStore) -> ReceiveOutcome:
    try:
        finding = screen_unreadable(item)
    except Exception as error:
        _stop_on_system_failure(error)
        return _quarantined(item.listing, "gate", "gate_failed", error, None, {})
    if finding is not None:
        return _withheld(item.listing, finding)
    stored = objects.put(item.original).sha256 if item.original is not None else None
    return QuarantinedLine(
        key=item.listing.key,
        revision=item.listing.revision,
        stage="read",
        reason=item.reason,
        message=item.message,
        where=item.where,
        original_sha256=stored,
    )


def _withheld(listing: Listing, finding: Finding) -> WithheldLine:
    return WithheldLine(
        key=listing.key, revision=listing.revision, level=str(finding.level), rule=finding.rule
    )


def _quarantined(
    listing: Listing,
    stage: str,
    reason: str,
    error: Exception,
    original_sha256: str | None,
    context: dict[str, str],
) -> QuarantinedLine:
    if isinstance(error, LienthongError):
        message, where = error.explanation, error.where
    else:
        # The text of an error from elsewhere may quote the record; behind a closed gate only its class is told.
        told = f": {error}" if stage != "gate" else ""
        message, where = f"{type(error).__name__}{told}", ""
    return QuarantinedLine(
        key=listing.key,
        revision=listing.revision,
        stage=stage,
        reason=reason,
        message=message,
        where=where,
        original_sha256=original_sha256,
        context=context,
    )


def _reason(error: Exception) -> str:
    if isinstance(error, LienthongError):
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(error).__name__).lower()
    return "internal_error"


def _store_attachments(
    record: SourceRecord, objects: ObjectStore, names: list[str]
) -> tuple[AttachmentRef, ...]:
    """The attachments, stored; ``names`` is told of each object at once, in case that a later one fails."""
    references = []
    for ordinal, attachment in enumerate(record.attachments, start=1):
        stored = objects.put(attachment.content)
        names.append(stored.sha256)
        wrapped = None
        if attachment.wrapped is not None:
            wrapped = objects.put(attachment.wrapped).sha256
            names.append(wrapped)
        references.append(
            AttachmentRef(
                ordinal=ordinal,
                name=attachment.name,
                sha256=stored.sha256,
                size=stored.size,
                media_type=sniff(_head(attachment.content)),
                declared_type=attachment.declared_type,
                item=attachment.item,
                wrapped_sha256=wrapped,
                defects=attachment.defects,
            )
        )
    return tuple(references)


def _head(content: Content) -> bytes:
    with content.open() as stream:
        return stream.read(_SNIFFED)
