"""A word processor's file of the TCVN3 years: RTF whose fonts tell how its bytes are to be read."""

from __future__ import annotations

from demo.papers import Paper
from demo.tcvn3 import legible, written

_FONTS = r"{\fonttbl{\f0\fnil\fcharset0 .VnTime;}{\f1\fnil\fcharset0 .VnTimeH;}}"


def rtf_of(paper: Paper) -> bytes:
    """The text of ``paper`` as RTF 1.5 in ``.VnTime``."""
    paragraphs = [
        rf"\pard\qc\f1\b\fs28 {_escaped(legible(paper.type_name).lower())}\b0\f0\par",
        rf"\pard\qc\b {_escaped(paper.subject)}\b0\par",
        *(rf"\pard\qj\fi567 {_escaped(text)}\par" for text in paper.body),
        rf"\pard\qr\b {_escaped(paper.official.full_name)}\b0\par",
    ]
    return ("{\\rtf1\\ansi\\ansicpg1252" + _FONTS + "\n" + "\n".join(paragraphs) + "\n}\n").encode("ascii")


def _escaped(text: str) -> str:
    coded = written(text).encode("cp1252")
    return "".join(f"\\'{byte:02x}" if byte > 0x7E or byte in b"\\{}" else chr(byte) for byte in coded)
