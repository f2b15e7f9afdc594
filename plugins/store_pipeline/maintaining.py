"""The steps of maintenance. Heavy imports stand inside the functions, as in `steps`."""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import Any

from airflow.sdk.exceptions import AirflowFailException

from flink_rest.settings import FlinkSettings

log = logging.getLogger(__name__)


def tables() -> list[str]:
    """Name the tables, each of which is maintained; settings that cannot be used are told first."""
    from lakehouse.errors import InvalidSetting
    from lakehouse.retention.settings import RetentionSettings
    from lakehouse.schema import TABLES

    try:
        RetentionSettings.from_env()
    except InvalidSetting as error:
        raise AirflowFailException(str(error)) from error
    return list(TABLES)


def streamed_tables() -> list[str]:
    """Name those of `tables` to which the streams commit all the time."""
    from lakehouse.maintenance.streams import STREAMS

    streamed = {name for stream in STREAMS for name in stream.writes}
    return [name for name in tables() if name in streamed]


def maintain(table: str, params: Any = None) -> dict[str, Any]:
    """Let old days go, compact, expire, remove orphans; returns the figures before and after."""
    from lakehouse.catalog import connect
    from lakehouse.maintenance.holds import holds
    from lakehouse.maintenance.maintaining import maintain as maintain_table
    from lakehouse.retention.settings import RetentionSettings
    from lakehouse.settings import LakehouseSettings

    settings = LakehouseSettings.from_env()
    catalog = connect(settings)
    held = holds(
        catalog,
        settings.database,
        FlinkSettings.from_env().checkpoint_dir,
        forgotten=tuple(params["forget"]),
    )
    done = maintain_table(
        catalog, settings, table, held, log.info, retention=RetentionSettings.from_env()
    )
    log.info("%s before: %s", table, done.before)
    log.info("%s after: %s", table, done.after)
    log.info("%s let go: %s", table, done.let_go.gone)
    for line in done.left:
        log.info("%s: %s", table, line)
    for line in done.beyond:
        log.warning("%s is beyond its budget: %s", table, line)
    return asdict(done)
