"""Search among many documents, as a reader, and what its index costs.

    python -m benchmarks.archive search [--documents 100000] [--queries 200] [--json]

Documents of 200 syllables: two-syllable words drawn by the law of Zipf and Mandelbrot from a made-up lexicon. A
document joins a heading and two halves of a body, each one of 20,000, with a number and a rare word of its own; the
product's code makes the vectors of these pieces, PostgreSQL joins them. GIN indexes are built afterwards. The figures
are milliseconds of ``archive.search.search``, pages of 20 with excerpts; ``cpu`` is the mean processor time of client
and server, which a busy machine changes less. Exit status 1 when a p95 is not below 50.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from bisect import bisect
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

import psycopg
import sqlalchemy as sa

from archive.access_roles import Role
from archive.cursors import psycopg_cursor
from archive.database import create_engine
from archive.search import search
from archive.search_query import Filters, Query
from archive.search_rows import Standing, search_entry
from archive.search_vectors import Vector
from archive.searching import words, words_of
from benchmarks.temporary_archive import temporary_archive
from schemas.document import Direction, OfficialDocument, Organ, Signer

LIMIT_MS = 50.0
_SENTENCES = 40_000
_TYPES = (
    ("QĐ", "Quyết định"),
    ("CV", "Công văn"),
    ("KL", "Kết luận"),
    ("TB", "Thông báo"),
    ("BC", "Báo cáo"),
)
_ORGANS = tuple(
    Organ(name=f"Cơ quan số {n} tỉnh Sông Hương", organ_id=f"000.00.{n:02}.H99") for n in range(60)
)
_DAYS = 20 * 365

_INITIALS = [
    "b",
    "c",
    "ch",
    "d",
    "đ",
    "g",
    "gh",
    "gi",
    "h",
    "k",
    "kh",
    "l",
    "m",
    "n",
    "ng",
    "nh",
    "ph",
    "qu",
    "r",
    "s",
    "t",
    "th",
    "tr",
    "v",
    "x",
]
_RIMES = [
    "a",
    "ai",
    "am",
    "an",
    "ang",
    "anh",
    "ao",
    "at",
    "au",
    "âm",
    "ân",
    "âng",
    "ăn",
    "ăng",
    "e",
    "en",
    "eo",
    "ê",
    "êm",
    "ên",
    "i",
    "ia",
    "iên",
    "iêu",
    "in",
    "inh",
    "o",
    "oa",
    "oan",
    "oi",
    "ong",
    "ô",
    "ôi",
    "ông",
    "ơ",
    "ơi",
    "u",
    "ua",
    "uân",
    "ui",
    "uôn",
    "uông",
    "ư",
    "ưa",
    "ương",
    "y",
    "yên",
]
_TONES = ("", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323")


class Texts:
    """A made-up lexicon and the texts that are drawn from it; the same in every process."""

    def __init__(self) -> None:
        self._random = random.Random(20261127)
        made = [f"{i}{r[:1]}{t}{r[1:]}" for i in _INITIALS for r in _RIMES for t in _TONES]
        self._random.shuffle(made)
        self.syllables = made[:5_000]
        self.lexicon = [f"{self._zipf(self.syllables)} {self._zipf(self.syllables)}" for _ in range(20_000)]
        self.sentences = [
            " ".join(self._zipf(self.lexicon) for _ in range(self._random.randint(6, 12)))
            for _ in range(_SENTENCES)
        ]

    def _zipf(self, of: Sequence[str]) -> str:
        """One by the law of Zipf and Mandelbrot: the first comes once in 150 to 200 times."""
        rank = _SHIFT * ((len(of) + _SHIFT) / _SHIFT) ** self._random.random() - _SHIFT
        return of[min(int(rank), len(of) - 1)]


_SHIFT = 25


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece that many documents share, as a row of the pool."""

    head: str
    words: str
    code: str
    type_name: str
    organ: str
    organ_name: str
    subject: str
    body: str


