"""The tables of the legacy encodings, letter by letter, against what others know of them."""

from __future__ import annotations

import csv
import shutil
import subprocess
import unicodedata
from collections import defaultdict
from pathlib import Path

import pytest

from mappings.legacy_tables import BYTE_ENCODINGS, Encoding, table

VOWELS = "aăâeêioôơuưy"
TONES = {"'": "\u0301", "`": "\u0300", "?": "\u0309", "~": "\u0303", ".": "\u0323"}
SMALL = [unicodedata.normalize("NFC", vowel + tone) for vowel in VOWELS for tone in ("", *TONES.values())]
LETTERS = [letter for letter in (*SMALL, "đ") if not letter.isascii()]
ALL_LETTERS = {*LETTERS, *(letter.upper() for letter in LETTERS)}


def iconv(name: str, codes: list[int]) -> list[str]:
    """What the C library's converter says of each byte alone."""
    if shutil.which("iconv") is None:
        pytest.skip("there is no iconv")
    known = subprocess.run(["iconv", "-l"], capture_output=True, text=True, check=True).stdout.upper()
    if name not in known.replace("//", " ").replace(",", " ").split():
        pytest.skip(f"this iconv does not know {name}")
    data = b"".join(bytes([code, 0x0A]) for code in codes)
    command = ["iconv", "-f", name, "-t", "UTF-8"]
    read = subprocess.run(command, input=data, capture_output=True, check=True).stdout.decode()
    return read.split("\n")[:-1]


@pytest.mark.parametrize(("encoding", "name"), [(Encoding.TCVN3, "TCVN5712-1"), (Encoding.VISCII, "VISCII")])
def test_every_byte_is_the_letter_that_the_c_library_reads(encoding: Encoding, name: str) -> None:
    letters = table(encoding).letters
    codes = sorted(code[0] for code in letters)
    read = dict(zip(codes, map(nfc, iconv(name, codes)), strict=True))
    assert {code: letters[bytes([code])] for code in codes} == read


def test_code_page_1258_differs_from_1252_where_the_table_says() -> None:
    differing = {}
    for code in range(0xA0, 0x100):
        old, new = bytes([code]).decode("cp1252"), bytes([code]).decode("cp1258")
        if old != new:
            differing[bytes([code])] = new
    assert dict(table(Encoding.CP1258).letters) == differing
    codes = [code[0] for code in differing]
    assert iconv("CP1258", codes) == list(differing.values())


def test_vni_is_a_base_and_a_mark_and_ten_letters_of_their_own() -> None:
    marks = {
        ("", "\u0301"): 0xF9,
        ("", "\u0300"): 0xF8,
        ("", "\u0309"): 0xFB,
        ("", "\u0303"): 0xF5,
        ("", "\u0323"): 0xEF,
        ("\u0302", ""): 0xE2,
        ("\u0302", "\u0301"): 0xE1,
        ("\u0302", "\u0300"): 0xE0,
        ("\u0302", "\u0309"): 0xE5,
        ("\u0302", "\u0303"): 0xE3,
        ("\u0302", "\u0323"): 0xE4,
        ("\u0306", ""): 0xEA,
        ("\u0306", "\u0301"): 0xE9,
        ("\u0306", "\u0300"): 0xE8,
        ("\u0306", "\u0309"): 0xFA,
        ("\u0306", "\u0303"): 0xFC,
        ("\u0306", "\u0323"): 0xEB,
    }
    alone = {
        "ỉ": 0xE6,
        "ì": 0xEC,
        "í": 0xED,
        "ĩ": 0xF3,
        "ị": 0xF2,
        "ỵ": 0xEE,
        "đ": 0xF1,
        "ơ": 0xF4,
        "ư": 0xF6,
    }
    derived = {bytes([code]): letter for letter, code in alone.items()}
    for base, code in {**{letter: ord(letter) for letter in "aeouy"}, "ơ": 0xF4, "ư": 0xF6}.items():
        for (shape, tone), mark in marks.items():
            letter = nfc(base + shape + tone)
            if letter in ALL_LETTERS and letter != "ỵ":
                derived[bytes([code, mark])] = letter
    capitals = {bytes(byte - 0x20 for byte in code): letter.upper() for code, letter in derived.items()}
    assert dict(table(Encoding.VNI).letters) == derived | capitals


def test_viqr_is_the_letter_its_shape_and_its_tone() -> None:
    shaped = {"ă": "a(", "â": "a^", "ê": "e^", "ô": "o^", "ơ": "o+", "ư": "u+"}
    derived = {"dd": "đ", "DD": "Đ", "Dd": "Đ"}
    for vowel in VOWELS:
        for mark, tone in {"": "", **TONES}.items():
            spelled, letter = shaped.get(vowel, vowel) + mark, nfc(vowel + tone)
            if spelled != letter:
                derived |= {spelled: letter, spelled[0].upper() + spelled[1:]: letter.upper()}
    starred = {spelled.replace("+", "*"): letter for spelled, letter in derived.items()}
    assert {
        code.decode(): letter for code, letter in table(Encoding.VIQR).letters.items()
    } == derived | starred


@pytest.mark.parametrize("encoding", [Encoding.VNI, Encoding.VISCII, Encoding.VPS])
def test_an_encoding_with_capitals_has_every_letter_once(encoding: Encoding) -> None:
    assert sorted(table(encoding).letters.values()) == sorted(ALL_LETTERS)
    assert len(ALL_LETTERS) == 134


def test_tcvn3_has_the_small_letters_and_the_capitals_without_tone() -> None:
    assert sorted(table(Encoding.TCVN3).letters.values()) == sorted((*LETTERS, *"ĂÂÊÔƠƯĐ"))


def test_bytes_that_are_letters_only_as_control_characters() -> None:
    controls = {
        encoding: {code.hex(): letter for code, letter in table(encoding).letters.items() if code < b"\x20"}
        for encoding in BYTE_ENCODINGS
    }
    assert controls[Encoding.VISCII] == {"02": "Ẳ", "05": "Ẵ", "06": "Ẫ", "14": "Ỷ", "19": "Ỹ", "1e": "Ỵ"}
    assert "".join(controls[Encoding.VPS].values()) == "ẠẬẶẸỆỊỌỘỢỤỰỴẪỮ"
    assert not controls[Encoding.TCVN3] | controls[Encoding.VNI] | controls[Encoding.CP1258]


@pytest.mark.samples
@pytest.mark.parametrize("encoding", [Encoding.TCVN3, Encoding.VNI, Encoding.VISCII, Encoding.VPS])
def test_tables_agree_with_those_of_others(encoding: Encoding, samples: Path) -> None:
    with (samples / "encodings" / f"{encoding}.tsv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream, delimiter="\t"))[1:]
    theirs = defaultdict(set)
    for code, letter in rows:
        theirs[bytes.fromhex(code)].add(letter)
    ours = table(encoding).letters
    # Theirs of VPS writes the small letter for the capitals that are control characters.
    assert {
        code: letter for code, letter in ours.items() if letter not in theirs[code] and code >= b"\x20"
    } == {}
    assert {code for code, letters in theirs.items() if letters} <= set(ours)


def nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)
