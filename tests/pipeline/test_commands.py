"""The ``lienthong`` command as administrators and their scripts meet it."""

from __future__ import annotations

import json
import os
import shutil
import time
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from typer.testing import CliRunner

from archive.database import create_engine
from archive.encryption_keys import new_ring, write_ring
from demo.domino_server import DominoServer
from demo.petitions import petitions_database
from demo.simulators import SIMULATORS
from demo.vxp_server import VxpServer
from pipeline.cli import EXIT_CONFIGURATION, EXIT_FAILED, EXIT_RETRY, build, exit_status
from schemas.errors import ConfigurationError, FatalError, RetriableError
from tests.signatures.pki_factory import make_pki

pytestmark = pytest.mark.postgres
WHY = ("--why", "phục vụ thanh tra")


def run(*arguments: str) -> tuple[int, str]:
    """Exit status and standard output."""
    result = CliRunner().invoke(build(), list(arguments))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout


def json_lines(*arguments: str) -> tuple[int, list[dict]]:
    status, output = run(*arguments, "--json")
    return status, [json.loads(line) for line in output.splitlines()]


@pytest.fixture
def signed_files(home, office) -> dict[str, Path]:
    """Some of the office's PDFs by what was done to them, taken out of a synced archive."""
    run("sync", "dieu_hanh", "--jobs", "1")
    objects = home / "objects"
    files = {}
    for record in office.of("dieu_hanh"):
        for file in record.files if record.outcome == "archived" else ():
            found = next(path for path in objects.rglob(file.sha256) if path.is_file())
            files.setdefault(file.case, found)
    return files


def test_sync_accounts_for_every_record_and_says_so_to_programs(home, office):
    status, [summary] = json_lines("sync", "notes_van_ban")
    expected = office.counts("notes_van_ban")
    assert status == 0
    assert summary["source"] == "notes_van_ban"
    assert (summary["archived"], summary["quarantined"], summary["withheld"]) == (
        expected.archived,
        expected.quarantined,
        expected.withheld,
    )
    assert summary["listed"] == sum(
        summary[name] for name in ("archived", "unchanged", "quarantined", "withheld")
    )

    status, [report] = json_lines("status")
    assert status == 0
    [listed] = report["runs"]
    assert {name: listed[name] for name in summary} == summary
    assert report["archive"]["quarantined_open"] == expected.quarantined


def test_sync_speaks_vietnamese_first_and_english_on_request(home, office):
    counted = office.counts("notes_van_ban").listed + office.listed_again
    status, output = run("sync", "notes_van_ban", "--dry-run")
    assert status == 0
    assert "Chạy thử, không ghi gì" in output
    assert str(counted) in output
    assert "Dry run, nothing written" in run("--lang", "en", "sync", "notes_van_ban", "--dry-run")[1]


def test_show_finds_a_document_by_its_number_in_any_spelling_and_copies_its_files_out(
    home, office, tmp_path, monkeypatch
):
    monkeypatch.setenv("COLUMNS", "200")
    run("sync", "dieu_hanh", "--jobs", "1")
    wanted = office.case("asked")
    for spelling in (wanted.symbol, wanted.symbol.lower(), f"Số: {wanted.symbol}"):
        status, [found] = json_lines("show", spelling)
        assert status == 0
        assert found["current"]["subject"] == wanted.subject
        assert found["recalled"] is False
    assert [step["status_code"] for step in found["history"] if step["status_code"]] == ["01", "03", "06"]
    status, output = run("show", wanted.symbol, "--save", str(tmp_path / "ra"), *WHY)
    assert status == 0
    assert f"Văn bản trả lời {office.case('answer').symbol}" in " ".join(output.split())
    assert "06 Đã xử lý xong" in " ".join(output.split())
    assert f"{office.case('foreign-recall').symbol} · Sở Nội vụ" in " ".join(output.split())
    assert "KHÔNG áp dụng: không phải cơ quan ban hành" in " ".join(output.split())
    copied = sorted(path.suffix for path in (tmp_path / "ra").rglob("*") if path.is_file())
    assert copied == ["", ".pdf"]


