"""XML signatures over a file of its own beside them (XMLDSig 1.1 §2, detached): what of it they sign.

Nothing is fetched: a reference to somewhere else means the one file that the caller gives, or nothing.
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import unquote

from lxml import etree

from schemas.record import Content
from signatures.verdict import Coverage, Indication, Verdict
from signatures.xml_guard import CANONICALIZATIONS, DS, MAX_BYTES, Prepared, RefusedError, parse
from signatures.xml_surroundings import Covered, Surroundings


def surroundings_of(signature: etree._Element, detached: Content | None) -> Surroundings | None:
    """The given file under the name that the signature has for it; ``None`` when it names no file, or several.

    Raises:
        RefusedError: the file is too large, or is to be canonicalized and is no XML without DTD.
    """
    references = signature.findall(f"{{{DS}}}SignedInfo/{{{DS}}}Reference")
    outside = {uri for item in references if (uri := item.get("URI", "")) and not uri.startswith("#")}
    if detached is None or len(outside) != 1:
        return None
    if detached.size > MAX_BYTES:
        raise RefusedError(f"{detached.size} bytes beside the signature; at most {MAX_BYTES} are read")
    (uri,) = outside
    with detached.open() as stream:
        data = stream.read()
    if any(item.get("URI") == uri and item.find(f".//{{{DS}}}Transform") is not None for item in references):
        _refuse_unreadable(data)
    return Surroundings(_covered, {uri: data, unquote(uri): data})


def of_the_file_beside(verdict: Verdict) -> Verdict:
    """The verdict when a file was given and the signature speaks of none."""
    if verdict.indication is not Indication.TOTAL_PASSED:
        return verdict
    message = "the signature does not speak of the file beside it"
    return replace(
        verdict,
        indication=Indication.INDETERMINATE,
        sub_indication="SIG_CONSTRAINTS_FAILURE",
        messages=(message, *verdict.messages),
    )


def _refuse_unreadable(data: bytes) -> None:
    """A file to be canonicalized must be XML: on any other xmlsec ends the process instead of raising."""
    try:
        parse(data, huge=False)
    except (RefusedError, etree.XMLSyntaxError) as error:
        raise RefusedError(f"the file beside the signature cannot be canonicalized: {error}") from error


def _covered(prepared: Prepared) -> Covered:
    for item in prepared.references:
        transforms = [transform.get("Algorithm", "") for transform in item.element.iter(f"{{{DS}}}Transform")]
        if item.target is None and any(name not in CANONICALIZATIONS for name in transforms):
            raise RefusedError(f"transforms {transforms}, which can choose or rewrite what is signed")
    return Covered(Coverage.WHOLE_FILE)
