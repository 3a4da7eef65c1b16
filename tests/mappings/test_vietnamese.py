"""Legacy Vietnamese text: tables, fonts, votes; folding."""

from __future__ import annotations

import csv
import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.legacy_tables import TCVN3, VNI
from mappings.syllables import is_syllable
from mappings.vietnamese import (
    Decoded,
    Encoding,
    RecordText,
    decode,
    decode_run,
    detect,
    encoding_of_font,
    fold,
    looks_legacy,
)
from schemas.record import TextRun

SENTENCE = (
    "Báo cáo kết quả thực hiện Nghị quyết về phát triển kinh tế - xã hội của tỉnh năm 2012, đưa được những "
    "chỉ tiêu chủ yếu vượt kế hoạch; ý kiến của các đồng chí, kỹ lưỡng và thận trọng"
)
OF_LETTER = {
    Encoding.TCVN3: {letter: bytes([code]) for code, letter in TCVN3.items()},
    Encoding.VNI: {letter: code for code, letter in VNI.items()},
}


def typed(text: str, encoding: Encoding, codepage: str = "cp1252") -> str:
    """``text`` as a legacy font holds it, read through a Windows code page, undefined bytes passed
    through."""
    data = b"".join(OF_LETTER[encoding].get(letter) or letter.encode("cp1252") for letter in text)
    return "".join(bytes([b]).decode(codepage) if _defined(b, codepage) else chr(b) for b in data)


def _defined(byte: int, codepage: str) -> bool:
    try:
        bytes([byte]).decode(codepage)
    except UnicodeDecodeError:
        return False
    return True


@pytest.mark.samples
@pytest.mark.parametrize("name", ["tcvn3", "vni"])
def test_tables_agree_with_those_of_others(name: str) -> None:
    default = Path(__file__).resolve().parents[2].parent / "shared" / "samples"
    path = Path(os.environ.get("LIENTHONG_SAMPLES", default)) / "encodings" / f"{name}.tsv"
    if not path.exists():
        pytest.skip("the sample tables are not here")
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream, delimiter="\t"))[1:]
    theirs = {bytes.fromhex(row[0]): row[1] for row in rows}
    ours = {bytes([code]): letter for code, letter in TCVN3.items()} if name == "tcvn3" else dict(VNI)
    assert ours == theirs


def test_tables_are_whole() -> None:
    assert (len(TCVN3), len(VNI)) == (74, 134)
    assert (TCVN3[0xAD], TCVN3[0xCB], TCVN3[0xFE]) == ("ư", "ậ", "ỵ")
    assert len(set(TCVN3.values())) == 74


@pytest.mark.parametrize("codepage", ["cp1252", "cp1258"])
@pytest.mark.parametrize("encoding", list(Encoding))
@pytest.mark.parametrize("composed", [False, True])
def test_a_sentence_comes_back_by_both_code_pages(encoding: Encoding, codepage: str, composed: bool) -> None:
    printed = typed(SENTENCE, encoding, codepage)
    if composed:
        printed = unicodedata.normalize("NFC", printed)
    assert printed != SENTENCE
    assert detect([printed]) is encoding
    assert decode(printed, encoding) == SENTENCE


def test_known_strings() -> None:
    assert decode("Céng hßa X· héi", Encoding.TCVN3) == "Cộng hòa Xã hội"
    assert decode("®\u00ada", Encoding.TCVN3) == "đưa"  # the soft hyphen is a letter
    assert decode("Coäng hoøa xaõ hoäi", Encoding.VNI) == "Cộng hòa xã hội"
    assert decode("ÑAÛNG COÄNG SAÛN", Encoding.VNI) == "ĐẢNG CỘNG SẢN"
    assert decode("CéNG HßA X· HéI", Encoding.TCVN3) == "CỘNG HÒA XÃ HỘI"
    assert decode("\u201cUBND\u201d \u2013 TØnh", Encoding.TCVN3) == "\u201cUBND\u201d \u2013 Tỉnh"


@pytest.mark.parametrize(
    ("font", "encoding"),
    [
        (".VnTime", Encoding.TCVN3),
        (".vntime", Encoding.TCVN3),
        (".VnTimeH", Encoding.TCVN3),
        (".VnArial NarrowH", Encoding.TCVN3),
        ("VNI-Times", Encoding.VNI),
        ("VNI-Helve Bold", Encoding.VNI),
        (".VnPost", None),
        (".VNI-Times", Encoding.VNI),
        ("Times New Roman", None),
        ("Default Sans Serif", None),
        ("", None),
        (None, None),
    ],
)
def test_fonts_tell_the_encoding(font: str | None, encoding: Encoding | None) -> None:
    assert encoding_of_font(font) is encoding


