"""Disposal by raw SQL: what a clerk's account may write into the database without the program."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from archive.access_roles import Role, personal_login
from archive.anchors import make_anchor
from archive.audit import audit
from archive.audit_facts import audit_facts
from archive.audit_finding import Findings
from archive.canonical import Json
from archive.database import create_engine
from archive.decision import Decision
from archive.decisions import decide
from archive.disposal import execution_decision, request_decision
from archive.disposal_removal import remove_objects
from archive.dossiers import refresh
from archive.fixity import check_objects
from archive.identities import document_id
from archive.loader import Archive, Batch
from archive.objects import ObjectStore
from archive.rebuild import rebuild
from archive.rebuild_compare import compare
from archive.rows import json_text
from archive.runs import account, record_listed
from schemas.errors import FatalError
from tests.archive.conftest import SOURCE, as_login
from tests.archive.office_records import archived, everything, quarantined

pytestmark = pytest.mark.postgres
NOW = datetime(2026, 11, 27, 3, tzinfo=UTC)
A1, B1 = (str(document_id(SOURCE, key)) for key in ("A1", "B1"))
TABLES = ("disposal", "disposal_document", "disposed_version", "disposed_object")
REQUEST = "SELECT archive.request_disposal(:id, 'x', :person, :person, :account, 'x', :at, CAST(:documents AS jsonb))"
CLOSE = "SELECT archive.close_disposal(:id, :verdict, :person, :person, :account, 'x', :at)"
DISPOSE = "SELECT archive.dispose(:id, :document, :at, CAST(:trace AS jsonb))"
ID = "00000000-0000-5000-8000-000000000001"
Engines = Callable[..., sa.Engine]


@pytest.fixture
def held(
    archive: Archive, batch: Callable[..., Batch], objects: ObjectStore, archive_url: str
) -> dict[str, list[str]]:
    """An old document that is due, a permanent one and a sealed one; every row of it."""
    old = archived(objects, "A1", issued=date(2000, 5, 20), retention="10 năm", files={"a.pdf": b"rieng"})
    keeps = archived(objects, "B1", number="7", retention="Vĩnh viễn", files={"b.pdf": b"giu lai"})
    sealed = archived(objects, "S1", number="8", issued=date(2000, 5, 20), retention="10 năm")
    archive.load(batch(), [old, keeps, sealed])
    refresh(archive.engine)
    with archive.engine.begin() as connection:
        connection.execute(sa.text("UPDATE archive.run SET state = 'failed'"))
        connection.execute(sa.text("UPDATE archive.document SET access = 'sealed' WHERE source_key = 'S1'"))
    return everything(archive_url)


@pytest.fixture
def working(archive_url: str, login: Callable[..., str]) -> Iterator[Engines]:
    """Engines of clerks: of the archive's own login, or of a login made for one person."""
    engines: list[sa.Engine] = []

    def make(name: str | None = None) -> sa.Engine:
        url = as_login(archive_url, name) if name else archive_url
        engines.append(create_engine(url, Role.CLERK))
        return engines[-1]

    yield make
    for engine in engines:
        engine.dispose()


def run(engine: sa.Engine, statement: str, **values: object) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text(statement), {"at": NOW, "id": ID, **values})


def requested(*documents: str, due_on: str = "2011-01-01") -> str:
    return json.dumps(
        [{"document": one, "retention": "10 năm", "due_on": due_on, "basis": ""} for one in documents]
    )


def approved(engine: sa.Engine, document: str = A1) -> str:
    who: dict[str, str] = {"by": "Trần Thị Mẫu", "account": "vanthu", "why": "Hết thời hạn"}
    request = request_decision(engine, [document], "Hồ sơ", at=NOW, **who)
    decide(engine, request, NOW)
    decide(engine, Decision("disposal_approval", request.object, "Lê Văn Duyệt", "chanhvp", "Đã xem"), NOW)
    return request.object


def trace_of(engine: sa.Engine, disposal: str, document: str = A1) -> dict[str, Json]:
    values = execution_decision(engine, disposal, document, by="a", account="b", why="c").values
    return {name: value for name, value in values.items() if name != "disposal"}


