"""``lienthong decode``: what would be decoded and why, of texts and of exports, and that nothing is written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmarks.legacy_text import typed
from mappings.legacy_tables import Encoding
from pipeline.cli import build
from tests.connectors.dxl_builder import database, document, item, text_item

SENTENCE = "Báo cáo kết quả thực hiện Nghị quyết về phát triển kinh tế - xã hội của tỉnh năm 2012"
TCVN3 = typed(SENTENCE, Encoding.TCVN3)


def run(*arguments: str, given: bytes = b"") -> str:
    result = CliRunner().invoke(build(), ["decode", *arguments], input=given)
    assert result.exit_code == 0, result.output
    return result.stdout


def told(*arguments: str, given: bytes = b"") -> list[dict]:
    return [json.loads(line) for line in run(*arguments, "--json", given=given).splitlines()]


def test_every_line_of_a_text_is_answered(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    lines = [TCVN3, "", "Tỉnh ủy Bình Phước", "plain ASCII", "déjà vu, été"]
    file.write_text("\r\n".join(lines), encoding="utf-8")
    answers = told(str(file))
    assert [(one["place"], one["standing"], one["encoding"], one["reason"]) for one in answers] == [
        ("1", "decoded", "tcvn3", "own_words"),
        ("3", "already_unicode", None, None),
        ("4", "plain_ascii", None, None),
        ("5", "not_convincing", None, None),
    ]
    assert (answers[0]["before"], answers[0]["after"]) == (TCVN3, SENTENCE)
    assert 0.99 <= answers[0]["confidence"] <= 1
    assert all(one["after"] == one["before"] for one in answers[1:])
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert file.read_text(encoding="utf-8") == "\n".join(lines)


@pytest.mark.parametrize("encoding", ["tcvn3", "vni", "viscii", "vps", "cp1258"])
def test_bytes_of_a_legacy_font_are_read(encoding: str) -> None:
    seen = typed(SENTENCE, Encoding(encoding)) + "\n" + typed("Mỹ La", Encoding(encoding))
    data = b"".join(c.encode("cp1252") if c.encode("cp1252", "ignore") else bytes([ord(c)]) for c in seen)
    answers = told("-", given=data)
    assert [one["after"] for one in answers] == [SENTENCE, "Mỹ La"]
    assert {one["encoding"] for one in answers} == {encoding}


def test_a_letter_that_is_a_control_character_ends_no_line() -> None:
    assert told("-", "--encoding", "vps", given=b"M\x1cT\nV\x1d")[0]["after"] == "MẪT"
    assert told("-", "--encoding", "viscii", given=b"V\x1e") == [
        {
            "source": "-",
            "place": "1",
            "standing": "decoded",
            "encoding": "viscii",
            "reason": "asked",
            "confidence": 1.0,
            "before": "V\x1e",
            "after": "VỴ",
        }
    ]


def test_an_encoding_may_be_asked_for() -> None:
    (answer,) = told("-", "--encoding", "viqr", given=b"ba'o ca'o")
    assert (answer["after"], answer["reason"]) == ("báo cáo", "asked")
    result = CliRunner().invoke(build(), ["decode", "-", "--encoding", "latin"])
    assert result.exit_code == 2


def test_an_export_is_answered_by_document_and_field(tmp_path: Path) -> None:
    run_of_text = f"<run><font name='.VnTimeH'/>{typed('Tờ trình', Encoding.TCVN3)}</run>"
    other = f"<run><font name='Arial'/>{TCVN3}</run>"
    export = database(
        document(
            1,
            text_item("TrichYeu", TCVN3),
            text_item("Ma", "15-BC/TU"),
            text_item("NguoiKy", "Trần Văn Ái"),
            item("NoiDung", f"<richtext><pardef id='1'/><par def='1'>{run_of_text}</par></richtext>"),
            item("Khac", f"<richtext><pardef id='1'/><par def='1'>{other}</par></richtext>"),
        ),
        "<document form='A'><item",
    )
    (tmp_path / "a.dxl").write_text(export, encoding="utf-8")
    for given in (told(str(tmp_path)), told(str(tmp_path / "a.dxl")), told("-", given=export.encode())):
        fields = {one["place"]: one for one in given if "place" in one}
        assert {name: one["standing"] for name, one in fields.items()} == {
            "TrichYeu": "decoded",
            "NguoiKy": "already_unicode",
            "NoiDung": "decoded",
            "Khac": "other_font",
        }
        assert (fields["NoiDung"]["after"], fields["NoiDung"]["reason"]) == ("TỜ TRÌNH", "font")
        assert fields["TrichYeu"]["source"].endswith("VanBanDen")
        assert [one["standing"] for one in given if "place" not in one] == ["unreadable"]


def test_a_person_reads_it_in_vietnamese_or_english(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    file = tmp_path / "a.txt"
    file.write_text(f"{TCVN3}\nđ\u00ada C\x19\nTỉnh ủy", encoding="utf-8")
    vietnamese = run(str(file))
    for said in (
        "chuyển mã",
        "TCVN3 (ABC)",
        "các từ của đoạn",
        "đã là Unicode",
        f"→ {SENTENCE}",
        "\\xad",
        "\\x19",
    ):
        assert said in vietnamese
    assert "\x19" not in vietnamese
    english = CliRunner().invoke(build(), ["--lang", "en", "decode", str(file)]).stdout
    assert "already Unicode, kept" in english
