"""The files under test, read once."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import yaml

from local_stack.settings import StackSettings

ROOT = Path(__file__).resolve().parents[2]
COMPOSE_FILE = ROOT / "docker-compose.yaml"
DOCKERFILES = {path.parent.name: path for path in sorted(ROOT.glob("docker/*/Dockerfile"))}
DEFAULT = re.compile(r"\$\{(\w+):-([^}]*)\}")


@cache
def compose() -> dict[str, Any]:
    """The compose file with its anchors resolved and its variables as written."""
    loaded: dict[str, Any] = yaml.safe_load(COMPOSE_FILE.read_text(encoding="utf-8"))
    return loaded


def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = compose()["services"]
    return found


def with_defaults(text: object) -> str:
    """A value of the compose file as it is when no variable is set."""
    return DEFAULT.sub(lambda match: match[2], str(text))


def variables(text: str) -> dict[str, str]:
    """Each variable that a text asks for, with its default."""
    return dict(DEFAULT.findall(text))


def bases(server: str) -> list[str]:
    """The images that a Dockerfile starts from, its own stages left out."""
    text = DOCKERFILES[server].read_text(encoding="utf-8")
    stages = set(re.findall(r"^FROM \S+ AS (\S+)", text, re.MULTILINE))
    return [name for name in re.findall(r"^FROM (\S+)", text, re.MULTILINE) if name not in stages]


@cache
def locked_versions() -> dict[str, set[str]]:
    """Each package of uv.lock and its versions: one for each environment that differs."""
    versions: dict[str, set[str]] = {}
    with (ROOT / "uv.lock").open("rb") as file:
        for package in tomllib.load(file)["package"]:
            versions.setdefault(package["name"], set()).add(package["version"])
    return versions


def local_defaults() -> StackSettings:
    """The local stack's settings where nobody has set anything, not even in `.env`."""
    with mock.patch("local_stack.settings.read_env_file", return_value={}):
        return StackSettings.load({})
