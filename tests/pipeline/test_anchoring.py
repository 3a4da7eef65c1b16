"""Anchors leave the database: files that are only added, and time-stamps of a real authority over HTTP."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa
from airflow.sdk import Connection
from asn1crypto import cms
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from typer.testing import CliRunner

from archive.anchor_files import MARKER, outside_anchors, publish, write_once
from archive.anchor_record import read_anchor
from archive.anchor_tokens import judge_stamps, token_of
from archive.audit_anchors import StampedAnchor
from archive.cursors import psycopg_cursor
from archive.ledger import Event, EventType, append, lock
from demo.mail_server import MailServer
from demo.pki import Credential, Pki, build_pki
from demo.tsa_server import TsaServer
from pipeline import tasks_audit
from pipeline.anchoring import AnchoredLedger, anchor_ledger
from pipeline.auditing import audit_archive
from pipeline.cli import build
from pipeline.commands.doctor import examine
from pipeline.night_message import keep_message
from pipeline.settings import Settings, load_settings
from pipeline.stages import Stores, open_stores
from pipeline.time_stamping import stamp_by
from schemas.errors import ConfigurationError, FatalError, RetriableError
from signatures.trust import TrustStore
from tests.signatures.pki_factory import day, issue, revocation_list

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def pki() -> Pki:
    return build_pki(2026)


@pytest.fixture(scope="module")
def trust(pki: Pki) -> TrustStore:
    """What the office trusts, with its revocation lists."""
    root, tsa_ca = (
        pki.authorities[name].certificate.public_bytes(Encoding.DER) for name in ("root", "tsa-ca")
    )
    lists = (pki.crls["root"], pki.crls["tsa-ca"])
    return TrustStore(roots=(root,), tsa_roots=(root,), intermediates=(tsa_ca,), crls=lists)


@pytest.fixture
def settings(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("LIENTHONG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LIENTHONG_DATABASE_URL", database_url)
    monkeypatch.setenv("LIENTHONG_ANCHORS", str(tmp_path / "share"))
    (tmp_path / "share").mkdir()
    monkeypatch.delenv("LIENTHONG_TSA_URL", raising=False)
    return load_settings()


@pytest.fixture
def stores(settings: Settings) -> Iterator[Stores]:
    opened = open_stores(settings)
    yield opened
    opened.engine.dispose()


@pytest.fixture
def happen(stores: Stores) -> Callable[[], None]:
    """Something happens: one event more."""

    def happen() -> None:
        with stores.engine.begin() as connection:
            cursor = psycopg_cursor(connection)
            lock(cursor)
            append(cursor, [Event(EventType.READING, "success", "s", "o")], datetime.now(UTC))

    return happen


def numbers(done: AnchoredLedger) -> tuple[int, bool, bool]:
    assert done.anchored is not None
    return done.anchored.anchor.number, done.anchored.made, done.anchored.token_sha256 is not None


def test_every_folder_gets_every_anchor_as_the_object_store_has_it(
    settings: Settings, stores: Stores, happen: Callable[[], None], tmp_path: Path
) -> None:
    for _ in range(3):
        happen()
        anchor_ledger(settings, stores)
    assert settings.anchors == (tmp_path / "home" / "anchors", tmp_path / "share")
    for folder in settings.anchors:
        assert sorted(path.name for path in folder.iterdir()) == [
            *(f"anchor-{number:06}.json" for number in (1, 2, 3)),
            "lienthong-anchors.json",
        ]
        for item in outside_anchors(folder):
            anchor = read_anchor(item.record)
            assert anchor.number == item.number
            with stores.engine.connect() as connection:
                query = sa.text("SELECT record_sha256 FROM archive.anchor WHERE number = :number")
                name = connection.scalar(query, {"number": item.number})
            with stores.objects.open(str(name)) as stream:
                assert stream.read() == item.record


def test_a_folder_that_was_away_gets_what_it_missed_and_an_older_gap_stays_for_the_audit(
    settings: Settings, stores: Stores, happen: Callable[[], None], tmp_path: Path
) -> None:
    share = tmp_path / "share"
    happen()
    anchor_ledger(settings, stores)
    share.rename(tmp_path / "away")
    for what, told in ((share.mkdir, "trống dù đã có mốc neo"), (share.rmdir, "không có ở đó")):
        what()  # the mount point without its share; no mount point
        happen()
        [failure] = anchor_ledger(settings, stores).failures
        assert told in failure
        assert f"lienthong anchor --begin {share}" in failure
        assert not (share.exists() and list(share.iterdir())), "nothing is written beside the share"
    (tmp_path / "away").rename(share)
    assert anchor_ledger(settings, stores).failures == ()
    assert [item.number for item in outside_anchors(share)] == [1, 2, 3]

    (share / "anchor-000001.json").unlink()
    happen()
    [failure] = anchor_ledger(settings, stores).failures
    assert "mất các mốc 1:" in failure
    assert "lost the anchors 1:" in failure
    assert [item.number for item in outside_anchors(share)] == [2, 3, 4]


def test_a_folder_that_begins_later_or_anew_is_named_by_a_person(
    settings: Settings, stores: Stores, happen: Callable[[], None], tmp_path: Path
) -> None:
    share = tmp_path / "share"
    share.rmdir()
    happen()
    [failure] = anchor_ledger(settings, stores).failures
    assert "không có ở đó" in failure
    with pytest.raises(ConfigurationError, match="no folder of anchors of this archive"):
        anchor_ledger(settings, stores, begin=[tmp_path / "khac"])
    runner = CliRunner()
    assert runner.invoke(build(), ["anchor"]).exit_code == 1
    begun = runner.invoke(build(), ["anchor", "--begin", str(share), "--json"])
    assert (begun.exit_code, json.loads(begun.stdout)["published"]) == (0, 1)
    for name in ("anchor-000001.json", "lienthong-anchors.json"):
        (share / name).unlink()
    happen()
    assert anchor_ledger(settings, stores).failures != ()
    assert anchor_ledger(settings, stores, begin=[share]).failures == ()
    assert [item.number for item in outside_anchors(share)] == [1, 2]


def test_a_folder_from_before_there_were_markers_gets_one_where_it_is_whole(
    settings: Settings, stores: Stores, happen: Callable[[], None], tmp_path: Path
) -> None:
    marker = tmp_path / "share" / MARKER
    for _ in range(2):
        happen()
        anchor_ledger(settings, stores)
    told = marker.read_bytes()
    marker.unlink()
    assert anchor_ledger(settings, stores).failures == ()
    assert marker.read_bytes() == told
    marker.write_bytes(told[:10])
    assert anchor_ledger(settings, stores).failures == ()
    assert marker.read_bytes() == told, "a crash had cut it short"
    marker.write_bytes(told.replace(b'sha256": "', b'sha256": "0'))
    for begin in ((), (tmp_path / "share",)):
        [failure] = anchor_ledger(settings, stores, begin=begin).failures
        assert "là của một kho khác" in failure
    marker.unlink()
    (tmp_path / "share" / "anchor-000001.json").write_bytes(b"cua kho khac")
    [failure] = anchor_ledger(settings, stores).failures
    assert "là của một kho khác" in failure
    assert not marker.exists()


def test_the_audit_and_the_doctor_tell_of_a_share_that_is_not_there(
    settings: Settings, stores: Stores, happen: Callable[[], None], tmp_path: Path
) -> None:
    happen()
    anchor_ledger(settings, stores)
    (tmp_path / "share").rename(tmp_path / "away")
    assert audit_archive(settings, stores).counts == {"anchor_folder_missing": 1}
    [check] = [check for check in examine() if check.name == "anchors"]
    assert (check.state, "mount the share" in check.detail) == ("problem", True)


def test_a_file_that_a_crash_cut_short_is_completed_and_another_one_is_left_alone(
    settings: Settings, stores: Stores, happen: Callable[[], None]
) -> None:
    happen()
    anchor_ledger(settings, stores)
    path = settings.anchors[0] / "anchor-000001.json"
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    assert publish(stores.engine, stores.objects, settings.anchors[0]) == 1
    assert path.read_bytes() == whole
    path.write_bytes(b"khac")
    assert publish(stores.engine, stores.objects, settings.anchors[0]) == 0
    assert path.read_bytes() == b"khac"
    assert not write_once(path, b"khac")


def test_an_authority_stamps_the_record_and_openssl_agrees(
    settings: Settings,
    stores: Stores,
    happen: Callable[[], None],
    pki: Pki,
    trust: TrustStore,
    tmp_path: Path,
) -> None:
    happen()
    with TsaServer(pki.tsa) as server:
        done = anchor_ledger(settings, stores, stamp=stamp_by(server.url))
        assert numbers(done) == (1, True, True)
        assert numbers(anchor_ledger(settings, stores, stamp=stamp_by(server.url))) == (1, False, True)
        assert server.asked == 1, "nothing new: the authority is not asked again"
    [item] = outside_anchors(settings.anchors[0])
    assert item.reply is not None
    stamped = StampedAnchor(1, item.record, item.reply)
    [judged] = judge_stamps([stamped], trust, datetime.now(UTC))
    assert judged.passed, judged.judged.message
    [untrusted] = judge_stamps([stamped], TrustStore(), datetime.now(UTC))
    assert untrusted.judged.matches
    assert not untrusted.passed
    [other] = judge_stamps([StampedAnchor(1, item.record + b" ", item.reply)], trust, datetime.now(UTC))
    assert (other.judged.matches, other.judged.stamp.sub_indication) == (False, "HASH_FAILURE")

    for name in ("root", "tsa-ca"):
        (tmp_path / f"{name}.pem").write_bytes(pki.authorities[name].certificate.public_bytes(Encoding.PEM))
    reply = item.place.with_suffix(".tsr")
    verify = ["openssl", "ts", "-verify", "-in", reply, "-data", item.place, "-CAfile", tmp_path / "root.pem",
              "-untrusted", tmp_path / "tsa-ca.pem"]  # fmt: skip
    told = subprocess.run(verify, capture_output=True, text=True, check=False)
    assert "Verification: OK" in told.stdout, told.stderr


def test_an_authority_that_is_away_or_refuses_is_told_and_asked_again_the_next_night(
    settings: Settings, stores: Stores, happen: Callable[[], None], pki: Pki
) -> None:
    happen()
    with TsaServer(pki.tsa) as gone:
        away = stamp_by(gone.url)
    done = anchor_ledger(settings, stores, stamp=away)
    assert numbers(done) == (1, True, False)
    assert "gave no time-stamp" in done.failures[0]
    with TsaServer(pki.tsa, refuses=True) as server:
        refused = anchor_ledger(settings, stores, stamp=stamp_by(server.url))
    assert numbers(refused) == (2, True, False), "a new anchor, for its time-stamp"
    assert "refused: rejection" in refused.failures[0]
    with TsaServer(pki.tsa) as server:
        assert numbers(anchor_ledger(settings, stores, stamp=stamp_by(server.url))) == (3, True, True)


def test_a_token_over_something_else_is_no_time_stamp(pki: Pki, monkeypatch: pytest.MonkeyPatch) -> None:
    with TsaServer(pki.tsa) as server:
        good = stamp_by(server.url)(b"ban ghi")
        monkeypatch.setattr(server, "answer", lambda _: good)
        with pytest.raises(RetriableError, match="HASH_FAILURE"):
            stamp_by(server.url)(b"ban ghi khac")
        with pytest.raises(RetriableError, match="belongs to another request"):
            stamp_by(server.url)(b"ban ghi")
        monkeypatch.setattr(server, "answer", lambda _: b"khong phai DER")
        with pytest.raises(RetriableError, match="gave no time-stamp"):
            stamp_by(server.url)(b"ban ghi")


def test_an_expired_authority_still_counts_where_a_newer_time_stamp_covers_its_anchor(
    settings: Settings, stores: Stores, happen: Callable[[], None]
) -> None:
    """The renewal of RFC 4998: the newer anchor names the older one and its reply."""
    ca = issue({NameOID.COMMON_NAME: "Gốc dấu thời gian"}, None, day(-100), day(5000), ca=True)
    stamps = []
    for name, start, end, moment in (("cũ", -10, 5, 4), ("mới", 0, 2000, 4.5)):
        unit = issue(
            {NameOID.COMMON_NAME: f"Dấu thời gian {name}"}, ca, day(start), day(end), tsa=True, key=rsa_key()
        )
        happen()
        with TsaServer(Credential("tsa", unit.certificate, unit.key), partial(day, moment)) as server:  # type: ignore[arg-type]
            anchor_ledger(settings, stores, stamp=stamp_by(server.url))
    for item in outside_anchors(settings.anchors[0]):
        assert item.reply is not None
        stamps.append(StampedAnchor(item.number, item.record, item.reply))
    lists = tuple(revocation_list(ca, day(when)) for when in (4.2, 100))
    trust = TrustStore(tsa_roots=(ca.der,), crls=lists)
    assert passing(stamps, trust, 100) == [2, 1]
    assert passing(stamps[:1], trust, 100) == [], "nothing newer covers it"
    revoked = revocation_list(ca, day(100), {load_serial(stamps[0]): day(3)})
    assert passing(stamps, TrustStore(tsa_roots=(ca.der,), crls=(lists[0], revoked)), 100) == [2]


def passing(stamps: list[StampedAnchor], trust: TrustStore, at: float) -> list[int]:
    return [stamp.number for stamp in judge_stamps(stamps, trust, day(at)) if stamp.passed]


def load_serial(stamp: StampedAnchor) -> int:
    return int(cms.ContentInfo.load(token_of(stamp.reply))["content"]["certificates"][0].chosen.serial_number)


def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def test_the_command_says_what_it_anchored(
    settings: Settings, stores: Stores, happen: Callable[[], None]
) -> None:
    runner = CliRunner()
    assert "Sổ cái còn trống" in runner.invoke(build(), ["anchor"]).output
    happen()
    told = json.loads(runner.invoke(build(), ["anchor", "--json"]).stdout)
    assert (told["number"], told["tree_size"], told["made"], told["published"]) == (1, 2, True, 2)
    again = runner.invoke(build(), ["anchor"])
    assert again.exit_code == 0
    assert "Không có sự kiện mới; mốc gần nhất là số 1, 2 sự kiện" in again.output


class Connections:
    """Airflow's connections as a task reaches them: the mail server alone."""

    def __init__(self, port: int) -> None:
        self._mail = Connection(
            conn_id="lienthong_smtp",
            conn_type="smtp",
            host="127.0.0.1",
            port=port,
            extra=json.dumps(
                {"from_email": "kho@x.vn", "to_email": "a@x.vn", "disable_tls": True, "disable_ssl": True}
            ),
        )

    def get(self, conn_id: str, default_conn: None = None) -> Connection | None:
        return self._mail if conn_id == "lienthong_smtp" else default_conn


