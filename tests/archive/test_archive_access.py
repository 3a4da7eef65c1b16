"""Who may do what: the database's roles, really worked as."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa

from archive.access import access_decision, readable
from archive.access_rights import DEFINERS, RIGHTS, rights_mark
from archive.access_roles import Role, ensure_roles, usable_role
from archive.audit_facts import SETTLED
from archive.canonical import canonical_text
from archive.cursors import psycopg_cursor
from archive.database import create_engine
from archive.decisions import KINDS, decide, read_decision
from archive.dossiers import refresh
from archive.embedded import EmbeddedServer
from archive.identities import document_id
from archive.ledger import verify_chain
from archive.loader import Archive, Batch
from archive.migrate import migrate
from archive.objects import ObjectStore
from archive.queries import find_with_recalled
from archive.reading import Reader, Reading, read_object, record_readings
from schemas.access import AccessClass
from schemas.document import RecordKind, RelationKind
from schemas.errors import ConfigurationError, FatalError
from tests.archive.conftest import SOURCE, as_login
from tests.archive.office_records import CLOCK, archived, quarantined, relation

pytestmark = pytest.mark.postgres
READERS = (Role.READER, Role.CLERK, Role.AUDITOR)


@pytest.fixture
def worked_as(archive_url: str) -> Iterator[Callable[[Role], sa.Engine]]:
    """Engines that work under a role."""
    engines: list[sa.Engine] = []

    def work(role: Role) -> sa.Engine:
        engines.append(create_engine(archive_url, role))
        return engines[-1]

    yield work
    for engine in engines:
        engine.dispose()


@pytest.fixture
def ask(worked_as: Callable[[Role], sa.Engine]) -> Callable[..., list[object]]:
    """The first column of a query under a role."""

    def asked(role: Role, query: str, **values: object) -> list[object]:
        with worked_as(role).connect() as connection:
            return list(connection.scalars(sa.text(query), values))

    return asked


def test_every_table_has_a_decision_on_who_may_use_it(engine: sa.Engine) -> None:
    """A migration that adds a table adds its line to ``archive.access_rights.RIGHTS``."""
    with engine.connect() as connection:
        tables = set(sa.inspect(connection).get_table_names("archive"))
    assert tables == set(RIGHTS)


def test_a_table_without_a_decision_is_for_the_loader_only(database_url: str) -> None:
    engine = create_engine(database_url)
    migrate(engine)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE archive.forgotten (subject text)"))
        connection.execute(sa.text("COMMENT ON SCHEMA archive IS 'rights of another version'"))
    migrate(engine)
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT obj_description('archive'::regnamespace)")) == rights_mark()
    engine.dispose()
    for role in READERS:
        reading = create_engine(database_url, role)
        with (
            reading.connect() as connection,
            pytest.raises(sa.exc.ProgrammingError, match="permission denied"),
        ):
            connection.execute(sa.text("SELECT * FROM archive.forgotten"))
        reading.dispose()


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.OWNER])
def test_nobody_changes_or_removes_what_is_append_only(
    role: Role,
    worked_as: Callable[[Role], sa.Engine],
    archive: Archive,
    batch: Callable[..., Batch],
    objects: ObjectStore,
) -> None:
    archive.load(batch(), [archived(objects, "A" * 32, files={"a.pdf": b"%PDF"})])
    engine = worked_as(role)
    for table in (
        "document_version",
        "attachment",
        "signature_verdict",
        "handling_step",
        "verification",
        "verdict_set_aside",
        "event",
        "withheld",
    ):
        for statement in (
            f"DELETE FROM archive.{table}",
            f"TRUNCATE archive.{table} CASCADE",
            f"ALTER TABLE archive.{table} DISABLE TRIGGER ALL",
            f"DROP TABLE archive.{table}",
            "UPDATE archive.{0} SET {1} = {1}".format(
                table, "source" if table in ("event", "withheld") else "version"
            ),
        ):
            with (
                engine.connect() as connection,
                pytest.raises(sa.exc.ProgrammingError, match=r"permission denied|must be owner"),
            ):
                connection.execute(sa.text(statement))


def test_the_loader_loads_under_its_role(
    worked_as: Callable[[Role], sa.Engine], batch: Callable[..., Batch], objects: ObjectStore
) -> None:
    loader = Archive(worked_as(Role.LOADER), objects)
    report = loader.load(batch(), [archived(objects, "A" * 32), quarantined("B" * 32)])
    assert (report.archived, report.quarantined) == (1, 1)


def test_a_reader_sees_the_documents_of_its_classes(
    ask: Callable[..., list[object]], archive: Archive, batch: Callable[..., Batch], objects: ObjectStore
) -> None:
    records = [
        archived(objects, name, number=str(place), access=name, files={f"{name}.pdf": name.encode()})
        for place, name in enumerate(("open", "conditional", "personal", "sealed"), start=1)
    ]
    archive.load(batch(), records)
    seen = {
        Role.READER: {"open", "conditional"},
        Role.CLERK: {"open", "conditional", "personal"},
        Role.LOADER: {*AccessClass},
        Role.OWNER: {*AccessClass},
    }
    for role, classes in seen.items():
        assert set(ask(role, "SELECT unnest(archive.readable_classes())")) == classes
        assert set(ask(role, "SELECT source_key FROM archive.document")) == classes
        assert set(ask(role, "SELECT access FROM archive.document_version")) == classes
        assert set(ask(role, "SELECT name FROM archive.attachment")) == {f"{name}.pdf" for name in classes}
    assert ask(Role.AUDITOR, "SELECT unnest(archive.readable_classes())") == []


def test_whose_rights_count_is_who_the_session_works_as(
    archive_url: str, login: Callable[..., str], engine: sa.Engine
) -> None:
    name = login(Role.READER)
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                """CREATE FUNCTION archive.asked() RETURNS text[] LANGUAGE sql SECURITY DEFINER
                RETURN archive.readable_classes()"""
            )
        )
    try:
        with psycopg.connect(
            as_login(archive_url, name).replace("+psycopg", ""), autocommit=True
        ) as connection:

            def classes() -> list[list[str]]:
                row = connection.execute("SELECT archive.readable_classes(), archive.asked()").fetchone()
                assert row is not None
                return list(row)

            mine = [["open", "conditional"]] * 2
            assert classes() == mine
            connection.execute("SET ROLE archive_reader")
            assert classes() == mine
            connection.execute("SET app.role = 'archive_owner'")
            connection.execute("SET search_path = pg_temp, public, pg_catalog")
            assert classes() == mine
            for attempt in (
                "SET ROLE archive_owner",
                "SET role = 'archive_clerk'",
                "SET session_authorization = postgres",
            ):
                with pytest.raises(psycopg.Error, match=r"permission denied|does not exist"):
                    connection.execute(attempt)
            assert classes() == mine
    finally:
        with engine.begin() as connection:
            connection.execute(sa.text("DROP FUNCTION archive.asked()"))
    with engine.connect() as connection:
        connection.execute(sa.text("SET ROLE archive_clerk"))
        assert connection.scalar(sa.text("SELECT archive.readable_classes()")) == [
            "open",
            "conditional",
            "personal",
        ]


def test_a_login_that_may_not_make_roles_is_told_what_an_administrator_runs(
    archive_url: str, login: Callable[..., str]
) -> None:
    """The roles stand on the server; the login is no member of them."""
    name = login()
    engine = create_engine(as_login(archive_url, name))
    with pytest.raises(ConfigurationError) as told:
        ensure_roles(engine)
    assert f'GRANT "archive_loader" TO "{name}";' in told.value.action
    assert "CREATE ROLE" not in told.value.action
    with pytest.raises(ConfigurationError, match="may not work as archive_clerk") as told:
        usable_role(engine, (Role.CLERK,))
    assert f'GRANT "archive_clerk" TO "{name}"' in told.value.action
    engine.dispose()


def test_an_archive_works_under_a_login_without_any_power(
    postgres_server: EmbeddedServer,
    database_url: str,
    template: str,
    login: Callable[..., str],
    objects: ObjectStore,
) -> None:
    """The administrator made roles and database; the login neither makes roles nor passes row security."""
    name = login(*Role)
    database = sa.make_url(database_url).database
    with psycopg.connect(postgres_server.url("postgres", "postgresql"), autocommit=True) as connection:
        connection.execute(f'ALTER DATABASE "{database}" OWNER TO {name}')
    url = as_login(database_url, name)
    engine = create_engine(url)
    migrate(engine)
    with engine.connect() as connection:
        owners = connection.scalars(
            sa.text("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'archive'")
        )
        assert list(owners) == [Role.OWNER]
    assert usable_role(engine, (Role.CLERK, Role.READER)) is Role.CLERK
    engine.dispose()
    with psycopg.connect(postgres_server.url("postgres", "postgresql"), autocommit=True) as connection:
        connection.execute(f'ALTER DATABASE "{database}" OWNER TO CURRENT_USER')


def test_roles_are_made_once_by_many_at_once(
    postgres_server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """On a server of its own, where no role exists yet: one database each for six starters."""
    urls = []
    for number in range(6):
        postgres_server.ensure_database(f"race_{number}")
        urls.append(postgres_server.url(f"race_{number}"))
    start = threading.Barrier(6)

    def begin(url: str) -> None:
        engine = create_engine(url)
        start.wait()
        ensure_roles(engine)
        engine.dispose()

    with psycopg.connect(postgres_server.url("postgres", "postgresql"), autocommit=True) as connection:
        connection.execute("ALTER ROLE archive_loader NOBYPASSRLS")
        connection.execute("REVOKE archive_reader FROM archive_clerk")
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(begin, urls))
        for number in range(6):
            connection.execute(f"DROP DATABASE race_{number} WITH (FORCE)")
        row = connection.execute(
            "SELECT rolbypassrls, pg_has_role('archive_clerk', 'archive_reader', 'USAGE') FROM pg_roles"
            " WHERE rolname = 'archive_loader'"
        ).fetchone()
    assert row == (True, True)


READER = Reader("Trần Thị Mẫu", "ttmau", "trả lời công văn 12")


def test_a_reading_is_in_the_ledger_before_the_bytes_leave(
    engine: sa.Engine,
    worked_as: Callable[[Role], sa.Engine],
    archive: Archive,
    batch: Callable[..., Batch],
    objects: ObjectStore,
    select: Callable[..., list[tuple[object, ...]]],
) -> None:
    record = archived(objects, "A" * 32, files={"a.pdf": b"%PDF a"})
    archive.load(batch(), [record])
    document = str(document_id(SOURCE, "A" * 32))
    file = record.processed.document.attachments[0].sha256
    reading = Reading(document, file)
    with read_object(worked_as(Role.READER), objects, reading, READER) as stream:
        assert stream.read() == b"%PDF a"
    record_readings(
        worked_as(Role.CLERK),
        [reading, Reading(document, record.processed.original_sha256)],
        Reader('Lê "Mẫu" \\ \t\x7f', "lemau", "sao\nlục"),
    )
    events = select(
        "SELECT object, source, payload FROM archive.event WHERE type = 'dissemination' ORDER BY seq"
    )
    payloads = [json.loads(str(payload)) for _, _, payload in events]
    assert {row[:2] for row in events} == {(document, SOURCE)}
    assert [found["sha256"] for found in payloads] == [file, file, record.processed.original_sha256]
    assert payloads[0] == {
        "account": "ttmau",
        "login": "lienthong",
        "person": "Trần Thị Mẫu",
        "purpose": "trả lời công văn 12",
        "role": "archive_reader",
        "sha256": file,
    }
    assert payloads[1]["person"] == 'Lê "Mẫu" \\ \t\x7f'
    assert [canonical_text(found) for found in payloads] == [payload for _, _, payload in events]
    assert verify_chain(engine) == []


def test_no_file_is_handed_out_without_the_right_or_a_purpose(
    worked_as: Callable[[Role], sa.Engine],
    archive: Archive,
    batch: Callable[..., Batch],
    objects: ObjectStore,
    select: Callable[..., list[tuple[object, ...]]],
) -> None:
    other = archived(objects, "B" * 32, number="7", files={"b.pdf": b"%PDF b"})
    personal = archived(objects, "A" * 32, access="personal", files={"a.pdf": b"%PDF a"})
    archive.load(batch(), [personal, other])
    mine, foreign = (
        Reading(str(document_id(SOURCE, key)), personal.processed.original_sha256)
        for key in ("A" * 32, "B" * 32)
    )
    for role, reading in ((Role.READER, mine), (Role.CLERK, foreign), (Role.AUDITOR, mine)):
        with pytest.raises(FatalError, match=r"may not read|permission denied"):
            record_readings(worked_as(role), [reading], READER)
    with pytest.raises(ConfigurationError, match="without a person or a purpose"):
        record_readings(worked_as(Role.CLERK), [mine], Reader("ai đó", "x", " "))
    assert select("SELECT count(*) FROM archive.event WHERE type = 'dissemination'") == [(0,)]
    record_readings(worked_as(Role.CLERK), [mine], READER)
    assert select("SELECT count(*) FROM archive.event WHERE type = 'dissemination'") == [(1,)]


def restrict(engine: sa.Engine, key: str, access: AccessClass, seen: int = 1) -> str:
    document = str(document_id(SOURCE, key))
    decide(
        engine,
        access_decision(
            document, access, seen, source=SOURCE, by="Văn thư Mẫu", account="vt", why="theo chỉ đạo"
        ),
        CLOCK,
    )
    return document


def test_a_sealed_document_and_what_speaks_about_it_leave_every_reader_s_sight(
    worked_as: Callable[[Role], sa.Engine],
    ask: Callable[..., list[object]],
    archive: Archive,
    batch: Callable[..., Batch],
    objects: ObjectStore,
    engine: sa.Engine,
) -> None:
    """A neighbour that cites it keeps its own words, and learns nothing of the sealed one from the archive."""
    sealed = archived(objects, "A" * 32, number="9", uid="G9", subject="Nội dung phải giữ kín")
    status = archived(
        objects,
        "B" * 32,
        kind=RecordKind.STATUS,
        number=None,
        subject=None,
        relations=(relation(RelationKind.STATUS_OF, uid="G9"),),
    )
    citing = archived(objects, "C" * 32, number="10", relations=(relation(RelationKind.CITES, uid="G9"),))
    recall = archived(objects, "D" * 32, number="11", relations=(relation(RelationKind.RECALLS, uid="G9"),))
    archive.load(batch(), [status, citing, recall, sealed])
    twin = archived(objects, "E" * 32, source="dieu_hanh", number="9", uid="G9")
    archive.load(batch(source="dieu_hanh"), [twin])
    assert len(ask(Role.READER, "SELECT 1 FROM archive.same_as")) == 1

    clerk = worked_as(Role.CLERK)
    document = restrict(clerk, "A" * 32, AccessClass.SEALED)
    keys = {"C" * 32, "D" * 32, "E" * 32}
    for role in (Role.READER, Role.CLERK):
        assert set(ask(role, "SELECT source_key FROM archive.document")) == keys
        assert ask(role, "SELECT 1 FROM archive.same_as") == []
        assert (
            ask(
                role, "SELECT 1 FROM archive.relation_in_force WHERE target_document = :id", id=UUID(document)
            )
            == []
        )
        (view,) = find_with_recalled(worked_as(role), "C" * 32)
        (told,) = view.relations
        assert (told.other, told.other_symbol, told.other_date, told.named) == (None, None, None, "G9")
        assert "giữ kín" not in repr(view)
        assert find_with_recalled(worked_as(role), document) == []
        assert readable(worked_as(role), [document, str(document_id(SOURCE, "C" * 32))]) == {
            str(document_id(SOURCE, "C" * 32))
        }
    with pytest.raises(ConfigurationError, match="holds no such document"):
        restrict(clerk, "A" * 32, AccessClass.OPEN)
    assert set(ask(Role.OWNER, "SELECT source_key FROM archive.document WHERE access = 'sealed'")) == {
        "A" * 32,
        "B" * 32,
    }
    restrict(worked_as(Role.OWNER), "A" * 32, AccessClass.OPEN)
    assert set(ask(Role.READER, "SELECT source_key FROM archive.document")) == keys | {"A" * 32, "B" * 32}
    assert verify_chain(engine) == []


def test_what_a_person_decided_holds_until_a_later_version_is_stricter(
    engine: sa.Engine, archive: Archive, batch: Callable[..., Batch], objects: ObjectStore
) -> None:
    key = "A" * 32

    def access() -> object:
        with engine.connect() as connection:
            return connection.scalar(sa.text("SELECT access FROM archive.document"))

    archive.load(batch(), [archived(objects, key, access="personal")])
    restrict(engine, key, AccessClass.OPEN, seen=1)
    assert access() == "open"
    archive.load(batch("dem-2"), [archived(objects, key, revision="2", access="open")])
    assert access() == "open"
    archive.load(batch("dem-3"), [archived(objects, key, revision="3", access="conditional")])
    assert access() == "conditional"
    archive.load(batch("dem-4"), [archived(objects, key, revision="4", access="open")])
    assert access() == "conditional"


@pytest.mark.parametrize("first", ["status", "document"])
def test_what_speaks_about_a_personal_record_is_as_strict_whichever_comes_first(
    first: str,
    ask: Callable[..., list[object]],
    archive: Archive,
    batch: Callable[..., Batch],
    objects: ObjectStore,
) -> None:
    document = archived(objects, "A" * 32, uid="G1", access="personal")
    reply = archived(
        objects,
        "B" * 32,
        kind=RecordKind.OTHER,
        number=None,
        relations=(relation(RelationKind.RESPONSE_IN_SOURCE, uid="G1"),),
    )
    status = archived(
        objects,
        "C" * 32,
        uid="G3",
        kind=RecordKind.OTHER,
        number=None,
        relations=(relation(RelationKind.RESPONSE_IN_SOURCE, uid="B" * 32),),
    )
    order = [status, reply, document] if first == "status" else [document, reply, status]
    for number, record in enumerate(order, start=1):
        archive.load(batch(number=number), [record])
    assert ask(Role.READER, "SELECT source_key FROM archive.document") == []
    assert len(ask(Role.CLERK, "SELECT source_key FROM archive.document")) == 3


ARCHIVE_OF_ANY_SHAPE = """
SET LOCAL session_replication_role = replica;
SELECT setseed(0.25);
INSERT INTO archive.document (id, source, source_key, kind, current_version, first_received_at, access, access_decided,
  access_seen)
