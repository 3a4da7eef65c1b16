"""Columns and constraints in the archive's way; every module of tables builds on them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import ARRAY, UUID
from sqlalchemy.sql.schema import SchemaItem

SCHEMA = "archive"

metadata = MetaData(
    schema=SCHEMA,
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    },
)


def table(name: str, *items: SchemaItem) -> Table:
    """A table of the archive."""
    return Table(name, metadata, *items)


def key(name: str, *, primary: bool = False, null: bool = False) -> Column[str]:
    """Text compared byte by byte: identities, hashes, folded text."""
    return Column(name, Text(collation="C"), primary_key=primary, nullable=null)


def text(name: str, *, null: bool = True) -> Column[str]:
    """Text of any length."""
    return Column(name, Text, nullable=null)


def texts(name: str) -> Column[Sequence[str]]:
    """A list of texts, never NULL."""
    return Column(name, ARRAY(Text), nullable=False)


def whole(name: str, *, primary: bool = False, null: bool = False) -> Column[int]:
    """A 32-bit integer."""
    return Column(name, Integer, primary_key=primary, nullable=null, autoincrement=False)


def time(name: str, *, null: bool = False) -> Column[object]:
    """An instant, in UTC."""
    return Column(name, DateTime(timezone=True), nullable=null)


def date(name: str) -> Column[object]:
    """A civil day, or NULL."""
    return Column(name, Date)


def uuid(name: str, *, primary: bool = False, null: bool = False) -> Column[object]:
    """An identity."""
    return Column(name, UUID(as_uuid=True), primary_key=primary, nullable=null)


def one_of(column: str, *values: str) -> CheckConstraint:
    """The column holds one of ``values``."""
    return CheckConstraint(f"{column} IN ({', '.join(repr(str(value)) for value in values)})", name=column)


def of_version() -> ForeignKeyConstraint:
    """The row belongs to a version of a document."""
    return ForeignKeyConstraint(
        ["document_id", "version"],
        [f"{SCHEMA}.document_version.document_id", f"{SCHEMA}.document_version.version"],
    )