def test_show_copies_a_notes_document_out_with_a_page_to_look_at(home, office, tmp_path):
    run("sync", "notes_van_ban")
    wanted = next(each for each in office.of("notes_van_ban") if each.outcome == "archived" and each.subject)
    status, _ = json_lines("show", wanted.symbol, "--save", str(tmp_path), *WHY)
    page = next(tmp_path.rglob("page.html")).read_text(encoding="utf-8")
    assert status == 0
    assert wanted.subject in page


def test_show_tells_of_a_recalled_document_only_that_and_how_until_a_clerk_asks(
    home, office, tmp_path, monkeypatch
):
    monkeypatch.setenv("COLUMNS", "200")
    run("sync", "dieu_hanh", "--jobs", "1")
    wanted, recall = office.case("recalled"), office.case("recall")
    status, [tombstone] = json_lines("show", wanted.symbol)
    assert (status, tombstone["recalled"]) == (0, True)
    assert wanted.subject not in str(tombstone)
    status, output = run("show", wanted.symbol, "--save", str(tmp_path / "ra"), *WHY)
    told = " ".join(output.split())
    assert (status, wanted.subject in told, (tmp_path / "ra").exists()) == (0, False, False)
    assert "[Đã thu hồi]" in told
    assert f"Thu hồi theo {recall.symbol}" in told
    assert "Đồng ý cho lấy lại" in told
    status, [whole] = json_lines("show", wanted.symbol, "--recalled", "--save", str(tmp_path / "ra"), *WHY)
    assert (whole["current"]["subject"], whole["recalled"]) == (wanted.subject, True)
    assert [step["status_code"] for step in whole["history"] if step["by"]] == ["01", "03", "15"]
    assert any((tmp_path / "ra").rglob("*.pdf"))
    status, [replaced] = json_lines("show", office.case("replaced").symbol)
    assert (replaced["replaced"], replaced["recalled"]) == (True, False)


def test_show_says_no_when_there_is_no_such_document(home):
    status, output = run("show", "999-QĐ/TU")
    assert status == 1
    assert "Không tìm thấy" in output


def test_verify_passes_only_what_is_proven(home, signed_files):
    trust = str(home / "trust")
    status, [good] = json_lines("verify", str(signed_files["person_and_seal"]), "--trust", trust)
    assert (status, good["verdict"]) == (0, "TOTAL_PASSED")
    assert len(good["signatures"]) == 2
    assert {signature["role"] for signature in good["signatures"]} == {"PERSON", "ORGAN"}
    assert good["sha256"] == signed_files["person_and_seal"].name

    status, [tampered] = json_lines("verify", str(signed_files["tampered"]), "--trust", trust)
    assert (status, tampered["verdict"]) == (1, "TOTAL_FAILED")

    status, [unsigned] = json_lines("verify", str(signed_files["unsigned"]), "--trust", trust)
    assert (status, unsigned["verdict"], unsigned["signatures"]) == (1, "NO_SIGNATURE", [])


def test_verify_takes_the_file_that_a_detached_signature_signs(tmp_path):
    signer = make_pki().person
    builder = pkcs7.PKCS7SignatureBuilder().set_data(b"noi dung")
    builder = builder.add_signer(signer.certificate, signer.key, SHA256())
    options = [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary]
    (tmp_path / "chu-ky.p7s").write_bytes(builder.sign(Encoding.DER, options))
    (tmp_path / "noi-dung.bin").write_bytes(b"noi dung")
    file = str(tmp_path / "chu-ky.p7s")
    status, [alone] = json_lines("verify", file, "--integrity-only")
    assert (status, alone["verdict"]) == (1, "INDETERMINATE")
    content = ("--content", str(tmp_path / "noi-dung.bin"))
    status, [judged] = json_lines("verify", file, *content, "--integrity-only")
    assert (status, judged["verdict"], judged["format"]) == (0, "TOTAL_PASSED", "CMS")
    assert run("verify", file, file, *content)[0] == 2, "one content, two signature files"


def test_verify_tells_a_pass_that_waits_for_a_newer_list(home, signed_files):
    trust = ("--trust", str(home / "trust"))
    _, [judged] = json_lines("verify", str(signed_files["person_and_seal"]), *trust)
    times = [
        (datetime.fromisoformat(found["best_time"]), datetime.fromisoformat(found["revocation_issued"]))
        for found in judged["signatures"]
    ]
    assert [found["provisional"] for found in judged["signatures"]] == [
        best >= listed for best, listed in times
    ]


