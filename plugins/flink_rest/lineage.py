"""What a Flink job reads and writes, as OpenLineage's events tell it.

The provider `apache-airflow-providers-openlineage` calls for this where it is installed and told
where to send its events. Importing it takes a second, so it is imported there only.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage


class DatasetName(NamedTuple):
    """A dataset as OpenLineage names it (spec/Naming.md): what holds it, and its name there.

    Two events are about one dataset when both are the same.
    """

    namespace: str
    """`pulsar://host:6650`, `trino://host:8082`, `s3://bucket`"""
    name: str
    """`persistent://retail/metadata/events`, `lakehouse.rva.bronze_raw`"""


def job_lineage(
    reads: Iterable[tuple[str, str]],
    writes: Iterable[tuple[str, str]],
    *,
    job_id: str | None,
    cluster: str,
) -> OperatorLineage[Any, Any]:
    """Return the datasets of a job, with its id on its cluster where it is known."""
    from airflow.providers.openlineage.extractors import OperatorLineage
    from openlineage.client.event_v2 import InputDataset, OutputDataset
    from openlineage.client.facet_v2 import external_query_run

    job = {}
    if job_id is not None:
        job["externalQuery"] = external_query_run.ExternalQueryRunFacet(
            externalQueryId=job_id, source=cluster
        )
    return OperatorLineage(
        inputs=[InputDataset(*each) for each in reads],
        outputs=[OutputDataset(*each) for each in writes],
        run_facets=job,
    )
