"""What the tasks of ``audit_archive`` do; see ``pipeline.tasks`` for how tasks and functions go together."""

from __future__ import annotations

import logging
from collections.abc import Mapping
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
from schemas.errors import FatalError, RetriableError
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


def report(
    anchored: Mapping[str, object] | None, audited: Mapping[str, object] | None, context: Mapping[str, object]
) -> dict[str, object]:
    """Write the nightly message beside the anchors, send it where there is a mail connection, and judge the night.

    Returns:
        What the asset event carries.

    Raises:
        FatalError: the ledger could not be anchored, or the audit found something; after the message has gone out.
        RetriableError: a folder or the mail server did not take it.
    """
    at = datetime.fromisoformat(str(audited["started"])) if audited else datetime.now(UTC)
    text, subject = night_message(anchored, audited, at), night_subject(anchored, audited)
    for line in text.splitlines():
        _log.info("%s", line)
    not_kept: RetriableError | None = None
    try:
        keep_message(load_settings().anchors, text, at)
    except RetriableError as error:  # a share that is away must not be why nobody is told of it
        not_kept = error
    if (connection := _connection(context, MAIL)) is not None:
        send_mail(mail_server(connection), subject, text)
    if anchored is None or audited is None or not audited["clean"]:
        raise FatalError(
            subject,
            where="audit_archive",
            action="read the message of this night, and: lienthong audit --full",
        )
    if not_kept is not None:
        raise not_kept
    return {name: anchored[name] for name in ("number", "tree_size", "root")} | {"clean": True}


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
