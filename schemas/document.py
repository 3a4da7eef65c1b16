"""``OfficialDocument``: the one shape into which both systems' records are normalised.

The field set is the union of Decree 30/2020/NĐ-CP Appendix VI Part II (NĐ30), the edXML header of QCVN 102:2016/BTTTT
(QCVN102), Circular 05/2025/TT-BNV (TT05) and the Party's archive template HSLTCQ of Guideline 40-HD/VPTW (HSLTCQ).
Lengths are those standards' limits in characters. They are stated, not enforced: a longer or odd value is kept
whole and a ``Flag`` says so.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from schemas.access import AccessClass

SCHEMA_VERSION = 3
"""Version of this shape as written in manifests; raised when a reader of old manifests would misread a new one."""


class RecordKind(StrEnum):
    """What a record is."""

    DOCUMENT = "document"  # văn bản
    STATUS = "status"  # thông điệp trạng thái xử lý (edXML status message)
    OTHER = (
        "other"  # a record of the source that is no official document (a mail, a profile), kept all the same
    )


class Direction(StrEnum):
    """Whether the office received or sent the document (văn bản đến, văn bản đi)."""

    INCOMING = "incoming"  # đến
    OUTGOING = "outgoing"  # đi
    INTERNAL = "internal"  # nội bộ
    UNKNOWN = "unknown"


class Urgency(StrEnum):
    """Degree of urgency (mức độ khẩn): NĐ30 Appendix I.III.2b; edXML ``Priority`` 0 to 4 in this order."""

    NORMAL = "normal"  # thường
    URGENT = "urgent"  # khẩn
    VERY_URGENT = "very_urgent"  # thượng khẩn
    EXPRESS = "express"  # hỏa tốc
    TIMED_EXPRESS = "timed_express"  # hỏa tốc hẹn giờ


class BusinessType(StrEnum):
    """What an exchanged document does (edXML ``BussinessDocType`` 0 to 3 in this order)."""

    NEW = "new"  # mới
    RECALL = "recall"  # thu hồi
    UPDATE = "update"  # cập nhật
    REPLACE = "replace"  # thay thế


class RelationKind(StrEnum):
    """How one document bears on another (NĐ30 articles 18.3, 18.4; QCVN102 ``ResponseFor``, ``Bussiness``)."""

    REPLIES_TO = "replies_to"  # trả lời
    RECALLS = "recalls"  # thu hồi
    REPLACES = "replaces"  # thay thế
    AMENDS = "amends"  # sửa đổi
    CORRECTS = "corrects"  # đính chính
    COPIES = "copies"  # sao
    CITES = "cites"  # căn cứ, dẫn chiếu
    STATUS_OF = "status_of"  # trạng thái xử lý của
    RESPONSE_IN_SOURCE = "response_in_source"  # a Notes response document's parent


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Flag(_Value):
    """Something odd in a field that was kept as it is.

    Attributes:
        field: the shared field's name, or ``""`` for the record as a whole.
        code: stable snake_case class (``too_long``, ``unparsed_date``, ``implausible_number`` …).
        message: one sentence for a person.
        value: the value as the source printed it.
    """

    field: str
    code: str
    message: str
    value: str = ""


class Decoding(_Value):
    """A text that was decoded from a legacy Vietnamese encoding or composed, with its original.

    Attributes:
        field: the shared field's name; ``extra.<path>`` of a field that no rule names.
        original: the text as the source printed it.
        encoding: what it was: ``tcvn3``, ``vni``, ``viscii``, ``vps``, ``cp1258``, ``viqr``, ``unicode_to_hop``.
        reason: what says so: ``font``, ``form_field``, ``own_words``, ``record``, ``composed``.
        confidence: probability that it is right, 0 to 1.
    """

    field: str
    original: str
    encoding: str
    reason: str
    confidence: float


class Organ(_Value):
    """An organ or organisation (cơ quan, tổ chức): QCVN102 ``From``/``To``, NĐ30 ``OrganName``, ``To``.

    Attributes:
        name: tên cơ quan; ≤ 200.
        organ_id: mã định danh; ≤ 35 (QCVN 102:2016/SĐ1:2022; was 13).
        in_charge: cơ quan chủ quản (``OrganizationInCharge``); ≤ 200.
        address: địa chỉ (``OrganAdd``); ≤ 250.
        email: ≤ 100.
        telephone: ≤ 20.
        fax: ≤ 20.
        website: ≤ 100.
    """

    name: str | None = None
    organ_id: str | None = None
    in_charge: str | None = None
    address: str | None = None
    email: str | None = None
    telephone: str | None = None
    fax: str | None = None
    website: str | None = None


class Signer(_Value):
    """Who signed, as the record says it (người ký); the proof is in the verdicts.

    Attributes:
        full_name: họ tên; ≤ 50.
        position: chức vụ; ≤ 100.
        competence: quyền hạn ký (TM., KT., TL. …; ``Competence``); ≤ 100.
    """

    full_name: str | None = None
    position: str | None = None
    competence: str | None = None


class Reference(_Value):
    """A document named by another one, as far as it is named.

    Attributes:
        uid: its DocumentId or UNID.
        number: its number (số).
        notation: its notation (ký hiệu).
        symbol: both in the form in which it is printed, with the year where it has one.
        issued_date: its date.
        organ_id: its issuer's code.
    """

    uid: str | None = None
    number: str | None = None
    notation: str | None = None
    symbol: str | None = None
    issued_date: date | None = None
    organ_id: str | None = None


class Relation(_Value):
    """A relation from this document to another (quan hệ văn bản).

    Attributes:
        kind: what this document does to the other.
        target: the other document as named.
        reason: lý do, e.g. ``BussinessDocReason``.
        effective: when it takes effect, where stated.
        evidence: the field that says it.
    """

    kind: RelationKind
    target: Reference
    reason: str | None = None
    effective: date | None = None
    evidence: str = ""


class TraceEntry(_Value):
    """A step of handling or transport (ý kiến phân phối, chỉ đạo, trạng thái xử lý; ``TraceHeaderList``).

    Attributes:
        organ_id: where.
        moment: when.
        staff: who.
        status_code: trạng thái 01 to 16 of a status message.
        text: what was said.
    """

    organ_id: str | None = None
    moment: datetime | None = None
    staff: str | None = None
    status_code: str | None = None
    text: str | None = None


class AttachmentRef(_Value):
    """A file of the document, by its identity in the object store.

    Attributes:
        ordinal: position in the record, from 1.
        name: tên tệp as the source prints it; ≤ 200.
        sha256: lower-case hexadecimal SHA-256 of the bytes.
        size: bytes.
        media_type: as recognised from the bytes.
        declared_type: as the source claims.
        item: the field that carried it.
        wrapped_sha256: of the bytes as transported, where a ZIP or the like was taken off.
        defects: names of what is wrong with it.
    """

    ordinal: int
    name: str
    sha256: str
    size: int
    media_type: str
    declared_type: str = ""
    item: str = ""
    wrapped_sha256: str | None = None
    defects: tuple[str, ...] = ()


class OfficialDocument(_Value):
    """An official document (văn bản) as one source holds it in one revision.

    Identity:
        source: name of the source; source_key: identity there; revision: state there; kind: what the record is;
        form: the source's own class of record.
    Attributes:
        uid: mã văn bản: edXML ``DocumentId``, TT05 ``docId``.
        number: số (``CodeNumber``); NĐ30 and TT05 ≤ 11.
        notation: ký hiệu (``CodeNotation``), e.g. ``KL/TU``, ``NĐ-CP``; ≤ 30.
        year: năm, where the notation carries it (``33/2015/TT-BCA``).
        symbol: số, ký hiệu in the form in which it is printed, e.g. ``160-KL/TU``; ``None`` when there is neither.
        issued_date: ngày tháng năm ban hành.
        issued_place: nơi ban hành (``Place``); ≤ 50.
        issuer: cơ quan ban hành.
        type_name: tên loại văn bản; ≤ 100. type_code: the vocabulary's code (``QĐ``).
        subject: trích yếu; ≤ 500. abstract: tóm tắt (``Content``); ≤ 500. body: full text, for reading and search.
        language: ngôn ngữ; NĐ30 ≤ 30.
        direction: đến, đi, nội bộ.
        signers: người ký.
        urgency: mức độ khẩn.
        use_regime: chế độ sử dụng, phạm vi phổ biến (``SphereOfPromulgation``); ≤ 100. Secrecy is no field:
        nothing secret is here.
        access: the class that regime and the source's rules give; ``None`` in manifests before version 3.
        arrival_number: số đến; ≤ 10. arrival_date: ngày đến.
        recipients: nơi nhận chính (``To``). to_places: nơi nhận để biết, lưu (``ToPlaces``); each ≤ 150.
        due_date: hạn trả lời, hạn xử lý.
        page_count: số trang. copy_count: số lượng bản.
        typer_notation: ký hiệu người soạn thảo (``TyperNotation``); ≤ 10.
        appendixes: phụ lục; each ≤ 250. keywords: từ khóa; TT05 ≤ 100.
        steering_type: ``SteeringType`` as printed (1 không chỉ đạo, 2 chỉ đạo, 3 báo cáo chỉ đạo).
        business_type: nghiệp vụ văn bản.
        status_code: mã trạng thái of a status message.
        relations: quan hệ với văn bản khác. trace: lịch sử xử lý.
        file_code: mã hồ sơ. file_title: tiêu đề hồ sơ. retention: thời hạn bảo quản. term: nhiệm kỳ.
        copy_kind: loại bản (bản chính, bản sao). confidence: mức độ tin cậy. condition: tình trạng vật lý.
        autograph: bút tích.
        note: ghi chú; NĐ30 ``Description`` ≤ 500.
        created_at, modified_at: in the source, with its offset.
        attachments: tệp đính kèm. flags: what was odd and kept. decodings: originals of decoded text.
        extra: every field of the source that the mapping names nowhere, by source name, as text, in order.
    """

    schema_version: int = SCHEMA_VERSION
    source: str
    source_key: str
    revision: str
    kind: RecordKind = RecordKind.DOCUMENT
    form: str = ""

    uid: str | None = None
    number: str | None = None
    notation: str | None = None
    year: int | None = None
    symbol: str | None = None
    issued_date: date | None = None
    issued_place: str | None = None
    issuer: Organ | None = None
    type_name: str | None = None
    type_code: str | None = None
    subject: str | None = None
    abstract: str | None = None
    body: str | None = None
    language: str | None = None
    direction: Direction = Direction.UNKNOWN
    signers: tuple[Signer, ...] = ()
    urgency: Urgency | None = None
    use_regime: str | None = None
    access: AccessClass | None = None
    arrival_number: str | None = None
    arrival_date: date | None = None
    recipients: tuple[Organ, ...] = ()
    to_places: tuple[str, ...] = ()
    due_date: date | None = None
    page_count: int | None = None
    copy_count: int | None = None
    typer_notation: str | None = None
    appendixes: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    steering_type: str | None = None
    business_type: BusinessType | None = None
    status_code: str | None = None
    relations: tuple[Relation, ...] = ()
    trace: tuple[TraceEntry, ...] = ()
    file_code: str | None = None
    file_title: str | None = None
    retention: str | None = None
    term: str | None = None
    copy_kind: str | None = None
    confidence: str | None = None
    condition: str | None = None
    autograph: str | None = None
    note: str | None = None
    created_at: datetime | None = None
    modified_at: datetime | None = None
    attachments: tuple[AttachmentRef, ...] = ()
    flags: tuple[Flag, ...] = ()
    decodings: tuple[Decoding, ...] = ()
    extra: dict[str, tuple[str, ...]] = Field(default_factory=dict)
