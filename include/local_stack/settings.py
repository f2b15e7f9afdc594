"""Where the stack of this checkout lives, on which ports, with how much memory.

Every value has a default and can be set by an `RVA_…` variable, in the environment or in the
git-ignored file `.env` at the checkout's root (the environment wins).
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from local_stack.errors import StackError
from local_stack.memory import DEFAULT, SMALL, Memory, Profile

CHECKOUT = Path(__file__).resolve().parents[2]
LOOPBACK = "127.0.0.1"
HIGHEST_PORT = 65535
LONGEST_SECONDS = {
    "RVA_CHECKPOINT_INTERVAL_SECONDS": 3600,
    "RVA_LATENESS_SECONDS": 24 * 3600,
}
DIRECT_HOSTS = (LOOPBACK, "localhost")
"""Where a proxy of the user's shell must not stand between."""
KEEP_DAYS = tuple(
    f"RVA_KEEP_{layer}_DAYS" for layer in ("BRONZE", "SILVER", "QUARANTINE", "GOLD", "RECORDS")
)
READ_BY_OTHERS = (
    "RVA_WEIGHTS",
    "RVA_FLINK_PYTHON_JAR",
    "RVA_CHECKPOINT_INTERVAL_SECONDS",
    "RVA_LATENESS_SECONDS",
    "RVA_VISION_IMAGE",
    "RVA_VISION_VOLUMES",
    "RVA_STILLS_DIR",
    *KEEP_DAYS,
)
"""Settings without a default here, for the modules that read them."""
FILES = (
    "RVA_JOBS_DIR",
    "RVA_VISION_PYTHON",
    "RVA_FLINK_PYTHON_JAR",
    "RVA_WEIGHTS",
    "RVA_STILLS_DIR",
)
COMPOSE_ONLY = ("RVA_GRAFANA_PORT", "RVA_GRAFANA_PASSWORD", "RVA_ALERT_EMAIL", "RVA_INPUT_DIR")
"""Read by docker-compose.yaml, from the same `.env`."""
HERE_ONLY = (
    "RVA_CACHE_DIR",
    "RVA_MAVEN_URL",
    "RVA_SMALL",
    "RVA_TASK_SLOTS",
    "RVA_START_TIMEOUT_SECONDS",
)


@dataclass(frozen=True, slots=True)
class Ports:
    """TCP ports on 127.0.0.1; each is set by `RVA_PORT_<NAME>`."""

    pulsar: int = 6650
    pulsar_admin: int = 8084
    pulsar_bookie: int = 3181
    flink: int = 8081
    flink_rpc: int = 6123
    flink_blob: int = 6124
    flink_metrics: int = 6125
    flink_taskmanager_rpc: int = 6122
    flink_taskmanager_data: int = 6121
    flink_taskmanager_metrics: int = 6126
    minio: int = 9000
    minio_console: int = 9001
    catalog: int = 8181
    trino: int = 8082
    airflow: int = 8080


