"""Mail in DXL: items of types 502 and 19, and ``<mime>``, become a message, its texts and its files."""

from __future__ import annotations

from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.lotus_notes.dxl import read_record
from connectors.lotus_notes.folder import DxlFolder
from connectors.lotus_notes.html_text import html_text
from connectors.lotus_notes.mime_message import encoded
from schemas.record import BytesContent, Content, Listing, SourceRecord, Window
from tests.connectors.dxl_builder import attachment, document, text_item
from tests.connectors.mime_items import (
    BODY,
    EPILOG,
    MESSAGE,
    PROLOG,
    RETRIEVE_INFO,
    Part,
    content_last,
    mail_items,
    packed,
    part_item,
    raw_item,
    split,
)


def read(*items: str) -> SourceRecord:
    answer = read_record(Listing("k", "r", "l"), BytesContent(document(1, *items, form="Memo").encode()), {})
    assert isinstance(answer, SourceRecord), answer
    return answer


def data(content: Content) -> bytes:
    with content.open() as stream:
        return stream.read()


def texts(record: SourceRecord, name: str = "Body") -> list[tuple[str, ...]]:
    return [field.values for field in record.fields if field.name == name]


def codes(record: SourceRecord) -> list[str]:
    return [defect.code for defect in record.defects]


def letter() -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["Received"] = (
        "from mail.tinhuy.example ([192.0.2.7]) by domino.tinhuy.example; Fri, 10 Apr 2026 08:00:00 +0700"
    )
    message["Received"] = "from b by c; Fri, 10 Apr 2026 08:00:01 +0700"
    message["From"] = "Văn thư <vanthu@tinhuy.example>"
    message["Subject"] = "Về việc họp giao ban"
    message.set_content("Kính gửi các đồng chí\r\nHọp lúc 8 giờ.\r\n", cte="quoted-printable")
    message.add_alternative("<p>Kính gửi <b>các đồng chí</b></p><p>Họp lúc 8 giờ.</p>", subtype="html")
    message.add_attachment(
        b"%PDF-1.4 \x00\xff", maintype="application", subtype="pdf", filename="giấy mời.pdf"
    )
    return message


def test_a_message_is_its_items_one_behind_the_other() -> None:
    message = content_last(letter().as_bytes())
    record = read(*mail_items(message))
    whole, file = record.attachments
    assert (whole.name, whole.declared_type, whole.item) == ("message.eml", "message/rfc822", "Body")
    assert data(whole.content) == message
    assert (file.name, file.declared_type, data(file.content)) == (
        "giấy mời.pdf",
        "application/pdf",
        b"%PDF-1.4 \x00\xff",
    )
    assert texts(record) == [(), (), ("Kính gửi các đồng chí\nHọp lúc 8 giờ.\n",), (), (), (), ()]
    assert texts(record, "Subject") == [("Về việc họp giao ban",)]
    assert record.defects == ()


_NAMES = st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=8)
_WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=40)


@st.composite
def _messages(draw: st.DrawFn, depth: int = 2) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    for _ in range(draw(st.integers(0, 2))):
        message[f"X-{draw(_NAMES)}"] = draw(_WORDS)
    message["Subject"] = draw(_WORDS)
    message.set_content(draw(_WORDS), cte=draw(st.sampled_from(["base64", "quoted-printable", "8bit"])))
    if draw(st.booleans()):
        message.add_alternative(f"<p>{draw(_NAMES)}</p>", subtype="html")
    for number in range(draw(st.integers(0, 3))):
        content = draw(st.binary(min_size=1, max_size=300))
        message.add_attachment(
            content, maintype="application", subtype="x-thing", filename=f"tệp {number}.bin"
        )
    if depth and draw(st.booleans()):
        message.add_attachment(draw(_messages(depth=depth - 1)))
    return message


@given(_messages())
def test_any_message_comes_back_byte_by_byte_with_its_files(message: EmailMessage) -> None:
    original = content_last(message.as_bytes())
    record = read(*mail_items(original))
    assert data(record.attachments[0].content) == original
    parts = list(message_from_bytes(original).walk())
    expected = [
        part.get_payload(decode=True) for part in parts if part.get_content_type() == "application/x-thing"
    ]
    assert [data(file.content) for file in record.attachments[1:]] == expected
    assert [code for code in codes(record) if code != "mime_misplaced_envelope_header"] == []


@pytest.mark.parametrize("stored", ["with line ends", "bare", "without dashes"])
def test_a_boundary_stands_on_a_line_of_its_own_however_it_is_stored(stored: str) -> None:
    message = letter()
    del message["Received"], message["From"], message["Subject"], message["MIME-Version"]
    original = message.as_bytes()

    def kept(part: Part) -> Part:
        line = part.boundary.strip()
        if stored == "bare":
            return part._replace(boundary=line)
        if stored == "without dashes":
            closing = b"--" if part.kind == EPILOG else b""
            return part._replace(boundary=line.removeprefix(b"--").removesuffix(closing))
        return part

    record = read(*(part_item(kept(part)) for part in split(original)))
    joined = data(record.attachments[0].content)
    assert _bodies(joined) == _bodies(original)
    assert record.defects == ()


