"""Access: the class of each version as its record states it, that in force of each document, and who may read which.

Versions from before get the class that their regime of use means; rules of sources apply to what comes from now on.
Roles, grants and row security are not of a migration: ``archive.access_rights`` brings them about after each.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

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
        """CREATE FUNCTION archive.readable_classes() RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE
        RETURN (SELECT CASE
            WHEN pg_has_role(me, 'archive_owner', 'USAGE') OR pg_has_role(me, 'archive_loader', 'USAGE')
              THEN ARRAY['open', 'conditional', 'personal', 'sealed']
            WHEN pg_has_role(me, 'archive_clerk', 'USAGE') THEN ARRAY['open', 'conditional', 'personal']
            WHEN pg_has_role(me, 'archive_reader', 'USAGE') THEN ARRAY['open', 'conditional']
            ELSE ARRAY[]::text[] END
          FROM (SELECT CASE current_setting('role') WHEN 'none' THEN session_user
            ELSE current_setting('role')::name END) AS who(me))"""
    )


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
