"""Airflow over the running stack: its settings, its database, its four processes, its login.

`airflow standalone` is not used: it serves logs on every interface and leaves children behind.
The same four processes run under the supervisor instead, without their log servers.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sqlite3
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import httpx

from local_stack.errors import NotReady, StackError
from local_stack.fetch import Distributions
from local_stack.program import Program
from local_stack.settings import CHECKOUT, LOOPBACK, StackSettings

log = logging.getLogger(__name__)

COMMAND = CHECKOUT / ".venvs/orchestration/bin/airflow"
ASK_SECONDS = 10
USER = "admin"
DATABASE = "airflow.db"
DATABASE_URL = f"sqlite:///$AIRFLOW_HOME/{DATABASE}?timeout=60"
"""Airflow puts the variable in. SQLite has one writer: others wait in line, for a minute instead of
five seconds, before they fail with *database is locked*."""
POOLS = {
    "flink_submission": {
        "slots": 1,
        "description": "Flink takes one submission at a time",
        "include_deferred": False,
    },
    "vision": {
        "slots": 1,
        "description": "One video at a time: detection takes every core",
        "include_deferred": False,
    },
}


def home(settings: StackSettings) -> Path:
    """Airflow's own folder: its database, its generated secrets, its task logs."""
    return settings.data_dir / "airflow"


def base_url(settings: StackSettings) -> str:
    """Where people open it."""
    return f"http://{LOOPBACK}:{settings.ports.airflow}"