@pytest.mark.parametrize("role", [Role.CLERK, Role.LOADER, Role.READER])
@pytest.mark.parametrize("table", TABLES)
def test_nobody_writes_rows_of_disposals(archive_url: str, role: Role, table: str) -> None:
    engine = create_engine(archive_url, role)
    for statement in ("INSERT INTO {} DEFAULT VALUES", "UPDATE {} SET {} = NULL", "DELETE FROM {}"):
        column = (
            "trace" if table == "disposed_version" else "sha256" if table == "disposed_object" else "state"
        )
        column = "due_on" if table == "disposal_document" else column
        with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
            run(engine, statement.format(f"archive.{table}", column))
    engine.dispose()


def test_one_clerk_alone_destroys_nothing(
    held: dict[str, list[str]], working: Engines, archive_url: str
) -> None:
    clerk = working()
    run(clerk, REQUEST, person="Mẫu", account="vanthu", documents=requested(A1))
    refused = {
        "two_persons": {"verdict": "approved", "person": "Duyệt", "account": "vanthu"},
        "cannot be approved": {"verdict": "approved", "person": " mẫu", "account": "chanhvp"},
        "nothing of it to decide": {"verdict": "requested", "person": "Duyệt", "account": "chanhvp"},
    }
    for message, values in refused.items():
        with pytest.raises(sa.exc.DBAPIError, match=message):
            run(clerk, CLOSE, **values)
    with pytest.raises(sa.exc.DBAPIError, match="is not approved"):
        run(clerk, DISPOSE, document=A1, trace=json_text(trace_of(clerk, ID)))
    after = everything(archive_url)
    assert {name for name in held if held[name] != after[name]} == {"disposal", "disposal_document"}


@pytest.mark.parametrize(
    "documents",
    [
        requested(A1, due_on="2035-01-01"),
        json.dumps([{"document": A1, "retention": "x", "due_on": None, "basis": ""}]),
        requested(str(document_id(SOURCE, "S1"))),
        requested(str(document_id(SOURCE, "nothing"))),
        requested(A1, A1),
    ],
    ids=["not due", "never due", "sealed", "unknown", "twice"],
)
def test_what_may_not_be_asked_for_is_refused(
    held: dict[str, list[str]], working: Engines, archive_url: str, documents: str
) -> None:
    with pytest.raises(sa.exc.DBAPIError, match="cannot be asked for"):
        run(working(), REQUEST, person="Mẫu", account="vanthu", documents=documents)
    assert everything(archive_url) == held


def test_the_trace_is_the_archive_s_own(
    held: dict[str, list[str]], working: Engines, archive_url: str
) -> None:
    """A forged trace would bring in rows, or give up what another document needs."""
    clerk = working()
    disposal = approved(clerk)
    right = trace_of(clerk, disposal)
    before = everything(archive_url)
    other = trace_of(clerk, disposal, B1)
    (version,) = right["versions"]  # type: ignore[misc]
    link = {
        "document_a": A1, "document_b": B1, "grade": "A", "evidence": "x", "found_at": "2026-01-01T00:00:00Z",
        "state": "confirmed",
    }  # fmt: skip
    forged: list[dict[str, Json]] = [
        {**right, "objects": other["objects"]},
        {**right, "objects": []},
        {**right, "versions": [{**version, "number": "999"}]},  # type: ignore[dict-item]
        {**right, "versions": [version, {**version, "version": 2}]},  # type: ignore[dict-item,list-item]
        {**right, "document": {**right["document"], "id": ID, "source_key": "bịa"}},  # type: ignore[dict-item]
        {**right, "links": [link]},
        other,
        {},
    ]
    for trace in forged:
        with pytest.raises(sa.exc.DBAPIError, match="not what the archive holds"):
            run(clerk, DISPOSE, id=disposal, document=A1, trace=json_text(trace))
    assert everything(archive_url) == before
    run(clerk, DISPOSE, id=disposal, document=A1, trace=json_text(right))


def test_the_clock_of_who_asks_makes_nothing_due(held: dict[str, list[str]], working: Engines) -> None:
    later = {"at": datetime(2100, 1, 1, tzinfo=UTC), "documents": requested(A1, due_on="2099-01-01")}
    with pytest.raises(sa.exc.DBAPIError, match="cannot be asked for"):
        run(working(), REQUEST, person="Mẫu", account="vanthu", **later)


