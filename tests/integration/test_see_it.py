"""What a person sees of Gold, in the terminal and in the notebook, is what Trino gives: on both a
day that the batch has closed and one that the stream is still filling."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import matplotlib.image
import pytest
from jupyter_client import KernelManager

from integration.conftest import ROOT, Deployment
from integration.gold_by_stream_and_batch import CAMERA, CLOSED_DAY, STORE, STREAMED_DAY, fill

pytestmark = pytest.mark.integration

DASHBOARDS = ROOT / "include" / "sql" / "dashboards"
NOTEBOOK = ROOT / "docs" / "notebooks" / "gold.py"
DAYS = [CLOSED_DAY, STREAMED_DAY]
CELL_SECONDS = 120


@pytest.fixture(scope="module")
def seen(deployment: Deployment) -> Deployment:
    fill(deployment)
    return deployment


def on_the_dashboards(seen: Deployment, name: str, day: date) -> list[list[Any]]:
    """A dashboard's query of the camera's day, as Grafana would send it."""
    sql = (DASHBOARDS / f"{name}.sql").read_text(encoding="utf-8")
    for macro, value in (
        ("$__timeFrom()", f"TIMESTAMP '{day} 00:00:00'"),
        ("$__timeTo()", f"TIMESTAMP '{day} 23:59:59.999'"),
        ("$store", f"'{STORE}'"),
        ("$camera", f"'{CAMERA}'"),
        ("lakehouse.rva.", ""),
    ):
        sql = sql.replace(macro, value)
    rows: list[list[Any]] = seen.query(sql)
    assert rows, f"{name} gives nothing to compare with"
    return rows


def people_of(seen: Deployment, day: date) -> dict[datetime, int]:
    rows = on_the_dashboards(seen, "people_per_minute", day)
    return {time.astimezone(UTC): people for time, _, people in rows}


def grid_of(seen: Deployment, day: date) -> list[list[int]]:
    return [
        [int(hits) for hits in row[1:]] for row in on_the_dashboards(seen, "zone_heatmap_grid", day)
    ]


def report(seen: Deployment, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lakehouse", "report", *arguments],
        env={**os.environ, **seen.variables, "COLUMNS": "80", "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=ROOT,
    )


@pytest.fixture(scope="module")
def pages(seen: Deployment) -> dict[date, str]:
    """What the command prints of each day."""
    printed = {
        day: report(seen, "--store", STORE, "--camera", CAMERA, "--day", day.isoformat())
        for day in DAYS
    }
    assert not [each.stderr for each in printed.values() if each.returncode]
    return {day: each.stdout for day, each in printed.items()}


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_sparkline_and_its_words_are_the_dashboards_minutes(
    seen: Deployment, pages: dict[date, str], day: date
) -> None:
    lines = pages[day].splitlines()
    people = people_of(seen, day)
    first, last = min(people), max(people)
    each_minute = [
        people.get(first + timedelta(minutes=number))
        for number in range((last - first) // timedelta(minutes=1) + 1)
    ]
    assert None in each_minute
    most = max(people.values())
    heading = lines.index("People per minute (unique people, UTC)")
    drawn, axis, extremes, length = lines[heading + 1 : heading + 5]
    assert len(drawn) == len(each_minute)
    for block, value in zip(drawn, each_minute, strict=True):
        assert (block == " ") == (value is None)
        assert (block == "█") == (value == most), (block, value)
    assert axis.startswith(f"{first:%H:%M}")
    assert axis.endswith(f"{last:%H:%M}")
    busiest = min(time for time, value in people.items() if value == most)
    assert f"most {most} at {busiest:%H:%M}," in extremes
    assert f"least {min(people.values())} at " in extremes
    assert length.startswith(f"{len(each_minute)} minutes, {each_minute.count(None)} blank")


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_heat_map_is_the_dashboards_grid(
    seen: Deployment, pages: dict[date, str], day: date
) -> None:
    grid = grid_of(seen, day)
    most = max(map(max, grid))
    drawn = re.findall(r"^\d ([·░▒▓█]{20})", pages[day], re.MULTILINE)
    assert len(drawn) == 10
    for line, row in zip(drawn, grid, strict=True):
        quarters = ["·░▒▓█".index(line[2 * x]) for x in range(10)]
        assert [line[2 * x + 1] for x in range(10)] == [line[2 * x] for x in range(10)]
        for quarter, hits in zip(quarters, row, strict=True):
            assert (quarter - 1) * most < 4 * hits <= quarter * most or quarter == hits == 0


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_zones_and_tracks_are_the_dashboards(
    seen: Deployment, pages: dict[date, str], day: date
) -> None:
    page = pages[day]
    cells = re.findall(r"│ (x\d y\d) +│ +([\d.]+) │ +(\d+) │ +([\d.]+) │ +([\d.]+) │", page)
    assert cells == [
        (cell, f"{total:.1f}", str(visits), f"{mean:.1f}", f"{longest:.1f}")
        for _, cell, total, visits, mean, longest in on_the_dashboards(seen, "zone_dwell_top", day)[
            :5
        ]
    ]
    tracks, _, median, longest, _ = on_the_dashboards(seen, "track_totals", day)[0]
    assert page.splitlines()[-1] == f"{tracks}, median {median:.1f} s, longest {longest:.1f} s"


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_layers_of_a_day_add_up(seen: Deployment, pages: dict[date, str], day: date) -> None:
    page = pages[day]

    def value(measure: str) -> int:
        found = re.search(rf"{measure} +│ +(\d+) │", page)
        assert found, page
        return int(found[1])

    persons = seen.query(
        "SELECT count(*) FROM silver_detection WHERE store_id = ? AND camera_id = ?"
        " AND class_name = 'person' AND CAST(capture_ts AS date) = CAST(? AS date)",
        [STORE, CAMERA, day.isoformat()],
    )[0][0]
    assert persons
    assert value("of persons") == value("sum of detections") == value("sum of hits") == persons


@pytest.mark.parametrize(
    ("store", "told"),
    [
        (STORE, f"of this camera it has {CLOSED_DAY} to {STREAMED_DAY}\n"),
        ("'; DROP TABLE x --", f"it has {STORE}/{CAMERA} ({CLOSED_DAY} to {STREAMED_DAY})"),
    ],
    ids=["other day", "no such store"],
)
def test_day_without_data_says_what_gold_has(seen: Deployment, store: str, told: str) -> None:
    asked = report(seen, "--store", store, "--camera", CAMERA, "--day", "2026-01-01")
    assert (asked.returncode, asked.stdout) == (2, "")
    assert told in asked.stderr
    assert asked.stderr.count("\n") == 1


@dataclass
class Executed:
    """A notebook that has run whole, in a kernel that still answers."""

    client: Any
    printed: str = ""
    images: list[bytes] = field(default_factory=list)
    error: str = ""

    def run(self, source: str) -> None:
        def hear(message: dict[str, Any]) -> None:
            content = message["content"]
            if message["msg_type"] == "stream":
                self.printed += content["text"]
            elif message["msg_type"] in ("display_data", "execute_result"):
                if picture := content["data"].get("image/png"):
                    self.images.append(bytes(picture, "ascii"))
            elif message["msg_type"] == "error":
                self.error = "\n".join(content["traceback"])

        self.client.execute_interactive(source, timeout=CELL_SECONDS, output_hook=hear)

    def value(self, expression: str) -> Any:
        """What an expression is in the notebook, by JSON."""
        before = len(self.printed)
        self.run(f"import json; print(json.dumps({expression}, default=str))")
        assert not self.error, self.error
        return json.loads(self.printed[before:])


@pytest.fixture(scope="module", params=DAYS, ids=str)
def executed(
    request: pytest.FixtureRequest, seen: Deployment, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[date, Executed]]:
    """The notebook of a day, cell by cell, as an editor runs it."""
    variables = {
        **os.environ,
        **seen.variables,
        "RVA_DATA_DIR": str(tmp_path_factory.mktemp("notebook")),
        **{"STORE": STORE, "CAMERA": CAMERA, "DAY": request.param.isoformat()},
    }
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(env=variables, cwd=str(ROOT))
    client = manager.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=CELL_SECONDS)
        notebook = Executed(client)
        for cell in re.split(r"^# %%.*$", NOTEBOOK.read_text(encoding="utf-8"), flags=re.M):
            notebook.run(cell)
            assert not notebook.error, notebook.error
        yield request.param, notebook
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_notebook_reads_closed_days_itself_and_asks_trino_for_the_streams(
    executed: tuple[date, Executed],
) -> None:
    day, notebook = executed
    asked = re.findall(rf"^(\w+): PyIceberg cannot read {day} yet", notebook.printed, re.M)
    assert sorted(asked) == (
        []
        if day == CLOSED_DAY
        else sorted(
            f"gold_{name}"
            for name in ("people_per_minute", "track_summary", "zone_dwell", "zone_heatmap")
        )
    )
    assert "Traceback" not in notebook.printed


def test_numbers_of_the_notebook_are_trinos(
    executed: tuple[date, Executed], seen: Deployment
) -> None:
    day, notebook = executed
    people = people_of(seen, day)
    assert notebook.value(
        "dict(zip(minutes.index.astype(str), map(int, minutes.unique_people)))"
    ) == {str(time): value for time, value in people.items()}
    assert notebook.value("grid.tolist()") == grid_of(seen, day)
    zones = notebook.value("zones.rows()")
    top = on_the_dashboards(seen, "zone_dwell_top", day)
    assert [f"x{x} y{y}" for x, y, *_ in zones[:10]] == [row[1] for row in top]
    for (_, _, total, visits, longest, mean), row in zip(zones, top, strict=False):
        assert visits == row[3]
        assert [total, mean, longest] == pytest.approx([row[2], row[4], row[5]])
    tracks, summaries, _, longest, _ = on_the_dashboards(seen, "track_totals", day)[0]
    ours = notebook.value("durations.astype(float).values.tolist()[0]")
    assert [ours[0], ours[1], ours[3]] == pytest.approx([tracks, summaries, longest])


def test_figures_show_the_minutes_and_the_grid(
    executed: tuple[date, Executed], seen: Deployment
) -> None:
    day, notebook = executed
    assert notebook.value("figures.is_dir()")
    assert len(notebook.images) == 2
    bars = notebook.value("[float(bar.get_height()) for bar in people_axes.patches]")
    assert bars == [float(people) for people in people_of(seen, day).values()]
    assert notebook.value("heat_map.get_array().tolist()") == grid_of(seen, day)


def test_notebook_runs_as_a_script_and_leaves_its_figures(seen: Deployment, tmp_path: Path) -> None:
    variables = {**os.environ, **seen.variables, "RVA_DATA_DIR": str(tmp_path), "MPLBACKEND": "agg"}
    ran = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", str(NOTEBOOK)],
        env={**variables, "DAY": CLOSED_DAY.isoformat()},
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert ran.returncode == 0, ran.stderr
    for name in ("people_per_minute.png", "heat_map.png"):
        pixels = matplotlib.image.imread(io.BytesIO((tmp_path / "notebook" / name).read_bytes()))
        assert min(pixels.shape[:2]) > 300
        # the background, what is drawn in it and the writing
        assert len({tuple(pixel) for pixel in pixels[::3, ::3].reshape(-1, pixels.shape[2])}) > 10


def test_notebook_of_a_day_that_is_not_there_says_what_is(seen: Deployment, tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, str(NOTEBOOK)],
        env={**os.environ, **seen.variables, "RVA_DATA_DIR": str(tmp_path), "DAY": "2026-01-01"},
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert ran.returncode == 1
    assert ran.stderr.startswith("Gold has no minute of day = 2026-01-01.")
    assert re.search(rf"{STORE} +{CAMERA} +{CLOSED_DAY} ", ran.stdout)
