"""The strict reading of a signed XML file, before any cryptography touches it.

XMLDSig lets a signature say itself what it signs and how it is to be read. Everything not on the lists below
is refused: DTDs, ambiguous identifiers, references to anywhere else, transforms that choose or rewrite
content, keys that anyone holds. W3C XML Signature Syntax and Processing 1.1 §4, §6, §8; W3C XML Signature
Best Practices.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from lxml import etree

DS = "http://www.w3.org/2000/09/xmldsig#"
WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
XML = "http://www.w3.org/XML/1998/namespace"

ID_NAMES = ("Id", "ID", "id", f"{{{XML}}}id", f"{{{WSU}}}Id")
"""Attributes that some consumer takes for an identifier; all share one space of values here."""

MAX_BYTES = 512 << 20
MAX_DEPTH = 200
MAX_SIGNATURES = 50
MAX_REFERENCES = 50
MAX_TRANSFORMS = 6

_MORE = "http://www.w3.org/2001/04/xmldsig-more#"
_ENC = "http://www.w3.org/2001/04/xmlenc#"
_DSIG11 = "http://www.w3.org/2007/05/xmldsig-more#"
ENVELOPED = f"{DS}enveloped-signature"
BASE64 = f"{DS}base64"
XPATH = "http://www.w3.org/TR/1999/REC-xpath-19991116"
XPATH_FILTER2 = "http://www.w3.org/2002/06/xmldsig-filter2"

CANONICALIZATIONS = frozenset(
    {
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments",
        "http://www.w3.org/2006/12/xml-c14n11",
        "http://www.w3.org/2006/12/xml-c14n11#WithComments",
        "http://www.w3.org/2001/10/xml-exc-c14n#",
        "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
    }
)

_WHOLE_DOCUMENT = frozenset({"", "#xpointer(/)"})

DIGESTS: dict[str, str] = {
    f"{DS}sha1": "sha1",
    f"{_MORE}sha224": "sha224",
    f"{_ENC}sha256": "sha256",
    f"{_MORE}sha384": "sha384",
    f"{_ENC}sha512": "sha512",
}
"""Digest algorithms (RFC 9231 §2.1) and hashlib's names."""

SIGNATURES: dict[str, tuple[str, str]] = {
    f"{DS}dsa-sha1": ("dsa", "sha1"),
    f"{DS}rsa-sha1": ("rsa", "sha1"),
    f"{_MORE}rsa-sha224": ("rsa", "sha224"),
    f"{_MORE}rsa-sha256": ("rsa", "sha256"),
    f"{_MORE}rsa-sha384": ("rsa", "sha384"),
    f"{_MORE}rsa-sha512": ("rsa", "sha512"),
    f"{_DSIG11}sha1-rsa-MGF1": ("rsa", "sha1"),
    f"{_DSIG11}sha224-rsa-MGF1": ("rsa", "sha224"),
    f"{_DSIG11}sha256-rsa-MGF1": ("rsa", "sha256"),
    f"{_DSIG11}sha384-rsa-MGF1": ("rsa", "sha384"),
    f"{_DSIG11}sha512-rsa-MGF1": ("rsa", "sha512"),
    f"{_MORE}ecdsa-sha1": ("ec", "sha1"),
    f"{_MORE}ecdsa-sha224": ("ec", "sha224"),
    f"{_MORE}ecdsa-sha256": ("ec", "sha256"),
    f"{_MORE}ecdsa-sha384": ("ec", "sha384"),
    f"{_MORE}ecdsa-sha512": ("ec", "sha512"),
}
"""Signature algorithms with a public key (RFC 9231 §2.3): key family and digest. No MAC: its verifier could
have made it.
"""

WITHOUT_SIGNATURES = re.compile(r"not\(ancestor-or-self::(?P<prefix>[\w.-]+):Signature\)")
"""XPath filter that leaves every signature out; white space removed."""

ENVELOPED_AS_XPATH = re.compile(
    r"count\(ancestor-or-self::(?P<prefix>[\w.-]+):Signature\|here\(\)/ancestor::(?P=prefix):Signature\[1\]\)"
    r">count\(ancestor-or-self::(?P=prefix):Signature\)"
)
"""The enveloped-signature transform written as XPath (W3C XMLDSig 1.1 §6.6.4); white space removed."""

