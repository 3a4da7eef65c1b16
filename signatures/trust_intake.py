"""Taking revocation lists and OCSP answers in: each is checked, then kept with its receipt or set aside.

An item is accepted when it parses, a certificate of the trust folder made it (the signature is verified), and
it is not from the future. Who writes into the drop folder can therefore add nothing that a trusted CA did not
say, nor take anything away.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from asn1crypto import pem
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, Hash, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from schemas.errors import ConfigurationError
from signatures.certificate import rfc4514
from signatures.evidence_store import Receipt, put, sha256_of
from signatures.trust import TrustStore, load_trust

INCOMING = "incoming"
REJECTED = "rejected"
DROPS = (INCOMING, "crls", "ocsp")
"""Folders below the trust folder that are emptied into the store."""

SETTLED = timedelta(minutes=1)
"""A broken file that is younger may still be on its way into the folder."""

_TOLERANCE = timedelta(minutes=5)
_LARGEST = 256 * 1024 * 1024


class RefusedError(ValueError):
    """An item that is not accepted; its text is a code with an explanation in English after ``: ``."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one dropped file.

    Attributes:
        file: its name.
        outcome: ``new``, ``known`` (the same bytes are in the store), ``rejected``, or ``waiting`` (broken, but
            perhaps only because it is still being copied).
        receipt: of an accepted item. reason: code and explanation of any other one.
    """

    file: str
    outcome: str
    receipt: Receipt | None = None
    reason: str = ""


def take(folder: Path, now: datetime, settled: timedelta = SETTLED) -> list[Taken]:
    """Empty the drop folders of the trust folder ``folder`` into its store.

    Accepted files leave the drop folder once their bytes and receipt are in the store; rejected ones go to
    ``rejected/`` with a reason beside them. Any number of processes may do it at once, and a killed one is
    repeated without loss.

    Args:
        folder: the trust folder.
        now: time of the receipt, aware.
        settled: how long a broken file must have lain still before it is rejected.

    Raises:
        ConfigurationError: a folder cannot be read or written, or certificates in the trust folder are broken.
    """
    authorities = Authorities(load_trust(folder, stored_only=True))
    taken = []
    for path in _dropped(folder):
        try:
            if path.stat().st_size > _LARGEST:
                raise RefusedError(f"too_large: more than {_LARGEST} bytes")
            items = list(check(path.read_bytes(), authorities, now, path.name))
            fresh = [put(folder, item.group, item.data, item.receipt) for item in items]
            path.unlink(missing_ok=True)
            taken += [
                Taken(path.name, "new" if new else "known", item.receipt)
                for item, new in zip(items, fresh, strict=True)
            ]
        except RefusedError as error:
            with suppress(FileNotFoundError):  # another process was faster
                waits = _is_arriving(path, now, settled)
                if not waits:
                    _set_aside(folder, path, str(error), now)
                taken.append(Taken(path.name, "waiting" if waits else "rejected", reason=str(error)))
        except FileNotFoundError:  # another process took it
            continue
        except OSError as error:
            raise ConfigurationError(
                f"revocation information cannot be taken in: {error.strerror}",
                where=str(path),
                action="let this account read and write the trust folder",
            ) from error
    return taken


@dataclass(frozen=True, slots=True)
class Checked:
    """An item that may enter the store."""

    group: str
    data: bytes
    receipt: Receipt


def check(data: bytes, authorities: Authorities, now: datetime, file: str) -> Iterator[Checked]:
    """What is in a dropped file, DER or PEM, each item checked.

    Raises:
        RefusedError: one of them is not accepted; then none is.
    """
    ders = [data]
    if pem.detect(data):
        try:
            ders = [der for _, _, der in pem.unarmor(data, multiple=True)]
        except ValueError as error:
            raise RefusedError(f"malformed: {error}") from error
    for der in ders:
        try:
            parsed = x509.load_der_x509_crl(der)
        except ValueError:
            yield _checked_answer(der, authorities, now, file)
        else:
            yield _checked_list(der, parsed, authorities, now, file)


class Authorities:
    """The certificates of a trust folder, as makers of lists and answers."""

    def __init__(self, trust: TrustStore) -> None:
        ders = dict.fromkeys((*trust.roots, *trust.tsa_roots, *trust.intermediates))
        self.certificates = [(x509.load_der_x509_certificate(der), der) for der in ders]
        self._subjects = [asn1_x509.Certificate.load(der).subject.hashable for der in ders]

    def named(self, name: x509.Name) -> list[x509.Certificate]:
        """Those with this subject."""
        wanted = asn1_x509.Name.load(name.public_bytes()).hashable
        pairs = zip(self.certificates, self._subjects, strict=True)
        return [certificate for (certificate, _), subject in pairs if subject == wanted]


def _checked_list(
    der: bytes, parsed: x509.CertificateRevocationList, authorities: Authorities, now: datetime, file: str
) -> Checked:
    makers = authorities.named(parsed.issuer)
    issuer = rfc4514(asn1_x509.Name.load(parsed.issuer.public_bytes()))
    if not makers:
        raise RefusedError(f"unknown_issuer: {issuer} is not in the trust folder")
    if not any(_made(maker, parsed) for maker in makers):
        raise RefusedError(f"bad_signature: not signed by the certificate of {issuer}")
    _not_from_the_future(parsed.last_update_utc, now)
    return Checked(
        _group(parsed),
        der,
        Receipt(
            sha256=sha256_of(der),
            received_at=now,
            kind="crl",
            issuer=issuer,
            this_update=parsed.last_update_utc,
            next_update=parsed.next_update_utc,
            number=_number(parsed),
            entries=len(parsed),
            file=file,
        ),
    )


def _made(maker: x509.Certificate, parsed: x509.CertificateRevocationList) -> bool:
    try:
        usage = maker.extensions.get_extension_for_class(x509.KeyUsage).value
        if not usage.crl_sign:
            return False
    except x509.ExtensionNotFound:
        pass
    key = maker.public_key()
    try:
        return parsed.is_signature_valid(key)  # type: ignore[arg-type]
    except (TypeError, ValueError, UnsupportedAlgorithm):
        return False


def _group(parsed: x509.CertificateRevocationList) -> str:
    """Issuer, key and scope (RFC 5280 §5.2.1, §5.2.4, §5.2.5)."""
    parts = [asn1_x509.Name.load(parsed.issuer.public_bytes()).hashable.encode()]
    found = {extension.oid: extension.value for extension in parsed.extensions}
    for oid in (ExtensionOID.AUTHORITY_KEY_IDENTIFIER, ExtensionOID.ISSUING_DISTRIBUTION_POINT):
        parts.append(found[oid].public_bytes() if oid in found else b"")
    # A delta list names another base each time; that it is one is its scope.
    parts.append(b"delta" if ExtensionOID.DELTA_CRL_INDICATOR in found else b"")
    return sha256_of(b"\0".join(parts))[:32]


def _number(parsed: x509.CertificateRevocationList) -> str:
    try:
        return str(parsed.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number)
    except x509.ExtensionNotFound:
        return ""


def _checked_answer(der: bytes, authorities: Authorities, now: datetime, file: str) -> Checked:
    try:
        answer = ocsp.load_der_ocsp_response(der)
    except ValueError as error:
        raise RefusedError("malformed: neither a revocation list nor an OCSP response") from error
    if answer.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        raise RefusedError(f"no_answer: the responder said {answer.response_status.name}")
    singles = list(answer.responses)
    if len(singles) != 1:
        raise RefusedError(f"malformed: {len(singles)} single responses in one answer, expected one")
    try:
        maker = _responder(answer, singles[0], authorities)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise RefusedError(f"malformed: {error}") from error
    if maker is None:
        raise RefusedError("unknown_issuer: no certificate of the trust folder stands behind the responder")
    single = singles[0]
    _not_from_the_future(single.this_update_utc, now)
    return Checked(
        f"{single.serial_number:x}-{single.issuer_key_hash.hex()[:16]}",
        der,
        Receipt(
            sha256=sha256_of(der),
            received_at=now,
            kind="ocsp",
            issuer=maker.subject.rfc4514_string(),
            this_update=single.this_update_utc,
            next_update=single.next_update_utc,
            number="",
            entries=int(single.certificate_status is ocsp.OCSPCertStatus.REVOKED),
            file=file,
        ),
    )


def _responder(
    answer: ocsp.OCSPResponse, single: ocsp.OCSPSingleResponse, authorities: Authorities
) -> x509.Certificate | None:
    """The CA of the trust folder that the answer is about and that, itself or by a delegate, signed it."""
    for issuer, _ in authorities.certificates:
        if not _is_issuer(issuer, single):
            continue
        for signer in (issuer, *_delegates(answer, issuer)):
            if _signed(answer, signer):
                return issuer
    return None


def _is_issuer(issuer: x509.Certificate, single: ocsp.OCSPSingleResponse) -> bool:
    key = issuer.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    bits = bytes(asn1_x509.PublicKeyInfo.load(key)["public_key"])
    return (
        _digest(single.hash_algorithm, issuer.subject.public_bytes()) == single.issuer_name_hash
        and _digest(single.hash_algorithm, bits) == single.issuer_key_hash
    )


def _digest(algorithm: HashAlgorithm, data: bytes) -> bytes:
    if isinstance(algorithm, SHA1):  # a name for the issuer here, nothing is signed with it
        return hashlib.sha1(data, usedforsecurity=False).digest()
    state = Hash(algorithm)
    state.update(data)
    return state.finalize()


def _delegates(answer: ocsp.OCSPResponse, issuer: x509.Certificate) -> Iterator[x509.Certificate]:
    """Responders that ``issuer`` authorised (RFC 6960 §4.2.2.2)."""
    for certificate in answer.certificates:
        try:
            certificate.verify_directly_issued_by(issuer)
            usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
            continue
        if ExtendedKeyUsageOID.OCSP_SIGNING in usage:
            yield certificate


def _signed(answer: ocsp.OCSPResponse, signer: x509.Certificate) -> bool:
    key, algorithm = signer.public_key(), answer.signature_hash_algorithm
    try:
        if isinstance(key, rsa.RSAPublicKey) and algorithm is not None:
            key.verify(answer.signature, answer.tbs_response_bytes, padding.PKCS1v15(), algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey) and algorithm is not None:
            key.verify(answer.signature, answer.tbs_response_bytes, ec.ECDSA(algorithm))
        else:
            return False
    except InvalidSignature:
        return False
    return True


def _not_from_the_future(moment: datetime, now: datetime) -> None:
    if moment > now + _TOLERANCE:
        raise RefusedError(f"future: thisUpdate {moment.isoformat()} lies after {now.isoformat()}")


def _dropped(folder: Path) -> Iterable[Path]:
    for name in DROPS:
        place = folder / name
        if place.is_dir():
            yield from sorted(path for path in place.iterdir() if path.is_file() and path.name[0] != ".")


def _is_arriving(path: Path, now: datetime, settled: timedelta) -> bool:
    age = now - datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return timedelta() <= age < settled


def _set_aside(folder: Path, path: Path, reason: str, now: datetime) -> None:
    """Move a rejected file away; its own name never becomes a path."""
    place = folder / REJECTED
    place.mkdir(exist_ok=True)
    with path.open("rb") as stream:
        name = hashlib.file_digest(stream, "sha256").hexdigest()[:16]
    fields = {"file": path.name, "reason": reason, "rejected_at": now.isoformat()}
    text = json.dumps(fields, ensure_ascii=False, sort_keys=True, indent=1)
    (place / f"{name}.json").write_bytes(text.encode("utf-8", "backslashreplace"))
    path.rename(place / name)
