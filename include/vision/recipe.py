"""What the lines of a run were made by, kept beside them, so that only the same goes on with them.

`video.settings.json` stands beside `video.jsonl`. It is written before the first line, and names
the run that it is about.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from vision import progress
from vision.errors import SettingsError, SourceError, WeightsError
from vision.output import write_whole
from vision.paths import telling
from vision.run_files import files_read, settings_path
from vision.settings import DETECTORS, ExtractSettings
from vision.sources import Source
from vision.weights import find_weights

NOT_IN_LINES = frozenset(
    {
        *("input", "output", "summary", "store_id", "camera_id", "stream_id", "run_id"),
        *("start_time", "weights", "max_frames", "show", "batch", "threads", "to", "resume"),
        *("reconnect_seconds", "accept_damage"),
    }
)
"""Settings that change no line of a run, or that a run's lines tell themselves. Every other one,
also of those to come, must be the same when a run goes on."""

BEGINNING_BYTES = 2**20
"""How much of a recording is looked at, besides its size, to know it again."""


@dataclass(frozen=True)
class Recipe:
    """What lines are made by."""

    facts: Mapping[str, Any]
    """By the option that says it, such as `--confidence`; the values as JSON has them."""

    @classmethod
    def of(cls, settings: ExtractSettings, source: Source, *, looks_by_weights: bool) -> Self:
        """Of one run. `looks_by_weights`: whether its detector has weights that can be found."""
        facts: dict[str, Any] = {
            "--" + name.replace("_", "-"): value
            for name, value in asdict(settings).items()
            if name not in NOT_IN_LINES
        }
        facts["--weights"] = _weights(settings) if looks_by_weights else None
        facts["--input"] = _content(source)
        return cls(json.loads(json.dumps(facts)))

    def write(self, output: Path, run_id: str) -> None:
        """Put it beside the lines. Raises `OutputError`."""
        text = json.dumps({"run_id": run_id, "made_by": self.facts}, indent=2)
        write_whole(settings_path(output), text + "\n")

    def check_same(self, output: Path, run_id: str) -> None:
        """Raise `SettingsError` if the run's lines at `output` were made by something else.

        Warns where nobody has kept what they were made by.
        """
        path = settings_path(output)
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
            earlier = kept["made_by"] if kept["run_id"] == run_id else None
            changes = [] if earlier is None else self._changes(earlier)
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            earlier, changes = None, []
        if earlier is None:
            progress.warn(
                f"{path} does not tell what the lines of {run_id} were made by: nobody can check "
                "that it was the same video and settings"
            )
        if changes:
            raise SettingsError(
                f"--resume: since the lines of {output} were written, {'; '.join(changes)}; give "
                "the same again, or leave --resume out to begin anew"
            )

    def _changes(self, earlier: Mapping[str, Any]) -> list[str]:
        return [
            f"{option} was {_in_words(earlier[option])} and is {_in_words(value)}"
            for option, value in self.facts.items()
            if option in earlier and earlier[option] != value
        ]


def _in_words(value: object) -> str:
    if value is None:
        return "not given"
    return value if isinstance(value, str) else json.dumps(value)


def _weights(settings: ExtractSettings) -> str | None:
    """The weights' name and content; of a plug-in's that are no file, what it was given."""
    try:
        if settings.detector in DETECTORS:
            path = find_weights(settings.weights)
        else:
            path = Path(settings.weights or "")
        with path.open("rb") as file:
            return f"{path.name} ({hashlib.file_digest(file, 'sha256').hexdigest()[:16]})"
    except (OSError, WeightsError):
        return settings.weights


def _content(source: Source) -> str | None:
    """What tells a recording from another; None for a camera, which never gives the same again."""
    files = files_read(source)
    if not files:
        return None
    digest = hashlib.sha256()
    size = 0
    with telling(SourceError, f"cannot read {source}"):
        for path in files:
            bytes_of_it = path.stat().st_size
            size += bytes_of_it
            if len(files) > 1:
                digest.update(f"{path.name} {bytes_of_it}\n".encode())
        with files[0].open("rb") as file:
            digest.update(file.read(BEGINNING_BYTES))
    count = "" if len(files) == 1 else f"{len(files)} files of "
    return f"{count}{size} bytes ({digest.hexdigest()[:16]})"
