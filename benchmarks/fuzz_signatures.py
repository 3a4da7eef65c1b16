"""Mutated signed files against the verdict: no crash, no hang, no appetite, no pass beyond the evidence.

    python -m benchmarks.fuzz_signatures [--minutes 20] [--seed 1] [--keep DIR] [--json]

Every case is judged in a worker process, for integrity alone and with trust. A finding is: an exception (``verify``
promises none), the death of the worker, more than 5 s of CPU (60 s of waiting), more than 500 MB of memory, a pass of a
file whose meaning (``benchmarks.signature_meaning``) is not the original's or whose signer is another, or NO_SIGNATURE
said of a file that still holds what makes a signature. The same seed gives the same choices, over files signed with new
keys. ``--keep`` writes the files of the findings beside those that they were made from.
"""

from __future__ import annotations

import argparse
import json
import logging
import multiprocessing
import random
import re
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path

from asn1crypto import cms as asn1_cms
from cryptography.x509 import ObjectIdentifier
from cryptography.x509.oid import NameOID
from lxml import etree

from benchmarks.signature_meaning import meaning
from benchmarks.signature_mutations import mutate
from benchmarks.signature_samples import lta_pdf
from schemas.record import BytesContent
from signatures import SignedFile, TrustStore, verify
from signatures.verdict import Indication, Verdict, worst
from tests.signatures.cms_factory import CONTENT, sign
from tests.signatures.mail_factory import HEAD, opaque_part, signed_part
from tests.signatures.office_factory import docx, odt, packed, sign_docx, sign_odt
from tests.signatures.pki_factory import DAY0, Pki, day, issue, make_pki, minimal_pdf
from tests.signatures.xml_factory import signed, stamped

HANG_SECONDS = 5
WAIT_SECONDS = 60
MEMORY_BYTES = 500 << 20
ADDED_BYTES = 400 << 20  # a worker itself holds about 100 MB
CASES_PER_WORKER = 2_000
NOW = DAY0 + timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Seed:
    """A signed file that passes, to be mutated.

    Attributes:
        name: of the case. kind: format, as the mutations name it. data: the file. detached: what it signs, if that
            is a file of its own. states: signed files whose meaning a passing file may have. signers: SHA-256 of
            who may have signed it.
    """

    name: str
    kind: str
    data: bytes
    detached: bytes | None
    states: tuple[bytes, ...]
    signers: frozenset[str]


@dataclass(slots=True)
class Account:
    """What a run came to.

    Attributes:
        cases: by kind. verdicts: of the mutated files with trust, by kind and indication. findings: sentence and
            number of each. slowest: CPU seconds. largest: bytes of memory of a worker at its largest.
    """

    cases: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[tuple[str, str]] = field(default_factory=Counter)
    findings: list[tuple[int, str, str]] = field(default_factory=list)
    slowest: float = 0.0
    largest: int = 0


def seeds(pki: Pki) -> list[Seed]:
    """One or more signed files of every format, all of which pass."""
    once = pki.sign_pdf(minimal_pdf(), pki.person)
    both = pki.sign_pdf(once, pki.seal, "ConDau")
    clerk = issue(_clerk(), pki.ca, day(-10), day(300))
    word = sign_docx(docx(), pki.person)
    two_words = sign_docx(word, pki.seal, part="_xmlsignatures/sig2.xml", leave_ids=("rId2", "rIdS"))
    files: list[tuple[str, str, bytes, bytes | None, tuple[bytes, ...]]] = [
        ("person", "PDF", once, None, ()),
        ("person and seal", "PDF", both, None, ()),
        ("stamped", "PDF", pki.sign_pdf(minimal_pdf(), pki.person, stamper=pki.stamper(day(0.01))), None, ()),
        ("archived", "PDF", lta_pdf(pki, minimal_pdf()), None, ()),
        ("enveloped", "XML", etree.tostring(signed(pki)), None, ()),
        ("XAdES-T", "XML", etree.tostring(stamped(signed(pki, xades=True), pki, day(0.01))), None, ()),
        ("attached", "CMS", _cms(pki, detached=False), None, ()),
        ("detached", "CMS", _cms(pki, detached=True), CONTENT, ()),
        ("word", "OOXML", packed(word), None, ()),
        ("word twice", "OOXML", packed(two_words), None, (packed(word),)),
        ("text", "ODF", packed(sign_odt(odt(), pki.seal)), None, ()),
        ("mail", "MIME", (HEAD + signed_part(clerk)).encode(), None, ()),
        ("opaque mail", "MIME", (HEAD + opaque_part(clerk)).encode(), None, ()),
    ]
    return [_seed(pki, *item) for item in files]


