"""Whether a word can be a Vietnamese syllable: an onset, a rhyme and at most one tone.

The set is closed and small, which makes it the best witness to whether a text was decoded rightly: French or
    noise that
happens to hold the right bytes does not come out as Vietnamese. Spellings are those of modern orthography.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Longest first.
_ONSETS = tuple(re.split(" ", "ngh ng nh gh gi kh ph th tr ch qu b c d đ g h k l m n p r s t v x"))
_RHYMES = frozenset(
    re.findall(
        r"\w+",
        """
    a ac ach ai am an ang anh ao ap at au ay ăc ăm ăn ăng ăp ăt âc âm ân âng âp ât âu ây
    e ec em en eng eo ep et ê êch êm ên êng ênh êp êt êu
    i ia ich iêc iêm iên iêng iêp iêt iêu im in inh ip it iu
    o oa oac oach oai oam oan oang oanh oao oap oat oay oăc oăm oăn oăng oăt oc oe oen
    oeo oet oi om on ong ooc oong op ot
    ô ôc ôi ôm ôn ông ôp ôt ơ ơi ơm ơn ơp ơt
    u ua uân uâng uât uây uc uê uêch uên uênh ui um un ung uôc uôi uôm uôn uông uôt uơ up
    ut uy uya uych uyên uyêt uyn
    uynh uyp uyt uyu ư ưa ưc ưi ưm ưn ưng ươc ươi ươm ươn ương ươp ươt ươu ưt ưu
    y yêm yên yêng yêt yêu
    """,
    )
)
_TONES = frozenset("\u0300\u0301\u0303\u0309\u0323")
_STOPS = ("c", "ch", "p", "t")
_STOP_TONES = frozenset("\u0301\u0323")


@lru_cache(maxsize=8192)
def is_syllable(word: str) -> bool:
    """True when ``word`` (in any case, composed) can be a Vietnamese syllable."""
    letters = unicodedata.normalize("NFD", word.lower())
    tones = [c for c in letters if c in _TONES]
    if len(tones) > 1:
        return False
    bare = unicodedata.normalize("NFC", "".join(c for c in letters if c not in _TONES))
    if tones and bare.endswith(_STOPS) and tones[0] not in _STOP_TONES:
        return False
    if bare in _RHYMES:
        return True
    return any(bare.startswith(onset) and bare[len(onset) :] in _RHYMES for onset in _ONSETS) or bare == "gi"
