from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

from demo.chance import stream, token
from demo.rsa_keys import is_probable_prime, rsa_key

_CARMICHAEL = (561, 41041, 825265, 321197185)
_STRONG_TO_BASE_2 = (2047, 3277, 4033, 1373653)


def test_the_same_stream_gives_the_same_key_and_another_name_another():
    first, again, other = (rsa_key(stream(7, name), 1024) for name in ("root", "root", "tsa"))
    assert first.private_numbers() == again.private_numbers()
    assert first.private_numbers() != other.private_numbers()
    assert first.key_size == 1024


def test_a_key_is_one_that_openssl_accepts_and_signs_with():
    der = rsa_key(stream(7, "seal"), 1024).private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    key = serialization.load_der_private_key(der, None)  # checks p, q, d and the exponents
    signature = key.sign(b"so 12", PKCS1v15(), hashes.SHA256())
    key.public_key().verify(signature, b"so 12", PKCS1v15(), hashes.SHA256())


@pytest.mark.parametrize("number", [31, 7919, 2**61 - 1, 2**127 - 1, 2**521 - 1])
def test_primes_pass(number):
    assert is_probable_prime(number)


@pytest.mark.parametrize("number", [*_CARMICHAEL, *_STRONG_TO_BASE_2, 2**67 - 1, (2**61 - 1) * (2**89 - 1)])
def test_composites_fail(number):
    assert not is_probable_prime(number)


def test_streams_and_tokens_do_not_depend_on_how_names_join():
    assert token(1, "ab", "c") != token(1, "a", "bc")
    assert stream(1, "x").random() == stream(1, "x").random() != stream(2, "x").random()
