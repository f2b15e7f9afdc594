"""The thin edge to Pulsar: a connection, its producers, and messages on their way.

Sends are never timed out by the client: it would give up some messages and send later ones,
whose greater sequence ids would make the broker drop the former for ever. It keeps them in order
and sends them again after a reconnection; `Outbox` gives up as a whole instead, so that what the
broker has of a run is always its beginning.
"""

import contextlib
import logging
import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import pulsar

from replay.errors import PublishFailed, PulsarUnreachable, RunTaken, TopicUnusable
from replay.message import Message
from replay.settings import ReplaySettings

PRODUCER_BUSY_RETRY_SECONDS = 5.0
"""A replay that was killed a moment ago may still be registered."""
PRODUCER_BUSY_PAUSE_SECONDS = 0.5
ROOM_POLL_SECONDS = 0.2
WAIT_TOLD_SECONDS = 5.0
"""A broker that acknowledges nothing for so long is told of: who waits wants to know for what."""
DEFAULT_PORT = 6650

logger = logging.getLogger(__name__)


def open_client(settings: ReplaySettings) -> pulsar.Client:
    """A client of the broker; raises `PulsarUnreachable` where nothing listens."""
    _require_listener(settings.pulsar_url, settings.connect_timeout_seconds)
    return pulsar.Client(
        settings.pulsar_url,
        operation_timeout_seconds=max(1, round(settings.connect_timeout_seconds)),
        connection_timeout_ms=round(settings.connect_timeout_seconds * 1000),
        # what matters of its log comes back as results; by default it goes to stdout
        logger=pulsar.FileLogger(pulsar.LoggerLevel.Error, os.devnull),
    )


class Topic:
    """A connection to one topic; a context manager."""

    def __init__(self, settings: ReplaySettings) -> None:
        self._settings = settings
        self._client = open_client(settings)
        self._producers: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with contextlib.suppress(pulsar.PulsarException):
            # a graceful end would wait for messages that the error has given up
            self._client.close() if kind is None else self._client.shutdown()

    def partitions(self) -> int:
        """How many partitions the topic has; 1 if it is not partitioned."""
        with self._naming_errors(""):
            return len(
                self._within_timeout(
                    lambda: self._client.get_topic_partitions(self._settings.topic)
                )
            )

    def producer(self, name: str) -> Any:
        """The open producer of that name.

        Raises `RunTaken` if another process has it, `TopicUnusable`, `PulsarUnreachable`.
        """
        if name not in self._producers:
            self._producers[name] = self._open(name)
        return self._producers[name]

    def last_sequence_id(self, name: str) -> int:
        """The last sequence id that the broker has of the producer; 0 if none."""
        last: int = self.producer(name).last_sequence_id()
        return max(0, last)

    def remembers(self, name: str) -> bool:
        """Whether the broker, asked anew, knows what the producer sent: it deduplicates."""
        self._producers.pop(name).close()
        return self.last_sequence_id(name) > 0

    def _open(self, name: str) -> Any:
        give_up_at = time.monotonic() + PRODUCER_BUSY_RETRY_SECONDS
        while True:
            with self._naming_errors(name):
                try:
                    return self._within_timeout(
                        lambda: self._client.create_producer(
                            self._settings.topic,
                            producer_name=name,
                            batching_enabled=False,
                            send_timeout_millis=0,
                            max_pending_messages=self._settings.in_flight,
                            block_if_queue_full=True,
                        )
                    )
                except pulsar.ProducerBusy:
                    if time.monotonic() >= give_up_at:
                        raise
            time.sleep(PRODUCER_BUSY_PAUSE_SECONDS)

    def _within_timeout(self, call: Callable[[], Any]) -> Any:
        """The call's result; the client's own time limit counts only some of its waiting."""
        outcome: Future[Any] = Future()

        def run() -> None:
            try:
                outcome.set_result(call())
            except Exception as error:  # noqa: BLE001 - it is raised where it is waited for
                outcome.set_exception(error)

        threading.Thread(target=run, daemon=True).start()
        try:
            return outcome.result(self._settings.connect_timeout_seconds)
        except TimeoutError:
            cause = f"no answer in {self._settings.connect_timeout_seconds:g} s"
            raise PulsarUnreachable(self._settings.pulsar_url, cause) from None

    @contextlib.contextmanager
    def _naming_errors(self, name: str) -> Iterator[None]:
        try:
            yield
        except pulsar.ProducerBusy:
            raise RunTaken(self._settings.topic, name) from None
        except (pulsar.ConnectError, pulsar.Timeout, pulsar.NotConnected) as error:
            raise PulsarUnreachable(self._settings.pulsar_url, words(error)) from None
        except pulsar.PulsarException as error:
            raise TopicUnusable(self._settings.topic, words(error)) from None


