"""Every way of tampering that the audit must find: what is done, by whom, and what has to be reported.

Each attack works on a whole archive (``Scene``): a made-up office of two sources, with quarantine, withheld records, a
recall, a link that a person confirmed, later checks of signatures, and two anchors outside of the database. It is done
as a superuser of the database or on the disk, past every guard.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import cast

import sqlalchemy as sa

from archive.anchor_record import anchor_bytes, read_anchor
from archive.anchors import Stamp, make_anchor
from archive.canonical import canonical_bytes, canonical_text
from archive.copying import copy_rows
from archive.cursors import psycopg_cursor
from archive.decisions import decide
from archive.ledger import START, Entry, EventType, entries, entry_hash
from archive.merkle import leaf_hash, root_of
from archive.same_as import link_decision
from demo.office import generate
from demo.pki import Credential, build_pki
from demo.time_stamps import HouseTimeStamper
from pipeline.anchoring import anchor_ledger
from pipeline.auditing import check_fixity
from pipeline.reverify import reverify
from pipeline.settings import Settings
from pipeline.stages import Order, Stores
from pipeline.sync import run_here
from schemas.record import Window

SEED = 2026
SOURCES = ("notes_van_ban", "dieu_hanh")


@dataclass(frozen=True, slots=True)
class Scene:
    """An archive to be tampered with.

    Attributes:
        settings: its folders. stores: opened as the program opens them.
        superuser: its database, with every right.
    """

    settings: Settings
    stores: Stores
    superuser: sa.Engine

    def sql(self, statement: str, **values: object) -> None:
        """Run ``statement`` past triggers and foreign keys; it must change something."""
        with self.superuser.begin() as connection:
            connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
            if connection.execute(sa.text(statement), values).rowcount == 0:
                raise AssertionError(f"the attack changed nothing: {statement}")

    def one(self, query: str) -> str:
        """The one value that ``query`` gives."""
        with self.superuser.connect() as connection:
            return str(connection.execute(sa.text(query)).scalar_one())

    def path(self, sha256: str) -> Path:
        """The file of an object, made writable as its owner can."""
        path = Path(self.settings.objects) / "sha256" / sha256[:2] / sha256
        path.chmod(0o640)
        return path

    def rebuild_chain(self, change: Callable[[list[Entry]], list[Entry]]) -> None:
        """Change the events, number and chain all of them anew: a ledger that is whole in itself."""
        with self.superuser.begin() as connection:
            kept = change(list(entries(connection)))
            connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
            connection.execute(sa.text("DELETE FROM archive.event"))
            previous, rows = START, []
            for seq, entry in enumerate(kept, start=1):
                entry = entry._replace(seq=seq, prev_hash=previous)
                previous = entry_hash(entry)
                rows.append(_row(entry._replace(hash=previous)))
            copy_rows(psycopg_cursor(connection), "event", rows)


def prepare(settings: Settings, stores: Stores, office: Path) -> None:
    """Bring a made-up office into the fresh archive: two nights with their anchors, the second one time-stamped."""
    generate(office, seed=SEED, size=10)
    for name in ("drop", "trust"):
        shutil.copytree(office / name, settings.home / name, dirs_exist_ok=True)
    run_here(settings, stores, Order(SOURCES[0], "sync", "first", Window()))
    anchor_ledger(settings, stores)
    run_here(settings, stores, Order(SOURCES[1], "sync", "first", Window()))
    reverify(settings, stores, "first", why="thử", everything=True)
    with stores.engine.connect() as connection:
        pair = connection.execute(sa.text("SELECT document_a, document_b FROM archive.same_as LIMIT 1")).one()
    documents = (str(pair[0]), str(pair[1]))
    decide(
        stores.engine,
        link_decision(documents, "confirmed", by="Nguyễn Văn Mẫu", account="mau", why="cùng bản ký"),
    )
    check_fixity(stores, None)
    anchor_ledger(settings, stores, stamp=house_stamp(datetime.now(UTC)))


def house_stamp(moment: datetime) -> Stamp:
    """The office's own time-stamping authority, which says ``moment``."""
    stamper = HouseTimeStamper(_authority(), moment)

    def stamp(record: bytes) -> bytes:
        _, request = stamper.request_cms(hashlib.sha256(record).digest(), "sha256")  # type: ignore[no-untyped-call]
        return cast(bytes, asyncio.run(stamper.async_request_tsa_response(request)).dump())

    return stamp


@cache
def _authority() -> Credential:
    return build_pki(SEED).tsa  # seconds, for its keys


@dataclass(frozen=True, slots=True)
class Attack:
    """A way of tampering.

    Attributes:
        name: what is done. by: ``owner`` or ``superuser`` of the database, or who has the ``disk``.
        kinds: kinds of findings that must be reported, at least.
        do: does it.
        statement: the same as a plain statement. may: the program's own role needs the right to do such a thing;
            it is refused everything else.
    """

    name: str
    by: str
    kinds: frozenset[str]
    do: Callable[[Scene], None]
    statement: str = ""
    may: bool = False


