"""The checkout's own stack, as `make up` has started it."""

import ipaddress
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping

import httpx
import psutil
import pytest

from integration.conftest import ANSWER_SECONDS, wait_until
from local_stack import processes, stack, status, supervision
from local_stack.errors import NotReady
from local_stack.servers import AIRFLOW_SERVERS, SERVERS, airflow
from local_stack.settings import StackSettings
from local_stack.supervision import Supervisor

pytestmark = pytest.mark.integration

MEMORY_LIMIT_BYTES = 6 * 1000**3
PATIENT_SECONDS = 180
"""A probe waits seconds for its answer, which a machine at work on other things may take longer
for: it is asked again for so long."""


@pytest.fixture(scope="module")
def settings() -> StackSettings:
    loaded = StackSettings.load()
    if not stack.is_up(loaded):
        if os.environ.get("RVA_REQUIRE_STACK"):
            pytest.fail("the stack does not run")
        pytest.skip("the stack does not run: `make up`")
    return loaded


@pytest.fixture(scope="module")
def airflow_login(settings: StackSettings) -> Iterator[tuple[str, str]]:
    """Airflow over the stack; stopped afterwards if it was not there before."""
    names = [server.name for server in AIRFLOW_SERVERS]
    was_up = supervision.runs(Supervisor(settings).states().get(names[0]))
    stack.airflow_up(settings)
    yield airflow.login(settings)
    if not was_up:
        stack.stop(settings, names)


@pytest.mark.parametrize("name", [server.name for server in SERVERS])
def test_server_does_what_it_is_for(settings: StackSettings, name: str) -> None:
    server = next(server for server in SERVERS if server.name == name)
    said: list[str] = []

    def does_it() -> bool:
        try:
            server.probe(settings)
        except NotReady as error:
            said.append(str(error))
            return False
        return True

    wait_until(lambda: f"{name} is ready: {said[-1]}", does_it, PATIENT_SECONDS)


def await_ready(look: Callable[[], Mapping[str, str]]) -> None:
    """Until it is said of every server."""
    ready = {server.name: "ready" for server in SERVERS}
    wait_until(
        lambda: f"every server is ready: {look()}",
        lambda: look().items() >= ready.items(),
        PATIENT_SECONDS,
    )


def test_status_says_that_every_server_is_ready(settings: StackSettings) -> None:
    await_ready(lambda: {row.name: row.state for row in status.status(settings)})


@pytest.mark.usefixtures("airflow_login")
def test_proxy_of_the_shell_does_not_stand_between() -> None:
    nowhere = "http://127.0.0.1:9"
    proxies = dict.fromkeys(("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"), nowhere)

    def states() -> dict[str, str]:
        done = subprocess.run(
            [sys.executable, "-m", "local_stack", "status"],
            env=os.environ | proxies | {"NO_PROXY": "", "no_proxy": ""},
            capture_output=True,
            text=True,
            check=True,
        )
        return {line.split()[0]: line.split()[-1] for line in done.stdout.splitlines()}

    await_ready(states)


def test_every_listening_socket_is_on_loopback(settings: StackSettings) -> None:
    ours = {process.pid for process in processes.members(settings.stack_dir)}
    listening = [each for each in processes.listeners() if each.pid in ours]
    assert len({each.port for each in listening}) >= 14
    outside = [
        each
        for each in listening
        if not ipaddress.ip_address(each.address.removeprefix("::ffff:")).is_loopback
    ]
    assert outside == []


def test_every_port_of_the_settings_is_listened_on(settings: StackSettings) -> None:
    open_ports = {each.port for each in processes.listeners()}
    wanted = {getattr(settings.ports, field) for server in SERVERS for field in server.ports}
    assert wanted <= open_ports


