"""Which days are let go, which stay for whom, and what is recorded; Trino deletes elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from pyiceberg.catalog import Catalog
from pyiceberg.expressions import LessThan, Reference
from pyiceberg.expressions.literals import literal
from pyiceberg.table.snapshots import Snapshot

from lakehouse.backfill.day_files import day_files
from lakehouse.errors import InvalidSetting
from lakehouse.maintenance.holds import Hold
from lakehouse.query import Answer
from lakehouse.read_positions import Position
from lakehouse.retention import letting_go
from lakehouse.retention.horizons import advance, horizons, kept_since, midnight
from lakehouse.retention.letting_go import NOTHING, LetGo, let_go, oldest_unread, would_go
from lakehouse.retention.settings import RULES, RetentionSettings
from lakehouse.schema import TABLES
from lakehouse.settings import LakehouseSettings
from lakehouse.tables import ensure_tables, load
from local_stack.settings import KEEP_DAYS

DATABASE, BRONZE = "rva", "bronze_raw"
SETTINGS = LakehouseSettings()
TODAY = date(2026, 11, 24)
NOW = datetime(2026, 11, 24, 4, tzinfo=UTC)
FOREVER = RetentionSettings()
FIVE_DAYS = RetentionSettings(bronze_days=5)


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def receive(catalog: Catalog, *days: date) -> Snapshot:
    """One message of each day, in one commit."""
    table = load(catalog, DATABASE, BRONZE)
    rows = [
        {"payload": b"{}", "message_id": f"{day}".encode(), "ingest_ts": midnight(day)}
        for day in days
    ]
    table.append(pa.Table.from_pylist(rows, schema=table.schema().as_arrow()))
    made = table.current_snapshot()
    assert made is not None
    return made


def days_left(catalog: Catalog) -> list[date]:
    rows = load(catalog, DATABASE, BRONZE).scan().to_arrow().to_pylist()
    return sorted(row["ingest_ts"].date() for row in rows)


def reader(position: Position, why: str = "it reads on from there") -> Hold:
    return Hold("silver_detections", BRONZE, None, why, NOW, position)


def read_to(snapshot: Snapshot, *begun: Snapshot) -> Position:
    return Position(snapshot.sequence_number, frozenset(each.snapshot_id for each in begun))


@pytest.fixture
def bronze(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> Catalog:
    """Tables in a folder; Trino's two questions are answered by PyIceberg."""
    ensure_tables(catalog, DATABASE)

    class Trino:
        def ask(self, sql: str, values: list[str]) -> Answer:
            assert f'FROM "{BRONZE}$files"' in sql
            gone = [day for day in days_left(catalog) if day.isoformat() < values[0]]
            numbers = (len(set(gone)), len(gone), len(set(gone)), 0)
            return Answer((), ((*numbers, min(gone, default=None), max(gone, default=None)),))

    @contextmanager
    def session(_: LakehouseSettings) -> Iterator[Any]:
        yield Trino()

    def change(_: LakehouseSettings, sql: str, values: list[datetime]) -> None:
        assert sql.endswith(f"DELETE FROM {BRONZE}\nWHERE ingest_ts < ?\n")
        before = LessThan(term=Reference("ingest_ts"), value=literal(values[0]))
        load(catalog, DATABASE, BRONZE).delete(before)

    monkeypatch.setattr(letting_go, "session", session)
    monkeypatch.setattr(letting_go, "change", change)
    return catalog


def let_bronze_go(catalog: Catalog, *held: Hold, keep: RetentionSettings = FIVE_DAYS) -> LetGo:
    return let_go(catalog, SETTINGS, BRONZE, held, keep, lambda _: None, now=NOW)


def test_every_table_has_a_rule() -> None:
    assert set(RULES) == set(TABLES)
    assert {f"RVA_KEEP_{rule.upper()}_DAYS" for rule in RULES.values()} == set(KEEP_DAYS)


