"""One record: what is printed outside items, every kind of item, rich text, attachments."""

from __future__ import annotations

import base64
import binascii
import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.lotus_notes import base64_sink
from connectors.lotus_notes.attachments import OLE_TYPE
from connectors.lotus_notes.dxl import read_record
from connectors.lotus_notes.folder import DxlFolder
from schemas.record import BytesContent, Content, Field, Listing, SourceRecord, TextRun, Unreadable, Window
from tests.connectors.dxl_builder import attachment, document, index, item, noteinfo, page, text_item, unid

LISTING = Listing("k", "r", "l")


def read(xml: str) -> SourceRecord:
    answer = read_record(LISTING, BytesContent(xml.encode()), {"file": "a.dxl"})
    assert isinstance(answer, SourceRecord), answer
    return answer


def field(record: SourceRecord, name: str) -> Field:
    (found,) = [each for each in record.fields if each.name == name]
    return found


def only(value: str) -> Field:
    """The field of an item that holds ``value``."""
    return read(document(1, item("a", value))).fields[-1]


def data(content: Content) -> bytes:
    with content.open() as stream:
        return stream.read()


def codes(record: SourceRecord) -> list[str]:
    return [defect.code for defect in record.defects]


def rich(body: str) -> tuple[TextRun, ...]:
    return only(f"<richtext>{body}</richtext>").runs


def plain(body: str) -> str:
    return "".join(run.text for run in rich(body))


def test_everything_outside_items_comes_first_under_its_own_name() -> None:
    record = read(
        f"<document form='VanBanDen' parent='{unid(9)}' response='true' conflict='true'>"
        f"<noteinfo noteid='8f6' unid='{unid(1)}' sequence='3'>"
        "<created><datetime/></created>"
        "<modified><datetime dst='true'>20120410T080000,00+07</datetime></modified>"
        "<revised/><addedtofile><datetime>20120411T080000,00+07</datetime></addedtofile></noteinfo>"
        "<updatedby><name>CN=Văn thư/O=VPTU</name><name>CN=Lãnh đạo/O=VPTU</name></updatedby>"
        "<revisions><datetime>20120410T080000,00+07</datetime><datetime>20120410</datetime></revisions>"
        "<wassignedby><name>CN=Văn thư/O=VPTU</name></wassignedby><textproperties/>"
        "<item name='Form'><text>Khác</text></item></document>"
    )
    assert record.form == "VanBanDen"
    assert [(each.name, each.values) for each in record.fields] == [
        ("$document", ()),
        ("$response", ("true",)),
        ("$conflict", ("true",)),
        ("$parent", (unid(9),)),
        ("$noteinfo.noteid", ("8f6",)),
        ("$noteinfo.unid", (unid(1),)),
        ("$noteinfo.sequence", ("3",)),
        ("$noteinfo.created", ("",)),
        ("$noteinfo.modified", ("2012-04-10T08:00:00.00+07:00",)),
        ("$noteinfo.revised", ()),
        ("$noteinfo.addedtofile", ("2012-04-11T08:00:00.00+07:00",)),
        ("$updatedby", ("CN=Văn thư/O=VPTU", "CN=Lãnh đạo/O=VPTU")),
        ("$revisions", ("2012-04-10T08:00:00.00+07:00", "2012-04-10")),
        ("$wassignedby", ("CN=Văn thư/O=VPTU",)),
        ("Form", ("Khác",)),
    ]
    assert record.defects == ()


def test_a_document_of_nothing_is_a_record() -> None:
    record = read("<document/>")
    assert [each.name for each in record.fields] == ["$document"]
    assert (record.form, record.attachments, record.defects) == ("", (), ())


