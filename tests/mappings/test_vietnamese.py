"""A record's texts: what is decoded and why, what is left, and folding."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import legacy_text
from benchmarks.gettext_messages import SYSTEM_FOLDER
from benchmarks.legacy_text import (
    BYTE_ENCODINGS,
    WAYS,
    false_conversions,
    false_conversions_of_messages,
    recognition,
    strings,
    typed,
)
from benchmarks.other_languages import SENTENCES, UNICODE_VIETNAMESE
from mappings.legacy_evidence import MIN_CONFIDENCE
from mappings.legacy_tables import Encoding
from mappings.syllables import is_syllable
from mappings.vietnamese import Basis, Decoded, Reason, RecordText, fold
from schemas.record import TextRun

SENTENCE = (
    "Báo cáo kết quả thực hiện Nghị quyết về phát triển kinh tế - xã hội của tỉnh năm 2012, đưa được những "
    "chỉ tiêu chủ yếu vượt kế hoạch; ý kiến của các đồng chí, kỹ lưỡng và thận trọng"
)
BY_FONT = (Basis(Encoding.TCVN3, Reason.FONT),)


def alone(text: str) -> Decoded:
    return RecordText((text,)).decode(text)


@pytest.mark.parametrize(
    ("encoding", "page"), [way for way in WAYS if way[0] in BYTE_ENCODINGS or way[0] == "viqr"]
)
def test_a_sentence_is_recognised_by_its_own_words(encoding: Encoding, page: str) -> None:
    decoded = alone(typed(SENTENCE, encoding, page))
    assert decoded.text == SENTENCE
    if (encoding, page) == (Encoding.CP1258, "cp1258"):
        assert decoded.bases == (Basis(Encoding.DECOMPOSED, Reason.COMPOSED),)
    else:
        ((found, reason, confidence),) = [(b.encoding, b.reason, b.confidence) for b in decoded.bases]
        assert (found, reason) == (encoding, Reason.OWN_WORDS)
        assert MIN_CONFIDENCE <= confidence <= 1


@pytest.mark.parametrize("form", ["NFD", "composite"])
def test_decomposed_unicode_is_composed(form: str) -> None:
    printed = typed(SENTENCE, Encoding.DECOMPOSED)
    if form == "composite":  # as UniKey's table has it: base with its shape, tone apart
        printed = typed(SENTENCE, Encoding.CP1258, "cp1258")
    assert alone(printed) == Decoded(SENTENCE, (Basis(Encoding.DECOMPOSED, Reason.COMPOSED),))


@pytest.mark.parametrize(
    ("font", "text", "decoded"),
    [
        (".VnTime", "Tê tr×nh", Decoded("Tờ trình", BY_FONT)),
        (".VnTimeH", "Tê tr×nh kinh", Decoded("TỜ TRÌNH KINH", BY_FONT)),
        (".Vn3DH Bold", "Tê tr×nh", Decoded("TỜ TRÌNH", BY_FONT)),
        (".VnTime", "®\u00ada", Decoded("đưa", BY_FONT)),
        ("VNI-Times", "Tôø trình", Decoded("Tờ trình", (Basis(Encoding.VNI, Reason.FONT),))),
        ("VPS Times", "M\x03T", Decoded("MẬT", (Basis(Encoding.VPS, Reason.FONT),))),
        (".VnTime", "Tờ trình", Decoded("Tờ trình")),  # pasted Unicode in a legacy font
        (".VnTimeH", "Tờ trình", Decoded("Tờ trình")),
        (".VnTime", "Hoà Bình, xin kính trình", Decoded("Hoà Bình, xin kính trình")),
        (".VnTimeH", "kinh phi", Decoded("KINH PHI", BY_FONT)),
        ("Arial", "Tê tr×nh", Decoded("Tê tr×nh")),
        (".VnTime", "plain ASCII", Decoded("plain ASCII")),
    ],
)
def test_runs_follow_their_font(font: str, text: str, decoded: Decoded) -> None:
    assert RecordText(()).decode_runs((TextRun(text, font),)) == decoded


def test_runs_of_several_fonts() -> None:
    runs = (TextRun("Tê tr×nh", ".VnTime"), TextRun(" v/v "), TextRun("kinh phí", "Arial"))
    assert RecordText(()).decode_runs(runs) == Decoded("Tờ trình v/v kinh phí", BY_FONT)


def test_a_word_and_a_letter_may_be_cut_by_a_change_of_style() -> None:
    cut = (TextRun("Co", "VNI-Times"), TextRun("äng hoøa", "VNI-Times", hidden=True))
    assert RecordText(()).decode_runs(cut).text == "Cộng hòa"
    unknown = (TextRun(typed(SENTENCE, Encoding.VNI)[:3]), TextRun(typed(SENTENCE, Encoding.VNI)[3:]))
    assert RecordText((), (unknown,)).decode_runs(unknown).text == SENTENCE


def test_unicode_pasted_beside_legacy_text_costs_only_itself() -> None:
    legacy, font = typed(SENTENCE, Encoding.VNI), "VNI-Times"
    runs = (TextRun(legacy, font), TextRun(" Tỉnh ủy Bình Phước ", font), TextRun("coù", font))
    assert RecordText(()).decode_runs(runs).text == f"{SENTENCE} Tỉnh ủy Bình Phước có"
    in_one_run = (TextRun(f"Tỉnh ủy Bình Phước\n{legacy}\nplain", font),)
    assert RecordText(()).decode_runs(in_one_run).text == f"Tỉnh ủy Bình Phước\n{SENTENCE}\nplain"
    all_pasted = (TextRun("Tỉnh ủy Bình Phước\nLà có\nHà Nam", ".VnTime"),)
    assert RecordText(()).decode_runs(all_pasted) == Decoded("Tỉnh ủy Bình Phước\nLà có\nHà Nam")


def test_runs_in_the_default_font_follow_the_words() -> None:
    runs = (TextRun(typed(SENTENCE, Encoding.TCVN3), "Default Sans Serif"),)
    decoded = RecordText((), (runs,)).decode_runs(runs)
    assert (decoded.text, decoded.bases[0].reason) == (SENTENCE, Reason.OWN_WORDS)


def test_a_field_follows_the_font_of_its_form() -> None:
    record = RecordText(("Tê tr×nh", "cã", "Hoà Bình"))
    by_form = record.decode("Tê tr×nh", ".VnTime")
    assert (by_form.text, by_form.bases[0].reason) == ("Tờ trình", Reason.FORM_FIELD)
    assert by_form.bases[0].confidence >= MIN_CONFIDENCE
    assert record.decode("cã", ".VnTime").text == "có"
    # A capitals font draws small letters as capitals: that is what its readers saw.
    assert record.decode("Tê tr×nh kinh", ".VnTimeH").text == "TỜ TRÌNH KINH"
    # What its words contradict: the form's font was changed, or Unicode was pasted.
    assert record.decode("Hoà Bình, Hà Giang, Toà án", ".VnTime").text == "Hoà Bình, Hà Giang, Toà án"
    assert record.decode("Tê tr×nh", "Arial") == Decoded("Tê tr×nh")
    assert record.decode(typed(SENTENCE, Encoding.TCVN3), "Arial").text == SENTENCE


def test_short_texts_follow_the_words_of_their_record() -> None:
    short = typed("Nguyễn Bình", Encoding.TCVN3)
    decoded = RecordText((short, typed(SENTENCE, Encoding.TCVN3))).decode(short)
    assert (decoded.text, decoded.bases[0].reason) == ("Nguyễn Bình", Reason.RECORD)
    assert decoded.bases[0].confidence >= MIN_CONFIDENCE
    assert RecordText((short,)).decode(short) == Decoded(short)
    guess = RecordText(()).guess(short)
    assert guess is not None
    assert (guess.encoding, guess.confidence > 0.5) == (Encoding.TCVN3, True)
    assert RecordText(()).guess("déjà vu") is None


def test_repeating_a_word_is_no_evidence() -> None:
    short = typed("Nguyễn Bình", Encoding.TCVN3)
    assert RecordText([short] * 20).decode(short) == Decoded(short)
    assert alone(" ".join([short] * 20)).bases == ()


def test_runs_in_a_legacy_font_are_evidence_for_the_texts_without() -> None:
    body = (TextRun(typed(SENTENCE, Encoding.TCVN3), ".VnTime"),)
    subject = typed("Tờ trình", Encoding.TCVN3)
    assert RecordText((subject,), (body,)).decode(subject).text == "Tờ trình"


def test_an_abbreviation_follows_the_words_of_its_record() -> None:
    record = RecordText(["vÒ viÖc giao chØ tiªu c«ng t¸c tiÕp c«ng d©n", "02/Q§-STC"])
    assert record.decode("02/Q§-STC").text == "02/QĐ-STC"
    assert record.decode("15/N§-H§ND").text == "15/NĐ-HĐND"
    assert RecordText(["02/Q§-STC"]).decode("02/Q§-STC").text == "02/Q§-STC"


def test_a_record_of_two_machines() -> None:
    legacy, short = typed(SENTENCE, Encoding.TCVN3), "cã"
    texts = (legacy, short, "Tỉnh ủy Bình Phước", "Ý kiến: đồng ý", "là có", "VPTU")
    record = RecordText(texts)
    assert record.decode(legacy).text == SENTENCE
    assert record.decode("Tỉnh ủy Bình Phước") == Decoded("Tỉnh ủy Bình Phước")
    assert record.decode("là có") == Decoded("là có")  # Unicode without a letter that says so
    assert record.decode(short) == Decoded(short)  # which of the two, nothing tells
    assert record.decode("VPTU") == Decoded("VPTU")


def test_lines_of_two_machines_in_one_text() -> None:
    text = f"Kính gửi: Tỉnh ủy Bình Phước\n{typed(SENTENCE, Encoding.TCVN3)}\nNgười duyệt: Trần Văn Ái"
    expected = f"Kính gửi: Tỉnh ủy Bình Phước\n{SENTENCE}\nNgười duyệt: Trần Văn Ái"
    assert alone(text).text == expected


def test_viqr_needs_dense_marks_and_touches_vietnamese_words_only() -> None:
    text = (
        "Ki'nh gu+?i anh, cho to^i ho?i ve^` va(n ba?n so^' 15/Q1.a nga`y 2.3.2004 o+? www.a.example, file a.b\\co+ "
        "va` thu+ a.b@c.example. So, O.K. Thanks a. Ta."
    )
    read = (
        "Kính gửi anh, cho tôi hỏi về văn bản số 15/Q1.a ngày 2.3.2004 ở www.a.example, file a.b\\co+ "
        "và thư a.b@c.example. So, O.K. Thanks a. Ta."
    )
    assert alone(text).text == read
    record = RecordText((text, "ba'o ca'o", "x^2 a.", "C:\\a.txt"))
    assert record.decode("ba'o ca'o") == Decoded("báo cáo", (record.decode("ba'o ca'o").bases))
    assert record.decode("x^2 a.").text == "x^2 a."
    assert record.decode("C:\\a.txt").text == "C:\\a.txt"
    assert alone("ba'o ca'o").text == "ba'o ca'o"
    assert alone("It's so^ and we're a? The cat sat on a mat. Who?").bases == ()


@pytest.mark.parametrize(
    "text", [text for texts in SENTENCES.values() for text in texts] + list(UNICODE_VIETNAMESE)
)
def test_what_is_not_legacy_is_never_converted(text: str) -> None:
    assert alone(text) == Decoded(text)


def test_nothing_of_all_that_is_not_legacy_is_converted_alone_or_together() -> None:
    assert false_conversions() == []


def test_no_message_of_the_machines_own_programs_is_converted() -> None:
    looked_at, converted = false_conversions_of_messages(SYSTEM_FOLDER, most=20)
    if not looked_at:
        pytest.skip("no translations are installed here")
    assert converted == []


def test_recognition_by_length(monkeypatch: pytest.MonkeyPatch) -> None:
    """The small edition of ``benchmarks/legacy_text.py``."""
    texts = strings()[::23]
    for way, by_length in recognition(texts, together=False).items():
        for length, found in by_length.items():
            assert found["precision"] == 1 or way.startswith("viqr"), (way, length, found)
        if not way.startswith("viqr"):
            assert by_length["13+"]["recall"] > 0.95, (way, by_length)
    monkeypatch.setattr(legacy_text, "_FIELDS", 6)
    for way, by_length in recognition(texts, together=True).items():
        for length, found in by_length.items():
            assert found["precision"] > (0.65 if way.startswith("viqr") else 0.999), (way, length, found)
            assert found["recall"] > (0.65 if way.startswith("viqr") else 0.75), (way, length, found)


@given(st.data())
def test_decoding_again_changes_nothing(data: st.DataObject) -> None:
    encoding, page = data.draw(st.sampled_from(WAYS))
    printed = [
        typed(text, encoding, page) for text in data.draw(st.lists(st.sampled_from(strings()), max_size=4))
    ]
    record = RecordText(printed)
    read = [record.decode(text).text for text in printed]
    again = RecordText(read)
    assert [again.decode(text) for text in read] == [
        Decoded(text) for text in read
    ] or encoding is Encoding.VIQR


@given(st.lists(st.text(max_size=60), max_size=5))
def test_any_text_is_answered_in_nfc(texts: list[str]) -> None:
    record = RecordText(texts)
    for text in texts:
        decoded = record.decode(text)
        assert unicodedata.is_normalized("NFC", decoded.text)
        assert decoded.bases or decoded.text == text


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
