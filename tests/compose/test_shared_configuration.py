"""The containers run on the local stack's configuration; what they add to it agrees with it."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from compose.deployment import ROOT, local_defaults, services, with_defaults
from local_stack.fetch import locate
from local_stack.servers import airflow, catalog, flink, pulsar, trino
from local_stack.settings import StackSettings

CONFIG = ROOT / "include" / "local_stack" / "config"
OF_THE_MACHINE = {
    "jobmanager.bind-host",
    "jobmanager.rpc.address",
    "rest.address",
    "rest.bind-address",
    "taskmanager.bind-host",
    "taskmanager.host",
    "python.executable",
    "python.client.executable",
    "execution.checkpointing.dir",
    "execution.checkpointing.savepoint-dir",
}
"""Flink's keys whose values differ between containers and processes."""
OF_THE_PROCESSES = {
    "metrics.internal.query-service.port",
    "taskmanager.rpc.port",
    "taskmanager.data.port",
    "io.tmp.dirs",
    "web.tmpdir",
    "web.upload.dir",
    "blob.storage.directory",
    "env.log.dir",
    "env.pid.dir",
}
"""Flink's keys that a container needs not: its own address, disk and log are its own."""
OF_THE_COMMAND = {
    "jobmanager.memory.process.size",
    "taskmanager.memory.process.size",
    "taskmanager.numberOfTaskSlots",
}


@pytest.fixture(scope="module")
def settings() -> StackSettings:
    return local_defaults()


def local_flink(settings: StackSettings) -> dict[str, str]:
    program = flink.jobmanager(settings, locate(settings))
    (text,) = (text for path, text in program.files.items() if path.name == "config.yaml")
    return {key: str(value) for key, value in yaml.safe_load(text).items()}


def test_flink_in_containers_has_every_value_of_the_local_stack(settings: StackSettings) -> None:
    shared = (CONFIG / "flink" / "config.yaml").read_text(encoding="utf-8")
    added = (ROOT / "docker" / "flink" / "config.yaml").read_text(encoding="utf-8")
    joined = {key: str(value) for key, value in yaml.safe_load(shared + added).items()}
    assert len(joined) == len(yaml.safe_load(shared)) + len(yaml.safe_load(added))
    local = local_flink(settings)
    assert set(local) - set(joined) == OF_THE_PROCESSES | OF_THE_COMMAND
    assert not set(joined) - set(local)
    assert {key for key in joined if joined[key] != local[key]} == OF_THE_MACHINE


def test_flinks_directories_are_those_that_the_modules_know() -> None:
    added = yaml.safe_load((ROOT / "docker" / "flink" / "config.yaml").read_text(encoding="utf-8"))
    environment = services()["airflow"]["environment"]
    checkpoints = environment["RVA_CHECKPOINT_DIR"]
    assert added["execution.checkpointing.dir"] == f"file://{checkpoints}"


def test_flinks_start_joins_files_that_exist() -> None:
    for name in ("config.yaml", "log4j-console.properties"):
        assert (CONFIG / "flink" / name).is_file()


