"""A small store for tests, and what comes out of it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from store_simulator import files, world
from store_simulator.messages import Messages
from store_simulator.scenario import Noise, Scenario
from store_simulator.scenario_file import load
from store_simulator.simulation import CameraRun

SMALL = load("small")
STORE = SMALL.stores[0]


def scenario(minutes: float = 3, **changes: Any) -> Scenario:
    """The shipped small one, shorter, with changes."""
    return msgspec.structs.replace(SMALL, duration_minutes=minutes, **changes)


def with_noise(minutes: float = 3, **dials: float) -> Scenario:
    return scenario(minutes, noise=Noise(**dials))


def with_store(base: Scenario, **changes: Any) -> Scenario:
    """The first store changed."""
    first = msgspec.structs.replace(base.stores[0], **changes)
    return msgspec.structs.replace(base, stores=(first, *base.stores[1:]))


def run_of(base: Scenario, camera: int = 0) -> CameraRun:
    store = base.stores[0]
    return CameraRun(base, store, store.cameras[camera], world.shoppers(base, store))


def sent(run: CameraRun) -> Messages:
    """All messages of a run in one piece."""
    pieces = list(run.messages())
    whole = pieces[0]
    for piece in pieces[1:]:
        whole = whole.then(piece)
    return whole


def write(base: Scenario, folder: Path) -> files.Written:
    return files.write(base, folder, threading.Event())


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines()


def truth(folder: Path, table: str) -> list[dict[str, Any]]:
    """The rows of a table of the truth."""
    found = duckdb.sql(f"SELECT * FROM read_parquet('{folder}/truth/{table}.parquet')")
    return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]
