from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pipeline.airflow_client import AirflowClient, ImportFailure, RunProgress, TaskInstance
from schemas.errors import ConfigurationError, FatalError, RetriableError

HANOI = timezone(timedelta(hours=7))
DAG = "/api/v2/dags/sync__vanban"
Answer = tuple[int, object]


class FakeAirflow:
    """Answers what it was told to, the last answer again and again, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Answer]] = {"POST /auth/token": [(201, {"access_token": "the-1"})]}
        self.asked: list[tuple[str, object, str | None]] = []
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                name = f"{self.command} {self.path}"
                fake.asked.append((name, body, self.headers.get("Authorization")))
                known = fake.answers.get(name, [(404, {"detail": f"nothing at {name}"})])
                status, content = known.pop(0) if len(known) > 1 else known[0]
                sent = content.encode() if isinstance(content, str) else json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent)

            do_GET = do_POST = do_PATCH = _answer  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base_url = f"http://127.0.0.1:{self.server.server_port}"

    def client(self, patience: float = 0.0) -> AirflowClient:
        return AirflowClient(self.base_url, "admin", "mat-khau", patience=patience)


@pytest.fixture
def airflow() -> Iterator[FakeAirflow]:
    fake = FakeAirflow()
    fake.answers[f"GET {DAG}"] = [(200, {"dag_id": "sync__vanban"})]
    threading.Thread(target=fake.server.serve_forever, args=(0.02,), daemon=True).start()
    yield fake
    fake.server.shutdown()
    fake.server.server_close()


def test_it_logs_in_once_and_switches_a_dag_on(airflow: FakeAirflow) -> None:
    airflow.answers[f"PATCH {DAG}?update_mask=is_paused"] = [(200, {})]
    client = airflow.client()
    client.unpause("sync__vanban")
    client.unpause("sync__vanban")
    assert airflow.asked[0] == ("POST /auth/token", {"username": "admin", "password": "mat-khau"}, None)
    assert airflow.asked[2] == (f"PATCH {DAG}?update_mask=is_paused", {"is_paused": False}, "Bearer the-1")
    assert [name for name, _, _ in airflow.asked].count("POST /auth/token") == 1


def test_a_run_over_a_window_has_a_logical_date_so_that_airflow_keeps_the_window(
    airflow: FakeAirflow,
) -> None:
    airflow.answers[f"POST {DAG}/dagRuns"] = [(200, {"dag_run_id": "manual__1"})]
    window = (datetime(2015, 1, 1, tzinfo=HANOI), datetime(2015, 2, 1, tzinfo=HANOI))
    run = airflow.client().trigger("sync__vanban", conf={"dry_run": True}, data_interval=window, run_id=None)
    assert run == "manual__1"
    body = airflow.asked[-1][1]
    assert isinstance(body, dict)
    logical = datetime.fromisoformat(body.pop("logical_date"))
    assert abs(datetime.now(HANOI) - logical) < timedelta(minutes=1)
    assert body == {
        "conf": {"dry_run": True},
        "data_interval_start": "2015-01-01T00:00:00+07:00",
        "data_interval_end": "2015-02-01T00:00:00+07:00",
    }


def test_a_run_without_a_window_keeps_the_given_id(airflow: FakeAirflow) -> None:
    airflow.answers[f"POST {DAG}/dagRuns"] = [(200, {"dag_run_id": "tay__1"})]
    assert airflow.client().trigger("sync__vanban", conf={}, data_interval=None, run_id="tay__1") == "tay__1"
    assert airflow.asked[-1][1] == {
        "conf": {},
        "logical_date": None,
        "data_interval_start": None,
        "data_interval_end": None,
        "dag_run_id": "tay__1",
    }


def test_waiting_tells_each_change_once(airflow: FakeAirflow) -> None:
    run = f"{DAG}/dagRuns/manual__2026-11-22T02%3A00%3A00%2B07%3A00"
    airflow.answers[f"GET {run}"] = [
        (200, {"state": "queued"}),
        (200, {"state": "queued"}),
        (200, {"state": "success"}),
    ]
    task = {"task_id": "plan", "map_index": -1, "try_number": 1, "duration": None}
    airflow.answers[f"GET {run}/taskInstances?limit=100&offset=0"] = [
        (200, {"task_instances": [{**task, "state": None}], "total_entries": 1}),
        (200, {"task_instances": [{**task, "state": None}], "total_entries": 1}),
        (200, {"task_instances": [{**task, "state": "success"}], "total_entries": 1}),
    ]
    told: list[RunProgress] = []
    run_id = "manual__2026-11-22T02:00:00+07:00"
    assert airflow.client().wait("sync__vanban", run_id, 30, on_progress=told.append) == "success"
    assert told == [RunProgress("queued", {"none": 1}), RunProgress("success", {"success": 1})]


def test_a_run_that_does_not_end_in_time_is_not_called_failed(airflow: FakeAirflow) -> None:
    airflow.answers[f"GET {DAG}/dagRuns/r"] = [(200, {"state": "running"})]
    with pytest.raises(RetriableError, match="r of sync__vanban is still running"):
        airflow.client().wait("sync__vanban", "r", 0)


def test_task_instances_are_read_page_by_page(airflow: FakeAirflow) -> None:
    def page(first: int, last: int) -> Answer:
        tasks = [
            {"task_id": "receive", "map_index": n, "state": "success", "try_number": 1, "duration": 0.5}
            for n in range(first, last)
        ]
        return 200, {"task_instances": tasks, "total_entries": 103}

    airflow.answers[f"GET {DAG}/dagRuns/r/taskInstances?limit=100&offset=0"] = [page(0, 100)]
    airflow.answers[f"GET {DAG}/dagRuns/r/taskInstances?limit=100&offset=100"] = [page(100, 103)]
    assert airflow.client().task_instances("sync__vanban", "r") == [
        TaskInstance("receive", n, "success", 1, 0.5) for n in range(103)
    ]


def test_runs_come_newest_first(airflow: FakeAirflow) -> None:
    airflow.answers[f"GET {DAG}/dagRuns?order_by=-run_after&limit=100"] = [
        (200, {"dag_runs": [{"dag_run_id": "b"}, {"dag_run_id": "a"}]})
    ]
    assert airflow.client().run_ids("sync__vanban") == ["b", "a"]


def test_a_pool_is_made_or_changed(airflow: FakeAirflow) -> None:
    pool = {"name": "domino", "slots": 2, "description": "Máy chủ Domino", "include_deferred": False}
    airflow.answers["POST /api/v2/pools"] = [(201, pool)]
    airflow.client().ensure_pool("domino", 2, "Máy chủ Domino")
    assert airflow.asked[-1][:2] == ("POST /api/v2/pools", pool)
    airflow.answers["GET /api/v2/pools/domino"] = [(200, pool)]
    airflow.answers["PATCH /api/v2/pools/domino"] = [(200, pool)]
    airflow.client().ensure_pool("domino", 3, "Máy chủ Domino")
    assert airflow.asked[-1][:2] == ("PATCH /api/v2/pools/domino", {**pool, "slots": 3})


def test_a_dag_that_is_not_parsed_yet_is_waited_for(airflow: FakeAirflow) -> None:
    airflow.answers[f"GET {DAG}"] = [(404, {"detail": "not found"}), (200, {})]
    airflow.answers[f"PATCH {DAG}?update_mask=is_paused"] = [(200, {})]
    airflow.client(patience=30).unpause("sync__vanban")
    assert airflow.asked[-1][0].startswith("PATCH")


def test_an_unknown_dag_is_explained_by_the_files_that_cannot_be_imported(airflow: FakeAirflow) -> None:
    trace = "Traceback (most recent call last):\n  …\nModuleNotFoundError: No module named 'mapings'\n"
    airflow.answers[f"GET {DAG}"] = [(404, {})]
    airflow.answers["GET /api/v2/importErrors?limit=100"] = [
        (200, {"import_errors": [{"filename": "sync.py", "stack_trace": trace}]})
    ]
    client = airflow.client()
    assert client.import_errors() == [ImportFailure("sync.py", trace)]
    expected = r"knows no DAG sync__vanban.*sync\.py: ModuleNotFoundError: No module named 'mapings'"
    with pytest.raises(FatalError, match=expected):
        client.unpause("sync__vanban")


def test_an_expired_token_is_renewed(airflow: FakeAirflow) -> None:
    airflow.answers["POST /auth/token"] = [(201, {"access_token": "cu"}), (201, {"access_token": "moi"})]
    airflow.answers["GET /api/v2/importErrors?limit=100"] = [(401, {}), (200, {"import_errors": []})]
    assert airflow.client().import_errors() == []
    assert [token for _, _, token in airflow.asked] == [None, "Bearer cu", None, "Bearer moi"]


@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        (401, {"detail": "Invalid credentials"}, ConfigurationError, "does not let admin in: 401 Invalid"),
        (502, "<html>bad gateway</html>", RetriableError, "502 <html>bad gateway"),
    ],
)
def test_a_failed_login_says_whose_fault_it_is(
    airflow: FakeAirflow, status: int, body: object, kind: type[Exception], said: str
) -> None:
    airflow.answers["POST /auth/token"] = [(status, body)]
    with pytest.raises(kind, match=said) as failure:
        airflow.client().import_errors()
    assert "mat-khau" not in str(failure.value)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, FatalError),
        (403, ConfigurationError),
        (409, FatalError),
        (422, FatalError),
        (429, RetriableError),
        (503, RetriableError),
    ],
)
def test_refusals_are_divided_by_what_can_be_done(
    airflow: FakeAirflow, status: int, kind: type[Exception]
) -> None:
    airflow.answers[f"POST {DAG}/dagRuns"] = [(status, {"detail": "vì lý do này"})]
    with pytest.raises(kind, match="vì lý do này") as failure:
        airflow.client().trigger("sync__vanban", conf={}, data_interval=None, run_id=None)
    assert type(failure.value) is kind


def test_an_airflow_that_is_away_is_worth_another_try(
    airflow: FakeAirflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", airflow.base_url)  # would answer, if it were asked
    with pytest.raises(RetriableError, match="does not answer"):
        AirflowClient("http://127.0.0.1:9", "admin", "mat-khau").import_errors()
    assert airflow.asked == []
