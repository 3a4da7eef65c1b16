"""Made-up records of an office, stored and ready to load. No person and no real organ is named."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone

import psycopg
import sqlalchemy as sa
from psycopg import sql

from archive.manifest import FileVerdict, Processed, manifest_bytes
from archive.objects import ObjectStore
from archive.outcomes import Archived, Quarantined
from schemas.document import (
    AttachmentRef,
    Direction,
    Flag,
    OfficialDocument,
    Organ,
    RecordKind,
    Reference,
    Relation,
    RelationKind,
    Signer,
    Urgency,
)
from signatures.verdict import (
    Coverage,
    Indication,
    Integrity,
    Modification,
    SignerCertificate,
    SignerRole,
    Verdict,
)

HANOI = timezone(timedelta(hours=7))
CLOCK = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
COMMITTEE = Organ(name="Tỉnh ủy Sông Hương", organ_id="000.00.01.H99")
PEOPLE = Organ(name="Ủy ban nhân dân tỉnh Sông Hương", organ_id="000.00.02.H99")


def archived(
    objects: ObjectStore,
    key: str,
    *,
    source: str = "notes_van_ban_di",
    revision: str = "1",
    number: str | None = "160",
    notation: str | None = "KL/TU",
    issued: date | None = date(2025, 5, 20),
    issuer: Organ | None = COMMITTEE,
    subject: str | None = "Kết luận về đẩy mạnh chuyển đổi số trong các cơ quan Đảng",
    uid: str | None = None,
    kind: RecordKind = RecordKind.DOCUMENT,
    files: Mapping[str, bytes] | None = None,
    relations: tuple[Relation, ...] = (),
    verdicts: tuple[Verdict, ...] = (),
    changed_at: datetime | None = None,
    received_at: datetime = CLOCK,
    flags: tuple[Flag, ...] = (),
    **fields: object,
) -> Archived:
    """Store a record's original, files and manifest; give back what the loader takes."""
    original = objects.put_bytes(
        f"<document unid='{key}' revision='{revision}'/>".encode("utf-8", "backslashreplace")
    )
    kept = [objects.put_bytes(data) for data in (files or {}).values()]
    document = OfficialDocument.model_validate(
        {
            "source": source,
            "source_key": key,
            "revision": revision,
            "kind": kind,
            "form": "VanBanDi",
            "uid": uid,
            "number": number,
            "notation": notation,
            "symbol": f"{number}-{notation}" if number and notation else None,
            "issued_date": issued,
            "issuer": issuer,
            "type_name": "Kết luận",
            "type_code": "KL",
            "subject": subject,
            "direction": Direction.OUTGOING,
            "urgency": Urgency.URGENT,
            "signers": (Signer(full_name="Nguyễn Văn Mẫu", position="Phó Bí thư"),),
            "recipients": (Organ(name="Các huyện ủy, thành ủy"),),
            "attachments": tuple(
                AttachmentRef(
                    ordinal=ordinal,
                    name=name,
                    sha256=file.sha256,
                    size=file.size,
                    media_type="application/pdf",
                )
                for ordinal, (name, file) in enumerate(zip(files or {}, kept, strict=True), start=1)
            ),
            "relations": relations,
            "flags": flags,
            "extra": {"NguoiSoan": ("chuyen vien",)},
            **fields,
        }
    )
    processed = Processed(
        document=document,
        original_sha256=original.sha256,
        original_type="application/xml",
        original_size=original.size,
        context={"file": "van-ban-di.dxl"},
        changed_at=changed_at,
        verdicts=tuple(
            FileVerdict(kept[0].sha256, 1, next(iter(files or {})), verdict) for verdict in verdicts
        ),
        received_at=received_at,
    )
    return Archived(objects.put_bytes(manifest_bytes(processed)).sha256, processed)


def passed() -> Verdict:
    """A good organ seal."""
    return Verdict(
        format="PDF",
        path="Signature1",
        indication=Indication.TOTAL_PASSED,
        integrity=Integrity.INTACT,
        coverage=Coverage.WHOLE_FILE,
        modification=Modification.NONE,
        revision=1,
        role=SignerRole.ORGAN,
        signer=SignerCertificate(
            subject="CN=Tỉnh ủy Sông Hương",
            common_name="Tỉnh ủy Sông Hương",
            organization="Tỉnh ủy Sông Hương",
            issuer="CN=CA thử nghiệm",
            serial="0a1b",
            sha256="ab" * 32,
            not_before=datetime(2024, 1, 1, tzinfo=UTC),
            not_after=datetime(2029, 1, 1, tzinfo=UTC),
        ),
        claimed_time=datetime(2025, 5, 20, 8, 15, tzinfo=HANOI),
        best_time=CLOCK,
        best_time_source="archive_receipt",
        revocation="checked",
        messages=("Chữ ký hợp lệ",),
        engine="thử nghiệm 1",
        trust_epoch="cd" * 32,
        verified_at=CLOCK,
    )


def unsigned() -> Verdict:
    """A file that nobody signed."""
    return Verdict(format="PDF", path="", indication=Indication.NO_SIGNATURE, verified_at=CLOCK)


def quarantined(key: str, revision: str = "1", reason: str = "xml_malformed") -> Quarantined:
    """A record whose text is broken."""
    return Quarantined(
        key=key,
        revision=revision,
        stage="read",
        reason=reason,
        message="Thẻ đóng không khớp thẻ mở",
        where="van-ban-di.dxl:118",
        original_sha256=hashlib.sha256(key.encode()).hexdigest(),
        context={"file": "van-ban-di.dxl"},
    )


def relation(kind: RelationKind, **target: object) -> Relation:
    """A relation to a document named by ``target``."""
    return Relation(kind=kind, target=Reference.model_validate(target), reason="Ban hành nhầm")


def everything(url: str) -> dict[str, list[str]]:
    """Every row of every table of the archive as text, sorted."""
    with psycopg.connect(sa.make_url(url).set(drivername="postgresql").render_as_string(False)) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'archive' ORDER BY 1")
        return {
            name: [
                row[0]
                for row in connection.execute(
                    sql.SQL("SELECT t::text FROM archive.{} t ORDER BY 1").format(sql.Identifier(name))
                )
            ]
            for (name,) in tables.fetchall()
        }


def places(url: str) -> dict[str, list[tuple[object, ...]]]:
    """Of every row its place and who wrote and locked it: equal only if none was rewritten or locked."""
    with psycopg.connect(sa.make_url(url).set(drivername="postgresql").render_as_string(False)) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'archive' ORDER BY 1")
        return {
            name: connection.execute(
                sql.SQL("SELECT ctid::text, xmin::text, xmax::text FROM archive.{} ORDER BY 1").format(
                    sql.Identifier(name)
                )
            ).fetchall()
            for (name,) in tables.fetchall()
        }
