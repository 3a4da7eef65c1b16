"""Signed office documents for the tests: OOXML packages and OpenDocument files, made part by part.

The digests are computed here by hand, so that the engine is not compared with itself.
"""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Mapping
from urllib.parse import quote

import xmlsec
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from tests.signatures.pki_factory import Holder

DS = "http://www.w3.org/2000/09/xmldsig#"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
METHOD = "http://www.w3.org/2001/04/xmldsig-more#{}-sha256"
OPC = "http://schemas.openxmlformats.org/package/2006"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml"
SIGNATURE_PART = "_xmlsignatures/sig1.xml"
RELS = "application/vnd.openxmlformats-package.relationships+xml"

Files = dict[str, bytes]


def relationships(*items: tuple[str, str, str] | tuple[str, str, str, str]) -> bytes:
    """A relationships part of (id, type, target, and mode where it is external)."""
    lines = "".join(
        f'<Relationship Id="{item[0]}" Type="{item[1]}" Target="{item[2]}"'
        + (f' TargetMode="{item[3]}"' if len(item) > 3 else "")
        + "/>\n"
        for item in items
    )
    head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    return f'{head}<Relationships xmlns="{OPC}/relationships">\n{lines}</Relationships>'.encode()


TYPES = {
    "word/document.xml": f"{WORD}.document.main+xml",
    "word/styles.xml": f"{WORD}.styles+xml",
    "word/media/dau.png": "image/png",
    "docProps/core.xml": "application/vnd.openxmlformats-package.core-properties+xml",
    "customXml/item1.xml": "application/xml",
    "_xmlsignatures/origin.sigs": "application/vnd.openxmlformats-package.digital-signature-origin",
    SIGNATURE_PART: "application/vnd.openxmlformats-package.digital-signature-xmlsignature+xml",
    "_xmlsignatures/sig2.xml": "application/vnd.openxmlformats-package.digital-signature-xmlsignature+xml",
}


def docx(body: str = "Kết luận số 160-KL/TU", **more: bytes) -> Files:
    """An unsigned document; ``more`` replaces or adds files under names with ``__`` for ``/`` and ``_`` for ``.``."""
    files = {
        "[Content_Types].xml": b"",
        "_rels/.rels": relationships(
            ("rId1", f"{OFFICE}/officeDocument", "word/document.xml"),
            ("rId2", f"{OPC}/relationships/metadata/core-properties", "docProps/core.xml"),
        ),
        "word/document.xml": f"<w:document xmlns:w='urn:w'><w:t>{body}</w:t></w:document>".encode(),
        "word/styles.xml": b"<w:styles xmlns:w='urn:w'/>",
        "word/media/dau.png": b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
        "word/_rels/document.xml.rels": relationships(
            ("rId10", f"{OFFICE}/image", "media/dau.png"),
            ("rId2", f"{OFFICE}/styles", "/word/styles.xml"),
            ("rId1", f"{OFFICE}/hyperlink", "https://example.test/?a=1&amp;b=2", "External"),
        ),
        "docProps/core.xml": b"<core/>",
    }
    return with_types(files)


def with_types(files: Files, types: Mapping[str, str] | None = None) -> Files:
    """The files with a content types part for them; ``types`` overrides ``TYPES``."""
    known = {**TYPES, **(types or {})}
    overrides = "".join(
        f'<Override PartName="/{name}" ContentType="{known[name]}"/>' for name in files if name in known
    )
    files["[Content_Types].xml"] = (
        f'<Types xmlns="{OPC}/content-types"><Default Extension="rels" ContentType="{RELS}"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{overrides}</Types>'
    ).encode()
    return files


