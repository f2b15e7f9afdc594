"""The small profile: what the servers are told in it, as text. Nothing here starts one."""

import subprocess
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from local_stack.errors import StackError
from local_stack.fetch import Distributions
from local_stack.memory import DEFAULT, SMALL
from local_stack.program import Program
from local_stack.servers import SERVERS, airflow, pulsar
from local_stack.settings import CHECKOUT, StackSettings

OF_JAVA = {"pulsar", "catalog", "flink-jobmanager", "flink-taskmanager", "trino"}
STREAMS_AND_A_BATCH = 4


def load(**given: str) -> StackSettings:
    return StackSettings.load({"RVA_MAVEN_URL": "x", **given})


def programs(tmp_path: Path, **given: str) -> dict[str, Program]:
    home = tmp_path / "pulsar"
    (home / "conf").mkdir(parents=True, exist_ok=True)
    (home / "conf" / "standalone.conf").write_text("managedLedgerCacheSizeMB=\n")
    places = Distributions(
        pulsar_home=home,
        trino_home=tmp_path / "trino",
        catalog_jars=(tmp_path / "a.jar",),
        flink_jars=(tmp_path / "b.jar",),
        minio=tmp_path / "minio",
        beam_jar=tmp_path / "beam.jar",
    )
    settings = load(RVA_DATA_DIR=str(tmp_path / "data"), **given)
    return {server.name: server.program(settings, places) for server in SERVERS}


def file_of(program: Program, name: str) -> str:
    (text,) = (text for path, text in program.files.items() if path.name == name)
    return text


def flink_config(programs: dict[str, Program]) -> dict[str, str]:
    config: dict[str, str] = yaml.safe_load(file_of(programs["flink-taskmanager"], "config.yaml"))
    return config


@pytest.mark.parametrize("given", [{}, {"RVA_SMALL": "0"}, {"RVA_SMALL": ""}])
def test_usually_the_servers_have_their_usual_memory(given: dict[str, str]) -> None:
    settings = load(**given)
    assert settings.profile is DEFAULT
    assert settings.memory == DEFAULT.memory
    assert settings.task_slots == 8


def test_small_profile_gives_each_server_less_and_slots_for_three_streams_and_a_batch() -> None:
    settings = load(RVA_SMALL="1")
    for each in fields(settings.memory):
        assert getattr(settings.memory, each.name) < getattr(DEFAULT.memory, each.name), each.name
    assert settings.task_slots == STREAMS_AND_A_BATCH


def test_small_profile_is_given_less_than_4_gb_with_python_and_jvms_beside_the_heaps() -> None:
    memory = SMALL.memory
    given = sum(getattr(memory, each.name) for each in fields(memory))
    assert given <= 3200


def test_each_setting_made_by_hand_wins_over_the_profile() -> None:
    settings = load(RVA_SMALL="1", RVA_MEMORY_TRINO_HEAP="2048", RVA_TASK_SLOTS="9")
    assert settings.memory.trino_heap == 2048
    assert settings.task_slots == 9
    assert settings.memory.pulsar_heap == SMALL.memory.pulsar_heap


def test_profile_can_stand_in_env_file_and_the_environment_wins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("local_stack.settings.read_env_file", lambda _: {"RVA_SMALL": "1"})
    assert load().profile is SMALL
    assert load(RVA_SMALL="0").profile is DEFAULT


@pytest.mark.parametrize("text", ["maybe", "yes", "2", "-1"])
def test_what_is_neither_yes_nor_no_is_refused(text: str) -> None:
    with pytest.raises(StackError, match=f"RVA_SMALL={text} .* write 1 or 0"):
        load(RVA_SMALL=text)


