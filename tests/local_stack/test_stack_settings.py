from pathlib import Path

import pytest

from local_stack.errors import StackError
from local_stack.settings import CHECKOUT, Ports, StackSettings, read_env_file, reject_unknown


def load(**given: str) -> StackSettings:
    return StackSettings.load({"HOME": "/home/someone", "RVA_MAVEN_URL": "http://mirror", **given})


def test_defaults_are_the_ports_that_people_rely_on() -> None:
    environment = load().environment()
    assert environment["RVA_PULSAR_URL"] == "pulsar://127.0.0.1:6650"
    assert environment["RVA_PULSAR_ADMIN_URL"] == "http://127.0.0.1:8084"
    assert environment["RVA_FLINK_URL"] == "http://127.0.0.1:8081"
    assert environment["RVA_S3_ENDPOINT"] == "http://127.0.0.1:9000"
    assert environment["RVA_CATALOG_URI"] == "http://127.0.0.1:8181"
    assert environment["RVA_TRINO_URL"] == "http://127.0.0.1:8082"
    assert environment["RVA_DATA_DIR"] == str(CHECKOUT / "data")


def test_port_that_is_set_moves_the_address_that_others_read() -> None:
    assert load(RVA_PORT_TRINO="18082").environment()["RVA_TRINO_URL"] == "http://127.0.0.1:18082"


def test_address_that_is_set_by_hand_is_shown_but_does_not_move_the_server() -> None:
    settings = load(RVA_TRINO_URL="http://elsewhere:1")
    assert settings.environment()["RVA_TRINO_URL"] == "http://elsewhere:1"
    assert settings.addresses()["RVA_TRINO_URL"] == "http://127.0.0.1:8082"


def test_database_of_a_test_does_not_change_what_the_servers_are_told() -> None:
    assert load(RVA_DATABASE="rva_test_1").addresses()["RVA_DATABASE"] == "rva"


def test_environment_wins_over_env_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "local_stack.settings.read_env_file",
        lambda _: {"RVA_PORT_TRINO": "18082", "RVA_PORT_FLINK": "18081"},
    )
    ports = load(RVA_PORT_TRINO="28082").ports
    assert (ports.trino, ports.flink) == (28082, 18081)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"RVA_PORT_TRINO": "eighty"}, "RVA_PORT_TRINO=eighty"),
        ({"RVA_PORT_TRINO": "70000"}, "between 1 and 65535"),
        ({"RVA_PORT_TRINO": "9000"}, "RVA_PORT_MINIO and RVA_PORT_TRINO"),
        ({"RVA_MEMORY_TRINO_HEAP": "1"}, "RVA_MEMORY_TRINO_HEAP=1"),
        ({"RVA_CHECKPOINT_INTERVAL_SECONDS": "0"}, "between 1 and 3600"),
        ({"RVA_LATENESS_SECONDS": "86401"}, "between 1 and 86400"),
        ({"RVA_WAREHOUSE": "/tmp/warehouse"}, "s3://<bucket>/"),
    ],
)
def test_bad_value_is_named(given: dict[str, str], named: str) -> None:
    with pytest.raises(StackError, match=named.replace("(", r"\(")):
        load(**given)


def test_relative_folders_start_at_the_checkout() -> None:
    assert load(RVA_DATA_DIR="elsewhere").data_dir == CHECKOUT / "elsewhere"


def test_cache_is_shared_by_clones() -> None:
    assert load().cache_dir == Path.home() / ".cache" / "retail-video-analytics"
    assert load(XDG_CACHE_HOME="/c").cache_dir == Path("/c/retail-video-analytics")
    assert load(RVA_CACHE_DIR="/d").cache_dir == Path("/d")


