"""An edXML package as a program builds it: document and status messages, for both dialects.

Names follow QCVN 102:2016/BTTTT with the amendment of 2022; every class says which element it becomes.
``None`` leaves an element out, ``""`` writes it empty. The format prints times without a
zone: aware ones are written in local time (+07:00), naive ones as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Organ:
    """``From`` or ``To``: an organ with its address."""

    organ_id: str
    name: str | None = None
    in_charge: str | None = None
    address: str | None = None
    email: str | None = None
    telephone: str | None = None
    fax: str | None = None
    website: str | None = None


@dataclass(frozen=True, slots=True)
class Signer:
    """``SignerInfo``: who signed; ``competence`` is the right by which (TM., KT., TL. …)."""

    full_name: str
    position: str | None = None
    competence: str | None = None


@dataclass(frozen=True, slots=True)
class ResponseFor:
    """``ResponseFor``: the document that is answered; ``code`` is its number with its notation."""

    organ_id: str
    document_id: str
    code: str | None = None
    promulgation_date: date | None = None


@dataclass(frozen=True, slots=True)
class Staff:
    """``StaffInfo``: the person who handled the message."""

    department: str | None = None
    staff: str | None = None
    mobile: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Trace:
    """``TraceHeader``: an organ that the package passed, and when."""

    organ_id: str
    timestamp: datetime


@dataclass(frozen=True, slots=True)
class Receiver:
    """``Receiver`` of an update: type ``1`` adds the organ to the recipients, ``0`` takes it off."""

    organ_id: str
    receiver_type: str


@dataclass(frozen=True, slots=True)
class Replacement:
    """``ReplacementInfo``: a document that is replaced, and the organs that hold it."""

    document_id: str
    organ_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Business:
    """``Bussiness``: what the package does: ``0`` new, ``1`` recall, ``2`` update, ``3`` replace.

    ``document_info`` (``1`` when the document's data change), ``document_receiver`` (``1`` when the
    recipients change) and ``receivers`` belong to an update, ``replacements`` to a replacement.
    """

    doc_type: str = "0"
    reason: str | None = None
    document_id: str | None = None
    paper: str | None = "0"
    staff: Staff | None = None
    document_info: str | None = None
    document_receiver: str | None = None
    receivers: tuple[Receiver, ...] = ()
    replacements: tuple[Replacement, ...] = ()


@dataclass(frozen=True, slots=True)
class PackageFile:
    """A file in the package: ``Reference`` in the manifest and ``Attachment`` with the bytes.

    Attributes:
        name: ``AttachmentName``.
        data: the file's bytes.
        content_type: the declared media type.
        content_id: ``ContentId``; ``None`` makes one from the position and the name.
        description: ``Description``.
        zipped: carry the bytes in a ZIP of one entry, as the exchange's own client does.
    """

    name: str
    data: bytes
    content_type: str = "application/pdf"
    content_id: str | None = None
    description: str | None = None
    zipped: bool = False


@dataclass(frozen=True, slots=True)
class DocumentPackage:
    """A document message.

    Attributes:
        sender: ``From``. recipients: ``To``.
        document_id: ``DocumentId``, e.g. ``000.00.00.H10,2025/03/14,160-KL/TU``; v1 has none.
        code_number, code_notation: ``Code``.
        place, promulgation_date: ``PromulgationInfo``.
        type_code, type_detail, type_name: ``DocumentType``.
        subject: trích yếu. content: tóm tắt.
        priority: ``0`` thường to ``4`` hỏa tốc hẹn giờ. steering_type: ``1`` to ``3``.
        direction: the element of that name in ``OtherInfo``.
        to_places: nơi nhận để biết, để lưu. appendixes: titles.
        response_for: documents answered. trace: ``TraceHeader``. files: attachments.
    """

    sender: Organ
    recipients: tuple[Organ, ...]
    document_id: str | None
    code_number: str
    code_notation: str
    promulgation_date: date
    subject: str
    type_name: str
    place: str | None = None
    type_code: str = "2"
    type_detail: str | None = None
    content: str | None = None
    signer: Signer | None = None
    due_date: date | None = None
    to_places: tuple[str, ...] = ()
    priority: str = "0"
    sphere: str | None = None
    typer_notation: str | None = None
    promulgation_amount: int | None = None
    page_amount: int | None = None
    direction: bool | None = None
    appendixes: tuple[str, ...] = ()
    response_for: tuple[ResponseFor, ...] = ()
    steering_type: str | None = "1"
    trace: tuple[Trace, ...] = ()
    business: Business | None = Business()
    files: tuple[PackageFile, ...] = ()


@dataclass(frozen=True, slots=True)
class StatusMessage:
    """A status message: what ``sender`` did with the document of ``response_for``.

    ``status_code``: 01 đã đến, 02 từ chối tiếp nhận, 03 đã tiếp nhận, 04 chờ phân công, 05 đang xử lý,
    06 đã xử lý xong, 13 lấy lại, 15 đồng ý, 16 từ chối cập nhật hoặc lấy lại.
    """

    sender: Organ
    response_for: ResponseFor
    status_code: str
    timestamp: datetime
    description: str | None = None
    staff: Staff | None = None
