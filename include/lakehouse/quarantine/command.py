"""`python -m lakehouse quarantine list | show | replay`."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table as RichTable

from frame_contract import Reason
from lakehouse.audit.message_ids import MessageId, UnreadableMessageId
from lakehouse.errors import LakehouseError
from lakehouse.quarantine import rows as quarantine
from lakehouse.quarantine.mending import Mended
from lakehouse.quarantine.replaying import (
    NotInQuarantine,
    Outcome,
    originals,
    replay,
)
from lakehouse.quarantine.rows import QuarantineRow, Selection
from lakehouse.query import Session, session
from lakehouse.settings import LakehouseSettings
from lakehouse.terminal import printable, say
from replay.settings import ReplaySettings

SHOWN = 20
"""Rows that `show` prints unless told otherwise."""
REPLAY_EPILOG = """\
A message is published again, with a new message id, if the contract now takes what it refused, or
with the payload of --payload. Its detections land in Silver once; those that Silver has stay as
they are. Messages that are still unusable, and those of which Silver has detections from before
what its jobs remember, are skipped with the reason. Exit codes: 0 done, 2 bad input or a server is
down.
"""


class FileUnusable(LakehouseError):
    """A file that was named cannot be read or written."""

    def __init__(self, path: Path, cause: str) -> None:
        super().__init__(f"{path}: {cause}")
        self.path, self.cause = path, cause


class OneMessageNeeded(LakehouseError):
    """An option that is for one message was given without naming one."""

    def __init__(self, option: str) -> None:
        super().__init__(f"{option} is for one message: name it with --message ID (`show` has it)")
        self.option = option


def add_command(commands: Any) -> None:
    """Add `quarantine` and its three commands to the command line."""
    parser = commands.add_parser(
        "quarantine", help="what could not be used, and why: count it, look at it, replay it"
    )
    steps = parser.add_subparsers(required=True, metavar="COMMAND")

    counted = steps.add_parser("list", help="counts by reason, store and camera")
    _add_selection(counted)
    counted.set_defaults(run=run_list)

    shown = steps.add_parser("show", help="rows with their details and payload, oldest first")
    _add_selection(shown, with_message=True)
    shown.add_argument("--limit", type=_positive, default=SHOWN, help="default: %(default)s rows")
    shown.add_argument(
        "--write",
        type=Path,
        metavar="FILE",
        help="write the message's payload, byte for byte, to correct it there",
    )
    shown.set_defaults(run=run_show)

    replayed = steps.add_parser(
        "replay",
        help="publish messages again, as they are or corrected",
        epilog=REPLAY_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_selection(replayed, with_message=True)
    replayed.add_argument(
        "--payload",
        type=Path,
        metavar="FILE",
        help="publish this in place of the message's payload",
    )
    replayed.add_argument("--again", action="store_true", help="also what has been replayed before")
    replayed.set_defaults(run=run_replay)


def run_list(arguments: argparse.Namespace, settings: LakehouseSettings, console: Console) -> int:
    """Print the counts."""
    with session(settings) as trino:
        counts = quarantine.counts(trino, _selection(arguments))
    shown = RichTable(title=f"{settings.database}.silver_quarantine", title_justify="left")
    for heading, justify in (
        ("reason", "left"),
        ("store", "left"),
        ("camera", "left"),
        ("rows", "right"),
        ("not replayed", "right"),
        ("messages", "right"),
        ("since (UTC)", "left"),
        ("until (UTC)", "left"),
    ):
        shown.add_column(heading, justify=justify)  # type: ignore[arg-type]
    for each in counts:
        shown.add_row(
            each.reason,
            printable(each.store_id or ""),
            printable(each.camera_id or ""),
            f"{each.quarantined:,}",
            f"{each.not_replayed:,}",
            f"{each.messages:,}",
            f"{each.first_ts:%Y-%m-%d %H:%M}",
            f"{each.last_ts:%Y-%m-%d %H:%M}",
        )
    console.print(shown)
    total = sum(each.quarantined for each in counts)
    left = sum(each.not_replayed for each in counts)
    say(console, f"{total:,} rows, {left:,} of them not replayed")
    return 0


def run_show(arguments: argparse.Namespace, settings: LakehouseSettings, console: Console) -> int:
    """Print the rows; write the message's payload if asked."""
    selection = _selection(arguments)
    if arguments.write is not None and selection.message_id is None:
        raise OneMessageNeeded("--write")
    with session(settings) as trino:
        rows = quarantine.rows(trino, selection, arguments.limit)
        if not rows and selection.message_id is not None:
            raise NotInQuarantine(selection.message_id)
        payload = _payload_of(trino, rows) if arguments.write is not None else b""
    for row in rows:
        _show(row, console)
    if arguments.write is not None:
        try:
            arguments.write.write_bytes(payload)
        except OSError as error:
            raise FileUnusable(arguments.write, error.strerror or str(error)) from error
        say(console, f"{len(payload):,} bytes written to {arguments.write}")
    elif len(rows) == arguments.limit:
        say(console, f"the oldest {len(rows):,} rows; --limit N shows more")
    return 0