@dataclass(frozen=True, slots=True)
class StackSettings:
    """Everything that starting the servers depends on."""

    ports: Ports
    profile: Profile
    memory: Memory
    """The profile's, and what was set by hand."""
    data_dir: Path
    cache_dir: Path
    checkpoint_dir: Path
    maven_url: str
    s3_access_key: str
    s3_secret_key: str
    s3_region: str
    warehouse: str
    task_slots: int
    start_timeout_seconds: float
    overrides: Mapping[str, str]
    """The `RVA_…` addresses and names that were set by hand; `env` shows them as they are."""
    no_proxy: str
    """Hosts that are reached without a proxy: the user's, and this machine."""

    @property
    def stack_dir(self) -> Path:
        """Directory of all servers' data."""
        return self.data_dir / "stack"

    @property
    def logs_dir(self) -> Path:
        """Directory of all servers' logs."""
        return self.stack_dir / "logs"

    @property
    def bucket(self) -> str:
        """Name of the warehouse's bucket."""
        return self.warehouse.removeprefix("s3://").split("/", 1)[0]

    @classmethod
    def load(cls, environment: Mapping[str, str] | None = None) -> StackSettings:
        """Settings of this checkout.

        :raises StackError: a value is not what it should be, or `.env` names no known setting
        """
        process = os.environ if environment is None else environment
        from_file = read_env_file(CHECKOUT / ".env")
        merged = from_file | {k: v for k, v in process.items() if k.startswith("RVA_") and v}
        merged |= {name: _file(merged[name]) for name in FILES if name in merged}
        data_dir = _path(merged.get("RVA_DATA_DIR"), CHECKOUT / "data")
        home_cache = process.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        warehouse = merged.get("RVA_WAREHOUSE", "s3://warehouse/")
        if not warehouse.startswith("s3://") or not warehouse.removeprefix("s3://").strip("/"):
            raise StackError(f"RVA_WAREHOUSE={warehouse} is no bucket: write s3://<bucket>/")
        for name, highest in LONGEST_SECONDS.items():
            if name in merged:
                _integer(merged, name, 0, lowest=1, highest=highest)
        profile = SMALL if _switch(merged, "RVA_SMALL") else DEFAULT
        made = cls(
            ports=_ports(merged),
            profile=profile,
            memory=_memory(merged, profile.memory),
            data_dir=data_dir,
            cache_dir=_path(
                merged.get("RVA_CACHE_DIR"), Path(home_cache) / "retail-video-analytics"
            ),
            checkpoint_dir=_path(
                merged.get("RVA_CHECKPOINT_DIR"), data_dir / "stack" / "flink" / "checkpoints"
            ),
            maven_url=(merged.get("RVA_MAVEN_URL") or _maven_central()).rstrip("/"),
            s3_access_key=merged.get("RVA_S3_ACCESS_KEY", "minioadmin"),
            s3_secret_key=merged.get("RVA_S3_SECRET_KEY", "minioadmin123"),
            s3_region=merged.get("RVA_S3_REGION", "us-east-1"),
            warehouse=warehouse,
            task_slots=_integer(merged, "RVA_TASK_SLOTS", profile.task_slots, lowest=1, highest=64),
            start_timeout_seconds=_integer(
                merged, "RVA_START_TIMEOUT_SECONDS", 240, lowest=5, highest=3600
            ),
            overrides=merged,
            no_proxy=without_proxy(process),
        )
        reject_unknown(from_file, made.addresses())
        return made

    def addresses(self) -> dict[str, str]:
        """The `RVA_…` variables as the servers of this stack define them."""
        p = self.ports
        return {
            "RVA_PULSAR_URL": f"pulsar://{LOOPBACK}:{p.pulsar}",
            "RVA_PULSAR_ADMIN_URL": f"http://{LOOPBACK}:{p.pulsar_admin}",
            "RVA_TOPIC": "persistent://retail/metadata/events",
            "RVA_FLINK_URL": f"http://{LOOPBACK}:{p.flink}",
            "RVA_CATALOG_URI": f"http://{LOOPBACK}:{p.catalog}",
            "RVA_WAREHOUSE": self.warehouse,
            "RVA_DATABASE": "rva",
            "RVA_S3_ENDPOINT": f"http://{LOOPBACK}:{p.minio}",
            "RVA_S3_ACCESS_KEY": self.s3_access_key,
            "RVA_S3_SECRET_KEY": self.s3_secret_key,
            "RVA_S3_REGION": self.s3_region,
            "RVA_TRINO_URL": f"http://{LOOPBACK}:{p.trino}",
            "RVA_DATA_DIR": str(self.data_dir),
            "RVA_CHECKPOINT_DIR": str(self.checkpoint_dir),
            "RVA_JOBS_DIR": str(CHECKOUT / "include" / "flink_jobs"),
            "RVA_VISION_PYTHON": str(CHECKOUT / ".venvs" / "vision" / "bin" / "python"),
        }

    def chosen(self, *names: str) -> dict[str, str]:
        """Those of the named variables that were set by hand."""
        return {name: self.overrides[name] for name in names if name in self.overrides}

    def environment(self) -> dict[str, str]:
        """Every `RVA_…` variable that the other modules read, what was set by hand included.

        And `NO_PROXY`: the servers are on this machine.
        """
        ports = {f"RVA_PORT_{k.upper()}": str(v) for k, v in _values(self.ports).items()}
        known = self.addresses() | ports
        folders = {
            "RVA_DATA_DIR": str(self.data_dir),
            "RVA_CHECKPOINT_DIR": str(self.checkpoint_dir),
            "RVA_CACHE_DIR": str(self.cache_dir),
        }
        direct = {"NO_PROXY": self.no_proxy, "no_proxy": self.no_proxy}
        return known | self.chosen(*known, *READ_BY_OTHERS) | folders | direct


