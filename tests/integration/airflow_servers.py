"""Airflow's four processes over a deployment, each of which can be killed and started again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil

from integration.conftest import ROOT, wait_until
from local_stack.ports import free_ports
from local_stack.servers import airflow
from local_stack.settings import StackSettings

PATIENCE_SECONDS = 600.0
HEARTBEAT = {
    # a task whose worker has died is noticed sooner than usual
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "40",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "5",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "10",
    "AIRFLOW__TRIGGERER__JOB_HEARTBEAT_SEC": "2",
}
PATIENCE = {
    # on a machine with other work, Airflow's own seconds are too few for its API and for a DAG file
    "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",
    "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "180",
    "AIRFLOW__DAG_PROCESSOR__DAG_FILE_PROCESSOR_TIMEOUT": "240",
}


def environment(
    folder: Path, variables: Mapping[str, str], dags: Path, more: Mapping[str, str]
) -> dict[str, str]:
    """The variables of an Airflow with its home in `folder`, over these RVA_* variables.

    Its port is one that is free: two modules may have one each at the same time.
    """
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    return {
        **os.environ,
        **airflow.environment(StackSettings.load(), variables),
        **HEARTBEAT,
        **PATIENCE,
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        **more,
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "PYTHONUNBUFFERED": "1",
        # the titles of its processes would overwrite what `close` knows them by
        "SPT_NOENV": "1",
    }


@contextmanager
def running(
    folder: Path,
    variables: Mapping[str, str],
    *dag_files: Path,
    components: Sequence[str] = (),
    **more: str,
) -> Iterator[AirflowServers]:
    """Airflow with these DAG files alone, over these RVA_* variables, until the block ends.

    :param components: those to start, by default all
    """
    dags, home = folder / "dags", folder / "home"
    dags.mkdir()
    for path in dag_files:
        shutil.copy(path, dags)
    made = AirflowServers(environment(home, variables, dags, more), home)
    made.initialise()
    try:
        made.start(*components)
        yield made
    finally:
        made.close()


class AirflowServers:
    """Started by `start`, ended by `close`; asked by its API."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self.environment = environment
        self.folder = folder
        self.url = environment["AIRFLOW__API__BASE_URL"]
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._api = httpx.Client(base_url=self.url, timeout=180, trust_env=False)

    def command(self, *arguments: str) -> None:
        """Run an `airflow` command to its end; it must succeed."""
        done = subprocess.run(
            [str(airflow.COMMAND), *arguments],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"airflow {arguments}: {done.stdout}{done.stderr}"

    def initialise(self) -> None:
        """Make the database and the pools."""
        self.folder.mkdir(parents=True, exist_ok=True)
        pools = self.folder / "pools.json"
        pools.write_text(json.dumps(airflow.POOLS))
        self.command("db", "migrate")
        self.command("pools", "import", str(pools))

    def start(self, *names: str) -> None:
        """Start these components, by default all, and wait until each is healthy."""
        chosen = [each for each in airflow.COMPONENTS if each.name in names or not names]
        for component in chosen:
            log = (self.folder / f"{component.name}.log").open("ab")
            self._running[component.name] = subprocess.Popen(
                [str(airflow.COMMAND), *component.arguments],
                env=self.environment,
                cwd=self.folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        for component in chosen:
            wait_until(
                f"{component.name} is healthy",
                lambda key=component.health_key: self._health().get(key) == "healthy",  # type: ignore[misc]
                seconds=PATIENCE_SECONDS,
            )

    def kill(self, name: str) -> None:
        """`kill -9` the component's own process; its children stay as they are."""
        process = self._running.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def kill_busy_workers(self) -> None:
        """`kill -9` the scheduler's workers that have a task, and the task's process.

        An idle one may hold the lock of the queue that all of them read.
        """
        workers = psutil.Process(self._running["airflow-scheduler"].pid).children()
        busy = [each for each in workers if each.children()]
        assert busy, workers
        killed = [*busy, *(task for each in busy for task in each.children(recursive=True))]
        for process in killed:
            process.kill()
        psutil.wait_procs(killed, timeout=10)

    def close(self) -> None:
        """End all components and what they have left behind."""
        for process in self._running.values():
            process.terminate()
        give_up_at = time.monotonic() + 20
        for process in self._running.values():
            try:
                process.wait(max(0.1, give_up_at - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
        for process in psutil.process_iter():
            try:
                if process.environ().get("AIRFLOW_HOME") == str(self.folder):
                    process.kill()
            except psutil.Error:
                continue
        self._api.close()

    def login(self) -> tuple[str, str]:
        """User and password of the UI."""
        return airflow.USER, self.password(airflow.USER)

    def password(self, user: str) -> str:
        """What Airflow has made for one of its users."""
        path = self.folder / "simple_auth_manager_passwords.json.generated"
        return str(json.loads(path.read_text())[user])

    def ask(self, method: str, path: str, **given: Any) -> Any:
        """Ask the API, logged in."""
        if "Authorization" not in self._api.headers:
            user, password = self.login()
            token = self._api.post("/auth/token", json={"username": user, "password": password})
            token.raise_for_status()
            self._api.headers["Authorization"] = f"Bearer {token.json()['access_token']}"
        answer = self._api.request(method, f"/api/v2/{path}", **given)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def trigger(self, dag_id: str, **conf: Any) -> str:
        """Begin a run; returns its id."""
        self.wait_for_dag(dag_id)
        self.ask("PATCH", f"dags/{dag_id}", json={"is_paused": False})
        run = self.ask("POST", f"dags/{dag_id}/dagRuns", json={"conf": conf, "logical_date": None})
        return str(run["dag_run_id"])

    def wait_for_dag(self, dag_id: str) -> None:
        """Wait until the DAG file has been read."""

        def is_there() -> bool:
            dags = self.ask("GET", "dags", params={"limit": 100, "exclude_stale": True})["dags"]
            return dag_id in {each["dag_id"] for each in dags}

        wait_until(f"Airflow has read {dag_id}", is_there, seconds=PATIENCE_SECONDS)

    def tasks(self, dag_id: str, run_id: str) -> dict[str, dict[str, Any]]:
        """The run's tasks by id; mapped ones by `id[index]`."""
        answer = self.ask("GET", f"dags/{dag_id}/dagRuns/{run_id}/taskInstances")
        return {
            each["task_id"] + (f"[{each['map_index']}]" if each["map_index"] >= 0 else ""): each
            for each in answer["task_instances"]
        }

    def wait_for_task(self, dag_id: str, run_id: str, task: str, *states: str) -> None:
        """Wait until the task is in one of these states."""
        wait_until(
            f"{task} of {dag_id} is {' or '.join(states)}",
            lambda: self.tasks(dag_id, run_id).get(task, {}).get("state") in states,
            seconds=PATIENCE_SECONDS,
        )

    def wait_for_trigger(self, dag_id: str, run_id: str, task: str) -> None:
        """Wait until a triggerer has taken up the deferred task."""
        wait_until(
            f"a triggerer has {task} of {dag_id}",
            lambda: self.tasks(dag_id, run_id).get(task, {}).get("triggerer_job") is not None,
            seconds=PATIENCE_SECONDS,
        )

    def wait_for_run(self, dag_id: str, run_id: str, seconds: float = PATIENCE_SECONDS) -> str:
        """Wait until the run has ended; returns its state."""
        path = f"dags/{dag_id}/dagRuns/{run_id}"
        states: list[str] = []

        def has_ended() -> bool:
            states.append(self.ask("GET", path)["state"])
            return states[-1] in ("success", "failed")

        wait_until(lambda: f"{dag_id} ends: {self.tasks(dag_id, run_id)}", has_ended, seconds)
        return states[-1]

    def log(self, dag_id: str, run_id: str, task: str, attempt: int = 1) -> str:
        """The text of a task's log."""
        answer = self.ask(
            "GET",
            f"dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task}/logs/{attempt}",
            headers={"accept": "application/json"},
        )
        return "\n".join(
            each if isinstance(each, str) else json.dumps(each) for each in answer["content"]
        )

    def xcom(self, dag_id: str, run_id: str, task: str, key: str, map_index: int = -1) -> Any:
        """What a task has left under this key."""
        path = f"dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task}/xcomEntries/{key}"
        return self.ask("GET", path, params={"map_index": map_index})["value"]

    def _health(self) -> dict[str, str | None]:
        try:
            answer = self._api.get("/api/v2/monitor/health")
            return {key: each.get("status") for key, each in answer.json().items()}
        except (httpx.HTTPError, ValueError):
            return {}
