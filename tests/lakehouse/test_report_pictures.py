"""The report's pictures: the sparkline, the heat map, and the page in any terminal."""

from __future__ import annotations

import io
import re
from datetime import UTC, date, datetime, timedelta

import pytest
from rich.console import Console

from lakehouse.report import heatmap, sparkline
from lakehouse.report.counting import Minute, Report, Tracks, Zone
from lakehouse.report.errors import NothingInGold
from lakehouse.report.layers import Layer
from lakehouse.report.showing import show

TEN = datetime(2026, 11, 24, 10, tzinfo=UTC)


def series(*people: int | None, start: datetime = TEN) -> dict[datetime, int]:
    """One value a minute; None is a minute that is not there."""
    return {
        start + timedelta(minutes=number): value
        for number, value in enumerate(people)
        if value is not None
    }


@pytest.mark.parametrize(
    ("people", "width", "drawn", "minutes_each"),
    [
        ([], 80, "", 1),
        ([3], 80, "█", 1),
        ([0], 80, "▁", 1),
        ([4, 4, 4], 80, "███", 1),
        ([0, 1, 2, 3, 4, 5, 6, 7], 80, "▁▂▃▄▅▆▇█", 1),
        ([1, 1000], 80, "▂█", 1),
        ([7, None, None, 7], 80, "█  █", 1),
        ([7, None, None, 0, 7], 2, "██", 3),
        ([7, 1, None, None, None, None, 1], 4, "█  ▂", 2),
        ([7, 1, 1, 1, 1], 3, "█▂▂", 2),
        ([7] * 80, 80, "█" * 80, 1),
        ([7] * 81, 80, "█" * 41, 2),
        ([7, 1, 7], 0, "█", 3),
    ],
    ids=[
        "no minutes",
        "one minute",
        "nobody with a track",
        "all equal",
        "each block",
        "one person among many is not nobody",
        "gap",
        "gap within a column that has minutes",
        "gap as long as a column",
        "longer than the width keeps its peak",
        "as long as the width",
        "one longer than the width",
        "no width at all",
    ],
)
def test_sparkline(people: list[int | None], width: int, drawn: str, minutes_each: int) -> None:
    columns = sparkline.fit(series(*people), width)
    assert sparkline.draw(columns.values) == drawn
    assert columns.minutes_each == minutes_each


def test_sparkline_goes_on_over_midnight() -> None:
    columns = sparkline.fit(series(1, None, 7, start=TEN.replace(hour=23, minute=58)), 80)
    assert columns.values == (1, None, 7)


@pytest.mark.parametrize("length", [1, 79, 80, 81, 1440, 2880])
@pytest.mark.parametrize("width", [1, 40, 80, 140])
def test_sparkline_never_outgrows_its_width_and_never_loses_its_peak(
    length: int, width: int
) -> None:
    columns = sparkline.fit(series(*[1] * (length - 1), 9), width)
    assert len(columns.values) <= width
    assert columns.values[-1] == 9


def test_shades_are_quarters_of_the_most() -> None:
    shades = "".join(heatmap.shade(hits, 100) for hits in (0, 1, 25, 26, 50, 51, 75, 76, 100))
    assert shades == "·░░▒▒▓▓██"


@pytest.mark.parametrize("most", [1, 2, 3, 4, 7, 100])
def test_legend_tells_each_shade_from_the_next(most: int) -> None:
    for shade, bound in heatmap.bounds(most):
        assert heatmap.shade(bound, most) == shade
        if bound < most:
            assert heatmap.shade(bound + 1, most) != shade


def test_heat_map_has_its_cells_in_their_places() -> None:
    lines = list(heatmap.lines({(0, 0): 1, (9, 2): 4}))
    assert lines[0] == "  0 1 2 3 4 5 6 7 8 9"
    assert lines[1] == "0 ░░" + 18 * "·"
    assert lines[3] == "2 " + 18 * "·" + "██"
    assert len(lines) == 11


