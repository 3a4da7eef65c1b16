"""The forms of the registers and lists that an office must be able to print: their columns, as the law words them.

Decree 30/2020/NĐ-CP: Appendix IV (registers of documents, and of their handling), Appendix V (lists of a dossier's
documents and of dossiers); article 22.3b: a register kept in a system is printed in full, signed and bound.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a form.

    Attributes:
        header: as the form words it.
        share: of the printed width, in any unit; the shares of a form are compared with each other only.
    """

    header: str
    share: float


@dataclass(frozen=True, slots=True)
class Form:
    """A register or list.

    Attributes:
        name: the word that asks for it, also in file names.
        title: as printed on its cover.
        columns: in the order of the law.
        basis: the text that prescribes it.
        signers: who signs at its end.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    basis: str
    signers: tuple[str, ...] = ("Người lập", "Văn thư", "Thủ trưởng cơ quan")


def _columns(*pairs: tuple[str, float]) -> tuple[Column, ...]:
    return tuple(Column(header, share) for header, share in pairs)


INCOMING = Form(
    "den",
    "Sổ đăng ký văn bản đến",
    _columns(
        ("Ngày đến", 19),
        ("Số đến", 14),
        ("Tác giả", 36),
        ("Số, ký hiệu", 26),
        ("Ngày tháng văn bản", 20),
        ("Tên loại và trích yếu nội dung văn bản", 72),
        ("Đơn vị hoặc người nhận", 30),
        ("Ngày chuyển", 18),
        ("Ký nhận", 14),
        ("Ghi chú", 26),
    ),
    "Nghị định 30/2020/NĐ-CP, Phụ lục IV",
)

OUTGOING = Form(
    "di",
    "Sổ đăng ký văn bản đi",
    _columns(
        ("Số, ký hiệu văn bản", 26),
        ("Ngày tháng văn bản", 20),
        ("Tên loại và trích yếu nội dung văn bản", 74),
        ("Người ký", 28),
        ("Nơi nhận văn bản", 38),
        ("Đơn vị, người nhận bản lưu", 24),
        ("Số lượng bản", 14),
        ("Ngày chuyển", 18),
        ("Ký nhận", 14),
        ("Ghi chú", 26),
    ),
    "Nghị định 30/2020/NĐ-CP, Phụ lục IV",
)

HANDLING = Form(
    "giai-quyet",
    "Sổ theo dõi giải quyết văn bản đến",
    _columns(
        ("Số đến", 16),
        ("Tên loại, số và ký hiệu, ngày tháng và tác giả văn bản", 84),
        ("Đơn vị hoặc người nhận", 40),
        ("Thời hạn giải quyết", 24),
        ("Tiến độ giải quyết", 40),
        ("Số, ký hiệu văn bản trả lời", 36),
        ("Ghi chú", 32),
    ),
    "Nghị định 30/2020/NĐ-CP, Phụ lục IV",
)

DOSSIER_DOCUMENTS = Form(
    "van-ban-trong-ho-so",
    "Mục lục văn bản trong hồ sơ",
    _columns(
        ("Số TT", 12),
        ("Số, ký hiệu văn bản", 32),
        ("Ngày tháng năm văn bản", 24),
        ("Tên loại và trích yếu nội dung văn bản", 96),
        ("Tác giả văn bản", 52),
        ("Tờ số/Trang số", 20),
        ("Ghi chú", 36),
    ),
    "Nghị định 30/2020/NĐ-CP, Phụ lục V",
)

DOSSIERS = Form(
    "ho-so",
    "Mục lục hồ sơ, tài liệu nộp lưu",
    _columns(
        ("Số TT", 12),
        ("Số, ký hiệu hồ sơ", 34),
        ("Tiêu đề hồ sơ", 110),
        ("Thời gian tài liệu", 36),
        ("Thời hạn bảo quản", 26),
        ("Số tờ/Số trang", 22),
        ("Ghi chú", 32),
    ),
    "Nghị định 30/2020/NĐ-CP, Phụ lục V",
    ("Bên giao", "Bên nhận", "Thủ trưởng cơ quan"),
)

FORMS: Mapping[str, Form] = MappingProxyType(
    {form.name: form for form in (INCOMING, OUTGOING, HANDLING, DOSSIER_DOCUMENTS, DOSSIERS)}
)
"""Every form by its name."""


@dataclass(frozen=True, slots=True)
class Heading:
    """What a printed register says of itself.

    Attributes:
        form: which register.
        organ: the office that keeps it.
        period: the time that it covers, as printed (``Năm 2025``), or the dossier that it lists.
        printed: the day of its making, as printed.
    """

    form: Form
    organ: str
    period: str
    printed: str


@dataclass(frozen=True, slots=True)
class Ending:
    """What closes a register.

    Attributes:
        entries: how many it holds. left_out: how many are not printed, by the reason in words.
    """

    entries: int
    left_out: Mapping[str, int]

    def lines(self) -> list[str]:
        """The closing lines."""
        left = [f"Không in trong sổ này: {n} – {reason}." for reason, n in self.left_out.items() if n]
        return [f"Tổng số: {self.entries} mục.", *left]
