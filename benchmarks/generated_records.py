"""Records of the shape that the archive's figures are measured with: a document, two files, one signature each."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from archive.manifest import FileVerdict, Processed, manifest_bytes
from archive.objects import ObjectStore
from archive.outcomes import Archived
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
from signatures.verdict import Indication, Integrity, Verdict

SOURCE = "do_toc_do"
CLOCK = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)

_TEXT = (
    "ban thường vụ tỉnh ủy yêu cầu các cấp ủy chính quyền mặt trận tổ quốc và đoàn thể triển khai thực hiện "
    "nghị quyết về chuyển đổi số cải cách hành chính phát triển kinh tế xã hội bảo đảm quốc phòng an ninh"
)


def generated_records(start: int, count: int, objects: ObjectStore) -> list[Archived]:
    """Records number ``start`` to ``start + count - 1``, their bytes in the store; a number's record never differs.

    Every second one cites a document half its number. The bytes go to their places without waiting for the disk:
    the store is not what is measured with them.
    """
    return [_record(n, objects) for n in range(start, start + count)]


def _record(n: int, objects: ObjectStore) -> Archived:
    syllables = _TEXT.split()
    words = [syllables[(n * 7 + k * k) % len(syllables)] for k in range(220)]
    issued = date(2010, 1, 1) + timedelta(days=n % 5000)
    original = _place(objects, f"original {n}".encode())
    files = [_place(objects, f"file {n} {k}".encode()) for k in range(2)]
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
                ordinal=k, name=f"van-ban-{k}.pdf", sha256=sha256, size=size, media_type="application/pdf"
            )
            for k, (sha256, size) in enumerate(files, start=1)
        ),
        relations=(Relation(kind=RelationKind.CITES, target=Reference(uid=f"H99.{n // 2}")),)
        if n % 2
        else (),
    )
    verdict = Verdict("PDF", "Signature1", Indication.INDETERMINATE, "NO_REVOCATION_FOUND", Integrity.INTACT)
    processed = Processed(
        document=document,
        original_sha256=original[0],
        original_type="application/xml",
        original_size=original[1],
        context={"file": "van-ban.dxl"},
        changed_at=CLOCK - timedelta(minutes=n),
        verdicts=(FileVerdict(files[0][0], 1, "van-ban-1.pdf", verdict),),
        received_at=CLOCK,
    )
    return Archived(_place(objects, manifest_bytes(processed))[0], processed)


def _place(objects: ObjectStore, data: bytes) -> tuple[str, int]:
    sha256 = hashlib.sha256(data).hexdigest()
    place = Path(objects.location) / "sha256" / sha256[:2] / sha256
    if not place.exists():
        place.write_bytes(data)
    return sha256, len(data)
