"""A simulation straight to Pulsar: all cameras, merged by the time of sending.

Usable frames travel as docs/message.md says, by replay's own code: the producer is the run, the
sequence id the position in it. What is sent twice on purpose goes under a producer of its own, or
the broker would drop it; so does what cannot be used, whose run may not be known. All positions
follow from the scenario, so a publishing that was cut off goes on where the broker's last
sequence ids say, and doubles nothing.
"""

import heapq
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlsplit

from frame_contract import explain
from replay.errors import TopicUnusable
from replay.message import Message, frame_message, raw_message
from replay.progress import Progress
from replay.run import RunKey, RunPlan
from replay.settings import ReplaySettings
from replay.topic import Outbox, Topic
from store_simulator import world
from store_simulator.errors import BadDestination
from store_simulator.kinds import Kind
from store_simulator.scenario import Noise, Scenario
from store_simulator.simulation import CameraRun

AGAIN, UNUSABLE = "again", "unusable"
"""Behind a run's name: the producers of repetitions and of what is no frame."""
_NAME = re.compile(r"[\w.:=-]+", re.ASCII)


class Destination(NamedTuple):
    """A broker's address and a full topic name."""

    url: str
    topic: str


@dataclass(slots=True)
class Published:
    """What was sent: simulated = published + already_published, unless it was stopped."""

    topic: str
    simulated: int = 0
    published: int = 0
    already_published: int = 0
    seconds: float = 0.0
    was_stopped: bool = False
    is_deduplicated: bool = True
    """Whether the broker remembers what it has: if not, a second run doubles everything."""


def parse_destination(text: str) -> Destination:
    """What `--to` names; raises `BadDestination`."""
    if not text.isprintable():
        raise BadDestination(text, "has a line feed or the like in it")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise BadDestination(text, str(error)) from None
    if parts.scheme not in ("pulsar", "pulsar+ssl") or not parts.hostname or "@" in parts.netloc:
        raise BadDestination(text, "no address of a broker")
    names = parts.path.removeprefix("/").split("/")
    if len(names) != 3 or not all(_NAME.fullmatch(name) for name in names):
        raise BadDestination(text, "names no topic")
    if parts.query or parts.fragment:
        raise BadDestination(text, "has a ? or # in it")
    netloc = parts.netloc if port else f"{parts.netloc.rstrip(':')}:6650"
    return Destination(f"{parts.scheme}://{netloc}", "persistent://" + "/".join(names))


class Due(NamedTuple):
    """A message and when it is to be sent; the order of a camera's messages is kept."""

    sent_ms: int
    camera: int
    number: int
    message: Message


def due_messages(scenario: Scenario) -> Iterator[Due]:
    """All messages of all cameras, in the order of sending."""
    streams: list[Iterator[Due]] = []
    for store in scenario.stores:
        people = world.shoppers(scenario, store)
        for camera in store.cameras:
            run = CameraRun(scenario, store, camera, people)
            streams.append(_of_camera(len(streams), run))
    return heapq.merge(*streams)


def publish(
    scenario: Scenario,
    destination: Destination,
    stop: threading.Event,
    *,
    times_real_time: float | None,
    expected: int | None = None,
) -> Published:
    """Send everything that the broker has not yet; None: as fast as it goes.

    Setting `stop` ends it early, with what was sent acknowledged. `expected` messages are for the
    progress only. Raises the errors of `replay.errors`.
    """
    settings = ReplaySettings(pulsar_url=destination.url, topic=destination.topic, fps=0)
    result = Published(destination.topic, was_stopped=True)
    has_of: dict[str, int] = {}
    outbox = Outbox(settings)
    started = time.monotonic()
    pace = _Pace(times_real_time, stop)
    with Topic(settings) as topic, Progress("publishing", expected, "messages") as progress:
        if topic.partitions() > 1 and scenario.noise != Noise():
            cause = "what has no key cannot be kept in order over partitions"
            raise TopicUnusable(destination.topic, cause)
        for due in due_messages(scenario):
            if stop.is_set():
                break
            message = due.message
            name = message.producer_name
            if name not in has_of:
                has_of[name] = topic.last_sequence_id(name)
            if message.sequence_id <= has_of[name]:
                result.already_published += 1
            else:
                pace.await_moment(due.sent_ms)
                if stop.is_set():
                    break
                outbox.send(topic.producer(name), message)
            result.simulated += 1
            progress.advance()
        else:
            result.was_stopped = False
        outbox.drain()
        result.published = outbox.acknowledged.total()
        result.is_deduplicated = all(
            topic.remembers(name) for name in list(outbox.acknowledged)[:1]
        )
    result.seconds = time.monotonic() - started
    return result


class _Pace:
    """Waits until a message is due; the clock starts with the first one that is asked for."""

    def __init__(self, times_real_time: float | None, stop: threading.Event) -> None:
        self._times, self._stop = times_real_time, stop
        self._first: tuple[float, int] | None = None

    def await_moment(self, sent_ms: int) -> None:
        if self._times is None:
            return
        now = time.monotonic()
        began, first_ms = self._first = self._first or (now, sent_ms)
        early = began + (sent_ms - first_ms) / 1000 / self._times - now
        if early > 0:
            self._stop.wait(early)


def _of_camera(camera: int, run: CameraRun) -> Iterator[Due]:
    sender = _Sender(run.run_id)
    number = 0
    for messages in run.messages():
        run.events()  # nobody asks for them here
        is_again = (messages.kinds & Kind.DUPLICATE.bit) != 0
        rows = zip(messages.sent_ms.tolist(), messages.payloads, is_again.tolist(), strict=True)
        for sent_ms, payload, again in rows:
            yield Due(sent_ms, camera, number, sender.message(payload, is_again=again))
            number += 1


class _Sender:
    """Names and numbers the messages of one camera, in the order of sending."""

    def __init__(self, run_id: str) -> None:
        self._run_id = run_id
        self._runs: dict[RunKey, RunPlan] = {}
        self._positions: Counter[str] = Counter()

    def message(self, payload: bytes, *, is_again: bool) -> Message:
        frame = explain(payload).frame
        if frame is None:
            name = f"{self._run_id}/{AGAIN if is_again else UNUSABLE}"
            return raw_message(payload, name, self._next(name))
        key = RunKey.of(frame)
        # frames are numbered from 0, whichever of them is sent first
        run = self._runs.setdefault(key, RunPlan(key, frame.capture_ts, 0))
        if not is_again:
            return frame_message(frame, payload, run, self._next(run.producer_name))
        name = f"{self._run_id}/{AGAIN}"
        position = self._next(name)
        return frame_message(frame, payload, run, position)._replace(
            producer_name=name, sequence_id=position
        )

    def _next(self, name: str) -> int:
        self._positions[name] += 1
        return self._positions[name]