def packed(files: Files) -> bytes:
    """The ZIP."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return stream.getvalue()


def sign_docx(
    files: Files,
    holder: Holder,
    *,
    part: str = SIGNATURE_PART,
    leave_out: tuple[str, ...] = ("docProps/core.xml",),
    leave_ids: tuple[str, ...] = ("rId2",),
    types: Mapping[str, str] | None = None,
    c14n: str = C14N,
) -> Files:
    """``files`` signed as Office does: every part but ``leave_out``, every relationship but ``leave_ids`` of the
    package."""
    known = {**TYPES, **(types or {})}
    references = []
    for name, data in files.items():
        if name in leave_out or name == "[Content_Types].xml" or name.startswith("_xmlsignatures/"):
            continue
        if name.endswith(".rels"):
            skipped = leave_ids if name == "_rels/.rels" else ()
            references.append(_relationships_reference(name, data, skipped, c14n))
        else:
            references.append(_reference(f"/{name}?ContentType={quote(known[name], safe='/+')}", data))
    manifest = (
        f'<Object Id="idPackageObject"><Manifest>{"".join(references)}</Manifest><SignatureProperties>'
        '<SignatureProperty Id="idSignatureTime" Target="#idPackageSignature">'
        f'<mdssi:SignatureTime xmlns:mdssi="{OPC}/digital-signature"><mdssi:Format>YYYY-MM-DDThh:mm:ssTZD'
        "</mdssi:Format><mdssi:Value>2024-03-01T08:00:00Z</mdssi:Value></mdssi:SignatureTime>"
        "</SignatureProperty></SignatureProperties></Object>"
    )
    signed = dict(files)
    signed["_xmlsignatures/origin.sigs"] = b""
    signed.setdefault("_xmlsignatures/_rels/origin.sigs.rels", relationships())
    number = part.removesuffix(".xml")[-1]
    signed[part] = signature_xml([("#idPackageObject", f"{DS}Object")], manifest, holder)
    others = [name for name in signed if name.startswith("_xmlsignatures/sig")]
    signed["_xmlsignatures/_rels/origin.sigs.rels"] = relationships(
        *(
            (f"rId{name[-5]}", f"{OPC}/relationships/digital-signature/signature", name.rpartition("/")[2])
            for name in others
        )
    )
    assert number.isdigit()
    root = signed["_rels/.rels"].decode()
    if "digital-signature/origin" not in root:
        origin = f"{OPC}/relationships/digital-signature/origin"
        line = f'<Relationship Id="rIdS" Type="{origin}" Target="_xmlsignatures/origin.sigs"/>\n'
        signed["_rels/.rels"] = root.replace("</Relationships>", f"{line}</Relationships>").encode()
    return with_types(signed, types)


def signature_xml(references: list[tuple[str, str]], objects: str, holder: Holder, data: str = "") -> bytes:
    """A ds:Signature over its own objects (exclusive C14N) and other references, which ``references`` may hold
    ready made."""
    certificate = base64.b64encode(holder.der).decode()
    family = "rsa" if isinstance(holder.key, rsa.RSAPrivateKey) else "ecdsa"
    data = data or f"<X509Data><X509Certificate>{certificate}</X509Certificate></X509Data>"
    root = etree.fromstring(
        f'<Signature xmlns="{DS}" Id="idPackageSignature"><SignedInfo><CanonicalizationMethod'
        f' Algorithm="{EXCLUSIVE}"/><SignatureMethod Algorithm="{METHOD.format(family)}"/></SignedInfo>'
        f"<SignatureValue/><KeyInfo>{data}</KeyInfo>{objects}</Signature>"
    )
    info = root.find(f"{{{DS}}}SignedInfo")
    by_id = {element.get("Id"): element for element in root.iter(etree.Element) if element.get("Id")}
    for uri, kind in references:
        if uri.startswith("<"):
            info.append(etree.fromstring(uri))
            continue
        octets = etree.tostring(by_id[uri[1:]], method="c14n", exclusive=True, with_tail=False)
        digest = base64.b64encode(hashlib.sha256(octets).digest()).decode()
        kind_attribute = f' Type="{kind}"' if kind else ""
        info.append(
            etree.fromstring(
                f'<Reference xmlns="{DS}" URI="{uri}"{kind_attribute}><Transforms><Transform'
                f' Algorithm="{EXCLUSIVE}"/></Transforms><DigestMethod Algorithm="{SHA256}"/>'
                f"<DigestValue>{digest}</DigestValue></Reference>"
            )
        )
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(holder.key_pem, xmlsec.constants.KeyDataFormatPem, None)
    octets = etree.tostring(info, method="c14n", exclusive=True, with_tail=False)
    value = context.sign_binary(octets, getattr(xmlsec.constants, f"Transform{family.title()}Sha256"))
    root.find(f"{{{DS}}}SignatureValue").text = base64.b64encode(value).decode()
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _reference(uri: str, octets: bytes, transforms: str = "") -> str:
    digest = base64.b64encode(hashlib.sha256(octets).digest()).decode()
    return (
        f'<Reference URI="{uri}">{transforms}<DigestMethod Algorithm="{SHA256}"/>'
        f"<DigestValue>{digest}</DigestValue></Reference>"
    )


def _relationships_reference(name: str, data: bytes, skipped: tuple[str, ...], c14n: str) -> str:
    """By the words of ECMA-376 Part 2 §10.5.3.6: the chosen elements, sorted by Id, with their default TargetMode."""
    items = sorted(
        (dict(element.attrib) for element in etree.fromstring(data) if element.get("Id") not in skipped),
        key=lambda item: item["Id"],
    )
    lines = "".join(
        f'<Relationship Id="{item["Id"]}" Target="{item["Target"].replace("&", "&amp;")}"'
        f' TargetMode="{item.get("TargetMode", "Internal")}" Type="{item["Type"]}"></Relationship>'
        for item in items
    )
    octets = f'<Relationships xmlns="{OPC}/relationships">{lines}</Relationships>'.encode()
    chosen = "".join(
        f'<mdssi:RelationshipReference xmlns:mdssi="{OPC}/digital-signature" SourceId="{item["Id"]}"/>'
        for item in items
    )
    second = f'<Transform Algorithm="{c14n}"/>' if c14n else ""
    first = f'<Transform Algorithm="{OPC}/RelationshipTransform">{chosen}</Transform>'
    transforms = f"<Transforms>{first}{second}</Transforms>"
    return _reference(f"/{name}?ContentType={quote(RELS, safe='/+')}", octets, transforms)


def odt(body: str = "Kết luận số 160-KL/TU") -> Files:
    """An unsigned OpenDocument text."""
    return {
        "mimetype": b"application/vnd.oasis.opendocument.text",
        "content.xml": f"<o:document xmlns:o='urn:o'><o:p>{body}</o:p></o:document>".encode(),
        "Object 1/content.xml": b"<chart/>",
        "META-INF/manifest.xml": b"<manifest/>",
    }


def sign_odt(
    files: Files,
    holder: Holder,
    *,
    leave_out: tuple[str, ...] = (),
    data: str = "",
    date_signed: bool = True,
) -> Files:
    """``files`` signed as LibreOffice does: every file but ``leave_out``, and the time of signing."""
    references: list[tuple[str, str]] = []
    for name, content in files.items():
        if name in leave_out:
            continue
        transforms = ""
        if name.endswith(".xml"):
            content = etree.tostring(etree.fromstring(content), method="c14n")
            transforms = f'<Transforms><Transform Algorithm="{C14N}"/></Transforms>'
        reference = _reference(name, content, transforms).replace("<Reference", f'<Reference xmlns="{DS}"', 1)
        references.append((reference, ""))
    if date_signed:
        references.append(("#ngay-ky", ""))
    objects = (
        '<Object><SignatureProperties><SignatureProperty Id="ngay-ky" Target="#idPackageSignature">'
        '<dc:date xmlns:dc="http://purl.org/dc/elements/1.1/">2024-03-01T15:00:00</dc:date>'
        "</SignatureProperty></SignatureProperties></Object>"
    )
    signature = signature_xml(references, objects, holder, data).partition(b"?>\n")[2]
    wrapper = b'<document-signatures xmlns="urn:oasis:names:tc:opendocument:xmlns:digitalsignature:1.0">'
    return {**files, "META-INF/documentsignatures.xml": wrapper + signature + b"</document-signatures>"}
