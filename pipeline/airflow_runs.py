"""``lienthong sync --dag``: the same order, carried out by a running Airflow.

The environment says which one: ``LIENTHONG_AIRFLOW_URL``, ``LIENTHONG_AIRFLOW_USER`` and
``LIENTHONG_AIRFLOW_PASSWORD_FILE`` (a file that holds the password alone, or Airflow's own JSON of users and
passwords).
Where none of them is set, ``airflow.json`` in the data folder says it, as the demo writes it.
"""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from archive.runs import RunSummary, runs
from pipeline.airflow_client import AirflowClient
from pipeline.settings import Settings, source_config
from pipeline.stages import Order, Stores
from pipeline.window import LOCAL_ZONE
from schemas.errors import ConfigurationError, FatalError

URL = "LIENTHONG_AIRFLOW_URL"
USER = "LIENTHONG_AIRFLOW_USER"
PASSWORD_FILE = "LIENTHONG_AIRFLOW_PASSWORD_FILE"  # noqa: S105  the name of a variable
_WITHIN = 6 * 3600.0


LOGIN_FILE = "airflow.json"
"""File in the data folder, mode 0600: ``{"url": …, "user": …, "password": …}``."""


def client_of(settings: Settings) -> AirflowClient:
    """The Airflow that the environment names, or else the data folder.

    Raises:
        ConfigurationError: neither names one, a variable is missing, or a file cannot be read.
    """
    found = {name: os.environ.get(name, "").strip() for name in (URL, USER, PASSWORD_FILE)}
    kept = settings.home / LOGIN_FILE
    if not any(found.values()) and kept.is_file():
        login = json.loads(kept.read_text(encoding="utf-8"))
        return AirflowClient(login["url"], login["user"], login["password"])
    missing = [name for name, value in found.items() if not value]
    if missing:
        raise ConfigurationError(
            "which Airflow to use is not said",
            where=", ".join(missing),
            expected="its address, a user, and a file with the password",
            action="set the variables, or leave --dag out to run in this process",
        )
    return AirflowClient(found[URL], found[USER], _password(Path(found[PASSWORD_FILE]), found[USER]))


def run_through_airflow(settings: Settings, stores: Stores, order: Order, dry_run: bool) -> RunSummary | None:
    """Carry out ``order`` as a run of ``backfill__<source>``, whose form takes everything that an order says.

    Returns:
        The run as the archive accounts for it; ``None`` for a dry run, whose counts are in the task's log.

    Raises:
        FatalError: the run failed.
    """
    source_config(settings, order.source)
    client = client_of(settings)
    dag_id = f"backfill__{order.source}"
    client.unpause(dag_id)
    run_id = client.trigger(dag_id, conf=_form(order, dry_run), data_interval=None, run_id=None)
    state = client.wait(dag_id, run_id, _WITHIN)
    summary = next(
        (run for run in runs(stores.engine, 50, order.source) if run.run_key == f"{dag_id}/{run_id}"), None
    )
    if state != "success":
        raise FatalError(
            f"the run of source {order.source} ended as {state}"
            + (f": {summary.failure}" if summary else ""),
            where=f"DAG {dag_id}, run {run_id}",
            action="read the failed task's log in the Airflow UI",
        )
    return summary


def _form(order: Order, dry_run: bool) -> dict[str, object]:
    zone = ZoneInfo(LOCAL_ZONE)
    start, end = order.window.start, order.window.end
    form: dict[str, object] = {
        "from_day": start.astimezone(zone).date().isoformat() if start else None,
        "to_day": (end - timedelta(microseconds=1)).astimezone(zone).date().isoformat() if end else None,
        "folder": str(order.folder) if order.folder else None,
        "dry_run": dry_run,
    }
    if order.batch_size:
        form["batch_size"] = order.batch_size
    return form


def _password(path: Path, user: str) -> str:
    try:
        text = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigurationError(
            f"the password file cannot be read: {error.strerror}", where=str(path), expected=PASSWORD_FILE
        ) from error
    try:
        passwords = json.loads(text)
    except ValueError:
        return text
    return str(passwords[user]) if isinstance(passwords, dict) and user in passwords else text
