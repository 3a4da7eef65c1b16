"""What the tasks of ``audit_archive`` do; see ``pipeline.tasks`` for how tasks and functions go together."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol, cast

from archive.anchors import Stamp
from archive.audit import audit as run_audit
from archive.audit_finding import Finding
from pipeline.anchoring import anchor_ledger, anchored_value
from pipeline.auditing import audit_lines, audit_value, check_fixity, fixity_value, with_fixity
from pipeline.mail import Connection, mail_server, send_mail
from pipeline.night_message import keep_message, night_message, night_subject
from pipeline.settings import load_settings
from pipeline.tasks import opened_stores, run_form
from pipeline.time_stamping import stamp_by
from pipeline.wording import Wording
from schemas.errors import FatalError
from signatures.trust import load_trust

_log = logging.getLogger(__name__)

MAIL = "lienthong_smtp"
"""The Airflow connection of the mail server."""
TIME_STAMPS = "lienthong_tsa"
"""The Airflow connection of the time-stamping authority, type ``http``."""

_GIGABYTE = 10**9
_PASSED_ON = 50
"""Problems of each kind that travel between tasks and stand in the message; the log has more."""


class _Connections(Protocol):
    def get(self, conn_id: str, default_conn: None = None) -> Connection | None: ...


class _Run(Protocol):
    start_date: datetime


def anchor(context: Mapping[str, object]) -> dict[str, object]:
    """Anchor the ledger; what was not reached is told, and tried again the next night.

    Raises:
        FatalError: the ledger is not the one that was anchored before.
    """
    with opened_stores() as (settings, stores):
        done = anchor_ledger(settings, stores, stamp=_stamp(context))
    told = anchored_value(done)
    for failure in done.failures:
        _log.warning("Chưa tới được: %s", failure)
    return told


def fixity(context: Mapping[str, object]) -> dict[str, object]:
    """Read the objects again whose turn it is; returns the counts, and what the audit has to tell of them."""
    form = run_form(context)
    budget = None if form.get("full") else int(cast(int, form["gigabytes"])) * _GIGABYTE
    with opened_stores() as (_, stores):
        report, findings = check_fixity(stores, budget)
    told = fixity_value(report) if report else {}
    failure = findings[0].values["error"] if findings else ""
    return {"told": told, "orphans": list(report.orphans[:_PASSED_ON]) if report else [], "failure": failure}


def audit(context: Mapping[str, object], checked: Mapping[str, object] | None) -> dict[str, object]:
    """Audit the archive; ``checked`` is what ``fixity`` gave, ``None`` when that failed."""
    now = datetime.now(UTC)
    with opened_stores() as (settings, stores):
        report = run_audit(
            stores.engine,
            stores.objects,
            full=bool(run_form(context).get("full")),
            folders=settings.anchors,
            trust=load_trust(settings.trust),
            now=now,
        )
    objects = cast("Mapping[str, int] | None", (checked or {}).get("told") or None)
    orphans = objects["orphan_count"] if objects else 0
    words = Wording("vi")
    told = audit_value(with_fixity(report, None, _of_objects(checked), orphans), words)
    told["fixity"] = objects
    told["started"] = report.started.isoformat()
    for line in audit_lines(told, words):
        _log.info("%s", line)
    return _small(told)


def keep(
    anchored: Mapping[str, object] | None, audited: Mapping[str, object] | None, context: Mapping[str, object]
) -> list[str]:
    """Write the nightly message beside the anchors, into every folder that takes it; returns the files.

    Raises:
        RetriableError: a folder did not take it.
    """
    at = _night(audited, context)
    text = night_message(anchored, audited, at)
    for line in text.splitlines():
        _log.info("%s", line)
    folders = load_settings().anchors
    if anchored is not None and anchored["number"] is None:  # no anchors, and no folder that takes them
        folders = folders[:1]
    return [str(path) for path in keep_message(folders, text, at)]


def report(
    anchored: Mapping[str, object] | None,
    audited: Mapping[str, object] | None,
    kept: Sequence[str] | None,
    context: Mapping[str, object],
) -> dict[str, object]:
    """Send the nightly message where there is a mail connection, and judge the night.

    After the message has gone out nothing here is tried again, so that it goes out once.

    Args:
        anchored: what ``anchor`` gave, audited: what ``audit`` gave, kept: what ``keep`` gave; ``None`` where that
            failed.
        context: of the task.

    Returns:
        What the asset event carries.

    Raises:
        FatalError: the ledger could not be anchored, the audit found something, or a folder did not take the message.
        RetriableError: the mail server did not take it.
    """
    at = _night(audited, context)
    subject = night_subject(anchored, audited)
    if (connection := _connection(context, MAIL)) is not None:
        send_mail(mail_server(connection), subject, night_message(anchored, audited, at))
    if anchored is None or audited is None or not audited["clean"]:
        raise FatalError(
            subject,
            where="audit_archive",
            action="read the message of this night, and: lienthong audit --full",
        )
    if kept is None:
        raise FatalError(
            "the message of this night does not lie in every folder of anchors",
            where="audit_archive, task keep",
            action="read that task's log, mend the folder, and clear the task",
        )
    return {name: anchored[name] for name in ("number", "tree_size", "root")} | {"clean": True}


def _night(audited: Mapping[str, object] | None, context: Mapping[str, object]) -> datetime:
    """Of which moment the message tells: the same whenever it is asked for in one run."""
    if audited is not None:
        return datetime.fromisoformat(str(audited["started"]))
    return cast(_Run, context["dag_run"]).start_date


def _of_objects(checked: Mapping[str, object] | None) -> tuple[Finding, ...]:
    if checked is None:
        return (Finding("fixity_failed", "", {"error": "task fixity"}),)
    orphans = tuple(Finding("orphan", f"object {name}") for name in cast("list[str]", checked["orphans"]))
    failure = checked["failure"]
    return (*((Finding("fixity_failed", "", {"error": failure}),) if failure else ()), *orphans)


def _small(told: dict[str, object]) -> dict[str, object]:
    """``told`` with few problems of each kind and times as text, to travel between tasks."""
    kept: dict[str, list[Mapping[str, str]]] = {}
    for problem in cast("list[Mapping[str, str]]", told["problems"]):
        kept.setdefault(problem["kind"], []).append(problem)
    few = [problem for found in kept.values() for problem in found[:_PASSED_ON]]
    plain = {
        name: value.isoformat() if isinstance(value, datetime) else value for name, value in told.items()
    }
    return {**plain, "problems": few}


def _stamp(context: Mapping[str, object]) -> Stamp | None:
    connection = _connection(context, TIME_STAMPS)
    if connection is None or not connection.host:
        return None
    schema = str(getattr(connection, "schema", "") or "https")
    host = connection.host if "://" in connection.host else f"{schema}://{connection.host}"
    url = f"{host}:{connection.port}" if connection.port else host
    return stamp_by(url, connection.login or "", connection.password or "")


def _connection(context: Mapping[str, object], name: str) -> Connection | None:
    return cast(_Connections, context["conn"]).get(name)
