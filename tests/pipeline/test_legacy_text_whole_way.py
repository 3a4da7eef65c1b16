"""Legacy text from the XML of an export to what the archive is searched by: no letter is lost on the way."""

from __future__ import annotations

from html import escape
from pathlib import Path

import pytest

from archive.searching import words
from benchmarks.legacy_text import typed
from connectors.lotus_notes.folder import DxlFolder
from mappings.config import SourceConfig, load_sources
from mappings.engine import normalise
from mappings.legacy_tables import Encoding
from mappings.secrecy import screen
from schemas.document import OfficialDocument
from schemas.record import SourceRecord, Window
from tests.connectors.dxl_builder import database, document, item

SUBJECT = "V/v đưa thư mời dự lễ giữ gìn trật tự ở xã Tư Nghĩa, Ỷ La và Mỹ Ẵng"

NOTES: SourceConfig = load_sources()["notes_van_ban"]


def printed(text: str) -> str:
    """As DXL prints a text: XML forbids most control characters, so that they are elements."""
    return "".join(
        f"<nonxmlchar value='{ord(c):02x}'/>" if c < " " else f"&#x{ord(c):x};" if c == "\xad" else escape(c)
        for c in text
    )


def archived(folder: Path, *items: str) -> tuple[SourceRecord, OfficialDocument]:
    (folder / "a.dxl").write_text(database(document(1, *items)), encoding="utf-8")
    source = DxlFolder("notes_van_ban", folder)
    (record,) = source.fetch(list(source.inventory(Window())))
    assert isinstance(record, SourceRecord)
    return record, normalise(record, NOTES)


@pytest.mark.parametrize(
    "encoding", [Encoding.TCVN3, Encoding.VNI, Encoding.VISCII, Encoding.VPS, Encoding.CP1258]
)
@pytest.mark.parametrize("page", ["cp1252", "cp1258"])
def test_a_subject_is_found_by_its_words(tmp_path: Path, encoding: Encoding, page: str) -> None:
    text = typed(SUBJECT, encoding, page)
    subject = item("TrichYeu", f"<text>{printed(text)}</text>")
    _, held = archived(tmp_path, subject, item("SoKyHieu", "<text>15-CV/TU</text>"))
    assert held.subject is not None
    assert held.subject.casefold() == SUBJECT.casefold()
    for word in ("dua", "thu", "moi", "giu", "trat", "tu", "nghia", "y", "la", "my", "ang"):
        assert word in words(held.subject)
    if (encoding, page) != (Encoding.CP1258, "cp1258"):
        assert [(d.field, d.original, d.encoding) for d in held.decodings] == [("subject", text, encoding)]


@pytest.mark.parametrize("font", [".VnTime", None])
def test_the_soft_hyphen_that_is_a_letter_survives_rich_text(tmp_path: Path, font: str | None) -> None:
    name = f"<font name='{font}'/>" if font else ""
    runs = "".join(
        f"<run>{name}{printed(part)}</run>" for part in typed(SUBJECT, Encoding.TCVN3).partition("\xad")
    )
    _, held = archived(
        tmp_path,
        item("TrichYeu", "<text>x</text>"),
        item("SoKyHieu", "<text>15-CV/TU</text>"),
        item("NoiDung", f"<richtext><pardef id='1'/><par def='1'>{runs}</par></richtext>"),
    )
    assert held.body is not None
    assert held.body.casefold() == SUBJECT.casefold()
    assert "dua thu moi" in " ".join(words(held.body))


@pytest.mark.parametrize(
    "encoding", [Encoding.TCVN3, Encoding.VNI, Encoding.VISCII, Encoding.VPS, Encoding.CP1258]
)
def test_a_secret_is_seen_in_every_encoding(tmp_path: Path, encoding: Encoding) -> None:
    marked = item("TrichYeu", f"<text>{printed(typed('Độ mật: MẬT', encoding))}</text>")
    (tmp_path / "a.dxl").write_text(database(document(1, marked)), encoding="utf-8")
    source = DxlFolder("notes_van_ban", tmp_path)
    (record,) = source.fetch(list(source.inventory(Window())))
    assert isinstance(record, SourceRecord)
    finding = screen(record, NOTES)
    assert finding is not None
    assert finding.level == "mat"


def test_the_font_of_the_form_reads_what_is_too_short_for_words(tmp_path: Path) -> None:
    fields = "".join(
        f"<run><font name='.VnTime'/><field type='text' name='{name}'/></run>"
        for name in ("DoMat", "TrichYeu")
    )
    form = f"<form name='VanBanDen'><body><richtext><par>{fields}</par></richtext></body></form>"
    texts = (
        item("TrichYeu", f"<text>{printed(typed('Tờ trình', Encoding.TCVN3))}</text>"),
        item("DoMat", f"<text>{printed(typed('Thường', Encoding.TCVN3))}</text>"),
        item("SoKyHieu", "<text>15-TTr/TU</text>"),
    )
    (tmp_path / "a.dxl").write_text(database(form, document(1, *texts)), encoding="utf-8")
    source = DxlFolder("notes_van_ban", tmp_path)
    (record,) = source.fetch(list(source.inventory(Window())))
    assert isinstance(record, SourceRecord)
    assert screen(record, NOTES) is None
    held = normalise(record, NOTES)
    assert held.subject == "Tờ trình"
    (decoding,) = [decoding for decoding in held.decodings if decoding.field == "subject"]
    assert (decoding.original, decoding.encoding, decoding.reason) == ("Tê tr×nh", "tcvn3", "form_field")