def test_verify_without_trust_passes_nothing_but_integrity(home, signed_files, tmp_path):
    empty = tmp_path / "trust"
    empty.mkdir()
    good = str(signed_files["person_and_seal"])
    status, [judged] = json_lines("verify", good, "--trust", str(empty))
    assert (status, judged["verdict"]) == (1, "INDETERMINATE")
    status, [judged] = json_lines("verify", good, "--trust", str(empty), "--integrity-only")
    assert (status, judged["verdict"]) == (0, "TOTAL_PASSED")


def test_verify_is_as_bad_as_its_worst_file(home, signed_files):
    files = [str(signed_files[case]) for case in ("person_and_seal", "tampered")]
    assert run("verify", *files, "--trust", str(home / "trust"))[0] == 1


def test_inspect_needs_no_archive_and_fails_when_something_is_unreadable(home, office):
    notes = home / "drop" / "notes_van_ban"
    status, records = json_lines("inspect", str(notes))
    assert status == 1
    assert {record["form"] for record in records} >= {"VanBanDen", "VanBanDi"}
    packages = sorted((home / "drop" / "dieu_hanh").rglob("*.edxml"))
    good = next(path for path in packages if path.stem and office.case("answer").file.endswith(path.name))
    status, [package] = json_lines("inspect", str(good))
    assert status == 0
    assert package["attachments"]


def test_inspect_counts_the_design_that_is_no_document(home, tmp_path):
    export = tmp_path / "design.dxl"
    export.write_text(
        "<database xmlns='http://www.lotus.com/dxl'><form/><form/><document><noteinfo/></document></database>",
        encoding="utf-8",
    )
    status, output = run("inspect", str(export))
    assert status == 0
    assert "2 form" in output
    status, records = json_lines("inspect", str(export))
    assert (status, len(records)) == (0, 1)


def test_inspect_writes_a_page_of_every_readable_record_and_the_same_ones_again(home, office, tmp_path):
    notes = home / "drop" / "notes_van_ban"
    _, records = json_lines("inspect", str(notes), "--html", str(tmp_path / "pages"))
    pages = {page.name: page.read_bytes() for page in (tmp_path / "pages").iterdir()}
    assert len(pages) == sum(record["kind"] is not None for record in records)
    assert all(page.startswith(b"<!DOCTYPE html>") for page in pages.values())
    json_lines("inspect", str(notes), "--html", str(tmp_path / "pages"))
    assert {page.name: page.read_bytes() for page in (tmp_path / "pages").iterdir()} == pages


def test_inspect_strict_fails_for_what_the_standard_would_refuse(home, office, tmp_path):
    packages = home / "drop" / "dieu_hanh"
    path = packages / office.case("junk-before-prolog").file.partition("/")[2]
    assert json_lines("inspect", str(path))[0] == 0
    status, [package] = json_lines("inspect", str(path), "--strict")
    assert status == 1
    assert package["strict"][0]["code"] == "junk_before_prolog"
    status, printed = run("inspect", str(path), "--strict")[:2]
    assert (status, "junk_before_prolog" in printed) == (1, True)


def test_quarantine_tells_reason_and_place(home, office):
    run("sync", "notes_van_ban")
    status, items = json_lines("quarantine")
    assert status == 0
    assert len(items) == office.counts("notes_van_ban").quarantined
    assert all(item["message"] and item["location"] and item["original_sha256"] for item in items)
    assert "Cách ly, chờ xử lý" in run("quarantine")[1]


def test_doctor_is_content_with_the_demo_and_warns_of_missing_trust(home, monkeypatch, tmp_path):
    status, [report] = json_lines("doctor")
    assert status == 0
    assert {check["state"] for check in report["checks"]} == {"ok"}
    monkeypatch.setenv("LIENTHONG_TRUST", str(tmp_path / "nowhere"))
    status, [report] = json_lines("doctor")
    assert {check["name"]: check["state"] for check in report["checks"]}["trust"] == "warning"


def doctor_says(name: str) -> tuple[str, str]:
    _, [report] = json_lines("doctor")
    return next((one["state"], one["detail"]) for one in report["checks"] if one["name"] == name)


