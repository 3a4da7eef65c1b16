"""``lienthong trust``: what an operator is told, what he can add, and what comes over a network."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import pytest
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import NameOID
from typer.testing import CliRunner

from pipeline.cli import build
from pipeline.trust_fetch import fetch
from schemas.errors import ConfigurationError
from signatures.evidence_store import shelved
from signatures.trust import load_trust
from signatures.trust_intake import take
from tests.signatures.pki_factory import Holder, issue, revocation_list

NOW = datetime.now(UTC).replace(microsecond=0)
"""The command asks the clock: the certificates are of today."""


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


@pytest.fixture(scope="module")
def root() -> Holder:
    return issue({NameOID.COMMON_NAME: "Gốc thử nghiệm"}, None, ago(900), ago(-3000), ca=True)


@pytest.fixture(scope="module")
def ca(root: Holder) -> Holder:
    return issue({NameOID.COMMON_NAME: "CA thử nghiệm"}, root, ago(800), ago(-60), ca=True)


@pytest.fixture
def trust(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.setenv("LIENTHONG_HOME", str(tmp_path / "lienthong"))
    return tmp_path / "lienthong" / "trust"


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(build(), list(arguments))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout


def told() -> tuple[int, dict]:
    status, output = run("trust", "--json")
    return status, json.loads(output)


def write(folder: Path, name: str, holder: Holder, encoding: Encoding = Encoding.PEM) -> str:
    path = folder / name
    path.write_bytes(holder.certificate.public_bytes(encoding))
    return str(path)


def fingerprint(holder: Holder) -> str:
    return ":".join(f"{byte:02X}" for byte in holder.certificate.fingerprint(SHA256()))


def install(trust: Path, root: Holder, ca: Holder) -> None:
    for part, holder in (("roots", root), ("intermediates", ca)):
        (trust / part).mkdir(parents=True)
        (trust / part / "a.crt").write_bytes(holder.der)


def test_an_empty_installation_is_told_how_to_begin(trust):
    status, output = run("trust")
    assert status == 1
    assert "lienthong trust add" in output


def test_what_is_added_is_confirmed_by_its_fingerprint_and_then_trusted(trust, tmp_path, root, ca):
    file = write(tmp_path, "goc.pem", root)
    status, output = run("trust", "add", file, "--as", "root", "--fingerprint", fingerprint(ca))
    assert status == 1, "another fingerprint, and nobody at the terminal to confirm this one"
    assert f"SHA-256 {root.certificate.fingerprint(SHA256()).hex()}" in output
    assert load_trust(trust).roots == ()

    assert run("trust", "add", file, "--as", "root", "--fingerprint", fingerprint(root))[0] == 0
    assert (
        run("trust", "add", write(tmp_path, "ca.cer", ca, Encoding.DER), "--fingerprint", fingerprint(ca))[0]
        == 0
    )
    store = load_trust(trust)
    assert (store.roots, store.intermediates) == ((root.der,), (ca.der,))


def test_a_signers_certificate_and_a_private_key_are_never_added(trust, tmp_path, root, ca):
    signer = issue({NameOID.COMMON_NAME: "Người ký"}, ca, ago(1), ago(-100))
    with pytest.raises(ConfigurationError, match="of a signer"):
        run(
            "trust",
            "add",
            write(tmp_path, "a.pem", signer),
            "--as",
            "root",
            "--fingerprint",
            fingerprint(signer),
        )
    both = tmp_path / "b.pem"
    both.write_bytes(root.certificate.public_bytes(Encoding.PEM) + root.key_pem)
    with pytest.raises(ConfigurationError, match="PRIVATE KEY"):
        run("trust", "add", str(both), "--as", "root", "--fingerprint", fingerprint(root))
    assert load_trust(trust).roots == ()


def test_missing_stale_and_current_lists_and_ends_of_validity_are_told_apart(trust, tmp_path, root, ca):
    install(trust, root, ca)
    status, found = told()
    assert status == 1
    assert {item["issuer"]: item["state"] for item in found["lists"]} == {
        "CN=Gốc thử nghiệm": "missing",
        "CN=CA thử nghiệm": "missing",
    }
    assert [(item["part"], item["state"]) for item in found["certificates"]] == [
        ("root", "valid"),
        ("intermediate", "expires_soon"),
    ]
    files = [tmp_path / "goc.crl", tmp_path / "ca.crl"]
    files[0].write_bytes(revocation_list(root, ago(1), days=30))
    files[1].write_bytes(revocation_list(ca, ago(20), {7: ago(100), 8: ago(90)}, days=7))
    assert run("trust", "add", *map(str, files))[0] == 0
    status, found = told()
    assert status == 1
    assert {item["issuer"]: (item["state"], item["entries"]) for item in found["lists"]} == {
        "CN=Gốc thử nghiệm": ("current", 0),
        "CN=CA thử nghiệm": ("stale", 2),
    }
    (trust / "incoming" / "ca-moi.crl").write_bytes(revocation_list(ca, ago(0.5), {7: ago(100)}))
    assert run("trust", "take")[0] == 0
    status, found = told()
    assert (status, found["in_order"]) == (0, True)
    assert {item["number"] for item in found["lists"] if item["issuer"] == "CN=CA thử nghiệm"} == {
        str(int(ago(0.5).timestamp()))
    }


def test_a_rejected_file_is_told_with_its_reason(trust, root, ca):
    install(trust, root, ca)
    (trust / "incoming").mkdir()
    (trust / "incoming" / "rac.crl").write_bytes(b"rac")
    status, output = run("trust", "take", "--json")
    assert (status, json.loads(output)["outcome"]) == (0, "waiting"), "perhaps it is still being copied"
    an_hour_ago = ago(1 / 24).timestamp()
    os.utime(trust / "incoming" / "rac.crl", (an_hour_ago, an_hour_ago))
    status, output = run("trust", "take", "--json")
    assert (status, json.loads(output)["outcome"]) == (1, "rejected")
    _, found = told()
    assert [(item["file"], item["reason"].partition(":")[0]) for item in found["rejected"]] == [
        ("rac.crl", "malformed")
    ]
    assert "Không nhận" in run("trust")[1]


class Responder(BaseHTTPRequestHandler):
    """Serves what the test put there; notes what it was asked."""

    answers: ClassVar[dict[str, tuple[int, bytes]]] = {}
    asked: ClassVar[list[tuple[str, str, bytes]]] = []

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, body: bytes) -> None:
        self.asked.append((self.command, self.path, body))
        status, data = self.answers.get(self.path, (404, b""))
        self.send_response(status)
        if status == 302:
            self.send_header("Location", data.decode())
            data = b""
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch) -> Iterator[str]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    Responder.answers, Responder.asked = {}, []
    listening = ThreadingHTTPServer(("127.0.0.1", 0), Responder)
    thread = Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.server_port}"
    listening.shutdown()
    listening.server_close()
    thread.join()


def test_lists_and_answers_come_from_the_addresses_of_vouched_certificates_only(trust, root, server):
    ca = issue({NameOID.COMMON_NAME: "CA"}, root, ago(800), ago(-60), ca=True, crl_url=f"{server}/goc.crl")
    signer = issue(
        {NameOID.COMMON_NAME: "Người ký"},
        ca,
        ago(1),
        ago(-30),
        crl_url=f"{server}/ca.crl",
        ocsp_url=f"{server}/ocsp",
    )
    stranger_root = issue({NameOID.COMMON_NAME: "Gốc lạ"}, None, ago(90), ago(-90), ca=True)
    stranger = issue(
        {NameOID.COMMON_NAME: "Người lạ"}, stranger_root, ago(1), ago(-9), crl_url=f"{server}/la.crl"
    )
    other = issue({NameOID.COMMON_NAME: "Tệp"}, ca, ago(1), ago(-9), crl_url="file:///etc/passwd")
    install(trust, root, ca)
    good = (
        ocsp.OCSPResponseBuilder()
        .add_response(
            signer.certificate, ca.certificate, SHA1(), ocsp.OCSPCertStatus.GOOD, NOW, ago(-1), None, None
        )
        .responder_id(ocsp.OCSPResponderEncoding.HASH, ca.certificate)
        .sign(ca.key, SHA256())
    )
    Responder.answers = {
        "/goc.crl": (200, revocation_list(root, ago(1))),
        "/ca.crl": (302, f"{server}/la.crl".encode()),
        "/la.crl": (200, revocation_list(ca, ago(1))),
        "/ocsp": (200, good.public_bytes(Encoding.DER)),
    }
    ders = [signer.der, stranger.der, other.der]
    done = fetch(trust, load_trust(trust), ders, with_ocsp=True)
    assert {item.url.removeprefix(server): item.outcome for item in done} == {
        "/goc.crl": "fetched",
        "/ca.crl": "HTTP 302",
        "/ocsp": "fetched",
    }
    assert {(method, path) for method, path, _ in Responder.asked} == {
        ("GET", "/goc.crl"),
        ("GET", "/ca.crl"),
        ("POST", "/ocsp"),
    }
    [asked] = [ocsp.load_der_ocsp_request(body) for method, _, body in Responder.asked if method == "POST"]
    assert asked.serial_number == signer.certificate.serial_number
    assert {item.outcome for item in take(trust, NOW)} == {"new"}
    assert (len(shelved(trust, "crl")), len(shelved(trust, "ocsp"))) == (1, 1)


def test_an_answer_without_end_is_cut_off_and_leaves_nothing(trust, root, server, monkeypatch):
    ca = issue({NameOID.COMMON_NAME: "CA"}, root, ago(800), ago(-60), ca=True, crl_url=f"{server}/goc.crl")
    install(trust, root, ca)
    monkeypatch.setattr("pipeline.trust_fetch._LARGEST", 1000)
    Responder.answers = {"/goc.crl": (200, b"x" * 100_000)}
    [done] = fetch(trust, load_trust(trust), [])
    assert done.outcome == "more than 1000 bytes"
    assert list((trust / "incoming").iterdir()) == []


@pytest.mark.postgres
def test_fetching_asks_for_the_signers_of_the_archive(trust, root, ca, server, database_url, monkeypatch):
    monkeypatch.setenv("LIENTHONG_DATABASE_URL", database_url)
    ca = issue({NameOID.COMMON_NAME: "CA"}, root, ago(800), ago(-60), ca=True, crl_url=f"{server}/goc.crl")
    install(trust, root, ca)
    Responder.answers = {"/goc.crl": (200, revocation_list(root, ago(1)))}
    status, output = run("trust", "fetch")
    assert status == 0
    assert "đã tải" in output
    assert len(shelved(trust, "crl")) == 1
