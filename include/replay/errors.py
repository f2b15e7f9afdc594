"""What can go wrong on the way to Pulsar, each with its facts and what to do next."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple


class ReplayError(Exception):
    """Base of this package's errors."""


class InvalidSetting(ReplayError):
    """A setting has a value that cannot be used."""

    def __init__(self, name: str, value: object, advice: str) -> None:
        super().__init__(f"{name}={value!r} cannot be used: {advice}")
        self.name, self.value = name, value


class InputUnreadable(ReplayError):
    """The file cannot be read, or holds nothing to publish."""

    def __init__(self, path: Path, cause: str) -> None:
        super().__init__(f"{path}: {cause}")
        self.path, self.cause = path, cause


class BadLine(NamedTuple):
    """A line that is no message, and all that is wrong with it."""

    number: int
    detail: str


class InputRefused(ReplayError):
    """Lines break the message's contract; nothing was published."""

    def __init__(self, path: Path, lines: Sequence[BadLine], bad: int, read: int) -> None:
        listed = "".join(f"\n  line {line.number}: {line.detail}" for line in lines)
        more = f"\n  and {bad - len(lines):,} more" if bad > len(lines) else ""
        super().__init__(
            f"{path}: {bad:,} of {read:,} lines break the contract (docs/message.md), nothing was "
            f"published: mend them, or publish all lines as they are with --raw{listed}{more}"
        )
        self.path, self.lines, self.bad, self.read = path, tuple(lines), bad, read


class InputChanged(ReplayError):
    """The file is not what it was when it was checked."""

    def __init__(self, path: Path, number: int) -> None:
        super().__init__(
            f"{path}: line {number} was changed while the file was being published: "
            "wait until its writer is done and run again"
        )
        self.path, self.number = path, number


class PulsarUnreachable(ReplayError):
    """Nothing answers at the address."""

    def __init__(self, url: str, cause: str) -> None:
        super().__init__(
            f"Pulsar at {url} does not answer ({cause}): see `make status`, start it with "
            "`make up`, or set RVA_PULSAR_URL"
        )
        self.url, self.cause = url, cause


class TopicUnusable(ReplayError):
    """The broker answers, and there is no publishing to the topic."""

    def __init__(self, topic: str, cause: str) -> None:
        super().__init__(
            f"no publishing to {topic} ({cause}): are its tenant and namespace there? "
            "`make up` makes retail/metadata; or set RVA_TOPIC"
        )
        self.topic, self.cause = topic, cause


class TopicUnreadable(ReplayError):
    """The broker answers, and the topic cannot be read to its end."""

    def __init__(self, topic: str, cause: str) -> None:
        super().__init__(
            f"{topic} cannot be read ({cause}): is RVA_TOPIC right? See `make logs S=pulsar`"
        )
        self.topic, self.cause = topic, cause


class RunTaken(ReplayError):
    """Someone else publishes the same run at this moment."""

    def __init__(self, topic: str, producer_name: str) -> None:
        super().__init__(
            f"{producer_name} is being published to {topic} by another replay: wait for it to end "
            "or stop it, then run again"
        )
        self.topic, self.producer_name = topic, producer_name


class PublishFailed(ReplayError):
    """The broker took some frames and then no more."""

    def __init__(self, topic: str, cause: str, published: int) -> None:
        super().__init__(
            f"{topic}: {cause}; {published:,} were published. Run the same command again once "
            "Pulsar is well (`make status`): it goes on where this one ended"
        )
        self.topic, self.cause, self.published = topic, cause, published
