# ruff: noqa: S608 - every query is made of constants of this module
"""Auditing rows against events: every row has the event that made it, and every event its row.

Each check is one query over both sides that gives what does not match. What an event says is read from its payload as
text, never as JSON: a forged payload that is no JSON must not end the audit. Payloads are canonical JSON, in which a
quotation mark inside a text is escaped, so that ``"name":`` stands for that name only.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from archive.audit_finding import Finding, Findings
from archive.ledger import EventType


@dataclass(frozen=True, slots=True)
class Check:
    """A query that gives (kind, where, detail) of what is wrong with ``table``; nothing when all is well."""

    table: str
    query: str


def audit_facts(connection: sa.Connection, findings: Findings) -> None:
    """Run every check on the snapshot that ``connection``'s transaction sees."""
    types = {kind.name.lower(): kind.value for kind in EventType}
    for check in CHECKS:
        for kind, where, detail in connection.execute(sa.text(check.query), types):
            findings.take([Finding(kind, where, {"table": check.table, "detail": detail or ""})])


def _text(name: str) -> str:
    """The text that a payload has under ``name``, as JSON writes it between its quotation marks."""
    return rf"""substring(payload from '"{name}":"((?:[^"\\]|\\.)*)"')"""


def _number(name: str) -> str:
    return f"""substring(payload from '"{name}":([0-9]+)')"""


def _json(column: str) -> str:
    """``column`` as JSON writes it between its quotation marks."""
    return f"substr(to_json({column})::text, 2, length(to_json({column})::text) - 2)"


_VERDICT = """CASE WHEN h.place IS NULL THEN 'row_removed' WHEN t.place IS NULL THEN 'row_added'
  ELSE 'row_differs' END"""


def _both(told: str, held: str, same: str, where: str = "coalesce(h.place, t.place)") -> str:
    """What one side has without the other, and what they tell differently.

    Args:
        told: query over events, held: over rows; both have ``place``, and none has a place twice.
        same: condition under which ``t`` and ``h`` agree, never NULL.
        where: what to call the place.
    """
    return f"""WITH told AS MATERIALIZED ({told}), held AS MATERIALIZED ({held})
    SELECT {_VERDICT}, {where}, 'event ' || t.seq
    FROM told t FULL JOIN held h ON h.place = t.place
    WHERE h.place IS NULL OR t.place IS NULL OR NOT ({same}) ORDER BY 2"""


_VERSIONS = _both(
    f"""SELECT object || '/' || {_number("version")} AS place, max(seq) AS seq, max(source) AS source,
      max({_text("manifest_sha256")}) AS manifest, max(run_id::text) AS run
    FROM archive.event WHERE type = :ingestion GROUP BY 1""",
    """SELECT v.document_id || '/' || v.version AS place, d.source, v.manifest_sha256 AS manifest,
      v.run_id::text AS run
    FROM archive.document_version v JOIN archive.document d ON d.id = v.document_id""",
    "(t.manifest, t.source, t.run) IS NOT DISTINCT FROM (h.manifest, h.source, h.run)",
)

_QUARANTINE = _both(
    f"""SELECT object AS place, max(seq) AS seq, (array_agg(type ORDER BY seq DESC))[1] = :release AS released,
      (array_agg(type ORDER BY seq DESC))[1] = :deletion AS emptied,
      (array_agg({_text("reason")} ORDER BY seq DESC) FILTER (WHERE type = :quarantine))[1] AS reason,
      (array_agg({_text("stage")} ORDER BY seq DESC) FILTER (WHERE type = :quarantine))[1] AS stage,
      (array_agg(coalesce({_text("key_sha256")}, {_text("key")}) ORDER BY seq DESC)
        FILTER (WHERE type <> :release))[1] AS key,
      (array_agg(coalesce({_text("revision_sha256")}, {_text("revision")}) ORDER BY seq DESC)
        FILTER (WHERE type <> :release))[1] AS revision
    FROM archive.event WHERE type IN (:quarantine, :release)
      OR (type = :deletion AND position('"key_sha256":' in payload) > 0) GROUP BY 1""",
    f"""SELECT id::text AS place, state, {_json("reason")} AS reason, stage, {_json("source_key")} AS key,
      {_json("revision")} AS revision,
      state = 'rejected' AND message || location = '' AND context = '{{}}' AND original_sha256 IS NULL
        AND files = '{{}}' AS is_empty
    FROM archive.quarantine""",
    """t.released = (h.state = 'released') AND (NOT t.emptied OR h.is_empty)
    AND (t.stage, t.key, t.revision) IS NOT DISTINCT FROM (h.stage, h.key, h.revision)
    AND (t.reason = h.reason OR length(h.reason) > 300)""",
)

