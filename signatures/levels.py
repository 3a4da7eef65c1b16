"""Which baseline level a signature shows, and up to which level it is judged here.

ETSI EN 319 122-1, EN 319 132-1 and EN 319 142-1, clause 6. A signature without a signed reference to its
certificate is of no level. What proves more than a signature time-stamp is judged in PDF alone; elsewhere it is seen
and left aside.
"""

from __future__ import annotations

from collections.abc import Collection

from asn1crypto import cms, core
from lxml import etree

B, T, LT, LTA = "B-B", "B-T", "B-LT", "B-LTA"

_REFERENCES = frozenset({"signing_certificate", "signing_certificate_v2"})
_TIME_STAMP = "1.2.840.113549.1.9.16.2.14"
_VALUES = frozenset({"1.2.840.113549.1.9.16.2.23", "1.2.840.113549.1.9.16.2.24"})
_ARCHIVE = frozenset({"1.2.840.113549.1.9.16.2.27", "1.2.840.113549.1.9.16.2.48", "0.4.0.1733.2.4"})
"""Attributes by OID: signature time-stamp, certificate and revocation values, archive time-stamps (EN 319 122-1)."""


def level_of_cms(signer: cms.SignerInfo, signed: Collection[str]) -> str:
    """The level of a SignerInfo with these ``signed`` attributes, ``""`` for one without a level."""
    if not _REFERENCES & set(signed):
        return ""
    unsigned = signer["unsigned_attrs"]
    if isinstance(unsigned, core.Void) or unsigned is None:
        return B
    found = {str(attribute["type"].dotted) for attribute in unsigned}
    if _TIME_STAMP not in found:
        return B
    return LTA if found & _ARCHIVE else LT if found & _VALUES else T


def level_of_pdf(own: str, *, store: bool, stamped_later: bool) -> str:
    """The level of a PDF signature whose SignerInfo is of level ``own``.

    Args:
        own: of ``level_of_cms``.
        store: the document has a security store. stamped_later: a document time-stamp covers the signature.
    """
    if not own or (own == B and not stamped_later):
        return own
    return T if not store else LTA if stamped_later else LT


def level_of_xades(qualifying: etree._Element, *, named: bool, stamped: bool) -> str:
    """The level of a XAdES signature by what its QualifyingProperties hold."""
    if not named:
        return ""
    if not stamped:
        return B
    names = {etree.QName(item).localname for item in qualifying.iterdescendants(etree.Element)}
    return (
        LTA if "ArchiveTimeStamp" in names else LT if names & {"CertificateValues", "RevocationValues"} else T
    )


def judged_up_to(level: str) -> str:
    """How far a signature of ``level`` is judged outside PDF."""
    return T if level in (LT, LTA) else level
