"""Access: the class of each version as its record states it, that in force of each document, and who may read which.

Versions from before get the class that their regime of use means; rules of sources apply to what comes from now on.
Roles, grants and row security are not of a migration: ``archive.access_rights`` brings them about after each.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from archive.identities import lock_key
from mappings.access import class_of_regime

revision = "0008"
down_revision = "0007"

SCHEMA = "archive"
KEY = sa.Text(collation="C")
CLASSES = ("open", "conditional", "personal", "sealed")


def upgrade() -> None:
    """Add and fill the columns, then make the functions."""
    for table in ("document_version", "document"):
        op.add_column(table, sa.Column("access", KEY, nullable=False, server_default="open"), schema=SCHEMA)
        op.alter_column(table, "access", server_default=None, schema=SCHEMA)
        op.create_check_constraint(
            f"ck_{table}_access", table, f"access IN ({', '.join(map(repr, CLASSES))})", schema=SCHEMA
        )
    op.add_column("document", sa.Column("access_decided", KEY, nullable=True), schema=SCHEMA)
    op.add_column("document", sa.Column("access_seen", sa.Integer(), nullable=True), schema=SCHEMA)
    op.create_check_constraint(
        "ck_document_access_decided",
        "document",
        f"access_decided IN ({', '.join(map(repr, CLASSES))})",
        schema=SCHEMA,
    )
    _fill()
    op.create_index(
        "ix_document_access",
        "document",
        ["access"],
        schema=SCHEMA,
        postgresql_where=sa.text("access IN ('personal', 'sealed')"),
    )
    op.execute(
        """CREATE FUNCTION archive.access_rank(class text) RETURNS int LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
        RETURN array_position(ARRAY['open', 'conditional', 'personal', 'sealed'], class)"""
    )
    # Whose rights count is who the session works as: SET ROLE needs membership, so nobody fakes it as he could a
    # setting of our own, and it is the caller's also inside a function that runs as its owner. The body is parsed
    # here, once: no search_path of a caller can put another function under these names.
    op.execute(
        """CREATE FUNCTION archive.working_role() RETURNS name LANGUAGE sql STABLE PARALLEL SAFE
        RETURN CASE current_setting('role') WHEN 'none' THEN session_user ELSE current_setting('role')::name END"""
    )
    op.execute(
        """CREATE FUNCTION archive.readable_classes() RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE
        RETURN (SELECT CASE
            WHEN pg_has_role(me, 'archive_owner', 'USAGE') OR pg_has_role(me, 'archive_loader', 'USAGE')
              THEN ARRAY['open', 'conditional', 'personal', 'sealed']
            WHEN pg_has_role(me, 'archive_clerk', 'USAGE') THEN ARRAY['open', 'conditional', 'personal']
            WHEN pg_has_role(me, 'archive_reader', 'USAGE') THEN ARRAY['open', 'conditional']
            ELSE ARRAY[]::text[] END
          FROM (SELECT archive.working_role()) AS who(me))"""
    )
    op.execute(RECALLED)
    for function in (FOLLOWERS, SETTLED, SETTLE, DECIDE, READINGS, GIVE_UP_FAILURES):
        op.execute(function)


def _fill() -> None:
    connection = op.get_bind()
    regimes = list(
        connection.scalars(
            sa.text("SELECT DISTINCT use_regime FROM archive.document_version WHERE use_regime <> ''")
        )
    )
    restricted = [(regime, found) for regime in regimes if (found := class_of_regime(regime)) != "open"]
    if not restricted:
        return
    op.execute("ALTER TABLE archive.document_version DISABLE TRIGGER append_only")
    connection.execute(
        sa.text(
            """UPDATE archive.document_version v SET access = c.access
            FROM unnest(CAST(:regimes AS text[]), CAST(:classes AS text[])) AS c(use_regime, access)
            WHERE v.use_regime = c.use_regime"""
        ),
        {"regimes": [regime for regime, _ in restricted], "classes": [str(found) for _, found in restricted]},
    )
    op.execute("ALTER TABLE archive.document_version ENABLE TRIGGER append_only")
    connection.execute(
        sa.text(
            """UPDATE archive.document d SET access = s.access FROM (
              SELECT DISTINCT ON (document_id) document_id, access FROM archive.document_version
              ORDER BY document_id, array_position(CAST(:classes AS text[]), access) DESC) AS s
            WHERE s.document_id = d.id AND s.access <> 'open'"""
        ),
        {"classes": list(CLASSES)},
    )


# Which of these documents their issuers have recalled. As the owner: a recall counts for a reader who may not read it.
RECALLED = """
CREATE FUNCTION archive.recalled(chosen uuid[]) RETURNS SETOF uuid LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
  SELECT DISTINCT f.target_document FROM archive.relation_in_force f
  JOIN archive.document d ON d.id = f.target_document
  WHERE f.target_document = ANY (chosen) AND f.kind = 'recalls' AND f.by_issuer
    AND d.access = ANY (archive.readable_classes())
$$"""

# What only speaks about another record goes with it: the status messages of a package, the responses in Notes.
_FOLLOWS = "r.kind IN ('status_of', 'response_in_source') AND r.target_document IS NOT NULL"

FOLLOWERS = f"""
CREATE FUNCTION archive.access_followers(chosen uuid[]) RETURNS SETOF uuid LANGUAGE sql STABLE AS $$
  WITH RECURSIVE down(id) AS (
    SELECT unnest(chosen)
    UNION
    SELECT d.id FROM down JOIN archive.relation r ON r.target_document = down.id
    JOIN archive.document d ON d.id = r.document_id AND d.current_version = r.version
    WHERE {_FOLLOWS})
  SELECT id FROM down
