"""Erasure from a lakehouse in a folder: what goes, what stays, and that nothing is left."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from msgspec.structs import replace
from pyiceberg.catalog import Catalog
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.manifest import DataFile, DataFileContent, ManifestEntry, ManifestFile
from pyiceberg.table.snapshots import Operation
from small_lakehouse import DATABASE, DAY, EVENING, LATER, SmallLakehouse, lines, walk

from frame_contract import Frame, encode
from lakehouse import commits
from lakehouse.__main__ import main
from lakehouse.backfill.claims import claim
from lakehouse.erasure import erasing, files, replacing, rewriting, work
from lakehouse.erasure.command import ranges
from lakehouse.erasure.erasing import Erasure
from lakehouse.erasure.errors import ErasureCutOff, ErasureRefused, StillRead
from lakehouse.erasure.files import live_rows, stored
from lakehouse.erasure.rules import RULES
from lakehouse.erasure.scanning import is_manifest, scan
from lakehouse.erasure.selection import Selection, SelectionUnusable
from lakehouse.erasure.work import entries_of
from lakehouse.maintenance.holds import Hold
from lakehouse.schema import TABLES
from lakehouse.settings import LakehouseSettings
from lakehouse.snapshots import committed_checkpoint
from lakehouse.tables import load

RUN = "store_01-cam_01-1"
AT = EVENING + timedelta(seconds=10)
BAD = b'{"source":{"store_id":"store_01","camera_id":"cam_01"},"run_id":"store_01-cam_01-1"'
GARBAGE = b"nothing of anybody"
NO_FRAME = (
    b'{"source":{"store_id":"store_01","camera_id":"cam_01","stream_id":"s"},"frame_index":-1,'
    b'"run_id":"store_01-cam_01-1","capture_ts":"2026-11-24T23:59:41Z",'
    b'"detections":[{"track_id":1},  {"track_id": 2}]}'
)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commits, "_PAUSE_SECONDS", 0)


@pytest.fixture
def settings(tmp_path: Path) -> LakehouseSettings:
    return LakehouseSettings(
        flink_url="http://127.0.0.1:9", checkpoint_dir=str(tmp_path / "checkpoints")
    )


def of_store(frames: Sequence[Frame], store: str) -> list[Frame]:
    """The same frames, run and all, of another store."""
    return [replace(frame, source=replace(frame.source, store_id=store)) for frame in frames]


def fill(catalog: Catalog) -> None:
    """Two stores, two cameras, two runs of one of these; bad messages; Silver and Gold of it."""
    made = SmallLakehouse(catalog)
    made.receive(lines(walk()))
    made.receive(lines(walk(run="2", seconds=20, start=EVENING + timedelta(hours=2))))
    made.receive(lines(walk("cam_02")))
    made.receive(lines(of_store(walk(), "store_02")))
    made.receive([BAD, NO_FRAME, b"no JSON of store_02"])
    by_properties = {
        **{"store_id": "store_01", "camera_id": "cam_01", "run_id": RUN},
        **{"payload": GARBAGE, "message_id": b"by-properties", "ingest_ts": LATER},
        "capture_ts": "2026-11-24T23:59:41.000Z",
    }
    made.append("bronze_raw", [by_properties])
    made.payloads.append(GARBAGE)
    made.settle()
    result = {
        **{"checked_ts": LATER, "day": DAY, "layer": "silver", "check_name": "x"},
        **{"severity": "fail", "outcome": "fail", "duration_seconds": 1.0, "owner": "x"},
    }
    texts = (f"store_01/cam_01 {RUN} frame 1", "store_03/cam_01")
    made.append("data_quality", [{**result, "example": text} for text in texts])


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `saved`, whose files say that they lie in `live`."""
    folder = tmp_path_factory.mktemp("filled")
    (folder / "live").mkdir()
    fill(catalog_in(folder / "live"))
    shutil.copytree(folder / "live", folder / "saved")
    return folder


def catalog_in(folder: Path) -> Catalog:
    return SqlCatalog("test", uri=f"sqlite:///{folder}/c.db", warehouse=folder.as_uri())