class Outbox:
    """Messages on their way: a bounded number, each counted when the broker has it.

    `acknowledged` counts, by producer, the messages that the broker has. Some it may have had
    before: those of a lost connection are sent again, and it keeps one of each.
    """

    def __init__(
        self, settings: ReplaySettings, warn: Callable[[str], None] = logger.warning
    ) -> None:
        self._settings, self._warn = settings, warn
        self._is_wait_told = False
        self._room = threading.BoundedSemaphore(settings.in_flight)
        self._lock = threading.Lock()
        self._in_flight = 0
        self._moved_at = time.monotonic()
        self._failure: str | None = None
        self.acknowledged: Counter[str] = Counter()

    def send(self, producer: Any, message: Message) -> None:
        """Hand one message to the client, waiting for room; raises `PublishFailed`."""
        while not self._room.acquire(timeout=ROOM_POLL_SECONDS):
            self._check()
        self._check()
        with self._lock:
            if self._in_flight == 0:
                self._moved_at = time.monotonic()
            self._in_flight += 1
        name = message.producer_name
        try:
            producer.send_async(
                message.payload,
                lambda result, _: self._settled(name, result),
                properties=message.properties,
                partition_key=message.key,
                sequence_id=message.sequence_id,
                event_timestamp=message.event_time_ms,
            )
        except pulsar.PulsarException as error:
            raise self._failed(words(error)) from None

    def drain(self) -> None:
        """Wait until the broker has everything that was sent; raises `PublishFailed`."""
        while True:
            with self._lock:
                if self._in_flight == 0 and self._failure is None:
                    return
            self._check()
            time.sleep(0.005)

    def _check(self) -> None:
        with self._lock:
            failure, in_flight = self._failure, self._in_flight
            silent_seconds = time.monotonic() - self._moved_at if in_flight else 0.0
        if failure is not None:
            raise self._failed(failure)
        if silent_seconds > WAIT_TOLD_SECONDS and not self._is_wait_told:
            self._is_wait_told = True
            self._warn(
                f"Pulsar at {self._settings.pulsar_url} does not answer at the moment: waiting "
                f"for it, up to {self._settings.ack_timeout_seconds:.0f} s"
            )
        if silent_seconds > self._settings.ack_timeout_seconds:
            raise self._failed(
                f"Pulsar at {self._settings.pulsar_url} acknowledged none of {in_flight:,} "
                f"messages for {silent_seconds:.0f} s"
            )

    def _failed(self, cause: str) -> PublishFailed:
        return PublishFailed(self._settings.topic, cause, self.acknowledged.total())

    def _settled(self, name: str, result: Any) -> None:
        with self._lock:
            self._in_flight -= 1
            self._moved_at = time.monotonic()
            self._is_wait_told = False
            if result == pulsar.Result.Ok:
                self.acknowledged[name] += 1
            elif self._failure is None:
                self._failure = f"the broker refused a message ({words(result)})"
        self._room.release()


def _require_listener(url: str, timeout_seconds: float) -> None:
    """Raise `PulsarUnreachable` if nothing listens: the client itself would try for long."""
    cause = "no address"
    for address in urlsplit(url).netloc.split(","):
        host, _, port = address.rpartition(":") if ":" in address else (address, "", "")
        try:
            with socket.create_connection(
                (host.strip("[]"), int(port or DEFAULT_PORT)), timeout_seconds
            ):
                return
        except ValueError:
            cause = f"{port!r} is no port"
        except OSError as error:
            cause = error.strerror or str(error)
    raise PulsarUnreachable(url, cause)


def words(error: object) -> str:
    """`Pulsar error: ResultConnectError` and `Result.ConnectError` as `ConnectError`."""
    words = str(error).removeprefix("Pulsar error: ").removeprefix("Result.")
    return words.removeprefix("Result")
