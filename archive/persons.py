"""Telling persons apart where two have to agree: by what they call themselves, and by their account."""

from __future__ import annotations

import re

from archive.searching import words

_ADDRESS = re.compile(r"^(?:dong chi|d c|ong|ba|anh|chi)(?= )")


def person_norm(name: str) -> str:
    """One spelling for a person's name: ``Đ/c  Nguyễn Văn Mẫu`` and ``NGUYEN VAN MAU`` give ``nguyen van mau``."""
    return _ADDRESS.sub("", " ".join(words(name))).strip()