def report(minutes: dict[datetime, int], hits: dict[tuple[int, int], int] | None = None) -> Report:
    return Report(
        title="Run [bold]r[/bold] \x1b[31m",
        camera="store_01/cämera",
        days=("2026-11-24",),
        layers=(
            Layer("Silver", "detections", 12, "3 tracks"),
            Layer(
                "Late for streaming Gold", "detections, gold_people_per_minute", 3, "62.5 s late"
            ),
        ),
        minutes=tuple(Minute(at, people, 2 * people) for at, people in minutes.items()),
        hits=hits or {},
        top_zones=(Zone(4, 5, 123.44, 7, 17.6, 60.0),) if hits else (),
        tracks=Tracks(3, 4, 12.34, 60.0) if hits else Tracks(0, 0, None, None),
    )


def shown(report: Report, width: int = 80, encoding: str = "utf-8") -> str:
    written = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="")
    show(report, Console(file=written, width=width))
    written.flush()
    return written.buffer.getvalue().decode(encoding)  # type: ignore[attr-defined]


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
@pytest.mark.parametrize("width", [40, 80, 140])
def test_page_fits_the_terminal_and_its_encoding(width: int, encoding: str) -> None:
    page = shown(report(series(*[3] * 500), {(4, 5): 12, (5, 5): 1}), width, encoding)
    # what a person wrote for a wide terminal may go on in the next line, a picture may not
    pictures = [line for line in page.splitlines() if re.match(r"\d [^\w ]{20}|[█#]+$", line)]
    assert len(pictures) == 11
    assert all(len(line) <= width for line in page.splitlines())
    assert "\x1b" not in page
    assert "x4 y5" in page
    if encoding != "utf-8":
        assert page.isascii()


def test_pictures_are_ascii_where_the_terminal_has_no_unicode() -> None:
    page = shown(report(series(0, 7), {(4, 5): 12}), encoding="ascii")
    assert "\n_#\n" in page
    assert "5 ........##.........." in page
    assert "store_01/c\\xe4mera" in page


def test_page_names_the_axis_the_extremes_and_the_gaps() -> None:
    page = shown(report(series(2, None, 9, 1, start=TEN.replace(minute=3))))
    assert "10:03 to 10:06\nmost 9 at 10:05, least 1 at 10:06\n" in page
    assert "4 minutes, 1 blank: nobody was detected; a column is a minute" in page


def test_axis_ends_under_the_last_column_and_tells_the_days_apart() -> None:
    lines = shown(report(series(*[1] * 59, 2, start=TEN.replace(hour=23, minute=30)))).splitlines()
    line = next(number for number, line in enumerate(lines) if "▅" in line)
    assert lines[line + 1] == "2026-11-24 23:30" + 28 * " " + "2026-11-25 00:29"
    assert len(lines[line]) == len(lines[line + 1]) == 60


def test_page_of_a_camera_that_saw_nobody_says_so() -> None:
    page = shown(report({}))
    assert "no minute" in page
    assert "no visit" in page
    assert page.splitlines()[-2:] == ["Tracks", "none"]


def test_nothing_in_a_name_is_obeyed_by_the_terminal() -> None:
    page = shown(report({}))
    assert "Run [bold]r[/bold] \\x1b[31m" in page


SPANS = [(f"store_{n}", "cam", date(2026, 11, n), date(2026, 11, n + n % 2)) for n in range(1, 8)]


@pytest.mark.parametrize(
    ("store", "spans", "told"),
    [
        ("a", [], "it is empty; `make demo` fills it"),
        ("store_1", SPANS, "of this camera it has 2026-11-01 to 2026-11-02"),
        ("store_2", SPANS, "of this camera it has 2026-11-02"),
        ("a\x1b", SPANS[:1], "it has store_1/cam (2026-11-01 to 2026-11-02)"),
        ("a", SPANS, "store_5/cam (2026-11-05 to 2026-11-06) and 2 cameras more"),
    ],
    ids=["empty", "other days", "other day", "other camera", "many cameras"],
)
def test_where_there_is_nothing_the_error_says_what_gold_has(
    store: str, spans: list[tuple[str, str, date, date]], told: str
) -> None:
    error = str(NothingInGold(store, "cam", date(2026, 10, 1), spans))
    assert error.endswith(told)
    assert error.isprintable()
