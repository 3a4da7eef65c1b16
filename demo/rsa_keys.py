"""RSA keys that repeat from a seed, for a test PKI only: whoever knows the seed knows the keys."""

from __future__ import annotations

import math
import random

from cryptography.hazmat.primitives.asymmetric import rsa

KEY_BITS = 2048
_EXPONENT = 65537
_WINDOW = 1 << 15
_WITNESSES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29)


def rsa_key(chance: random.Random, bits: int = KEY_BITS) -> rsa.RSAPrivateKey:
    """The RSA key of ``bits`` bits that ``chance`` leads to; the same state gives the same key."""
    p = _prime(chance, bits // 2)
    q = _prime(chance, bits // 2)
    d = pow(_EXPONENT, -1, math.lcm(p - 1, q - 1))
    numbers = rsa.RSAPrivateNumbers(
        p=p,
        q=q,
        d=d,
        dmp1=d % (p - 1),
        dmq1=d % (q - 1),
        iqmp=pow(q, -1, p),
        public_numbers=rsa.RSAPublicNumbers(_EXPONENT, p * q),
    )
    # Validation repeats the primality tests below at a cost of about a tenth of a second a key.
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)


def is_probable_prime(number: int) -> bool:
    """Miller-Rabin with ten fixed witnesses, for odd numbers above 29 that nobody chose to deceive it."""
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    return all(_passes(number, witness, odd, twos) for witness in _WITNESSES)


def _prime(chance: random.Random, bits: int) -> int:
    top = 3 << (bits - 2)  # both high bits set, so that the product of two has exactly twice the length
    while True:
        start = chance.getrandbits(bits) | top | 1
        for offset in _survivors(start):
            candidate = start + offset
            if candidate % _EXPONENT != 1 and is_probable_prime(candidate):
                return candidate


def _survivors(start: int) -> list[int]:
    """Even offsets below the window whose numbers no small prime divides: a sieve spares most powers."""
    composite = bytearray(_WINDOW)
    for prime in _SMALL_PRIMES:
        first = -start % prime
        composite[first::prime] = b"\x01" * len(range(first, _WINDOW, prime))
    return [offset for offset in range(0, _WINDOW, 2) if not composite[offset]]


def _passes(number: int, witness: int, odd: int, twos: int) -> bool:
    power = pow(witness, odd, number)
    if power in (1, number - 1):
        return True
    for _ in range(twos - 1):
        power = power * power % number
        if power == number - 1:
            return True
    return False


def _primes_below(limit: int) -> tuple[int, ...]:
    sieve = bytearray(b"\x01") * limit
    sieve[:2] = b"\x00\x00"
    for number in range(2, math.isqrt(limit) + 1):
        if sieve[number]:
            sieve[number * number :: number] = bytes(len(range(number * number, limit, number)))
    return tuple(number for number in range(3, limit) if sieve[number])


_SMALL_PRIMES = _primes_below(20_000)
