"""Verifying archived signatures again, every day and by hand. Wiring only: what a task does is in
``pipeline.tasks``.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import (
    DAG,
    Asset,
    CronDataIntervalTimetable,
    Param,
    get_current_context,
    task,
)

from pipeline import tasks, tasks_search
from pipeline.dag_arguments import START, dry_run_field, task_arguments
from pipeline.window import LOCAL_ZONE

DOC = """### Kiểm tra lại chữ ký số trong kho

Mỗi ngày: tiếp nhận danh sách thu hồi (CRL, OCSP) thả vào thư mục `trust/incoming`, rồi kiểm tra lại **chỉ** những chữ
ký bị ảnh hưởng: có danh sách thu hồi mới, đổi chứng thư gốc, thuật toán hết hạn, chứng thư còn 90 ngày. Kết luận tốt
không mất đi vì thời gian trôi; chứng thư bị thu hồi *trước* khi ký thì kết luận đổi. Lịch sử chỉ được ghi thêm.

*Every day: take dropped revocation lists in, then verify only the signatures that a new list, other roots, an
algorithm's or a certificate's end concerns. By hand: Trigger with a reason; "all" verifies every signature. A run that
was killed goes on where it stopped.*
"""


def reverification() -> DAG:
    """The daily DAG, with a form for a run by hand."""
    with DAG(
        dag_id="reverify_signatures",
        dag_display_name="Kiểm tra lại chữ ký số",
        schedule=CronDataIntervalTimetable("30 5 * * *", timezone=LOCAL_ZONE),
        start_date=START,
        catchup=False,
        max_active_runs=1,
        default_args=task_arguments(timedelta(hours=12), "cơ sở dữ liệu"),
        tags=["lienthong", "signatures"],
        doc_md=DOC,
        params={
            "reason": Param(
                "",
                type="string",
                title="Lý do (reason)",
                description="Ghi vào hồ sơ của lượt kiểm tra. / Kept with the record of this run.",
            ),
            "everything": Param(
                False,
                type="boolean",
                title="Mọi chữ ký (all)",
                description="Kiểm tra lại toàn bộ, không chỉ chữ ký bị ảnh hưởng. / Every archived signature.",
            ),
            "dry_run": dry_run_field(),
        },
    ) as dag:
        verified = Asset(name="archive__verdicts", uri="lienthong://archive/verdicts")

        @task
        def take_in() -> dict[str, int]:
            return tasks.take_in_lists(get_current_context())

        @task
        def recheck() -> dict[str, object]:
            return tasks.reverify(get_current_context())

        @task(outlets=[verified])
        def report(summary: dict[str, object]) -> None:
            get_current_context()["outlet_events"][verified].extra = tasks.report_reverified(summary)

        @task
        def update_search() -> dict[str, object]:
            return tasks_search.update_index()

        rechecked = recheck()
        take_in() >> rechecked >> update_search()
        report(rechecked)
    return dag


reverify_signatures = reverification()
