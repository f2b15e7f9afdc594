"""`python -m lakehouse audit`, on a broker in memory and a catalogue in a temporary folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pulsar
import pytest
from fake_pulsar import FakeBroker, FakeMessage, Stored, running
from pyiceberg.catalog import Catalog
from pyiceberg.expressions import In

from lakehouse import tables
from lakehouse.__main__ import main
from lakehouse.audit.auditing import repair
from lakehouse.audit.message_ids import as_flink_writes
from lakehouse.erasure.replacing import replace
from lakehouse.retention.horizons import advance
from replay import retained
from replay.retained import RetainedMessage

MESSAGES = 30
DESCRIBED = {"store_id": "s", "camera_id": "c", "stream_id": "t", "run_id": "r\x1b[31m"}


@pytest.fixture
def broker(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeBroker]:
    """A topic of which Bronze has the first 20 messages."""
    tables.ensure_tables(catalog, "rva")
    monkeypatch.setattr("lakehouse.audit.command.connect", lambda _: catalog)
    made = FakeBroker()
    for entry in range(MESSAGES):
        properties = {**DESCRIBED, "frame_index": str(entry)}
        made.store(Stored("p", entry + 1, b"\xff%d" % entry, properties, None, None))
    with running(made, monkeypatch):
        repair(catalog, "rva", messages(made)[:20])
        yield made


def messages(broker: FakeBroker) -> list[RetainedMessage]:
    return [retained._retained(FakeMessage(each, n)) for n, each in enumerate(broker.stored)]


def table_of(catalog: Catalog) -> tables.Table:
    return tables.load(catalog, "rva", "bronze_raw")


def take_out(catalog: Catalog, broker: FakeBroker, *entries: int) -> None:
    gone = [as_flink_writes(messages(broker)[entry].message_id) for entry in entries]
    table_of(catalog).delete(In("message_id", gone))


def test_bronze_that_lacks_only_the_end_is_clean(
    broker: FakeBroker, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit"]) == 0
    assert "0 missing, 0 doubled, 10 not yet read" in capsys.readouterr().out


def test_what_may_have_been_erased_is_not_put_back_unless_it_is_asked_for(
    broker: FakeBroker, catalog: Catalog, capsys: pytest.CaptureFixture[str]
) -> None:
    """The topic still has it: a repair would undo the erasure."""
    take_out(catalog, broker, 0, 7)
    replace(table_of(catalog), (), (), 2)
    assert main(["audit", "--repair"]) == 1
    told = capsys.readouterr().out
    assert "0 missing messages appended" in told
    assert "2 were published before rows were last erased" in told
    assert main(["audit", "--repair", "--erased-too"]) == 0
    assert "2 missing messages appended" in capsys.readouterr().out


def test_missing_messages_are_named_then_repaired_then_there(
    broker: FakeBroker, catalog: Catalog, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    before = table_of(catalog).scan().to_arrow().drop_columns(["ingest_ts"])
    take_out(catalog, broker, 0, 7, 8)
    findings = tmp_path / "findings.jsonl"
    assert main(["audit", "--findings", str(findings)]) == 1
    told = capsys.readouterr().out
    assert "3 missing, 0 doubled, 10 not yet read" in told
    assert (
        "missing 1:7 (080110073000) store_id=s camera_id=c run_id='r\\x1b[31m' frame_index=7"
        in told
    )
    found = [json.loads(line) for line in findings.read_text().splitlines()]
    assert [(each["fault"], each["id"], each["frame_index"]) for each in found] == [
        ("missing", "1:0", 0),
        ("missing", "1:7", 7),
        ("missing", "1:8", 8),
    ]

    assert main(["audit", "--repair"]) == 0
    assert "3 missing messages appended" in capsys.readouterr().out
    assert main(["audit"]) == 0
    after = table_of(catalog).scan().to_arrow().drop_columns(["ingest_ts"])
    assert after.sort_by("message_id") == before.sort_by("message_id")


def test_doubled_message_is_named_and_left(
    broker: FakeBroker, catalog: Catalog, capsys: pytest.CaptureFixture[str]
) -> None:
    table = table_of(catalog)
    first = as_flink_writes(messages(broker)[0].message_id)
    table.append(table.scan(row_filter=In("message_id", [first])).to_arrow())
    assert main(["audit", "--repair"]) == 1
    told = capsys.readouterr().out
    assert "0 missing, 1 doubled" in told
    assert "doubled 1:0 (080110003000)" in told


def test_what_the_topic_has_let_go_is_told_and_is_no_fault(
    broker: FakeBroker, catalog: Catalog, capsys: pytest.CaptureFixture[str]
) -> None:
    earlier = [pulsar.MessageId(ledger_id=0, entry_id=entry).serialize() for entry in range(2)]
    at_ms = 1_795_515_341_133 - 3_600_000
    left = [RetainedMessage(each, b"{}", {}, at_ms + n * 1000) for n, each in enumerate(earlier)]
    repair(catalog, "rva", left)
    for arguments in (["audit"], ["audit", "--repair"]):
        assert main(arguments) == 0
        told = capsys.readouterr().out
        assert "0 missing, 0 doubled, 10 not yet read" in told
        assert "2 rows are of messages that the topic has let go" in told
        assert "between 2026-11-24 09:15:42 and 2026-11-24 " in told
        assert "cannot be audited" in told
    repair(catalog, "rva", messages(broker)[20:])
    take_out(catalog, broker, 7)
    assert main(["audit", "--repair"]) == 0
    assert "1 missing messages appended" in capsys.readouterr().out


def test_long_list_is_cut_on_the_screen_and_whole_in_the_file(
    broker: FakeBroker, catalog: Catalog, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    repair(catalog, "rva", messages(broker))
    take_out(catalog, broker, *range(25))
    findings = tmp_path / "findings.jsonl"
    assert main(["audit", "--findings", str(findings)]) == 1
    told = capsys.readouterr().out
    assert told.count("\nmissing 1:") == 20
    assert "… and 5 more missing" in told
    assert len(findings.read_text().splitlines()) == 25


def test_empty_topic_beside_rows_cannot_be_compared(
    broker: FakeBroker, catalog: Catalog, capsys: pytest.CaptureFixture[str]
) -> None:
    broker.stored.clear()
    assert main(["audit"]) == 2
    assert "holds no message while bronze_raw has 20 rows" in capsys.readouterr().err
    table_of(catalog).delete()
    assert main(["audit"]) == 0


def test_missing_table_and_unwritable_file_are_one_line_and_exit_code_2(
    broker: FakeBroker, catalog: Catalog, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["audit", "--findings", str(tmp_path / "no" / "file")]) == 2
    assert "cannot write" in capsys.readouterr().err
    catalog.drop_table("rva.bronze_raw")
    assert main(["audit"]) == 2
    error = capsys.readouterr().err
    assert "table rva.bronze_raw does not exist" in error
    assert error.count("\n") == 1


def test_topic_that_stops_answering_is_no_verdict(
    broker: FakeBroker, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise pulsar.Timeout("Pulsar error: TimeOut")

    monkeypatch.setattr("fake_pulsar.FakeReader.read_next", fails)
    assert main(["audit", "--repair"]) == 2
    assert capsys.readouterr().err.startswith("error: Pulsar at pulsar://")


def test_messages_that_bronze_may_have_let_go_are_not_missing_and_not_put_back(
    broker: FakeBroker, catalog: Catalog, capsys: pytest.CaptureFixture[str]
) -> None:
    """The day is kept from its second hour on, as far as clocks can tell."""
    published = datetime.fromtimestamp(messages(broker)[0].publish_ms / 1000, tz=UTC)
    take_out(catalog, broker, 3, 4)
    assert main(["audit"]) == 1
    advance(catalog, "rva", "bronze_raw", published.date() + timedelta(days=1))
    capsys.readouterr()
    assert main(["audit", "--repair"]) == 0
    told = capsys.readouterr().out
    assert "0 missing, 0 doubled, 0 not yet read" in told
    assert "12 messages that were published before it are not there and cannot be audited" in told
    assert table_of(catalog).scan().count() == 18


def test_messages_of_days_that_bronze_keeps_are_missing(
    broker: FakeBroker, catalog: Catalog, capsys: pytest.CaptureFixture[str]
) -> None:
    published = datetime.fromtimestamp(messages(broker)[0].publish_ms / 1000, tz=UTC)
    take_out(catalog, broker, 3, 4)
    advance(catalog, "rva", "bronze_raw", published.date() - timedelta(days=1))
    assert main(["audit"]) == 1
    assert "2 missing" in capsys.readouterr().out