def pieces(texts: Texts) -> Iterator[Piece]:
    """Headings, each with a half of a body."""
    chance = random.Random(11)
    for number in range(_POOL):
        code, name = chance.choice(_TYPES)
        organ = chance.choice(_ORGANS)
        head = OfficialDocument.model_construct(
            source="notes_van_ban",
            source_key="",
            revision="",
            subject=" ".join(chance.choices(texts.sentences, k=1)),
            issuer=organ,
            type_name=name,
            type_code=code,
            direction=chance.choice((Direction.INCOMING, Direction.OUTGOING)),
            signers=(Signer(full_name=chance.choice(texts.lexicon).title()),),
        )
        entry = search_entry(
            head, Standing(UUID(int=number), 1, _RECEIVED, None, False, "TOTAL_PASSED", ()), ()
        )
        body = ". ".join(chance.choices(texts.sentences, k=5))
        half = Vector()
        half.add(words_of(body))
        yield Piece(
            str(entry["head"]),
            half.literal(),
            str(entry["type_code"]),
            name,
            str(entry["organ"]),
            str(organ.name),
            str(head.subject),
            body,
        )


def symbol(number: int) -> str:
    """The number and notation of a document."""
    return f"{number % 9_000 + 1}-CV/TU{number // 9_000}"


_POOL = 20_000
_RECEIVED = datetime(2026, 1, 1, tzinfo=UTC)
_SHARES = 2


def _fill(url: str, documents: int, share: int) -> None:
    """Put in every ``_SHARES``-th document."""
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")  # the documents' own rows follow
        values = {"documents": documents, "share": share, "shares": _SHARES, "pool": _POOL, "days": _DAYS}
        connection.execute(_ENTRIES, values)


_ENTRIES = """
WITH made AS MATERIALIZED (
  SELECT n, md5('d' || n)::uuid AS id, n %% %(pool)s AS h, (n * 7919::bigint / %(pool)s) %% %(pool)s AS a,
    (n * 104729::bigint / 3) %% %(pool)s AS b, (hashint4(n::int) & 2147483647) %% %(days)s AS day,
    n %% 9000 + 1 AS number, 'tu' || n / 9000 AS tu
  FROM generate_series(%(share)s::bigint, %(documents)s::bigint - 1, %(shares)s) AS g(n)),
bodies AS (
  INSERT INTO archive.search_body (document_id, subject, body)
  SELECT m.id, h.subject, a.body || '. ' || b.body || '. x' || m.n / 4 || 'z'
  FROM made m JOIN pool h ON h.n = m.h JOIN pool a ON a.n = m.a JOIN pool b ON b.n = m.b)
INSERT INTO archive.search_entry (document_id, version, recalled, source, kind, direction, symbol_norm, type_code,
  type_name, organ, organ_name, issued_date, sort_date, verdict, file_types, left_out, head, words)
SELECT m.id, 1, false, 'notes_van_ban', 'document', 'incoming', number || '-cv-' || replace(tu, 'tu', 'tu-'), h.code,
  h.type_name, h.organ, h.organ_name, date '2006-01-01' + m.day::int, date '2006-01-01' + m.day::int, 'TOTAL_PASSED',
  '{}', 0, v.symbol || h.head, v.symbol || h.head || a.words || b.words || ('x' || m.n / 4 || 'z:1')::tsvector
FROM made m JOIN pool h ON h.n = m.h JOIN pool a ON a.n = m.a JOIN pool b ON b.n = m.b
CROSS JOIN LATERAL (SELECT format($f$'%%s':3A 'cv':4A '%%s':5A '+%%s cv':4A '+cv %%s':5A$f$, number, tu, number,
  tu)::tsvector AS symbol) v
"""


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand ``search``."""
    parser = subparsers.add_parser(
        "search",
        help="search among many documents, as a reader",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Measure and print; 1 when a kind of query is too slow."""
    with temporary_archive() as (_, stores):
        url = stores.engine.url.render_as_string(hide_password=False)
        figures: dict[str, object] = {"documents": options.documents}
        login = create_engine(url)
        figures |= _built(login, url, options.documents)
        login.dispose()
        reader = create_engine(url, Role.READER)
        kinds = {
            name: _timed(reader, queries) for name, queries in _kinds(options.documents, options.queries)
        }
        kinds["deep_paging"] = _deep(reader, options.queries)
        reader.dispose()
    figures["milliseconds"] = kinds
    worst = max(figure["p95"] for figure in kinds.values())
    if options.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            if name != "milliseconds":
                print(f"{name:24}{value:>12}")
        for name, figure in kinds.items():
            print(f"{name:24}" + "".join(f"{k} {v:8.1f}   " for k, v in figure.items()))
    return int(worst >= LIMIT_MS)