def test_items_keep_their_order_repeats_and_attributes() -> None:
    record = read(
        document(
            1,
            text_item("Received", "một"),
            text_item("Body", "hai", "sign='true' seal='true' summary='false'"),
            text_item("Received", "ba"),
            item(
                "Readers",
                "<textlist><text>CN=A/O=VPTU</text><text/></textlist>",
                "readers='true' names='true'",
            ),
        )
    )
    items = record.fields[-4:]
    assert [(each.name, each.values) for each in items] == [
        ("Received", ("một",)),
        ("Body", ("hai",)),
        ("Received", ("ba",)),
        ("Readers", ("CN=A/O=VPTU", "")),
    ]
    assert dict(items[1].attributes) == {"sign": "true", "seal": "true", "summary": "false"}
    assert dict(items[3].attributes) == {"readers": "true", "names": "true"}
    assert [each.line for each in items] == [3, 4, 5, 6]


@pytest.mark.parametrize(
    ("xml", "kind", "values"),
    [
        ("<text>a<break/>b</text>", "text", ("a\nb",)),
        ("<textlist/>", "textlist", ()),
        ("<textlist><text/><text>b</text><text/></textlist>", "textlist", ("", "b", "")),
        ("<number>160</number>", "number", ("160",)),
        ("<number\n>1.50e+16</number>", "number", ("1.50e+16",)),
        ("<numberlist><number>1</number><number/></numberlist>", "numberlist", ("1", "")),
        ("<datetime>20120410</datetime>", "datetime", ("2012-04-10",)),
        ("<datetimelist><datetime/></datetimelist>", "datetimelist", ("",)),
        (
            "<datetimelist><datetime>20120410</datetime><datetimepair><datetime>T080000,00</datetime>"
            "<datetime>T170000,00</datetime></datetimepair></datetimelist>",
            "datetimelist",
            ("2012-04-10", "T08:00:00.00/T17:00:00.00"),
        ),
        ("<formula>@If(a &gt; b; 1; 2)</formula>", "formula", ("@If(a > b; 1; 2)",)),
        ("<rawitemdata type='4'>\nAQAxYksAtIUlwbwuNs2/jbuP\n</rawitemdata>", "rawitemdata",
         ("C12585B4004B62318FBB8DBFCD362EBC",)),
        ("<itemdata type='e'>AAEC</itemdata>", "itemdata", ("AAEC",)),
    ],
)  # fmt: skip
def test_every_kind_of_value(xml: str, kind: str, values: tuple[str, ...]) -> None:
    found = only(xml)
    assert (found.type, found.values) == (kind, values)


@pytest.mark.parametrize(
    ("xml", "code"),
    [
        (item("a", "<datetime>20120230</datetime>"), "datetime_unparsed"),
        (item("a", ""), "item_empty"),
        (item("a", "<text/><text/>"), "item_type_unknown"),
        (item("a", "<hologram>x</hologram>"), "item_type_unknown"),
        (item("a", "<text/>", "sealed='true'"), "item_sealed"),
        (item("Body", "<rawitemdata type='1'>gQI=</rawitemdata>"), "richtext_as_raw_data"),
        (item("a", "<rawitemdata type='4'>AAEC</rawitemdata>"), "raw_data_invalid"),
        (item("a", "<rawitemdata type='e'>A*</rawitemdata>"), "raw_data_invalid"),
        ("<mystery/>", "element_unknown"),
    ],
)
def test_what_is_not_as_it_should_be_is_a_defect_with_its_place(xml: str, code: str) -> None:
    record = read(document(1, xml))
    assert codes(record) == [code]
    assert "line 3" in record.defects[0].where


def test_an_unread_date_keeps_what_was_printed() -> None:
    assert only("<datetime>30/02/2012</datetime>").values == ("30/02/2012",)


def test_rich_text_that_the_exporter_could_not_convert_is_kept_as_a_file() -> None:
    record = read(document(1, item("Body", "<rawitemdata type='1'>AAEC</rawitemdata>")))
    assert [(file.name, file.item, data(file.content)) for file in record.attachments] == [
        ("Body.itemdata-1", "Body", b"\0\1\2")
    ]


