"""The drop folder: identities, dates, encodings, archives, a folder that changes while it is read."""

from __future__ import annotations

import json
import zipfile
from collections import Counter
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.lotus_notes import archives
from connectors.lotus_notes.folder import DxlFolder
from connectors.lotus_notes.inspect import inspect_dxl
from schemas.errors import RetriableError
from schemas.record import Content, Listing, SourceRecord, Unreadable, Window
from tests.connectors.dxl_builder import (
    REPLICA,
    attachment,
    database,
    document,
    item,
    noteinfo,
    text_item,
    unid,
)


def listed(path: Path) -> list[Listing]:
    return list(DxlFolder("notes", path).inventory(Window()))


def fetched(path: Path) -> list[SourceRecord | Unreadable]:
    return list(DxlFolder("notes", path).fetch(listed(path)))


def reasons(path: Path) -> list[str]:
    return [answer.reason for answer in fetched(path) if isinstance(answer, Unreadable)]


def data(content: Content) -> bytes:
    with content.open() as stream:
        return stream.read()


def test_identity_and_revision(tmp_path: Path) -> None:
    first = document(1, info=noteinfo(1, revised="20120409T080000,00+07", sequence=3))
    second = (
        f"<document replicaid='85256a38005f8bfc'><noteinfo unid='{unid(2).lower()}' sequence='2'/></document>"
    )
    third = "<document form='x'/>"
    (tmp_path / "a.dxl").write_text(database(first, second, third))
    (tmp_path / "b.dxl").write_text(first)

    def digest(text: str) -> str:
        return sha256(text.encode()).hexdigest()

    assert [(each.key, each.revision) for each in listed(tmp_path)] == [
        (f"{REPLICA}:{unid(1)}", f"3/2012-04-09T08:00:00.00+07:00/{digest(first)[:16]}"),
        (f"85256A38005F8BFC:{unid(2)}", f"2//{digest(second)[:16]}"),
        (f"sha256:{digest(third)}", f"0//{digest(third)[:16]}"),
        (unid(1), f"3/2012-04-09T08:00:00.00+07:00/{digest(first)[:16]}"),
    ]


def test_reading_a_document_in_notes_does_not_change_it(tmp_path: Path) -> None:
    """Only ``<lastaccessed>`` differs between two nightly exports of a document that somebody opened."""

    def export(accessed: str, subject: str) -> Listing:
        dates = f"<lastaccessed><datetime>{accessed}</datetime></lastaccessed>"
        info = f"<noteinfo unid='{unid(1)}' sequence='2'>{dates}</noteinfo>"
        (tmp_path / "a.dxl").write_text(
            database(f"<document>{info}{text_item('Subject', subject)}</document>")
        )
        (listing,) = listed(tmp_path)
        (record,) = fetched(tmp_path)
        assert isinstance(record, SourceRecord)
        assert accessed in data(record.original).decode()
        return listing

    monday = export("20261116T080000,00+07", "Về việc họp giao ban")
    tuesday = export("20261117T091530,00+07", "Về việc họp giao ban")
    edited = export("20261117T091530,00+07", "Về việc hoãn họp giao ban")
    assert (tuesday.key, tuesday.revision) == (monday.key, monday.revision)
    assert edited.revision != tuesday.revision


@pytest.mark.parametrize(
    ("info", "moment"),
    [
        (
            noteinfo(1, "20120410T080000,00+07", added="20120412T080000,00+07"),
            datetime(2012, 4, 12, 1, tzinfo=UTC),
        ),
        (
            noteinfo(1, "20150410T080000,00+07", added="20120412T080000,00+07"),
            datetime(2015, 4, 10, 1, tzinfo=UTC),
        ),
        (noteinfo(1, "", revised="20120409T080000,50Z"), datetime(2012, 4, 9, 8, 0, 0, 500_000, tzinfo=UTC)),
        (noteinfo(1, ""), datetime(2012, 4, 1, 1, tzinfo=UTC)),
        (noteinfo(1, "20120410"), datetime(2012, 4, 1, 1, tzinfo=UTC)),
        ("<noteinfo/>", None),
        ("<noteinfo><created><datetime/></created></noteinfo>", None),
        ("", None),
    ],
)
def test_a_state_came_to_be_when_it_was_added_or_last_modified_here(
    tmp_path: Path, info: str, moment: datetime | None
) -> None:
    (tmp_path / "a.dxl").write_text(database(document(1, info=info)))
    assert [each.changed_at for each in listed(tmp_path)] == [moment]