def _statement(name: str, statement: str, *kinds: str, may: bool = False) -> Attack:
    return Attack(name, "superuser", frozenset(kinds), lambda scene: scene.sql(statement), statement, may)


def _disk(name: str, do: Callable[[Scene], None], *kinds: str) -> Attack:
    return Attack(name, "disk", frozenset(kinds), do)


def _rebuilt(name: str, change: Callable[[list[Entry]], list[Entry]], *kinds: str) -> Attack:
    return Attack(name, "superuser", frozenset(kinds), lambda scene: scene.rebuild_chain(change))


def _as_owner(scene: Scene) -> None:
    with scene.superuser.begin() as connection:
        connection.execute(sa.text("ALTER TABLE archive.event DISABLE TRIGGER append_only"))
        connection.execute(sa.text(_OUTCOME))
        connection.execute(sa.text("ALTER TABLE archive.event ENABLE TRIGGER append_only"))


_OUTCOME = "UPDATE archive.event SET outcome = 'failure' WHERE seq = 3"
_FIRST_INGESTED = "SELECT object FROM archive.event WHERE type = 'ingestion' ORDER BY seq LIMIT 1"


def _without(position: int) -> Callable[[list[Entry]], list[Entry]]:
    return lambda events: [*events[:position], *events[position + 1 :]]


def _swapped(events: list[Entry]) -> list[Entry]:
    events[2], events[5] = events[5], events[2]
    return events


def _forged(events: list[Entry]) -> list[Entry]:
    return [*events[:4], events[4]._replace(object="00000000-0000-5000-8000-000000000001"), *events[4:]]


def _append_forged(type_: str, payload: str) -> Callable[[Scene], None]:
    """With the right number and hash, so that no trigger refuses it."""

    def do(scene: Scene) -> None:
        with scene.superuser.begin() as connection:
            last = list(entries(connection))[-1]
            forged = last._replace(
                prev_hash=last.hash,
                seq=last.seq + 1,
                type=type_,
                object="00000000-0000-5000-8000-000000000001",
                payload=payload,
            )
            copy_rows(psycopg_cursor(connection), "event", [_row(forged._replace(hash=entry_hash(forged)))])

    return do


def _row(entry: Entry) -> dict[str, object]:
    row = entry._asdict()
    row["run_id"] = row.pop("run")
    return row


def _swap_numbers(scene: Scene) -> None:
    scene.sql("UPDATE archive.event SET seq = -seq WHERE seq IN (3, 6)")
    scene.sql("UPDATE archive.event SET seq = CASE seq WHEN -3 THEN 6 ELSE 3 END WHERE seq < 0")


def _remove_version(scene: Scene) -> None:
    document = scene.one(_FIRST_INGESTED)
    for table in ("signature_verdict", "verification", "verdict_set_aside", "attachment", "relation",
                  "handling_step", "document_version"):  # fmt: skip
        with scene.superuser.begin() as connection:
            connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
            connection.execute(
                sa.text(f"DELETE FROM archive.{table} WHERE document_id = :document"), {"document": document}
            )
    scene.sql("DELETE FROM archive.document WHERE id = :document", document=document)


def _remove_version_with_event(scene: Scene) -> None:
    document = scene.one(_FIRST_INGESTED)
    _remove_version(scene)
    scene.rebuild_chain(lambda events: [event for event in events if event.object != document])


_ADD_ROW = """WITH d AS (INSERT INTO archive.document
  SELECT (jsonb_populate_record(d, '{"id": "00000000-0000-5000-8000-000000000001", "source_key": "gia"}')).*
  FROM archive.document d LIMIT 1)
INSERT INTO archive.document_version
SELECT (jsonb_populate_record(v, '{"document_id": "00000000-0000-5000-8000-000000000001", "version": 1}')).*
FROM archive.document_version v LIMIT 1"""


def _some_file(scene: Scene, place: int = 0) -> Path:
    return scene.path(
        scene.one(f"SELECT sha256 FROM archive.attachment ORDER BY sha256 LIMIT 1 OFFSET {place}")
    )


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _truncate(scene: Scene) -> None:
    path = _some_file(scene)
    os.truncate(path, path.stat().st_size - 1)


def _orphan(scene: Scene) -> None:
    data = b"khong ai biet"
    name = hashlib.sha256(data).hexdigest()
    path = Path(scene.settings.objects) / "sha256" / name[:2] / name
    path.write_bytes(data)
    old = (datetime.now(UTC) - timedelta(days=3)).timestamp()
    os.utime(path, (old, old))


