"""Pulsar in standalone mode: broker, bookie and metadata in one process."""

from __future__ import annotations

import re
import time
import uuid
from pathlib import Path

import httpx

from local_stack.errors import NotReady
from local_stack.fetch import Distributions
from local_stack.program import (
    FLINK_PYTHON,
    JAVA_21_HOME,
    Program,
    config_properties,
    config_text,
    properties,
    properties_text,
)
from local_stack.settings import LOOPBACK, StackSettings

TENANT = "retail"
NAMESPACE = "retail/metadata"
READINESS_TOPIC = "non-persistent://public/default/rva-readiness"
RELEASE_BOOKIE = Path(__file__).parents[1] / "release_bookie.py"
"""Looks after what a Pulsar that was killed has left, then becomes the command behind it."""
ASK_SECONDS = 5
UNLIMITED = -1


def program(settings: StackSettings, places: Distributions) -> Program:
    """How Pulsar runs."""
    home = settings.stack_dir / "pulsar"
    config = home / "conf" / "standalone.conf"
    log_config = home / "conf" / "log4j2.xml"
    java = str(JAVA_21_HOME / "bin" / "java")
    libraries = str(places.pulsar_home / "lib")
    memory = settings.memory
    jvm = (
        f"-Xms{memory.pulsar_heap // 2}m",
        f"-Xmx{memory.pulsar_heap}m",
        f"-XX:MaxDirectMemorySize={memory.pulsar_direct}m",
        *settings.profile.jvm_flags,
        *settings.profile.pulsar_flags,
        "-XX:+ExitOnOutOfMemoryError",
        f"-Djava.io.tmpdir={settings.stack_dir / 'tmp'}",
        f"-Dlog4j.configurationFile={log_config}",
        "-Djava.net.preferIPv4Stack=true",
        # what bin/pulsar of the distribution passes
        "-Djute.maxbuffer=10485760",
        "-Dio.netty.tryReflectionSetAccessible=true",
        "-Dorg.apache.pulsar.shade.io.netty.tryReflectionSetAccessible=true",
        "-Dpulsar.allocator.exit_on_oom=true",
        "-Dio.netty.recycler.maxCapacityPerThread=4096",
        "-Dlog4j2.is.webapp=false",
        "--add-opens=java.base/java.io=ALL-UNNAMED",
        "--add-opens=java.base/java.util.zip=ALL-UNNAMED",
        "--add-opens=java.base/java.nio=ALL-UNNAMED",
        "--add-opens=java.base/jdk.internal.misc=ALL-UNNAMED",
        "--add-opens=java.base/jdk.internal.platform=ALL-UNNAMED",
        "--add-opens=java.management/sun.management=ALL-UNNAMED",
        "--add-opens=jdk.management/com.sun.management.internal=ALL-UNNAMED",
        "--enable-native-access=ALL-UNNAMED",
    )
    return Program(
        name="pulsar",
        command=(
            *(str(FLINK_PYTHON), str(RELEASE_BOOKIE), str(home / "metadata")),
            *(f"{LOOPBACK}:{settings.ports.pulsar_bookie}", java, libraries),
            java,
            *jvm,
            "-cp",
            f"{config.parent}:{libraries}/*",
            f"-Dpulsar.config.file={config}",
            "org.apache.pulsar.PulsarStandaloneStarter",
            "--config",
            str(config),
            "--metadata-dir",
            str(home / "metadata"),
            "--bookkeeper-dir",
            str(home / "bookkeeper"),
            "--bookkeeper-port",
            str(settings.ports.pulsar_bookie),
            "--advertised-address",
            LOOPBACK,
            "--no-functions-worker",
            "--no-stream-storage",
        ),
        directory=home,
        environment=dict(settings.profile.environment),
        files={
            config: standalone_conf(settings, places),
            log_config: config_text("pulsar/log4j2.xml"),
        },
        stop_seconds=30,
    )


