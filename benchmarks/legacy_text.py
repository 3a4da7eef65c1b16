"""How well and how fast legacy Vietnamese is recognised.

``python -m benchmarks.legacy_text [--json] [--messages FOLDER]``: strings of the made-up office, written in every
encoding and seen through both code pages, alone and as fields of a record; and text that must stay as it is.
Prints, by number of words, the share that was decoded (recall) and the share of those that is right (precision); the
false conversions; the share of other languages' words that come out as Vietnamese syllables by chance; CPU time per
KB. With a folder of gettext catalogues (``/usr/share/locale``), their messages are looked at too: text that nobody
chose.
"""

from __future__ import annotations

import argparse
import json
import time
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from itertools import islice, product
from pathlib import Path

from benchmarks.gettext_messages import messages
from benchmarks.other_languages import SENTENCES, UNICODE_VIETNAMESE
from demo.organs import DISTRICTS, ORGANS
from demo.phrases import KINDS, OPINIONS, RECIPIENTS_OF_PARTY, RECIPIENTS_OF_STATE, TASKS, TOPICS
from mappings.legacy_decoding import decode
from mappings.legacy_evidence import outcome
from mappings.legacy_tables import BYTE_ENCODINGS, Encoding, table
from mappings.vietnamese import RecordText

PAGES = ("cp1252", "cp1258")
WAYS = (*product(BYTE_ENCODINGS, PAGES), (Encoding.VIQR, "cp1252"), (Encoding.DECOMPOSED, "cp1252"))
"""Every encoding with every code page that makes a difference."""

_TONES = "\u0300\u0301\u0303\u0309\u0323"
_BINS = ((1, 1), (2, 2), (3, 3), (4, 6), (7, 12), (13, 10_000))
_FIELDS = 7
_SPEED_TEXT = 200_000


def typed(text: str, encoding: Encoding, page: str = "cp1252") -> str:
    """``text`` as an old document holds it, seen through a Windows code page, undefined bytes passed through.

    Raises:
        UnicodeEncodeError: a character has no byte in the encoding.
    """
    composed = unicodedata.normalize("NFC", text)
    if encoding is Encoding.DECOMPOSED:
        return unicodedata.normalize("NFD", composed)
    data = b"".join(map(_writer(encoding), composed))
    return "".join(_seen(byte, page) for byte in data)


def expected(text: str, encoding: Encoding) -> str:
    """What can be read of ``typed(text, encoding)`` again: TCVN3 loses the capitals of letters with tones."""
    composed = unicodedata.normalize("NFC", text)
    if encoding is not Encoding.TCVN3:
        return composed
    letters = set(table(encoding).letters.values())
    return "".join(c.lower() if c not in letters and c.lower() in letters else c for c in composed)


def strings() -> list[str]:
    """Some thousands of strings of the made-up office, of one word to some dozens."""
    found: dict[str, None] = {}
    years = {"year": "2008", "next": "2010", "quarter": "II"}
    for kind, topic, district in product(KINDS.values(), TOPICS, DISTRICTS[:2]):
        for subject in kind.subjects:
            found[subject.format(topic=topic, district=district, **years)] = None
        found[kind.opening.format(organ="Ban Thường vụ Tỉnh ủy", topic=topic, **years)] = None
    found.update(dict.fromkeys((*TASKS, *OPINIONS, *TOPICS)))
    found.update(
        dict.fromkeys(one for group in (*RECIPIENTS_OF_PARTY, *RECIPIENTS_OF_STATE) for one in group)
    )
    for number, text in enumerate(list(found)):
        words = text.split()
        length = 1 + number % 6
        start = number % max(1, len(words) - length)
        found[" ".join(words[start : start + length])] = None
    found.update(dict.fromkeys(text.upper() for text in list(found)[::10]))
    for organ in ORGANS:
        found.update(dict.fromkeys((organ.name, *organ.header)))
        found.update(dict.fromkeys(text for one in organ.officials for text in (one.full_name, one.position)))
    return list(found)


def recognition(texts: Iterable[str], together: bool) -> dict[str, dict[str, dict[str, float]]]:
    """Recall and precision by way of writing and number of words.

    Args:
        texts: composed Vietnamese; those that look the same when written are left out.
        together: as fields of records of ``_FIELDS`` texts, instead of each alone.
    """
    held = list(texts)
    return {f"{encoding}/{page}": _of_way(held, encoding, page, together) for encoding, page in WAYS}


def _of_way(texts: list[str], encoding: Encoding, page: str, together: bool) -> dict[str, dict[str, float]]:
    counts: dict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0, 0])
    for group in _groups(texts, _FIELDS if together else 1):
        printed = [typed(text, encoding, page) for text in group]
        record = RecordText(printed)
        for text, before in zip(group, printed, strict=True):
            wanted = expected(text, encoding)
            if before == wanted:
                continue
            size = next(size for size in _BINS if size[0] <= len(text.split()) <= size[1])
            decoded = record.decode(before)
            counts[size][0] += 1
            # Composing alone is no recognition, unless that is all there was to do.
            counts[size][1] += bool(
                {*decoded.encodings} - ({Encoding.DECOMPOSED} if encoding in BYTE_ENCODINGS else set())
            )
            counts[size][2] += decoded.text.casefold() == wanted.casefold()
    return {
        f"{first}-{last}" if last < 1000 else f"{first}+": {
            "strings": all_,
            "recall": round(right / all_, 4),
            "precision": round(right / changed, 4) if changed else 1.0,
        }
        for (first, last), (all_, changed, right) in sorted(counts.items())
    }


