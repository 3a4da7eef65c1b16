"""What the command line and the demo ask of a running Airflow, over its public API (v2, Airflow 3.3)."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import requests

from schemas.errors import ConfigurationError, FatalError, RetriableError

_FINAL_STATES = frozenset({"success", "failed"})
_POLL = 0.5
_HTTP_TIMEOUT = 30.0
_PAGE = 100


@dataclass(frozen=True, slots=True)
class RunProgress:
    """How far a DAG run is: its state, and the number of tasks in each state (``none``: not begun)."""

    state: str
    tasks: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class TaskInstance:
    """One task instance; ``map_index`` is -1 for an unmapped task, ``duration`` in seconds once it ended."""

    task_id: str
    map_index: int
    state: str | None
    try_number: int
    duration: float | None


@dataclass(frozen=True, slots=True)
class ImportFailure:
    """A DAG file that Airflow could not import, with Python's traceback."""

    filename: str
    stack_trace: str


class AirflowClient:
    """One Airflow, spoken to as one user.

    Every method raises ``RetriableError`` when Airflow is away, ``ConfigurationError`` when it does not let
    this user in, and ``FatalError`` when it refuses the request.

    Args:
        base_url: for instance ``http://127.0.0.1:8080``.
        user: name of a user of Airflow's auth manager.
        password: the user's password; exchanged for a token, which is renewed when it expires.
        patience: seconds to wait for a DAG that Airflow has not parsed yet.
    """

    def __init__(self, base_url: str, user: str, password: str, *, patience: float = 60.0) -> None:
        self._base_url = base_url.rstrip("/")
        self._user = user
        self._password = password
        self._patience = patience
        self._token = ""
        self._session = requests.Session()
        # The environment's proxy is for the outside, and a .netrc entry would replace our token.
        self._session.trust_env = False

    def unpause(self, dag_id: str) -> None:
        """Switch a DAG on; its last interval is scheduled at once."""
        self._of_dag(dag_id, "PATCH", "", json={"is_paused": False}, params={"update_mask": "is_paused"})

    def trigger(
        self,
        dag_id: str,
        *,
        conf: Mapping[str, object],
        data_interval: tuple[datetime, datetime] | None,
        run_id: str | None,
    ) -> str:
        """Ask for a run and give its id.

        Args:
            dag_id: the DAG, switched on or not.
            conf: its parameters, JSON values.
            data_interval: the window [start, end) that the run is about, with zones; None for none.
            run_id: the id it shall have; None lets Airflow choose.
        """
        # Airflow ignores an interval without a logical date, and a date may have one run: now is free.
        logical_date = None if data_interval is None else datetime.now(UTC)
        start, end = data_interval or (None, None)
        body = {
            "conf": dict(conf),
            "logical_date": _text(logical_date),
            "data_interval_start": _text(start),
            "data_interval_end": _text(end),
            **({} if run_id is None else {"dag_run_id": run_id}),
        }
        return str(self._of_dag(dag_id, "POST", "/dagRuns", json=body)["dag_run_id"])

    def run_ids(self, dag_id: str) -> list[str]:
        """The ids of the DAG's latest runs, newest first, at most 100."""
        found = self._of_dag(
            dag_id, "GET", "/dagRuns", params={"order_by": "-run_after", "limit": str(_PAGE)}
        )
        return [str(run["dag_run_id"]) for run in found["dag_runs"]]

    def wait(
        self,
        dag_id: str,
        run_id: str,
        timeout: float,
        on_progress: Callable[[RunProgress], None] | None = None,
    ) -> str:
        """Wait for a run to end and give its state, ``success`` or ``failed``.

        Args:
            dag_id: the DAG.
            run_id: the run.
            timeout: seconds, after which ``RetriableError`` is raised; the run goes on.
            on_progress: told whenever something changed.
        """
        deadline = time.monotonic() + timeout
        last: RunProgress | None = None
        while True:
            progress = self._progress(dag_id, run_id, with_tasks=on_progress is not None)
            if on_progress is not None and progress != last:
                on_progress(progress)
            last = progress
            if progress.state in _FINAL_STATES:
                return progress.state
            if time.monotonic() > deadline:
                raise RetriableError(
                    f"run {run_id} of {dag_id} is still {progress.state} after {timeout:.0f} s",
                    action="look at it in the Airflow UI; it goes on by itself",
                )
            time.sleep(_POLL)

    def task_instances(self, dag_id: str, run_id: str) -> list[TaskInstance]:
        """Every task instance of a run."""
        found: list[TaskInstance] = []
        while True:
            path = f"/dagRuns/{_quoted(run_id)}/taskInstances"
            page = self._of_dag(dag_id, "GET", path, params={"limit": str(_PAGE), "offset": str(len(found))})
            found += [
                TaskInstance(
                    one["task_id"], one["map_index"], one["state"], one["try_number"], one["duration"]
                )
                for one in page["task_instances"]
            ]
            if not page["task_instances"] or len(found) >= page["total_entries"]:
                return found

    def import_errors(self) -> list[ImportFailure]:
        """The DAG files that could not be imported."""
        found = self._call("GET", "/api/v2/importErrors", params={"limit": str(_PAGE)})["import_errors"]
        return [ImportFailure(str(one["filename"]), str(one["stack_trace"])) for one in found]

    def ensure_pool(self, name: str, slots: int, description: str) -> None:
        """Make the pool ``name``, or give it this size and description."""
        body = {"name": name, "slots": slots, "description": description, "include_deferred": False}
        if self._answer("GET", f"/api/v2/pools/{_quoted(name)}").status_code == 404:
            self._call("POST", "/api/v2/pools", json=body)
        else:
            self._call("PATCH", f"/api/v2/pools/{_quoted(name)}", json=body)

    def _progress(self, dag_id: str, run_id: str, with_tasks: bool) -> RunProgress:
        run = self._of_dag(dag_id, "GET", f"/dagRuns/{_quoted(run_id)}")
        states = [one.state or "none" for one in self.task_instances(dag_id, run_id)] if with_tasks else []
        return RunProgress(str(run["state"]), dict(Counter(states)))

    def _of_dag(
        self,
        dag_id: str,
        method: str,
        path: str,
        json: Mapping[str, object] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """A call about a DAG; waits for a DAG that is not known yet, as after Airflow's start."""
        address = f"/api/v2/dags/{_quoted(dag_id)}"
        deadline = time.monotonic() + self._patience
        while self._answer("GET", address).status_code == 404:
            if time.monotonic() > deadline:
                raise FatalError(
                    f"Airflow knows no DAG {dag_id}",
                    where=self._base_url,
                    action=self._why_unknown(),
                )
            time.sleep(_POLL)
        return self._call(method, address + path, json=json, params=params)

    def _why_unknown(self) -> str:
        broken = self.import_errors()
        if not broken:
            return "see that its file is in the DAG folder"
        last_lines = (f"{one.filename}: {one.stack_trace.strip().splitlines()[-1]}" for one in broken)
        return "mend the DAG files that cannot be imported: " + "; ".join(last_lines)

    def _call(
        self,
        method: str,
        path: str,
        json: Mapping[str, object] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        answer = self._answer(method, path, json, params)
        if not answer.ok:
            raise FatalError(
                f"Airflow refused {method} {path}: {answer.status_code} {_detail(answer)}",
                where=self._base_url,
            )
        content: dict[str, Any] = answer.json()
        return content

    def _answer(
        self,
        method: str,
        path: str,
        json: Mapping[str, object] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> requests.Response:
        if not self._token:
            self._log_in()
        answer = self._send(method, path, json, params)
        if answer.status_code == 401:  # the token expired, or Airflow has new secrets
            self._log_in()
            answer = self._send(method, path, json, params)
        if answer.status_code in (401, 403):
            raise ConfigurationError(
                f"Airflow's user {self._user} may not {method} {path}: {_detail(answer)}",
                where=self._base_url,
                action="give the user the role that this needs",
            )
        return answer

    def _log_in(self) -> None:
        self._token = ""
        answer = self._send("POST", "/auth/token", {"username": self._user, "password": self._password}, None)
        if not answer.ok:
            raise ConfigurationError(
                f"Airflow does not let {self._user} in: {answer.status_code} {_detail(answer)}",
                where=self._base_url,
                action="see that user and password are right",
            )
        self._token = str(answer.json()["access_token"])

    def _send(
        self, method: str, path: str, json: Mapping[str, object] | None, params: Mapping[str, str] | None
    ) -> requests.Response:
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        try:
            answer = self._session.request(
                method,
                self._base_url + path,
                json=json,
                params=params,
                headers=headers,
                timeout=_HTTP_TIMEOUT,
            )
        except requests.RequestException as error:
            raise RetriableError(
                f"Airflow does not answer: {error}", where=self._base_url, action="see that it runs"
            ) from error
        if answer.status_code >= 500 or answer.status_code == 429:
            raise RetriableError(
                f"Airflow is in trouble at {method} {path}: {answer.status_code} {_detail(answer)}",
                where=self._base_url,
                action="try again; if it stays, read the log of the api-server",
            )
        return answer


def _detail(answer: requests.Response) -> str:
    try:
        said = answer.json()
    except ValueError:
        return answer.text[:300]
    return str(said.get("detail", said) if isinstance(said, dict) else said)[:300]


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _quoted(part: str) -> str:
    return quote(part, safe="")
