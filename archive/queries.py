"""Questions to the archive: find and show a document, list what is set aside, count."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar
from uuid import UUID

import sqlalchemy as sa

from archive.failures import database_errors
from archive.searching import symbol_norm
from archive.stored_text import key_text
from archive.views import (
    CheckView,
    DocumentView,
    FileView,
    HandlingStep,
    QuarantineView,
    RelationView,
    SameAsView,
    Tombstone,
    Totals,
    VerdictCount,
    VerdictView,
    VersionView,
    WithheldCount,
)
from schemas.document import Flag

MOST_FOUND = 100
"""``find_document`` returns no more than this."""

_HASH_PREFIX = re.compile(r"[0-9a-f]{8,64}")
_View = TypeVar("_View")


def find_document(engine: sa.Engine, text: str) -> list[DocumentView | Tombstone]:
    """The documents that ``text`` names, newest first; of a recalled one, for normal use, its tombstone, and so
    of a recall that carries again what it recalls."""
    return [
        Tombstone.of(view) if view.recalled or view.repeats_recalled else view
        for view in find_with_recalled(engine, text)
    ]


def find_with_recalled(engine: sa.Engine, text: str) -> list[DocumentView]:
    """The documents that ``text`` names, newest first, recalled ones whole: for a clerk who asks for them.

    It may be a symbol in any spelling (of any version), a uid, a source key, an identity in the archive, or 8
    and more digits of the SHA-256 of a file, an original or a manifest.
    """
    asked = text.strip()
    with database_errors("finding a document"), engine.connect() as connection:
        rows = connection.execute(_FIND, _names(asked))
        return _views(connection, [row.id for row in rows])


def quarantine_list(
    engine: sa.Engine, source: str | None = None, state: str | None = "open", limit: int = 1000
) -> list[QuarantineView]:
    """Records in quarantine, by source and key; ``state`` None: released and rejected ones too."""
    with database_errors("listing the quarantine"), engine.connect() as connection:
        rows = connection.execute(_QUARANTINE, {"source": source, "state": state, "limit": limit})
        return [QuarantineView(**row) for row in rows.mappings()]


def withheld_counts(engine: sa.Engine) -> list[WithheldCount]:
    """How many records were withheld, by source, level and rule."""
    return _counted(engine, WithheldCount, _WITHHELD)


def verdict_counts(engine: sa.Engine) -> list[VerdictCount]:
    """How many verdicts there are of each kind, by source: those in force, of current versions."""
    return _counted(engine, VerdictCount, _VERDICTS)


def signer_certificates(engine: sa.Engine) -> list[str]:
    """SHA-256 of the certificate of every signer in the archive; the evidence of each is in the object store."""
    distinct = sa.text(
        "SELECT DISTINCT signer_sha256 FROM archive.signature_verdict WHERE signer_sha256 IS NOT NULL ORDER BY 1"
    )
    with database_errors("reading the signers"), engine.connect() as connection:
        return list(connection.scalars(distinct))


def totals(engine: sa.Engine) -> Totals:
    """What the archive holds in all, as far as the engine's role may read it."""
    with database_errors("counting"), engine.connect() as connection:
        counted = dict(connection.execute(_TOTALS).mappings().one())
        for name, (table, query) in _GUARDED.items():
            allowed = connection.scalar(_MAY_READ, {"table": f"archive.{table}"})
            counted[name] = connection.scalar(query) if allowed else None
    return Totals(**counted)


def _counted(engine: sa.Engine, view: type[_View], query: sa.TextClause) -> list[_View]:
    with database_errors("counting"), engine.connect() as connection:
        return [view(**row) for row in connection.execute(query).mappings()]


def _names(asked: str) -> dict[str, str | int | UUID | None]:
    prefix = asked.lower()
    try:
        identity = UUID(asked)
    except ValueError:
        identity = None
    return {
        "symbol": symbol_norm(asked),
        "key": key_text(asked),
        "identity": identity,
        "prefix": prefix if _HASH_PREFIX.fullmatch(prefix) else None,
        "most": MOST_FOUND,
    }


