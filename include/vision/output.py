"""Writing the lines so that, whatever ends the run, the file holds whole lines."""

import contextlib
import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from vision.errors import OutputError
from vision.paths import partial_path, target_file


class JsonLinesFile:
    """Lines go to `<path>.partial`, each by one write; `finish` renames it to `path`.

    An earlier file at `path` stays until then. A run that is killed leaves the partial file with
    whole lines, which stays until the next run to the same path writes its first line. If `path`
    is a link, all this happens where it leads.
    """

    def __init__(self, path: Path, *, resume: bool = False) -> None:
        """Open it. Raises `OutputError`, also when another run is writing to the same path.

        With `resume`, what a killed run has left, or else the finished file, is kept: new lines
        are added to its whole ones. A finished file stays as it is until there is one.
        """
        self.path = path
        self.partial = partial_path(path)
        self.lines = 0
        self._target = target_file(path)
        self._bytes = 0
        self._is_resuming_finished = False
        try:
            self.partial.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.partial.open("ab", buffering=0)
        except OSError as error:
            raise OutputError(
                f"cannot write {self.partial}: {error.strerror}; give another --output"
            ) from None
        if not _is_locked(self._file.fileno(), self.partial):
            self._file.close()
            raise OutputError(
                f"another run is writing {path}: wait for its end or give another --output"
            )
        if resume:
            try:
                self._find_earlier()
            except BaseException:
                self.__exit__(None, None, None)
                raise

    @property
    def stored(self) -> Path:
        """Where the lines of an earlier run are, until the first new one."""
        return self._target if self._is_resuming_finished else self.partial

    def _find_earlier(self) -> None:
        """Count the whole lines of an earlier run; a cut-off last one is removed."""
        try:
            is_killed = os.fstat(self._file.fileno()).st_size > 0
            self._is_resuming_finished = not is_killed and self._target.exists()
            with self.stored.open("rb") as earlier:
                for line in earlier:
                    if not line.endswith(b"\n"):
                        break
                    self.lines += 1
                    self._bytes += len(line)
            if self.stored.stat().st_size == self._bytes:
                return
            if not self._is_resuming_finished:
                self._file.truncate(self._bytes)
        except OSError as error:
            raise OutputError(f"cannot resume {self.path}: {error.strerror}") from None
        if self._is_resuming_finished:
            self._copy_finished()

    def _copy_finished(self) -> None:
        """Make the partial file of the finished one's lines: as a whole, or not at all."""
        copy = self.partial.with_name(self.partial.name + ".copy")
        try:
            with contextlib.ExitStack() as undo:
                undo.callback(copy.unlink, missing_ok=True)
                shutil.copyfile(self._target, copy)
                file = undo.enter_context(copy.open("ab", buffering=0))
                file.truncate(self._bytes)
                os.fsync(file.fileno())
                # before it has the name under which others look for it
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                copy.replace(self.partial)
                undo.pop_all()
        except OSError as error:
            raise OutputError(
                f"cannot resume {self.path}: cannot write {copy}: {error.strerror}; the file is "
                "as it was: make room for a copy of it, then --resume again"
            ) from None
        self._file.close()
        self._file = file
        self._is_resuming_finished = False

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
        # of a disk that is gone there is nothing more to say
        with contextlib.suppress(OSError):
            if os.fstat(self._file.fileno()).st_size == 0:
                self.partial.unlink(missing_ok=True)
        self._file.close()

    def write(self, line: bytes) -> None:
        """Add one line. Raises `OutputError`; the lines before are kept, and whole."""
        if self._is_resuming_finished:
            self._copy_finished()
        whole = line + b"\n"
        try:
            if self.lines == 0:
                self._file.truncate(0)
            if self._file.write(whole) != len(whole):
                raise OSError(errno.ENOSPC, "the disk is full")
        except OSError as error:
            # if this fails too, --resume drops the line that is cut off
            with contextlib.suppress(OSError):
                self._file.truncate(self._bytes)
            raise OutputError(
                f"cannot write to {self.partial}: {error.strerror}; it keeps the {self.lines} "
                "lines written until then: mend that, and go on with --resume"
            ) from None
        self._bytes += len(whole)
        self.lines += 1

    def finish(self) -> None:
        """Make it safe on disk and give it its name."""
        if self._is_resuming_finished:
            self.__exit__(None, None, None)
            return
        try:
            os.fsync(self._file.fileno())
            self.partial.replace(self._target)
        except OSError as error:
            raise OutputError(
                f"cannot write {self.path}: {error.strerror}; the lines are in {self.partial}"
            ) from None
        self._file.close()


def write_whole(path: Path, text: str) -> None:
    """Replace a small file as a whole. Raises `OutputError`; then the earlier one stays."""
    with _small_partial(path) as partial:
        partial.write_text(text, encoding="utf-8")
        partial.replace(target_file(path))


def check_writable(path: Path) -> None:
    """Raise `OutputError` if `write_whole` could not write here, and change nothing."""
    with _small_partial(path) as partial:
        partial.touch()
        partial.unlink()


@contextlib.contextmanager
def _small_partial(path: Path) -> Iterator[Path]:
    """The partial file of a small one; gone if it could not be written."""
    partial = partial_path(path)
    try:
        try:
            partial.parent.mkdir(parents=True, exist_ok=True)
            yield partial
        except BaseException:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise OutputError(
            f"cannot write {path}: {error.strerror}; make room, or give another place"
        ) from None


def _is_locked(descriptor: int, path: Path) -> bool:
    """Lock it; a file that another run has finished and renamed meanwhile is not ours."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.fstat(descriptor).st_ino == path.stat().st_ino
    except OSError:
        return False