def test_the_message_goes_out_by_mail_once_also_when_the_share_is_away(
    settings: Settings, stores: Stores, happen: Callable[[], None], tmp_path: Path
) -> None:
    (tmp_path / "share").rmdir()
    (tmp_path / "share").write_text("no folder")
    happen()
    anchored = tasks_audit.anchor({"conn": Connections(0)})
    form = {"params": {"full": False, "gigabytes": 1}}
    audited = tasks_audit.audit(form, tasks_audit.fixity(form))
    assert audited["counts"] == {"anchor_folder_missing": 1}
    with MailServer() as server:
        context = {"conn": Connections(server.port)}
        for _ in range(2):
            with pytest.raises(RetriableError, match=r"share has no lienthong-anchors\.json"):
                tasks_audit.keep(anchored, audited, context)
        assert server.received == []
        # Nothing that is tried again: the message would go out once more.
        for found, told in ((audited, "CẦN NGƯỜI KIỂM TRA"), (audited | {"clean": True}, "not lie in every")):
            server.received.clear()
            with pytest.raises(FatalError, match=told):
                tasks_audit.report(anchored, found, None, context)
            assert len(server.received) == 1
        server.received.clear()
        with pytest.raises(FatalError):
            tasks_audit.report(anchored, audited, None, context)
    [got] = server.received
    assert "share không có ở đó: gắn lại ổ chia sẻ" in got.message.get_content()
    assert len(list((tmp_path / "home" / "anchors").glob("report-*.txt"))) == 1
    (tmp_path / "share").unlink()
    anchor_ledger(settings, stores, begin=[tmp_path / "share"])
    kept = tasks_audit.keep(anchored, audited, context)
    assert len(kept) == 2
    assert {Path(name).read_text() for name in kept} == {got.message.get_content()}


def test_two_messages_of_one_second_are_both_kept(tmp_path: Path) -> None:
    at = datetime(2026, 11, 27, 23, 30, tzinfo=UTC)
    for text in ("một", "hai", "một"):
        keep_message([tmp_path], text, at)
    kept = sorted(tmp_path.iterdir())
    assert sorted(path.read_text() for path in kept) == ["hai", "một"]
    assert all(path.name.startswith("report-20261127T233000Z-") for path in kept)


def test_the_night_counts_all_orphans_and_names_the_first(settings: Settings, stores: Stores) -> None:
    form = {"params": {"full": False, "gigabytes": 1}}
    checked = tasks_audit.fixity(form)
    told = checked["told"]
    assert isinstance(told, dict)
    checked |= {"told": told | {"orphan_count": 1500}, "orphans": [f"{number:064x}" for number in range(50)]}
    audited = tasks_audit.audit(form, checked)
    assert (audited["clean"], audited["counts"]) == (False, {"orphan": 1500})
    assert len(audited["problems"]) == 50  # type: ignore[arg-type]
