"""docker-compose.yaml: valid, local only, without secrets, and the same stack as `make up`."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from compose.deployment import (
    COMPOSE_FILE,
    DEFAULT,
    DOCKERFILES,
    ROOT,
    compose,
    local_defaults,
    services,
    variables,
    with_defaults,
)
from local_stack.memory import Memory
from local_stack.settings import KEEP_DAYS, Ports

DOCUMENTED_SECRETS = {
    "RVA_S3_ACCESS_KEY": "minioadmin",
    "RVA_S3_SECRET_KEY": "minioadmin123",
    "RVA_GRAFANA_PASSWORD": "admin",
}
PORTS_OF_DESIGN = {
    "pulsar": {6650, 8084},
    "flink-jobmanager": {8081},
    "minio": {9000, 9001},
    "catalog": {8181},
    "trino": {8082},
    "airflow": {8080},
    "grafana": {3000},
}
ONE_SHOT = {"prepare", "vision"}
"""Services that end: one when all is prepared, one is only there to be built."""
SECRET_NAME = re.compile(r"PASSWORD|SECRET|ACCESS_KEY|TOKEN|FERNET")


def compose_command() -> list[str] | None:
    """Docker's compose, as a plugin or on its own; RVA_DOCKER_COMPOSE names another one."""
    if named := os.environ.get("RVA_DOCKER_COMPOSE"):
        return [named]
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]):
            asked = subprocess.run([*command, "version"], capture_output=True, check=False)
            if asked.returncode == 0:
                return command
    return None


