"""Made-up DXL exports of any size that look like a party office's: what Domino 8.5 prints for a register of
incoming documents."""

from __future__ import annotations

import base64
import random
from pathlib import Path

_HEAD = """<?xml version='1.0' encoding='utf-8'?>
<!DOCTYPE database SYSTEM 'xmlschemas/domino_8_5_3.dtd'>
<database xmlns='http://www.lotus.com/dxl' version='8.5' maintenanceversion='3.0'
 replicaid='472572A1000FBC01' path='vanban\\congvan.nsf' title='Quản lý công văn'>
<databaseinfo dbid='472572A1000FBC01' odsversion='51' numberofdocuments='1'/>
"""
_SENTENCE = (
    "về việc triển khai kế hoạch công tác kiểm tra giám sát của Ban Thường vụ Tỉnh ủy năm "
    "Kính gửi các đồng chí ủy viên báo cáo kết quả thực hiện nghị quyết đại hội đảng bộ"
)
_TEXTS = ("Form", "SoDen", "SoKyHieu", "CoQuanBanHanh", "LoaiVanBan", "DoKhan", "NguoiKy", "ChucVu", "TrangThai",
          "NoiNhan", "LinhVuc", "$Conflict", "HoSo")  # fmt: skip
_LINE = 76


def generate(path: Path, size: int, attachment: int) -> int:
    """Writes an export of about ``size`` bytes to ``path``; every document carries ``attachment`` bytes beside its
    text.

    Returns:
        How many documents it holds.
    """
    chance = random.Random(25)
    vocabulary = _SENTENCE.split()
    number = 0
    with path.open("w", encoding="utf-8") as file:
        file.write(_HEAD)
        while file.tell() < size:
            number += 1
            file.write(_document(number, chance, vocabulary, attachment))
        file.write("</database>\n")
    return number


def _document(number: int, chance: random.Random, vocabulary: list[str], attachment: int) -> str:
    def words(count: int) -> str:
        return " ".join(chance.choices(vocabulary, k=count))

    moment = f"2012{1 + number % 12:02}{1 + number % 28:02}T08{number % 60:02}{number % 59:02},{number % 100:02}+07"
    dates = "".join(
        f"<{name}><datetime>{moment}</datetime></{name}>\n"
        for name in ("created", "modified", "revised", "lastaccessed", "addedtofile")
    )
    items = "".join(f"<item name='{name}'><text>{words(4)}</text></item>\n" for name in _TEXTS)
    body = "".join(
        f"<par def='{1 + at % 2}'><run><font size='13pt' name='.VnTime' pitch='variable' truetype='true'\n"
        f" familyid='20'/>{words(24)}</run><run><font style='bold' size='13pt'/>{words(6)}</run></par>\n"
        for at in range(9)
    )
    return (
        f"<document form='VanBanDen'>\n<noteinfo noteid='{number:x}' unid='{number:032X}' sequence='3'>\n{dates}"
        "</noteinfo>\n<updatedby><name>CN=Van thu/O=VPTU</name></updatedby>\n"
        f"<revisions><datetime>{moment}</datetime></revisions>\n{items}"
        f"<item name='NgayDen'><datetime>2012{1 + number % 12:02}{1 + number % 28:02}</datetime></item>\n"
        f"<item name='NgayXuLy'><datetimelist><datetime>{moment}</datetime></datetimelist></item>\n"
        f"<item name='SoTrang'><number>{number % 40}</number></item>\n"
        "<item name='DocReaders' readers='true' names='true'><textlist><text>CN=Van thu/O=VPTU</text>\n"
        "<text>[QuanTri]</text></textlist></item>\n"
        f"<item name='TrichYeu'><text>{words(18)}</text></item>\n"
        "<item name='$REF'><rawitemdata type='4'>\nAQAxYksAtIUlwbwuNs2/jbuP\n</rawitemdata></item>\n"
        "<item name='Body'><richtext>\n<pardef id='1' align='full' spaceafter='1.5'/>\n"
        f"<pardef id='2' leftmargin='1in'/>\n{body}</richtext></item>\n"
        f"{_file(number, chance.randbytes(attachment)) if attachment else ''}</document>\n"
    )


def _file(number: int, data: bytes) -> str:
    text = base64.b64encode(data).decode("ascii")
    lines = "\n".join(text[at : at + _LINE] for at in range(0, len(text), _LINE))
    return (
        "<item name='$FILE' summary='true' sign='true' seal='true'><object>\n"
        f"<file hosttype='msdos' compression='none' flags='storedindoc' encoding='none' name='{number}.pdf'\n"
        f" size='{len(data)}'><created><datetime>20120410T080000,00+07</datetime></created>\n"
        f"<modified><datetime>20120410T080000,00+07</datetime></modified>\n<filedata>\n{lines}\n</filedata></file>"
        "</object></item>\n"
    )
