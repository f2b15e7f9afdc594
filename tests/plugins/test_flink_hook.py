from __future__ import annotations

from typing import Any

import pytest
from airflow.sdk import Connection

from flink_rest.errors import FlinkConnectionUnusable
from flink_rest.hooks import FlinkHook, base_url


@pytest.mark.parametrize(
    ("connection", "url"),
    [
        pytest.param(
            {"conn_type": "http", "host": "127.0.0.1", "port": 8081},
            "http://127.0.0.1:8081",
            id="as a URI gives it",
        ),
        pytest.param(
            {"conn_type": "http", "schema": "http", "host": "127.0.0.1", "port": 8081},
            "http://127.0.0.1:8081",
            id="as JSON gives it",
        ),
        pytest.param(
            {"conn_type": "flink", "host": "flink", "port": 8081},
            "http://flink:8081",
            id="a type of its own",
        ),
        pytest.param(
            {"conn_type": "http", "schema": "https", "host": "flink.test"},
            "https://flink.test",
            id="TLS by the schema",
        ),
        pytest.param(
            {"conn_type": "http", "host": "https://flink.test/base/", "port": None},
            "https://flink.test/base",
            id="a host with its scheme",
        ),
    ],
)
def test_address_of_a_connection(connection: dict[str, Any], url: str) -> None:
    assert base_url(Connection(conn_id="flink", **connection), "flink") == url


def test_connection_without_a_host_says_what_to_set() -> None:
    with pytest.raises(FlinkConnectionUnusable, match=r"names no host.*AIRFLOW_CONN_FLINK"):
        base_url(Connection(conn_id="flink", conn_type="http"), "flink")


def test_client_is_made_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_FLINK", "http://127.0.0.1:18081")
    client = FlinkHook().get_conn()
    assert client.url == "http://127.0.0.1:18081"
    client.close()


def test_missing_connection_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_ELSEWHERE", raising=False)
    with pytest.raises(FlinkConnectionUnusable, match="AIRFLOW_CONN_ELSEWHERE"):
        FlinkHook(flink_conn_id="elsewhere").get_conn()
