"""What can go wrong, each with its facts and what to do next."""

from pathlib import Path


class SimulatorError(Exception):
    """Base of this package's errors."""


class ScenarioInvalid(SimulatorError):
    """The scenario file cannot be read, or says something impossible."""

    def __init__(self, path: Path, line: int | None, cause: str) -> None:
        place = f"{path}:{line}" if line is not None else str(path)
        super().__init__(f"{place}: {cause}")
        self.path, self.line, self.cause = path, line, cause


class FolderTaken(SimulatorError):
    """The folder holds something else than this simulation."""

    def __init__(self, folder: Path, cause: str) -> None:
        super().__init__(f"{folder}: {cause}: name another folder, or replace it with --overwrite")
        self.folder, self.cause = folder, cause


class BadDestination(SimulatorError):
    """What `--to` says names no topic."""

    def __init__(self, text: str, cause: str) -> None:
        super().__init__(
            f"--to {ascii(text)[1:-1]}: {cause}: write pulsar://HOST:PORT/TENANT/NAMESPACE/TOPIC"
        )
        self.text, self.cause = text, cause
