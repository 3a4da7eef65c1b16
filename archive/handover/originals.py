"""Original bytes and manifests of documents in plain folders, for a bag."""

from __future__ import annotations

import hashlib
from pathlib import Path

from archive.handover.package_content import Package
from archive.objects import ObjectStore
from schemas.errors import FatalError


def copy_object(objects: ObjectStore, sha256: str, target: Path) -> int:
    """Copy an object to the new file ``target``, proving on the way that it is what its name says; returns bytes.

    Raises:
        FatalError: it is gone, or holds other bytes.
    """
    digest, size = hashlib.sha256(), 0
    with objects.open(sha256) as source, target.open("xb") as stream:
        while piece := source.read(1 << 20):
            digest.update(piece)
            stream.write(piece)
            size += len(piece)
    if digest.hexdigest() != sha256:
        raise FatalError(
            f"the stored object {sha256} holds other bytes than its name says",
            action="nothing was handed over; run `lienthong audit` and restore the object from the backup",
        )
    return size


def write_originals(package: Package, objects: ObjectStore, parent: Path) -> Path:
    """A folder below ``parent``: for each document its original record, attachments and manifests."""
    root = parent / package.name
    for document in package.documents:
        folder = root / document.stem
        folder.mkdir(parents=True)
        for file in document.files:
            copy_object(objects, file.sha256, folder / file.name)
        for name, sha256 in document.manifests():
            copy_object(objects, sha256, folder / name)
    return root
