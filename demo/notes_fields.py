"""The items of the Notes application's two forms, typed as clerks of the day typed them."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import datetime, time, timedelta

from demo.calendar import LEGACY_UNTIL
from demo.chance import stream
from demo.dxl import Item, date_item, number_item, rich_text_item, text_item, text_list_item
from demo.organs import OFFICE, PROVINCIAL_COMMITTEE
from demo.papers import Paper
from demo.phrases import OPINIONS
from demo.rich_text import TCVN3_TYPING, rich_text, unicode_typing
from demo.tcvn3 import legible, written

Writing = Callable[[str], str]

_RETENTIONS = ("Vĩnh viễn", "70 năm", "20 năm", "10 năm", "5 năm")


def is_legacy(paper: Paper) -> bool:
    """True when the application was still typed in TCVN3 on the day of ``paper``."""
    return paper.day <= LEGACY_UNTIL


def writing_of(paper: Paper) -> Writing:
    """How plain items were typed on that day; some machines typed decomposed Unicode."""
    if is_legacy(paper):
        return written
    if paper.label == "notes-nfd" or paper.label.endswith("7"):
        return lambda text: unicodedata.normalize("NFD", text)
    return lambda text: text


def seen(paper: Paper, text: str) -> str:
    """What a reader sees of ``text`` in a plain item of ``paper``'s document, in NFC."""
    return legible(text) if is_legacy(paper) else text


def incoming_items(seed: int, paper: Paper, arrival_number: int) -> list[Item]:
    """The items of the form ``VanBanDen``, body and files excepted."""
    chance = stream(seed, "incoming", paper.label)
    writing = writing_of(paper)
    arrival = datetime.combine(paper.day + timedelta(days=1), time(8, chance.randint(0, 59)))
    due = paper.day + timedelta(days=chance.choice((10, 15, 20)))
    opinions = [
        f"{arrival + timedelta(hours=2 + position):%d/%m/%Y %H:%M} - {who}: {chance.choice(OPINIONS)}"
        for position, who in enumerate(_leaders(paper)[: chance.randint(1, 2)])
    ]
    return [
        text_item("SoDen", str(arrival_number)),
        date_item("NgayDen", arrival),
        text_item("SoKyHieu", writing(paper.symbol)),
        date_item("NgayVanBan", paper.day),
        text_item("CoQuanBanHanh", writing(paper.organ.name)),
        *_common_items(seed, paper, writing),
        date_item("HanXuLy", due),
        text_list_item("YKienXuLy", [writing(opinion) for opinion in opinions]),
        text_item("GhiChu", writing(chance.choice(("", "", "Bản giấy lưu tại bộ phận văn thư")))),
    ]


def outgoing_items(seed: int, paper: Paper) -> list[Item]:
    """The items of the form ``VanBanDi``, body and files excepted."""
    writing = writing_of(paper)
    return [
        text_item("SoVanBan", paper.number),
        text_item("KyHieu", writing(paper.notation)),
        date_item("NgayBanHanh", paper.day),
        *_common_items(seed, paper, writing),
        text_item("DonViSoanThao", writing("Phòng Tổng hợp")),
    ]


def opinion_items(seed: int, paper: Paper, moment: datetime, subject: str) -> list[Item]:
    """The items of the form ``YKienChiDao``: a leader's opinion on ``paper``."""
    writing = writing_of(paper)
    opinion = stream(seed, "opinion", paper.label).choice(OPINIONS)
    return [
        text_item("TrichYeu", writing(subject)),
        text_item("NguoiChoYKien", writing(_leaders(paper)[1])),
        date_item("NgayYKien", moment),
        text_item("DonViThucHien", writing("Phòng Tổng hợp")),
        rich_text_item("NoiDung", f"<pardef id='1'/><par def='1'><run>{writing(opinion)}</run></par>"),
    ]


def body_item(seed: int, paper: Paper, attachment_names: tuple[str, ...]) -> Item:
    """The item ``NoiDung``."""
    typing = TCVN3_TYPING if is_legacy(paper) else unicode_typing(writing_of(paper))
    table = stream(seed, "table", paper.label).random() < 0.2
    return rich_text_item("NoiDung", rich_text(paper, typing, attachment_names, table=table))


def _leaders(paper: Paper) -> tuple[str, str]:
    """Chief of the office and standing deputy secretary on the day of ``paper``."""
    return OFFICE.official(paper.day).full_name, PROVINCIAL_COMMITTEE.official(paper.day).full_name


def _common_items(seed: int, paper: Paper, writing: Writing) -> list[Item]:
    chance = stream(seed, "items", paper.label)
    return [
        text_item("LoaiVanBan", writing(paper.type_name)),
        text_item("TrichYeu", writing(paper.subject)),
        text_item("NguoiKy", writing(paper.official.full_name)),
        text_item("ChucVu", writing(paper.official.position)),
        text_item("DoKhan", writing(paper.urgency)),
        text_item("DoMat", writing(paper.secrecy)),
        text_list_item("NoiNhan", [writing(recipient) for recipient in paper.recipients]),
        number_item("SoTrang", chance.randint(1, 4)),
        number_item("SoBan", chance.choice((1, 5, 12, 30))),
        text_item("HoSo", writing(f"{paper.day.year}.{chance.randint(1, 40):02d}")),
        text_item("ThoiHanBaoQuan", writing(chance.choice(_RETENTIONS))),
        text_item("NhiemKy", paper.term),
    ]
