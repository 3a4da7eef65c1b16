"""``lienthong reconcile``, ``gap``, ``dossier`` and ``retention`` as a clerk meets them."""

from __future__ import annotations

import csv
import hashlib
import json
from datetime import date
from pathlib import Path

import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner

from archive.dossiers import refresh
from archive.loader import Batch
from archive.reconciliation import Table
from archive.runs import account, record_listed, start_run
from pipeline import access_accounts
from pipeline.cli import build
from pipeline.commands import deciding, reconcile
from pipeline.stages import Stores
from pipeline.table_files import harmless, write_csv, write_xlsx
from pipeline.wording import Wording
from schemas.errors import ConfigurationError
from schemas.record import Window
from tests.archive.office_records import CLOCK, archived

pytestmark = pytest.mark.postgres
WHY = ("--why", "Theo biên bản")


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(build(), list(arguments))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout


def json_lines(*arguments: str) -> list[dict]:
    return [json.loads(line) for line in run(*arguments, "--json")[1].splitlines()]


@pytest.fixture
def at_night(night, monkeypatch) -> None:
    """The archive of a night of both sources; each test leaves it otherwise only where the others do not look."""
    monkeypatch.setenv("LIENTHONG_HOME", str(night.settings.home))
    monkeypatch.setenv(
        "LIENTHONG_DATABASE_URL", night.stores.engine.url.render_as_string(hide_password=False)
    )


def as_account(monkeypatch, name: str) -> None:
    monkeypatch.setattr(deciding, "acting_account", lambda: name)


def test_a_nights_account_as_tables_for_people_programs_and_spreadsheets(
    at_night, tmp_path, monkeypatch
) -> None:
    (found,) = json_lines("reconcile", "--csv", str(tmp_path), "--xlsx", str(tmp_path / "doi-chieu.xlsx"))
    assert found["in_order"] is True
    runs = {row["source"]: row for row in found["tables"]["runs"]}
    assert set(runs) == {"notes_van_ban", "dieu_hanh"}
    for row in runs.values():
        assert (row["state"], row["difference"]) == ("finished", 0)
        assert row["listed"] == sum(
            row[name] for name in ("archived", "unchanged", "quarantined", "withheld")
        )
    assert {path.stem for path in tmp_path.glob("*.csv")} == set(found["tables"])
    workbook = load_workbook(tmp_path / "doi-chieu.xlsx", read_only=True)
    assert workbook.sheetnames[:2] == ["Các phiên nhận", "Theo nguồn"]
    assert [cell.value for cell in next(workbook["Theo nguồn"].iter_rows())][:2] == ["Nguồn", "Văn bản"]
    with (tmp_path / "sources.csv").open(encoding="utf-8-sig", newline="") as stream:
        assert [row[0] for row in csv.reader(stream)] == ["Nguồn", "dieu_hanh", "notes_van_ban"]
    monkeypatch.setenv("COLUMNS", "80")
    status, text = run("reconcile", "--limit", "1")
    assert max(map(len, text.splitlines())) <= 80
    headed = {name for name, rows in found["tables"].items() if rows}
    assert headed >= {"runs", "sources", "gaps"}
    words = Wording("vi")
    printed = set(text.split())
    for name in headed:
        for column in reconcile._SHOWN[name]:
            assert set(words(column).split()) <= printed, (name, column)
    assert status == 0
    assert "Các phiên nhận" in text
    assert "… còn 1 dòng: --table runs" in text


def test_a_gap_is_explained_listed_and_taken_back(at_night) -> None:
    (before,) = json_lines("reconcile", "--table", "gaps")
    gap = before["tables"]["gaps"][0]
    span = f"{gap['first']}-{gap['last']}"
    assert run("gap", "add", gap["series"], span, "--reason", "secret", "--by", "Trần Thị Mẫu", *WHY)[0] == 0
    assert [(row["series"], row["reason"], row["by"]) for row in json_lines("gap")] == [
        (gap["series"], "secret", "Trần Thị Mẫu")
    ]
    (after,) = json_lines("reconcile", "--table", "gaps")
    assert after["tables"]["gaps"] == before["tables"]["gaps"][1:]
    assert run("gap", "remove", gap["series"], span, *WHY)[0] == 0
    assert json_lines("gap") == []
    assert run("gap", "add", gap["series"], "mười", "--reason", "secret", *WHY)[0] == 2


