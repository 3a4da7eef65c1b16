"""What the standard says of each element, as data: length, values, dates, numbers.

Names and enumerations are those of QCVN 102:2016/BTTTT with the amendment of 2022 and of the dialect before it;
lengths come from ``schemas.limits``, where each has its source. Elements that are not here are kept, unjudged.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType

from schemas.limits import LIMITS


class Kind(Enum):
    """What an element's text is."""

    TEXT = "text"
    ORGAN = "organ"
    DATE = "date"
    AMOUNT = "amount"
    CODE_NUMBER = "code_number"
    DOCUMENT_ID = "document_id"


@dataclass(frozen=True, slots=True)
class Rule:
    """The rule of one element.

    Attributes:
        kind: of its text.
        limit: its greatest length in characters.
        allowed: the only values, if it is an enumeration.
        parts: rules of its child elements.
        judged: there is more to look at than its length.
    """

    kind: Kind = Kind.TEXT
    limit: int = sys.maxsize
    allowed: frozenset[str] | None = None
    parts: Mapping[str, Rule] = field(default_factory=lambda: MappingProxyType({}))
    judged: bool = False


PRIORITIES = frozenset("01234")
"""Thường, khẩn, thượng khẩn, hỏa tốc, hỏa tốc hẹn giờ."""
STATUS_CODES = frozenset({"01", "02", "03", "04", "05", "06", "13", "15", "16"})
"""Đã đến, từ chối tiếp nhận, đã tiếp nhận, chờ phân công, đang xử lý, đã xong, lấy lại, đồng ý, từ chối."""
OLD_DOCUMENT_TYPES = frozenset("12")
"""``DocumentType/Type`` of v1. Senders of v2 misuse the element so widely that nothing follows from it."""

UNKNOWN = Rule()


def _text(limit: str) -> Rule:
    return Rule(limit=LIMITS[limit].length)


def _named(limit: str) -> Rule:
    return Rule(Kind.ORGAN, LIMITS[limit].length)


def _one_of(*values: str) -> Rule:
    return Rule(allowed=frozenset(values), judged=True)


def _judged(kind: Kind) -> Rule:
    return Rule(kind, judged=True)


def _parts(**parts: Rule) -> Rule:
    # Bare, because it is asked for each element of each package, which takes twice as long through a proxy.
    return Rule(parts=parts)


_DATE, _AMOUNT, _ID = _judged(Kind.DATE), _judged(Kind.AMOUNT), _judged(Kind.DOCUMENT_ID)
_ORGAN_ID = _named("issuer.organ_id")
_ORGAN = _parts(
    OrganId=_ORGAN_ID,
    OrganName=_named("issuer.name"),
    OrganizationInCharge=_named("issuer.in_charge"),
    OrganAdd=_text("issuer.address"),
    Email=_text("issuer.email"),
    Telephone=_text("issuer.telephone"),
    Fax=_text("issuer.fax"),
    Website=_text("issuer.website"),
)
_SIGNER = _parts(
    Competence=_text("signers.competence"),
    Position=_text("signers.position"),
    Function=_text("signers.position"),
    FullName=_text("signers.full_name"),
)
_STAFF = _parts(Email=_text("issuer.email"))
_RESPONSE = _parts(OrganId=_ORGAN_ID, DocumentId=_ID, PromulgationDate=_DATE)
_MESSAGE = _parts(
    From=_ORGAN,
    To=_ORGAN,
    DocumentId=_ID,
    Code=_parts(
        CodeNumber=Rule(Kind.CODE_NUMBER, LIMITS["number"].length, judged=True),
        CodeNotation=_text("notation"),
    ),
    PromulgationInfo=_parts(Place=_text("issued_place"), PromulgationDate=_DATE),
    DocumentType=_parts(TypeName=_text("type_name")),
    Subject=_text("subject"),
    Content=_text("abstract"),
    SignerInfo=_SIGNER,
    Author=_SIGNER,
    DueDate=_DATE,
    ResponseDate=_DATE,
    ToPlaces=_parts(Place=_text("to_places")),
    OtherInfo=_parts(
        Priority=_one_of(*PRIORITIES),
        SphereOfPromulgation=_text("use_regime"),
        TyperNotation=_text("typer_notation"),
        PromulgationAmount=_AMOUNT,
        PageAmount=_AMOUNT,
        Direction=_one_of("true", "false"),
        Appendixes=_parts(Appendix=_text("appendixes")),
    ),
    ResponseFor=_RESPONSE,
    SteeringType=_one_of("1", "2", "3"),
    StaffInfo=_STAFF,
    StatusCode=_one_of(*STATUS_CODES),
    Timestamp=_DATE,
    TimeStamp=_DATE,
)
_BUSINESS = _parts(
    BussinessDocType=_one_of("0", "1", "2", "3"),
    DocumentId=_ID,
    StaffInfo=_STAFF,
    BussinessDocumentInfo=_parts(
        ReceiverList=_parts(Receiver=_parts(OrganId=_ORGAN_ID, ReceiverType=_one_of("0", "1")))
    ),
    ReplacementInfoList=_parts(ReplacementInfo=_parts(DocumentId=_ID, OrganIdList=_parts(OrganId=_ORGAN_ID))),
)
_TRACE = _parts(OrganId=_ORGAN_ID, Timestamp=_DATE, TimeStamp=_DATE)
_FILE = _parts(AttachmentName=_text("attachments.name"))

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "MessageHeader": _MESSAGE,
        "Status": _MESSAGE,
        "TraceHeaderList": _parts(TraceHeader=_TRACE, Bussiness=_BUSINESS),
        "edXMLManifest": _parts(Reference=_FILE),
        "Manifest": _parts(Reference=_FILE),
        "AttachmentEncoded": _parts(Attachment=_FILE),
        "Attachment": _FILE,
    }
)
"""Rules of the parts of a package, by name."""

REQUIRED = (
    "From",
    "To",
    "Code/CodeNumber",
    "Code/CodeNotation",
    "PromulgationInfo/PromulgationDate",
    "DocumentType/TypeName",
    "Subject",
)
"""Elements of a document's MessageHeader that every real package has, beside DocumentId."""

PRESENT = ("Content", "SignerInfo", "DueDate", "ToPlaces", "OtherInfo")
"""Further elements that the exchange's own validator wants to see, empty or not; many real packages lack some."""

OLD_NAMES: Mapping[str, str] = MappingProxyType({"SignerInfo": "Author", "DueDate": "ResponseDate"})
"""What v1 calls some of them."""