def _bodies(message: bytes) -> list[tuple[str, bytes]]:
    """Type and content of every part. A line end in front of a boundary may belong to either."""
    parts = message_from_bytes(message).walk()
    return [
        (part.get_content_type(), (part.get_payload(decode=True) or b"").rstrip(b"\r\n")) for part in parts
    ]


def _with_object(cte: str, stored: bytes, content_type: str = "application/pdf; name=a.pdf") -> SourceRecord:
    headers = f"Content-Type: {content_type}\r\nContent-Transfer-Encoding: {cte}\r\n\r\n".encode()
    return read(part_item(Part(BODY, b"", headers, b"ATT001", in_object=True)), attachment("ATT001", stored))


@pytest.mark.parametrize("stored_encoded", [False, True])
def test_a_large_part_lies_in_an_object_decoded_or_as_it_stood(stored_encoded: bool) -> None:
    content = bytes(range(256)) * 300
    message = EmailMessage(policy=SMTP)
    message.set_content(content, maintype="application", subtype="pdf")
    encoded = message.as_bytes().partition(b"\r\n\r\n")[2]
    record = _with_object("base64", encoded if stored_encoded else content)
    whole, file = record.attachments
    assert message_from_bytes(data(whole.content)).get_payload(decode=True) == content
    assert (file.name, file.item, data(file.content)) == ("a.pdf", "$FILE", content)
    assert record.defects == ()


@given(st.one_of(st.binary(max_size=400), st.text(alphabet="a =\t\r\n\u1ea1", max_size=200).map(str.encode)))
def test_what_lies_in_an_object_is_in_the_message_as_it_was(content: bytes) -> None:
    for cte in ("base64", "quoted-printable"):
        stored = b"\0" + content  # no encoded text has such a letter
        headers = f"Content-Type: text/plain\r\nContent-Transfer-Encoding: {cte}\r\n\r\n".encode()
        body = b"".join(encoded(BytesContent(stored), cte))
        assert message_from_bytes(headers + body).get_payload(decode=True) == stored


def test_a_large_text_is_read_from_its_object() -> None:
    text = "Báo cáo tình hình " * 5000
    record = _with_object("quoted-printable", text.encode(), "text/plain; charset=utf-8")
    assert texts(record) == [(text,)]
    whole = message_from_bytes(data(record.attachments[0].content))
    assert whole.get_payload(decode=True) == text.encode()


