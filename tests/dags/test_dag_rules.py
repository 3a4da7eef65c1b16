"""Rules that every DAG keeps, because breaking them fails silently in production."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.dag, pytest.mark.postgres]

SOURCES = {"notes_van_ban", "dieu_hanh"}
TOUCHES_SOURCE = {"plan", "batch.receive"}


@pytest.fixture
def dags(dag_bag):
    return dag_bag.dags


def test_every_source_has_its_two_dags_and_none_fails_to_import(dag_bag):
    assert dag_bag.import_errors == {}
    of_sources = {f"{kind}__{name}" for kind in ("sync", "backfill") for name in SOURCES}
    assert set(dag_bag.dags) == of_sources | {"audit_archive", "reverify_signatures"}


def test_nightly_runs_have_a_real_interval_in_local_time(dags):
    for name in ("audit_archive", "reverify_signatures", *(f"sync__{source}" for source in SOURCES)):
        timetable = dags[name].timetable
        assert "Interval" in type(timetable).__name__
        assert str(timetable.timezone) == "Asia/Ho_Chi_Minh"
        assert not dags[name].catchup


def test_every_dag_says_who_owns_it_what_it_does_and_stays_small(dags):
    for dag in dags.values():
        assert dag.owner == "lienthong"
        assert "lienthong" in dag.tags
        assert dag.doc_md
        assert len(dag.doc_md) > 100
        assert len(dag.tasks) <= 8


def test_tasks_never_write_return_values_to_logs_and_fail_at_once_on_what_a_retry_cannot_mend(dags):
    for dag in dags.values():
        for task in dag.tasks:
            assert task.show_return_value_in_logs is False, task.task_id
            assert task.retries >= 1
            rules = {rule.exception_path: rule.action.value for rule in task.retry_policy.rules}
            assert rules["schemas.errors.FatalError"] == "fail"
            assert rules["schemas.errors.RetriableError"] == "retry"


def test_only_tasks_that_touch_the_source_take_its_pool(dags):
    for dag in dags.values():
        pools = {task.task_id: task.pool for task in dag.tasks}
        for task_id, pool in pools.items():
            assert (pool != "default_pool") == (task_id in TOUCHES_SOURCE), f"{dag.dag_id}.{task_id}: {pool}"


def test_one_asset_event_a_run_from_an_unmapped_task(dags):
    for dag in dags.values():
        outlets = {task.task_id: task.outlets for task in dag.tasks if task.outlets}
        assert set(outlets) == {"report"}


def test_the_backfill_form_asks_for_civil_days_batch_size_folder_and_dry_run(dags):
    for name in SOURCES:
        form = dags[f"backfill__{name}"].params
        assert set(form) == {"from_day", "to_day", "batch_size", "folder", "dry_run"}
        assert form["dry_run"] is False


def test_verification_by_hand_asks_for_a_reason_and_takes_only_what_is_affected_unless_told(dags):
    form = dags["reverify_signatures"].params
    assert {name: form[name] for name in form} == {"reason": "", "everything": False, "dry_run": False}


def test_an_audit_by_hand_asks_whether_all_is_to_be_read_and_how_much_otherwise(dags):
    form = dags["audit_archive"].params
    assert {name: form[name] for name in form} == {"full": False, "gigabytes": 11}


def test_the_audit_and_its_message_do_not_wait_for_an_anchoring_that_succeeds(dags):
    rules = {task.task_id: task.trigger_rule.value for task in dags["audit_archive"].tasks}
    assert rules == {
        "anchor": "all_success", "fixity": "all_done", "audit": "all_done", "keep": "all_done", "report": "all_done",
        "reconcile": "all_success",
    }  # fmt: skip
