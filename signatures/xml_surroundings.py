"""What surrounds an XML signature that does not stand for itself: the container or file that it signs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from signatures.verdict import Coverage
from signatures.xml_guard import Prepared


@dataclass(frozen=True, slots=True)
class Covered:
    """What a signature in a container covers of it.

    Attributes:
        coverage: of the whole container.
        broken: names of signed files that are not what was signed.
        messages: what is not covered, for a person.
        claimed_time: when the container's own property says that it was signed; XAdES comes first.
    """

    coverage: Coverage
    broken: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()
    claimed_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a signature file in a container signs beside itself.

    Attributes:
        covered: called with a signature whose form was accepted, once its value holds.
        files: content of other files by the URI that references name them with.
        manifests: ``covered`` computes the digests of a ds:Manifest.
    """

    covered: Callable[[Prepared], Covered]
    files: Mapping[str, bytes] = field(default_factory=lambda: MappingProxyType({}))
    manifests: bool = False
