"""Alembic migrations of the schema ``archive``, run by ``archive.migrate``."""
