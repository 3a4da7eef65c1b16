"""The whole way, once: what the made-up office says of itself, held against what the archive has after a night."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa

from archive.manifest import Processed, read_manifest
from pipeline.settings import load_settings
from pipeline.stages import Order, dry_run
from pipeline.sync import run_here
from schemas.record import Window
from signatures.verdict import worst

pytestmark = pytest.mark.postgres

SOURCES = ("notes_van_ban", "dieu_hanh")
LEFT_ALONE = (
    "document",
    "document_version",
    "attachment",
    "relation",
    "same_as",
    "signature_verdict",
    "withheld",
    "object",
)


def ask(stores, statement: str, **values):
    with stores.engine.connect() as connection:
        return connection.execute(sa.text(statement), values).all()


def manifests(stores, source: str) -> list[Processed]:
    """What the archive's truth, the manifests, says of every version of ``source``."""
    rows = ask(
        stores,
        "select v.manifest_sha256 from archive.document_version v"
        " join archive.document d on d.id = v.document_id where d.source = :source",
        source=source,
    )
    found = []
    for row in rows:
        with stores.objects.open(row.manifest_sha256) as stream:
            found.append(read_manifest(stream.read()))
    return found


def every_row(stores) -> dict[str, object]:
    """A digest of each table's rows and of the transactions that wrote them; of the quarantine, all but the tries."""
    digest = "select md5(string_agg(t::text || t.xmin, '|' order by t::text)) from archive.{} t"
    tries = (
        "select md5(string_agg((to_jsonb(t) - 'attempts' - 'last_run')::text, '|' order by t.id)) from {} t"
    )
    return {
        **{name: ask(stores, digest.format(name)) for name in LEFT_ALONE},
        "quarantine": ask(stores, tries.format("archive.quarantine")),
    }


def everything_on_disk(home: Path) -> bytes:
    return b"\n".join(
        path.read_bytes()
        for path in sorted(home.rglob("*"))
        if path.is_file() and not path.is_relative_to(home / "drop")
    )


@pytest.mark.parametrize("source", SOURCES)
def test_every_record_ends_where_the_office_says(night, office, source):
    summary, expected = night.runs[source], office.counts(source)
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
def test_documents_mean_what_the_office_wrote(night, office, source):
    documents = Counter(
        (
            found.document.subject,
            found.document.symbol or "",
            str(found.document.issued_date or ""),
        )
        for found in manifests(night.stores, source)
        if found.document.kind == "document"
    )
    expected = Counter(
        (record.subject, record.symbol, record.issued_date)
        for record in office.of(source)
        if record.outcome == "archived" and record.kind == "document"
    )
    assert documents == expected


@pytest.mark.parametrize("source", SOURCES)
def test_issuers_and_odd_values_are_told(night, office, source):
    found = {
        (m.document.subject, m.document.symbol or ""): m.document for m in manifests(night.stores, source)
    }
    for record in office.of(source):
        if record.outcome != "archived" or record.kind != "document":
            continue
        document = found[record.subject, record.symbol]
        assert set(record.flags) <= {flag.code for flag in document.flags}, record.case
        if record.issuer:
            assert document.issuer is not None, record.case
            assert document.issuer.name == record.issuer


@pytest.mark.parametrize("source", SOURCES)
def test_every_file_is_kept_to_the_byte_and_judged_as_its_maker_says(night, office, source):
    verdicts, defects = {}, {}
    for manifest in manifests(night.stores, source):
        for attachment in manifest.document.attachments:
            judged = [found.verdict for found in manifest.verdicts if found.sha256 == attachment.sha256]
            assert judged, attachment.name
            verdicts[attachment.sha256] = worst(judged).value
            defects[attachment.sha256] = set(attachment.defects)
    for record in office.of(source):
        for file in record.files if record.outcome == "archived" else ():
            with night.stores.objects.open(file.sha256) as stream:
                content = stream.read()
            assert (hashlib.sha256(content).hexdigest(), len(content)) == (file.sha256, file.size)
            assert verdicts[file.sha256] in file.verdicts, f"{record.case}: {file.name}"
            assert set(file.defects) <= defects[file.sha256]