def test_pulsars_start_puts_our_values_in_place_of_the_images_own(tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "bin").mkdir()
    upstream = "# comment\nnumIOThreads=\nkept=a=b\nbrokerServicePort=1\ndiskUsageThreshold=0.95\n"
    (tmp_path / "conf" / "standalone.conf").write_text(upstream, encoding="utf-8")
    server = tmp_path / "bin" / "pulsar"
    server.write_text("#!/bin/sh\necho $PULSAR_STANDALONE_CONF $@\n", encoding="utf-8")
    server.chmod(0o755)
    made = tmp_path / "standalone.conf"
    ran = subprocess.run(
        ["/bin/bash", str(ROOT / "docker" / "pulsar" / "start.sh")],
        cwd=tmp_path,
        env={
            "PATH": "/usr/bin:/bin",
            "RVA_PULSAR_CONF": str(made),
            "RVA_CONFIG": str(CONFIG),
            "RVA_PORT_PULSAR": "7650",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.split() == [
        str(made),
        "standalone",
        "--no-functions-worker",
        "--no-stream-storage",
    ]
    lines = made.read_text(encoding="utf-8").splitlines()
    keys = [line.split("=", 1)[0] for line in lines]
    assert len(keys) == len(set(keys)), "BookKeeper takes the first of two values"
    values = dict(line.split("=", 1) for line in lines)
    ours = pulsar.properties(
        (CONFIG / "pulsar" / "standalone.properties").read_text(encoding="utf-8")
    )
    assert ours.items() <= values.items()
    assert values["kept"] == "a=b"
    assert values["advertisedListeners"] == (
        "network:pulsar://pulsar:6650,host:pulsar://127.0.0.1:7650"
    )


def test_trinos_start_adds_what_the_shared_configuration_leaves_open(
    settings: StackSettings,
) -> None:
    shared = (CONFIG / "trino" / "config.properties").read_text(encoding="utf-8")
    start = (ROOT / "docker" / "trino" / "start.sh").read_text(encoding="utf-8")
    program = trino.program(settings, locate(settings))
    (local,) = (text for path, text in program.files.items() if path.name == "config.properties")
    added = {line.split("=")[0] for line in local.removeprefix(shared).splitlines()}
    for key in added & {"http-server.http.port", "discovery.uri", "node.environment", "node.id"}:
        assert f"\n{key}=" in start, key
    tables = (CONFIG / "trino" / "catalog" / "lakehouse.properties").read_text(encoding="utf-8")
    needed = {part.split("}")[0] for part in tables.split("${ENV:")[1:]}
    assert needed
    assert needed <= set(services()["trino"]["environment"])


def test_catalogue_gets_what_its_configuration_asks_for() -> None:
    jetty = (CONFIG / "catalog" / "jetty.xml").read_text(encoding="utf-8")
    asked = {part.split('"')[0] for part in jetty.split('<Env name="')[1:]}
    environment = services()["catalog"]["environment"]
    assert asked <= set(environment)
    assert environment["RVA_CATALOG_HOST"] == "0.0.0.0"  # noqa: S104 - inside the container
    assert environment["RVA_PORT_CATALOG"] == "8181"


def test_catalogue_opens_its_database_as_the_local_one_does(settings: StackSettings) -> None:
    local = catalog.program(settings, locate(settings)).environment["RVA_CATALOG_JDBC_URL"]
    ours = services()["catalog"]["environment"]["RVA_CATALOG_JDBC_URL"]
    assert ours.split("?")[1] == local.split("?")[1]
    volume = "catalog-data:/var/lib/catalog"
    assert volume in services()["catalog"]["volumes"]
    assert ours.startswith("jdbc:sqlite:/var/lib/catalog/")


def test_airflow_opens_its_database_as_the_local_one_does() -> None:
    ours = services()["airflow"]["environment"]["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]
    # Compose reads "$$" as "$"
    assert ours.replace("$$", "$") == airflow.DATABASE_URL


def test_airflow_has_the_pools_of_one_slot() -> None:
    pools = json.loads((ROOT / "docker" / "airflow" / "pools.json").read_text(encoding="utf-8"))
    assert {name: pool["slots"] for name, pool in pools.items()} == {
        "flink_submission": 1,
        "vision": 1,
    }


def test_airflow_has_the_pools_and_connections_that_the_dags_name() -> None:
    code = "\n".join(
        path.read_text(encoding="utf-8")
        for folder in ("dags", "plugins")
        for path in sorted((ROOT / folder).rglob("*.py"))
    )
    pools = json.loads((ROOT / "docker" / "airflow" / "pools.json").read_text(encoding="utf-8"))
    named = set(re.findall(r"""pool(?:=|": )"(\w+)\"""", code))
    assert named <= set(pools)
    connections = set(re.findall(r"""(?:DEFAULT_CONN_ID|default_conn_name) = "(\w+)\"""", code))
    assert connections
    for connection in connections:
        assert f"AIRFLOW_CONN_{connection.upper()}" in services()["airflow"]["environment"]


def test_connections_can_be_read_and_links_lead_to_the_published_ports() -> None:
    from airflow.sdk import Connection

    environment = services()["airflow"]["environment"]
    flink, pulsar, trino = (
        (Connection.from_json if text.startswith("{") else Connection.from_uri)(text, conn_id=name)
        for name in ("FLINK", "PULSAR_ADMIN", "TRINO")
        for text in [with_defaults(environment[f"AIRFLOW_CONN_{name}"])]
    )
    assert (flink.conn_type, flink.host, flink.port) == ("flink", "flink-jobmanager", 8081)
    assert flink.extra_dejson == {"ui_url": "http://localhost:8081"}
    assert (pulsar.conn_type, pulsar.host, pulsar.port) == ("pulsar_admin", "pulsar", 8080)
    assert (trino.host, trino.port, trino.schema) == ("trino", 8080, "rva")
    assert trino.extra_dejson == {"catalog": "lakehouse", "ui_url": "http://127.0.0.1:8082"}


@pytest.mark.parametrize("script", sorted(ROOT.glob("docker/*/*.sh")), ids=lambda path: path.name)
def test_scripts_are_sound_bash(script: Path) -> None:
    subprocess.run(["/bin/bash", "-n", str(script)], check=True)
    text = script.read_text(encoding="utf-8")
    assert text.startswith("#!/bin/bash\n")
    assert "set -euo pipefail" in text
