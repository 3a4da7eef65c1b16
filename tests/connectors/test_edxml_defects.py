"""Each fault of real packages is survived and named; what is no package is refused with reason and place."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from itertools import combinations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.operations.edxml import parse_edxml
from connectors.operations.element_path import find_all, first_text
from connectors.operations.moments import LOCAL
from connectors.operations.package import DocumentPackage, Organ, PackageFile, ResponseFor, Trace
from connectors.operations.writer import write_document
from schemas.record import BytesContent, Defect, Listing, SourceRecord, Unreadable, chunks

_UNTIMED = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
_LISTING = Listing("k", "r", "l")
_PDF = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n%%EOF\n"
_PACKAGE = DocumentPackage(
    sender=Organ("000.00.00.H10", "Văn phòng Tỉnh ủy"),
    recipients=(Organ("000.00.12.H10", "Sở Y tế"),),
    document_id="000.00.00.H10,2025/03/14,160-KL/TU",
    code_number="160",
    code_notation="KL/TU",
    promulgation_date=date(2025, 3, 14),
    subject="Kết luận về công tác phòng, chống dịch bệnh",
    type_name="Kết luận",
    due_date=date(2025, 4, 1),
    trace=(Trace("000.00.00.H10", datetime(2025, 3, 14, 16, 5, 9, tzinfo=LOCAL)),),
    files=(PackageFile("160-KL-TU.pdf", _PDF, content_id="cid:1"),),
)
_GOOD = write_document(_PACKAGE)
_NS = b' xmlns:edXML="http://www.mic.gov.vn/TBT/QCVN_102_2016"'


def _read(data: bytes) -> SourceRecord:
    record = parse_edxml(_LISTING, BytesContent(data), {})
    assert isinstance(record, SourceRecord), record
    return record


def _swap(*pairs: tuple[bytes, bytes]) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        for old, new in pairs:
            assert old in data, old
            data = data.replace(old, new, 1)
        return data

    return change


def _unbound(data: bytes) -> bytes:
    """The prefix is declared on the envelope only, and xlink nowhere."""
    data = data.replace(_NS, b"", 1).replace(b' xmlns:xlink="http://www.w3.org/1999/xlink"', b"", 1)
    return data.replace(b"<edXML:edXMLEnvelope>", b"<edXML:edXMLEnvelope" + _NS + b">", 1)


def _attachments_at(mark: bytes) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        start = data.index(b"<edXML:AttachmentEncoded>")
        end = data.index(b"</edXML:AttachmentEncoded>") + len(b"</edXML:AttachmentEncoded>")
        taken, rest = data[start:end], data[:start] + data[end:]
        return rest.replace(mark, mark + taken if mark == b"</edXML>" else taken + mark, 1)

    return change


_DEFECTS: dict[str, tuple[Callable[[bytes], bytes], set[str]]] = {
    "junk": (lambda data: b"1212" + data, {"junk_before_prolog"}),
    "line before prolog": (lambda data: b"\r\n" + data, {"junk_before_prolog"}),
    "bom": (lambda data: b"\xef\xbb\xbf" + data, {"byte_order_mark"}),
    "bom and junk": (lambda data: b"\xef\xbb\xbf\x00" + data, {"byte_order_mark", "junk_before_prolog"}),
    "nul padding": (lambda data: data + b"\x00" * 512, {"junk_after_root"}),
    "unbound": (_unbound, {"unbound_prefix"}),
    "lying encoding": (_swap((b"UTF-8", b"utf-16")), {"wrong_encoding_declared"}),
    "other namespace": (
        lambda data: data.replace(b"www.mic.gov.vn/TBT/QCVN_102_2016", b"example.vn/edxml"),
        {"unknown_namespace"},
    ),
    "attachments in the body": (_attachments_at(b"</edXML:edXMLBody>"), {"attachments_misplaced"}),
    "attachments after the end": (
        _attachments_at(b"</edXML>"),
        {"attachments_outside_root", "unbound_prefix"},
    ),
    "plain signature": (
        _swap((b"</edXML:edXMLHeader>", b"<Signature><SignedInfo/></Signature></edXML:edXMLHeader>")),
        {"signature_wrong_namespace", "signature_placeholder"},
    ),
    "stray text": (_swap((b"<edXML:edXMLHeader>", b"<edXML:edXMLHeader>VB")), {"stray_text"}),
    "null trace": (
        _swap(
            (
                b"<edXML:TraceHeader>\n<edXML:OrganId>000.00.00.H10",
                b"<edXML:TraceHeader>\n<edXML:OrganId>null",
            )
        ),
        {"null_organ"},
    ),
    "no trace organ": (
        _swap((b"<edXML:TraceHeader>\n<edXML:OrganId>000.00.00.H10</edXML:OrganId>", b"<edXML:TraceHeader>")),
        {"organ_missing"},
    ),
    "impossible day": (_swap((b"2025/04/01", b"2025/02/30")), {"impossible_date"}),
    "impossible day in an id": (_swap((b"H10,2025/03/14,160", b"H10,2025/02/30,160")), {"impossible_date"}),
    "old date form": (_swap((b"2025/04/01", b"01/04/2025")), {"unexpected_date_form"}),
    "no date": (_swap((b"2025/04/01", "tháng sau".encode())), {"unparsed_date"}),
    "steering 0": (_swap((b"<edXML:SteeringType>1", b"<edXML:SteeringType>0")), {"code_outside_standard"}),
    "no id": (
        _swap((b"<edXML:DocumentId>" + _PACKAGE.document_id.encode(), b"<edXML:DocumentId> ")),
        {"document_id_missing"},
    ),
    "not named": (
        _swap(
            (b'xlink:href="cid:1"', b'xlink:href="cid:2"'),
            (b"<edXML:ContentId>cid:1<", b"<edXML:ContentId>cid:2<"),
        ),
        {"attachment_missing", "attachment_not_in_manifest"},
    ),
    "lying type": (lambda data: data.replace(b"application/pdf", b"image/png"), {"declared_type_wrong"}),
    "lying name": (lambda data: data.replace(b"160-KL-TU.pdf", b"160-KL-TU.xlsx"), {"name_ending_wrong"}),
    "not base64": (
        _swap((b"<edXML:ContentTransferEncoded>", b"<edXML:ContentTransferEncoded>${__File}")),
        {"invalid_base64"},
    ),
}
_TOGETHER = [
    pair
    for pair in combinations(_DEFECTS, 2)
    # Pairs whose second fault removes what the first one changes.
    if not {"unbound", "other namespace"} >= set(pair)
    and not (set(pair) >= {"nul padding", "attachments after the end"})
    and not (set(pair) >= {"lying type", "not base64"} or set(pair) >= {"lying name", "not base64"})
    and not (set(pair) >= {"no id", "impossible day in an id"})
    and not (set(pair) >= {"null trace", "no trace organ"})
    and len({"impossible day", "old date form", "no date"} & set(pair)) < 2
    and len({"attachments in the body", "attachments after the end"} & set(pair)) < 2
    and len({"junk", "line before prolog", "bom", "bom and junk"} & set(pair)) < 2
    and not set(pair) >= {"not named", "unbound"}
]


def _codes(record: SourceRecord) -> set[str]:
    return {defect.code for defect in record.defects}


def _unharmed(record: SourceRecord, *, files: bool = True) -> None:
    assert first_text(record.fields, "MessageHeader/Subject") == _PACKAGE.subject
    assert first_text(record.fields, "MessageHeader/From/OrganName") == "Văn phòng Tỉnh ủy"
    assert len(record.attachments) == 1
    if files:
        assert b"".join(chunks(record.attachments[0].content)) == _PDF


@pytest.mark.parametrize("fault", _DEFECTS)
def test_each_fault_is_survived_and_named_and_nothing_else_is(fault: str) -> None:
    break_it, expected = _DEFECTS[fault]
    record = _read(break_it(_GOOD))
    assert _codes(record) == expected
    _unharmed(record, files=fault != "not base64")


@pytest.mark.parametrize(("first", "second"), _TOGETHER)
def test_two_faults_together_are_both_named(first: str, second: str) -> None:
    later, earlier = sorted(
        (first, second), key=["bom", "bom and junk", "junk", "line before prolog"].__contains__
    )[::-1]
    record = _read(_DEFECTS[later][0](_DEFECTS[earlier][0](_GOOD)))
    assert _codes(record) >= _DEFECTS[first][1] | _DEFECTS[second][1]
    _unharmed(record, files="not base64" not in (first, second))


def test_the_original_is_never_touched() -> None:
    broken = b"1212" + _unbound(_GOOD)
    record = _read(broken)
    assert b"".join(chunks(record.original)) == broken
    assert record.original_type == "application/vnd.edxml+xml"


def test_a_defect_says_where_it_is() -> None:
    record = _read(_swap((b"2025/04/01", b"2025/02/30"))(_GOOD))
    line = _GOOD[: _GOOD.index(b"2025/04/01")].count(b"\n") + 1
    assert record.defects == (
        Defect(
            "impossible_date",
            "DueDate is '2025/02/30', a day or hour that does not exist",
            f"MessageHeader/DueDate, line {line}",
        ),
    )


def test_lines_are_the_files_own_behind_a_payload_of_many_lines() -> None:
    text = base64.b64encode(_PDF)
    folded = b"\n".join(text[at : at + 4] for at in range(0, len(text), 4)) + b"\n" * 100_000
    data = _swap((text, folded))(_GOOD).replace(b"</edXML>", b"<edXML:Moi>null</edXML:Moi></edXML>")
    record = _read(data)
    line = data[: data.index(b"<edXML:Moi>")].count(b"\n") + 1
    assert [(defect.code, defect.where) for defect in record.defects] == [("null_value", f"Moi, line {line}")]
    _unharmed(record)


def test_unknown_elements_order_repeats_and_lines_are_kept() -> None:
    record = _read(
        b'<edXML xmlns="http://www.mic.gov.vn/TBT/QCVN_102_2016">\n<edXMLEnvelope><edXMLHeader>\n'
        b"<MessageHeader><To><OrganId>B</OrganId></To><ReplyFors a='1'><X>1</X>2</ReplyFors>\n"
        b"<To><OrganId>A</OrganId></To></MessageHeader><ErrorList/></edXMLHeader></edXMLEnvelope></edXML>"
    )
    header, errors = record.fields
    assert [(field.name, field.line) for field in header.children] == [("To", 3), ("ReplyFors", 3), ("To", 4)]
    assert [field.text for field in find_all(record.fields, "MessageHeader/To/OrganId")] == ["B", "A"]
    replies = header.children[1]
    assert (replies.values, dict(replies.attributes), replies.children[0].text) == (("2",), {"a": "1"}, "1")
    assert (errors.name, errors.values, errors.children) == ("ErrorList", (), ())


def test_the_text_of_a_signature_is_left_to_the_signature_engine() -> None:
    signature = (
        b'<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><SignedInfo>'
        b'<DigestMethod Algorithm="http://www.w3.org/2000/09/xmldsig#sha1"/></SignedInfo>'
        b"<SignatureValue>AAAA</SignatureValue></Signature></edXML:edXMLHeader>"
    )
    record = _read(_swap((b"</edXML:edXMLHeader>", signature))(_GOOD))
    (field,) = find_all(record.fields, "Signature")
    assert [child.name for child in field.children] == ["SignedInfo", "SignatureValue"]
    assert not any(child.values for child in (field, *field.children))


def test_a_package_in_utf_16_is_read() -> None:
    data = _GOOD.decode().replace('encoding="UTF-8"', 'encoding="UTF-16"').encode("utf-16")
    record = _read(data)
    assert record.defects == ()
    _unharmed(record)


def test_a_legacy_eight_bit_encoding_is_read_as_declared() -> None:
    text = _GOOD.decode().replace(_PACKAGE.subject, "Bao cao nam 2025 \u20ab").replace("ă", "a")
    data = text.encode("ascii", "xmlcharrefreplace").replace(b"UTF-8", b"windows-1258", 1)
    record = _read(data.replace(b"&#8363;", b"\xfe"))
    assert first_text(record.fields, "MessageHeader/Subject") == "Bao cao nam 2025 \u20ab"


def test_a_status_message_without_a_document_is_named() -> None:
    record = _read(
        b'<edXML xmlns="http://www.mic.gov.vn/TBT/QCVN_102_2016"><edXMLEnvelope><edXMLHeader><MessageHeader>'
        b"<From><OrganId>000.00.12.H10</OrganId></From><StatusCode>07</StatusCode></MessageHeader>"
        b"</edXMLHeader></edXMLEnvelope></edXML>"
    )
    assert (record.kind, record.form) == ("status", "status")
    assert [defect.code for defect in record.defects] == ["code_outside_standard", "document_id_missing"]


_BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
_FILE = b'<!DOCTYPE edXML [<!ENTITY f SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    ("data", "reason", "where"),
    [
        (b"", "empty_file", "byte 0"),
        (b"Kinh gui van phong", "not_xml", "byte 0"),
        (b"%PDF-1.4\n", "not_xml", "byte 0"),
        (_GOOD[:700], "xml_truncated", "line 19, column 12"),
        (_GOOD[:-20], "xml_truncated", "line 61, column 17"),
        (_GOOD.replace(b"</edXML:From>", b"</edXML:Form>"), "xml_malformed", "line 9, column 14"),
        (_GOOD.replace("Kết luận".encode(), b"K\xbft lu", 1), "xml_malformed", "line 24, column 18"),
        (_GOOD.replace(b"160</", b"&lan;</", 1), "xml_malformed", "line 16, column 24"),
        (_swap((b"<edXML ", _BOMB + b"<edXML "))(_GOOD), "dtd_forbidden", "line 2"),
        (_swap((b"<edXML ", _FILE + b"<edXML "))(_GOOD), "dtd_forbidden", "line 2"),
        (b"<vanban xmlns='http://example.vn'/>", "not_edxml", "line 1"),
        (_GOOD + _GOOD.partition(b"?>")[2], "several_packages", "line 64"),
        (_swap((b"UTF-8", b"x-vni"))(_GOOD), "encoding_unsupported", "line 1, column 37"),
        (b"<edXML>" + b"<a>" * 70 + b"</a>" * 70 + b"</edXML>", "xml_too_deep", "line 1"),
        (b"<edXML a='" + b"x" * (5 << 20), "token_too_large", "byte 0"),
        (
            b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body/></s:Envelope>',
            "not_edxml",
            "line 1",
        ),
    ],
)
def test_what_is_no_package_is_refused_with_reason_and_place(data: bytes, reason: str, where: str) -> None:
    answer = parse_edxml(_LISTING, BytesContent(data), {})
    assert isinstance(answer, Unreadable)
    assert (answer.reason, answer.where) == (reason, where)
    assert answer.original == BytesContent(data)


@_UNTIMED
@given(st.integers(0, len(_GOOD) - 1), st.binary(max_size=6))
def test_any_damage_gives_a_record_or_a_reason(at: int, inserted: bytes) -> None:
    answer = parse_edxml(_LISTING, BytesContent(_GOOD[:at] + inserted + _GOOD[at + 1 :]), {})
    if isinstance(answer, Unreadable):
        assert answer.reason
        assert answer.where
    else:
        assert answer.fields


@_UNTIMED
@given(st.integers(0, len(_GOOD) - len(b"</edXML>\n") - 1))
def test_a_package_cut_anywhere_is_never_taken_for_whole(at: int) -> None:
    assert isinstance(parse_edxml(_LISTING, BytesContent(_GOOD[:at]), {}), Unreadable)


def test_ten_thousand_recipients_are_read() -> None:
    package = replace(
        _PACKAGE,
        recipients=tuple(Organ(f"000.00.{number}.H10", "Đảng ủy xã") for number in range(10_000)),
        response_for=(ResponseFor("000.00.12.H10", "12", "12/BC-SYT"),),
    )
    record = _read(write_document(package))
    assert sum(1 for _ in find_all(record.fields, "MessageHeader/To")) == 10_000


@pytest.mark.parametrize("day", [date(9999, 12, 31), date(1, 1, 1)])
def test_the_first_and_the_last_day_that_can_be_printed_are_compared_like_any_other(day: date) -> None:
    moment = datetime(day.year, day.month, day.day, 8, tzinfo=LOCAL)
    package = replace(_PACKAGE, promulgation_date=day, trace=(Trace("000.00.00.H10", moment),))
    assert _read(write_document(package)).defects == ()
