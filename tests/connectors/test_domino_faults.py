"""What goes wrong between a Domino server and its reader: nothing lost, nothing twice, every loss counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demo.domino_database import LOCAL, NotesDatabase, StoredFile
from demo.domino_faults import Condition, Cut, Fault, LoggedOut, Meanwhile, Refused, Request, Truncated
from demo.domino_server import ACCOUNT, DominoServer, Settings
from demo.dxl import Item, rich_text_item
from schemas.errors import FatalError, RetriableError
from schemas.record import SourceRecord, Unreadable, Window
from tests.connectors.domino_cases import VIEW, FakeClock, database, document_of, fetched, source, unid_of
from tests.connectors.source_contract import comparable, everything, stored

MOVING = {**VIEW, "views": ["theongay"]}
"""In the order of changes: who saves a document moves it to the end."""

OTHERS = frozenset({"CN=Khac/O=ThuongGiang"})


@pytest.fixture
def server() -> Iterator[DominoServer]:
    """Twelve documents; 0, 5 and 10 have an attachment."""
    with DominoServer(database(12)) as running:
        yield running


def first_time() -> Condition:
    """Holds once for each request, however often it is repeated."""
    seen: set[tuple[str, str]] = set()

    def holds(request: Request) -> bool:
        key = (request.path, str(sorted(request.query.items())) + request.command)
        return not (key in seen or seen.add(key))

    return holds


def exporting(number: int) -> Condition:
    return lambda request: request.query.get("unid", "").startswith(unid_of(number))


def filing(request: Request) -> bool:
    return "$FILE" in request.path


def outcome(answers: list[SourceRecord | Unreadable], number: int) -> SourceRecord | Unreadable:
    return next(answer for answer in answers if answer.listing.key.endswith(unid_of(number)))


def unread(answers: list[SourceRecord | Unreadable]) -> dict[str, str]:
    return {
        answer.listing.key.rpartition(":")[2]: answer.reason
        for answer in answers
        if isinstance(answer, Unreadable)
    }


@pytest.mark.parametrize("fault", [Cut(), Cut(0.4), Truncated(0.6), Refused(503), LoggedOut()])
@pytest.mark.parametrize("ways", [{}, VIEW])
def test_a_fault_at_every_request_of_a_night_changes_nothing(fault: Fault, ways: dict[str, object]) -> None:
    with DominoServer(database(40, file_every=4)) as calm:
        expected = [
            comparable(replace(answer, context={})) for answer in fetched(source(calm, page=9, **ways))
        ]
    with DominoServer(database(40, file_every=4)) as server:
        server.faults.when(first_time(), fault, times=10_000)
        answers = fetched(source(server, page=9, **ways))
    assert [comparable(replace(answer, context={})) for answer in answers] == expected
    assert len(expected) == 40


def test_a_connection_cut_at_every_request_of_200_documents() -> None:
    with DominoServer(database(200, file_every=10)) as server:
        server.faults.when(first_time(), Cut(0.5), times=10_000)
        reading = source(server, page=50, documents_per_request=10)
        answers = fetched(reading)
        assert reading.lists_everything
    assert len({answer.listing.key for answer in answers}) == len(answers) == 200
    assert unread(answers) == {}
    assert sum(len(answer.attachments) for answer in answers if isinstance(answer, SourceRecord)) == 20


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda held: held.delete(unid_of(3)), "deleted_meanwhile"),
        (lambda held: held.add([replace(document_of(3), readers=OTHERS)]), "access_denied"),
    ],
)
def test_what_happens_between_listing_and_fetching_is_told(
    server: DominoServer, change: Callable[[NotesDatabase], object], reason: str
) -> None:
    server.faults.when(exporting(3), Meanwhile(change))
    answers = fetched(source(server))
    assert unread(answers) == {unid_of(3): reason}
    assert len(answers) == 12


def test_a_document_that_the_exporter_cannot_export_costs_itself_only() -> None:
    with DominoServer(database(12), Settings(failing={unid_of(4): "Note item not found"})) as server:
        answers = fetched(source(server, documents_per_request=5))
    assert unread(answers) == {unid_of(4): "agent_error"}
    lost = outcome(answers, 4)
    assert isinstance(lost, Unreadable)
    assert "Note item not found" in lost.message
    assert lost.where.endswith(f"/0/{unid_of(4)}")


@pytest.mark.parametrize("fault", [Cut(), Truncated(), Refused(500)])
def test_a_document_that_always_breaks_the_agent_costs_itself_only(
    server: DominoServer, fault: Fault
) -> None:
    server.faults.when(lambda request: unid_of(6) in request.query.get("unid", ""), fault, times=1_000)
    answers = fetched(source(server, documents_per_request=4))
    assert unread(answers) == {unid_of(6): "export_failed"}
    assert len(answers) == 12


def test_a_document_that_brings_the_server_down_may_be_skipped(server: DominoServer) -> None:
    server.faults.when(exporting(6), Cut(), times=1_000)
    answers = fetched(source(server, skip=[unid_of(6)]))
    assert unread(answers) == {unid_of(6): "skipped"}
    assert not any(unid_of(6) in request.query.get("unid", "") for request in server.requests)


def test_a_server_that_goes_away_at_an_attachment_stops_the_run(server: DominoServer) -> None:
    reading = source(server)
    listings = everything(reading)
    asked = len(server.requests)
    server.faults.when(lambda request: request.number > asked + 1, Cut(), times=10_000)
    with pytest.raises(RetriableError):
        list(reading.fetch(listings[:1]))


def test_a_server_that_goes_away_while_fetching_stops_the_run(server: DominoServer) -> None:
    server.faults.when(lambda request: request.number > 6, Cut(), times=10_000)
    with pytest.raises(RetriableError):
        fetched(source(server))


class TestAttachments:
    def test_they_join_the_record_under_the_name_that_is_shown(self) -> None:
        held = database(1, file_every=0)
        text = "<par><attachmentref name='ATT12345' displayname='Tờ trình &amp; phụ lục.doc'/></par>"
        found = document_of(0)
        note = replace(found.note, items=(rich_text_item("NoiDung", text),))
        files = (StoredFile("ATT12345", b"mot"), StoredFile("V2 không có chỗ.xls", b"hai" * 1000))
        held.add([replace(found, note=note, content=None, attachments=files)])
        with DominoServer(held) as server:
            (answer,) = fetched(source(server))
            assert isinstance(answer, SourceRecord)
            assert [(file.name, file.content.open().read(), file.item) for file in answer.attachments] == [
                ("Tờ trình & phụ lục.doc", b"mot", "$FILE"),
                ("V2 không có chỗ.xls", b"hai" * 1000, "$FILE"),
            ]
            assert answer.defects == ()

    def test_one_that_has_changed_since_is_not_archived(self, server: DominoServer) -> None:
        found = server.database.get(unid_of(5))
        assert found is not None
        longer = replace(found, attachments=(replace(found.attachments[0], data=b"x" * 9_000),))
        server.faults.when(filing_of(5), Meanwhile(lambda held: held.add([longer])))
        answers = fetched(source(server))
        assert unread(answers) == {unid_of(5): "attachment_size_mismatch"}
        lost = outcome(answers, 5)
        assert isinstance(lost, Unreadable)
        assert lost.original is not None
        assert lost.original.open().read().startswith(b"<document")
        assert "announces" in lost.message

    def test_one_that_is_gone(self, server: DominoServer) -> None:
        found = server.database.get(unid_of(5))
        assert found is not None
        bare = replace(found, attachments=())
        server.faults.when(filing_of(5), Meanwhile(lambda held: held.add([bare])))
        assert unread(fetched(source(server))) == {unid_of(5): "attachment_missing"}

    def test_one_that_the_account_may_not_read_any_more(self, server: DominoServer) -> None:
        found = server.database.get(unid_of(5))
        assert found is not None
        closed = replace(found, readers=OTHERS)
        server.faults.when(filing_of(5), Meanwhile(lambda held: held.add([closed])))
        assert unread(fetched(source(server))) == {unid_of(5): "access_denied"}

    def test_one_that_always_breaks_off(self, server: DominoServer) -> None:
        server.faults.when(filing_of(5), Cut(0.5), times=1_000)
        assert unread(fetched(source(server))) == {unid_of(5): "attachment_unreadable"}

    def test_one_that_is_a_login_page(self) -> None:
        held = database(1, file_every=0)
        page = b"<html><form action='/names.nsf?Login'><input name='Password'></form></html>"
        held.add([replace(document_of(0), attachments=(StoredFile("dang nhap.html", page),))])
        with DominoServer(held) as server:
            (answer,) = fetched(source(server))
        assert isinstance(answer, SourceRecord)
        assert answer.attachments[0].content.open().read() == page

    @pytest.mark.parametrize(
        ("limits", "reason"),
        [({"count": 0}, "too_many_attachments"), ({"megabytes": 1}, "attachment_too_large")],
    )
    def test_what_is_beyond_the_limits_is_not_fetched(self, limits: dict[str, int], reason: str) -> None:
        held = database(1, file_every=0)
        held.add([replace(document_of(0), attachments=(StoredFile("a.iso", b"\0" * 1_000_001),))])
        with DominoServer(held) as server:
            assert unread(fetched(source(server, attachments=limits))) == {unid_of(0): reason}
            assert server.asked("$FILE") == 0

    def test_objects_come_inside_the_dxl(self) -> None:
        held = database(1, file_every=0)
        name = {"hosttype": "bytearraypage", "name": "STG00001"}
        pages = Item("$FILE", f"<object><file {attributes(name)}><filedata>AAAA</filedata></file></object>")
        held.add([replace(document_of(0), objects=(pages,), attachments=(StoredFile("a.doc", b"abc"),))])
        with DominoServer(held) as server:
            (answer,) = fetched(source(server))
            assert server.asked("$FILE") == 0
        assert isinstance(answer, SourceRecord)
        assert [file.content.open().read() for file in answer.attachments] == [b"abc", b"\0\0\0"]

    def test_an_object_without_its_bytes_is_not_archived(self) -> None:
        held = database(1, file_every=0)
        text = rich_text_item("NoiDung", "<par><objectref name='EXT00001' class='Excel.Sheet.8'/></par>")
        found = document_of(0)
        held.add([replace(found, note=replace(found.note, items=(text,)), content=None)])
        with DominoServer(held) as server:
            assert unread(fetched(source(server))) == {unid_of(0): "ole_object_missing"}

    def test_read_again_without_their_bytes_they_are_missed(self, server: DominoServer) -> None:
        record = outcome(fetched(source(server)), 5)
        assert isinstance(record, SourceRecord)
        again = source(server).parse(record.listing, record.original, record.context)
        assert isinstance(again, Unreadable)
        assert again.reason == "attachment_not_stored"
        whole = source(server).parse(record.listing, record.original, record.context, stored(record))
        assert comparable(whole) == comparable(record)


def filing_of(number: int) -> Condition:
    return lambda request: filing(request) and unid_of(number) in request.path


def attributes(given: dict[str, str]) -> str:
    return " ".join(f"{name}='{value}'" for name, value in given.items())


class TestInventory:
    def test_a_late_replica_is_seen_by_its_arrival(self, server: DominoServer) -> None:
        reading = source(server)
        before = everything(reading)
        night = datetime(2026, 11, 24, 1, 0)  # noqa: DTZ001 - the simulator's moments are local
        server.database.replicate_in(document_of(60), night)
        window = Window(night.replace(tzinfo=LOCAL) - timedelta(hours=1))
        (late,) = list(reading.inventory(window))
        assert late.key.endswith(unid_of(60))
        assert late.revision.endswith("/2014-01-06T07:30:00Z"), "its own date is old"
        assert late.changed_at == night.replace(tzinfo=LOCAL)
        assert everything(reading) == [*before, late]

    @pytest.mark.parametrize(
        "ways",
        [{**VIEW, "columns": {"revised": "$modified"}}, {"inventory": "data_service"}],
    )
    def test_where_only_old_dates_are_known_no_window_hides_a_late_replica(
        self, ways: dict[str, object]
    ) -> None:
        with DominoServer(database(4), Settings(data_service=True)) as server:
            reading = source(server, **ways)
            window = Window(datetime(2026, 11, 24, tzinfo=LOCAL))
            assert list(reading.inventory(window)) == everything(reading)
            assert len(everything(reading)) == 4

    def test_revisions_are_the_same_night_after_night_until_somebody_saves(
        self, server: DominoServer
    ) -> None:
        first = {listing.key: listing.revision for listing in source(server).inventory(Window())}
        at = datetime(2026, 11, 24, 10, 0)  # noqa: DTZ001
        server.database.edit(unid_of(3), at, "Sửa")
        second = {listing.key: listing.revision for listing in source(server).inventory(Window())}
        changed = {key for key in first if first[key] != second[key]}
        assert {key.rpartition(":")[2] for key in changed} == {unid_of(3)}
        assert second[changed.pop()] == "2/2026-11-24T03:00:00Z"

    def test_conflicts_are_kept_and_linked(self, server: DominoServer) -> None:
        other = server.database.save_conflict(unid_of(3), datetime(2026, 11, 24, 10, 0))  # noqa: DTZ001
        record = next(answer for answer in fetched(source(server)) if answer.listing.key.endswith(other))
        assert isinstance(record, SourceRecord)
        printed = {field.name: field.values for field in record.fields}
        assert (printed["$conflict"], printed["$parent"]) == (("true",), (unid_of(3),))

    def test_a_document_that_changes_in_the_second_it_is_read_is_read_again(self) -> None:
        held, clock = database(1), FakeClock()
        at = clock.moment.astimezone(LOCAL).replace(tzinfo=None)
        held.edit(unid_of(0), at, "lần một")
        told = Settings(now=lambda: clock.moment.astimezone(LOCAL).replace(tzinfo=None))
        with DominoServer(held, told) as server:
            again = Meanwhile(lambda base: base.edit(unid_of(0), at, "lần hai"))
            reading = source(server, clock)
            listings = everything(reading)
            asked = len(server.requests)
            server.faults.at(asked + 2, again)
            (answer,) = reading.fetch(listings)
            assert server.asked("export") == 2
        assert isinstance(answer, SourceRecord)
        assert "lần lưu 3" in answer.original.open().read().decode()

    @pytest.mark.parametrize(
        "ways", [VIEW, {**VIEW, "view_format": "json"}, {**VIEW, "inventory": "data_service"}]
    )
    def test_a_view_that_moves_once_is_read_until_two_passes_agree(self, ways: dict[str, object]) -> None:
        with DominoServer(database(12), Settings(data_service=True)) as server:
            # Deleting a row of the first page while the second is read shifts one row past the reader.
            server.faults.at(4, Meanwhile(lambda held: held.delete(unid_of(1))))
            reading = source(server, **ways)
            listings = everything(reading)
            assert reading.lists_everything
        assert {listing.key.rpartition(":")[2] for listing in listings} == {
            unid_of(number) for number in range(12) if number != 1
        }

    @settings(max_examples=25, deadline=None)
    @given(
        st.sampled_from(
            [MOVING, {**MOVING, "view_format": "json"}, {**MOVING, "inventory": "data_service"}, {}]
        ),
        st.lists(st.tuples(st.integers(2, 20), st.booleans(), st.integers(0, 19)), max_size=6),
    )
    def test_a_list_that_claims_to_be_whole_is(
        self, ways: dict[str, object], changes: list[tuple[int, bool, int]]
    ) -> None:
        """Whatever people delete and save while it is read: who claims to list everything has missed nothing."""
        held = database(20)
        with DominoServer(held, Settings(data_service=True)) as server:
            for request, deletes, number in changes:
                server.faults.at(request, Meanwhile(partial(_delete if deletes else _save, unid_of(number))))
            reading = source(server, **ways)
            listed = {listing.key.rpartition(":")[2] for listing in reading.inventory(Window())}
        if reading.lists_everything:
            assert {found.unid for found in held.all()} <= listed <= {unid_of(number) for number in range(20)}

    def test_a_view_that_never_stands_still_says_so_and_loses_nothing(self) -> None:
        with DominoServer(database(30)) as server:
            gone = iter(range(30))
            delete = Meanwhile(lambda held: held.delete(unid_of(next(gone))))
            server.faults.when(
                lambda request: request.command == "readviewentries" and request.query["start"] == "5",
                delete,
                9,
            )
            reading = source(server, passes=3, **VIEW)
            listings = everything(reading)
            assert not reading.lists_everything
            standing = {found.unid for found in server.database.all()}
        assert standing <= {listing.key.rpartition(":")[2] for listing in listings}

    @pytest.mark.parametrize("ways", [{}, VIEW])
    def test_a_list_of_nothing_proves_no_deletion(self, ways: dict[str, object]) -> None:
        with DominoServer(database(0)) as server:
            reading = source(server, **ways)
            assert everything(reading) == []
            assert not reading.lists_everything

    def test_only_views_that_hold_everything_can_miss_a_document(self, server: DominoServer) -> None:
        reading = source(server, **{**VIEW, "views_hold_everything": False})
        assert len(everything(reading)) == 12
        assert not reading.lists_everything

    def test_what_a_view_counts_and_does_not_show_is_told(self) -> None:
        held = database(6)
        held.add([replace(document_of(number), readers=OTHERS) for number in (1, 4)])
        told = Settings()
        told.views = replace(told.views, counts_hidden=True)
        with DominoServer(held, told) as server:
            answers = fetched(source(server, **VIEW))
        assert len(answers) == 5
        hidden = answers[-1]
        assert isinstance(hidden, Unreadable)
        assert (hidden.reason, hidden.listing.revision) == ("access_denied", "2")
        assert "count 2 entries" in hidden.message

    def test_documents_that_the_account_may_not_read_are_counted_where_the_server_tells(self) -> None:
        held = database(6)
        held.add(
            [replace(document_of(1), readers=OTHERS), replace(document_of(2), readers=frozenset({ACCOUNT}))]
        )
        with DominoServer(held, Settings(lists_hidden=True)) as server:
            answers = fetched(source(server))
            assert unread(answers) == {unid_of(1): "access_denied"}
            assert len(answers) == 6
            assert server.asked("export") == 5

    def test_a_row_without_a_date_is_told_and_not_forgotten(self, server: DominoServer) -> None:
        answers = fetched(source(server, **{**VIEW, "columns": {"modified": "TrichYeu"}}))
        assert set(unread(answers).values()) == {"undated"}
        assert len(answers) == 12

    def test_servers_give_fewer_rows_than_they_are_asked_for(self) -> None:
        told = Settings()
        told.views = replace(told.views, line_cap=4)
        with DominoServer(database(21), told) as server:
            assert len(everything(source(server, **{**VIEW, "page": 1_000}))) == 21

    def test_categories_are_no_documents(self, server: DominoServer) -> None:
        ways = {**VIEW, "views": ["theoloai"], "columns": {"modified": "$modified"}}
        assert len(everything(source(server, **ways))) == 12

    def test_a_view_that_cannot_be_opened_stops_the_run(self, server: DominoServer) -> None:
        with pytest.raises(FatalError, match="404"):
            everything(source(server, **{**VIEW, "views": ["(an)"]}))


def _delete(unid: str, held: NotesDatabase) -> None:
    held.delete(unid)


def _save(unid: str, held: NotesDatabase) -> None:
    if held.get(unid) is not None:
        held.edit(unid, datetime(2026, 11, 24, 10, 0), "Sửa")  # noqa: DTZ001