def test_small_profile_reaches_every_server(tmp_path: Path) -> None:
    told = programs(tmp_path, RVA_SMALL="1")
    assert told["minio"].environment["GOMEMLIMIT"] == "128MiB"
    assert {n for n, p in told.items() if p.environment.get("MALLOC_ARENA_MAX") == "2"} == OF_JAVA
    for name in ("pulsar", "catalog", "trino"):
        assert "-XX:+UseSerialGC" in told[name].command, name
        assert "-XX:+UseG1GC" not in told[name].command, name
    conf = pulsar.properties(file_of(told["pulsar"], "standalone.conf"))
    assert conf["managedLedgerCacheSizeMB"] == "16"
    assert conf["brokerDeleteInactiveTopicsEnabled"] == "false"
    trino = pulsar.properties(file_of(told["trino"], "config.properties"))
    assert trino["query.max-memory"] == "200MB"
    assert trino["coordinator"] == "true"
    flink = flink_config(told)
    assert flink["taskmanager.memory.process.size"] == f"{SMALL.memory.flink_taskmanager}m"
    assert flink["taskmanager.numberOfTaskSlots"] == STREAMS_AND_A_BATCH
    assert "-XX:+UseSerialGC" in flink["env.java.default-opts.all"]
    assert flink["heartbeat.timeout"] == "8s"


def test_usually_nothing_of_the_small_profile_is_told(tmp_path: Path) -> None:
    told = programs(tmp_path)
    assert "-XX:+UseG1GC" in told["pulsar"].command
    assert told["minio"].environment["GOMEMLIMIT"] == "256MiB"
    assert not any("MALLOC_ARENA_MAX" in p.environment for p in told.values())
    assert flink_config(told)["taskmanager.memory.managed.size"] == "320m"
    assert "env.java.default-opts.all" not in flink_config(told)


def test_slot_has_as_much_network_and_managed_memory_as_usually(tmp_path: Path) -> None:
    usual, small = flink_config(programs(tmp_path)), flink_config(programs(tmp_path, RVA_SMALL="1"))
    for key in ("taskmanager.memory.managed.size", "taskmanager.memory.network.max"):
        a_slot = [
            int(config[key].removesuffix("m")) / int(config["taskmanager.numberOfTaskSlots"])
            for config in (usual, small)
        ]
        assert a_slot[0] == a_slot[1], key


def test_trinos_queries_fit_beside_its_headroom_into_the_small_heap(tmp_path: Path) -> None:
    trino = pulsar.properties(
        file_of(programs(tmp_path, RVA_SMALL="1")["trino"], "config.properties")
    )
    wanted = sum(
        int(trino[key].removesuffix("MB"))
        for key in ("query.max-memory-per-node", "memory.heap-headroom-per-node")
    )
    assert wanted <= SMALL.memory.trino_heap


@pytest.mark.parametrize(("small", "passed_on"), [("1", "1"), ("0", "0"), ("", "")])
def test_make_passes_the_profile_on(small: str, passed_on: str) -> None:
    show = "show:\n\t@echo [$$RVA_SMALL]"
    done = subprocess.run(
        ["make", "--no-print-directory", "--eval", show, "show", f"SMALL={small}"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == f"[{passed_on}]"


def test_env_example_names_every_size_with_its_default() -> None:
    lines = (CHECKOUT / ".env.example").read_text(encoding="utf-8").splitlines()
    shown = {line.removeprefix("#") for line in lines if "RVA_MEMORY_" in line}
    assert shown == {
        f"RVA_MEMORY_{each.name.upper()}={getattr(DEFAULT.memory, each.name)}"
        for each in fields(DEFAULT.memory)
    }


def test_airflow_works_on_fewer_tasks_at_once_in_the_small_profile() -> None:
    told = [airflow.environment(s, s.environment()) for s in (load(), load(RVA_SMALL="1"))]
    assert [each["AIRFLOW__CORE__PARALLELISM"] for each in told] == ["4", "2"]


def test_clocks_of_servers_at_rest_do_not_tick_every_10_ms(tmp_path: Path) -> None:
    told = programs(tmp_path)
    conf = pulsar.properties(file_of(told["pulsar"], "standalone.conf"))
    assert float(conf["managedLedgerCacheEvictionFrequency"]) <= 1
    trino = pulsar.properties(file_of(told["trino"], "config.properties"))
    assert trino["experimental.thread-per-driver-scheduler-enabled"] == "false"
    flink = flink_config(told)
    assert "-Dpekko.scheduler.tick-duration=100ms" in flink["env.java.opts.all"]
    assert flink["execution.buffer-timeout.interval"] == "1s"
