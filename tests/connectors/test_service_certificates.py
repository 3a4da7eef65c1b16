"""TLS to a service: an authority of the office's own, and a certificate that the service asks us for."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from schemas.errors import FatalError, RetriableError
from tests.connectors.exchange_services import connection, mail, mailbox, server
from tests.connectors.source_contract import everything


@dataclass(frozen=True)
class Papers:
    """PEM files of one authority: its own certificate, and certificate with key of the server and of a client."""

    authority: Path
    server: Path
    client: Path
    client_key: Path


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    folder = tmp_path_factory.mktemp("tls")
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = _certificate("CA của văn phòng mẫu", authority_key, None, authority_key)
    found = {"authority": _pem(folder / "ca.pem", authority)}
    for name in ("server", "client"):
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _certificate(name, key, authority, authority_key)
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        (folder / f"{name}.key").write_bytes(private)
        found[name] = _pem(folder / f"{name}.pem", certificate, private)
    return Papers(**found, client_key=folder / "client.key")


@pytest.fixture(params=[False, True], ids=["any_client", "known_clients"])
def secured(request: pytest.FixtureRequest, papers: Papers, tmp_path: Path) -> Iterator[tuple]:
    """A service behind TLS, and whether it wants a client's certificate."""
    service = server("vxp", tmp_path / "truc")
    service.mailbox.write(mail())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(papers.server)
    if request.param:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(papers.authority)
    service._http.socket = context.wrap_socket(service._http.socket, server_side=True)
    with service:
        yield service, request.param


def _asked(service, **extras: object) -> int:
    found = replace(connection("vxp", service, **extras), scheme="https")
    return len(everything(mailbox("vxp", service, connected=found)))


def test_the_office_s_own_authority_is_trusted_where_it_is_named(secured, papers: Papers) -> None:
    service, wants_certificate = secured
    own = {"client_certificate": str(papers.client), "client_key": str(papers.client_key)}
    assert _asked(service, ca_file=str(papers.authority), **own) == 9
    with pytest.raises(FatalError, match="ca_file"):
        _asked(service, **own)
    if wants_certificate:
        with pytest.raises((FatalError, RetriableError)):
            _asked(service, ca_file=str(papers.authority))


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Certificate | None,
    issuer_key: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    is_authority = issuer is None
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(issuer_key, hashes.SHA256())
    )


def _pem(path: Path, certificate: x509.Certificate, key: bytes = b"") -> Path:
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + key)
    return path
