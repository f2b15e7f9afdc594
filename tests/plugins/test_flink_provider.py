"""What Airflow makes of this project as of a provider: Connections with forms, and links."""

from __future__ import annotations

import json
from importlib.metadata import entry_points
from typing import Any

import pytest
from airflow.api_fastapi.core_api.services.ui.connections import HookMetaService
from airflow.models.connection import Connection
from airflow.sdk import DAG
from airflow.serialization.serialized_objects import DagSerialization
from flink_tasks import Serve, context, detail
from scripted_http import serving

from flink_rest import hooks
from flink_rest.hooks import FlinkHook, PulsarAdminHook
from flink_rest.links import FlinkJobLink
from flink_rest.operators import (
    FlinkCancelJobOperator,
    FlinkCheckpointOperator,
    FlinkRunJobOperator,
    FlinkStopWithSavepointOperator,
)
from flink_rest.provider import PACKAGE, get_provider_info
from flink_rest.sensors import (
    FlinkBacklogDrainedSensor,
    FlinkCheckpointSensor,
    FlinkJobRunningSensor,
    FlinkJobStatusSensor,
    IcebergCommitSensor,
)

JOB = "a" * 32
ON_A_JOB: list[tuple[type[Any], dict[str, Any]]] = [
    (FlinkRunJobOperator, {"job_name": "bronze", "script": "bronze.py"}),
    (FlinkCheckpointOperator, {"job_id": JOB}),
    (FlinkStopWithSavepointOperator, {"job_id": JOB}),
    (FlinkCancelJobOperator, {"job_name": "bronze"}),
    (FlinkJobRunningSensor, {"job_id": JOB}),
    (FlinkJobStatusSensor, {"job_id": JOB}),
    (FlinkCheckpointSensor, {"job_id": JOB, "after": "{{ ts }}"}),
    (FlinkBacklogDrainedSensor, {"job_id": JOB, "topic": "t", "subscription": "s"}),
    (IcebergCommitSensor, {"job_id": JOB, "table": "d.t"}),
]


def test_airflow_finds_the_provider_by_its_entry_point() -> None:
    (entry,) = entry_points(group="apache_airflow_provider").select(module="flink_rest.provider")
    assert entry.load()()["package-name"] == PACKAGE == getattr(entry.dist, "name", None)


@pytest.mark.parametrize(
    ("conn_type", "fields"),
    [
        ("flink", ["ui_url", "verify", "ca_bundle", "timeout_seconds", "headers"]),
        ("pulsar_admin", ["verify", "ca_bundle", "timeout_seconds"]),
    ],
)
def test_connection_has_a_form_in_the_ui(conn_type: str, fields: list[str]) -> None:
    (form,) = (
        each for each in HookMetaService.hook_meta_data() if each.connection_type == conn_type
    )
    assert form.standard_fields is not None
    assert form.standard_fields.url_schema is not None
    assert form.standard_fields.url_schema.title == "Scheme"
    assert list(form.extra_fields or {}) == fields


@pytest.mark.parametrize("hook", [FlinkHook, PulsarAdminHook])
def test_hook_and_form_agree(hook: type[FlinkHook | PulsarAdminHook]) -> None:
    (told,) = (
        each
        for each in get_provider_info()["connection-types"]
        if each["connection-type"] == hook.conn_type
    )
    assert told["hook-class-name"] == f"{hook.__module__}.{hook.__qualname__}"
    assert told["hook-name"] == hook.hook_name


def press_the_button(monkeypatch: pytest.MonkeyPatch, connection: Connection) -> tuple[bool, str]:
    """As the UI's button does it."""
    monkeypatch.setenv(f"AIRFLOW_CONN_{str(connection.conn_id).upper()}", connection.get_uri())
    status, message = connection.test_connection()
    return status, message


