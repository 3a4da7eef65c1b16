"""The key ring: the data keys of the encrypted objects, each locked to the recipients who can open it.

A data key (32 random bytes) encrypts objects; objects name it by its id. In the ring every data key stands once for
each recipient, encrypted to that recipient's public key by HPKE (RFC 9180: X25519, HKDF-SHA-256, AES-256-GCM). There
are two recipients: the machine, whose private key is in the ring's file, and the safe, whose private key is written
once, printed and locked away. Because the safe's public key is enough to lock to it, a rotation needs nothing from the
safe, and the sheet in the safe opens every later key too.

Rotating never touches an object: a new data key is for new objects only; a new machine key locks the data keys anew.
The ring's file is private (0600). What is locked in it may lie anywhere, and lies in the store as well (``shared``), so
that the store and the safe's sheet are enough to read everything (``recovered``).
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import stat
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from pydantic import BaseModel, ConfigDict, ValidationError

from archive.canonical import Json, canonical_bytes
from archive.encryption_format import KEY_ID, UnknownKeyError
from archive.folders import make_folder, write_private
from schemas.errors import ConfigurationError, FatalError

MACHINE, SAFE = "machine", "safe"
RECOVERY_MARK = "LIENTHONG-RECOVERY-1"

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_DATA_KEY = 32


class _KeyFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    created: datetime
    locked: dict[str, str]


class _SharedFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    lienthong_keyring: int
    recipients: dict[str, str]
    keys: list[_KeyFile]


class _RingFile(_SharedFile):
    private: str


_File = TypeVar("_File", bound=_SharedFile)


@dataclass(frozen=True, slots=True)
class LockedKey:
    """A data key as the ring holds it.

    Attributes:
        id: 32 hexadecimal digits.
        created: aware, UTC.
        locked: the key encrypted, by the hexadecimal public key of who can open it.
    """

    id: str
    created: datetime
    locked: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class KeyRing:
    """An opened ring; immutable, a rotation makes another one.

    Attributes:
        private: private key of the machine, 32 bytes.
        recipients: public keys, hexadecimal, by role (``machine``, ``safe``).
        keys: oldest first; the last one is for new objects.
        opened: the data keys by id.
    """

    private: bytes
    recipients: Mapping[str, str]
    keys: tuple[LockedKey, ...]
    opened: Mapping[str, bytes]

    @property
    def current(self) -> tuple[bytes, bytes]:
        """Id and bytes of the data key for new objects."""
        newest = self.keys[-1].id
        return bytes.fromhex(newest), self.opened[newest]

    def key(self, key_id: bytes) -> bytes:
        """The data key of that id.

        Raises:
            UnknownKeyError: the ring does not have it.
        """
        found = self.opened.get(key_id.hex())
        if found is None:
            raise UnknownKeyError(
                f"the key ring has no data key {key_id.hex()}",
                expected=f"one of {', '.join(key.id for key in self.keys)}",
                action="use the ring that the object was encrypted with, or recover it: lienthong keys recover",
            )
        return found

    def shared(self) -> bytes:
        """The locked keys, without anything that opens them: safe to keep with the objects and their copies."""
        return canonical_bytes(_shared(self))


def new_ring(recovery: Path) -> KeyRing:
    """A ring with one data key; the private key of the safe is written to ``recovery``, which must not exist.

    Raises:
        ConfigurationError: ``recovery`` exists or cannot be written.
    """
    machine, safe = X25519PrivateKey.generate(), X25519PrivateKey.generate()
    _write_new(recovery, _recovery_text(safe))
    ring = KeyRing(
        machine.private_bytes_raw(),
        {MACHINE: _public(machine), SAFE: _public(safe)},
        (),
        MappingProxyType({}),
    )
    return with_new_data_key(ring)


def with_new_data_key(ring: KeyRing) -> KeyRing:
    """``ring`` and a new data key, which is for objects from now on."""
    key_id, key = secrets.token_bytes(KEY_ID).hex(), secrets.token_bytes(_DATA_KEY)
    locked = _locked(key_id, key, datetime.now(UTC), ring.recipients)
    return replace(ring, keys=(*ring.keys, locked), opened=MappingProxyType({**ring.opened, key_id: key}))


def with_new_machine_key(ring: KeyRing) -> KeyRing:
    """``ring`` for a new private key of the machine: every data key locked anew, no object touched.

    It does not take back what the old private key and an old copy of the ring can open; for that, rotate the data key
    too, which protects objects from then on.
    """
    machine = X25519PrivateKey.generate()
    recipients = {**ring.recipients, MACHINE: _public(machine)}
    keys = tuple(_locked(key.id, ring.opened[key.id], key.created, recipients) for key in ring.keys)
    return KeyRing(machine.private_bytes_raw(), recipients, keys, ring.opened)


def recovered(copies: Iterable[bytes], recovery: Path) -> KeyRing:
    """A ring for this machine from the copies that lie in a store, opened with the private key from the safe.

    Raises:
        ConfigurationError: the file is no recovery key, or opens none of the copies.
        FatalError: a copy is no key ring.
    """
    private = read_recovery(recovery)
    safe = _public(X25519PrivateKey.from_private_bytes(private))
    found: dict[str, LockedKey] = {}
    for copy in copies:
        for key in _keys(_parsed(_SharedFile, copy, "a copy of the key ring").keys):
            if safe in key.locked:
                found.setdefault(key.id, key)
    if not found:
        raise ConfigurationError(
            "the recovery key opens no data key of this store",
            where=str(recovery),
            action="look for the sheet that was made when this store's encryption was turned on",
        )
    opened = {key.id: _open(key, private) for key in found.values()}
    machine = X25519PrivateKey.generate()
    recipients = {MACHINE: _public(machine), SAFE: safe}
    keys = sorted(found.values(), key=lambda key: (key.created, key.id))
    return KeyRing(
        machine.private_bytes_raw(),
        recipients,
        tuple(_locked(key.id, opened[key.id], key.created, recipients) for key in keys),
        MappingProxyType(opened),
    )


def ids_in(copy: bytes) -> list[str]:
    """The ids of the data keys in a copy of a ring (``KeyRing.shared``).

    Raises:
        ConfigurationError: it is none.
    """
    return [key.id for key in _parsed(_SharedFile, copy, "a copy of the key ring").keys]


def opened_in(copies: Iterable[bytes], private: bytes) -> dict[str, bytes]:
    """The data keys that the private key opens in copies of a ring, by their ids.

    Raises:
        ConfigurationError: a copy is none.
    """
    own = _public(X25519PrivateKey.from_private_bytes(private))
    found: dict[str, bytes] = {}
    for copy in copies:
        for key in _keys(_parsed(_SharedFile, copy, "a copy of the key ring").keys):
            if own in key.locked:
                with suppress(FatalError):  # a damaged copy; another one may hold it whole
                    found[key.id] = _open(key, private)
    return found


def read_ring(path: Path) -> KeyRing:
    """The ring in the file ``path``.

    Raises:
        ConfigurationError: it is not there, others may read it, or it is no key ring.
        FatalError: its private key does not open its data keys.
    """
    try:
        mode = path.stat().st_mode
        data = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"the key ring cannot be read: {error.strerror}",
            where=str(path),
            action="correct LIENTHONG_KEYRING, or recover the ring: lienthong keys recover",
        ) from error
    if stat.S_IMODE(mode) & 0o077:
        raise ConfigurationError(
            "others than its owner may read the key ring", where=str(path), action=f"chmod 600 {path}"
        )
    file = _parsed(_RingFile, data, "the key ring", str(path))
    private, keys = _bytes(file.private, path), _keys(file.keys)
    ring = KeyRing(
        private, file.recipients, keys, MappingProxyType({key.id: _open(key, private) for key in keys})
    )
    if not keys:
        raise ConfigurationError("the key ring holds no data key", where=str(path))
    return ring


def write_ring(ring: KeyRing, path: Path) -> None:
    """Write ``ring`` to ``path``, whole or not at all; readable by its owner only."""
    make_folder(path.parent, 0o700)
    text = json.dumps({**_shared(ring), "private": ring.private.hex()}, indent=2, sort_keys=True)
    write_private(path, text + "\n")


def read_recovery(path: Path) -> bytes:
    """The private key of the safe, from its file or from what was typed off its sheet: spaces do not matter.

    Raises:
        ConfigurationError: there is none.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"the recovery key cannot be read: {error}", where=str(path)) from error
    for line in lines:
        words = line.split()
        if words and words[0].upper() == RECOVERY_MARK:
            return _bytes("".join(words[1:]), path)
    raise ConfigurationError(
        "this is no recovery key", where=str(path), expected=f"a line that begins with {RECOVERY_MARK}"
    )


