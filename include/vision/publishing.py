"""Publishing lines to Pulsar while they are written, by the very rules that replay has.

A live publishing that was cut off and a replay of its JSONL together put each frame into the
topic once, since producer, sequence ids, key, event time and properties are replay's own.
"""

import contextlib
import re
from collections.abc import Iterator
from types import TracebackType
from typing import NamedTuple, Self
from urllib.parse import urlsplit

from frame_contract import Frame
from replay.errors import (
    InvalidSetting,
    PublishFailed,
    PulsarUnreachable,
    ReplayError,
    RunTaken,
    TopicUnusable,
)
from replay.message import frame_message
from replay.run import RunPlan
from replay.settings import ReplaySettings
from vision import progress
from vision.errors import OutputError, SettingsError

PORTS = {"pulsar": 6650, "pulsar+ssl": 6651}
"""The schemes of a broker's address, and the port where none is given."""

HEALTH_TOPIC = "health"
"""Beside the topic of the frames, in its namespace: among frames, Silver would quarantine it."""

_SHAPE = "pulsar://HOST:PORT or pulsar://HOST:PORT/TENANT/NAMESPACE/TOPIC"
_HOST = re.compile(r"[\w.:-]+", re.ASCII)
_NAME = re.compile(r"[\w.:=-]+", re.ASCII)


class Destination(NamedTuple):
    """Where lines are published: a broker's address and a full topic name."""

    url: str
    topic: str

    @property
    def health_topic(self) -> str:
        """The topic of the health events: same tenant and namespace."""
        return f"{self.topic.rpartition('/')[0]}/{HEALTH_TOPIC}"


def parse_destination(text: str) -> Destination:
    """What `--to` names; without a topic that of RVA_TOPIC, else retail/metadata/events.

    Raises `SettingsError`.
    """
    shown = re.sub(r"(?<=://)[^/]*@", "***@", ascii(text)[1:-1])
    try:
        if not text.isprintable():
            raise ValueError("it has a line feed or the like in it")
        parts = urlsplit(text)
        hosts = [_host_and_port(host, parts.scheme) for host in parts.netloc.split(",")]
    except ValueError as error:
        raise SettingsError(f"--to {shown} is no address ({error}): write {_SHAPE}") from None
    if parts.query or parts.fragment:
        raise SettingsError(f"--to {shown} has a ? or # in it: write {_SHAPE}")
    try:
        topic = ReplaySettings.from_env().topic
    except InvalidSetting as error:
        raise SettingsError(f"--to takes the topic from the environment: {error}") from None
    names = parts.path.strip("/").split("/") if parts.path.strip("/") else []
    if names:
        if len(names) != 3 or not all(_NAME.fullmatch(name) for name in names):
            raise SettingsError(
                f"--to {shown} does not name a topic: write all of /TENANT/NAMESPACE/TOPIC, or "
                "nothing behind the port"
            )
        topic = "persistent://" + "/".join(names)
    destination = Destination(f"{parts.scheme}://{','.join(hosts)}", topic)
    if destination.topic == destination.health_topic:
        raise SettingsError(
            f"--to {shown}: the topic {HEALTH_TOPIC} is for the health of cameras, not for frames"
        )
    return destination


def _host_and_port(text: str, scheme: str) -> str:
    """`HOST:PORT` of one host of the address; raises ValueError."""
    if scheme not in PORTS:
        raise ValueError("it does not begin with pulsar:// or pulsar+ssl://")
    if "@" in text:
        raise ValueError("a user or password in it is not supported")
    parts = urlsplit(f"//{text}")
    if not parts.hostname or not _HOST.fullmatch(parts.hostname):
        raise ValueError("it names no host")
    port = parts.port or PORTS[scheme]
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{host}:{port}"