def _seed(
    pki: Pki, name: str, kind: str, data: bytes, detached: bytes | None, earlier: tuple[bytes, ...]
) -> Seed:
    verdicts = _judged(data, detached, pki.trust(), integrity_only=False)
    if worst(verdicts) is not Indication.TOTAL_PASSED:
        raise AssertionError(f"the unchanged file {name!r} does not pass: {verdicts}")
    if kind == "PDF":
        ends = [match.end() for match in re.finditer(rb"%%EOF\n", data)]
        earlier = tuple(data[:end] for end in ends if b"/ByteRange" in data[:end])
    return Seed(name, kind, data, detached, (data, *earlier), _signers(verdicts))


def _clerk() -> dict[ObjectIdentifier, str]:
    return {NameOID.COMMON_NAME: "Văn thư", NameOID.EMAIL_ADDRESS: "vanthu@tinhuy.test"}


def _cms(pki: Pki, *, detached: bool) -> bytes:
    info: asn1_cms.ContentInfo = sign(pki, pki.person, detached=detached, stamp=day(0.01))
    return bytes(info.dump())


def _judged(data: bytes, detached: bytes | None, trust: TrustStore, *, integrity_only: bool) -> list[Verdict]:
    beside = BytesContent(detached) if detached is not None else None
    file = SignedFile("fuzz", BytesContent(data), beside)
    return verify(file, trust, NOW, integrity_only=integrity_only)


def _signers(verdicts: list[Verdict]) -> frozenset[str]:
    return frozenset(item.signer.sha256 if item.signer else "" for item in verdicts)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a worker says of one case.

    Attributes:
        indication: with trust. finding: what is wrong, or ``""``. seconds: of CPU. memory: bytes at its largest.
    """

    indication: str
    finding: str
    seconds: float
    memory: int


def judge_case(seed: Seed, data: bytes, trust: TrustStore) -> Outcome:
    """Judge a mutated file and hold it against what it may be."""
    before = _peak()
    start = time.process_time()
    finding, indication = "", ""
    try:
        for integrity_only in (True, False):
            verdicts = _judged(data, seed.detached, trust, integrity_only=integrity_only)
            indication = worst(verdicts).value
            finding = finding or _wrong(seed, data, verdicts, trusted=not integrity_only)
    except Exception as error:
        finding = f"raised {type(error).__name__}: {error}"
    seconds = time.process_time() - start
    memory = _peak()
    # What this case added: the process may have grown before, as one that runs a whole test suite has.
    if memory - before > ADDED_BYTES:
        finding = finding or f"{(memory - before) >> 20} MB of memory"
    return Outcome(indication, finding, seconds, memory)


def _peak() -> int:
    """The most resident memory that this process ever had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _wrong(seed: Seed, data: bytes, verdicts: list[Verdict], *, trusted: bool) -> str:
    found = worst(verdicts)
    if found is Indication.NO_SIGNATURE and _holds_a_signature(seed.kind, data):
        return "NO_SIGNATURE of a file that holds a signature"
    if found is not Indication.TOTAL_PASSED:
        return ""
    # Without trust a certificate is the holder of a key; whose name is on it, nobody vouches for.
    if trusted and not _signers(verdicts) <= seed.signers:
        return "passed for another signer"
    try:
        said = meaning(seed.kind, data, sender=trusted)
    except Exception as error:
        return f"passed, and cannot be read otherwise: {type(error).__name__}: {error}"
    allowed = any(said == meaning(seed.kind, state, sender=trusted) for state in seed.states)
    return "" if allowed else "passed with another meaning"


_MARKS: dict[str, tuple[bytes, ...]] = {
    "PDF": (b"/ByteRange [", b"/Contents <30"),
    "XML": (b"SignedInfo", b"SignatureValue", b"http://www.w3.org/2000/09/xmldsig#"),
    "MIME": (b"multipart/signed", b"\r\n--ranh-gioi\r\n", b"application/pkcs7-signature", b"\r\n\r\nMII"),
}
"""Bytes that a signature of a text format consists of; when all are there, somebody may see a signature."""


def _holds_a_signature(kind: str, data: bytes) -> bool:
    marks = _MARKS.get(kind, ())
    return bool(marks) and all(mark in data for mark in marks)


def cases(number: int, all_seeds: list[Seed]) -> tuple[Seed, bytes]:
    """The case of a number: which file, and its mutation."""
    chance = random.Random(number)
    seed = chance.choice(all_seeds)
    others = [item.data for item in all_seeds if item.kind == seed.kind]
    return seed, mutate(chance, seed.kind, seed.data, others)