def _swap_files(scene: Scene) -> None:
    first, second = _some_file(scene), _some_file(scene, 5)
    kept = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(kept)


def _other_manifest(scene: Scene) -> None:
    """Another manifest, stored as it should be, and the row that names it changed with its content."""
    name = scene.one("SELECT manifest_sha256 FROM archive.document_version ORDER BY 1 LIMIT 1")
    fields = json.loads(scene.path(name).read_bytes())
    fields["document"]["subject"] = "Trích yếu giả"
    stored = scene.stores.objects.put_bytes(canonical_bytes(fields))
    scene.sql(
        "UPDATE archive.document_version SET manifest_sha256 = :new, subject = 'Trích yếu giả'"
        " WHERE manifest_sha256 = :old",
        new=stored.sha256,
        old=name,
    )


def _manifest_in_place(scene: Scene) -> None:
    name = scene.one("SELECT manifest_sha256 FROM archive.document_version ORDER BY 1 LIMIT 1")
    path = scene.path(name)
    fields = json.loads(path.read_bytes())
    fields["document"]["subject"] = "Trích yếu giả"
    path.write_bytes(canonical_bytes(fields))


def _forge_anchor(scene: Scene) -> None:
    """A row with its own record in the store, for a ledger from which an event was taken."""
    scene.rebuild_chain(_without(3))
    anchor = read_anchor(scene.path(scene.one(_RECORD)).read_bytes())
    with scene.superuser.connect() as connection:
        leaves = [leaf_hash(bytes.fromhex(event.hash)) for event in entries(connection, 0, anchor.tree_size)]
    forged = scene.stores.objects.put_bytes(anchor_bytes(replace(anchor, head="0" * 64)))
    scene.sql(
        "UPDATE archive.anchor SET root = :root, record_sha256 = :record WHERE number = 1",
        root=root_of(leaves).hex(),
        record=forged.sha256,
    )


_RECORD = "SELECT record_sha256 FROM archive.anchor WHERE number = 1"


def _rewrite_everything(scene: Scene) -> None:
    """The ledger without one event, and all anchors made anew over it: only what is outside still tells."""
    document = scene.one(_FIRST_INGESTED)
    _remove_version(scene)
    scene.rebuild_chain(
        lambda events: [
            event for event in events if event.object != document and event.type != EventType.ANCHOR.value
        ]
    )
    scene.sql("DELETE FROM archive.anchor")
    make_anchor(scene.superuser, scene.stores.objects)


def _anchor_file(scene: Scene) -> None:
    path = scene.settings.anchors[0] / "anchor-000001.json"
    path.write_bytes(path.read_bytes().replace(b'"number":1', b'"number":9'))


def _other_token(scene: Scene) -> None:
    """A good time-stamp of the same authority, over something else."""
    stored = scene.stores.objects.put_bytes(house_stamp(datetime.now(UTC))(b"khac"))
    scene.sql(
        "UPDATE archive.anchor SET token_sha256 = :name WHERE token_sha256 IS NOT NULL", name=stored.sha256
    )


