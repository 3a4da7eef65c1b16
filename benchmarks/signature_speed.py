"""CPU of a verdict against the least that any verifier must do, and against other tools, interleaved in one run.

The floor hashes what is signed and checks one RSA signature for each signature, over what was parsed before:
SHA-256 of the byte ranges for PDF and of the content for CMS; for XML it parses and makes the canonical form
too. ``verify`` is the product's whole way: format, integrity, coverage, changes, time-stamps, chain,
revocation. Peers are measured where they are installed.
"""

from __future__ import annotations

import base64
import hashlib
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

from asn1crypto import cms as asn1_cms
from asn1crypto import crl as asn1_crl
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
from cryptography.x509 import load_der_x509_certificate
from lxml import etree
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature, validate_pdf_timestamp
from pyhanko_certvalidator import ValidationContext

from benchmarks.signature_samples import DS, Signed, cms, long_list, pdfs, rsa_pki, xml
from schemas.record import BytesContent
from signatures import SignedFile, TrustStore, verify
from signatures.verdict import Indication
from tests.signatures.pki_factory import DAY0, Pki, day

AT = DAY0 + timedelta(hours=4)
CRL_SIZES = (1_000, 20_000, 100_000)
Arm = Callable[[Signed], object]


@dataclass(frozen=True, slots=True)
class _Check:
    """What the floor needs of one signature: octets to hash, and a signature to check."""

    ranges: tuple[int, ...]
    attributes: bytes
    value: bytes
    key: rsa.RSAPublicKey


