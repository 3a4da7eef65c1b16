"""The drop folder keeps the contract of every source: as a folder, as one archive, as one export."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from connectors.lotus_notes.folder import DxlFolder
from tests.connectors.dxl_builder import attachment, database, document, noteinfo, text_item, unid
from tests.connectors.source_contract import SourceCase, SourceContract

WHOLE = database(
    "<form name='VanBanDen'><noteinfo noteid='1'/><body><richtext/></body></form>",
    document(
        1, text_item("TrichYeu", "V/v chuẩn bị nội dung họp giao ban"), attachment("cv.pdf", b"%PDF-1.4 x")
    ),
    document(2, text_item("TrichYeu", "Kế hoạch kiểm tra"), info=noteinfo(2, "20120411T093000,50+07")),
    f"<document form='VanBanDi'><noteinfo unid='{unid(3)}'/></document>",
    "<profiledocument name='CauHinh'><noteinfo noteid='4'/></profiledocument>",
)
BROKEN = database(
    document(5, "<item name='a'><text>không đóng</item>"),
    document(6, text_item("TrichYeu", "Báo cáo tháng"), info=noteinfo(6, "20130102T000000,00+07")),
    document(7, text_item("TrichYeu", "bị cắt")).removesuffix("</document>"),
    document(8, text_item("TrichYeu", "Thông báo nghỉ lễ")),
)


class TestFolder(SourceContract):
    @pytest.fixture
    def case(self, tmp_path: Path) -> SourceCase:
        folder = tmp_path / "roi"
        (folder / "2012").mkdir(parents=True)
        (folder / "2012" / "whole.dxl").write_text(WHOLE, encoding="utf-8")
        (folder / "broken.XML").write_text(BROKEN, encoding="utf-8")
        (folder / "again.dxl").write_text(WHOLE, encoding="utf-8")
        (folder / "wide.dxl").write_bytes(database(document(9), prolog="").encode("utf-16"))
        (folder / "domino_8_5_3.dtd").write_text("<!ELEMENT database ANY>")
        (folder / "empty.dxl").write_bytes(b"")
        with zipfile.ZipFile(folder / "nam.zip", "w") as archive:
            archive.writestr("data/1.dxl", document(10))
            archive.writestr("data/2.dxl", "<html>đăng nhập</html>")
        (folder / "bad.zip").write_bytes(b"PK\x03\x04 no archive")
        return SourceCase(lambda: DxlFolder("notes", folder), folder, records=8, unreadable=5)


class TestArchive(SourceContract):
    @pytest.fixture
    def case(self, tmp_path: Path) -> SourceCase:
        inner = tmp_path / "inner.tse"
        with zipfile.ZipFile(inner, "w") as archive:
            archive.writestr("data/8f6.dxl", document(1, attachment("a.pdf", b"%PDF")))
            archive.writestr("data/8fa.dxl", document(2, text_item("TrichYeu", "Chỉ thị")))
        folder = tmp_path / "roi"
        folder.mkdir()
        with zipfile.ZipFile(folder / "all.zip", "w") as archive:
            archive.writestr("a.dxl", BROKEN)
            archive.write(inner, "inner.tse")
        inner.unlink()
        return SourceCase(lambda: DxlFolder("notes", folder), folder, records=4, unreadable=2)


class TestSingleFile(SourceContract):
    @pytest.fixture
    def case(self, tmp_path: Path) -> SourceCase:
        folder = tmp_path / "roi"
        folder.mkdir()
        (folder / "one.dxl").write_text(BROKEN, encoding="utf-8")
        return SourceCase(lambda: DxlFolder("notes", folder / "one.dxl"), folder, records=2, unreadable=2)
