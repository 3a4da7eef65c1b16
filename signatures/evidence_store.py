"""Revocation lists and OCSP answers that were accepted, kept for ever with the time of their receipt.

Layout below the trust folder::

    store/crl/<group>/<thisUpdate>-<number>-<sha256, 16 digits>.crl    the bytes, DER
    store/crl/<group>/<the same name>.json                             the receipt
    store/ocsp/<serial>-<issuer's key hash>/<thisUpdate>-<sha256, 16 digits>.ocsp          and its receipt likewise

A group is one issuer with one key and one scope (RFC 5280 §5.2.5): within it a newer list replaces an older
one as present knowledge, and the older one stays the evidence of its time. The names alone tell what is to be
read, so that opening a store of many years costs a listing of folders and not the parsing of every list.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from asn1crypto import ocsp as asn1_ocsp
from pyhanko_certvalidator.revinfo.archival import OCSPContainer

from signatures.revocation import RevocationList

STORE = "store"
_STAMP = "%Y%m%dT%H%M%SZ"
_MOST_PARSED = 64


@dataclass(frozen=True, slots=True)
class Receipt:
    """When and as what an item entered the store: the archive's own proof of existence.

    Attributes:
        sha256: of the bytes.
        received_at: when they were accepted, aware.
        kind: ``crl`` or ``ocsp``.
        issuer: RFC 4514 string of who made it.
        this_update, next_update: as it says, aware; ``next_update`` is ``None`` where it gives none.
        number: CRL number, decimal; ``""`` without one. entries: revoked certificates that it names.
        file: name under which it was dropped.
    """

    sha256: str
    received_at: datetime
    kind: str
    issuer: str
    this_update: datetime
    next_update: datetime | None
    number: str
    entries: int
    file: str


@dataclass(frozen=True, slots=True)
class Shelved:
    """An item of the store as its name tells it.

    Attributes:
        group: folder: issuer, key and scope of a list; serial number and issuer of an answer's certificate.
        issued: ``thisUpdate``, aware.
        path: of the bytes.
    """

    group: str
    issued: datetime
    path: Path

    @property
    def digits(self) -> str:
        """The first 16 digits of the SHA-256 of its bytes."""
        return self.path.stem.rpartition("-")[2]

    @property
    def is_received(self) -> bool:
        """False after a take that was killed before it wrote the receipt; the next one mends it."""
        return self.path.with_suffix(".json").exists()

    @property
    def receipt(self) -> Receipt:
        """Read from its file beside the bytes.

        Raises:
            OSError: there is none yet; see ``is_received``.
        """
        fields = json.loads(self.path.with_suffix(".json").read_bytes())
        for name in ("received_at", "this_update", "next_update"):
            fields[name] = datetime.fromisoformat(fields[name]) if fields[name] else None
        return Receipt(**fields)


def shelved(folder: Path, kind: str) -> tuple[Shelved, ...]:
    """What the store in the trust folder ``folder`` holds of ``kind`` (``crl`` or ``ocsp``), oldest first."""
    return tuple(sorted(_items(folder / STORE / kind, f".{kind}"), key=lambda item: (item.issued, item.path)))


def put(folder: Path, group: str, data: bytes, receipt: Receipt) -> bool:
    """Keep ``data`` with its receipt; whether it is new. The first receipt of the same bytes stays.

    Both files get their names by a rename after their bytes are on disk, the receipt last: killed in between,
    the take that is repeated writes what is missing.
    """
    place = folder / STORE / receipt.kind / group
    place.mkdir(parents=True, exist_ok=True)
    number = f"-{receipt.number or 0}" if receipt.kind == "crl" else ""
    stamp = receipt.this_update.astimezone(UTC).strftime(_STAMP)
    path = place / f"{stamp}{number}-{receipt.sha256[:16]}.{receipt.kind}"
    if not path.exists():
        _write(path, data)
    proof = path.with_suffix(".json")
    if proof.exists():
        return False
    fields = {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in asdict(receipt).items()
    }
    text = json.dumps(fields, ensure_ascii=False, sort_keys=True, indent=1)
    return _write(proof, text.encode("utf-8", "backslashreplace"))


def chosen(items: Iterable[Shelved], moments: Iterable[datetime]) -> list[Shelved]:
    """Of each group the newest item that was issued by each of ``moments``; ``items`` are oldest first."""
    groups: dict[str, list[Shelved]] = {}
    for item in items:
        groups.setdefault(item.group, []).append(item)
    wanted = sorted(set(moments))
    found: dict[Path, Shelved] = {}
    for members in groups.values():
        dates = [member.issued for member in members]
        for moment in wanted:
            place = bisect_right(dates, moment)
            if place:
                found[members[place - 1].path] = members[place - 1]
    return list(found.values())


@lru_cache(maxsize=_MOST_PARSED)
def list_at(path: Path) -> RevocationList:
    """The stored list, parsed; the newest few of a process stay parsed."""
    return RevocationList.load(path.read_bytes())


@lru_cache(maxsize=_MOST_PARSED)
def answers_at(path: Path) -> tuple[OCSPContainer, ...]:
    """The stored answer, parsed."""
    return answers_of(path.read_bytes())


def answers_of(der: bytes) -> tuple[OCSPContainer, ...]:
    """The single responses of an OCSP response in DER."""
    return tuple(OCSPContainer.load_multi(asn1_ocsp.OCSPResponse.load(der)))


def sha256_of(data: bytes) -> str:
    """Lower-case hexadecimal SHA-256."""
    return hashlib.sha256(data).hexdigest()


def _items(folder: Path, suffix: str) -> Iterator[Shelved]:
    if not folder.is_dir():
        return
    for group in os.scandir(folder):
        if not group.is_dir():
            continue
        for entry in os.scandir(group.path):
            if entry.name.endswith(suffix):
                stamp = entry.name.partition("-")[0]
                yield Shelved(
                    group.name, datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC), Path(entry.path)
                )


def _write(path: Path, data: bytes) -> bool:
    """Write ``path`` whole, unless it is there already; whether it was written."""
    partial = path.with_name(f".{secrets.token_hex(8)}.partial")
    try:
        with partial.open("xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        partial.chmod(0o440)
        try:
            path.hardlink_to(partial)  # unlike a rename it never replaces another's earlier file
        except FileExistsError:
            return False
    finally:
        partial.unlink(missing_ok=True)
    return True
