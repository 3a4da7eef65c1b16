"""Every DAG, whole, on the embedded PostgreSQL, reading what a made-up office exported."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from archive.ledger import EventType
from archive.runs import runs
from demo.domino_server import DominoServer, Settings
from demo.exchange_messages import messages
from demo.petitions import failing_unid, petitions_database
from demo.simulators import SIMULATORS
from demo.vxp_server import VxpServer
from pipeline.settings import load_settings, source_config
from pipeline.stages import open_stores
from schemas.errors import FatalError
from tests.dags.conftest import REPOSITORY

pytestmark = [pytest.mark.dag, pytest.mark.postgres]

SOURCES = ("notes_van_ban", "dieu_hanh")


@pytest.fixture
def office(made_up_office, lienthong_home):
    """The office's own statement of what it dropped into the fresh installation."""
    folder, report = made_up_office
    for name in ("drop", "trust"):
        shutil.copytree(folder / name, lienthong_home / name, dirs_exist_ok=True)
    return report


@pytest.fixture
def stores(lienthong_home):
    opened = open_stores(load_settings())
    yield opened
    opened.engine.dispose()


VERIFICATION = {"reason": "", "everything": False, "dry_run": False}
FORM = {"from_day": None, "to_day": None, "batch_size": 500, "folder": None, "dry_run": False}


def run_dag(dag_bag, dag_id: str, **form) -> str:
    # The whole form every time: dag.test() leaves what it was given in the DAG object.
    whole = FORM if dag_id.startswith("backfill__") else VERIFICATION if dag_id.startswith("reverify") else {}
    filled = {**whole, **form} or None
    return str(dag_bag.dags[dag_id].test(run_conf=filled).state)


def rows(stores) -> dict[str, int]:
    tables = (
        "document",
        "document_version",
        "attachment",
        "relation",
        "signature_verdict",
        "quarantine",
        "withheld",
    )
    with stores.engine.connect() as connection:
        counts = {name: connection.scalar(sa.text(f"select count(*) from archive.{name}")) for name in tables}
        # A run is accounted for even when it changed nothing; nothing else may be noted of it.
        events = sa.text("select count(*) from archive.event where type <> :accounting")
        counts["event"] = connection.scalar(events, {"accounting": EventType.ACCOUNTING.value})
        return counts


def test_a_night_of_both_sources_accounts_for_everything_and_a_second_changes_nothing(
    dag_bag, office, stores
):
    for source in SOURCES:
        assert run_dag(dag_bag, f"sync__{source}") == "success"
        [run] = runs(stores.engine, source=source)
        expected = office.counts(source)
        assert (run.listed - run.unchanged, run.archived, run.quarantined, run.withheld) == (
            expected.listed,
            expected.archived,
            expected.quarantined,
            expected.withheld,
        )
        assert run.state == "finished"
    before, objects = rows(stores), set(stores.objects)

    for source in SOURCES:
        assert run_dag(dag_bag, f"sync__{source}") == "success"
        again = runs(stores.engine, source=source)[0]
        assert again.archived == 0
        assert (again.quarantined, again.withheld) == (
            office.counts(source).quarantined,
            office.counts(source).withheld,
        )
    assert rows(stores) == before
    assert set(stores.objects) == objects


def test_a_dry_backfill_writes_nothing_and_a_real_one_takes_only_its_days(dag_bag, office, stores):
    assert run_dag(dag_bag, "backfill__notes_van_ban", dry_run=True) == "success"
    assert runs(stores.engine) == []
    assert rows(stores)["document"] == 0

    form = {"from_day": "2000-01-01", "to_day": "2012-12-31", "batch_size": 3}
    assert run_dag(dag_bag, "backfill__notes_van_ban", **form) == "success"
    [run] = runs(stores.engine)
    assert run.kind == "backfill"
    assert 0 < run.listed < office.counts("notes_van_ban").listed
    assert run.window_start.isoformat() == "1999-12-31T17:00:00+00:00"
    assert run.window_end.isoformat() == "2012-12-31T17:00:00+00:00"


def test_both_backfills_take_their_whole_source(dag_bag, office, stores):
    for source in SOURCES:
        assert run_dag(dag_bag, f"backfill__{source}") == "success"
        assert runs(stores.engine, source=source)[0].archived == office.counts(source).archived


def test_a_failed_batch_fails_the_run_in_airflow_and_in_the_archive(dag_bag, office, stores, monkeypatch):
    def full_disk(*_):
        raise FatalError("đĩa đầy")

    monkeypatch.setattr("pipeline.stages.judge_batch", full_disk)
    assert run_dag(dag_bag, "sync__dieu_hanh") == "failed"
    [run] = runs(stores.engine)
    assert run.state == "failed"
    assert rows(stores)["document"] == 0


def in_force(stores) -> dict[tuple[str | None, str], int]:
    """How many verdicts are in force, by the signer's serial number and indication."""
    query = "select signer_serial, indication, count(*) from archive.verdict_in_force group by 1, 2"
    with stores.engine.connect() as connection:
        return {(serial, found): number for serial, found, number in connection.execute(sa.text(query))}


