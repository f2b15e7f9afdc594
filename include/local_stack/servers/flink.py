"""Flink: a JobManager and one TaskManager, from the distribution inside the PyFlink wheel."""

from __future__ import annotations

import httpx
import yaml

from local_stack.errors import NotReady
from local_stack.fetch import Distributions, flink_python_jar
from local_stack.program import (
    FLINK_PYTHON,
    JAVA_21_HOME,
    PYFLINK_HOME,
    Program,
    config_text,
)
from local_stack.settings import LOOPBACK, StackSettings

JOBMANAGER = "flink-jobmanager"
ASK_SECONDS = 5


def jobmanager(settings: StackSettings, places: Distributions) -> Program:
    """How the JobManager runs; it also runs each job's Python client."""
    return _program(settings, places, JOBMANAGER, "jobmanager.sh", ())


def taskmanager(settings: StackSettings, places: Distributions) -> Program:
    """How the TaskManager runs; Python functions run in its children."""
    metrics = settings.ports.flink_taskmanager_metrics
    return _program(
        settings,
        places,
        "flink-taskmanager",
        "taskmanager.sh",
        ("-D", f"metrics.internal.query-service.port={metrics}"),
    )


def _program(
    settings: StackSettings,
    places: Distributions,
    name: str,
    script: str,
    arguments: tuple[str, ...],
) -> Program:
    home = settings.stack_dir / "flink"
    dist = home / "dist"
    conf = home / "conf" / name
    jars = (*(PYFLINK_HOME / "lib").glob("*.jar"), *places.flink_jars, flink_python_jar())
    return Program(
        name=name,
        command=("/bin/bash", str(dist / "bin" / script), "start-foreground", *arguments),
        directory=home,
        environment=settings.addresses()
        # a job's own program, which reads it, runs inside the JobManager
        | (settings.chosen("RVA_CHECKPOINT_INTERVAL_SECONDS") if name == JOBMANAGER else {})
        | {
            "JAVA_HOME": str(JAVA_21_HOME),
            # bin's scripts follow links to find Flink's home: they are told instead
            "_FLINK_HOME_DETERMINED": "1",
            "FLINK_HOME": str(dist),
            "FLINK_BIN_DIR": str(dist / "bin"),
            "FLINK_LIB_DIR": str(dist / "lib"),
            "FLINK_OPT_DIR": str(dist / "opt"),
            # the folder itself: Flink does not look into a linked one
            "FLINK_PLUGINS_DIR": str(PYFLINK_HOME / "plugins"),
            "FLINK_CONF_DIR": str(conf),
            "FLINK_LOG_DIR": str(settings.logs_dir),
            "FLINK_PID_DIR": str(home / "pids"),
            "FLINK_IDENT_STRING": name,
            "AWS_REGION": settings.s3_region,
            "AWS_ACCESS_KEY_ID": settings.s3_access_key,
            "AWS_SECRET_ACCESS_KEY": settings.s3_secret_key,
            "PYTHONUNBUFFERED": "1",
            **dict(settings.profile.environment),
        },
        files={
            conf / "config.yaml": config_text("flink/config.yaml") + _local_config(settings),
            conf / "log4j-console.properties": config_text("flink/log4j-console.properties"),
        },
        links={
            dist / "bin": PYFLINK_HOME / "bin",
            # jars are loaded in the order of their names: this one before flink-python
            dist / "lib" / "beam-on-loopback.jar": places.beam_jar,
            # Flink has each job bring its opt's flink-python, 33 MB, whatever its lib has: a small
            # jar of that name in its place
            dist / "opt" / flink_python_jar().name: places.beam_jar,
            **{dist / "lib" / jar.name: jar for jar in jars},
        },
    )


def _local_config(settings: StackSettings) -> str:
    """Addresses, memory and directories of this checkout."""
    ports, memory, home = settings.ports, settings.memory, settings.stack_dir / "flink"
    values = {
        "jobmanager.bind-host": LOOPBACK,
        "jobmanager.rpc.address": LOOPBACK,
        "jobmanager.rpc.port": ports.flink_rpc,
        "blob.server.port": ports.flink_blob,
        "metrics.internal.query-service.port": ports.flink_metrics,
        "rest.address": LOOPBACK,
        "rest.bind-address": LOOPBACK,
        "rest.port": ports.flink,
        "taskmanager.bind-host": LOOPBACK,
        "taskmanager.host": LOOPBACK,
        "taskmanager.rpc.port": ports.flink_taskmanager_rpc,
        "taskmanager.data.port": ports.flink_taskmanager_data,
        # one TaskManager, whose return is known for what it is
        "taskmanager.resource-id": "taskmanager",
        "taskmanager.numberOfTaskSlots": settings.task_slots,
        "jobmanager.memory.process.size": f"{memory.flink_jobmanager}m",
        "jobmanager.memory.jvm-metaspace.size": "320m",
        "taskmanager.memory.process.size": f"{memory.flink_taskmanager}m",
        "taskmanager.memory.jvm-metaspace.size": "320m",
        "taskmanager.memory.managed.size": "320m",
        "taskmanager.memory.network.min": "128m",
        "taskmanager.memory.network.max": "128m",
        # direct buffers of the Pulsar client and of the Python workers' channels
        "taskmanager.memory.task.off-heap.size": "256m",
        "python.executable": FLINK_PYTHON,
        "python.client.executable": FLINK_PYTHON,
        "execution.checkpointing.dir": f"file://{settings.checkpoint_dir}",
        "execution.checkpointing.savepoint-dir": f"file://{home / 'savepoints'}",
        "io.tmp.dirs": settings.stack_dir / "tmp",
        "web.tmpdir": home / "web",
        "web.upload.dir": home / "web" / "upload",
        "blob.storage.directory": home / "blobs",
        "env.log.dir": settings.logs_dir,
        "env.pid.dir": home / "pids",
    } | _of_profile(settings)
    lines = [f"{key}: {_yaml(str(value))}" for key, value in values.items()]
    return "# of this checkout\n" + "\n".join(lines) + "\n"


def _of_profile(settings: StackSettings) -> dict[str, str]:
    """What the profile has in place of our own values, and its flags of the JVM."""
    profile = settings.profile
    flags = {"env.java.default-opts.all": " ".join(profile.jvm_flags)} if profile.jvm_flags else {}
    values = yaml.safe_load(config_text(f"{profile.config}/flink.yaml")) if profile.config else {}
    return {**values, **flags}


def _yaml(text: str) -> str:
    quoted = text.replace("'", "''")
    return text if text.isdigit() else f"'{quoted}'"


def _overview(settings: StackSettings) -> dict[str, int]:
    try:
        with httpx.Client(timeout=ASK_SECONDS, trust_env=False) as client:
            response = client.get(f"http://{LOOPBACK}:{settings.ports.flink}/overview")
    except httpx.HTTPError as error:
        raise NotReady(f"GET /overview does not answer ({type(error).__name__})") from error
    if response.status_code != httpx.codes.OK:
        raise NotReady(f"GET /overview answered {response.status_code}")
    answer: dict[str, int] = response.json()
    return answer


def probe_jobmanager(settings: StackSettings) -> None:
    """Ask for the overview.

    :raises NotReady: it does not answer yet
    """
    _overview(settings)


def probe_taskmanager(settings: StackSettings) -> None:
    """The JobManager knows all slots.

    :raises NotReady: some are missing
    """
    slots = _overview(settings)["slots-total"]
    if slots != settings.task_slots:
        raise NotReady(f"{slots} of {settings.task_slots} task slots are registered")
