"""A record's XML: large binary elements are decoded outside the tree, and nobody can tell the difference."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.lotus_notes.encoding import Encoding
from connectors.lotus_notes.nodes import Node
from connectors.lotus_notes.record_xml import RecordXml, XmlError, read_xml
from schemas.record import BytesContent

UTF8 = Encoding("utf-8")
LARGE = bytes(range(256)) * 40


def read(xml: str, encoding: str = "utf-8", limit: int = 1 << 20) -> RecordXml:
    return read_xml(BytesContent(xml.encode(encoding)), Encoding(encoding), limit)


def tree(xml: str) -> Node:
    record = read(xml)
    return record.node(record.root)


def data(node: Node) -> bytes:
    assert node.content is not None
    with node.content.open() as stream:
        return stream.read()


def lines(content: bytes) -> str:
    return base64.encodebytes(content).decode("ascii")


@given(st.lists(st.binary(max_size=9000), max_size=4), st.sampled_from(["", "\n", "\n\n  "]))
def test_binary_elements_of_any_size_come_back_in_their_places(contents: list[bytes], before: str) -> None:
    xml = "".join(f"<item>\n<filedata>{before}{lines(each)}</filedata></item>\n" for each in contents)
    record = read(f"<document>{xml}<end/></document>")
    node = record.node(record.root)
    files = [part.children[0] for part in node.children[:-1]]
    assert [data(file) for file in files] == contents
    assert [file.defects for file in files] == [()] * len(contents)
    at = [xml[:found].count("\n") + 1 for found in range(len(xml)) if xml.startswith("<filedata", found)]
    assert [file.line for file in files] == at
    assert node.children[-1].line == xml.count("\n") + 1


@pytest.mark.parametrize(
    "around",
    [
        "<text><![CDATA[<filedata>{}</filedata>]]></text>",
        "<text><!-- --><![CDATA[<filedata>]]>{}</text>",
        "<?pi <filedata>?><text>{}</text>",
    ],
)
def test_what_only_looks_like_a_binary_element_is_text(around: str) -> None:
    text = "A" * 10_000
    node = tree(f"<document>{around.format(text)}</document>")
    (child,) = node.children
    assert child.content is None
    assert text in child.text


@pytest.mark.parametrize(
    "xml",
    [
        "<filedata>{}</filedata>",
        "<filedata\n a='>' b=\"/>\"\n>{}</filedata>",
        "<filedata><![CDATA[{}]]></filedata>",
        "<filedata>&#13;{}</filedata>",
        "<filedata>{}<!-- a comment inside --></filedata>",
        "<dxl:filedata>{}</dxl:filedata>",
        "<filedata>\r\n \t{}</filedata>",
    ],
)  # fmt: skip
def test_every_way_of_writing_a_large_file(xml: str) -> None:
    (node,) = tree(f"<document>{xml.format(lines(LARGE))}</document>").children
    assert (node.name, data(node), node.defects) == ("filedata", LARGE, ())


def test_a_large_file_in_pieces_of_markup_is_one_file() -> None:
    first, second = lines(LARGE[:6000]), lines(LARGE[6000:])
    (node,) = tree(f"<document><filedata>{first}<![CDATA[{second}]]></filedata></document>").children
    assert (data(node), node.defects) == (LARGE, ())


def test_garbage_in_a_large_file_is_noted_and_the_rest_kept() -> None:
    (node,) = tree(f"<document><filedata>{lines(LARGE)}*=*</filedata></document>").children
    assert (data(node), node.defects) == (LARGE, ("base64_invalid",))


def test_a_bomb_of_base64_keeps_nothing() -> None:
    record = read(f"<document><filedata>{lines(LARGE)}</filedata></document>", limit=len(LARGE) - 1)
    (node,) = record.node(record.root).children
    assert (data(node), node.defects) == (b"", ("too_large",))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "cp1258", "iso8859-1"])
def test_other_encodings_say_the_same(encoding: str) -> None:
    record = read(f"<document a='é'><text>ç</text>\n<png>{lines(LARGE)}</png></document>", encoding)
    node = record.node(record.root)
    assert (node.attributes, node.children[0].text) == ({"a": "é"}, "ç")
    assert (data(node.children[1]), node.children[1].line) == (LARGE, 2)


def test_prefixes_that_the_export_declares_are_read_without_it() -> None:
    record = read("<dxl:document x:form='a' xml:lang='vi'>\n<dxl:item y='1'/></dxl:document>")
    node = record.node(record.root)
    assert (node.name, node.attributes) == ("document", {"x:form": "a", "xml:lang": "vi"})
    assert [(child.name, child.line) for child in node.children] == [("item", 2)]


@pytest.mark.parametrize(
    ("xml", "reason"),
    [
        (b"<d>" + b"<e>" * 3000 + b"</e>" * 3000 + b"</d>", "too_deep"),
        (b"<d>" + b"<e/>" * 2_000_001 + b"</d>", "too_many_elements"),
        (b"<d " + b" ".join(b"a%x=''" % at for at in range(4_000_001)) + b"/>", "too_many_elements"),
        (b"<d>a\0b</d>", "xml_malformed"),
        (b"<d>\xff\xfe</d>", "encoding_invalid"),
        (b"<d>&nbsp;</d>", "xml_malformed"),
        (b"<d>", "xml_malformed"),
        (b"<d/><d/>", "xml_malformed"),
        (b"", "xml_malformed"),
    ],
)
def test_what_cannot_be_read_is_named(xml: bytes, reason: str) -> None:
    with pytest.raises(XmlError) as caught:
        read_xml(BytesContent(xml), UTF8)
    assert caught.value.reason == reason


def test_an_error_says_its_line_behind_a_large_file() -> None:
    with pytest.raises(XmlError) as caught:
        read(f"<document>\n<filedata>\n{lines(LARGE)}</filedata>\n<broken></document>")
    assert caught.value.line == 4 + lines(LARGE).count("\n")


def test_a_letter_outside_the_encoding_is_named_with_its_line() -> None:
    with pytest.raises(XmlError) as caught:
        read_xml(BytesContent(b"<document>\n\x81</document>"), Encoding("cp1252"))
    assert (caught.value.reason, caught.value.line) == ("encoding_invalid", 2)