ATTACKS = (
    Attack(
        "change an event, its trigger disabled",
        "owner",
        frozenset({"event_changed"}),
        _as_owner,
        _OUTCOME,
    ),
    _statement(
        "delete an event from the middle",
        "DELETE FROM archive.event WHERE seq = 4",
        "event_missing",
        "event_loose",
        "root_differs",
    ),
    _statement(
        "delete the last 10 events",
        "DELETE FROM archive.event WHERE seq > (SELECT max(seq) - 10 FROM archive.event)",
        "ledger_cut_off",
    ),
    _rebuilt(
        "remove one event and chain all of them anew", _without(3), "root_differs", "event_not_as_anchored"
    ),
    Attack(
        "exchange the numbers of two events",
        "superuser",
        frozenset({"event_loose", "event_changed"}),
        _swap_numbers,
    ),
    _rebuilt("reorder two events and chain all anew", _swapped, "root_differs", "event_not_as_anchored"),
    _rebuilt("insert a forged event and chain all anew", _forged, "root_differs", "event_not_as_anchored"),
    Attack(
        "append a forged event that continues the chain",
        "owner",
        frozenset({"row_removed"}),
        _append_forged("ingestion", canonical_text({"manifest_sha256": "0" * 64, "version": 1})),
    ),
    Attack(
        "append a decision on access to a document that is not there",
        "owner",
        frozenset({"row_removed"}),
        _append_forged("access change", "no JSON"),
    ),
    _statement(
        "change a document's subject",
        "UPDATE archive.document_version SET subject = 'khác' WHERE ctid = "
        "(SELECT ctid FROM archive.document_version LIMIT 1)",
        "row_differs",
    ),
    Attack("remove a document with all its rows", "superuser", frozenset({"row_removed"}), _remove_version),
    Attack(
        "remove a document with its event, and chain all anew",
        "superuser",
        frozenset({"root_differs", "event_not_as_anchored"}),
        _remove_version_with_event,
    ),
    _statement("add a document without an event", _ADD_ROW, "row_added", may=True),
    _statement(
        "remove an attachment's row",
        "DELETE FROM archive.attachment WHERE ctid = (SELECT ctid FROM archive.attachment LIMIT 1)",
        "row_removed",
    ),
    _statement(
        "turn a verdict into a pass",
        "UPDATE archive.signature_verdict SET indication = 'TOTAL_PASSED' WHERE ctid"
        " = (SELECT ctid FROM archive.signature_verdict WHERE indication <> 'TOTAL_PASSED' LIMIT 1)",
        "row_differs",
    ),
    _statement(
        "put a later check's verdict aside",
        "INSERT INTO archive.verdict_set_aside "
        "SELECT document_id, version, check_no, position, check_no FROM archive.verdict_in_force LIMIT 1",
        "row_added",
        may=True,
    ),
    _statement(
        "remove a later check",
        "DELETE FROM archive.verification WHERE ctid = (SELECT ctid FROM archive.verification LIMIT 1)",
        "row_removed",
        "row_added",
    ),
    _statement(
        "remove a record from quarantine",
        "DELETE FROM archive.quarantine WHERE ctid = (SELECT ctid FROM archive.quarantine LIMIT 1)",
        "row_removed",
    ),
    _statement(
        "release a record from quarantine",
        "UPDATE archive.quarantine SET state = 'released' WHERE ctid = "
        "(SELECT ctid FROM archive.quarantine WHERE state = 'open' LIMIT 1)",
        "row_differs",
        may=True,
    ),
    _statement(
        "remove the line of a withheld record",
        "DELETE FROM archive.withheld WHERE ctid = (SELECT ctid FROM archive.withheld LIMIT 1)",
        "row_removed",
    ),
    _statement(
        "take a person's link back",
        "UPDATE archive.same_as SET state = 'refused' WHERE state = 'confirmed'",
        "row_differs",
        may=True,
    ),
    _statement(
        "say that two documents are the same",
        "INSERT INTO archive.same_as SELECT least(a.id, b.id), "
        "greatest(a.id, b.id), 'A', repeat('a', 64), now(), 'found' FROM archive.document a, archive.document b "
        "WHERE a.id <> b.id LIMIT 1",
        "row_added",
        may=True,
    ),
    _statement(
        "mark a document as gone from its source",
        "UPDATE archive.document SET gone_from_source_at = now() "
        "WHERE ctid = (SELECT ctid FROM archive.document LIMIT 1)",
        "row_differs",
        may=True,
    ),
    _statement(
        "change what a run counted", "UPDATE archive.run SET archived = archived + 1", "row_differs", may=True
    ),
    _statement(
        "forget an object",
        "DELETE FROM archive.object WHERE sha256 = (SELECT sha256 FROM archive.attachment LIMIT 1)",
        "dead_reference",
    ),
    _statement(
        "delete an anchor", "DELETE FROM archive.anchor WHERE number = 2", "row_removed", "anchor_unknown"
    ),
    _statement(
        "change an anchor's root",
        "UPDATE archive.anchor SET root = repeat('0', 64) WHERE number = 1",
        "anchor_row_differs",
    ),
    Attack(
        "forge an anchor for a ledger without one event",
        "superuser",
        frozenset({"root_differs", "anchor_outside_differs"}),
        _forge_anchor,
    ),
    Attack(
        "rewrite ledger, rows and anchors, all consistent",
        "superuser",
        frozenset({"root_differs", "anchor_outside_differs", "anchor_unknown"}),
        _rewrite_everything,
    ),
    Attack(
        "put another time-stamp in place of an anchor's",
        "superuser",
        frozenset({"token_wrong"}),
        _other_token,
    ),
    _disk("change an anchor's file outside", _anchor_file, "anchor_outside_differs"),
    _disk(
        "change a bit of a file, keeping its length", lambda scene: _flip(_some_file(scene)), "object_changed"
    ),
    _disk("cut the last byte off a file", _truncate, "object_wrong_length"),
    _disk("remove a file", lambda scene: _some_file(scene).unlink(), "object_missing"),
    _disk("add a file that nothing names", _orphan, "orphan"),
    _disk("exchange two files", _swap_files, "object_wrong_length"),
    _disk("change a manifest where it is", _manifest_in_place, "manifest_changed"),
    _disk("put another manifest in its place, and its row", _other_manifest, "row_differs"),
    _disk(
        "change a segment of the ledger",
        lambda scene: _flip(
            scene.path(scene.one("SELECT segment_sha256 FROM archive.anchor WHERE number = 1"))
        ),
        "object_changed",
    ),
)
"""Every attack."""
