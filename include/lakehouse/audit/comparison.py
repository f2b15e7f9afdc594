"""Which of the topic's messages Bronze lacks or has twice. Pure: ids in, verdict out.

A message that Bronze lacks is missing if Bronze has a later one of its partition, since a commit
of bronze_ingest holds all up to some place in the topic; if not, it is only not read yet.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from lakehouse.audit.message_ids import MessageId

_ABSENT, _RETAINED, _HELD, _DOUBLED, _EXPIRED = range(5)


@dataclass(frozen=True)
class Comparison:
    """The verdict; `missing` and `doubled` in the order of the topic, by partition."""

    retained: int
    """Messages that the topic still holds."""
    not_yet_read: int
    """Of these, later than the newest that Bronze has committed."""
    let_go: int
    """Rows of Bronze that cannot be compared: the topic has later messages and not theirs."""
    missing: dict[str, tuple[MessageId, ...]]
    doubled: dict[str, tuple[MessageId, ...]]
    expired: int = 0
    """Messages that Bronze lacks and may have let go: they are older than it is kept."""

    @property
    def missing_count(self) -> int:
        """Messages that Bronze lacks though it has later ones."""
        return sum(map(len, self.missing.values()))

    @property
    def doubled_count(self) -> int:
        """Messages that Bronze holds more than once."""
        return sum(map(len, self.doubled.values()))

    @property
    def is_clean(self) -> bool:
        """Whether nothing is missing or doubled."""
        return not self.missing_count and not self.doubled_count


class Tally:
    """What is known of each message of the topic, in about a byte a message.

    Entries of a ledger are numbered without gaps, so a byte array of each ledger (and of each
    place in a batch) holds them. Ledgers of a partition are numbered in their order.
    """

    def __init__(self) -> None:
        self._states: defaultdict[int, defaultdict[int, bytearray]] = defaultdict(
            lambda: defaultdict(bytearray)
        )
        self._partition_of: dict[int, str] = {}
        self._newest_ledger = -1
        self._let_go = 0

    def retained(self, partition: str, message: MessageId, *, expired: bool = False) -> None:
        """Record a message that the topic holds; all of these before the first row of Bronze.

        :param expired: it is older than Bronze is kept
        """
        self._newest_ledger = max(self._newest_ledger, message.ledger)
        self._partition_of[message.ledger] = partition
        states = self._states[message.ledger][message.batch_index]
        if message.entry >= len(states):
            states.extend(bytes(message.entry + 1 - len(states)))
        states[message.entry] = _EXPIRED if expired else _RETAINED

    def held(self, message: MessageId) -> None:
        """Record a row of Bronze. What is later than all that the topic held is passed over."""
        if message.ledger not in self._states:
            self._let_go += message.ledger < self._newest_ledger
            return
        states = self._states[message.ledger].get(message.batch_index, bytearray())
        if message.entry < len(states) and states[message.entry] != _ABSENT:
            before = states[message.entry]
            states[message.entry] = _HELD if before == _EXPIRED else min(before + 1, _DOUBLED)

    def compare(self) -> Comparison:
        """Judge what has been recorded."""
        retained = expired = 0
        waiting: defaultdict[str, list[MessageId]] = defaultdict(list)
        missing: defaultdict[str, list[MessageId]] = defaultdict(list)
        doubled: defaultdict[str, list[MessageId]] = defaultdict(list)
        for ledger in sorted(self._states):
            partition = self._partition_of[ledger]
            for message, state in self._in_order(ledger):
                retained += 1
                if state == _EXPIRED:
                    expired += 1
                    continue
                if state == _RETAINED:
                    waiting[partition].append(message)
                    continue
                missing[partition] += waiting.pop(partition, ())
                if state == _DOUBLED:
                    doubled[partition].append(message)
        return Comparison(
            retained=retained,
            not_yet_read=sum(map(len, waiting.values())),
            let_go=self._let_go,
            missing={name: tuple(ids) for name, ids in missing.items() if ids},
            doubled={name: tuple(ids) for name, ids in doubled.items()},
            expired=expired,
        )

    def _in_order(self, ledger: int) -> Iterator[tuple[MessageId, int]]:
        batches = sorted(self._states[ledger].items())
        for entry in range(max(len(states) for _, states in batches)):
            for batch_index, states in batches:
                if entry < len(states) and states[entry] != _ABSENT:
                    yield MessageId(ledger, entry, batch_index), states[entry]
