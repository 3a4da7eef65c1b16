"""Plain texts of a live database are read in the font in which their form shows them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from demo.domino_database import NotesDatabase, small_documents
from demo.domino_faults import Changed
from demo.domino_server import DATABASE_PATH, REPLICA_ID, DominoServer
from demo.dxl import form_design, text_item
from demo.simulated_service import Reply
from demo.tcvn3 import written
from schemas.record import Field, SourceRecord, Window
from tests.connectors.domino_cases import source

MADE = datetime(2003, 12, 1, 9)  # noqa: DTZ001 - local time
SUBJECT = written("Về việc báo cáo")


def _server(*forms: str) -> DominoServer:
    held = NotesDatabase(DATABASE_PATH, REPLICA_ID, forms=forms)
    items = (text_item("TrichYeu", SUBJECT), text_item("SoKyHieu", "15-CV"))
    held.add(
        replace(found, note=replace(found.note, items=items), content=None) for found in small_documents(3)
    )
    return DominoServer(held)


def _design(font: str) -> str:
    return form_design("VanBanDen|VBDen", "F" * 32, 0x11E, MADE, {"TrichYeu": font, "SoKyHieu": font})


def _field(record: object, name: str) -> Field:
    assert isinstance(record, SourceRecord)
    return next(field for field in record.fields if field.name == name)


def test_a_text_has_the_font_of_its_field_and_keeps_it_when_it_is_read_again() -> None:
    with _server(_design(".VnTime")) as server:
        reading = source(server)
        records = list(reading.fetch(list(reading.inventory(Window()))))
        asked = server.asked("forms")
        first = records[0]
        assert isinstance(first, SourceRecord)
        again = reading.parse(first.listing, first.original, first.context)

    assert [_field(record, "TrichYeu").font for record in records] == [".VnTime"] * 3
    assert _field(first, "TrichYeu").values == (SUBJECT,)
    assert _field(first, "SoKyHieu").font is None  # plain ASCII reads the same in every font
    assert _field(again, "TrichYeu").font == ".VnTime"
    assert asked == 1


@pytest.mark.parametrize(
    "body",
    [
        b"ERROR\tunknown cmd: forms\r\n",
        b"<?xml version='1.0'?>\n<lienthong version='1' replicaid='A' now='20261127T010203,00Z'>\n"
        b"<entry unid='FORMS' status='error' message='damaged'/>\n<end entries='1'/>\n</lienthong>\n",
    ],
)
def test_documents_are_read_where_the_designs_cannot_be(body: bytes) -> None:
    def answer(_: Reply) -> Reply:
        return Reply(body, content_type="text/plain; charset=utf-8")

    with _server(_design(".VnTime")) as server:
        server.faults.when(lambda request: request.query.get("cmd") == "forms", Changed(answer))
        reading = source(server)
        records = list(reading.fetch(list(reading.inventory(Window()))))

    assert [_field(record, "TrichYeu").font for record in records] == [None] * 3
