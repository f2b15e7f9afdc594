"""Counting right and wrong boxes, independent of vision's own geometry."""

from collections.abc import Iterable, Sequence

Box = tuple[float, float, float, float]


def iou(one: Box, other: Box) -> float:
    width = max(0.0, min(one[2], other[2]) - max(one[0], other[0]))
    height = max(0.0, min(one[3], other[3]) - max(one[1], other[1]))
    both = width * height
    areas = sum((b[2] - b[0]) * (b[3] - b[1]) for b in (one, other))
    return both / (areas - both) if both else 0.0


def recall_and_precision(
    frames: Iterable[tuple[Sequence[Box], Sequence[Box]]], least_iou: float = 0.5
) -> tuple[float, float]:
    """Of pairs (found, true) per frame: the share of true boxes found, of found boxes true."""
    hits = found_count = true_count = 0
    for found, true in frames:
        free = list(true)
        for box in found:
            best = max(free, key=lambda candidate: iou(box, candidate), default=None)
            if best is not None and iou(box, best) >= least_iou:
                free.remove(best)
                hits += 1
        found_count += len(found)
        true_count += len(true)
    return hits / true_count, hits / found_count


def bbox(record: dict) -> Box:
    box = record["bbox"]
    return box["x1"], box["y1"], box["x2"], box["y2"]
