"""The 10 x 10 grid as shaded cells: pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

CELLS = 10
"""Rows and columns of the grid (docs/tables.md, Zone cell)."""
CELL_WIDTH = 2
"""Characters a cell: about as wide as high in a terminal."""
SHADES = "·░▒▓█"
ASCII_SHADES = ".-+*#"


def shade(hits: int, most: int, shades: str = SHADES) -> str:
    """The first shade for no hits; the others for each quarter of the most, up to it."""
    if hits <= 0:
        return shades[0]
    return shades[-(-hits * (len(shades) - 1) // most)]


def bounds(most: int, shades: str = SHADES) -> Iterator[tuple[str, int]]:
    """Each shade for hits and the greatest number that it stands for; none that stands for none."""
    before = 0
    for number, one in enumerate(shades[1:], start=1):
        bound = number * most // (len(shades) - 1)
        if bound > before:
            yield one, bound
        before = bound


def lines(hits: Mapping[tuple[int, int], int], shades: str = SHADES) -> Iterator[str]:
    """The picture from the top, with the numbers of its rows and columns."""
    most = max(hits.values(), default=0)
    yield "  " + "".join(f"{x:<{CELL_WIDTH}}" for x in range(CELLS)).rstrip()
    for y in range(CELLS):
        row = "".join(CELL_WIDTH * shade(hits.get((x, y), 0), most, shades) for x in range(CELLS))
        yield f"{y} {row}"
