"""The Airflow hooks: a client of Flink, and one of Pulsar's broker, made from a Connection."""

from __future__ import annotations

import json
import math
import re
import ssl
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException
from airflow.sdk.log import mask_secret

from flink_rest.client import DEFAULT_URL, FlinkClient
from flink_rest.errors import FlinkConnectionUnusable, FlinkRestError
from flink_rest.pulsar import DEFAULT_ADMIN_URL, PulsarAdmin
from flink_rest.settings import FlinkSettings

if TYPE_CHECKING:
    from airflow.sdk import Connection

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
TIMEOUT_SECONDS = 15.0
"""How long an answer may take where the Connection says nothing else."""


class FlinkHook(BaseHook):
    """Interact with Flink through its REST API.

    The Connection has a type of its own, `flink`, with a form in the UI; a URL does as well:
    `http://host:8081`, `https://user:password@host`. Its extra may hold `verify` (false, or the
    path of a CA bundle), `ca_bundle`, `timeout_seconds`, `headers` (of a proxy, an object), and
    `ui_url`: Flink's address as a browser sees it, where that is another one.

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
        return _flink(_connection(self.flink_conn_id), self.flink_conn_id)

    async def aget_conn(self) -> FlinkClient:
        """Make the client from within the triggerer's event loop; the caller closes it.

        :raises FlinkConnectionUnusable: there is no such Connection, or it names no host.
        """
        return _flink(await _aconnection(self.flink_conn_id), self.flink_conn_id)

    def job_url(self, job_id: str) -> str:
        """Return the address of a job's page in Flink's UI; it leads on for a job that has ended.

        :raises FlinkConnectionUnusable: there is no such Connection, or it names no host.
        """
        return f"{self.ui_url()}/#/job/running/{job_id}/overview"

    def ui_url(self) -> str:
        """Return the address of Flink's UI, without a slash at its end.

        :raises FlinkConnectionUnusable: there is no such Connection, or it names no host.
        """
        connection = _connection(self.flink_conn_id)
        address = connection.extra_dejson.get("ui_url") or base_url(connection, self.flink_conn_id)
        return str(httpx.URL(str(address)).copy_with(userinfo=b"")).rstrip("/")

    def test_connection(self) -> tuple[bool, str]:
        """Say in a line whether Flink answers, in which version and with how many slots."""
        try:
            with closing(self.get_conn()) as client:
                cluster = client.overview()
        except FlinkRestError as error:
            return False, " ".join(str(error).split())
        return True, (
            f"Flink {cluster.flink_version} answers at {client.url}: {cluster.slots_free} of "
            f"{cluster.slots_total} task slots are free, TaskManagers: {cluster.taskmanagers}"
        )


class PulsarAdminHook(BaseHook):
    """Ask Pulsar's broker, through its admin API, how far a subscription is.

    The Connection has a type of its own, `pulsar_admin`, with a form in the UI; a URL does as well:
    `http://host:8080`. Its password is sent as a bearer token; its extra may hold `verify`,
    `ca_bundle` and `timeout_seconds`.

    :param pulsar_admin_conn_id: reference to the Airflow Connection.
    """

    conn_name_attr = "pulsar_admin_conn_id"
    default_conn_name = "pulsar_admin"
    conn_type = "pulsar_admin"
    hook_name = "Apache Pulsar (admin)"

    def __init__(self, *, pulsar_admin_conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.pulsar_admin_conn_id = pulsar_admin_conn_id

    def get_conn(self) -> PulsarAdmin:
        """Make the client; the caller closes it.

        :raises FlinkConnectionUnusable: there is no such Connection, or it names no host.
        """
        conn_id = self.pulsar_admin_conn_id
        return _pulsar(_connection(conn_id, DEFAULT_ADMIN_URL), conn_id)

    async def aget_conn(self) -> PulsarAdmin:
        """Make the client from within the triggerer's event loop; the caller closes it.

        :raises FlinkConnectionUnusable: there is no such Connection, or it names no host.
        """
        conn_id = self.pulsar_admin_conn_id
        return _pulsar(await _aconnection(conn_id, DEFAULT_ADMIN_URL), conn_id)

    def test_connection(self) -> tuple[bool, str]:
        """Say in a line whether the broker answers, and in which version."""
        try:
            with closing(self.get_conn()) as admin:
                return True, f"Pulsar {admin.version()} answers at {admin.url}"
        except FlinkRestError as error:
            return False, " ".join(str(error).split())


def base_url(connection: Connection, conn_id: str, example: str = DEFAULT_URL) -> str:
    """Return a Connection's address as `scheme://host:port`.

    :raises FlinkConnectionUnusable: it names no host.
    """
    host = (connection.host or "").rstrip("/")
    if not host:
        raise FlinkConnectionUnusable(conn_id, "it names no host", example)
    if "://" not in host:
        named = (connection.schema, connection.conn_type)
        scheme = next((each for each in named if each in ("http", "https")), "http")
        host = f"{scheme}://{host}"
    return f"{host}:{connection.port}" if connection.port else host


def _connection(conn_id: str, example: str = DEFAULT_URL) -> Connection:
    try:
        return BaseHook.get_connection(conn_id)
    except AirflowNotFoundException as error:
        raise FlinkConnectionUnusable(conn_id, "it does not exist", example) from error


async def _aconnection(conn_id: str, example: str = DEFAULT_URL) -> Connection:
    try:
        return await BaseHook.aget_connection(conn_id)
    except AirflowNotFoundException as error:
        raise FlinkConnectionUnusable(conn_id, "it does not exist", example) from error


@dataclass(frozen=True)
class _Extra:
    """What a Connection's extra says of HTTP; a form leaves what is not filled in as null."""

    timeout_seconds: float
    verify: bool | ssl.SSLContext

    @classmethod
    def of(cls, connection: Connection, conn_id: str, example: str) -> _Extra:
        """Read it.

        :raises FlinkConnectionUnusable: a value makes no sense.
        """
        extra = connection.extra_dejson
        given: Any = extra.get("timeout_seconds")
        try:
            timeout_seconds = TIMEOUT_SECONDS if given in (None, "") else float(given)
        except (TypeError, ValueError):
            timeout_seconds = math.nan
        if not 0 < timeout_seconds < math.inf:
            why = f"its timeout_seconds is {given!r}, not a number above 0"
            raise FlinkConnectionUnusable(conn_id, why, example)
        verify: Any = extra.get("verify")
        if isinstance(verify, str) and verify.lower() in ("true", "false"):
            verify = verify.lower() == "true"
        if verify is None or verify is True or verify == "":
            verify = extra.get("ca_bundle") or True
        if isinstance(verify, bool):
            return cls(timeout_seconds, verify)
        try:
            return cls(timeout_seconds, _trusting(Path(str(verify))))
        except OSError as error:
            why = f"{verify} holds no certificates: {error}"
            raise FlinkConnectionUnusable(conn_id, why, example) from error