_XPOINTER_ID = re.compile(r"xpointer\(id\((?P<quote>['\"])(?P<id>[^'\"()]+)(?P=quote)\)\)")
"""The XPointers of XMLDSig 1.1 §4.4.3.3 beside the whole document's; as ``#id``, with comments kept."""

SUBTRACT_SIGNATURES = re.compile(r"/descendant::(?P<prefix>[\w.-]+):Signature")
"""XPath Filter 2.0 (RFC 3653) that subtracts every signature; white space removed."""

SUBTRACT_BY_NAME = re.compile(
    r"/descendant::\*\[name\(\)=(?P<quote>['\"])(?P<prefix>[\w.-]+):Signature(?P=quote)\]"
)
"""The same by the printed name, which says nothing of the namespace; white space removed."""


class RefusedError(ValueError):
    """The file or signature breaks a rule: TOTAL_FAILED / FORMAT_FAILURE."""


class NotSupportedError(ValueError):
    """A feature that is legal and that nobody here evaluates: UNSUPPORTED."""


class DataNotFoundError(ValueError):
    """A reference to something outside the file: INDETERMINATE / SIGNED_DATA_NOT_FOUND."""


@dataclass(frozen=True, slots=True)
class Reference:
    """One ds:Reference whose form was accepted.

    Attributes:
        element: the ds:Reference. target: the element that it covers; the root for ``URI=""``; ``None`` for
            another file of the container.
        id: of the target, ``""`` for the whole document. type: its ``Type``. digest: algorithm URI.
        whole: the target is the whole document. text_only: base64 decodes the target's text, so that no
            markup is signed.
    """

    element: etree._Element
    target: etree._Element | None
    id: str
    type: str
    digest: str
    whole: bool
    text_only: bool


@dataclass(frozen=True, slots=True)
class Prepared:
    """A ds:Signature whose form was accepted.

    Attributes:
        element: the ds:Signature. method: URI of the signature algorithm. canonicalization: URI.
        value: the signature value. references: in order.
    """

    element: etree._Element
    method: str
    canonicalization: str
    value: bytes
    references: tuple[Reference, ...]


def parse(data: bytes, *, huge: bool = True) -> etree._Element:
    """The root of a file without DTD, of bounded size and depth.

    Args:
        data: the file.
        huge: accept texts of more than 10 MB, which xmlsec does not in files that it opens itself.

    Raises:
        RefusedError: it has a DTD, is too large or too deep.
        etree.XMLSyntaxError: it is not well-formed.
    """
    if len(data) > MAX_BYTES:
        raise RefusedError(f"{len(data)} bytes of XML; at most {MAX_BYTES} are read")
    if declares_dtd(data):
        raise RefusedError("the file declares a DTD, which can change what is read and what is signed")
    parser = etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=huge,
    )
    root = etree.fromstring(data, parser)
    if root.getroottree().docinfo.internalDTD is not None:
        raise RefusedError("the file declares a DTD, which can change what is read and what is signed")
    if _TOO_DEEP(root):
        raise RefusedError(f"elements nested deeper than {MAX_DEPTH}")
    return root


def declares_dtd(data: bytes) -> bool:
    """True when a DOCTYPE stands in the prolog. Looked for in the bytes, so that no parser expands an entity
    first.
    """
    text = (
        data.lstrip(b"\xef\xbb\xbf\xff\xfe") if data[:2] in (b"\xef\xbb", b"\xff\xfe", b"\xfe\xff") else data
    )
    wide = b"\x00" in text[:8]
    position = 0
    if wide:
        text = text[: 1 << 20].replace(b"\x00", b"")
    while True:
        match = _PROLOG.match(text, position)
        if match is None:
            return text.startswith(b"<!", position)
        position = match.end()


_PROLOG = re.compile(rb"\s*(?:<\?.*?\?>|<!--.*?-->)\s*|\s+", re.DOTALL)


def identifiers(root: etree._Element) -> dict[str, etree._Element]:
    """Every identifier of the file.

    Raises:
        RefusedError: one value on two elements, under whichever of ``ID_NAMES``.
    """
    found: dict[str, etree._Element] = {}
    for value in _IDENTIFIERS(root):
        element = value.getparent()
        if found.setdefault(str(value), element) is not element:
            raise RefusedError(f"identifier {str(value)!r} is on more than one element")
    return found


