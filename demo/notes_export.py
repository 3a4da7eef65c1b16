"""The Notes application of the made-up office: its documents and its exports, faults included."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from demo.calendar import SHARED_A, SHARED_B, Calendar
from demo.chance import stream, token
from demo.dxl import Note, database, document, file_item, form_design, text_item
from demo.notes_fields import body_item, incoming_items, is_legacy, opinion_items, outgoing_items, seen
from demo.papers import Paper
from demo.report import ARCHIVED, NOTES, QUARANTINED, WITHHELD, ExpectedFile, ExpectedRecord
from demo.rtf import rtf_of
from demo.signed_papers import PdfFile, Press, expected_file

_CLERK = "CN=Van thu/OU=VPTU/O=ThuongGiang"
_FOLDER = NOTES
_OURS = ("TU", "VPTU")
_FORM_MADE = datetime.combine(date(2003, 12, 1), time(9))
_SPECIAL = (
    "notes-secret-unicode",
    "notes-secret-tcvn3",
    "notes-decoy",
    "notes-conflict-winner",
    "notes-no-subject",
    "notes-nfd",
    *SHARED_A,
    *SHARED_B,
)
_TRUNCATED = "notes-truncated"
_TWICE = "notes-twice"
_WITHOUT_SUBJECT = "notes-no-subject"


@dataclass(frozen=True, slots=True)
class NotesExport:
    """The written exports.

    Attributes:
        files: name below the drop folder and bytes.
        records: what is expected of them.
        keys: UNID by label of the document.
    """

    files: dict[str, bytes]
    records: tuple[ExpectedRecord, ...]
    keys: dict[str, str]
    listed_again: int
    design_notes: int


@dataclass(frozen=True, slots=True)
class _Entry:
    """A document as the application holds it, and what is expected of it."""

    note: Note
    record: ExpectedRecord
    printed: str


def export_notes(
    press: Press, calendar: Calendar, papers: dict[str, Paper], shared: dict[str, PdfFile]
) -> NotesExport:
    """Write the application's exports. ``shared`` holds the files that the other system has as well."""
    application = _Application(press, papers, shared)
    labels = (*calendar.notes, *_SPECIAL, _TWICE, _TRUNCATED)
    entries = {label: application.entry(label) for label in labels}
    responses = [
        application.response(label, entries[label]) for label in application.answered(calendar.notes)
    ]
    ordinary = [entry for label, entry in entries.items() if label not in (_TWICE, _TRUNCATED)] + responses
    ordinary.append(application.conflict(entries["notes-conflict-winner"]))
    files = {}
    records: list[ExpectedRecord] = []
    for name, first, last in _PERIODS:
        inside = sorted(
            (entry for entry in ordinary if first <= entry.note.created.year <= last), key=_by_note_id
        )
        held = [*inside, entries[_TWICE]] if first <= entries[_TWICE].note.created.year <= last else inside
        files[f"{_FOLDER}/{name}"] = application.file([entry.printed for entry in held], doctype=first > 2008)
        records += [replace(entry.record, file=f"{_FOLDER}/{name}") for entry in held]
    last_name = f"{_FOLDER}/van_ban_bo_sung.dxl"
    files[last_name] = application.cut_file(entries[_TWICE].printed, entries[_TRUNCATED].printed)
    records.append(replace(entries[_TRUNCATED].record, file=last_name, key="", files=()))
    keys = {label: entry.note.unid for label, entry in entries.items()}
    return NotesExport(files, tuple(records), keys, listed_again=1, design_notes=len(_PERIODS))


_PERIODS = (
    ("van_ban_2004-2008.dxl", 0, 2008),
    ("van_ban_2009-2013.dxl", 2009, 2013),
    ("van_ban_2014-2020.dxl", 2014, 9999),
)