def _built(login: sa.Engine, url: str, documents: int) -> dict[str, object]:
    with login.begin() as connection:
        definitions = [
            connection.scalar(
                sa.text("SELECT pg_get_indexdef(CAST(:name AS regclass))"), {"name": f"archive.{name}"}
            )
            for name in _INDEXES
        ]
        for name in _INDEXES:
            connection.execute(sa.text(f"DROP INDEX archive.{name}"))
        connection.execute(sa.text(_POOL_TABLE))
        cursor = psycopg_cursor(connection)
        with cursor.copy("COPY pool FROM STDIN") as copy:
            for number, piece in enumerate(pieces(Texts())):
                copy.write_row((number, *astuple(piece)))
        cursor.execute("ANALYZE pool")
    started = time.perf_counter()
    with ThreadPoolExecutor(_SHARES) as threads:
        list(threads.map(lambda share: _fill(url, documents, share), range(_SHARES)))
    filled = time.perf_counter()
    with login.begin() as connection:
        connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        connection.execute(sa.text("SET LOCAL maintenance_work_mem = '512MB'"))
        connection.execute(_DOCUMENTS)
        connection.execute(_VERSIONS)
        indexing = time.perf_counter()
        for definition in definitions:
            connection.execute(sa.text(str(definition)))
        indexed = time.perf_counter()
    sizes: dict[str, object] = {}
    with login.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM (ANALYZE) archive.search_entry"))
        connection.execute(sa.text("ANALYZE archive.document, archive.document_version, archive.search_body"))
        for name in (*_INDEXES, "search_entry"):
            size = sa.text("SELECT pg_total_relation_size(CAST(:name AS regclass))")
            found = connection.scalar(size, {"name": f"archive.{name}"})
            sizes[f"{name}_mb"] = round(int(found or 0) / 1e6)
    return {"fill_s": round(filled - started, 1), "gin_build_s": round(indexed - indexing, 1), **sizes}


_POOL_TABLE = """CREATE UNLOGGED TABLE pool (n bigint PRIMARY KEY, head tsvector, words tsvector, code text,
  type_name text, organ text, organ_name text, subject text, body text)"""
_INDEXES = ("ix_search_entry_head", "ix_search_entry_words")
_DOCUMENTS = sa.text(
    """INSERT INTO archive.document (id, source, source_key, kind, current_version, first_received_at, access)
    SELECT document_id, source, document_id::text, kind, version, now(), 'open' FROM archive.search_entry"""
)
_VERSIONS = sa.text(
    """INSERT INTO archive.document_version (document_id, version, revision, received_at, run_id, manifest_sha256,
      original_sha256, original_type, original_size, kind, form, symbol, symbol_norm, subject, issuer_name, direction,
      signers, recipients, flags, access)
    SELECT e.document_id, 1, '1', now(), e.document_id, md5(e.document_id::text), md5(e.document_id::text), 'x', 1,
      e.kind, '', e.symbol_norm, e.symbol_norm, b.subject, e.organ_name, e.direction, '{}', '{}', '[]', 'open'
    FROM archive.search_entry e JOIN archive.search_body b USING (document_id)"""
)