def test_a_clerk_makes_a_fonds_and_a_dossier_and_fills_it(at_night, night) -> None:
    document = str(
        night.stores.engine.connect().exec_driver_sql("SELECT min(id::text) FROM archive.document").scalar()
    )
    assert run("dossier", "fonds", "A99.01", "--name", "Phông Tỉnh ủy", "--from", "2020-01-01", *WHY)[0] == 0
    assert run("dossier", "make", "0007", "--title", "Chuyển đổi số", "--fonds", "A99.01", *WHY)[0] == 0
    with pytest.raises(ConfigurationError, match="has a dossier '0007' already"):
        run("dossier", "make", "0007", "--title", "Khác", "--fonds", "A99.01", *WHY)
    assert (
        run(
            "dossier", "set", "0007", "end_date=2025-12-31", "keywords=số hóa; hồ sơ", "paper_count=12", *WHY
        )[0]
        == 0
    )
    assert run("dossier", "put", "0007", document, "--position", "1", *WHY)[0] == 0
    (view,) = json_lines("dossier", "show", "0007")
    assert (view["title"], view["fonds_name"], view["keywords"], view["paper_count"], view["end_date"]) == (
        "Chuyển đổi số", "Phông Tỉnh ủy", ["số hóa", "hồ sơ"], 12, "2025-12-31",
    )  # fmt: skip
    assert [entry["document"] for entry in view["documents"]] == [document]
    assert run("dossier", "take-out", "0007", document, *WHY)[0] == 0
    assert json_lines("dossier", "show", "0007")[0]["documents"] == []
    assert [row["code"] for row in json_lines("dossier", "--fonds", "A99.01")] == ["0007"]
    assert "Chuyển đổi số" in run("dossier", "show", "0007")[1]
    run("dossier", "set", "0007", "risk_recovery=Không", *WHY)
    assert json_lines("dossier", "show", "0007")[0]["risk_recovery"] is False
    for wrong in (
        "id=1",
        "title",
        "start_date=hôm qua",
        "page_count=nhiều",
        "risk_recovery=chưa biết",
        "fonds=A99.02",
    ):
        with pytest.raises(ConfigurationError):
            run("dossier", "set", "0007", wrong, *WHY)


def test_an_organ_is_entered_with_its_span_of_time(at_night) -> None:
    found = {row["code"]: row for row in json_lines("dossier", "organ")}
    assert (found["A10"]["valid_to"], found["A10"]["successor"]) == ("2025-06-30", "A19")
    arguments = (
        "--name",
        "Đảng ủy các cơ quan Đảng tỉnh",
        "--from",
        "2025-02-01",
        "--former",
        "ĐUKCCQ",
        *WHY,
    )
    assert run("dossier", "organ", "ĐUCCQĐ", *arguments)[0] == 0
    (entered,) = (row for row in json_lines("dossier", "organ") if row["code"] == "ĐUCCQĐ")
    assert (entered["valid_from"], entered["former_codes"], entered["system"]) == (
        "2025-02-01",
        ["ĐUKCCQ"],
        "party",
    )
    assert "Cơ quan theo thời gian" in run("dossier", "organ")[1]


@pytest.fixture
def old(stores) -> Stores:
    """One old document of ten years and one of which nobody says for how long."""
    run_id = start_run(stores.engine, "notes_van_ban", "sync", Window(), "đêm một", now=CLOCK)
    record_listed(stores.engine, run_id, 2, 0, 1)
    records = [
        archived(
            stores.objects, "A1", source="notes_van_ban", issued=date(2000, 5, 20), retention="10 năm", file_code="01",
            files={"a.pdf": b"noi dung"},
        ),
        archived(stores.objects, "A2", source="notes_van_ban", number="161", issued=date(2000, 5, 20)),
    ]  # fmt: skip
    stores.archive.load(Batch("notes_van_ban", run_id, 1), records)
    account(stores.engine, run_id, now=CLOCK)
    refresh(stores.engine)
    return stores


