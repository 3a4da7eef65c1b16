"""The search index follows the ledger."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa

from archive import indexing
from archive.extraction import Extractor
from archive.indexing import index
from archive.loader import Archive, Batch
from archive.objects import ObjectStore
from archive.search_missing import Missing
from schemas.errors import RetriableError
from tests.archive.office_records import archived, passed
from tests.mappings.page_files import docx

pytestmark = pytest.mark.postgres


def test_a_load_is_indexed_once(
    engine: sa.Engine,
    objects: ObjectStore,
    archive: Archive,
    batch: Callable[..., Batch],
    select: Callable[..., list[tuple[object, ...]]],
) -> None:
    files = {"Phụ lục.docx": docx("Bảng kê đê điều"), "ảnh.png": b"\x89PNG\r\n\x1a\nx"}
    archive.load(
        batch(), [archived(objects, "k1", files=files, verdicts=(passed(),)), archived(objects, "k2")]
    )
    first = index(engine, objects)
    assert (first.documents, first.files, first.outcomes) == (2, 2, {"text": 1, "unsupported": 1})
    assert index(engine, objects).documents == 0
    rows = select(
        """SELECT source_key, e.verdict, e.file_types, e.words @@ '''+de dieu'' & ''=kê'''::tsquery, e.symbol_norm
        FROM archive.search_entry e JOIN archive.document d ON d.id = e.document_id ORDER BY 1"""
    )
    assert rows == [
        ("k1", "TOTAL_PASSED", ["pdf"], True, "160-kl-tu"),
        ("k2", None, [], False, "160-kl-tu"),
    ]


Select = Callable[..., list[tuple[object, ...]]]
WHOLE = """SELECT document_id::text, version, recalled, source, kind, direction, symbol_norm, type_code, type_name,
  organ, organ_name, issued_date, sort_date, verdict, file_types, left_out, head::text, words::text, subject, body
  FROM archive.search_entry JOIN archive.search_body USING (document_id) ORDER BY 1"""


@pytest.fixture
def load_for_pairs(
    objects: ObjectStore, archive: Archive, batch: Callable[..., Batch], monkeypatch: pytest.MonkeyPatch
) -> Callable[[int], None]:
    """Loads so many documents, of which two are indexed at a time."""
    monkeypatch.setattr(indexing, "_DOCUMENTS", 2)

    def load(count: int) -> None:
        archive.load(batch(), [archived(objects, f"k{n}", number=str(n)) for n in range(count)])

    return load


def test_a_new_version_and_a_rebuild_give_the_same_entries(
    engine: sa.Engine,
    objects: ObjectStore,
    archive: Archive,
    batch: Callable[..., Batch],
    select: Select,
    load_for_pairs: Callable[[int], None],
) -> None:
    load_for_pairs(5)
    index(engine, objects)
    archive.load(batch("dem-2"), [archived(objects, "k3", revision="2", subject="Sửa đổi", number="3")])
    assert index(engine, objects).documents == 1
    followed = select(WHOLE)
    assert len(followed) == 5
    assert "Sửa đổi" in str(followed)
    assert index(engine, objects, rebuild=True).documents == 5
    assert select(WHOLE) == followed


def test_a_rebuild_that_was_stopped_goes_on_where_it_was(
    engine: sa.Engine, objects: ObjectStore, select: Select, load_for_pairs: Callable[[int], None]
) -> None:
    load_for_pairs(6)

    class StoppedError(Exception):
        pass

    def stop(done: int) -> None:
        if done >= 4:
            raise StoppedError

    with pytest.raises(StoppedError):
        index(engine, objects, on_progress=stop)
    assert len(select(WHOLE)) == 4
    assert index(engine, objects).documents == 2
    assert len(select(WHOLE)) == 6
    assert index(engine, objects).documents == 0


@pytest.mark.parametrize("under_way", [False, True])
def test_entries_of_another_format_are_all_made_anew(
    engine: sa.Engine,
    objects: ObjectStore,
    archive: Archive,
    batch: Callable[..., Batch],
    select: Select,
    under_way: bool,
) -> None:
    archive.load(batch(), [archived(objects, f"k{n}", number=str(n)) for n in range(3)])
    index(engine, objects)
    made = select(WHOLE)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE archive.search_entry SET words = '', head = ''"))
        connection.execute(sa.text("UPDATE archive.search_state SET format = format - 1"))
        if under_way:  # by the program of that format, which had done the first two
            connection.execute(
                sa.text(
                    "UPDATE archive.search_state SET rebuilding_to = ledger_seq, rebuilt_up_to = :document"
                ),
                {"document": made[1][0]},
            )
    assert index(engine, objects).documents == 3
    assert select(WHOLE) == made
    assert index(engine, objects).documents == 0


def test_two_indexers_do_not_do_the_same_work(engine: sa.Engine, objects: ObjectStore) -> None:
    with indexing._alone(engine) as got:
        assert got
        assert index(engine, objects).whole is False
    assert index(engine, objects).whole


def test_a_missing_file_is_read_once_it_is_back(
    engine: sa.Engine,
    objects: ObjectStore,
    archive: Archive,
    batch: Callable[..., Batch],
    select: Select,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    archive.load(batch(), [archived(objects, "k1", files={"a.txt": "đê".encode()})])
    whole = type(objects).content

    def without_text(store: ObjectStore, sha256: str) -> object:
        content = whole(store, sha256)
        if content.size < 10:
            raise FileNotFoundError(sha256)
        return content

    with monkeypatch.context() as patched:
        patched.setattr(type(objects), "content", without_text)
        done = index(engine, objects)
        assert (done.files, done.missing) == (0, Missing(files=1))
    assert index(engine, objects).missing == Missing(files=1), (
        "it is not read again by itself, and stays told"
    )
    assert index(engine, objects, rebuild=True).outcomes == {"text": 1}
    assert select("SELECT text FROM archive.extracted_text") == [("đê",)]


@pytest.mark.parametrize("method", ["open", "content"])
def test_a_store_that_is_away_stops_the_indexing_and_loses_nothing(
    engine: sa.Engine,
    objects: ObjectStore,
    archive: Archive,
    batch: Callable[..., Batch],
    monkeypatch: pytest.MonkeyPatch,
    method: str,
) -> None:
    archive.load(batch(), [archived(objects, "k1", files={"a.txt": b"a"}), archived(objects, "k2")])

    def away(_store: ObjectStore, _sha256: str) -> object:
        raise RetriableError("the object store is away")

    with monkeypatch.context() as patched:
        patched.setattr(type(objects), method, away)
        with pytest.raises(RetriableError, match="store is away"):
            index(engine, objects)
    done = index(engine, objects)
    assert (done.documents, done.files) == (2, 1)


def test_a_document_without_its_manifest_is_left_out_and_counted(
    engine: sa.Engine, objects: ObjectStore, archive: Archive, batch: Callable[..., Batch], tmp_path: Path
) -> None:
    lost, kept = archived(objects, "k1"), archived(objects, "k2")
    archive.load(batch(), [lost, kept])
    name = lost.manifest_sha256
    (tmp_path / "objects" / "sha256" / name[:2] / name).unlink()
    done = index(engine, objects)
    assert (done.documents, done.missing) == (1, Missing(documents=1))
    assert index(engine, objects).missing == Missing(documents=1)


def test_a_file_whose_reader_crashes_stops_nothing(
    engine: sa.Engine, objects: ObjectStore, archive: Archive, batch: Callable[..., Batch], select: Select
) -> None:
    archive.load(batch(), [archived(objects, "k1", files={"a.txt": b"a"}), archived(objects, "k2")])
    with Extractor(command=("/bin/false",)) as broken:
        assert index(engine, objects, extractor=broken).outcomes == {"damaged": 1}
    assert len(select(WHOLE)) == 2


def test_the_planner_knows_how_rare_a_word_is(archive_url: str) -> None:
    """A word that the statistics do not know must not be taken for a frequent one: see the migration."""
    chance = random.Random(1)
    with psycopg.connect(archive_url.replace("+psycopg", "")) as connection:
        connection.execute("SET session_replication_role = replica")
        with connection.cursor().copy(
            """COPY archive.search_entry (document_id, version, recalled, source, kind, direction, sort_date,
              file_types, left_out, head, words) FROM STDIN"""
        ) as copy:
            for number in range(20_000):
                words = " ".join({f"w{int(3_000 ** chance.random())}" for _ in range(10)})
                vector = f"{words} rare{number}"
                copy.write_row(
                    (UUID(int=number), 1, False, "s", "document", "x", "2025-01-01", "{}", 0, vector, vector)
                )
        connection.execute("ANALYZE archive.search_entry")

        def expected(word: str) -> float:
            row = connection.execute(
                "SELECT archive.search_expected(jsonb_build_object('on', 'words', 'gauges', ARRAY['w1', %s]))",
                (word,),
            ).fetchone()
            assert row is not None
            return float(row[0])

        assert expected("rare77") <= 20
        assert expected("w1") > 5_000
        connection.rollback()