def test_a_person_s_own_login_acts_under_no_other_account(
    held: dict[str, list[str]], working: Engines, login: Callable[..., str], engine: sa.Engine
) -> None:
    first, second = login(Role.CLERK), login(Role.CLERK)
    one, two = working(first), working(second)
    assert [personal_login(each) for each in (engine, one, two)] == [None, first, second]
    with pytest.raises(sa.exc.DBAPIError, match=f"{first} acts under the account vanthu"):
        run(one, REQUEST, person="Mẫu", account="vanthu", documents=requested(A1))
    run(one, REQUEST, person="Mẫu", account=first, documents=requested(A1))
    for another in (second, "chanhvp"):
        with pytest.raises(sa.exc.DBAPIError, match="acts under the account"):
            run(one, CLOSE, verdict="approved", person="Duyệt", account=another)
    with pytest.raises(sa.exc.DBAPIError, match="two_persons"):
        run(one, CLOSE, verdict="approved", person="Duyệt", account=first)
    run(two, CLOSE, verdict="approved", person="Duyệt", account=second)


def test_a_refused_decision_by_another_login_is_told(
    held: dict[str, list[str]], working: Engines, login: Callable[..., str]
) -> None:
    clerk = working(login(Role.CLERK))
    request = request_decision(clerk, [A1], "Hồ sơ", by="Mẫu", account="vanthu", why="x", at=NOW)
    with pytest.raises(FatalError, match="acts under the account"):
        decide(clerk, request, NOW)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ("UPDATE archive.disposal SET state = 'refused'", "row_differs"),
        ("UPDATE archive.disposal SET decided_account = 'x'", "row_differs"),
        ("UPDATE archive.disposal SET requested_account = 'x'", "row_differs"),
        ("INSERT INTO archive.disposal SELECT (jsonb_populate_record(d, jsonb_build_object('id', CAST(:id AS text))))"
         ".* FROM archive.disposal d", "row_added"),
        ("DELETE FROM archive.disposal_document; DELETE FROM archive.disposal", "row_removed"),
    ],
)  # fmt: skip
def test_the_audit_reports_a_decision_that_nobody_made(
    held: dict[str, list[str]], engine: sa.Engine, working: Engines, change: str, kind: str
) -> None:
    def found() -> list[tuple[str, object]]:
        findings = Findings()
        with engine.connect() as connection:
            audit_facts(connection, findings)
        return [(one.kind, one.values["table"]) for one in findings.kept if one.values["table"] == "disposal"]

    approved(working())
    assert found() == []
    for statement in change.split(";"):
        run(engine, statement)
    assert found() == [(kind, "disposal")]


def test_what_it_left_in_quarantine_goes_with_the_document(
    archive: Archive,
    batch: Callable[..., Batch],
    objects: ObjectStore,
    working: Engines,
    archive_url: str,
    database_url: str,
) -> None:
    """A record that failed before it was archived: words and bytes of then are of the document, and go with it."""
    record = archived(objects, "A1", issued=date(2000, 5, 20), retention="10 năm", files={"a.pdf": b"rieng"})
    document = record.processed.document
    truncated = objects.put_bytes(b"<document unid='A1' rev").sha256
    names = (document.attachments[0].sha256, objects.put_bytes(b"chung").sha256)
    failed = replace(quarantined("A1"), original_sha256=truncated, files=names)
    other = archived(objects, "B1", number="7", files={"b.pdf": b"chung"})
    for night, outcomes in (("dem-0", [failed]), ("dem-1", [record, other])):
        record_listed(archive.engine, batch(night).run, len(outcomes), 0, 1)
        archive.load(batch(night), outcomes)
        account(archive.engine, batch(night).run, now=NOW)
    refresh(archive.engine)
    held = set(objects)
    clerk = working()
    disposal = approved(clerk)
    execution = execution_decision(clerk, disposal, A1, by="a", account="b", why="c")
    assert objects.exists(truncated)
    decide(clerk, execution, NOW)
    remove_objects(clerk, objects, at=NOW, by="a", account="b", why="c")
    left = {objects.open(name).read() for name in objects}
    assert (
        len(held) - len(left) == 5
    )  # manifest, original, attachment; the truncated bytes, the record of the failure
    assert b"chung" in left
    assert not any("Thẻ đóng".encode() in data for data in left)
    assert not any("Thẻ đóng" in row for rows in everything(archive_url).values() for row in rows)
    report = check_objects(archive.engine, objects, orphan_age=timedelta(0))
    assert (report.sound, report.orphan_count, report.young) == (True, 0, 0)
    make_anchor(archive.engine, objects, now=NOW)
    assert dict(audit(archive.engine, objects, full=True).counts) == {}
    made = create_engine(database_url)
    assert rebuild(made, objects).troubles == []
    with archive.engine.connect() as one, made.connect() as another:
        assert [table for table in compare(one, another) if not table.equal] == []
    made.dispose()
