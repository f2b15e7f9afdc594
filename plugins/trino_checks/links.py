"""The link from a task to its query in Trino's UI."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote, urlsplit

from airflow.sdk import BaseOperatorLink
from airflow.sdk.execution_time.xcom import XCom

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey

QUERY_ID_KEY = "trino_query_id"
"""XCom key under which a task leaves the id of its newest query as soon as Trino gives it one."""

QUERY_URL_KEY = "trino_query_url"
"""XCom key of the link itself: Airflow's API server shows what stands there."""

UI_URL_EXTRA = "ui_url"
"""Field of the Connection's extra: where a browser reaches Trino, if not at host and port."""


class TrinoQueryLink(BaseOperatorLink):
    """Opens the task's newest query in Trino's UI.

    The page is there while the coordinator remembers the query (`query.max-history`,
    `query.min-expire-age`).
    """

    name: ClassVar[str] = "Trino query"
    xcom_key: ClassVar[str] = QUERY_URL_KEY

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002
        """Return the link, or nothing for a task that has asked nothing yet."""
        found: Any = XCom.get_value(key=QUERY_URL_KEY, ti_key=ti_key)
        return str(found or "")


def query_url(scheme: str, host: str, port: int | None, query_id: str, *, ui_url: str = "") -> str:
    """Return the page of a query; neither user nor password of the Connection stand in it."""
    return f"{_base(scheme, host, port, ui_url)}/ui/query.html?{quote(query_id, safe='')}"


def _base(scheme: str, host: str, port: int | None, ui_url: str) -> str:
    given = urlsplit(ui_url)
    # what is shown to be clicked on must not be a script
    if given.scheme in ("http", "https") and given.hostname:
        scheme, host, port = given.scheme, given.hostname, given.port
        path = re.sub(r"/(ui)?/*$", "", given.path)
    else:
        path = ""
    name = f"[{host}]" if ":" in host else host
    return f"{scheme}://{name}{'' if port is None else f':{port}'}{path}"