def test_days_are_read_from_the_environment_and_what_is_unset_is_kept_for_ever() -> None:
    environ = {"RVA_KEEP_BRONZE_DAYS": "7", "RVA_KEEP_SILVER_DAYS": ""}
    found = RetentionSettings.from_env(environ)
    assert found == RetentionSettings(bronze_days=7)
    assert found.first_kept(BRONZE, NOW) == ago(7)
    assert found.first_kept("silver_detection", NOW) is None


@pytest.mark.parametrize(
    "days",
    [
        {"BRONZE": "1", "SILVER": "3", "QUARANTINE": "1", "GOLD": "3", "RECORDS": "30"},
        {"BRONZE": "400", "SILVER": "30"},
        {"QUARANTINE": "400"},
    ],
    ids=["the least of all", "Bronze longer than Silver", "the quarantine alone"],
)
def test_days_that_fit_each_other_are_taken(days: Mapping[str, str]) -> None:
    RetentionSettings.from_env({f"RVA_KEEP_{name}_DAYS": text for name, text in days.items()})


@pytest.mark.parametrize(
    ("days", "told"),
    [
        ({"BRONZE": "0"}, r"RVA_KEEP_BRONZE_DAYS='0' .* 1 to 36500"),
        ({"BRONZE": "-1"}, "RVA_KEEP_BRONZE_DAYS='-1'"),
        ({"QUARANTINE": "a week"}, "RVA_KEEP_QUARANTINE_DAYS='a week'"),
        ({"QUARANTINE": "1.5"}, "RVA_KEEP_QUARANTINE_DAYS='1.5'"),
        ({"BRONZE": "36501"}, "RVA_KEEP_BRONZE_DAYS='36501'"),
        ({"SILVER": "2"}, "RVA_KEEP_SILVER_DAYS='2' .* at least 3"),
        ({"SILVER": "30", "GOLD": "29"}, r"RVA_KEEP_GOLD_DAYS='29' .*RVA_KEEP_SILVER_DAYS: 30"),
        ({"GOLD": "400"}, r"RVA_KEEP_GOLD_DAYS='400' .*RVA_KEEP_SILVER_DAYS: for ever"),
        ({"RECORDS": "29"}, "RVA_KEEP_RECORDS_DAYS='29' .* at least 30"),
    ],
)
def test_days_that_cannot_be_are_refused_and_the_variable_is_named(
    days: Mapping[str, str], told: str
) -> None:
    with pytest.raises(InvalidSetting, match=told):
        RetentionSettings.from_env({f"RVA_KEEP_{name}_DAYS": text for name, text in days.items()})


def test_whole_days_older_than_the_rule_go_and_the_rest_stays(bronze: Catalog) -> None:
    receive(bronze, ago(400), ago(6), ago(5), ago(1), TODAY)
    done = let_bronze_go(bronze)
    assert days_left(bronze) == [ago(5), ago(1), TODAY]
    assert (done.kept_since, done.gone.days, done.gone.rows) == (ago(5), 2, 2)
    assert (done.gone.first_day, done.gone.last_day) == (ago(400), ago(6))
    assert let_bronze_go(bronze) == LetGo(ago(5), NOTHING)


def test_without_a_rule_nothing_goes_and_nothing_is_recorded(bronze: Catalog) -> None:
    receive(bronze, ago(400))
    assert let_bronze_go(bronze, keep=FOREVER) == LetGo(None, NOTHING)
    assert days_left(bronze) == [ago(400)]
    assert horizons(bronze, DATABASE, TABLES) == {}


def test_what_would_go_is_told_and_stays(bronze: Catalog) -> None:
    receive(bronze, ago(6))
    told = would_go(bronze, SETTINGS, BRONZE, (), FIVE_DAYS, now=NOW)
    assert told.gone.rows == 1
    assert str(told.gone) == f"1 rows of 1 days in 1 files ({ago(6)} to {ago(6)})"
    assert days_left(bronze) == [ago(6)]
    assert kept_since(load(bronze, DATABASE, BRONZE)) is None


