"""Anchoring, auditing and reconciling the archive, every night.

Wiring only: what a task does is in ``pipeline.tasks_audit`` and ``pipeline.tasks_holdings``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from airflow.sdk import (
    DAG,
    Asset,
    CronDataIntervalTimetable,
    Param,
    TriggerRule,
    get_current_context,
    task,
)

from pipeline import tasks_audit, tasks_holdings
from pipeline.dag_arguments import START, task_arguments
from pipeline.window import LOCAL_ZONE

DOC = """### Neo và kiểm toán kho lưu trữ

Mỗi sáng, sau các đêm đồng bộ: neo sổ cái ra ngoài cơ sở dữ liệu (tệp trong thư mục `anchors`, dấu thời gian nếu có kết
nối `lienthong_tsa`), đọc lại các tệp lâu chưa kiểm tra, rồi kiểm toán toàn kho: sổ cái, mốc neo, dòng dữ liệu, bản kê,
tệp. Thư báo cáo nằm cạnh các mốc neo và được gửi nếu có kết nối `lienthong_smtp`. Đối chiếu số liệu ghi vào
`reports/doi-chieu.xlsx`. **Đỏ nghĩa là có người phải xem.**

*Every morning, after the nights' syncs: anchor the ledger outside the database, read again the objects that waited
longest, audit everything, and send the message of the night. Red means that a person has to look. By hand: Trigger,
"all" reads every object and compares every version.*
"""


def auditing() -> DAG:
    """The nightly DAG, with a form for a run by hand."""
    with DAG(
        dag_id="audit_archive",
        dag_display_name="Neo và kiểm toán kho lưu trữ",
        schedule=CronDataIntervalTimetable("30 6 * * *", timezone=LOCAL_ZONE),
        start_date=START,
        catchup=False,
        max_active_runs=1,
        default_args=task_arguments(timedelta(hours=12), "cơ sở dữ liệu, thư mục hoặc máy chủ thư"),
        tags=["lienthong", "audit"],
        doc_md=DOC,
        params={
            "full": Param(
                False,
                type="boolean",
                title="Toàn bộ (all)",
                description="Đọc lại mọi tệp, đối chiếu mọi phiên bản. / Every object and every version.",
            ),
            "gigabytes": Param(
                11,
                type="integer",
                minimum=1,
                title="Số GB đọc lại (gigabytes)",
                description="Khi không chọn toàn bộ. / To be read again when not all are asked for.",
            ),
        },
    ) as dag:
        audited = Asset(name="archive__audit", uri="lienthong://archive/audit")

        @task
        def anchor() -> dict[str, object]:
            return tasks_audit.anchor(get_current_context())

        # A broken ledger stops the anchoring; the audit then has to say where it is broken.
        @task(trigger_rule=TriggerRule.ALL_DONE)
        def fixity() -> dict[str, object]:
            return tasks_audit.fixity(get_current_context())

        @task(trigger_rule=TriggerRule.ALL_DONE)
        def audit(checked: dict[str, object] | None) -> dict[str, object]:
            return tasks_audit.audit(get_current_context(), checked)

        # Apart from the mail: a share that is away is tried again, and the message goes out once.
        @task(trigger_rule=TriggerRule.ALL_DONE)
        def keep(anchored: dict[str, object] | None, found: dict[str, object] | None) -> list[str]:
            return tasks_audit.keep(anchored, found, get_current_context())

        @task(trigger_rule=TriggerRule.ALL_DONE, outlets=[audited])
        def report(
            anchored: dict[str, object] | None, found: dict[str, object] | None, kept: list[str] | None
        ) -> None:
            context = get_current_context()
            context["outlet_events"][audited].extra = tasks_audit.report(anchored, found, kept, context)

        @task
        def reconcile() -> Mapping[str, object]:
            return tasks_holdings.reconcile()

        reconcile()
        anchored = anchor()
        checked = fixity()
        anchored >> checked
        found = audit(checked)
        report(anchored, found, keep(anchored, found))
    return dag


audit_archive = auditing()
