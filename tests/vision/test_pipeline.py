"""The hand-over between the threads of a run: order, bounds, errors, ends."""

import threading
import time
from collections.abc import Iterator, Sequence

import pytest

from vision.pipeline import InOrder, ReadFrames


def never() -> bool:
    return False


def wait_until(is_so, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def take_all(frames: ReadFrames[int], most: int = 1) -> list[tuple[int, int]]:
    taken = []
    while batch := frames.take(most):
        taken += [(arrived.frame, arrived.dropped_before) for arrived in batch]
    return taken


def test_file_waits_for_room_and_loses_nothing() -> None:
    read: list[int] = []

    def source() -> Iterator[int]:
        for number in range(50):
            read.append(number)
            yield number

    frames = ReadFrames(source(), is_live=False, room=4)
    wait_until(lambda: len(read) == 5)
    time.sleep(0.05)
    assert len(read) == 5
    assert take_all(frames) == [(number, 0) for number in range(50)]
    frames.close()


def test_camera_drops_its_oldest_frames_and_counts_them_on_the_next() -> None:
    all_read = threading.Event()
    more = threading.Event()

    def source() -> Iterator[int]:
        yield from range(10)
        all_read.set()
        more.wait(10)
        yield 10

    frames = ReadFrames(source(), is_live=True, room=2)
    assert all_read.wait(10)
    first = frames.take(1)[0]
    assert (first.frame, first.dropped_before) == (8, 8)
    more.set()
    assert take_all(frames) == [(9, 0), (10, 0)]
    frames.close()


def test_batch_of_a_file_is_full_until_its_end_and_a_cameras_is_what_is_there() -> None:
    file = ReadFrames(iter(range(7)), is_live=False, room=8)
    assert [len(file.take(3)) for _ in range(4)] == [3, 3, 1, 0]
    file.close()
    hold = threading.Event()

    def camera() -> Iterator[int]:
        yield 0
        hold.wait(10)

    live = ReadFrames(camera(), is_live=True, room=3)
    assert len(live.take(3)) == 1
    hold.set()
    live.close()


def test_error_of_the_source_comes_behind_its_frames() -> None:
    def source() -> Iterator[int]:
        yield from (0, 1, 2)
        raise OSError("cable")

    frames = ReadFrames(source(), is_live=False, room=8)
    assert [frames.take(1)[0].frame for _ in range(3)] == [0, 1, 2]
    with pytest.raises(OSError, match="cable"):
        frames.take(1)
    frames.close()


def test_closing_frees_a_source_that_waits_for_room() -> None:
    frames = ReadFrames(iter(range(100)), is_live=False, room=2)
    wait_until(lambda: len(frames._waiting) == 2)
    frames.close()
    assert frames.take(1) == []


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_results_come_in_order_however_long_each_takes(workers: int) -> None:
    numbers = iter(range(40))

    def take() -> list[int]:
        return [n for n in (next(numbers, None), next(numbers, None)) if n is not None]

    def work(batch: Sequence[int]) -> list[int]:
        time.sleep(0.004 if batch[0] % 4 == 0 else 0)
        return [n * n for n in batch]

    with InOrder(take, work, workers) as in_order:
        assert list(in_order.results(never)) == [(n, n * n) for n in range(40)]


def test_two_workers_are_at_work_at_once_and_no_further_ahead_than_the_queue() -> None:
    numbers = iter(range(100))
    taken: list[int] = []
    both = threading.Barrier(2, timeout=10)

    def take() -> list[int]:
        taken.append(next(numbers))
        return [taken[-1]]

    def work(batch: Sequence[int]) -> list[int]:
        if batch[0] < 2:
            both.wait()
        return list(batch)

    with InOrder(take, work, 2) as in_order:
        wait_until(lambda: len(taken) >= 4)
        time.sleep(0.05)
        assert len(taken) <= 5
        assert next(in_order.results(never)) == (0, 0)


@pytest.mark.parametrize("part", ["take", "work"])
def test_error_of_a_part_comes_in_its_turn(part: str) -> None:
    numbers = iter(range(100))

    def take() -> list[int]:
        number = next(numbers)
        if part == "take" and number == 3:
            raise ValueError("broken")
        return [number]

    def work(batch: Sequence[int]) -> list[int]:
        if part == "work" and batch[0] == 3:
            raise ValueError("broken")
        return list(batch)

    seen: list[int] = []

    def consume() -> None:
        with InOrder(take, work, 2) as in_order:
            seen.extend(frame for frame, _ in in_order.results(never))

    with pytest.raises(ValueError, match="broken"):
        consume()
    assert seen == [0, 1, 2]


def test_stop_is_heard_while_there_is_nothing_to_do() -> None:
    silence = threading.Event()

    def take() -> list[int]:
        silence.wait(30)
        return []

    stop = threading.Event()
    threading.Timer(0.1, stop.set).start()
    with InOrder(take, list, 1) as in_order:
        assert list(in_order.results(stop.is_set)) == []
        assert not silence.is_set()
        silence.set()