def test_horizon_is_recorded_before_rows_go(
    bronze: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise OSError("the object store is away")

    receive(bronze, ago(6))
    monkeypatch.setattr(letting_go, "change", fail)
    with pytest.raises(OSError, match="away"):
        let_bronze_go(bronze)
    assert days_left(bronze) == [ago(6)]
    assert horizons(bronze, DATABASE, TABLES) == {BRONZE: ago(5)}


def test_horizon_only_moves_on(bronze: Catalog) -> None:
    advance(bronze, DATABASE, BRONZE, ago(5))
    advance(bronze, DATABASE, BRONZE, ago(9))
    assert horizons(bronze, DATABASE, TABLES) == {BRONZE: ago(5)}
    # a longer rule brings nothing back
    assert let_bronze_go(bronze, keep=RetentionSettings(bronze_days=30)).kept_since == ago(5)
    assert let_bronze_go(bronze, keep=FOREVER).kept_since == ago(5)


def test_row_that_came_for_a_day_let_go_goes_the_next_time(bronze: Catalog) -> None:
    let_bronze_go(bronze)
    receive(bronze, ago(9))
    assert let_bronze_go(bronze).gone.last_day == ago(9)
    assert days_left(bronze) == []


def test_days_that_a_job_has_not_read_stay_and_the_job_is_named(bronze: Catalog) -> None:
    first = receive(bronze, ago(20))
    receive(bronze, ago(8), TODAY)
    receive(bronze, ago(7))
    done = let_bronze_go(bronze, reader(read_to(first)))
    assert done.left == (f"days since {ago(8)} stay: silver_detections has not read all of them",)
    assert days_left(bronze) == [ago(8), ago(7), TODAY]
    assert done.kept_since == ago(8)


def test_day_of_a_file_that_a_job_has_begun_stays(bronze: Catalog) -> None:
    begun = receive(bronze, ago(9))
    newest = receive(bronze, ago(20))
    let_bronze_go(bronze, reader(read_to(newest, begun)))
    assert days_left(bronze) == [ago(9)]


def test_what_a_job_has_read_goes_whatever_was_committed_last(bronze: Catalog) -> None:
    newest = receive(bronze, ago(20))
    assert let_bronze_go(bronze, reader(read_to(newest))).left == ()
    assert days_left(bronze) == []


def test_commit_that_streams_pass_over_holds_nothing(bronze: Catalog) -> None:
    read = receive(bronze, ago(20))
    table = load(bronze, DATABASE, BRONZE)
    files = day_files(table, table.current_snapshot(), ago(20))
    with table.transaction() as transaction, transaction.update_snapshot().overwrite() as update:
        for file in files.data:
            update.delete_data_file(file)
            update.append_data_file(file)
    newest = table.current_snapshot()
    assert newest is not None
    assert newest.summary is not None
    assert newest.summary.operation.value == "overwrite"
    assert oldest_unread(table, read_to(read), TODAY) is None


def test_job_whose_position_cannot_be_known_keeps_all_that_it_reads(bronze: Catalog) -> None:
    receive(bronze, ago(20))
    done = let_bronze_go(bronze, reader(Position(None), "it has no checkpoint"))
    assert done.left == ("no day let go: silver_detections: it has no checkpoint",)
    assert (days_left(bronze), done.kept_since) == ([ago(20)], None)


def test_job_that_only_writes_the_table_keeps_nothing(bronze: Catalog) -> None:
    receive(bronze, ago(20))
    let_bronze_go(bronze, Hold("bronze_ingest", BRONZE, None, "it has no checkpoint", NOW))
    assert days_left(bronze) == []


def test_late_row_that_waits_to_be_read_does_not_take_the_horizon_back(bronze: Catalog) -> None:
    read = receive(bronze, TODAY)
    let_bronze_go(bronze)
    receive(bronze, ago(30))
    done = let_bronze_go(bronze, reader(read_to(read)))
    assert (days_left(bronze), done.kept_since) == ([ago(30), TODAY], ago(5))