def resolved(environment: dict[str, str], tmp_path: Path) -> dict[str, Any]:
    """The file as `docker compose config` understands it, without the caller's settings."""
    command = compose_command()
    if command is None:
        pytest.skip("no docker compose here: only the structure of the file was checked")
    empty = tmp_path / "empty.env"
    empty.touch()
    plain = {name: value for name, value in os.environ.items() if not name.startswith("RVA_")}
    answer = subprocess.run(
        [
            *(*command, "--file", str(COMPOSE_FILE), "--env-file", str(empty)),
            *("--profile", "*", "config", "--format", "json"),
        ],
        env=plain | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    assert "level=warning" not in answer.stderr, answer.stderr
    model: dict[str, Any] = json.loads(answer.stdout)
    return model


def published(service: dict[str, Any]) -> list[tuple[str, int, int]]:
    """Address, port on the host and port in the container of each published port."""
    split = [with_defaults(port).split(":") for port in service.get("ports", ())]
    assert all(len(parts) == 3 for parts in split), service["ports"]
    return [(address, int(host), int(inside)) for address, host, inside in split]


def test_docker_compose_accepts_the_file_without_a_warning(tmp_path: Path) -> None:
    model = resolved({}, tmp_path)
    assert set(model["services"]) == set(services())
    for name, service in model["services"].items():
        assert {port["host_ip"] for port in service.get("ports", ())} <= {"127.0.0.1"}, name


def test_docker_compose_takes_ports_passwords_and_memory_from_the_environment(
    tmp_path: Path,
) -> None:
    given = {
        "RVA_PORT_PULSAR": "16650",
        "RVA_S3_SECRET_KEY": "my own",
        "RVA_GRAFANA_PASSWORD": "mine",
        "RVA_MEMORY_TRINO_HEAP": "2048",
        "RVA_TASK_SLOTS": "4",
    }
    found = resolved(given, tmp_path)["services"]
    pulsar = found["pulsar"]
    assert "16650" in {port["published"] for port in pulsar["ports"]}
    assert pulsar["environment"]["RVA_PORT_PULSAR"] == "16650"
    assert found["minio"]["environment"]["MINIO_ROOT_PASSWORD"] == "my own"
    assert found["airflow"]["environment"]["RVA_S3_SECRET_KEY"] == "my own"
    assert found["grafana"]["environment"]["GF_SECURITY_ADMIN_PASSWORD"] == "mine"
    assert found["trino"]["environment"]["RVA_MEMORY_TRINO_HEAP"] == "2048"
    assert "taskmanager.numberOfTaskSlots=4" in found["flink-taskmanager"]["command"]
    assert "4" in found["flink-taskmanager"]["healthcheck"]["test"]


def test_every_server_of_the_design_is_a_service() -> None:
    assert set(services()) == {*PORTS_OF_DESIGN, "flink-taskmanager", *ONE_SHOT}


@pytest.mark.parametrize("name", sorted(PORTS_OF_DESIGN))
def test_ports_are_those_of_the_design_and_open_on_this_machine_only(name: str) -> None:
    ports = published(services()[name])
    assert {host for _, host, _ in ports} == PORTS_OF_DESIGN[name]
    assert {address for address, _, _ in ports} == {"127.0.0.1"}


def test_services_without_an_address_of_their_own_publish_nothing() -> None:
    for name in set(services()) - set(PORTS_OF_DESIGN):
        assert not services()[name].get("ports"), name


def test_port_and_memory_variables_are_those_of_the_local_stack_with_its_defaults() -> None:
    asked = variables(COMPOSE_FILE.read_text(encoding="utf-8"))
    for prefix, defaults in (("RVA_PORT_", Ports()), ("RVA_MEMORY_", Memory())):
        for name in (name for name in asked if name.startswith(prefix)):
            field = name.removeprefix(prefix).lower()
            assert asked[name] == str(getattr(defaults, field)), name
    for name in vars_of(Memory):
        assert f"RVA_MEMORY_{name.upper()}" in asked, name
    assert asked["RVA_TASK_SLOTS"] == str(local_defaults().task_slots)


def test_a_variable_has_the_same_default_wherever_it_stands() -> None:
    seen: dict[str, str] = {}
    for name, default in DEFAULT.findall(COMPOSE_FILE.read_text(encoding="utf-8")):
        assert seen.setdefault(name, default) == default, name


def vars_of(record: type[Memory]) -> list[str]:
    return list(record.__dataclass_fields__)


def test_no_secret_is_written_down_but_the_documented_defaults() -> None:
    asked = variables(COMPOSE_FILE.read_text(encoding="utf-8"))
    assert {name: asked[name] for name in DOCUMENTED_SECRETS} == DOCUMENTED_SECRETS
    for service in services().values():
        for name, value in service.get("environment", {}).items():
            if SECRET_NAME.search(name):
                assert re.fullmatch(r"\$\{RVA_\w+:-[^}]*\}", str(value)), name
                (variable,) = variables(str(value))
                assert variable in DOCUMENTED_SECRETS, name
    for path in (*DOCKERFILES.values(), *ROOT.glob("docker/*/*.sh")):
        assert not re.search(r"minioadmin|password=", path.read_text(encoding="utf-8")), path


def test_every_service_is_checked_limited_and_taken_up_again() -> None:
    for name, service in services().items():
        assert service["mem_limit"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        if name in ONE_SHOT:
            assert service["restart"].startswith("on-failure"), name
        else:
            assert service["restart"] == "unless-stopped", name
            assert service["healthcheck"]["test"], name


def test_every_dependency_waits_until_the_other_is_of_use() -> None:
    for name, service in services().items():
        for other, how in service.get("depends_on", {}).items():
            wanted = "service_completed_successfully" if other in ONE_SHOT else "service_healthy"
            assert how["condition"] == wanted, f"{name} -> {other}"
    # somebody waits for it: `up --wait` takes a service that ends for a failure otherwise
    assert any("prepare" in each.get("depends_on", {}) for each in services().values())


def test_data_lie_on_named_volumes_and_every_volume_is_used() -> None:
    mounts = [mount for each in services().values() for mount in each.get("volumes", ())]
    named = {mount.split(":")[0] for mount in mounts if mount[0] not in "./$"}
    assert named == set(compose()["volumes"])


def test_code_and_configuration_are_mounted_read_only_and_are_there() -> None:
    for name, service in services().items():
        for mount in service.get("volumes", ()):
            if mount.startswith("./"):
                source, _, mode = mount.split(":")
                assert mode == "ro", f"{name}: {mount}"
                assert (ROOT / source).is_dir(), f"{name}: {mount}"


def test_checkpoints_are_shared_and_only_flink_writes_them() -> None:
    modes = {
        name: mount
        for name, service in services().items()
        for mount in service.get("volumes", ())
        if mount.startswith("flink-state:")
    }
    assert modes == {
        "flink-jobmanager": "flink-state:/opt/rva/flink",
        "flink-taskmanager": "flink-state:/opt/rva/flink",
        "airflow": "flink-state:/opt/rva/flink:ro",
    }
    for name in modes:
        assert services()[name]["environment"]["RVA_CHECKPOINT_DIR"].startswith("/opt/rva/flink/")


@pytest.mark.parametrize("name", ["flink-jobmanager", "flink-taskmanager", "airflow"])
def test_modules_get_every_variable_of_the_local_stack_with_services_as_hosts(name: str) -> None:
    environment = services()[name]["environment"]
    hosts = set(services())
    for variable, local in local_defaults().addresses().items():
        assert variable in environment, variable
        value = with_defaults(environment[variable])
        if "127.0.0.1" in local:
            scheme = local.split("://", 1)[0]
            match = re.fullmatch(rf"{scheme}://([\w-]+):\d+", value)
            assert match, f"{variable}={value}"
            assert match[1] in hosts, f"{variable}={value}"
        elif not local.startswith("/"):
            assert value == local, variable
    assert environment["RVA_CHECKPOINT_INTERVAL_SECONDS"] == "60"
    assert {with_defaults(environment[variable]) for variable in KEEP_DAYS} == {""}


def test_addresses_name_the_port_on_which_the_service_listens() -> None:
    inside = {
        name: {port for _, _, port in published(service)} for name, service in services().items()
    }
    inside["pulsar"].add(6650)  # the listener for containers; the host's is published
    for service in services().values():
        for value in service.get("environment", {}).values():
            for host, port in re.findall(r"://(?:\w+@)?([a-z][a-z-]*):(\d+)", str(value)):
                assert int(port) in inside[host], value


def test_each_service_of_one_image_agrees_on_it() -> None:
    built = [each for each in services().values() if "build" in each]
    for one, other in pairwise(sorted(built, key=lambda each: str(each["image"]))):
        if one["image"] == other["image"]:
            assert one["build"] == other["build"]
    assert services()["prepare"]["image"] == services()["minio"]["image"]
