"""Judging signed PDFs, against hashing their bytes and checking one RSA signature.

    python -m benchmarks.signature_verification [--documents 60] [--json]

The floor is SHA-256 of the signed byte range and one RSA verification over attributes parsed beforehand.
Both arms run in this process on the same files, a file of one arm after the same file of the other, and CPU
time is compared. A third of the files carries one signature, a third one with a time-stamp, a third a
person's and a seal's.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO

from asn1crypto import cms
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
from pyhanko.pdf_utils.reader import PdfFileReader

from schemas.record import BytesContent
from signatures import SignedFile, verify
from signatures.trust import TrustStore
from signatures.verdict import Indication
from tests.signatures.pki_factory import DAY0, Pki, day, make_pki, minimal_pdf

PADDING = 180_000
"""Bytes of page content, so that a file weighs about what an official document does."""


@dataclass(frozen=True)
class Sample:
    """A signed file with what the floor needs: signed ranges, attributes, signature value and key, per
    signature."""

    kind: str
    data: bytes
    parts: tuple[tuple[tuple[int, ...], bytes, bytes, bytes, rsa.RSAPublicKey], ...]


def make_samples(pki: Pki, count: int) -> list[Sample]:
    """``count`` files of the three kinds in turn."""
    samples = []
    for index in range(count):
        kind = ("one", "time-stamped", "two")[index % 3]
        text = f"So {index}-KL/TU " + "x" * PADDING
        stamper = pki.stamper(day(0.1)) if kind == "time-stamped" else None
        data = pki.sign_pdf(minimal_pdf(text), pki.person, stamper=stamper)
        if kind == "two":
            data = pki.sign_pdf(data, pki.person, "ConDau")
        samples.append(Sample(kind, data, _parts(data)))
    return samples


def floor(sample: Sample) -> None:
    """Hash the signed bytes and check the RSA signatures; raises when one does not hold."""
    for (_, first, start, second), attributes, digest, value, key in sample.parts:
        state = hashlib.sha256(memoryview(sample.data)[:first])
        state.update(memoryview(sample.data)[start : start + second])
        if state.digest() != digest:
            raise AssertionError("the sample does not hold")
        key.verify(value, attributes, padding.PKCS1v15(), SHA256())


def judged(sample: Sample, trust: TrustStore) -> None:
    """The verdicts with trust and revocation; raises unless all pass."""
    file = SignedFile("mau.pdf", BytesContent(sample.data))
    verdicts = verify(file, trust, DAY0 + timedelta(hours=3))
    if any(item.indication is not Indication.TOTAL_PASSED for item in verdicts):
        raise AssertionError(verdicts)


def measure(samples: list[Sample], trust: TrustStore) -> dict[str, object]:
    """CPU milliseconds a file, per kind and over all, and the ratio to the floor."""
    arms: dict[str, Callable[[Sample], None]] = {"floor": floor, "verify": lambda item: judged(item, trust)}
    for arm in arms.values():
        arm(samples[0])
    times: dict[tuple[str, str], list[float]] = {}
    for sample in samples:
        for name, arm in arms.items():
            start = time.process_time()
            arm(sample)
            times.setdefault((name, sample.kind), []).append((time.process_time() - start) * 1000)
    kinds = sorted({sample.kind for sample in samples})
    table = {kind: {name: round(statistics.mean(times[name, kind]), 3) for name in arms} for kind in kinds}
    means = {name: statistics.mean(item for kind in kinds for item in times[name, kind]) for name in arms}
    return {
        "documents": len(samples),
        "bytes": round(statistics.mean(len(sample.data) for sample in samples)),
        "cpu_ms": table | {"all": {name: round(value, 3) for name, value in means.items()}},
        "ratio_to_floor": {"pdf": round(means["verify"] / means["floor"], 1)},
    }


def _parts(data: bytes) -> tuple[tuple[tuple[int, ...], bytes, bytes, bytes, rsa.RSAPublicKey], ...]:
    found = []
    for embedded in PdfFileReader(BytesIO(data)).embedded_signatures:
        signer: cms.SignerInfo = embedded.signer_info
        attributes = signer["signed_attrs"].untag().dump()
        digests = [
            item["values"][0].native
            for item in signer["signed_attrs"]
            if item["type"].native == "message_digest"
        ]
        key = load_der_public_key(embedded.signer_cert.public_key.dump())
        if not isinstance(key, rsa.RSAPublicKey):
            raise TypeError("the floor is RSA")
        numbers = tuple(int(item) for item in embedded.byte_range)
        found.append((numbers, attributes, digests[0], signer["signature"].native, key))
    return tuple(found)


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--documents", type=int, default=60)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    for name in ("pyhanko", "pyhanko_certvalidator"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    pki = make_pki()
    result = measure(make_samples(pki, options.documents), pki.trust(crls=pki.fresh_crls(day(0.11))))
    if options.json:
        print(json.dumps(result))
        return 0
    print(f"{result['documents']} files of {result['bytes']} bytes; CPU ms a file: {result['cpu_ms']}")
    print(f"ratio to the floor: {result['ratio_to_floor']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