_WITHHELD = _both(
    f"""SELECT source || ' ' || object || ' ' || coalesce({_text("revision_sha256")}, '') || ' ' ||
      coalesce({_text("level")}, '') || ' ' || coalesce({_text("rule")}, '') AS place, max(seq) AS seq
    FROM archive.event WHERE type = :withholding GROUP BY 1""",
    f"""SELECT source || ' ' || key_sha256 || ' ' || revision_sha256 || ' ' || {_json("level")} || ' ' ||
      {_json("rule")} AS place FROM archive.withheld""",
    "true",
)

_RECALLS = f"""WITH told AS MATERIALIZED (
  SELECT seq, object, {_text("by")} AS by, {_number("version")} AS version FROM archive.event WHERE type = :recall)
SELECT 'row_removed', t.by || '/' || t.version, 'event ' || t.seq FROM told t
WHERE NOT EXISTS (SELECT FROM archive.relation r WHERE r.document_id::text = t.by AND r.version::text = t.version
  AND r.kind = 'recalls')
  AND t.by NOT IN (SELECT document_id::text FROM archive.disposed_version)
UNION ALL
SELECT 'row_added', r.document_id || '/' || r.version || '/' || r.ordinal, '' FROM archive.relation r
WHERE r.kind = 'recalls' AND r.target_document IS NOT NULL AND NOT EXISTS (SELECT FROM told t
  WHERE t.object = r.target_document::text AND t.by = r.document_id::text AND t.version = r.version::text)
ORDER BY 2"""

_LINKS = _both(
    f"""SELECT DISTINCT ON (object) object AS place, seq, {_text("state")} AS state, {_text("by")} AS by,
      {_text("why")} AS why
    FROM archive.event WHERE type = :decision AND position('"decision":"link"' in payload) > 0
    ORDER BY object, seq DESC""",
    f"""SELECT document_a || ' ' || document_b AS place, string_agg(DISTINCT state, ' ') AS state,
      string_agg(DISTINCT {_json("decided_by")}, ' ') AS by, string_agg(DISTINCT {_json("decided_why")}, ' ') AS why
    FROM archive.same_as s WHERE state <> 'found' OR EXISTS (SELECT FROM archive.event e
      WHERE e.object = s.document_a || ' ' || s.document_b AND e.type = :decision) GROUP BY 1""",
    "(t.state, t.by, t.why) IS NOT DISTINCT FROM (h.state, h.by, h.why)",
)

_FOUND_LINKS = """SELECT 'row_added', document_a || ' ' || document_b, 'grade ' || grade FROM archive.same_as s
WHERE CASE grade
  WHEN 'A' THEN NOT EXISTS (SELECT FROM archive.attachment x JOIN archive.attachment y USING (sha256)
    WHERE x.sha256 = s.evidence AND x.document_id = s.document_a AND y.document_id = s.document_b)
  WHEN 'B' THEN NOT EXISTS (SELECT FROM archive.document_version v JOIN archive.document_version w
      USING (symbol_norm, issued_date)
    WHERE v.symbol_norm = s.evidence AND v.document_id = s.document_a AND w.document_id = s.document_b)
  ELSE state = 'found' END
  AND NOT EXISTS (SELECT FROM archive.disposed_version d WHERE d.document_id IN (s.document_a, s.document_b))
ORDER BY 2"""

_VERIFICATIONS = _both(
    f"""SELECT object || '/' || {_number("version")} || '/' || {_number("check")} AS place, max(seq) AS seq,
      max({_text("verification_sha256")}) AS sha256, max(run_id::text) AS run
    FROM archive.event WHERE type = :validation AND object NOT IN (
      SELECT document_id::text FROM archive.disposed_version) GROUP BY 1""",
    """SELECT document_id || '/' || version || '/' || check_no AS place, sha256, run_id::text AS run
    FROM archive.verification""",
    "(t.sha256, t.run) IS NOT DISTINCT FROM (h.sha256, h.run)",
)

# Of a run's steps only its account has counts that its row must repeat; the oldest ledgers know no others.
_CLOSED = """type = :accounting
  AND (position('"step":"' in payload) = 0 OR position('"step":"closed"' in payload) > 0)"""

