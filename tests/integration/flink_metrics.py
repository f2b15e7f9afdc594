"""What Flink counts of a job's operators."""

from __future__ import annotations

import httpx

from integration.conftest import ANSWER_SECONDS, Deployment, wait_until


def operator_counts(deployment: Deployment, job_id: str, metric: str) -> dict[str, int]:
    """A metric of each operator that has it, by the operator's name; Flink is seconds behind."""
    found: dict[str, int] = {}
    base = f"{deployment.variables['RVA_FLINK_URL']}/jobs/{job_id}"
    with httpx.Client(base_url=base, timeout=ANSWER_SECONDS) as flink:
        for vertex in flink.get("").raise_for_status().json()["vertices"]:
            metrics = f"/vertices/{vertex['id']}/metrics"
            names = [each["id"] for each in flink.get(metrics).raise_for_status().json()]
            for name in names:
                if not name.endswith(f".{metric}"):
                    continue
                (answer,) = flink.get(metrics, params={"get": name}).raise_for_status().json()
                operator = name.split(".")[1]
                found[operator] = found.get(operator, 0) + int(answer["value"])
    return found


def wait_until_read(deployment: Deployment, job_id: str, messages: int) -> None:
    """Wait until the job's source has given as many on; it may have committed none of them."""

    def read() -> int:
        records = operator_counts(deployment, job_id, "numRecordsOut")
        return sum(count for name, count in records.items() if name.startswith("Source"))

    wait_until(lambda: f"{messages} are read; {read()} are", lambda: read() >= messages)