class PulsarSink:
    """Publishes the lines of one run; a context manager.

    At most `ReplaySettings.in_flight` lines wait for the broker's answer; while it is away the
    client tries to reconnect, and `write` waits. What the broker has of the run is not sent again.
    """

    def __init__(
        self, to: str, *, is_new_run: bool = False, ack_timeout_seconds: float | None = None
    ) -> None:
        """Connect. Raises `SettingsError`, or `OutputError` within seconds if there is no broker.

        :param to: `pulsar://HOST:PORT[/TENANT/NAMESPACE/TOPIC]`
        :param is_new_run: refuse a run of which the broker has frames already: those of a live
            camera that only have the same numbers would be taken for sent
        :param ack_timeout_seconds: give up when the broker has acknowledged nothing for so long;
            None: as long as replay waits
        """
        self.destination = parse_destination(to)
        self._settings = replay_settings(
            self.destination.url, self.destination.topic, ack_timeout_seconds
        )
        self._is_new_run = is_new_run
        self._run: RunPlan | None = None
        self._position = 0
        self._last_known = 0
        # the client's library is loaded by those who publish only
        from replay.topic import Outbox, Topic

        self._outbox = Outbox(self._settings, progress.warn)
        with saying_errors():
            self._topic = Topic(self._settings)
            try:
                self._topic.partitions()
            except BaseException as error:
                self._topic.__exit__(type(error), error, None)
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._topic.__exit__(kind, error, trace)

    @property
    def published(self) -> int:
        """Lines of this sink that the broker has acknowledged."""
        return self._outbox.acknowledged.total()

    def write(self, line: bytes, frame: Frame) -> None:
        """Send one line, as it stands in the JSONL without its line feed, unless the broker has it.

        Lines come in the order of the JSONL and from its first one on: a run that is resumed hands
        over what the file holds before it goes on. Raises `OutputError`.
        """
        run = self._run or self._begin(frame)
        self._position += 1
        message = frame_message(frame, line, run, self._position)
        if message.sequence_id <= self._last_known:
            return
        with saying_errors():
            self._outbox.send(self._topic.producer(message.producer_name), message)

    def _begin(self, frame: Frame) -> RunPlan:
        run = RunPlan.beginning_with(frame)
        with saying_errors():
            self._last_known = self._topic.last_sequence_id(run.producer_name)
        if self._is_new_run and self._last_known > 0:
            raise OutputError(
                f"{self.destination.topic} has frames of the run {frame.run_id} already: give this "
                "capture a --run-id of its own, or go on with --resume"
            )
        self._run = run
        return run

    def drain(self) -> None:
        """Wait until the broker has all that was written; raises `OutputError`.

        To be called at the end: it also looks, and warns, whether the topic keeps each frame once.
        """
        with saying_errors():
            self._outbox.drain()
        if self._run is None or not self.published:
            return
        with contextlib.suppress(ReplayError):
            if not self._topic.remembers(self._run.producer_name):
                progress.warn(
                    f"{self.destination.topic} does not deduplicate: a second publishing of this "
                    "run would double its frames (set deduplication on its namespace)"
                )


def replay_settings(url: str, topic: str, ack_timeout_seconds: float | None) -> ReplaySettings:
    """Replay's settings for one topic; None: its own time limit."""
    if ack_timeout_seconds is None:
        return ReplaySettings(pulsar_url=url, topic=topic)
    return ReplaySettings(pulsar_url=url, topic=topic, ack_timeout_seconds=ack_timeout_seconds)


@contextlib.contextmanager
def saying_errors() -> Iterator[None]:
    """Turn replay's errors into an `OutputError` whose advice fits `--to`."""
    try:
        yield
    except PulsarUnreachable as error:
        raise OutputError(
            f"Pulsar at {error.url} does not answer ({error.cause}): see `make status`, start it "
            "with `make up`, or give another --to"
        ) from None
    except TopicUnusable as error:
        raise OutputError(
            f"no publishing to {error.topic} ({error.cause}): are its tenant and namespace there? "
            "`make up` makes retail/metadata; or name another topic in --to"
        ) from None
    except RunTaken as error:
        raise OutputError(
            f"{error.producer_name} is being published to {error.topic} by another process: wait "
            "for it to end or stop it, or give a --run-id of its own"
        ) from None
    except PublishFailed as error:
        raise OutputError(
            f"{error.topic}: {error.cause}; {error.published:,} were published. What was written "
            "to a JSONL is kept, in FILE.partial where the run broke off: --resume goes on with "
            'it, or `make replay ARGS="--input FILE"` publishes the rest, once Pulsar is well '
            "(`make status`)"
        ) from None
    except ReplayError as error:
        raise OutputError(str(error)) from None
