"""What a topic still holds, read from its beginning; nothing is acknowledged or taken away."""

import contextlib
from collections.abc import Iterator
from types import TracebackType
from typing import Any, NamedTuple, Self

import pulsar

from replay.errors import PulsarUnreachable, TopicUnreadable
from replay.settings import ReplaySettings
from replay.topic import open_client, words

READ_SECONDS = 60.0
"""How long the broker may take to hand out a message that it says it has: it may be starting."""
QUEUE_MESSAGES = 5000
"""Fetched ahead: reading 800-byte messages gets no faster with more."""


class RetainedMessage(NamedTuple):
    """One message as the topic holds it; `message_id` is serialised by this client."""

    message_id: bytes
    payload: bytes
    properties: dict[str, str]
    publish_ms: int


class RetainedTopic:
    """A connection that reads one topic; a context manager.

    Raises `PulsarUnreachable` and `TopicUnreadable`.
    """

    def __init__(self, settings: ReplaySettings) -> None:
        self._settings = settings
        self._client = open_client(settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with contextlib.suppress(pulsar.PulsarException):
            self._client.close()

    def partitions(self) -> tuple[str, ...]:
        """The names of the topic's partitions; its own name if it is not partitioned."""
        with self._naming_errors():
            return tuple(self._client.get_topic_partitions(self._settings.topic))

    def read(
        self, partition: str, ledger: int | None = None, entry: int = 0
    ) -> Iterator[RetainedMessage]:
        """Every message that is there, in order, from the earliest or from a ledger's entry on.

        Messages that were published in one batch come one by one, each with its own id.
        """
        return self._read_from(
            partition,
            pulsar.MessageId.earliest
            if ledger is None
            else pulsar.MessageId(ledger_id=ledger, entry_id=entry),
        )

    def newest(self) -> tuple[RetainedMessage, ...]:
        """The newest message of each partition that has any."""
        found = []
        for partition in self.partitions():
            # of a batch all are given
            messages = list(self._read_from(partition, pulsar.MessageId.latest))
            found += messages[-1:]
        return tuple(found)

    def _read_from(self, partition: str, start: pulsar.MessageId) -> Iterator[RetainedMessage]:
        with self._naming_errors():
            reader = self._client.create_reader(
                partition,
                start,
                receiver_queue_size=QUEUE_MESSAGES,
                start_message_id_inclusive=True,
            )
            try:
                while reader.has_message_available():
                    yield _retained(reader.read_next(timeout_millis=round(READ_SECONDS * 1000)))
            finally:
                reader.close()

    @contextlib.contextmanager
    def _naming_errors(self) -> Iterator[None]:
        try:
            yield
        except (pulsar.ConnectError, pulsar.Timeout, pulsar.NotConnected) as error:
            raise PulsarUnreachable(self._settings.pulsar_url, words(error)) from None
        except pulsar.PulsarException as error:
            raise TopicUnreadable(self._settings.topic, words(error)) from None


def _retained(message: Any) -> RetainedMessage:
    return RetainedMessage(
        message.message_id().serialize(),
        message.data(),
        message.properties(),
        message.publish_timestamp(),
    )
