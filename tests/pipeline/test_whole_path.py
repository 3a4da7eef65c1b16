"""The whole way, once: what the made-up office says of itself, held against what the archive has after a run."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa

from archive.manifest import read_manifest
from pipeline.settings import load_settings
from pipeline.stages import Order, dry_run, open_stores
from pipeline.sync import run_here
from schemas.record import Window
from signatures.verdict import worst

pytestmark = pytest.mark.postgres

SOURCES = ("notes_van_ban", "dieu_hanh")


@pytest.fixture
def stores(home):
    opened = open_stores(load_settings())
    yield opened
    opened.engine.dispose()


def sync(stores, source: str, key: str = "một đêm", **more):
    return run_here(load_settings(), stores, Order(source, "sync", key, Window(), **more))


def ask(stores, statement: str, **values):
    with stores.engine.connect() as connection:
        return connection.execute(sa.text(statement), values).all()


def manifests(stores, source: str) -> dict[str, object]:
    found = {}
    for row in ask(
        stores,
        "select manifest_sha256 from archive.document_version v join archive.document d on d.id = v.document_id"
        " where d.source = :source",
        source=source,
    ):
        with stores.objects.open(row.manifest_sha256) as stream:
            manifest = read_manifest(stream.read())
        found[manifest.document.source_key] = manifest
    return found


def everything_on_disk(stores) -> bytes:
    return b"\n".join(
        path.read_bytes() for path in sorted(Path(stores.objects.root).rglob("*")) if path.is_file()
    )


@pytest.mark.parametrize("source", SOURCES)
def test_every_record_ends_where_the_office_says(stores, office, source):
    summary = sync(stores, source, batch_size=7)
    expected = office.counts(source)
    listed_again = office.listed_again if source == "notes_van_ban" else 0

    assert summary.state == "finished"
    assert (summary.listed, summary.archived, summary.unchanged, summary.quarantined, summary.withheld) == (
        expected.listed + listed_again,
        expected.archived,
        listed_again,
        expected.quarantined,
        expected.withheld,
    )


@pytest.mark.parametrize("source", SOURCES)
def test_documents_mean_what_the_office_wrote(stores, office, source):
    sync(stores, source)
    archived = [record for record in office.of(source) if record.outcome == "archived"]
    found = {manifest.document.subject: manifest.document for manifest in manifests(stores, source).values()}
    for record in archived:
        if record.kind != "document":
            continue
        document = found[record.subject]
        assert (document.symbol or "") == record.symbol, record.case
        assert str(document.issued_date or "") == record.issued_date, record.case
        if record.issuer:
            assert document.issuer is not None
            assert document.issuer.name == record.issuer
        assert set(record.flags) <= {flag.code for flag in document.flags}, record.case


@pytest.mark.parametrize("source", SOURCES)
def test_every_file_is_kept_to_the_byte_and_judged_as_its_maker_says(stores, office, source):
    sync(stores, source)
    verdicts, defects = {}, {}
    for manifest in manifests(stores, source).values():
        for attachment in manifest.document.attachments:
            verdicts[attachment.sha256] = worst(
                [found.verdict for found in manifest.verdicts if found.sha256 == attachment.sha256]
            ).value
            defects[attachment.sha256] = set(attachment.defects)
    for record in office.of(source):
        for file in record.files if record.outcome == "archived" else ():
            content = stores.objects.content(file.sha256)
            with content.open() as stream:
                assert hashlib.sha256(stream.read()).hexdigest() == file.sha256
            assert content.size == file.size
            assert verdicts[file.sha256] in file.verdicts, f"{record.case}: {file.name}"
            assert set(file.defects) <= defects[file.sha256]


def test_state_secrets_leave_nothing_but_a_level_a_rule_and_a_hash(stores, office):
    for source in SOURCES:
        sync(stores, source)
    secrets = [record for record in office.records if record.outcome == "withheld"]
    assert Counter(
        (row.source, row.level) for row in ask(stores, "select * from archive.withheld")
    ) == Counter((record.source, record.level) for record in secrets)
    stored = everything_on_disk(stores)
    rows = str(ask(stores, "select w::text from archive.withheld w")) + str(
        ask(stores, "select e::text from archive.event e")
    )
    for record in secrets:
        for text in (record.subject, record.symbol):
            assert text
            assert text.encode() not in stored
            assert text not in rows
        for file in record.files:
            assert not stores.objects.exists(file.sha256)
    assert not list(load_settings().work.iterdir())


def test_what_is_quarantined_keeps_its_bytes_and_its_reason(stores, office):
    for source in SOURCES:
        sync(stores, source)
    rows = ask(stores, "select * from archive.quarantine")
    assert len(rows) == sum(office.counts(source).quarantined for source in SOURCES)
    for row in rows:
        assert row.state == "open"
        assert row.message
        assert row.location
        assert stores.objects.exists(row.original_sha256)


def test_relations_find_their_targets_and_both_origins_of_a_document_are_linked(stores, office):
    for source in SOURCES:
        sync(stores, source)
    kinds = Counter(
        row.kind for row in ask(stores, "select kind from archive.relation where target_document is not null")
    )
    expected = Counter(
        kind for record in office.records if record.outcome == "archived" for kind, _ in record.relations
    )
    assert kinds == expected
    pairs = ask(stores, "select grade from archive.same_as")
    assert {pair.grade for pair in office.same_as} <= {row.grade for row in pairs}
    assert len([row for row in pairs if row.grade == "A"]) == len(
        [p for p in office.same_as if p.grade == "A"]
    )


def test_a_second_run_changes_no_row_and_no_file(stores):
    for source in SOURCES:
        sync(stores, source)
    tables = (
        "document",
        "document_version",
        "attachment",
        "relation",
        "same_as",
        "signature_verdict",
        "quarantine",
        "withheld",
        "object",
    )
    before = {
        name: ask(
            stores, f"select md5(string_agg(t::text || t.xmin, '|' order by t::text)) from archive.{name} t"
        )
        for name in tables
    }
    files = set(stores.objects)
    for source in SOURCES:
        again = sync(stores, source, key="đêm sau")
        assert again.archived == 0
    after = {
        name: ask(
            stores, f"select md5(string_agg(t::text || t.xmin, '|' order by t::text)) from archive.{name} t"
        )
        for name in tables
    }
    assert after == before
    assert set(stores.objects) == files


def test_a_dry_run_writes_nothing(stores, office):
    counts = dry_run(load_settings(), stores, Order("dieu_hanh", "sync", "thử", Window()))
    assert (counts.listed, counts.unchanged) == (office.counts("dieu_hanh").listed, 0)
    assert ask(stores, "select 1 from archive.run") == []
    assert list(stores.objects) == []


def test_batches_in_several_processes_give_the_same_account(stores, office):
    settings = load_settings()
    summary = run_here(
        settings, stores, Order("dieu_hanh", "sync", "song song", Window(), batch_size=10), jobs=2
    )
    assert summary.archived == office.counts("dieu_hanh").archived
    assert summary.batches > 2


@pytest.mark.samples
@pytest.mark.parametrize(("source", "folder"), [("notes_van_ban", "dxl"), ("dieu_hanh", "edxml")])
def test_files_that_others_made_are_accounted_for_to_the_last(stores, samples, source, folder):
    summary = sync(stores, source, folder=samples / folder)
    assert summary.archived > 0
    assert summary.listed == summary.archived + summary.unchanged + summary.quarantined + summary.withheld
