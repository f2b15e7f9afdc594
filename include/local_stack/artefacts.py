"""What the servers are made of: `artefacts.lock.json`, each file with its sha256."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LOCK_FILE = Path(__file__).with_name("artefacts.lock.json")


@dataclass(frozen=True, slots=True)
class Artefact:
    """One file of a Maven repository."""

    group: str
    artifact: str
    version: str
    classifier: str
    extension: str
    size: int
    """Bytes."""
    sha256: str
    used_by: tuple[str, ...]
    """Names of the servers that need it."""

    @property
    def file_name(self) -> str:
        """Name of the file in the repository and in the cache."""
        suffix = f"-{self.classifier}" if self.classifier else ""
        return f"{self.artifact}-{self.version}{suffix}.{self.extension}"

    @property
    def path(self) -> str:
        """Path of the file below the repository's base address."""
        return f"{self.group.replace('.', '/')}/{self.artifact}/{self.version}/{self.file_name}"

    @property
    def coordinates(self) -> str:
        """`group:artifact:version`, as people write it."""
        return f"{self.group}:{self.artifact}:{self.version}"


@dataclass(frozen=True, slots=True)
class GoTool:
    """A command that is built once from a Go module; Go's checksum database vouches for it."""

    name: str
    module: str
    version: str


@dataclass(frozen=True, slots=True)
class Lock:
    """The whole lock."""

    maven: tuple[Artefact, ...]
    minio: GoTool

    def of(self, server: str) -> tuple[Artefact, ...]:
        """The files that a server needs, in the lock's order."""
        return tuple(a for a in self.maven if server in a.used_by)

    def one(self, artifact: str) -> Artefact:
        """The only file of a Maven artifact id."""
        (found,) = (a for a in self.maven if a.artifact == artifact)
        return found


def load_lock(path: Path = LOCK_FILE) -> Lock:
    """The lock as typed records."""
    raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return Lock(
        maven=tuple(
            Artefact(
                group=e["group"],
                artifact=e["artifact"],
                version=e["version"],
                classifier=e.get("classifier", ""),
                extension=e.get("extension", "jar"),
                size=e["size"],
                sha256=e["sha256"],
                used_by=tuple(e["used_by"]),
            )
            for e in raw["maven"]
        ),
        minio=GoTool(**raw["go"]["minio"]),
    )
