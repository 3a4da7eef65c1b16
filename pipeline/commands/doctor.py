"""``lienthong doctor``: is everything that a night needs in order?"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import sqlalchemy as sa
import typer

from archive.access_roles import Role
from archive.anchor_files import folder_fault
from archive.anchors import latest_anchor
from archive.database import create_engine, database_url
from archive.encryption_check import check_ring
from archive.encryption_keys import read_ring
from archive.failures import database_errors
from archive.indexing import FOLLOWED
from archive.ledger import EventType, verify_chain
from archive.migrate import migrate
from archive.search_missing import Missing, missing
from pipeline.access_accounts import FILE as ACCOUNTS
from pipeline.access_accounts import allowed_roles
from pipeline.acting import acting_account
from pipeline.commands.output import Output
from pipeline.object_store import configured_object_store
from pipeline.settings import Settings, chosen_keyring, configured_sources, load_settings
from pipeline.sources import drop_folder, try_service
from pipeline.stages import Stores, open_stores
from schemas.errors import ConfigurationError, LienthongError
from signatures.trust_report import report

_LEAST_FREE = 2 * 1024**3
_ABANDONED = timedelta(days=1)
_NIGHTS = timedelta(days=2)
"""What waits longer was left out by a night."""


@dataclass(frozen=True, slots=True)
class Check:
    """The answer to one question.

    Attributes:
        name: what was looked at.
        state: ``ok``, ``warning`` or ``problem``.
        detail: what was found, and what to do.
    """

    name: str
    state: str
    detail: str


def register(app: typer.Typer) -> None:
    """Add the subcommand to ``app``."""
    app.command("doctor", help="Kiểm tra cài đặt / check this installation.")(doctor)


def doctor(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Một dòng JSON / a JSON line")] = False,
) -> None:
    """Check everything that a night needs; the exit status is 1 when something is a problem."""
    output: Output = context.obj
    checks = list(examine())
    if as_json:
        output.json({"checks": [asdict(check) for check in checks]})
    else:
        rows = [(check.name, output.words(check.state), check.detail) for check in checks]
        output.table("lienthong doctor", ("check", "state", "detail"), rows)
    if any(check.state == "problem" for check in checks):
        raise typer.Exit(1)


def examine() -> Iterator[Check]:
    """Every check, in an order in which an earlier problem explains a later one."""
    yield _versions()
    try:
        settings = load_settings()
    except LienthongError as error:
        yield Check("settings", "problem", str(error))
        return
    for name, question in _QUESTIONS.items():
        try:
            yield from question(settings)
        except (LienthongError, OSError) as error:
            yield Check(name, "problem", str(error))


def _versions() -> Check:
    names = ("lienthong", "apache-airflow-core", "pyhanko", "xmlsec", "lxml", "sqlalchemy")
    found = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)
    return Check("versions", "ok", f"Python {platform.python_version()}, {found}")


def _data_folder(settings: Settings) -> Iterator[Check]:
    with tempfile.NamedTemporaryFile(dir=settings.home):
        pass
    free = shutil.disk_usage(settings.home).free
    state = "ok" if free >= _LEAST_FREE else "warning"
    yield Check("data folder", state, f"{settings.home}, {free / 1024**3:.1f} GiB free")


def _database(settings: Settings) -> Iterator[Check]:
    del settings
    engine = create_engine(database_url())
    try:
        migrate(engine)
        with engine.connect() as connection:
            version = connection.scalar(sa.text("select current_setting('server_version')"))
        broken = verify_chain(engine)
    finally:
        engine.dispose()
    place = "LIENTHONG_DATABASE_URL" if os.environ.get("LIENTHONG_DATABASE_URL") else "embedded"
    yield Check("database", "ok", f"PostgreSQL {version} ({place}), tables current")
    if broken:
        yield Check(
            "ledger", "problem", f"the chain of events is broken in {len(broken)} places: {broken[0]}"
        )
    else:
        yield Check("ledger", "ok", "the chain of events is whole")


def _work(settings: Settings) -> Iterator[Check]:
    # A run under way has one too; after a day it is one that failed and that nobody went on with.
    before = datetime.now(UTC) - _ABANDONED
    folders = settings.work.iterdir() if settings.work.is_dir() else ()
    left = [path.name for path in folders if datetime.fromtimestamp(path.stat().st_mtime, UTC) < before]
    if left:
        told = f"{len(left)} runs were never accounted for; clear them in Airflow or remove {settings.work}: "
        yield Check("work folder", "warning", told + ", ".join(sorted(left)[:5]))
    else:
        yield Check("work folder", "ok", str(settings.work))


def _roles(settings: Settings) -> Iterator[Check]:
    """A night loads, and its reconciliation reads."""
    with _opened(settings) as stores:
        account = acting_account()
        told = f"{account} works as {stores.role}"
    readers = [role for role in allowed_roles(settings) if role in (Role.CLERK, Role.READER)]
    if readers:
        with _opened(settings, *readers) as stores:
            yield Check("roles", "ok", f"{told}, and reads as {stores.role}")
    else:
        refused = f"{settings.home / ACCOUNTS} lets {account} read nothing: the nightly reconciliation fails"
        yield Check("roles", "problem", refused)


def _objects(settings: Settings) -> Iterator[Check]:
    try:
        store, refused = configured_object_store(settings), ""
    except ConfigurationError as error:
        if settings.keyring is None:
            raise
        store, refused = configured_object_store(replace(settings, keyring=None)), str(error)
    with store.planted(b"lienthong doctor"):
        pass
    free = shutil.disk_usage(store.location).free if Path(store.location).is_dir() else _LEAST_FREE
    told = f"{store.location} takes files" + (", encrypted" if store.encrypts else ", not encrypted")
    yield Check("object store", "ok" if free >= _LEAST_FREE else "warning", told)
    copies = store.ring_copies()
    if refused:
        yield Check("key ring", "problem", refused)
    elif settings.keyring is None and copies:
        lost = f"the store has encrypted objects and there is no {chosen_keyring()}: lienthong keys recover"
        yield Check("key ring", "problem", lost)
    elif settings.keyring is not None:
        tried = check_ring(read_ring(settings.keyring), copies)
        good = tried.work and tried.kept and tried.complete
        hint = "" if good else " does not open all that the store holds: lienthong keys check"
        yield Check("key ring", "ok" if good else "problem", f"{settings.keyring}{hint}")


def _anchors(settings: Settings) -> Iterator[Check]:
    with _opened(settings) as stores:
        last = latest_anchor(stores.engine, stores.objects)
        waiting = _waiting(stores.engine, last.anchor.tree_size if last else 0)
        faults = [
            str(fault)
            for folder in settings.anchors
            if (fault := folder_fault(stores.engine, folder)) is not None
        ]
    told = f"anchor {last.anchor.number} of {last.anchor.at:%Y-%m-%d}" if last else "none yet"
    wrong = [
        f"{folder} is missing or cannot be written"
        for folder in settings.anchors
        if (folder.exists() or folder != settings.home / "anchors") and not os.access(folder, os.W_OK)
    ]
    if waiting is not None and waiting < datetime.now(UTC) - _NIGHTS:
        wrong.append(f"events since {waiting:%Y-%m-%d} are not anchored: does audit_archive run every night?")
    state = "problem" if faults else "warning" if wrong else "ok"
    yield Check("anchors", state, "; ".join((told, *faults, *wrong)))


def _search_index(settings: Settings) -> Iterator[Check]:
    with _opened(settings) as stores:
        with database_errors("asking the search index"), stores.engine.connect() as connection:
            reached = connection.scalar(sa.text("SELECT max(ledger_seq) FROM archive.search_state"))
        waiting = _waiting(stores.engine, int(reached or 0), FOLLOWED)
        lacking = missing(stores.engine)
    if lacking != Missing():
        told = f"{lacking.documents} documents and the text of {lacking.files} files cannot be found: the object store"
        todo = "did not give them; lienthong audit, restore them, then lienthong index --rebuild"
        yield Check("search index", "warning", f"{told} {todo}")
    elif waiting is not None and waiting < datetime.now(UTC) - _NIGHTS:
        yield Check(
            "search index", "warning", f"lacks what happened since {waiting:%Y-%m-%d}: lienthong index"
        )
    else:
        yield Check("search index", "ok", f"follows the ledger up to event {reached or 0}")


def _waiting(engine: sa.Engine, after: int, types: Sequence[EventType] = tuple(EventType)) -> datetime | None:
    """When the first event of ``types`` behind number ``after`` happened; ``None``: there is none."""
    first = sa.text("SELECT min(at) FROM archive.event WHERE seq > :after AND type = ANY(:types)")
    with database_errors("reading the ledger"), engine.connect() as connection:
        at: datetime | None = connection.scalar(
            first, {"after": after, "types": [one.value for one in types]}
        )
    return at


@contextmanager
def _opened(settings: Settings, *roles: Role) -> Iterator[Stores]:
    stores = open_stores(settings, *roles)
    try:
        yield stores
    finally:
        stores.engine.dispose()


def _sources(settings: Settings) -> Iterator[Check]:
    found = configured_sources(settings)
    if not found:
        yield Check("sources", "problem", f"no source YAML in {', '.join(map(str, settings.sources))}")
    for config in found.values():
        if config.service is not None:
            good, told = try_service(config)
            yield Check(f"source {config.source}", "ok" if good else "problem", told)
            continue
        place = drop_folder(config, settings)
        if place.exists() and os.access(place, os.R_OK):
            yield Check(f"source {config.source}", "ok", str(place))
        else:
            yield Check(f"source {config.source}", "warning", f"drop folder {place} is missing or unreadable")


def _trust(settings: Settings) -> Iterator[Check]:
    found = report(settings.trust, datetime.now(UTC))
    if not any(item.part == "root" for item in found.certificates):
        yield Check(
            "trust",
            "warning",
            f"no roots in {settings.trust / 'roots'}: every signature will be INDETERMINATE, none passes",
        )
        return
    told = [f"{item.state}: {item.subject}" for item in found.certificates if item.state != "valid"]
    told += [
        f"revocation list {item.state}: {item.issuer}" for item in found.lists if item.state != "current"
    ]
    if not os.access(settings.trust, os.W_OK):
        told.append(f"{settings.trust} cannot be written: dropped revocation lists will not be taken in")
    good = f"{len(found.certificates)} certificates, {len(found.lists)} current revocation lists"
    yield Check("trust", "warning" if told else "ok", "; ".join(told) or good)


_QUESTIONS: dict[str, Callable[[Settings], Iterator[Check]]] = {
    "data folder": _data_folder,
    "database": _database,
    "object store": _objects,
    "roles": _roles,
    "anchors": _anchors,
    "search index": _search_index,
    "work folder": _work,
    "sources": _sources,
    "trust": _trust,
}
