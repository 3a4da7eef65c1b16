"""The file that ``verify`` judges."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.record import Content

DETACHED_SUFFIXES = (".p7s", ".sig", ".xades", ".xsig", ".tst", ".tsr")
"""Ends of the names of files that sign or stamp the file of the same name without them."""


@dataclass(frozen=True, slots=True)
class SignedFile:
    """A file that may carry signatures.

    Attributes:
        name: as the source prints it; for messages only, it never decides how the file is read.
        content: the bytes of the file.
        detached: what a detached signature (``.p7s``) signs, where it is a file of its own; else ``None``.
    """

    name: str
    content: Content
    detached: Content | None = None
