"""Mutates edXML packages of both dialects and sees that each is read or refused, never anything else.

``python -m benchmarks.fuzz_edxml --minutes 5 [--seed N] [--keep FOLDER]`` prints one JSON object. For every
mutant: no exception, the same answer from the parser and from its known tags, every attachment readable to the
size that it claims, every defect of a known class, and no more than ``--seconds`` of processor time. A mutant
that breaks this is written to the folder, and the exit status is 1.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import random
import sys
import time
import traceback
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path

from connectors.operations.defects import CLASSES
from connectors.operations.edxml import parse_edxml
from connectors.operations.moments import LOCAL
from connectors.operations.package import (
    Business,
    DocumentPackage,
    Organ,
    PackageFile,
    Receiver,
    Replacement,
    ResponseFor,
    Signer,
    Staff,
    StatusMessage,
    Trace,
)
from connectors.operations.shapes import shape_of
from connectors.operations.strict import breaches
from connectors.operations.writer import write_document, write_status
from connectors.operations.writer_v1 import OLDEST_NAMESPACE, write_document_v1, write_status_v1
from schemas.record import BytesContent, Listing, SourceRecord, Unreadable, chunks

_LISTING = Listing("k", "r", "l")
_PDF = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n" + bytes(range(256)) + b"\n%%EOF\n"
_MOMENT = datetime(2025, 3, 14, 16, 5, 9, tzinfo=LOCAL)
_TOKENS = (
    b"<", b">", b"</", b"/>", b"&", b"&amp;", b"&#0;", b"<!--", b"-->", b"<![CDATA[", b"]]>", b"<?xml", b"?>",
    b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"<ContentTransferEncoded>", b"</ContentTransferEncoded>", b"<edXML>",
    b"</edXML>", b"</edXML:edXML>", b"<Attachment>", b"</Attachment>", b"xmlns:a='b'", b"xlink:href='cid:1'",
    b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\r\n", b"\n\n", b"--", b"Content-Type: multipart/related; boundary=",
    b"Content-Transfer-Encoding: quoted-printable\r\n", b"=?utf-8?b?xx?=", b"=", b"====", b"-_", b"null",
    b"2025/02/30", b"PK\x03\x04", b"PK\x05\x06", b"PK\x06\x06", b"encoding='utf-16'", b"encoding='utf-7'",
)  # fmt: skip


def main() -> None:
    """Mutate until the time is over."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--minutes", type=float, default=1.0)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument(
        "--seconds", type=float, default=5.0, help="processor time that one mutant may take"
    )
    arguments.add_argument("--keep", type=Path, default=Path("fuzz-failures"))
    chosen = arguments.parse_args()
    chance = random.Random(chosen.seed)
    seeds = list(_seeds())
    outcomes: Counter[str] = Counter()
    failures = 0
    end = time.monotonic() + 60 * chosen.minutes
    while time.monotonic() < end:
        mutant = _mutated(chance, seeds)
        start = time.process_time()
        try:
            outcomes[_examined(mutant)] += 1
            assert time.process_time() - start <= chosen.seconds, "it took too long"
        except Exception:
            failures += 1
            _keep(mutant, chosen.keep)
    figures = {"mutants": outcomes.total() + failures, "failures": failures, "seed": chosen.seed}
    print(json.dumps({**figures, "outcomes": dict(outcomes.most_common())}))
    sys.exit(failures > 0)


