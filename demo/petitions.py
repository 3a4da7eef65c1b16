"""Đơn thư: an application of the made-up office that only its Domino server holds, and what a night must make of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from demo.chance import stream, token
from demo.domino_database import NotesDatabase, StoredDocument, StoredFile
from demo.dxl import Note, date_item, form_design, rich_text_item, text_item
from demo.report import SourceCounts

DATABASE_PATH = "vanban/donthu.nsf"
REPLICA_ID = "47257A3C003B11D0"
FAILURE = "The exporter stopped at an item that is damaged"

_SEED = 2026
_COUNT = 36
_FIRST = datetime(2024, 1, 3, 8)  # noqa: DTZ001 - local, as in demo.domino_database
_SECRET, _HIDDEN, _FAILING = 7, 13, 22
_WRITERS = ("Nguyễn Văn Hòa", "Trần Thị Lựu", "Lê Quang Ưng", "Phạm Thị Ngà", "Hoàng Đức Thuận", "Vũ Thị Mỵ")
_MATTERS = (
    "khiếu nại quyết định thu hồi đất",
    "kiến nghị về tuyến đường liên xã",
    "phản ánh việc chậm trả trợ cấp",
    "đề nghị xem xét chế độ người có công",
    "tố cáo cán bộ thôn thu tiền sai quy định",
)
_PLACES = ("xã An Bình", "xã Phú Mỹ", "phường Tân Giang", "thị trấn Đông Hưng")
_LEADER = frozenset({"CN=Pho Bi thu/O=ThuongGiang"})


def petitions_database() -> NotesDatabase:
    """The application as its server holds it, a replication conflict included."""
    fields = dict.fromkeys(("NoiDungDon", "NguoiGui"), "Times New Roman")
    form = form_design("DonThu", token(_SEED, "petition form").hex()[:32].upper(), 0x11E, _FIRST, fields)
    made = NotesDatabase(DATABASE_PATH, REPLICA_ID, "Đơn thư khiếu nại, tố cáo", (form,))
    documents = list(_documents())
    made.add(documents)
    made.save_conflict(documents[3].unid, documents[-1].note.modified + timedelta(days=1))
    return made


def failing_unid() -> str:
    """The document that the exporter cannot export."""
    return _unid(_FAILING)


def expected() -> SourceCounts:
    """What a night over it comes to: one withheld, one that the account may not read, one that cannot be exported."""
    return SourceCounts(listed=_COUNT + 1, archived=_COUNT + 1 - 3, quarantined=2, withheld=1, relations=1)


def _documents() -> Iterator[StoredDocument]:
    moment = _FIRST
    for number in range(_COUNT):
        chance = stream(_SEED, "petition", number)
        moment += timedelta(hours=chance.randint(20, 300), minutes=chance.randint(0, 59))
        matter = f"{chance.choice(_WRITERS)}, {chance.choice(_PLACES)}: {chance.choice(_MATTERS)}"
        name = f"đơn số {number + 1}.txt"
        files = (StoredFile(name, f"{matter}\r\n".encode()),) if number % 3 == 0 else ()
        place = f"<attachmentref name='{name}' displayname='{name}'/>" if files else ""
        note = Note(
            form="DonThu",
            unid=_unid(number),
            note_id=0x902 + 4 * number,
            created=moment,
            modified=moment + timedelta(minutes=chance.randint(1, 90)),
            added=moment,
            updated_by="CN=Tiep dan/OU=VPTU/O=ThuongGiang",
            items=(
                text_item("SoDen", str(number + 1)),
                date_item("NgayNhan", moment.date()),
                text_item("NoiDungDon", f"Về việc {matter.partition(': ')[2]}"),
                text_item("NguoiGui", matter.partition(",")[0]),
                text_item("DoMat", "Mật" if number == _SECRET else "Thường"),
                rich_text_item(
                    "Body",
                    f"<pardef id='1'/><par def='1'><run>{matter}.</run></par><par def='1'>{place}</par>",
                ),
            ),
            sequence=chance.randint(1, 3),
        )
        readers = _LEADER if number == _HIDDEN else frozenset[str]()
        yield StoredDocument(note, f"Về việc {matter}", files, readers=readers)


def _unid(number: int) -> str:
    return token(_SEED, "petition", number).hex()[:32].upper()
