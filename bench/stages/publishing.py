"""Pulsar takes in messages: from its own tool, from the Python client alone, and from `replay`."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

import pulsar

from bench.place import delete_topic
from bench.stages.frames import Frames
from frame_contract import decode, event_time_ms, message_key, message_properties
from local_stack.fetch import locate
from local_stack.program import JAVA_21_HOME
from local_stack.settings import StackSettings

_SENT = re.compile(r"Aggregated throughput stats --- (\d+) records sent --- ([\d.]+) msg/s")


class NotAllSent(Exception):
    """The broker has not taken in what it was sent."""


def by_pulsar_perf(topic: str, messages: int, size_bytes: int) -> float:
    """Messages a second of `pulsar-perf produce`, unbatched as ours are.

    :raises NotAllSent: with what it printed
    """
    home = locate(StackSettings.load()).pulsar_home
    command = [str(home / "bin" / "pulsar-perf"), "produce", topic]
    command += ["--service-url", os.environ["RVA_PULSAR_URL"], "--disable-batching"]
    command += ["--num-messages", str(messages), "--size", str(size_bytes), "--rate", "1000000"]
    done = subprocess.run(
        command,
        env={**os.environ, "JAVA_HOME": str(JAVA_21_HOME)},
        capture_output=True,
        text=True,
        check=False,
    )
    delete_topic(topic)
    sent = _SENT.search(done.stdout + done.stderr)
    if sent is None or int(sent[1]) < messages:
        raise NotAllSent((done.stdout + done.stderr)[-800:])
    return float(sent[2])


def by_client_alone(topic: str, frames: Frames, messages: int) -> float:
    """Messages a second of a loop over frames that are read and described before.

    :raises NotAllSent: with the first reason
    """
    with frames.path.open("rb") as lines:
        prepared = [
            (line, message_properties(frame), message_key(frame), event_time_ms(frame))
            for line in (each.rstrip(b"\n") for each in islice(lines, messages))
            for frame in (decode(line),)
        ]
    client = pulsar.Client(
        os.environ["RVA_PULSAR_URL"], logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error)
    )
    try:
        producer = client.create_producer(topic, batching_enabled=False, block_if_queue_full=True)
        refused: list[pulsar.Result] = []

        def sent(result: pulsar.Result, _: pulsar.MessageId) -> None:
            if result != pulsar.Result.Ok:
                refused.append(result)

        began = time.monotonic()
        for line, properties, key, moment in prepared:
            producer.send_async(
                line,
                sent,
                properties=properties,
                partition_key=key,
                event_timestamp=moment,
            )
        producer.flush()
        seconds = time.monotonic() - began
        if refused:
            raise NotAllSent(f"{len(refused):,} messages were refused: {refused[0]}")
        return len(prepared) / seconds
    finally:
        client.close()
        delete_topic(topic)


def by_replay(topic: str, frames: Frames, frames_per_second: int = 0) -> float:
    """Frames a second of `python -m replay`, which fills the topic; all are published.

    :param frames_per_second: of all cameras; 0: as fast as it goes
    """
    with tempfile.TemporaryDirectory() as folder:
        summary = Path(folder) / "summary.json"
        command = [sys.executable, "-m", "replay", "--input", str(frames.path)]
        command += ["--fps", str(frames_per_second)]
        command += ["--topic", topic, "--summary", str(summary)]
        subprocess.run(command, check=True, capture_output=True)
        told = json.loads(summary.read_text(encoding="utf-8"))
    return float(told["published"] / told["seconds"])