def speed(documents: int) -> dict[str, object]:
    """Everything; ``documents`` is the number of PDFs, a quarter as many of the other formats."""
    pki = rsa_pki()
    trust = pki.trust(crls=pki.fresh_crls(day(0.12)))
    samples: Mapping[str, list[Signed]] = {
        "pdf": pdfs(pki, documents),
        "xml": list(xml(pki, max(10, documents // 4))),
        "cms": list(cms(pki, max(10, documents // 4))),
    }
    figures: dict[str, object] = {}
    ratios: dict[str, float] = {}
    for name, files in samples.items():
        arms = {
            "floor": _floors(files)[name],
            "verify": lambda file: _judge(file, trust),
            **_peers(name, pki),
        }
        times = _interleaved(files, arms)
        means = {arm: statistics.mean(values) for arm, values in times.items()}
        ratios[name] = round(means["verify"] / means["floor"], 2)
        figures[name] = {
            "documents": len(files),
            "bytes": round(statistics.mean(len(file.data) + len(file.content) for file in files)),
            "cpu_ms": {arm: round(value, 3) for arm, value in means.items()},
            "ratio_to_floor": {arm: round(value / means["floor"], 2) for arm, value in means.items()},
            "cpu_ms_by_kind": _by_kind(files, times),
        }
    return {
        "ratio_to_floor": ratios,
        **figures,
        "crl_cpu_ms": _lists(pki),
        "pool_of_two_to_one": _pool(samples["pdf"], trust),
    }


def _judge(file: Signed, trust: TrustStore, at: datetime = AT) -> None:
    detached = BytesContent(file.content) if file.content else None
    verdicts = verify(SignedFile(file.kind, BytesContent(file.data), detached), trust, at)
    if any(item.indication is not Indication.TOTAL_PASSED for item in verdicts):
        raise AssertionError(f"a genuine file does not pass: {verdicts}")


def _interleaved(files: Sequence[Signed], arms: Mapping[str, Arm]) -> dict[str, list[float]]:
    """CPU milliseconds of each file in each arm, children included, the arms taking turns on every file."""
    for arm in arms.values():
        arm(files[0])
    times: dict[str, list[float]] = {name: [] for name in arms}
    for file in files:
        for name, arm in arms.items():
            start = _cpu()
            arm(file)
            times[name].append((_cpu() - start) * 1000)
    return times


def _cpu() -> float:
    children = getrusage(RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _by_kind(files: Sequence[Signed], times: Mapping[str, list[float]]) -> dict[str, dict[str, float]]:
    kinds = dict.fromkeys(file.kind for file in files)
    return {
        kind: {
            arm: round(
                statistics.mean(
                    value for file, value in zip(files, values, strict=True) if file.kind == kind
                ),
                3,
            )
            for arm, values in times.items()
        }
        for kind in kinds
    }


def _floors(files: Sequence[Signed]) -> dict[str, Arm]:
    pdf_checks = {id(file): _pdf_checks(file) for file in files if file.kind not in {"xml", "cms"}}
    cms_checks = {id(file): _cms_check(file) for file in files if file.kind == "cms"}

    def pdf(file: Signed) -> None:
        view = memoryview(file.data)
        for check in pdf_checks[id(file)]:
            _, first, start, second = check.ranges
            state = hashlib.sha256(view[:first])
            state.update(view[start : start + second])
            state.digest()
            check.key.verify(check.value, check.attributes, padding.PKCS1v15(), SHA256())

    def detached(file: Signed) -> None:
        check = cms_checks[id(file)]
        hashlib.sha256(file.content).digest()
        check.key.verify(check.value, check.attributes, padding.PKCS1v15(), SHA256())

    return {"pdf": pdf, "cms": detached, "xml": _xml_floor}


def _pdf_checks(file: Signed) -> list[_Check]:
    found = []
    for embedded in PdfFileReader(BytesIO(file.data)).embedded_signatures:
        signer: asn1_cms.SignerInfo = embedded.signer_info
        key = load_der_public_key(embedded.signer_cert.public_key.dump())
        assert isinstance(key, rsa.RSAPublicKey)
        ranges = tuple(int(item) for item in embedded.byte_range)
        found.append(_Check(ranges, signer["signed_attrs"].untag().dump(), signer["signature"].native, key))
    return found


def _cms_check(file: Signed) -> _Check:
    signed_data = asn1_cms.ContentInfo.load(file.data)["content"]
    signer = signed_data["signer_infos"][0]
    serial = signer["sid"].chosen["serial_number"].native
    certificate = next(c.chosen for c in signed_data["certificates"] if c.chosen.serial_number == serial)
    key = load_der_public_key(certificate.public_key.dump())
    assert isinstance(key, rsa.RSAPublicKey)
    return _Check((), signer["signed_attrs"].untag().dump(), signer["signature"].native, key)


def _xml_floor(file: Signed) -> None:
    """Parse, canonical form, hash; the RSA check of one signature is in it as it is in xmlsec."""
    root = etree.fromstring(file.data)
    signature = root.find(f"{{{DS}}}Signature")
    octets = etree.tostring(
        signature.find(f"{{{DS}}}SignedInfo"), method="c14n", exclusive=True, with_tail=False
    )
    value = signature.findtext(f"{{{DS}}}SignatureValue")
    certificate = signature.findtext(f".//{{{DS}}}X509Certificate")
    root.remove(signature)
    hashlib.sha256(etree.tostring(root, method="c14n", exclusive=True)).digest()
    key = _key_of(certificate)
    key.verify(_decoded(value), octets, padding.PKCS1v15(), SHA256())


def _key_of(certificate: str) -> rsa.RSAPublicKey:
    key = load_der_x509_certificate(_decoded(certificate)).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    return key


def _decoded(text: str) -> bytes:
    return base64.b64decode(text)


def _peers(name: str, pki: Pki) -> dict[str, Arm]:
    """Other verifiers for a format, as far as they are installed."""
    if name == "pdf":
        arms: dict[str, Arm] = {"pyhanko": _pyhanko(pki)}
        if shutil.which("pdfsig"):
            arms["pdfsig"] = lambda file: _command(["pdfsig", "-nocert"], file)
        return arms
    if name == "cms" and shutil.which("openssl"):
        return {"openssl": _openssl(pki)}
    if name == "xml":
        return _signxml(pki)
    return {}


def _pyhanko(pki: Pki) -> Arm:
    """Plain pyHanko: a fresh context a file, revocation required, changes compared."""
    lists = [asn1_crl.CertificateList.load(item) for item in pki.fresh_crls(day(0.12))]

    def context() -> ValidationContext:
        return ValidationContext(
            trust_roots=[pki.root.asn1, pki.tsa_root.asn1],
            other_certs=[pki.ca.asn1],
            crls=lists,
            moment=AT,
            revocation_mode="require",
        )

    def arm(file: Signed) -> None:
        reader = PdfFileReader(BytesIO(file.data))
        for embedded in reader.embedded_signatures:
            if embedded.sig_object["/Type"] == "/DocTimeStamp":
                validate_pdf_timestamp(embedded, context())
            else:
                validate_pdf_signature(embedded, context())

    return arm


def _signxml(pki: Pki) -> dict[str, Arm]:
    try:
        from signxml import XMLVerifier
    except ImportError:
        return {}
    certificate = pki.person.certificate
    return {"signxml": lambda file: XMLVerifier().verify(file.data, x509_cert=certificate)}


def _openssl(pki: Pki) -> Arm:
    folder = Path(tempfile.mkdtemp(prefix="lienthong-benchmark-"))
    root = folder / "root.der"
    root.write_bytes(pki.root.der)
    pem = folder / "root.pem"
    subprocess.run(["openssl", "x509", "-inform", "DER", "-in", root, "-out", pem], check=True)

    def arm(file: Signed) -> None:
        (folder / "a.p7s").write_bytes(file.data)
        (folder / "a.bin").write_bytes(file.content)
        command = ["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", str(folder / "a.p7s")]
        command += ["-content", str(folder / "a.bin"), "-CAfile", str(pem), "-purpose", "any"]
        command += ["-attime", str(int(AT.timestamp())), "-out", str(folder / "out")]
        subprocess.run(command, check=True, capture_output=True)

    return arm


def _command(command: list[str], file: Signed) -> None:
    with tempfile.NamedTemporaryFile(suffix=".pdf") as stream:
        stream.write(file.data)
        stream.flush()
        subprocess.run([*command, stream.name], capture_output=True, check=False)


def _lists(pki: Pki) -> dict[str, float]:
    """CPU milliseconds that a document of a new signer costs when its CA's list has so many entries."""
    found: dict[str, float] = {}
    files = pdfs(pki, 8)
    for entries in (0, *CRL_SIZES):
        issuing = long_list(pki.ca, entries)
        of_root, _, of_tsa_root = pki.fresh_crls(DAY0)
        trust = pki.trust(crls=(of_root, issuing, of_tsa_root))
        _judge(files[0], trust)
        times = []
        for number, file in enumerate(files, start=1):
            start = _cpu()
            # Another moment each time: nothing that was found out about the signer before is used.
            _judge(file, trust, AT + timedelta(seconds=number))
            times.append((_cpu() - start) * 1000)
        found[str(entries)] = round(statistics.median(times), 3)
    return found


def _pool(files: Sequence[Signed], trust: TrustStore) -> float:
    """Documents per second of a pool of two processes over those of one; the files lie on disk, as in the archive."""
    seconds = {}
    with tempfile.TemporaryDirectory() as made:
        paths = [Path(made, str(number)) for number in range(len(files))]
        for path, file in zip(paths, files, strict=True):
            path.write_bytes(file.data)
        parts = [paths[number::8] for number in range(8)] * _ROUNDS
        for workers in (1, 2):
            with ProcessPoolExecutor(workers, get_context("spawn"), _trust_here, (trust,)) as pool:
                list(pool.map(_judge_all, [paths[:20]] * workers))
                start = time.perf_counter()
                list(pool.map(_judge_all, parts))
                seconds[workers] = time.perf_counter() - start
    return round(seconds[1] / seconds[2], 2)


_ROUNDS = 3
_TRUST: list[TrustStore] = []
"""The trust of a pool's process: loaded once, as a worker of the archive does."""


def _trust_here(trust: TrustStore) -> None:
    _TRUST[:] = [trust]


def _judge_all(paths: Sequence[Path]) -> None:
    for path in paths:
        _judge(Signed("pdf", path.read_bytes()), _TRUST[0])
