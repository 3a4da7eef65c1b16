"""What lies on the exchange for the made-up office beside its drop folder, and what a night must make of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from connectors.operations.package import (
    Business,
    DocumentPackage,
    Organ,
    PackageFile,
    Replacement,
    ResponseFor,
    Signer,
    StatusMessage,
    Trace,
)
from connectors.operations.writer import write_document, write_status
from demo import organs
from demo.exchange_mailbox import Message, local_text
from demo.pages import render
from demo.papers import Paper, Plan, issue
from demo.report import SourceCounts
from demo.typefaces import load_typefaces

_SEED = 2027
_FIRST_DAY = date(2025, 2, 3)
_ORDINARY = 18
_SPECIAL = (
    Plan("asked", date(2025, 3, 12), "VPTU", "CV", subject="V/v báo cáo tiến độ số hóa tài liệu lưu trữ"),
    Plan("answer", date(2025, 4, 2), "HULG", "CV", subject="V/v báo cáo kết quả số hóa tài liệu lưu trữ"),
    Plan("recalled", date(2025, 5, 6), "UBND", "CV", subject="V/v tổ chức Tuần lễ đọc sách"),
    Plan("recall", date(2025, 5, 7), "UBND", "CV", subject="V/v thu hồi văn bản phát hành nhầm nơi nhận"),
    Plan("replaced", date(2025, 6, 10), "HULG", "BC"),
    Plan(
        "replacement",
        date(2025, 6, 12),
        "HULG",
        "BC",
        subject="kết quả công tác quý II, thay báo cáo sai số liệu",
    ),
    Plan("secret", date(2025, 7, 1), "UBND", "BC", subject="phương án bảo vệ mục tiêu trọng điểm (Tối mật)"),
    Plan("cut-off", date(2025, 7, 8), "STC", "CV"),
)
_STATUSES = (("01", "Văn bản đã đến"), ("03", "Văn thư đã tiếp nhận, vào sổ"), ("06", "Đã xử lý xong"))


def messages() -> list[tuple[Message, bytes]]:
    """Every message with its package."""
    plans = [
        Plan(f"ordinary-{number:02d}", _FIRST_DAY + timedelta(days=9 * number)) for number in range(_ORDINARY)
    ]
    papers = issue(_SEED, [*plans, *_SPECIAL])
    faces = load_typefaces()
    found = []
    for number, paper in enumerate(
        sorted(papers.values(), key=lambda paper: (paper.day, paper.label)), start=1
    ):
        file = PackageFile(f"{paper.file_stem}.pdf", render(paper, faces), zipped=number % 3 == 0)
        data = write_document(_package(paper, papers, file))
        if paper.label == "cut-off":
            data = data[: len(data) * 2 // 3]
        found.append((_message(number, "edoc", paper.organ.organ_id, _sent_at(paper)), data))
    for data, sender, moment in _statuses(papers["asked"]):
        found.append((_message(len(found) + 1, "status", sender, moment), data))
    return found


def expected() -> SourceCounts:
    """What a night over them comes to: one withheld, one that ends in the middle."""
    listed = _ORDINARY + len(_SPECIAL) + len(_STATUSES)
    return SourceCounts(
        listed=listed, archived=listed - 2, quarantined=1, withheld=1, relations=3 + len(_STATUSES)
    )


def _statuses(asked: Paper) -> Iterator[tuple[bytes, str, datetime]]:
    """What became of the office's own document at its receiver: package, sender and moment."""
    receiver = organs.BY_KEY["HULG"]
    for days, (code, description) in enumerate(_STATUSES):
        moment = datetime.combine(asked.day, time(15, 5)) + timedelta(days=days)
        message = StatusMessage(_organ(receiver), _response(asked), code, moment, description)
        yield write_status(message), receiver.organ_id, moment


def _package(paper: Paper, papers: dict[str, Paper], file: PackageFile) -> DocumentPackage:
    ours = paper.organ.key == organs.OFFICE.key
    receiver = organs.BY_KEY["HULG"] if ours else organs.OFFICE
    return DocumentPackage(
        sender=_organ(paper.organ),
        recipients=(_organ(receiver),),
        document_id=_document_id(paper),
        code_number=paper.number,
        code_notation=paper.notation,
        promulgation_date=paper.day,
        place=paper.organ.place,
        subject=paper.subject,
        content=paper.subject,
        type_name=paper.type_name,
        type_code="2",
        signer=Signer(paper.official.full_name, paper.official.position, paper.official.competence or None),
        to_places=paper.recipients[:-1],
        page_amount=1,
        response_for=(_response(papers["asked"]),) if paper.label == "answer" else (),
        trace=(Trace(paper.organ.organ_id, _sent_at(paper)),),
        business=_business(paper.label, papers),
        files=(file,),
    )


def _business(label: str, papers: dict[str, Paper]) -> Business | None:
    if label == "recall":
        return Business("1", "Thu hồi văn bản phát hành nhầm nơi nhận", _document_id(papers["recalled"]))
    if label == "replacement":
        held = Replacement(_document_id(papers["replaced"]), (organs.OFFICE.organ_id,))
        return Business("3", "Thay thế báo cáo sai số liệu", replacements=(held,))
    return Business("0", "Văn bản điện tử mới")


def _response(paper: Paper) -> ResponseFor:
    return ResponseFor(paper.organ.organ_id, _document_id(paper), paper.symbol, paper.day)


def _document_id(paper: Paper) -> str:
    return f"{paper.organ.organ_id},{paper.day:%Y/%m/%d},{paper.symbol}"


def _sent_at(paper: Paper) -> datetime:
    return datetime.combine(paper.day, time(14, 20))


def _organ(organ: organs.Organ) -> Organ:
    return Organ(organ_id=organ.organ_id, name=organ.name, address=f"{organ.place}, tỉnh {organs.PROVINCE}")


def _message(number: int, kind: str, sender: str, moment: datetime) -> Message:
    identity = str(880_000 + number)
    receiver = organs.OFFICE.organ_id
    return Message(identity, kind, sender, receiver, local_text(moment), f"{identity}.edxml")
