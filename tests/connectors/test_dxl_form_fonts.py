"""The fonts of a form's fields, from its design in the export to the record and back from its context."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from connectors.lotus_notes.byte_reader import ByteReader
from connectors.lotus_notes.encoding import Encoding
from connectors.lotus_notes.folder import DxlFolder
from connectors.lotus_notes.form_fonts import CONTEXT_KEY, read_form_fonts
from schemas.record import SourceRecord, Window
from tests.connectors.dxl_builder import database, document, item, text_item

LEGACY = "Tê tr×nh"


def shown(name: str, font: str | None, kind: str = "text") -> str:
    """A field as a form's body prints it."""
    style = f"<font size='12pt'{f' name={font!r}' if font else ''}/>" if font is not None else ""
    return (
        f"<run>{style}<field type='{kind}' kind='editable' name='{name}'><code event='defaultvalue'>"
        "<formula>@Now</formula></code></field></run>"
    )


def form(name: str, *content: str, alias: str = "", element: str = "form") -> str:
    """A form's design."""
    body = f"<body><richtext><pardef id='1'/><par def='1'>{''.join(content)}</par></richtext></body>"
    return f"<{element} name='{name}' alias='{alias}'><noteinfo noteid='1'/>{body}</{element}>"


def fetched(folder: Path, export: str | bytes) -> list[SourceRecord]:
    data = export.encode() if isinstance(export, str) else export
    (folder / "a.dxl").write_bytes(data)
    source = DxlFolder("notes", folder)
    records = []
    for answer in source.fetch(list(source.inventory(Window()))):
        if isinstance(answer, SourceRecord):
            records.append(answer)
            assert source.parse(answer.listing, answer.original, answer.context) == answer
    at_once = [answer for answer in source.records() if isinstance(answer, SourceRecord)]
    assert [fonts(record) for record in at_once] == [fonts(record) for record in records]
    assert [record.context for record in at_once] == [record.context for record in records]
    return records


def fonts(record: SourceRecord) -> dict[str, str]:
    return {field.name: field.font for field in record.fields if field.font}


def test_a_plain_text_has_the_font_of_its_field(tmp_path: Path) -> None:
    design = form(
        "Van ban den", shown("TrichYeu", ".VnTime"), shown("NguoiKy", ".VnTimeH"), alias="vb|VanBanDen"
    )
    (record,) = fetched(
        tmp_path,
        database(
            design,
            document(
                1,
                text_item("trichyeu", LEGACY),
                item("NguoiKy", f"<textlist><text>plain</text><text>{LEGACY}</text></textlist>"),
                text_item("GhiChu", LEGACY),
                item("Body", f"<richtext><par><run>{LEGACY}</run></par></richtext>"),
            ),
        ),
    )
    assert fonts(record) == {"trichyeu": ".VnTime", "NguoiKy": ".VnTimeH"}
    assert record.context[CONTEXT_KEY] == '{"nguoiky": ".VnTimeH", "trichyeu": ".VnTime"}'


def test_what_needs_no_font_gets_none(tmp_path: Path) -> None:
    design = form("VanBanDen", shown("TrichYeu", ".VnTime"), shown("KhongPhong", ""), shown("MacDinh", None))
    plain = document(1, text_item("TrichYeu", "plain ASCII"), text_item("KhongPhong", LEGACY))
    other = document(2, text_item("TrichYeu", LEGACY), form="VanBanDi")
    for record in fetched(tmp_path, database(design, plain, other)):
        assert fonts(record) == {}
        assert CONTEXT_KEY not in record.context


def test_a_control_character_is_a_letter_too(tmp_path: Path) -> None:
    design = form("VanBanDen", shown("TrichYeu", "VPS Times"))
    text = item("TrichYeu", "<text>M<nonxmlchar value='3'/>T</text>")
    (record,) = fetched(tmp_path, database(design, document(1, text)))
    assert fonts(record) == {"TrichYeu": "VPS Times"}


def test_the_fields_of_subforms_belong_to_the_form(tmp_path: Path) -> None:
    designs = (
        form("VanBanDen", "<subformref name='Dau'/>", shown("TrichYeu", ".VnTime")),
        form(
            "Dau van ban",
            "<subformref name='VanBanDen'/>",
            shown("SoDen", ".VnArial"),
            alias="Dau",
            element="subform",
        ),
    )
    text = document(1, text_item("SoDen", LEGACY), text_item("TrichYeu", LEGACY))
    (record,) = fetched(tmp_path, database(*designs, text))
    assert fonts(record) == {"SoDen": ".VnArial", "TrichYeu": ".VnTime"}


