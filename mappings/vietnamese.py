"""Vietnamese text: what a record's texts say, decoded where they are legacy, NFC last; folding for search.

A font decides where it is known, of the run or else of the form's field; otherwise the words of the text and of
the whole record do, and below ``MIN_CONFIDENCE`` nothing is converted. Every decision says what it rests on; the
caller keeps the original string beside it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import groupby

from mappings.legacy_decoding import decode
from mappings.legacy_evidence import (
    AS_IS,
    MIN_CONFIDENCE,
    OTHER,
    PRIOR,
    VIQR_PRIOR,
    Evidence,
    Reading,
    Weights,
    has_letter_controls,
    is_unicode_vietnamese,
    may_be_legacy,
    outcome,
    words_of_viqr,
)
from mappings.legacy_fonts import draws_capitals, encoding_of_font, tells_nothing
from mappings.legacy_tables import Encoding
from schemas.record import Field, TextRun


class Reason(StrEnum):
    """What a decoding rests on."""

    FONT = "font"  # the font of the run
    FORM_FIELD = "form_field"  # the font of the field in the form's design
    OWN_WORDS = "own_words"  # the text's own words
    RECORD = "record"  # the words of the record's other texts
    ASKED = "asked"  # whoever ran the command
    COMPOSED = "composed"  # nothing had to be found out: the text was Unicode, with its marks apart


@dataclass(frozen=True, slots=True)
class Basis:
    """Why a text was decoded.

    Attributes:
        encoding: what it was.
        reason: what says so.
        confidence: the probability that it is right; of a font's word 1.
    """

    encoding: Encoding
    reason: Reason
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text in NFC, and why it was decoded; ``bases`` is empty for text that is as it was."""

    text: str
    bases: tuple[Basis, ...] = ()

    @property
    def encodings(self) -> tuple[Encoding, ...]:
        """The encodings that it was decoded from, each once."""
        return tuple(dict.fromkeys(basis.encoding for basis in self.bases))


@lru_cache(maxsize=4096)
def fold(text: str) -> str:
    """For comparison and search: no diacritics, lower case, single spaces; ``Hỏa tốc`` gives ``hoa toc``.

    ``đ`` becomes ``d``, and so does U+00F0, which only looks like it. Drops format characters, the soft hyphen
    among them: for text that has been decoded.
    """
    letters = unicodedata.normalize("NFD", text.lower())
    bare = "".join(c for c in letters if unicodedata.category(c) not in ("Mn", "Cf"))
    return " ".join(bare.replace("đ", "d").replace("\u00f0", "d").split())


def nfc(text: str) -> str:
    """``text`` composed; nothing else changes."""
    return unicodedata.normalize("NFC", text)


