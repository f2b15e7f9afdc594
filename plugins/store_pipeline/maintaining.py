"""The steps of maintenance. Heavy imports stand inside the functions, as in `steps`."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowFailException

from flink_rest.settings import FlinkSettings

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

    from lakehouse.maintenance.holds import Hold
    from lakehouse.settings import LakehouseSettings

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
    """Name those of the tables to which streams commit all the time."""
    from lakehouse.maintenance.streams import STREAMS

    return [name for stream in STREAMS for name in stream.writes]


def maintain(table: str, params: Any = None) -> dict[str, Any]:
    """Let old days go, compact, expire, remove orphans; returns the figures before and after."""
    from lakehouse.maintenance.maintaining import maintain as maintain_table
    from lakehouse.retention.settings import RetentionSettings

    settings, catalog, held = _what_is_held(params)
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


def tidy(table: str, params: Any = None) -> None:
    """Let old snapshots expire, and compact what has files of deletes; nothing else."""
    from lakehouse.maintenance.maintaining import tidy as tidy_table

    settings, catalog, held = _what_is_held(params)
    for line in tidy_table(catalog, settings, table, held, log.info):
        log.info("%s: %s", table, line)


def _what_is_held(params: Any) -> tuple[LakehouseSettings, Catalog, Sequence[Hold]]:
    from lakehouse.catalog import connect
    from lakehouse.maintenance.holds import holds
    from lakehouse.settings import LakehouseSettings

    settings = LakehouseSettings.from_env()
    catalog = connect(settings)
    checkpoints = FlinkSettings.from_env().checkpoint_dir
    held = holds(catalog, settings.database, checkpoints, forgotten=tuple(params["forget"]))
    return settings, catalog, held
