"""``lienthong keys``: the key ring of an encrypted object store."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from archive.encryption_check import RingCheck, check_ring
from archive.encryption_keys import (
    KeyRing,
    ids_in,
    new_ring,
    read_ring,
    recovered,
    with_new_data_key,
    with_new_machine_key,
    write_ring,
)
from archive.folders import alone_in, make_folder
from pipeline.commands.output import Output
from pipeline.object_store import configured_object_store
from pipeline.settings import Settings, chosen_keyring, load_settings
from schemas.errors import ConfigurationError

JSON = Annotated[bool, typer.Option("--json", help="Một dòng JSON / a JSON line")]
RECOVERY = Annotated[
    Path, typer.Option(help="Tệp khoá khôi phục, để cất vào két / recovery key, for the safe")
]


def register(app: typer.Typer) -> None:
    """Add the subcommands to ``app``."""
    group = typer.Typer(
        no_args_is_help=True, help="Bộ khoá mã hoá kho / the key ring of an encrypted object store."
    )
    group.command("new", help="Bật mã hoá / turn encryption on.")(new)
    group.command("rotate", help="Đổi khoá cho tệp mới / a new key for new objects.")(rotate)
    group.command("list", help="Liệt kê khoá / list the keys.")(list_keys)
    group.command("check", help="Thử bộ khoá / try the ring.")(check)
    group.command("enroll", help="Nhận bộ khoá này cho kho / make this ring the store's.")(enroll)
    group.command("recover", help="Lập lại bộ khoá từ két / make the ring again from the safe.")(recover)
    app.add_typer(group, name="keys")


def new(context: typer.Context, recovery: RECOVERY, as_json: JSON = False) -> None:
    """Make the key ring and the recovery key; new objects are encrypted from then on, older ones stay as they are."""
    output: Output = context.obj
    settings = load_settings()
    path = _free_place(settings)
    with _alone(path):
        if configured_object_store(replace(settings, keyring=None)).ring_copies():
            raise ConfigurationError(
                "this object store was encrypted before, with another key ring",
                where=settings.objects,
                action="bring that ring back, or make it again: lienthong keys recover --recovery FILE",
            )
        ring = new_ring(recovery)
        _use(settings, path, ring)
    if as_json:
        output.json({"keyring": path, "recovery": recovery, **_told(ring)})
        return
    output.line(output.words("keys_made", ring=path))
    output.line(output.words("keys_to_the_safe", recovery=recovery), style="bold")


def rotate(
    context: typer.Context,
    machine: Annotated[
        bool, typer.Option("--machine", help="Đổi cả khoá riêng của máy / the machine's private key too")
    ] = False,
    as_json: JSON = False,
) -> None:
    """Make a new data key, which new objects use; no object is rewritten and the sheet in the safe stays good."""
    output: Output = context.obj
    settings, path = _ring_of(load_settings())
    with _alone(path):
        ring = with_new_data_key(read_ring(path))
        if machine:
            ring = with_new_machine_key(ring)
        _use(settings, path, ring)
    if as_json:
        output.json({"keyring": path, **_told(ring)})
    else:
        output.line(output.words("keys_rotated", id=ring.keys[-1].id))


def list_keys(context: typer.Context, as_json: JSON = False) -> None:
    """Print the data keys, oldest first; never the keys themselves."""
    output: Output = context.obj
    settings = load_settings()
    if settings.keyring is None:
        _tell_of_none(output, as_json)
        return
    ring = read_ring(settings.keyring)
    if as_json:
        output.json({"keyring": settings.keyring, **_told(ring)})
        return
    uses = ["key_for_old"] * (len(ring.keys) - 1) + ["key_for_new"]
    rows = [(key.id, key.created, output.words(use)) for key, use in zip(ring.keys, uses, strict=True)]
    output.table(str(settings.keyring), ("key_id", "key_created", "key_use"), rows)


def check(
    context: typer.Context,
    recovery: Annotated[
        Path | None, typer.Option(help="Thử luôn bản trong két / try the sheet from the safe too")
    ] = None,
    as_json: JSON = False,
) -> None:
    """Try the ring against the store; exit status 1 when a check fails. Nothing is tried where nothing is encrypted."""
    output: Output = context.obj
    settings = load_settings()
    if settings.keyring is None and not configured_object_store(settings).ring_copies():
        _tell_of_none(output, as_json)
        return
    settings, path = _ring_of(settings)
    # Opened without the ring, which would put a missing copy back before anyone is told that it was missing.
    copies = configured_object_store(replace(settings, keyring=None)).ring_copies()
    found: RingCheck = check_ring(read_ring(path), copies, recovery)
    answers = {name: value for name, value in asdict(found).items() if value is not None}
    if as_json:
        output.json({"keyring": path, **answers})
    else:
        rows = [(output.words(f"keys_{name}"), output.words("ok" if value else "problem"))
                for name, value in answers.items()]  # fmt: skip
        output.table(str(path), ("check", "state"), rows)
    if not all(answers.values()):
        raise typer.Exit(1)


def enroll(context: typer.Context, as_json: JSON = False) -> None:
    """Make this machine's ring the store's own: where the store lost the copies, or holds objects from before."""
    output: Output = context.obj
    settings, path = _ring_of(load_settings())
    with _alone(path):
        ring = read_ring(path)
        before = configured_object_store(replace(settings, keyring=None)).ring_copies()
        foreign = {key_id for copy in before for key_id in ids_in(copy)} - {key.id for key in ring.keys}
        configured_object_store(settings, enroll=True)
    if as_json:
        output.json({"keyring": path, "foreign": sorted(foreign), **_told(ring)})
        return
    output.line(output.words("keys_enrolled", ring=path))
    if foreign:
        output.line(output.words("keys_foreign", ids=", ".join(sorted(foreign))), style="bold red")


def recover(context: typer.Context, recovery: RECOVERY, as_json: JSON = False) -> None:
    """Make the ring again from the locked keys that lie in the store, and the recovery key from the safe."""
    output: Output = context.obj
    settings = load_settings()
    path = _free_place(settings)
    with _alone(path):
        ring = recovered(configured_object_store(replace(settings, keyring=None)).ring_copies(), recovery)
        _use(settings, path, ring)
    if as_json:
        output.json({"keyring": path, **_told(ring)})
    else:
        output.line(output.words("keys_recovered", count=len(ring.keys), ring=path))


def _use(settings: Settings, path: Path, ring: KeyRing) -> None:
    """The ring on disk first, then its locked keys in the store: an object's key is never only in memory."""
    write_ring(ring, path)
    configured_object_store(replace(settings, keyring=path), enroll=True)