class RecordText:
    """Decodes the texts of one record, which were typed on one machine: what is too short alone follows all.

    Args:
        texts: every plain text of the record.
        runs: every text of the record in runs; those with a legacy font, and those with none, count as evidence.
    """

    def __init__(self, texts: Iterable[str], runs: Iterable[Sequence[TextRun]] = ()) -> None:
        held = [*texts]
        for text_in_runs in runs:
            for (encoding, _, unknown, _), alike in groupby(text_in_runs, _look):
                if encoding or unknown:
                    held.append("".join(run.text for run in alike))
        legacy = [text for text in held if may_be_legacy(text)]
        self._evidence = Evidence(legacy)
        unicode = sum(not text.isascii() and is_unicode_vietnamese(text) for text in held)
        # Texts in Unicode beside legacy ones show that the record was not typed on one machine.
        self._stay = min(_STAY, len(legacy) / (len(legacy) + unicode)) if legacy else 0.0
        marked = "\n".join(text for text in held if text.isascii() and "^" in text)
        self._viqr = words_of_viqr(marked) if marked else None

    @classmethod
    def of(cls, fields: Iterable[Field]) -> RecordText:
        """The texts of a record's fields (``field_paths.leaves``)."""
        held = tuple(fields)
        return cls(
            (value for field in held if not field.runs for value in field.values),
            (field.runs for field in held if field.runs),
        )

    def decode(self, text: str, form_font: str | None = None) -> Decoded:
        """Decode a text without font of its own; unchanged but for NFC where nothing convinces.

        Args:
            text: as the source prints it.
            form_font: font of the field in the form's design, where that is known. One for Unicode leaves only the
                text's own words to convince: the design may be younger than the text. A capitals font gives
                capitals where it is believed.
        """
        if text.isascii() and not has_letter_controls(text):
            return self._decode_ascii(text)
        lines = _suspects(text)
        if not lines:
            return _composed(text)
        basis = self._basis("\n".join(line for line, suspect in lines if suspect), form_font)
        if basis is None:
            return _composed(text)
        capitals = basis.reason is Reason.FORM_FIELD and draws_capitals(form_font)
        return _decoded(text, _decode_lines(lines, basis.encoding, capitals), basis)

    def decode_runs(self, runs: Sequence[TextRun]) -> Decoded:
        """Decode runs in order: those with a legacy font by it, those whose font says nothing as ``decode`` does,
        others not.

        A capitals font gives capitals, of ASCII letters too. Neighbours are read together: a word, and a letter of
        VNI, may be cut by a change of style.
        """
        parts = list(self._parts(runs))
        bases = [basis for part in parts for basis in part.bases]
        text = nfc("".join(part.text for part in parts))
        return Decoded(text, _weakest(bases))

    def decode_field(self, field: Field) -> list[Decoded]:
        """The members of a field (``field_paths.members``) decoded."""
        if field.runs:
            return [self.decode_runs(field.runs)]
        return [self.decode(value, field.font) for value in field.values]

    def guess(self, text: str) -> Basis | None:
        """What ``text`` is likelier than anything else, though not likely enough to be decoded; ``None`` for text
        that is likelier as it should be."""
        lines = _suspects(text)
        if not lines:
            return None
        own = Evidence().of("\n".join(line for line, suspect in lines if suspect))
        encoding, confidence = _best(own.confidences(PRIOR))
        return Basis(encoding, Reason.OWN_WORDS, confidence) if confidence > 0.5 else None

    def _parts(self, runs: Sequence[TextRun]) -> Iterator[Decoded]:
        fonts = {encoding_of_font(run.font) for run in runs} - {None}
        refuted = {
            encoding
            for encoding in fonts
            if encoding
            and self._refutes(
                "".join(run.text for run in runs if encoding_of_font(run.font) is encoding), encoding
            )
        }
        for (encoding, capitals, unknown, _), alike in groupby(runs, _look):
            text = "".join(run.text for run in alike)
            if unknown:
                yield self.decode(text)
            elif encoding is None or encoding in refuted:
                yield _composed(text)
            else:
                yield self._by_font(text, encoding, capitals)

    def _refutes(self, text: str, encoding: Encoding) -> bool:
        """Whether the words contradict their font: Unicode that was pasted into it."""
        own = self._evidence.of(text) if may_be_legacy(text) else Weights({})
        return own.confidences(_sure(encoding, 1e-4))[encoding] < 0.5

    def _by_font(self, text: str, encoding: Encoding, capitals: bool) -> Decoded:
        """Text in a legacy font. Of Unicode that was pasted into it, lines that convince are legacy all the same."""
        basis = Basis(encoding, Reason.FONT)
        if text.isascii() or may_be_legacy(text):
            read = decode(text, encoding) if may_be_legacy(text) else text
            return _decoded(text, read.upper() if capitals else read, basis)
        lines = [(line, may_be_legacy(line)) for line in text.split("\n")]
        own = self._evidence.of("\n".join(line for line, suspect in lines if suspect))
        if own.confidences(PRIOR)[encoding] < MIN_CONFIDENCE:
            return _composed(text)
        return _decoded(text, _decode_lines(lines, encoding, capitals), basis)

    def _basis(self, text: str, form_font: str | None) -> Basis | None:
        own = self._evidence.of(text)
        of_form = encoding_of_font(form_font)
        if of_form is not None:
            confidence = own.confidences(_sure(of_form, 1e-3))[of_form]
            return Basis(of_form, Reason.FORM_FIELD, confidence) if confidence >= MIN_CONFIDENCE else None
        alone, confidence = _best(own.confidences(PRIOR))
        if confidence >= MIN_CONFIDENCE:
            return Basis(alone, Reason.OWN_WORDS, confidence)
        if not tells_nothing(form_font):
            return None
        others = self._evidence.whole.less(own).confidences(PRIOR)
        mixed = {
            reading: self._stay * others[reading] + (1 - self._stay) * PRIOR[reading] for reading in PRIOR
        }
        followed, confidence = _best(own.confidences(mixed))
        return Basis(followed, Reason.RECORD, confidence) if confidence >= MIN_CONFIDENCE else None

    def _decode_ascii(self, text: str) -> Decoded:
        """VIQR, where the record is convincing: only words that come out as Vietnamese are touched."""
        if self._viqr is None:
            return Decoded(text)
        own = words_of_viqr(text).confidences(VIQR_PRIOR)[Encoding.VIQR] if "^" in text else 0.0
        followed = self._viqr.confidences(VIQR_PRIOR)[Encoding.VIQR]
        reason, confidence = max((Reason.OWN_WORDS, own), (Reason.RECORD, followed), key=lambda one: one[1])
        if confidence < MIN_CONFIDENCE:
            return Decoded(text)
        words = zip(_SPACE.split(text), _SPACE.split(decode(text, Encoding.VIQR)), strict=True)
        read = "".join(after if outcome(after) > 0 else before for before, after in words)
        return _decoded(text, read, Basis(Encoding.VIQR, reason, confidence))


