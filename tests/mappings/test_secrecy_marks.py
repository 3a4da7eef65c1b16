"""What marks a state secret, and what only looks like it. A missed mark is a failure of the product; so is a
withheld law."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.legacy_text import typed
from mappings.legacy_tables import Encoding
from mappings.secrecy_marks import mark_in_text, mark_in_title
from mappings.secrecy_names import is_classification_field, level_of_value, mark_in_name
from tests.mappings.secrecy_strings import Case, cases, found_level

LEVELS = {"Mật": "mat", "Tối mật": "toi_mat", "Tuyệt mật": "tuyet_mat"}

# `{M}` is the level as printed, `{U}` in capitals.
MARKING_TEXTS = [
    "{M}", "{U}", " {U} ", "*{U}*", "— {U} —", "({M})", "[{U}]", "{{{M}}}", "|  {U}  |",
    "Độ mật: {M}", "Độ mật : {U}", "ĐỘ MẬT: {U}", "Độ mật\n{M}", "Độ mật {M}", "Mức độ mật: {M}",
    "Độ mật - {M}",
    "Cấp độ mật: {M}", "Độ bảo mật: {M}", "Độ mật: “{M}”", "Security level: {M}",
    "TỈNH ỦY {U} ĐẢNG CỘNG SẢN VIỆT NAM", "ĐẢNG CỘNG SẢN VIỆT NAM {U}", "{U} Số 12-BC/TU",
    "TỈNH ỦY\n*\nSố 12-BC/TU\n{U}\nBÁO CÁO", "Báo cáo quý I - {M}", "{M} - Báo cáo quý I",
    "Báo cáo quý I; {M}",
    "Báo cáo quý I ({M})", "12-BC/TU ({M})", "15/{U}-UBND", "{M}: Báo cáo quý I", "Lưu VT, {M}.",
    "Về bảo vệ bí mật nhà nước ({M})", "V/v bảo mật thông tin - {U}", "MẬT ĐỘ DÂN SỐ\n{U}",
]  # fmt: skip
ORDINARY_TEXTS = [
    "V/v tăng cường bảo mật thông tin", "BẢO MẬT", "An toàn, bảo mật hệ thống thông tin",
    "Bảo vệ bí mật nhà nước",
    "BẢO VỆ BÍ MẬT NHÀ NƯỚC", "LUẬT BẢO VỆ BÍ MẬT NHÀ NƯỚC", "Luật Bảo vệ bí mật nhà nước số 117/2025/QH15",
    "V/v triển khai Luật Bảo vệ bí mật nhà nước", "Công tác bảo vệ bí mật nhà nước năm 2024",
    "Quyết định ban hành Danh mục bí mật nhà nước độ Tuyệt mật, độ Tối mật trong lĩnh vực tài chính",
    "Danh mục bí mật nhà nước độ Mật của ngành Tài nguyên", "Danh mục bí mật nhà nước thuộc độ Tối mật",
    "DANH MỤC BÍ MẬT NHÀ NƯỚC ĐỘ TUYỆT MẬT, TỐI MẬT VÀ MẬT", "Mật độ dân số", "MẬT ĐỘ XÂY DỰNG",
    "mật độ giao thông",
    "Mật ong rừng", "Hợp tác xã nuôi ong lấy mật ong", "Sản phẩm đường mật, mật mía", "Mật mã dân sự",
    "cơ yếu, mật mã",
    "Đổi mật khẩu hệ thống", "MẬT KHẨU", "Bí mật kinh doanh", "Bí mật đời tư", "Cơ mật", "Cơ quan cơ mật",
    "Gặp mặt thân mật", "THÂN MẬT", "Tiệc thân mật cuối năm", "Họp mặt thân mật, ấm cúng",
    "Mối quan hệ mật thiết",
    "Mật thám Pháp", "mật vụ", "Mật thư", "Mật Tông", "văn bản không mật", "Không mật", "Độ mật: Không",
    "Độ mật: không mật", "Độ mật: Thường", "ĐỘ MẬT: THƯỜNG", "Độ mật", "độ mật của văn bản",
    "Giải mật tài liệu",
    "V/v giải mật hồ sơ lưu trữ", "V/v giảm độ mật", "Tăng độ mật", "Gia hạn độ mật", "Xác định độ mật",
    "Túi mật", "Sỏi túi mật", "Phẫu thuật ống mật chủ", "Viêm đường mật", "Mật gấu", "Nuôi gấu lấy mật gấu",
    "Trinh mật", "U mật", "Mía mật", "Ong mật", "Dịch mật", "Nghiêm mật", "Sơ đồ mặt bằng",
    "Mặt trận Tổ quốc",
    "MẶT TRẬN TỔ QUỐC VIỆT NAM", "Chủ tịch Ủy ban Mặt trận", "mất mùa", "mát mẻ", "mắt", "ánh mắt", "Toi mat",
    "Mat tran", "Kết luận về công tác dân vận", "Số 160-KL/TU", "Tỉnh ủy Bình Phước",
    "Phòng Bảo mật và Cơ yếu",
    "Thiết bị bảo mật", "Chữ ký số và bảo mật", "Cam kết bảo mật, an toàn", "Thông tin bí mật, riêng tư",
    "Tiết lộ bí mật công tác", "Mật độ: 120 người/km2", "tài liệu không thuộc danh mục mật",
    "nội dung không có nội dung mật", "đàm phán mật nghị", "Quân hàm mật danh", "",
    "Hướng dẫn công tác bảo vệ bí mật nhà nước trong Đảng", "Quy chế bảo vệ bí mật nhà nước",
    "bảo vệ bí mật nhà nước độ mật", "Tập huấn về bảo mật",
]  # fmt: skip
DOUBTFUL_TITLES = [
    ("Báo cáo tối mật về biên giới", "toi_mat"),
    ("Kế hoạch tuyệt mật", "tuyet_mat"),
    ("Quản lý tài liệu mật", "mat"),
    ("Công văn mật số 5", "mat"),
    ("Hồ sơ mật của Ban Tổ chức", "mat"),
]


def in_tcvn3(text: str) -> str:
    """As typed in a .Vn font: no toned capitals, so that ``MẬT`` is ``MËT``."""
    return typed("".join(letter if letter.isascii() else letter.lower() for letter in text), Encoding.TCVN3)


def in_vni(text: str) -> str:
    return typed(text, Encoding.VNI)


def in_vni_by_1258(text: str) -> str:
    return typed(text, Encoding.VNI, "cp1258")


def in_viscii(text: str) -> str:
    return typed(straight(text), Encoding.VISCII)


def in_vps(text: str) -> str:
    return typed(straight(text), Encoding.VPS)


def in_cp1258(text: str) -> str:
    return typed(text, Encoding.CP1258)


def in_viqr(text: str) -> str:
    return typed(straight(text), Encoding.VIQR)


def straight(text: str) -> str:
    """Without the typographic quotes and dashes that these encodings lack."""
    return text.translate(str.maketrans("“”‘’–—…«»", "\"\"''--.<>"))


def filled(template: str, printed: str) -> str:
    return template.format(M=printed, U=printed.upper())


def decomposed(text: str) -> str:
    return unicodedata.normalize("NFD", text)


def composite(text: str) -> str:
    """As UniKey's composite tables give it: base with its shape, the tone apart."""
    out = []
    for letter in text:
        parts = unicodedata.normalize("NFD", letter)
        tone = "".join(c for c in parts if c in "\u0300\u0301\u0303\u0309\u0323")
        out.append(unicodedata.normalize("NFC", "".join(c for c in parts if c not in tone)) + tone)
    return "".join(out)