@pytest.fixture
def catalog(filled: Path) -> Catalog:
    shutil.rmtree(filled / "live")
    shutil.copytree(filled / "saved", filled / "live")
    return catalog_in(filled / "live")


@pytest.fixture
def lakehouse(catalog: Catalog) -> SmallLakehouse:
    return SmallLakehouse(catalog)


def erasure(catalog: Catalog, settings: LakehouseSettings, **selected: Any) -> Erasure:
    return Erasure(catalog, settings, Selection(**selected), lambda _: None)


def everything(lakehouse: SmallLakehouse) -> dict[str, list[dict[str, Any]]]:
    return {name: lakehouse.rows(name) for name in TABLES}


def bytes_of(catalog: Catalog, text: str) -> list[str]:
    """Parquet files of any table with a value that has the text in it."""
    found = []
    for name in TABLES:
        folder = Path(load(catalog, DATABASE, name).location().removeprefix("file://"))
        for path in sorted(folder.rglob("*.parquet")):
            if text in str(pq.read_table(path).to_pylist()):
                found.append(f"{name}/{path.name}")
    return found


def bounds(catalog: Catalog) -> set[bytes]:
    """Least and greatest values that any manifest of any table keeps."""
    return {
        bound
        for name in TABLES
        for table in [load(catalog, DATABASE, name)]
        for each in stored(table)
        if is_manifest(each.path)
        for entry in entries_of(table.io, each.path)
        for kept in (entry.data_file.lower_bounds, entry.data_file.upper_bounds)
        for bound in (kept or {}).values()
    }


def objects(catalog: Catalog, name: str) -> list[str]:
    """Data files that lie there, named or not."""
    table = load(catalog, DATABASE, name)
    return sorted(each.path for each in stored(table) if each.path.endswith(".parquet"))


def test_every_table_has_a_rule_and_none_more() -> None:
    assert set(RULES) == set(TABLES), (
        "say in lakehouse/erasure/rules.py what of the table is erased"
    )


def test_store_is_gone_from_every_file_and_the_others_are_as_they_were(
    catalog: Catalog, lakehouse: SmallLakehouse, settings: LakehouseSettings
) -> None:
    before = everything(lakehouse)
    doing = erasure(catalog, settings, store_id="store_02")
    found = doing.count()
    assert {"bronze_raw", "silver_detection", "gold_track_summary"} <= set(found)
    assert doing.erase().findings == []
    assert bytes_of(catalog, "store_02") == []
    assert not any(b"store_02" in bound for bound in bounds(catalog))
    after = everything(lakehouse)
    for name, rows in before.items():
        wanted = [row for row in rows if "store_02" not in str(row)]
        assert after[name] == wanted, name
        assert len(load(catalog, DATABASE, name).snapshots()) <= 1 or name == "gold_backfill"
    assert doing.trail.days == {DAY, DAY + timedelta(days=1)}


def test_run_goes_with_what_cannot_be_read_of_it_and_the_other_run_stays(
    catalog: Catalog, lakehouse: SmallLakehouse, settings: LakehouseSettings
) -> None:
    before = everything(lakehouse)
    doing = erasure(catalog, settings, store_id="store_01", camera_id="cam_01", run_id=RUN)
    assert doing.erase().findings == []
    after = everything(lakehouse)
    gone = {row["message_id"] for row in before["bronze_raw"]} - {
        row["message_id"] for row in after["bronze_raw"]
    }
    own = lines(walk())
    assert gone == {
        row["message_id"]
        for row in before["bronze_raw"]
        if row["payload"] in (*own, BAD, NO_FRAME, GARBAGE)
    }
    assert all(row["message_id"] not in gone for row in after["silver_quarantine"])
    assert len(after["silver_quarantine"]) == 1
    for name in ("silver_detection", "gold_track_summary"):
        assert after[name] == [row for row in before[name] if not of_run(row)]
    # the other run of the camera was two hours later: its windows stay
    assert [row["ts_minute"] for row in after["gold_people_per_minute"] if is_cam(row)] == [
        row["ts_minute"]
        for row in before["gold_people_per_minute"]
        if is_cam(row) and row["ts_minute"] > EVENING + timedelta(hours=1)
    ]
    assert [row["example"] for row in after["data_quality"]] == [None, "store_03/cam_01"]


