"""What a check reads and whether it holds, as OpenLineage's events tell it.

The provider `apache-airflow-providers-openlineage` calls for this where it is installed and told
where to send its events. Importing it takes a second, so it is imported there only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trino_checks.query import Query

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage


@dataclass(frozen=True)
class Outcome:
    """What came of a check."""

    kind: str
    """`row_count`, `equality`"""
    holds: bool
    found: str
    """What was counted, or why it does not hold."""


def check_lineage(
    conn_id: str,
    name: str,
    queries: Sequence[Query],
    *,
    table: str | None,
    outcome: Outcome | None,
    query_id: str | None,
) -> OperatorLineage[Any, Any]:
    """Return the tables that the queries read, the queries, and what came of them.

    The values of a query stay out of it; no server is asked.

    :param table: `database.table`, which is counted: the outcome is an assertion about it. None:
        a test of the run.
    """
    from airflow.providers.openlineage.extractors import OperatorLineage
    from airflow.providers.openlineage.sqlparser import SQLParser
    from airflow.providers.trino.hooks.trino import TrinoHook
    from openlineage.client.event_v2 import InputDataset
    from openlineage.client.facet_v2 import external_query_run

    hook: Any = TrinoHook(trino_conn_id=conn_id)  # type: ignore[no-untyped-call]
    info = hook.get_openlineage_database_info(hook.connection)
    parser = SQLParser(hook.get_openlineage_database_dialect(None), info.database)
    parsed = parser.generate_openlineage_metadata_from_sql(
        [query.sql for query in queries], hook, info, use_connection=False
    )
    namespace = parser.create_namespace(info)
    names = {each.name for each in parsed.inputs}
    counted = None if table is None else f"{info.database}.{table}"
    inputs = [
        InputDataset(
            namespace, each, inputFacets=_asserted(name, outcome) if each == counted else {}
        )
        for each in sorted(names | ({counted} if counted else set()))
    ]
    run_facets = dict(parsed.run_facets)
    if query_id is not None:
        run_facets["externalQuery"] = external_query_run.ExternalQueryRunFacet(
            externalQueryId=query_id, source=namespace
        )
    if counted is None:
        run_facets |= _tested(name, outcome)
    return OperatorLineage(inputs=inputs, run_facets=run_facets, job_facets=parsed.job_facets)


def _asserted(name: str, outcome: Outcome | None) -> dict[str, Any]:
    from openlineage.client.facet_v2 import data_quality_assertions_dataset as facet

    if outcome is None:
        return {}
    told = facet.Assertion(outcome.kind, outcome.holds, name=name, actual=outcome.found)
    return {"dataQualityAssertions": facet.DataQualityAssertionsDatasetFacet([told])}


def _tested(name: str, outcome: Outcome | None) -> dict[str, Any]:
    from openlineage.client.facet_v2 import test_run as facet

    if outcome is None:
        return {}
    status = "pass" if outcome.holds else "fail"
    told = facet.TestExecution(name, status, type=outcome.kind, actual=outcome.found)
    return {"test": facet.TestRunFacet([told])}