SPELLINGS = (
    *(str, decomposed, composite, in_tcvn3, in_vni, in_vni_by_1258),
    *(in_viscii, in_vps, in_cp1258, in_viqr),
)


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("printed", LEVELS)
def test_every_marking_is_found_in_every_spelling(printed: str, spelling: type[str]) -> None:
    missed = []
    for template in MARKING_TEXTS:
        text = filled(template, printed)
        mark = mark_in_text(spelling(text))
        if mark is None or mark.level != LEVELS[printed]:
            missed.append((text, mark))
    assert missed == []


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_ordinary_words_are_no_marks(spelling: type[str]) -> None:
    assert [text for text in ORDINARY_TEXTS if mark_in_text(spelling(text))] == []
    assert [text for text in ORDINARY_TEXTS if mark_in_title(spelling(text))] == []


@pytest.mark.parametrize(("text", "level"), DOUBTFUL_TITLES)
def test_doubt_in_a_title_withholds(text: str, level: str) -> None:
    mark = mark_in_title(text)
    assert mark is not None
    assert (mark.level, mark.rule) == (level, "doubtful_word")
    assert mark_in_text(text) is None


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("«MẬT»", "mat"),
        ("M Ậ T", "mat"),
        ("T Ố I   M Ậ T", "toi_mat"),
        ("TUYỆT\u00a0MẬT", "tuyet_mat"),
        ("M\u200bẬT", "mat"),
    ],
)
def test_letters_apart_and_invisible_characters(text: str, level: str) -> None:
    mark = mark_in_text(f"TỈNH ỦY\n{text}\nBÁO CÁO")
    assert mark is not None
    assert mark.level == level


