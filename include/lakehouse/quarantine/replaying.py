"""Publishing quarantined messages again, so that what is usable now reaches Silver once."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count

from frame_contract import (
    ContractViolation,
    decode,
    event_time_ms,
    explain,
    identity,
    known_properties,
    message_key,
)
from lakehouse.errors import LakehouseError
from lakehouse.quarantine import rows as quarantine
from lakehouse.quarantine.mending import (
    DetectionKey,
    Mended,
    Skipped,
    judge,
    remembered_since,
)
from lakehouse.quarantine.rows import QuarantineRow, Selection
from lakehouse.query import Session, session
from lakehouse.settings import LakehouseSettings
from replay.message import Message
from replay.settings import ReplaySettings
from replay.topic import Outbox, Topic

REPLAYED_FROM = "replayed_from"
"""Property of a message that was published again: the message id, in hex, that it stands for."""
MESSAGES_AT_ONCE = 100
"""Published, then marked; at most 4 MiB each are held in memory."""
_PROPERTIES = ("store_id", "camera_id", "stream_id", "run_id", "frame_index", "capture_ts")


class NotInQuarantine(LakehouseError):
    """No row of the quarantine has this message id."""

    def __init__(self, message_id: bytes) -> None:
        super().__init__(
            f"no row of silver_quarantine is of message {message_id.hex()}: "
            "`quarantine show` prints the ids"
        )
        self.message_id = message_id


class CorrectionUnusable(LakehouseError):
    """The corrected payload breaks the message's contract too."""

    def __init__(self, violation: ContractViolation) -> None:
        super().__init__(
            f"the corrected payload breaks the contract (docs/message.md): {violation}"
        )
        self.problems = violation.problems


@dataclass(frozen=True)
class Original:
    """The message as Bronze has it."""

    payload: bytes
    properties: dict[str, str]


@dataclass(frozen=True)
class Outcome:
    """What became of one message."""

    message_id: bytes
    verdict: Mended | Skipped


def replay(
    selection: Selection,
    settings: LakehouseSettings,
    of_topic: ReplaySettings,
    *,
    corrected: bytes | None = None,
    again: bool = False,
    tell: Callable[[Outcome], None] = lambda _: None,
) -> list[Outcome]:
    """Publish the selection's messages again, each with all its rows, and mark what that settles.

    A message is published if the contract can now use what it could not (or if `corrected`, which
    takes the place of its payload, keeps the whole contract) and if Silver cannot double by it.
    Cut off, it may have published messages that are not marked yet, `MESSAGES_AT_ONCE` at most;
    published once more, Silver keeps one of each detection.

    :raises NotInQuarantine: one message is meant, and it has no row.
    :raises CorrectionUnusable: `corrected` breaks the contract.
    """
    if corrected is not None:
        _check_correction(corrected)
    with session(settings) as trino:
        chosen = quarantine.message_ids(trino, selection, again=again)
        one = selection.message_id
        if one is not None and not quarantine.message_ids(trino, selection, again=True):
            raise NotInQuarantine(one)
    outcomes: list[Outcome] = []
    if not chosen:
        return outcomes
    producer_name = f"quarantine-replay-{uuid.uuid4().hex}"
    numbers = count(1)
    with Topic(of_topic) as topic:
        for start in range(0, len(chosen), MESSAGES_AT_ONCE):
            part = chosen[start : start + MESSAGES_AT_ONCE]
            judged = _judged(part, settings, corrected, again=again)
            outbox = Outbox(of_topic)
            for message_id, original, verdict in judged:
                if isinstance(verdict, Mended):
                    sent = _message(producer_name, next(numbers), message_id, original)
                    outbox.send(topic.producer(producer_name), sent)
            outbox.drain()
            settled = [
                row
                for _, _, verdict in judged
                if isinstance(verdict, Mended)
                for row in verdict.rows
            ]
            quarantine.mark_replayed(settings, settled, datetime.now(UTC))
            for message_id, _, verdict in judged:
                outcomes.append(Outcome(message_id, verdict))
                tell(outcomes[-1])
    return outcomes


def originals(
    trino: Session, rows_of: Mapping[bytes, Sequence[QuarantineRow]]
) -> dict[bytes, Original]:
    """The messages of these rows, as far as Bronze has them."""
    times = [row.ingest_ts for each in rows_of.values() for row in each]
    values = [list(rows_of), min(times), max(times)]
    found = {}
    for message_id, payload, *known in quarantine.ask(trino, "bronze_messages.sql", values):
        told = dict(zip(_PROPERTIES, known, strict=True))
        properties = {name: str(value) for name, value in told.items() if value is not None}
        found[bytes(message_id)] = Original(bytes(payload), properties)
    return found


def _judged(
    message_ids: Sequence[bytes],
    settings: LakehouseSettings,
    corrected: bytes | None,
    *,
    again: bool,
) -> list[tuple[bytes, Original, Mended | Skipped]]:
    """Each message as it is to be published, and whether it is."""
    since = remembered_since(datetime.now(UTC))
    with session(settings) as trino:
        rows_of = quarantine.rows_of(trino, message_ids)
        messages = originals(trino, rows_of)
        if corrected is not None:
            nothing = Original(b"", {})
            messages = {
                each: replace(messages.get(each, nothing), payload=corrected)
                for each in message_ids
            }
        in_silver = _in_silver(trino, messages.values())
    judged: list[tuple[bytes, Original, Mended | Skipped]] = []
    for each in message_ids:
        message = messages.get(each)
        rows = [row for row in rows_of[each] if again or row.replayed_ts is None]
        if message is None:
            gone = "its message is no longer in bronze_raw: give it with --payload"
            judged.append((each, Original(b"", {}), Skipped(gone)))
        else:
            judged.append((each, message, judge(message.payload, rows, in_silver, since)))
    return judged


def _in_silver(trino: Session, messages: Iterable[Original]) -> dict[DetectionKey, datetime]:
    frames = (explain(each.payload).frame for each in messages)
    identities = sorted({identity(frame) for frame in frames if frame is not None})
    if not identities:
        return {}
    times = [each.capture_ts for each in identities]
    values = [identities, min(times), max(times)]
    return {
        DetectionKey(*row[:6]): row[6]
        for row in quarantine.ask(trino, "detections_of_frames.sql", values)
    }


def _message(name: str, number: int, message_id: bytes, original: Original) -> Message:
    """How it is published again: with what is known of it, and whose place it takes."""
    report = explain(original.payload)
    frame = report.frame
    return Message(
        name,
        number,
        original.payload,
        {
            **original.properties,
            **known_properties(report.known),
            REPLAYED_FROM: message_id.hex(),
        },
        None if frame is None else message_key(frame),
        None if frame is None else event_time_ms(frame),
    )


def _check_correction(payload: bytes) -> None:
    try:
        decode(payload)
    except ContractViolation as violation:
        raise CorrectionUnusable(violation) from None
