"""A record that the secrecy gate withholds after it was archived: hidden at once, told, and left to a person."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from archive.access import access_decision, readable
from archive.access_roles import Role
from archive.anchors import make_anchor
from archive.audit import AuditReport, audit
from archive.audit_facts import audit_facts
from archive.audit_finding import Findings
from archive.cursors import psycopg_cursor
from archive.database import create_engine
from archive.decisions import decide
from archive.dossiers import refresh
from archive.embedded import EmbeddedServer
from archive.identities import document_id, key_sha256
from archive.ledger import lock
from archive.loader import Archive, Batch, LoadReport, Withheld
from archive.objects import ObjectStore
from archive.rebuild import rebuild
from archive.rebuild_compare import compare
from archive.runs import account, record_listed
from schemas.access import AccessClass
from schemas.document import RecordKind, RelationKind
from schemas.errors import RetriableError
from tests.archive.conftest import SOURCE
from tests.archive.office_records import CLOCK, archived, everything, relation

pytestmark = pytest.mark.postgres
MakeBatch = Callable[..., Batch]
Select = Callable[..., list[tuple[object, ...]]]
A1 = str(document_id(SOURCE, "A1"))


def secret(revision: str = "2") -> Withheld:
    return Withheld("A1", revision, "mat", "field DoMat:value")


def seals(select: Select) -> list[tuple[object, ...]]:
    found = select("SELECT object, payload FROM archive.event WHERE type = 'access change' ORDER BY seq")
    return [(object_, json.loads(str(payload))) for object_, payload in found]


def decided(engine: sa.Engine, access: AccessClass, seen: int) -> None:
    people = {"by": "Trần Thị Mẫu", "account": "vanthu", "why": "Đã xem"}
    decide(engine, access_decision(A1, access, seen, source=SOURCE, **people), CLOCK)


def audited(engine: sa.Engine, objects: ObjectStore) -> AuditReport:
    make_anchor(engine, objects, now=CLOCK)
    return audit(engine, objects, full=True, now=CLOCK)


@pytest.fixture
def reader(archive_url: str) -> Iterator[sa.Engine]:
    engine = create_engine(archive_url, Role.CLERK)
    yield engine
    engine.dispose()


@pytest.mark.parametrize("revision", ["1", "2"])
def test_an_archived_document_that_turns_out_to_be_secret_is_sealed_and_told(
    archive: Archive, objects: ObjectStore, batch: MakeBatch, select: Select, reader: sa.Engine, revision: str
) -> None:
    """The very revision that is archived, or a later one of the same record."""
    record_listed(archive.engine, batch().run, 1, 0, 1)
    archive.load(batch(), [archived(objects, "A1", files={"a.pdf": b"%PDF"})])
    account(archive.engine, batch().run, now=CLOCK)
    assert readable(reader, [A1]) == {A1}
    held = set(objects)
    assert archive.load(batch("dem-2"), [secret(revision)]) == LoadReport(0, 0, 0, 1)
    assert readable(reader, [A1]) == set()
    assert select("SELECT access, access_decided, access_seen FROM archive.document") == [
        ("sealed", "sealed", 1)
    ]
    assert set(objects) == held  # destroying takes two persons
    payload = {
        "access": "sealed", "seen": 1, "level": "mat", "rule": "field DoMat:value",
        "revision_sha256": key_sha256(revision),
    }  # fmt: skip
    assert seals(select) == [(A1, payload)]
    report = audited(archive.engine, objects)
    assert dict(report.counts) == {}
    (notice,) = report.notices.kept
    assert (notice.kind, notice.where, report.notices.count) == ("sealed_by_gate", A1, 1)


def test_withholding_it_again_changes_nothing(
    archive: Archive, objects: ObjectStore, batch: MakeBatch, select: Select, archive_url: str
) -> None:
    archive.load(batch(), [archived(objects, "A1")])
    archive.load(batch("dem-2"), [secret()])
    before = everything(archive_url)["document"]
    archive.load(batch("dem-3"), [secret(), Withheld("A1", "2", "toi_mat", "stamp")])
    assert everything(archive_url)["document"] == before
    assert len(seals(select)) == 1


def test_a_person_has_the_last_word_until_another_revision_is_secret(
    archive: Archive, objects: ObjectStore, batch: MakeBatch, select: Select
) -> None:
    archive.load(batch(), [archived(objects, "A1")])
    archive.load(batch("dem-2"), [secret()])
    decided(archive.engine, AccessClass.OPEN, 1)  # a false alarm
    assert audited(archive.engine, objects).notices.count == 0
    archive.load(batch("dem-3"), [secret()])
    assert select("SELECT access FROM archive.document") == [("open",)]
    archive.load(batch("dem-4"), [secret("3")])
    assert select("SELECT access FROM archive.document") == [("sealed",)]
    assert audited(archive.engine, objects).notices.count == 1


def test_what_only_speaks_about_it_is_sealed_with_it(
    archive: Archive, objects: ObjectStore, batch: MakeBatch, select: Select
) -> None:
    status = archived(
        objects, "S1", number=None, kind=RecordKind.STATUS, relations=(relation(RelationKind.STATUS_OF, uid="G1"),)
    )  # fmt: skip
    archive.load(batch(), [archived(objects, "A1", uid="G1"), status, archived(objects, "B1", number="9")])
    archive.load(batch("dem-2"), [secret()])
    assert select("SELECT source_key, access FROM archive.document ORDER BY 1") == [
        ("A1", "sealed"), ("B1", "open"), ("S1", "sealed"),
    ]  # fmt: skip


def test_a_batch_that_archives_one_revision_and_withholds_the_other_seals(
    archive: Archive, objects: ObjectStore, batch: MakeBatch, select: Select
) -> None:
    archive.load(batch(), [archived(objects, "A1"), secret()])
    archive.load(batch("dem-2"), [archived(objects, "A1", revision="3")])
    assert select("SELECT access, current_version FROM archive.document") == [("sealed", 2)]


def test_what_was_archived_meanwhile_makes_the_batch_be_loaded_again(
    archive: Archive, objects: ObjectStore, batch: MakeBatch, select: Select, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.load(batch(), [archived(objects, "A1")])
    with monkeypatch.context() as patch:
        patch.setattr("archive.loader.seals", lambda *_: False)  # it was not there when the loader looked
        with pytest.raises(RetriableError, match="found to be secret"):
            archive.load(batch("dem-2"), [secret()])
    assert select("SELECT count(*) FROM archive.withheld") == [(0,)]
    archive.load(batch("dem-2"), [secret()])
    assert select("SELECT access FROM archive.document") == [("sealed",)]


def test_locks_are_taken_as_a_person_s_decision_takes_them(
    archive: Archive, objects: ObjectStore, batch: MakeBatch, engine: sa.Engine
) -> None:
    """Documents in one order before all else, the ledger last: who waits for whom is never a circle."""
    ids = sorted((str(document_id(SOURCE, key)), key) for key in ("A1", "B1"))
    archive.load(batch(), [archived(objects, key, number=key) for _, key in ids])
    revised = archived(objects, "B1", number="B1", revision="2")
    other = batch("dem-2")
    with ThreadPoolExecutor(1) as pool:
        with engine.begin() as connection:
            cursor = psycopg_cursor(connection)
            cursor.execute("SELECT FROM archive.document WHERE id = %s FOR NO KEY UPDATE", (ids[0][0],))
            loading = pool.submit(archive.load, other, [secret(), revised])
            with pytest.raises(TimeoutError):
                loading.result(timeout=0.5)
            cursor.execute("SELECT FROM archive.document WHERE id = %s FOR NO KEY UPDATE", (ids[1][0],))
            lock(cursor)
        assert loading.result(timeout=60) == LoadReport(1, 0, 0, 1)


def test_a_database_made_again_is_sealed_too(
    archive: Archive,
    objects: ObjectStore,
    batch: MakeBatch,
    database_url: str,
    postgres_server: EmbeddedServer,
) -> None:
    record_listed(archive.engine, batch().run, 2, 0, 1)
    archive.load(batch(), [archived(objects, "A1", uid="G1"), secret()])
    account(archive.engine, batch().run, now=CLOCK)
    follower = archived(
        objects, "S1", number=None, kind=RecordKind.STATUS, relations=(relation(RelationKind.STATUS_OF, uid="G1"),)
    )  # fmt: skip
    archive.load(batch("dem-2"), [secret("3"), follower, archived(objects, "A1", revision="4", uid="G1")])
    decided(archive.engine, AccessClass.OPEN, 2)
    archive.load(batch("dem-3"), [secret("5")])
    make_anchor(archive.engine, objects, now=CLOCK + timedelta(days=1))
    refresh(archive.engine)
    made = create_engine(database_url)
    assert rebuild(made, objects).troubles == []
    with archive.engine.connect() as one, made.connect() as another:
        assert [table for table in compare(one, another) if not table.equal] == []
        findings = Findings()
        audit_facts(another, findings)
        assert findings.kept == []
    made.dispose()