def of_run(row: dict[str, Any]) -> bool:
    return is_cam(row) and row["run_id"] == RUN


def is_cam(row: dict[str, Any]) -> bool:
    return (row["store_id"], row["camera_id"]) == ("store_01", "cam_01")


def test_track_is_cut_out_of_its_messages_and_all_else_of_them_is_as_it_was(
    catalog: Catalog, lakehouse: SmallLakehouse, settings: LakehouseSettings
) -> None:
    before = everything(lakehouse)
    doing = erasure(
        catalog, settings, store_id="store_01", camera_id="cam_01", run_id=RUN, track_id=2
    )
    assert doing.erase().findings == []
    after = {row["message_id"]: row for row in lakehouse.rows("bronze_raw")}
    of_the_run = dict(zip(lines(walk()), walk(), strict=True))
    for row in before["bronze_raw"]:
        if row["payload"] in (BAD, GARBAGE):
            assert row["message_id"] not in after
        elif row["payload"] in of_the_run:
            frame = of_the_run[row["payload"]]
            left = tuple(each for each in frame.detections if each.track_id != 2)
            kept = encode(replace(frame, detections=left))
            assert after[row["message_id"]]["payload"] == kept
        elif row["payload"] == NO_FRAME:
            assert after[row["message_id"]]["payload"] == NO_FRAME.replace(
                b',  {"track_id": 2}', b""
            )
        else:
            assert after[row["message_id"]] == row
    quarantined = [row["payload"] for row in lakehouse.rows("silver_quarantine")]
    assert sorted(quarantined) == sorted(
        [NO_FRAME.replace(b',  {"track_id": 2}', b"").decode(), "no JSON of store_02"]
    )
    detections = lakehouse.rows("silver_detection")
    assert detections == [
        row for row in before["silver_detection"] if not (of_run(row) and row["track_id"] == 2)
    ]
    assert not any(
        of_run(row) and row["track_id"] == 2 for row in lakehouse.rows("gold_track_summary")
    )


def test_bounds_of_files_that_others_took_out_are_found_and_go(
    catalog: Catalog, lakehouse: SmallLakehouse, settings: LakehouseSettings
) -> None:
    silver = load(catalog, DATABASE, "silver_detection")
    silver.delete("store_id = 'store_02'")
    doing = erasure(catalog, settings, store_id="store_02")
    assert any(each.endswith(".avro") for each in doing.count()["silver_detection"])
    doing.erase()
    assert not any(b"store_02" in bound for bound in bounds(catalog))
    assert {row["store_id"] for row in lakehouse.rows("silver_detection")} == {"store_01"}


def test_only_the_time_that_is_meant_goes(
    catalog: Catalog, lakehouse: SmallLakehouse, settings: LakehouseSettings
) -> None:
    before = everything(lakehouse)
    until = AT + timedelta(seconds=10)
    doing = erasure(
        catalog, settings, store_id="store_01", camera_id="cam_01", since=AT, until=until
    )
    assert doing.erase().findings == []
    detections = lakehouse.rows("silver_detection")
    assert detections == [
        row
        for row in before["silver_detection"]
        if not (is_cam(row) and AT <= row["capture_ts"] < until)
    ]
    assert any(is_cam(row) and row["capture_ts"] == until for row in detections)
    kept = {row["payload"] for row in lakehouse.rows("bronze_raw")}
    for frame, line in zip(walk(), lines(walk()), strict=True):
        assert (line in kept) == (not AT <= frame.capture_ts < until)
    # neither of that time
    assert NO_FRAME in kept
    assert GARBAGE in kept


def test_second_time_there_is_nothing_and_nothing_is_committed(
    catalog: Catalog, lakehouse: SmallLakehouse, settings: LakehouseSettings
) -> None:
    erasure(catalog, settings, store_id="store_02").erase()
    heads = {name: load(catalog, DATABASE, name).current_snapshot() for name in TABLES}
    again = erasure(catalog, settings, store_id="store_02")
    assert again.count() == {}
    assert again.erase().findings == []
    assert {name: load(catalog, DATABASE, name).current_snapshot() for name in TABLES} == heads