def _recovery_text(private: X25519PrivateKey) -> str:
    digits = private.private_bytes_raw().hex().upper()
    groups = " ".join(digits[start : start + 4] for start in range(0, len(digits), 4))
    return (
        "# Khoá khôi phục kho lưu trữ Liên thông: in ra, cất vào két, rồi xoá tệp này.\n"
        "# Recovery key of a Lienthong archive: print it, lock it away, then delete this file.\n"
        f"# public: {_public(private)}\n"
        f"{RECOVERY_MARK} {groups}\n"
    )


def _write_new(path: Path, text: str) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(descriptor)
    except OSError as error:
        raise ConfigurationError(
            f"the recovery key cannot be written: {error.strerror}",
            where=str(path),
            expected="a new file, on a medium that leaves this machine",
        ) from error


def _locked(key_id: str, key: bytes, created: datetime, recipients: Mapping[str, str]) -> LockedKey:
    locked = {
        public: _SUITE.encrypt(key, X25519PublicKey.from_public_bytes(bytes.fromhex(public)), _info(key_id))
        for public in recipients.values()
    }
    return LockedKey(key_id, created, MappingProxyType(locked))


def _open(key: LockedKey, private: bytes) -> bytes:
    own = X25519PrivateKey.from_private_bytes(private)
    try:
        return _SUITE.decrypt(key.locked[_public(own)], own, _info(key.id))
    except (InvalidTag, KeyError, ValueError):
        raise FatalError(
            f"the data key {key.id} cannot be opened with this private key",
            action="restore the key ring from its backup, or recover it: lienthong keys recover",
        ) from None


