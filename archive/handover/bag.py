"""A bag (BagIt, RFC 8493) around what is handed over, made and validated by the library ``bagit``."""

from __future__ import annotations

from pathlib import Path

import bagit

from archive.handover.package_content import Holder
from schemas.errors import FatalError


def make_bag(folder: Path, holder: Holder, day: str) -> None:
    """Turn ``folder`` into a bag with SHA-256, in place, and read it again whole.

    Args:
        folder: what it holds becomes the payload, ``data/``.
        holder: who hands over.
        day: ISO 8601; of the content, so that equal content gives an equal bag.

    Raises:
        FatalError: the bag does not validate.
    """
    about = {
        "Source-Organization": " ".join(holder.name.split()),
        "Bagging-Date": day,
        "Bag-Software-Agent": "Lienthong",
    }
    if holder.code:
        about["External-Identifier"] = holder.code
    bagit.make_bag(str(folder), about, checksums=["sha256"])
    try:
        bagit.Bag(str(folder)).validate(processes=1)
    except bagit.BagError as error:
        raise FatalError(
            "the bag that was written does not validate",
            where=str(error)[:200],
            action="look at the disk of the target folder; nothing was handed over",
        ) from error
