"""``audit_archive``, whole: anchored, checked, audited and told by mail; red when a person has to look."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa

from archive.anchor_files import outside_anchors
from archive.database import create_engine
from demo.mail_server import MailServer
from demo.pki import build_pki
from demo.tsa_server import TsaServer
from pipeline.settings import load_settings
from pipeline.stages import Order, open_stores
from pipeline.sync import run_here
from schemas.record import Window

pytestmark = [pytest.mark.dag, pytest.mark.postgres]


@pytest.fixture
def archive(made_up_office, lienthong_home):
    """An archive that holds one source of the office, opened."""
    folder, _ = made_up_office
    for name in ("drop", "trust"):
        shutil.copytree(folder / name, lienthong_home / name, dirs_exist_ok=True)
    settings = load_settings()
    stores = open_stores(settings)
    run_here(settings, stores, Order("dieu_hanh", "sync", "first", Window()))
    yield stores
    stores.engine.dispose()


@pytest.fixture
def superuser(database_url):
    engine = create_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def mail(monkeypatch):
    with MailServer() as server:
        extra = {
            "from_email": "kho@example.vn",
            "to_email": "vanthu@example.vn",
            "disable_tls": True,
            "disable_ssl": True,
        }
        connection = {"conn_type": "smtp", "host": "127.0.0.1", "port": server.port, "extra": extra}
        monkeypatch.setenv("AIRFLOW_CONN_LIENTHONG_SMTP", json.dumps(connection))
        yield server


@pytest.fixture
def authority(monkeypatch):
    with TsaServer(build_pki(2026).tsa) as server:
        connection = {"conn_type": "http", "host": server.url}
        monkeypatch.setenv("AIRFLOW_CONN_LIENTHONG_TSA", json.dumps(connection))
        yield server


def night(dag_bag, **form) -> str:
    return str(dag_bag.dags["audit_archive"].test(run_conf={"full": False, "gigabytes": 11, **form}).state)


def tamper(engine: sa.Engine, statement: str) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        assert connection.execute(sa.text(statement)).rowcount


def test_two_nights_anchor_audit_and_tell_and_the_third_finds_what_was_done(
    dag_bag, archive, superuser, mail, authority, lienthong_home: Path
):
    anchors = lienthong_home / "anchors"
    for number in (1, 2):
        assert night(dag_bag) == "success"
        held = outside_anchors(anchors)
        assert [item.number for item in held] == list(range(1, number + 1)), (
            "each check is an event of its own"
        )
        assert all(item.reply for item in held)
        assert len(list(anchors.glob("report-*.txt"))) == number
        got = mail.received[-1]
        assert got.recipients == ("vanthu@example.vn",)
        assert got.message["Subject"] == "Liên thông: kho lưu trữ toàn vẹn"
        text = got.message.get_content()
        with archive.engine.connect() as connection:
            row = connection.execute(
                sa.text("SELECT * FROM archive.anchor ORDER BY number DESC LIMIT 1")
            ).one()
        for line in (
            "BÁO CÁO KHO LƯU TRỮ LIÊN THÔNG",
            f"Mốc neo số {number}: {row.tree_size} sự kiện",
            f"Gốc Merkle: {row.root}",
            f"SHA-256 của bản ghi mốc neo: {row.record_sha256}",
            "Có dấu thời gian RFC 3161",
            "Kho lưu trữ toàn vẹn",
            f"{number} dấu thời gian tin cậy",
            "The archive is whole",
        ):
            assert line in text
        assert sorted(anchors.glob("report-*.txt"))[-1].read_text() == text
    assert authority.asked == 2

    tamper(superuser, "DELETE FROM archive.quarantine")
    assert night(dag_bag) == "failed"
    got = mail.received[-1]
    assert got.message["Subject"] == "Liên thông: KHO LƯU TRỮ CẦN NGƯỜI KIỂM TRA"
    assert "[row_removed]" in got.message.get_content()
    assert len(outside_anchors(anchors)) == 3, "what happened is anchored all the same"

    tamper(
        superuser,
        "UPDATE archive.event SET outcome = 'failure' WHERE seq = (SELECT max(seq) FROM archive.event)",
    )
    assert night(dag_bag, full=True) == "failed"
    assert len(outside_anchors(anchors)) == 3, "a broken ledger is not anchored"
    text = mail.received[-1].message.get_content()
    assert "KHÔNG NEO ĐƯỢC SỔ CÁI" in text
    assert "[event_changed]" in text


def test_without_connections_the_message_lies_in_the_folder(dag_bag, archive, lienthong_home: Path):
    assert night(dag_bag) == "success"
    [message] = (lienthong_home / "anchors").glob("report-*.txt")
    assert "Không có dấu thời gian" in message.read_text()