@pytest.mark.parametrize(
    ("font", "text", "decoded"),
    [
        (".VnTime", "Tê tr×nh", "Tờ trình"),
        (".VnTimeH", "Tê tr×nh", "TỜ TRÌNH"),
        (".Vn3DH Bold", "Tê tr×nh", "TỜ TRÌNH"),
        ("VNI-Times", "Tôø trình", "Tờ trình"),
        (".VnTime", "Tờ trình", "Tờ trình"),  # pasted Unicode in a legacy font
        ("Arial", "Tê tr×nh", "Tê tr×nh"),
        (".VnTime", "plain ASCII", "plain ASCII"),
    ],
)
def test_runs_follow_their_font(font: str, text: str, decoded: str) -> None:
    assert decode_run(TextRun(text, font)).text == decoded


def test_runs_of_several_fonts() -> None:
    runs = (TextRun("Tê tr×nh", ".VnTime"), TextRun(" v/v "), TextRun("kinh phí", "Arial"))
    assert RecordText(()).decode_runs(runs) == Decoded("Tờ trình v/v kinh phí", (Encoding.TCVN3,))


def test_short_texts_follow_the_vote_of_their_record() -> None:
    name = typed("Nguyễn Văn Bình", Encoding.TCVN3)
    short = typed("Nguyễn Bình", Encoding.TCVN3)
    together = RecordText((name, typed(SENTENCE, Encoding.TCVN3)))
    assert together.decode(name) == Decoded("Nguyễn Văn Bình", (Encoding.TCVN3,))
    assert RecordText((short,)).decode(short) == Decoded(short)
    assert looks_legacy(typed("Nguyễn", Encoding.TCVN3))


def test_unicode_in_a_legacy_record_stays() -> None:
    record = RecordText((typed(SENTENCE, Encoding.TCVN3), "Tỉnh ủy Bình Phước"))
    assert record.decode("Tỉnh ủy Bình Phước") == Decoded("Tỉnh ủy Bình Phước")
    assert record.decode("VPTU") == Decoded("VPTU")


@pytest.mark.parametrize(
    "text",
    [
        "Là gì",
        "tài khoá, cái này là gì và kho hàng có gì",
        "Édition préférée d'été à l'élève, déjà créée",
        "Größe über Straße, schöne Grüße aus Köln",
        "Résumé naïve café coöperate",
        "© 2012 ® ± § µ ¶",
        "Tỉnh ủy, Hội đồng nhân dân, Ủy ban nhân dân",
        "Toà án nhân dân",
    ],
)
def test_what_is_not_legacy_is_never_converted(text: str) -> None:
    assert detect([text]) is None
    assert RecordText((text,)).decode(text) == Decoded(text)


def test_decomposed_unicode_is_composed() -> None:
    nfd = unicodedata.normalize("NFD", SENTENCE)
    assert RecordText((nfd,)).decode(nfd) == Decoded(SENTENCE)


@pytest.mark.parametrize(
    ("text", "folded"),
    [("Hỏa  tốc", "hoa toc"), ("HOẢ TỐC", "hoa toc"), ("Đồng Nai", "dong nai"), ("Ðồng", "dong"), ("", "")],
)
def test_folding(text: str, folded: str) -> None:
    assert fold(text) == folded
    assert fold(unicodedata.normalize("NFD", text)) == folded


@pytest.mark.parametrize(
    "word", ["nghiêng", "quyết", "giữa", "uỷ", "ủy", "khuya", "ý", "gì", "đường", "xoong", "thuở"]
)
def test_syllables(word: str) -> None:
    assert is_syllable(word)


@pytest.mark.parametrize("word", ["prộfộrộe", "kế́", "càch", "bcd", "été", "zờ", "straße"])
def test_no_syllables(word: str) -> None:
    assert not is_syllable(word)


@given(st.text(alphabet=sorted({*"bcdghklmnpqrstvx 0123456789,.", *filter(str.islower, TCVN3.values())})))
def test_every_lower_case_text_survives_tcvn3(text: str) -> None:
    assert decode_run(TextRun(typed(text, Encoding.TCVN3), ".VnTime")).text == text


@given(st.lists(st.sampled_from(sorted(VNI.values()) + list("bcdghklmnpqrstvxBCD 0123456789,."))))
def test_every_text_survives_vni(letters: list[str]) -> None:
    text = "".join(letters)
    assert decode_run(TextRun(typed(text, Encoding.VNI), "VNI-Times")).text == text


@given(st.text(max_size=200))
def test_any_text_is_answered_in_nfc(text: str) -> None:
    decoded = RecordText((text,)).decode(text).text
    assert unicodedata.is_normalized("NFC", decoded)


def test_an_abbreviation_in_a_short_field_follows_the_vote_of_its_record():
    record = RecordText(["vÒ viÖc giao chØ tiªu c«ng t¸c tiÕp c«ng d©n", "02/Q§-STC"])
    assert record.decode("02/Q§-STC").text == "02/QĐ-STC"
    assert record.decode("15/N§-H§ND").text == "15/NĐ-HĐND"
    assert RecordText(["02/Q§-STC"]).decode("02/Q§-STC").text == "02/Q§-STC"
