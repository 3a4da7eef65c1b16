"""What the export agent prints, whole and broken; the protocol stands in ``connectors/lotus_notes/agent/README.md``."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.lotus_notes.agent_answers import (
    AgentError,
    AgentVersionError,
    AnnouncedFile,
    MalformedExportError,
    read_export,
    read_list,
)
from connectors.lotus_notes.domino_session import BrokenAnswerError
from connectors.lotus_notes.exported_dxl import cut_out
from schemas.record import BytesContent
from tests.connectors.dxl_builder import database, document, text_item, unid

REPLICA = "852561FA0056C4AF"
ROW = "\t".join(
    [unid(1), "8F6", "3", "20120401T080000,00+07", "20120410T080000,00+07", "-", "20120401T080000,00+07", "1"]
)
DENIED = "\t".join([unid(2), "8FA", "-", "-", "-", "-", "-", "0"])


def listed(*rows: str, cursor: str = "-", count: int | None = None, newline: str = "\r\n") -> bytes:
    head = f"LIENTHONG\t1\tlist\t{REPLICA}\t20261127T010203,00Z"
    end = f"END\t{len(rows) if count is None else count}\t{cursor}"
    return newline.join([head, *rows, end, ""]).encode()


@pytest.mark.parametrize("newline", ["\r\n", "\n"])
def test_a_list(newline: str) -> None:
    answer = read_list(listed(ROW, DENIED, cursor="8FA", newline=newline))
    assert (answer.replicaid, answer.cursor) == (REPLICA, "8FA")
    assert answer.now == datetime(2026, 11, 27, 1, 2, 3, tzinfo=UTC)
    first, second = answer.rows
    assert (first.unid, first.noteid, first.sequence, first.revised, first.readable) == (
        unid(1),
        "8F6",
        "3",
        "",
        True,
    )
    assert (first.modified, first.added) == ("20120410T080000,00+07", "20120401T080000,00+07")
    assert (second.unid, second.modified, second.readable) == (unid(2), "", False)
    assert read_list(listed()).cursor == ""


WHOLE = listed(ROW, DENIED)


@pytest.mark.parametrize("cut", range(0, len(WHOLE.rstrip()), 11))
def test_a_list_that_is_cut_off_counts_for_nothing(cut: int) -> None:
    with pytest.raises((BrokenAnswerError, AgentVersionError)):
        read_list(WHOLE[:cut])


@pytest.mark.parametrize(
    "data",
    [
        listed(ROW, count=2),
        listed(ROW.rpartition("\t")[0]),
        listed("x\t" * 7 + "1"),
        b"<html>",
        b"",
        WHOLE + b"more\n",
    ],
)
def test_what_is_no_list(data: bytes) -> None:
    with pytest.raises(BrokenAnswerError):
        read_list(data)


def test_another_version_and_an_error_are_told() -> None:
    with pytest.raises(AgentVersionError) as other:
        read_list(WHOLE.replace(b"LIENTHONG\t1", b"LIENTHONG\t2"))
    assert other.value.found == "2"
    with pytest.raises(AgentError, match="unknown cmd"):
        read_list(b"ERROR\tunknown cmd: x\r\n")
    with pytest.raises(AgentError, match="note ids do not ascend"):
        read_list(WHOLE.rpartition(b"END")[0] + b"ERROR\tnote ids do not ascend: 8F6 after 8FA\r\n")
    half = EXPORT.data.partition(b"<document")[0] + b"\nContent-type: text/plain; charset=utf-8\n"
    with pytest.raises(AgentError, match="Out of memory"):
        read_export(BytesContent(half + b"ERROR\tOut of memory (7, line 9)\n"))
    with pytest.raises(AgentError, match="50 UNIDs"):
        read_export(BytesContent(b"ERROR\tat most 50 UNIDs\n"))


def exported(*entries: str, count: int | None = None, version: str = "1") -> BytesContent:
    body = "\n".join(entries)
    return BytesContent(
        f"<?xml version='1.0' encoding='utf-8'?>\n<lienthong version='{version}' replicaid='{REPLICA}' "
        f"now='20261127T010203,00Z'>\n{body}\n<end entries='{len(entries) if count is None else count}'/>\n"
        "</lienthong>\n".encode()
    )


def entry(number: int, dxl: str, files: str = "", more: str = "") -> str:
    return f"<entry unid='{unid(number)}' status='ok' noteid='8F6' {more}>{files}<dxl>\n{dxl}</dxl>\n</entry>"


def plain(number: int, *items: str) -> str:
    return database(document(number, *items), prolog="")


def test_an_export_is_located_and_cut_out_byte_for_byte() -> None:
    text = text_item("TrichYeu", "V/v báo cáo <Quý I> & phụ lục")
    files = "<attachment name='Tờ trình &amp; phụ lục.doc' size='12'/><attachment name='b' size='-1'/>"
    answer = exported(
        entry(1, plain(1, text), files, "attachments='2'"),
        f"<entry unid='{unid(2)}' status='gone' message='đã xóa'/>",
        entry(3, plain(3), more="files='inline' attachments='0'"),
    )
    export = read_export(answer)
    one, two, three = export.entries
    assert (one.announced, one.inline, one.files) == (
        2, False, [AnnouncedFile("Tờ trình & phụ lục.doc", 12), AnnouncedFile("b", None)],
    )  # fmt: skip
    assert (two.status, two.message, two.dxl) == ("gone", "đã xóa", None)
    assert (three.inline, three.announced) == (True, 0)
    assert one.dxl is not None
    dxl = cut_out(answer, one.dxl, unid(1))
    assert dxl.original.open().read().decode() == document(1, text)
    assert dxl.context["replicaid"] == "472572A1000FBC01"


def test_text_that_looks_like_the_envelope_is_text() -> None:
    closing = "</text></item></document></database></dxl></entry><entry unid='0'>"
    trap = f"<item name='x'><text><![CDATA[{closing}]]></text></item>"
    answer = exported(entry(1, plain(1, trap)))
    (one,) = read_export(answer).entries
    assert one.dxl is not None
    assert cut_out(answer, one.dxl, unid(1)).original.open().read().decode() == document(1, trap)


EXPORT = exported(entry(1, plain(1)))


@pytest.mark.parametrize("cut", range(0, EXPORT.size - 14, 23))
def test_an_export_that_is_cut_off_counts_for_nothing(cut: int) -> None:
    with pytest.raises(BrokenAnswerError):
        read_export(BytesContent(EXPORT.data[:cut]))


def test_dxl_that_is_no_xml_costs_its_document_only() -> None:
    broken = plain(1, "<item name='a'><text>không đóng</item>")
    alone = exported(entry(1, broken))
    (one,) = read_export(alone).entries
    assert one.dxl is not None
    assert cut_out(alone, one.dxl, unid(1)).original.open().read().decode().startswith("<document")
    with pytest.raises(MalformedExportError):
        read_export(exported(entry(1, broken), entry(2, plain(2))))


def test_a_prolog_that_an_older_agent_leaves_in_is_passed() -> None:
    prolog = "<?xml version='1.0'?>\n<!DOCTYPE database SYSTEM 'xmlschemas/domino_8_5_3.dtd'>\n"
    answer = exported(entry(1, prolog + plain(1)))
    (one,) = read_export(answer).entries
    assert one.dxl is not None
    dxl = cut_out(answer, one.dxl, unid(1))
    assert (dxl.reason, dxl.original.open().read().decode()) == ("", document(1))


@pytest.mark.parametrize(
    ("dxl", "reason"),
    [
        (plain(2), "other_document"),
        (document(1).removesuffix("</document>"), "record_truncated"),
        ("<html>lỗi</html>", "not_dxl"),
    ],
)
def test_an_export_without_the_document_says_so(dxl: str, reason: str) -> None:
    data = f"..{dxl}..".encode()
    cut = cut_out(BytesContent(data), (2, len(data) - 2), unid(1))
    assert cut.reason == reason
    assert cut.message
    assert cut.original.size == len(data) - 4


@pytest.mark.parametrize(
    "answer",
    [
        exported(entry(1, plain(1)), count=2),
        BytesContent(EXPORT.data.replace(b"lienthong", b"other")),
        BytesContent(EXPORT.data.replace(b"<lienthong", b"<!DOCTYPE x []><lienthong")),
    ],
)
def test_what_is_no_export(answer: BytesContent) -> None:
    with pytest.raises(BrokenAnswerError):
        read_export(answer)


def test_an_export_of_another_version() -> None:
    with pytest.raises(AgentVersionError):
        read_export(exported(entry(1, plain(1)), version="2"))


@settings(max_examples=150)
@given(st.integers(0, EXPORT.size), st.integers(0, 60), st.binary(max_size=20))
def test_damage_is_one_of_the_errors_that_are_told(at: int, length: int, put: bytes) -> None:
    data = EXPORT.data[:at] + put + EXPORT.data[at + length :]
    with suppress(BrokenAnswerError, MalformedExportError, AgentVersionError, AgentError):
        for one in read_export(BytesContent(data)).entries:
            if one.dxl is not None:
                cut = cut_out(BytesContent(data), one.dxl, unid(1))
                assert cut.reason or cut.original.open().read() in data
