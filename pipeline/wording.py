"""What the command line says to a person: Vietnamese first, English by ``--lang en`` or ``LIENTHONG_LANG``."""

from __future__ import annotations

from collections import ChainMap

from pipeline.words.access import ACCESS
from pipeline.words.audit import AUDIT
from pipeline.words.backing_up import BACKING_UP
from pipeline.words.general import GENERAL
from pipeline.words.handover import HANDOVER
from pipeline.words.holdings import HOLDINGS
from pipeline.words.keys import KEYS
from pipeline.words.links import LINKS
from pipeline.words.rebuilding import REBUILDING
from pipeline.words.search import SEARCH
from schemas.errors import ConfigurationError

LANGUAGES = ("vi", "en")

_TABLES = (
    ACCESS,
    AUDIT,
    BACKING_UP,
    GENERAL,
    HANDOVER,
    KEYS,
    HOLDINGS,
    LINKS,
    REBUILDING,
    SEARCH,
)


class Wording:
    """The words of one language."""

    def __init__(self, language: str) -> None:
        if language not in LANGUAGES:
            raise ConfigurationError(
                f"no words in language {language!r}",
                expected=" or ".join(LANGUAGES),
                action="use --lang vi or --lang en",
            )
        self._index = LANGUAGES.index(language)
        self._entries = ChainMap(*(dict(table) for table in _TABLES))

    def __contains__(self, key: str) -> bool:
        """Whether there is an entry for ``key``."""
        return key in self._entries

    def __call__(self, key: str, **values: object) -> str:
        """The word for ``key``; a key without an entry (a source's own word) stands for itself."""
        entry = self._entries.get(key)
        text = entry[self._index] if entry else key
        return text.format(**values) if values else text
