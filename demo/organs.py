"""The made-up province Thượng Giang: its organs and who signs for them when. Nothing here is real."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

PROVINCE = "Thượng Giang"
CAPITAL = "Giang An"
DISTRICTS = ("Lâm Giang", "Sơn Thượng", "Tân Thượng", "An Lĩnh", "Phú Lâm Hạ", "Bình Thượng")


@dataclass(frozen=True, slots=True)
class Official:
    """Somebody who signs for an organ from ``since`` on.

    Attributes:
        competence: quyền hạn ký as the document prints it (``T/M BAN THƯỜNG VỤ``), or ``""``.
        certificate: label of the signer's certificate in the PKI, or ``""`` for who signs on paper only.
    """

    full_name: str
    position: str
    competence: str
    since: date
    certificate: str = ""


@dataclass(frozen=True, slots=True)
class Organ:
    """An organ that issues documents.

    Attributes:
        key: our own short name for it.
        name: tên cơ quan, as both systems print it.
        header: upper-case lines at the top left of its documents, the superior organ first.
        token: its part of the notation (``TU`` in ``160-KL/TU``).
        party: True for an organ of the Party (``12-BC/HU``), False for one of the State (``12/BC-UBND``).
        organ_id: mã định danh; the groups A99 and H99 are given to nobody.
        place: địa danh of its documents.
        officials: who signs, oldest first.
        seal: label of the organ's seal certificate, or ``""``.
        active: first and last day, for organs that were merged.
    """

    key: str
    name: str
    header: tuple[str, ...]
    token: str
    party: bool
    organ_id: str
    place: str
    officials: tuple[Official, ...]
    seal: str = ""
    active: tuple[date, date] = (date(2000, 1, 1), date(2099, 12, 31))

    def official(self, day: date) -> Official:
        """Who signs on ``day``."""
        return [person for person in self.officials if person.since <= day][-1]

    def exists(self, day: date) -> bool:
        """True when the organ exists on ``day``."""
        return self.active[0] <= day <= self.active[1]


_START = date(2000, 1, 1)
_CHANGE = date(2014, 1, 1)

PROVINCIAL_COMMITTEE = Organ(
    key="TU",
    name="Tỉnh ủy Thượng Giang",
    header=("TỈNH ỦY THƯỢNG GIANG",),
    token="TU",  # noqa: S106
    party=True,
    organ_id="A99",
    place=CAPITAL,
    officials=(
        Official("Vương Đình Thạch", "Phó Bí thư Thường trực", "T/M BAN THƯỜNG VỤ", _START),
        Official("Lâm Thị Thục Oanh", "Phó Bí thư Thường trực", "T/M BAN THƯỜNG VỤ", _CHANGE, "person-oanh"),
    ),
    seal="seal-tu",
)

OFFICE = Organ(
    key="VPTU",
    name="Văn phòng Tỉnh ủy Thượng Giang",
    header=("TỈNH ỦY THƯỢNG GIANG", "VĂN PHÒNG"),
    token="VPTU",  # noqa: S106
    party=True,
    organ_id="A99.01",
    place=CAPITAL,
    officials=(
        Official("Tạ Hữu Khoan", "Chánh Văn phòng", "", _START),
        Official("Mạc Văn Thuần", "Chánh Văn phòng", "", _CHANGE, "person-thuan"),
    ),
    seal="seal-vptu",
)

ORGANS: tuple[Organ, ...] = (
    PROVINCIAL_COMMITTEE,
    OFFICE,
    Organ(
        key="BTCTU",
        name="Ban Tổ chức Tỉnh ủy Thượng Giang",
        header=("TỈNH ỦY THƯỢNG GIANG", "BAN TỔ CHỨC"),
        token="BTCTU",  # noqa: S106
        party=True,
        organ_id="A99.02",
        place=CAPITAL,
        officials=(Official("Khổng Hữu Lạng", "Trưởng Ban", "", _START),),
    ),
    Organ(
        key="BTGTU",
        name="Ban Tuyên giáo Tỉnh ủy Thượng Giang",
        header=("TỈNH ỦY THƯỢNG GIANG", "BAN TUYÊN GIÁO"),
        token="BTGTU",  # noqa: S106
        party=True,
        organ_id="A99.03",
        place=CAPITAL,
        officials=(
            Official("Doãn Văn Khuyến", "Trưởng Ban", "", _START),
            Official("Nghiêm Thị Diệu Lan", "Trưởng Ban", "", _CHANGE, "person-lan"),
        ),
        active=(date(2000, 1, 1), date(2025, 2, 28)),
    ),
    Organ(
        key="BTGDVTU",
        name="Ban Tuyên giáo và Dân vận Tỉnh ủy Thượng Giang",
        header=("TỈNH ỦY THƯỢNG GIANG", "BAN TUYÊN GIÁO VÀ DÂN VẬN"),
        token="BTGDVTU",  # noqa: S106
        party=True,
        organ_id="A99.07",
        place=CAPITAL,
        officials=(Official("Nghiêm Thị Diệu Lan", "Trưởng Ban", "", _CHANGE, "person-lan"),),
        active=(date(2025, 3, 1), date(2099, 12, 31)),
    ),
    Organ(
        key="UBKTTU",
        name="Ủy ban Kiểm tra Tỉnh ủy Thượng Giang",
        header=("TỈNH ỦY THƯỢNG GIANG", "ỦY BAN KIỂM TRA"),
        token="UBKTTU",  # noqa: S106
        party=True,
        organ_id="A99.05",
        place=CAPITAL,
        officials=(Official("Giáp Văn Nhuận", "Chủ nhiệm", "", _START),),
    ),
    Organ(
        key="HULG",
        name="Huyện ủy Lâm Giang",
        header=("TỈNH ỦY THƯỢNG GIANG", "HUYỆN ỦY LÂM GIANG"),
        token="HU",  # noqa: S106
        party=True,
        organ_id="A99.11",
        place="Lâm Giang",
        officials=(
            Official("Ngô Thị Mận", "Phó Bí thư", "T/M BAN THƯỜNG VỤ", _START),
            Official("Kiều Xuân Lãm", "Bí thư", "T/M BAN THƯỜNG VỤ", _CHANGE, "person-lam"),
        ),
        seal="seal-hulg",
    ),
    Organ(
        key="TUGA",
        name="Thành ủy Giang An",
        header=("TỈNH ỦY THƯỢNG GIANG", "THÀNH ỦY GIANG AN"),
        token="TU",  # noqa: S106
        party=True,
        organ_id="A99.13",
        place=CAPITAL,
        officials=(Official("Đinh Công Thảo", "Phó Bí thư Thường trực", "T/M BAN THƯỜNG VỤ", _START),),
    ),
    Organ(
        key="UBND",
        name="Ủy ban nhân dân tỉnh Thượng Giang",
        header=("ỦY BAN NHÂN DÂN", "TỈNH THƯỢNG GIANG"),
        token="UBND",  # noqa: S106
        party=False,
        organ_id="H99",
        place=CAPITAL,
        officials=(
            Official("Lê Trọng Khoáng", "Phó Chủ tịch", "TM. ỦY BAN NHÂN DÂN", _START),
            Official("Phùng Thế Khoát", "Chủ tịch", "TM. ỦY BAN NHÂN DÂN", _CHANGE, "person-khoat"),
        ),
        seal="seal-ubnd",
    ),
    Organ(
        key="SNV",
        name="Sở Nội vụ tỉnh Thượng Giang",
        header=("UBND TỈNH THƯỢNG GIANG", "SỞ NỘI VỤ"),
        token="SNV",  # noqa: S106
        party=False,
        organ_id="H99.07",
        place=CAPITAL,
        officials=(Official("Lương Thị Ái Khuê", "Giám đốc", "", _START),),
    ),
    Organ(
        key="STC",
        name="Sở Tài chính tỉnh Thượng Giang",
        header=("UBND TỈNH THƯỢNG GIANG", "SỞ TÀI CHÍNH"),
        token="STC",  # noqa: S106
        party=False,
        organ_id="H99.09",
        place=CAPITAL,
        officials=(Official("Đặng Văn Tuyền", "Giám đốc", "", _START),),
    ),
)

DEPUTY = Official(
    "Cù Thị Bích Sương", "Phó Chánh Văn phòng", "K/T CHÁNH VĂN PHÒNG", _START, "person-suong-revoked"
)
"""Signs for the office; her certificate was revoked."""

STRANGER = Official("Quách Thị Nhài", "Giám đốc", "", _START, "person-nhai-foreign")
"""Signs with a certificate of a root that nobody here trusts."""

BY_KEY = {organ.key: organ for organ in ORGANS}