def test_the_record_carries_the_facts_of_its_export(tmp_path: Path) -> None:
    (tmp_path / "2012").mkdir()
    (tmp_path / "2012" / "a.dxl").write_text(database(document(1)), encoding="utf-8")
    (record,) = fetched(tmp_path)
    assert isinstance(record, SourceRecord)
    assert dict(record.context) == {
        "file": "2012/a.dxl",
        "replicaid": REPLICA,
        "title": "Quản lý công văn",
        "path": "vanban\\congvan.nsf",
        "version": "8.5",
        "maintenanceversion": "3.0",
    }
    assert data(record.original) == document(1).encode()
    assert (record.kind, record.original_type) == ("document", "application/vnd.lotus.dxl+xml")


@pytest.mark.parametrize(
    ("codec", "text"),
    [
        (
            "iso-8859-1",
            "Cộng hòa".encode("iso-8859-1", "xmlcharrefreplace").decode("iso-8859-1") + " \xe0\xe9",
        ),
        ("windows-1258", "Đảng bộ tỉnh ư".encode("cp1258", "xmlcharrefreplace").decode("cp1258")),
        ("utf-16", "Tỉnh ủy, Văn phòng"),
        ("utf-16-be", "Tỉnh ủy, Văn phòng"),
        ("utf-8-sig", "Tỉnh ủy, Văn phòng"),
    ],
)
def test_declared_encodings_are_read_and_the_original_stays_as_it_is(
    tmp_path: Path, codec: str, text: str
) -> None:
    xml = document(1, f"<item name='TrichYeu'><text>{text}</text></item>")
    declared = codec.removesuffix("-be").removesuffix("-sig")
    whole = database(xml, prolog=f"<?xml version='1.0' encoding='{declared}'?>\n").replace(
        "Quản lý công văn", "x"
    )
    (tmp_path / "a.dxl").write_bytes(whole.encode(codec))
    (record,) = fetched(tmp_path)
    assert isinstance(record, SourceRecord), record
    plain = {"utf-16": "utf-16-le", "utf-8-sig": "utf-8"}.get(codec, codec)
    assert data(record.original) == xml.encode(plain)
    expected = "Cộng hòa \xe0\xe9" if codec == "iso-8859-1" else text
    if codec == "windows-1258":
        expected = "Đảng bộ tỉnh ư".encode("cp1258", "xmlcharrefreplace").decode("cp1258")
        expected = expected.replace("&#7843;", "ả").replace("&#7897;", "ộ").replace("&#7881;", "ỉ")
    assert record.fields[-1].values == (expected,)


def test_an_encoding_nobody_reads_and_bytes_of_another_encoding(tmp_path: Path) -> None:
    (tmp_path / "a.dxl").write_bytes(b"<?xml version='1.0' encoding='IBM-1047x'?><document/>")
    wrong = "<?xml version='1.0'?>" + document(1, "<item name='a'><text>Tỉnh \xe0</text></item>")
    (tmp_path / "b.dxl").write_bytes(wrong.encode("latin-1", "ignore"))
    assert reasons(tmp_path) == ["encoding_unsupported", "encoding_invalid"]


