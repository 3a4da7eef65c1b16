"""Alembic's entry: runs the migrations on the connection that ``archive.migrate`` hands over."""

from __future__ import annotations

from alembic import context

from archive.schema import SCHEMA, metadata


def include_name(name: str | None, kind: str, _parents: object) -> bool:
    """Compare our schema only: others may live in the same database."""
    return kind != "schema" or name == SCHEMA


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table="archive_alembic_version",
    version_table_schema=SCHEMA,
    include_schemas=True,
    include_name=include_name,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
