"""Rows of the quarantine, chosen and read by Trino; and the note that they were replayed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from lakehouse.query import Session, change
from lakehouse.settings import LakehouseSettings

SQL_DIR = Path(__file__).resolve().parents[2] / "sql" / "quarantine"
MARKED_AT_ONCE = 5000
"""Rows that one statement marks; Trino takes a million characters, a row is 70."""


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which rows of the quarantine are meant; None: any."""

    reason: str | None = None
    store_id: str | None = None
    camera_id: str | None = None
    since: datetime | None = None
    """Quarantined at this time (UTC) or later."""
    message_id: bytes | None = None

    @property
    def values(self) -> list[object]:
        """In the order in which the SQL texts take them."""
        return [self.reason, self.store_id, self.camera_id, self.since, self.message_id]


class Count(NamedTuple):
    """One row of `list`."""

    reason: str
    store_id: str | None
    camera_id: str | None
    quarantined: int
    messages: int
    not_replayed: int
    first_ts: datetime
    last_ts: datetime


class QuarantineRow(NamedTuple):
    """A message or detection that could not be used."""

    message_id: bytes
    reason: str
    detail: str
    payload: str
    ingest_ts: datetime
    replayed_ts: datetime | None
    store_id: str | None
    camera_id: str | None
    run_id: str | None

    @property
    def concerns_message(self) -> bool:
        """Whether the whole message is unusable; if not, one of its detections is."""
        return self.reason.startswith("message_")

    @property
    def row_hash(self) -> bytes:
        """What `mark_replayed.sql` finds the row by."""
        key = f"{self.message_id.hex().upper()} {self.reason} {self.detail}"
        return hashlib.sha256(key.encode()).digest()


def counts(trino: Session, selection: Selection) -> tuple[Count, ...]:
    """How much is in quarantine, by reason, store and camera; most unworked first."""
    return tuple(Count(*row) for row in ask(trino, "counts.sql", selection.values))


def rows(trino: Session, selection: Selection, limit: int) -> tuple[QuarantineRow, ...]:
    """The oldest rows that are meant."""
    return tuple(_row(row) for row in ask(trino, "rows.sql", [*selection.values, limit]))


def message_ids(trino: Session, selection: Selection, *, again: bool) -> tuple[bytes, ...]:
    """Messages with a row that is meant and not replayed yet (`again`: or is), oldest first."""
    asked = ask(trino, "messages.sql", [*selection.values, again])
    return tuple(bytes(row[0]) for row in asked)


def rows_of(trino: Session, message_ids: Sequence[bytes]) -> dict[bytes, list[QuarantineRow]]:
    """Every row that these messages have, by message."""
    found: dict[bytes, list[QuarantineRow]] = {each: [] for each in message_ids}
    for row in ask(trino, "rows_of_messages.sql", [list(message_ids)]):
        found[bytes(row[0])].append(_row(row))
    return found


def mark_replayed(
    settings: LakehouseSettings, marked: Sequence[QuarantineRow], at: datetime
) -> None:
    """Note that these rows were replayed.

    :raises QueryFailed: the statement failed, or met another commit at every attempt.
    """
    for start in range(0, len(marked), MARKED_AT_ONCE):
        part = marked[start : start + MARKED_AT_ONCE]
        times = [row.ingest_ts for row in part]
        values = [at, min(times), max(times), [row.row_hash for row in part]]
        change(settings, _text("mark_replayed.sql"), values)


def ask(trino: Session, name: str, values: Sequence[object]) -> tuple[tuple[Any, ...], ...]:
    """The rows that one of the texts in `sql/quarantine` gives."""
    return trino.ask(_text(name), values).rows


def _text(name: str) -> str:
    return (SQL_DIR / name).read_text(encoding="utf-8")


def _row(row: tuple[Any, ...]) -> QuarantineRow:
    message_id, reason, detail, payload, *others = row
    return QuarantineRow(bytes(message_id or b""), reason, detail, payload or "", *others)