@pytest.mark.parametrize(
    ("kind", "values"), [("1", ()), ("4", ("AQABAgMEBQYHCAkKCwwNDg8Q",)), ("502", ("AAEC",))]
)
def test_what_notes_encrypted_is_kept_and_not_guessed_at(kind: str, values: tuple[str, ...]) -> None:
    """Encrypted bytes that by chance read as what their type says."""
    printed = {"1": "gQKF/wwAAAAAAGRvYW4=", "4": "AQABAgMEBQYHCAkKCwwNDg8Q", "502": "AAEC"}[kind]
    record = read(
        document(1, item("Kin", f"<rawitemdata type='{kind}'>{printed}</rawitemdata>", "sealed='true'"))
    )
    kept = field(record, "Kin")
    assert (kept.values, kept.text, codes(record)) == (values, "\n".join(values), ["item_sealed"])
    files = [data(file.content) for file in record.attachments]
    assert files == ([base64.b64decode(printed)] if kind == "1" else [])


@pytest.mark.parametrize(
    ("parent", "items", "values", "defects"),
    [
        (f"parent='{unid(2)}'", "", (unid(2),), []),
        (f"parent='{unid(1).lower()}'", "", (), ["parent_is_self"]),
        ("parent='some key'", "", ("some key",), []),
        ("", item("$REF", f"<text>{unid(1)}</text>"), (), ["parent_is_self"]),
        ("", item("$Ref", f"<textlist><text>{unid(3)}</text></textlist>"), (unid(3),), []),
    ],
)
def test_a_document_is_never_its_own_parent(
    parent: str, items: str, values: tuple[str, ...], defects: list[str]
) -> None:
    record = read(document(1, items, extra=parent))
    assert field(record, "$parent").values == values
    assert codes(record) == defects


def test_profile_documents_and_notes() -> None:
    profile = read("<profiledocument name='CauHinh' username='CN=Văn thư'><item name='x'/></profiledocument>")
    assert field(profile, "$profile").values == ("CauHinh",)
    assert field(profile, "$profile.username").values == ("CN=Văn thư",)
    note = read("<note class='document'><item name='Form'><text>Memo</text></item></note>")
    assert (note.form, note.fields[0].type) == ("Memo", "note")


def test_a_document_that_replication_cut_off() -> None:
    record = read(document(1, extra="truncated='true'"))
    assert field(record, "$truncated").values == ("true",)
    assert codes(record) == ["document_truncated"]


def test_runs_carry_the_font_that_stands_in_them_wherever_it_stands() -> None:
    assert rich(
        "<pardef id='1'/><par def='1'><run><font name='.VnTime' size='14pt'/>Céng hßa</run> và "
        "<run>X· héi<font name='.VnTimeH'/></run><run><font size='9pt'/>thường</run></par>"
    ) == (
        TextRun("Céng hßa", ".VnTime"),
        TextRun(" và ", None),
        TextRun("X· héi", ".VnTimeH"),
        TextRun("thường", None),
    )


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("<par>một</par>\n<par/>\n<par>ba</par>", "một\n\nba"),
        ("<par/><par/>", "\n"),
        ("<par>a<break/>b</par>", "a\nb"),
        ("<par><run>Kính gửi</run>: <run>Ban <run>Tổ chức</run></run></par>", "Kính gửi: Ban Tổ chức"),
        ("<par>Ngày sinh: \n<field><keywords><textlist><text>no</text></textlist></keywords></field></par>",
         "Ngày sinh: "),
        ("<par>a\n   b\n\n</par>", "a b"),
        ("<par>a \n b</par>", "a b"),
        ("<par keepindentation='true'>a\n b<run>\nc</run></par>", "a\n b\nc"),
        ("<par><run>a<nonxmlchar value='b'/>b</run></par>", "a\x0bb"),
        ("<table><tablecolumn/><tablerow tablabel='Thẻ 1'><tablecell>\n<par>A1</par></tablecell><tablecell>"
         "<table><tablerow><tablecell><par>trong</par></tablecell></tablerow></table></tablecell></tablerow></table>"
         "<par>sau</par>", "Thẻ 1\nA1\ntrong\nsau"),
        ("<section><sectiontitle><text>Tiêu đề</text></sectiontitle><code><formula>no</formula></code>"
         "<par>nội dung</par></section>", "Tiêu đề\nnội dung"),
        ("<block><par>khối</par></block>", "khối"),
        ("<par><urllink><code><formula>no</formula></code><run>liên kết</run></urllink></par>",
         "liên kết"),
        ("<par><button>Nút<code event='click'><formula>no</formula></code></button></par>", "Nút"),
        ("<par><popup><popuptext>chú thích</popuptext>chữ</popup></par>", "chữ [chú thích]"),
        ("<par><picture><gif>AAEC</gif><caption>Hình 1</caption></picture></par>", "Hình 1"),
        ("<par><attachmentref name='ATT1' displayname='cv 160.pdf'><picture><notesbitmap>AAEC</notesbitmap>"
         "</picture></attachmentref></par>", "cv 160.pdf"),
        ("<par><attachmentref name='a'><picture><caption>tên.doc</caption></picture></attachmentref></par>",
         "tên.doc"),
        ("<par><tomorrow>mới<b>đậm</b></tomorrow></par>", "mớiđậm"),
        ("chữ rơi ngoài<par>trong</par>", "chữ rơi ngoài\ntrong"),
    ],
)  # fmt: skip
def test_no_visible_letter_of_rich_text_is_lost(body: str, text: str) -> None:
    assert plain(body) == text