def test_a_field_in_two_fonts_has_none(tmp_path: Path) -> None:
    design = form(
        "VanBanDen", shown("TrichYeu", ".VnTime"), shown("TrichYeu", "Arial"), shown("SoDen", ".VnTime")
    )
    text = document(1, text_item("TrichYeu", LEGACY), text_item("SoDen", LEGACY))
    (record,) = fetched(tmp_path, database(design, text))
    assert fonts(record) == {"SoDen": ".VnTime"}


def test_a_font_applies_to_all_of_the_element_around_it(tmp_path: Path) -> None:
    table = (
        "<table><tablerow><tablecell><par><run>Tr&#237;ch yeu: <field type='text' name='TrichYeu'/>"
        "<font name='.VnTime'/></run></par></tablecell></tablerow></table>"
    )
    design = form("VanBanDen").replace("</richtext>", f"{table}</richtext>")
    (record,) = fetched(tmp_path, database(design, document(1, text_item("TrichYeu", LEGACY))))
    assert fonts(record) == {"TrichYeu": ".VnTime"}


def test_designs_in_note_format(tmp_path: Path) -> None:
    title = item("$TITLE", "<text>Van ban den|VanBanDen</text>")
    body = item("$Body", f"<richtext><par>{shown('TrichYeu', '.VnTime')}</par></richtext>")
    note = f"<note class='form'><noteinfo noteid='1'/>{title}{body}</note>"
    view = "<note class='view'><item name='$TITLE'><text>VanBanDen</text></item></note>"
    text = f"<note class='document'>{text_item('Form', 'VanBanDen')}{text_item('TrichYeu', LEGACY)}</note>"
    (record,) = fetched(tmp_path, database(view, note, text))
    assert fonts(record) == {"TrichYeu": ".VnTime"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
def test_exports_of_other_encodings(tmp_path: Path, encoding: str) -> None:
    design = form("VanBanDen", shown("TrichYeu", ".VnTime"))
    export = database(design, document(1, text_item("TrichYeu", LEGACY)), prolog="")
    mark = codecs.BOM_UTF16_LE if encoding == "utf-16-le" else b""
    (record,) = fetched(tmp_path, mark + export.encode(encoding))
    assert fonts(record) == {"TrichYeu": ".VnTime"}


def test_a_damaged_design_costs_the_fonts_after_it_only(tmp_path: Path) -> None:
    designs = (form("VanBanDen", shown("TrichYeu", ".VnTime")), "<form name='B'><body></form>")
    records = fetched(tmp_path, database(*designs, document(1, text_item("TrichYeu", LEGACY))))
    assert [fonts(record) for record in records] == [{"TrichYeu": ".VnTime"}]


class CountingStream:
    """A file that counts what is read of it."""

    def __init__(self, data: bytes) -> None:
        self.data, self.position, self.read_bytes = data, 0, 0

    def seek(self, position: int) -> None:
        self.position = position

    def read(self, size: int) -> bytes:
        self.read_bytes += size
        return self.data[self.position : self.position + size]


def test_of_an_export_without_designs_only_the_head_is_read() -> None:
    data = database(*(document(number, text_item("TrichYeu", LEGACY)) for number in range(5000))).encode()
    stream = CountingStream(data)
    found = read_form_fonts(ByteReader(stream, len(data)), data.index(b"<database"), Encoding("utf-8"))  # type: ignore[arg-type]
    assert found.of("VanBanDen") == {}
    assert stream.read_bytes <= 1 << 16 < len(data)


def test_records_without_their_root_are_read_without_fonts(tmp_path: Path) -> None:
    path = tmp_path / "a.dxl"
    path.write_text(f"{document(1)}<note class='form'/>{document(2)}", encoding="utf-8")
    source = DxlFolder("notes", path)
    answers = list(source.fetch(list(source.inventory(Window()))))
    assert list(source.records()) == answers
    assert [type(answer) for answer in answers].count(SourceRecord) == 2