def test_button_says_in_a_line_that_flink_answers_in_which_version_with_which_slots(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = int(serve({}).url.rsplit(":", 1)[1])
    connection = Connection(conn_id="x", conn_type="flink", host="127.0.0.1", port=port)
    assert press_the_button(monkeypatch, connection) == (
        True,
        f"Flink 1.20.5 answers at http://127.0.0.1:{port}: 8 of 8 task slots are free, "
        "TaskManagers: 1",
    )


@pytest.mark.parametrize("conn_type", ["flink", "pulsar_admin"])
def test_button_says_in_a_line_why_nobody_answers(
    monkeypatch: pytest.MonkeyPatch, conn_type: str
) -> None:
    down = Connection(conn_id="x", conn_type=conn_type, host="127.0.0.1", port=1)
    works, told = press_the_button(monkeypatch, down)
    assert not works
    assert "http://127.0.0.1:1 does not answer" in told
    assert "\n" not in told


@pytest.mark.parametrize("conn_type", ["flink", "pulsar_admin"])
def test_button_says_that_something_else_answers(
    monkeypatch: pytest.MonkeyPatch, conn_type: str
) -> None:
    with serving({"/overview": [(200, {"a": "proxy"})]}) as server:
        port = int(server.url.rsplit(":", 1)[1])
        other = Connection(conn_id="x", conn_type=conn_type, host="127.0.0.1", port=port)
        works, told = press_the_button(monkeypatch, other)
    assert not works
    assert "check" in told


def test_headers_of_a_form_reach_the_proxy_and_are_masked(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve({})
    masked: list[str] = []
    monkeypatch.setattr(hooks, "mask_secret", masked.append)
    connection = Connection(
        conn_id="x",
        conn_type="flink",
        host="127.0.0.1",
        port=int(server.url.rsplit(":", 1)[1]),
        extra=json.dumps({"headers": '{"Authorization": "Bearer t"}'}),
    )
    assert press_the_button(monkeypatch, connection)[0]
    assert [each["Authorization"] for each in server.headers] == ["Bearer t"]
    assert masked == ["Bearer t"]


def test_button_says_in_which_version_pulsar_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving({"/admin/v2/brokers/version": [(200, "4.0.8")]}) as server:
        port = int(server.url.rsplit(":", 1)[1])
        there = Connection(conn_id="x", conn_type="pulsar_admin", host="127.0.0.1", port=port)
        works, told = press_the_button(monkeypatch, there)
    assert (works, told) == (True, f"Pulsar 4.0.8 answers at {server.url}")


@pytest.mark.parametrize(("task", "arguments"), ON_A_JOB)
def test_task_has_a_link_that_survives_being_serialised(
    task: type[Any], arguments: dict[str, Any]
) -> None:
    with DAG("d", schedule=None) as dag:
        task(task_id="t", **arguments)
    again = DagSerialization.from_dict(DagSerialization.to_dict(dag))
    (link,) = again.get_task("t").operator_extra_links
    assert (link.name, link.xcom_key) == ("Flink job", "_link_FlinkJobLink")


def test_link_is_pushed_while_the_task_runs_and_told_again_at_its_end(serve: Serve) -> None:
    server = serve({f"/jobs/{JOB}": [detail(JOB, "CANCELED")]})
    operator = FlinkCancelJobOperator(task_id="t", job_id=JOB)
    told = context()
    assert FlinkJobLink().get_link(operator, ti_key=told["ti"]) == ""
    operator.execute(told)
    url = f"{server.url}/#/job/running/{JOB}/overview"
    assert told["ti"].pushed["_link_FlinkJobLink"] == url
    assert FlinkJobLink().get_link(operator, ti_key=told["ti"]) == url


def test_link_is_there_again_in_the_process_that_goes_on_after_the_triggerer(serve: Serve) -> None:
    server = serve({})
    batch = FlinkRunJobOperator(task_id="t", job_name="gold", script="gold.py", batch=True)
    sensor = FlinkJobStatusSensor(task_id="t", job_id=JOB)
    for task in (batch, sensor):
        event = {"done": True, "job_id": JOB, "outcome": {"status": "FINISHED"}}
        task.execute_complete(context(), event)
        link = FlinkJobLink().get_link(task, ti_key=context()["ti"])
        assert link == f"{server.url}/#/job/running/{JOB}/overview"


@pytest.mark.parametrize(
    ("connection", "page"),
    [
        ("http://me:secret@flink:8081", "http://flink:8081"),
        ("http://flink:8081/?ui_url=http%3A%2F%2Flocalhost%3A18081%2F", "http://localhost:18081"),
        ("http://flink/?ui_url=https%3A%2F%2Fme%3Ax%40ui.test%2Fflink", "https://ui.test/flink"),
    ],
)
def test_link_leads_to_where_people_reach_flink_and_names_no_password(
    monkeypatch: pytest.MonkeyPatch, connection: str, page: str
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_FLINK", connection)
    assert FlinkHook().job_url(JOB) == f"{page}/#/job/running/{JOB}/overview"
