"""The audit: ids read and compared, messages as rows, and what is missing appended once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pulsar
import pyarrow as pa
import pytest
from bronze_columns import CASES, COLUMNS, Case
from hypothesis import given
from hypothesis import strategies as st
from pyiceberg.catalog import Catalog
from pyiceberg.table import Table
from pyiceberg.types import StringType

from lakehouse import tables
from lakehouse.__main__ import main
from lakehouse.audit import auditing
from lakehouse.audit.auditing import held_ids, holds, repair
from lakehouse.audit.bronze_rows import bronze_row
from lakehouse.audit.comparison import Tally
from lakehouse.audit.message_ids import MessageId, UnreadableMessageId
from lakehouse.schema import BRONZE_RAW, TABLES, Column
from replay.retained import RetainedMessage

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
IDS = st.builds(
    MessageId, st.integers(1, 3), st.integers(0, 12), st.sampled_from([-1, 0, 1, 5])
).filter(lambda each: (each.batch_index == -1) == (each.entry % 3 == 0))
"""An entry is a batch or is none, never both."""


def message(
    entry: int, payload: bytes = b"{}", properties: dict[str, str] | None = None
) -> RetainedMessage:
    return RetainedMessage(
        pulsar.MessageId(ledger_id=7, entry_id=entry).serialize(),
        payload,
        properties or {},
        1_795_515_341_133 + entry,
    )


@given(
    st.integers(0, 2**40), st.integers(0, 2**40), st.integers(-1, 10), st.integers(-1, 2**31 - 1)
)
def test_id_that_pulsar_serialises_is_read_whatever_its_partition(
    ledger: int, entry: int, partition: int, batch_index: int
) -> None:
    serialised = pulsar.MessageId(partition, ledger, entry, batch_index).serialize()
    assert MessageId.parse(serialised) == (ledger, entry, batch_index)


def test_id_of_a_batch_of_a_java_client_and_of_a_chunk_is_read() -> None:
    batch = bytes.fromhex("0807100820023064")  # … batch_index 2, batch_size 100
    chunk = bytes.fromhex("080710083a0408071005")  # … first_chunk_message_id
    assert MessageId.parse(batch) == (7, 8, 2)
    assert MessageId.parse(chunk) == (7, 8, -1)


@pytest.mark.parametrize("data", [b"", b"\x08", b"\x08\x07", b"plainly none"])
def test_bytes_that_are_no_id_are_refused(data: bytes) -> None:
    with pytest.raises(UnreadableMessageId, match="no serialised Pulsar message id"):
        MessageId.parse(data)


@given(st.sets(IDS, max_size=30), st.lists(IDS, max_size=40))
def test_every_message_is_held_missing_or_not_yet_read(
    retained: set[MessageId], held: Sequence[MessageId]
) -> None:
    tally = Tally()
    for each in retained:
        tally.retained(f"partition {each.ledger % 2}", each)
    for each in held:
        tally.held(each)
    verdict = tally.compare()

    missing, later, doubled = set(), set(), set()
    for each in retained:
        newest = max(
            (other for other in held if other in retained and (other[0] - each[0]) % 2 == 0),
            default=MessageId(0, 0),
        )
        if held.count(each) > 1:
            doubled.add(each)
        elif each not in held:
            (missing if each < newest else later).add(each)
    assert {each for ids in verdict.missing.values() for each in ids} == missing
    assert {each for ids in verdict.doubled.values() for each in ids} == doubled
    assert (verdict.retained, verdict.not_yet_read) == (len(retained), len(later))
    ledgers = {each.ledger for each in retained}
    assert verdict.let_go == sum(
        each.ledger not in ledgers and each.ledger < max(ledgers, default=0) for each in held
    )
    assert all(list(ids) == sorted(ids) for ids in verdict.missing.values())
    assert verdict.is_clean == (not missing and not doubled)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_columns_are_those_that_the_job_writes(case: Case) -> None:
    row = bronze_row(message(1, case.payload, case.properties), NOW)
    assert tuple(row[name] for name in COLUMNS) == case.columns


def test_row_keeps_bytes_id_and_publish_time() -> None:
    row = bronze_row(message(1, b"\xff\x00"), NOW)
    assert (row["payload"], row["message_id"].hex()) == (b"\xff\x00", "080710013000")
    assert row["publish_ts"] == datetime(2026, 11, 24, 10, 15, 41, 134_000, tzinfo=UTC)
    assert row["ingest_ts"] == NOW


def held(catalog: Catalog) -> list[int]:
    table = tables.load(catalog, "rva", "bronze_raw")
    return sorted(MessageId.parse(each).entry for each in held_ids(table))


def test_repair_appends_what_is_missing_in_one_commit_and_twice_is_as_once(
    catalog: Catalog,
) -> None:
    tables.ensure_tables(catalog, "rva")
    assert repair(catalog, "rva", [message(1), message(3)]) == 2
    assert repair(catalog, "rva", [message(1), message(2), message(3)]) == 1
    assert repair(catalog, "rva", [message(1), message(2), message(3)]) == 0
    assert repair(catalog, "rva", []) == 0
    assert held(catalog) == [1, 2, 3]
    assert len(tables.load(catalog, "rva", "bronze_raw").snapshots()) == 2


@pytest.mark.parametrize(
    ("entries", "held"),
    [([3], True), ([1, 3], True), ([4], False), ([3, 5], False), ([], True)],
    ids=str,
)
def test_bronze_holds_messages_when_it_has_each(
    catalog: Catalog, entries: list[int], held: bool
) -> None:
    tables.ensure_tables(catalog, "rva")
    repair(catalog, "rva", [message(1), message(3)])
    assert holds(catalog, "rva", [message(each) for each in entries]) is held


def test_repair_leaves_columns_of_a_newer_version_null(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as newer:
        columns = (*BRONZE_RAW.columns, Column("added", StringType(), "of a newer version"))
        newer.setitem(TABLES, BRONZE_RAW.name, replace(BRONZE_RAW, columns=columns))
        tables.ensure_tables(catalog, "rva")
    assert repair(catalog, "rva", [message(1)]) == 1
    assert held(catalog) == [1]
    rows = tables.load(catalog, "rva", BRONZE_RAW.name).scan().to_arrow()
    assert rows["added"].to_pylist() == [None]


def test_two_repairs_at_once_append_each_message_once(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables.ensure_tables(catalog, "rva")
    loaded: list[int] = []

    def load_and_be_overtaken(catalog: Catalog, database: str, name: str) -> Table:
        table = tables.load(catalog, database, name)
        loaded.append(len(loaded))
        if len(loaded) == 1:
            assert repair(catalog, database, [message(1), message(2)]) == 2
        return table

    monkeypatch.setattr(auditing, "load", load_and_be_overtaken)
    assert repair(catalog, "rva", [message(1), message(2), message(3)]) == 1
    assert held(catalog) == [1, 2, 3]


def test_repair_goes_on_past_the_commits_of_the_job(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables.ensure_tables(catalog, "rva")
    commits = iter(range(10, 13))

    def load_and_be_overtaken(catalog: Catalog, database: str, name: str) -> Table:
        table = tables.load(catalog, database, name)
        for entry in commits:
            job = tables.load(catalog, database, name)
            row = bronze_row(message(entry), NOW)
            job.append(pa.Table.from_pylist([row], schema=job.schema().as_arrow()))
            break
        return table

    monkeypatch.setattr(auditing, "load", load_and_be_overtaken)
    assert repair(catalog, "rva", [message(1)]) == 1
    assert held(catalog) == [1, 10, 11, 12]


def test_pulsar_that_is_down_is_one_line_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, catalog: Catalog, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("lakehouse.audit.command.connect", lambda _: catalog)
    monkeypatch.setenv("RVA_PULSAR_URL", "pulsar://127.0.0.1:9")
    assert main(["audit"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: Pulsar at pulsar://127.0.0.1:9 does not answer")
    assert error.count("\n") == 1
