"""Folders and secret files: made with modes that do not depend on the caller's umask, and worked in alone."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from schemas.errors import ConfigurationError


def make_folder(path: Path, mode: int) -> Path:
    """Make ``path`` and its missing parents, each with ``mode``; what exists already is left as it is.

    Raises:
        ConfigurationError: it cannot be made, or something else has its name.
    """
    try:
        for folder in [*reversed(path.parents), path]:
            if folder.is_dir():
                continue
            try:
                # Narrow first: under umask 0 there must be no moment in which others may write here.
                folder.mkdir(0o700)
            except FileExistsError:
                continue
            folder.chmod(mode)
    except OSError as error:
        raise ConfigurationError(
            f"cannot make the folder {path}: {error.strerror}",
            action="set LIENTHONG_HOME to a folder that this user may write to",
        ) from error
    if not path.is_dir():
        raise ConfigurationError(
            f"{path} is not a folder", action="move it away, or set LIENTHONG_HOME to another folder"
        )
    return path


def write_private(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` with mode 0600, whole or not at all after a crash."""
    partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            os.fchmod(descriptor, 0o600)
            stream.write(text)
            stream.flush()
            os.fsync(descriptor)
        partial.rename(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Of two processes that work in ``folder`` the second waits; a killed one waits for nobody and leaves nothing."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