SELECT md5('d' || n)::uuid, 's', n::text, 'document', 1 + n % 3, now(), 'open',
  CASE WHEN n % 5 = 0 THEN (ARRAY['open', 'conditional', 'personal', 'sealed'])[1 + n % 4] END,
  CASE WHEN n % 5 = 0 THEN n % 4 END
FROM generate_series(1, 200) n;
INSERT INTO archive.document_version (document_id, version, revision, received_at, run_id, manifest_sha256,
  original_sha256, original_type, original_size, kind, form, direction, signers, recipients, flags, access)
SELECT md5('d' || n)::uuid, v, v::text, now(), md5('run')::uuid, 'm', 'o', 'application/xml', 1, 'document', 'F',
  'incoming', '{}', '{}', '[]', CASE WHEN random() < 0.9 THEN 'open' ELSE
    (ARRAY['conditional', 'personal', 'sealed'])[1 + floor(random() * 3)::int] END
FROM generate_series(1, 200) n, generate_series(1, 1 + n % 3) v;
INSERT INTO archive.relation (document_id, version, ordinal, kind, evidence, target_document)
SELECT md5('d' || n)::uuid, 1 + floor(random() * (1 + n % 3))::int, 1,
  (ARRAY['status_of', 'response_in_source', 'cites'])[1 + n % 3], '',
  CASE WHEN random() < 0.9 THEN md5('d' || 1 + floor(random() * 200)::int)::uuid END
