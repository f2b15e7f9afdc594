"""The report on a terminal: of 80 columns or more, with colour or without, Unicode or ASCII."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from lakehouse.report import heatmap, sparkline
from lakehouse.report.counting import Minute, Report, Tracks
from lakehouse.terminal import printable

SIDE_BY_SIDE_WIDTH = 76
"""Columns that the heat map takes with the table of zones beside it; in fewer, it stands below."""


def show(report: Report, console: Console) -> None:
    """Print the layers, people per minute, the heat map, the top zones and the tracks."""
    console.print(_layers(report, console))
    console.print()
    _print_lines(console, _people(report.minutes, console))
    console.print()
    zones = [_heatmap(report, console), _zones(report)]
    if console.width >= SIDE_BY_SIDE_WIDTH:
        beside = RichTable.grid(padding=(0, 3))
        beside.add_row(*zones)
        console.print(beside)
    else:
        console.print(Group(*zones))
    console.print()
    _print_lines(console, _tracks(report.tracks))


def _layers(report: Report, console: Console) -> RichTable:
    shown = RichTable(
        title=_text(report.title, console),
        caption=_text(f"Gold: all of {report.camera} on {', '.join(report.days)}", console),
        title_justify="left",
        caption_justify="left",
    )
    # folded, since what cuts off a cell is a character that not every terminal has
    shown.add_column("layer", overflow="fold")
    shown.add_column("count of", overflow="fold")
    shown.add_column("value", justify="right", overflow="fold")
    shown.add_column("", overflow="fold")
    for layer in report.layers:
        values = (layer.name, layer.measure, str(layer.value), layer.remark)
        shown.add_row(*(_text(value, console) for value in values))
    return shown


def _people(minutes: tuple[Minute, ...], console: Console) -> Iterator[str]:
    """The sparkline, its axis, and what it cannot tell exactly."""
    yield "People per minute (unique people, UTC)"
    if not minutes:
        yield "no minute"
        return
    blocks = sparkline.ASCII_BLOCKS if _ascii_only(console) else sparkline.BLOCKS
    columns = sparkline.fit({each.starts_at: each.unique_people for each in minutes}, console.width)
    yield sparkline.draw(columns.values, blocks=blocks)
    first, last = minutes[0], minutes[-1]
    yield _axis(first, last, len(columns.values))
    most = max(minutes, key=lambda each: each.unique_people)
    least = min(minutes, key=lambda each: each.unique_people)
    yield f"most {most.unique_people} at {_time(most, first, last)}, " + (
        f"least {least.unique_people} at {_time(least, first, last)}"
    )
    length = (last.starts_at - first.starts_at) // sparkline.MINUTE + 1
    gaps = length - len(minutes)
    of_which = f"{gaps} blank: nobody was detected" if gaps else "none blank"
    column = (
        "a minute" if columns.minutes_each == 1 else f"the most of {columns.minutes_each} minutes"
    )
    yield f"{length} {'minute' if length == 1 else 'minutes'}, {of_which}; a column is {column}"


def _axis(first: Minute, last: Minute, columns: int) -> str:
    """The first minute's time, and the last's where the line ends, or after it in a short line."""
    begin, end = _time(first, first, last), _time(last, first, last)
    if first == last:
        return begin
    if len(begin) + len(end) + 1 > columns:
        return f"{begin} to {end}"
    return begin + end.rjust(columns - len(begin))


def _time(minute: Minute, first: Minute, last: Minute) -> str:
    """The time of day, with the day where the minutes are of more than one."""
    several = first.starts_at.date() != last.starts_at.date()
    return f"{minute.starts_at:%Y-%m-%d %H:%M}" if several else f"{minute.starts_at:%H:%M}"


def _heatmap(report: Report, console: Console) -> RenderableType:
    shades = heatmap.ASCII_SHADES if _ascii_only(console) else heatmap.SHADES
    most = max(report.hits.values(), default=0)
    lines = list(heatmap.lines(report.hits, shades))
    legend = [f"{shades[0]} none"]
    legend += [f"{one} to {bound}" for one, bound in heatmap.bounds(most, shades)]
    lines += [", ".join(legend[at : at + 2]) for at in range(0, len(legend), 2)]
    return Group(Text("Heat map (detections)", style="table.title"), Text("\n".join(lines)))


def _zones(report: Report) -> RenderableType:
    if not report.top_zones:
        return Text("Zones with the longest dwell: no visit")
    shown = RichTable(title="Zones with the longest dwell (seconds)", title_justify="left")
    for heading in ("cell", "total", "visits", "mean", "longest"):
        shown.add_column(heading, justify="left" if heading == "cell" else "right", overflow="fold")
    for zone in report.top_zones:
        shown.add_row(
            f"x{zone.zone_x} y{zone.zone_y}",
            f"{zone.total_dwell_seconds:.1f}",
            str(zone.visits),
            f"{zone.mean_dwell_seconds:.1f}",
            f"{zone.max_dwell_seconds:.1f}",
        )
    return shown


def _tracks(tracks: Tracks) -> Iterator[str]:
    yield "Tracks"
    if tracks.median_duration_seconds is None:
        yield "none"
        return
    yield (
        f"{tracks.tracks}, median {tracks.median_duration_seconds:.1f} s, "
        f"longest {tracks.max_duration_seconds:.1f} s"
    )


def _print_lines(console: Console, lines: Iterator[str]) -> None:
    """A heading, which is shown as the tables' titles are, and lines as they are."""
    for number, line in enumerate(lines):
        console.print(Text(line, style="table.title" if number == 0 else ""))


def _ascii_only(console: Console) -> bool:
    return console.options.ascii_only


def _text(value: str, console: Console) -> Text:
    """The value, with nothing in it taken for markup or a command, in what can be encoded."""
    told = printable(value)
    if _ascii_only(console):
        told = told.encode("ascii", "backslashreplace").decode()
    return Text(told)
