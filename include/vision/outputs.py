"""Where the lines of a run go: a file, a topic, or both."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from frame_contract import Frame, decode, encode
from vision.errors import SettingsError
from vision.output import JsonLinesFile
from vision.publishing import PulsarSink
from vision.reading import RecordedRun, open_run
from vision.recipe import Recipe
from vision.resume import check_same_run
from vision.settings import ExtractSettings


class Outputs:
    """The file and the topic of one run; a context manager.

    The file has a line before the topic has it, so that what was published can be published
    again from it.
    """

    def __init__(self, settings: ExtractSettings, path: Path | None, *, is_live: bool) -> None:
        """Open them. Raises `OutputError` and `SettingsError`.

        With `settings.resume`, `stored` is what an earlier extraction has left in the file.
        """
        if settings.resume and path is None:
            raise SettingsError(
                "--resume goes on from a file, and --to alone writes none: give --output too, or "
                "run again with the same --run-id and --start-time: what the topic has is not "
                "published twice"
            )
        self.run_id = settings.run_id
        """The run's name, if one is given or goes on."""
        self.stored: RecordedRun | None = None
        self._recipe: Recipe | None = None
        with ExitStack() as stack:
            self._file = (
                None
                if path is None
                else stack.enter_context(JsonLinesFile(path, resume=settings.resume))
            )
            if self._file is not None and self._file.lines:
                self.stored = open_run(
                    self._file.stored,
                    if_several="--resume goes on with a file of one only, so give another --output",
                )
                check_same_run(self.stored, settings)
                self.run_id = self.stored.run_id
            self._sink = (
                None
                if settings.to is None
                else stack.enter_context(
                    PulsarSink(settings.to, is_new_run=is_live and self.stored is None)
                )
            )
            self._stack = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    @property
    def path(self) -> Path | None:
        """The file's."""
        return None if self._file is None else self._file.path

    @property
    def topic(self) -> str | None:
        """The topic's full name."""
        return None if self._sink is None else self._sink.destination.topic

    @property
    def published(self) -> int:
        """Lines that the broker has acknowledged."""
        return 0 if self._sink is None else self._sink.published

    def made_by(self, recipe: Recipe) -> None:
        """What all lines are made by. Raises `SettingsError` if those stored are not.

        To be told before the first line.
        """
        if self._file is None:
            return
        if self.stored is None:
            self._recipe = recipe
        else:
            recipe.check_same(self._file.path, self.stored.run_id)

    def write(self, frame: Frame) -> None:
        """One line. Raises `OutputError`, and `ContractViolation` for what is no message."""
        line = encode(frame)
        if self._file is not None:
            if self._recipe is not None:
                self._recipe.write(self._file.path, frame.run_id)
                self._recipe = None
            self._file.write(line)
        if self._sink is not None:
            self._sink.write(line, frame)

    def publish_stored(self, frame: Frame) -> None:
        """A frame whose line is in the file already, unless the topic has it too."""
        if self._sink is not None:
            self._sink.write(encode(frame), frame)

    def publish_all_stored(self, should_stop: Callable[[], bool]) -> Iterator[Frame]:
        """The file's frames; each line as it stands there is published, unless the topic has it.

        Once the run is to stop, the rest is only read.
        """
        if self._file is None:
            return
        with self._file.stored.open("rb") as lines:
            for line in lines:
                frame = decode(line)
                if self._sink is not None and not should_stop():
                    self._sink.write(line.rstrip(b"\n"), frame)
                yield frame

    def finish(self) -> None:
        """Wait until the topic has everything, and give the file its name."""
        try:
            if self._sink is not None:
                self._sink.drain()
        finally:
            if self._file is not None:
                self._file.finish()