_SPACE = re.compile(r"([ \t\r\n]+)")
_STAY = 0.9995
"""Most that is believed of the record's other texts when it comes to one of them."""


def _look(run: TextRun) -> tuple[Encoding | None, bool, bool, bool]:
    """What neighbours have in common that are read together; Unicode in a legacy font stands apart."""
    encoding = encoding_of_font(run.font)
    pasted = encoding is not None and is_unicode_vietnamese(run.text)
    return encoding, draws_capitals(run.font), tells_nothing(run.font), pasted


def _suspects(text: str) -> list[tuple[str, bool]]:
    """The lines of ``text``, and whether each may be legacy; none when nothing in it may be.

    Lines are told apart only where some are Unicode and signs stand in words of others.
    """
    if may_be_legacy(text):
        return [(text, True)]
    if text.isascii() or not _SIGN_IN_WORD.search(text):
        return []
    lines = [
        (line, may_be_legacy(line) and _SIGN_IN_WORD.search(line) is not None) for line in text.split("\n")
    ]
    return lines if any(suspect for _, suspect in lines) else []


_SIGN_IN_WORD = re.compile("[A-Za-z][\xa8-\xbe\xad\xd7\xf7][A-Za-z]")


def _decode_lines(lines: Sequence[tuple[str, bool]], encoding: Encoding, capitals: bool) -> str:
    """All lines that may be legacy decoded together, so that they share a code page; as ``capitals`` if drawn so."""
    whole = decode("\n".join(line for line, suspect in lines if suspect), encoding)
    read = iter((whole.upper() if capitals else whole).split("\n"))
    if len(lines) == 1:
        return "\n".join(read)
    return "\n".join(next(read) if suspect else nfc(line) for line, suspect in lines)


def _composed(text: str) -> Decoded:
    return _decoded(text, nfc(text), Basis(Encoding.DECOMPOSED, Reason.COMPOSED))


def _decoded(before: str, after: str, basis: Basis) -> Decoded:
    if after == before:
        return Decoded(before)
    if basis.reason is not Reason.COMPOSED and after == nfc(before):
        return _composed(before)
    return Decoded(after, (basis,))


def _weakest(bases: Iterable[Basis]) -> tuple[Basis, ...]:
    """One basis for every encoding and reason, with the confidence of the weakest part."""
    kept: dict[tuple[Encoding, Reason], Basis] = {}
    for basis in bases:
        known = kept.setdefault((basis.encoding, basis.reason), basis)
        if basis.confidence < known.confidence:
            kept[basis.encoding, basis.reason] = basis
    return tuple(kept.values())


def _best(confidences: Mapping[Reading, float]) -> tuple[Encoding, float]:
    found = {reading: share for reading, share in confidences.items() if isinstance(reading, Encoding)}
    best = max(found, key=lambda encoding: found[encoding])
    return best, found[best]


def _sure(encoding: Encoding, doubt: float) -> dict[Reading, float]:
    """What a font says before the words are read: ``doubt`` is left for pasted Unicode and other languages."""
    return {encoding: 1 - doubt, AS_IS: doubt / 2, OTHER: doubt / 2}
