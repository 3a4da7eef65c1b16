"""Making the database again from the object store alone: every row as it was, and what is missing said."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.anchors import make_anchor
from archive.canonical import Json
from archive.database import create_engine
from archive.decision import Decision
from archive.decisions import KINDS, decide
from archive.disposal import execution_decision, request_decision
from archive.disposal_removal import remove_objects
from archive.dossiers import refresh
from archive.embedded import EmbeddedServer
from archive.identities import document_id, dossier_id
from archive.ledger import Entry, Head, head, verify_chain
from archive.ledger_segment import SegmentHead, segment_lines
from archive.loader import Archive, Batch, Outcome, Withheld
from archive.objects import ObjectStore
from archive.presence import mark_presence
from archive.queries import find_with_recalled
from archive.rebuild import Rebuilt, rebuild
from archive.rebuild_compare import TableComparison, compare
from archive.rebuild_scan import Contents, StoredLedger
from archive.runs import account, record_listed, start_run
from archive.same_as import link_decision
from schemas.document import RelationKind
from schemas.errors import ConfigurationError, FatalError
from schemas.record import Window
from tests.archive.office_records import CLOCK, archived, passed, quarantined, relation, unsigned

pytestmark = pytest.mark.postgres
SOURCE = "notes_van_ban_di"
Fresh = Callable[[], sa.Engine]


@pytest.fixture
def fresh(postgres_server: EmbeddedServer, template: str) -> Iterator[Fresh]:
    """Makes empty databases, dropped afterwards."""
    made: list[tuple[str, sa.Engine]] = []
    with psycopg.connect(postgres_server.url("postgres", "postgresql"), autocommit=True) as connection:

        def make() -> sa.Engine:
            name = f"rebuilt_{os.getpid()}_{len(made)}"
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
            made.append((name, create_engine(postgres_server.url(name))))
            return made[-1][1]

        yield make
        for name, engine in made:
            engine.dispose()
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def differences(living: sa.Engine, made: sa.Engine) -> list[TableComparison]:
    with living.connect() as one, made.connect() as other:
        return [table for table in compare(one, other) if not table.equal]


def made_again(engine: sa.Engine, objects: ObjectStore, fresh: Fresh) -> tuple[Rebuilt, sa.Engine]:
    make_anchor(engine, objects, now=CLOCK + timedelta(days=30))
    refresh(engine)
    made = fresh()
    return rebuild(made, objects), made


@pytest.fixture
def lived(
    archive: Archive, engine: sa.Engine, objects: ObjectStore, batch: Callable[..., Batch]
) -> sa.Engine:
    """An archive that has seen most of what an archive sees."""
    record_listed(engine, batch().run, 5, 0, 1)
    first: list[Outcome] = [
        archived(
            objects, "A1", files={"a.pdf": b"%PDF mot"}, verdicts=(passed(), unsigned()), file_code="01"
        ),
        archived(objects, "A1", revision="2", changed_at=CLOCK, files={"a.pdf": b"%PDF hai"}, file_code="01"),
        quarantined("A2"),
        quarantined("A3"),
        Withheld("A4", "1", "mat", "field:DoMat"),
    ]
    archive.load(batch(), first)
    account(engine, batch().run, now=CLOCK)
    archive.load(
        batch(source="dieu_hanh"),
        [
            archived(objects, "B1", source="dieu_hanh", uid="G1", files={"b.pdf": b"%PDF mot"}),
            archived(
                objects, "B2", source="dieu_hanh", number="161", business_type="recall",
                relations=(relation(RelationKind.RECALLS, uid="G1"),),
            ),
        ],
    )  # fmt: skip
    make_anchor(engine, objects, now=CLOCK)
    archive.load(batch("dem-2"), [archived(objects, "A2"), quarantined("A3")])
    archive.load(batch("dem-3"), [replace(quarantined("A3"), message="Lỗi khác"), quarantined("A5")])
    archive.load(batch("dem-4"), [Withheld("A3", "1", "toi_mat", "stamp")])
    mark_presence(engine, SOURCE, batch("dem-4").run, ["A2"], CLOCK + timedelta(days=1))
    mark_presence(engine, SOURCE, batch("dem-4").run, ["A1"], CLOCK + timedelta(days=2))
    pair = sorted(view.document for view in find_with_recalled(engine, "160-KL/TU"))[:2]
    decide(
        engine,
        link_decision((pair[0], pair[1]), "refused", by="Trần Thị Mẫu", account="vanthu", why="Bản giấy"),
        CLOCK,
    )
    archive.load(batch("dem-5"), [archived(objects, "A6", number="160", files={"c.pdf": b"%PDF mot"})])
    return engine


def test_the_store_alone_makes_every_row_again(lived: sa.Engine, objects: ObjectStore, fresh: Fresh) -> None:
    done, made = made_again(lived, objects, fresh)
    assert done.troubles == []
    assert differences(lived, made) == []
    assert (done.head, done.anchors) == (head(lived), 2)
    assert verify_chain(made) == []


def test_what_left_as_a_secret_stays_away(
    archive: Archive, engine: sa.Engine, objects: ObjectStore, batch: Callable[..., Batch], fresh: Fresh
) -> None:
    def failed(key: str, text: bytes) -> Outcome:
        original, file = (objects.put_bytes(data).sha256 for data in (key.encode(), text))
        return replace(quarantined(key), stage="map", original_sha256=original, files=(file,))

    record_listed(engine, batch().run, 2, 0, 1)
    archive.load(batch(), [failed("A1", b"chung"), failed("A2", b"rieng")])
    account(engine, batch().run, now=CLOCK)
    archive.load(batch("dem-2"), [archived(objects, "B1", files={"a.txt": b"chung"})])
    archive.load(batch("dem-3"), [Withheld(key, "1", "mat", "stamp") for key in ("A1", "A2", "A3")])
    archive.load(batch("dem-4"), [failed("A2", b"rieng"), failed("A3", b"khac"), failed("A4", b"mot")])
    archive.load(batch("dem-5"), [failed("A4", b"hai"), failed("A2", b"rieng")])
    archive.load(batch("dem-6"), [failed("A4", b"mot")])
    done, made = made_again(engine, objects, fresh)
    assert done.troubles == []
    assert differences(engine, made) == []


def test_the_time_stamps_of_the_anchors_are_found(
    lived: sa.Engine, objects: ObjectStore, fresh: Fresh
) -> None:
    def stamp(record: bytes) -> bytes:
        return b"\x30" + hashlib.sha256(record).digest()

    for days in (30, 31):
        make_anchor(lived, objects, stamp=stamp, renew=True, now=CLOCK + timedelta(days=days))
    objects.put_bytes(b"0 of some other kind")
    refresh(lived)
    made = fresh()
    assert rebuild(made, objects).troubles == []
    assert differences(lived, made) == []
    with made.connect() as connection:
        stamped = connection.scalars(
            sa.text("SELECT token_sha256 IS NOT NULL FROM archive.anchor ORDER BY number")
        )
        assert list(stamped) == [False, True, True]


def test_a_changed_row_is_named(lived: sa.Engine, objects: ObjectStore, fresh: Fresh) -> None:
    _, made = made_again(lived, objects, fresh)
    with lived.begin() as connection:
        connection.execute(
            sa.text("DELETE FROM archive.run_batch WHERE number = 1 AND archived = 2 AND withheld = 1")
        )
        connection.execute(sa.text("UPDATE archive.quarantine SET attempts = 9 WHERE source_key = 'A5'"))
    found = {table.name: [kind for _, kind in table.keys] for table in differences(lived, made)}
    assert found == {"quarantine": ["differs"], "run_batch": ["added"]}


def test_a_database_that_holds_an_archive_is_left_alone(lived: sa.Engine, objects: ObjectStore) -> None:
    events = head(lived)
    with pytest.raises(ConfigurationError, match="holds an archive already"):
        rebuild(lived, objects)
    assert head(lived) == events


def test_a_missing_manifest_is_told_and_the_rest_is_made(
    lived: sa.Engine,
    objects: ObjectStore,
    fresh: Fresh,
    select: Callable[..., list[tuple[object, ...]]],
    tmp_path: Path,
) -> None:
    make_anchor(lived, objects, now=CLOCK + timedelta(days=30))
    ((sha256,),) = select(
        """SELECT manifest_sha256 FROM archive.document_version v JOIN archive.document d ON d.id = v.document_id
        WHERE source_key = 'B1'"""
    )
    (tmp_path / "objects" / "sha256" / str(sha256)[:2] / str(sha256)).unlink()
    made = fresh()
    done = rebuild(made, objects)
    assert [trouble.kind for trouble in done.troubles] == ["missing"]
    assert str(sha256) in done.troubles[0].message
    assert not done.whole
    with made.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM archive.document")) == 4


def test_a_missing_piece_of_the_ledger_stops(
    lived: sa.Engine,
    objects: ObjectStore,
    fresh: Fresh,
    select: Callable[..., list[tuple[object, ...]]],
    tmp_path: Path,
) -> None:
    make_anchor(lived, objects, now=CLOCK + timedelta(days=30))
    (first, _) = select("SELECT segment_sha256 FROM archive.anchor ORDER BY number")
    (tmp_path / "objects" / "sha256" / str(first[0])[:2] / str(first[0])).unlink()
    with pytest.raises(FatalError, match="do not join"):
        rebuild(fresh(), objects)


def test_a_ledger_of_many_years_has_more_segments_than_a_call_stack_has_room(objects: ObjectStore) -> None:
    written: list[tuple[str, int, Head]] = []
    before = Head()
    for number in range(1, sys.getrecursionlimit() + 50):
        entry = Entry(
            before.hash, number, CLOCK, "accounting", "success", "", "a", None, "{}", f"{number:064x}"
        )
        lines = b"".join(segment_lines(SegmentHead(number, before), [entry]))
        written.append((objects.put_bytes(lines).sha256, number, before))
        before = Head(entry.seq, entry.hash)
    ledger = StoredLedger(objects, Contents(segments=written))
    assert ledger.segments == [sha256 for sha256, _, _ in written]


def test_what_the_ledger_does_not_tell_of_is_named_and_not_entered(
    lived: sa.Engine, objects: ObjectStore, fresh: Fresh
) -> None:
    stray = archived(objects, "C9")
    done, made = made_again(lived, objects, fresh)
    assert [(trouble.kind, trouble.where) for trouble in done.troubles] == [
        ("unknown", f"object {stray.manifest_sha256}")
    ]
    assert done.whole
    assert differences(lived, made) == []


def test_secret_words_leave_the_store(lived: sa.Engine, objects: ObjectStore) -> None:
    kept = [objects.open(name).read() for name in objects]
    assert not any("Lỗi khác".encode() in data for data in kept)
    assert any("Thẻ đóng".encode() in data for data in kept)  # of A5, which is no secret


OUTCOME = st.sampled_from(["archived", "revised", "quarantined", "other failure", "withheld", "recall"])


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    nights=st.lists(
        st.lists(st.tuples(OUTCOME, st.integers(1, 4)), min_size=1, max_size=5), min_size=1, max_size=4
    )
)
def test_whatever_an_archive_has_seen_it_is_made_again(
    nights: list[list[tuple[str, int]]],
    archive_database: str,
    postgres_server: EmbeddedServer,
    template: str,
    tmp_path_factory: pytest.TempPathFactory,
    fresh: Fresh,
) -> None:
    engine, made = fresh(), fresh()
    objects = ObjectStore(tmp_path_factory.mktemp("objects"))
    archive = Archive(engine, objects, clock=lambda: CLOCK)
    for night, lines in enumerate(nights):
        run = start_run(engine, SOURCE, "sync", Window(), f"dem-{night}", now=CLOCK)
        record_listed(engine, run, len(lines), 0, 1)
        archive.load(Batch(SOURCE, run, 1), [_outcome(objects, *line) for line in lines])
        account(engine, run, now=CLOCK)
    make_anchor(engine, objects, now=CLOCK)
    refresh(engine)
    assert rebuild(made, objects).whole
    assert differences(engine, made) == []
    for one in (engine, made):
        one.dispose()


def _outcome(objects: ObjectStore, kind: str, number: int) -> Outcome:
    key = f"A{number}"
    match kind:
        case "archived" | "revised":
            revision = "1" if kind == "archived" else "2"
            return archived(
                objects, key, revision=revision, uid=f"G{number}", files={"a.pdf": bytes([number % 2])}
            )
        case "recall":
            target = (relation(RelationKind.RECALLS, uid=f"G{number}"),)
            return archived(
                objects, f"T{number}", number=str(number), business_type="recall", relations=target
            )
        case "withheld":
            return Withheld(key, "1", "mat", "stamp")
        case _:
            return quarantined(key, reason="xml_malformed" if kind == "quarantined" else "date_missing")


@pytest.fixture
def decided(
    archive: Archive, engine: sa.Engine, objects: ObjectStore, batch: Callable[..., Batch]
) -> sa.Engine:
    """An archive in which people decided of every kind but disposal, between two nights."""
    record_listed(engine, batch().run, 3, 0, 1)
    within = {"file_code": "HS.03", "file_title": "Chuyển đổi số", "term": "2020-2025"}
    first = [archived(objects, f"A{n}", number=str(n), files={"a.pdf": bytes([n])}, **within) for n in (1, 2)]
    archive.load(batch(), [*first, archived(objects, "B1", number="9")])
    account(engine, batch().run, now=CLOCK)
    refresh(engine)
    one, two, other = (str(document_id(SOURCE, key)) for key in ("A1", "A2", "B1"))
    dossier = str(dossier_id(SOURCE, "HS.03", "2020-2025"))
    series = "notes_van_ban_di|KL|2025"
    member: dict[str, Json] = {"origin": "records", "position": None}
    organ: dict[str, Json] = {
        "code": "BTG", "name": "Ban Tuyên giáo", "system": "party", "valid_from": "2020-01-01", "valid_to": None,
        "successor": None, "former_codes": ["TG"], "letters": None,
    }  # fmt: skip
    steps: list[tuple[str, str, dict[str, Json]]] = [
        ("dossier", dossier, {"origin": "records", "set": {"note": "Đã chỉnh lý", "paper_count": 12}}),
        ("dossier_document", dossier, {**member, "document": other, "state": "in", "position": 1}),
        ("dossier_document", dossier, {**member, "document": two, "state": "out"}),
        ("hold", one, {"case": "12/2026", "kind": "document"}),
        ("hold", dossier, {"case": "13/2026", "kind": "dossier"}),
        ("release_hold", "12/2026", {"case": "12/2026", "on": None}),
        ("known_gap", series, {"first": 3, "last": 4, "reason": "cancelled"}),
        ("known_gap", series, {"first": 6, "last": 6, "reason": "secret"}),
        ("known_gap", series, {"first": 3, "last": 4, "withdraw": True}),
        ("access", one, {"access": "sealed", "seen": 1}),
        ("access", two, {"access": "sealed", "seen": 1}),
        ("access", two, {"access": "open", "seen": 1}),
        ("retention", other, {"retention": "20 năm"}),
        ("retention_rule", "KL", {"type_code": "KL", "retention": "50 năm", "basis": "Bảng thời hạn"}),
        ("fonds", "A99.01", {"code": "A99.01", "name": "Phông Tỉnh ủy", "sources": [SOURCE]}),
        ("organ", "BTG", organ),
    ]
    for minutes, (kind, object_, values) in enumerate(steps):
        at = CLOCK + timedelta(days=1, minutes=minutes)
        decide(engine, Decision(kind, object_, "Lê Văn Duyệt", "chanhvp", "Đã xem xét", values, SOURCE), at)
    archive.load(
        batch("dem-2"),
        [
            archived(objects, "A2", revision="2", number="2", use_regime="Lưu hành nội bộ", **within),
            archived(objects, "A4", number="4", relations=(relation(RelationKind.CITES, number="1"),)),
        ],
    )
    return engine


def test_what_people_decided_is_decided_again(decided: sa.Engine, objects: ObjectStore, fresh: Fresh) -> None:
    done, made = made_again(decided, objects, fresh)
    assert done.troubles == []
    assert differences(decided, made) == []
    kinds = set(KINDS) - {kind for kind in KINDS if kind.startswith("disposal")} - {"link", "object_removal"}
    with made.connect() as connection:
        told = connection.scalars(
            sa.text(
                "SELECT DISTINCT payload::jsonb->>'decision' FROM archive.event WHERE payload LIKE '%decision%'"
            )
        )
        assert set(told) == kinds


def test_a_rebuild_killed_before_a_decision_is_gone_on_with(
    decided: sa.Engine, objects: ObjectStore, fresh: Fresh, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_anchor(decided, objects, now=CLOCK + timedelta(days=30))
    refresh(decided)
    made = fresh()

    def killed(_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("archive.rebuild.refresh", killed)  # what the first decision about a dossier waits for
        with pytest.raises(KeyboardInterrupt):
            rebuild(made, objects)
    assert head(made).seq > 0
    assert rebuild(made, objects, go_on=True).troubles == []
    assert differences(decided, made) == []


PEOPLE = {"by": "Trần Thị Mẫu", "account": "vanthu", "why": "Hết thời hạn bảo quản"}


@pytest.mark.parametrize("removed", [False, True])
def test_what_was_destroyed_stays_destroyed_with_its_trace(
    archive: Archive,
    engine: sa.Engine,
    objects: ObjectStore,
    batch: Callable[..., Batch],
    fresh: Fresh,
    removed: bool,
) -> None:
    now = CLOCK + timedelta(days=10)
    record_listed(engine, batch().run, 3, 0, 1)
    old = {"issued": date(2000, 5, 20), "retention": "10 năm", "file_code": "01"}
    files = {"a.pdf": b"rieng", "chung.pdf": b"chung"}
    cites = (relation(RelationKind.CITES, number="9"),)
    archive.load(
        batch(),
        [
            archived(objects, "A1", files=files, relations=cites, verdicts=(passed(),), **old),
            archived(objects, "B1", number="7", files={"c.pdf": b"chung"}),
            archived(objects, "A2", number="8", **old),
        ],
    )
    account(engine, batch().run, now=CLOCK)
    refresh(engine)
    doomed = str(document_id(SOURCE, "A1"))
    asked = request_decision(engine, [doomed], "Hồ sơ 01", at=now, **PEOPLE)
    decide(engine, asked, now)
    approval = Decision("disposal_approval", asked.object, "Lê Văn Duyệt", "chanhvp", "Đã kiểm tra")
    decide(engine, approval, now)
    decide(engine, execution_decision(engine, asked.object, doomed, **PEOPLE), now)
    if removed:
        assert remove_objects(engine, objects, at=now, **PEOPLE).objects == 3
    done, made = made_again(engine, objects, fresh)
    assert done.troubles == []
    assert differences(engine, made) == []
    if removed:  # and once more from the source, which still lists it
        record_listed(engine, batch("dem-9").run, 1, 0, 1)
        archive.load(batch("dem-9"), [archived(objects, "A1", revision="2", files=files, **old)])
        account(engine, batch("dem-9").run, now=now)
        make_anchor(engine, objects, now=CLOCK + timedelta(days=31))
        refresh(engine)
        made = fresh()
        assert rebuild(made, objects).troubles == []
        assert differences(engine, made) == []
