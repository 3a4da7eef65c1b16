"""What the holdings' task of ``audit_archive`` does; see ``pipeline.tasks`` for how tasks and functions go together."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from archive.reconciliation import reconcile as run_reconciliation
from pipeline.listed_classes import listed_classes
from pipeline.settings import configured_sources
from pipeline.table_files import write_xlsx
from pipeline.tasks import opened_stores
from pipeline.wording import Wording
from schemas.errors import FatalError

_log = logging.getLogger(__name__)

WORKBOOK = "doi-chieu.xlsx"
"""The newest reconciliation, in the folder ``reports`` of the data folder."""


def reconcile() -> Mapping[str, object]:
    """Reconcile, keep the workbook, and tell how many rows of each table ask something of a person.

    Raises:
        FatalError: a listed record is in no counted state; questions alone are no failure.
    """
    words = Wording("vi")
    with opened_stores() as (settings, stores):
        policies = {name: config.numbering for name, config in configured_sources(settings).items()}
        found = run_reconciliation(stores.engine, policies, classes=listed_classes())
        folder = settings.home / "reports"
        folder.mkdir(mode=0o700, exist_ok=True)
        write_xlsx(folder / WORKBOOK, found.tables, words)
    questions = {table.name: len(table.rows) for table in found.tables if table.asks}
    for name, count in questions.items():
        _log.info("%s: %d", words(f"table_{name}"), count)
    if not found.in_order:
        raise FatalError(
            words("not_in_order"),
            where="reconcile",
            action="see which: lienthong reconcile --table missing, and --table runs",
        )
    return {"questions": questions}
