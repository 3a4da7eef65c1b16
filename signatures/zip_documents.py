"""Documents in a ZIP: told apart by what the ZIP holds, and given to the engine of their kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import BinaryIO

from signatures.cms import JudgeFor
from signatures.odf import DOCUMENT_SIGNATURES, verify_odf
from signatures.ooxml import verify_ooxml
from signatures.opc_package import CONTENT_TYPES
from signatures.signer import failed
from signatures.verdict import Indication, Verdict
from signatures.xml_guard import RefusedError
from signatures.zip_container import ZipContainer, open_container

_TRACES = (b"_xmlsignatures/", DOCUMENT_SIGNATURES.encode())
_PIECE = 1 << 20
_ODF_TYPES = ("application/vnd.oasis.opendocument.", "application/vnd.sun.xml.")

_VERIFIERS: Mapping[str, Callable[[ZipContainer, JudgeFor | None, Verdict], list[Verdict]]] = (
    MappingProxyType({"OOXML": verify_ooxml, "ODF": verify_odf})
)


def verify_zip(stream: BinaryIO, judge_for: JudgeFor | None, blank: Verdict) -> list[Verdict]:
    """The verdicts of an OOXML or OpenDocument file; any other ZIP is UNSUPPORTED.

    A ZIP that cannot be read in one way only is FORMAT_FAILURE where it shows a trace of signatures.
    """
    try:
        container = open_container(stream)
        kind = _kind(container)
    except RefusedError as error:
        if _has_trace(stream):
            return [failed(blank, "FORMAT_FAILURE", str(error))]
        return [replace(blank, indication=Indication.UNSUPPORTED, messages=(str(error),))]
    if not kind:
        message = "ZIP: signatures in this format are not judged"
        return [replace(blank, indication=Indication.UNSUPPORTED, messages=(message,))]
    return _VERIFIERS[kind](container, judge_for, replace(blank, format=kind))


def _kind(container: ZipContainer) -> str:
    if CONTENT_TYPES in container.names:
        return "OOXML"
    if "mimetype" in container.names:
        declared = container.read("mimetype").decode("utf-8", "replace").strip()
        return "ODF" if declared.startswith(_ODF_TYPES) else ""
    return "ODF" if DOCUMENT_SIGNATURES in container.names else ""


def _has_trace(stream: BinaryIO) -> bool:
    """Whether names of signature files stand anywhere in the bytes; a ZIP's names are never packed."""
    stream.seek(0)
    before = b""
    while piece := stream.read(_PIECE):
        if any(trace in before + piece for trace in _TRACES):
            return True
        before = piece[-64:]
    return False
