"""A package's folder as one ZIP or TAR file; equal folders give equal files."""

from __future__ import annotations

import shutil
import tarfile
import zipfile
from pathlib import Path

CONTAINERS = ("folder", "zip", "tar")
_TIME = (1980, 1, 1, 0, 0, 0)  # the first that ZIP can name
_SECONDS = 315_532_800  # the same in TAR


def contain(folder: Path, container: str) -> Path:
    """``folder`` itself, or the file beside it that holds it and replaces it."""
    if container == "folder":
        return folder
    target = folder.with_name(f"{folder.name}.{container}")
    (_zip if container == "zip" else _tar)(folder, target)
    shutil.rmtree(folder)
    return target


def _zip(folder: Path, target: Path) -> None:
    with zipfile.ZipFile(target, "x", zipfile.ZIP_DEFLATED) as archive:
        for path in _files(folder):
            entry = zipfile.ZipInfo(path.relative_to(folder.parent).as_posix(), _TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o100644 << 16
            with path.open("rb") as source, archive.open(entry, "w", force_zip64=True) as stream:
                shutil.copyfileobj(source, stream, 1 << 20)


def _tar(folder: Path, target: Path) -> None:
    with tarfile.open(target, "x", format=tarfile.PAX_FORMAT) as archive:
        for path in _files(folder):
            entry = tarfile.TarInfo(path.relative_to(folder.parent).as_posix())
            entry.size, entry.mtime, entry.mode = path.stat().st_size, _SECONDS, 0o644
            with path.open("rb") as source:
                archive.addfile(entry, source)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())
