from pathlib import Path

import pytest

from local_stack import logs


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local_stack.logs.LOOK_AGAIN_SECONDS", 0.01)


@pytest.mark.parametrize(
    ("count", "expected"), [(2, ["two", "three"]), (9, ["one", "two", "three"]), (0, [])]
)
def test_tail_is_the_last_lines(tmp_path: Path, count: int, expected: list[str]) -> None:
    path = tmp_path / "trino.log"
    path.write_text("one\ntwo\nthree")
    assert logs.tail(path, count) == expected


def test_tail_of_no_file_is_empty(tmp_path: Path) -> None:
    assert logs.tail(tmp_path / "nothing", 5) == []


def test_bytes_that_are_no_text_do_not_stop_a_reader(tmp_path: Path) -> None:
    path = tmp_path / "trino.log"
    path.write_bytes(b"a\xff\nb\n")
    assert logs.tail(path, 5) == ["a\ufffd", "b"]


@pytest.mark.timeout(20)
def test_follow_tells_what_is_added_and_goes_on_after_a_rotation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "trino.log"
    path.write_text("before\n")

    def add() -> None:
        with path.open("a") as log:
            log.write("added\n")

    def rotate() -> None:
        with path.open("a") as log:
            log.write("last\n")
        path.rename(tmp_path / "trino.log.1")

    def begin_again() -> None:
        path.write_text("after\n")

    events = iter([add, lambda: None, rotate, begin_again])
    monkeypatch.setattr("local_stack.logs.time.sleep", lambda _: next(events)())
    lines = logs.follow(path)
    assert [next(lines) for _ in range(3)] == ["added\n", "last\n", "after\n"]
