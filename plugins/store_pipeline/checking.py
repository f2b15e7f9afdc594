"""The steps that check the data's quality.

Heavy imports stand inside the functions, as in `steps`.
"""

from __future__ import annotations

import logging
from datetime import date
from itertools import chain
from typing import Any

from airflow.sdk.exceptions import AirflowFailException

from store_pipeline.capture import of_capture
from store_pipeline.settings import CHECKS_DIR, PipelineSettings
from trino_checks.checks import describe
from trino_checks.operators import DEFAULT_CONN_ID
from trino_checks.query import bind

log = logging.getLogger(__name__)


def days_received(summaries: list[dict[str, Any]]) -> list[str]:
    """Name the UTC days on which Bronze received the captures: Bronze is checked by these."""
    from trino_checks.answers import ask

    sql = (CHECKS_DIR / "days_received.sql").read_text(encoding="utf-8")
    database = PipelineSettings.from_env().database
    days: set[str] = set()
    for summary in summaries:
        query = bind(sql, database=database, parameters=of_capture(summary))
        _, rows = ask(DEFAULT_CONN_ID, "days_received", query)
        days |= {str(day) for (day,) in rows}
    return sorted(days)


def check(layer: str, days: list[list[str]], dag_run: Any = None) -> dict[str, int]:
    """Run the layer's checks for each of the days and keep what they find; counts the outcomes.

    What is violated fails the task for good, unless it is a warning; what could not be run is
    tried again.

    :param days: lists of UTC days; a day may stand in several
    """
    from lakehouse.catalog import connect
    from lakehouse.quality.checking import Outcome, judge
    from lakehouse.quality.checks import load
    from lakehouse.quality.errors import ChecksViolated
    from lakehouse.quality.record import check_days
    from lakehouse.settings import LakehouseSettings

    settings = LakehouseSettings.from_env()
    results = check_days(
        connect(settings),
        settings,
        load([layer]),
        [date.fromisoformat(day) for day in sorted(set(chain.from_iterable(days)))],
        owner=f"{dag_run.dag_id} {dag_run.run_id}",
    )
    for each in results:
        if each.outcome is not Outcome.PASS or each.detail is not None:
            log.warning("%s", each)
    counts = {each.value: sum(one.outcome is each for one in results) for each in Outcome}
    log.info("Quality of %s: %s", layer, describe(counts))
    try:
        judge(results)
    except ChecksViolated as error:
        raise AirflowFailException(str(error)) from error
    return counts