_RUNS = _both(
    f"""SELECT DISTINCT ON (object) object AS place, seq, source, outcome = 'success' AS finished,
      concat_ws(' ', {_number("listed")}, {_number("archived")}, {_number("unchanged")}, {_number("quarantined")},
        {_number("withheld")}) AS counts
    FROM archive.event WHERE {_CLOSED} ORDER BY object, seq DESC""",
    f"""SELECT id::text AS place, source, state,
      concat_ws(' ', listed, archived, unchanged, quarantined, withheld) AS counts
    FROM archive.run WHERE finished IS NOT NULL OR id::text IN (
      SELECT object FROM archive.event WHERE {_CLOSED})""",
    """t.source = h.source AND (h.state = 'running' OR (t.finished = (h.state = 'finished')
    AND t.counts = h.counts))""",
)

_PRESENCE = """WITH told AS MATERIALIZED (
  SELECT DISTINCT ON (object) object, seq, type = :gone AS gone, at FROM archive.event
  WHERE type IN (:gone, :back) ORDER BY object, seq DESC)
SELECT 'row_differs', d.id::text, 'gone_from_source_at' FROM archive.document d
LEFT JOIN told t ON t.object = d.id::text
WHERE d.gone_from_source_at IS DISTINCT FROM CASE WHEN t.gone THEN t.at END
UNION ALL
SELECT 'row_removed', t.object, 'event ' || t.seq FROM told t
WHERE NOT EXISTS (SELECT FROM archive.document d WHERE d.id::text = t.object) ORDER BY 2"""

_DOCUMENTS = """SELECT 'row_added', d.id::text, '' FROM archive.document d
WHERE NOT EXISTS (SELECT FROM archive.document_version v WHERE v.document_id = d.id)
UNION ALL
SELECT 'row_differs', d.id::text, 'current_version' FROM archive.document d
CROSS JOIN LATERAL (SELECT v.version FROM archive.document_version v WHERE v.document_id = d.id
  ORDER BY v.changed_at DESC NULLS LAST, v.version DESC LIMIT 1) newest
WHERE d.current_version <> newest.version ORDER BY 2"""

SETTLED = """stated AS (
  SELECT v.document_id AS id, max(archive.access_rank(v.access)) AS rank
  FROM archive.document_version v JOIN archive.document d ON d.id = v.document_id
  WHERE v.version > coalesce(d.access_seen, 0) GROUP BY 1),
own AS MATERIALIZED (
  SELECT d.id, greatest(1, archive.access_rank(d.access_decided), s.rank) AS rank
  FROM archive.document d LEFT JOIN stated s USING (id)),
follows AS MATERIALIZED (
  SELECT d.id, r.target_document AS above FROM archive.relation r
  JOIN archive.document d ON d.id = r.document_id AND d.current_version = r.version
  WHERE r.kind IN ('status_of', 'response_in_source') AND r.target_document IS NOT NULL),
up(id, above) AS (SELECT id, above FROM follows UNION SELECT up.id, f.above FROM up JOIN follows f ON f.id = up.above),
inherited AS (SELECT up.id, max(own.rank) AS rank FROM up JOIN own ON own.id = up.above GROUP BY 1),
settled AS (
  SELECT own.id, (ARRAY['open', 'conditional', 'personal', 'sealed'])[greatest(own.rank, inherited.rank)] AS access
  FROM own LEFT JOIN inherited USING (id))"""
"""``archive.settled_access`` of every document, for ``WITH RECURSIVE``: that function asks for each one alone."""

_ACCESS = f"""WITH RECURSIVE {SETTLED}, decided AS (
  SELECT DISTINCT ON (object) object, {_text("access")} AS access, {_number("seen")} AS seen, seq
  FROM archive.event WHERE type = :access ORDER BY object, seq DESC)
SELECT 'row_differs', d.id::text, 'access' FROM archive.document d
JOIN settled s ON s.id = d.id
LEFT JOIN decided e ON e.object = d.id::text
WHERE d.access <> s.access OR d.access_decided IS DISTINCT FROM e.access
  OR d.access_seen::text IS DISTINCT FROM e.seen
UNION ALL
SELECT 'row_removed', e.object, 'event ' || e.seq FROM decided e
WHERE NOT EXISTS (SELECT FROM archive.document d WHERE d.id::text = e.object) ORDER BY 2"""