def _views(connection: sa.Connection, ids: Sequence[UUID]) -> list[DocumentView]:
    versions = _versions(connection, ids)
    relations: dict[UUID, list[RelationView]] = defaultdict(list)
    for row in connection.execute(_RELATIONS, {"ids": ids}).mappings():
        relations[row["id"]].append(_without(RelationView, row, "id"))
    history: dict[UUID, list[HandlingStep]] = defaultdict(list)
    for row in connection.execute(_HISTORY, {"ids": ids}).mappings():
        history[row["id"]].append(_without(HandlingStep, row, "id", "ordinal"))
    same: dict[UUID, list[SameAsView]] = defaultdict(list)
    for row in connection.execute(_SAME_AS, {"ids": ids}).mappings():
        same[row["id"]].append(_without(SameAsView, row, "id"))
    recalled = set(connection.scalars(_RECALLED, {"ids": ids}))
    repeating = set(connection.execute(_REPEATING, {"ids": ids}).scalars())
    documents = {row["id"]: row for row in connection.execute(_DOCUMENTS, {"ids": ids}).mappings()}
    return [
        DocumentView(
            document=str(identity),
            source=documents[identity]["source"],
            source_key=documents[identity]["source_key"],
            kind=documents[identity]["kind"],
            current=next(
                v for v in versions[identity] if v.version == documents[identity]["current_version"]
            ),
            versions=tuple(versions[identity]),
            relations=tuple(relations[identity]),
            history=tuple(history[identity]),
            same_as=tuple(same[identity]),
            gone_from_source_at=documents[identity]["gone_from_source_at"],
            access=documents[identity]["access"],
            recalled=identity in recalled,
            repeats_recalled=identity in repeating,
            replaced=_is_done_by_issuer("replaces", relations[identity]),
        )
        for identity in ids
    ]


def _is_done_by_issuer(kind: str, relations: Sequence[RelationView]) -> bool:
    return any(relation.inverse and relation.kind == kind and relation.by_issuer for relation in relations)


def _versions(connection: sa.Connection, ids: Sequence[UUID]) -> dict[UUID, list[VersionView]]:
    files: dict[tuple[UUID, int], list[FileView]] = defaultdict(list)
    for row in connection.execute(_FILES, {"ids": ids}).mappings():
        place = (row["document_id"], row["of_version"])
        file = dict(row) | {"defects": tuple(row["defects"])}
        files[place].append(FileView(**{name: file[name] for name in FileView.__slots__}))
    verdicts: dict[tuple[UUID, int], list[VerdictView]] = defaultdict(list)
    for row in connection.execute(_VERSION_VERDICTS, {"ids": ids}).mappings():
        place = (row["document_id"], row["of_version"])
        verdicts[place].append(_without(VerdictView, row, "document_id", "of_version"))
    checks: dict[tuple[UUID, int], list[CheckView]] = defaultdict(list)
    for row in connection.execute(_CHECKS, {"ids": ids}).mappings():
        place = (row["document_id"], row["of_version"])
        check = _without(CheckView, row, "document_id", "of_version")
        checks[place].append(replace(check, reasons=tuple(check.reasons)))
    versions: dict[UUID, list[VersionView]] = defaultdict(list)
    for row in connection.execute(_VERSIONS, {"ids": ids}).mappings():
        place = (row["document_id"], row["version"])
        fields = {name: row[name] for name in VersionView.__slots__ if name in row}
        fields |= {name: tuple(row[name]) for name in ("signers", "recipients")}
        fields["flags"] = tuple(Flag.model_validate(flag) for flag in row["flags"])
        versions[place[0]].append(
            VersionView(
                **fields,
                files=tuple(files[place]),
                verdicts=tuple(verdicts[place]),
                checks=tuple(checks[place]),
            )
        )
    return versions


def _without(view: type[_View], row: sa.RowMapping, *names: str) -> _View:
    return view(**{name: value for name, value in row.items() if name not in names})