def _seeds() -> Iterator[bytes]:
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.pdf", _PDF)
    package = DocumentPackage(
        sender=Organ("000.00.00.H10", "Văn phòng Tỉnh ủy"),
        recipients=(Organ("000.00.12.H10", "Sở Y tế"),),
        document_id="000.00.00.H10,2025/03/14,160-KL/TU",
        code_number="160",
        code_notation="KL/TU",
        promulgation_date=date(2025, 3, 14),
        subject="Kết luận về công tác phòng, chống dịch bệnh",
        type_name="Kết luận",
        signer=Signer("Nguyễn Văn A"),
        response_for=(ResponseFor("000.00.12.H10", "12", "12/BC-SYT"),),
        trace=(Trace("000.00.00.H10", _MOMENT),),
        business=Business(
            "2", "Lý do", receivers=(Receiver("A", "1"),), replacements=(Replacement("B", ("C",)),)
        ),
        files=(PackageFile("a.pdf", _PDF), PackageFile("b.pdf", zipped.getvalue())),
    )
    status = StatusMessage(
        Organ("000.00.12.H10"), ResponseFor("000.00.00.H10", "12"), "03", _MOMENT, "Đã nhận", Staff("Văn thư")
    )
    inner = write_document(package)
    yield inner
    nested = PackageFile("trong.edxml", inner, "application/zip", zipped=True)
    yield write_document(
        DocumentPackage(package.sender, (), "1", "1", "A", date(2025, 3, 14), "S", "T", files=(nested,))
    )
    yield write_status(status)
    yield write_status_v1(status)
    for encoding in ("base64", "binary", "quoted-printable"):
        yield write_document_v1(package, encoding=encoding, namespace=OLDEST_NAMESPACE)
    message = write_document_v1(package)
    yield message
    yield message[message.index(b"\r\n\r\n") + 4 :]
    yield inner.decode().replace("UTF-8", "UTF-16").encode("utf-16")


def _mutated(chance: random.Random, seeds: list[bytes]) -> bytes:
    data = chance.choice(seeds)
    for _ in range(chance.choice((1, 1, 2, 3, 5, 8))):
        data = chance.choice(_MUTATIONS)(chance, data, chance.choice(seeds))
    return data


def _flip(chance: random.Random, data: bytes, _: bytes) -> bytes:
    at = chance.randrange(len(data) or 1)
    return data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]


def _delete(chance: random.Random, data: bytes, _: bytes) -> bytes:
    at = chance.randrange(len(data) or 1)
    return data[:at] + data[at + chance.choice((1, 3, 20, 300)) :]


def _insert(chance: random.Random, data: bytes, _: bytes) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.choice(_TOKENS) + data[at:]


def _repeat(chance: random.Random, data: bytes, _: bytes) -> bytes:
    at = chance.randrange(len(data) + 1)
    end = at + chance.choice((1, 30, 400))
    return data[:end] + data[at:end] * chance.choice((1, 2, 40)) + data[end:]


def _splice(chance: random.Random, data: bytes, other: bytes) -> bytes:
    return data[: chance.randrange(len(data) + 1)] + other[chance.randrange(len(other) + 1) :]


def _cut(chance: random.Random, data: bytes, _: bytes) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


_MUTATIONS: tuple[Callable[[random.Random, bytes, bytes], bytes], ...] = (
    _flip, _flip, _delete, _insert, _insert, _repeat, _splice, _cut
)  # fmt: skip


def _examined(mutant: bytes) -> str:
    """What became of the mutant; raises when something is wrong with the answer."""
    shape_of.cache_clear()
    answer = parse_edxml(_LISTING, BytesContent(mutant), {"file": "mutant"})
    assert _comparable(answer) == _comparable(parse_edxml(_LISTING, BytesContent(mutant), {"file": "mutant"}))
    assert answer.original == BytesContent(mutant)
    list(breaches(answer))
    if isinstance(answer, Unreadable):
        assert answer.where
        assert answer.message
        return answer.reason
    assert {defect.code for defect in answer.defects} <= set(CLASSES)
    assert answer.fields
    return "read with defects" if answer.defects else "read"


def _comparable(answer: SourceRecord | Unreadable) -> object:
    if isinstance(answer, Unreadable):
        return answer.reason, answer.message, answer.where
    files = []
    for attachment in answer.attachments:
        size, digest = 0, hashlib.sha256()
        for piece in chunks(attachment.content):
            size += len(piece)
            digest.update(piece)
        assert size == attachment.content.size
        files.append((attachment.name, attachment.item, attachment.defects, digest.hexdigest()))
    return answer.fields, files, answer.defects


def _keep(mutant: bytes, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{hashlib.sha256(mutant).hexdigest()[:16]}.edxml"
    path.write_bytes(mutant)
    print(f"{path}\n{traceback.format_exc()}", file=sys.stderr)


if __name__ == "__main__":
    main()