def _work(pipe: Connection, all_seeds: list[Seed], trust: TrustStore) -> None:
    logging.disable(logging.CRITICAL)
    resource.setrlimit(resource.RLIMIT_DATA, (3 * MEMORY_BYTES, 3 * MEMORY_BYTES))
    while True:
        number = pipe.recv()
        if number is None:
            return
        seed, data = cases(number, all_seeds)
        signal.setitimer(signal.ITIMER_PROF, HANG_SECONDS)  # SIGPROF ends the worker
        outcome = judge_case(seed, data, trust)
        signal.setitimer(signal.ITIMER_PROF, 0)
        pipe.send(outcome)


class Worker:
    """A process that judges cases, made anew after its death or when it has done its share."""

    def __init__(self, all_seeds: list[Seed], trust: TrustStore) -> None:
        self._context = multiprocessing.get_context("fork")
        self._given = (all_seeds, trust)
        self._left = 0

    def judge(self, number: int) -> Outcome:
        """The outcome of a case; the worker's death is one."""
        if self._left == 0:
            self._start()
        self._left -= 1
        self._pipe.send(number)
        if not self._pipe.poll(WAIT_SECONDS):
            return self._dead(f"no answer in {WAIT_SECONDS} s")
        try:
            outcome = self._pipe.recv()
        except EOFError:
            self._process.join()
            code = self._process.exitcode
            hung = code == -signal.SIGPROF
            return self._dead(f"more than {HANG_SECONDS} s of CPU" if hung else f"died with {code}")
        assert isinstance(outcome, Outcome)
        if outcome.memory > MEMORY_BYTES and not outcome.finding:
            outcome = replace(outcome, finding=f"{outcome.memory >> 20} MB of memory")
        if outcome.memory > MEMORY_BYTES or self._left == 0:
            self.stop()
        return outcome

    def stop(self) -> None:
        """End the process."""
        if hasattr(self, "_process"):
            self._process.kill()
            self._process.join()
            self._pipe.close()
            self._left = 0

    def _start(self) -> None:
        self._pipe, theirs = self._context.Pipe()
        self._process = self._context.Process(target=_work, args=(theirs, *self._given), daemon=True)
        self._process.start()
        theirs.close()
        self._left = CASES_PER_WORKER

    def _dead(self, finding: str) -> Outcome:
        self.stop()
        return Outcome("", finding, HANG_SECONDS, 0)


def fuzz(minutes: float, first: int, keep: Path | None = None) -> Account:
    """Judge cases for so many minutes, from the number ``first`` on."""
    pki = make_pki()
    all_seeds = seeds(pki)
    worker = Worker(all_seeds, pki.trust())
    account, until = Account(), time.monotonic() + minutes * 60
    try:
        for number in _numbers(first):
            if time.monotonic() > until:
                return account
            seed, data = cases(number, all_seeds)
            if data == seed.data:
                continue
            outcome = worker.judge(number)
            account.cases[seed.kind] += 1
            account.verdicts[seed.kind, outcome.indication] += 1
            account.slowest = max(account.slowest, outcome.seconds)
            account.largest = max(account.largest, outcome.memory)
            if outcome.finding:
                account.findings.append((number, f"{seed.kind} {seed.name}", outcome.finding))
                if keep is not None:
                    keep.mkdir(parents=True, exist_ok=True)
                    (keep / f"{number}.{seed.kind.lower()}").write_bytes(data)
                    (keep / f"{number}.original.{seed.kind.lower()}").write_bytes(seed.data)
    finally:
        worker.stop()
    return account


def _numbers(first: int) -> Iterator[int]:
    number = first * 1_000_000_000
    while True:
        yield number
        number += 1


def _lines(account: Account) -> Iterator[str]:
    for (kind, indication), count in sorted(account.verdicts.items()):
        yield f"{kind:6} {indication or 'no answer':14} {count}"
    yield f"cases: {account.cases.total()}; slowest {account.slowest:.2f} s of CPU; largest {account.largest >> 20} MB"
    yield f"findings: {len(account.findings)}"
    yield from (f"  {number} {where}: {what}" for number, where, what in account.findings)


def main(arguments: list[str] | None = None) -> int:
    """The command; exit status 1 when there are findings."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.fuzz_signatures",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    logging.disable(logging.CRITICAL)
    account = fuzz(options.minutes, options.seed, options.keep)
    summary = {
        "cases": dict(account.cases),
        "verdicts": {f"{kind} {found}": count for (kind, found), count in sorted(account.verdicts.items())},
        "slowest_seconds": round(account.slowest, 3),
        "largest_bytes": account.largest,
        "findings": [
            {"case": number, "file": where, "what": what} for number, where, what in account.findings
        ],
    }
    print(json.dumps(summary, ensure_ascii=False) if options.json else "\n".join(_lines(account)))
    return 1 if account.findings else 0


if __name__ == "__main__":
    sys.exit(main())
