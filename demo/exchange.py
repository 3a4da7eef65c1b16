"""The provincial operations system of the made-up office: its edXML packages, faults included."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta

from connectors.operations.package import (
    Business,
    DocumentPackage,
    Organ,
    PackageFile,
    Receiver,
    Replacement,
    ResponseFor,
    Signer,
    Staff,
    StatusMessage,
    Trace,
)
from connectors.operations.writer import write_document, write_status
from demo import organs
from demo.calendar import SHARED_A, SHARED_B, Calendar
from demo.chance import stream, token
from demo.papers import Paper
from demo.report import ARCHIVED, EXCHANGE, QUARANTINED, WITHHELD, ExpectedRecord
from demo.signed_papers import PdfFile, Press
from demo.xml_signing import seal_message

_PRIORITIES = {"Thường": "0", "Khẩn": "1", "Thượng khẩn": "2", "Hỏa tốc": "3"}
_OURS = ("TU", "VPTU")
_SPECIAL = (
    *SHARED_A,
    *SHARED_B,
    "exchange-secret-stamp",
    "exchange-secret-subject",
    "exchange-decoy",
    "recalled",
    "recall",
    "foreign-recall",
    "replaced",
    "replacement",
    "updated",
    "update",
    "asked",
    "answer",
    "junk-before-prolog",
    "impossible-date",
    "truncated-package",
    "utf8-decoded-file",
    "signed-message",
    "tampered-file",
    "appended-file",
    "revoked-signer",
    "foreign-root",
    "expired-signer",
    "expired-stamped-signer",
)
_FILE_CASES = {
    "utf8-decoded-file": "utf8_decoded",
    "tampered-file": "tampered",
    "appended-file": "appended",
    "revoked-signer": "revoked",
    "foreign-root": "foreign_root",
    "expired-signer": "expired",
    "expired-stamped-signer": "expired_stamped",
    **dict.fromkeys(SHARED_B, "person_and_seal"),
    "same-number-3": "unsigned",  # its organ has no certificate
}
_STATUSES = (
    ("01", "Văn bản đã đến hệ thống của đơn vị"),
    ("03", "Văn thư đã tiếp nhận, vào sổ văn bản đến"),
    ("06", "Đã xử lý xong"),
)
_TAKEN_BACK = (
    ("01", "Văn bản đã đến hệ thống của đơn vị", 0),
    ("03", "Văn thư đã tiếp nhận, vào sổ văn bản đến", 1),
    ("15", "Đồng ý cho lấy lại; đã gỡ khỏi sổ văn bản đến", 3),
)
_REFUSAL = ("02", "Từ chối tiếp nhận: gửi nhầm nơi nhận")
_NO_PACKAGE = (
    "<!DOCTYPE html>\n<html><head><title>Đăng nhập hệ thống</title></head>\n"
    "<body><p>Phiên làm việc đã hết hạn<br>Vui lòng đăng nhập lại.</p></body></html>\n"
)


@dataclass(frozen=True, slots=True)
class Exchange:
    """The written packages.

    Attributes:
        files: name below the drop folder and bytes. records: what is expected of them.
        keys: DocumentId by label of the document.
    """

    files: dict[str, bytes]
    records: tuple[ExpectedRecord, ...]
    keys: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Sent:
    """One message file with its expectation."""

    path: str
    data: bytes
    record: ExpectedRecord


def write_exchange(
    press: Press, calendar: Calendar, papers: dict[str, Paper], shared: dict[str, PdfFile]
) -> Exchange:
    """Write every package. ``shared`` holds the files that the other system has as well."""
    system = _System(press, papers, shared)
    labels = (*calendar.exchange, *_SPECIAL)
    sent = [system.document(label) for label in labels]
    sent += system.taken_back("recalled")
    outgoing = [label for label in labels if papers[label].organ.key in _OURS and label not in _FILE_CASES]
    told = dict.fromkeys((*outgoing[: 2 + len(outgoing) // 4], "asked"))
    sent += [message for label in told for message in system.statuses(label)]
    sent.append(system.refusal([label for label in outgoing if label != "asked"][-1]))
    sent.append(_no_package())
    keys = {label: system.document_id(label) for label in labels}
    return Exchange(
        {message.path: message.data for message in sent}, tuple(message.record for message in sent), keys
    )


class _System:
    """Sends papers as the system of their time does."""

    def __init__(self, press: Press, papers: dict[str, Paper], shared: dict[str, PdfFile]) -> None:
        self._press = press
        self._papers = papers
        self._shared = shared

    def document_id(self, label: str) -> str:
        """``{OrganId},{yyyy/MM/dd},{symbol}``, as the standard shows it; a UUID from every fifth system."""
        paper = self._papers[label]
        if label.endswith(("3", "8")) and not label.startswith("same"):
            return str(uuid.UUID(bytes=token(self._press.seed, "document-id", label)[:16], version=4))
        return f"{paper.organ.organ_id},{paper.day:%Y/%m/%d},{paper.symbol}"

    def document(self, label: str) -> _Sent:
        """The package of the document ``label``, spoiled where its story asks for it."""
        paper = self._papers[label]
        file = self._shared.get(label) or self._press.pdf(
            paper, _FILE_CASES.get(label, ""), f"{paper.file_stem}_signed.pdf"
        )
        package = self._package(label, paper, file)
        sign = self._seal(paper) if label == "signed-message" else None
        data, record = _spoiled(label, write_document(package, sign=sign), self._record(label, paper, file))
        direction = "di" if paper.organ.key in _OURS else "den"
        name = uuid.UUID(bytes=token(self._press.seed, "package", label)[:16], version=4)
        path = f"{EXCHANGE}/{direction}/{paper.day.year}/{paper.day.month:02d}/{name}.edxml"
        return _Sent(path, data, replace(record, file=path))

    def statuses(self, label: str) -> Iterator[_Sent]:
        """What became of the outgoing document ``label`` at its receiver: arrived, registered, done."""
        for days, (code, description) in enumerate(_STATUSES):
            yield self._status(label, organs.BY_KEY["HULG"], code, description, days)

    def taken_back(self, label: str) -> Iterator[_Sent]:
        """What became of ``label`` at our office, from its arrival until its sender took it back."""
        for code, description, days in _TAKEN_BACK:
            yield self._status(label, organs.OFFICE, code, description, days)

    def refusal(self, label: str) -> _Sent:
        """A receiver sends ``label`` back."""
        return self._status(label, organs.BY_KEY["SNV"], *_REFUSAL, days=1)

    def _status(self, label: str, sender: organs.Organ, code: str, description: str, days: int) -> _Sent:
        paper = self._papers[label]
        moment = datetime.combine(paper.day, time(16, 10)) + timedelta(days=days)
        message = StatusMessage(
            sender=_organ(sender),
            response_for=self._answering(label),
            status_code=code,
            timestamp=moment,
            description=description,
            staff=Staff("Văn thư", "Bộ phận văn thư", None, f"vanthu@{sender.key.lower()}.demo.invalid"),
        )
        name = uuid.UUID(bytes=token(self._press.seed, "status", label, code)[:16], version=4)
        path = f"{EXCHANGE}/trang_thai/{paper.day.year}/{name}.edxml"
        record = ExpectedRecord(
            source=EXCHANGE,
            case=f"status-{code}",
            file=path,
            key=self.document_id(label),
            outcome=ARCHIVED,
            kind="status",
            issuer=sender.name,
            relations=(("status_of", self.document_id(label)),),
        )
        return _Sent(path, write_status(message), record)

    def _package(self, label: str, paper: Paper, file: PdfFile) -> DocumentPackage:
        chance = stream(self._press.seed, "package", label)
        sent_at = datetime.combine(paper.day, time(14, chance.randint(0, 59), chance.randint(0, 59)))
        receiver = _receiver(paper)
        return DocumentPackage(
            sender=_organ(paper.organ),
            recipients=(_organ(receiver),),
            document_id=self.document_id(label),
            code_number=paper.number,
            code_notation=paper.notation,
            promulgation_date=paper.day,
            place=paper.organ.place,
            subject=paper.subject,
            content=paper.subject,
            type_name=paper.type_name,
            type_code=chance.choice(("1", "2", "2", "2")),
            type_detail="18" if paper.type_name == "Công văn" else None,
            signer=Signer(
                paper.official.full_name, paper.official.position, paper.official.competence or None
            ),
            due_date=paper.day + timedelta(days=15) if chance.random() < 0.3 else None,
            to_places=paper.recipients[:-1],
            priority=_PRIORITIES[paper.urgency],
            sphere=chance.choice((None, "Lưu hành nội bộ", "Liên thông văn bản trong tỉnh")),
            typer_notation=chance.choice(("NTM", "LVB", "TH", None)),
            promulgation_amount=chance.choice((1, 5, 10)),
            page_amount=file.pages,
            direction=False,
            appendixes=(),
            response_for=(self._answering("asked"),) if label == "answer" else (),
            steering_type=chance.choice(("1", "1", "2", "3")),
            trace=(
                Trace(paper.organ.organ_id, sent_at),
                Trace(receiver.organ_id, sent_at + timedelta(minutes=chance.randint(1, 40))),
            ),
            business=self._business(label),
            files=(PackageFile(file.expected.name, file.data, zipped=chance.random() < 0.4),),
        )

    def _business(self, label: str) -> Business | None:
        staff = Staff("Văn thư", "Bộ phận văn thư", "0900000000", "vanthu@demo.invalid")
        if label == "recall":
            target = self.document_id("recalled")
            return Business("1", "Thu hồi văn bản điện tử phát hành nhầm nơi nhận", target, staff=staff)
        if label == "foreign-recall":
            return Business("1", "Đề nghị thu hồi văn bản gửi nhầm", self.document_id("asked"), staff=staff)
        if label == "update":
            added = (Receiver(organs.BY_KEY["STC"].organ_id, "1"),)
            return Business(
                "2",
                "Bổ sung nơi nhận",
                self.document_id("updated"),
                staff=staff,
                document_info="0",
                document_receiver="1",
                receivers=added,
            )
        if label == "replacement":
            held = Replacement(self.document_id("replaced"), (organs.OFFICE.organ_id,))
            return Business("3", "Thay thế báo cáo sai số liệu", staff=staff, replacements=(held,))
        present = stream(self._press.seed, "business", label).random() < 0.6
        return Business("0", "Văn bản điện tử mới", staff=staff) if present else None

    def _answering(self, label: str) -> ResponseFor:
        paper = self._papers[label]
        return ResponseFor(paper.organ.organ_id, self.document_id(label), paper.symbol, paper.day)

    def _seal(self, paper: Paper) -> Callable[[bytes], bytes]:
        credential = self._press.pki.signers[paper.organ.seal]
        return lambda message: seal_message(message, credential)

    def _record(self, label: str, paper: Paper, file: PdfFile) -> ExpectedRecord:
        related = {
            "recall": ("recalls", "recalled"),
            "foreign-recall": ("recalls", "asked"),
            "replacement": ("replaces", "replaced"),
            "update": ("amends", "updated"),
            "answer": ("replies_to", "asked"),
        }
        relations: tuple[tuple[str, str], ...] = ()
        if label in related:
            kind, target = related[label]
            relations = ((kind, self.document_id(target)),)
        return ExpectedRecord(
            source=EXCHANGE,
            case=label if label in _SPECIAL else "ordinary",
            file="",
            key=self.document_id(label),
            outcome=ARCHIVED,
            number=paper.number,
            notation=paper.notation,
            symbol=paper.symbol,
            issued_date=paper.day.isoformat(),
            issuer=paper.organ.name,
            subject=paper.subject,
            relations=relations,
            files=(file.expected,),
            message_signatures=int(label == "signed-message"),
        )


def _spoiled(label: str, data: bytes, record: ExpectedRecord) -> tuple[bytes, ExpectedRecord]:
    if label == "junk-before-prolog":
        return b"1212" + data, record
    if label == "impossible-date":
        wrong = data.replace(b"2014/02/28</edXML:PromulgationDate>", b"2014/02/30</edXML:PromulgationDate>")
        return wrong, replace(record, issued_date="", flags=("impossible_date",))
    if label == "truncated-package":
        lost = replace(record, key="", outcome=QUARANTINED, reason="unreadable", files=())
        return data[: len(data) * 3 // 5], lost
    if label == "exchange-secret-stamp":
        return data, replace(record, outcome=WITHHELD, level="Mật")
    if label == "exchange-secret-subject":
        return data, replace(record, outcome=WITHHELD, level="Tuyệt mật")
    return data, record


def _no_package() -> _Sent:
    path = f"{EXCHANGE}/den/2021/06/tai_ve.edxml"
    record = ExpectedRecord(
        source=EXCHANGE,
        case="no-package",
        file=path,
        key="",
        outcome=QUARANTINED,
        reason="unreadable",
    )
    return _Sent(path, _NO_PACKAGE.encode("utf-8"), record)


def _receiver(paper: Paper) -> organs.Organ:
    return organs.BY_KEY["HULG"] if paper.organ.key in _OURS else organs.OFFICE


def _organ(organ: organs.Organ) -> Organ:
    superior = "Tỉnh ủy Thượng Giang" if organ.party else "Ủy ban nhân dân tỉnh Thượng Giang"
    return Organ(
        organ_id=organ.organ_id,
        name=organ.name,
        in_charge=superior,
        address=f"Số 1 đường Hòa Bình, {organ.place}, tỉnh {organs.PROVINCE}",
        email=f"vanthu@{organ.key.lower()}.demo.invalid",
        telephone="0200 000 000",
    )
