"""Tables of the holdings: fonds, dossiers, organs over time, retention, legal hold, disposal, gaps, inventories.

``dossier`` holds the union of the fields of a dossier in Circular 05/2025/TT-BNV (TT05), Decree 30/2020/NĐ-CP
Appendix VI (NĐ30) and the Party's template HSLTCQ (Guideline 40-HD/VPTW). What comes from records can be made again
by ``archive.dossiers.refresh``, what a person decided by replaying the ledger; ``dossier.decided`` names the columns
that a person has filled and that no refresh touches. Number of documents (totalDoc, tổng số văn bản) and "thời gian
tài liệu" are counted when they are shown; a degree of secrecy is no column, because nothing secret is here.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, ForeignKey, Index, UniqueConstraint
from sqlalchemy import text as sql_text
from sqlalchemy.dialects.postgresql import JSONB, UUID

from archive.columns import SCHEMA, date, key, one_of, table, text, texts, time, uuid, whole


def _document(*, primary: bool = False) -> Column[object]:
    return Column(
        "document_id",
        UUID(as_uuid=True),
        ForeignKey(f"{SCHEMA}.document.id"),
        primary_key=primary,
        nullable=False,
    )


fonds = table(
    "fonds",  # phông lưu trữ
    uuid("id", primary=True),
    key("code"),  # mã phông
    text("name", null=False),  # tên phông
    key("organ_code", null=True),  # cơ quan hình thành phông
    date("valid_from"),
    date("valid_to"),
    texts("sources"),  # whose dossiers belong here, where nobody says otherwise
    text("note"),
    text("decided_by", null=False),
    text("decided_why", null=False),
    time("decided_at"),
    UniqueConstraint("code"),
)

dossier = table(
    "dossier",  # hồ sơ
    uuid("id", primary=True),
    key("origin"),
    key("source"),  # whose records name it; '' for one that a person made
    Column("fonds_id", UUID(as_uuid=True), ForeignKey(f"{SCHEMA}.fonds.id")),  # phông
    text("catalogue"),  # mục lục (số)
    key("code", null=True),  # mã hồ sơ, số và ký hiệu hồ sơ, đơn vị bảo quản số; TT05 fileCode
    text("archive_code"),  # mã hồ sơ lưu trữ; TT05 arcFileCode
    text("title"),  # tiêu đề hồ sơ; TT05, HSLTCQ ≤ 1000
    text("retention"),  # thời hạn bảo quản, as in the vocabulary; TT05 maintenance
    text("term"),  # nhiệm kỳ; HSLTCQ
    text("mode"),  # chế độ sử dụng; TT05 mode, NĐ30 Rights
    text("language"),  # ngôn ngữ
    date("start_date"),  # thời gian bắt đầu
    date("end_date"),  # thời gian kết thúc
    texts("keywords"),  # từ khóa
    text("condition"),  # tình trạng vật lý; TT05 format
    text("confidence"),  # mức độ tin cậy; TT05 confidenceLevel
    text("information_sign"),  # ký hiệu thông tin; TT05 inforSign
    text("paper_code"),  # mã hồ sơ giấy, for a digitised one; TT05 paperFileCode
    whole("paper_count", null=True),  # số lượng tờ; TT05 numberOfPaper
    whole("page_count", null=True),  # số lượng trang; TT05 numberOfPage
    Column("risk_recovery", Boolean),  # chế độ dự phòng; TT05 riskRecovery
    text("risk_recovery_status"),  # tình trạng dự phòng
    text("creator"),  # người lập hồ sơ; NĐ30 Creator
    text("note"),  # ghi chú; TT05 description ≤ 2000
    texts("decided"),
    one_of("origin", "records", "person"),
    Index(None, "code"),
    Index(None, "fonds_id"),
)

dossier_document = table(
    "dossier_document",  # văn bản trong hồ sơ: one document may be in many dossiers
    Column("dossier_id", UUID(as_uuid=True), ForeignKey(f"{SCHEMA}.dossier.id"), primary_key=True),
    _document(primary=True),
    key("origin"),
    Column("taken_out", Boolean, nullable=False),  # a person says that it does not belong here
    whole("position", null=True),  # thứ tự (docOrdinal) that a person gave; else by date and number
    text("decided_by"),
    text("decided_why"),
    time("decided_at", null=True),
    one_of("origin", "records", "person"),
    Index(None, "document_id"),
)

organ = table(
    "organ",  # cơ quan, tổ chức in a span of time
    uuid("id", primary=True),
    key("origin"),
    key("code"),  # mã định danh, or the letters of a notation
    text("name", null=False),
    key("system"),
    date("valid_from"),
    date("valid_to"),
    key("successor", null=True),
    texts("former_codes"),
    texts("letters"),
    text("basis", null=False),  # the text or person that says so
    one_of("origin", "vocabulary", "person"),
    one_of("system", "party", "state"),
    Index(None, "code"),
)

retention_rule = table(
    "retention_rule",  # what an office's schedule says of documents whose records say nothing
    uuid("id", primary=True),
    key("type_code"),  # tên loại
    key("source"),  # '' for every source
    text("retention", null=False),
    text("basis", null=False),  # which schedule, which row
    text("decided_by", null=False),
    text("decided_why", null=False),
    time("decided_at"),
    UniqueConstraint("type_code", "source"),
)

retention_decision = table(
    "retention_decision",  # a person's own word on one document
    _document(primary=True),
    text("retention", null=False),
    text("decided_by", null=False),
    text("decided_why", null=False),
    time("decided_at"),
)

legal_hold = table(
    "legal_hold",  # tạm dừng tiêu hủy theo vụ việc: several may stand on one object
    uuid("id", primary=True),
    text("case_reference", null=False),
    key("case_norm"),
    key("kind"),
    uuid("object_id"),
    date("held_from"),
    text("placed_by", null=False),
    key("placed_account"),
    text("placed_why", null=False),
    time("placed_at"),
    text("released_by"),
    key("released_account", null=True),
    text("released_why"),
    time("released_at", null=True),
    one_of("kind", "document", "dossier"),
    Index("ix_legal_hold_standing", "object_id", postgresql_where=sql_text("released_at IS NULL")),
    Index(None, "case_norm"),
)

disposal = table(
    "disposal",  # tiêu hủy hồ sơ, tài liệu hết thời hạn: asked by one person, decided by another
    uuid("id", primary=True),
    key("state"),
    text("title", null=False),
    text("requested_by", null=False),
    key("requested_norm"),
    key("requested_account"),
    text("requested_why", null=False),
    time("requested_at"),
    text("decided_by"),
    key("decided_norm", null=True),
    key("decided_account", null=True),
    text("decided_why"),
    time("decided_at", null=True),
    one_of("state", "requested", "approved", "refused"),
    CheckConstraint(
        "state <> 'approved' OR (decided_norm IS NOT NULL AND decided_norm <> requested_norm"
        " AND decided_account IS NOT NULL AND decided_account <> requested_account)",
        name="two_persons",
    ),
    Index(None, "state"),
)

disposal_document = table(
    "disposal_document",
    Column("disposal_id", UUID(as_uuid=True), ForeignKey(f"{SCHEMA}.disposal.id"), primary_key=True),
    uuid("document_id", primary=True),
    text("retention", null=False),  # as it was when it was asked for
    date("due_on"),
    text("basis", null=False),
    time("carried_out_at", null=True),
    Index(None, "document_id"),
)

disposed_version = table(
    "disposed_version",  # the trace of a version whose content was destroyed
    uuid("document_id", primary=True),
    whole("version", primary=True),
    uuid("disposal_id"),
    Column("trace", JSONB, nullable=False),  # identity, number, date, issuer, names of objects
    time("disposed_at"),
)

disposed_object = table(
    "disposed_object",  # bytes that were, or are about to be, destroyed: not missing
    key("sha256", primary=True),
    Column("size", BigInteger),  # NULL for what had no row: bytes of a failed record
    text("media_type", null=False),
    uuid("disposal_id"),
    time("decided_at"),
    time("removed_at", null=True),
)

known_gap = table(
    "known_gap",  # số văn bản không có trong kho, và vì sao
    uuid("id", primary=True),
    key("series"),
    whole("first"),
    whole("last"),
    key("reason"),
    text("decided_by", null=False),
    text("decided_why", null=False),
    time("decided_at"),
    text("withdrawn_by"),
    text("withdrawn_why"),
    time("withdrawn_at", null=True),
    CheckConstraint("first <= last AND first > 0", name="span"),
    one_of("reason", "reserved", "cancelled", "secret", "paper"),
    Index(None, "series"),
)

inventory = table(
    "inventory",  # the newest complete inventory of each source against the archive; the next one makes it anew
    key("source", primary=True),
    uuid("run_id"),
    time("taken_at"),
    whole("listed"),  # different keys
    whole("archived"),
    whole("quarantined"),  # listed, not archived, and an open row in quarantine says why
    whole("withheld"),
    whole("missing"),  # none of these
    texts("missing_keys"),  # the first of them
)
