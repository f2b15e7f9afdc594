"""The one-shot service `prepare` of docker-compose.yaml, run against the real MinIO and Pulsar."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from pyarrow import fs

from integration.conftest import ANSWER_SECONDS

pytestmark = pytest.mark.integration

DOCKER = Path(__file__).resolve().parents[2] / "docker"
LOCAL_NAMESPACE = "retail/metadata"


@dataclass(frozen=True)
class Place:
    """A bucket and a namespace of the test's own."""

    variables: dict[str, str]
    bucket: str
    namespace: str

    def run(self, script: str = "prepare.sh", **changed: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/bash", str(DOCKER / "minio" / script)],
            env={
                "PATH": "/usr/local/bin:/usr/bin:/bin",
                **self.variables,
                "RVA_WAREHOUSE": f"s3://{self.bucket}/",
                "RVA_NAMESPACE": self.namespace,
                "MINIO_ROOT_USER": self.variables["RVA_S3_ACCESS_KEY"],
                "MINIO_ROOT_PASSWORD": self.variables["RVA_S3_SECRET_KEY"],
                "MINIO_REGION": self.variables["RVA_S3_REGION"],
                **changed,
            },
            capture_output=True,
            text=True,
            check=False,
        )

    def policies(self, namespace: str) -> dict[str, object]:
        url = f"{self.variables['RVA_PULSAR_ADMIN_URL']}/admin/v2/namespaces/{namespace}"
        answer: dict[str, object] = httpx.get(url, timeout=ANSWER_SECONDS).raise_for_status().json()
        return answer

    @property
    def store(self) -> fs.S3FileSystem:
        return fs.S3FileSystem(
            access_key=self.variables["RVA_S3_ACCESS_KEY"],
            secret_key=self.variables["RVA_S3_SECRET_KEY"],
            region=self.variables["RVA_S3_REGION"],
            endpoint_override=self.variables["RVA_S3_ENDPOINT"],
            allow_bucket_deletion=True,
        )


@pytest.fixture
def place(stack: dict[str, str]) -> Iterator[Place]:
    name = uuid.uuid4().hex[:8]
    made = Place(stack, bucket=f"compose-{name}", namespace=f"retail/compose-{name}")
    yield made
    url = f"{stack['RVA_PULSAR_ADMIN_URL']}/admin/v2/namespaces/{made.namespace}"
    httpx.delete(url, timeout=ANSWER_SECONDS)
    if made.store.get_file_info(made.bucket).type is fs.FileType.Directory:
        made.store.delete_dir(made.bucket)


def test_prepare_makes_what_the_local_stack_makes_and_twice_is_as_once(place: Place) -> None:
    first = place.run()
    assert first.returncode == 0, first.stderr
    assert f"bucket {place.bucket}: made" in first.stdout
    assert place.store.get_file_info(place.bucket).type is fs.FileType.Directory
    assert place.policies(place.namespace) == place.policies(LOCAL_NAMESPACE)
    second = place.run()
    assert second.returncode == 0, second.stderr
    assert f"bucket {place.bucket}: there" in second.stdout
    assert place.policies(place.namespace) == place.policies(LOCAL_NAMESPACE)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"RVA_S3_SECRET_KEY": "not the one"}, "refuses the keys: set RVA_S3_ACCESS_KEY"),
        ({"RVA_S3_ENDPOINT": "http://127.0.0.1:9"}, "see docker compose logs minio"),
        ({"RVA_PULSAR_ADMIN_URL": "http://127.0.0.1:9"}, "see docker compose logs pulsar"),
    ],
    ids=["wrong keys", "no MinIO", "no Pulsar"],
)
def test_prepare_fails_with_a_line_that_says_what_to_do(
    place: Place, changed: dict[str, str], says: str
) -> None:
    ran = place.run(**changed)
    assert ran.returncode == 1
    assert ran.stderr.splitlines()[-1].startswith("error: ")
    assert says in ran.stderr


def test_minio_is_healthy_only_to_who_may_list_its_buckets(place: Place) -> None:
    script = "healthcheck.sh"
    port = place.variables["RVA_S3_ENDPOINT"].rsplit(":", 1)[1]
    if port != "9000":
        pytest.skip("the check asks port 9000, as inside the container")
    assert place.run(script).returncode == 0
    assert place.run(script, MINIO_ROOT_PASSWORD="not the one").returncode != 0
