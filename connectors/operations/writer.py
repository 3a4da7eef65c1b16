"""Writes edXML v2 packages (QCVN 102:2016/BTTTT) for demonstrations, tests and exports; never sends.

``writer_v1`` writes the dialect before it from the same nodes. Elements carry the prefix ``edXML:``, without
which the Government Office's own reader finds nothing. The same package always gives the same bytes.
"""

from __future__ import annotations

import base64
import io
import re
import uuid
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import PurePosixPath
from xml.sax.saxutils import escape, quoteattr

from connectors.operations.moments import LOCAL
from connectors.operations.package import (
    Business,
    DocumentPackage,
    Organ,
    PackageFile,
    ResponseFor,
    Staff,
    StatusMessage,
)
from schemas.errors import RecordError

NAMESPACE = "http://www.mic.gov.vn/TBT/QCVN_102_2016"
XLINK = "http://www.w3.org/1999/xlink"

Sign = Callable[[bytes], bytes]
"""Takes the package unsigned and gives it back with ``ds:Signature`` as the last child of ``edXMLHeader``."""

Node = tuple[str, "str | list[Node]"]
"""An element: its name and its text or its child elements."""

Day = Callable[[date], str]
"""How a dialect prints a day."""

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ZIP_MOMENT = (2016, 4, 1, 0, 0, 0)


def write_document(package: DocumentPackage, *, sign: Sign | None = None) -> bytes:
    """The document message ``package`` as UTF-8 XML, signed by ``sign`` if given.

    Raises:
        RecordError: a text holds a character that XML 1.0 cannot carry.
    """
    return _package(document_nodes(package, slashed), named_files(package.files), sign)


def write_status(message: StatusMessage, *, sign: Sign | None = None) -> bytes:
    """The status message as UTF-8 XML, signed by ``sign`` if given.

    Raises:
        RecordError: a text holds a character that XML 1.0 cannot carry.
    """
    return _package(status_nodes(message, slashed), None, sign)


def slashed(day: date) -> str:
    """``yyyy/MM/dd``."""
    return day.isoformat().replace("-", "/")


def document_nodes(package: DocumentPackage, day: Day) -> list[Node]:
    """The parts of a document message's header, by the names of v2."""
    return [
        ("MessageHeader", _document_header(package, day)),
        ("TraceHeaderList", _trace(package, day)),
    ]


def status_nodes(message: StatusMessage, day: Day) -> list[Node]:
    """The parts of a status message's header, by the names of v2."""
    fields: list[Node] = [
        ("From", _organ(message.sender)),
        ("ResponseFor", _response_for(message.response_for, day)),
        *_optional("StaffInfo", _staff(message.staff) if message.staff else None),
        ("StatusCode", message.status_code),
        *_optional("Description", message.description),
        ("Timestamp", _moment(message.timestamp, day)),
    ]
    return [("MessageHeader", fields)]


def named_files(files: tuple[PackageFile, ...]) -> list[tuple[str, PackageFile]]:
    """Each file with its content identifier."""
    return [(_content_id(file, position), file) for position, file in enumerate(files, start=1)]


def _package(header: list[Node], files: list[tuple[str, PackageFile]] | None, sign: Sign | None) -> bytes:
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<edXML xmlns="{NAMESPACE}" xmlns:edXML="{NAMESPACE}" xmlns:xlink="{XLINK}">',
        "<edXML:edXMLEnvelope>",
        *element_lines(("edXMLHeader", header)),
    ]
    if files is not None:
        lines += ["<edXML:edXMLBody>", '<edXML:edXMLManifest version="1.0">']
        for content_id, file in files:
            lines.append(f"<edXML:Reference xlink:href={xml_attribute(content_id)}>")
            lines += (line for node in file_facts(content_id, file) for line in element_lines(node))
            lines.append("</edXML:Reference>")
        lines += ["</edXML:edXMLManifest>", "</edXML:edXMLBody>"]
    lines.append("</edXML:edXMLEnvelope>")
    if files:
        attachments: list[Node] = [
            (
                "Attachment",
                [*file_facts(content_id, file), ("ContentTransferEncoded", _base64(content_id, file))],
            )
            for content_id, file in files
        ]
        lines += element_lines(("AttachmentEncoded", attachments))
    lines += ["</edXML>", ""]
    written = "\n".join(lines).encode("utf-8")
    return sign(written) if sign else written


def element_lines(node: Node) -> Iterator[str]:
    """The element as XML, one line a tag or leaf."""
    name, value = node
    if isinstance(value, str):
        yield f"<edXML:{name}>{xml_text(value)}</edXML:{name}>"
        return
    yield f"<edXML:{name}>"
    for child in value:
        yield from element_lines(child)
    yield f"</edXML:{name}>"


def xml_text(value: str) -> str:
    """``value`` escaped, so that a reader gets back every character: white space too, and carriage returns.

    Raises:
        RecordError: it holds a character that XML 1.0 cannot carry.
    """
    return escape(_carried(value), {"\r": "&#13;"})


def xml_attribute(value: str) -> str:
    """``value`` escaped and in quotes.

    Raises:
        RecordError: it holds a character that XML 1.0 cannot carry.
    """
    return quoteattr(_carried(value))


def _carried(value: str) -> str:
    if wrong := _NOT_XML.search(value):
        raise RecordError(
            f"the text {value[:60]!r} cannot be written as XML",
            where=f"character {wrong.start()}",
            expected="characters of XML 1.0 only",
        )
    return value


def _optional(name: str, value: str | list[Node] | None) -> list[Node]:
    return [] if value is None else [(name, value)]


