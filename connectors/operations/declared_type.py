"""Whether a declared media type or a name's ending can be true of bytes of another sniffed type."""

from __future__ import annotations

from functools import lru_cache

from schemas.media_type import EDXML, HTML, OLE, TEXT, UNKNOWN, XML, ZIP

_WORD = "application/msword"
_EXCEL = "application/vnd.ms-excel"
_POWERPOINT = "application/vnd.ms-powerpoint"
_OUTLOOK = "application/vnd.ms-outlook"
_OOXML = "application/vnd.openxmlformats-officedocument."

_ALIASES: dict[str, str] = {
    "application/x-pdf": "application/pdf",
    "application/x-zip-compressed": ZIP,
    "application/x-zip": ZIP,
    "application/x-rar-compressed": "application/vnd.rar",
    "application/x-rar": "application/vnd.rar",
    "text/xml": XML,
    "text/rtf": "application/rtf",
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "application/x-msword": _WORD,
    "application/x-pkcs7-signature": "application/pkcs7-signature",
    "application/x-pkcs7-mime": "application/pkcs7-mime",
}
_ENDINGS: dict[str, str] = {
    "pdf": "application/pdf",
    "zip": ZIP,
    "rar": "application/vnd.rar",
    "7z": "application/x-7z-compressed",
    "doc": _WORD,
    "xls": _EXCEL,
    "ppt": _POWERPOINT,
    "docx": _OOXML + "wordprocessingml.document",
    "xlsx": _OOXML + "spreadsheetml.sheet",
    "pptx": _OOXML + "presentationml.presentation",
    "rtf": "application/rtf",
    "edxml": EDXML,
    "xml": XML,
    "htm": HTML,
    "html": HTML,
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "tif": "image/tiff",
    "tiff": "image/tiff",
}
_MAY_BE: dict[str, frozenset[str]] = {
    # The first bytes of an OLE file need not tell its application, nor a ZIP's first entry its document.
    OLE: frozenset({_WORD, _EXCEL, _POWERPOINT, _OUTLOOK}),
    ZIP: frozenset(media for media in _ENDINGS.values() if media.startswith(_OOXML)),
    EDXML: frozenset({XML, TEXT}),
    XML: frozenset({TEXT}),
    # Word itself writes RTF and HTML under the name .doc.
    "application/rtf": frozenset({_WORD}),
    HTML: frozenset({_WORD, _EXCEL}),
}


@lru_cache(maxsize=1024)
def contradicts(declared: str, found: str) -> bool:
    """True when a file sniffed as ``found`` cannot be of the type ``declared``; ``""`` says nothing."""
    said = declared.partition(";")[0].strip().lower()
    said = _ENDINGS.get(said.lstrip("."), said)
    said = _ALIASES.get(said, said)
    if said in {"", UNKNOWN, found} or "/" not in said:
        return False
    return said not in _MAY_BE.get(found, frozenset())


def ending_contradicts(name: str, found: str) -> bool:
    """True when ``name`` ends like another type of file; an unknown ending says nothing."""
    ending = _ENDINGS.get(name.rpartition(".")[2].strip().lower())
    return ending is not None and contradicts(ending, found)
