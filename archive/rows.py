"""A processed record as rows of the tables, for ``archive.copying``. Keys of the mappings are the columns' names."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from archive.manifest import FileVerdict, Processed, verdict_json, verdict_text
from archive.outcomes import Archived
from archive.searching import issuer_norm, symbol_norm
from archive.stored_text import column_text, key_text, maybe_key, moment, whole
from mappings.access import class_of_regime
from mappings.organs import present_code
from schemas.access import AccessClass
from schemas.document import OfficialDocument, Organ
from signatures.verdict import Indication, Verdict

Row = Mapping[str, object]

_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Version:
    """A version about to be written.

    Attributes:
        document_id: the document that it belongs to.
        number: the version's number in that document, from 1.
        run_id: the run that brings it.
        archived: the outcome with its manifest.
    """

    document_id: str
    number: int
    run_id: str
    archived: Archived

    @property
    def processed(self) -> Processed:
        """What the manifest says."""
        return self.archived.processed


def version_row(version: Version) -> Row:
    """Its row of ``document_version``."""
    processed = version.processed
    document = processed.document
    issuer = document.issuer or Organ()
    return {
        "document_id": version.document_id,
        "version": version.number,
        "revision": key_text(document.revision),
        "changed_at": moment(processed.changed_at),
        "received_at": moment(processed.received_at),
        "run_id": version.run_id,
        "manifest_sha256": version.archived.manifest_sha256,
        "original_sha256": processed.original_sha256,
        "original_type": processed.original_type,
        "original_size": processed.original_size,
        "kind": document.kind.value,
        "form": document.form,
        "uid": maybe_key(document.uid),
        "number": document.number,
        "notation": document.notation,
        "symbol": document.symbol,
        "symbol_norm": maybe_key(_document_symbol(document)),
        "year": whole(document.year),
        "issued_date": document.issued_date,
        "issued_place": document.issued_place,
        "issuer_name": issuer.name,
        "issuer_id": maybe_key(issuer.organ_id),
        "issuer_code": maybe_key(_present_code(issuer.organ_id)),
        "issuer_norm": maybe_key(issuer_norm(issuer.name)),
        "type_name": document.type_name,
        "type_code": maybe_key(document.type_code),
        **_use_columns(document),
        "flags": json_text([flag.model_dump(mode="json") for flag in document.flags])
        if document.flags
        else "[]",
        "access": stated_access(document).value,
    }


def stated_access(document: OfficialDocument) -> AccessClass:
    """The class of access that the record states; of an older manifest, the one that its regime of use means."""
    return document.access or class_of_regime(document.use_regime)


def attachment_rows(version: Version) -> Iterator[Row]:
    """Its rows of ``attachment``, in the record's order."""
    for file in version.processed.document.attachments:
        yield {
            "document_id": version.document_id,
            "version": version.number,
            "ordinal": file.ordinal,
            "name": file.name,
            "sha256": file.sha256,
            "size": file.size,
            "media_type": file.media_type,
            "declared_type": file.declared_type,
            "item": file.item,
            "wrapped_sha256": file.wrapped_sha256,
            "defects": list(file.defects),
        }


def relation_rows(version: Version) -> Iterator[Row]:
    """Its rows of ``relation``, targets as named; which document that is, ``archive.links`` finds out."""
    for ordinal, relation in enumerate(version.processed.document.relations, start=1):
        target = relation.target
        yield {
            "document_id": version.document_id,
            "version": version.number,
            "ordinal": ordinal,
            "kind": relation.kind.value,
            "target_uid": maybe_key(target.uid),
            "target_number": target.number,
            "target_notation": target.notation,
            "target_symbol_norm": maybe_key(
                symbol_norm(target.symbol) or _joined_symbol(target.number, target.notation)
            ),
            "target_issued_date": target.issued_date,
            "target_organ_id": maybe_key(target.organ_id),
            "target_symbol": target.symbol,
            "target_organ_code": maybe_key(_present_code(target.organ_id)),
            "reason": relation.reason,
            "effective": relation.effective,
            "evidence": relation.evidence,
        }


def handling_rows(version: Version) -> Iterator[Row]:
    """Its rows of ``handling_step``, in the record's order; organs by name where the record tells it."""
    document = version.processed.document
    organs = (*document.recipients, *((document.issuer,) if document.issuer else ()))
    names = {organ.organ_id: organ.name for organ in organs if organ.organ_id}
    for ordinal, step in enumerate(document.trace, start=1):
        yield {
            "document_id": version.document_id,
            "version": version.number,
            "ordinal": ordinal,
            "organ_id": maybe_key(step.organ_id),
            "organ_name": names.get(step.organ_id),
            "moment": moment(step.moment),
            "staff": step.staff,
            "status_code": maybe_key(step.status_code),
            "text": step.text,
        }


