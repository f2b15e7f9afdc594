"""The Airflow hook: a Flink client made from an Airflow Connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from flink_rest.client import FlinkClient
from flink_rest.errors import FlinkConnectionUnusable
from flink_rest.settings import FlinkSettings

if TYPE_CHECKING:
    from airflow.sdk import Connection


class FlinkHook(BaseHook):
    """Interact with Flink through its REST API.

    The Connection is a URL, `http://host:8081` or `https://user:password@host`; its extra may hold
    `verify` (false, or the path of a CA bundle) and `timeout_seconds`.

    :param flink_conn_id: reference to the Airflow Connection.
    """

    conn_name_attr = "flink_conn_id"
    default_conn_name = "flink"
    conn_type = "flink"
    hook_name = "Apache Flink (REST)"

    def __init__(self, *, flink_conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.flink_conn_id = flink_conn_id

    def get_conn(self) -> FlinkClient:
        """Make the client; the caller closes it.

        :raises FlinkConnectionUnusable: there is no such Connection, or it names no host.
        """
        try:
            connection = self.get_connection(self.flink_conn_id)
        except AirflowNotFoundException as error:
            raise FlinkConnectionUnusable(self.flink_conn_id, "it does not exist") from error
        return _client(connection, self.flink_conn_id)

    async def aget_conn(self) -> FlinkClient:
        """Make the client from within the triggerer's event loop; the caller closes it.

        :raises FlinkConnectionUnusable: there is no such Connection, or it names no host.
        """
        try:
            connection = await self.aget_connection(self.flink_conn_id)
        except AirflowNotFoundException as error:
            raise FlinkConnectionUnusable(self.flink_conn_id, "it does not exist") from error
        return _client(connection, self.flink_conn_id)


def base_url(connection: Connection, conn_id: str) -> str:
    """Return a Connection's address as `scheme://host:port`.

    :raises FlinkConnectionUnusable: it names no host.
    """
    host = (connection.host or "").rstrip("/")
    if not host:
        raise FlinkConnectionUnusable(conn_id, "it names no host")
    if "://" not in host:
        named = (connection.schema, connection.conn_type)
        scheme = next((each for each in named if each in ("http", "https")), "http")
        host = f"{scheme}://{host}"
    return f"{host}:{connection.port}" if connection.port else host


def _client(connection: Connection, conn_id: str) -> FlinkClient:
    extra = connection.extra_dejson
    login, password = connection.login, connection.password
    return FlinkClient(
        base_url(connection, conn_id),
        python_jar=FlinkSettings.from_env().python_jar,
        timeout_seconds=float(extra.get("timeout_seconds", 15.0)),
        auth=(login, password or "") if login else None,
        verify=extra.get("verify", True),
    )
