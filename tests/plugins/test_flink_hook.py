from __future__ import annotations

import json
from typing import Any

import certifi
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


def connect(monkeypatch: pytest.MonkeyPatch, **connection: Any) -> None:
    given = {"conn_type": "flink", "host": "flink.test"} | connection
    monkeypatch.setenv("AIRFLOW_CONN_FLINK", json.dumps(given))
    FlinkHook().get_conn().close()


@pytest.mark.parametrize(
    "extra",
    [
        pytest.param({}, id="nothing"),
        pytest.param(
            {"ui_url": None, "verify": None, "ca_bundle": None, "timeout_seconds": None},
            id="a form that was not filled in",
        ),
        pytest.param({"verify": False, "ca_bundle": "/gone"}, id="no check needs no bundle"),
        pytest.param({"verify": "false", "timeout_seconds": "20"}, id="text, as a URL gives it"),
        pytest.param({"headers": {"X-Token": "t"}}, id="headers as an object"),
        pytest.param({"headers": '{"X-Token": "t"}'}, id="headers as a form gives them"),
        pytest.param({"headers": ""}, id="no headers"),
    ],
)
def test_extra_that_makes_sense_is_taken(
    monkeypatch: pytest.MonkeyPatch, extra: dict[str, Any]
) -> None:
    connect(monkeypatch, schema="https", extra=extra)


@pytest.mark.parametrize("name", ["verify", "ca_bundle"])
def test_ca_bundle_is_taken_by_its_path(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    connect(monkeypatch, schema="https", extra={name: certifi.where()})


@pytest.mark.parametrize(
    ("connection", "why"),
    [
        ({"extra": {"timeout_seconds": "soon"}}, "timeout_seconds is 'soon', not a number above 0"),
        ({"extra": {"timeout_seconds": 0}}, "timeout_seconds is 0,"),
        ({"extra": {"timeout_seconds": "inf"}}, "timeout_seconds is 'inf'"),
        ({"extra": {"verify": "/gone.pem"}}, "/gone.pem holds no certificates"),
        ({"extra": {"ca_bundle": __file__}}, "holds no certificates"),
        ({"host": "flink.test:x"}, "Invalid port"),
        ({"extra": {"headers": "secret"}}, "its headers are no object of texts"),
        ({"extra": {"headers": ["secret"]}}, "its headers are no object of texts"),
        ({"extra": {"headers": {"X": 1}}}, "its headers are no object of texts"),
        ({"extra": {"headers": {"X": "a\nSecret: b"}}}, "its headers are no object of texts"),
        ({"extra": {"headers": {"X: a": "b"}}}, "its headers are no object of texts"),
    ],
)
def test_connection_that_makes_no_sense_is_told_at_once(
    monkeypatch: pytest.MonkeyPatch, connection: dict[str, Any], why: str
) -> None:
    with pytest.raises(FlinkConnectionUnusable, match=why) as caught:
        connect(monkeypatch, **connection)
    assert not caught.value.may_heal
    assert "secret" not in str(caught.value).lower()


def test_client_is_made_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_FLINK", "http://127.0.0.1:18081")
    client = FlinkHook().get_conn()
    assert client.url == "http://127.0.0.1:18081"
    client.close()


def test_missing_connection_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_ELSEWHERE", raising=False)
    with pytest.raises(FlinkConnectionUnusable, match="AIRFLOW_CONN_ELSEWHERE"):
        FlinkHook(flink_conn_id="elsewhere").get_conn()
