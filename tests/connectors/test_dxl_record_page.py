"""A record as a page to look at."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

from connectors.lotus_notes.dxl import read_record
from connectors.lotus_notes.record_page import record_page
from connectors.lotus_notes.richtext_html import Decode
from schemas.record import BytesContent, Listing, SourceRecord
from tests.connectors.dxl_builder import attachment, document, item, text_item


def page(*items: str, decode: Decode | None = None) -> tuple[str, dict[str, str]]:
    """The page, and what stands in its tables by name."""
    answer = read_record(Listing("k", "r", "l"), BytesContent(document(1, *items).encode()), {})
    assert isinstance(answer, SourceRecord)
    markup = record_page(answer, decode)
    root = ElementTree.fromstring(markup.partition("\n")[2])
    rows = {
        "".join(row[0].itertext()): "".join(row[1].itertext())
        for row in root.iter("tr")
        if row[0].tag == "th"
    }
    return markup, rows


def test_a_page_shows_fields_rich_text_files_and_what_was_not_read() -> None:
    markup, rows = page(
        text_item("TrichYeu", "Về việc <họp>"),
        item("NoiDung", "<richtext><par><run><font style='bold'/>Kính gửi</run></par></richtext>"),
        item("MatMa", "<text/>", "sealed='true'"),
        item("Body", "<rawitemdata type='4'>AAEC</rawitemdata>"),
        attachment("cv.pdf", b"%PDF"),
    )
    assert rows["TrichYeu"] == "Về việc <họp>"
    assert "<b>Kính gửi</b>" in markup
    assert rows["cv.pdf"].startswith("4 byte SHA-256 ")
    assert "item_sealed" in rows
    assert "raw_data_invalid" in rows
    assert "<h1>VanBanDen – " in markup


def test_a_page_may_decode_what_it_shows() -> None:
    fonts: list[str | None] = []

    def decode(text: str, font: str | None) -> str:
        fonts.append(font)
        return text.replace("«", "ô")

    _, rows = page(
        text_item("CoQuan", "S« 1"),
        item("NoiDung", "<richtext><par><run><font name='.VnTime'/>h«m</run></par></richtext>"),
        decode=decode,
    )
    assert (rows["CoQuan"], rows["NoiDung"]) == ("Sô 1", "hôm")
    assert ".VnTime" in fonts


def test_a_page_fetches_and_runs_nothing() -> None:
    markup, _ = page(text_item("x", "<script src='http://evil.example/'></script><img onerror=x>"))
    assert "default-src 'none'" in markup
    assert "<script" not in markup
    assert "<img" not in markup
