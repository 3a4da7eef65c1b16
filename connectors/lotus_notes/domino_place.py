"""Where a listed document lies on a Domino server, as the text that a ``Listing`` carries."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass

_UNID = re.compile(r"[0-9A-F]{32}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Place:
    """A document, or what the server counts and does not show.

    Attributes:
        unid: of the document; ``""`` for what is not shown.
        noteid: hexadecimal, for a person who looks it up.
        problem: why it is not fetched: ``access_denied``, ``undated``, ``hidden``, or ``""``.
        hidden: how many entries are not shown.
    """

    unid: str = ""
    noteid: str = ""
    problem: str = ""
    hidden: int = 0

    def __str__(self) -> str:
        """JSON, what is empty left out."""
        return json.dumps({key: value for key, value in asdict(self).items() if value}, separators=(",", ":"))


def parse_place(text: str) -> Place:
    """The inverse of ``str(Place)``. Raises ``ValueError`` for other text."""
    try:
        place = Place(**json.loads(text))
        right = _UNID.fullmatch(place.unid) is not None or place.problem == "hidden"
    except (TypeError, AttributeError) as error:
        raise ValueError(f"no place on a Domino server: {text[:200]}") from error
    if not right:
        raise ValueError(f"no UNID: {text[:200]}")
    return place