def run_replay(arguments: argparse.Namespace, settings: LakehouseSettings, console: Console) -> int:
    """Replay, telling of each message what became of it."""
    selection = _selection(arguments)
    if arguments.payload is not None and selection.message_id is None:
        raise OneMessageNeeded("--payload")
    outcomes = replay(
        selection,
        settings,
        ReplaySettings.from_env(),
        corrected=None if arguments.payload is None else _read(arguments.payload),
        again=arguments.again,
        tell=lambda outcome: _tell(outcome, console),
    )
    replayed = sum(isinstance(each.verdict, Mended) for each in outcomes)
    say(console, f"{replayed:,} messages replayed, {len(outcomes) - replayed:,} skipped")
    return 0


def _tell(outcome: Outcome, console: Console) -> None:
    verdict = outcome.verdict
    if isinstance(verdict, Mended):
        told = f"replayed: {verdict.gained} detections for Silver, {verdict.kept} there already"
    else:
        told = f"skipped: {printable(verdict.why)}"
    say(console, f"{_id(outcome.message_id)} {told}")


def _show(row: QuarantineRow, console: Console) -> None:
    replayed = "" if row.replayed_ts is None else f", replayed {row.replayed_ts:%Y-%m-%d %H:%M:%S}"
    say(console, f"{row.reason} · {row.ingest_ts:%Y-%m-%d %H:%M:%S} UTC{replayed}")
    say(console, f"  message {_id(row.message_id)}")
    where = {"store": row.store_id, "camera": row.camera_id, "run": row.run_id}
    named = " · ".join(f"{name} {printable(value)}" for name, value in where.items() if value)
    if named:
        say(console, f"  {named}")
    say(console, f"  {printable(row.detail)}")
    say(console, f"  {printable(row.payload)}")


def _id(message_id: bytes) -> str:
    return f"{message_id.hex()} ({MessageId.parse(message_id)})"


def _payload_of(trino: Session, rows: tuple[QuarantineRow, ...]) -> bytes:
    message_id = rows[0].message_id
    found = originals(trino, {message_id: rows})
    if message_id not in found:
        raise LakehouseError(f"message {message_id.hex()} is no longer in bronze_raw")
    return found[message_id].payload


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise FileUnusable(path, error.strerror or str(error)) from error


def _add_selection(parser: argparse.ArgumentParser, *, with_message: bool = False) -> None:
    parser.add_argument(
        "--reason",
        choices=[str(each) for each in Reason],
        metavar="CODE",
        help="a reason code (docs/message.md)",
    )
    parser.add_argument("--store", metavar="ID")
    parser.add_argument("--camera", metavar="ID")
    parser.add_argument(
        "--since",
        type=_moment,
        metavar="TIME",
        help="quarantined then or later: 2026-11-24 or 2026-11-24T10:15:00Z (UTC)",
    )
    if with_message:
        parser.add_argument(
            "--message", type=_message_id, metavar="ID", help="one message, by its id in hex"
        )


def _selection(arguments: argparse.Namespace) -> Selection:
    return Selection(
        reason=arguments.reason,
        store_id=arguments.store,
        camera_id=arguments.camera,
        since=arguments.since,
        message_id=getattr(arguments, "message", None),
    )


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"{text!r} is no time such as 2026-11-24") from None


def _message_id(text: str) -> bytes:
    try:
        message_id = bytes.fromhex(text)
        MessageId.parse(message_id)
    except (ValueError, UnreadableMessageId):
        raise argparse.ArgumentTypeError(f"{text!r} is no message id in hex") from None
    return message_id


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"1 or more, not {number}")
    return number
