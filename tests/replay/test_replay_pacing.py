"""The pace of a replay."""

from replay.pacing import Pacer


class FakeTime:
    def __init__(self) -> None:
        self.now = 100.0
        self.waits: list[float] = []

    def clock(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


def test_turns_come_at_the_rate_whatever_the_work_between_takes() -> None:
    time = FakeTime()
    pacer = Pacer(30, time.wait, time.clock)
    turns = []
    for _ in range(301):
        pacer.await_turn()
        turns.append(time.now)
        time.now += 0.01

    assert abs(turns[-1] - turns[0] - 10.0) < 1e-6


def test_the_first_turn_comes_at_once() -> None:
    time = FakeTime()

    Pacer(0.001, time.wait, time.clock).await_turn()

    assert time.waits == []


def test_a_delay_is_made_up_for() -> None:
    time = FakeTime()
    pacer = Pacer(10, time.wait, time.clock)
    pacer.await_turn()
    time.now += 1.05
    for _ in range(11):
        pacer.await_turn()

    assert [round(wait, 6) for wait in time.waits] == [0.05]


def test_no_rate_is_no_waiting() -> None:
    time = FakeTime()
    pacer = Pacer(0, time.wait, time.clock)
    for _ in range(1000):
        pacer.await_turn()

    assert time.waits == []