def verdict_rows(version: Version) -> Iterator[Row]:
    """Its rows of ``signature_verdict``: the first check, made at ingest."""
    return check_rows(version.document_id, version.number, 1, version.run_id, version.processed.verdicts)


def check_rows(
    document: str, version: int, check: int, run_id: str, verdicts: Iterable[FileVerdict]
) -> Iterator[Row]:
    """The rows of ``signature_verdict`` of one check of a version."""
    for position, found in enumerate(verdicts, start=1):
        yield {
            "document_id": document,
            "version": version,
            "check_no": check,
            "position": position,
            "attachment": found.attachment,
            "sha256": found.sha256,
            "file_name": found.name,
            **_axes(found),
            "run_id": run_id,
            "verdict": _verdict_text(found.verdict),
        }


def json_text(value: object) -> str:
    """``value`` as JSON text that a ``jsonb`` column takes; what it cannot hold is a visible escape."""
    text = _JSON.encode(value)
    if "\\u0000" not in text and column_text(text) == text:
        return text
    return _JSON.encode(_storable(value))


def _verdict_text(verdict: Verdict) -> str:
    try:
        text = verdict_text(verdict)
    except ValueError:
        return json_text(verdict_json(verdict))
    return text if "\\u0000" not in text else json_text(verdict_json(verdict))


def _use_columns(document: OfficialDocument) -> Row:
    """What the registers and lists show of it besides its identity."""
    return {
        "subject": document.subject,
        "direction": document.direction.value,
        "urgency": document.urgency.value if document.urgency else None,
        "use_regime": document.use_regime,
        "business_type": document.business_type.value if document.business_type else None,
        "status_code": maybe_key(document.status_code),
        "arrival_number": document.arrival_number,
        "arrival_date": document.arrival_date,
        "due_date": document.due_date,
        "signers": [signer.full_name for signer in document.signers if signer.full_name is not None],
        "recipients": [organ.name for organ in document.recipients if organ.name is not None],
        "file_code": maybe_key(document.file_code),
        "file_title": document.file_title,
        "retention": document.retention,
        "term": document.term,
        "page_count": whole(document.page_count),
    }


def _axes(found: FileVerdict) -> Row:
    verdict = found.verdict
    signer = verdict.signer
    return {
        "format": key_text(verdict.format),
        "path": verdict.path,
        "indication": verdict.indication.value,
        "sub_indication": key_text(verdict.sub_indication),
        "integrity": verdict.integrity.value,
        "coverage": verdict.coverage.value,
        "modification": verdict.modification.value,
        "revision": whole(verdict.revision),
        "role": verdict.role.value,
        "signer_name": signer and signer.common_name,
        "signer_organization": signer and signer.organization,
        "signer_issuer": signer and signer.issuer,
        "signer_serial": signer and key_text(signer.serial),
        "signer_sha256": signer and key_text(signer.sha256),
        "signer_not_after": signer and moment(signer.not_after),
        "claimed_time": moment(verdict.claimed_time),
        "best_time": moment(verdict.best_time),
        "best_time_source": key_text(verdict.best_time_source),
        "revocation": key_text(verdict.revocation),
        "revocation_source": verdict.revocation_source,
        "revoked_at": moment(verdict.revoked_at),
        "engine": verdict.engine,
        "trust_epoch": key_text(verdict.trust_epoch),
        "verified_at": moment(verdict.verified_at),
        "provisional": verdict.provisional,
        "revocation_issued": moment(verdict.revocation_issued),
        "tsa_not_after": min(filter(None, map(moment, _tsa_ends(verdict))), default=None),
    }


def _tsa_ends(verdict: Verdict) -> list[datetime | None]:
    return [
        stamp.tsa_not_after for stamp in verdict.timestamps if stamp.indication is Indication.TOTAL_PASSED
    ]


def _present_code(code: str | None) -> str | None:
    return present_code(code) if code else None


def _document_symbol(document: OfficialDocument) -> str | None:
    return symbol_norm(document.symbol) or _joined_symbol(document.number, document.notation)


def _joined_symbol(number: str | None, notation: str | None) -> str | None:
    return symbol_norm(f"{number}/{notation}") if number and notation else None


def _storable(value: object) -> object:
    if isinstance(value, str):
        return column_text(value)
    if isinstance(value, Mapping):
        return {column_text(str(name)): _storable(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(inner) for inner in value]
    return value
