"""Keeping the search index true: it follows the ledger, where every change of a document has its event.

An event is written in the transaction of what it tells, and its number in the order of the commits: whoever has worked
off all events up to a number has missed nothing. So the index costs the loader nothing, may be stopped at any moment,
and goes on where it was. Made anew, it goes through all documents instead, while people search the old entries.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from uuid import UUID

import psycopg
import sqlalchemy as sa
from psycopg.rows import TupleRow

from archive.copying import copy_rows
from archive.cursors import psycopg_cursor
from archive.extraction import Extractor
from archive.failures import database_errors
from archive.identities import lock_key
from archive.ledger import EventType
from archive.manifest import read_manifest
from archive.objects import ObjectStore
from archive.search_missing import Missing, missing
from archive.search_rows import FORMAT, Standing, search_body, search_entry
from archive.stored_text import column_text
from mappings.file_text import ENGINE, FileText, short_type
from schemas.document import OfficialDocument
from schemas.errors import ConfigurationError, LienthongError, RetriableError
from signatures.verdict import SEVERITY

_log = logging.getLogger(__name__)

FOLLOWED = (
    EventType.INGESTION,
    EventType.RECALL,
    EventType.VALIDATION,
    EventType.ACCESS,
    EventType.DELETION,
    EventType.DISPOSAL,
)
"""The events after which a document's entry may be another one."""

_EVENTS = 2_000
_DOCUMENTS = 200
_NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Indexed:
    """What one call did.

    Attributes:
        documents: entries written. removed: entries taken out. files: files whose text was read for the first time.
        outcomes: those files by what became of them.
        missing: what the store did not give, in this call or an earlier one: it cannot be found until a rebuild.
        ledger_seq: up to this event the index is true now. whole: False when another indexer was at work.
    """

    documents: int = 0
    removed: int = 0
    files: int = 0
    outcomes: Mapping[str, int] | None = None
    missing: Missing = field(default_factory=Missing)
    ledger_seq: int = 0
    whole: bool = True


