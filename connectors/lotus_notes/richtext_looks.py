"""What holds for running text of rich text, and how an element changes it for what it holds."""

from __future__ import annotations

from dataclasses import dataclass, replace

from connectors.lotus_notes.nodes import Node


@dataclass(frozen=True, slots=True)
class Looks:
    """What holds for text.

    Attributes:
        font: its font's name; ``None`` for the default font.
        keep_space: line ends in it are text, not layout of the export.
        linked: it is inside a link.
        stands_in: what shows no text may be stood in for by its description.
    """

    font: str | None = None
    keep_space: bool = False
    linked: bool = False
    stands_in: bool = True


def looks_within(node: Node, looks: Looks) -> Looks:
    """What holds inside ``node``. Its font is an empty child and applies to all of it, text before it included."""
    font = node.child("font")
    keep = node.attributes.get("keepindentation")
    if font is None and keep is None:
        return looks
    return replace(
        looks,
        font=looks.font if font is None else font.attributes.get("name"),
        keep_space=looks.keep_space if keep is None else keep == "true",
    )