def test_doctor_tells_of_an_object_store_that_takes_nothing(home):
    (home / "objects").write_text("no folder")
    assert doctor_says("object store")[0] == "problem"


def test_doctor_tells_of_a_key_ring_that_is_gone_or_another_one(home, tmp_path, monkeypatch):
    ring = tmp_path / "etc" / "keyring.json"
    monkeypatch.setattr("pipeline.settings.default_keyring", lambda: ring)
    assert run("keys", "new", "--recovery", str(tmp_path / "sheet.txt"))[0] == 0
    assert doctor_says("key ring") == ("ok", str(ring))
    ring.rename(tmp_path / "lost.json")
    state, told = doctor_says("key ring")
    assert (state, "keys recover" in told) == ("problem", True)
    write_ring(new_ring(tmp_path / "other-sheet.txt"), ring)
    state, told = doctor_says("key ring")
    assert (state, "does not know this key ring" in told) == ("problem", True)


def test_doctor_tells_of_an_account_that_may_not_read_what_a_night_reads(home):
    assert doctor_says("roles")[0] == "ok"
    (home / "access.yaml").write_text("accounts: {vanthu1: clerk}\n")
    state, told = doctor_says("roles")
    assert (state, "reconciliation" in told) == ("problem", True)


def test_doctor_tells_of_nights_that_did_not_anchor_and_index(home, monkeypatch, tmp_path):
    assert run("sync", "dieu_hanh", "--jobs", "1")[0] == 0
    assert (doctor_says("anchors")[0], doctor_says("search index")[0]) == ("ok", "ok")
    engine = create_engine(os.environ["LIENTHONG_DATABASE_URL"])
    with engine.begin() as connection:
        connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        connection.execute(sa.text("UPDATE archive.event SET at = at - interval '3 days'"))
    state, told = doctor_says("anchors")
    assert (state, "are not anchored" in told) == ("warning", True)
    assert doctor_says("search index")[0] == "ok"
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE archive.search_state SET ledger_seq = 0"))
    engine.dispose()
    state, told = doctor_says("search index")
    assert (state, "lienthong index" in told) == ("warning", True)


def test_doctor_tells_of_a_share_for_anchors_that_is_away(home, monkeypatch, tmp_path):
    monkeypatch.setenv("LIENTHONG_ANCHORS", str(tmp_path / "share"))
    state, told = doctor_says("anchors")
    assert (state, str(tmp_path / "share") in told) == ("warning", True)


def test_doctor_tells_of_a_run_that_nobody_finished(home):
    abandoned = home / "work" / "606efef3-eb8a-5e7b-b72b-4b2e55984558"
    abandoned.mkdir(parents=True)
    two_days_ago = time.time() - 2 * 86_400
    os.utime(abandoned, (two_days_ago, two_days_ago))
    _, [report] = json_lines("doctor")
    [warning] = [check for check in report["checks"] if check["state"] == "warning"]
    assert abandoned.name in warning["detail"]


def test_doctor_finds_a_broken_source_file(home):
    (home / "sources").mkdir()
    (home / "sources" / "hong.yaml").write_text("source: hong\nsystem: lotus_note\n", encoding="utf-8")
    status, [report] = json_lines("doctor")
    assert status == 1
    [problem] = [check for check in report["checks"] if check["state"] == "problem"]
    assert "hong.yaml:" in problem["detail"]


@pytest.mark.parametrize(
    ("source", "serve", "told_of"),
    [
        ("don_thu", lambda _: DominoServer(petitions_database()), "vanban/donthu.nsf"),
        ("truc_lien_thong", VxpServer, "connected"),
    ],
)
def test_doctor_asks_a_live_service(home, tmp_path, monkeypatch, source, serve, told_of):
    [simulator] = [found for found in SIMULATORS if found.source == source]
    (home / "sources").mkdir()
    (home / "sources" / f"{source}.yaml").write_text(simulator.yaml(), encoding="utf-8")
    variable = f"AIRFLOW_CONN_{simulator.connection.upper()}"

    def told() -> dict[str, str]:
        _, [report] = json_lines("doctor")
        return next(check for check in report["checks"] if check["name"] == f"source {source}")

    assert told()["state"] == "problem"
    assert variable in told()["detail"]
    with serve(tmp_path / "served") as server:
        monkeypatch.setenv(variable, json.dumps({**simulator.facts, "host": server.url}))
        assert told()["state"] == "ok"
        assert told_of in told()["detail"]


