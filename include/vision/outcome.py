"""How an extraction ended, as a file for whoever ran it: the exit code alone tells too little."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from vision.errors import (
    AccessRefusedError,
    OutputError,
    SourceError,
    VisionError,
    WeightsError,
)
from vision.output import check_writable, write_whole
from vision.paths import user_path
from vision.sources import RecordedSource, parse_source

SUFFIX = ".outcome.json"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the file holds. A process that crashed leaves none."""

    code: int
    """The exit code."""
    error: str | None = None
    """What went wrong and what to do, in one line, without passwords."""
    kind: str | None = None
    """The error's class, such as `SourceLostError`: what a camera gave until then is kept."""
    may_heal: bool = False
    """Whether the same command may succeed later without anybody's doing."""


def path_given(arguments: Sequence[str]) -> Path | None:
    """Where a command line wants it, also one that is wrong otherwise; raises `OutputError`.

    An earlier one is gone then, so that nobody takes it for this run's.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--outcome")
    try:
        given: str | None = parser.parse_known_args(arguments)[0].outcome
    except argparse.ArgumentError:
        return None
    if given is None:
        return None
    path = user_path(given, OutputError, "--outcome")
    if not path.name.endswith(SUFFIX):
        raise OutputError(
            f"--outcome {given} must end in {SUFFIX}: what is there before is deleted, and no "
            "video, lines or summary are named so"
        )
    check_writable(path)
    path.unlink(missing_ok=True)
    return path


def write(path: Path | None, outcome: Outcome) -> None:
    """Write it as a whole, if somebody wants it."""
    if path is not None:
        write_whole(path, json.dumps(asdict(outcome)) + "\n")


def may_heal(error: VisionError, source: str | None) -> bool:
    """A camera and a download may come back; a wrong file or setting stays wrong.

    So does a camera that refuses the user: asking again may lock the account.
    """
    if isinstance(error, SourceError):
        return not isinstance(error, AccessRefusedError) and source is not None and _is_live(source)
    return isinstance(error, WeightsError)


def _is_live(source: str) -> bool:
    try:
        return not isinstance(parse_source(source), RecordedSource)
    except SourceError:
        return False
