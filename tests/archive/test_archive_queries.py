"""What `lienthong show` and the summary ask: found by any name, shown whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import date

import pytest
import sqlalchemy as sa

from archive.identities import document_id
from archive.loader import Archive, Batch, Withheld
from archive.objects import ObjectStore
from archive.queries import (
    find_document,
    find_with_recalled,
    quarantine_list,
    totals,
    verdict_counts,
    withheld_counts,
)
from archive.views import (
    DocumentView,
    RelationView,
    SameAsView,
    Tombstone,
    Totals,
    VerdictCount,
    WithheldCount,
)
from schemas.document import Flag, RecordKind, RelationKind
from tests.archive.office_records import PEOPLE, archived, passed, quarantined, relation, unsigned

pytestmark = pytest.mark.postgres
MakeBatch = Callable[..., Batch]


@pytest.fixture
def loaded(archive: Archive, objects: ObjectStore, batch: MakeBatch) -> Archive:
    """A conclusion, its recall and status from the exchange, and the same document again in the exchange."""
    flag = Flag(field="subject", code="too_long", message="dài hơn 500 ký tự", value="…")
    first = archived(
        objects,
        "UNID1",
        uid="G09.1",
        files={"kl.pdf": b"kl", "pl.pdf": b"pl"},
        verdicts=(passed(),),
        flags=(flag,),
    )
    recall = archived(
        objects, "UNID2", number="9", notation="CV/TU", issued=date(2025, 6, 1),
        relations=(
            relation(RelationKind.RECALLS, uid="G09.1"),
            relation(RelationKind.CITES, number="1", notation="QĐ/TW"),
        ),
    )  # fmt: skip
    archive.load(batch(), [recall, first, quarantined("UNID3"), Withheld("UNID4", "1", "mat", "field:DoMat")])
    twin = archived(
        objects,
        "TD-7",
        source="truc_tinh",
        files={"van-ban.pdf": b"kl"},
        verdicts=(unsigned(),),
        number="160",
    )
    status = archived(
        objects, "TD-8", source="truc_tinh", kind=RecordKind.STATUS, number=None, notation=None,
        issuer=PEOPLE, status_code="06", relations=(relation(RelationKind.STATUS_OF, uid="G09.1"),),
    )  # fmt: skip
    archive.load(batch("dem-1", source="truc_tinh"), [twin, status])
    return archive


@pytest.mark.parametrize(
    "spelling",
    ["160-KL/TU", "160-kl/tu", "Số: 160-KL/TU", "số 160 – KL/TU", "0160-KL/TU", " 160 KL TU ", "160KL/TU"],
)
def test_a_symbol_is_found_in_any_spelling(loaded: Archive, spelling: str) -> None:
    found = find_document(loaded.engine, spelling)
    assert [(view.source, view.source_key) for view in found] == [
        ("notes_van_ban_di", "UNID1"),
        ("truc_tinh", "TD-7"),
    ]


def test_uid_key_identity_and_hash_find_it_too(loaded: Archive) -> None:
    (view,) = find_with_recalled(loaded.engine, "G09.1")
    assert view.source_key == "UNID1"
    attachment = view.current.files[1].sha256
    names = [
        "UNID1",
        view.document,
        attachment[:8],
        attachment,
        view.current.manifest_sha256[:12],
        view.current.original_sha256,
    ]
    for name in names:
        assert find_with_recalled(loaded.engine, name) == [view], name


@pytest.mark.parametrize("name", ["", "   ", "161-KL/TU", "abc", "' OR 1=1 --", "%", "deadbeef"])
def test_what_is_not_there_is_not_found(loaded: Archive, name: str) -> None:
    assert find_document(loaded.engine, name) == []


def test_a_document_is_shown_with_all_that_belongs_to_it(loaded: Archive) -> None:
    (view,) = find_with_recalled(loaded.engine, "UNID1")
    assert view.recalled
    assert view.versions == (view.current,)
    assert view.current.subject == "Kết luận về đẩy mạnh chuyển đổi số trong các cơ quan Đảng"
    assert view.current.signers == ("Nguyễn Văn Mẫu",)
    assert [(file.ordinal, file.name, file.size) for file in view.current.files] == [
        (1, "kl.pdf", 2),
        (2, "pl.pdf", 2),
    ]
    (verdict,) = view.current.verdicts
    assert (verdict.attachment, verdict.indication, verdict.signer_name) == (
        1,
        "TOTAL_PASSED",
        "Tỉnh ủy Sông Hương",
    )
    assert verdict.verdict["messages"] == ["Chữ ký hợp lệ"]
    assert [flag.code for flag in view.current.flags] == ["too_long"]
    recall, status = document_id("notes_van_ban_di", "UNID2"), document_id("truc_tinh", "TD-8")
    assert view.relations == (
        RelationView(
            "recalls",
            True,
            str(recall),
            "notes_van_ban_di",
            "9-CV/TU",
            "Tỉnh ủy Sông Hương",
            date(2025, 6, 1),
            "G09.1",
            "Ban hành nhầm",
            None,
            True,
        ),
        RelationView(
            "status_of",
            True,
            str(status),
            "truc_tinh",
            None,
            "Ủy ban nhân dân tỉnh Sông Hương",
            date(2025, 5, 20),
            "G09.1",
            "Ban hành nhầm",
            None,
            False,
        ),
    )
    twin = document_id("truc_tinh", "TD-7")
    assert [(same.document, same.grade) for same in view.same_as] == [(str(twin), "A"), (str(twin), "B")]
    assert view.same_as[1] == SameAsView(str(twin), "truc_tinh", "TD-7", "B", "160-kl-tu", "found", False)


def test_normal_use_sees_the_tombstone_of_a_recalled_document(loaded: Archive) -> None:
    (tombstone,) = find_document(loaded.engine, "160-KL/TU")[:1]
    (view,) = find_with_recalled(loaded.engine, "UNID1")
    assert isinstance(tombstone, Tombstone)
    assert (tombstone.symbol, tombstone.issued_date) == ("160-KL/TU", date(2025, 5, 20))
    assert (tombstone.relations, tombstone.history) == (view.relations, view.history)
    told = str(asdict(tombstone))
    assert view.current.subject is not None
    assert view.current.subject not in told
    assert not any(file.sha256 in told or file.name in told for file in view.current.files)
    assert loaded.objects.size(view.current.original_sha256) > 0
    (twin,) = find_document(loaded.engine, "TD-7")
    assert isinstance(twin, DocumentView)
    assert [same.recalled for same in twin.same_as] == [True, True]


def test_what_a_document_names_and_the_archive_lacks_is_shown_as_named(loaded: Archive) -> None:
    (view,) = find_document(loaded.engine, "UNID2")
    assert not view.recalled
    assert (
        RelationView("cites", False, None, None, None, None, None, "1/QĐ/TW", "Ban hành nhầm", None, False)
        in view.relations
    )


def test_the_summary(loaded: Archive, engine: sa.Engine) -> None:
    (row,) = quarantine_list(engine)
    assert (row.source_key, row.stage, row.reason, row.context) == (
        "UNID3",
        "read",
        "xml_malformed",
        {"file": "van-ban-di.dxl"},
    )
    assert quarantine_list(engine, source="truc_tinh") == []
    assert quarantine_list(engine, state="released") == []
    assert withheld_counts(engine) == [WithheldCount("notes_van_ban_di", "mat", "field:DoMat", 1)]
    assert verdict_counts(engine) == [
        VerdictCount("notes_van_ban_di", "TOTAL_PASSED", "", 1),
        VerdictCount("truc_tinh", "NO_SIGNATURE", "", 1),
    ]
    counted = totals(engine)
    assert counted == Totals(
        documents=3, statuses=1, others=0, versions=4, recalled=1, files=3, objects=11,
        object_bytes=counted.object_bytes, relations=3, relations_resolved=2, same_as=2, quarantined_open=1,
        withheld=1, events=11,
    )  # fmt: skip