@pytest.mark.parametrize("text", ["Do mat: Mat", "DO MAT: TOI MAT", "Muc do mat: Tuyet mat"])
def test_labelled_marks_without_diacritics(text: str) -> None:
    mark = mark_in_text(text)
    assert mark is not None
    assert mark.rule == "label"


def test_the_highest_level_wins() -> None:
    mark = mark_in_text("MẬT\nTUYỆT MẬT\nTỐI MẬT")
    assert mark is not None
    assert mark.level == "tuyet_mat"


def test_a_source_may_add_values_of_its_own() -> None:
    extra = {"1": "mat", "3": "tuyet_mat", "tm0": "none"}
    assert [getattr(level_of_value(v, extra), "level", None) for v in ("1", "3", "TM0", "2")] == [
        "mat", "tuyet_mat", None, "mat",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "name",
    ["DoMat", "domat", "DOMAT", "Do_Mat", "do-mat", "MucDoMat", "MUC_DO_MAT", "fldDoMat", "VBDoMat",
     "DoMat_1", "Độ mật",
     "ĐộMật", "SecurityLevel", "security_level", "DocSecurityLevel", "SecretLevel", "CapDoMat",
     "Classification"],
)  # fmt: skip
def test_names_of_classification_fields(name: str) -> None:
    assert is_classification_field(name)
    assert is_classification_field(unicodedata.normalize("NFD", name))


@pytest.mark.parametrize(
    "name",
    ["DoKhan", "MatDo", "MatDoDanSo", "SoDoMatBang", "TrichYeu", "DoMatDo", "BaoMat", "Password",
     "MatKhau", "", "Do", "Mat",
     "Priority", "SphereOfPromulgation"],
)  # fmt: skip
def test_names_of_other_fields(name: str) -> None:
    assert not is_classification_field(name)


def test_the_measured_set_is_large_enough_to_mean_something() -> None:
    measured = cases()
    assert sum(case.level is not None for case in measured) >= 250
    assert sum(case.level is None for case in measured) >= 180
    assert len(set(measured)) == len(measured)


@pytest.mark.parametrize("case", [case for case in cases() if case.level], ids=str)
def test_every_mark_of_the_measured_set_is_found(case: Case) -> None:
    assert found_level(case) == case.level


def test_what_only_looks_like_a_mark_is_none_but_for_what_nobody_can_tell() -> None:
    assert [
        case for case in cases() if not case.level and (found_level(case) is not None) != case.doubtful
    ] == []


@given(
    st.sampled_from(
        [case for case in cases() if case.place == "text" and case.level and "\n" not in case.string]
    ),
    st.sampled_from(["TỈNH ỦY", "Số 12-BC/TU", "", "*"]),
    st.sampled_from(["BÁO CÁO", "về công tác dân vận", "", "———"]),
)
def test_a_mark_stays_one_between_other_lines(case: Case, before: str, after: str) -> None:
    mark = mark_in_text(f"{before}\n{case.string}\n{after}")
    assert mark is not None
    assert mark.level == case.level


ordinary_lines = st.lists(
    st.text(st.characters(blacklist_characters="mMậẬ", blacklist_categories=["Mn", "Cs"]), max_size=40),
    max_size=5,
)


@given(ordinary_lines, ordinary_lines, st.sampled_from(sorted(LEVELS)), st.booleans())
def test_a_mark_on_a_line_of_its_own_is_found_amid_anything(
    before: list[str], after: list[str], printed: str, capitals: bool
) -> None:
    text = "\n".join([*before, printed.upper() if capitals else printed, *after])
    mark = mark_in_text(text)
    assert mark is not None
    assert mark.level == LEVELS[printed]


@given(st.text(max_size=300))
def test_any_text_is_answered(text: str) -> None:
    for mark in (mark_in_text(text), mark_in_title(text), mark_in_name(text), level_of_value(text)):
        assert mark is None or mark.level in LEVELS.values()
