"""The tables of the archive's database, schema ``archive``: an index over the manifests, and the ledger.

Everything but the ledger, the runs and the decisions of people can be made again from the manifests. Times
are ``timestamptz`` in UTC. Hashes are lower-case hexadecimal text. ``document_id`` is uuid5 of source and
key, so that children know their parent before the database does. Rows of ``document_version``,
``attachment``, ``handling_step``, ``signature_verdict``, ``verification``, ``verdict_set_aside`` and ``event`` are
never changed: the database itself refuses (see the migrations, which also hold the function ``same_issuer`` and the
views ``relation_in_force`` and ``verdict_in_force``).
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy import text as sql_text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID
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


def _table(name: str, *items: SchemaItem) -> Table:
    return Table(name, metadata, *items)


def _key(name: str, *, primary: bool = False, null: bool = False) -> Column[str]:
    """Text compared byte by byte: identities, hashes, folded text."""
    return Column(name, Text(collation="C"), primary_key=primary, nullable=null)


def _text(name: str, *, null: bool = True) -> Column[str]:
    return Column(name, Text, nullable=null)


def _texts(name: str) -> Column[Sequence[str]]:
    return Column(name, ARRAY(Text), nullable=False)


def _whole(name: str, *, primary: bool = False, null: bool = False) -> Column[int]:
    return Column(name, Integer, primary_key=primary, nullable=null, autoincrement=False)


def _time(name: str, *, null: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=null)


def _date(name: str) -> Column[object]:
    return Column(name, Date)


def _uuid(name: str, *, primary: bool = False, null: bool = False) -> Column[object]:
    return Column(name, UUID(as_uuid=True), primary_key=primary, nullable=null)


def _one_of(column: str, *values: str) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({', '.join(repr(value) for value in values)})", name=column)


def _of_version() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["document_id", "version"],
        [f"{SCHEMA}.document_version.document_id", f"{SCHEMA}.document_version.version"],
    )


source = _table("source", _key("name", primary=True), _time("first_seen_at"))

run = _table(
    "run",
    _uuid("id", primary=True),
    _key("source"),  # no foreign key: its check would write a lock into the source's row every night
    _key("run_key"),
    _whole("attempt"),  # 1, or more when a run that had ended was started again under its key
    _key("kind"),
    _time("started"),
    _time("finished", null=True),
    _key("state"),
    _time("window_start", null=True),
    _time("window_end", null=True),
    _whole("plan"),  # raised by each plan of the run; batches count for the plan they belong to
    _whole("batches", null=True),
    _whole("listed", null=True),
    _whole("unchanged_at_plan", null=True),
    _whole("archived"),
    _whole("unchanged"),
    _whole("quarantined"),
    _whole("withheld"),
    _text("failure"),
    _one_of("kind", "sync", "backfill"),
    _one_of("state", "running", "finished", "failed"),
    UniqueConstraint("source", "run_key", "attempt"),
    Index(None, "started"),
)

run_batch = _table(
    "run_batch",
    Column("run_id", UUID(as_uuid=True), ForeignKey(f"{SCHEMA}.run.id"), primary_key=True),
    _whole("plan", primary=True),
    _whole("number", primary=True),
    _key("attempt"),  # token of the try that loaded it
    _key("records_sha256"),  # of the outcomes: the same number with other records is another batch
    _whole("archived"),
    _whole("unchanged"),
    _whole("quarantined"),
    _whole("withheld"),
    _time("loaded_at"),
)

stored_object = _table(
    "object",
    _key("sha256", primary=True),
    Column("size", BigInteger, nullable=False),
    _text("media_type", null=False),
    _time("stored_at"),
)

document = _table(
    "document",
    _uuid("id", primary=True),
    _key("source"),
    _key("source_key"),
    _key("kind"),
    _whole("current_version"),
    _time("first_received_at"),
    _time("gone_from_source_at", null=True),
    UniqueConstraint("source_key", "source"),
    _one_of("kind", "document", "status", "other"),
)

document_version = _table(
    "document_version",
    Column("document_id", UUID(as_uuid=True), ForeignKey(f"{SCHEMA}.document.id"), primary_key=True),
    _whole("version", primary=True),
    _key("revision"),
    _time("changed_at", null=True),
    _time("received_at"),
    _uuid("run_id"),
    _key("manifest_sha256"),
    _key("original_sha256"),
    _text("original_type", null=False),
    Column("original_size", BigInteger, nullable=False),
    _key("kind"),
    _text("form", null=False),
    _key("uid", null=True),
    _text("number"),
    _text("notation"),
    _text("symbol"),
    _key("symbol_norm", null=True),
    _whole("year", null=True),
    _date("issued_date"),
    _text("issued_place"),
    _text("issuer_name"),
    _key("issuer_id", null=True),
    _key("issuer_norm", null=True),
    _text("type_name"),
    _key("type_code", null=True),
    _text("subject"),
    _key("direction"),
    _key("urgency", null=True),
    _text("use_regime"),
    _key("business_type", null=True),
    _key("status_code", null=True),
    _text("arrival_number"),
    _date("arrival_date"),
    _date("due_date"),
    _texts("signers"),
    _texts("recipients"),
    _key("file_code", null=True),
    _text("file_title"),
    _text("retention"),
    _text("term"),
    _whole("page_count", null=True),
    Column("flags", JSONB, nullable=False),
    _key("search_text"),
    _key("issuer_code", null=True),  # the issuer's present code: what a former code is another name of
    UniqueConstraint("document_id", "revision"),
    Index(None, "symbol_norm", "issued_date"),
    Index(None, "uid"),
    Index(None, "original_sha256"),
    Index(None, "manifest_sha256"),
    Index(None, "issued_date"),
)

attachment = _table(
    "attachment",
    _uuid("document_id", primary=True),
    _whole("version", primary=True),
    _whole("ordinal", primary=True),
    _text("name", null=False),
    _key("sha256"),
    Column("size", BigInteger, nullable=False),
    _text("media_type", null=False),
    _text("declared_type", null=False),
    _text("item", null=False),
    _key("wrapped_sha256", null=True),
    _texts("defects"),
    _of_version(),
    Index(None, "sha256"),
)

relation = _table(
    "relation",
    _uuid("document_id", primary=True),
    _whole("version", primary=True),
    _whole("ordinal", primary=True),
    _key("kind"),
    _key("target_uid", null=True),
    _text("target_number"),
    _text("target_notation"),
    _key("target_symbol_norm", null=True),
    _date("target_issued_date"),
    _key("target_organ_id", null=True),
    _text("reason"),
    _date("effective"),
    _text("evidence", null=False),
    Column("target_document", UUID(as_uuid=True), ForeignKey(f"{SCHEMA}.document.id")),
    _text("target_symbol"),
    _key("target_organ_code", null=True),
    _of_version(),
    Index(None, "target_uid"),
    Index(None, "target_symbol_norm", "target_issued_date"),
    Index(None, "target_document"),
)

handling_step = _table(
    "handling_step",
    _uuid("document_id", primary=True),
    _whole("version", primary=True),
    _whole("ordinal", primary=True),
    _key("organ_id", null=True),
    _text("organ_name"),
    _time("moment", null=True),
    _text("staff"),
    _key("status_code", null=True),
    _text("text"),
    _of_version(),
)

same_as = _table(
    "same_as",
    Column("document_a", UUID(as_uuid=True), ForeignKey(f"{SCHEMA}.document.id"), primary_key=True),
    Column("document_b", UUID(as_uuid=True), ForeignKey(f"{SCHEMA}.document.id"), primary_key=True),
    _key("grade", primary=True),
    _key("evidence"),  # the file's SHA-256, or the symbol
    _time("found_at"),
    _key("state"),
    _text("decided_by"),
    _text("decided_why"),
    _time("decided_at", null=True),
    CheckConstraint("document_a < document_b", name="order"),
    _one_of("grade", "A", "B", "C"),
    _one_of("state", "found", "confirmed", "refused"),
    Index(None, "document_b"),
)

signature_verdict = _table(
    "signature_verdict",
    _uuid("document_id", primary=True),
    _whole("version", primary=True),
    _whole("check_no", primary=True),  # 1 at ingest; each later verification of the version takes the next
    _whole("position", primary=True),  # in that check, from 1
    _whole("attachment", null=True),  # ordinal of the file; NULL: the original record itself
    _key("sha256"),
    _text("file_name", null=False),
    _key("format"),
    _text("path", null=False),
    _key("indication"),
    _key("sub_indication"),
    _key("integrity"),
    _key("coverage"),
    _key("modification"),
    _whole("revision", null=True),
    _key("role"),
    _text("signer_name"),
    _text("signer_organization"),
    _text("signer_issuer"),
    _key("signer_serial", null=True),
    _key("signer_sha256", null=True),
    _time("signer_not_after", null=True),
    _time("claimed_time", null=True),
    _time("best_time", null=True),
    _key("best_time_source"),
    _key("revocation"),
    _text("revocation_source", null=False),
    _time("revoked_at", null=True),
    _text("engine", null=False),
    _key("trust_epoch"),
    _time("verified_at", null=True),
    _uuid("run_id"),  # of the run, or of the verification run from the second check on
    Column("verdict", JSONB, nullable=False),
    Column("provisional", Boolean, nullable=False),
    _time("revocation_issued", null=True),
    _time("tsa_not_after", null=True),  # the first of its trusted time-stamps' authorities to expire
    _of_version(),
    Index(None, "sha256"),
    Index(None, "signer_serial"),
    Index(None, "indication", "sub_indication"),
    Index(None, "trust_epoch"),
    Index(None, "signer_not_after"),
    Index(None, "tsa_not_after"),
    Index(
        "ix_signature_verdict_provisional",
        "document_id",
        "version",
        postgresql_where=sql_text("provisional"),
    ),
)

verification_run = _table(
    "verification_run",
    _uuid("id", primary=True),
    _key("run_key"),
    _text("why", null=False),  # a person's own words, or empty
    _time("started"),
    _time("finished", null=True),
    _key("trust_epoch"),
    Column("policy", JSONB, nullable=False),  # cut-off dates by algorithm, as they were
    _whole("files"),
    _whole("changed"),
    UniqueConstraint("run_key"),
    Index(None, "started"),
)

known_list = _table(
    "known_list",  # revocation lists and answers whose consequences were drawn
    _key("sha256", primary=True),
    _key("kind"),
    _text("issuer", null=False),
    _time("this_update"),
    _time("next_update", null=True),
    _time("received_at"),
    _uuid("run_id"),
)

verification = _table(
    "verification",  # the second and later checks of a version; their manifests are objects of the store
    _uuid("document_id", primary=True),
    _whole("version", primary=True),
    _whole("check_no", primary=True),
    _uuid("run_id"),
    _texts("reasons"),
    _key("sha256"),
    _key("trust_epoch"),
    _time("verified_at"),
    _of_version(),
    Index(None, "run_id"),
)

verdict_set_aside = _table(
    "verdict_set_aside",  # verdicts that a later check replaced, or that came too late to replace a better one
    _uuid("document_id", primary=True),
    _whole("version", primary=True),
    _whole("check_no", primary=True),
    _whole("position", primary=True),
    _whole("by_check"),
    _of_version(),
)

quarantine = _table(
    "quarantine",
    _uuid("id", primary=True),
    _key("source"),
    _key("source_key"),
    _key("revision"),
    _key("stage"),
    _key("reason"),
    _text("message", null=False),
    _text("location", null=False),
    _key("original_sha256", null=True),
    Column("context", JSONB, nullable=False),
    _uuid("first_run"),
    _uuid("last_run"),
    _whole("attempts"),
    _key("state"),
    _text("resolved_by"),
    _text("resolved_why"),
    _time("resolved_at", null=True),
    UniqueConstraint("source", "source_key", "revision"),
    _one_of("stage", "read", "gate", "map", "verify", "load"),
    _one_of("state", "open", "released", "rejected"),
    Index(None, "state", "reason"),
)

withheld = _table(
    "withheld",
    _key("source", primary=True),
    _key("key_sha256", primary=True),
    _key("revision_sha256", primary=True),
    _key("level", primary=True),
    _key("rule", primary=True),
    _uuid("run_id"),
    _time("seen_at"),
)

event = _table(
    "event",
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    _time("at"),
    _key("type"),
    _key("outcome"),
    _key("source"),
    _key("object"),
    _uuid("run_id", null=True),
    _text("payload", null=False),  # canonical JSON text: jsonb would re-order what was hashed
    _key("prev_hash"),
    _key("hash"),
    Index(None, "object"),
)
