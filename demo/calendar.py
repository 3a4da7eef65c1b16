"""Which documents the office has: ordinary ones by chance, special ones by name, all planned by date."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from demo.chance import stream
from demo.organs import DEPUTY, STRANGER
from demo.papers import Plan

LEGACY_UNTIL = date(2008, 12, 31)
"""Last day on which the Notes application was typed in TCVN3 fonts."""

_DECOY_SUBJECT = "tăng cường công tác bảo vệ bí mật nhà nước trong tình hình mới"
_DECOY_REMARK = (
    "Cán bộ, đảng viên giữ mối liên hệ mật thiết với nhân dân; không đưa tin, tài liệu thuộc danh mục "
    "bí mật nhà nước lên mạng Internet."
)


@dataclass(frozen=True, slots=True)
class Calendar:
    """All plans of the office.

    Attributes:
        notes, exchange: labels of the ordinary documents of each system.
        plans: every plan, special ones included, by label.
    """

    notes: tuple[str, ...]
    exchange: tuple[str, ...]
    plans: dict[str, Plan]


SHARED_A = ("same-file-1", "same-file-2", "same-file-3")
"""In both systems with the very same PDF."""
SHARED_B = ("same-number-1", "same-number-2", "same-number-3")
"""In both systems, there a scan of the paper and here the signed file."""

_SPECIAL = (
    Plan("same-file-1", date(2015, 6, 9), "HULG", "BC"),
    Plan("same-file-2", date(2017, 3, 21), "UBND", "KH"),
    Plan("same-file-3", date(2019, 11, 5), "HULG", "TTr"),
    Plan("same-number-1", date(2016, 4, 12), "UBND", "BC"),
    Plan("same-number-2", date(2018, 8, 30), "HULG", "CV"),
    Plan("same-number-3", date(2020, 2, 14), "SNV", "CV"),
    # Notes only.
    Plan("notes-secret-unicode", date(2012, 5, 8), "UBKTTU", "BC", secrecy="Mật"),
    Plan("notes-secret-tcvn3", date(2007, 9, 14), "BTCTU", "TTr", secrecy="Tối mật"),
    Plan("notes-decoy", date(2019, 7, 2), "TU", "CT", subject=f"về {_DECOY_SUBJECT}", remark=_DECOY_REMARK),
    Plan("notes-conflict-winner", date(2013, 10, 17), "STC", "CV"),
    Plan("notes-no-subject", date(2011, 3, 3), "SNV", "BC"),
    Plan("notes-truncated", date(2020, 9, 22), "HULG", "BC"),
    Plan("notes-twice", date(2018, 12, 4), "UBND", "QĐ"),
    Plan("notes-nfd", date(2010, 6, 25), "BTGTU", "HD"),
    # Exchange only.
    Plan("exchange-secret-stamp", date(2018, 10, 3), "HULG", "BC", stamp="MẬT"),
    Plan(
        "exchange-secret-subject",
        date(2021, 6, 16),
        "UBND",
        "BC",
        subject="tình hình triển khai phương án phòng thủ khu vực (Tuyệt mật)",
    ),
    Plan(
        "exchange-decoy",
        date(2022, 4, 19),
        "VPTU",
        "CV",
        subject=f"V/v {_DECOY_SUBJECT}",
        remark=_DECOY_REMARK,
    ),
    Plan("recalled", date(2019, 4, 10), "UBND", "CV"),
    Plan(
        "recall",
        date(2019, 4, 12),
        "UBND",
        "CV",
        subject="V/v thu hồi văn bản điện tử phát hành nhầm nơi nhận",
    ),
    # By an organ that did not issue it: recorded, and not applied.
    Plan("foreign-recall", date(2022, 3, 2), "SNV", "CV", subject="V/v thu hồi văn bản điện tử gửi nhầm"),
    Plan("replaced", date(2020, 7, 7), "HULG", "BC"),
    Plan(
        "replacement",
        date(2020, 7, 15),
        "HULG",
        "BC",
        subject="kết quả công tác dân vận 6 tháng đầu năm 2020 (thay thế báo cáo đã gửi)",
    ),
    Plan("updated", date(2021, 9, 8), "VPTU", "TB"),
    Plan(
        "update",
        date(2021, 9, 9),
        "VPTU",
        "CV",
        subject="V/v bổ sung nơi nhận thông báo của Văn phòng Tỉnh ủy",
    ),
    Plan(
        "asked",
        date(2022, 2, 11),
        "VPTU",
        "CV",
        subject="V/v đề nghị báo cáo kết quả số hóa tài liệu lưu trữ",
    ),
    Plan("answer", date(2022, 2, 25), "HULG", "CV", subject="V/v báo cáo kết quả số hóa tài liệu lưu trữ"),
    Plan("junk-before-prolog", date(2016, 11, 23), "STC", "CV"),
    Plan("impossible-date", date(2014, 2, 28), "UBND", "CV"),
    Plan("truncated-package", date(2017, 8, 15), "UBND", "KH"),
    Plan("utf8-decoded-file", date(2023, 3, 9), "VPTU", "CV"),
    Plan("signed-message", date(2024, 5, 21), "UBND", "QĐ"),
    Plan("tampered-file", date(2020, 11, 12), "UBND", "QĐ"),
    Plan("appended-file", date(2021, 12, 1), "HULG", "BC"),
    Plan("revoked-signer", date(2022, 5, 17), "VPTU", "CV", official=DEPUTY),
    Plan("foreign-root", date(2023, 8, 24), "STC", "CV", official=STRANGER),
    Plan("expired-signer", date(2017, 5, 4), "VPTU", "TB"),
    Plan("expired-stamped-signer", date(2017, 9, 12), "VPTU", "TB"),
)


def plan_office(seed: int, size: int) -> Calendar:
    """The plans of an office with ``size`` ordinary documents in Notes and two thirds as many in edXML."""
    notes = _ordinary(seed, "notes", size, date(2004, 1, 5), date(2020, 12, 25))
    exchange = _ordinary(seed, "exchange", -(-size * 2 // 3), date(2014, 1, 6), date(2026, 9, 25))
    plans = {plan.label: plan for plan in (*notes, *exchange, *_SPECIAL)}
    return Calendar(tuple(plan.label for plan in notes), tuple(plan.label for plan in exchange), plans)


def _ordinary(seed: int, system: str, count: int, first: date, last: date) -> list[Plan]:
    """``count`` plans spread evenly over the years, on working days chosen by chance."""
    chance = stream(seed, "calendar", system)
    step = (last - first).days / max(count, 1)
    plans = []
    for position in range(count):
        day = first + timedelta(days=int(step * (position + chance.random())))
        day -= timedelta(days=max(day.weekday() - 4, 0))
        plans.append(Plan(f"{system}-{position:05d}", day))
    return plans