@pytest.mark.parametrize(
    ("pardef", "hidden"),
    [
        ("<pardef id='1' hide='read edit'/>", True),
        ("<pardef id='1' hide='notes'/>", True),
        ("<pardef id='1' hide='print copy edit'/>", False),
        ("<pardef id='1'><code event='hidewhen'><formula>1</formula></code></pardef>", True),
        ("<pardef id='1'><code event='hidewhen' enabled='false'><formula>1</formula></code></pardef>", False),
        ("<pardef id='1'/>", False),
        ("", False),
    ],
)
def test_hidden_paragraphs_are_kept_and_marked(pardef: str, hidden: bool) -> None:
    runs = rich(f"{pardef}<pardef id='2'/><par def='1'><run>mật khẩu</run></par><par def='2'>thường</par>")
    assert runs[0].hidden is hidden
    assert "".join(run.text for run in runs) == "mật khẩu\nthường"
    assert runs[-1].hidden is False


def test_references_in_rich_text_are_kept_in_order() -> None:
    marks = only(
        "<richtext><par><attachmentref name='a.pdf' displayname='A.pdf'/>"
        "<doclink document='X' database='Y' description='Công văn'/>"
        "<picture height='1px'><gif>R0lGODlh</gif></picture></par></richtext>"
    ).children
    assert [(mark.name, mark.values) for mark in marks] == [
        ("attachmentref", ("A.pdf",)),
        ("doclink", ("[Công văn]",)),
        ("picture", ()),
    ]
    assert dict(marks[1].attributes) == {"document": "X", "database": "Y", "description": "Công văn"}
    assert dict(marks[2].attributes) == {
        "height": "1px",
        "format": "gif",
        "size": "6",
        "sha256": hashlib.sha256(b"GIF89a").hexdigest(),
    }


@given(st.binary(max_size=5000), st.integers(1, 200))
def test_attachments_come_back_byte_by_byte(content: bytes, width: int) -> None:
    text = base64.b64encode(content).decode()
    broken_up = "\n".join(text[at : at + width] for at in range(0, len(text), width))
    xml = f"<object><file name='a' size='{len(content)}'><filedata>{broken_up}</filedata></file></object>"
    (file,) = read(document(1, item("$FILE", xml))).attachments
    assert data(file.content) == content
    assert (file.name, file.item, file.defects) == ("a", "$FILE", ())


def test_attachments_of_one_name_are_shown_under_the_name_that_readers_see() -> None:
    record = read(
        document(
            1,
            item(
                "Body",
                "<richtext><par><attachmentref name='ATT12345' displayname='cv.pdf'/></par></richtext>",
            ),
            attachment("cv.pdf", b"1"),
            attachment("ATT12345", b"2"),
            attachment("V2 không tham chiếu.doc", b"3"),
        )
    )
    assert [(file.name, data(file.content)) for file in record.attachments] == [
        ("cv.pdf", b"1"),
        ("cv.pdf", b"2"),
        ("V2 không tham chiếu.doc", b"3"),
    ]