def test_env_file_takes_comments_quotes_and_export(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("# ports\n\nexport RVA_PORT_TRINO=1\nRVA_DATA_DIR='/a b'\nRVA_WEIGHTS=\n")
    assert read_env_file(path) == {"RVA_PORT_TRINO": "1", "RVA_DATA_DIR": "/a b"}


def test_env_file_line_that_is_no_setting_is_named(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("RVA_PORT_TRINO=1\nRVA_PORT_FLINK 2\n")
    with pytest.raises(StackError, match="line 2"):
        read_env_file(path)


def test_misspelt_port_in_env_file_is_refused() -> None:
    with pytest.raises(StackError, match="RVA_PORT_TRNIO"):
        reject_unknown({"RVA_PORT_TRNIO": "1"})


def test_misspelt_setting_in_env_file_is_refused_with_what_is_meant(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("local_stack.settings.read_env_file", lambda _: {"RVA_WIEGHTS": "x"})
    with pytest.raises(StackError, match=r"RVA_WIEGHTS, .* do you mean RVA_WEIGHTS"):
        load()


def test_every_setting_of_env_example_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = (CHECKOUT / ".env.example").read_text(encoding="utf-8").splitlines()
    shown = dict(line[1:].split("=", 1) for line in lines if line.startswith("#RVA_"))
    assert {"RVA_CHECKPOINT_INTERVAL_SECONDS", "RVA_CACHE_DIR", "RVA_GRAFANA_PORT"} <= set(shown)
    monkeypatch.setattr("local_stack.settings.read_env_file", lambda _: shown)
    load()


def test_other_programs_settings_in_env_file_are_left_alone() -> None:
    reject_unknown({"COMPOSE_PROJECT_NAME": "x"})


@pytest.mark.parametrize(
    "name",
    [
        "RVA_CHECKPOINT_INTERVAL_SECONDS",
        "RVA_LATENESS_SECONDS",
        "RVA_DATABASE",
        "RVA_TOPIC",
        "RVA_FLINK_PYTHON_JAR",
        "RVA_KEEP_SILVER_DAYS",
    ],
)
def test_what_is_set_reaches_those_who_read_it(name: str) -> None:
    assert load(**{name: "7"}).environment()[name] == "7"


def test_paths_are_the_same_from_every_folder() -> None:
    environment = load(
        RVA_DATA_DIR="d",
        RVA_CACHE_DIR="c",
        RVA_CHECKPOINT_DIR="p",
        RVA_WEIGHTS="w/yolo.pt",
        RVA_VISION_PYTHON="v/python",
    ).environment()
    assert environment["RVA_DATA_DIR"] == str(CHECKOUT / "d")
    assert environment["RVA_CACHE_DIR"] == str(CHECKOUT / "c")
    assert environment["RVA_CHECKPOINT_DIR"] == str(CHECKOUT / "p")
    assert environment["RVA_WEIGHTS"] == str(CHECKOUT / "w/yolo.pt")
    assert environment["RVA_VISION_PYTHON"] == str(CHECKOUT / "v/python")


def test_weights_that_ultralytics_fetches_stay_a_name() -> None:
    assert load(RVA_WEIGHTS="yolo11s.pt").environment()["RVA_WEIGHTS"] == "yolo11s.pt"


@pytest.mark.parametrize(
    ("upper", "lower", "expected"),
    [
        ("", "", "127.0.0.1,localhost"),
        ("corp.example", "", "corp.example,127.0.0.1,localhost"),
        ("a.example, localhost", "b.example", "a.example,localhost,b.example,127.0.0.1"),
        ("*", "", "*"),
    ],
)
def test_this_machine_is_reached_without_a_proxy(upper: str, lower: str, expected: str) -> None:
    environment = load(NO_PROXY=upper, no_proxy=lower).environment()
    assert environment["NO_PROXY"] == environment["no_proxy"] == expected


def test_env_example_names_every_port_with_its_default() -> None:
    lines = (CHECKOUT / ".env.example").read_text(encoding="utf-8").splitlines()
    shown = {line.removeprefix("#") for line in lines if "RVA_PORT_" in line}
    defaults = Ports()
    assert shown == {
        f"RVA_PORT_{name.upper()}={getattr(defaults, name)}" for name in Ports.__slots__
    }
