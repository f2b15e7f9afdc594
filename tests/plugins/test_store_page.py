"""The store page's parts that need no server."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import threading
import time
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from scripted_http import Answer, serving

from flink_rest.client import FlinkClient
from lakehouse.errors import LakehouseError, ServerUnreachable
from lakehouse.query import QueryFailed
from lakehouse.schema import TABLES
from lakehouse.settings import LakehouseSettings
from store_page import numbers
from store_page.downloads import TABLES as DOWNLOADS
from store_page.downloads import _in_csv
from store_page.errors import CannotAnswer, ChoiceUnusable, PageError, ServerAway
from store_page.identities import Verdict, identities
from store_page.jobs import Jobs
from store_page.numbers import SQL_DIR, Cameras, Numbers, Table, for_people, text_of
from store_page.selection import MAX_DAYS, moment, name, span, whole
from trino_checks.query import names_in

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "plugins" / "store_page" / "static"
NOW = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)
VENDORED = {
    # uPlot 1.6.32, as its authors published it
    "uPlot.iife.min.js": "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
    "uPlot.min.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
    "uPlot.LICENSE": "8f989229699b4fe2f1a0432d0e9edc338a8a911e250e2d1b01ecd770a5f5b1bd",
}


# --- what a request is about


def test_days_are_whole_and_their_last_is_in_them() -> None:
    chosen = span("2026-11-23", "2026-11-24", None, NOW)
    assert (chosen.begin, chosen.end) == (
        datetime(2026, 11, 23, tzinfo=UTC),
        datetime(2026, 11, 25, tzinfo=UTC),
    )
    assert (str(chosen.first_day), str(chosen.last_day)) == ("2026-11-23", "2026-11-24")
    assert not chosen.is_closed(NOW)
    assert span("2026-11-23", None, None, NOW).is_closed(NOW)


def test_live_goes_up_to_now() -> None:
    chosen = span(None, None, "60", NOW)
    assert chosen.is_live
    assert chosen.begin == NOW - timedelta(hours=1)
    assert chosen.end > NOW


def test_a_month_is_the_most() -> None:
    last = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=MAX_DAYS - 1)
    span("2026-01-01", f"{last:%Y-%m-%d}", None, NOW)
    with pytest.raises(ChoiceUnusable, match=f"at most {MAX_DAYS} days"):
        span("2026-01-01", f"{last + timedelta(days=1):%Y-%m-%d}", None, NOW)


@pytest.mark.parametrize(
    "day", ["", "2026-13-01", "2026-W48-1", "20261123", "1969-12-31", "9999-12-31", "2026-11-2٣"]
)
def test_what_is_no_day_is_refused(day: str) -> None:
    with pytest.raises(ChoiceUnusable, match="first is no day"):
        span(day, None, None, NOW)


@pytest.mark.parametrize(
    "text", ["", "0", "-1", "1.5", "9" * 5000, f"{'0' * 11}1{'0' * 99}", "٣", "1e3", " 1"]
)
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ChoiceUnusable, match="page must be a whole number"):
        whole("page", text, 1, 100)


@pytest.mark.parametrize(
    "text",
    [
        *("", "now", "2026-11-24", "2026-11-24T10:15:41", "0001-01-01T00Z"),
        *("9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"),
    ],
)
def test_what_is_no_time_with_an_offset_is_refused(text: str) -> None:
    with pytest.raises(ChoiceUnusable, match="begin is no time"):
        moment("begin", text)


def test_time_is_read_in_utc() -> None:
    assert moment("begin", "2026-11-24T15:15:41.133+05:00") == datetime(
        2026, 11, 24, 10, 15, 41, 133000, tzinfo=UTC
    )


def test_name_of_no_length_or_too_much_is_refused() -> None:
    assert name("store", "'; --") == "'; --"
    for text in ("", "x" * 201):
        with pytest.raises(ChoiceUnusable, match="1 to 200"):
            name("store", text)


# --- what the counts say


@pytest.mark.parametrize(
    ("gold", "late", "seconds_ago", "behind_minutes", "verdict"),
    [
        (10, 0, 10, 0, Verdict.HOLDS),
        (8, 0, 10, 0, Verdict.MOVING),
        # the last picture before the night keeps its own minute open
        (8, 0, 30_000, 1, Verdict.MOVING),
        (8, 2, 1000, 0, Verdict.LATE),
        (8, 1, 1000, 0, Verdict.BROKEN),
        (12, 0, 1000, 0, Verdict.BROKEN),
        (12, 0, 10, 1, Verdict.BROKEN),
    ],
)
def test_verdict_tells_a_moving_stream_from_a_loss(
    gold: int, late: int, seconds_ago: int, behind_minutes: int, verdict: Verdict
) -> None:
    captured = datetime(2026, 11, 24, 10, 20, 30, tzinfo=UTC)
    minute = captured.replace(second=0)
    counts = {
        "silver_captured": captured,
        "newest_minute": minute - timedelta(minutes=behind_minutes),
        "newest_hour": minute.replace(minute=0),
        "silver_detections": 10,
        "people_per_minute_detections": gold,
        "zone_heatmap_hits": 10,
        "late_of_minutes": late,
        "late_of_heatmap": 0,
        "silver_received": NOW - timedelta(seconds=seconds_ago),
    }
    minutes, heatmap = identities(counts, NOW)
    assert (minutes.verdict, minutes.expected, minutes.actual) == (verdict, 10, gold)
    assert heatmap.verdict is Verdict.HOLDS


def test_nothing_at_all_holds() -> None:
    keys = "silver_detections people_per_minute_detections zone_heatmap_hits"
    counts = dict.fromkeys(f"{keys} late_of_minutes late_of_heatmap".split(), 0)
    newest = dict.fromkeys(["silver_received", "silver_captured", "newest_minute", "newest_hour"])
    assert {each.verdict for each in identities(counts | newest, NOW)} == {Verdict.HOLDS}


def test_hour_that_waits_for_a_later_picture_is_no_loss() -> None:
    counts = {
        "silver_detections": 10,
        "people_per_minute_detections": 10,
        "zone_heatmap_hits": 4,
        "late_of_minutes": 0,
        "late_of_heatmap": 0,
        "silver_received": NOW - timedelta(hours=8),
        "silver_captured": NOW - timedelta(hours=8),
        "newest_minute": NOW - timedelta(hours=8),
        "newest_hour": NOW - timedelta(hours=9, minutes=30),
    }
    assert [each.verdict for each in identities(counts, NOW)] == [Verdict.HOLDS, Verdict.MOVING]


# --- jobs


def job(job_id: str, job_name: str, state: str, start: int) -> dict[str, Any]:
    return {
        "jid": job_id,
        "name": job_name,
        "state": state,
        "start-time": start,
        "tasks": {"total": 1},
    }


def test_states_are_of_the_job_that_runs_and_one_that_is_missing_is_said() -> None:
    old, new = "a" * 32, "b" * 32
    failure = {"timestamp": 7, "stacktrace": f"java.lang.Exception: jdbc:secret {'x' * 900}"}
    answers: dict[str, list[Answer]] = {
        "/jobs/overview": [
            (
                200,
                {
                    "jobs": [
                        job(new, "bronze_ingest", "RUNNING", 5),
                        job(old, "bronze_ingest", "FAILED", 9),
                        job("c" * 32, "silver_detections", "FAILED", 1),
                    ]
                },
            )
        ],
    }
    for job_id in (new, "c" * 32):
        answers[f"/jobs/{job_id}/checkpoints"] = [
            (
                200,
                {
                    "counts": {"completed": 3, "failed": 1},
                    "latest": {"completed": {"id": 3, "trigger_timestamp": 1234}},
                },
            )
        ]
        answers[f"/jobs/{job_id}/exceptions"] = [
            (200, {"exceptionHistory": {"entries": [failure]}, "root-exception": None})
        ]
    with serving(answers) as flink:
        bronze, silver, gold = Jobs(lambda: FlinkClient(flink.url, attempts=1)).states()
    assert (bronze.status, bronze.is_running, bronze.newest_checkpoint_ms) == (
        "RUNNING",
        True,
        1234,
    )
    assert (silver.status, silver.is_running) == ("FAILED", False)
    assert (gold.status, gold.is_running, gold.newest_checkpoint_ms) == ("MISSING", False, None)
    assert silver.last_failure == "java.lang.Exception"


def test_flink_that_is_away_or_answers_nonsense_is_told_plainly() -> None:
    with pytest.raises(ServerAway, match="Flink does not answer"):
        Jobs(lambda: FlinkClient("http://127.0.0.1:9", attempts=1)).states()
    with (
        serving({"/jobs/overview": [(200, {"no": "jobs"})]}) as flink,
        pytest.raises(CannotAnswer),
    ):
        Jobs(lambda: FlinkClient(flink.url, attempts=1)).states()


# --- answers of Trino


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (ServerUnreachable("Trino", "http://user:secret@trino", "refused"), "trino_away", 503),
        (QueryFailed("starting", "SERVER_STARTING_UP"), "trino_away", 503),
        (QueryFailed("no secret.table", "TABLE_NOT_FOUND"), "tables_missing", 503),
        (QueryFailed("too long", "EXCEEDED_TIME_LIMIT"), "took_too_long", 504),
        (QueryFailed("secret", "GENERIC_INTERNAL_ERROR"), "cannot_answer", 502),
    ],
)
def test_error_is_told_without_what_is_not_for_everybody(
    error: LakehouseError, code: str, status: int
) -> None:
    told = for_people(error, "people")
    assert (told.code, told.status) == (code, status)
    assert "secret" not in told.message


class Scripted(Numbers):
    """Counts its questions, and waits for a word before it answers."""

    def __init__(self) -> None:
        super().__init__(LakehouseSettings())
        self.asked: list[str] = []
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.error: PageError | None = None
        self.rows: tuple[tuple[Any, ...], ...] = (("s", "c"),)

    def waiting(self) -> int:
        """How many threads make an answer, or wait for who makes it."""
        frames = sys._current_frames().values()
        return sum("kept.py" in "".join(traceback.format_stack(frame)) for frame in frames)

    def _ask(self, name: str, values: Any) -> Table:  # noqa: ARG002 - the base's
        self.asked.append(name)
        assert self.may_answer.wait(10)
        if self.error:
            raise self.error
        return Table(("store_id", "camera_id"), self.rows)


def test_many_who_ask_the_same_at_once_make_one_query() -> None:
    asked = Scripted()
    asked.may_answer.clear()
    answers: list[Table] = []
    askers = [
        threading.Thread(target=lambda: answers.append(asked.ask("people", {"store": "s"})))
        for _ in range(8)
    ]
    for asker in askers:
        asker.start()
    asked.may_answer.set()
    for asker in askers:
        asker.join()
    assert asked.asked == ["people"]
    assert len(answers) == 8
    asked.ask("people", {"store": "other"})
    assert asked.asked == ["people", "people"]


def test_many_who_wait_for_a_silent_server_are_refused_together() -> None:
    asked = Scripted()
    asked.error = ServerAway("Trino")
    asked.may_answer.clear()
    refused: list[PageError] = []

    def ask() -> None:
        try:
            asked.ask("people")
        except PageError as error:
            refused.append(error)

    askers = [threading.Thread(target=ask) for _ in range(8)]
    for asker in askers:
        asker.start()
    while asked.waiting() < 8:
        time.sleep(0.01)
    asked.may_answer.set()
    for asker in askers:
        asker.join()
    assert len(refused) == 8
    assert asked.asked == ["people"]


def test_answer_too_large_is_given_and_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numbers, "KEPT_ROWS", 3)
    asked = Scripted()
    asked.rows = (("s", "c"),) * 5
    for _ in range(2):
        assert len(asked.ask("people").rows) == 5
    assert len(asked.asked) == 2


def test_live_of_the_same_seconds_is_one_question() -> None:
    first = span(None, None, "60", NOW.replace(second=11, microsecond=5))
    assert first == span(None, None, "60", NOW.replace(second=14, microsecond=999))
    assert first != span(None, None, "60", NOW.replace(second=15))


def test_text_that_a_spreadsheet_would_compute_stays_a_text() -> None:
    assert _in_csv("=HYPERLINK(1)") == "'=HYPERLINK(1)"
    assert (_in_csv("store_01"), _in_csv(-5)) == ("store_01", -5)


def test_refusal_is_not_kept() -> None:
    asked = Scripted()
    asked.error = ServerAway("Trino")
    with pytest.raises(ServerAway):
        asked.ask("people")
    asked.error = None
    assert asked.ask("people").rows == (("s", "c"),)


def test_answer_about_what_moves_is_soon_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numbers, "MOVING_SECONDS", 0.0)
    asked = Scripted()
    for closed in (False, False, True, True):
        asked.ask("people", closed=closed)
    assert len(asked.asked) == 3


def test_list_of_cameras_answers_at_once_while_another_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = Scripted()
    monkeypatch.setattr(numbers, "MOVING_SECONDS", 0.0)
    asked = Scripted()
    cameras = Cameras(asked)
    assert cameras.has("s", "c")
    asked.rows = (("s", "c"), ("s", "new"))
    assert cameras.has("s", "new"), "a camera that is new is looked for"
    asked.may_answer.clear()
    monkeypatch.setattr(numbers, "CAMERAS_SECONDS", -1.0)
    assert len(cameras.table().rows) == 2
    asked.error = ServerAway("Trino")
    asked.may_answer.set()
    for thread in threading.enumerate():
        if thread.name == "cameras":
            thread.join()
    assert len(asked.asked) > 2
    assert len(cameras.table().rows) == 2, "Trino's absence takes no camera away"


# --- files


QUERIES = sorted(SQL_DIR.rglob("*.sql"))
KNOWN = {
    *("store", "camera", "begin", "end", "first", "last", "days"),
    *("order", "offset", "limit", "run", "track", "points"),
}


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_query_says_its_grain_and_takes_its_values_bound(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    comment = " ".join(line[3:] for line in text.splitlines() if line.startswith("--"))
    assert re.search(r"Grain: .*Key: .*Source: .*Values: .*Reads only\.", comment), path.name
    assert names_in(text) <= KNOWN
    for value in names_in(text):
        assert f":{value}" in comment, f"{path.name}: {value} is not written down"
    for table in re.findall(r"(?:FROM|JOIN) lakehouse\.\{database\}\.(\w+)", text):
        assert table in TABLES
        assert table in comment


def test_every_query_is_asked() -> None:
    source = "".join(path.read_text() for path in (ROOT / "plugins" / "store_page").glob("*.py"))
    for path in QUERIES:
        asked = path.stem in DOWNLOADS if path.parent.name == "download" else False
        assert asked or f'"{path.stem}"' in source, path.name


@pytest.mark.parametrize(("what", "table"), DOWNLOADS.items())
def test_download_asks_for_the_columns_of_its_table_in_their_order(what: str, table: str) -> None:
    selected = text_of(f"download/{what}").partition("SELECT\n")[2].partition("\nFROM")[0]
    columns = [column.strip() for column in selected.split(",")]
    assert columns == [column.name for column in TABLES[table].columns]


@pytest.mark.parametrize(("file", "digest"), VENDORED.items())
def test_library_of_others_is_as_they_published_it(file: str, digest: str) -> None:
    assert hashlib.sha256((STATIC / "vendor" / file).read_bytes()).hexdigest() == digest


def test_html_has_no_script_or_style_in_it_and_names_only_files_that_are_there() -> None:
    html = (STATIC / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", html)
    named = re.findall(r'(?:src|href)="static/([^"]+)"', html)
    assert len(named) == 6
    assert all((STATIC / each).is_file() for each in named)


def test_tasks_load_nothing_of_the_page() -> None:
    code = (
        "import sys; import retail_video_analytics as r; "
        "assert 'store_page.app' not in sys.modules; "
        "assert r.RetailVideoAnalytics.fastapi_apps[0]['url_prefix'] == '/store'; "
        "assert 'store_page.app' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT / "plugins")