@pytest.mark.parametrize(
    ("xml", "content", "defects"),
    [
        ("<file name='a' size='4'><filedata>AAEC</filedata></file>", b"\0\1\2", ("size_mismatch",)),
        ("<file name='a'><filedata>AAEC</filedata></file>", b"\0\1\2", ()),
        ("<file name='a' compression='lz1' size='9'><filedata>AAEC</filedata></file>", b"\0\1\2",
         ("compressed_lz1",)),
        ("<file name='a' desiredcompression='lz1' size='3'><filedata>AAEC</filedata></file>",
         b"\0\1\2", ()),
        ("<file name='a' hosttype='link'><created/><modified/></file>", b"", ("no_data", "linked_file")),
        ("<file name='a' encoding='quotedprintable'><filedata>AAEC</filedata></file>", b"\0\1\2",
         ("encoded_quotedprintable",)),
        ("<file name='a' encoding='unknown'><filedata>AAEC</filedata></file>", b"\0\1\2", ("encoded_unknown",)),
        ("<file name='a' encoding='uuencode' size='9'><filedata>AAEC</filedata></file>", b"\0\1\2",
         ("encoded_uuencode", "size_mismatch")),
        ("<file name='a' encoding='base64'><filedata>AAEC</filedata></file>", b"\0\1\2", ()),
        ("<file name='a' size='\u0663'><filedata>AAEC</filedata></file>", b"\0\1\2", ()),
        ("<file name='a' encoding='base64' size='3'><filedata>AAEC</filedata></file>", b"\0\1\2", ()),
        ("<file name='a'><filedata>AA*EC</filedata></file>", b"\0\1\2", ("base64_invalid",)),
        ("<file name='a'><filedata>AAECA</filedata></file>", b"\0\1\2", ("base64_invalid",)),
        ("<file name='a'><filedata>AA==AAEC</filedata></file>", b"\0\0\1\2", ("base64_invalid",)),
        ("<file name='a' size='0'><filedata/></file>", b"", ()),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_attachment_is_named_and_its_bytes_are_kept(
    xml: str, content: bytes, defects: tuple[str, ...]
) -> None:
    record = read(document(1, item("$FILE", f"<object>{xml}</object>")))
    (file,) = record.attachments
    assert (data(file.content), file.defects) == (content, defects)
    assert codes(record) == (["attachment_defect"] if defects else [])


def _uuencoded(data: bytes) -> bytes:
    lines = [binascii.b2a_uu(data[at : at + 45]) for at in range(0, len(data), 45)]
    return b"begin 644 cv.pdf\n" + b"".join(lines) + b"`\nend\n"


@pytest.mark.parametrize("sized", [True, False])
@given(st.binary(min_size=1, max_size=500))
def test_files_in_a_transfer_encoding_are_decoded_where_their_size_proves_it(
    sized: bool, content: bytes
) -> None:
    for coding, coded, proves_itself in (
        ("base64", base64.encodebytes(content), False),
        ("quotedprintable", binascii.b2a_qp(content, istext=False), False),
        ("uuencode", _uuencoded(content), True),
    ):
        told = f" size='{len(content)}'" if sized else ""
        text = base64.b64encode(coded).decode("ascii")
        xml = f"<object><file name='a' encoding='{coding}'{told}><filedata>{text}</filedata></file></object>"
        (file,) = read(document(1, item("$FILE", xml))).attachments
        if sized and len(coded) != len(content):
            assert (data(file.content), file.defects) == (content, ())
            assert file.wrapped is not None
            assert data(file.wrapped) == coded
        elif not sized and not proves_itself:
            assert data(file.content) == coded


def test_base64_beyond_the_limit_is_a_defect_and_keeps_no_part() -> None:
    sink = base64_sink.Base64Sink(limit=5)
    sink.feed(b"AAEC")
    sink.feed(b"AAEC")
    sink.feed(b"AAEC")
    assert (data(sink.content()), sink.defects) == (b"", ("too_large",))


def test_large_attachments_leave_memory_and_are_read_by_many() -> None:
    content = bytes(range(256)) * (40 << 10)
    (file,) = read(document(1, attachment("lớn.bin", content))).attachments
    first, second = file.content.open(), file.content.open()
    assert first.read(1000) == second.read(1000) == content[:1000]
    first.seek(-5, 2)
    assert first.read() == content[-5:]
    assert second.read() == content[1000:]


OLE = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(range(250)) * 4
PAGES = {f"STG0000{number}": OLE[number * 400 : (number + 1) * 400] for number in range(3)}


def test_ole_pages_are_joined_in_the_order_of_the_index() -> None:
    names = list(PAGES)
    shuffled = [page(name, PAGES[name]) for name in (names[1], names[2], names[0])]
    record = read(document(1, *shuffled, page("EXT00001", index(names), "bytearrayext")))
    (file,) = record.attachments
    assert (file.name, file.declared_type, file.defects) == ("EXT00001", OLE_TYPE, ())
    assert data(file.content) == OLE


def test_an_ole_object_without_all_of_its_pages_is_not_pieced_together() -> None:
    names = list(PAGES)
    record = read(
        document(1, page(names[0], PAGES[names[0]]), page("EXT00001", index(names), "bytearrayext"))
    )
    assert [(file.name, file.defects) for file in record.attachments] == [
        ("EXT00001", ("ole_pages_missing",)),
        (names[0], ("ole_page_without_index",)),
    ]


def test_a_mime_message_is_an_attachment() -> None:
    message = "From: vanthu@tinhuy.example\nSubject: =?utf-8?B?Q8O0bmcgdsSDbg==?=\n\n<html>nội dung</html>\n"
    record = read(f"<document form='Memo'>{noteinfo(1)}<mime><![CDATA[{message}]]></mime></document>")
    assert [(file.name, file.declared_type, data(file.content)) for file in record.attachments] == [
        ("message.eml", "message/rfc822", message.encode())
    ]


@pytest.mark.parametrize(
    ("original", "encoding", "reason"),
    [
        (b"<document><item></document>", "", "xml_malformed"),
        ("<document>Tỉnh \xe0</document>".encode("latin-1", "ignore"), "", "encoding_invalid"),
        (b"<!DOCTYPE document [<!ENTITY a 'b'>]><document>&a;</document>", "", "entity_declared"),
        (b"<document>&a;</document>", "", "entity_undefined"),
        (b"<document/>", "x-lmbcs", "encoding_unsupported"),
        (b"<document>" + b"<item>" * 300 + b"</item>" * 300 + b"</document>", "", "too_deep"),
        (b"", "", "xml_malformed"),
    ],
)
def test_a_record_that_cannot_be_read_keeps_its_bytes(original: bytes, encoding: str, reason: str) -> None:
    content = BytesContent(original)
    answer = read_record(LISTING, content, {"file": "a.dxl"} | ({"encoding": encoding} if encoding else {}))
    assert isinstance(answer, Unreadable)
    assert (answer.reason, answer.original) == (reason, content)
    assert "a.dxl" in answer.where


@pytest.mark.samples
def test_a_real_ole_object_becomes_a_compound_file_again(samples: Path) -> None:
    source = DxlFolder("samples", samples / "dxl" / "test_binary_4.xml")
    (record,) = source.fetch(list(source.inventory(Window())))
    assert isinstance(record, SourceRecord)
    (file,) = record.attachments
    content = data(file.content)
    assert len(content) == 2_686_935
    assert content[:8].hex() == "d0cf11e0a1b11ae1"
    assert content[24219:24223] == b"%PDF"


@pytest.mark.samples
def test_real_exports_are_read_without_a_defect(samples: Path) -> None:
    source = DxlFolder("samples", samples / "dxl")
    answers = list(source.fetch(list(source.inventory(Window()))))
    losses = [answer.reason for answer in answers if isinstance(answer, Unreadable)]
    records = [answer for answer in answers if isinstance(answer, SourceRecord)]
    assert losses == ["no_record", "container_malformed"]
    assert len(records) == 111
    assert [record.defects for record in records if record.defects] == []
