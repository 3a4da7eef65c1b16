"""Signatures of OpenDocument files (odt, ods, odp): ``META-INF/documentsignatures.xml`` over files of the ZIP.

OpenDocument 1.3 Part 2 §5 (packages, digital signatures); XAdES as LibreOffice writes it. A pass needs every file of
the package signed, as OpenDocument 1.2 and later ask; what earlier office suites signed is a part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from urllib.parse import unquote

from lxml import etree

from signatures.cms import JudgeFor
from signatures.signer import failed
from signatures.verdict import Coverage, Indication, Verdict
from signatures.xml import judge_signature, path_of
from signatures.xml_guard import (
    CANONICALIZATIONS,
    DS,
    Prepared,
    RefusedError,
    identifiers,
    parse,
    signatures_of,
)
from signatures.xml_surroundings import Covered, Surroundings
from signatures.zip_container import ZipContainer

DOCUMENT_SIGNATURES = "META-INF/documentsignatures.xml"
_MACRO_SIGNATURES = "META-INF/macrosignatures.xml"
_PACKAGE_SIGNATURES = "META-INF/packagesignatures.xml"
_SIGNATURE_FILES = frozenset({DOCUMENT_SIGNATURES, _MACRO_SIGNATURES, _PACKAGE_SIGNATURES})
_ROOTS = frozenset(
    f"{{{namespace}}}document-signatures"
    for namespace in (
        "urn:oasis:names:tc:opendocument:xmlns:digitalsignature:1.0",
        "http://openoffice.org/2004/documentsignatures",
    )
)
_DC = "http://purl.org/dc/elements/1.1/"
_MOST_NAMED = 10


def verify_odf(container: ZipContainer, judge_for: JudgeFor | None, blank: Verdict) -> list[Verdict]:
    """The verdicts of an OpenDocument file; ``judge_for`` is ``None`` to judge integrity alone.

    Signatures of its macros alone are no signatures of the document and are reported as not evaluated.
    """
    verdicts: list[Verdict] = []
    names = {name for name in container.names if "signatures" in name.lower() and "META-INF/" in name}
    for name in sorted(names):
        start = replace(blank, path=name)
        if name == DOCUMENT_SIGNATURES:
            verdicts += _verdicts(container, judge_for, start)
        elif name in _SIGNATURE_FILES:
            message = "signatures of the macros or of the package, not of the document: not evaluated"
            verdicts.append(replace(start, indication=Indication.UNSUPPORTED, messages=(message,)))
        else:
            message = "a file of signatures in a place where OpenDocument has none"
            verdicts.append(failed(start, "FORMAT_FAILURE", message))
    return verdicts or [replace(blank, indication=Indication.NO_SIGNATURE)]


def _verdicts(container: ZipContainer, judge_for: JudgeFor | None, start: Verdict) -> list[Verdict]:
    try:
        root = parse(container.read(DOCUMENT_SIGNATURES))
        if root.tag not in _ROOTS:
            raise RefusedError(f"the root of {DOCUMENT_SIGNATURES} is {root.tag}")
        if any(child.tag != f"{{{DS}}}Signature" for child in root.iterchildren(etree.Element)):
            raise RefusedError(f"{DOCUMENT_SIGNATURES} holds something else than signatures")
        ids = identifiers(root)
        found = signatures_of(root)
    except (RefusedError, etree.XMLSyntaxError) as error:
        return [failed(start, "FORMAT_FAILURE", str(error))]
    if not found:
        return [failed(start, "FORMAT_FAILURE", "a file of signatures without a signature")]
    return [
        _judged(container, item, ids, judge_for, replace(start, path=f"{start.path}{path_of(item)}"))
        for item in found
    ]


def _judged(
    container: ZipContainer,
    signature: etree._Element,
    ids: dict[str, etree._Element],
    judge_for: JudgeFor | None,
    start: Verdict,
) -> Verdict:
    try:
        if len(signature.findall(f"{{{DS}}}KeyInfo/{{{DS}}}X509Data")) > 1:
            raise RefusedError("more than one X509Data: readers may take different signers from it")
        files = _files(container, signature)
    except RefusedError as error:
        return failed(start, "FORMAT_FAILURE", str(error))
    return judge_signature(
        signature, ids, judge_for, start, Surroundings(partial(_covered, container), files)
    )


def _files(container: ZipContainer, signature: etree._Element) -> Mapping[str, bytes]:
    """Content of the files that the signature refers to, by the URI as printed; a missing one is left out."""
    names = set(container.names)
    files: dict[str, bytes] = {}
    for reference in signature.iterfind(f"{{{DS}}}SignedInfo/{{{DS}}}Reference"):
        uri = reference.get("URI", "")
        name = _name(uri)
        if not uri or uri.startswith("#") or name not in names:
            continue
        files[uri] = container.read(name)
        if reference.find(f".//{{{DS}}}Transform") is not None:
            _refuse_unreadable(name, files[uri])
    return files


def _refuse_unreadable(name: str, data: bytes) -> None:
    """A file to be canonicalized must be XML with a canonical form, which one with a relative namespace name has not:
    on any other xmlsec ends the process instead of raising.
    """
    try:
        etree.tostring(parse(data, huge=False), method="c14n")
    except (RefusedError, etree.LxmlError) as error:
        raise RefusedError(f"{name} cannot be canonicalized: {error}") from error


def _name(uri: str) -> str:
    return unquote(uri).removeprefix("./")


def _covered(container: ZipContainer, prepared: Prepared) -> Covered:
    signed = {_name(item.element.get("URI", "")) for item in prepared.references if item.target is None}
    for item in prepared.references:
        transforms = [transform.get("Algorithm", "") for transform in item.element.iter(f"{{{DS}}}Transform")]
        if any(name not in CANONICALIZATIONS for name in transforms):
            raise RefusedError(f"transforms {transforms}, which can choose or rewrite what is signed")
    for date in prepared.element.iter(f"{{{_DC}}}date"):
        if not any(item.target is not None and _holds(item.target, date) for item in prepared.references):
            raise RefusedError("a signing time that the signature does not sign")
    left = [name for name in container.names if name not in signed and name not in _SIGNATURE_FILES]
    if not left:
        return Covered(Coverage.WHOLE_FILE)
    named = ", ".join(left[:_MOST_NAMED])
    more = f" and {len(left) - _MOST_NAMED} more" if len(left) > _MOST_NAMED else ""
    return Covered(Coverage.PARTIAL, messages=(f"not signed: {named}{more}",))


def _holds(target: etree._Element, element: etree._Element) -> bool:
    return target is element or any(parent is target for parent in element.iterancestors())