def _document_header(package: DocumentPackage, day: Day) -> list[Node]:
    return [
        ("From", _organ(package.sender)),
        *(("To", _organ(recipient)) for recipient in package.recipients),
        *_optional("DocumentId", package.document_id),
        ("Code", [("CodeNumber", package.code_number), ("CodeNotation", package.code_notation)]),
        (
            "PromulgationInfo",
            [*_optional("Place", package.place), ("PromulgationDate", day(package.promulgation_date))],
        ),
        (
            "DocumentType",
            [
                ("Type", package.type_code),
                *_optional("TypeDetail", package.type_detail),
                ("TypeName", package.type_name),
            ],
        ),
        ("Subject", package.subject),
        *_optional("Content", package.content),
        *_optional("SignerInfo", _signer(package)),
        *_optional("DueDate", day(package.due_date) if package.due_date else None),
        *_optional("ToPlaces", [("Place", place) for place in package.to_places] or None),
        ("OtherInfo", _other_info(package)),
        *(("ResponseFor", _response_for(answered, day)) for answered in package.response_for),
        *_optional("SteeringType", package.steering_type),
    ]


def _signer(package: DocumentPackage) -> list[Node] | None:
    if package.signer is None:
        return None
    return [
        *_optional("Competence", package.signer.competence),
        *_optional("Position", package.signer.position),
        ("FullName", package.signer.full_name),
    ]


def _other_info(package: DocumentPackage) -> list[Node]:
    direction = None if package.direction is None else str(package.direction).lower()
    return [
        ("Priority", package.priority),
        *_optional("SphereOfPromulgation", package.sphere),
        *_optional("TyperNotation", package.typer_notation),
        *_optional("PromulgationAmount", _count(package.promulgation_amount)),
        *_optional("PageAmount", _count(package.page_amount)),
        *_optional("Direction", direction),
        *_optional("Appendixes", [("Appendix", title) for title in package.appendixes] or None),
    ]


def _trace(package: DocumentPackage, day: Day) -> list[Node]:
    headers: list[Node] = [
        ("TraceHeader", [("OrganId", trace.organ_id), ("Timestamp", _moment(trace.timestamp, day))])
        for trace in package.trace
    ]
    return headers + _optional("Bussiness", _business(package.business) if package.business else None)


def _business(business: Business) -> list[Node]:
    receivers: list[Node] = [
        ("Receiver", [("OrganId", receiver.organ_id), ("ReceiverType", receiver.receiver_type)])
        for receiver in business.receivers
    ]
    changes = [
        *_optional("DocumentInfo", business.document_info),
        *_optional("DocumentReceiver", business.document_receiver),
        *_optional("ReceiverList", receivers or None),
    ]
    replacements: list[Node] = [
        (
            "ReplacementInfo",
            [
                ("DocumentId", replacement.document_id),
                *_optional("OrganIdList", [("OrganId", organ) for organ in replacement.organ_ids] or None),
            ],
        )
        for replacement in business.replacements
    ]
    return [
        ("BussinessDocType", business.doc_type),
        *_optional("Paper", business.paper),
        *_optional("BussinessDocReason", business.reason),
        *_optional("DocumentId", business.document_id),
        *_optional("StaffInfo", _staff(business.staff) if business.staff else None),
        *_optional("BussinessDocumentInfo", changes or None),
        *_optional("ReplacementInfoList", replacements or None),
    ]


def _organ(organ: Organ) -> list[Node]:
    return [
        ("OrganId", organ.organ_id),
        *_optional("OrganizationInCharge", organ.in_charge),
        *_optional("OrganName", organ.name),
        *_optional("OrganAdd", organ.address),
        *_optional("Email", organ.email),
        *_optional("Telephone", organ.telephone),
        *_optional("Fax", organ.fax),
        *_optional("Website", organ.website),
    ]


def _response_for(answered: ResponseFor, day: Day) -> list[Node]:
    return [
        ("OrganId", answered.organ_id),
        *_optional("Code", answered.code),
        ("DocumentId", answered.document_id),
        *_optional(
            "PromulgationDate", day(answered.promulgation_date) if answered.promulgation_date else None
        ),
    ]


def _staff(staff: Staff) -> list[Node]:
    return [
        *_optional("Department", staff.department),
        *_optional("Staff", staff.staff),
        *_optional("Mobile", staff.mobile),
        *_optional("Email", staff.email),
    ]


def file_facts(content_id: str, file: PackageFile) -> list[Node]:
    """What a manifest says of a file."""
    return [
        ("ContentId", content_id),
        ("ContentType", file.content_type),
        ("AttachmentName", file.name),
        *_optional("Description", file.description),
    ]


def _content_id(file: PackageFile, position: int) -> str:
    return file.content_id or f"cid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{position}/{file.name}')}"


def payload_of(content_id: str, file: PackageFile) -> bytes:
    """The bytes that travel for ``file``."""
    return _one_entry_zip(content_id, file) if file.zipped else file.data


def _base64(content_id: str, file: PackageFile) -> str:
    return base64.b64encode(payload_of(content_id, file)).decode("ascii")


def _one_entry_zip(content_id: str, file: PackageFile) -> bytes:
    suffix = PurePosixPath(file.name).suffix
    entry = zipfile.ZipInfo(f"{uuid.uuid5(uuid.NAMESPACE_URL, content_id)}{suffix}", date_time=_ZIP_MOMENT)
    entry.compress_type = zipfile.ZIP_DEFLATED
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(entry, file.data)
    return out.getvalue()


def _moment(moment: datetime, day: Day) -> str:
    if moment.tzinfo is not None:
        moment = moment.astimezone(LOCAL)
    return f"{day(moment.date())} {moment:%H:%M:%S}"


def _count(value: int | None) -> str | None:
    return None if value is None else str(value)