def index(
    engine: sa.Engine,
    objects: ObjectStore,
    *,
    rebuild: bool = False,
    extractor: Extractor | None = None,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Indexed:
    """Bring the index up to the ledger's end; what is in it already costs one query.

    Args:
        engine: of the migrated database, as the loader. objects: where manifests and files are.
        rebuild: make every entry anew, and read files again that an older program read.
        extractor: reads the files; one of its own without it.
        on_progress: told how many documents were done.

    Raises:
        RetriableError: the database or the store is away. FatalError: it refuses; the store's key ring is missing.
    """
    with database_errors("indexing for search"), _alone(engine) as is_alone:
        if not is_alone:
            _log.info("another indexer is at work")
            return Indexed(whole=False)
        own = extractor or Extractor()
        try:
            done = _Indexer(engine, objects, own, on_progress).run(rebuild)
            return replace(done, missing=missing(engine))
        finally:
            if extractor is None:
                own.close()


@contextmanager
def _alone(engine: sa.Engine) -> Iterator[bool]:
    """Whether nobody else indexes; nobody else will until this ends."""
    with engine.connect() as connection:
        key = lock_key("search index")
        got = bool(connection.scalar(sa.text("SELECT pg_try_advisory_lock(:key)"), {"key": key}))
        connection.commit()
        try:
            yield got
        finally:
            if got:
                connection.execute(sa.text("SELECT pg_advisory_unlock(:key)"), {"key": key})
                connection.commit()


@dataclass(frozen=True, slots=True)
class _State:
    ledger_seq: int
    format: int
    rebuilding_to: int | None
    rebuilt_up_to: UUID | None


class _Indexer:
    def __init__(
        self,
        engine: sa.Engine,
        objects: ObjectStore,
        extractor: Extractor,
        on_progress: Callable[[int], None],
    ) -> None:
        self._engine = engine
        self._objects = objects
        self._extractor = extractor
        self._on_progress = on_progress
        self._done = Indexed(outcomes={})

    def run(self, rebuild: bool) -> Indexed:
        state = self._begin(rebuild)
        while state.rebuilding_to is not None:
            state = self._rebuild_some(state, state.rebuilding_to)
        while (following := self._follow_some(state)) != state:
            state = following
        return replace(self._done, ledger_seq=state.ledger_seq)

    def _begin(self, rebuild: bool) -> _State:
        with self._engine.begin() as connection:
            head = connection.scalar(sa.text("SELECT coalesce(max(seq), 0) FROM archive.event"))
            row = connection.execute(_STATE).first()
            state = _State(*row) if row else _State(0, 0, None, None)
            if rebuild or state.format != FORMAT:
                # From the first document on, also where a rebuild in another format was under way.
                state = _State(state.ledger_seq, FORMAT, int(head or 0), None)
                if rebuild:
                    connection.execute(_FORGET_OLD_TEXTS, {"engine": ENGINE})
                _save(connection, state)
        return state

    def _rebuild_some(self, state: _State, to: int) -> _State:
        after = state.rebuilt_up_to or _NOBODY
        with self._engine.connect() as connection:
            ids = list(connection.scalars(_NEXT_DOCUMENTS, {"after": after, "most": _DOCUMENTS}))
        following = replace(state, rebuilt_up_to=ids[-1]) if ids else _State(to, FORMAT, None, None)
        self._write(ids, following)
        return following

    def _follow_some(self, state: _State) -> _State:
        with self._engine.connect() as connection:
            rows = connection.execute(
                _EVENTS_AFTER,
                {"after": state.ledger_seq, "most": _EVENTS, "types": [event.value for event in FOLLOWED]},
            ).all()
            ids = list(
                connection.scalars(_CONCERNED, {"ids": [row.document for row in rows if row.document]})
            )
        if not rows:
            return state
        for start in range(0, len(ids), _DOCUMENTS):
            # The events count as done with the last of their documents: all of these may be done twice.
            self._write(ids[start : start + _DOCUMENTS], None)
        following = replace(state, ledger_seq=max(row.seq for row in rows))
        self._write([], following)
        return following

    def _write(self, ids: Sequence[UUID], state: _State | None) -> None:
        entries, bodies, texts = self._made(ids)
        with self._engine.begin() as connection:
            cursor = psycopg_cursor(connection)
            _insert_texts(cursor, texts)
            kept = [row["document_id"] for row in entries]
            cursor.execute("DELETE FROM archive.search_entry WHERE document_id = ANY(%s)", (list(ids),))
            removed = cursor.rowcount
            cursor.execute("DELETE FROM archive.search_body WHERE document_id = ANY(%s)", (list(ids),))
            copy_rows(cursor, "search_entry", entries)
            copy_rows(cursor, "search_body", bodies)
            cursor.execute(_FORGET_DESTROYED)
            if state is not None:
                _save(connection, state)
        gone = max(removed - len(kept), 0)
        self._count(len(entries), gone, texts)

    def _count(self, documents: int, removed: int, texts: Mapping[str, FileText]) -> None:
        outcomes = dict(self._done.outcomes or {})
        for read in texts.values():
            outcomes[read.outcome.value] = outcomes.get(read.outcome.value, 0) + 1
        self._done = replace(
            self._done,
            documents=self._done.documents + documents,
            removed=self._done.removed + removed,
            files=self._done.files + len(texts),
            outcomes=outcomes,
        )
        self._on_progress(self._done.documents)

    def _made(
        self, ids: Sequence[UUID]
    ) -> tuple[list[Mapping[str, object]], list[Mapping[str, object]], dict[str, FileText]]:
        """Entries, bodies, and the texts of files that were read for them."""
        if not ids:
            return [], [], {}
        with self._engine.connect() as connection:
            standings = [
                (row.manifest_sha256, _standing(row)) for row in connection.execute(_STANDINGS, {"ids": ids})
            ]
        documents = [(self._document(sha256), standing) for sha256, standing in standings]
        held = [(document, standing) for document, standing in documents if document is not None]
        known = self._known_texts(document for document, _ in held)
        read: dict[str, FileText] = {}
        for document, _ in held:
            for file in document.attachments:
                if file.sha256 not in known and file.sha256 not in read:
                    found = self._read(file.sha256, file.media_type)
                    if found is not None:
                        read[file.sha256] = found
        texts = known | {sha256: found.text for sha256, found in read.items()}
        entries = [
            search_entry(document, standing, [texts.get(file.sha256, "") for file in document.attachments])
            for document, standing in held
        ]
        return entries, [search_body(document, standing) for document, standing in held], read

    def _document(self, manifest_sha256: str) -> OfficialDocument | None:
        try:
            with self._objects.open(manifest_sha256) as stream:
                return read_manifest(stream.read()).document
        except (RetriableError, ConfigurationError):
            raise  # the whole store: nothing would ever index these documents again
        except (LienthongError, OSError) as error:
            # A missing or unreadable manifest is the audit's to report; the others must be found all the same.
            _log.warning("not indexed, its manifest %s cannot be read: %s", manifest_sha256, error)
            return None

    def _known_texts(self, documents: Iterable[OfficialDocument]) -> dict[str, str]:
        names = {file.sha256 for document in documents for file in document.attachments}
        with self._engine.connect() as connection:
            rows = connection.execute(_TEXTS, {"names": list(names)})
            return {row.sha256: row.text for row in rows}

    def _read(self, sha256: str, media_type: str) -> FileText | None:
        try:
            content = self._objects.content(sha256)
        except (RetriableError, ConfigurationError):
            raise
        except (LienthongError, OSError) as error:
            _log.warning("the file %s cannot be read for search: %s", sha256, error)
            return None
        read = self._extractor.read(content)
        return read if read.format else replace(read, format=short_type(media_type))


def _standing(row: sa.Row[tuple[object, ...]]) -> Standing:
    return Standing(
        row.document_id,
        row.version,
        row.received_at,
        row.changed_at,
        row.recalled,
        row.verdict,
        tuple(row.certificates),
    )


def _insert_texts(cursor: psycopg.Cursor[TupleRow], texts: Mapping[str, FileText]) -> None:
    at = datetime.now(UTC)
    for sha256, read in sorted(texts.items()):
        fields = asdict(read) | {"text": column_text(read.text), "message": column_text(read.message)}
        cursor.execute(
            """INSERT INTO archive.extracted_text (sha256, outcome, format, engine, message, characters, cut, pages,
              pages_without_text, text, extracted_at)
            VALUES (%(sha256)s, %(outcome)s, %(format)s, %(engine)s, %(message)s, %(characters)s, %(cut)s,
              %(pages)s, %(pages_without_text)s, %(text)s, %(at)s) ON CONFLICT DO NOTHING""",
            fields | {"sha256": sha256, "characters": len(read.text), "at": at},
        )


def _save(connection: sa.Connection, state: _State) -> None:
    connection.execute(_KEEP_STATE, {**asdict(state), "at": datetime.now(UTC)})


_STATE = sa.text("SELECT ledger_seq, format, rebuilding_to, rebuilt_up_to FROM archive.search_state")
_KEEP_STATE = sa.text(
    """INSERT INTO archive.search_state (name, ledger_seq, format, rebuilding_to, rebuilt_up_to, updated_at)
    VALUES ('index', :ledger_seq, :format, :rebuilding_to, :rebuilt_up_to, :at)
    ON CONFLICT (name) DO UPDATE SET ledger_seq = excluded.ledger_seq, format = excluded.format,
      rebuilding_to = excluded.rebuilding_to, rebuilt_up_to = excluded.rebuilt_up_to,
      updated_at = excluded.updated_at"""
).bindparams(sa.bindparam("rebuilt_up_to", type_=sa.Uuid), sa.bindparam("rebuilding_to", type_=sa.BigInteger))
_NEXT_DOCUMENTS = sa.text("SELECT id FROM archive.document WHERE id > :after ORDER BY id LIMIT :most")
_EVENTS_AFTER = sa.text(
    """SELECT seq, CASE WHEN type = ANY(:types) AND object ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
      THEN object::uuid END AS document
    FROM archive.event WHERE seq > :after ORDER BY seq LIMIT :most"""
)
# A recall, made or taken back by a new version, changes the entry of the other document, too.
_CONCERNED = sa.text(
    """WITH named AS (SELECT DISTINCT id FROM unnest(CAST(:ids AS uuid[])) AS a(id))
    SELECT d.id FROM archive.document d JOIN (
      SELECT id FROM named
      UNION SELECT r.target_document FROM archive.relation r JOIN named ON r.document_id = named.id
        WHERE r.kind = 'recalls'
      UNION SELECT r.document_id FROM archive.relation r JOIN named ON r.target_document = named.id
        WHERE r.kind = 'recalls') AS c USING (id)
    ORDER BY d.id"""
)
_SEVERITY = ", ".join(f"'{indication}'" for indication in SEVERITY)
_STANDINGS = sa.text(
    f"""SELECT d.id AS document_id, v.version, v.manifest_sha256, v.received_at, v.changed_at,
      EXISTS (SELECT FROM archive.relation_in_force f
        WHERE f.target_document = d.id AND f.kind = 'recalls' AND f.by_issuer)
      OR EXISTS (SELECT FROM archive.relation_in_force f
        JOIN archive.document_version o ON o.document_id = f.target_document
        WHERE f.document_id = d.id AND f.kind = 'recalls' AND f.by_issuer
          AND (v.uid = o.uid OR (v.symbol_norm = o.symbol_norm AND v.issued_date = o.issued_date)
            OR EXISTS (SELECT FROM archive.attachment x JOIN archive.attachment y USING (sha256)
              WHERE (x.document_id, x.version) = (v.document_id, v.version)
                AND (y.document_id, y.version) = (o.document_id, o.version)))) AS recalled,
      s.verdict, coalesce(s.certificates, '{{}}') AS certificates
    FROM archive.document d
    JOIN archive.document_version v ON v.document_id = d.id AND v.version = d.current_version
    LEFT JOIN LATERAL (
      SELECT (ARRAY[{_SEVERITY}])[max(array_position(ARRAY[{_SEVERITY}], i.indication))] AS verdict,
        array_agg(DISTINCT i.signer_name) FILTER (WHERE i.signer_name IS NOT NULL) AS certificates
      FROM archive.verdict_in_force i WHERE i.document_id = v.document_id AND i.version = v.version) AS s ON true
    WHERE d.id = ANY(CAST(:ids AS uuid[]))
      AND NOT EXISTS (SELECT FROM archive.disposed_version x
        WHERE x.document_id = v.document_id AND x.version = v.version)
    ORDER BY d.id"""  # noqa: S608 - constants of this module
)
_TEXTS = sa.text("SELECT sha256, text FROM archive.extracted_text WHERE sha256 = ANY(CAST(:names AS text[]))")
_FORGET_OLD_TEXTS = sa.text("DELETE FROM archive.extracted_text WHERE NOT starts_with(engine, :engine)")
_FORGET_DESTROYED = """DELETE FROM archive.extracted_text e USING archive.disposed_object d
    WHERE e.sha256 = d.sha256 AND NOT EXISTS (SELECT FROM archive.attachment a WHERE a.sha256 = e.sha256)"""
