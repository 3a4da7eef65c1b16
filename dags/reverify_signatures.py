"""Verifying archived signatures again, every day and by hand. Wiring only: what a task does is in
``pipeline.tasks``.
"""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.sdk import (
    DAG,
    Asset,
    CronDataIntervalTimetable,
    ExceptionRetryPolicy,
    Param,
    RetryAction,
    RetryRule,
    get_current_context,
    task,
)

from pipeline import tasks, tasks_search

ZONE = "Asia/Ho_Chi_Minh"
RETRY = ExceptionRetryPolicy(
    rules=[
        RetryRule(exception="schemas.errors.FatalError", action=RetryAction.FAIL, reason="cần người xử lý"),
        RetryRule(
            exception="schemas.errors.RetriableError",
            action=RetryAction.RETRY,
            retry_delay=timedelta(minutes=2),
            reason="cơ sở dữ liệu đang bận",
        ),
    ],
)

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
        schedule=CronDataIntervalTimetable("30 5 * * *", timezone=ZONE),
        start_date=pendulum.datetime(2026, 1, 1, tz=ZONE),
        catchup=False,
        max_active_runs=1,
        default_args={
            "owner": "lienthong",
            "retries": 3,
            "retry_delay": timedelta(seconds=30),
            "retry_policy": RETRY,
            "show_return_value_in_logs": False,
            "execution_timeout": timedelta(hours=12),
        },
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
            "dry_run": Param(
                False,
                type="boolean",
                title="Chạy thử (dry run)",
                description="Chỉ đếm, không ghi gì vào kho. / Count only, write nothing.",
            ),
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
