"""What one evaluation is told."""

from dataclasses import dataclass, replace

from vision.errors import SettingsError
from vision.settings import ExtractSettings

FORMATS = ("text", "markdown", "json")


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

    weights: str | None = None
    backend: str = ExtractSettings.backend
    device: str = ExtractSettings.device
    confidence: float | None = None
    image_size: int | None = None
    threads: int | None = None
    """As for extraction."""

    form: str = FORMATS[0]
    """How the table is written, one of `FORMATS`."""

    def __post_init__(self) -> None:
        for name in ("detectors", "trackers", "embedders"):
            if not getattr(self, name):
                option = f"--{name.removesuffix('s')}"
                raise SettingsError(f"{option} names nothing: give one, or several with commas")
        if self.form not in FORMATS:
            raise SettingsError(f"--format must be {' or '.join(FORMATS)}, not {self.form!r}")
        if self.max_frames is not None and self.max_frames < 1:
            raise SettingsError(f"--max-frames must be 1 or more, not {self.max_frames}")
        # tells now what each of them would tell once it runs
        for detector in self.detectors:
            self.of_detector(detector)
        for tracker in self.trackers:
            for embedder in self.embedders:
                self.of_tracker(tracker, embedder)
        if self.jsonl:
            self._check_lines_alone()

    def of_detector(self, name: str) -> ExtractSettings:
        """What extraction is told when this detector runs."""
        return ExtractSettings(
            input="evaluate",
            detector=name,
            weights=self.weights,
            backend=self.backend,
            device=self.device,
            confidence=self.confidence,
            image_size=self.image_size,
            threads=self.threads,
        )

    def of_tracker(self, name: str, embedder: str) -> ExtractSettings:
        """What extraction is told when this tracker runs."""
        return replace(self.of_detector(self.detectors[0]), tracker=name, embedder=embedder)

    def _check_lines_alone(self) -> None:
        if len(self.jsonl) != len(self.sequences):
            raise SettingsError(
                f"{len(self.sequences)} --sequence and {len(self.jsonl)} --jsonl: give one --jsonl "
                "for each --sequence, in the same order"
            )
        unused = ("detectors", "trackers", "embedders", "library_defaults", "weights", "backend")
        for name in (*unused, "device", "confidence", "image_size", "threads"):
            if getattr(self, name) != getattr(EvaluateSettings, name):
                option = name.removesuffix("s").replace("_", "-")
                raise SettingsError(
                    f"--jsonl scores lines that were written earlier: leave out --{option}"
                )