def environment(settings: StackSettings, given: Mapping[str, str]) -> dict[str, str]:
    """Airflow's settings and connections, and the `RVA_…` variables that tasks read.

    :param given: the `RVA_…` variables, and `NO_PROXY`
    """
    trino = {
        "conn_type": "trino",
        "host": LOOPBACK,
        "port": settings.ports.trino,
        "login": "rva",
        "schema": given["RVA_DATABASE"],
        "extra": {"catalog": "lakehouse"},
    }
    flink = {"conn_type": "flink", "host": LOOPBACK, "port": settings.ports.flink}
    pulsar = {"conn_type": "pulsar_admin", "host": LOOPBACK, "port": settings.ports.pulsar_admin}
    return dict(given) | {
        "AIRFLOW_HOME": str(home(settings)),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": DATABASE_URL,
        "AIRFLOW__CORE__DAGS_FOLDER": str(CHECKOUT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(CHECKOUT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PARALLELISM": str(settings.profile.airflow_tasks),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{base_url(settings)}/execution/",
        # a worker's death is noticed after a minute; the default is five
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "60",
        "AIRFLOW__API__HOST": LOOPBACK,
        "AIRFLOW__API__PORT": str(settings.ports.airflow),
        "AIRFLOW__API__BASE_URL": base_url(settings),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        # who reaches this UI reaches the servers as well
        "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
        "AIRFLOW_CONN_FLINK": json.dumps(flink),
        "AIRFLOW_CONN_PULSAR_ADMIN": json.dumps(pulsar),
        "AIRFLOW_CONN_TRINO": json.dumps(trino),
    }


def initialise(settings: StackSettings) -> None:
    """Make or migrate Airflow's database, and its pools; does nothing when that is done.

    :raises StackError: Airflow refuses; shows its last lines
    """
    folder = home(settings)
    done = folder / ".initialised"
    wanted = json.dumps({"airflow": version("apache-airflow"), "pools": POOLS}, sort_keys=True)
    if done.is_file() and done.read_text(encoding="utf-8") == wanted:
        return
    folder.mkdir(parents=True, exist_ok=True)
    log.info("preparing Airflow's database")
    _airflow(settings, "db", "migrate")
    pools = folder / "pools.json"
    pools.write_text(json.dumps(POOLS, indent=1), encoding="utf-8")
    _airflow(settings, "pools", "import", str(pools))
    done.write_text(wanted, encoding="utf-8")


def _airflow(settings: StackSettings, *arguments: str) -> None:
    done = subprocess.run(
        [str(COMMAND), *arguments],
        env=os.environ | environment(settings, settings.environment()),
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-15:])
        raise StackError(
            f"`airflow {' '.join(arguments)}` failed:\n{tail}\nIf its database in "
            f"{home(settings)} is damaged: `make reset` makes a new one"
        )


@dataclass(frozen=True, slots=True)
class Component:
    """One of Airflow's processes."""

    name: str
    arguments: tuple[str, ...]
    health_key: str
    """Its name on Airflow's health page."""
    ports: tuple[str, ...] = ()

    def program(self, settings: StackSettings, _: Distributions) -> Program:
        """How it runs."""
        return Program(
            name=self.name,
            command=(str(COMMAND), *self.arguments),
            directory=home(settings),
            environment=environment(settings, settings.environment())
            # its process titles would otherwise overwrite the mark by which `down` knows it
            | {"PYTHONUNBUFFERED": "1", "SPT_NOENV": "1"},
        )

    def probe(self, settings: StackSettings) -> None:
        """Ask Airflow's health page for it.

        :raises NotReady: it is not healthy yet
        """
        status = _health(settings).get(self.health_key, {}).get("status")
        if status != "healthy":
            raise NotReady(f"Airflow's health page says that it is {status or 'unknown'}")


COMPONENTS = (
    Component("airflow-api-server", ("api-server",), "metadatabase", ports=("airflow",)),
    Component("airflow-scheduler", ("scheduler", "--skip-serve-logs"), "scheduler"),
    Component("airflow-dag-processor", ("dag-processor",), "dag_processor"),
    Component("airflow-triggerer", ("triggerer", "--skip-serve-logs"), "triggerer"),
)


def _health(settings: StackSettings) -> dict[str, dict[str, str | None]]:
    try:
        with httpx.Client(timeout=ASK_SECONDS, trust_env=False) as client:
            response = client.get(f"{base_url(settings)}/api/v2/monitor/health")
    except httpx.HTTPError as error:
        raise NotReady(f"its health page does not answer ({type(error).__name__})") from error
    if response.status_code != httpx.codes.OK:
        raise NotReady(f"its health page answered {response.status_code}")
    answer: dict[str, dict[str, str | None]] = response.json()
    return answer


@dataclass(frozen=True, slots=True)
class DagRun:
    """A run of a DAG that Airflow's database says is running."""

    dag_id: str
    run_id: str


def active_runs(settings: StackSettings) -> list[DagRun]:
    """The runs that are running, or that ended without Airflow's knowing."""
    path = home(settings) / DATABASE
    if not path.is_file():
        return []
    with contextlib.closing(sqlite3.connect(path, timeout=ASK_SECONDS)) as database:
        found = database.execute("SELECT dag_id, run_id FROM dag_run WHERE state = 'running'")
        return [DagRun(*row) for row in found]


def end_dead_runs(settings: StackSettings) -> None:
    """Mark the runs that are running as failed. Only for when nothing works on them.

    `airflow dags test` leaves its run as running when it is interrupted. Airflow would take such
    a run up later, or keep others waiting behind it.
    """
    dead = active_runs(settings)
    if not dead:
        return
    path = home(settings) / DATABASE
    with contextlib.closing(sqlite3.connect(path, timeout=ASK_SECONDS)) as database, database:
        for run in dead:
            key = (run.dag_id, run.run_id)
            database.execute(
                "UPDATE task_instance SET state = 'failed', trigger_id = NULL WHERE dag_id = ? "
                "AND run_id = ? AND state NOT IN ('success', 'failed', 'skipped')",
                key,
            )
            database.execute(
                "UPDATE dag_run SET state = 'failed', end_date = CURRENT_TIMESTAMP "
                "WHERE dag_id = ? AND run_id = ?",
                key,
            )


def login(settings: StackSettings) -> tuple[str, str]:
    """User and password of the UI; Airflow makes the password when it first starts.

    :raises StackError: there is none yet
    """
    path = home(settings) / "simple_auth_manager_passwords.json.generated"
    try:
        passwords: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
        return USER, passwords[USER]
    except (OSError, ValueError, KeyError) as error:
        raise StackError(f"Airflow has written no password to {path}: `make airflow`") from error
