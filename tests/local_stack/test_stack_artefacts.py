import re

from local_stack.artefacts import LOCK_FILE, load_lock


def test_every_artefact_is_pinned_by_sha256_and_size() -> None:
    for artefact in load_lock().maven:
        assert re.fullmatch(r"[0-9a-f]{64}", artefact.sha256), artefact.coordinates
        assert artefact.size > 0
        assert artefact.used_by


def test_no_artefact_is_listed_twice() -> None:
    paths = [artefact.path for artefact in load_lock().maven]
    assert len(paths) == len(set(paths))


def test_lock_names_no_host() -> None:
    assert "://" not in LOCK_FILE.read_text(encoding="utf-8")


def test_path_is_that_of_a_maven_repository() -> None:
    lock = load_lock()
    assert lock.one("pulsar-server-distribution").path == (
        "org/apache/pulsar/pulsar-server-distribution/4.0.8/"
        "pulsar-server-distribution-4.0.8-bin.tar.gz"
    )
    assert lock.one("trino-iceberg").file_name == "trino-iceberg-476.zip"


def test_pulsar_client_of_the_flink_connector_stays_the_only_one_that_works() -> None:
    """Later clients lack a method that the connector calls (FLINK's connector 4.1.0-1.18)."""
    lock = load_lock()
    assert lock.one("flink-connector-pulsar").version == "4.1.0-1.18"
    assert lock.one("pulsar-client-all").version == "3.0.0"


def test_flink_gets_no_slf4j_of_its_own() -> None:
    assert not [a for a in load_lock().of("flink") if a.artifact.startswith("slf4j")]
