"""A file of frame metadata to a Pulsar topic, each frame once however often it is run."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from frame_contract import ContractViolation
from replay.errors import InputChanged, TopicUnusable
from replay.jsonl import read_lines
from replay.message import Message, frame_message, raw_message
from replay.pacing import Pacer
from replay.plan import FilePlan, frame_of, plan_messages, plan_raw
from replay.progress import Progress
from replay.run import RunKey
from replay.settings import ReplaySettings
from replay.summary import ReplaySummary, RunSummary
from replay.topic import Outbox, Topic

logger = logging.getLogger(__name__)


def replay_file(
    path: Path | str, settings: ReplaySettings, stop: threading.Event | None = None
) -> ReplaySummary:
    """Publish the file's lines, unless the broker has them, and wait until it has them all.

    The whole file is checked before the first frame is published. Run again after it was cut
    off, or at any time, it goes on behind what the broker has (see `replay.run`). Setting `stop`
    ends it early, with what was sent acknowledged. Raises the errors of `replay.errors`.
    """
    path = Path(path)
    stop = stop or threading.Event()
    plan = plan_raw(path) if settings.raw else plan_messages(path)
    messages = _raw_messages(plan) if settings.raw else _messages(plan)
    if settings.limit is not None:
        plan.lines = min(plan.lines, settings.limit)
    with Topic(settings) as topic:
        if settings.raw and topic.partitions() > 1:
            raise TopicUnusable(settings.topic, "raw lines cannot be put in order over partitions")
        return _publish(plan, messages, topic, settings, stop)


def _publish(
    plan: FilePlan,
    messages: Iterator[Message],
    topic: Topic,
    settings: ReplaySettings,
    stop: threading.Event,
) -> ReplaySummary:
    read: Counter[str] = Counter()
    already: Counter[str] = Counter()
    outbox = Outbox(settings)
    pacer = Pacer(settings.fps, stop.wait)
    has_of: dict[str, int] = {}
    started = time.monotonic()
    with Progress("publishing", plan.lines, "frames") as progress:
        for message in messages:
            if read.total() == plan.lines or stop.is_set():
                break
            name = message.producer_name
            if name not in has_of:
                has_of[name] = topic.last_sequence_id(name)
            if message.sequence_id <= has_of[name]:
                already[name] += 1
            else:
                pacer.await_turn()
                if stop.is_set():
                    break
                outbox.send(topic.producer(name), message)
            read[name] += 1
            progress.advance()
        outbox.drain()
    published = outbox.acknowledged
    seconds = time.monotonic() - started
    is_deduplicated = all(topic.remembers(name) for name in list(published)[:1])
    if not is_deduplicated:
        logger.warning(
            "%s does not deduplicate: a second replay would publish every frame again. "
            "Set the policy on its namespace (deduplication: true); `make up` does",
            settings.topic,
        )
    runs_of = {run.producer_name: run.key.run_id for run in plan.runs.values()}
    return ReplaySummary(
        path=str(plan.path),
        topic=settings.topic,
        runs=tuple(
            RunSummary(runs_of.get(name), name, read[name], published[name], already[name])
            for name in has_of
        ),
        read=read.total(),
        published=published.total(),
        already_published=already.total(),
        seconds=round(seconds, 3),
        was_stopped=stop.is_set() and read.total() < plan.lines,
        is_deduplicated=is_deduplicated,
    )


def _messages(plan: FilePlan) -> Iterator[Message]:
    """The checked file's lines as messages, in order; raises `InputChanged`."""
    positions: Counter[RunKey] = Counter()
    for line in read_lines(plan.path):
        if line.is_blank:
            continue
        try:
            frame = frame_of(line)
            run = plan.runs[RunKey.of(frame)]
        except (ContractViolation, KeyError):
            raise InputChanged(plan.path, line.number) from None
        positions[run.key] += 1
        if positions[run.key] > run.frames:
            raise InputChanged(plan.path, line.number)
        yield frame_message(frame, line.payload.removesuffix(b"\r"), run, positions[run.key])


def _raw_messages(plan: FilePlan) -> Iterator[Message]:
    """Every line as it is, with whatever could be read of its identity."""
    for line in read_lines(plan.path):
        yield raw_message(line.payload, plan.raw_producer_name, line.number)