def test_only_the_record_that_uses_a_declared_entity_is_refused(tmp_path: Path) -> None:
    prolog = "<?xml version='1.0'?><!DOCTYPE database [<!ENTITY lol SYSTEM 'file:///etc/hostname'>]>"
    texts = ["x", "&lol;", "y"]
    documents = [document(n, item("a", f"<text>{text}</text>")) for n, text in enumerate(texts, 1)]
    (tmp_path / "a.dxl").write_text(database(*documents, prolog=prolog))
    first, second, third = fetched(tmp_path)
    assert isinstance(first, SourceRecord)
    assert isinstance(second, Unreadable)
    assert second.reason == "entity_undefined"
    assert isinstance(third, SourceRecord)
    assert third.fields[-1].values == ("y",)


def test_losses_have_the_same_key_each_time_and_their_place(tmp_path: Path) -> None:
    cut_off = document(1, text_item("a", "x")).removesuffix("</document>")
    (tmp_path / "a.dxl").write_text(database(cut_off, document(2)), encoding="utf-8")
    (loss, _) = fetched(tmp_path)
    assert isinstance(loss, Unreadable)
    lost = cut_off.encode() + b"\n"
    assert loss.listing.key == "unreadable:" + sha256(lost).hexdigest()
    start = (tmp_path / "a.dxl").read_bytes().index(b"<document")
    assert loss.where == f"a.dxl, line 6, byte {start}"
    assert loss.original is not None
    assert data(loss.original) == lost
    (tmp_path / "z").mkdir()
    (tmp_path / "a.dxl").rename(tmp_path / "z" / "b.dxl")
    assert listed(tmp_path)[0].key == loss.listing.key


def test_what_changes_between_listing_and_fetching_is_not_taken_for_what_was_listed(tmp_path: Path) -> None:
    path = tmp_path / "a.dxl"
    path.write_text(database(document(1, text_item("So", "160")), document(2)), encoding="utf-8")
    listings = listed(tmp_path)
    changed = path.read_text(encoding="utf-8").replace(">160<", ">161<")
    path.write_text(changed, encoding="utf-8")
    first, second = DxlFolder("notes", tmp_path).fetch(listings)
    assert isinstance(first, Unreadable)
    assert first.reason == "changed_while_reading"
    assert isinstance(second, SourceRecord)
    path.write_text(changed[:-200], encoding="utf-8")
    again = list(DxlFolder("notes", tmp_path).fetch(listings))
    assert [getattr(each, "reason", "") for each in again] == ["changed_while_reading"] * 2


def test_the_same_bytes_under_another_replica_are_not_the_record_that_was_listed(tmp_path: Path) -> None:
    path = tmp_path / "a.dxl"
    path.write_text(database(document(1)), encoding="utf-8")
    listings = listed(tmp_path)
    path.write_text(database(document(1), replica="F" * 16), encoding="utf-8")
    (answer,) = DxlFolder("notes", tmp_path).fetch(listings)
    assert isinstance(answer, Unreadable)
    assert answer.reason == "changed_while_reading"


