"""Which role may do what with which table: grants and row-level security, as data.

``apply_rights`` brings the database to what stands here, after each migration and whenever this has changed. What no
line gives, no role has but the owner. Every table needs a line (tests/archive/test_archive_access.py).

Rows are protected by the class of access of their document. The loader bypasses that (COPY demands it), the owner
too, so that ``pg_dump`` works; a function that runs as the owner filters by ``archive.readable_classes()`` itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

import sqlalchemy as sa

from archive.access_roles import Role
from archive.columns import SCHEMA

_ADD = "SELECT, INSERT"
_KEEP = "SELECT, INSERT, UPDATE"
_ALTER = "SELECT, INSERT, UPDATE, DELETE"


@dataclass(frozen=True, slots=True)
class Right:
    """What the roles may do with a table.

    Attributes:
        loader: privileges of the loader.
        clerk: privileges of the clerk beside the reader's: a table of decisions may be written.
        reader: whether the reader, and with it the clerk, may SELECT.
        auditor: ``True`` for the whole table, or the columns without content.
        rows: SQL condition on the rows that reader and clerk see and the clerk may write; ``""`` for all rows.
        clerk_rows: the same for the clerk, where those are others.
    """

    loader: str = _KEEP
    clerk: str = ""
    reader: bool = False
    auditor: bool | tuple[str, ...] = False
    rows: str = ""
    clerk_rows: str = ""


_READABLE = "access = ANY ((SELECT archive.readable_classes())::text[])"
_PLACE = ("document_id", "version")


def of_document(column: str = "document_id") -> str:
    """The row's document is one that the role may read."""
    return f"EXISTS (SELECT FROM archive.document d WHERE d.id = {column})"


_OF_DOCUMENT = of_document()

