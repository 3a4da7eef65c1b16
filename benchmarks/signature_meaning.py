"""What a signed file shows and says, computed without the engine that is tested.

A mutated file may pass only when its meaning is that of the file it was made from. What the meaning leaves out is
what a format neither signs nor shows:

PDF: all that no path from the trailer's ``/Root`` leads to, evidence (``/DSS``), and the ``/Contents`` of signatures
(what is signed of it, the signature itself says). A file cut back to the end of an earlier signed revision means what
that revision meant.
XML: the canonical form's freedoms (exclusive C14N, comments); the place of an enveloped signature; ``ds:KeyInfo``;
XAdES unsigned properties; attributes and text directly in ``ds:Signature``, ``ds:Object`` and
``QualifyingProperties``. The signer is compared by his certificate.
CMS: encoding, certificates, revocation lists, unsigned attributes; leaving one of several signers out.
MIME: header fields other than those of the parts; preamble and epilogue; line ends. Of From and
Sender the addresses count, and only with trust: without it nobody compares them.
OOXML, ODF: ZIP metadata and order; of OOXML the document properties, which Office leaves unsigned, the case of names,
names of the relationships to signatures, order and spelling of relationships and content types.
"""

from __future__ import annotations

import base64
import email
import io
import zipfile
from collections.abc import Hashable, Iterator
from email.utils import getaddresses

from asn1crypto import cms, core, pem
from lxml import etree
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader

_DS = "http://www.w3.org/2000/09/xmldsig#"


def meaning(kind: str, data: bytes, *, sender: bool = True) -> Hashable:
    """What a file of ``kind`` means; equal for two files that show and say the same.

    Args:
        kind: as the mutations name it. data: the file. sender: who a mail says that it is from is a part of it.

    Raises:
        ValueError, KeyError, TypeError: it cannot be read.
    """
    if kind == "PDF":
        reader = PdfFileReader(io.BytesIO(data), strict=False)
        return tuple(_pdf(reader.root, {}))
    if kind == "XML":
        return _xml(data)
    if kind == "CMS":
        return _cms(data)
    if kind == "MIME":
        return tuple(_mail(email.message_from_bytes(data), sender))
    return frozenset(_zip(data))


def _pdf(value: generic.PdfObject, seen: dict[object, int]) -> Iterator[Hashable]:
    """Everything below ``value``; an object that was met before by the number that it was given then."""
    if isinstance(value, generic.IndirectObject):
        known = seen.setdefault(value.reference, len(seen))
        yield known
        if known < len(seen) - 1:
            return
        value = value.get_object()
    if isinstance(value, generic.DictionaryObject):
        yield "stream" if isinstance(value, generic.StreamObject) else "dictionary"
        if isinstance(value, generic.StreamObject):
            yield value.encoded_data
        for key in sorted(value):
            yield key
            if not (key == "/Contents" and "/ByteRange" in value) and key != "/DSS":
                yield from _pdf(value.raw_get(key), seen)
        yield "end"
    elif isinstance(value, generic.ArrayObject):
        yield "array"
        for position in range(len(value)):
            yield from _pdf(value.raw_get(position), seen)
        yield "end"
    else:
        yield repr(value)


def _xml(data: bytes) -> Hashable:
    root = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))
    signatures = []
    for signature in list(root.iter(f"{{{_DS}}}Signature")):
        if next(signature.iterancestors(f"{{{_DS}}}Signature"), None) is None:
            signatures.append(_signature(signature))
    return (tuple(signatures), etree.tostring(root, method="c14n", exclusive=True))


