"""A package whose tags are known gives the same answer as when they were met for the first time."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from connectors.operations.edxml import parse_edxml
from connectors.operations.element_path import walk
from connectors.operations.package import DocumentPackage, Organ, PackageFile
from connectors.operations.scan import Refusal, Scan, scan
from connectors.operations.shapes import read_known, shape_of
from connectors.operations.skeleton import read_skeleton
from connectors.operations.writer import write_document
from schemas.record import BytesContent, Listing, SourceRecord
from tests.connectors.edxml_faults import FAULTS, combination, plain_case, spoiled

_LISTING = Listing("key", "revision", "locator")
_SUBJECT = "Về việc báo cáo quý I"


def _package(subject: str = _SUBJECT, *, files: int = 2) -> bytes:
    return write_document(
        DocumentPackage(
            sender=Organ("000.00.00.H10", "Văn phòng Tỉnh ủy"),
            recipients=(Organ("000.00.12.H10", "Sở Y tế"), Organ("000.00.13.H10", "Sở Nội vụ")),
            document_id=f"000.00.00.H10,2025/03/14,{files}-CV/VPTU",
            code_number="1",
            code_notation="CV/VPTU",
            promulgation_date=date(2025, 3, 14),
            subject=subject,
            type_name="Công văn",
            files=tuple(PackageFile(f"{at}.pdf", b"%%PDF-1.4 %d\n%%%%EOF\n" % at) for at in range(files)),
        )
    )


def _read_first(data: bytes) -> Scan | Refusal:
    """What the parser says of ``data``."""
    shape_of.cache_clear()
    return _read(data)


def _read(data: bytes) -> Scan | Refusal:
    found = scan(BytesContent(data))
    if isinstance(found, Refusal) or found.texts is None:
        return found
    leaves = [
        (path, *field.values) for path, field in walk(found.fields) if field.values or field.type != "element"
    ]
    texts = [(path, text) if text else (path,) for path, text in zip(*found.texts, strict=True)]
    assert sorted(text for text in texts if len(text) > 1) == sorted(leaves)
    return found._replace(texts=None)


def _read_known(data: bytes) -> bool:
    """Whether the parser is no longer needed for ``data``."""
    content = BytesContent(data)
    with content.open() as stream:
        return read_known(read_skeleton(stream), content, 1) is not None


def _agrees(data: bytes) -> None:
    shape_of.cache_clear()
    record = parse_edxml(_LISTING, BytesContent(data), {})
    for _ in range(2):
        assert parse_edxml(_LISTING, BytesContent(data), {}) == record
    first = _read_first(data)
    assert _read(data) == first
    assert _read(data) == first


@pytest.mark.parametrize("seed", range(30))
def test_plain_packages_read_the_same_again(seed: int) -> None:
    _agrees(plain_case(random.Random(seed)).write())


@pytest.mark.parametrize("name", FAULTS)
def test_packages_with_a_fault_read_the_same_again(name: str) -> None:
    _agrees(spoiled((name,), random.Random(name)).write())


@pytest.mark.parametrize("seed", range(60))
def test_packages_with_many_faults_read_the_same_again(seed: int) -> None:
    chance = random.Random(seed)
    _agrees(spoiled(combination(chance), chance).write())


def test_samples_read_the_same_again(samples: Path) -> None:
    for path in (samples / "edxml").iterdir():
        _agrees(path.read_bytes())


def test_a_package_is_read_without_the_parser_from_the_second_of_its_tags_on() -> None:
    shape_of.cache_clear()
    assert [_read_known(_package(subject)) for subject in ("Thứ nhất", "Thứ hai", "Thứ ba")] == [
        False,
        True,
        True,
    ]
    assert not _read_known(_package(files=1))


def _in(old: str, new: str | bytes) -> Callable[[bytes], bytes]:
    """Puts ``new`` in the place of the first ``old``."""
    put = new if isinstance(new, bytes) else new.encode()
    return lambda data: data.replace(old.encode(), put, 1)


@pytest.mark.parametrize(
    ("element", "text", "code"),
    [
        ("OrganId", "null", "null_organ"),
        ("OrganId", "NULL", "null_organ"),
        ("Subject", " nULl\n", "null_value"),
        ("Subject", "\tnUlL ", "null_value"),
        ("Subject", "x" * 500, None),
        ("Subject", "x" * 501, "over_long"),
        ("Subject", "x" * 500 + " ", None),
        ("CodeNumber", "A1", "code_number_not_numeric"),
        ("PromulgationDate", "2025/02/30", "impossible_date"),
        ("PromulgationDate", "14/03/2025", "unexpected_date_form"),
        ("PromulgationDate", " 2025/03/14 ", None),
        ("DocumentId", "000.00.00.H10,2025/2/31,1-CV/VPTU", "impossible_date"),
    ],
)
def test_a_wrong_value_has_its_defect_however_often_its_tags_were_read(
    element: str, text: str, code: str | None
) -> None:
    tag = f"<edXML:{element}>".encode()
    start = _package().index(tag) + len(tag)
    data = _package()[:start] + text.encode() + _package()[_package().index(b"<", start) :]
    _agrees(data)
    record = parse_edxml(_LISTING, BytesContent(data), {})
    assert isinstance(record, SourceRecord)
    assert [defect.code for defect in record.defects] == ([code] if code else [])


_TEXTS = {
    "quotes": "\"Nội quy\" và 'quy chế'",
    "a no-break space": "\xa0",
    "spaces": "   ",
    "nothing": "",
    "a tab": "a\tb",
    "lines": "một\nhai\n\nba",
    "lines of Windows": "một\r\nhai",
    "lines of an old Mac": "một\rhai",
    "a letter outside the basic plane": "\U0001f4dc",
    "a replacement character": "\ufffd",
    "a byte order mark": "\ufeff",
    "no character of XML": "\ufffe",
    "a control": "\x01",
    "a null": "\x00",
    "a control that XML allows": "\x85\x7f",
    "an equals sign and quotes": '="x"',
    "an entity": "A &amp; B",
    "an unknown entity": "A &nbsp; B",
    "a character by number": "&#7879;",
    "a bracket": "a > b",
    "the end of a section": "]]>",
    "a section": "<![CDATA[a < b]]>",
    "a comment": "a<!-- b -->c",
    "a comment and a space": "a<!-- b --> ",
    "an instruction": "a<?b c?>d",
    "an element": "a<b/>c",
    "an end tag": "</edXML:Subject><edXML:Subject>",
    "an open tag": "<edXML:Subject>",
}


@pytest.mark.parametrize("text", _TEXTS.values(), ids=_TEXTS)
def test_any_text_is_read_as_the_parser_reads_it(text: str) -> None:
    data = _package().replace(_SUBJECT.encode(), text.encode("utf-8", "surrogatepass"))
    plain = _read_first(_package())
    expected = _read_first(data)
    for _ in range(2):
        scan(BytesContent(_package()))
    assert _read(data) == expected
    assert _read(_package()) == plain


@pytest.mark.parametrize("wrong", ["a--b", "-"])
def test_a_quoted_text_in_a_comment_is_no_value_of_an_attribute(wrong: str) -> None:
    def commented(text: str) -> bytes:
        return _in("<edXML:Subject>", f'<!--"{text}"--><edXML:Subject>')(_package())

    expected = _read_first(commented(wrong))
    for _ in range(3):
        scan(BytesContent(commented("nháp")))
    assert _read(commented(wrong)) == expected


_CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "bytes that are no UTF-8": _in(_SUBJECT, b"B\xe1o c\xe1o"),
    "a surrogate": _in(_SUBJECT, b"\xed\xa0\x80"),
    "an overlong letter": _in(_SUBJECT, b"\xc1\x81"),
    "brackets swapped": _in(f">{_SUBJECT}</edXML:Subject>", f">{_SUBJECT}>/edXML:Subject<"),
    "text between elements": _in("<edXML:Subject>", "1<edXML:Subject>"),
    "a wide space between elements": _in("<edXML:Subject>", "\u2003<edXML:Subject>"),
    "text between the wrappers": _in("<edXML:edXMLHeader>", "x<edXML:edXMLHeader>"),
    "text behind a payload": _in("</edXML:ContentTransferEncoded>", "</edXML:ContentTransferEncoded>2"),
    "text behind the package": lambda data: data + b"x",
    "text before the package": _in("\n<edXML ", "\nx<edXML "),
    "a space behind the package": lambda data: data + " \u2003".encode(),
    "bytes before the declaration": lambda data: b"1212" + data,
    "lines before the declaration": lambda data: b"\n\n\n" + data,
    "a byte order mark": lambda data: b"\xef\xbb\xbf" + data,
    "more lines": lambda data: data.replace(b"\n", b"\n\n"),
    "lines of Windows": lambda data: data.replace(b"\n", b"\r\n"),
    "no lines": lambda data: data.replace(b"\n", b""),
    "a payload of several lines": _in("<edXML:ContentTransferEncoded>", "<edXML:ContentTransferEncoded>\n \n"),
    "a payload with a comment": _in("<edXML:ContentTransferEncoded>", "<edXML:ContentTransferEncoded><!--0-->"),
    "an empty payload": lambda data: data[: data.index(b"JVBER")] + data[data.index(b"</edXML:ContentTransfer") :],
    "a payload that is no element's": _in("<edXML:Subject>", "<edXML:ContentTransferEncoded/><edXML:Subject>"),
    "a payload that is empty before text": _in("<edXML:Subject>", "<edXML:ContentTransferEncoded/>1<edXML:Subject>"),
    "another reference": _in('href="cid:', 'href="cid:x'),
    "an entity in an attribute": _in('href="cid:', 'href="cid:&amp;'),
    "a bracket in an attribute": _in('href="cid:', 'href="cid:>'),
    "lines in an attribute": _in('href="cid:', 'href="a\tb\nc'),
    "single quotes": lambda data: data.replace(b'version="1.0">', b"version='1.0'>"),
    "quotes in quotes": _in('xlink:href="', "a='x\"' b='\"y' xlink:href=\""),
    "an attribute twice": _in("xlink:href=", 'xlink:href="" xlink:href='),
    "two attributes of one name": _in("xlink:href=", 'href="" xlink:href='),
    "an attribute of a text": _in("<edXML:Subject>", '<edXML:Subject lang="vi">'),
    "an attribute of nothing": _in(f"<edXML:Subject>{_SUBJECT}", '<edXML:Subject lang="vi">'),
    "an attribute of a payload": _in("<edXML:ContentTransferEncoded>", '<edXML:ContentTransferEncoded size="9">'),
    "lines in a tag": _in("<edXML:Subject>", "<edXML:Subject\n\n>"),
    "an undeclared prefix": _in("xmlns:xlink", "xmlns:other"),
    "another namespace": lambda data: data.replace(b"QCVN_102", b"QCVN_999"),
    "another root": lambda data: data.replace(b"<edXML ", b"<other ").replace(b"</edXML>", b"</other>"),
    "an end tag too few": _in("</edXML:Code>", ""),
    "end tags crossed": _in("</edXML:CodeNotation>\n</edXML:Code>", "</edXML:Code>\n</edXML:CodeNotation>"),
    "a second root": lambda data: data + data[data.index(b"<edXML ") :],
    "an element behind the package": lambda data: data + b"<edXML:Status/>",
    "a comment between elements": _in("<edXML:Subject>", "<!-- XML 102\n -->\n<edXML:Subject>"),
    "a document type": _in("\n<edXML ", "\n<!DOCTYPE edXML><edXML "),
    "an instruction before the root": _in("\n<edXML ", "\n<?a b?><edXML "),
    "no declaration": lambda data: data[data.index(b"<edXML ") :],
    "a declaration in single quotes": lambda data: data.replace(b'"', b"'", 4),
    "the declaration of another version": _in('version="1.0"', 'version="1.1"'),
    "the declaration of another encoding": _in("UTF-8", "windows-1258"),
    "the declaration of UTF-16": _in("UTF-8", "UTF-16"),
    "the declaration of no encoding there is": _in("UTF-8", "UTF-88"),
    "an empty element": lambda data: data.replace(f">{_SUBJECT}</edXML:Subject>".encode(), b"/>"),
    "xml:space": _in("<edXML:Subject>", '<edXML:Subject xml:space="preserve">'),
    "another payload in the attachment": _in(
        "</edXML:Attachment>", "<ContentTransferEncoded>QQ==</ContentTransferEncoded></edXML:Attachment>"
    ),
    "a payload beside its attachment": _in(
        "<edXML:Attachment>", "<ContentTransferEncoded>QQ==</ContentTransferEncoded>\n<edXML:Attachment>"
    ),
    "an attachment in an attachment": _in(
        "<edXML:Attachment>",
        "<edXML:Attachment><edXML:Attachment><ContentId>a</ContentId></edXML:Attachment>",
    ),
}  # fmt: skip


@pytest.mark.parametrize("change", _CHANGES.values(), ids=_CHANGES)
def test_any_change_is_read_as_the_parser_reads_it(change: Callable[[bytes], bytes]) -> None:
    data = change(_package())
    assert data != _package()
    expected = _read_first(data)
    for _ in range(2):
        scan(BytesContent(_package()))
    for _ in range(3):
        assert _read(data) == expected


@pytest.mark.parametrize(
    "name",
    [
        "more lines",
        "lines of Windows",
        "no lines",
        "a payload of several lines",
        "another reference",
        "single quotes",
        "an attribute of a text",
        "lines in a tag",
        "a comment between elements",
        "no declaration",
        "a declaration in single quotes",
        "an empty element",
    ],
)
def test_what_real_packages_look_like_needs_the_parser_only_once(name: str) -> None:
    shape_of.cache_clear()
    data = _CHANGES[name](_package())
    assert [_read_known(data) for _ in range(3)] == [False, True, True]
