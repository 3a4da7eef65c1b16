"""Signatures of OOXML documents (docx, xlsx, pptx): XML signatures over the parts of a package.

ECMA-376 Part 2 §10; XAdES-B and -T inside, as Office writes them ([MS-OFFCRYPTO] §2.5). A pass needs every
part and every relationship signed but those that Office leaves out by design (``opc_coverage``).
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from lxml import etree

from signatures.cms import JudgeFor
from signatures.opc_coverage import signature_parts
from signatures.opc_manifest import check_manifest
from signatures.opc_package import Package, read_package
from signatures.signer import failed
from signatures.verdict import Coverage, Indication, Verdict
from signatures.xml import judge_signature, path_of
from signatures.xml_guard import DS, Prepared, RefusedError, identifiers, parse
from signatures.xml_surroundings import Covered, Surroundings
from signatures.zip_container import ZipContainer

_MACRO_SIGNATURES = ("vbaprojectsignature.bin", "vbaprojectsignatureagile.bin", "vbaprojectsignaturev3.bin")
_MOST_NAMED = 10


def verify_ooxml(container: ZipContainer, judge_for: JudgeFor | None, blank: Verdict) -> list[Verdict]:
    """The verdicts of an OOXML document; ``judge_for`` is ``None`` to judge integrity alone."""
    try:
        package = read_package(container)
        referred, stray = signature_parts(package)
    except RefusedError as error:
        if any("_xmlsignatures" in name.lower() for name in container.names):
            return [failed(blank, "FORMAT_FAILURE", str(error))]
        return [replace(blank, indication=Indication.UNSUPPORTED, messages=(str(error),))]
    verdicts = [_judged(package, part, judge_for, replace(blank, path=part)) for part in referred]
    verdicts += [failed(replace(blank, path=part), "FORMAT_FAILURE", _STRAY) for part in stray]
    verdicts += [
        replace(blank, path=part, indication=Indication.UNSUPPORTED, messages=(_MACROS,))
        for part in package.parts
        if part.lower().endswith(_MACRO_SIGNATURES)
    ]
    return verdicts or [replace(blank, indication=Indication.NO_SIGNATURE)]


_STRAY = "a signature that the package does not refer to"
_MACROS = "a signature of the macros, not of the document: not evaluated"


def _judged(package: Package, part: str, judge_for: JudgeFor | None, start: Verdict) -> Verdict:
    try:
        root = parse(package.read(part))
        if root.tag != f"{{{DS}}}Signature":
            raise RefusedError(f"the root of the signature part is {root.tag}, not a signature")
        ids = identifiers(root)
    except (RefusedError, etree.XMLSyntaxError) as error:
        return failed(start, "FORMAT_FAILURE", str(error))
    around = Surroundings(partial(_covered, package), manifests=True)
    return judge_signature(
        root, ids, judge_for, replace(start, path=f"{part}{path_of(root) if root.get('Id') else ''}"), around
    )


def _covered(package: Package, prepared: Prepared) -> Covered:
    signed = check_manifest(package, prepared)
    if not signed.unsigned:
        return Covered(Coverage.WHOLE_FILE, signed.broken, (), signed.claimed_time)
    named = ", ".join(signed.unsigned[:_MOST_NAMED])
    more = f" and {len(signed.unsigned) - _MOST_NAMED} more" if len(signed.unsigned) > _MOST_NAMED else ""
    message = f"not signed: {named}{more}"
    return Covered(Coverage.PARTIAL, signed.broken, (message,), signed.claimed_time)
