"""Signatures of the VXP exchange: those of its own client library, byte for byte."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.operations.exchange.vxp_signature import read_timestamp, signed_headers, timestamp
from connectors.operations.moments import LOCAL

_FIELDS = [
    ("systemid", "h10.luutru"),
    ("docId", "000.00.00.G22,2015/09/30,7816/VPCP-TTĐT"),
    ("timestamp", "05012026T070809+0042"),
    ("Content-Type", "application/json"),
]


def test_headers_are_signed_as_text_in_their_order() -> None:
    text = (
        '{"XroadVnpt-systemid":"h10.luutru",'
        '"XroadVnpt-docId":"000.00.00.G22,2015/09/30,7816/VPCP-TTĐT",'
        '"XroadVnpt-timestamp":"05012026T070809+0042","XroadVnpt-Content-Type":"application/json"}'
    )
    assert signed_headers(_FIELDS, "bí mật") == (
        ("XroadVnpt-systemid", "h10.luutru"),
        ("XroadVnpt-docId", "000.00.00.G22,2015/09/30,7816/VPCP-TTĐT"),
        ("XroadVnpt-timestamp", "05012026T070809+0042"),
        ("Content-Type", "application/json"),
        ("XroadVnpt-Content-Type", "application/json"),
        ("XroadVnpt-sign-header-key", "systemid;docId;timestamp;Content-Type"),
        ("XroadVnpt-sign-header", text),
        ("XroadVnpt-hash-header", _hmac_by_hand("bí mật".encode(), text.encode())),
        ("User-Agent", "JAVASDKAgent/1.0.0 XRoad/VPCP"),
        ("XroadVnpt-version", "3.0.201608"),
    )


def test_another_order_is_another_signature() -> None:
    first, second = (dict(signed_headers(fields, "k")) for fields in (_FIELDS, _FIELDS[::-1]))
    assert first["XroadVnpt-hash-header"] != second["XroadVnpt-hash-header"]


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 11, 22, 12, 2, 13, 548_900, tzinfo=LOCAL), "22112026T120213+0548"),
        (datetime(2026, 11, 22, 12, 2, 13, 9_000, tzinfo=LOCAL), "22112026T120213+0009"),
        (datetime(2025, 12, 31, 17, 0, 0, tzinfo=UTC), "01012026T000000+0000"),
    ],
)
def test_what_looks_like_an_offset_are_milliseconds(moment: datetime, text: str) -> None:
    assert timestamp(moment) == text


@given(st.integers(0, 4_000_000_000_000_000))
def test_a_timestamp_is_read_to_the_millisecond(microseconds: int) -> None:
    aware = datetime(1970, 1, 1, tzinfo=LOCAL) + timedelta(microseconds=microseconds)
    read = read_timestamp(timestamp(aware))
    assert read is not None
    assert timedelta(0) <= aware - read < timedelta(milliseconds=1)


@pytest.mark.parametrize(
    "text", ["", "22112026T120213", "22112026T120213+70000", "32112026T120213+0000", "x+0000"]
)
def test_another_text_is_no_timestamp(text: str) -> None:
    assert read_timestamp(text) is None


@pytest.mark.samples
@pytest.mark.parametrize("name", ["01_getAgenciesList", "05_getReceivedEdocList", "06_getEdoc"])
def test_captured_requests_are_signed_byte_for_byte(samples: Path, name: str) -> None:
    head = (samples / "vxp-wire" / f"{name}.request.txt").read_bytes().partition(b"\r\n\r\n")[0]
    lines = [line.partition(b": ") for line in head.split(b"\r\n")[1:]]
    captured = [(name.decode(), value.decode()) for name, _, value in lines]
    by_name = dict(captured)
    fields = [
        (field, by_name[f"XroadVnpt-{field}"]) for field in by_name["XroadVnpt-sign-header-key"].split(";")
    ]
    # What HTTP itself adds (Content-Length, Host, Connection …) follows the SDK's own headers.
    made = list(signed_headers(fields, "TESTSECRET"))
    assert made == captured[: len(made)]


def _hmac_by_hand(key: bytes, text: bytes) -> str:
    """RFC 2104, spelled out."""
    block = key.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block) + text).digest()
    return hashlib.sha256(bytes(byte ^ 0x5C for byte in block) + inner).hexdigest()
