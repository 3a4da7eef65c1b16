"""Numbers and notations as Party and State print them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.notation import System, join_symbol, parse_symbol
from schemas.vocabulary import document_types

PARTY, STATE = System.PARTY, System.STATE


@pytest.mark.parametrize(
    ("text", "number", "notation", "type_code", "organ", "year", "system"),
    [
        ("160-KL/TU", "160", "KL/TU", "KL", "TU", None, PARTY),
        ("66-QĐ/TW", "66", "QĐ/TW", "QĐ", "TW", None, PARTY),
        ("36-HD/VPTW", "36", "HD/VPTW", "HD", "VPTW", None, PARTY),
        ("693-QĐ/VPTW", "693", "QĐ/VPTW", "QĐ", "VPTW", None, PARTY),
        ("245-GM/VPTU", "245", "GM/VPTU", "GM", "VPTU", None, PARTY),
        ("15-BC/BDVTU", "15", "BC/BDVTU", "BC", "BDVTU", None, PARTY),
        ("05-CTr/HU", "05", "CTr/HU", "CTr", "HU", None, PARTY),
        ("33/2002/NĐ-CP", "33", "NĐ-CP", "NĐ", "CP", 2002, STATE),
        ("33/2015/TT-BCA", "33", "TT-BCA", "TT", "BCA", 2015, STATE),
        ("99/2016/NĐ-CP", "99", "NĐ-CP", "NĐ", "CP", 2016, STATE),
        ("15/2019/TTLT-BTC-BNV", "15", "TTLT-BTC-BNV", "TTLT", "BTC-BNV", 2019, STATE),
        ("1234/QĐ-UBND", "1234", "QĐ-UBND", "QĐ", "UBND", None, STATE),
        ("1308/STTTT-VP", "1308", "STTTT-VP", "CV", "STTTT-VP", None, STATE),
        ("12a/BC-SNV", "12a", "BC-SNV", "BC", "SNV", None, STATE),
        ("202/2025/QH15", "202", "QH15", None, "QH15", 2025, STATE),
        ("33/2024/QH15", "33", "QH15", None, "QH15", 2024, STATE),
        ("08/2015/UBTVQH13", "08", "UBTVQH13", None, "UBTVQH13", 2015, STATE),
    ],
)
def test_real_symbols(
    text: str, number: str, notation: str, type_code: str | None, organ: str, year: int | None, system: System
) -> None:
    symbol = parse_symbol(text)
    assert symbol is not None
    assert (symbol.number, symbol.notation, symbol.type_code) == (number, notation, type_code)
    assert (symbol.organ, symbol.year, symbol.system) == (organ, year, system)
    assert (symbol.printed, symbol.noise) == (text, ())


@pytest.mark.parametrize(
    ("text", "printed", "noise"),
    [
        ("Số: 160-KL/TU", "160-KL/TU", ()),
        ("Số 160 - KL / TU", "160-KL/TU", ()),
        ("số:\u00a0160-KL/TU.", "160-KL/TU", ()),
        ("So\u0302\u0301 160-KL/TU", "160-KL/TU", ()),
        ("12-Q\u00d0/TU", "12-QĐ/TU", ("odd_letter",)),
        ("12–QĐ/TU", "12-QĐ/TU", ("odd_dash",)),
        ("l60-KL/TU", "l60-KL/TU", ("implausible_number",)),
        ("16O-KL/TU", "16O-KL/TU", ("implausible_number",)),
        ("74fass22/VPCP-TTĐT", "74fass22/VPCP-TTĐT", ("implausible_number",)),
        ("24-BS/UBKTTU", "24-BS/UBKTTU", ("unknown_type",)),
        ("QC/BTCTU-BDVTU", "QC/BTCTU-BDVTU", ("missing_number",)),
        ("12-QĐ/TU ngày 05/3/2012", "12-QĐ/TU", ("trailing_text",)),
        ("01/BC", "01/BC", ("missing_organ",)),
    ],
)
def test_noise_is_flagged_and_not_mended(text: str, printed: str, noise: tuple[str, ...]) -> None:
    symbol = parse_symbol(text)
    assert symbol is not None
    assert (symbol.printed, symbol.noise) == (printed, noise)


def test_joint_organs_stay_together() -> None:
    symbol = parse_symbol("QC/BTCTU-BDVTU")
    assert symbol is not None
    assert (symbol.number, symbol.organ) == (None, "BTCTU-BDVTU")


@pytest.mark.parametrize(
    "text", ["", "   ", "không số", "05/03/2012", "3/4", "2012", "TU", "a/b", "Số", "12-13"]
)
def test_what_is_no_symbol(text: str) -> None:
    assert parse_symbol(text) is None


@pytest.mark.parametrize(
    ("number", "notation", "joined"),
    [
        ("160", "KL/TU", "160-KL/TU"),
        ("33", "2002/NĐ-CP", "33/2002/NĐ-CP"),
        ("7816", "VPCP-TTĐT", "7816/VPCP-TTĐT"),
        ("202", "2025/QH15", "202/2025/QH15"),
        ("05", "-QĐ/TU", "05-QĐ/TU"),
        ("05", "/QĐ-UBND", "05/QĐ-UBND"),
        ("160-KL/TU", "KL/TU", "160-KL/TU"),
        ("12", None, "12"),
        (None, "KL/TU", "KL/TU"),
        ("", "  ", None),
    ],
)
def test_joining(number: str | None, notation: str | None, joined: str | None) -> None:
    assert join_symbol(number, notation) == joined


PARTY_TYPES = sorted({a for kind in document_types() if kind.system == "party" for a in kind.abbreviations})
STATE_TYPES = sorted({a for kind in document_types() if kind.system == "state" for a in kind.abbreviations})
ORGANS = st.from_regex(r"[A-ZĐ]{1,8}", fullmatch=True)
NUMBERS = st.from_regex(r"[0-9]{1,5}[a-z]?", fullmatch=True)


@given(NUMBERS, st.sampled_from(PARTY_TYPES), ORGANS)
def test_party_symbols_split_and_join_again(number: str, kind: str, organ: str) -> None:
    symbol = parse_symbol(f"Số {number}-{kind}/{organ}")
    assert symbol is not None
    assert (symbol.number, symbol.type_code, symbol.organ, symbol.system) == (number, kind, organ, PARTY)
    assert join_symbol(symbol.number, symbol.notation) == symbol.printed


@given(NUMBERS, st.integers(1945, 2099), st.sampled_from(STATE_TYPES), ORGANS)
def test_state_symbols_split_and_join_again(number: str, year: int, kind: str, organ: str) -> None:
    symbol = parse_symbol(f"{number}/{year}/{kind}-{organ}")
    assert symbol is not None
    assert (symbol.number, symbol.year, symbol.type_code, symbol.organ) == (number, year, kind, organ)
    assert join_symbol(symbol.number, f"{symbol.year}/{symbol.notation}") == symbol.printed


@given(st.text(max_size=60))
def test_any_text_is_answered(text: str) -> None:
    symbol = parse_symbol(text)
    assert symbol is None or symbol.notation