@pytest.mark.parametrize(("step", "number"), [("_take_out", 2), ("_take_out", 5), ("_purge", 3)])
def test_cut_off_anywhere_it_completes_when_it_is_run_again(
    catalog: Catalog,
    lakehouse: SmallLakehouse,
    settings: LakehouseSettings,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    number: int,
) -> None:
    before = everything(lakehouse)
    selected = {"store_id": "store_01", "camera_id": "cam_01", "run_id": RUN}
    real = getattr(Erasure, step)
    left = iter(range(number))

    def cut_off(self: Erasure, name: str, *others: Any) -> Any:
        if next(left, None) is None:
            raise ErasureCutOff([], name, "a test")
        return real(self, name, *others)

    with monkeypatch.context() as broken:
        broken.setattr(Erasure, step, cut_off)
        with pytest.raises(ErasureCutOff):
            erasure(catalog, settings, **selected).erase()
    assert erasure(catalog, settings, **selected).erase().findings == []
    assert not any(
        is_cam(row) and row["ts_minute"] < EVENING + timedelta(hours=1)
        for row in lakehouse.rows("gold_people_per_minute")
    )
    assert lakehouse.rows("silver_detection") == [
        row for row in before["silver_detection"] if not of_run(row)
    ]


def test_file_that_nobody_names_is_taken_away_when_nobody_can_commit_it(
    catalog: Catalog,
    lakehouse: SmallLakehouse,
    settings: LakehouseSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What a cut off erasure, or a job that was killed, has left behind."""
    table = load(catalog, DATABASE, "silver_detection")
    folder = Path(table.location().removeprefix("file://")) / "data"
    orphan = next(folder.rglob("*.parquet")).with_name("orphan.parquet")
    rows = table.scan("store_id = 'store_02'").to_arrow()
    pq.write_table(rows, orphan)
    doing = erasure(catalog, settings, store_id="store_02")
    proof = doing.erase()
    assert [each.path for each in proof.findings] == [f"file://{orphan}"]
    assert "a writer may yet commit it" in doing.left[0]
    monkeypatch.setattr(erasing, "SETTLED", timedelta(0))
    again = erasure(catalog, settings, store_id="store_02")
    assert list(again.count()["silver_detection"]) == [f"file://{orphan}"]
    assert again.erase().findings == []
    assert not orphan.exists()


def test_commit_of_another_in_between_is_kept(
    catalog: Catalog,
    lakehouse: SmallLakehouse,
    settings: LakehouseSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    victim = lakehouse.rows("silver_detection")[0]
    late = {**victim, "store_id": "store_03"}
    others = iter([late])
    real = rewriting.live_entries

    def overtaken(table: Any, snapshot: Any) -> Any:
        found = real(table, snapshot)
        if table.name()[-1] == "silver_detection":
            for row in others:
                lakehouse.append("silver_detection", [row])
        return found

    monkeypatch.setattr(rewriting, "live_entries", overtaken)
    assert erasure(catalog, settings, store_id="store_02").erase().findings == []
    stores = {row["store_id"] for row in lakehouse.rows("silver_detection")}
    assert stores == {"store_01", "store_03"}


def test_catalogue_that_refuses_is_told_with_what_is_done(
    catalog: Catalog,
    lakehouse: SmallLakehouse,
    settings: LakehouseSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = objects(catalog, "silver_detection")
    real = replacing.replace

    def refuse(table: Any, *others: Any) -> Any:
        if table.name()[-1] == "silver_detection":
            raise CommitFailedException("read only")
        return real(table, *others)

    monkeypatch.setattr(rewriting, "replace", refuse)
    with pytest.raises(ErasureCutOff) as caught:
        erasure(catalog, settings, store_id="store_02").erase()
    told = str(caught.value)
    assert "cut off while taking rows out of silver_detection" in told
    assert "read only" in told
    assert "rows out of bronze_raw" in told
    # what was written for the commit is not left behind
    assert objects(catalog, "silver_detection") == before


def test_commit_whose_answer_was_lost_keeps_its_files(
    catalog: Catalog,
    lakehouse: SmallLakehouse,
    settings: LakehouseSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = lakehouse.rows("silver_detection")
    real = replacing.replace

    def lose(table: Any, *others: Any) -> Any:
        made = real(table, *others)
        if table.name()[-1] == "silver_detection":
            raise ConnectionError("nobody answers")
        return made

    with monkeypatch.context() as broken:
        broken.setattr(rewriting, "replace", lose)
        with pytest.raises(ErasureCutOff, match="nobody answers"):
            erasure(catalog, settings, store_id="store_02").erase()
    wanted = [row for row in before if row["store_id"] != "store_02"]
    assert lakehouse.rows("silver_detection") == wanted
    assert erasure(catalog, settings, store_id="store_02").erase().findings == []
    assert lakehouse.rows("silver_detection") == wanted


def test_claim_of_a_day_refuses_with_its_owner(
    catalog: Catalog, lakehouse: SmallLakehouse, settings: LakehouseSettings
) -> None:
    claim(catalog, DATABASE, DAY, "scheduled run")
    doing = erasure(catalog, settings, store_id="store_02")
    with pytest.raises(ErasureRefused, match="2026-11-24 is being rebuilt by scheduled run"):
        doing.check(doing.count())


def commit_as_flink(lakehouse: SmallLakehouse, name: str, job_id: str, checkpoint: int) -> None:
    table = load(lakehouse.catalog, DATABASE, name)
    table.append(
        pa.Table.from_pylist([], schema=table.schema().as_arrow()),
        snapshot_properties={
            "flink.job-id": job_id,
            "flink.operator-id": "sink",
            "flink.max-committed-checkpoint-id": str(checkpoint),
        },
    )


def checkpoint(settings: LakehouseSettings, job: str, content: bytes) -> None:
    folder = Path(settings.checkpoint_dir) / job / "id" / "chk-7"
    folder.mkdir(parents=True)
    (folder / "_metadata").write_bytes(content)


def test_job_that_is_down_and_reads_is_named_and_can_be_forgotten(
    catalog: Catalog, lakehouse: SmallLakehouse, settings: LakehouseSettings
) -> None:
    bronze = load(catalog, DATABASE, "bronze_raw").current_snapshot()
    assert bronze is not None
    # as far as can be: but the snapshot itself must go
    checkpoint(settings, "silver_detections", bronze.snapshot_id.to_bytes(8, "big"))
    doing = erasure(catalog, settings, store_id="store_02")
    with pytest.raises(ErasureRefused) as caught:
        doing.check(doing.count())
    (why,) = caught.value.reasons
    assert "silver_detections still needs bronze_raw as it is" in why
    assert "Flink does not answer" in why
    assert "--forget silver_detections" in why
    doing.forgotten = ("silver_detections",)
    doing.check(doing.count())
    doing.forgotten = ()
    # it need not move on for what is no row of what it reads
    doing.check({"gold_zone_heatmap": ()})


def test_job_that_runs_is_waited_for_until_it_has_moved_on(
    catalog: Catalog,
    lakehouse: SmallLakehouse,
    settings: LakehouseSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    jobs = work.Jobs(frozenset({"silver_detections"}), DATABASE)
    monkeypatch.setattr(work, "ask_flink", lambda _: jobs)
    monkeypatch.setattr(work, "_LOOK_SECONDS", 0)
    old = load(catalog, DATABASE, "bronze_raw").current_snapshot()
    assert old is not None
    long_ago = old.timestamp_ms / 1000
    asked: list[bool] = []

    def holds(*_: Any) -> tuple[Hold, ...]:
        """Three looks: behind, past it, and past it by a newer checkpoint."""
        bronze = load(catalog, DATABASE, "bronze_raw")
        named = erasing.snapshot_time(bronze.current_snapshot()) if asked else None
        made_at = datetime.fromtimestamp(long_ago + len(asked), tz=UTC)
        # no file has gone while the job may still read it
        asked.append(len(bronze.snapshots()) > 1)
        since = datetime.fromtimestamp(long_ago, tz=UTC) if named is None else named
        return (Hold("silver_detections", "bronze_raw", since, "it reads on", made_at),)

    monkeypatch.setattr(work, "held_by_streams", holds)
    assert erasure(catalog, settings, store_id="store_02").erase().findings == []
    assert asked == [True] * 3
    assert len(load(catalog, DATABASE, "bronze_raw").snapshots()) == 1


def test_job_that_does_not_move_on_is_named_and_its_files_stay(
    catalog: Catalog,
    lakehouse: SmallLakehouse,
    settings: LakehouseSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    jobs = work.Jobs(frozenset({"silver_detections"}), DATABASE)
    monkeypatch.setattr(work, "ask_flink", lambda _: jobs)
    monkeypatch.setattr(work, "WAIT_MINUTES", 0)
    monkeypatch.setattr(work, "_LOOK_SECONDS", 0)
    with pytest.raises(StillRead, match="silver_detections has not moved past"):
        erasure(catalog, settings, store_id="store_02").erase()
    assert len(load(catalog, DATABASE, "bronze_raw").snapshots()) > 1


def test_jobs_position_stays_on_record_when_its_own_commits_expire(
    catalog: Catalog, lakehouse: SmallLakehouse, settings: LakehouseSettings
) -> None:
    commit_as_flink(lakehouse, "bronze_raw", "a stream", 41)
    commit_as_flink(lakehouse, "bronze_raw", "a batch", 2**63 - 1)
    erasure(catalog, settings, store_id="store_02").erase()
    assert committed_checkpoint(catalog, DATABASE, "bronze_raw", "a stream") == 41
    snapshot = load(catalog, DATABASE, "bronze_raw").current_snapshot()
    assert snapshot is not None
    assert snapshot.summary is not None
    assert snapshot.summary.operation is Operation.OVERWRITE
    assert snapshot.summary.additional_properties["flink.operator-id"] == "sink"


def test_deleted_rows_do_not_come_back_by_rewriting(catalog: Catalog) -> None:
    """Equality deletes take out older rows, position deletes rows of their own commit too."""
    table = load(catalog, DATABASE, "gold_people_per_minute")
    schema = table.schema().as_arrow()
    folder = Path(table.location().removeprefix("file://"))
    row = {"store_id": "s", "ts_minute": AT, "detections": 1, "unique_people": 1}
    rows = [{**row, "camera_id": each} for each in "abc"]
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), folder / "data.parquet")
    names = ("store_id", "camera_id", "ts_minute")
    keys = pa.Table.from_pylist(rows[:1], schema=schema).select(names)
    pq.write_table(keys, folder / "keys.parquet")
    path = f"file://{folder}/data.parquet"
    places = pa.table({"file_path": [path, "another"], "pos": [1, 2]})
    pq.write_table(places, folder / "places.parquet")

    def entry(name: str, content: DataFileContent, age: int) -> ManifestEntry:
        ids = [table.schema().find_field(each).field_id for each in names]
        file = DataFile.from_args(
            content=content, file_path=f"file://{folder}/{name}.parquet", equality_ids=ids
        )
        return ManifestEntry.from_args(sequence_number=age, data_file=file)

    def left(keys_age: int, places_age: int) -> list[str]:
        deletes = [
            entry("keys", DataFileContent.EQUALITY_DELETES, keys_age),
            entry("places", DataFileContent.POSITION_DELETES, places_age),
        ]
        parts = live_rows(table, entry("data", DataFileContent.DATA, 5), deletes)
        return [each["camera_id"] for part in parts for each in part.to_pylist()]

    assert left(6, 5) == ["c"]
    assert left(5, 4) == ["a", "b", "c"]


def test_batch_that_runs_refuses(
    catalog: Catalog,
    lakehouse: SmallLakehouse,
    settings: LakehouseSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    jobs = work.Jobs(frozenset({"gold_batch", "bronze_ingest", "gold_batch@other"}), DATABASE)
    monkeypatch.setattr(work, "ask_flink", lambda _: jobs)
    doing = erasure(catalog, settings, store_id="store_02")
    with pytest.raises(ErasureRefused) as caught:
        doing.check(doing.count())
    assert caught.value.reasons == (
        "gold_batch runs and may write it again: wait until it has ended",
    )


@pytest.mark.parametrize(
    ("selected", "why"),
    [
        ({"run_id": "r"}, "--run needs --camera"),
        ({"camera_id": "c", "track_id": 1}, "--track needs --run"),
        ({"camera_id": ""}, "--camera is empty"),
        (
            {"since": datetime(2026, 1, 2, tzinfo=UTC), "until": datetime(2026, 1, 2, tzinfo=UTC)},
            "--from must be before --to",
        ),
    ],
)
def test_selection_that_could_mean_more_is_refused(selected: dict[str, Any], why: str) -> None:
    with pytest.raises(SelectionUnusable, match=why):
        Selection(store_id="s", **selected)


@pytest.mark.parametrize(
    ("answer", "options", "code", "told"),
    [
        (None, (), 2, "there is no terminal to ask at; give --yes"),
        ("n", (), 1, "nothing was erased"),
        (None, ("--dry-run",), 0, "silver_detection: "),
        (None, ("--scan-only",), 1, "left: gold_zone_dwell: file://"),
        ("y", (), 0, "make backfill FROM=2026-11-24 TO=2026-11-2"),
        (None, ("--yes",), 0, "nothing of it is left"),
        (None, ("--track", "1"), 2, "--track needs --run"),
    ],
)
def test_command(
    catalog: Catalog,
    lakehouse: SmallLakehouse,
    settings: LakehouseSettings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    answer: str | None,
    options: tuple[str, ...],
    code: int,
    told: str,
) -> None:
    monkeypatch.setattr("lakehouse.erasure.command.connect", lambda _: catalog)
    monkeypatch.setenv("RVA_CHECKPOINT_DIR", settings.checkpoint_dir)
    monkeypatch.setenv("RVA_FLINK_URL", settings.flink_url)
    monkeypatch.setattr("sys.stdin.isatty", lambda: answer is not None, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: answer)
    rows = len(lakehouse.rows("silver_detection"))
    assert main(["erase", "--store", "store_02", *options]) == code
    said = capsys.readouterr()
    assert told in said.out + said.err
    erased = code == 0 and "--dry-run" not in options
    assert (len(lakehouse.rows("silver_detection")) < rows) == erased


def test_days_are_told_as_ranges() -> None:
    days = [DAY, DAY + timedelta(days=3), DAY + timedelta(days=1)]
    assert ranges(days) == [(DAY, DAY + timedelta(days=1)), (days[1], days[1])]


def test_scan_finds_what_is_there(catalog: Catalog, lakehouse: SmallLakehouse) -> None:
    found = scan(catalog, DATABASE, TABLES, Selection(store_id="store_02")).findings
    assert {each.table for each in found} >= {
        "bronze_raw",
        "silver_detection",
        "silver_quarantine",
        "gold_people_per_minute",
    }


GONE = "AWS Error RESOURCE_NOT_FOUND during GetObject operation: ."
"""What PyArrow says of an object that it has opened, and that is deleted before it is read."""


@pytest.mark.parametrize(
    ("told", "raised"), [(GONE, FileNotFoundError), ("AWS Error ACCESS_DENIED", OSError)]
)
def test_object_that_goes_between_its_opening_and_its_reading_is_gone(
    told: str, raised: type[OSError], monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_it(*_: object, **__: object) -> Any:
        raise OSError(told)

    monkeypatch.setattr(files.pq, "ParquetFile", read_it)
    opened = SimpleNamespace(open=contextlib.nullcontext)
    table: Any = SimpleNamespace(io=SimpleNamespace(new_input=lambda _: opened))
    with pytest.raises(OSError) as caught:  # noqa: PT011 - its class is looked at
        list(files.read(table, "s3://warehouse/a.parquet"))
    assert type(caught.value) is raised
    monkeypatch.setattr(ManifestFile, "fetch_manifest_entry", read_it)
    with pytest.raises(OSError) as caught:  # noqa: PT011
        work.entries_of(table.io, "s3://warehouse/a.avro")
    assert type(caught.value) is raised
