"""``lienthong register`` and ``lienthong handover`` as a records clerk meets them."""

from __future__ import annotations

import json
from pathlib import Path

import bagit
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from archive.dossiers import refresh
from pipeline.cli import build
from schemas.errors import ConfigurationError

pytestmark = pytest.mark.postgres


def run(*arguments: str) -> str:
    result = CliRunner().invoke(build(), list(arguments))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.stdout
    return result.stdout


def test_the_clerk_prints_a_register_and_hands_a_document_over(night, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LIENTHONG_HOME", str(night.settings.home))
    monkeypatch.setenv(
        "LIENTHONG_DATABASE_URL", night.stores.engine.url.render_as_string(hide_password=False)
    )
    out = ("--from", "1990-01-01", "--to", "2099-12-31", "--json")
    made = json.loads(run("register", "di", "--source", "notes_van_ban", "--out", str(tmp_path / "so"), *out))
    assert made["entries"] > 0
    assert made["selected"] == made["entries"] + sum(made["left_out"].values())
    assert len(list((tmp_path / "so").iterdir())) == 2
    said = run(
        "register", "den", "--source", "notes_van_ban", "--year", "2025", "--out", str(tmp_path / "so2")
    )
    assert said.startswith("Đã lập Sổ đăng ký văn bản đến: ")
    with night.stores.engine.connect() as connection:
        document = str(
            connection.exec_driver_sql(
                "SELECT id FROM archive.document WHERE kind = 'document' AND access = 'open' ORDER BY id LIMIT 1"
            ).scalar()
        )
    arguments = ("--why", "Nộp lưu", "--recalled", "--json")
    sip = json.loads(
        run("handover", "sip", document, "--out", str(tmp_path / "sip"), "--as", "zip", *arguments)
    )
    assert (sip["selected"], sip["handed_over"], sip["left_out"]) == (1, 1, {})
    run("handover", "bag", document, "--out", str(tmp_path / "bag"), *arguments)
    bagit.Bag(str(tmp_path / "bag")).validate(processes=1)


def test_a_dossier_of_personal_documents_is_not_named_to_a_reader(night, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LIENTHONG_HOME", str(night.settings.home))
    engine = night.stores.engine
    monkeypatch.setenv("LIENTHONG_DATABASE_URL", engine.url.render_as_string(hide_password=False))
    refresh(engine)
    with engine.begin() as connection:
        one = str(connection.scalar(sa.text("SELECT min(id::text) FROM archive.dossier")))
        classes = connection.execute(
            sa.text(
                """SELECT id, access FROM archive.document d WHERE EXISTS (SELECT FROM archive.dossier_document x
                WHERE x.document_id = d.id AND x.dossier_id = CAST(:one AS uuid))"""
            ),
            {"one": one},
        ).all()
        assert classes
        for identity, _ in classes:
            _classify(connection, identity, "personal")
    try:
        kept = ("--organ", "Tỉnh ủy", "--format", "xlsx", "--json")
        for name, personal, left_out in (("a", (), {"access": 1}), ("b", ("--personal",), {})):
            made = json.loads(run("register", "ho-so", "--out", str(tmp_path / name), *kept, *personal))
            assert made["left_out"] == left_out
            assert made["selected"] == made["entries"] + sum(left_out.values())
        wanted = ("register", "van-ban-trong-ho-so", "--dossier", one, "--out", str(tmp_path / "c"), *kept)
        with pytest.raises(ConfigurationError, match="may not be read"):
            run(*wanted)
        assert json.loads(run(*wanted, "--personal"))["entries"] == len(classes)
    finally:
        with engine.begin() as connection:
            for identity, access in classes:
                _classify(connection, identity, access)


def _classify(connection: sa.Connection, document: object, access: str) -> None:
    connection.execute(
        sa.text("UPDATE archive.document SET access = :access WHERE id = :id"),
        {"access": access, "id": document},
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("register", "xyz", "--out", "x"), "no register is called"),
        (("register", "den", "--out", "x", "--source", "s"), "time is not given"),
        (("register", "den", "--out", "x", "--year", "2025"), "--source is missing"),
        (
            ("register", "den", "--out", "x", "--year", "2025", "--source", "s", "--format", "doc"),
            "no format",
        ),
        (("handover", "xyz", "--out", "x", "--why", "y"), "kind cannot be"),
        (("handover", "sip", "--out", "x", "--why", " "), "without a reason"),
    ],
)
def test_what_is_asked_wrongly_is_said(night, monkeypatch, arguments: tuple[str, ...], message: str) -> None:
    monkeypatch.setenv("LIENTHONG_HOME", str(night.settings.home))
    monkeypatch.setenv(
        "LIENTHONG_DATABASE_URL", night.stores.engine.url.render_as_string(hide_password=False)
    )
    with pytest.raises(ConfigurationError, match=message):
        run(*arguments)