def false_conversions() -> list[str]:
    """Texts that were changed though they are no legacy Vietnamese; alone, by language, and all in one record."""
    texts = [text for language in SENTENCES.values() for text in language] + list(UNICODE_VIETNAMESE)
    texts += [word for text in texts for word in text.split()]
    texts += strings()
    found = [text for text in texts if RecordText((text,)).decode(text).text != text]
    for group in (*SENTENCES.values(), UNICODE_VIETNAMESE, tuple(texts)):
        record = RecordText(group)
        found += [text for text in group if record.decode(text).text != text]
    return found


def false_conversions_of_messages(folder: Path, most: int = 2500) -> tuple[int, list[str]]:
    """How many messages (at most ``most`` a language) were looked at, and those that were changed."""
    looked_at, found = 0, []
    for texts in messages(folder).values():
        for text in texts[:: max(1, len(texts) // most)][:most]:
            looked_at += 1
            if {*RecordText((text,)).decode(text).encodings} - {Encoding.DECOMPOSED}:
                found.append(text)
    return looked_at, found


def chance() -> dict[str, float]:
    """The share of other languages' words beyond ASCII that come out as Vietnamese syllables, by encoding."""
    words = {
        word
        for language, sentences in SENTENCES.items()
        for sentence in sentences
        for word in sentence.split()
        if language != "codes" and not word.isascii()
    }
    shares = {}
    for encoding in BYTE_ENCODINGS:
        outcomes = [outcome(decode(word, encoding)) for word in words]
        shares[str(encoding)] = round(outcomes.count(1) / max(1, len(outcomes) - outcomes.count(0)), 4)
    return shares


def speed() -> dict[str, float]:
    """CPU microseconds per KB (UTF-8) of looking at, and decoding where it is legacy, texts of some 2 KB."""
    sentence = " ".join(TASKS)[:1500]
    foreign = " ".join(SENTENCES["English"][5:6] * 20)
    kinds: Mapping[str, str] = {
        "ascii": foreign,
        "unicode": sentence,
        "decomposed": typed(sentence, Encoding.DECOMPOSED),
        "french": " ".join(SENTENCES["French"]),
        "tcvn3": typed(sentence, Encoding.TCVN3),
        "vni": typed(sentence, Encoding.VNI),
    }
    return {kind: _microseconds(text) for kind, text in kinds.items()}


def _microseconds(text: str) -> float:
    size = len(text.encode())
    rounds = max(1, _SPEED_TEXT // size)
    best = float("inf")
    for _ in range(3):
        start = time.process_time()
        for _ in range(rounds):
            RecordText((text,)).decode(text)
        best = min(best, time.process_time() - start)
    return round(best / rounds / size * 1e9, 2)


def _groups(texts: list[str], size: int) -> Iterator[list[str]]:
    remaining = iter(texts)
    while group := list(islice(remaining, size)):
        yield group


@cache
def _writer(encoding: Encoding) -> Callable[[str], bytes]:
    written: dict[str, bytes] = {}
    for code, letter in table(encoding).letters.items():
        if b"*" not in code and code != b"Dd":
            written[letter] = code

    def write(letter: str) -> bytes:
        if letter in written:
            return written[letter]
        if encoding is Encoding.TCVN3 and letter.lower() in written:
            return written[letter.lower()]
        if encoding is Encoding.CP1258 and not letter.isascii():
            apart = unicodedata.normalize("NFD", letter)
            tone = "".join(part for part in apart if part in _TONES)
            base = unicodedata.normalize("NFC", "".join(part for part in apart if part not in _TONES))
            return b"".join(part.encode("cp1258") for part in base + tone)
        return letter.encode("ascii" if encoding is Encoding.VIQR else "cp1252")

    return write


def _seen(byte: int, page: str) -> str:
    try:
        return bytes([byte]).decode(page)
    except UnicodeDecodeError:
        return chr(byte)


def main() -> None:
    """Measures and prints."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--messages", type=Path)
    options = arguments.parse_args()
    texts = strings()
    result = {
        "strings": len(texts),
        "alone": recognition(texts, together=False),
        "in_records": recognition(texts, together=True),
        "false_conversions": false_conversions(),
        "messages": false_conversions_of_messages(options.messages) if options.messages else None,
        "chance": chance(),
        "microseconds_per_kb": speed(),
    }
    if options.json:
        print(json.dumps(result, ensure_ascii=False))
        return
    print(f"{len(texts)} strings; recall/precision by number of words")
    for name in ("alone", "in_records"):
        found = result[name]
        assert isinstance(found, dict)
        print(f"\n{name}")
        for way, bins in found.items():
            cells = "  ".join(
                f"{size}: {cell['recall']:.3f}/{cell['precision']:.3f}" for size, cell in bins.items()
            )
            print(f"  {way:22} {cells}")
    for name in ("false_conversions", "messages", "chance", "microseconds_per_kb"):
        print(f"\n{name}: {json.dumps(result[name], ensure_ascii=False)}")


if __name__ == "__main__":
    main()