class _Application:
    """Registers papers as the clerks of their time did."""

    def __init__(self, press: Press, papers: dict[str, Paper], shared: dict[str, PdfFile]) -> None:
        self._press = press
        self._papers = papers
        self._shared = shared
        self._replica = token(press.seed, "replica").hex()[:16].upper()
        self._arrivals: dict[int, int] = {}
        days = {label: paper.day for label, paper in papers.items()}
        self._note_ids = {
            label: 0x8F6 + 4 * position
            for position, label in enumerate(sorted(days, key=lambda name: (days[name], name)))
        }
        self._arrival_numbers = self._numbered_arrivals()

    def entry(self, label: str) -> _Entry:
        """The document ``label`` in the application."""
        paper = self._papers[label]
        attachments = self._attachments(paper)
        seed = self._press.seed
        incoming = paper.organ.key not in _OURS
        items = (
            incoming_items(seed, paper, self._arrival_numbers[label])
            if incoming
            else outgoing_items(seed, paper)
        )
        if label == _WITHOUT_SUBJECT:
            items = [item for item in items if item.name != "TrichYeu"]
        names = tuple(expected.name for _, expected in attachments)
        items.append(body_item(seed, paper, names))
        note = self._note(label, paper, "VanBanDen" if incoming else "VanBanDi")
        items += [file_item(expected.name, data, note.created) for data, expected in attachments]
        note = replace(note, items=tuple(items))
        record = _record(label, paper, note, tuple(expected for _, expected in attachments), incoming)
        return _Entry(note, record, document(note))

    def conflict(self, winner: _Entry) -> _Entry:
        """What replication left beside ``winner``: the same document, saved elsewhere with another remark."""
        items = tuple(
            text_item("GhiChu", "Đã chuyển bản giấy") if item.name == "GhiChu" else item
            for item in winner.note.items
        )
        note = replace(
            winner.note,
            unid=token(self._press.seed, "unid", "conflict").hex()[:32].upper(),
            note_id=winner.note.note_id + 1,
            modified=winner.note.modified + timedelta(minutes=3),
            items=items,
            parent=winner.note.unid,
            conflict=True,
        )
        relations = (("response_in_source", winner.note.unid),)
        record = replace(winner.record, case="notes-conflict", key=note.unid, relations=relations)
        return _Entry(note, record, document(note))

    def response(self, label: str, parent: _Entry) -> _Entry:
        """An opinion of a leader below the document ``label``."""
        paper = self._papers[label]
        hours = stream(self._press.seed, "response", label).randint(2, 60)
        moment = parent.note.created + timedelta(hours=hours)
        subject = f"Ý kiến chỉ đạo đối với văn bản số {paper.symbol}"
        note = Note(
            form="YKienChiDao",
            unid=token(self._press.seed, "unid", "response", label).hex()[:32].upper(),
            note_id=parent.note.note_id + 2,
            created=moment,
            modified=moment,
            added=moment,
            updated_by=_CLERK,
            parent=parent.note.unid,
            items=tuple(opinion_items(self._press.seed, paper, moment, subject)),
        )
        record = ExpectedRecord(
            source=NOTES,
            case="response",
            file="",
            key=note.unid,
            outcome=ARCHIVED,
            kind="other",
            subject=seen(paper, subject),
            relations=(("response_in_source", parent.note.unid),),
        )
        return _Entry(note, record, document(note))

    def answered(self, labels: tuple[str, ...]) -> list[str]:
        """The incoming documents that a leader wrote an opinion on: every eighth, two at least."""
        incoming = [label for label in labels if self._papers[label].organ.key not in _OURS]
        return incoming[::8] if len(incoming) > 8 else incoming[:2]

    def file(self, printed: list[str], *, doctype: bool) -> bytes:
        """An export of ``printed`` documents with the form's design between them."""
        name = "VanBanDen" if doctype else "VanBanDen|VBDen"
        font = "Times New Roman" if doctype else ".VnTime"
        unid = token(self._press.seed, "form", name).hex()[:32].upper()
        fields = {"SoKyHieu": font, "TrichYeu": font}
        design = form_design(name, unid, 0x11E, _FORM_MADE, fields)
        middle = len(printed) // 2
        notes = [*printed[:middle], design, *printed[middle:]]
        return database(
            notes,
            replica_id=self._replica,
            path="vanban\\vbdendi.nsf",
            title="Văn bản đến - đi",
            doctype=doctype,
            numbers=len(printed),
        )

    def cut_file(self, whole: str, cut: str) -> bytes:
        """An export that broke off: ``whole``, then ``cut`` up to the middle of its attachment."""
        printed = database(
            [whole, cut],
            replica_id=self._replica,
            path="vanban\\vbdendi.nsf",
            title="Văn bản đến - đi",
            doctype=True,
            numbers=2,
        )
        start = printed.rindex(b"<filedata>")
        return printed[: start + (len(printed) - start) // 2]

    def _numbered_arrivals(self) -> dict[str, int]:
        """Số đến: one running series a year (Decree 30/2020/NĐ-CP article 22)."""
        numbers = {}
        for label in self._note_ids:
            year = self._papers[label].day.year
            step = stream(self._press.seed, "arrival", label).randint(1, 40)
            self._arrivals[year] = self._arrivals.get(year, 0) + step
            numbers[label] = self._arrivals[year]
        return numbers

    def _note(self, label: str, paper: Paper, form: str) -> Note:
        chance = stream(self._press.seed, "note", label)
        created = datetime.combine(paper.day, time(7, 30)) + timedelta(
            days=1, minutes=chance.randint(0, 540), microseconds=10_000 * chance.randint(0, 99)
        )
        modified = created + timedelta(minutes=chance.randint(0, 4000))
        return Note(
            form=form,
            unid=token(self._press.seed, "unid", label).hex()[:32].upper(),
            note_id=self._note_ids[label],
            created=created,
            modified=modified,
            added=created + timedelta(seconds=1),
            updated_by=_CLERK,
            items=(),
            sequence=chance.randint(1, 6),
        )

    def _attachments(self, paper: Paper) -> list[tuple[bytes, ExpectedFile]]:
        """What clerks attached in their time: nothing or an RTF, then scans, then signed PDFs."""
        if paper.label in self._shared:
            file = self._shared[paper.label]
            return [(file.data, file.expected)]
        if paper.label in SHARED_B:
            file = self._press.pdf(paper, "scan", f"scan {paper.file_stem}.pdf")
            return [(file.data, file.expected)]
        chance = stream(self._press.seed, "attachment", paper.label).random()
        if is_legacy(paper):
            if chance < 0.5:
                return []
            data = rtf_of(paper)
            return [(data, expected_file(f"{paper.file_stem}.rtf", data, "rtf"))]
        if chance < 0.35 and paper.label not in _ALWAYS_WITH_FILE:
            return []
        file = self._press.pdf(paper, "scan" if paper.day.year < 2014 else "")
        return [(file.data, file.expected)]


_ALWAYS_WITH_FILE = (_TRUNCATED, _TWICE)


def _record(
    label: str, paper: Paper, note: Note, files: tuple[ExpectedFile, ...], incoming: bool
) -> ExpectedRecord:
    outcome, reason = ARCHIVED, ""
    if label == _WITHOUT_SUBJECT:
        outcome, reason = QUARANTINED, "mapping_error"
    elif label == _TRUNCATED:
        outcome, reason = QUARANTINED, "unreadable"
    elif paper.secrecy != "Thường":
        outcome = WITHHELD
    return ExpectedRecord(
        source=NOTES,
        case=label if label in (*_SPECIAL, _TWICE, _TRUNCATED) else "ordinary",
        file="",
        key=note.unid,
        outcome=outcome,
        reason=reason,
        level=paper.secrecy if outcome == WITHHELD else "",
        number=paper.number,
        notation=paper.notation,
        symbol=paper.symbol,
        issued_date=paper.day.isoformat(),
        issuer=seen(paper, paper.organ.name) if incoming else "",
        subject="" if label == _WITHOUT_SUBJECT else seen(paper, paper.subject),
        files=files,
    )


def _by_note_id(entry: _Entry) -> int:
    return entry.note.note_id