def test_only_exports_and_archives_are_read_and_links_do_not_lead_out(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x.dxl").write_text(database(document(9)))
    folder = tmp_path / "roi"
    folder.mkdir()
    (folder / "b.DXL").write_text(database(document(1)))
    (folder / "domino.dtd").write_text("<!ELEMENT document ANY>")
    (folder / "ghi chú.txt").write_text("<document/>")
    (folder / "same.dxl").symlink_to(folder / "b.DXL")
    (folder / "out.dxl").symlink_to(outside / "x.dxl")
    (folder / "out").symlink_to(outside)
    assert [(each.key.partition(":")[0], json.loads(each.locator)["file"]) for each in listed(folder)] == [
        (REPLICA, "b.DXL"),
        ("unreadable", "out"),
        ("unreadable", "out.dxl"),
    ]
    assert reasons(folder) == ["link_outside", "link_outside"]


def test_a_locator_does_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "roi"
    folder.mkdir()
    (tmp_path / "x.dxl").write_text(document(1))
    (honest,) = listed(tmp_path)
    forged = [
        Listing(honest.key, honest.revision, honest.locator.replace("x.dxl", name))
        for name in ("../x.dxl", str(tmp_path / "x.dxl"))
    ]
    answers = [
        *DxlFolder("notes", folder).fetch(forged),
        *DxlFolder("notes", folder).fetch([Listing("k", "r", "{")]),
    ]
    assert [getattr(answer, "reason", "") for answer in answers] == [
        "link_outside",
        "link_outside",
        "locator_invalid",
    ]


def test_a_folder_that_is_not_there_is_tried_again(tmp_path: Path) -> None:
    with pytest.raises(RetriableError):
        listed(tmp_path / "chưa gắn")


def zipped(path: Path, entries: dict[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


def test_entries_with_names_of_paths_stay_text(tmp_path: Path) -> None:
    zipped(tmp_path / "a.zip", {"../../etc/x.dxl": document(1), "C:\\y.dxl": document(2), "z.txt": "no"})
    records = fetched(tmp_path)
    assert [record.context["entry"] for record in records if isinstance(record, SourceRecord)] == [
        "../../etc/x.dxl",
        "C:\\y.dxl",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


def test_archives_nest_one_level(tmp_path: Path) -> None:
    deepest = zipped(tmp_path / "3.zip", {"x.dxl": document(3)}).read_bytes()
    inner = zipped(tmp_path / "2.tse", {"data/1.dxl": document(2), "3.zip": deepest}).read_bytes()
    (tmp_path / "3.zip").unlink()
    (tmp_path / "2.tse").unlink()
    zipped(tmp_path / "1.zip", {"a.dxl": document(1), "2.tse": inner})
    assert [getattr(answer, "reason", "record") for answer in fetched(tmp_path)] == [
        "record",
        "record",
        "archive_too_deep",
    ]


def test_archive_bombs_and_broken_entries_cost_themselves_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MAX_ENTRY", 100_000)
    path = zipped(
        tmp_path / "a.zip", {"bomb.dxl": b" " * 200_000, "good.dxl": document(1), "torn.dxl": document(2) * 3}
    )
    content = bytearray(path.read_bytes())
    torn = content.index(b"torn.dxl")
    content[torn + 20 : torn + 40] = bytes(20)
    path.write_bytes(content)
    assert [getattr(answer, "reason", "record") for answer in fetched(tmp_path)] == [
        "archive_limit",
        "record",
        "archive_malformed",
    ]
    monkeypatch.setattr(archives, "MAX_ENTRIES", 2)
    assert reasons(tmp_path) == ["archive_limit"]


def test_inspect_says_what_a_document_holds(tmp_path: Path) -> None:
    path = tmp_path / "a.dxl"
    whole = document(
        1,
        text_item("TrichYeu", "Về việc\nhọp"),
        item("NgayDen", "<datetime>20120410</datetime>"),
        item("NoiDung", "<richtext><par>một</par><par>hai</par></richtext>"),
        item("Mat", "<rawitemdata type='e'>AAEC</rawitemdata>", "sealed='true'"),
        attachment("cv.pdf", b"%PDF"),
        extra=f"parent='{unid(7)}'",
    )
    path.write_text(database(whole, document(2).removesuffix("</document>")), encoding="utf-8")
    first, second = inspect_dxl(path)
    assert json.loads(json.dumps(first)) == {
        "unid": unid(1),
        "noteid": "1",
        "form": "VanBanDen",
        "kind": "document",
        "parent": unid(7),
        "created": "2012-04-01T08:00:00.00+07:00",
        "modified": "2012-04-10T08:00:00.00+07:00",
        "revised": None,
        "added": None,
        "sequence": 1,
        "items": [
            {
                "name": "TrichYeu",
                "type": "text",
                "values": ["Về việc\nhọp"],
                "text": "Về việc\nhọp",
                "sealed": False,
            },
            {"name": "NgayDen", "type": "datetime", "values": ["2012-04-10"], "text": None, "sealed": False},
            {"name": "NoiDung", "type": "richtext", "values": [], "text": "một\nhai", "sealed": False},
            {"name": "Mat", "type": "rawitemdata", "values": ["AAEC"], "text": None, "sealed": True},
            {"name": "$FILE", "type": "object", "values": ["cv.pdf"], "text": None, "sealed": False},
        ],
        "attachments": [
            {"name": "cv.pdf", "size": 4, "sha256": sha256(b"%PDF").hexdigest(), "item": "$FILE"}
        ],
        "ole": [],
        "mime": None,
        "unreadable": [
            {
                "reason": "item_sealed",
                "message": "the item is encrypted by Notes; its content cannot be read here",
                "where": "item Mat, line 6",
            }
        ],
    }
    assert set(second) == set(first)
    assert [loss["reason"] for loss in second["unreadable"]] == ["record_truncated"]  # type: ignore[attr-defined]
    assert second["unid"] is None


def test_inspect_names_a_loop_of_parents_once_and_counts_what_is_no_document(tmp_path: Path) -> None:
    path = tmp_path / "a.dxl"
    parents = {1: 2, 2: 3, 3: 1, 4: 3, 5: 6, 7: 7}
    replies = [document(number, extra=f"parent='{unid(parent)}'") for number, parent in parents.items()]
    path.write_text(database("<form/>", *replies, "<note class='icon'/>", "<form/>"), encoding="utf-8")
    skipped: Counter[str] = Counter()
    found = [[loss["reason"] for loss in each["unreadable"]] for each in inspect_dxl(path, skipped)]  # type: ignore[attr-defined]
    assert found == [[], [], ["parent_loop"], [], [], ["parent_is_self"]]
    assert skipped == {"form": 2, "note:icon": 1}


def test_a_damaged_root_tag_costs_the_replica_id_and_no_record(tmp_path: Path) -> None:
    whole = database(document(1), document(2)).replace("path='vanban", "path='van<ban")
    (tmp_path / "a.dxl").write_text(whole, encoding="utf-8")
    answers = fetched(tmp_path)
    assert [answer.listing.key for answer in answers if isinstance(answer, SourceRecord)] == [
        unid(1),
        unid(2),
    ]
    assert [answer.reason for answer in answers if isinstance(answer, Unreadable)] == ["container_malformed"]


_SEED = database(
    "<form name='f'/>",
    document(1, text_item("TrichYeu", "Về việc họp"), attachment("a.pdf", b"%PDF-1.4")),
    "<note class='icon'/>",
    document(2, "<item name='Body'><text><![CDATA[<document>]]></text></item>"),
).encode()
_TOKENS = [
    b"<document",
    b"</document>",
    b"<![CDATA[",
    b"]]>",
    b"<!--",
    b"'",
    b"<note ",
    b"&x;",
    b"\0",
    b"\xff",
]
_TOKENS += [b"<!DOCTYPE a [", b"<database>", b"/>", b"<?", b"\xff\xfe", b"</database>"]
_EDITS = st.tuples(st.integers(0, len(_SEED)), st.integers(0, 60), st.sampled_from([b"", *_TOKENS]))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_EDITS, max_size=6))
def test_whatever_is_damaged_everything_listed_is_answered_and_read_again_alike(
    tmp_path: Path, edits: list[tuple[int, int, bytes]]
) -> None:
    damaged = bytearray(_SEED)
    for at, removed, added in edits:
        damaged[at : at + removed] = added
    (tmp_path / "a.dxl").write_bytes(damaged)
    source = DxlFolder("notes", tmp_path)
    listings = list(source.inventory(Window()))
    answers = list(source.fetch(listings))
    assert listings
    assert [answer.listing for answer in answers] == listings
    for answer in answers:
        assert isinstance(answer, SourceRecord) or answer.reason != "changed_while_reading"
        if isinstance(answer, SourceRecord):
            assert data(answer.original) in bytes(damaged)
            assert source.parse(answer.listing, answer.original, answer.context) == answer