def _kinds(documents: int, count: int) -> Iterator[tuple[str, list[Query]]]:
    texts = Texts()
    chance = random.Random(7)
    frequent = [word for phrase in texts.lexicon[:60] for word in phrase.split()]

    def some(make: Callable[[], Query]) -> list[Query]:
        return [make() for _ in range(count)]

    def number() -> Query:
        return Query(symbol(chance.randrange(documents)))

    def rare() -> Query:
        return Query(f"x{chance.randrange(documents) // 4}z")

    def pair_of_frequent() -> Query:
        return Query(" ".join(chance.sample(frequent, 2)))

    def folded_pair() -> Query:
        return Query(" ".join(words(" ".join(chance.sample(frequent, 2)))))

    def phrase() -> Query:
        sentence = chance.choice(texts.sentences).split()
        at = chance.randrange(len(sentence) - 4)
        held = " ".join(sentence[at : at + 4])
        return Query(f'"{held if chance.random() < 0.5 else " ".join(words(held))}"')

    def facet_and_date() -> Query:
        return Query("", _filters(chance))

    def words_facet_and_date() -> Query:
        return Query(chance.choice(texts.lexicon[:2_000]), _filters(chance))

    yield "notation", some(number)
    yield "rare_word", some(rare)
    yield "two_frequent_words", some(pair_of_frequent)
    yield "two_frequent_folded", some(folded_pair)
    yield "phrase", some(phrase)
    yield "facet_and_date", some(facet_and_date)
    yield "words_facet_and_date", some(words_facet_and_date)


def _filters(chance: random.Random) -> Filters:
    first = date(2006, 1, 1) + timedelta(days=chance.randrange(_DAYS))
    code, _ = chance.choice(_TYPES)
    organ = chance.choice(_ORGANS).organ_id if chance.random() < 0.5 else None
    return Filters(first=first, last=first + timedelta(days=365), type=code, organ=organ)


def _timed(engine: sa.Engine, queries: Sequence[Query]) -> Mapping[str, float]:
    with_facets = [_milliseconds(partial(search, engine, query, facets=True)) for query in queries[:20]]
    with engine.connect() as connection:
        backend = int(connection.scalar(sa.text("SELECT pg_backend_pid()")) or 0)
    busy = time.process_time() + _server_seconds(backend)
    taken = [_milliseconds(partial(search, engine, query)) for query in queries]
    busy = time.process_time() + _server_seconds(backend) - busy
    cpu = round(1e3 * busy / len(queries), 1)
    return {**_summary(taken), "cpu": cpu, "facets_p50": round(statistics.median(with_facets), 1)}


def _server_seconds(backend: int) -> float:
    """Processor time of a connection's process (Linux, ``/proc/<pid>/schedstat``: nanoseconds)."""
    return int(Path(f"/proc/{backend}/schedstat").read_text().split()[0]) / 1e9


def _deep(engine: sa.Engine, count: int) -> Mapping[str, float]:
    """The pages of one search after the other: of frequent words, and of all documents."""
    taken = []
    for query in (Query(Texts().lexicon[3]), Query("")):
        after = None
        for _ in range(count // 2):
            started = time.perf_counter()
            found = search(engine, query, after=after)
            taken.append((time.perf_counter() - started) * 1e3)
            after = found.after
            if after is None:
                break
    return _summary(taken)


def _milliseconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return (time.perf_counter() - started) * 1e3


def _summary(taken: Sequence[float]) -> dict[str, float]:
    ordered = sorted(taken)
    at = bisect(range(len(ordered)), 0.95 * len(ordered)) - 1
    return {
        "p50": round(statistics.median(ordered), 1),
        "p95": round(ordered[at], 1),
        "max": round(ordered[-1], 1),
    }
