"""TLS to a server whose certificate an office signs itself, or that asks for one."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from connectors.lotus_notes.domino import DominoSource
from demo.domino_server import DominoServer, Settings
from schemas.errors import ConfigurationError, RetriableError
from tests.connectors.domino_cases import ZONE, FakeClock, connection, database, fetched, service

NOW = dt.datetime.now(dt.UTC)


@dataclass
class Certificate:
    file: Path
    key: Path


@dataclass
class Authority:
    """The office's own authority, with a certificate for the server and one for the reader."""

    file: Path
    server: Certificate
    client: Certificate


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    folder = tmp_path_factory.mktemp("tls")
    root_key = ec.generate_private_key(ec.SECP256R1())
    root = signed("Van phong Tinh uy CA", root_key, "Van phong Tinh uy CA", root_key, authority=True)
    written = folder / "ca.pem"
    written.write_bytes(root.public_bytes(serialization.Encoding.PEM))

    def issue(name: str) -> Certificate:
        key = ec.generate_private_key(ec.SECP256R1())
        made = signed(name, key, "Van phong Tinh uy CA", root_key)
        pair = Certificate(folder / f"{name}.pem", folder / f"{name}.key")
        pair.file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        pair.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return pair

    return Authority(written, issue("domino"), issue("lienthong"))


def signed(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    authority: bool = False,
) -> x509.Certificate:
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - dt.timedelta(days=1))
        .not_valid_after(NOW + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(identifier, critical=False)
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(issuer_key, hashes.SHA256())
    )


def served(
    authority: Authority, asks_for_certificate: bool = False, newest: ssl.TLSVersion | None = None
) -> Settings:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.server.file, authority.server.key)
    if asks_for_certificate:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(authority.file)
    if newest is not None:
        context.minimum_version = context.maximum_version = newest
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return Settings(tls=context)


def read(server: DominoServer, **extras: object) -> int:
    given = connection(server, extras={key: str(value) for key, value in extras.items()})
    return len(fetched(DominoSource("notes", service(), given, ZONE, FakeClock())))


def test_the_offices_own_authority_is_trusted_where_it_is_named(authority: Authority) -> None:
    with DominoServer(database(2), served(authority)) as server:
        assert read(server, ca_file=authority.file) == 2
        with pytest.raises(ConfigurationError, match="no trusted TLS connection"):
            read(server)


def test_a_server_may_ask_for_a_certificate(authority: Authority) -> None:
    with DominoServer(database(2), served(authority, asks_for_certificate=True)) as server:
        mine = {"client_certificate": authority.client.file, "client_key": authority.client.key}
        assert read(server, ca_file=authority.file, **mine) == 2
        with pytest.raises((ConfigurationError, RetriableError)):
            read(server, ca_file=authority.file)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tls_of_dominos_time_is_spoken_only_when_asked_for(authority: Authority) -> None:
    with DominoServer(database(2), served(authority, newest=ssl.TLSVersion.TLSv1)) as server:
        assert read(server, ca_file=authority.file, legacy_tls=True) == 2
        with pytest.raises(ConfigurationError, match="legacy_tls"):
            read(server, ca_file=authority.file)