RIGHTS: Mapping[str, Right] = MappingProxyType(
    {
        "anchor": Right(loader=_ADD, clerk="SELECT", auditor=True),
        "archive_alembic_version": Right(loader="SELECT", reader=True, auditor=True),
        "attachment": Right(
            loader=_ADD,
            reader=True,
            auditor=(*_PLACE, "ordinal", "sha256", "size", "wrapped_sha256"),
            rows=_OF_DOCUMENT,
        ),
        "document": Right(reader=True, auditor=True, rows=_READABLE),
        "document_version": Right(
            loader=_ADD,
            reader=True,
            auditor=(
                *_PLACE,
                "revision",
                "changed_at",
                "received_at",
                "run_id",
                "manifest_sha256",
                "original_sha256",
                "original_size",
                "kind",
                "access",
            ),
            rows=_OF_DOCUMENT,
        ),
        # Written by functions that run as the owner: see DEFINERS.
        "disposal": Right(
            loader="SELECT", clerk="SELECT", auditor=("id", "state", "requested_at", "decided_at")
        ),
        "disposal_document": Right(loader="SELECT", clerk="SELECT", auditor=True),
        "disposed_object": Right(loader="SELECT", clerk="SELECT", auditor=True),
        "disposed_version": Right(
            loader="SELECT", clerk="SELECT", auditor=(*_PLACE, "disposal_id", "disposed_at")
        ),
        "dossier": Right(
            loader=_ALTER,
            clerk=_KEEP,
            reader=True,
            auditor=("id", "origin", "source", "fonds_id", "retention"),
            # A title says what the documents are about: it is readable with the first of them.
            rows="EXISTS (SELECT FROM archive.dossier_document x WHERE x.dossier_id = id)",
            clerk_rows="true",
        ),
        "dossier_document": Right(
            loader=_ALTER,
            clerk=_KEEP,
            reader=True,
            auditor=("dossier_id", "document_id", "origin", "taken_out", "position", "decided_at"),
            rows=_OF_DOCUMENT,
        ),
        "event": Right(loader=_ADD, clerk=_ADD, auditor=True),
        "extracted_text": Right(loader=_ALTER, auditor=("sha256", "outcome", "extracted_at")),
        "fixity": Right(loader=_ALTER, auditor=True),
        "fonds": Right(clerk=_KEEP, reader=True, auditor=True),
        "handling_step": Right(loader=_ADD, reader=True, auditor=(*_PLACE, "ordinal"), rows=_OF_DOCUMENT),
        "inventory": Right(
            loader=_ALTER, clerk="SELECT", auditor=("source", "run_id", "taken_at", "listed", "missing")
        ),
        "known_gap": Right(clerk=_KEEP, reader=True, auditor=True),
        "known_list": Right(loader=_ADD, reader=True, auditor=True),
        "legal_hold": Right(
            clerk=_KEEP, auditor=("id", "kind", "object_id", "held_from", "placed_at", "released_at")
        ),
        "object": Right(reader=True, auditor=True),
        "organ": Right(loader=_ALTER, clerk=_KEEP, reader=True, auditor=True),
        "quarantine": Right(
            clerk="SELECT, UPDATE",
            auditor=(
                "id",
                "source",
                "stage",
                "reason",
                "original_sha256",
                "first_run",
                "last_run",
                "attempts",
                "state",
                "resolved_at",
            ),
        ),
        "relation": Right(
            reader=True,
            auditor=(*_PLACE, "ordinal", "kind", "target_document"),
            rows=_OF_DOCUMENT,
        ),
        "retention_decision": Right(
            clerk=_KEEP, reader=True, auditor=(*_PLACE[:1], "decided_at"), rows=_OF_DOCUMENT
        ),
        "retention_rule": Right(clerk=_KEEP, reader=True, auditor=True),
        "run": Right(reader=True, auditor=True),
        "run_batch": Right(reader=True, auditor=True),
        # People search through functions that run as the owner: see DEFINERS.
        "search_body": Right(loader=_ALTER),
        "search_entry": Right(loader=_ALTER),
        "search_state": Right(reader=True),
        "same_as": Right(
            clerk=_KEEP,
            reader=True,
            auditor=("document_a", "document_b", "grade", "found_at", "state", "decided_at"),
            rows=f"{of_document('document_a')} AND {of_document('document_b')}",
        ),
        "signature_verdict": Right(
            loader=_ADD,
            reader=True,
            auditor=(*_PLACE, "check_no", "position", "attachment", "sha256", "indication", "sub_indication"),
            rows=_OF_DOCUMENT,
        ),
        "source": Right(loader=_ADD, reader=True, auditor=True),
        "verdict_set_aside": Right(loader=_ADD, reader=True, auditor=True, rows=_OF_DOCUMENT),
        "verification": Right(loader=_ADD, reader=True, auditor=True, rows=_OF_DOCUMENT),
        "verification_run": Right(reader=True, auditor=True),
        "withheld": Right(loader=_ADD, clerk="SELECT", auditor=True),
    }
)
"""Every table of the schema. The trigger of append-only tables refuses even the owner; without UPDATE and DELETE
nobody else gets that far."""

DEFINERS: Mapping[str, tuple[Role, ...]] = MappingProxyType(
    {
        "close_disposal": (Role.LOADER, Role.CLERK),
        "decide_access": (Role.LOADER, Role.CLERK),
        "disposal_trace": (Role.LOADER, Role.CLERK),
        "dispose": (Role.LOADER, Role.CLERK),
        "give_up_secret": (Role.LOADER,),
        "is_needed": (Role.LOADER, Role.CLERK),
        "note_removal": (Role.LOADER, Role.CLERK),
        "recalled": (Role.READER, Role.LOADER),
        "record_readings": (Role.READER, Role.LOADER),
        "request_disposal": (Role.LOADER, Role.CLERK),
        "search": (Role.READER, Role.LOADER),
        "search_behind": (Role.READER, Role.LOADER),
        "search_facets": (Role.READER, Role.LOADER),
        "search_pieces": (Role.READER, Role.LOADER),
    }
)
"""Functions that run as the owner, and who may call them; any other one only the loader may. What a reader may call
filters by ``archive.readable_classes()``."""