def test_sync_tells_of_every_source_that_failed(home, monkeypatch):
    def fail(_settings, _stores, order, *_):
        raise FatalError(f"{order.source} is broken")

    monkeypatch.setattr("pipeline.commands.sync.run_here", fail)
    result = CliRunner().invoke(build(), ["sync"])
    assert "dieu_hanh is broken" in str(result.exception)
    assert "notes_van_ban is broken" in result.stderr


def test_sync_through_airflow_asks_for_the_other_source_when_one_failed(home, monkeypatch):
    asked = []

    def fail(_settings, _stores, order, _only_count):
        asked.append(order.source)
        raise FatalError(f"{order.source} is broken")

    monkeypatch.setattr("pipeline.commands.sync.run_through_airflow", fail)
    assert CliRunner().invoke(build(), ["sync", "--dag"]).exit_code != 0
    assert asked == ["dieu_hanh", "notes_van_ban"]


def test_an_unknown_source_is_a_configuration_error(home):
    with pytest.raises(ConfigurationError, match="notes_van_ban"):
        run("sync", "khong_co")


def test_db_does_not_manage_a_server_of_the_users_own(home):
    with pytest.raises(ConfigurationError, match="LIENTHONG_DATABASE_URL"):
        run("db", "status")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ConfigurationError("x"), EXIT_CONFIGURATION),
        (FatalError("x"), EXIT_FAILED),
        (RetriableError("x"), EXIT_RETRY),
    ],
)
def test_exit_statuses_tell_what_can_be_done(error, status):
    assert exit_status(error) == status


def test_one_source_that_fails_does_not_cost_the_other_its_night(home, office):
    shutil.rmtree(home / "drop" / "dieu_hanh")
    with pytest.raises(ConfigurationError, match="dieu_hanh"):
        run("sync")
    _, [report] = json_lines("status")
    assert [(found["source"], found["archived"]) for found in report["runs"]] == [
        ("notes_van_ban", office.counts("notes_van_ban").archived)
    ]


def test_status_tells_of_a_source_whose_last_run_failed_however_few_runs_it_lists(home):
    run("sync")
    engine = create_engine(os.environ["LIENTHONG_DATABASE_URL"])
    with engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE archive.run SET state = 'failed', failure = 'hỏng' WHERE source = 'dieu_hanh'")
        )
    engine.dispose()
    status, output = run("status", "--limit", "1")
    assert (status, "dieu_hanh: hỏng" in output) == (1, True)
    assert run("status", "--limit", "1", "--source", "notes_van_ban")[0] == 0


def test_status_says_how_long_a_run_that_never_ended_has_been_silent(home):
    run("sync", "notes_van_ban")
    engine = create_engine(os.environ["LIENTHONG_DATABASE_URL"])

    def silent(**since: int) -> None:
        changes = (
            "UPDATE archive.run SET state = 'running', finished = NULL, started = now() - interval '9 days'",
            "UPDATE archive.run_batch SET loaded_at = now() - make_interval(mins => :minutes, hours => :hours)",
        )
        with engine.begin() as connection:
            for change in changes:
                connection.execute(sa.text(change), {"minutes": 0, "hours": 0} | since)

    def told() -> tuple[int, str]:
        status, output = run("status")
        return status, " ".join(output.replace("│", " ").split())

    silent(minutes=30)
    status, output = told()
    assert (status, "30 phút trước" in output, "lô cuối" in output) == (0, True, True)
    silent(hours=5)
    status, output = told()
    assert (status, "5 giờ trước" in output) == (0, True)
    silent(hours=75)
    status, output = told()
    assert (status, "3 ngày nay không có lô mới" in output) == (1, True)
    assert json_lines("status")[1][0]["runs"][0]["last_batch"] is not None
    with engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM archive.run_batch"))
    engine.dispose()
    status, output = told()
    assert (status, "chưa có lô" in output, "9 ngày" in output) == (1, True, True)
