"""What one evaluation is told."""

from dataclasses import dataclass, fields, replace

from vision.errors import SettingsError
from vision.settings import ExtractSettings

FORMATS = ("text", "markdown", "json")

_NOT_BY_THEIR_NAME = {
    "detectors": "--detector",
    "trackers": "--tracker",
    "embedders": "--embedder",
    "tracking": "--confirm-after-frames",
}
"""Settings whose options are called otherwise."""

_NOTHING_SAID = ExtractSettings(input="evaluate")


@dataclass(frozen=True, kw_only=True)
class EvaluateSettings:
    """Raises `SettingsError` when it is made with a value that cannot be used."""

    sequences: tuple[str, ...]
    """Each `DIR`, `DIR=VIDEO` or our sample video."""

    jsonl: tuple[str, ...] = ()
    """Lines to score, one file for each sequence; empty: run the detectors and trackers."""

    run_id: str | None = None
    """The run to score, where a JSONL has several."""

    max_frames: int | None = None
    """Only the first so many frames of each sequence; None: all."""

    detectors: tuple[str, ...] = (ExtractSettings.detector,)
    trackers: tuple[str, ...] = (ExtractSettings.tracker,)

    embedders: tuple[str, ...] = (ExtractSettings.embedder,)
    """What DeepSORT knows people by; it runs once for each."""

    library_defaults: bool = False
    """Whether the trackers also run as their libraries deliver them."""

    looking: ExtractSettings = _NOTHING_SAID
    """How each video is looked at, as extraction takes it: what is measured is what it would do."""

    form: str = FORMATS[0]
    """How the table is written, one of `FORMATS`."""

    def __post_init__(self) -> None:
        for name in ("detectors", "trackers", "embedders"):
            if not getattr(self, name):
                raise SettingsError(
                    f"{_option(name)} names nothing: give one, or several with commas"
                )
        if self.form not in FORMATS:
            raise SettingsError(f"--format must be {' or '.join(FORMATS)}, not {self.form!r}")
        if self.max_frames is not None and self.max_frames < 1:
            raise SettingsError(f"--max-frames must be 1 or more, not {self.max_frames}")
        # tells now what each of them would tell once it runs
        for tracker in self.trackers:
            for embedder in self.embedders:
                self.of_tracker(tracker, embedder)
        if self.jsonl:
            self._check_lines_alone()

    def of_detector(self, name: str) -> ExtractSettings:
        """What extraction is told when this detector runs."""
        return replace(self.looking, detector=name)

    def of_tracker(self, name: str, embedder: str) -> ExtractSettings:
        """What extraction is told when this tracker runs."""
        return replace(self.looking, tracker=name, embedder=embedder)

    def _check_lines_alone(self) -> None:
        if len(self.jsonl) != len(self.sequences):
            raise SettingsError(
                f"{len(self.sequences)} --sequence and {len(self.jsonl)} --jsonl: give one --jsonl "
                "for each --sequence, in the same order"
            )
        given = [
            name
            for name in ("detectors", "trackers", "embedders", "library_defaults")
            if getattr(self, name) != getattr(EvaluateSettings, name)
        ]
        given += [
            each.name
            for each in fields(ExtractSettings)
            if getattr(self.looking, each.name) != getattr(_NOTHING_SAID, each.name)
        ]
        if given:
            raise SettingsError(
                "--jsonl scores lines that were written earlier: leave out "
                + " and ".join(map(_option, given))
            )


def _option(name: str) -> str:
    return _NOT_BY_THEIR_NAME.get(name, f"--{name.replace('_', '-')}")
