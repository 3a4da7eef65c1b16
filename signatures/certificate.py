"""The signing certificate as it names itself, and for whom it speaks."""

from __future__ import annotations

import re
from functools import lru_cache

from asn1crypto import x509
from cryptography import x509 as pyca_x509

from signatures.verdict import SignerCertificate, SignerRole

PERSONAL_SERIAL = re.compile(r"\s*(?:CMND|CCCD|CMT|HC|HCN|PASSPORT|PNO|IDC|PAS)\b\s*[:-]", re.IGNORECASE)
"""Prefixes of a person's number: CMND/CCCD (Circular 31/2020/TT-BTTTT), PNO/IDC/PAS (ETSI EN 319 412-1
§5.1.3).
"""

PERSONAL_ATTRIBUTES = ("given_name", "surname", "pseudonym")
_SERIAL_ATTRIBUTES = ("serial_number", "user_id")


@lru_cache(maxsize=4096)
def interned(der: bytes) -> x509.Certificate:
    """The certificate of these bytes, parsed once a process: an office has few signers and many documents."""
    return x509.Certificate.load(der)


def describe_certificate(certificate: x509.Certificate) -> SignerCertificate:
    """What the certificate says of itself.

    Raises:
        ValueError: a field of it cannot be decoded.
    """
    return _described(certificate.dump())


@lru_cache(maxsize=4096)
def _described(der: bytes) -> SignerCertificate:
    certificate = interned(der)
    names = _names(certificate.subject)
    return SignerCertificate(
        subject=rfc4514(certificate.subject),
        common_name=_first(names, "common_name"),
        organization=_first(names, "organization_name"),
        issuer=rfc4514(certificate.issuer),
        serial=f"{certificate.serial_number:x}",
        sha256=certificate.sha256.hex(),
        not_before=certificate.not_valid_before,
        not_after=certificate.not_valid_after,
        emails=_emails(certificate, names),
    )


def role_of(certificate: x509.Certificate) -> SignerRole:
    """Person or organ seal, from the subject's attributes.

    No profile in use marks seals, so this is a heuristic, and it says UNKNOWN rather than guess: a personal
    number (``CMND:``, ``CCCD:`` in serialNumber or UID) or a given or family name make a PERSON; a CN equal
    to an O or OU (or an O or OU with no CN) an ORGAN, as does an O or OU under a tax or organ code (``MST:``,
    ``MNS:``); a CN that differs from an existing O a PERSON.
    """
    return _role(certificate.subject.dump())


@lru_cache(maxsize=4096)
def _role(subject: bytes) -> SignerRole:
    names = _names(x509.Name.load(subject))
    serials = [value for key in _SERIAL_ATTRIBUTES for value in names.get(key, [])]
    if any(key in names for key in PERSONAL_ATTRIBUTES) or any(
        PERSONAL_SERIAL.match(value) for value in serials
    ):
        return SignerRole.PERSON
    organs = {
        _folded(value)
        for key in ("organization_name", "organizational_unit_name")
        for value in names.get(key, [])
    }
    common = {_folded(value) for value in names.get("common_name", [])}
    if organs and (not common or common & organs):
        return SignerRole.ORGAN
    if organs and any(re.match(r"\s*(?:MST|MNS)\s*[:-]", value, re.IGNORECASE) for value in serials):
        return SignerRole.ORGAN
    if common and names.get("organization_name"):
        return SignerRole.PERSON
    return SignerRole.UNKNOWN


def _emails(certificate: x509.Certificate, names: dict[str, list[str]]) -> tuple[str, ...]:
    alternative = certificate.subject_alt_name_value
    found = [str(name.native) for name in alternative or () if name.name == "rfc822_name"]
    return tuple(found or names.get("email_address", []))


def rfc4514(name: x509.Name) -> str:
    """The RFC 4514 string of a name; asn1crypto's reading where RFC 4514 has no form for it."""
    try:
        return pyca_x509.Name.from_bytes(name.dump()).rfc4514_string()
    except (ValueError, TypeError, AttributeError):
        return str(name.human_friendly)


def _names(name: x509.Name) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for rdn in name.chosen:
        for attribute in rdn:
            found.setdefault(str(attribute["type"].native), []).append(str(attribute["value"].native))
    return found


def _first(names: dict[str, list[str]], key: str) -> str:
    return names.get(key, [""])[0]


def _folded(value: str) -> str:
    return " ".join(value.split()).casefold()