def standalone_conf(settings: StackSettings, places: Distributions) -> str:
    """The distribution's standalone.conf with our values in place of its own."""
    ours = config_properties(settings, "pulsar/standalone.properties", "pulsar") | {
        "brokerServicePort": str(settings.ports.pulsar),
        "webServicePort": str(settings.ports.pulsar_admin),
        "bindAddress": LOOPBACK,
        "advertisedAddress": LOOPBACK,
        "listeningInterface": "lo",
        # despite its name: without it the bookie takes a random port instead of the given one
        "allowEphemeralPorts": "true",
    }
    upstream = properties(
        (places.pulsar_home / "conf" / "standalone.conf").read_text(encoding="utf-8")
    )
    return properties_text(upstream | ours)


def kept_bookie_port(settings: StackSettings) -> int | None:
    """The port that the bookie's data carries in its cookie; it stays until a reset."""
    cookie = settings.stack_dir / "pulsar" / "bookkeeper" / "current" / "VERSION"
    if not cookie.is_file():
        return None
    found = re.search(r'bookieHost: "[^"]*:(\d+)"', cookie.read_text(encoding="utf-8"))
    return int(found[1]) if found else None


def probe(settings: StackSettings) -> None:
    """Make tenant and namespace where they are missing; then produce and consume a message.

    :raises NotReady: it cannot yet
    """
    admin = f"http://{LOOPBACK}:{settings.ports.pulsar_admin}/admin/v2"
    try:
        with httpx.Client(base_url=admin, timeout=ASK_SECONDS, trust_env=False) as client:
            ensure_namespace(client)
    except httpx.HTTPError as error:
        raise NotReady(f"the admin port does not answer ({type(error).__name__})") from error
    _produce_and_consume(f"pulsar://{LOOPBACK}:{settings.ports.pulsar}")


def ensure_namespace(client: httpx.Client) -> None:
    """Make tenant `retail`, namespace `retail/metadata` and its policies, where they are not there.

    :param client: of the admin API, `…/admin/v2`
    """
    clusters = _expect(client.get("/clusters")).json()
    if not clusters:
        raise NotReady("no cluster is registered yet")
    if client.get(f"/tenants/{TENANT}").status_code != httpx.codes.OK:
        _expect(client.put(f"/tenants/{TENANT}", json={"allowedClusters": clusters}))
    if client.get(f"/namespaces/{NAMESPACE}").status_code != httpx.codes.OK:
        _expect(client.put(f"/namespaces/{NAMESPACE}", json={"replication_clusters": clusters}))
    _expect(client.post(f"/namespaces/{NAMESPACE}/deduplication", json=True))
    _expect(
        client.post(
            f"/namespaces/{NAMESPACE}/retention",
            json={"retentionTimeInMinutes": UNLIMITED, "retentionSizeInMB": UNLIMITED},
        )
    )
    # consumed or not, nothing is refused or expired: Bronze decides what it has read
    _expect(
        client.post(
            f"/namespaces/{NAMESPACE}/backlogQuota",
            params={"backlogQuotaType": "destination_storage"},
            json={"limitSize": UNLIMITED, "limitTime": UNLIMITED, "policy": "producer_exception"},
        )
    )


def _expect(response: httpx.Response) -> httpx.Response:
    if response.status_code >= httpx.codes.BAD_REQUEST:
        raise NotReady(
            f"{response.request.method} {response.request.url.path} answered "
            f"{response.status_code}: {response.text[:200]}"
        )
    return response


def _produce_and_consume(url: str) -> None:
    import pulsar

    token = uuid.uuid4().hex.encode()
    client = pulsar.Client(
        url,
        operation_timeout_seconds=ASK_SECONDS,
        logger=pulsar.FileLogger(pulsar.LoggerLevel.Error, "/dev/null"),
    )
    try:
        consumer = client.subscribe(READINESS_TOPIC, f"readiness-{token.decode()}")
        producer = client.create_producer(READINESS_TOPIC)
        producer.send(token)
        deadline = time.monotonic() + ASK_SECONDS
        while time.monotonic() < deadline:
            message = consumer.receive(timeout_millis=ASK_SECONDS * 1000)
            consumer.acknowledge(message)
            if message.data() == token:
                return
        raise NotReady("a message that was sent did not come back")
    except pulsar.PulsarException as error:
        raise NotReady(f"producing and consuming a message failed ({error})") from error
    finally:
        client.close()
