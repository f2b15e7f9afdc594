"""The files that one extraction writes, apart from each other and from what it reads."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from vision.errors import OutputError, SourceError
from vision.folder import check_folder
from vision.health import health_path
from vision.paths import is_same_file, partial_path, user_path
from vision.settings import ExtractSettings
from vision.sources import FileSource, FolderSource, Source

_NOT_IN_NAMES = re.compile(r"[^\w.-]")


def settings_path(output: Path) -> Path:
    """`video.settings.json` for `video.jsonl`."""
    return output.with_name(f"{output.stem}.settings.json")


@dataclass(frozen=True, kw_only=True)
class RunFiles:
    """Where one run writes to."""

    output: Path | None
    """The lines; None where they are only published."""
    summary: Path

    @classmethod
    def of(cls, settings: ExtractSettings) -> Self:
        """As the settings say it. Raises `OutputError` for a home that nobody has."""
        given = settings.output_path()
        output = None if given is None else user_path(given, OutputError, "--output")
        if settings.summary is not None:
            summary = user_path(settings.summary, OutputError, "--summary")
        elif output is not None:
            summary = output.with_name(f"{output.stem}.summary.json")
        else:
            # several cameras may publish from one folder
            name = _NOT_IN_NAMES.sub("_", f"{settings.store_id}-{settings.camera_id}")
            summary = Path(settings.default_output_path()).with_name(f"{name}.summary.json")
        return cls(output=output, summary=summary)

    @property
    def lasting(self) -> dict[str, Path]:
        """What stays when the run is over, by its name."""
        if self.output is None:
            return {"--summary": self.summary}
        return {
            "--output": self.output,
            "the settings file": settings_path(self.output),
            "the health events": health_path(self.output),
            "--summary": self.summary,
        }

    def check_apart(self, source: Source) -> None:
        """Raise `OutputError` if one of the files is another of them or is what is read."""
        named = self.lasting
        for name in ("--output", "--summary"):
            if name in named:
                named[f"the partial file of {name}"] = partial_path(named[name])
        files = list(named.items())
        for place, (name, path) in enumerate(files):
            for other, taken in files[:place]:
                if is_same_file(path, taken):
                    raise OutputError(
                        f"{other} and {name} are the same file: {path}; give another name"
                    )
            for video in files_read(source):
                if is_same_file(path, video):
                    raise OutputError(
                        f"{name} {path} would overwrite {video}, which --input reads: "
                        "give another name"
                    )


def files_read(source: Source) -> tuple[Path, ...]:
    """The files of a recording; none of a camera, or of a folder that cannot be read."""
    if isinstance(source, FileSource):
        return (source.path,)
    if isinstance(source, FolderSource):
        try:
            return check_folder(source.path).files
        except SourceError:
            pass
    return ()