FROM generate_series(1, 200) n
"""


def test_the_audit_settles_every_class_as_loading_settles_the_documents_of_a_batch(engine: sa.Engine) -> None:
    """Whatever follows what, in chains and in circles."""
    with engine.begin() as connection:
        for statement in ARCHIVE_OF_ANY_SHAPE.split(";"):
            connection.execute(sa.text(statement))
        nightly = f"WITH RECURSIVE {SETTLED} SELECT id, access FROM settled ORDER BY 1"
        each = "SELECT * FROM archive.settled_access(ARRAY(SELECT id FROM archive.document)) ORDER BY 1"
        found = connection.execute(sa.text(nightly)).all()
        assert found == connection.execute(sa.text(each)).all()
        stricter = sa.text("""SELECT count(*) FROM archive.relation r JOIN archive.document d ON d.id = r.document_id
          AND d.current_version = r.version WHERE r.kind <> 'cites' AND r.target_document IS NOT NULL""")
        assert connection.scalar(stricter) > 30
    counts = Counter(row.access for row in found)
    assert set(counts) == {"open", "conditional", "personal", "sealed"}
    assert counts.total() == 200


def test_decisions_on_access_come_back_from_the_ledger(
    engine: sa.Engine, archive: Archive, batch: Callable[..., Batch], objects: ObjectStore
) -> None:
    """Replayed after all versions are back, in one order, they give what they gave between them."""
    key = "A" * 32
    archive.load(batch(), [archived(objects, key)])
    restrict(engine, key, AccessClass.PERSONAL, seen=1)
    archive.load(batch("dem-2"), [archived(objects, key, revision="2", access="conditional")])
    restrict(engine, key, AccessClass.OPEN, seen=2)
    archive.load(batch("dem-3"), [archived(objects, key, revision="3", access="conditional")])
    row = sa.text("SELECT access, access_decided, access_seen FROM archive.document")
    with engine.begin() as connection:
        live = connection.execute(row).one()
        connection.execute(
            sa.text(
                "UPDATE archive.document SET access = 'personal', access_decided = NULL, access_seen = NULL"
            )
        )
        events = connection.execute(
            sa.text(
                "SELECT source, object, payload, at FROM archive.event WHERE type = 'access change' ORDER BY seq"
            )
        ).all()
        cursor = psycopg_cursor(connection)
        for event in events:
            decision = read_decision(event.source, event.object, json.loads(event.payload))
            assert decision is not None
            KINDS[decision.kind].apply(cursor, decision, event.at)
        assert connection.execute(row).one() == live
    assert tuple(live) == ("conditional", "open", 2)


SELECTABLE = {
    # What no reader sees: the ledger (who read what), what was set aside, what search and audits work with, disposals.
    Role.READER: {
        "archive_alembic_version",
        "attachment",
        "document",
        "document_version",
        "dossier",
        "dossier_document",
        "fonds",
        "handling_step",
        "known_gap",
        "known_list",
        "object",
        "organ",
        "relation",
        "retention_decision",
        "retention_rule",
        "run",
        "run_batch",
        "same_as",
        "search_state",
        "signature_verdict",
        "source",
        "verdict_set_aside",
        "verification",
        "verification_run",
    },
}
SELECTABLE[Role.CLERK] = SELECTABLE[Role.READER] | {
    "anchor",
    "disposal",
    "disposal_document",
    "disposed_object",
    "disposed_version",
    "event",
    "inventory",
    "legal_hold",
    "quarantine",
    "withheld",
}
CONTENT = {
    "attachment": ("name", "item"),
    "document_version": (
        "subject",
        "number",
        "symbol",
        "issuer_name",
        "signers",
        "recipients",
        "file_title",
        "flags",
    ),
    "dossier": ("title", "note"),
    "extracted_text": ("text",),
    "handling_step": ("staff", "text"),
    "quarantine": ("message", "location", "context", "source_key"),
    "relation": ("reason", "target_symbol", "evidence"),
    "same_as": ("evidence", "decided_why"),
    "search_body": ("subject", "body"),
    "search_entry": ("head", "words"),
    "signature_verdict": ("file_name", "signer_name", "verdict"),
}


@pytest.mark.parametrize("role", [Role.READER, Role.CLERK])
def test_a_role_selects_from_its_tables_and_no_others(
    role: Role, worked_as: Callable[[Role], sa.Engine], engine: sa.Engine
) -> None:
    allowed = set()
    for table in tables_of(engine):
        with worked_as(role).connect() as connection:
            try:
                connection.execute(sa.text(f"SELECT * FROM archive.{table}"))
            except sa.exc.ProgrammingError:
                continue
        allowed.add(table)
    assert allowed == SELECTABLE[role]


@pytest.mark.parametrize("role", [Role.READER, Role.AUDITOR])
def test_who_only_reads_writes_nowhere(
    role: Role, worked_as: Callable[[Role], sa.Engine], engine: sa.Engine
) -> None:
    working = worked_as(role)
    for table in tables_of(engine):
        for statement in (
            f"INSERT INTO archive.{table} DEFAULT VALUES",
            f"DELETE FROM archive.{table}",
            f"TRUNCATE archive.{table} CASCADE",
            f"SELECT * FROM archive.{table} FOR UPDATE",
        ):
            with (
                working.connect() as connection,
                pytest.raises(sa.exc.ProgrammingError, match="permission denied"),
            ):
                connection.execute(sa.text(statement))


def test_an_auditor_sees_what_happened_and_no_content(
    worked_as: Callable[[Role], sa.Engine],
    ask: Callable[..., list[object]],
    archive: Archive,
    batch: Callable[..., Batch],
    objects: ObjectStore,
) -> None:
    archive.load(batch(), [archived(objects, "A" * 32, access="personal"), quarantined("B" * 32)])
    for table, columns in CONTENT.items():
        for column in columns:
            with (
                worked_as(Role.AUDITOR).connect() as connection,
                pytest.raises(sa.exc.ProgrammingError, match="permission denied"),
            ):
                connection.execute(sa.text(f"SELECT {column} FROM archive.{table}"))
    every = "SELECT hash FROM archive.event"
    assert ask(Role.AUDITOR, every) == ask(Role.OWNER, every) != []
    assert not [
        found for found in ask(Role.AUDITOR, "SELECT payload FROM archive.event") if "Thẻ đóng" in str(found)
    ]
    assert ask(Role.AUDITOR, "SELECT manifest_sha256 FROM archive.document_version") != []
    assert ask(Role.AUDITOR, "SELECT reason FROM archive.quarantine") == ["xml_malformed"]
    for table in ("anchor", "run", "run_batch", "fixity", "inventory"):
        ask(Role.AUDITOR, f"SELECT count({'source' if table == 'inventory' else '*'}) FROM archive.{table}")


def test_functions_that_run_as_the_owner_are_decided_on_and_cannot_be_led_astray(engine: sa.Engine) -> None:
    """Each has its line in ``DEFINERS``, a search_path of its own, and nobody may call it by default."""
    with engine.connect() as connection:
        rows = connection.execute(
            sa.text(
                """SELECT proname, coalesce(array_to_string(proconfig, ','), '') AS config,
                  has_function_privilege('archive_auditor', oid, 'EXECUTE') AS by_others
                FROM pg_proc WHERE pronamespace = 'archive'::regnamespace AND prosecdef"""
            )
        ).all()
    assert {row.proname for row in rows} <= set(DEFINERS)
    assert {"decide_access", "record_readings", "recalled", "dispose"} <= {row.proname for row in rows}
    assert [row.proname for row in rows if "search_path=pg_catalog" not in row.config or row.by_others] == []


def test_a_title_of_a_dossier_is_read_with_one_of_its_documents(
    engine: sa.Engine,
    ask: Callable[..., list[object]],
    archive: Archive,
    batch: Callable[..., Batch],
    objects: ObjectStore,
) -> None:
    records = [
        archived(
            objects, "A" * 32, access="personal", file_code="HS1", file_title="Hồ sơ cán bộ Nguyễn Văn Mẫu"
        ),
        archived(objects, "B" * 32, number="2", file_code="HS2", file_title="Chương trình công tác"),
    ]
    archive.load(batch(), records)
    refresh(engine)
    assert ask(Role.READER, "SELECT title FROM archive.dossier") == ["Chương trình công tác"]
    assert len(ask(Role.CLERK, "SELECT title FROM archive.dossier")) == 2


def tables_of(engine: sa.Engine) -> list[str]:
    with engine.connect() as connection:
        return sorted(sa.inspect(connection).get_table_names("archive"))