def _headers(connection: Connection, conn_id: str) -> dict[str, str]:
    given: Any = connection.extra_dejson.get("headers") or {}
    if isinstance(given, str):
        # as a form gives it
        try:
            given = json.loads(given)
        except ValueError:
            given = None
    if isinstance(given, dict) and all(
        isinstance(value, str)
        and value.isascii()
        and value.isprintable()
        and _HEADER.fullmatch(name)
        for name, value in given.items()
    ):
        for value in given.values():
            mask_secret(value)
        return given
    # what was given may be a secret: it is not told
    why = 'its headers are no object of texts, such as {"Authorization": "Bearer …"}'
    raise FlinkConnectionUnusable(conn_id, why)


def _flink(connection: Connection, conn_id: str) -> FlinkClient:
    extra = _Extra.of(connection, conn_id, DEFAULT_URL)
    login, password = connection.login, connection.password
    try:
        return FlinkClient(
            base_url(connection, conn_id),
            python_jar=FlinkSettings.from_env().python_jar,
            timeout_seconds=extra.timeout_seconds,
            auth=(login, password or "") if login else None,
            headers=_headers(connection, conn_id),
            verify=extra.verify,
        )
    except (ValueError, httpx.InvalidURL) as error:
        raise FlinkConnectionUnusable(conn_id, str(error)) from error


def _pulsar(connection: Connection, conn_id: str) -> PulsarAdmin:
    extra = _Extra.of(connection, conn_id, DEFAULT_ADMIN_URL)
    try:
        return PulsarAdmin(
            base_url(connection, conn_id, DEFAULT_ADMIN_URL),
            token=connection.password,
            timeout_seconds=extra.timeout_seconds,
            verify=extra.verify,
        )
    except (ValueError, httpx.InvalidURL) as error:
        raise FlinkConnectionUnusable(conn_id, str(error), DEFAULT_ADMIN_URL) from error


def _trusting(bundle: Path) -> ssl.SSLContext:
    if bundle.is_dir():
        return ssl.create_default_context(capath=str(bundle))
    return ssl.create_default_context(cafile=str(bundle))
