"""Who reads what at the command line: accounts, decisions, and what leaves its trace."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from archive.access_roles import Role
from archive.database import create_engine
from pipeline.access_accounts import FILE, allowed_roles, load_accounts, open_for_reading
from pipeline.acting import acting_account
from pipeline.cli import build
from pipeline.settings import load_settings
from schemas.errors import ConfigurationError

pytestmark = pytest.mark.postgres


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(build(), list(arguments))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout


def duties(home: Path, duty: str | None, others: str = "none") -> None:
    accounts = f"{{{acting_account()}: {duty}}}" if duty else "{}"
    (home / FILE).write_text(f"accounts: {accounts}\nothers: {others}\n", encoding="utf-8")


@pytest.fixture
def synced(home: Path) -> Path:
    assert run("sync", "dieu_hanh", "--jobs", "1")[0] == 0
    return home


def test_a_document_is_restricted_sealed_and_unsealed_with_reasons_that_stay(synced, office, database_url):
    wanted = office.case("asked")
    assert "theo hồ sơ và cấu hình nguồn" in run("access", wanted.symbol)[1]
    status, told = run(
        "access", wanted.symbol, "--set", "personal", "--why", "có thông tin cá nhân", "--by", "Lê Mẫu"
    )
    assert (status, "bí mật đời sống riêng tư (do người quyết định)" in told) == (0, True)
    assert json.loads(run("show", wanted.symbol, "--json")[1])["access"] == "personal"

    duties(synced, "reader")
    assert run("show", wanted.symbol)[0] == 1
    assert wanted.subject not in run("show", wanted.symbol)[1]
    assert run("show", office.case("answer").symbol)[0] == 0
    with pytest.raises(ConfigurationError, match="may not work as archive_clerk"):
        run("access", wanted.symbol, "--set", "open", "--why", "thử")
    out = ("--recalled", "--out", str(synced / "out"), "--why", "thử")
    for leaving in (
        ("handover", "sip", wanted.symbol),
        ("register", "den", "--source", "s", "--year", "2025"),
    ):
        with pytest.raises(ConfigurationError, match="may not work as archive_clerk"):
            run(*leaving, *out)
    with pytest.raises(ConfigurationError, match="may not work as archive_clerk"):
        run("dossier", "organ", "A99.01", "--name", "Tỉnh ủy", "--why", "thử")

    duties(synced, "clerk")
    assert run("show", wanted.symbol)[0] == 0
    assert run("access", wanted.symbol, "--set", "sealed", "--why", "phát hiện bí mật nhà nước")[0] == 0
    assert run("show", wanted.symbol)[0] == 1
    with pytest.raises(ConfigurationError, match="names 0 documents"):
        run("access", wanted.symbol, "--set", "open", "--why", "thử")
    with pytest.raises(ConfigurationError, match="archive_owner"):
        run("access", wanted.symbol, "--sealed")

    duties(synced, "keeper")
    assert "NIÊM PHONG" in run("access", wanted.symbol, "--sealed")[1]
    assert run("access", wanted.symbol, "--sealed", "--set", "open", "--why", "đã giải mật")[0] == 0
    assert run("show", wanted.symbol)[0] == 0
    decisions = events(database_url, "access change")
    assert [(found["by"], found["why"], found["values"]["access"]) for found in decisions] == [
        ("Lê Mẫu", "có thông tin cá nhân", "personal"),
        (acting_account(), "phát hiện bí mật nhà nước", "sealed"),
        (acting_account(), "đã giải mật", "open"),
    ]


def test_a_decision_without_a_reason_is_refused(synced, office):
    with pytest.raises(ConfigurationError, match="no reason"):
        run("access", office.case("asked").symbol, "--set", "personal")


def test_every_file_that_leaves_is_in_the_ledger_and_looking_is_not(synced, office, database_url, tmp_path):
    wanted = office.case("asked")
    run("show", wanted.symbol)
    assert events(database_url, "dissemination") == []
    run(
        "show",
        wanted.symbol,
        "--save",
        str(tmp_path / "ra"),
        "--by",
        "Trần Mẫu",
        "--why",
        "phục vụ thanh tra",
    )
    copied = {path.stem.rpartition("-")[2] for path in (tmp_path / "ra").rglob("*") if path.is_file()}
    told = events(database_url, "dissemination")
    assert {found["sha256"][:16] for found in told} == copied
    assert {(found["person"], found["purpose"], found["account"], found["role"]) for found in told} == {
        ("Trần Mẫu", "phục vụ thanh tra", acting_account(), "archive_clerk")
    }


@pytest.mark.parametrize("why", [(), ("--why", " ")])
def test_no_file_leaves_without_a_purpose_that_a_person_gave(synced, office, database_url, tmp_path, why):
    result = CliRunner().invoke(
        build(), ["show", office.case("asked").symbol, "--save", str(tmp_path / "ra"), *why]
    )
    assert result.exit_code == 2
    assert "hãy nói để làm gì" in " ".join(result.output.split())
    assert not (tmp_path / "ra").exists()
    assert events(database_url, "dissemination") == []


def test_a_reader_is_told_of_neither_quarantine_nor_what_was_withheld(synced, office, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert "Sự kiện trong sổ cái" in run("status")[1]
    duties(synced, "reader")
    status, told = run("status")
    assert (status, "Sự kiện trong sổ cái" in told) == (0, False)
    counted = json.loads(run("status", "--json")[1])["archive"]
    assert (counted["events"], counted["withheld"], counted["quarantined_open"]) == (None, None, None)
    assert counted["documents"] > 0
    for command in (("quarantine",), ("show", office.case("recalled").symbol, "--recalled")):
        with pytest.raises(ConfigurationError, match="clerk"):
            run(*command)
    run("show", office.case("recalled").symbol, "--save", str(tmp_path / "ra"), "--why", "phục vụ thanh tra")
    assert not (tmp_path / "ra").exists()


def test_accounts_have_the_duty_that_the_file_gives_or_none(home, monkeypatch):
    settings = load_settings()
    assert Role.OWNER in allowed_roles(settings)  # a server of the office's own: the login decides
    duties(home, "auditor")
    assert allowed_roles(settings) == (Role.AUDITOR,)
    with pytest.raises(ConfigurationError, match="may not work as archive_reader") as told:
        open_for_reading(settings)
    assert FILE in told.value.where
    duties(home, None)
    assert allowed_roles(settings) == ()
    duties(home, None, others="reader")
    assert allowed_roles(settings) == (Role.READER,)
    (home / FILE).unlink()
    monkeypatch.delenv("LIENTHONG_DATABASE_URL")
    assert Role.CLERK in allowed_roles(settings)  # the data folder is ours
    monkeypatch.setenv("SUDO_USER", "người_khác")
    monkeypatch.setenv("SUDO_UID", str(os.geteuid() + 1))
    assert allowed_roles(settings) == (Role.READER,)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("accounts: {lan: chủ}\n", "Input should be 'reader'"),
        ("acounts: {}\n", "did you mean 'accounts'"),
        ("others: clerk\n", "Input should be 'none'"),
        ("- lan\n", "valid dictionary"),
    ],
)
def test_a_wrong_file_of_accounts_is_refused_with_its_line(tmp_path, text, problem):
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=problem) as told:
        load_accounts(tmp_path / FILE)
    assert f"{FILE}:1" in told.value.where


def test_a_night_over_personal_material_logs_none_of_its_words(home, office, caplog, capfd, monkeypatch):
    """Every level of every logger, and what the command prints of a run."""
    sources = home / "sources"
    sources.mkdir(exist_ok=True)
    packaged = Path("mappings/sources/notes_van_ban.yaml").read_text(encoding="utf-8")
    (sources / "notes_van_ban.yaml").write_text(
        packaged.replace("  default: open\n", "  default: personal\n"), encoding="utf-8"
    )
    with caplog.at_level(logging.DEBUG):
        status, printed = run("sync", "notes_van_ban")
    captured = capfd.readouterr()
    said = " ".join((printed, captured.out, captured.err, caplog.text))
    subjects = [record.subject for record in office.of("notes_van_ban") if record.subject]
    assert status == 0
    assert len(subjects) > 5
    assert [subject for subject in subjects if subject in said] == []
    duties(home, "reader")
    engine = open_for_reading(load_settings()).engine
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM archive.document")) == 0
    engine.dispose()


def events(url: str, kind: str) -> list[dict]:
    engine = create_engine(url)
    with engine.connect() as connection:
        rows = connection.scalars(
            sa.text("SELECT payload FROM archive.event WHERE type = :kind ORDER BY seq"), {"kind": kind}
        ).all()
    engine.dispose()
    return [json.loads(row) for row in rows]
