"""Records of the shape that the archive's figures are measured with: a document, two files, one signature each."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from archive.manifest import FileVerdict, Processed, manifest_bytes
from archive.objects import ObjectStore, StoredObject
from archive.outcomes import Archived
from archive.runs import record_listed, start_run
from schemas.document import (
    AttachmentRef,
    Direction,
    OfficialDocument,
    Organ,
    Reference,
    Relation,
    RelationKind,
    Signer,
)
from schemas.record import Window
from signatures.verdict import Indication, Integrity, Verdict

SOURCE = "do_toc_do"
CLOCK = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)

_TEXT = (
    "ban thường vụ tỉnh ủy yêu cầu các cấp ủy chính quyền mặt trận tổ quốc và đoàn thể triển khai thực hiện "
    "nghị quyết về chuyển đổi số cải cách hành chính phát triển kinh tế xã hội bảo đảm quốc phòng an ninh"
)


Put = Callable[[bytes], StoredObject]


def generated_records(start: int, count: int, put: Put) -> list[Archived]:
    """Records number ``start`` to ``start + count - 1``, their bytes ``put``; a number's record never differs.

    Every second one cites a document half its number.
    """
    return [_record(n, put) for n in range(start, start + count)]


def generated_batches(documents: int, size: int, put: Put) -> Iterator[list[Archived]]:
    """The first ``documents`` records in batches of ``size``, each made when it is asked for."""
    for start in range(0, documents, size):
        yield generated_records(start, min(size, documents - start), put)


def planned_run(engine: sa.Engine, run_key: str, documents: int, size: int) -> str:
    """A run that has listed them."""
    run_id = start_run(engine, SOURCE, "backfill", Window(), run_key, now=CLOCK)
    record_listed(engine, run_id, documents, 0, -(-documents // size))
    return run_id


def placing(objects: ObjectStore) -> Put:
    """Puts bytes to their places without waiting for the disk, where the store is not what is measured."""

    def put(data: bytes) -> StoredObject:
        sha256 = hashlib.sha256(data).hexdigest()
        place = Path(objects.location) / "sha256" / sha256[:2] / sha256
        if created := not place.exists():
            place.write_bytes(data)
        return StoredObject(sha256, len(data), created)

    return put


def _record(n: int, put: Put) -> Archived:
    syllables = _TEXT.split()
    words = [syllables[(n * 7 + k * k) % len(syllables)] for k in range(220)]
    issued = date(2010, 1, 1) + timedelta(days=n % 5000)
    original = put(f"original {n}".encode())
    files = [put(f"file {n} {k}".encode()) for k in range(2)]
    document = OfficialDocument(
        source=SOURCE,
        source_key=f"{n:032X}",
        revision="1",
        form="VanBanDi",
        uid=f"H99.{n}",
        number=str(n % 900 + 1),
        notation="QĐ/TU",
        symbol=f"{n % 900 + 1}-QĐ/TU",
        issued_date=issued,
        issuer=Organ(name=f"Huyện ủy {n % 40}", organ_id=f"000.{n % 40:02}.H99"),
        type_name="Quyết định",
        type_code="QĐ",
        subject=" ".join(words[:20]),
        body=" ".join(words),
        direction=Direction.OUTGOING,
        signers=(Signer(full_name="Nguyễn Văn Mẫu", position="Bí thư"),),
        recipients=(Organ(name="Các chi bộ trực thuộc"), Organ(name="Lưu Văn phòng")),
        attachments=tuple(
            AttachmentRef(
                ordinal=k,
                name=f"van-ban-{k}.pdf",
                sha256=file.sha256,
                size=file.size,
                media_type="application/pdf",
            )
            for k, file in enumerate(files, start=1)
        ),
        relations=(Relation(kind=RelationKind.CITES, target=Reference(uid=f"H99.{n // 2}")),)
        if n % 2
        else (),
    )
    verdict = Verdict("PDF", "Signature1", Indication.INDETERMINATE, "NO_REVOCATION_FOUND", Integrity.INTACT)
    processed = Processed(
        document=document,
        original_sha256=original.sha256,
        original_type="application/xml",
        original_size=original.size,
        context={"file": "van-ban.dxl"},
        changed_at=CLOCK - timedelta(minutes=n),
        verdicts=(FileVerdict(files[0].sha256, 1, "van-ban-1.pdf", verdict),),
        received_at=CLOCK,
    )
    return Archived(put(manifest_bytes(processed)).sha256, processed)
