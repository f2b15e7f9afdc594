"""Stdout and stderr whose reader may leave: what is said then is dropped, and the work goes on."""

import os
import sys
from typing import Any, TextIO


def survive_their_readers() -> None:
    """From now on no writing to stdout or stderr fails; to be called once, by a process's main."""
    # whoever closes them altogether leaves None
    sys.stdout = _Surviving(sys.stdout or _nowhere())
    sys.stderr = _Surviving(sys.stderr or _nowhere())


def _nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123  lives as long as we do


class _Surviving:
    """A text file; once writing to it fails, it leads nowhere."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, text: str) -> int:
        try:
            return self._file.write(text)
        except OSError:
            self._drop()
            return len(text)

    def flush(self) -> None:
        try:
            self._file.flush()
        except OSError:
            self._drop()

    def _drop(self) -> None:
        # the descriptor too: what is still buffered must go somewhere
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._file.fileno())
        os.close(nowhere)
