"""Numbers and notations as Party and State print them."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import assume, given
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
        ("24-XX/UBKTTU", "24-XX/UBKTTU", ("unknown_type",)),
        ("QC/BTCTU-BDVTU", "QC/BTCTU-BDVTU", ("missing_number",)),
        ("12-QĐ/TU ngày 05/3/2012", "12-QĐ/TU", ("trailing_text",)),
        ("01/BC", "01/BC", ("missing_organ",)),
        ("160-KL TU", "160-KL TU", ("missing_separator",)),
        ("160KL/TU", "160KL/TU", ("missing_separator",)),
        ("160-KLTU", "160-KLTU", ("missing_separator",)),
        ("33/2002/NĐCP", "33/2002/NĐCP", ("missing_separator",)),
        ("12/QĐ/UB", "12/QĐ/UB", ("odd_separator",)),
        ("10/2004/TTLT/BTC-BNV", "10/2004/TTLT/BTC-BNV", ("odd_separator",)),
        ("33/2OO2/NĐ-CP", "33/2OO2/NĐ-CP", ("implausible_year",)),
        ("33/1202/NĐ-CP", "33/1202/NĐ-CP", ("implausible_year",)),
        ("2O2/2025/QH15", "2O2/2025/QH15", ("implausible_number",)),
        ("12-QD/TU", "12-QD/TU", ("latin_d",)),
        ("33/2002/ND-CP", "33/2002/ND-CP", ("latin_d",)),
        ("160-kl/TU", "160-kl/TU", ("odd_case",)),
        ("12-Q§/TU", "12-QĐ/TU", ("odd_letter",)),
        ("12-QÑ/TU", "12-QĐ/TU", ("odd_letter",)),
        ("160-\u041aL/TU", "160-KL/TU", ("odd_letter",)),
        ("05⁄QĐ-UBND", "05/QĐ-UBND", ("odd_stroke",)),
        ("Nghị định số: 33/2002/NĐ-CP", "33/2002/NĐ-CP", ()),
        ("BINTEST123/QĐ-UBND", "BINTEST123/QĐ-UBND", ("implausible_number",)),
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
NUMBERS = st.from_regex(r"[0-9]{1,5}[a-km-np-z]?", fullmatch=True)


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


@pytest.mark.parametrize(
    ("text", "system", "type_code", "organ"),
    [
        ("05-TT/TU", PARTY, "TT", "TU"),
        ("05/TT-TU", STATE, "TT", "TU"),
        ("12/QĐ/TU", PARTY, "QĐ", "TU"),
        ("12/QĐ/UB", STATE, "QĐ", "UB"),
        ("12-DA/TU", PARTY, "DA", "TU"),
        ("12-ĐA/TU", PARTY, "ĐA", "TU"),
        ("12/HD-SNV", STATE, "HD", "SNV"),
        ("12/HĐ-SNV", STATE, "HĐ", "SNV"),
        ("05-qđi/TU", PARTY, "QĐi", "TU"),
    ],
)
def test_the_separators_tell_the_system_and_the_letters_the_type(
    text: str, system: System, type_code: str, organ: str
) -> None:
    symbol = parse_symbol(text)
    assert symbol is not None
    assert (symbol.system, symbol.type_code, symbol.organ) == (system, type_code, organ)


def decomposed(text: str) -> str:
    return unicodedata.normalize("NFD", text)


# How a symbol may be printed beside its regular form; the right column is what must be flagged.
DISGUISES: list[tuple[Callable[[str], str], str | None]] = [
    (lambda text: text, None),
    (lambda text: f"Số {text}", None),
    (lambda text: f"Số: {text}", None),
    (lambda text: f"SỐ : {text}.", None),
    (lambda text: f"Số, ký hiệu: {text}", None),
    (lambda text: f"Nghị quyết số {text}", None),
    (lambda text: f"\u00a0{text}\u00a0", None),
    (lambda text: text.replace("-", " - ").replace("/", " / "), None),
    (lambda text: text.replace("/", "\u00a0/\u2009"), None),
    (lambda text: "\u200b".join(text), None),
    (decomposed, None),
    (lambda text: decomposed(f"Số: {text}"), None),
    (lambda text: text.replace("-", "–"), "odd_dash"),
    (lambda text: text.replace("-", "\u2011"), "odd_dash"),
    (lambda text: text.replace("/", "∕"), "odd_stroke"),
    (lambda text: text.replace("Đ", "\u00d0"), "odd_letter"),
    (lambda text: text.replace("Đ", "§"), "odd_letter"),
    (lambda text: text.replace("Đ", "Ñ"), "odd_letter"),
    (lambda text: text.replace("T", "\u0422"), "odd_letter"),
    (lambda text: f"{text} ngày 05/3/2012", "trailing_text"),
]


@st.composite
def regular_symbols(draw: st.DrawFn) -> str:
    number = draw(NUMBERS)
    organ = "-".join(draw(st.lists(ORGANS, min_size=1, max_size=3)))
    match draw(st.sampled_from(("party", "state", "legal", "assembly", "letter"))):
        case "party":
            return f"{number}-{draw(st.sampled_from(PARTY_TYPES))}/{organ}"
        case "state":
            return f"{number}/{draw(st.sampled_from(STATE_TYPES))}-{organ}"
        case "legal":
            return f"{number}/{draw(st.integers(1945, 2099))}/{draw(st.sampled_from(STATE_TYPES))}-{organ}"
        case "assembly":
            return f"{number}/{draw(st.integers(1945, 2099))}/QH{draw(st.integers(1, 20))}"
        case _:
            return f"{number}/STTTT-{organ}"


@given(regular_symbols(), st.sampled_from(DISGUISES))
def test_a_symbol_in_disguise_is_the_same_symbol(
    symbol: str, disguise: tuple[Callable[[str], str], str | None]
) -> None:
    disguised, problem = disguise[0](symbol), disguise[1]
    plain, found = parse_symbol(symbol), parse_symbol(disguised)
    assert plain is not None
    assert found is not None
    assert replace(found, noise=()) == plain
    assert found.noise == (() if problem is None or disguised == symbol else (problem,))


@given(regular_symbols(), st.data())
def test_what_scanning_does_is_flagged_and_stays(symbol: str, data: st.DataObject) -> None:
    """A digit read as a letter, or a separator lost: never taken for a good symbol, never mended."""
    misread = {"0": "O", "1": "l", "5": "S", "8": "B"}
    places = [at for at, char in enumerate(symbol.split("/")[0].split("-")[0]) if char in misread]
    assume(places and any(char.isdigit() for at, char in enumerate(symbol) if at not in places[:1]))
    at = data.draw(st.sampled_from(places))
    scanned = f"{symbol[:at]}{misread[symbol[at]]}{symbol[at + 1 :]}"
    found = parse_symbol(scanned)
    assert found is None or (found.noise != () and found.printed == scanned)


@given(st.text(max_size=60))
def test_any_text_is_answered(text: str) -> None:
    symbol = parse_symbol(text)
    assert symbol is None or symbol.notation
