"""The files of one embedded server: everything below one folder, each with the narrowest mode that works."""

from __future__ import annotations

import fcntl
import os
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from archive.embedded.account import ServerAccount
from archive.folders import make_folder, write_private
from schemas.errors import ConfigurationError, FatalError, RetriableError

PORT = 5432
# sockaddr_un.sun_path holds 108 bytes with its closing NUL (unix(7)).
LONGEST_SOCKET_PATH = 107

_SHORT_PARENT = Path("/tmp")  # noqa: S108 - holds only a 0700 folder with a random name, whose owner is verified
# pg_ctl puts the folder between double quotes in a shell command of its own.
_UNSAFE = frozenset("\"$`\\\n'")


@dataclass(frozen=True, slots=True)
class Places:
    """Paths below ``folder``, which must be absolute."""

    folder: Path

    @property
    def data(self) -> Path:
        """PostgreSQL's data folder; exists only when initdb finished."""
        return self.folder / "data"

    @property
    def unfinished(self) -> Path:
        """Where initdb works before its result gets its name."""
        return self.folder / "data.unfinished"

    @property
    def binaries(self) -> Path:
        """Copies of the programs, made only when the server's account cannot reach the originals."""
        return self.folder / "binaries"

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.folder / "log" / "server.log"

    @property
    def password_file(self) -> Path:
        """The administrator's password, one line, mode 0600."""
        return self.folder / "password"

    @property
    def initdb_password(self) -> Path:
        """The password as initdb reads it; there only while initdb runs."""
        return self.folder / "password.initdb"

    @property
    def lock_file(self) -> Path:
        """Whoever starts or stops the server holds this."""
        return self.folder / "lock"

    @property
    def socket_note(self) -> Path:
        """Names the short socket folder when ``folder`` is too deep for a socket."""
        return self.folder / "socket-folder"

    @property
    def run(self) -> Path:
        """The folder of the socket unless the path is too long."""
        return self.folder / "run"


def prepare(places: Places, account: ServerAccount) -> None:
    """Make the folder and those below it.

    Raises:
        ConfigurationError: the folder is another user's, its name cannot be passed to pg_ctl, or the
            server's account cannot reach it.
    """
    folder = places.folder
    if _UNSAFE & set(str(folder)):
        raise ConfigurationError(
            f"the folder {folder} has a quote, a dollar sign or a backslash in its name",
            action="choose a folder without them for LIENTHONG_HOME",
        )
    make_folder(folder, 0o711 if account.switch else 0o700)
    check_owner(places)
    folder.chmod(0o711 if account.switch else 0o700)
    if not account.can_enter(folder):
        raise ConfigurationError(
            f"the server runs as user id {account.uid}, which cannot enter {folder}",
            expected="a folder all of whose parents may be entered by every user (mode x)",
            action="as root keep the data under /var/lib/lienthong, or run as an ordinary user",
        )
    for inner in (places.run, places.log.parent):
        _make_owned(inner, account)


def check_owner(places: Places) -> None:
    """Refuse a folder that is another user's; one that does not exist is nobody's yet.

    Raises:
        ConfigurationError: it is another user's, or in a folder that is closed to us.
    """
    try:
        owner = places.folder.stat().st_uid
    except FileNotFoundError:
        return
    except OSError as error:
        raise ConfigurationError(
            f"the folder {places.folder} cannot be looked at: {error.strerror}",
            action="run as the user who owns it, or set LIENTHONG_HOME to a folder of your own",
        ) from error
    if owner != os.geteuid():
        raise ConfigurationError(
            f"the folder {places.folder} belongs to user id {owner}, and we are {os.geteuid()}",
            action="run as that user, or set LIENTHONG_HOME to a folder of your own",
        )


def password(places: Places) -> str:
    """The administrator's password, made on first use.

    Raises:
        ConfigurationError: there is data but no password.
    """
    try:
        return read_password(places)
    except FileNotFoundError:
        pass
    if places.data.exists():
        raise ConfigurationError(
            f"the password of the database in {places.data} is missing",
            where=str(places.password_file),
            action="put the file back from a backup, mode 0600",
        )
    write_private(places.password_file, secrets.token_urlsafe(32) + "\n")
    return read_password(places)