def test_state_secrets_leave_nothing_but_a_level_a_rule_and_a_hash(night, office):
    secrets = [record for record in office.records if record.outcome == "withheld"]
    held = ask(night.stores, "select source, level from archive.withheld")
    levels = {"mật": "mat", "tối mật": "toi_mat", "tuyệt mật": "tuyet_mat"}
    assert Counter(tuple(row) for row in held) == Counter(
        (record.source, levels[record.level.lower()]) for record in secrets
    )

    stored = everything_on_disk(night.settings.home)
    tables = [
        row.table_name
        for row in ask(
            night.stores, "select table_name from information_schema.tables where table_schema = 'archive'"
        )
    ]
    rows = "".join(str(ask(night.stores, f"select t::text from archive.{name} t")) for name in tables)
    archived_subjects = {record.subject for record in office.records if record.outcome == "archived"}
    for record in secrets:
        assert record.subject
        assert record.subject not in archived_subjects
        assert record.subject.encode() not in stored
        assert record.subject not in rows
        for file in record.files:
            assert not night.stores.objects.exists(file.sha256)


def test_the_work_folder_is_empty_after_the_account(night):
    assert list(night.settings.work.iterdir()) == []


def test_what_is_quarantined_keeps_its_bytes_its_reason_and_its_place(night, office):
    rows = ask(night.stores, "select * from archive.quarantine")
    assert len(rows) == sum(office.counts(source).quarantined for source in SOURCES)
    for row in rows:
        assert row.state == "open"
        assert row.message
        assert row.location
        assert night.stores.objects.exists(row.original_sha256)


def test_relations_find_their_targets_and_both_origins_of_a_document_are_linked(night, office):
    resolved = ask(night.stores, "select kind from archive.relation where target_document is not null")
    assert Counter(row.kind for row in resolved) == Counter(
        kind for record in office.records if record.outcome == "archived" for kind, _ in record.relations
    )
    grades = Counter(row.grade for row in ask(night.stores, "select grade from archive.same_as"))
    expected = Counter(pair.grade for pair in office.same_as)
    assert grades["A"] == expected["A"]
    # The same file under the same number is a pair of both grades.
    assert grades["B"] == expected["A"] + expected["B"]


def test_a_second_night_changes_no_row_and_no_file(night):
    rows, files = every_row(night.stores), set(night.stores.objects)
    for source in SOURCES:
        again = run_here(night.settings, night.stores, Order(source, "sync", "đêm sau", Window()))
        first = night.runs[source]
        assert (again.listed, again.archived, again.unchanged) == (
            first.listed,
            0,
            first.archived + first.unchanged,
        )
        assert (again.quarantined, again.withheld) == (first.quarantined, first.withheld)
    assert every_row(night.stores) == rows
    assert set(night.stores.objects) == files


def test_a_dry_run_writes_nothing(stores, office):
    counts = dry_run(load_settings(), stores, Order("dieu_hanh", "sync", "thử", Window()))
    assert (counts.listed, counts.unchanged) == (office.counts("dieu_hanh").listed, 0)
    assert ask(stores, "select 1 from archive.run") == []
    assert list(stores.objects) == []


@pytest.mark.samples
@pytest.mark.parametrize(("source", "folder"), [("notes_van_ban", "dxl"), ("dieu_hanh", "edxml")])
def test_files_that_others_made_are_accounted_for_to_the_last(stores, samples, source, folder):
    order = Order(source, "sync", "mẫu", Window(), folder=samples / folder)
    summary = run_here(load_settings(), stores, order)
    assert summary.archived > 0
    assert summary.listed == summary.archived + summary.unchanged + summary.quarantined + summary.withheld