def _free_place(settings: Settings) -> Path:
    path = chosen_keyring()
    if path.exists():
        raise ConfigurationError(
            "there is a key ring already",
            where=str(path),
            action="lienthong keys rotate makes a new key in it",
        )
    inside = [settings.home, *([] if "://" in settings.objects else [Path(settings.objects)])]
    if any(path.absolute().is_relative_to(folder.absolute()) for folder in inside):
        raise ConfigurationError(
            "the key ring would lie with the data that it opens",
            where=str(path),
            expected="a place outside of the data folder and of the object store",
            action="set LIENTHONG_KEYRING to such a place",
        )
    return path


def _ring_of(settings: Settings) -> tuple[Settings, Path]:
    path = settings.keyring or chosen_keyring()
    return replace(settings, keyring=path), path


def _tell_of_none(output: Output, as_json: bool) -> None:
    if as_json:
        output.json({"keyring": None, "keys": []})
    else:
        output.line(output.words("keys_none"))


def _told(ring: KeyRing) -> dict[str, object]:
    keys = [{"id": key.id, "created": key.created.isoformat()} for key in ring.keys]
    return {"keys": keys, "for_new_objects": ring.keys[-1].id, "recipients": dict(ring.recipients)}


def _alone(path: Path) -> AbstractContextManager[None]:
    """Of two that change the ring the second waits: what the first one added must not be lost."""
    return alone_in(make_folder(path.parent, 0o700))
