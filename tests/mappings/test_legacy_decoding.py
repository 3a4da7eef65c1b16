"""Decoding text whose encoding is known: both code pages, capitals, marks of VIQR; there and back."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.legacy_text import PAGES, WAYS, expected, strings, typed
from mappings.legacy_decoding import decode
from mappings.legacy_fonts import draws_capitals, encoding_of_font, tells_nothing
from mappings.legacy_tables import BYTE_ENCODINGS, Encoding, table

SENTENCE = (
    "Báo cáo kết quả thực hiện Nghị quyết về phát triển kinh tế - xã hội của tỉnh năm 2012, đưa được những "
    "chỉ tiêu chủ yếu vượt kế hoạch; ý kiến của các đồng chí, kỹ lưỡng và thận trọng"
)
LETTERS = {encoding: sorted(set(table(encoding).letters.values())) for encoding in BYTE_ENCODINGS}
LETTERS[Encoding.CP1258] = LETTERS[Encoding.VISCII]
PLAIN = [*"bcdghklmnpqrstvxBCDGHKLMN 0123456789,.;:-/()'\"?!\n"]
TEXTS = {
    encoding: st.lists(st.sampled_from([*letters, *PLAIN]), max_size=60).map("".join)
    for encoding, letters in LETTERS.items()
}


@pytest.mark.parametrize(
    ("printed", "encoding", "decoded"),
    [
        ("Céng hßa X· héi", Encoding.TCVN3, "Cộng hòa Xã hội"),
        ("®\u00ada", Encoding.TCVN3, "đưa"),  # the soft hyphen is a letter
        ("CéNG HßA X· HéI", Encoding.TCVN3, "CỘNG HÒA XÃ HỘI"),
        (
            "\u201cUBND\u201d \u2013 TØnh\u2026 \u2022",
            Encoding.TCVN3,
            "\u201cUBND\u201d \u2013 Tỉnh\u2026 \u2022",
        ),
        ("Coäng hoøa xaõ hoäi", Encoding.VNI, "Cộng hòa xã hội"),
        ("ÑAÛNG COÄNG SAÛN", Encoding.VNI, "ĐẢNG CỘNG SẢN"),
        ("Uûy ban, UÛy ban, ngöôøi ôû", Encoding.VNI, "Ủy ban, Ủy ban, người ở"),
        ("C\xb5ng h\xf2a x\xe3 h\xb5i, V\x19, \x05", Encoding.VISCII, "Cộng hòa xã hội, VỸ, Ẵ"),
        ("M\u2021T", Encoding.VISCII, "MẬT"),  # byte 87 as code page 1252 shows it
        ("M\x87T", Encoding.VISCII, "MẬT"),  # and as ISO 8859-1 does
        ("C\xb6ng h\xf2a x\xe3 h\xb6i, M\x03T", Encoding.VPS, "Cộng hòa xã hội, MẬT"),
        ("Côòng hoÌa xaÞ hôòi", Encoding.CP1258, "Cộng hòa xã hội"),
        ("Ðaò Nãìng", Encoding.CP1258, "Đạ Nắng"),
        ("Co^.ng ho`a xa~ ho^.i", Encoding.VIQR, "Cộng hòa xã hội"),
        ("DDa.i ddo^`ng, ngu*o*`i", Encoding.VIQR, "Đại đồng, người"),
        ("ca?nh ba'o\\. Ta\\?", Encoding.VIQR, "cảnh báo. Ta?"),  # RFC 1456: a backslash makes a mark literal
        ("Cha. Me. Ba? Ta...", Encoding.VIQR, "Cha. Me. Ba? Ta..."),
        ("chi bo^. Ta. va` to^i", Encoding.VIQR, "chi bộ Tạ và tôi"),
        (
            "Ban Thu+o+`ng vu. Ti?nh u?y, ba` Thi. Lan. Vu. Ha`",
            Encoding.VIQR,
            "Ban Thường vụ Tỉnh ủy, bà Thị Lan. Vụ Hà",
        ),
        ("a.b@co.example www.a.example http://u+o+.example", Encoding.VIQR, None),
        (unicodedata.normalize("NFD", SENTENCE), Encoding.DECOMPOSED, SENTENCE),
    ],
)
def test_known_strings(printed: str, encoding: Encoding, decoded: str | None) -> None:
    assert decode(printed, encoding) == (printed if decoded is None else decoded)


@pytest.mark.parametrize("composed", [False, True])
@pytest.mark.parametrize(("encoding", "page"), WAYS)
def test_a_sentence_comes_back_by_both_code_pages(encoding: Encoding, page: str, composed: bool) -> None:
    printed = typed(SENTENCE, encoding, page)
    assert printed != SENTENCE
    if composed:  # by whoever carried it
        printed = unicodedata.normalize("NFC", printed)
    assert decode(printed, encoding) == SENTENCE


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("encoding", BYTE_ENCODINGS)
def test_every_letter_comes_back(encoding: Encoding, page: str) -> None:
    for letter in LETTERS[encoding]:
        assert decode(f"x {typed(letter, encoding, page)} x", encoding) == f"x {letter} x"


@given(st.data())
@settings(max_examples=150)
def test_what_was_written_is_read(data: st.DataObject) -> None:
    encoding, page = data.draw(st.sampled_from([way for way in WAYS if way[0] in TEXTS]))
    text = data.draw(TEXTS[encoding])
    read, wanted = decode(typed(text, encoding, page), encoding), expected(text, encoding)
    if encoding is Encoding.TCVN3:  # whose capitals are guessed
        assert read.casefold() == wanted.casefold()
    else:
        assert read == wanted


@given(TEXTS[Encoding.TCVN3].map(str.lower), st.sampled_from(PAGES))
def test_small_letters_of_tcvn3_are_read_as_they_are(text: str, page: str) -> None:
    assert decode(typed(text, Encoding.TCVN3, page), Encoding.TCVN3) == text


@given(st.data())
def test_words_of_viqr_are_read(data: st.DataObject) -> None:
    words = [word for text in strings()[:300] for word in text.lower().split() if word.isalpha()]
    text = " ".join(data.draw(st.lists(st.sampled_from(words), max_size=20))) + " x"
    assert decode(typed(text, Encoding.VIQR), Encoding.VIQR) == text


@given(
    st.text(alphabet=st.characters(min_codepoint=0x20, max_codepoint=0x7E)), st.sampled_from(BYTE_ENCODINGS)
)
def test_plain_ascii_stays(text: str, encoding: Encoding) -> None:
    assert decode(text, encoding) == text


@given(st.text(max_size=100), st.sampled_from(Encoding))
def test_any_text_is_decoded_to_nfc(text: str, encoding: Encoding) -> None:
    if encoding is not Encoding.VIQR:
        assert unicodedata.is_normalized("NFC", decode(text, encoding))


@pytest.mark.parametrize(
    ("font", "encoding", "capitals"),
    [
        (".VnTime", Encoding.TCVN3, False),
        (".vntime", Encoding.TCVN3, False),
        (".VnTimeH", Encoding.TCVN3, True),
        (".vntimeh", Encoding.TCVN3, False),  # the H counts as a capital only
        (".VnTimeH Bold Italic", Encoding.TCVN3, True),
        (".VnArial NarrowH", Encoding.TCVN3, True),
        (".VnArialH, Bold", Encoding.TCVN3, True),
        (".Vn3DH", Encoding.TCVN3, True),
        (".VnHelvetInsH", Encoding.TCVN3, True),
        (".VnPost", None, False),
        (".VnTimes2", None, False),
        (".VNI-Times", Encoding.VNI, False),
        ("VNI-Times", Encoding.VNI, False),
        ("VNI-Helve Bold", Encoding.VNI, False),
        ("VNI Couri", Encoding.VNI, False),
        ("VPS Times", Encoding.VPS, False),
        ("VI Times H", Encoding.VISCII, False),
        ("VISCII Arial", Encoding.VISCII, False),
        ("Times New Roman", None, False),
        ("Vineta BT", None, False),
        ("Viner Hand ITC", None, False),
        ("Default Sans Serif", None, False),
        ("", None, False),
        (None, None, False),
    ],
)
def test_fonts_tell_the_encoding(font: str | None, encoding: Encoding | None, capitals: bool) -> None:
    assert (encoding_of_font(font), draws_capitals(font)) == (encoding, capitals)


@pytest.mark.parametrize(
    ("font", "nothing"),
    [(None, True), ("", True), ("Default Sans Serif", True), ("Default Serif", True), ("Arial", False)],
)
def test_the_default_fonts_of_notes_tell_nothing(font: str | None, nothing: bool) -> None:
    assert tells_nothing(font) is nothing