def test_two_persons_destroy_what_is_due_and_one_alone_cannot(old, monkeypatch) -> None:
    as_account(monkeypatch, "vanthu")
    due = json_lines("retention", "due", "--on", "2026-01-01")
    assert [(row["kind"], row["reference"], row["due_on"]) for row in due] == [
        ("dossier", "01", "2011-01-01")
    ]
    assert "hồ sơ" in run("retention", "due")[1]
    assert run("retention", "request", "01", "--dossier", "--by", "Trần Thị Mẫu", *WHY)[0] == 0
    (asked,) = json_lines("retention", "list")
    assert (asked["state"], asked["documents"], asked["requested_by"]) == ("requested", 1, "Trần Thị Mẫu")
    with pytest.raises(ConfigurationError, match="account 'vanthu'"):
        run("retention", "approve", asked["id"], "--by", "Lê Văn Duyệt", *WHY)
    as_account(monkeypatch, "chanhvp")
    with pytest.raises(ConfigurationError, match="cannot approve"):
        run("retention", "approve", asked["id"], "--by", "tran thi mau", *WHY)
    with pytest.raises(ConfigurationError, match="is requested"):
        run("retention", "carry-out", asked["id"][:8], *WHY)

    assert run("retention", "hold", "01", "--dossier", "--case", "12/2026", *WHY)[0] == 0
    assert [row["case"] for row in json_lines("retention", "holds")] == ["12/2026"]
    with pytest.raises(ConfigurationError, match="legal hold"):
        run("retention", "approve", asked["id"], "--by", "Lê Văn Duyệt", *WHY)
    assert run("retention", "release", "12/2026", *WHY)[0] == 0

    assert run("retention", "approve", asked["id"][:8], "--by", "Lê Văn Duyệt", *WHY)[0] == 0
    (done,) = json_lines("retention", "carry-out", asked["id"], *WHY)
    assert (done["documents"], done["refused"], done["objects"], done["waiting_for"]) == (1, {}, 3, [])
    assert not old.objects.exists(hashlib.sha256(b"noi dung").hexdigest())
    assert json_lines("dossier", "show", "01")[0]["documents"][0]["disposed"] is True
    assert "hủy nội" in " ".join(run("dossier", "show", "01")[1].split())
    assert json_lines("retention", "due") == []


def test_lists_are_readable_on_a_terminal_of_eighty_columns(old, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    long = "Hồ sơ về việc triển khai thực hiện nghị quyết đại hội"
    assert run("dossier", "set", "01", f"title={long}", *WHY)[0] == 0
    assert run("retention", "hold", "01", "--dossier", "--case", "12/2026-TTr", *WHY)[0] == 0
    status, due = run("retention", "due")
    assert (status, max(map(len, due.splitlines())) <= 80) == (0, True)
    for whole in ("12/2026-TTr", "01/01/2011", "hồ sơ", long):
        assert whole in due
    for listing in (("retention", "holds"), ("dossier",)):
        status, text = run(*listing)
        assert (status, max(map(len, text.splitlines())) <= 80) == (0, True)
    assert "12/2026-TTr" in run("retention", "holds")[1]


def test_the_dossiers_are_refreshed_by_a_clerk(home, stores, monkeypatch) -> None:
    (home / "access.yaml").write_text("accounts: {lan: reader, vanthu: clerk}\n")
    monkeypatch.setattr(access_accounts, "acting_account", lambda: "lan")
    with pytest.raises(ConfigurationError, match="may not work as"):
        run("dossier", "refresh")
    monkeypatch.setattr(access_accounts, "acting_account", lambda: "vanthu")
    assert json_lines("dossier", "refresh") == [{"dossiers": 0, "memberships": 0}]


def test_a_rule_and_a_persons_word_say_how_long(old) -> None:
    assert run("retention", "rule", "KL", "20 năm", "--basis", "35-HD/VPTW, mục 12", *WHY)[0] == 0
    (kept,) = json_lines("retention", "of", "161-KL/TU")
    assert (kept["retention"], kept["said_by"], kept["due_on"]) == ("20 năm", "rule", "2021-01-01")
    assert run("retention", "set", "161-KL/TU", "Vĩnh viễn", *WHY)[0] == 0
    assert "Vĩnh viễn" in run("retention", "of", "161-KL/TU")[1]
    with pytest.raises(ConfigurationError, match="not due"):
        run("retention", "request", "161-KL/TU", *WHY)


FORMULAS = ["=1+1", "+84 271", "-2", "@SUM(A1)", "\tx", "  =cmd", "＝1"]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_text_of_a_document_becomes_a_formula(text: str, tmp_path: Path) -> None:
    words = Wording("vi")
    table = Table(
        "gone", ("source", "subject", "count", "issued_date"), ((None, text, -3, date(2025, 5, 20)),)
    )
    (path,) = write_csv(tmp_path, [table], words)
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    with path.open(encoding="utf-8-sig", newline="") as stream:
        assert list(csv.reader(stream))[1] == ["", f"'{text}", "-3", "20/05/2025"]
    sheet = load_workbook(write_xlsx(tmp_path / "a.xlsx", [table], words)).worksheets[0]
    subject, count, day = (cell for cell in sheet[2][1:])
    assert (subject.value, subject.data_type, subject.quotePrefix) == (text, "s", True)
    assert (count.value, count.data_type) == (-3, "n")
    assert (day.value.date(), day.number_format) == (date(2025, 5, 20), "dd/mm/yyyy")


def test_plain_words_stay_as_they_are() -> None:
    assert harmless("Kết luận - về = gì") == "Kết luận - về = gì"