$$"""  # noqa: S608 - constants of this module

# The class in force is a function of the rows: what a person decided, made stricter by what later versions state, and
# by the records that this one follows. So a rebuilt archive has the same, whatever comes back first.
SETTLED = f"""
CREATE FUNCTION archive.settled_access(chosen uuid[]) RETURNS TABLE (id uuid, access text) LANGUAGE sql STABLE AS $$
  WITH RECURSIVE up(id, above) AS (
    SELECT c, c FROM unnest(chosen) AS c
    UNION
    SELECT up.id, r.target_document FROM up JOIN archive.document d ON d.id = up.above
    JOIN archive.relation r ON r.document_id = d.id AND r.version = d.current_version
    WHERE {_FOLLOWS}),
  own AS (
    SELECT d.id, greatest(1, archive.access_rank(d.access_decided), (
      SELECT max(archive.access_rank(v.access)) FROM archive.document_version v
      WHERE v.document_id = d.id AND v.version > coalesce(d.access_seen, 0))) AS rank
    FROM archive.document d WHERE d.id IN (SELECT above FROM up))
  SELECT up.id, (ARRAY['open', 'conditional', 'personal', 'sealed'])[max(own.rank)]
  FROM up JOIN own ON own.id = up.above GROUP BY up.id
$$"""  # noqa: S608 - constants of this module

SETTLE = """
CREATE FUNCTION archive.settle_access(chosen uuid[]) RETURNS void LANGUAGE sql AS $$
  UPDATE archive.document d SET access = s.access
  FROM archive.settled_access(chosen) s WHERE d.id = s.id AND d.access <> s.access
$$"""

# As the owner, because whoever seals a document may not see it a moment later.
DECIDE = """
CREATE FUNCTION archive.decide_access(document uuid, class text, seen int) RETURNS text LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  concerned uuid[] := ARRAY(SELECT archive.access_followers(ARRAY[document]));
  decided text;
BEGIN
  PERFORM FROM archive.document d WHERE d.id = ANY (concerned) ORDER BY d.id FOR NO KEY UPDATE;
  PERFORM FROM archive.document d WHERE d.id = document AND d.access = ANY (archive.readable_classes());
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  UPDATE archive.document d SET access_decided = class, access_seen = seen WHERE d.id = document;
  PERFORM archive.settle_access(concerned);
  SELECT d.access INTO decided FROM archive.document d WHERE d.id = document;
  RETURN decided;
END $$"""

# As the owner, because the loader may forget no object but the words about a record that turned out to be secret.
GIVE_UP_FAILURES = """
CREATE FUNCTION archive.give_up_failures(names text[]) RETURNS TABLE (sha256 text, size bigint) LANGUAGE sql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM archive.object o WHERE o.sha256 = ANY (names)
    AND o.media_type = 'application/vnd.lienthong.quarantine+json'
  RETURNING o.sha256, o.size
$$"""

# As the owner, because a reader may not write, and must not be able to read without a trace. The ledger's own
# definition of an event's hash (archive.ledger) in SQL; the name of the role and of the login are the server's.
READINGS = f"""
CREATE FUNCTION archive.record_readings(documents uuid[], files text[], person text, account text, purpose text)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  item record;
  told text;
  number bigint;
  previous text;
  digest text;
  moment timestamptz := clock_timestamp();
BEGIN
  IF person = '' OR purpose = '' OR length(person || account || purpose) > 4000 THEN
    RAISE EXCEPTION 'a reading says who reads and what for' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM pg_advisory_xact_lock({lock_key("ledger")});
  SELECT e.seq, e.hash INTO number, previous FROM archive.event e ORDER BY e.seq DESC LIMIT 1;
  number := coalesce(number, 0);
  previous := coalesce(previous, repeat('0', 64));
  FOR item IN
    SELECT d.id, d.source, f.file, d.access = ANY (archive.readable_classes())
      AND (archive.readable_classes() @> ARRAY['personal'] OR NOT EXISTS (SELECT FROM archive.recalled(ARRAY[d.id])))
      AND (EXISTS (SELECT FROM archive.document_version v WHERE v.document_id = d.id
          AND f.file IN (v.original_sha256, v.manifest_sha256))
        OR EXISTS (SELECT FROM archive.attachment a WHERE a.document_id = d.id
          AND f.file IN (a.sha256, a.wrapped_sha256))) AS allowed
    FROM unnest(documents, files) WITH ORDINALITY AS f(document, file, place)
    LEFT JOIN archive.document d ON d.id = f.document ORDER BY f.place
  LOOP
    IF item.allowed IS NOT TRUE THEN
      RAISE EXCEPTION 'a file that this role may not read' USING ERRCODE = 'insufficient_privilege';
    END IF;
    number := number + 1;
    told := concat('{{"account":', to_json(account), ',"login":', to_json(session_user::text), ',"person":',
      to_json(person), ',"purpose":', to_json(purpose), ',"role":', to_json(archive.working_role()::text),
      ',"sha256":', to_json(item.file), '}}');
    digest := encode(sha256(convert_to(concat('[', to_json(previous), ',', number, ',',
      to_json(to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"')),
      ',"dissemination","success",', to_json(item.source), ',', to_json(item.id::text), ',null,', to_json(told),
      ']'), 'UTF8')), 'hex');
    INSERT INTO archive.event (seq, at, type, outcome, source, object, run_id, payload, prev_hash, hash)
    VALUES (number, moment, 'dissemination', 'success', item.source, item.id::text, NULL, told, previous, digest);
    previous := digest;
  END LOOP;
  RETURN number;
END $$"""  # noqa: S608 - constants of this module
