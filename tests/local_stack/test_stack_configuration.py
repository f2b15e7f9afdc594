"""What the servers are told, as text: nothing here starts one."""

import configparser
import re
import shlex
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from local_stack import supervision
from local_stack.errors import StackError
from local_stack.fetch import Distributions
from local_stack.program import Program
from local_stack.servers import AIRFLOW_SERVERS, ALL_SERVERS, SERVERS, airflow, pulsar
from local_stack.settings import StackSettings

UPSTREAM = """\
# a comment
brokerServicePort=6650
bindAddress=0.0.0.0
diskUsageThreshold=0.95
kept=as it is
"""


@pytest.fixture
def settings(tmp_path: Path) -> StackSettings:
    return StackSettings.load({"RVA_DATA_DIR": str(tmp_path / "data"), "RVA_MAVEN_URL": "x"})


@pytest.fixture
def places(tmp_path: Path) -> Distributions:
    home = tmp_path / "pulsar"
    (home / "conf").mkdir(parents=True)
    (home / "conf" / "standalone.conf").write_text(UPSTREAM)
    return Distributions(
        pulsar_home=home,
        trino_home=tmp_path / "trino",
        catalog_jars=(tmp_path / "a.jar",),
        flink_jars=(tmp_path / "b.jar",),
        minio=tmp_path / "minio",
        beam_jar=tmp_path / "beam.jar",
    )


@pytest.fixture
def programs(settings: StackSettings, places: Distributions) -> dict[str, Program]:
    return {server.name: server.program(settings, places) for server in ALL_SERVERS}


def everything_told(program: Program) -> str:
    return "\n".join([*program.command, *program.environment.values(), *program.files.values()])


def test_nothing_is_told_to_listen_on_every_interface(programs: dict[str, Program]) -> None:
    for program in programs.values():
        assert "0.0.0.0" not in everything_told(program), program.name  # noqa: S104
        assert not re.search(r"https?://localhost", everything_told(program)), program.name


@pytest.mark.parametrize(
    ("server", "told"),
    [
        ("minio", "127.0.0.1:9000"),
        ("minio", "127.0.0.1:9001"),
        ("pulsar", "bindAddress=127.0.0.1"),
        ("pulsar", "listeningInterface=lo"),
        ("flink-jobmanager", "rest.bind-address: '127.0.0.1'"),
        ("flink-jobmanager", "jobmanager.bind-host: '127.0.0.1'"),
        ("flink-taskmanager", "taskmanager.bind-host: '127.0.0.1'"),
        ("trino", "node.bind-ip=127.0.0.1"),
        ("airflow-api-server", "127.0.0.1"),
        ("airflow-scheduler", "--skip-serve-logs"),
        ("airflow-triggerer", "--skip-serve-logs"),
    ],
)
def test_server_is_told_to_listen_on_loopback(
    programs: dict[str, Program], server: str, told: str
) -> None:
    assert told in everything_told(programs[server])


def test_catalogue_listens_on_loopback(programs: dict[str, Program]) -> None:
    assert programs["catalog"].environment["RVA_CATALOG_HOST"] == "127.0.0.1"
    assert '<Set name="host"><Env name="RVA_CATALOG_HOST"' in everything_told(programs["catalog"])


def test_pulsar_keeps_upstreams_values_where_we_have_none(
    settings: StackSettings, places: Distributions
) -> None:
    conf = pulsar.properties(pulsar.standalone_conf(settings, places))
    assert conf["kept"] == "as it is"
    assert conf["diskUsageThreshold"] == "0.99"
    assert conf["brokerDeduplicationProducerInactivityTimeoutMinutes"] == str(365 * 24 * 60)


def test_flinks_configuration_is_yaml_with_what_recovery_needs(
    programs: dict[str, Program],
) -> None:
    (text,) = (t for p, t in programs["flink-jobmanager"].files.items() if p.suffix == ".yaml")
    conf = yaml.safe_load(text)
    assert conf["taskmanager.numberOfTaskSlots"] == 8
    assert conf["execution.checkpointing.externalized-checkpoint-retention"] == (
        "RETAIN_ON_CANCELLATION"
    )
    assert conf["heartbeat.timeout"] == "8s"
    assert conf["table.local-time-zone"] == "UTC"
    assert conf["python.executable"].endswith(".venvs/flink/bin/python")


def test_flinks_paths_survive_quotes(tmp_path: Path, places: Distributions) -> None:
    settings = StackSettings.load({"RVA_DATA_DIR": str(tmp_path / "it's"), "RVA_MAVEN_URL": "x"})
    program = next(s for s in SERVERS if s.name == "flink-jobmanager").program(settings, places)
    (text,) = (t for p, t in program.files.items() if p.suffix == ".yaml")
    assert yaml.safe_load(text)["execution.checkpointing.dir"].endswith(
        "it's/stack/flink/checkpoints"
    )


def test_flink_and_catalogue_have_no_credentials_in_their_files(
    programs: dict[str, Program],
) -> None:
    for program in programs.values():
        for text in program.files.values():
            assert "minioadmin123" not in text, program.name


def test_memory_that_is_given_to_the_servers_stays_below_6_gb() -> None:
    memory = StackSettings.load({"RVA_MAVEN_URL": "x"}).memory
    assert sum(getattr(memory, each.name) for each in fields(memory)) <= 6000