@pytest.mark.parametrize(
    ("items", "code"),
    [
        ([raw_item("Body", "19", packed(Part(BODY, b"", b"A: b\r\n\r\n", b"chu viet"))[:-3])],
         "mime_part_truncated"),
        ([raw_item("Body", "19", packed(Part(BODY, b"", b"A: b\r\n\r\n", b"x")) + b"123")], "mime_part_overlong"),
        ([raw_item("Body", "19", packed(Part(BODY))[:10])], "raw_data_invalid"),
        ([raw_item("Body", "19", packed(Part(9)))], "raw_data_invalid"),
        ([part_item(Part(BODY, b"", b"A: b\r\n\r\n", b"ATT9", in_object=True))], "mime_object_missing"),
        ([part_item(Part(BODY, b"", b"\r\n", b"x")), part_item(Part(BODY, b"--la", b"\r\n", b"y"))],
         "mime_boundary_unknown"),
        ([part_item(Part(BODY, b"", b"\r\n", b"x")), part_item(Part(BODY, b"\r\n", b"\r\n", b"y"))],
         "mime_boundary_unknown"),
        ([part_item(Part(BODY, b"", b"\r\n", b"x")), part_item(Part(EPILOG))], "mime_boundary_unknown"),
        ([part_item(Part(PROLOG, b"", b"Content-Type: multipart/mixed; boundary=b\r\n\r\n", b"")),
          part_item(Part(BODY, b"--b\r\n", b"A: b\r\n\r\n", b"x"))], "mime_not_closed"),
        ([part_item(Part(BODY, b"", b"Content-Type: text/plain; charset=x-la\r\n\r\n", b"x"))], "mime_charset_unknown"),
        ([part_item(Part(BODY, b"", b"Content-Type: text/plain\r\n\r\n", "chữ".encode()))], "mime_charset_wrong"),
        ([part_item(Part(BODY, b"", b"Content-Transfer-Encoding: base64\r\n\r\n", b"eA"))],
         "mime_invalid_base64_padding"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_message_is_named_and_the_rest_is_delivered(items: list[str], code: str) -> None:
    record = read(*items)
    assert codes(record) == [code]
    assert len(record.attachments) == 1


def test_what_cannot_be_a_part_is_kept_as_it_is() -> None:
    record = read(raw_item("Body", "19", b"\2\0ab"))
    assert [(file.name, data(file.content)) for file in record.attachments] == [
        ("Body.itemdata-19", b"\2\0ab")
    ]


def test_a_message_inside_a_message() -> None:
    record = read(
        part_item(Part(MESSAGE, b"", b"Content-Type: message/rfc822\r\n\r\n")),
        part_item(Part(BODY, b"", b"Subject: trong\r\nContent-Type: text/plain\r\n\r\n", b"than thu")),
    )
    whole = message_from_bytes(data(record.attachments[0].content))
    assert whole.get_payload(0)["Subject"] == "trong"  # type: ignore[union-attr,index]
    assert texts(record) == [(), ("than thu",)]


def test_what_the_server_knows_of_a_message_is_no_part_of_it() -> None:
    record = read(
        part_item(Part(BODY, b"", b"Content-Type: text/plain\r\n\r\n", b"x")),
        part_item(Part(RETRIEVE_INFO, b"", b"", b"\1\2\3")),
    )
    assert data(record.attachments[0].content).endswith(b"\r\n\r\nx")


def test_a_second_item_of_parts_is_a_message_of_its_own() -> None:
    part = Part(BODY, b"", b"Content-Type: text/plain\r\n\r\n", b"x")
    record = read(part_item(part, "YKien"), part_item(part), text_item("Subject", "a"))
    assert [(file.name, file.item) for file in record.attachments] == [
        ("message.eml", "Body"),
        ("YKien.eml", "YKien"),
    ]


def test_headers_alone_are_no_message() -> None:
    record = read(*mail_items(letter().as_bytes())[:3])
    assert record.attachments == ()


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("layout", ["", "\n"])
def test_a_whole_message_in_one_element_keeps_the_line_ends_that_are_printed(
    line_end: str, layout: str
) -> None:
    original = letter().as_bytes().decode().replace("\r\n", line_end)
    xml = f"<document form='Memo'><mime>{layout}<![CDATA[{original}]]></mime></document>"
    record = read_record(Listing("k", "r", "l"), BytesContent(xml.encode()), {})
    assert isinstance(record, SourceRecord)
    assert texts(record, "$mime") == [("Kính gửi các đồng chí\nHọp lúc 8 giờ.\n",)]
    assert [(file.name, file.item) for file in record.attachments] == [
        ("message.eml", "$mime"),
        ("giấy mời.pdf", "$mime"),
    ]
    assert data(record.attachments[0].content) == original.encode()


def test_parts_nested_without_end_are_refused() -> None:
    deep = b"".join(
        b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' % (at, at) for at in range(2000)
    )
    xml = f"<document><mime><![CDATA[{deep.decode()}]]></mime></document>"
    record = read_record(Listing("k", "r", "l"), BytesContent(xml.encode()), {})
    assert isinstance(record, SourceRecord)
    assert codes(record) == ["mime_too_deep"]


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>Một</p>\n<p>hai<br>ba</p>", "Một\nhai\nba"),
        ("<b>đậm</b> và <i>nghiêng</i>", "đậm và nghiêng"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a\tb\nc"),
        ("<style>p{}</style><script>alert(1)</script><!-- ẩn -->chữ &amp; số", "chữ & số"),
        ("<pre>a\n  b</pre>c", "a\n  b\nc"),
        ("<img src='x' alt='Con dấu'>", "[Con dấu]"),
        ("không có thẻ", "không có thẻ"),
        ("<script>không đóng", ""),
    ],
)
def test_the_text_of_html(markup: str, text: str) -> None:
    assert html_text(markup) == text


@given(st.text(max_size=200))
def test_no_markup_breaks_it(markup: str) -> None:
    assert isinstance(html_text(markup), str)


@given(st.lists(st.binary(max_size=60), max_size=4), st.data())
def test_no_bytes_in_items_break_the_record(blobs: list[bytes], chosen: st.DataObject) -> None:
    items = [raw_item(chosen.draw(st.sampled_from(["Body", "a"])), chosen.draw(st.sampled_from(["19", "502"])), blob)
             for blob in blobs]  # fmt: skip
    assert isinstance(read(*items), SourceRecord)


@pytest.mark.samples
def test_a_real_mail_becomes_a_message_again(samples: Path) -> None:
    source = DxlFolder("samples", samples / "dxl" / "mime_mail.xml")
    (record,) = source.fetch(list(source.inventory(Window())))
    assert isinstance(record, SourceRecord)
    message = message_from_bytes(data(record.attachments[0].content))
    assert (len(message.keys()), message.defects, message.get_content_type()) == (21, [], "text/html")
    (posted,) = texts(record, "PostedDate")
    assert datetime.fromisoformat(posted[0]) == parsedate_to_datetime(message["Date"])
    assert len(texts(record)[0][0]) > 500
