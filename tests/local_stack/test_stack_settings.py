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


def test_env_example_names_every_port_with_its_default() -> None:
    lines = (CHECKOUT / ".env.example").read_text(encoding="utf-8").splitlines()
    shown = {line.removeprefix("#") for line in lines if "RVA_PORT_" in line}
    defaults = Ports()
    assert shown == {
        f"RVA_PORT_{name.upper()}={getattr(defaults, name)}" for name in Ports.__slots__
    }