def _info(key_id: str) -> bytes:
    return b"lienthong data key " + key_id.encode()


def _public(private: X25519PrivateKey) -> str:
    return private.public_key().public_bytes_raw().hex()


def _shared(ring: KeyRing) -> dict[str, Json]:
    keys: list[Json] = [
        {
            "id": key.id,
            "created": key.created.isoformat(),
            "locked": {public: base64.b64encode(data).decode() for public, data in key.locked.items()},
        }
        for key in ring.keys
    ]
    return {"lienthong_keyring": 1, "recipients": dict(ring.recipients), "keys": keys}


def _keys(files: Iterable[_KeyFile]) -> tuple[LockedKey, ...]:
    return tuple(
        LockedKey(
            file.id,
            file.created,
            MappingProxyType({public: base64.b64decode(data) for public, data in file.locked.items()}),
        )
        for file in files
    )


def _parsed(model: type[_File], data: bytes, what: str, where: str = "") -> _File:
    try:
        found = model.model_validate_json(data)
    except ValidationError as error:
        # The error's own text quotes what it read.
        place = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise ConfigurationError(
            f"{what} cannot be read at {place or 'its beginning'}", where=where
        ) from None
    if found.lienthong_keyring != 1:
        raise ConfigurationError(
            f"{what} is of version {found.lienthong_keyring}, which is newer than this program", where=where
        )
    return found


def _bytes(digits: str, path: Path) -> bytes:
    try:
        found = bytes.fromhex(digits)
    except ValueError:
        found = b""
    if len(found) != _DATA_KEY:
        raise ConfigurationError(
            "a private key is damaged", where=str(path), expected="64 hexadecimal digits"
        )
    return found