def read_password(places: Places) -> str:
    """The administrator's password.

    Raises:
        FileNotFoundError: the server was never started.
        ConfigurationError: the file is another user's.
    """
    try:
        return places.password_file.read_text(encoding="ascii").strip()
    except PermissionError as error:
        raise ConfigurationError(
            f"the database in {places.folder} belongs to another user: {error.strerror}",
            where=str(places.password_file),
            action="run as that user, or set LIENTHONG_HOME to a folder of your own",
        ) from error


def ensure_socket_folder(places: Places, account: ServerAccount) -> Path:
    """A folder that only ``account`` (and root) can enter and whose path is short enough for a socket.

    Raises:
        FatalError: a short folder could not be made, or is not private.
    """
    if _fits(places.run):
        return _private(places.run, account)
    remembered = _remembered(places)
    if remembered is not None and remembered.is_dir() and not remembered.is_symlink():
        return _private(remembered, account)
    made = account.run(["/bin/sh", "-c", f"umask 077 && exec mktemp -d {_SHORT_PARENT}/lienthong-XXXXXXXXXX"])
    short = Path(made.stdout.strip())
    if made.returncode != 0 or short.parent != _SHORT_PARENT:
        raise FatalError(f"cannot make a short folder for the socket: {made.stderr.strip()}")
    write_private(places.socket_note, f"{short}\n")
    return _private(short, account)


def socket_folder(places: Places) -> Path:
    """Where the socket is.

    Raises:
        RetriableError: the server was never started, so that nobody knows yet.
    """
    folder = places.run if _fits(places.run) else _remembered(places)
    if folder is None:
        raise RetriableError(f"the database in {places.folder} was never started", action="start it first")
    return folder


def forget_short_socket_folder(places: Places) -> None:
    """Remove the short socket folder of a stopped server; one that still holds something stays."""
    short = _remembered(places)
    if short is not None:
        try:
            short.rmdir()
        except FileNotFoundError:
            pass
        except OSError:
            return
        places.socket_note.unlink()


def read_untrusted(path: Path, most: int = 65_536) -> str:
    """The last ``most`` bytes of a file that the server's account may have replaced by something else.

    Root must follow no link out of the folder and block on no pipe. Empty when there is no plain file.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""
    with os.fdopen(descriptor, "rb") as stream:
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode):
            return ""
        stream.seek(max(0, state.st_size - most))
        return stream.read(most).decode("utf-8", "replace")


@contextmanager
def exclusive(places: Places, timeout: float) -> Iterator[None]:
    """Be the only one, of all processes and threads, who starts or stops this server.

    Raises:
        RetriableError: someone else has been at it for ``timeout`` seconds.
    """
    descriptor = os.open(places.lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + timeout
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise RetriableError(
                        f"another process has been starting or stopping the database for {timeout:.0f} s",
                        where=str(places.lock_file),
                        action="look for a hanging lienthong process, then try again",
                    ) from error
                time.sleep(0.02)
        yield
    finally:
        os.close(descriptor)


def _make_owned(path: Path, account: ServerAccount) -> None:
    make_folder(path, 0o700)
    account.own(path)
    path.chmod(0o700)


def _fits(folder: Path) -> bool:
    return len(os.fsencode(folder / f".s.PGSQL.{PORT}")) <= LONGEST_SOCKET_PATH


def _remembered(places: Places) -> Path | None:
    try:
        text = places.socket_note.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    return Path(text) if text.startswith(f"{_SHORT_PARENT}/") else None


def _private(folder: Path, account: ServerAccount) -> Path:
    state = folder.lstat()
    if not stat.S_ISDIR(state.st_mode) or state.st_uid != account.uid or state.st_mode & 0o077:
        raise FatalError(
            f"the socket's folder {folder} is not private",
            where=f"user id {state.st_uid}, mode {state.st_mode & 0o7777:04o}",
            expected=f"a folder of user id {account.uid}, mode 0700",
            action="find out who changed it; remove it and start again",
        )
    return folder
