import errno
import os
from pathlib import Path

import pytest

from vision.errors import OutputError
from vision.output import JsonLinesFile, check_writable, write_whole


def test_lines_have_their_name_only_when_finished(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "video.jsonl"
    with JsonLinesFile(path) as lines:
        lines.write(b'{"a":1}')
        assert not path.exists()
        # written, not waiting in a buffer: a killed run keeps them
        assert lines.partial.read_bytes() == b'{"a":1}\n'
        lines.finish()
    assert path.read_bytes() == b'{"a":1}\n'
    assert not lines.partial.exists()


def test_run_that_fails_keeps_the_earlier_file_and_its_own_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "video.jsonl"
    path.write_bytes(b"earlier\n")
    lines = JsonLinesFile(path)
    lines.write(b"first")
    lines.__exit__(RuntimeError, RuntimeError(), None)
    assert path.read_bytes() == b"earlier\n"
    assert lines.partial.read_bytes() == b"first\n"


def test_partial_lines_of_a_killed_run_stay_until_the_next_has_a_line(tmp_path: Path) -> None:
    path = tmp_path / "video.jsonl"
    left = tmp_path / "video.jsonl.partial"
    left.write_bytes(b"left\n")
    with JsonLinesFile(path):
        pass
    assert left.read_bytes() == b"left\n"
    with JsonLinesFile(path) as lines:
        lines.write(b"new")
        lines.finish()
    assert path.read_bytes() == b"new\n"


def test_run_without_a_line_leaves_nothing(tmp_path: Path) -> None:
    with JsonLinesFile(tmp_path / "video.jsonl"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_two_runs_never_write_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "video.jsonl"
    with JsonLinesFile(path) as lines:
        lines.write(b"first")
        with pytest.raises(OutputError, match="another run"):
            JsonLinesFile(path)
        lines.write(b"second")
        lines.finish()
    assert path.read_bytes() == b"first\nsecond\n"


def test_file_that_another_run_finishes_at_this_very_moment_is_not_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "video.jsonl"
    partial = tmp_path / "video.jsonl.partial"
    partial.write_bytes(b"its lines\n")
    monkeypatch.setattr("vision.output.fcntl.flock", lambda *_: partial.rename(path))
    with pytest.raises(OutputError, match="another run"):
        JsonLinesFile(path)
    assert path.read_bytes() == b"its lines\n"


def test_full_disk_is_told_and_the_lines_before_stay_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = JsonLinesFile(tmp_path / "video.jsonl")
    real = lines._file

    class AlmostFull:
        def __getattr__(self, name: str) -> object:
            return getattr(real, name)

        def write(self, data: bytes) -> int:
            return real.write(data[:5])

    with lines:
        lines.write(b"whole")
        monkeypatch.setattr(lines, "_file", AlmostFull())
        with pytest.raises(OutputError, match=r"disk is full.*1 lines"):
            lines.write(b"cut in two")
        assert lines.partial.read_bytes() == b"whole\n"


@pytest.mark.parametrize("target", ["folder", "file/video.jsonl"])
def test_place_that_cannot_be_written_is_told(tmp_path: Path, target: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(OutputError):
        JsonLinesFile(tmp_path / target)


def test_small_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    write_whole(tmp_path / "a" / "summary.json", "{}\n")
    write_whole(tmp_path / "a" / "summary.json", "{1}\n")
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["summary.json"]
    assert (tmp_path / "a" / "summary.json").read_text() == "{1}\n"


@pytest.mark.parametrize("name", ["video.jsonl", "video.jsonl.partial"])
def test_resuming_keeps_the_whole_lines_of_a_finished_or_a_killed_run(
    name: str, tmp_path: Path
) -> None:
    path = tmp_path / "video.jsonl"
    (tmp_path / name).write_bytes(b"one\ntwo\ncut o")
    with JsonLinesFile(path, resume=True) as lines:
        assert lines.lines == 2
        lines.write(b"three")
        lines.finish()
    assert path.read_bytes() == b"one\ntwo\nthree\n"


def test_resuming_prefers_what_the_killed_run_left_to_the_finished_file(tmp_path: Path) -> None:
    path = tmp_path / "video.jsonl"
    path.write_bytes(b"finished\n")
    path.with_name("video.jsonl.partial").write_bytes(b"killed\n")
    with JsonLinesFile(path, resume=True) as lines:
        lines.finish()
    assert path.read_bytes() == b"killed\n"


def test_resuming_nothing_begins(tmp_path: Path) -> None:
    with JsonLinesFile(tmp_path / "video.jsonl", resume=True) as lines:
        assert lines.lines == 0
        lines.write(b"one")
        lines.finish()
    assert (tmp_path / "video.jsonl").read_bytes() == b"one\n"


def test_finished_run_that_is_resumed_without_a_new_line_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "video.jsonl"
    path.write_bytes(b"one\ntwo\n")
    file = path.stat().st_ino
    with JsonLinesFile(path, resume=True) as lines:
        assert lines.stored.read_bytes() == b"one\ntwo\n"
        assert lines.partial.stat().st_size == 0
        lines.finish()
    assert path.stat().st_ino == file
    assert [each.name for each in tmp_path.iterdir()] == ["video.jsonl"]


def test_resuming_that_finds_no_room_for_a_copy_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "video.jsonl"
    path.write_bytes(b"one\ntwo\n")

    def half_copied(source: Path, target: Path) -> None:
        target.write_bytes(source.read_bytes()[:4])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full, JsonLinesFile(path, resume=True) as lines:
        full.setattr("vision.output.shutil.copyfile", half_copied)
        with pytest.raises(OutputError, match=r"No space left on device; the file is as it was"):
            lines.write(b"three")
    assert [each.name for each in tmp_path.iterdir()] == ["video.jsonl"]
    # what a kill in the middle of the copy leaves is no run
    (tmp_path / "video.jsonl.partial.copy").write_bytes(b"one\n")
    with JsonLinesFile(path, resume=True) as lines:
        lines.write(b"three")
        lines.finish()
    assert path.read_bytes() == b"one\ntwo\nthree\n"
    assert [each.name for each in tmp_path.iterdir()] == ["video.jsonl"]


def test_resumed_file_is_still_only_ours_once_it_is_copied(tmp_path: Path) -> None:
    path = tmp_path / "video.jsonl"
    path.write_bytes(b"one\n")
    with JsonLinesFile(path, resume=True) as lines:
        lines.write(b"two")
        with pytest.raises(OutputError, match="another run"):
            JsonLinesFile(path)
        lines.finish()
    assert path.read_bytes() == b"one\ntwo\n"


def test_link_stays_and_the_file_that_it_leads_to_is_written(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    for name, write in {
        "video.jsonl": lambda path: _one_line(path),
        "video.summary.json": lambda path: write_whole(path, "one\n"),
    }.items():
        target = tmp_path / "disk" / name
        target.write_text("earlier\n")
        link = tmp_path / name
        link.symlink_to(target)
        write(link)
        assert link.is_symlink()
        assert target.read_text() == "one\n"
    assert sorted(path.name for path in (tmp_path / "disk").iterdir()) == [
        "video.jsonl",
        "video.summary.json",
    ]


def _one_line(path: Path) -> None:
    with JsonLinesFile(path) as lines:
        lines.write(b"one")
        lines.finish()


@pytest.mark.parametrize(
    "write", [JsonLinesFile, check_writable, lambda path: write_whole(path, "")]
)
def test_pipe_or_device_is_refused_and_stays(tmp_path: Path, write) -> None:
    pipe = tmp_path / "video.jsonl"
    os.mkfifo(pipe)
    with pytest.raises(OutputError, match="no regular file: give a file"):
        write(pipe)
    assert pipe.is_fifo()
    assert list(tmp_path.iterdir()) == [pipe]


@pytest.mark.parametrize("write", [JsonLinesFile, check_writable])
@pytest.mark.parametrize("name", ["x" * 300, "x\0y", "loop/video.jsonl"])
def test_path_that_cannot_even_be_asked_about_is_told(tmp_path: Path, name: str, write) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OutputError, match="cannot write"):
        write(tmp_path / name)


def test_full_disk_leaves_the_earlier_small_file_and_no_piece_of_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "summary.json"
    write_whole(path, "earlier\n")

    def half_written(self: Path, text: str, encoding: str) -> None:
        self.write_bytes(text.encode(encoding)[:2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", half_written)
    with pytest.raises(OutputError, match="No space left"):
        write_whole(path, "later\n")
    assert [each.name for each in tmp_path.iterdir()] == ["summary.json"]
    assert path.read_bytes() == b"earlier\n"


def test_asking_whether_a_file_can_be_written_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    path.write_text("earlier\n")
    check_writable(path)
    assert [each.name for each in tmp_path.iterdir()] == ["summary.json"]
    assert path.read_text() == "earlier\n"


def test_disk_that_is_pulled_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = JsonLinesFile(tmp_path / "video.jsonl")
    real = lines._file

    class Gone:
        def __getattr__(self, name: str) -> object:
            return getattr(real, name)

        def write(self, _: bytes) -> int:
            raise OSError(errno.EIO, "Input/output error")

        def truncate(self, _: int) -> int:
            raise OSError(errno.EIO, "Input/output error")

    with lines:
        lines.write(b"whole")
        monkeypatch.setattr(lines, "_file", Gone())
        with pytest.raises(OutputError, match=r"Input/output error.*1 lines"):
            lines.write(b"never there")
