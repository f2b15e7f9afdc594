"""One camera as `cameras.yaml` describes it."""

from dataclasses import dataclass
from pathlib import Path

from vision.run_files import RunFiles
from vision.settings import ExtractSettings
from vision.sources import CameraSource, Source, StreamSource, parse_source


@dataclass(frozen=True, kw_only=True)
class Camera:
    """A camera, and what its process is told."""

    settings: ExtractSettings
    line: int
    """Where it stands in the file."""

    @property
    def name(self) -> str:
        """What it is called."""
        return self.settings.camera_id

    @property
    def source(self) -> Source:
        """What is read; as text without its password."""
        return parse_source(self.settings.input)

    @property
    def is_live(self) -> bool:
        """Whether it never ends by itself."""
        return isinstance(self.source, CameraSource | StreamSource)

    @property
    def output(self) -> Path | None:
        """The JSONL; None where lines are only published."""
        return None if self.settings.output is None else Path(self.settings.output)

    @property
    def files(self) -> tuple[Path, ...]:
        """All that its process may write."""
        return tuple(RunFiles.of(self.settings).lasting.values())
