"""Records that the secrecy gate finds only on a later night, from the folder to the nightly message."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import Result
from typer.testing import CliRunner

from archive.identities import document_id
from connectors.operations.package import DocumentPackage, Organ, PackageFile
from connectors.operations.writer import write_document
from mappings.secrecy import Finding, screen
from pipeline import receive as stage
from pipeline.access_accounts import FILE
from pipeline.acting import acting_account
from pipeline.anchoring import anchor_ledger
from pipeline.auditing import audit_archive, audit_value
from pipeline.cli import build
from pipeline.night_message import night_message, night_subject
from pipeline.settings import load_settings
from pipeline.stages import Order, Stores
from pipeline.sync import run_here
from pipeline.wording import Wording
from schemas.errors import ConfigurationError, LienthongError
from schemas.record import Window

pytestmark = pytest.mark.postgres

PACKAGE = DocumentPackage(
    sender=Organ("000.00.12.H10", "Sở Y tế"),
    recipients=(Organ("000.00.00.H10", "Văn phòng Tỉnh ủy"),),
    document_id="000.00.12.H10,2025/03/14,160-BC/SYT",
    code_number="160",
    code_notation="BC-SYT",
    promulgation_date=date(2025, 3, 14),
    subject="Báo cáo công tác phòng, chống dịch bệnh",
    type_name="Báo cáo",
    files=(PackageFile("bao cao.txt", "Ghi chú dịch tễ".encode(), content_type="text/plain"),),
)
FAILING = replace(
    PACKAGE,
    document_id="000.00.12.H10,2025/03/14,161-BC/SYT",
    code_number="161",
    subject="Báo cáo tuyến phòng thủ",
    files=(PackageFile("so do.txt", "Sơ đồ kho vũ khí".encode(), content_type="text/plain"),),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "nhan"
    folder.mkdir()
    return folder


def night(stores: Stores, folder: Path, key: str) -> tuple[int, int, int]:
    order = Order("dieu_hanh", "sync", key, Window(), folder=folder)
    summary = run_here(load_settings(), stores, order, jobs=1)
    return summary.archived, summary.quarantined, summary.withheld


def stored(home: Path) -> bytes:
    return b"\n".join(path.read_bytes() for path in (home / "objects").rglob("*") if path.is_file())


def test_what_failed_and_turns_out_to_be_secret_leaves_whole(
    home: Path, stores: Stores, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a.edxml").write_bytes(write_document(PACKAGE))
    (folder / "b.edxml").write_bytes(write_document(FAILING))
    whole = stage.normalise

    def failing(record, *arguments):
        if "161-BC/SYT" in record.listing.key:
            raise LienthongError("the record has no subject")
        return whole(record, *arguments)

    monkeypatch.setattr(stage, "normalise", failing)
    assert night(stores, folder, "dem-1") == (1, 1, 0)
    words = ("Sơ đồ kho vũ khí".encode(), b"161-BC/SYT")
    assert all(word in stored(home) for word in words)

    def seeing_more(record, config):
        return Finding("mat", "stamp") if "161-BC/SYT" in record.listing.key else screen(record, config)

    monkeypatch.setattr(stage, "screen", seeing_more)
    assert night(stores, folder, "dem-2") == (0, 0, 1)
    assert not any(word in stored(home) for word in words)
    assert "Ghi chú dịch tễ".encode() in stored(home)
    assert night(stores, folder, "dem-3") == (0, 0, 1)
    settings = load_settings()
    anchor_ledger(settings, stores)
    assert dict(audit_archive(settings, stores, full=True).counts) == {}


def test_a_later_revision_that_is_marked_seals_what_is_archived_and_the_message_says_so(
    home: Path, stores: Stores, folder: Path
) -> None:
    path = folder / "a.edxml"
    path.write_bytes(write_document(PACKAGE))
    assert night(stores, folder, "dem-1") == (1, 0, 0)
    marked = PackageFile("bao cao.txt", "MẬT\n\nSỞ Y TẾ\nBÁO CÁO".encode(), content_type="text/plain")
    path.write_bytes(write_document(replace(PACKAGE, files=(marked,))))
    assert night(stores, folder, "dem-2") == (0, 0, 1)
    assert "SỞ Y TẾ\nBÁO CÁO".encode() not in stored(home)
    with stores.engine.connect() as connection:
        ((key, access),) = connection.execute(
            sa.text("SELECT source_key, access FROM archive.document")
        ).all()
    assert access == "sealed"
    settings = load_settings()
    anchored = anchor_ledger(settings, stores)
    assert anchored is not None
    told = audit_value(audit_archive(settings, stores, full=True), Wording("vi"))
    assert (told["clean"], told["notice_count"]) == (True, 1)
    message = night_message(None, told, datetime.now(UTC))
    assert str(document_id("dieu_hanh", key)) in message
    assert "đã lưu nay bị xác định là mật" in message
    assert PACKAGE.subject not in message
    good = {"failures": ()}
    assert night_subject(good, told) == "Liên thông: CÓ VĂN BẢN ĐÃ LƯU NAY BỊ XÁC ĐỊNH LÀ MẬT"
    assert night_subject(good, {**told, "clean": False}) == "Liên thông: KHO LƯU TRỮ CẦN NGƯỜI KIỂM TRA"
    identity = str(document_id("dieu_hanh", key))
    what_the_message_advises(home, identity)
    again = audit_value(audit_archive(settings, stores, full=True), Wording("vi"))
    assert (again["clean"], again["notice_count"]) == (True, 0)


def what_the_message_advises(home: Path, identity: str) -> None:
    """The keeper looks at the sealed document, which nobody else can, and decides."""

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(build(), list(arguments))

    accounts = home / FILE
    assert run("show", identity).exit_code == 1
    accounts.write_text(f"accounts: {{{acting_account()}: clerk}}\n", encoding="utf-8")
    assert isinstance(run("show", identity, "--sealed").exception, ConfigurationError)
    accounts.write_text(f"accounts: {{{acting_account()}: keeper}}\n", encoding="utf-8")
    shown = run("show", identity, "--sealed", "--save", str(home / "ra"), "--why", "xem có mật không")
    assert (shown.exit_code, PACKAGE.subject in " ".join(shown.stdout.split())) == (0, True)
    assert any((home / "ra").rglob("*.txt"))
    assert run("access", identity, "--sealed", "--set", "open", "--why", "đóng dấu nhầm").exit_code == 0
    accounts.unlink()
    assert run("show", identity).exit_code == 0
