"""Writes edXML packages of the dialect before 2016, for tests and simulators; never sends.

A SOAP envelope whose header holds the parts of the message and whose body the manifest; files follow as parts
of a MIME multipart/related message (SOAP with Attachments, RFC 2387), linked by ``cid:``. A package without
files is the envelope alone. The same package always gives the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Literal
from urllib.parse import quote

from connectors.operations.package import DocumentPackage, PackageFile, StatusMessage
from connectors.operations.writer import (
    XLINK,
    Node,
    Sign,
    document_nodes,
    element_lines,
    file_facts,
    named_files,
    payload_of,
    status_nodes,
    xml_attribute,
)
from schemas.errors import RecordError

NAMESPACE = "http://www.e-doc.vn/Schema/"
OLDEST_NAMESPACE = "http://www.go.vn/eDoc"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"

PartEncoding = Literal["base64", "binary", "quoted-printable"]

_ROOT_ID = "envelope@lienthong.invalid"
_NAMES: Mapping[str, str] = MappingProxyType(
    {"SignerInfo": "Author", "Position": "Function", "DueDate": "ResponseDate"}
)
_STATUS_NAMES: Mapping[str, str] = MappingProxyType({"Timestamp": "TimeStamp"})
_CONTENT_ID = re.compile(r"[!-;=?-~]+")


def write_document_v1(
    package: DocumentPackage,
    *,
    encoding: PartEncoding = "base64",
    namespace: str = NAMESPACE,
    sign: Sign | None = None,
) -> bytes:
    """The document message ``package`` with its files as parts in ``encoding``.

    Args:
        package: its ``document_id`` and ``business``, which v1 has not, are written where they are set.
        encoding: Content-Transfer-Encoding of the files.
        namespace: of the edXML elements.
        sign: takes the envelope unsigned and gives it back with ``ds:Signature`` in its header.

    Raises:
        RecordError: a text holds a character that XML 1.0 cannot carry, or a content identifier one that a
            MIME header cannot.
    """
    files = named_files(package.files)
    nodes = [_renamed(node, _NAMES) for node in document_nodes(package, _day)]
    envelope = _envelope(nodes, files, namespace, sign)
    return _message(envelope, files, encoding) if files else envelope


def write_status_v1(message: StatusMessage, *, namespace: str = NAMESPACE, sign: Sign | None = None) -> bytes:
    """The status message as a SOAP envelope in UTF-8.

    Raises:
        RecordError: a text holds a character that XML 1.0 cannot carry.
    """
    ((_, fields),) = status_nodes(message, _day)
    return _envelope([_renamed(("Status", fields), _STATUS_NAMES)], None, namespace, sign)


def _day(day: date) -> str:
    return f"{day:%d/%m}/{day.year:04}"


def _renamed(node: Node, names: Mapping[str, str]) -> Node:
    name, value = node
    if not isinstance(value, str):
        value = [_renamed(child, names) for child in value]
    return names.get(name, name), value


def _envelope(
    header: list[Node], files: list[tuple[str, PackageFile]] | None, namespace: str, sign: Sign | None
) -> bytes:
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<SOAP-ENV:Envelope xmlns:SOAP-ENV="{SOAP}" xmlns:edXML="{namespace}" xmlns:xlink="{XLINK}">',
        "<SOAP-ENV:Header>",
        *(line for node in header for line in element_lines(node)),
        "</SOAP-ENV:Header>",
        "<SOAP-ENV:Body>",
    ]
    if files is not None:
        lines.append('<edXML:Manifest version="1.0">')
        for content_id, file in files:
            lines.append(f"<edXML:Reference xlink:href={xml_attribute('cid:' + _bare(content_id))}>")
            # The link names the part, so that ContentId would say it twice.
            facts = file_facts(content_id, file)[1:]
            lines += (line for node in facts for line in element_lines(node))
            lines.append("</edXML:Reference>")
        lines.append("</edXML:Manifest>")
    lines += ["</SOAP-ENV:Body>", "</SOAP-ENV:Envelope>", ""]
    written = "\n".join(lines).encode("utf-8")
    return sign(written) if sign else written


def _bare(content_id: str) -> str:
    bare = content_id.removeprefix("cid:")
    if not _CONTENT_ID.fullmatch(bare):
        raise RecordError(
            f"the content identifier {content_id[:60]!r} cannot stand in a MIME header",
            expected="visible ASCII without angle brackets",
        )
    return quote(bare, safe="@")


def _message(envelope: bytes, files: list[tuple[str, PackageFile]], encoding: PartEncoding) -> bytes:
    bodies = [_encoded(payload_of(content_id, file), encoding) for content_id, file in files]
    boundary = _boundary(envelope, bodies)
    head = (
        "MIME-Version: 1.0\r\n"
        f'Content-Type: multipart/related; type="text/xml"; start="<{_ROOT_ID}>"; boundary="{boundary}"\r\n\r\n'
    )
    root = {"Content-Type": "text/xml; charset=UTF-8", "Content-ID": f"<{_ROOT_ID}>"}
    parts = [_part(boundary, root, envelope)]
    for (content_id, file), body in zip(files, bodies, strict=True):
        headers = {
            "Content-Type": file.content_type or "application/octet-stream",
            "Content-Transfer-Encoding": encoding,
            "Content-ID": f"<{_bare(content_id)}>",
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name, safe='')}",
        }
        parts.append(_part(boundary, headers, body))
    return head.encode("ascii") + b"".join(parts) + f"--{boundary}--\r\n".encode("ascii")


def _part(boundary: str, headers: Mapping[str, str], body: bytes) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"--{boundary}\r\n{lines}\r\n".encode() + body + b"\r\n"


def _encoded(data: bytes, encoding: PartEncoding) -> bytes:
    if encoding == "base64":
        return base64.encodebytes(data).rstrip(b"\n").replace(b"\n", b"\r\n")
    if encoding == "quoted-printable":
        # Every byte escaped: whole whatever the data are, in lines of at most 76 characters.
        escaped = [f"={byte:02X}" for byte in data]
        return "=\r\n".join("".join(escaped[at : at + 24]) for at in range(0, len(escaped), 24)).encode()
    return data


def _boundary(envelope: bytes, bodies: list[bytes]) -> str:
    """A boundary that stands in no part, always the same for the same parts."""
    digest = hashlib.sha256(envelope)
    while True:
        boundary = f"=_{digest.hexdigest()[:32]}"
        if not any(boundary.encode("ascii") in part for part in (envelope, *bodies)):
            return boundary
        digest.update(b".")