def test_a_new_revocation_list_reaches_its_signer_and_nobody_else(
    dag_bag, office, made_up_office, stores, lienthong_home
):
    assert run_dag(dag_bag, "sync__dieu_hanh") == "success"
    assert run_dag(dag_bag, "reverify_signatures") == "success"
    before, held = in_force(stores), rows(stores)
    (serial, _), _ = max(
        ((place, number) for place, number in before.items() if place[1] == "TOTAL_PASSED"),
        key=lambda item: (item[1], item[0]),
    )
    (lienthong_home / "trust" / "incoming").mkdir()
    (lienthong_home / "trust" / "incoming" / "moi.crl").write_bytes(
        newer_list(made_up_office[0], {int(serial, 16): datetime(2000, 1, 1, tzinfo=UTC)})
    )

    assert run_dag(dag_bag, "reverify_signatures", dry_run=True) == "success"
    assert (in_force(stores), rows(stores)) == (before, held)

    assert run_dag(dag_bag, "reverify_signatures", reason="công văn thu hồi") == "success"
    after = in_force(stores)
    assert (serial, "TOTAL_PASSED") not in after
    assert after[serial, "INDETERMINATE"] == sum(
        number for (whose, found), number in before.items() if whose == serial and found != "TOTAL_FAILED"
    )
    others = [
        {place: number for place, number in found.items() if place[0] != serial} for found in (before, after)
    ]
    assert others[0] == others[1]
    with stores.engine.connect() as connection:
        [why] = connection.scalars(sa.text("select why from archive.verification_run where why <> ''"))
    assert why == "công văn thu hồi"

    done = rows(stores)
    assert done["signature_verdict"] > held["signature_verdict"]
    assert done["event"] > held["event"]
    assert run_dag(dag_bag, "reverify_signatures") == "success"
    assert rows(stores) == done, "nothing has happened since"


def newer_list(office_folder, revoked: dict[int, datetime]) -> bytes:
    """A list of the office's issuing CA from just now that names ``revoked`` besides what the last one names."""
    [last] = [
        x509.load_der_x509_crl(path.read_bytes())
        for path in (office_folder / "trust" / "crls").glob("*party-ca.crl")
    ]
    key = load_pem_private_key((office_folder / "pki-private" / "party-ca.key.pem").read_bytes(), None)
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(last.issuer)
        .last_update(datetime.now(UTC) - timedelta(seconds=1))
        .next_update(last.next_update_utc)
        .add_extension(x509.CRLNumber(2), critical=False)
    )
    named = {entry.serial_number: entry.revocation_date_utc for entry in last} | revoked
    for serial, moment in named.items():
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(moment)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(key, SHA256()).public_bytes(Encoding.DER)


@pytest.mark.samples
@pytest.mark.parametrize(("source", "folder"), [("notes_van_ban", "dxl"), ("dieu_hanh", "edxml")])
def test_files_that_others_made_are_accounted_for_to_the_last(dag_bag, stores, samples, source, folder):
    assert run_dag(dag_bag, f"backfill__{source}", folder=str(samples / folder)) == "success"
    [run] = runs(stores.engine)
    assert run.listed == run.archived + run.unchanged + run.quarantined + run.withheld
    assert run.archived > 0


def test_a_night_over_a_live_server_through_an_airflow_connection(stores, lienthong_home, monkeypatch):
    from airflow.dag_processing.dagbag import DagBag

    [petitions] = [found for found in SIMULATORS if found.source == "don_thu"]
    (lienthong_home / "sources").mkdir()
    (lienthong_home / "sources" / "don_thu.yaml").write_text(petitions.yaml(), encoding="utf-8")
    settings = Settings(lists_hidden=True, failing={failing_unid(): "Entry not found in index"})
    with DominoServer(petitions_database(), settings) as server:
        connection = json.dumps({**petitions.facts, "host": server.url})
        monkeypatch.setenv(f"AIRFLOW_CONN_{petitions.connection.upper()}", connection)
        live = DagBag(REPOSITORY / "dags")
        assert run_dag(live, "sync__don_thu") == "success"
        [run] = runs(stores.engine)
        expected = petitions.expected()
        assert (run.listed, run.archived, run.quarantined) == (
            expected.listed, expected.archived, expected.quarantined,
        )  # fmt: skip
        exported = server.asked("export")
        assert run_dag(live, "sync__don_thu") == "success"
        assert server.asked("export") == exported + 2, "only what failed or was withheld"
        assert server.violations == []
    [pool] = {live.dags["sync__don_thu"].get_task(name).pool for name in ("plan", "batch.receive")}
    assert pool == source_config(load_settings(), "don_thu").pool


def test_a_night_over_an_exchange_service_through_an_airflow_connection(
    stores, lienthong_home, tmp_path, monkeypatch
):
    from airflow.dag_processing.dagbag import DagBag

    [exchange] = [found for found in SIMULATORS if found.source == "truc_lien_thong"]
    (lienthong_home / "sources").mkdir()
    (lienthong_home / "sources" / f"{exchange.source}.yaml").write_text(exchange.yaml(), encoding="utf-8")
    with VxpServer(tmp_path / "messages") as server:
        server.mailbox.write(messages())
        connection = json.dumps({**exchange.facts, "host": server.url})
        monkeypatch.setenv(f"AIRFLOW_CONN_{exchange.connection.upper()}", connection)
        assert run_dag(DagBag(REPOSITORY / "dags"), f"sync__{exchange.source}") == "success"
        assert server.violations == []
    [run] = runs(stores.engine)
    expected = exchange.expected()
    assert (run.listed, run.archived, run.quarantined, run.withheld) == (
        expected.listed, expected.archived, expected.quarantined, expected.withheld,
    )  # fmt: skip
