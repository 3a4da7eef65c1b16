"""The Domino simulator against what is known of Domino 8.5: what clients are tried against must itself be true."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
import requests

from demo.domino_database import (
    NotesDatabase,
    StoredDocument,
    documents_in,
    office_documents,
    small_documents,
)
from demo.domino_faults import Cut, LoggedOut, Meanwhile, Refused, Stalled, Truncated
from demo.domino_server import ACCOUNT, DATABASE_PATH, PASSWORD, REPLICA_ID, DominoServer, Settings, main
from demo.domino_sessions import LoginMode
from demo.domino_views import ViewOptions
from demo.dxl import Item, Note, database, document, file_item, form_design, text_item
from demo.report import NOTES, OfficeReport

AGENT = "/LienthongExport?OpenAgent&"
NOW = datetime(2026, 11, 26, 1)  # noqa: DTZ001 - local time, as the simulator keeps it


class Client:
    """A logged-in reader of one simulator."""

    def __init__(self, server: DominoServer) -> None:
        self.server = server
        self.session = requests.Session()

    def log_in(self, password: str = PASSWORD) -> requests.Response:
        form = {"Username": ACCOUNT, "Password": password, "RedirectTo": f"/{DATABASE_PATH}"}
        url = f"{self.server.url}/names.nsf?Login"
        return self.session.post(url, data=form, allow_redirects=False, timeout=5)

    def get(self, below: str) -> requests.Response:
        return self.session.get(f"{self.server.url}/{DATABASE_PATH}{below}", timeout=5)

    def listed(self, parameters: str = "") -> list[list[str]]:
        answer = self.get(f"{AGENT}cmd=list{parameters}").text
        return [line.split("\t") for line in answer.splitlines()]


def _database(documents: list[StoredDocument] | None = None) -> NotesDatabase:
    made = NotesDatabase(DATABASE_PATH, REPLICA_ID)
    made.add(documents if documents is not None else small_documents(5, file_every=2))
    return made


@pytest.fixture
def serve() -> Iterator[Callable[..., Client]]:
    running: list[DominoServer] = []

    def start(documents: list[StoredDocument] | None = None, **settings: object) -> Client:
        options = Settings(now=lambda: NOW, **settings)  # type: ignore[arg-type]
        running.append(DominoServer(_database(documents), options).__enter__())
        client = Client(running[-1])
        client.log_in()
        return client

    yield start
    for server in running:
        server.__exit__(None, None, None)


def _is_login_page(answer: requests.Response) -> bool:
    return answer.status_code == 200 and 'action="/names.nsf?Login"' in answer.text


@pytest.mark.parametrize(
    ("mode", "cookie"), [(LoginMode.SINGLE, "DomAuthSessId"), (LoginMode.MULTI, "LtpaToken")]
)
def test_a_login_is_a_redirect_with_a_cookie_and_a_wrong_password_is_the_form_again(
    serve: Callable[..., Client], mode: LoginMode, cookie: str
) -> None:
    client = serve(login=mode)

    good, stranger = client.log_in(), Client(client.server)

    assert (good.status_code, cookie in good.cookies) == (302, True)
    assert _is_login_page(stranger.log_in("wrong"))
    assert _is_login_page(stranger.get("/tatca?ReadViewEntries"))


def test_basic_authentication_counts_only_where_the_server_has_no_sessions(
    serve: Callable[..., Client],
) -> None:
    with_sessions, without = Client(serve().server), Client(serve(login=LoginMode.BASIC).server)
    for client in (with_sessions, without):
        client.session.auth = (ACCOUNT, PASSWORD)

    assert _is_login_page(with_sessions.get("/tatca?ReadViewEntries"))
    assert without.get("/tatca?ReadViewEntries").headers["Content-Type"].startswith("text/xml")
    assert requests.get(f"{without.server.url}/{DATABASE_PATH}", timeout=5).status_code == 401


def test_a_session_ends_by_requests_by_idleness_and_by_a_fault(serve: Callable[..., Client]) -> None:
    now = [0.0]
    worn, idle, thrown_out = (
        serve(request_limit=2),
        serve(idle_seconds=1800, clock=lambda: now[0]),
        serve(),
    )
    thrown_out.server.faults.at(3, LoggedOut())

    assert [_is_login_page(worn.get("/tatca?ReadViewEntries")) for _ in range(3)] == [False, False, True]
    assert not _is_login_page(idle.get("/tatca?ReadViewEntries"))
    now[0] += 1801
    assert _is_login_page(idle.get("/tatca?ReadViewEntries"))
    assert [_is_login_page(thrown_out.get("/tatca?ReadViewEntries")) for _ in range(2)] == [False, True]


def test_a_view_in_xml_gives_thirty_rows_unless_asked_and_never_more_than_the_cap(
    serve: Callable[..., Client],
) -> None:
    client = serve(list(small_documents(40)), views=ViewOptions(line_cap=35))

    def rows(parameters: str) -> list[str]:
        root = ElementTree.fromstring(client.get(f"/tatca?ReadViewEntries{parameters}").content)
        assert root.get("toplevelentries") == "40"
        return [entry.get("position", "") for entry in root]

    assert rows("") == [str(number) for number in range(1, 31)]
    assert rows("&Count=1000") == rows("&Count=-1") == [str(number) for number in range(1, 36)]
    assert rows("&Start=39&Count=1000") == ["39", "40"]
    assert rows("&Start=41&Count=1000") == []
    assert rows("&Start=3&Count=2&NavigateReverse=1") == ["3", "2"]


def test_a_view_sorted_by_change_starts_at_a_time(serve: Callable[..., Client]) -> None:
    documents = list(small_documents(5))
    client = serve(documents)
    since = documents[3].note.modified - timedelta(hours=7)

    answer = client.get(f"/theongay?ReadViewEntries&KeyType=time&StartKey={since:%Y%m%dT%H%M%S},00Z")

    found = [entry.get("unid") for entry in ElementTree.fromstring(answer.content)]
    assert found == [item.unid for item in documents[3:]]


def test_a_categorised_view_counts_categories_and_their_rows_have_no_unid(
    serve: Callable[..., Client],
) -> None:
    client = serve()

    root = ElementTree.fromstring(client.get("/theoloai?ReadViewEntries").content)
    inside = ElementTree.fromstring(
        client.get("/theoloai?ReadViewEntries&RestrictToCategory=VanBanDen&Count=2").content
    )

    assert (root.get("toplevelentries"), root[0].get("unid"), root[0].get("noteid")) == (
        "1",
        None,
        "80000004",
    )
    assert [entry.get("position") for entry in root] == ["1", "1.1", "1.2", "1.3", "1.4", "1.5"]
    assert [entry.get("position") for entry in inside] == ["1", "2"]


def test_json_escapes_what_json_does_not_and_a_single_entry_is_an_object(
    serve: Callable[..., Client],
) -> None:
    documents = [replace(found, subject="<b>A > B</b><!-- -->") for found in small_documents(2)]
    client = serve(documents)

    both = client.get("/tatca?ReadViewEntries&OutputFormat=JSON").text
    one = client.get("/tatca?ReadViewEntries&OutputFormat=JSON&Count=1").text
    none = json.loads(client.get("/tatca?ReadViewEntries&OutputFormat=JSON&Start=3").text)

    with pytest.raises(json.JSONDecodeError):
        json.loads(both)
    assert r"<b\>A \> B</b\><\!-- --\>" in both
    entry = json.loads(one.replace(r"\>", ">").replace(r"\!", "!"))["viewentry"]
    assert entry["@unid"] == documents[0].unid
    assert entry["entrydata"][0]["number"] == {"0": "2294"}
    assert (none["@toplevelentries"], "viewentry" in none) == ("2", False)


def test_a_letter_beyond_the_bmp_is_two_surrogate_references_in_xml(serve: Callable[..., Client]) -> None:
    client = serve([replace(found, subject="Họp 📅") for found in small_documents(1)])

    answer = client.get("/tatca?ReadViewEntries").content

    assert b"&#55357;&#56517;" in answer
    with pytest.raises(ElementTree.ParseError):
        ElementTree.fromstring(answer)


@pytest.mark.parametrize(("counts", "top"), [(True, "5"), (False, "4")])
def test_readers_fields_hide_rows_and_the_count_may_or_may_not_know_them(
    serve: Callable[..., Client], counts: bool, top: str
) -> None:
    documents = list(small_documents(5))
    documents[2] = replace(documents[2], readers=frozenset({"CN=Bi thu/O=ThuongGiang"}))
    client = serve(documents, views=ViewOptions(counts_hidden=counts), lists_hidden=True)
    hidden = documents[2].unid

    root = ElementTree.fromstring(client.get("/tatca?ReadViewEntries").content)
    entry = ElementTree.fromstring(client.get(f"{AGENT}cmd=export&unid={hidden}").content)[0]

    assert (root.get("toplevelentries"), len(root)) == (top, 4)
    assert client.listed()[3] == [hidden, "8FE", "-", "-", "-", "-", "-", "0"]
    assert entry.get("status") == "denied"
    assert _is_login_page(client.get(f"/0/{hidden}?OpenDocument"))


def test_the_list_pages_by_note_id_and_says_where_to_go_on(serve: Callable[..., Client]) -> None:
    client = serve()

    first, second = client.listed("&count=3"), client.listed("&count=3&after=8FE")

    assert first[0] == ["LIENTHONG", "1", "list", REPLICA_ID, "20261125T180000,00Z"]
    assert [row[1] for row in first[1:-1]] == ["8F6", "8FA", "8FE"]
    assert first[1][2:] == ["1", *["20140106T073000,00+07"] * 4, "1"]
    assert (first[-1], second[-1]) == (["END", "3", "8FE"], ["END", "2", "-"])


def test_since_finds_what_changed_and_what_came_late_with_old_dates(serve: Callable[..., Client]) -> None:
    documents = list(small_documents(7))
    client = serve(documents[:5])
    store = client.server.database
    store.edit(documents[1].unid, NOW, "Sửa")
    store.replicate_in(documents[6], NOW)
    conflict = store.save_conflict(documents[3].unid, NOW)
    store.delete(documents[4].unid)

    rows = client.listed("&since=20261125T175900Z&count=2")
    more = client.listed("&since=20261125T175900Z&count=100&after=8FA")

    assert [row[0] for row in rows[1:-1]] == [documents[1].unid]
    assert rows[-1] == ["END", "1", "8FA"]
    assert [row[0] for row in more[1:-1]] == [documents[6].unid, conflict]
    assert more[1][3:7] == [
        "20140106T081200,00+07",
        "20261126T010000,00+07",
        "20140106T081200,00+07",
        "20261126T010000,00+07",
    ]


def test_an_export_says_how_many_files_there_are_and_leaves_their_bytes_to_their_urls(
    serve: Callable[..., Client],
) -> None:
    documents = list(small_documents(2, file_every=2))
    client = serve(documents)
    unid = documents[0].unid

    answer = client.get(f"{AGENT}cmd=export&unid={unid},{'0' * 32}")
    root = ElementTree.fromstring(answer.content)
    file = client.get(f"/vanban/{unid}/$File/ph%E1%BB%A5%20l%E1%BB%A5c%200.txt")

    assert answer.headers["Content-Type"] == "text/xml; charset=utf-8"
    assert root[0].attrib == {"unid": unid, "status": "ok", "noteid": "8F6", "attachments": "1"}
    assert root[0][0].attrib == {"name": "phụ lục 0.txt", "size": str(len(file.content))}
    (read,) = documents_in(ElementTree.tostring(root[0][1][0]))
    assert (read.unid, read.subject, read.attachments) == (unid, documents[0].subject, ())
    assert (root[1].get("status"), root[2].attrib) == ("gone", {"entries": "2"})
    assert client.get(f"/0/{unid}/$FILE/khac.txt").status_code == 404


def test_the_agent_prints_form_designs(serve: Callable[..., Client]) -> None:
    client = serve()
    client.server.database.forms = (form_design("VanBanDen", "F" * 32, 0x11E, NOW, {"TrichYeu": ".VnTime"}),)

    entry = ElementTree.fromstring(client.get(f"{AGENT}cmd=forms").content)[0]

    assert (entry.get("unid"), entry.get("status")) == ("FORMS", "ok")
    assert [element.get("name") for element in entry.iter("{http://www.lotus.com/dxl}form")] == ["VanBanDen"]


def test_a_document_with_ole_pages_keeps_its_file_items(serve: Callable[..., Client]) -> None:
    page = Item(
        "$FILE",
        "<object><file hosttype='bytearraypage' name='STG1'><filedata>QQ==</filedata></file></object>",
    )
    documents = [replace(found, objects=(page,)) for found in small_documents(1, file_every=1)]
    client = serve(documents)

    root = ElementTree.fromstring(client.get(f"{AGENT}cmd=export&unid={documents[0].unid}").content)
    (read,) = documents_in(ElementTree.tostring(root[0].find("dxl")[0]))  # type: ignore[index]

    assert (root[0].get("files"), root[0].get("attachments")) == ("inline", "1")
    assert [file.name for file in read.attachments] == ["phụ lục 0.txt"]
    assert len(read.objects) == 1


def test_an_agent_that_names_no_charset_is_sent_as_iso_8859_1(serve: Callable[..., Client]) -> None:
    client = serve(agent_says_charset=False)
    unid = next(small_documents(1)).unid

    answer = client.get(f"{AGENT}cmd=export&unid={unid}")

    assert answer.headers["Content-Type"] == "text/html; charset=ISO-8859-1"
    assert "Công v" in answer.text
    assert "T?nh ?y" in answer.text


def test_the_agent_says_what_it_cannot_do(serve: Callable[..., Client]) -> None:
    unid = next(small_documents(1)).unid
    client = serve(failing={unid: "the exporter can't & won't"})

    assert client.listed("&since=yesterday")[0][0] == "ERROR"
    assert client.listed("&count=0")[-1] == ["END", "5", "-"]
    assert client.get(f"{AGENT}cmd=export&unid=12").text.startswith("ERROR\t")
    assert client.get(f"{AGENT}cmd=delete").text == "ERROR\tunknown cmd: delete\n"
    failed = ElementTree.fromstring(client.get(f"{AGENT}cmd=export&unid={unid}").content)[0]
    assert (failed.get("status"), failed.get("message")) == ("error", "the exporter can't & won't")


def test_the_data_service_answers_only_where_it_is_switched_on(serve: Callable[..., Client]) -> None:
    path = "/api/data/collections/name/tatca?ps=2&page=1"
    on, off = serve(data_service=True), serve()

    answer = on.get(path)

    assert answer.headers["Content-Range"] == "items 2-3/5"
    assert [(entry["@noteid"], entry["$modified"]) for entry in answer.json()] == [
        ("8FE", "2014-01-06T00:44:00Z"),
        ("902", "2014-01-06T00:51:00Z"),
    ]
    assert len(on.get("/api/data/collections/name/tatca").json()) == 5
    unid = answer.json()[0]["@unid"]
    assert on.get(f"/api/data/documents/unid/{unid}").json()["@form"] == "VanBanDen"
    assert len(on.get("/api/data/documents?since=2014-01-06T00:50:00Z").json()) == 2
    assert off.get(path).status_code == on.get("/api/data/khac").status_code == 404


def test_a_database_may_refuse_urls_and_a_hidden_view_is_not_there(serve: Callable[..., Client]) -> None:
    closed = serve(urls_open=False)

    assert closed.get("/tatca?ReadViewEntries").status_code == 403
    assert closed.get(f"{AGENT}cmd=list").status_code == 403
    assert serve().get("/(an)?ReadViewEntries").status_code == 404


@pytest.mark.parametrize(
    "command", ["DeleteDocument", "SaveDocument", "EditDocument", "CreateDocument", "OpenForm"]
)
def test_what_could_write_is_refused_and_remembered(serve: Callable[..., Client], command: str) -> None:
    client = serve()
    unid = next(small_documents(1)).unid

    by_get = client.get(f"/0/{unid}?{command}")
    by_post = client.session.post(f"{client.server.url}/{DATABASE_PATH}/0/{unid}?OpenDocument", timeout=5)

    assert (by_get.status_code, by_post.status_code) == (405, 405)
    assert [(found.method, found.command) for found in client.server.violations] == [
        ("GET", command.lower()),
        ("POST", "opendocument"),
    ]
    assert len(client.server.database.all()) == 5


@pytest.mark.parametrize("fault", [Cut(), Cut(0.5), Stalled()])
def test_a_connection_breaks_where_it_is_told_to(serve: Callable[..., Client], fault: Cut | Stalled) -> None:
    client = serve()
    client.server.faults.at(3, fault)
    url = f"{client.server.url}/{DATABASE_PATH}/tatca?ReadViewEntries"

    assert client.session.get(url, timeout=0.2).ok
    with pytest.raises(requests.RequestException):
        client.session.get(url, timeout=0.2)
    assert client.session.get(url, timeout=5).ok


def test_an_agent_out_of_time_ends_its_answer_early_and_a_busy_server_says_when_to_come_back(
    serve: Callable[..., Client],
) -> None:
    client = serve()
    client.server.faults.when(lambda request: request.query.get("cmd") == "list", Truncated(0.5))
    client.server.faults.when(lambda request: "tatca" in request.path, Refused(503, retry_after=120))

    assert client.listed()[-1][0] != "END"
    assert client.listed()[-1][0] == "END"
    busy = client.get("/tatca?ReadViewEntries")
    assert (busy.status_code, busy.headers["Retry-After"]) == (503, "120")


def test_documents_go_while_they_are_being_read_and_every_request_is_counted(
    serve: Callable[..., Client],
) -> None:
    client = serve()
    gone = next(small_documents(1)).unid
    client.server.faults.at(3, Meanwhile(lambda store: store.delete(gone)))

    counts = [client.listed()[-1][1] for _ in range(2)]

    assert counts == ["5", "4"]
    assert client.server.asked("list") == 2
    second = client.server.requests[1]
    assert (second.number, second.method, second.path, second.command, second.query) == (
        2,
        "GET",
        f"/{DATABASE_PATH}/LienthongExport",
        "openagent",
        {"cmd": "list"},
    )


def test_a_login_never_leads_to_another_host(serve: Callable[..., Client]) -> None:
    client = serve()
    form = {"Username": ACCOUNT, "Password": PASSWORD, "RedirectTo": "//example.org/"}

    answer = client.session.post(
        f"{client.server.url}/names.nsf?Login", data=form, allow_redirects=False, timeout=5
    )

    assert answer.headers["Location"] == f"{client.server.url}/"


def test_an_export_that_is_cut_gives_its_whole_documents_with_their_files() -> None:
    made = datetime(2012, 3, 4, 5, 6, 7, 80_000)  # noqa: DTZ001 - local time
    note = Note(
        form="VanBanDi",
        unid="A" * 32,
        note_id=0x8F6,
        created=made,
        modified=made + timedelta(hours=1),
        added=made,
        updated_by="CN=A/O=B",
        items=(text_item("TrichYeu", "Về\nviệc < 5"), file_item("a.bin", bytes(range(256)), made)),
        sequence=3,
    )
    printed = database(
        [document(note), document(replace(note, unid="B" * 32))],
        replica_id=REPLICA_ID,
        path="a.nsf",
        title="A",
        doctype=True,
        numbers=2,
    )

    (found,) = documents_in(printed[: printed.rindex(b"<filedata>") + 20])

    assert replace(found.note, items=()) == replace(note, items=(), revised=note.modified)
    assert (found.subject, [file.data for file in found.attachments]) == (
        "Về việc < 5",
        [bytes(range(256))],
    )


def test_the_command_names_its_choices(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--login", "none"])

    assert "single" in capsys.readouterr().err


def test_the_offices_documents_are_served_with_the_files_that_its_exports_hold(
    serve: Callable[..., Client], small_office: tuple[Path, OfficeReport]
) -> None:
    folder, office = small_office
    client = serve(list(office_documents(folder / "drop" / NOTES)))
    whole = [record for record in office.of(NOTES) if record.key]

    listed = {row[0] for row in client.listed("&count=5000")[1:-1]}
    served = {
        (record.key, file.name): client.get(f"/0/{record.key}/$FILE/{quote(file.name)}").content
        for record in whole
        for file in record.files
    }

    assert listed == {record.key for record in whole}
    assert {place: hashlib.sha256(data).hexdigest() for place, data in served.items()} == {
        (record.key, file.name): file.sha256 for record in whole for file in record.files
    }
