"""`python -m lakehouse audit`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from lakehouse.audit.auditing import TABLE, Audit, audit, repair
from lakehouse.audit.bronze_rows import bronze_row, published_at
from lakehouse.audit.message_ids import MessageId
from lakehouse.catalog import connect
from lakehouse.erasure.replacing import erased_at
from lakehouse.errors import LakehouseError
from lakehouse.settings import LakehouseSettings
from lakehouse.tables import load
from lakehouse.terminal import printable, say
from replay.retained import RetainedMessage, RetainedTopic
from replay.settings import ReplaySettings

CLEAN, NOT_CLEAN = 0, 1
NAMED = 20
"""How many messages are named on the screen; the file names all."""
_IDENTITY = ("store_id", "camera_id", "run_id", "frame_index", "capture_ts")

EPILOG = """\
A message is missing if Bronze lacks it and has a later one; what is later than all that Bronze has
is not yet read, and no error. Where the topic has let messages go that Bronze has, it is not known
whether Bronze had all of them. Exit codes: 0 nothing missing or doubled (or all of it repaired),
1 something is, 2 the audit could not be made.
"""


class UnwritableFile(LakehouseError):
    """The file for the audit's findings cannot be written."""

    def __init__(self, path: Path, cause: str) -> None:
        super().__init__(f"cannot write {path}: {cause}")
        self.path, self.cause = path, cause


def add_command(commands: Any) -> None:
    """Add `audit` to the command line."""
    parser = commands.add_parser(
        "audit",
        help="compare the topic itself with bronze_raw, message by message",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--repair",
        action="store_true",
        help="append exactly the missing messages, in one commit; safe while bronze_ingest runs",
    )
    parser.add_argument(
        "--erased-too",
        action="store_true",
        help="with --repair: also what was published before rows of Bronze were last erased",
    )
    parser.add_argument(
        "--findings", type=Path, metavar="JSONL", help="write every missing or doubled message here"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, settings: LakehouseSettings, console: Console) -> int:
    """Audit, name what was found, repair if asked; 0 clean or repaired, 1 not."""
    of_topic = ReplaySettings.from_env()
    catalog = connect(settings)
    with RetainedTopic(of_topic) as topic:
        found = audit(catalog, settings.database, topic, of_topic.topic)
    comparison = found.comparison
    table = f"{settings.database}.{TABLE}"
    say(console, f"{of_topic.topic}: {comparison.retained:,} messages")
    say(
        console,
        f"{table}: {comparison.missing_count:,} missing, {comparison.doubled_count:,} doubled, "
        f"{comparison.not_yet_read:,} not yet read",
    )
    if found.kept_since is not None:
        say(
            console,
            f"{table} is kept since {found.kept_since}: {comparison.expired:,} messages that were "
            "published before it are not there and cannot be audited (docs/retention.md)",
        )
    if found.gap is not None:
        say(
            console,
            f"{comparison.let_go:,} rows are of messages that the topic has let go. What was "
            f"published between {found.gap.after:%Y-%m-%d %H:%M:%S} and "
            f"{found.gap.before:%Y-%m-%d %H:%M:%S} UTC cannot be audited: Bronze has none of it "
            "(docs/operations.md)",
        )
    for fault, messages in (("missing", found.missing), ("doubled", found.doubled)):
        for line in _names(fault, messages):
            say(console, line)
    if arguments.findings is not None:
        _write(arguments.findings, found)
    if comparison.is_clean:
        return CLEAN
    if not arguments.repair:
        return NOT_CLEAN
    erased = erased_at(load(catalog, settings.database, TABLE))
    lost = [
        each
        for each in found.missing
        if arguments.erased_too or erased is None or published_at(each.publish_ms) > erased
    ]
    repaired = repair(catalog, settings.database, lost)
    say(console, f"{table}: {repaired:,} missing messages appended")
    kept_out = len(found.missing) - len(lost)
    if kept_out:
        say(
            console,
            f"{kept_out:,} were published before rows were last erased ({erased:%Y-%m-%d %H:%M:%S} "
            "UTC) and may be among these: not appended, save by --erased-too (docs/privacy.md)",
        )
    gone = comparison.missing_count - len(found.missing)
    if gone:
        say(console, f"{gone:,} missing messages left the topic meanwhile: they are lost")
    if comparison.doubled_count:
        say(console, "what is doubled stays so: Silver keeps one of each (docs/operations.md)")
    return NOT_CLEAN if kept_out or gone or comparison.doubled_count else CLEAN


def _names(fault: str, messages: Sequence[RetainedMessage]) -> Iterator[str]:
    for message in messages[:NAMED]:
        named = _named(fault, message)
        frame = " ".join(
            f"{name}={printable(named[name])}" for name in _IDENTITY if named[name] is not None
        )
        yield f"{fault} {named['id']} ({named['message_id']}) {frame or 'no frame can be read'}"
    if len(messages) > NAMED:
        yield f"… and {len(messages) - NAMED:,} more {fault}; --findings FILE names all"


def _named(fault: str, message: RetainedMessage) -> dict[str, Any]:
    row = bronze_row(message, datetime.now(UTC))
    return {
        "fault": fault,
        "id": str(MessageId.parse(message.message_id)),
        "message_id": row["message_id"].hex(),
        "publish_ts": row["publish_ts"].isoformat(),
        **{name: row[name] for name in _IDENTITY},
    }


def _write(path: Path, found: Audit) -> None:
    lines = [
        json.dumps(_named(fault, message)) + "\n"
        for fault, messages in (("missing", found.missing), ("doubled", found.doubled))
        for message in messages
    ]
    try:
        path.write_text("".join(lines), encoding="utf-8")
    except OSError as error:
        raise UnwritableFile(path, error.strerror or str(error)) from error
