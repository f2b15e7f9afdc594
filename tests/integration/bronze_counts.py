"""How much a deployment's Bronze has."""

from __future__ import annotations

from integration.conftest import Deployment


def bronze_count(deployment: Deployment) -> int:
    return int(str(deployment.query("SELECT count(*) FROM bronze_raw")[0][0]))


def distinct_payloads(deployment: Deployment) -> int:
    return int(str(deployment.query("SELECT count(DISTINCT payload) FROM bronze_raw")[0][0]))


def wait_for_payload(deployment: Deployment, payload: bytes) -> None:
    asked = f"SELECT count(*) FROM bronze_raw WHERE payload = X'{payload.hex()}'"
    deployment.wait_for_tables(
        lambda: f"Bronze has {payload!r}; it has {bronze_count(deployment)} rows",
        lambda: deployment.query(asked) == [[1]],
        ["bronze_raw"],
        seconds=900,
    )
