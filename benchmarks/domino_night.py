"""An ordinary night over a large Domino database: thousands of documents are listed, a few have changed.

``python -m benchmarks.domino_night [--documents N] [--changed N] [--json]``. A simulated server holds the documents;
a first night brings them all into a real archive. Then somebody changes a few, and a night runs at the rate that a
source has by default, once for each way of listing: by the agent, by the agent within a window, by a view. Says how
many requests were made and how long the night took, and proves by the requests that only what had changed was
fetched. The simulator runs in the same process, so its work is in the seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from unittest.mock import patch

from benchmarks.temporary_archive import temporary_archive
from demo.domino_database import LOCAL, NotesDatabase, small_documents
from demo.domino_server import ACCOUNT, DATABASE_PATH, PASSWORD, REPLICA_ID, DominoServer
from pipeline.quiet import quiet_libraries
from pipeline.settings import Settings
from pipeline.stages import Order, Stores
from pipeline.sync import run_here
from schemas.record import Window

_FILE_EVERY = 20
_WORKDAY = datetime(2026, 11, 24, 9, 0)  # noqa: DTZ001 - local, as the simulator keeps it
_HURRY: Mapping[str, object] = {"documents_per_request": 50, "politeness": {"requests_per_second": 1000}}
_VIEW: Mapping[str, object] = {
    "inventory": "views",
    "views": ["tatca"],
    "columns": {"modified": "$modified", "sequence": "$sequence"},
    "views_hold_everything": True,
}
_NIGHTS: Mapping[str, tuple[Mapping[str, object], bool]] = {
    "agent": ({}, False),
    "agent, window": ({}, True),
    "view": (_VIEW, False),
}
"""By name: settings of the source, and whether only a window is listed."""


@dataclass(frozen=True, slots=True)
class Night:
    """What a night came to.

    Attributes:
        listed: documents. archived: those that entered the archive. quarantined: those that did not.
        requests: all of them; by_kind: login, list, readviewentries, export, attachment.
        unchanged_fetched: documents that were fetched though they had not changed.
        seconds: of the clock, with the waiting that politeness asks for. processor_seconds: of this process.
    """

    listed: int
    archived: int
    quarantined: int
    requests: int
    by_kind: Mapping[str, int]
    unchanged_fetched: int
    seconds: float
    processor_seconds: float


def main() -> int:
    """Measures and prints; the exit status is 0 when each night fetched exactly what had changed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--documents", type=int, default=20_000)
    parser.add_argument("--changed", type=int, default=50)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    quiet_libraries()
    with temporary_archive() as (settings, stores):
        first, nights = measure(settings, stores, options.documents, options.changed)
    right = all(
        night.archived == options.changed and not night.unchanged_fetched for night in nights.values()
    )
    if options.json:
        print(
            json.dumps(
                {"first": asdict(first), "nights": {name: asdict(night) for name, night in nights.items()}}
            )
        )
    else:
        _print({"first": first, **nights})
    return 0 if right and first.archived == options.documents else 1


def measure(
    settings: Settings, stores: Stores, documents: int, changed: int
) -> tuple[Night, dict[str, Night]]:
    """The first night, and the later ones by their way of listing."""
    database = NotesDatabase(DATABASE_PATH, REPLICA_ID)
    database.add(small_documents(documents, file_every=_FILE_EVERY))
    everything = [found.unid for found in database.all()]
    with DominoServer(database) as server:
        connection = json.dumps(
            {"conn_type": "domino", "host": server.url, "login": ACCOUNT, "password": PASSWORD}
        )
        with patch.dict(os.environ, {"AIRFLOW_CONN_MO_PHONG": connection}):
            first = _night(settings, stores, server, everything, _HURRY, Window())
            nights = {}
            for number, (name, (service, windowed)) in enumerate(_NIGHTS.items()):
                moment = _WORKDAY + timedelta(days=number)
                edited = everything[number :: max(1, documents // changed)][:changed]
                for unid in edited:
                    database.edit(unid, moment, "Đã sửa")
                start = moment.replace(tzinfo=LOCAL) - timedelta(hours=8) if windowed else None
                nights[name] = _night(settings, stores, server, edited, service, Window(start))
    return first, nights


def _night(
    settings: Settings,
    stores: Stores,
    server: DominoServer,
    expected: Sequence[str],
    service: Mapping[str, object],
    window: Window,
) -> Night:
    folder = settings.home / "sources"
    folder.mkdir(exist_ok=True)
    described = {
        "source": "mo_phong",
        "title": "Văn bản",
        "system": "lotus_notes",
        "connection": "mo_phong",
        "service": {"kind": "domino", "database": DATABASE_PATH, **service},
        "pool": "domino",
        "organ": {"name": "Văn phòng Tỉnh ủy"},
        "records": [
            {"kind": "document", "fields": {"symbol": "SoKyHieu", "subject": "TrichYeu", "body": "NoiDung"}}
        ],
    }
    (folder / "mo_phong.yaml").write_text(json.dumps(described), encoding="utf-8")  # JSON is YAML
    before, begun, used = len(server.requests), time.monotonic(), time.process_time()
    run = run_here(settings, stores, Order("mo_phong", "sync", f"night at {begun}", window))
    asked = server.requests[before:]
    fetched = {unid for request in asked for unid in request.query.get("unid", "").split(",") if unid}
    kinds = Counter(
        "attachment" if "$FILE" in request.path else request.query.get("cmd") or request.command
        for request in asked
    )
    return Night(
        listed=run.listed or 0,
        archived=run.archived,
        quarantined=run.quarantined,
        requests=len(asked),
        by_kind=dict(kinds),
        unchanged_fetched=len(fetched - set(expected)),
        seconds=round(time.monotonic() - begun, 1),
        processor_seconds=round(time.process_time() - used, 1),
    )


def _print(nights: Mapping[str, Night]) -> None:
    for name, night in nights.items():
        kinds = ", ".join(f"{kind} {count}" for kind, count in night.by_kind.items())
        print(
            f"{name:<14} listed {night.listed}, archived {night.archived}, unchanged but fetched "
            f"{night.unchanged_fetched}; {night.requests} requests ({kinds}); {night.seconds} s, "
            f"of them {night.processor_seconds} s of this processor"
        )


if __name__ == "__main__":
    sys.exit(main())
