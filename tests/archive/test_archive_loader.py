"""The loader: every outcome is counted once, and loading again changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa

from archive.ledger import verify_chain
from archive.loader import Archive, Batch, LoadReport, Withheld
from archive.objects import ObjectStore
from tests.archive.office_records import archived, passed, quarantined, unsigned

SOURCE = "notes_van_ban_di"
MakeBatch = Callable[..., Batch]
Select = Callable[..., list[tuple[object, ...]]]

pytestmark = pytest.mark.postgres


def test_each_outcome_ends_in_its_state(
    archive: Archive, objects: ObjectStore, batch: MakeBatch, select: Select
) -> None:
    signed = archived(
        objects,
        "A1",
        files={"160-KL-TU.pdf": b"%PDF-1.7 a", "phu-luc.xlsx": b"PK"},
        verdicts=(passed(), unsigned()),
    )
    report = archive.load(
        batch(),
        [
            signed,
            archived(objects, "A2", number="161"),
            quarantined("A3"),
            Withheld("A4", "1", "toi_mat", "field:DoMat"),
        ],
    )
    assert report == LoadReport(archived=2, unchanged=0, quarantined=1, withheld=1)
    assert select(
        "SELECT symbol, symbol_norm, issued_date, issuer_norm, subject"
        " FROM archive.document_version ORDER BY 1"
    ) == [
        (
            "160-KL/TU",
            "160-kl-tu",
            date(2025, 5, 20),
            "tinh uy song huong",
            "Kết luận về đẩy mạnh chuyển đổi số trong các cơ quan Đảng",
        ),
        (
            "161-KL/TU",
            "161-kl-tu",
            date(2025, 5, 20),
            "tinh uy song huong",
            "Kết luận về đẩy mạnh chuyển đổi số trong các cơ quan Đảng",
        ),
    ]
    assert select("SELECT ordinal, name, size FROM archive.attachment ORDER BY ordinal") == [
        (1, "160-KL-TU.pdf", 10),
        (2, "phu-luc.xlsx", 2),
    ]
    assert select(
        "SELECT position, attachment, indication, integrity, signer_name, claimed_time, verdict->>'engine'"
        " FROM archive.signature_verdict ORDER BY position"
    ) == [
        (
            1,
            1,
            "TOTAL_PASSED",
            "INTACT",
            "Tỉnh ủy Sông Hương",
            datetime(2025, 5, 20, 1, 15, tzinfo=UTC),
            "thử nghiệm 1",
        ),
        (2, 1, "NO_SIGNATURE", "UNKNOWN", None, None, ""),
    ]
    assert select("SELECT source_key, stage, reason, location, state, attempts FROM archive.quarantine") == [
        ("A3", "read", "xml_malformed", "van-ban-di.dxl:118", "open", 1)
    ]
    assert select("SELECT count(*) FROM archive.object") == [(7,)]
    assert sorted(str(row[0]) for row in select("SELECT type FROM archive.event")) == [
        "accounting",
        "accounting",
        "ingestion",
        "ingestion",
        "quarantine",
        "withholding",
    ]
    assert verify_chain(archive.engine) == []


def test_a_withheld_record_leaves_no_word_of_itself(
    archive: Archive, batch: MakeBatch, engine: sa.Engine
) -> None:
    archive.load(batch(), [Withheld("BI-MAT-KEY-77", "rev-88", "mat", "field:DoMat")])
    with engine.connect() as connection:
        for table in ("withheld", "event", "quarantine", "document"):
            text = str(connection.execute(sa.text(f"SELECT * FROM archive.{table}")).all())
            assert "BI-MAT-KEY-77" not in text
            assert "rev-88" not in text