# Searches run in C: a signed file has thousands of elements, and a walk over them in Python costs more than the
# signature.
_IDENTIFIERS = etree.XPath("//@Id | //@ID | //@id | //@xml:id | //@wsu:Id", namespaces={"wsu": WSU})
_OTHER_PROPERTIES = etree.XPath(
    "boolean(.//ds:SignatureProperties/*[not(self::ds:SignatureProperty)])", namespaces={"ds": DS}
)
_TOO_DEEP = etree.XPath(f"boolean({'/*' * (MAX_DEPTH + 1)})")


def prepare(
    signature: etree._Element,
    ids: dict[str, etree._Element],
    files: Collection[str] = (),
    manifests: bool = False,
) -> Prepared:
    """Check the form of one ds:Signature, everything that decides what it signs.

    Args:
        signature: the ds:Signature.
        ids: every identifier of its file.
        files: what else its container holds, as references name it; a reference to one is accepted.
        manifests: accept a ds:Manifest, whose digests the caller computes.

    Raises:
        RefusedError, NotSupportedError, DataNotFoundError: see there.
    """
    info: etree._Element = _only(signature, "SignedInfo")
    if list(signature.iterchildren(etree.Element))[:1] != [info]:
        raise RefusedError("SignedInfo is not the first child of Signature")
    canonicalization = _algorithm(_only(info, "CanonicalizationMethod"))
    if canonicalization not in CANONICALIZATIONS:
        raise NotSupportedError(f"canonicalization {canonicalization}")
    method_element = _only(info, "SignatureMethod")
    method = _algorithm(method_element)
    if "hmac" in method.lower() or method_element.find(f"{{{DS}}}HMACOutputLength") is not None:
        raise RefusedError(f"{method}: a MAC proves no signer")
    if method not in SIGNATURES:
        raise NotSupportedError(f"signature algorithm {method}")
    if not manifests and next(signature.iter(f"{{{DS}}}Manifest"), None) is not None:
        raise NotSupportedError("a ds:Manifest, whose references a signature's value does not vouch for")
    if signature.find(f".//{{{DS}}}SignatureProperties") is not None and _OTHER_PROPERTIES(signature):
        raise RefusedError("SignatureProperties with something else in them than properties")
    elements = list(info.iterchildren(f"{{{DS}}}Reference"))
    if not 1 <= len(elements) <= MAX_REFERENCES:
        raise RefusedError(f"{len(elements)} references; 1 to {MAX_REFERENCES} are read")
    references = tuple(_reference(element, signature, ids, files) for element in elements)
    return Prepared(signature, method, canonicalization, _value(signature), references)


def signatures_of(root: etree._Element) -> list[etree._Element]:
    """Every ds:Signature, in document order.

    Raises:
        RefusedError: there are more than ``MAX_SIGNATURES``.
    """
    found = list(root.iter(f"{{{DS}}}Signature"))
    if len(found) > MAX_SIGNATURES:
        raise RefusedError(f"{len(found)} signatures; at most {MAX_SIGNATURES} are read")
    return found


def lookalikes(root: etree._Element) -> Iterator[etree._Element]:
    """Elements that are built like a signature and are named otherwise, or are in no or another namespace:
    somebody meant a signature.
    """
    for element in root.iter(f"{{{DS}}}SignedInfo"):
        parent = element.getparent()
        if parent is None or parent.tag != f"{{{DS}}}Signature":
            yield element if parent is None else parent
    for element in root.iter("{*}Signature"):
        if etree.QName(element).namespace == DS:
            continue
        children = {etree.QName(child).localname for child in element.iterchildren(etree.Element)}
        if children & {"SignedInfo", "SignatureValue"}:
            yield element


def _reference(
    element: etree._Element,
    signature: etree._Element,
    ids: dict[str, etree._Element],
    files: Collection[str],
) -> Reference:
    uri = element.get("URI")
    if uri is None:
        raise NotSupportedError("a reference without URI: what it means is agreed elsewhere")
    digest = _algorithm(_only(element, "DigestMethod"))
    if digest not in DIGESTS:
        raise NotSupportedError(f"digest algorithm {digest}")
    leaves_out, text_only = _transforms(element)
    if uri in files:
        if leaves_out or text_only:
            raise RefusedError("a reference to another file that leaves out a part of it")
        return Reference(element, None, "", element.get("Type", ""), digest, False, False)
    target, identifier = _target(uri, signature, ids)
    inside = target is signature or any(parent is target for parent in signature.iterancestors())
    if inside and not leaves_out:
        raise RefusedError("a reference covers its own signature without leaving it out")
    if text_only and len(target):
        raise RefusedError("base64 over an element with markup, of which nothing would be signed")
    return Reference(
        element, target, identifier, element.get("Type", ""), digest, uri in _WHOLE_DOCUMENT, text_only
    )


