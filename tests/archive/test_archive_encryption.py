"""The encrypted form of an object, and the key ring: what was written comes back, and nothing else does."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.encryption_check import RingCheck, check_ring
from archive.encryption_format import (
    CHUNK,
    HEADER,
    TAG,
    TRAILER,
    BrokenSealError,
    SealedReader,
    UnknownKeyError,
    examine,
    plain_size,
    seal,
    sealed_size,
)
from archive.encryption_keys import (
    KeyRing,
    new_ring,
    read_recovery,
    read_ring,
    recovered,
    with_new_data_key,
    with_new_machine_key,
    write_ring,
)
from schemas.errors import ConfigurationError, FatalError

KEY_ID, KEY = bytes(range(16)), bytes(range(32))
WHOLE = CHUNK + TAG


def keys(key_id: bytes) -> bytes:
    if key_id != KEY_ID:
        raise UnknownKeyError("no such key")
    return KEY


def name_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def sealed(data: bytes, *, pieces: list[bytes] | None = None, key: bytes = KEY) -> bytes:
    return b"".join(seal(pieces if pieces is not None else [data], name_of(data), len(data), KEY_ID, key))


def opened(stored: bytes, name: str) -> bytes:
    with SealedReader(io.BytesIO(stored), len(stored), name, keys) as reader:
        return io.BufferedReader(reader).read()


def again(stored: bytes) -> bytes:
    """``stored`` with a trailer that fits: what someone who may write the store would do."""
    body = stored[:-TRAILER]
    return body + hashlib.sha256(body).digest()


sizes = st.one_of(
    st.integers(0, 300),
    st.builds(lambda chunks, more: max(0, chunks * CHUNK + more), st.integers(0, 3), st.integers(-2, 2)),
)


@settings(max_examples=40, deadline=None)
@given(sizes, st.integers(1, 100_000))
def test_what_was_sealed_comes_back_however_it_is_cut(size: int, cut: int) -> None:
    data = os.urandom(size)
    stored = sealed(data, pieces=[data[start : start + cut] for start in range(0, size, cut)])
    assert len(stored) == sealed_size(size)
    assert plain_size(len(stored)) == size
    assert opened(stored, name_of(data)) == data
    assert examine(io.BytesIO(stored), len(stored), name_of(data), keys) == "content"
    assert examine(io.BytesIO(stored), len(stored), name_of(data), None) == "stored"


@given(st.integers(0, 1 << 40))
def test_the_length_of_the_file_tells_that_of_the_object(size: int) -> None:
    assert plain_size(sealed_size(size)) == size


@given(st.integers(0, 400_000))
def test_a_length_that_no_object_makes_is_told(stored: int) -> None:
    size = plain_size(stored)
    assert size is None or sealed_size(size) == stored


DATA = bytes(range(256)) * 1024  # four whole chunks


@settings(max_examples=150, deadline=None)
@given(st.integers(0, sealed_size(100_000) - 1), st.integers(0, 7), st.booleans())
def test_any_changed_bit_is_refused(place: int, bit: int, trailer_too: bool) -> None:
    data = DATA[:100_000]
    stored = bytearray(sealed(data))
    stored[place] ^= 1 << bit
    changed = again(bytes(stored)) if trailer_too else bytes(stored)
    if trailer_too and place >= len(stored) - TRAILER:
        return  # the change was mended
    with pytest.raises((BrokenSealError, UnknownKeyError)):
        examine(io.BytesIO(changed), len(changed), name_of(data), keys)
    if place < len(stored) - TRAILER:
        with pytest.raises(FatalError):
            opened(changed, name_of(data))
    if not trailer_too:
        with pytest.raises(BrokenSealError):
            examine(io.BytesIO(changed), len(changed), name_of(data), None)


def chunks_of(stored: bytes) -> tuple[bytes, list[bytes]]:
    body = stored[HEADER.size : -TRAILER]
    return stored[: HEADER.size], [body[start : start + WHOLE] for start in range(0, len(body), WHOLE)]


def joined(header: bytes, chunks: list[bytes]) -> bytes:
    return again(header + b"".join(chunks) + bytes(TRAILER))


def with_length(header: bytes, size: int) -> bytes:
    fields = list(HEADER.unpack(header))
    fields[4] = size
    return HEADER.pack(*fields)


def other_object(stored: bytes) -> bytes:
    return sealed(DATA[::-1])


def other_chunks(stored: bytes) -> bytes:
    return joined(stored[: HEADER.size], chunks_of(sealed(DATA[::-1]))[1])


def cut_at_a_chunk(stored: bytes) -> bytes:
    header, chunks = chunks_of(stored)
    return joined(with_length(header, 3 * CHUNK), chunks[:3])


def cut_at_a_chunk_with_the_old_length(stored: bytes) -> bytes:
    header, chunks = chunks_of(stored)
    return joined(header, chunks[:3])


def appended(stored: bytes) -> bytes:
    header, chunks = chunks_of(stored)
    return joined(with_length(header, 5 * CHUNK), [*chunks, chunks[-1]])


def swapped(stored: bytes) -> bytes:
    header, chunks = chunks_of(stored)
    return joined(header, [chunks[1], chunks[0], *chunks[2:]])


def repeated(stored: bytes) -> bytes:
    header, chunks = chunks_of(stored)
    return joined(header, [chunks[0], chunks[0], *chunks[2:]])


def other_key(stored: bytes) -> bytes:
    return sealed(DATA, key=bytes(32))


def renamed(stored: bytes) -> bytes:
    """Another object's file, its header made to tell this one's name."""
    other = sealed(DATA[::-1])
    return again(other[: HEADER.size - 32] + bytes.fromhex(name_of(DATA)) + other[HEADER.size :])


def one_byte_less(stored: bytes) -> bytes:
    return stored[:-1]


def one_byte_more(stored: bytes) -> bytes:
    return stored + b"\0"


def nothing_left(stored: bytes) -> bytes:
    return b""


def only_a_header(stored: bytes) -> bytes:
    return stored[: HEADER.size]


@pytest.mark.parametrize(
    "attack",
    [
        other_object, other_chunks, cut_at_a_chunk, cut_at_a_chunk_with_the_old_length, appended, swapped, repeated,
        other_key, renamed, one_byte_less, one_byte_more, nothing_left, only_a_header,
    ],
)  # fmt: skip
def test_what_was_not_written_is_refused(attack: Callable[[bytes], bytes]) -> None:
    stored = attack(sealed(DATA))
    with pytest.raises(BrokenSealError):
        examine(io.BytesIO(stored), len(stored), name_of(DATA), keys)
    with pytest.raises(FatalError, match="is not as it was written"):
        opened(stored, name_of(DATA))


def test_no_byte_of_a_changed_chunk_is_given_out() -> None:
    stored = bytearray(sealed(DATA))
    stored[HEADER.size + WHOLE + 5] ^= 1
    with SealedReader(io.BytesIO(bytes(stored)), len(stored), name_of(DATA), keys) as reader:
        assert reader.read(CHUNK) == DATA[:CHUNK]
        with pytest.raises(FatalError, match="chunk 1 was changed"):
            reader.read(1)


def test_the_form_is_the_documented_one() -> None:
    """Read by hand, as whoever inherits the archive would have to."""
    data = DATA + b"het"
    stored = sealed(data)
    header = stored[:104]
    assert header[:8] == b"LIENSEA1"
    assert header[8:24] == KEY_ID
    salt, prefix = header[24:56], header[56:63]
    assert header[63:72] == b"\0" + len(data).to_bytes(8, "big")
    assert header[72:] == hashlib.sha256(data).digest()
    key = HKDF(SHA256(), 32, salt=salt, info=b"lienthong object" + header).derive(KEY)
    plain = b""
    place, number = 104, 0
    while place < len(stored) - 32:
        piece = stored[place : min(place + 65_552, len(stored) - 32)]
        place += len(piece)
        last = b"\1" if place == len(stored) - 32 else b"\0"
        plain += AESGCM(key).decrypt(prefix + number.to_bytes(4, "big") + last, piece, header)
        number += 1
    assert plain == data
    assert stored[-32:] == hashlib.sha256(stored[:-32]).digest()


def test_the_same_object_is_never_encrypted_alike_twice() -> None:
    assert len({sealed(DATA)[HEADER.size : HEADER.size + 100] for _ in range(3)}) == 3


@pytest.mark.parametrize("pieces", [[b"ngan"], [b"dai hon"], []])
def test_content_of_another_length_than_told_is_no_object(pieces: list[bytes]) -> None:
    with pytest.raises(FatalError, match="another length than before"):
        list(seal(pieces, name_of(b"vua du"), 6, KEY_ID, KEY))


# The key ring.


@pytest.fixture
def recovery(tmp_path: Path) -> Path:
    return tmp_path / "recovery.txt"


@pytest.fixture
def ring(recovery: Path) -> KeyRing:
    return new_ring(recovery)


def test_a_ring_is_read_as_it_was_written_and_by_its_owner_only(ring: KeyRing, tmp_path: Path) -> None:
    path = tmp_path / "etc" / "keyring.json"
    write_ring(ring, path)
    assert read_ring(path) == ring
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o640)
    with pytest.raises(ConfigurationError, match="others than its owner"):
        read_ring(path)


def test_no_data_key_stands_open_in_the_ring_or_in_what_is_shared(ring: KeyRing, tmp_path: Path) -> None:
    write_ring(ring, tmp_path / "keyring.json")
    written = (tmp_path / "keyring.json").read_bytes() + ring.shared()
    for key in ring.opened.values():
        assert key.hex().encode() not in written
    assert ring.private.hex().encode() not in ring.shared()


def test_a_rotation_keeps_every_key(ring: KeyRing) -> None:
    rotated = with_new_data_key(ring)
    assert rotated.keys[:1] == ring.keys
    assert rotated.current[0] != ring.current[0]
    assert rotated.key(ring.current[0]) == ring.current[1]


def test_a_new_machine_key_locks_the_same_data_keys_anew(ring: KeyRing, tmp_path: Path) -> None:
    moved = with_new_machine_key(with_new_data_key(ring))
    write_ring(moved, tmp_path / "keyring.json")
    assert read_ring(tmp_path / "keyring.json").opened == moved.opened
    assert moved.private != ring.private
    assert set(ring.recipients.values()) != set(moved.recipients.values())


def test_the_sheet_in_the_safe_opens_later_keys_too(ring: KeyRing, recovery: Path, tmp_path: Path) -> None:
    later = with_new_machine_key(with_new_data_key(with_new_data_key(ring)))
    made = recovered([ring.shared(), later.shared()], recovery)
    assert made.opened == later.opened
    assert [key.id for key in made.keys] == [key.id for key in later.keys]
    assert made.private not in {ring.private, later.private}
    write_ring(made, tmp_path / "keyring.json")
    assert read_ring(tmp_path / "keyring.json") == made


def test_the_sheet_can_be_typed_off(recovery: Path, ring: KeyRing, tmp_path: Path) -> None:
    typed = tmp_path / "typed.txt"
    text = recovery.read_text("utf-8").splitlines()[-1].lower().replace(" ", "  ")
    typed.write_text(f"\n{text}\n", "utf-8")
    assert read_recovery(typed) == read_recovery(recovery)
    assert recovered([ring.shared()], typed).opened == ring.opened


def test_a_recovery_key_is_never_written_over(recovery: Path, ring: KeyRing) -> None:
    before = recovery.read_bytes()
    with pytest.raises(ConfigurationError, match="recovery key cannot be written"):
        new_ring(recovery)
    assert recovery.read_bytes() == before
    assert stat.S_IMODE(recovery.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "cannot be read at its beginning"),
        ('{"lienthong_keyring": 1}', "cannot be read at recipients"),
        (
            '{"lienthong_keyring": 2, "recipients": {}, "keys": [], "private": "00"}',
            "newer than this program",
        ),
        (
            '{"lienthong_keyring": 1, "recipients": {}, "keys": [], "private": "zz"}',
            "a private key is damaged",
        ),
    ],
)
def test_a_damaged_ring_is_told_without_its_content(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "keyring.json"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(ConfigurationError, match=told):
        read_ring(path)


def test_another_safes_sheet_opens_nothing(ring: KeyRing, tmp_path: Path) -> None:
    new_ring(tmp_path / "other.txt")
    with pytest.raises(ConfigurationError, match="opens no data key of this store"):
        recovered([ring.shared()], tmp_path / "other.txt")


def test_a_check_tells_what_is_missing(ring: KeyRing, recovery: Path, tmp_path: Path) -> None:
    later = with_new_data_key(ring)
    new_ring(tmp_path / "other.txt")
    assert check_ring(ring, [ring.shared()], recovery) == RingCheck(True, True, True, True)
    assert check_ring(later, [ring.shared()]) == RingCheck(True, False, True, None)
    assert check_ring(ring, [ring.shared(), later.shared()]) == RingCheck(True, True, False, None)
    assert check_ring(ring, [ring.shared()], tmp_path / "other.txt").recoverable is False
    assert check_ring(ring, [], recovery) == RingCheck(True, False, True, False)
    moved = with_new_machine_key(ring)
    assert check_ring(moved, [ring.shared()], recovery) == RingCheck(True, False, True, True)
    damaged = json.loads(ring.shared())
    for public, locked in damaged["keys"][0]["locked"].items():
        damaged["keys"][0]["locked"][public] = base64.b64encode(bytes(len(locked))).decode()
    assert check_ring(ring, [json.dumps(damaged).encode()], recovery) == RingCheck(True, False, True, False)


def test_a_locked_key_is_plain_hpke(ring: KeyRing, recovery: Path) -> None:
    """RFC 9180 with X25519, HKDF-SHA-256 and AES-256-GCM: any implementation opens it."""
    private = X25519PrivateKey.from_private_bytes(read_recovery(recovery))
    [key] = ring.keys
    locked = key.locked[private.public_key().public_bytes_raw().hex()]
    suite = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
    assert suite.decrypt(locked, private, b"lienthong data key " + key.id.encode()) == ring.current[1]