_EVERYBODY = ", ".join(role for role in Role if role is not Role.OWNER)
_MARK = "lienthong rights "


def apply_rights(connection: sa.Connection) -> None:
    """Bring grants and policies to what ``RIGHTS`` says, in the connection's transaction, as the owner."""
    tables = set(connection.scalars(_TABLES, {"schema": SCHEMA}))
    for statement in _statements():
        connection.execute(sa.text(statement))
    for name in sorted(tables):
        for statement in _of_table(name, RIGHTS.get(name, Right())):
            connection.execute(sa.text(statement))
    for view in connection.scalars(_VIEWS, {"schema": SCHEMA}).all():
        # A view would else show what its owner may see.
        connection.execute(sa.text(f"ALTER VIEW {SCHEMA}.{view} SET (security_invoker = true)"))
        connection.execute(sa.text(f"GRANT SELECT ON {SCHEMA}.{view} TO {Role.LOADER}, {Role.READER}"))
    for signature in connection.scalars(_DEFINERS, {"schema": SCHEMA}).all():
        name = signature.partition("(")[0].removeprefix(f"{SCHEMA}.")
        callers = ", ".join(DEFINERS.get(name, (Role.LOADER,)))
        connection.execute(sa.text(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC, {_EVERYBODY}"))
        connection.execute(sa.text(f"GRANT EXECUTE ON FUNCTION {signature} TO {callers}"))
    connection.execute(sa.text(f"COMMENT ON SCHEMA {SCHEMA} IS '{rights_mark()}'"))


@cache
def rights_mark() -> str:
    """Names the rights as they stand in this program; the comment on the schema says which were applied last."""
    told = "\n".join([*_statements(), *(repr(item) for item in sorted(RIGHTS.items())), repr(DEFINERS)])
    return _MARK + hashlib.sha256(told.encode()).hexdigest()[:16]


def _statements() -> Iterator[str]:
    yield f"REVOKE ALL ON SCHEMA {SCHEMA} FROM PUBLIC"
    yield f"GRANT USAGE ON SCHEMA {SCHEMA} TO {_EVERYBODY}"


def _of_table(name: str, right: Right) -> Iterator[str]:
    table = f"{SCHEMA}.{name}"
    yield f"REVOKE ALL ON {table} FROM PUBLIC, {_EVERYBODY}"
    yield f"GRANT {right.loader} ON {table} TO {Role.LOADER}"
    if right.clerk:
        yield f"GRANT {right.clerk} ON {table} TO {Role.CLERK}"
    if right.reader:
        yield f"GRANT SELECT ON {table} TO {Role.READER}"
    if right.auditor:
        columns = f" ({', '.join(right.auditor)})" if isinstance(right.auditor, tuple) else ""
        yield f"GRANT SELECT{columns} ON {table} TO {Role.AUDITOR}"
    yield f"DROP POLICY IF EXISTS reading ON {table}"
    yield f"DROP POLICY IF EXISTS clerk ON {table}"
    yield f"DROP POLICY IF EXISTS auditing ON {table}"
    if not right.rows:
        yield f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY"
        return
    yield f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"
    yield f"CREATE POLICY reading ON {table} FOR SELECT TO {Role.READER} USING ({right.rows})"
    if right.clerk:
        rows = right.clerk_rows or right.rows
        yield f"CREATE POLICY clerk ON {table} TO {Role.CLERK} USING ({rows}) WITH CHECK ({rows})"
    if right.auditor:
        yield f"CREATE POLICY auditing ON {table} FOR SELECT TO {Role.AUDITOR} USING (true)"


_TABLES = sa.text("SELECT tablename::text FROM pg_tables WHERE schemaname = :schema")
_VIEWS = sa.text("SELECT viewname::text FROM pg_views WHERE schemaname = :schema ORDER BY 1")
_DEFINERS = sa.text(
    """SELECT format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid))
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname = :schema AND p.prosecdef ORDER BY 1"""
)
