"""What a trust folder trusts, until when, and which revocation lists it has, lacks or has let go stale."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from asn1crypto import x509

from signatures.certificate import rfc4514
from signatures.revocation import RevocationList
from signatures.trust import TrustStore, load_trust
from signatures.trust_intake import REJECTED

SOON = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class TrustedCertificate:
    """A certificate of the folder.

    Attributes:
        part: ``root``, ``tsa_root`` or ``intermediate``.
        subject, issuer: RFC 4514 strings. sha256: fingerprint of the DER.
        not_before, not_after: validity, aware.
        state: ``valid``, ``expires_soon`` (within 90 days), ``expired`` or ``not_yet_valid``.
    """

    part: str
    subject: str
    issuer: str
    sha256: str
    not_before: datetime
    not_after: datetime
    state: str


@dataclass(frozen=True, slots=True)
class IssuerList:
    """The newest revocation list of an authority of the folder.

    Attributes:
        issuer: the authority, RFC 4514 string.
        state: ``current``, ``stale`` (its next update is past) or ``missing`` (there is none).
        number, this_update, next_update, entries: of the list; empty without one.
    """

    issuer: str
    state: str
    number: str = ""
    this_update: datetime | None = None
    next_update: datetime | None = None
    entries: int | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A dropped file that was not accepted. Attributes as in its note."""

    file: str
    reason: str
    rejected_at: str


@dataclass(frozen=True, slots=True)
class TrustReport:
    """Everything that an operator should know of a trust folder at a moment."""

    epoch: str
    certificates: tuple[TrustedCertificate, ...]
    lists: tuple[IssuerList, ...]
    rejected: tuple[Rejected, ...]

    @property
    def in_order(self) -> bool:
        """There is a root, no certificate is out of its validity, and every authority has a current list."""
        return (
            any(item.part == "root" for item in self.certificates)
            and all(item.state in ("valid", "expires_soon") for item in self.certificates)
            and all(item.state == "current" for item in self.lists)
        )


def report(folder: Path, now: datetime) -> TrustReport:
    """What the trust folder ``folder`` comes to at ``now``.

    Raises:
        ConfigurationError: a file in it is broken; ``where`` names it.
    """
    trust = load_trust(folder)
    return TrustReport(
        epoch=trust.epoch,
        certificates=tuple(_certificates(trust, now)),
        lists=tuple(_lists(trust, now)),
        rejected=tuple(_rejected(folder)),
    )


def describe(der: bytes, part: str, now: datetime) -> TrustedCertificate:
    """A certificate in DER as the report shows it."""
    certificate = x509.Certificate.load(der)
    return TrustedCertificate(
        part=part,
        subject=rfc4514(certificate.subject),
        issuer=rfc4514(certificate.issuer),
        sha256=certificate.sha256.hex(),
        not_before=certificate.not_valid_before,
        not_after=certificate.not_valid_after,
        state=_state(certificate, now),
    )


def _certificates(trust: TrustStore, now: datetime) -> Iterator[TrustedCertificate]:
    parts = (("root", trust.roots), ("tsa_root", trust.tsa_roots), ("intermediate", trust.intermediates))
    for part, ders in parts:
        yield from sorted((describe(der, part, now) for der in ders), key=lambda item: item.subject)


def _state(certificate: x509.Certificate, now: datetime) -> str:
    if now > certificate.not_valid_after:
        return "expired"
    if now < certificate.not_valid_before:
        return "not_yet_valid"
    return "expires_soon" if certificate.not_valid_after - now < SOON else "valid"


def _lists(trust: TrustStore, now: datetime) -> Iterator[IssuerList]:
    newest: dict[str, RevocationList] = {}
    for item in trust.lists({now}):
        name = rfc4514(item.issuer)
        if item.issued <= now and (name not in newest or item.issued > newest[name].issued):
            newest[name] = item
    authorities = {rfc4514(item.subject) for item in trust.known_certificates if item.ca}
    for name in sorted(authorities):
        yield _list(name, newest.get(name), now)


def _list(name: str, item: RevocationList | None, now: datetime) -> IssuerList:
    if item is None:
        return IssuerList(name, "missing")
    body = item.container.crl_data["tbs_cert_list"]
    following = body["next_update"].native
    number = item.container.crl_data.crl_number_value
    return IssuerList(
        issuer=name,
        state="stale" if following is not None and following < now else "current",
        number=str(number.native) if number is not None else "",
        this_update=item.issued,
        next_update=following,
        entries=len(item.serials),
    )


def _rejected(folder: Path) -> Iterator[Rejected]:
    place = folder / REJECTED
    for note in sorted(place.glob("*.json")) if place.is_dir() else ():
        yield Rejected(**json.loads(note.read_bytes()))