_FIND = sa.text(
    """WITH found AS (
      SELECT document_id FROM archive.document_version WHERE symbol_norm = :symbol
      UNION SELECT document_id FROM archive.document_version WHERE uid = :key
      UNION SELECT id FROM archive.document WHERE source_key = :key
      UNION SELECT id FROM archive.document WHERE id = :identity
      UNION SELECT document_id FROM archive.document_version
        WHERE original_sha256 >= :prefix AND original_sha256 < :prefix || 'g'
      UNION SELECT document_id FROM archive.document_version
        WHERE manifest_sha256 >= :prefix AND manifest_sha256 < :prefix || 'g'
      UNION SELECT document_id FROM archive.attachment WHERE sha256 >= :prefix AND sha256 < :prefix || 'g')
    SELECT d.id FROM found JOIN archive.document d ON d.id = found.document_id
    JOIN archive.document_version v ON v.document_id = d.id AND v.version = d.current_version
    ORDER BY v.issued_date DESC NULLS LAST, d.source, d.source_key LIMIT :most"""
).bindparams(
    sa.bindparam("symbol", type_=sa.Text),
    sa.bindparam("prefix", type_=sa.Text),
    sa.bindparam("identity", type_=sa.Uuid),
)
_DOCUMENTS = sa.text(
    "SELECT id, source, source_key, kind, current_version, gone_from_source_at, access"
    " FROM archive.document WHERE id = ANY(:ids)"
)
_VERSIONS = sa.text(
    "SELECT * FROM archive.document_version WHERE document_id = ANY(:ids) ORDER BY document_id, version"
)
_FILES = sa.text(
    """SELECT document_id, version AS of_version, ordinal, name, sha256, size, media_type, defects
    FROM archive.attachment WHERE document_id = ANY(:ids) ORDER BY document_id, version, ordinal"""
)
_VERSION_VERDICTS = sa.text(
    """SELECT document_id, version AS of_version, attachment, file_name, sha256, check_no, position, format,
      indication, sub_indication, integrity, coverage, modification, role, signer_name, signer_organization,
      claimed_time, best_time, revocation, verified_at, provisional, verdict,
      NOT EXISTS (SELECT FROM archive.verdict_set_aside a WHERE a.document_id = s.document_id
        AND a.version = s.version AND a.check_no = s.check_no AND a.position = s.position) AS in_force
    FROM archive.signature_verdict s WHERE document_id = ANY(:ids)
    ORDER BY document_id, version, check_no, position"""
)
_CHECKS = sa.text(
    """SELECT v.document_id, v.version AS of_version, v.check_no, v.reasons, r.why, v.verified_at, v.sha256
    FROM archive.verification v JOIN archive.verification_run r ON r.id = v.run_id
    WHERE v.document_id = ANY(:ids) ORDER BY v.document_id, v.version, v.check_no"""
)
_RELATION_COLUMNS = """r.kind, o.source AS other_source, w.symbol AS other_symbol,
  w.issuer_name AS other_issuer,
  coalesce(w.issued_date, (w.changed_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date) AS other_date,
  concat_ws(' ', r.target_uid,
    coalesce(r.target_symbol, nullif(concat_ws('/', r.target_number, r.target_notation), '')),
    r.target_issued_date) AS named,
  r.reason, r.effective, coalesce(f.by_issuer, false) AS by_issuer
"""
_IN_FORCE = "LEFT JOIN archive.relation_in_force f USING (document_id, version, ordinal)"
_RELATIONS = sa.text(
    f"""SELECT r.document_id AS id, false AS inverse, o.id::text AS other, {_RELATION_COLUMNS}
    FROM archive.document d
    JOIN archive.relation r ON r.document_id = d.id AND r.version = d.current_version
    {_IN_FORCE}
    LEFT JOIN archive.document o ON o.id = r.target_document
    LEFT JOIN archive.document_version w ON w.document_id = o.id AND w.version = o.current_version
    WHERE d.id = ANY(:ids)
    UNION ALL
    SELECT r.target_document, true, r.document_id::text, {_RELATION_COLUMNS}
    FROM archive.relation_in_force f JOIN archive.relation r USING (document_id, version, ordinal)
    JOIN archive.document o ON o.id = r.document_id
    JOIN archive.document_version w ON w.document_id = o.id AND w.version = o.current_version
    WHERE f.target_document = ANY(:ids)
    ORDER BY 1, 2, kind, by_issuer DESC, other_date NULLS LAST, named, other"""  # noqa: S608 - constants of this module
)
_HISTORY = sa.text(
    """SELECT d.id, s.ordinal, s.organ_id, s.organ_name, s.moment, s.staff, s.status_code, s.text, NULL AS by
    FROM archive.document d
    JOIN archive.handling_step s ON s.document_id = d.id AND s.version = d.current_version
    WHERE d.id = ANY(:ids)
    UNION ALL
    SELECT f.target_document, s.ordinal, s.organ_id, s.organ_name, s.moment, s.staff, s.status_code, s.text,
      f.document_id::text
    FROM archive.relation_in_force f
    JOIN archive.handling_step s ON s.document_id = f.document_id AND s.version = f.version
    WHERE f.kind = 'status_of' AND f.target_document = ANY(:ids)
    ORDER BY 1, moment NULLS LAST, by NULLS FIRST, ordinal, status_code"""
)
# Not from the relations that are shown: a recall counts for a reader who may not read it.
_RECALLED = sa.text("SELECT archive.recalled(CAST(:ids AS uuid[]))")
_REPEATING = sa.text(
    """SELECT DISTINCT f.document_id FROM archive.relation_in_force f
    JOIN archive.document_version w USING (document_id, version)
    JOIN archive.document_version v ON v.document_id = f.target_document
    WHERE f.kind = 'recalls' AND f.by_issuer AND f.document_id = ANY(:ids)
      AND (w.uid = v.uid OR (w.symbol_norm = v.symbol_norm AND w.issued_date = v.issued_date)
        OR EXISTS (SELECT FROM archive.attachment x JOIN archive.attachment y USING (sha256)
          WHERE (x.document_id, x.version) = (w.document_id, w.version)
            AND (y.document_id, y.version) = (v.document_id, v.version)))"""
)
_SAME_AS = sa.text(
    """SELECT a.id, d.id::text AS document, d.source, d.source_key, s.grade, s.evidence, s.state,
      EXISTS (SELECT FROM archive.recalled(ARRAY[d.id])) AS recalled
    FROM unnest(CAST(:ids AS uuid[])) AS a(id)
    JOIN archive.same_as s ON a.id IN (s.document_a, s.document_b)
    JOIN archive.document d ON d.id = CASE a.id WHEN s.document_a THEN s.document_b ELSE s.document_a END
    ORDER BY a.id, s.grade, d.source, d.source_key"""
)
_QUARANTINE = sa.text(
    """SELECT id::text, source, source_key, revision, stage, reason, message, location, original_sha256,
      context, attempts, first_run::text, last_run::text, state, resolved_by, resolved_why, resolved_at
    FROM archive.quarantine
    WHERE (CAST(:source AS text) IS NULL OR source = :source)
      AND (CAST(:state AS text) IS NULL OR state = :state)
    ORDER BY source, source_key, revision LIMIT :limit"""
)
_WITHHELD = sa.text(
    """SELECT source, level, rule, count(*) AS records FROM archive.withheld
    GROUP BY source, level, rule ORDER BY source, level, rule"""
)
_VERDICTS = sa.text(
    """SELECT d.source, s.indication, s.sub_indication, count(*) AS verdicts
    FROM archive.document d
    JOIN archive.verdict_in_force s ON s.document_id = d.id AND s.version = d.current_version
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""
)
_TOTALS = sa.text(
    """SELECT
      (SELECT count(*) FROM archive.document WHERE kind = 'document') AS documents,
      (SELECT count(*) FROM archive.document WHERE kind = 'status') AS statuses,
      (SELECT count(*) FROM archive.document WHERE kind = 'other') AS others,
      (SELECT count(*) FROM archive.document_version) AS versions,
      (SELECT count(DISTINCT target_document) FROM archive.relation_in_force
        WHERE kind = 'recalls' AND by_issuer) AS recalled,
      (SELECT count(*) FROM archive.attachment) AS files,
      (SELECT count(*) FROM archive.object) AS objects,
      (SELECT coalesce(sum(size), 0)::bigint FROM archive.object) AS object_bytes,
      (SELECT count(*) FROM archive.relation) AS relations,
      (SELECT count(*) FROM archive.relation WHERE target_document IS NOT NULL) AS relations_resolved,
      (SELECT count(*) FROM archive.same_as WHERE state <> 'refused') AS same_as"""
)
_MAY_READ = sa.text("SELECT has_table_privilege(:table, 'SELECT')")
_GUARDED = {
    "quarantined_open": (
        "quarantine",
        sa.text("SELECT count(*) FROM archive.quarantine WHERE state = 'open'"),
    ),
    "withheld": ("withheld", sa.text("SELECT count(*) FROM archive.withheld")),
    "events": ("event", sa.text("SELECT count(*) FROM archive.event")),
}
