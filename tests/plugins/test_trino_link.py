"""The link to a query, and the query's cancelling, with Trino's own client and scripted answers."""

from __future__ import annotations

import threading
import time
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest
from airflow import plugins_manager
from airflow.sdk import DAG
from airflow.serialization.serialized_objects import DagSerialization
from scripted_http import ScriptedServer, serving

from trino_checks.answers import ask
from trino_checks.errors import QueryCancelled, TrinoCheckError, TrinoUnreachable
from trino_checks.links import QUERY_URL_KEY, TrinoQueryLink, query_url
from trino_checks.operators import TrinoEqualityCheckOperator, TrinoRowCountOperator
from trino_checks.query import Query
from trino_checks.running import RunningQuery
from trino_checks.sensors import TrinoRowCountSensor

QUERY_ID = "20261124_101500_00042_abcde"


@pytest.mark.parametrize(
    ("where", "ui_url", "base"),
    [
        (("http", "127.0.0.1", 8082), "", "http://127.0.0.1:8082"),
        (("https", "trino.store", 443), "", "https://trino.store:443"),
        (("http", "::1", 8082), "", "http://[::1]:8082"),
        (("http", "trino", 8080), "http://localhost:8082", "http://localhost:8082"),
        (("http", "trino", 8080), "https://proxy/trino/ui/", "https://proxy/trino"),
        (("http", "trino", 8080), "javascript:alert(1)", "http://trino:8080"),
        (("http", "trino", 8080), "javascript://x/%0Aalert(1)", "http://trino:8080"),
        (("http", "trino", 8080), "http://u:secret@proxy", "http://proxy"),
    ],
)
def test_page_of_a_query_is_where_the_connection_says(
    where: tuple[str, str, int], ui_url: str, base: str
) -> None:
    assert query_url(*where, QUERY_ID, ui_url=ui_url) == f"{base}/ui/query.html?{QUERY_ID}"


def test_query_id_is_no_way_out_of_the_address() -> None:
    assert query_url("http", "t", 80, "x&y#z/../").endswith("?x%26y%23z%2F..%2F")


@pytest.mark.parametrize(("stored", "link"), [("http://t/ui", "http://t/ui"), (None, "")])
def test_link_is_what_stands_in_the_xcom(
    monkeypatch: pytest.MonkeyPatch, stored: str | None, link: str
) -> None:
    asked: list[str] = []

    def get_value(*, ti_key: Any, key: str) -> str | None:
        asked.append(key)
        return stored

    monkeypatch.setattr("airflow.sdk.execution_time.xcom.XCom.get_value", get_value)
    ti_key: Any = SimpleNamespace(dag_id="d", task_id="t", run_id="r", map_index=-1)
    operator: Any = None
    assert TrinoQueryLink().get_link(operator, ti_key=ti_key) == link
    assert asked == [QUERY_URL_KEY]


def test_link_is_registered_and_every_check_has_it_behind_serialisation() -> None:
    assert any(
        type(link).__name__ == "TrinoQueryLink"
        for link in plugins_manager.get_operator_extra_links()
    ) or "TrinoQueryLink" in str(_plugin().operator_extra_links)
    arguments = {"sql": "SELECT 1", "database": "rva"}
    with DAG("checks", schedule=None, start_date=datetime(2026, 11, 24)) as dag:
        TrinoRowCountOperator(task_id="operator", table="t", expected=1, **arguments)
        TrinoRowCountSensor(task_id="sensor", table="t", expected=1, **arguments)
        TrinoEqualityCheckOperator.partial(task_id="mapped", **arguments).expand(
            parameters=[{"day": "2026-11-24"}]
        )
    stored = DagSerialization.from_dict(DagSerialization.to_dict(dag))
    for task in stored.tasks:
        (link,) = task.operator_extra_links
        assert (link.name, link.xcom_key) == ("Trino query", QUERY_URL_KEY), task.task_id


def _plugin() -> Any:
    from retail_video_analytics import RetailVideoAnalytics

    return RetailVideoAnalytics


def working(server_url: str, state: str = "RUNNING") -> dict[str, Any]:
    """What Trino answers while a query is at work."""
    return {
        "id": QUERY_ID,
        "infoUri": f"{server_url}/ui/query.html?{QUERY_ID}",
        "nextUri": f"{server_url}/v1/statement/executing/{QUERY_ID}/slug/1",
        "stats": {"state": state},
    }


@pytest.fixture
def trino(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A coordinator whose query never ends."""
    with serving({}) as server:
        host, _, port = server.url.removeprefix("http://").partition(":")
        monkeypatch.setenv("AIRFLOW_CONN_TRINO", f"trino://rva@{host}:{port}/rva")
        server.answers["/v1/statement"] = [(200, working(server.url))]
        executing = f"/v1/statement/executing/{QUERY_ID}/slug/1"
        server.answers[executing] = [(200, working(server.url))]
        server.answers[f"DELETE {executing}"] = [(204, None)]
        yield server


def cancelled(server: ScriptedServer) -> list[str]:
    return [each for each in server.asked if each.startswith("DELETE")]


def test_query_is_told_while_it_runs_and_cancelled_on_the_server(trino: ScriptedServer) -> None:
    running = RunningQuery("rva.t")
    told: list[tuple[str, str]] = []
    failed: list[Exception] = []

    def run() -> None:
        try:
            ask(
                "trino",
                "rva.t",
                Query("SELECT 1", ()),
                running=running,
                tell=lambda query_id, url: told.append((query_id, url)),
            )
        except TrinoCheckError as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    deadline = time.monotonic() + 10
    while not told and time.monotonic() < deadline:
        time.sleep(0.01)
    assert told == [(QUERY_ID, f"{trino.url}/ui/query.html?{QUERY_ID}")]
    assert cancelled(trino) == []
    running.cancel()
    thread.join(10)
    assert not thread.is_alive()
    assert isinstance(failed[0], QueryCancelled)
    assert len(cancelled(trino)) == 1


def test_coordinator_that_fails_while_it_is_asked_is_told_as_unreachable(
    trino: ScriptedServer,
) -> None:
    trino.answers[f"/v1/statement/executing/{QUERY_ID}/slug/1"] = [(500, "out of memory")]
    with pytest.raises(TrinoUnreachable, match="500"):
        ask("trino", "rva.t", Query("SELECT 1", ()))


def test_query_that_was_cancelled_before_it_began_is_never_sent(trino: ScriptedServer) -> None:
    running = RunningQuery("rva.t")
    running.cancel()
    with pytest.raises(QueryCancelled, match="not begun"):
        ask("trino", "rva.t", Query("SELECT 1", ()), running=running)
    assert trino.asked == []


def test_address_of_the_ui_may_differ_from_the_server_s(
    trino: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    host_and_port = trino.url.removeprefix("http://")
    monkeypatch.setenv(
        "AIRFLOW_CONN_TRINO", f"trino://rva@{host_and_port}/rva?ui_url=http%3A%2F%2Flocalhost%3A1"
    )
    running = RunningQuery("rva.t")
    told: list[str] = []

    def tell(_: str, url: str) -> None:
        told.append(url)
        running.cancel()

    with pytest.raises(QueryCancelled):
        ask("trino", "rva.t", Query("SELECT 1", ()), running=running, tell=tell)
    assert told == [f"http://localhost:1/ui/query.html?{QUERY_ID}"]
