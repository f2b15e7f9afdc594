"""Writing the lines so that, whatever ends the run, the file holds whole lines."""

import fcntl
import os
import shutil
from pathlib import Path
from types import TracebackType
from typing import Self

from vision.errors import OutputError


class JsonLinesFile:
    """Lines go to `<path>.partial`, each by one write; `finish` renames it to `path`.

    An earlier file at `path` stays until then. A run that is killed leaves the partial file with
    whole lines, which stays until the next run to the same path writes its first line.
    """

    def __init__(self, path: Path, *, resume: bool = False) -> None:
        """Open it. Raises `OutputError`, also when another run is writing to the same path.

        With `resume`, what a killed run has left, or else the finished file, is kept: new lines
        are added to its whole ones.
        """
        self.path = path
        self.partial = path.with_name(path.name + ".partial")
        self.lines = 0
        self._bytes = 0
        if path.is_dir():
            raise OutputError(
                f"--output {path} is a folder: give a file such as {path}/video.jsonl"
            )
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.partial.open("ab", buffering=0)
        except OSError as error:
            raise OutputError(f"cannot write {self.partial}: {error.strerror}") from None
        if not self._is_ours():
            self._file.close()
            raise OutputError(
                f"another run is writing {path}: wait for its end or give another --output"
            )
        if resume:
            self._adopt()

    def _adopt(self) -> None:
        """Take over the whole lines of an earlier run; a cut-off last one is removed."""
        try:
            if os.fstat(self._file.fileno()).st_size == 0 and self.path.exists():
                shutil.copyfile(self.path, self.partial)
            with self.partial.open("rb") as earlier:
                for line in earlier:
                    if not line.endswith(b"\n"):
                        break
                    self.lines += 1
                    self._bytes += len(line)
            self._file.truncate(self._bytes)
        except OSError as error:
            self._file.close()
            raise OutputError(f"cannot resume {self.path}: {error.strerror}") from None

    def _is_ours(self) -> bool:
        """Lock it; a file that another run has finished and renamed meanwhile is not ours."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return os.fstat(self._file.fileno()).st_ino == self.partial.stat().st_ino
        except OSError:
            return False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file.closed:
            return
        if os.fstat(self._file.fileno()).st_size == 0:
            self.partial.unlink(missing_ok=True)
        self._file.close()

    def write(self, line: bytes) -> None:
        """Add one line. Raises `OutputError`; the lines before are kept, and whole."""
        if self.lines == 0:
            self._file.truncate(0)
        whole = line + b"\n"
        try:
            if self._file.write(whole) != len(whole):
                raise OSError(0, "the disk is full")
        except OSError as error:
            self._file.truncate(self._bytes)
            raise OutputError(
                f"cannot write to {self.partial}: {error.strerror}; "
                f"it keeps the {self.lines} lines written until then"
            ) from None
        self._bytes += len(whole)
        self.lines += 1

    def finish(self) -> None:
        """Make it safe on disk and give it its name."""
        try:
            os.fsync(self._file.fileno())
            self.partial.replace(self.path)
        except OSError as error:
            raise OutputError(f"cannot write {self.path}: {error.strerror}") from None
        self._file.close()


def write_whole(path: Path, text: str) -> None:
    """Replace a small file as a whole. Raises `OutputError`."""
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from None
