"""Fetching revocation lists and OCSP answers where there is a network; only when an operator asks for it.

Addresses come from certificates that an authority of the trust folder vouches for, never from an unknown signer's.
What is fetched goes into the drop folder and through the same checks as what is carried in by hand. Verification
itself never fetches anything.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID

from signatures.trust import TrustStore
from signatures.trust_intake import INCOMING

_TIMEOUT = (10, 60)
_LARGEST = 128 * 1024 * 1024
_PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class Fetched:
    """One address that was asked. ``outcome`` is ``fetched`` or what went wrong."""

    url: str
    kind: str
    outcome: str


def fetch(
    folder: Path, trust: TrustStore, signers: Sequence[bytes], *, with_ocsp: bool = False
) -> list[Fetched]:
    """Ask every address once and put the answers into the drop folder of the trust folder ``folder``.

    Args:
        folder: the trust folder.
        trust: its certificates.
        signers: certificates of signers in DER; those that no authority of ``trust`` issued are passed over.
        with_ocsp: ask the responders of ``signers`` too.
    """
    authorities = [
        x509.load_der_x509_certificate(der) for der in (*trust.roots, *trust.tsa_roots, *trust.intermediates)
    ]
    vouched = list(_vouched([x509.load_der_x509_certificate(der) for der in signers], authorities))
    (folder / INCOMING).mkdir(exist_ok=True)
    lists = {
        url for certificate in (*authorities, *(pair[0] for pair in vouched)) for url in _lists(certificate)
    }
    done = [_ask(folder, url, "crl", None) for url in sorted(lists)]
    if with_ocsp:
        for certificate, issuer in vouched:
            request = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, SHA1()).build()  # noqa: S303
            body = request.public_bytes(Encoding.DER)
            done += [_ask(folder, url, "ocsp", body) for url in _responders(certificate)]
    return done


def _vouched(
    signers: Sequence[x509.Certificate], authorities: Sequence[x509.Certificate]
) -> Iterator[tuple[x509.Certificate, x509.Certificate]]:
    for certificate in signers:
        for issuer in authorities:
            try:
                certificate.verify_directly_issued_by(issuer)
            except (ValueError, TypeError, InvalidSignature):
                continue
            yield certificate, issuer
            break


def _lists(certificate: x509.Certificate) -> Iterator[str]:
    try:
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except (x509.ExtensionNotFound, ValueError):
        return
    for point in points:
        for name in point.full_name or ():
            if isinstance(name, x509.UniformResourceIdentifier) and _is_http(name.value):
                yield name.value


def _responders(certificate: x509.Certificate) -> Iterator[str]:
    try:
        access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except (x509.ExtensionNotFound, ValueError):
        return
    for item in access:
        name = item.access_location
        if item.access_method != AuthorityInformationAccessOID.OCSP:
            continue
        if isinstance(name, x509.UniformResourceIdentifier) and _is_http(name.value):
            yield name.value


def _is_http(url: str) -> bool:
    return urlsplit(url).scheme in ("http", "https")


def _ask(folder: Path, url: str, kind: str, body: bytes | None) -> Fetched:
    """One request, its answer streamed into a file that gets its name when it is whole."""
    partial = folder / INCOMING / f".{secrets.token_hex(8)}.partial"
    headers = {"Content-Type": "application/ocsp-request"} if body is not None else {}
    method = "GET" if body is None else "POST"
    try:
        with requests.request(
            method, url, data=body, headers=headers, timeout=_TIMEOUT, stream=True, allow_redirects=False
        ) as answer:
            if answer.status_code != requests.codes.ok:
                return Fetched(url, kind, f"HTTP {answer.status_code}")
            size = 0
            with partial.open("xb") as stream:
                for piece in answer.iter_content(_PIECE):
                    size += len(piece)
                    if size > _LARGEST:
                        return Fetched(url, kind, f"more than {_LARGEST} bytes")
                    stream.write(piece)
                stream.flush()
                os.fsync(stream.fileno())
        name = hashlib.sha256(partial.read_bytes()).hexdigest()[:16]
        partial.rename(folder / INCOMING / f"{name}.{kind}")
    except requests.RequestException as error:
        return Fetched(url, kind, type(error).__name__)
    finally:
        partial.unlink(missing_ok=True)
    return Fetched(url, kind, "fetched")