def parsed(text: str) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(inline_comment_prefixes=(";", "#"))
    parser.read_string(text)
    return parser


def test_supervisor_restarts_servers_and_ends_their_whole_groups(
    settings: StackSettings, programs: dict[str, Program]
) -> None:
    conf = parsed(supervision.render(settings, programs.values()))
    for name in programs:
        section = conf[f"program:{name}"]
        assert section["autorestart"] == "true"
        assert section["killasgroup"] == section["stopasgroup"] == "true"
        assert section["stdout_logfile"] == str(settings.logs_dir / f"{name}.log")


def test_supervisor_listens_on_a_socket_of_the_owner_only(settings: StackSettings) -> None:
    conf = parsed(supervision.render(settings, []))
    assert conf["unix_http_server"]["chmod"] == "0700"
    assert "inet_http_server" not in conf


def test_changed_configuration_file_changes_the_program(settings: StackSettings) -> None:
    def rendered(text: str) -> str:
        program = Program("x", ("x",), Path("/"), {}, files={Path("/x.conf"): text})
        return supervision.render(settings, [program])

    assert rendered("a") == rendered("a")
    assert rendered("a") != rendered("b")


def test_percent_signs_spaces_and_quotes_reach_the_server(settings: StackSettings) -> None:
    program = Program(
        "x", ("/a b/c", "--at=50%"), Path("/"), {"JSON": '{"a": 1}', "TEXT": "it's 5%"}
    )
    section = parsed(supervision.render_programs(settings, [program]))["program:x"]
    assert shlex.split(section["command"].replace("%%", "%")) == ["/a b/c", "--at=50%"]
    assert "JSON='{\"a\": 1}'" in section["environment"]
    assert 'TEXT="it\'s 5%%"' in section["environment"]


def test_value_that_the_supervisor_cannot_take_is_named(settings: StackSettings) -> None:
    with pytest.raises(StackError, match="PASSWORD"):
        supervision.render_programs(
            settings, [Program("x", ("x",), Path("/"), {"PASSWORD": "\"'"})]
        )


def test_socket_moves_when_the_checkouts_path_is_too_long(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 120)
    settings = StackSettings.load({"RVA_DATA_DIR": str(deep), "RVA_MAVEN_URL": "x"})
    assert len(str(supervision.socket_path(settings))) < 100


def test_airflow_reaches_trino_flink_and_pulsars_broker_by_connections(
    settings: StackSettings,
) -> None:
    told = airflow.environment(settings, settings.environment())
    assert '"port": 8082' in told["AIRFLOW_CONN_TRINO"]
    assert '"catalog": "lakehouse"' in told["AIRFLOW_CONN_TRINO"]
    assert '"port": 8081' in told["AIRFLOW_CONN_FLINK"]
    assert '"port": 8084' in told["AIRFLOW_CONN_PULSAR_ADMIN"]
    assert told["AIRFLOW__CORE__LOAD_EXAMPLES"] == "False"


def test_what_is_set_reaches_airflows_processes_and_flinks_jobmanager(
    tmp_path: Path, places: Distributions
) -> None:
    given = {
        "RVA_CHECKPOINT_INTERVAL_SECONDS": "7",
        "RVA_DATABASE": "rva_other",
        "RVA_TOPIC": "persistent://retail/metadata/other",
        "RVA_CACHE_DIR": "/cache",
        "RVA_WEIGHTS": "/w.pt",
        "RVA_VISION_PYTHON": "/python",
        "RVA_VISION_IMAGE": "rva/vision:1",
        "RVA_VISION_VOLUMES": "data:/data",
    }
    settings = StackSettings.load({"RVA_DATA_DIR": str(tmp_path), "RVA_MAVEN_URL": "x", **given})
    told = {s.name: s.program(settings, places).environment for s in ALL_SERVERS}
    for server in AIRFLOW_SERVERS:
        assert told[server.name].items() >= given.items(), server.name
        assert told[server.name]["NO_PROXY"] == "127.0.0.1,localhost"
    assert told["flink-jobmanager"]["RVA_CHECKPOINT_INTERVAL_SECONDS"] == "7"
    assert "RVA_CHECKPOINT_INTERVAL_SECONDS" not in told["flink-taskmanager"]


def test_airflow_has_pools_of_one_slot() -> None:
    assert {name: pool["slots"] for name, pool in airflow.POOLS.items()} == {
        "flink_submission": 1,
        "vision": 1,
    }


def test_every_port_belongs_to_one_server() -> None:
    fields = [field for server in ALL_SERVERS for field in server.ports]
    assert sorted(fields) == sorted(type(StackSettings.load({}).ports).__slots__)
    assert AIRFLOW_SERVERS[0].ports == ("airflow",)


def test_bookies_kept_port_is_read_from_its_cookie(settings: StackSettings) -> None:
    assert pulsar.kept_bookie_port(settings) is None
    cookie = settings.stack_dir / "pulsar" / "bookkeeper" / "current" / "VERSION"
    cookie.parent.mkdir(parents=True)
    cookie.write_text('5\nbookieHost: "127.0.0.1:3999"\njournalDir: "/x:1"\n')
    assert pulsar.kept_bookie_port(settings) == 3999
