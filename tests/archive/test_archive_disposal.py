"""Disposal: two persons, nothing held, nothing early, nothing shared; and a trace that no crash can lose."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest
import sqlalchemy as sa

from archive.access_roles import Role
from archive.audit import audit
from archive.canonical import Json
from archive.database import create_engine
from archive.decision import Decision
from archive.decisions import KINDS, decide, read_decision
from archive.disposal import (
    disposals,
    execution_decision,
    open_documents,
    request_decision,
)
from archive.disposal_removal import Removed, remove_objects
from archive.disposal_trace import restore_trace
from archive.dossiers import refresh
from archive.fixity import check_objects
from archive.holdings import dossier
from archive.identities import document_id
from archive.ledger import verify_chain
from archive.loader import Archive, Batch
from archive.objects import ObjectStore
from archive.queries import find_document
from archive.removal_warrant import Warrant
from archive.runs import account, record_listed
from schemas.document import RelationKind
from schemas.errors import ConfigurationError, FatalError
from tests.archive.office_records import archived, everything, passed, relation

pytestmark = pytest.mark.postgres
NOTES = "notes_van_ban_di"
NOW = datetime(2026, 11, 27, 3, tzinfo=UTC)
OLD = date(2000, 5, 20)
WHO = {"by": "Trần Thị Mẫu", "account": "vanthu", "why": "Hết thời hạn bảo quản"}
MakeBatch = Callable[..., Batch]
Select = Callable[..., list[tuple[object, ...]]]


def identity(key: str) -> str:
    return str(document_id(NOTES, key))


def end_runs(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE archive.run SET state = 'failed'"))


@pytest.fixture
def held(archive: Archive, batch: MakeBatch, objects: ObjectStore) -> Archive:
    """Two old documents that share a file, the second permanent; a third, young one; all runs ended."""
    old = archived(
        objects, "A1", issued=OLD, retention="10 năm", file_code="01", verdicts=(passed(),),
        files={"a.pdf": b"rieng", "chung.pdf": b"chung"}, relations=(relation(RelationKind.CITES, number="9"),),
    )  # fmt: skip
    keeps = archived(objects, "B1", number="7", issued=OLD, retention="Vĩnh viễn", files={"c.pdf": b"chung"})
    young = archived(objects, "C1", number="8", issued=date(2024, 1, 1), retention="10 năm")
    archive.load(batch(), [old, keeps, young])
    refresh(archive.engine)
    end_runs(archive.engine)
    return archive


def asked(archive: Archive, *keys: str, at: datetime = NOW) -> str:
    decision = request_decision(archive.engine, [identity(key) for key in keys], "Hồ sơ 01", at=at, **WHO)
    decide(archive.engine, decision, at)
    return decision.object


def second(kind: str, disposal: str, by: str = "Lê Văn Duyệt", account: str = "chanhvp") -> Decision:
    return Decision(kind, disposal, by, account, "Đã kiểm tra danh mục")


def approved(archive: Archive, *keys: str) -> str:
    disposal = asked(archive, *keys)
    decide(archive.engine, second("disposal_approval", disposal), NOW)
    return disposal


def executed(archive: Archive, disposal: str) -> None:
    for document in open_documents(archive.engine, disposal):
        decide(archive.engine, execution_decision(archive.engine, disposal, document, **WHO), NOW)


def test_the_content_goes_and_the_trace_stays(held: Archive, objects: ObjectStore, select: Select) -> None:
    original, manifest = select(
        "SELECT original_sha256, manifest_sha256 FROM archive.document_version WHERE document_id = :d",
        d=identity("A1"),
    )[0]
    own = select("SELECT sha256 FROM archive.attachment WHERE name = 'a.pdf'")[0][0]
    shared = select("SELECT DISTINCT sha256 FROM archive.attachment WHERE name = 'chung.pdf'")[0][0]
    disposal = approved(held, "A1")
    executed(held, disposal)
    assert all(objects.exists(str(name)) for name in (original, manifest, own, shared))
    assert remove_objects(held.engine, objects, at=NOW, **WHO).objects == 3
    assert [objects.exists(str(name)) for name in (original, manifest, own, shared)] == [False] * 3 + [True]

    (view,) = find_document(held.engine, "A1")
    assert (view.current.symbol, view.current.issued_date) == ("160-KL/TU", OLD)  # type: ignore[union-attr]
    assert select(
        """SELECT subject, signers, recipients, flags, original_sha256 FROM archive.document_version
        WHERE document_id = :d""", d=identity("A1"),
    ) == [(None, [], [], [], original)]  # fmt: skip
    for table in ("attachment", "signature_verdict", "handling_step"):
        assert select(f"SELECT count(*) FROM archive.{table} WHERE document_id = :d", d=identity("A1")) == [
            (0,)
        ]
    assert [entry.disposed for entry in dossier(held.engine, "01").documents] == [True]
    assert [(v.state, v.documents, v.carried_out) for v in disposals(held.engine)] == [("approved", 1, 1)]
    assert select(
        "SELECT type, source, object FROM archive.event WHERE payload LIKE '%disposal%' ORDER BY seq"
    ) == [
        ("deaccession", "", disposal),
        ("deaccession", "", disposal),
        ("deaccession", NOTES, identity("A1")),
        ("deletion", "", disposal),
    ]
    assert verify_chain(held.engine) == []


def test_no_word_of_the_content_is_left_in_database_or_ledger(held: Archive, archive_url: str) -> None:
    def left(word: str) -> set[str]:
        return {name for name, rows in everything(archive_url).items() for row in rows if word in row}

    with held.engine.begin() as connection:  # the others' words go first: they say the same
        connection.execute(sa.text("ALTER TABLE archive.document_version DISABLE TRIGGER append_only"))
        connection.execute(
            sa.text(
                "UPDATE archive.document_version SET subject = '', signers = '{}' WHERE document_id <> :d"
            ),
            {"d": identity("A1")},
        )
        connection.execute(sa.text("ALTER TABLE archive.document_version ENABLE TRIGGER append_only"))
    assert left("đẩy mạnh") == {"document_version"}
    assert left("a.pdf")
    executed(held, approved(held, "A1"))
    assert [left(word) for word in ("đẩy mạnh", "Nguyễn Văn Mẫu", "a.pdf")] == [set(), set(), set()]


@pytest.mark.parametrize(
    ("by", "account", "message"),
    [
        ("Trần Thị Mẫu", "chanhvp", "who asked for a disposal cannot approve it"),
        ("  TRAN THI MAU", "chanhvp", "who asked for a disposal cannot approve it"),
        ("Đ/c Trần Thị Mẫu", "chanhvp", "who asked for a disposal cannot approve it"),
        ("Lê Văn Duyệt", "vanthu", "comes from the account 'vanthu'"),
    ],
)
def test_the_second_person_is_another_person(
    held: Archive, select: Select, by: str, account: str, message: str
) -> None:
    disposal = asked(held, "A1")
    events = select("SELECT count(*) FROM archive.event")
    with pytest.raises(ConfigurationError, match=message):
        decide(held.engine, second("disposal_approval", disposal, by, account), NOW)
    assert select("SELECT count(*) FROM archive.event") == events
    with pytest.raises(ConfigurationError, match="the disposal is requested"):
        open_documents(held.engine, disposal)


def test_the_database_itself_refuses_one_person_and_an_unapproved_change(held: Archive) -> None:
    disposal = asked(held, "A1")
    attempts = {
        """UPDATE archive.disposal SET state = 'approved', decided_norm = requested_norm, decided_account = 'x'""":
            "two_persons",
        "UPDATE archive.disposal SET state = 'approved'": "two_persons",
        "UPDATE archive.document_version SET subject = NULL": "is refused",
        "DELETE FROM archive.attachment": "is refused",
        "TRUNCATE archive.handling_step": "is refused",
        f"SELECT archive.dispose('{disposal}', '{identity('A1')}', now(), '{{}}')": "is not approved",
    }  # fmt: skip
    for statement, message in attempts.items():
        with pytest.raises(sa.exc.DBAPIError, match=message), held.engine.begin() as connection:
            connection.execute(sa.text(statement))
    decide(held.engine, second("disposal_approval", disposal), NOW)
    for statement in (
        "UPDATE archive.document_version SET symbol = 'x' WHERE document_id = :d",  # the trace
        "DELETE FROM archive.document_version WHERE document_id = :d",
        "UPDATE archive.document_version SET subject = NULL WHERE document_id <> :d",  # another document
        "UPDATE archive.attachment SET name = 'x' WHERE document_id = :d",
    ):
        with pytest.raises(sa.exc.DBAPIError, match="is refused"), held.engine.begin() as connection:
            connection.execute(sa.text(statement), {"d": identity("A1")})


@pytest.mark.parametrize(("key", "message"), [("B1", "Vĩnh viễn"), ("C1", "due 2035-01-01")])
def test_nothing_is_asked_for_before_it_is_due(held: Archive, key: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        asked(held, key)
    with pytest.raises(ConfigurationError, match="names no document"):
        asked(held)


def hold(archive: Archive, key: str = "A1") -> None:
    values = {"case": "12/2026", "kind": "document"}
    decide(archive.engine, Decision("hold", identity(key), "Thanh tra", "thanhtra", "Vụ án", values))


def release(archive: Archive) -> None:
    values = {"case": "12/2026", "on": None}
    decide(archive.engine, Decision("release_hold", "12/2026", "Thanh tra", "thanhtra", "Xong", values))


def test_a_hold_stops_a_disposal_at_every_step(held: Archive) -> None:
    hold(held)
    with pytest.raises(ConfigurationError, match="legal hold stands on the document: 12/2026"):
        asked(held, "A1")
    release(held)
    disposal = asked(held, "A1")
    hold(held)
    with pytest.raises(ConfigurationError, match="legal hold"):
        decide(held.engine, second("disposal_approval", disposal), NOW)
    release(held)
    decide(held.engine, second("disposal_approval", disposal), NOW)
    hold(held)
    decision = execution_decision(held.engine, disposal, identity("A1"), **WHO)
    with pytest.raises(ConfigurationError, match="legal hold"):
        decide(held.engine, decision, NOW)
    with pytest.raises(sa.exc.DBAPIError, match="a legal hold stands"), held.engine.begin() as connection:
        connection.execute(
            sa.text("SELECT archive.dispose(:p, :d, :at, '{}')"),
            {"p": disposal, "d": identity("A1"), "at": NOW},
        )
    release(held)
    executed(held, disposal)
    with pytest.raises(ConfigurationError, match="nothing to hold"):
        hold(held)


def test_nothing_leaves_a_dossier_that_is_held(held: Archive, batch: MakeBatch, objects: ObjectStore) -> None:
    name = dossier(held.engine, "01").id

    def of_dossier(kind: str, object_: str, values: dict[str, Json]) -> None:
        decide(held.engine, Decision(kind, object_, "Thanh tra", "thanhtra", "Vụ án", values, NOTES))

    out: dict[str, Json] = {"origin": "records", "document": identity("A1"), "state": "out", "position": None}
    of_dossier("hold", name, {"case": "12/2026", "kind": "dossier"})
    with pytest.raises(ConfigurationError, match="legal hold stands on the dossier: 12/2026"):
        of_dossier("dossier_document", name, out)
    moved = archived(objects, "A1", revision="2", issued=OLD, retention="10 năm", file_code="02")
    held.load(batch("dem-2"), [moved])
    refresh(held.engine)
    with pytest.raises(ConfigurationError, match="legal hold stands on the document: 12/2026"):
        asked(held, "A1")
    release(held)
    refresh(held.engine)
    assert [dossier(held.engine, code).document_count for code in ("01", "02")] == [0, 1]
    asked(held, "A1")


def test_what_was_destroyed_is_not_asked_for_again(held: Archive) -> None:
    executed(held, approved(held, "A1"))
    with pytest.raises(ConfigurationError, match="was destroyed already"):
        asked(held, "A1", at=NOW + timedelta(hours=1))


def test_what_was_lengthened_after_the_approval_stays(held: Archive) -> None:
    disposal = approved(held, "A1")
    values = {"retention": "50 năm"}
    decide(
        held.engine, Decision("retention", identity("A1"), "Lê Văn Duyệt", "x", "Có giá trị lịch sử", values)
    )
    with pytest.raises(ConfigurationError, match="not due: 50 năm"):
        executed(held, disposal)


def test_a_refused_or_taken_back_disposal_destroys_nothing_and_may_be_asked_for_again(held: Archive) -> None:
    disposal = asked(held, "A1")
    with pytest.raises(ConfigurationError, match="another request already names"):
        asked(held, "A1", at=NOW + timedelta(hours=1))
    decide(held.engine, second("disposal_approval", disposal), NOW)
    decide(held.engine, second("disposal_refusal", disposal, WHO["by"], WHO["account"]), NOW)
    with pytest.raises(ConfigurationError, match="the disposal is refused"):
        open_documents(held.engine, disposal)
    with pytest.raises(ConfigurationError, match="the disposal is refused"):
        decide(held.engine, second("disposal_approval", disposal), NOW)
    again = asked(held, "A1", at=NOW + timedelta(hours=2))
    decide(held.engine, second("disposal_approval", again), NOW)
    executed(held, again)
    with pytest.raises(ConfigurationError, match="the disposal is approved"):
        decide(held.engine, second("disposal_refusal", again), NOW)


def test_two_documents_that_share_a_file_keep_it_until_the_second_goes(
    archive: Archive, batch: MakeBatch, objects: ObjectStore
) -> None:
    files = {"x.pdf": b"chung"}
    for number, key in enumerate(("A1", "A2"), start=1):
        record = archived(objects, key, number=str(number), issued=OLD, retention="10 năm", files=files)
        archive.load(batch(number=number), [record])
    end_runs(archive.engine)
    name = objects.put_bytes(b"chung").sha256
    executed(archive, approved(archive, "A1"))
    remove_objects(archive.engine, objects, at=NOW, **WHO)
    assert objects.exists(name)
    executed(archive, approved(archive, "A2"))
    remove_objects(archive.engine, objects, at=NOW, **WHO)
    assert not objects.exists(name)


class Killed(BaseException):
    """The process dies here."""


def test_killed_between_decision_and_removal_it_is_gone_on_with(
    held: Archive, objects: ObjectStore, monkeypatch: pytest.MonkeyPatch, select: Select
) -> None:
    executed(held, approved(held, "A1"))
    removed: list[str] = []
    whole = ObjectStore.remove

    def dies(store: ObjectStore, warrant: Warrant) -> None:
        if removed:
            raise Killed
        whole(store, warrant)
        removed.append(warrant.sha256)

    monkeypatch.setattr(ObjectStore, "remove", dies)
    with pytest.raises(Killed):
        remove_objects(held.engine, objects, at=NOW, **WHO)
    monkeypatch.setattr(ObjectStore, "remove", whole)
    assert select("SELECT count(*), count(removed_at) FROM archive.disposed_object") == [(3, 0)]
    assert remove_objects(held.engine, objects, at=NOW, **WHO).objects == 3
    assert remove_objects(held.engine, objects, at=NOW, **WHO) == Removed()
    assert select("SELECT count(*), count(removed_at) FROM archive.disposed_object") == [(3, 3)]
    assert select("SELECT count(*) FROM archive.disposed_object JOIN archive.object USING (sha256)") == [(0,)]


def test_what_comes_in_again_before_the_removal_stays(
    held: Archive, batch: MakeBatch, objects: ObjectStore
) -> None:
    executed(held, approved(held, "A1"))
    held.load(batch("dem-2"), [archived(objects, "D1", number="9", files={"lai.pdf": b"rieng"})])
    assert (
        remove_objects(held.engine, objects, at=NOW, **WHO).waiting_for == ()
    )  # the clock of the run is old
    name = objects.put_bytes(b"rieng")
    assert not name.created
    assert remove_objects(held.engine, objects, at=NOW, **WHO).kept == 1


@pytest.mark.parametrize("column", ["segment_sha256", "record_sha256", "token_sha256"])
def test_what_an_anchor_needs_stays_though_a_document_carried_it_too(
    held: Archive, objects: ObjectStore, column: str
) -> None:
    name = objects.put_bytes(b"rieng").sha256
    names = {
        key: name if key == column else "0" * 64
        for key in ("segment_sha256", "record_sha256", "token_sha256")
    }
    with held.engine.begin() as connection:
        connection.execute(
            sa.text(
                """INSERT INTO archive.anchor (number, at, tree_size, root, head, segment_sha256, record_sha256,
                  token_sha256)
                VALUES (1, now(), 1, 'r', 'h', :segment_sha256, :record_sha256, :token_sha256)"""
            ),
            names,
        )
    executed(held, approved(held, "A1"))
    assert remove_objects(held.engine, objects, at=NOW, **WHO).objects == 2
    assert objects.exists(name)


def test_the_record_of_anothers_later_check_stays_though_a_document_carried_it_too(
    held: Archive, objects: ObjectStore
) -> None:
    name = objects.put_bytes(b"rieng").sha256
    with held.engine.begin() as connection:
        connection.execute(
            sa.text(
                """INSERT INTO archive.verification (document_id, version, check_no, run_id, reasons, sha256,
                  trust_epoch, verified_at)
                VALUES (:document, 1, 1, :document, '{}', :name, '', now())"""
            ),
            {"document": identity("B1"), "name": name},
        )
    executed(held, approved(held, "A1"))
    assert remove_objects(held.engine, objects, at=NOW, **WHO).objects == 2
    assert objects.exists(name)


def test_a_run_under_way_keeps_its_objects(held: Archive, batch: MakeBatch, objects: ObjectStore) -> None:
    executed(held, approved(held, "A1"))
    under_way = batch("dem-2")
    soon = NOW.replace(year=2026, month=3, day=3)
    assert remove_objects(held.engine, objects, at=soon, **WHO) == Removed(waiting_for=(f"{NOTES} (dem-2)",))
    record_listed(held.engine, under_way.run, 0, 0, 0)
    account(held.engine, under_way.run)
    assert remove_objects(held.engine, objects, at=soon, **WHO).objects == 3


def test_audit_and_fixity_know_what_was_destroyed_and_find_what_was_not(
    archive: Archive, batch: MakeBatch, objects: ObjectStore, select: Select
) -> None:
    engine = archive.engine
    run = batch()
    record_listed(engine, run.run, 2, 0, 1)
    archive.load(
        run,
        [
            archived(
                objects, "A1", issued=OLD, retention="10 năm", files={"a.pdf": b"rieng"}, verdicts=(passed(),)
            ),
            archived(objects, "B1", number="7", issued=OLD, retention="Vĩnh viễn", files={"b.pdf": b"giu"}),
        ],
    )
    account(engine, run.run, now=NOW)
    refresh(engine)

    def looked() -> dict[str, int]:
        report = check_objects(engine, objects, orphan_age=timedelta(0))
        return dict(audit(engine, objects, full=True, fixity=report).counts)

    before = looked()
    executed(archive, approved(archive, "A1"))
    assert looked() == before, "given up, not yet removed"
    remove_objects(engine, objects, at=NOW, **WHO)
    assert looked() == before
    with engine.begin() as connection:
        connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        connection.execute(
            sa.text("INSERT INTO archive.disposed_version SELECT :d, 1, gen_random_uuid(), '{}', now()"),
            {"d": identity("B1")},
        )
    found = looked()
    assert found.get("row_added", 0) == before.get("row_added", 0) + 1, "nobody decided that"


def test_the_clerk_may_do_it_and_what_only_a_sealed_document_needs_stays(
    archive: Archive, batch: MakeBatch, objects: ObjectStore, archive_url: str
) -> None:
    sealed = archived(objects, "S1", number="9", files={"b.pdf": b"chung"})
    archive.load(
        batch(), [archived(objects, "A1", issued=OLD, retention="10 năm", files={"a.pdf": b"chung"}), sealed]
    )
    end_runs(archive.engine)
    with archive.engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE archive.document SET access = 'sealed' WHERE id = :d"), {"d": identity("S1")}
        )
    clerk = Archive(create_engine(archive_url, Role.CLERK), objects)
    executed(clerk, approved(clerk, "A1"))
    assert remove_objects(clerk.engine, objects, at=NOW, **WHO).objects == 2
    assert objects.exists(objects.put_bytes(b"chung").sha256)
    assert not objects.put_bytes(b"chung").created
    clerk.engine.dispose()


def test_the_store_removes_nothing_without_a_warrant(objects: ObjectStore) -> None:
    name = objects.put_bytes(b"du lieu").sha256
    with pytest.raises(FatalError, match="only under a disposal"):
        objects.remove(Warrant(name, 7))
    assert objects.exists(name)


def test_the_same_revision_does_not_come_in_again_and_a_new_one_does(
    held: Archive, batch: MakeBatch, objects: ObjectStore
) -> None:
    executed(held, approved(held, "A1"))
    assert held.known(NOTES, [("A1", "1"), ("A1", "2")]) == {("A1", "1")}
    held.load(batch("dem-2"), [archived(objects, "A1", revision="2", issued=OLD, retention="10 năm")])
    (view,) = find_document(held.engine, "A1")
    assert [version.subject is None for version in view.versions] == [True, False]  # type: ignore[union-attr]


def test_a_document_that_changed_meanwhile_is_not_destroyed(
    held: Archive, batch: MakeBatch, objects: ObjectStore
) -> None:
    disposal = approved(held, "A1")
    decision = execution_decision(held.engine, disposal, identity("A1"), **WHO)
    held.load(batch("dem-2"), [archived(objects, "A1", revision="2", issued=OLD, retention="10 năm")])
    with pytest.raises(ConfigurationError, match="changed while"):
        decide(held.engine, decision, NOW)
    with pytest.raises(ConfigurationError, match="changed while"):
        decide(held.engine, replace(decision, values={**decision.values, "objects": []}), NOW)


def test_replayed_over_an_archive_that_lost_the_manifests_the_rows_are_the_same(
    held: Archive, archive_url: str, select: Select
) -> None:
    executed(held, approved(held, "A1"))
    decisions = [
        (decision, at)
        for source, object_, payload, at in select(
            "SELECT source, object, payload, at FROM archive.event ORDER BY seq"
        )
        if (decision := read_decision(str(source), str(object_), json.loads(str(payload))))
    ]
    before = everything(archive_url)
    with psycopg.connect(archive_url.replace("+psycopg", "")) as connection:
        connection.execute("SET session_replication_role = replica")
        for table in ("relation", "dossier_document", "document_version"):
            connection.execute(f"DELETE FROM archive.{table} WHERE document_id = '{identity('A1')}'")
        connection.execute(f"DELETE FROM archive.document WHERE id = '{identity('A1')}'")
        connection.execute(
            """TRUNCATE archive.disposal, archive.disposal_document, archive.disposed_version,
            archive.disposed_object, archive.dossier, archive.dossier_document"""
        )
    with psycopg.connect(archive_url.replace("+psycopg", "")) as connection:
        cursor = connection.cursor()
        for decision, _ in decisions:
            if decision.kind == "disposal_execution":
                restore_trace(cursor, decision)
        for decision, at in decisions:
            KINDS[decision.kind].apply(cursor, decision, at)  # type: ignore[arg-type]
    refresh(held.engine)
    assert everything(archive_url) == before
