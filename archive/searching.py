"""What a document is found by: symbol and issuer in one spelling each, and all words without diacritics.

Made in Python and stored, so that every PostgreSQL finds the same, whatever extensions and locale it has. A
query goes through the same functions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from mappings.vietnamese import fold
from schemas.document import OfficialDocument

_WORD = re.compile(r"[0-9a-z]+")
_PART = re.compile(r"[0-9]+|[a-z]+")
_LABEL = re.compile(r"^\s*(so|no|number)\b[\s.:]*(?=\d)")


def symbol_norm(text: str | None) -> str | None:
    """One spelling for all ways to write a number and notation.

    ``160-KL/TU``, ``Số: 0160 – kl / tu`` and ``160 KL.TU`` give ``160-kl-tu``: labels, spaces, kinds of
    dash and stroke, case, diacritics and leading zeros do not count. ``None`` when nothing is left.
    """
    if not text:
        return None
    plain = _LABEL.sub("", fold(text.replace("\u00d0", "Đ")))  # U+00D0, the Icelandic letter, is typed for Đ
    parts = [part.lstrip("0") or "0" if part.isdigit() else part for part in _PART.findall(plain)]
    return "-".join(parts) or None


def issuer_norm(name: str | None) -> str | None:
    """One spelling for an organ's name: its words without diacritics and case; ``None`` for none."""
    return " ".join(words(name)) or None if name else None


def search_text(document: OfficialDocument) -> str:
    """All words of ``document`` that it may be searched by, folded, one space between them."""
    return " ".join(
        filter(None, (_folded(piece) for text in _texts(document) for piece in (text or "").split()))
    )


def words(text: str | None) -> Iterator[str]:
    """The words of ``text``, folded: ``Đề án số 06`` gives ``de``, ``an``, ``so``, ``06``."""
    for piece in (text or "").split():
        yield from _folded(piece).split()


@lru_cache(maxsize=1 << 15)
def _folded(piece: str) -> str:
    # Piece by piece and remembered: Vietnamese has some ten thousand syllables, which repeat in every text.
    return " ".join(_WORD.findall(fold.__wrapped__(piece)))


def _texts(document: OfficialDocument) -> Iterable[str | None]:
    yield from (document.symbol, document.subject, document.abstract, document.type_name)
    yield document.issuer.name if document.issuer else None
    yield from (signer.full_name for signer in document.signers)
    yield from document.keywords
    yield document.body
    yield from (attachment.name for attachment in document.attachments)
    yield document.note