def without_proxy(environment: Mapping[str, str]) -> str:
    """What `NO_PROXY` and `no_proxy` name, and this machine."""
    named = f"{environment.get('NO_PROXY', '')},{environment.get('no_proxy', '')}".split(",")
    hosts = list(dict.fromkeys(host.strip() for host in [*named, *DIRECT_HOSTS] if host.strip()))
    # `*` counts only when it stands alone
    return "*" if "*" in hosts else ",".join(hosts)


def read_env_file(path: Path) -> dict[str, str]:
    """`KEY=VALUE` lines of a file; empty when there is none.

    Blank lines and lines that start with # are skipped, quotes around a value are dropped.

    :raises StackError: a line is not `KEY=VALUE`
    """
    if not path.is_file():
        return {}
    values: dict[str, str] = {}
    for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        line = raw.strip().removeprefix("export ")
        if not line or line.startswith("#"):
            continue
        key, separator, value = line.partition("=")
        key, value = key.strip(), value.strip()
        if not separator or not key.isidentifier():
            raise StackError(f"{path.name}, line {number}: write NAME=value, not {raw.strip()!r}")
        if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        if value:
            values[key] = value
    return values


def reject_unknown(from_file: Iterable[str], addresses: Iterable[str] = ()) -> None:
    """Refuse a misspelt `RVA_…` setting of `.env`: it would be ignored in silence.

    :raises StackError: names the setting and those that are meant, or where all are listed
    """
    ports, memory = (
        {prefix + f.name.upper() for f in fields(record)}
        for prefix, record in (("RVA_PORT_", Ports), ("RVA_MEMORY_", Memory))
    )
    known = {*ports, *memory, *addresses, *READ_BY_OTHERS, *HERE_ONLY, *COMPOSE_ONLY}
    for key in from_file:
        if not key.startswith("RVA_") or key in known:
            continue
        for prefix, group in (("RVA_PORT_", ports), ("RVA_MEMORY_", memory)):
            if key.startswith(prefix):
                raise StackError(f".env sets {key}, which is none of {', '.join(sorted(group))}")
        similar = difflib.get_close_matches(key, sorted(known), n=1)
        meant = f"do you mean {similar[0]}? " if similar else ""
        raise StackError(
            f".env sets {key}, which nothing reads: {meant}.env.example lists the settings"
        )


def _values(record: Ports | Memory) -> dict[str, int]:
    return {f.name: getattr(record, f.name) for f in fields(record)}


def _ports(merged: Mapping[str, str]) -> Ports:
    defaults = _values(Ports())
    chosen = {
        name: _integer(merged, f"RVA_PORT_{name.upper()}", default, lowest=1, highest=HIGHEST_PORT)
        for name, default in defaults.items()
    }
    taken: dict[int, str] = {}
    for name, port in chosen.items():
        if port in taken:
            raise StackError(
                f"port {port} is given twice: RVA_PORT_{taken[port].upper()} and "
                f"RVA_PORT_{name.upper()}; set one of them to another port in .env"
            )
        taken[port] = name
    return Ports(**chosen)


def _memory(merged: Mapping[str, str], of_profile: Memory) -> Memory:
    return Memory(
        **{
            name: _integer(
                merged, f"RVA_MEMORY_{name.upper()}", default, lowest=64, highest=1 << 20
            )
            for name, default in _values(of_profile).items()
        }
    )


def _switch(merged: Mapping[str, str], key: str) -> bool:
    text = merged.get(key, "0")
    if text not in ("0", "1"):
        raise StackError(f"{key}={text} says neither yes nor no: write 1 or 0")
    return text == "1"


def _integer(
    merged: Mapping[str, str], key: str, default: int, *, lowest: int, highest: int
) -> int:
    text = merged.get(key)
    if text is None:
        return default
    try:
        value = int(text)
    except ValueError:
        raise StackError(f"{key}={text} is no whole number") from None
    if not lowest <= value <= highest:
        raise StackError(f"{key}={text} must be between {lowest} and {highest}")
    return value


def _path(text: str | None, default: Path) -> Path:
    return (CHECKOUT / Path(text).expanduser()).resolve() if text else default


def _file(text: str) -> str:
    """A path as every process understands it; a bare name that is no file here stays a name.

    Links stay as they are: a virtual environment's interpreter is one.
    """
    path = CHECKOUT / Path(text).expanduser()
    is_name = "/" not in text and not path.exists()
    return text if is_name else os.path.normpath(path)


def _maven_central() -> str:
    from jgo.constants import MAVEN_CENTRAL_URL

    return str(MAVEN_CENTRAL_URL)
