"""Paths as people give them; what the file system says against them, as errors of ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vision.errors import OutputError, VisionError


@contextmanager
def telling(kind: type[VisionError], what: str) -> Iterator[None]:
    """Raise `kind`, one line, for all that asking about a path can raise.

    Asking whether a file exists raises too: no permission, a name too long, a zero byte, a link
    that leads to itself.
    """
    try:
        yield
    except OSError as error:
        raise kind(f"{what}: {error.strerror or error}") from None
    except (ValueError, RuntimeError) as error:
        raise kind(f"{what}: {error}") from None


def user_path(text: str, kind: type[VisionError], option: str) -> Path:
    """The path with `~` replaced by somebody's home. Raises `kind` if nobody has that name."""
    with telling(kind, f"{option} {text}: write the path in full"):
        return Path(text).expanduser()


def target_file(path: Path) -> Path:
    """The file that is written for `path`: what it links to, if it is a link.

    Raises `OutputError` for a folder, a device or a pipe: a file renamed to it would replace it.
    """
    with telling(OutputError, f"cannot write {path}"):
        target = path.resolve()
        if target.is_dir():
            raise OutputError(f"{path} is a folder: give the path of a file in it")
        if target.exists() and not target.is_file():
            raise OutputError(f"{path} is no regular file: give a file, or a name that is free")
        return target


def partial_path(path: Path) -> Path:
    """Where the content of `path` waits until it is whole. Raises `OutputError`."""
    target = target_file(path)
    return target.with_name(target.name + ".partial")


def is_same_file(one: Path, other: Path) -> bool:
    """Whether both lead to one file, or would if it were there; of what nobody may see: no."""
    try:
        return one.resolve() == other.resolve() or (
            one.exists() and other.exists() and one.samefile(other)
        )
    except (OSError, ValueError, RuntimeError):
        return False