def test_stack_stays_below_6_gb(settings: StackSettings) -> None:
    airflow = {row.pid for row in status.status(settings) if row.name.startswith("airflow")}
    ours = [p for p in processes.members(settings.stack_dir) if p.pid not in airflow]
    assert 1e9 < processes.memory_bytes(ours) < MEMORY_LIMIT_BYTES


def test_every_process_of_the_supervisor_carries_the_mark(settings: StackSettings) -> None:
    family = {
        process.pid: name
        for name, state in Supervisor(settings).states().items()
        if state.pid
        for process in [
            psutil.Process(state.pid),
            *psutil.Process(state.pid).children(recursive=True),
        ]
    }
    assert family
    # servers start and end processes all the time: look for the marks behind them, not before,
    # and again for one that was seen while it began another program, when it shows none
    deadline = time.monotonic() + 60
    while unmarked := unmarked_of(family, settings):
        assert time.monotonic() < deadline, unmarked
        time.sleep(0.2)


def unmarked_of(family: dict[int, str], settings: StackSettings) -> dict[int, str]:
    ours = {process.pid for process in processes.members(settings.stack_dir)}
    unmarked = {pid: name for pid, name in family.items() if pid not in ours}
    return {pid: name for pid, name in unmarked.items() if psutil.pid_exists(pid)}


def test_airflow_lets_in_who_has_the_printed_login_and_knows_the_dags(
    settings: StackSettings, airflow_login: tuple[str, str]
) -> None:
    user, password = airflow_login
    with httpx.Client(
        base_url=airflow.base_url(settings), timeout=ANSWER_SECONDS, trust_env=False
    ) as client:
        token = client.post("/auth/token", json={"username": user, "password": password})
        assert token.status_code == httpx.codes.CREATED
        client.headers["Authorization"] = f"Bearer {token.json()['access_token']}"
        assert client.get("/api/v2/importErrors").json()["total_entries"] == 0
        pools = client.get("/api/v2/pools").json()["pools"]
        assert {"flink_submission", "vision"} <= {pool["name"] for pool in pools}


@pytest.fixture(scope="module")
def ask_pulsar(settings: StackSettings) -> Callable[[str], object]:
    base = f"http://127.0.0.1:{settings.ports.pulsar_admin}/admin/v2/namespaces/retail/metadata"

    def ask(path: str) -> object:
        response = httpx.get(f"{base}/{path}", timeout=ANSWER_SECONDS, trust_env=False)
        response.raise_for_status()
        return response.json()

    return ask


def test_namespace_deduplicates_and_keeps_everything(ask_pulsar: Callable[[str], object]) -> None:
    assert ask_pulsar("deduplication") is True
    assert ask_pulsar("retention") == {"retentionTimeInMinutes": -1, "retentionSizeInMB": -1}


def test_broker_remembers_a_replay_for_a_year(settings: StackSettings) -> None:
    base = f"http://127.0.0.1:{settings.ports.pulsar_admin}/admin/v2"
    address = f"{base}/brokers/configuration/runtime"
    values = httpx.get(address, timeout=ANSWER_SECONDS, trust_env=False).json()
    assert values["brokerDeduplicationProducerInactivityTimeoutMinutes"] == str(365 * 24 * 60)


def test_flink_uses_the_settings_that_recovery_needs(settings: StackSettings) -> None:
    address = f"http://127.0.0.1:{settings.ports.flink}/jobmanager/config"
    answer = httpx.get(address, timeout=ANSWER_SECONDS, trust_env=False)
    values = {each["key"]: each["value"] for each in answer.json()}
    assert values["heartbeat.timeout"] == "8s"
    assert values["execution.checkpointing.externalized-checkpoint-retention"] == (
        "RETAIN_ON_CANCELLATION"
    )
    assert values["execution.checkpointing.dir"] == f"file://{settings.checkpoint_dir}"
    assert values["jobstore.expiration-time"] == str(30 * 24 * 3600)
    assert values["taskmanager.network.sort-shuffle.min-buffers"] == "64"
