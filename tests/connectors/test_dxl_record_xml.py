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
LARGE = bytes(range(256)) * 250


def read(xml: str, encoding: str = "utf-8", limit: int = 1 << 20) -> RecordXml:
    return read_xml(BytesContent(xml.encode(encoding)), Encoding(encoding), limit)


def tree(xml: str) -> Node:
    record = read(xml)
    return record.node(record.root, 1)


def data(node: Node) -> bytes:
    assert node.content is not None
    with node.content.open() as stream:
        return stream.read()


def lines(content: bytes) -> str:
    return base64.encodebytes(content).decode("ascii")


@given(st.lists(st.binary(max_size=9000), max_size=4), st.sampled_from(["", "\n", "\n\n  "]), st.booleans())
def test_binary_elements_of_any_size_come_back_in_their_places(
    contents: list[bytes], before: str, large: bool
) -> None:
    filler = f"<item>{'x' * (1 << 16 if large else 1)}\n</item>"
    xml = filler + "".join(
        f"<item>\n<filedata>{before}{lines(each)}</filedata></item>\n" for each in contents
    )
    record = read(f"<document>{xml}</document>")
    items = [record.node(child, line) for child, line in record.children()][1:]
    assert [data(item.children[0]) for item in items] == contents
    assert [item.children[0].defects for item in items] == [()] * len(contents)
    starts = [found for found in range(1, len(xml)) if xml.startswith("<item", found)]
    assert [item.line for item in items] == [xml[:start].count("\n") + 1 for start in starts]


@pytest.mark.parametrize(
    "around",
    [
        "<text><![CDATA[<filedata>{}</filedata>]]></text>",
        "<text><!-- --><![CDATA[<filedata>]]>{}</text>",
        "<?pi <filedata>?><text>{}</text>",
    ],
)
def test_what_only_looks_like_a_binary_element_is_text(around: str) -> None:
    text = "A" * 70_000
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
    first, second = lines(LARGE[:30_000]), lines(LARGE[30_000:])
    (node,) = tree(f"<document><filedata>{first}<![CDATA[{second}]]></filedata></document>").children
    assert (data(node), node.defects) == (LARGE, ())


def test_garbage_in_a_large_file_is_noted_and_the_rest_kept() -> None:
    (node,) = tree(f"<document><filedata>{lines(LARGE)}*=*</filedata></document>").children
    assert (data(node), node.defects) == (LARGE, ("base64_invalid",))


def test_a_bomb_of_base64_keeps_nothing() -> None:
    record = read(f"<document><filedata>{lines(LARGE)}</filedata></document>", limit=len(LARGE) - 1)
    (node,) = record.node(record.root, 1).children
    assert (data(node), node.defects) == (b"", ("too_large",))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "cp1258", "iso8859-1"])
def test_other_encodings_say_the_same(encoding: str) -> None:
    record = read(f"<document a='é'><text>ç</text>\n<png>{lines(LARGE)}</png></document>", encoding)
    assert record.attributes(record.root) == {"a": "é"}
    (text, _), (picture, line) = record.children()
    assert (text.text, data(record.node(picture, line)), line) == ("ç", LARGE, 2)


def test_prefixes_that_the_export_declares_are_read_without_it() -> None:
    record = read("<dxl:document x:form='a' xml:lang='vi'>\n<dxl:item y='1'/></dxl:document>")
    assert record.name(record.root) == "document"
    assert record.attributes(record.root) == {"x:form": "a", "xml:lang": "vi"}
    assert [(record.name(child), line) for child, line in record.children()] == [("item", 2)]


def test_namespaces_declared_in_the_record_leave_its_names_alone() -> None:
    record = read(
        "<document xmlns='http://www.lotus.com/dxl' xmlns:a='urn:x' a:b='1' c='2'><item/></document>"
    )
    assert (record.name(record.root), record.attributes(record.root)) == ("document", {"a:b": "1", "c": "2"})


@pytest.mark.parametrize(
    ("xml", "lines"),
    [
        ("\n<item>\n<item/></item>\n\n<item/>", [2, 5]),
        ("\n<!-- <item>\n -->\n\n<item/>", [5]),
        ("\n<unknown\n/><item\n a='\n'/><mime/>", [2, 3, 5]),
        ("<text><![CDATA[\n<item>]]></text>\n<item/>", [1, 3]),
        ("\n<unknown><item/></unknown>\n<dxl:item/>", [2, 3]),
    ],
)
def test_every_child_has_the_line_of_its_start_tag(xml: str, lines: list[int]) -> None:
    assert [line for _, line in read(f"<document>{xml}</document>").children()] == lines


@pytest.mark.parametrize(
    ("xml", "reason"),
    [
        (b"<d>" + b"<e/>" * 2_000_001 + b"</d>", "too_many_elements"),
        (b"<d " + b" ".join(b"a%x=''" % at for at in range(4_000_001)) + b"/>", "too_many_elements"),
        (b"<d>a\0b</d>", "xml_malformed"),
        (b"<d>\xff\xfe</d>", "encoding_invalid"),
        (b"<d>&nbsp;</d>", "entity_undefined"),
        (b"<d>", "xml_malformed"),
        (b"<d/><d/>", "xml_malformed"),
        (b"", "xml_malformed"),
    ],
)
def test_what_cannot_be_read_is_named(xml: bytes, reason: str) -> None:
    with pytest.raises(XmlError) as caught:
        read_xml(BytesContent(xml), UTF8)
    assert caught.value.reason == reason


def test_nothing_is_too_deep_to_be_refused() -> None:
    record = read("<d>" + "<e>" * 900_000 + "</e>" * 900_000 + "</d>")
    with pytest.raises(XmlError) as caught:
        record.node(record.root[0], 1)
    assert caught.value.reason == "too_deep"


def test_an_error_says_its_line_behind_a_large_file() -> None:
    with pytest.raises(XmlError) as caught:
        read(f"<document>\n<filedata>\n{lines(LARGE)}</filedata>\n<broken></document>")
    assert caught.value.line == 4 + lines(LARGE).count("\n")


def test_a_letter_outside_the_encoding_is_named_with_its_line() -> None:
    with pytest.raises(XmlError) as caught:
        read_xml(BytesContent(b"<document>\n\x81</document>"), Encoding("cp1252"))
    assert (caught.value.reason, caught.value.line) == ("encoding_invalid", 2)
