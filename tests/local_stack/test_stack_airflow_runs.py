"""What an interrupted `airflow dags test` leaves in Airflow's database."""

import sqlite3
from pathlib import Path

import pytest

from local_stack.servers import airflow
from local_stack.settings import StackSettings


@pytest.fixture
def settings(tmp_path: Path) -> StackSettings:
    return StackSettings.load({"RVA_DATA_DIR": str(tmp_path), "RVA_MAVEN_URL": "x"})


@pytest.fixture
def database(settings: StackSettings) -> sqlite3.Connection:
    airflow.home(settings).mkdir(parents=True)
    made = sqlite3.connect(airflow.home(settings) / airflow.DATABASE)
    made.executescript("""
        CREATE TABLE dag_run (dag_id, run_id, state, end_date);
        CREATE TABLE task_instance (dag_id, run_id, task_id, state, trigger_id);
        INSERT INTO dag_run VALUES ('d', 'over', 'success', 'then'), ('d', 'dead', 'running', NULL),
          ('d', 'waiting', 'queued', NULL);
        INSERT INTO task_instance VALUES ('d', 'over', 'a', 'success', NULL),
          ('d', 'dead', 'a', 'success', NULL), ('d', 'dead', 'b', 'deferred', 7);
    """)
    return made


def test_dead_run_is_marked_as_failed_and_others_stay(
    settings: StackSettings, database: sqlite3.Connection
) -> None:
    airflow.end_dead_runs(settings)
    assert dict(database.execute("SELECT run_id, state FROM dag_run").fetchall()) == {
        "over": "success",
        "dead": "failed",
        "waiting": "queued",
    }
    assert database.execute(
        "SELECT task_id, state, trigger_id FROM task_instance WHERE run_id = 'dead'"
    ).fetchall() == [("a", "success", None), ("b", "failed", None)]


def test_running_run_is_told(settings: StackSettings, database: sqlite3.Connection) -> None:
    assert airflow.active_runs(settings) == [airflow.DagRun("d", "dead")]
    database.close()


def test_no_database_has_no_runs(settings: StackSettings) -> None:
    airflow.end_dead_runs(settings)
    assert airflow.active_runs(settings) == []


def test_columns_are_those_of_airflows_own_models() -> None:
    from airflow.models.dagrun import DagRun
    from airflow.models.taskinstance import TaskInstance

    assert {"dag_id", "run_id", "state", "end_date"} <= set(DagRun.__table__.columns.keys())
    assert {"dag_id", "run_id", "state", "trigger_id"} <= set(TaskInstance.__table__.columns.keys())