def _signature(signature: etree._Element) -> Hashable:
    """What one signature says; an enveloped one is taken out of the document, where its place says nothing."""
    value = signature.find(f"{{{_DS}}}SignatureValue")
    octets = base64.b64decode("".join(value.itertext())) if value is not None else b""
    unsigned = list(signature.iter("{*}UnsignedProperties"))
    for item in [*signature.findall(f"{{{_DS}}}KeyInfo"), *unsigned, *([] if value is None else [value])]:
        if item.getparent() is not None:
            item.getparent().remove(item)
    qualifying = signature.findall(f"{{{_DS}}}Object/{{*}}QualifyingProperties")
    for holder in (signature, *signature.findall(f"{{{_DS}}}Object"), *qualifying):
        holder.attrib.clear()
        holder.text = None
        for child in holder:
            child.tail = None
    parent, said = (
        signature.getparent(),
        etree.tostring(signature, method="c14n", exclusive=True, with_tail=False),
    )
    if parent is not None:
        before = signature.getprevious()
        if before is not None:
            before.tail = (before.tail or "") + (signature.tail or "")
        else:
            parent.text = (parent.text or "") + (signature.tail or "")
        signature.tail = None
        parent.remove(signature)
    return (octets, said)


def _cms(data: bytes) -> Hashable:
    if pem.detect(data):
        data = pem.unarmor(data)[2]
    signed: cms.SignedData = cms.ContentInfo.load(data)["content"]
    content = signed["encap_content_info"]["content"]
    octets = None if isinstance(content, core.Void) else bytes(content)
    return (octets, frozenset(signer["signed_attrs"].contents for signer in signed["signer_infos"]))


def _mail(part: email.message.Message, sender: bool) -> Iterator[Hashable]:
    for name in ("From", "Sender") if sender else ():
        fields = [str(field).casefold() for field in part.get_all(name, [])]
        yield (name, tuple(address for _, address in getaddresses(fields)))
    for item in part.walk():
        kind = item.get_content_type()
        if kind == "application/pkcs7-signature":
            continue
        if item.is_multipart():
            yield kind
            continue
        body = item.get_payload(decode=True)
        octets = body if isinstance(body, bytes) else b""
        if kind == "application/pkcs7-mime":
            yield (kind, _cms(octets))
        else:
            yield (kind, item.get_content_charset(), b"\n".join(octets.splitlines()))


def _zip(data: bytes) -> Iterator[Hashable]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = [info.filename for info in archive.infolist() if not info.is_dir()]
        for name in names:
            if name.lower().startswith("docprops/"):
                continue
            content = archive.read(name)
            if "META-INF/documentsignatures.xml" not in names:
                name = name.lower()
            if name.endswith(".rels"):
                yield (name, frozenset(_relationships(content, ids=not name.startswith("_xmlsignatures/"))))
            elif name == "[content_types].xml":
                yield (name, frozenset(_types(content, names)))
            elif name.startswith("_xmlsignatures/sig") or name == "META-INF/documentsignatures.xml":
                yield (name, _xml(content))
            elif name == "_xmlsignatures/origin.sigs":
                continue
            elif name.endswith(".xml") and "META-INF/documentsignatures.xml" in names:
                yield (name, etree.tostring(etree.fromstring(content), method="c14n"))
            else:
                yield (name, content)


def _relationships(data: bytes, *, ids: bool) -> Iterator[Hashable]:
    for item in etree.fromstring(data).iter("{*}Relationship"):
        kind = item.get("Type", "")
        if "core-properties" not in kind:
            yield (
                item.get("Id") if ids and "digital-signature" not in kind else "",
                kind,
                item.get("Target"),
                item.get("TargetMode", "Internal"),
            )


def _types(data: bytes, names: list[str]) -> Iterator[Hashable]:
    root = etree.fromstring(data)
    by_name = {item.get("PartName", "").lower(): item.get("ContentType") for item in root.iter("{*}Override")}
    by_end = {item.get("Extension", "").lower(): item.get("ContentType") for item in root.iter("{*}Default")}
    for name in names:
        if not name.lower().startswith(("docprops/", "[")):
            yield (name.lower(), by_name.get(f"/{name}".lower(), by_end.get(name.rpartition(".")[2].lower())))
