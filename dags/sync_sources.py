"""One nightly and one backfill DAG for every configured source. Wiring only: what a task does is in
``pipeline.tasks``.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import (
    DAG,
    Asset,
    CronDataIntervalTimetable,
    Param,
    TriggerRule,
    XComArg,
    get_current_context,
    task,
    task_group,
)

from mappings.config import SourceConfig
from pipeline import tasks, tasks_search
from pipeline.dag_arguments import START, dry_run_field, task_arguments
from pipeline.settings import configured_sources, load_settings

TIMEOUT = timedelta(hours=2)


def stages(config: SourceConfig, planned: XComArg) -> None:
    """Wire the stages behind a planning task."""

    @task(
        pool=config.pool,
        map_index_template="{{ batch_label }}",
        execution_timeout=TIMEOUT + config.longest_pause,
    )
    def receive(batch: tasks.BatchValue) -> tasks.BatchValue:
        get_current_context()["batch_label"] = f"lô {batch['number']}"
        return tasks.receive(batch)

    @task
    def judge(batch: tasks.BatchValue) -> tasks.BatchValue:
        return tasks.judge(batch)

    @task
    def load(batch: tasks.BatchValue) -> dict[str, int]:
        return tasks.load(batch)

    @task_group(group_id="batch")
    def each_batch(batch: tasks.BatchValue) -> None:
        load(judge(receive(batch)))

    # Also after a failed batch: the archive's own account must say that the run failed, and why.
    @task(trigger_rule=TriggerRule.ALL_DONE)
    def account(run: str | None) -> dict[str, object]:
        return tasks.account(run)

    # The only outlet: one event a run, not one a batch.
    archived = Asset(name=f"archive__{config.source}", uri=f"lienthong://archive/{config.source}")

    @task(outlets=[archived])
    def report(summary: dict[str, object]) -> None:
        get_current_context()["outlet_events"][archived].extra = tasks.report(summary)

    @task
    def update_search() -> dict[str, object]:
        return tasks_search.update_index()

    accounted = account(planned["run"])
    each_batch.expand(batch=planned) >> accounted
    report(accounted)
    accounted >> update_search()


def handed_on(planned: tasks.Planned) -> list[tasks.BatchValue]:
    """The batches, to be mapped over. The run's identity goes beside them: Airflow maps over return values only."""
    get_current_context()["ti"].xcom_push(key="run", value=planned["run"])
    return planned["batches"]


def sync(config: SourceConfig) -> DAG:
    """The nightly DAG of a source."""
    with DAG(
        dag_id=f"sync__{config.source}",
        dag_display_name=f"Đồng bộ hằng đêm: {config.title}",
        schedule=CronDataIntervalTimetable(config.schedule.cron, timezone=config.schedule.timezone),
        start_date=START,
        catchup=False,
        max_active_runs=1,
        default_args=task_arguments(TIMEOUT, "nguồn hoặc cơ sở dữ liệu"),
        tags=["lienthong", "sync", config.system],
        doc_md=SYNC_DOC.format(source=config.source, title=config.title),
    ) as dag:

        @task(pool=config.pool, execution_timeout=TIMEOUT + config.longest_pause)
        def plan() -> list[tasks.BatchValue]:
            return handed_on(tasks.plan_sync(config.source, get_current_context()))

        stages(config, plan())
    return dag


def backfill(config: SourceConfig) -> DAG:
    """The backfill DAG of a source, started by hand with a form."""
    with DAG(
        dag_id=f"backfill__{config.source}",
        dag_display_name=f"Lấy lại hồ sơ cũ: {config.title}",
        schedule=None,
        start_date=START,
        catchup=False,
        max_active_runs=1,
        default_args=task_arguments(TIMEOUT, "nguồn hoặc cơ sở dữ liệu"),
        tags=["lienthong", "backfill", config.system],
        doc_md=BACKFILL_DOC.format(source=config.source, title=config.title),
        params={
            "from_day": Param(
                None,
                type=["null", "string"],
                format="date",
                title="Từ ngày (from)",
                description="Ngày đầu tiên, theo giờ Việt Nam; để trống: từ hồ sơ cũ nhất. / First civil day.",
            ),
            "to_day": Param(
                None,
                type=["null", "string"],
                format="date",
                title="Đến hết ngày (to)",
                description="Ngày cuối cùng, tính cả ngày đó; để trống: đến nay. / Last civil day, included.",
            ),
            "batch_size": Param(
                config.batch_size,
                type="integer",
                minimum=1,
                maximum=10_000,
                title="Số hồ sơ mỗi lô (batch size)",
            ),
            "folder": Param(
                None,
                type=["null", "string"],
                title="Thư mục hoặc tệp (folder)",
                description="Đọc từ đây thay cho thư mục thả của nguồn. / Read here instead of the drop folder.",
            ),
            "dry_run": dry_run_field(),
        },
    ) as dag:

        @task(pool=config.pool, execution_timeout=TIMEOUT + config.longest_pause)
        def plan() -> list[tasks.BatchValue]:
            return handed_on(tasks.plan_backfill(config.source, get_current_context()))

        stages(config, plan())
    return dag


SYNC_DOC = """### Đồng bộ hằng đêm: {title}

Lập danh sách những gì nguồn `{source}` có, bỏ những gì kho đã có, rồi theo từng lô: lấy, chặn tài liệu mật, cất bản
gốc, chuẩn hóa, kiểm tra mọi chữ ký số, nạp vào kho. Cuối cùng đối chiếu: **liệt kê = lưu + không đổi + cách ly + giữ
ngoài**; sai một hồ sơ là lượt chạy thất bại. Chạy lại bao nhiêu lần cũng được.

*Nightly sync of `{source}`: inventory minus archive, then batch by batch fetch, secrecy gate, store, normalise,
verify, load; the account must add up or the run fails. Safe to repeat. A scheduler-managed backfill wants instants:*

    airflow backfill create --dag-id sync__{source} \\
        --from-date 2026-11-05T00:00:00+07:00 --to-date 2026-11-06T23:59:59+07:00
"""

BACKFILL_DOC = """### Lấy lại hồ sơ cũ: {title}

Bấm *Trigger*, điền từ ngày, đến ngày (theo giờ Việt Nam, tính cả hai ngày), chọn *Chạy thử* để chỉ đếm. Chạy dở thì
chạy lại: những gì đã lưu được tính là *không đổi*.

*Started by hand with a form: civil days, batch size, an optional folder, dry run. Resumable.*
"""

for _config in configured_sources(load_settings()).values():
    globals()[f"sync__{_config.source}"] = sync(_config)
    globals()[f"backfill__{_config.source}"] = backfill(_config)