_DISPOSALS = _both(
    f"""SELECT object AS place, max(seq) AS seq, (array_agg({_text("decision")} ORDER BY seq DESC))[1] AS decision,
      (array_agg({_text("account")} ORDER BY seq))[1] AS requested,
      (array_agg({_text("account")} ORDER BY seq DESC)
        FILTER (WHERE position('"decision":"disposal_request"' in payload) = 0))[1] AS decided
    FROM archive.event WHERE type = :disposal AND payload ~ '"decision":"disposal_(request|approval|refusal)"'
    GROUP BY 1""",
    f"""SELECT id::text AS place, CASE state WHEN 'requested' THEN 'disposal_request'
      WHEN 'approved' THEN 'disposal_approval' ELSE 'disposal_refusal' END AS decision,
      {_json("requested_account")} AS requested, {_json("decided_account")} AS decided FROM archive.disposal""",
    "(t.decision, t.requested, t.decided) IS NOT DISTINCT FROM (h.decision, h.requested, h.decided)",
)

_DISPOSED = """SELECT 'row_added', v.document_id || '/' || v.version, '' FROM archive.disposed_version v
WHERE NOT EXISTS (SELECT FROM archive.event e WHERE e.object = v.document_id::text AND e.type = :disposal
  AND position('"decision":"disposal_execution"' in e.payload) > 0)
UNION ALL
SELECT 'row_removed', e.object, 'event ' || e.seq FROM archive.event e WHERE e.type = :disposal
  AND position('"decision":"disposal_execution"' in e.payload) > 0
  AND NOT EXISTS (SELECT FROM archive.disposed_version v WHERE v.document_id::text = e.object) ORDER BY 2"""


def _dead(place: str, names: str) -> str:
    """Rows that name an object of which the archive has no row."""
    return f"""SELECT 'dead_reference', place, name FROM (SELECT {place} AS place, n.name
      FROM {names}) named WHERE name IS NOT NULL
    AND NOT EXISTS (SELECT FROM archive.object o WHERE o.sha256 = named.name)
    AND NOT EXISTS (SELECT FROM archive.disposed_object o WHERE o.sha256 = named.name)
    ORDER BY 2"""


_DEAD_RUNS = """SELECT 'dead_reference', document_id || '/' || version, 'run ' || run_id
FROM archive.document_version v WHERE NOT EXISTS (SELECT FROM archive.run r WHERE r.id = v.run_id)
UNION ALL
SELECT 'dead_reference', 'event ' || e.seq, 'run ' || e.run_id FROM archive.event e
WHERE e.run_id IS NOT NULL AND NOT EXISTS (SELECT FROM archive.run r WHERE r.id = e.run_id)
  AND NOT EXISTS (SELECT FROM archive.verification_run r WHERE r.id = e.run_id) ORDER BY 2"""

CHECKS = (
    Check("document_version", _VERSIONS),
    Check("document", _DOCUMENTS),
    Check("document", _PRESENCE),
    Check("document", _ACCESS),
    Check("quarantine", _QUARANTINE),
    Check("withheld", _WITHHELD),
    Check("relation", _RECALLS),
    Check("same_as", _LINKS),
    Check("same_as", _FOUND_LINKS),
    Check("verification", _VERIFICATIONS),
    Check("run", _RUNS),
    Check("disposal", _DISPOSALS),
    Check("disposed_version", _DISPOSED),
    Check(
        "document_version",
        _dead(
            "document_id || '/' || version",
            "archive.document_version CROSS JOIN LATERAL (VALUES (manifest_sha256), (original_sha256)) n(name)",
        ),
    ),
    Check(
        "attachment",
        _dead(
            "document_id || '/' || version || '/' || ordinal",
            "archive.attachment CROSS JOIN LATERAL (VALUES (sha256), (wrapped_sha256)) n(name)",
        ),
    ),
    Check(
        "verification",
        _dead(
            "document_id || '/' || version || '/' || check_no",
            "archive.verification CROSS JOIN LATERAL (VALUES (sha256)) n(name)",
        ),
    ),
    Check(
        "anchor",
        _dead(
            "'anchor ' || number",
            "archive.anchor CROSS JOIN LATERAL (VALUES (segment_sha256), (record_sha256), (token_sha256)) n(name)",
        ),
    ),
    Check("run", _DEAD_RUNS),
)
"""Every check with the table that it is about."""