def _target(
    uri: str, signature: etree._Element, ids: dict[str, etree._Element]
) -> tuple[etree._Element, str]:
    if uri == "":
        return signature.getroottree().getroot(), ""
    if not uri.startswith("#"):
        raise DataNotFoundError(f"reference to {uri[:200]!r}, which is not in the file; nothing is fetched")
    identifier = uri[1:]
    if identifier == "xpointer(/)":
        return signature.getroottree().getroot(), ""
    if match := _XPOINTER_ID.fullmatch(identifier):
        identifier = match["id"]
    elif "(" in identifier:
        raise NotSupportedError(f"reference by XPointer: {uri[:200]!r}")
    if identifier not in ids:
        raise DataNotFoundError(f"reference to {uri[:200]!r}, and no element has that identifier")
    return ids[identifier], identifier


def _transforms(reference: etree._Element) -> tuple[bool, bool]:
    lists = reference.findall(f"{{{DS}}}Transforms")
    if len(lists) > 1:
        raise RefusedError("more than one Transforms in a reference")
    transforms = lists[0].findall(f"{{{DS}}}Transform") if lists else []
    if len(transforms) > MAX_TRANSFORMS:
        raise RefusedError(f"{len(transforms)} transforms; at most {MAX_TRANSFORMS} are read")
    leaves_out = text_only = False
    for transform in transforms:
        algorithm = _algorithm(transform)
        if algorithm == ENVELOPED:
            leaves_out = True
        elif algorithm == XPATH:
            leaves_out = _literal(transform, f"{{{DS}}}XPath", WITHOUT_SIGNATURES, ENVELOPED_AS_XPATH)
        elif algorithm == XPATH_FILTER2:
            leaves_out = _literal(
                transform, f"{{{XPATH_FILTER2}}}XPath", SUBTRACT_SIGNATURES, SUBTRACT_BY_NAME
            )
        elif algorithm == BASE64:
            text_only = True
        elif algorithm not in CANONICALIZATIONS:
            raise RefusedError(f"transform {algorithm}, which can choose or rewrite what is signed")
    return leaves_out, text_only


def _literal(transform: etree._Element, name: str, *patterns: re.Pattern[str]) -> bool:
    children = list(transform.iterchildren(etree.Element))
    text = "".join((children[0].text or "").split()) if len(children) == 1 and children[0].tag == name else ""
    match = next((found for found in (pattern.fullmatch(text) for pattern in patterns) if found), None)
    if match is None or children[0].nsmap.get(match["prefix"]) != DS or len(children[0]):
        raise RefusedError("an XPath transform other than the one that leaves signatures out")
    if name != f"{{{DS}}}XPath" and children[0].get("Filter") != "subtract":
        raise RefusedError("an XPath filter that does not subtract")
    if match.re is SUBTRACT_BY_NAME and _named_alike(transform, match["prefix"]):
        raise RefusedError("an XPath filter by a name that other elements than signatures have too")
    return True


def _named_alike(transform: etree._Element, prefix: str) -> bool:
    root = transform.getroottree().getroot()
    found = (item for item in root.iter("{*}Signature") if item.prefix == prefix)
    return any(etree.QName(item).namespace != DS for item in found)


def _value(signature: etree._Element) -> bytes:
    text = "".join(_only(signature, "SignatureValue").itertext())
    try:
        value = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise RefusedError("SignatureValue is not base64") from error
    if not value:
        raise RefusedError("SignatureValue is empty")
    return value


def _only(parent: etree._Element, name: str) -> etree._Element:
    found: list[etree._Element] = parent.findall(f"{{{DS}}}{name}")
    if len(found) != 1:
        raise RefusedError(f"{len(found)} {name} elements instead of one")
    return found[0]


def _algorithm(element: etree._Element) -> str:
    algorithm = element.get("Algorithm")
    if not algorithm:
        raise RefusedError(f"{etree.QName(element).localname} without Algorithm")
    return str(algorithm)
