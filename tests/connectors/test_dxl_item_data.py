"""Values that the exporter prints as canonical bytes."""

from __future__ import annotations

import base64
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.lotus_notes.dxl import read_record
from connectors.lotus_notes.item_data import READERS
from schemas.record import BytesContent, Listing, SourceRecord
from tests.connectors.dxl_builder import document, item

MOMENT = struct.pack("<II", 100 * 3600 * 1, 2_456_028 | 0x47 << 24)
"""Hundredths since midnight GMT, Julian day of 10 April 2012, seven hours east."""


def read(element: str, kind: str, data: bytes) -> SourceRecord:
    text = base64.b64encode(data).decode("ascii")
    xml = document(1, item("a", f"<{element} type='{kind}'>{text}</{element}>"))
    record = read_record(Listing("k", "r", "l"), BytesContent(xml.encode()), {})
    assert isinstance(record, SourceRecord)
    return record


@pytest.mark.parametrize(
    ("kind", "data", "values"),
    [
        ("300", struct.pack("<d", 160), ("160",)),
        ("300", struct.pack("<d", 1.5e300), ("1.5e+300",)),
        ("300", struct.pack("<d", -0.1), ("-0.1",)),
        ("301", struct.pack("<HH3d", 1, 1, 1, 2, 3.5), ("1", "2/3.5")),
        ("301", struct.pack("<HH", 0, 0), ()),
        ("400", MOMENT, ("2012-04-10T08:00:00.00+07:00",)),
        ("401", struct.pack("<HH", 1, 1) + MOMENT * 3,
         ("2012-04-10T08:00:00.00+07:00", "2012-04-10T08:00:00.00+07:00/2012-04-10T08:00:00.00+07:00")),
        ("500", b"a\0b", ("a\nb",)),
        ("500", b"", ("",)),
        ("501", struct.pack("<H3H", 3, 0, 2, 1) + b"abc", ("", "ab", "c")),
        ("501", struct.pack("<H", 0), ()),
    ],
)  # fmt: skip
def test_values(kind: str, data: bytes, values: tuple[str, ...]) -> None:
    record = read("rawitemdata", kind, data)
    assert (record.fields[-1].values, record.defects) == (values, ())


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("300", b"1234567"),
        ("301", struct.pack("<HHd", 2, 0, 1)),
        ("301", b"\1"),
        ("400", struct.pack("<II", 0, 0)),
        ("401", struct.pack("<HH", 1, 0) + bytes(8)),
        ("501", struct.pack("<H2H", 2, 1, 9) + b"ab"),
        ("501", b"\xff\xff"),
        ("501", b""),
    ],
)
def test_bytes_that_are_not_what_the_type_says_are_kept_and_reported(kind: str, data: bytes) -> None:
    record = read("rawitemdata", kind, data)
    assert record.fields[-1].values == (base64.b64encode(data).decode("ascii"),)
    assert [defect.code for defect in record.defects] == ["raw_data_invalid"]


@pytest.mark.parametrize("kind", ["300", "301", "400", "401", "501", "7", "c"])
def test_bytes_in_the_order_of_an_unknown_machine_are_kept_and_reported(kind: str) -> None:
    record = read("itemdata", kind, bytes(8))
    assert record.fields[-1].values == (base64.b64encode(bytes(8)).decode("ascii"),)
    assert [defect.code for defect in record.defects] == ["raw_data_host_order"]


@given(st.lists(st.floats(allow_nan=False)))
def test_numbers_come_back(values: list[float]) -> None:
    data = struct.pack("<HH", len(values), 0) + struct.pack(f"<{len(values)}d", *values)
    found = READERS["301"](data)
    assert found is not None
    assert [float(value) for value in found] == values


@given(st.sampled_from(sorted(READERS)), st.binary(max_size=100))
def test_no_bytes_break_a_reader(kind: str, data: bytes) -> None:
    found = READERS[kind](data)
    assert found is None or all(isinstance(value, str) for value in found)
