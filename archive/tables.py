"""The tables of the archive's database, schema ``archive``: an index over the manifests, and the ledger.

Everything but the ledger, the runs and the decisions of people can be made again from the manifests. Times
are ``timestamptz`` in UTC. Hashes are lower-case hexadecimal text. ``document_id`` is uuid5 of source and
key, so that children know their parent before the database does. Rows of ``document_version``,
``attachment``, ``handling_step``, ``signature_verdict``, ``verification``, ``verdict_set_aside`` and ``event`` are
never changed: the database itself refuses (see the migrations, which also hold the function ``same_issuer`` and the
views ``relation_in_force`` and ``verdict_in_force``).
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    UniqueConstraint,
)
from sqlalchemy import text as sql_text
from sqlalchemy.dialects.postgresql import JSONB, UUID

from archive.columns import SCHEMA, date, key, of_version, one_of, table, text, texts, time, uuid, whole
from schemas.access import AccessClass

source = table("source", key("name", primary=True), time("first_seen_at"))

run = table(
    "run",
    uuid("id", primary=True),
    key("source"),  # no foreign key: its check would write a lock into the source's row every night
    key("run_key"),
    whole("attempt"),  # 1, or more when a run that had ended was started again under its key
    key("kind"),
    time("started"),
    time("finished", null=True),
    key("state"),
    time("window_start", null=True),
    time("window_end", null=True),
    whole("plan"),  # raised by each plan of the run; batches count for the plan they belong to
    whole("batches", null=True),
    whole("listed", null=True),
    whole("unchanged_at_plan", null=True),
    whole("archived"),
    whole("unchanged"),
    whole("quarantined"),
    whole("withheld"),
    text("failure"),
    one_of("kind", "sync", "backfill"),
    one_of("state", "running", "finished", "failed"),
    UniqueConstraint("source", "run_key", "attempt"),
    Index(None, "started"),
)

run_batch = table(
    "run_batch",
    Column("run_id", UUID(as_uuid=True), ForeignKey(f"{SCHEMA}.run.id"), primary_key=True),
    whole("plan", primary=True),
    whole("number", primary=True),
    key("attempt"),  # token of the try that loaded it
    key("records_sha256"),  # of the outcomes: the same number with other records is another batch
    whole("archived"),
    whole("unchanged"),
    whole("quarantined"),
    whole("withheld"),
    time("loaded_at"),
)

stored_object = table(
    "object",
    key("sha256", primary=True),
    Column("size", BigInteger, nullable=False),
    text("media_type", null=False),
    time("stored_at"),
)

document = table(
    "document",
    uuid("id", primary=True),
    key("source"),
    key("source_key"),
    key("kind"),
    whole("current_version"),
    time("first_received_at"),
    time("gone_from_source_at", null=True),
    key(
        "access"
    ),  # in force; made of the next two, the versions and what it follows by ``archive.settle_access``
    key("access_decided", null=True),  # by a person
    whole("access_seen", null=True),  # the newest version then: later ones can only make it stricter
    UniqueConstraint("source_key", "source"),
    one_of("kind", "document", "status", "other"),
    one_of("access", *AccessClass),
    one_of("access_decided", *AccessClass),
    Index("ix_document_access", "access", postgresql_where=sql_text("access IN ('personal', 'sealed')")),
)

document_version = table(
    "document_version",
    Column("document_id", UUID(as_uuid=True), ForeignKey(f"{SCHEMA}.document.id"), primary_key=True),
    whole("version", primary=True),
    key("revision"),
    time("changed_at", null=True),
    time("received_at"),
    uuid("run_id"),
    key("manifest_sha256"),
    key("original_sha256"),
    text("original_type", null=False),
    Column("original_size", BigInteger, nullable=False),
    key("kind"),
    text("form", null=False),
    key("uid", null=True),
    text("number"),
    text("notation"),
    text("symbol"),
    key("symbol_norm", null=True),
    whole("year", null=True),
    date("issued_date"),
    text("issued_place"),
    text("issuer_name"),
    key("issuer_id", null=True),
    key("issuer_norm", null=True),
    text("type_name"),
    key("type_code", null=True),
    text("subject"),
    key("direction"),
    key("urgency", null=True),
    text("use_regime"),
    key("business_type", null=True),
    key("status_code", null=True),
    text("arrival_number"),
    date("arrival_date"),
    date("due_date"),
    texts("signers"),
    texts("recipients"),
    key("file_code", null=True),
    text("file_title"),
    text("retention"),
    text("term"),
    whole("page_count", null=True),
    Column("flags", JSONB, nullable=False),
    key("issuer_code", null=True),  # the issuer's present code: what a former code is another name of
    key("access"),  # as its record states it
    UniqueConstraint("document_id", "revision"),
    one_of("access", *AccessClass),
    Index(None, "symbol_norm", "issued_date"),
    Index(None, "uid"),
    Index(None, "original_sha256"),
    Index(None, "manifest_sha256"),
    Index(None, "issued_date"),
)

attachment = table(
    "attachment",
    uuid("document_id", primary=True),
    whole("version", primary=True),
    whole("ordinal", primary=True),
    text("name", null=False),
    key("sha256"),
    Column("size", BigInteger, nullable=False),
    text("media_type", null=False),
    text("declared_type", null=False),
    text("item", null=False),
    key("wrapped_sha256", null=True),
    texts("defects"),
    of_version(),
    Index(None, "sha256"),
    Index(
        "ix_attachment_wrapped_sha256",
        "wrapped_sha256",
        postgresql_where=sql_text("wrapped_sha256 IS NOT NULL"),
    ),
)

relation = table(
    "relation",
    uuid("document_id", primary=True),
    whole("version", primary=True),
    whole("ordinal", primary=True),
    key("kind"),
    key("target_uid", null=True),
    text("target_number"),
    text("target_notation"),
    key("target_symbol_norm", null=True),
    date("target_issued_date"),
    key("target_organ_id", null=True),
    text("reason"),
    date("effective"),
    text("evidence", null=False),
    Column("target_document", UUID(as_uuid=True), ForeignKey(f"{SCHEMA}.document.id")),
    text("target_symbol"),
    key("target_organ_code", null=True),
    of_version(),
    Index(None, "target_uid"),
    Index(None, "target_symbol_norm", "target_issued_date"),
    Index(None, "target_document"),
)

handling_step = table(
    "handling_step",
    uuid("document_id", primary=True),
    whole("version", primary=True),
    whole("ordinal", primary=True),
    key("organ_id", null=True),
    text("organ_name"),
    time("moment", null=True),
    text("staff"),
    key("status_code", null=True),
    text("text"),
    of_version(),
)

same_as = table(
    "same_as",
    Column("document_a", UUID(as_uuid=True), ForeignKey(f"{SCHEMA}.document.id"), primary_key=True),
    Column("document_b", UUID(as_uuid=True), ForeignKey(f"{SCHEMA}.document.id"), primary_key=True),
    key("grade", primary=True),
    key("evidence"),  # the file's SHA-256, or the symbol
    time("found_at"),
    key("state"),
    text("decided_by"),
    text("decided_why"),
    time("decided_at", null=True),
    CheckConstraint("document_a < document_b", name="order"),
    one_of("grade", "A", "B", "C"),
    one_of("state", "found", "confirmed", "refused"),
    Index(None, "document_b"),
)

signature_verdict = table(
    "signature_verdict",
    uuid("document_id", primary=True),
    whole("version", primary=True),
    whole("check_no", primary=True),  # 1 at ingest; each later verification of the version takes the next
    whole("position", primary=True),  # in that check, from 1
    whole("attachment", null=True),  # ordinal of the file; NULL: the original record itself
    key("sha256"),
    text("file_name", null=False),
    key("format"),
    text("path", null=False),
    key("indication"),
    key("sub_indication"),
    key("integrity"),
    key("coverage"),
    key("modification"),
    whole("revision", null=True),
    key("role"),
    text("signer_name"),
    text("signer_organization"),
    text("signer_issuer"),
    key("signer_serial", null=True),
    key("signer_sha256", null=True),
    time("signer_not_after", null=True),
    time("claimed_time", null=True),
    time("best_time", null=True),
    key("best_time_source"),
    key("revocation"),
    text("revocation_source", null=False),
    time("revoked_at", null=True),
    text("engine", null=False),
    key("trust_epoch"),
    time("verified_at", null=True),
    uuid("run_id"),  # of the run, or of the verification run from the second check on
    Column("verdict", JSONB, nullable=False),
    Column("provisional", Boolean, nullable=False),
    time("revocation_issued", null=True),
    time("tsa_not_after", null=True),  # the first of its trusted time-stamps' authorities to expire
    of_version(),
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

verification_run = table(
    "verification_run",
    uuid("id", primary=True),
    key("run_key"),
    text("why", null=False),  # a person's own words, or empty
    time("started"),
    time("finished", null=True),
    key("trust_epoch"),
    Column("policy", JSONB, nullable=False),  # cut-off dates by algorithm, as they were
    whole("files"),
    whole("changed"),
    UniqueConstraint("run_key"),
    Index(None, "started"),
)

known_list = table(
    "known_list",  # revocation lists and answers whose consequences were drawn
    key("sha256", primary=True),
    key("kind"),
    text("issuer", null=False),
    time("this_update"),
    time("next_update", null=True),
    time("received_at"),
    uuid("run_id"),
)

verification = table(
    "verification",  # the second and later checks of a version; their manifests are objects of the store
    uuid("document_id", primary=True),
    whole("version", primary=True),
    whole("check_no", primary=True),
    uuid("run_id"),
    texts("reasons"),
    key("sha256"),
    key("trust_epoch"),
    time("verified_at"),
    of_version(),
    Index(None, "run_id"),
    Index(None, "sha256"),
)

verdict_set_aside = table(
    "verdict_set_aside",  # verdicts that a later check replaced, or that came too late to replace a better one
    uuid("document_id", primary=True),
    whole("version", primary=True),
    whole("check_no", primary=True),
    whole("position", primary=True),
    whole("by_check"),
    of_version(),
)

quarantine = table(
    "quarantine",
    uuid("id", primary=True),
    key("source"),
    key("source_key"),
    key("revision"),
    key("stage"),
    key("reason"),
    text("message", null=False),
    text("location", null=False),
    key("original_sha256", null=True),
    Column("context", JSONB, nullable=False),
    texts("files"),  # what else of it is in the object store: attachments, and what earlier tries found
    uuid("first_run"),
    uuid("last_run"),
    whole("attempts"),
    key("state"),
    text("resolved_by"),
    text("resolved_why"),
    time("resolved_at", null=True),
    UniqueConstraint("source", "source_key", "revision"),
    one_of("stage", "read", "gate", "map", "verify", "load"),
    one_of("state", "open", "released", "rejected"),
    Index(None, "state", "reason"),
)

withheld = table(
    "withheld",
    key("source", primary=True),
    key("key_sha256", primary=True),
    key("revision_sha256", primary=True),
    key("level", primary=True),
    key("rule", primary=True),
    uuid("run_id"),
    time("seen_at"),
)

event = table(
    "event",
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    time("at"),
    key("type"),
    key("outcome"),
    key("source"),
    key("object"),
    uuid("run_id", null=True),
    text("payload", null=False),  # canonical JSON text: jsonb would re-order what was hashed
    key("prev_hash"),
    key("hash"),
    Index(None, "object"),
)
