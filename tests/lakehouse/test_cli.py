"""The command line: settings, errors in one line, and the report's reading of a run."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from pyiceberg.catalog import Catalog
from pyiceberg.types import DoubleType, LongType

from lakehouse import tables
from lakehouse.__main__ import main
from lakehouse.backfill.claims import claim, claimed_days
from lakehouse.errors import InvalidSetting
from lakehouse.report.run import read_run
from lakehouse.schema import TABLES, Column
from lakehouse.settings import LakehouseSettings

SUMMARY = {
    "run_id": "r",
    "store_id": "store_01",
    "camera_id": "cam_01",
    "detector": "yolo11n",
    "days": ["2026-11-24"],
    "frames": 10,
    "detections": 20,
}


def test_unset_and_empty_variables_keep_the_defaults() -> None:
    settings = LakehouseSettings.from_env({"RVA_DATABASE": "", "RVA_TRINO_URL": "http://t:1"})
    assert settings == LakehouseSettings(trino_url="http://t:1")


def test_database_that_could_leave_its_place_in_sql_is_refused() -> None:
    with pytest.raises(InvalidSetting, match="RVA_DATABASE"):
        LakehouseSettings(database='rva" --')


@pytest.mark.parametrize("name", ["RVA_CATALOG_URI", "RVA_S3_ENDPOINT", "RVA_TRINO_URL"])
@pytest.mark.parametrize("text", ["http://h:abc", "h:8181", "http://", "http://[1"])
def test_what_is_no_address_is_named(name: str, text: str) -> None:
    with pytest.raises(InvalidSetting, match=name) as refused:
        LakehouseSettings.from_env({name: text})
    assert text in str(refused.value)
    assert "\n" not in str(refused.value)


def test_catalogue_that_is_down_is_one_line_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RVA_CATALOG_URI", "http://127.0.0.1:9")
    assert main(["ensure"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: the Iceberg REST catalogue at http://127.0.0.1:9")
    assert "make up" in error
    assert error.count("\n") == 1


def test_trino_that_is_down_is_one_line_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    summary = tmp_path / "video.summary.json"
    summary.write_text(json.dumps(SUMMARY))
    monkeypatch.setenv("RVA_TRINO_URL", "http://127.0.0.1:9")
    assert main(["report", "--summary", str(summary)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: Trino at http://127.0.0.1:9")
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    "content", [None, "{", "[]", '{"run_id": "r"}'], ids=["missing", "cut off", "list", "fields"]
)
def test_summary_that_cannot_be_read_says_what_to_do(
    tmp_path: Path, content: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "video.summary.json"
    if content is not None:
        path.write_text(content)
    assert main(["report", "--summary", str(path)]) == 2
    assert "make demo" in capsys.readouterr().err


def test_published_frames_come_from_the_replay_beside_the_summary(tmp_path: Path) -> None:
    summary = tmp_path / "video.summary.json"
    summary.write_text(json.dumps(SUMMARY))
    assert read_run(summary).frames_published is None
    (tmp_path / "video.replay.json").write_text('{"published": 4, "already_published": 6}')
    assert read_run(summary).frames_published == 10


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["--store", "s"], "belong together"),
        (["--store", "s", "--camera", "c"], "belong together"),
        (["--store", "s", "--camera", "", "--day", "2026-11-24"], "belong together"),
        (["--store", "s", "--camera", "c", "--day", "2026-11-24", "--summary", "x"], "together"),
        (["--store", "s", "--camera", "c", "--day", "24.11.2026"], "as 2026-11-24"),
        (["--store", "s", "--camera", "c", "--day", "2026-11-31"], "as 2026-11-24"),
        (["--store", "s", "--camera", "c", "--day", "9999-01-01"], "lies in the future"),
    ],
    ids=["store alone", "no day", "empty", "with a run", "other date", "no such day", "future"],
)
def test_report_of_a_day_that_is_not_named_rightly_says_so_before_trino_is_asked(
    given: list[str], told: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RVA_TRINO_URL", "http://127.0.0.1:9")
    assert main(["report", *given]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1


def test_ensure_tells_of_each_table_and_refuses_an_incompatible_change_with_code_2(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("lakehouse.__main__.connect", lambda _: catalog)
    assert main(["ensure"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "rva.bronze_raw created"
    name = "gold_people_per_minute"
    columns = (*TABLES[name].columns, Column("staff", LongType(), "people of the shop"))
    monkeypatch.setitem(TABLES, name, replace(TABLES[name], columns=columns))
    assert main(["ensure"]) == 0
    assert f"rva.{name} evolved: staff\n" in capsys.readouterr().out
    columns = (*columns[:-1], replace(columns[-1], type=DoubleType()))
    monkeypatch.setitem(TABLES, name, replace(TABLES[name], columns=columns))
    assert main(["ensure"]) == 2
    told = capsys.readouterr()
    assert (told.out, told.err.count("\n")) == ("", 1)
    assert told.err.startswith(
        f"error: table rva.{name} cannot be evolved to its definition: column staff is long, "
        "not double"
    )


def test_empty_deletes_only_when_agreed(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tables.ensure_tables(catalog, "rva")
    table = tables.load(catalog, "rva", "bronze_raw")
    row = {"payload": b"x", "message_id": b"1", "ingest_ts": datetime.now(UTC)}
    table.append(pa.Table.from_pylist([row], schema=table.schema().as_arrow()))
    monkeypatch.setattr("lakehouse.__main__.connect", lambda _: catalog)
    monkeypatch.setattr("builtins.input", lambda _: "n")
    assert main(["empty", "bronze_raw"]) == 0
    assert tables.row_count(catalog, "rva", "bronze_raw") == 1
    assert main(["empty", "bronze_raw", "--yes"]) == 0
    assert "1 rows deleted" in capsys.readouterr().out
    assert tables.row_count(catalog, "rva", "bronze_raw") == 0


def test_day_whose_run_will_never_end_is_given_back(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tables.ensure_tables(catalog, "rva")
    silver = tables.load(catalog, "rva", "silver_detection")
    silver.append(pa.Table.from_pylist([], schema=silver.schema().as_arrow()))
    claim(catalog, "rva", date(2026, 11, 24), "a dead run")
    monkeypatch.setattr("lakehouse.backfill.command.connect", lambda _: catalog)
    assert main(["backfill", "release", "2026-11-24"]) == 0
    assert main(["backfill", "release", "2026-11-24"]) == 0
    assert capsys.readouterr().out == "2026-11-24 is released\nnobody has 2026-11-24\n"
    assert claimed_days(catalog, "rva") == {}
    assert main(["backfill", "release", "yesterday"]) == 2
    assert "2026-11-24" in capsys.readouterr().err


@pytest.mark.parametrize("table", ["gold_zone_dwell", "gold_backfill", "data_quality"])
def test_gold_and_records_cannot_be_emptied(capsys: pytest.CaptureFixture[str], table: str) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["empty", table])
    assert stopped.value.code == 2
    assert "invalid choice" in capsys.readouterr().err
