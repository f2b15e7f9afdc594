"""`python -m lakehouse prove`: what it prints, what it writes, and its exit codes."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from pyiceberg.catalog import Catalog
from small_lakehouse import DAY, NEXT_DAY, SmallLakehouse, lines, walk

from flink_jobs.settings import MOST_GAP_SECONDS, Connections, JobSettings
from lakehouse.__main__ import main
from lakehouse.proving.settings import MOST_SECONDS, ProofSettings


@pytest.fixture
def settled(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> SmallLakehouse:
    """A sound lakehouse, where the command finds it."""
    small = SmallLakehouse(catalog)
    small.receive([*lines(walk()), b"no JSON"])
    small.settle(closed=[DAY, NEXT_DAY])
    monkeypatch.setattr("lakehouse.proving.command.connect", lambda _: catalog)
    monkeypatch.setattr("lakehouse.proving.command.gold_by_trino", lambda _: small.read_gold)
    return small


def prove(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = main(["prove", *arguments])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


@pytest.mark.parametrize(
    "arguments", [[], ["--day", "2026-11-24"], ["--run-id", "store_01-cam_01-1"]], ids=str
)
def test_everything_that_holds_is_exit_code_0(
    settled: SmallLakehouse, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = prove(*arguments, capsys=capsys)
    assert (code, err) == (0, "")
    assert out.endswith("every identity holds\n")
    assert "silver_detection" in out
    assert ("quarantined: 1 message_not_json" in out) is (arguments == [])


def test_what_does_not_hold_is_exit_code_1_and_names_the_first_and_the_keys(
    settled: SmallLakehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = settled.rows("silver_detection")
    settled.replace("silver_detection", rows[1:])
    code, out, _ = prove(capsys=capsys)
    assert code == 1
    assert "silver_detection missing: store_id=store_01 camera_id=cam_01" in out
    assert f"det_id={rows[0]['det_id']}" in out
    last = out.splitlines()[-1]
    assert last.startswith(
        f"does not hold, first: rows of silver_detection {len(rows) - 1} ≠ rows by the messages "
        f"{len(rows)} (-1; 1 missing)"
    )
    assert "gold_people_per_minute" in out


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_keys_are_written_with_table_kind_and_key(
    settled: SmallLakehouse, suffix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    silver, quarantine = settled.rows("silver_detection"), settled.rows("silver_quarantine")
    settled.append("silver_detection", silver[:5])
    settled.replace("silver_quarantine", [])
    file = tmp_path / f"what's wrong{suffix}"
    code, out, _ = prove("--keys", str(file), capsys=capsys)
    assert code == 1
    assert "… and 2 more" in out
    if suffix == ".csv":
        with file.open(encoding="utf-8") as opened:
            rows = list(csv.DictReader(opened))
    else:
        rows = pq.read_table(file).to_pylist()
    doubled = [row for row in rows if row["kind"] == "doubled"]
    assert {row["det_id"] for row in doubled} == {row["det_id"] for row in silver[:5]}
    assert {row["table"] for row in doubled} == {"silver_detection"}
    [missing] = [row for row in rows if row["kind"] == "missing"]
    assert missing["table"] == "silver_quarantine"
    assert missing["message_id"] == quarantine[0]["message_id"].hex()


def test_proof_has_the_jobs_gaps_and_their_bounds() -> None:
    job = JobSettings(job="gold_streaming", connections=Connections())
    proof = ProofSettings()
    for name in ("visit_gap_seconds", "track_gap_seconds", "lateness_seconds"):
        assert getattr(proof, name) == getattr(job, name)
    assert MOST_SECONDS == MOST_GAP_SECONDS


TOMORROW = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d}"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--day", "2026-11-31"], "--day '2026-11-31' cannot be used: write a UTC day"),
        (["--day", "20261124"], "write a UTC day as 2026-11-24"),
        (["--day", "yesterday"], "write a UTC day as 2026-11-24"),
        (["--day", TOMORROW], "it lies in the future"),
        (["--day", "2020-01-01"], "rva knows no day 2020-01-01"),
        (["--day", "0001-01-01"], "rva knows no day 0001-01-01"),
        (["--run-id", "nobody"], "rva knows no run nobody"),
        (["--run-id", ""], "rva knows no run"),
        (["--run-id", "\udcff"], "rva knows no run"),
        (["--messages", "/no/such/file.jsonl"], "--messages /no/such/file.jsonl cannot be used"),
        (["--messages", "."], "--messages . cannot be used"),
        (["--keys", "keys.txt"], "name a .parquet or a .csv"),
        (["--keys", "/no/such/folder/keys.csv"], "its folder does not exist"),
        (["--visit-gap-seconds", "0"], "--visit-gap-seconds='0' cannot be used"),
        (["--lateness-seconds", "0"], "--lateness-seconds='0' cannot be used: give 1 to 86400"),
    ],
    ids=lambda each: ascii(each) if isinstance(each, list) else "",
)
def test_what_cannot_be_proven_is_one_line_and_exit_code_2(
    settled: SmallLakehouse,
    arguments: list[str],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, err = prove(*arguments, capsys=capsys)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert said in err
    assert err.count("\n") == 1


def test_table_that_is_not_there_is_exit_code_2(
    settled: SmallLakehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    settled.catalog.drop_table(("rva", "bronze_raw"))
    code, _, err = prove(capsys=capsys)
    assert code == 2
    assert err.startswith("error: table rva.bronze_raw does not exist")


def test_catalogue_that_is_down_is_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RVA_CATALOG_URI", "http://127.0.0.1:9")
    code, _, err = prove(capsys=capsys)
    assert code == 2
    assert err.startswith("error: the Iceberg REST catalogue at http://127.0.0.1:9")
    assert err.count("\n") == 1


def test_trino_that_is_down_is_exit_code_2(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    SmallLakehouse(catalog)
    monkeypatch.setattr("lakehouse.proving.command.connect", lambda _: catalog)
    monkeypatch.setenv("RVA_TRINO_URL", "http://127.0.0.1:9")
    code, _, err = prove(capsys=capsys)
    assert code == 2
    assert err.startswith("error: Trino at http://127.0.0.1:9")
    assert err.count("\n") == 1


def test_temporary_folder_without_room_is_exit_code_2(
    settled: SmallLakehouse, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/proc")
    code, _, err = prove(capsys=capsys)
    assert code == 2
    assert err.count("\n") == 1


def test_lateness_of_the_jobs_holds_for_the_proof(
    settled: SmallLakehouse, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An impossible one shows that it was read; what the command line says comes first."""
    monkeypatch.setenv("RVA_LATENESS_SECONDS", "0")
    assert "--lateness-seconds='0' cannot be used" in prove(capsys=capsys)[2]
    assert prove("--lateness-seconds", "60", capsys=capsys)[0] == 0
    monkeypatch.setenv("RVA_LATENESS_SECONDS", "")
    assert prove(capsys=capsys)[0] == 0
