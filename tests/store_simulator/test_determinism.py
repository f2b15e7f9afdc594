"""The same scenario gives the same bytes, and what is added changes nothing of the rest."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
import scenes

from store_simulator import simulation
from store_simulator.scenario import Scenario
from store_simulator.scenario_file import load

ALL_DIALS = msgspec.structs.replace(load("noisy").noise, oversize=0.0)


def noisy(minutes: float = 2) -> Scenario:
    return scenes.scenario(minutes, noise=ALL_DIALS)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "simulation.json"
    }


def test_same_scenario_gives_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    for name in ("one", "two"):
        command = [sys.executable, "-m", "store_simulator", "noisy", "--duration-minutes", "0.5"]
        subprocess.run([*command, "--out", str(tmp_path / name)], check=True, capture_output=True)

    one, two = contents(tmp_path / "one"), contents(tmp_path / "two")

    assert len(one) >= 8 + 6
    assert one == two


def test_another_seed_gives_other_shoppers_and_another_run() -> None:
    one, two = (scenes.run_of(scenes.scenario(1, seed=seed)) for seed in (1, 2))

    assert one.run_id != two.run_id
    assert scenes.sent(one).detections.tolist() != scenes.sent(two).detections.tolist()


def test_adding_a_camera_and_a_store_changes_nothing_of_the_others(tmp_path: Path) -> None:
    base = noisy()
    store = base.stores[0]
    added = msgspec.structs.replace(store.cameras[0], id="cam_00")
    grown = msgspec.structs.replace(
        base,
        stores=(
            msgspec.structs.replace(store, id="store_00"),
            msgspec.structs.replace(store, cameras=(added, *store.cameras)),
        ),
    )
    scenes.write(base, tmp_path / "base")
    scenes.write(grown, tmp_path / "grown")

    before, after = contents(tmp_path / "base"), contents(tmp_path / "grown")

    kept = [name for name in before if not name.startswith("truth/")]
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    assert len([name for name in after if name.endswith(".jsonl")]) == 5
    for table in ("visits", "dwell", "tracks", "minutes", "messages", "noise"):
        new = ("store_00", "cam_00")
        rows = [
            row
            for row in scenes.truth(tmp_path / "grown", table)
            if row["store"] not in new and row.get("camera") not in new
        ]
        assert rows == scenes.truth(tmp_path / "base", table), table


def test_each_dial_leaves_the_draws_of_the_others_alone() -> None:
    """A false box, a late message and a duplicate are the same ones beside other noise."""
    dials = {"dropped_frames": 0.1, "missed_boxes": 0.1, "false_boxes": 0.1}
    alone = scenes.run_of(scenes.with_noise(2, **dials))
    more = scenes.run_of(
        scenes.with_noise(2, **dials, malformed=0.1, late=0.1, duplicates=0.1, partial=0.1)
    )
    for run in (alone, more):
        scenes.sent(run)

    wanted = set(dials)
    kinds = {
        "dropped_frame": "dropped_frames",
        "missed_box": "missed_boxes",
        "false_box": "false_boxes",
    }
    found = [
        [
            (event.kind, event.frame_index.tolist(), list(event.detail))
            for event in run.events()
            if event.kind in kinds
        ]
        for run in (alone, more)
    ]
    assert {kinds[kind] for kind, _, _ in found[0]} == wanted
    assert found[0] == found[1]


@pytest.mark.parametrize("frames", [1, 7, 600])
def test_size_of_the_pieces_changes_nothing(frames: int, monkeypatch: pytest.MonkeyPatch) -> None:
    base = noisy(0.5)
    whole = scenes.sent(scenes.run_of(base))
    monkeypatch.setattr(simulation, "FRAMES_AT_A_TIME", frames)

    pieces = scenes.sent(scenes.run_of(base))

    assert pieces.payloads == whole.payloads
    assert pieces.sent_ms.tolist() == whole.sent_ms.tolist()
    assert pieces.kinds.tolist() == whole.kinds.tolist()
