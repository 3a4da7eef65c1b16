"""What all DAGs have in common: from when on they run, who owns them, how their tasks are tried again.

For the files in ``dags/`` alone, which Airflow loads by their paths: what they share has to be in a package.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from airflow.sdk import ExceptionRetryPolicy, Param, RetryAction, RetryRule

from pipeline.window import LOCAL_ZONE

START = datetime(2026, 1, 1, tzinfo=ZoneInfo(LOCAL_ZONE))
"""The first day of every schedule."""


def task_arguments(timeout: timedelta, may_be_busy: str) -> dict[str, object]:
    """``default_args`` of a DAG: what a person has to mend fails at once, what was busy is tried again.

    Args:
        timeout: of each task.
        may_be_busy: what the tasks wait for, in Vietnamese, for the log of a try.
    """
    policy = ExceptionRetryPolicy(
        rules=[
            RetryRule(
                exception="schemas.errors.FatalError", action=RetryAction.FAIL, reason="cần người xử lý"
            ),
            RetryRule(
                exception="schemas.errors.RetriableError",
                action=RetryAction.RETRY,
                retry_delay=timedelta(minutes=2),
                reason=f"{may_be_busy} đang bận",
            ),
        ],
    )
    return {
        "owner": "lienthong",
        "retries": 3,
        "retry_delay": timedelta(seconds=30),
        "retry_policy": policy,
        "show_return_value_in_logs": False,
        "execution_timeout": timeout,
    }


def dry_run_field() -> Param:
    """The field of a form that asks to count only."""
    return Param(
        False,
        type="boolean",
        title="Chạy thử (dry run)",
        description="Chỉ đếm, không ghi gì vào kho. / Count only, write nothing.",
    )
